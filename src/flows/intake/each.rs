//! A body whose items stand each by itself and are answered with counts: one that is bad loses no other. All of it is one
//! commit.

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

use super::{Context, Delivered, HEARD, Stored, Taken, announce, digest_of, person_of, refused, tell_one};

/// Wrong items that are told by their place; of more the count is enough.
const MOST_TOLD: usize = 100;
/// Addresses looked for in a body, at least and for each item.
const ADDRESSES: usize = 200;
const ADDRESSES_OF_ONE: usize = 4;

/// What is answered.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    pub processed: usize,
    pub errors: usize,
    /// Place and sentence of the items that were not taken.
    pub details: Vec<(usize, String)>,
}

struct Outcome {
    counted: Counted,
    facts: Vec<Stored>,
    inbox: Option<InboxId>,
    is_quarantined: bool,
}

/// A connection's call, as it arrived.
struct Call<'a> {
    site: &'a Site,
    connections: &'a [Arc<Connection>],
    delivered: &'a Delivered,
    items: &'a [std::result::Result<Fact, Problem>],
    now: Time,
}

/// Returns after the commit. `delivered` names its connection; its own facts are not read.
pub async fn run(app: &App, site: &Arc<Site>, delivered: Delivered, items: Vec<std::result::Result<Fact, Problem>>) -> Result<Counted> {
    let now = app.clock.now();
    let connections: Vec<Arc<Connection>> = app.book().connections_of(site.id).cloned().collect();
    let told = Arc::new((site.clone(), connections, delivered, items));
    let again = told.clone();
    let outcome = app.store.write_again(site.id, move |c| store(c, &call(&told, now), false)).await;
    let outcome = match outcome {
        // Something in one of them cannot be stored: each is tried by itself, so that the others are not lost.
        Err(e) if e.kind == Kind::Internal => {
            tracing::error!(code = e.code, cause = e.source.as_ref().map(ToString::to_string), "An item of a list was not stored");
            app.store.write(site.id, move |c| store(c, &call(&again, now), true)).await?
        }
        other => other?,
    };
    if outcome.inbox.is_some() {
        app.figures.add("inbox", if outcome.is_quarantined { "quarantined" } else { "accepted" });
    }
    if let (Some(id), true) = (outcome.inbox, outcome.is_quarantined) {
        app.tell(News::Inbox { site: site.id, id, state: "quarantined" });
    }
    let inbox = outcome.inbox.unwrap_or(InboxId::new(0));
    announce(app, site, &Taken { inbox, is_duplicate: false, facts: outcome.facts });
    Ok(outcome.counted)
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

type Told = (Arc<Site>, Vec<Arc<Connection>>, Delivered, Vec<std::result::Result<Fact, Problem>>);

fn call(told: &Told, now: Time) -> Call<'_> {
    Call { site: &told.0, connections: &told.1, delivered: &told.2, items: &told.3, now }
}

fn store(c: &SiteConn, call: &Call, is_careful: bool) -> Result<Outcome> {
    let Call { site, delivered, items, now, .. } = *call;
    let connection = delivered.connection.ok_or_else(|| Error::internal("a list without a connection"))?;
    heard_of(c, connection, now)?;
    counters::add(c, site.zone.day(now), HEARD, &connection.to_string())?;
    let mut outcome = Outcome { counted: Counted::default(), facts: Vec::new(), inbox: None, is_quarantined: false };
    for (place, item) in items.iter().enumerate() {
        if let Err(problem) = item {
            outcome.counted.failed(place, problem.sentence.clone());
        }
    }
    let digest = digest_of(site, delivered);
    let is_known = !items.is_empty() && inbox::find_seen(c, connection, &digest[..16])?.is_some();
    match is_known || items.is_empty() {
        // The very same body again: all that it tells is there.
        true => outcome.counted.processed = items.len() - outcome.counted.errors,
        false => store_items(c, call, &digest, connection, is_careful, &mut outcome)?,
    }
    let counted = &mut outcome.counted;
    counted.details.sort_by_key(|(place, _)| *place);
    let message = message(&delivered.platform, counted.processed);
    let details: Vec<_> = counted.details.iter().take(MOST_TOLD).map(|(index, error)| json!({"index": index, "error": error})).collect();
    let new = NewCall {
        connection,
        platform: &delivered.platform,
        status: counted.status(),
        processed: counted.processed,
        errors: counted.errors,
        message: &message,
        details: &json!(details).to_string(),
        started_at: now,
        completed_at: now,
    };
    tracker_calls::add(c, &new)?;
    Ok(outcome)
}

