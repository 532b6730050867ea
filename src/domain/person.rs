//! People as facts name them: e-mail, phone, name; how each is compared, and how it is shown to those who may not see it.
//!
//! An e-mail is one person's however it is written, but no tricks: dots and `+tag` stay, except where an ad platform
//! demands otherwise (`person/hashing.rs`). A phone number counts only if it is a valid one: a stranger's number is
//! worse than none.

mod hashing;
mod phone;
mod places;

use serde::{Deserialize, Serialize};

pub use hashing::{
    ga4_name, google_city, google_country, google_email, google_name, google_phone, google_postal_code, google_region, meta_birthday,
    meta_city, meta_country, meta_email, meta_external_id, meta_gender, meta_name, meta_phone, meta_state, meta_zip,
};
pub use phone::Phone;
pub use places::{country_code, state_code};

/// Longest address by RFC 5321.
pub const MAX_EMAIL: usize = 254;
/// Longest name part, in characters.
pub const MAX_NAME: usize = 255;

const HIDDEN: &str = "••••";

/// An e-mail address: trimmed, lower case, the domain in ASCII.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    pub fn parse(raw: &str) -> Option<Email> {
        let text = unseen_off(raw);
        if text.len() > 4 * MAX_EMAIL || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let lower = text.to_lowercase();
        let (local, domain) = lower.split_once('@')?;
        let is_local = !local.is_empty() && local.len() <= 64 && !local.contains(|c| "@<>()[]\\,;:\"".contains(c));
        // `Host::parse` would decode percent signs: an address does not contain any there.
        if !is_local || domain.contains(['%', '@', ':', '[', '/']) {
            return None;
        }
        let url::Host::Domain(host) = url::Host::parse(domain.strip_suffix('.').unwrap_or(domain)).ok()? else {
            return None;
        };
        let address = format!("{local}@{host}");
        (is_domain(&host) && address.len() <= MAX_EMAIL).then_some(Email(address))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// `ni••••@••••.ie`
    pub fn masked(&self) -> String {
        mask_email(&self.0)
    }
}

impl std::fmt::Display for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Email {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Email, Self::Error> {
        Email::parse(&text).ok_or("not an e-mail address")
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// A person's name in the two parts that platforms ask for; either may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    pub first: Option<String>,
    pub last: Option<String>,
}

impl Name {
    /// `Jane van der Berg` → Jane, van der Berg; `Berg, Jane` → Jane, Berg; titles in front are dropped.
    pub fn from_full(full: &str) -> Name {
        let full = tidy(full).unwrap_or_default();
        if let Some((last, first)) = full.split_once(',')
            && !first.trim().is_empty()
            && !last.trim().is_empty()
        {
            return Name::from_parts(Some(first), Some(last));
        }
        let mut words = full.split(' ').skip_while(|word| is_title(word));
        let first = words.next();
        let rest = words.collect::<Vec<_>>().join(" ");
        Name::from_parts(first, Some(&rest))
    }

    pub fn from_parts(first: Option<&str>, last: Option<&str>) -> Name {
        Name { first: first.and_then(tidy), last: last.and_then(tidy) }
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none() && self.last.is_none()
    }

