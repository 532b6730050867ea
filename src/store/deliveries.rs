//! The outbox: one row for each conversion and connection, written in the change that makes the conversion. The rows
//! are the queue themselves: what is pending and due is claimed with a lease, sent, and settled.

use rusqlite::{Row, named_params};

use super::scope::{AllSites, SiteConn};
use crate::domain::ids::{ConnectionId, ConversionId, DeliveryId, SiteId};
use crate::domain::money::Money;
use crate::domain::outgoing::Mode;
use crate::domain::time::{Day, Time};
use crate::error::Result;

/// Again, by the owner's hand.
mod again;
/// What waited and is not sent any more.
mod cancelled;
/// What a conversion has already.
mod known;
/// Of a sale that went back.
mod reversed;

pub use again::{list_undelivered_since, may_replay, replay};
pub use cancelled::{cancel, cancel_connection, cancel_waiting};
pub use known::{Known, list_known};
pub use reversed::{cancel_reversed, end_piece, release_piece, rename_reversed, revive};

#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: DeliveryId,
    pub site: SiteId,
    pub connection: ConnectionId,
    pub conversion: ConversionId,
    pub platform: String,
    pub kind: String,
    pub event_id: String,
    pub mode: Mode,
    pub state: String,
    pub reason: Option<String>,
    pub attempts: i64,
    pub not_after: Option<Time>,
    /// State of a talk of several requests, to go on with.
    pub step: Option<serde_json::Value>,
    /// When a send was first left without an answer.
    pub unknown_at: Option<Time>,
    pub created_at: Time,
}

const COLUMNS: &str = "id, site_id, connection_id, conversion_id, platform, kind, event_id, mode, state, reason, attempts, not_after, step, \
    unknown_at, created_at";

/// A row for a connection, also where nothing will be sent: then `reason` says why.
pub struct Planned<'a> {
    pub connection: ConnectionId,
    pub conversion: ConversionId,
    pub platform: &'a str,
    pub kind: &'a str,
    pub event_id: &'a str,
    pub mode: Mode,
    pub skip: Option<&'static str>,
    /// Why it is held from the start, where it is.
    pub hold: Option<&'static str>,
    /// None waits until its connection is resumed.
    pub next_at: Option<Time>,
    pub not_after: Option<Time>,
    pub now: Time,
    /// Of `now`, in the site's zone.
    pub day: Day,
}

/// A row that was just planned.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    pub id: DeliveryId,
    pub state: &'static str,
}

/// Why one that was taken has a time again: the platform says later what became of it.
pub const CHECKING: &str = "checking";
/// Why a refund is not told: its sale was not either.
pub const SALE_NOT_SENT: &str = "sale_not_sent";
/// The platform told us of it itself.
pub const OWN_REPORT: &str = "own_report";
/// Why money that went back is not told once more: all of it was.
pub const ALL_TOLD: &str = "all_told";
/// Another platform, which told us of it, tells this one too.
pub const TOLD_ALREADY: &str = "told_already";
/// Why what was to tell that a sale went back is not told.
pub const SALE_HOLDS: &str = "sale_holds";
/// Why what waits for a sale that went back is cancelled.
pub const REVERSED: &str = "reversed";

/// Adds the row. Where this connection has one for this conversion and kind already, that one is judged anew: who is
/// better informed may say that it counts, or may go, or that it does not.
pub fn plan(c: &SiteConn, new: &Planned, known: &[Known]) -> Result<Option<Made>> {
    if let Some(known) = known.iter().find(|k| k.connection == new.connection.number() && k.kind == new.kind) {
        return replan(c, new, known.id, &known.state, known.reason.as_deref());
    }
    let id = c.next_number("delivery")?;
    let (state, reason) = match (new.skip, new.hold) {
        (Some(why), _) => ("skipped", Some(why)),
        (None, Some(why)) => ("held", Some(why)),
        (None, None) => ("pending", None),
    };
    let is_pending = reason.is_none();
    c.execute(
        "insert into deliveries (site_id, id, connection_id, conversion_id, platform, kind, event_id, mode, state, reason, next_at,
           not_after, created_at, day, settled_at)
         values (:site, :id, :connection, :conversion, :platform, :kind, :event, :mode, :state, :reason, :next, :not_after, :now, :day, :settled)",
        named_params! {":id": id, ":connection": new.connection.number(), ":conversion": new.conversion.number(), ":platform": new.platform,
            ":kind": new.kind, ":event": new.event_id, ":mode": new.mode.word(), ":state": state, ":reason": reason,
            ":next": new.next_at.filter(|_| is_pending).map(Time::ms), ":not_after": new.not_after.map(Time::ms),
            ":now": new.now.ms(), ":day": new.day.0, ":settled": (!is_pending).then(|| new.now.ms())},
    )?;
    Ok(Some(Made { id: DeliveryId::new(id), state }))
}

