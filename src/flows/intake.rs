//! Facts in: everything that follows from one body is written in one change, then the sender gets its answer.

use std::borrow::Cow;
use std::sync::Arc;

use crate::app::{App, News};
use crate::crypto;
use crate::domain::attribution::MatchType;
use crate::domain::erasure;
use crate::domain::fact::Fact;
use crate::domain::ids::{ConnectionId, InboxId};
use crate::domain::time::Time;
use crate::domain::unnamed::unnamed;
use crate::error::{Error, Result};
use crate::flows::assists;
use crate::flows::erase::past;
use crate::store::connections::{Connection, heard_of};
use crate::store::erasures::tombstones;
use crate::store::inbox::{self, NewBody};
use crate::store::people::identities_of;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{conversions, counters, credits, deliveries, jobs, leads, reports};

/// Short codes in what somebody has written.
mod coded;
/// A body whose items stand each by itself.
pub mod each;
/// Somebody became a user of the owner's own product.
mod enrolment;
/// An event of a tracker.
mod event;
/// Facts of a file that the owner brings.
pub mod imported;
/// What of a body is kept.
mod kept;
/// A lead, as a form told it.
mod lead;
/// The money of a sale.
mod ledger;
/// Something said in a chat.
mod message;
/// A step on the way to becoming a customer.
mod milestone;
/// An order, as a shop or payment told it.
mod order;
/// Sales that were taken for one and may not be.
mod parting;
/// How far a lead has come.
mod progress;
/// Single refunds of a sale.
mod refund;
/// What destinations are told of money that went back.
pub mod reversal;
/// How a sale stands by all orders that have told of it.
mod standing;
/// A sale, lead or sign-up told without an order.
mod statement;
/// What became of a fact.
mod stored;
/// One conversion of possibly many reports.
pub mod telling;
/// Sales that turn out to be one.
mod uniting;
/// Who a fact is about.
mod who;

pub use enrolment::number as enrolment_number;
use kept::kept_body;
pub use milestone::key as milestone_key;
pub use order::own_id;
pub use stored::Stored;

/// Bodies of each connection are counted by day under this word, and those whose signature was wrong under the other.
pub const HEARD: &str = "heard";
pub const BAD_SIGNATURE: &str = "bad_signature";

/// Where single things that a body has named are said to have come from.
pub const FETCHED: &str = "/fetch";

/// A body that has proved its sender, read into facts.
pub struct Delivered {
    /// None where an API token or the page itself brought it.
    pub connection: Option<ConnectionId>,
    pub platform: String,
    pub path: String,
    pub content_type: String,
    pub body: Vec<u8>,
    pub facts: Vec<Fact>,
    /// What is read at the platform right after, by the source's own words for it.
    pub fetch: Vec<String>,
    /// Said by a browser, not by the owner's server or a platform.
    pub is_asserted: bool,
    /// The same signed content is a repeat for ever; else only the facts' own ids tell.
    pub is_once: bool,
    /// When we read it from the platform itself; none where somebody told us, who knows since when.
    pub read_at: Option<Time>,
}

#[derive(Debug, Clone)]
pub struct Taken {
    pub inbox: InboxId,
    /// The whole body was known before.
    pub is_duplicate: bool,
    pub facts: Vec<Stored>,
}

/// What every fact of a body shares.
pub struct Context<'a> {
    pub c: &'a SiteConn<'a>,
    pub site: &'a Site,
    pub connections: &'a [Arc<Connection>],
    /// Who tells: a connection's number, or one of the doors without a connection.
    pub connection: i64,
    pub inbox: InboxId,
    pub is_asserted: bool,
    pub now: Time,
    /// When the body came: another time than now where a kept body is run again.
    pub heard_at: Time,
    /// When it was read from the platform itself.
    pub read_at: Option<Time>,
    /// It was read because a body had named it: nobody had to look for it.
    pub was_named: bool,
    /// The fact in hand is of somebody who was erased since it happened.
    pub erased_at: Option<Time>,
}

/// Stores a body and all that follows from it. Returns after the commit.
pub async fn run(app: &App, site: &Arc<Site>, delivered: Delivered) -> Result<Taken> {
    let now = app.clock.now();
    let book = app.book();
    let connections: Vec<Arc<Connection>> = book.connections_of(site.id).cloned().collect();
    let owner = site.clone();
    let taken = app.store.write_again(site.id, move |c| store(c, &owner, &connections, &delivered, None, now)).await?;
    announce(app, site, &taken);
    Ok(taken)
}

/// Doors without a connection are told apart like connections: what one of them tells is never the same report as what
/// another does.
fn door(path: &str) -> i64 {
    match path {
        "/api/conversions" => 0,
        "/api/lead" => leads::PAGES,
        "/funnel/event" | "/funnel/conversion" => FUNNEL,
        super::offline::PATH => TYPED,
        _ => -1,
    }
}

