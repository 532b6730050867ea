//! Orders: when a sale counts, what comes off it and on which day, and one sale that many senders tell of.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::running::signed;
use crate::stand_in::{self, StandIn};
use crate::story::Connected;

const DAY_S: i64 = 86_400;

async fn receiver() -> StandIn {
    StandIn::start(|_, _| stand_in::Answer::text(200, "ok")).await
}

fn order(id: &str, fields: Value) -> Value {
    let mut told = json!({"order_id": id, "total": "99.00", "currency": "USD", "email": "ann@mail.example"});
    told.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
    told
}

/// The ledger of a receipt in one line: `sale 9900 | refund -9900`.
fn ledger(receipt: &Value) -> String {
    let lines = receipt["entries"].as_array().into_iter().flatten();
    let lines = lines.map(|e| format!("{} {}", e["kind"].as_str().unwrap_or("-"), e["amount"]["minor"]));
    lines.collect::<Vec<_>>().join(" | ")
}

async fn only(house: &House, site: &SiteAt) -> Value {
    let all = house.list(site, "conversions").await;
    assert_eq!(all.len(), 1, "{all:#?}");
    house.receipt(site, all[0]["id"].as_str().expect("an id")).await
}

/// Net sales of a day.
async fn day(house: &House, site: &SiteAt, date: &str) -> f64 {
    house.advance_s(1);
    let page = house.get(&format!("/api/reports/daily?date={date}")).token(&site.token).send().await.is(200);
    let data = if page.json["data"].is_object() { &page.json["data"] } else { &page.json };
    data["total_revenue"].as_f64().unwrap_or_else(|| panic!("{}", page.text))
}

#[tokio::test]
async fn a_paid_order_is_a_sale_with_its_visit() {
    let receiver = receiver().await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let id = house.visit(&site, None, json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring"})).await;
    house.advance_s(60);
    let told = json!({"session_id": id, "items": [{"id": "A-1", "name": "Cup", "quantity": 2, "price": "49.50"}], "consent_given": true});
    let answer = house.order(&site, order("#1001", told)).await.is(200);
    assert_eq!(
        (&answer.json["success"], &answer.json["order_id"], &answer.json["match_type"]),
        (&json!(true), &json!("#1001"), &json!("session"))
    );
    let receipt = only(&house, &site).await;
    let conversion = &receipt["conversion"];
    assert_eq!((&conversion["kind"], &conversion["status"], &conversion["label"]), (&json!("sale"), &json!("paid"), &json!("Order #1001")));
    assert_eq!(
        (&conversion["amount"], &conversion["net"]),
        (&json!({"minor": 9900, "currency": "USD"}), &json!({"minor": 9900, "currency": "USD"}))
    );
    assert_eq!(conversion["credited"][0]["campaign"], json!("spring"));
    assert_eq!(ledger(&receipt), "sale 9900");
    house.work().await;
    let sent = receiver.seen()[0].json()["data"].clone();
    assert_eq!(
        (&sent["event_id"], &sent["items"][0]["id"], &sent["items"][0]["quantity"]),
        (&json!("order_1001"), &json!("A-1"), &json!(2))
    );
}

#[tokio::test]
async fn a_sale_counts_when_it_is_first_paid() {
    let receiver = receiver().await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    for status in ["draft", "pending", "on-hold", "something new"] {
        house.order(&site, order("1", json!({"status": status}))).await.is(200);
        house.work().await;
        assert_eq!((house.list(&site, "conversions").await.len(), receiver.seen().len()), (0, 0), "{status}");
        house.advance_s(60);
    }
    assert_eq!(house.list(&site, "orders").await.len(), 1, "kept all the same");
    for status in ["processing", "completed", "completed"] {
        house.order(&site, order("1", json!({"status": status}))).await.is(200);
        house.work().await;
        house.advance_s(60);
    }
    assert_eq!(ledger(&only(&house, &site).await), "sale 9900");
    assert_eq!(receiver.seen().len(), 1, "planned once, when it was first paid");
    for status in ["cancelled", "failed"] {
        house.order(&site, order(status, json!({"status": status}))).await.is(200);
    }
    assert_eq!(house.list(&site, "conversions").await.len(), 1, "what was never paid is no sale");
    house.order(&site, order("t", json!({"test": true}))).await.is(200);
    house.work().await;
    assert_eq!(receiver.seen().len(), 1, "a test is kept and left out");
    let test = house.list(&site, "conversions").await.into_iter().find(|c| c["label"] == json!("Order t")).expect("listed");
    assert_eq!((&test["is_test"], &test["deliveries"][0]["reason"]), (&json!(true), &json!("not_counted")));
}

#[tokio::test]
async fn orders_of_ones_own_people_are_known_by_their_exact_address() {
    let receiver = receiver().await;
    let house = House::new();
    let site = house.site("shop.example").await;
    halotrack::flows::sites::set(&house.app, site.id, "staff_emails", "test@shop.example", "test").await.expect("a setting");
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    for (n, (email, counts)) in [
        ("test@shop.example", false),
        (" TEST@Shop.Example ", false),
        ("contest@shop.example", true),
        ("test@shop.example.org", true),
        ("test@mail.example", true),
        ("admin@mail.example", true),
    ]
    .into_iter()
    .enumerate()
    {
        house.order(&site, order(&n.to_string(), json!({"email": email, "total": "10.00"}))).await.is(200);
        house.advance_s(1);
        let label = format!("Order {n}");
        let sale = house.list(&site, "conversions").await.into_iter().find(|c| c["label"] == json!(label)).expect("it is kept");
        let reason = &sale["deliveries"][0]["reason"];
        assert_eq!((&sale["is_test"], reason), (&json!(!counts), &if counts { Value::Null } else { json!("not_counted") }), "{email}");
    }
    house.work().await;
    assert_eq!((receiver.seen().len(), day(&house, &site, "2026-06-13").await), (4, 40.0));
}

#[tokio::test]
async fn what_goes_back_comes_off_on_its_own_day() {
    for (status, kind) in [("refunded", "refund"), ("cancelled", "cancellation")] {
        let house = House::new();
        let site = house.site("shop.example").await;
        house.order(&site, order("1", json!({"status": "paid", "created_at": "2026-06-10T10:00:00Z"}))).await.is(200);
        house.advance_s(2 * DAY_S);
        for _ in 0..2 {
            house.order(&site, order("1", json!({"status": status}))).await.is(200);
            house.advance_s(60);
        }
        let receipt = only(&house, &site).await;
        assert_eq!(ledger(&receipt), format!("sale 9900 | {kind} -9900"), "once");
        assert_eq!((&receipt["conversion"]["status"], &receipt["conversion"]["net"]["minor"]), (&json!(status), &json!(0)));
        assert_eq!(receipt["conversion"]["amount"]["minor"], json!(9900), "the sale itself is not rewritten");
        let days: Vec<&str> = receipt["entries"].as_array().into_iter().flatten().filter_map(|e| e["book_day"].as_str()).collect();
        assert_eq!(days, ["2026-06-10", "2026-06-15"]);
        assert_eq!((day(&house, &site, "2026-06-10").await, day(&house, &site, "2026-06-15").await), (99.0, -99.0), "{status}");
        // What the sale had waiting is not sent any more.
    }
}

#[tokio::test]
async fn a_sale_that_went_back_is_not_told_any_more() {
    let down = StandIn::start(|_, n| if n == 0 { stand_in::Answer::text(503, "") } else { stand_in::Answer::text(200, "") }).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &down.url())]).await;
    house.order(&site, order("1", json!({}))).await.is(200);
    house.work().await;
    house.advance_s(60);
    house.order(&site, order("1", json!({"status": "cancelled"}))).await.is(200);
    house.advance_s(DAY_S);
    house.work().await;
    let rows = house.deliveries(&site).await;
    let ends: Vec<_> = rows.iter().map(|d| (d["state"].as_str(), d["reason"].as_str())).collect();
    // The newest first: what was not told need not be taken back.
    assert_eq!(ends, [(Some("skipped"), Some("sale_not_sent")), (Some("cancelled"), Some("reversed"))]);
    assert_eq!(down.seen().len(), 1);
}

