//! Links under which a partner reads the statement of a month: signed under a key of the site, looked up by their hash,
//! ended by the owner or by time.

use rusqlite::{Row, named_params};

use super::super::scope::{AllSites, SiteConn};
use crate::crypto;
use crate::domain::ids::{AffiliateId, SiteId, StatementId};
use crate::domain::time::{Day, Time};
use crate::error::Result;

#[derive(Debug, Clone)]
pub struct StatementLink {
    pub id: StatementId,
    pub site: SiteId,
    pub affiliate: AffiliateId,
    /// First day of the month.
    pub month: Day,
    pub created_by: String,
    pub created_at: Time,
    pub expires_at: Time,
    pub views: i64,
    pub last_viewed_at: Option<Time>,
}

const COLUMNS: &str = "id, site_id, affiliate_id, month, created_by, created_at, expires_at, views, last_viewed_at";

/// Its number and its token: a seal over what it opens, so that it can be shown again and is nowhere stored.
pub fn add(
    c: &SiteConn,
    key: &[u8],
    affiliate: AffiliateId,
    month: Day,
    expires_at: Time,
    who: &str,
    now: Time,
) -> Result<(StatementId, String)> {
    let id = StatementId::new(c.next_number(StatementId::WORD)?);
    let token = token(key, c.site(), id, affiliate, month, now);
    c.execute(
        "insert into statement_links (token_hash, site_id, id, affiliate_id, month, created_by, created_at, expires_at)
         values (:hash, :site, :id, :affiliate, :month, :who, :now, :expires)",
        named_params! {":hash": hash(&token), ":id": id.number(), ":affiliate": affiliate.number(), ":month": month.0, ":who": who,
        ":now": now.ms(), ":expires": expires_at.ms()},
    )?;
    Ok((id, token))
}

/// Those of a partner that are still good, the newest first, each with its token.
pub fn list(c: &SiteConn, key: &[u8], affiliate: AffiliateId, now: Time) -> Result<Vec<(StatementLink, String)>> {
    let all = c.list(
        &format!(
            "select {COLUMNS} from statement_links
             where site_id = :site and affiliate_id = :affiliate and revoked_at is null and expires_at > :now order by month desc, id desc"
        ),
        named_params! {":affiliate": affiliate.number(), ":now": now.ms()},
        read,
    )?;
    let named = all.into_iter().map(|link| {
        let token = token(key, link.site, link.id, link.affiliate, link.month, link.created_at);
        (link, token)
    });
    Ok(named.collect())
}

/// The link of a token, if it is still good.
pub fn find(all: &AllSites, token: &str, now: Time) -> Result<Option<StatementLink>> {
    all.find(
        &format!("select {COLUMNS} from statement_links where token_hash = :hash and revoked_at is null and expires_at > :now"),
        named_params! {":hash": hash(token), ":now": now.ms()},
        read,
    )
}

/// Whether there was such a link.
pub fn revoke(c: &SiteConn, affiliate: AffiliateId, id: StatementId, now: Time) -> Result<bool> {
    let changed = c.execute(
        "update statement_links set revoked_at = :now
         where site_id = :site and id = :id and affiliate_id = :affiliate and revoked_at is null",
        named_params! {":now": now.ms(), ":id": id.number(), ":affiliate": affiliate.number()},
    )?;
    Ok(changed > 0)
}

pub fn viewed(c: &SiteConn, id: StatementId, now: Time) -> Result<()> {
    c.execute(
        "update statement_links set views = views + 1, last_viewed_at = :now where site_id = :site and id = :id",
        named_params! {":now": now.ms(), ":id": id.number()},
    )?;
    Ok(())
}

fn token(key: &[u8], site: SiteId, id: StatementId, affiliate: AffiliateId, month: Day, created_at: Time) -> String {
    let said = format!("statement.{site}.{id}.{affiliate}.{month}.{}", created_at.ms());
    crypto::base64url(&crypto::hmac_sha256(key, &[said.as_bytes()]))
}

fn hash(token: &str) -> [u8; 32] {
    crypto::sha256(token.as_bytes())
}

fn read(row: &Row) -> rusqlite::Result<StatementLink> {
    Ok(StatementLink {
        id: StatementId::new(row.get(0)?),
        site: SiteId::issued(row.get(1)?),
        affiliate: AffiliateId::new(row.get(2)?),
        month: Day(row.get(3)?),
        created_by: row.get(4)?,
        created_at: Time::from_ms(row.get(5)?),
        expires_at: Time::from_ms(row.get(6)?),
        views: row.get(7)?,
        last_viewed_at: row.get::<_, Option<i64>>(8)?.map(Time::from_ms),
    })
}
