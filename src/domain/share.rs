//! What a share link shows: one page or several, and in whose frames it may stand.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::error::{Error, Result};

/// A page of figures that can be sent to somebody without a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SharedPage {
    Overview,
    Sources,
    Conversions,
    Orders,
    Leads,
}

/// Sites of others that may show a link inside their own pages.
const MOST_FRAMES: usize = 10;

impl SharedPage {
    pub const ALL: [SharedPage; 5] =
        [SharedPage::Overview, SharedPage::Sources, SharedPage::Conversions, SharedPage::Orders, SharedPage::Leads];

    pub fn word(self) -> &'static str {
        match self {
            SharedPage::Overview => "overview",
            SharedPage::Sources => "sources",
            SharedPage::Conversions => "conversions",
            SharedPage::Orders => "orders",
            SharedPage::Leads => "leads",
        }
    }

    /// Reads `["overview","sources"]`, each once, in the order of the dashboard; the overview where nothing is said.
    pub fn read(value: Option<&Value>) -> Result<Vec<SharedPage>> {
        let words: Vec<&str> = Self::ALL.iter().map(|p| p.word()).collect();
        let wrong = || Error::invalid("pages", format!("pages is a list of {}.", words.join(", ")));
        let given = match value {
            None | Some(Value::Null) => return Ok(vec![SharedPage::Overview]),
            Some(Value::Array(all)) => all,
            Some(_) => return Err(wrong()),
        };
        if given.is_empty() {
            return Err(Error::invalid("pages", "Choose at least one page."));
        }
        if given.iter().any(|v| v.as_str().is_none_or(|word| !words.contains(&word))) {
            return Err(wrong());
        }
        Ok(Self::ALL.into_iter().filter(|page| given.iter().any(|v| v.as_str() == Some(page.word()))).collect())
    }
}

/// Reads addresses of sites as people write them: `agency.example`, `https://agency.example/reports`. Gives origins.
pub fn frames(value: Option<&Value>) -> Result<Vec<String>> {
    let wrong = || Error::invalid("frames", "Name sites like https://agency.example, one each.");
    let given = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(all)) => all,
        Some(_) => return Err(wrong()),
    };
    let mut all: Vec<String> = Vec::new();
    for one in given {
        let text = one.as_str().ok_or_else(wrong)?.trim();
        if text.is_empty() {
            continue;
        }
        let origin = origin(text).ok_or_else(wrong)?;
        if !all.contains(&origin) {
            all.push(origin);
        }
    }
    if all.len() > MOST_FRAMES {
        return Err(Error::invalid("frames", format!("At most {MOST_FRAMES} sites.")));
    }
    Ok(all)
}

/// Scheme, host and port: it becomes a word of a header, so that nothing else may be in it.
fn origin(text: &str) -> Option<String> {
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&full).ok()?;
    let is_web = matches!(url.scheme(), "https" | "http") && url.has_host() && url.username().is_empty();
    let origin = url.origin().ascii_serialization();
    let is_plain = origin.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:/[]_".contains(&b));
    (is_web && is_plain).then_some(origin)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_are_read_strictly_and_in_order() {
        assert_eq!(SharedPage::read(None).expect("the overview"), [SharedPage::Overview]);
        let read = SharedPage::read(Some(&json!(["leads", "overview", "leads"]))).expect("two");
        assert_eq!(read, [SharedPage::Overview, SharedPage::Leads]);
        for bad in [json!([]), json!("overview"), json!(["settings"]), json!([1]), json!(["overview", "Overview"])] {
            assert_eq!(SharedPage::read(Some(&bad)).expect_err("refused").field.as_deref(), Some("pages"), "{bad}");
        }
    }

    #[test]
    fn nothing_but_an_origin_gets_into_the_header() {
        let read = frames(Some(&json!([" Agency.example ", "https://agency.example/reports?x=1", "http://localhost:3000", ""])));
        assert_eq!(read.expect("two"), ["https://agency.example", "http://localhost:3000"]);
        for bad in [
            "*",
            "https://*",
            "https://a.example; script-src *",
            "'self'",
            "data:x",
            "https://a b",
            "https://",
            "a.example:99999",
            "javascript://x",
        ] {
            assert_eq!(frames(Some(&json!([bad]))).expect_err(bad).field.as_deref(), Some("frames"), "{bad}");
        }
        assert!(frames(Some(&json!("a.example"))).is_err());
    }
}
