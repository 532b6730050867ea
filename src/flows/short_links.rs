//! Short links: made, changed, followed. Following one waits for nothing: what was clicked is written down behind it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::json;
use url::form_urlencoded;

use crate::app::App;
use crate::book::OpenLink;
use crate::crypto;
use crate::domain::affiliate;
use crate::domain::campaign::ClickKind;
use crate::domain::ids::{LinkId, SiteId};
use crate::domain::link::{self, LONGEST_LABEL, MOST_LINKS, Way, Words};
use crate::domain::storage::Burden;
use crate::domain::time::{DAY_MS, Time};
use crate::domain::vocabulary;
use crate::error::{Error, Kind, Result};
use crate::flows::partner_clicks::{self, At};
use crate::flows::session_id::SessionKey;
use crate::flows::{affiliates, click_id};
use crate::limits::text_key;
use crate::store::audit;
use crate::store::questions::links::{self as asked, KnownWords};
use crate::store::short_links::{self, Click, PartnerClick, ShortLink};
use crate::store::sites::Site;

/// Letters of a code: none that is taken for another one when it is typed from paper.
const LETTERS: &[u8; 55] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// 55^7: at the rate that one network may ask, a guess that hits takes thousands of years.
const CODE_LETTERS: usize = 7;
/// Clicks of one change: the writer serves others between two.
const CLICKS_A_CHANGE: usize = 1_000;
/// Words of visits so far back are offered.
const KNOWN_MS: i64 = 90 * DAY_MS;

/// A link as somebody wants it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wish {
    pub to: String,
    pub utm_source: Option<String>,
    pub utm_medium: Option<String>,
    pub utm_campaign: Option<String>,
    pub utm_term: Option<String>,
    pub utm_content: Option<String>,
    pub affiliate: Option<String>,
    pub label: Option<String>,
}

/// What a wish comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub target: String,
    pub words: Words,
    pub label: Option<String>,
    /// The address with our words in it.
    pub to: String,
}

/// A word that nearly repeats a known one.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    pub field: &'static str,
    pub said: String,
    pub known: String,
}

/// Reads a wish without doing anything. The code of a partner is one that somebody has.
pub async fn plan(app: &App, site: &Site, wish: &Wish) -> Result<Planned> {
    let word = |field: &str, text: &Option<String>| match text {
        Some(text) => link::read_word(field, text),
        None => Ok(None),
    };
    let target = link::read_target(&wish.to, &site.domains)?;
    let words = Words {
        utm: crate::domain::campaign::Utm {
            source: word("utm_source", &wish.utm_source)?,
            medium: word("utm_medium", &wish.utm_medium)?,
            campaign: word("utm_campaign", &wish.utm_campaign)?,
            term: word("utm_term", &wish.utm_term)?,
            content: word("utm_content", &wish.utm_content)?,
        },
        affiliate: match word("affiliate", &wish.affiliate)? {
            Some(code) => Some(app.store.read(site.id, move |c| affiliates::code_of_link(c, &code)).await?),
            None => None,
        },
    };
    let to =
        Way::new(&target, &words, &site.domains).ok_or_else(|| Error::invalid("to", "A link leads to a page of the site itself."))?.plain();
    Ok(Planned { target, words, label: read_label(wish.label.as_deref())?, to })
}

/// A name with something in it, on one line; empty is none.
pub fn read_label(text: Option<&str>) -> Result<Option<String>> {
    let label = text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    if label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control) {
        return Err(Error::invalid("label", format!("A name has at most {LONGEST_LABEL} characters.")));
    }
    Ok((!label.is_empty()).then_some(label))
}

/// The words that the site's links and visits know.
pub async fn known_words(app: &App, site: &Site) -> Result<KnownWords> {
    let since = site.zone.day(app.clock.now().plus_ms(-KNOWN_MS));
    app.store.read(site.id, move |c| asked::words(c, since)).await
}

