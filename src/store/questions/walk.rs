//! Conversions that count, and the entries of their money, row by row as reports look at them: with where they were, and
//! with the path that their credit has kept.

use rusqlite::{Row, named_params};

use super::super::scope::SiteConn;
use super::answers::Piece;
use super::sums::{marks, tells};
use super::visits::Origin;
use super::word;
use crate::domain::attribution::{PathTouch, Policy, weights};
use crate::domain::campaign::NOT_SET;
use crate::domain::question::{ConversionFilter, Lens, Marks, Whereabouts};
use crate::domain::time::{Day, Time, Zone};
use crate::error::{Error, Result};

/// A conversion, or the one that money was booked for.
pub(super) struct Walked<'r> {
    pub id: i64,
    pub marks: Marks<'r>,
    pub happened_at: Time,
    /// Its own, else that of the browser that came last before it.
    pub country: &'r str,
    pub device: &'r str,
    pub days_to_convert: Option<i64>,
    path: &'r str,
    policy: &'r str,
}

/// Money of a conversion.
pub(super) struct Booked<'r> {
    pub day: Day,
    pub kind: &'r str,
    pub currency: &'r str,
    pub amount_minor: i64,
}

/// Who is credited: the columns, as the books have frozen it, or the path through a lens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum View {
    Books,
    Through(Lens),
}

/// Those who are credited, each with a weight. An empty source and an empty page stand for nobody.
pub(super) struct Credited {
    pub to: Vec<Earner>,
    pub weights: Vec<u64>,
}

/// A visit that is credited, as far as tables name it.
#[derive(Default)]
pub(super) struct Earner {
    pub origin: Origin,
    pub page: String,
    /// The word of the one advertisement or link, where it has one.
    pub content: String,
}

// What both walks read of a conversion; `->>` gives the last touch of the path, which stands in the order of time.
const COLUMNS: &str = "c.id, c.kind, c.source, c.medium, c.campaign, c.match_type, c.status, c.currency, c.happened_at,
    coalesce(c.country, s.country), s.device, k.path, k.policy,
    case when json_valid(k.snapshot) then k.snapshot ->> '$.days_to_convert' end";
const BESIDE: &str = "left join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run
    left join sessions s on s.site_id = c.site_id
      and s.id = coalesce(c.session_id, case when json_valid(k.path) then k.path ->> '$[#-1].session' end)";

/// Conversions by the day they happened.
pub(super) fn conversions(
    c: &SiteConn,
    zone: &Zone,
    piece: &Piece,
    filter: &ConversionFilter,
    mut on: impl FnMut(Day, &Walked) -> Result<()>,
) -> Result<()> {
    let sql = format!(
        "select {COLUMNS} from conversions c {BESIDE}
         where c.site_id = :site and c.happened_at >= :from and c.happened_at < :to and c.counts = 1"
    );
    let mut failed: Option<Error> = None;
    c.scan(&sql, named_params! {":from": piece.from.ms(), ":to": piece.to.ms()}, |row| {
        let walked = read(row)?;
        let day = zone.day(walked.happened_at);
        let done = match piece.holds(day) {
            true => takes(c, filter, &walked, row.get(0)?).and_then(|takes| if takes { on(day, &walked) } else { Ok(()) }),
            false => Ok(()),
        };
        failed = done.err();
        Ok(failed.is_none())
    })?;
    failed.map_or(Ok(()), Err)
}

/// Entries by the day they are booked on.
pub(super) fn entries(
    c: &SiteConn,
    piece: &Piece,
    filter: &ConversionFilter,
    mut on: impl FnMut(&Booked, &Walked, i64) -> Result<()>,
) -> Result<()> {
    let sql = format!(
        "select {COLUMNS}, e.book_day, e.kind, e.currency, e.amount_minor
         from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id {BESIDE}
         where e.site_id = :site and e.book_day between :first and :last and e.happened_at < :until and e.id > :after
           and (e.book_day <> :part or e.id <= :known) and c.counts = 1"
    );
    let mut failed: Option<Error> = None;
    let params = named_params! {":first": piece.days.from.0, ":last": piece.days.to.0, ":until": piece.until.ms(),
    ":after": piece.after_entry, ":part": piece.part.0.0, ":known": piece.part.1};
    c.scan(&sql, params, |row| {
        let (walked, id) = (read(row)?, row.get(0)?);
        let booked = Booked { day: Day(row.get(14)?), kind: word(row, 15)?, currency: word(row, 16)?, amount_minor: row.get(17)? };
        let done = match piece.holds(booked.day) {
            true => takes(c, filter, &walked, id).and_then(|takes| if takes { on(&booked, &walked, id) } else { Ok(()) }),
            false => Ok(()),
        };
        failed = done.err();
        Ok(failed.is_none())
    })?;
    failed.map_or(Ok(()), Err)
}