#[tokio::test]
async fn an_older_telling_never_moves_the_state_back() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let tell = async |fields: Value| {
        let body = order("1", fields).to_string();
        let headers = signed(&forms.secret, house.clock.now().s(), body.as_bytes());
        let call = headers.iter().fold(house.post("/api/webhook/order"), |c, (n, v)| c.header(n, v));
        call.body(body).send().await.is(200)
    };
    let at = |minutes: i64| json!(house.ago(-minutes * 60 + 3_600));
    tell(json!({"status": "paid", "modified_at": at(10)})).await;
    tell(json!({"status": "cancelled", "modified_at": at(20)})).await;
    for minutes in [0, 10, 15, 19] {
        tell(json!({"status": "paid", "modified_at": at(minutes), "total": "500.00"})).await;
    }
    tell(json!({"status": "pending", "modified_at": at(5)})).await;
    let receipt = only(&house, &site).await;
    assert_eq!((&receipt["conversion"]["status"], ledger(&receipt)), (&json!("cancelled"), "sale 9900 | cancellation -9900".to_owned()));
    // The same signed bodies again, in any order, a year later.
    house.advance_s(365 * DAY_S);
    for fields in [
        json!({"status": "cancelled", "modified_at": "2026-06-13T08:40:00Z"}),
        json!({"status": "paid", "modified_at": "2026-06-13T08:30:00Z"}),
    ] {
        tell(fields).await;
    }
    assert_eq!(ledger(&only(&house, &site).await), "sale 9900 | cancellation -9900");
    // A newer word counts: it was paid after all.
    house.advance_s(60);
    tell(json!({"status": "paid", "modified_at": house.ago(0)})).await;
    let receipt = only(&house, &site).await;
    assert_eq!((&receipt["conversion"]["status"], &receipt["conversion"]["net"]["minor"]), (&json!("paid"), &json!(9900)));
}

