//! The attribution lab and the daily report in a real browser: on a wide and a narrow screen, light and dark, full, thin and
//! empty; the switches, the other lens, the estimate, the curve and its table, a day before and the day after.

use halotrack::clock::Clock;
use halotrack::domain::money::Currency;
use serde_json::json;

use crate::chromium::Chromium;
use crate::ground::{self, Size};
use crate::house::House;
use crate::pages::{LOOK, errors};
use crate::running::Running;
use crate::two_shops;

const LAB: &str = "return !!document.querySelector('.t-lab tbody tr, .empty') && !document.querySelector('main[aria-busy], .skeleton') && !document.querySelector('.lab-notes')?.innerText.includes('being worked out')";
const DAY: &str = "return !!document.querySelector('.daily .fig, .daily .empty') && !document.querySelector('main[aria-busy], .skeleton')";

/// A shop of three months, one of a few days, and one with nothing.
async fn open() -> Running {
    let mut server = Running::new("lab_page");
    for name in ["full", "thin", "empty"] {
        let domain = format!("{name}.example");
        server.cli(&["site", "add", "--name", name, "--domain", &domain, "--currency", "EUR", "--consent", "opt-out"]);
    }
    // The same sites in a house of their own, for the hand that fills the file.
    let house = House::new();
    let until = Clock::system().now();
    for (name, size) in [
        ("full", Size { sessions: 5_000, conversions: 1_600, days: 92, seed: 4, until }),
        ("thin", Size { sessions: 40, conversions: 12, days: 6, seed: 9, until }),
    ] {
        let shop = house.site_with(&format!("{name}.example"), |new| new.currency = Currency::parse("EUR").expect("a currency")).await;
        let site = house.app.book().site(shop.id).cloned().expect("the site");
        ground::fill(&server.folder.join("data"), &site, &size);
    }
    server.start();
    server
}

