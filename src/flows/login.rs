//! Signing in and out, the first owner, invitations, new passwords.

use std::net::IpAddr;

use crate::app::App;
use crate::crypto::{self, Secret};
use crate::domain::ids::{SiteId, UserId};
use crate::domain::person::Email;
use crate::domain::rights::Right;
use crate::domain::time::{DAY_MS, MINUTE_MS, Time};
use crate::error::{Error, Kind, Result};
use crate::limits::{Rate, address_key, text_key};
use crate::password;
use crate::store::one_time_links::{OneTimeKind, OneTimeLink};
use crate::store::scope::AllSites;
use crate::store::users::{Proof, User};
use crate::store::{logins, one_time_links, users};
use crate::totp;

const FIRST_OWNER_MS: i64 = 30 * MINUTE_MS;
const INVITE_MS: i64 = 7 * DAY_MS;
/// Attempts of one address, whatever the account.
const PER_ADDRESS: Rate = Rate::per_minute(5, 10);
/// Looks of one address at one-time links.
const LOOKS: Rate = Rate::per_minute(30, 30);

/// What somebody typed into the login page.
pub struct Attempt {
    pub email: String,
    pub password: Secret,
    pub code: Option<String>,
    pub client: IpAddr,
    /// In a few words, for the list of logins.
    pub browser: String,
    /// The address is a trusted proxy's own: limits by address skip it.
    pub is_trusted: bool,
}

/// A user, and the value of the cookie that proves it from now on.
pub struct SignedIn {
    pub user: User,
    pub cookie: Secret,
}

pub async fn sign_in(app: &App, attempt: Attempt) -> Result<SignedIn> {
    let now = app.clock.now();
    let network = address_key(attempt.client);
    if !attempt.is_trusted {
        app.limits.take("login", network, PER_ADDRESS, now).map_err(too_many)?;
    }
    let account = text_key(&attempt.email.trim().to_lowercase());
    app.door.begin_guess(account, network, now).map_err(too_many)?;
    let email = Email::parse(&attempt.email);
    let proof = match email {
        Some(email) => app.store.read_all_sites(move |all| users::find_proof(all, &email)).await?,
        None => None,
    };
    let hash = proof.as_ref().and_then(|p| p.password_hash.clone());
    let password = attempt.password;
    // Also for nobody, so that the time does not tell who is known here.
    let fits = app.door.hash(move || password::fits(password.reveal(), hash.as_deref())).await?;
    let Some(proof) = proof.filter(|_| fits) else { return Err(refused()) };
    check_second_factor(app, &proof, attempt.code.as_deref(), now).await.inspect_err(|e| {
        // The password was right and nothing was guessed yet.
        if e.code == "totp_required" {
            app.door.took_back(account, network);
        }
    })?;
    app.door.guessed_right(account, network);
    open(app, proof.user.id, attempt.browser, now).await
}

async fn check_second_factor(app: &App, proof: &Proof, code: Option<&str>, now: Time) -> Result<()> {
    let Some(key) = &proof.totp else { return Ok(()) };
    let Some(code) = code.map(str::trim).filter(|c| !c.is_empty()) else {
        return Err(Error::new(Kind::Unauthorised, "totp_required", "Type the six digits of your authenticator, or a recovery code."));
    };
    let id = proof.user.id;
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let is_taken = match totp::step_of(key, &digits, proof.totp_step, now) {
        Some(step) => app.store.write_all_sites(move |all| users::take_totp_step(all, id, step)).await?,
        None => {
            let hash = totp::recovery_hash(code);
            app.store.write_all_sites(move |all| users::take_recovery_code(all, id, &hash, now)).await?
        }
    };
    if is_taken { Ok(()) } else { Err(refused()) }
}

/// Ends the login of a cookie.
pub async fn sign_out(app: &App, hash: [u8; 32]) -> Result<()> {
    app.store.write_all_sites(move |all| logins::remove(all, &hash)).await
}

/// The address that makes the first owner, where the box has none. Printed at the start.
pub async fn first_link(app: &App) -> Result<Option<String>> {
    if app.store.read_all_sites(users::has_owner).await? {
        return Ok(None);
    }
    let link = OneTimeLink { kind: OneTimeKind::FirstOwner, user: None, expires_at: app.clock.now().plus_ms(FIRST_OWNER_MS) };
    add_link(app, link).await.map(Some)
}

/// Makes a user, or adds a role to one, and gives the address where the password is chosen. Without a site an owner
/// owns the box.
pub async fn invite(app: &App, email: &str, role: Right, site: Option<SiteId>) -> Result<String> {
    let user = add_user(app, email, role, site).await?;
    invite_link(app, user).await
}

/// The address where an invited user chooses a password; earlier ones stop working.
pub async fn invite_link(app: &App, user: UserId) -> Result<String> {
    let link = OneTimeLink { kind: OneTimeKind::Invite, user: Some(user), expires_at: app.clock.now().plus_ms(INVITE_MS) };
    add_link(app, link).await
}

/// The same with a password that was given at once.
pub async fn add_with_password(app: &App, email: &str, role: Right, site: Option<SiteId>, password: Secret) -> Result<UserId> {
    let address = address(email)?;
    password::check(password.reveal(), &address)?;
    let user = add_user(app, email, role, site).await?;
    set_password(app, user, password).await?;
    Ok(user)
}

