//! Set-ups of platforms: added, changed, paused, resumed, removed. What a platform needs is read from its own card;
//! no platform has a branch here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::{App, News};
use crate::crypto::{self, Secret};
use crate::domain::breaker::Breaker;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::outgoing::Mode;
use crate::domain::platform::{FieldKind, SCHEDULE, SCHEDULE_ZONE, Secrets, Settings};
use crate::domain::schedule::Schedule;
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::flows::intake::BAD_SIGNATURE;
use crate::flows::provision::{self, Progress};
use crate::flows::{pull, syncs};
use crate::platforms::{self, Platform};
use crate::store::connections::{self, Connection, NewConnection, Status};
use crate::store::{audit, counters, deliveries, scope::SiteConn};

/// A connection as its owner sees it.
mod card;
/// A look at the set-up.
mod tested;

pub use card::{Card, card, ending, hook_url, list, noun_of, shown};
pub use tested::{Tested, test};

/// What the owner types to connect a platform.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewConnectionForm {
    pub platform: String,
    pub name: Option<String>,
    pub mode: Option<String>,
    pub settings: BTreeMap<String, String>,
    /// Answered as soon as it is saved; what follows at the platform is done right after, and shown by the card.
    pub is_shown_later: bool,
}

/// A new connection. The secret is there only if we made it, and is shown this once.
#[derive(Serialize)]
pub struct Added {
    #[serde(flatten)]
    pub card: Card,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What was done at the platform, step by step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub progress: Vec<Progress>,
}

/// Said when the owner pauses by hand, so that new credentials do not start it again.
const PAUSED_BY_OWNER: &str = "Paused by hand.";

pub async fn add(app: &App, site: SiteId, form: &NewConnectionForm, who: &str) -> Result<Added> {
    let platform = platforms::get(&form.platform)?;
    let mode = form.mode.as_deref().map(|word| mode(&platform, word)).transpose()?.unwrap_or(Mode::Shadow);
    let mut settings = Settings::default();
    let mut secrets = Secrets::default();
    platform.take(&form.settings, &mut settings, &mut secrets)?;
    platform.check(&settings, &secrets)?;
    check_addresses(app, &platform, &form.settings).await?;
    let made = match platform.own_secret() {
        Some(key) if secrets.first(key).is_none() => {
            let secret = own_secret(&platform);
            secrets.set(key, Secret::new(&secret));
            Some(secret)
        }
        _ => None,
    };
    let (status, reason) = completeness(&platform, &settings, &secrets);
    let now = app.clock.now();
    if status == Status::Ok {
        provision::probe(app, site, platform.slug(), &settings, &secrets, now).await?;
    }
    let new = NewConnection {
        platform: platform.slug().into(),
        name: name(form.name.as_deref(), &free_name(app, site, &usual_name(&platform, &settings)))?,
        mode,
        settings,
        secrets,
        status,
        reason,
        has_hook: platform.receives(),
    };
    let who = who.to_owned();
    let id = app
        .store
        .write(site, move |c| {
            let id = connections::add(c, &new, now)?;
            audit::add(c, &who, "connection_added", &json!({"connection": id, "platform": new.platform, "mode": new.mode.word()}), now)?;
            Ok(id)
        })
        .await?;
    app.refresh().await?;
    // The hook's address is known from here on: the platform calls it while it is being told of it.
    let progress = match form.is_shown_later {
        true => provision::want(app, id).await?,
        false => provision::begin(app, id).await?,
    };
    // What we have put into the platform ourselves, nobody needs to copy.
    let is_registered = platform.source.is_some_and(|s| s.provision().is_some());
    let connection = find(app, Some(site), id)?;
    app.tell(News::Connection { site, id, status: connection.status.word() });
    Ok(Added { card: card(app, &connection).await?, secret: made.filter(|_| !is_registered), progress })
}

