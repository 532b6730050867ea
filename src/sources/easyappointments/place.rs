//! Where an installation is, how it is asked, and what its refusals mean. It takes a hundred requests in two minutes.

use serde_json::Value;
use url::Url;

use super::TOKEN;
use crate::domain::platform::Settings;
use crate::domain::steps::{Verdict, by_status, retry_after_ms};
use crate::domain::time::SECOND_MS;
use crate::wire::{Request, Response};

/// It refuses for so long, without saying so.
const PAUSE_MS: i64 = 120 * SECOND_MS;

#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    origin: String,
    folder: String,
}

impl Place {
    pub fn of(settings: &Settings) -> Result<Self, Verdict> {
        let place = settings.get("url").and_then(Self::at);
        place.ok_or_else(|| Verdict::Pause("Enter the address of your Easy!Appointments.".into()))
    }

    /// Reads an address, also one that was copied from further inside.
    pub fn at(address: &str) -> Option<Self> {
        let url = Url::parse(address.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return None;
        }
        let end = url.path().find("/index.php").unwrap_or(url.path().len());
        Some(Self { origin: url.origin().ascii_serialization(), folder: url.path()[..end].trim_end_matches('/').to_owned() })
    }

    pub fn ask(&self, method: &str, route: &str) -> Request {
        // Works with and without rewritten addresses.
        Request::new(method, &self.origin, format!("{}/index.php/api/v1/{route}", self.folder)).bearer(TOKEN)
    }

    pub fn shown(&self) -> String {
        format!("{}{}", self.origin, self.folder)
    }
}

pub fn is_number(id: &str) -> bool {
    (1..=12).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

#[derive(Debug)]
pub enum Answer {
    Json(Value),
    Missing,
    Trouble(Verdict),
}

pub fn read(response: &Response, place: &Place) -> Answer {
    let at = place.shown();
    match (response.status, response.json()) {
        (204, _) => Answer::Json(Value::Null),
        (200..=299, Some(value)) => Answer::Json(value),
        (200..=299, None) => {
            Answer::Trouble(Verdict::Refused(format!("{at} answered, but not as Easy!Appointments does. Check the address.")))
        }
        (401 | 403, _) => Answer::Trouble(Verdict::Pause(format!(
            "{at} refuses the API token, or its server keeps the token from Easy!Appointments. Copy it again from Settings › Integrations › API."
        ))),
        (404, _) => Answer::Missing,
        (429, _) => Answer::Trouble(Verdict::Retry {
            after_ms: retry_after_ms(response).or(Some(PAUSE_MS)),
            sentence: format!("{at} takes no more than a hundred requests in two minutes. It is asked again then."),
        }),
        _ => Answer::Trouble(by_status("Easy!Appointments", response)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_found_from_anywhere_inside_it() {
        for (address, want) in [
            ("https://book.example", Some("https://book.example")),
            ("https://book.example/clinic/index.php/calendar", Some("https://book.example/clinic")),
            ("http://127.0.0.1:8080/x/", Some("http://127.0.0.1:8080/x")),
            ("ftp://book.example", None),
            ("book.example", None),
        ] {
            assert_eq!(Place::at(address).map(|p| p.shown()).as_deref(), want, "{address}");
        }
    }
}
