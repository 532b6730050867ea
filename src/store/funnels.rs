//! Funnels as owners named them: their plans, no figures.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::funnel::{Funnel, Plan};
use crate::domain::ids::FunnelId;
use crate::domain::time::Time;
use crate::error::{Error, Result};

const COLUMNS: &str = "id, name, plan, who, created_at";

/// By name.
pub fn list(c: &SiteConn) -> Result<Vec<Funnel>> {
    c.list(&format!("select {COLUMNS} from funnels where site_id = :site order by lower(name), id"), &[], read)
}

pub fn find(c: &SiteConn, id: FunnelId) -> Result<Option<Funnel>> {
    c.find(&format!("select {COLUMNS} from funnels where site_id = :site and id = :id"), named_params! {":id": id.number()}, read)
}

pub fn count(c: &SiteConn) -> Result<usize> {
    let count: i64 = c.one("select count(*) from funnels where site_id = :site", &[])?;
    Ok(count as usize)
}

/// Another one of the same name.
pub fn find_namesake(c: &SiteConn, name: &str, but: Option<FunnelId>) -> Result<Option<FunnelId>> {
    let found: Option<i64> = c.find(
        "select id from funnels where site_id = :site and name = :name and id <> :but",
        named_params! {":name": name, ":but": but.map_or(0, FunnelId::number)},
        |row| row.get(0),
    )?;
    Ok(found.map(FunnelId::new))
}

pub fn add(c: &SiteConn, name: &str, plan: &Plan, who: &str, now: Time) -> Result<Funnel> {
    let id = c.next_number("funnel")?;
    c.execute(
        "insert into funnels (site_id, id, name, plan, who, created_at) values (:site, :id, :name, :plan, :who, :now)",
        named_params! {":id": id, ":name": name, ":plan": text(plan)?, ":who": who, ":now": now.ms()},
    )?;
    Ok(Funnel { id: FunnelId::new(id), name: name.to_owned(), plan: plan.clone(), who: who.to_owned(), created_at: now })
}

pub fn change(c: &SiteConn, funnel: &Funnel) -> Result<()> {
    c.execute(
        "update funnels set name = :name, plan = :plan where site_id = :site and id = :id",
        named_params! {":name": funnel.name, ":plan": text(&funnel.plan)?, ":id": funnel.id.number()},
    )?;
    Ok(())
}

pub fn remove(c: &SiteConn, id: FunnelId) -> Result<()> {
    c.execute("delete from funnels where site_id = :site and id = :id", named_params! {":id": id.number()})?;
    Ok(())
}

fn text(plan: &Plan) -> Result<String> {
    serde_json::to_string(plan).map_err(Error::internal)
}

fn read(row: &Row) -> rusqlite::Result<Funnel> {
    let plan: String = row.get(2)?;
    Ok(Funnel {
        id: FunnelId::new(row.get(0)?),
        name: row.get(1)?,
        plan: serde_json::from_str(&plan).map_err(|_| rusqlite::Error::InvalidQuery)?,
        who: row.get(3)?,
        created_at: Time::from_ms(row.get(4)?),
    })
}
