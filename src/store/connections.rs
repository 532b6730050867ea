//! A site's set-ups of platforms: settings, sealed secrets, mode, health, and the tokens of their hook addresses.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::{Row, named_params};
use serde::{Deserialize, Serialize};

use super::scope::{AllSites, SiteConn};
use crate::crypto::{self, Sealer, Secret};
use crate::domain::breaker::Breaker;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::outgoing::Mode;
use crate::domain::platform::{Secrets, Settings};
use crate::domain::time::{DAY_MS, Time};
use crate::error::{Error, Result};

/// How long the older of two hook tokens stays good.
const OVERLAP_MS: i64 = 7 * DAY_MS;

#[derive(Debug, Clone)]
pub struct Connection {
    pub id: ConnectionId,
    pub site: SiteId,
    pub platform: String,
    pub name: String,
    pub mode: Mode,
    pub settings: Settings,
    pub secrets: Secrets,
    pub secret_version: i64,
    pub status: Status,
    pub reason: Option<String>,
    pub breaker: Breaker,
    pub last_event_at: Option<Time>,
    pub created_at: Time,
    /// Tokens of its hook address, the newest first; empty where the platform never calls us.
    pub hook_tokens: Vec<String>,
}

impl Connection {
    /// Credentials that nothing is stored of yet, to be proved. `generation` tells its tokens from those of others.
    pub fn unknown(site: SiteId, platform: &str, settings: Settings, secrets: Secrets, generation: i64) -> Self {
        Self {
            id: ConnectionId::new(0),
            site,
            platform: platform.to_owned(),
            name: String::new(),
            mode: Mode::Shadow,
            settings,
            secrets,
            secret_version: generation,
            status: Status::Ok,
            reason: None,
            breaker: Breaker::default(),
            last_event_at: None,
            created_at: Time::from_ms(0),
            hook_tokens: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Ok,
    Paused,
    NeedsAttention,
    NotConfigured,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Paused => "paused",
            Status::NeedsAttention => "needs_attention",
            Status::NotConfigured => "not_configured",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "paused" => Status::Paused,
            "needs_attention" => Status::NeedsAttention,
            "not_configured" => Status::NotConfigured,
            _ => Status::Ok,
        }
    }
}

/// What a new connection begins with.
#[derive(Debug, Clone)]
pub struct NewConnection {
    pub platform: String,
    pub name: String,
    pub mode: Mode,
    pub settings: Settings,
    pub secrets: Secrets,
    pub status: Status,
    pub reason: Option<String>,
    pub has_hook: bool,
}

pub fn add(c: &SiteConn, new: &NewConnection, now: Time) -> Result<ConnectionId> {
    let settings = serde_json::to_string(&new.settings.0).map_err(Error::internal)?;
    let id: i64 = c.one(
        "insert into connections (site_id, platform, name, mode, settings, status, reason, created_at)
         values (:site, :platform, :name, :mode, :settings, :status, :reason, :now) returning id",
        named_params! {":platform": new.platform, ":name": new.name, ":mode": new.mode.word(), ":settings": settings,
        ":status": new.status.word(), ":reason": new.reason, ":now": now.ms()},
    )?;
    let id = ConnectionId::new(id);
    save_secrets(c, id, &new.secrets)?;
    if new.has_hook {
        add_hook_token(c, id, now)?;
    }
    Ok(id)
}

/// Name, mode and settings; status and secrets go their own ways, for others write them meanwhile.
pub fn save(c: &SiteConn, connection: &Connection) -> Result<()> {
    let settings = serde_json::to_string(&connection.settings.0).map_err(Error::internal)?;
    let changed = c.execute(
        "update connections set name = :name, mode = :mode, settings = :settings
         where site_id = :site and id = :id and removed_at is null",
        named_params! {":name": connection.name, ":mode": connection.mode.word(), ":settings": settings,
        ":id": connection.id.number()},
    )?;
    if changed == 0 { Err(Error::not_found(format!("There is no connection {}.", connection.id))) } else { Ok(()) }
}

