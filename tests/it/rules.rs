//! One name for several spellings: seen before it is made, the same in every report and list, gone without a trace.

use halotrack::domain::rights::Right;
use halotrack::flows::cube;
use serde_json::{Value, json};

use crate::house::{CHROME, House, SiteAt};

/// Visits with an order each: source, medium, campaign, content, amount in the currency's large unit.
pub const CAME: [(&str, &str, &str, &str, &str); 5] = [
    ("facebook", "paid_social", "Spring", "video", "100.00"),
    ("facebok", "paid_social", "spring_sale", "video", "50.00"),
    ("facebok", "paid_social", "spring_sale", "picture", "25.00"),
    ("google", "cpc", "Spring", "", "10.00"),
    ("newsletter", "email", "june", "", "5.00"),
];

pub async fn fill(house: &House, shop: &SiteAt) {
    for (n, (source, medium, campaign, content, total)) in CAME.into_iter().enumerate() {
        let touch = json!({"landing": "/start", "user_agent": CHROME, "utm_source": source, "utm_medium": medium, "utm_campaign": campaign,
            "utm_content": content});
        let id = house.post("/api/touch").token(&shop.token).json(&touch).send().await.is(200).json["session_id"].clone();
        house.advance_s(60);
        let order = json!({"order_id": format!("n{n}"), "total": total, "currency": "USD", "email": format!("p{n}@mail.example"),
            "session_id": id, "status": "paid"});
        house.post("/api/webhook/order").token(&shop.token).json(&order).send().await;
        house.advance_s(60);
    }
}

fn named<'v>(table: &'v Value, name: &str) -> Option<&'v Value> {
    table["items"].as_array()?.iter().find(|r| r["name"] == name)
}

async fn get(house: &House, shop: &SiteAt, path: &str) -> Value {
    house.get(&format!("/api/sites/{}/{path}", shop.slug)).token(&shop.token).send().await.is(200).json
}