#[tokio::test]
async fn a_total_that_changes_in_the_shop_is_booked_as_a_change() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for total in ["99.00", "120.00", "120.00", "80.00"] {
        house.order(&site, order("1", json!({"total": total}))).await.is(200);
        house.advance_s(60);
    }
    let receipt = only(&house, &site).await;
    assert_eq!(ledger(&receipt), "sale 9900 | adjustment 2100 | adjustment -4000");
    assert_eq!((&receipt["conversion"]["amount"]["minor"], &receipt["conversion"]["net"]["minor"]), (&json!(8000), &json!(8000)));
}

#[tokio::test]
async fn amounts_that_are_none_are_refused() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    for total in
        [json!("1e999"), json!("-5"), json!("12,50"), json!("NaN"), json!("0.12345678901234567890"), json!({}), Value::Null, json!("")]
    {
        let refused = house.order(&site, order("1", json!({"total": total}))).await.is(422);
        assert_eq!((&refused.json["success"], &refused.json["code"]), (&json!(false), &json!("invalid_amount")), "{total}");
        assert!(refused.text.contains("total must be a decimal like 12.50 with an ISO currency."), "{}", refused.text);
        let body = json!({"conversion_type": "sale", "revenue": total, "currency": "USD"});
        let told = house.conversion(&site, body).await;
        if !matches!(total, Value::Null) {
            assert_eq!((told.status, told.json["error"]["code"].clone()), (422, json!("invalid_amount")), "{total}: {}", told.text);
        }
        house.advance_s(1);
    }
    assert_eq!(house.order(&site, order("1", json!({"currency": "EURO"}))).await.is(422).json["code"], json!("invalid_amount"));
    assert_eq!(house.order(&site, order("", json!({}))).await.is(422).json["code"], json!("invalid_field"));
    assert_eq!(house.list(&site, "orders").await, Vec::<Value>::new());
    // By signature the same: a sender who can read the answer gets it.
    let body = order("1", json!({"total": "12,50"})).to_string();
    let headers = signed(&forms.secret, house.clock.now().s(), body.as_bytes());
    headers.iter().fold(house.post("/api/webhook/order"), |c, (n, v)| c.header(n, v)).body(body).send().await.is(422);
}

#[tokio::test]
async fn one_sale_that_many_tell_is_counted_and_sent_once() {
    let receiver = receiver().await;
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let id = house.visit(&site, None, json!({"utm_source": "google", "utm_campaign": "own"})).await;
    house.advance_s(60);
    // The lower rank first: it makes the sale, unattributed and with its own amount.
    let api = json!({"conversion_type": "sale", "order_id": "WC-1001", "revenue": 90, "currency": "USD", "email": "ann@mail.example", "consent_given": true});
    let told = house.conversion(&site, api.clone()).await.is(201);
    house.work().await;
    assert_eq!(receiver.seen().len(), 1);
    // The shop's own order later: it speaks for amount and visit, in exactly one new run.
    let body = order("#1001", json!({"session_id": id, "consent_given": true})).to_string();
    for _ in 0..3 {
        let headers = signed(&forms.secret, house.clock.now().s(), body.as_bytes());
        let call = headers.iter().fold(house.post("/api/webhook/order"), |c, (n, v)| c.header(n, v));
        let answer = call.body(body.clone()).send().await.is(200);
        assert_eq!(answer.json["conversion_id"], told.json["conversion_id"], "{}", answer.text);
        house.advance_s(60);
    }
    // And the lower one again, and once more by another name of the same number.
    house.conversion(&site, api).await.is(200);
    house.work().await;
    let receipt = only(&house, &site).await;
    assert_eq!((ledger(&receipt).as_str(), &receipt["conversion"]["net"]["minor"]), ("sale 9000 | adjustment 900", &json!(9900)));
    let runs: Vec<String> = receipt["runs"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|r| format!("{} {}", r["why"].as_str().unwrap_or("-"), r["match"].as_str().unwrap_or("-")))
        .collect();
    assert_eq!(runs, ["first known none", "joined session"]);
    assert_eq!(receipt["conversion"]["reports"], json!(2));
    assert_eq!(receipt["received"].as_array().map(Vec::len), Some(2));
    assert_eq!(receiver.seen().len(), 1, "told once, under the name it had");
    assert_eq!(house.deliveries(&site).await.len(), 1);
}

