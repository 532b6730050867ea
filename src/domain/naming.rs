//! Why a visit is called what it is called: what of its link or its referrer decides, by which list, and which of the site's
//! rules come after.

use super::campaign::referrers::{self, Class};
use super::campaign::{ClickIds, NOT_SET, Origin, Utm, classify, host_of};
use super::channel::channel;
use super::host;
use super::rule::{Renamed, Rules, Spelling};

/// What decides, and a sentence that says how.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// `link`, `click_id`, `referrer`, `list`, `ignored` or `nothing`.
    pub by: &'static str,
    pub text: String,
}

/// The names under which it is shown, and the rules that led there.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub source: String,
    pub medium: String,
    pub campaign: String,
    pub channel: &'static str,
    pub rules: Vec<Spelling>,
}

/// Where a visit came from, with the reasons in the order in which they are asked.
pub fn explained(utm: &Utm, clicks: &ClickIds, referrer: Option<&str>, site_domains: &[&str]) -> (Origin, Vec<Reason>) {
    let origin = classify(utm, clicks, referrer, site_domains, &[]);
    let mut reasons = Vec::new();
    let mut say = |by: &'static str, text: String| reasons.push(Reason { by, text });
    let click = clicks.iter().find(|(kind, _)| kind.origin().is_some()).map(|(kind, _)| kind);
    let host = referrer.and_then(host_of);
    if let Some(raw) = &origin.raw_source {
        say("link", format!("The link names the source: utm_source={raw}."));
        match referrers::by_word(&raw.to_lowercase()) {
            Some(place) if place.name != raw => {
                say("list", format!("“{raw}” is a spelling of {}, one of the {}.", place.title, of(place.class)))
            }
            Some(place) => say("list", format!("{} is one of the {}.", place.title, of(place.class))),
            None if origin.source != *raw => say("list", format!("Capitals and www. are left out: {}.", origin.source)),
            None => {}
        }
    } else if let Some(kind) = click {
        say("click_id", format!("The link carries {}, the click id of {}.", kind.name(), title(&origin.source)));
    } else if let Some(host) = &origin.referrer_host {
        match referrers::by_host(host) {
            Some(place) => say("list", format!("The page before was on {host}: {}, one of the {}.", place.title, of(place.class))),
            None => say("referrer", format!("The page before was on {host}, which stands on no list: it is a source of its own.")),
        }
    } else if origin.is_direct {
        let ignored = host.as_ref().map(|host| match site_domains.iter().any(|d| host::is_under(host, d)) {
            true => format!("{host} is a page of your own: no source."),
            false => format!("{host} is a payment or sign-in page: never a source."),
        });
        if let Some(text) = ignored {
            say("ignored", text);
        }
        say("nothing", "Nothing says where it came from: direct.".into());
    } else if origin.source == NOT_SET {
        say("link", "The link names a campaign and no source.".into());
    } else {
        say("click_id", format!("Only its click id is left to go by: {}.", origin.source));
    }
    match &origin.raw_medium {
        Some(raw) if *raw != origin.medium => say("list", format!("utm_medium={raw} is a spelling of {}.", origin.medium)),
        Some(raw) => say("link", format!("The link names the medium: utm_medium={raw}.")),
        None if origin.is_direct || origin.medium == NOT_SET => {}
        None => say("list", format!("Without utm_medium, such a visit is {}.", origin.medium)),
    }
    (origin, reasons)
}

/// Under the site's rules.
pub fn shown(origin: &Origin, all: &[Spelling]) -> Shown {
    let rules = Rules::of(all.iter());
    let campaign = origin.campaign.clone().unwrap_or_default();
    let (source, medium, shown_campaign) = rules.named(&origin.source, &origin.medium, &campaign);
    let mut followed = Vec::new();
    for (dimension, name) in [(Renamed::Source, &origin.source), (Renamed::Medium, &origin.medium), (Renamed::Campaign, &campaign)] {
        follow(all, dimension, name, source, &mut followed);
    }
    Shown {
        channel: channel(source, medium, (!shown_campaign.is_empty()).then_some(shown_campaign)),
        source: source.to_owned(),
        medium: medium.to_owned(),
        campaign: shown_campaign.to_owned(),
        rules: followed,
    }
}

