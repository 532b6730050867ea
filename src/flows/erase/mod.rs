//! Erasure: everything of a person goes in one change, then the file is searched, then destinations are told. The
//! certificate is pending until all three are done.

/// `erasures.log` beside the backups.
pub mod beside;
/// The file itself, searched and rewritten.
mod file;
/// `erasures.log`, for older backups.
pub mod log;
/// How the owner calls the connections that are told.
mod names;
/// Old news of erased people.
pub mod past;
/// Destinations that had heard of the person.
mod telling;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app::App;
use crate::backup::Watch;
use crate::crypto;
use crate::domain::ids::{ConnectionId, ErasureId, SiteId};
use crate::domain::mask;
use crate::domain::person::{Email, Phone};
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::flows::intake::own_id;
use crate::sources::Whom;
use crate::store::erasures::known_as::{self, Face, KnownAs};
use crate::store::erasures::{self, Certificate, NewErasure, Sight, Subject, Whole, export, notices, person, things, tombstones, wipe};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{audit, conversions};

pub use crate::store::erasures::things::{GOES, STAYS, in_words};
pub use crate::store::erasures::{Buyer, Named};
pub use names::Names;

/// Whoever asks waits this long for the search of the file; it goes on without them.
const PATIENCE: Duration = Duration::from_secs(8);

/// Moments of an erasure, in their order, at which a test may look, or kill the process.
pub const MOMENTS: [&str; 3] = ["erased", "logged", "searched"];

/// The person as an owner types it.
pub fn named(site: &Site, email: Option<&str>, phone: Option<&str>, order: Option<&str>) -> Result<Named> {
    match (email.map(str::trim), phone.map(str::trim), order.map(str::trim)) {
        (Some(text), None, None) => Email::parse(text)
            .map(|e| Named::Email(e.as_str().to_owned()))
            .ok_or_else(|| Error::invalid("email", "This is no e-mail address.")),
        (None, Some(text), None) => Phone::parse(text, site.country.as_deref())
            .map(|p| Named::Phone(p.as_str().to_owned()))
            .ok_or_else(|| Error::invalid("phone", "This is no valid phone number. Write it with its country: +971501234567.")),
        (None, None, Some(text)) if !text.is_empty() && text.len() <= 255 => Ok(Named::Order(text.to_owned())),
        _ => Err(Error::invalid("email", "Name the person once: by email, phone or order.")),
    }
}

/// Somebody whom a shop's platform wants forgotten: by address, else by number, and by all orders that it names.
pub fn named_buyer(site: &Site, connection: ConnectionId, platform: &str, whom: &Whom) -> Result<Named> {
    let email = whom.email.as_deref().and_then(Email::parse).map(|e| e.as_str().to_owned());
    let phone = whom.phone.as_deref().and_then(|p| Phone::parse(p, site.country.as_deref())).map(|p| p.as_str().to_owned());
    let phone = phone.filter(|_| email.is_none());
    let orders: Vec<String> = whom.orders.iter().map(|id| own_id(platform, id)).collect();
    if email.is_none() && phone.is_none() && orders.is_empty() {
        return Err(Error::invalid("email", "They are named by no e-mail, number or order."));
    }
    Ok(Named::Buyer(Buyer { connection, email, phone, orders }))
}

/// The person of a page of the dashboard.
pub fn named_contact(text: &str) -> Result<Named> {
    text.trim().parse().map(Named::Contact).map_err(|()| Error::invalid("contact", "A contact looks like contact_12."))
}

/// Erases, and gives the certificate as it stands then.
pub async fn run(app: &App, site: &Arc<Site>, named: Named, who: &str) -> Result<Value> {
    run_watched(app, site, named, who, Watch::nobody()).await
}

/// The same, under the eyes of somebody.
pub async fn run_watched(app: &App, site: &Arc<Site>, named: Named, who: &str, watch: Watch) -> Result<Value> {
    let now = app.clock.now();
    let id = erase(app, site, named, who, &crypto::hex(&crypto::random::<16>()), now, &watch).await?;
    let (work, owner) = (app.clone(), site.clone());
    let rest = tokio::spawn(async move { finish(&work, &owner, id, &watch).await });
    match tokio::time::timeout(PATIENCE, rest).await {
        Ok(Ok(Err(e))) => tracing::warn!(site.id = %site.id, error = %e, "An erasure is not finished; it is taken up again."),
        Ok(_) => {}
        Err(_) => tracing::info!(site.id = %site.id, "The file is still being searched after an erasure."),
    }
    certificate(app, site, id).await
}

