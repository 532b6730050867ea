//! From rows to counts of a day, and into the file.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Row, named_params};

use super::super::sales::{self, Entries, lines};
use super::super::scope::SiteConn;
use super::Cube;
use super::beside::{self, Beside};
use super::mark::{Part, find_mark};
use crate::domain::question::Span;
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

/// Separates the words of a key; control characters are cleaned from all text that comes in.
const BETWEEN: char = '\u{1f}';

/// The counts of one day: rows of words and numbers, as the cube's table has them.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    pub cube: Cube,
    pub day: Day,
    pub rows: Vec<Line>,
    /// What is counted of the same rows by other words, written when the day is finished.
    pub beside: Vec<(Beside, Vec<Line>)>,
}

/// Words and numbers.
pub type Line = (Vec<String>, Vec<i64>);

/// Counts days of a cube from the rows. The days may lie apart; each run of them is one walk over an index.
pub fn count(c: &SiteConn, cube: Cube, zone: &Zone, days: &[Day]) -> Result<Vec<Counts>> {
    let mut all: Vec<Counts> = Vec::with_capacity(days.len());
    let part = find_mark(c)?.and_then(|mark| mark.part);
    let mut rest = days;
    while let Some(first) = rest.first() {
        let length = rest.iter().enumerate().take_while(|(i, day)| day.0 == first.0 + *i as i32).count();
        let (run, later) = rest.split_at(length);
        rest = later;
        let mut sums = Sums::new(cube, run, zone);
        let new = || Sums::new(cube, run, zone);
        let mut beside: Vec<(Beside, Sums)> = Vec::new();
        let span = Span { from: run.first().copied(), to: run.last().copied() };
        match cube {
            Cube::Visits => count_visits(c, times(zone, span, part), &mut sums)?,
            Cube::Conversions => {
                count_conversions(c, times(zone, span, part), &mut sums)?;
                beside.push((Beside::Orders, count_orders(c, times(zone, span, part), new())?));
            }
            Cube::Entries => {
                count_entries(c, span, part, &mut sums)?;
                let entries = entries(span, part);
                beside.push((Beside::Sales, count_sales(c, &entries, new())?));
                beside.push((Beside::Products, count_products(c, &entries, new())?));
            }
        }
        all.extend(sums.into_counts(beside));
    }
    Ok(all)
}

/// From the first moment to before the second; the present day ends with its part.
fn times(zone: &Zone, span: Span, part: Option<Part>) -> (Time, Time) {
    let (from, to) = span.times(zone);
    match part {
        Some(part) if span.to == Some(part.day) => (from, part.until),
        _ => (from, to),
    }
}

fn count_visits(c: &SiteConn, (from, to): (Time, Time), sums: &mut Sums) -> Result<()> {
    c.scan(
        "select t.at, t.source, t.medium, t.campaign, s.country, s.device
         from touches t join sessions s on s.site_id = t.site_id and s.id = t.session_id
         where t.site_id = :site and t.at >= :from and t.at < :to and t.starts_visit = 1 order by t.at",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| sums.add_at(row.get(0)?, row, 1..6, &[1]),
    )?;
    sums.rewind();
    c.scan(
        "select at, source, medium, utm_campaign, country, device from anon_events
         where site_id = :site and at >= :from and at < :to and starts_visit = 1 order by at",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| sums.add_at(row.get(0)?, row, 1..6, &[1]),
    )
}

fn count_conversions(c: &SiteConn, (from, to): (Time, Time), sums: &mut Sums) -> Result<()> {
    c.scan(
        "select c.happened_at, c.kind, c.currency, c.source, c.medium, c.campaign, c.match_type, c.status, c.counts,
           c.amount_minor, c.net_minor, case when json_valid(k.snapshot) then k.snapshot ->> '$.days_to_convert' end
         from conversions c left join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run
         where c.site_id = :site and c.happened_at >= :from and c.happened_at < :to order by c.happened_at",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            let (amount, net): (Option<i64>, Option<i64>) = (row.get(9)?, row.get(10)?);
            let days: Option<i64> = row.get(11)?;
            let numbers = [1, amount.unwrap_or(0), net.unwrap_or(0), days.unwrap_or(0), i64::from(days.is_some())];
            sums.add_at(row.get(0)?, row, 1..9, &numbers)
        },
    )
}

fn count_entries(c: &SiteConn, span: Span, part: Option<Part>, sums: &mut Sums) -> Result<()> {
    let (part_day, last_entry) = part.map_or((i32::MAX, i64::MAX), |part| (part.day.0, part.last_entry));
    c.scan(
        "select e.book_day, e.kind, e.currency, c.source, c.medium, c.campaign, e.amount_minor
         from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
         where e.site_id = :site and e.book_day between :from and :to and c.counts = 1 and (e.book_day <> :part or e.id <= :last)
         order by e.book_day",
        named_params! {":from": span.from.map_or(i32::MIN, |d| d.0), ":to": span.to.map_or(i32::MAX, |d| d.0), ":part": part_day,
        ":last": last_entry},
        |row| sums.add_on(Day(row.get(0)?), row, 1..6, &[1, row.get(6)?]),
    )
}

