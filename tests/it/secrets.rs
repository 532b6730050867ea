//! A secret that is typed anew: the one before is taken for a day, so that nothing on its way is lost, then no more; the card says
//! so, and whoever does not want it enters the new one once more.

use halotrack::crypto::{hex, hmac_sha256};
use halotrack::domain::rights::Right;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::{Answer, House, SiteAt};
use crate::pages::{SCREENS, errors, is_well_formed};
use crate::stand_in::{self, StandIn};
use crate::story::Connected;
use crate::two_shops;

const HOUR_S: i64 = 3_600;

async fn call(house: &House, connected: &Connected, secret: &str, n: u32) -> Answer {
    let body = json!({"triggerEvent": "BOOKING_CREATED", "createdAt": house.ago(0), "payload": {
        "uid": format!("b{n}"), "startTime": "2026-06-16T08:00:00Z", "attendees": [{"email": "orla@mail.example", "name": "Orla"}]}})
    .to_string();
    let sign = hex(&hmac_sha256(secret.as_bytes(), &[body.as_bytes()]));
    house.post(&connected.hook).header("x-cal-signature-256", &sign).body(body).send().await
}

async fn enter(house: &House, site: &SiteAt, connected: &Connected, cookie: &str, secret: &str) -> Value {
    let path = format!("/api/sites/{}/connections/{}", site.slug, connected.id);
    house.post(&path).cookie(cookie).json(&json!({"settings": {"secret": secret}})).send().await.is(200).json
}

#[tokio::test]
async fn the_secret_before_is_taken_for_a_day_and_the_card_says_so() {
    let house = House::new();
    let site = house.site("harrow.example").await;
    let owner = house.login("ann@shop.example", Right::Own, Some(site.id)).await;
    let connected = house.connect(&site, "calcom", "", &[("secret", "the first of them all")]).await;
    call(&house, &connected, "the first of them all", 1).await.is(200);
    let card = enter(&house, &site, &connected, &owner, "the second of them all").await;
    let until = card["secrets_ending"][0]["until"].as_str().unwrap_or_default();
    assert!(until.starts_with("2026-06-14T09:20:00"), "{card:#}");
    assert!(!card.to_string().contains("of them all"), "no secret is shown");
    call(&house, &connected, "the second of them all", 2).await.is(200);
    let listed = house.list(&site, "connections").await;
    assert_eq!(listed[0]["secrets_ending"][0]["key"], json!("secret"), "{listed:#?}");
    house.advance_s(24 * HOUR_S - 1);
    call(&house, &connected, "the first of them all", 3).await.is(200);
    house.advance_s(1);
    call(&house, &connected, "the first of them all", 4).await.is(401);
    call(&house, &connected, "the second of them all", 5).await.is(200);
    assert_eq!(house.list(&site, "connections").await[0]["secrets_ending"], json!([]));
    // It lies in the file no longer than that.
    let sealed = |house: &House| house.app.book().connections().next().map(|c| (c.secrets.all("secret").len(), c.secrets.until.len()));
    assert_eq!(sealed(&house), Some((2, 1)));
    halotrack::flows::forget::run(&house.app).await.expect("the hour's round");
    assert_eq!(sealed(&house).map(|(all, _)| all), Some(1));
    // After a restart too.
    let house = house.again();
    call(&house, &connected, "the first of them all", 6).await.is(401);
    assert_eq!(sealed(&house).map(|(all, _)| all), Some(1), "what was read is what is there");
    call(&house, &connected, "the second of them all", 6).await.is(200);
    // It has leaked: entered once more, the one before ends at once.
    let owner = house.login("bea@shop.example", Right::Own, Some(site.id)).await;
    enter(&house, &site, &connected, &owner, "the third of them all").await;
    call(&house, &connected, "the second of them all", 7).await.is(200);
    let card = enter(&house, &site, &connected, &owner, "the third of them all").await;
    assert_eq!(card.get("secrets_ending"), None, "{card:#}");
    call(&house, &connected, "the second of them all", 8).await.is(401);
    call(&house, &connected, "the third of them all", 9).await.is(200);
    // Other settings change nothing of it.
    enter(&house, &site, &connected, &owner, "the fourth of them all").await;
    let path = format!("/api/sites/{}/connections/{}/mode", site.slug, connected.id);
    house.post(&path).cookie(&owner).json(&json!({"mode": "shadow"})).send().await;
    call(&house, &connected, "the third of them all", 10).await.is(200);
    let count = house.sql(&site, "select count(*) as n from funnel_events")[0]["n"].clone();
    assert_eq!(count, json!(8), "what was refused has left nothing");
}

#[tokio::test]
async fn what_we_sign_ourselves_is_signed_with_both_meanwhile() {
    let receiver = StandIn::start(|_, _| stand_in::Answer::text(200, "ok")).await;
    let house = House::new();
    let site = house.site("harrow.example").await;
    let owner = house.login("ann@shop.example", Right::Own, Some(site.id)).await;
    let connected = house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let signatures = |n: usize| receiver.seen()[n].header("webhook-signature").split(' ').count();
    let order = |n: u32| json!({"order_id": n.to_string(), "total": "5.00", "currency": "USD", "email": "ann@mail.example", "status": "paid", "consent_given": true});
    house.order(&site, order(1)).await.is(200);
    house.work().await;
    enter(&house, &site, &connected, &owner, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").await;
    house.order(&site, order(2)).await.is(200);
    house.work().await;
    house.advance_s(24 * HOUR_S);
    house.order(&site, order(3)).await.is(200);
    house.work().await;
    assert_eq!((signatures(0), signatures(1), signatures(2)), (1, 2, 1));
}

/// Until when the one before is good stands on the connection's own page and on its card; who enters the new one once more ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_card_says_until_when_the_one_before_is_good() {
    let Some(browser) = Chromium::start("").await else { return };
    let (server, _) = two_shops::open("secrets_card");
    let made = server.cli(&["connection", "add", "--site", "full", "--platform", "calcom", "--name", "Bookings"]);
    let id = made["connection"].as_str().expect("an id").to_owned();
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let list = format!("{}/dashboard/full/connections", server.url());
    let own = format!("{list}/{id}");
    let enter = async || {
        browser
            .wait(
                "the form",
                "const more = document.querySelector('form .cx-more'); more.open = true; return !!more.querySelector('[name=secret]')",
            )
            .await;
        browser.write("form [name=secret]", "the second of them all\u{E007}").await;
    };
    let said = |place: &str| {
        format!("return document.querySelector('{place} [data-ending=secret]')?.innerText.includes('before this one is still good until ')")
    };
    browser.open(&own).await;
    enter().await;
    browser.wait("said where it was typed", &said(".cx-standing")).await;
    for (width, height, scheme) in SCREENS {
        browser.screen(width, height, scheme).await;
        browser.open(&list).await;
        browser.wait("said on the card", &said(".cc")).await;
        is_well_formed(&browser, &format!("secret-ending-{width}-{scheme}"), scheme).await;
    }
    browser.open(&own).await;
    browser.wait("still said", &said(".cx-standing")).await;
    enter().await;
    browser.wait("it has ended", "return !!document.querySelector('.cx-standing') && !document.querySelector('[data-ending]')").await;
    browser.open(&list).await;
    browser.wait("a card without it", "return !!document.querySelector('.cc') && !document.querySelector('[data-ending]')").await;
    browser.end().await;
}
