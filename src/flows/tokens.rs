//! Making and revoking keys of programs. The book is read anew, so that a change holds at once.

use crate::app::App;
use crate::crypto::Secret;
use crate::domain::ids::{SiteId, TokenId};
use crate::domain::rights::Scope;
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::store::{audit, tokens};

/// Gives the token's text, which is shown once and not kept. `value` is a secret that the owner brings along.
pub async fn create(
    app: &App,
    who: &str,
    site: SiteId,
    name: String,
    scopes: Vec<Scope>,
    expires_at: Option<Time>,
    value: Option<Secret>,
) -> Result<Secret> {
    let now = app.clock.now();
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("expires", "The end lies in the past."));
    }
    let who = who.to_owned();
    let text = app
        .store
        .write(site, move |c| {
            let text = tokens::create(c, &name, &scopes, expires_at, value.as_ref(), now)?;
            let detail = serde_json::json!({"name": name, "scopes": Scope::list_words(&scopes), "hint": text.hint()});
            audit::add(c, &who, "token_created", &detail, now)?;
            Ok(text)
        })
        .await?;
    app.refresh().await?;
    Ok(text)
}

pub async fn revoke(app: &App, who: &str, site: SiteId, id: TokenId) -> Result<()> {
    let now = app.clock.now();
    let who = who.to_owned();
    app.store
        .write(site, move |c| {
            if !tokens::revoke(c, id, now)? {
                return Err(Error::not_found(format!("There is no {id}.")));
            }
            audit::add(c, &who, "token_revoked", &serde_json::json!({"token": id}), now)
        })
        .await?;
    app.refresh().await
}
