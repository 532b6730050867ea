//! A person's data as a table that they can read: what it is, which one of its kind, what of it, and what it says. The exact
//! form, by the names of tables and columns, is the JSON.

use serde_json::{Map, Value};

use super::exports::Cell;
use crate::domain::money::{Currency, Money};
use crate::domain::time::Day;

/// A line for each field that says something.
pub fn lines(tables: &Map<String, Value>) -> Vec<Vec<Cell>> {
    let mut lines: Vec<Vec<Cell>> = Vec::new();
    for (table, rows) in tables {
        for (place, row) in rows.as_array().into_iter().flatten().enumerate() {
            let Some(fields) = row.as_object() else { continue };
            for (name, value) in fields.iter().filter(|(_, value)| !is_empty(value)) {
                lines.push(vec![Cell::text(what(table)), Cell::number(place + 1), Cell::text(field(name)), cell(name, value, fields)]);
            }
        }
    }
    lines
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

fn cell(name: &str, value: &Value, row: &Map<String, Value>) -> Cell {
    let text = said(name, value, row);
    // A plus and digits are no formula that could do anything, and a number with a sign in front of it is no number any more.
    match is_phone(&text) {
        true => Cell::Number(text),
        false => Cell::text(text),
    }
}

fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn said(name: &str, value: &Value, row: &Map<String, Value>) -> String {
    if let Some(n) = value.as_i64() {
        if name.starts_with("is_")
            || name.starts_with("has_")
            || name == "last_is_direct"
            || matches!(name, "counts" | "consent_given" | "starts_visit" | "goods_ask")
        {
            return if n == 0 { "no" } else { "yes" }.into();
        }
        if name == "day" || name.ends_with("_day") {
            return i32::try_from(n).map_or_else(|_| n.to_string(), |day| Day(day).to_string());
        }
        let currency = match name {
            "told_minor" => row.get("told_currency"),
            _ => row.get("currency"),
        };
        if let Some(currency) = currency.and_then(Value::as_str).and_then(Currency::parse).filter(|_| name.ends_with("_minor")) {
            return format!("{} {}", Money::new(n, currency).decimal(), currency.code());
        }
        return n.to_string();
    }
    match (name, value.as_str()) {
        ("marketing" | "analytics", Some("granted")) => "agreed".into(),
        ("marketing" | "analytics", Some("denied")) => "refused".into(),
        ("marketing" | "analytics", Some("unknown")) => "no answer".into(),
        (_, Some(text)) => text.to_owned(),
        (_, None) => value.to_string(),
    }
}

/// What a row is.
fn what(table: &str) -> String {
    let word = match table {
        "contacts" => "Person",
        "identities" => "Known by",
        "contact_merges" => "Joined with an older record",
        "consents" => "Answer on consent before",
        "session_people" => "Known in a browser by",
        "sessions" => "Browser",
        "session_addresses" => "Network address",
        "touches" => "Visit",
        "clicks" => "Click on an advertisement",
        "link_clicks" => "Click on a link",
        "page_events" => "Event on a page",
        "short_codes" => "Short code",
        "orders" => "Order",
        "refunds" => "Refund",
        "leads" => "Lead",
        "conversions" => "Sale or lead as counted",
        "reports" => "Who told of it",
        "credits" => "What led to it",
        "chat_assists" => "Chat that helped",
        "entries" => "Money",
        "deliveries" => "Told to a platform",
        "attempts" => "Try to tell a platform",
        "inbox" => "Message as it came",
        "conversations" => "Chat",
        "messages" => "Chat message",
        "milestones" => "Booking or step",
        "enrolments" => "Sign-up",
        "tracker_events" => "Event of a tracker",
        "affiliates" => "Partner",
        "affiliate_statements" => "Partner's statement",
        other => return in_words(other),
    };
    word.to_owned()
}

/// What of it. Most columns are words already.
fn field(name: &str) -> String {
    let word = match name {
        "id" => "Number",
        "at" => "When",
        "by" => "By",
        "email" => "E-mail",
        "first_at" | "first_seen_at" => "First seen",
        "last_at" | "last_seen_at" => "Last seen",
        "created_at" => "Since",
        "received_at" => "Came in",
        "heard_at" | "marketing_heard_at" => "Heard of",
        "marketing" => "Marketing",
        "marketing_at" => "Answered on marketing",
        "marketing_by" => "Answer on marketing told by",
        "analytics" => "Being recognised",
        "consent_at" => "Answered",
        "consent_by" => "Answer told by",
        "consent_given" => "Agreed to marketing",
        "is_verified" => "Proved",
        "is_flagged" => "Claimed by too many",
        "is_asserted" => "Only claimed",
        "is_direct" | "last_is_direct" => "Came without a source",
        "is_repeat" => "Came again the same way",
        "starts_visit" => "Begins a visit",
        "counts" => "Counts in the figures",
        "goods_ask" => "Delivered where consent is asked first",
        "seq" => "Which one of the browser",
        "touch_count" => "Visits that are kept",
        "confidence_bp" => "How sure, of 10000",
        "first_seq" => "First visit that is kept",
        "last_seq" => "Newest visit that is kept",
        "linked" => "Place in the list of known browsers",
        "landing" => "Page",
        "raw_source" => "Source as it came",
        "raw_medium" => "Medium as it came",
        "user_agent" => "What the browser says of itself",
        "fbc" => "Click ID of Meta",
        "fbp" => "Browser ID of Meta",
        "ga_client_id" => "Browser ID of Google Analytics",
        "ga_session_id" => "Visit ID of Google Analytics",
        "external_id" => "Number at its sender",
        "kind" => "Kind",
        "value" => "Says",
        other => {
            let plain = other.strip_suffix("_minor").or_else(|| other.strip_suffix("_at")).unwrap_or(other);
            let plain = plain.strip_prefix("is_").unwrap_or(plain);
            return in_words(&plain.replace("_id", "_number"));
        }
    };
    word.to_owned()
}

/// `order_number` as `Order number`.
fn in_words(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::exports::csv_lines;

    #[test]
    fn a_person_reads_what_it_is_and_what_it_says() {
        let tables = json!({
            "contacts": [{"id": 7, "email": "ann@mail.example", "phone": "+971501234567", "marketing": "unknown", "city": null}],
            "session_people": [{"kind": "phone", "value": "+971501234567", "is_verified": 1, "is_flagged": 0}],
            "orders": [{"total_minor": 14850, "currency": "AED", "is_paid": 1, "items": [], "first_name": "=cmd|' /C calc'!A0"}],
            "deliveries": [{"told_minor": 14850, "told_currency": "AED", "day": 20741}],
        });
        let text = csv_lines(&lines(tables.as_object().expect("an object"))).expect("lines");
        let text = String::from_utf8(text).expect("text");
        for line in [
            "Person,1,Number,7",
            "Person,1,E-mail,ann@mail.example",
            "Person,1,Phone,+971501234567",
            "Person,1,Marketing,no answer",
            "Known in a browser by,1,Says,+971501234567",
            "Known in a browser by,1,Proved,yes",
            "Known in a browser by,1,Claimed by too many,no",
            "Order,1,Total,148.50 AED",
            "Order,1,Paid,yes",
            "Order,1,First name,'=cmd|' /C calc'!A0",
            "Told to a platform,1,Told,148.50 AED",
            "Told to a platform,1,Day,2026-10-15",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}: {text}");
        }
        assert!(!text.contains("City") && !text.contains("Items"), "nothing is said of what is not there: {text}");
    }

    #[test]
    fn only_a_plain_phone_number_goes_without_its_guard() {
        for (text, want) in
            [("+971501234567", true), ("+97150", false), ("+971501234567*2", false), ("+1+1234567", false), ("971501234567", false)]
        {
            assert_eq!(is_phone(text), want, "{text}");
        }
    }
}
