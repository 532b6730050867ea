//! Again, by the owner's hand: deliveries with their old event ids, and kept bodies after a fix.

use std::sync::Arc;

use serde::Serialize;

use crate::app::{App, News};
use crate::domain::fact::Fact;
use crate::domain::ids::{DeliveryId, InboxId};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::{Error, Kind, Result};
use crate::flows::intake::reversal::{self, Ground};
use crate::flows::intake::{self, Delivered};
use crate::flows::pull::unread;
use crate::sources::{self, Batch, Heard, Home, Reject, Verified};
use crate::store::connections::Connection;
use crate::store::questions::deliveries::{self as questions, Wanted};
use crate::store::sites::Site;
use crate::store::{deliveries, inbox};

/// After this long Meta no longer drops a repeat by its event id.
const DEDUPLICATED_MS: i64 = 48 * HOUR_MS;
/// Deliveries replayed at once; more are asked for again.
const MOST: usize = 5_000;
/// Five a second: a platform must not take the owner's patience for an attack.
const PACE_MS: i64 = 200;
/// Open dashboards are told of so many; for more they look at the list itself.
const MOST_TOLD: usize = 50;

#[derive(Debug, Clone, Default, Serialize, PartialEq)]
pub struct Replayed {
    /// How many are meant.
    pub count: usize,
    pub older_than_48h: usize,
    pub warning: Option<String>,
    pub replayed: usize,
    /// How many of them stay as they are: they wait already, or the person does not agree.
    pub left_out: usize,
}

/// Sends all again that a list with this filter shows, the oldest first.
pub async fn matching(app: &App, site: &Arc<Site>, wanted: Wanted, is_preview: bool) -> Result<Replayed> {
    let zone = site.zone.clone();
    let mut ids = app.store.read(site.id, move |c| questions::list_ids(c, &zone, &wanted, MOST + 1)).await?;
    if ids.len() > MOST {
        return Err(Error::invalid("filter", format!("More than {MOST} match, and at most {MOST} go at once. Narrow the filter.")));
    }
    ids.sort_unstable();
    deliveries(app, site, ids, is_preview).await
}

/// Sends deliveries again in the given order, five a second. With `is_preview` only says what would happen.
pub async fn deliveries(app: &App, site: &Arc<Site>, ids: Vec<DeliveryId>, is_preview: bool) -> Result<Replayed> {
    if ids.len() > MOST {
        return Err(Error::invalid("deliveries", format!("At most {MOST} at once. Narrow the filter.")));
    }
    let now = app.clock.now();
    let connections: Vec<Arc<Connection>> = app.book().connections_of(site.id).cloned().collect();
    let modes: std::collections::HashMap<_, _> = connections.iter().map(|c| (c.id, c.mode)).collect();
    let owner = site.clone();
    let (done, told) = app
        .store
        .write(site.id, move |c| {
            let mut done = Replayed::default();
            let mut told = Vec::new();
            let ground = Ground { c, site: &owner, connections: &connections, now };
            for id in ids {
                let Some(delivery) = deliveries::find(c, id)? else {
                    return Err(Error::not_found(format!("There is no {id} on this site.")));
                };
                let Some(mode) = modes.get(&delivery.connection) else { continue };
                done.count += 1;
                if !deliveries::may_replay(c, &delivery)? {
                    done.left_out += 1;
                    continue;
                }
                if now.ms_since(delivery.created_at) > DEDUPLICATED_MS {
                    done.older_than_48h += 1;
                }
                let at = now.plus_ms(PACE_MS * done.replayed as i64);
                if !is_preview && deliveries::replay(c, id, *mode, at)? {
                    done.replayed += 1;
                    told.push((id, delivery.conversion));
                    // What went back of a sale goes with it.
                    reversal::follow(ground, delivery.conversion)?;
                }
            }
            if done.older_than_48h > 0 {
                let (verb, pronoun) = if done.older_than_48h == 1 { ("is", "it") } else { ("are", "them") };
                done.warning = Some(format!("{} {verb} older than 48 hours: Meta may count {pronoun} twice.", done.older_than_48h));
            }
            Ok((done, told))
        })
        .await?;
    for (id, conversion) in told.into_iter().take(MOST_TOLD) {
        app.tell(News::Delivery { site: site.id, id, conversion, state: "pending".into() });
    }
    app.wake.notify_waiters();
    Ok(done)
}

