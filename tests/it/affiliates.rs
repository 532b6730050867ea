//! Partners: who earns a sale by one printed rule, whatever comes first; what is earned, waits, is paid and goes back; and that
//! nobody earns by somebody else's sale, an own purchase, or while paused.

use std::collections::BTreeMap;

use halotrack::crypto;
use halotrack::domain::rights::Right;
use halotrack::store::FILE;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::running::Running;

const DAY_S: i64 = 86_400;

impl House {
    /// A partner as the dashboard adds one; gives the id.
    pub async fn partner(&self, site: &SiteAt, code: &str, more: Value) -> String {
        let mut body = json!({"codes": [code], "commission": ["10%"]});
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        self.advance_s(1);
        let made = self.post(&format!("/api/sites/{}/affiliates", site.slug)).token(&site.token).json(&body).send().await.is(201).json;
        made["affiliate"].as_str().expect("an id").to_owned()
    }

    /// What a partner's route is told.
    pub async fn of_partner(&self, site: &SiteAt, path: &str, body: Value) -> Answer {
        self.advance_s(1);
        self.post(&format!("/api/sites/{}/affiliates/{path}", site.slug)).token(&site.token).json(&body).send().await
    }

    pub async fn statement(&self, site: &SiteAt, id: &str, month: &str) -> Value {
        self.advance_s(1);
        let path = format!("/api/sites/{}/affiliates/{id}/statement?month={month}", site.slug);
        self.get(&path).token(&site.token).send().await.is(200).json
    }

    pub async fn performance(&self, site: &SiteAt, query: &str) -> Value {
        self.advance_s(1);
        self.get(&format!("/api/affiliates/performance?{query}")).token(&site.token).send().await.is(200).json["data"].clone()
    }

    pub async fn sold(&self, site: &SiteAt, body: Value) -> String {
        self.advance_s(1);
        let mut told = json!({"conversion_type": "sale", "currency": "USD"});
        if let (Some(told), Value::Object(body)) = (told.as_object_mut(), body) {
            told.extend(body);
        }
        self.conversion(site, told).await.is(201).json["conversion_id"].as_str().expect("an id").to_owned()
    }
}

/// The lines of a statement: day, commission, state.
pub fn lines(statement: &Value) -> Vec<(String, i64, String)> {
    let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let all = statement["lines"].as_array().into_iter().flatten();
    all.map(|l| (word(&l["day"]), l["amount"]["minor"].as_i64().unwrap_or_default(), word(&l["state"]))).collect()
}

/// Every commission of a site: whose it is, and what is left of it.
pub fn left(house: &House, site: &SiteAt) -> BTreeMap<String, i64> {
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let mut asked = db
        .prepare("select coalesce('affiliate_' || affiliate_id, code), sum(amount_minor) from commissions where site_id = ?1 group by 1")
        .expect("a question");
    let rows = asked.query_map(params![site.id.number()], |row| Ok((row.get(0)?, row.get(1)?))).expect("an answer");
    rows.map(|row| row.expect("a row")).filter(|(_, minor): &(String, i64)| *minor != 0).collect()
}

#[tokio::test]
async fn the_figures_are_clicks_sales_revenue_and_their_ratios() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.partner(&site, "Noor", json!({})).await;
    house.visit(&site, None, json!({"landing": "/?ref=noor"})).await;
    // The other 999 clicks were earlier.
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let day = house.app.book().site(site.id).expect("the site").zone.day(house.clock.now()).0;
    db.execute(
        "update affiliate_days set clicks = clicks + 999 where site_id = ?1 and day = ?2 and code = 'noor'",
        params![site.id.number(), day],
    )
    .expect("counted");
    let sales: Vec<Value> = (0..50)
        .map(|n| json!({"conversion_type": "sale", "revenue": 100, "currency": "USD", "affiliate_id": "NOOR", "order_id": format!("N{n}"), "email": format!("b{n}@mail.example")}))
        .collect();
    house.post("/api/conversions").token(&site.token).json(&json!(sales)).send().await.is(200);
    let data = house.performance(&site, "affiliate_id=noor").await;
    assert_eq!(
        data,
        json!({"affiliate_id": "noor", "clicks": 1_000, "conversions": 50, "revenue": 5_000.0, "epc": 5.0, "conversion_rate": 0.05,
            "commission": 500.0, "currency": "USD", "other_currencies": {}})
    );
    let path = format!("/api/sites/{}/reports/affiliates", site.slug);
    let report = house.get(&path).token(&site.token).send().await.is(200).json;
    let one = &report["items"][0];
    assert_eq!((&one["clicks"], &one["orders"], &one["conversion_rate"]), (&json!(1_000), &json!(50), &json!(0.05)));
    assert_eq!((&one["net"][0]["minor"], &one["epc"]["minor"]), (&json!(500_000), &json!(500)));
    assert_eq!((&one["commissions"]["pending"][0]["minor"], &one["owed"]), (&json!(50_000), &json!([])));
    assert_eq!(one["conversion_range"], Value::Null, "a thousand clicks speak for themselves");
    let csv = house.get(&format!("{path}.csv")).token(&site.token).send().await.is(200).text;
    assert!(csv.contains("Noor") && csv.contains("5.00") && csv.contains("USD 5000.00"), "{csv}");
    // Dates that do not hold them, and words that are none.
    let none = house.performance(&site, "affiliate_id=noor&date_from=2026-01-01&date_to=2026-01-31").await;
    assert_eq!(
        (&none["clicks"], &none["conversions"], &none["epc"], &none["conversion_rate"]),
        (&json!(0), &json!(0), &json!(0.0), &json!(0.0))
    );
    for bad in ["performance", "top?sort_by=clicks", "top?limit=0", "performance?affiliate_id=noor&date_from=nope"] {
        house.advance_s(1);
        house.get(&format!("/api/affiliates/{bad}")).token(&site.token).send().await.is(400);
    }
}

