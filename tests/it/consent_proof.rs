//! What the proof calls sent: what reached a platform, or may have, once for each delivery, with what that delivery told.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer, StandIn};

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

async fn proof(house: &House, site: &SiteAt) -> Value {
    house.advance_s(1);
    house.get("/api/sites/shop/reports/consent/proof").token(&site.token).send().await.is(200).json
}

/// A figure of the proof for one connection.
fn of(proof: &Value, connection: &str, figure: &str) -> Value {
    let all = proof["left"].as_array().expect("connections");
    all.iter().find(|l| l["connection"] == connection).map_or(Value::Null, |l| l[figure].clone())
}

#[tokio::test]
async fn sent_is_what_reached_a_platform_or_may_have() {
    let house = House::new();
    let slow = StandIn::start(|_, n| if n < 2 { Answer::text(503, "later") } else { Answer::text(204, "") }).await;
    let silent = StandIn::start(|_, _| Answer::Drop).await;
    let strict = StandIn::start(|_, _| Answer::text(400, "no")).await;
    let site = house.site("shop.example").await;
    let mut hooks = Vec::new();
    for url in [&slow.url(), &silent.url(), &strict.url(), NOBODY] {
        hooks.push(house.connect(&site, "webhook", "live", &[("url", &format!("{url}/hook"))]).await.id);
    }
    let id = house.visit(&site, None, json!({"utm_source": "news", "consent": "granted"})).await;
    let order = json!({"order_id": 1, "total": "9.00", "currency": "USD", "email": "ann@mail.example", "session_id": id});
    house.order(&site, order).await.is(200);
    for _ in 0..3 {
        house.work().await;
        house.advance_s(20 * 3_600);
    }
    house.work().await;
    assert_eq!((slow.seen().len(), silent.seen().len(), strict.seen().len()), (3, 3, 1));
    let states: Vec<Value> = house.deliveries(&site).await.into_iter().map(|d| json!([d["connection"], d["state"], d["reason"]])).collect();
    for want in [json!([hooks[0], "delivered", null]), json!([hooks[1], "held", "ambiguous"]), json!([hooks[3], "pending", null])] {
        assert!(states.contains(&want), "{want} in {states:#?}");
    }

    // Five times or once, taken or not: a delivery counts once, and the reasons add up to it. What found nobody was not sent.
    let said = proof(&house, &site).await;
    assert_eq!(said["total"], json!({"deliveries": 3, "taken": 1, "unsure": 1, "sends": 7, "refused": 0, "refused_later": 0}), "{said:#}");
    for (n, taken, unsure) in [(0, 1, 0), (1, 0, 1), (2, 0, 0)] {
        let word = |figure| of(&said, &hooks[n], figure);
        assert_eq!((word("deliveries"), word("taken"), word("unsure")), (json!(1), json!(taken), json!(unsure)), "{said:#}");
        assert_eq!(word("bases")[0]["deliveries"], json!(1), "{said:#}");
    }
    assert_eq!(of(&said, &hooks[3], "deliveries"), Value::Null, "{said:#}");
    let rows = house.list(&site, "reports/consent/left").await;
    let row = |n: usize| rows.iter().find(|r| r["connection"] == json!(hooks[n])).expect("a row");
    assert_eq!(rows.len(), 3, "{rows:#?}");
    assert_eq!((&row(0)["sends"], &row(0)["is_taken"], &row(1)["is_unsure"]), (&json!(3), &json!(true), &json!(true)), "{rows:#?}");
}

#[tokio::test]
async fn what_a_try_left_in_the_dark_stays_so() {
    let house = House::new();
    let silent = StandIn::start(|_, _| Answer::Drop).await;
    let site = house.site("shop.example").await;
    let mut hooks = Vec::new();
    for url in [&silent.url(), NOBODY] {
        hooks.push(house.connect(&site, "webhook", "live", &[("url", &format!("{url}/hook"))]).await.id);
    }
    let id = house.visit(&site, None, json!({"utm_source": "news", "consent": "granted"})).await;
    let order = json!({"order_id": 1, "total": "9.00", "currency": "USD", "email": "ann@mail.example", "session_id": id});
    house.order(&site, order).await.is(200);
    for _ in 0..4 {
        house.work().await;
        house.advance_s(20 * 3_600);
    }
    // Held, because it may have arrived: then the no comes.
    house.touch(&site, Some(&id), json!({"consent": {"analytics": "granted", "marketing": "denied"}})).await.is(200);
    let cost = house.get("/api/sites/shop/reports/consent").token(&site.token).send().await.is(200).json;
    let kept = |n: usize| {
        let all = cost["withheld"].as_array().expect("connections");
        all.iter().find(|w| w["connection"] == json!(hooks[n])).map(|w| (w["for_consent"].clone(), w["had_left"].clone()))
    };
    assert_eq!((kept(0), kept(1)), (Some((json!(0), json!(1))), Some((json!(1), json!(0)))), "{cost:#}");

    // A server that stopped while it was sending keeps no try, but that something may have arrived.
    let db = Connection::open(house.data().join(halotrack::store::FILE)).expect("the file");
    let lost = "update deliveries set unknown_at = created_at where connection_id = ?1";
    let number: i64 = hooks[1].trim_start_matches("con_").parse().expect("a number");
    assert_eq!(db.execute(lost, [number]).expect("as if it had stopped"), 1);
    let said = proof(&house, &site).await;
    assert_eq!((of(&said, &hooks[1], "deliveries"), of(&said, &hooks[1], "unsure")), (json!(1), json!(1)), "{said:#}");
}

#[tokio::test]
async fn the_list_shows_what_each_delivery_told() {
    let house = House::new();
    let receiver = StandIn::start(|_, n| if n == 2 { Answer::text(400, "no") } else { Answer::text(204, "") }).await;
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    let worth = async |path: &str| {
        let mut all: Vec<(String, Value)> = house
            .list(&site, path)
            .await
            .into_iter()
            .map(|r| (r["kind"].as_str().unwrap_or_default().to_owned(), r["amount"]["minor"].clone()))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    for (n, agreed) in [(1, true), (2, false)] {
        let lead = json!({"lead_id": format!("L-{n}"), "email": format!("p{n}@mail.example"), "value": "4500.00", "currency": "USD", "consent_given": agreed});
        house.lead(&site, lead).await.is(200);
        house.work().await;
        for body in [json!({"status": "qualified", "value": 8100}), json!({"status": "won", "value": 8180}), json!({"value": 9999})] {
            house.advance_s(1);
            house.post(&format!("/api/sites/shop/leads/lead_{n}")).token(&site.token).json(&body).send().await.is(200);
            house.work().await;
        }
    }
    let (first, qualified, won) = (json!(450_000), json!(810_000), json!(818_000));
    let want = [("conversion.created".to_owned(), first), ("lead.qualified".to_owned(), qualified), ("lead.won".to_owned(), won)];
    assert_eq!(worth("reports/consent/left").await, want, "taken or refused: what was told");
    let kept = worth("reports/consent/withheld").await;
    assert_eq!(kept[1..], want[1..], "what would have been told: {kept:?}");
}
