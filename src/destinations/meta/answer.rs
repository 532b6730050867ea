//! What Meta's answer means. Codes: <https://developers.facebook.com/docs/graph-api/guides/error-handling> and
//! <https://developers.facebook.com/docs/marketing-api/error-reference>

use serde_json::Value;

use crate::destinations::kit::{alone, quoted};
use crate::domain::steps::{Verdict, by_status, retry_after_ms};
use crate::domain::time::HOUR_MS;
use crate::wire::Response;

/// An account that is blocked for its content for a while is asked again after so long.
const BLOCKED_MS: i64 = 6 * HOUR_MS;

pub fn verdict(response: &Response) -> Verdict {
    let body = response.json().unwrap_or_default();
    if body["error"].is_object() {
        return by_error(&body["error"], response);
    }
    if response.is_success() {
        return by_count(&body);
    }
    match response.status {
        // Meta itself answers in JSON: a page comes from something in front of it and says nothing of the event.
        400..=499 if !body.is_object() && !matches!(response.status, 401 | 403 | 410) => {
            retry(response, format!("Something in front of Meta answered {}.", response.status))
        }
        _ => alone(by_status("Meta", response)),
    }
}

/// A success counts the events that it took.
fn by_count(body: &Value) -> Verdict {
    let notes: Vec<String> = body["messages"].as_array().into_iter().flatten().map(note).collect();
    let notes = if notes.is_empty() { String::new() } else { format!(" It says: {}.", notes.join("; ")) };
    match body["events_received"].as_i64() {
        Some(0) => Verdict::Refused(format!("Meta counted no event.{notes}")),
        Some(_) => Verdict::Delivered(format!("Meta took it: 1 event received.{notes}")),
        None => Verdict::Retry { after_ms: None, sentence: "Meta answered without saying that it received the event.".into() },
    }
}

fn note(message: &Value) -> String {
    quoted(message.as_str().map(str::to_owned).unwrap_or_else(|| message.to_string()).as_str())
}

fn by_error(error: &Value, response: &Response) -> Verdict {
    let code = error["code"].as_i64();
    let sub = error["error_subcode"].as_i64();
    let words = ["error_user_msg", "message"].iter().find_map(|k| error[k].as_str()).filter(|w| !w.trim().is_empty());
    let number = match (code, sub) {
        (Some(code), Some(sub)) => format!("code {code}/{sub}"),
        (Some(code), None) => format!("code {code}"),
        _ => format!("status {}", response.status),
    };
    let says = format!("{} ({number})", quoted(words.unwrap_or("no reason given")));
    if error["is_transient"] == true || response.status >= 500 {
        return retry(response, format!("Meta has passing trouble: {says}."));
    }
    match (code, sub) {
        (Some(4 | 17 | 32 | 341 | 613 | 80_000..=80_014), _) => retry(response, format!("Meta asks to slow down: {says}.")),
        (Some(1 | 2 | 5_000 | 21_009), _) => retry(response, format!("Meta has passing trouble: {says}.")),
        (Some(368), _) => Verdict::Retry {
            after_ms: Some(retry_after_ms(response).unwrap_or(0).max(BLOCKED_MS)),
            sentence: format!("Meta has blocked this account for a while: {says}."),
        },
        (Some(102 | 190), _) => Verdict::Pause(format!("Meta refuses the access token: {says}. Generate a new one in Events Manager.")),
        (Some(3 | 10 | 200..=299), _) => {
            Verdict::Pause(format!("The access token may not send to this dataset: {says}. Generate it in the dataset's own settings."))
        }
        (Some(100), Some(33)) | (Some(803), _) => {
            Verdict::Pause(format!("Meta knows no such dataset, or the token may not use it: {says}. Check the dataset (pixel) id."))
        }
        (Some(2_635), _) => Verdict::Pause(format!("Meta has ended this Graph API version: {says}. Set a newer one.")),
        (Some(100), _) => Verdict::Refused(format!("Meta does not accept the event: {says}.")),
        _ => match response.status {
            408 | 425 | 429 => retry(response, format!("Meta asks to slow down: {says}.")),
            401 | 403 => Verdict::Pause(format!("Meta refuses the access token: {says}. Generate a new one in Events Manager.")),
            // Codes that nobody has documented are tried again; the schedule has an end.
            _ if code.is_some() => retry(response, format!("Meta answered with an unknown trouble: {says}.")),
            _ => Verdict::Refused(format!("Meta does not accept the event: {says}.")),
        },
    }
}

fn retry(response: &Response, sentence: String) -> Verdict {
    Verdict::Retry { after_ms: retry_after_ms(response), sentence }
}