fn count_orders(c: &SiteConn, (from, to): (Time, Time), mut sums: Sums) -> Result<Sums> {
    sales::scan_orders(c, from, to, |o| {
        sums.add_words_at(o.at.ms(), &[o.currency, o.facets.platform, o.facets.chat, o.facets.buyer], &[1]);
    })?;
    Ok(sums)
}

fn entries(span: Span, part: Option<Part>) -> Entries {
    Entries {
        from: span.from.unwrap_or(Day(i32::MIN)),
        to: span.to.unwrap_or(Day(i32::MAX)),
        until: Time::from_ms(i64::MAX),
        after: 0,
        part: part.map_or((Day(i32::MAX), i64::MAX), |part| (part.day, part.last_entry)),
    }
}

fn count_sales(c: &SiteConn, entries: &Entries, mut sums: Sums) -> Result<Sums> {
    sales::scan_booked(c, entries, |b| {
        sums.add_words_on(b.day, &[b.kind, b.currency, b.facets.platform, b.facets.chat, b.facets.buyer], &[b.amount_minor]);
    })?;
    Ok(sums)
}

fn count_products(c: &SiteConn, entries: &Entries, mut sums: Sums) -> Result<Sums> {
    lines::scan_parts(c, entries, |day, kind, currency, part| {
        let product = part.product;
        sums.add_words_on(day, &[kind, currency, &product.platform, &product.id, &product.name], &[part.quantity, part.amount_minor]);
    })?;
    Ok(sums)
}

/// Sums under the words of a key, for a run of days that is walked in the order of time.
struct Sums {
    cube: Cube,
    days: Vec<Day>,
    /// The first moment after each day.
    ends: Vec<Time>,
    place: usize,
    key: String,
    sums: Vec<HashMap<String, Vec<i64>>>,
}

impl Sums {
    fn new(cube: Cube, days: &[Day], zone: &Zone) -> Self {
        Self {
            cube,
            days: days.to_vec(),
            ends: days.iter().map(|day| zone.start(day.plus(1))).collect(),
            place: 0,
            key: String::new(),
            sums: days.iter().map(|_| HashMap::new()).collect(),
        }
    }

    fn rewind(&mut self) {
        self.place = 0;
    }

    fn come_to_moment(&mut self, at_ms: i64) {
        while self.place + 1 < self.days.len() && at_ms >= self.ends[self.place].ms() {
            self.place += 1;
        }
    }

    fn come_to_day(&mut self, day: Day) {
        while self.place + 1 < self.days.len() && day > self.days[self.place] {
            self.place += 1;
        }
    }

    fn add_at(&mut self, at_ms: i64, row: &Row, words: std::ops::Range<usize>, numbers: &[i64]) -> rusqlite::Result<bool> {
        self.come_to_moment(at_ms);
        self.add(row, words, numbers)
    }

    fn add_on(&mut self, day: Day, row: &Row, words: std::ops::Range<usize>, numbers: &[i64]) -> rusqlite::Result<bool> {
        self.come_to_day(day);
        self.add(row, words, numbers)
    }

    fn add_words_at(&mut self, at_ms: i64, words: &[&str], numbers: &[i64]) {
        self.come_to_moment(at_ms);
        self.add_words(words, numbers);
    }

    fn add_words_on(&mut self, day: Day, words: &[&str], numbers: &[i64]) {
        self.come_to_day(day);
        self.add_words(words, numbers);
    }

    fn add_words(&mut self, words: &[&str], numbers: &[i64]) {
        self.key.clear();
        for word in words {
            self.key.extend(word.chars().filter(|c| *c != BETWEEN));
            self.key.push(BETWEEN);
        }
        self.add_numbers(numbers);
    }

    fn add(&mut self, row: &Row, words: std::ops::Range<usize>, numbers: &[i64]) -> rusqlite::Result<bool> {
        self.key.clear();
        for place in words {
            match row.get_ref(place)? {
                ValueRef::Text(text) => self.key.extend(String::from_utf8_lossy(text).chars().filter(|c| *c != BETWEEN)),
                ValueRef::Integer(n) => self.key.push_str(&n.to_string()),
                _ => {}
            }
            self.key.push(BETWEEN);
        }
        self.add_numbers(numbers);
        Ok(true)
    }

