//! Spend and history by hand in a real browser: an amount typed in, seen in the table and over the chart; a file looked at,
//! brought in and taken back; a link tried against the rules; on a wide and a narrow screen, light and dark.

use std::fs;

use halotrack::clock::Clock;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::pages::{LOOK, errors};
use crate::running::Running;
use crate::two_shops::{open, sign_up, tell};

const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";

fn fill(server: &Running, token: &str) {
    let ago = |hours: i64| Clock::system().now().plus_ms(-hours * 3_600_000).utc();
    for (n, source) in ["google", "facebook", HOSTILE, "google"].into_iter().enumerate() {
        let touch = json!({"landing": "/start", "at": ago(5), "user_agent": CHROME, "utm_source": source, "utm_medium": "cpc", "utm_campaign": "Spring"});
        let session = tell(server, token, "/api/touch", &touch)["session_id"].clone();
        let order = json!({"order_id": format!("n{n}"), "total": "50.00", "currency": "EUR", "email": format!("p{n}@mail.example"),
            "session_id": session, "created_at": ago(4), "status": "paid"});
        tell(server, token, "/api/webhook/order", &order);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spend_is_typed_in_and_history_brought_in() {
    let Some(browser) = Chromium::start("").await else { return };
    let (server, token) = open("spend-page");
    fill(&server, &token);
    sign_up(&browser, &server).await;
    typed(&browser, &server).await;
    brought(&browser, &server).await;
    tried(&browser, &server).await;
    in_two_currencies(&server, &token);
    looked_at(&browser, &server).await;
    browser.end().await;
}

async fn typed(browser: &Chromium, server: &Running) {
    browser.open(&format!("{}/dashboard/full/spend", server.url())).await;
    browser.wait("the empty page", "return document.querySelector('.empty')?.innerText.includes('What did the advertising cost')").await;
    browser.picture("spend empty").await;
    browser.click(".empty [data-focus=add-spend]").await;
    browser.click(".dialog.spend button[type=submit]").await;
    browser.wait("what is missing", "return document.querySelector('.dialog.spend #f-amount-note')?.classList.contains('err')").await;
    browser.write(".dialog.spend [name=amount]", "60,50").await;
    browser.write(".dialog.spend [name=source]", "Google").await;
    browser.write(".dialog.spend [name=medium]", "cpc").await;
    browser.write(".dialog.spend [name=campaign]", "Spring").await;
    browser.picture("spend form").await;
    browser.click(".dialog.spend button[type=submit]").await;
    browser
        .wait_for(
            "the row",
            "return [...document.querySelectorAll('.t-spend tr[data-id] .c-source')].map((x) => x.innerText)",
            json!(["google"]),
        )
        .await;
    browser.wait("what it came to", "return document.querySelector('.stmt')?.innerText.includes('€60.50')").await;
    // Corrected, by keyboard: the row opens what is in it.
    browser.wait("the row", "document.querySelector('.t-spend tr[data-id] .open').focus(); return true").await;
    browser.press("\u{E007}").await;
    browser.wait_for("the amount", "return document.querySelector('.dialog.spend [name=amount]')?.value", json!("60.50")).await;
    browser
        .wait(
            "an empty field",
            "const i = document.querySelector('.dialog.spend [name=amount]'); if (!i) return false; i.select(); return true",
        )
        .await;
    browser.write(".dialog.spend [name=amount]", "50").await;
    browser.click(".dialog.spend button[type=submit]").await;
    browser
        .wait("the new amount", "return document.querySelector('.t-spend .c-amount + *, .t-spend td.c-amount')?.innerText === '50.00'")
        .await;

    // Over the chart, and beside the source.
    browser.open(&format!("{}/dashboard/full/overview", server.url())).await;
    browser.click("#figure-cac").await;
    browser
        .wait("what a customer has cost", "return document.querySelector('#figure-cac[aria-selected=true] .v')?.innerText === '€12.50'")
        .await;
    browser.picture("spend overview").await;
    browser.open(&format!("{}/dashboard/full/sources", server.url())).await;
    browser
        .wait("the column", "return [...document.querySelectorAll('.t-tree thead th')].some((x) => x.innerText.startsWith('Spend'))")
        .await;
    browser.wait("the cost of the channel", "return document.querySelector('.t-tree tbody tr')?.innerText.includes('50.00')").await;
    browser.picture("spend sources").await;
    // From a row: its names are filled in.
    browser.click(".t-tree tbody button[aria-expanded=false]").await;
    browser.click(".t-tree tr[data-level='1'] .act").await;
    browser.wait("the menu", "const x = [...document.querySelectorAll('.menu .item')].find((i) => i.innerText.startsWith('Add spend')); if (!x) return false; x.click(); return true").await;
    browser.wait("its source", "return (document.querySelector('.dialog.spend [name=source]')?.value ?? '') !== ''").await;
    browser.press("\u{E00C}").await;
}

/// Sold and spent in dollars too: it stands apart from the costs in euros, and says so.
fn in_two_currencies(server: &Running, token: &str) {
    let at = Clock::system().now().plus_ms(-60_000);
    let order = json!({"order_id": "usd-1", "total": "30.00", "currency": "USD", "email": "usd@mail.example", "created_at": at.utc(), "status": "paid"});
    tell(server, token, "/api/webhook/order", &order);
    let day = halotrack::domain::time::Zone::utc().day(at).to_string();
    let spent = json!({"day": day, "source": "bing", "medium": "cpc", "amount": "7.00", "currency": "USD"});
    tell(server, token, "/api/sites/full/spend", &spent);
}

async fn brought(browser: &Chromium, server: &Running) {
    let file = server.folder.join("spend.csv");
    fs::write(
        &file,
        format!("Campaign name,Day,Amount spent (EUR)\n{HOSTILE},2026-01-02,12.00\nSpring,2026-01-03,8.00\nAutumn,soon,1.00\n"),
    )
    .expect("a file");
    browser.open(&format!("{}/dashboard/full/settings/history", server.url())).await;
    browser.click(".bring button[type=submit]").await;
    browser.wait("a file is wanted", "return document.querySelector('#f-file-note')?.innerText.includes('Choose a file')").await;
    browser.wait("its kind", "const s = document.querySelector('.bring select'); if (!s) return false; s.value = 'spend'; s.dispatchEvent(new Event('change', {bubbles: true})); return true").await;
    browser.write(".bring input[type=file]", file.to_str().expect("a path")).await;
    browser.click(".bring form button[type=submit]").await;
    browser.wait("what it would do", "return document.querySelector('.would')?.innerText.includes('Bring 2 rows in')").await;
    let seen = browser.run("return document.querySelector('.would').innerText").await;
    let seen = seen.as_str().unwrap_or_default();
    for word in ["€20.00", "Line 4", "It is no date", "a file of Meta Ads"] {
        assert!(seen.contains(word), "{word}: {seen}");
    }
    browser.picture("history preview").await;
    browser.click(".would .btn.main").await;
    browser.wait("it is in", "return document.querySelector('.would')?.innerText.includes('It is in')").await;
    browser.wait("the list", "return document.querySelector('.bring-list [data-import]')?.innerText.includes('2 new rows')").await;
    browser.picture("history done").await;
    // The same file again.
    browser.write(".bring input[type=file]", file.to_str().expect("a path")).await;
    browser.click(".bring form button[type=submit]").await;
    browser.wait("nothing new", "return document.querySelector('.would')?.innerText.includes('Nothing to bring in')").await;
    browser.click(".would .btn:not(.main)").await;
    browser.wait("it is away", "return !document.querySelector('.would')").await;
    // Taken back.
    browser.click(".bring-list .danger").await;
    browser.click("dialog .btn.danger").await;
    browser.wait("taken back", "return document.querySelector('.bring-list [data-import]')?.innerText.includes('taken back')").await;
    assert_eq!(server.sql("full", "select count(*) as n from orders")[0]["n"], 4, "the shop's own orders stay");
}

async fn tried(browser: &Chromium, server: &Running) {
    browser.open(&format!("{}/dashboard/full/sources", server.url())).await;
    browser.click("[data-focus=names]").await;
    browser.write(".dialog.names [name=from]", "google").await;
    browser.write(".dialog.names [name=to]", "search-ads").await;
    browser.click(".dialog.names .try summary").await;
    browser.write(".dialog.names [name=try_url]", "/?utm_source=adwords&utm_medium=cpc").await;
    browser.click(".dialog.names .try button[type=submit]").await;
    browser.wait("before and after", "const x = [...document.querySelectorAll('.named')].map((n) => n.innerText); return x.length === 2 && x[0].includes('google / cpc') && x[1].includes('search-ads / cpc')").await;
    browser.picture("names tried").await;
    browser.press("\u{E00C}").await;
}

async fn looked_at(browser: &Chromium, server: &Running) {
    for (width, height) in [(1440, 900), (390, 844)] {
        for scheme in ["light", "dark"] {
            browser.screen(width, height, scheme).await;
            for (page, ready) in [
                ("full/spend", ".t-spend tr[data-id]"),
                ("empty/spend", ".empty"),
                ("full/settings/history", ".bring-list [data-import]"),
                ("empty/settings/history", ".bring form"),
                ("full/overview", "#figure-spend"),
                ("full/sources", ".t-tree tbody tr"),
            ] {
                browser.open(&format!("{}/dashboard/{page}", server.url())).await;
                let drawn = format!(
                    "return !!document.querySelector('main :is({ready})') && !document.querySelector('.skeleton, main[aria-busy]')"
                );
                browser.wait(page, &drawn).await;
                if matches!(page, "full/spend" | "full/sources") {
                    let said = "const t = document.querySelector('.apart')?.innerText ?? ''; \
                                return t.includes('Costs and return are in EUR') && t.includes('1 order and 1 new customer in USD') && t.includes('an order')";
                    browser.wait("what stands apart", said).await;
                }
                let what = format!("{page} at {width}, {scheme}");
                let seen = browser.run(LOOK).await;
                for (name, want) in [("overflow", json!(0)), ("unnamed", json!([])), ("h1", json!(1)), ("inline", json!([]))] {
                    assert_eq!(seen[name], want, "{name}: {what}");
                }
                assert_eq!(seen["pwned"], Value::Null, "{what}");
                browser.picture(&what).await;
            }
        }
    }
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
