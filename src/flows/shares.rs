//! Links to read-only pages: made, opened, revoked.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::json;

use crate::app::App;
use crate::crypto::{self, Secret};
use crate::domain::ids::{ShareId, SiteId};
use crate::error::{Error, Kind, Result};
use crate::limits::{Rate, address_key, text_key};
use crate::password;
use crate::store::shares::{NewShare, Share};
use crate::store::sites::Site;
use crate::store::{audit, shares};

/// Questions of one address about share links.
const LOOKS: Rate = Rate::per_second(10, 60);
/// A page that is shown to others is no account: eight characters are enough where each guess is counted.
const SHORTEST_PASSWORD: usize = 8;
const LONGEST_PASSWORD: usize = 256;

/// Makes a link and gives its address.
pub async fn add(app: &App, site: SiteId, mut new: NewShare, given: Option<Secret>) -> Result<(ShareId, String)> {
    let now = app.clock.now();
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("expires_at", "The end lies in the past."));
    }
    if let Some(given) = given {
        let length = given.reveal().chars().count();
        if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length) {
            return Err(Error::invalid("password", format!("A password has at least {SHORTEST_PASSWORD} characters.")));
        }
        new.password_hash = Some(app.door.hash(move || password::hash(given.reveal())).await??);
    }
    let (id, token) = app
        .store
        .write(site, move |c| {
            let (id, token) = shares::add(c, &new, now)?;
            let detail = json!({"share": id, "name": new.name, "pages": new.pages, "frames": new.frames, "sight": new.sight, "has_password": new.password_hash.is_some()});
            audit::add(c, &new.created_by, "share_added", &detail, now)?;
            Ok((id, token))
        })
        .await?;
    Ok((id, address(app, token.reveal())))
}

pub async fn revoke(app: &App, site: SiteId, id: ShareId, who: &str) -> Result<()> {
    let now = app.clock.now();
    let who = who.to_owned();
    app.store
        .write(site, move |c| {
            if !shares::revoke(c, id, now)? {
                return Err(Error::not_found(format!("There is no {id}.")));
            }
            audit::add(c, &who, "share_revoked", &json!({"share": id}), now)
        })
        .await
}

/// Where a link leads.
pub fn address(app: &App, token: &str) -> String {
    format!("{}/s/{token}", app.config.public_url)
}

/// A link that is still good, with its site. Unknown, revoked and ended ones are the same.
pub async fn find(app: &App, token: &str, client: IpAddr, is_proxy: bool) -> Result<(Share, Arc<Site>)> {
    let now = app.clock.now();
    if !is_proxy {
        app.limits.take("share", address_key(client), LOOKS, now).map_err(too_many)?;
    }
    let token = token.to_owned();
    let found = app.store.read_all_sites(move |all| shares::find(all, &token, now)).await?;
    let gone = || Error::new(Kind::NotFound, "not_found", "This link is not there any more. Ask whoever sent it for a new one.");
    let share = found.ok_or_else(gone)?;
    let site = app.book().site(share.site).cloned().ok_or_else(gone)?;
    Ok((share, site))
}

/// Whether one of the proofs that a browser shows opens a link. One without a password is open to all.
pub fn is_open<'a>(share: &Share, site: &Site, token: &str, mut shown: impl Iterator<Item = &'a str>) -> bool {
    proof(share, site, token).is_none_or(|proof| shown.any(|shown| crypto::same(shown.as_bytes(), proof.as_bytes())))
}

/// What a browser shows once it has given the link's password; none where there is none. Another password, or another
/// link, makes another proof.
pub fn proof(share: &Share, site: &Site, token: &str) -> Option<String> {
    let hash = share.password_hash.as_ref()?;
    Some(crypto::base64url(&crypto::hmac_sha256(&site.keys.digest, &[b"share.", token.as_bytes(), b".", hash.as_bytes()])))
}

/// Checks a password that was typed. Guesses are counted by link and network.
pub async fn check_password(app: &App, share: &Share, given: Secret, client: IpAddr) -> Result<()> {
    let now = app.clock.now();
    let account = text_key(&format!("{} {}", share.site, share.id));
    let network = address_key(client);
    app.door.begin_guess(account, network, now).map_err(too_many)?;
    let hash = share.password_hash.clone();
    if !app.door.hash(move || password::fits(given.reveal(), hash.as_deref())).await? {
        return Err(Error::new(Kind::Unauthorised, "bad_password", "This is not the password of the page."));
    }
    app.door.guessed_right(account, network);
    Ok(())
}

/// Counts a view.
pub async fn viewed(app: &App, share: &Share) -> Result<()> {
    let (id, now) = (share.id, app.clock.now());
    app.store.write(share.site, move |c| shares::viewed(c, id, now)).await
}

fn too_many(seconds: u32) -> Error {
    Error::new(Kind::TooMany, "too_many", format!("Too many attempts. Try again in {seconds} s.")).after(seconds)
}
