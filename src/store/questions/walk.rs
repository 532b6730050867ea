//! Conversions that count, and the entries of their money, row by row as reports look at them: with where they were, and
//! with the path that their credit has kept.

use rusqlite::{Row, named_params};

use super::super::sales;
use super::super::scope::SiteConn;
use super::answers::Piece;
use super::sums::marks;
use super::visits::Origin;
use super::word;
use crate::domain::attribution::{PathTouch, Policy, weights};
use crate::domain::campaign::NOT_SET;
use crate::domain::ids::ConversionId;
use crate::domain::question::{Choice, ConversionFilter, Lens, Marks, Whereabouts};
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
    /// As it was first told.
    pub amount_minor: Option<i64>,
    pub net_minor: Option<i64>,
    /// The fact's own word on marketing.
    consent_given: Option<bool>,
    /// What the browser of somebody who was erased had answered.
    marketing: Option<&'r str>,
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
    /// The words of the one advertisement or link, where it has them.
    pub content: String,
    pub term: String,
}

/// What of a credited visit a table is by, where it is more than where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    None,
    Landing,
    Content,
    Term,
}

impl Earner {
    /// The empty word for nobody, and where it is not asked for.
    pub fn detail(&self, of: Detail) -> &str {
        let word = match of {
            Detail::None => return "",
            Detail::Landing => &self.page,
            Detail::Content => &self.content,
            Detail::Term => &self.term,
        };
        if word.is_empty() && !self.origin.0.is_empty() { NOT_SET } else { word }
    }
}

// What both walks read of a conversion; `->>` gives the last touch of the path, which stands in the order of time.
const COLUMNS: &str = "c.id, c.kind, c.source, c.medium, c.campaign, c.match_type, c.status, c.currency, c.happened_at,
    coalesce(c.country, s.country), coalesce(s.device, c.device), k.path, k.policy,
    case when json_valid(k.snapshot) then k.snapshot ->> '$.days_to_convert' end, c.amount_minor, c.net_minor, c.consent_given, c.marketing";
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

/// Conversions of a time, those that are not counted too, as far as they fit what the ledger's own columns do not say.
pub(super) fn all(c: &SiteConn, (from, to): (Time, Time), filter: &ConversionFilter, mut on: impl FnMut(&Walked, bool)) -> Result<()> {
    let sql = format!(
        "select {COLUMNS}, c.counts from conversions c {BESIDE}
         where c.site_id = :site and c.happened_at >= :from and c.happened_at < :to"
    );
    let mut failed: Option<Error> = None;
    c.scan(&sql, named_params! {":from": from.ms(), ":to": to.ms()}, |row| {
        let (walked, id, is_counted) = (read(row)?, row.get(0)?, row.get(18)?);
        match walked.is_taken(c, filter).and_then(|is_taken| Ok(is_taken && is_told(c, filter, id)?)) {
            Ok(true) => on(&walked, is_counted),
            Ok(false) => {}
            Err(e) => failed = Some(e),
        }
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
        let booked = Booked { day: Day(row.get(18)?), kind: word(row, 19)?, currency: word(row, 20)?, amount_minor: row.get(21)? };
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
        amount_minor: row.get(14)?,
        net_minor: row.get(15)?,
        consent_given: row.get(16)?,
        marketing: row.get_ref(17)?.as_str_or_null()?,
    })
}

fn takes(c: &SiteConn, filter: &ConversionFilter, walked: &Walked, id: i64) -> Result<bool> {
    Ok(filter.admits(&walked.marks) && walked.is_taken(c, filter)? && is_told(c, filter, id)?)
}

/// Whether a filter that asks for what the ledger's own columns do not say takes this one: where and by what it came about, how
/// much it was, who has told of it or was told.
pub(super) fn fits(c: &SiteConn, filter: &ConversionFilter, conversion: i64) -> Result<bool> {
    if !is_told(c, filter, conversion)? {
        return Ok(false);
    }
    if !filter.asks_row() {
        return Ok(true);
    }
    let sql = format!("select {COLUMNS} from conversions c {BESIDE} where c.site_id = :site and c.id = :id");
    c.find(&sql, named_params! {":id": conversion}, |row| Ok(read(row)?.is_taken(c, filter)))?.unwrap_or(Ok(false))
}

