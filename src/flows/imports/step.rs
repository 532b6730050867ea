//! Rows of one commit: each looked up by what it is known by, and stored where it is new or has changed.

use std::sync::Arc;

use crate::app::App;
use crate::crypto;
use crate::domain::fact::Fact;
use crate::domain::ids::{ImportId, InboxId, MilestoneId, SpendId};
use crate::domain::import::{ImportKind, Name, Outcome, Refusal, Row, Told};
use crate::domain::pipeline::Stage;
use crate::domain::spend::Spend;
use crate::domain::time::Time;
use crate::error::{Kind, Result};
use crate::flows::intake::imported::{self, Brought};
use crate::flows::intake::{self, Stored};
use crate::flows::touch::history::{self, History};
use crate::store::connections::Connection;
use crate::store::imports::{self, Counts, MOST_REFUSALS};
use crate::store::milestones::brought;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{conversions, leads, reports, spend, spend_before};

/// What all rows of a file share.
pub struct Of {
    pub app: App,
    pub site: Arc<Site>,
    pub id: ImportId,
    pub kind: ImportKind,
    pub inbox: InboxId,
    pub who: String,
}

/// A row with all that needs no database worked out.
pub struct Prepared {
    line: u64,
    what: What,
}

enum What {
    Row { key: [u8; 16], content: [u8; 16], conversion: Option<String>, work: Work },
    LeftOut,
    Refused(Refusal),
}

enum Work {
    Spend(Spend),
    Fact(Box<Fact>, Option<Stage>),
    Touch(Box<History>),
}

pub struct Batch {
    rows: Vec<Prepared>,
    connections: Vec<Arc<Connection>>,
    /// Refused rows of this file before.
    refused: i64,
    now: Time,
}

pub struct Done {
    pub counts: Counts,
    pub facts: Vec<Stored>,
}

/// By what a row is known again: nobody can read from it what the row said.
pub fn digests(site: &Site, name: &Name) -> ([u8; 16], [u8; 16]) {
    let digest = |what: &[u8], text: &str| {
        let whole = crypto::hmac_sha256(&site.keys.digest, &[b"import.", what, b".", text.as_bytes()]);
        let mut short = [0; 16];
        short.copy_from_slice(&whole[..16]);
        short
    };
    (digest(b"key", &name.key), digest(b"content", &name.content))
}

pub fn prepared(of: &Of, batch: Vec<Told>, refused: i64) -> Batch {
    let row = |told: Told| {
        let what = match told.outcome {
            Outcome::LeftOut => What::LeftOut,
            Outcome::Refused(refusal) => What::Refused(refusal),
            Outcome::Row { name, row } => {
                let (key, content) = digests(&of.site, &name);
                let work = match row {
                    Row::Spend(spend) => Some(Work::Spend(spend)),
                    Row::Fact(fact, stage) => Some(Work::Fact(fact, stage)),
                    Row::Touch(touch) => history::of(&of.app, &of.site, *touch).map(|history| Work::Touch(Box::new(history))),
                };
                match work {
                    Some(work) => What::Row { key, content, conversion: name.conversion, work },
                    // A robot's visit.
                    None => What::LeftOut,
                }
            }
        };
        Prepared { line: told.line, what }
    };
    Batch {
        rows: batch.into_iter().map(row).collect(),
        connections: of.app.book().connections_of(of.site.id).cloned().collect(),
        refused,
        now: of.app.clock.now(),
    }
}

/// The change itself. `is_careful`: what cannot be stored is refused by itself.
pub fn run(c: &SiteConn, of: &Of, batch: &Batch, is_careful: bool) -> Result<Done> {
    let mut done = Done { counts: Counts { rows: batch.rows.len() as i64, ..Counts::default() }, facts: Vec::new() };
    for row in &batch.rows {
        let refusal = match &row.what {
            What::LeftOut => {
                done.counts.left_out += 1;
                None
            }
            What::Refused(refusal) => Some(refusal.clone()),
            What::Row { key, content, conversion, work } => {
                let store = || one(c, of, batch, (key, content), conversion.as_deref(), work);
                let stored = if is_careful { c.apart(store) } else { store() };
                match stored {
                    Ok((word, fact)) => {
                        match word {
                            Became::New => done.counts.new += 1,
                            Became::Changed => done.counts.changed += 1,
                            Became::Known => done.counts.known += 1,
                            Became::Joined => done.counts.joined += 1,
                            Became::Nobodys => done.counts.left_out += 1,
                        }
                        done.facts.extend(fact);
                        None
                    }
                    Err(e) if is_careful && e.kind == Kind::Internal => {
                        Some(Refusal { field: "row".into(), remedy: "It could not be stored. The server's log says why.".into() })
                    }
                    Err(e) => return Err(e),
                }
            }
        };
        if let Some(refusal) = refusal {
            if batch.refused + done.counts.refused < MOST_REFUSALS {
                imports::add_refusal(c, of.id, row.line, &refusal)?;
            }
            done.counts.refused += 1;
        }
    }
    imports::add_counts(c, of.id, &done.counts, batch.now)?;
    Ok(done)
}

