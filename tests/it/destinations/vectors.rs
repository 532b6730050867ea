//! Requests against what the vendors' own libraries build. The vectors lie beside the project, not in it; where the
//! folder is missing the tests say so and pass.

use std::path::Path;

use halotrack::crypto;
use halotrack::destinations;
use halotrack::domain::platform::{Secrets, Settings};
use halotrack::domain::time::Time;
use serde_json::{Value, json};

use super::{first_difference, first_request, outgoing};

fn vectors(name: &str) -> Option<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/vectors").join(name);
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: {} is not here", file.display());
        return None;
    };
    Some(serde_json::from_str(&text).expect("vectors are JSON"))
}

/// The event that we send for the same inputs.
fn meta_event(given: Value) -> Value {
    let settings = Settings([("pixel_id".to_owned(), "1234567890".to_owned())].into());
    let meta = destinations::find("meta").expect("meta is a destination");
    let now = Time::from_s(1_795_300_900);
    let request = first_request(meta, &outgoing::read(&given), &settings, now).expect("a request");
    let halotrack::wire::Body::Json(body) = &request.body else { panic!("a JSON body") };
    body["data"][0].clone()
}

/// Fields in which we differ on purpose, each with its reason.
const META_DIFFERENCES: &[(&str, &str)] = &[
    ("/user_data/external_id", "both libraries send it as given; Meta's page and its parameter builder hash it, and so do we"),
    ("/custom_data/currency", "the Python library writes it in lower case; Meta's page shows upper case"),
    ("/referrer_url", "only the Python library has it, and the API takes it in its newest version alone"),
    ("/custom_data/status", "a word of the example's own, which no conversion here carries"),
    ("/custom_data/lead_source", "a word of the example's own; where a lead came from is Meta's to find out"),
    ("/opt_out", "the Python library sends the default, false"),
    ("/user_data/em", "a conversion here has one e-mail address, the example two"),
    ("/user_data/ph", "a conversion here has one phone number, the example two"),
    ("/user_data/ge", "the gender of a customer is not kept"),
    ("/user_data/db", "the birthday of a customer is not kept"),
    ("/data_processing_options", "limited data use is not asked for: what may not be used is not sent"),
    ("/data_processing_options_country", "as above"),
    ("/data_processing_options_state", "as above"),
    ("/custom_data/contents/1/delivery_category", "orders here do not say how they are delivered"),
];

/// Takes out what differs on purpose, but only where both sides really do.
fn without_differences(mut theirs: Value, mut ours: Value, allowed: &[&str]) -> (Value, Value) {
    for path in allowed {
        assert!(META_DIFFERENCES.iter().any(|(p, _)| p == path), "{path} has no reason");
        for side in [&mut theirs, &mut ours] {
            let (parent, key) = path.rsplit_once('/').expect("a path begins with a slash");
            if let Some(Value::Object(map)) = side.pointer_mut(parent) {
                map.remove(key);
            }
        }
    }
    (theirs, ours)
}

#[test]
fn meta_leads_equal_the_libraries() {
    let Some(file) = vectors("meta_events.json") else { return };
    let ours = meta_event(json!({
        "conversion": "conversion_1", "kind": "lead", "event_id": "lead-7f3a", "mode": "live", "external_id": "7f3a",
        "happened_at": "1795300000", "amount": ["0", "USD"], "form_type": "Contact form",
        "email": " Foo.Bar@Example.COM ", "phone": "+1 (650) 555-1212", "first_name": "Mary", "last_name": "Smith",
        "city": "San Francisco", "region": "CA", "postcode": "94035-1234", "country": "US", "customer_id": "crm-42",
        "site_domain": "www.example.com", "explicit_consent": true, "match_type": "session",
        "visit": {
            "visitor": "v", "page_url": "https://www.example.com/contact?utm_source=fb", "referrer": "https://l.facebook.com/",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64)", "address": "203.0.113.9",
            "fbc": "fb.1.1795299000000.AbC_123", "fbp": "fb.1.1795200000000.1234567890"
        }
    }));
    let common = ["/user_data/external_id", "/custom_data/status", "/custom_data/lead_source"];
    for (library, more) in [("node_sdk", &[][..]), ("python_sdk", &["/custom_data/currency", "/referrer_url"][..])] {
        let theirs = file[library]["events"]["lead_website"].clone();
        assert!(theirs.is_object(), "{library} has the event");
        let allowed: Vec<&str> = common.iter().chain(more).copied().collect();
        let (theirs, ours) = without_differences(theirs, ours.clone(), &allowed);
        assert_eq!(first_difference("", &theirs, &ours), None, "{library}");
    }
}

