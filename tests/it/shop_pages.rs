//! Orders and customers on screen: empty and full, wide and narrow, light and dark, by keyboard, with every row a filter
//! and hostile words in all that a shop can write; what a client is shown of people.

use halotrack::clock::Clock;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::pages::{LOOK, errors};
use crate::running::Running;
use crate::two_shops;

const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";

fn open() -> Running {
    let (server, token) = two_shops::open("shop_pages");
    let told = |path: &str, body: Value| -> Value { two_shops::tell(&server, &token, path, &body) };
    let ago = |hours: i64| Clock::system().now().plus_ms(-hours * 3_600_000).utc();
    for n in 0..14_i64 {
        let (source, medium) =
            [("facebook", "paid_social"), ("google", "cpc"), (HOSTILE, HOSTILE), ("newsletter", "email")][n as usize % 4];
        let hours = 4 + n * 30;
        let touch = json!({"landing": "/start", "at": ago(hours + 5), "user_agent": CHROME, "utm_source": source, "utm_medium": medium,
            "utm_campaign": "spring"});
        // One in five came by no visit that is known.
        let id = if n % 5 == 4 { Value::Null } else { told("/api/touch", touch)["session_id"].clone() };
        let order = |id: &Value, status: &str| {
            let name = if n == 3 {
                HOSTILE
            } else {
                ["Winter gloves", "A cap of wool, knitted by hand in a small place by the sea", "Scarf"][n as usize % 3]
            };
            json!({"order_id": format!("10{n}"), "total": format!("{}.50", 40 + n * 13), "currency": if n == 6 { "GBP" } else { "EUR" },
                "email": format!("person{}@mail.example", n % 6), "session_id": id, "created_at": ago(hours), "status": status,
                "items": [{"id": format!("{}", n % 3), "name": name, "price": "20.00", "quantity": 1 + n % 3}, {"id": "9", "name": "Ribbon", "price": "1.50"}]})
        };
        told("/api/webhook/order", order(&id, if n == 13 { "pending" } else { "paid" }));
        if n == 2 {
            told("/api/webhook/order", order(&id, "refunded"));
        }
    }
    server
}

