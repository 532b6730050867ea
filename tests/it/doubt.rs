//! Sales and leads that look alike, and it makes no difference who was heard first: a report of a sale that may belong to two
//! belongs to none of them; leads are as many as the busiest sender has told.

use halotrack::domain::time::Time;
use serde_json::{Value, json};

use crate::house::{House, NOW_S, SiteAt};
use crate::stand_in::{Answer as Says, StandIn};

const ANN: &str = "ann@mail.example";

/// One telling of a sale, at a minute of the same hour, from a visit that it may name.
#[derive(Clone, Copy)]
struct Told {
    /// The order's number; without one it is told to the conversions API.
    number: Option<&'static str>,
    minute: i64,
    /// Campaign of the visit that it names.
    from: Option<&'static str>,
    key: &'static str,
}

const fn order(number: &'static str, minute: i64, from: Option<&'static str>) -> Told {
    Told { number: Some(number), minute, from, key: "" }
}

const fn bare(key: &'static str, minute: i64, from: Option<&'static str>) -> Told {
    Told { number: None, minute, from, key }
}

struct Shop {
    house: House,
    site: SiteAt,
    receiver: StandIn,
}

impl Shop {
    async fn open() -> Self {
        let receiver = StandIn::start(|_, _| Says::text(200, "ok")).await;
        let house = House::new();
        let site = house.site("shop.example").await;
        house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
        Self { house, site, receiver }
    }

    async fn visit(&self, campaign: &str) -> String {
        self.house.visit(&self.site, None, json!({"utm_source": campaign, "utm_medium": "cpc", "utm_campaign": campaign})).await
    }

    async fn tell(&self, told: Told, visits: &[(&str, String)]) {
        let session = told.from.and_then(|from| visits.iter().find(|(name, _)| *name == from)).map(|(_, id)| id.clone());
        let at = Time::from_s(NOW_S + told.minute * 60).utc();
        let answer = match told.number {
            Some(number) => {
                let mut body =
                    json!({"order_id": number, "total": "50.00", "currency": "USD", "email": ANN, "status": "paid", "created_at": at});
                body["session_id"] = json!(session);
                self.house.order(&self.site, body).await
            }
            None => {
                let mut body = json!({"conversion_type": "sale", "revenue": 50, "currency": "USD", "email": ANN, "timestamp": at});
                body["session_id"] = json!(session);
                let call = self.house.post("/api/conversions").token(&self.site.token).header("idempotency-key", told.key);
                call.json(&body).send().await
            }
        };
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
    }

    /// Every sale in one line: what it is called, its source, what is left of it, and whether its owner should look.
    async fn sales(&self) -> Vec<String> {
        let mut all = Vec::new();
        for sale in self.house.list(&self.site, "conversions").await {
            self.house.advance_s(2);
            let receipt = self.house.receipt(&self.site, sale["id"].as_str().expect("an id")).await;
            let label = sale["label"].as_str().unwrap_or_default();
            let name = if label.len() < 12 { label } else { "no number" };
            let source = sale["credited"][0]["source"].as_str().unwrap_or("-");
            let flag = if receipt["conversion"]["flag"].is_string() { " apart" } else { "" };
            all.push(format!("{name} {source} {}{flag}", sale["net"]["minor"]));
        }
        all.sort();
        all
    }

    /// Sales that the receiver has, each once.
    async fn heard(&self) -> usize {
        self.house.work().await;
        let mut ids: Vec<String> =
            self.receiver.seen().iter().map(|s| s.json()["data"]["event_id"].as_str().unwrap_or_default().to_owned()).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "none twice: {ids:?}");
        all
    }
}

/// All orders in which a few things may come.
fn turns<T: Copy>(all: &[T]) -> Vec<Vec<T>> {
    if all.is_empty() {
        return vec![Vec::new()];
    }
    let mut turns_of = Vec::new();
    for n in 0..all.len() {
        let mut rest = all.to_vec();
        let first = rest.remove(n);
        for mut turn in turns(&rest) {
            turn.insert(0, first);
            turns_of.push(turn);
        }
    }
    turns_of
}

