//! Single refunds of a sale: each a line of its own on its own day, whichever telling brought it and when.

use std::collections::BTreeMap;

use crate::domain::ids::{ConversionId, RefundId};
use crate::domain::money::Money;
use crate::domain::refund::{Standing, counted, to_tell};
use crate::domain::time::{Day, Time};
use crate::error::Result;
use crate::flows::planning;
use crate::store::conversions::Conversion;
use crate::store::deliveries::Made;
use crate::store::entries::{self, NewEntry};
use crate::store::orders::OrderWord;
use crate::store::refunds::{self, Known};
use crate::store::reversals::{self, Reversal};

use super::Context;

/// A refund of the order that speaks, and how much of it comes off.
pub struct Counted {
    pub refund: Known,
    pub counted_minor: i64,
    /// It was told once and is missing in a newer whole list: the shop has taken it back.
    pub is_taken_back: bool,
}

/// Brings the lines of single refunds to what is known of them, and says whether any was added.
pub fn book_all(x: &Context, id: ConversionId, word: &OrderWord) -> Result<(Vec<Counted>, bool)> {
    let all = counted_of(x, word)?;
    let mut booked: BTreeMap<RefundId, Vec<(Time, Money)>> = BTreeMap::new();
    for line in entries::list_of_refunds(x.c, id)? {
        booked.entry(line.refund).or_default().push((line.happened_at, line.amount));
    }
    let mut is_changed = false;
    for one in &all {
        let lines = booked.remove(&one.refund.id).unwrap_or_default();
        is_changed |= book_one(x, id, word, one, &lines)?;
    }
    // Refunds of an order that spoke before and does no more.
    for (refund, lines) in booked {
        for ((at, currency), minor) in sums(&lines) {
            is_changed |= line(x, id, refund, Money::new(-minor, currency), at, Some("told by a sender that knows less"))?;
        }
    }
    Ok((all, is_changed))
}

/// What is left of an order by its own word.
pub fn net_of(x: &Context, word: &OrderWord) -> Result<i64> {
    if word.is_over() {
        return Ok(0);
    }
    let back: i64 = counted_of(x, word)?.iter().map(|one| one.counted_minor).sum();
    Ok(word.total.minor - back)
}

/// Deliveries of what went back and no destination has heard of yet: single refunds, and what was left of an order that
/// ended at `at`. A refund that only explains what was told already is noted and not told.
pub fn plan(x: &Context, sale: &Conversion, word: &OrderWord, all: &[Counted], at: Time) -> Result<Vec<Made>> {
    let told = reversals::list_of_conversion(x.c, sale.id)?;
    let currency = word.total.currency;
    let heard = told.iter().filter(|r| r.amount.currency == currency).map(|r| r.amount.minor).sum();
    let is_new = |one: &&Counted| one.counted_minor > 0 && !told.iter().any(|r| r.refund == Some(one.refund.id));
    let new: Vec<&Counted> = all.iter().filter(is_new).collect();
    let minors: Vec<i64> = new.iter().map(|one| one.counted_minor).collect();
    let back: i64 = all.iter().map(|one| one.counted_minor).sum();
    let gone = if word.is_over() { back.max(word.total.minor) } else { back };
    let (minors, rest) = to_tell(gone, heard, &minors);
    let mut planned = Vec::new();
    for (one, minor) in new.into_iter().zip(minors) {
        let plain = one.refund.external_id.rsplit(':').next().unwrap_or(&one.refund.external_id);
        let event_id = if minor > 0 { Some(free_event(x, word, plain)?) } else { None };
        let amount = Money::new(minor, currency);
        let reversal = Reversal { refund: Some(one.refund.id), event_id, amount, happened_at: one.refund.happened_at };
        planned.extend(tell(x, sale, &reversal)?);
    }
    if word.is_over() && rest > 0 {
        let event_id = Some(free_event(x, word, &sale.event_id)?);
        planned.extend(tell(x, sale, &Reversal { refund: None, event_id, amount: Money::new(rest, currency), happened_at: at })?);
    }
    Ok(planned)
}