#[tokio::test]
async fn what_only_looks_alike_stays_apart() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let sale = |order_id: Option<&str>, revenue: i64, email: &str| json!({"conversion_type": "sale", "order_id": order_id, "revenue": revenue, "currency": "USD", "email": email});
    house.order(&site, order("1", json!({"total": "50.00"}))).await.is(200);
    for (what, told) in [
        ("another number", sale(Some("2"), 50, "ann@mail.example")),
        ("another amount and no number", sale(None, 51, "ann@mail.example")),
        ("another person and no number", sale(None, 50, "ben@mail.example")),
    ] {
        house.conversion(&site, told).await.is(201);
        house.advance_s(1);
        assert!(house.list(&site, "conversions").await.len() > 1, "{what}");
    }
    assert_eq!(house.list(&site, "conversions").await.len(), 4);
    // The same person and amount within half an hour, without a number: the same sale.
    house.order(&site, order("9", json!({"total": "70.00", "email": "cyd@mail.example"}))).await.is(200);
    house.advance_s(20 * 60);
    let joined = house.conversion(&site, sale(None, 70, "cyd@mail.example")).await.is(200);
    assert_eq!(house.list(&site, "conversions").await.len(), 5, "{}", joined.text);
    house.advance_s(11 * 60);
    house.conversion(&site, sale(None, 70, "cyd@mail.example")).await.is(201);
    assert_eq!(house.list(&site, "conversions").await.len(), 6, "more than half an hour after the order");
}

#[tokio::test]
async fn two_shops_that_number_alike_are_two_sales() {
    let receiver = receiver().await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let woo = json!({"id": 1001, "number": "1001", "status": "processing", "currency": "USD", "total": "10.00", "line_items": [],
        "billing": {"email": "ann@mail.example"}});
    let shopify = json!({"id": 9_000_001, "name": "#1001", "order_number": 1001, "financial_status": "paid", "currency": "USD", "total_price": "10.00",
        "line_items": [], "checkout_token": "c", "email": "ann@mail.example"});
    house.order(&site, woo).await.is(200);
    house.order(&site, shopify).await.is(200);
    house.work().await;
    assert_eq!(house.list(&site, "conversions").await.len(), 2);
    let mut names: Vec<Value> = receiver.seen().iter().map(|s| s.json()["data"]["event_id"].clone()).collect();
    names.dedup();
    assert_eq!(names.len(), 2, "each under a name of its own: {names:?}");
}

/// One of the things that are told of the one sale.
#[derive(Debug, Clone, Copy)]
enum Word {
    Api,
    /// The same with the visit, which the shop's other form does not know.
    ApiSeen,
    Paid,
    Changed,
    Cancelled,
    OtherForm,
}

const WORDS: [Word; 5] = [Word::Api, Word::Paid, Word::Changed, Word::Cancelled, Word::OtherForm];

struct Sale<'a> {
    house: &'a House,
    site: &'a SiteAt,
    forms: &'a Connected,
    others: &'a Connected,
    visitor: &'a str,
}

impl Sale<'_> {
    async fn tell(&self, word: Word, minutes: &dyn Fn(i64) -> String) {
        let signed_order = async |forms: &Connected, body: Value| {
            let body = body.to_string();
            let headers = signed(&forms.secret, self.house.clock.now().s(), body.as_bytes());
            let call = headers.iter().fold(self.house.post("/api/webhook/order"), |c, (n, v)| c.header(n, v));
            call.body(body).send().await.is(200);
        };
        let own = |fields: Value| {
            let mut told = json!({"order_id": "1001", "total": "99.00", "currency": "USD", "email": "ann@mail.example", "session_id": self.visitor,
                "created_at": minutes(0)});
            told.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
            told
        };
        match word {
            Word::Api | Word::ApiSeen => {
                let visitor = matches!(word, Word::ApiSeen).then_some(self.visitor);
                let body = json!({"conversion_type": "sale", "order_id": "#1001", "revenue": 90, "currency": "USD", "email": "ann@mail.example",
                    "timestamp": minutes(1), "session_id": visitor});
                assert!(matches!(self.house.conversion(self.site, body).await.status, 200 | 201));
            }
            Word::Paid => signed_order(self.forms, own(json!({"status": "paid", "modified_at": minutes(2)}))).await,
            Word::Changed => signed_order(self.forms, own(json!({"status": "paid", "total": "80.00", "modified_at": minutes(3)}))).await,
            Word::Cancelled => {
                signed_order(self.forms, own(json!({"status": "cancelled", "total": "80.00", "modified_at": minutes(4)}))).await
            }
            Word::OtherForm => {
                signed_order(
                    self.others,
                    own(json!({"order_id": "shop-1001", "status": "paid", "session_id": null, "modified_at": minutes(2)})),
                )
                .await;
            }
        }
    }
}

