//! Where a visit came from: UTMs, click ids and a referrer become one normalised source and medium.
//!
//! Order of belief: UTMs, then click ids, then the referrer's host, then the site's own rules on top. The raw words are
//! kept beside the normalised ones, so a rule added later can be checked against what was really sent.

use serde::{Deserialize, Serialize};

use super::landing::kept;
pub use super::landing::{Landing, landing};
use super::referrers;

/// The source of a visit that names none.
pub const DIRECT: &str = "direct";
/// The medium of a direct visit.
pub const NO_MEDIUM: &str = "(none)";
/// A campaign that names no source or no medium is not direct; GA4 shows it with these words too.
pub const NOT_SET: &str = "(not set)";
/// Longest text field, in characters.
pub const MAX_TEXT: usize = 255;
/// Longest click id, in bytes.
pub const MAX_CLICK_ID: usize = 512;

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

/// A click identifier that an ad platform (or our own link) puts on the landing URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClickKind {
    Gclid,
    Gbraid,
    Wbraid,
    Dclid,
    Fbclid,
    Ttclid,
    Msclkid,
    Twclid,
    LiFatId,
    Epik,
    ScCid,
    RdtCid,
    Irclickid,
    AtGd,
    HaloClick,
}

impl ClickKind {
    /// In order of belief: where one URL carries several, the first names the source.
    pub const ALL: [ClickKind; 15] = [
        ClickKind::Gclid,
        ClickKind::Gbraid,
        ClickKind::Wbraid,
        ClickKind::Dclid,
        ClickKind::Fbclid,
        ClickKind::Ttclid,
        ClickKind::Msclkid,
        ClickKind::Twclid,
        ClickKind::LiFatId,
        ClickKind::Epik,
        ClickKind::ScCid,
        ClickKind::RdtCid,
        ClickKind::Irclickid,
        ClickKind::AtGd,
        ClickKind::HaloClick,
    ];

    /// The URL parameter, as the platform spells it.
    pub fn name(self) -> &'static str {
        match self {
            ClickKind::Gclid => "gclid",
            ClickKind::Gbraid => "gbraid",
            ClickKind::Wbraid => "wbraid",
            ClickKind::Dclid => "dclid",
            ClickKind::Fbclid => "fbclid",
            ClickKind::Ttclid => "ttclid",
            ClickKind::Msclkid => "msclkid",
            ClickKind::Twclid => "twclid",
            ClickKind::LiFatId => "li_fat_id",
            ClickKind::Epik => "epik",
            ClickKind::ScCid => "ScCid",
            ClickKind::RdtCid => "rdt_cid",
            ClickKind::Irclickid => "irclickid",
            ClickKind::AtGd => "at_gd",
            ClickKind::HaloClick => "halo_click",
        }
    }

    /// Only Snapchat's parameter is met in several spellings of case.
    pub fn from_name(name: &str) -> Option<ClickKind> {
        ClickKind::ALL.into_iter().find(|kind| {
            if *kind == ClickKind::ScCid { name.eq_ignore_ascii_case(kind.name()) } else { name == kind.name() }
        })
    }

    /// Source and medium that the click proves by itself; None for a click id that only relays another platform's
    /// click (AnyTrack) or our own short link, which carries UTMs where its maker knew better.
    pub fn origin(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            ClickKind::Gclid | ClickKind::Gbraid | ClickKind::Wbraid => ("google", "cpc"),
            ClickKind::Dclid => ("google", "display"),
            ClickKind::Fbclid => ("facebook", "paid_social"),
            ClickKind::Ttclid => ("tiktok", "cpc"),
            ClickKind::Msclkid => ("bing", "cpc"),
            ClickKind::Twclid => ("twitter", "paid_social"),
            ClickKind::LiFatId => ("linkedin", "paid_social"),
            ClickKind::Epik => ("pinterest", "paid_social"),
            ClickKind::ScCid => ("snapchat", "paid_social"),
            ClickKind::RdtCid => ("reddit", "paid_social"),
            ClickKind::Irclickid => ("impact", "affiliate"),
            ClickKind::AtGd | ClickKind::HaloClick => return None,
        })
    }

    /// Source and medium where neither UTMs, other clicks nor the referrer say more.
    fn last_resort(self) -> Option<(&'static str, &'static str)> {
        match self {
            ClickKind::AtGd => Some(("anytrack", "affiliate")),
            ClickKind::HaloClick => Some(("link", "referral")),
            _ => None,
        }
    }
}

