//! Words that links are made from, under a name.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::ids::LinkTemplateId;
use crate::domain::link_template::{Filled, LinkTemplate};
use crate::domain::time::Time;
use crate::error::{Error, Result};

const COLUMNS: &str = "id, name, words, who, created_at";

/// By name.
pub fn list(c: &SiteConn) -> Result<Vec<LinkTemplate>> {
    c.list(&format!("select {COLUMNS} from link_templates where site_id = :site order by lower(name), id"), &[], read)
}

pub fn find(c: &SiteConn, id: LinkTemplateId) -> Result<Option<LinkTemplate>> {
    c.find(&format!("select {COLUMNS} from link_templates where site_id = :site and id = :id"), named_params! {":id": id.number()}, read)
}

pub fn find_by_name(c: &SiteConn, name: &str) -> Result<Option<LinkTemplateId>> {
    c.find("select id from link_templates where site_id = :site and name = :name", named_params! {":name": name}, |row| {
        Ok(LinkTemplateId::new(row.get(0)?))
    })
}

pub fn count(c: &SiteConn) -> Result<usize> {
    let count: i64 = c.one("select count(*) from link_templates where site_id = :site", &[])?;
    Ok(count as usize)
}

pub fn add(c: &SiteConn, name: &str, words: &Filled, who: &str, now: Time) -> Result<LinkTemplateId> {
    let id = c.next_number("link_template")?;
    c.execute(
        "insert into link_templates (site_id, id, name, words, who, created_at) values (:site, :id, :name, :words, :who, :now)",
        named_params! {":id": id, ":name": name, ":words": text(words)?, ":who": who, ":now": now.ms()},
    )?;
    Ok(LinkTemplateId::new(id))
}

pub fn change(c: &SiteConn, id: LinkTemplateId, words: &Filled) -> Result<()> {
    c.execute(
        "update link_templates set words = :words where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":words": text(words)?},
    )?;
    Ok(())
}

pub fn remove(c: &SiteConn, id: LinkTemplateId) -> Result<()> {
    c.execute("delete from link_templates where site_id = :site and id = :id", named_params! {":id": id.number()})?;
    Ok(())
}

fn text(words: &Filled) -> Result<String> {
    serde_json::to_string(words).map_err(Error::internal)
}

fn read(row: &Row) -> rusqlite::Result<LinkTemplate> {
    let words: String = row.get(2)?;
    Ok(LinkTemplate {
        id: LinkTemplateId::new(row.get(0)?),
        name: row.get(1)?,
        words: serde_json::from_str(&words).unwrap_or_default(),
        who: row.get(3)?,
        created_at: Time::from_ms(row.get(4)?),
    })
}