fn replan(c: &SiteConn, new: &Planned, id: DeliveryId, state: &str, reason: Option<&str>) -> Result<Option<Made>> {
    // Whoever told of it may turn out to have told of another.
    let was_skipped = state == "skipped" && matches!(reason, Some("consent" | "not_counted" | OWN_REPORT | TOLD_ALREADY));
    let (state, reason) = match (new.skip, new.hold) {
        (None, None) if was_skipped => ("pending", None),
        (None, Some(why)) if was_skipped => ("held", Some(why)),
        (Some(why), _) if matches!(state, "pending" | "held") => ("skipped", Some(why)),
        _ => return Ok(None),
    };
    let is_pending = reason.is_none();
    c.execute(
        "update deliveries set state = :state, reason = :reason, next_at = :next, settled_at = :settled where site_id = :site and id = :id",
        named_params! {":state": state, ":reason": reason, ":next": new.next_at.filter(|_| is_pending).map(Time::ms),
        ":settled": (!is_pending).then(|| new.now.ms()), ":id": id.number()},
    )?;
    Ok(Some(Made { id, state }))
}

/// What waits of a conversion for a connection need not go.
pub fn skip_waiting(c: &SiteConn, conversion: ConversionId, connection: ConnectionId, why: &'static str, now: Time) -> Result<Vec<Made>> {
    c.list(
        "update deliveries set state = 'skipped', reason = :why, next_at = null, settled_at = :now
         where site_id = :site and conversion_id = :conversion and connection_id = :connection and state in ('pending', 'held') returning id",
        named_params! {":why": why, ":now": now.ms(), ":conversion": conversion.number(), ":connection": connection.number()},
        |row| Ok(Made { id: DeliveryId::new(row.get(0)?), state: "skipped" }),
    )
}