/// Words of a plan that nearly repeat known ones.
pub fn doubts(words: &Words, known: &KnownWords) -> Vec<Doubt> {
    let fields = [
        ("utm_source", &words.utm.source, &known.source),
        ("utm_medium", &words.utm.medium, &known.medium),
        ("utm_campaign", &words.utm.campaign, &known.campaign),
        ("utm_term", &words.utm.term, &known.term),
        ("utm_content", &words.utm.content, &known.content),
    ];
    let doubt = |(field, said, known): (&'static str, &Option<String>, &BTreeMap<String, asked::KnownWord>)| {
        let said = said.as_ref()?;
        let mut all: Vec<(&str, i64)> = known.iter().map(|(word, n)| (word.as_str(), n.visits + n.links)).collect();
        // The one that is used most is the one that is meant.
        all.sort_by_key(|(word, uses)| (-uses, *word));
        let all: Vec<&str> = all.into_iter().map(|(word, _)| word).collect();
        let known = vocabulary::twin(said, &all)?.to_owned();
        Some(Doubt { field, said: said.clone(), known })
    };
    fields.into_iter().filter_map(doubt).collect()
}

pub async fn add(app: &App, site: &Site, planned: &Planned, who: &str) -> Result<ShortLink> {
    let now = app.clock.now();
    let (planned, who) = (planned.clone(), who.to_owned());
    let made = app
        .store
        .write(site.id, move |c| {
            if short_links::count(c)? >= MOST_LINKS {
                return Err(Error::new(Kind::Conflict, "too_many_links", format!("A site has at most {MOST_LINKS} links.")));
            }
            let Planned { target, words, label, .. } = &planned;
            // From where it was asked stands in the audit log, and goes with it.
            let maker = who.split_once(audit::FROM).map_or(who.as_str(), |(maker, _)| maker);
            // A code that is taken already is met once in a million years; twice is a fault of the randomness.
            for _ in 0..4 {
                if let Some(made) = short_links::add(c, &new_code(), target, words, label.as_deref(), maker, now)? {
                    audit::add(c, &who, "link_added", &json!({"link": made.id, "to": target}), now)?;
                    return Ok(made);
                }
            }
            Err(Error::internal("no free code was found"))
        })
        .await?;
    app.refresh().await?;
    Ok(made)
}

/// What may be changed of a link. Where it leads stays: click ids and printed codes point there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// `Some(None)` takes the name away.
    pub label: Option<Option<String>>,
    /// Ends it, or opens it again.
    pub is_ended: Option<bool>,
}

pub async fn change(app: &App, site: SiteId, id: LinkId, changes: Changes, who: &str) -> Result<ShortLink> {
    let (now, who) = (app.clock.now(), who.to_owned());
    let changed = app
        .store
        .write(site, move |c| {
            let mut link = short_links::find(c, id)?.ok_or_else(|| Error::not_found(format!("There is no {id} on this site.")))?;
            if let Some(label) = changes.label {
                link.label = label;
            }
            match changes.is_ended {
                Some(true) => link.ended_at = link.ended_at.or(Some(now)),
                Some(false) => link.ended_at = None,
                None => {}
            }
            short_links::change(c, &link)?;
            let told = json!({"link": id, "label": link.label, "is_ended": link.ended_at.is_some()});
            audit::add(c, &who, "link_changed", &told, now)?;
            Ok(link)
        })
        .await?;
    app.refresh().await?;
    Ok(changed)
}

/// What a click brings along.
#[derive(Debug, Clone, Default)]
pub struct Follower<'a> {
    /// As it came, without the question mark.
    pub query: &'a str,
    pub is_bot: bool,
    /// Looked at, but not opened by anybody yet: HEAD, a prefetch.
    pub is_look: bool,
    pub referrer: Option<String>,
    pub country: Option<String>,
    pub device: &'static str,
    /// Looked at for bursts of clicks, and not kept.
    pub network: Option<IpAddr>,
    /// Whose browser it is, where its cookie is seen on this host.
    pub browser: Option<SessionKey>,
}

