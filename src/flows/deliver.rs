//! A delivery: what is stored becomes requests, answers become a verdict, the verdict is written. Send, then record:
//! a platform sees a repeat only if the process died between its answer and our commit, always with the same event id.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::{App, News};
use crate::clock;
use crate::crypto;
use crate::destinations::{self, Delivery as Talk, Destination, Start};
use crate::domain::breaker::Breaker;
use crate::domain::ids::{ConnectionId, DeliveryId, SessionId, SiteId};
use crate::domain::money::Money;
use crate::domain::outgoing::{Mode, Outgoing};
use crate::domain::retry::Scale;
use crate::domain::steps::{State, Step, Verdict};
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::{asking, outgoing, planning};
use crate::outbound::{self, SendError};
use crate::store::connections::{self, Connection, Status};
use crate::store::deliveries::{self, Attempt, Delivery, Settled, Took};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{conversions, credits};
use crate::wire::{Body, Response};

use beginning::{Beginning, begin};
use ending::{Standing, judge, notice, standing, wait_for_sale};

/// Whether there is something to send.
mod beginning;
/// What a verdict means for the row and the breaker.
mod ending;

/// Requests of one delivery at most: a talk that goes on longer is a loop.
const MOST_REQUESTS: usize = 12;

/// What a delivery is made of, read in one snapshot.
struct Loaded {
    delivery: Delivery,
    outgoing: Outgoing,
    may: planning::May,
    standing: Standing,
}

/// How one run of a delivery ended, before it is written.
struct End {
    verdict: Verdict,
    outcome: &'static str,
    status: Option<u16>,
    is_unknown: bool,
    /// Something reached the platform, or may have. What was only built, or found nobody, has not.
    has_left: bool,
    request: Option<Value>,
    response: Option<Value>,
    /// State to go on with, of a talk that waits or was broken off under way.
    step: Option<State>,
    /// How long the platform asked to be left alone between two steps.
    wait_ms: Option<i64>,
}

impl Default for End {
    fn default() -> Self {
        let verdict = Verdict::Refused(String::new());
        Self {
            verdict,
            outcome: "",
            status: None,
            is_unknown: false,
            has_left: false,
            request: None,
            response: None,
            step: None,
            wait_ms: None,
        }
    }
}

/// Runs a claimed delivery to its verdict and writes it.
pub async fn run(app: &App, site: SiteId, id: DeliveryId) -> Result<()> {
    let book = app.book();
    let Some(owner) = book.site(site).cloned() else { return Ok(()) };
    let now = app.clock.now();
    let loading = owner.clone();
    let Some(loaded) = app.store.read(site, move |c| load(c, &loading, id, now)).await? else { return Ok(()) };
    let Some(connection) = book.connection(loaded.delivery.connection).cloned() else {
        return settle_now(app, &loaded.delivery, "cancelled", Some("disabled"), None, None).await;
    };
    let Some(destination) = destinations::find(&connection.platform) else {
        return settle_now(app, &loaded.delivery, "cancelled", Some("disabled"), None, None).await;
    };
    if matches!(connection.status, Status::Paused | Status::NotConfigured) {
        let boot = app.boot.clone();
        return app.store.write(site, move |c| deliveries::put_back(c, id, &boot, None)).await;
    }
    let mode = loaded.outgoing.mode;
    let start = match loaded.delivery.step.clone().filter(|_| loaded.delivery.is_check()) {
        // It was sent when it might be: nothing of that is judged again.
        Some(state) => Start { state, hashed: Value::Null },
        None if matches!(loaded.standing, Standing::Waits) => return wait_for_sale(app, &loaded.delivery).await,
        None => match begin(destination, &connection, &loaded, now) {
            Beginning::Start(start) => start,
            Beginning::End(state, reason, request) => return settle_now(app, &loaded.delivery, state, Some(reason), request, None).await,
        },
    };
    let began = clock::started();
    let state = loaded.delivery.step.clone().unwrap_or(start.state);
    let Some(end) = talk(app, destination, &connection, &loaded.delivery, state, &start.hashed).await? else { return Ok(()) };
    let took_ms = began.elapsed().as_millis() as i64;
    // Of one that was taken, consent is not judged anew: only what became of it was asked. And the proof is of what has left.
    let judged = (!loaded.delivery.is_check() && end.has_left).then_some((now, loaded.may.basis));
    write_end(app, &owner, &connection, loaded.delivery, (mode, loaded.outgoing.amount, judged), end, took_ms).await
}

fn load(c: &SiteConn, site: &Site, id: DeliveryId, now: Time) -> Result<Option<Loaded>> {
    let Some(delivery) = deliveries::find(c, id)? else { return Ok(None) };
    let Some(conversion) = conversions::find(c, delivery.conversion)? else { return Ok(None) };
    let (_, path) = credits::find_newest(c, conversion.id)?.unwrap_or_default();
    let mut sessions: Vec<SessionId> = conversion.session.into_iter().collect();
    for touch in &path {
        let session = SessionId::new(touch.touch.session);
        if touch.touch.session > 0 && !sessions.contains(&session) {
            sessions.push(session);
        }
    }
    let may = planning::consent_for(c, site, &conversion, &sessions, now)?;
    let told = (delivery.event_id.as_str(), delivery.mode, Some(delivery.connection));
    let mut outgoing = outgoing::build(c, site, told, &conversion, &path, &may, now)?;
    let standing = standing(c, &delivery, &conversion, &mut outgoing)?;
    Ok(Some(Loaded { delivery, outgoing, may, standing }))
}

