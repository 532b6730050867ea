//! The backup of each night: when, how many stay, and what the owner is told.

use halotrack::crypto;
use halotrack::domain::ids::SiteId;
use halotrack::domain::rights::Right;
use halotrack::domain::time::Zone;
use halotrack::jobs::night;
use serde_json::{Value, json};

use super::names;
use crate::house::House;

const HOUR_S: i64 = 3_600;

/// As an owner of the box reads it, or a client of a site. Nights end every login.
async fn stands(house: &House, client_of: Option<SiteId>) -> Value {
    let right = if client_of.is_some() { Right::See } else { Right::Own };
    let cookie = &house.login(&format!("{}@shop.example", crypto::random_text(6).to_lowercase()), right, client_of).await;
    house.get("/api/backups").cookie(cookie).send().await.is(200).json
}

#[tokio::test]
async fn one_is_made_each_night_and_few_are_kept() {
    let house = House::new(); // Saturday, 09:20 UTC
    let folder = house.data().join("backups");
    assert!(!night::beat(&house.app).await.expect("a look"), "there is nothing to lose");
    let site = house.site_with("shop.example", |new| new.zone = Zone::parse("Asia/Dubai").expect("a zone")).await;
    assert!(!night::beat(&house.app).await.expect("a look"), "no night has passed");
    assert_eq!(stands(&house, None).await["standing"], json!("fresh"));

    house.advance_s(14 * HOUR_S); // 23:20 UTC is 03:20 in Dubai
    assert!(night::beat(&house.app).await.expect("a backup"));
    assert!(!night::beat(&house.app).await.expect("a look"), "once a night");
    let told = stands(&house, None).await;
    assert_eq!(told["standing"], json!("good"));
    let sentence = told["sentence"].as_str().expect("a sentence");
    assert!(sentence.starts_with("Backup of today, 03:20 restored and checked: "), "{sentence}");
    assert!(told["items"][0]["good"] == json!(true) && told["items"][0]["nightly"] == json!(true), "{told}");
    assert_eq!(told["kept"][0]["name"], json!("halotrack-2026-06-13T232000Z.backup"));

    for _ in 0..11 {
        house.advance_s(24 * HOUR_S);
        assert!(night::beat(&house.app).await.expect("a backup"));
    }
    let kept = names(&folder);
    assert!((8..=9).contains(&kept.len()), "seven days and what their weeks need: {kept:?}");
    assert_eq!(stands(&house, None).await["kept"].as_array().map(Vec::len), Some(kept.len()));

    house.advance_s(37 * HOUR_S);
    assert_eq!(stands(&house, None).await["standing"], json!("old"));
    // A box that slept makes it up.
    assert!(night::beat(&house.app).await.expect("a backup"));

    // Where there is no folder, there is no backup; the owner reads why, others only that.
    std::fs::remove_dir_all(&folder).expect("gone");
    std::fs::write(&folder, "in the way").expect("a file");
    house.advance_s(24 * HOUR_S);
    let e = night::beat(&house.app).await.expect_err("it cannot");
    let (mine, theirs) = (stands(&house, None).await, stands(&house, Some(site.id)).await);
    assert_eq!((mine["standing"].clone(), mine["why"].clone()), (json!("failed"), json!(e.message)));
    assert!(theirs["sentence"].as_str().is_some_and(|s| s.starts_with("The last backup failed. The newest good one is of ")), "{theirs}");
    let text = theirs.to_string();
    assert!(!text.contains("backups") && theirs.get("items").is_none() && theirs.get("why").is_none(), "{text}");
    assert!(!night::beat(&house.app).await.expect("a look"), "not again at once");
    std::fs::remove_file(&folder).expect("out of the way");
    house.advance_s(HOUR_S + 60);
    assert!(night::beat(&house.app).await.expect("an hour later"));
    assert_eq!(stands(&house, None).await["standing"], json!("good"));
}

#[tokio::test]
async fn an_owner_makes_one_by_hand() {
    let house = House::new();
    house.site("shop.example").await;
    let owner = house.login("ann@shop.example", Right::Own, None).await;
    let begun = house.post("/api/backups").cookie(&owner).header("sec-fetch-site", "same-origin").json(&json!({})).send().await;
    begun.is(202);
    for _ in 0..500 {
        let told = stands(&house, None).await;
        if told["items"][0]["good"] == json!(true) {
            assert_eq!(told["items"][0]["nightly"], json!(false));
            return;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no backup was made: {}", stands(&house, None).await);
}
