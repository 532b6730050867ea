//! Asking the GraphQL Admin API, and what its answers mean. A refusal mostly stands inside a 200.
//! <https://shopify.dev/docs/api/admin-graphql>, <https://shopify.dev/docs/api/usage/limits>

use serde_json::{Value, json};

use crate::domain::platform::Settings;
use crate::domain::steps::{Verdict, retry_after_ms};
use crate::domain::time::SECOND_MS;
use crate::sources::kit::text;
use crate::wire::{Part, Request, Response};

/// The current stable version; Shopify supports each for a year and answers with the oldest living one after that.
const VERSION: &str = "2026-10";
/// A page of orders with many lines can be large.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Longest pause that a full bucket takes: 2,000 points at 50 a second, rounded up.
const LONGEST_PAUSE_MS: i64 = 60 * SECOND_MS;
const SHORTEST_PAUSE_MS: i64 = SECOND_MS;

/// What stands in the way of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The bucket of points is empty: again in so many milliseconds.
    Throttled(i64),
    /// One page costs more than any may, or its answer did not fit.
    TooMuch,
    Final(Verdict),
}

/// What an answer holds, and how long to wait before the same can be asked again.
#[derive(Debug, PartialEq)]
pub struct Told {
    pub data: Value,
    pub pause_ms: i64,
    /// Parts that were held back although the rest was told: a sentence each.
    pub held_back: Vec<String>,
}

/// `shop.myshopify.com`, from what an owner types: the bare name, the host, an address of the admin.
pub fn shop_host(typed: &str) -> Option<String> {
    let lower = typed.trim().to_lowercase();
    let bare = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).unwrap_or(&lower);
    let name = match bare.strip_prefix("admin.shopify.com/store/") {
        Some(rest) => rest.split(['/', '?']).next()?,
        None => {
            let host = bare.split(['/', '?']).next()?;
            match host.strip_suffix(".myshopify.com") {
                Some(name) => name,
                None if !host.contains('.') => host,
                None => return None,
            }
        }
    };
    let is_name = (1..=60).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !name.starts_with('-');
    is_name.then(|| format!("{name}.myshopify.com"))
}

pub fn shop_of(settings: &Settings) -> Option<String> {
    settings.get("shop").and_then(shop_host)
}

/// A request of the shop that is set up. None where the setting is no shop.
pub fn ask(settings: &Settings, query: &str, variables: Value) -> Option<Request> {
    let request = Request::new("POST", format!("https://{}", shop_of(settings)?), format!("/admin/api/{VERSION}/graphql.json"));
    let body = json!({"query": query, "variables": variables});
    Some(request.host("shopify").header("x-shopify-access-token", Part::secret("access_token")).json(body).up_to(LARGEST_ANSWER))
}

/// What is said where `ask` cannot.
pub fn no_shop() -> Verdict {
    Verdict::Pause("The shop is not set up. Enter its address that ends in .myshopify.com.".into())
}

/// Said where a question that is small already costs too much.
pub fn too_much() -> Verdict {
    Verdict::Retry { after_ms: None, sentence: "Shopify found the question too costly. It is asked again.".into() }
}

/// Reads an answer. `wanted` is the field of `data` without which it is none.
pub fn read(response: &Response, wanted: &str, shop: &str) -> Result<Told, Trouble> {
    if response.status != 200 {
        return Err(Trouble::Final(by_status(response, shop)));
    }
    let Some(body) = response.json().filter(Value::is_object) else { return Err(unreadable(response, shop)) };
    let errors = body.get("errors").cloned().unwrap_or(Value::Null);
    let errors = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let data = body.get("data").filter(|d| d.get(wanted).is_some_and(|v| !v.is_null()));
    let Some(data) = data else { return Err(by_errors(&body, errors, wanted, shop)) };
    let held_back = errors.iter().map(|e| format!("Shopify holds something back: {}.", quoted(e.get("message")))).take(3).collect();
    Ok(Told { data: data.clone(), pause_ms: pause_ms(&body).unwrap_or(0), held_back })
}