#[tokio::test]
async fn the_best_are_ranked_by_the_chosen_figure_and_few_clicks_carry_a_range() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.partner(&site, "anna", json!({})).await;
    for (code, clicks, sales) in [("anna", 4, vec![500]), ("ben", 1, vec![200]), ("cleo", 5, vec![20, 20, 20])] {
        for _ in 0..clicks {
            house.advance_s(1);
            house.visit(&site, None, json!({"aff": code})).await;
        }
        for revenue in sales {
            house.sold(&site, json!({"revenue": revenue, "affiliate_id": code})).await;
        }
    }
    let top = async |query: &str| -> Vec<String> {
        house.advance_s(1);
        let all = house.get(&format!("/api/affiliates/top?{query}")).token(&site.token).send().await.is(200).json;
        all["data"].as_array().expect("data").iter().filter_map(|d| d["affiliate_id"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(top("").await, ["anna", "ben", "cleo"], "by revenue, and codes that the API alone has named");
    assert_eq!(top("sort_by=conversions").await, ["cleo", "anna", "ben"]);
    assert_eq!(top("sort_by=epc").await, ["ben", "anna", "cleo"]);
    assert_eq!(top("sort_by=conversion_rate").await, ["ben", "cleo", "anna"]);
    assert_eq!(top("limit=1").await, ["anna"]);
    let report = house.get(&format!("/api/sites/{}/reports/affiliates", site.slug)).token(&site.token).send().await.is(200).json;
    assert!(report["items"][0]["conversion_range"][0].as_f64().is_some_and(|low| low < 0.25), "{report}");
    let strangers: Vec<&str> = report["strangers"].as_array().into_iter().flatten().filter_map(|s| s["code"].as_str()).collect();
    assert_eq!(strangers, ["cleo", "ben"], "codes that nobody has stand apart");
    // Whoever gets such a code has its figures from then on; what was sold before earns nothing.
    let ben = house.partner(&site, "BEN", json!({})).await;
    let statement = house.statement(&site, &ben, "2026-06").await;
    assert_eq!((&statement["clicks"], &statement["conversions"], &statement["commissions"]["earned"]), (&json!(1), &json!(1), &json!([])));
    assert_eq!(
        house.of_partner(&site, &format!("{ben}/commissions/conversion_2"), json!({"verdict": "approve"})).await.is(409).code(),
        "earns_nothing"
    );
}

#[tokio::test]
async fn one_click_is_one_in_half_an_hour_and_a_refusal_counts_too() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let clicks = async || house.performance(&site, "affiliate_id=noor").await["clicks"].clone();
    let link = json!({"landing": "/?utm_source=insta&utm_medium=social&ref=Noor"});
    let id = house.visit(&site, None, link.clone()).await;
    house.advance_s(60);
    house.visit(&site, Some(&id), link.clone()).await;
    // Another campaign, and a page of the site that carries the code on, are no other click.
    house.visit(&site, Some(&id), json!({"landing": "/?utm_source=mail&ref=noor"})).await;
    assert_eq!(clicks().await, json!(1));
    house.advance_s(31 * 60);
    house.visit(&site, Some(&id), json!({"landing": "/?ref=noor"})).await;
    assert_eq!(clicks().await, json!(2), "after half an hour it is another one");
    // Another partner's link right after is a click, whatever else it says.
    house.visit(&site, Some(&id), json!({"landing": "/?ref=karim"})).await;
    assert_eq!(house.performance(&site, "affiliate_id=karim").await["clicks"], json!(1));
    house.touch(&site, None, json!({"landing": "/?ref=noor", "consent": "denied"})).await.is(200);
    assert_eq!(clicks().await, json!(3), "who refuses a cookie has followed the link all the same");
    house.touch(&site, None, json!({"landing": "/?ref=<b>x</b>"})).await.is(200);
}

#[tokio::test]
async fn what_goes_back_takes_its_part_on_its_own_day() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"coupons": ["NOOR10"], "commission": ["10%", "product:cap=1.00"]})).await;
    let hook = house
        .connect(&site, "woocommerce", "", &[("url", "http://127.0.0.1:9/ours"), ("secret", "0123456789abcdef0123456789abcdef")])
        .await;
    let tell = async |modified: &str, status: &str, refunds: Value| {
        let body = json!({"id": 41, "number": "41", "status": status, "currency": "USD", "total": "100.00", "date_created_gmt": "2026-06-10T10:00:00",
            "date_paid_gmt": "2026-06-10T10:00:00", "date_modified_gmt": modified, "billing": {"email": "ann@mail.example"},
            "line_items": [{"id": 1, "product_id": 7, "name": "Cap", "quantity": 2, "price": 10, "total": "20.00"}],
            "coupon_lines": [{"code": "noor10"}], "refunds": refunds});
        let body = body.to_string();
        let signature = crypto::base64(&crypto::hmac_sha256(hook.secret.as_bytes(), &[body.as_bytes()]));
        house.advance_s(1);
        let call = house.post(&hook.hook).header("content-type", "application/json").header("x-wc-webhook-topic", "order.updated");
        call.header("x-wc-webhook-signature", &signature).body(body).send().await.is(200);
    };
    tell("2026-06-10T10:00:00", "processing", json!([])).await;
    // Two caps at 1.00 each, and a tenth of the other 80.00.
    let statement = house.statement(&site, &noor, "2026-06").await;
    assert_eq!(lines(&statement), [("2026-06-10".into(), 1_000, "pending".into())], "{statement}");
    assert!(statement["lines"][0]["note"].as_str().is_some_and(|n| n.contains("coupon noor10")), "{statement}");
    tell("2026-06-12T09:00:00", "processing", json!([{"id": 5, "total": "-25.00"}])).await;
    let statement = house.statement(&site, &noor, "2026-06").await;
    assert_eq!(lines(&statement)[1], ("2026-06-12".into(), -250, "pending".into()), "{statement}");
    assert_eq!(
        (&statement["commissions"]["earned"][0]["minor"], &statement["commissions"]["reversed"][0]["minor"]),
        (&json!(750), &json!(250))
    );
    // After its time and a payment, what goes back is taken from the next one.
    house.advance_s(40 * DAY_S);
    let owed = house.statement(&site, &noor, "2026-07").await["owed"].clone();
    assert_eq!(owed, json!([{"minor": 750, "currency": "USD"}]));
    let paid = house.of_partner(&site, &format!("{noor}/pay"), json!({"paid_on": "2026-07-22", "reference": "TRX 1"})).await.is(200).json;
    assert_eq!(paid["paid"][0]["amount"]["minor"], 750);
    assert_eq!(house.of_partner(&site, &format!("{noor}/pay"), json!({})).await.is(409).code(), "nothing_due");
    tell("2026-07-23T09:00:00", "refunded", json!([{"id": 5, "total": "-25.00"}])).await;
    let statement = house.statement(&site, &noor, "2026-07").await;
    assert_eq!(lines(&statement), [("2026-07-23".into(), -750, "approved".into())], "{statement}");
    assert_eq!((&statement["owed"][0]["minor"], &statement["payouts"][0]["reference"]), (&json!(-750), &json!("TRX 1")));
    assert_eq!(house.statement(&site, &noor, "2026-06").await["commissions"]["paid"][0]["minor"], 750);
    let told_again = lines(&statement);
    tell("2026-07-23T09:00:00", "refunded", json!([{"id": 5, "total": "-25.00"}])).await;
    assert_eq!(lines(&house.statement(&site, &noor, "2026-07").await), told_again, "a repeat changes nothing");
}

