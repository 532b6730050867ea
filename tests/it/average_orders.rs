//! An average order is net revenue by all orders (spec 9.3), and the same wherever it is shown.

use halotrack::domain::rights::Scope;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};

const DAY_S: i64 = 86_400;

/// The same numbers at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

async fn read(house: &House, site: &SiteAt, path: &str) -> Value {
    // A token may ask ten times a second, and time stands still here.
    let token = house.token(site.id, &[Scope::Read]).await;
    house.get(path).token(&token).send().await.is(200).json
}

/// Net revenue in cents, orders, and the average in cents to the nearest.
fn rule(net: i64, orders: i64) -> Option<i64> {
    let half = if net < 0 { -(orders / 2) } else { orders / 2 };
    (orders > 0).then(|| (net + half) / orders)
}

fn cents(value: &Value) -> i64 {
    (value.as_f64().unwrap_or_default() * 100.0).round() as i64
}

#[tokio::test]
async fn an_average_order_is_the_same_wherever_it_is_shown() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let mut dice = Dice(11);
    let at = |days: u64| house.ago(days as i64 * DAY_S + 3_600);
    for n in 0..40 {
        let days = 1 + dice.below(9);
        let currency = if dice.below(6) == 0 { "EUR" } else { "USD" };
        let total = format!("{}.{:02}", dice.below(300), dice.below(100));
        let mut told = json!({"order_id": format!("A{n}"), "total": total, "currency": currency, "status": "paid", "created_at": at(days),
            "modified_at": at(days), "email": format!("b{}@mail.example", dice.below(12))});
        house.order(&site, told.clone()).await.is(200);
        match dice.below(5) {
            0 => {
                told["status"] = json!("refunded");
                told["modified_at"] = json!(at(dice.below(days)));
            }
            1 => told["status"] = json!("cancelled"),
            _ => continue,
        }
        house.order(&site, told).await.is(200);
    }
    let slug = &site.slug;
    let (from, to) = (house.ago(20 * DAY_S)[..10].to_owned(), house.ago(0)[..10].to_owned());
    let orders = house.list(&site, "conversions").await.iter().filter(|c| c["amount"]["currency"] == "USD").count() as i64;
    let top = read(&house, &site, &format!("/api/sites/{slug}/reports/overview?from={from}&to={to}")).await;
    let net = top["net"].as_array().into_iter().flatten().find(|m| m["currency"] == "USD").map_or(0, |m| m["minor"].as_i64().unwrap_or(0));
    let want = rule(net, orders).expect("orders");
    assert!(top["back"].to_string().contains("-"), "something went back: {top:#}");
    assert_eq!(top["average_order"]["minor"], json!(want), "{top:#}");
    let kept = read(&house, &site, &format!("/api/analytics/revenue?domain=shop.example&start={from}&end={to}")).await;
    assert_eq!((cents(&kept["totalRevenue"]), kept["totalOrders"].as_i64(), cents(&kept["averageOrderValue"])), (net, Some(orders), want));
    let customers = read(&house, &site, &format!("/api/sites/{slug}/reports/customers?from={from}&to={to}")).await;
    assert_eq!(customers["average_order"]["minor"], json!(want), "{customers:#}");
    let view = house.sql(&site, "select * from revenue_by_platform where currency = 'USD'");
    assert_eq!(view.len(), 1, "{view:?}");
    assert_eq!(
        (cents(&view[0]["total_revenue"]), view[0]["order_count"].as_i64(), cents(&view[0]["average_order_value"])),
        (net, Some(orders), want)
    );
    // Each person's own, in the list, the kept analytics and the view.
    let people = read(&house, &site, &format!("/api/sites/{slug}/customers?limit=500")).await;
    for one in people["items"].as_array().into_iter().flatten() {
        let own = house.list(&site, "conversions").await;
        let of = |c: &&Value| c["who"]["contact"] == one["who"]["contact"] && c["amount"]["currency"] == "USD";
        let count = own.iter().filter(of).count() as i64;
        let left: i64 = own.iter().filter(of).filter_map(|c| c["net"]["minor"].as_i64()).sum();
        assert_eq!(one["average"]["minor"].as_i64(), rule(left, count), "{one:#}");
    }
    for one in house.sql(&site, "select * from high_value_customers") {
        let (worth, orders) = (one["lifetime_value"].as_f64().unwrap_or(0.0), one["total_purchases"].as_f64().unwrap_or(1.0));
        assert!((one["average_order_value"].as_f64().unwrap_or(0.0) - worth / orders).abs() < 0.001, "{one:?}");
    }
    // Day by day: what went back on a day comes off the orders of that day, and of a day without orders there is no average.
    for days in 0..20 {
        let day = &house.ago(days * DAY_S)[..10];
        let kept = read(&house, &site, &format!("/api/reports/daily?date={day}")).await;
        let own = read(&house, &site, &format!("/api/sites/{slug}/reports/daily?date={day}")).await;
        let one = read(&house, &site, &format!("/api/sites/{slug}/reports/overview?from={day}&to={day}")).await;
        assert_eq!(own["average_order"], one["average_order"], "{day}");
        assert_eq!(cents(&kept["avg_order_value"]), own["average_order"]["minor"].as_i64().unwrap_or(0), "{day}");
    }
}
