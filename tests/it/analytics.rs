//! Revenue and customers agree with a slow recomputation from plain rows, for random days: before they are counted,
//! after, and while sales change hands, days, tellers and amounts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use halotrack::domain::money::{Currency, Money};
use halotrack::domain::rights::{Right, Scope};
use halotrack::domain::time::{DAY_MS, Day, Time, Zone};
use halotrack::flows::cube;
use halotrack::store::FILE;
use halotrack::store::sites::Site;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::ground::{self, Dice, Size};
use crate::house::{House, SiteAt};

const SALES: i64 = 240;
const DAYS: i64 = 70;

struct Shop {
    house: House,
    at: SiteAt,
    site: Arc<Site>,
    db: Connection,
    owner: String,
}

struct Sale {
    id: i64,
    is_order: bool,
    contact: Option<i64>,
    at: i64,
    currency: String,
    platform: String,
    first_source: Option<String>,
    items: Vec<(String, i64, i64)>,
}

struct Booked {
    sale: i64,
    day: Day,
    kind: String,
    minor: i64,
    currency: String,
}

/// Only what counts.
struct Rows {
    sales: BTreeMap<i64, Sale>,
    booked: Vec<Booked>,
}

impl Shop {
    async fn open(zone: &str, seed: u64) -> Self {
        let house = House::new();
        let at = house
            .site_with("shop.example", |new| {
                new.zone = Zone::parse(zone).expect("a zone");
                new.currency = Currency::parse("EUR").expect("a currency");
            })
            .await;
        let site = house.app.book().site(at.id).cloned().expect("the site");
        let size = Size { sessions: 400, conversions: SALES, days: DAYS, seed, until: house.clock.now() };
        ground::fill(house.data(), &site, &size);
        let db = Connection::open(house.data().join(FILE)).expect("the file");
        db.busy_timeout(std::time::Duration::from_secs(20)).expect("a time-out");
        let owner = house.login("ann@shop.example", Right::Own, None).await;
        let shop = Self { house, at, site, db, owner };
        shop.run("update conversions set contact_id = null where site_id = ?1 and id % 11 = 3");
        // Some have many sales, so that most of those come from somebody who came back.
        shop.run("update conversions set contact_id = 1 + id % 9 where site_id = ?1 and id % 4 = 1");
        shop.run("update reports set platform = 'shopify' where site_id = ?1 and id % 3 = 0 and what = 'order'");
        shop.run(
            r#"update orders set items = '[{"id":"7","name":"Tyre","quantity":2,"price":{"minor":1500,"currency":"EUR"}},
                 {"id":"9","name":"Cap","quantity":1,"price":{"minor":700,"currency":"EUR"}}]' where site_id = ?1 and id % 2 = 0"#,
        );
        shop.run(r#"update orders set items = '[{"id":"5","name":"Fit","quantity":1,"price":null}]' where site_id = ?1 and id % 4 = 1"#);
        shop
    }

    fn run(&self, sql: &str) {
        self.db.execute(sql, [self.at.id.number()]).expect(sql);
    }

    async fn get(&self, path: &str) -> Value {
        self.house.get(path).cookie(&self.owner).send().await.is(200).json
    }

    async fn own(&self, path: &str) -> Value {
        self.get(&format!("/api/sites/{}/{path}", self.at.slug)).await
    }

