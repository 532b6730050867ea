//! Tickets, registrations and appointments of Posh, Eventbrite, Zoom and Easy!Appointments: by call and by list, each once.

use std::sync::{Arc, Mutex};

use halotrack::crypto::{hex, hmac_sha256};
use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::stand_in::{Answer as Says, Seen, StandIn};
use crate::story::Connected;

const DAY_S: i64 = 86_400;
const EMAIL: &str = "orla.byrne@mail.example";

async fn read(house: &House) {
    puller::drain(&house.app).await.expect("what is due is read");
}

/// Kinds of steps, in the order of their names.
fn steps(house: &House, site: &SiteAt) -> Vec<String> {
    let rows = house.sql(site, "select event_type, email from funnel_events order by event_type, email");
    rows.iter().map(|r| format!("{} {}", r["event_type"].as_str().unwrap_or("-"), r["email"].as_str().unwrap_or("-"))).collect()
}

/// A platform on loopback that answers by what it is given.
pub async fn platform(key: &'static str, answer: fn(&mut Value, &Seen) -> Says) -> (Arc<Mutex<Value>>, House, String) {
    let inside = Arc::new(Mutex::new(json!({})));
    let shared = inside.clone();
    let stand_in = StandIn::start(move |seen, _| answer(&mut shared.lock().expect("the platform"), seen)).await;
    let url = stand_in.url();
    let base = url.clone();
    let house = House::with(move |config| {
        for key in key.split(' ').filter(|key| !key.is_empty()) {
            config.base_urls.insert(key.into(), base.clone());
        }
    });
    (inside, house, url)
}

pub fn set(inside: &Mutex<Value>, key: &str, value: Value) {
    inside.lock().expect("the platform")[key] = value;
}

// -------------------------------------------------------------------------------------------------- Posh

async fn posh(house: &House, path: &str, secret: &str, body: &Value) -> Answer {
    house.post(path).header("posh-secret", secret).json(body).send().await
}

#[tokio::test]
async fn a_ticket_of_posh_is_a_sale_and_a_step_until_it_is_given_back() {
    let house = House::new();
    let site = house.site("harrow.example").await;
    let connected = house.connect(&site, "poshvip", "live", &[("secret", "posh-7"), ("currency", "USD")]).await;
    let order = |event: &str, number: &str| {
        json!({
            "type": "new_order", "account_email": EMAIL, "account_first_name": "Orla", "account_last_name": "Byrne", "event_id": event,
            "order_number": number, "event_name": "Amber night", "total": 40.5, "tracking_link": "ig-bio", "partialRefund": 0,
            "date_purchased": house.ago(0), "update_date": house.ago(0), "cancelled": false, "refunded": false, "items": []
        })
    };
    let kept = format!("/api/webhooks/poshvip/{}", connected.hook.rsplit('/').next().unwrap_or_default());
    posh(&house, &kept, "guessed", &order("e1", "1")).await.is(401);
    posh(&house, "/api/webhooks/poshvip/0123456789abcdef0123456789abcdef", "posh-7", &order("e1", "1")).await.is(404);
    for path in [&kept, &connected.hook, &kept] {
        posh(&house, path, "posh-7", &order("e1", "1")).await.is(200);
    }
    // A number is unique within its event alone.
    house.advance_s(3_600);
    posh(&house, &kept, "posh-7", &order("e2", "1")).await.is(200);
    let net = |all: &[Value]| all.iter().map(|c| c["net"]["minor"].as_i64().unwrap_or_default()).sum::<i64>();
    let all = house.list(&site, "conversions").await;
    assert_eq!((all.len(), net(&all)), (2, 8_100), "{all:#?}");
    house.advance_s(DAY_S);
    let mut back = order("e1", "1");
    (back["type"], back["refunded"], back["cancelled"]) = (json!("order_updated"), json!(true), json!(true));
    posh(&house, &kept, "posh-7", &back).await.is(200);
    assert_eq!(net(&house.list(&site, "conversions").await), 4_050);
    let bought = format!("ticket_purchased {EMAIL}");
    assert_eq!(steps(&house, &site), [format!("appointment_cancelled {EMAIL}"), format!("refunded {EMAIL}"), bought.clone(), bought]);
}

// -------------------------------------------------------------------------------------------------- Eventbrite

