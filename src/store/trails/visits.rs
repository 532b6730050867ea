//! Visits and events of browsers in memory, each with the page that it was on and where it came from. Rows are only ever added,
//! so what is new has a higher number; that rows went (an erasure, their time) is said by a number of its own, and then all are
//! read again. Which browser is whose changes with time: that has its own numbers too.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::named_params;

use super::super::questions::{page, word};
use super::super::scope::SiteConn;
use super::words::{Words, placed};
use crate::error::{Error, Result};

/// Rows read by one question at most: it must not hold up the log for others.
const MOST_READ: i64 = 150_000;
/// Rows of a site that are held, 16 bytes each. Of a larger site the newest ones are.
const MOST_ROWS: i64 = 4_000_000;
/// Of all sites. The one that is asked for is always kept.
const MOST_BYTES: usize = 96 * 1024 * 1024;
/// Touches of the whole box that may have come since, before a site's are read from its own index instead.
const MOST_BEHIND: i64 = 1_000_000;

static VERSIONS: AtomicU64 = AtomicU64::new(1);

/// A visit began, or an event was told of. Ordered by person, then time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// A contact's number, or a browser's with the highest bit set.
    pub person: u32,
    pub at_s: u32,
    /// Its place among the things that are seen.
    pub what: u32,
    pub session: u32,
}

const IS_BROWSER: u32 = 1 << 31;

#[derive(Debug, Clone, Default)]
pub struct Visits {
    pub rows: Arc<Vec<Seen>>,
    words: Arc<Words>,
    people: Arc<People>,
    progress: Progress,
    /// Another one for every change of what is held; no two are the same while the process runs.
    pub version: u64,
    /// Nothing older is held, in milliseconds.
    pub held_from_ms: Option<i64>,
}

/// How much has been read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Progress {
    /// Visits up to this number are read one after the other in time; behind it, by their numbers.
    until_touch: i64,
    next_at: Option<i64>,
    touch: i64,
    event: i64,
    gone: i64,
    has_begun: bool,
    is_whole: bool,
}

/// Whose browser is whose.
#[derive(Debug, Clone, Default)]
struct People {
    contacts: HashMap<u32, u32>,
    /// Contacts that went into others.
    merged: HashMap<u32, u32>,
    linked: i64,
    merge: i64,
}

/// Visits of sites, by the number of the site; what was asked last stands last.
#[derive(Default)]
pub struct Kept(Mutex<Vec<(i64, Arc<Visits>)>>);

/// Rows of visits or events are going to be taken away.
pub fn went(c: &SiteConn) -> Result<()> {
    c.next_number("visit_gone").map(drop)
}

/// The visits as the question's snapshot has them; where many are new, not all of them yet.
pub fn of_site(c: &SiteConn) -> Result<Arc<Visits>> {
    let site = c.site().number();
    let gone: i64 = c.find("select last from numbers where site_id = :site and noun = 'visit_gone'", &[], |row| row.get(0))?.unwrap_or(0);
    let newest: i64 =
        c.find("select id from touches where :site is not null order by id desc limit 1", &[], |row| row.get(0))?.unwrap_or(0);
    let kept = c.trail_visits();
    let known = kept.and_then(|kept| kept.find(site)).filter(|known| known.stands(gone, newest)).unwrap_or_default();
    let mut next = Reading { c, visits: Visits::clone(&known), new: Vec::new() };
    let moved = next.people()?;
    next.read(gone, newest)?;
    if next.new.is_empty() && moved.is_empty() && known.progress == next.visits.progress {
        return Ok(known);
    }
    let visits = Arc::new(next.joined(moved));
    if let Some(kept) = kept {
        kept.keep(site, visits.clone());
    }
    Ok(visits)
}

impl Visits {
    pub fn is_whole(&self) -> bool {
        self.progress.is_whole
    }

    pub fn words(&self) -> &Words {
        &self.words
    }

    /// The last browser that turned out to be somebody's, and the last two contacts that turned out to be one.
    pub fn people_known(&self) -> (i64, i64) {
        (self.people.linked, self.people.merge)
    }

    /// Whose a browser is: a contact, or nobody yet.
    pub fn contact_of(&self, session: u32) -> Option<u32> {
        self.people.contacts.get(&session).map(|contact| self.people.whole(*contact))
    }

    fn stands(&self, gone: i64, newest: i64) -> bool {
        let is_behind = self.progress.is_whole && newest - self.progress.touch > MOST_BEHIND;
        let is_over = self.rows.len() as i64 > MOST_ROWS + MOST_ROWS / 10;
        self.progress.gone == gone && !is_behind && !is_over
    }

    fn person(&self, session: u32) -> u32 {
        self.contact_of(session).unwrap_or(session | IS_BROWSER)
    }
}