    /// Every row of a list, page by page.
    async fn pages(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.own(&format!("{path}&limit=2{cursor}")).await;
            items.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
            assert!(items.len() < 1_000, "the list does not end");
        }
    }

    fn day(&self, ms: i64) -> Day {
        self.site.zone.day(Time::from_ms(ms))
    }

    fn rows(&self) -> Rows {
        let site = self.at.id.number();
        let mut best: HashMap<i64, (i64, i64, String)> = HashMap::new();
        let mut statement =
            self.db.prepare("select conversion_id, rank, id, platform from reports where site_id = ?1").expect("a statement");
        let reports = statement
            .query_map([site], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, r.get::<_, i64>(2)?, r.get::<_, String>(3)?)))
            .expect("rows");
        for (sale, rank, id, platform) in reports.map(|r| r.expect("a row")) {
            let known = best.entry(sale).or_insert((i64::MIN, 0, String::new()));
            if (rank, -id) > (known.0, -known.1) {
                *known = (rank, id, platform);
            }
        }
        let mut items: HashMap<i64, Vec<(String, i64, i64)>> = HashMap::new();
        let mut statement = self.db.prepare("select conversion_id, items from orders where site_id = ?1").expect("a statement");
        let orders = statement.query_map([site], |r| Ok((r.get(0)?, r.get::<_, String>(1)?))).expect("rows");
        for (sale, text) in orders.map(|r| r.expect("a row")) {
            let all: Vec<Value> = serde_json::from_str(&text).expect("items");
            let line = |i: &Value| {
                (
                    i["id"].as_str().unwrap_or_default().to_owned(),
                    i["quantity"].as_i64().unwrap_or(0),
                    i["price"]["minor"].as_i64().unwrap_or(0),
                )
            };
            items.insert(sale, all.iter().map(line).collect());
        }
        let mut statement = self
            .db
            .prepare("select id, kind, contact_id, happened_at, coalesce(currency, ''), first_source from conversions where site_id = ?1 and counts = 1")
            .expect("a statement");
        let sales: BTreeMap<i64, Sale> = statement
            .query_map([site], |r| {
                let id = r.get(0)?;
                Ok(Sale {
                    id,
                    is_order: r.get::<_, String>(1)? == "sale",
                    contact: r.get(2)?,
                    at: r.get(3)?,
                    currency: r.get(4)?,
                    platform: best.get(&id).map(|b| b.2.clone()).unwrap_or_default(),
                    first_source: r.get(5)?,
                    items: items.get(&id).cloned().unwrap_or_default(),
                })
            })
            .expect("rows")
            .map(|r| r.expect("a row"))
            .map(|s| (s.id, s))
            .collect();
        let mut statement = self
            .db
            .prepare("select conversion_id, book_day, kind, amount_minor, currency from entries where site_id = ?1")
            .expect("a statement");
        let booked = statement
            .query_map([site], |r| {
                Ok(Booked { sale: r.get(0)?, day: Day(r.get(1)?), kind: r.get(2)?, minor: r.get(3)?, currency: r.get(4)? })
            })
            .expect("rows")
            .map(|r| r.expect("a row"))
            .filter(|b| sales.contains_key(&b.sale))
            .collect();
        Rows { sales, booked }
    }

    /// Something changes in days that may be counted long since.
    fn change(&self, dice: &mut Dice) {
        let site = self.at.id.number();
        let until = self.house.clock.now().ms();
        for n in 0..24 {
            let id = 1 + dice.below(SALES);
            let at = until - dice.below(DAYS * DAY_MS);
            let (sql, what): (&str, i64) = match n % 8 {
                0 => ("update conversions set contact_id = ?3 where site_id = ?1 and id = ?2", 1 + dice.below(12)),
                1 => ("update conversions set contact_id = null where site_id = ?1 and id = ?2 and ?3 > 0", 1),
                2 => ("update conversions set counts = 1 - counts where site_id = ?1 and id = ?2 and ?3 > 0", 1),
                3 => ("update conversions set happened_at = ?3 where site_id = ?1 and id = ?2", at),
                4 => ("update conversions set currency = iif(currency = 'EUR', 'AED', 'EUR') where site_id = ?1 and id = ?2 and ?3 > 0", 1),
                5 => (
                    "insert into entries (site_id, id, conversion_id, kind, amount_minor, currency, happened_at, book_day)
                     select ?1, (select max(id) + 1 from entries where site_id = ?1), ?2, 'refund', -31, 'EUR', 0, ?3",
                    self.day(at).0.into(),
                ),
                6 => (
                    "insert into reports (site_id, id, conversion_id, connection_id, platform, what, fact_kind, external_id, rank, happened_at, received_at)
                     select ?1, (select max(id) + 1 from reports where site_id = ?1), ?2, 3, 'stripe', 'payment', 'statement',
                       'x' || (select max(id) + 1 from reports where site_id = ?1), 9, ?3, ?3",
                    at,
                ),
                _ => ("update conversions set rank = 9 where site_id = ?1 and ?3 > 0 and ?2 > 0 and exists
                         (select 1 from reports r where r.site_id = ?1 and r.conversion_id = conversions.id and r.rank = 9) and rank <> 9", 1),
            };
            self.db.execute(sql, params![site, id, what]).expect(sql);
        }
        // A better informed report raises the sale's rank in the change that brings it.
        self.run(
            "update conversions set rank = 9 where site_id = ?1 and rank <> 9 and exists
               (select 1 from reports r where r.site_id = ?1 and r.conversion_id = conversions.id and r.rank = 9)",
        );
    }
}