pub fn eventbrite(inside: &mut Value, seen: &Seen) -> Says {
    if seen.header("authorization") != "Bearer PRIVATE" {
        return Says::json(401, json!({"status_code": 401, "error": "NO_AUTH"}));
    }
    let path = seen.target.split('?').next().unwrap_or_default().to_owned();
    assert!(path.ends_with('/'), "{path}");
    let list = |name: &str, rows: &Value| {
        let rows = rows.as_array().cloned().unwrap_or_default();
        Says::json(200, json!({"pagination": {"has_more_items": false, "continuation": "Mg=="}, name: rows}))
    };
    match (seen.method.as_str(), path.as_str()) {
        ("GET", "/v3/organizations/61/orders/") => list("orders", &inside["orders"]),
        ("GET", "/v3/organizations/61/attendees/") => list("attendees", &inside["attendees"]),
        ("GET", "/v3/organizations/61/webhooks/") => list("webhooks", &inside["webhooks"]),
        ("POST", "/v3/organizations/61/webhooks/") => {
            let asked = seen.json();
            let actions: Vec<&str> = asked["actions"].as_str().unwrap_or_default().split(',').collect();
            let made = json!({"id": "41", "endpoint_url": asked["endpoint_url"], "actions": actions});
            inside["webhooks"] = json!([made]);
            Says::json(200, made)
        }
        ("GET", "/v3/orders/7/") => {
            let mut order = inside["orders"][0].clone();
            order["attendees"] = inside["attendees"].clone();
            Says::json(200, order)
        }
        _ => Says::json(404, json!({"status_code": 404, "error": "NOT_FOUND"})),
    }
}

#[tokio::test]
async fn a_ticket_of_eventbrite_is_read_from_eventbrite_and_a_check_in_is_an_attendance() {
    let (inside, house, url) = platform("eventbrite", eventbrite).await;
    let site = house.site("harrow.example").await;
    let connected = house.connect(&site, "eventbrite", "live", &[("token", "PRIVATE"), ("organization_id", "61")]).await;
    read(&house).await;
    assert_eq!(inside.lock().expect("the platform")["webhooks"].as_array().map(Vec::len), Some(1));
    let money = json!({"gross": {"currency": "USD", "value": 2_550, "major_value": "25.50"}});
    let mut attendee = json!({
        "id": "690-1", "order_id": "7", "event_id": "9", "created": house.ago(0), "changed": house.ago(0), "costs": money, "affiliate": "igbio",
        "profile": {"email": EMAIL, "first_name": "Orla", "last_name": "Byrne"}, "checked_in": false, "refunded": false
    });
    let mut order = json!({
        "id": "7", "event_id": "9", "status": "placed", "created": house.ago(0), "changed": house.ago(0), "email": EMAIL,
        "first_name": "Orla", "last_name": "Byrne", "costs": money
    });
    set(&inside, "orders", json!([order]));
    set(&inside, "attendees", json!([attendee]));
    let call = |api_url: String| {
        let body = json!({"config": {"action": "order.placed", "webhook_id": "41"}, "api_url": api_url});
        house.post(&connected.hook).json(&body).send()
    };
    let foreign = call(format!("{url}/v3/orders/7/")).await.is(200);
    assert_eq!(foreign.json["status"], "quarantined", "only Eventbrite's own address is believed");
    for _ in 0..2 {
        call("https://www.eventbriteapi.com/v3/orders/7/".into()).await.is(200);
        read(&house).await;
    }
    assert_eq!(steps(&house, &site), [format!("ticket_purchased {EMAIL}")]);
    let sales = house.list(&site, "conversions").await;
    assert_eq!((sales.len(), sales[0]["net"]["minor"].as_i64()), (1, Some(2_550)), "{sales:#?}");
    // At the door, and then given back: the list tells it, a day later.
    house.advance_s(DAY_S);
    (attendee["checked_in"], attendee["changed"]) = (json!(true), json!(house.ago(0)));
    (order["status"], order["changed"]) = (json!("refunded"), json!(house.ago(0)));
    set(&inside, "attendees", json!([attendee]));
    set(&inside, "orders", json!([order]));
    for _ in 0..2 {
        house.advance_s(DAY_S);
        read(&house).await;
    }
    assert_eq!(steps(&house, &site), [format!("event_attended {EMAIL}"), format!("ticket_purchased {EMAIL}")]);
    assert_eq!(house.list(&site, "conversions").await[0]["net"]["minor"].as_i64(), Some(0));
}

