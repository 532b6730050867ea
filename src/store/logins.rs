//! Signed-in states of people, by the hash of their cookie.

use rusqlite::named_params;

use super::scope::AllSites;
use crate::domain::ids::UserId;
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time};
use crate::error::Result;

/// Without a request for this long a login is over, and after the second time in any case.
pub const IDLE_MS: i64 = 12 * HOUR_MS;
pub const LONGEST_MS: i64 = 7 * DAY_MS;

#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    pub user: UserId,
    pub email: String,
    pub is_owner: bool,
    /// When the password was last given.
    pub proved_at: Time,
    last_seen_at: Time,
}

impl Login {
    /// Once a minute is fine enough for the idle time.
    pub fn wants_notice(&self, now: Time) -> bool {
        now.ms_since(self.last_seen_at) >= MINUTE_MS
    }
}

pub fn add(all: &AllSites, hash: &[u8; 32], user: UserId, now: Time) -> Result<()> {
    all.execute(
        "insert into logins (token_hash, user_id, created_at, last_seen_at, proved_at) values (:hash, :user, :now, :now, :now)",
        named_params! {":hash": hash, ":user": user.number(), ":now": now.ms()},
    )?;
    Ok(())
}

/// A login that is still good.
pub fn find(all: &AllSites, hash: &[u8; 32], now: Time) -> Result<Option<Login>> {
    all.find(
        "select l.user_id, u.email, u.is_owner, l.proved_at, l.last_seen_at from logins l join users u on u.id = l.user_id
         where l.token_hash = :hash and l.last_seen_at > :idle and l.created_at > :oldest",
        named_params! {":hash": hash, ":idle": now.ms() - IDLE_MS, ":oldest": now.ms() - LONGEST_MS},
        |row| {
            Ok(Login {
                user: UserId::new(row.get(0)?),
                email: row.get(1)?,
                is_owner: row.get(2)?,
                proved_at: Time::from_ms(row.get(3)?),
                last_seen_at: Time::from_ms(row.get(4)?),
            })
        },
    )
}

pub fn saw(all: &AllSites, hash: &[u8; 32], now: Time) -> Result<()> {
    all.execute(
        "update logins set last_seen_at = max(last_seen_at, :now) where token_hash = :hash",
        named_params! {":now": now.ms(), ":hash": hash},
    )?;
    Ok(())
}

pub fn remove(all: &AllSites, hash: &[u8; 32]) -> Result<()> {
    all.execute("delete from logins where token_hash = :hash", named_params! {":hash": hash})?;
    Ok(())
}

/// Those of an older file may have been ended since.
pub fn remove_all(all: &AllSites) -> Result<usize> {
    all.execute("delete from logins", &[])
}

/// Ends every login of a user, but for one to be kept: after a change of password or second factor.
pub fn remove_others(all: &AllSites, user: UserId, kept: Option<&[u8; 32]>) -> Result<usize> {
    all.execute(
        "delete from logins where user_id = :user and (:kept is null or token_hash <> :kept)",
        named_params! {":user": user.number(), ":kept": kept},
    )
}

/// Logins that are over take no room.
pub fn prune(all: &AllSites, now: Time) -> Result<usize> {
    all.execute(
        "delete from logins where last_seen_at <= :idle or created_at <= :oldest",
        named_params! {":idle": now.ms() - IDLE_MS, ":oldest": now.ms() - LONGEST_MS},
    )
}