/// Erases, and gives the certificate's number at once. The search of the file and the word to destinations follow by
/// themselves, also after a restart: a platform that passes a wish on waits only seconds.
pub async fn begin(app: &App, site: &Arc<Site>, named: Named, who: &str) -> Result<ErasureId> {
    let watch = Watch::nobody();
    let id = erase(app, site, named, who, &crypto::hex(&crypto::random::<16>()), app.clock.now(), &watch).await?;
    let (work, owner) = (app.clone(), site.clone());
    tokio::spawn(async move {
        if let Err(e) = finish(&work, &owner, id, &watch).await {
            tracing::warn!(site.id = %owner.id, error = %e, "An erasure is not finished; it is taken up again.");
        }
    });
    Ok(id)
}

/// The one change. What is the past from now on is written down beside it.
async fn erase(app: &App, site: &Arc<Site>, named: Named, who: &str, uid: &str, at: Time, watch: &Watch) -> Result<ErasureId> {
    let (owner, who, uid) = (site.clone(), who.to_owned(), uid.to_owned());
    let names = Names::of(app, site);
    let is_from_log = matches!(named, Named::Log(_));
    let (id, line) = app
        .store
        .write(site.id, move |c| {
            let whole = find(c, &owner, &named, Sight::Erasure)?;
            let (id, digests) = wiped(c, &owner, (&named, &names), &whole, &who, &uid, at)?;
            audit::add(c, &who, "erased", &json!({"erasure": id, "by": named.word()}), at)?;
            Ok((id, log::Line { uid, site: owner.public_key.clone(), at: at.ms(), digests }))
        })
        .await?;
    app.talks.erased(site.id, id);
    watch.see("erased");
    // What comes from the log is in it.
    if !is_from_log {
        log::append(&app.config.data, &line)?;
    }
    watch.see("logged");
    if !is_from_log {
        beside::spread(app).await;
    }
    app.wake.notify_waiters();
    Ok(id)
}

fn find(c: &SiteConn, site: &Site, named: &Named, sight: Sight) -> Result<Whole> {
    let key = site.keys.digest;
    person::find(c, named, sight, |kind, value| tombstones::digest(&key, kind, value))
}

fn wiped(
    c: &SiteConn,
    site: &Site,
    (named, names): (&Named, &Names),
    whole: &Whole,
    who: &str,
    uid: &str,
    at: Time,
) -> Result<(ErasureId, Vec<String>)> {
    let key = &site.keys.tombstone;
    let mut stones: Vec<[u8; 16]> = whole.identities.iter().map(|(kind, value)| tombstones::digest(key, kind, value)).collect();
    stones.extend(whole.keys.iter().map(|session| tombstones::digest(key, tombstones::SESSION, session)));
    for content in person::contents(c, whole)? {
        stones.push(tombstones::digest(key, tombstones::CONTENT, &crypto::hex(&content)));
    }
    for (connection, external_id) in person::talks(c, whole)? {
        stones.push(tombstones::digest(key, tombstones::CONVERSATION, &tombstones::conversation(connection, &external_id)));
    }
    for stone in &stones {
        tombstones::add(c, stone, at)?;
    }
    let digests: Vec<String> = stones.iter().map(|d| crypto::hex(d)).collect();
    let mut subject =
        Subject { emails: whole.emails(), phones: whole.phones(), customer_ids: whole.values("customer_id"), ..Subject::default() };
    let mut told = Vec::new();
    for conversion in &whole.conversions {
        let id = crate::domain::ids::ConversionId::new(*conversion);
        if let Some(found) = conversions::find(c, id)? {
            subject.conversions.push(id.to_string());
            subject.event_ids.push(found.event_id);
        }
        for (connection, platform, _) in notices::list_told(c, *conversion)? {
            // Whoever comes back with an older file was told of when it was done first.
            if !matches!(named, Named::Log(_)) && !told.iter().any(|(known, _)| *known == connection) {
                told.push((connection, platform));
            }
        }
    }
    let in_bodies: Vec<[u8; 16]> =
        whole.identities.iter().map(|(kind, value)| tombstones::digest(&site.keys.digest, kind, value)).collect();
    let things = things::count(c, whole)?;
    let counts = wipe::run(c, &site.zone, whole, &in_bodies, at)?;
    let new = NewErasure { uid, at, who, named_by: named.word(), digests: &digests, counts: &counts, things: &things, subject: &subject };
    let id = erasures::add(c, &new)?;
    for (connection, platform) in told {
        notices::add(c, &telling::first(id, connection, platform, names, at))?;
    }
    Ok((id, digests))
}