impl Rows {
    /// The first sale of every customer.
    fn first(&self) -> HashMap<i64, (i64, i64)> {
        let mut first: HashMap<i64, (i64, i64)> = HashMap::new();
        for sale in self.sales.values().filter(|s| s.is_order) {
            if let Some(contact) = sale.contact {
                let known = first.entry(contact).or_insert((sale.at, sale.id));
                *known = (*known).min((sale.at, sale.id));
            }
        }
        first
    }

    fn buyer(&self, first: &HashMap<i64, (i64, i64)>, sale: &Sale) -> &'static str {
        match sale.contact {
            None => "unknown",
            Some(contact) if first.get(&contact).is_some_and(|f| f.1 == sale.id) => "new",
            Some(_) => "returning",
        }
    }
}

fn minor(number: &Value, currency: &str) -> i64 {
    let currency = Currency::parse(currency).expect("a currency");
    Money::parse(&number.to_string(), currency).unwrap_or_else(|e| panic!("{number}: {e:?}")).minor
}

fn moneys(all: &Value) -> BTreeMap<String, i64> {
    let all = all.as_array().expect("money").iter();
    all.map(|m| (m["currency"].as_str().expect("a code").to_owned(), m["minor"].as_i64().expect("a number")))
        .filter(|(_, n)| *n != 0)
        .collect()
}

fn without_nothing<K: Ord>(mut all: BTreeMap<K, i64>) -> BTreeMap<K, i64> {
    all.retain(|_, minor| *minor != 0);
    all
}

async fn check_revenue(shop: &Shop, rows: &Rows, from: Day, to: Day, what: &str) {
    let what = format!("{what}: {from} to {to}");
    let told = shop.get(&format!("/api/analytics/revenue?domain=www.shop.example&start={from}&end={to}&limit=500")).await;
    let booked: Vec<&Booked> = rows.booked.iter().filter(|b| from <= b.day && b.day <= to).collect();
    let sum =
        |code: &str, is: &dyn Fn(&Booked) -> bool| booked.iter().filter(|b| b.currency == code && is(b)).map(|b| b.minor).sum::<i64>();
    let is_sold = |b: &Booked| matches!(b.kind.as_str(), "sale" | "adjustment");
    for (code, figures) in [("EUR", &told), ("AED", &told["otherCurrencies"]["AED"])] {
        if figures.is_null() {
            assert!(!booked.iter().any(|b| b.currency == code), "{what}: {code} is missing");
            continue;
        }
        assert_eq!(minor(&figures["totalRevenue"], code), sum(code, &|_| true), "{what}");
        assert_eq!(minor(&figures["grossRevenue"], code), sum(code, &is_sold), "{what}");
        let orders = rows.sales.values().filter(|s| s.is_order && s.currency == code && (from..=to).contains(&shop.day(s.at))).count();
        assert_eq!(figures["totalOrders"], json!(orders), "{what}");
        let mut platforms: BTreeMap<String, i64> = BTreeMap::new();
        for b in booked.iter().filter(|b| b.currency == code) {
            *platforms.entry(rows.sales[&b.sale].platform.clone()).or_default() += b.minor;
        }
        let shown = figures["revenueByPlatform"].as_object().expect("platforms");
        let shown: BTreeMap<String, i64> = shown.iter().map(|(name, n)| (name.clone(), minor(n, code))).collect();
        assert_eq!(without_nothing(shown.clone()), without_nothing(platforms), "{what}");
        assert_eq!(shown.values().sum::<i64>(), minor(&figures["totalRevenue"], code), "{what}: platforms add up");
    }
    let mut days: BTreeMap<Day, i64> = BTreeMap::new();
    booked.iter().filter(|b| b.currency == "EUR").for_each(|b| *days.entry(b.day).or_default() += b.minor);
    let shown: Vec<&Value> = told["revenueOverTime"].as_array().expect("days").iter().collect();
    assert_eq!(shown.len() as i32, to.0 - from.0 + 1, "{what}: every day");
    let shown = shown.into_iter().map(|d| (Day::parse(d["date"].as_str().expect("a day")).expect("a day"), minor(&d["revenue"], "EUR")));
    assert_eq!(without_nothing(shown.collect()), without_nothing(days), "{what}");
    assert_eq!((&told["currency"], &told["success"]), (&json!("EUR"), &json!(true)));

    let mut products: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for b in booked.iter().filter(|b| b.currency == "EUR") {
        let items = &rows.sales[&b.sale].items;
        let mut weights: Vec<u64> = items.iter().map(|(_, n, price)| (n * price) as u64).collect();
        if weights.iter().all(|w| *w == 0) {
            weights.fill(1);
        }
        for ((id, quantity, _), part) in items.iter().zip(Money::new(b.minor, Currency::parse("EUR").expect("EUR")).split(&weights)) {
            let row = products.entry(id.clone()).or_default();
            row.0 += if b.kind == "sale" { *quantity } else { 0 };
            row.1 += part.minor;
        }
    }
    let shown = told["topProducts"].as_array().expect("products").iter();
    let shown: BTreeMap<String, (i64, i64)> = shown
        .map(|p| {
            (p["productId"].as_str().expect("an id").to_owned(), (p["quantity"].as_i64().expect("pieces"), minor(&p["revenue"], "EUR")))
        })
        .collect();
    assert_eq!(shown, products, "{what}");

    // The same through a filter, which is walked row by row: all platforms that there are.
    let walked =
        shop.get(&format!("/api/analytics/revenue?domain=shop.example&start={from}&end={to}&limit=500&source=!nobody&source=!none")).await;
    for name in ["totalRevenue", "grossRevenue", "totalOrders", "revenueByPlatform", "revenueOverTime", "topProducts", "otherCurrencies"] {
        assert_eq!(walked[name], told[name], "{what}: {name} row by row");
    }
}

