//! All steps of a site in memory, as small as they get and ordered by person: figures over people cannot be added up from
//! days, and a walk over a year of rows would take a second. Read once, then only what has changed since; the number that
//! tells is read in the question's own snapshot, so that nothing is ever stale.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use rusqlite::named_params;

use super::super::questions::visits::Origin;
use super::super::scope::SiteConn;
use crate::domain::campaign::{ClickKind, Utm};
use crate::domain::milestone::{CameFrom, touchpoint};
use crate::domain::question::funnel::{Enrolled, Step};
use crate::domain::time::Time;
use crate::error::{Error, Result};

/// Rows read by one question at most: it must not hold up the log for others.
const MOST_ROWS: usize = 150_000;
/// Moves of one booking that are followed.
const MOST_MOVES: usize = 32;
/// Bytes of the steps of all sites. The one that is asked for is always kept.
const MOST_BYTES: usize = 96 * 1024 * 1024;

#[derive(Default)]
pub struct Walks {
    /// By the number of the site; what was asked last stands last.
    kept: Mutex<Vec<(i64, Arc<Walked>)>>,
}

/// The steps of one site.
#[derive(Default)]
pub struct Walked {
    /// Ordered by person and time.
    pub steps: Vec<Step>,
    pub sources: Vec<String>,
    pub kinds: Vec<String>,
    /// Where steps say that their people came from. The first is nowhere.
    pub origins: Arc<Origins>,
    /// Bookings that were moved, and got another number by that: the one before, by the new one.
    moved: Arc<HashMap<u32, u32>>,
    /// The last change that is in it.
    seen: i64,
    newest_id: u32,
    /// There is more to be read.
    pub is_whole: bool,
}

/// Origins with the words that they were told in.
#[derive(Clone, Default)]
pub struct Origins {
    pub all: Vec<Origin>,
    known: HashMap<Told, u16>,
}

/// Source, medium and campaign as told, and the kind of the click id.
type Told = [Option<String>; 4];

impl Walked {
    /// The last change of a row that it knows of.
    pub fn seen(&self) -> i64 {
        self.seen
    }

    /// The number under which a booking was made, however often it was moved since.
    pub fn first_of(&self, booking: u32) -> u32 {
        let mut first = booking;
        for _ in 0..MOST_MOVES {
            match self.moved.get(&first) {
                Some(before) => first = *before,
                None => break,
            }
        }
        first
    }
}

/// The steps as the question's snapshot has them; where many are new, not all of them yet.
pub fn of_site(c: &SiteConn) -> Result<Arc<Walked>> {
    let known = c.walks().and_then(|walks| walks.find(c.site().number())).unwrap_or_default();
    let (new, seen) = changes(c, &known)?;
    if new.read == 0 && known.is_whole && seen == known.seen {
        return Ok(known);
    }
    let is_whole = new.read < MOST_ROWS;
    let walked = Arc::new(merged(&known, new, seen, is_whole));
    if let Some(walks) = c.walks() {
        walks.keep(c.site().number(), walked.clone());
    }
    Ok(walked)
}

struct Changes {
    rows: Vec<Step>,
    /// Those that are not so any more.
    gone: Vec<u32>,
    sources: Vec<String>,
    kinds: Vec<String>,
    origins: Arc<Origins>,
    moved: Arc<HashMap<u32, u32>>,
    read: usize,
}

fn changes(c: &SiteConn, known: &Walked) -> Result<(Changes, i64)> {
    let (sources, kinds, origins) = (known.sources.clone(), known.kinds.clone(), known.origins.clone());
    let mut new = Changes { rows: Vec::new(), gone: Vec::new(), sources, kinds, origins, moved: known.moved.clone(), read: 0 };
    let mut seen = known.seen;
    let mut is_too_large = false;
    c.scan(
        "select changed, id, contact_id, at, source, kind, starts_at, utm_source, utm_medium, utm_campaign, click_kind, undone_at,
           booking, moved_from, told_at is null
         from milestones where site_id = :site and changed > :seen order by changed limit :most",
        named_params! {":seen": known.seen, ":most": MOST_ROWS as i64},
        |row| {
            seen = row.get(0)?;
            new.read += 1;
            if row.get::<_, Option<i64>>(11)?.is_some() {
                new.gone.extend(u32::try_from(row.get::<_, i64>(1)?).ok());
                return Ok(true);
            }
            // Of nobody: no person to count.
            let Some(person) = row.get::<_, Option<i64>>(2)? else { return Ok(true) };
            let (id, at): (i64, i64) = (row.get(1)?, row.get(3)?);
            let source = place(&mut new.sources, row.get_ref(4)?.as_str()?);
            let (booking, before): (u32, u32) = (row.get(12)?, row.get(13)?);
            if before > 0 && booking > 0 && before != booking {
                Arc::make_mut(&mut new.moved).insert(booking, before);
            }
            let kind = place(&mut new.kinds, row.get_ref(5)?.as_str()?);
            let seconds = |ms: i64| u32::try_from(ms / 1_000).unwrap_or(u32::MAX);
            let starts_s = row.get::<_, Option<i64>>(6)?.map_or(0, seconds);
            let is_guess = row.get(14)?;
            let origin = origin(&mut new.origins, [row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?]);
            match (u32::try_from(id), i32::try_from(person), u8::try_from(source), u16::try_from(kind)) {
                (Ok(id), Ok(person), Ok(source), Ok(kind)) => {
                    new.rows.push(Step { person, at_s: seconds(at), id, kind, source, origin, starts_s, is_guess, booking });
                }
                _ => is_too_large = true,
            }
            Ok(true)
        },
    )?;
    if is_too_large {
        return Err(Error::internal("a site has more steps, people or words than are counted"));
    }
    Ok((new, seen))
}