/// The same name again gets a number behind it.
fn free_name(app: &App, site: SiteId, usual: &str) -> String {
    let book = app.book();
    let is_taken = |name: &str| book.connections_of(site).any(|c| c.name == name);
    let mut name = usual.to_owned();
    let mut n = 2;
    while is_taken(&name) {
        name = format!("{usual} ({n})");
        n += 1;
    }
    name
}

/// The platform's name, and where it has an address of its own, whose: two of one kind must be told apart.
fn usual_name(platform: &Platform, settings: &Settings) -> String {
    let field = platform.fields().into_iter().find(|f| f.kind == FieldKind::Url);
    let address = field.and_then(|f| settings.get(f.key)).and_then(|u| url::Url::parse(u).ok());
    match address.as_ref().and_then(url::Url::host_str) {
        Some(host) => format!("{} · {host}", platform.name()),
        None => platform.name().to_owned(),
    }
}

/// Changes settings, secrets and mode. An empty value of a setting removes it; an empty secret stays as it is.
pub async fn set(
    app: &App,
    site: Option<SiteId>,
    id: ConnectionId,
    new_mode: Option<&str>,
    given: &BTreeMap<String, String>,
    who: &str,
) -> Result<Card> {
    let mut connection = Connection::clone(&*find(app, site, id)?);
    let platform = platforms::get(&connection.platform)?;
    if let Some(word) = new_mode {
        connection.mode = mode(&platform, word)?;
    }
    let mut secrets = connection.secrets.clone();
    platform.take(given, &mut connection.settings, &mut secrets)?;
    platform.check(&connection.settings, &secrets)?;
    check_addresses(app, &platform, given).await?;
    let now = app.clock.now();
    for key in platform.proving() {
        secrets.keep_before(key, &connection.secrets, now);
    }
    let is_secret = |key: &String| platform.fields().iter().any(|f| f.key == key && f.kind == FieldKind::Secret);
    let has_new_secrets = given.iter().any(|(key, value)| is_secret(key) && !value.trim().is_empty());
    let was = connection.status;
    let by_owner = connection.reason.as_deref() == Some(PAUSED_BY_OWNER);
    let (status, reason) = completeness(&platform, &connection.settings, &secrets);
    // New settings are the remedy for what the platform refused; a pause by hand waits for `resume`.
    if status == Status::NotConfigured || was == Status::NotConfigured || (!given.is_empty() && !by_owner) {
        connection.status = status;
        connection.reason = reason;
    }
    connection.secrets = secrets;
    if !given.is_empty() && connection.status == Status::Ok {
        provision::probe(app, connection.site, platform.slug(), &connection.settings, &connection.secrets, now).await?;
    }
    let detail = json!({"connection": id, "keys": given.keys().collect::<Vec<_>>(), "mode": connection.mode.word()});
    let is_remedied = was != Status::Ok && connection.status == Status::Ok;
    let saved = connection.clone();
    let is_mode_only = given.is_empty();
    let card = change(app, connection.site, id, who, "connection_set", detail, move |c| {
        if is_mode_only {
            return connections::set_mode(c, id, saved.mode);
        }
        connections::save(c, &saved)?;
        // A pause that came in between stays.
        if connections::find_status(c, id)? == Some(was) && saved.status != was {
            connections::set_status(c, id, saved.status, saved.reason.as_deref())?;
        }
        if has_new_secrets {
            connections::save_secrets(c, id, &saved.secrets)?;
        }
        if is_remedied {
            go_on(c, id, now)?;
        }
        Ok(())
    })
    .await?;
    if is_mode_only {
        return Ok(card);
    }
    provision::begin(app, id).await?;
    self::card(app, &*find(app, site, id)?).await
}

pub async fn set_mode(app: &App, site: Option<SiteId>, id: ConnectionId, new_mode: &str, who: &str) -> Result<Card> {
    set(app, site, id, Some(new_mode), &BTreeMap::new(), who).await
}

