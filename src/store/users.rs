//! People who sign in, their second factor, and their roles on sites.

use rusqlite::{Row, named_params};

use super::scope::{AllSites, SiteConn};
use crate::domain::ids::{SiteId, UserId};
use crate::domain::person::Email;
use crate::domain::rights::Right;
use crate::domain::time::Time;
use crate::error::{Error, Result};

#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: UserId,
    pub email: String,
    /// Owner of the box: all rights on all sites.
    pub is_owner: bool,
    /// An invitation that nobody has taken up yet has no password.
    pub has_password: bool,
    pub has_totp: bool,
    pub created_at: Time,
    pub last_login_at: Option<Time>,
}

/// What a login is checked against.
pub struct Proof {
    pub user: User,
    pub password_hash: Option<String>,
    /// The opened TOTP key.
    pub totp: Option<Vec<u8>>,
    /// The last step that was used; each step counts once.
    pub totp_step: i64,
}

pub fn add(all: &AllSites, email: &Email, is_owner: bool, now: Time) -> Result<UserId> {
    let taken = find_by_email(all, email)?;
    if taken.is_some() {
        return Err(Error::invalid("email", format!("There is a user {} already.", email.as_str())));
    }
    all.execute(
        "insert into users (email, is_owner, created_at) values (:email, :is_owner, :now)",
        named_params! {":email": email.as_str(), ":is_owner": is_owner, ":now": now.ms()},
    )?;
    Ok(UserId::new(all.last_insert_rowid()))
}

pub fn get(all: &AllSites, id: UserId) -> Result<User> {
    all.find(
        "select id, email, is_owner, password_hash is not null, totp_sealed is not null, created_at, last_login_at
         from users where id = :id",
        named_params! {":id": id.number()},
        read,
    )?
    .ok_or_else(|| Error::not_found(format!("There is no {id}.")))
}

pub fn find_by_email(all: &AllSites, email: &Email) -> Result<Option<User>> {
    all.find(
        "select id, email, is_owner, password_hash is not null, totp_sealed is not null, created_at, last_login_at
         from users where email = :email",
        named_params! {":email": email.as_str()},
        read,
    )
}

pub fn list(all: &AllSites) -> Result<Vec<User>> {
    all.list(
        "select id, email, is_owner, password_hash is not null, totp_sealed is not null, created_at, last_login_at
         from users order by id",
        &[],
        read,
    )
}

/// Somebody who can sign in owns the box.
pub fn has_owner(all: &AllSites) -> Result<bool> {
    let found = all.find("select 1 from users where is_owner = 1 and password_hash is not null limit 1", &[], |_| Ok(()))?;
    Ok(found.is_some())
}

pub fn find_proof(all: &AllSites, email: &Email) -> Result<Option<Proof>> {
    let found = all.find(
        "select id, email, is_owner, password_hash is not null, totp_sealed is not null, created_at, last_login_at,
           password_hash, totp_sealed, totp_step
         from users where email = :email",
        named_params! {":email": email.as_str()},
        |row| Ok((read(row)?, row.get::<_, Option<String>>(7)?, row.get::<_, Option<Vec<u8>>>(8)?, row.get::<_, i64>(9)?)),
    )?;
    let Some((user, password_hash, sealed, totp_step)) = found else { return Ok(None) };
    let totp = match sealed {
        None => None,
        Some(sealed) => Some(all.sealer().open(&sealed, &totp_row(user.id)).ok_or_else(|| {
            super::storage("key_wrong", "The master key does not fit this database. Put the key file back that belongs to it.")
        })?),
    };
    Ok(Some(Proof { user, password_hash, totp, totp_step }))
}

pub fn set_password(all: &AllSites, id: UserId, hash: &str) -> Result<()> {
    all.execute("update users set password_hash = :hash where id = :id", named_params! {":hash": hash, ":id": id.number()})?;
    Ok(())
}

pub fn set_owner(all: &AllSites, id: UserId, is_owner: bool) -> Result<()> {
    all.execute("update users set is_owner = :is where id = :id", named_params! {":is": is_owner, ":id": id.number()})?;
    Ok(())
}

