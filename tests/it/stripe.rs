//! Stripe, from the key to the refund: an account on loopback that behaves like the real one, and the product beside it.

pub mod account;

use halotrack::flows::connections::{self, NewConnectionForm};
use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::story::Connected;
use account::{Account, KEY, charge, checkout, dispute, event, refund, send_under};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;
const EMAIL: &str = "orla.byrne@mail.example";

/// An account that is connected, its endpoint in place and its history read.
async fn open() -> (Account, House, SiteAt, Connected) {
    let account = Account::open().await;
    let house = account.house();
    let site = house.site("harrow.example").await;
    let connected = account.connect(&house, &site).await;
    read(&house).await;
    (account, house, site, connected)
}

/// Whatever is due at the platform's door now.
async fn read(house: &House) {
    puller::drain(&house.app).await.expect("what is due is read");
}

async fn card(house: &House, site: &SiteAt) -> Value {
    house.list(site, "connections").await.into_iter().find(|c| c["platform"] == "stripe").expect("the connection is listed")
}

/// Name, net and match of each sale that counts.
async fn sales(house: &House, site: &SiteAt) -> Vec<(String, i64)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = house.list(site, "conversions").await;
    let mut sales: Vec<(String, i64)> = all.iter().map(|c| (word(&c["label"]), c["net"]["minor"].as_i64().unwrap_or_default())).collect();
    sales.sort();
    sales
}

fn sale(label: &str, minor: i64) -> Vec<(String, i64)> {
    vec![(label.to_owned(), minor)]
}

async fn shop_order(house: &House, site: &SiteAt, number: &str, total: &str) {
    let order = json!({
        "order_id": number, "total": total, "currency": "USD", "email": EMAIL, "status": "paid", "created_at": house.ago(0)
    });
    house.order(site, order).await.is(200);
}

#[tokio::test]
async fn a_key_is_all_that_the_owner_enters() {
    let account = Account::open().await;
    let house = account.house();
    let site = house.site("harrow.example").await;
    let mut old = charge(&house, 7, 4_000, EMAIL);
    old["created"] = json!(house.clock.now().s() - 20 * DAY_S);
    account.keep("charges", &old);
    let connected = account.connect(&house, &site).await;
    read(&house).await;
    let url = format!("{}{}", house.app.config.public_url, connected.hook);
    {
        let inside = account.inside();
        assert_eq!(inside.endpoints.len(), 1);
        assert_eq!(inside.endpoints[0]["url"], url);
        assert_eq!(inside.endpoints[0]["api_version"], "2025-02-24.acacia");
    }
    assert_eq!(sales(&house, &site).await, sale("Payment pi_7", 4_000), "what was paid before is there");
    let shown = card(&house, &site).await;
    assert_eq!((&shown["status"], shown["webhooks"].as_array().map(Vec::len)), (&json!("ok"), Some(1)), "{shown:#}");
    for secret in [KEY, "whsec_of_endpoint_1"] {
        assert!(!shown.to_string().contains(secret));
    }
    // The secret that Stripe told once is kept: an event under it is believed.
    let paid = event(&house, "evt_1", "checkout.session.completed", &checkout(&house, 1, 1_999, EMAIL));
    assert_eq!(account.send(&house, &connected, &paid).await.is(200).json["status"], "accepted");
    house.advance_s(HOUR_S);
    read(&house).await;
    assert_eq!(account.inside().endpoints.len(), 1, "a second look adds none");
}

