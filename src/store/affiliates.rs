//! Partners with their codes and terms, and the months that are closed.

/// Who earns a conversion, and the ledger of it.
pub mod commissions;
/// Clicks on links with a code.
pub mod days;
/// Links to a statement.
pub mod links;
/// What the statements of closed months show.
pub mod statements;

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::affiliate::Terms;
use crate::domain::ids::AffiliateId;
use crate::domain::time::{Day, Time};
use crate::error::{Error, Result};

#[derive(Debug, Clone, PartialEq)]
pub struct Affiliate {
    pub id: AffiliateId,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// Where the bank sends the money, as the owner wrote it.
    pub payout: Option<String>,
    pub terms: Terms,
    pub cookie_days: u32,
    pub hold_days: u32,
    /// From when to when; the last one may be open.
    pub pauses: Vec<(Time, Option<Time>)>,
    pub erased_at: Option<Time>,
    pub created_at: Time,
}

impl Affiliate {
    pub fn is_paused(&self) -> bool {
        self.pauses.last().is_some_and(|(_, until)| until.is_none())
    }

    /// Whether what happened then earns nothing.
    pub fn was_paused(&self, at: Time) -> bool {
        self.pauses.iter().any(|(from, until)| at >= *from && until.is_none_or(|until| at < until))
    }

    pub fn pause(&mut self, at: Time) {
        if !self.is_paused() {
            self.pauses.push((at, None));
        }
    }

    pub fn resume(&mut self, at: Time) {
        if let Some((_, until @ None)) = self.pauses.last_mut() {
            *until = Some(at);
        }
    }
}

/// A code or a coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub affiliate: AffiliateId,
    /// `code` or `coupon`.
    pub kind: String,
    /// As it is compared.
    pub value: String,
    pub shown: String,
}

const COLUMNS: &str = "id, name, email, phone, payout, terms, cookie_days, hold_days, pauses, erased_at, created_at";

