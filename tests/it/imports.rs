//! History from files: looked at first, brought in once, known again, joined with what is told by others, on its own days,
//! and told to nobody.

use std::fmt::Write;

use bytes::Bytes;
use halotrack::domain::import::ImportKind;
use halotrack::domain::rights::Right;
use halotrack::error::{Error, Kind};
use halotrack::flows::imports::{self, Given, Wanted};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::house::{CHROME, House, SiteAt};

/// The command line's and the cut-off runs.
mod carried;
/// What a file says in a doubtful way.
mod doubtful;
/// A list that is taken back.
mod taken_back;

/// As the page does it: announced, in pieces, looked at. A token asks ten times a second at most, so time passes.
async fn send(house: &House, shop: &SiteAt, kind: &str, text: &[u8]) -> String {
    house.advance_s(1);
    let path = format!("/api/sites/{}/imports", shop.slug);
    let told = json!({"kind": kind, "name": "C:\\files\\old shop.csv", "bytes": text.len()});
    let told = house.post(&path).token(&shop.token).json(&told).send().await.is(201).json;
    let id = told["id"].as_str().expect("an id").to_owned();
    let mut at = 0;
    while at < text.len() {
        house.advance_s(1);
        let piece = &text[at..text.len().min(at + 20_000)];
        let sent = house.post(&format!("{path}/{id}/pieces?at={at}")).token(&shop.token).body(piece).send().await.is(200).json;
        at = sent["received"].as_u64().expect("how many") as usize;
    }
    id
}

async fn preview(house: &House, shop: &SiteAt, kind: &str, text: &str) -> Value {
    let id = send(house, shop, kind, text.as_bytes()).await;
    let path = format!("/api/sites/{}/imports/{id}", shop.slug);
    let seen = house.post(&format!("{path}/preview")).token(&shop.token).send().await.is(200).json;
    house.delete(&path).token(&shop.token).send().await.is(204);
    seen
}

/// Until its last row is on disk.
async fn done(house: &House, shop: &SiteAt, id: &str) -> Value {
    while house.app.importing.is_taken(shop.id) {
        tokio::task::yield_now().await;
    }
    get(house, shop, &format!("imports/{id}")).await
}

pub async fn bring(house: &House, shop: &SiteAt, kind: &str, text: &str) -> Value {
    let id = send(house, shop, kind, text.as_bytes()).await;
    house.post(&format!("/api/sites/{}/imports/{id}/run", shop.slug)).token(&shop.token).send().await.is(202);
    done(house, shop, &id).await
}

async fn get(house: &House, shop: &SiteAt, path: &str) -> Value {
    house.advance_s(1);
    house.get(&format!("/api/sites/{}/{path}", shop.slug)).token(&shop.token).send().await.is(200).json
}

fn rows(import: &Value) -> [i64; 6] {
    ["new", "changed", "known", "joined", "left_out", "refused"].map(|word| import["rows"][word].as_i64().unwrap_or(-1))
}

const ORDERS: &str = "\u{feff}Order ID;E-Mail;Total;Currency;Date;Status;Source;Medium;Campaign;Refunded;Refunded at\r\n\
    1001;ann@mail.example;1.250,50;EUR;01.03.2026 10:00;completed;FB;paid social;Spring;;\r\n\
    1002;\"ben@mail.example\";80;USD;02.03.2026;paid;;;;20,00;05.03.2026\r\n\
    1003;cem@mail.example;30,00;USD;03.03.2026;cancelled;;;;;\r\n\
    1004;dan@mail.example;forty;USD;04.03.2026;paid;;;;;\r\n\
    1005;no address;40;USD;04.03.2026;paid;;;;;\r\n\
    1006;eve@mail.example;40;USD;06/07/2026;paid;;;;;\r\n\
    1007;eve@mail.example;40;USD;04.03.2026;perhaps;;;;;\r\n";