/// What the shop's figures say after the words were told in this order.
async fn figures(words: &[Word]) -> Value {
    let receiver = receiver().await;
    let house = House::new();
    let site = house.site("shop.example").await;
    let (forms, others) = (house.connect(&site, "forms", "", &[]).await, house.connect(&site, "forms", "", &[]).await);
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let visitor = house.visit(&site, None, json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring"})).await;
    house.advance_s(DAY_S);
    let began = house.clock.now();
    let minutes = |n: i64| began.plus_ms(n * 60_000 - 600_000).utc();
    let sale = Sale { house: &house, site: &site, forms: &forms, others: &others, visitor: &visitor };
    for word in words {
        house.advance_s(10);
        sale.tell(*word, &minutes).await;
    }
    let all = house.list(&site, "conversions").await;
    let shown = |c: &Value| {
        json!({"kind": c["kind"], "amount": c["amount"], "net": c["net"], "status": c["status"], "match": c["match"]["type"], "credited": c["credited"],
            "reports": c["reports"], "deliveries": c["deliveries"].as_array().map(Vec::len), "happened_at": c["happened_at"]})
    };
    json!({"sales": all.iter().map(shown).collect::<Vec<_>>(), "today": day(&house, &site, &began.utc()[..10]).await})
}

/// Tells the words in many orders; what is looked at must be the same in each.
fn in_any_order(words: &[Word], look: fn(&Value) -> Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let want = look(&runtime.block_on(figures(words)));
    if words.len() <= 4 {
        for order in orders(words) {
            assert_eq!(look(&runtime.block_on(figures(&order))), want, "told in the order {order:?}");
        }
        return;
    }
    let mut runner = TestRunner::new(Config { cases: 16, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&Just(words.to_vec()).prop_shuffle(), |order| {
        prop_assert_eq!(&look(&runtime.block_on(figures(&order))), &want, "told in the order {:?}", order);
        Ok(())
    });
    outcome.unwrap_or_else(|e| panic!("{e}"));
}

/// Every order of a few words.
fn orders(words: &[Word]) -> Vec<Vec<Word>> {
    if words.len() < 2 {
        return vec![words.to_vec()];
    }
    let places = 0..words.len();
    places
        .flat_map(|first| {
            let rest: Vec<Word> = words.iter().enumerate().filter(|(n, _)| *n != first).map(|(_, w)| *w).collect();
            orders(&rest).into_iter().map(move |rest| [vec![words[first]], rest].concat())
        })
        .collect()
}

#[test]
fn the_order_of_arrival_makes_no_difference_to_the_figures() {
    for words in [
        &[Word::Api, Word::Paid][..],
        &[Word::Api, Word::Paid, Word::Changed],
        &[Word::Api, Word::Paid, Word::OtherForm],
        &[Word::Api, Word::Paid, Word::Changed, Word::OtherForm],
        &[Word::ApiSeen, Word::OtherForm],
        &[Word::ApiSeen, Word::Paid, Word::OtherForm],
    ] {
        in_any_order(words, Value::clone);
    }
}

#[test]
fn what_was_cancelled_is_no_money_in_any_order() {
    for words in [&[Word::Paid, Word::Changed, Word::Cancelled][..], &[Word::Api, Word::Paid, Word::Cancelled], &WORDS] {
        in_any_order(words, |figures| figures["today"].clone());
    }
}

#[tokio::test]
async fn the_conversions_api_knows_what_it_was_told() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let body = json!({"conversion_type": "sale", "order_id": "7", "revenue": "12.50", "currency": "USD", "email": "ann@mail.example"});
    let first = house.conversion(&site, body.clone()).await.is(201);
    assert_eq!((&first.json["status"], &first.json["attributed"]), (&json!("success"), &json!(false)));
    let again = house.conversion(&site, body).await.is(200);
    assert_eq!(again.json["conversion_id"], first.json["conversion_id"], "the same order id and type");
    let keyed = |key: &'static str, body: Value| {
        house.post("/api/conversions").token(&site.token).header("idempotency-key", key).json(&body).send()
    };
    let lead = json!({"conversion_type": "lead", "email": "ben@mail.example"});
    let one = keyed("k1", lead.clone()).await.is(201);
    assert_eq!(keyed("k1", lead.clone()).await.is(200).json["conversion_id"], one.json["conversion_id"]);
    let other = keyed("k1", json!({"conversion_type": "lead", "email": "cyd@mail.example"})).await.is(409);
    assert_eq!((&other.json["success"], &other.json["error"]["code"]), (&json!(false), &json!("idempotency_conflict")));
    house.advance_s(49 * 3_600);
    keyed("k1", json!({"conversion_type": "custom", "custom_data": {"event_name": "x"}})).await.is(201);
    // A list: the good ones go, the bad one says why.
    let list = json!([{"conversion_type": "sale", "order_id": "8", "revenue": 1}, {"conversion_type": "sale", "revenue": -1}, {"conversion_type": "gift"}]);
    let told = house.post("/api/conversions").token(&site.token).json(&list).send().await.is(200);
    let states: Vec<Value> = told.json["results"].as_array().into_iter().flatten().map(|r| r["status"].clone()).collect();
    assert_eq!(states, [json!("success"), json!("error"), json!("error")]);
    house.advance_s(1);
    house.post("/api/conversions").token(&site.token).json(&json!([{"revenue": -1}])).send().await.is(422);
    // A word for the source where no visit is known.
    let stated = json!({"conversion_type": "sale", "order_id": "9", "revenue": 5, "source": "Radio"});
    let told = house.conversion(&site, stated).await.is(201);
    assert_eq!(told.json["attributed"], false, "nothing that was seen led to it");
    let receipt = house.receipt(&site, told.json["conversion_id"].as_str().expect("an id")).await;
    assert_eq!((&receipt["why"]["type"], &receipt["conversion"]["credited"][0]["source"]), (&json!("stated"), &json!("radio")));
}

