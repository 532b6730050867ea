//! Money of partners: who can be paid by the bank's file, what no sheet may run, coupons however they are told, and what two payments
//! at once come to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::affiliates::left;
use crate::house::{House, SiteAt};

async fn bank(house: &House, site: &SiteAt) -> crate::house::Answer {
    house.advance_s(1);
    house.get(&format!("/api/sites/{}/affiliates/bank.csv", site.slug)).token(&site.token).send().await.is(200)
}

#[tokio::test]
async fn who_has_no_account_is_named_and_not_in_the_file() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for (code, more) in [
        ("noor", json!({"name": "Noor", "payout": "AE07 0331", "hold_days": 0})),
        ("karim", json!({"name": "Karim", "hold_days": 0})),
        ("lina", json!({"name": "Lina", "payout": "  ", "hold_days": 0})),
        ("idle", json!({"name": "Idle", "hold_days": 0})),
    ] {
        house.partner(&site, code, more).await;
    }
    for code in ["noor", "karim", "lina"] {
        house.sold(&site, json!({"revenue": 80, "affiliate_id": code})).await;
    }
    house.advance_s(60);
    let file = bank(&house, &site).await;
    assert_eq!(file.text.lines().skip(1).collect::<Vec<_>>(), ["Noor,AE07 0331,8.00,USD,shop noor 2026-06-13"]);
    assert_eq!(file.header("x-halo-without-account"), "affiliate_2, affiliate_3");
    let want = json!([{"affiliate": "affiliate_2", "name": "Karim", "owed": [{"minor": 800, "currency": "USD"}]},
        {"affiliate": "affiliate_3", "name": "Lina", "owed": [{"minor": 800, "currency": "USD"}]}]);
    for path in ["affiliates", "reports/affiliates"] {
        let answer = house.get(&format!("/api/sites/{}/{path}", site.slug)).token(&site.token).send().await.is(200).json;
        assert_eq!(answer["without_account"], want, "{path}");
    }
    for id in ["affiliate_2", "affiliate_3"] {
        house.of_partner(&site, id, json!({"payout": "AE08"})).await.is(200);
    }
    let file = bank(&house, &site).await;
    assert_eq!((file.text.lines().count(), file.header("x-halo-without-account")), (4, ""));
}

/// Names, accounts, codes and words that a sheet would run: in every file that says something of partners, none begins a cell.
#[tokio::test]
async fn no_file_of_partners_runs_anything() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for (n, sign) in ["=", "+", "-", "@", "＝"].into_iter().enumerate() {
        let evil = format!("{sign}HYPERLINK(\"http://x\")");
        let code = if matches!(sign, "+" | "-") { format!("{sign}c{n}") } else { format!("c{n}") };
        let id = house.partner(&site, &code, json!({"name": evil, "payout": evil, "coupons": [format!("-k{n}")], "hold_days": 0})).await;
        house.sold(&site, json!({"revenue": 80, "order_id": format!("{sign}1+1"), "affiliate_id": code})).await;
        house.advance_s(1);
        let path = format!("/api/sites/{}/affiliates/{id}/statement.csv?month=2026-06", site.slug);
        safe(&house.get(&path).token(&site.token).send().await.is(200).text, 1);
        let wish = json!({"to": "/", "affiliate": code, "label": evil, "utm_source": evil});
        house.post(&format!("/api/sites/{}/links", site.slug)).token(&site.token).json(&wish).send().await.is(201);
    }
    house.advance_s(60);
    for path in ["affiliates.csv", "reports/affiliates.csv", "affiliates/bank.csv", "links.csv"] {
        house.advance_s(1);
        safe(&house.get(&format!("/api/sites/{}/{path}", site.slug)).token(&site.token).send().await.is(200).text, 5);
    }
}

fn safe(text: &str, rows: usize) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let all: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(all.len(), rows, "{text}");
    for cell in all.iter().flatten() {
        let is_number = cell.parse::<f64>().is_ok();
        assert!(is_number || !cell.starts_with(['=', '+', '-', '@', '\t', '＝']), "{cell:?} in {text}");
    }
}

/// `A,B` is two coupons, however it is told: by an order, a statement, a form.
#[tokio::test]
async fn several_coupons_in_one_text_are_several() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"coupons": ["NOOR10"]})).await;
    let order = |id: &str, coupons: Value| json!({"order_id": id, "total": "10.00", "currency": "USD", "email": format!("{id}@mail.example"), "coupons": coupons});
    let mut earned = 0;
    for (n, coupons) in
        [json!("SUMMER,NOOR10"), json!(["SUMMER", "noor10"]), json!(["SUMMER, NOOR10"]), json!("SUMMER; NOOR10")].into_iter().enumerate()
    {
        house.order(&site, order(&format!("o{n}"), coupons.clone())).await.is(200);
        earned += 100;
        assert_eq!(left(&house, &site), BTreeMap::from([(noor.clone(), earned)]), "{coupons}");
        house.advance_s(60);
    }
    house.sold(&site, json!({"order_id": "c1", "revenue": 10, "coupon": "SUMMER,NOOR10", "email": "c1@mail.example"})).await;
    assert_eq!(left(&house, &site), BTreeMap::from([(noor.clone(), earned + 100)]));
    let statement = house.statement(&site, &noor, "2026-06").await;
    assert!(
        statement["lines"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|l| l["note"].as_str().is_some_and(|n| n.to_lowercase().contains("coupon noor10."))),
        "{statement}"
    );
}