async fn sign_in(browser: &Chromium, server: &Running) {
    two_shops::sign_up(browser, server).await;
    errors(browser).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_reads_orders_and_customers() {
    let Some(browser) = Chromium::start("").await else { return };
    let server = open();
    sign_in(&browser, &server).await;
    let page = |path: &str| format!("{}/dashboard/{path}", server.url());
    for (name, table) in [("orders", ".t-orders"), ("customers", ".t-customers")] {
        for site in ["full", "empty"] {
            for (width, height) in [(1440, 1000), (390, 1200)] {
                for scheme in ["light", "dark"] {
                    let what = format!("{name}-{site}-{width}-{scheme}");
                    browser.screen(width, height, scheme).await;
                    browser.open(&page(&format!("{site}/{name}"))).await;
                    let ready = match site {
                        "full" => format!(
                            "return document.querySelectorAll('{table} tr[data-id]').length > 4 && !!document.querySelector('.stmt:not([hidden]) .fig')"
                        ),
                        _ => "return !!document.querySelector('.empty')".to_owned(),
                    };
                    browser.wait(&what, &ready).await;
                    let seen = browser.run(LOOK).await;
                    browser.picture(&what).await;
                    assert_eq!(seen["overflow"], json!(0), "{what}: {seen}");
                    assert_eq!(seen["unnamed"], json!([]), "{what}");
                    assert_eq!((&seen["h1"], &seen["pwned"], &seen["inline"]), (&json!(1), &Value::Null, &json!([])), "{what}");
                    let light = seen["light"].as_f64().expect("a number");
                    assert!(if scheme == "dark" { light < 90.0 } else { light > 180.0 }, "{what}: the background is {light}");
                    assert_eq!(errors(&browser).await, Vec::<String>::new(), "{what}");
                }
            }
        }
    }
    browser.screen(1440, 1000, "light").await;
    orders(&browser, &page("full/orders")).await;
    customers(&browser, &page("full/customers")).await;
    browser.end().await;
}

async fn orders(browser: &Chromium, page: &str) {
    browser.open(page).await;
    browser.wait("the orders", "return document.querySelectorAll('.t-orders tr[data-id]').length === 14").await;
    browser.run("document.activeElement?.blur(); return true").await;
    // Down by keys to the newest that is paid, into its receipt, on to the next one, and out.
    browser.press("j").await;
    browser.wait("a row has the focus", "return !!document.activeElement.closest('tr[data-id]')").await;
    browser.press("\u{E007}").await;
    browser.wait("the receipt", "return !!document.querySelector('dialog[open] .rc-line')").await;
    browser.wait("its address", "return /\\/orders\\/order_\\d+$/.test(location.pathname)").await;
    let first = browser.run("return location.pathname").await;
    browser.press("j").await;
    browser.wait("the next receipt", &format!("return location.pathname !== {first} && /order_/.test(location.pathname)")).await;
    browser.press("\u{E00C}").await;
    browser.wait("the orders again", "return !document.querySelector('dialog[open]') && location.pathname.endsWith('/orders')").await;
    // The same by its own address.
    let own = browser.run("return document.querySelector('.t-orders tr[data-id] a.open[href*=order_]').href").await;
    browser.open(own.as_str().expect("an address")).await;
    browser.wait("the receipt as a page", "return !!document.querySelector('main .rc-line')").await;
    // An order that nobody paid has no receipt, and says so.
    browser.open(page).await;
    browser.wait("the orders", "return document.querySelectorAll('.t-orders tr[data-id]').length === 14").await;
    browser
        .wait(
            "a click on what is not paid",
            "document.querySelector('.t-orders tr[data-id=\"order_14\"] .open').click(); return !!document.querySelector('.toast')",
        )
        .await;
    assert!(browser.run("return document.querySelector('.toast').innerText").await.as_str().is_some_and(|t| t.contains("Not paid")));
    // A cell filters, Escape lets go, a search goes by the number.
    browser
        .wait("a filter", "document.querySelector('.t-orders tr[data-id] [data-dim=source][data-value=google]').click(); return true")
        .await;
    browser
        .wait(
            "what fits",
            "const n = document.querySelectorAll('.t-orders tr[data-id]').length; return n > 0 && n < 14 && location.search.includes('source=google')",
        )
        .await;
    browser.press("\u{E00C}").await;
    browser
        .wait(
            "all of them",
            "return document.querySelectorAll('.t-orders tr[data-id]').length === 14 && !location.search.includes('source')",
        )
        .await;
    browser.write("[data-search]", "1012").await;
    browser.wait("the one", "return document.querySelectorAll('.t-orders tr[data-id]').length === 1").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

async fn customers(browser: &Chromium, page: &str) {
    browser.open(page).await;
    let all = "return document.querySelectorAll('.t-customers tr[data-id]').length === 6";
    browser.wait("the customers", all).await;
    let worths =
        "return [...document.querySelectorAll('.t-customers tr[data-id] .c-worth')].map((x) => parseFloat(x.innerText.replace(/,/g, '')))";
    let is_sorted = |all: &Value| {
        let all: Vec<f64> = all.as_array().expect("figures").iter().filter_map(Value::as_f64).collect();
        all.len() > 3 && all.is_sorted_by(|a, b| a >= b)
    };
    assert!(is_sorted(&browser.run(worths).await), "by worth");
    browser.wait("another order", "document.querySelector('.t-customers [data-focus=sort-orders]').click(); return true").await;
    browser
        .wait(
            "its mark",
            "return !!document.querySelector('.t-customers th.c-orders[aria-sort]') && location.search.includes('sort=orders')",
        )
        .await;
    browser
        .wait(
            "by number of orders",
            "const n = [...document.querySelectorAll('.t-customers tr[data-id] .c-orders')].map((x) => +x.innerText); return n.length === 6 && n.every((x, i) => !i || n[i - 1] >= x)",
        )
        .await;
    // A figure of the head is a filter too.
    browser.open(page).await;
    browser.wait("the customers", all).await;
    browser.wait("the new ones", "document.querySelector('.stmt button.fig:not([disabled])').click(); return true").await;
    browser.wait("only they", "return location.search.includes('buyer=new') && document.querySelector('.stmt button.fig').getAttribute('aria-pressed') === 'true'").await;
    browser.open(&format!("{page}?source=newsletter")).await;
    browser.wait("who began there", "const n = document.querySelectorAll('.t-customers tr[data-id]').length; return n > 0 && n < 6").await;
    browser.open(page).await;
    browser.wait("the customers", all).await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("j").await;
    browser.wait("a row has the focus", "return !!document.activeElement.closest('tr[data-id]')").await;
    browser.press("\u{E007}").await;
    browser.wait("the person", "return /\\/people\\/contact_/.test(location.pathname) && !!document.querySelector('.person .stmt')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