/// None where the delivery was erased or cancelled between two requests: nothing more is sent of it.
async fn talk(
    app: &App,
    destination: &dyn Destination,
    connection: &Connection,
    delivery: &Delivery,
    mut state: State,
    hashed: &Value,
) -> Result<Option<End>> {
    let steps = destination.delivery();
    let mut got: Option<Response> = None;
    let mut end = End::default();
    // The last step that is in the file: a talk under way goes on from there, one of a single request begins anew.
    let mut kept: Option<State> = delivery.step.clone();
    for _ in 0..MOST_REQUESTS {
        let step: Step<Talk> = steps.step(state, got.as_ref(), &connection.settings, &(), app.clock.now());
        match step {
            Step::Ask(request, next) => {
                if got.is_some() {
                    // A step further: a crash goes on from here.
                    let (boot, saved, id) = (app.boot.clone(), next.clone(), delivery.id);
                    if !app.store.write(delivery.site, move |c| deliveries::save_step(c, id, &boot, &saved)).await? {
                        return Ok(None);
                    }
                    kept = Some(next.clone());
                }
                // The last that carried something is shown: a look at what became of it, or a tie, says little. What is
                // hidden stands in the first request alone: nothing of a person is kept between two.
                match &request.body {
                    Body::Empty if kept.is_some() => {}
                    _ => end.request = Some(outbound::redacted(&request, if kept.is_none() { hashed } else { &Value::Null })),
                }
                match asking::send_to(app, destination, connection, &request).await {
                    Ok(response) => {
                        end.has_left = true;
                        end.status = Some(response.status);
                        end.response = Some(json!({
                            "status": response.status, "body": outbound::excerpt(&response, &connection.secrets), "sentence": null,
                        }));
                        got = Some(response);
                        state = next;
                    }
                    Err(failure) => {
                        end.step = kept;
                        return Ok(Some(failed(end, failure)));
                    }
                }
            }
            Step::Yield(never, _) => match never {},
            Step::Wait(after_ms, next) => {
                // The platform's own wish: it is not scaled.
                end.wait_ms = Some(after_ms);
                end.step = Some(next);
                end.outcome = "wait";
                return Ok(Some(end));
            }
            Step::Done(verdict) | Step::Fail(verdict) => {
                if let (Some(response), Some(sentence)) = (&mut end.response, sentence_of(&verdict)) {
                    response["sentence"] = Value::from(sentence);
                }
                end.outcome = outcome_of(&verdict);
                end.step = match &verdict {
                    Verdict::CheckLater { state, .. } => Some(state.clone()),
                    Verdict::Retry { .. } | Verdict::Pause(_) => kept,
                    _ => None,
                };
                end.verdict = verdict;
                return Ok(Some(end));
            }
        }
    }
    end.verdict = Verdict::Refused("This delivery asked too many questions and was stopped.".into());
    end.outcome = "refused";
    Ok(Some(end))
}

fn failed(mut end: End, failure: SendError) -> End {
    end.is_unknown = failure.may_have_arrived();
    end.has_left |= failure.has_left();
    end.verdict = failure.verdict();
    end.outcome = outcome_of(&end.verdict);
    end.response = Some(json!({"status": null, "body": null, "sentence": failure.sentence}));
    end
}

fn outcome_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered(_) => "delivered",
        Verdict::Accepted(_) => "accepted",
        Verdict::CheckLater { .. } => "check_later",
        Verdict::Retry { .. } => "retry",
        Verdict::Split(_) | Verdict::Refused(_) => "refused",
        Verdict::Pause(_) => "pause",
    }
}

fn sentence_of(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Delivered(s) | Verdict::Accepted(s) | Verdict::Split(s) | Verdict::Pause(s) | Verdict::Refused(s) => Some(s),
        Verdict::Retry { sentence, .. } => Some(sentence),
        Verdict::CheckLater { .. } => None,
    }
}

