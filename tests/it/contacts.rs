//! A person's page: the head of figures, everything known in the order of time, and who sees whom.

use halotrack::domain::rights::Right;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};

const DAY_S: i64 = 86_400;

/// Somebody who came twice, asked, bought, got money back, and took consent away.
async fn ann(house: &House) -> SiteAt {
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "shadow", &[("url", "http://127.0.0.1:9/hook")]).await;
    let visitor = house
        .visit(&site, None, json!({"utm_source": "news", "utm_medium": "email", "landing": "/start?utm_content=ann&token=secret"}))
        .await;
    house.advance_s(2 * DAY_S);
    house.visit(&site, Some(&visitor), json!({"gclid": "click-1", "landing": "/offer", "consent": "granted"})).await;
    let event = json!({"site": site.key, "name": "price_seen", "properties": {"who": "ann@mail.example"}}).to_string();
    house.post("/api/event").browser(&site).header("cookie", &format!("_halo={visitor}")).body(event).send().await.is(204);
    house.advance_s(60);
    let lead = json!({"lead_id": "L-1", "email": "ann@mail.example", "phone": "+353861234567", "name": "Ann Lee", "session_id": visitor,
        "value": "50.00", "currency": "USD", "consent_given": true, "message": "Call me"});
    house.lead(&site, lead).await.is(200);
    house.advance_s(DAY_S);
    house.post(&format!("/api/sites/{}/leads/lead_1", site.slug)).token(&site.token).json(&json!({"status": "won"})).send().await.is(200);
    let order = |status: &str| {
        json!({"order_id": "#1", "total": "99.00", "currency": "USD", "email": "ann@mail.example",
        "session_id": visitor, "status": status})
    };
    house.order(&site, order("paid")).await.is(200);
    house.advance_s(3_600);
    house.order(&site, order("refunded")).await.is(200);
    house
        .order(&site, json!({"order_id": "#2", "total": "20.00", "currency": "USD", "email": "ann@mail.example", "status": "paid"}))
        .await
        .is(200);
    house
        .order(&site, json!({"order_id": "#3", "total": "7.00", "currency": "USD", "email": "ann@mail.example", "status": "pending"}))
        .await
        .is(200);
    house.advance_s(3_600);
    house.touch(&site, Some(&visitor), json!({"landing": "/bye", "consent": "denied"})).await.is(200);
    house.work().await;
    site
}

fn path(site: &SiteAt, tail: &str) -> String {
    format!("/api/sites/{}/contacts/contact_1{tail}", site.slug)
}

/// The kinds of all lines, from the beginning to now.
async fn way(house: &House, site: &SiteAt) -> Vec<Value> {
    let mut all = house.list(site, "contacts/contact_1/timeline").await;
    all.reverse();
    all
}

#[tokio::test]
async fn the_head_says_how_it_began_and_what_it_is_worth() {
    let house = House::new();
    let site = ann(&house).await;
    let person = house.get(&path(&site, "")).token(&site.token).send().await.is(200).json;
    let head = &person["head"];
    assert_eq!(head["began_at"], json!("2026-06-13T09:20:00+00:00"), "the first visit, not the first form");
    assert_eq!(head["first_purchase_at"], json!("2026-06-16T09:21:00+00:00"));
    assert_eq!(head["seconds_to_first_purchase"], json!(3 * DAY_S + 60));
    assert_eq!(head["orders"], json!(2), "what is not paid is none");
    assert_eq!(
        head["lifetime"],
        json!([{"minor": 2_000, "currency": "USD"}]),
        "the refunded one is worth nothing, a lead's value is no money"
    );
    assert_eq!((&head["consent"]["marketing"], &head["consent"]["at"]), (&json!("denied"), &json!("2026-06-16T11:21:00+00:00")));
}

#[tokio::test]
async fn everything_known_stands_in_the_order_of_time() {
    let house = House::new();
    let site = ann(&house).await;
    let all = way(&house, &site).await;
    let kinds: Vec<&str> = all.iter().filter_map(|l| l["kind"].as_str()).collect();
    for (kind, count) in [("visit", 2), ("event", 1), ("lead", 1), ("stage", 1), ("sale", 2), ("order", 1), ("identity", 2)] {
        assert_eq!(kinds.iter().filter(|k| **k == kind).count(), count, "{kind} in {all:#?}");
    }
    assert!(kinds.contains(&"refund") || kinds.contains(&"cancellation"), "{kinds:?}");
    assert!(kinds.contains(&"delivery"), "{kinds:?}");
    assert!(kinds.contains(&"consent"), "{kinds:?}");
    let times: Vec<&str> = all.iter().filter_map(|l| l["at"].as_str()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let text = json!(all).to_string();
    assert!(!text.contains("secret") && !text.contains("utm_content"), "what stands behind the question mark is not shown");
    assert!(!text.contains("\"who\""), "properties of events are not shown");
    let visit = all.iter().find(|l| l["kind"] == "visit").expect("a visit");
    assert_eq!((&visit["source"], &visit["page"]), (&json!("news"), &json!("/start")));
    let won = all.iter().find(|l| l["kind"] == "stage").expect("a move");
    assert_eq!((&won["name"], &won["conversion"]), (&json!("won"), &json!("conversion_1")));
    // Page by page it is the same, and each line comes once.
    for limit in [1, 2, 5] {
        let mut paged = house.list(&site, &format!("contacts/contact_1/timeline?limit={limit}")).await;
        paged.reverse();
        assert_eq!(paged, all, "in pages of {limit}");
    }
}

#[tokio::test]
async fn people_are_masked_for_who_may_not_see_them() {
    let house = House::new();
    let site = ann(&house).await;
    for right in Right::ALL {
        let cookie = house.login(&format!("{}@shop.example", right.role()), right, Some(site.id)).await;
        for tail in ["", "/timeline?limit=500"] {
            let text = house.get(&path(&site, tail)).cookie(&cookie).send().await.is(200).text;
            let is_open = right >= Right::Read;
            for word in ["ann@mail.example", "+353861234567"] {
                assert_eq!(text.contains(word), is_open, "{word} to {} in {tail}: {text}", right.role());
            }
            assert!(is_open || !text.contains("Lee"), "{text}");
        }
        // Browsing and searching people is another matter.
        let want = if right >= Right::Read { 200 } else { 403 };
        house.get(&format!("/api/sites/{}/contacts?q=ann@mail.example", site.slug)).cookie(&cookie).send().await.is(want);
    }
}

#[tokio::test]
async fn a_person_of_another_site_is_unknown() {
    let house = House::new();
    let site = ann(&house).await;
    let other = house.site("other.example").await;
    for tail in ["", "/timeline"] {
        house.get(&path(&other, tail)).token(&other.token).send().await.is(404);
        house.get(&path(&site, tail)).token(&other.token).send().await.is(404);
    }
    house.lead(&other, json!({"lead_id": "X-1", "email": "ann@mail.example", "session_id": "nobody's"})).await.is(200);
    let theirs = house.list(&other, "contacts/contact_1/timeline").await;
    let kinds: Vec<&str> = theirs.iter().filter_map(|l| l["kind"].as_str()).collect();
    assert_eq!(kinds.len(), 2, "a lead and an address: {theirs:#?}");
    house.get(&path(&site, "/timeline?cursor=nonsense")).token(&site.token).send().await.is(400);
    house.get(&path(&site, "/timeline?limit=0")).token(&site.token).send().await.is(400);
    house.get(&format!("/api/sites/{}/contacts/nobody/timeline", site.slug)).token(&site.token).send().await.is(404);
}