    fn add_numbers(&mut self, numbers: &[i64]) {
        let sums = &mut self.sums[self.place];
        match sums.get_mut(&self.key) {
            // A shop may tell nonsense amounts: sums stop at the edge of 64 bits.
            Some(known) => known.iter_mut().zip(numbers).for_each(|(sum, n)| *sum = sum.saturating_add(*n)),
            None => {
                sums.insert(self.key.clone(), numbers.to_vec());
            }
        }
    }

    fn into_counts(self, mut beside: Vec<(Beside, Sums)>) -> impl Iterator<Item = Counts> {
        let cube = self.cube;
        self.days.into_iter().zip(self.sums).enumerate().map(move |(place, (day, rows))| {
            let beside = beside.iter_mut().map(|(what, sums)| (*what, rows_of(std::mem::take(&mut sums.sums[place])))).collect();
            Counts { cube, day, rows: rows_of(rows), beside }
        })
    }
}

fn rows_of(sums: HashMap<String, Vec<i64>>) -> Vec<Line> {
    let mut lines: Vec<Line> = sums
        .into_iter()
        .map(|(key, numbers)| {
            let mut words: Vec<String> = key.split(BETWEEN).map(str::to_owned).collect();
            words.pop(); // behind the last separator
            (words, numbers)
        })
        .collect();
    lines.sort();
    lines
}

/// Writes rows of a day; with the first ones the old rows go. Until `finish` the day is still read from its facts.
pub fn put(c: &SiteConn, cube: Cube, day: Day, rows: &[Line], is_first: bool) -> Result<()> {
    if is_first {
        super::renew(c, day)?;
        let gone = match cube {
            Cube::Visits => "delete from visit_days where site_id = :site and day = :day",
            Cube::Conversions => "delete from conversion_days where site_id = :site and day = :day",
            Cube::Entries => "delete from entry_days where site_id = :site and day = :day",
        };
        c.execute(gone, named_params! {":day": day.0})?;
    }
    for (w, n) in rows {
        match cube {
            Cube::Visits => c.execute(
                "insert into visit_days (site_id, day, source, medium, campaign, country, device, visits)
                 values (:site, :day, :source, :medium, :campaign, :country, :device, :visits)",
                named_params! {":day": day.0, ":source": w[0], ":medium": w[1], ":campaign": w[2], ":country": w[3], ":device": w[4],
                ":visits": n[0]},
            )?,
            Cube::Conversions => c.execute(
                "insert into conversion_days (site_id, day, kind, currency, source, medium, campaign, match_type, status, counts,
                   count, amount_minor, net_minor, days_sum, days_count)
                 values (:site, :day, :kind, :currency, :source, :medium, :campaign, :match, :status, :counts,
                   :count, :amount, :net, :days_sum, :days_count)",
                named_params! {":day": day.0, ":kind": w[0], ":currency": w[1], ":source": w[2], ":medium": w[3], ":campaign": w[4],
                ":match": w[5], ":status": w[6], ":counts": i64::from(w[7] == "1"), ":count": n[0], ":amount": n[1], ":net": n[2],
                ":days_sum": n[3], ":days_count": n[4]},
            )?,
            Cube::Entries => c.execute(
                "insert into entry_days (site_id, day, kind, currency, source, medium, campaign, count, amount_minor)
                 values (:site, :day, :kind, :currency, :source, :medium, :campaign, :count, :amount)",
                named_params! {":day": day.0, ":kind": w[0], ":currency": w[1], ":source": w[2], ":medium": w[3], ":campaign": w[4],
                ":count": n[0], ":amount": n[1]},
            )?,
        };
    }
    Ok(())
}

/// The day's counts stand, if nothing of it has changed since it was taken.
pub fn finish(c: &SiteConn, cube: Cube, day: Day, counted: &[(Beside, Vec<Line>)]) -> Result<()> {
    for (what, lines) in counted {
        beside::put(c, *what, day, lines)?;
    }
    if cube == Cube::Visits {
        c.execute("delete from origin_days where site_id = :site and day = :day", named_params! {":day": day.0})?;
        c.execute(
            "insert into origin_days (site_id, day, source, medium, campaign, visits)
             select site_id, day, source, medium, campaign, sum(visits) from visit_days where site_id = :site and day = :day
             group by source, medium, campaign",
            named_params! {":day": day.0},
        )?;
        c.execute(
            "update counted_days set visits =
               (select coalesce(sum(o.visits), 0) from origin_days o where o.site_id = :site and o.day = :day)
             where site_id = :site and day = :day",
            named_params! {":day": day.0},
        )?;
    }
    super::renew(c, day)?;
    c.execute(
        "delete from dirty_days where site_id = :site and cube = :cube and day = :day and is_taken = 1",
        named_params! {":cube": cube.word(), ":day": day.0},
    )?;
    Ok(())
}