/// An order over a signed connection of its own.
async fn told_by(house: &House, connection: &Connected, body: Value) {
    let body = body.to_string();
    let headers = signed(&connection.secret, house.clock.now().s(), body.as_bytes());
    let call = headers.iter().fold(house.post("/api/webhook/order"), |c, (n, v)| c.header(n, v));
    call.body(body).send().await.is(200);
    house.advance_s(1);
}

#[tokio::test]
async fn orders_of_two_kinds_of_shop_never_become_one() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let (one, other) = (house.connect(&site, "forms", "", &[]).await, house.connect(&site, "forms", "", &[]).await);
    let woo = json!({"id": 5001, "number": "5001", "status": "processing", "currency": "USD", "total": "10.00", "line_items": [],
        "billing": {"email": "ann@mail.example"}});
    let shopify = json!({"id": 9999, "name": "#5001", "order_number": 5001, "financial_status": "paid", "currency": "USD",
        "total_price": "99.00", "line_items": [], "checkout_token": "c", "email": "ben@mail.example"});
    told_by(&house, &one, woo).await;
    told_by(&house, &other, shopify).await;
    for (platform, connection) in [("magento", &one), ("prestashop", &other)] {
        told_by(&house, connection, order("6001", json!({"platform": platform}))).await;
    }
    assert_eq!(house.list(&site, "conversions").await.len(), 4);
    let total: i64 = house.list(&site, "conversions").await.iter().filter_map(|c| c["net"]["minor"].as_i64()).sum();
    assert_eq!(total, 1_000 + 9_900 + 2 * 9_900);
}

#[tokio::test]
async fn a_reversal_leaves_nothing_whoever_told_it_and_in_whatever_currency() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let (one, other) = (house.connect(&site, "forms", "", &[]).await, house.connect(&site, "forms", "", &[]).await);
    let api = |order_id: &str, currency: &str| {
        house.conversion(
            &site,
            json!({"conversion_type": "sale", "order_id": order_id, "revenue": 99, "currency": currency, "email": "ann@mail.example"}),
        )
    };
    // Two say that it ended before anybody says that it was.
    for connection in [&one, &other] {
        told_by(&house, connection, order("1", json!({"status": "cancelled"}))).await;
    }
    api("1", "USD").await.is(201);
    // Another currency than the sale's.
    told_by(&house, &one, order("2", json!({"status": "cancelled", "currency": "AED"}))).await;
    api("2", "USD").await.is(201);
    // The shop itself changes the currency, and refunds in the new one.
    for (status, total, currency) in [("paid", "50.00", "USD"), ("paid", "45.00", "EUR"), ("refunded", "45.00", "EUR")] {
        told_by(&house, &one, order("3", json!({"status": status, "total": total, "currency": currency}))).await;
    }
    for sale in house.list(&site, "conversions").await {
        assert_eq!(sale["net"]["minor"], json!(0), "{sale}");
        assert_ne!(sale["status"], json!("paid"), "{sale}");
        let receipt = house.receipt(&site, sale["id"].as_str().expect("an id")).await;
        for currency in ["USD", "AED", "EUR"] {
            let lines = receipt["entries"].as_array().into_iter().flatten().filter(|e| e["amount"]["currency"] == json!(currency));
            assert_eq!(lines.filter_map(|e| e["amount"]["minor"].as_i64()).sum::<i64>(), 0, "{}", receipt["entries"]);
        }
    }
}

#[tokio::test]
async fn the_better_informed_says_on_which_day_it_was() {
    let tell = async |is_api_first: bool| {
        let house = House::new();
        let site = house.site("shop.example").await;
        let forms = house.connect(&site, "forms", "", &[]).await;
        let at = |days: i64| house.ago(days * DAY_S);
        let api = json!({"conversion_type": "sale", "order_id": "1", "revenue": 80, "currency": "USD", "timestamp": at(6)});
        let own = order("1", json!({"created_at": at(5), "modified_at": at(5)}));
        if is_api_first {
            house.conversion(&site, api.clone()).await.is(201);
        }
        told_by(&house, &forms, own).await;
        if !is_api_first {
            house.conversion(&site, api).await.is(200);
        }
        let (from, to) = (&at(7)[..10], &at(1)[..10]);
        let path = format!("/api/sites/{}/reports/timeseries?from={from}&to={to}", site.slug);
        let mut days = house.get(&path).token(&site.token).send().await.is(200).json["items"].clone();
        // A line and its reversal leave a nought.
        for day in days.as_array_mut().into_iter().flatten() {
            for name in ["net", "sold", "back"] {
                day[name].as_array_mut().expect("sums").retain(|m| m["minor"] != json!(0));
            }
        }
        days
    };
    assert_eq!(tell(true).await, tell(false).await);
}