#[tokio::test]
async fn a_commission_waits_for_its_days_and_for_the_owner() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"hold_days": 10, "email": "Noor@Mail.example"})).await;
    let first = house.sold(&site, json!({"revenue": 80, "affiliate_id": "noor", "email": "b@mail.example"})).await;
    let own = house.sold(&site, json!({"revenue": 50, "affiliate_id": "noor", "email": "noor@mail.example"})).await;
    let states = async || -> Vec<String> { lines(&house.statement(&site, &noor, "2026-06").await).into_iter().map(|l| l.2).collect() };
    assert_eq!(states().await, ["pending", "pending"]);
    let statement = house.statement(&site, &noor, "2026-06").await;
    assert_eq!(statement["lines"][0]["days_left"], 10);
    assert!(statement["lines"][1]["flag"].as_str().is_some_and(|f| f.contains("e-mail address is the partner's own")), "{statement}");
    assert_eq!(statement["flags"][0]["flag"], "self_purchase");
    house.advance_s(10 * DAY_S);
    assert_eq!(states().await, ["approved", "pending"], "an own purchase waits until the owner decides");
    let decide = async |conversion: &str, verdict: &str, status: u16| {
        let body = json!({"verdict": verdict, "note": "seen"});
        house.of_partner(&site, &format!("{noor}/commissions/{conversion}"), body).await.is(status);
    };
    decide(&own, "approve", 204).await;
    assert_eq!(states().await, ["approved", "approved"]);
    decide(&own, "refuse", 204).await;
    let statement = house.statement(&site, &noor, "2026-06").await;
    assert_eq!(lines(&statement)[2], ("2026-06-23".into(), -500, "approved".into()), "taken back in the open, on its day");
    assert_eq!(statement["owed"], json!([{"minor": 800, "currency": "USD"}]));
    decide(&own, "wait", 204).await;
    assert_eq!(house.statement(&site, &noor, "2026-06").await["commissions"]["earned"][0]["minor"], 1_300);
    decide(&first, "maybe", 422).await;
    decide("conversion_99", "approve", 404).await;
    house.of_partner(&site, &format!("{noor}/pay"), json!({"paid_on": "2027-01-01"})).await.is(422);
}

