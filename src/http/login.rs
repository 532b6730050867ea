//! The dashboard's own people: who is signed in, signing in and out, taking up a one-time link.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::access::{cookie_hashes, login_cookie};
use super::ask::{Ask, Caller};
use super::json;
use super::reply::Reply;
use super::reports::patient;
use super::route::{Doc, Right};
use crate::app::App;
use crate::crypto::Secret;
use crate::domain::question::{ConversionFilter, Days};
use crate::domain::sight::Sight;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows;
use crate::flows::login::{self, Attempt, SignedIn};
use crate::store::logins::LONGEST_MS;
use crate::store::questions::overview;
use crate::store::sites::Site;
use crate::store::users::User;
use crate::store::{sites, users};

/// When the first visit and the first conversion were.
type Beginnings = (Option<Time>, Option<Time>);

/// Longer texts are no address and no password that is taken.
const LONGEST_TEXT: usize = 1_000;

pub const ME: Doc = Doc::new("Login", "Who is signed in, and the sites that may be seen.")
    .answer(
        r#"{"user":{"id":"user_1","email":"ann@shop.example","name":null},"sites":[{"site":"shop","name":"Shop","role":"owner","part":false,"locked":false,"hides_money":false,"hides_people":false,"currency":"EUR","zone":"Europe/Dublin","domains":["shop.example"],"public_key":"k3jPq0dVb2aXr5Tz","snippet":"<script defer src=\"https://t.shop.example/t.js\" data-site=\"k3jPq0dVb2aXr5Tz\"></script>","consent":"auto","model":"last_non_direct","window":30,"first_touch_at":"2026-06-01T09:20:00+01:00","first_conversion_at":null}],"version":"0.1.0","demo":false,"may_add_site":true}"#,
    )
    .statuses(&[200, 401]);

pub async fn me(app: App, ask: Ask) -> Result<Reply> {
    let Caller::User { id, email, is_box_owner, .. } = &ask.caller else { return Ok(Reply::empty(204)) };
    let (user, is_owner) = (*id, *is_box_owner);
    let memberships = app.store.read_all_sites(move |all| users::list_memberships(all, user)).await?;
    let book = app.book();
    let mut shown = Vec::new();
    for site in book.sites() {
        let role = memberships.iter().find(|(id, _)| *id == site.id).map(|(_, right)| *right);
        if let Some(role) = if is_owner { Some(Right::Own) } else { role } {
            let (beginnings, member) =
                app.store.read(site.id, move |c| Ok((sites::find_beginnings(c)?, users::find_member(c, user)?))).await?;
            let sight = member.filter(|_| !is_owner).map(|(_, sight)| sight).unwrap_or_default();
            let (first_touch, first_conversion) = match sight.segment.is_open() {
                true => beginnings,
                false => beginnings_within(&app, site, &sight, beginnings).await?,
            };
            shown.push(json!({
                "site": site.slug, "name": site.name, "role": role.role(), "part": !sight.is_whole(), "locked": !sight.segment.is_open(),
                "hides_money": sight.hides_money, "hides_people": sight.hides_people, "currency": site.currency.code(), "zone": site.zone.name(),
                "domains": site.domains, "public_key": site.public_key, "snippet": flows::sites::snippet(&app.config.public_url, &site.public_key), "consent": site.consent.as_str(),
                "model": site.settings.policy.model, "window": site.settings.policy.window_days.map_or(json!("unlimited"), |days| json!(days)),
                "first_touch_at": first_touch.map(|at| site.zone.text(at)),
                "first_conversion_at": first_conversion.map(|at| site.zone.text(at)),
            }));
        }
    }
    Reply::json(&json!({
        "user": {"id": user, "email": email, "name": null}, "sites": shown, "version": env!("CARGO_PKG_VERSION"), "demo": app.is_demo(),
        "may_add_site": is_owner,
    }))
}

/// When a part of a site began: the first days on which it has a visit, and a conversion. The moments themselves are of the whole.
async fn beginnings_within(app: &App, site: &Arc<Site>, sight: &Sight, whole: Beginnings) -> Result<Beginnings> {
    let Some(first) = [whole.0, whole.1].into_iter().flatten().min() else { return Ok((None, None)) };
    let days = Days { from: site.zone.day(first), to: site.zone.day(app.clock.now()) };
    let filter = ConversionFilter::default().within(sight)?;
    let zone = site.zone.clone();
    let (visit, conversion) = patient(app, site, move |c| overview::first_days(c, &zone, days, &filter)).await?;
    Ok((visit.map(|day| site.zone.start(day)), conversion.map(|day| site.zone.start(day))))
}