#[tokio::test]
async fn one_payment_told_by_several_events_is_one() {
    // Whichever comes first, and however often.
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2]] {
        let (account, house, site, connected) = open().await;
        let session = house.visit(&site, None, json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "june"})).await;
        house.advance_s(60);
        let mut paid = checkout(&house, 1, 14_250, EMAIL);
        paid["client_reference_id"] = json!(session);
        paid["metadata"] = json!({"order_id": "10574"});
        let mut money = charge(&house, 1, 14_250, EMAIL);
        account.keep("checkout/sessions", &paid);
        account.keep("charges", &money);
        money["metadata"] = json!({});
        let intent = json!({"id": "pi_1", "object": "payment_intent", "latest_charge": "ch_1", "livemode": true});
        let events = [
            event(&house, "evt_1", "checkout.session.completed", &paid),
            event(&house, "evt_2", "charge.succeeded", &money),
            event(&house, "evt_3", "payment_intent.succeeded", &intent),
            event(&house, "evt_1", "checkout.session.completed", &paid),
        ];
        for place in order {
            account.send(&house, &connected, &events[place]).await.is(200);
            read(&house).await;
        }
        assert_eq!(sales(&house, &site).await, sale("Order 10574", 14_250), "{order:?}");
        let told = &house.list(&site, "conversions").await[0];
        assert_eq!((&told["match"]["type"], &told["credited"][0]["source"]), (&json!("session"), &json!("google")), "{order:?} {told:#}");
        let shown = card(&house, &site).await;
        assert_eq!(shown["missed"]["count"].as_i64().unwrap_or_default(), 0, "what an event named was not missed: {shown:#}");
        let again = account.send(&house, &connected, &events[0]).await.is(200);
        assert_eq!(again.json["status"], "duplicate", "{order:?}");
    }
}

#[tokio::test]
async fn a_payment_joins_the_order_that_it_paid() {
    // By the order's number, or by person, amount and half an hour; the order of arrival makes no difference.
    for is_named in [true, false] {
        for is_payment_first in [true, false] {
            let (account, house, site, connected) = open().await;
            let mut paid = checkout(&house, 1, 8_690, EMAIL);
            if is_named {
                paid["metadata"] = json!({"order_id": "10574"});
                paid["customer_details"] = json!({"email": "another@mail.example"});
            }
            let told = event(&house, "evt_1", "checkout.session.completed", &paid);
            if is_payment_first {
                account.send(&house, &connected, &told).await.is(200);
                shop_order(&house, &site, "10574", "86.90").await;
            } else {
                shop_order(&house, &site, "10574", "86.90").await;
                account.send(&house, &connected, &told).await.is(200);
            }
            let all = house.list(&site, "conversions").await;
            assert_eq!(all.len(), 1, "{is_named} {is_payment_first} {all:#?}");
            assert_eq!(all[0]["net"]["minor"], 8_690);
            let listed = house.list(&site, "orders").await;
            assert_eq!(listed.len(), 1, "the payment is no second order: {listed:#?}");
        }
    }
}

#[tokio::test]
async fn two_payments_are_two_sales() {
    let (account, house, site, connected) = open().await;
    for (n, minor) in [(1, 1_000), (2, 1_000)] {
        let paid = event(&house, &format!("evt_{n}"), "checkout.session.completed", &checkout(&house, n, minor, EMAIL));
        account.send(&house, &connected, &paid).await.is(200);
    }
    assert_eq!(sales(&house, &site).await.len(), 2);
    shop_order(&house, &site, "55", "10.00").await;
    assert_eq!(sales(&house, &site).await.len(), 3, "more than one could be meant");
}

/// Something for 100.00, with a checkout; gives the charge.
async fn paid(account: &Account, house: &House, connected: &Connected) -> Value {
    let (paid, money) = (checkout(house, 1, 10_000, EMAIL), charge(house, 1, 10_000, EMAIL));
    account.keep("checkout/sessions", &paid);
    account.keep("charges", &money);
    account.send(house, connected, &event(house, "evt_1", "checkout.session.completed", &paid)).await.is(200);
    money
}

