//! The funnels in a real browser: who booked and came, who is in a bar and what their line is; a funnel named in place,
//! changed and taken away; on a wide and a narrow screen, light and dark, full and empty.

use halotrack::clock::Clock;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::pages::{LOOK, errors};
use crate::running::Running;
use crate::two_shops::{open, sign_up, tell};

const ENTER: &str = "\u{E007}";
const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";
const DRAWN: &str = "return !!document.querySelector('main :is(.fb-bar, .empty)') && !document.querySelector('.skeleton, main[aria-busy]')";

fn ago(hours: i64) -> String {
    Clock::system().now().plus_ms(-hours * 3_600_000).utc()
}

/// Twelve who booked: seven came, four of those bought, one sent it back; two did not come, one is not heard of, one called
/// off, one is still to come.
fn fill(server: &Running, token: &str) {
    let step = |n: i64, source: &str, kind: &str, hours: i64, starts: Option<i64>| {
        let data = starts.map_or(json!({}), |hours| json!({"starts_at": ago(hours), "topic": HOSTILE}));
        let body = json!({"source_type": source, "event_type": kind, "email": format!("p{n}@mail.example"), "event_timestamp": ago(hours),
            "event_data": data});
        tell(server, token, "/funnel/event", &body);
    };
    for n in 0..12 {
        let source = ["google", "facebook", HOSTILE][(n % 3) as usize];
        let touch = json!({"landing": if n % 2 == 0 { "/start" } else { "/pricing?a=1" }, "at": ago(220), "user_agent": CHROME,
            "utm_source": source, "utm_medium": "cpc", "utm_campaign": "Spring"});
        let session = tell(server, token, "/api/touch", &touch)["session_id"].clone();
        let lead =
            json!({"lead_id": format!("L-{n}"), "email": format!("p{n}@mail.example"), "session_id": session, "created_at": ago(219)});
        tell(server, token, "/api/webhook/lead", &lead);
        let starts = if n == 11 { -30 } else { 120 };
        step(n, "easyappointments", "appointment_booked", 200 - n, Some(starts));
        match n {
            0..7 => step(n, "zoom", "event_attended", 119, None),
            7 | 8 => step(n, "easyappointments", "appointment_no_show", 118, None),
            9 => step(n, "easyappointments", "appointment_cancelled", 150, None),
            _ => {}
        }
        if n < 4 {
            let order = |status: &str| {
                json!({"order_id": format!("n{n}"), "total": "50.00", "currency": "EUR", "email": format!("p{n}@mail.example"),
                    "created_at": ago(90), "updated_at": ago(if status == "paid" { 90 } else { 80 }), "status": status})
            };
            tell(server, token, "/api/webhook/order", &order("paid"));
            if n == 0 {
                tell(server, token, "/api/webhook/order", &order("refunded"));
            }
        }
    }
    let spend = json!({"day": ago(100)[..10], "source": "google", "medium": "cpc", "campaign": "Spring", "amount": "60.00"});
    tell(server, token, "/api/sites/full/spend", &spend);
}