/// Makes the user, or only adds the role where there is one of that address.
pub async fn add_user(app: &App, email: &str, role: Right, site: Option<SiteId>) -> Result<UserId> {
    let email = address(email)?;
    let is_box_owner = role == Right::Own && site.is_none();
    let site = match site {
        Some(site) => Some(site),
        None if is_box_owner => None,
        None => match app.book().sites() {
            [only] => Some(only.id),
            _ => return Err(Error::invalid("site", format!("Name the site: a role of {} is for one site.", role.role()))),
        },
    };
    let now = app.clock.now();
    app.store
        .write_all_sites(move |all| {
            let id = match users::find_by_email(all, &email)? {
                Some(user) => user.id,
                None => users::add(all, &email, is_box_owner, now)?,
            };
            if is_box_owner {
                users::set_owner(all, id, true)?;
            }
            if let Some(site) = site {
                users::set_member(&all.of(site), id, role)?;
            }
            Ok(id)
        })
        .await
}

/// A new password ends every login of the user, and makes the first owner's link useless where an owner now exists.
pub async fn set_password(app: &App, user: UserId, password: Secret) -> Result<()> {
    let email = app.store.read_all_sites(move |all| users::get(all, user)).await?.email;
    password::check(password.reveal(), &address(&email)?)?;
    let hash = app.door.hash(move || password::hash(password.reveal())).await??;
    app.store
        .write_all_sites(move |all| {
            users::set_password(all, user, &hash)?;
            logins::remove_others(all, user, None)?;
            if users::has_owner(all)? { one_time_links::remove_first_owner(all) } else { Ok(()) }
        })
        .await
}

/// Nobody guesses 256 bits, but each try costs a look at the database.
pub fn may_look(app: &App, client: IpAddr) -> Result<()> {
    app.limits.take("link", address_key(client), LOOKS, app.clock.now()).map_err(too_many)
}

/// What a one-time link is for, without using it up.
pub async fn look(app: &App, token: &str) -> Result<(OneTimeKind, Option<String>)> {
    let now = app.clock.now();
    let hash = crypto::sha256(token.as_bytes());
    app.store
        .read_all_sites(move |all| {
            let link = one_time_links::find(all, &hash, now)?.ok_or_else(expired)?;
            let email = link.user.map(|id| users::get(all, id)).transpose()?.map(|user| user.email);
            Ok((link.kind, email))
        })
        .await
}

/// Takes up a link: the first owner names an address, an invited one has it already; both choose a password.
pub async fn set_up(app: &App, token: &str, email: Option<&str>, password: Secret, browser: String) -> Result<SignedIn> {
    let (kind, invited) = look(app, token).await?;
    let email = match (kind, invited) {
        (OneTimeKind::Invite, Some(email)) => address(&email)?,
        _ => address(email.unwrap_or_default())?,
    };
    password::check(password.reveal(), &email)?;
    let password_hash = app.door.hash(move || password::hash(password.reveal())).await??;
    let now = app.clock.now();
    let hash = crypto::sha256(token.as_bytes());
    let user = app
        .store
        .write_all_sites(move |all| {
            let link = one_time_links::take(all, &hash, now)?.ok_or_else(expired)?;
            let user = taker(all, &link, &email, now)?;
            users::set_password(all, user, &password_hash)?;
            logins::remove_others(all, user, None)?;
            if users::has_owner(all)? {
                one_time_links::remove_first_owner(all)?;
            }
            Ok(user)
        })
        .await?;
    open(app, user, browser, now).await
}

/// Who takes the link up. Between looking and taking an owner may have come by another way.
fn taker(all: &AllSites, link: &OneTimeLink, email: &Email, now: Time) -> Result<UserId> {
    match (link.kind, link.user) {
        (OneTimeKind::Invite, Some(user)) => Ok(user),
        (OneTimeKind::Invite, None) => Err(expired()),
        (OneTimeKind::FirstOwner, _) if users::has_owner(all)? => Err(expired()),
        (OneTimeKind::FirstOwner, _) => match users::find_by_email(all, email)? {
            Some(user) => users::set_owner(all, user.id, true).map(|()| user.id),
            None => users::add(all, email, true, now),
        },
    }
}

/// A fresh login: 256 random bits, of which only the hash is kept.
async fn open(app: &App, user: UserId, browser: String, now: Time) -> Result<SignedIn> {
    let cookie = Secret::new(crypto::random_text(32));
    let hash = crypto::sha256(cookie.reveal().as_bytes());
    let user = app
        .store
        .write_all_sites(move |all| {
            logins::prune(all, now)?;
            logins::add(all, &hash, user, now)?;
            logins::set_browser(all, &hash, &browser)?;
            users::set_last_login(all, user, now)?;
            users::get(all, user)
        })
        .await?;
    Ok(SignedIn { user, cookie })
}

async fn add_link(app: &App, link: OneTimeLink) -> Result<String> {
    let token = crypto::random_text(32);
    let hash = crypto::sha256(token.as_bytes());
    app.store.write_all_sites(move |all| one_time_links::add(all, &hash, &link)).await?;
    Ok(format!("{}/setup/{token}", app.config.public_url))
}

fn address(text: &str) -> Result<Email> {
    Email::parse(text).filter(|e| e.as_str().len() <= 254).ok_or_else(|| Error::invalid("email", "This is no e-mail address."))
}

fn refused() -> Error {
    Error::new(Kind::Unauthorised, "bad_credentials", "The e-mail address, the password or the code is wrong.")
}

fn expired() -> Error {
    Error::new(
        Kind::NotFound,
        "link_expired",
        "This link was used or is too old. The server prints a new one when it starts, and `halotrack user add` another.",
    )
}

fn too_many(seconds: u32) -> Error {
    Error::new(Kind::TooMany, "too_many", format!("Too many attempts. Try again in {seconds} s.")).after(seconds)
}
