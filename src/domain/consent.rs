//! What each state of consent allows to be kept and sent.
//!
//! Two flags: analytics decides what is kept, marketing what may leave. A denial beats a grant wherever two tell
//! different things. What nobody said is decided by the site's mode and by where the visitor seems to be.

mod cookies;
mod heard;
mod managers;
mod purposes;
mod regions;
mod tcf;

use serde::{Deserialize, Serialize};

use super::yes_no;

pub use cookies::from_cookies;
pub use heard::{Heard, OwnWord, had_refused};
pub use regions::{asks_first, zone_asks_first};

/// What the visitor said of one purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    Granted,
    Denied,
    #[default]
    Unknown,
}

impl Answer {
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Granted => "granted",
            Answer::Denied => "denied",
            Answer::Unknown => "unknown",
        }
    }

    /// Reads the three words, plain words for yes and no, and what consent managers write for them. None for anything else: a word that
    /// nobody can read is no answer. A no is read by how it begins, a yes only where all of it is known.
    pub fn parse(word: &str) -> Option<Answer> {
        if let Some(said) = yes_no::read(word) {
            return Some(if said { Answer::Granted } else { Answer::Denied });
        }
        let word = yes_no::bare(word);
        if matches!(word.as_str(), "unknown" | "" | "null" | "undefined" | "pending") {
            return Some(Answer::Unknown);
        }
        // `deny_all`, `Reject all`, `opt-out`; but no list of groups.
        if !word.chars().all(|c| c.is_alphabetic() || " _-".contains(c)) {
            return None;
        }
        let joined: String = word.chars().filter(|c| c.is_alphabetic()).collect();
        match (is_yes(&joined), is_no(&joined)) {
            (true, _) => Some(Answer::Granted),
            (_, true) => Some(Answer::Denied),
            _ => None,
        }
    }

    /// As facts keep it.
    pub fn given(self) -> Option<bool> {
        match self {
            Answer::Granted => Some(true),
            Answer::Denied => Some(false),
            Answer::Unknown => None,
        }
    }

    /// A denial wins, then a grant.
    pub fn and(self, other: Answer) -> Answer {
        match (self, other) {
            (Answer::Denied, _) | (_, Answer::Denied) => Answer::Denied,
            (Answer::Granted, _) | (_, Answer::Granted) => Answer::Granted,
            _ => Answer::Unknown,
        }
    }

    fn is_known(self) -> bool {
        self != Answer::Unknown
    }
}

fn is_yes(joined: &str) -> bool {
    let is_word = |word: &str| matches!(word, "grant" | "granted" | "allow" | "allowed" | "accept" | "accepted" | "agree" | "agreed");
    let without_all = joined.strip_suffix("all").or(joined.strip_prefix("all")).unwrap_or(joined);
    joined == "all" || is_word(joined) || is_word(without_all)
}

/// How words for a refusal begin, also behind an `all`; and those that leave only what needs no consent.
fn is_no(joined: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "deny",
        "deni",
        "reject",
        "declin",
        "refus",
        "revok",
        "withdr",
        "disagre",
        "disallow",
        "optout",
        "optedout",
        "notgranted",
        "notallowed",
        "notaccepted",
        "notgiven",
        "noconsent",
    ];
    let begins = |text: &str| BEGINNINGS.iter().any(|beginning| text.starts_with(beginning));
    let without_only = joined.strip_suffix("only").or(joined.strip_prefix("only")).unwrap_or(joined);
    matches!(without_only, "none" | "necessary" | "strictlynecessary" | "essential" | "essentials")
        || begins(joined)
        || joined.strip_prefix("all").is_some_and(begins)
}

/// What the visitor said, and the consent manager through which it was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Consent {
    pub analytics: Answer,
    pub marketing: Answer,
    /// `cookieyes`, `cookiebot`, `onetrust`, `complianz`, `usercentrics`, `borlabs`, `didomi`, `iubenda`, `klaro`, `axeptio`,
    /// `tcf`, `wp_consent_api`, `shopify`, `halotrack` or `other`.
    pub manager: Option<&'static str>,
}

impl Consent {
    pub const UNKNOWN: Consent = Consent { analytics: Answer::Unknown, marketing: Answer::Unknown, manager: None };

    /// True if the visitor answered at least one of the two.
    pub fn is_known(&self) -> bool {
        self.analytics.is_known() || self.marketing.is_known()
    }

    /// The state as one word, for columns that hold one: denied if either is, granted if both are.
    pub fn word(&self) -> &'static str {
        match (self.analytics, self.marketing) {
            (Answer::Denied, _) | (_, Answer::Denied) => "denied",
            (Answer::Granted, Answer::Granted) => "granted",
            _ => "unknown",
        }
    }
}