#[tokio::test]
async fn a_file_is_looked_at_before_anything_is_stored() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let seen = preview(&house, &shop, "orders", ORDERS).await;
    assert_eq!(rows(&seen), [3, 0, 0, 0, 0, 4], "{seen}");
    assert_eq!((&seen["delimiter"], &seen["from"], &seen["to"]), (&json!(";"), &json!("2026-03-01"), &json!("2026-03-03")));
    let sums: Vec<&str> = seen["sums"].as_array().expect("sums").iter().filter_map(|s| s["text"].as_str()).collect();
    assert_eq!(sums, ["EUR 1250.50", "USD 110.00"]);
    let refused: Vec<(i64, &str)> = seen["refused"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|r| (r["line"].as_i64().unwrap_or(0), r["field"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(refused, [(5, "Total"), (6, "E-Mail"), (7, "Date"), (8, "Status")]);
    assert!(seen["refused"][2]["remedy"].as_str().is_some_and(|r| r.contains("2026-06-13")), "{seen}");
    assert!(!seen.to_string().contains("forty"), "what stood there is not said back");
    for list in ["orders", "conversions", "imports", "inbox", "contacts"] {
        assert_eq!(get(&house, &shop, list).await["items"], json!([]), "{list}");
    }
    assert!(house.data().join("imports").read_dir().expect("the folder").next().is_none(), "the file is gone with its row");
}

#[tokio::test]
async fn orders_stand_on_their_own_days_and_are_told_to_nobody() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let owner = house.login("ann@shop.example", Right::Own, Some(shop.id)).await;
    let hook = json!({"platform": "webhook", "mode": "live", "settings": {"url": "http://127.0.0.1:9/hook"}, "wait": false});
    house.post(&format!("/api/sites/{}/connections", shop.slug)).cookie(&owner).json(&hook).send().await.is(201);
    let import = bring(&house, &shop, "orders", ORDERS).await;
    assert_eq!((&import["state"], &import["name"]), (&json!("done"), &json!("old shop.csv")));
    assert_eq!(rows(&import), [3, 0, 0, 0, 0, 4]);

    let list = get(&house, &shop, "conversions").await;
    let of = |label: &str| list["items"].as_array().into_iter().flatten().find(|l| l["label"] == label).cloned().unwrap_or_default();
    // One that never was paid is no sale, and stands among the orders.
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "{list}");
    assert_eq!(get(&house, &shop, "orders").await["items"].as_array().map(Vec::len), Some(3));
    let first = of("Order 1001");
    assert_eq!((&first["match"]["type"], &first["credited"][0]["source"]), (&json!("imported"), &json!("facebook")), "{first}");
    assert_eq!(first["credited"][0]["campaign"], "Spring");
    assert_eq!(of("Order 1002")["net"], json!({"minor": 6_000, "currency": "USD"}));
    // What went back comes off on its own day.
    for (day, net) in
        [("2026-03-02", json!([{"minor": 8_000, "currency": "USD"}])), ("2026-03-05", json!([{"minor": -2_000, "currency": "USD"}]))]
    {
        assert_eq!(get(&house, &shop, &format!("reports/overview?from={day}&to={day}")).await["net"], net, "{day}");
    }
    for delivery in get(&house, &shop, "deliveries").await["items"].as_array().expect("deliveries") {
        let why = delivery["reason"].as_str().unwrap_or_default();
        // Of a refund nobody is told who was not told of its sale.
        assert!(delivery["state"] == "skipped" && ["imported", "sale_not_sent"].contains(&why), "{delivery}");
    }
    assert!(get(&house, &shop, "deliveries").await["items"].as_array().is_some_and(|d| d.len() >= 2));
    let receipt = get(&house, &shop, &format!("receipts/{}", first["id"].as_str().expect("an id"))).await;
    assert_eq!(receipt["received"][0]["import"], import["id"], "{}", receipt["received"]);

    let refused = house.get(&format!("/api/sites/{}/imports/{}/refused.csv", shop.slug, import["id"].as_str().expect("an id")));
    let refused = refused.token(&shop.token).send().await.is(200).text;
    assert!(refused.starts_with("line,field,remedy\r\n5,Total,"), "{refused}");
    assert_eq!(refused.lines().count(), 5);
    house.advance_s(1);
    let listed = house.get(&format!("/api/sites/{}/imports.csv", shop.slug)).token(&shop.token).send().await.is(200).text;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("id,kind,name,state,bytes,read,new,"), "{listed}");
    assert!(lines[1].starts_with("import_1,orders,old shop.csv,done,") && lines[1].contains(",7,3,0,0,0,0,4,"), "{listed}");
    let listed = house.get(&format!("/api/sites/{}/imports.jsonl", shop.slug)).token(&shop.token).send().await.is(200).text;
    assert_eq!(serde_json::from_str::<Value>(&listed).expect("one line"), import, "as the list shows it");
    let undo = house.post(&format!("/api/sites/{}/imports/import_1/undo", shop.slug)).token(&shop.token).send().await.is(409);
    assert_eq!(undo.code(), "not_undoable");
    let audit = house.get(&format!("/api/sites/{}/audit", shop.slug)).cookie(&owner).send().await.is(200).text;
    assert!(audit.contains("import_started") && audit.contains("import_ended"), "{audit}");
}

