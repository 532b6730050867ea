//! Single things that bodies have only named, read right after.

use std::sync::Arc;

use super::walk::Walk;
use super::{found, later_ms, pause};
use crate::app::App;
use crate::domain::ids::ConnectionId;
use crate::domain::steps::{Step, Verdict};
use crate::error::{Error, Result};
use crate::flows::asking;
use crate::flows::replay::home_of;
use crate::sources::Named;
use crate::store::jobs;
use crate::store::sites::Site;
use crate::wire::Response;

/// Things that are read in one talk.
const MOST_FETCHED: usize = 50;
/// A thing that cannot be read so often is given up: the next pull brings what it can.
const MOST_TRIES: i64 = 12;

/// Reads what bodies have only named. Gives how many things were read.
pub async fn fetch(app: &App, id: ConnectionId) -> Result<usize> {
    let _turn = app.talks.take(id).await;
    let Some((site, connection, source)) = found(app, id) else { return Ok(0) };
    let now = app.clock.now();
    let due = app.store.read(site.id, move |c| jobs::list_fetches(c, id, now, MOST_FETCHED)).await?;
    let Some(steps) = source.fetch().filter(|_| !due.is_empty()) else { return Ok(0) };
    let names: Vec<String> = due.iter().map(|(name, _)| name.clone()).collect();
    let mut state = serde_json::to_value(Named { refs: names.clone() }).map_err(Error::internal)?;
    let mut walk = Walk { run: None, app, site: &site, connection: &connection, source, page: Vec::new() };
    let mut got: Option<Response> = None;
    let verdict = loop {
        let now = app.clock.now();
        match steps.step(state, got.take().as_ref(), &connection.settings, &home_of(&site, now), now) {
            Step::Ask(request, next) => match asking::send(app, source, &connection, &request).await {
                Ok(response) => {
                    walk.page = response.body.clone();
                    got = Some(response);
                    state = next;
                }
                Err(failure) => break Some(asking::verdict_of(failure)),
            },
            Step::Yield(batch, next) => {
                walk.take_parts(batch, None).await?;
                state = next;
            }
            Step::Wait(after_ms, _) => break Some(Verdict::Retry { after_ms: Some(after_ms), sentence: String::new() }),
            Step::Done(()) => break None,
            Step::Fail(verdict) => break Some(verdict),
        }
    };
    settle_fetch(app, &site, id, due, verdict).await?;
    Ok(names.len())
}

async fn settle_fetch(app: &App, site: &Arc<Site>, id: ConnectionId, due: Vec<(String, i64)>, verdict: Option<Verdict>) -> Result<()> {
    let now = app.clock.now();
    if let Some(Verdict::Pause(sentence)) = &verdict {
        pause(app, site, id, sentence.clone()).await?;
    }
    app.store
        .write(site.id, move |c| {
            for (name, attempts) in due {
                let is_over =
                    verdict.is_none() || attempts + 1 >= MOST_TRIES || matches!(verdict, Some(Verdict::Refused(_) | Verdict::Split(_)));
                if is_over {
                    jobs::remove_fetch(c, id, &name)?;
                } else {
                    jobs::put_off_fetch(c, id, &name, now.plus_ms(later_ms(verdict.as_ref(), attempts)))?;
                }
            }
            Ok(())
        })
        .await
}
