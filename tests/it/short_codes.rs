//! Short codes: what a page has shown leads back from a note, a call, a chat or a booking to the visit, for ninety days, on its
//! own site, and nothing that merely looks like one does.

use halotrack::domain::rights::Scope;
use halotrack::domain::short_code;
use halotrack::flows::sites;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};

const DAY_S: i64 = 86_400;

async fn shop() -> (House, SiteAt) {
    let house = House::new();
    let site = house.site("shop.example").await;
    (house, site)
}

/// A visit from a campaign; gives the session and its code.
async fn visit(house: &House, site: &SiteAt, campaign: &str) -> (String, String) {
    let fields = json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": campaign, "event_id": format!("v-{campaign}")});
    let session = house.visit(site, None, fields).await;
    let code = short_code::of_session(&session);
    (session, code)
}

/// As the tag says it when the code stands on the page.
async fn shown(house: &House, site: &SiteAt, session: &str) -> Answer {
    let body = json!({"name": "halo_code", "site": site.key}).to_string();
    let call = house.post("/api/event").browser(site).header("cookie", &format!("_halo={session}")).body(body);
    call.send().await.is(204)
}

async fn visited(house: &House, site: &SiteAt, campaign: &str) -> String {
    let (session, code) = visit(house, site, campaign).await;
    shown(house, site, &session).await;
    house.advance_s(60);
    code
}

async fn ordered(house: &House, site: &SiteAt, n: u32, note: &str) -> (String, String) {
    let order = json!({"order_id": format!("A-{n}"), "total": "50.00", "currency": "EUR", "email": format!("p{n}@mail.example"),
        "note": note, "status": "paid", "created_at": house.ago(0)});
    house.order(site, order).await.is(200);
    of(house, site, &format!("Order A-{n}")).await
}

/// Match and credited campaign of a conversion.
async fn of(house: &House, site: &SiteAt, label: &str) -> (String, String) {
    let all = house.list(site, "conversions").await;
    let line = all.iter().find(|l| l["label"] == label).unwrap_or_else(|| panic!("no {label} in {all:#?}"));
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (word(&line["match"]["type"]), word(&line["credited"][0]["campaign"]))
}

fn count(house: &House, table: &str) -> i64 {
    let db = rusqlite::Connection::open(house.data().join(halotrack::store::FILE)).expect("the file");
    db.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0)).expect("a count")
}

fn pair(kind: &str, campaign: &str) -> (String, String) {
    (kind.to_owned(), campaign.to_owned())
}

#[tokio::test]
async fn a_code_in_a_note_leads_to_the_visit_and_one_that_was_not_shown_does_not() {
    let (house, site) = shop().await;
    let (session, code) = visit(&house, &site, "june").await;
    house.advance_s(60);
    assert_eq!(ordered(&house, &site, 1, &format!("code {code}")).await, pair("none", ""), "no page has shown it");
    shown(&house, &site, &session).await;
    house.advance_s(60);
    assert_eq!(ordered(&house, &site, 2, &format!("By telephone, code {}.", code.to_lowercase())).await, pair("code", "june"));
    assert_eq!(ordered(&house, &site, 3, &format!("ref x{code}")).await, pair("none", ""), "a part of a longer word is none");
    let receipt = house.receipt(&site, "order_2").await;
    assert!(receipt["why"]["sentence"].as_str().is_some_and(|s| s.to_lowercase().contains("short code")), "{}", receipt["why"]);
    assert_eq!(count(&house, "page_events"), 0, "it is no event of the page");
    // Whoever ordered is known to have been that browser: the next order by the same address finds it too.
    house.advance_s(60);
    let next = json!({"order_id": "A-9", "total": "5.00", "currency": "EUR", "email": "p2@mail.example", "status": "paid", "created_at": house.ago(0)});
    house.order(&site, next).await.is(200);
    assert_eq!(of(&house, &site, "Order A-9").await, pair("email", "june"));
}

#[tokio::test]
async fn it_lives_for_ninety_days_after_it_was_last_shown() {
    let (house, site) = shop().await;
    let (session, code) = visit(&house, &site, "june").await;
    shown(&house, &site, &session).await;
    house.advance_s(89 * DAY_S);
    // Credit goes no further back than the site looks; that it was this visit is known all the same.
    assert_eq!(ordered(&house, &site, 1, &code).await.0, "code");
    house.advance_s(2 * DAY_S);
    assert_eq!(ordered(&house, &site, 2, &code).await, pair("none", ""));
    shown(&house, &site, &session).await;
    house.advance_s(60);
    assert_eq!(ordered(&house, &site, 3, &code).await.0, "code", "shown again, it lives again");
    // What happened before a page first showed it means another.
    let before = json!({"order_id": "A-4", "total": "5.00", "currency": "EUR", "email": "p4@mail.example", "note": code, "status": "paid",
        "created_at": house.ago(200 * DAY_S)});
    house.order(&site, before).await.is(200);
    assert_eq!(of(&house, &site, "Order A-4").await.0, "none");
    house.advance_s(100 * DAY_S);
    halotrack::flows::retain::run(&house.app).await.expect("the clocks");
    assert_eq!(count(&house, "short_codes"), 0, "its row goes");
}

