//! Visits: of each day, and by where they came from and where they were. Those that refused a cookie are counted too.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Row, named_params};

use super::super::cube::{Coverage, Cube, Tail, Weighs};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over, over_rows};
use super::walk::{Detail, page};
use super::word;
use crate::domain::campaign::NOT_SET;
use crate::domain::question::{ConversionFilter, Period, Whereabouts};
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

/// Source, medium, campaign; empty words stand for "none".
pub type Origin = (String, String, String);

/// Visits by everything that reports show them by.
#[derive(Debug, Default, Clone)]
pub struct VisitSums {
    pub days: BTreeMap<Day, i64>,
    pub origins: HashMap<Origin, i64>,
    pub countries: HashMap<String, i64>,
    pub devices: HashMap<String, i64>,
    /// By the page on which they began, or by a word of their link, where one is asked for.
    pub details: HashMap<String, i64>,
}

impl Gathers for VisitSums {
    fn merge(&mut self, other: &Self) {
        for (day, n) in &other.days {
            *self.days.entry(*day).or_default() += n;
        }
        for (origin, n) in &other.origins {
            add(&mut self.origins, origin, *n);
        }
        let named = [(&mut self.countries, &other.countries), (&mut self.devices, &other.devices), (&mut self.details, &other.details)];
        for (own, other) in named {
            for (name, n) in other {
                add_word(own, name, *n);
            }
        }
    }
}

impl Weighs for VisitSums {
    fn bytes(&self) -> usize {
        self.days.len() * 32 + self.origins.len() * 160 + (self.countries.len() + self.devices.len() + self.details.len()) * 80
    }
}

pub(super) struct Visit<'r> {
    day: Day,
    pub source: &'r str,
    pub medium: &'r str,
    pub campaign: &'r str,
    country: &'r str,
    device: &'r str,
    /// Of rows only, from here on: the counts of whole days do not know them.
    landing: String,
    pub content: &'r str,
    pub term: &'r str,
    click: &'r str,
    referrer: &'r str,
    consent: &'r str,
}

impl Visit<'_> {
    pub(super) fn is_taken(&self, filter: &ConversionFilter) -> bool {
        let place = Whereabouts {
            country: self.country,
            device: self.device,
            landing: &self.landing,
            content: self.content,
            term: self.term,
            click: self.click,
            referrer: self.referrer,
            consent: self.consent,
            is_nobodys: false,
        };
        filter.admits_visit(self.source, self.medium, self.campaign) && filter.admits_whereabouts(&place)
    }

    fn detail(&self, of: Detail) -> &str {
        let word = match of {
            Detail::None => return "",
            Detail::Landing => &self.landing,
            Detail::Content => self.content,
            Detail::Term => self.term,
        };
        if word.is_empty() { NOT_SET } else { word }
    }
}

impl VisitSums {
    fn add(&mut self, filter: &ConversionFilter, detail: Detail, v: &Visit, n: i64) {
        if !v.is_taken(filter) {
            return;
        }
        *self.days.entry(v.day).or_default() += n;
        *self.origins.entry((v.source.to_owned(), v.medium.to_owned(), v.campaign.to_owned())).or_default() += n;
        add_word(&mut self.countries, v.country, n);
        add_word(&mut self.devices, v.device, n);
        if detail != Detail::None {
            add_word(&mut self.details, v.detail(detail), n);
        }
    }
}

/// Visits that a filter takes. The counts of whole days do not know what each began with: where that is asked for, rows are read.
pub fn sums(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter, detail: Detail) -> Result<VisitSums> {
    let question = format!("visits {detail:?} {:?}", of_visits(filter));
    let rows = |piece: &Piece, all: &mut VisitSums| each_row(c, zone, piece, |visit| all.add(filter, detail, visit, 1));
    match detail != Detail::None || filter.asks_visit() || !filter.consent.is_open() {
        true => over_rows(c, Cube::Visits, zone, period, &question, rows),
        false => over(c, Cube::Visits, zone, period, &question, |block, _| of_counted_days(c, block, filter), rows),
    }
}

