//! The tester of rules: what a visit is called and why, and what one more rule would make of it, without making it.

use halotrack::domain::rights::Right;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};

async fn attempt(house: &House, shop: &SiteAt, body: Value) -> Value {
    house.post(&format!("/api/sites/{}/rules/try", shop.slug)).token(&shop.token).json(&body).send().await.is(200).json
}

#[tokio::test]
async fn a_link_or_a_name_is_tried_before_and_after_a_rule() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let told =
        attempt(&house, &shop, json!({"url": "https://shop.example/?utm_source=FB&utm_medium=Paid-Social&utm_campaign=Spring"})).await;
    assert_eq!(
        told["before"],
        json!({"source": "facebook", "medium": "paid_social", "campaign": "Spring", "channel": "Paid Social", "rules": []})
    );
    assert_eq!((&told["after"], &told["is_changed"]), (&Value::Null, &json!(false)));
    assert!(told["reasons"][1]["text"].as_str().is_some_and(|t| t.contains("spelling of Facebook")), "{told}");
    let by_list = attempt(&house, &shop, json!({"referrer": "https://chatgpt.com/"})).await;
    assert_eq!((&by_list["before"]["source"], &by_list["before"]["channel"]), (&json!("chatgpt"), &json!("AI Assistants")), "{by_list}");
    let own = attempt(&house, &shop, json!({"url": "/", "referrer": "https://www.shop.example/cart"})).await;
    assert_eq!((&own["reasons"][0]["by"], &own["before"]["channel"]), (&json!("ignored"), &json!("Direct")), "{own}");

    // The rule that stands, and one more behind it.
    let rules = format!("/api/sites/{}/rules", shop.slug);
    house.post(&rules).token(&shop.token).json(&json!({"dimension": "source", "from": "facebok", "to": "facebook"})).send().await.is(201);
    let one_more = json!({"source": "facebok", "medium": "cpc", "rule": {"dimension": "source", "from": "facebook", "to": "meta"}});
    let told = attempt(&house, &shop, one_more).await;
    assert_eq!(
        (&told["before"]["source"], &told["after"]["source"], &told["is_changed"]),
        (&json!("facebook"), &json!("meta"), &json!(true))
    );
    assert_eq!(told["after"]["rules"].as_array().map(Vec::len), Some(2), "{told}");
    assert_eq!(told["before"]["channel"], "Paid Social");
    let idle =
        attempt(&house, &shop, json!({"source": "google", "rule": {"dimension": "source", "from": "bing", "to": "microsoft"}})).await;
    assert_eq!(idle["is_changed"], false);
    // Trying makes nothing, and says what could not be made.
    assert_eq!(house.get(&rules).token(&shop.token).send().await.is(200).json["items"].as_array().map(Vec::len), Some(1));
    let circle = json!({"source": "x", "rule": {"dimension": "source", "from": "facebook", "to": "facebok"}});
    assert_eq!(house.post(&format!("{rules}/try")).token(&shop.token).json(&circle).send().await.is(409).code(), "rule_circle");
    house.post(&format!("{rules}/try")).token(&shop.token).json(&json!({})).send().await.is(422);
    let reader = house.login("ben@shop.example", Right::Read, Some(shop.id)).await;
    house.post(&format!("{rules}/try")).cookie(&reader).json(&json!({"source": "x"})).send().await.is(403);
}

/// What the tester says is what a visit of that link is called.
#[tokio::test]
async fn the_tester_and_the_figures_agree() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let rule = json!({"dimension": "medium", "from": "paid_social", "to": "ads", "within": "facebook"});
    house.post(&format!("/api/sites/{}/rules", shop.slug)).token(&shop.token).json(&rule).send().await.is(201);
    for (page, referrer) in [
        ("/?utm_source=IG&utm_medium=story", ""),
        ("/?fbclid=abc", ""),
        ("/", "https://www.google.com/"),
        ("/?utm_source=Partner%20Blog", "https://partner.example/x"),
        ("/", ""),
    ] {
        let told = attempt(&house, &shop, json!({"url": page, "referrer": referrer})).await;
        let touch = json!({"landing": page, "referrer": referrer, "user_agent": crate::house::CHROME});
        house.post("/api/touch").token(&shop.token).json(&touch).send().await.is(200);
        for by in ["source", "medium", "channel"] {
            let table =
                house.get(&format!("/api/sites/{}/reports/sources?by={by}", shop.slug)).token(&shop.token).send().await.is(200).json;
            let names: Vec<&Value> = table["items"].as_array().expect("rows").iter().map(|r| &r["name"]).collect();
            assert!(names.contains(&&told["before"][by]), "{page} {referrer}: {} is none of {names:?}", told["before"][by]);
        }
    }
}
