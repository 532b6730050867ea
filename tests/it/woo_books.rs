//! The books of a shop whose deliveries get lost, come twice and out of turn: after one pull they are the shop's own, to
//! the cent and to the day, across the night in which the clocks go back.

use std::collections::{BTreeMap, BTreeSet};

use halotrack::crypto;
use halotrack::domain::money::Currency;
use halotrack::domain::time::{Day, Time, Zone};
use halotrack::flows::provision;
use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::story::Connected;
use crate::woo_shop::{KEY, SECRET, WooShop};

const ORDERS: usize = 1_000;
/// From the first order to the last it takes the last weekend of October.
const STEP_S: i64 = 230;
const START: &str = "2026-10-24T06:00:00Z";

/// Throws that are the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What the shop's own diary says of its money.
#[derive(Default)]
struct Diary {
    lines: Vec<(Time, i64)>,
    /// Orders of which nothing more will be heard.
    closed: BTreeSet<u64>,
    sold: BTreeSet<u64>,
}

struct Scene {
    house: House,
    site: SiteAt,
    hook: Connected,
    shop: WooShop,
    dice: Dice,
    diary: Diary,
    ids: Vec<u64>,
    /// Bodies that are still on their way, as they were when they were sent, and the step at which they come.
    late: Vec<(usize, &'static str, Vec<u8>)>,
    lost: usize,
}

impl Scene {
    async fn open() -> Self {
        let house = House::new();
        let start = Time::parse(START).expect("a time");
        house.advance_s(start.s() - house.clock.now().s());
        let site = house
            .site_with("harrowlane.example", |new| {
                new.zone = Zone::parse("Europe/Lisbon").expect("a zone");
                new.currency = Currency::parse("EUR").expect("EUR");
            })
            .await;
        let shop = WooShop::start().await;
        shop.books().ahead_s = 3_600;
        let hook =
            house.connect(&site, "woocommerce", "live", &[("url", &shop.url()), ("consumer_key", KEY), ("consumer_secret", SECRET)]).await;
        provision::begin(&house.app, hook.id.parse().expect("an id")).await.expect("the webhooks are registered");
        puller::drain(&house.app).await.expect("the first pull");
        Self { house, site, hook, shop, dice: Dice(7), diary: Diary::default(), ids: Vec::new(), late: Vec::new(), lost: 0 }
    }

    fn now(&self) -> Time {
        self.house.clock.now()
    }

    async fn deliver(&self, topic: &str, body: &[u8]) {
        let secret = self.shop.books().hook(topic).expect("the webhook is registered").secret.clone();
        let signature = crypto::base64(&crypto::hmac_sha256(secret.as_bytes(), &[body]));
        // The shop's delivery id is that of a second.
        let call = self.house.post(&self.hook.hook).header("content-type", "application/json").header("x-wc-webhook-topic", topic);
        let call = call.header("x-wc-webhook-delivery-id", &self.now().s().to_string()).header("x-wc-webhook-signature", &signature);
        call.body(body.to_vec()).send().await.is(200);
    }

    /// What happened in the shop is told: a tenth gets lost, a tenth comes late and in the state of then, a tenth twice.
    async fn tell(&mut self, step: usize) {
        let due: Vec<_> = self.late.extract_if(.., |(at, ..)| *at <= step).collect();
        for (_, topic, body) in due {
            self.deliver(topic, &body).await;
        }
        loop {
            let Some((topic, id)) = self.shop.books().events.pop_front() else { return };
            let body = self.shop.books().body(topic, id);
            match self.dice.throw(10) {
                0 => self.lost += 1,
                1 if topic != "order.deleted" => self.late.push((step + 5, topic, body)),
                2 => {
                    self.deliver(topic, &body).await;
                    self.deliver(topic, &body).await;
                }
                _ => self.deliver(topic, &body).await,
            }
        }
    }

    /// One moment in the life of the shop.
    fn live(&mut self, n: usize) {
        let at = self.now();
        let more = match n {
            _ if n % 50 == 49 => json!({"status": "checkout-draft"}),
            _ if n % 10 == 0 => json!({"status": "pending"}),
            _ if n % 25 == 7 => json!({"payment_method": "cod"}),
            _ => json!({"number": format!("HL-{n}")}),
        };
        self.place(at, more);
        if n % 100 == 51 {
            self.place(at, json!({}));
        }
        // What follows is about an order of a while ago.
        let Some(id) = n.checked_sub(7).map(|n| self.ids[n]) else { return };
        let status = self.shop.books().orders[&id]["status"].as_str().unwrap_or_default().to_owned();
        if status == "pending" {
            self.shop.books().edit(id, at, json!({"status": "processing"}));
            self.sold(id, at);
            return;
        }
        if !matches!(status.as_str(), "processing" | "completed") || self.diary.closed.contains(&id) {
            return;
        }
        let left = self.shop.books().left(id);
        match n % 12 {
            1 => self.back(id, at, left / 3),
            3 => {
                self.back(id, at, left / 4);
                self.back(id, at, left / 5);
            }
            5 => self.back(id, at, left),
            7 => self.end(id, at, left, |shop, id, at| shop.books().edit(id, at, json!({"status": "cancelled"}))),
            9 => self.end(id, at, left, |shop, id, at| shop.books().throw_away(id, at)),
            11 => self.shop.books().edit(id, at, json!({"status": "completed", "customer_note": "packed"})),
            _ => {}
        }
    }

