//! A user's own account: password, second factor, signed-in browsers. What changes who can sign in wants the password
//! again, and ends every other login.

use std::net::IpAddr;

use crate::app::App;
use crate::crypto::Secret;
use crate::domain::ids::UserId;
use crate::domain::person::Email;
use crate::domain::time::{MINUTE_MS, Time};
use crate::error::{Error, Kind, Result};
use crate::limits::{address_key, text_key};
use crate::store::users::Proof;
use crate::store::{logins, users};
use crate::{password, totp};

/// For this long a password that was given counts for secrets, people and exports of secrets.
const PROVED_MS: i64 = 15 * MINUTE_MS;

/// Who asks: the user, the login and the address that guesses are counted for.
#[derive(Debug, Clone, Copy)]
pub struct Me {
    pub user: UserId,
    pub login: [u8; 32],
    pub client: IpAddr,
}

/// Whether the password was given a short while ago.
pub fn is_proved(proved_at: Time, now: Time) -> bool {
    now.ms_since(proved_at) <= PROVED_MS
}

/// The password again, for what a borrowed browser must not do.
pub async fn prove(app: &App, me: Me, given: Secret) -> Result<()> {
    check_password(app, me, given).await?;
    let now = app.clock.now();
    app.store.write_all_sites(move |all| logins::proved(all, &me.login, now)).await
}

pub async fn change_password(app: &App, me: Me, old: Secret, new: Secret) -> Result<()> {
    let proof = check_password(app, me, old).await?;
    let email = Email::parse(&proof.user.email).ok_or_else(|| Error::internal("a user without an address"))?;
    password::check(new.reveal(), &email)?;
    let hash = app.door.hash(move || password::hash(new.reveal())).await??;
    let now = app.clock.now();
    app.store
        .write_all_sites(move |all| {
            users::set_password(all, me.user, &hash)?;
            logins::proved(all, &me.login, now)?;
            logins::remove_others(all, me.user, Some(&me.login)).map(drop)
        })
        .await
}

/// A key for an authenticator, not in force yet: the address for the square code and the key as text.
pub fn offer_second_factor(email: &str) -> (String, String) {
    let key = totp::fresh_key();
    (totp::address(&key, email), totp::key_text(&key))
}

/// Puts a key in force that the user's authenticator has shown to know, and gives the recovery codes, once.
pub async fn set_second_factor(app: &App, me: Me, key_text: &str, code: &str) -> Result<Vec<String>> {
    let key = totp::key_of(key_text).ok_or_else(|| Error::invalid("key", "Ask for a key first."))?;
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let step = totp::step_of(&key, &digits, 0, app.clock.now())
        .ok_or_else(|| Error::invalid("code", "This code does not fit. Check the clock of your phone, and type the newest one."))?;
    let codes = totp::fresh_recovery_codes();
    let hashes: Vec<[u8; 32]> = codes.iter().map(|c| totp::recovery_hash(c)).collect();
    app.store
        .write_all_sites(move |all| {
            users::set_totp(all, me.user, Some(&key), &hashes)?;
            users::take_totp_step(all, me.user, step)?;
            logins::remove_others(all, me.user, Some(&me.login)).map(drop)
        })
        .await?;
    Ok(codes)
}

pub async fn remove_second_factor(app: &App, me: Me) -> Result<()> {
    app.store
        .write_all_sites(move |all| {
            users::set_totp(all, me.user, None, &[])?;
            logins::remove_others(all, me.user, Some(&me.login)).map(drop)
        })
        .await
}

/// Ends one other browser's login.
pub async fn end_login(app: &App, me: Me, id: String) -> Result<()> {
    let is_gone = app.store.write_all_sites(move |all| logins::remove_named(all, me.user, &id)).await?;
    if is_gone { Ok(()) } else { Err(Error::not_found("This login is over already.")) }
}

/// Guesses are counted like those of the sign-in page, or a borrowed browser could try passwords without end.
async fn check_password(app: &App, me: Me, given: Secret) -> Result<Proof> {
    let now = app.clock.now();
    let proof = app
        .store
        .read_all_sites(move |all| {
            let email = users::get(all, me.user)?.email;
            let email = Email::parse(&email).ok_or_else(|| Error::internal("a user without an address"))?;
            users::find_proof(all, &email)
        })
        .await?
        .ok_or_else(|| Error::internal("a login without its user"))?;
    let account = text_key(&proof.user.email);
    let network = address_key(me.client);
    app.door
        .begin_guess(account, network, now)
        .map_err(|seconds| Error::new(Kind::TooMany, "too_many", format!("Too many attempts. Try again in {seconds} s.")).after(seconds))?;
    let hash = proof.password_hash.clone();
    let fits = app.door.hash(move || password::fits(given.reveal(), hash.as_deref())).await?;
    if !fits {
        return Err(Error::invalid("password", "This is not your password."));
    }
    app.door.guessed_right(account, network);
    Ok(proof)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_counts_for_a_quarter_of_an_hour() {
        let at = Time::from_s(1_000_000);
        assert!(is_proved(at, at.plus_ms(PROVED_MS)));
        assert!(!is_proved(at, at.plus_ms(PROVED_MS + 1)));
        assert_ne!(offer_second_factor("a@b.example").1, offer_second_factor("a@b.example").1);
    }
}
