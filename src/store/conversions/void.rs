//! A conversion that is none after all: another one was the same sale, or what told of it was taken back. Its row stays.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::ids::ConversionId;
use crate::error::Result;

/// How a conversion stands that is none after all. It is in no list; whoever has its number is told why.
pub const VOID: &str = "void";

/// It is none of its own after all: it counts nowhere, joins with nothing, and says why. Whose it was it keeps: who asks to be
/// forgotten is forgotten there too.
pub fn close(c: &SiteConn, id: ConversionId, flag: &str) -> Result<()> {
    c.execute(
        "update conversions set counts = 0, order_key = null, status = :void, flag = :flag
         where site_id = :site and id = :id",
        named_params! {":flag": flag, ":void": VOID, ":id": id.number()},
    )?;
    Ok(())
}

/// It is nobody's.
pub fn unlink(c: &SiteConn, id: ConversionId) -> Result<()> {
    c.execute(
        "update conversions set contact_id = null, session_id = null where site_id = :site and id = :id",
        named_params! {":id": id.number()},
    )?;
    Ok(())
}