/// What is sealed: the values of each key, and until when those behind the first are taken.
#[derive(Serialize, Deserialize)]
struct Plain {
    all: BTreeMap<String, Vec<String>>,
    until: BTreeMap<String, Vec<i64>>,
}

pub fn save_secrets(c: &SiteConn, id: ConnectionId, secrets: &Secrets) -> Result<()> {
    let sealed = sealed_of(secrets, c.sealer(), c.site(), id)?;
    c.execute(
        "update connections set sealed_secrets = :sealed, secret_version = secret_version + 1 where site_id = :site and id = :id",
        named_params! {":sealed": sealed, ":id": id.number()},
    )?;
    Ok(())
}

/// Takes away what was replaced and is taken no more. Nothing that is in force changes, so neither does the version of it.
pub fn forget_secrets(c: &SiteConn, id: ConnectionId, now: Time) -> Result<bool> {
    let sealed: Option<Vec<u8>> = c
        .find(
            "select sealed_secrets from connections where site_id = :site and id = :id and removed_at is null",
            named_params! {":id": id.number()},
            |row| row.get(0),
        )?
        .flatten();
    let Some(sealed) = sealed else { return Ok(false) };
    let known = opened(&sealed, c.sealer(), c.site(), id)?;
    let Cow::Owned(live) = known.live(now) else { return Ok(false) };
    let sealed = sealed_of(&live, c.sealer(), c.site(), id)?;
    c.execute(
        "update connections set sealed_secrets = :sealed where site_id = :site and id = :id",
        named_params! {":sealed": sealed, ":id": id.number()},
    )?;
    Ok(true)
}

pub fn set_mode(c: &SiteConn, id: ConnectionId, mode: Mode) -> Result<()> {
    c.execute(
        "update connections set mode = :mode where site_id = :site and id = :id and removed_at is null",
        named_params! {":mode": mode.word(), ":id": id.number()},
    )?;
    Ok(())
}

/// Status as the file has it now.
pub fn find_status(c: &SiteConn, id: ConnectionId) -> Result<Option<Status>> {
    c.find("select status from connections where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| {
        let word: String = row.get(0)?;
        Ok(Status::parse(&word))
    })
}

pub fn set_status(c: &SiteConn, id: ConnectionId, status: Status, reason: Option<&str>) -> Result<()> {
    c.execute(
        "update connections set status = :status, reason = :reason where site_id = :site and id = :id",
        named_params! {":status": status.word(), ":reason": reason, ":id": id.number()},
    )?;
    Ok(())
}

/// Whatever needed attention works again, if it was this that the card said.
pub fn recover(c: &SiteConn, id: ConnectionId, sentence: &str) -> Result<()> {
    c.execute(
        "update connections set status = 'ok', reason = null
         where site_id = :site and id = :id and status = 'needs_attention' and reason = :sentence",
        named_params! {":sentence": sentence, ":id": id.number()},
    )?;
    Ok(())
}

