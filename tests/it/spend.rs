//! What advertising has cost: typed in, spread over its days, under the words that visits have; what a lead, an order and a
//! new customer cost, in every table and in the headline, with the same totals everywhere.

use halotrack::domain::rights::{Right, Scope};
use halotrack::domain::sight::Segment;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::rules::fill;

async fn get(house: &House, shop: &SiteAt, path: &str) -> Value {
    house.get(&format!("/api/sites/{}/{path}", shop.slug)).token(&shop.token).send().await.is(200).json
}

async fn add(house: &House, shop: &SiteAt, body: Value) -> Value {
    house.post(&format!("/api/sites/{}/spend", shop.slug)).token(&shop.token).json(&body).send().await.is(201).json
}

fn named<'v>(table: &'v Value, name: &str) -> &'v Value {
    table["items"].as_array().and_then(|rows| rows.iter().find(|r| r["name"] == name)).unwrap_or(&Value::Null)
}

fn usd(minor: i64) -> Value {
    json!({"minor": minor, "currency": "USD"})
}

/// Visits with an order each, 190 dollars in all, and what they have cost: 60 of facebook, 5 of a source that nobody came by.
async fn shop_with_spend(house: &House) -> SiteAt {
    let shop = house.site("shop.example").await;
    fill(house, &shop).await;
    add(house, &shop, json!({"day": "2026-06-13", "source": "FB", "medium": "Paid-Social", "campaign": "Spring", "amount": "40.00"})).await;
    add(house, &shop, json!({"from": "2026-06-12", "to": "2026-06-13", "source": "facebook", "medium": "paid_social", "amount": "40"}))
        .await;
    add(house, &shop, json!({"day": "2026-06-13", "source": "radio", "medium": "audio", "amount": "5"})).await;
    shop
}

#[tokio::test]
async fn what_is_typed_in_stands_beside_what_it_brought() {
    let house = House::new();
    let shop = shop_with_spend(&house).await;
    let day = "from=2026-06-13&to=2026-06-13";
    let table = get(&house, &shop, &format!("reports/sources?{day}")).await;
    let facebook = named(&table, "facebook");
    // 40 of the day, and half of what is spread over two.
    assert_eq!((&facebook["spend"], &facebook["visits"]), (&json!([usd(6_000)]), &json!(1)), "{facebook}");
    assert_eq!((&facebook["cost_per_order"], &facebook["cost_per_customer"]), (&usd(6_000), &usd(6_000)));
    assert_eq!((&facebook["cost_per_lead"], &facebook["return_percent"]), (&Value::Null, &json!(166)), "100 for 60");
    let radio = named(&table, "radio");
    assert_eq!((&radio["visits"], &radio["spend"], &radio["return_percent"]), (&json!(0), &json!([usd(500)]), &json!(0)), "{radio}");
    assert_eq!(named(&table, "google")["spend"], json!([]));
    // The same totals in every table, in the tree, and in the headline.
    for path in [
        "reports/sources",
        "reports/sources?model=linear",
        "reports/sources?by=channel",
        "reports/sources?by=campaign&beside=ends",
        "reports/campaigns",
    ] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let table = get(&house, &shop, &format!("{path}{joint}{day}")).await;
        let total = &table["total"];
        let sum: i64 = table["items"].as_array().into_iter().flatten().filter_map(|r| r["spend"][0]["minor"].as_i64()).sum();
        assert_eq!((&total["spend"], sum), (&json!([usd(6_500)]), 6_500), "{path}");
        assert_eq!((&total["new_customers"], &total["cost_per_customer"]), (&json!(5), &usd(1_300)), "{path}");
    }
    let tree = get(&house, &shop, &format!("reports/campaigns?{day}")).await;
    let campaign = named(named(named(&tree, "Paid Social"), "facebook"), "Spring");
    assert_eq!((&campaign["spend"], &campaign["orders"]), (&json!([usd(4_000)]), &json!(1.0)));
    let top = get(&house, &shop, &format!("reports/overview?{day}&with=days&compare=previous")).await;
    assert_eq!((&top["spend"], &top["cost_per_customer"], &top["return_percent"]), (&json!([usd(6_500)]), &usd(1_300), &json!(292)));
    assert_eq!((&top["days"][0]["spend"], &top["days"][0]["new_customers"]), (&json!([usd(6_500)]), &json!(5)));
    assert_eq!(top["compare"]["spend"], json!([usd(2_000)]), "the other half");
    // By a filter of origins it is known; by a country or a page it is not, and is not said.
    let only = get(&house, &shop, &format!("reports/overview?{day}&source=facebook")).await;
    assert_eq!((&only["spend"], &only["new_customers"]), (&json!([usd(6_000)]), &json!(1)));
    assert_eq!(get(&house, &shop, &format!("reports/overview?{day}&country=DE")).await["spend"], Value::Null);
    // Days without any are as they ever were.
    assert_eq!(get(&house, &shop, "reports/overview?from=2026-06-01&to=2026-06-02").await["spend"], Value::Null);
}