#[tokio::test]
async fn a_merge_is_seen_before_it_is_made_and_can_be_taken_back() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let owner = house.login("ann@shop.example", Right::Own, Some(shop.id)).await;
    fill(&house, &shop).await;
    let path = format!("/api/sites/{}/rules", shop.slug);
    let reports =
        ["reports/sources", "reports/sources?by=channel", "reports/sources?by=campaign&beside=ends", "reports/campaigns", "conversions"];
    let mut before = Vec::new();
    for report in reports {
        before.push(get(&house, &shop, report).await);
    }
    let rule = json!({"dimension": "source", "from": " FaceBok ", "to": "facebook"});

    let preview = house.post(&format!("{path}/preview")).cookie(&owner).json(&rule).send().await.is(200).json;
    assert_eq!((&preview["into"], &preview["is_merge"], &preview["days"]), (&json!("facebook"), &json!(true), &json!(90)));
    assert_eq!((&preview["moved"]["visits"], &preview["moved"]["conversions"]), (&json!(2), &json!(2.0)));
    assert_eq!(preview["moved"]["net"], json!([{"minor": 7500, "currency": "USD"}]));
    assert_eq!((&preview["there"]["visits"], &preview["there"]["net"]), (&json!(1), &json!([{"minor": 10000, "currency": "USD"}])));
    assert_eq!(get(&house, &shop, "reports/sources").await, before[0], "a preview changes nothing");

    let made = house.post(&path).cookie(&owner).json(&rule).send().await.is(201).json;
    assert_eq!((&made["from"], &made["to"], &made["within"]), (&json!("facebok"), &json!("facebook"), &Value::Null));
    // What the preview has told is what is shown: by the counts, by the rows, and in the ledger.
    for report in ["reports/sources", "reports/sources?beside=ends", "reports/sources?model=linear", "reports/sources?source=facebook"] {
        let table = get(&house, &shop, report).await;
        let row = named(&table, "facebook").expect(report);
        assert_eq!((&row["visits"], &row["conversions"]), (&json!(3), &json!(3.0)), "{report}");
        assert_eq!(row["net"], json!([{"minor": 17500, "currency": "USD"}]), "{report}");
        assert!(named(&table, "facebok").is_none(), "{report}");
    }
    let list = get(&house, &shop, "conversions?source=facebook").await;
    assert_eq!(list["total"]["count"], 3);
    let facet = list["facets"]["source"].as_array().expect("a facet");
    assert!(facet.iter().any(|f| f["value"] == "facebook" && f["count"] == 3), "{facet:?}");
    for line in list["items"].as_array().expect("rows") {
        assert_eq!(line["credited"][0]["source"], "facebook");
    }
    assert_eq!(get(&house, &shop, "conversions?source=facebok").await["total"]["count"], 0);
    assert_eq!(get(&house, &shop, "conversions?source=!facebook").await["total"]["count"], 2);
    assert_eq!(get(&house, &shop, "reports/overview?source=facebook").await["visits"], 3);
    // One by itself is called the same; what is stored keeps its words, and they are said.
    let one = get(&house, &shop, "conversions/conversion_2").await;
    assert_eq!((&one["credited"][0]["source"], &one["came_as"]["source"]), (&json!("facebook"), &json!("facebok")));
    let receipt = get(&house, &shop, "receipts/conversion_2").await;
    assert_eq!((&receipt["touches"][0]["source"], &receipt["touches"][0]["came_as"]["source"]), (&json!("facebook"), &json!("facebok")));
    assert_eq!(get(&house, &shop, "receipts/conversion_1").await["touches"][0]["came_as"], Value::Null);
    assert_eq!(get(&house, &shop, "conversions/conversion_2/touchpoints").await["items"][0]["source"], "facebook");
    let contact = receipt["conversion"]["who"]["contact"].as_str().expect("a contact").to_owned();
    let timeline = get(&house, &shop, &format!("contacts/{contact}/timeline")).await;
    let sources: Vec<&Value> = timeline["items"].as_array().expect("lines").iter().map(|l| &l["source"]).filter(|s| !s.is_null()).collect();
    assert!(!sources.is_empty() && sources.iter().all(|s| **s == "facebook"), "{timeline}");
    // The conversions API takes the name, and the word as it came.
    for source in ["facebook", "facebok"] {
        let records = house.get(&format!("/api/conversions?source={source}")).token(&shop.token).send().await.is(200).json;
        let named: Vec<&Value> = records["data"].as_array().expect("records").iter().map(|r| &r["source"]).collect();
        assert!(named.iter().all(|s| **s == "facebook"), "{records}");
        assert_eq!(named.len(), if source == "facebook" { 3 } else { 2 }, "{records}");
    }
    let daily = house.get("/api/reports/daily").token(&shop.token).send().await.is(200).json;
    assert_eq!((&daily["by_source"]["facebook"]["conversions"], &daily["by_source"]["facebok"]), (&json!(3), &Value::Null), "{daily}");
    let points = house.get("/api/conversions/conversion_2/touchpoints").token(&shop.token).send().await.is(200).json;
    assert_eq!(points["data"][0]["source"], "facebook");

    let id = made["id"].as_str().expect("an id");
    house.delete(&format!("{path}/{id}")).cookie(&owner).send().await.is(204);
    for (report, before) in reports.iter().zip(&before) {
        assert_eq!(get(&house, &shop, report).await, *before, "{report} is as it was");
    }
    house.delete(&format!("{path}/{id}")).cookie(&owner).send().await.is(404);
    let audit = house.get(&format!("/api/sites/{}/audit", shop.slug)).cookie(&owner).send().await.is(200).json;
    let done: Vec<&str> =
        audit["items"].as_array().expect("rows").iter().filter_map(|a| a["what"].as_str()).filter(|w| w.starts_with("rule")).collect();
    assert_eq!(done, ["rule_removed", "rule_added"]);
}

/// Visits of counted days are kept as they were worked out. A rule changes what a filter takes of them, at once and every time.
#[tokio::test]
async fn what_is_kept_of_visits_changes_with_a_rule() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    fill(&house, &shop).await;
    house.advance_s(2 * 86_400);
    cube::catch_up(&house.app).await.expect("counted");
    let path = format!("/api/sites/{}/rules", shop.slug);
    let visits = async |query: &str| get(&house, &shop, &format!("reports/overview?{query}")).await["visits"].clone();
    for query in ["source=facebook", "source=~book", "source=facebook&content=video", "source=facebook&country=unknown"] {
        let before = visits(query).await;
        assert_eq!(visits(query).await, before, "kept: {query}");
        let rule = json!({"dimension": "source", "from": "facebok", "to": "facebook"});
        let made = house.post(&path).token(&shop.token).json(&rule).send().await.is(201).json;
        let more = if query.contains("content") { 1 } else { 2 };
        assert_eq!(visits(query).await, before.as_i64().expect("a number") + more, "with the rule: {query}");
        house.delete(&format!("{path}/{}", made["id"].as_str().expect("an id"))).token(&shop.token).send().await.is(204);
        assert_eq!(visits(query).await, before, "without it again: {query}");
    }
}