/// The first error of a mutation, in Shopify's words: these stand in a 200 too.
pub fn user_error(payload: &Value) -> Option<String> {
    let first = payload.get("userErrors")?.as_array()?.first()?;
    Some(quoted(first.get("message")))
}

fn by_errors(body: &Value, errors: &[Value], wanted: &str, shop: &str) -> Trouble {
    let code = |e: &Value| e.pointer("/extensions/code").and_then(Value::as_str).unwrap_or_default().to_owned();
    let find = |word: &str| errors.iter().find(|e| code(e) == word);
    if find("THROTTLED").is_some() {
        return Trouble::Throttled(pause_ms(body).unwrap_or(2 * SECOND_MS).max(SHORTEST_PAUSE_MS));
    }
    if find("MAX_COST_EXCEEDED").is_some() {
        return Trouble::TooMuch;
    }
    if let Some(denied) = find("ACCESS_DENIED") {
        return Trouble::Final(Verdict::Pause(denied_sentence(&quoted(denied.get("message")))));
    }
    if find("SHOP_INACTIVE").is_some() {
        return Trouble::Final(Verdict::Pause(format!(
            "{shop} is closed or frozen at Shopify. Open it again there, then resume the connection."
        )));
    }
    if find("INTERNAL_SERVER_ERROR").is_some() || find("TIMEOUT").is_some() {
        return Trouble::Final(Verdict::Retry { after_ms: None, sentence: "Shopify had an error of its own. It is asked again.".into() });
    }
    let said = errors.first().map(|e| quoted(e.get("message"))).or_else(|| body.get("errors").map(|e| quoted(Some(e))));
    Trouble::Final(Verdict::Retry {
        after_ms: None,
        sentence: match said {
            Some(said) => format!("Shopify did not answer with {wanted}: {said}."),
            None => format!("Shopify answered without {wanted}. It is asked again."),
        },
    })
}

/// An app that may not see orders gets words for its developer; this is what its owner does about it.
fn denied_sentence(said: &str) -> String {
    let remedy = if said.contains("protected-customer-data") || said.contains("not approved") {
        "Open the app in the Dev Dashboard, request access to protected customer data (orders, name, e-mail, phone, address), then resume the connection."
    } else {
        "Give the app the scopes read_orders and read_customers, install it again, then resume the connection."
    };
    format!("Shopify does not let this app read orders: {said}. {remedy}")
}

fn by_status(response: &Response, shop: &str) -> Verdict {
    let pause = |sentence: String| Verdict::Pause(sentence);
    match response.status {
        401 => pause(format!(
            "{shop} refuses the access token: the app was uninstalled, or the token was taken back. Install the app again and enter its new credentials."
        )),
        402 => pause(format!(
            "{shop} is frozen at Shopify because its plan is not paid. It goes on when you resume the connection after that."
        )),
        403 => pause(format!(
            "{shop} does not let this app in. Give it the scopes read_orders and read_customers, install it again, then resume the connection."
        )),
        404 => pause(format!(
            "There is no shop at {shop}. Check the address: Shopify admin → Settings → Domains shows the one that ends in .myshopify.com."
        )),
        423 => pause(format!("{shop} is locked by Shopify. Ask Shopify's support, then resume the connection.")),
        300..=399 => pause(format!(
            "{shop} answers with a redirect: it has another address now. Enter the one that ends in .myshopify.com as Settings → Domains shows it."
        )),
        408 | 425 | 429 | 430 | 500..=599 => Verdict::Retry {
            after_ms: retry_after_ms(response),
            sentence: if response.status < 500 {
                format!("Shopify asks us to slow down ({}). It is asked again.", response.status)
            } else {
                format!("Shopify has trouble ({}). It is asked again.", response.status)
            },
        },
        status => pause(format!("{shop} answered {status} to a question that every shop answers. Check the address.")),
    }
}

