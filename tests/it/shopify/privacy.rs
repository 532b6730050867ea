//! The three privacy topics: a customer who is to be forgotten is, what only the owner can do is shown to the owner.

use serde_json::json;

use super::shop::{SHOP, order};
use super::{MINUTE_S, open, word};

#[tokio::test]
async fn a_customer_whom_shopify_redacts_is_erased() {
    let (shop, house, site, connected) = open().await;
    let mut bought = order(5_030_000_003_001, "30.00", &house.ago(MINUTE_S));
    bought["email"] = json!("vera.lind@mail.example");
    shop.send(&house, &connected.hook, "orders/create", &bought).await.is(200);
    let wish = json!({"shop_id": 70_912_345, "shop_domain": SHOP, "customer": {"id": 1, "email": "Vera.Lind@mail.example", "phone": null},
        "orders_to_redact": [5_030_000_003_001_u64]});
    shop.send(&house, &connected.hook, "customers/redact", &wish).await.is(200);
    let erasures = house.list(&site, "erasures").await;
    assert_eq!((erasures.len(), word(&erasures[0]["who"])), (1, "shopify"), "{erasures:#?}");
    let seen = serde_json::to_string(&(house.list(&site, "conversions").await, house.list(&site, "inbox").await)).expect("text");
    assert!(!seen.contains("vera.lind") && seen.contains("3000"), "the sale stays, the person does not: {seen}");
    // The shop's list does not bring the person back.
    shop.send(&house, &connected.hook, "orders/updated", &bought).await.is(200);
    let seen = serde_json::to_string(&(house.list(&site, "conversions").await, house.list(&site, "inbox").await)).expect("text");
    assert!(!seen.contains("vera.lind"), "{seen}");
}

/// Shopify may name nobody but the customer's number and orders.
#[tokio::test]
async fn a_customer_who_is_named_by_their_orders_is_erased_with_all_of_them() {
    let (shop, house, site, connected) = open().await;
    for (n, buyer) in ["vera.lind@mail.example", "vera.at.work@mail.example", "stays@mail.example"].into_iter().enumerate() {
        let mut bought = order(5_030_000_003_001 + n as u64, "30.00", &house.ago(MINUTE_S));
        bought["email"] = json!(buyer);
        bought["customer"] = json!({"id": 900 + n, "email": buyer});
        shop.send(&house, &connected.hook, "orders/create", &bought).await.is(200);
    }
    let wish = json!({"shop_id": 70_912_345, "shop_domain": SHOP, "customer": {"id": 900, "email": null, "phone": null},
        "orders_to_redact": [4_999_u64, 5_030_000_003_001_u64, 5_030_000_003_002_u64]});
    shop.send(&house, &connected.hook, "customers/redact", &wish).await.is(200);
    let erasures = house.list(&site, "erasures").await;
    assert_eq!((erasures.len(), word(&erasures[0]["by"])), (1, "order"), "{erasures:#?}");
    let mut known: Vec<String> =
        house.sql(&site, "select email from orders").iter().filter_map(|r| r["email"].as_str().map(str::to_owned)).collect();
    known.sort();
    assert_eq!(known, ["stays@mail.example"]);
    assert_eq!(house.list(&site, "conversions").await.len(), 3, "the sales stay");
    // Beside an address, what was bought under another one goes too.
    let mut bought = order(5_030_000_003_009, "30.00", &house.ago(MINUTE_S));
    bought["email"] = json!("guest@mail.example");
    shop.send(&house, &connected.hook, "orders/create", &bought).await.is(200);
    let wish = json!({"shop_id": 70_912_345, "shop_domain": SHOP, "customer": {"id": 900, "email": "nobody@mail.example", "phone": null},
        "orders_to_redact": [5_030_000_003_009_u64]});
    shop.send(&house, &connected.hook, "customers/redact", &wish).await.is(200);
    assert_eq!(house.sql(&site, "select email from orders where email is not null").len(), 1);
    // Of orders that never came there is nothing to forget, and no certificate.
    let wish = json!({"shop_id": 70_912_345, "shop_domain": SHOP, "customer": {"id": 77}, "orders_to_redact": [1]});
    shop.send(&house, &connected.hook, "customers/redact", &wish).await.is(200);
    assert_eq!(house.list(&site, "erasures").await.len(), 2);
}

#[tokio::test]
async fn what_only_the_owner_can_do_is_shown() {
    let (shop, house, site, connected) = open().await;
    let asks = json!({"shop_id": 70_912_345, "shop_domain": SHOP, "orders_requested": [1], "data_request": {"id": 9},
        "customer": {"id": 1, "email": "vera.lind@mail.example", "phone": null}});
    let leaves = json!({"shop_id": 70_912_345, "shop_domain": SHOP});
    for (topic, body, want) in
        [("customers/data_request", asks, "export what is there"), ("shop/redact", leaves, "delete what came from this shop")]
    {
        shop.send(&house, &connected.hook, topic, &body).await.is(200);
        let shown = serde_json::to_string(&house.list(&site, "inbox").await).expect("text");
        assert!(shown.contains(want), "{topic}: {shown}");
    }
    assert!(house.list(&site, "erasures").await.is_empty(), "neither erases by itself");
}
