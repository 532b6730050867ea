//! Short links, what was clicked, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Row, named_params};

use super::affiliates::days;
use super::scope::{AllSites, SiteConn};
use super::sessions;
use crate::domain::campaign::Utm;
use crate::domain::ids::{ConversionId, LinkId, SiteId};
use crate::domain::link::Words;
use crate::domain::money::{Currency, Money};
use crate::domain::question::Cursor;
use crate::domain::time::{Day, Time};
use crate::error::Result;

const COLUMNS: &str =
    "id, code, target, utm_source, utm_medium, utm_campaign, utm_term, utm_content, affiliate, label, who, created_at, ended_at";

/// A link as it was made. Where it leads and what it says never change: click ids point at both.
#[derive(Debug, Clone, PartialEq)]
pub struct ShortLink {
    pub id: LinkId,
    pub code: String,
    pub target: String,
    pub words: Words,
    pub label: Option<String>,
    pub who: String,
    pub created_at: Time,
    pub ended_at: Option<Time>,
}

/// What is known of a link's clicks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    pub clicks: i64,
    pub bots: i64,
    /// Visits that came with one of its click ids.
    pub visits: i64,
    pub last_click_at: Option<Time>,
    pub conversions: i64,
    /// What is left of its sales, by currency.
    pub net: Vec<Money>,
}

/// A link with what came of it.
pub type Line = (ShortLink, Tally);

/// A click that was counted by the person's own browser.
#[derive(Debug, Clone, PartialEq)]
pub struct Click {
    pub link: LinkId,
    pub at: Time,
    pub day: Day,
    /// None for a bot: it is counted and gets no row.
    pub id: Option<String>,
    /// Host of the page that held the link.
    pub referrer: Option<String>,
    pub country: Option<String>,
    pub device: &'static str,
    /// Where the link is a partner's.
    pub partner: Option<PartnerClick>,
}

/// A click as its partner's.
#[derive(Debug, Clone, PartialEq)]
pub struct PartnerClick {
    /// As it is compared.
    pub code: String,
    pub click: days::Click,
    /// The session of the browser, where its cookie is seen here; nothing of it is written down.
    pub browser: Option<String>,
    /// The same browser has followed a short link of the partner within half an hour.
    pub is_again: bool,
}

/// What was written down of a click, for the page that gives it back.
#[derive(Debug, Clone, PartialEq)]
pub struct Redirected {
    pub at: Time,
    /// The code of the link's partner, as it was typed.
    pub affiliate: Option<String>,
    pub is_counted: bool,
}

/// Every link of the box, for the book.
pub fn list_all(all: &AllSites) -> Result<Vec<(SiteId, ShortLink)>> {
    all.list(&format!("select {COLUMNS}, site_id from short_links"), &[], |row| Ok((SiteId::issued(row.get(13)?), read(row)?)))
}

pub fn find(c: &SiteConn, id: LinkId) -> Result<Option<ShortLink>> {
    let sql = format!("select {COLUMNS} from short_links where site_id = :site and id = :id");
    c.find(&sql, named_params! {":id": id.number()}, read)
}

/// Which links are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// In lower case.
    pub search: Option<String>,
    /// Made since, and before.
    pub from: Time,
    pub to: Time,
}

/// The newest first, with what came of each.
pub fn page(c: &SiteConn, wanted: &Wanted, cursor: Option<Cursor>, limit: usize) -> Result<(Vec<Line>, Option<Cursor>)> {
    let mut links = c.list(
        &format!(
            "select {COLUMNS} from short_links
             where site_id = :site and id < :before and created_at >= :from and created_at < :to
               and (:search is null or instr(lower(code || ' ' || target || ' ' || coalesce(label, '') || ' ' || coalesce(utm_source, '')
                 || ' ' || coalesce(utm_medium, '') || ' ' || coalesce(utm_campaign, '') || ' ' || coalesce(utm_content, '')
                 || ' ' || coalesce(affiliate, '')), :search) > 0)
             order by id desc limit :most"
        ),
        named_params! {":before": cursor.map_or(i64::MAX, |cursor| cursor.id), ":from": wanted.from.ms(), ":to": wanted.to.ms(),
        ":search": wanted.search, ":most": limit as i64 + 1},
        read,
    )?;
    let has_more = links.len() > limit;
    links.truncate(limit);
    let next = links.last().filter(|_| has_more).map(|l| Cursor { key: None, id: l.id.number() });
    let mut lines = Vec::with_capacity(links.len());
    for link in links {
        let tally = tally(c, link.id)?;
        lines.push((link, tally));
    }
    Ok((lines, next))
}