/// Where a click goes. Bots get no click id: nothing that they do is anybody's visit.
pub fn follow(app: &App, open: &OpenLink, follower: Follower, now: Time) -> String {
    let OpenLink { link, site, way } = open;
    let id = if follower.is_bot { None } else { click_id::issue(link.id, now, &site.keys.session) };
    let to = way.with(follower.query, id.as_deref());
    if follower.is_look {
        return to;
    }
    let partner = if follower.is_bot { None } else { partner_click(app, open, &follower, now) };
    let click = Click {
        link: link.id,
        at: now,
        day: site.zone.day(now),
        id,
        referrer: follower.referrer,
        country: follower.country,
        device: follower.device,
        partner,
    };
    app.figures.add("link_clicks", if follower.is_bot { "bot" } else { "person" });
    if !app.clicks.add(site.id, click) {
        app.figures.add("link_clicks_dropped", "queue_full");
    }
    to
}

/// What the click is to the partner whose link it is.
fn partner_click(app: &App, open: &OpenLink, follower: &Follower, now: Time) -> Option<PartnerClick> {
    let code = affiliate::code(open.link.words.affiliate.as_deref()?)?;
    let site = open.site.id;
    let is_ad = form_urlencoded::parse(follower.query.as_bytes())
        .any(|(name, id)| !id.is_empty() && ClickKind::ALL.iter().any(|kind| kind.name() == name && partner_clicks::is_ad(*kind)));
    let click = partner_clicks::judged(app, site, &code, At::Redirect, follower.network, is_ad, now);
    let browser = follower.browser.as_ref().map(|key| key.key().to_owned());
    let is_again = browser.as_ref().is_some_and(|key| app.clicks.is_again(site, text_key(&format!("{code} {key}")), now));
    Some(PartnerClick { code, click, browser, is_again })
}

/// Writes down what was clicked since the last time. What finds no room on the disk is dropped and counted.
pub async fn write_down(app: &App) -> Result<()> {
    let _writing = app.clicks.writing.lock().await;
    let waiting = app.clicks.take();
    if waiting.is_empty() {
        return Ok(());
    }
    if app.disk.admit(Burden::Visit).is_err() {
        waiting.iter().for_each(|_| app.figures.add("link_clicks_dropped", "storage_full"));
        return Ok(());
    }
    let mut sites: BTreeMap<SiteId, Vec<Click>> = BTreeMap::new();
    for (site, click) in waiting {
        sites.entry(site).or_default().push(click);
    }
    let mut outcome = Ok(());
    for (site, clicks) in sites {
        for part in clicks.chunks(CLICKS_A_CHANGE) {
            let part = part.to_vec();
            let kept = part.clone();
            if let Err(e) = app.store.write(site, move |c| short_links::add_clicks(c, &part)).await {
                let lost = if e.kind == Kind::Unavailable { app.clicks.put_back(site, kept) } else { kept.len() };
                (0..lost).for_each(|_| app.figures.add("link_clicks_dropped", "failed"));
                outcome = Err(e);
            }
        }
    }
    outcome
}

fn new_code() -> String {
    // Bytes beyond the last whole round of letters are thrown away, so that every letter is as likely as the others.
    const FAIR: usize = 256 / LETTERS.len() * LETTERS.len();
    let mut code = String::with_capacity(CODE_LETTERS);
    while code.len() < CODE_LETTERS {
        let fair = crypto::random::<16>().into_iter().map(usize::from).filter(|byte| *byte < FAIR);
        code.extend(fair.take(CODE_LETTERS - code.len()).map(|byte| char::from(LETTERS[byte % LETTERS.len()])));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_short_and_can_be_read_from_paper() {
        let codes: std::collections::BTreeSet<String> = (0..500).map(|_| new_code()).collect();
        assert_eq!(codes.len(), 500);
        assert!(codes.iter().all(|c| c.len() == CODE_LETTERS && !c.contains(['0', 'O', '1', 'l', 'I', 'i', 'o'])));
    }
}
