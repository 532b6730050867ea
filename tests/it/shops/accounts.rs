//! Every destination has an account of its own: paused, switched to shadow, refusing, or away while a sale goes back, comes
//! back and goes back again, it hears in the end exactly what is left of the sale, and never that more went than it was told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use halotrack::domain::consent::Mode;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::hubspot;
use crate::stand_in::{self, StandIn};
use crate::story::Connected;
use crate::woo_shop::WooShop;

const TOTAL: &str = "100.00";
const TOTAL_CENTS: i64 = 10_000;

/// Throws that are the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A platform on loopback that books what it takes, in cents.
struct Ledger {
    name: &'static str,
    /// It understands that a sale holds again.
    takes_again: bool,
    is_refusing: Arc<AtomicBool>,
    /// What came, in its order: below 0 where money went back.
    lines: Arc<Mutex<Vec<i64>>>,
    stand_in: StandIn,
}

impl Ledger {
    async fn start(name: &'static str, takes_again: bool, read: fn(&Value) -> i64) -> Self {
        let (is_refusing, lines) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (refuses, kept) = (is_refusing.clone(), lines.clone());
        let stand_in = StandIn::start(move |seen, _| {
            if refuses.load(Ordering::Relaxed) {
                return stand_in::Answer::text(400, "no");
            }
            kept.lock().expect("the lines").push(read(&seen.json()));
            stand_in::Answer::text(204, "")
        })
        .await;
        Self { name, takes_again, is_refusing, lines, stand_in }
    }

    /// What it was told as sold, and what is left of that by its own books.
    fn sums(&self) -> (i64, i64) {
        let lines = self.lines.lock().expect("the lines");
        (lines.first().copied().unwrap_or(0), lines.iter().sum())
    }
}

fn of_a_webhook(body: &Value) -> i64 {
    let minor = body["data"]["amount"]["minor"].as_i64().unwrap_or_else(|| panic!("{body:#}"));
    if body["type"] == "sale.refunded" { -minor } else { minor }
}

fn of_google(body: &Value) -> i64 {
    let event = &body["events"][0];
    let cents = (event["params"]["value"].as_f64().unwrap_or_else(|| panic!("{body:#}")) * 100.0).round() as i64;
    if event["name"] == "refund" { -cents } else { cents }
}

struct Scene {
    house: House,
    site: SiteAt,
    shop: WooShop,
    woo: Connected,
    ledgers: Vec<(Ledger, String)>,
    id: u64,
}

impl Scene {
    async fn open() -> Self {
        let ledgers = [
            Ledger::start("own system", true, of_a_webhook).await,
            Ledger::start("second system", true, of_a_webhook).await,
            Ledger::start("analytics", false, of_google).await,
        ];
        let google = ledgers[2].stand_in.url();
        let house = House::with(move |config| drop(config.base_urls.insert("ga4".into(), google)));
        let site = house.site_with("shop.example", |new| new.consent = Mode::OptOut).await;
        let shop = WooShop::start().await;
        let woo = house.woo(&site, &shop).await;
        let mut connected = Vec::new();
        for ledger in ledgers {
            let id = match ledger.takes_again {
                true => house.connect(&site, "webhook", "live", &[("url", &ledger.stand_in.url())]).await.id,
                false => {
                    let keys = [("measurement_id", "G-AB12CD34EF"), ("api_secret", "s3cr3t-s3cr3t")];
                    house.connect(&site, "ga4", "live", &keys).await.id
                }
            };
            connected.push((ledger, id));
        }
        Self { house, site, shop, woo, ledgers: connected, id: 0 }
    }

    async fn place(&mut self) {
        self.id = self.shop.books().place(self.house.clock.now(), TOTAL, json!({}));
        self.house.told(&self.woo, &self.shop, "order.created", self.id).await.is(200);
    }

