//! The page of runs: empty and full, wide and narrow, light and dark; a schedule changed in place with what would come shown
//! before it is saved, a list read by hand, watched and stopped, and what it brought.

use serde_json::json;

use crate::chromium::Chromium;
use crate::pages::{errors, is_well_formed};
use crate::running::Running;
use crate::stand_in::Answer;
use crate::two_shops;
use crate::woo_shop::{KEY, SECRET, WooShop};

const ESCAPE: &str = "\u{E00C}";
const ENTER: &str = "\u{E007}";

fn now() -> halotrack::domain::time::Time {
    halotrack::clock::Clock::system().now()
}

/// `full` has a shop whose list has been read.
fn open(shop: &WooShop) -> Running {
    for n in 0..3 {
        shop.books().place(now().plus_ms(-(n + 2) * 86_400_000), "30.00", json!({}));
    }
    let (server, _) = two_shops::open_with("runs_page", |server| server.with_env("HALOTRACK_OUTBOUND_ALLOW", "127.0.0.0/8"));
    let set = [format!("url={}", shop.url()), format!("consumer_key={KEY}"), format!("consumer_secret={SECRET}")];
    let mut words = vec!["connection", "add", "--site", "full", "--platform", "woocommerce"];
    set.iter().for_each(|one| words.extend(["--set", one]));
    server.cli(&words);
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_sees_what_is_read_and_says_when() {
    let Some(browser) = Chromium::start("").await else { return };
    let shop = WooShop::start().await;
    let server = open(&shop);
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let page = |site: &str| format!("{}/dashboard/{site}/runs", server.url());
    for site in ["full", "empty"] {
        for (width, height) in [(1440, 900), (390, 844)] {
            for scheme in ["light", "dark"] {
                let what = format!("runs-{site}-{width}-{scheme}");
                browser.screen(width, height, scheme).await;
                browser.open(&page(site)).await;
                let ready = match site {
                    "full" => {
                        "return !!document.querySelector('.t-runs tr[data-id=run_1]') && !!document.querySelector('.plan-line .st.ok')"
                    }
                    _ => "return document.querySelectorAll('.empty').length === 2",
                };
                browser.wait(&what, ready).await;
                is_well_formed(&browser, &what, scheme).await;
                if site == "full" {
                    browser.click("[data-focus=plan-con_1]").await;
                    browser.wait("what comes", "return document.querySelectorAll('.plan-next b').length === 3").await;
                    is_well_formed(&browser, &format!("{what}-form"), scheme).await;
                    browser.open(&format!("{}/run_1", page(site))).await;
                    browser.wait("one of them", "return !!document.querySelector('dialog[open] .rc-line')").await;
                    is_well_formed(&browser, &format!("{what}-one"), scheme).await;
                }
            }
        }
    }
    browser.screen(1440, 900, "light").await;
    says_when(&browser, &page("full")).await;
    reads_and_stops(&browser, &shop).await;
    browser.end().await;
}

/// As somebody who chooses from a list.
fn choose(name: &str, value: &str) -> String {
    format!(
        "const i = document.querySelector('.plan-form [name={name}]'); i.value = {}; i.dispatchEvent(new Event('input', {{ bubbles: true }})); return true",
        json!(value)
    )
}

async fn says_when(browser: &Chromium, page: &str) {
    browser.open(page).await;
    browser.click("[data-focus=plan-con_1]").await;
    browser.wait("the form has the focus", "return document.activeElement?.name === 'kind'").await;
    browser.run(&choose("kind", "daily")).await;
    browser.run(&choose("time", "07:15")).await;
    let coming = "return [...document.querySelectorAll('.plan-next b')].filter((b) => b.innerText.endsWith('07:15')).length === 3";
    browser.wait("three mornings", coming).await;
    browser.click(".plan-form button[type=submit]").await;
    browser
        .wait(
            "it is set, and the focus is where it was",
            "return !document.querySelector('.plan-form') && document.querySelector('.plan-name').innerText.includes('every day at 07:15')
               && document.activeElement?.dataset.focus === 'plan-con_1'",
        )
        .await;
    // What cannot be is said in its field, and nothing is changed.
    browser.press(ENTER).await;
    browser.wait("the form as it is set", "return document.querySelector('.plan-form [name=time]')?.value === '07:15'").await;
    browser.run(&choose("kind", "own")).await;
    browser.run(&choose("schedule", "15 7 *")).await;
    browser.wait("why not", "return document.querySelector('#f-schedule-note').innerText.includes('five fields')").await;
    browser.click(".plan-form button[type=submit]").await;
    browser.wait("the focus is in it", "return document.activeElement?.name === 'schedule'").await;
    browser.press(ESCAPE).await;
    browser
        .wait(
            "closed",
            "return !document.querySelector('.plan-form') && document.querySelector('.plan-name').innerText.includes('every day at 07:15')",
        )
        .await;
    // A refused request is written to the browser's log; the page has said it.
    browser.log().await;
}

async fn reads_and_stops(browser: &Chromium, shop: &WooShop) {
    {
        let mut books = shop.books();
        for n in 0..250 {
            books.place(now().plus_ms((n - 250) * 60_000), "10.00", json!({}));
        }
        books.meanwhile.push_back(Box::new(|books| books.instead.push_back(Answer::text(429, "slow").with("retry-after", "3600"))));
    }
    browser.click("[data-focus=read-con_1]").await;
    browser
        .wait("it is read, and waits", "return document.querySelector('.plan .run-progress')?.innerText.includes('100 records in 1 page')")
        .await;
    browser.picture("runs-under-way").await;
    browser.click("[data-focus=stop-con_1]").await;
    browser.click("dialog.small[open] .btn.main").await;
    browser.wait("stopped", "return document.querySelector('tr[data-id=run_2] .c-status')?.innerText.includes('stopped')").await;
    browser.wait("it may be read again", "return !!document.querySelector('[data-focus=read-con_1]')").await;
    browser.wait("nothing has the focus", "document.activeElement?.blur(); return document.activeElement === document.body").await;
    browser.press("j").await;
    browser.wait("a row has the focus", "return !!document.activeElement.closest('tr[data-id=run_2]')").await;
    browser.press(ENTER).await;
    browser
        .wait(
            "what it brought",
            "return location.pathname.endsWith('/run_2') && document.querySelector('dialog[open] .run-said')?.innerText.includes('goes on from there')",
        )
        .await;
    browser.picture("runs-stopped").await;
    browser.click("dialog[open] [data-focus=run-again]").await;
    browser.wait("the rest", "return /^15[01]$/.test(document.querySelector('tr[data-id=run_3] .c-new')?.innerText.trim())").await;
    browser.press(ESCAPE).await;
    browser.wait("the list", "return !document.querySelector('dialog[open]')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
