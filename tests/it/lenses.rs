//! The lenses of the bar in a real browser: a filter by a part of a word, edited in its chip, kept as a segment and opened by one
//! key; a comparison of one's own; the tables by content, on a wide and a narrow screen, light and dark.

use serde_json::json;

use crate::chromium::Chromium;
use crate::pages::{LOOK, errors};
use crate::sources_page::{READY, open};
use crate::two_shops;

const FIGURES: &str = "return !!document.querySelector('.fig .v') && !document.querySelector('main[aria-busy]') && !document.querySelector('.waiting, .skeleton')";

async fn says(browser: &Chromium, what: &str, css: &str, words: &str) {
    let script = format!("return document.querySelector({})?.innerText.replaceAll('\\n', ' ').includes({})", json!(css), json!(words));
    browser.wait(what, &script).await;
}

async fn address(browser: &Chromium, what: &str, part: &str) {
    browser.wait(what, &format!("return decodeURIComponent(location.search).includes({})", json!(part))).await;
}

/// Presses the entry of the open menu that has these words.
async fn choose(browser: &Chromium, words: &str) {
    let script = format!(
        "const item = [...document.querySelectorAll('.menu [data-item]')].find((b) => b.innerText.includes({})); item.click(); return true",
        json!(words)
    );
    browser.wait(words, &script).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_filters_by_a_part_keeps_it_and_compares_with_days_of_their_own() {
    let Some(browser) = Chromium::start("").await else { return };
    let server = open("lenses");
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let page = |path: &str| format!("{}/dashboard/full/{path}", server.url());
    browser.screen(1440, 1000, "light").await;
    browser.open(&page("overview")).await;
    browser.wait("the figures", FIGURES).await;

    filter(&browser).await;
    segment(&browser).await;
    compare(&browser).await;
    // An address says all of it to whoever opens it.
    let address = browser.run("return location.href").await.as_str().expect("an address").to_owned();
    browser.open(&address).await;
    browser.wait("the figures", FIGURES).await;
    says(&browser, "the filter", ".chips", "Content contains vid").await;
    says(&browser, "the comparison", "[data-focus=compare]", "–").await;
    assert_eq!(errors(&browser).await, Vec::<String>::new());

    lock(&browser, &page("settings/sharing")).await;
    for (width, height) in [(1440, 1000), (390, 1400)] {
        for scheme in ["light", "dark"] {
            browser.screen(width, height, scheme).await;
            for (name, path) in [
                ("overview", "overview?by=content&source=~face&compare=year&align=date"),
                ("sources", "sources?by=content"),
                ("conversions", "conversions?amount=50..&campaign=!~june"),
            ] {
                let what = format!("lenses-{name}-{width}-{scheme}");
                browser.open(&page(path)).await;
                let ready = if name == "sources" {
                    READY
                } else {
                    "return !!document.querySelector('main table tbody tr, main .empty') && !document.querySelector('main[aria-busy]') && !document.querySelector('.skeleton')"
                };
                browser.wait(&what, ready).await;
                looks(&browser, &what).await;
            }
            // The form of a filter and the segments, over the page.
            let what = format!("lenses-menu-{width}-{scheme}");
            browser.open(&page("sources?source=~face")).await;
            browser.wait(&what, READY).await;
            browser.click("[data-focus='chip-source-false-part']").await;
            browser.wait("the form", "return document.activeElement?.closest('.filter') && document.activeElement.value === 'face'").await;
            looks(&browser, &what).await;
            browser.press("\u{E00C}").await;
            browser.wait("it is closed", "return !document.querySelector('.menu:popover-open')").await;
            browser.press("s").await;
            browser.wait("the segments", "return document.querySelector('.segments')?.innerText.includes('Videos')").await;
            looks(&browser, &format!("lenses-segments-{width}-{scheme}")).await;
        }
    }
    browser.end().await;
}

async fn looks(browser: &Chromium, what: &str) {
    let seen = browser.run(LOOK).await;
    browser.picture(what).await;
    assert_eq!(seen["overflow"], json!(0), "{what}: {seen}");
    assert_eq!(seen["unnamed"], json!([]), "{what}");
    assert_eq!(seen["pwned"], json!(null), "{what}");
    assert_eq!(errors(browser).await, Vec::<String>::new(), "{what}");
}

/// By keys: contains, then in the chip does not contain, Esc takes it away; and a band of amounts.
async fn filter(browser: &Chromium) {
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("f").await;
    choose(browser, "Content").await;
    browser.click(".menu [data-focus='how-false-true']").await;
    browser.write(".menu .filter input[type=text]", "VID\u{E007}").await;
    address(browser, "a part of the content", "content=~VID").await;
    says(browser, "the chip", ".chips", "Content contains VID").await;
    browser.wait("the figures", FIGURES).await;

    browser.click("[data-focus='chip-content-false-part']").await;
    browser.click(".menu [data-focus='how-true-true']").await;
    browser.click(".menu .filter button[type=submit]").await;
    address(browser, "none of it", "content=!~VID").await;
    says(browser, "the chip", ".chips", "Content does not contain VID").await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("\u{E00C}").await;
    browser.wait("nothing is filtered", "return !location.search.includes('content') && !document.querySelector('.chip')").await;

    browser.press("f").await;
    choose(browser, "Amount").await;
    browser.write(".menu input[name=from]", "50").await;
    browser.write(".menu input[name=to]", "20\u{E007}").await;
    says(browser, "what is wrong", ".menu .error", "larger").await;
    browser.write(".menu input[name=to]", "0\u{E007}").await;
    address(browser, "a band", "amount=50..200").await;
    says(browser, "the chip", ".chips", "Amount is 50 to 200").await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("\u{E00C}").await;
    browser.wait("nothing is filtered", "return !document.querySelector('.chip')").await;
}

/// Kept under a name, taken away from the view, and had again by one key.
async fn segment(browser: &Chromium) {
    browser.press("f").await;
    choose(browser, "Content").await;
    browser.click(".menu [data-focus='how-false-true']").await;
    browser.write(".menu .filter input[type=text]", "vid\u{E007}").await;
    says(browser, "the chip", ".chips", "Content contains vid").await;
    browser.click("[data-focus=keep]").await;
    browser.click(".menu [name=site]").await;
    browser.write(".menu [name=name]", "Videos\u{E007}").await;
    browser
        .wait(
            "it is kept",
            "return document.querySelector('.toast')?.innerText.includes('Videos') && !document.querySelector('.menu:popover-open')",
        )
        .await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("\u{E00C}").await;
    browser.wait("nothing is filtered", "return !document.querySelector('.chip')").await;
    browser.press("s").await;
    choose(browser, "Videos").await;
    address(browser, "the segment's filters", "content=~vid").await;
    says(browser, "the chip", ".chips", "Content contains vid").await;
    browser.wait("the figures", FIGURES).await;
}

/// A link to a part that a segment of everybody's names; one of contents cannot be locked and is not offered.
async fn lock(browser: &Chromium, page: &str) {
    let keep = "return fetch('/api/sites/full/segments', { method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Paid', filters: { channel: ['~paid'] }, scope: 'site' }) }).then((r) => r.status === 201 || r.status === 409)";
    browser.wait("a segment", keep).await;
    browser.open(page).await;
    let choose = "const select = document.querySelector('[name=dim-share]'), all = [...select.options], one = all.find((o) => o.text === 'Segment: Paid');
        if (all.some((o) => o.text.includes('Videos'))) throw new Error('it cannot be locked');
        select.value = one.value; select.dispatchEvent(new Event('change', { bubbles: true })); return select.value === one.value && one.value !== ''";
    browser.wait("the segment is chosen", choose).await;
    browser.wait("no values are asked for", "return !document.querySelector('[name=segment-share]').checkVisibility()").await;
    browser.write("[name=name]", "For the agency").await;
    browser
        .wait(
            "it is made",
            "[...document.querySelectorAll('form button[type=submit]')].find((b) => b.innerText === 'Make the link').click(); return true",
        )
        .await;
    browser.wait("what it shows", "return document.querySelector('main .rows')?.innerText.includes('Channel: with “paid” in it')").await;
    browser.picture("lenses-lock").await;
}

async fn compare(browser: &Chromium) {
    browser.click("[data-focus=compare]").await;
    choose(browser, "Days of your own").await;
    let dates = "const from = document.querySelector('[name=compare_from]'), to = document.querySelector('[name=compare_to]');
        const day = (ago) => new Date(Date.now() - ago * 864e5).toISOString().slice(0, 10);
        from.value = day(50); to.value = day(41); from.dispatchEvent(new Event('input', { bubbles: true })); return true";
    browser.wait("two days", dates).await;
    says(browser, "that they are unlike", ".menu .custom", "10 days beside 30 days").await;
    browser.picture("lenses-compare").await;
    browser.click(".menu .custom button[type=submit]").await;
    address(browser, "the days", "compare=custom").await;
    says(browser, "the bar", "[data-focus=compare]", "–").await;
    browser.wait("the figures", FIGURES).await;
    browser.picture("lenses-compared").await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("x").await;
    address(browser, "nothing", "compare=none").await;
    browser.press("x").await;
    browser.wait("the time before", "return !location.search.includes('compare')").await;
    browser.click("[data-focus=compare]").await;
    choose(browser, "Days of your own").await;
    browser.click(".menu .custom button[type=submit]").await;
    address(browser, "as many days", "compare=custom").await;
}