async fn check_buyers(shop: &Shop, rows: &Rows, from: Day, to: Day, what: &str) {
    let what = format!("{what}: {from} to {to}");
    let told = shop.own(&format!("reports/customers?from={from}&to={to}")).await;
    let first = rows.first();
    let within = |at: i64| (from..=to).contains(&shop.day(at));
    for word in ["new", "returning", "unknown"] {
        let orders = rows.sales.values().filter(|s| s.is_order && within(s.at) && rows.buyer(&first, s) == word).count();
        assert_eq!(told["buyers"][word]["orders"], json!(orders), "{what}: {word}");
        let mut net: BTreeMap<String, i64> = BTreeMap::new();
        for b in rows.booked.iter().filter(|b| from <= b.day && b.day <= to && rows.buyer(&first, &rows.sales[&b.sale]) == word) {
            *net.entry(b.currency.clone()).or_default() += b.minor;
        }
        assert_eq!(moneys(&told["buyers"][word]["net"]), without_nothing(net), "{what}: {word}");
    }
    let mut bought: HashMap<i64, bool> = HashMap::new();
    for sale in rows.sales.values().filter(|s| s.is_order && within(s.at)) {
        if let Some(contact) = sale.contact {
            bought.insert(contact, within(first[&contact].0));
        }
    }
    let new = bought.values().filter(|is_new| **is_new).count();
    let customers = json!({"all": bought.len(), "new": new, "returning": bought.len() - new});
    assert_eq!(told["customers"], customers, "{what}");
    let list = shop.own(&format!("customers?from={from}&to={to}")).await;
    assert_eq!(list["total"], json!({"count": bought.len(), "new": new, "returning": bought.len() - new}), "{what}");
    for (word, is_new) in [("new", true), ("returning", false)] {
        let mut shown: Vec<String> = shop
            .pages(&format!("customers?from={from}&to={to}&buyer={word}"))
            .await
            .iter()
            .map(|k| k["id"].as_str().expect("an id").to_owned())
            .collect();
        shown.sort();
        let mut want: Vec<String> = bought.iter().filter(|(_, n)| **n == is_new).map(|(id, _)| format!("contact_{id}")).collect();
        want.sort();
        assert_eq!(shown, want, "{what}: {word}");
    }
}

