//! A body whose items stand each by itself and are answered with counts: one that is bad loses no other. It is answered when
//! all of it is on disk; short ones are one commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::app::{App, News};
use crate::domain::erasure;
use crate::domain::fact::Fact;
use crate::domain::ids::{ConnectionId, InboxId};
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::flows::erase::past;
use crate::sources::{self, Problem};
use crate::store::connections::{Connection, heard_of};
use crate::store::counters;
use crate::store::erasures::tombstones;
use crate::store::inbox::{self, NewBody};
use crate::store::people::identities_of;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::tracker_calls::{self, NewCall};

use super::stored::person_of;
use super::{Context, Delivered, HEARD, Stored, Taken, announce, digest_of, kept_body, tell_one};

/// Wrong items that are told by their place; of more the count is enough.
const MOST_TOLD: usize = 100;
/// Addresses looked for in a body, at least and for each item.
const ADDRESSES: usize = 200;
const ADDRESSES_OF_ONE: usize = 4;

/// Items of one commit at most: a long list must not keep others from the writer.
const AT_ONCE: usize = 250;

/// What is answered.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    pub processed: usize,
    pub errors: usize,
    /// Place and sentence of the items that were not taken.
    pub details: Vec<(usize, String)>,
}

/// A connection's call, as it arrived.
struct Call {
    site: Arc<Site>,
    connections: Vec<Arc<Connection>>,
    delivered: Delivered,
    connection: ConnectionId,
    items: Vec<std::result::Result<Fact, Problem>>,
    people: People,
    kept_body: Vec<u8>,
    digest: [u8; 32],
    now: Time,
}

/// How far a call has come, from one commit to the next.
#[derive(Clone)]
struct Progress {
    /// The first item that was not looked at yet.
    next: usize,
    counted: Counted,
    inbox: Option<InboxId>,
    /// The very same body came before.
    is_known: bool,
    is_quarantined: bool,
    /// Nothing failed for our sake: a repeat of the body need not be stored again.
    is_whole: bool,
}

/// Returns after the last commit. `delivered` names its connection; its own facts are not read.
pub async fn run(app: &App, site: &Arc<Site>, delivered: Delivered, items: Vec<std::result::Result<Fact, Problem>>) -> Result<Counted> {
    let connection = delivered.connection.ok_or_else(|| Error::internal("a list without a connection"))?;
    let connections: Vec<Arc<Connection>> = app.book().connections_of(site.id).cloned().collect();
    // All that needs no database is worked out before anybody waits for the writer.
    let people = People::of(site, &delivered.body, &items);
    let digest = digest_of(site, &delivered.path, &delivered.body);
    let kept_body = kept_body(site, &delivered).into_owned();
    let now = app.clock.now();
    let call = Arc::new(Call { site: site.clone(), connections, delivered, connection, items, people, kept_body, digest, now });
    let mut progress =
        Progress { next: 0, counted: Counted::default(), inbox: None, is_known: false, is_quarantined: false, is_whole: true };
    loop {
        let (fast, from, at) = (call.clone(), progress.clone(), app.clock.now());
        let done = app.store.write_again(site.id, move |c| step(c, &fast, from.clone(), at, false)).await;
        let (now, facts) = match done {
            // Something in one of them cannot be stored: each is tried by itself, so that the others are not lost.
            Err(e) if e.kind == Kind::Internal => {
                tracing::error!(code = e.code, cause = e.source.as_ref().map(ToString::to_string), "An item of a list was not stored");
                let (careful, from) = (call.clone(), progress.clone());
                app.store.write(site.id, move |c| step(c, &careful, from, at, true)).await?
            }
            other => other?,
        };
        progress = now;
        announce(app, site, &Taken { inbox: progress.inbox.unwrap_or(InboxId::new(0)), is_duplicate: false, facts });
        if progress.next >= call.items.len() {
            break;
        }
    }
    if let Some(id) = progress.inbox {
        app.figures.add("inbox", if progress.is_quarantined { "quarantined" } else { "accepted" });
        if progress.is_quarantined {
            app.tell(News::Inbox { site: site.id, id, state: "quarantined" });
        }
    }
    Ok(progress.counted)
}