#[tokio::test]
async fn a_rule_of_one_source_leaves_the_others_alone() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    fill(&house, &shop).await;
    let path = format!("/api/sites/{}/rules", shop.slug);
    for rule in [
        json!({"dimension": "source", "from": "facebok", "to": "facebook"}),
        // By the name under which the source is shown.
        json!({"dimension": "campaign", "from": "spring_sale", "to": "Spring", "within": "facebook"}),
        json!({"dimension": "campaign", "from": "Spring", "to": "Search in spring", "within": "google"}),
        json!({"dimension": "medium", "from": "paid_social", "to": "cpc"}),
    ] {
        house.post(&path).token(&shop.token).json(&rule).send().await.is(201);
    }
    let campaigns = get(&house, &shop, "reports/sources?by=campaign").await;
    assert_eq!(named(&campaigns, "Spring").expect("one row")["visits"], 3);
    assert_eq!(named(&campaigns, "Search in spring").expect("one row")["visits"], 1);
    let media = get(&house, &shop, "reports/sources?by=medium").await;
    assert_eq!(named(&media, "cpc").expect("one row")["visits"], 4);
    assert_eq!(get(&house, &shop, "conversions?campaign=Spring&source=facebook").await["total"]["count"], 3);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_words() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let reader = house.login("ben@shop.example", Right::Read, Some(shop.id)).await;
    let path = format!("/api/sites/{}/rules", shop.slug);
    let first = json!({"dimension": "source", "from": "a", "to": "b"});
    let id = house.post(&path).token(&shop.token).json(&first).send().await.is(201).json["id"].as_str().expect("an id").to_owned();
    for (body, status, code, field) in [
        (json!({"dimension": "source", "from": "b", "to": "a"}), 409, "rule_circle", "to"),
        (json!({"dimension": "source", "from": "A", "to": "c"}), 409, "rule_exists", "from"),
        (json!({"dimension": "source", "from": "a", "to": "a"}), 422, "invalid_field", "to"),
        (json!({"dimension": "source", "from": "unattributed", "to": "a"}), 422, "invalid_field", "from"),
        (json!({"dimension": "campaign", "from": "x", "to": "(not set)"}), 422, "invalid_field", "to"),
        (json!({"dimension": "source", "from": "x", "to": "y", "within": "z"}), 422, "invalid_field", "within"),
        (json!({"dimension": "country", "from": "x", "to": "y"}), 422, "invalid_field", "dimension"),
        (json!({"dimension": "source", "from": "x"}), 422, "invalid_field", "to"),
        (json!({"dimension": "source", "from": "x".repeat(256), "to": "y"}), 422, "invalid_field", "from"),
    ] {
        for path in [&path, &format!("{path}/preview")] {
            let refused = house.post(path).token(&shop.token).json(&body).send().await.is(status);
            assert_eq!((refused.code(), &refused.json["error"]["field"]), (code, &json!(field)), "{body}");
        }
    }
    // Who may only read makes none, and another site has its own.
    for (method, path) in
        [("GET", path.clone()), ("POST", path.clone()), ("POST", format!("{path}/preview")), ("DELETE", format!("{path}/{id}"))]
    {
        house.call(method, &path).cookie(&reader).json(&first).send().await.is(403);
    }
    house.delete(&format!("/api/sites/{}/rules/{id}", other.slug)).token(&other.token).send().await.is(404);
    assert_eq!(get(&house, &other, "rules").await["items"], json!([]));
    assert_eq!(get(&house, &shop, "rules").await["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn no_rule_widens_what_a_partner_is_shown() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let owner = house.login("ann@shop.example", Right::Own, Some(shop.id)).await;
    fill(&house, &shop).await;
    // Somebody who came by another source first.
    let touch = |source: &str, id: &Value| json!({"landing": "/start", "user_agent": CHROME, "utm_source": source, "utm_medium": "cpc", "session_id": id});
    let id =
        house.post("/api/touch").token(&shop.token).json(&touch("secret", &Value::Null)).send().await.is(200).json["session_id"].clone();
    house.advance_s(7_200);
    let id = house.post("/api/touch").token(&shop.token).json(&touch("facebook", &id)).send().await.is(200).json["session_id"].clone();
    house.advance_s(60);
    let order =
        json!({"order_id": "two", "total": "9.00", "currency": "USD", "email": "two@mail.example", "session_id": id, "status": "paid"});
    house.post("/api/webhook/order").token(&shop.token).json(&order).send().await;
    let body = json!({"name": "partner", "segment": {"source": ["facebook"]}});
    let share = house.post(&format!("/api/sites/{}/shares", shop.slug)).cookie(&owner).json(&body).send().await.is(201).json;
    let token = share["link"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned();
    let rule = json!({"dimension": "source", "from": "facebok", "to": "facebook"});
    house.post(&format!("/api/sites/{}/rules", shop.slug)).cookie(&owner).json(&rule).send().await.is(201);
    let seen = house.get(&format!("/api/shared/{token}/sources")).send().await.is(200).json;
    assert_eq!(named(&seen, "facebook").expect("the row")["visits"], 2, "{seen}");
    assert_eq!((&seen["total"]["visits"], &seen["rows"]), (&json!(2), &json!(1)), "{seen}");
}