/// Every customer in each order, and the same person told in the shape of the documents.
async fn check_customers(shop: &Shop, rows: &Rows, what: &str) {
    struct Worth {
        orders: i64,
        first: (i64, i64),
        last: i64,
        own: Option<(i64, i64)>,
    }
    let first = rows.first();
    let mut want: BTreeMap<i64, Worth> = BTreeMap::new();
    for sale in rows.sales.values().filter(|s| s.is_order) {
        let Some(contact) = sale.contact else { continue };
        let worth = want.entry(contact).or_insert(Worth { orders: 0, first: first[&contact], last: 0, own: None });
        worth.orders += 1;
        worth.last = worth.last.max(sale.at);
        if sale.currency == "EUR" {
            worth.own.get_or_insert((0, 0)).0 += 1;
        }
        for b in rows.booked.iter().filter(|b| b.sale == sale.id && b.currency == "EUR") {
            worth.own.get_or_insert((0, 0)).1 += b.minor;
        }
    }
    for sort in ["lifetime", "orders", "average", "first", "last"] {
        let shown = shop.pages(&format!("customers?sort={sort}")).await;
        assert_eq!(shown.len(), want.len(), "{what}: {sort}");
        let mut keys: Vec<(bool, i64)> = Vec::new();
        for row in &shown {
            let id: i64 = row["id"].as_str().and_then(|id| id.strip_prefix("contact_")).and_then(|n| n.parse().ok()).expect("an id");
            let worth = &want[&id];
            assert_eq!(row["orders"], json!(worth.orders), "{what}");
            let own = worth.own.filter(|own| *own != (0, 0));
            assert_eq!(row["lifetime"]["minor"].as_i64().unwrap_or(0), own.map_or(0, |o| o.1), "{what}: {row}");
            assert_eq!(
                Time::parse(row["first_at"].as_str().expect("a time")).map(|t| t.s()),
                Some(worth.first.0.div_euclid(1_000)),
                "{what}"
            );
            assert_eq!(Time::parse(row["last_at"].as_str().expect("a time")).map(|t| t.s()), Some(worth.last.div_euclid(1_000)), "{what}");
            let source = rows.sales[&worth.first.1].first_source.clone();
            assert_eq!(row["first"]["source"], json!(source), "{what}");
            keys.push(match sort {
                "lifetime" => (own.is_some(), own.map_or(0, |o| o.1)),
                "average" => {
                    let average = own.filter(|o| o.0 > 0).map(|o| o.1 / o.0);
                    (average.is_some(), average.unwrap_or(0))
                }
                "orders" => (true, worth.orders),
                "first" => (true, worth.first.0),
                _ => (true, worth.last),
            });
        }
        assert!(keys.is_sorted_by(|a, b| a >= b), "{what}: {sort}: {keys:?}");
    }
    let named = shop.get("/api/analytics/customers?domain=shop.example&email=Person4@Mail.example").await;
    let shown = &named["customers"][0];
    let worth = &want[&4];
    assert_eq!((&shown["customerId"], &shown["email"]), (&json!("contact_4"), &json!("person4@mail.example")));
    assert_eq!(shown["totalPurchases"], json!(worth.orders), "{what}");
    assert_eq!(minor(&shown["lifetimeValue"], "EUR"), worth.own.map_or(0, |o| o.1), "{what}");
    let ltv = shop.get("/api/analytics/revenue?domain=shop.example&metric=ltv").await;
    assert_eq!(ltv["ltv"]["totalCustomers"], json!(want.len()), "{what}");
    assert_eq!(ltv["ltv"]["returningCustomers"], json!(want.values().filter(|w| w.orders > 1).count()), "{what}");
    assert_eq!(ltv["totalRevenue"], Value::Null, "only what was asked");
}

