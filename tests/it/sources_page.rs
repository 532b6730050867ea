//! Sources and campaigns: a tree whose every parent is the sum of what is below it, and the page that shows it, on a wide and a
//! narrow screen, light and dark, by keyboard, with a rename and a merge by hand.

use halotrack::clock::Clock;
use halotrack::domain::rights::Right;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::{CHROME, House};
use crate::pages::{LOOK, errors};
use crate::rules::fill;
use crate::running::Running;
use crate::two_shops;

const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";

fn named<'v>(table: &'v Value, name: &str) -> &'v Value {
    table["items"].as_array().and_then(|rows| rows.iter().find(|r| r["name"] == name)).unwrap_or(&Value::Null)
}

/// Of each parent: what its rows have together.
fn adds_up(row: &Value, way: &str) {
    let Some(items) = row["items"].as_array() else { return };
    for figure in ["visits", "conversions", "orders", "leads"] {
        let sum: f64 = items.iter().filter_map(|r| r[figure].as_f64()).sum();
        assert_eq!(row[figure].as_f64().or(row["total"][figure].as_f64()), Some(sum), "{figure} of {way}");
    }
    for item in items {
        adds_up(item, &format!("{way} / {}", item["name"]));
    }
}

#[tokio::test]
async fn every_parent_is_the_sum_of_its_rows() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    fill(&house, &shop).await;
    // One that nothing is credited with.
    let order = json!({"order_id": "x", "total": "7.00", "currency": "USD", "email": "x@mail.example", "status": "paid"});
    house.post("/api/webhook/order").token(&shop.token).json(&order).send().await;
    let path = format!("/api/sites/{}/reports/campaigns", shop.slug);
    for query in ["", "?model=linear", "?source=facebok", "?kind=sale&device=desktop"] {
        let tree = house.get(&format!("{path}{query}")).token(&shop.token).send().await.is(200).json;
        let sources = house.get(&format!("/api/sites/{}/reports/sources{query}", shop.slug)).token(&shop.token).send().await.is(200).json;
        for figure in ["visits", "conversions", "net"] {
            assert_eq!(tree["total"][figure], sources["total"][figure], "{figure} of {query}");
        }
        adds_up(&tree, query);
    }
    let tree = house.get(&path).token(&shop.token).send().await.is(200).json;
    let social = named(&tree, "Paid Social");
    assert_eq!((&social["visits"], &social["orders"]), (&json!(3), &json!(3.0)));
    let campaign = named(named(social, "facebok"), "spring_sale");
    assert_eq!(campaign["net"], json!([{"minor": 7500, "currency": "USD"}]));
    assert_eq!(tree["items"].as_array().and_then(|i| i.last()).map(|r| r["name"].clone()), Some(json!("unattributed")));

    // What stands below a campaign has the campaign's own sums, whatever the lens.
    for lens in ["", "&model=linear"] {
        let asked = format!("{path}?in_channel=Paid%20Social&in_source=facebok&in_campaign=spring_sale{lens}");
        let below = house.get(&asked).token(&shop.token).send().await.is(200).json;
        assert_eq!(named(&below, "video")["net"], json!([{"minor": 5000, "currency": "USD"}]));
        assert_eq!(named(&below, "picture")["net"], json!([{"minor": 2500, "currency": "USD"}]));
        for figure in ["visits", "orders", "net", "first", "last"] {
            assert_eq!(below["total"][figure], campaign[figure], "{figure}");
        }
    }
    let refused = house.get(&format!("{path}?in_source=google")).token(&shop.token).send().await.is(400);
    assert_eq!(refused.json["error"]["field"], "in_campaign");

    let reader = house.login("ben@shop.example", Right::Read, Some(shop.id)).await;
    let csv = house.get(&format!("{path}.csv")).cookie(&reader).send().await.is(200);
    assert!(csv.text.starts_with("channel,source,campaign,visits,"), "{}", csv.text);
    assert!(csv.text.contains("Paid Social,facebok,spring_sale,2,2,0,2,75.00,0.00,75.00"), "{}", csv.text);
    assert_eq!(csv.text.lines().count(), 6);
    // Exactly what is shown: these columns, in this order.
    let csv = house.get(&format!("{path}.csv?columns=net,visits,balance&sort=visits")).cookie(&reader).send().await.is(200);
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines[0], "channel,source,campaign,net,visits,opens,closes,currency");
    assert_eq!(lines[1], "Paid Social,facebok,spring_sale,75.00,2,2,2,USD");
    for wrong in ["columns=net,nett", "sort=profit"] {
        let refused = house.get(&format!("{path}.csv?{wrong}")).cookie(&reader).send().await.is(400);
        assert!(refused.text.contains("balance"), "{}", refused.text);
    }
}

