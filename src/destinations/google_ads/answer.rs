//! What Data Manager says at once. One bad field fails the whole request; a success only means that it was received.
//! <https://developers.google.com/data-manager/api/devguides/understand-errors>

use serde_json::{Value, json};

use super::pause;
use crate::destinations::kit;
use crate::domain::platform::Settings;
use crate::domain::steps::{Verdict, by_status, retry_after_ms};
use crate::domain::time::{HOUR_MS, MINUTE_MS};
use crate::wire::Response;

/// Google asks to wait this long before its verdict is looked at.
pub const LOOK_AFTER_MS: i64 = 30 * MINUTE_MS;
/// A new conversion action takes conversions after so long.
const NEW_ACTION_MS: i64 = 6 * HOUR_MS;

/// What is wrong with the set-up, not with this conversion: all others would fail like it.
const OF_THE_SET_UP: &[&str] = &[
    "TERMS_AND_CONDITIONS_NOT_SIGNED",
    "INVALID_DESTINATION",
    "INVALID_CONVERSION_ACTION_ID",
    "INVALID_CONVERSION_ACTION_TYPE",
    "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH",
    "NOT_ALLOWLISTED",
    "PERMISSION_DENIED",
    "NOT_FOUND",
];

pub fn verdict(response: &Response, is_test: bool, settings: &Settings) -> Verdict {
    let body = response.json().unwrap_or_default();
    if !response.is_success() || body["error"].is_object() {
        return failed(response, &body["error"], settings);
    }
    match body["requestId"].as_str().filter(|id| !id.is_empty() && id.len() <= 200) {
        _ if is_test => Verdict::Accepted("Checked, not kept: Google finds nothing wrong with it.".into()),
        Some(id) => Verdict::CheckLater { after_ms: LOOK_AFTER_MS, state: json!({"at": "status", "request": id, "looks": 0}) },
        None => Verdict::Retry { after_ms: None, sentence: "Google answered without saying that it received the conversion.".into() },
    }
}

fn failed(response: &Response, error: &Value, settings: &Settings) -> Verdict {
    let (reason, words) = (reason(error), words(error));
    if reason == "CONVERSION_ACTION_TOO_RECENTLY_CREATED" {
        let sentence = "The conversion action is too new: Google takes conversions for it six hours after it was made.".into();
        return Verdict::Retry { after_ms: Some(NEW_ACTION_MS), sentence };
    }
    if matches!(reason.as_str(), "INTERNAL_ERROR" | "DEADLINE_EXCEEDED") {
        return Verdict::Retry { after_ms: retry_after_ms(response), sentence: format!("Google has passing trouble{words}.") };
    }
    if OF_THE_SET_UP.contains(&reason.as_str()) || reason.starts_with("DESTINATION_ACCOUNT_") {
        return pause(set_up(&reason, &words, settings));
    }
    match response.status {
        429 => limited(response, error),
        401 => pause(format!("Google refuses the token{words}. Enter the credentials again.")),
        403 | 404 => pause(set_up(&reason, &words, settings)),
        200..=299 | 400 => Verdict::Refused(match reason.as_str() {
            "" => format!("Google does not take the conversion{words} (status {}).", response.status),
            reason => format!("Google does not take the conversion{words} ({reason})."),
        }),
        _ => kit::alone(by_status("Google", response)),
    }
}

fn set_up(reason: &str, words: &str, settings: &Settings) -> String {
    let account = settings.get("customer_id").unwrap_or_default();
    let remedy = match reason {
        "TERMS_AND_CONDITIONS_NOT_SIGNED" => "Accept the customer data terms in Google Ads under Goals → Conversions → Settings".to_owned(),
        "INVALID_CONVERSION_ACTION_ID" | "INVALID_CONVERSION_ACTION_TYPE" | "INVALID_DESTINATION" => {
            format!("See that the conversion action is of the kind import and belongs to {account}")
        }
        "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH" => "Enter the customer id of the manager account whose credentials these are".to_owned(),
        _ => format!("Give the credentials' address access to {account} in Google Ads, and see that the Data Manager API is switched on"),
    };
    let named = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    format!("Google refuses the set-up{words}{named}. {remedy}, then resume.")
}

/// A minute's limit, or a day's; each counts for the whole Cloud project.
fn limited(response: &Response, error: &Value) -> Verdict {
    let is_of_a_day = error["details"].to_string().contains("PerDay");
    let wait = if is_of_a_day { HOUR_MS } else { MINUTE_MS };
    let sentence = match is_of_a_day {
        true => "The requests that Google takes in a day are used up.",
        false => "Google takes no more requests for a minute.",
    };
    Verdict::Retry { after_ms: retry_after_ms(response).or(Some(wait)), sentence: sentence.into() }
}

/// The narrowest reason that it gives: of a field, else of the error, else its status.
fn reason(error: &Value) -> String {
    let details = || error["details"].as_array().into_iter().flatten();
    let of_a_field = details().find_map(|d| d["fieldViolations"][0]["reason"].as_str());
    let of_all = details().find_map(|d| d["reason"].as_str()).filter(|r| *r != "INVALID_ARGUMENT");
    let found = of_a_field.or(of_all).or(error["status"].as_str().filter(|s| *s != "INVALID_ARGUMENT"));
    found.map(kit::quoted).unwrap_or_default()
}

/// `: its own words`, of the field where it names one.
fn words(error: &Value) -> String {
    let details = error["details"].as_array().into_iter().flatten();
    let field = details.filter_map(|d| d["fieldViolations"].get(0)).find_map(|v| {
        let description = v["description"].as_str().filter(|t| !t.trim().is_empty())?;
        Some(format!("{}: {}", kit::quoted(v["field"].as_str().unwrap_or_default()), kit::quoted(description)))
    });
    let said = field.or_else(|| error["message"].as_str().map(kit::quoted).filter(|t| !t.is_empty()));
    said.map_or_else(String::new, |t| format!(": {t}"))
}
