//! Why something was not sent, in words for the owner. The words of `reason` are fixed; a platform's own sentence stands
//! as it is.

/// A sentence for a delivery's state and reason; none where the state says it all.
pub fn sentence(state: &str, reason: Option<&str>) -> Option<String> {
    let Some(reason) = reason else {
        return match state {
            "pending" | "leased" | "delivered" => None,
            "accepted" => Some("Taken; this platform does not confirm what it does with it.".into()),
            "held" => Some("Held back until somebody looks at it.".into()),
            "dead" => Some("Given up after all attempts. It can be replayed.".into()),
            "cancelled" => Some("Cancelled before it was sent.".into()),
            _ => None,
        };
    };
    let known = match reason {
        "shadow" => "Shadow mode: built and checked, not sent.",
        "consent" if state == "cancelled" => "Cancelled: the person withdrew marketing consent.",
        "consent" => "Not sent: there is no marketing consent.",
        "too_old" => "Not sent: it is older than this platform takes.",
        "refused_by_platform" => "The platform refused it.",
        "reversed" => "Not sent: the sale was cancelled or refunded before it was told.",
        "united" => "Not sent: this sale is the same as another one, which is told.",
        "sale_holds" => "Not sent: the sale holds after all.",
        "all_told" => "Not sent: all that went back was told already.",
        "sale_not_sent" => "Not sent: this platform never heard of the sale.",
        "not_counted" => "Not sent: a test, or one of your own people.",
        "no_match_keys" => "Not sent: nothing in it lets the platform recognise the person.",
        "no_way_back" => {
            "Not sent: the sale went back there and counts again here. This platform can not be told so; its own report stays short of it."
        }
        "unsupported_kind" => "Not sent: this platform has no such kind of event.",
        "not_wanted" => "Not sent: this connection does not want this kind.",
        "no_amount" => "Not sent: this platform wants an amount and there is none.",
        "no_test_mode" => "Not sent: this platform has no test mode. Switch to live when it looks right.",
        "no_test_event_code" => "Not sent: test mode needs the platform's test event code. Add it to the connection.",
        "checking" => "Taken; the platform says later what became of it.",
        "imported" => "Not sent: it was brought in from history. Replay it if it should go out.",
        "not_configured" => "Not sent: the connection is not configured yet.",
        "own_report" => "Not sent: this platform told us of it itself.",
        "told_already" => "Not sent: another platform, which told us of it, tells this one itself.",
        "staff" => "Not sent: it is one of your own people's.",
        "test" => "Not sent: it is a test.",
        "erased" => "Cancelled: the person was erased.",
        "disabled" => "Cancelled: the connection was switched off.",
        "removed" => "Cancelled: the connection was removed.",
        "owner" => "Cancelled by hand.",
        "ambiguous" => "Held: the last attempt's answer was lost, and a repeat could count twice. Replay or cancel it.",
        "restored" => "Held since a backup was restored. Release the outbox to send it.",
        "paused" => "Held: the connection is paused.",
        "failing" => {
            "Held: the platform has failed for five days. It goes once the platform takes one again, or when the connection is resumed."
        }
        "no_success" | "retries" | "attempts" | "exhausted" => "Given up after all attempts. It can be replayed.",
        "expired" => "Given up: it became older than this platform takes while it waited.",
        _ => return Some(own_words(state, reason)),
    };
    Some(known.to_owned())
}

/// Of one that was called back while it was on its way, and arrived.
pub fn taken_all_the_same(reason: Option<&str>) -> String {
    match reason {
        Some("consent") => "The person said no while this was on its way: the platform had taken it.",
        Some("disabled" | "removed") => "The connection was ended while this was on its way: the platform had taken it.",
        _ => "It was called back while it was on its way: the platform had taken it.",
    }
    .to_owned()
}

/// What a platform said is a sentence already; a word of ours that has no sentence here is shown as a word.
fn own_words(state: &str, reason: &str) -> String {
    if reason.contains(' ') {
        return reason.to_owned();
    }
    let word = reason.replace('_', " ");
    match state {
        "refused" => format!("Refused: {word}."),
        "skipped" => format!("Not sent: {word}."),
        "cancelled" => format!("Cancelled: {word}."),
        "held" => format!("Held: {word}."),
        "dead" => format!("Given up: {word}."),
        _ => format!("{word}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_a_sentence() {
        for (state, reason, want) in [
            ("skipped", Some("consent"), "Not sent: there is no marketing consent."),
            ("cancelled", Some("consent"), "Cancelled: the person withdrew marketing consent."),
            ("refused", Some("Meta answered 400: Invalid parameter."), "Meta answered 400: Invalid parameter."),
            ("refused", Some("bad_currency"), "Refused: bad currency."),
        ] {
            assert_eq!(sentence(state, reason).as_deref(), Some(want));
        }
        assert_eq!(sentence("delivered", None), None);
    }
}
