//! What the owner should see of a conversion: a flag that stays, and notes that come and go.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::ids::ConversionId;
use crate::error::Result;

/// Something about it that its owner should see.
pub fn set_flag(c: &SiteConn, id: ConversionId, flag: &str) -> Result<()> {
    c.execute(
        "update conversions set flag = coalesce(flag, :flag) where site_id = :site and id = :id",
        named_params! {":flag": flag, ":id": id.number()},
    )?;
    Ok(())
}

/// A note of the flag that comes and goes with what is known, beside whatever else it says.
pub fn set_note(c: &SiteConn, id: ConversionId, note: &str, is_so: bool) -> Result<()> {
    c.execute(
        "update conversions set flag = nullif(trim(trim(replace(coalesce(flag, ''), :note, ''), '; ') || iif(:so, '; ' || :note, ''), '; '), '')
         where site_id = :site and id = :id and (instr(coalesce(flag, ''), :note) > 0) is not :so",
        named_params! {":note": note, ":so": is_so, ":id": id.number()},
    )?;
    Ok(())
}
