//! A lead moves in the pipeline. Qualified and won are facts of their own: each is told once to every connection that
//! has a word for it, under the consent that holds for the lead.

use std::sync::Arc;

use serde_json::json;

use crate::app::{App, News};
use crate::domain::ids::{ConversionId, LeadId, SessionId};
use crate::domain::money::Money;
use crate::domain::pipeline::Stage;
use crate::domain::time::{HOUR_MS, Time};
use crate::error::{Error, Result};
use crate::flows::planning;
use crate::store::connections::{Connection, Status};
use crate::store::conversions::Conversion;
use crate::store::deliveries::{self, Made, Planned};
use crate::store::lead_changes::{self, NewChange};
use crate::store::leads::{self, Standing};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{audit, conversions, credits};

/// What somebody wants of a lead. What is not said stays.
#[derive(Debug, Clone, Default)]
pub struct Move {
    pub stage: Option<Stage>,
    pub value: Worth,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Worth {
    #[default]
    AsItIs,
    Unknown,
    Known(Money),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Moved {
    pub is_changed: bool,
    pub conversion: Option<ConversionId>,
    pub deliveries: Vec<Made>,
}

/// By hand, from the dashboard or by a token.
pub async fn run(app: &App, site: &Arc<Site>, lead: LeadId, wanted: Move, who: &str) -> Result<Moved> {
    let now = app.clock.now();
    let connections: Vec<Arc<Connection>> = app.book().connections_of(site.id).cloned().collect();
    let (owner, who) = (site.clone(), who.to_owned());
    let moved = app.store.write(site.id, move |c| step(c, &owner, &connections, lead, &wanted, &who, now)).await?;
    if let (true, Some(conversion)) = (moved.is_changed, moved.conversion) {
        app.wake.notify_waiters();
        app.tell(News::Conversion { site: site.id, id: conversion, kind: "lead" });
        for made in &moved.deliveries {
            app.tell(News::Delivery { site: site.id, id: made.id, conversion, state: made.state.to_owned() });
        }
    }
    Ok(moved)
}

/// The change itself, also for a platform that tells where a lead stands.
pub fn step(
    c: &SiteConn,
    site: &Site,
    connections: &[Arc<Connection>],
    lead: LeadId,
    wanted: &Move,
    who: &str,
    now: Time,
) -> Result<Moved> {
    let standing = leads::find_standing(c, lead)?.ok_or_else(|| Error::not_found("There is no such lead."))?;
    let stage = wanted.stage.unwrap_or(standing.stage);
    let value = match wanted.value {
        Worth::AsItIs => standing.value,
        Worth::Unknown => None,
        Worth::Known(worth) => Some(worth),
    };
    if stage == standing.stage && value == standing.value {
        return Ok(Moved { conversion: standing.conversion, ..Moved::default() });
    }
    let same = same_lead(c, lead, &standing)?;
    for one in &same {
        leads::set_standing(c, *one, stage, value)?;
    }
    let conversion = standing.conversion.map(|id| conversions::find(c, id)).transpose()?.flatten();
    let is_moved = stage != standing.stage;
    if let Some(conversion) = conversion.as_ref().filter(|_| is_moved) {
        conversions::set_status(c, conversion.id, stage.word(), None)?;
    }
    let event_id = conversion.as_ref().filter(|_| is_moved && stage.is_told()).map(|v| stage.event_id(&v.event_id));
    let is_first = match &event_id {
        Some(event_id) => lead_changes::find_by_event(c, event_id)?.is_none(),
        None => false,
    };
    let event_id = event_id.filter(|_| is_first);
    let first = same.first().copied().unwrap_or(lead);
    let change = NewChange { lead: first, at: now, who: name_of(who), before: standing.stage, stage, value, event_id: event_id.as_deref() };
    lead_changes::add(c, &change)?;
    let told = json!({"lead": lead, "from": standing.stage.word(), "to": stage.word(), "value": value.map(|m| m.to_string())});
    audit::add(c, who, "lead_moved", &told, now)?;
    let deliveries = match (&event_id, &conversion) {
        (Some(event_id), Some(conversion)) => plan(c, site, connections, conversion, stage, event_id, now)?,
        _ => Vec::new(),
    };
    Ok(Moved { is_changed: true, conversion: standing.conversion, deliveries })
}

/// Another connection tells of a lead that has moved: it stands where the first told stands.
pub fn adopt(c: &SiteConn, lead: LeadId, conversion: ConversionId) -> Result<()> {
    let Some(first) = lead_changes::list_leads(c, conversion)?.into_iter().find(|one| *one != lead) else { return Ok(()) };
    if lead_changes::list(c, first)?.is_empty() {
        return Ok(());
    }
    match leads::find_standing(c, first)? {
        Some(standing) => leads::set_standing(c, lead, standing.stage, standing.value),
        None => Ok(()),
    }
}

/// Who it was, without where from: the audit log alone keeps addresses.
fn name_of(who: &str) -> &str {
    who.split(" from ").next().unwrap_or(who)
}

/// The lead and what other connections told of the same one, the first told first.
fn same_lead(c: &SiteConn, lead: LeadId, standing: &Standing) -> Result<Vec<LeadId>> {
    let mut all = match standing.conversion {
        Some(conversion) => lead_changes::list_leads(c, conversion)?,
        None => Vec::new(),
    };
    if !all.contains(&lead) {
        all.push(lead);
        all.sort_unstable();
    }
    Ok(all)
}

/// A row for every connection that sends, as for the lead itself.
fn plan(
    c: &SiteConn,
    site: &Site,
    connections: &[Arc<Connection>],
    conversion: &Conversion,
    stage: Stage,
    event_id: &str,
    now: Time,
) -> Result<Vec<Made>> {
    let may = planning::consent_for(c, site, conversion, &sessions_of(c, conversion)?, now)?;
    let known = deliveries::list_known(c, conversion.id)?;
    let mut planned = Vec::new();
    for connection in connections {
        let Some(destination) = planning::sending(connection) else { continue };
        let kind = destination.kind_of_stage(stage);
        let not_after = destination.age_limit_ms().map(|limit| now.plus_ms(limit - HOUR_MS));
        let skip = if conversion.is_erased {
            Some("erased")
        } else if !conversion.counts {
            Some("not_counted")
        } else if kind.is_none() {
            Some("unsupported_kind")
        } else if !may.is_allowed {
            Some("consent")
        } else {
            None
        };
        let is_waiting = matches!(connection.status, Status::Paused | Status::NotConfigured);
        let row = Planned {
            connection: connection.id,
            conversion: conversion.id,
            platform: &connection.platform,
            kind: kind.unwrap_or_else(|| stage.fact()),
            event_id,
            mode: connection.mode,
            skip,
            hold: if skip.is_none() && planning::is_hopeless(c, connection)? { Some(deliveries::FAILING) } else { None },
            next_at: (!is_waiting).then_some(now),
            not_after,
            now,
            day: site.zone.day(now),
        };
        planned.extend(deliveries::plan(c, &row, &known)?);
    }
    Ok(planned)
}

/// Browsers that the lead was matched to.
fn sessions_of(c: &SiteConn, conversion: &Conversion) -> Result<Vec<SessionId>> {
    let (_, path) = credits::find_newest(c, conversion.id)?.unwrap_or_default();
    let mut all: Vec<SessionId> = conversion.session.into_iter().collect();
    for touch in &path {
        let session = SessionId::new(touch.touch.session);
        if touch.touch.session > 0 && !all.contains(&session) {
            all.push(session);
        }
    }
    Ok(all)
}
