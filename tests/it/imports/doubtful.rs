//! What a file says in a doubtful way: nothing of it is guessed, and nothing is lost or counted twice without a word.

use serde_json::{Value, json};

use super::{bring, get, preview, rows};
use crate::house::{House, SiteAt};

fn refused(seen: &Value) -> Vec<(i64, String)> {
    let all = seen["refused"].as_array().into_iter().flatten();
    all.map(|r| (r["line"].as_i64().unwrap_or(0), r["field"].as_str().unwrap_or("").to_owned())).collect()
}

#[tokio::test]
async fn doubtful_cells_are_refused_by_name() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let text = "order_id,created_at,total,refund amount,note\n\
        1,12.06.26,14.00 EUR,\"4,00 EUR\",\n\
        2,12.06.99,14.00,,\n\
        3,0001-01-01,14.00,,\n\
        4,2026-06-12 10:00 EST,14.00,,\n\
        5,2026-06-12,7,50,,fine\n\
        6,2026-06-12,1.5k,,\n\
        7,2026-06-12,9.00 EUR,1.00 GBP,\n\
        8,2026-06-12,1.250,,\n\
        9,20260612,14.00,,\n\
        10,2026-06-12,14.00,,\"six feet\n\
        11,2026-06-12,14.00,,\n";
    let seen = preview(&house, &shop, "orders", text).await;
    assert_eq!(rows(&seen), [2, 0, 0, 0, 0, 8], "{seen}");
    let want =
        [(3, "created_at"), (4, "created_at"), (5, "created_at"), (6, "row"), (7, "total"), (8, "currency"), (9, "total"), (11, "row")];
    assert_eq!(refused(&seen), want.map(|(line, field)| (line, field.to_owned())), "{seen}");
    assert!(seen["refused"][7]["remedy"].as_str().is_some_and(|remedy| remedy.contains("2 lines")), "{seen}");
    assert_eq!((&seen["from"], &seen["to"]), (&json!("2026-06-12"), &json!("2026-06-12")), "none of them in 1970");
    assert_eq!(rows(&bring(&house, &shop, "orders", text).await), rows(&seen));
    let net =
        get(&house, &shop, "conversions?q=1").await["items"].as_array().into_iter().flatten().find(|l| l["label"] == "Order 1").cloned();
    assert_eq!(net.map(|line| line["net"].clone()), Some(json!({"minor": 1_000, "currency": "EUR"})));
}

#[tokio::test]
async fn a_file_that_was_cut_leaves_no_sale_behind() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let text = "happened_at,amount,currency,email\n2026-06-12T10:00:00Z,14.00,EUR,ann@mail.example\n2026-06-12T11:00:00Z,90.00,EUR,ben@mail.example\n";
    let cut = &text[..text.len() - ",EUR,ben@mail.example\n".len()];
    assert_eq!(rows(&bring(&house, &shop, "conversions", cut).await), [1, 0, 0, 0, 0, 1]);
    assert_eq!(rows(&bring(&house, &shop, "conversions", text).await), [1, 0, 1, 0, 0, 0]);
    assert_eq!(get(&house, &shop, "conversions").await["total"]["count"], 2);
    let unsure = preview(&house, &shop, "conversions", text.trim_end()).await;
    assert_eq!((&unsure["may_be_cut"], rows(&unsure)[2]), (&json!(true), 2), "{unsure}");
    assert_eq!(preview(&house, &shop, "conversions", text).await["may_be_cut"], false);
}

/// What was spent is not below nought, in a file either; a day that has cost nothing is one.
#[tokio::test]
async fn a_cost_below_nought_is_refused_with_what_to_do() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let text = "day,source,campaign,amount\n2026-06-10,google,Spring,-1\n2026-06-11,google,Spring,0\n2026-06-12,google,Spring,5.00\n";
    let seen = preview(&house, &shop, "spend", text).await;
    assert_eq!(refused(&seen), [(2, "amount".to_owned())], "{seen}");
    assert!(seen["refused"][0]["remedy"].as_str().is_some_and(|remedy| remedy.contains("correct the amount")), "{seen}");
    assert_eq!(rows(&bring(&house, &shop, "spend", text).await), [2, 0, 0, 0, 0, 1]);
    assert_eq!(spent(&house, &shop).await, json!([0, 500]));
}

const SPENT: &str = "day,source,campaign,amount\n2026-06-10,google,Spring,10.00\n2026-06-11,google,Spring,20.00\n";

async fn spent(house: &House, shop: &SiteAt) -> Value {
    let all = get(house, shop, "spend").await["items"].clone();
    let mut amounts: Vec<i64> = all.as_array().into_iter().flatten().filter_map(|l| l["amount"]["minor"].as_i64()).collect();
    amounts.sort_unstable();
    let day = get(house, shop, "reports/overview?from=2026-06-10&to=2026-06-12").await["spend"][0]["minor"].clone();
    assert_eq!(day.as_i64().unwrap_or(0), amounts.iter().sum::<i64>(), "the days add up to the amounts");
    json!(amounts)
}