impl People {
    /// The contact that one has become.
    fn whole(&self, contact: u32) -> u32 {
        let mut contact = contact;
        // Younger ones go into older ones, so this comes to an end.
        while let Some(kept) = self.merged.get(&contact) {
            contact = *kept;
        }
        contact
    }
}

struct Reading<'r> {
    c: &'r SiteConn<'r>,
    visits: Visits,
    new: Vec<Seen>,
}

impl Reading<'_> {
    /// Reads who is known by now; gives the rows' old people whose rows may be somebody else's now.
    fn people(&mut self) -> Result<Vec<u32>> {
        let mut people = self.visits.people.clone();
        let (linked, merge) = (people.linked, people.merge);
        let mut moved: Vec<u32> = Vec::new();
        let mut is_too_large = false;
        self.c.scan(
            "select linked, id, contact_id from sessions where site_id = :site and linked > :linked and linked is not null order by linked",
            named_params! {":linked": linked},
            |row| {
                let (linked, session, contact): (i64, i64, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let (Some(session), Some(contact)) = (number(session), contact.and_then(number)) else {
                    is_too_large = true;
                    return Ok(false);
                };
                moved.push(self.visits.person(session));
                let people = Arc::make_mut(&mut people);
                people.contacts.insert(session, contact);
                people.linked = linked;
                Ok(true)
            },
        )?;
        self.c.scan(
            "select id, merged, kept from contact_merges where site_id = :site and id > :merge order by id",
            named_params! {":merge": merge},
            |row| {
                let (Some(merged), Some(kept)) = (number(row.get(1)?), number(row.get(2)?)) else {
                    is_too_large = true;
                    return Ok(false);
                };
                moved.push(merged);
                let people = Arc::make_mut(&mut people);
                people.merged.insert(merged, kept);
                people.merge = row.get(0)?;
                Ok(true)
            },
        )?;
        if is_too_large {
            return Err(Error::internal("a browser's or contact's number beyond what trails hold"));
        }
        self.visits.people = people;
        moved.sort_unstable();
        moved.dedup();
        Ok(moved)
    }

    fn read(&mut self, gone: i64, newest: i64) -> Result<()> {
        if !self.visits.progress.has_begun {
            self.begin(gone, newest)?;
        }
        match self.visits.progress.next_at {
            Some(at) => self.in_time(at),
            None => self.by_number(newest),
        }
    }

    fn begin(&mut self, gone: i64, newest: i64) -> Result<()> {
        let first = |most: i64| {
            self.c.find(
                "select at from touches where site_id = :site order by at desc limit 1 offset :most",
                named_params! {":most": most},
                |row| row.get::<_, i64>(0),
            )
        };
        self.visits.held_from_ms = first(MOST_ROWS)?;
        self.visits.progress = Progress {
            until_touch: newest,
            next_at: Some(self.visits.held_from_ms.unwrap_or(i64::MIN)),
            touch: newest,
            gone,
            has_begun: true,
            ..Progress::default()
        };
        Ok(())
    }

    /// The next part of what was there when reading began, by its time.
    fn in_time(&mut self, from: i64) -> Result<()> {
        let end: Option<i64> = self.c.find(
            "select at from touches where site_id = :site and at > :from order by at limit 1 offset :most",
            named_params! {":from": from, ":most": MOST_READ},
            |row| row.get(0),
        )?;
        let until = self.visits.progress.until_touch;
        self.touches(
            "select id, session_id, at, landing, source, medium, campaign from touches
             where site_id = :site and at >= :from and at < :end and id <= :until",
            named_params! {":from": from, ":end": end.unwrap_or(i64::MAX), ":until": until},
        )?;
        self.visits.progress.next_at = end;
        Ok(())
    }

    /// What has come since, of the whole box in the order of numbers; then the events.
    fn by_number(&mut self, newest: i64) -> Result<()> {
        let after = self.visits.progress.touch;
        let read = self.touches(
            // The plus keeps SQLite to the numbers: what is new stands at their end.
            "select id, session_id, at, landing, source, medium, campaign from touches
             where +site_id = :site and id > :after order by id limit :most",
            named_params! {":after": after, ":most": MOST_READ},
        )?;
        if read == MOST_READ {
            return Ok(());
        }
        // Also past what is of other sites.
        self.visits.progress.touch = newest.max(after);
        let events = self.events()?;
        self.visits.progress.is_whole = events < MOST_READ;
        Ok(())
    }

    fn touches(&mut self, sql: &str, params: super::super::scope::Params) -> Result<i64> {
        let mut read = 0;
        let mut is_too_large = false;
        let mut last = self.visits.progress.touch;
        let held_from = self.visits.held_from_ms.unwrap_or(i64::MIN);
        let (words, new) = (&mut self.visits.words, &mut self.new);
        self.c.scan(sql, params, |row| {
            read += 1;
            last = last.max(row.get(0)?);
            let at: i64 = row.get(2)?;
            let Some(session) = number(row.get(1)?) else {
                is_too_large = true;
                return Ok(false);
            };
            if at < held_from {
                return Ok(true);
            }
            let origin = (word(row, 4)?, word(row, 5)?, word(row, 6)?);
            let what = placed(words, &page(word(row, 3)?), "", origin);
            new.push(Seen { person: 0, at_s: seconds(at), what, session });
            Ok(true)
        })?;
        self.visits.progress.touch = last;
        if is_too_large { Err(Error::internal("a browser's number beyond what trails hold")) } else { Ok(read) }
    }

    fn events(&mut self) -> Result<i64> {
        let mut read = 0;
        let held_from = self.visits.held_from_ms.unwrap_or(i64::MIN);
        let after = self.visits.progress.event;
        let mut last = after;
        let (words, new) = (&mut self.visits.words, &mut self.new);
        self.c.scan(
            "select id, session_id, at, name, path from page_events where site_id = :site and id > :after order by id limit :most",
            named_params! {":after": after, ":most": MOST_READ},
            |row| {
                read += 1;
                last = row.get(0)?;
                let at: i64 = row.get(2)?;
                let Some(session) = row.get::<_, Option<i64>>(1)?.and_then(number).filter(|_| at >= held_from) else { return Ok(true) };
                let path = word(row, 4)?;
                let path = if path.is_empty() { String::new() } else { page(path) };
                let what = placed(words, &path, word(row, 3)?, ("", "", ""));
                new.push(Seen { person: 0, at_s: seconds(at), what, session });
                Ok(true)
            },
        )?;
        self.visits.progress.event = last;
        Ok(read)
    }

    /// What was known, with what is new, each with the person that it is of now.
    fn joined(self, moved: Vec<u32>) -> Visits {
        let Reading { mut visits, mut new, .. } = self;
        if new.is_empty() && moved.is_empty() {
            return visits;
        }
        let known = visits.rows.clone();
        let mut rest: Vec<&[Seen]> = Vec::with_capacity(moved.len() + 1);
        let mut rows = &known[..];
        for person in moved {
            // In the order of people: each is looked for behind the one before.
            let (before, others) = rows.split_at(rows.partition_point(|row| row.person < person));
            let (theirs, behind) = others.split_at(others.partition_point(|row| row.person == person));
            new.extend_from_slice(theirs);
            rest.push(before);
            rows = behind;
        }
        rest.push(rows);
        for row in &mut new {
            row.person = visits.person(row.session);
        }
        new.sort_unstable();
        let mut all = Vec::with_capacity(rest.iter().map(|part| part.len()).sum::<usize>() + new.len());
        let mut coming = new.into_iter().peekable();
        for part in rest {
            let mut part = part;
            while let Some(first) = coming.next_if(|row| part.last().is_some_and(|last| row < last)) {
                let (before, behind) = part.split_at(part.partition_point(|row| *row < first));
                all.extend_from_slice(before);
                all.push(first);
                part = behind;
            }
            all.extend_from_slice(part);
        }
        all.extend(coming);
        visits.rows = Arc::new(all);
        visits.version = VERSIONS.fetch_add(1, Ordering::Relaxed);
        visits
    }
}

