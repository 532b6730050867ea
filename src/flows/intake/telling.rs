//! One telling of a sale or lead finds its conversion: joins one that is known, or makes it, with its credit, money and
//! deliveries. The order of arrival makes no difference to the figures.

use crate::domain::consent::asks_first;
use crate::domain::conversion::{Candidate, ConversionKind, Joining, Rank, Reporter, joining, order_key};
use crate::domain::fact::{Person, ShopTouch, Traces};
use crate::domain::ids::{ContactId, ConversionId, SessionId};
use crate::domain::money::Money;
use crate::domain::time::{HOUR_MS, Time};
use crate::error::Result;
use crate::flows::assists::{self, When};
use crate::flows::commissions::{self, Heard};
use crate::flows::crediting::{self, Known, Outcome};
use crate::flows::planning;
use crate::flows::session_id;
use crate::store::conversions::{Conversion, NewConversion};
use crate::store::entries;
use crate::store::reports::{self, NewReport};
use crate::store::{conversions, credits, deliveries};

use super::ledger::{adopt_ended, book, move_back, retell};
pub use super::who::{known_person, told_session};
use super::{Context, Stored, must, parting, uniting};

/// For how long after the fact an identity may still explain a conversion that matched nothing (spec 4.1).
const LATE_IDENTITY_MS: i64 = 24 * HOUR_MS;

/// A telling in the words that all facts share.
pub struct Telling<'a> {
    pub kind: ConversionKind,
    pub name: Option<&'a str>,
    /// What the ledger calls it: `Order 10574`, `Lead L-83`.
    pub label: String,
    pub order_id: Option<&'a str>,
    pub external_id: &'a str,
    /// `order_10574`, `lead_L-83`: what the shop's own pixel can send too.
    pub event_id: String,
    pub platform: &'a str,
    pub what: &'a str,
    pub fact_kind: &'static str,
    pub rank: i64,
    pub person: &'a Person,
    pub traces: &'a Traces,
    pub journey: &'a [ShopTouch],
    pub contact: Option<ContactId>,
    pub session: Option<SessionId>,
    pub amount: Option<Money>,
    pub happened_at: Time,
    pub status: &'a str,
    pub counts: bool,
    pub is_imported: bool,
    pub detail: String,
}

/// Finds or makes the conversion. `fact_id` is the number of the lead or order row.
pub fn tell(x: &Context, t: &Telling, fact_id: Option<i64>) -> Result<Stored> {
    let stored = place(x, t, fact_id)?;
    if let Some(id) = stored.conversion {
        let told = t.traces.affiliate.as_deref();
        // Only the owner's own server names a partner; a form's field is filled by whoever writes it.
        let is_named = t.rank == Rank::Api.number() && !x.is_asserted;
        let coupons = if x.is_asserted { &[][..] } else { &t.traces.coupons };
        let heard = Heard { named: told.filter(|_| is_named), coupons, told: told.filter(|_| !is_named) };
        commissions::settle(x.c, x.site, id, &heard, x.now)?;
        // What an order came to is known once its lines are brought in: then it is booked.
        if t.what != "order" {
            commissions::rebook(x.c, x.site, id, x.now)?;
        }
    }
    Ok(stored)
}

fn place(x: &Context, t: &Telling, fact_id: Option<i64>) -> Result<Stored> {
    if let Some(known) = reports::find_conversion(x.c, x.connection, t.what, t.external_id)? {
        return again(x, t, known);
    }
    let like = candidate(x, t);
    let (ids, candidates): (Vec<ConversionId>, Vec<Candidate>) = conversions::list_candidates(x.c, &like)?.into_iter().unzip();
    let (mut stored, is_by_number) = match joining(&like, &candidates) {
        Joining::Join(place) => {
            let is_by_number = like.order_key.is_some() && candidates[place].order_key == like.order_key;
            (join(x, t, ids[place], fact_id)?, is_by_number)
        }
        Joining::Apart => (make(x, t, fact_id, None)?, true),
        Joining::Ambiguous => (make(x, t, fact_id, Some(AMBIGUOUS))?, true),
    };
    let has_others = ids.iter().any(|id| Some(*id) != stored.conversion);
    if t.kind == ConversionKind::Sale && like.contact.is_some() && like.amount.is_some() && (has_others || !is_by_number) {
        stored.planned.extend(parting::settle(x, &like)?);
        // It may be another sale's by now.
        stored.conversion = reports::find_conversion(x.c, x.connection, t.what, t.external_id)?.or(stored.conversion);
    }
    Ok(stored)
}