#[tokio::test]
async fn what_went_back_comes_off_once() {
    let (account, house, site, connected) = open().await;
    let mut money = paid(&account, &house, &connected).await;
    house.advance_s(DAY_S);
    let part = refund(&house, 1, "re_1", 2_500, "pending");
    money["refunds"]["data"] = json!([part]);
    money["amount_refunded"] = json!(2_500);
    account.keep("charges", &money);
    for (id, kind, object) in [("evt_2", "refund.created", &part), ("evt_3", "charge.refunded", &money), ("evt_2", "refund.created", &part)]
    {
        account.send(&house, &connected, &event(&house, id, kind, object)).await.is(200);
        read(&house).await;
    }
    assert_eq!(sales(&house, &site).await, sale("Payment pi_1", 7_500));
    // The buyer's bank gave it back: it is a refund no more.
    let failed = refund(&house, 1, "re_1", 2_500, "failed");
    house.advance_s(DAY_S);
    money["refunds"]["data"] = json!([failed]);
    account.keep("charges", &money);
    account.send(&house, &connected, &event(&house, "evt_4", "refund.updated", &failed)).await.is(200);
    read(&house).await;
    assert_eq!(sales(&house, &site).await, sale("Payment pi_1", 10_000));
    // All of it.
    let rest = refund(&house, 1, "re_2", 10_000, "succeeded");
    account.send(&house, &connected, &event(&house, "evt_5", "refund.created", &rest)).await.is(200);
    let all = house.list(&site, "conversions").await;
    assert_eq!((all[0]["net"]["minor"].as_i64(), &all[0]["status"]), (Some(0), &json!("refunded")), "{all:#?}");
}

#[tokio::test]
async fn a_dispute_takes_the_money_and_gives_it_again_when_it_is_won() {
    let (account, house, site, connected) = open().await;
    let mut money = paid(&account, &house, &connected).await;
    let part = refund(&house, 1, "re_1", 2_500, "succeeded");
    (money["refunds"]["data"], money["amount_refunded"]) = (json!([part]), json!(2_500));
    account.keep("charges", &money);
    account.send(&house, &connected, &event(&house, "evt_2", "refund.created", &part)).await.is(200);
    let mut tell = 2;
    // The bank only asks; then it takes; a refund is read meanwhile; the dispute is won.
    for (status, kind, net) in [
        ("warning_needs_response", "created", 7_500),
        ("needs_response", "created", 0),
        ("under_review", "funds_withdrawn", 0),
        ("won", "closed", 7_500),
        ("won", "funds_reinstated", 7_500),
        // A newer state is never moved back by an older event.
        ("won", "created", 7_500),
    ] {
        house.advance_s(DAY_S);
        money["disputed"] = json!(true);
        account.keep("charges", &money);
        let mut told = dispute(&house, 1, 7_500, status);
        told["created"] = json!(house.clock.now().s() - 60);
        account.keep("disputes", &told);
        if kind == "created" {
            told["status"] = json!("needs_response");
        }
        tell += 1;
        account.send(&house, &connected, &event(&house, &format!("evt_{tell}"), &format!("charge.dispute.{kind}"), &told)).await.is(200);
        read(&house).await;
        assert_eq!(sales(&house, &site).await, sale("Payment pi_1", net), "{status} {kind}");
        // Whatever else is told of the charge leaves it as it stands.
        tell += 1;
        account.send(&house, &connected, &event(&house, &format!("evt_{tell}"), "charge.refunded", &money)).await.is(200);
        read(&house).await;
        assert_eq!(sales(&house, &site).await, sale("Payment pi_1", net), "{status} {kind}, read again");
    }
    assert_eq!(house.list(&site, "conversions").await[0]["status"], "paid");
}

#[tokio::test]
async fn a_key_that_may_not_read_disputes_loses_no_payment() {
    let (account, house, site, connected) = open().await;
    account.inside().closed.push(("GET", "/v1/disputes"));
    let mut money = charge(&house, 1, 10_000, EMAIL);
    money["disputed"] = json!(true);
    account.keep("charges", &money);
    account.send(&house, &connected, &event(&house, "evt_1", "charge.succeeded", &money)).await.is(200);
    read(&house).await;
    assert_eq!(sales(&house, &site).await, sale("Payment pi_1", 10_000));
    let shown = card(&house, &site).await;
    assert_eq!(shown["status"], "ok", "{shown:#}");
}