/// Searches the file, tells destinations, and closes what is done. Safe to repeat.
async fn finish(app: &App, site: &Arc<Site>, id: ErasureId, watch: &Watch) -> Result<()> {
    let _turn = app.cleaning.lock().await;
    let found = app.store.read(site.id, move |c| Ok((erasures::find(c, id)?, erasures::find_subject(c, id)?))).await?;
    let (Some(certificate), Some(subject)) = found else { return Ok(()) };
    let cleaned = match certificate.cleaned_at {
        None => file::clean(app, site, id, &subject).await,
        Some(_) => Ok(()),
    };
    watch.see("searched");
    let is_told = telling::run(app, site, id, &subject, certificate.at).await?;
    let now = app.clock.now();
    let is_late = now.ms_since(certificate.at) >= erasures::LONGEST_MS;
    if (is_told && cleaned.is_ok()) || is_late {
        app.store.write(site.id, move |c| erasures::close(c, id, now)).await?;
        app.talks.told(site.id, id);
    }
    cleaned
}

/// Takes up what is not finished: after a restart, and where a destination was out of reach.
pub async fn go_on(app: &App) -> Result<()> {
    for site in app.book().sites().to_vec() {
        for id in app.store.read(site.id, erasures::list_open).await? {
            if app.is_stopping() {
                return Ok(());
            }
            finish(app, &site, id, &Watch::nobody()).await?;
        }
    }
    Ok(())
}

/// What would go, before anybody says yes.
pub async fn preview(app: &App, site: &Arc<Site>, named: Named) -> Result<Value> {
    let (owner, now) = (site.clone(), app.clock.now());
    let names = Names::of(app, site);
    app.store
        .read(site.id, move |c| {
            let whole = find(c, &owner, &named, Sight::Erasure)?;
            let known_as = known_as::list(c, &whole)?;
            let mut told: Vec<(ConnectionId, String)> = Vec::new();
            let mut waiting = 0;
            for conversion in &whole.conversions {
                told.extend(notices::list_told(c, *conversion)?.into_iter().map(|(connection, platform, _)| (connection, platform)));
                waiting += notices::count_waiting(c, *conversion)?;
            }
            told.sort();
            told.dedup();
            let mut platforms: Vec<&str> = told.iter().map(|(_, platform)| platform.as_str()).collect();
            platforms.dedup();
            let notice = |(connection, platform): &(ConnectionId, String)| {
                let first = telling::first(ErasureId::new(0), *connection, platform.clone(), &names, now);
                json!({"connection": connection, "platform": platform, "name": names.name(*connection, platform), "by_program": first.state == "pending", "sentence": first.sentence})
            };
            Ok(json!({
                "rows": {
                    "contacts": whole.contacts.len(), "identities": whole.identities.len(), "sessions": whole.sessions.len(),
                    "leads": whole.leads.len(), "orders": whole.orders.len(), "conversions": whole.conversions.len(),
                    "inbox": whole.inbox.len(), "conversations": whole.conversations.len(), "waiting": waiting,
                },
                "is_known": !(whole.contacts.is_empty() && whole.sessions.is_empty() && whole.leads.is_empty()
                    && whole.orders.is_empty() && whole.conversions.is_empty() && whole.inbox.is_empty() && whole.conversations.is_empty()),
                // The same words and counts as on the certificate.
                "things": things::count(c, &whole)?,
                "known_as": shown_known_as(&known_as),
                "destinations": platforms,
                "told": told.iter().map(notice).collect::<Vec<_>>(),
            }))
        })
        .await
}