/// What a site makes of visitors who have not answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    #[default]
    Auto,
    OptIn,
    OptOut,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Auto => "auto",
            Mode::OptIn => "opt-in",
            Mode::OptOut => "opt-out",
        }
    }

    pub fn parse(word: &str) -> Option<Mode> {
        [Mode::Auto, Mode::OptIn, Mode::OptOut].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// What hints at the law that holds for the visitor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signs<'a> {
    /// Of the visitor's address, two letters; for a conversion the billing country.
    pub country: Option<&'a str>,
    /// IANA name from the browser.
    pub time_zone: Option<&'a str>,
    /// Of a conversion: whether its goods go where the law asks first.
    pub goods_ask: bool,
    /// Where the site is at home; asked only where the two above say nothing.
    pub site_country: Option<&'a str>,
}

/// What may be done, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// A session may be kept.
    pub analytics: bool,
    /// Conversions may leave for ad platforms.
    pub marketing: bool,
    /// The visitor or the browser said so; false where the site's mode decided everything.
    pub explicit: bool,
    /// The reason as words for a receipt.
    pub basis: &'static str,
}

/// From two words, as Google's consent mode or `__tcfapi` are reported by the page. An unreadable word is no answer.
pub fn from_words(analytics: &str, marketing: &str) -> Consent {
    Consent {
        analytics: Answer::parse(analytics).unwrap_or_default(),
        marketing: Answer::parse(marketing).unwrap_or_default(),
        manager: None,
    }
}

/// From one word that means both purposes.
pub fn from_word(word: &str) -> Consent {
    from_words(word, word)
}

/// What the page said together with what the cookies say: a denial wins.
pub fn combine(explicit: Consent, cookies: Consent) -> Consent {
    Consent {
        analytics: explicit.analytics.and(cookies.analytics),
        marketing: explicit.marketing.and(cookies.marketing),
        manager: explicit.manager.or(cookies.manager),
    }
}

/// What may be done. `refuses` is Global Privacy Control or Do Not Track, where the site honours it.
pub fn decide(consent: Consent, mode: Mode, signs: &Signs<'_>, refuses: bool) -> Decision {
    if refuses {
        return Decision { analytics: false, marketing: false, explicit: true, basis: "the browser's refusal signal" };
    }
    let (default, mode_basis) = silence(mode, signs);
    let may = |answer: Answer| match answer {
        Answer::Granted => true,
        Answer::Denied => false,
        Answer::Unknown => default,
    };
    // Who refuses even to be counted has not agreed to be told to ad platforms.
    let marketing = match (consent.analytics, consent.marketing) {
        (Answer::Denied, Answer::Unknown) => Answer::Denied,
        (_, marketing) => marketing,
    };
    Decision {
        analytics: may(consent.analytics),
        marketing: may(marketing),
        explicit: consent.is_known(),
        basis: if consent.is_known() { "the visitor's own answer" } else { mode_basis },
    }
}

