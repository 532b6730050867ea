//! A month that is closed: what its statements show stands for good, whatever becomes of the partner, the terms, the codes, the
//! clicks and the sales. What comes later stands on the statement of the month that is open.

use std::collections::BTreeMap;

use halotrack::store::FILE;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::affiliates::{left, lines};
use crate::house::{House, SiteAt};

const DAY_S: i64 = 86_400;

async fn close(house: &House, site: &SiteAt, month: &str) {
    house.of_partner(site, "close", json!({"month": month})).await.is(204);
}

/// A link to the statement, as the partner opens it: what is shown, without how often it was looked at.
async fn token(house: &House, site: &SiteAt, id: &str, month: &str) -> String {
    let made = house.of_partner(site, &format!("{id}/links"), json!({"month": month, "expires_days": 700})).await.is(201).json;
    made["link"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned()
}

async fn look(house: &House, token: &str) -> Value {
    house.advance_s(1);
    house.get(&format!("/api/statements/{token}")).header("sec-fetch-site", "same-origin").send().await.is(200).json
}

async fn file(house: &House, site: &SiteAt, id: &str, month: &str) -> String {
    house.advance_s(1);
    let path = format!("/api/sites/{}/affiliates/{id}/statement.csv?month={month}", site.slug);
    house.get(&path).token(&site.token).send().await.is(200).text
}

/// What the owner reads of the month itself; beside it stands how the partner stands now.
fn of_month(statement: &Value) -> Value {
    let mut month = statement.clone();
    for present in ["partner", "links", "email", "phone", "payout", "state", "link", "commission", "created_at"] {
        month.as_object_mut().expect("fields").remove(present);
    }
    for line in month["lines"].as_array_mut().into_iter().flatten() {
        for present in ["may_decide", "verdict_now", "state_now"] {
            line.as_object_mut().expect("fields").remove(present);
        }
    }
    month
}

#[tokio::test]
async fn nothing_moves_a_final_statement() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let more = json!({"name": "Noor", "coupons": ["NOOR10"], "email": "noor@mail.example", "hold_days": 30, "cookie_days": 45});
    let noor = house.partner(&site, "noor", more).await;
    for _ in 0..3 {
        house.visit(&site, None, json!({"landing": "/?ref=noor"})).await;
    }
    let sale = house.sold(&site, json!({"order_id": "10574", "revenue": 100, "affiliate_id": "noor", "email": "b@mail.example"})).await;
    house
        .sold(&site, json!({"order_id": "10575", "revenue": 40, "currency": "EUR", "affiliate_id": "noor", "email": "c@mail.example"}))
        .await;
    let token = token(&house, &site, &noor, "2026-06").await;
    let open = house.statement(&site, &noor, "2026-06").await;
    assert_eq!((&open["is_final"], &open["closed_at"], &open["digest"]), (&json!(false), &Value::Null, &Value::Null));
    house.advance_s(20 * DAY_S);
    close(&house, &site, "2026-06").await;
    let (final_, seen, csv) =
        (house.statement(&site, &noor, "2026-06").await, look(&house, &token).await, file(&house, &site, &noor, "2026-06").await);
    assert_eq!((&final_["is_final"], &seen["is_final"]), (&json!(true), &json!(true)));
    assert!(final_["closed_at"].as_str().is_some_and(|at| at.starts_with("2026-07-03T09:")), "{final_}");
    assert_eq!((final_["digest"].as_str().map(str::len), &seen["digest"]), (Some(64), &final_["digest"]));
    assert_eq!(
        (&final_["clicks"], &final_["terms"], final_["as_of"] == final_["closed_at"]),
        (&json!(3), &json!("10% of each sale"), true)
    );
    assert_eq!(final_["net"].as_array().map(Vec::len), Some(2), "each currency by itself: {final_}");
    assert_eq!(final_["lines"][0]["days_left"], 10, "as it was on that day");

    // Name, terms, codes, coupons, days, the rule, the shop's name and zone: all of it changes.
    let changes =
        json!({"name": "Somebody else", "codes": ["other"], "coupons": ["X5"], "commission": ["50%"], "hold_days": 1, "cookie_days": 1});
    house.of_partner(&site, &noor, changes).await.is(200);
    halotrack::flows::sites::set(&house.app, site.id, "affiliates.model", "first", "test").await.expect("set");
    let settings = json!({"name": "Another shop", "zone": "Asia/Dubai"});
    house.post(&format!("/api/sites/{}/settings", site.slug)).token(&site.token).json(&settings).send().await;
    // A click that a server brings afterwards, a refund, the owner's word, the end of the hold and a payment.
    house.history(&site, None, 480, json!({"landing": "/?ref=noor"})).await;
    house
        .post("/api/webhook/order")
        .token(&site.token)
        .json(&json!({"order_id": "10574", "created_at": "2026-06-13T09:20:02Z", "status": "refunded", "total": 100, "currency": "USD", "email": "b@mail.example"}))
        .send()
        .await;
    house.of_partner(&site, &format!("{noor}/commissions/{sale}"), json!({"verdict": "approve", "note": "fine"})).await;
    house.advance_s(40 * DAY_S);
    let owed = house.statement(&site, &noor, "2026-08").await["partner"]["owed"].clone();
    assert!(owed.as_array().is_some_and(|all| !all.is_empty()), "{owed}");
    house.of_partner(&site, &format!("{noor}/pay"), json!({"reference": "TRX 1"})).await.is(200);

    let same = |now: &Value, then: &Value| assert_eq!(of_month(now), of_month(then));
    same(&house.statement(&site, &noor, "2026-06").await, &final_);
    same(&look(&house, &token).await, &seen);
    assert_eq!(file(&house, &site, &noor, "2026-06").await, csv);
    // How the partner and the lines stand now is said beside it.
    let now = house.statement(&site, &noor, "2026-06").await;
    assert_eq!((&now["partner"]["name"], &now["name"]), (&json!("Somebody else"), &json!("Noor")));
    // The dollars went back before they were due, so only the euros were paid.
    let states: Vec<(&Value, &Value)> = now["lines"].as_array().into_iter().flatten().map(|l| (&l["state"], &l["state_now"])).collect();
    assert_eq!(states, [(&json!("pending"), &json!("approved")), (&json!("pending"), &json!("paid"))], "{now}");
    // What came later stands where it came.
    let july = house.statement(&site, &noor, "2026-07").await;
    assert_eq!(lines(&july).iter().map(|l| l.1).sum::<i64>(), -1_000, "{july}");
    assert_eq!(july["payouts"][0]["reference"], "TRX 1");

    // Who it was goes, and nothing else.
    house.of_partner(&site, &format!("{noor}/erase"), json!({})).await.is(204);
    let mut erased = house.statement(&site, &noor, "2026-06").await;
    assert_eq!(erased["name"], "Erased partner");
    erased["name"] = json!("Noor");
    same(&erased, &final_);
}

