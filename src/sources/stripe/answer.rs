//! What an answer of Stripe's API means, and in one sentence what the owner can do about it.
//! <https://docs.stripe.com/api/errors>

use serde_json::Value;

use crate::domain::steps::{Verdict, by_status, retry_after_ms};
use crate::domain::time::SECOND_MS;
use crate::wire::Response;

#[derive(Debug)]
pub enum Reading {
    Json(Value),
    /// There is no such thing, or no more.
    Missing,
    /// The key is good and may not do this.
    NotAllowed,
    Trouble(Verdict),
}

pub fn read(response: &Response) -> Reading {
    match response.status {
        200..=299 => match response.json() {
            Some(value @ Value::Object(_)) => Reading::Json(value),
            _ => Reading::Trouble(Verdict::Retry {
                after_ms: None,
                sentence: "Stripe answered with something that is no JSON. It is asked again.".into(),
            }),
        },
        401 => Reading::Trouble(Verdict::Pause(
            "Stripe refuses the key: it was rolled, has expired, or was not copied whole. Enter it anew.".into(),
        )),
        403 => Reading::NotAllowed,
        404 => Reading::Missing,
        400 => Reading::Trouble(Verdict::Refused(format!("Stripe refuses the question: {}", said(response)))),
        429 => Reading::Trouble(Verdict::Retry {
            after_ms: retry_after_ms(response).or(Some(2 * SECOND_MS)),
            sentence: "Stripe asks for fewer requests.".into(),
        }),
        409 => Reading::Trouble(Verdict::Retry { after_ms: None, sentence: "Stripe is busy with the same thing.".into() }),
        _ => Reading::Trouble(by_status("Stripe", response)),
    }
}

/// The sentence for a right that a restricted key has not.
pub fn without(right: &str) -> Verdict {
    Verdict::Pause(format!("The key may not read {right}. In Stripe open Developers › API keys, edit the key and allow it."))
}

/// Stripe's own words, cut; they name fields and ids, never people.
fn said(response: &Response) -> String {
    let body = response.json().unwrap_or_default();
    let words = body["error"]["message"].as_str().unwrap_or("no reason given").to_owned();
    words.chars().take(200).collect()
}