#[tokio::test]
async fn figures_agree_with_the_rows_at_every_moment() {
    for (zone, seed) in [("Europe/Dublin", 4), ("Asia/Dubai", 9)] {
        let mut shop = Shop::open(zone, seed).await;
        let mut dice = Dice::new(seed);
        for state in ["from the rows", "counted", "changed since", "counted again", "in part", "changed today", "the day after"] {
            match state {
                "counted" | "counted again" => cube::catch_up(&shop.house.app).await.expect("counted"),
                "changed since" | "changed today" => shop.change(&mut dice),
                "in part" => {
                    let (zone, now) = (shop.site.zone.clone(), shop.house.clock.now());
                    let marked = shop.house.app.store.write(shop.at.id, move |c| halotrack::store::cube::mark_part(c, &zone, now));
                    marked.await.expect("marked");
                    cube::catch_up(&shop.house.app).await.expect("counted");
                }
                "the day after" => {
                    shop.house.advance_s(20 * 3_600);
                    shop.owner = shop.house.login("bea@shop.example", Right::Own, None).await;
                    cube::catch_up(&shop.house.app).await.expect("counted");
                }
                _ => {}
            }
            let rows = shop.rows();
            let today = shop.day(shop.house.clock.now().ms());
            check_revenue(&shop, &rows, today.plus(-(DAYS as i32) - 10), today, state).await;
            // So many that they are found along the order, not gathered.
            check_buyers(&shop, &rows, today.plus(-(DAYS as i32)), today, state).await;
            for _ in 0..3 {
                let from = today.plus(-(dice.below(DAYS) as i32));
                let to = from.plus(dice.below(30) as i32).min(today);
                check_revenue(&shop, &rows, from, to, state).await;
                check_buyers(&shop, &rows, from, to, state).await;
            }
            check_customers(&shop, &rows, state).await;
        }
    }
}

/// A customer is worth what is left, whoever told of it and however often; a sale without a visit is in every total.
#[tokio::test]
async fn a_customer_is_worth_what_is_left() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let order = |id: &str, email: &str, total: &str, currency: &str, status: &str| {
        json!({"order_id": id, "total": total, "currency": currency, "email": email, "status": status,
            "items": [{"id": "7", "name": "Gloves", "price": total, "quantity": 1}]})
    };
    for body in [
        order("#1", "Ann@Mail.example", "100.00", "USD", "paid"),
        order("#2", "ann@mail.example", "50.00", "USD", "paid"),
        order("#2", "ann@mail.example", "50.00", "USD", "paid"),
        order("#3", "ann@mail.example", "20.00", "EUR", "paid"),
        order("#4", "bob@mail.example", "500.00", "USD", "paid"),
        order("#4", "bob@mail.example", "500.00", "USD", "refunded"),
        order("#5", "cleo@mail.example", "7.00", "USD", "pending"),
    ] {
        house.advance_s(60);
        house.order(&site, body).await.is(200);
    }
    house.lead(&site, json!({"lead_id": "L-1", "email": "dan@mail.example"})).await.is(200);
    let get = async |path: &str| house.get(path).token(&site.token).send().await.is(200).json;
    let all = get("/api/analytics/customers").await;
    let rows: Vec<(&str, f64, i64)> = all["customers"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|k| {
            (
                k["email"].as_str().expect("an address"),
                k["lifetimeValue"].as_f64().expect("a number"),
                k["totalPurchases"].as_i64().expect("a count"),
            )
        })
        .collect();
    assert_eq!(rows, [("ann@mail.example", 150.0, 3), ("bob@mail.example", 0.0, 1)], "who has not paid is no customer");
    let ann = &all["customers"][0];
    assert_eq!((&ann["averageOrderValue"], &ann["isReturning"]), (&json!(75.0), &json!(true)));
    assert_eq!(ann["otherCurrencies"]["EUR"]["lifetimeValue"], json!(20.0), "apart, never added");
    // Known, and without a sale: the answer says so.
    let dan = get("/api/analytics/customers?email=dan@mail.example").await;
    assert_eq!((&dan["customers"][0]["totalPurchases"], &dan["customers"][0]["firstPurchaseAt"]), (&json!(0), &Value::Null));
    assert_eq!(get("/api/analytics/customers?email=nobody@mail.example").await["customers"], json!([]));
    let revenue = get("/api/analytics/revenue?domain=shop.example").await;
    assert_eq!((&revenue["totalRevenue"], &revenue["grossRevenue"]), (&json!(150.0), &json!(650.0)), "nobody's visit is known of any");
    assert_eq!(revenue["otherCurrencies"]["EUR"]["totalRevenue"], json!(20.0));
    assert_eq!(revenue["topProducts"][0]["productId"], json!("7"));
    assert_eq!(revenue["revenueByPlatform"], json!({"generic": 150.0}));
    // Two people are found to be one.
    let both = json!({"order_id": "#6", "total": "1.00", "currency": "USD", "email": "ann@mail.example", "phone": "+353861234567", "status": "paid"});
    house.order(&site, both).await.is(200);
    let phone = json!({"order_id": "#7", "total": "2.00", "currency": "USD", "email": "bob@mail.example", "phone": "+353861234567", "status": "paid"});
    house.order(&site, phone).await.is(200);
    let all = get("/api/analytics/customers").await;
    assert_eq!(all["customers"].as_array().map(Vec::len), Some(1), "{all}");
    assert_eq!((&all["customers"][0]["totalPurchases"], &all["customers"][0]["lifetimeValue"]), (&json!(6), &json!(153.0)));
    // What is erased is nobody's any more, and stays in the totals.
    house.delete("/api/delete-user?email=ann@mail.example").token(&site.token).send().await.is(200);
    assert_eq!(get("/api/analytics/customers").await["customers"], json!([]));
    assert_eq!(get("/api/analytics/revenue").await["totalRevenue"], json!(153.0));
}

