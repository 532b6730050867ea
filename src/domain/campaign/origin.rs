//! Where a visit came from: UTMs, click ids and a referrer become one normalised source and medium.
//!
//! Order of belief: UTMs, then click ids, then the referrer's host, then the site's own rules on top. The raw words are
//! kept beside the normalised ones, so a rule added later can be checked against what was really sent.

use serde::{Deserialize, Serialize};

use super::{ClickIds, ClickKind, MAX_TEXT, Utm, clean_text, host_of, kept, referrers};

/// The source of a visit that names none.
pub const DIRECT: &str = "direct";
/// The medium of a direct visit.
pub const NO_MEDIUM: &str = "(none)";
/// A campaign that names no source or no medium is not direct; GA4 shows it with these words too.
pub const NOT_SET: &str = "(not set)";
/// Where one visit came from. Source and medium are lower case and never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub source: String,
    pub medium: String,
    /// As sent: campaign names keep their case.
    pub campaign: Option<String>,
    pub term: Option<String>,
    pub content: Option<String>,
    pub raw_source: Option<String>,
    pub raw_medium: Option<String>,
    /// The click that says most, also where UTMs named the source.
    #[serde(with = "click_name")]
    pub click: Option<ClickKind>,
    /// Never a payment page, a log-in page or the site itself.
    pub referrer_host: Option<String>,
    pub is_direct: bool,
}

impl Origin {
    pub fn direct() -> Origin {
        Origin {
            source: DIRECT.to_owned(),
            medium: NO_MEDIUM.to_owned(),
            campaign: None,
            term: None,
            content: None,
            raw_source: None,
            raw_medium: None,
            click: None,
            referrer_host: None,
            is_direct: true,
        }
    }
}

/// What a rule of the site looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleField {
    Source,
    Medium,
    /// The referrer's host; only asked where neither UTMs nor a click id named the source.
    Host,
    Campaign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleOp {
    Is,
    Contains,
    StartsWith,
}

/// A site's own word for a source. The first rule that fits wins; case does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRule {
    pub field: RuleField,
    pub op: RuleOp,
    pub value: String,
    pub source: String,
    #[serde(default)]
    pub medium: Option<String>,
}

impl SourceRule {
    fn fits(&self, origin: &Origin, by_referrer: bool) -> bool {
        let value = self.value.trim().to_lowercase();
        if value.is_empty() {
            return false;
        }
        let fits = |text: &str| {
            let text = text.to_lowercase();
            match self.op {
                RuleOp::Is => text == value,
                RuleOp::Contains => text.contains(&value),
                RuleOp::StartsWith => text.starts_with(&value),
            }
        };
        let raw = |text: &Option<String>| text.as_deref().is_some_and(fits);
        match self.field {
            RuleField::Source => fits(&origin.source) || raw(&origin.raw_source),
            RuleField::Medium => fits(&origin.medium) || raw(&origin.raw_medium),
            RuleField::Host => by_referrer && raw(&origin.referrer_host),
            RuleField::Campaign => raw(&origin.campaign),
        }
    }
}

/// Where the visit came from. `site_domains` are the site's own (each covers its subdomains).
pub fn classify(utm: &Utm, clicks: &ClickIds, referrer: Option<&str>, site_domains: &[&str], rules: &[SourceRule]) -> Origin {
    let raw_source = utm.source.as_deref().and_then(kept);
    let raw_medium = utm.medium.as_deref().and_then(kept);
    let campaign = utm.campaign.as_deref().and_then(kept);
    let host = referrer.and_then(|r| foreign_host(r, site_domains));
    let click = clicks.iter().find_map(|(kind, _)| kind.origin());
    let place = host.as_deref().map(by_referrer);
    let weak = clicks.iter().find_map(|(kind, _)| kind.last_resort());

    let named = raw_source.as_deref().map(normal_source);
    let medium = raw_medium.as_deref().map(normal_medium);
    let has_campaign = medium.is_some() || campaign.is_some();
    let is_by_referrer = named.is_none() && click.is_none() && place.is_some();

    let (source, medium) = match (named, click) {
        (Some(source), click) => {
            let medium = medium.or(click.map(|(_, medium)| medium.to_owned())).unwrap_or_else(|| medium_of(&source).to_owned());
            (source, medium)
        }
        (None, Some((source, own))) => (source.to_owned(), medium.unwrap_or_else(|| own.to_owned())),
        (None, None) => match (place, weak) {
            (Some((source, own)), _) => (source, medium.unwrap_or(own)),
            (None, Some((source, own))) => (source.to_owned(), medium.unwrap_or_else(|| own.to_owned())),
            (None, None) if has_campaign => (NOT_SET.to_owned(), medium.unwrap_or_else(|| NOT_SET.to_owned())),
            (None, None) => (DIRECT.to_owned(), NO_MEDIUM.to_owned()),
        },
    };

    let mut origin = Origin {
        is_direct: source == DIRECT && medium == NO_MEDIUM,
        source,
        medium,
        campaign,
        term: utm.term.as_deref().and_then(kept),
        content: utm.content.as_deref().and_then(kept),
        raw_source,
        raw_medium,
        click: clicks.first().map(|(kind, _)| kind),
        referrer_host: host,
    };
    if !origin.is_direct
        && let Some(rule) = rules.iter().find(|rule| rule.fits(&origin, is_by_referrer))
    {
        if let Some(source) = kept(&rule.source) {
            origin.source = source.to_lowercase();
        }
        if let Some(medium) = rule.medium.as_deref().and_then(kept) {
            origin.medium = medium.to_lowercase();
        }
    }
    origin
}