    fn place(&mut self, at: Time, more: Value) {
        let cents = 500 + self.dice.throw(40_000);
        let is_sold = more["status"].is_null();
        let id = self.shop.books().place(at, &format!("{}.{:02}", cents / 100, cents % 100), more);
        self.ids.push(id);
        if is_sold {
            self.sold(id, at);
        }
    }

    fn sold(&mut self, id: u64, at: Time) {
        let total = self.shop.books().left(id);
        self.diary.sold.insert(id);
        self.diary.lines.push((at, total));
    }

    fn back(&mut self, id: u64, at: Time, cents: i64) {
        self.shop.books().refund(id, at, cents);
        self.diary.lines.push((at, -cents));
    }

    fn end(&mut self, id: u64, at: Time, left: i64, how: impl Fn(&WooShop, u64, Time)) {
        how(&self.shop, id, at);
        self.diary.lines.push((at, -left));
        self.diary.closed.insert(id);
    }

    /// What each day brought, by the shop's diary in the site's own zone.
    fn days_of_the_shop(&self) -> BTreeMap<Day, i64> {
        let zone = Zone::parse("Europe/Lisbon").expect("a zone");
        let mut days = BTreeMap::new();
        for (at, cents) in &self.diary.lines {
            *days.entry(zone.day(*at)).or_default() += cents;
        }
        days
    }

    /// The same by our books.
    async fn days_of_the_books(&self, of: &BTreeMap<Day, i64>) -> BTreeMap<Day, i64> {
        let mut days = BTreeMap::new();
        for day in of.keys() {
            self.house.advance_s(1);
            let page = self.house.get(&format!("/api/reports/daily?date={day}")).token(&self.site.token).send().await.is(200);
            let data = if page.json["data"].is_object() { &page.json["data"] } else { &page.json };
            let revenue = data["total_revenue"].as_f64().unwrap_or_else(|| panic!("{}", page.text));
            days.insert(*day, (revenue * 100.0).round() as i64);
        }
        days
    }

    /// What is left of each order, by its number in the shop.
    async fn left_by_the_books(&self) -> BTreeMap<String, i64> {
        let all = self.house.list(&self.site, "conversions").await;
        let of = |c: &Value| (c["label"].as_str().unwrap_or_default().to_owned(), c["net"]["minor"].as_i64().unwrap_or(i64::MIN));
        let lefts: BTreeMap<String, i64> = all.iter().map(of).collect();
        assert_eq!(lefts.len(), all.len(), "no order is there twice");
        lefts
    }

    /// Orders of which the books say something else than the shop.
    async fn wrong(&self) -> Vec<String> {
        let (books, shop) = (self.left_by_the_books().await, self.left_by_the_shop());
        let labels: BTreeSet<&String> = books.keys().chain(shop.keys()).collect();
        let is_other = |label: &&&String| books.get(**label) != shop.get(**label);
        labels.iter().filter(is_other).map(|label| format!("{label}: {:?} is {:?}", shop.get(*label), books.get(*label))).collect()
    }

    fn left_by_the_shop(&self) -> BTreeMap<String, i64> {
        let books = self.shop.books();
        let label = |id: &u64| format!("Order {}", books.orders[id]["number"].as_str().unwrap_or_default());
        self.diary.sold.iter().map(|id| (label(id), books.left(*id))).collect()
    }
}

#[tokio::test]
async fn after_one_pull_the_books_are_the_shops_own() {
    let mut scene = Scene::open().await;
    for n in 0..ORDERS {
        scene.live(n);
        scene.tell(n).await;
        scene.house.advance_s(STEP_S);
    }
    assert!(scene.lost > 100, "{} deliveries were lost", scene.lost);
    let days = scene.days_of_the_shop();
    assert_eq!(days.keys().map(Day::to_string).collect::<Vec<_>>(), ["2026-10-24", "2026-10-25", "2026-10-26"]);
    assert!(!scene.wrong().await.is_empty(), "without a pull the books are wrong");

    puller::drain(&scene.house.app).await.expect("one pull");
    assert_eq!(scene.wrong().await, [String::new(); 0]);
    assert_eq!(scene.days_of_the_books(&days).await, days);

    // What was still on its way comes at last, everything is told once more, and nothing moves.
    scene.tell(ORDERS + 10).await;
    for id in scene.ids.clone().into_iter().step_by(9) {
        let (topic, body) = ("order.updated", scene.shop.books().body("order.updated", id));
        scene.deliver(topic, &body).await;
    }
    scene.house.advance_s(3_600);
    puller::drain(&scene.house.app).await.expect("another pull");
    assert_eq!(scene.wrong().await, [String::new(); 0]);
    assert_eq!(scene.days_of_the_books(&days).await, days);
}
