//! Google Ads by the Data Manager API, against a stand-in for it and for Google's tokens: taken first, told later.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use halotrack::crypto;
use halotrack::jobs::worker;
use rustls::SignatureScheme;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer as Says, Gate, Seen, StandIn};
use crate::story::Connected;

const HALF_AN_HOUR_S: i64 = 1_800;

fn key_file() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the key of the tests")).expect("JSON")
}

/// What Google answers: to the token, to the event, to each look at what became of it.
#[derive(Clone)]
struct Google {
    token: Arc<Mutex<Says>>,
    event: Arc<Mutex<Says>>,
    status: Arc<Mutex<Says>>,
}

impl Google {
    fn new() -> Self {
        let keep = |says: Says| Arc::new(Mutex::new(says));
        Self {
            token: keep(Says::json(200, json!({"access_token": "ya29.longenough-1", "expires_in": 3599, "token_type": "Bearer"}))),
            event: keep(Says::json(200, json!({"requestId": "req-1"}))),
            status: keep(status("SUCCESS", None)),
        }
    }

    fn says(what: &Arc<Mutex<Says>>, says: Says) {
        *what.lock().expect("an answer") = says;
    }

    async fn start(&self) -> StandIn {
        let google = self.clone();
        StandIn::start(move |seen, _| {
            let of = |what: &Arc<Mutex<Says>>| what.lock().expect("an answer").clone();
            match seen.target.split('?').next().unwrap_or_default() {
                "/token" => of(&google.token),
                _ if seen.header("authorization") != "Bearer ya29.longenough-1" => {
                    Says::json(401, json!({"error": {"status": "UNAUTHENTICATED"}}))
                }
                "/v1/events:ingest" => of(&google.event),
                "/v1/requestStatus:retrieve" => of(&google.status),
                other => panic!("Google knows nothing of {other}"),
            }
        })
        .await
    }
}

fn status(word: &str, reason: Option<&str>) -> Says {
    let mut one = json!({"requestStatus": word, "eventsIngestionStatus": {"recordCount": "1"}});
    if let Some(reason) = reason {
        one["errorInfo"] = json!({"errorCounts": [{"recordCount": "1", "reason": format!("PROCESSING_ERROR_REASON_{reason}")}]});
    }
    Says::json(200, json!({"requestStatusPerDestination": [one]}))
}

/// In full time: half an hour is half an hour.
fn house(stand_in: &StandIn) -> House {
    let url = stand_in.url();
    House::with(move |config| {
        config.retry_scale_ppm = 1_000_000;
        for key in ["google_ads", "google_oauth"] {
            config.base_urls.insert(key.into(), url.clone());
        }
    })
}

async fn connected(house: &House, mode: &str) -> (SiteAt, Connected) {
    let site = house.site("shop.example").await;
    let key = key_file().to_string();
    let settings = [("customer_id", "444-555-6666"), ("conversion_action", "987654321"), ("service_account", key.as_str())];
    let connection = house.connect(&site, "google_ads", mode, &settings).await;
    (site, connection)
}

async fn sale(house: &House, site: &SiteAt, order: &str) {
    let told = json!({"conversion_type": "sale", "email": "ann.lee@mail.example", "revenue": 142.5, "currency": "EUR", "order_id": order});
    house.conversion(site, told).await.is(201);
}

fn words(delivery: &Value) -> String {
    let word = |name: &str| delivery[name].as_str().unwrap_or("-").to_owned();
    format!("{} {} {} {}", word("kind"), word("state"), word("reason"), delivery["attempts"])
}

fn count(stand_in: &StandIn, path: &str) -> usize {
    stand_in.seen().iter().filter(|s| s.target.starts_with(path)).count()
}

async fn after(house: &House, seconds: i64) {
    house.advance_s(seconds);
    house.work().await;
}

