//! What a page visit says of where it came from, as sent: UTMs, click ids, ad numbers, a referrer's host.
//!
//! `landing` reads them from an address, `classify` (in `campaign/origin.rs`) makes one source and medium of them.

mod clicks;
mod landing;
mod origin;
mod people;
pub mod referrers;

use serde::{Deserialize, Serialize};

pub use clicks::{ClickIds, ClickKind, MAX_CLICK_ID};
pub use landing::{Landing, landing};
pub use origin::{
    DIRECT, NO_MEDIUM, NOT_SET, Origin, RuleField, RuleOp, SourceRule, classify, normal_medium, normal_source, same_campaign,
};
pub use people::{looks_like_email, names_somebody, without_emails};

/// Longest text field, in characters.
pub const MAX_TEXT: usize = 255;

/// The five UTM fields as sent, cleaned of control and bidi marks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Utm {
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub term: Option<String>,
    pub content: Option<String>,
}

impl Utm {
    pub fn is_empty(&self) -> bool {
        *self == Utm::default()
    }

    /// Without fields that name somebody.
    pub fn without_people(self) -> Utm {
        let kept = |field: Option<String>| field.filter(|text| !names_somebody(text));
        Utm {
            source: kept(self.source),
            medium: kept(self.medium),
            campaign: kept(self.campaign),
            term: kept(self.term),
            content: kept(self.content),
        }
    }

    /// Each field of `self`, or where it is absent that of `other`.
    pub fn or(self, other: Utm) -> Utm {
        Utm {
            source: self.source.or(other.source),
            medium: self.medium.or(other.medium),
            campaign: self.campaign.or(other.campaign),
            term: self.term.or(other.term),
            content: self.content.or(other.content),
        }
    }
}

/// Numbers of the ad platform's own campaign tree, for joining with spend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdIds {
    pub utm_id: Option<String>,
    pub campaign_id: Option<String>,
    pub adset_id: Option<String>,
    pub ad_id: Option<String>,
}

impl AdIds {
    pub fn is_empty(&self) -> bool {
        *self == AdIds::default()
    }

    /// Without fields that name somebody.
    pub fn without_people(self) -> AdIds {
        let kept = |field: Option<String>| field.filter(|text| !names_somebody(text));
        AdIds { utm_id: kept(self.utm_id), campaign_id: kept(self.campaign_id), adset_id: kept(self.adset_id), ad_id: kept(self.ad_id) }
    }

    pub fn or(self, other: AdIds) -> AdIds {
        AdIds {
            utm_id: self.utm_id.or(other.utm_id),
            campaign_id: self.campaign_id.or(other.campaign_id),
            adset_id: self.adset_id.or(other.adset_id),
            ad_id: self.ad_id.or(other.ad_id),
        }
    }
}

/// Host of a web address or of an app's `android-app://` or `ios-app://` referrer: lower case, ASCII, without port.
/// None for what is no address, or a name without a dot (a developer's machine).
pub fn host_of(url: &str) -> Option<String> {
    let url = url.trim();
    if url.is_empty() || url.len() > 8192 {
        return None;
    }
    let parsed = if url.contains("://") {
        url::Url::parse(url).ok()?
    } else if url.starts_with("//") {
        url::Url::parse(&format!("https:{url}")).ok()?
    } else {
        url::Url::parse(&format!("https://{url}")).ok()?
    };
    let is_app = match parsed.scheme() {
        "http" | "https" => false,
        "android-app" | "ios-app" => true,
        _ => return None,
    };
    let host = parsed.host_str()?.trim_end_matches('.').to_lowercase();
    let is_name = !host.is_empty() && host.len() <= MAX_TEXT && !host.contains(char::is_whitespace);
    // An App Store number has no dot; `@` in a bare word means that it was an e-mail address, not a host.
    (is_name && (is_app || host.contains('.') || host.starts_with('[')) && parsed.username().is_empty()).then_some(host)
}

/// Text without control characters and bidi marks, trimmed. Shows at most `max` + 1 characters of what it was given:
/// enough for the caller to see that it was too long, without copying a megabyte.
pub fn clean_text(text: &str, max: usize) -> String {
    let plain = text.trim_ascii();
    if plain.len() <= max && plain.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        // As nearly all are: there is nothing to take out.
        return plain.to_owned();
    }
    let mut cleaned = String::new();
    let mut count = 0;
    for c in text.trim_matches(is_blank_or_unseen).chars().filter(|c| !is_unseen(*c)) {
        cleaned.push(c);
        count += 1;
        if count > max {
            break;
        }
    }
    if count <= max {
        cleaned.truncate(cleaned.trim_end().len());
    }
    cleaned
}

fn is_blank_or_unseen(c: char) -> bool {
    c.is_whitespace() || is_unseen(c)
}

/// Control characters, and the marks that turn or hide text on screen.
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{061c}' | '\u{feff}')
}

/// Cleaned and cut to 255 characters: a long search term in a URL is no reason to lose the visit.
fn kept(text: &str) -> Option<String> {
    let mut cleaned = clean_text(text, MAX_TEXT);
    if let Some((at, _)) = cleaned.char_indices().nth(MAX_TEXT) {
        cleaned.truncate(at);
    }
    (!cleaned.is_empty()).then_some(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cleaning_shows_that_a_text_was_too_long() {
        for (given, max, want) in [
            ("  a b ", 5, "a b"),
            ("\u{202e}a\u{0}b\r\n", 5, "ab"),
            ("abcdefgh", 3, "abcd"),
            ("\u{feff} \u{200f}", 3, ""),
            ("abc   \u{0}", 3, "abc"),
        ] {
            assert_eq!(clean_text(given, max), want, "{given:?}");
        }
    }

    #[test]
    fn hosts() {
        for (given, want) in [
            ("https://WWW.Example.org.:8443/x", "www.example.org"),
            ("//cdn.example.org/x", "cdn.example.org"),
            ("example.org", "example.org"),
            ("android-app://com.slack/", "com.slack"),
            ("ios-app://389801252/x", "389801252"),
            ("http://[", ""),
            ("http://[::1]/", "[::1]"),
            ("ftp://example.org/", ""),
            ("localhost", ""),
            ("jo@mail.example", ""),
            ("", ""),
        ] {
            assert_eq!(host_of(given).unwrap_or_default(), want, "{given}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", max in 0usize..9) {
            host_of(&text);
            prop_assert!(clean_text(&text, max).chars().count() <= max + 1);
        }
    }
}
