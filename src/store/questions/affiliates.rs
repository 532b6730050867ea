//! What partners brought and earn on some days. Clicks come from their daily counts, the rest from the ledger of commissions:
//! no question walks over visits or sales.

use std::collections::BTreeMap;

use rusqlite::named_params;
use serde::{Deserialize, Serialize};

use super::super::affiliates::days::{self as clicks, Clicks};
use super::super::scope::SiteConn;
use crate::domain::affiliate::flags::{Seen, UNPROVED};
use crate::domain::ids::{AffiliateId, ConversionId, PayoutId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::Days;
use crate::domain::time::{Day, Time};
use crate::error::Result;

/// Lines of one statement at most.
pub const MOST_LINES: usize = 20_000;

/// Amounts by currency, in minor units; never added across currencies.
pub type Sums = BTreeMap<String, i64>;

/// What one partner, or one code that nobody has, came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub clicks: Clicks,
    pub conversions: i64,
    pub orders: i64,
    pub leads: i64,
    /// What was sold, less what went back.
    pub net: Sums,
    /// What is earned on these days, less what went back of it.
    pub earned: Sums,
    pub pending: Sums,
    pub approved: Sums,
    pub paid: Sums,
    /// What went back of earlier commissions, as amounts above nothing.
    pub reversed: Sums,
    pub seen: Seen,
}

/// A partner by number, or a code that nobody has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    Partner(AffiliateId),
    Nobody(String),
}

/// Figures of everybody who has any on these days. `partner_of` says whose a code is. How commissions stand at a moment, and what
/// looks odd, is worked out where it is asked for.
pub fn all(
    c: &SiteConn,
    days: Days,
    states_at: Option<Time>,
    partner_of: &BTreeMap<String, AffiliateId>,
) -> Result<BTreeMap<Whose, Figures>> {
    let mut found: BTreeMap<Whose, Figures> = BTreeMap::new();
    for (code, clicks) in clicks::by_code(c, days)? {
        let whose = partner_of.get(&code).map_or_else(|| Whose::Nobody(code.clone()), |id| Whose::Partner(*id));
        let figures = found.entry(whose).or_default();
        figures.clicks.clicks += clicks.clicks;
        figures.clicks.bursts += clicks.bursts;
        figures.clicks.ads += clicks.ads;
    }
    let sql = "select affiliate_id, iif(affiliate_id is null, code, ''), kind, base_currency, currency, sum(conversions), sum(base_minor),
           sum(amount_minor)
         from commissions where site_id = :site and book_day between :from and :to group by 1, 2, 3, 4, 5";
    c.scan(sql, named_params! {":from": days.from.0, ":to": days.to.0}, |row| {
        let (kind, currency): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        let figures = found.entry(whose(row.get(0)?, row.get(1)?)).or_default();
        figures.count(&kind, row.get(5)?);
        add(&mut figures.net, currency, row.get(6)?);
        add(&mut figures.earned, row.get(4)?, row.get(7)?);
        Ok(true)
    })?;
    let Some(now) = states_at else { return Ok(found) };
    states(c, days, now, &mut found)?;
    for (whose, figures) in &mut found {
        if let Whose::Partner(id) = whose {
            figures.seen = seen(c, *id, days, figures.clicks)?;
        }
    }
    Ok(found)
}

/// Figures of one, for the conversions API: a partner with all codes, or one code that nobody has.
pub fn one(c: &SiteConn, whose: &Whose, codes: &[String], days: Days) -> Result<Figures> {
    let mut figures = Figures::default();
    for code in codes {
        figures.clicks.clicks += clicks::of_code(c, code, days)?.clicks;
    }
    let (sql, id, code) = match whose {
        Whose::Partner(id) => (
            "select kind, base_currency, currency, sum(conversions), sum(base_minor), sum(amount_minor) from commissions
             where site_id = :site and affiliate_id = :id and :code is null and book_day between :from and :to group by 1, 2, 3",
            Some(id.number()),
            None,
        ),
        Whose::Nobody(code) => (
            "select kind, base_currency, currency, sum(conversions), sum(base_minor), sum(amount_minor) from commissions
             where site_id = :site and affiliate_id is null and code = :code and :id is null and book_day between :from and :to group by 1, 2, 3",
            None,
            Some(code.as_str()),
        ),
    };
    c.scan(sql, named_params! {":id": id, ":code": code, ":from": days.from.0, ":to": days.to.0}, |row| {
        let kind: String = row.get(0)?;
        figures.count(&kind, row.get(3)?);
        add(&mut figures.net, row.get(1)?, row.get(4)?);
        add(&mut figures.earned, row.get(2)?, row.get(5)?);
        Ok(true)
    })?;
    Ok(figures)
}