/// What came of one link.
pub fn tally(c: &SiteConn, id: LinkId) -> Result<Tally> {
    let counted = c.find(
        "select clicks, bots, visits, last_click_at from short_links where site_id = :site and id = :id",
        named_params! {":id": id.number()},
        |row| {
            let last: Option<i64> = row.get(3)?;
            Ok(Tally {
                clicks: row.get(0)?,
                bots: row.get(1)?,
                visits: row.get(2)?,
                last_click_at: last.map(Time::from_ms),
                ..Tally::default()
            })
        },
    )?;
    let sold: Vec<(Option<String>, i64, i64)> = c.list(
        "select v.currency, count(*), coalesce(sum(v.net_minor), 0)
         from link_conversions l join conversions v on v.site_id = l.site_id and v.id = l.conversion_id
         where l.site_id = :site and l.link_id = :id and v.counts = 1 group by v.currency order by v.currency",
        named_params! {":id": id.number()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let conversions = sold.iter().map(|(_, count, _)| count).sum();
    let money = |(code, _, minor): (Option<String>, i64, i64)| Some(Money::new(minor, Currency::parse(&code?)?));
    let net = sold.into_iter().filter_map(money).filter(|net| net.minor != 0).collect();
    Ok(Tally { conversions, net, ..counted.unwrap_or_default() })
}

pub fn count(c: &SiteConn) -> Result<usize> {
    let count: i64 = c.one("select count(*) from short_links where site_id = :site", &[])?;
    Ok(count as usize)
}

/// None where the code is taken already, by whomever.
pub fn add(c: &SiteConn, code: &str, target: &str, words: &Words, label: Option<&str>, who: &str, now: Time) -> Result<Option<ShortLink>> {
    let id = c.next_number("link")?;
    let Words { utm, affiliate } = words;
    let made = c.execute(
        "insert into short_links (site_id, id, code, target, utm_source, utm_medium, utm_campaign, utm_term, utm_content, affiliate, label,
           who, created_at)
         values (:site, :id, :code, :target, :source, :medium, :campaign, :term, :content, :affiliate, :label, :who, :now)
         on conflict (code) do nothing",
        named_params! {":id": id, ":code": code, ":target": target, ":source": utm.source, ":medium": utm.medium,
        ":campaign": utm.campaign, ":term": utm.term, ":content": utm.content, ":affiliate": affiliate, ":label": label, ":who": who,
        ":now": now.ms()},
    )?;
    Ok((made > 0).then(|| ShortLink {
        id: LinkId::new(id),
        code: code.to_owned(),
        target: target.to_owned(),
        words: words.clone(),
        label: label.map(str::to_owned),
        who: who.to_owned(),
        created_at: now,
        ended_at: None,
    }))
}

/// Another name, an end, or both.
pub fn change(c: &SiteConn, link: &ShortLink) -> Result<()> {
    c.execute(
        "update short_links set label = :label, ended_at = :ended where site_id = :site and id = :id",
        named_params! {":id": link.id.number(), ":label": link.label, ":ended": link.ended_at.map(Time::ms)},
    )?;
    Ok(())
}

/// Writes down what was clicked. A few sums whatever their number, and a row for each click of a person.
pub fn add_clicks(c: &SiteConn, clicks: &[Click]) -> Result<()> {
    let mut days: BTreeMap<(LinkId, Day), (i64, i64)> = BTreeMap::new();
    let mut last: BTreeMap<LinkId, Time> = BTreeMap::new();
    for click in clicks {
        let (people, bots) = days.entry((click.link, click.day)).or_default();
        let Some(id) = &click.id else {
            *bots += 1;
            continue;
        };
        *people += 1;
        let at = last.entry(click.link).or_insert(click.at);
        *at = click.at.max(*at);
        let is_counted = count_for_partner(c, click)?;
        c.execute(
            "insert into link_clicks (site_id, id, link_id, at, click, referrer, country, device, is_counted)
             values (:site, :id, :link, :at, :click, :referrer, :country, :device, :counted)",
            named_params! {":id": c.next_inner_number("link_click")?, ":link": click.link.number(), ":at": click.at.ms(), ":click": id,
            ":referrer": click.referrer, ":country": click.country, ":device": click.device, ":counted": is_counted},
        )?;
    }
    for ((link, day), (people, bots)) in days {
        add_counts(c, link, day, (people, bots, 0))?;
        c.execute(
            "update short_links set clicks = clicks + :clicks, bots = bots + :bots,
               last_click_at = iif(:clicks > 0, max(coalesce(last_click_at, 0), :last), last_click_at)
             where site_id = :site and id = :link",
            named_params! {":link": link.number(), ":clicks": people, ":bots": bots, ":last": last.get(&link).map_or(0, |at| at.ms())},
        )?;
    }
    Ok(())
}

/// Counts it for the partner whose link it is, once for a browser and half an hour, as pages do.
fn count_for_partner(c: &SiteConn, click: &Click) -> Result<bool> {
    let Some(partner) = &click.partner else { return Ok(false) };
    let session = partner.browser.as_deref().map(|key| sessions::find_by_key(c, key)).transpose()?.flatten();
    let is_known = match session {
        Some(session) => days::has_click(c, session.id, &partner.code, click.at)?,
        None => false,
    };
    let is_counted = !partner.is_again && !is_known;
    if is_counted {
        days::count(c, click.day, &partner.code, partner.click)?;
    }
    Ok(is_counted)
}

/// A visit came with one of its click ids.
pub fn add_visit(c: &SiteConn, link: LinkId, day: Day) -> Result<()> {
    add_counts(c, link, day, (0, 0, 1))?;
    c.execute("update short_links set visits = visits + 1 where site_id = :site and id = :link", named_params! {":link": link.number()})?;
    Ok(())
}

fn add_counts(c: &SiteConn, link: LinkId, day: Day, (clicks, bots, visits): (i64, i64, i64)) -> Result<()> {
    c.execute(
        "insert into link_days (site_id, link_id, day, clicks, bots, visits) values (:site, :link, :day, :clicks, :bots, :visits)
         on conflict (site_id, link_id, day) do update set clicks = clicks + excluded.clicks, bots = bots + excluded.bots,
           visits = visits + excluded.visits",
        named_params! {":link": link.number(), ":day": day.0, ":clicks": clicks, ":bots": bots, ":visits": visits},
    )?;
    Ok(())
}

/// Which links a conversion's path came through, in place of what was known before.
pub fn set_of_conversion(c: &SiteConn, conversion: ConversionId, links: BTreeSet<LinkId>) -> Result<()> {
    c.execute(
        "delete from link_conversions where site_id = :site and conversion_id = :conversion",
        named_params! {":conversion": conversion.number()},
    )?;
    for link in links {
        c.execute(
            "insert into link_conversions (site_id, link_id, conversion_id) values (:site, :link, :conversion) on conflict do nothing",
            named_params! {":link": link.number(), ":conversion": conversion.number()},
        )?;
    }
    Ok(())
}

/// What a click's row says of it, where it was written down: the host before it and the device.
pub fn find_click(c: &SiteConn, click: &str) -> Result<Option<(Option<String>, Option<String>)>> {
    c.find("select referrer, device from link_clicks where site_id = :site and click = :click", named_params! {":click": click}, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// What a redirect wrote down of a click. None where it is not there.
pub fn find_redirected(c: &SiteConn, click: &str) -> Result<Option<Redirected>> {
    c.find(
        "select k.at, l.affiliate, k.is_counted from link_clicks k join short_links l on l.site_id = k.site_id and l.id = k.link_id
         where k.site_id = :site and k.click = :click",
        named_params! {":click": click},
        |row| Ok(Redirected { at: Time::from_ms(row.get(0)?), affiliate: row.get(1)?, is_counted: row.get(2)? }),
    )
}

fn read(row: &Row) -> rusqlite::Result<ShortLink> {
    let ended: Option<i64> = row.get(12)?;
    Ok(ShortLink {
        id: LinkId::new(row.get(0)?),
        code: row.get(1)?,
        target: row.get(2)?,
        words: Words {
            utm: Utm { source: row.get(3)?, medium: row.get(4)?, campaign: row.get(5)?, term: row.get(6)?, content: row.get(7)? },
            affiliate: row.get(8)?,
        },
        label: row.get(9)?,
        who: row.get(10)?,
        created_at: Time::from_ms(row.get(11)?),
        ended_at: ended.map(Time::from_ms),
    })
}
