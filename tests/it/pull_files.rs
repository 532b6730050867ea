//! Files that Google and Meta fetch by their address: who may, what is in them, and that they say the same each time.

use halotrack::crypto;
use halotrack::domain::rights::Scope;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};

const GOOGLE: &str = "/export/google-conversions.csv";
const META: &str = "/export/meta-conversions.csv";

async fn fetch(house: &House, site: &SiteAt, path: &str) -> Answer {
    house.advance_s(5);
    let coded = crypto::base64(format!("google:{}", site.token).as_bytes());
    house.get(path).header("authorization", &format!("Basic {coded}")).send().await
}

fn rows(answer: &Answer) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(answer.text.as_bytes());
    reader.records().map(|r| r.expect("a line of CSV").iter().map(str::to_owned).collect()).collect()
}

/// A sale of a visitor who came by a click.
async fn sale(house: &House, site: &SiteAt, order: &str, click: Value, more: Value) {
    let mut visit = json!({"utm_source": "google", "utm_medium": "cpc", "consent": "granted"});
    visit.as_object_mut().expect("an object").extend(click.as_object().cloned().unwrap_or_default());
    let session = house.visit(site, None, visit).await;
    house.advance_s(60);
    let mut told = json!({"conversion_type": "sale", "session_id": session, "email": format!("{order}@mail.example"), "revenue": 142.5,
        "currency": "EUR", "order_id": order});
    told.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    house.conversion(site, told).await.is(201);
    house.advance_s(60);
}

#[tokio::test]
async fn google_gets_one_click_a_row_and_the_same_time_each_time() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let at = house.clock.now().plus_ms(60_000).utc();
    sale(&house, &site, "1001", json!({"gclid": "Cj0KCQ_one"}), json!({})).await;
    sale(&house, &site, "1002", json!({"wbraid": "Wb_two"}), json!({})).await;
    sale(&house, &site, "1003", json!({"fbclid": "PAZX_three"}), json!({})).await;
    let session = house.visit(&site, None, json!({"gclid": "=Cj_four"})).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": "bo@mail.example", "session_id": session})).await.is(200);
    house.advance_s(60);
    sale(&house, &site, "1004", json!({"gclid": "Cj_five"}), json!({})).await;
    let answer = fetch(&house, &site, GOOGLE).await.is(200);
    assert!(answer.header("content-type").starts_with("text/csv"));
    let all = rows(&answer);
    let head = "Google Click ID,GBRAID,WBRAID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency,Order ID,Ad User Data Consent,Ad Personalization Consent";
    assert_eq!(all[0].join(","), head);
    let stamp = format!("{} {}+00:00", &at[..10], &at[11..19]);
    assert_eq!(all[1], ["Cj0KCQ_one", "", "", "HaloTrack Purchase", &stamp, "142.50", "EUR", "order_1001", "GRANTED", "GRANTED"]);
    assert_eq!((all[2][0].as_str(), all[2][2].as_str()), ("", "Wb_two"));
    let names: Vec<&str> = all[1..].iter().map(|r| r[7].as_str()).collect();
    assert_eq!(names, ["order_1001", "order_1002", "lead_L-1", "order_1004"], "in the order of time, and none without a click");
    assert_eq!(all[3][0], "'=Cj_four", "a sheet runs nothing");
    assert!(!answer.text.contains("@mail.example"));

    house.advance_s(3_600);
    assert_eq!(fetch(&house, &site, GOOGLE).await.is(200).text, answer.text, "the same again");
    let named = fetch(&house, &site, &format!("{GOOGLE}?name=Online%20sale&kind=sale&days=7")).await.is(200);
    assert_eq!(rows(&named).len(), 4);
    assert!(rows(&named)[1..].iter().all(|r| r[3] == "Online sale"));
    house.advance_s(40 * 86_400);
    assert_eq!(rows(&fetch(&house, &site, GOOGLE).await.is(200)).len(), 1, "30 days where none are said");
    assert_eq!(rows(&fetch(&house, &site, &format!("{GOOGLE}?days=90")).await.is(200)).len(), 5);
    for bad in ["?days=0", "?days=91", "?days=x", "?kind=refund"] {
        fetch(&house, &site, &format!("{GOOGLE}{bad}")).await.is(400);
    }
}

