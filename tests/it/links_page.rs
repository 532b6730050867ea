//! The page of short links: empty and full, wide and narrow, light and dark; a link built with its preview and its warning,
//! copied, shown as a square code, found again, named and ended, with hostile words in all that can be typed.

use serde_json::json;

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::pages::{errors, is_well_formed};
use crate::running::Running;
use crate::two_shops;

const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";

fn open() -> Running {
    let (server, token) = two_shops::open("links_page");
    server.cli(&["affiliate", "add", "--site", "full", "--code", "ANN10", "--name", "Ann", "--commission", "10%"]);
    let long = "a_campaign_with_a_name_that_somebody_wrote_without_an_end_in_sight_2026";
    for (n, (source, medium, campaign, label)) in [
        ("instagram", "social", "spring-sale", Some("Story on Friday")),
        ("newsletter", "email", "june", None),
        ("poster", "print", long, Some(HOSTILE)),
        (HOSTILE, HOSTILE, HOSTILE, None),
        ("partner", "referral", "spring-sale", Some("Ann’s blog, the article on winter gloves, and all that stands below it")),
    ]
    .into_iter()
    .enumerate()
    {
        let wish = json!({"to": format!("https://full.example/page-{n}"), "utm_source": source, "utm_medium": medium, "utm_campaign": campaign,
            "label": label, "affiliate": if n == 4 { Some("ANN10") } else { None }});
        let made = two_shops::tell(&server, &token, "/api/sites/full/links", &wish);
        let path = format!("/l/{}", made["code"].as_str().expect("a code"));
        for click in 0..(n * 6) {
            let referrer = format!("https://site{}.example/page", click % 3);
            let headers = [("user-agent", CHROME), ("referer", referrer.as_str())];
            let went = server.get(&path, &headers).expect("an answer");
            assert_eq!(went.status, 302, "{}", went.text);
        }
        for _ in 0..n {
            assert_eq!(server.get(&path, &[("user-agent", "curl/8.5.0")]).expect("an answer").status, 302);
        }
    }
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_builds_a_link_and_sees_what_came_of_it() {
    let Some(browser) = Chromium::start("").await else { return };
    let server = open();
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let page = |path: &str| format!("{}/dashboard/{path}", server.url());
    for site in ["full", "empty"] {
        for (width, height) in [(1440, 900), (390, 844)] {
            for scheme in ["light", "dark"] {
                let what = format!("links-{site}-{width}-{scheme}");
                browser.screen(width, height, scheme).await;
                browser.open(&page(&format!("{site}/links"))).await;
                let ready = match site {
                    "full" => "return document.querySelectorAll('.t-links tr[data-id]').length === 5",
                    _ => "return !!document.querySelector('.empty')",
                };
                browser.wait(&what, ready).await;
                is_well_formed(&browser, &what, scheme).await;
                if site == "full" {
                    browser.open(&page("full/links/link_5")).await;
                    browser
                        .wait(&what, "return !!document.querySelector('dialog[open] .qr') && !!document.querySelector('.day-bars')")
                        .await;
                    is_well_formed(&browser, &format!("{what}-one"), scheme).await;
                    browser.press("\u{E00C}").await;
                    browser.wait("closed", "return !document.querySelector('dialog[open]')").await;
                }
                browser.click("[data-focus^=new-link]").await;
                browser.wait(&what, "return !!document.querySelector('dialog.builder[open] [name=to]')").await;
                is_well_formed(&browser, &format!("{what}-new"), scheme).await;
            }
        }
    }
    browser.screen(1440, 900, "light").await;
    build(&browser, &page("full/links")).await;
    one(&browser, &page("full/links")).await;
    browser.end().await;
}

async fn build(browser: &Chromium, page: &str) {
    browser.open(page).await;
    browser.wait("the links", "return document.querySelectorAll('.t-links tr[data-id]').length === 5").await;
    browser.click("[data-focus=new-link-main]").await;
    // Nothing to lead to: it is said in its field.
    browser.click(".builder button[type=submit]").await;
    browser.wait("what is missing", "return document.querySelector('.builder [name=to]').getAttribute('aria-invalid') === 'true'").await;
    browser.write(".builder [name=to]", "https://evil.example/x").await;
    browser.wait("why not", "return document.querySelector('.builder .preview').innerText.includes('full.example')").await;
    browser.click(".builder button[type=submit]").await;
    browser.wait("refused in its field", "return /full\\.example/.test(document.querySelector('#f-to-note').innerText)").await;
    browser.wait("empty", "const i = document.querySelector('.builder [name=to]'); i.value = ''; i.focus(); return true").await;
    browser.write(".builder [name=to]", "/sale#top").await;
    browser.write(".builder [name=utm_source]", "Instagramm").await;
    browser
        .wait(
            "the address as it will be",
            "return document.querySelector('.builder .to')?.innerText === 'https://full.example/sale?utm_source=Instagramm#top'",
        )
        .await;
    // A spelling of a known word: asked about, and mended with a press.
    browser.wait("a doubt", "return document.querySelector('.builder .doubt b')?.innerText === 'instagram'").await;
    browser.picture("links-doubt").await;
    browser.click(".builder .doubt button").await;
    browser
        .wait(
            "mended",
            "return document.querySelector('.builder .to')?.innerText === 'https://full.example/sale?utm_source=instagram#top' && !document.querySelector('.builder .doubt b')",
        )
        .await;
    let offered = "return [...document.querySelectorAll('#known-utm_source option')].map((o) => o.value).includes('newsletter')";
    browser.wait("known words are offered", offered).await;
    // The words are kept under a name, and fill in the next link.
    browser.click(".builder .keep summary").await;
    browser.write(".builder [name=template_name]", HOSTILE).await;
    browser.click(".builder .keep .btn").await;
    browser.wait("it is kept", "return document.querySelector('.builder .keep p')?.innerText.includes('is kept')").await;
    browser.wait("it can be chosen", "return document.querySelectorAll('.builder [name=template] option').length === 2").await;
    browser.picture("links-template").await;
    browser.write(".builder [name=label]", "In the shop window").await;
    browser.click(".builder button[type=submit]").await;
    browser.wait("it is made", "return !!document.querySelector('.builder .made .qr')").await;
    browser.picture("links-made").await;
    browser.wait("its address", "return /\\/l\\/[A-Za-z0-9]{7}$/.test(document.querySelector('.builder .code code').innerText)").await;
    // The file for print is a picture of its own: lines on white.
    let file = browser
        .run(
            "const text = []; const own = URL.createObjectURL; URL.createObjectURL = (blob) => { window.kept = blob; return own(blob); };
             document.querySelector('.builder .qr-box button').click(); URL.createObjectURL = own; return window.kept.text()",
        )
        .await;
    let file = file.as_str().expect("a file");
    assert!(
        file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && file.contains("fill=\"#fff\"") && file.contains("<path"),
        "{file}"
    );
    browser.press("\u{E00C}").await;
    browser
        .wait(
            "it stands in the list",
            "return document.querySelector('.t-links tr[data-id=link_6] .open')?.innerText.includes('In the shop window') && !document.querySelector('dialog[open]')",
        )
        .await;
    browser.click("[data-focus=new-link-main]").await;
    let choose = "const s = document.querySelector('.builder [name=template]'); if (s?.options.length !== 2) return false;
        s.selectedIndex = 1; s.dispatchEvent(new Event('change', {bubbles: true})); return true";
    browser.wait("the template", choose).await;
    browser
        .wait(
            "its words are filled in",
            "return document.querySelector('.builder [name=utm_source]').value === 'instagram' && document.querySelector('.builder [name=to]').value === '/sale#top'",
        )
        .await;
    browser.click(".builder .templates .btn").await;
    browser.wait("it is gone", "return document.querySelector('.builder .templates').hidden").await;
    browser.press("\u{E00C}").await;
    browser.wait("closed", "return !document.querySelector('dialog[open]')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

async fn one(browser: &Chromium, page: &str) {
    browser.open(page).await;
    browser.wait("the links", "return document.querySelectorAll('.t-links tr[data-id]').length === 6").await;
    // Copying does not open the row; the row does, by key, and goes back to where it was.
    browser.wait("copied", "document.querySelector('tr[data-id=link_2] .copy-cell button').click(); return true").await;
    browser.wait("still the list", "return !document.querySelector('dialog[open]')").await;
    browser.wait("nothing has the focus", "document.activeElement?.blur(); return document.activeElement === document.body").await;
    browser.press("j").await;
    browser.wait("a row has the focus", "return !!document.activeElement.closest('tr[data-id=link_6]')").await;
    browser.press("\u{E007}").await;
    browser.wait("the link", "return location.pathname.endsWith('/link_6') && !!document.querySelector('dialog[open] [name=label]')").await;
    browser.wait("its name", "const i = document.querySelector('dialog [name=label]'); i.value = 'Window'; return true").await;
    browser.click("dialog[open] form button[type=submit]").await;
    browser.wait("the new name", "return document.querySelector('tr[data-id=link_6] .open').innerText.includes('Window')").await;
    browser.wait("drawn anew", "return document.querySelector('dialog[open] header h2')?.innerText === 'Window'").await;
    browser.click("dialog[open] .rc-foot .danger").await;
    browser.click("dialog.small[open] .btn.danger").await;
    browser
        .wait(
            "ended",
            "return !!document.querySelector('tr[data-id=link_6] .tag.box') && !!document.querySelector('dialog[open] .note.warn')",
        )
        .await;
    browser.press("\u{E00C}").await;
    browser.wait("the list again", "return !document.querySelector('dialog[open]') && location.pathname.endsWith('/links')").await;
    browser.write("[data-search]", "blog").await;
    browser.wait("the one", "return document.querySelectorAll('.t-links tr[data-id]').length === 1").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