#[tokio::test]
async fn a_coupon_counts_before_a_link_and_the_last_link_before_others() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let (anna, ben) = (house.partner(&site, "anna", json!({})).await, house.partner(&site, "ben", json!({"coupons": ["BEN5"]})).await);
    let id = house.history(&site, None, 50, json!({"landing": "/?ref=ben"})).await;
    house.history(&site, Some(&id), 20, json!({"landing": "/?ref=anna"})).await;
    let order = |n: &str, coupons: Value| json!({"order_id": n, "total": "100.00", "currency": "USD", "email": format!("c{n}@mail.example"), "session_id": id, "created_at": house.ago(3_600), "coupons": coupons});
    house.order(&site, order("1", json!([]))).await.is(200);
    assert_eq!(left(&house, &site), BTreeMap::from([(anna.clone(), 1_000)]), "the last link");
    house.order(&site, order("2", json!(["SUMMER", "ben5"]))).await.is(200);
    assert_eq!(left(&house, &site), BTreeMap::from([(anna.clone(), 1_000), (ben.clone(), 1_000)]), "a coupon before a link");
    let said = house.statement(&site, &ben, "2026-06").await;
    let note = said["lines"][0]["note"].as_str().expect("a reason");
    assert!(
        note.contains("used the coupon ben5") && note.contains("anna had a link followed too: a coupon counts before a link"),
        "{note}"
    );
    assert!(said["rule"].as_str().is_some_and(|r| r.contains("then a coupon of a partner on the order, then a partner's link")), "{said}");
    // By the owner's choice the first link earns.
    halotrack::flows::sites::set(&house.app, site.id, "affiliates.model", "first", "test").await.expect("set");
    house.order(&site, order("3", json!([]))).await.is(200);
    assert_eq!(left(&house, &site), BTreeMap::from([(anna, 1_000), (ben.clone(), 2_000)]), "known sales keep theirs");
    // A link that was followed too long ago earns nothing.
    house.of_partner(&site, &ben, json!({"cookie_days": 1})).await.is(200);
    house.order(&site, order("4", json!([]))).await.is(200);
    assert_eq!(left(&house, &site)[&ben], 2_000);
}

#[tokio::test]
async fn terms_are_those_of_the_moment_when_a_sale_was_known() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"commission": ["10%", "lead=2.00"]})).await;
    let sale = json!({"order_id": "7", "total": "100.00", "currency": "USD", "email": "b@mail.example", "affiliate": "noor"});
    house.order(&site, sale.clone()).await.is(200);
    house.of_partner(&site, &noor, json!({"commission": ["50%"], "hold_days": 0})).await.is(200);
    house.order(&site, sale).await.is(200);
    let told = json!({"conversion_type": "sale", "currency": "USD", "order_id": "7", "revenue": 100, "affiliate_id": "noor", "email": "b@mail.example"});
    house.conversion(&site, told).await.is(200);
    assert_eq!(left(&house, &site)[&noor], 1_000, "told again and by others, it keeps its terms");
    house.sold(&site, json!({"revenue": 100, "affiliate_id": "noor"})).await;
    assert_eq!(left(&house, &site)[&noor], 6_000);
    // A coupon that becomes a partner's later earns nothing for orders that are known.
    let old = json!({"order_id": "8", "total": "100.00", "currency": "USD", "email": "d@mail.example", "coupons": ["LATE"]});
    house.order(&site, old.clone()).await.is(200);
    house.of_partner(&site, &noor, json!({"coupons": ["LATE"]})).await.is(200);
    house.advance_s(60);
    house.order(&site, old).await.is(200);
    assert_eq!(left(&house, &site)[&noor], 6_000);
    // While paused nothing is earned, not even by what is told later of that time.
    house.of_partner(&site, &noor, json!({"paused": true})).await.is(200);
    house.advance_s(3_600);
    house.sold(&site, json!({"revenue": 100, "affiliate_id": "noor"})).await;
    let while_paused = house.ago(60);
    house.of_partner(&site, &noor, json!({"paused": false})).await.is(200);
    house.sold(&site, json!({"revenue": 100, "affiliate_id": "noor", "timestamp": while_paused})).await;
    assert_eq!(left(&house, &site)[&noor], 6_000);
    assert_eq!(house.performance(&site, "affiliate_id=noor").await["conversions"], 4, "they are counted all the same");
    house.sold(&site, json!({"revenue": 10, "affiliate_id": "noor"})).await;
    assert_eq!(left(&house, &site)[&noor], 6_500);
    // A lead with a rule of its own: it came to the terms of the moment.
    house.of_partner(&site, &noor, json!({"commission": ["10%", "lead=2.00"]})).await.is(200);
    house.lead(&site, json!({"email": "e@mail.example", "affiliate": "noor"})).await.is(200);
    assert_eq!(left(&house, &site)[&noor], 6_700);
}

