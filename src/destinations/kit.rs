//! Small things that the platform files share: the talk of one request, masked values for the owner, tidy sentences.

use serde_json::{Map, Value, json};

use super::Delivery;
use crate::domain::outgoing::Outgoing;
use crate::domain::steps::{State, Step, Verdict};
use crate::wire::{Request, Response};

/// Stands for letters that are not shown.
const DOTS: &str = "••••";

/// The talk of a platform that takes a conversion in one request: ask, then judge the answer. What is asked is
/// in the state only until it is sent; of what `judge` needs to know, `test` stays.
pub fn once(
    state: State,
    got: Option<&Response>,
    ask: impl FnOnce(&State) -> Request,
    judge: impl FnOnce(&State, &Response) -> Verdict,
) -> Step<Delivery> {
    match got {
        Some(response) => Step::Done(judge(&state, response)),
        // Only a state from `prepare` can be asked with; one that was kept after sending starts anew next time.
        None if state.get("sent").is_some() => Step::Done(Verdict::Retry { after_ms: None, sentence: "The answer was lost.".into() }),
        None => {
            let request = ask(&state);
            Step::Ask(Box::new(request), json!({ "sent": true, "test": state.get("test") }))
        }
    }
}

/// A batch of one cannot be split: what the platform does not accept is refused.
pub fn alone(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Split(sentence) => Verdict::Refused(sentence),
        other => other,
    }
}

/// Which hashed field was made of what, and what is shown in place of a readable one.
#[derive(Debug, Default)]
pub struct Hashed(Map<String, Value>);

impl Hashed {
    pub fn add(&mut self, field: &str, masked: String) {
        self.0.insert(field.to_owned(), Value::String(format!("SHA-256 of {masked}")));
    }

    /// A value that goes out readable, by its JSON pointer in the body: it is neither kept nor shown.
    pub fn hide(&mut self, pointer: &str, masked: String) {
        self.0.insert(pointer.to_owned(), Value::String(masked));
    }

    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// `N••••`, for towns and ids; people have their own ways of being masked.
pub fn masked(text: &str) -> String {
    let first: String = text.trim().chars().take(1).collect();
    format!("{first}{DOTS}")
}

/// `203.0.••••`, `2001:bb6:••••`
pub fn masked_address(text: &str) -> String {
    let mark = if text.contains(':') { ':' } else { '.' };
    let first: Vec<&str> = text.split(mark).take(2).collect();
    format!("{}{mark}{DOTS}", first.join(&mark.to_string()))
}

/// A platform's own words, fit for a sentence of ours: one line, at most 200 characters, no full stop at the end.
pub fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut cut: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut.trim_end_matches('.').to_owned()
}

/// A setting as one segment of a path: nothing in it can reach another path, query or host.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    // A segment of dots alone would climb up the path.
    if out.bytes().all(|b| b == b'.') { "-".into() } else { out }
}

/// Address of the page that the visit began with, absolute.
pub fn page_address(out: &Outgoing) -> Option<String> {
    let page = out.visit.as_ref()?.page_url.as_deref()?.trim();
    if page.starts_with("https://") || page.starts_with("http://") {
        return Some(page.to_owned());
    }
    (page.starts_with('/') && !page.starts_with("//") && !out.site_domain.is_empty()).then(|| format!("https://{}{page}", out.site_domain))
}

/// A text that is there and not blank.
pub fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|t| !t.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_for_the_owner() {
        assert_eq!(masked(" Dublin "), "D••••");
        assert_eq!(masked_address("203.0.113.9"), "203.0.••••");
        assert_eq!(masked_address("2001:bb6:4a1f::1"), "2001:bb6:••••");
    }

    #[test]
    fn a_segment_stays_one_segment() {
        for (given, want) in [("123", "123"), ("1/../../x", "1%2F..%2F..%2Fx"), ("a?b#c@d", "a%3Fb%23c%40d"), ("..", "-"), ("", "-")] {
            assert_eq!(segment(given), want, "{given}");
        }
    }

    #[test]
    fn foreign_words_become_one_line() {
        assert_eq!(quoted(" Invalid\n parameter. "), "Invalid parameter");
        assert_eq!(quoted(&"x".repeat(300)).chars().count(), 201);
    }
}