/// Why a sale stands alone though others look like it.
pub const AMBIGUOUS: &str = "more than one sale could be meant; kept apart";

/// The conversion that a telling would join, if others have told of it.
pub fn would_join(x: &Context, t: &Telling) -> Result<Option<ConversionId>> {
    if let Some(known) = reports::find_conversion(x.c, x.connection, t.what, t.external_id)? {
        return Ok(Some(known));
    }
    let like = candidate(x, t);
    let (ids, candidates): (Vec<ConversionId>, Vec<Candidate>) = conversions::list_candidates(x.c, &like)?.into_iter().unzip();
    Ok(match joining(&like, &candidates) {
        Joining::Join(place) => Some(ids[place]),
        Joining::Apart | Joining::Ambiguous => None,
    })
}

fn candidate(x: &Context, t: &Telling) -> Candidate {
    Candidate {
        kind: t.kind,
        order_key: t.order_id.and_then(order_key),
        is_key_sure: t.rank != Rank::AnyTrack.number(),
        contact: t.contact.filter(|_| !x.is_asserted).map(ContactId::number),
        amount: t.amount,
        happened_at: t.happened_at,
        reporters: vec![Reporter::new(x.connection, t.rank, t.what, t.platform)],
    }
}

fn make(x: &Context, t: &Telling, fact_id: Option<i64>, flag: Option<&str>) -> Result<Stored> {
    let order_key = t.order_id.and_then(order_key);
    let event_id = free_event(x, &t.event_id, x.connection, t.platform)?;
    let id = conversions::add(x.c, &new_conversion(x, t, order_key.as_deref(), &event_id, flag))?;
    let conversion = must(conversions::find(x.c, id)?, "the conversion just made")?;
    report(x, t, id, fact_id)?;
    if let Some(amount) = t.amount
        && t.kind == ConversionKind::Sale
    {
        book(x, id, "sale", amount, t.happened_at, None)?;
    }
    let outcome = crediting::run(x.c, x.site, &conversion, &known(x, t), 1, "first known", x.now)?;
    let sessions = sessions_of(&outcome, t.session);
    let planned = planning::run(x.c, x.site, x.connections, &conversion, &sessions, &[], x.now)?;
    if let (Some(key), ConversionKind::Sale) = (&order_key, t.kind) {
        adopt_ended(x, id, key)?;
    }
    Ok(Stored { planned, ..stored(x, t, id, true, &outcome)? })
}

/// Two shops may have the same number: then the connection is part of the id.
pub fn free_event(x: &Context, event_id: &str, connection: i64, platform: &str) -> Result<String> {
    if !conversions::has_event_id(x.c, event_id)? {
        return Ok(event_id.to_owned());
    }
    let (word, rest) = event_id.split_once('_').unwrap_or(("event", event_id));
    let teller = if connection > 0 { format!("con{connection}") } else { platform.to_owned() };
    let base = format!("{word}_{teller}_{rest}");
    let mut free = base.clone();
    let mut n = 2;
    while conversions::has_event_id(x.c, &free)? {
        free = format!("{base}_{n}");
        n += 1;
    }
    Ok(free)
}