/// What may come in any order: the visit that a server tells of afterwards, the API's word, the shop's own report.
#[tokio::test]
async fn the_order_of_arrival_makes_no_difference() {
    let orders: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for coupon in [Value::Null, json!(["BEN5"])] {
        for named in [Value::Null, json!("cleo")] {
            let mut ends = Vec::new();
            for turns in orders {
                let house = House::new();
                let site = house.site("shop.example").await;
                for (code, more) in [
                    ("anna", json!({})),
                    ("ben", json!({"coupons": ["BEN5"], "commission": ["20%"]})),
                    ("cleo", json!({"commission": ["3.00"]})),
                ] {
                    house.partner(&site, code, more).await;
                }
                let start = house.clock.now();
                // The browser itself is known from before, by another way in.
                let id = house.history(&site, None, 30, json!({"landing": "/?utm_source=insta"})).await;
                for turn in turns {
                    house.advance_s(1);
                    let ago = |s: i64| start.plus_ms(-s * 1_000).utc();
                    match turn {
                        0 => {
                            let touch = json!({"site": site.key, "landing": "/?ref=anna", "at": ago(20 * 3_600), "session_id": id, "user_agent": crate::house::CHROME});
                            house.post("/api/touch").token(&site.token).json(&touch).send().await.is(200);
                        }
                        1 => {
                            let told = json!({"conversion_type": "sale", "order_id": "55", "revenue": 90, "currency": "USD", "email": "b@mail.example", "timestamp": ago(3_500), "affiliate_id": named});
                            assert!(house.conversion(&site, told).await.status < 300);
                        }
                        _ => {
                            let order = json!({"order_id": "55", "total": "100.00", "currency": "USD", "email": "b@mail.example", "created_at": ago(3_600), "session_id": id, "coupons": coupon});
                            house.order(&site, order).await.is(200);
                        }
                    }
                }
                ends.push((left(&house, &site), turns));
            }
            let want = match (named.is_null(), coupon.is_null()) {
                (false, _) => ("affiliate_3", 300),
                (true, false) => ("affiliate_2", 2_000),
                (true, true) => ("affiliate_1", 1_000),
            };
            for (end, turns) in ends {
                assert_eq!(end, BTreeMap::from([(want.0.to_owned(), want.1)]), "{turns:?}, coupon {coupon}, named {named}");
            }
        }
    }
}

#[tokio::test]
async fn what_becomes_known_later_is_said_and_a_closed_month_stays() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let (anna, ben) = (house.partner(&site, "anna", json!({})).await, house.partner(&site, "ben", json!({"coupons": ["BEN5"]})).await);
    let id = house.visit(&site, None, json!({"landing": "/?ref=anna"})).await;
    house.advance_s(60);
    house.sold(&site, json!({"order_id": "9", "revenue": 100, "session_id": id, "email": "b@mail.example"})).await;
    assert_eq!(left(&house, &site), BTreeMap::from([(anna.clone(), 1_000)]));
    assert_eq!(house.of_partner(&site, "close", json!({"month": "2026-06"})).await.is(422).json["error"]["field"], "month");
    house.advance_s(25 * DAY_S);
    house.of_partner(&site, "close", json!({"month": "2026-06"})).await.is(204);
    // The shop's own report comes late, and knows of a coupon.
    let created = "2026-06-13T09:22:00Z";
    let order = json!({"order_id": "9", "total": "100.00", "currency": "USD", "email": "b@mail.example", "created_at": created, "session_id": id, "coupons": ["BEN5"]});
    house.order(&site, order).await.is(200);
    assert_eq!(left(&house, &site), BTreeMap::from([(ben.clone(), 1_000)]));
    let june = house.statement(&site, &anna, "2026-06").await;
    assert_eq!((&june["is_final"], lines(&june).len()), (&json!(true), 1), "{june}");
    let july = house.statement(&site, &anna, "2026-07").await;
    assert_eq!(lines(&july)[0].0, "2026-07-01");
    let note = july["lines"][0]["note"].as_str().expect("a reason");
    assert!(note.contains("Earned by somebody else") && note.contains("coupon BEN5") && note.contains("belongs to 2026-06-13"), "{note}");
    let bens = house.statement(&site, &ben, "2026-07").await;
    assert!(bens["lines"][0]["note"].as_str().is_some_and(|n| n.starts_with("Became known later.")), "{bens}");
}

