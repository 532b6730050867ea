//! Counts closed days, and what lies behind of the present one, by and by: read off the writer's thread, written in small steps, repeated where a day changed
//! meanwhile.

use std::sync::Arc;

use crate::app::App;
use crate::domain::readiness::Worker;
use crate::domain::time::Day;
use crate::error::Result;
use crate::flows::recount;
use crate::store::cube::{self, Counts, Cube};
use crate::store::sites::Site;

/// Days read at once.
const DAYS: usize = 31;
/// Rows written at once: some 20 ms of the writer's time on a slow disk.
const ROWS: usize = 1_500;

/// Counts what has been closed or has changed since the last call. Cheap where there is nothing to do.
pub async fn catch_up(app: &App) -> Result<()> {
    for site in app.book().sites() {
        catch_up_site(app, site).await?;
    }
    Ok(())
}

async fn catch_up_site(app: &App, site: &Arc<Site>) -> Result<()> {
    recount::run(app, site).await?;
    let now = app.clock.now();
    loop {
        let zone = site.zone.clone();
        if app.is_stopping() || !app.store.read(site.id, move |c| cube::is_behind(c, &zone, now)).await? {
            break;
        }
        let zone = site.zone.clone();
        app.store.write(site.id, move |c| cube::advance(c, &zone, now)).await?;
    }
    let zone = site.zone.clone();
    if app.store.read(site.id, move |c| cube::is_part_due(c, &zone, now)).await? {
        let zone = site.zone.clone();
        app.store.write(site.id, move |c| cube::mark_part(c, &zone, now)).await?;
    }
    for cube in Cube::ALL {
        let mut after = Day(i32::MIN);
        loop {
            let days = app.store.read(site.id, move |c| cube::list_dirty(c, cube, after, DAYS)).await?;
            let Some(last) = days.last().copied() else { break };
            if app.is_stopping() {
                return Ok(());
            }
            count(app, site, cube, days).await?;
            app.pulse.beat(Worker::Housekeeping);
            after = last;
        }
    }
    Ok(())
}

async fn count(app: &App, site: &Arc<Site>, cube: Cube, days: Vec<Day>) -> Result<()> {
    let taken = days.clone();
    app.store.write(site.id, move |c| cube::take(c, cube, &taken)).await?;
    let zone = site.zone.clone();
    let counts = app.store.read_unhurried(site.id, move |c| cube::count(c, cube, &zone, &days)).await?;
    for step in steps(counts) {
        app.store
            .write(site.id, move |c| {
                for part in &step {
                    cube::put(c, cube, part.counts.day, &part.counts.rows, part.is_first)?;
                    if part.is_last {
                        cube::finish(c, cube, part.counts.day, &part.counts.beside)?;
                    }
                }
                Ok(())
            })
            .await?;
    }
    Ok(())
}

/// Some rows of one day.
#[derive(Debug, PartialEq)]
struct Part {
    counts: Counts,
    is_first: bool,
    is_last: bool,
}

/// Cuts days into writes of bounded size: small days go together, a large one goes in pieces.
fn steps(all: Vec<Counts>) -> Vec<Vec<Part>> {
    let mut steps: Vec<Vec<Part>> = Vec::new();
    let mut room = 0;
    for mut counts in all {
        let mut is_first = true;
        loop {
            if room == 0 {
                steps.push(Vec::new());
                room = ROWS;
            }
            let rest = counts.rows.split_off(counts.rows.len().min(room));
            // A day without rows still costs a delete.
            room -= counts.rows.len().clamp(1, room);
            let is_last = rest.is_empty();
            let beside = if is_last { Vec::new() } else { std::mem::take(&mut counts.beside) };
            let next = Counts { cube: counts.cube, day: counts.day, rows: rest, beside };
            if let Some(step) = steps.last_mut() {
                step.push(Part { counts, is_first, is_last });
            }
            if is_last {
                break;
            }
            counts = next;
            is_first = false;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_days_go_together_and_a_large_one_in_pieces() {
        let counts = |day, n: usize| Counts {
            cube: Cube::Visits,
            day: Day(day),
            rows: (0..n).map(|i| (vec![], vec![i as i64])).collect(),
            beside: Vec::new(),
        };
        let steps = steps(vec![counts(1, 10), counts(2, 0), counts(3, 4_000), counts(4, 1)]);
        let shown: Vec<Vec<(i32, usize, bool, bool)>> =
            steps.iter().map(|s| s.iter().map(|p| (p.counts.day.0, p.counts.rows.len(), p.is_first, p.is_last)).collect()).collect();
        assert_eq!(
            shown,
            [
                vec![(1, 10, true, true), (2, 0, true, true), (3, 1_489, true, false)],
                vec![(3, 1_500, false, false)],
                vec![(3, 1_011, false, true), (4, 1, true, true)],
            ]
        );
    }
}
