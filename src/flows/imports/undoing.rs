//! A file is taken back as a whole: spend is again what it was before, steps that were told by a list are untold, with the leads
//! that they made. What has become part of more than the file stays, and it is said how much.

use super::UNDONE_AT_ONCE;
use crate::app::App;
use crate::domain::attribution::MatchType;
use crate::domain::fact::{Person, Traces};
use crate::domain::ids::{ConversionId, ImportId, LeadId, MilestoneId};
use crate::domain::import::ImportKind;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::commissions;
use crate::flows::crediting::{self, Known};
use crate::flows::intake::imported::door;
use crate::store::imports;
use crate::store::milestones::brought::{self, Brought};
use crate::store::reports::Told;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{conversions, deliveries, lead_changes, leads, reports, spend_before};

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Undone {
    pub taken_back: usize,
    /// Leads on which somebody has worked since.
    pub kept: usize,
}

/// Row by row, some at a time; where it is cut off, the next one goes on.
pub async fn rows(app: &App, site: &std::sync::Arc<Site>, id: ImportId, kind: ImportKind) -> Result<Undone> {
    let mut undone = Undone::default();
    if kind == ImportKind::Offline {
        let mut after = 0;
        loop {
            let (owner, now) = (site.clone(), app.clock.now());
            let (seen, part) = app.store.write(site.id, move |c| steps(c, &owner, id, after, now)).await?;
            (undone.taken_back, undone.kept) = (undone.taken_back + part.taken_back, undone.kept + part.kept);
            let Some(last) = seen else { return Ok(undone) };
            after = last;
        }
    }
    while app.store.write(site.id, move |c| spend_before::take_back(c, id, UNDONE_AT_ONCE)).await? > 0 {}
    while app.store.write(site.id, move |c| imports::forget_rows(c, id, UNDONE_AT_ONCE)).await? > 0 {}
    Ok(undone)
}

/// Some steps of a list, and the last of them that was looked at.
fn steps(c: &SiteConn, site: &Site, id: ImportId, after: i64, now: Time) -> Result<(Option<i64>, Undone)> {
    let told = brought::list_told(c, id, after, UNDONE_AT_ONCE)?;
    let mut undone = Undone::default();
    for step in &told {
        match self::step(c, site, id, *step, now)? {
            Became::Untold => undone.taken_back += 1,
            Became::Kept => undone.kept += 1,
            Became::Elsewhere => {}
        }
    }
    Ok((told.last().map(|step| step.number()), undone))
}

enum Became {
    Untold,
    Kept,
    /// Another list that still stands tells of it too.
    Elsewhere,
}

fn step(c: &SiteConn, site: &Site, id: ImportId, step: MilestoneId, now: Time) -> Result<Became> {
    let Some(known) = brought::find(c, step)?.filter(|known| !known.is_undone) else {
        brought::forget_rows(c, step)?;
        brought::untell(c, step, id)?;
        return Ok(Became::Elsewhere);
    };
    if let Some(other) = brought::find_other(c, step, id)? {
        brought::untell(c, step, id)?;
        brought::hand_over(c, step, id, other)?;
        return Ok(Became::Elsewhere);
    }
    let own: Vec<Told> = match known.conversion {
        Some(conversion) => reports::list_told(c, conversion)?.into_iter().filter(|t| t.connection == door(ImportKind::Offline)).collect(),
        None => Vec::new(),
    };
    let leads: Vec<LeadId> = own.iter().filter(|t| t.fact_kind == "lead").filter_map(|t| t.fact_id).map(LeadId::new).collect();
    for lead in &leads {
        if !lead_changes::list(c, *lead)?.is_empty() {
            return Ok(Became::Kept);
        }
    }
    // Somebody has had it told by hand.
    if let Some(conversion) = known.conversion.filter(|_| !own.is_empty())
        && deliveries::list_known(c, conversion)?.iter().any(|k| k.told.is_some() || k.is_open())
        && reports::list_told(c, conversion)?.len() == own.len()
    {
        return Ok(Became::Kept);
    }
    brought::take_back(c, step, now)?;
    brought::forget_rows(c, step)?;
    brought::untell(c, step, id)?;
    if let Some(conversion) = known.conversion.filter(|_| !own.is_empty()) {
        untell(c, site, id, &known, conversion, now)?;
    }
    if let Some(contact) = known.contact {
        brought::forget_if_unknown(c, contact)?;
    }
    Ok(Became::Untold)
}

/// The lead that the step has made, unless another step of a list is of the same. Where somebody else has told of it too it
/// stays theirs.
fn untell(c: &SiteConn, site: &Site, id: ImportId, known: &Brought, conversion: ConversionId, now: Time) -> Result<()> {
    let own = door(ImportKind::Offline);
    if let Some(contact) = known.contact
        && brought::has_other(c, contact, conversion, own)?
    {
        return Ok(());
    }
    let told = reports::list_told(c, conversion)?;
    for report in told.iter().filter(|t| t.connection == own) {
        reports::remove(c, report.id)?;
        if let (Some(lead), "lead") = (report.fact_id, report.fact_kind.as_str()) {
            leads::remove(c, LeadId::new(lead))?;
        }
    }
    if told.iter().all(|t| t.connection == own) {
        deliveries::cancel_waiting(c, conversion, "owner", now)?;
        let why = format!("Taken back with the list {id} that had told of it.");
        conversions::close(c, conversion, &why)?;
        conversions::unlink(c, conversion)?;
        return commissions::rebook_because(c, site, conversion, Some(&why), now);
    }
    // What the list said of where they came from is no evidence any more.
    let left = conversions::find(c, conversion)?.filter(|left| left.match_type == MatchType::Imported.word() && !left.is_erased);
    if let Some(left) = left {
        let (person, traces) = (Person::default(), Traces::default());
        let known =
            Known { session: left.session, person: &person, contact: left.contact, traces: &traces, journey: &[], is_asserted: false };
        let outcome = crediting::judge(c, site, &left, &known, now)?;
        crediting::write(c, site, &left, left.run + 1, "taken back", &outcome, now)?;
    }
    Ok(())
}