#[tokio::test]
async fn a_site_knows_its_own_partners_only() {
    let house = House::new();
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    let noor = house.partner(&site, "noor", json!({"coupons": ["TEN"]})).await;
    house
        .order(&other, json!({"order_id": "1", "total": "10.00", "currency": "USD", "email": "b@mail.example", "coupons": ["TEN"]}))
        .await
        .is(200);
    house.sold(&other, json!({"revenue": 10, "affiliate_id": "noor"})).await;
    house.visit(&other, None, json!({"landing": "/?ref=noor"})).await;
    assert_eq!(left(&house, &site), BTreeMap::new());
    assert_eq!(left(&house, &other), BTreeMap::new(), "nobody has this code there");
    assert_eq!(house.performance(&site, "affiliate_id=noor").await["clicks"], 0);
    for path in [format!("{noor}/statement"), format!("{noor}/statement.csv")] {
        house.advance_s(1);
        house.get(&format!("/api/sites/{}/affiliates/{path}", other.slug)).token(&other.token).send().await.is(404);
    }
    house.of_partner(&other, &noor, json!({"name": "mine"})).await.is(404);
    house.of_partner(&other, &format!("{noor}/pay"), json!({})).await.is(404);
    assert_eq!(house.of_partner(&site, "", json!({})).await.status, 404);
    // A code has one owner on a site, and may have another on the next one.
    house.partner(&other, "noor", json!({})).await;
    house.advance_s(1);
    let body = json!({"codes": ["NOOR"], "commission": ["5%"]});
    let taken = house.post(&format!("/api/sites/{}/affiliates", site.slug)).token(&site.token).json(&body).send().await.is(409);
    assert_eq!((taken.code(), &taken.json["error"]["field"]), ("code_taken", &json!("codes")));
    for (bad, field) in [
        (json!({"commission": ["5%"]}), "codes"),
        (json!({"codes": [" "], "commission": ["5%"]}), "codes"),
        (json!({"codes": ["x y"], "commission": ["5%"]}), "codes"),
        (json!({"codes": ["x"], "coupons": ["x y"], "commission": ["5%"]}), "coupons"),
        (json!({"codes": ["x"]}), "commission"),
        (json!({"codes": ["x"], "commission": ["5%%"]}), "commission"),
        (json!({"codes": ["x"], "commission": ["5%"], "hold_days": 400}), "hold_days"),
        (json!({"codes": ["x"], "commission": ["5%"], "email": "nobody"}), "email"),
    ] {
        house.advance_s(1);
        let refused = house.post(&format!("/api/sites/{}/affiliates", site.slug)).token(&site.token).json(&bad).send().await.is(422);
        assert_eq!(refused.json["error"]["field"], field, "{bad}");
    }
}

#[tokio::test]
async fn what_looks_odd_is_flagged_with_its_reason() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"coupons": ["NOOR10"]})).await;
    // One network follows the link again and again, always as a new browser.
    for _ in 0..40 {
        house.advance_s(1);
        let body = json!({"site": site.key, "landing": "/?ref=noor&gclid=c1"}).to_string();
        house.post("/api/touch").browser(&site).header("x-forwarded-for", "203.0.113.9").body(body).send().await.is(200);
    }
    for n in 0..6 {
        let order = json!({"order_id": format!("{n}"), "total": "10.00", "currency": "USD", "email": format!("b{n}@mail.example"), "coupons": ["NOOR10"]});
        house.order(&site, order).await.is(200);
    }
    let statement = house.statement(&site, &noor, "2026-06").await;
    let flags: Vec<(&str, &str)> =
        statement["flags"].as_array().into_iter().flatten().filter_map(|f| Some((f["flag"].as_str()?, f["sentence"].as_str()?))).collect();
    let words: Vec<&str> = flags.iter().map(|f| f.0).collect();
    assert_eq!(words, ["code_leaked", "paid_search", "burst"], "{flags:?}");
    assert_eq!((&statement["conversions"], &statement["by_link"]), (&json!(6), &json!(0)), "none of them after a click");
    // One that followed the link counts as such, whatever earns; the rate of the API is by its contract.
    let session = house.visit(&site, None, json!({"landing": "/?ref=noor"})).await;
    house.advance_s(60);
    let order = json!({"order_id": "7", "total": "10.00", "currency": "USD", "email": "b7@mail.example", "session_id": session, "coupons": ["NOOR10"]});
    house.order(&site, order).await.is(200);
    let statement = house.statement(&site, &noor, "2026-06").await;
    assert_eq!((&statement["conversions"], &statement["by_link"]), (&json!(7), &json!(1)), "{statement}");
    assert!(flags[0].1.starts_with("6 of 6 sales by coupon"), "{flags:?}");
}