/// Steps that the owner's own server tells: what it tells as a lead beside them is another report of the same.
const FUNNEL: i64 = -3;

/// What is typed in by hand. From -4 to -8 are the doors of files (`imported::door`).
const TYPED: i64 = -9;

/// Tells the workers and open dashboards what is new.
pub fn announce(app: &App, site: &Site, taken: &Taken) {
    app.wake.notify_waiters();
    for fact in &taken.facts {
        if let (Some(id), true) = (fact.conversion, fact.is_new) {
            app.tell(News::Conversion { site: site.id, id, kind: fact.kind });
            app.figures.add("conversions", fact.kind);
        }
        for made in &fact.planned {
            if let Some(conversion) = fact.conversion {
                app.tell(News::Delivery { site: site.id, id: made.id, conversion, state: made.state.to_owned() });
            }
        }
    }
}

/// The change itself. `again` names the inbox row of a body that is run once more.
pub fn store(
    c: &SiteConn,
    site: &Site,
    connections: &[Arc<Connection>],
    delivered: &Delivered,
    again: Option<(InboxId, Time)>,
    now: Time,
) -> Result<Taken> {
    let digest = digest_of(site, &delivered.path, &delivered.body);
    let kept_body = kept_body(site, delivered);
    if let Some(connection) = delivered.connection {
        if delivered.read_at.is_none() {
            heard_of(c, connection, now)?;
        }
        if again.is_none() && delivered.read_at.is_none() {
            counters::add(c, site.zone.day(now), HEARD, &connection.to_string())?;
        }
        if delivered.is_once
            && again.is_none()
            && let Some(first) = inbox::find_seen(c, connection, &digest[..16])?
        {
            order::look_again(c, connection, delivered, now)?;
            return Ok(Taken { inbox: first, is_duplicate: true, facts: told_before(c, first)? });
        }
    }
    let heard_at = again.map_or(now, |(_, at)| at);
    let connection = delivered.connection.map(ConnectionId::number).unwrap_or_else(|| door(&delivered.path));
    let news = delivered.facts.iter().map(|f| past::judge(c, site, connection, f, heard_at)).collect::<Result<Vec<_>>>()?;
    // A body that names somebody who was erased is read, and not kept.
    let is_kept = news.iter().all(|n| matches!(n, past::News::Present));
    let inbox = match again {
        Some((id, _)) => {
            inbox::set_state(c, id, "replayed", None)?;
            id
        }
        None => inbox::add(
            c,
            &NewBody {
                connection: delivered.connection,
                platform: &delivered.platform,
                path: &delivered.path,
                received_at: now,
                state: "accepted",
                reason: (!is_kept).then_some("erased"),
                content_type: &delivered.content_type,
                body: if is_kept { &kept_body } else { &[] },
                digest: &digest[..16],
            },
        )?,
    };
    if let Some(connection) = delivered.connection {
        for name in &delivered.fetch {
            jobs::add_fetch(c, connection, name, now)?;
        }
    }
    if let Some(connection) = delivered.connection
        && delivered.is_once
    {
        inbox::add_seen(c, connection, &digest[..16], inbox)?;
    }
    if is_kept && again.is_none() {
        note_mentioned(c, site, inbox, &delivered.body)?;
    }
    let mut context = Context {
        c,
        site,
        connections,
        connection,
        inbox,
        is_asserted: delivered.is_asserted,
        now,
        heard_at,
        read_at: delivered.read_at,
        was_named: delivered.path == FETCHED,
        erased_at: None,
    };
    let mut facts = Vec::with_capacity(delivered.facts.len());
    for (fact, news) in delivered.facts.iter().zip(&news) {
        let fact = match news {
            past::News::Present | past::News::Again => fact,
            past::News::Past(fact) => fact,
            past::News::Nobody => {
                counters::add(c, site.zone.day(now), "fact_refused", "erased")?;
                facts.push(Stored::refused(fact));
                continue;
            }
        };
        context.erased_at = matches!(news, past::News::Past(_)).then_some(now);
        let named = stored::person_of(fact).filter(|_| !matches!(news, past::News::Again));
        for (kind, value) in named.into_iter().flat_map(identities_of) {
            inbox::add_person(c, inbox, &tombstones::digest(&site.keys.digest, kind.word(), &value))?;
        }
        facts.push(tell_one(&context, fact)?);
    }
    // Signed content that comes for the first time is no repeat, though it may bring nothing new (spec 4.1); what has no id of its
    // own is one where its words are known.
    let is_duplicate = !delivered.is_once && !facts.is_empty() && facts.iter().all(|f| !f.is_new && !f.is_changed);
    Ok(Taken { inbox, is_duplicate, facts })
}