/// Ends deliveries that wait.
pub async fn cancel(app: &App, site: &Arc<Site>, ids: Vec<DeliveryId>) -> Result<usize> {
    let now = app.clock.now();
    let told: Vec<DeliveryId> = ids.clone();
    let cancelled = app
        .store
        .write(site.id, move |c| {
            let mut cancelled = 0;
            for id in ids {
                cancelled += usize::from(deliveries::cancel(c, id, "disabled", now)?);
            }
            Ok(cancelled)
        })
        .await?;
    for id in told {
        if let Some(delivery) = app.store.read(site.id, move |c| deliveries::find(c, id)).await? {
            app.tell(News::Delivery { site: site.id, id, conversion: delivery.conversion, state: delivery.state });
        }
    }
    Ok(cancelled)
}

/// What became of a body that was run again.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Rerun {
    pub status: &'static str,
    pub id: String,
    pub facts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Runs a kept body again through today's parser. What it told before is not told twice.
pub async fn body(app: &App, site: &Arc<Site>, id: InboxId) -> Result<Rerun> {
    let kept = app
        .store
        .read(site.id, move |c| inbox::find_body(c, id))
        .await?
        .ok_or_else(|| Error::not_found(format!("There is no {id} on this site, or its body is past its time.")))?;
    if kept.body.is_empty() {
        return Err(Error::new(
            Kind::Conflict,
            "body_gone",
            "The raw body is gone: past its time, or erased with its person. Only what was read from it is kept.",
        ));
    }
    let now = app.clock.now();
    // Read as it would have been when it came: what is silent on its time happened then.
    let home = home_of(site, kept.received_at);
    let book = app.book();
    let settings = kept.connection.and_then(|c| book.connection(c)).map(|c| c.settings.clone()).unwrap_or_default();
    let verified = Verified::by_our_own_word(&kept.body, &kept.content_type);
    let heard = match kept.path.as_str() {
        "/api/webhook/order" => sources::forms::read_order(verified.body(), verified.content_type(), &home)
            .map(|order| Heard::Facts(Batch::of(vec![Fact::Order(order)]))),
        path if unread::is_kept(path, &kept.body) => {
            let source = sources::find(&kept.platform);
            source.map_or_else(|| Ok(Heard::Fetch(Vec::new())), |s| unread::read(s, path, &kept.body, &settings, &home))
        }
        _ => sources::find(&kept.platform)
            .and_then(|s| s.webhook())
            .ok_or_else(|| Error::new(Kind::Conflict, "not_replayable", format!("Bodies of {} cannot be run again.", kept.platform)))?
            .parse(&verified, &settings, &home),
    };
    let facts = match heard {
        Ok(Heard::Facts(batch)) if !batch.facts.is_empty() => batch.facts,
        Ok(Heard::Each(items)) if items.iter().any(|item| item.is_ok()) => items.into_iter().flatten().collect(),
        Ok(_) => return Ok(Rerun { status: "quarantined", id: id.to_string(), facts: 0, reason: Some("It holds no fact.".into()) }),
        Err(reject) => {
            let reason = sentence(&reject);
            let told = reason.clone();
            app.store.write(site.id, move |c| inbox::set_state(c, id, "quarantined", Some(&told))).await?;
            app.tell(News::Inbox { site: site.id, id, state: "quarantined" });
            return Ok(Rerun { status: "quarantined", id: id.to_string(), facts: 0, reason: Some(reason) });
        }
    };
    let connections: Vec<_> = book.connections_of(site.id).cloned().collect();
    let owner = site.clone();
    let heard_at = kept.received_at;
    let delivered = Delivered {
        connection: kept.connection,
        platform: kept.platform,
        path: kept.path,
        content_type: kept.content_type,
        body: kept.body,
        facts,
        fetch: Vec::new(),
        is_asserted: false,
        is_once: false,
        read_at: None,
    };
    let taken = app.store.write(site.id, move |c| intake::store(c, &owner, &connections, &delivered, Some((id, heard_at)), now)).await?;
    intake::announce(app, site, &taken);
    app.tell(News::Inbox { site: site.id, id, state: "replayed" });
    Ok(Rerun { status: "accepted", id: id.to_string(), facts: taken.facts.len(), reason: None })
}

/// What the site lends to a parser.
pub fn home_of(site: &Site, now: Time) -> Home {
    Home { currency: site.currency, country: site.country.clone(), zone: site.zone.clone(), now }
}

/// A refusal in words.
pub fn sentence(reject: &Reject) -> String {
    match reject {
        Reject::BadSignature => "The signature does not match this endpoint's secret. Check the secret in Connections.".into(),
        Reject::StaleSignature => {
            "It was signed more than five minutes ago, or by a clock that is ahead of ours by as much. Check the clocks of both servers."
                .into()
        }
        Reject::BadBody(sentence) => sentence.clone(),
        Reject::BadField { field, sentence, .. } => format!("{field}: {sentence}"),
    }
}
