//! Whoever was erased is listed again by a platform whose lists are read: the same order, changed since; the same appointment, whose
//! guest has come; the same file of history. None brings them back. What they do later is somebody new.

use std::sync::{Arc, Mutex};

use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{ANN, BO};
use crate::house::{House, SiteAt};
use crate::imports::bring;
use crate::stand_in::{Answer as Says, StandIn};
use crate::woo_shop::WooShop;

const DAY_S: i64 = 86_400;

impl House {
    /// Everybody whom the site knows, by address.
    fn addresses_known(&self) -> Vec<String> {
        let db = Connection::open(self.data().join(FILE)).expect("the file");
        let mut all = db.prepare("select email from contacts where email is not null order by email").expect("a question");
        let found = all.query_map([], |row| row.get(0)).expect("rows");
        found.collect::<rusqlite::Result<_>>().expect("addresses")
    }

    async fn all_sales(&self, site: &SiteAt) -> (usize, i64) {
        let sales: Vec<Value> = self.list(site, "conversions").await.into_iter().filter(|c| c["kind"] == "sale").collect();
        (sales.len(), sales.iter().map(|c| c["net"]["minor"].as_i64().unwrap_or_default()).sum())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_lists_them_again_does_not_bring_them_back() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let connected = house.woo(&site, &shop).await;
    let buyer =
        |email: &str| json!({"billing": {"first_name": "Ann", "last_name": "Lee", "email": email, "country": "AE"}, "customer_id": 77});
    let first = shop.books().place(house.clock.now(), "20.00", buyer(ANN));
    shop.books().place(house.clock.now(), "5.00", json!({"billing": {"email": BO, "country": "AE"}}));
    house.advance_s(7_200);
    house.pull().await;
    assert_eq!(house.emails(&site).len(), 2, "both were read");
    let before = house.all_sales(&site).await;
    house.erase(&site, json!({"email": ANN})).await.is(201);
    assert_eq!(house.emails(&site), [BO]);

    // The shop changes the order, so that the next reading lists it; then a hook tells of it, twice; then all is read anew.
    house.advance_s(600);
    shop.books().edit(first, house.clock.now(), json!({"status": "completed"}));
    house.advance_s(7_200);
    house.pull().await;
    for _ in 0..2 {
        house.told(&connected, &shop, "order.updated", first).await.is(200);
    }
    let again = format!("/api/sites/{}/connections/{}/check", site.slug, connected.id);
    house.post(&again).token(&site.token).json(&json!({})).send().await.is(200);
    house.advance_s(DAY_S);
    house.pull().await;
    let history = format!("order_id,total,currency,at,email\n{first},20.00,USD,{},{ANN}\n", house.ago(2 * DAY_S));
    bring(&house, &site, "orders", &history).await;
    assert_eq!(house.emails(&site), [BO], "listed, told and brought in again, they are nobody still");
    assert_eq!(house.addresses_known(), [BO]);
    assert_eq!(house.all_sales(&site).await, before, "and the sale is counted as it was");

    // Next week they buy again: somebody new, with one order.
    house.advance_s(7 * DAY_S);
    shop.books().place(house.clock.now(), "30.00", buyer(ANN));
    house.advance_s(7_200);
    house.pull().await;
    let (sales, net) = house.all_sales(&site).await;
    assert_eq!((sales, net), (before.0 + 1, before.1 + 3_000));
    assert_eq!(house.addresses_known(), [ANN, BO]);
    let mut bought = house.emails(&site);
    bought.sort();
    assert_eq!(
        (bought, house.list(&site, "orders").await.len()),
        (vec![ANN.to_owned(), BO.to_owned()], 3),
        "the older one stays of nobody"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_that_lists_their_appointment_again_does_not_either() {
    let rows: Arc<Mutex<Vec<Value>>> = Arc::default();
    let shared = rows.clone();
    let stand_in = StandIn::start(move |seen, _| {
        let path = seen.target.split('?').next().unwrap_or_default().trim_start_matches("/index.php/api/v1/").to_owned();
        match path.as_str() {
            "settings/default_timezone" => Says::json(200, json!({"name": "default_timezone", "value": "UTC"})),
            "providers" => Says::json(200, json!([{"id": 2, "timezone": "UTC"}])),
            "providers/2" => Says::json(200, json!({"id": 2, "timezone": "UTC"})),
            "customers/7" => Says::json(200, json!({"id": 7, "email": ANN})),
            "webhooks" if seen.method == "GET" => Says::json(200, json!([])),
            "webhooks" => Says::json(201, json!({"id": 3})),
            "appointments" => Says::json(200, json!(*shared.lock().expect("the installation"))),
            _ => Says::text(404, ""),
        }
    })
    .await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "easyappointments", "", &[("url", &stand_in.url()), ("token", "t")]).await;
    let wall = |ago: i64| house.ago(ago).replace('T', " ").replace('Z', "");
    let book = |id: u64, status: &str| {
        json!({"id": id, "book": wall(60), "start": wall(-2 * DAY_S), "end": wall(-2 * DAY_S - 3_600), "status": status, "providerId": 2,
            "customerId": 7, "customer": {"id": "7", "email": ANN, "first_name": "Ann"}, "service": {"name": "Fitting"}})
    };
    let set = |row: Value| {
        let mut rows = rows.lock().expect("the installation");
        rows.retain(|known| known["id"] != row["id"]);
        rows.push(row);
    };
    let steps = || house.sql(&site, "select email, event_type from funnel_events order by id");
    let first = book(1, "Booked");
    set(first.clone());
    house.advance_s(DAY_S);
    house.pull().await;
    assert_eq!(house.addresses_known(), [ANN]);
    assert!(steps().iter().any(|s| s["email"] == ANN));
    house.erase(&site, json!({"email": ANN})).await.is(201);
    let left = steps();
    assert!(left.iter().all(|s| s["email"].is_null()), "{left:#?}");

    // Listed every day, then as one whose guest has come, then as cancelled after all.
    for status in ["Booked", "Completed", "Cancelled"] {
        let mut row = first.clone();
        row["status"] = json!(status);
        set(row);
        house.advance_s(DAY_S);
        house.pull().await;
        assert_eq!(house.addresses_known(), Vec::<String>::new(), "{status}");
        assert!(steps().iter().all(|s| s["email"].is_null()), "{status}: {:#?}", steps());
    }
    // Next week they book again.
    house.advance_s(7 * DAY_S);
    set(book(2, "Booked"));
    house.advance_s(DAY_S);
    house.pull().await;
    assert_eq!(house.addresses_known(), [ANN]);
    assert_eq!(steps().iter().filter(|s| s["email"] == ANN).count(), 1, "{:#?}", steps());
}
