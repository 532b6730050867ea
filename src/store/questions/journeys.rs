//! Journeys of conversions in memory, day by day, as small as they get: models and windows are lenses over the paths that
//! credit has frozen, and reading a hundred thousand paths takes a second, working them out a few hundredths. A day is kept as
//! long as its counts stand; which do, and in which version, is read in the question's own snapshot, so that nothing is
//! ever stale. What is not counted yet, and days that changed, are read from their rows each time.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::{Row, named_params};
use serde::Deserialize;

use super::super::cube::{self, Cube};
use super::super::recall::shelf::{Held, Shelf};
use super::super::scope::SiteConn;
use super::answers::Piece;
use super::sums::marks;
use super::walk::{self, page};
use super::word;
use crate::domain::attribution::is_before;
use crate::domain::money::Currency;
use crate::domain::question::journeys::{Entry, Journey, Journeys, Known, MOST_ORIGINS, Place, Step};
use crate::domain::question::{ConversionFilter, Days, Marks, Period};
use crate::domain::time::{Day, Time, Zone};
use crate::domain::touch::TouchKind;
use crate::error::{Error, Result};

/// Bytes of the journeys of all sites: a million conversions, roughly.
const MOST_BYTES: usize = 96 * 1024 * 1024;
/// Days that are read at once; what was read is kept, also where the next ones take too long.
const MOST_DAYS: i32 = 16;

/// Days of journeys, those that were looked at last.
pub type Kept = Shelf<Name, Journeys>;

impl Held for Journeys {
    fn bytes(&self) -> usize {
        Journeys::bytes(self)
    }
}

pub fn shelf() -> Kept {
    Shelf::new(MOST_BYTES)
}

/// Site, day, the version of its counts, and what of a filter only the rows know.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    site: i64,
    day: Day,
    version: i64,
    question: Arc<str>,
}

/// The journeys of a period: conversions that happened in it, and those for which something was booked in it. What the
/// marks of a conversion tell is left to the question; the rest of a filter has been obeyed.
pub fn of_period(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<Vec<Arc<Journeys>>> {
    let load = Load::of(c, zone, filter)?;
    let (whole, cut) = period.parts();
    let mut all = Vec::new();
    if let Some(days) = whole {
        let mut found: Vec<(Day, Arc<Journeys>)> = Vec::new();
        load.days(days, &mut found)?;
        // Whatever was known before: in the order of time, so that equals stand in the same order each time.
        found.sort_by_key(|(day, _)| *day);
        all.extend(found.into_iter().map(|(_, journeys)| journeys));
    }
    if let Some((day, until)) = cut {
        all.extend(load.piece(&Piece::up_to(day, until, zone))?.into_values().map(|(journeys, _)| Arc::new(journeys)));
    }
    Ok(all)
}

struct Load<'l> {
    c: &'l SiteConn<'l>,
    zone: &'l Zone,
    /// Where the marks do not know all that it asks for.
    filter: Option<&'l ConversionFilter>,
    question: Arc<str>,
}

type ByDay = BTreeMap<Day, (Journeys, Words)>;

impl<'l> Load<'l> {
    fn of(c: &'l SiteConn, zone: &'l Zone, filter: &'l ConversionFilter) -> Result<Self> {
        let (filter, question) = match filter.is_of_counts() {
            true => (None, String::new()),
            false => (Some(filter), format!("{filter:?} {}", walk::newest_told(c, filter)?)),
        };
        Ok(Self { c, zone, filter, question: question.into() })
    }

    fn days(&self, days: Days, all: &mut Vec<(Day, Arc<Journeys>)>) -> Result<()> {
        let standing = self.standing(days)?;
        let mut missing: Option<Days> = None;
        for day in days.each() {
            let known = standing.get(&day).and_then(|version| self.c.journeys()?.find(&self.name(day, *version)));
            if let Some(known) = known {
                all.push((day, known));
                continue;
            }
            missing = match missing {
                Some(run) if run.to == day.plus(-1) && run.count() < MOST_DAYS => Some(Days { to: day, ..run }),
                Some(run) => {
                    self.read(run, &standing, all)?;
                    Some(Days { from: day, to: day })
                }
                None => Some(Days { from: day, to: day }),
            };
        }
        missing.map_or(Ok(()), |run| self.read(run, &standing, all))
    }

    fn name(&self, day: Day, version: i64) -> Name {
        Name { site: self.c.site().number(), day, version, question: self.question.clone() }
    }