/// What follows from one fact.
fn tell_one(x: &Context, fact: &Fact) -> Result<Stored> {
    let fact = unnamed(fact);
    // A page may write what it likes: a code proves a visit only where somebody else has heard it.
    let read = if x.is_asserted || x.erased_at.is_some() { Cow::Borrowed(fact.as_ref()) } else { coded::read(&fact) };
    match read.as_ref() {
        Fact::Lead(lead) => lead::store(x, lead),
        Fact::Order(order) => order::store(x, order),
        Fact::Refund(refund) => order::refund(x, refund),
        Fact::Deletion(deletion) => order::deletion(x, deletion),
        Fact::Statement(statement) => statement::store(x, statement),
        Fact::Message(message) => message::store(x, message),
        Fact::Progress(progress) => progress::store(x, progress),
        Fact::Milestone(milestone) => milestone::store(x, milestone),
        Fact::Enrolment(enrolment) => enrolment::store(x, enrolment),
        Fact::Event(event) => event::store(x, event),
    }
}

/// So that erasure finds the body also by an address that no field of a fact holds.
fn note_mentioned(c: &SiteConn, site: &Site, inbox: InboxId, body: &[u8]) -> Result<()> {
    for email in erasure::mentioned(body) {
        inbox::add_person(c, inbox, &tombstones::digest(&site.keys.digest, "email", email.as_str()))?;
    }
    Ok(())
}

/// What was sent, and to which of our readers: the same words to the door of leads and to that of orders are two things.
fn digest_of(site: &Site, path: &str, body: &[u8]) -> [u8; 32] {
    crypto::hmac_sha256(&site.keys.digest, &[b"body.", path.as_bytes(), b".", body])
}

/// The facts of a body that came before, as they were answered then.
fn told_before(c: &SiteConn, inbox: InboxId) -> Result<Vec<Stored>> {
    let mut facts = Vec::new();
    for (conversion, external_id) in reports::list_of_inbox(c, inbox)? {
        let Some(found) = conversions::find(c, conversion)? else { continue };
        let snapshot = credits::find_newest(c, conversion)?.map(|(snapshot, _)| snapshot).unwrap_or_default();
        facts.push(Stored {
            conversion: Some(conversion),
            fact: None,
            kind: found.kind.word(),
            external_id: external_id.split_once(':').map_or(external_id.as_str(), |(_, id)| id).to_owned(),
            is_new: false,
            is_changed: false,
            match_type: MatchType::parse(&found.match_type).map(MatchType::word).unwrap_or("none"),
            is_attributed: found.match_type != "none",
            snapshot: assists::shown(c, conversion, snapshot)?,
            deliveries: deliveries::list_planned(c, conversion)?,
            planned: Vec::new(),
        });
    }
    Ok(facts)
}

/// Keeps an authentic body that is not understood: shown, and replayable after a fix.
pub async fn quarantine(app: &App, site: &Arc<Site>, delivered: Delivered, reason: String) -> Result<InboxId> {
    let same = delivered.body.clone();
    quarantine_as(app, site, delivered, reason, &same).await
}

/// The same where only a part of the body tells whether it is known already.
pub async fn quarantine_as(app: &App, site: &Arc<Site>, delivered: Delivered, reason: String, same: &[u8]) -> Result<InboxId> {
    let now = app.clock.now();
    let digest = digest_of(site, &delivered.path, same);
    let today = site.zone.day(now);
    app.figures.add("inbox", "quarantined");
    let owner = site.clone();
    let (id, is_new) = app
        .store
        .write(site.id, move |c| {
            if let Some(connection) = delivered.connection {
                if delivered.read_at.is_none() {
                    heard_of(c, connection, now)?;
                    counters::add(c, today, HEARD, &connection.to_string())?;
                }
                // The same unreadable body again is the same quarantine row.
                if let Some(first) = inbox::find_seen(c, connection, &digest[..16])? {
                    return Ok((first, false));
                }
            }
            let id = inbox::add(
                c,
                &NewBody {
                    connection: delivered.connection,
                    platform: &delivered.platform,
                    path: &delivered.path,
                    received_at: now,
                    state: "quarantined",
                    reason: Some(&reason),
                    content_type: &delivered.content_type,
                    body: &kept_body(&owner, &delivered),
                    digest: &digest[..16],
                },
            )?;
            note_mentioned(c, &owner, id, &delivered.body)?;
            for phone in erasure::dialled(&delivered.body, owner.country.as_deref()) {
                inbox::add_person(c, id, &tombstones::digest(&owner.keys.digest, "phone", phone.as_str()))?;
            }
            if let Some(connection) = delivered.connection {
                inbox::add_seen(c, connection, &digest[..16], id)?;
            }
            Ok((id, true))
        })
        .await?;
    if is_new {
        app.tell(News::Inbox { site: site.id, id, state: "quarantined" });
    }
    Ok(id)
}

/// A sender's id that we give where it has none.
pub fn given_id(key: &[u8; 32]) -> String {
    crypto::hex(&key[..8])
}

/// A stored fact that must be there.
pub fn must<T>(found: Option<T>, what: &str) -> Result<T> {
    found.ok_or_else(|| Error::internal(format!("{what} is not there")))
}
