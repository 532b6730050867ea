//! Filters under a name: kept, changed, taken away. Everybody's are the editors' to change, own ones are one's own.

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::ids::{SegmentId, SiteId, UserId};
use crate::domain::segment::{Filters, MOST_SEGMENTS, Segment};
use crate::error::{Error, Kind, Result};
use crate::store::scope::SiteConn;
use crate::store::{audit, segments};

/// Who changes a segment.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// None for a token: it has no segments of its own.
    pub user: Option<UserId>,
    pub may_edit: bool,
    pub who: String,
}

pub async fn add(app: &App, site: SiteId, name: String, filters: Filters, is_everybodys: bool, keeper: Keeper) -> Result<Segment> {
    let owner = match (is_everybodys, keeper.user) {
        (true, _) if !keeper.may_edit => return Err(not_yours()),
        (true, _) => None,
        (false, None) => return Err(Error::invalid("scope", "A token keeps segments for the whole site only: say \"scope\": \"site\".")),
        (false, user) => user,
    };
    let now = app.clock.now();
    app.store
        .write(site, move |c| {
            if segments::count(c)? >= MOST_SEGMENTS {
                let sentence = format!("A site has at most {MOST_SEGMENTS} segments. Take one away first.");
                return Err(Error::new(Kind::Conflict, "too_many_segments", sentence));
            }
            check_name(c, &name, owner, None)?;
            let segment = segments::add(c, &name, &filters, owner, &keeper.who, now)?;
            audit::add(c, &keeper.who, "segment_added", &told(&segment), now)?;
            Ok(segment)
        })
        .await
}

/// Another name, other filters, or both.
pub async fn change(
    app: &App,
    site: SiteId,
    id: SegmentId,
    name: Option<String>,
    filters: Option<Filters>,
    keeper: Keeper,
) -> Result<Segment> {
    let now = app.clock.now();
    app.store
        .write(site, move |c| {
            let mut segment = own(c, id, &keeper)?;
            if let Some(name) = name {
                check_name(c, &name, segment.user, Some(id))?;
                segment.name = name;
            }
            if let Some(filters) = filters {
                segment.filters = filters;
            }
            segments::change(c, &segment)?;
            audit::add(c, &keeper.who, "segment_changed", &told(&segment), now)?;
            Ok(segment)
        })
        .await
}

pub async fn remove(app: &App, site: SiteId, id: SegmentId, keeper: Keeper) -> Result<()> {
    let now = app.clock.now();
    app.store
        .write(site, move |c| {
            let segment = own(c, id, &keeper)?;
            segments::remove(c, id)?;
            audit::add(c, &keeper.who, "segment_removed", &told(&segment), now)
        })
        .await
}

/// One that may be changed. Somebody else's own is not there.
fn own(c: &SiteConn, id: SegmentId, keeper: &Keeper) -> Result<Segment> {
    let segment = segments::find(c, id, keeper.user)?.ok_or_else(|| Error::not_found(format!("There is no {id} on this site.")))?;
    if segment.user.is_none() && !keeper.may_edit { Err(not_yours()) } else { Ok(segment) }
}

fn check_name(c: &SiteConn, name: &str, owner: Option<UserId>, but: Option<SegmentId>) -> Result<()> {
    match segments::find_namesake(c, name, owner, but)? {
        None => Ok(()),
        Some(_) => Err(Error::new(Kind::Conflict, "segment_exists", format!("There is a segment called {name} already.")).of("name")),
    }
}

fn not_yours() -> Error {
    Error::new(Kind::Forbidden, "missing_right", "Only editors and owners change segments that everybody sees. Keep it for yourself.")
}

fn told(segment: &Segment) -> Value {
    json!({"segment": segment.id, "name": segment.name, "filters": segment.filters, "is_everybodys": segment.user.is_none()})
}