async fn undo(house: &House, shop: &SiteAt, import: &Value) {
    house.advance_s(1);
    let path = format!("/api/sites/{}/imports/{}/undo", shop.slug, import["id"].as_str().expect("an id"));
    assert_eq!(house.post(&path).token(&shop.token).send().await.is(200).json["state"], "undone");
}

#[tokio::test]
async fn taking_a_correction_back_leaves_what_stood_before() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let first = bring(&house, &shop, "spend", SPENT).await;
    let second = bring(&house, &shop, "spend", &format!("{}2026-06-12,google,Spring,30.00\n", SPENT.replace("20.00", "25.00"))).await;
    assert_eq!((rows(&second), spent(&house, &shop).await), ([1, 1, 1, 0, 0, 0], json!([1_000, 2_500, 3_000])));
    undo(&house, &shop, &second).await;
    assert_eq!(spent(&house, &shop).await, json!([1_000, 2_000]), "only what it has brought goes");
    assert_eq!(rows(&bring(&house, &shop, "spend", SPENT).await), [0, 0, 2, 0, 0, 0], "and is known as it was");

    // Through a file between that is taken back first, and none that stands.
    let third = bring(&house, &shop, "spend", &SPENT.replace("20.00", "21.00")).await;
    let fourth = bring(&house, &shop, "spend", &SPENT.replace("20.00", "22.00").replace("10.00", "12.00")).await;
    undo(&house, &shop, &third).await;
    assert_eq!(spent(&house, &shop).await, json!([1_200, 2_200]), "what a later file has changed is the later file's");
    undo(&house, &shop, &fourth).await;
    assert_eq!(spent(&house, &shop).await, json!([1_000, 2_000]));
    let fifth = bring(&house, &shop, "spend", &SPENT.replace("20.00", "23.00")).await;
    undo(&house, &shop, &first).await;
    undo(&house, &shop, &fifth).await;
    assert_eq!(spent(&house, &shop).await, json!([]));
    assert_eq!(rows(&bring(&house, &shop, "spend", SPENT).await), [2, 0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn costs_that_would_count_twice_are_named_first() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let month = "from,to,source,campaign,amount\n2026-06-01,2026-06-30,google,Spring,300.00\n";
    assert_eq!(preview(&house, &shop, "spend", month).await["overlaps"], Value::Null);
    bring(&house, &shop, "spend", month).await;
    let seen = preview(&house, &shop, "spend", SPENT).await;
    assert_eq!(rows(&seen)[0], 2);
    let found = &seen["overlaps"];
    assert_eq!((&found["rows"], &found["sums"][0]["amount"]["minor"]), (&json!(2), &json!(3_000)), "{seen}");
    assert_eq!((&found["source"], &found["campaign"], &found["from"]), (&json!("google"), &json!("Spring"), &json!("2026-06-10")));
    // The same file again, and one that corrects it, stand beside nothing.
    assert_eq!(preview(&house, &shop, "spend", month).await["overlaps"], Value::Null);
    assert_eq!(preview(&house, &shop, "spend", &month.replace("300", "310")).await["overlaps"], Value::Null);
    let both = format!("{month}2026-06-10,2026-06-10,google,Spring,5.00\n").replace("Spring", "Brand");
    assert_eq!(preview(&house, &shop, "spend", &both).await["overlaps"]["rows"], 2);
}

#[tokio::test]
async fn a_piece_comes_again_only_as_it_was() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let path = format!("/api/sites/{}/imports", shop.slug);
    let told = json!({"kind": "orders", "name": "x.csv", "bytes": 10});
    let id = house.post(&path).token(&shop.token).json(&told).send().await.is(201).json["id"].as_str().expect("an id").to_owned();
    let piece = |at: usize, text: &str| {
        house.advance_s(1);
        house.post(&format!("{path}/{id}/pieces?at={at}")).token(&shop.token).body(text).send()
    };
    piece(0, "01234").await.is(200);
    assert_eq!(piece(0, "0123x").await.is(409).code(), "other_bytes");
    assert_eq!(piece(3, "3x567").await.is(409).code(), "other_bytes");
    assert_eq!(piece(3, "34567").await.is(200).json["received"], 8);
    assert_eq!(piece(0, "0123456789").await.is(200).json["received"], 10);
}

/// Old is fine; what can only be an empty field is not.
#[tokio::test]
async fn a_conversion_has_a_time_that_can_be() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    for (timestamp, status) in [
        (json!("0001-01-01"), 422),
        (json!("0001-01-01T00:00:00Z"), 422),
        (json!("1970-01-01T00:00:00Z"), 422),
        (json!("1989-12-31T23:59:59Z"), 422),
        (json!(100_000_000), 422),
        (json!("1999-06-13T09:20:00Z"), 201),
        (json!("2026-06-01"), 201),
    ] {
        house.advance_s(1);
        let told = json!({"revenue": 5, "currency": "EUR", "timestamp": timestamp});
        let answer = house.post("/api/conversions").token(&shop.token).json(&told).send().await.is(status);
        assert_eq!(answer.text.contains("timestamp"), status == 422, "{timestamp}: {}", answer.text);
    }
    assert_eq!(get(&house, &shop, "conversions").await["total"]["count"], 2);
}
