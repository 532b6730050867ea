//! What an answer of the shop means, and in one sentence what the owner can do about it. A shop lies behind caches,
//! firewalls and other people's plug-ins, so that anything may come back.

use serde_json::Value;

use super::shop::{Shop, Way};
use crate::domain::steps::{Verdict, retry_after_ms};
use crate::wire::Response;

/// What was asked for decides what a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// The first questions to a shop: what fails now is the set-up's fault.
    Proving,
    /// Reading on a schedule: what fails now has worked before.
    Reading,
    /// Changing webhooks.
    Writing,
}

#[derive(Debug, PartialEq)]
pub enum Reading {
    Json(Value),
    /// The shop is there, the thing is not.
    Missing,
    /// More came than is read: ask for less.
    Cut,
    /// Ask the same in another way.
    Otherwise(Way),
    /// The key may read, not write.
    ReadOnly,
    Trouble(Verdict),
}

/// Reads an answer. `most` is what was read of it at most.
pub fn read(response: &Response, shop: &Shop, way: Way, doing: Doing, most: usize) -> Reading {
    let at = shop.shown();
    match response.status {
        200..=299 => data(response, &at, way, doing, most),
        301..=303 | 307 | 308 => fault(doing, led_on(response, &at)),
        400 => Reading::Trouble(Verdict::Refused(format!(
            "{at} does not understand the question (400): its WooCommerce is older than 5.8. Update it to read its orders."
        ))),
        401 | 403 => refused(response, &at, way, doing),
        404 => missing(response, &at, way, doing),
        408 | 425 | 429 | 500..=599 => {
            let sentence = match response.status {
                429 => format!("{at} asks for fewer requests (429)."),
                503 => format!("{at} is not available now (503): it may be in maintenance."),
                status => format!("{at} answered with an error of its own ({status}). WooCommerce › Status › Logs says more."),
            };
            Reading::Trouble(Verdict::Retry { after_ms: retry_after_ms(response), sentence })
        }
        status => fault(doing, format!("{at} answered {status}, which says nothing about its orders. Is it the right address?")),
    }
}

/// `woocommerce_rest_…` or WordPress' own word.
fn code(response: &Response) -> Option<String> {
    Some(response.json()?.get("code")?.as_str()?.to_owned())
}

fn data(response: &Response, at: &str, way: Way, doing: Doing, most: usize) -> Reading {
    let body = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body);
    if let Ok(value @ (Value::Array(_) | Value::Object(_))) = serde_json::from_slice(body) {
        return Reading::Json(value);
    }
    if response.body.len() >= most {
        return Reading::Cut;
    }
    if has_php_message(body) {
        let sentence = format!("{at} puts PHP messages in front of its data. Set WP_DEBUG_DISPLAY to false in its wp-config.php.");
        return fault(doing, sentence);
    }
    if !way.is_plain {
        // With plain permalinks WordPress shows its home page for every path.
        return Reading::Otherwise(Way { is_plain: true, ..way });
    }
    no_shop(at, doing)
}

fn missing(response: &Response, at: &str, way: Way, doing: Doing) -> Reading {
    match code(response).as_deref() {
        Some("rest_no_route") => {
            fault(doing, format!("WordPress answers at {at}, but WooCommerce does not. Activate the WooCommerce plugin there."))
        }
        Some(_) => Reading::Missing,
        None if !way.is_plain => Reading::Otherwise(Way { is_plain: true, ..way }),
        None => no_shop(at, doing),
    }
}

fn refused(response: &Response, at: &str, way: Way, doing: Doing) -> Reading {
    let pause = |sentence: String| Reading::Trouble(Verdict::Pause(sentence));
    let Some(code) = code(response) else {
        let sentence = if response.headers.get("www-authenticate").is_some() {
            format!("{at} asks for a password before the shop itself. Take the password off, or let this server through.")
        } else {
            let status = response.status;
            format!("Something in front of {at} refuses this server ({status}): allow it in the shop's firewall or security plugin.")
        };
        return fault(doing, sentence);
    };
    if code.starts_with("woocommerce_rest_authentication") {
        return match doing {
            Doing::Writing => Reading::ReadOnly,
            _ if way.is_signed => pause(format!(
                "{at} refuses the consumer key or its secret. Copy both again, and check that the shop's clock and address are right."
            )),
            _ => pause(format!("{at} refuses the consumer key or its secret. Make a new key in WooCommerce and enter both parts.")),
        };
    }
    match (response.status, way.is_signed) {
        // As if no key had been sent: so it is on plain http, and where a server keeps the header from the shop.
        (401, false) => Reading::Otherwise(Way { is_signed: true, ..way }),
        (401, true) => pause(format!("{at} does not see the consumer key. Its server or a security plugin keeps it from WooCommerce.")),
        _ => pause(format!("The user of this key may not manage {at}. Make the key for an administrator or a shop manager.")),
    }
}

fn no_shop(at: &str, doing: Doing) -> Reading {
    fault(
        doing,
        match doing {
            Doing::Proving => {
                format!("There is no WooCommerce shop at {at}. Check the address, and that its REST API is not switched off.")
            }
            _ => format!("{at} answered with a web page instead of data. A maintenance page or a security plugin may be in the way."),
        },
    )
}

fn led_on(response: &Response, at: &str) -> String {
    match response.headers.get("location").and_then(Shop::at).map(|s| s.shown()).filter(|there| there != at) {
        Some(there) => format!("{at} leads on to {there}. Enter that address."),
        None => format!("{at} leads on to another page instead of answering. Check the address, and that no login is asked for."),
    }
}

