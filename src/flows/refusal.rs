//! A refusal that comes with what is not taken itself, a touch over a limit, a name or an event of a page: it is heard all the same.

use std::sync::Arc;

use super::session_id::SessionKey;
use super::touch::{self, PageTouch, Taken};
use crate::app::App;
use crate::domain::consent::{Answer, Consent, Decision, Signs, decide};
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

/// Keeps a refusal where the touch itself is not taken: no limit and no lack of room may let a delivery go that the
/// visitor has refused. Gives whether the browser may not be known any more.
pub async fn heed(app: &App, site: &Arc<Site>, page: &PageTouch) -> Result<bool> {
    let decision = touch::decision_for(site, page);
    heard(app, site, page.claim.as_ref(), page.consent, &decision, touch::manager_of(page)).await
}

/// The same of what comes beside touches. `refuses` is the browser's own signal, where the site honours it. What nobody said is
/// for touches to judge: these tell where a visitor seems to be.
pub async fn beside(app: &App, site: &Arc<Site>, session: Option<&SessionKey>, said: Consent, refuses: bool) -> Result<bool> {
    if !said.is_known() && !refuses {
        return Ok(false);
    }
    let decision = decide(said, site.consent, &Signs::default(), refuses);
    let is_refused = refuses || said.analytics == Answer::Denied;
    heard(app, site, session, said, &decision, said.manager.unwrap_or("page")).await?;
    Ok(is_refused)
}

async fn heard(
    app: &App,
    site: &Arc<Site>,
    claim: Option<&SessionKey>,
    said: Consent,
    decision: &Decision,
    manager: &'static str,
) -> Result<bool> {
    let words = touch::words_of(&said, decision);
    // Whether the visitor says no to anything.
    let is_refusal = words.is_explicit && (words.analytics == "denied" || words.marketing == "denied");
    let Some(claim) = claim.filter(|_| is_refusal) else { return Ok(false) };
    let key = claim.key().to_owned();
    let now = app.clock.now();
    // In a flood it is known already, and a question costs less than a change.
    let (asked, wanted) = (key.clone(), words.clone());
    let is_new = move |c: &SiteConn| -> Result<bool> {
        let known = sessions::find_by_key(c, &asked)?;
        Ok(known.is_some_and(|s| touch::is_news(&s, &wanted, now)))
    };
    if app.store.read(site.id, is_new).await? {
        let change = move |c: &SiteConn| match sessions::find_by_key(c, &key)? {
            Some(session) => touch::answered(c, &session, &words, manager, now, now),
            None => Ok(false),
        };
        if app.store.write(site.id, change).await? {
            app.wake.notify_waiters();
        }
    }
    Ok(!decision.analytics)
}
