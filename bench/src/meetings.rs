//! A Zoom account on loopback: a hundred meetings of the last days with as many registrants each as are wanted, three hundred
//! on a page. How many there are in all is the number of the account, and of the token that it buys.

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::day::second_text;

pub const MEETINGS: i64 = 100;
pub const PAGE: i64 = 300;
const FIRST: i64 = 80_000_000_000;

pub fn router() -> Router {
    let began_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    Router::new().fallback(move |uri: Uri, headers: HeaderMap| async move { answer(began_s, &uri, &headers) })
}

fn answer(began_s: i64, uri: &Uri, headers: &HeaderMap) -> Response {
    let query = uri.query().unwrap_or_default();
    let token = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
    let count: i64 = token.and_then(|count| count.parse().ok()).unwrap_or(0);
    let parts: Vec<&str> = uri.path().split('/').filter(|p| !p.is_empty()).collect();
    let text = match parts.as_slice() {
        ["oauth", "token"] => {
            let account = query.split('&').find_map(|pair| pair.strip_prefix("account_id=")).unwrap_or_default();
            format!(r#"{{"access_token":"{account}","token_type":"bearer","expires_in":3599}}"#)
        }
        ["v2", "users"] => r#"{"users":[{"id":"host1"}],"next_page_token":""}"#.to_owned(),
        ["v2", "users", _, "meetings"] if query.contains("type=previous_meetings") => meetings(began_s),
        ["v2", "meetings", _, "registrants"] if query.contains("status=denied") => {
            format!(r#"{{"page_size":{PAGE},"next_page_token":"","registrants":[]}}"#)
        }
        ["v2", "meetings", id, "registrants"] => registrants(began_s, id.parse().unwrap_or(FIRST) - FIRST, count / MEETINGS, mark(query)),
        ["v2", .., list @ ("meetings" | "webinars" | "participants")] => {
            format!(r#"{{"page_size":{PAGE},"next_page_token":"","{list}":[]}}"#)
        }
        _ => return (StatusCode::NOT_FOUND, r#"{"code":3001,"message":"This does not exist."}"#).into_response(),
    };
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn mark(query: &str) -> i64 {
    query.split('&').find_map(|pair| pair.strip_prefix("next_page_token=p")?.parse().ok()).unwrap_or(0)
}

fn meetings(began_s: i64) -> String {
    let each = (0..MEETINGS).map(|n| {
        let at = second_text(began_s - 86_400 - n * 3_600);
        format!(r#"{{"id":{},"uuid":"u{n}==","topic":"Open evening {n}","start_time":"{at}Z","duration":45}}"#, FIRST + n)
    });
    format!(r#"{{"meetings":[{}],"next_page_token":""}}"#, each.collect::<Vec<_>>().join(","))
}

fn registrants(began_s: i64, meeting: i64, each: i64, page: i64) -> String {
    let (first, end) = (page * PAGE, ((page + 1) * PAGE).min(each));
    let mut rows = String::with_capacity(PAGE as usize * 320);
    for n in first..end {
        if !rows.is_empty() {
            rows.push(',');
        }
        let at = second_text(began_s - 10 * 86_400 + n);
        let who = meeting * each + n;
        rows.push_str(&format!(
            r#"{{"id":"r{who}","first_name":"Nora","last_name":"Byrne {who}","email":"guest{who}@mail.example","address":"","city":"Galway","country":"IE","zip":"","state":"","phone":"","industry":"","org":"","job_title":"","purchasing_time_frame":"","role_in_purchase_process":"","no_of_employees":"","comments":"","custom_questions":[],"status":"approved","create_time":"{at}Z","join_url":"https://zoom.us/w/{who}"}}"#
        ));
    }
    let next = if end < each { format!("p{}", page + 1) } else { String::new() };
    format!(r#"{{"page_size":{PAGE},"total_records":{each},"next_page_token":"{next}","registrants":[{rows}]}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_registrant_stands_on_one_page() {
        let ids = |page: i64| -> usize {
            let page: serde_json::Value = serde_json::from_str(&registrants(1_781_337_600, 3, 1_000, page)).expect("JSON");
            page["registrants"].as_array().map_or(0, Vec::len)
        };
        assert_eq!((ids(0), ids(1), ids(2), ids(3), ids(4)), (300, 300, 300, 100, 0));
        assert!(serde_json::from_str::<serde_json::Value>(&meetings(1_781_337_600)).is_ok());
    }
}
