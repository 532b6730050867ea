//! What the statements of closed months show: written once, when the month is closed, with a digest that says whether it is still what
//! was written. Only the partner's name goes, where the partner is erased.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::crypto;
use crate::domain::ids::AffiliateId;
use crate::domain::time::{Day, Time};
use crate::error::{Error, Result};

/// A statement as it was closed.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    pub name: String,
    pub closed_at: Time,
    pub body: String,
    pub digest: [u8; 32],
}

/// Writes one, unless there is one already.
pub fn add(c: &SiteConn, id: AffiliateId, month: Day, name: &str, body: &str, now: Time) -> Result<()> {
    c.execute(
        "insert into affiliate_statements (site_id, affiliate_id, month, closed_at, name, body, digest)
         values (:site, :id, :month, :now, :name, :body, :digest) on conflict do nothing",
        named_params! {":id": id.number(), ":month": month.0, ":now": now.ms(), ":name": name, ":body": body,
        ":digest": crypto::sha256(body.as_bytes())},
    )?;
    Ok(())
}

/// That of a partner and month. One that was changed in the file is refused: nobody is shown figures that were never closed.
pub fn find(c: &SiteConn, id: AffiliateId, month: Day) -> Result<Option<Frozen>> {
    let found = c.find(
        "select name, closed_at, body, digest from affiliate_statements where site_id = :site and affiliate_id = :id and month = :month",
        named_params! {":id": id.number(), ":month": month.0},
        |row| Ok(Frozen { name: row.get(0)?, closed_at: Time::from_ms(row.get(1)?), body: row.get(2)?, digest: row.get(3)? }),
    )?;
    match found {
        Some(frozen) if crypto::sha256(frozen.body.as_bytes()) != frozen.digest => {
            Err(Error::internal(format!("the statement of {id} for {month} is not what was closed: its digest differs")))
        }
        found => Ok(found),
    }
}

/// Who it was goes from all statements of a partner; the figures stay.
pub fn erase(c: &SiteConn, id: AffiliateId) -> Result<usize> {
    c.execute(
        "update affiliate_statements set name = 'Erased partner' where site_id = :site and affiliate_id = :id and name <> 'Erased partner'",
        named_params! {":id": id.number()},
    )
}
