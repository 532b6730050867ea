//! The customers' report asked by part: it takes the filters of all reports, and names what it does not take.

use serde_json::{Value, json};

use crate::house::{House, SiteAt};

struct Shop {
    house: House,
    site: SiteAt,
}

impl Shop {
    /// Ann comes by google and buys twice, Bo by a newsletter, Cy by nothing that is known and takes it back.
    async fn open() -> Self {
        let house = House::new();
        let site = house.site("shop.example").await;
        let shop = Self { house, site };
        for (email, source, orders) in [
            ("ann@mail.example", Some(("google", "cpc")), &[("1", "100.00", "paid"), ("2", "40.00", "paid")][..]),
            ("bo@mail.example", Some(("news", "email")), &[("3", "60.00", "paid")]),
            ("cy@mail.example", None, &[("4", "30.00", "paid"), ("4", "30.00", "cancelled")]),
        ] {
            let mut session = None;
            if let Some((source, medium)) = source {
                session = Some(shop.house.visit(&shop.site, None, json!({"utm_source": source, "utm_medium": medium})).await);
            }
            for (id, total, status) in orders {
                shop.house.advance_s(60);
                let told =
                    json!({"order_id": id, "total": total, "currency": "USD", "email": email, "status": status, "session_id": session});
                shop.house.order(&shop.site, told).await.is(200);
            }
        }
        shop
    }

    async fn ask(&self, query: &str) -> Value {
        self.house.advance_s(2);
        let path = format!("/api/sites/{}/reports/customers?{query}", self.site.slug);
        self.house.get(&path).token(&self.site.token).send().await.is(200).json
    }
}

/// Orders, net, average, customers, of them new, and what such customers are worth on average.
fn line(report: &Value) -> Value {
    let net = report["net"][0]["minor"].clone();
    let customers = &report["customers"];
    json!([
        report["orders"],
        net,
        report["average_order"]["minor"],
        customers["all"],
        customers["new"],
        report["worth"]["average"]["minor"]
    ])
}

#[tokio::test]
async fn the_customers_report_goes_by_the_filters_of_all_reports() {
    let shop = Shop::open().await;
    for (query, want) in [
        // Cy has nothing left, and has ordered all the same.
        ("", json!([4, 20_000, 5_000, 3, 3, 6_667])),
        ("source=google", json!([2, 14_000, 7_000, 1, 1, 14_000])),
        ("source=!google", json!([2, 6_000, 3_000, 2, 2, 3_000])),
        ("source=unattributed", json!([1, 0, 0, 1, 1, 0])),
        ("medium=email", json!([1, 6_000, 6_000, 1, 1, 6_000])),
        ("customers=returning", json!([1, 4_000, 4_000, 1, 1, 14_000])),
        ("customers=new&source=google", json!([1, 10_000, 10_000, 1, 1, 14_000])),
        ("status=cancelled", json!([1, 0, 0, 1, 1, 0])),
        ("amount=50..", json!([2, 16_000, 8_000, 2, 2, 10_000])),
        ("source=bing", json!([0, null, null, 0, 0, null])),
    ] {
        let report = shop.ask(query).await;
        assert_eq!(line(&report), want, "{query}: {report:#}");
    }
    let parts = shop.ask("source=google").await;
    assert_eq!((&parts["buyers"]["new"]["orders"], &parts["buyers"]["returning"]["orders"]), (&json!(1), &json!(1)), "{parts:#}");
    // The same figure as the headline's.
    shop.house.advance_s(2);
    let path = format!("/api/sites/{}/reports/overview?source=!google", shop.site.slug);
    let top = shop.house.get(&path).token(&shop.site.token).send().await.is(200).json;
    assert_eq!(top["average_order"]["minor"], json!(3_000));
}

#[tokio::test]
async fn what_the_customers_report_does_not_take_is_named() {
    let shop = Shop::open().await;
    for (query, field) in
        [("model=first", "model"), ("buyer=new", "buyer"), ("customers=old", "customers"), ("compare=year", "compare"), ("q=ann", "q")]
    {
        shop.house.advance_s(2);
        let path = format!("/api/sites/{}/reports/customers?{query}", shop.site.slug);
        let refused = shop.house.get(&path).token(&shop.site.token).send().await.is(400).json;
        assert_eq!(
            (&refused["error"]["code"], &refused["error"]["field"]),
            (&json!("invalid_parameter"), &json!(field)),
            "{query}: {refused}"
        );
    }
}