    /// The shop tells how its order stands, and its refunds are read.
    async fn told(&self) {
        self.house.told(&self.woo, &self.shop, "order.updated", self.id).await.is(200);
        self.house.pull().await;
        self.house.advance_s(600);
    }

    async fn status(&self, word: &str) {
        self.shop.books().edit(self.id, self.house.clock.now(), json!({"status": word}));
        self.told().await;
    }

    async fn back(&self, cents: i64) {
        self.shop.books().refund(self.id, self.house.clock.now(), cents);
        self.told().await;
    }

    async fn work(&self) {
        for _ in 0..2 {
            self.house.work().await;
            self.house.advance_s(120);
        }
        for (ledger, _) in &self.ledgers {
            let (sold, left) = ledger.sums();
            assert!((0..=sold).contains(&left), "{}: {left} of {sold}: {:?}", ledger.name, ledger.lines.lock());
        }
    }

    async fn say(&self, n: usize, what: &str, body: Value) {
        self.house.advance_s(2);
        let path = format!("/api/sites/{}/connections/{}/{what}", self.site.slug, self.ledgers[n].1);
        let said = self.house.post(&path).token(&self.site.token).json(&body).send().await;
        assert!(said.status < 500, "{}", said.text);
    }

    fn refuses(&self, n: usize, is_refusing: bool) {
        self.ledgers[n].0.is_refusing.store(is_refusing, Ordering::Relaxed);
    }

    /// Whoever has the sale has exactly `left` of it. Who knows of no return has heard at least of what is gone.
    #[track_caller]
    fn all_have(&self, left: i64, what: &str) {
        for (ledger, _) in &self.ledgers {
            let (sold, has) = ledger.sums();
            if sold == 0 {
                assert_eq!(has, 0, "{what}: {} was never told of the sale: {:?}", ledger.name, ledger.lines.lock());
            } else if ledger.takes_again || left == 0 {
                assert_eq!(has, left, "{what}: {}: {:?}", ledger.name, ledger.lines.lock());
            } else {
                assert!(has <= left, "{what}: {}: {has} of {left}: {:?}", ledger.name, ledger.lines.lock());
            }
        }
    }
}

#[tokio::test]
async fn whoever_was_paused_hears_every_refund_that_is_left() {
    let mut scene = Scene::open().await;
    scene.place().await;
    scene.work().await;
    scene.say(1, "pause", json!({})).await;
    scene.status("cancelled").await;
    scene.work().await;
    scene.status("processing").await;
    scene.work().await;
    scene.say(1, "resume", json!({})).await;
    scene.work().await;
    scene.all_have(TOTAL_CENTS, "it holds");
    assert_eq!(scene.ledgers[1].0.lines.lock().expect("the lines").len(), 1, "what was not said needs no taking back");
    scene.status("cancelled").await;
    scene.work().await;
    scene.all_have(0, "it went back again");
    assert_eq!(*scene.ledgers[2].0.lines.lock().expect("the lines"), [TOTAL_CENTS, -TOTAL_CENTS], "once, where no return is understood");
}

#[tokio::test]
async fn what_was_refused_goes_with_the_end() {
    let mut scene = Scene::open().await;
    scene.place().await;
    scene.work().await;
    scene.refuses(0, true);
    scene.back(3_000).await;
    scene.work().await;
    scene.refuses(0, false);
    scene.status("cancelled").await;
    scene.work().await;
    scene.all_have(0, "the whole of it");
    // By hand the refused one would be too much.
    let replay = format!("/api/sites/{}/deliveries/replay", scene.site.slug);
    let all = json!({"filter": {"state": ["refused"]}});
    scene.house.post(&replay).token(&scene.site.token).json(&all).send().await.is(200);
    scene.work().await;
    scene.all_have(0, "nor more by hand");
    let rows = scene.house.deliveries(&scene.site).await;
    assert!(rows.iter().any(|d| d["reason"] == "all_told"), "{rows:#?}");
}

