//! Whose a sale is, where that is told anew.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::ids::{ContactId, ConversionId};
use crate::error::Result;

/// Who speaks for it has told of another buyer since.
pub fn set_contact(c: &SiteConn, id: ConversionId, contact: ContactId) -> Result<()> {
    c.execute(
        "update conversions set contact_id = :contact where site_id = :site and id = :id and erased_at is null",
        named_params! {":contact": contact.number(), ":id": id.number()},
    )?;
    Ok(())
}