#[test]
fn meta_purchases_equal_the_libraries() {
    let Some(file) = vectors("meta_events.json") else { return };
    let ours = meta_event(json!({
        "conversion": "conversion_1", "kind": "sale", "event_id": "order-1001", "mode": "live", "external_id": "1001",
        "happened_at": "1795300100", "amount": ["142.52", "EUR"], "email": "a@example.com", "phone": "+16505551212",
        "customer_id": "u1", "site_domain": "www.example.com", "explicit_consent": true, "match_type": "session",
        "items": [
            { "id": "sku1", "quantity": 2, "price": ["50.50", "EUR"] },
            { "id": "sku2", "quantity": 1, "price": ["41.52", "EUR"], "name": "Thing" }
        ],
        "visit": {
            "visitor": "v", "page_url": "/thanks", "user_agent": "UA", "address": "2001:db8::7",
            "fbc": "fb.1.1795299000000.AbC_123", "fbp": "fb.1.1795200000000.1234567890"
        }
    }));
    let common = [
        "/user_data/external_id",
        "/user_data/em",
        "/user_data/ph",
        "/user_data/ge",
        "/user_data/db",
        "/data_processing_options",
        "/data_processing_options_country",
        "/data_processing_options_state",
        "/custom_data/contents/1/delivery_category",
    ];
    for (library, more) in [("node_sdk", &[][..]), ("python_sdk", &["/custom_data/currency", "/opt_out"][..])] {
        let theirs = file[library]["events"]["purchase_website_multi_value_ldu"].clone();
        // Of the libraries' several values ours must be among them.
        for key in ["em", "ph"] {
            let digest = &ours["user_data"][key][0];
            assert!(theirs["user_data"][key].as_array().is_some_and(|all| all.contains(digest)), "{library} {key}");
        }
        let allowed: Vec<&str> = common.iter().chain(more).copied().collect();
        let (theirs, ours) = without_differences(theirs, ours.clone(), &allowed);
        assert_eq!(first_difference("", &theirs, &ours), None, "{library}");
    }
}

#[test]
fn meta_click_cookies_equal_the_parameter_builder() {
    let Some(file) = vectors("meta_fbc_fbp.json") else { return };
    let now_ms = file["header"]["frozen"]["now_ms"].as_i64().expect("the frozen clock");
    let (mut seen, mut left) = (0, Vec::new());
    for case in file["cases"].as_array().expect("cases") {
        let name = case["name"].as_str().unwrap_or_default();
        let input = &case["in"];
        let click = input["query"]["fbclid"].as_str();
        let cookie = input["cookies"]["_fbc"].as_str();
        if click.is_none() && cookie.is_none() {
            continue; // the builder then looks into the referrer, which for us is the page tag's work
        }
        let out = json!({
            "conversion": "conversion_1", "kind": "lead", "event_id": "lead_1", "mode": "live", "external_id": "1",
            "happened_at": "1795300000", "email": "a@example.com", "site_domain": "www.example.com", "explicit_consent": true,
            "match_type": "session",
            "visit": {
                "visitor": "v", "fbc": cookie,
                "clicks": click.map(|c| vec![("fbclid", c, now_ms.to_string())]).unwrap_or_default()
            }
        });
        let ours = meta_event(out)["user_data"]["fbc"].as_str().map(plain);
        let theirs = case["out"]["fbc"].as_str().map(plain);
        seen += 1;
        if ours != theirs {
            left.push(format!("{name}: the builder says {theirs:?}, we say {ours:?}"));
        }
    }
    assert!(seen > 5, "{seen} cases were usable");
    assert!(left.is_empty(), "{}", left.join("\n"));
}

/// The four parts that count; the domain's index depends on the host, and the fifth part names the library.
fn plain(text: &str) -> String {
    let parts: Vec<&str> = text.split('.').collect();
    parts.iter().take(4).enumerate().map(|(i, p)| if i == 1 { "n" } else { p }).collect::<Vec<_>>().join(".")
}

