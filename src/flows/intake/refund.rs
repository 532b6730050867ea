//! Single refunds of a sale: each a line of its own on its own day, whichever telling brought it and when.

use std::collections::BTreeMap;

use crate::domain::ids::{ConversionId, OrderId, RefundId};
use crate::domain::money::Money;
use crate::domain::refund::{Standing, counted};
use crate::domain::time::{Day, Time};
use crate::error::Result;
use crate::store::entries::{self, NewEntry};
use crate::store::orders::OrderWord;
use crate::store::refunds::{self, Known};
use crate::store::reports;
use crate::store::scope::SiteConn;

use super::Context;

/// A refund of the order that speaks, and how much of it comes off.
pub struct Counted {
    pub refund: Known,
    pub counted_minor: i64,
    /// It was told once and is missing in a newer whole list: the shop has taken it back.
    pub is_taken_back: bool,
}

/// Brings the lines of single refunds to what is known of them, and says whether any was added. `others` are refunds that
/// somebody else has told of the same sale: theirs are the same money, or have been taken back.
pub fn book_all(x: &Context, id: ConversionId, told: &Refunds, others: &[Refunds]) -> Result<bool> {
    let mut booked: BTreeMap<RefundId, Vec<(Time, Money)>> = BTreeMap::new();
    for line in entries::list_of_refunds(x.c, id)? {
        booked.entry(line.refund).or_default().push((line.happened_at, line.amount));
    }
    let mut is_changed = false;
    for one in &told.all {
        let lines = booked.remove(&one.refund.id).unwrap_or_default();
        is_changed |= book_one(x, id, &told.word, one, &lines)?;
    }
    for other in others {
        for one in other.all.iter().filter(|one| one.is_taken_back) {
            let Some(lines) = booked.remove(&one.refund.id) else { continue };
            is_changed |= book_one(x, id, &other.word, one, &lines)?;
        }
    }
    for (refund, lines) in booked {
        for ((at, currency), minor) in sums(&lines) {
            let line = Line { refund, amount: Money::new(-minor, currency), at, order: None, note: Some("told by another report as well") };
            is_changed |= line.add(x, id)?;
        }
    }
    Ok(is_changed)
}

/// The single refunds of one report of a sale.
pub struct Refunds {
    /// With what the sale came to as its total.
    pub word: OrderWord,
    pub all: Vec<Counted>,
}

impl Refunds {
    /// None of them takes off more than is left of `total`.
    pub fn of(c: &SiteConn, word: &OrderWord, total: Money) -> Result<Self> {
        let word = OrderWord { total, ..word.clone() };
        Ok(Self { all: counted_of(c, &word)?, word })
    }

    pub fn minor(&self) -> i64 {
        self.all.iter().map(|one| one.counted_minor).sum()
    }
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
fn counted_of(c: &SiteConn, word: &OrderWord) -> Result<Vec<Counted>> {
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
            let line = Line { refund: one.refund.id, amount, at, order: Some(word.id), note: Some("this refund was taken back") };
            is_changed = line.add(x, id)?;
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
        let amount = Money::new(-minor, word.total.currency);
        is_changed |= Line { refund: one.refund.id, amount, at, order: Some(word.id), note }.add(x, id)?;
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

struct Line<'a> {
    refund: RefundId,
    amount: Money,
    at: Time,
    /// Who told.
    order: Option<OrderId>,
    note: Option<&'a str>,
}

impl Line<'_> {
    fn add(self, x: &Context, id: ConversionId) -> Result<bool> {
        let report = self.order.map(|order| reports::find_of_order(x.c, id, order)).transpose()?.flatten();
        entries::add(
            x.c,
            &NewEntry {
                conversion: id,
                kind: "refund",
                amount: self.amount,
                happened_at: self.at,
                book_day: x.site.zone.day(self.at),
                report,
                refund: Some(self.refund),
                note: self.note,
            },
        )?;
        Ok(true)
    }
}
