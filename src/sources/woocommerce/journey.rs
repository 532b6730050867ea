//! Meta data of an order: our visit, and the shop's own notes on where the buyer came from.
//! <https://woocommerce.com/document/order-attribution-tracking/>

use serde_json::Value;

use crate::domain::campaign::{MAX_TEXT, clean_text, landing};
use crate::domain::fact::ShopTouch;
use crate::domain::time::Time;
use crate::sources::kit;

/// Where our plug-in, the page script and the settings of older shops leave the visit.
const SESSION: &[&str] = &["_halo_session", "halo_session_id", "_halo"];
const FRONT: &str = "_wc_order_attribution_";
/// Longest session id that is looked at; ours are shorter.
const MAX_SESSION: usize = 512;
/// Notes and fields of an order that are looked at.
const MOST_NOTES: usize = 50;

/// The signed id of the visit in which the order was placed.
pub fn session(order: &Value) -> Option<String> {
    SESSION.iter().find_map(|key| meta(order, key)).filter(|id| id.len() <= MAX_SESSION)
}

/// The shop's own last-touch note. A direct visit notes no source, and is no evidence of one.
pub fn read(order: &Value, ordered_at: Time) -> Vec<ShopTouch> {
    let note = |name: &str| meta(order, &format!("{FRONT}{name}"));
    let word = |name: &str| note(name).map(|w| clean_text(&w, MAX_TEXT)).filter(|w| !w.is_empty() && !w.starts_with('('));
    let is_direct = note("source_type").is_some_and(|t| matches!(t.as_str(), "typein" | "admin" | "pos" | "mobile_app"));
    let source = word("utm_source");
    if source.is_none() || is_direct {
        return Vec::new();
    }
    vec![ShopTouch {
        // Written by the visitor's browser in its own zone, up to 14 hours off; never after the order.
        at: note("session_start_time").as_deref().and_then(Time::parse).map(|at| at.min(ordered_at)),
        source,
        medium: word("utm_medium"),
        campaign: word("utm_campaign"),
        landing: note("session_entry").map(|url| landing(&url, &[]).path_and_query()).filter(|l| !l.is_empty()),
        referrer: note("referrer").map(|url| clean_text(without_query(&url), MAX_TEXT)).filter(|r| !r.is_empty()),
    }]
}

/// Click ids of the page on which the shop saw the visit begin.
pub fn click_ids(order: &Value) -> Vec<String> {
    let Some(entry) = meta(order, &format!("{FRONT}session_entry")) else { return Vec::new() };
    landing(&entry, &[]).clicks.iter().map(|(_, id)| id.to_owned()).collect()
}

/// What the buyer or the shop's people have written: the note, and fields of the checkout's own.
pub fn notes(order: &Value) -> Vec<String> {
    let rows = order.get("meta_data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // A plug-in's own affairs begin with an underscore.
    let is_field = |row: &&Value| row["key"].as_str().is_some_and(|key| !key.starts_with('_') || key == "_halo_code");
    let fields = rows.iter().filter(is_field).filter_map(|row| kit::text(row, "value"));
    kit::text(order, "customer_note").into_iter().chain(fields).take(MOST_NOTES).collect()
}

/// A mark of the payment plug-ins that the money was play money.
pub fn is_test(order: &Value) -> bool {
    const MARKS: &[(&str, &str)] = &[("_wcpay_mode", "test"), ("_ppcp_paypal_payment_mode", "sandbox"), ("_mollie_payment_mode", "test")];
    MARKS.iter().any(|(key, word)| meta(order, key).as_deref() == Some(word))
}

/// Text under a key of `meta_data`; values of other kinds are plug-ins' own affairs.
fn meta(order: &Value, key: &str) -> Option<String> {
    let rows = order.get("meta_data").and_then(Value::as_array)?;
    rows.iter().filter(|row| row["key"].as_str() == Some(key)).find_map(|row| kit::text(row, "value"))
}

/// What a referrer's query holds is nobody's business here.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(rows: &[(&str, Value)]) -> Value {
        let rows: Vec<Value> = rows.iter().map(|(key, value)| json!({"id": 1, "key": key, "value": value})).collect();
        json!({"meta_data": rows})
    }

    #[test]
    fn the_note_of_the_shop() {
        let told = order(&[
            ("_wc_order_attribution_source_type", json!("utm")),
            ("_wc_order_attribution_utm_source", json!("newsletter")),
            ("_wc_order_attribution_utm_medium", json!("email")),
            ("_wc_order_attribution_utm_campaign", json!("(none)")),
            (
                "_wc_order_attribution_session_entry",
                json!("https://shop.example/cups/?utm_source=newsletter&gclid=abc123&mail=a@b.example"),
            ),
            ("_wc_order_attribution_referrer", json!("https://mail.example/read?id=7#x")),
            ("_wc_order_attribution_session_start_time", json!("2026-06-13 23:00:00")),
            ("_debug_log_source_pending_deletion", json!({"x": 1})),
        ]);
        let at = Time::parse("2026-06-13T12:00:00Z").expect("a time");
        let touch = &read(&told, at)[0];
        assert_eq!(
            (touch.source.as_deref(), touch.medium.as_deref(), touch.campaign.as_deref()),
            (Some("newsletter"), Some("email"), None)
        );
        assert_eq!((touch.at, touch.referrer.as_deref()), (Some(at), Some("https://mail.example/read")));
        assert!(touch.landing.as_deref().is_some_and(|l| l.starts_with("/cups/?") && !l.contains("b.example")), "{touch:?}");
        assert_eq!(click_ids(&told), ["abc123"]);
    }

    #[test]
    fn a_direct_visit_is_no_evidence() {
        for rows in [
            vec![("_wc_order_attribution_source_type", json!("typein")), ("_wc_order_attribution_utm_source", json!("(direct)"))],
            vec![("_wc_order_attribution_source_type", json!("admin")), ("_wc_order_attribution_utm_source", json!("x"))],
            vec![("_wc_order_attribution_utm_source", json!(""))],
            vec![],
        ] {
            assert!(read(&order(&rows), Time::from_s(0)).is_empty(), "{rows:?}");
        }
    }

    #[test]
    fn the_visit_lies_under_one_of_our_names() {
        assert_eq!(session(&order(&[("_halo_session", json!({"a": 1})), ("halo_session_id", json!("s2"))])).as_deref(), Some("s2"));
        assert_eq!(session(&order(&[("_halo_session", json!("x".repeat(600)))])), None);
        assert_eq!(session(&json!({"meta_data": "none"})), None);
        assert!(is_test(&order(&[("_wcpay_mode", json!("test"))])) && !is_test(&order(&[("_wcpay_mode", json!("prod"))])));
    }
}