/// However it came into the queue: at the moment of sending the account is looked at once more.
#[tokio::test]
async fn no_more_goes_back_than_was_sold_whatever_waits() {
    let mut scene = Scene::open().await;
    scene.place().await;
    scene.work().await;
    scene.refuses(0, true);
    scene.back(3_000).await;
    scene.work().await;
    scene.refuses(0, false);
    scene.status("cancelled").await;
    scene.work().await;
    let file = rusqlite::Connection::open(scene.house.data().join(halotrack::store::FILE)).expect("the file");
    let again = "update deliveries set state = 'pending', reason = null, next_at = 0, settled_at = null where state = 'refused'";
    assert_eq!(file.execute(again, []).expect("a change"), 1);
    scene.work().await;
    scene.all_have(0, "all of it had been told");
    // A part of it would fit: then that part goes.
    let file_says = |sql: &str| file.execute(sql, []).expect("a change");
    file_says("update deliveries set told_minor = told_minor - 1000 where kind like 'sale.refunded%' and told_minor > 5000");
    file_says("update deliveries set state = 'pending', reason = null, next_at = 0, settled_at = null where reason = 'all_told'");
    scene.house.work().await;
    let lines = scene.ledgers[0].0.lines.lock().expect("the lines").clone();
    assert_eq!(lines.last(), Some(&-1_000), "{lines:?}");
}

/// A sale that was refused, told by hand afterwards, brings its refund along.
#[tokio::test]
async fn a_sale_that_is_told_by_hand_brings_its_refunds() {
    let mut scene = Scene::open().await;
    scene.refuses(0, true);
    scene.place().await;
    scene.work().await;
    scene.refuses(0, false);
    scene.back(3_000).await;
    scene.work().await;
    assert_eq!(scene.ledgers[0].0.sums(), (0, 0), "a refund of what it never heard of");
    let rows = scene.house.deliveries(&scene.site).await;
    let sale = rows.iter().find(|d| d["state"] == "refused").expect("a refused sale")["id"].clone();
    let replay = format!("/api/sites/{}/deliveries/replay", scene.site.slug);
    scene.house.post(&replay).token(&scene.site.token).json(&json!({"deliveries": [sale]})).send().await.is(200);
    scene.work().await;
    scene.all_have(7_000, "told late, and what went back with it");
}

/// What is only shown stays so: a refund goes to nobody who was shown the sale and never told.
#[tokio::test]
async fn a_refund_is_not_sent_where_the_sale_was_only_shown() {
    let mut scene = Scene::open().await;
    scene.say(0, "mode", json!({"mode": "shadow"})).await;
    scene.place().await;
    scene.work().await;
    scene.say(0, "mode", json!({"mode": "live"})).await;
    scene.back(3_000).await;
    scene.status("cancelled").await;
    scene.work().await;
    scene.all_have(0, "gone");
    assert_eq!(scene.ledgers[0].0.sums(), (0, 0));
}