#[tokio::test]
async fn names_are_those_of_visits_and_rules_hold_for_both() {
    let house = House::new();
    let shop = shop_with_spend(&house).await;
    let rule = json!({"dimension": "source", "from": "facebok", "to": "facebook"});
    house.post(&format!("/api/sites/{}/rules", shop.slug)).token(&shop.token).json(&rule).send().await.is(201);
    add(&house, &shop, json!({"day": "2026-06-13", "source": "facebok", "amount": "1.00"})).await;
    let table = get(&house, &shop, "reports/sources?from=2026-06-13&to=2026-06-13").await;
    let facebook = named(&table, "facebook");
    assert_eq!((&facebook["spend"], &facebook["visits"]), (&json!([usd(6_100)]), &json!(3)), "{facebook}");
    assert_eq!(named(&table, "facebok"), &Value::Null);
}

#[tokio::test]
async fn unlike_currencies_are_told_and_never_added() {
    let house = House::new();
    let shop = shop_with_spend(&house).await;
    add(
        &house,
        &shop,
        json!({"day": "2026-06-13", "source": "google", "medium": "cpc", "campaign": "Spring", "amount": "7", "currency": "EUR"}),
    )
    .await;
    let table = get(&house, &shop, "reports/sources?from=2026-06-13&to=2026-06-13").await;
    let google = named(&table, "google");
    assert_eq!(google["spend"], json!([{"minor": 700, "currency": "EUR"}]));
    assert_eq!((&google["cost_per_order"], &google["return_percent"]), (&Value::Null, &Value::Null), "no cost in a currency of its own");
    assert_eq!(table["total"]["spend"], json!([{"minor": 700, "currency": "EUR"}, usd(6_500)]));
    assert_eq!(table["total"]["cost_per_customer"], usd(1_300));
    // In the file each currency has a row of its own; counts stand once, and nothing vanishes.
    let token = house.token(shop.id, &[Scope::Read, Scope::Export]).await;
    for (path, name) in [("sources", "google"), ("sources", "facebook"), ("campaigns", "google")] {
        let query = "from=2026-06-13&to=2026-06-13&columns=visits,orders,net,spend,cost_per_order,return";
        let path = format!("/api/sites/{}/reports/{path}.csv?{query}", shop.slug);
        house.advance_s(1);
        let csv = house.get(&path).token(&token).send().await.is(200).text;
        let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        let at = |head: &str| rows[0].iter().position(|h| *h == head).expect("a column");
        let own: Vec<&Vec<&str>> = rows.iter().filter(|row| row.contains(&name)).collect();
        let sums = |head: &str| own.iter().map(|row| (row[at("currency")], row[at(head)])).collect::<Vec<_>>();
        if name == "google" {
            assert!(sums("spend").contains(&("EUR", "7.00")) && sums("spend").contains(&("USD", "0.00")), "{csv}");
            assert!(sums("visits").contains(&("EUR", "")) && sums("return").contains(&("EUR", "0")), "{csv}");
        } else {
            assert!(sums("spend").iter().all(|(currency, _)| *currency == "USD"), "{csv}");
        }
    }
}