/// How the commissions of these days stand now.
fn states(c: &SiteConn, days: Days, now: Time, found: &mut BTreeMap<Whose, Figures>) -> Result<()> {
    let sql = "select k.affiliate_id, iif(k.affiliate_id is null, k.code, ''), k.currency, k.amount_minor < 0, k.payout_id is not null,
           e.verdict is not null or (e.flag is null and e.due_at <= :now) or e.affiliate_id is not k.affiliate_id, sum(k.amount_minor)
         from commissions k left join affiliate_credits e on e.site_id = k.site_id and e.conversion_id = k.conversion_id
         where k.site_id = :site and k.book_day between :from and :to and k.amount_minor <> 0 group by 1, 2, 3, 4, 5, 6";
    c.scan(sql, named_params! {":from": days.from.0, ":to": days.to.0, ":now": now.ms()}, |row| {
        let figures = found.entry(whose(row.get(0)?, row.get(1)?)).or_default();
        let (currency, minor): (Option<String>, i64) = (row.get(2)?, row.get(6)?);
        let (is_back, is_paid, is_due): (bool, bool, Option<bool>) = (row.get(3)?, row.get(4)?, row.get(5)?);
        if is_back {
            add(&mut figures.reversed, currency.clone(), -minor);
        }
        let of = match (is_paid, is_due) {
            (true, _) => &mut figures.paid,
            (false, Some(true)) => &mut figures.approved,
            (false, _) => &mut figures.pending,
        };
        add(of, currency, minor);
        Ok(true)
    })
}

/// What flags go by.
fn seen(c: &SiteConn, id: AffiliateId, days: Days, clicks: Clicks) -> Result<Seen> {
    let found = c.find(
        "select coalesce(sum(e.way = 'coupon'), 0), coalesce(sum(e.way = 'coupon' and e.followed_at is null), 0), coalesce(sum(e.flag is not null and e.flag <> :unproved and e.verdict is null), 0),
           coalesce(sum(e.flag is :unproved and e.verdict is null), 0), coalesce(sum(e.followed_at is not null), 0)
         from affiliate_credits e join conversions v on v.site_id = e.site_id and v.id = e.conversion_id
         where e.site_id = :site and e.affiliate_id = :id and v.book_day between :from and :to",
        named_params! {":id": id.number(), ":from": days.from.0, ":to": days.to.0, ":unproved": UNPROVED},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    )?;
    let (by_coupon, by_coupon_alone, own, unproved, by_link) = found.unwrap_or_default();
    let by_link = Some(by_link);
    Ok(Seen { clicks: clicks.clicks, bursts: clicks.bursts, ads: clicks.ads, by_coupon, by_coupon_alone, own, unproved, by_link })
}

impl Figures {
    fn count(&mut self, kind: &str, conversions: i64) {
        self.conversions += conversions;
        match kind {
            "sale" => self.orders += conversions,
            "lead" => self.leads += conversions,
            _ => {}
        }
    }

    pub fn is_nothing(&self) -> bool {
        self.clicks.clicks == 0 && self.conversions == 0 && self.net.values().all(|m| *m == 0) && self.earned.values().all(|m| *m == 0)
    }
}

/// How a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Pending,
    Approved,
    Paid,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Approved => "approved",
            State::Paid => "paid",
        }
    }
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its number in the ledger.
    pub id: i64,
    pub day: Day,
    pub own_day: Day,
    pub conversion: ConversionId,
    pub label: String,
    pub kind: String,
    pub base: Option<Money>,
    pub amount: Option<Money>,
    pub note: String,
    pub state: State,
    pub due_at: Option<Time>,
    pub flag: Option<String>,
    pub verdict: Option<String>,
    pub verdict_note: Option<String>,
    /// Somebody else earns it now.
    pub is_moved: bool,
    pub payout: Option<PayoutId>,
}

