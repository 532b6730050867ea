//! Who asks: proved before the handler runs, by a token or by a login, as the route wants it. A request with a Bearer
//! token ignores cookies and needs no check of where it comes from; one with a cookie must come from our own pages.

use std::sync::Arc;

use serde_json::json;

use super::ask::{Ask, Caller, Proved};
use super::host::OwnHosts;
use super::route::{Right, Route, Scope, Shape, Who};
use super::{named, senders};
use crate::app::App;
use crate::book::KnownToken;
use crate::crypto;
use crate::domain::ids::SiteId;
use crate::domain::share::SharedPage;
use crate::domain::sight::Sight;
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::flows::shares;
use crate::limits::{Rate, text_key};
use crate::store::sites::Site;
use crate::store::{audit, logins, tokens, users};

/// What one token may ask.
const API: Rate = Rate::per_second(10, 40);
/// Look-ups of tokens that are not in the book, for the whole box: strangers must not keep the readers busy.
const STRANGERS: Rate = Rate::per_second(20, 50);
/// Lines of the audit log about refusals of one token.
const REFUSALS: Rate = Rate::per_minute(6, 6);

/// Over https only a cookie with this prefix counts: no sibling host can set one.
pub const SECURE_COOKIE: &str = "__Host-halo_login";
/// Proves the password of a share link; its path names the link.
pub const SHARE_COOKIE: &str = "halo_share";
/// On plain http, for which only this machine is meant. A browser keeps one jar for all ports of an address: there the box's own
/// mark stands behind it, so that several on one machine leave each other signed in.
pub const PLAIN_COOKIE: &str = "halo_login";

/// The caller and the site of the request, or why it is refused.
pub async fn check(app: &App, own: &OwnHosts, route: &Route, ask: &Ask) -> Result<Proved> {
    match route.who {
        Who::Anyone | Who::Visitor => Ok(Proved::whole(Caller::Nobody, None)),
        // Before the body is read: strangers need not send one.
        Who::Hook if app.book().connection_by_hook(ask.param("token")).is_none() => Err(unknown_endpoint()),
        Who::Sender if !senders::has_proof(app, ask) => Err(senders::no_proof(&ask.path)),
        Who::Hook | Who::Sender => Ok(Proved::whole(Caller::Nobody, None)),
        Who::Page => {
            if is_unsafe(ask) {
                check_origin(own, ask)?;
            }
            Ok(Proved::whole(Caller::Nobody, None))
        }
        Who::Machine if ask.is_from_this_machine() => Ok(Proved::whole(Caller::Nobody, None)),
        Who::Machine => {
            let known = bearer(app, ask).await?;
            Ok(Proved::whole(caller(&known), None))
        }
        Who::Token(scope) => {
            let password = ask.password().filter(|_| route.takes_basic && ask.bearer().is_none());
            let known = match &password {
                Some(password) => known(app, password).await?,
                None => bearer(app, ask).await?,
            };
            take_rate(app, &known)?;
            let site = site_of(app, &known)?;
            check_scope(app, &known, scope)?;
            Ok(Proved::whole(caller(&known), Some(site)))
        }
        Who::Site(_, scope) if ask.bearer().is_some() => {
            let known = bearer(app, ask).await?;
            take_rate(app, &known)?;
            let site = site_of(app, &known)?;
            if app.book().site_named(ask.param("site")).map(|s| s.id) != Some(site.id) {
                refusal_noted(app, &known, "foreign_site");
                return Err(no_such_site());
            }
            check_scope(app, &known, scope)?;
            Ok(Proved::whole(caller(&known), Some(site)))
        }
        Who::Site(right, _) | Who::Member(right) => {
            member(app, own, route, ask, right, app.book().site_named(ask.param("site")).cloned()).await
        }
        Who::Named(_, scope) if ask.bearer().is_some() => {
            let known = bearer(app, ask).await?;
            take_rate(app, &known)?;
            let site = site_of(app, &known)?;
            if ask.query("domain").is_some_and(|domain| named::by_host(app, domain).iter().all(|s| s.id != site.id)) {
                refusal_noted(app, &known, "foreign_site");
                return Err(no_such_site());
            }
            check_scope(app, &known, scope)?;
            Ok(Proved::whole(caller(&known), Some(site)))
        }
        Who::Named(right, _) => match ask.query("domain") {
            Some(domain) => member_of_any(app, own, route, ask, right, named::by_host(app, domain)).await,
            // Who it is, before the body is read; which site it is about, the body says.
            None if is_unsafe(ask) => Ok(Proved::whole(login(app, own, ask, None).await?.0, None)),
            None => match member(app, own, route, ask, right, None).await {
                Err(e) if e.kind == Kind::NotFound => Err(Error::parameter("domain", "Name the site: ?domain=shop.example.")),
                proved => proved,
            },
        },
        Who::Share(pages) => shared(app, ask, pages).await,
        Who::Login => Ok(Proved::whole(login(app, own, ask, None).await?.0, None)),
        Who::BoxOwner => match login(app, own, ask, None).await?.0 {
            caller @ Caller::User { is_box_owner: true, .. } => Ok(Proved::whole(caller, None)),
            _ => Err(Error::new(Kind::Forbidden, "missing_right", "Only an owner of this installation may do this.")),
        },
    }
}

