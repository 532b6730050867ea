//! A connection as its owner sees it: how it is set up, how it stands with its platform, what has happened to it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::rhythm;
use crate::domain::time::{DAY_MS, HOUR_MS, Time, Zone};
use crate::error::{Error, Result};
use crate::flows::planning;
use crate::platforms;
use crate::sources;
use crate::store::connections::Connection;
use crate::store::questions::standing::{self, Standing};
use crate::store::registrations::Registration;

/// No secret is in it.
#[derive(Debug, Clone, Serialize)]
pub struct Card {
    pub connection: ConnectionId,
    pub site: String,
    pub platform: String,
    pub name: String,
    /// None where nothing is sent to the platform.
    pub mode: Option<&'static str>,
    pub status: &'static str,
    pub reason: Option<String>,
    /// None where the platform never calls us.
    pub hook_url: Option<String>,
    pub last_event_at: Option<String>,
    /// `webhooks` as they stand in the platform, `registration`, `pull`, `happenings`, `missed`, `silence`.
    #[serde(flatten)]
    pub standing: Value,
    /// Secrets that were replaced and are still taken for a while: which, and until when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets_ending: Vec<Value>,
}

/// What a platform brings, as several of it are called.
pub fn noun_of(platform: &str) -> &'static str {
    sources::find(platform).map_or("Orders", |s| s.brings().0)
}

/// The one before stays good, so that what is on its way and a form that still has it lose nothing.
pub fn ending(connection: &Connection, zone: &Zone, now: Time) -> Vec<Value> {
    let fields = platforms::find(&connection.platform).map(|p| p.fields()).unwrap_or_default();
    let label = |key: &str| fields.iter().find(|f| f.key == key).map_or("secret", |f| f.label);
    let all = connection.secrets.ending(now);
    all.into_iter().map(|(key, until)| json!({"key": key, "label": label(key), "until": zone.text(until)})).collect()
}

/// Cards of one site or of all.
pub async fn list(app: &App, site: Option<SiteId>) -> Result<Vec<Card>> {
    let book = app.book();
    let mut cards = Vec::new();
    for connection in book.connections().filter(|c| site.is_none_or(|s| c.site == s)) {
        cards.push(card(app, connection).await?);
    }
    Ok(cards)
}

pub async fn card(app: &App, connection: &Connection) -> Result<Card> {
    let book = app.book();
    let site = book.site(connection.site).ok_or_else(|| Error::internal(format!("{} is of no site", connection.id)))?;
    let platform = platforms::find(&connection.platform);
    let (id, now) = (connection.id, app.clock.now());
    let standing = app.store.read(site.id, move |c| standing::of(c, id, now)).await?;
    Ok(Card {
        connection: connection.id,
        site: site.slug.clone(),
        platform: connection.platform.clone(),
        name: connection.name.clone(),
        mode: (platform.is_none() || planning::sending(connection).is_some()).then(|| connection.mode.word()),
        status: connection.status.word(),
        reason: connection.reason.clone(),
        hook_url: connection.hook_tokens.first().map(|token| hook_url(&app.config.public_url, &connection.platform, token)),
        last_event_at: connection.last_event_at.map(|at| site.zone.text(at)),
        standing: shown(&standing, noun_of(&connection.platform), &site.zone, now),
        secrets_ending: ending(connection, &site.zone, now),
    })
}

pub fn hook_url(public_url: &str, platform: &str, token: &str) -> String {
    format!("{public_url}/in/{platform}/{token}")
}

/// Missed orders that are named, of those that are counted.
const MOST_MISSED: usize = 10;

/// How a connection stands, as cards and lists show it.
pub fn shown(s: &Standing, noun: &str, zone: &Zone, now: Time) -> Value {
    let time = |at: Option<Time>| at.map(|at| zone.text(at));
    let hooks = s.registration.iter().flat_map(|r| &r.hooks);
    let mut days: Vec<(String, i64)> = Vec::new();
    for found in &s.missed {
        let day = zone.day(found.found_at).to_string();
        match days.last_mut().filter(|(last, _)| *last == day) {
            Some((_, count)) => *count += 1,
            None => days.push((day, 1)),
        }
    }
    let missed = s.missed.len() as i64;
    let newest = s.missed.iter().rev().take(MOST_MISSED);
    json!({
        "webhooks": hooks.map(|h| json!({"topic": h.topic, "id": h.id, "active": h.is_active})).collect::<Vec<_>>(),
        "registration": s.registration.as_ref().map(|r| json!({
            "state": word(r),
            "checked_at": time(r.checked_at),
            "next_at": time(Some(r.next_at).filter(|_| r.is_wanted)),
            "sentence": r.sentence,
            "notes": r.notes,
        })),
        "pull": s.pull.as_ref().map(|p| json!({
            "is_under_way": p.state.is_some() || (p.seen_to.is_none() && p.ended_at.is_none()),
            "has_history": p.seen_to.is_some(),
            "last_at": time(p.ended_at),
            "next_at": time(Some(p.next_at)),
            "began_at": time(p.began_at),
            "orders": p.orders,
            "records": p.records,
            "pages": p.pages,
            "since": time(p.since),
            "reached_at": time(p.reached_at),
            "back_to": time(p.back_to),
            "sentence": p.sentence,
        })),
        "happenings": s.happenings.iter().map(|h| json!({"at": zone.text(h.at), "sentence": h.sentence})).collect::<Vec<_>>(),
        "missed": {
            "count": missed,
            "days": days.iter().map(|(day, count)| json!({"day": day, "count": count})).collect::<Vec<_>>(),
            "orders": newest.map(|m| json!({"order": m.order, "label": m.label, "found_at": time(Some(m.found_at))})).collect::<Vec<_>>(),
            "sentence": missed_sentence(noun, missed),
        },
        "silence": silence(s, noun, now),
    })
}

fn word(r: &Registration) -> &'static str {
    match () {
        () if r.sentence.is_some() => "needs_attention",
        () if r.is_active() => "active",
        () if r.is_wanted && !r.hooks.is_empty() => "needs_attention",
        () => "not_configured",
    }
}

fn missed_sentence(noun: &str, count: i64) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("One {} of the last 30 days came without its webhook and was fetched.", one_of(noun))),
        n => Some(format!("{n} {} of the last 30 days came without their webhooks and were fetched.", noun.to_lowercase())),
    }
}

/// `Orders` to `order`.
fn one_of(noun: &str) -> String {
    let many = noun.to_lowercase();
    many.strip_suffix('s').unwrap_or(&many).to_owned()
}

/// By the shop's own rhythm; nothing is said where its usual pace makes the silence likely.
fn silence(s: &Standing, noun: &str, now: Time) -> Option<String> {
    let last = s.last_order_at?;
    let usual_ms = rhythm::silent_for(s.orders, last, now)?;
    Some(format!("No {} for {}; usually there is one every {}.", one_of(noun), span(now.ms_since(last)), span(usual_ms)))
}

fn span(ms: i64) -> String {
    let (count, unit) = if ms >= 2 * DAY_MS { (ms / DAY_MS, "day") } else { ((ms / HOUR_MS).max(1), "hour") };
    if count == 1 { unit.into() } else { format!("{count} {unit}s") }
}