#[tokio::test]
async fn a_partner_reads_the_statement_under_a_link() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"name": "Noor", "email": "noor@mail.example", "payout": "AE07 0331"})).await;
    house.sold(&site, json!({"order_id": "10574", "revenue": 80, "affiliate_id": "noor", "email": "buyer@mail.example"})).await;
    let made = house.of_partner(&site, &format!("{noor}/links"), json!({"month": "2026-06", "expires_days": 30})).await.is(201).json;
    let token = made["link"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned();
    let look = async |token: &str| house.get(&format!("/api/statements/{token}")).header("sec-fetch-site", "same-origin").send().await;
    let seen = look(&token).await.is(200);
    assert!(seen.header("x-robots-tag").contains("noindex"));
    assert_eq!((&seen.json["name"], &seen.json["lines"][0]["label"]), (&json!("Noor"), &json!("Order ••••74")));
    for hidden in ["buyer@", "noor@", "AE07", "conversion_1", "10574", "affiliate_1"] {
        assert!(!seen.text.contains(hidden), "{hidden} in {}", seen.text);
    }
    let page = house.get(&format!("/statement/{token}")).send().await.is(200);
    assert!(page.header("x-robots-tag").contains("noindex") && page.header("content-type").starts_with("text/html"));
    let links = house.statement(&site, &noor, "2026-06").await["links"].clone();
    assert_eq!(
        (&links[0]["views"], links[0]["link"].as_str().is_some_and(|l| l.ends_with(&token))),
        (&json!(1), true),
        "it can be copied again"
    );
    // Any other text is no link, and an ended one is the same as none.
    for bad in ["", "x", &token[1..]] {
        assert_eq!(look(&format!("{bad}a")).await.is(404).code(), "not_found");
    }
    house.advance_s(31 * DAY_S);
    look(&token).await.is(404);
    let again = house.of_partner(&site, &format!("{noor}/links"), json!({"month": "2026-06"})).await.is(201).json;
    let token = again["link"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned();
    look(&token).await.is(200);
    let id = again["statement"].as_str().expect("an id");
    house.of_partner(&site, &format!("{noor}/links/{id}/revoke"), json!({})).await.is(204);
    look(&token).await.is(404);
    house.of_partner(&site, &format!("{noor}/links/{id}/revoke"), json!({})).await.is(404);
    house.of_partner(&site, &format!("{noor}/links"), json!({"month": "2027-06"})).await.is(422);
    // Who may not see people's data may not see partners either.
    let client = house.login("client@shop.example", Right::See, Some(site.id)).await;
    house.get(&format!("/api/sites/{}/affiliates", site.slug)).cookie(&client).send().await.is(403);
}

#[tokio::test]
async fn the_file_for_the_bank_names_who_gets_what() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let body = json!({"name": "=Noor", "payout": "AE07 0331 2345", "hold_days": 0});
    house.partner(&site, "noor", body).await;
    house.partner(&site, "karim", json!({})).await;
    house.sold(&site, json!({"revenue": 80, "affiliate_id": "noor"})).await;
    house.advance_s(60);
    let csv = house.get(&format!("/api/sites/{}/affiliates/bank.csv", site.slug)).token(&site.token).send().await.is(200);
    let rows: Vec<&str> = csv.text.lines().collect();
    assert_eq!(rows, ["payee,account,amount,currency,reference", "'=Noor,AE07 0331 2345,8.00,USD,shop noor 2026-06-13"]);
    let list = house.get(&format!("/api/sites/{}/affiliates", site.slug)).token(&site.token).send().await.is(200).json;
    assert_eq!((&list["items"][0]["owed"][0]["minor"], &list["items"][0]["link"]), (&json!(800), &json!("https://shop.example/?ref=noor")));
    for end in ["csv", "jsonl"] {
        house.advance_s(1);
        let all = house.get(&format!("/api/sites/{}/affiliates.{end}", site.slug)).token(&site.token).send().await.is(200).text;
        assert!(all.contains("karim"), "{all}");
    }
}

#[test]
fn partners_are_added_by_command() {
    let server = Running::new("partners");
    server.cli(&["site", "add", "--name", "shop", "--domain", "shop.example", "--currency", "EUR"]);
    let add = ["affiliate", "add", "--site", "shop", "--code", "Noor", "--name", "Noor Haddad", "--commission", "10%"];
    let made =
        server.cli(&[&add[..], &["--commission", "lead=2.00", "--hold", "14d", "--coupon", "NOOR10", "--coupon", "NOOR20"]].concat());
    assert_eq!(
        (&made["affiliate"], &made["site"], &made["code"], &made["hold_days"]),
        (&json!("affiliate_1"), &json!("shop"), &json!("Noor"), &json!(14))
    );
    assert_eq!((&made["coupons"], &made["link"]), (&json!(["NOOR10", "NOOR20"]), &json!("https://shop.example/?ref=Noor")));
    assert_eq!(made["terms"], "10% of each sale, 2.00 EUR for each lead");
    let fixed = server.cli(&["affiliate", "add", "--site", "shop", "--code", "karim", "--commission", "5.00"]);
    assert_eq!((&fixed["name"], &fixed["terms"], &fixed["hold_days"]), (&json!("karim"), &json!("5.00 EUR for each sale"), &json!(30)));
    let all = server.cli(&["affiliate", "list", "--site", "shop"]);
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all}");
    assert_eq!(all, server.cli(&["affiliate", "list"]));
}

