//! Something that no system has told, typed in by whoever was there. What it will become is shown before by doing all of it
//! and taking it back: so the preview is never another rule than the one that stores it.

use std::sync::Arc;

use super::intake::{self, Delivered, Stored};
use crate::app::App;
use crate::domain::affiliate;
use crate::domain::fact::{Fact, Milestone};
use crate::domain::ids::ContactId;
use crate::error::{Error, Kind, Result};
use crate::store::connections::Connection;
use crate::store::people::{holder_of, identities_of};
use crate::store::questions::contacts;
use crate::store::questions::conversions::{self, Line};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{affiliates, audit};

/// Where its body is said to have come from.
pub const PATH: &str = "/offline";

/// What became of it, or would.
#[derive(Debug, Clone)]
pub struct Became {
    pub milestone: Milestone,
    pub is_new: bool,
    /// It is of somebody who was erased since it happened: nothing is stored.
    pub is_nobodys: bool,
    /// Whom it was about, as they were known before; of two, both turn out to be one person.
    pub known: Vec<contacts::Line>,
    /// The lead that it made, or belongs to.
    pub conversion: Option<Line>,
    /// Somebody else has told of that lead too, or it was told before.
    pub is_joined: bool,
    /// The partner who is said to have sent them.
    pub partner: Option<String>,
}

/// Stores it with all that follows, or says what would follow. `body` is what was typed.
pub async fn enter(app: &App, site: &Arc<Site>, milestone: Milestone, body: Vec<u8>, who: &str, is_preview: bool) -> Result<Became> {
    let now = app.clock.now();
    let connections: Vec<Arc<Connection>> = app.book().connections_of(site.id).cloned().collect();
    let delivered = Delivered {
        connection: None,
        platform: milestone.source.clone(),
        path: PATH.into(),
        content_type: "application/json".into(),
        body,
        facts: vec![Fact::Milestone(milestone.clone())],
        fetch: Vec::new(),
        is_asserted: false,
        is_once: false,
        read_at: None,
    };
    let (owner, who) = (site.clone(), who.to_owned());
    let all = move |c: &SiteConn| {
        let known = holders(c, &milestone)?;
        let taken = intake::store(c, &owner, &connections, &delivered, None, now)?;
        let stored = taken.facts.first().ok_or_else(|| Error::internal("what was typed in left nothing"))?;
        let became = seen(c, milestone, known, stored)?;
        if became.is_new {
            audit::add(c, &who, "entered", &serde_json::json!({"what": became.milestone.kind, "inbox": taken.inbox}), now)?;
        }
        Ok((taken, became))
    };
    if is_preview {
        return app.store.write(site.id, move |c| taken_back(c, all)).await;
    }
    let (taken, became) = app.store.write(site.id, all).await?;
    intake::announce(app, site, &taken);
    app.figures.add("funnel_events", &format!("type=\"{}\"", became.milestone.kind));
    Ok(became)
}

/// Does it, looks at it, and leaves nothing of it.
fn taken_back(c: &SiteConn, all: impl FnOnce(&SiteConn) -> Result<(intake::Taken, Became)>) -> Result<Became> {
    let mut seen = None;
    let undone: Result<()> = c.apart(|| {
        seen = Some(all(c)?.1);
        Err(Error::new(Kind::Conflict, UNDONE, "It was only looked at."))
    });
    match (undone, seen) {
        (Err(e), Some(seen)) if e.code == UNDONE => Ok(seen),
        (Err(e), _) => Err(e),
        (Ok(()), _) => Err(Error::internal("what was only to be looked at was stored")),
    }
}

/// Ends a look; nobody is answered with it.
const UNDONE: &str = "only_looked_at";

/// Whoever is known by an address or a number of the person.
fn holders(c: &SiteConn, milestone: &Milestone) -> Result<Vec<contacts::Line>> {
    let mut ids: Vec<ContactId> = Vec::new();
    for (kind, value) in identities_of(&milestone.person) {
        ids.extend(holder_of(c, kind, &value)?.filter(|id| !ids.contains(id)));
    }
    let mut lines = Vec::with_capacity(ids.len());
    for id in ids {
        lines.extend(contacts::find(c, id)?.map(|contact| contact.line));
    }
    // Two that were merged are shown as one.
    lines.dedup_by_key(|line| line.id);
    Ok(lines)
}

fn seen(c: &SiteConn, milestone: Milestone, known: Vec<contacts::Line>, stored: &Stored) -> Result<Became> {
    let conversion = stored.conversion.map(|id| conversions::find(c, id)).transpose()?.flatten();
    let partner = match milestone.by_hand.referred_by.as_deref().and_then(affiliate::code) {
        Some(code) => match affiliates::find_by_code(c, "code", &code)? {
            Some((partner, _)) => Some(partner.name),
            None => affiliates::find_by_code(c, "coupon", &code)?.map(|(partner, _)| partner.name),
        },
        None => None,
    };
    let is_joined = conversion.as_ref().is_some_and(|line| stored.kind != "lead" || line.beside.reports > 1);
    Ok(Became {
        milestone,
        is_new: stored.is_new,
        is_nobodys: stored.fact.is_none() && stored.conversion.is_none() && !stored.is_new,
        known,
        conversion,
        is_joined,
        partner,
    })
}