#[tokio::test]
async fn a_subscription_is_credited_to_the_visit_of_its_checkout_and_renewals_count() {
    let (account, house, site, connected) = open().await;
    let session = house.visit(&site, None, json!({"utm_source": "podcast", "utm_medium": "audio"})).await;
    house.advance_s(60);
    let mut begun = checkout(&house, 1, 2_900, EMAIL);
    begun["mode"] = json!("subscription");
    begun["payment_intent"] = Value::Null;
    (begun["invoice"], begun["subscription"], begun["client_reference_id"]) = (json!("in_1"), json!("sub_1"), json!(session));
    account.keep("checkout/sessions", &begun);
    let invoice = |id: &str, charge: &str, reason: &str| {
        json!({"id": id, "object": "invoice", "charge": charge, "billing_reason": reason, "subscription": "sub_1", "amount_paid": 2_900,
               "currency": "usd", "customer_email": EMAIL, "created": 1, "livemode": true})
    };
    let first = invoice("in_1", "ch_1", "subscription_create");
    account.keep("invoices", &first);
    let mut money = charge(&house, 1, 2_900, EMAIL);
    money["invoice"] = first.clone();
    account.keep("charges", &money);
    for (id, kind, object) in
        [("evt_1", "checkout.session.completed", &begun), ("evt_2", "invoice.paid", &first), ("evt_3", "charge.succeeded", &money)]
    {
        account.send(&house, &connected, &event(&house, id, kind, object)).await.is(200);
        read(&house).await;
    }
    assert_eq!(sales(&house, &site).await, sale("Payment pi_1", 2_900), "one payment, told three times");
    assert_eq!(house.list(&site, "conversions").await[0]["credited"][0]["source"], "podcast");
    house.advance_s(30 * DAY_S);
    let renewed = invoice("in_2", "ch_2", "subscription_cycle");
    account.keep("invoices", &renewed);
    let mut money = charge(&house, 2, 2_900, EMAIL);
    money["invoice"] = renewed.clone();
    account.keep("charges", &money);
    account.send(&house, &connected, &event(&house, "evt_9", "invoice.paid", &renewed)).await.is(200);
    read(&house).await;
    assert_eq!(sales(&house, &site).await.len(), 2, "a renewal is a sale of its own");
}

#[tokio::test]
async fn what_is_forged_old_or_strange_changes_nothing() {
    let (account, house, site, connected) = open().await;
    let paid = event(&house, "evt_1", "checkout.session.completed", &checkout(&house, 1, 1_999, EMAIL));
    let forged = send_under(&house, &connected, &paid, "whsec_guessed").await.is(401);
    assert_eq!(forged.code(), "bad_signature");
    house.post(&connected.hook).body(paid.to_string()).send().await.is(401);
    let (body, at) = (paid.to_string(), (house.clock.now().s() - 301).to_string());
    let sign =
        halotrack::crypto::hex(&halotrack::crypto::hmac_sha256(account.secret().as_bytes(), &[at.as_bytes(), b".", body.as_bytes()]));
    house.post(&connected.hook).header("stripe-signature", &format!("t={at},v1={sign}")).body(body).send().await.is(401);
    // Of no account, and not to be understood.
    let other = account.send(&house, &connected, &event(&house, "evt_2", "customer.created", &json!({"id": "cus_1"}))).await.is(200);
    assert_eq!(other.text, "ignored");
    let mut strange = checkout(&house, 3, 500, EMAIL);
    strange["currency"] = json!("qqq");
    let kept = account.send(&house, &connected, &event(&house, "evt_3", "checkout.session.completed", &strange)).await.is(200);
    assert_eq!(kept.json["status"], "quarantined");
    let mut unpaid = checkout(&house, 4, 500, EMAIL);
    unpaid["payment_status"] = json!("unpaid");
    account.send(&house, &connected, &event(&house, "evt_4", "checkout.session.completed", &unpaid)).await.is(200);
    assert_eq!(sales(&house, &site).await, [], "nothing was sold");
}

#[tokio::test]
async fn test_mode_is_kept_and_not_counted() {
    let (account, house, site, connected) = open().await;
    let mut paid = checkout(&house, 1, 1_999, EMAIL);
    paid["livemode"] = json!(false);
    account.send(&house, &connected, &event(&house, "evt_1", "checkout.session.completed", &paid)).await.is(200);
    let all = house.list(&site, "conversions").await;
    assert!(all.iter().all(|c| c["is_test"] == json!(true)), "{all:#?}");
    let figures = house.sql(&site, "select order_count from revenue_by_platform");
    assert!(figures.is_empty(), "{figures:#?}");
    let orders = house.list(&site, "orders").await;
    assert_eq!(orders.len(), 1, "{orders:#?}");
    assert_eq!(orders[0]["is_test"], true, "{orders:#?}");
}

