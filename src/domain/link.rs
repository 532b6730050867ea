//! Short links: the address that one leads to, with our words in it. An address is only ever one of the site's own hosts, and
//! nothing that comes in with a click can change that.

use url::Url;
use url::form_urlencoded;

use super::campaign::{MAX_TEXT, Utm, clean_text};
use super::host;
use crate::error::{Error, Result};

/// Longest address that a link may lead to, in bytes.
pub const LONGEST_TARGET: usize = 2_000;
/// Longest name that somebody gives a link, in characters.
pub const LONGEST_LABEL: usize = 100;
/// Links that a site may have: all of them are kept in memory.
pub const MOST_LINKS: usize = 10_000;
/// What of a click's own query is passed on, in bytes; pairs that would go beyond are left out whole.
const MOST_PASSED: usize = 2_048;
/// The parameter that carries the click id.
const CLICK: &str = "halo_click";
/// Names under which an affiliate's code is read from an address.
const REFS: [&str; 3] = ["ref", "via", "aff"];

/// What a link says of the visits it brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    pub utm: Utm,
    /// An affiliate's code, which goes along as `ref`.
    pub affiliate: Option<String>,
}

impl Words {
    /// The parameters that stand in the address, in the order in which they are usually written.
    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("utm_source", &self.utm.source),
            ("utm_medium", &self.utm.medium),
            ("utm_campaign", &self.utm.campaign),
            ("utm_term", &self.utm.term),
            ("utm_content", &self.utm.content),
            (REFS[0], &self.affiliate),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_deref().map(|v| (name, v)))
    }

    /// Whether a parameter of this name would say something else than we do.
    fn takes(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        name == CLICK || self.pairs().any(|(own, _)| own == name) || (self.affiliate.is_some() && REFS.contains(&name.as_str()))
    }
}

/// A word of a link as somebody typed it: cleaned, empty is absent.
pub fn read_word(field: &str, text: &str) -> Result<Option<String>> {
    let word = clean_text(text, MAX_TEXT);
    if word.chars().count() > MAX_TEXT {
        return Err(Error::invalid(field, format!("{field} has at most {MAX_TEXT} characters.")));
    }
    if looks_like_email(&word) {
        return Err(Error::invalid(field, "An e-mail address does not belong into a link: everybody who gets it can read it."));
    }
    Ok((!word.is_empty()).then_some(word))
}

/// An address as somebody typed it, as it is stored: of the site's own hosts, without name and password. A bare path means the
/// site's first domain.
pub fn read_target(text: &str, domains: &[String]) -> Result<String> {
    let text = text.trim();
    let wrong = |sentence: String| Error::invalid("to", sentence);
    if text.is_empty() {
        return Err(wrong("Say where the link leads: the address of a page of the site.".into()));
    }
    let whole = if text.contains("://") {
        text.to_owned()
    } else if let (Some(path), Some(first)) = (text.strip_prefix('/'), domains.first()) {
        format!("https://{first}/{path}")
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&whole).map_err(|_| wrong(format!("{text:?} is no address such as https://{}/sale.", example(domains))))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("The address begins with https:// (or http://).".into()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("The address must hold no name or password: everybody who gets the link could read it.".into()));
    }
    if !leads_home(&url, domains) {
        let home = domains.join(", ");
        return Err(wrong(format!(
            "A link leads to a page of the site itself: {home} and what is below. Add a domain in the settings first."
        )));
    }
    if url.as_str().len() > LONGEST_TARGET {
        return Err(wrong(format!("The address has at most {LONGEST_TARGET} characters.")));
    }
    Ok(url.into())
}

/// The way that clicks of one link are sent: worked out once, so that a click only adds its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The address with our words, without its fragment.
    front: String,
    fragment: String,
    has_query: bool,
    words: Words,
    /// Names of the address's own parameters, in lower case.
    own: Vec<String>,
}

