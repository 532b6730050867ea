//! What people asked for, bought and sent back, in memory: conversions that count, and lines of the ledger by which money went
//! back. Days whose counts stand are kept under the version of their counts, and all of them together in the order of people;
//! what is not counted yet, and days that changed, are read from their rows each time.

/// The same for those alone who are known.
pub mod people;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rusqlite::{Row, named_params};

use super::super::cube::{self, Cube};
use super::super::questions::visits::Origin;
use super::super::questions::word;
use super::super::recall::shelf::{Held, Shelf};
use super::super::scope::SiteConn;
use super::visits::Visits;
use super::words::List;
use super::{BROWSERS, PersonKey};
use crate::domain::conversion::ConversionKind;
use crate::domain::money::Currency;
use crate::domain::question::Span;
use crate::domain::time::{Day, Zone};
use crate::error::Result;

/// Bytes of days: half a million sales, roughly; and of what is made of them, as much again.
const MOST_BYTES: usize = 40 * 1024 * 1024;
/// People who are erased without a number that they share with other facts of theirs stand below all others.
const NOBODIES: i64 = i64::MIN / 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Lead,
    SignUp,
    Custom,
    Sale,
    /// Money went back.
    Refund,
}

/// One of them. Ordered by person, then time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sale {
    pub person: i64,
    pub at_s: u32,
    pub kind: Kind,
    /// Of its conversion.
    pub id: i64,
    /// What a conversion of the owner's own kind is called; a place in the list.
    pub name: u32,
    /// Of its first visit; a place in the list.
    pub origin: u32,
    pub currency: Option<Currency>,
    /// What it came to; of money that went back, how much.
    pub minor: i64,
    /// What is left of it.
    pub net_minor: i64,
}

/// Of a site.
#[derive(Debug, Clone, Default)]
pub struct Sold {
    pub rows: Vec<Sale>,
    pub names: List<String>,
    origins: List<Origin>,
}

/// Rows of some days as they came, not yet anybody's; `rows` are ordered once they are.
#[derive(Debug, Clone, Default)]
struct Part {
    sold: Arc<Sold>,
    /// Known by the browser alone: whose it is changes.
    loose: Vec<(u32, Sale)>,
    /// Browsers with somebody to whose conversion they led.
    led: Vec<Led>,
}

/// Ordered by browser, then time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Led {
    session: u32,
    at_s: u32,
    conversion: i64,
    contact: i64,
}

/// Browsers that nobody has proved to be theirs, with whose they are by the ledger: the first to whose conversion one led.
#[derive(Debug, Clone, Default)]
pub struct Browsers {
    /// In their order.
    pub all: Vec<u32>,
    /// By contact, in order.
    pub by_contact: Vec<(i64, u32)>,
}

pub struct Kept {
    days: Shelf<DayName, Part>,
    whole: Shelf<WholeName, Part>,
    joined: Shelf<Stamp, Joined>,
}

/// All of a site as questions see it.
pub struct Joined {
    pub sold: Arc<Sold>,
    pub browsers: Browsers,
    pub stamp: Stamp,
}

/// What makes it true: its days, whose browsers are whose, and what is not counted yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stamp {
    whole: WholeName,
    people: (i64, i64),
    more: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DayName {
    site: i64,
    day: Day,
    version: i64,
}

/// Site, and what stands for all versions of its days.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WholeName {
    site: i64,
    versions: u64,
    days: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self { days: Shelf::new(MOST_BYTES), whole: Shelf::new(MOST_BYTES), joined: Shelf::new(MOST_BYTES) }
    }
}

impl Held for Part {
    fn bytes(&self) -> usize {
        (self.sold.rows.len() + self.loose.len()) * size_of::<Sale>()
            + self.led.len() * size_of::<Led>()
            + (self.sold.names.all.len() + self.sold.origins.all.len()) * 150
            + 200
    }
}

impl Held for Joined {
    fn bytes(&self) -> usize {
        self.sold.rows.len() * size_of::<Sale>() + (self.browsers.all.len() + self.browsers.by_contact.len()) * 16 + 200
    }
}

impl Sold {
    pub fn origin(&self, place: u32) -> &Origin {
        &self.origins.all[place as usize]
    }
}

/// All of a site, as the question's snapshot has it.
pub fn of_site(c: &SiteConn, zone: &Zone, visits: &Visits) -> Result<Arc<Joined>> {
    let standing = standing(c, zone)?;
    let (name, whole) = whole(c, zone, &standing)?;
    let mut more = Part::default();
    for days in between(&standing) {
        read(c, zone, days, &mut more)?;
    }
    let stamp = Stamp { whole: name, people: visits.people_known(), more: more.digest() };
    let kept = c.trail_sales();
    if let Some(known) = kept.and_then(|kept| kept.joined.find(&stamp)) {
        return Ok(known);
    }
    let joined = Arc::new(joined(stamp.clone(), &whole, &more, visits));
    if let Some(kept) = kept {
        kept.joined.keep(stamp, joined.clone());
    }
    Ok(joined)
}

