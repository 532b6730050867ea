//! What advertising has cost, amount by amount and by day.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::ids::{ImportId, SpendId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::{Cursor, Days, Span};
use crate::domain::spend::{MOST_DAYS, Spend, SpendLine};
use crate::domain::time::{Day, Time};
use crate::error::Result;

pub fn add(c: &SiteConn, spend: &Spend, who: &str, import: Option<ImportId>, now: Time) -> Result<SpendId> {
    let id = c.next_number("spend")?;
    c.execute(
        "insert into spend (site_id, id, first_day, last_day, source, medium, campaign, currency, amount_minor, note, who, import_id, created_at)
         values (:site, :id, :from, :to, :source, :medium, :campaign, :currency, :amount, :note, :who, :import, :now)",
        named_params! {":id": id, ":from": spend.days.from.0, ":to": spend.days.to.0, ":source": spend.source, ":medium": spend.medium,
        ":campaign": spend.campaign, ":currency": spend.amount.currency.code(), ":amount": spend.amount.minor, ":note": spend.note,
        ":who": who, ":import": import.map(ImportId::number), ":now": now.ms()},
    )?;
    count(c, spend, 1)?;
    Ok(SpendId::new(id))
}

/// Puts another amount in the place of one; false where there is none.
pub fn set(c: &SiteConn, id: SpendId, spend: &Spend, import: Option<ImportId>) -> Result<bool> {
    let Some(known) = find(c, id)? else { return Ok(false) };
    count(c, &known.spend, -1)?;
    c.execute(
        "update spend set first_day = :from, last_day = :to, source = :source, medium = :medium, campaign = :campaign,
           currency = :currency, amount_minor = :amount, note = :note, import_id = coalesce(:import, import_id)
         where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":from": spend.days.from.0, ":to": spend.days.to.0, ":source": spend.source,
        ":medium": spend.medium, ":campaign": spend.campaign, ":currency": spend.amount.currency.code(), ":amount": spend.amount.minor,
        ":note": spend.note, ":import": import.map(ImportId::number)},
    )?;
    count(c, spend, 1)?;
    Ok(true)
}

/// Takes one away and gives what it was.
pub fn remove(c: &SiteConn, id: SpendId) -> Result<Option<SpendLine>> {
    let Some(known) = find(c, id)? else { return Ok(None) };
    count(c, &known.spend, -1)?;
    c.execute("delete from spend where site_id = :site and id = :id", named_params! {":id": id.number()})?;
    c.execute("delete from spend_before where site_id = :site and spend_id = :id", named_params! {":id": id.number()})?;
    Ok(Some(known))
}

const LINE: &str = "id, first_day, last_day, source, medium, campaign, currency, amount_minor, note, who, import_id, created_at";

pub fn find(c: &SiteConn, id: SpendId) -> Result<Option<SpendLine>> {
    c.find(&format!("select {LINE} from spend where site_id = :site and id = :id"), named_params! {":id": id.number()}, read)
}

/// Those that have a part in the days, the last begun first.
pub fn page(c: &SiteConn, span: Span, cursor: Option<Cursor>, limit: usize) -> Result<(Vec<SpendLine>, Option<Cursor>)> {
    let before = cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let (from, to) = (span.from.map_or(-1, |d| d.0), span.to.map_or(i32::MAX, |d| d.0));
    let mut lines: Vec<SpendLine> = c.list(
        &format!(
            "select {LINE} from spend where site_id = :site and first_day > :earliest and first_day <= :to and last_day >= :from
               and (first_day, id) < (:key, :id) order by first_day desc, id desc limit :limit"
        ),
        named_params! {":earliest": from.saturating_sub(MOST_DAYS), ":from": from, ":to": before.end(to.into()), ":key": before.key.unwrap_or(i64::MAX),
        ":id": before.id, ":limit": limit as i64 + 1},
        read,
    )?;
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| has_more).map(|l| Cursor { key: Some(l.spend.days.from.0.into()), id: l.id.number() });
    Ok((lines, next))
}

/// Which amounts have a part in the days, each with its source, campaign and own days.
pub fn each(c: &SiteConn, span: Days, mut on: impl FnMut(SpendId, &str, &str, Days)) -> Result<()> {
    c.scan(
        "select id, source, campaign, first_day, last_day from spend
         where site_id = :site and first_day > :earliest and first_day <= :to and last_day >= :from",
        named_params! {":earliest": span.from.0.saturating_sub(MOST_DAYS), ":from": span.from.0, ":to": span.to.0},
        |row| {
            let (source, campaign): (String, String) = (row.get(1)?, row.get(2)?);
            on(SpendId::new(row.get(0)?), &source, &campaign, Days { from: Day(row.get(3)?), to: Day(row.get(4)?) });
            Ok(true)
        },
    )
}