#[tokio::test]
async fn a_token_names_its_site_and_a_login_must() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let other = house.site("other.example").await;
    house
        .order(&site, json!({"order_id": "#1", "total": "9.00", "currency": "USD", "email": "ann@mail.example", "status": "paid"}))
        .await
        .is(200);
    for path in ["/api/analytics/revenue", "/api/analytics/customers"] {
        let ask = |query: &str| house.get(&format!("{path}{query}"));
        let refused = ask("").send().await.is(401);
        assert_eq!((&refused.json["success"], refused.json["error"].is_string()), (&json!(false), true), "{}", refused.text);
        for query in ["", "?domain=shop.example", "?domain=WWW.Shop.Example."] {
            ask(query).token(&site.token).send().await.is(200);
        }
        for query in ["?domain=other.example", "?domain=nowhere.example"] {
            ask(query).token(&site.token).send().await.is(404);
        }
        assert!(!ask("?domain=other.example").token(&other.token).send().await.is(200).text.contains("ann@"));
        let reader = house.token(site.id, &[Scope::Write]).await;
        ask("").token(&reader).send().await.is(403);
        let owner = house.login(&format!("own{}@shop.example", path.len()), Right::Own, None).await;
        assert_eq!(ask("").cookie(&owner).send().await.is(400).json["details"]["field"], json!("domain"));
        ask("?domain=nowhere.example").cookie(&owner).send().await.is(404);
        ask("?domain=shop.example").cookie(&owner).send().await.is(200);
        let member = house.login(&format!("see{}@shop.example", path.len()), Right::Read, Some(site.id)).await;
        ask("?domain=shop.example").cookie(&member).send().await.is(200);
        ask("?domain=other.example").cookie(&member).send().await.is(404);
        for query in ["&start=nope", "&start=2026-06-02&end=2026-06-01", "&limit=0", "&limit=501"] {
            let refused = ask(&format!("?domain=shop.example{query}")).token(&site.token).send().await.is(400);
            assert_eq!(refused.json["success"], json!(false), "{query}");
        }
    }
    house.get("/api/analytics/revenue?metric=nonsense").token(&site.token).send().await.is(400);
    house.get("/api/analytics/customers?sort=nonsense").token(&site.token).send().await.is(400);
    house.get("/api/analytics/customers?email=nonsense").token(&site.token).send().await.is(400);
    // A client sees figures and no people.
    let client = house.login("client@shop.example", Right::See, Some(site.id)).await;
    let told = house.get("/api/analytics/revenue?domain=shop.example").cookie(&client).send().await.is(200).text;
    assert!(told.contains("\"totalRevenue\":9.0") && !told.contains("ann@mail.example"), "{told}");
    house.get("/api/analytics/customers?domain=shop.example").cookie(&client).send().await.is(403);
    let listed = house.get(&format!("/api/sites/{}/customers", site.slug)).cookie(&client).send().await.is(200).text;
    assert!(!listed.contains("ann@mail.example") && listed.contains("\"minor\":900"), "{listed}");
    house.get(&format!("/api/sites/{}/customers?q=ann", site.slug)).cookie(&client).send().await.is(403);
}