#[tokio::test]
async fn the_same_file_again_changes_nothing_and_a_changed_row_changes_one() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    bring(&house, &shop, "orders", ORDERS).await;
    let before = (get(&house, &shop, "conversions").await, get(&house, &shop, "reports/sources?from=2026-03-01&to=2026-03-09").await);
    let again = bring(&house, &shop, "orders", ORDERS).await;
    assert_eq!(rows(&again), [0, 0, 3, 0, 0, 4]);
    let after = (get(&house, &shop, "conversions").await, get(&house, &shop, "reports/sources?from=2026-03-01&to=2026-03-09").await);
    assert_eq!(before, after);
    assert_eq!(get(&house, &shop, "imports").await["items"].as_array().map(Vec::len), Some(2));

    // Columns in another order are the same rows; a refund since is a change.
    let changed = "Total,Order ID,Currency,Date,Status,E-Mail,Refunded,Refunded at\n80.00,1002,USD,2026-03-02,paid,ben@mail.example,50.00,2026-03-08\n";
    let seen = preview(&house, &shop, "orders", changed).await;
    assert_eq!(rows(&seen), [0, 1, 0, 0, 0, 0], "{seen}");
    assert_eq!(rows(&bring(&house, &shop, "orders", changed).await), [0, 1, 0, 0, 0, 0]);
    let list = get(&house, &shop, "conversions?q=1002").await;
    assert_eq!(list["items"][0]["net"], json!({"minor": 3_000, "currency": "USD"}), "{list}");
}

#[tokio::test]
async fn a_sale_that_somebody_else_told_is_one_sale() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let told = |id: &str| json!({"order_id": id, "total": "80.00", "currency": "USD", "email": "ben@mail.example", "status": "paid", "created_at": "2026-03-02T00:00:00Z"});
    house.post("/api/webhook/order").token(&shop.token).json(&told("1002")).send().await.is(200);
    let seen = preview(&house, &shop, "orders", ORDERS).await;
    assert_eq!(rows(&seen), [2, 0, 0, 1, 0, 4], "{seen}");
    assert_eq!(rows(&bring(&house, &shop, "orders", ORDERS).await), [2, 0, 0, 1, 0, 4]);
    // The other way round too.
    house
        .post("/api/webhook/order")
        .token(&shop.token)
        .json(&json!({"order_id": "#1001", "total": "1250.50", "currency": "EUR",
        "email": "ann@mail.example", "status": "paid", "created_at": "2026-03-01T10:00:00Z"}))
        .send()
        .await
        .is(200);
    assert_eq!(get(&house, &shop, "conversions").await["total"]["count"], 2);
}

#[tokio::test]
async fn whoever_was_erased_is_not_brought_back() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.post("/api/webhook/lead").token(&shop.token).json(&json!({"lead_id": "L1", "email": "ann@mail.example"})).send().await.is(200);
    house.delete("/api/delete-user?email=ann@mail.example").token(&shop.token).send().await;
    let leads = "created_at,email,lead_id\n2026-05-01,ann@mail.example,old\n2026-05-02,new@mail.example,fresh\n";
    let seen = preview(&house, &shop, "leads", leads).await;
    assert_eq!(rows(&seen), [1, 0, 0, 0, 1, 0], "{seen}");
    assert_eq!(rows(&bring(&house, &shop, "leads", leads).await), [1, 0, 0, 0, 1, 0]);
    bring(&house, &shop, "orders", ORDERS).await;
    // Money may be booked; nobody is filled in.
    let order = get(&house, &shop, "conversions?q=1001").await;
    let found = get(&house, &shop, "contacts?q=ann@mail.example").await;
    assert_eq!((found["items"].as_array().map(Vec::len), order["items"].as_array().map(Vec::len)), (Some(0), Some(1)), "{found} {order}");
    assert_eq!(order["items"][0]["who"]["display"], Value::Null, "{order}");
}