/// True if the second visit only repeats the first one's campaign; within 30 minutes that is one touch.
pub fn same_campaign(a: &Origin, b: &Origin) -> bool {
    let same = |a: &Option<String>, b: &Option<String>| a.as_deref().map(str::to_lowercase) == b.as_deref().map(str::to_lowercase);
    a.is_direct == b.is_direct && a.source == b.source && a.medium == b.medium && same(&a.campaign, &b.campaign)
}

/// The normalised word for a source that people or platforms write in many ways.
pub fn normal_source(raw: &str) -> String {
    let lower = clean_text(raw, MAX_TEXT).to_lowercase();
    match lower.as_str() {
        "(direct)" | DIRECT | "none" | NO_MEDIUM => return DIRECT.to_owned(),
        "" | "null" | "undefined" => return NOT_SET.to_owned(),
        _ => {}
    }
    match referrers::by_word(&lower) {
        Some(place) => place.name.to_owned(),
        None => lower.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(&lower).to_owned(),
    }
}

/// The normalised word for a medium. Only spellings are joined; `ppc` stays `ppc`.
pub fn normal_medium(raw: &str) -> String {
    let lower = clean_text(raw, MAX_TEXT).to_lowercase();
    let word = match lower.as_str() {
        "" | "null" | "undefined" => NOT_SET,
        "none" | NO_MEDIUM => NO_MEDIUM,
        "e-mail" | "e_mail" | "e mail" | "emails" => "email",
        "paid-social" | "paid social" | "paidsocial" | "paid+social" | "social_paid" | "social-paid" | "socialpaid" => "paid_social",
        "social-network" | "social network" | "social_network" | "social-media" | "social media" | "social_media" | "sm"
        | "organic_social" | "organic-social" | "organic social" | "organicsocial" => "social",
        "affiliates" => "affiliate",
        "referrer" | "referer" => "referral",
        _ => return lower,
    };
    word.to_owned()
}

fn foreign_host(referrer: &str, site_domains: &[&str]) -> Option<String> {
    let host = host_of(referrer)?;
    let is_own = site_domains.iter().any(|domain| is_under(&host, domain));
    (!is_own && !referrers::is_never_referrer(&host)).then_some(host)
}

fn is_under(host: &str, domain: &str) -> bool {
    let domain = domain.trim().trim_end_matches('.').to_lowercase();
    let domain = domain.strip_prefix("www.").unwrap_or(&domain);
    !domain.is_empty() && host.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

fn by_referrer(host: &str) -> (String, String) {
    match referrers::by_host(host) {
        Some(place) => (place.name.to_owned(), place.class.medium().to_owned()),
        None => (host.strip_prefix("www.").unwrap_or(host).to_owned(), "referral".to_owned()),
    }
}

/// ChatGPT and others add a `utm_source` alone: what kind of place it is says the medium.
fn medium_of(source: &str) -> &'static str {
    if source == DIRECT {
        return NO_MEDIUM;
    }
    referrers::by_word(source).map_or(NOT_SET, |place| place.class.medium())
}