#[tokio::test]
async fn a_sale_is_taken_at_once_and_counted_half_an_hour_later() {
    let google = Google::new();
    let stand_in = google.start().await;
    let house = house(&stand_in);
    let (site, _) = connected(&house, "live").await;
    sale(&house, &site, "1001").await;
    sale(&house, &site, "1002").await;
    house.work().await;
    let all = house.deliveries(&site).await;
    assert!(all.iter().all(|d| words(d) == "PURCHASE accepted checking 0"), "{all:#?}");
    assert_eq!((count(&stand_in, "/token"), count(&stand_in, "/v1/events:ingest")), (1, 2), "one token for both");

    let sent = stand_in.seen().into_iter().find(|s| s.target == "/v1/events:ingest").expect("an event").json();
    assert_eq!(sent["destinations"][0]["operatingAccount"], json!({"accountId": "4445556666", "accountType": "GOOGLE_ADS"}));
    assert_eq!(sent["destinations"][0]["productDestinationId"], json!("987654321"));
    let hashed = crypto::sha256_hex(b"ann.lee@mail.example");
    assert_eq!(sent["events"][0]["userData"]["userIdentifiers"], json!([{ "emailAddress": hashed }]));
    assert_eq!((&sent["validateOnly"], &sent["encoding"]), (&json!(false), &json!("HEX")));

    after(&house, HALF_AN_HOUR_S - 60).await;
    assert_eq!(count(&stand_in, "/v1/requestStatus"), 0);
    after(&house, 61).await;
    let all = house.deliveries(&site).await;
    assert!(all.iter().all(|d| words(d) == "PURCHASE delivered - 1"), "{all:#?}");
    assert!(all.iter().all(|d| d["request"]["url"].as_str().is_some_and(|u| u.ends_with("events:ingest"))), "what was sent stays shown");
    assert!(stand_in.seen().iter().any(|s| s.target == "/v1/requestStatus:retrieve?requestId=req-1"));
    after(&house, 86_400).await;
    assert_eq!(count(&stand_in, "/v1/"), 4, "and that is that");
}

#[tokio::test]
async fn a_service_account_signs_its_own_word() {
    let google = Google::new();
    let stand_in = google.start().await;
    let house = house(&stand_in);
    let (site, _) = connected(&house, "live").await;
    sale(&house, &site, "1001").await;
    house.work().await;
    let asked = stand_in.seen().into_iter().find(|s| s.target == "/token").expect("a token");
    let form: std::collections::BTreeMap<String, String> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let parts: Vec<&str> = form["assertion"].split('.').collect();
    let read = |text: &str| -> Value { serde_json::from_slice(&crypto::unbase64url(text).expect("base64url")).expect("JSON") };
    let (head, claims) = (read(parts[0]), read(parts[1]));
    assert_eq!(head, json!({"alg": "RS256", "typ": "JWT", "kid": "0f1e2d3c4b5a"}));
    assert_eq!(claims["iss"], json!("halotrack@shop-ads.iam.gserviceaccount.com"));
    assert_eq!(claims["aud"], json!("https://oauth2.googleapis.com/token"));
    assert_eq!(claims["scope"], json!("https://www.googleapis.com/auth/datamanager"));
    let now = house.clock.now().s();
    assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(now), Some(now + 3_600)));
    let public = crypto::unbase64(key_file()["public_key_of_the_test"].as_str().expect("a key")).expect("base64");
    let provider = rustls::crypto::ring::default_provider();
    let known = provider.signature_verification_algorithms.mapping;
    let (_, rules) = known.iter().find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256).expect("RS256");
    let signature = crypto::unbase64url(parts[2]).expect("base64url");
    let said = format!("{}.{}", parts[0], parts[1]);
    assert!(rules.iter().any(|rule| rule.verify_signature(&public, said.as_bytes(), &signature).is_ok()), "the signature holds");
    // The key itself is nowhere to be seen.
    let shown = format!("{:?}", house.list(&site, "connections").await);
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}

#[tokio::test]
async fn what_google_says_later_is_the_verdict() {
    for (word, reason, want) in [
        ("SUCCESS", None, "PURCHASE delivered - 1"),
        ("PARTIAL_SUCCESS", Some("DUPLICATE_TRANSACTION_ID"), "PURCHASE delivered - 1"),
        ("PARTIAL_SUCCESS", Some("INVALID_GCLID"), "PURCHASE refused refused_by_platform 1"),
        ("FAILED", Some("EVENT_TOO_OLD"), "PURCHASE refused refused_by_platform 1"),
        ("FAILED", None, "PURCHASE refused refused_by_platform 1"),
        ("SUCCESS", Some("DENIED_CONSENT"), "PURCHASE refused refused_by_platform 1"),
        ("PROCESSING", None, "PURCHASE accepted checking 0"),
        ("FAILED", Some("INTERNAL_ERROR"), "PURCHASE pending - 0"),
    ] {
        let google = Google::new();
        let stand_in = google.start().await;
        let house = house(&stand_in);
        let (site, _) = connected(&house, "live").await;
        sale(&house, &site, "1001").await;
        house.work().await;
        Google::says(&google.status, status(word, reason));
        after(&house, HALF_AN_HOUR_S + 1).await;
        let told = house.delivery(&site).await;
        assert_eq!(words(&told), want, "{word} {reason:?} {told:#}");
        if reason == Some("INTERNAL_ERROR") {
            Google::says(&google.status, status("SUCCESS", None));
            after(&house, 3_601).await;
            assert_eq!(count(&stand_in, "/v1/events:ingest"), 2, "sent again from the start");
            after(&house, HALF_AN_HOUR_S + 1).await;
            assert_eq!(words(&house.delivery(&site).await), "PURCHASE delivered - 1");
        }
    }
}