/// A body that is no JSON at all: nothing is kept of it but that it came.
pub async fn unreadable(app: &App, site: &Arc<Site>, connection: &Connection, sentence: String) -> Result<()> {
    let (now, id, platform) = (app.clock.now(), connection.id, connection.platform.clone());
    app.store
        .write(site.id, move |c| {
            let new = NewCall {
                connection: id,
                platform: &platform,
                status: "error",
                processed: 0,
                errors: 1,
                message: &sentence,
                details: "[]",
                started_at: now,
                completed_at: now,
            };
            tracker_calls::add(c, &new)
        })
        .await
}

/// One commit of a call: its first opens the books for it, its last closes them.
fn step(c: &SiteConn, call: &Call, mut progress: Progress, at: Time, is_careful: bool) -> Result<(Progress, Vec<Stored>)> {
    let has_erased = !tombstones::is_empty(c)?;
    if progress.next == 0 {
        open(c, call, has_erased, &mut progress)?;
    }
    let mut facts = Vec::new();
    if progress.is_known {
        progress.counted.processed = call.items.len() - progress.counted.errors;
        progress.next = call.items.len();
    } else {
        let until = call.items.len().min(progress.next + AT_ONCE);
        for place in progress.next..until {
            if let Ok(fact) = &call.items[place] {
                let news = if has_erased { judge(c, call, fact)? } else { past::News::Present };
                facts.extend(one(c, call, (place, fact), news, &mut progress, is_careful)?);
            }
        }
        progress.next = until;
    }
    if progress.next >= call.items.len() {
        close(c, call, &mut progress, at)?;
    }
    Ok((progress, facts))
}

/// Who called, and what came, as it came.
fn open(c: &SiteConn, call: &Call, has_erased: bool, progress: &mut Progress) -> Result<()> {
    let Call { site, delivered, items, now, connection, digest, .. } = call;
    heard_of(c, *connection, *now)?;
    counters::add(c, site.zone.day(*now), HEARD, &connection.to_string())?;
    for (place, item) in items.iter().enumerate() {
        if let Err(problem) = item {
            progress.counted.failed(place, problem.sentence.clone());
        }
    }
    progress.is_known = items.is_empty() || inbox::find_seen(c, *connection, &digest[..16])?.is_some();
    if progress.is_known {
        return Ok(());
    }
    // A body that names somebody who was erased is read, and not kept.
    let mut is_kept = true;
    for fact in items.iter().flatten().filter(|_| has_erased) {
        is_kept = is_kept && matches!(judge(c, call, fact)?, past::News::Present);
    }
    let reason = progress.counted.reason(items.len());
    progress.is_quarantined = reason.is_some() && is_kept;
    let reason = if is_kept { reason } else { Some("erased".into()) };
    let id = inbox::add(
        c,
        &NewBody {
            connection: Some(*connection),
            platform: &delivered.platform,
            path: &delivered.path,
            received_at: *now,
            state: if progress.is_quarantined { "quarantined" } else { "accepted" },
            reason: reason.as_deref(),
            content_type: &delivered.content_type,
            body: if is_kept { &call.kept_body } else { &[] },
            digest: &digest[..16],
        },
    )?;
    progress.inbox = Some(id);
    // Of a body that is not kept there is nothing to find.
    for digest in call.people.named.iter().chain(&call.people.mentioned).filter(|_| is_kept) {
        inbox::add_person(c, id, digest)?;
    }
    Ok(())
}

/// What it is to those who were erased.
fn judge(c: &SiteConn, call: &Call, fact: &Fact) -> Result<past::News> {
    past::judge(c, &call.site, call.connection.number(), fact, call.now)
}