/// A name that is erased by the person's own wish goes from what was written down as well, and the certificate counts it.
#[tokio::test]
async fn an_erased_partner_is_gone_from_final_statements() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "n1", json!({"name": "Noor Haddad", "email": "noor@mail.example"})).await;
    house.sold(&site, json!({"revenue": 100, "affiliate_id": "n1", "email": "b@mail.example"})).await;
    house.advance_s(20 * DAY_S);
    close(&house, &site, "2026-06").await;
    house.advance_s(1);
    let path = format!("/api/sites/{}/people/export?email=noor@mail.example", site.slug);
    let all = house.get(&path).token(&site.token).send().await.is(200).json;
    assert_eq!(
        all["tables"]["affiliate_statements"].as_array().or(all["affiliate_statements"].as_array()).map(Vec::len),
        Some(1),
        "{all:#}"
    );
    let body = json!({"email": "noor@mail.example"});
    let certificate = house.post(&format!("/api/sites/{}/erasures", site.slug)).token(&site.token).json(&body).send().await.is(201).json;
    assert_eq!((&certificate["rows"]["affiliates"], &certificate["rows"]["affiliate_statements"]), (&json!(1), &json!(1)), "{certificate}");
    let statement = house.statement(&site, &noor, "2026-06").await;
    assert_eq!((&statement["name"], lines(&statement).len()), (&json!("Erased partner"), 1));
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let named: i64 = db
        .query_row("select count(*) from affiliate_statements where name like '%Noor%' or body like '%Noor%'", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(named, 0);
}