#[tokio::test]
async fn visits_come_first_and_sales_find_them() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let visits = format!(
        "at,session_id,landing,utm_source,utm_medium,utm_campaign,user_agent,consent\n\
         2026-06-01T10:00:00Z,visitor-1,/shoes,google,cpc,Spring,\"{CHROME}\",yes\n\
         2026-06-01T10:00:00Z,visitor-1,/shoes,google,cpc,Spring,\"{CHROME}\",yes\n\
         2026-06-02 09:00,visitor-2,/,newsletter,email,june,,\n\
         2026-06-03T09:00:00Z,robot,/,,,,Googlebot/2.1,\n\
         2024-01-01,visitor-3,/,google,cpc,,,\n"
    );
    let seen = preview(&house, &shop, "touches", &visits).await;
    assert_eq!(rows(&seen), [3, 0, 1, 0, 0, 1], "a robot is seen when it is stored: {seen}");
    let import = bring(&house, &shop, "touches", &visits).await;
    assert_eq!(rows(&import), [2, 0, 1, 0, 1, 1], "{import}");
    let table = get(&house, &shop, "reports/sources?from=2026-06-01&to=2026-06-13").await;
    assert_eq!(table["total"]["visits"], 2);
    assert_eq!(rows(&bring(&house, &shop, "touches", &visits).await)[0], 0, "once");
    assert_eq!(get(&house, &shop, "reports/sources?from=2026-06-01&to=2026-06-13").await["total"]["visits"], 2);
    let order = "order_id,total,created_at,session_id\nA-1,50,2026-06-01T12:00:00Z,visitor-1\n";
    bring(&house, &shop, "orders", order).await;
    let line = &get(&house, &shop, "conversions?q=A-1").await["items"][0];
    assert_eq!((&line["match"]["type"], &line["credited"][0]["campaign"]), (&json!("session"), &json!("Spring")), "{line}");
}

#[tokio::test]
async fn leads_keep_where_they_stood() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let leads = "{\"created_at\":\"2026-05-01T08:00:00Z\",\"email\":\"ann@mail.example\",\"lead_id\":\"L-1\",\"status\":\"won\",\"value\":{\"minor\":120000,\"currency\":\"EUR\"},\"utm_source\":\"google\",\"utm_medium\":\"cpc\"}\n\
        {\"created_at\":\"2026-05-01T08:00:00Z\",\"email\":\"ben@mail.example\",\"status\":\"sold\"}\n[]\n";
    let import = bring(&house, &shop, "leads", leads).await;
    assert_eq!(rows(&import), [1, 0, 0, 0, 0, 2], "{import}");
    let lead = &get(&house, &shop, "leads").await["items"][0];
    assert_eq!((&lead["status"], &lead["value"]["minor"], &lead["lead_id"]), (&json!("won"), &json!(120_000), &json!("L-1")), "{lead}");
    let line = &get(&house, &shop, "conversions").await["items"][0];
    assert_eq!(
        (&line["status"], &line["match"]["type"], &line["credited"][0]["source"]),
        (&json!("won"), &json!("imported"), &json!("google"))
    );
}

