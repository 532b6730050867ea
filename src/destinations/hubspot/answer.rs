//! What HubSpot's answers mean. A batch is read item by item: a refusal inside a success is a refusal.
//! <https://developers.hubspot.com/docs/reference/api/other-resources/error-handling>

use serde_json::Value;

use super::deal;
use crate::destinations::kit;
use crate::domain::steps::{State, Verdict, by_status, retry_after_ms};
use crate::domain::time::{HOUR_MS, SECOND_MS};
use crate::wire::Response;

/// What became of a deal.
pub enum Deal {
    /// It stands under this id.
    Kept(String),
    /// The portal has no such property, or one that is not unique.
    NoProperty,
    /// The portal counts in one currency alone.
    NoCurrency,
    Judged(Verdict),
}

/// Answers that mean the same whatever was asked: limits, credentials, passing trouble.
pub fn stopped(response: &Response) -> Option<Verdict> {
    let body = response.json().unwrap_or_default();
    let said = said(&body);
    Some(match response.status {
        401 => Verdict::Pause("HubSpot refuses the access token: it was revoked or belongs to another account. Enter a new one.".into()),
        403 => Verdict::Pause(format!(
            "The access token may not do this{said}. In HubSpot, let the key read and write contacts and deals, and write deal properties, then enter it again."
        )),
        423 => Verdict::Retry { after_ms: Some(2 * SECOND_MS), sentence: "HubSpot has locked the record for a moment.".into() },
        429 => limited(response, &body),
        477 => Verdict::Retry {
            after_ms: retry_after_ms(response).or(Some(HOUR_MS)),
            sentence: "HubSpot is moving the account to another region.".into(),
        },
        408 | 425 | 500..=599 => by_status("HubSpot", response),
        _ => return None,
    })
}

fn limited(response: &Response, body: &Value) -> Verdict {
    let asked = retry_after_ms(response);
    match body["policyName"].as_str().unwrap_or_default() {
        // Until midnight of the portal's own zone, which is not told: an hour at a time.
        "DAILY" => Verdict::Retry {
            after_ms: asked.or(Some(HOUR_MS)),
            sentence: "The requests that HubSpot takes in a day are used up. It goes on after midnight of its zone.".into(),
        },
        _ => {
            Verdict::Retry { after_ms: asked.or(Some(10 * SECOND_MS)), sentence: "HubSpot takes no more requests for some seconds.".into() }
        }
    }
}

/// The id of the only item of a batch.
pub fn item(response: &Response) -> Result<String, Verdict> {
    let body = response.json().unwrap_or_default();
    if !response.is_success() {
        return Err(refused(response.status, &body));
    }
    if let Some(error) = body["errors"].as_array().and_then(|all| all.first()) {
        return Err(refused(response.status, error));
    }
    match id_of(&body["results"][0]) {
        Some(id) => Ok(id),
        None => Err(Verdict::Retry { after_ms: None, sentence: "HubSpot answered without saying what it kept.".into() }),
    }
}

pub fn deal(response: &Response, property: &str) -> Deal {
    let body = response.json().unwrap_or_default();
    let error = if response.is_success() { body["errors"].get(0).cloned() } else { Some(body) };
    let Some(error) = error else {
        return match item(response) {
            Ok(id) => Deal::Kept(id),
            Err(verdict) => Deal::Judged(verdict),
        };
    };
    let words = error.to_string();
    let names = |name: &str| words.contains(name);
    let is_unknown = names("PROPERTY_DOESNT_EXIST") || names("does not exist") || names("hasUniqueValue") || names("unique");
    match () {
        () if names(deal::CURRENCY) => Deal::NoCurrency,
        () if names(property) && is_unknown => Deal::NoProperty,
        () => Deal::Judged(refused(response.status, &error)),
    }
}

/// The property was made, or had been made before.
pub fn property(response: &Response) -> Result<(), Verdict> {
    let body = response.json().unwrap_or_default();
    match response.status {
        200..=299 | 409 => Ok(()),
        _ => Err(Verdict::Pause(format!(
            "HubSpot does not let us make the deal property that tells our deals apart{}. Make it there yourself: Settings → Properties → \
             Deal properties, a single line of text with unique values only; enter its internal name here.",
            said(&body)
        ))),
    }
}

pub fn portal_currency(response: &Response) -> Result<String, Verdict> {
    let body = response.json().unwrap_or_default();
    match body["companyCurrency"].as_str() {
        Some(code) if response.is_success() => Ok(code.to_owned()),
        _ => {
            Err(Verdict::Refused(format!("HubSpot does not take the currency of this amount, nor say which it counts in{}.", said(&body))))
        }
    }
}

pub fn link(response: &Response, state: &State) -> Verdict {
    let text = |key: &str| state[key].as_str().unwrap_or_default();
    match response.status {
        200..=299 => Verdict::Delivered(format!("HubSpot has the contact ({}) and the deal ({}).", text("contact"), text("made_deal"))),
        _ => refused(response.status, &response.json().unwrap_or_default()),
    }
}

pub fn refund(response: &Response) -> Verdict {
    match response.status {
        200..=299 => Verdict::Delivered("HubSpot has the deal with what is left of it.".into()),
        404 => Verdict::Refused("The deal is not in HubSpot any more.".into()),
        status => refused(status, &response.json().unwrap_or_default()),
    }
}

/// One item that was not taken, by its own category.
fn refused(status: u16, error: &Value) -> Verdict {
    match error["category"].as_str().unwrap_or_default() {
        // Somebody else makes the same one at this moment: next time it is found.
        "CONFLICT" | "OBJECT_ALREADY_EXISTS" => {
            Verdict::Retry { after_ms: None, sentence: format!("HubSpot says that it is there already{}.", said(error)) }
        }
        _ if status == 409 => Verdict::Retry { after_ms: None, sentence: format!("HubSpot says that it is there already{}.", said(error)) },
        "RATE_LIMITS" => {
            Verdict::Retry { after_ms: Some(10 * SECOND_MS), sentence: "HubSpot takes no more requests for some seconds.".into() }
        }
        "MISSING_SCOPES" => Verdict::Pause(format!("The access token may not do this{}.", said(error))),
        _ => match said(error) {
            words if words.is_empty() => Verdict::Refused(format!("HubSpot does not take it (status {status}).")),
            words => Verdict::Refused(format!("HubSpot does not take it{words}.")),
        },
    }
}

/// `: its own words`, or nothing.
fn said(body: &Value) -> String {
    let first = &body["errors"][0];
    let words = first["message"].as_str().or(body["message"].as_str()).map(kit::quoted).filter(|w| !w.is_empty());
    words.map_or_else(String::new, |w| format!(": {w}"))
}

fn id_of(row: &Value) -> Option<String> {
    let id = row["id"].as_str().map(str::to_owned).or_else(|| row["id"].as_i64().map(|n| n.to_string()));
    id.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
}
