//! When a connection's list is read next: by its owner's schedule, else by its source's own rhythm. A changed schedule and
//! a clock that was set back are minded at once.

use super::{AGAIN_MS, found};
use crate::app::App;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::platform::{SCHEDULE_ZONE, ZONE_OF_SITE};
use crate::domain::schedule::{LONGEST_WAIT_MS, Schedule};
use crate::domain::time::{Time, Zone};
use crate::error::Result;
use crate::sources::{self, Source};
use crate::store::connections::Connection;
use crate::store::scope::SiteConn;
use crate::store::{pulls, registrations};

/// The schedule in force. `home` is the site's zone.
pub fn schedule_of(source: &dyn Source, connection: &Connection, home: &Zone) -> Schedule {
    let usual = || source.pull_schedule().and_then(|text| Schedule::parse(text, Zone::utc()).ok());
    connection.settings.schedule(home).or_else(usual).unwrap_or_else(|| Schedule::every_ms(source.pull_every_ms()))
}

/// When the next pull begins, after one that has ended.
pub fn next_after(source: &dyn Source, connection: &Connection, home: &Zone, now: Time) -> Time {
    let schedule = schedule_of(source, connection, home);
    schedule.next_after(now).unwrap_or_else(|| now.plus_ms(source.pull_every_ms()))
}

/// A new schedule is in force at once. What is under way, failing, or was never read yet goes on as it was.
pub fn reschedule(c: &SiteConn, id: ConnectionId, schedule: &Schedule, now: Time) -> Result<()> {
    let known = pulls::find(c, id)?;
    let rests = known.is_some_and(|p| p.state.is_none() && p.failures == 0 && p.ended_at.is_some() && p.back_to.is_none() && !p.is_by_hand);
    match schedule.next_after(now).filter(|_| rests) {
        Some(at) => pulls::plan(c, id, at, now),
        None => Ok(()),
    }
}

/// The clocks of a site are others from now on: what goes by them is planned anew.
pub async fn follow_zone(app: &App, site: SiteId) -> Result<()> {
    let book = app.book();
    let Some(home) = book.site(site) else { return Ok(()) };
    let now = app.clock.now();
    let by_site = book.connections_of(site).filter(|c| c.settings.get(SCHEDULE_ZONE) == Some(ZONE_OF_SITE));
    let plans: Vec<(ConnectionId, Schedule)> =
        by_site.filter_map(|c| Some((c.id, schedule_of(sources::find(&c.platform)?, c, &home.zone)))).collect();
    if plans.is_empty() {
        return Ok(());
    }
    app.store.write(site, move |c| plans.iter().try_for_each(|(id, schedule)| reschedule(c, *id, schedule, now))).await
}

/// The clock was set back since this was planned: what would come too late is planned anew, nothing is done twice.
pub async fn replan(app: &App, id: ConnectionId) -> Result<()> {
    let Some((site, connection, source)) = found(app, id) else { return Ok(()) };
    let now = app.clock.now();
    let schedule = schedule_of(source, &connection, &site.zone);
    app.store
        .write(site.id, move |c| {
            // Hooks are looked at every hour or so, by the same clock.
            registrations::bring_near(c, id, now.plus_ms(LONGEST_WAIT_MS), now)?;
            let Some(known) = pulls::find(c, id)? else { return Ok(()) };
            let is_resting = known.state.is_none() && known.failures == 0;
            let at = match is_resting {
                true => schedule.after_setback(known.next_at, now),
                // A wait for the platform is short.
                false => known.next_at.min(now.plus_ms(LONGEST_WAIT_MS)),
            };
            // By which clock it is known until when the list was read, nobody can say any more.
            if known.seen_to.is_some() {
                pulls::read_from(c, id, now.plus_ms(-AGAIN_MS))?;
            }
            pulls::plan(c, id, at, now)
        })
        .await?;
    tracing::warn!(connection.id = %id, "The clock was set back: the next reading was planned anew.");
    Ok(())
}
