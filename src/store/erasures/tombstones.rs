//! Keyed digests of identities and browsers that were erased, each with the time up to which it is the past.

use rusqlite::named_params;

use super::super::people::IdentityKind;
use super::super::scope::SiteConn;
use crate::crypto;
use crate::domain::time::Time;
use crate::error::Result;

/// Of an identity (`email`, `phone`, `customer_id`) or of a browser (`session`), under the site's own key.
pub fn digest(key: &[u8; 32], kind: &str, value: &str) -> [u8; 16] {
    let whole = crypto::hmac_sha256(key, &[kind.as_bytes(), b".", value.as_bytes()]);
    let mut short = [0; 16];
    short.copy_from_slice(&whole[..16]);
    short
}

/// The kind under which a browser's key stands.
pub const SESSION: &str = "session";
/// The kind under which the words of a lead without an id stand.
pub const CONTENT: &str = "content";
/// The kind under which a conversation stands, by its sender's own id.
pub const CONVERSATION: &str = "conversation";

/// A conversation as its stone names it.
pub fn conversation(connection: i64, external_id: &str) -> String {
    format!("{connection}.{external_id}")
}

pub fn add(c: &SiteConn, digest: &[u8; 16], at: Time) -> Result<()> {
    c.execute(
        "insert into tombstones (site_id, digest, at) values (:site, :digest, :at)
         on conflict (site_id, digest) do update set at = max(at, excluded.at)",
        named_params! {":digest": digest, ":at": at.ms()},
    )?;
    Ok(())
}

/// Whether anybody was ever erased here: nearly always not, and then there is nothing else to ask.
pub fn is_empty(c: &SiteConn) -> Result<bool> {
    Ok(c.find("select 1 from tombstones where site_id = :site limit 1", &[], |_| Ok(()))?.is_none())
}

/// Up to when this one is the past.
pub fn find(c: &SiteConn, digest: &[u8; 16]) -> Result<Option<Time>> {
    c.find("select at from tombstones where site_id = :site and digest = :digest", named_params! {":digest": digest}, |row| {
        Ok(Time::from_ms(row.get(0)?))
    })
}

/// Every value by which somebody is known on the site: for an older file whose people must be found by their digests.
pub fn list_known(c: &SiteConn, on: &mut impl FnMut(IdentityKind, String)) -> Result<()> {
    let mut read = |sql: &str| {
        c.scan(sql, &[], |row| {
            let kind: String = row.get(0)?;
            let kind = match kind.as_str() {
                "email" => IdentityKind::Email,
                "phone" => IdentityKind::Phone,
                _ => IdentityKind::CustomerId,
            };
            on(kind, row.get(1)?);
            Ok(true)
        })
    };
    read("select kind, value from identities where site_id = :site")?;
    read("select kind, value from session_people where site_id = :site")?;
    read("select 'email', email from leads where site_id = :site and email is not null")?;
    read("select 'phone', phone from leads where site_id = :site and phone is not null")?;
    read("select 'email', email from orders where site_id = :site and email is not null")?;
    read("select 'phone', phone from orders where site_id = :site and phone is not null")?;
    read("select 'email', email from conversations where site_id = :site and email is not null")?;
    read("select 'phone', phone from conversations where site_id = :site and phone is not null")
}

/// How many keep erased people from coming back.
pub fn count(c: &SiteConn) -> Result<i64> {
    c.one("select count(*) from tombstones where site_id = :site", &[])
}