/// A page instead of an answer is no shop; half an answer is a connection that broke, or one that was too large.
fn unreadable(response: &Response, shop: &str) -> Trouble {
    let begins = response.body.iter().copied().find(|b| !b.is_ascii_whitespace());
    if response.body.len() >= LARGEST_ANSWER {
        return Trouble::TooMuch;
    }
    Trouble::Final(match begins {
        Some(b'{') | None => Verdict::Retry { after_ms: None, sentence: "Shopify's answer broke off. It is asked again.".into() },
        Some(_) => Verdict::Pause(format!("{shop} answers with a page instead of data: this is no Shopify shop. Check the address.")),
    })
}

/// How long until there are points for the same question again: (requested − available) / restored a second.
fn pause_ms(body: &Value) -> Option<i64> {
    let cost = body.pointer("/extensions/cost")?;
    let number = |value: Option<&Value>| value.and_then(Value::as_f64).filter(|n| n.is_finite()).map(|n| n.ceil() as i64);
    let requested = number(cost.get("requestedQueryCost"))?;
    let status = cost.get("throttleStatus")?;
    let (available, restored) = (number(status.get("currentlyAvailable"))?, number(status.get("restoreRate"))?.max(1));
    let missing = requested.saturating_sub(available);
    let ms = missing.saturating_mul(SECOND_MS) / restored;
    (missing > 0).then(|| ms.clamp(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS))
}

/// Shopify's own words, fit for a sentence of ours: one line, not endless, no full stop at the end.
pub fn quoted(said: Option<&Value>) -> String {
    let text = said.map(|s| s.as_str().map_or_else(|| s.to_string(), str::to_owned)).unwrap_or_default();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().filter(|c| !c.is_control()).take(240).collect();
    if cut.is_empty() { "it does not say why".into() } else { cut.trim_end_matches('.').to_owned() }
}

