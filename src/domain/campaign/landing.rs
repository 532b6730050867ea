//! What may be kept of a landing address: the path, and the parameters on the allow-list.
//!
//! A query string can carry e-mail addresses, reset links and coupons, so nothing is kept that is not named here or by
//! the site's owner, and of those nothing that names somebody.

use url::form_urlencoded;

use super::{AdIds, ClickIds, ClickKind, Utm, clean_text, kept, looks_like_email, names_somebody};

/// Longest path kept, in characters.
pub const MAX_PATH: usize = 1024;
/// Longest query kept, in bytes; parameters that would go beyond are left out whole.
pub const MAX_QUERY: usize = 2048;

/// A landing address after the allow-list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// Starts with `/`, at most 1024 characters; path parts that look like an e-mail address read `…`.
    pub path: String,
    /// Allow-listed parameters only, encoded again, in their order, without `?`.
    pub query: String,
    pub utm: Utm,
    pub clicks: ClickIds,
    pub ads: AdIds,
    /// Affiliate code from `ref`, `via` or `aff`.
    pub refs: Option<String>,
}

impl Landing {
    /// Path and query as one text, as it is stored and shown.
    pub fn path_and_query(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// Reads a path with query, or a full address. `extra_params` are the names that the site's owner allowed.
pub fn landing(path_and_query: &str, extra_params: &[String]) -> Landing {
    let text = without_host(path_and_query.trim());
    let text = text.split_once('#').map_or(text, |(front, _)| front);
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let mut found = Landing { path: clean_path(path), ..Landing::default() };
    let mut gad_campaign = None;
    let mut seen: Vec<&str> = Vec::new();

    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some(name) = allowed(&name, extra_params) else {
            continue;
        };
        // The first of several counts, as in the platforms' own scripts.
        if seen.contains(&name) || names_somebody(&value) {
            continue;
        }
        let Some(value) = place(&mut found, &mut gad_campaign, name, &value) else {
            continue;
        };
        seen.push(name);
        let before = found.query.len();
        if before > 0 {
            found.query.push('&');
        }
        found.query.push_str(name);
        found.query.push('=');
        found.query.extend(form_urlencoded::byte_serialize(value.as_bytes()));
        if found.query.len() - usize::from(before > 0) >= MAX_QUERY {
            found.query.truncate(before);
        }
    }
    // Google's auto-tagging names the campaign even where a browser strips the click id.
    found.ads.campaign_id = found.ads.campaign_id.or(gad_campaign);
    found
}

/// Puts an allowed parameter where it belongs; gives back the value that was kept, None if it is not worth keeping.
fn place(found: &mut Landing, gad_campaign: &mut Option<String>, name: &str, value: &str) -> Option<String> {
    if let Some(kind) = ClickKind::from_name(name) {
        return found.clicks.add(kind, value).then(|| value.trim().to_owned());
    }
    let value = kept(value)?;
    let slot = match name {
        "utm_source" => &mut found.utm.source,
        "utm_medium" => &mut found.utm.medium,
        "utm_campaign" => &mut found.utm.campaign,
        "utm_term" => &mut found.utm.term,
        "utm_content" => &mut found.utm.content,
        "utm_id" => &mut found.ads.utm_id,
        "campaign_id" => &mut found.ads.campaign_id,
        "adset_id" => &mut found.ads.adset_id,
        "ad_id" => &mut found.ads.ad_id,
        "gad_campaignid" => gad_campaign,
        "ref" | "via" | "aff" => &mut found.refs,
        _ => return Some(value),
    };
    if slot.is_none() {
        *slot = Some(value.clone());
    }
    Some(value)
}

const NAMES: &[&str] = &[
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "campaign_id",
    "adset_id",
    "ad_id",
    "gad_source",
    "gad_campaignid",
    "ref",
    "via",
    "aff",
];

/// The parameter's name as we write it, if it may be kept.
fn allowed<'a>(name: &str, extra_params: &'a [String]) -> Option<&'a str> {
    if let Some(kind) = ClickKind::from_name(name) {
        return Some(kind.name());
    }
    if let Some(known) = NAMES.iter().find(|known| **known == name) {
        return Some(known);
    }
    extra_params.iter().map(String::as_str).find(|extra| *extra == name)
}

/// A full address begins with `http`; a path may hold `//` or another address after its first slash.
fn without_host(text: &str) -> &str {
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(is_scheme) => {
            rest.find(['/', '?', '#']).map_or("", |at| &rest[at..])
        }
        _ => text,
    }
}

