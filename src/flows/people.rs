//! People of a site: invited, given another role or another sight, removed.

use serde_json::json;

use super::login;
use crate::app::App;
use crate::domain::ids::{SiteId, UserId};
use crate::domain::rights::Right;
use crate::domain::sight::Sight;
use crate::error::{Error, Kind, Result};
use crate::store::users::User;
use crate::store::{audit, segments, users};

/// Makes a member. Gives the one-time link under which a password is chosen, or none for somebody who has an account
/// already: a link would let its finder take it over.
pub async fn invite(app: &App, site: SiteId, email: &str, role: Right, sight: Sight, who: &str) -> Result<(UserId, Option<String>)> {
    let user = login::add_user(app, email, role, Some(site)).await?;
    let (known, is_elsewhere) = known(app, site, user).await?;
    let now = app.clock.now();
    let (who, address) = (who.to_owned(), known.email.clone());
    app.store
        .write(site, move |c| {
            users::set_sight(c, user, &sight_for(role, sight))?;
            audit::add(c, &who, "member_invited", &json!({"user": user, "email": address, "role": role.role()}), now)
        })
        .await?;
    let link = if known.has_password || is_elsewhere { None } else { Some(login::invite_link(app, user).await?) };
    Ok((user, link))
}

/// Another link for somebody who has not taken up the first.
pub async fn invite_again(app: &App, site: SiteId, user: UserId, who: &str) -> Result<String> {
    check_member(app, site, user).await?;
    let (known, is_elsewhere) = known(app, site, user).await?;
    if is_elsewhere {
        return Err(Error::new(
            Kind::Conflict,
            "invited_elsewhere",
            "Another site has invited this person first. Its link is the one to take.",
        ));
    }
    if known.has_password {
        return Err(Error::new(Kind::Conflict, "has_password", "This person has chosen a password already. It is reset on the server."));
    }
    let now = app.clock.now();
    let who = who.to_owned();
    app.store.write(site, move |c| audit::add(c, &who, "member_invited", &json!({"user": user, "email": known.email}), now)).await?;
    login::invite_link(app, user).await
}

pub async fn change(app: &App, site: SiteId, user: UserId, role: Right, sight: Sight, who: &str) -> Result<()> {
    check_member(app, site, user).await?;
    let now = app.clock.now();
    let who = who.to_owned();
    app.store
        .write(site, move |c| {
            users::set_member(c, user, role)?;
            users::set_sight(c, user, &sight_for(role, sight))?;
            audit::add(c, &who, "member_changed", &json!({"user": user, "role": role.role()}), now)
        })
        .await
}

pub async fn remove(app: &App, site: SiteId, user: UserId, who: &str) -> Result<()> {
    check_member(app, site, user).await?;
    let now = app.clock.now();
    let who = who.to_owned();
    app.store
        .write(site, move |c| {
            users::remove_member(c, user)?;
            segments::remove_of(c, user)?;
            audit::add(c, &who, "member_removed", &json!({"user": user}), now)
        })
        .await
}

/// The user, and whether another site, or the box, counts on the account too: then no link to it is given out here, or one
/// site's owner could take up what another one has given.
async fn known(app: &App, site: SiteId, user: UserId) -> Result<(User, bool)> {
    app.store
        .read_all_sites(move |all| {
            let known = users::get(all, user)?;
            let is_elsewhere = known.is_owner || users::list_memberships(all, user)?.iter().any(|(id, _)| *id != site);
            Ok((known, is_elsewhere))
        })
        .await
}

/// Only a client is shown a part.
fn sight_for(role: Right, sight: Sight) -> Sight {
    if role == Right::See { sight } else { Sight::default() }
}

/// Owners of the box are no members: nobody of a site can change or remove them.
async fn check_member(app: &App, site: SiteId, user: UserId) -> Result<()> {
    let found = app.store.read(site, move |c| users::find_role(c, user)).await?;
    found.map(|_| ()).ok_or_else(|| Error::not_found("There is no such person on this site."))
}