/// Another sender tells of a known sale. Only a better informed one changes anything, and then exactly one new run.
fn join(x: &Context, t: &Telling, id: ConversionId, fact_id: Option<i64>) -> Result<Stored> {
    report(x, t, id, fact_id)?;
    let before = must(conversions::find(x.c, id)?, "the conversion joined")?;
    let order_key = t.order_id.and_then(order_key);
    if t.rank <= before.rank {
        if t.rank == before.rank && t.happened_at < before.happened_at {
            // Of those who know as much, the earliest says when it was, whoever was heard first.
            move_back(x, id, &before, t.happened_at)?;
        }
        conversions::learned(x.c, id, t.contact, t.session, order_key.as_deref())?;
        heed_refusal(x, t, id)?;
        let skipped = planning::heed_teller(x.c, x.connections, id, x.now)?;
        let told = late_identity(x, t, id)?;
        return Ok(Stored { planned: skipped, ..told });
    }
    heed_refusal(x, t, id)?;
    conversions::set_speaker(x.c, id, &new_conversion(x, t, order_key.as_deref(), &before.event_id, None))?;
    let mut net = None;
    if let Some(amount) = t.amount
        && t.kind == ConversionKind::Sale
    {
        retell(x, id, &before, amount, t.happened_at)?;
        net = Some(entries::sum(x.c, id, amount.currency)?);
    }
    conversions::set_status(x.c, id, t.status, net.or(t.amount.map(|amount| amount.minor)))?;
    let conversion = must(conversions::find(x.c, id)?, "the conversion joined")?;
    let outcome = crediting::judge(x.c, x.site, &conversion, &known_by_all(x, t, &conversion), x.now)?;
    let known = deliveries::list_known(x.c, id)?;
    let planned = planning::run(x.c, x.site, x.connections, &conversion, &sessions_of(&outcome, t.session), &known, x.now)?;
    if before.match_type != "none" && !outcome.is_attributed {
        // The better informed knows less of the visit: what was matched stays.
        assists::keep(x.c, id, outcome.assist.as_ref(), When::Joined, x.now)?;
        return Ok(Stored { planned, ..known_already(x, t, id)? });
    }
    crediting::write(x.c, x.site, &conversion, before.run + 1, "joined", &outcome, x.now)?;
    Ok(Stored { planned, ..stored(x, t, id, false, &outcome)? })
}

/// The very same report once more: a success, and nothing changes but an identity that came late.
fn again(x: &Context, t: &Telling, id: ConversionId) -> Result<Stored> {
    if x.is_asserted {
        // A browser may repeat itself; it adds nothing to what is known.
        return known_already(x, t, id);
    }
    let number = t.order_id.and_then(order_key);
    let mut united = None;
    if let Some(number) = number.as_deref().filter(|_| t.kind == ConversionKind::Sale && t.rank != Rank::AnyTrack.number())
        && reports::learn_number(x.c, x.connection, t.what, t.external_id, number)?
    {
        united = uniting::unite(x, t, id, number)?;
        conversions::rename(x.c, united.as_ref().map_or(id, |one| one.sale), &t.label, t.rank)?;
    }
    let id = united.as_ref().map_or(id, |one| one.sale);
    conversions::learned(x.c, id, t.contact, t.session, number.as_deref())?;
    heed_refusal(x, t, id)?;
    let mut told = late_identity(x, t, id)?;
    told.planned.extend(united.into_iter().flat_map(|one| one.planned));
    Ok(told)
}

/// A later telling may take consent back, never give it: what waits is cancelled. That the goods go where the law asks first is heard
/// too, and looked at when something is sent.
pub fn heed_refusal(x: &Context, t: &Telling, id: ConversionId) -> Result<()> {
    if t.person.sent_to.as_deref().and_then(asks_first) == Some(true) {
        conversions::learn_goods_ask(x.c, id)?;
    }
    if t.traces.consent_given != Some(false) || !conversions::refuse(x.c, id, x.now)? {
        return Ok(());
    }
    deliveries::cancel_waiting(x.c, id, "consent", x.now)?;
    Ok(())
}

/// A run that matched nothing may be replaced, within a day, by an identity that arrives after the fact. It then matches,
/// so this happens once.
fn late_identity(x: &Context, t: &Telling, id: ConversionId) -> Result<Stored> {
    let conversion = must(conversions::find(x.c, id)?, "the conversion told again")?;
    let is_open = conversion.match_type == "none" && x.now.ms_since(conversion.received_at) <= LATE_IDENTITY_MS;
    if is_open {
        let outcome = crediting::judge(x.c, x.site, &conversion, &known_by_all(x, t, &conversion), x.now)?;
        if outcome.is_attributed {
            crediting::write(x.c, x.site, &conversion, conversion.run + 1, "late identity", &outcome, x.now)?;
            return stored(x, t, id, false, &outcome);
        }
    }
    assists::late(x.c, x.site, &conversion, &known_by_all(x, t, &conversion), x.now)?;
    known_already(x, t, id)
}

fn known_already(x: &Context, t: &Telling, id: ConversionId) -> Result<Stored> {
    let conversion = must(conversions::find(x.c, id)?, "the conversion told again")?;
    let snapshot = credits::find_newest(x.c, id)?.map(|(snapshot, _)| snapshot).unwrap_or_default();
    Ok(Stored {
        conversion: Some(id),
        fact: None,
        kind: t.kind.word(),
        external_id: t.external_id.to_owned(),
        is_new: false,
        is_changed: false,
        match_type: match_word(&conversion),
        is_attributed: conversion.match_type != "none",
        snapshot: assists::shown(x.c, id, snapshot)?,
        deliveries: deliveries::list_planned(x.c, id)?,
        planned: Vec::new(),
    })
}