async fn texts(browser: &Chromium, what: &str, css: &str, want: Value) {
    let script = format!("return [...document.querySelectorAll({})].map((x) => x.innerText.trim())", json!(css));
    browser.wait_for(what, &script, want).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_sees_who_came_and_names_a_funnel() {
    let Some(browser) = Chromium::start("").await else { return };
    let (server, token) = open("funnels-page");
    fill(&server, &token);
    sign_up(&browser, &server).await;
    errors(&browser).await;
    browser.screen(1440, 1000, "light").await;
    browser.open(&format!("{}/dashboard/full/funnels", server.url())).await;
    came(&browser).await;
    named(&browser).await;
    // Where nobody booked, what the owner has named comes first.
    browser.open(&format!("{}/dashboard/full/funnels?source=nobody", server.url())).await;
    let own_first = "const none = [...document.querySelectorAll('main .empty')].find((e) => e.innerText.includes('Nobody booked')); \
                     return !!none && !!(document.querySelector('[aria-label=\"Your own funnels\"]').compareDocumentPosition(none) & 4)";
    browser.wait("the own funnels", own_first).await;
    assert_eq!(errors(&browser).await, Vec::<String>::new());
    looked_at(&browser, &server).await;
    browser.end().await;
}

async fn came(browser: &Chromium) {
    browser.wait("the bars", DRAWN).await;
    let bars = "[aria-label='The show-up funnel'] .fb-people";
    texts(browser, "how many", bars, json!(["12", "12", "7", "4", "1"])).await;
    texts(
        browser,
        "what lies between",
        "[aria-label='The show-up funnel'] .fb-left",
        json!(["2 did not come", "1 nobody said", "1 cancelled", "1 still to come", "3 came and bought nothing"]),
    )
    .await;
    texts(browser, "by source", ".t-funnel tbody tr:first-child td:nth-child(2)", json!(["4"])).await;
    browser.wait("what it cost", "return document.querySelector('.t-funnel').innerText.includes('€20.00')").await;

    // Who is behind it: a list on the side, in the address; a row opens the line of that person.
    browser.click("[data-focus='no_show']").await;
    browser.wait("the address", "return location.pathname.endsWith('/funnels/show-up.no_show')").await;
    browser.wait_for("two people", "return document.querySelectorAll('.dialog .fp-row').length", json!(2)).await;
    browser.click(".dialog .fp-row").await;
    browser
        .wait(
            "the line",
            "const t = document.querySelector('.dialog .fp-line')?.innerText ?? ''; return t.includes('Visited') && t.includes('Asked') && t.includes('Booked an appointment') && t.includes('Did not come')",
        )
        .await;
    browser.picture("funnels people").await;
    browser.click(".dialog .close").await;
    browser.wait("it is closed", "return !document.querySelector('dialog[open]') && location.pathname.endsWith('/funnels')").await;
    browser.wait_for("the focus", "return document.activeElement?.dataset.focus", json!("no_show")).await;

    // The same as a table; another dimension; a row is a filter.
    browser.click(".fb-more button").await;
    browser.wait("the table", "return document.querySelector('.fb-twin:not([hidden]) tbody')?.rows.length === 5").await;
    browser.click("[data-focus='by-channel']").await;
    browser
        .wait(
            "channels",
            "return location.search.includes('by=channel') && document.querySelector('.t-funnel')?.innerText.includes('Paid')",
        )
        .await;
    browser.click("[data-focus='by-source']").await;
    browser.wait("a filter", "[...document.querySelectorAll('.t-funnel tbody .cell')].find((b) => b.innerText === 'facebook').click(); return location.search.includes('source=facebook')").await;
    texts(browser, "of facebook alone", bars, json!(["4", "4", "2", "1"])).await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("\u{E00C}").await;
    browser.wait("nothing is filtered", "return !location.search.includes('source=')").await;
    texts(browser, "all again", bars, json!(["12", "12", "7", "4", "1"])).await;
}

async fn named(browser: &Chromium) {
    browser.click(".own-funnel .empty .btn").await;
    browser.click(".ff button[type=submit]").await;
    browser.wait("what is missing", "return document.querySelector('#f-name-note')?.classList.contains('err')").await;
    browser.write(".ff [name=name]", HOSTILE).await;
    // The page, then the lead, then came, then an order.
    browser.wait("an empty page", "const i = document.querySelector('.ff-steps li:first-child input'); i.value = ''; return true").await;
    browser.write(".ff-steps li:first-child input", "/pric*").await;
    let choose = "const s = document.querySelector('.ff-steps li:nth-child(3) select'); s.value = 'milestone'; s.dispatchEvent(new Event('change', { bubbles: true })); return true";
    browser.wait("another kind", choose).await;
    let which = "const s = document.querySelectorAll('.ff-steps li:nth-child(3) select')[1]; s.value = 'event_attended'; s.dispatchEvent(new Event('change', { bubbles: true })); return true";
    browser.wait("attended", which).await;
    browser.picture("funnels builder").await;
    browser.click(".ff button[type=submit]").await;
    let bars = "[aria-label='Your funnel'] .fb-people";
    texts(browser, "the steps", bars, json!(["6", "6", "3"])).await;
    browser.wait("the address", "return location.search.includes('show=funnel_1')").await;
    // A drop, by keyboard.
    browser
        .wait(
            "the drop",
            "const b = document.querySelector('[aria-label=\"Your funnel\"] .fb-left'); b.focus(); return document.activeElement === b",
        )
        .await;
    browser.press(ENTER).await;
    browser.wait_for("three people", "return document.querySelectorAll('.dialog .fp-row').length", json!(3)).await;
    browser.press("\u{E00C}").await;
    browser.wait("it is closed", "return !document.querySelector('dialog[open]')").await;
    // Changed in place: one right after the other.
    browser.click("[data-focus='change']").await;
    browser.click(".ff [value=strict]").await;
    browser.click(".ff button[type=submit]").await;
    browser.wait("the rule", "return document.querySelector('.own-head')?.innerText.includes('One right after the other')").await;
    texts(browser, "the same people", bars, json!(["6", "6", "3"])).await;
    browser.click("[data-focus='add']").await;
    browser.write(".ff [name=name]", "Other").await;
    browser.click(".ff button[type=submit]").await;
    texts(browser, "two of them", "[aria-label='Your funnels'] button", json!([HOSTILE, "Other"])).await;
    texts(browser, "its steps", bars, json!(["0", "0", "0"])).await;
    browser.click("[data-focus='change']").await;
    browser.click(".ff .danger").await;
    browser.click("dialog .danger").await;
    texts(browser, "one is left", "[aria-label='Your funnels'] button", json!([HOSTILE])).await;
    texts(browser, "its steps again", bars, json!(["6", "6", "3"])).await;
}

async fn looked_at(browser: &Chromium, server: &Running) {
    for (width, height) in [(1440, 1700), (390, 3000)] {
        for scheme in ["light", "dark"] {
            browser.screen(width, height, scheme).await;
            for (name, path) in [("full", "full/funnels"), ("empty", "empty/funnels")] {
                let what = format!("funnels {name} {width} {scheme}");
                browser.open(&format!("{}/dashboard/{path}", server.url())).await;
                browser.wait(&what, DRAWN).await;
                let seen = browser.run(LOOK).await;
                browser.picture(&what).await;
                assert_eq!(seen["overflow"], json!(0), "{what}: {seen}");
                assert_eq!((&seen["unnamed"], &seen["inline"], &seen["pwned"]), (&json!([]), &json!([]), &Value::Null), "{what}");
                assert_eq!(errors(browser).await, Vec::<String>::new(), "{what}");
            }
        }
    }
}
