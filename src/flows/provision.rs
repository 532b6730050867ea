//! Our hooks in a platform: the credentials are proved, hooks are registered, adopted, looked at every hour and put back.
//! What happened is kept as sentences, for the card of the connection.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use crate::app::{App, News};
use crate::crypto::Secret;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::platform::{Secrets, Settings};
use crate::domain::steps::{State, Step, Verdict};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::Result;
use crate::flows::{asking, pull};
use crate::platforms;
use crate::sources::{self, Found, Ground, Hook, Provision, Registered, Source, Wish};
use crate::store::connections::{self, Connection, Status};
use crate::store::registrations::{self, Known, Registration, Seen};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{audit, pulls};
use crate::wire::Response;

/// Why credentials were not taken.
mod refusal;

/// How often hooks are looked at.
const EVERY_MS: i64 = HOUR_MS;
/// Requests of one registration at most: a talk that goes on longer is a loop.
const MOST_REQUESTS: usize = 60;
/// So many looks in a row that found nobody are shown on the card.
const TOLD_AFTER: i64 = 3;
/// Who it was, in the audit log.
const BY_ITSELF: &str = "halotrack";

/// One line of what the owner is told while a platform is connected.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Progress {
    pub sentence: String,
    pub is_done: bool,
}

/// How a look at the hooks ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Looked {
    /// They are in place, or have been put there. What had happened to them is said in sentences.
    InPlace {
        told: Vec<String>,
    },
    Failed {
        sentence: String,
    },
    /// This connection has no hooks that can be registered by program.
    Nothing,
}

/// Proves credentials that nothing knows of yet, by reading. The refusal is one sentence with the remedy.
pub async fn probe(app: &App, site: SiteId, platform: &str, settings: &Settings, secrets: &Secrets, now: Time) -> Result<()> {
    let Some(source) = sources::find(platform).filter(|s| s.provision().is_some()) else { return Ok(()) };
    // Tokens bought with these credentials are of nobody: each try is a generation of its own.
    let stranger = Connection::unknown(site, platform, settings.clone(), secrets.clone(), now.ms());
    let ground = ground(app, &stranger, Wish::Probe, None);
    match talk(app, source, &stranger, &ground).await {
        Ok(_) => Ok(()),
        Err(verdict) => Err(refusal::unsaved(&verdict)),
    }
}

/// Hooks and pulls are wanted from now on, and done in the background.
pub async fn want(app: &App, id: ConnectionId) -> Result<Vec<Progress>> {
    let progress = mark_due(app, id).await?;
    app.wake.notify_waiters();
    Ok(progress)
}

/// Hooks and pulls are wanted from now on; both are due. Nothing is said of what has no talk with its platform.
async fn mark_due(app: &App, id: ConnectionId) -> Result<Vec<Progress>> {
    let Some((site, connection, source)) = found(app, id) else { return Ok(Vec::new()) };
    if connection.status == Status::NotConfigured || (source.provision().is_none() && source.pull().is_none()) {
        return Ok(Vec::new());
    }
    let now = app.clock.now();
    let (has_hooks, has_pull) = (source.provision().is_some(), source.pull().is_some());
    app.store
        .write(site.id, move |c| {
            if has_pull {
                pulls::hurry(c, id, now)?;
            }
            if has_hooks {
                registrations::forget_hooks(c, id)?;
                registrations::want(c, id, now)?;
            }
            Ok(())
        })
        .await?;
    Ok(vec![step("The configuration is saved.")])
}

fn step(sentence: &str) -> Progress {
    Progress { sentence: sentence.into(), is_done: true }
}

/// The same, with a first look at the hooks. Said step by step, as the owner sees it.
pub async fn begin(app: &App, id: ConnectionId) -> Result<Vec<Progress>> {
    let mut progress = mark_due(app, id).await?;
    let Some((site, _, source)) = found(app, id).filter(|_| !progress.is_empty()) else { return Ok(progress) };
    if source.provision().is_some() {
        let tracking = source.brings().1;
        progress.push(step(&format!("{tracking} is being set up.")));
        match look(app, id).await? {
            Looked::Failed { sentence } => progress.push(Progress { sentence, is_done: false }),
            Looked::InPlace { .. } | Looked::Nothing => {
                let found = app.store.read(site.id, move |c| registrations::find(c, id)).await?;
                let (notes, has_any) = found.map_or((Vec::new(), false), |r| (r.notes, !r.hooks.is_empty()));
                // Where hooks are in place, a note says what else is good to know; where none are, what they need.
                if has_any || notes.is_empty() {
                    progress.push(step(&format!("{tracking} is enabled.")));
                }
                progress.extend(notes.into_iter().map(|sentence| Progress { sentence, is_done: has_any }));
            }
        }
    }
    app.wake.notify_waiters();
    Ok(progress)
}