pub const SIGN_IN: Doc = Doc::new("Login", "Signs in with an e-mail address and a password, and with a code where a second factor is set.")
    .body(r#"{"email":"ann@shop.example","password":"correct horse battery staple","totp":"123456"}"#)
    .answer(r#"{"user":{"id":"user_1","email":"ann@shop.example","name":null}}"#)
    .statuses(&[200, 401, 429]);

pub async fn sign_in(app: App, ask: Ask) -> Result<Reply> {
    let fields = json::object(&ask.body)?;
    let attempt = Attempt {
        email: json::required(&fields, "email", LONGEST_TEXT)?.to_owned(),
        password: password_of(&fields)?,
        code: json::text(&fields, "totp", 64)?.map(str::to_owned),
        client: ask.client,
        browser: browser_of(&app, &ask),
        is_trusted: ask.is_proxy_itself(),
    };
    let signed_in = login::sign_in(&app, attempt).await?;
    end_old(&app, &ask).await?;
    welcome(&app, &ask, &signed_in)
}

pub const SIGN_OUT: Doc = Doc::new("Login", "Signs out.").nothing().statuses(&[204]);

pub async fn sign_out(app: App, ask: Ask) -> Result<Reply> {
    end_old(&app, &ask).await?;
    Ok(Reply::empty(204).with("set-cookie", cookie(&app, &ask, "", 0)))
}

pub const LOOK: Doc =
    Doc::new("Login", "What a one-time link is for.").answer(r#"{"kind":"invite","email":"ben@shop.example"}"#).statuses(&[200, 404]);

pub async fn look(app: App, ask: Ask) -> Result<Reply> {
    if !ask.is_proxy_itself() {
        login::may_look(&app, ask.client)?;
    }
    let (kind, email) = login::look(&app, ask.param("token")).await?;
    Reply::json(&json!({"kind": kind.word(), "email": email}))
}

pub const SET_UP: Doc =
    Doc::new("Login", "Takes up a one-time link: chooses a password, and an address where the link makes the first owner.")
        .body(r#"{"token":"pW6…","email":"ann@shop.example","password":"correct horse battery staple"}"#)
        .answer(r#"{"user":{"id":"user_1","email":"ann@shop.example","name":null}}"#)
        .statuses(&[200, 404, 422]);

pub async fn set_up(app: App, ask: Ask) -> Result<Reply> {
    if !ask.is_proxy_itself() {
        login::may_look(&app, ask.client)?;
    }
    let fields = json::object(&ask.body)?;
    let token = json::required(&fields, "token", 200)?;
    let email = json::text(&fields, "email", LONGEST_TEXT)?;
    let signed_in = login::set_up(&app, token, email, password_of(&fields)?, browser_of(&app, &ask)).await?;
    end_old(&app, &ask).await?;
    welcome(&app, &ask, &signed_in)
}

/// `Chrome on Windows`
fn browser_of(app: &App, ask: &Ask) -> String {
    let device = app.agents.read(ask.header("user-agent").unwrap_or_default()).device;
    format!("{} on {}", device.browser, device.system)
}

fn password_of(fields: &Map<String, Value>) -> Result<Secret> {
    Ok(Secret::new(json::required(fields, "password", LONGEST_TEXT)?))
}

/// Whatever login the browser came with is over, so that nobody can plant one.
async fn end_old(app: &App, ask: &Ask) -> Result<()> {
    for hash in cookie_hashes(app, ask) {
        login::sign_out(app, hash).await?;
    }
    Ok(())
}

fn welcome(app: &App, ask: &Ask, signed_in: &SignedIn) -> Result<Reply> {
    let cookie = cookie(app, ask, signed_in.cookie.reveal(), LONGEST_MS / 1_000);
    Ok(Reply::json(&json!({"user": shown(&signed_in.user)}))?.with("set-cookie", cookie))
}

fn shown(user: &User) -> Value {
    json!({"id": user.id, "email": user.email, "name": null})
}

fn cookie(app: &App, ask: &Ask, value: &str, seconds: i64) -> String {
    let secure = if ask.is_https { "; Secure" } else { "" };
    format!("{}={value}; Path=/; Max-Age={seconds}{secure}; HttpOnly; SameSite=Lax", login_cookie(app, ask))
}
