//! Users and tokens by command.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::command::site_named;
use crate::app::App;
use crate::crypto::Secret;
use crate::domain::rights::{Right, Scope};
use crate::domain::time::{DAY_MS, HOUR_MS, Time};
use crate::error::{Error, Result};
use crate::flows::{COMMAND_LINE, login, tokens as flow};
use crate::store::tokens;

#[derive(Clone, Serialize, Deserialize)]
pub struct UserForm {
    pub email: String,
    pub role: String,
    pub site: Option<String>,
    pub password: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct TokenForm {
    pub site: String,
    pub name: String,
    /// `read,write`
    pub scopes: String,
    /// `365d`, `12h`, or a day
    pub expires: Option<String>,
    /// The owner's own secret.
    pub value: Option<String>,
}

/// With a password the user can sign in at once; else a link is given where one is chosen.
pub async fn add_user(app: &App, form: UserForm) -> Result<Value> {
    let role = Right::of_role(&form.role)
        .ok_or_else(|| Error::invalid("role", format!("{:?} is none of owner, editor, analyst, client.", form.role)))?;
    let site = form.site.as_deref().map(|s| site_named(app, s)).transpose()?;
    let id = site.as_ref().map(|s| s.id);
    let link = match form.password {
        Some(password) => {
            login::add_with_password(app, &form.email, role, id, Secret::new(password)).await?;
            None
        }
        None => Some(login::invite(app, &form.email, role, id).await?),
    };
    app.refresh().await?;
    Ok(json!({"email": form.email, "role": role.role(), "site": site.map(|s| s.slug.clone()), "link": link}))
}

pub async fn create_token(app: &App, form: TokenForm) -> Result<Value> {
    let site = site_named(app, &form.site)?;
    let scopes = Scope::parse_list(&form.scopes)
        .map_err(|word| Error::invalid("scope", format!("{word:?} is none of {}.", Scope::list_words(&Scope::ALL))))?;
    let name = form.name.trim().to_owned();
    if !(1..=100).contains(&name.chars().count()) {
        return Err(Error::invalid("name", "The name is a text of 1 to 100 characters."));
    }
    let expires_at = form.expires.as_deref().map(|text| end(text, app.clock.now())).transpose()?;
    let words: Vec<&str> = scopes.iter().map(|s| s.word()).collect();
    let token = flow::create(app, COMMAND_LINE, site.id, name.clone(), scopes.clone(), expires_at, form.value.map(Secret::new)).await?;
    Ok(json!({
        "token": token.reveal(),
        "site": site.slug,
        "name": name,
        "scopes": words,
        "expires_at": expires_at.map(|at| site.zone.text(at)),
    }))
}

/// No token's text is in the list, only its last four characters.
pub async fn list_tokens(app: &App, site: Option<&str>) -> Result<Value> {
    let book = app.book();
    let sites = match site {
        Some(word) => vec![site_named(app, word)?],
        None => book.sites().to_vec(),
    };
    let mut all = Vec::new();
    for site in sites {
        for token in app.store.read(site.id, tokens::list).await? {
            all.push(json!({
                "token": token.id,
                "site": site.slug,
                "name": token.name,
                "scopes": token.scopes.iter().map(|s| s.word()).collect::<Vec<_>>(),
                "ends_in": token.hint,
                "created_at": site.zone.text(token.created_at),
                "expires_at": token.expires_at.map(|at| site.zone.text(at)),
                "last_used_at": token.last_used_at.map(|at| site.zone.text(at)),
            }));
        }
    }
    Ok(Value::Array(all))
}

pub async fn revoke_token(app: &App, site: &str, token: &str) -> Result<Value> {
    let site = site_named(app, site)?;
    let id = token.parse().map_err(|()| Error::invalid("token", "Name the token by its id from `token list`, such as token_3."))?;
    flow::revoke(app, COMMAND_LINE, site.id, id).await?;
    Ok(json!({"token": id, "revoked": true}))
}

/// `365d`, `52w`, `12h`, or the day after which it ends.
fn end(text: &str, now: Time) -> Result<Time> {
    let wrong = || Error::invalid("expires", format!("{text:?} is no time such as 365d, 12h or 2027-01-31."));
    let split = text.len().saturating_sub(1);
    let unit_ms = match text.get(split..) {
        Some("d") => DAY_MS,
        Some("w") => 7 * DAY_MS,
        Some("h") => HOUR_MS,
        _ => return Time::parse(text).filter(|_| text.len() >= 10).ok_or_else(wrong),
    };
    let count: i64 = text[..split].parse().ok().filter(|n| (1..=100_000).contains(n)).ok_or_else(wrong)?;
    Ok(now.plus_ms(count * unit_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_read() {
        let now = Time::parse("2026-06-13T00:00:00Z").expect("a time");
        let read = |text| end(text, now).map(|t| t.utc()).ok();
        assert_eq!(read("365d").as_deref(), Some("2027-06-13T00:00:00Z"));
        assert_eq!(read("12h").as_deref(), Some("2026-06-13T12:00:00Z"));
        assert_eq!(read("2027-01-31").as_deref(), Some("2027-01-31T00:00:00Z"));
        for bad in ["", "d", "0d", "-1d", "soon", "365", "9é"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