/// Click ids of one visit, at most one of each kind, in order of belief. Values are never altered: platforms compare
/// them letter by letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClickIds(Vec<(ClickKind, String)>);

impl ClickIds {
    pub fn new() -> ClickIds {
        ClickIds::default()
    }

    /// Keeps the value unless one of that kind is there already. False for a value that no platform can have made:
    /// empty, over 512 bytes, or with blanks or control characters inside.
    pub fn add(&mut self, kind: ClickKind, value: &str) -> bool {
        let value = value.trim();
        if value.is_empty() || value.len() > MAX_CLICK_ID || value.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return false;
        }
        if let Err(at) = self.0.binary_search_by_key(&kind, |(kind, _)| *kind) {
            self.0.insert(at, (kind, value.to_owned()));
        }
        true
    }

    pub fn get(&self, kind: ClickKind) -> Option<&str> {
        self.iter().find(|(k, _)| *k == kind).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (ClickKind, &str)> {
        self.0.iter().map(|(kind, value)| (*kind, value.as_str()))
    }

    /// The click that says most, with its value.
    pub fn first(&self) -> Option<(ClickKind, &str)> {
        self.iter().next()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the kinds that `self` lacks.
    pub fn or(mut self, other: ClickIds) -> ClickIds {
        for (kind, value) in other.iter() {
            self.add(kind, value);
        }
        self
    }

    /// True if both hold the same value of the same kind: one click, however often the page is opened.
    pub fn shares_click(&self, other: &ClickIds) -> bool {
        self.iter().any(|(kind, value)| other.get(kind) == Some(value))
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

    pub fn or(self, other: AdIds) -> AdIds {
        AdIds {
            utm_id: self.utm_id.or(other.utm_id),
            campaign_id: self.campaign_id.or(other.campaign_id),
            adset_id: self.adset_id.or(other.adset_id),
            ad_id: self.ad_id.or(other.ad_id),
        }
    }
}

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
pub fn classify(
    utm: &Utm,
    clicks: &ClickIds,
    referrer: Option<&str>,
    site_domains: &[&str],
    rules: &[SourceRule],
) -> Origin {
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
            let medium = medium
                .or(click.map(|(_, medium)| medium.to_owned()))
                .unwrap_or_else(|| medium_of(&source).to_owned());
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
    let same = |a: &Option<String>, b: &Option<String>| {
        a.as_deref().map(str::to_lowercase) == b.as_deref().map(str::to_lowercase)
    };
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
        "paid-social" | "paid social" | "paidsocial" | "paid+social" | "social_paid" | "social-paid" | "socialpaid" => {
            "paid_social"
        }
        "social-network" | "social network" | "social_network" | "social-media" | "social media" | "social_media"
        | "sm" | "organic_social" | "organic-social" | "organic social" | "organicsocial" => "social",
        "affiliates" => "affiliate",
        "referrer" | "referer" => "referral",
        _ => return lower,
    };
    word.to_owned()
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
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{061c}' | '\u{feff}')
}

fn foreign_host(referrer: &str, site_domains: &[&str]) -> Option<String> {
    let host = host_of(referrer)?;
    let is_own = site_domains.iter().any(|domain| is_under(&host, domain));
    (!is_own && !referrers::is_never_referrer(&host)).then_some(host)
}

fn is_under(host: &str, domain: &str) -> bool {
    let domain = domain.trim().trim_end_matches('.').to_lowercase();
    let domain = domain.strip_prefix("www.").unwrap_or(&domain);
    !domain.is_empty()
        && host.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
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

    #[test]
    fn click_ids() {
        let mut a = ClickIds::new();
        assert!(a.add(ClickKind::Fbclid, " IwAR0 ") && a.add(ClickKind::Gclid, "g"));
        assert!(!a.add(ClickKind::Ttclid, "") && !a.add(ClickKind::Ttclid, &"t".repeat(513)));
        assert_eq!(a.first(), Some((ClickKind::Gclid, "g")));
        assert_eq!(a.get(ClickKind::Fbclid), Some("IwAR0"));
        let mut b = ClickIds::new();
        b.add(ClickKind::Gclid, "other");
        assert!(!a.shares_click(&b));
        let both = b.clone().or(a.clone());
        assert!(both.shares_click(&a) && both.shares_click(&b));
    }

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