fn tell(x: &Context, sale: &Conversion, reversal: &Reversal) -> Result<Vec<Made>> {
    reversals::add(x.c, sale.id, reversal)?;
    match &reversal.event_id {
        Some(event_id) => planning::refund(x.c, x.site, x.connections, sale.id, event_id, reversal.happened_at, x.now),
        None => Ok(Vec::new()),
    }
}

/// Two shops may have the same number, and an order may end twice.
fn free_event(x: &Context, word: &OrderWord, plain: &str) -> Result<String> {
    let base = format!("refund_{plain}");
    if reversals::find_by_event(x.c, &base)?.is_none() {
        return Ok(base);
    }
    let own = format!("refund_con{}_{plain}", word.connection);
    let mut event_id = own.clone();
    let mut n = 2;
    while reversals::find_by_event(x.c, &event_id)?.is_some() {
        event_id = format!("{own}_{n}");
        n += 1;
    }
    Ok(event_id)
}

fn counted_of(x: &Context, word: &OrderWord) -> Result<Vec<Counted>> {
    let known = refunds::list_of_order(x.c, word.connection, &word.external_id)?;
    let stands = |r: &Known| r.told_at >= word.refunds_at && r.amount.currency == word.total.currency;
    let standing: Vec<Standing> = known
        .iter()
        .map(|r| Standing { external_id: &r.external_id, happened_at: r.happened_at, minor: if stands(r) { r.amount.minor } else { 0 } })
        .collect();
    let minors = counted(word.total.minor, &standing);
    let all = known.iter().zip(minors).map(|(refund, counted_minor)| Counted {
        refund: refund.clone(),
        counted_minor,
        is_taken_back: refund.told_at < word.refunds_at,
    });
    Ok(all.collect())
}

/// The day of a refund is the earliest that was told: what was booked by a guess moves to it. One that is taken back
/// comes back on the day on which that is known.
fn book_one(x: &Context, id: ConversionId, word: &OrderWord, one: &Counted, lines: &[(Time, Money)]) -> Result<bool> {
    let booked: i64 = lines.iter().map(|(_, amount)| amount.minor).sum();
    let mut is_changed = false;
    if one.is_taken_back {
        if booked != 0 {
            let at = x.read_at.unwrap_or(word.refunds_at.modified_at).max(one.refund.happened_at);
            let amount = Money::new(-booked, word.total.currency);
            is_changed = line(x, id, one.refund.id, amount, at, Some("the shop took this refund back"))?;
        }
        return Ok(is_changed);
    }
    let day = x.site.zone.day(one.refund.happened_at);
    let mut days: BTreeMap<Day, (Time, i64)> = BTreeMap::from([(day, (one.refund.happened_at, one.counted_minor))]);
    for (at, amount) in lines {
        days.entry(x.site.zone.day(*at)).or_insert((*at, 0)).1 += amount.minor;
    }
    for (at, minor) in days.into_values().filter(|(_, minor)| *minor != 0) {
        let note = if lines.is_empty() { None } else { Some("told again") };
        is_changed |= line(x, id, one.refund.id, Money::new(-minor, word.total.currency), at, note)?;
    }
    Ok(is_changed)
}

/// What lines come to by moment and currency, without those that make nothing.
fn sums(lines: &[(Time, Money)]) -> Vec<((Time, crate::domain::money::Currency), i64)> {
    let mut sums: Vec<((Time, crate::domain::money::Currency), i64)> = Vec::new();
    for (at, amount) in lines {
        match sums.iter_mut().find(|((t, c), _)| t == at && *c == amount.currency) {
            Some((_, minor)) => *minor += amount.minor,
            None => sums.push(((*at, amount.currency), amount.minor)),
        }
    }
    sums.retain(|(_, minor)| *minor != 0);
    sums
}

fn line(x: &Context, id: ConversionId, refund: RefundId, amount: Money, at: Time, note: Option<&str>) -> Result<bool> {
    let book_day = x.site.zone.day(at);
    let new = NewEntry { conversion: id, kind: "refund", amount, happened_at: at, book_day, report: None, refund: Some(refund), note };
    entries::add(x.c, &new)?;
    Ok(true)
}