/// Platform, mode and state of each delivery of a conversion.
pub fn list_planned(c: &SiteConn, conversion: ConversionId) -> Result<Vec<(String, String, String)>> {
    c.list(
        "select platform, mode, state from deliveries where site_id = :site and conversion_id = :conversion order by id",
        named_params! {":conversion": conversion.number()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// How many stand in each state, on the whole box.
pub fn count_by_state(all: &AllSites) -> Result<Vec<(String, i64)>> {
    all.list("select state, sum(count) from delivery_counts group by state order by state", &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub fn find(c: &SiteConn, id: DeliveryId) -> Result<Option<Delivery>> {
    c.find(&format!("select {COLUMNS} from deliveries where site_id = :site and id = :id"), named_params! {":id": id.number()}, read)
}

pub fn find_by_connection(c: &SiteConn, connection: ConnectionId, conversion: ConversionId) -> Result<Vec<Delivery>> {
    c.list(
        &format!("select {COLUMNS} from deliveries where site_id = :site and connection_id = :connection and conversion_id = :conversion order by id"),
        named_params! {":connection": connection.number(), ":conversion": conversion.number()},
        read,
    )
}

impl Delivery {
    /// It was taken; what is asked is only what became of it.
    pub fn is_check(&self) -> bool {
        self.reason.as_deref() == Some(CHECKING)
    }
}

fn read(row: &Row) -> rusqlite::Result<Delivery> {
    let mode: String = row.get(7)?;
    let not_after: Option<i64> = row.get(11)?;
    let step: Option<String> = row.get(12)?;
    let unknown: Option<i64> = row.get(13)?;
    Ok(Delivery {
        id: DeliveryId::new(row.get(0)?),
        site: SiteId::issued(row.get(1)?),
        connection: ConnectionId::new(row.get(2)?),
        conversion: ConversionId::new(row.get(3)?),
        platform: row.get(4)?,
        kind: row.get(5)?,
        event_id: row.get(6)?,
        mode: Mode::parse(&mode).unwrap_or(Mode::Shadow),
        state: row.get(8)?,
        reason: row.get(9)?,
        attempts: row.get(10)?,
        not_after: not_after.map(Time::from_ms),
        step: step.and_then(|s| serde_json::from_str(&s).ok()).filter(|s: &serde_json::Value| !s.is_null()),
        unknown_at: unknown.map(Time::from_ms),
        created_at: Time::from_ms(row.get(14)?),
    })
}

/// Deliveries of a connection that are due, the longest waiting first: pending ones, and those that were taken and of which
/// the platform says later what became of them.
pub fn list_due(all: &AllSites, connection: ConnectionId, now: Time, limit: usize) -> Result<Vec<(SiteId, DeliveryId)>> {
    all.list(
        "select site_id, id from deliveries where connection_id = :connection and state in ('pending', 'accepted') and next_at <= :now
         order by next_at, id limit :limit",
        named_params! {":connection": connection.number(), ":now": now.ms(), ":limit": limit as i64},
        |row| Ok((SiteId::issued(row.get(0)?), DeliveryId::new(row.get(1)?))),
    )
}

/// When the next delivery of a connection falls due.
pub fn next_due(all: &AllSites, connection: ConnectionId) -> Result<Option<Time>> {
    let at: Option<Option<i64>> = all.find(
        "select min(next_at) from deliveries where connection_id = :connection and state in ('pending', 'accepted') and next_at is not null",
        named_params! {":connection": connection.number()},
        |row| row.get(0),
    )?;
    Ok(at.flatten().map(Time::from_ms))
}

/// Takes the lease for this run of the process. False where somebody was faster or it was cancelled meanwhile.
pub fn claim(c: &SiteConn, id: DeliveryId, boot: &str) -> Result<bool> {
    let changed = c.execute(
        "update deliveries set state = 'leased', owner = :boot where site_id = :site and id = :id and (state = 'pending' or (state = 'accepted' and next_at is not null))",
        named_params! {":boot": boot, ":id": id.number()},
    )?;
    Ok(changed > 0)
}

/// The mode in which it really goes.
pub fn set_mode(c: &SiteConn, id: DeliveryId, mode: Mode) -> Result<()> {
    c.execute(
        "update deliveries set mode = :mode where site_id = :site and id = :id and mode <> :mode",
        named_params! {":mode": mode.word(), ":id": id.number()},
    )?;
    Ok(())
}

/// Leases of a run that ended: at once pending again. Whether their last send arrived is unknown.
pub fn release_others(all: &AllSites, boot: &str, now: Time) -> Result<usize> {
    all.execute(
        "update deliveries set state = iif(reason = :checking, 'accepted', 'pending'), owner = null, next_at = :now,
           unknown_at = iif(reason = :checking, unknown_at, coalesce(unknown_at, :now))
         where state = 'leased' and owner <> :boot",
        named_params! {":boot": boot, ":now": now.ms(), ":checking": CHECKING},
    )
}

/// Puts a leased row back without a try: the process stops, or its destination is left alone for a while.
pub fn put_back(c: &SiteConn, id: DeliveryId, boot: &str, next_at: Option<Time>) -> Result<()> {
    c.execute(
        "update deliveries set state = iif(reason = :checking, 'accepted', 'pending'), owner = null,
           next_at = iif(reason = :checking, coalesce(:next, next_at), :next)
         where site_id = :site and id = :id and state = 'leased' and owner = :boot",
        named_params! {":id": id.number(), ":boot": boot, ":next": next_at.map(Time::ms), ":checking": CHECKING},
    )?;
    Ok(())
}

/// How a try, or the whole delivery, ended.
pub struct Settled<'a> {
    pub state: &'static str,
    pub reason: Option<&'a str>,
    pub mode: Mode,
    /// Whether the try counts towards the schedule.
    pub is_charged: bool,
    pub next_at: Option<Time>,
    pub step: Option<&'a serde_json::Value>,
    pub unknown_at: Option<Time>,
    pub told: Took,
    pub request: Option<&'a serde_json::Value>,
    pub response: Option<&'a serde_json::Value>,
    pub now: Time,
}

/// What is known now of whether the platform took it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Took {
    /// As before.
    AsBefore,
    It(Option<Money>),
    /// It had been taken, and was turned down later.
    NotAfterAll,
}

/// Writes the end of a lease. A row that was cancelled while it was on its way stays cancelled, and says what became of it.
pub fn settle(c: &SiteConn, id: DeliveryId, boot: &str, s: &Settled) -> Result<bool> {
    let is_settled = !matches!(s.state, "pending" | "leased");
    let told = if let Took::It(money) = s.told { money } else { None };
    let changed = c.execute(
        "update deliveries set state = :state, reason = :reason, mode = :mode, attempts = attempts + :charged, next_at = :next, owner = null,
           told_minor = iif(:is_not, null, coalesce(:told, told_minor)), told_currency = iif(:is_not, null, coalesce(:currency, told_currency)),
           step = :step, unknown_at = :unknown, request = coalesce(:request, request), response = coalesce(:response, response),
           settled_at = :settled
         where site_id = :site and id = :id and state = 'leased' and owner = :boot",
        named_params! {":id": id.number(), ":boot": boot, ":state": s.state, ":reason": s.reason, ":mode": s.mode.word(),
            ":is_not": s.told == Took::NotAfterAll, ":told": told.map(|m| m.minor), ":currency": told.map(|m| m.currency.code().to_owned()),
            ":charged": s.is_charged, ":next": s.next_at.map(Time::ms), ":step": s.step.map(ToString::to_string),
            ":unknown": s.unknown_at.map(Time::ms), ":request": s.request.map(ToString::to_string),
            ":response": s.response.map(ToString::to_string), ":settled": is_settled.then_some(s.now.ms())},
    )?;
    Ok(changed > 0 || cancelled::arrived(c, id, s)?)
}

/// Remembers between two requests of a talk where it stands, so that a crash goes on from there. False where the delivery
/// is not ours any more: it was erased or cancelled meanwhile.
pub fn save_step(c: &SiteConn, id: DeliveryId, boot: &str, step: &serde_json::Value) -> Result<bool> {
    let changed = c.execute(
        "update deliveries set step = :step where site_id = :site and id = :id and state = 'leased' and owner = :boot",
        named_params! {":id": id.number(), ":boot": boot, ":step": step.to_string()},
    )?;
    Ok(changed > 0)
}

pub struct Attempt<'a> {
    pub at: Time,
    pub duration_ms: i64,
    pub outcome: &'a str,
    pub status: Option<u16>,
    pub sentence: &'a str,
    /// When consent was looked at, and why it might go. None where nothing new has left.
    pub judged: Option<(Time, &'a str)>,
}

pub fn add_attempt(c: &SiteConn, id: DeliveryId, a: &Attempt) -> Result<()> {
    c.execute(
        "insert into attempts (site_id, delivery_id, n, at, duration_ms, outcome, status, sentence, judged_at, basis)
         select :site, :id, coalesce(max(n), 0) + 1, :at, :duration, :outcome, :status, :sentence, :judged, :basis
         from attempts where site_id = :site and delivery_id = :id
         having exists (select 1 from deliveries where site_id = :site and id = :id)",
        named_params! {":id": id.number(), ":at": a.at.ms(), ":duration": a.duration_ms, ":outcome": a.outcome, ":status": a.status,
        ":sentence": a.sentence, ":judged": a.judged.map(|(at, _)| at.ms()), ":basis": a.judged.map(|(_, basis)| basis)},
    )?;
    Ok(())
}

/// Pending deliveries of a connection wait without a time while it is paused, and are due when it is resumed.
pub fn set_waiting(c: &SiteConn, connection: ConnectionId, next_at: Option<Time>) -> Result<usize> {
    c.execute(
        "update deliveries set next_at = :next where site_id = :site and connection_id = :connection and state = 'pending'",
        named_params! {":connection": connection.number(), ":next": next_at.map(Time::ms)},
    )
}

/// Why a delivery of a hopeless connection is held.
pub const FAILING: &str = "failing";

/// Holds all that waits for a connection but the one on the look-out.
pub fn hold_but(c: &SiteConn, connection: ConnectionId, look_out: DeliveryId, now: Time) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'held', reason = :reason, next_at = null, settled_at = :now
         where site_id = :site and connection_id = :connection and state = 'pending' and id <> :id",
        named_params! {":connection": connection.number(), ":id": look_out.number(), ":reason": FAILING, ":now": now.ms()},
    )
}

/// Lets all go that was held while its connection was hopeless.
pub fn let_go(c: &SiteConn, connection: ConnectionId, now: Time) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'pending', reason = null, next_at = :now, settled_at = null
         where site_id = :site and connection_id = :connection and state = 'held' and reason = :reason",
        named_params! {":connection": connection.number(), ":reason": FAILING, ":now": now.ms()},
    )
}

