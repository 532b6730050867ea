//! What visitors answered over time, and what could not be forwarded because of it.

use std::collections::BTreeMap;

use rusqlite::named_params;

use super::super::cube::{Cube, Weighs};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over_rows};
use super::left::told_amount;
use super::word;
use crate::domain::ids::{ConnectionId, ConversionId, DeliveryId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::{Cursor, Period};
use crate::domain::time::{Day, Time, Zone};
use crate::error::{Error, Result};

/// Visits of a day by what their browser had answered then.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Answers {
    pub granted: i64,
    pub denied: i64,
    pub unanswered: i64,
    /// Counted without a cookie: nobody was known by them. Visits of erased people are what their browsers had answered.
    pub nameless: i64,
}

impl Answers {
    pub fn add(&mut self, other: &Self) {
        self.granted += other.granted;
        self.denied += other.denied;
        self.unanswered += other.unanswered;
        self.nameless += other.nameless;
    }
}

/// Conversions of the days by what became of telling one connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Withheld {
    pub connection: i64,
    pub platform: String,
    pub all: i64,
    /// Not told, or called back, for want of marketing consent.
    pub for_consent: i64,
    /// Called back when they were on their way: the platform has taken them, or did not say.
    pub had_left: i64,
}

#[derive(Default)]
struct ByDay(BTreeMap<Day, Answers>);

impl Gathers for ByDay {
    fn merge(&mut self, other: &Self) {
        for (day, answers) in &other.0 {
            self.0.entry(*day).or_default().add(answers);
        }
    }
}

impl Weighs for ByDay {
    fn bytes(&self) -> usize {
        self.0.len() * 64
    }
}

/// Every day of the period, also those on which nobody came. The answer of a visit is the one that held when it began.
pub fn by_day(c: &SiteConn, zone: &Zone, period: Period) -> Result<BTreeMap<Day, Answers>> {
    let mut all = over_rows(c, Cube::Visits, zone, period, "answers on consent", |piece: &Piece, all: &mut ByDay| {
        for sql in [
            "select at, marketing from touches where site_id = :site and at >= :from and at < :to and starts_visit = 1",
            "select at, coalesce(marketing, 'nameless') from anon_events where site_id = :site and at >= :from and at < :to and starts_visit = 1",
        ] {
            c.scan(sql, named_params! {":from": piece.from.ms(), ":to": piece.to.ms()}, |row| {
                let day = zone.day(Time::from_ms(row.get(0)?));
                if piece.holds(day) {
                    let answers = all.0.entry(day).or_default();
                    match word(row, 1)? {
                        "granted" => answers.granted += 1,
                        "denied" => answers.denied += 1,
                        "nameless" => answers.nameless += 1,
                        _ => answers.unanswered += 1,
                    }
                }
                Ok(true)
            })?;
        }
        Ok(())
    })?
    .0;
    for day in period.days.each() {
        all.entry(day).or_default();
    }
    Ok(all)
}

/// By connection: of its deliveries of the days, one for each conversion, those that consent held back.
pub fn withheld(c: &SiteConn, from: Time, to: Time) -> Result<Vec<Withheld>> {
    let mut all: BTreeMap<i64, Withheld> = BTreeMap::new();
    c.scan(
        "select k.id, k.platform, s.value,
           (select count(distinct d.conversion_id) from deliveries d
            where d.site_id = :site and d.connection_id = k.id and d.state = s.value and d.created_at >= :from and d.created_at < :to),
           case when s.value in ('skipped', 'cancelled') then
             (select count(distinct d.conversion_id) from deliveries d
              where d.site_id = :site and d.connection_id = k.id and d.state = s.value and d.created_at >= :from and d.created_at < :to
                and d.reason = 'consent' and d.taken_at is null and d.unknown_at is null) else 0 end,
           case when s.value = 'cancelled' then
             (select count(distinct d.conversion_id) from deliveries d
              where d.site_id = :site and d.connection_id = k.id and d.state = s.value and d.created_at >= :from and d.created_at < :to
                and d.reason = 'consent' and (d.taken_at is not null or d.unknown_at is not null)) else 0 end
         from connections k cross join json_each('[\"pending\",\"leased\",\"delivered\",\"accepted\",\"skipped\",\"refused\",\"dead\",\"held\",\"cancelled\"]') s
         where k.site_id = :site and k.removed_at is null",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            let id: i64 = row.get(0)?;
            let of = all.entry(id).or_insert_with(|| Withheld { connection: id, ..Withheld::default() });
            of.platform = word(row, 1)?.to_owned();
            of.all += row.get::<_, i64>(3)?;
            of.for_consent += row.get::<_, i64>(4)?;
            of.had_left += row.get::<_, i64>(5)?;
            Ok(true)
        },
    )?;
    Ok(all.into_values().filter(|w| w.all > 0).collect())
}

