//! What is counted stays as it was, to every facet a page can ask for; and whose it is, and what goes, is said before and
//! after in the same words.

use halotrack::flows::connections::{self, NewConnectionForm};
use halotrack::flows::cube;
use serde_json::{Value, json};

use super::{ANN, BO, found_in, traces};
use crate::house::{House, SiteAt};
use crate::stand_in::{Answer as Says, StandIn};

const PHONE: &str = "+971501234567";
const DAYS: &str = "from=2026-06-01&to=2026-06-30";

/// Everything that is counted by what an erasure takes away: answers on consent, browsers, buyers, what waits.
async fn counted(house: &House, site: &SiteAt) -> Vec<(String, Value)> {
    let facets = [
        "",
        "&consent=granted",
        "&consent=denied",
        "&consent=unknown",
        "&consent=anonymous",
        "&device=desktop",
        "&country=AE",
        "&customers=new",
        "&customers=returning",
        "&customers=unknown",
    ];
    let mut questions: Vec<String> =
        facets.iter().map(|facet| format!("reports/overview?with=sources,countries,devices&{DAYS}{facet}")).collect();
    questions.extend(["", "&consent=granted", "&device=desktop"].map(|facet| format!("reports/customers?{DAYS}{facet}")));
    questions.extend([
        format!("reports/consent?{DAYS}"),
        format!("reports/devices?{DAYS}"),
        format!("reports/countries?{DAYS}"),
        format!("reports/attribution?{DAYS}"),
        format!("reports/time_to_convert?{DAYS}"),
    ]);
    let mut all = Vec::new();
    // What was just written is shown a moment later, and nobody may ask more often.
    house.advance_s(4);
    for question in questions {
        house.advance_s(1);
        let answer = house.get(&format!("/api/sites/{}/{question}", site.slug)).token(&site.token).send().await.is(200).json;
        all.push((question, answer));
    }
    for (what, part) in [("customers", "total"), ("deliveries?platform=meta", "total"), ("deliveries?platform=webhook", "total")] {
        house.advance_s(1);
        let answer = house.get(&format!("/api/sites/{}/{what}", site.slug)).token(&site.token).send().await.is(200).json;
        all.push((what.to_owned(), answer[part].clone()));
    }
    for buyer in ["new", "returning", "unknown"] {
        all.push((format!("orders of {buyer}"), house.list(site, &format!("orders?customers={buyer}")).await.len().into()));
    }
    all
}