/// What of a filter a visit is judged by: questions that differ in the rest have the same answer.
fn of_visits(f: &ConversionFilter) -> ConversionFilter {
    ConversionFilter {
        source: f.source.clone(),
        medium: f.medium.clone(),
        campaign: f.campaign.clone(),
        channel: f.channel.clone(),
        country: f.country.clone(),
        device: f.device.clone(),
        landing: f.landing.clone(),
        content: f.content.clone(),
        term: f.term.clone(),
        click: f.click.clone(),
        referrer: f.referrer.clone(),
        consent: f.consent.clone(),
        within: f.within.clone(),
        rules: f.rules.clone(),
        ..ConversionFilter::default()
    }
}

fn of_counted_days(c: &SiteConn, coverage: &Coverage, filter: &ConversionFilter) -> Result<VisitSums> {
    let mut all = VisitSums::default();
    let Some(counted) = coverage.counted else { return Ok(all) };
    c.scan(
        "select day, source, medium, campaign, country, device, visits from visit_days
         where site_id = :site and day between :from and :to",
        named_params! {":from": counted.from.0, ":to": counted.to.0},
        |row| {
            let visit = read(row, Day(row.get(0)?))?;
            if !coverage.dirty.contains(&visit.day) {
                all.add(filter, Detail::None, &visit, row.get(6)?);
            }
            Ok(true)
        },
    )?;
    Ok(all)
}

fn read<'r>(row: &'r Row, day: Day) -> rusqlite::Result<Visit<'r>> {
    Ok(Visit {
        day,
        source: word(row, 1)?,
        medium: word(row, 2)?,
        campaign: word(row, 3)?,
        country: word(row, 4)?,
        device: word(row, 5)?,
        landing: String::new(),
        content: "",
        term: "",
        click: "",
        referrer: "",
        consent: "",
    })
}

/// Visits one by one, those of people who refused a cookie too.
pub(super) fn each_row(c: &SiteConn, zone: &Zone, piece: &Piece, mut on: impl FnMut(&Visit)) -> Result<()> {
    for sql in [
        "select t.at, t.source, t.medium, t.campaign, s.country, s.device, t.landing, t.content, t.term, t.click_kind, t.referrer, t.marketing
         from touches t join sessions s on s.site_id = t.site_id and s.id = t.session_id
         where t.site_id = :site and t.at >= :from and t.at < :to and t.starts_visit = 1",
        "select at, source, medium, utm_campaign, country, device, path, utm_content, utm_term, null, referrer_host,
           coalesce(marketing, 'anonymous') from anon_events
         where site_id = :site and at >= :from and at < :to and starts_visit = 1",
    ] {
        c.scan(sql, named_params! {":from": piece.from.ms(), ":to": piece.to.ms()}, |row| {
            let day = zone.day(Time::from_ms(row.get(0)?));
            if piece.holds(day) {
                on(&Visit {
                    landing: page(word(row, 6)?),
                    content: word(row, 7)?,
                    term: word(row, 8)?,
                    click: word(row, 9)?,
                    referrer: word(row, 10)?,
                    consent: word(row, 11)?,
                    ..read(row, day)?
                });
            }
            Ok(true)
        })?;
    }
    Ok(())
}

#[derive(Default)]
struct ByDay(BTreeMap<Day, i64>);

impl Gathers for ByDay {
    fn merge(&mut self, other: &Self) {
        for (day, n) in &other.0 {
            *self.0.entry(*day).or_default() += n;
        }
    }
}

impl Weighs for ByDay {
    fn bytes(&self) -> usize {
        self.0.len() * 32
    }
}

