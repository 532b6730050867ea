//! Names in places that are nobody's own: notes, sentences of platforms, the log of who did what, files that wait to be brought in.

use std::path::{Path, PathBuf};

use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::json;

use super::{ANN, BO, PHONE};
use crate::house::{House, SiteAt};

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries: Vec<PathBuf> = std::fs::read_dir(folder).expect("the folder").map(|e| e.expect("an entry").path()).collect();
    entries.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn that_name(folder: &Path, word: &str) -> Vec<PathBuf> {
    let is_named = |path: &PathBuf| {
        let bytes = std::fs::read(path).expect("a file").to_ascii_lowercase();
        path.to_string_lossy().to_lowercase().contains(word) || bytes.windows(word.len()).any(|w| w == word.as_bytes())
    };
    files(folder).into_iter().filter(is_named).collect()
}

async fn waiting(house: &House, site: &SiteAt, name: &str, text: &str) -> String {
    house.advance_s(1);
    let path = format!("/api/sites/{}/imports", site.slug);
    let told = json!({"kind": "orders", "name": name, "bytes": text.len()});
    let told = house.post(&path).token(&site.token).json(&told).send().await.is(201).json;
    let id = told["id"].as_str().expect("an id").to_owned();
    house.post(&format!("{path}/{id}/pieces?at=0")).token(&site.token).body(text.as_bytes()).send().await.is(200);
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_found_wherever_somebody_has_written_it() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN})).await.is(200);
    house.lead(&site, json!({"lead_id": "L-2", "email": BO})).await.is(200);
    let note = json!({"day": "2026-06-12", "text": format!("{} rang and was kind", ANN.to_uppercase())});
    house.post("/api/sites/shop/notes").token(&site.token).json(&note).send().await.is(201);
    let kept = json!({"day": "2026-06-12", "text": "the window was broken"});
    house.post("/api/sites/shop/notes").token(&site.token).json(&kept).send().await.is(201);
    waiting(&house, &site, "orders.csv", &format!("Order ID;E-Mail;Total\r\n1;{ANN};5\r\n2;{BO};6\r\n")).await;
    let others = waiting(&house, &site, "others.csv", &format!("Order ID;E-Mail;Total\r\n2;{BO};6\r\n")).await;
    // What platforms and the owner have said of them in passing.
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let said = |sql: &str| db.execute(sql, [format!("nothing could be made of {ANN}")]).expect("a sentence");
    said("insert into happenings (site_id, id, connection_id, at, sentence) values (1, 1, 1, 1, ?1)");
    said(
        "insert into sync_runs (site_id, id, connection_id, platform, asked, status, sentences, began_at) values (1, 1, 1, 'zoom', 'manual', 'failed', ?1, 1)",
    );
    said(
        "insert into refunds (site_id, id, connection_id, order_external_id, external_id, amount_minor, currency, happened_at, told_at, received_at, reason)
         values (1, 1, 1, 'x', 'r', 100, 'EUR', 1, 1, 1, ?1)",
    );
    said(
        "insert into spend (site_id, id, first_day, last_day, source, medium, campaign, currency, amount_minor, note, who, created_at)
         values (1, 1, 1, 1, 'news', '', '', 'EUR', 100, ?1, 'user_1', 1)",
    );
    said("insert into audit (site_id, id, at, who, what, detail) values (1, 999, 1, 'user_1', 'noted', ?1)");
    said(
        "insert into tracker_calls (site_id, id, connection_id, platform, status, processed, errors, message, started_at, completed_at)
         values (1, 1, 1, 'anytrack', 'error', 1, 1, ?1, 1, 1)",
    );
    drop(db);
    assert!(that_name(house.data(), ANN).len() >= 2, "the search can see the database and the waiting file");

    let certificate = house.erase(&site, json!({"email": ANN})).await.is(201).json;
    assert_eq!((&certificate["state"], &certificate["file"]["state"]), (&json!("done"), &json!("clean")), "{certificate:#}");
    assert_eq!(that_name(house.data(), ANN), Vec::<PathBuf>::new());
    // What is of others stays: their file, their row, the owner's other note, the money.
    let coming = house.list(&site, "imports").await;
    assert_eq!(coming.iter().map(|i| i["id"].clone()).collect::<Vec<_>>(), [json!(others)], "{coming:#?}");
    assert_eq!(house.emails(&site), [BO]);
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a figure");
    assert_eq!(one("select count(*) from notes where text = 'the window was broken'"), 1);
    assert_eq!(one("select sum(amount_minor) from spend") + one("select sum(amount_minor) from refunds"), 200);
    assert_eq!(one("select count(*) from audit where what = 'dropped a file that named the person'"), 1);
}