#[tokio::test]
async fn nothing_that_comes_between_turns_what_was_taken_into_something_else() {
    let google = Google::new();
    let stand_in = google.start().await;
    let house = house(&stand_in);
    let (site, connection) = connected(&house, "live").await;
    sale(&house, &site, "1001").await;
    house.work().await;
    let asked = count(&stand_in, "/v1/events:ingest");

    // Trouble at the look, a restart, a switch to shadow: it is looked at again.
    Google::says(&google.status, Says::text(503, "busy"));
    after(&house, HALF_AN_HOUR_S + 1).await;
    assert_eq!(words(&house.delivery(&site).await), "PURCHASE accepted checking 0");
    let next = house.again();
    assert_eq!(worker::take_up(&next.app).await.expect("the queue"), 0);
    let path = format!("/api/sites/{}/connections/{}", site.slug, connection.id);
    house.post(&path).token(&site.token).json(&json!({"mode": "shadow"})).send().await;
    Google::says(&google.status, status("SUCCESS", None));
    after(&house, 2 * HALF_AN_HOUR_S + 1).await;
    let told = house.delivery(&site).await;
    assert_eq!((words(&told).as_str(), &told["mode"]), ("PURCHASE delivered - 1", &json!("live")), "{told:#}");
    assert_eq!(count(&stand_in, "/v1/events:ingest"), asked, "and is not sent twice");
}

/// What Google has taken cannot be called back: a refusal stops what waits, and of the other it is still asked what became of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_ends_what_waits_and_no_look_at_what_was_taken() {
    let refused = json!({"email": "ann.lee@mail.example", "consent_given": false});
    for is_on_its_way in [false, true] {
        let google = Google::new();
        let stand_in = google.start().await;
        let house = house(&stand_in);
        let (site, _) = connected(&house, "live").await;
        sale(&house, &site, "1001").await;
        house.work().await;
        house.advance_s(60);
        Google::says(&google.event, Says::text(503, "busy"));
        sale(&house, &site, "1002").await;
        house.work().await;
        let now = || async { house.deliveries(&site).await.iter().filter(|d| d["kind"] == "PURCHASE").map(words).collect::<Vec<_>>() };
        assert_eq!(now().await[1], "PURCHASE accepted checking 0");
        let gate = Gate::closed();
        if is_on_its_way {
            // The look itself is under way when the no comes.
            Google::says(&google.status, Says::Held(gate.clone()));
            house.advance_s(HALF_AN_HOUR_S + 1);
            let app = house.app.clone();
            let work = tokio::spawn(async move { worker::drain(&app).await });
            while gate.waiting.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            house.lead(&site, refused.clone()).await.is(200);
            gate.turns.add_permits(100);
            work.await.expect("no panic").expect("done");
            Google::says(&google.status, status("SUCCESS", None));
        } else {
            house.advance_s(60);
            house.lead(&site, refused.clone()).await.is(200);
            assert_eq!(now().await[1], "PURCHASE accepted checking 0");
        }
        assert!(now().await[0].starts_with("PURCHASE cancelled consent"), "{:?}", now().await);
        after(&house, 4 * HALF_AN_HOUR_S).await;
        assert!(now().await[1].starts_with("PURCHASE delivered -"), "{:?}", now().await);
        let proof = house.get("/api/sites/shop/reports/consent/proof").token(&site.token).send().await.is(200).json;
        assert_eq!(proof["total"]["refused"], json!(0), "{proof:#}");
    }
}

/// What Google has stays said of it, whoever is gone meanwhile; only nobody asks any more.
#[tokio::test]
async fn what_was_taken_stays_taken_when_its_connection_or_its_person_goes() {
    for is_person in [false, true] {
        let google = Google::new();
        let stand_in = google.start().await;
        let house = house(&stand_in);
        let (site, connection) = connected(&house, "live").await;
        sale(&house, &site, "1001").await;
        house.work().await;
        assert_eq!(words(&house.delivery(&site).await), "PURCHASE accepted checking 0");
        if is_person {
            let path = format!("/api/sites/{}/erasures", site.slug);
            house.post(&path).token(&site.token).json(&json!({"email": "ann.lee@mail.example"})).send().await;
        } else {
            let id = connection.id.parse().expect("an id");
            halotrack::flows::connections::remove(&house.app, Some(site.id), id, "test").await.expect("removed");
        }
        after(&house, HALF_AN_HOUR_S + 1).await;
        assert_eq!(words(&house.delivery(&site).await), "PURCHASE accepted - 0", "person: {is_person}");
        assert_eq!(count(&stand_in, "/v1/requestStatus"), 0, "person: {is_person}");
    }
}