    /// Days whose counts stand, with their versions. The present day, of which a part is counted, is none of them.
    fn standing(&self, days: Days) -> Result<HashMap<Day, i64>> {
        let conversions = cube::coverage(self.c, Cube::Conversions, self.zone, days.span())?;
        let entries = cube::coverage(self.c, Cube::Entries, self.zone, days.span())?;
        let (Some(one), Some(other)) = (conversions.counted, entries.counted) else { return Ok(HashMap::new()) };
        let tails = [conversions.tail, entries.tail].map(|tail| tail.map(|tail| tail.day));
        let stands = |day: Day| {
            [one, other].iter().all(|d| d.from <= day && day <= d.to)
                && !conversions.dirty.contains(&day)
                && !entries.dirty.contains(&day)
                && !tails.contains(&Some(day))
        };
        Ok(conversions.versions.into_iter().filter(|(day, _)| stands(*day)).collect())
    }

    fn read(&self, days: Days, standing: &HashMap<Day, i64>, all: &mut Vec<(Day, Arc<Journeys>)>) -> Result<()> {
        let mut found = self.piece(&Piece::of(days, self.zone))?;
        for day in days.each() {
            let journeys = Arc::new(found.remove(&day).unwrap_or_default().0);
            if let (Some(version), Some(shelf)) = (standing.get(&day), self.c.journeys()) {
                shelf.keep(self.name(day, *version), journeys.clone());
            }
            all.push((day, journeys));
        }
        Ok(())
    }

    fn piece(&self, piece: &Piece) -> Result<ByDay> {
        let mut days = ByDay::new();
        match self.filter {
            None => self.open(piece, &mut days)?,
            Some(filter) => self.filtered(piece, filter, &mut days)?,
        }
        for (journeys, words) in days.values_mut() {
            words.close(journeys);
        }
        Ok(days)
    }

    /// Only what a journey is made of is read.
    fn open(&self, piece: &Piece, days: &mut ByDay) -> Result<()> {
        const KNOWN: &str = "c.id, c.kind, c.source, c.medium, c.campaign, c.match_type, c.status, c.currency, c.happened_at";
        let mut failed: Option<Error> = None;
        self.c.scan(
            &format!(
                "select {KNOWN}, k.path from conversions c
                 left join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run
                 where c.site_id = :site and c.happened_at >= :from and c.happened_at < :to and c.counts = 1"
            ),
            named_params! {":from": piece.from.ms(), ":to": piece.to.ms()},
            |row| {
                let (id, marks, at) = known(row)?;
                let (journeys, words) = days.entry(self.zone.day(at)).or_default();
                failed = words.add(journeys, (id, at), &marks, true, word(row, 9)?).err();
                Ok(failed.is_none())
            },
        )?;
        if let Some(e) = failed {
            return Err(e);
        }
        self.c.scan(
            &format!(
                "select {KNOWN}, e.book_day, e.currency, e.amount_minor
                 from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
                 where e.site_id = :site and e.book_day between :first and :last and e.happened_at < :until and c.counts = 1"
            ),
            named_params! {":first": piece.days.from.0, ":last": piece.days.to.0, ":until": piece.until.ms()},
            |row| {
                let (id, marks, at) = known(row)?;
                let (journeys, words) = days.entry(Day(row.get(9)?)).or_default();
                let path = || self.path(id);
                failed = words.book(journeys, (id, at), &marks, path, (word(row, 10)?, row.get(11)?)).err();
                Ok(failed.is_none())
            },
        )?;
        failed.map_or(Ok(()), Err)
    }

    /// The path of a conversion whose money is booked on another day than its own.
    fn path(&self, conversion: i64) -> Result<String> {
        let found = self.c.find(
            "select k.path from conversions c join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run
             where c.site_id = :site and c.id = :id",
            named_params! {":id": conversion},
            |row| row.get(0),
        )?;
        Ok(found.unwrap_or_default())
    }

    fn filtered(&self, piece: &Piece, filter: &ConversionFilter, days: &mut ByDay) -> Result<()> {
        walk::conversions(self.c, self.zone, piece, filter, |day, w| {
            let (journeys, words) = days.entry(day).or_default();
            words.add(journeys, (w.id, w.happened_at), &w.marks, true, w.path_text()).map(drop)
        })?;
        walk::entries(self.c, piece, filter, |booked, w, id| {
            let (journeys, words) = days.entry(booked.day).or_default();
            let path = || Ok(w.path_text().to_owned());
            words.book(journeys, (id, w.happened_at), &w.marks, path, (booked.currency, booked.amount_minor))
        })
    }
}

