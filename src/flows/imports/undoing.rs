//! A file is taken back as a whole: spend is again what it was before, steps that were told by a list are untold, with the leads
//! that they made. What has become part of more than the file stays, and it is said how much.

use super::{UNDONE_AT_ONCE, found};
use crate::app::App;
use crate::domain::attribution::MatchType;
use crate::domain::fact::{Person, Traces};
use crate::domain::ids::{ConversionId, ImportId, LeadId};
use crate::domain::import::ImportKind;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::commissions;
use crate::flows::crediting::{self, Known};
use crate::flows::intake::imported::door;
use crate::store::imports::{self, ImportState};
use crate::store::milestones::brought::{self, Brought, BroughtRow};
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
        let mut after = Vec::new();
        loop {
            let (owner, from, now) = (site.clone(), after.clone(), app.clock.now());
            let (seen, part) = app.store.write(site.id, move |c| steps(c, &owner, id, &from, now)).await?;
            (undone.taken_back, undone.kept) = (undone.taken_back + part.taken_back, undone.kept + part.kept);
            let Some(last) = seen else { return Ok(undone) };
            after = last;
        }
    }
    while app.store.write(site.id, move |c| spend_before::take_back(c, id, UNDONE_AT_ONCE)).await? > 0 {}
    while app.store.write(site.id, move |c| imports::forget_rows(c, id, UNDONE_AT_ONCE)).await? > 0 {}
    Ok(undone)
}

/// Some rows of a list, and the last of them that was looked at.
fn steps(c: &SiteConn, site: &Site, id: ImportId, after: &[u8], now: Time) -> Result<(Option<Vec<u8>>, Undone)> {
    let rows = brought::list_rows(c, id, after, UNDONE_AT_ONCE)?;
    let mut undone = Undone::default();
    for row in &rows {
        match step(c, site, id, row, now)? {
            Became::Untold => undone.taken_back += 1,
            Became::Kept => undone.kept += 1,
            Became::Elsewhere => {}
        }
    }
    Ok((rows.last().map(|row| row.key.clone()), undone))
}

enum Became {
    Untold,
    Kept,
    /// Another file that still stands has told of it too.
    Elsewhere,
}

fn step(c: &SiteConn, site: &Site, id: ImportId, row: &BroughtRow, now: Time) -> Result<Became> {
    let forget = || imports::forget_row(c, ImportKind::Offline, &row.key);
    let Some(known) = brought::find(c, row.milestone)?.filter(|known| !known.is_undone) else {
        forget()?;
        return Ok(Became::Elsewhere);
    };
    if let Some(first) = known.import.filter(|first| *first != id)
        && found(c, first)?.state != ImportState::Undone
    {
        imports::hand_over(c, ImportKind::Offline, &row.key, first)?;
        return Ok(Became::Elsewhere);
    }
    if brought::leave_to_another(c, row.milestone, &row.key)? {
        forget()?;
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
    brought::take_back(c, row.milestone, now)?;
    forget()?;
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
        conversions::close(c, conversion, &format!("Taken back with the list {id} that had told of it."))?;
        conversions::unlink(c, conversion)?;
        return commissions::rebook(c, site, conversion, now);
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
