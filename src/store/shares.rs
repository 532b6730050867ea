//! Links to read-only pages: looked up by the hash of their token, which is kept sealed for copying it again.

use rusqlite::{Row, named_params};
use serde::Serialize;

use super::audit::FROM;
use super::scope::{AllSites, SiteConn};
use crate::crypto::{self, Secret};
use crate::domain::ids::{ShareId, SiteId};
use crate::domain::share::SharedPage;
use crate::domain::sight::Sight;
use crate::domain::time::Time;
use crate::error::{Error, Result};

#[derive(Debug, Clone)]
pub struct Share {
    pub id: ShareId,
    pub site: SiteId,
    pub name: String,
    pub sight: Sight,
    pub pages: Vec<SharedPage>,
    /// Origins whose pages may hold it in a frame.
    pub frames: Vec<String>,
    pub password_hash: Option<String>,
    pub created_by: String,
    pub created_at: Time,
    pub expires_at: Option<Time>,
    pub views: i64,
    pub last_viewed_at: Option<Time>,
}

pub struct NewShare {
    pub name: String,
    pub sight: Sight,
    pub pages: Vec<SharedPage>,
    /// Origins whose pages may hold it in a frame.
    pub frames: Vec<String>,
    pub password_hash: Option<String>,
    pub created_by: String,
    pub expires_at: Option<Time>,
}

const COLUMNS: &str = "id, site_id, name, sight, password_hash, created_by, created_at, expires_at, views, last_viewed_at, pages, frames";

/// Makes a link and gives its token.
pub fn add(c: &SiteConn, new: &NewShare, now: Time) -> Result<(ShareId, Secret)> {
    let id = ShareId::new(c.next_number(ShareId::WORD)?);
    let token = Secret::new(crypto::random_text(24));
    let sealed = c.sealer().seal(token.reveal().as_bytes(), &row_name(c.site(), id));
    c.execute(
        "insert into shares (token_hash, site_id, id, name, sealed_token, sight, pages, frames, password_hash, created_by, created_at, expires_at)
         values (:hash, :site, :id, :name, :sealed, :sight, :pages, :frames, :password, :by, :now, :expires)",
        named_params! {":hash": hash(token.reveal()), ":id": id.number(), ":name": new.name, ":sealed": sealed, ":sight": text(&new.sight)?,
        ":pages": text(&new.pages)?, ":frames": text(&new.frames)?, ":password": new.password_hash, ":by": new.created_by.split(FROM).next().unwrap_or_default(), ":now": now.ms(), ":expires": new.expires_at.map(Time::ms)},
    )?;
    Ok((id, token))
}

/// Links that were not revoked, the newest first, each with its token; ended ones too.
pub fn list(c: &SiteConn) -> Result<Vec<(Share, String)>> {
    let rows = c.list(
        &format!("select {COLUMNS}, sealed_token from shares where site_id = :site and revoked_at is null order by id desc"),
        &[],
        |row| Ok((read(row), row.get::<_, Vec<u8>>(12)?)),
    )?;
    rows.into_iter()
        .map(|(share, sealed)| {
            let share = share?;
            let token = c.sealer().open(&sealed, &row_name(share.site, share.id)).and_then(|plain| String::from_utf8(plain).ok());
            let token = token.ok_or_else(|| Error::internal(format!("{} does not open under the master key", share.id)))?;
            Ok((share, token))
        })
        .collect()
}

/// The link of a token, if it is still good.
pub fn find(all: &AllSites, token: &str, now: Time) -> Result<Option<Share>> {
    all.find(
        &format!(
            "select {COLUMNS} from shares
             where token_hash = :hash and revoked_at is null and (expires_at is null or expires_at > :now)"
        ),
        named_params! {":hash": hash(token), ":now": now.ms()},
        |row| Ok(read(row)),
    )?
    .transpose()
}

/// Whether there was such a link.
pub fn revoke(c: &SiteConn, id: ShareId, now: Time) -> Result<bool> {
    let changed = c.execute(
        "update shares set revoked_at = :now where site_id = :site and id = :id and revoked_at is null",
        named_params! {":now": now.ms(), ":id": id.number()},
    )?;
    Ok(changed > 0)
}

pub fn viewed(c: &SiteConn, id: ShareId, now: Time) -> Result<()> {
    c.execute(
        "update shares set views = views + 1, last_viewed_at = :now where site_id = :site and id = :id",
        named_params! {":now": now.ms(), ":id": id.number()},
    )?;
    Ok(())
}

/// Tokens under the present master key; gives how many were changed.
pub fn seal_anew(c: &SiteConn) -> Result<usize> {
    let rows: Vec<(i64, Vec<u8>)> =
        c.list("select id, sealed_token from shares where site_id = :site", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut changed = 0;
    for (id, sealed) in rows {
        if let Some(anew) = c.sealer().sealed_anew(&sealed, &row_name(c.site(), ShareId::new(id))) {
            changed += c.execute(
                "update shares set sealed_token = :sealed where site_id = :site and id = :id",
                named_params! {":sealed": anew, ":id": id},
            )?;
        }
    }
    Ok(changed)
}

fn hash(token: &str) -> [u8; 32] {
    crypto::sha256(token.as_bytes())
}

fn row_name(site: SiteId, id: ShareId) -> String {
    format!("shares/{}/{}", site.number(), id.number())
}

fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

fn read(row: &Row) -> Result<Share> {
    let sql = super::scope::sql_error;
    let time = |place| row.get::<_, Option<i64>>(place).map(|t| t.map(Time::from_ms)).map_err(sql);
    let (sight, pages, frames): (String, String, String) = (row.get(3).map_err(sql)?, row.get(10).map_err(sql)?, row.get(11).map_err(sql)?);
    Ok(Share {
        id: ShareId::new(row.get(0).map_err(sql)?),
        site: SiteId::issued(row.get(1).map_err(sql)?),
        name: row.get(2).map_err(sql)?,
        // A sight that cannot be read is no permission to see all.
        sight: serde_json::from_str(&sight).map_err(Error::internal)?,
        pages: serde_json::from_str(&pages).map_err(Error::internal)?,
        frames: serde_json::from_str(&frames).map_err(Error::internal)?,
        password_hash: row.get(4).map_err(sql)?,
        created_by: row.get(5).map_err(sql)?,
        created_at: Time::from_ms(row.get(6).map_err(sql)?),
        expires_at: time(7)?,
        views: row.get(8).map_err(sql)?,
        last_viewed_at: time(9)?,
    })
}