fn known<'r>(row: &'r Row) -> rusqlite::Result<(i64, Marks<'r>, Time)> {
    Ok((row.get(0)?, marks(row, 1)?, Time::from_ms(row.get(8)?)))
}

/// What a day's journeys are put together with.
#[derive(Default)]
struct Words {
    origins: HashMap<Place, u32>,
    known: HashMap<Known, u32>,
    last_known: u32,
    journeys: HashMap<i64, u32>,
}

/// A visit of a path, as far as a journey knows of it.
#[derive(Deserialize)]
struct KeptVisit<'t> {
    session: i64,
    at: Time,
    kind: TouchKind,
    #[serde(borrow)]
    source: Cow<'t, str>,
    #[serde(borrow)]
    medium: Cow<'t, str>,
    #[serde(borrow, default)]
    campaign: Option<Cow<'t, str>>,
    #[serde(borrow, default)]
    term: Option<Cow<'t, str>>,
    #[serde(borrow, default)]
    content: Option<Cow<'t, str>>,
    #[serde(borrow, default)]
    landing: Option<Cow<'t, str>>,
    #[serde(default)]
    is_direct: bool,
    #[serde(default)]
    earns: bool,
}

impl Words {
    fn add(&mut self, all: &mut Journeys, (id, at): (i64, Time), marks: &Marks, is_counted: bool, path: &str) -> Result<u32> {
        let first_step = all.steps.len() as u32;
        let mut visits: Vec<KeptVisit> = if path.is_empty() { Vec::new() } else { serde_json::from_str(path).map_err(Error::internal)? };
        visits.sort_by_key(|visit| visit.at);
        for visit in &visits {
            let origin = self.origin(all, visit);
            let is_silent = visit.kind == TouchKind::Chat && !visit.earns || !is_before(visit.at, at);
            let session = u32::try_from(visit.session).map_err(|_| Error::internal("a browser's number beyond what journeys hold"))?;
            all.steps.push(Step::new(at.ms_since(visit.at), session, origin, visit.is_direct, is_silent));
        }
        if all.steps.len() > u32::MAX as usize || all.origins.len() > MOST_ORIGINS {
            return Err(Error::internal("a day with more visits than journeys hold"));
        }
        let marks = self.known(all, marks);
        let place = all.all.len() as u32;
        all.all.push(Journey { at, marks, first_step, steps: visits.len() as u32, is_counted });
        self.journeys.insert(id, place);
        Ok(place)
    }

    fn book(
        &mut self,
        all: &mut Journeys,
        (id, at): (i64, Time),
        marks: &Marks,
        path: impl FnOnce() -> Result<String>,
        (currency, minor): (&str, i64),
    ) -> Result<()> {
        let Some(currency) = Currency::parse(currency) else { return Ok(()) };
        let journey = match self.journeys.get(&id) {
            Some(place) => *place,
            None => self.add(all, (id, at), marks, false, &path()?)?,
        };
        all.entries.push(Entry { journey, currency, minor });
        Ok(())
    }

    fn origin(&mut self, all: &mut Journeys, visit: &KeptVisit) -> usize {
        let own = |text: &Option<Cow<str>>| text.as_deref().unwrap_or_default().to_owned();
        let place = Place {
            source: visit.source.clone().into_owned(),
            medium: visit.medium.clone().into_owned(),
            campaign: own(&visit.campaign),
            content: own(&visit.content),
            term: own(&visit.term),
            page: visit.landing.as_deref().map(page).unwrap_or_default(),
        };
        *self.origins.entry(place).or_insert_with_key(|place| {
            all.origins.push(place.clone());
            all.origins.len() as u32 - 1
        }) as usize
    }

    /// Mostly the same as that of the row before.
    fn known(&mut self, all: &mut Journeys, marks: &Marks) -> u32 {
        if all.known.get(self.last_known as usize).is_some_and(|last| last.marks() == *marks) {
            return self.last_known;
        }
        self.last_known = *self.known.entry(Known::of(marks)).or_insert_with_key(|known| {
            all.known.push(known.clone());
            all.known.len() as u32 - 1
        });
        self.last_known
    }

    /// Entries in the order of their journeys, and no more room than is needed.
    fn close(&mut self, all: &mut Journeys) {
        all.entries.sort_by_key(|e| e.journey);
        all.all.shrink_to_fit();
        all.steps.shrink_to_fit();
        all.entries.shrink_to_fit();
    }
}