/// Orders and first purchases in another currency stand against what was spent in it, and against nothing else; and they are named.
#[tokio::test]
async fn what_was_sold_in_a_currency_stands_against_what_was_spent_in_it() {
    let house = House::new();
    let shop = shop_with_spend(&house).await;
    // Of facebook, too: one order of 100 dollars is there already.
    for n in 0..3 {
        let touch = json!({"landing": "/start", "user_agent": crate::house::CHROME, "utm_source": "facebook", "utm_medium": "paid_social"});
        let id = house.post("/api/touch").token(&shop.token).json(&touch).send().await.is(200).json["session_id"].clone();
        house.advance_s(60);
        let order = json!({"order_id": format!("e{n}"), "total": "30.00", "currency": "EUR", "email": format!("e{n}@mail.example"),
            "session_id": id, "status": "paid"});
        house.post("/api/webhook/order").token(&shop.token).json(&order).send().await;
        house.advance_s(60);
    }
    add(&house, &shop, json!({"day": "2026-06-13", "source": "facebook", "medium": "paid_social", "amount": "9", "currency": "EUR"})).await;
    let day = "from=2026-06-13&to=2026-06-13";
    let eur = |minor: i64| json!({"minor": minor, "currency": "EUR"});
    let euros = |spend: i64| {
        json!([{"currency": "EUR", "spend": eur(spend), "orders": 3.0, "new_customers": 3, "net": eur(9_000), "cost_per_lead": null,
            "cost_per_order": eur(spend / 3), "cost_per_customer": eur(spend / 3), "return_percent": 1_000}])
    };
    for path in ["reports/sources", "reports/sources?model=linear", "reports/sources?by=channel", "reports/campaigns"] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let table = get(&house, &shop, &format!("{path}{joint}{day}")).await;
        let total = &table["total"];
        assert_eq!((&total["orders"], &total["new_customers"], &total["new_customers_own"]), (&json!(8.0), &json!(8), &json!(5)), "{path}");
        // 65 dollars for the five orders that were paid in dollars.
        assert_eq!((&total["cost_per_order"], &total["cost_per_customer"]), (&usd(1_300), &usd(1_300)), "{path}: {total}");
        assert_eq!((&total["return_percent"], &total["other_currencies"]), (&json!(292), &euros(900)), "{path}: {total}");
    }
    let table = get(&house, &shop, &format!("reports/sources?{day}")).await;
    let facebook = named(&table, "facebook");
    assert_eq!((&facebook["orders"], &facebook["cost_per_order"], &facebook["other_currencies"]), (&json!(4.0), &usd(6_000), &euros(900)));
    assert_eq!(named(&table, "radio")["other_currencies"], json!([]));
    let top = get(&house, &shop, &format!("reports/overview?{day}&with=days")).await;
    assert_eq!(
        (&top["cost_per_order"], &top["cost_per_customer"], &top["other_currencies"]),
        (&usd(1_300), &usd(1_300), &euros(900)),
        "{top}"
    );
    assert_eq!((&top["days"][0]["new_customers"], &top["days"][0]["new_customers_own"]), (&json!(8), &json!(5)));
    // The file's costs are those of the site's currency too.
    let path = format!("/api/sites/{}/reports/sources.csv?columns=orders,cost_per_order,cost_per_customer&{day}", shop.slug);
    let file = house.get(&path).token(&shop.token).send().await.is(200).text;
    assert!(file.contains("facebook,4,60.00,60.00,USD"), "{file}");
}

#[tokio::test]
async fn amounts_are_listed_corrected_and_taken_away() {
    let house = House::new();
    let shop = shop_with_spend(&house).await;
    let path = format!("/api/sites/{}/spend", shop.slug);
    let list = get(&house, &shop, "spend?from=2026-06-13&to=2026-06-13&limit=2").await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    let rest =
        get(&house, &shop, &format!("spend?from=2026-06-13&to=2026-06-13&limit=2&cursor={}", list["next"].as_str().expect("more"))).await;
    assert_eq!(
        (&rest["items"][0]["id"], &rest["items"][0]["from"], &rest["next"]),
        (&json!("spend_2"), &json!("2026-06-12"), &Value::Null)
    );
    assert_eq!(get(&house, &shop, "spend?to=2026-06-11").await["items"], json!([]));
    let body = json!({"from": "2026-06-13", "source": "facebook", "medium": "paid_social", "campaign": "Spring", "amount": "10"});
    let changed = house.post(&format!("{path}/spend_1")).token(&shop.token).json(&body).send().await.is(200).json;
    assert_eq!(changed["amount"], usd(1_000));
    house.delete(&format!("{path}/spend_2")).token(&shop.token).send().await.is(204);
    house.delete(&format!("{path}/spend_2")).token(&shop.token).send().await.is(404);
    assert_eq!(get(&house, &shop, "reports/overview?from=2026-06-12&to=2026-06-13").await["spend"], json!([usd(1_500)]));
    let csv = house.get(&format!("{path}.csv")).token(&shop.token).send().await.is(200).text;
    assert!(csv.starts_with("id,from,to,source,medium,campaign,amount,currency,"), "{csv}");
    assert!(csv.contains("spend_1,2026-06-13,2026-06-13,facebook,paid_social,Spring,10.00,USD,"), "{csv}");
    // The file of a table has the columns when they are asked for.
    let file = house.get(&format!(
        "/api/sites/{}/reports/sources.csv?columns=spend,cost_per_customer,return&sort=spend&from=2026-06-13&to=2026-06-13",
        shop.slug
    ));
    let file = file.token(&shop.token).send().await.is(200).text;
    assert!(
        file.starts_with("source,spend,cost_per_customer,return,currency\r\nfacebook,10.00,10.00,10,USD\r\nradio,5.00,,0,USD"),
        "{file}"
    );
    for (wrong, field) in [
        (json!({"source": "google", "amount": "1"}), "from"),
        (json!({"day": "2026-06-13", "amount": "1"}), "source"),
        (json!({"day": "2026-06-13", "source": "google", "amount": "1.999"}), "amount"),
        (json!({"day": "2026-06-13", "source": "google", "amount": "one"}), "amount"),
        (json!({"day": "2026-06-13", "source": "google", "amount": "-1"}), "amount"),
        (json!({"day": "2026-06-13", "source": "google", "amount": -0.01}), "amount"),
        (json!({"day": "2026-06-13", "source": "google", "amount": "1", "currency": "XXQ"}), "currency"),
        (json!({"from": "2026-06-13", "to": "2026-06-12", "source": "google", "amount": "1"}), "to"),
        (json!({"from": "2024-06-13", "to": "2026-06-12", "source": "google", "amount": "1"}), "to"),
    ] {
        let refused = house.post(&path).token(&shop.token).json(&wrong).send().await;
        assert_eq!((refused.status, refused.json["error"]["field"].as_str()), (422, Some(field)), "{wrong} {}", refused.text);
    }
}