#[tokio::test]
async fn meta_gets_people_hashed() {
    let house = House::new();
    let site = house.site("shop.example").await;
    sale(&house, &site, "1001", json!({"fbclid": "PAZX_one", "fbp": "fb.1.1781286066120.4410023981"}), json!({})).await;
    house.conversion(&site, json!({"conversion_type": "lead", "email": "Bo@Mail.example", "order_id": "L-7"})).await.is(201);
    house.conversion(&site, json!({"conversion_type": "sale", "revenue": 5, "order_id": "1002"})).await.is(201);
    let answer = fetch(&house, &site, META).await.is(200);
    let all = rows(&answer);
    assert_eq!(all[0].join(","), "event_name,event_time,event_id,email,phone,fbc,fbp,value,currency,order_id,lead_id");
    assert_eq!(all.len(), 3, "who cannot be recognised is left out: {all:#?}");
    let sale = &all[1];
    assert_eq!((sale[0].as_str(), sale[2].as_str(), sale[7].as_str(), sale[9].as_str()), ("Purchase", "order_1001", "142.50", "1001"));
    assert_eq!(sale[3], crypto::sha256_hex(b"1001@mail.example"));
    assert!(sale[5].starts_with("fb.1.") && sale[5].ends_with(".PAZX_one"), "{sale:?}");
    assert_eq!(sale[6], "fb.1.1781286066120.4410023981");
    assert_eq!((all[2][0].as_str(), all[2][3].as_str()), ("Lead", crypto::sha256_hex(b"bo@mail.example").as_str()));
    assert!(!answer.text.contains("mail.example"));
}

#[tokio::test]
async fn who_refused_or_was_erased_or_sent_back_is_in_no_file() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let session = house.visit(&site, None, json!({"gclid": "Cj_refused", "consent": "granted"})).await;
    let lead = |id: &str, more: Value| {
        let mut told = json!({"lead_id": id, "email": format!("{id}@mail.example"), "session_id": session});
        told.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        told
    };
    house.lead(&site, lead("l-1", json!({"consent_given": false}))).await.is(200);
    house.lead(&site, lead("l-2", json!({}))).await.is(200);
    assert_eq!(rows(&fetch(&house, &site, GOOGLE).await.is(200)).len(), 2);
    house.touch(&site, Some(&session), json!({"consent": "denied"})).await.is(200);
    for path in [GOOGLE, META] {
        assert_eq!(rows(&fetch(&house, &site, path).await.is(200)).len(), 1, "{path}");
    }
    house.conversion(&site, json!({"conversion_type": "lead", "email": "ann@mail.example", "order_id": "L-9"})).await.is(201);
    assert_eq!(rows(&fetch(&house, &site, META).await.is(200)).len(), 2);
    house.post(&format!("/api/sites/{}/erasures", site.slug)).token(&site.token).json(&json!({"email": "ann@mail.example"})).send().await;
    assert_eq!(rows(&fetch(&house, &site, META).await.is(200)).len(), 1);
    house
        .order(&site, json!({"order_id": "77", "total": "20.00", "currency": "USD", "email": "cy@mail.example", "status": "paid"}))
        .await
        .is(200);
    assert_eq!(rows(&fetch(&house, &site, META).await.is(200)).len(), 2);
    house.advance_s(60);
    house
        .order(&site, json!({"order_id": "77", "total": "20.00", "currency": "USD", "email": "cy@mail.example", "status": "refunded"}))
        .await
        .is(200);
    assert_eq!(rows(&fetch(&house, &site, META).await.is(200)).len(), 1);
}

#[tokio::test]
async fn only_a_token_of_the_site_opens_a_file() {
    let house = House::new();
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    sale(&house, &site, "1001", json!({"gclid": "Cj0KCQ_one"}), json!({})).await;
    for path in [GOOGLE, META] {
        let asked = house.get(path).send().await.is(401);
        assert!(asked.header("www-authenticate").starts_with("Basic "), "importers wait to be asked");
        let basic = |text: &str| format!("Basic {}", crypto::base64(text.as_bytes()));
        for bad in [basic("google:ht_nobody"), basic("nothing"), "Basic %%%".into(), "Digest x".into()] {
            house.get(path).header("authorization", &bad).send().await.is(401);
        }
        let read = house.token(site.id, &[Scope::Read]).await;
        house.get(path).header("authorization", &basic(&format!("x:{read}"))).send().await.is(403);
        let export = house.token(site.id, &[Scope::Export]).await;
        let opened = house.get(path).header("authorization", &basic(&format!(":{export}"))).send().await.is(200);
        assert_eq!(rows(&opened).len(), 2);
        house.get(path).token(&export).send().await.is(200);
        assert_eq!(rows(&fetch(&house, &other, path).await.is(200)).len(), 1, "another site's file is its own");
    }
}

#[tokio::test]
async fn a_file_of_many_pages_has_each_once() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let all: Vec<Value> =
        (0..450).map(|n| json!({"conversion_type": "lead", "email": format!("p{n}@mail.example"), "order_id": format!("L-{n}")})).collect();
    for part in all.chunks(90) {
        house.post("/api/conversions").token(&site.token).json(&json!(part)).send().await.is(200);
        house.advance_s(60);
    }
    let found = rows(&fetch(&house, &site, META).await.is(200));
    let ids: std::collections::BTreeSet<&str> = found[1..].iter().map(|r| r[2].as_str()).collect();
    assert_eq!((found.len(), ids.len()), (451, 450));
}
