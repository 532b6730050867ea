//! The ledger of conversions: one page of it, in either order, of what a filter takes or a search finds.

use std::collections::BTreeSet;

use rusqlite::{Row, named_params};

use super::super::conversions::VOID;
use super::super::scope::SiteConn;
use super::beside::{self, Beside};
use super::json_list;
use super::search::search;
use super::sums::{marks, tally};
use super::walk::fits;
use crate::domain::ids::{ContactId, ConversionId, SessionId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::tally::Sums;
use crate::domain::question::{ConversionFilter, Cursor, Marks, Span, Tally};
use crate::domain::rule::Rules;
use crate::domain::sight::Sight;
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Result};

/// Up to so many rows are put in order by hand; beyond that the index of amounts is walked.
const MOST_SORTED: i64 = 20_000;
/// An export looks at so many rows for one page, so that no page takes long however rare its rows are.
const MOST_LOOKED_AT: usize = 100_000;

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub id: ConversionId,
    pub kind: String,
    pub name: Option<String>,
    pub label: String,
    pub contact: Option<ContactId>,
    pub session: Option<SessionId>,
    pub amount: Option<Money>,
    pub net: Option<Money>,
    pub happened_at: Time,
    pub received_at: Time,
    pub status: String,
    /// Not for tests, drafts and the owner's own people.
    pub counts: bool,
    pub is_imported: bool,
    pub country: Option<String>,
    pub consent_given: Option<bool>,
    pub match_type: String,
    pub is_asserted: bool,
    pub confidence_bp: i64,
    /// Credited in the books; none is unattributed.
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub run: i64,
    pub event_id: String,
    /// Whether its goods go where the law asks for consent first.
    pub goods_ask: Option<bool>,
    pub is_erased: bool,
    pub beside: Beside,
}

const COLUMNS: &str = "id, kind, source, medium, campaign, match_type, status, currency, name, label, contact_id, session_id, amount_minor, \
    net_minor, happened_at, received_at, counts, is_imported, country, consent_given, is_asserted, confidence_bp, run, event_id, goods_ask, \
    erased_at is not null";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    HappenedAt,
    /// The largest first, what has no amount last.
    Amount,
}