/// Tables by the words of a link have the totals of all tables, and a campaign's contents have their terms below them.
#[tokio::test]
async fn contents_and_terms_are_levels_and_tables() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    fill(&house, &shop).await;
    let touch = json!({"landing": "/start", "user_agent": CHROME, "utm_source": "google", "utm_medium": "cpc", "utm_campaign": "Spring",
        "utm_content": "text", "utm_term": "winter gloves", "gclid": "Cj0abc"});
    let id = house.post("/api/touch").token(&shop.token).json(&touch).send().await.is(200).json["session_id"].clone();
    house.advance_s(60);
    let order =
        json!({"order_id": "t1", "total": "30.00", "currency": "USD", "email": "t@mail.example", "session_id": id, "status": "paid"});
    house.post("/api/webhook/order").token(&shop.token).json(&order).send().await;
    let get = async |path: &str| house.get(&format!("/api/sites/{}/{path}", shop.slug)).token(&shop.token).send().await.is(200).json;
    let whole = get("reports/sources").await;
    for by in ["content", "term", "landing"] {
        let table = get(&format!("reports/sources?by={by}&beside=ends")).await;
        for figure in ["visits", "conversions", "net", "leads"] {
            assert_eq!(table["total"][figure], whole["total"][figure], "{figure} by {by}");
        }
    }
    assert_eq!(named(&get("reports/sources?by=term").await, "winter gloves")["net"], json!([{"minor": 3000, "currency": "USD"}]));
    assert_eq!(named(&get("reports/sources?by=content").await, "video")["visits"], 2);
    let below = get("reports/campaigns?in_channel=Paid%20Search&in_source=google&in_campaign=Spring").await;
    assert_eq!(named(named(&below, "text"), "winter gloves")["visits"], 1, "{below}");
    assert_eq!(named(&below, "(not set)")["items"], Value::Null, "nothing below what names no term");
    adds_up(&below, "below a campaign");
    // What the link said is a filter, of visits and conversions alike.
    for (query, visits, count) in [
        ("term=winter gloves", 1, 1),
        ("term=~GLOVE", 1, 1),
        ("click=gclid", 1, 1),
        ("click=(not set)", 5, 5),
        ("content=!~video", 4, 4),
        ("consent=unknown", 6, 6),
        ("amount=30..", 6, 3),
        ("amount=!30..", 6, 3),
        ("platform=generic", 6, 6),
        ("landing=/start&term=shoes", 0, 0),
    ] {
        let figures = get(&format!("reports/overview?{}", query.replace(' ', "%20"))).await;
        assert_eq!((&figures["visits"], &figures["conversions"]["all"]), (&json!(visits), &json!(count)), "{query}");
        let list = get(&format!("conversions?{}", query.replace(' ', "%20"))).await;
        assert_eq!((&list["total"]["count"], list["items"].as_array().map(Vec::len)), (&json!(count), Some(count as usize)), "{query}");
    }
}