/// Closing a month closes all before it, also those that nobody has closed; each is written down, and none twice.
#[tokio::test]
async fn closing_a_month_writes_down_all_before_it() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"hold_days": 0})).await;
    house.sold(&site, json!({"revenue": 100, "affiliate_id": "noor"})).await;
    house.advance_s(20 * DAY_S);
    house.sold(&site, json!({"revenue": 50, "affiliate_id": "noor"})).await;
    house.of_partner(&site, "close", json!({"month": "2026-07"})).await.is(422);
    house.advance_s(30 * DAY_S);
    close(&house, &site, "2026-07").await;
    let both = [house.statement(&site, &noor, "2026-06").await, house.statement(&site, &noor, "2026-07").await];
    assert_eq!(both.iter().map(|s| s["commissions"]["earned"][0]["minor"].clone()).collect::<Vec<_>>(), [json!(1_000), json!(500)]);
    assert!(both.iter().all(|s| s["is_final"] == json!(true) && s["closed_at"] == both[0]["closed_at"]), "{both:?}");
    house.of_partner(&site, &noor, json!({"name": "Other"})).await.is(200);
    close(&house, &site, "2026-06").await;
    close(&house, &site, "2026-07").await;
    let again = [house.statement(&site, &noor, "2026-06").await, house.statement(&site, &noor, "2026-07").await];
    assert_eq!(again.iter().map(of_month).collect::<Vec<_>>(), both.iter().map(of_month).collect::<Vec<_>>());
    // Somebody who is added afterwards has a final month without anything in it.
    let late = house.partner(&site, "late", json!({})).await;
    let none = house.statement(&site, &late, "2026-06").await;
    assert_eq!((&none["is_final"], lines(&none).len(), &none["clicks"], &none["digest"]), (&json!(true), 0, &json!(0), &Value::Null));
    // A site knows its own months only.
    let other = house.site("other.example").await;
    let theirs = house.partner(&other, "noor", json!({})).await;
    assert_eq!(house.statement(&other, &theirs, "2026-06").await["is_final"], false);
    // What was changed in the file itself is shown to nobody.
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    db.execute(
        "update affiliate_statements set body = replace(body, '1000', '9000') where site_id = ?1 and month < 20620",
        params![site.id.number()],
    )
    .expect("changed");
    house.advance_s(1);
    house.get(&format!("/api/sites/{}/affiliates/{noor}/statement?month=2026-06", site.slug)).token(&site.token).send().await.is(500);
    house.statement(&site, &noor, "2026-07").await;
}

/// Paid, then taken back, over the end of a month and in two currencies: what was paid too much waits for the next commission.
#[tokio::test]
async fn what_was_paid_too_much_is_carried_into_the_next_month() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let noor = house.partner(&site, "noor", json!({"hold_days": 0, "payout": "AE07"})).await;
    let order = |id: &str, status: &str, currency: &str| json!({"order_id": id, "status": status, "total": "100.00", "currency": currency, "email": format!("{id}@mail.example"), "affiliate": "noor"});
    for (id, currency) in [("a1", "USD"), ("a2", "EUR")] {
        house.order(&site, order(id, "paid", currency)).await.is(200);
    }
    house.advance_s(3_600);
    let owed = house.statement(&site, &noor, "2026-06").await["owed"].clone();
    assert_eq!(owed, json!([{"minor": 1_000, "currency": "EUR"}, {"minor": 1_000, "currency": "USD"}]));
    house.of_partner(&site, &format!("{noor}/pay"), json!({"amounts": owed})).await.is(200);
    house.of_partner(&site, &format!("{noor}/pay"), json!({"amounts": owed})).await.is(409);
    house.advance_s(20 * DAY_S);
    close(&house, &site, "2026-06").await;
    house.order(&site, order("a1", "refunded", "USD")).await.is(200);
    let july = house.statement(&site, &noor, "2026-07").await;
    assert_eq!((lines(&july)[0].1, &july["owed"]), (-1_000, &json!([{"minor": -1_000, "currency": "USD"}])), "{july}");
    assert_eq!(house.of_partner(&site, &format!("{noor}/pay"), json!({})).await.is(409).code(), "nothing_due");
    let bank = house.get(&format!("/api/sites/{}/affiliates/bank.csv", site.slug)).token(&site.token).send().await.is(200).text;
    assert_eq!(bank.lines().count(), 1, "nothing is to be transferred: {bank}");
    // The next commission is less by it, and the other currency pays for nothing of it.
    house.advance_s(3_600);
    house.order(&site, json!({"order_id": "a3", "status": "paid", "total": "150.00", "currency": "USD", "email": "a3@mail.example", "affiliate": "noor"})).await.is(200);
    house.order(&site, order("a4", "paid", "EUR")).await.is(200);
    house.advance_s(3_600);
    let owed = house.statement(&site, &noor, "2026-07").await["owed"].clone();
    assert_eq!(owed, json!([{"minor": 1_000, "currency": "EUR"}, {"minor": 500, "currency": "USD"}]));
    assert_eq!(left(&house, &site), BTreeMap::from([(noor, 3_500)]));
}