/// Masked as in every list: enough to tell two people apart.
fn shown_known_as(known: &KnownAs) -> Value {
    let name = |f: &Face| [&f.first_name, &f.last_name].map(|n| mask::word(n)).join(" ").trim().to_owned();
    let shown = |f: &Face| {
        json!({
            "name": Some(name(f)).filter(|n| !n.is_empty()),
            "email": f.email.as_deref().map(mask::email),
            "phone": f.phone.as_deref().map(mask::phone),
            "orders": f.orders, "numbers": f.numbers, "leads": f.leads, "steps": f.steps,
        })
    };
    json!({
        "people": known.faces.iter().map(shown).collect::<Vec<_>>(),
        "names": known.names, "emails": known.emails, "phones": known.phones,
        "is_several": known.is_several(), "share_a_phone": known.share_a_phone,
    })
}

/// All of a person, for the person.
pub async fn exported(app: &App, site: &Arc<Site>, named: Named) -> Result<serde_json::Map<String, Value>> {
    let (owner, now) = (site.clone(), app.clock.now());
    app.store
        .read_unhurried(site.id, move |c| {
            let whole = find(c, &owner, &named, Sight::Access)?;
            export::run(c, &whole, owner.country.as_deref(), now)
        })
        .await
}

pub async fn certificate(app: &App, site: &Arc<Site>, id: ErasureId) -> Result<Value> {
    let found = app.store.read(site.id, move |c| Ok((erasures::find(c, id)?, notices::list(c, id)?))).await?;
    let (Some(certificate), told) = found else { return Err(Error::not_found(format!("There is no {id}."))) };
    Ok(shown(site, &Names::of(app, site), &certificate, &told))
}

/// A certificate as answers show it: no address is in it.
pub fn shown(site: &Site, names: &Names, e: &Certificate, told: &[notices::Notice]) -> Value {
    let total: i64 = e.counts.as_object().map(|m| m.values().filter_map(Value::as_i64).sum()).unwrap_or_default();
    let searched = match (&e.cleaned_at, &e.residue) {
        (None, _) => "pending",
        (Some(_), None) => "clean",
        (Some(_), Some(_)) => "residue",
    };
    json!({
        "erasure": e.id,
        "uid": e.uid,
        "site": site.slug,
        "state": if e.done_at.is_some() { "done" } else { "pending" },
        "at": site.zone.text(e.at),
        "who": e.who,
        "by": e.named_by,
        "due_at": site.zone.text(e.at.plus_ms(erasures::LONGEST_MS)),
        "things": e.things,
        "rows": e.counts,
        "total": total,
        "file": {"state": searched, "searched_at": e.cleaned_at.map(|at| site.zone.text(at)), "rewrites": e.rewrites, "residue": e.residue},
        "destinations": told.iter().map(|n| json!({
            "connection": n.connection, "platform": n.platform, "name": names.name(n.connection, &n.platform), "state": n.state, "sentence": n.sentence,
            "settled_at": n.settled_at.map(|at| site.zone.text(at)),
        })).collect::<Vec<_>>(),
        "done_at": e.done_at.map(|at| site.zone.text(at)),
    })
}

/// How many people were erased so far.
pub async fn count(app: &App, site: SiteId) -> Result<i64> {
    app.store.read(site, erasures::count).await
}

/// Certificates, the newest first.
pub async fn list(
    app: &App,
    site: SiteId,
    cursor: Option<crate::domain::question::Cursor>,
    limit: usize,
) -> Result<(Vec<(Certificate, Vec<notices::Notice>)>, Option<crate::domain::question::Cursor>)> {
    app.store
        .read(site, move |c| {
            let (page, next) = erasures::page(c, cursor, limit)?;
            let with = |e: Certificate| notices::list(c, e.id).map(|told| (e, told));
            Ok((page.into_iter().map(with).collect::<Result<Vec<_>>>()?, next))
        })
        .await
}
