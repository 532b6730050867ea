//! The days of deliveries after the site's zone was changed: they are moved by and by, in small steps.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::DeliveryId;
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

#[derive(Debug, Clone, PartialEq)]
pub struct Recount {
    /// By its name, as the site had it when the recount began.
    pub zone: String,
    /// Up to this one the days are right.
    pub after: DeliveryId,
}

/// A delivery with the day that it is counted under.
#[derive(Debug, Clone, Copy)]
pub struct Dated {
    pub id: DeliveryId,
    pub created_at: Time,
    pub day: Day,
}

/// Begins anew, also where an earlier one is under way.
pub fn begin(c: &SiteConn, zone: &Zone) -> Result<()> {
    c.execute(
        "insert into delivery_recounts (site_id, zone, after_id) values (:site, :zone, 0)
         on conflict (site_id) do update set zone = excluded.zone, after_id = 0",
        named_params! {":zone": zone.name()},
    )?;
    Ok(())
}

pub fn find(c: &SiteConn) -> Result<Option<Recount>> {
    c.find("select zone, after_id from delivery_recounts where site_id = :site", &[], |row| {
        Ok(Recount { zone: row.get(0)?, after: DeliveryId::new(row.get(1)?) })
    })
}

/// Whether counts of days may be wrong just now.
pub fn is_under_way(c: &SiteConn) -> Result<bool> {
    Ok(find(c)?.is_some())
}

/// The next ones, in the order of their numbers.
pub fn list(c: &SiteConn, after: DeliveryId, limit: usize) -> Result<Vec<Dated>> {
    c.list(
        "select id, created_at, day from deliveries where site_id = :site and id > :after order by id limit :limit",
        named_params! {":after": after.number(), ":limit": limit as i64},
        |row| Ok(Dated { id: DeliveryId::new(row.get(0)?), created_at: Time::from_ms(row.get(1)?), day: Day(row.get(2)?) }),
    )
}

/// Moves some deliveries to their days and says how far that went; without a number it is done. False where the zone was
/// changed once more meanwhile: then nothing is moved.
pub fn go_on(c: &SiteConn, from: &Recount, moved: &[(DeliveryId, Day)], to: Option<DeliveryId>) -> Result<bool> {
    if find(c)?.as_ref() != Some(from) {
        return Ok(false);
    }
    for (id, day) in moved {
        c.execute(
            "update deliveries set day = :day where site_id = :site and id = :id",
            named_params! {":id": id.number(), ":day": day.0},
        )?;
    }
    match to {
        Some(id) => c.execute("update delivery_recounts set after_id = :id where site_id = :site", named_params! {":id": id.number()})?,
        None => c.execute("delete from delivery_recounts where site_id = :site", &[])?,
    };
    Ok(true)
}