fn joined(stamp: Stamp, whole: &Part, more: &Part, visits: &Visits) -> Joined {
    let (browsers, theirs) = browsers(&whole.led, &more.led, visits);
    if whole.loose.is_empty() && more.sold.rows.is_empty() && more.loose.is_empty() {
        return Joined { sold: whole.sold.clone(), browsers, stamp };
    }
    let mut all = Sold::clone(&whole.sold);
    let mut coming = all.taken_over(&more.sold, more.sold.rows.iter().copied());
    for part in [whole, more] {
        let theirs = part.loose.iter().map(|(session, sale)| {
            let contact = visits.contact_of(*session).map(i64::from).or_else(|| theirs.get(session).copied());
            Sale { person: contact.unwrap_or(PersonKey::of_browser(*session).0), ..*sale }
        });
        coming.extend(all.taken_over(&part.sold, theirs));
    }
    coming.sort_unstable();
    all.rows = merged(&all.rows, coming);
    Joined { sold: Arc::new(all), browsers, stamp }
}

fn browsers(one: &[Led], other: &[Led], visits: &Visits) -> (Browsers, HashMap<u32, i64>) {
    let mut first: HashMap<u32, Led> = HashMap::new();
    for led in one.iter().chain(other).filter(|led| visits.contact_of(led.session).is_none()) {
        first.entry(led.session).and_modify(|known| *known = (*known).min(*led)).or_insert(*led);
    }
    let mut all: Vec<u32> = first.keys().copied().collect();
    all.sort_unstable();
    let mut by_contact: Vec<(i64, u32)> = first.values().map(|led| (led.contact, led.session)).collect();
    by_contact.sort_unstable();
    let theirs = first.into_iter().map(|(session, led)| (session, led.contact)).collect();
    (Browsers { all, by_contact }, theirs)
}

/// Days whose counts stand, with their versions. The present day, of which a part is counted, is none of them.
fn standing(c: &SiteConn, zone: &Zone) -> Result<BTreeMap<Day, i64>> {
    let all = Span { from: None, to: None };
    let conversions = cube::coverage(c, Cube::Conversions, zone, all)?;
    let entries = cube::coverage(c, Cube::Entries, zone, all)?;
    let (Some(one), Some(other)) = (conversions.counted, entries.counted) else { return Ok(BTreeMap::new()) };
    let tails = [conversions.tail, entries.tail].map(|tail| tail.map(|tail| tail.day));
    let stands = |day: Day| {
        [one, other].iter().all(|d| d.from <= day && day <= d.to)
            && !conversions.dirty.contains(&day)
            && !entries.dirty.contains(&day)
            && !tails.contains(&Some(day))
    };
    Ok(conversions.versions.into_iter().filter(|(day, _)| stands(*day)).collect())
}

/// All standing days as one part, in the order of people.
fn whole(c: &SiteConn, zone: &Zone, standing: &BTreeMap<Day, i64>) -> Result<(WholeName, Arc<Part>)> {
    let site = c.site().number();
    let mut hasher = DefaultHasher::new();
    standing.hash(&mut hasher);
    let name = WholeName { site, versions: hasher.finish(), days: standing.len() };
    let kept = c.trail_sales();
    if let Some(known) = kept.and_then(|kept| kept.whole.find(&name)) {
        return Ok((name, known));
    }
    let mut all = Part::default();
    for (day, version) in standing {
        let name = DayName { site, day: *day, version: *version };
        let part = match kept.and_then(|kept| kept.days.find(&name)) {
            Some(known) => known,
            None => {
                let mut part = Part::default();
                read(c, zone, Span { from: Some(*day), to: Some(*day) }, &mut part)?;
                let part = Arc::new(part);
                if let Some(kept) = kept {
                    kept.days.keep(name, part.clone());
                }
                part
            }
        };
        let sold = Arc::make_mut(&mut all.sold);
        let rows = sold.taken_over(&part.sold, part.sold.rows.iter().copied());
        sold.rows.extend(rows);
        let loose = sold.taken_over(&part.sold, part.loose.iter().map(|(_, sale)| *sale));
        all.loose.extend(part.loose.iter().map(|(session, _)| *session).zip(loose));
        all.led.extend_from_slice(&part.led);
    }
    all.led.sort_unstable();
    all.led.dedup_by_key(|led| led.session);
    Arc::make_mut(&mut all.sold).rows.sort_unstable();
    let all = Arc::new(all);
    if let Some(kept) = kept {
        kept.whole.keep(name.clone(), all.clone());
    }
    Ok((name, all))
}

/// The days that do not stand, from the beginning of time to its end.
fn between(standing: &BTreeMap<Day, i64>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut from: Option<Day> = None;
    for day in standing.keys() {
        if from != Some(*day) {
            spans.push(Span { from, to: Some(day.plus(-1)) });
        }
        from = Some(day.plus(1));
    }
    spans.push(Span { from, to: None });
    spans
}

const OF_CONVERSION: &str =
    "c.id, c.kind, c.contact_id, c.session_id, c.nobody, c.currency, c.name, c.first_source, c.first_medium, c.first_campaign";

