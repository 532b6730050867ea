//! What a restored file must go through before anybody opens it: what waits is held, who was erased since is erased again,
//! and what was good for one use only is void.

use serde_json::json;

use crate::app::App;
use crate::domain::time::DAY_MS;
use crate::error::Result;
use crate::flows::{COMMAND_LINE, erase};
use crate::store::{audit, logins, one_time_links, outbox};

/// What of the queue may go out at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    Nothing,
    LastDay,
    All,
}

impl Release {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Release::Nothing),
            "24h" => Some(Release::LastDay),
            "all" => Some(Release::All),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    pub held: usize,
    pub erased: usize,
}

/// Makes a restored file fit to be opened.
pub async fn settle(app: &App, release: Release, taken_at: &str) -> Result<Settled> {
    let now = app.clock.now();
    let until = match release {
        Release::Nothing => Some(None),
        Release::LastDay => Some(Some(now.plus_ms(-DAY_MS))),
        Release::All => None,
    };
    let sites: Vec<_> = app.book().sites().iter().map(|s| s.id).collect();
    let taken_at = taken_at.to_owned();
    let change = app.store.write_all_sites(move |all| {
        let held = until.map_or(Ok(0), |until| outbox::hold(all, until, now))?;
        // Who signed out since, and which links were used since, is not in the file.
        logins::remove_all(all)?;
        one_time_links::remove_all(all)?;
        for site in sites {
            audit::add(&all.of(site), COMMAND_LINE, "backup restored", &json!({"taken_at": taken_at, "held": held}), now)?;
        }
        Ok(held)
    });
    let held = change.await?;
    erase::log::check(&app.config.data)?;
    let erased = erase::log::reconcile(app).await?;
    Ok(Settled { held, erased })
}