#[test]
fn google_hashes_equal_the_library() {
    let Some(file) = vectors("google_normalisation.json") else { return };
    let ga4 = destinations::find("ga4").expect("ga4 is a destination");
    let mut seen = 0;
    for case in file["cases"].as_array().expect("cases") {
        let (field, input) = (case["field"].as_str().unwrap_or_default(), case["input"].as_str().unwrap_or_default());
        // GA4's page says nothing of the `+` suffix, which the library of the other interface cuts for Gmail.
        if field != "email_address" || input.contains('+') || case["sha256_hex"].is_null() {
            continue;
        }
        let Some(email) = halotrack::domain::person::Email::parse(input) else { continue };
        let out = json!({
            "conversion": "conversion_1", "kind": "lead", "event_id": "lead_1", "mode": "live", "external_id": "1",
            "happened_at": "1795300000", "email": email.as_str(), "site_domain": "www.example.com", "explicit_consent": true,
            "match_type": "none"
        });
        let request = first_request(ga4, &outgoing::read(&out), &Settings::default(), Time::from_s(1_795_300_900)).expect("a request");
        let halotrack::wire::Body::Json(body) = &request.body else { panic!("a JSON body") };
        assert_eq!(body["user_data"]["sha256_email_address"][0], case["sha256_hex"], "{input}");
        seen += 1;
    }
    assert!(seen > 3, "{seen} cases were usable");
}

/// The body of a request for the same inputs.
fn body_of(slug: &str, given: Value, settings: &[(&str, &str)]) -> Value {
    let destination = destinations::find(slug).expect("a destination");
    let settings = Settings(settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
    let request = first_request(destination, &outgoing::read(&given), &settings, Time::from_s(1_795_310_900)).expect("a request");
    let halotrack::wire::Body::Json(body) = &request.body else { panic!("a JSON body") };
    body.clone()
}

#[test]
fn data_manager_hashes_equal_the_library() {
    let Some(file) = vectors("google_normalisation.json") else { return };
    let mut seen = 0;
    for case in file["cases"].as_array().expect("cases") {
        let (field, input) = (case["field"].as_str().unwrap_or_default(), case["input"].as_str().unwrap_or_default());
        let hash = case["sha256_hex"].as_str();
        // What is a hash already is passed through, as both other platforms have it.
        if input.len() == 64 && input.bytes().all(|b| b.is_ascii_hexdigit()) {
            continue;
        }
        let ours = match field {
            "email_address" => halotrack::domain::person::google_email(input, true),
            // Its helper makes `+0044…` of `0044…` and keeps the zero in brackets, and takes digits that are no number.
            "phone_number" if hash.is_some() && !["+1 800 555 0100", "+1 (800) 555-0100"].contains(&input) => continue,
            "phone_number" => halotrack::domain::person::google_phone(input, None),
            "given_name" | "family_name" => halotrack::domain::person::google_name(input),
            _ => continue,
        };
        assert_eq!(ours.as_deref(), hash, "{field} {input:?}");
        seen += 1;
    }
    assert!(seen > 20, "{seen} cases were usable");
}

#[test]
fn data_manager_events_equal_the_library() {
    let Some(file) = vectors("google_requests.json") else { return };
    let mut theirs = file["data_manager_events_ingest_google_ads"].clone();
    let mut ours = body_of(
        "google_ads",
        json!({
            "conversion": "conversion_1", "kind": "sale", "event_id": "order-1001", "mode": "test", "external_id": "1001",
            "happened_at": "2026-11-21T22:28:20Z", "amount": ["142.52", "EUR"], "email": "Foo.Bar@Example.com",
            "phone": "+16505551212", "first_name": " Mary ", "last_name": "SMITH", "postcode": " 94035 ", "country": "us",
            "site_domain": "www.example.com", "explicit_consent": true, "match_type": "session",
            "visit": {"visitor": "v", "user_agent": "UA", "address": "203.0.113.9", "clicks": [["gclid", "Cj0KCQ_test", "1795200000"]]}
        }),
        &[("customer_id", "444-555-6666"), ("login_customer_id", "111-222-3333"), ("conversion_action", "987654321")],
    );
    // Where the two differ on purpose: the example's person is its own, it says that ads may not be personal, and it has a
    // cart of Merchant Center, what it knows of the customer, and the marks of a landing, none of which are kept here.
    let identifiers = |body: &Value| -> Vec<Vec<String>> {
        let all = body["events"][0]["userData"]["userIdentifiers"].as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|one| {
                one.as_object()
                    .into_iter()
                    .flatten()
                    .flat_map(|(k, v)| match v.as_object() {
                        Some(inner) => inner.keys().cloned().collect::<Vec<_>>(),
                        None => vec![k.clone()],
                    })
                    .collect()
            })
            .collect()
    };
    assert_eq!(identifiers(&theirs), identifiers(&ours));
    assert!(theirs["events"][0]["adIdentifiers"]["sessionAttributes"].is_string());
    for side in [&mut theirs, &mut ours] {
        let event = side["events"][0].as_object_mut().expect("an event");
        for key in ["userData", "cartData", "userProperties"] {
            event.remove(key);
        }
        side["events"][0]["adIdentifiers"].as_object_mut().expect("ids").remove("sessionAttributes");
        side["consent"].as_object_mut().expect("consent").remove("adPersonalization");
    }
    assert_eq!(first_difference("", &theirs, &ours), None);
}