/// What conversions that consent kept from a connection are worth, in one currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Worth {
    pub connection: i64,
    pub amount: Money,
}

/// What the conversions of a time are worth that consent kept from each connection. Each conversion counts once for each.
pub fn worth(c: &SiteConn, from: Time, to: Time) -> Result<Vec<Worth>> {
    let rows: Vec<(i64, String, i64)> = c.list(
        "select k.id, v.currency, sum(v.amount_minor)
         from connections k cross join json_each('[\"skipped\",\"cancelled\"]') s
         cross join deliveries d on d.site_id = :site and d.connection_id = k.id and d.state = s.value and d.created_at >= :from and d.created_at < :to
         cross join conversions v on v.site_id = :site and v.id = d.conversion_id
         where k.site_id = :site and d.reason = 'consent' and d.taken_at is null and d.unknown_at is null and v.amount_minor is not null and v.currency is not null
           and not exists (select 1 from deliveries e where e.site_id = :site and e.conversion_id = d.conversion_id and e.connection_id = k.id
             and e.reason = 'consent' and e.taken_at is null and e.unknown_at is null and e.id < d.id and (e.state = 'skipped' or e.state = 'cancelled') and e.created_at >= :from)
         group by k.id, v.currency order by k.id, v.currency",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    rows.into_iter()
        .map(|(connection, code, minor)| {
            let currency = Currency::parse(&code).ok_or_else(|| Error::internal(format!("a conversion in {code}")))?;
            Ok(Worth { connection, amount: Money { minor, currency } })
        })
        .collect()
}

/// A conversion that consent kept from a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptBack {
    pub delivery: DeliveryId,
    pub connection: i64,
    pub conversion: ConversionId,
    pub label: String,
    pub platform: String,
    pub kind: String,
    pub state: String,
    /// What it would have told.
    pub amount: Option<Money>,
    pub created_at: Time,
}

/// What consent kept back, the newest first.
pub fn kept_back(
    c: &SiteConn,
    from: Time,
    to: Time,
    connection: Option<i64>,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<KeptBack>, Option<Cursor>)> {
    let before = cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let mut found: Vec<(KeptBack, [String; 2])> = c.list(
        "select d.id, d.connection_id, d.conversion_id, v.label, d.platform, d.kind, d.state, v.amount_minor, v.currency, d.created_at, d.event_id, v.event_id
         from deliveries d indexed by deliveries__site_id__created_at
         cross join conversions v on v.site_id = d.site_id and v.id = d.conversion_id
         where d.site_id = :site and d.created_at >= :from and d.created_at < :to and (d.created_at, d.id) < (:key, :id)
           and (d.state = 'skipped' or d.state = 'cancelled') and d.reason = 'consent' and d.taken_at is null and d.unknown_at is null
           and (:connection is null or d.connection_id = :connection)
         order by d.created_at desc, d.id desc limit :limit",
        named_params! {":from": from.ms(), ":to": before.end(to.ms()), ":key": before.key.unwrap_or(i64::MAX), ":id": before.id,
        ":connection": connection, ":limit": limit as i64 + 1},
        |row| {
            let currency: Option<String> = row.get(8)?;
            let amount = row.get::<_, Option<i64>>(7)?.zip(currency.and_then(|code| Currency::parse(&code)));
            let kept = KeptBack {
                delivery: DeliveryId::new(row.get(0)?),
                connection: row.get(1)?,
                conversion: ConversionId::new(row.get(2)?),
                label: row.get(3)?,
                platform: row.get(4)?,
                kind: row.get(5)?,
                state: row.get(6)?,
                amount: amount.map(|(minor, currency)| Money { minor, currency }),
                created_at: Time::from_ms(row.get(9)?),
            };
            Ok((kept, [row.get(10)?, row.get(11)?]))
        },
    )?;
    let more = found.len() > limit;
    found.truncate(limit);
    let mut lines = Vec::with_capacity(found.len());
    for (kept, [event, own]) in found {
        let amount = told_amount(c, ConnectionId::new(kept.connection), &event, (&own, kept.amount))?;
        lines.push(KeptBack { amount, ..kept });
    }
    let last = lines.last().filter(|_| more).map(|l| Cursor { key: Some(l.created_at.ms()), id: l.delivery.number() });
    Ok((lines, last))
}
