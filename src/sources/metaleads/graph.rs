//! The Graph API: how it is asked, and what its refusals mean.
//! <https://developers.facebook.com/docs/graph-api/guides/error-handling>

use serde_json::Value;

use super::{APP_SECRET, PAGE_TOKEN, SLUG};
use crate::domain::steps::{Verdict, by_status, retry_after_ms};
use crate::domain::time::MINUTE_MS;
use crate::wire::{Part, Request, Response};

const VERSION: &str = "v25.0";

/// What is asked of a lead.
pub const FIELDS: &str =
    "id,created_time,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,platform,is_organic,field_data";

/// Every call proves that it comes from who holds the app's secret too, so that an app may refuse a stolen token.
/// <https://developers.facebook.com/docs/graph-api/guides/secure-requests>
pub fn ask(method: &str, path: &str) -> Request {
    Request::new(method, "https://graph.facebook.com", format!("/{VERSION}/{path}"))
        .host(SLUG)
        .query("access_token", Part::secret(PAGE_TOKEN))
        .query("appsecret_proof", Part::Proof { of: PAGE_TOKEN.into(), key: APP_SECRET.into() })
}

#[derive(Debug)]
pub enum Answer {
    Json(Value),
    /// There is no such thing, or it is not ours to see.
    Missing,
    Trouble(Verdict),
}

pub fn read(response: &Response) -> Answer {
    let body = response.json().unwrap_or_default();
    if response.is_success() && body.is_object() {
        return Answer::Json(body);
    }
    let error = &body["error"];
    let (code, part) = (error["code"].as_i64().unwrap_or_default(), error["error_subcode"].as_i64().unwrap_or_default());
    let pause = |sentence: &str| Answer::Trouble(Verdict::Pause(sentence.to_owned()));
    match (code, part) {
        (190 | 102, _) => {
            pause("Meta refuses the page token: it has expired or was withdrawn. Generate one that does not expire and enter it.")
        }
        (3 | 10 | 200..=299, _) => pause(
            "The page token lacks a right: it needs leads_retrieval, pages_manage_metadata and pages_show_list, and access to the page's leads in Business settings.",
        ),
        (4 | 17 | 32 | 613 | 80_005, _) => Answer::Trouble(Verdict::Retry {
            after_ms: retry_after_ms(response).or(Some(10 * MINUTE_MS)),
            sentence: "Meta takes no more requests for some minutes.".into(),
        }),
        (100, _) if error["message"].as_str().is_some_and(|said| said.contains("appsecret_proof")) => {
            pause("Meta says that the app secret is not of the app whose page token this is. Copy both from the same app.")
        }
        (1 | 2, _) => Answer::Trouble(Verdict::Retry { after_ms: None, sentence: "Meta has a trouble of its own.".into() }),
        (100 | 803, _) => Answer::Missing,
        _ if response.status == 404 => Answer::Missing,
        _ => Answer::Trouble(by_status("Meta", response)),
    }
}