#[tokio::test]
async fn payments_that_no_event_told_are_found_in_the_list_of_events() {
    let (account, house, site, _) = open().await;
    for n in 1..=5 {
        house.advance_s(60);
        let paid = checkout(&house, n, 1_000 * i64::from(n), &format!("buyer{n}@mail.example"));
        account.keep("events", &event(&house, &format!("evt_{n}"), "checkout.session.completed", &paid));
    }
    house.advance_s(HOUR_S);
    account.inside().moods.push((429, json!({"error": {"message": "Too many requests"}})));
    read(&house).await;
    house.advance_s(60);
    read(&house).await;
    let found = sales(&house, &site).await;
    assert_eq!(found.len(), 5, "page by page, past a refusal: {found:?}");
    house.advance_s(HOUR_S);
    read(&house).await;
    assert_eq!(sales(&house, &site).await, found, "what comes twice counts once");
}

#[tokio::test]
async fn an_endpoint_that_was_switched_off_or_removed_is_put_back() {
    let (account, house, site, connected) = open().await;
    account.inside().endpoints[0]["status"] = json!("disabled");
    house.advance_s(HOUR_S + 1);
    read(&house).await;
    assert_eq!(account.inside().endpoints[0]["status"], "enabled");
    let told = card(&house, &site).await.to_string();
    assert!(told.contains("had switched off the webhook for payments"), "{told}");
    let before = account.secret();
    account.inside().endpoints.clear();
    house.advance_s(HOUR_S + 1);
    read(&house).await;
    assert_eq!(account.inside().endpoints.len(), 1, "made anew");
    assert_ne!(account.secret(), before);
    // What was on its way under the older secret is believed as well.
    for (n, secret) in [(1, before), (2, account.secret())] {
        let paid = event(&house, &format!("evt_{n}"), "checkout.session.completed", &checkout(&house, n, 1_000, EMAIL));
        send_under(&house, &connected, &paid, &secret).await.is(200);
    }
    connections::remove(&house.app, Some(site.id), connected.id.parse().expect("an id"), "test").await.expect("it is removed");
    assert!(account.inside().endpoints.is_empty(), "taken out of the account");
}

#[tokio::test]
async fn a_key_that_may_too_little_is_said_in_a_sentence() {
    let form = |key: &str| NewConnectionForm {
        platform: "stripe".into(),
        settings: [("api_key".to_owned(), key.to_owned())].into(),
        ..NewConnectionForm::default()
    };
    let account = Account::open().await;
    let house = account.house();
    let site = house.site("harrow.example").await;
    for (key, want) in [("pk_live_x", "publishable"), ("sneaky", "begins with rk_"), ("rk_live_wrong", "refuses the key")] {
        let refusal = connections::add(&house.app, site.id, &form(key), "test").await.err().expect("a refusal");
        assert!(refusal.message.contains(want), "{key}: {}", refusal.message);
    }
    account.inside().closed.push(("GET", "invoices"));
    let refusal = connections::add(&house.app, site.id, &form(KEY), "test").await.err().expect("a refusal");
    assert!(refusal.message.contains("may not read invoices"), "{}", refusal.message);
    // Without the right to write endpoints payments are read, and the card says so.
    account.inside().closed = vec![("POST", "webhook_endpoints")];
    connections::add(&house.app, site.id, &form(KEY), "test").await.expect("a connection");
    account.keep("charges", &charge(&house, 1, 1_999, EMAIL));
    read(&house).await;
    assert_eq!(sales(&house, &site).await, sale("Payment pi_1", 1_999));
    let told = card(&house, &site).await.to_string();
    assert!(told.contains("payments are read every hour"), "{told}");
    // A key that is rolled later pauses the connection.
    account.inside().moods.push((401, json!({"error": {"message": "Expired API Key provided"}})));
    house.advance_s(HOUR_S + 1);
    read(&house).await;
    let told = card(&house, &site).await;
    assert_eq!(told["status"], "paused", "{told:#}");
}