fn read<'r>(row: &'r Row) -> rusqlite::Result<Walked<'r>> {
    Ok(Walked {
        id: row.get(0)?,
        marks: marks(row, 1)?,
        happened_at: Time::from_ms(row.get(8)?),
        country: word(row, 9)?,
        device: word(row, 10)?,
        path: word(row, 11)?,
        policy: word(row, 12)?,
        days_to_convert: row.get(13)?,
    })
}

fn takes(c: &SiteConn, filter: &ConversionFilter, walked: &Walked, id: i64) -> Result<bool> {
    if !filter.admits(&walked.marks) {
        return Ok(false);
    }
    if filter.asks_whereabouts() && !filter.admits_whereabouts(&walked.whereabouts(filter)?.shown()) {
        return Ok(false);
    }
    if filter.platform.is_open() { Ok(true) } else { tells(c, &filter.platform, id) }
}

/// Whether a filter that asks where a conversion was takes this one.
pub(super) fn is_where(c: &SiteConn, filter: &ConversionFilter, conversion: i64) -> Result<bool> {
    let sql = format!("select {COLUMNS} from conversions c {BESIDE} where c.site_id = :site and c.id = :id");
    let known = c.find(&sql, named_params! {":id": conversion}, |row| {
        let walked = read(row)?;
        Ok(walked.whereabouts(filter).map(|place| filter.admits_whereabouts(&place.shown())))
    })?;
    known.unwrap_or(Ok(false))
}

struct Place {
    country: String,
    device: String,
    landing: String,
}

impl Place {
    fn shown(&self) -> Whereabouts<'_> {
        Whereabouts { country: &self.country, device: &self.device, landing: &self.landing }
    }
}

impl Walked<'_> {
    /// The page is looked for only where it is asked for.
    fn whereabouts(&self, filter: &ConversionFilter) -> Result<Place> {
        let landing = match filter.landing.is_open() {
            true => String::new(),
            false => self.credited(View::Books, &self.path()?)?.to.into_iter().next().map(|e| e.page).unwrap_or_default(),
        };
        let landing = if landing.is_empty() { crate::domain::question::filter::UNATTRIBUTED.into() } else { landing };
        Ok(Place { country: self.country.to_owned(), device: self.device.to_owned(), landing })
    }

    pub fn path(&self) -> Result<Vec<PathTouch>> {
        if self.path.is_empty() { Ok(Vec::new()) } else { serde_json::from_str(self.path).map_err(Error::internal) }
    }

    pub fn credited(&self, view: View, path: &[PathTouch]) -> Result<Credited> {
        let own = || {
            let page = if self.marks.source.is_empty() { String::new() } else { NOT_SET.to_owned() };
            let origin = (self.marks.source.to_owned(), self.marks.medium.to_owned(), self.marks.campaign.to_owned());
            Earner { origin, page, content: String::new() }
        };
        let weights = match view {
            View::Books => {
                let policy: Policy = serde_json::from_str(self.policy).unwrap_or_default();
                weights(policy.model, path, self.happened_at, Lens::of(&policy).window_of(self.marks.kind).days())
            }
            View::Through(lens) => weights(lens.model, path, self.happened_at, lens.window_of(self.marks.kind).days()),
        };
        let is_nobody = weights.iter().all(|w| *w == 0);
        match view {
            View::Books => {
                let own = own();
                // The touch that the books name: the one with the largest share, the later of two equals.
                let most = weights.iter().copied().max().filter(|w| *w > 0);
                let landed = path.iter().zip(&weights).rev().find(|(_, w)| Some(**w) == most);
                let to = match landed {
                    Some((p, _)) if !own.origin.0.is_empty() => Earner { origin: own.origin, page: page_of(p), content: content_of(p) },
                    _ => own,
                };
                Ok(Credited { to: vec![to], weights: vec![1] })
            }
            // A conversion without touches is credited with what its sender states, through every lens.
            View::Through(_) if is_nobody && path.is_empty() => Ok(Credited { to: vec![own()], weights: vec![1] }),
            View::Through(_) if is_nobody => Ok(Credited { to: vec![Earner::default()], weights: vec![1] }),
            View::Through(_) => {
                let earner = |p: &PathTouch| Earner { origin: origin_of(p), page: page_of(p), content: content_of(p) };
                Ok(Credited { to: path.iter().map(earner).collect(), weights })
            }
        }
    }
}

fn origin_of(p: &PathTouch) -> Origin {
    (p.touch.source.clone(), p.touch.medium.clone(), p.touch.campaign.clone().unwrap_or_default())
}

fn content_of(p: &PathTouch) -> String {
    p.touch.content.clone().unwrap_or_default()
}

fn page_of(p: &PathTouch) -> String {
    p.touch.landing.as_deref().map_or_else(|| NOT_SET.to_owned(), page)
}

/// The page of an address, without what comes behind it.
pub(super) fn page(landing: &str) -> String {
    let page = landing.split(['?', '#']).next().unwrap_or_default();
    if page.is_empty() { "/".to_owned() } else { page.to_owned() }
}
