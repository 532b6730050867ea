//! Frozen credit: one row a run, never changed.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::attribution::{Credit, PathTouch, Policy};
use crate::domain::ids::ConversionId;
use crate::domain::time::Time;
use crate::error::{Error, Result};

pub struct NewRun<'a> {
    pub conversion: ConversionId,
    pub run: i64,
    pub at: Time,
    /// `first known`, `joined`, `late identity`, `replayed by the owner`.
    pub why: &'a str,
    pub credit: &'a Credit,
    pub policy: &'a Policy,
    /// Attribution as the documents print it.
    pub snapshot: &'a serde_json::Value,
}

pub fn add(c: &SiteConn, new: &NewRun) -> Result<()> {
    let match_type = word(&new.credit.match_type)?;
    c.execute(
        "insert into credits (site_id, conversion_id, run, at, why, match_type, is_asserted, confidence_bp, reason, also_fits, path, policy, snapshot)
         values (:site, :conversion, :run, :at, :why, :match, :asserted, :confidence, :reason, :also, :path, :policy, :snapshot)",
        named_params! {":conversion": new.conversion.number(), ":run": new.run, ":at": new.at.ms(), ":why": new.why, ":match": match_type,
            ":asserted": new.credit.is_asserted, ":confidence": i64::from(new.credit.confidence_bp), ":reason": new.credit.reason,
            ":also": text(&new.credit.also_fits)?, ":path": text(&new.credit.path)?, ":policy": text(new.policy)?,
            ":snapshot": new.snapshot.to_string()},
    )?;
    Ok(())
}

/// The word of a serde enum, as it stands in JSON.
pub fn word(value: &impl serde::Serialize) -> Result<String> {
    match serde_json::to_value(value).map_err(Error::internal)? {
        serde_json::Value::String(s) => Ok(s),
        other => Err(Error::internal(format!("{other} is no word"))),
    }
}

/// Snapshot and path of the newest run.
pub fn find_newest(c: &SiteConn, conversion: ConversionId) -> Result<Option<(serde_json::Value, Vec<PathTouch>)>> {
    c.find(
        "select snapshot, path from credits where site_id = :site and conversion_id = :conversion order by run desc limit 1",
        named_params! {":conversion": conversion.number()},
        |row| {
            let (snapshot, path): (String, String) = (row.get(0)?, row.get(1)?);
            Ok((snapshot, path))
        },
    )?
    .map(|(snapshot, path)| {
        Ok((serde_json::from_str(&snapshot).map_err(Error::internal)?, serde_json::from_str(&path).map_err(Error::internal)?))
    })
    .transpose()
}

fn text(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}
