//! A lead out of any form's body.

use serde_json::{Map, Value, json};

use super::amount::{amount, currency, moment};
use super::person::{page_address, person, traces};
use super::{encodings, shapes};
use crate::crypto;
use crate::domain::campaign::{MAX_TEXT, landing};
use crate::domain::fact::{Lead, Person};
use crate::json::canonical;
use crate::sources::{Home, Reject};

/// The page with the form, most telling first; what a form calls its referrer is that page.
const PAGE: &[&str] = &["url", "pageurl", "sourceurl", "page", "pagelocation", "landingpage", "referrer", "referer"];
const MESSAGE: &[&str] = &["message", "comments", "comment", "yourmessage", "enquiry", "inquiry", "question", "questions", "nachricht"];
const MOMENT: &[&str] = &["createdat", "submittedat", "datecreated", "timestamp", "submissiondate", "submittedon", "dt"];
/// Longest message, in characters.
const MAX_MESSAGE: usize = 10_000;

/// Reads a lead. A mistyped e-mail address or number is kept as typed; only a body that names nobody is refused.
pub fn read_lead(body: &[u8], content_type: &str, home: &Home) -> Result<Lead, Reject> {
    let map = encodings::object(body, content_type)?;
    let mut sheet = shapes::sheet(&map);
    sheet.drop(is_noise);

    let external_id = sheet.text(&["leadid", "id"], MAX_TEXT + 1);
    if external_id.as_ref().is_some_and(|id| id.chars().count() > MAX_TEXT) {
        return Err(invalid("lead_id", "lead_id must be text of at most 255 characters."));
    }
    let told_at = sheet.value(MOMENT).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    let happened_at = moment(told_at.as_deref(), home.now).unwrap_or(home.now);
    let page = sheet.text(PAGE, 4_096);
    let url = page.as_deref().and_then(page_address);
    let form_type = sheet.text(&["formtype", "formname", "form", "formtitle"], MAX_TEXT).unwrap_or_else(|| "contact".into());
    let worth = sheet.value(&["value", "leadvalue"]);
    let value = match worth {
        Some(worth) => {
            let told = sheet.text(&["currency", "currencycode"], 16);
            Some(amount("value", &worth, currency("value", told.as_deref(), home.currency)?)?)
        }
        None => None,
    };
    let message = sheet.lines(MESSAGE, MAX_MESSAGE);
    let traces = traces(&mut sheet, page.as_deref());
    let (person, as_typed) = person(&mut sheet, home);
    // The visitor's address serves nothing here: a lead's browser is known by its session.
    sheet.drop(|key| matches!(key, "ipaddress" | "ip" | "remoteip" | "metaremoteip" | "clientip"));

    let is_named = person.email.is_some() || person.phone.is_some() || person.first_name.is_some() || person.last_name.is_some();
    if !is_named && message.is_none() && traces.session.is_none() && external_id.is_none() {
        return Err(invalid("email", "A lead needs an email, a phone, or a name."));
    }
    let custom_fields = sheet.rest(as_typed);
    let content_key = content_key(&person, message.as_deref(), &form_type, url.as_deref(), &custom_fields);
    Ok(Lead {
        external_id,
        source: "forms".into(),
        happened_at,
        person,
        traces,
        message,
        form_type,
        value,
        custom_fields: Value::Object(custom_fields),
        url,
        content_key,
        is_imported: false,
    })
}

/// What the visitor wrote, without when, by which id or in which browser: the same words are the same lead.
fn content_key(person: &Person, message: Option<&str>, form_type: &str, url: Option<&str>, custom_fields: &Map<String, Value>) -> [u8; 32] {
    let name = [&person.first_name, &person.last_name].into_iter().flatten().map(|n| n.to_lowercase()).collect::<Vec<_>>().join(" ");
    let content = json!({
        "email": person.email, "phone": person.phone, "name": name, "company": person.company,
        "message": message.map(|m| m.split_whitespace().collect::<Vec<_>>().join(" ")),
        "form_type": form_type, "path": url.map(|u| landing(u, &[]).path), "custom_fields": custom_fields,
    });
    crypto::sha256(canonical(&content).as_bytes())
}