async fn says(browser: &Chromium, what: &str, css: &str, words: &str) {
    let script = format!("return document.querySelector({})?.innerText.replaceAll('\\n', ' ').includes({})", json!(css), json!(words));
    browser.wait(what, &script).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_holds_models_against_each_other_and_reads_a_day() {
    let Some(browser) = Chromium::start("").await else { return };
    let server = open().await;
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let page = |path: &str| format!("{}/dashboard/{path}", server.url());
    browser.screen(1440, 1000, "light").await;
    browser.open(&page("full/attribution")).await;
    browser.wait("the lab", LAB).await;
    switches(&browser).await;
    estimate(&browser).await;
    below(&browser).await;
    browser.open(&page("full/daily")).await;
    browser.wait("the day", DAY).await;
    days(&browser).await;
    assert_eq!(errors(&browser).await, Vec::<String>::new());

    for (width, height) in [(1440, 1500), (390, 2600)] {
        for scheme in ["light", "dark"] {
            browser.screen(width, height, scheme).await;
            for (name, path, ready) in [
                ("lab-full", "full/attribution", LAB),
                ("lab-source", "full/attribution?by=source&show=direct,unattributed&model=linear&window=14", LAB),
                ("lab-thin", "thin/attribution?range=7d", LAB),
                ("lab-empty", "empty/attribution", LAB),
                ("daily-full", "full/daily", DAY),
                ("daily-empty", "empty/daily", DAY),
            ] {
                let what = format!("{name}-{width}-{scheme}");
                browser.open(&page(path)).await;
                browser.wait(&what, ready).await;
                let seen = browser.run(LOOK).await;
                browser.picture(&what).await;
                assert_eq!(seen["overflow"], json!(0), "{what}: {seen}");
                assert_eq!(seen["unnamed"], json!([]), "{what}");
                assert_eq!(errors(&browser).await, Vec::<String>::new(), "{what}");
            }
        }
    }
    browser.end().await;
}

/// What is left out stands in the address and is said below; a row is a filter; another type of conversion is one choice.
async fn switches(browser: &Chromium) {
    browser.click("[name=without-direct]").await;
    browser.wait("the address", "return location.search.includes('show=direct')").await;
    browser.wait("no direct row", "return !!document.querySelector('.t-lab tbody tr') && ![...document.querySelectorAll('.t-lab [data-value]')].some((b) => b.dataset.value === 'Direct')").await;
    says(browser, "what is left out", ".lab-notes", "nothing but direct visits led").await;
    browser.click("[name=without-direct]").await;
    browser.wait("direct again", "return !location.search.includes('show=') && [...document.querySelectorAll('.t-lab [data-value]')].some((b) => b.dataset.value === 'Direct')").await;

    browser.click("[data-focus='by-source']").await;
    browser.wait("sources", "return location.search.includes('by=source') && !!document.querySelector('.t-lab [data-value=google]')").await;
    browser
        .wait("a filter", "document.querySelector('.t-lab [data-value=google]').click(); return location.search.includes('source=google')")
        .await;
    says(browser, "the chip", ".chips", "Source is google").await;
    browser.wait("the lab", LAB).await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("\u{E00C}").await;
    browser
        .wait(
            "nothing is filtered",
            "return !document.querySelector('.chip') && !!document.querySelector('.t-lab [data-value=newsletter]')",
        )
        .await;

    let choose = "const s = document.querySelector('[data-focus=kind]'); s.value = 'lead'; s.dispatchEvent(new Event('change', { bubbles: true })); return location.search.includes('kind=lead')";
    browser.wait("leads", choose).await;
    browser.wait("the lab", LAB).await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("\u{E00C}").await;
    browser
        .wait("all conversions", "return !location.search.includes('kind=') && document.querySelector('[data-focus=kind]').value === ''")
        .await;
    browser.wait("the lab", LAB).await;
}

/// One sentence on the largest difference; the estimate has a column that says so, and remembers as much as is chosen.
async fn estimate(browser: &Chromium) {
    browser
        .wait("the difference", "return /gives .+ %, .+ %:|The models agree/.test(document.querySelector('.lab-said')?.innerText ?? '')")
        .await;
    says(browser, "the estimate's column", ".t-lab thead", "estimate").await;
    says(browser, "what it is made of", ".lab-notes", "visitors who did not convert").await;
    let choose = "const s = document.querySelector('[data-focus=order]'); s.value = '2'; s.dispatchEvent(new Event('change', { bubbles: true })); return location.search.includes('each=2')";
    browser.wait("two visits", choose).await;
    says(browser, "what it remembers", ".lab-notes", "remembering the last two visits").await;
    browser
        .wait("the settings", "return document.querySelector('.lab-tools a.btn')?.getAttribute('href').endsWith('/settings/credit')")
        .await;
}

/// The curve has its window and its table, the ways have their time.
async fn below(browser: &Chromium) {
    says(browser, "what the window sees", ".pace-said", "A 30-day window sees the whole way of").await;
    browser.wait("the curve", "return !!document.querySelector('.pace-plot .curve') && document.querySelector('.pace-plot .window-word')?.textContent.startsWith('30 days')").await;
    browser.click("[data-focus=pace-twin]").await;
    browser.wait("its table", "return document.querySelectorAll('.pace .twin tbody tr').length > 3").await;
    browser
        .wait("the ways", "return document.querySelectorAll('.t-ways tbody tr').length > 3 && !!document.querySelector('.t-ways .way .i')")
        .await;
}

/// By keys and by hand to another day and back.
async fn days(browser: &Chromium) {
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("\u{E012}").await;
    browser.wait("the day before", "return /show=\\d{4}/.test(location.search)").await;
    browser.wait("the day", DAY).await;
    browser.click("[data-focus='day-before']").await;
    browser.wait("two days before", "return Math.round((Date.parse(new Date().toISOString().slice(0, 10)) - Date.parse(new URLSearchParams(location.search).get('show'))) / 864e5) >= 1").await;
    browser.wait("its tables", "return document.querySelectorAll('.t-daily').length >= 2").await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("b").await;
    browser
        .wait("today", "return !location.search.includes('show=') && document.querySelector('[data-focus=\"day-after\"]').disabled")
        .await;
}