/// Whether a chat led to it, where that is asked.
fn is_helped(c: &SiteConn, filter: &ConversionFilter, conversion: i64) -> Result<bool> {
    if filter.chat.is_open() {
        return Ok(true);
    }
    let found = c.find(
        "select 1 from chat_assists where site_id = :site and conversion_id = :id and method <> 'no_match'",
        named_params! {":id": conversion},
        |_| Ok(()),
    )?;
    Ok(filter.chat.admits(if found.is_some() { "yes" } else { "no" }))
}

/// Whether its buyer had bought before, where that is asked.
fn is_of_customers(c: &SiteConn, filter: &ConversionFilter, conversion: i64) -> Result<bool> {
    Ok(filter.customers.is_open() || filter.customers.admits(&sales::buyer(c, ConversionId::new(conversion))?))
}

/// Whether the partner who earns it is asked for.
fn is_of_partner(c: &SiteConn, filter: &ConversionFilter, conversion: i64) -> Result<bool> {
    if filter.affiliate.is_open() {
        return Ok(true);
    }
    let code: Option<String> = c.find(
        "select coalesce((select k.shown from affiliate_codes k where k.site_id = e.site_id and k.affiliate_id = e.affiliate_id
           and k.kind = 'code' order by k.place limit 1), e.code)
         from affiliate_credits e where e.site_id = :site and e.conversion_id = :id",
        named_params! {":id": conversion},
        |row| row.get(0),
    )?;
    let code = code.unwrap_or_default();
    Ok(filter.affiliate.admits_named(&code, if code.is_empty() { NOT_SET } else { &code }))
}

