//! One name for several spellings, as the owner wrote it down.

use std::collections::HashMap;

use rusqlite::{Row, named_params};

use super::scope::{AllSites, SiteConn};
use crate::domain::ids::RuleId;
use crate::domain::rule::{Renamed, Rule, Spelling};
use crate::domain::time::Time;
use crate::error::Result;

pub fn add(c: &SiteConn, spelling: &Spelling, who: &str, now: Time) -> Result<Rule> {
    let id = c.next_number("rule")?;
    c.execute(
        "insert into rules (site_id, id, dimension, from_word, to_word, within, who, created_at)
         values (:site, :id, :dimension, :from, :to, :within, :who, :now)",
        named_params! {":id": id, ":dimension": spelling.dimension.word(), ":from": spelling.from, ":to": spelling.to,
        ":within": spelling.within.as_deref().unwrap_or_default(), ":who": who, ":now": now.ms()},
    )?;
    Ok(Rule { id: RuleId::new(id), spelling: spelling.clone(), who: who.to_owned(), created_at: now })
}

/// In the order in which they were made.
pub fn list(c: &SiteConn) -> Result<Vec<Rule>> {
    c.list("select id, dimension, from_word, to_word, within, who, created_at from rules where site_id = :site order by id", &[], |row| {
        Ok(Rule { id: RuleId::new(row.get(0)?), spelling: spelling(row, 1)?, who: row.get(5)?, created_at: Time::from_ms(row.get(6)?) })
    })
}

/// Takes a rule away and gives what it said.
pub fn remove(c: &SiteConn, id: RuleId) -> Result<Option<Spelling>> {
    let known = c.find(
        "select dimension, from_word, to_word, within from rules where site_id = :site and id = :id",
        named_params! {":id": id.number()},
        |row| spelling(row, 0),
    )?;
    c.execute("delete from rules where site_id = :site and id = :id", named_params! {":id": id.number()})?;
    Ok(known)
}

/// Of every site, by its number.
pub fn spellings_of_all(all: &AllSites) -> Result<HashMap<i64, Vec<Spelling>>> {
    let rows: Vec<(i64, Spelling)> =
        all.list("select site_id, dimension, from_word, to_word, within from rules order by site_id, id", &[], |row| {
            Ok((row.get(0)?, spelling(row, 1)?))
        })?;
    let mut by_site: HashMap<i64, Vec<Spelling>> = HashMap::new();
    for (site, spelling) in rows {
        by_site.entry(site).or_default().push(spelling);
    }
    Ok(by_site)
}

fn spelling(row: &Row, at: usize) -> rusqlite::Result<Spelling> {
    let (dimension, within): (String, String) = (row.get(at)?, row.get(at + 3)?);
    Ok(Spelling {
        // The table takes no other word.
        dimension: Renamed::parse(&dimension).unwrap_or(Renamed::Source),
        from: row.get(at + 1)?,
        to: row.get(at + 2)?,
        within: (!within.is_empty()).then_some(within),
    })
}
