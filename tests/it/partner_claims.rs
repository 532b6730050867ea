//! What a browser says of itself is no proof: a commission that rests on it alone waits for the owner, says so, and is listed
//! among the claims.

use serde_json::{Value, json};

use crate::affiliates::lines;
use crate::house::{House, SiteAt};

const DAY_S: i64 = 86_400;
const VICTIM: &str = "victim@mail.example";

struct Shop {
    house: House,
    site: SiteAt,
    mal: String,
}

impl Shop {
    async fn open() -> Self {
        let house = House::new();
        let site = house.site("shop.example").await;
        let mal = house.partner(&site, "mal", json!({"hold_days": 5})).await;
        Self { house, site, mal }
    }

    async fn says_to_be(&self, session: &str, email: &str) {
        let body = json!({"site": self.site.key, "email": email}).to_string();
        let call = self.house.post("/api/identify").browser(&self.site).header("cookie", &format!("_halo={session}"));
        call.body(body).send().await.is(204);
        self.house.advance_s(30);
    }

    async fn buys(&self, order: &str, session: Option<&str>) -> Value {
        self.house.advance_s(30);
        let body =
            json!({"order_id": order, "total": "500.00", "currency": "USD", "email": VICTIM, "status": "paid", "session_id": session});
        self.house.order(&self.site, body).await.is(200).json
    }

    async fn statement(&self, id: &str) -> Value {
        self.house.statement(&self.site, id, "2026-06").await
    }

    async fn claims(&self) -> Vec<Value> {
        self.house.advance_s(1);
        let path = format!("/api/sites/{}/identity-claims", self.site.slug);
        let told = self.house.get(&path).token(&self.site.token).send().await.is(200).json;
        told["items"].as_array().cloned().unwrap_or_default()
    }
}

#[tokio::test]
async fn a_commission_by_a_claim_alone_waits_for_the_owner_and_says_so() {
    let shop = Shop::open().await;
    let session = shop.house.visit(&shop.site, None, json!({"landing": "/?ref=mal&utm_source=mal"})).await;
    shop.says_to_be(&session, VICTIM).await;
    shop.buys("V1", None).await;
    let statement = shop.statement(&shop.mal).await;
    assert_eq!(lines(&statement).into_iter().map(|l| (l.1, l.2)).collect::<Vec<_>>(), [(5_000, "pending".into())]);
    let line = &statement["lines"][0];
    let said = line["note"].as_str().unwrap_or_default();
    assert!(said.contains("said to be the buyer's: nothing proves it") && !said.contains("The buyer followed"), "{line:#}");
    assert!(line["flag"].as_str().is_some_and(|flag| flag.contains("nothing proves that the buyer followed")), "{line:#}");
    assert_eq!(statement["flags"][0]["flag"], "unproved_buyer", "{statement:#}");
    let claims = shop.claims().await;
    assert_eq!(
        claims.iter().map(|c| (&c["value"], &c["why"], &c["sales"])).collect::<Vec<_>>(),
        [(&json!(VICTIM), &json!("commission"), &json!(1))],
        "{claims:#?}"
    );
    let sale = shop.house.list(&shop.site, "conversions").await[0]["id"].as_str().expect("an id").to_owned();
    let receipt = shop.house.receipt(&shop.site, &sale).await;
    assert!(receipt["affiliate"]["flag"].as_str().is_some_and(|flag| flag.contains("nothing proves")), "{:#}", receipt["affiliate"]);
    // Its days alone make it nobody's money.
    shop.house.advance_s(6 * DAY_S);
    assert_eq!(shop.statement(&shop.mal).await["lines"][0]["state"], "pending");
    shop.house.of_partner(&shop.site, &format!("{}/commissions/{sale}", shop.mal), json!({"verdict": "approve"})).await.is(204);
    assert_eq!(shop.statement(&shop.mal).await["lines"][0]["state"], "approved");
}

#[tokio::test]
async fn what_is_proved_is_no_claim() {
    let shop = Shop::open().await;
    // The buyer's own browser, by the order itself.
    let session = shop.house.visit(&shop.site, None, json!({"landing": "/?ref=mal"})).await;
    shop.says_to_be(&session, VICTIM).await;
    shop.buys("V1", Some(&session)).await;
    let statement = shop.statement(&shop.mal).await;
    assert_eq!((&statement["lines"][0]["flag"], &statement["flags"]), (&Value::Null, &json!([])), "{statement:#}");
    assert!(statement["lines"][0]["note"].as_str().is_some_and(|note| note.starts_with("The buyer followed a link")), "{statement:#}");
    assert_eq!(shop.claims().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_proof_takes_the_place_of_a_claim_in_any_order() {
    for is_proof_late in [false, true] {
        let shop = Shop::open().await;
        let good = shop.house.partner(&shop.site, "good", json!({})).await;
        let own = shop.house.visit(&shop.site, None, json!({"landing": "/?ref=good"})).await;
        shop.house.advance_s(60);
        let other = shop.house.visit(&shop.site, None, json!({"landing": "/?ref=mal"})).await;
        shop.says_to_be(&other, VICTIM).await;
        let order = json!({"order_id": "V1", "total": "500.00", "currency": "USD", "email": VICTIM, "status": "paid"});
        let api = json!({"order_id": "V1", "revenue": 500, "email": VICTIM});
        let seen = {
            let mut seen = order.clone();
            seen["session_id"] = json!(own);
            seen
        };
        if is_proof_late {
            // Told by the API without the visit, then by the shop with it.
            shop.house.sold(&shop.site, api).await;
            assert_eq!(shop.statement(&shop.mal).await["lines"][0]["state"], "pending");
            shop.house.order(&shop.site, seen).await.is(200);
        } else {
            shop.house.order(&shop.site, seen).await.is(200);
            shop.house.advance_s(1);
            shop.house
                .conversion(
                    &shop.site,
                    json!({"conversion_type": "sale", "currency": "USD", "order_id": "V1", "revenue": 500, "email": VICTIM}),
                )
                .await;
        }
        let sum = |statement: &Value| lines(statement).iter().map(|l| l.1).sum::<i64>();
        assert_eq!((sum(&shop.statement(&shop.mal).await), sum(&shop.statement(&good).await)), (0, 5_000), "{is_proof_late}");
        assert_eq!(shop.claims().await, Vec::<Value>::new(), "{is_proof_late}");
    }
}