impl Way {
    /// None where the address is no longer one of the site's.
    pub fn new(target: &str, words: &Words, domains: &[String]) -> Option<Way> {
        let url = Url::parse(target).ok().filter(|url| leads_home(url, domains))?;
        let mut front = url.clone();
        front.set_query(None);
        front.set_fragment(None);
        let mut front = String::from(front);
        let mut own = Vec::new();
        let mut has_query = false;
        let mut add = |pair: &str| {
            front.push(if has_query { '&' } else { '?' });
            front.push_str(pair);
            has_query = true;
        };
        for (pair, name) in pairs_of(url.query().unwrap_or_default()) {
            if !words.takes(&name) {
                own.push(name.to_ascii_lowercase());
                add(pair);
            }
        }
        for (name, value) in words.pairs() {
            add(&format!("{name}={}", form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>()));
        }
        let fragment = url.fragment().map(|f| format!("#{f}")).unwrap_or_default();
        Some(Way { front, fragment, has_query, words: words.clone(), own })
    }

    /// Where a click goes. `query` is what came with it, as it came: it is passed on, but says nothing in our place and cannot
    /// lead elsewhere.
    pub fn with(&self, query: &str, click: Option<&str>) -> String {
        let mut to = String::with_capacity(self.front.len() + query.len().min(MOST_PASSED) + 64);
        to.push_str(&self.front);
        let mut has_query = self.has_query;
        let mut passed = 0;
        for (pair, name) in pairs_of(query) {
            if self.words.takes(&name) || self.own.contains(&name.to_ascii_lowercase()) || passed + pair.len() + 1 > MOST_PASSED {
                continue;
            }
            passed += pair.len() + 1;
            to.push(if has_query { '&' } else { '?' });
            push_plain(&mut to, pair);
            has_query = true;
        }
        if let Some(click) = click {
            to.push(if has_query { '&' } else { '?' });
            to.push_str(CLICK);
            to.push('=');
            to.push_str(click);
        }
        to.push_str(&self.fragment);
        to
    }

    /// The address that the owner is shown: nothing of a click in it.
    pub fn plain(&self) -> String {
        self.with("", None)
    }
}

fn leads_home(url: &Url, domains: &[String]) -> bool {
    let Some(url::Host::Domain(name)) = url.host() else { return false };
    let name = name.trim_end_matches('.');
    matches!(url.scheme(), "http" | "https") && domains.iter().any(|domain| host::is_under(name, domain))
}

/// Pairs of a query as they stand, each with its name decoded.
fn pairs_of(query: &str) -> impl Iterator<Item = (&str, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default();
        (pair, name)
    })
}

/// What may not stand in the line of a header, or would begin a fragment, is written as `%XX`.
fn push_plain(to: &mut String, pair: &str) {
    for byte in pair.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'#' | b'`' | b'\\' => to.push_str(&format!("%{byte:02X}")),
            0x21..=0x7e => to.push(char::from(byte)),
            _ => to.push_str(&format!("%{byte:02X}")),
        }
    }
}

fn looks_like_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(front, back)| !front.is_empty() && back.contains('.') && !text.contains(char::is_whitespace))
}