/// Warnings that WordPress prints into its answers while it is being debugged.
fn has_php_message(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&body[..body.len().min(2_048)]).into_owned();
    let is_message = ["Warning", "Notice", "Deprecated"].iter().any(|word| start.contains(&format!("<b>{word}</b>:")));
    is_message && body.iter().any(|b| *b == b'{' || *b == b'[')
}

/// While a set-up is proved it is at fault; later on it was right once, and the trouble may pass.
fn fault(doing: Doing, sentence: String) -> Reading {
    Reading::Trouble(match doing {
        Doing::Proving => Verdict::Pause(sentence),
        Doing::Reading | Doing::Writing => Verdict::Retry { after_ms: None, sentence },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Headers;

    const CAP: usize = 4_096;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        Response { status, headers: Headers(headers), body: body.as_bytes().to_vec() }
    }

    fn said(reading: &Reading) -> (&'static str, String) {
        match reading {
            Reading::Trouble(Verdict::Pause(s)) => ("pause", s.clone()),
            Reading::Trouble(Verdict::Retry { sentence, .. }) => ("retry", sentence.clone()),
            Reading::Trouble(Verdict::Refused(s)) => ("refused", s.clone()),
            other => ("other", format!("{other:?}")),
        }
    }

    #[test]
    fn every_answer_has_its_sentence() {
        const HTML: &str = "<!doctype html><title>Shop</title>";
        let error = |code: &str| format!(r#"{{"code":"{code}","message":"Nope","data":{{"status":400}}}}"#);
        let keys = error("woocommerce_rest_authentication_error");
        let unseen = error("woocommerce_rest_cannot_view");
        let (pretty, plain) = (Way::default(), Way { is_plain: true, is_signed: false });
        let signed = Way { is_plain: false, is_signed: true };
        use Doing::*;
        type Row<'a> = (u16, &'a [(&'a str, &'a str)], &'a str, Way, Doing, &'a str, &'a str);
        let rows: &[Row] = &[
            (200, &[], "[]", pretty, Reading, "other", "Json"),
            (200, &[], "\u{feff}{\"id\":1}", pretty, Reading, "other", "Json"),
            (200, &[], HTML, pretty, Reading, "other", "Otherwise"),
            (200, &[], HTML, plain, Reading, "retry", "web page instead of data"),
            (200, &[], HTML, plain, Proving, "pause", "no WooCommerce shop"),
            (200, &[], "<br /><b>Warning</b>: x in y\n[{\"id\":1}]", pretty, Reading, "retry", "WP_DEBUG_DISPLAY"),
            (200, &[], "true", plain, Reading, "retry", "web page"),
            (
                301,
                &[("location", "https://www.shop.example/wp-json/wc/v3/orders?a=b")],
                "",
                pretty,
                Proving,
                "pause",
                "leads on to https://www.shop.example. Enter",
            ),
            (302, &[("location", "/login")], "", pretty, Reading, "retry", "another page"),
            (400, &[], &error("rest_invalid_param"), pretty, Reading, "refused", "older than 5.8"),
            (401, &[], &keys, pretty, Reading, "pause", "refuses the consumer key"),
            (401, &[], &keys, signed, Reading, "pause", "clock"),
            (401, &[], &keys, pretty, Writing, "other", "ReadOnly"),
            (401, &[], &unseen, pretty, Reading, "other", "is_signed: true"),
            (401, &[], &unseen, signed, Reading, "pause", "does not see the consumer key"),
            (403, &[], &unseen, pretty, Reading, "pause", "administrator"),
            (401, &[("www-authenticate", "Basic")], HTML, pretty, Proving, "pause", "asks for a password"),
            (403, &[], HTML, pretty, Reading, "retry", "firewall"),
            (404, &[], HTML, pretty, Reading, "other", "is_plain: true"),
            (404, &[], HTML, plain, Proving, "pause", "no WooCommerce shop"),
            (404, &[], &error("rest_no_route"), pretty, Proving, "pause", "Activate"),
            (404, &[], &error("woocommerce_rest_shop_order_invalid_id"), pretty, Reading, "other", "Missing"),
            (429, &[("retry-after", "7")], "", pretty, Reading, "retry", "fewer"),
            (503, &[], HTML, pretty, Reading, "retry", "maintenance"),
            (500, &[], HTML, pretty, Proving, "retry", "error of its own"),
            (418, &[], "", pretty, Proving, "pause", "418"),
        ];
        let shop = Shop::at("https://shop.example").expect("a shop");
        for (status, headers, body, way, doing, kind, words) in rows {
            let got = said(&read(&answer(*status, headers, body), &shop, *way, *doing, CAP));
            assert_eq!(got.0, *kind, "{status} {body}: {}", got.1);
            assert!(got.1.contains(words), "{status} {body}: {}", got.1);
        }
    }

    #[test]
    fn half_an_answer_is_not_taken_for_a_whole_one() {
        let shop = Shop::at("https://shop.example").expect("a shop");
        let half = format!("[{}", "{},".repeat(CAP / 3));
        assert_eq!(read(&answer(200, &[], &half[..CAP]), &shop, Way::default(), Doing::Reading, CAP), Reading::Cut);
        let wish = answer(429, &[("retry-after", "7")], "");
        let got = read(&wish, &shop, Way::default(), Doing::Reading, CAP);
        assert!(matches!(got, Reading::Trouble(Verdict::Retry { after_ms: Some(7_000), .. })), "{got:?}");
    }
}