fn read(row: &Row) -> rusqlite::Result<SpendLine> {
    let currency: String = row.get(6)?;
    // The table takes what was a currency; one that has gone out of use since is shown as no amount of another.
    let currency = Currency::parse(&currency).ok_or(rusqlite::Error::InvalidQuery)?;
    Ok(SpendLine {
        id: SpendId::new(row.get(0)?),
        spend: Spend {
            days: Days { from: Day(row.get(1)?), to: Day(row.get(2)?) },
            source: row.get(3)?,
            medium: row.get(4)?,
            campaign: row.get(5)?,
            amount: Money::new(row.get(7)?, currency),
            note: row.get(8)?,
        },
        who: row.get(9)?,
        import: row.get::<_, Option<i64>>(10)?.map(ImportId::new),
        created_at: Time::from_ms(row.get(11)?),
    })
}

/// Adds an amount to the days over which it is spread, or takes it off again.
fn count(c: &SiteConn, spend: &Spend, sign: i64) -> Result<()> {
    for (day, minor) in spend.by_day() {
        let of = named_params! {":day": day.0, ":source": spend.source, ":medium": spend.medium, ":campaign": spend.campaign,
        ":currency": spend.amount.currency.code(), ":minor": sign * minor, ":parts": sign};
        c.execute(
            "insert into spend_days (site_id, day, source, medium, campaign, currency, amount_minor, parts)
             values (:site, :day, :source, :medium, :campaign, :currency, :minor, :parts)
             on conflict do update set amount_minor = amount_minor + excluded.amount_minor, parts = parts + excluded.parts",
            of,
        )?;
        if sign < 0 {
            c.execute(
                "delete from spend_days where site_id = :site and day = :day and source = :source and medium = :medium
                   and campaign = :campaign and currency = :currency and parts <= 0",
                named_params! {":day": day.0, ":source": spend.source, ":medium": spend.medium, ":campaign": spend.campaign,
                ":currency": spend.amount.currency.code()},
            )?;
        }
    }
    Ok(())
}

/// Source, medium, campaign; an empty campaign is none.
pub type Place = (String, String, String);

/// What was spent on some days, by where and by currency. Empty where nothing was.
pub fn by_place(c: &SiteConn, days: Days) -> Result<BTreeMap<Place, BTreeMap<String, i64>>> {
    let mut all: BTreeMap<Place, BTreeMap<String, i64>> = BTreeMap::new();
    c.scan(
        "select source, medium, campaign, currency, sum(amount_minor) from spend_days
         where site_id = :site and day between :from and :to group by source, medium, campaign, currency",
        named_params! {":from": days.from.0, ":to": days.to.0},
        |row| {
            let place = (row.get(0)?, row.get(1)?, row.get(2)?);
            all.entry(place).or_default().insert(row.get(3)?, row.get(4)?);
            Ok(true)
        },
    )?;
    Ok(all)
}

/// The same by day, of those places that are wanted.
pub fn by_day(c: &SiteConn, days: Days, is_wanted: impl Fn(&str, &str, &str) -> bool) -> Result<BTreeMap<Day, BTreeMap<String, i64>>> {
    let mut all: BTreeMap<Day, BTreeMap<String, i64>> = BTreeMap::new();
    c.scan(
        "select day, source, medium, campaign, currency, amount_minor from spend_days where site_id = :site and day between :from and :to",
        named_params! {":from": days.from.0, ":to": days.to.0},
        |row| {
            let (source, medium, campaign): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
            if is_wanted(&source, &medium, &campaign) {
                *all.entry(Day(row.get(0)?)).or_default().entry(row.get(4)?).or_default() += row.get::<_, i64>(5)?;
            }
            Ok(true)
        },
    )?;
    Ok(all)
}

/// Whoever bought for the first time between two moments: when, and where the books say that sale came from. Empty words
/// stand for nobody; the last word is the currency of that sale.
pub fn new_customers(c: &SiteConn, from: Time, to: Time, mut on: impl FnMut(Time, &str, &str, &str, &str)) -> Result<()> {
    c.scan(
        "select k.first_at, coalesce(v.source, ''), coalesce(v.medium, ''), coalesce(v.campaign, ''), coalesce(v.currency, '')
         from customers k join conversions v on v.site_id = k.site_id and v.id = k.first_conversion
         where k.site_id = :site and k.first_at >= :from and k.first_at < :to",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            let (source, medium, campaign): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let currency: String = row.get(4)?;
            on(Time::from_ms(row.get(0)?), &source, &medium, &campaign, &currency);
            Ok(true)
        },
    )
}
