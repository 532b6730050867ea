//! What amounts of spend were before a later file changed them, so that taking the later file back takes nothing away that an
//! earlier one has brought.

use rusqlite::{Row, named_params};

use super::imports::{self, ImportState};
use super::scope::SiteConn;
use super::spend;
use crate::domain::ids::{ImportId, SpendId};
use crate::domain::import::ImportKind;
use crate::domain::money::{Currency, Money};
use crate::domain::question::Days;
use crate::domain::spend::Spend;
use crate::domain::time::Day;
use crate::error::Result;

/// An amount as it stood, and by what its row was known.
struct Before {
    spend: Spend,
    import: Option<ImportId>,
    key: Vec<u8>,
    content: Vec<u8>,
}

/// Remembers an amount that `import` is about to change. What it was before the first change by that file counts.
pub fn keep(c: &SiteConn, id: SpendId, import: ImportId, key: &[u8]) -> Result<()> {
    c.execute(
        "insert into spend_before (site_id, spend_id, import_id, first_day, last_day, source, medium, campaign, currency, amount_minor,
           note, before_import, key, content)
         select s.site_id, s.id, :import, s.first_day, s.last_day, s.source, s.medium, s.campaign, s.currency, s.amount_minor, s.note,
           s.import_id, r.key, r.content
         from spend s join import_rows r on r.site_id = s.site_id and r.kind = 'spend' and r.key = :key
         where s.site_id = :site and s.id = :id and s.import_id is not :import
         on conflict do nothing",
        named_params! {":id": id.number(), ":import": import.number(), ":key": key},
    )?;
    Ok(())
}

/// Takes amounts of an import back, some at a time: each becomes what it was under the last file before that still stands,
/// or goes where there is none. Gives how many there were.
pub fn take_back(c: &SiteConn, import: ImportId, limit: i64) -> Result<usize> {
    let ids: Vec<i64> = c.list(
        "select id from spend where site_id = :site and import_id = :import limit :limit",
        named_params! {":import": import.number(), ":limit": limit},
        |row| row.get(0),
    )?;
    for id in &ids {
        let id = SpendId::new(*id);
        match standing(c, id, import)? {
            Some((before, owner)) => {
                spend::set(c, id, &before.spend, Some(owner))?;
                imports::save_row(c, ImportKind::Spend, &before.key, &before.content, owner, Some(id.number()))?;
                c.execute(
                    "delete from spend_before where site_id = :site and spend_id = :id and import_id = :import",
                    named_params! {":id": id.number(), ":import": import.number()},
                )?;
            }
            None => {
                spend::remove(c, id)?;
            }
        }
    }
    Ok(ids.len())
}

/// What an amount was under the nearest earlier file that is not taken back itself.
fn standing(c: &SiteConn, id: SpendId, import: ImportId) -> Result<Option<(Before, ImportId)>> {
    let mut of = import;
    while let Some(before) = find(c, id, of)? {
        let Some(owner) = before.import else { return Ok(None) };
        let is_undone = imports::find(c, owner)?.is_none_or(|import| import.state == ImportState::Undone);
        if !is_undone {
            return Ok(Some((before, owner)));
        }
        of = owner;
    }
    Ok(None)
}

fn find(c: &SiteConn, id: SpendId, import: ImportId) -> Result<Option<Before>> {
    c.find(
        "select first_day, last_day, source, medium, campaign, currency, amount_minor, note, before_import, key, content
         from spend_before where site_id = :site and spend_id = :id and import_id = :import",
        named_params! {":id": id.number(), ":import": import.number()},
        read,
    )
}

fn read(row: &Row) -> rusqlite::Result<Before> {
    let currency: String = row.get(5)?;
    let currency = Currency::parse(&currency).ok_or(rusqlite::Error::InvalidQuery)?;
    Ok(Before {
        spend: Spend {
            days: Days { from: Day(row.get(0)?), to: Day(row.get(1)?) },
            source: row.get(2)?,
            medium: row.get(3)?,
            campaign: row.get(4)?,
            amount: Money::new(row.get(6)?, currency),
            note: row.get(7)?,
        },
        import: row.get::<_, Option<i64>>(8)?.map(ImportId::new),
        key: row.get(9)?,
        content: row.get(10)?,
    })
}