fn store_items(
    c: &SiteConn,
    call: &Call,
    digest: &[u8; 32],
    connection: ConnectionId,
    is_careful: bool,
    outcome: &mut Outcome,
) -> Result<()> {
    let Call { site, delivered, items, now, .. } = *call;
    let facts: Vec<(usize, &Fact)> = items.iter().enumerate().filter_map(|(place, item)| Some((place, item.as_ref().ok()?))).collect();
    let news = facts.iter().map(|(_, f)| past::judge(c, site, connection.number(), f, now)).collect::<Result<Vec<_>>>()?;
    // A body that names somebody who was erased is read, and not kept.
    let is_kept = news.iter().all(|n| matches!(n, past::News::Present));
    let reason = outcome.counted.reason(items.len());
    outcome.is_quarantined = reason.is_some() && is_kept;
    let reason = if is_kept { reason } else { Some("erased".into()) };
    let id = inbox::add(
        c,
        &NewBody {
            connection: delivered.connection,
            platform: &delivered.platform,
            path: &delivered.path,
            received_at: now,
            state: if outcome.is_quarantined { "quarantined" } else { "accepted" },
            reason: reason.as_deref(),
            content_type: &delivered.content_type,
            body: if is_kept { &delivered.body } else { &[] },
            digest: &digest[..16],
        },
    )?;
    outcome.inbox = Some(id);
    note_people(c, call, id, &facts, is_kept)?;
    let mut x = Context {
        c,
        site,
        connections: call.connections,
        connection: connection.number(),
        inbox: id,
        is_asserted: delivered.is_asserted,
        now,
        heard_at: now,
        read_at: None,
        erased_at: None,
    };
    let mut is_whole = true;
    for ((place, fact), news) in facts.iter().zip(&news) {
        let fact = match news {
            past::News::Present => fact,
            past::News::Past(fact) => &**fact,
            past::News::Nobody => {
                counters::add(c, site.zone.day(now), "fact_refused", "erased")?;
                outcome.facts.push(refused(fact));
                outcome.counted.processed += 1;
                continue;
            }
        };
        x.erased_at = matches!(news, past::News::Past(_)).then_some(now);
        let stored = if is_careful { c.apart(|| tell_one(&x, fact)) } else { tell_one(&x, fact) };
        match stored {
            Ok(stored) => {
                outcome.facts.push(stored);
                outcome.counted.processed += 1;
            }
            Err(e) if is_careful && e.kind == Kind::Internal => {
                is_whole = false;
                outcome.counted.failed(*place, "It could not be stored. The server's log says why; send it again later.".into());
            }
            Err(e) => return Err(e),
        }
    }
    if is_whole {
        inbox::add_seen(c, connection, &digest[..16], id)?;
    }
    Ok(())
}

/// So that an erasure finds the body by everybody who stands in it.
fn note_people(c: &SiteConn, call: &Call, id: InboxId, facts: &[(usize, &Fact)], is_kept: bool) -> Result<()> {
    let key = &call.site.keys.digest;
    let mut digests: BTreeSet<[u8; 16]> = BTreeSet::new();
    let mut addresses: BTreeSet<String> = BTreeSet::new();
    for (kind, value) in facts.iter().filter_map(|(_, fact)| person_of(fact)).flat_map(identities_of) {
        digests.insert(tombstones::digest(key, kind.word(), &value));
        addresses.insert(value);
    }
    if is_kept {
        let most = ADDRESSES.max(facts.len() * ADDRESSES_OF_ONE);
        for email in erasure::mentioned_up_to(&call.delivered.body, most) {
            if !addresses.contains(email.as_str()) {
                digests.insert(tombstones::digest(key, "email", email.as_str()));
            }
        }
    }
    for digest in digests {
        inbox::add_person(c, id, &digest)?;
    }
    Ok(())
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