/// Looks at the hooks and puts them in place. Repeating it changes nothing.
pub async fn look(app: &App, id: ConnectionId) -> Result<Looked> {
    let _turn = app.talks.take(id).await;
    let Some((site, connection, source)) = found(app, id) else { return Ok(Looked::Nothing) };
    if source.provision().is_none() || connection.status == Status::NotConfigured {
        return Ok(Looked::Nothing);
    }
    let before = app.store.read(site.id, move |c| registrations::find(c, id)).await?;
    let ground = ground(app, &connection, Wish::Register, before.as_ref());
    match talk(app, source, &connection, &ground).await {
        Ok(registered) => in_place(app, &site, &connection, before, registered).await,
        Err(verdict) => failed(app, &site, &connection, before, verdict).await,
    }
}

/// What stands in the platform now, without touching it.
pub async fn see(app: &App, id: ConnectionId) -> Result<Vec<Hook>> {
    let _turn = app.talks.take(id).await;
    let Some((site, connection, source)) = found(app, id) else { return Ok(Vec::new()) };
    if source.provision().is_none() {
        return Ok(Vec::new());
    }
    let before = app.store.read(site.id, move |c| registrations::find(c, id)).await?;
    let ground = ground(app, &connection, Wish::Look, before.as_ref());
    talk(app, source, &connection, &ground).await.map(|r| r.hooks).map_err(|verdict| refusal::refused(&verdict))
}

/// Takes our hooks out of the platform; they are not put back.
pub async fn withdraw(app: &App, id: ConnectionId, who: &str) -> Result<()> {
    let _turn = app.talks.take(id).await;
    let Some((site, connection, source)) = found(app, id) else { return Ok(()) };
    if source.provision().is_none() {
        return Ok(());
    }
    let before = app.store.read(site.id, move |c| registrations::find(c, id)).await?;
    let ground = ground(app, &connection, Wish::Remove, before.as_ref());
    talk(app, source, &connection, &ground).await.map_err(|verdict| refusal::refused(&verdict))?;
    let (now, who, name) = (app.clock.now(), who.to_owned(), source.about().name);
    app.store
        .write(site.id, move |c| {
            registrations::unwant(c, id, now)?;
            registrations::tell(c, id, &format!("The webhooks were taken out of {name}."), false, now)?;
            audit::add(c, &who, "hooks_removed", &json!({ "connection": id }), now)
        })
        .await
}

fn ground(app: &App, connection: &Connection, wish: Wish, before: Option<&Registration>) -> Ground {
    let token = connection.hook_tokens.first().map(String::as_str).unwrap_or_default();
    Ground {
        wish,
        hook_url: format!("{}/in/{}/{token}", app.config.public_url, connection.platform),
        kept_url: format!("{}/api/webhooks/{}/", app.config.public_url, connection.platform),
        known: before.map(|r| r.hooks.iter().map(|h| (h.topic.clone(), h.id.clone())).collect()).unwrap_or_default(),
        secrets: connection.secrets.all.iter().filter(|(_, all)| !all.is_empty()).map(|(key, _)| key.clone()).collect(),
    }
}

