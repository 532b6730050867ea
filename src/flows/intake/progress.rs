//! A platform tells how far a lead has come: the lead that it is of moves in the pipeline.

use super::{Context, Stored};
use crate::domain::conversion::ConversionKind;
use crate::domain::fact::Progress;
use crate::domain::ids::{ConnectionId, ConversionId};
use crate::domain::pipeline::Stage;
use crate::error::Result;
use crate::flows::pipeline::{self, Move, Moved, Worth};
use crate::store::people::{holder_of, identities_of};
use crate::store::{conversions, lead_changes, leads};

pub fn store(x: &Context, p: &Progress) -> Result<Stored> {
    let found = lead_of(x, p)?;
    let moved = match found {
        Some(conversion) => moved(x, p, conversion)?,
        None => Moved::default(),
    };
    // It is no new lead, whatever became of it.
    Ok(Stored { conversion: found, planned: moved.deliveries, ..Stored::of("lead", p.external_id.clone()) })
}

fn moved(x: &Context, p: &Progress, conversion: ConversionId) -> Result<Moved> {
    let Some(lead) = lead_changes::list_leads(x.c, conversion)?.into_iter().next() else { return Ok(Moved::default()) };
    // Older news than what is known moves nothing back.
    if lead_changes::list(x.c, lead)?.first().is_some_and(|newest| newest.at > p.happened_at) {
        return Ok(Moved::default());
    }
    if p.is_forward_only && leads::find_standing(x.c, lead)?.is_some_and(|s| rank(s.stage) >= rank(p.stage)) {
        return Ok(Moved::default());
    }
    let wanted = Move { stage: Some(p.stage), value: p.value.map_or(Worth::AsItIs, Worth::Known) };
    let by = ConnectionId::new(x.connection);
    pipeline::step(x.c, x.site, x.connections, lead, &wanted, (&by.to_string(), Some(by)), x.now)
}

/// Lost is an end too: nothing goes on from there by itself.
fn rank(stage: Stage) -> u8 {
    match stage {
        Stage::New => 0,
        Stage::Contacted => 1,
        Stage::Qualified => 2,
        Stage::Won | Stage::Lost => 3,
    }
}

/// The very lead that the platform names, else the newest one of the person until then.
fn lead_of(x: &Context, p: &Progress) -> Result<Option<ConversionId>> {
    let is_lead = |id: ConversionId| -> Result<Option<_>> {
        let found = conversions::find(x.c, id)?;
        Ok(found.filter(|v| v.kind == ConversionKind::Lead && !v.is_erased && v.happened_at <= p.happened_at))
    };
    if let Some(subject) = &p.subject {
        let known = conversions::find_by_event(x.c, subject)?;
        return Ok(known.map(is_lead).transpose()?.flatten().map(|v| v.id));
    }
    let mut newest: Option<conversions::Conversion> = None;
    for (kind, value) in identities_of(&p.person) {
        let Some(contact) = holder_of(x.c, kind, &value)? else { continue };
        for id in conversions::of_contact(x.c, contact)? {
            if let Some(lead) = is_lead(id)?
                && newest.as_ref().is_none_or(|n| (lead.happened_at, lead.id.number()) > (n.happened_at, n.id.number()))
            {
                newest = Some(lead);
            }
        }
    }
    Ok(newest.map(|v| v.id))
}
