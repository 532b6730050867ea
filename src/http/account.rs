//! A user's own account: password, second factor, signed-in browsers.

use serde_json::{Map, Value, json};

use super::ask::{Ask, Caller};
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::crypto::Secret;
use crate::domain::time::Zone;
use crate::error::{Error, Kind, Result};
use crate::flows::account::{self, Me};
use crate::store::{logins, users};

pub const SHOW: Doc = Doc::new("Login", "The signed-in user's own account and browsers.")
    .answer(r#"{"email":"ann@shop.example","second_factor":true,"recovery_codes":9,"logins":[{"id":"9f2c…","browser":"Chrome on Windows","created_at":"2026-06-13T09:20:00Z","last_seen_at":"2026-06-13T09:21:00Z","is_this":true}]}"#)
    .statuses(&[200]);
pub const PROVE: Doc = Doc::new("Login", "Gives the password again: for a quarter of an hour it counts for secrets and people.")
    .body(r#"{"password":"correct horse battery staple"}"#)
    .nothing()
    .statuses(&[204, 422, 429]);
pub const PASSWORD: Doc = Doc::new("Login", "Changes the password; every other browser is signed out.")
    .body(r#"{"old":"correct horse battery staple","new":"another long sentence"}"#)
    .nothing()
    .statuses(&[204, 422, 429]);
pub const OFFER: Doc = Doc::new("Login", "A key for an authenticator, to be put in force with a code that it makes.")
    .body("{}")
    .answer(r#"{"address":"otpauth://totp/HaloTrack:ann%40shop.example?secret=…&issuer=HaloTrack","key":"JBSW…"}"#)
    .statuses(&[200]);
pub const SECOND_FACTOR: Doc = Doc::new("Login", "Puts the offered key in force and gives ten recovery codes, once.")
    .body(r#"{"key":"JBSW…","code":"123456"}"#)
    .answer(r#"{"recovery_codes":["abcde-fghij"]}"#)
    .statuses(&[200, 422]);
pub const NO_SECOND_FACTOR: Doc = Doc::new("Login", "Signs in without a second factor from now on.").body("{}").nothing().statuses(&[204]);
pub const END_LOGIN: Doc = Doc::new("Login", "Signs another browser out.").body(r#"{"login":"9f2c…"}"#).nothing().statuses(&[204, 404]);

/// What a borrowed browser must not do wants the password again.
pub fn check_proved(app: &App, ask: &Ask) -> Result<()> {
    match &ask.caller {
        Caller::User { proved_at, .. } if account::is_proved(*proved_at, app.clock.now()) => Ok(()),
        _ => Err(Error::new(
            Kind::Forbidden,
            "prove_again",
            "Type your password once more: a browser left open must not be enough for this.",
        )),
    }
}

/// `GET /api/me/account`
pub async fn show(app: App, ask: Ask) -> Result<Reply> {
    let (user, own) = ask.user()?;
    let now = app.clock.now();
    let (known, codes, browsers) = app
        .store
        .read_all_sites(move |all| {
            Ok((users::get(all, user)?, users::count_recovery_codes(all, user)?, logins::list(all, user, &own, now)?))
        })
        .await?;
    let zone = Zone::utc();
    let browsers: Vec<Value> = browsers
        .iter()
        .map(|l| {
            json!({"id": l.id, "browser": l.browser, "created_at": zone.text(l.created_at), "last_seen_at": zone.text(l.last_seen_at), "is_this": l.is_own})
        })
        .collect();
    Reply::json(&json!({"email": known.email, "second_factor": known.has_totp, "recovery_codes": codes, "logins": browsers}))
}

/// `POST /api/me/prove`
pub async fn prove(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    account::prove(&app, me(&ask)?, secret(&fields, "password")?).await?;
    Ok(Reply::empty(204))
}

/// `POST /api/me/password`
pub async fn password(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    account::change_password(&app, me(&ask)?, secret(&fields, "old")?, secret(&fields, "new")?).await?;
    Ok(Reply::empty(204))
}

/// `POST /api/me/second-factor/offer`
pub async fn offer(app: App, ask: Ask) -> Result<Reply> {
    check_proved(&app, &ask)?;
    let Caller::User { email, .. } = &ask.caller else { return Err(Error::internal("a user's route without a user")) };
    let (address, key) = account::offer_second_factor(email);
    Reply::json(&json!({"address": address, "key": key}))
}

/// `POST /api/me/second-factor`
pub async fn second_factor(app: App, ask: Ask) -> Result<Reply> {
    check_proved(&app, &ask)?;
    let fields = reader::object(&ask.body)?;
    let (key, code) = (reader::required(&fields, "key", 64)?, reader::required(&fields, "code", 16)?);
    let codes = account::set_second_factor(&app, me(&ask)?, key, code).await?;
    Reply::json(&json!({ "recovery_codes": codes }))
}

/// `POST /api/me/second-factor/remove`
pub async fn no_second_factor(app: App, ask: Ask) -> Result<Reply> {
    check_proved(&app, &ask)?;
    account::remove_second_factor(&app, me(&ask)?).await?;
    Ok(Reply::empty(204))
}

/// `POST /api/me/logins/end`
pub async fn end_login(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    let id = reader::required(&fields, "login", 64)?.to_owned();
    account::end_login(&app, me(&ask)?, id).await?;
    Ok(Reply::empty(204))
}

fn me(ask: &Ask) -> Result<Me> {
    let (user, login) = ask.user()?;
    Ok(Me { user, login, client: ask.client })
}

fn secret(fields: &Map<String, Value>, name: &str) -> Result<Secret> {
    Ok(Secret::new(reader::required(fields, name, 1_000)?))
}