/// What form plug-ins add for themselves, other at every sending, or what nobody may keep.
fn is_noise(key: &str) -> bool {
    key.starts_with("wpcf7")
        || key.starts_with("wpnonce")
        || key.starts_with("wphttpreferer")
        || key.ends_with("captcharesponse")
        || matches!(
            key,
            "cfturnstileresponse"
                | "password"
                | "passwd"
                | "secret"
                | "token"
                | "csrftoken"
                | "csrf"
                | "honeypot"
                | "metadate"
                | "metatime"
                | "metacredit"
        )
}

fn invalid(field: &str, sentence: &str) -> Reject {
    Reject::BadField { field: field.into(), code: "invalid_field", sentence: sentence.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::time::{Time, Zone};
    use proptest::prelude::*;

    fn home() -> Home {
        Home {
            currency: Currency::parse("AED").expect("AED"),
            country: Some("AE".into()),
            zone: Zone::utc(),
            now: Time::parse("2026-06-13T09:20:00Z").expect("a time"),
        }
    }

    fn read(body: Value) -> Result<Lead, Reject> {
        read_lead(body.to_string().as_bytes(), "application/json", &home())
    }

    #[track_caller]
    fn refused(body: Value, field: &str, code: &str) {
        match read(body) {
            Err(Reject::BadField { field: f, code: c, .. }) => assert_eq!((f.as_str(), c), (field, code)),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn the_contracts_own_fields() {
        let lead = read(json!({
            "lead_id": 83, "email": " Ana@Example.com", "phone": "050 123 4567", "name": "Ana Silva", "company": "Acme", "message": "Hi\nthere",
            "value": 0, "currency": "usd", "session_id": "s1", "consent_given": "yes", "created_at": "2026-06-12T10:00:00+04:00",
            "custom_fields": {"budget": 3, "gclid": "g-9"}, "url": "https://shop.example/contact?utm_source=news&x=1", "ip_address": "203.0.113.9",
            "utm_source": "google", "utm_medium": "cpc", "fbclid": "f-1", "coupon": "TEN", "plan": "gold"
        }))
        .expect("a lead");
        assert_eq!(lead.external_id.as_deref(), Some("83"));
        assert_eq!(lead.person.email.as_ref().map(|e| e.as_str()), Some("ana@example.com"));
        assert_eq!(lead.person.phone.as_ref().map(|e| e.as_str()), Some("+971501234567"));
        assert_eq!((lead.person.first_name.as_deref(), lead.person.last_name.as_deref()), (Some("Ana"), Some("Silva")));
        assert_eq!(lead.value.map(|m| m.to_string()).as_deref(), Some("USD 0.00"));
        assert_eq!(lead.traces.click_ids, ["g-9", "f-1"]);
        assert_eq!(lead.traces.stated.map(|s| s.source).as_deref(), Some("google"));
        assert_eq!((lead.traces.session.as_deref(), lead.traces.consent_given), (Some("s1"), Some(true)));
        assert_eq!(lead.traces.coupons, ["TEN"]);
        assert_eq!(lead.happened_at.utc(), "2026-06-12T06:00:00Z");
        assert_eq!(lead.message.as_deref(), Some("Hi\nthere"));
        assert_eq!(lead.url.as_deref(), Some("https://shop.example/contact?utm_source=news"));
        assert_eq!(lead.custom_fields, json!({"budget": 3, "plan": "gold"}));
        assert_eq!(lead.form_type, "contact");
    }

    #[test]
    fn what_was_mistyped_is_kept() {
        let lead = read(json!({"email": "ana(at)example", "phone": "12", "name": "Ana"})).expect("a lead");
        assert_eq!(lead.custom_fields, json!({"email_as_typed": "ana(at)example", "phone_as_typed": "12"}));
        let other = read(json!({"email": "ana(at)example", "mail 2": "ana@example.com"})).expect("a lead");
        assert_eq!(other.person.email.map(|e| e.to_string()).as_deref(), Some("ana@example.com"));
    }

    #[test]
    fn a_lead_is_somebody() {
        refused(json!({}), "email", "invalid_field");
        refused(json!({"email": "nobody", "utm_source": "x", "value": 3}), "email", "invalid_field");
        refused(json!({"email": {"a": 1}}), "email", "invalid_field");
        refused(json!({"lead_id": "x".repeat(256)}), "lead_id", "invalid_field");
        for one in [
            json!({"name": "Ana"}),
            json!({"message": "call me"}),
            json!({"id": 7}),
            json!({"halo_session_id": "s"}),
            json!({"tel": "+971501234567"}),
        ] {
            assert!(read(one.clone()).is_ok(), "{one}");
        }
    }

    #[test]
    fn amounts_that_are_none() {
        for value in [json!("1e999"), json!(-5), json!("12,50"), json!("NaN"), json!([1]), json!(1.00000001)] {
            refused(json!({"email": "a@example.com", "value": value, "currency": "USD"}), "value", "invalid_amount");
        }
        refused(json!({"email": "a@example.com", "value": 1, "currency": "EURO"}), "currency", "invalid_amount");
        assert_eq!(read(json!({"email": "a@example.com", "value": "", "currency": "EURO"})).map(|l| l.value), Ok(None));
    }

    #[test]
    fn the_same_words_are_the_same_lead() {
        let key = |body: Value| read(body).expect("a lead").content_key;
        let one = key(json!({"email": "a@example.com", "message": "Hi  there", "url": "https://x.example/a?utm_source=1", "b": 1, "c": 2}));
        let same = json!({"c": 2, "b": 1, "message": "Hi there ", "Email": "A@example.com", "url": "https://x.example/a", "created_at": "2026-01-01", "id": 5,
            "session_id": "s", "g-recaptcha-response": "zzz"});
        assert_eq!(one, key(same));
        for other in [
            json!({"email": "b@example.com", "message": "Hi there", "url": "https://x.example/a", "b": 1, "c": 2}),
            json!({"email": "a@example.com", "message": "Hi you", "url": "https://x.example/a", "b": 1, "c": 2}),
            json!({"email": "a@example.com", "message": "Hi there", "url": "https://x.example/b", "b": 1, "c": 2}),
            json!({"email": "a@example.com", "message": "Hi there", "url": "https://x.example/a", "b": 1, "c": 3}),
        ] {
            assert_ne!(one, key(other.clone()), "{other}");
        }
    }

    #[test]
    fn times_are_read_or_ours() {
        let at = |told: Value| read(json!({"id": 1, "created_at": told})).expect("a lead").happened_at.utc();
        assert_eq!(at(json!(1_780_000_000)), "2026-05-28T20:26:40Z");
        assert_eq!(at(json!("2027-01-01")), "2026-06-13T09:20:00Z");
        assert_eq!(at(json!("soon")), "2026-06-13T09:20:00Z");
    }

    proptest! {
        #[test]
        fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..300), text in "[{}\\[\\]\":,a-z0-9@+.=&%]{0,200}", kind in "\\PC{0,30}") {
            for content_type in [kind.as_str(), "", "application/json", "application/x-www-form-urlencoded"] {
                let _ = read_lead(&body, content_type, &home());
                let _ = read_lead(text.as_bytes(), content_type, &home());
            }
        }

        #[test]
        fn any_values_under_known_names(names in proptest::collection::vec("(email|phone|name|value|currency|url|created_at|utm|data|fields|form_id|1\\.3|form_response|answers|id)", 1..6), texts in proptest::collection::vec("\\PC{0,40}", 6), kind in 0..4) {
            let mut map = Map::new();
            for (name, text) in names.into_iter().zip(texts) {
                let value = match kind { 0 => json!(text), 1 => json!({"value": text, "type": "email"}), 2 => json!([{"id": text, "value": text}]), _ => json!({text: 1e300}) };
                map.insert(name, value);
            }
            let body = Value::Object(map).to_string();
            if let Ok(lead) = read_lead(body.as_bytes(), "", &home()) {
                prop_assert!(lead.custom_fields.to_string().len() <= 8 * 1024);
                prop_assert!(lead.happened_at <= home().now.plus_ms(600_000));
            }
        }
    }
}