/// A coupon that belongs to two partners, one after the other: each sale is of whoever had it when the sale became known.
#[tokio::test]
async fn a_coupon_that_changes_hands_earns_for_whoever_has_it() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let (anna, ben) = (house.partner(&site, "anna", json!({"coupons": ["TEN"]})).await, house.partner(&site, "ben", json!({})).await);
    let order =
        |id: &str| json!({"order_id": id, "total": "10.00", "currency": "USD", "email": format!("{id}@mail.example"), "coupons": ["ten"]});
    house.order(&site, order("1")).await.is(200);
    assert_eq!(house.of_partner(&site, &ben, json!({"coupons": ["Ten"]})).await.is(409).code(), "code_taken");
    house.of_partner(&site, &anna, json!({"coupons": []})).await.is(200);
    house.of_partner(&site, &ben, json!({"coupons": ["Ten"]})).await.is(200);
    house.advance_s(60);
    house.order(&site, order("1")).await.is(200);
    assert_eq!(left(&house, &site), BTreeMap::from([(anna.clone(), 100)]), "told again it stays");
    house.order(&site, order("2")).await.is(200);
    assert_eq!(left(&house, &site), BTreeMap::from([(anna.clone(), 100), (ben.clone(), 100)]));
    // Another spelling of it is the same coupon, as old as it was.
    house.of_partner(&site, &ben, json!({"coupons": ["TEN"], "codes": ["BEN"]})).await.is(200);
    house.order(&site, order("2")).await.is(200);
    house.order(&site, order("3")).await.is(200);
    assert_eq!(left(&house, &site), BTreeMap::from([(anna, 100), (ben, 200)]));
}

/// A partner who buys under another spelling of the own address is seen too; and by that alone nobody is taken for somebody else.
#[tokio::test]
async fn an_own_purchase_is_seen_under_other_spellings() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"email": "noor@mail.example"})).await;
    for (order, email, is_own) in
        [("1", "Noor+shop@Mail.example", true), ("2", "noor2@mail.example", false), ("3", "noor@other.example", false)]
    {
        house.sold(&site, json!({"order_id": order, "revenue": 10, "affiliate_id": "noor", "email": email})).await;
        let statement = house.statement(&site, &noor, "2026-06").await;
        let line = statement["lines"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
        assert_eq!(line["flag"].is_string(), is_own, "{email}: {line}");
    }
    let contacts = house.get(&format!("/api/sites/{}/contacts", site.slug)).token(&site.token).send().await.is(200).json;
    assert_eq!(contacts["items"].as_array().map(Vec::len), Some(3), "three people: {contacts}");
}

/// Two people press the button at once, or one twice: it is noted once.
#[tokio::test]
async fn a_payment_that_is_typed_twice_is_noted_once() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"hold_days": 0})).await;
    house.sold(&site, json!({"revenue": 80, "affiliate_id": "noor"})).await;
    house.advance_s(60);
    let path = format!("/api/sites/{}/affiliates/{noor}/pay", site.slug);
    let body = json!({"reference": "TRX 1", "amounts": [{"minor": 800, "currency": "USD"}]});
    let pay = || house.post(&path).token(&site.token).json(&body).send();
    let (one, two) = tokio::join!(pay(), pay());
    let mut states = [one.status, two.status];
    states.sort_unstable();
    assert_eq!(states, [200, 409], "{} {}", one.text, two.text);
    let statement = house.statement(&site, &noor, "2026-06").await;
    assert_eq!((statement["payouts"].as_array().map(Vec::len), &statement["commissions"]["paid"][0]["minor"]), (Some(1), &json!(800)));
    assert_eq!(statement["owed"], json!([]));
}

/// A statement's link opens one month of one partner, and nothing that was altered about it opens anything.
#[tokio::test]
async fn a_statements_link_opens_that_statement_alone() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let (noor, karim) =
        (house.partner(&site, "noor", json!({"name": "Noor"})).await, house.partner(&site, "karim", json!({"name": "Karim"})).await);
    let mut tokens = Vec::new();
    for (id, month) in [(&noor, "2026-06"), (&noor, "2026-05"), (&karim, "2026-06")] {
        let made = house.of_partner(&site, &format!("{id}/links"), json!({"month": month})).await.is(201).json;
        tokens.push(made["link"].as_str().and_then(|l| l.rsplit('/').next()).expect("a token").to_owned());
    }
    let look = async |token: &str, query: &str| {
        house.advance_s(1);
        house.get(&format!("/api/statements/{token}{query}")).header("sec-fetch-site", "same-origin").send().await
    };
    for (token, name, month) in [(&tokens[0], "Noor", "2026-06"), (&tokens[1], "Noor", "2026-05"), (&tokens[2], "Karim", "2026-06")] {
        for query in ["", "?month=2026-04", "?affiliate=affiliate_2"] {
            let seen = look(token, query).await.is(200).json;
            assert_eq!((&seen["name"], &seen["month"]), (&json!(name), &json!(month)), "{query}");
        }
    }
    let token = tokens[0].clone();
    for place in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[place] = if altered[place] == b'b' { b'c' } else { b'b' };
        let altered = String::from_utf8(altered).expect("ASCII");
        let got = look(&altered, "").await;
        assert_eq!((got.status, got.text.contains("Noor")), (404, false), "changed at {place}");
    }
    for none in [format!("{token}%00"), format!("{token}/.."), token.to_uppercase(), "affiliate_1".to_owned()] {
        assert!(matches!(look(&none, "").await.status, 400 | 404), "{none}");
    }
}