/// Somebody who is signed in, once the body is there that names the site; none where the site is known already.
pub async fn check_body(app: &App, own: &OwnHosts, route: &Route, ask: &Ask) -> Result<Option<Proved>> {
    let Who::Named(right, _) = route.who else { return Ok(None) };
    if ask.site.is_some() {
        return Ok(None);
    }
    let named = named::in_body(ask)?;
    let mut sites = named.as_deref().map(|text| named::by_host(app, text)).unwrap_or_default();
    if sites.is_empty() {
        sites.extend(named::only_site_of(app, &ask.caller).await?);
    }
    if sites.is_empty() && named.is_none() {
        return Err(Error::parameter("domain", "Name the site: its host as domain."));
    }
    member_of_any(app, own, route, ask, right, sites).await.map(Some)
}

/// One answer for every address that is not there.
pub fn unknown_endpoint() -> Error {
    Error::new(Kind::NotFound, "unknown_endpoint", "There is no such endpoint. Copy its address again from Connections.")
}

/// A token's text proved: who it is and for which site. For handlers whose senders may bring a token in several ways.
/// Takes no rate: a webhook is never refused by one.
pub async fn prove(app: &App, text: &str, scope: Scope) -> Result<(Caller, Arc<Site>)> {
    let known = known(app, text).await?;
    let site = site_of(app, &known)?;
    check_scope(app, &known, scope)?;
    Ok((caller(&known), site))
}

/// Whether somebody who was let in would be let in again, and see as much: for answers that never end.
pub async fn still_may_see(app: &App, caller: &Caller, site: SiteId, sight: &Sight) -> bool {
    let now = app.clock.now();
    match caller {
        Caller::Nobody | Caller::Share { .. } => false,
        Caller::Token { id, .. } => app.book().has_token(site, *id, now),
        Caller::User { login, .. } => {
            let (hash, sight) = (*login, sight.clone());
            let seen = app.store.read_all_sites(move |all| {
                let Some(login) = logins::find(all, &hash, now)? else { return Ok(false) };
                Ok(login.is_owner || users::find_member(&all.of(site), login.user)?.is_some_and(|(_, now)| now == sight))
            });
            // A reader that is busy is no reason to send somebody away.
            seen.await.unwrap_or(true)
        }
    }
}

async fn bearer(app: &App, ask: &Ask) -> Result<Arc<KnownToken>> {
    // Kept paths take a token where their old secret stood.
    let kept = || ask.header("x-webhook-secret").filter(|_| ask.shape == Shape::Halo);
    let text = ask.bearer().or_else(kept).ok_or_else(|| {
        Error::new(Kind::Unauthorised, "missing_token", "Send a token: Authorization: Bearer ht_… (made by `halotrack token create`).")
    })?;
    known(app, text).await
}

/// The token in the book, or the one that was made since the book was read.
async fn known(app: &App, text: &str) -> Result<Arc<KnownToken>> {
    let now = app.clock.now();
    let hash = tokens::hash(text);
    let mut found = app.book().token(&hash).cloned();
    if found.is_none() && app.limits.take("stranger", 0, STRANGERS, now).is_ok() {
        let is_new = app.store.read_all_sites(move |all| tokens::find(all, &hash)).await?.is_some();
        if is_new {
            app.refresh().await?;
            found = app.book().token(&hash).cloned();
        }
    }
    let known = found.ok_or_else(|| Error::new(Kind::Unauthorised, "unknown_token", "There is no such token, or it was revoked."))?;
    if let Some(end) = known.token.expires_at
        && end <= now
    {
        refusal_noted(app, &known, "token_expired");
        return Err(Error::new(Kind::Unauthorised, "token_expired", format!("This token expired on {}.", &end.utc()[..10])));
    }
    if known.wants_notice(now) {
        note_use(app, &known, now);
    }
    Ok(known)
}