/// Two forms that know as much tell of one order, a day apart; one of them may say that it was cancelled since.
#[tokio::test]
async fn of_those_who_know_as_much_the_earliest_says_on_which_day_it_was() {
    for is_cancelled in [false, true] {
        let tell = async |is_early_first: bool| {
            let house = House::new();
            let site = house.site("shop.example").await;
            let (one, other) = (house.connect(&site, "forms", "", &[]).await, house.connect(&site, "forms", "", &[]).await);
            let at = |days: i64| house.ago(days * DAY_S);
            let early_at = at(6);
            let early = order("1", json!({"created_at": early_at, "modified_at": early_at}));
            let late = order("1", json!({"created_at": at(5), "modified_at": at(5)}));
            let end = order("1", json!({"created_at": at(5), "modified_at": at(3), "status": "cancelled"}));
            for is_early in [is_early_first, !is_early_first] {
                match is_early {
                    true => told_by(&house, &one, early.clone()).await,
                    false => {
                        told_by(&house, &other, late.clone()).await;
                        if is_cancelled {
                            told_by(&house, &other, end.clone()).await;
                        }
                    }
                }
            }
            let mut days = std::collections::BTreeMap::<String, i64>::new();
            for line in only(&house, &site).await["entries"].as_array().into_iter().flatten() {
                *days.entry(line["book_day"].as_str().unwrap_or_default().to_owned()).or_default() +=
                    line["amount"]["minor"].as_i64().unwrap_or_default();
            }
            days.retain(|_, minor| *minor != 0);
            let at = house.list(&site, "conversions").await[0]["happened_at"].clone();
            (days.into_values().collect::<Vec<_>>(), at.as_str().is_some_and(|at| at[..19] == early_at[..19]))
        };
        let want = if is_cancelled { vec![9_900, -9_900] } else { vec![9_900] };
        assert_eq!(tell(true).await, (want.clone(), true), "{is_cancelled}");
        assert_eq!(tell(false).await, (want, true), "{is_cancelled}");
    }
}

#[tokio::test]
async fn what_holds_after_all_is_told_after_all() {
    let receiver = receiver().await;
    let house = House::new();
    let site = house.site_with("shop.example", |new| new.consent = halotrack::domain::consent::Mode::OptIn).await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let granted = |id: &str, fields: Value| {
        let mut told = order(id, json!({"consent_given": true}));
        told.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
        told
    };
    // Cancelled and paid again before it was told.
    for status in ["paid", "cancelled", "paid"] {
        told_by(&house, &forms, granted("1", json!({"status": status, "modified_at": house.ago(0)}))).await;
    }
    // First told without a word on consent, then by the shop with one.
    let api = |id: &str| json!({"conversion_type": "sale", "order_id": id, "revenue": 99, "currency": "USD", "email": "ben@mail.example"});
    house.conversion(&site, api("2")).await.is(201);
    told_by(&house, &forms, granted("2", json!({"email": "ben@mail.example"}))).await;
    // First told as a sale, then as a test.
    house
        .conversion(&site, json!({"conversion_type": "sale", "order_id": "3", "revenue": 9, "currency": "USD", "consent_given": true}))
        .await
        .is(201);
    told_by(&house, &forms, granted("3", json!({"test": true, "email": "cyd@mail.example"}))).await;
    told_by(&house, &forms, granted("4", json!({"email": "dee@mail.example"}))).await;
    told_by(&house, &forms, granted("4", json!({"email": "dee@mail.example", "status": "refunded"}))).await;
    house.work().await;
    let sent = || {
        let mut names: Vec<String> =
            receiver.seen().iter().filter_map(|s| s.json()["data"]["event_id"].as_str().map(str::to_owned)).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(sent(), "order_1 order_2");
    // No replay sends what is no sale.
    let all = json!({"filter": {"platform": "webhook", "state": ["skipped", "cancelled"]}});
    house.post(&format!("/api/sites/{}/deliveries/replay", site.slug)).token(&site.token).json(&all).send().await;
    house.advance_s(60);
    house.work().await;
    assert_eq!(sent(), "order_1 order_2");
}

#[tokio::test]
async fn a_refusal_counts_in_whatever_telling_it_comes() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let (forms, receiver) = (house.connect(&site, "forms", "", &[]).await, receiver().await);
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let at = |minutes: i64| house.ago(minutes * 60);
    let of = |id: &str, fields: Value| {
        let mut told = order(id, json!({"email": format!("p{id}@mail.example")}));
        told.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
        told
    };
    // In an older telling of the same order.
    told_by(&house, &forms, of("1", json!({"modified_at": at(10)}))).await;
    told_by(&house, &forms, of("1", json!({"modified_at": at(20), "consent_given": false}))).await;
    // In a telling that is not paid yet, of a sale that others know.
    house.conversion(&site, json!({"conversion_type": "sale", "order_id": "2", "revenue": 99, "currency": "USD"})).await.is(201);
    told_by(&house, &forms, json!({"order_id": "2", "total": "99.00", "currency": "USD", "status": "pending", "consent_given": false}))
        .await;
    // For what the person did before, and for what comes after.
    told_by(&house, &forms, of("3", json!({}))).await;
    told_by(&house, &forms, of("4", json!({"email": "p3@mail.example", "consent_given": false}))).await;
    told_by(&house, &forms, of("5", json!({"email": "p3@mail.example"}))).await;
    for delivery in house.deliveries(&site).await {
        assert_eq!(delivery["reason"], json!("consent"), "{delivery}");
    }
    assert_eq!(house.deliveries(&site).await.len(), 5);
    // A later yes of the same person counts again.
    told_by(&house, &forms, of("6", json!({"email": "p3@mail.example", "consent_given": true}))).await;
    told_by(&house, &forms, of("7", json!({"email": "p3@mail.example"}))).await;
    let waiting = house.deliveries(&site).await.iter().filter(|d| d["state"] == json!("pending")).count();
    assert_eq!(waiting, 2);
}