impl Order {
    pub fn word(self) -> &'static str {
        match self {
            Order::HappenedAt => "happened_at",
            Order::Amount => "amount",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Wanted {
    pub span: Span,
    pub filter: ConversionFilter,
    pub search: Option<String>,
    pub may_see_people: bool,
    pub order: Order,
    pub cursor: Option<Cursor>,
    pub limit: usize,
}

#[derive(Debug)]
pub struct Page {
    pub lines: Vec<Line>,
    pub next: Option<Cursor>,
    /// Of all that is wanted, not of the page.
    pub tally: Tally,
}

/// A page with its sums.
pub fn page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<Page> {
    if let Some(text) = &wanted.search {
        return found_page(c, zone, wanted, text);
    }
    let tallied = tally(c, zone, wanted.span, &wanted.filter)?;
    // Without a filter every day has its rows; with one, only days that hold some are looked at.
    let places = if wanted.filter.is_open() { vec![wanted.span] } else { tallied.places };
    let (mut lines, next) = match wanted.order {
        Order::HappenedAt => newest(c, zone, &places, wanted, None)?,
        Order::Amount if tallied.tally.count <= MOST_SORTED => largest_of(c, zone, &places, wanted)?,
        Order::Amount => largest(c, zone, wanted)?,
    };
    beside::fill(c, &mut lines)?;
    name(&mut lines, &wanted.filter.rules);
    Ok(Page { lines, next, tally: tallied.tally })
}

/// A page of an export: no sums, and it ends early where rows are rare.
pub fn export_page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<(Vec<Line>, Option<Cursor>)> {
    let (mut lines, next) = match &wanted.search {
        Some(text) => {
            let page = found_page(c, zone, wanted, text)?;
            return Ok((page.lines, page.next));
        }
        None => newest(c, zone, &[wanted.span], wanted, Some(MOST_LOOKED_AT))?,
    };
    beside::fill(c, &mut lines)?;
    name(&mut lines, &wanted.filter.rules);
    Ok((lines, next))
}

pub fn find(c: &SiteConn, id: ConversionId) -> Result<Option<Line>> {
    let mut lines = by_ids(c, [id.number()].into_iter())?;
    beside::fill(c, &mut lines)?;
    Ok(lines.pop())
}

/// Whether somebody who is shown a part is shown this line.
pub fn is_within(line: &Line, sight: &Sight) -> bool {
    sight.segment.filter().is_none_or(|filter| filter.admits(&line.marks()))
}

/// A line for somebody who is shown a part: visits of other sources before it are not told, neither by the path nor by the
/// sentence, which names them.
pub fn keep_within(line: &mut Line, sight: &Sight) {
    let Some(filter) = sight.segment.filter() else { return };
    line.beside.path.retain(|p| filter.admits_origin(&p.touch.source, &p.touch.medium, p.touch.campaign.as_deref().unwrap_or_default()));
    line.beside.reason.clear();
}

/// Walks time backwards, place by place, until the page is full.
fn newest(c: &SiteConn, zone: &Zone, places: &[Span], wanted: &Wanted, most: Option<usize>) -> Result<(Vec<Line>, Option<Cursor>)> {
    let mut lines: Vec<Line> = Vec::new();
    let mut looked_at = 0;
    let mut stopped: Option<Cursor> = None;
    let mut failed: Option<Error> = None;
    let before = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let (start, end) = (before.key.unwrap_or(i64::MAX), before.id);
    let sql = format!(
        "select {COLUMNS} from conversions
         where site_id = :site and happened_at >= :from and happened_at < :to and (happened_at, id) < (:key, :id)
         order by happened_at desc, id desc"
    );
    for place in places.iter().rev() {
        let (from, to) = place.times(zone);
        if from.ms() > start || lines.len() > wanted.limit || stopped.is_some() {
            continue;
        }
        c.scan(&sql, named_params! {":from": from.ms(), ":to": before.end(to.ms()), ":key": start, ":id": end}, |row| {
            looked_at += 1;
            if takes(c, &wanted.filter, &marks(row, 1)?, row.get(0)?, &mut failed) {
                lines.push(read(row)?);
            }
            if most.is_some_and(|most| looked_at >= most) && lines.len() <= wanted.limit {
                stopped = Some(Cursor { key: Some(row.get(14)?), id: row.get(0)? });
                return Ok(false);
            }
            Ok(failed.is_none() && lines.len() <= wanted.limit)
        })?;
    }
    if let Some(e) = failed {
        return Err(e);
    }
    let next = cut(&mut lines, wanted.limit, |l| Some(l.happened_at.ms())).or(stopped);
    Ok((lines, next))
}

/// Few enough to be put in order by hand.
fn largest_of(c: &SiteConn, zone: &Zone, places: &[Span], wanted: &Wanted) -> Result<(Vec<Line>, Option<Cursor>)> {
    let mut all: Vec<(Option<i64>, i64)> = Vec::new();
    let mut failed: Option<Error> = None;
    for place in places {
        let (from, to) = place.times(zone);
        c.scan(
            "select id, kind, source, medium, campaign, match_type, status, currency, amount_minor from conversions
             where site_id = :site and happened_at >= :from and happened_at < :to",
            named_params! {":from": from.ms(), ":to": to.ms()},
            |row| {
                if takes(c, &wanted.filter, &marks(row, 1)?, row.get(0)?, &mut failed) {
                    all.push((row.get(8)?, row.get(0)?));
                }
                Ok(failed.is_none())
            },
        )?;
    }
    if let Some(e) = failed {
        return Err(e);
    }
    all.retain(|place| is_after(wanted.cursor, *place));
    // None is smaller than every amount, and so comes last.
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.truncate(wanted.limit + 1);
    let mut lines = by_ids(c, all.iter().map(|(_, id)| *id))?;
    lines.sort_by_key(|l| std::cmp::Reverse((l.amount.map(|m| m.minor), l.id)));
    let next = cut(&mut lines, wanted.limit, |l| l.amount.map(|m| m.minor));
    Ok((lines, next))
}

/// Walks the index of amounts downwards, then what has none.
fn largest(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<(Vec<Line>, Option<Cursor>)> {
    let (from, to) = wanted.span.times(zone);
    let mut lines: Vec<Line> = Vec::new();
    let mut failed: Option<Error> = None;
    let mut walk = |sql: &str, key: Option<i64>, id: i64, lines: &mut Vec<Line>| {
        let all = named_params! {":from": from.ms(), ":to": to.ms(), ":id": id, ":key": key};
        let params = if key.is_some() { all } else { &all[..3] };
        c.scan(sql, params, |row| {
            if takes(c, &wanted.filter, &marks(row, 1)?, row.get(0)?, &mut failed) {
                lines.push(read(row)?);
            }
            Ok(failed.is_none() && lines.len() <= wanted.limit)
        })
    };
    let is_at_none = wanted.cursor.is_some_and(|cursor| cursor.key.is_none());
    let before = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    if !is_at_none {
        let with_amount = format!(
            "select {COLUMNS} from conversions indexed by conversions__site_id__amount_minor
             where site_id = :site and happened_at >= :from and happened_at < :to
               and amount_minor is not null and (amount_minor, id) < (:key, :id) order by amount_minor desc, id desc"
        );
        walk(&with_amount, before.key, before.id, &mut lines)?;
    }
    if lines.len() <= wanted.limit {
        let without = format!(
            "select {COLUMNS} from conversions indexed by conversions__site_id__amount_minor
             where site_id = :site and happened_at >= :from and happened_at < :to
               and amount_minor is null and id < :id order by id desc"
        );
        walk(&without, None, if is_at_none { before.id } else { i64::MAX }, &mut lines)?;
    }
    if let Some(e) = failed {
        return Err(e);
    }
    let next = cut(&mut lines, wanted.limit, |l| l.amount.map(|m| m.minor));
    Ok((lines, next))
}

/// What a search finds is little: filter, order and sums are made from the rows themselves.
fn found_page(c: &SiteConn, zone: &Zone, wanted: &Wanted, text: &str) -> Result<Page> {
    let ids: BTreeSet<i64> = search(c, text, wanted.may_see_people)?;
    let (from, to) = wanted.span.times(zone);
    let mut tally = Tally::default();
    let mut lines = Vec::new();
    let mut failed: Option<Error> = None;
    for line in by_ids(c, ids.into_iter())? {
        if line.happened_at < from || line.happened_at >= to {
            continue;
        }
        if !fits(c, &wanted.filter, line.id.number())? {
            continue;
        }
        let (amount, net) = (line.amount.map_or(0, |m| m.minor), line.net.map_or(0, |m| m.minor));
        let sums = Sums { count: 1, amount_minor: amount, net_minor: net, ..Sums::default() };
        if line.counts {
            tally.add(&wanted.filter, &line.marks(), &sums);
        }
        if takes(c, &wanted.filter, &line.marks(), line.id.number(), &mut failed) {
            lines.push(line);
        }
    }
    if let Some(e) = failed {
        return Err(e);
    }
    let key = |l: &Line| match wanted.order {
        Order::HappenedAt => Some(l.happened_at.ms()),
        Order::Amount => l.amount.map(|m| m.minor),
    };
    lines.retain(|l| is_after(wanted.cursor, (key(l), l.id.number())));
    lines.sort_by_key(|l| std::cmp::Reverse((key(l), l.id)));
    let next = cut(&mut lines, wanted.limit, key);
    beside::fill(c, &mut lines)?;
    name(&mut lines, &wanted.filter.rules);
    Ok(Page { lines, next, tally })
}

fn name(lines: &mut [Line], rules: &Rules) {
    if !rules.is_empty() {
        lines.iter_mut().for_each(|line| line.name_by(rules));
    }
}

fn is_after(cursor: Option<Cursor>, place: (Option<i64>, i64)) -> bool {
    cursor.is_none_or(|cursor| place < (cursor.key, cursor.id))
}

/// Takes away the one row too many, which only says that there is more.
fn cut(lines: &mut Vec<Line>, limit: usize, key: impl Fn(&Line) -> Option<i64>) -> Option<Cursor> {
    if lines.len() <= limit {
        return None;
    }
    lines.truncate(limit);
    lines.last().map(|l| Cursor { key: key(l), id: l.id.number() })
}

fn takes(c: &SiteConn, filter: &ConversionFilter, marks: &Marks, id: i64, failed: &mut Option<Error>) -> bool {
    if !filter.admits(marks) || marks.status == VOID {
        return false;
    }
    fits(c, filter, id).unwrap_or_else(|e| {
        *failed = Some(e);
        false
    })
}

fn by_ids(c: &SiteConn, ids: impl Iterator<Item = i64>) -> Result<Vec<Line>> {
    c.list(
        &format!("select {COLUMNS} from conversions where site_id = :site and id in (select value from json_each(:ids))"),
        named_params! {":ids": json_list(ids)},
        read,
    )
}

impl Line {
    /// What is shown is called as facets and filters call it. What is stored keeps its words.
    pub fn name_by(&mut self, rules: &Rules) {
        let marks = self.marks();
        let named = marks.named_by(rules);
        let words = [named.source, named.medium, named.campaign].map(str::to_owned);
        for (own, word) in [&mut self.source, &mut self.medium, &mut self.campaign].into_iter().zip(words) {
            if let Some(own) = own {
                *own = word;
            }
        }
        for touch in self.beside.path.iter_mut().map(|p| &mut p.touch) {
            let (source, medium, campaign) = rules.named(&touch.source, &touch.medium, touch.campaign.as_deref().unwrap_or_default());
            let campaign = touch.campaign.is_some().then(|| campaign.to_owned());
            (touch.source, touch.medium, touch.campaign) = (source.to_owned(), medium.to_owned(), campaign);
        }
    }

    pub fn marks(&self) -> Marks<'_> {
        Marks {
            kind: &self.kind,
            source: self.source.as_deref().unwrap_or_default(),
            medium: self.medium.as_deref().unwrap_or_default(),
            campaign: self.campaign.as_deref().unwrap_or_default(),
            match_type: &self.match_type,
            status: &self.status,
            currency: self.amount.as_ref().map_or("", |m| m.currency.code()),
        }
    }
}

fn read(row: &Row) -> rusqlite::Result<Line> {
    let currency: Option<String> = row.get(7)?;
    let currency = currency.as_deref().and_then(Currency::parse);
    let (amount, net): (Option<i64>, Option<i64>) = (row.get(12)?, row.get(13)?);
    let (contact, session): (Option<i64>, Option<i64>) = (row.get(10)?, row.get(11)?);
    Ok(Line {
        id: ConversionId::new(row.get(0)?),
        kind: row.get(1)?,
        source: row.get(2)?,
        medium: row.get(3)?,
        campaign: row.get(4)?,
        match_type: row.get(5)?,
        status: row.get(6)?,
        name: row.get(8)?,
        label: row.get(9)?,
        contact: contact.map(ContactId::new),
        session: session.map(SessionId::new),
        amount: amount.zip(currency).map(|(minor, currency)| Money::new(minor, currency)),
        net: net.zip(currency).map(|(minor, currency)| Money::new(minor, currency)),
        happened_at: Time::from_ms(row.get(14)?),
        received_at: Time::from_ms(row.get(15)?),
        counts: row.get(16)?,
        is_imported: row.get(17)?,
        country: row.get(18)?,
        consent_given: row.get(19)?,
        is_asserted: row.get(20)?,
        confidence_bp: row.get(21)?,
        run: row.get(22)?,
        event_id: row.get(23)?,
        goods_ask: row.get(24)?,
        is_erased: row.get(25)?,
        beside: Beside::default(),
    })
}