async fn talk(app: &App, source: &dyn Source, connection: &Connection, ground: &Ground) -> std::result::Result<Registered, Verdict> {
    let no_way = || Verdict::Refused("This platform's webhooks are put in by hand.".into());
    let steps = source.provision().ok_or_else(no_way)?;
    let mut state = State::Null;
    let mut got: Option<Response> = None;
    for _ in 0..MOST_REQUESTS {
        let step: Step<Provision> = steps.step(state, got.take().as_ref(), &connection.settings, ground, app.clock.now());
        match step {
            Step::Ask(request, next) => {
                got = Some(asking::send(app, source, connection, &request).await.map_err(asking::verdict_of)?);
                state = next;
            }
            Step::Yield(never, _) => match never {},
            Step::Wait(after_ms, _) => {
                let sentence = format!("{} is busy. It is tried again by itself.", source.about().name);
                return Err(Verdict::Retry { after_ms: Some(after_ms), sentence });
            }
            Step::Done(registered) => return Ok(registered),
            Step::Fail(verdict) => return Err(verdict),
        }
    }
    Err(Verdict::Refused(format!("{} asked too many questions and was left.", source.about().name)))
}

fn found(app: &App, id: ConnectionId) -> Option<(Arc<Site>, Arc<Connection>, &'static dyn Source)> {
    let book = app.book();
    let connection = book.connection(id)?.clone();
    let site = book.site(connection.site)?.clone();
    let source = sources::find(&connection.platform)?;
    Some((site, connection, source))
}

async fn in_place(
    app: &App,
    site: &Arc<Site>,
    connection: &Arc<Connection>,
    before: Option<Registration>,
    registered: Registered,
) -> Result<Looked> {
    let (id, now) = (connection.id, app.clock.now());
    let name = platforms::find(&connection.platform).map_or("The shop", |p| p.name());
    let known: &[Known] = before.as_ref().map(|r| r.hooks.as_slice()).unwrap_or_default();
    let told = happened(name, known, &registered.hooks, &clock(&site.zone.text(now)));
    let learned = learned(connection, &registered);
    let secrets = given(connection, &registered, now);
    let lines = told.clone();
    let was = connection.status;
    // Open dashboards hear of what has changed, and of nothing once an hour.
    let is_new = before.as_ref().is_none_or(|r| {
        r.sentence.is_some() || r.notes != registered.notes || !r.hooks.iter().map(|h| &h.id).eq(registered.hooks.iter().map(|h| &h.id))
    });
    let seen: Vec<Seen> =
        registered.hooks.iter().map(|h| Seen { topic: h.topic.clone(), id: h.id.clone(), is_active: h.is_active }).collect();
    app.store
        .write(site.id, move |c| {
            registrations::want(c, id, now)?;
            registrations::save(c, id, &seen, &registered.notes, now.plus_ms(EVERY_MS), now)?;
            for sentence in &lines {
                registrations::tell(c, id, sentence, true, now)?;
                audit::add(c, BY_ITSELF, "hook_put_back", &json!({"connection": id, "sentence": sentence}), now)?;
            }
            if !lines.is_empty() {
                pulls::hurry(c, id, now)?;
            }
            if let Some(sentence) = before.and_then(|r| r.sentence) {
                pull::recovered(c, id, &sentence)?;
            }
            if let Some(changed) = learned {
                connections::save(c, &changed)?;
            }
            if let Some(secrets) = secrets {
                connections::save_secrets(c, id, &secrets)?;
            }
            Ok(())
        })
        .await?;
    app.refresh().await?;
    if !told.is_empty() || is_new || was == Status::NeedsAttention {
        tell_status(app, site, id);
    }
    Ok(Looked::InPlace { told })
}

/// Settings that the platform has told and the owner has not.
fn learned(connection: &Connection, registered: &Registered) -> Option<Connection> {
    let mut changed = connection.clone();
    for (key, value) in &registered.learned {
        changed.settings.0.entry(key.clone()).or_insert_with(|| value.clone());
    }
    (changed.settings != connection.settings).then_some(changed)
}

/// With the secrets that the platform has just made. What is on its way was signed with the one before, which stays good
/// beside the new one for a while.
fn given(connection: &Connection, registered: &Registered, now: Time) -> Option<Secrets> {
    let mut secrets = connection.secrets.clone();
    let is_new = |key: &str, made: &Secret| connection.secrets.first(key).map(Secret::reveal) != Some(made.reveal());
    for (key, made) in registered.secrets.iter().filter(|(key, made)| is_new(key, made)) {
        secrets.set(key, made.clone());
        secrets.keep_before(key, &connection.secrets, now);
    }
    (!registered.secrets.is_empty()).then_some(secrets)
}

