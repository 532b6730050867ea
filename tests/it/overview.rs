//! The overview in a real browser: on a wide and a narrow screen, light and dark, empty, thin and full; by keyboard alone;
//! figures that filter, a chart that is read with arrow keys, notes, files of exactly what is shown; few requests, no error in
//! the console, nothing refused by the policy. `SHOTS=folder` keeps what was seen.

use std::path::PathBuf;

use halotrack::clock::Clock;
use halotrack::domain::money::Currency;
use halotrack::domain::time::Zone;
use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::ground::{self, Size};
use crate::house::{CHROME, House};
use crate::pages::PASSWORD;
use crate::running::Running;
use crate::two_shops;

struct Office {
    server: Running,
}

impl Office {
    /// A shop of three months, one of a few days, and one with nothing.
    async fn open() -> Self {
        let mut server = Running::new("overview");
        for name in ["full", "thin", "empty"] {
            let domain = format!("{name}.example");
            server.cli(&[
                "site",
                "add",
                "--name",
                name,
                "--domain",
                &domain,
                "--currency",
                "EUR",
                "--zone",
                "Europe/Dublin",
                "--consent",
                "opt-out",
            ]);
        }
        // The same sites in a house of their own, for the hand that fills the file.
        let house = House::new();
        let until = Clock::system().now();
        for (name, size) in [
            ("full", Size { sessions: 4_000, conversions: 620, days: 92, seed: 4, until }),
            ("thin", Size { sessions: 14, conversions: 4, days: 6, seed: 9, until }),
        ] {
            let shop = house
                .site_with(&format!("{name}.example"), |new| {
                    new.zone = Zone::parse("Europe/Dublin").expect("a zone");
                    new.currency = Currency::parse("EUR").expect("a currency");
                })
                .await;
            let site = house.app.book().site(shop.id).cloned().expect("the site");
            ground::fill(&server.folder.join("data"), &site, &size);
        }
        let db = Connection::open(server.folder.join("data").join(FILE)).expect("the file");
        for sql in [
            r#"update orders set items = '[{"id":"t","name":"Continental Contact Urban 37-622 tyre","quantity":2,"price":{"minor":1500,"currency":"EUR"}},
                 {"id":"g","name":"Winter gloves","quantity":1,"price":{"minor":700,"currency":"EUR"}}]' where id % 3 = 0"#,
            r#"update orders set items = '[{"id":"f","name":"Bike fit, 90 minutes","quantity":1,"price":{"minor":9900,"currency":"EUR"}}]' where id % 3 = 1"#,
            "update conversions set country = 'FR' where id % 9 = 1",
            "update connections set status = 'needs_attention', reason = 'Meta refused the access token.' where site_id = 1 and platform = 'meta'",
        ] {
            db.execute(sql, []).expect(sql);
        }
        server.start();
        Self { server }
    }

    fn page(&self, path: &str) -> String {
        format!("{}/dashboard/{path}", self.server.url())
    }

    async fn sign_in(&self, browser: &Chromium) {
        browser.open(&two_shops::setup_link(&self.server)).await;
        browser.write("input[name=email]", "ann@full.example").await;
        browser.write("input[name=password]", PASSWORD).await;
        browser.click("button[type=submit]").await;
        browser.wait("the dashboard", "return location.pathname.startsWith('/dashboard')").await;
        browser.wait("somebody signed in", "return !!document.querySelector('main')").await;
        errors(browser).await;
    }
}

async fn errors(browser: &Chromium) -> Vec<String> {
    browser.log().await.into_iter().filter(|l| !(l.contains("/api/me") && l.contains("401"))).collect()
}

async fn shot(browser: &Chromium, name: &str) {
    let Some(folder) = std::env::var_os("SHOTS").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("a folder");
    browser.driver.screenshot(&folder.join(format!("{name}.png"))).await.expect("a picture");
}

const READY: &str = "return !!document.querySelector('[data-part=RevenueChart] svg text') && !!document.querySelector('[data-part=RevenueBySource] table, [data-part=RevenueBySource] .empty') && !document.querySelector('main[aria-busy]')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_opens_the_one_page() {
    let Some(browser) = Chromium::start("").await else { return };
    let office = Office::open().await;
    office.sign_in(&browser).await;
    looks(&browser, &office).await;
    weighs_little(&browser, &office).await;
    asks_by_pressing(&browser, &office).await;
    by_keyboard(&browser, &office).await;
    live(&browser, &office).await;
    browser.end().await;
}