/// A step that is told once more after its person was erased is the same step, and makes nobody of them again.
#[tokio::test]
async fn a_step_told_again_brings_nobody_back() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let step = json!({"source_type": "manual", "event_type": "form_submitted", "email": ANN, "external_id": "f-1"});
    let tell = async || house.post("/funnel/event").token(&site.token).json(&step).send().await;
    let first = tell().await.json["event_id"].clone();
    assert!(first.is_string());
    house.erase(&site, json!({"email": ANN})).await.is(201);
    house.advance_s(3_600);
    assert_eq!(tell().await.json["event_id"], first);
    assert_eq!(house.emails(&site), Vec::<String>::new());
    assert_eq!(house.list(&site, "conversions").await.len(), 1);
    let lead = json!({"lead_id": format!("L-{ANN}"), "email": ANN, "message": "Call me"});
    house.lead(&site, lead.clone()).await.is(200);
    house.erase(&site, json!({"email": ANN})).await.is(201);
    house.advance_s(3_600);
    house.lead(&site, lead).await;
    assert_eq!(house.emails(&site), Vec::<String>::new(), "an id that is the address");
    let sign_up =
        async || house.post("/funnel/conversion").token(&site.token).json(&json!({"email": BO, "user_id": "u-1"})).send().await.is(200);
    let first = sign_up().await.json["conversion_id"].clone();
    house.erase(&site, json!({"email": BO})).await.is(201);
    house.advance_s(3_600);
    assert_eq!(sign_up().await.json["conversion_id"], first);
    assert_eq!(house.sql(&site, &format!("select 1 from contacts where email = '{BO}'")).len(), 0, "nobody of that address");
    assert_eq!(house.emails(&site), Vec::<String>::new());
}

/// An address in a campaign's name is left out of it: it would stand in every report and in every copy of them.
#[tokio::test]
async fn nobody_becomes_the_name_of_a_campaign() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"utm_source": ANN, "utm_medium": "email", "utm_content": format!("to {ANN}")})).await;
    house.order(&site, json!({"order_id": "1", "total": "5.00", "currency": "USD", "email": ANN, "session_id": id})).await.is(200);
    let step = json!({"source_type": "manual", "event_type": "form_submitted", "email": ANN, "utm_source": ANN, "utm_campaign": "Spring"});
    house.post("/funnel/event").token(&site.token).json(&step).send().await;
    house.erase(&site, json!({"email": ANN})).await.is(201);
    house.work().await;
    assert_eq!(that_name(house.data(), &ANN.to_lowercase()), Vec::<PathBuf>::new());
}

/// People write a number as they like. What merely holds its digits is something else, and stays to the letter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_found_however_it_is_written() {
    let house = House::new();
    let site = house.site_with("shop.example", |new| new.country = Some("AE".into())).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN, "phone": PHONE})).await.is(200);
    let numbers = ["+971 50 123 4567", "00971-50-123-4567", "(971) 50/1234567", "050 123 45 67", "+971 (0)50 1234567"];
    for (n, number) in numbers.iter().enumerate() {
        let lead = json!({"lead_id": format!("B-{n}"), "email": BO, "message": format!("my sister's is {number}, call her"),
            "custom_fields": {"other": number}, "url": format!("https://shop.example/?tel={}", number.replace('+', "%2B").replace(' ', "%20"))});
        house.lead(&site, lead).await.is(200);
    }
    // Longer numbers, with the same digits inside.
    let others = ["Order 1971501234567", "9715012345678", "EAN 00501234567890", "971 50 123 45 678"];
    for (n, number) in others.iter().enumerate() {
        house
            .lead(&site, json!({"lead_id": format!("C-{n}"), "email": BO, "message": number, "custom_fields": {"number": number}}))
            .await
            .is(200);
    }
    waiting(&house, &site, "orders.csv", "Order ID;Phone;Total\r\n1;+971 50 123 4567;5\r\n").await;
    let kept = waiting(&house, &site, "others.csv", "Order ID;Total\r\n1971501234567;5\r\n").await;
    let certificate = house.erase(&site, json!({"phone": PHONE})).await.is(201).json;
    assert_eq!((&certificate["file"]["state"], &certificate["file"]["residue"]), (&json!("clean"), &json!(null)), "{certificate:#}");
    let rows = house.sql(
        &site,
        "select external_lead_id as lead_id, message, custom_fields, url from leads where email = 'bo@mail.example' order by lead_id",
    );
    assert_eq!(rows.len(), numbers.len() + others.len(), "{rows:#?}");
    for row in &rows {
        let (id, text) = (row["lead_id"].as_str().expect("an id"), row.to_string());
        if id.starts_with("B-") {
            assert!(row["message"].is_null() && !text.contains("4567") && !text.contains("45 67"), "{text}");
        } else {
            let own = others[id[2..].parse::<usize>().expect("a place")];
            assert_eq!(row["message"], json!(own), "{text}");
            assert!(row["custom_fields"].to_string().contains(own), "{text}");
        }
    }
    let left = house.list(&site, "imports").await;
    assert_eq!(left.iter().map(|i| i["id"].as_str().unwrap_or_default()).collect::<Vec<_>>(), [kept], "{left:#?}");
}

