//! One-time links: the first owner's, and invitations. Stored as hashes; whoever takes one uses it up.

use rusqlite::named_params;

use super::scope::AllSites;
use crate::domain::ids::UserId;
use crate::domain::time::Time;
use crate::error::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneTimeKind {
    /// Names the owner of a box that has none.
    FirstOwner,
    /// Lets an invited user choose a password.
    Invite,
}

impl OneTimeKind {
    pub fn word(self) -> &'static str {
        match self {
            OneTimeKind::FirstOwner => "first_owner",
            OneTimeKind::Invite => "invite",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct OneTimeLink {
    pub kind: OneTimeKind,
    pub user: Option<UserId>,
    pub expires_at: Time,
}

/// Those of an older file may have been used since.
pub fn remove_all(all: &AllSites) -> Result<usize> {
    all.execute("delete from one_time_links", &[])
}

/// Older links of the same kind and user stop working.
pub fn add(all: &AllSites, hash: &[u8; 32], link: &OneTimeLink) -> Result<()> {
    all.execute(
        "delete from one_time_links where kind = :kind and user_id is :user",
        named_params! {":kind": link.kind.word(), ":user": link.user.map(UserId::number)},
    )?;
    all.execute(
        "insert into one_time_links (token_hash, kind, user_id, expires_at) values (:hash, :kind, :user, :expires)",
        named_params! {":hash": hash, ":kind": link.kind.word(), ":user": link.user.map(UserId::number), ":expires": link.expires_at.ms()},
    )?;
    Ok(())
}

pub fn find(all: &AllSites, hash: &[u8; 32], now: Time) -> Result<Option<OneTimeLink>> {
    all.find(
        "select kind, user_id, expires_at from one_time_links where token_hash = :hash and expires_at > :now",
        named_params! {":hash": hash, ":now": now.ms()},
        |row| {
            let kind: String = row.get(0)?;
            let user: Option<i64> = row.get(1)?;
            Ok(OneTimeLink {
                kind: if kind == "first_owner" { OneTimeKind::FirstOwner } else { OneTimeKind::Invite },
                user: user.map(UserId::new),
                expires_at: Time::from_ms(row.get(2)?),
            })
        },
    )
}

/// Uses the link up. Whoever comes second finds nothing.
pub fn take(all: &AllSites, hash: &[u8; 32], now: Time) -> Result<Option<OneTimeLink>> {
    let link = find(all, hash, now)?;
    all.execute("delete from one_time_links where token_hash = :hash", named_params! {":hash": hash})?;
    Ok(link)
}

/// No link makes a first owner any more: there is one.
pub fn remove_first_owner(all: &AllSites) -> Result<()> {
    all.execute("delete from one_time_links where kind = 'first_owner'", &[])?;
    Ok(())
}