/// The one that goes on the look-out next.
pub fn find_oldest_held(c: &SiteConn, connection: ConnectionId) -> Result<Option<DeliveryId>> {
    c.find(
        "select id from deliveries where site_id = :site and connection_id = :connection and state = 'held' and reason = :reason
         order by created_at, id limit 1",
        named_params! {":connection": connection.number(), ":reason": FAILING},
        |row| Ok(DeliveryId::new(row.get(0)?)),
    )
}

/// Puts one that is held on the look-out.
pub fn look_out(c: &SiteConn, id: DeliveryId, now: Time) -> Result<()> {
    c.execute(
        "update deliveries set state = 'pending', reason = null, next_at = :now, settled_at = null
         where site_id = :site and id = :id and state = 'held' and reason = :reason",
        named_params! {":id": id.number(), ":reason": FAILING, ":now": now.ms()},
    )?;
    Ok(())
}

/// What is due before `until` is due then: the destination is left alone meanwhile.
pub fn put_off(c: &SiteConn, connection: ConnectionId, until: Time) -> Result<usize> {
    c.execute(
        "update deliveries set next_at = :until where site_id = :site and connection_id = :connection and state = 'pending' and next_at < :until",
        named_params! {":connection": connection.number(), ":until": until.ms()},
    )
}
