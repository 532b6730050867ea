//! A partner on screen, from the short link to the final statement: its clicks on the link's and on the partner's page, a code that
//! nobody has refused where it is typed, who cannot be paid, and a month that is closed and moves no more.

use halotrack::clock::Clock;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::pages::{SCREENS, errors, is_well_formed};
use crate::running::Running;
use crate::two_shops;

const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";
const ESCAPE: &str = "\u{E00C}";
const ENTER: &str = "\u{E007}";

fn open() -> Running {
    let (server, token) = two_shops::open("partner_page");
    let told = |path: &str, body: Value| -> Value { two_shops::tell(&server, &token, path, &body) };
    let add = |code: &str, name: &str| {
        server.cli(&["affiliate", "add", "--site", "full", "--code", code, "--name", name, "--commission", "10%", "--hold", "0"]);
    };
    add("noor", "Noor");
    add("karim", HOSTILE);
    let link = told("/api/sites/full/links", json!({"to": "/sale", "utm_source": "blog", "affiliate": "NOOR", "label": "Noor’s article"}));
    let path = format!("/l/{}", link["code"].as_str().expect("a code"));
    for n in 0..7 {
        let agent = if n < 5 { CHROME } else { "curl/8.5.0" };
        let headers = [("user-agent", agent), ("referer", "https://noor.example/article"), ("cf-ipcountry", "IE")];
        assert_eq!(server.get(&path, &headers).expect("an answer").status, 302);
    }
    // Sold this month and last month, in two currencies.
    let at = |days: i64| Clock::system().now().plus_ms(-days * 86_400_000).utc();
    for (n, (code, currency, days)) in
        [("noor", "EUR", 0), ("noor", "USD", 0), ("karim", "EUR", 0), ("noor", "EUR", 32)].into_iter().enumerate()
    {
        told(
            "/api/conversions",
            json!({"conversion_type": "sale", "order_id": format!("70{n}"), "revenue": 60 + n, "currency": currency,
                "email": format!("b{n}@mail.example"), "affiliate_id": code, "timestamp": at(days)}),
        );
    }
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clicks_of_a_partners_link_are_seen_and_a_closed_month_stays() {
    let Some(browser) = Chromium::start("").await else { return };
    let server = open();
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let page = |path: &str| format!("{}/dashboard/{path}", server.url());
    for (width, height, scheme) in SCREENS {
        browser.screen(width, height, scheme).await;
        browser.open(&page("full/links/link_1")).await;
        let panel = "const t = document.querySelector('dialog[open]')?.innerText ?? ''; \
                     return t.includes('5 clicks') && t.includes('2 bots') && t.includes('noor') && !!document.querySelector('.day-bars')";
        browser.wait("the link's clicks and whose it is", panel).await;
        is_well_formed(&browser, &format!("partner-link-{width}-{scheme}"), scheme).await;
        browser.open(&page("full/affiliates/affiliate_1")).await;
        let statement = "const clicks = [...document.querySelectorAll('.stmt .fig')].find((f) => f.querySelector('.k').textContent === 'Clicks'); \
                         return document.querySelectorAll('.t-lines tbody tr').length === 2 && clicks?.querySelector('.v').textContent === '5'";
        browser.wait("the partner's clicks", statement).await;
        is_well_formed(&browser, &format!("partner-clicks-{width}-{scheme}"), scheme).await;
        browser.open(&page("full/affiliates")).await;
        let named = "const t = document.querySelector('.no-account')?.innerText ?? ''; return t.includes('2 partners have no account: ') && t.includes('Noor')";
        browser.wait("who cannot be paid", named).await;
        is_well_formed(&browser, &format!("partner-unpaid-{width}-{scheme}"), scheme).await;
    }
    browser.screen(1440, 1000, "light").await;
    refused_where_it_is_typed(&browser, &page("full/links")).await;
    closed(&browser, &server, &page("full/affiliates")).await;
    for (width, height, scheme) in SCREENS {
        browser.screen(width, height, scheme).await;
        browser.open(&page(&format!("full/affiliates/affiliate_1?month={}", last_month(&server)))).await;
        browser.wait("what was closed", "return document.body.innerText.includes('Final: closed ')").await;
        is_well_formed(&browser, &format!("partner-final-{width}-{scheme}"), scheme).await;
    }
    browser.end().await;
}

/// As the page of partners names it on its button.
fn last_month(_: &Running) -> String {
    let today = halotrack::domain::time::Zone::utc().day(Clock::system().now());
    today.month().plus(-1).to_string()[..7].to_owned()
}

async fn refused_where_it_is_typed(browser: &Chromium, page: &str) {
    browser.open(page).await;
    browser.click("[data-focus=new-link-main]").await;
    browser.wait("the builder", "return !!document.querySelector('dialog.builder[open] [name=to]')").await;
    browser.write(".builder [name=to]", "/sale").await;
    browser.wait("the rare fields", "document.querySelector('.builder .more-words').setAttribute('open', ''); return true").await;
    browser.write(".builder [name=affiliate]", "nobody").await;
    let told = "return document.querySelector('.builder .preview').innerText.includes('No partner has the code')";
    browser.wait("why not, while it is typed", told).await;
    browser.click(".builder button[type=submit]").await;
    let at_field = "const i = document.querySelector('.builder [name=affiliate]'); \
                    return i.getAttribute('aria-invalid') === 'true' && document.activeElement === i && /halotrack affiliate add/.test(document.querySelector('#f-affiliate-note').innerText)";
    browser.wait("refused in its field", at_field).await;
    browser.picture("partner-unknown-code").await;
    browser.press(ESCAPE).await;
    browser.wait("closed", "return !document.querySelector('dialog[open]')").await;
    let rest: Vec<String> = errors(browser).await.into_iter().filter(|e| !e.contains("422")).collect();
    assert_eq!(rest, Vec::<String>::new());
}

/// By the keyboard: the month is closed, and a new name leaves what it says.
async fn closed(browser: &Chromium, server: &Running, page: &str) {
    browser.open(page).await;
    browser
        .wait(
            "the button",
            "const b = document.querySelector('[data-focus=close-month]'); b?.focus(); return document.activeElement === b && !!b",
        )
        .await;
    browser.press(ENTER).await;
    browser.wait("yes", "const b = [...document.querySelectorAll('dialog[open] button')].find((x) => x.innerText === 'Close it'); b?.focus(); return !!b && document.activeElement === b").await;
    browser.press(ENTER).await;
    browser.wait("it is closed", "return document.querySelector('[data-focus=close-month]')?.disabled === true").await;
    let month = last_month(server);
    let name = format!(
        "return fetch('/api/sites/full/affiliates/affiliate_1/statement?month={month}').then((r) => r.json()).then((s) => [s.name, s.partner.name, s.is_final])"
    );
    let rename = "return fetch('/api/sites/full/affiliates/affiliate_1', {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({name: 'Somebody else'})}).then((r) => r.status)";
    browser.wait_for("another name", rename, json!(200)).await;
    browser.wait_for("what was closed has the old one", &name, json!(["Noor", "Somebody else", true])).await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