/// Writes attempt, state, breaker and, where the platform refuses our credentials, the pause of the connection.
async fn write_end(
    app: &App,
    site: &Arc<Site>,
    connection: &Connection,
    delivery: Delivery,
    (mode, amount, judged): (Mode, Option<Money>, Option<(Time, &'static str)>),
    end: End,
    took_ms: i64,
) -> Result<()> {
    let now = app.clock.now();
    let scale = Scale::from_ppm(app.config.retry_scale_ppm);
    let jitter = u32::from(u16::from_le_bytes(crypto::random::<2>())) % 10_001;
    let boot = app.boot.clone();
    let connection_id = connection.id;
    let platform = connection.platform.clone();
    let owner = site.clone();
    let (id, conversion) = (delivery.id, delivery.conversion);
    let (state, status) = app
        .store
        .write(site.id, move |c| {
            // The breaker is read again: several deliveries of one connection end at the same time.
            let mut breaker = connections::find_breaker(c, connection_id)?;
            let was_hopeless = breaker.is_hopeless();
            let ending = judge(&delivery, &end, &mut breaker, scale, jitter, now);
            let sentence = sentence_of(&end.verdict).unwrap_or("The platform wants to be asked again later.");
            deliveries::add_attempt(
                c,
                delivery.id,
                &Attempt { at: now, duration_ms: took_ms, outcome: end.outcome, status: end.status, sentence, judged },
            )?;
            let told = match (delivery.is_check(), ending.state) {
                (false, "delivered" | "accepted") => Took::It(amount),
                (true, "delivered" | "accepted") | (false, _) => Took::AsBefore,
                (true, _) => Took::NotAfterAll,
            };
            let unknown_at = if end.is_unknown && !delivery.is_check() { delivery.unknown_at.or(Some(now)) } else { delivery.unknown_at };
            deliveries::settle(
                c,
                delivery.id,
                &boot,
                &Settled {
                    state: ending.state,
                    reason: ending.reason,
                    mode,
                    is_charged: ending.is_charged,
                    next_at: ending.next_at,
                    step: end.step.as_ref(),
                    unknown_at,
                    told,
                    request: end.request.as_ref(),
                    response: end.response.as_ref(),
                    now,
                },
            )?;
            connections::save_breaker(c, connection_id, &breaker)?;
            if matches!(ending.state, "delivered" | "accepted") {
                connections::heard_of(c, connection_id, now)?;
            }
            let status = if ending.pauses {
                connections::set_status(c, connection_id, Status::Paused, Some(sentence))?;
                deliveries::set_waiting(c, connection_id, None)?;
                Some(Status::Paused)
            } else {
                heed_breaker(c, &owner, connection_id, delivery.id, was_hopeless, &breaker, now)?
            };
            if let Some(until) = breaker.next_try_at(now) {
                deliveries::put_off(c, connection_id, until)?;
            }
            Ok((ending.state, status))
        })
        .await?;
    if let Some(status) = status {
        match status {
            Status::Paused => {
                tracing::warn!(connection.id = %connection_id, source = %platform, "A destination refuses us: its connection is paused.");
            }
            Status::NeedsAttention => {
                tracing::warn!(connection.id = %connection_id, source = %platform, "A destination failed for five days: what waits is held.");
            }
            _ => tracing::info!(connection.id = %connection_id, source = %platform, "A destination answers again: what was held goes."),
        }
        app.refresh().await?;
        app.tell(News::Connection { site: site.id, id: connection_id, status: status.word() });
    }
    app.figures.add("deliveries", state);
    app.tell(News::Delivery { site: site.id, id, conversion, state: state.to_owned() });
    app.wake.notify_waiters();
    Ok(())
}

/// Holds what waits for a connection that is hopeless, and lets it go when it is so no longer. Gives the connection's new
/// status where it has one.
fn heed_breaker(
    c: &SiteConn,
    site: &Site,
    connection: ConnectionId,
    delivery: DeliveryId,
    was_hopeless: bool,
    breaker: &Breaker,
    now: Time,
) -> Result<Option<Status>> {
    let status = connections::find_status(c, connection)?;
    match (was_hopeless, breaker.is_hopeless()) {
        (_, true) => {
            // Every time: what was planned or replayed meanwhile is held as well.
            deliveries::hold_but(c, connection, delivery, now)?;
            if status != Some(Status::Ok) {
                return Ok(None);
            }
            connections::set_status(c, connection, Status::NeedsAttention, Some(&notice(site, breaker)))?;
            Ok(Some(Status::NeedsAttention))
        }
        (true, false) => {
            deliveries::let_go(c, connection, now)?;
            if status != Some(Status::NeedsAttention) {
                return Ok(None);
            }
            connections::set_status(c, connection, Status::Ok, None)?;
            Ok(Some(Status::Ok))
        }
        (false, false) => Ok(None),
    }
}

async fn settle_now(
    app: &App,
    delivery: &Delivery,
    state: &'static str,
    reason: Option<&'static str>,
    request: Option<Value>,
    response: Option<Value>,
) -> Result<()> {
    let (now, boot, id, mode, connection) = (app.clock.now(), app.boot.clone(), delivery.id, delivery.mode, delivery.connection);
    // What a try before this one has left in the dark stays so.
    let unknown_at = delivery.unknown_at;
    app.store
        .write(delivery.site, move |c| {
            let s = Settled {
                state,
                reason,
                mode,
                is_charged: false,
                next_at: None,
                step: None,
                unknown_at,
                told: Took::AsBefore,
                request: request.as_ref(),
                response: response.as_ref(),
                now,
            };
            ending::free_probe(c, connection)?;
            deliveries::settle(c, id, &boot, &s)
        })
        .await?;
    app.figures.add("deliveries", state);
    app.tell(News::Delivery { site: delivery.site, id, conversion: delivery.conversion, state: state.to_owned() });
    Ok(())
}
