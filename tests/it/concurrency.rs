//! The same thing told many times at the same moment, and many hands on one queue: what comes of it is one.

use std::collections::BTreeMap;
use std::sync::Arc;

use halotrack::jobs::worker;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::house::{Answer, House, SiteAt};
use crate::running::signed;
use crate::stand_in::{self, StandIn};

async fn receiver() -> StandIn {
    StandIn::start(|_, _| stand_in::Answer::text(200, "ok")).await
}

/// So many at once, each on a task of its own.
async fn at_once<F, T>(count: usize, make: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let mut tasks = JoinSet::new();
    for n in 0..count {
        tasks.spawn(make(n));
    }
    tasks.join_all().await
}

fn words(answers: &[Answer], name: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.json[name].to_string()).or_insert(0) += 1;
    }
    counts
}

async fn shop() -> (Arc<House>, Arc<SiteAt>, StandIn) {
    let receiver = receiver().await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    (Arc::new(house), Arc::new(site), receiver)
}

async fn is_one(house: &House, site: &SiteAt, receiver: &StandIn) {
    let all = house.list(site, "conversions").await;
    assert_eq!(all.len(), 1, "{all:#?}");
    house.work().await;
    assert_eq!((receiver.seen().len(), house.deliveries(site).await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lead_told_at_once_by_many_is_one() {
    for body in [
        json!({"lead_id": "L-1", "email": "ann@mail.example", "consent_given": true}),
        json!({"email": "ann@mail.example", "message": "no id of its own", "consent_given": true}),
    ] {
        let (house, site, receiver) = shop().await;
        let forms = house.connect(&site, "forms", "", &[]).await;
        let body = body.to_string();
        let headers = signed(&forms.secret, house.clock.now().s(), body.as_bytes());
        let answers = at_once(48, |n| {
            let (house, body, headers) = (house.clone(), body.clone(), headers.clone());
            let path = if n % 2 == 0 { forms.hook.clone() } else { "/api/webhook/lead".to_owned() };
            async move { headers.iter().fold(house.post(&path), |c, (n, v)| c.header(n, v)).body(body).send().await.is(200) }
        })
        .await;
        let (accepted, new) = (words(&answers, "status"), words(&answers, "duplicate"));
        let firsts = accepted.get("\"accepted\"").copied().unwrap_or(0) + new.get("false").copied().unwrap_or(0);
        assert_eq!(firsts, 1, "{accepted:?} {new:?}");
        is_one(&house, &site, &receiver).await;
        assert_eq!(house.sql(&site, "select 1 from leads").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conversion_under_one_key_is_one() {
    let (house, site, receiver) = shop().await;
    let body = json!({"conversion_type": "lead", "email": "ann@mail.example", "consent_given": true});
    let answers = at_once(32, |_| {
        let (house, site, body) = (house.clone(), site.clone(), body.clone());
        async move { house.post("/api/conversions").token(&site.token).header("idempotency-key", "one").json(&body).send().await }
    })
    .await;
    assert!(answers.iter().all(|a| matches!(a.status, 200 | 201)), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    assert_eq!(words(&answers, "conversion_id").len(), 1);
    is_one(&house, &site, &receiver).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sale_told_at_once_by_all_its_senders_is_one() {
    let (house, site, receiver) = shop().await;
    let mut senders = Vec::new();
    for _ in 0..4 {
        senders.push(Arc::new(house.connect(&site, "forms", "", &[]).await));
    }
    let answers = at_once(20, |n| {
        let (house, site, sender) = (house.clone(), site.clone(), senders[n % 4].clone());
        async move {
            let sale = json!({"order_id": "1001", "total": "99.00", "currency": "USD", "email": "ann@mail.example", "consent_given": true});
            if n % 5 == 4 {
                let told = json!({"conversion_type": "sale", "order_id": "#1001", "revenue": 99, "currency": "USD", "email": "ann@mail.example", "consent_given": true});
                return house.conversion(&site, told).await;
            }
            let body = sale.to_string();
            let headers = signed(&sender.secret, house.clock.now().s(), body.as_bytes());
            headers.iter().fold(house.post("/api/webhook/order"), |c, (n, v)| c.header(n, v)).body(body).send().await
        }
    })
    .await;
    assert!(answers.iter().all(|a| matches!(a.status, 200 | 201)), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    is_one(&house, &site, &receiver).await;
    let id = house.list(&site, "conversions").await[0]["id"].as_str().expect("an id").to_owned();
    let receipt = house.receipt(&site, &id).await;
    let sum: i64 = receipt["entries"].as_array().into_iter().flatten().filter_map(|e| e["amount"]["minor"].as_i64()).sum();
    assert_eq!((sum, receipt["received"].as_array().map(Vec::len)), (9_900, Some(5)), "five senders, once each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_view_sent_twice_at_once_counts_once() {
    let (house, site, _) = shop().await;
    let answers = at_once(24, |_| {
        let (house, site) = (house.clone(), site.clone());
        async move { house.touch(&site, None, json!({"event_id": "one", "utm_source": "news"})).await.is(200) }
    })
    .await;
    assert_eq!(words(&answers, "session_id").len(), 1, "all hear the same session");
    assert_eq!(house.sql(&site, "select touch_count, page_views from sessions"), vec![json!({"touch_count": 1, "page_views": 1})]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_pages_of_one_browser_at_once_are_one_session() {
    let (house, site, _) = shop().await;
    let id = house.visit(&site, None, json!({"utm_source": "news", "utm_campaign": "first"})).await;
    at_once(24, |n| {
        let (house, site, id) = (house.clone(), site.clone(), id.clone());
        async move { house.visit(&site, Some(&id), json!({"utm_source": "news", "utm_campaign": format!("c{}", n % 12)})).await }
    })
    .await;
    let rows = house.sql(&site, "select touch_count, page_views, ft_campaign from sessions");
    assert_eq!(rows, vec![json!({"touch_count": 13, "page_views": 25, "ft_campaign": "first"})]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_hands_on_the_queue_send_each_thing_once() {
    let (house, site, receiver) = shop().await;
    for n in 0..60 {
        house.lead(&site, json!({"lead_id": n, "email": format!("p{n}@mail.example"), "consent_given": true})).await.is(200);
    }
    at_once(6, |_| {
        let house = house.clone();
        async move { worker::drain(&house.app).await.expect("the queue is read") }
    })
    .await;
    house.work().await;
    let mut names: Vec<Value> = receiver.seen().iter().map(|s| json!(s.header("webhook-id"))).collect();
    assert_eq!(names.len(), 60);
    names.sort_by_key(Value::to_string);
    names.dedup();
    assert_eq!(names.len(), 60, "each once");
    assert!(house.deliveries(&site).await.iter().all(|d| d["state"] == json!("delivered") && d["attempts"] == json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_refused_harms_nobody_beside_it() {
    let (house, site, _) = shop().await;
    let answers = at_once(40, |n| {
        let (house, site) = (house.clone(), site.clone());
        async move {
            let value = if n % 4 == 0 { json!("nonsense") } else { json!("1.00") };
            house.lead(&site, json!({"lead_id": format!("L-{n}"), "email": format!("p{n}@mail.example"), "value": value})).await.status
        }
    })
    .await;
    assert_eq!((answers.iter().filter(|s| **s == 200).count(), answers.iter().filter(|s| **s == 422).count()), (30, 10));
    assert_eq!(house.sql(&site, "select 1 from leads").len(), 30);
    assert_eq!(house.list(&site, "conversions").await.len(), 30);
}

/// A question that panics is answered as a fault, and its connection serves the next one, of whatever site.
#[tokio::test]
async fn a_question_that_panics_harms_no_other() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for _ in 0..16 {
        let asked = house.app.store.read(site.id, |_| -> halotrack::error::Result<i64> { panic!("on purpose") }).await;
        assert!(asked.is_err());
    }
    for _ in 0..16 {
        house.get("/api/sites/shop/reports/overview").token(&site.token).send().await.is(200);
    }
}

/// Sums beyond what fits are shown as the most that does, and nobody else hears of it.
#[tokio::test]
async fn amounts_beyond_all_bounds_break_no_report() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for n in 0..12 {
        let all: Vec<Value> = (0..100)
            .map(
                |k| json!({"conversion_type": "sale", "revenue": "99999999999999.99", "currency": "USD", "order_id": format!("O-{n}-{k}")}),
            )
            .collect();
        house.post("/api/conversions").token(&site.token).json(&Value::from(all)).send().await.is(200);
        house.advance_s(60);
    }
    for report in ["overview", "sources", "customers", "timeseries"] {
        house.get(&format!("/api/sites/shop/reports/{report}")).token(&site.token).send().await.is(200);
    }
}
