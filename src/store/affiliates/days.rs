//! Clicks on links with a partner's code, counted by the day on which they happen.

use rusqlite::named_params;
use serde::{Deserialize, Serialize};

use super::super::scope::SiteConn;
use crate::domain::affiliate;
use crate::domain::ids::SessionId;
use crate::domain::question::Days;
use crate::domain::time::{Day, Time};
use crate::domain::touch::SAME_CAMPAIGN_MS;
use crate::error::Result;

/// Codes of one day that nobody has, at most: a stranger can put anything into a link.
const MOST_STRANGERS: i64 = 500;

/// What is known of a click beside its code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Click {
    /// One of many from one network within minutes.
    pub is_burst: bool,
    /// Brought by a search engine's advertisement.
    pub is_ad: bool,
}

/// Clicks of a code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clicks {
    pub clicks: i64,
    pub bursts: i64,
    pub ads: i64,
}

/// Whether the browser has followed a link with this code within half an hour of `at`: then it is the same click.
pub fn has_click(c: &SiteConn, session: SessionId, code: &str, at: Time) -> Result<bool> {
    let mut is_known = false;
    c.scan(
        "select affiliate from touches where site_id = :site and session_id = :session and at between :from and :to and affiliate is not null",
        named_params! {":session": session.number(), ":from": at.ms() - SAME_CAMPAIGN_MS, ":to": at.ms() + SAME_CAMPAIGN_MS},
        |row| {
            // Capitals of every script are folded here; the database knows those of ASCII only.
            is_known = affiliate::code(&row.get::<_, String>(0)?).as_deref() == Some(code);
            Ok(!is_known)
        },
    )?;
    Ok(is_known)
}

pub fn count(c: &SiteConn, day: Day, code: &str, click: Click) -> Result<()> {
    let (is_burst, is_ad) = (i64::from(click.is_burst), i64::from(click.is_ad));
    let known = c.execute(
        "update affiliate_days set clicks = clicks + 1, bursts = bursts + :burst, ads = ads + :ad
         where site_id = :site and day = :day and code = :code",
        named_params! {":day": day.0, ":code": code, ":burst": is_burst, ":ad": is_ad},
    )?;
    if known > 0 {
        return Ok(());
    }
    c.execute(
        "insert into affiliate_days (site_id, day, code, clicks, bursts, ads)
         select :site, :day, :code, 1, :burst, :ad
         where exists (select 1 from affiliate_codes where site_id = :site and kind = 'code' and value = :code)
           or (select count(*) from affiliate_days where site_id = :site and day = :day) < :most",
        named_params! {":day": day.0, ":code": code, ":burst": is_burst, ":ad": is_ad, ":most": MOST_STRANGERS},
    )?;
    Ok(())
}

/// One that was counted before it was known whose it was: the same browser has another one within half an hour.
pub fn take_back(c: &SiteConn, day: Day, code: &str) -> Result<()> {
    c.execute(
        "update affiliate_days set clicks = clicks - 1, bursts = min(bursts, clicks - 1), ads = min(ads, clicks - 1)
         where site_id = :site and day = :day and code = :code and clicks > 0",
        named_params! {":day": day.0, ":code": code},
    )?;
    Ok(())
}

/// Clicks of one code on some days.
pub fn of_code(c: &SiteConn, code: &str, days: Days) -> Result<Clicks> {
    let found = c.find(
        "select coalesce(sum(clicks), 0), coalesce(sum(bursts), 0), coalesce(sum(ads), 0) from affiliate_days
         where site_id = :site and code = :code and day between :from and :to",
        named_params! {":code": code, ":from": days.from.0, ":to": days.to.0},
        |row| Ok(Clicks { clicks: row.get(0)?, bursts: row.get(1)?, ads: row.get(2)? }),
    )?;
    Ok(found.unwrap_or_default())
}

/// Clicks of every code on some days.
pub fn by_code(c: &SiteConn, days: Days) -> Result<Vec<(String, Clicks)>> {
    c.list(
        "select code, sum(clicks), sum(bursts), sum(ads) from affiliate_days
         where site_id = :site and day between :from and :to group by code",
        named_params! {":from": days.from.0, ":to": days.to.0},
        |row| Ok((row.get(0)?, Clicks { clicks: row.get(1)?, bursts: row.get(2)?, ads: row.get(3)? })),
    )
}

/// Clicks of codes that nobody has, past their time; those of partners stay, like the books.
pub fn remove_strangers(c: &SiteConn, before: Day, limit: i64) -> Result<usize> {
    c.execute(
        "delete from affiliate_days where (site_id, day, code) in
           (select d.site_id, d.day, d.code from affiliate_days d where d.site_id = :site and d.day < :before
              and not exists (select 1 from affiliate_codes k where k.site_id = :site and k.kind = 'code' and k.value = d.code)
            order by d.day limit :limit)",
        named_params! {":before": before.0, ":limit": limit},
    )
}

/// Moments at which the browser followed links with a code, up to `until`: moment and code as it came.
pub fn links_of(c: &SiteConn, session: SessionId, from: Time, until: Time) -> Result<Vec<(Time, String)>> {
    c.list(
        "select at, affiliate from touches
         where site_id = :site and session_id = :session and affiliate is not null and at between :from and :until order by at",
        named_params! {":session": session.number(), ":from": from.ms(), ":until": until.ms()},
        |row| Ok((Time::from_ms(row.get(0)?), row.get(1)?)),
    )
}