fn take_rate(app: &App, known: &KnownToken) -> Result<()> {
    let key = (known.token.site.number() as u64) << 32 | known.token.id.number() as u64;
    app.limits.take("api", key, API, app.clock.now()).map_err(|seconds| {
        Error::new(Kind::TooMany, "too_many", format!("10 requests a second for one token. Try again in {seconds} s.")).after(seconds)
    })
}

fn check_scope(app: &App, known: &KnownToken, scope: Scope) -> Result<()> {
    if known.token.scopes.contains(&scope) {
        return Ok(());
    }
    refusal_noted(app, known, "missing_scope");
    Err(Error::new(Kind::Forbidden, "missing_scope", format!("Needs {}.", scope.word())))
}

fn site_of(app: &App, known: &KnownToken) -> Result<Arc<Site>> {
    app.book().site(known.token.site).cloned().ok_or_else(no_such_site)
}

fn caller(known: &KnownToken) -> Caller {
    Caller::Token { id: known.token.id.number(), scopes: known.token.scopes.clone() }
}

/// The user of a login cookie, and role and sight on the site if one is asked for.
async fn login(app: &App, own: &OwnHosts, ask: &Ask, site: Option<&Site>) -> Result<(Caller, Option<(Right, Sight)>)> {
    let hashes = cookie_hashes(app, ask);
    if hashes.is_empty() {
        return Err(signed_out(app).await);
    }
    if is_unsafe(ask) {
        check_origin(own, ask)?;
        check_json(ask)?;
    }
    let now = app.clock.now();
    let site = site.map(|s| s.id);
    let found = app
        .store
        .read_all_sites(move |all| {
            for hash in hashes {
                let Some(login) = logins::find(all, &hash, now)? else { continue };
                let role = match (login.is_owner, site) {
                    (true, _) => Some((Right::Own, Sight::default())),
                    (false, Some(site)) => users::find_member(&all.of(site), login.user)?,
                    (false, None) => None,
                };
                return Ok(Some((hash, login, role)));
            }
            Ok(None)
        })
        .await?;
    let Some((hash, login, role)) = found else { return Err(signed_out(app).await) };
    if login.wants_notice(now) {
        let app = app.clone();
        tokio::spawn(async move { app.store.write_all_sites(move |all| logins::saw(all, &hash, now)).await });
    }
    let shown = role.as_ref().map_or(Right::See, |(right, _)| *right);
    let caller = Caller::User {
        id: login.user,
        email: login.email,
        role: shown,
        is_box_owner: login.is_owner,
        login: hash,
        proved_at: login.proved_at,
    };
    Ok((caller, role))
}

/// The link in the path, and the proof of its password where it has one.
async fn shared(app: &App, ask: &Ask, pages: &[SharedPage]) -> Result<Proved> {
    let (share, site) = shares::find(app, ask.param("share"), ask.client, ask.is_proxy_itself()).await?;
    let token = ask.param("share").to_owned();
    if !shares::is_open(&share, &site, &token, ask.cookies(SHARE_COOKIE).take(4)) {
        return Err(Error::new(Kind::Unauthorised, "password_required", "This page has a password. Ask whoever sent you the link."));
    }
    if !share.pages.iter().any(|page| pages.contains(page)) {
        return Err(Error::new(Kind::Forbidden, "missing_right", "This link does not show that page."));
    }
    Ok(Proved { caller: Caller::Share { id: share.id, token }, site: Some(site), sight: share.sight })
}

/// The name of the cookie that proves a login.
pub fn login_cookie(app: &App, ask: &Ask) -> String {
    if ask.is_https {
        return SECURE_COOKIE.to_owned();
    }
    let is_of_a_machine = ask.host == "localhost" || ask.host.parse::<std::net::IpAddr>().is_ok();
    if is_of_a_machine { format!("{PLAIN_COOKIE}_{}", app.mark) } else { PLAIN_COOKIE.to_owned() }
}

/// Hashes of the cookies that may prove a login: by our own name, and on plain http by the name without a mark. A browser may
/// send several of one name; few are looked at.
pub fn cookie_hashes(app: &App, ask: &Ask) -> Vec<[u8; 32]> {
    let own = login_cookie(app, ask);
    let unmarked = (!ask.is_https && own != PLAIN_COOKIE).then_some(PLAIN_COOKIE);
    let all = std::iter::once(own.as_str()).chain(unmarked).flat_map(|name| ask.cookies(name).take(4));
    all.map(|value| crypto::sha256(value.as_bytes())).collect()
}