/// What silence means, and why.
fn silence(mode: Mode, signs: &Signs<'_>) -> (bool, &'static str) {
    match mode {
        Mode::OptIn => return (false, "no answer, and the site asks first (opt-in)"),
        Mode::OptOut => return (true, "no answer, and the site's mode is opt-out"),
        Mode::Auto => {}
    }
    let country = signs.country.and_then(asks_first);
    let zone = signs.time_zone.and_then(zone_asks_first);
    match (country, zone) {
        (Some(true), _) => (false, "no answer, and the address is in the EEA, the UK or Switzerland"),
        _ if signs.goods_ask => (false, "no answer, and the goods go to the EEA, the UK or Switzerland"),
        (_, Some(true)) => (false, "no answer, and the clock is of the EEA, the UK or Switzerland"),
        (None, None) => match signs.site_country.and_then(asks_first) {
            Some(true) => (false, "no answer, and the site is in the EEA, the UK or Switzerland"),
            _ => (true, "no answer, and no sign of the EEA, the UK or Switzerland"),
        },
        _ => (true, "no answer, and no sign of the EEA, the UK or Switzerland"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `mode country zone site_country` with `-` for absent → analytics and marketing of a silent visitor.
    #[track_caller]
    fn check(row: &str, may: bool) {
        let parts: Vec<Option<&str>> = row.split_whitespace().map(|p| (p != "-").then_some(p)).collect();
        let [mode, country, time_zone, site_country] = parts[..] else { panic!("four columns: {row}") };
        let mode = mode.and_then(Mode::parse).expect("a mode");
        let got = decide(Consent::UNKNOWN, mode, &Signs { country, time_zone, site_country, ..Signs::default() }, false);
        assert_eq!((got.analytics, got.marketing, got.explicit), (may, may, false), "{row}: {}", got.basis);
    }

    #[test]
    fn silence_follows_the_mode() {
        for (row, may) in [
            ("opt-in US America/New_York US", false),
            ("opt-out DE Europe/Berlin DE", true),
            ("auto - - DE", false),
            ("auto - - US", true),
            ("auto - - -", true),
            ("auto DE - US", false),
            ("auto de - -", false),
            ("auto US Europe/Paris US", false),
            ("auto AE Asia/Dubai DE", true),
            ("auto AE - DE", true),
            ("auto - Asia/Dubai DE", true),
            ("auto FR Asia/Dubai AE", false),
            ("auto GB - -", false),
            ("auto CH - -", false),
            ("auto NO - -", false),
            ("auto - Atlantic/Canary US", false),
            ("auto - UTC DE", false),
            ("auto - UTC US", true),
            ("auto XX - DE", false),
            ("auto T1 Nonsense DE", false),
            ("auto XX UTC -", true),
        ] {
            check(row, may);
        }
    }

    #[test]
    fn goods_are_a_sign_like_the_bill() {
        for (mode, country, goods_ask, may) in [
            (Mode::Auto, Some("US"), true, false),
            (Mode::Auto, Some("DE"), false, false),
            (Mode::Auto, Some("US"), false, true),
            (Mode::Auto, None, true, false),
            (Mode::OptOut, Some("US"), true, true),
            (Mode::OptIn, Some("US"), false, false),
        ] {
            let got = decide(Consent::UNKNOWN, mode, &Signs { country, goods_ask, ..Signs::default() }, false);
            assert_eq!(got.marketing, may, "{mode:?} {country:?} {goods_ask}: {}", got.basis);
        }
        let said = decide(from_word("granted"), Mode::Auto, &Signs { goods_ask: true, ..Signs::default() }, false);
        assert!(said.marketing, "who was asked has answered");
    }

    #[test]
    fn answers_come_first() {
        let nowhere = Signs::default();
        let germany = Signs { country: Some("DE"), ..nowhere };
        for (analytics, marketing, signs, want) in [
            ("granted", "granted", germany, (true, true)),
            ("denied", "denied", nowhere, (false, false)),
            ("granted", "denied", nowhere, (true, false)),
            ("granted", "unknown", germany, (true, false)),
            ("granted", "unknown", nowhere, (true, true)),
            ("denied", "unknown", nowhere, (false, false)),
            ("unknown", "denied", nowhere, (true, false)),
            ("unknown", "denied", germany, (false, false)),
        ] {
            let got = decide(from_words(analytics, marketing), Mode::Auto, &signs, false);
            assert_eq!((got.analytics, got.marketing), want, "{analytics} {marketing}");
            assert!(got.explicit);
        }
        let refused = decide(from_word("granted"), Mode::OptOut, &nowhere, true);
        assert_eq!((refused.analytics, refused.marketing, refused.explicit), (false, false, true));
    }

    #[test]
    fn a_denial_wins() {
        for (a, b, want) in [
            ("granted", "denied", "denied"),
            ("denied", "granted", "denied"),
            ("granted", "unknown", "granted"),
            ("unknown", "unknown", "unknown"),
        ] {
            assert_eq!(combine(from_word(a), from_word(b)).word(), want);
        }
        let mut page = from_word("granted");
        page.manager = Some("tcf");
        assert_eq!(combine(page, Consent { manager: Some("cookiebot"), ..Consent::UNKNOWN }).manager, Some("tcf"));
    }

    #[test]
    fn words() {
        for (words, want) in [
            (
                "granted, grant, Allow, allowed, accept, accept_all, Accepted All, all, allow-all, all_granted, yes, oui, 1",
                Some(Answer::Granted),
            ),
            (
                "DENIED, deny, deny_all, denied-all, Reject all, reject, rejected_all, rejectAll, all_rejected, decline, refused, revoked, withdrawn, \
                 disagree, disallow, opt-out, opted_out, none, off, no, nein, 0, false, necessary, necessary_only, only necessary, essential, not granted",
                Some(Answer::Denied),
            ),
            ("unknown, null, undefined, pending", Some(Answer::Unknown)),
            ("maybe, dismiss, -1, 2, not_set, notice, optin, allowance, all_of_it, ungranted, necessary_statistics, necessary:yes", None),
        ] {
            for word in words.split(',').map(str::trim) {
                assert_eq!(Answer::parse(word), want, "{word}");
            }
        }
        assert_eq!(Answer::parse(" "), Some(Answer::Unknown));
        for mode in [Mode::Auto, Mode::OptIn, Mode::OptOut] {
            assert_eq!(Mode::parse(mode.as_str()), Some(mode));
            assert_eq!(serde_json::to_string(&mode).ok(), Some(format!("\"{}\"", mode.as_str())));
        }
        assert_eq!(Mode::parse("optin"), None);
        assert_eq!(serde_json::to_string(&Answer::Granted).ok().as_deref(), Some("\"granted\""));
    }

    proptest! {
        #[test]
        fn never_panics(country in ".{0,8}", zone in ".{0,30}", word in ".{0,10}") {
            let signs = Signs { country: Some(&country), time_zone: Some(&zone), site_country: Some(&word), goods_ask: false };
            decide(from_word(&word), Mode::Auto, &signs, false);
        }
    }
}