/// Anything may happen to anybody. In the end each account is what the shop's own books say.
#[tokio::test]
async fn whatever_comes_between_each_account_is_right_in_the_end() {
    for seed in 1..=24 {
        let mut dice = Dice(seed);
        let mut scene = Scene::open().await;
        if dice.throw(3) == 0 {
            scene.say(dice.throw(3) as usize, "pause", json!({})).await;
        }
        scene.place().await;
        if dice.throw(2) == 0 {
            scene.work().await;
        }
        let mut story = Vec::new();
        for _ in 0..12 {
            let n = dice.throw(3) as usize;
            let what = dice.throw(12);
            story.push((what, n));
            let left = scene.shop.books().left(scene.id);
            match what {
                0 | 1 if left > TOTAL_CENTS / 2 => scene.back(500 + dice.throw(1_500) as i64).await,
                2 => scene.status("cancelled").await,
                3 => scene.status("refunded").await,
                4 | 5 => scene.status("processing").await,
                6 => scene.say(n, "pause", json!({})).await,
                7 => scene.say(n, "resume", json!({})).await,
                8 => scene.say(n, "mode", json!({"mode": if dice.throw(2) == 0 { "shadow" } else { "live" }})).await,
                9 => scene.refuses(n, dice.throw(2) == 0),
                _ => scene.work().await,
            }
        }
        for n in 0..3 {
            scene.refuses(n, false);
            scene.say(n, "mode", json!({"mode": "live"})).await;
            scene.say(n, "resume", json!({})).await;
        }
        scene.work().await;
        // A page is turned: what was refused, or shown in shadow, is said anew.
        scene.status("cancelled").await;
        scene.work().await;
        scene.status("processing").await;
        scene.work().await;
        scene.all_have(scene.shop.books().left(scene.id), &format!("seed {seed}, it holds, after {story:?}"));
        scene.status("cancelled").await;
        scene.work().await;
        scene.all_have(0, &format!("seed {seed}, it is gone, after {story:?}"));
        let before: usize = scene.ledgers.iter().map(|(l, _)| l.lines.lock().expect("the lines").len()).sum();
        scene.told().await;
        scene.work().await;
        let after: usize = scene.ledgers.iter().map(|(l, _)| l.lines.lock().expect("the lines").len()).sum();
        assert_eq!(before, after, "seed {seed}: told again, nothing is said again");
    }
}

/// A CRM shows one deal: lost when the sale went back, won when it holds after all, whoever looks at it in between.
#[tokio::test]
async fn a_deal_follows_its_sale_there_and_back() {
    let portal = hubspot::HubSpot::default();
    let stand_in = portal.start().await;
    let url = stand_in.url();
    let house = House::with(move |config| drop(config.base_urls.insert("hubspot".into(), url)));
    let site = house.site_with("shop.example", |new| new.consent = Mode::OptOut).await;
    let shop = WooShop::start().await;
    let woo = house.woo(&site, &shop).await;
    house.connect(&site, "hubspot", "live", &[("access_token", hubspot::TOKEN)]).await;
    let id = shop.books().place(house.clock.now(), "60.00", json!({}));
    house.told(&woo, &shop, "order.created", id).await.is(200);
    house.work().await;
    let stands = || {
        portal.with(|portal| {
            let deal = portal.deals.values().next().cloned().unwrap_or_default();
            (deal["dealstage"].as_str().unwrap_or("-").to_owned(), deal["amount"].as_str().unwrap_or("-").to_owned())
        })
    };
    let is = |stage: &str, amount: &str| (stage.to_owned(), amount.to_owned());
    assert_eq!(stands(), is("closedwon", "60.00"));
    let closed = portal.with(|portal| portal.deals.values().next().map(|deal| deal["closedate"].clone()));
    for (status, want) in [
        ("cancelled", is("closedlost", "0.00")),
        ("processing", is("closedwon", "60.00")),
        ("refunded", is("closedlost", "0.00")),
        ("processing", is("closedwon", "60.00")),
    ] {
        house.advance_s(3_600);
        shop.books().edit(id, house.clock.now(), json!({"status": status}));
        for _ in 0..2 {
            house.told(&woo, &shop, "order.updated", id).await.is(200);
            house.work().await;
            house.advance_s(120);
        }
        assert_eq!(stands(), want, "{status}");
    }
    let kinds: Vec<String> = house
        .deliveries(&site)
        .await
        .iter()
        .rev()
        .map(|d| format!("{} {}", d["kind"].as_str().unwrap_or("-"), d["state"].as_str().unwrap_or("-")))
        .collect();
    let want = ["closedwon delivered", "refund delivered", "closedwon.2 delivered", "refund.2 delivered", "closedwon.3 delivered"];
    assert_eq!(kinds, want, "a revision each");
    portal.with(|portal| {
        assert_eq!(portal.deals.len(), 1);
        assert_eq!(portal.deals.values().next().map(|deal| deal["closedate"].clone()), closed, "the day on which it was won stays");
    });
}