enum Became {
    New,
    Changed,
    Known,
    Joined,
    /// Of somebody who was erased since.
    Nobodys,
}

fn one(
    c: &SiteConn,
    of: &Of,
    batch: &Batch,
    (key, content): (&[u8; 16], &[u8; 16]),
    conversion: Option<&str>,
    work: &Work,
) -> Result<(Became, Option<Stored>)> {
    let known = imports::find_row(c, of.kind, key, content)?;
    if let Some(known) = known.as_ref().filter(|known| known.is_same) {
        if let Some(step) = known.fact.filter(|_| of.kind == ImportKind::Offline) {
            brought::tell(c, MilestoneId::new(step), of.id)?;
        }
        return Ok((Became::Known, None));
    }
    let save = |fact: Option<i64>| imports::save_row(c, of.kind, key, content, of.id, fact);
    let again = if known.is_some() { Became::Changed } else { Became::New };
    match work {
        Work::Spend(amount) => {
            if let Some(id) = known.and_then(|known| known.fact)
                && spend_before::keep(c, SpendId::new(id), of.id, key).map(|()| true)?
                && spend::set(c, SpendId::new(id), amount, Some(of.id))?
            {
                save(Some(id))?;
                return Ok((Became::Changed, None));
            }
            let id = spend::add(c, amount, &of.who, Some(of.id), batch.now)?;
            save(Some(id.number()))?;
            Ok((again, None))
        }
        Work::Touch(visit) => {
            // What a visit was does not change: another word for it is another visit, and its id was taken.
            if matches!(again, Became::New) {
                history::store(c, visit, &of.app.recent, batch.now)?;
            }
            save(None)?;
            Ok((if matches!(again, Became::New) { Became::New } else { Became::Known }, None))
        }
        Work::Fact(fact, stage) => {
            if let Some(number) = conversion
                && imported::is_here(c, number, fact)?
            {
                save(None)?;
                return Ok((Became::Known, None));
            }
            let brought = Brought { site: &of.site, connections: &batch.connections, kind: of.kind, inbox: of.inbox, now: batch.now };
            let Some(stored) = imported::store(c, &brought, fact)? else {
                return Ok((Became::Nobodys, None));
            };
            if let (Fact::Lead(lead), Some(stage)) = (&**fact, stage) {
                stand(c, of.kind, lead.external_id.as_deref().unwrap_or_default(), *stage, lead.value)?;
            }
            let brought = match (&**fact, of.kind) {
                (Fact::Milestone(_), ImportKind::Offline) => stored.fact.map(MilestoneId::new),
                _ => None,
            };
            if let Some(step) = brought {
                brought::set_import(c, step, of.id)?;
                brought::tell(c, step, of.id)?;
            }
            save(brought.map(MilestoneId::number))?;
            let has_joined = matches!(again, Became::New) && has_joined(c, fact, &stored)?;
            Ok((if has_joined { Became::Joined } else { again }, Some(stored)))
        }
    }
}

/// Somebody else has told of it already.
fn has_joined(c: &SiteConn, fact: &Fact, stored: &Stored) -> Result<bool> {
    match (fact, stored.conversion) {
        // A step is new even where its lead is not.
        (Fact::Milestone(_), Some(id)) => Ok(reports::list_reporters(c, id)?.len() > 1),
        (_, conversion) => Ok(conversion.is_some() && !stored.is_new),
    }
}

/// Where a lead stood when the file was written, unless somebody has moved it here.
fn stand(c: &SiteConn, kind: ImportKind, external_id: &str, stage: Stage, value: Option<crate::domain::money::Money>) -> Result<()> {
    let Some(lead) = leads::find_by_external_id(c, imported::door(kind), external_id)? else { return Ok(()) };
    let Some(standing) = leads::find_standing(c, lead.id)?.filter(|s| s.stage == Stage::New) else { return Ok(()) };
    leads::set_standing(c, lead.id, stage, standing.value.or(value))?;
    match standing.conversion {
        Some(conversion) => conversions::set_status(c, conversion, stage.word(), None),
        None => Ok(()),
    }
}

/// For the preview: what each row would become, and which amount it is already.
pub fn would(c: &SiteConn, site: &Site, kind: ImportKind, name: &Name, row: &Row, now: Time) -> Result<(&'static str, Option<i64>)> {
    let (key, content) = digests(site, name);
    if let Some(known) = imports::find_row(c, kind, &key, &content)? {
        return Ok((if known.is_same || kind == ImportKind::Touches { "known" } else { "changed" }, known.fact));
    }
    let Row::Fact(fact, _) = row else { return Ok(("new", None)) };
    if let Some(number) = &name.conversion
        && imported::is_here(c, number, fact)?
    {
        return Ok(("known", None));
    }
    let word = match intake::imported::would(c, site, kind, fact, now)? {
        intake::imported::Would::New => "new",
        intake::imported::Would::Join => "joined",
        intake::imported::Would::Nobody => "left_out",
    };
    Ok((word, None))
}
