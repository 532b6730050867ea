//! Segments: filters under a name, one's own or everybody's, kept with rights and a trail; and a part that is locked by one.

use halotrack::domain::rights::Right;
use halotrack::flows::cube;
use serde_json::{Value, json};

use crate::house::House;
use crate::rules::fill;

#[tokio::test]
async fn own_segments_are_ones_own_and_everybodys_are_the_editors() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let owner = house.login("ann@shop.example", Right::Own, Some(shop.id)).await;
    let reader = house.login("ben@shop.example", Right::Read, Some(shop.id)).await;
    let path = format!("/api/sites/{}/segments", shop.slug);
    let paid = json!({"name": " Paid  ads ", "filters": {"channel": ["~paid"], "amount": ["50.."]}, "scope": "site"});

    let made = house.post(&path).cookie(&owner).json(&paid).send().await.is(201).json;
    assert_eq!((&made["name"], &made["scope"], &made["may_change"]), (&json!("Paid ads"), &json!("site"), &json!(true)));
    let own = json!({"name": "Paid ads", "filters": {"source": ["google", "!bing"]}});
    let bens = house.post(&path).cookie(&reader).json(&own).send().await.is(201).json;
    assert_eq!((&bens["scope"], &bens["filters"]), (&json!("mine"), &own["filters"]));

    let names = async |cookie: &str| -> Vec<(Value, Value)> {
        let all = house.get(&path).cookie(cookie).send().await.is(200).json;
        all["items"].as_array().expect("items").iter().map(|s| (s["scope"].clone(), s["may_change"].clone())).collect()
    };
    assert_eq!(names(&reader).await, [(json!("site"), json!(false)), (json!("mine"), json!(true))]);
    assert_eq!(names(&owner).await, [(json!("site"), json!(true))], "somebody else's own is not shown");

    // Whoever reads changes own ones only; somebody else's own is not there, and neither is another site's.
    let one = |s: &Value| format!("{path}/{}", s["segment"].as_str().expect("an id"));
    let name = json!({"name": "Paid"});
    house.post(&one(&made)).cookie(&reader).json(&name).send().await.is(403);
    house.delete(&one(&made)).cookie(&reader).send().await.is(403);
    house.post(&path).cookie(&reader).json(&paid).send().await.is(403);
    house.post(&one(&bens)).cookie(&owner).json(&name).send().await.is(404);
    house.delete(&one(&bens)).cookie(&owner).send().await.is(404);
    let elsewhere = format!("/api/sites/{}/segments/{}", other.slug, made["segment"].as_str().expect("an id"));
    house.delete(&elsewhere).token(&other.token).send().await.is(404);

    let changed =
        house.post(&one(&bens)).cookie(&reader).json(&json!({"name": "Mine", "filters": {"kind": ["sale"]}})).send().await.is(200).json;
    assert_eq!((&changed["name"], &changed["filters"]), (&json!("Mine"), &json!({"kind": ["sale"]})));
    assert_eq!(house.post(&path).cookie(&owner).json(&paid).send().await.is(409).code(), "segment_exists");
    for (body, field) in [
        (json!({"name": "x", "filters": {}}), "filters"),
        (json!({"name": "x", "filters": {"kind": ["sales"]}}), "filters"),
        (json!({"name": "x", "filters": {"search": ["a"]}}), "filters"),
        (json!({"name": " ", "filters": {"kind": ["sale"]}}), "name"),
        (json!({"name": "x", "filters": {"kind": ["sale"]}, "scope": "all"}), "scope"),
    ] {
        let refused = house.post(&path).cookie(&owner).json(&body).send().await.is(422);
        assert_eq!(refused.json["error"]["field"], field, "{body}");
    }
    // A token has none of its own.
    assert_eq!(house.post(&path).token(&shop.token).json(&own).send().await.is(422).json["error"]["field"], "scope");

    house.delete(&one(&bens)).cookie(&reader).send().await.is(204);
    house.delete(&one(&made)).cookie(&owner).send().await.is(204);
    let audit = house.get(&format!("/api/sites/{}/audit", shop.slug)).cookie(&owner).send().await.is(200).json;
    let done: Vec<&str> =
        audit["items"].as_array().expect("rows").iter().filter_map(|a| a["what"].as_str()).filter(|w| w.starts_with("segment")).collect();
    assert_eq!(done, ["segment_removed", "segment_removed", "segment_changed", "segment_added", "segment_added"]);
}