// -------------------------------------------------------------------------------------------------- Zoom

pub fn zoom(inside: &mut Value, seen: &Seen) -> Says {
    let path = seen.target.split('?').next().unwrap_or_default().to_owned();
    if path == "/oauth/token" {
        let given = inside["given"].as_i64().unwrap_or(0) + 1;
        inside["given"] = json!(given);
        return Says::json(200, json!({"access_token": format!("t{given}"), "token_type": "bearer", "expires_in": 3600}));
    }
    // The first token dies on the way.
    let asked = inside["asked"].as_i64().unwrap_or(0) + 1;
    inside["asked"] = json!(asked);
    if seen.header("authorization") == "Bearer t1" && asked > 4 {
        return Says::json(401, json!({"code": 124, "message": "Access token is expired."}));
    }
    let list = |name: &str, rows: Value| Says::json(200, json!({"next_page_token": "", name: rows}));
    let is_past = seen.target.contains("previous_meetings");
    match path.as_str() {
        "/v2/users" => list("users", json!([{"id": "u1"}])),
        "/v2/users/u1/meetings" if is_past => list("meetings", inside["past"].clone()),
        "/v2/users/u1/meetings" => list("meetings", inside["coming"].clone()),
        "/v2/meetings/85/registrants" | "/v2/meetings/86/registrants" if seen.target.contains("status=denied") => {
            list("registrants", inside["denied"].as_array().cloned().unwrap_or_default().into())
        }
        "/v2/meetings/85/registrants" | "/v2/meetings/86/registrants" => list("registrants", inside["registrants"].clone()),
        "/v2/past_meetings/ab%3D%3D/participants" => list("participants", inside["participants"].clone()),
        _ => Says::json(404, json!({"code": 3001, "message": "Meeting does not exist."})),
    }
}