fn clean_path(path: &str) -> String {
    let path = clean_text(path, MAX_PATH);
    let parts = path.split('/').map(|part| if looks_like_email(part) { "…" } else { part });
    let mut cleaned = parts.collect::<Vec<_>>().join("/");
    if !cleaned.starts_with('/') {
        cleaned.insert(0, '/');
    }
    if let Some((at, _)) = cleaned.char_indices().nth(MAX_PATH) {
        cleaned.truncate(at);
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::campaign::MAX_TEXT;
    use proptest::prelude::*;

    #[track_caller]
    fn check(given: &str, path: &str, query: &str) -> Landing {
        let got = landing(given, &["size".to_owned()]);
        assert_eq!((got.path.as_str(), got.query.as_str()), (path, query), "{given}");
        got
    }

    #[test]
    fn only_named_parameters_are_kept() {
        for (given, path, query) in [
            ("/", "/", ""),
            ("", "/", ""),
            ("offer", "/offer", ""),
            ("/offer?utm_source=news&email=a@b.co&reset=x", "/offer", "utm_source=news"),
            ("https://shop.example/a/b?x=1&size=XL#frag?utm_source=no", "/a/b", "size=XL"),
            ("https://shop.example?gclid=Ab_-1", "/", "gclid=Ab_-1"),
            ("/r/https://other.example/x?ref=anna", "/r/https://other.example/x", "ref=anna"),
            ("/?utm_term=jane%40mail.example&utm_source=a+b", "/", "utm_source=a+b"),
            ("/?utm_term=call+jane@mail.example+now", "/", ""),
            ("/?utm_content=%2540&utm_campaign=jo%2540x.org", "/", "utm_content=%2540"),
            ("/?utm_content=YW5uQG1haWwuZXhhbXBsZQ%3D%3D&utm_term=%2B971501234567&utm_source=a", "/", "utm_source=a"),
            ("/off/jo.x%40mail.example/now", "/off/…/now", ""),
            ("/@handle/maps/@25.2,55.3", "/@handle/maps/@25.2,55.3", ""),
            ("/?sccid=s1&SCCID=s2", "/", "ScCid=s1"),
            ("/?GCLID=x&Utm_Source=y", "/", ""),
            ("/?utm_source=one&utm_source=two", "/", "utm_source=one"),
            ("/?utm_source=%00%E2%80%AEx%0A", "/", "utm_source=x"),
            ("/?fbclid=has%20blank", "/", ""),
            ("/a\u{202e}b", "/ab", ""),
            ("/?utm_source&=&&&utm_medium=", "/", ""),
        ] {
            check(given, path, query);
        }
    }

    #[test]
    fn fields_are_read() {
        let got = check(
            "/p?utm_source=fb&utm_medium=paid&utm_campaign=Spring&utm_id=7&ad_id=9&gad_campaignid=5&via=anna&fbclid=IwAR1",
            "/p",
            "utm_source=fb&utm_medium=paid&utm_campaign=Spring&utm_id=7&ad_id=9&gad_campaignid=5&via=anna&fbclid=IwAR1",
        );
        assert_eq!(got.utm.campaign.as_deref(), Some("Spring"));
        assert_eq!(got.ads.campaign_id.as_deref(), Some("5"));
        assert_eq!(got.refs.as_deref(), Some("anna"));
        assert_eq!(got.clicks.get(ClickKind::Fbclid), Some("IwAR1"));
        assert!(got.path_and_query().starts_with("/p?utm_source=fb"));
    }

    #[test]
    fn long_things_stay_bounded() {
        let got = landing(&format!("/{}?utm_term={}&gclid={}", "é".repeat(5000), "k".repeat(900), "g".repeat(513)), &[]);
        assert_eq!(got.path.chars().count(), MAX_PATH);
        assert_eq!(got.utm.term.map(|t| t.len()), Some(MAX_TEXT));
        assert!(got.clicks.is_empty());
        assert!(got.query.len() <= MAX_QUERY);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", tail in "[?&=%#/@.a-z0-9]{0,60}") {
            let got = landing(&format!("{text}{tail}"), &["a".to_owned()]);
            prop_assert!(got.path.starts_with('/'));
            prop_assert!(!looks_like_email(&got.path_and_query()), "{}", got.path_and_query());
        }
    }
}