#[tokio::test]
async fn a_segment_locks_a_part_as_it_is_now() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let owner = house.login("ann@shop.example", Right::Own, Some(shop.id)).await;
    fill(&house, &shop).await;
    let path = format!("/api/sites/{}", shop.slug);
    let keep = async |name: &str, filters: Value| {
        let body = json!({"name": name, "filters": filters, "scope": "site"});
        house.post(&format!("{path}/segments")).cookie(&owner).json(&body).send().await.is(201).json["segment"].clone()
    };
    let social = keep("Social", json!({"source": ["~facebo"]})).await;
    let large = keep("Large", json!({"amount": ["50.."]})).await;
    let share = async |segment: &Value, status: u16| {
        let body = json!({"name": "partner", "segment": segment});
        house.post(&format!("{path}/shares")).cookie(&owner).json(&body).send().await.is(status).json
    };
    // Only what visits and money know can be locked.
    assert_eq!(share(&large, 422).await["error"]["field"], "segment");
    assert_eq!(share(&json!("segment_99"), 422).await["error"]["field"], "segment");
    let link = share(&social, 201).await;
    let token = link["link"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned();
    let seen = async || house.get(&format!("/api/shared/{token}/sources?limit=50")).send().await.is(200).json;
    let shown = seen().await;
    assert_eq!((&shown["rows"], &shown["total"]["visits"]), (&json!(2), &json!(3)), "{shown}");
    let id = social.as_str().expect("an id");
    house.post(&format!("{path}/segments/{id}")).cookie(&owner).json(&json!({"filters": {"source": ["google"]}})).send().await.is(200);
    assert_eq!(seen().await["total"]["visits"], 3, "a segment that changes changes nobody's part");
}

/// What is kept of counted days for whoever sees everything is not what somebody is shown who sees a part, nor the other way round.
#[tokio::test]
async fn answers_that_are_kept_stay_with_who_may_see_them() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    fill(&house, &shop).await;
    house.advance_s(2 * 86_400);
    cube::catch_up(&house.app).await.expect("counted");
    let owner = house.login("ann@shop.example", Right::Own, Some(shop.id)).await;
    let body = json!({"name": "partner", "segment": {"source": ["facebook"]}});
    let share = house.post(&format!("/api/sites/{}/shares", shop.slug)).cookie(&owner).json(&body).send().await.is(201).json;
    let token = share["link"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned();
    for _ in 0..2 {
        let whole = house.get(&format!("/api/sites/{}/reports/sources?model=linear", shop.slug)).cookie(&owner).send().await.is(200).json;
        assert_eq!(whole["total"]["visits"], 5, "{whole}");
        let part = house.get(&format!("/api/shared/{token}/sources")).send().await.is(200).json;
        assert_eq!((&part["total"]["visits"], &part["rows"]), (&json!(1), &json!(1)), "{part}");
        let figures = house.get(&format!("/api/shared/{token}/overview")).send().await.is(200).json;
        assert_eq!(figures["visits"], 1, "{figures}");
    }
    // Hidden amounts are not found out by asking which are how large.
    let body = json!({"name": "no money", "hides_money": true, "pages": ["overview", "conversions"]});
    let share = house.post(&format!("/api/sites/{}/shares", shop.slug)).cookie(&owner).json(&body).send().await.is(201).json;
    let token = share["link"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned();
    for asked in ["overview", "conversions"] {
        let refused = house.get(&format!("/api/shared/{token}/{asked}?amount=50..")).send().await.is(403);
        assert_eq!(refused.json["error"]["field"], "amount", "{asked}: {}", refused.text);
        house.get(&format!("/api/shared/{token}/{asked}")).send().await.is(200);
    }
}
