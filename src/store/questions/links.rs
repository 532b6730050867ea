//! A short link's days, where its clicks came from, and the words that the site's links and visits know.

use std::collections::BTreeMap;

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::ids::LinkId;
use crate::domain::time::{Day, Time};
use crate::error::Result;

/// Clicks that are looked at for where they came from: the newest.
const MOST_CLICKS: i64 = 2_000;
/// Words offered for one parameter.
const MOST_WORDS: i64 = 300;

/// Clicks of people and bots, and visits, of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkDay {
    pub day: Day,
    pub clicks: i64,
    pub bots: i64,
    pub visits: i64,
}

/// Days with anything on them, in their order.
pub fn days(c: &SiteConn, link: LinkId, from: Day, to: Day) -> Result<Vec<LinkDay>> {
    c.list(
        "select day, clicks, bots, visits from link_days
         where site_id = :site and link_id = :link and day between :from and :to order by day",
        named_params! {":link": link.number(), ":from": from.0, ":to": to.0},
        |row| Ok(LinkDay { day: Day(row.get(0)?), clicks: row.get(1)?, bots: row.get(2)?, visits: row.get(3)? }),
    )
}

/// Where the newest clicks of a link came from, the most frequent first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origins {
    pub referrers: Vec<(String, i64)>,
    pub countries: Vec<(String, i64)>,
    pub devices: Vec<(String, i64)>,
}

pub fn origins(c: &SiteConn, link: LinkId, since: Time) -> Result<Origins> {
    let mut counts: [BTreeMap<String, i64>; 3] = Default::default();
    c.scan(
        "select referrer, country, device from link_clicks
         where site_id = :site and link_id = :link and at >= :since order by at desc limit :most",
        named_params! {":link": link.number(), ":since": since.ms(), ":most": MOST_CLICKS},
        |row| {
            for (place, count) in counts.iter_mut().enumerate() {
                let word: Option<String> = row.get(place)?;
                *count.entry(word.unwrap_or_else(|| if place == 0 { "(none)" } else { "unknown" }.into())).or_default() += 1;
            }
            Ok(true)
        },
    )?;
    let [referrers, countries, devices] = counts.map(|count| {
        let mut all: Vec<(String, i64)> = count.into_iter().collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.truncate(8);
        all
    });
    Ok(Origins { referrers, countries, devices })
}

/// A word with how many links say it, and how many visits of the last days came under it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownWord {
    pub links: i64,
    pub visits: i64,
}

/// Known words of each parameter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownWords {
    pub source: BTreeMap<String, KnownWord>,
    pub medium: BTreeMap<String, KnownWord>,
    pub campaign: BTreeMap<String, KnownWord>,
    pub term: BTreeMap<String, KnownWord>,
    pub content: BTreeMap<String, KnownWord>,
}

/// From the site's links and, where they are counted, from its visits since a day.
pub fn words(c: &SiteConn, since: Day) -> Result<KnownWords> {
    const VISITS: [&str; 3] = [
        "select source, sum(visits) from origin_days where site_id = :site and day >= :since and source <> 'direct' and source <> '(not set)'
         group by source order by 2 desc, 1 limit :most",
        "select medium, sum(visits) from origin_days where site_id = :site and day >= :since and medium <> '(none)' and medium <> '(not set)'
         group by medium order by 2 desc, 1 limit :most",
        "select campaign, sum(visits) from origin_days where site_id = :site and day >= :since and campaign <> ''
         group by campaign order by 2 desc, 1 limit :most",
    ];
    const LINKS: [&str; 5] = [
        "select utm_source, count(*) from short_links where site_id = :site and utm_source is not null group by 1 order by 2 desc, 1 limit :most",
        "select utm_medium, count(*) from short_links where site_id = :site and utm_medium is not null group by 1 order by 2 desc, 1 limit :most",
        "select utm_campaign, count(*) from short_links where site_id = :site and utm_campaign is not null
         group by 1 order by 2 desc, 1 limit :most",
        "select utm_term, count(*) from short_links where site_id = :site and utm_term is not null group by 1 order by 2 desc, 1 limit :most",
        "select utm_content, count(*) from short_links where site_id = :site and utm_content is not null
         group by 1 order by 2 desc, 1 limit :most",
    ];
    let mut known = KnownWords::default();
    let KnownWords { source, medium, campaign, term, content } = &mut known;
    let mut all = [source, medium, campaign, term, content];
    for (words, sql) in all.iter_mut().zip(LINKS) {
        let found: Vec<(String, i64)> = c.list(sql, named_params! {":most": MOST_WORDS}, |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (word, links) in found {
            words.entry(word).or_default().links = links;
        }
    }
    for (words, sql) in all.iter_mut().zip(VISITS) {
        let asked = named_params! {":since": since.0, ":most": MOST_WORDS};
        let found: Vec<(String, i64)> = c.list(sql, asked, |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (word, visits) in found {
            words.entry(word).or_default().visits = visits;
        }
    }
    Ok(known)
}
