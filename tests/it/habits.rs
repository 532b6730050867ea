//! Habits of the dashboard that every page shares: filters by whose sale it is and by connection, the comparison of the tree of
//! sources, and notes on days that lie beside each other.

use halotrack::clock::Clock;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::{House, SiteAt};
use crate::pages::{LOOK, Office, errors, set_up};
use crate::sources_page::READY;

const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";

async fn ask(house: &House, site: &SiteAt, path: &str) -> Value {
    house.get(&format!("/api/sites/{}/{path}", site.slug)).token(&site.token).send().await.is(200).json
}

/// Labels of what is listed, the newest first.
fn labels(list: &Value, name: &str) -> Vec<String> {
    list["items"].as_array().expect("items").iter().filter_map(|i| i[name].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn sales_are_filtered_by_whose_they_are_in_every_list() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for (n, (id, email)) in [("1", Some("ann@mail.example")), ("2", Some("bo@mail.example")), ("3", Some("ann@mail.example")), ("4", None)]
        .into_iter()
        .enumerate()
    {
        let mut order =
            json!({"order_id": id, "total": "10.00", "currency": "USD", "status": "paid", "created_at": house.ago(3_600 * (9 - n as i64))});
        if let Some(email) = email {
            order["email"] = email.into();
        }
        house.order(&site, order).await.is(200);
    }
    // The same buyer again, as a test: it counts for nothing.
    let test = json!({"order_id": "t", "total": "10.00", "currency": "USD", "email": "ann@mail.example", "test": true});
    house.order(&site, test).await.is(200);
    house.lead(&site, json!({"lead_id": "L-1", "email": "new@mail.example"})).await.is(200);
    for (asked, orders, conversions) in
        [("new", vec!["2", "1"], 2), ("returning", vec!["3"], 1), ("unknown", vec!["4"], 1), ("!new", vec!["t", "4", "3"], 4)]
    {
        let list = ask(&house, &site, &format!("orders?customers={asked}")).await;
        assert_eq!(labels(&list, "order_number"), orders, "{asked}");
        let list = ask(&house, &site, &format!("conversions?customers={asked}")).await;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(conversions), "{asked}: {list}");
        let csv = house.get(&format!("/api/sites/{}/orders.csv?customers={asked}", site.slug)).token(&site.token).send().await.is(200);
        assert_eq!(csv.text.lines().count(), orders.len() + 1, "{asked}: {}", csv.text);
        let kept = json!({"name": format!("Whose {asked}"), "filters": {"customers": [asked]}, "scope": "site"});
        house.post(&format!("/api/sites/{}/segments", site.slug)).token(&site.token).json(&kept).send().await.is(201);
    }
    // An earlier sale of the same buyer comes to be known: the other one is no first one any more.
    let older = json!({"order_id": "0", "total": "10.00", "currency": "USD", "status": "paid", "email": "bo@mail.example", "created_at": house.ago(86_400 * 3)});
    house.order(&site, older).await.is(200);
    assert_eq!(labels(&ask(&house, &site, "orders?customers=new").await, "order_number"), ["1", "0"]);
    let refused = house.get(&format!("/api/sites/{}/orders?customers=old", site.slug)).token(&site.token).send().await.is(400);
    assert_eq!(refused.json["error"]["field"], "customers");
}

/// Of each row: what it was; and of each parent, what its rows were together.
fn adds_up(row: &Value, way: &str) {
    let Some(items) = row["items"].as_array() else { return };
    let own = if row["total"].is_object() { &row["total"] } else { row };
    for figure in ["visits", "conversions", "orders", "leads"] {
        let sum: f64 = items.iter().filter_map(|r| r["before"][figure].as_f64()).sum();
        assert_eq!(own["before"][figure].as_f64(), Some(sum), "{figure} of {way}");
    }
    for item in items {
        adds_up(item, &format!("{way} / {}", item["name"]));
    }
}

