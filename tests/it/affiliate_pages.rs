//! Partners on screen: empty and full, wide and narrow, light and dark, with hostile words in all that a stranger can write; one
//! is added, decided on, paid and shared by hand, and reads the statement without an account.

use halotrack::clock::Clock;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::pages::{SCREENS, errors, is_well_formed};
use crate::running::Running;
use crate::two_shops;

const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";

fn open() -> Running {
    let (server, token) = two_shops::open("affiliate_pages");
    let told = |path: &str, body: Value| -> Value { two_shops::tell(&server, &token, path, &body) };
    let ago = |hours: i64| Clock::system().now().plus_ms(-hours * 3_600_000).utc();
    server.cli(&[
        "affiliate",
        "add",
        "--site",
        "full",
        "--code",
        "noor",
        "--name",
        "Noor",
        "--commission",
        "10%",
        "--hold",
        "0",
        "--email",
        "noor@mail.example",
        "--coupon",
        "NOOR10",
    ]);
    server.cli(&["affiliate", "add", "--site", "full", "--code", "karim", "--name", HOSTILE, "--commission", "5.00"]);
    for n in 0..9_i64 {
        let code = ["noor", "karim", "stranger"][n as usize % 3];
        let touch = json!({"landing": format!("/start?ref={code}"), "at": ago(2 + n), "user_agent": CHROME});
        told("/api/touch", touch);
    }
    for n in 0..6_i64 {
        let code = ["noor", "karim"][n as usize % 2];
        let email = if n == 4 { "noor@mail.example".to_owned() } else { format!("b{n}@mail.example") };
        told(
            "/api/conversions",
            json!({"conversion_type": "sale", "order_id": format!("50{n}"), "revenue": 60 + n, "currency": "EUR", "email": email, "affiliate_id": code}),
        );
    }
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_runs_a_programme_of_partners() {
    let Some(browser) = Chromium::start("").await else { return };
    let server = open();
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let page = |path: &str| format!("{}/dashboard/{path}", server.url());
    for (width, height, scheme) in SCREENS {
        browser.screen(width, height, scheme).await;
        for (site, ready) in [
            ("full", "return document.querySelectorAll('.t-partners tr[data-id]').length === 2"),
            ("empty", "return !!document.querySelector('.empty [data-focus=add]')"),
        ] {
            browser.open(&page(&format!("{site}/affiliates"))).await;
            browser.wait("the partners", ready).await;
            if site == "full" {
                let rates = "return [...document.querySelectorAll('.t-partners td[data-k=Rate]')].every((x) => x.innerText.includes('0 of 3 by link'))";
                browser.wait("no rate of clicks that brought nothing", rates).await;
            }
            is_well_formed(&browser, &format!("affiliates-{site}-{width}-{scheme}"), scheme).await;
        }
        browser.open(&page("full/affiliates/affiliate_1")).await;
        browser.wait("the statement", "return document.querySelectorAll('.t-lines tbody tr').length === 3").await;
        // The shop's server named the partner: no sale came by a click, and none is said to have.
        let plain = "const t = document.querySelector('.stmt').innerText; \
                     return t.includes('0 of them by link, 3 without a click') && !t.includes('Conversion rate')";
        browser.wait("how many came by a link", plain).await;
        is_well_formed(&browser, &format!("affiliate-{width}-{scheme}"), scheme).await;
    }
    browser.screen(1440, 1000, "light").await;
    one_is_added(&browser, &page("empty/affiliates")).await;
    let link = decided_paid_and_shared(&browser, &page("full/affiliates/affiliate_1")).await;
    // The partner has no account: nothing of the dashboard is there.
    for (width, height, scheme) in SCREENS {
        browser.forget().await;
        browser.screen(width, height, scheme).await;
        browser.open(&link).await;
        browser.wait("the partner's page", "return !!document.querySelector('main.shared .t-lines tbody tr')").await;
        is_well_formed(&browser, &format!("statement-{width}-{scheme}"), scheme).await;
        let seen = "const t = document.body.innerText; return [t.includes('Noor'), t.includes('noor@mail'), t.includes('501'), !!document.querySelector('.rail, .t-lines button, a[href*=dashboard]')]";
        browser.wait_for("nothing but the statement", seen, json!([true, false, false, false])).await;
    }
    browser.open(&format!("{link}x")).await;
    browser.wait("a link that is none", "return document.body.innerText.includes('cannot be shown')").await;
    browser.end().await;
}

async fn one_is_added(browser: &Chromium, page: &str) {
    browser.open(page).await;
    browser.click("[data-focus=add]").await;
    browser.wait("the form", "return !!document.querySelector('dialog[open] [name=codes]')").await;
    // What cannot be taken is said where it stands.
    browser.write("[name=codes]", "lina").await;
    browser.run("document.querySelector('[name=commission]').value = ''; return true").await;
    browser.write("[name=commission]", "ten").await;
    browser.click("dialog[open] button[type=submit]").await;
    browser.wait("a refusal", "return document.querySelector('[name=commission]').getAttribute('aria-invalid') === 'true'").await;
    browser.run("document.querySelector('[name=commission]').value = ''; return true").await;
    browser.write("[name=commission]", "12%").await;
    browser.picture("affiliate-form-1440-light").await;
    browser.click("dialog[open] button[type=submit]").await;
    browser
        .wait(
            "the partner's page",
            "return /\\/affiliates\\/affiliate_1$/.test(location.pathname) && document.body.innerText.includes('?ref=lina')",
        )
        .await;
    browser.click("[data-focus=pause]").await;
    browser.wait("paused", "return document.body.innerText.includes('Paused: earns nothing new')").await;
    assert_eq!(errors(browser).await.into_iter().filter(|e| !e.contains("422")).collect::<Vec<_>>(), Vec::<String>::new());
}

async fn decided_paid_and_shared(browser: &Chromium, page: &str) -> String {
    browser.open(page).await;
    let waiting = "return [...document.querySelectorAll('.t-lines .c-state')].some((x) => x.innerText.includes('Waiting for the shop'))";
    browser.wait("an own purchase waits", waiting).await;
    let decide = "const row = [...document.querySelectorAll('.t-lines tbody tr')].find((x) => x.innerText.includes('Waiting for the shop')); \
                  row?.querySelector('[data-focus^=decide]')?.click(); return !!document.querySelector('.menu [data-item]')";
    browser.wait("what can be decided", decide).await;
    browser
        .wait(
            "refused",
            "[...document.querySelectorAll('.menu [data-item]')].find((x) => x.innerText.includes('Refuse it'))?.click(); return true",
        )
        .await;
    browser
        .wait(
            "a line takes it back",
            "return document.querySelectorAll('.t-lines tbody tr').length === 4 && !!document.querySelector('.t-lines tr.back')",
        )
        .await;
    browser.click("[data-focus=pay]").await;
    browser.wait("the form", "return !!document.querySelector('dialog[open] [name=reference]')").await;
    browser.write("[name=reference]", "TRX 4711").await;
    browser.click("dialog[open] button[type=submit]").await;
    browser
        .wait("it is noted", "return document.body.innerText.includes('TRX 4711') && document.querySelector('[data-focus=pay]').disabled")
        .await;
    browser.click("[data-focus=share-month]").await;
    browser.wait("the link", "return !!document.querySelector('.st-links li button')").await;
    let path = "return fetch('/api/sites/full/affiliates/affiliate_1/statement').then((r) => r.json()).then((s) => s.links[0].link)";
    let link = browser.run(path).await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
    link.as_str().expect("a link").to_owned()
}