async fn shop(house: &House) -> SiteAt {
    let site = house.site("shop.example").await;
    house
        .connect(&site, "meta", "shadow", &[("pixel_id", "123456789012345"), ("access_token", "EAAabcdefghijklmnopqrstuvwxyz0123456789")])
        .await;
    let order = |id: &str, email: &str, total: &str, hours: i64, session: Option<&str>| {
        let name = if email == ANN { "Ann Lee" } else { "Bo Berg" };
        json!({"order_id": id, "total": total, "currency": "USD", "email": email, "name": name, "status": "paid", "session_id": session,
            "created_at": house.ago(hours * 3_600)})
    };
    // Bought three times, in two browsers: one had agreed, of the other nobody knows.
    let google = json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring", "gclid": "click-ann", "consent": "granted"});
    let one = house.history(&site, None, 80, google).await;
    house.order(&site, order("1001", ANN, "99.00", 79, Some(&one))).await.is(200);
    let other = house.history(&site, None, 30, json!({"utm_source": "news", "utm_medium": "email"})).await;
    house.order(&site, order("1002", ANN, "20.00", 29, Some(&other))).await.is(200);
    house.order(&site, order("1003", ANN, "5.00", 1, Some(&one))).await.is(200);
    let bo = house.history(&site, None, 20, json!({"utm_source": "google", "utm_medium": "cpc", "consent": "granted"})).await;
    house.order(&site, order("1004", BO, "7.00", 19, Some(&bo))).await.is(200);
    house.order(&site, order("1005", BO, "8.00", 2, None)).await.is(200);
    // Of nobody, and before an answer.
    house
        .order(&site, json!({"order_id": "1006", "total": "1.00", "currency": "USD", "status": "paid", "created_at": house.ago(7_200)}))
        .await
        .is(200);
    house.touch(&site, None, json!({"utm_source": "google", "consent": "denied"})).await;
    site
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_facet_of_what_is_counted_stays() {
    let receiver = StandIn::start(|_, _| Says::text(503, "later")).await;
    let house = House::new();
    let site = shop(&house).await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN, "consent_given": true})).await.is(200);
    house.work().await;
    cube::catch_up(&house.app).await.expect("counted");
    let before = counted(&house, &site).await;
    let said =
        |all: &[(String, Value)], what: &str| all.iter().find(|(q, _)| q.starts_with(what)).map(|(_, a)| a.clone()).expect("it was asked");
    let buyers = said(&before, "reports/customers");
    assert_eq!((&buyers["customers"]["all"], &buyers["buyers"]["returning"]["orders"]), (&json!(2), &json!(3)), "{buyers:#}");
    assert_eq!(said(&before, "deliveries?platform=webhook")["count"], json!(1), "one waits");

    house.erase(&site, json!({"email": ANN})).await.is(201);
    assert_eq!(found_in(house.data(), &traces()), Vec::<String>::new());
    let mut is_counted = false;
    for _ in 0..2 {
        for ((question, was), (_, is)) in before.iter().zip(counted(&house, &site).await) {
            assert_eq!(&is, was, "{question}, counted anew: {is_counted}");
        }
        cube::catch_up(&house.app).await.expect("counted again");
        is_counted = true;
    }
    // Nobody's page, and no address, stands behind the one who is counted on.
    let customers = house.list(&site, "customers").await;
    let gone: Vec<&Value> = customers.iter().filter(|k| k["is_erased"] == true).collect();
    assert_eq!(gone.len(), 1, "{customers:#?}");
    assert_eq!(
        (&gone[0]["id"], &gone[0]["who"], &gone[0]["orders"]),
        (&Value::Null, &json!({"display": null, "contact": null}), &json!(3))
    );
    // Money that goes back later is still that customer's, and somebody who comes back is a new one.
    let back = json!({"order_id": "1003", "total": "5.00", "currency": "USD", "status": "refunded", "modified_at": house.ago(0)});
    house.order(&site, back).await.is(200);
    let customers = house.list(&site, "customers").await;
    let gone = customers.iter().find(|k| k["is_erased"] == true).expect("still counted");
    assert_eq!(gone["lifetime"]["minor"], json!(11_900), "{gone:#}");
    house.advance_s(3_600);
    house
        .order(
            &site,
            json!({"order_id": "1010", "total": "3.00", "currency": "USD", "status": "paid", "email": ANN, "created_at": house.ago(0)}),
        )
        .await
        .is(200);
    let buyers = said(&counted(&house, &site).await, "reports/customers");
    assert_eq!((&buyers["customers"]["all"], &buyers["buyers"]["new"]["orders"]), (&json!(3), &json!(3)), "{buyers:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_with_one_number_are_shown_before_they_go() {
    let receiver = StandIn::start(|_, _| Says::text(200, "thanks")).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    let settings = [("url".to_owned(), format!("{}/hook", receiver.url()))].into();
    let form = NewConnectionForm {
        platform: "webhook".into(),
        name: Some("Store-room".into()),
        mode: Some("live".into()),
        settings,
        is_shown_later: false,
    };
    connections::add(&house.app, site.id, &form, "test").await.expect("a connection");
    let order = |id: &str, email: &str, name: &str| json!({"order_id": id, "total": "9.00", "currency": "USD", "email": email, "phone": PHONE, "name": name, "status": "paid", "consent_given": true});
    for (id, email, name) in [("1001", ANN, "Ann Lee"), ("1002", BO, "Bo Berg"), ("1003", ANN, "Ann Lee")] {
        house.order(&site, order(id, email, name)).await.is(200);
    }
    house.work().await;
    let preview = house.erase(&site, json!({"order": "1002", "preview": true})).await.is(200).json;
    let known = &preview["known_as"];
    assert_eq!(
        (&known["is_several"], &known["share_a_phone"], &known["names"], &known["emails"]),
        (&json!(true), &json!(true), &json!(2), &json!(2))
    );
    let faces: Vec<(&Value, &Value, &Value)> =
        known["people"].as_array().expect("people").iter().map(|f| (&f["name"], &f["email"], &f["numbers"])).collect();
    assert_eq!(
        faces,
        [
            (&json!("A•••• L••••"), &json!("an••••@••••.example"), &json!(["1001", "1003"])),
            (&json!("B•••• B••••"), &json!("b••••@••••.example"), &json!(["1002"])),
        ],
        "{known:#}"
    );
    assert!(!preview.to_string().contains(ANN) && !preview.to_string().contains(PHONE), "masked: {preview:#}");
    assert_eq!(preview["told"][0]["name"], json!("Store-room"), "{preview:#}");

    // One person under one name is no warning.
    house
        .order(
            &site,
            json!({"order_id": "1009", "total": "1.00", "currency": "USD", "email": "cy@mail.example", "name": "Cy Roe", "status": "paid"}),
        )
        .await
        .is(200);
    let single = house.erase(&site, json!({"order": "1009", "preview": true})).await.is(200).json;
    assert_eq!((&single["known_as"]["is_several"], &single["known_as"]["names"]), (&json!(false), &json!(1)), "{single:#}");

    let certificate = house.erase(&site, json!({"order": "1002"})).await.is(201).json;
    assert_eq!(certificate["things"], preview["things"], "the certificate counts what the preview counted");
    assert_eq!(certificate["things"]["orders"], json!(3));
    let told = &certificate["destinations"][0];
    assert_eq!((&told["name"], &told["state"]), (&json!("Store-room"), &json!("told")), "{certificate:#}");

    // What stays says whose it was no more, and offers nothing.
    let sale = house.list(&site, "conversions").await.into_iter().find(|c| c["label"] == "Order 1001").expect("the sale");
    assert_eq!(sale["who"], json!({"display": null, "contact": null, "is_erased": true}));
    let path = format!("/api/sites/{}/receipts/{}", site.slug, sale["id"].as_str().unwrap_or_default());
    let receipt = house.get(&path).token(&site.token).send().await.is(200).json;
    assert!(receipt["conversion"]["erased_at"].is_string(), "{receipt:#}");
    assert_eq!((&receipt["conversion"]["consent"], &receipt["why"]["would_change"]), (&Value::Null, &json!([])), "{receipt:#}");
    let sent: Vec<&Value> = receipt["deliveries"].as_array().expect("deliveries").iter().map(|d| &d["id"]).collect();
    let replay = json!({"deliveries": sent, "preview": true});
    let replay =
        house.post(&format!("/api/sites/{}/deliveries/replay", site.slug)).token(&site.token).json(&replay).send().await.is(200).json;
    assert_eq!((&replay["count"], &replay["left_out"]), (&json!(1), &json!(1)), "{replay:#}");
}