fn named<'v>(table: &'v Value, name: &str) -> &'v Value {
    table["items"].as_array().and_then(|rows| rows.iter().find(|r| r["name"] == name)).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn the_tree_stands_beside_an_earlier_time() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for (days, source, id) in [(2, "facebook", "now"), (40, "facebook", "then"), (41, "google", "gone"), (370, "newsletter", "long ago")] {
        let utm = json!({"utm_source": source, "utm_medium": "cpc", "utm_campaign": "spring", "utm_content": "video"});
        let session = house.history(&site, None, days * 24, utm).await;
        let order = json!({"order_id": id, "total": "25.00", "currency": "USD", "status": "paid", "session_id": session, "created_at": house.ago(days * 86_400 - 600)});
        house.order(&site, order).await.is(200);
    }
    let days = |name: &str, back: i64| format!("{name}={}", &house.ago(back * 86_400)[..10]);
    let asked = format!("{}&{}", days("from", 29), days("to", 0));
    let tree = ask(&house, &site, &format!("reports/campaigns?{asked}&compare=previous")).await;
    assert_eq!((&tree["compare"]["from"], &tree["compare"]["to"]), (&json!(days("", 59)[1..]), &json!(days("", 30)[1..])));
    adds_up(&tree, "the tree");
    assert_eq!((&tree["total"]["visits"], &tree["total"]["before"]["visits"]), (&json!(1), &json!(2)));
    assert_eq!(tree["total"]["before"]["net"], json!([{"minor": 5000, "currency": "USD"}]));
    // What has gone since is a row, with nothing in it and with what it was.
    let flat = ask(&house, &site, &format!("reports/sources?{asked}&compare=previous")).await;
    let gone = named(&flat, "google");
    assert_eq!((&gone["visits"], &gone["orders"], &gone["before"]["orders"]), (&json!(0), &json!(0.0), &json!(1.0)));
    assert_eq!(named(&flat, "facebook")["before"]["sold"], json!([{"minor": 2500, "currency": "USD"}]));
    assert_eq!(named(&flat, "newsletter"), &Value::Null, "neither then nor now");
    let year = ask(&house, &site, &format!("reports/sources?{asked}&compare=year")).await;
    assert_eq!(named(&year, "newsletter")["before"]["visits"], json!(1));
    let own = format!("compare=custom&{}&{}", days("compare_from", 45), days("compare_to", 41));
    assert_eq!(ask(&house, &site, &format!("reports/campaigns?{asked}&{own}")).await["total"]["before"]["visits"], json!(1));
    // Below a campaign too.
    let place = "in_channel=Paid%20Social&in_source=facebook&in_campaign=spring";
    let below = ask(&house, &site, &format!("reports/campaigns?{asked}&compare=previous&{place}")).await;
    assert_eq!((&named(&below, "video")["visits"], &named(&below, "video")["before"]["visits"]), (&json!(1), &json!(1)), "{below}");
    // Compared with nothing, there is nothing to compare.
    let alone = ask(&house, &site, &format!("reports/campaigns?{asked}")).await;
    assert_eq!((&alone["compare"], &alone["total"]["before"]), (&Value::Null, &Value::Null));
    // The file says the same.
    for (path, line) in [("campaigns", "Paid Search,google,spring,0,0.00,1,25.00,USD"), ("sources", "google,0,0.00,1,25.00,USD")] {
        let path = format!("/api/sites/{}/reports/{path}.csv?{asked}&compare=previous&columns=visits,net", site.slug);
        let csv = house.get(&path).token(&site.token).send().await.is(200).text;
        assert!(csv.lines().next().is_some_and(|head| head.ends_with(",visits,net,compared_visits,compared_net,currency")), "{csv}");
        assert!(csv.contains(line), "{csv}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_filters_compares_and_notes() {
    let Some(browser) = Chromium::start("").await else { return };
    let office = Office::open().await;
    set_up(&browser, &office).await;
    filters(&browser, &office).await;
    compares(&browser, &office).await;
    notes(&browser, &office).await;
    browser.end().await;
}

/// A dimension of the filter's menu, and a value of it, by keyboard.
async fn choose(browser: &Chromium, dimension: &str, value: &str) {
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("f").await;
    let open = format!(
        "const b = [...document.querySelectorAll('.menu .filter [data-item]')].find((x) => x.innerText.trim() === '{dimension}'); b.focus(); return document.activeElement === b"
    );
    browser.wait(dimension, &open).await;
    browser.press(ENTER).await;
    let tick = format!(
        "const l = [...document.querySelectorAll('.menu .values label')].find((x) => x.innerText.trim().startsWith('{value}')); l.querySelector('input').click(); return true"
    );
    browser.wait(value, &tick).await;
    browser.click(".menu .filter .btn.main").await;
    browser.wait("it is chosen", "return !document.querySelector('.menu')").await;
}

async fn filters(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/full/conversions")).await;
    browser.wait("the ledger", "return document.querySelectorAll('tr[data-id]').length > 3").await;
    choose(browser, "Customers", "New").await;
    browser
        .wait(
            "the chip",
            "return document.querySelector('.chip')?.innerText.includes('Customers is New') && /customers=new/.test(location.search)",
        )
        .await;
    browser.wait("sales alone", "const rows = [...document.querySelectorAll('tr[data-id]')]; return rows.length > 3 && rows.every((r) => r.innerText.includes('Order #'))").await;
    // A connection is chosen by its name, and stands under it: also where the address was sent to somebody.
    choose(browser, "Connection", "Meta").await;
    let chip = "return [...document.querySelectorAll('.chip')].some((c) => c.innerText.includes('Connection is Meta')) && /connection=con_/.test(location.search)";
    browser.wait("the connection's name", chip).await;
    browser.run("location.reload(); return true").await;
    browser.wait("the connection's name", chip).await;
    browser.click("[data-focus=export]").await;
    browser
        .wait(
            "the file",
            "const a = document.querySelector('.menu a[download]'); return /customers=new/.test(a.href) && /connection=con_/.test(a.href)",
        )
        .await;
    browser.press(ESCAPE).await;
    browser.open(&office.page("/dashboard/full/orders")).await;
    browser.wait("the orders", "return document.querySelectorAll('tr[data-id]').length > 3").await;
    choose(browser, "Customers", "Returning").await;
    browser.wait("none", "return document.querySelector('.empty')?.innerText.includes('No order fits.')").await;
    browser.click(".empty .btn").await;
    browser.wait("all of them", "return document.querySelectorAll('tr[data-id]').length > 3").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

async fn compares(browser: &Chromium, office: &Office) {
    for (width, height) in [(1440, 900), (390, 844)] {
        browser.screen(width, height, "light").await;
        browser.open(&office.page("/dashboard/full/sources?range=7d")).await;
        browser.wait("the tree", READY).await;
        browser.wait("what it was", "return !!document.querySelector('.t-tree .was') && document.querySelector('.was-note').innerText.includes('Compared with')").await;
        // A few are no trend.
        browser.wait("thin", "return document.querySelector('.was-note').innerText.includes('too few to compare') && !/[▲▼]/.test(document.querySelector('.t-tree').innerText)").await;
        let seen = browser.run(LOOK).await;
        assert_eq!(seen["overflow"], json!(0), "{width}: {}", seen["wide"]);
        browser.picture(&format!("sources-compared-{width}")).await;
        browser.run("document.activeElement?.blur(); return true").await;
        browser.press("x").await;
        browser.wait("nothing to compare", "return /compare=none/.test(location.search) && !document.querySelector('.t-tree .was') && !document.querySelector('.was-note')").await;
    }
    browser.screen(1440, 900, "light").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// Notes on five days in a row, two of them on one day: no flag lies over another, each can be read with a key.
async fn notes(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/full/overview")).await;
    browser.wait("the chart", "return !!document.querySelector('[data-focus=plot]')").await;
    let now = Clock::system().now();
    for (n, ago) in [9, 8, 7, 6, 5, 5].into_iter().enumerate() {
        let note = json!({"day": &now.plus_ms(-ago * 86_400_000).utc()[..10], "text": format!("Note {n}: the spring advertisements are on in every paper of the town")});
        let post = format!(
            "return fetch('/api/sites/full/notes', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, body: JSON.stringify({note}) }}).then((r) => r.status)"
        );
        assert_eq!(browser.run(&post).await, json!(201));
    }
    for (width, height) in [(1440, 900), (390, 844)] {
        for scheme in ["light", "dark"] {
            let what = format!("notes-{width}-{scheme}");
            browser.screen(width, height, scheme).await;
            browser.open(&office.page("/dashboard/full/overview")).await;
            browser.wait(&what, "return document.querySelectorAll('.pin').length > 0").await;
            let apart = "const all = [...document.querySelectorAll('.pin')].map((p) => p.getBoundingClientRect()); const box = document.querySelector('.pins').getBoundingClientRect();
                return all.every((a, i) => a.width >= 24 && a.height >= 24 && a.right <= box.right + 1 && (!all[i + 1] || a.right <= all[i + 1].left + 0.5))";
            browser.wait_for(&what, apart, json!(true)).await;
            let all = "return [...document.querySelectorAll('.pin')].map((p) => p.getAttribute('aria-label')).join(' ').match(/Note \\d:/g).sort().join()";
            browser.wait_for(&what, all, json!("Note 0:,Note 1:,Note 2:,Note 3:,Note 4:,Note 5:")).await;
            browser.run("document.querySelector('.pins').scrollIntoView({ block: 'center' }); return true").await;
            browser.picture(&what).await;
        }
        // By keyboard: the last flag, what it says, and back.
        browser
            .wait(
                "a flag has the focus",
                "const all = document.querySelectorAll('.pin'); all[all.length - 1].focus(); return document.activeElement.matches('.pin')",
            )
            .await;
        browser.press(ENTER).await;
        browser.wait("its notes", "return document.querySelector('.menu .notes')?.innerText.includes('Note 4:') && document.querySelector('.menu .notes').innerText.includes('Note 5:')").await;
        browser.press(ESCAPE).await;
        browser.wait("the flag again", "return !document.querySelector('.menu') && document.activeElement.matches('.pin')").await;
    }
    browser.screen(1440, 900, "light").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
