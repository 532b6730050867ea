//! Keys of programs: stored as hashes, each for one site, with scopes and an end.

use rusqlite::{Row, named_params};

use super::scope::{AllSites, SiteConn};
use crate::crypto::{self, Secret};
use crate::domain::ids::{SiteId, TokenId};
use crate::domain::rights::Scope;
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};

/// What scanners for leaked keys look for.
const PREFIX: &str = "ht_";
/// An owner's own secret: `openssl rand -hex 32` makes 64 characters, 32 bytes in base64 are 43.
const SHORTEST_OWN: usize = 40;
const LONGEST_OWN: usize = 512;

#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub id: TokenId,
    pub site: SiteId,
    pub name: String,
    pub scopes: Vec<Scope>,
    /// The last four characters.
    pub hint: String,
    pub created_at: Time,
    pub expires_at: Option<Time>,
    pub last_used_at: Option<Time>,
}

/// Makes a token and gives its text, which is not kept. `value` is a secret that the owner brings along.
pub fn create(c: &SiteConn, name: &str, scopes: &[Scope], expires_at: Option<Time>, value: Option<&Secret>, now: Time) -> Result<Secret> {
    if scopes.is_empty() {
        return Err(Error::invalid("scope", "Name at least one scope: read, write, sync, export, erase."));
    }
    let text = match value {
        Some(own) => Secret::new(checked(own)?),
        None => Secret::new(format!("{PREFIX}{}", crypto::random_text(32))),
    };
    let hash = hash(text.reveal());
    let id = c.next_number(TokenId::WORD)?;
    let added = c.execute(
        "insert into tokens (token_hash, site_id, id, name, scopes, hint, created_at, expires_at)
         values (:hash, :site, :id, :name, :scopes, :hint, :now, :expires) on conflict (token_hash) do nothing",
        named_params! {":hash": hash, ":id": id, ":name": name, ":scopes": Scope::list_words(scopes), ":hint": text.hint(),
        ":now": now.ms(), ":expires": expires_at.map(Time::ms)},
    )?;
    if added == 0 {
        return Err(Error::new(Kind::Conflict, "token_exists", "This secret is a token already. Make another one."));
    }
    Ok(text)
}

/// The key under which a token is looked up.
pub fn hash(text: &str) -> [u8; 32] {
    crypto::sha256(text.as_bytes())
}

/// Tokens of all sites that were not revoked, expired ones too: their answer names the date.
pub fn list_all(all: &AllSites) -> Result<Vec<([u8; 32], Token)>> {
    all.list(
        "select id, site_id, name, scopes, hint, created_at, expires_at, last_used_at, token_hash from tokens where revoked_at is null",
        &[],
        |row| Ok((row.get(8)?, read(row)?)),
    )
}

pub fn find(all: &AllSites, hash: &[u8; 32]) -> Result<Option<Token>> {
    all.find(
        "select id, site_id, name, scopes, hint, created_at, expires_at, last_used_at from tokens
         where token_hash = :hash and revoked_at is null",
        named_params! {":hash": hash},
        read,
    )
}

pub fn list(c: &SiteConn) -> Result<Vec<Token>> {
    c.list(
        "select id, site_id, name, scopes, hint, created_at, expires_at, last_used_at from tokens
         where site_id = :site and revoked_at is null order by id",
        &[],
        read,
    )
}

/// Whether there was such a token.
pub fn revoke(c: &SiteConn, id: TokenId, now: Time) -> Result<bool> {
    let changed = c.execute(
        "update tokens set revoked_at = :now where site_id = :site and id = :id and revoked_at is null",
        named_params! {":now": now.ms(), ":id": id.number()},
    )?;
    Ok(changed > 0)
}

pub fn used(c: &SiteConn, id: TokenId, now: Time) -> Result<()> {
    c.execute(
        "update tokens set last_used_at = :now where site_id = :site and id = :id",
        named_params! {":now": now.ms(), ":id": id.number()},
    )?;
    Ok(())
}

fn read(row: &Row) -> rusqlite::Result<Token> {
    let scopes: String = row.get(3)?;
    Ok(Token {
        id: TokenId::new(row.get(0)?),
        site: SiteId::issued(row.get(1)?),
        name: row.get(2)?,
        // A word that this version does not know gives no right.
        scopes: scopes.split(',').filter_map(Scope::parse).collect(),
        hint: row.get(4)?,
        created_at: Time::from_ms(row.get(5)?),
        expires_at: row.get::<_, Option<i64>>(6)?.map(Time::from_ms),
        last_used_at: row.get::<_, Option<i64>>(7)?.map(Time::from_ms),
    })
}

/// A secret that somebody typed is guessed by somebody else.
fn checked(own: &Secret) -> Result<String> {
    let text = own.reveal().trim();
    let kinds = text.bytes().collect::<std::collections::BTreeSet<u8>>().len();
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic());
    if !is_plain || text.len() < SHORTEST_OWN || text.len() > LONGEST_OWN || kinds < 10 {
        return Err(Error::invalid("value", "Bring a random secret of at least 32 bytes, for example from `openssl rand -hex 32`."));
    }
    Ok(text.to_owned())
}