#[tokio::test]
async fn whoever_is_heard_first_the_figures_are_the_same() {
    let stories: &[(&str, &[Told], &[&str])] = &[
        ("an order and a report of it", &[order("1001", 0, Some("north")), bare("r", 5, None)], &["Order 1001 north 5000"]),
        (
            "two orders and a report that fits both",
            &[order("1001", 0, Some("north")), order("1002", 10, Some("north")), bare("r", 5, Some("north"))],
            &["Order 1001 north 5000", "Order 1002 north 5000", "no number north 5000 apart"],
        ),
        (
            "an order and two reports of one sender",
            &[order("1001", 5, Some("north")), bare("r", 0, Some("north")), bare("s", 9, Some("north"))],
            &["Order 1001 north 5000 apart", "no number north 5000", "no number north 5000"],
        ),
        (
            "two orders, and a report that fits the later one alone",
            &[order("1001", 0, Some("north")), order("1002", 40, Some("north")), bare("r", 50, Some("north"))],
            &["Order 1001 north 5000", "Order 1002 north 5000"],
        ),
    ];
    for (what, told, want) in stories {
        for (n, turn) in turns(told).into_iter().enumerate() {
            let shop = Shop::open().await;
            let visits = vec![("north", shop.visit("north").await)];
            shop.house.advance_s(3_600);
            for one in &turn {
                shop.tell(*one, &visits).await;
                shop.house.advance_s(1);
            }
            shop.house.advance_s(-(turn.len() as i64));
            assert_eq!(shop.sales().await, *want, "{what}, turn {n}");
            assert_eq!(shop.heard().await, want.len(), "{what}, turn {n}: told once each");
            let page =
                shop.house.get(&format!("/api/sites/{}/reports/overview", shop.site.slug)).token(&shop.site.token).send().await.is(200);
            assert_eq!(page.json["net"][0]["minor"], json!(5_000 * want.len()), "{what}, turn {n}: the books");
            // What comes again changes nothing.
            for one in turn.iter().rev() {
                shop.house.advance_s(1);
                shop.tell(*one, &visits).await;
            }
            assert_eq!(shop.sales().await, *want, "{what}, turn {n}, told again");
            assert_eq!(shop.heard().await, want.len(), "{what}, turn {n}, told again");
        }
    }
}

/// A report that stood with an order goes its own way once another order fits as well: each has a receipt that says so.
#[tokio::test]
async fn a_report_that_is_parted_says_so_and_takes_nothing_along() {
    let shop = Shop::open().await;
    let visits = vec![("north", shop.visit("north").await)];
    shop.house.advance_s(3_600);
    shop.tell(order("1001", 0, None), &visits).await;
    shop.tell(bare("r", 5, Some("north")), &visits).await;
    assert_eq!(shop.sales().await.len(), 1);
    assert_eq!(shop.heard().await, 1);
    shop.tell(order("1002", 10, None), &visits).await;
    assert_eq!(shop.sales().await.len(), 3);
    let all = shop.house.list(&shop.site, "conversions").await;
    let receipt = async |label: &str| {
        shop.house.advance_s(2);
        let sale = all.iter().find(|c| c["label"] == label).unwrap_or_else(|| panic!("{label} in {all:#?}"));
        shop.house.receipt(&shop.site, sale["id"].as_str().expect("an id")).await
    };
    let first = receipt("Order 1001").await;
    let runs: Vec<&Value> = first["runs"].as_array().expect("runs").iter().map(|r| &r["why"]).collect();
    assert_eq!(runs.last(), Some(&&json!("parted")), "{runs:?}");
    assert_eq!(first["received"].as_array().map(Vec::len), Some(1), "{:#}", first["received"]);
    assert_eq!(shop.heard().await, 3);
    let kinds: Vec<Value> = shop.receiver.seen().iter().map(|s| s.json()["type"].clone()).collect();
    assert!(kinds.iter().all(|kind| kind == "conversion.created"), "nothing is taken back: what was told holds: {kinds:?}");
}

/// Somebody sends two forms in a day, and two systems tell of each: two leads, each told to platforms once.
#[tokio::test]
async fn two_leads_that_two_systems_tell_of_are_two_in_every_order() {
    let all = [(0, "A-1", 0), (1, "B-1", 1), (0, "A-2", 120), (1, "B-2", 121)];
    for turn in turns(&all) {
        let shop = Shop::open().await;
        let forms = [shop.house.connect(&shop.site, "forms", "", &[]).await, shop.house.connect(&shop.site, "forms", "", &[]).await];
        shop.house.advance_s(4 * 3_600);
        for (sender, id, minute) in &turn {
            let at = Time::from_s(NOW_S + minute * 60).utc();
            let body = json!({"lead_id": id, "email": ANN, "consent_given": true, "timestamp": at}).to_string();
            crate::leads::send_signed(&shop.house, "/api/webhook/lead", &forms[*sender].secret, 0, &body).await.is(200);
        }
        assert_eq!(shop.house.list(&shop.site, "conversions").await.len(), 2, "{turn:?}");
        assert_eq!(shop.heard().await, 2, "{turn:?}");
    }
}