pub fn find_breaker(c: &SiteConn, id: ConnectionId) -> Result<Breaker> {
    let state: Option<String> =
        c.find("select breaker from connections where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| row.get(0))?;
    Ok(state.and_then(|s| serde_json::from_str(&s).ok()).unwrap_or_default())
}

pub fn save_breaker(c: &SiteConn, id: ConnectionId, breaker: &Breaker) -> Result<()> {
    let state = serde_json::to_string(breaker).map_err(Error::internal)?;
    c.execute(
        "update connections set breaker = :breaker where site_id = :site and id = :id",
        named_params! {":breaker": state, ":id": id.number()},
    )?;
    Ok(())
}

/// Breaker and last event of each connection of the site, as they are now: they change without the book being read anew.
pub fn list_health(c: &SiteConn) -> Result<std::collections::HashMap<i64, (Breaker, Option<Time>)>> {
    let rows: Vec<(i64, String, Option<i64>)> =
        c.list("select id, breaker, last_event_at from connections where site_id = :site and removed_at is null", &[], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    Ok(rows
        .into_iter()
        .map(|(id, breaker, at)| (id, (serde_json::from_str(&breaker).unwrap_or_default(), at.map(Time::from_ms))))
        .collect())
}

/// The card of a connection says when it was last heard of; once a minute is fine enough.
pub fn heard_of(c: &SiteConn, id: ConnectionId, now: Time) -> Result<()> {
    c.execute(
        "update connections set last_event_at = :now where site_id = :site and id = :id and coalesce(last_event_at, 0) < :now - 60000",
        named_params! {":now": now.ms(), ":id": id.number()},
    )?;
    Ok(())
}

/// Its deliveries and facts stay; its hook address is unknown from now on, and its secrets are gone.
pub fn remove(c: &SiteConn, id: ConnectionId, now: Time) -> Result<bool> {
    c.execute("delete from hook_tokens where site_id = :site and connection_id = :id", named_params! {":id": id.number()})?;
    let changed = c.execute(
        "update connections set removed_at = :now, sealed_secrets = null where site_id = :site and id = :id and removed_at is null",
        named_params! {":now": now.ms(), ":id": id.number()},
    )?;
    Ok(changed > 0)
}

/// A new 128-bit token for the hook address; an older one stays good for a week.
pub fn add_hook_token(c: &SiteConn, id: ConnectionId, now: Time) -> Result<String> {
    let token = crypto::random_text(16);
    c.execute(
        "update hook_tokens set retires_at = :retires where site_id = :site and connection_id = :id and retires_at is null",
        named_params! {":retires": now.ms() + OVERLAP_MS, ":id": id.number()},
    )?;
    let sealed = c.sealer().seal(token.as_bytes(), &token_row(c.site(), id));
    c.execute(
        "insert into hook_tokens (token_hash, connection_id, site_id, sealed_token, created_at) values (:hash, :id, :site, :sealed, :now)",
        named_params! {":hash": crypto::sha256(token.as_bytes()), ":id": id.number(), ":sealed": sealed, ":now": now.ms()},
    )?;
    Ok(token)
}

/// Secrets and hook tokens under the present master key, those of removed connections too; gives how many were changed.
pub fn seal_anew(all: &AllSites) -> Result<usize> {
    let mut changed = 0;
    let rows: Vec<(i64, i64, Vec<u8>)> =
        all.list("select id, site_id, sealed_secrets from connections where sealed_secrets is not null", &[], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    for (id, site, sealed) in rows {
        if let Some(anew) = all.sealer().sealed_anew(&sealed, &secrets_row(SiteId::issued(site), ConnectionId::new(id))) {
            let new = named_params! {":sealed": anew, ":id": id};
            changed += all.execute("update connections set sealed_secrets = :sealed where id = :id", new)?;
        }
    }
    let rows: Vec<(Vec<u8>, i64, i64, Vec<u8>)> =
        all.list("select token_hash, connection_id, site_id, sealed_token from hook_tokens", &[], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
    for (hash, id, site, sealed) in rows {
        if let Some(anew) = all.sealer().sealed_anew(&sealed, &token_row(SiteId::issued(site), ConnectionId::new(id))) {
            let new = named_params! {":sealed": anew, ":hash": hash};
            changed += all.execute("update hook_tokens set sealed_token = :sealed where token_hash = :hash", new)?;
        }
    }
    Ok(changed)
}

/// Every live connection of every site with opened secrets: the book that edges look things up in.
pub fn list_all(all: &AllSites, now: Time) -> Result<Vec<Connection>> {
    let rows = all.list(
        "select id, site_id, platform, name, mode, settings, sealed_secrets, secret_version, status, reason, breaker, last_event_at, created_at
         from connections where removed_at is null order by id",
        &[],
        |row| Ok(read(row, all.sealer())),
    )?;
    let mut connections = rows.into_iter().collect::<Result<Vec<_>>>()?;
    let tokens: Vec<(i64, i64, Vec<u8>)> = all.list(
        "select connection_id, site_id, sealed_token from hook_tokens where retires_at is null or retires_at > :now order by created_at desc",
        named_params! {":now": now.ms()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    for (id, site, sealed) in tokens {
        let id = ConnectionId::new(id);
        let plain = all.sealer().open(&sealed, &token_row(SiteId::issued(site), id)).and_then(|p| String::from_utf8(p).ok());
        // They stand in the order of their numbers.
        let place = connections.binary_search_by_key(&id.number(), |c| c.id.number());
        if let (Ok(place), Some(token)) = (place, plain) {
            connections[place].hook_tokens.push(token);
        }
    }
    Ok(connections)
}

fn sealed_of(secrets: &Secrets, sealer: &Sealer, site: SiteId, id: ConnectionId) -> Result<Vec<u8>> {
    let all = secrets.all.iter().map(|(k, all)| (k.clone(), all.iter().map(|s| s.reveal().to_owned()).collect())).collect();
    let until = secrets.until.iter().map(|(k, all)| (k.clone(), all.iter().map(|at| at.ms()).collect())).collect();
    let plain = serde_json::to_vec(&Plain { all, until }).map_err(Error::internal)?;
    Ok(sealer.seal(&plain, &secrets_row(site, id)))
}

fn opened(sealed: &[u8], sealer: &Sealer, site: SiteId, id: ConnectionId) -> Result<Secrets> {
    let plain: Plain = sealer.open(sealed, &secrets_row(site, id)).and_then(|p| serde_json::from_slice(&p).ok()).ok_or_else(|| {
        super::storage("key_wrong", "The master key does not fit this database. Put the key file back that belongs to it.")
    })?;
    Ok(Secrets {
        all: plain.all.into_iter().map(|(k, all)| (k, all.into_iter().map(Secret::new).collect())).collect(),
        until: plain.until.into_iter().map(|(k, all)| (k, all.into_iter().map(Time::from_ms).collect())).collect(),
    })
}

fn read(row: &Row, sealer: &Sealer) -> Result<Connection> {
    let sql = super::scope::sql_error;
    let id = ConnectionId::new(row.get(0).map_err(sql)?);
    let site = SiteId::issued(row.get(1).map_err(sql)?);
    let mode: String = row.get(4).map_err(sql)?;
    let settings: String = row.get(5).map_err(sql)?;
    let sealed: Option<Vec<u8>> = row.get(6).map_err(sql)?;
    let status: String = row.get(8).map_err(sql)?;
    let breaker: String = row.get(10).map_err(sql)?;
    let last: Option<i64> = row.get(11).map_err(sql)?;
    let secrets = sealed.map(|sealed| opened(&sealed, sealer, site, id)).transpose()?.unwrap_or_default();
    Ok(Connection {
        id,
        site,
        platform: row.get(2).map_err(sql)?,
        name: row.get(3).map_err(sql)?,
        mode: Mode::parse(&mode).unwrap_or(Mode::Shadow),
        settings: Settings(serde_json::from_str(&settings).map_err(Error::internal)?),
        secrets,
        secret_version: row.get(7).map_err(sql)?,
        status: Status::parse(&status),
        reason: row.get(9).map_err(sql)?,
        breaker: serde_json::from_str(&breaker).unwrap_or_default(),
        last_event_at: last.map(Time::from_ms),
        created_at: Time::from_ms(row.get(12).map_err(sql)?),
        hook_tokens: Vec::new(),
    })
}

fn secrets_row(site: SiteId, id: ConnectionId) -> String {
    format!("connections/{}/{}/secrets", site.number(), id.number())
}

fn token_row(site: SiteId, id: ConnectionId) -> String {
    format!("connections/{}/{}/token", site.number(), id.number())
}