#[tokio::test]
async fn a_check_goes_on_for_a_day_and_a_half_and_then_stays_taken() {
    let google = Google::new();
    let stand_in = google.start().await;
    let house = house(&stand_in);
    let (site, _) = connected(&house, "live").await;
    sale(&house, &site, "1001").await;
    house.work().await;
    Google::says(&google.status, status("PROCESSING", None));
    for _ in 0..20 {
        after(&house, 6 * 3_600 + 1).await;
    }
    assert_eq!(words(&house.delivery(&site).await), "PURCHASE accepted - 1");
    assert_eq!(count(&stand_in, "/v1/requestStatus"), 10);
}

#[tokio::test]
async fn test_mode_only_checks_and_shadow_sends_nothing() {
    for (mode, want, asked) in [("test", "PURCHASE accepted - 1", 1), ("shadow", "PURCHASE skipped shadow 0", 0)] {
        let google = Google::new();
        let stand_in = google.start().await;
        let house = house(&stand_in);
        let (site, _) = connected(&house, mode).await;
        sale(&house, &site, "1001").await;
        house.work().await;
        assert_eq!(words(&house.delivery(&site).await), want);
        let sent: Vec<Value> = stand_in.seen().iter().filter(|s| s.target == "/v1/events:ingest").map(Seen::json).collect();
        assert!(sent.len() == asked && sent.iter().all(|s| s["validateOnly"] == true), "{sent:#?}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_ended_pauses_and_says_what_to_do() {
    let google = Google::new();
    let stand_in = google.start().await;
    let house = house(&stand_in);
    let site = house.site("shop.example").await;
    let half = [
        ("customer_id", "4445556666"),
        ("conversion_action", "987654321"),
        ("client_id", "app.example"),
        ("client_secret", "GOCSPX-verysecret"),
    ];
    let form = halotrack::flows::connections::NewConnectionForm {
        platform: "google_ads".into(),
        mode: Some("live".into()),
        settings: half.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..Default::default()
    };
    let refused = halotrack::flows::connections::add(&house.app, site.id, &form, "test").await.err().expect("half a way in is none");
    assert_eq!(refused.field.as_deref(), Some("service_account"));
    let whole: Vec<_> = half.into_iter().chain([("refresh_token", "1//refresh-verysecret")]).collect();
    house.connect(&site, "google_ads", "live", &whole).await;
    sale(&house, &site, "1001").await;
    house.work().await;
    let form = stand_in.seen().into_iter().find(|s| s.target == "/token").expect("a token").text();
    assert_eq!(
        form,
        "grant_type=refresh_token&client_id=app.example&client_secret=GOCSPX-verysecret&refresh_token=1%2F%2Frefresh-verysecret"
    );
    assert_eq!(words(&house.delivery(&site).await), "PURCHASE accepted checking 0");

    Google::says(
        &google.token,
        Says::json(400, json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."})),
    );
    // The held token has ended.
    house.advance_s(3_600);
    sale(&house, &site, "1002").await;
    house.work().await;
    let card = &house.list(&site, "connections").await[0];
    assert_eq!(card["status"], json!("paused"), "{card:#}");
    assert!(card["reason"].as_str().expect("words").contains("Enter new ones"), "{card:#}");
    let waiting = house.deliveries(&site).await.into_iter().find(|d| d["event_id"] == "order_1002").expect("a delivery");
    assert_eq!(words(&waiting), "PURCHASE pending - 0");
    assert!(!format!("{card}{waiting}").contains("verysecret"));
}

#[tokio::test]
async fn refunds_and_custom_ones_are_noted_and_not_sent() {
    let google = Google::new();
    let stand_in = google.start().await;
    let house = house(&stand_in);
    let (site, _) = connected(&house, "live").await;
    let custom = json!({"conversion_type": "custom", "email": "di@mail.example", "custom_data": {"event_name": "demo_booked"}});
    house.conversion(&site, custom).await.is(201);
    house.work().await;
    let told = house.delivery(&site).await;
    assert_eq!((&told["state"], &told["reason"]), (&json!("skipped"), &json!("unsupported_kind")));
    assert_eq!(stand_in.seen().len(), 0);
}