    /// First and last with a blank between.
    pub fn full(&self) -> String {
        [&self.first, &self.last].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// `J•••• B••••`
    pub fn masked(&self) -> String {
        mask_name(&self.full())
    }
}

/// Masks a stored e-mail; also one that would not parse.
pub fn mask_email(email: &str) -> String {
    let Some((local, domain)) = email.trim().rsplit_once('@') else {
        return HIDDEN.to_owned();
    };
    // Of a short local part less is shown: two of three letters would nearly be the whole.
    let shown = if local.chars().count() > 3 { 2 } else { 1 };
    let front: String = local.chars().take(shown).collect();
    match domain.rsplit_once('.') {
        Some((_, top)) if !top.is_empty() => format!("{front}{HIDDEN}@{HIDDEN}.{top}"),
        _ => format!("{front}{HIDDEN}@{HIDDEN}"),
    }
}

/// Masks a stored phone number: `+97••••67`.
pub fn mask_phone(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let plus = if phone.trim_start().starts_with('+') { "+" } else { "" };
    if digits.len() < 7 {
        return format!("{plus}{HIDDEN}");
    }
    let front: String = digits[..2].iter().collect();
    let back: String = digits[digits.len() - 2..].iter().collect();
    format!("{plus}{front}{HIDDEN}{back}")
}

/// Masks a name: the first letter of each part.
pub fn mask_name(name: &str) -> String {
    let parts = name.split_whitespace().filter_map(|part| part.chars().next());
    parts.map(|first| format!("{first}{HIDDEN}")).collect::<Vec<_>>().join(" ")
}

/// A host with a dot, labels of legal length, and a top level that is no number.
fn is_domain(host: &str) -> bool {
    let is_label = |label: &str| !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
    host.contains('.')
        && host.split('.').all(is_label)
        && host.rsplit('.').next().is_some_and(|top| top.len() > 1 && !top.bytes().all(|b| b.is_ascii_digit()))
}

/// Trimmed of blanks and of the marks that copying from a page or a chat leaves behind.
fn unseen_off(text: &str) -> String {
    let is_mark =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}');
    text.trim_matches(|c: char| c.is_whitespace() || is_mark(c)).chars().filter(|c| !is_mark(*c)).collect()
}

/// One blank between words, no control characters, at most 255 characters.
fn tidy(text: &str) -> Option<String> {
    let text: String = unseen_off(text).chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_NAME).collect();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

fn is_title(word: &str) -> bool {
    let word = word.trim_end_matches('.').to_lowercase();
    matches!(&*word, "mr" | "mrs" | "ms" | "miss" | "mx" | "dr" | "prof" | "sir" | "herr" | "frau" | "mme" | "mlle")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(raw: &str, want: &str) {
        let got = Email::parse(raw);
        assert_eq!(got.as_ref().map_or("", Email::as_str), want, "{raw:?}");
        if let Some(email) = got {
            assert_eq!(Email::parse(email.as_str()), Some(email.clone()), "parsing again changes nothing");
        }
    }

    #[test]
    fn emails() {
        for (raw, want) in [
            (" Niamh.Byrne@Example.IE ", "niamh.byrne@example.ie"),
            ("a.b+tag@gmail.com", "a.b+tag@gmail.com"),
            ("user@münchen.de", "user@xn--mnchen-3ya.de"),
            ("josé@example.com", "josé@example.com"),
            ("\u{200e}jo@example.com\u{200b}", "jo@example.com"),
            ("o'neil@example.co.uk", "o'neil@example.co.uk"),
            ("jo@example.com.", "jo@example.com"),
            ("jo_x-1@sub.example.museum", "jo_x-1@sub.example.museum"),
            ("not-an-email", ""),
            ("a@b@c.example", ""),
            ("@example.com", ""),
            ("jo@", ""),
            ("jo@localhost", ""),
            ("jo x@example.com", ""),
            ("jo@exa mple.com", ""),
            ("jo@example..com", ""),
            ("jo@.example.com", ""),
            ("jo@-example.com", ""),
            ("jo@127.0.0.1", ""),
            ("jo@[::1]", ""),
            ("jo@ex%61mple.com", ""),
            ("Jo <jo@example.com>", ""),
            ("jo\n@example.com", ""),
            ("jo\u{0}@example.com", ""),
            ("", ""),
        ] {
            check(raw, want);
        }
        check(&format!("{}@example.com", "a".repeat(65)), "");
        check(&format!("a@{}.com", "b.".repeat(130)), "");
    }

    #[test]
    fn names() {
        for (full, first, last) in [
            ("Jane Doe", "Jane", "Doe"),
            ("  Jane   van der Berg ", "Jane", "van der Berg"),
            ("Berg, Jane", "Jane", "Berg"),
            ("Dr. Jane Doe", "Jane", "Doe"),
            ("Cher", "Cher", ""),
            ("Prof.", "", ""),
            ("محمد علي", "محمد", "علي"),
            ("Jane\u{0}\nDoe", "Jane", "Doe"),
            ("", "", ""),
            (",", ",", ""),
        ] {
            let name = Name::from_full(full);
            let got = (name.first.as_deref().unwrap_or(""), name.last.as_deref().unwrap_or(""));
            assert_eq!(got, (first, last), "{full:?}");
        }
        assert_eq!(Name::from_parts(Some(" Ann "), None).full(), "Ann");
    }

    #[test]
    fn masks() {
        for (got, want) in [
            (mask_email("niamh@example.ie"), "ni••••@••••.ie"),
            (mask_email("jo@example.co.uk"), "j••••@••••.uk"),
            (mask_email("broken"), "••••"),
            (mask_email("é@x"), "é••••@••••"),
            (mask_phone("+971501234567"), "+97••••67"),
            (mask_phone("12"), "••••"),
            (mask_phone(""), "••••"),
            (mask_name("Jane van der Berg"), "J•••• v•••• d•••• B••••"),
            (mask_name(""), ""),
        ] {
            assert_eq!(got, want);
        }
    }

    #[test]
    fn stored_as_text() {
        let email: Email = serde_json::from_str("\"JO@example.com\"").expect("an address");
        assert_eq!(serde_json::to_string(&email).ok().as_deref(), Some("\"jo@example.com\""));
        assert!(serde_json::from_str::<Email>("\"nobody\"").is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", local in ".{0,8}", domain in "[a-zé.@%\\[\\]-]{0,12}") {
            for raw in [text.clone(), format!("{local}@{domain}")] {
                if let Some(email) = Email::parse(&raw) {
                    prop_assert_eq!(Email::parse(email.as_str()), Some(email.clone()));
                    prop_assert_eq!(email.as_str().matches('@').count(), 1);
                }
                mask_email(&raw);
            }
            mask_phone(&text);
            mask_name(&text);
            Name::from_full(&text);
        }
    }
}