/// When its list is read, and nothing else of it: no talk with the platform is needed. Empty is as its platform usually is.
pub async fn set_schedule(app: &App, site: SiteId, id: ConnectionId, given: &BTreeMap<String, String>, who: &str) -> Result<()> {
    let mut connection = Connection::clone(&*find(app, Some(site), id)?);
    let platform = platforms::get(&connection.platform)?;
    let mut secrets = Secrets::default();
    platform.take(given, &mut connection.settings, &mut secrets)?;
    let now = app.clock.now();
    let schedule = schedule_of(app, &connection)
        .ok_or_else(|| Error::invalid(SCHEDULE, format!("{} has no list that is read: it tells by itself.", connection.name)))?;
    let detail = json!({"connection": id, "schedule": connection.settings.get(SCHEDULE), "zone": connection.settings.get(SCHEDULE_ZONE)});
    change(app, site, id, who, "schedule_set", detail, move |c| {
        connections::save(c, &connection)?;
        pull::reschedule(c, id, &schedule, now)
    })
    .await
    .map(drop)
}

/// None where nothing is read.
fn schedule_of(app: &App, connection: &Connection) -> Option<Schedule> {
    let source = platforms::find(&connection.platform)?.source.filter(|s| s.pull().is_some())?;
    Some(pull::schedule_of(source, connection, &app.book().site(connection.site)?.zone))
}

/// Nothing is sent or fetched until it is resumed; what arrives is still taken.
pub async fn pause(app: &App, site: Option<SiteId>, id: ConnectionId, who: &str) -> Result<Card> {
    let connection = find(app, site, id)?;
    if let Some(site) = app.book().site(connection.site) {
        syncs::stop(app, site, id, who).await?;
    }
    change(app, connection.site, id, who, "connection_paused", json!({ "connection": id }), move |c| {
        connections::set_status(c, id, Status::Paused, Some(PAUSED_BY_OWNER))?;
        deliveries::set_waiting(c, id, None).map(drop)
    })
    .await
}

/// Somebody knows the address and not the secret: the card says how often.
pub async fn mistrusted(app: &App, id: ConnectionId) -> Result<()> {
    let Some(connection) = app.book().connection(id).cloned() else { return Ok(()) };
    let Some(site) = app.book().site(connection.site).cloned() else { return Ok(()) };
    let today = site.zone.day(app.clock.now());
    app.store.write(site.id, move |c| counters::add(c, today, BAD_SIGNATURE, &id.to_string())).await
}

/// Goes on where it was left, with a fresh breaker.
pub async fn resume(app: &App, site: Option<SiteId>, id: ConnectionId, who: &str) -> Result<Card> {
    let connection = find(app, site, id)?;
    let platform = platforms::get(&connection.platform)?;
    let (status, reason) = completeness(&platform, &connection.settings, &connection.secrets);
    if let (Status::NotConfigured, Some(reason)) = (status, &reason) {
        return Err(Error::new(Kind::Conflict, "not_configured", format!("{id} cannot be resumed yet. {reason}")));
    }
    let now = app.clock.now();
    change(app, connection.site, id, who, "connection_resumed", json!({ "connection": id }), move |c| {
        connections::set_status(c, id, status, reason.as_deref())?;
        go_on(c, id, now)
    })
    .await?;
    provision::begin(app, id).await?;
    card(app, &*find(app, site, id)?).await
}

/// Its facts and deliveries stay, those that wait are cancelled; its hook address and its secrets are gone.
pub async fn remove(app: &App, site: Option<SiteId>, id: ConnectionId, who: &str) -> Result<()> {
    let connection = find(app, site, id)?;
    // As far as the platform can still be reached; it drops what fails by itself.
    if let Err(e) = provision::withdraw(app, id, who).await {
        tracing::info!(connection.id = %id, code = e.code, "The webhooks could not be taken out.");
    }
    if let Some(site) = app.book().site(connection.site) {
        syncs::stop(app, site, id, who).await?;
    }
    let now = app.clock.now();
    let who = who.to_owned();
    app.store
        .write(connection.site, move |c| {
            if !connections::remove(c, id, now)? {
                return Err(missing(id));
            }
            deliveries::cancel_connection(c, id, now)?;
            audit::add(c, &who, "connection_removed", &json!({ "connection": id }), now)
        })
        .await?;
    app.refresh().await?;
    app.tell(News::Connection { site: connection.site, id, status: "removed" });
    Ok(())
}

