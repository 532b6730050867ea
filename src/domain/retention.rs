//! How long each kind of row is kept, unless the site's owner says otherwise.

/// Visitors' addresses are kept so long, for what the ad platforms need; nobody can change that.
pub const ADDRESS_DAYS: u32 = 7;

/// A kind of row with a clock of its own.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub kind: &'static str,
    pub days: u32,
}

/// `touches` covers sessions too: a browser not seen for that long is forgotten. Digests of what was seen, the ledger
/// and frozen credit have no clock: sums must stay.
pub const KINDS: &[Kept] = &[
    Kept { kind: "touches", days: 400 },
    // What was said in chats, message by message; that somebody chatted, when and how much, stays.
    Kept { kind: "messages", days: 400 },
    // What trackers told, event by event; the sales and leads in it stay.
    Kept { kind: "events", days: 400 },
    Kept { kind: "inbox", days: 30 },
    Kept { kind: "dead_letters", days: 30 },
    Kept { kind: "audit", days: 365 },
    Kept { kind: "sync_logs", days: 30 },
    // The last reading of each connection stays, however long ago it was.
    Kept { kind: "sync_runs", days: 90 },
];

/// A kind as an owner would call it.
pub fn in_words(kind: &str) -> &'static str {
    match kind {
        "touches" => "Visits and the browsers they came from",
        "messages" => "What was written in chats",
        "events" => "Events of trackers such as AnyTrack",
        "sync_logs" => "Calls of trackers and what became of them",
        "sync_runs" => "When lists of platforms were read, and what that brought",
        "inbox" => "What shops, forms and trackers sent, as it was received",
        "dead_letters" => "What was sent to platforms, and their answers",
        "audit" => "Who changed what",
        _ => "Other rows",
    }
}

/// Ten years; beyond that a typing error is likelier than a wish.
pub const MOST_DAYS: u32 = 3_650;

/// The default of a kind, or nothing where there is no such kind.
pub fn default_days(kind: &str) -> Option<u32> {
    KINDS.iter().find(|k| k.kind == kind).map(|k| k.days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_words_of_its_own() {
        let mut words: Vec<&str> = KINDS.iter().map(|k| in_words(k.kind)).collect();
        assert!(!words.contains(&"Other rows"), "{words:?}");
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), KINDS.len());
    }
}