#[tokio::test]
async fn wherever_somebody_writes_it_down() {
    let (house, site) = shop().await;
    // A lead's message and a field of a form.
    let code = visited(&house, &site, "form").await;
    house.lead(&site, json!({"lead_id": "L-1", "email": "a@mail.example", "message": format!("Hello, {code}")})).await.is(200);
    assert_eq!(of(&house, &site, "Lead L-1").await, pair("code", "form"));
    let code = visited(&house, &site, "field").await;
    house.lead(&site, json!({"lead_id": "L-2", "email": "b@mail.example", "custom_fields": {"your code": code}})).await.is(200);
    assert_eq!(of(&house, &site, "Lead L-2").await, pair("code", "field"));
    // A note of a call, typed in by hand.
    let code = visited(&house, &site, "call").await;
    let call = json!({"what": "lead", "phone": "+353861234567", "note": format!("Called about the kitchen. Code {code}")});
    let typed = house.post(&format!("/api/sites/{}/offline", site.slug)).token(&site.token).json(&call).send().await.is(201).json;
    assert_eq!((&typed["conversion"]["match"]["type"], &typed["conversion"]["credited"][0]["campaign"]), (&json!("code"), &json!("call")));
    // An answer of a booking: the sale that follows is that visit's, by the person.
    let code = visited(&house, &site, "booking").await;
    let booking = json!({"source_type": "easyappointments", "event_type": "appointment_booked", "email": "c@mail.example",
        "event_data": {"answers": [{"question": "Your code", "answer": code}]}});
    house.post("/funnel/event").token(&site.token).json(&booking).send().await.is(200);
    house.advance_s(60);
    let sale = json!({"order_id": "A-7", "total": "5.00", "currency": "EUR", "email": "c@mail.example", "status": "paid", "created_at": house.ago(0)});
    house.order(&site, sale).await.is(200);
    assert_eq!(of(&house, &site, "Order A-7").await, pair("email", "booking"));
    // A word in a chat.
    let code = visited(&house, &site, "chat").await;
    let said = json!({"conversation_id": "c-1", "email": "d@mail.example", "role": "customer", "at": house.ago(0), "message_id": "m-1",
        "text": format!("I am looking at the oak one, {code}")});
    house.post("/api/chat/events").token(&site.token).json(&said).send().await.is(200);
    house.advance_s(60);
    let sale = json!({"order_id": "A-8", "total": "5.00", "currency": "EUR", "email": "d@mail.example", "status": "paid", "created_at": house.ago(0)});
    house.order(&site, sale).await.is(200);
    assert_eq!(of(&house, &site, "Order A-8").await, pair("email", "chat"));
    // A conversion of one's own system.
    let code = visited(&house, &site, "api").await;
    let told = json!({"conversion_type": "lead", "email": "e@mail.example", "custom_data": {"note": code}});
    house.conversion(&site, told).await.is(201);
    let all = house.list(&site, "conversions").await;
    assert!(all.iter().any(|l| l["match"]["type"] == "code" && l["credited"][0]["campaign"] == "api"), "{all:#?}");
}

#[tokio::test]
async fn a_code_is_of_its_site_and_a_page_cannot_borrow_one() {
    let (house, site) = shop().await;
    let code = visited(&house, &site, "june").await;
    let other = house.site("other.example").await;
    assert_eq!(ordered(&house, &other, 1, &code).await, pair("none", ""));
    // Two codes of two browsers: nobody knows which is meant.
    let second = visited(&house, &site, "july").await;
    assert_eq!(ordered(&house, &site, 2, &format!("{code} or {second}")).await, pair("none", ""));
    // What a page says itself proves nothing of another browser.
    sites::set(&house.app, site.id, "public_leads", "true", "test").await.expect("set");
    let lead = json!({"email": "mallory@mail.example", "message": code, "site": site.key}).to_string();
    house.post("/api/lead").browser(&site).body(lead).send().await.is(200);
    let all = house.list(&site, "conversions").await;
    let line = all.iter().find(|l| l["kind"] == "lead").expect("the page's lead");
    assert_eq!(line["match"]["type"], "none", "{line:#}");
    // A code that was never ours, though it is well formed.
    assert_eq!(ordered(&house, &site, 3, "K3T6W7").await, pair("none", ""));
}

#[tokio::test]
async fn codes_are_forgotten_with_their_person() {
    let (house, site) = shop().await;
    let code = visited(&house, &site, "june").await;
    assert_eq!(ordered(&house, &site, 1, &code).await, pair("code", "june"));
    let erase = house.token(site.id, &[Scope::Erase, Scope::Export]).await;
    house.delete("/api/delete-user?email=p1@mail.example").token(&erase).send().await.is(200);
    assert_eq!(count(&house, "short_codes"), 0);
}