/// Whether one of the platforms, and one of the connections, has told of the conversion or was told.
fn is_told(c: &SiteConn, filter: &ConversionFilter, conversion: i64) -> Result<bool> {
    if !is_helped(c, filter, conversion)? || !is_of_customers(c, filter, conversion)? || !is_of_partner(c, filter, conversion)? {
        return Ok(false);
    }
    if !filter.asks_platforms() {
        return Ok(true);
    }
    let all: Vec<(String, String)> = c.list(
        "select platform, cast(connection_id as text) from reports where site_id = :site and conversion_id = :id
         union all select platform, cast(connection_id as text) from deliveries where site_id = :site and conversion_id = :id",
        named_params! {":id": conversion},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let takes = |choice: &Choice, of: fn(&(String, String)) -> &str| choice.is_open() || choice.admits_any(all.iter().map(of));
    Ok(takes(&filter.platform, |(platform, _)| platform) && takes(&filter.connection, |(_, connection)| connection))
}

/// What of the rows beside the conversions an answer goes by that are told of and told to: their newest. It is part of the name
/// under which an answer is kept, for no conversion changes when one of them comes.
pub(super) fn newest_told(c: &SiteConn, filter: &ConversionFilter) -> Result<String> {
    // A partner's name in a filter is the first code, which the owner may change.
    let codes: String = match filter.affiliate.is_open() {
        true => String::new(),
        false => {
            c.one("select coalesce(group_concat(affiliate_id || shown || place), '') from affiliate_codes where site_id = :site", &[])?
        }
    };
    if !filter.asks_platforms() {
        return Ok(codes);
    }
    let newest: String = c.one(
        "select coalesce((select max(id) from reports where site_id = :site), 0) || ' ' || coalesce((select max(id) from deliveries where site_id = :site), 0)",
        &[],
    )?;
    Ok(format!("{codes} {newest}"))
}

impl Walked<'_> {
    fn is_taken(&self, c: &SiteConn, filter: &ConversionFilter) -> Result<bool> {
        if !filter.amount.is_open() && !filter.amount.admits(self.amount_minor, self.marks.currency) {
            return Ok(false);
        }
        if !filter.asks_whereabouts() {
            return Ok(true);
        }
        let consent = if filter.consent.is_open() { String::new() } else { self.consent(c)? };
        let place = Whereabouts {
            country: self.country,
            device: self.device,
            consent: &consent,
            is_nobodys: self.marks.source.is_empty(),
            ..Whereabouts::default()
        };
        // The visit is looked for only where it is asked for.
        if !filter.asks_visit() {
            return Ok(filter.admits_whereabouts(&place));
        }
        let path = self.path()?;
        let landed = if place.is_nobodys { None } else { self.landed(&path) };
        let Some(PathTouch { touch, .. }) = landed else { return Ok(filter.admits_whereabouts(&place)) };
        let landing = touch.landing.as_deref().map(page).unwrap_or_default();
        let word = |word: &'_ Option<String>| word.clone().unwrap_or_default();
        let (content, term, click, referrer) = (word(&touch.content), word(&touch.term), word(&touch.click), word(&touch.referrer));
        let place = Whereabouts { landing: &landing, content: &content, term: &term, click: &click, referrer: &referrer, ..place };
        Ok(filter.admits_whereabouts(&place))
    }

    /// What was said to marketing when it happened: the fact's own word, else what held at the last visit before it.
    fn consent(&self, c: &SiteConn) -> Result<String> {
        match (self.consent_given, self.marketing, self.path()?.last()) {
            (Some(true), ..) => Ok("granted".into()),
            (Some(false), ..) => Ok("denied".into()),
            (None, Some(kept), _) => Ok(kept.to_owned()),
            (None, None, None) => Ok(String::new()),
            (None, None, Some(last)) => Ok(c
                .find(
                    "select marketing from touches where site_id = :site and session_id = :session and seq = :seq",
                    named_params! {":session": last.touch.session, ":seq": last.touch.seq},
                    |row| row.get(0),
                )?
                .unwrap_or_default()),
        }
    }

    /// The touch that the books name: the one with the largest share, the later of two equals.
    fn landed<'p>(&self, path: &'p [PathTouch]) -> Option<&'p PathTouch> {
        let weights = self.weights_of_the_books(path);
        let most = weights.iter().copied().max().filter(|w| *w > 0);
        path.iter().zip(&weights).rev().find(|(_, w)| Some(**w) == most).map(|(p, _)| p)
    }

    fn weights_of_the_books(&self, path: &[PathTouch]) -> Vec<u64> {
        let policy: Policy = serde_json::from_str(self.policy).unwrap_or_default();
        weights(policy.model, path, self.happened_at, Lens::of(&policy).window_of(self.marks.kind).days())
    }

    /// As it is stored; nothing where there is no credit.
    pub fn path_text(&self) -> &str {
        self.path
    }

    pub fn path(&self) -> Result<Vec<PathTouch>> {
        if self.path.is_empty() { Ok(Vec::new()) } else { serde_json::from_str(self.path).map_err(Error::internal) }
    }

    pub fn credited(&self, view: View, path: &[PathTouch]) -> Result<Credited> {
        let own = || {
            let origin = (self.marks.source.to_owned(), self.marks.medium.to_owned(), self.marks.campaign.to_owned());
            Earner { origin, ..Earner::default() }
        };
        let lens = match view {
            View::Books => {
                let own = own();
                let to = match self.landed(path) {
                    Some(p) if !own.origin.0.is_empty() => Earner { origin: own.origin, ..earner(p) },
                    _ => own,
                };
                return Ok(Credited { to: vec![to], weights: vec![1] });
            }
            View::Through(lens) => lens,
        };
        let weights = weights(lens.model, path, self.happened_at, lens.window_of(self.marks.kind).days());
        if weights.iter().any(|w| *w > 0) {
            return Ok(Credited { to: path.iter().map(earner).collect(), weights });
        }
        // A conversion without touches is credited with what its sender states, through every lens.
        Ok(Credited { to: vec![if path.is_empty() { own() } else { Earner::default() }], weights: vec![1] })
    }
}

fn earner(p: &PathTouch) -> Earner {
    Earner {
        origin: (p.touch.source.clone(), p.touch.medium.clone(), p.touch.campaign.clone().unwrap_or_default()),
        page: p.touch.landing.as_deref().map(page).unwrap_or_default(),
        content: p.touch.content.clone().unwrap_or_default(),
        term: p.touch.term.clone().unwrap_or_default(),
    }
}

/// The page of an address, without what comes behind it.
pub(in crate::store) fn page(landing: &str) -> String {
    let page = landing.split(['?', '#']).next().unwrap_or_default();
    if page.is_empty() { "/".to_owned() } else { page.to_owned() }
}