fn is_unsafe(ask: &Ask) -> bool {
    !matches!(ask.method.as_str(), "GET" | "HEAD" | "OPTIONS")
}

/// Browsers say themselves where a request comes from; older ones only name the origin.
fn check_origin(own: &OwnHosts, ask: &Ask) -> Result<()> {
    let is_own = match ask.header("sec-fetch-site") {
        Some(word) => word == "same-origin",
        None => ask.header("origin").is_some_and(|origin| own.is_own_origin(origin, &ask.host_header, ask.is_https)),
    };
    if is_own {
        return Ok(());
    }
    Err(Error::new(Kind::Forbidden, "foreign_page", "This did not come from the dashboard's own pages. A program needs a token."))
}

/// A form of another page cannot send JSON without asking first, nor a piece of a file as what it is.
fn check_json(ask: &Ask) -> Result<()> {
    let has_body = ask.header("transfer-encoding").is_some() || ask.header("content-length").is_some_and(|n| n != "0");
    let kind = ask.header("content-type").and_then(|t| t.split(';').next()).map(str::trim).unwrap_or_default();
    let is_piece = kind == "application/octet-stream" && ask.path.ends_with("/pieces");
    if has_body && kind != "application/json" && !is_piece {
        return Err(Error::new(Kind::Invalid, "unsupported_media_type", "Send application/json."));
    }
    Ok(())
}

async fn signed_out(app: &App) -> Error {
    let has_owner = app.door.has_owner() || app.store.read_all_sites(users::has_owner).await.unwrap_or(true);
    if has_owner {
        app.door.saw_owner();
        return Error::new(Kind::Unauthorised, "signed_out", "Sign in, or send a token: Authorization: Bearer ht_….");
    }
    let how = "Nobody owns this installation yet. Open the set-up link that the server printed, or run `halotrack user add`.";
    Error::new(Kind::Unauthorised, "no_owner", how)
}

/// A signed-in member with this right.
async fn member(app: &App, own: &OwnHosts, route: &Route, ask: &Ask, right: Right, site: Option<Arc<Site>>) -> Result<Proved> {
    let (caller, member) = login(app, own, ask, site.as_deref()).await?;
    let site = site.ok_or_else(no_such_site)?;
    match member {
        None => Err(no_such_site()),
        Some((role, _)) if role < right => Err(missing_right(right)),
        Some((_, sight)) if !sight.is_whole() && !route.keeps_within => Err(only_a_part()),
        Some((_, sight)) => Ok(Proved { caller, site: Some(site), sight }),
    }
}

/// A member of one of these sites; of the others nothing is told.
async fn member_of_any(app: &App, own: &OwnHosts, route: &Route, ask: &Ask, right: Right, sites: Vec<Arc<Site>>) -> Result<Proved> {
    for site in sites {
        match member(app, own, route, ask, right, Some(site)).await {
            Err(e) if e.kind == Kind::NotFound => {}
            proved => return proved,
        }
    }
    member(app, own, route, ask, right, None).await
}

/// The same for a site that is not there and one that is another's.
fn no_such_site() -> Error {
    Error::not_found("There is no such site.")
}

fn only_a_part() -> Error {
    Error::new(Kind::Forbidden, "missing_right", "You are shown a part of this site, and this is not in it.")
}

fn missing_right(right: Right) -> Error {
    Error::new(Kind::Forbidden, "missing_right", format!("Needs the role {}.", right.role()))
}

fn note_use(app: &App, known: &KnownToken, now: Time) {
    let (app, site, id) = (app.clone(), known.token.site, known.token.id);
    tokio::spawn(async move {
        if let Err(e) = app.store.write(site, move |c| tokens::used(c, id, now)).await {
            tracing::warn!(code = e.code, "The last use of a token was not written down");
        }
    });
}

/// The owner sees which key tries what it may not.
fn refusal_noted(app: &App, known: &KnownToken, why: &'static str) {
    let now = app.clock.now();
    let (site, id) = (known.token.site, known.token.id);
    if app.limits.take("refusal", text_key(&format!("{site}/{id}")), REFUSALS, now).is_err() {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        let noted = app.store.write(site, move |c| audit::add(c, &id.to_string(), "refused", &json!({"why": why}), now)).await;
        if let Err(e) = noted {
            tracing::warn!(code = e.code, "A refusal was not written down");
        }
    });
}
