//! What became of a conversion that Google had received, as it says half an hour later or more.
//! <https://developers.google.com/data-manager/api/devguides/diagnostics>

use serde_json::{Value, json};

use super::answer::LOOK_AFTER_MS;
use super::{look, pause};
use crate::destinations::{Delivery, kit};
use crate::domain::steps::{State, Step, Verdict};
use crate::domain::time::HOUR_MS;
use crate::wire::Response;

/// Half an hour, then an hour, two, four, and every six: a day and a half in all. Who says nothing until then will not.
const MOST_LOOKS: i64 = 9;
const LONGEST_PAUSE_MS: i64 = 6 * HOUR_MS;

pub fn step(state: State, got: Option<&Response>) -> Step<Delivery> {
    let Some(response) = got else {
        let request = look(state["request"].as_str().unwrap_or_default());
        return Step::Ask(Box::new(request), state);
    };
    Step::Done(match response.status {
        200..=299 => judged(&response.json().unwrap_or_default()["requestStatusPerDestination"][0], &state),
        401 | 403 => pause("Google refuses the credentials when it is asked what became of a conversion. Enter them again."),
        // It was received all the same.
        400 | 404 => Verdict::Accepted("Google received it, and has nothing to say of it any more.".into()),
        408 | 425 | 429 | 500.. => Verdict::Retry { after_ms: None, sentence: "Google does not say now what became of it.".into() },
        _ => later(&state),
    })
}

fn judged(status: &Value, state: &State) -> Verdict {
    let errors = || status["errorInfo"]["errorCounts"].as_array().into_iter().flatten();
    let reason = errors().find_map(|e| e["reason"].as_str()).unwrap_or_default();
    let reason = reason.strip_prefix("PROCESSING_ERROR_REASON_").unwrap_or(reason);
    match (status["requestStatus"].as_str().unwrap_or_default(), reason) {
        ("SUCCESS", "") => Verdict::Delivered("Google has counted it in.".into()),
        // Part of one is none.
        ("SUCCESS" | "PARTIAL_SUCCESS" | "FAILED" | "FAILURE", reason) => of_one(reason),
        _ => later(state),
    }
}

fn of_one(reason: &str) -> Verdict {
    match reason {
        "DUPLICATE_TRANSACTION_ID" | "DUPLICATE_GCLID" => Verdict::Delivered("Google had it already.".into()),
        // Its own trouble: sent again from the start.
        "INTERNAL_ERROR" => Verdict::CheckLater { after_ms: HOUR_MS, state: Value::Null },
        "" => Verdict::Refused("Google could not use it and does not say why.".into()),
        reason => Verdict::Refused(format!("Google could not use it: {} ({}).", meaning(reason), kit::quoted(reason))),
    }
}

fn meaning(reason: &str) -> &'static str {
    match reason {
        "EVENT_TOO_OLD" => "it is older than the conversion action's window",
        "DENIED_CONSENT" => "consent was denied",
        "NO_CONSENT" | "UNKNOWN_CONSENT" => "Google wants an explicit consent for this person and has none",
        "INVALID_GCLID" | "INVALID_GBRAID" | "INVALID_WBRAID" => "the click is unknown to it or belongs to another account",
        "OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER" => "the click belongs to another account",
        "INVALID_EVENT" => "the event is not valid",
        _ => "see its diagnostics in Google Ads",
    }
}

fn later(state: &State) -> Verdict {
    let looks = state["looks"].as_i64().unwrap_or(0) + 1;
    if looks > MOST_LOOKS {
        return Verdict::Accepted("Google received it and has not said in a day and a half what became of it.".into());
    }
    let after_ms = (LOOK_AFTER_MS << looks.clamp(0, 8)).min(LONGEST_PAUSE_MS);
    Verdict::CheckLater { after_ms, state: json!({"at": "status", "request": state["request"], "looks": looks}) }
}
