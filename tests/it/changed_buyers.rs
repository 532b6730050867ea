//! An order that is told again with another buyer is that buyer's: in lists, counts and worth, in what a person is told of
//! themselves, and in what an erasure takes.

use serde_json::{Value, json};

use crate::house::{House, SiteAt};

struct Shop {
    house: House,
    site: SiteAt,
}

impl Shop {
    async fn open() -> Self {
        let house = House::new();
        let site = house.site("shop.example").await;
        Self { house, site }
    }

    async fn tell(&self, order: &str, email: &str, minutes_ago: i64) {
        let body = json!({"order_id": order, "total": "80.00", "currency": "USD", "email": email, "status": "paid",
            "created_at": self.house.ago(86_400), "modified_at": self.house.ago(minutes_ago * 60)});
        self.house.order(&self.site, body).await.is(200);
        self.house.advance_s(2);
    }

    async fn read(&self, path: &str) -> Value {
        self.house.advance_s(2);
        self.house.get(path).token(&self.site.token).send().await.is(200).json
    }

    /// Orders and worth of a person, as the kept analytics and the list of customers say; and the orders in their own file.
    async fn person(&self, email: &str) -> (i64, f64, usize) {
        let customer = self.read(&format!("/api/analytics/customers?domain=shop.example&email={email}")).await;
        let one = if customer["customers"].is_array() { customer["customers"][0].clone() } else { customer };
        let (orders, worth) = (one["totalPurchases"].as_i64().unwrap_or(0), one["lifetimeValue"].as_f64().unwrap_or(0.0));
        let listed = self.read(&format!("/api/sites/{}/customers", self.site.slug)).await;
        let of_list: Vec<&Value> = listed["items"].as_array().into_iter().flatten().collect();
        let sum: i64 = of_list.iter().filter_map(|k| k["orders"].as_i64()).sum();
        assert_eq!(sum, self.house.list(&self.site, "conversions").await.len() as i64, "each sale is somebody's: {listed:#}");
        let file =
            self.house.get(&format!("/api/sites/{}/people/export?email={email}", self.site.slug)).token(&self.site.token).send().await;
        let kept = file.json["orders"].as_array().map_or(0, Vec::len);
        (orders, worth, kept)
    }
}

#[tokio::test]
async fn a_sale_is_whose_the_newest_telling_says_it_is_in_any_order() {
    for is_newest_first in [false, true] {
        let shop = Shop::open().await;
        let told = [("p1@mail.example", 60), ("p2@mail.example", 30)];
        for place in if is_newest_first { [1, 0] } else { [0, 1] } {
            shop.tell("20", told[place].0, told[place].1).await;
        }
        assert_eq!(shop.person("p2@mail.example").await, (1, 80.0, 1), "{is_newest_first}");
        assert_eq!(shop.person("p1@mail.example").await, (0, 0.0, 0), "{is_newest_first}");
        let orders = shop.house.list(&shop.site, "orders").await;
        let sale = shop.house.list(&shop.site, "conversions").await[0].clone();
        assert_eq!(orders[0]["who"]["contact"], sale["who"]["contact"], "{orders:#?} {sale:#}");
        let receipt = shop.house.receipt(&shop.site, sale["id"].as_str().expect("an id")).await;
        let said = receipt["conversion"]["flag"].as_str().is_some_and(|flag| flag.contains("another buyer"));
        assert_eq!(said, !is_newest_first, "{receipt:#}");
        assert_eq!(shop.house.sql(&shop.site, "select lifetime_value from high_value_customers").len(), 0);
    }
}

#[tokio::test]
async fn a_buyer_who_had_bought_before_has_one_more() {
    let shop = Shop::open().await;
    shop.tell("19", "p2@mail.example", 90).await;
    shop.tell("20", "p1@mail.example", 60).await;
    shop.tell("20", "p2@mail.example", 30).await;
    assert_eq!(shop.person("p2@mail.example").await, (2, 160.0, 2));
}

#[tokio::test]
async fn an_erasure_takes_what_is_the_persons_and_leaves_what_became_anothers() {
    for (gone, kept) in [("p1@mail.example", 1), ("p2@mail.example", 0)] {
        let shop = Shop::open().await;
        shop.tell("20", "p1@mail.example", 60).await;
        shop.tell("20", "p2@mail.example", 30).await;
        shop.house.delete(&format!("/api/delete-user?email={gone}")).token(&shop.site.token).send().await.is(200);
        let told = shop.house.sql(&shop.site, "select email from orders where email is not null");
        assert_eq!(told.len(), kept, "{gone}: {told:?}");
        // The money stays in the books.
        let sales = shop.house.list(&shop.site, "conversions").await;
        assert_eq!((sales.len(), &sales[0]["net"]["minor"]), (1, &json!(8_000)), "{gone}");
    }
}