/// A step that names a campaign or a click is a touch. Of more origins than are told apart the rest are nobody's.
fn origin(origins: &mut Arc<Origins>, told: Told) -> u16 {
    if told.iter().all(Option::is_none) {
        return 0;
    }
    if let Some(place) = origins.known.get(&told) {
        return *place;
    }
    let origins = Arc::make_mut(origins);
    if origins.all.is_empty() {
        origins.all.push(Origin::default());
    }
    let [source, medium, campaign, click] = told.clone();
    let from = CameFrom {
        utm: Utm { source, medium, campaign, ..Utm::default() },
        referrer: None,
        click: click.as_deref().and_then(ClickKind::from_name),
    };
    let place = match (touchpoint(&from, Time::from_ms(0), &[]), u16::try_from(origins.all.len())) {
        (Some(touch), Ok(place)) => {
            origins.all.push((touch.source, touch.medium, touch.campaign.unwrap_or_default()));
            place
        }
        _ => 0,
    };
    origins.known.insert(told, place);
    place
}

fn place(words: &mut Vec<String>, word: &str) -> usize {
    words.iter().position(|known| known == word).unwrap_or_else(|| {
        words.push(word.to_owned());
        words.len() - 1
    })
}

/// What was known without what has changed, and with what it is now.
fn merged(known: &Walked, mut new: Changes, seen: i64, is_whole: bool) -> Walked {
    let again: HashSet<u32> = new.rows.iter().map(|s| s.id).chain(new.gone.iter().copied()).filter(|id| *id <= known.newest_id).collect();
    let newest_id = new.rows.iter().map(|s| s.id).max().unwrap_or(0).max(known.newest_id);
    new.rows.sort_unstable();
    let mut steps = Vec::with_capacity(known.steps.len() + new.rows.len());
    let mut rest = new.rows.into_iter().peekable();
    for old in known.steps.iter().filter(|s| again.is_empty() || !again.contains(&s.id)) {
        while let Some(step) = rest.next_if(|s| s < old) {
            steps.push(step);
        }
        steps.push(*old);
    }
    steps.extend(rest);
    let (sources, kinds, origins, moved) = (new.sources, new.kinds, new.origins, new.moved);
    Walked { steps, sources, kinds, origins, moved, seen, newest_id, is_whole }
}

impl Walks {
    fn find(&self, site: i64) -> Option<Arc<Walked>> {
        let mut kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        let place = kept.iter().position(|(id, _)| *id == site)?;
        let found = kept.remove(place);
        let walked = found.1.clone();
        kept.push(found);
        Some(walked)
    }

    fn keep(&self, site: i64, walked: Arc<Walked>) {
        let mut kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        // Of two that were read side by side the one that knows more stays.
        if kept.iter().any(|(id, known)| *id == site && known.seen > walked.seen) {
            return;
        }
        kept.retain(|(id, _)| *id != site);
        kept.push((site, walked));
        let bytes = |kept: &[(i64, Arc<Walked>)]| kept.iter().map(|(_, w)| w.steps.len() * size_of::<Step>()).sum::<usize>();
        while kept.len() > 1 && bytes(&kept) > MOST_BYTES {
            kept.remove(0);
        }
    }
}

/// Sign-ups between two moments, ordered by person, then time.
pub fn enrolled(c: &SiteConn, from_ms: i64, to_ms: i64) -> Result<Vec<Enrolled>> {
    let mut found = Vec::new();
    c.scan(
        "select contact_id, days, at from enrolments where site_id = :site and at >= :from and at < :to order by at",
        named_params! {":from": from_ms, ":to": to_ms},
        |row| {
            if let Some(person) = row.get::<_, Option<i64>>(0)?.and_then(|n| i32::try_from(n).ok()) {
                let at_s = u32::try_from(row.get::<_, i64>(2)? / 1_000).unwrap_or(u32::MAX);
                found.push(Enrolled { person, at_s, days: row.get(1)? });
            }
            Ok(true)
        },
    )?;
    // A sort that keeps the order of equals: the earliest of each stays first.
    found.sort_by_key(|one| one.person);
    Ok(found)
}
