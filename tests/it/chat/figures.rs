//! What chats come to in figures: counted anew when a verdict changes, and only those that a question asks for.

use std::collections::BTreeMap;

use halotrack::flows::cube;
use serde_json::{Value, json};

use super::{DAY, HOUR, verdict};
use crate::house::{House, SiteAt};

impl House {
    async fn revenue(&self, site: &SiteAt, more: &str) -> Value {
        self.advance_s(1);
        let path = format!("/api/analytics/revenue?domain={}{more}", site.domain);
        self.get(&path).token(&site.token).send().await.is(200).json
    }
}

/// Money by band, put together from nothing but the receipts: confidence and what is left of each sale.
async fn bands_of_receipts(house: &House, site: &SiteAt, orders: i64) -> BTreeMap<&'static str, f64> {
    let mut bands = BTreeMap::from([("high", 0.0), ("medium", 0.0), ("low", 0.0)]);
    for order in 1..=orders {
        let receipt = house.bought(site, order).await;
        house.advance_s(1);
        let band = match verdict(&receipt).1 {
            8_500.. => "high",
            6_500.. => "medium",
            1.. => "low",
            _ => continue,
        };
        *bands.entry(band).or_default() += receipt["conversion"]["net"]["minor"].as_f64().expect("money") / 100.0;
    }
    bands
}

fn bands_of(figures: &Value) -> BTreeMap<&'static str, f64> {
    ["high", "medium", "low"].into_iter().map(|b| (b, figures["revenueByConfidence"][b].as_f64().expect("a band"))).collect()
}

#[tokio::test]
async fn a_counted_day_hears_of_every_change_of_a_verdict() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let (ann, bo) = (json!({"email": "ann@mail.example"}), json!({"email": "bo@mail.example"}));
    house.say(&site, "c-bo", 30 * HOUR, bo.clone()).await.is(200);
    house.buys(&site, "O-1", 26 * HOUR, ann.clone()).await.is(200);
    house.buys(&site, "O-2", 26 * HOUR, bo).await.is(200);
    let is_right = async |want: [f64; 3]| {
        cube::catch_up(&house.app).await.expect("counted");
        let figures = house.revenue(&site, "").await;
        let bands = bands_of(&figures);
        assert_eq!(bands, bands_of_receipts(&house, &site, 2).await);
        assert_eq!(bands.values().copied().collect::<Vec<_>>(), want, "high, low, medium");
        assert_eq!(figures["chatAttributedRevenue"].as_f64(), Some(want.iter().sum()));
    };
    is_right([40.0, 0.0, 0.0]).await;
    // Told late: the method changes.
    house.say(&site, "c-ann", 44 * HOUR, ann.clone()).await.is(200);
    is_right([40.0, 0.0, 40.0]).await;
    // Told on: the method stays, the confidence grows beyond its band, step by step.
    house.say(&site, "c-ann", 44 * HOUR - 1, json!({"email": "ann@mail.example", "metadata": {"price_check": true}})).await.is(200);
    is_right([40.0, 0.0, 40.0]).await;
    for n in 2..5 {
        house.say(&site, "c-ann", 44 * HOUR - n, ann.clone()).await.is(200);
    }
    is_right([40.0, 0.0, 40.0]).await;
    let asked = json!({"email": "ann@mail.example", "metadata": {"product_inquiry": true}});
    house.say(&site, "c-ann", 44 * HOUR - 9, asked).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 1).await).1, 8_800);
    is_right([80.0, 0.0, 0.0]).await;
}

#[tokio::test]
async fn conversations_are_counted_by_the_visit_before_them() {
    let house = House::new();
    let site = house.site("shop.example").await;
    // A visit by an advertisement, then one without a word of where it came from, in which the chat begins.
    let by_ad = json!({"utm_source": "instagram", "utm_medium": "paid_social", "utm_campaign": "spring", "landing": "/cups"});
    let ann = house.history(&site, None, 50, by_ad.clone()).await;
    house.history(&site, Some(&ann), 20, json!({})).await;
    house.say(&site, "by its browser", 19 * HOUR, json!({"session_id": ann, "metadata": {"price_check": true}})).await.is(200);
    // Known by its address alone, whose browser has been told by an order.
    let bo = house.history(&site, None, 40, json!({"utm_source": "newsletter", "utm_medium": "email"})).await;
    house.buys(&site, "O-1", 30 * HOUR, json!({"session_id": bo, "email": "bo@mail.example"})).await.is(200);
    house.say(&site, "by its address", 18 * HOUR, json!({"email": "bo@mail.example"})).await.is(200);
    house.buys(&site, "O-2", 17 * HOUR, json!({"email": "bo@mail.example", "session_id": bo, "total": "60.00"})).await.is(200);
    // One that came by an advertisement only afterwards, one that never came, one before the days that are asked for.
    house.say(&site, "before its visit", 41 * HOUR, json!({"email": "cy@mail.example"})).await.is(200);
    let cy = house.history(&site, None, 10, by_ad).await;
    house.buys(&site, "O-3", 9 * HOUR, json!({"session_id": cy, "email": "cy@mail.example"})).await.is(200);
    house.say(&site, "of nobody", 8 * HOUR, json!({})).await.is(200);
    house.say(&site, "long ago", 40 * DAY, json!({"session_id": ann})).await.is(200);
    for (filter, conversations, attributed, rate) in [
        ("", 4, 2, 50.0),
        ("&source=instagram", 1, 1, 100.0),
        ("&source=newsletter", 1, 1, 100.0),
        ("&source=!instagram", 3, 1, 33.33),
        ("&source=unattributed", 2, 0, 0.0),
        ("&medium=paid_social&campaign=spring", 1, 1, 100.0),
        ("&channel=Email", 1, 1, 100.0),
        ("&landing=/cups", 1, 1, 100.0),
        ("&source=radio", 0, 0, 0.0),
        // What only a sale has leaves no conversation out, as it leaves no visit out.
        ("&status=refunded", 4, 0, 0.0),
        ("&platform=woocommerce", 4, 0, 0.0),
    ] {
        let figures = house.revenue(&site, filter).await;
        let got = (figures["conversationCount"].as_i64(), figures["attributedOrders"].as_i64(), figures["conversionRate"].as_f64());
        assert_eq!(got, (Some(conversations), Some(attributed), Some(rate)), "{filter}: {figures}");
        house.advance_s(1);
        let path = format!("/api/sites/{}/reports/chat?{}", site.slug, filter.trim_start_matches('&'));
        let report = house.get(&path).token(&site.token).send().await.is(200).json;
        assert_eq!(
            (report["conversations"].as_i64(), report["assisted"]["orders"].as_i64()),
            (Some(conversations), Some(attributed)),
            "{filter}: {report}"
        );
        let net: f64 = report["assisted"]["net"].as_array().into_iter().flatten().filter_map(|m| m["minor"].as_f64()).sum();
        assert_eq!(figures["chatAttributedRevenue"].as_f64(), Some(net / 100.0), "{filter}");
    }
    let one = house.get(&format!("/api/sites/{}/reports/chat?source=instagram", site.slug)).token(&site.token).send().await.is(200).json;
    assert_eq!((&one["price_checks"], &one["product_inquiries"]), (&json!(1), &json!(0)));
    let overview = format!("/api/sites/{}/reports/overview?with=chat&source=newsletter", site.slug);
    let overview = house.get(&overview).token(&site.token).send().await.is(200).json;
    assert_eq!((&overview["chat"]["conversations"], &overview["chat"]["assisted"]["orders"]), (&json!(1), &json!(1)));
}