/// What had happened to hooks that were in place before.
fn happened(name: &str, known: &[Known], now: &[Hook], at: &str) -> Vec<String> {
    let was_known = |topic: &str| known.iter().any(|k| k.topic == topic);
    let topics = |is_it: &dyn Fn(&Hook) -> bool| -> Vec<&str> { now.iter().filter(|h| is_it(h)).map(|h| h.topic.as_str()).collect() };
    let off = topics(&|h| h.found == Found::SwitchedOff);
    let removed = topics(&|h| h.found == Found::Made && was_known(&h.topic));
    let mut told = Vec::new();
    if !off.is_empty() {
        told.push(format!(
            "{name} had switched off {} after repeated failures; we put {} back at {at}.",
            hooks(&off),
            if off.len() == 1 { "it" } else { "them" }
        ));
    }
    if !removed.is_empty() {
        told.push(format!(
            "{} had been removed from {name}; we put {} back at {at}.",
            capital(&hooks(&removed)),
            if removed.len() == 1 { "it" } else { "them" }
        ));
    }
    told
}

/// Hour and minute of a time in the site's zone.
fn clock(text: &str) -> String {
    text.get(11..16).unwrap_or(text).to_owned()
}

fn hooks(topics: &[&str]) -> String {
    match topics {
        [one] => format!("the webhook for {one}"),
        some => format!("the webhooks for {}", some.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

async fn failed(
    app: &App,
    site: &Arc<Site>,
    connection: &Arc<Connection>,
    before: Option<Registration>,
    verdict: Verdict,
) -> Result<Looked> {
    let (id, now) = (connection.id, app.clock.now());
    let sentence = asking::sentence_of(&verdict);
    let failures = before.map_or(0, |r| r.failures);
    let told = sentence.clone();
    let is_pause = matches!(verdict, Verdict::Pause(_));
    // A refusal, and a platform that is silent for long, are for the owner; a short silence is not.
    let is_told = !matches!(verdict, Verdict::Retry { .. }) || failures + 1 >= TOLD_AFTER;
    let later_ms = pull::later_ms(Some(&verdict), failures);
    let turned = app
        .store
        .write(site.id, move |c| {
            registrations::want(c, id, now)?;
            registrations::put_off(c, id, now.plus_ms(later_ms), &told, now)?;
            mark(c, id, is_told && !is_pause, &told, now)
        })
        .await?;
    if is_pause && connection.status != Status::Paused {
        pull::pause(app, site, id, sentence.clone()).await?;
    } else {
        if turned {
            app.refresh().await?;
        }
        tell_status(app, site, id);
    }
    Ok(Looked::Failed { sentence })
}

fn mark(c: &SiteConn, id: ConnectionId, is_told: bool, sentence: &str, now: Time) -> Result<bool> {
    if !is_told || connections::find_status(c, id)? != Some(Status::Ok) {
        return Ok(false);
    }
    connections::set_status(c, id, Status::NeedsAttention, Some(sentence))?;
    registrations::tell(c, id, sentence, false, now)?;
    Ok(true)
}

fn tell_status(app: &App, site: &Arc<Site>, id: ConnectionId) {
    if let Some(connection) = app.book().connection(id) {
        app.tell(News::Connection { site: site.id, id, status: connection.status.word() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(topic: &str, found: Found) -> Hook {
        Hook { topic: topic.into(), id: "1".into(), is_active: true, found }
    }

    #[test]
    fn what_happened_is_said_in_words() {
        let known = [Known { topic: "order.created".into(), id: "1".into(), is_active: true, since: Time::from_s(1) }];
        let rows: &[(&[Hook], &[&str])] = &[
            (&[hook("order.created", Found::InPlace)], &[]),
            (&[hook("order.updated", Found::Made)], &[]),
            (
                &[hook("order.created", Found::SwitchedOff)],
                &["Woo had switched off the webhook for order.created after repeated failures; we put it back at 14:05."],
            ),
            (
                &[hook("order.created", Found::Made), hook("order.deleted", Found::SwitchedOff)],
                &[
                    "Woo had switched off the webhook for order.deleted after repeated failures; we put it back at 14:05.",
                    "The webhook for order.created had been removed from Woo; we put it back at 14:05.",
                ],
            ),
        ];
        for (now, want) in rows {
            assert_eq!(happened("Woo", &known, now, "14:05"), *want);
        }
    }
}