/// All visits of each day that has any.
pub fn by_day(c: &SiteConn, zone: &Zone, period: Period) -> Result<BTreeMap<Day, i64>> {
    let counted = |coverage: &Coverage, _: Option<Tail>| {
        let mut all = ByDay::default();
        let Some(counted) = coverage.counted else { return Ok(all) };
        c.scan(
            "select day, visits from counted_days where site_id = :site and day between :from and :to",
            named_params! {":from": counted.from.0, ":to": counted.to.0},
            |row| {
                let day = Day(row.get(0)?);
                if !coverage.dirty.contains(&day) {
                    all.0.insert(day, row.get(1)?);
                }
                Ok(true)
            },
        )?;
        Ok(all)
    };
    let rows = |piece: &Piece, all: &mut ByDay| {
        // A day at a time: a count over an index is quicker than the day of each row.
        for day in piece.days.each() {
            let (from, to) = (zone.start(day).max(piece.from).ms(), zone.start(day.plus(1)).min(piece.to).ms());
            let touches: i64 = c.one(
                "select count(*) from touches where site_id = :site and at >= :from and at < :to and starts_visit = 1",
                named_params! {":from": from, ":to": to},
            )?;
            let unknown: i64 = c.one(
                "select count(*) from anon_events where site_id = :site and at >= :from and at < :to and starts_visit = 1",
                named_params! {":from": from, ":to": to},
            )?;
            *all.0.entry(day).or_default() += touches + unknown;
        }
        Ok(())
    };
    let mut all = over(c, Cube::Visits, zone, period, "visits by day", counted, rows)?.0;
    all.retain(|_, n| *n > 0);
    Ok(all)
}

#[derive(Default)]
struct ByOrigin(HashMap<Origin, i64>);

impl Gathers for ByOrigin {
    fn merge(&mut self, other: &Self) {
        for (origin, n) in &other.0 {
            add(&mut self.0, origin, *n);
        }
    }
}

impl Weighs for ByOrigin {
    fn bytes(&self) -> usize {
        self.0.len() * 160
    }
}

/// All visits by where they came from.
pub fn by_origin(c: &SiteConn, zone: &Zone, period: Period) -> Result<HashMap<Origin, i64>> {
    let counted = |coverage: &Coverage, _: Option<Tail>| {
        let mut all = ByOrigin::default();
        let Some(counted) = coverage.counted else { return Ok(all) };
        c.scan(
            "select day, source, medium, campaign, visits from origin_days where site_id = :site and day between :from and :to",
            named_params! {":from": counted.from.0, ":to": counted.to.0},
            |row| {
                if !coverage.dirty.contains(&Day(row.get(0)?)) {
                    let origin = (word(row, 1)?.to_owned(), word(row, 2)?.to_owned(), word(row, 3)?.to_owned());
                    *all.0.entry(origin).or_default() += row.get::<_, i64>(4)?;
                }
                Ok(true)
            },
        )?;
        Ok(all)
    };
    let rows = |piece: &Piece, all: &mut ByOrigin| {
        for sql in [
            "select source, medium, campaign from touches where site_id = :site and at >= :from and at < :to and starts_visit = 1",
            "select source, medium, utm_campaign from anon_events where site_id = :site and at >= :from and at < :to and starts_visit = 1",
        ] {
            c.scan(sql, named_params! {":from": piece.from.ms(), ":to": piece.to.ms()}, |row| {
                let origin = (word(row, 0)?.to_owned(), word(row, 1)?.to_owned(), word(row, 2)?.to_owned());
                *all.0.entry(origin).or_default() += 1;
                Ok(true)
            })?;
        }
        Ok(())
    };
    Ok(over(c, Cube::Visits, zone, period, "by origin", counted, rows)?.0)
}

/// Without making a new key for one that is there.
pub(super) fn add(all: &mut HashMap<Origin, i64>, origin: &Origin, count: i64) {
    match all.get_mut(origin) {
        Some(known) => *known += count,
        None => drop(all.insert(origin.clone(), count)),
    }
}

fn add_word(all: &mut HashMap<String, i64>, name: &str, count: i64) {
    match all.get_mut(name) {
        Some(known) => *known += count,
        None => drop(all.insert(name.to_owned(), count)),
    }
}