fn example(domains: &[String]) -> &str {
    domains.first().map_or("shop.example", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn domains() -> Vec<String> {
        vec!["shop.example".into(), "boutique.example".into()]
    }

    fn words(source: &str, affiliate: Option<&str>) -> Words {
        let utm = Utm { source: Some(source.into()), medium: Some("paid social".into()), ..Utm::default() };
        Words { utm, affiliate: affiliate.map(str::to_owned) }
    }

    #[test]
    fn an_address_is_one_of_the_sites_own() {
        let rows: &[(&str, Option<&str>)] = &[
            ("https://shop.example/sale?x=1#top", Some("https://shop.example/sale?x=1#top")),
            ("shop.example/sale", Some("https://shop.example/sale")),
            ("/sale", Some("https://shop.example/sale")),
            ("http://www.boutique.example", Some("http://www.boutique.example/")),
            ("https://shop.example:8443/a", Some("https://shop.example:8443/a")),
            ("https://SHOP.example./a", Some("https://shop.example./a")),
            ("https://evil.example/", None),
            ("https://shop.example.evil.example/", None),
            ("https://notshop.example/", None),
            ("https://shop.example@evil.example/", None),
            ("https://ann:secret@shop.example/", None),
            ("https://evil.example\\@shop.example/", None),
            ("//evil.example/", Some("https://shop.example//evil.example/")),
            ("https:evil.example", None),
            ("https:///evil.example", None),
            ("javascript:alert(1)//shop.example", None),
            ("javascript://shop.example/%0aalert(1)", None),
            ("data:text/html,x", None),
            ("ftp://shop.example/", None),
            ("https://127.0.0.1/", None),
            ("https://[::1]/", None),
            ("", None),
            ("sale", None),
        ];
        for (text, want) in rows {
            assert_eq!(read_target(text, &domains()).ok().as_deref(), *want, "{text}");
        }
    }

    #[test]
    fn our_words_stand_and_the_rest_goes_along() {
        let way =
            Way::new("https://shop.example/sale?size=40&utm_source=old#top", &words("Insta", Some("ANN")), &domains()).expect("a way");
        assert_eq!(way.plain(), "https://shop.example/sale?size=40&utm_source=Insta&utm_medium=paid+social&ref=ANN#top");
        let rows: &[(&str, &str)] = &[
            ("fbclid=IwAR0&x=%26", "&fbclid=IwAR0&x=%26"),
            ("utm_source=evil&%75tm_medium=evil&UTM_Source=evil&utm_campaign=own", "&utm_campaign=own"),
            ("halo_click=clk_forged&via=BEN&aff=BEN&ref=BEN&size=50", ""),
            ("a=\"<b>\"", "&a=%22%3Cb%3E%22"),
            ("&&a&=b&", "&a&=b"),
        ];
        let front = way.plain().trim_end_matches("#top").to_owned();
        for (query, added) in rows {
            assert_eq!(way.with(query, Some("clk_1")), format!("{front}{added}&halo_click=clk_1#top"), "{query}");
        }
        let bare = Way::new("https://shop.example/", &Words::default(), &domains()).expect("a way");
        assert_eq!(bare.with("ref=BEN", None), "https://shop.example/?ref=BEN");
        assert_eq!(Way::new("https://shop.example/", &Words::default(), &["other.example".into()]), None, "the domain was taken away");
    }

    #[test]
    fn words_are_cleaned_and_hold_nobodys_address() {
        assert_eq!(read_word("utm_source", "  face\u{202e}book ").ok().flatten().as_deref(), Some("facebook"));
        assert_eq!(read_word("utm_source", "  ").ok().flatten(), None);
        assert!(read_word("utm_source", "ann@mail.example").is_err() && read_word("utm_term", &"x".repeat(256)).is_err());
    }

    proptest! {
        #[test]
        fn nothing_that_comes_with_a_click_leads_elsewhere(query in "\\PC{0,200}", path in "[a-z/.@:?&=#-]{0,40}") {
            let text = format!("https://shop.example/{path}");
            let Ok(target) = read_target(&text, &domains()) else { return Ok(()) };
            let way = Way::new(&target, &words("a", None), &domains()).expect("it was taken");
            let query = query.replace('#', "");
            let to = Url::parse(&way.with(&query, Some("clk_x"))).expect("an address");
            prop_assert_eq!(to.host_str(), Some("shop.example"));
            prop_assert_eq!(to.username(), "");
            let target = Url::parse(&target).expect("an address");
            prop_assert_eq!(to.path(), target.path());
            let own: Vec<String> = to.query_pairs().filter(|(n, _)| n == "utm_source").map(|(_, v)| v.into_owned()).collect();
            prop_assert_eq!(own, ["a"]);
            prop_assert!(way.with(&query, None).bytes().all(|b| (0x21..=0x7e).contains(&b)));
        }
    }
}
