//! The connections of a site with their health, as cards and the strip above the deliveries show them.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::{Doc, Right};
use super::shown;
use crate::app::App;
use crate::domain::ids::ConnectionId;
use crate::domain::time::{DAY_MS, Time, Zone};
use crate::domain::usual;
use crate::error::Result;
use crate::flows::connections::{ending, noun_of, shown as standing_shown};
use crate::flows::planning;
use crate::platforms;
use crate::sources;
use crate::store::connections::{self, Connection};
use crate::store::questions::deliveries;
use crate::store::questions::health::{self as fares, Health};
use crate::store::questions::standing::{self, Standing};

/// What is settled is counted for so long; what is open, whenever it was made.
const COUNTED_MS: i64 = 30 * DAY_MS;

pub const LIST: Doc =
    Doc::new("Connections", "Every connection with its mode and health; counts are of 30 days, of all time for what is still open.")
        .answer(r#"{"items":[{"connection":"con_7","platform":"meta","mode":"shadow","status":"ok","counts":{}}]}"#);

/// `GET /api/sites/{site}/connections`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    Reply::json(&json!({ "items": cards(&app, &ask).await? }))
}

/// All connections of the site as cards.
pub async fn cards(app: &App, ask: &Ask) -> Result<Vec<Value>> {
    let site = ask.site()?;
    let now = app.clock.now();
    let book = app.book();
    let ids: Vec<i64> = book.connections_of(site.id).map(|c| c.id.number()).collect();
    let today = site.zone.day(now);
    let (counts, health, fared, standings) = app
        .store
        .read(site.id, move |c| {
            let counts = deliveries::count_by_connection(c, now.plus_ms(-COUNTED_MS))?;
            let standings: HashMap<i64, Standing> =
                ids.iter().map(|id| Ok((*id, standing::of(c, ConnectionId::new(*id), now)?))).collect::<Result<_>>()?;
            Ok((counts, connections::list_health(c)?, fares::by_connection(c, today, &ids)?, standings))
        })
        .await?;
    let may_see_hooks = ask.may(Right::Edit);
    let none = HashMap::new();
    let items: Vec<Value> = book
        .connections_of(site.id)
        .map(|connection| {
            let hook_base = may_see_hooks.then_some(app.config.public_url.as_str());
            let mut connection = Connection::clone(connection);
            if let Some((breaker, last_event_at)) = health.get(&connection.id.number()) {
                (connection.breaker, connection.last_event_at) = (breaker.clone(), *last_event_at);
            }
            let id = connection.id.number();
            let mut shown = shown_connection(&connection, counts.get(&id).unwrap_or(&none), hook_base, &site.zone, now);
            if let (Some(standing), Value::Object(fields)) = (standings.get(&id), &mut shown)
                && let Value::Object(more) = standing_shown(standing, noun_of(&connection.platform), &site.zone, now)
            {
                fields.extend(more);
            }
            shown["health"] = fared.get(&id).map_or(Value::Null, |h| shown_health(h, &site.zone));
            shown
        })
        .collect();
    Ok(items)
}

/// Day by day, ending with today, and what is usual for today's weekday: of what comes in, else of what goes out.
fn shown_health(h: &Health, zone: &Zone) -> Value {
    let rhythm = if h.heard.iter().any(|n| *n > 0) { &h.heard } else { &h.told };
    json!({
        "heard": h.heard,
        "told": h.told,
        "failed": h.failed,
        "usual_today": usual::on_this_weekday(rhythm),
        "bad_signatures": h.bad_signatures,
        "unreadable": h.unreadable,
        "next_at": shown::maybe_time(zone, h.next_at),
    })
}

/// A connection as lists and the answers to changes of it show it. The hook address holds its token: without a base it
/// is left out.
pub fn shown_connection(c: &Connection, counts: &HashMap<String, i64>, hook_base: Option<&str>, zone: &Zone, now: Time) -> Value {
    let brings = sources::find(&c.platform).map(|s| s.brings().0);
    let source = sources::find(&c.platform).map(|s| s.about());
    let sends = planning::sending(c).is_some();
    let receives = source.is_some_and(|about| about.receives);
    let pulls = source.is_some_and(|about| about.pulls);
    let of = |state: &str| counts.get(state).copied().unwrap_or(0);
    let mut shown_counts = Map::new();
    // What a worker holds just now is still waiting, as far as an owner can see.
    shown_counts.insert("pending".into(), json!(of("pending") + of("leased")));
    for state in ["delivered", "accepted", "skipped", "refused", "dead", "held", "cancelled"] {
        shown_counts.insert(state.into(), json!(of(state)));
    }
    let hook_url =
        hook_base.filter(|_| receives).zip(c.hook_tokens.first()).map(|(base, token)| format!("{base}/in/{}/{token}", c.platform));
    json!({
        "connection": c.id,
        "platform": c.platform,
        "name": c.name,
        "receives": receives,
        "pulls": pulls,
        "brings": brings,
        "sends": sends,
        "mode": sends.then(|| c.mode.word()),
        "modes": platforms::find(&c.platform).filter(|_| sends).map_or_else(Vec::new, |p| p.modes()),
        "status": c.status.word(),
        "reason": c.reason,
        "hook_url": hook_url,
        "secrets_ending": ending(c, zone, now),
        "last_event_at": shown::maybe_time(zone, c.last_event_at),
        "counts": shown_counts,
        "breaker": {"state": c.breaker.word(now), "next_try_at": shown::maybe_time(zone, c.breaker.next_try_at(now)),
                    "failing_since": shown::maybe_time(zone, c.breaker.failing_since())},
    })
}
