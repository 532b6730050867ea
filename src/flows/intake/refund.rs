//! Single refunds of a sale: each a line of its own on its own day, whichever telling brought it and when.

use std::collections::BTreeMap;

use crate::domain::ids::{ConversionId, RefundId};
use crate::domain::money::Money;
use crate::domain::refund::{Standing, counted};
use crate::domain::time::{Day, Time};
use crate::error::Result;
use crate::store::entries::{self, NewEntry};
use crate::store::orders::OrderWord;
use crate::store::refunds::{self, Known};
use crate::store::scope::SiteConn;

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
    let all = counted_of(x.c, word)?;
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
    let back: i64 = counted_of(x.c, word)?.iter().map(|one| one.counted_minor).sum();
    Ok(word.total.minor - back)
}

/// Refunds of an order as they are known, each with what it takes off.
pub fn counted_of(c: &SiteConn, word: &OrderWord) -> Result<Vec<Counted>> {
    let known = refunds::list_of_order(c, word.connection, &word.external_id)?;
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