/// Every state on every screen.
async fn looks(browser: &Chromium, office: &Office) {
    for site in ["full", "thin", "empty"] {
        for (width, height) in [(1440, 1800), (820, 1600), (390, 3600)] {
            for scheme in ["light", "dark"] {
                let what = format!("{site}-{width}-{scheme}");
                browser.screen(width, height, scheme).await;
                browser.open(&office.page(&format!("{site}/overview"))).await;
                let ready = if site == "empty" { "return !!document.querySelector('.first .step')" } else { READY };
                browser.wait(&what, ready).await;
                let seen = browser.run(LOOK).await;
                shot(browser, &what).await;
                assert_eq!(seen["overflow"], json!(0), "{what}: the page is wider than the screen: {}", seen["wide"]);
                assert_eq!(seen["unnamed"], json!([]), "{what}: controls without a name");
                assert_eq!(seen["h1"], json!(1), "{what}: one heading of the page");
                assert_eq!(seen["ids"], json!([]), "{what}: an id twice");
                assert_eq!(errors(browser).await, Vec::<String>::new(), "{what}");
                if site == "empty" {
                    continue;
                }
                let parts = ["StatsCards", "RevenueChart", "RevenueBySource", "RecentOrders", "WebhookStatus"];
                assert_eq!(seen["parts"], json!(parts), "{what}");
            }
        }
    }
    browser.screen(1440, 900, "light").await;
    // A few cases have a range and no rank; the strip is there only where something is the matter.
    browser.open(&office.page("thin/overview?range=all")).await;
    browser.wait("the thin site", READY).await;
    let thin = text(browser, "main").await;
    assert!(thin.contains("too few to rank") && thin.contains("–"), "{thin}");
    browser
        .wait_for(
            "what needs the owner",
            "return document.querySelector('.needs').hidden || document.querySelector('.needs').innerText",
            json!(true),
        )
        .await;
    browser.open(&office.page("full")).await;
    browser.wait("the overview is what a site opens with", "return location.pathname === '/dashboard/full/overview'").await;
    browser.wait("the strip", "return !document.querySelector('.needs').hidden").await;
    let needs = text(browser, ".needs").await;
    assert!(needs.contains("meta needs attention.") && needs.contains("None is lost"), "{needs}");
}

const LOOK: &str = r#"
const wide = [...document.querySelectorAll('main *')].filter((x) => x.getBoundingClientRect().right > innerWidth + 1 && x.getClientRects().length
  && !x.closest('.scroll, .twin, .vh, .tabs, svg'));
const named = (x) => (x.getAttribute('aria-label') || x.innerText || x.title || x.labels?.[0]?.innerText || x.getAttribute('aria-labelledby') || x.placeholder || '').trim();
const shown = (x) => x.checkVisibility && x.checkVisibility();
const ids = [...document.querySelectorAll('[id]')].map((x) => x.id);
return {
  overflow: Math.max(0, document.documentElement.scrollWidth - innerWidth),
  wide: wide.slice(0, 3).map((x) => x.outerHTML.slice(0, 160)),
  unnamed: [...document.querySelectorAll('button, a[href], input:not([type=hidden]), select, [role=tab]')].filter((x) => shown(x) && !named(x)).map((x) => x.outerHTML.slice(0, 120)),
  h1: document.querySelectorAll('h1').length,
  ids: ids.filter((x, i) => ids.indexOf(x) !== i),
  parts: [...document.querySelectorAll('[data-part]')].map((x) => x.dataset.part),
};
"#;