#[tokio::test]
async fn who_is_shown_a_part_sees_what_the_part_has_cost() {
    let house = House::new();
    let shop = shop_with_spend(&house).await;
    let path = format!("/api/sites/{}/spend", shop.slug);
    let reader = house.login("ben@shop.example", Right::Read, Some(shop.id)).await;
    house.get(&path).cookie(&reader).send().await.is(200);
    house.post(&path).cookie(&reader).json(&json!({"day": "2026-06-13", "source": "x", "amount": "1"})).send().await.is(403);
    let client = house.login("cem@shop.example", Right::See, Some(shop.id)).await;
    let segment = Segment::read(Some(&json!({"source": ["facebook"]}))).expect("a segment");
    let user = halotrack::domain::ids::UserId::new(2);
    let sight = halotrack::domain::sight::Sight { segment, hides_money: false, hides_people: true };
    house.app.store.write(shop.id, move |c| halotrack::store::users::set_sight(c, user, &sight)).await.expect("a part");
    house.get(&path).cookie(&client).send().await.is(403);
    let table = house
        .get(&format!("/api/sites/{}/reports/sources?from=2026-06-13&to=2026-06-13", shop.slug))
        .cookie(&client)
        .send()
        .await
        .is(200)
        .json;
    assert_eq!(table["total"]["spend"], json!([usd(6_000)]), "{table}");
    assert!(!table.to_string().contains("radio"), "{table}");
}

/// A link shows what was sold where its maker wants that, and never what it has cost.
#[tokio::test]
async fn no_link_tells_what_was_spent() {
    let house = House::new();
    let shop = shop_with_spend(&house).await;
    let owner = house.login("ann@shop.example", Right::Own, Some(shop.id)).await;
    let body = json!({"name": "For the partner", "pages": ["overview", "sources"]});
    let made = house.post(&format!("/api/sites/{}/shares", shop.slug)).cookie(&owner).json(&body).send().await.is(201).json;
    let token = made["link"].as_str().and_then(|l| l.rsplit('/').next()).expect("a token").to_owned();
    for path in ["overview?with=days,sources&compare=previous", "sources"] {
        let shown = house.get(&format!("/api/shared/{token}/{path}")).send().await.is(200);
        assert!(!shown.text.contains("spend") && !shown.text.contains("radio") && shown.text.contains("visits"), "{path}: {}", shown.text);
    }
    // Whoever is signed in and shown no amounts is told no ratio of them either.
    let client = house.login("cem@shop.example", Right::See, Some(shop.id)).await;
    let user = halotrack::domain::ids::UserId::new(2);
    let sight = halotrack::domain::sight::Sight { hides_money: true, ..Default::default() };
    house.app.store.write(shop.id, move |c| halotrack::store::users::set_sight(c, user, &sight)).await.expect("a part");
    let table = house.get(&format!("/api/sites/{}/reports/sources", shop.slug)).cookie(&client).send().await.is(200);
    assert!(!table.text.contains("minor") && !table.text.contains("return_percent"), "{}", table.text);
}