/// A rule of one source goes before a rule of all, as where names are shown.
fn follow(all: &[Spelling], dimension: Renamed, name: &str, source: &str, followed: &mut Vec<Spelling>) {
    let mut name = name.to_owned();
    for _ in 0..all.len() {
        let fits = |s: &&Spelling| s.dimension == dimension && s.from == name;
        let own = all.iter().filter(fits).find(|s| s.within.as_deref() == Some(source) && dimension != Renamed::Source);
        let Some(rule) = own.or_else(|| all.iter().filter(fits).find(|s| s.within.is_none())) else { return };
        name.clone_from(&rule.to);
        followed.push(rule.clone());
    }
}

fn of(class: Class) -> &'static str {
    match class {
        Class::Search => "search engines",
        Class::Social => "social networks and messengers",
        Class::Video => "video sites",
        Class::Shopping => "shopping sites",
        Class::Email => "mail programs",
        Class::Ai => "AI assistants",
        Class::Ads => "advertising networks",
    }
}

fn title(source: &str) -> &str {
    referrers::by_word(source).map_or(source, |place| place.title)
}

#[cfg(test)]
mod tests {
    use super::super::campaign::landing;
    use super::*;

    fn told(page: &str, referrer: &str) -> (String, Vec<&'static str>) {
        let landed = landing(page, &[]);
        let (origin, reasons) = explained(&landed.utm, &landed.clicks, Some(referrer).filter(|r| !r.is_empty()), &["shop.example"]);
        (format!("{} / {}", origin.source, origin.medium), reasons.iter().map(|r| r.by).collect())
    }

    #[test]
    fn each_way_is_said() {
        for (page, referrer, want, by) in [
            ("/?utm_source=FB&utm_medium=Paid-Social", "", "facebook / paid_social", vec!["link", "list", "list"]),
            ("/?utm_source=newsletter&utm_medium=email", "", "newsletter / email", vec!["link", "link"]),
            ("/?gclid=abc", "", "google / cpc", vec!["click_id", "list"]),
            ("/", "https://l.instagram.com/x", "instagram / social", vec!["list", "list"]),
            ("/", "https://blog.example.org/x", "blog.example.org / referral", vec!["referrer", "list"]),
            ("/", "https://www.shop.example/cart", "direct / (none)", vec!["ignored", "nothing"]),
            ("/", "", "direct / (none)", vec!["nothing"]),
            ("/?utm_campaign=x", "", "(not set) / (not set)", vec!["link"]),
        ] {
            assert_eq!(told(page, referrer), (want.to_owned(), by), "{page} {referrer}");
        }
    }

    #[test]
    fn the_rules_that_led_there_are_told_in_their_order() {
        let rule = |dimension, from: &str, to: &str, within| Spelling::new(dimension, from, to, within).expect("a rule");
        let all = [
            rule(Renamed::Source, "facebok", "facebook", None),
            rule(Renamed::Source, "facebook", "meta", None),
            rule(Renamed::Medium, "cpc", "paid", None),
            rule(Renamed::Medium, "cpc", "paid_social", Some("meta")),
        ];
        let landed = landing("/?utm_source=facebok&utm_medium=cpc&utm_campaign=Spring", &[]);
        let (origin, _) = explained(&landed.utm, &landed.clicks, None, &[]);
        let named = shown(&origin, &all);
        assert_eq!((named.source.as_str(), named.medium.as_str(), named.campaign.as_str()), ("meta", "paid_social", "Spring"));
        assert_eq!(named.channel, "Paid Social");
        assert_eq!(named.rules.iter().map(|s| s.to.as_str()).collect::<Vec<_>>(), ["facebook", "meta", "paid_social"]);
        assert_eq!(shown(&origin, &[]).rules, []);
    }
}