/// The shop's name for sentences.
pub fn shop_name(settings: &Settings) -> String {
    shop_of(settings).or_else(|| text(&json!({"shop": settings.get("shop")}), "shop")).unwrap_or_else(|| "The shop".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Headers;

    fn answer(status: u16, body: &str) -> Response {
        Response { status, headers: Headers::default(), body: body.as_bytes().to_vec() }
    }

    fn trouble(status: u16, body: &str) -> Trouble {
        read(&answer(status, body), "orders", "cups.myshopify.com").expect_err("no answer")
    }

    fn sentence(trouble: Trouble) -> String {
        match trouble {
            Trouble::Final(Verdict::Pause(s)) => format!("pause: {s}"),
            Trouble::Final(Verdict::Retry { sentence, .. }) => format!("retry: {sentence}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_shop_is_known_by_what_an_owner_types() {
        for (typed, want) in [
            ("cups.myshopify.com", Some("cups.myshopify.com")),
            (" HTTPS://Cups.MyShopify.com/admin/orders?x=1 ", Some("cups.myshopify.com")),
            ("cups-and-more", Some("cups-and-more.myshopify.com")),
            ("https://admin.shopify.com/store/cups/settings", Some("cups.myshopify.com")),
            ("cups.example", None),
            ("a.b.myshopify.com", None),
            ("evil.example/cups.myshopify.com", None),
            ("cups.myshopify.com.evil.example", None),
            ("cups@evil.example", None),
            ("cups.myshopify.com:8080", None),
            ("", None),
        ] {
            assert_eq!(shop_host(typed).as_deref(), want, "{typed}");
        }
    }

    #[test]
    fn each_failure_says_what_to_do() {
        let page = "<!DOCTYPE html><html></html>";
        for (status, body, want) in [
            (401, "{\"errors\":\"[API] Invalid API key or access token\"}", "pause: cups.myshopify.com refuses the access token"),
            (402, "", "pause: cups.myshopify.com is frozen"),
            (403, "", "pause: cups.myshopify.com does not let this app in"),
            (404, page, "pause: There is no shop at cups.myshopify.com"),
            (423, "", "pause: cups.myshopify.com is locked"),
            (301, "", "pause: cups.myshopify.com answers with a redirect"),
            (429, "", "retry: Shopify asks us to slow down (429)"),
            (502, page, "retry: Shopify has trouble (502)"),
            (200, page, "pause: cups.myshopify.com answers with a page"),
            (200, "{\"data\":{\"orders\":{\"nodes\":[{\"id\":", "retry: Shopify's answer broke off"),
            (200, "", "retry: Shopify's answer broke off"),
            (
                200,
                "{\"data\":null,\"errors\":[{\"message\":\"Syntax error.\"}]}",
                "retry: Shopify did not answer with orders: Syntax error.",
            ),
            (
                200,
                "{\"data\":null,\"errors\":[{\"message\":\"x\",\"extensions\":{\"code\":\"SHOP_INACTIVE\"}}]}",
                "pause: cups.myshopify.com is closed",
            ),
            (
                200,
                "{\"data\":null,\"errors\":[{\"message\":\"x\",\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}]}",
                "retry: Shopify had an error",
            ),
            (
                200,
                "{\"data\":{\"orders\":null},\"errors\":[{\"message\":\"This app is not approved to access the Order object.\",\"extensions\":{\"code\":\"ACCESS_DENIED\"}}]}",
                "pause: Shopify does not let this app read orders: This app is not approved to access the Order object. Open the app in the Dev Dashboard",
            ),
            (
                200,
                "{\"data\":{\"orders\":null},\"errors\":[{\"message\":\"Access denied for orders field.\",\"extensions\":{\"code\":\"ACCESS_DENIED\"}}]}",
                "pause: Shopify does not let this app read orders: Access denied for orders field. Give the app the scopes",
            ),
        ] {
            let got = sentence(trouble(status, body));
            assert!(got.starts_with(want), "{status} {body}\n{got}");
            assert!(got.ends_with('.'), "{got}");
        }
    }

    #[test]
    fn throttling_inside_a_200_says_how_long_to_wait() {
        let cost = |requested: i64, available: i64, rate: i64| json!({"cost": {"requestedQueryCost": requested, "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": rate}}});
        let throttled = |extensions: Value| {
            let body = json!({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": extensions});
            trouble(200, &body.to_string())
        };
        assert_eq!(throttled(cost(502, 2, 100)), Trouble::Throttled(5_000));
        assert_eq!(throttled(cost(10, 9, 100)), Trouble::Throttled(1_000), "never less than a second");
        assert_eq!(throttled(cost(i64::MAX, 0, 1)), Trouble::Throttled(60_000), "nor more than a full bucket takes");
        assert_eq!(throttled(Value::Null), Trouble::Throttled(2_000));
        let told = |extensions: Value| {
            let body = json!({"data": {"orders": {}}, "extensions": extensions});
            read(&answer(200, &body.to_string()), "orders", "x").map(|t| t.pause_ms)
        };
        assert_eq!(told(cost(100, 900, 50)), Ok(0));
        assert_eq!(told(cost(100, 50, 50)), Ok(1_000), "the next page would be refused");
    }

    #[test]
    fn an_answer_that_lacks_a_part_is_still_an_answer() {
        let body = json!({"data": {"orders": {"nodes": []}}, "errors": [{"message": "Access denied for customer field.", "extensions": {"code": "ACCESS_DENIED"}}]});
        let told = read(&answer(200, &body.to_string()), "orders", "x").expect("an answer");
        assert_eq!(told.held_back, ["Shopify holds something back: Access denied for customer field."]);
    }

    #[test]
    fn what_is_too_much_is_asked_in_smaller_pieces() {
        let costly = json!({"errors": [{"message": "Query cost is 2200", "extensions": {"code": "MAX_COST_EXCEEDED"}}]});
        assert_eq!(trouble(200, &costly.to_string()), Trouble::TooMuch);
        let mut cut = b"{\"data\":{\"orders\":\"".to_vec();
        cut.resize(LARGEST_ANSWER, b'x');
        let cut = Response { status: 200, headers: Headers::default(), body: cut };
        assert_eq!(read(&cut, "orders", "x").map(|t| t.pause_ms), Err(Trouble::TooMuch));
    }
}