/// What a list exports is brought back in: into the same site it is known, into an empty one it gives the same sums.
#[tokio::test]
async fn what_no_system_has_told_comes_in_a_list() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.connect(&shop, "webhook", "live", &[("url", "http://127.0.0.1:9/hook")]).await;
    // One of the leads has been told by a form already.
    house.lead(&shop, json!({"lead_id": "L-1", "email": "dan@mail.example", "created_at": "2026-06-01T10:30:00Z"})).await.is(200);
    let told = house.deliveries(&shop).await.len();
    let list = "When,E-Mail,What happened,Name,Worth,Sent by,Source,Colour\n\
        2026-06-01 10:00,ann@mail.example,lead,Ann Byrne,120.00,,Fair,red\n\
        2026-06-02,ann@mail.example,booking,,,,,\n\
        2026-06-03,ann@mail.example,no show,,,,,\n\
        2026-06-01,cem@mail.example,referral,,,Eve,,\n\
        2026-06-01 11:00,dan@mail.example,lead,,,,Fair,\n\
        2026-06-01,,lead,,,,,\n\
        06/07/2026,eve@mail.example,lead,,,,,\n\
        2026-06-01,fay@mail.example,dance,,,,,\n\
        2026-06-02,ann@mail.example,booking,,,,,\n";
    let seen = preview(&house, &shop, "offline", list).await;
    assert_eq!(rows(&seen), [4, 0, 1, 1, 0, 3], "{seen}");
    let refused: Vec<(i64, &str)> = seen["refused"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|r| (r["line"].as_i64().unwrap_or(0), r["field"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(refused, [(7, "E-Mail"), (8, "When"), (9, "What happened")]);
    assert_eq!(seen["mapped"][2], json!({"column": "What happened", "as": "what"}), "{seen}");
    assert_eq!(seen["ignored_columns"], json!(["Colour"]));
    let import = bring(&house, &shop, "offline", list).await;
    assert_eq!(rows(&import), [4, 0, 1, 1, 0, 3], "{import}");
    assert_eq!(get(&house, &shop, "leads").await["items"].as_array().map(Vec::len), Some(4), "three of the list, and the form's own");
    assert_eq!(get(&house, &shop, "conversions").await["items"].as_array().map(Vec::len), Some(3), "one of them told by two");
    let since = house.deliveries(&shop).await;
    assert_eq!(since.iter().filter(|d| d["state"] != "skipped").count(), told, "nobody is told of the past: {since:#?}");
    let again = bring(&house, &shop, "offline", list).await;
    assert_eq!(rows(&again), [0, 0, 6, 0, 0, 3], "{again}");
    assert_eq!(get(&house, &shop, "leads").await["items"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn our_own_exports_come_back() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    crate::rules::fill(&house, &shop).await;
    bring(&house, &shop, "orders", ORDERS).await;
    house
        .post("/api/webhook/lead")
        .token(&shop.token)
        .json(&json!({"lead_id": "L1", "email": "ann@mail.example", "value": "12.00", "currency": "USD"}))
        .send()
        .await
        .is(200);
    for kind in ["orders", "leads", "conversions"] {
        let file = house.get(&format!("/api/sites/{}/{kind}.csv", shop.slug)).token(&shop.token).send().await.is(200).text;
        let before = get(&house, &shop, "conversions").await;
        let own = bring(&house, &shop, kind, &file).await;
        assert_eq!((rows(&own)[0], rows(&own)[5]), (0, 0), "{kind} {own}");
        assert_eq!(get(&house, &shop, "conversions").await, before, "{kind}");
    }
    for (n, kinds) in [["orders", "leads"].as_slice(), &["conversions"]].into_iter().enumerate() {
        let other = house.site(&format!("other{n}.example")).await;
        for kind in kinds {
            let file = house.get(&format!("/api/sites/{}/{kind}.csv", shop.slug)).token(&shop.token).send().await.is(200).text;
            let import = bring(&house, &other, kind, &file).await;
            assert_eq!(rows(&import)[5], 0, "{kind} {import} {file}");
        }
        let days = "from=2026-03-01&to=2026-06-13";
        let (old, new) =
            (get(&house, &shop, &format!("reports/overview?{days}")).await, get(&house, &other, &format!("reports/overview?{days}")).await);
        for figure in ["net", "orders"] {
            assert_eq!(old[figure], new[figure], "{figure} of {kinds:?}");
        }
        assert_eq!(old["conversions"], new["conversions"], "{kinds:?}");
        let (old, new) =
            (get(&house, &shop, &format!("reports/sources?{days}")).await, get(&house, &other, &format!("reports/sources?{days}")).await);
        for row in old["items"].as_array().expect("rows").iter().filter(|r| r["conversions"] != 0.0) {
            let same = new["items"].as_array().expect("rows").iter().find(|r| r["name"] == row["name"]).cloned().unwrap_or_default();
            assert_eq!((&row["conversions"], &row["net"]), (&same["conversions"], &same["net"]), "{} of {kinds:?}", row["name"]);
        }
    }
}

const META: &str =
    "Campaign name,Day,Amount spent (USD),Impressions\n,2026-06-11,32.00,900\nSpring,2026-06-11,12.00,300\nSpring,2026-06-11,20.00,600\n";
const GOOGLE: &str = "Campaign report\r\n\"June 1, 2026 - June 12, 2026\"\r\nDay,Campaign,Currency code,Cost\r\n2026-06-11,Brand,USD,\"1,234.50\"\r\nTotal: Account,--,USD,\"1,234.50\"\r\n";

#[tokio::test]
async fn reports_of_the_ad_platforms_are_taken_as_they_are() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let seen = preview(&house, &shop, "spend", META).await;
    assert_eq!((&seen["made_by"], rows(&seen)), (&json!("Meta Ads"), [2, 0, 0, 0, 1, 0]), "{seen}");
    let meta = bring(&house, &shop, "spend", META).await;
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(
            GOOGLE
                .replace(',', "\t")
                .replace("1\t234.50", "1,234.50")
                .replace("June 1\t", "June 1,")
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    let id = send(&house, &shop, "spend", &wide).await;
    house.post(&format!("/api/sites/{}/imports/{id}/run", shop.slug)).token(&shop.token).send().await.is(202);
    assert_eq!(rows(&done(&house, &shop, &id).await), [1, 0, 0, 0, 1, 0]);
    let table = get(&house, &shop, "reports/sources?from=2026-06-11&to=2026-06-11").await;
    let of =
        |name: &str| table["items"].as_array().into_iter().flatten().find(|r| r["name"] == name).map(|r| r["spend"][0]["minor"].clone());
    assert_eq!((of("facebook"), of("google")), (Some(json!(3_200)), Some(json!(123_450))), "{table}");
    // What a day has cost is corrected by the next report; a row that is alike in all but its place is another row.
    let corrected = bring(&house, &shop, "spend", &META.replace("20.00", "21.50")).await;
    assert_eq!(rows(&corrected), [0, 1, 1, 0, 1, 0]);
    assert_eq!(get(&house, &shop, "reports/overview?from=2026-06-11&to=2026-06-11&source=facebook").await["spend"][0]["minor"], 3_350);

    // Taken back: what the later file corrected is the later file's.
    let undo = async |id: &Value| {
        let path = format!("/api/sites/{}/imports/{}/undo", shop.slug, id.as_str().expect("an id"));
        house.post(&path).token(&shop.token).send().await.is(200).json
    };
    assert_eq!(undo(&meta["id"]).await["state"], "undone");
    assert_eq!(get(&house, &shop, "reports/overview?from=2026-06-11&to=2026-06-11&source=facebook").await["spend"][0]["minor"], 2_150);
    undo(&corrected["id"]).await;
    assert_eq!(get(&house, &shop, "reports/overview?from=2026-06-11&to=2026-06-11").await["spend"][0]["minor"], 123_450);
    assert_eq!(rows(&bring(&house, &shop, "spend", META).await), [2, 0, 0, 0, 1, 0], "and can come again");
}

#[tokio::test]
async fn what_cannot_be_read_is_said_in_one_sentence() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    for (kind, text, word) in [
        ("orders", "name,total\nx,1\n", "Missing: order_id, created_at"),
        ("spend", "day,amount\n2026-06-01,1\n", "Missing: source"),
        ("leads", "[{\"email\":\"a@b.example\"}]", "one object a line"),
        ("touches", "   \n", "empty"),
    ] {
        let id = send(&house, &shop, kind, text.as_bytes()).await;
        let path = format!("/api/sites/{}/imports/{id}", shop.slug);
        let refused = house.post(&format!("{path}/preview")).token(&shop.token).send().await;
        assert!(refused.status < 500 && refused.text.contains(word), "{kind}: {}", refused.text);
        house.post(&format!("{path}/run")).token(&shop.token).send().await.is(202);
        let import = done(&house, &shop, &id).await;
        assert_eq!(import["state"], "failed");
        assert!(import["problem"].as_str().is_some_and(|p| p.contains(word)), "{import}");
    }
    let path = format!("/api/sites/{}/imports", shop.slug);
    let large = json!({"kind": "orders", "name": "x.csv", "bytes": 300_000_000});
    assert!(house.post(&path).token(&shop.token).json(&large).send().await.is(422).text.contains("halotrack import"));
    house.room.is_mib(650);
    house.app.disk.look(0);
    let some = json!({"kind": "orders", "name": "x.csv", "bytes": 100_000_000});
    assert_eq!(house.post(&path).token(&shop.token).json(&some).send().await.is(503).code(), "storage_full");
}

#[tokio::test]
async fn pieces_come_in_their_order_and_only_from_those_who_may() {
    let house = House::new();
    let (shop, other) = (house.site("shop.example").await, house.site("other.example").await);
    let path = format!("/api/sites/{}/imports", shop.slug);
    let reader = house.login("ben@shop.example", Right::Read, Some(shop.id)).await;
    let told = json!({"kind": "orders", "name": "x.csv", "bytes": 10});
    house.post(&path).cookie(&reader).json(&told).send().await.is(403);
    let id = house.post(&path).token(&shop.token).json(&told).send().await.is(201).json["id"].as_str().expect("an id").to_owned();
    let piece = |at: usize, text: &str| {
        house.advance_s(1);
        house.post(&format!("{path}/{id}/pieces?at={at}")).token(&shop.token).body(text).send()
    };
    piece(0, "01234").await.is(200);
    piece(7, "789").await.is(409);
    piece(5, "567890").await.is(409);
    // One that came before comes again: a retry after a lost answer.
    assert_eq!(piece(0, "01234").await.is(200).json["received"], 5);
    house.post(&format!("{path}/{id}/run")).token(&shop.token).send().await.is(409);
    house.get(&format!("{path}/{id}")).token(&other.token).send().await.is(404);
    let foreign = format!("/api/sites/{}/imports/{id}/pieces?at=5", other.slug);
    house.post(&foreign).token(&other.token).body("56789").send().await.is(404);
    piece(5, "56789").await.is(200);
    // Nobody brought it in: a day later it is gone.
    house.advance_s(2 * 86_400);
    imports::uploads::sweep(&house.app).await.expect("a sweep");
    house.get(&format!("{path}/{id}")).token(&shop.token).send().await.is(404);
    assert!(house.data().join("imports").read_dir().expect("the folder").next().is_none());
}

/// So many rows, long ones: a file is looked at for a while before it is said how it is written.
fn many(n: usize) -> String {
    let mut text = "order_id,total,created_at,email,remark\n".to_owned();
    let remark = "x".repeat(250);
    for i in 0..n {
        let _ = writeln!(text, "{i},1.00,2026-03-01T10:00:00Z,p{i}@mail.example,{remark}");
    }
    text
}

/// Brings a part of a file and then goes away.
async fn cut_off(house: &House, shop: &SiteAt, text: &str, after: usize) -> Error {
    let site = house.app.book().site(shop.id).cloned().expect("a site");
    let wanted = wanted(text);
    let (send, pieces) = mpsc::channel(1);
    let part = text.as_bytes()[..after].to_vec();
    let sender = async move {
        let _ = send.send(Ok(Bytes::from(part))).await;
        let _ = send.send(Err(Error::new(Kind::Unavailable, "gone", "The sender went away."))).await;
    };
    let (ended, ()) = tokio::join!(imports::bring(&house.app, &site, wanted, pieces, "command line"), sender);
    ended.expect_err("it is cut off")
}

fn wanted(text: &str) -> Wanted {
    Wanted {
        kind: ImportKind::Orders,
        name: "many.csv".into(),
        digest: halotrack::crypto::sha256(text.as_bytes()).to_vec(),
        bytes: text.len() as u64,
        given: Given::default(),
    }
}