pub fn open(name: &str) -> Running {
    let (server, token) = two_shops::open(name);
    let told = |path: &str, body: Value| -> Value { two_shops::tell(&server, &token, path, &body) };
    let long = "a_campaign_with_a_name_that_somebody_wrote_without_an_end_in_sight_2026";
    for (n, (source, medium, campaign, content)) in [
        ("facebook", "paid_social", "Spring", "video"),
        ("facebok", "paid_social", "spring_sale", "video"),
        ("facebok", "paid_social", "spring_sale", "picture"),
        ("google", "cpc", long, ""),
        ("google", "organic", "", ""),
        ("newsletter", "email", HOSTILE, HOSTILE),
        ("newsletter", "email", "june", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let ago = |hours: i64| Clock::system().now().plus_ms(-hours * 3_600_000).utc();
        let n = n as i64;
        let touch = json!({"landing": "/start", "at": ago(n * 20 + 9), "user_agent": CHROME, "utm_source": source, "utm_medium": medium,
            "utm_campaign": campaign, "utm_content": content});
        let id = told("/api/touch", touch)["session_id"].clone();
        let again = json!({"landing": "/", "at": ago(n * 20 + 3), "user_agent": CHROME, "utm_source": "newsletter", "utm_medium": "email",
            "utm_campaign": "june", "session_id": id});
        let id = if n % 2 == 0 { id } else { told("/api/touch", again)["session_id"].clone() };
        let order = json!({"order_id": format!("n{n}"), "total": format!("{}.50", 40 + n * 13), "currency": "EUR", "email": format!("p{n}@mail.example"),
            "session_id": id, "created_at": ago(n * 20 + 1), "status": "paid"});
        told("/api/webhook/order", order);
    }
    server
}

pub const READY: &str = "return !!document.querySelector('.t-tree tbody tr, .empty') && !document.querySelector('main[aria-busy]') && !document.querySelector('.skeleton')";

async fn text(browser: &Chromium, css: &str) -> String {
    browser.run(&format!("return document.querySelector({}).innerText", json!(css))).await.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_opens_the_tree_and_merges_a_spelling() {
    let Some(browser) = Chromium::start("").await else { return };
    let server = open("sources_page");
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let page = |path: &str| format!("{}/dashboard/{path}", server.url());
    by_keyboard(&browser, &page("full/sources")).await;
    columns(&browser).await;
    merge(&browser, &page("full/sources")).await;
    // The usual columns of each screen, not the ones chosen above.
    browser.run("localStorage.clear(); return true").await;
    for (width, height) in [(1440, 1000), (390, 1400)] {
        for scheme in ["light", "dark"] {
            for site in ["full", "empty"] {
                let what = format!("sources-{site}-{width}-{scheme}");
                browser.screen(width, height, scheme).await;
                browser.open(&page(&format!("{site}/sources"))).await;
                browser.wait(&what, READY).await;
                if site == "full" {
                    for _ in 0..3 {
                        browser.wait("a click", "for (const b of document.querySelectorAll('.t-tree [aria-expanded=false][data-id]')) b.click(); return true").await;
                    }
                    browser.wait("what is below", "return document.querySelectorAll('[data-level=\"3\"]').length > 1 && !document.querySelector('.t-tree').innerText.includes('One moment')").await;
                }
                let seen = browser.run(LOOK).await;
                browser.picture(&what).await;
                assert_eq!(seen["overflow"], json!(0), "{what}: {seen}");
                assert_eq!(seen["unnamed"], json!([]), "{what}");
                assert_eq!(browser.run("return window.pwned ?? 0").await, json!(0), "{what}");
                assert_eq!(errors(&browser).await, Vec::<String>::new(), "{what}");
            }
        }
    }
    browser.end().await;
}

/// The page by its keys, down to the content of a campaign.
async fn by_keyboard(browser: &Chromium, page: &str) {
    browser.screen(1440, 1000, "light").await;
    browser.open(&page.replace("/sources", "/conversions")).await;
    browser.wait("another page", "return !!document.querySelector('main table')").await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("g").await;
    browser.press("u").await;
    browser.wait("the tree", READY).await;
    assert!(browser.run("return location.pathname").await.as_str().is_some_and(|p| p.ends_with("/sources")));
    let down = "\u{E015}";
    let right = "\u{E014}";
    browser.press(down).await;
    for _ in 0..5 {
        browser.press(right).await;
    }
    browser.wait("three levels", "return !!document.querySelector('[data-level=\"2\"]')").await;
    browser.wait("a row has the focus", "return document.activeElement.dataset.id !== undefined").await;
    browser.press("m").await;
    browser.wait("its menu", "return document.querySelector('.menu')?.innerText.includes('Show only this')").await;
    browser.wait("a click", "document.querySelector('.menu [data-item]').click(); return true").await;
    browser.wait("a filter", "return !!document.querySelector('.chip') && /source=/.test(location.search)").await;
}

async fn columns(browser: &Chromium) {
    browser.click("[data-focus=columns]").await;
    browser.wait("the choice", "return !!document.querySelector('.menu [name=conversions]')").await;
    browser.click(".menu [name=conversions]").await;
    browser.wait("one more column", "return [...document.querySelectorAll('.t-tree thead th')].some((x) => x.innerText.includes('Conversions')) && location.search.includes('conversions')").await;
}

async fn merge(browser: &Chromium, page: &str) {
    browser.open(page).await;
    browser.wait("the tree", READY).await;
    browser.wait("a click", "[...document.querySelectorAll('[data-level=\"0\"] [aria-expanded]')].forEach((b) => { if (b.getAttribute('aria-expanded') === 'false') b.click(); }); return true").await;
    browser.wait("a click", "[...document.querySelectorAll('[data-level=\"1\"]')].find((r) => r.innerText.includes('facebok')).querySelector('.act').click(); return true").await;
    browser
        .wait(
            "a click",
            "[...document.querySelectorAll('.menu [data-item]')].find((b) => b.innerText.includes('Rename')).click(); return true",
        )
        .await;
    browser.wait("the dialog", "return document.querySelector('.names [name=from]')?.value === 'facebok'").await;
    browser.write(".names [name=to]", "facebook\u{E007}").await;
    browser
        .wait("what it would change", "return document.querySelector('.would')?.innerText.includes('move to facebook, which has')")
        .await;
    browser.picture("sources-names").await;
    assert!(text(browser, ".would").await.contains("2 visits"));
    browser.wait("a click", "document.querySelector('.would .btn.main').click(); return true").await;
    browser.wait("the rule", "return document.querySelector('.rules li')?.innerText.includes('facebook')").await;
    browser.wait("the merged tree", "return !document.querySelector('.t-tree').innerText.includes('facebok')").await;
    browser.wait("a click", "document.querySelector('.names .close').click(); return true").await;
}