/// One item that could be read.
fn one(
    c: &SiteConn,
    call: &Call,
    (place, fact): (usize, &Fact),
    news: past::News,
    progress: &mut Progress,
    is_careful: bool,
) -> Result<Option<Stored>> {
    let (site, now) = (&*call.site, call.now);
    let told = match &news {
        past::News::Present | past::News::Again => fact,
        past::News::Past(without_person) => without_person,
        past::News::Nobody => {
            counters::add(c, site.zone.day(now), "fact_refused", "erased")?;
            progress.counted.processed += 1;
            return Ok(Some(Stored::refused(fact)));
        }
    };
    let x = Context {
        c,
        site,
        connections: &call.connections,
        connection: call.connection.number(),
        inbox: progress.inbox.ok_or_else(|| Error::internal("a list without its body"))?,
        is_asserted: call.delivered.is_asserted,
        now,
        heard_at: now,
        read_at: None,
        was_named: false,
        erased_at: matches!(news, past::News::Past(_)).then_some(now),
    };
    let stored = if is_careful { c.apart(|| tell_one(&x, told)) } else { tell_one(&x, told) };
    match stored {
        Ok(stored) => {
            progress.counted.processed += 1;
            Ok(Some(stored))
        }
        Err(e) if is_careful && e.kind == Kind::Internal => {
            progress.is_whole = false;
            progress.counted.failed(place, "It could not be stored. The server's log says why; send it again later.".into());
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

fn close(c: &SiteConn, call: &Call, progress: &mut Progress, at: Time) -> Result<()> {
    if let Some(id) = progress.inbox.filter(|_| progress.is_whole) {
        inbox::add_seen(c, call.connection, &call.digest[..16], id)?;
    }
    let counted = &mut progress.counted;
    counted.details.sort_by_key(|(place, _)| *place);
    let message = message(&call.delivered.platform, counted.processed);
    let details: Vec<_> = counted.details.iter().take(MOST_TOLD).map(|(index, error)| json!({"index": index, "error": error})).collect();
    let new = NewCall {
        connection: call.connection,
        platform: &call.delivered.platform,
        status: counted.status(),
        processed: counted.processed,
        errors: counted.errors,
        message: &message,
        details: &json!(details).to_string(),
        started_at: call.now,
        completed_at: at,
    };
    tracker_calls::add(c, &new)
}

/// Digests of everybody who stands in a body, so that an erasure finds it: those who are named by a field, and those who are
/// only mentioned somewhere.
struct People {
    named: BTreeSet<[u8; 16]>,
    mentioned: BTreeSet<[u8; 16]>,
}

impl People {
    fn of(site: &Site, body: &[u8], items: &[std::result::Result<Fact, Problem>]) -> Self {
        let key = &site.keys.digest;
        let identities: BTreeSet<(&str, String)> =
            items.iter().flatten().filter_map(person_of).flat_map(identities_of).map(|(kind, value)| (kind.word(), value)).collect();
        let most = ADDRESSES.max(items.len() * ADDRESSES_OF_ONE);
        let mentioned = erasure::mentioned_up_to(body, most).into_iter().map(|email| ("email", email.as_str().to_owned()));
        let digests = |all: &mut dyn Iterator<Item = (&str, String)>| -> BTreeSet<[u8; 16]> {
            all.map(|(kind, value)| tombstones::digest(key, kind, &value)).collect()
        };
        let mentioned = digests(&mut mentioned.filter(|identity| !identities.contains(identity)));
        Self { named: digests(&mut identities.into_iter()), mentioned }
    }
}

/// As the older system said it.
pub fn message(platform: &str, processed: usize) -> String {
    let name = sources::find(platform).map_or(platform, |s| s.about().name);
    format!("Processed {processed} events from {name}")
}

impl Counted {
    fn failed(&mut self, place: usize, sentence: String) {
        self.errors += 1;
        self.details.push((place, sentence));
    }

    pub fn is_failure(&self) -> bool {
        self.errors > 0 && self.processed == 0
    }

    fn status(&self) -> &'static str {
        match self.errors {
            0 => "success",
            _ if self.processed == 0 => "error",
            _ => "warning",
        }
    }

    /// Why the body waits for somebody to look at it.
    fn reason(&self, of: usize) -> Option<String> {
        let (place, sentence) = self.details.first()?;
        match (of, self.errors) {
            (1, _) => Some(sentence.clone()),
            (_, 1) => Some(format!("Event {} of {of} was not taken: {sentence}", place + 1)),
            (_, errors) => Some(format!("{errors} of {of} events were not taken, the first of them number {}: {sentence}", place + 1)),
        }
    }
}