/// To the page, whatever has the focus just now: what closes takes its focus along.
async fn escape(browser: &Chromium) {
    for kind in ["keyDown", "keyUp"] {
        let key = json!({"type": kind, "key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27});
        browser.driver.cdp().send_raw("Input.dispatchKeyEvent", key).await.expect("a key is taken");
    }
}

async fn text(browser: &Chromium, css: &str) -> String {
    browser.run(&format!("return document.querySelector({}).innerText", json!(css))).await.as_str().unwrap_or_default().to_owned()
}

/// The first useful screen takes few requests and few bytes.
async fn weighs_little(browser: &Chromium, office: &Office) {
    browser.driver.cdp().send_raw("Network.clearBrowserCache", json!({})).await.expect("an empty cache");
    browser.open(&office.page("full/overview")).await;
    browser.wait("the page", READY).await;
    let loads = browser
        .run(
            "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].filter((e) => !e.name.startsWith('data:'));
             return { names: all.map((e) => new URL(e.name).pathname.replace(/^.a.[0-9a-f]+/, '')), bytes: all.reduce((n, e) => n + e.transferSize, 0) }",
        )
        .await;
    let names = loads["names"].as_array().expect("requests");
    // The stream of events is no entry until it ends.
    assert!(names.len() < 8, "{} requests: {names:?}", names.len());
    let bytes = loads["bytes"].as_f64().expect("bytes");
    assert!(bytes < 80_000.0, "{bytes} bytes: {names:?}");
}

/// Every row filters, every figure draws, and all of it stands in the address.
async fn asks_by_pressing(browser: &Chromium, office: &Office) {
    browser.open(&office.page("full/overview")).await;
    browser.wait("the page", READY).await;
    browser.click("[data-figure=rate]").await;
    browser.wait("the chart of another figure", "return document.querySelector('#chart .key').innerText.includes('Conversion rate')").await;
    browser.wait_for("what is shown", "return location.search", json!("?show=rate")).await;
    browser.click("[data-focus=by-channel]").await;
    browser.wait("the table by channel", "return [...document.querySelectorAll('[data-part=RevenueBySource] th .cell')].some((c) => c.innerText.includes('Paid Search'))").await;
    browser.click("[data-part=RevenueBySource] [data-value='Paid Search']").await;
    browser.wait("a chip", "return document.querySelector('.chips .chip')?.innerText.includes('Paid Search')").await;
    browser.wait("the figures of it", READY).await;
    let rows = browser
        .run("return [...document.querySelectorAll('[data-part=RevenueBySource] tbody tr')].map((r) => r.querySelector('.cut').innerText)")
        .await;
    // Others may have opened what it closed: they stand below, with first touches only.
    assert_eq!(rows[0], json!("Paid Search"), "{rows}");
    let (row, all) =
        (text(browser, "[data-part=RevenueBySource] tbody .c-net").await, text(browser, "[data-part=RevenueBySource] tfoot .c-net").await);
    assert_eq!(row, all, "one channel is left");
    // The page and the file of its table say the same.
    let net = text(browser, "[data-part=RevenueBySource] tfoot .c-net").await.replace(',', "");
    let csv = browser
        .run("const u = new URLSearchParams(location.search); u.set('by', 'channel'); const x = new XMLHttpRequest(); x.open('GET', `/api/sites/full/reports/sources.csv?${u}`, false); x.send(); return x.responseText")
        .await;
    let csv = csv.as_str().expect("a file").to_owned();
    assert!(csv.contains(&format!(",{net},")), "{net} is not in {csv}");
    // The chip opens, and Esc clears.
    browser.click(".chips .chip .say").await;
    browser.wait("the filter to edit", "return !!document.querySelector('.menu .filter')").await;
    escape(browser).await;
    browser.run("document.activeElement?.blur(); return true").await;
    escape(browser).await;
    browser.wait("no filter", "return !document.querySelector('.chips .chip')").await;
    browser.wait("the page", READY).await;
    // Another lens: the same total, otherwise shared.
    let before = text(browser, "[data-part=RevenueBySource] tfoot .c-net").await;
    browser.run("history.pushState(null, '', '?model=linear&by=channel'); dispatchEvent(new PopStateEvent('popstate')); return true").await;
    browser.wait("another lens", "return document.querySelector('.bar')?.innerText.includes('back to your default')").await;
    browser.wait("the page", READY).await;
    assert_eq!(text(browser, "[data-part=RevenueBySource] tfoot .c-net").await, before, "models are lenses");
    // All rows, searched.
    browser.click("[data-part=RevenueBySource] header .btn.icon").await;
    browser.write("dialog .find .in", "paid").await;
    browser.wait("what fits", "const rows = [...document.querySelectorAll('dialog tbody tr')]; return rows.length > 1 && rows.every((r) => r.innerText.startsWith('Paid'))").await;
    // The first one clears the search.
    escape(browser).await;
    if browser.run("return !!document.querySelector('dialog[open]')").await == json!(true) {
        escape(browser).await;
    }
    browser.wait("the page again", "return !document.querySelector('dialog[open]')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

async fn by_keyboard(browser: &Chromium, office: &Office) {
    browser.open(&office.page("full/overview")).await;
    browser.wait("the page", READY).await;
    browser.run("document.activeElement?.blur(); return true").await;
    for (key, search) in [("w", "?range=7d"), ("x", "?range=7d&compare=none"), ("x", "?range=7d"), ("t", "")] {
        browser.press(key).await;
        browser.wait(key, &format!("return location.search === {}", json!(search))).await;
    }
    browser.wait("the page", READY).await;
    browser.press("i").await;
    browser.wait("weeks", "return document.querySelector('[data-focus=each-week]').getAttribute('aria-pressed') === 'true'").await;
    browser.press("i").await;
    browser.wait("days", "return document.querySelector('[data-focus=each-day]').getAttribute('aria-pressed') === 'true'").await;
    // The tabs of figures, by arrow keys.
    browser.run("document.querySelector('[role=tab][aria-selected=true]').focus(); return true").await;
    browser.press("\u{E014}").await;
    browser
        .wait("the next figure", "return document.activeElement.dataset.figure === 'orders' && location.search.includes('show=orders')")
        .await;
    // The chart: a marker that moves, a note on its day, and the day alone.
    browser.run("document.querySelector('.plot').focus(); return true").await;
    browser.press("\u{E010}").await;
    browser.press("\u{E012}").await;
    let said = browser.wait("the marker", "return document.querySelector('.ctip:not([hidden])')?.innerText").await;
    assert!(said.as_str().unwrap_or_default().contains("Orders"), "{said}");
    browser.press("n").await;
    browser.write("dialog [name=text]", "Spring <b>ads</b> on\u{E007}").await;
    browser.wait("the flag", "return document.querySelector('.pin')?.getAttribute('aria-label').includes('Spring <b>ads</b> on')").await;
    shot(browser, "note").await;
    browser.click(".pin").await;
    browser.click(".notes [aria-label^='Take away']").await;
    browser.wait("no flag", "return !document.querySelector('.pin')").await;
    browser.run("document.querySelector('.plot').focus(); return true").await;
    browser.press("\u{E010}").await;
    browser.press("\u{E012}").await;
    browser.press("\u{E007}").await;
    browser
        .wait("the day alone", "const q = new URLSearchParams(location.search); return q.get('from') && q.get('from') === q.get('to')")
        .await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("t").await;
    browser.wait("the page", READY).await;
    // The table behind the chart, and the list of keys.
    browser.wait("a click", "[...document.querySelectorAll('.others .go')].pop().click(); return true").await;
    browser.wait("as many rows as days", "return document.querySelectorAll('.twin tbody tr').length === 30").await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("?").await;
    let keys = browser.wait("the keys", "return document.querySelector('dialog[open]')?.innerText").await;
    assert!(keys.as_str().unwrap_or_default().contains("Note on the day"), "{keys}");
    escape(browser).await;
    // A receipt over the page.
    browser.run("document.querySelector('[data-part=RecentOrders] .open').focus(); return true").await;
    browser.press("\u{E007}").await;
    browser.wait("the receipt", "return !!document.querySelector('dialog[open] .rc-line')").await;
    escape(browser).await;
    browser
        .wait("the page again", "return !document.querySelector('dialog[open]') && location.pathname === '/dashboard/full/overview'")
        .await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// What comes in shows by itself.
async fn live(browser: &Chromium, office: &Office) {
    let token = office.server.cli(&["token", "create", "--site", "empty", "--name", "t", "--scope", "read,write"]);
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    let send = |path: &str, body: Value| {
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let heard = office.server.post(path, &headers, body.to_string().as_bytes()).expect("an answer");
        assert!(matches!(heard.status, 200 | 201), "{path}: {} {}", heard.status, heard.text);
        heard.json()
    };
    browser.open(&office.page("empty/overview")).await;
    browser.wait("the first steps", "return !!document.querySelector('.first .step')").await;
    let id = send("/api/touch", json!({"landing": "/start", "user_agent": CHROME, "utm_source": "newsletter", "utm_medium": "email"}))["session_id"].clone();
    send(
        "/api/webhook/order",
        json!({"order_id": "1001", "total": "86.90", "currency": "EUR", "email": "niamh@mail.example", "session_id": id, "status": "paid"}),
    );
    browser
        .wait("the first order", "return document.querySelector('[data-figure=net] .v')?.innerText.replace(/\\s/g, '') === '€86.90'")
        .await;
    browser.wait("its source", "return document.querySelector('[data-part=RevenueBySource]')?.innerText.includes('newsletter')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