#[tokio::test]
async fn an_erasure_keeps_what_was_earned() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"name": "Noor Haddad", "email": "noor@mail.example", "phone": "+971501234567"})).await;
    house.sold(&site, json!({"revenue": 80, "affiliate_id": "noor", "email": "buyer@mail.example"})).await;
    let link = house.of_partner(&site, &format!("{noor}/links"), json!({"month": "2026-06"})).await.is(201).json;
    let token = link["link"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned();
    let before = left(&house, &site);
    let erase = async |email: &str| {
        house.advance_s(1);
        let body = json!({"email": email});
        house.post(&format!("/api/sites/{}/erasures", site.slug)).token(&site.token).json(&body).send().await.is(201).json
    };
    erase("buyer@mail.example").await;
    assert_eq!(left(&house, &site), before, "a buyer who is forgotten was a buyer");
    let certificate = erase("noor@mail.example").await;
    assert_eq!(certificate["rows"]["affiliates"], 1, "{certificate}");
    assert_eq!(certificate["file"]["residue"], Value::Null, "{certificate}");
    let statement = house.statement(&site, &noor, "2026-06").await;
    assert_eq!((&statement["name"], &statement["email"], &statement["state"]), (&json!("Erased partner"), &Value::Null, &json!("erased")));
    assert_eq!(left(&house, &site), before);
    house.get(&format!("/api/statements/{token}")).header("sec-fetch-site", "same-origin").send().await.is(404);
    house.advance_s(60);
    house.sold(&site, json!({"revenue": 80, "affiliate_id": "noor"})).await;
    assert_eq!(left(&house, &site), before, "and earns nothing any more");
    assert_eq!(house.of_partner(&site, &noor, json!({"name": "x"})).await.is(409).code(), "erased");
    // By the owner's own hand it is the same.
    let karim = house.partner(&site, "karim", json!({"name": "Karim", "payout": "AE07"})).await;
    house.of_partner(&site, &format!("{karim}/erase"), json!({})).await.is(204);
    let list = house.get(&format!("/api/sites/{}/affiliates", site.slug)).token(&site.token).send().await.is(200).text;
    assert!(!list.contains("Karim") && !list.contains("AE07"), "{list}");
}

/// Neither a setting, nor another name told under the same right, takes a commission from whoever has earned it.
#[tokio::test]
async fn who_has_earned_it_keeps_it() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.partner(&site, "aaa", json!({"coupons": ["AAA9"], "hold_days": 0})).await;
    let bbb = house.partner(&site, "bbb", json!({"coupons": ["BBB9"], "hold_days": 0})).await;
    // The last link earns, and is paid; then the owner changes the rule, and the shop tells the order again.
    let session = house.visit(&site, None, json!({"landing": "/?ref=aaa"})).await;
    house.advance_s(3_600);
    house.visit(&site, Some(&session), json!({"landing": "/?ref=bbb"})).await;
    house.advance_s(60);
    let order = |status: &str| json!({"order_id": "M2", "total": 200, "currency": "USD", "session_id": session, "status": status});
    house.order(&site, order("paid")).await.is(200);
    assert_eq!(left(&house, &site), BTreeMap::from([(bbb.clone(), 2_000)]));
    let due = json!([{"minor": 1_500, "currency": "USD"}]);
    let early = house.of_partner(&site, &format!("{bbb}/pay"), json!({"amounts": due})).await.is(409);
    assert_eq!(early.code(), "due_changed", "the bank was told another sum");
    assert!(["15.00", "20.00"].iter().all(|sum| early.text.contains(sum)), "both sums: {}", early.text);
    house.of_partner(&site, &format!("{bbb}/pay"), json!({"amounts": [{"minor": 2_000, "currency": "USD"}]})).await.is(200);
    halotrack::flows::sites::set(&house.app, site.id, "affiliates.model", "first", "test").await.expect("set");
    house.advance_s(60);
    house.order(&site, order("completed")).await.is(200);
    assert_eq!(left(&house, &site), BTreeMap::from([(bbb.clone(), 2_000)]), "the rule of its day stays");
    // Another code of the same kind, told later.
    let sale = |code: &str| json!({"conversion_type": "sale", "revenue": 50, "currency": "USD", "order_id": "S1", "affiliate_id": code});
    for code in ["bbb", "aaa"] {
        house.post("/api/conversions").token(&site.token).json(&sale(code)).send().await;
        house.advance_s(60);
    }
    assert_eq!(left(&house, &site), BTreeMap::from([(bbb.clone(), 2_500)]));
    for coupons in [json!(["BBB9"]), json!(["BBB9", "AAA9"])] {
        let order = json!({"order_id": "C1", "total": 10, "currency": "USD", "coupons": coupons, "email": "c@mail.example"});
        house.order(&site, order).await.is(200);
        house.advance_s(60);
    }
    assert_eq!(left(&house, &site), BTreeMap::from([(bbb.clone(), 2_600)]));
}

/// Capitals of other scripts are the same letters too.
#[tokio::test]
async fn a_reload_is_no_click_in_any_script() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.partner(&site, "ÖZGE", json!({})).await;
    let session = house.visit(&site, None, json!({"landing": "/?ref=%C3%96ZGE"})).await;
    for _ in 0..3 {
        house.advance_s(5);
        house.visit(&site, Some(&session), json!({"landing": "/?ref=%C3%96ZGE"})).await;
    }
    assert_eq!(house.performance(&site, "affiliate_id=%C3%B6zge").await["clicks"], 1);
}