/// What was booked for a partner on these days, in their order.
pub fn lines(c: &SiteConn, id: AffiliateId, days: Days, now: Time) -> Result<Vec<Line>> {
    c.list(
        "select k.book_day, k.own_day, k.conversion_id, v.label, k.kind, k.base_minor, k.base_currency, k.amount_minor, k.currency, k.note,
           k.payout_id, e.due_at, e.flag, e.verdict, e.verdict_note, e.affiliate_id is not k.affiliate_id, k.id
         from commissions k
         join conversions v on v.site_id = k.site_id and v.id = k.conversion_id
         left join affiliate_credits e on e.site_id = k.site_id and e.conversion_id = k.conversion_id
         where k.site_id = :site and k.affiliate_id = :id and k.book_day between :from and :to order by k.book_day, k.id limit :most",
        named_params! {":id": id.number(), ":from": days.from.0, ":to": days.to.0, ":most": MOST_LINES as i64},
        |row| {
            let (base, currency): (Option<String>, Option<String>) = (row.get(6)?, row.get(8)?);
            let (base_minor, minor): (i64, i64) = (row.get(5)?, row.get(7)?);
            let (payout, due_at): (Option<i64>, Option<i64>) = (row.get(10)?, row.get(11)?);
            let (flag, verdict): (Option<String>, Option<String>) = (row.get(12)?, row.get(13)?);
            let is_moved: bool = row.get(15)?;
            let is_due = verdict.is_some() || is_moved || (flag.is_none() && due_at.is_some_and(|at| at <= now.ms()));
            let money = |minor, code: Option<String>| code.as_deref().and_then(Currency::parse).map(|cur| Money::new(minor, cur));
            Ok(Line {
                id: row.get(16)?,
                day: Day(row.get(0)?),
                own_day: Day(row.get(1)?),
                conversion: ConversionId::new(row.get(2)?),
                label: row.get(3)?,
                kind: row.get(4)?,
                base: money(base_minor, base),
                amount: money(minor, currency),
                note: row.get(9)?,
                state: match (payout, is_due) {
                    (Some(_), _) => State::Paid,
                    (None, true) => State::Approved,
                    (None, false) => State::Pending,
                },
                due_at: due_at.map(Time::from_ms),
                flag,
                verdict,
                verdict_note: row.get(14)?,
                is_moved,
                payout: payout.map(PayoutId::new),
            })
        },
    )
}

/// A payment that the owner has made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payout {
    pub id: PayoutId,
    pub amount: Money,
    pub paid_on: Day,
    pub reference: String,
    pub at: Time,
}

/// Payments to a partner, the newest first.
pub fn payouts(c: &SiteConn, id: AffiliateId) -> Result<Vec<Payout>> {
    let all = c.list(
        "select id, amount_minor, currency, paid_on, reference, at from payouts
         where site_id = :site and affiliate_id = :id order by id desc limit 500",
        named_params! {":id": id.number()},
        |row| {
            let code: String = row.get(2)?;
            let minor: i64 = row.get(1)?;
            let amount = Currency::parse(&code).map(|currency| Money::new(minor, currency));
            Ok((row.get::<_, i64>(0)?, amount, row.get::<_, i32>(3)?, row.get::<_, String>(4)?, row.get::<_, i64>(5)?))
        },
    )?;
    let whole = all.into_iter().filter_map(|(id, amount, paid_on, reference, at)| {
        Some(Payout { id: PayoutId::new(id), amount: amount?, paid_on: Day(paid_on), reference, at: Time::from_ms(at) })
    });
    Ok(whole.collect())
}

/// Codes that the conversions API has named, although nobody has them: they count as partners there.
pub fn named_codes(c: &SiteConn) -> Result<Vec<String>> {
    c.list(
        "select distinct code from affiliate_credits where site_id = :site and affiliate_id is null order by code limit 5000",
        &[],
        |row| row.get(0),
    )
}

fn whose(id: Option<i64>, code: String) -> Whose {
    id.map_or(Whose::Nobody(code), |id| Whose::Partner(AffiliateId::new(id)))
}

fn add(sums: &mut Sums, currency: Option<String>, minor: i64) {
    if let Some(currency) = currency {
        *sums.entry(currency).or_default() += minor;
    }
}