pub fn set_last_login(all: &AllSites, id: UserId, now: Time) -> Result<()> {
    all.execute("update users set last_login_at = :now where id = :id", named_params! {":now": now.ms(), ":id": id.number()})?;
    Ok(())
}

/// Second factors under the present master key; gives how many were changed.
pub fn seal_anew(all: &AllSites) -> Result<usize> {
    let rows: Vec<(i64, Vec<u8>)> =
        all.list("select id, totp_sealed from users where totp_sealed is not null", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut changed = 0;
    for (id, sealed) in rows {
        if let Some(anew) = all.sealer().sealed_anew(&sealed, &totp_row(UserId::new(id))) {
            changed += all.execute("update users set totp_sealed = :sealed where id = :id", named_params! {":sealed": anew, ":id": id})?;
        }
    }
    Ok(changed)
}

/// Sets or removes the second factor; codes of an older one are gone.
pub fn set_totp(all: &AllSites, id: UserId, key: Option<&[u8]>, recovery: &[[u8; 32]]) -> Result<()> {
    let sealed = key.map(|key| all.sealer().seal(key, &totp_row(id)));
    all.execute(
        "update users set totp_sealed = :sealed, totp_step = 0 where id = :id",
        named_params! {":sealed": sealed, ":id": id.number()},
    )?;
    all.execute("delete from recovery_codes where user_id = :id", named_params! {":id": id.number()})?;
    for hash in recovery {
        all.execute(
            "insert into recovery_codes (user_id, code_hash) values (:id, :hash)",
            named_params! {":id": id.number(), ":hash": hash},
        )?;
    }
    Ok(())
}

/// Uses a step of the second factor up; false if it, or a later one, was used before.
pub fn take_totp_step(all: &AllSites, id: UserId, step: i64) -> Result<bool> {
    let changed = all.execute(
        "update users set totp_step = :step where id = :id and totp_step < :step",
        named_params! {":step": step, ":id": id.number()},
    )?;
    Ok(changed > 0)
}

pub fn take_recovery_code(all: &AllSites, id: UserId, hash: &[u8; 32], now: Time) -> Result<bool> {
    let changed = all.execute(
        "update recovery_codes set used_at = :now where user_id = :id and code_hash = :hash and used_at is null",
        named_params! {":now": now.ms(), ":id": id.number(), ":hash": hash},
    )?;
    Ok(changed > 0)
}

pub fn set_member(c: &SiteConn, user: UserId, right: Right) -> Result<()> {
    c.execute(
        "insert into members (site_id, user_id, role) values (:site, :user, :role)
         on conflict (site_id, user_id) do update set role = excluded.role",
        named_params! {":user": user.number(), ":role": right.role()},
    )?;
    Ok(())
}

pub fn remove_member(c: &SiteConn, user: UserId) -> Result<bool> {
    Ok(c.execute("delete from members where site_id = :site and user_id = :user", named_params! {":user": user.number()})? > 0)
}

pub fn find_role(c: &SiteConn, user: UserId) -> Result<Option<Right>> {
    let role: Option<String> =
        c.find("select role from members where site_id = :site and user_id = :user", named_params! {":user": user.number()}, |row| {
            row.get(0)
        })?;
    Ok(role.as_deref().and_then(Right::of_role))
}

pub fn list_memberships(all: &AllSites, user: UserId) -> Result<Vec<(SiteId, Right)>> {
    let rows: Vec<(i64, String)> = all.list(
        "select site_id, role from members where user_id = :user order by site_id",
        named_params! {":user": user.number()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(rows.into_iter().filter_map(|(site, role)| Some((SiteId::issued(site), Right::of_role(&role)?))).collect())
}

fn read(row: &Row) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId::new(row.get(0)?),
        email: row.get(1)?,
        is_owner: row.get(2)?,
        has_password: row.get(3)?,
        has_totp: row.get(4)?,
        created_at: Time::from_ms(row.get(5)?),
        last_login_at: row.get::<_, Option<i64>>(6)?.map(Time::from_ms),
    })
}

fn totp_row(id: UserId) -> String {
    format!("users/{}/totp", id.number())
}
