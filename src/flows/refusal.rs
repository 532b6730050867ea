//! A refusal that comes with a touch which is not taken itself: it is heard all the same.

use std::sync::Arc;

use super::touch::{self, PageTouch, Taken};
use crate::app::App;
use crate::error::Result;
use crate::store::scope::SiteConn;
use crate::store::sessions;
use crate::store::sites::Site;

/// A limit is met: nothing is counted, but a refusal is heard.
pub async fn too_many(app: &App, site: &Arc<Site>, page: &PageTouch) -> Result<Taken> {
    if heed(app, site, page).await? {
        return Ok(Taken::Anonymous);
    }
    touch::dropped(app, site, "limited").await?;
    Ok(Taken::Dropped("limited"))
}

/// Whether the visitor says no to anything.
fn is_refusal(site: &Site, page: &PageTouch) -> bool {
    let decision = touch::decision_for(site, page);
    let words = touch::words_of(&page.consent, &decision);
    words.is_explicit && (words.analytics == "denied" || words.marketing == "denied")
}

/// Keeps a refusal where the touch itself is not taken: no limit and no lack of room may let a delivery go that the
/// visitor has refused. Gives whether the browser may not be known any more.
pub async fn heed(app: &App, site: &Arc<Site>, page: &PageTouch) -> Result<bool> {
    let Some(claim) = page.claim.as_ref().filter(|_| is_refusal(site, page)) else { return Ok(false) };
    let decision = touch::decision_for(site, page);
    let words = touch::words_of(&page.consent, &decision);
    let key = claim.key().to_owned();
    let manager = touch::manager_of(page);
    let now = app.clock.now();
    // Nearly always it is known already, and a question costs less than a change.
    let (asked, wanted) = (key.clone(), words.clone());
    let is_new = move |c: &SiteConn| -> Result<bool> {
        let known = sessions::find_by_key(c, &asked)?;
        Ok(known.is_some_and(|s| s.analytics != wanted.analytics || s.marketing != wanted.marketing))
    };
    if app.store.read(site.id, is_new).await? {
        let change = move |c: &SiteConn| match sessions::find_by_key(c, &key)? {
            Some(session) => touch::answered(c, &session, &words, manager, now),
            None => Ok(false),
        };
        if app.store.write(site.id, change).await? {
            app.wake.notify_waiters();
        }
    }
    Ok(!decision.analytics)
}