fn match_word(conversion: &Conversion) -> &'static str {
    crate::domain::attribution::MatchType::parse(&conversion.match_type).map(|m| m.word()).unwrap_or("none")
}

fn known<'a>(x: &Context, t: &'a Telling) -> Known<'a> {
    Known { session: t.session, person: t.person, contact: t.contact, traces: t.traces, journey: t.journey, is_asserted: x.is_asserted }
}

/// With what earlier tellings knew of the visit and the person.
pub fn known_by_all<'a>(x: &Context, t: &'a Telling, conversion: &Conversion) -> Known<'a> {
    Known { session: t.session.or(conversion.session), contact: conversion.contact, ..known(x, t) }
}

pub fn sessions_of(outcome: &Outcome, told: Option<SessionId>) -> Vec<SessionId> {
    let mut all: Vec<SessionId> = told.into_iter().collect();
    for touch in &outcome.credit.path {
        let id = SessionId::new(touch.touch.session);
        if touch.touch.session > 0 && !all.contains(&id) {
            all.push(id);
        }
    }
    all
}

fn new_conversion<'a>(
    x: &Context,
    t: &'a Telling<'a>,
    order_key: Option<&'a str>,
    event_id: &'a str,
    flag: Option<&'a str>,
) -> NewConversion<'a> {
    NewConversion {
        kind: t.kind,
        name: t.name,
        label: &t.label,
        order_key,
        event_id,
        contact: t.contact,
        session: t.session,
        amount: t.amount,
        rank: t.rank,
        happened_at: t.happened_at,
        received_at: x.heard_at,
        book_day: x.site.zone.day(t.happened_at),
        status: t.status,
        counts: does_count(x, t),
        is_imported: t.is_imported,
        country: t.person.country.as_deref(),
        goods_ask: t.person.sent_to.as_deref().and_then(asks_first),
        consent_given: t.traces.consent_given,
        flag,
        erased_at: x.erased_at,
    }
}

fn does_count(x: &Context, t: &Telling) -> bool {
    t.counts && !is_staff(x, t.person) && !is_own_device(x, t.traces)
}

/// The owner's own people, by exact address.
fn is_staff(x: &Context, person: &Person) -> bool {
    person.email.as_ref().is_some_and(|e| x.site.settings.staff_emails.iter().any(|s| s.eq_ignore_ascii_case(e.as_str())))
}

/// Ordered from a device that the owner has marked.
fn is_own_device(x: &Context, traces: &Traces) -> bool {
    let key = &x.site.keys.session;
    traces.session.as_deref().and_then(|text| session_id::open(text, key)).is_some_and(|id| session_id::is_own_device(&id, key))
}

fn report(x: &Context, t: &Telling, id: ConversionId, fact_id: Option<i64>) -> Result<()> {
    let is_anybodys = x.is_asserted || x.erased_at.is_some();
    let known = if is_anybodys { None } else { parting::remembered(t, does_count(x, t))? };
    reports::add(
        x.c,
        &NewReport {
            conversion: id,
            connection: x.connection,
            platform: t.platform,
            what: t.what,
            fact_kind: t.fact_kind,
            fact_id,
            external_id: t.external_id,
            order_key: t.order_id.and_then(order_key).as_deref(),
            rank: t.rank,
            amount: t.amount,
            happened_at: t.happened_at,
            received_at: x.heard_at,
            inbox: Some(x.inbox),
            detail: &t.detail,
            known: known.as_deref(),
        },
    )?;
    Ok(())
}

fn stored(x: &Context, t: &Telling, id: ConversionId, is_new: bool, outcome: &Outcome) -> Result<Stored> {
    Ok(Stored {
        conversion: Some(id),
        fact: None,
        kind: t.kind.word(),
        external_id: t.external_id.to_owned(),
        is_new,
        is_changed: false,
        match_type: outcome.match_type,
        is_attributed: outcome.is_attributed,
        snapshot: assists::shown(x.c, id, outcome.snapshot.clone())?,
        deliveries: deliveries::list_planned(x.c, id)?,
        planned: Vec::new(),
    })
}