/// The connection, if it is of this site; a foreign one is as unknown as none.
pub fn find(app: &App, site: Option<SiteId>, id: ConnectionId) -> Result<Arc<Connection>> {
    app.book().connection(id).filter(|c| site.is_none_or(|s| c.site == s)).cloned().ok_or_else(|| missing(id))
}

/// With a fresh breaker, and what waited or was held is due now.
fn go_on(c: &SiteConn, id: ConnectionId, now: Time) -> Result<()> {
    connections::save_breaker(c, id, &Breaker::default())?;
    deliveries::set_waiting(c, id, Some(now))?;
    deliveries::let_go(c, id, now).map(drop)
}

async fn change<F>(
    app: &App,
    site: SiteId,
    id: ConnectionId,
    who: &str,
    what: &'static str,
    detail: serde_json::Value,
    work: F,
) -> Result<Card>
where
    F: FnOnce(&SiteConn) -> Result<()> + Send + 'static,
{
    let now = app.clock.now();
    let who = who.to_owned();
    app.store
        .write(site, move |c| {
            work(c)?;
            audit::add(c, &who, what, &detail, now)
        })
        .await?;
    app.refresh().await?;
    let connection = find(app, Some(site), id)?;
    app.tell(News::Connection { site, id, status: connection.status.word() });
    card(app, &connection).await
}

/// Addresses that the owner typed must lie on the public internet, unless the operator allowed them at the start.
async fn check_addresses(app: &App, platform: &Platform, given: &BTreeMap<String, String>) -> Result<()> {
    for field in platform.fields().into_iter().filter(|f| f.kind == FieldKind::Url) {
        if let Some(url) = given.get(field.key).map(|v| v.trim()).filter(|v| !v.is_empty()) {
            app.outbound.check_address(url).await.map_err(|e| if e.field.is_none() { e.of(field.key) } else { e })?;
        }
    }
    Ok(())
}

fn completeness(platform: &Platform, settings: &Settings, secrets: &Secrets) -> (Status, Option<String>) {
    match platform.missing(settings, secrets).as_slice() {
        [] => (Status::Ok, None),
        some => (Status::NotConfigured, Some(tested::still_empty(some))),
    }
}

/// With what we sign, Standard Webhooks wants `whsec_` and base64; what others sign with is hex, which no shop alters.
fn own_secret(platform: &Platform) -> String {
    let random = crypto::random::<32>();
    if platform.receives() { crypto::hex(&random) } else { format!("whsec_{}", crypto::base64(&random)) }
}

fn mode(platform: &Platform, word: &str) -> Result<Mode> {
    let mode = Mode::parse(word).ok_or_else(|| Error::invalid("mode", format!("{word:?} is none of {}.", platform.modes().join(", "))))?;
    if mode == Mode::Test && platform.sends() && !platform.has_test_mode() {
        let name = platform.name();
        return Err(Error::invalid(
            "mode",
            format!("{name} has no test mode. Look at what would be sent under Deliveries, then switch to live."),
        ));
    }
    Ok(mode)
}

fn name(given: Option<&str>, default: &str) -> Result<String> {
    let text = given.map(str::trim).filter(|t| !t.is_empty()).unwrap_or(default);
    let is_fit = text.chars().count() <= 100 && !text.chars().any(char::is_control);
    if is_fit { Ok(text.to_owned()) } else { Err(Error::invalid("name", "The name is a text of at most 100 characters.")) }
}

fn missing(id: ConnectionId) -> Error {
    Error::not_found(format!("There is no connection {id}."))
}