#[test]
fn hubspot_requests_equal_the_official_client() {
    let Some(file) = vectors("hubspot_requests.json") else { return };
    let find = |end: &str| -> Value {
        let all = file["requests"].as_array().expect("requests");
        all.iter().find(|r| r["path"].as_str().is_some_and(|p| p.ends_with(end))).expect("a request")["body"].clone()
    };
    let mut theirs = find("contacts/batch/upsert");
    let ours = body_of(
        "hubspot",
        json!({
            "conversion": "conversion_1", "kind": "lead", "event_id": "lead-7f3a", "mode": "live", "external_id": "7f3a",
            "happened_at": "2026-11-21T22:28:20Z", "email": "a@example.com", "phone": "+16505551212", "first_name": "Mary",
            "site_domain": "www.example.com", "explicit_consent": true, "match_type": "session"
        }),
        &[],
    );
    // A property of the example's own; where a lead came from stands in its deal.
    theirs["inputs"][0]["properties"].as_object_mut().expect("properties").remove("utm_source");
    assert_eq!(first_difference("", &theirs, &ours), None);

    let mut theirs = find("deals/batch/upsert");
    let mut ours = body_of(
        "hubspot",
        json!({
            "conversion": "conversion_1", "kind": "sale", "event_id": "order-1001", "subject": "1001", "mode": "live",
            "external_id": "1001", "happened_at": "2026-11-21T22:28:20Z", "amount": ["142.52", "EUR"],
            "site_domain": "www.example.com", "explicit_consent": true, "match_type": "none"
        }),
        &[("deal_property", "external_order_id")],
    );
    // Our key names the site too; day and currency of the deal are HubSpot's own properties, which the example leaves out.
    let key = json!("www.example.com:1001");
    theirs["inputs"][0]["id"] = key.clone();
    theirs["inputs"][0]["properties"]["external_order_id"] = key;
    let properties = ours["inputs"][0]["properties"].as_object_mut().expect("properties");
    assert_eq!(properties.remove("closedate"), Some(json!("2026-11-21T22:28:20Z")));
    assert_eq!(properties.remove("deal_currency_code"), Some(json!("EUR")));
    assert_eq!(first_difference("", &theirs, &ours), None);
}

#[tokio::test]
async fn standard_webhook_signatures_equal_the_library() {
    use crate::stand_in::{Answer, StandIn};
    use halotrack::wire::{Body, Request, Sign};

    let Some(file) = vectors("webhook_signatures.json") else { return };
    let groups = file["groups"].as_array().expect("groups");
    let group = groups.iter().find(|g| g["source"] == "standard_webhooks").expect("the group of the standard");
    let stand_in = StandIn::start(|_, _| Answer::text(200, "")).await;
    let outbound = halotrack::outbound::Outbound::new(&["127.0.0.0/8".into()], &Default::default()).expect("a client");
    let mut seen = 0;
    for vector in group["vectors"].as_array().expect("vectors") {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        if vector["valid"] != true || crypto::webhook_key(&text(&vector["secret"])).is_none() {
            continue;
        }
        let headers = &vector["headers"];
        let mut secrets = Secrets::default();
        secrets.set("secret", crypto::Secret::new(text(&vector["secret"])));
        let mut request = Request::new("POST", stand_in.url(), "/").signed(Sign::StandardWebhooks {
            secret: "secret".into(),
            id: text(&headers["webhook-id"]),
            timestamp_s: text(&headers["webhook-timestamp"]).parse().expect("seconds"),
        });
        let body = crypto::unbase64(&text(&vector["body_base64"])).expect("base64");
        request.body = Body::Text(String::from_utf8(body).expect("text"));
        outbound.send(&request, &secrets).await.expect("an answer");
        let sent = stand_in.seen().pop().expect("a request");
        let theirs = text(&headers["webhook-signature"]);
        assert!(theirs.split(' ').any(|s| s == sent.header("webhook-signature")), "{}", vector["name"]);
        seen += 1;
    }
    assert!(seen > 0, "no usable vector");
}