#[tokio::test]
async fn what_one_of_two_contacts_refused_holds_at_once_for_both_when_they_are_one() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", "http://127.0.0.1:9/")]).await;
    let phone = "+14155552671";
    // Known by phone, and by a browser that said yes and then no.
    let browser = house.visit(&site, None, json!({"consent": "granted"})).await;
    house.lead(&site, json!({"lead_id": "L-1", "phone": phone, "session_id": browser})).await.is(200);
    house.advance_s(60);
    house.order(&site, order("1", json!({}))).await.is(200);
    house.order(&site, order("2", json!({"email": "bo@mail.example"}))).await.is(200);
    house.touch(&site, Some(&browser), json!({"consent": "denied"})).await.is(200);
    house.advance_s(60);
    let state = async |label: &str| {
        house.advance_s(1);
        let all = house.list(&site, "deliveries").await;
        let found = all.iter().find(|d| d["label"] == json!(label) || d["event_id"] == json!(label)).cloned().expect("a row");
        (found["state"].clone(), found["reason"].clone())
    };
    assert_eq!(state("order_1").await, (json!("pending"), Value::Null), "nobody knows yet that it is the same person");
    house.order(&site, order("3", json!({"phone": phone}))).await.is(200);
    assert_eq!(state("order_1").await, (json!("cancelled"), json!("consent")), "not only when it would be sent");
    assert_eq!(state("order_3").await.1, json!("consent"));
    assert_eq!(state("order_2").await, (json!("pending"), Value::Null), "somebody else's");
}

#[tokio::test]
async fn an_older_telling_may_bring_the_visit_or_the_payment() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let visitor = house.visit(&site, None, json!({"utm_source": "google", "utm_campaign": "spring"})).await;
    house.advance_s(3_600);
    let at = |minutes: i64| house.ago(minutes * 60);
    told_by(&house, &forms, order("1", json!({"email": "x@mail.example", "modified_at": at(10), "created_at": at(30)}))).await;
    let older = json!({"email": "x@mail.example", "modified_at": at(20), "created_at": at(30), "session_id": visitor});
    told_by(&house, &forms, order("1", older)).await;
    let receipt = only(&house, &site).await;
    assert_eq!(receipt["conversion"]["match"]["type"], json!("session"));
    // Cancelled is heard before paid: there was a sale, and nothing is left of it.
    told_by(&house, &forms, order("2", json!({"status": "cancelled", "modified_at": at(1), "created_at": at(30)}))).await;
    told_by(&house, &forms, order("2", json!({"status": "paid", "modified_at": at(5), "created_at": at(30)}))).await;
    let all = house.list(&site, "conversions").await;
    let second = all.iter().find(|c| c["label"] == json!("Order 2")).expect("a sale");
    assert_eq!((&second["status"], &second["net"]["minor"]), (&json!("cancelled"), &json!(0)));
}

#[tokio::test]
async fn an_average_order_is_what_is_left_by_all_orders_of_the_sites_currency() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for (id, total, currency, status) in
        [("1", "100.00", "USD", "paid"), ("2", "50.00", "EUR", "paid"), ("3", "60.00", "USD", "paid"), ("3", "60.00", "USD", "cancelled")]
    {
        house.order(&site, order(id, json!({"total": total, "currency": currency, "status": status}))).await.is(200);
        house.advance_s(1);
    }
    let page = house.get(&format!("/api/sites/{}/reports/overview", site.slug)).token(&site.token).send().await.is(200);
    assert_eq!(
        page.json["average_order"]["minor"].as_f64().map(|m| (m, page.json["orders"].as_i64())),
        Some((5_000.0, Some(3))),
        "{}",
        page.text
    );
}