/// Whether the site has partners, or sales of codes that nobody has: most sites have neither.
pub fn are_used(c: &SiteConn) -> Result<bool> {
    let found = c.find(
        "select 1 from affiliate_codes where site_id = :site
         union all select 1 from affiliate_credits where site_id = :site limit 1",
        &[],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// The next partner's number is in `affiliate.id`.
pub fn add(c: &SiteConn, affiliate: &Affiliate) -> Result<AffiliateId> {
    let id = AffiliateId::new(c.next_number(AffiliateId::WORD)?);
    let a = affiliate;
    c.execute(
        "insert into affiliates (site_id, id, name, email, phone, payout, terms, cookie_days, hold_days, pauses, created_at)
         values (:site, :id, :name, :email, :phone, :payout, :terms, :cookie, :hold, :pauses, :created)",
        named_params! {":id": id.number(), ":name": a.name, ":email": a.email, ":phone": a.phone, ":payout": a.payout,
        ":terms": text(&a.terms)?, ":cookie": a.cookie_days, ":hold": a.hold_days, ":pauses": text(&a.pauses)?,
        ":created": a.created_at.ms()},
    )?;
    Ok(id)
}

pub fn change(c: &SiteConn, affiliate: &Affiliate) -> Result<()> {
    let a = affiliate;
    c.execute(
        "update affiliates set name = :name, email = :email, phone = :phone, payout = :payout, terms = :terms, cookie_days = :cookie,
           hold_days = :hold, pauses = :pauses
         where site_id = :site and id = :id",
        named_params! {":id": a.id.number(), ":name": a.name, ":email": a.email, ":phone": a.phone, ":payout": a.payout,
        ":terms": text(&a.terms)?, ":cookie": a.cookie_days, ":hold": a.hold_days, ":pauses": text(&a.pauses)?},
    )?;
    Ok(())
}

/// Who it was goes; what was earned stays. Gives whether there was somebody.
pub fn erase(c: &SiteConn, id: AffiliateId, at: Time) -> Result<bool> {
    let Some(mut partner) = find(c, id)?.filter(|p| p.erased_at.is_none()) else { return Ok(false) };
    partner.pause(at);
    c.execute(
        "update affiliates set name = 'Erased partner', email = null, phone = null, payout = null, erased_at = :at, pauses = :pauses
         where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":at": at.ms(), ":pauses": text(&partner.pauses)?},
    )?;
    c.execute(
        "update statement_links set revoked_at = :at where site_id = :site and affiliate_id = :id and revoked_at is null",
        named_params! {":id": id.number(), ":at": at.ms()},
    )?;
    Ok(true)
}

/// Partners who are known by this address or number.
pub fn list_of_person(c: &SiteConn, kind: &str, value: &str) -> Result<Vec<AffiliateId>> {
    c.list(
        "select id from affiliates where site_id = :site and erased_at is null
           and (:kind = 'email' and email = :value or :kind = 'phone' and phone = :value)",
        named_params! {":kind": kind, ":value": value},
        |row| Ok(AffiliateId::new(row.get(0)?)),
    )
}

pub fn list(c: &SiteConn) -> Result<Vec<Affiliate>> {
    c.list(&format!("select {COLUMNS} from affiliates where site_id = :site order by id"), &[], |row| Ok(read(row)))?.into_iter().collect()
}

pub fn find(c: &SiteConn, id: AffiliateId) -> Result<Option<Affiliate>> {
    c.find(&format!("select {COLUMNS} from affiliates where site_id = :site and id = :id"), named_params! {":id": id.number()}, |row| {
        Ok(read(row))
    })?
    .transpose()
}

/// Whoever has a code or a coupon, by its compared spelling, and since when.
pub fn find_by_code(c: &SiteConn, kind: &str, value: &str) -> Result<Option<(Affiliate, Time)>> {
    let found: Option<(i64, i64)> = c.find(
        "select affiliate_id, added_at from affiliate_codes where site_id = :site and kind = :kind and value = :value",
        named_params! {":kind": kind, ":value": value},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some((id, since)) = found else { return Ok(None) };
    Ok(find(c, AffiliateId::new(id))?.map(|partner| (partner, Time::from_ms(since))))
}

/// Puts these codes or coupons in the place of those that the partner had; one that stays is as old as it was.
pub fn set_codes(c: &SiteConn, id: AffiliateId, kind: &str, codes: &[(String, String)], now: Time) -> Result<()> {
    for known in codes_of(c, id, kind)?.iter().filter(|known| !codes.iter().any(|(value, _)| *value == known.value)) {
        c.execute(
            "delete from affiliate_codes where site_id = :site and kind = :kind and value = :value",
            named_params! {":kind": kind, ":value": known.value},
        )?;
    }
    for (place, (value, shown)) in codes.iter().enumerate() {
        c.execute(
            "insert into affiliate_codes (site_id, kind, value, shown, affiliate_id, place, added_at)
             values (:site, :kind, :value, :shown, :id, :place, :now)
             on conflict (site_id, kind, value) do update set shown = excluded.shown, place = excluded.place",
            named_params! {":kind": kind, ":value": value, ":shown": shown, ":id": id.number(), ":place": place as i64, ":now": now.ms()},
        )?;
    }
    Ok(())
}

/// Codes and coupons of all partners, each partner's in their order.
pub fn list_codes(c: &SiteConn) -> Result<Vec<Code>> {
    c.list(
        "select affiliate_id, kind, value, shown from affiliate_codes where site_id = :site order by affiliate_id, kind, place",
        &[],
        |row| Ok(Code { affiliate: AffiliateId::new(row.get(0)?), kind: row.get(1)?, value: row.get(2)?, shown: row.get(3)? }),
    )
}

/// Codes of one partner, links' and coupons' apart.
pub fn codes_of(c: &SiteConn, id: AffiliateId, kind: &str) -> Result<Vec<Code>> {
    c.list(
        "select affiliate_id, kind, value, shown from affiliate_codes
         where site_id = :site and affiliate_id = :id and kind = :kind order by place",
        named_params! {":id": id.number(), ":kind": kind},
        |row| Ok(Code { affiliate: AffiliateId::new(row.get(0)?), kind: row.get(1)?, value: row.get(2)?, shown: row.get(3)? }),
    )
}

/// Gives a new partner the figures of a code that nobody had. They stay without a commission.
pub fn adopt(c: &SiteConn, id: AffiliateId, code: &str) -> Result<()> {
    for sql in [
        "update affiliate_credits set affiliate_id = :id where site_id = :site and code = :code and affiliate_id is null",
        "update commissions set affiliate_id = :id where site_id = :site and code = :code and affiliate_id is null",
    ] {
        c.execute(sql, named_params! {":id": id.number(), ":code": code})?;
    }
    Ok(())
}

/// The first day of the newest month that is closed.
pub fn closed_month(c: &SiteConn) -> Result<Option<Day>> {
    let month: Option<i32> = c.find("select max(month) from affiliate_months where site_id = :site", &[], |row| row.get(0))?.flatten();
    Ok(month.map(Day))
}

/// When a month became final: closing one closes all before it.
pub fn closed_at(c: &SiteConn, month: Day) -> Result<Option<Time>> {
    let at: Option<i64> = c
        .find(
            "select min(closed_at) from affiliate_months where site_id = :site and month >= :month",
            named_params! {":month": month.0},
            |row| row.get(0),
        )?
        .flatten();
    Ok(at.map(Time::from_ms))
}

/// The day on which the first thing happened that a statement can show.
pub fn first_day(c: &SiteConn) -> Result<Option<Day>> {
    let day: Option<i32> = c
        .find(
            "select min(day) from (select min(book_day) as day from commissions where site_id = :site
               union all select min(day) from affiliate_days where site_id = :site)",
            &[],
            |row| row.get(0),
        )?
        .flatten();
    Ok(day.map(Day))
}

pub fn close_month(c: &SiteConn, month: Day, who: &str, now: Time) -> Result<()> {
    c.execute(
        "insert into affiliate_months (site_id, month, closed_at, who) values (:site, :month, :now, :who) on conflict do nothing",
        named_params! {":month": month.0, ":now": now.ms(), ":who": who},
    )?;
    Ok(())
}

fn text(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

fn read(row: &Row) -> Result<Affiliate> {
    let sql = super::scope::sql_error;
    let time = |place| row.get::<_, Option<i64>>(place).map(|t| t.map(Time::from_ms)).map_err(sql);
    let (terms, pauses): (String, String) = (row.get(5).map_err(sql)?, row.get(8).map_err(sql)?);
    Ok(Affiliate {
        id: AffiliateId::new(row.get(0).map_err(sql)?),
        name: row.get(1).map_err(sql)?,
        email: row.get(2).map_err(sql)?,
        phone: row.get(3).map_err(sql)?,
        payout: row.get(4).map_err(sql)?,
        terms: serde_json::from_str(&terms).map_err(Error::internal)?,
        cookie_days: row.get(6).map_err(sql)?,
        hold_days: row.get(7).map_err(sql)?,
        pauses: serde_json::from_str(&pauses).map_err(Error::internal)?,
        erased_at: time(9)?,
        created_at: time(10)?.unwrap_or(Time::from_ms(0)),
    })
}