fn read(c: &SiteConn, zone: &Zone, days: Span, part: &mut Part) -> Result<()> {
    let (from, to) = days.times(zone);
    c.scan(
        &format!(
            "select {OF_CONVERSION}, c.happened_at, c.amount_minor, c.net_minor from conversions c
             where c.site_id = :site and c.happened_at >= :from and c.happened_at < :to and c.counts = 1"
        ),
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            let kind = match row.get_ref(1)?.as_str()? {
                kind if kind == ConversionKind::Sale.word() => Kind::Sale,
                kind if kind == ConversionKind::Lead.word() => Kind::Lead,
                kind if kind == ConversionKind::Signup.word() => Kind::SignUp,
                _ => Kind::Custom,
            };
            let minor = row.get::<_, Option<i64>>(11)?.unwrap_or(0);
            let net_minor = row.get::<_, Option<i64>>(12)?.unwrap_or(0);
            part.add(row, kind, row.get(10)?, (minor, net_minor))?;
            Ok(true)
        },
    )?;
    let (first, last) = (days.from.map_or(i32::MIN, |day| day.0), days.to.map_or(i32::MAX, |day| day.0));
    c.scan(
        &format!(
            "select {OF_CONVERSION}, e.happened_at, e.amount_minor
             from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
             where e.site_id = :site and e.book_day between :first and :last and e.amount_minor < 0
               and (e.kind = 'refund' or e.kind = 'cancellation') and c.kind = 'sale' and c.counts = 1"
        ),
        named_params! {":first": first, ":last": last},
        |row| {
            let minor: i64 = row.get(11)?;
            part.add(row, Kind::Refund, row.get(10)?, (minor.saturating_neg(), 0))?;
            Ok(true)
        },
    )
}

impl Part {
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.sold.rows, &self.sold.names.all, &self.sold.origins.all, &self.loose, &self.led).hash(&mut hasher);
        hasher.finish()
    }

    fn add(&mut self, row: &Row, kind: Kind, at_ms: i64, (minor, net_minor): (i64, i64)) -> rusqlite::Result<()> {
        let id: i64 = row.get(0)?;
        let (contact, session, nobody): (Option<i64>, Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let origin = (word(row, 7)?.to_owned(), word(row, 8)?.to_owned(), word(row, 9)?.to_owned());
        let sold = Arc::make_mut(&mut self.sold);
        let mut sale = Sale {
            person: contact.or(nobody).unwrap_or(NOBODIES - id),
            at_s: u32::try_from(at_ms / 1_000).unwrap_or(0),
            kind,
            id,
            name: sold.names.place(word(row, 6)?),
            origin: sold.origins.place(&origin),
            currency: Currency::parse(word(row, 5)?),
            minor,
            net_minor,
        };
        match (contact, nobody, session.and_then(|s| u32::try_from(s).ok()).filter(|s| i64::from(*s) < BROWSERS)) {
            (None, None, Some(session)) => {
                sale.person = 0;
                self.loose.push((session, sale));
            }
            (contact, _, session) => {
                sold.rows.push(sale);
                if let (Some(contact), Some(session), false) = (contact, session, kind == Kind::Refund) {
                    self.led.push(Led { session, at_s: sale.at_s, conversion: id, contact });
                }
            }
        }
        Ok(())
    }
}

impl Sold {
    /// Rows of another list under the places of this one.
    fn taken_over(&mut self, of: &Sold, rows: impl Iterator<Item = Sale>) -> Vec<Sale> {
        let mut places: HashMap<(u32, u32), (u32, u32)> = HashMap::new();
        rows.map(|sale| {
            let (name, origin) = *places.entry((sale.name, sale.origin)).or_insert_with(|| {
                (self.names.place(of.names.all[sale.name as usize].as_str()), self.origins.place(&of.origins.all[sale.origin as usize]))
            });
            Sale { name, origin, ..sale }
        })
        .collect()
    }
}

/// Two lists in their order as one.
fn merged(known: &[Sale], coming: Vec<Sale>) -> Vec<Sale> {
    let mut all = Vec::with_capacity(known.len() + coming.len());
    let mut rest = known;
    for sale in coming {
        let (before, behind) = rest.split_at(rest.partition_point(|row| *row < sale));
        all.extend_from_slice(before);
        all.push(sale);
        rest = behind;
    }
    all.extend_from_slice(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_read_once() {
        let standing = |days: &[i32]| days.iter().map(|d| (Day(*d), 1)).collect::<BTreeMap<_, _>>();
        let span = |from: Option<i32>, to: Option<i32>| Span { from: from.map(Day), to: to.map(Day) };
        assert_eq!(between(&standing(&[])), [span(None, None)]);
        assert_eq!(between(&standing(&[5])), [span(None, Some(4)), span(Some(6), None)]);
        assert_eq!(between(&standing(&[5, 6, 9])), [span(None, Some(4)), span(Some(7), Some(8)), span(Some(10), None)]);
    }
}