#[tokio::test]
async fn who_registered_at_zoom_and_who_came_is_read_though_a_token_dies() {
    let (inside, house, _) = platform("zoom zoom_oauth", zoom).await;
    let site = house.site("harrow.example").await;
    let settings = [("account_id", "ACC"), ("client_id", "cid"), ("client_secret", "cs"), ("webhook_secret", "zs")];
    let connected = house.connect(&site, "zoom", "live", &settings).await;
    let person = |id: &str, email: &str| json!({"id": id, "email": email, "first_name": "Orla", "create_time": house.ago(9 * DAY_S)});
    let meeting = |id: i64, uuid: &str, ago: i64| json!({"id": id, "uuid": uuid, "topic": "Amber hour", "start_time": house.ago(ago), "duration": 40});
    set(&inside, "past", json!([meeting(85, "ab==", DAY_S)]));
    set(&inside, "coming", json!([meeting(86, "cd==", -DAY_S)]));
    set(&inside, "registrants", json!([person("r1", EMAIL)]));
    let came = json!({"name": "Orla", "registrant_id": "r1", "user_email": EMAIL, "join_time": house.ago(DAY_S), "duration": 600});
    set(&inside, "participants", json!([came, came]));
    for _ in 0..2 {
        house.advance_s(DAY_S / 2);
        read(&house).await;
    }
    let registered = format!("event_registered {EMAIL}");
    assert_eq!(steps(&house, &site), [format!("event_attended {EMAIL}"), registered.clone(), registered]);
    // The address is proved by a word that is signed with the secret; a forged one gets none.
    let said = |secret: &'static str, body: Value| {
        let (body, at) = (body.to_string(), house.clock.now().s().to_string());
        let sign = format!("v0={}", hex(&hmac_sha256(secret.as_bytes(), &[b"v0:", at.as_bytes(), b":", body.as_bytes()])));
        house.post(&connected.hook).header("x-zm-request-timestamp", &at).header("x-zm-signature", &sign).body(body).send()
    };
    let challenge = json!({"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}});
    let answer = said("zs", challenge.clone()).await.is(200);
    let want = hex(&hmac_sha256(b"zs", &[b"abc"]));
    assert_eq!((&answer.json["plainToken"], &answer.json["encryptedToken"]), (&json!("abc"), &json!(want)));
    said("guessed", challenge).await.is(401);
    let told = json!({"event": "meeting.registration_created", "event_ts": 1, "payload": {"object": {"id": 86, "uuid": "cd==", "registrant": person("r1", EMAIL)}}});
    said("guessed", told.clone()).await.is(401);
    said("zs", told).await.is(200);
    assert_eq!(steps(&house, &site).len(), 3, "what the list has told a call does not tell again");
}

// -------------------------------------------------------------------------------------------------- Easy!Appointments

fn easy(inside: &mut Value, seen: &Seen) -> Says {
    if seen.header("authorization") != "Bearer ea-token" {
        return Says::text(401, "You are not authorized to use the API.");
    }
    let path = seen.target.split('?').next().unwrap_or_default().to_owned();
    let rows = inside["appointments"].as_array().cloned().unwrap_or_default();
    match (seen.method.as_str(), path.trim_start_matches("/clinic/index.php/api/v1/")) {
        ("GET", "settings/default_timezone") => Says::json(200, json!({"name": "default_timezone", "value": "UTC"})),
        ("GET", "providers") => Says::json(200, json!([{"id": 2, "timezone": "UTC"}])),
        ("GET", "providers/2") => Says::json(200, json!({"id": 2, "timezone": "UTC"})),
        ("GET", "appointments") => Says::json(200, json!(rows)),
        ("GET", "customers/5") => Says::json(200, json!({"id": 5, "firstName": "Orla", "lastName": "Byrne", "email": EMAIL})),
        ("GET", "webhooks") => Says::json(200, inside["webhooks"].as_array().cloned().unwrap_or_default().into()),
        ("POST", "webhooks") => {
            let mut made = seen.json();
            made["id"] = json!(3);
            inside["webhooks"] = json!([made]);
            Says::json(201, made)
        }
        ("GET", one) => match rows.iter().find(|row| one == format!("appointments/{}", row["id"])) {
            Some(row) => Says::json(200, row.clone()),
            None => Says::Say(404, Vec::new(), Vec::new()),
        },
        other => panic!("the installation knows nothing of {other:?}"),
    }
}

#[tokio::test]
async fn an_appointment_is_booked_once_and_ends_when_it_is_gone() {
    let (inside, house, url) = platform("", easy).await;
    let site = house.site("harrow.example").await;
    let settings = [("url", format!("{url}/clinic/")), ("token", "ea-token".to_owned())];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let connected: Connected = house.connect(&site, "easyappointments", "live", &settings).await;
    read(&house).await;
    let secret = inside.lock().expect("the platform")["webhooks"][0]["secretToken"].as_str().expect("a secret of ours").to_owned();
    let wall = |ago: i64| house.ago(ago).replace('T', " ").replace('Z', "");
    let row = |id: i64, email: &str, start: i64| {
        json!({
            "id": id, "book": wall(60), "start": wall(-start), "end": wall(-start - 1_800), "status": "Booked", "providerId": 2, "customerId": 5,
            "serviceId": 6, "customer": {"id": "5", "first_name": "Orla", "last_name": "Byrne", "email": email, "phone_number": ""},
            "service": {"id": "6", "name": "Fitting", "price": "45.00", "currency": "USD"}
        })
    };
    set(&inside, "appointments", json!([row(17, EMAIL, 9 * DAY_S), row(18, "bo@mail.ie", 9 * DAY_S), row(19, "cy@mail.ie", 9 * DAY_S)]));
    let call = |action: &'static str, id: i64, secret: &str| {
        let body = json!({"action": action, "payload": {"id": id, "id_users_customer": 5, "is_unavailability": false}});
        house.post(&connected.hook).header("x-ea-token", secret).json(&body).send()
    };
    call("appointment_save", 17, "guessed").await.is(401);
    call("appointment_save", 17, &secret).await.is(200);
    read(&house).await;
    assert_eq!(steps(&house, &site), [format!("appointment_booked {EMAIL}")]);
    house.advance_s(DAY_S);
    read(&house).await;
    assert_eq!(steps(&house, &site).len(), 3, "the list holds two of which no call told");
    // One is said to be gone, one is gone without a word.
    set(&inside, "appointments", json!([row(19, "cy@mail.ie", 8 * DAY_S)]));
    call("appointment_delete", 17, &secret).await.is(200);
    for _ in 0..2 {
        read(&house).await;
        house.advance_s(DAY_S);
    }
    let ends: Vec<String> = steps(&house, &site).into_iter().filter(|s| s.starts_with("appointment_cancelled")).collect();
    assert_eq!(ends, ["appointment_cancelled bo@mail.ie".to_owned(), format!("appointment_cancelled {EMAIL}")]);
}