/// Thanks to somebody by their address, on a page of a browser that nobody is known by; and what was made for them by name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn titles_name_nobody() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.visit(&site, None, json!({"landing": "/thanks", "title": format!("Thank you, {BO}!"), "utm_source": "news"})).await;
    assert_eq!(that_name(house.data(), BO), Vec::<PathBuf>::new(), "an address is never taken from a title");
    // What an older version has kept.
    house.visit(&site, None, json!({"landing": "/thanks", "title": "Thanks", "utm_source": "news"})).await;
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    db.execute("update touches set title = ?1 where title = 'Thanks'", [format!("Thank you, {ANN}")]).expect("a title");
    drop(db);
    let order = json!({"order_id": "1", "total": "40.00", "currency": "USD", "email": ANN, "first_name": "Zyxtra", "last_name": "Qwfam",
        "status": "paid", "created_at": house.ago(3_600),
        "items": [{"id": "A", "name": "Mug for Zyxtra Qwfam", "quantity": 1, "price": "20.00"},
            {"id": "B", "name": format!("Voucher {ANN}"), "quantity": 1, "price": "15.00"},
            {"id": "C", "name": "Zyxtra roses", "quantity": 1, "price": "5.00"}]});
    house.order(&site, order.clone()).await.is(200);
    let gift = json!({"order_id": "2", "total": "9.00", "currency": "USD", "email": BO, "status": "paid",
        "items": [{"id": "D", "name": format!("Gift card {ANN}"), "quantity": 1, "price": "9.00"}]});
    house.order(&site, gift).await.is(200);
    let today = house.figures(&site).await;

    let certificate = house.erase(&site, json!({"email": ANN})).await.is(201).json;
    assert_eq!((&certificate["state"], &certificate["file"]["state"]), (&json!("done"), &json!("clean")), "{certificate:#}");
    for word in [ANN, "zyxtra qwfam"] {
        assert_eq!(that_name(house.data(), word), Vec::<PathBuf>::new());
    }
    let names = || {
        let db = Connection::open(house.data().join(FILE)).expect("the file");
        let mut all =
            db.prepare("select value ->> 'name' from orders, json_each(items) order by orders.id, value ->> 'id'").expect("a question");
        all.query_map([], |row| row.get::<_, String>(0)).expect("rows").collect::<rusqlite::Result<Vec<_>>>().expect("names")
    };
    assert_eq!(names(), ["Mug for …", "Voucher …", "Zyxtra roses", "Gift card …"], "a first name alone may be a rose's");
    assert_eq!(house.figures(&site).await, today);
    // The shop tells of it again.
    let mut again = order;
    again["status"] = json!("completed");
    again["modified_at"] = json!(house.ago(-1));
    house.order(&site, again).await.is(200);
    assert_eq!(names()[..3], ["Mug for …", "Voucher …", "Zyxtra roses"]);
    assert_eq!(that_name(house.data(), "zyxtra qwfam"), Vec::<PathBuf>::new());
}

/// Where somebody was when they wrote is told by no body that is kept.
#[tokio::test]
async fn a_kept_body_has_no_visitor_s_address() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let lead = json!({"lead_id": "L-1", "email": ANN, "message": "from 8.77.66.44", "ip_address": "8.77.66.55"});
    house.lead(&site, lead).await.is(200);
    let step = json!({"source_type": "zoom", "event_type": "event_attended", "email": ANN, "ip_address": "2001:db8:77::55"});
    house.post("/funnel/event").token(&site.token).json(&step).send().await.is(200);
    let sale = json!({"conversion_type": "sale", "order_id": "A-9", "revenue": "12.50", "currency": "USD", "email": ANN, "ip_address": "8.77.66.55"});
    house.post("/api/conversions").token(&site.token).json(&sale).send().await.is(201);
    let tracker = house.connect(&site, "anytrack", "shadow", &[]).await;
    let events = json!([{"eventName": "Lead", "transactionId": "T", "email": ANN, "ipAddress": "8.77.66.55"}, {"ipAddress": "8.77.66.55"}]);
    house.post(&tracker.hook).json(&events).send().await.is(200);
    for address in ["8.77.66.55", "2001:db8:77::55"] {
        assert_eq!(that_name(house.data(), address), Vec::<PathBuf>::new(), "{address}");
    }
    let kept = house.export_of(&site, ANN).await["inbox"][0].clone();
    assert_eq!((&kept["body"]["ip_address"], &kept["body"]["message"]), (&json!(""), &json!("from 8.77.66.44")), "{kept:#}");
    // Without it the body is the same, and runs again.
    let path = format!(
        "/api/sites/{}/inbox/{}/replay",
        site.slug,
        house.list(&site, "inbox").await.last().expect("the lead")["id"].as_str().expect("an id")
    );
    let again = house.post(&path).token(&site.token).json(&json!({})).send().await.is(200).json;
    assert_eq!((&again["status"], house.emails(&site).len()), (&json!("accepted"), 1), "{again}");
}