/// A click kind in stored JSON is its parameter name.
mod click_name {
    use super::ClickKind;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(kind: &Option<ClickKind>, to: S) -> Result<S::Ok, S::Error> {
        match kind {
            Some(kind) => to.serialize_str(kind.name()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ClickKind>, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        Ok(name.as_deref().and_then(ClickKind::from_name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `source=… medium=… campaign=… gclid=… from=referrer`, blanks as `+`.
    fn origin(given: &str, rules: &[SourceRule]) -> Origin {
        let mut utm = Utm::default();
        let mut clicks = ClickIds::new();
        let mut referrer = None;
        for part in given.split_whitespace() {
            let (name, value) = part.split_once('=').expect("rows are written name=value");
            let value = value.replace('+', " ");
            match name {
                "source" => utm.source = Some(value),
                "medium" => utm.medium = Some(value),
                "campaign" => utm.campaign = Some(value),
                "from" => referrer = Some(value),
                _ => assert!(clicks.add(ClickKind::from_name(name).expect("a known click id"), &value)),
            }
        }
        classify(&utm, &clicks, referrer.as_deref(), &["shop.example", "www.second.example"], rules)
    }

    #[track_caller]
    fn check(given: &str, source: &str, medium: &str) {
        let got = origin(given, &[]);
        assert_eq!((got.source.as_str(), got.medium.as_str()), (source, medium), "{given}");
        assert_eq!(got.is_direct, source == "direct" && medium == "(none)", "{given}");
    }

    #[test]
    fn sources() {
        for (given, source, medium) in [
            ("", "direct", "(none)"),
            // click ids
            ("gclid=x", "google", "cpc"),
            ("gbraid=x", "google", "cpc"),
            ("wbraid=x", "google", "cpc"),
            ("dclid=x", "google", "display"),
            ("fbclid=x", "facebook", "paid_social"),
            ("ttclid=x", "tiktok", "cpc"),
            ("msclkid=x", "bing", "cpc"),
            ("twclid=x", "twitter", "paid_social"),
            ("li_fat_id=x", "linkedin", "paid_social"),
            ("epik=x", "pinterest", "paid_social"),
            ("sccid=x", "snapchat", "paid_social"),
            ("rdt_cid=x", "reddit", "paid_social"),
            ("irclickid=x", "impact", "affiliate"),
            ("at_gd=x", "anytrack", "affiliate"),
            ("halo_click=clk_1", "link", "referral"),
            ("at_gd=x from=https://m.facebook.com/", "facebook", "social"),
            ("fbclid=x from=https://www.google.com/", "facebook", "paid_social"),
            ("fbclid=x gclid=y", "google", "cpc"),
            // UTMs
            ("source=partner medium=Banner gclid=x from=https://www.google.com/", "partner", "banner"),
            ("source=newsletter", "newsletter", "(not set)"),
            ("source=chatgpt.com", "chatgpt", "ai"),
            ("source=google gclid=x", "google", "cpc"),
            ("medium=ppc gclid=x", "google", "ppc"),
            ("medium=email", "(not set)", "email"),
            ("campaign=spring", "(not set)", "(not set)"),
            ("campaign=spring from=https://www.bing.com/", "bing", "organic"),
            ("medium=E-Mail from=https://mail.google.com/", "gmail", "email"),
            ("source=(direct) medium=(none)", "direct", "(none)"),
            ("source=direct", "direct", "(none)"),
            ("source=FB medium=Paid+Social", "facebook", "paid_social"),
            ("source=m.facebook.com medium=cpc", "facebook", "cpc"),
            ("source=www.Partner.org medium=cpc", "partner.org", "cpc"),
            ("source=+\u{202e}News\u{0}+", "news", "(not set)"),
            ("source=+ medium=+", "direct", "(none)"),
            // referrers
            ("from=https://www.google.com/", "google", "organic"),
            ("from=https://l.instagram.com/", "instagram", "social"),
            ("from=https://m.facebook.com/", "facebook", "social"),
            ("from=https://chatgpt.com/", "chatgpt", "ai"),
            ("from=https://www.youtube.com/watch", "youtube", "video"),
            ("from=https://stranger.org/page?x=1", "stranger.org", "referral"),
            ("from=https://www.stranger.org:8443/", "stranger.org", "referral"),
            ("from=https://blog.stranger.org", "blog.stranger.org", "referral"),
            ("from=stranger.org/page", "stranger.org", "referral"),
            ("from=https://münchen.example/", "xn--mnchen-3ya.example", "referral"),
            ("from=android-app://com.google.android.gm/", "gmail", "email"),
            ("from=android-app://com.google.android.googlequicksearchbox", "google", "organic"),
            ("from=android-app://org.unknown.app/", "org.unknown.app", "referral"),
            ("from=ios-app://389801252/", "instagram", "social"),
            ("from=https://docs.google.com/document", "docs.google.com", "referral"),
            // never a referrer
            ("from=https://www.paypal.com/checkoutnow", "direct", "(none)"),
            ("from=https://checkout.stripe.com/pay/x", "direct", "(none)"),
            ("from=https://accounts.google.com/signin", "direct", "(none)"),
            ("from=https://shop.example/cart", "direct", "(none)"),
            ("from=https://www.shop.example/", "direct", "(none)"),
            ("from=https://pay.second.example/", "direct", "(none)"),
            ("from=https://notshop.example/", "notshop.example", "referral"),
            // not an address
            ("from=http://[", "direct", "(none)"),
            ("from=about:blank", "direct", "(none)"),
            ("from=data:text/html,x", "direct", "(none)"),
            ("from=http://localhost:3000/", "direct", "(none)"),
            ("from=jo@mail.example", "direct", "(none)"),
            ("from=+", "direct", "(none)"),
        ] {
            check(given, source, medium);
        }
    }

    #[test]
    fn raw_words_and_the_click_are_kept() {
        let got = origin("source=FB medium=CPC campaign=Spring gclid=x from=https://www.google.com/a", &[]);
        assert_eq!(got.raw_source.as_deref(), Some("FB"));
        assert_eq!(got.raw_medium.as_deref(), Some("CPC"));
        assert_eq!(got.campaign.as_deref(), Some("Spring"));
        assert_eq!(got.click, Some(ClickKind::Gclid));
        assert_eq!(got.referrer_host.as_deref(), Some("www.google.com"));
        let json = serde_json::to_string(&got).expect("plain fields");
        assert!(json.contains(r#""click":"gclid""#), "{json}");
        assert_eq!(serde_json::from_str::<Origin>(&json).expect("what was just written"), got);
    }

    #[test]
    fn rules_of_the_site() {
        let rules: Vec<SourceRule> = serde_json::from_str(
            r#"[{"field":"host","op":"contains","value":"Partner","source":"Partner Net","medium":"affiliate"},
                {"field":"source","op":"starts_with","value":"nl-","source":"newsletter","medium":"email"},
                {"field":"campaign","op":"is","value":"fair","source":"fair"},
                {"field":"medium","op":"is","value":"","source":"never"}]"#,
        )
        .expect("rules as the dashboard stores them");
        for (given, source, medium) in [
            ("from=https://my.partner.org/", "partner net", "affiliate"),
            ("source=x from=https://my.partner.org/", "twitter", "social"),
            ("source=NL-2026 medium=mail", "newsletter", "email"),
            ("source=qr medium=print campaign=FAIR", "fair", "print"),
            ("", "direct", "(none)"),
        ] {
            let got = origin(given, &rules);
            assert_eq!((got.source.as_str(), got.medium.as_str()), (source, medium), "{given}");
        }
    }

    #[test]
    fn one_campaign() {
        for (a, b, same) in [
            ("source=news campaign=A", "source=News campaign=a", true),
            ("source=news campaign=a", "source=news campaign=b", false),
            ("source=fb medium=cpc", "source=facebook.com medium=cpc", true),
            ("gclid=x", "source=google medium=cpc", true),
            ("", "", true),
            ("", "gclid=x", false),
        ] {
            assert_eq!(same_campaign(&origin(a, &[]), &origin(b, &[])), same, "{a} | {b}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(a in ".{0,40}", b in ".{0,40}", from in "\\PC{0,40}", tail in "[a-z:/.@\\[\\]%]{0,30}") {
            let utm = Utm { source: Some(a.clone()), medium: Some(b), campaign: Some(a), ..Utm::default() };
            for referrer in [&from, &tail, &format!("http://{tail}"), &format!("android-app://{from}")] {
                let got = classify(&utm, &ClickIds::new(), Some(referrer), &[&tail], &[]);
                prop_assert!(!got.source.is_empty() && !got.medium.is_empty());
                let bare = classify(&Utm::default(), &ClickIds::new(), Some(referrer), &[], &[]);
                prop_assert!(!bare.source.is_empty() && bare.source == bare.source.to_lowercase());
            }
        }
    }
}