/// Contacts' and browsers' numbers leave room for a mark.
fn number(n: i64) -> Option<u32> {
    u32::try_from(n).ok().filter(|n| *n < IS_BROWSER)
}

fn seconds(ms: i64) -> u32 {
    u32::try_from(ms / 1_000).unwrap_or(if ms < 0 { 0 } else { u32::MAX })
}

impl Kept {
    fn find(&self, site: i64) -> Option<Arc<Visits>> {
        let mut kept = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let place = kept.iter().position(|(id, _)| *id == site)?;
        let found = kept.remove(place);
        let visits = found.1.clone();
        kept.push(found);
        Some(visits)
    }

    fn keep(&self, site: i64, visits: Arc<Visits>) {
        let mut kept = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let known = |v: &Visits| (v.progress.gone, v.progress.is_whole, v.progress.touch, v.progress.event, v.people.linked, v.rows.len());
        // Of two that were read side by side the one that knows more stays.
        if kept.iter().any(|(id, other)| *id == site && known(other) > known(&visits)) {
            return;
        }
        kept.retain(|(id, _)| *id != site);
        kept.push((site, visits));
        let bytes = |kept: &[(i64, Arc<Visits>)]| kept.iter().map(|(_, v)| v.rows.len() * size_of::<Seen>()).sum::<usize>();
        while kept.len() > 1 && bytes(&kept) > MOST_BYTES {
            kept.remove(0);
        }
    }
}
