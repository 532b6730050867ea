//! Leads, people and connections in a real browser: on a wide and a narrow screen, light and dark, empty and full, with
//! hostile words in all of it, and by keyboard alone.

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::pages::{LOOK, Office, PASSWORD, errors, set_up};

const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";
const RIGHT: &str = "\u{E014}";
const SHIFT: &str = "\u{E008}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_moves_leads_looks_at_people_and_connects_platforms() {
    let Some(browser) = Chromium::start("").await else { return };
    let office = Office::open().await;
    set_up(&browser, &office).await;
    looks(&browser, &office).await;
    leads_by_keyboard(&browser, &office).await;
    a_connection_from_its_form_to_its_end(&browser, &office).await;
    old_addresses(&browser, &office).await;
    a_client_looks_and_touches_nothing(&browser, &office).await;
    browser.end().await;
}

async fn looks(browser: &Chromium, office: &Office) {
    for (site, page, ready) in [
        ("full", "leads", "main .card"),
        ("full", "leads/lead_1", "dialog[open] .way"),
        ("full", "people", "main tr[data-id]"),
        ("full", "people/contact_1", "main .tl li"),
        ("full", "connections", "main .cc"),
        ("full", "connections/con_2", "main .choices"),
        ("full", "connections/+meta", "main form .in"),
        ("empty", "leads", "main .empty"),
        ("empty", "people", "main .empty"),
        ("empty", "connections", "main .offer li"),
        ("empty", "connections/con_1", "main .empty"),
    ] {
        for (width, height) in [(1440, 900), (390, 844)] {
            for scheme in ["light", "dark"] {
                let what = format!("{site} {page} at {width} px, {scheme}");
                browser.screen(width, height, scheme).await;
                browser.open(&office.page(&format!("/dashboard/{site}/{page}"))).await;
                browser.wait(&what, &format!("return !!document.querySelector('{ready}')")).await;
                let seen = browser.run(LOOK).await;
                browser.picture(&what).await;
                assert_eq!(seen["overflow"], json!(0), "{what}: the page is wider than the screen: {}", seen["wide"]);
                let spilt = "return [...document.querySelectorAll('.stage > *, .card > *')].filter((x) => x.getBoundingClientRect().right > x.parentElement.getBoundingClientRect().right + 1).length";
                assert_eq!(browser.run(spilt).await, json!(0), "{what}: a lead is wider than its column");
                assert_eq!(seen["unnamed"], json!([]), "{what}: controls without a name");
                assert_eq!(seen["h1"], json!(1), "{what}: one heading of the page");
                let light = seen["light"].as_f64().expect("a number");
                assert!(if scheme == "dark" { light < 90.0 } else { light > 180.0 }, "{what}: the background is {light}");
                assert_eq!(seen["pwned"], Value::Null, "{what}: a stranger's words ran");
                assert_eq!(seen["inline"], json!([]), "{what}: a stranger's words became markup");
                assert_eq!(errors(browser).await, Vec::<String>::new(), "{what}");
            }
        }
    }
    browser.screen(1440, 900, "light").await;
}

async fn leads_by_keyboard(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/full/leads")).await;
    browser.wait("the board", "return document.querySelectorAll('.card').length > 3").await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("j").await;
    let id = browser.run("return document.activeElement.closest('[data-lead]')?.dataset.lead").await;
    assert!(id.is_string(), "the first lead has the focus");
    let in_stage = |stage: &str| format!("return !!document.querySelector('[data-stage=\"{stage}\"] [data-lead={id}] .open:focus')");
    browser.press(format!("{SHIFT}{RIGHT}").as_str()).await;
    browser.wait("contacted", &in_stage("contacted")).await;
    browser.press(format!("{SHIFT}{RIGHT}").as_str()).await;
    browser.wait("qualified, and the focus with it", &in_stage("qualified")).await;
    browser.wait("who is told", "return document.querySelector('.toast')?.innerText.includes('Told: Webhook')").await;
    // By the menu.
    browser.press("m").await;
    browser.wait("the menu", "return !!document.querySelector('.menu [data-item]:focus')").await;
    browser.press(ESCAPE).await;
    // Opened: the stages, the way it went, and back to the card.
    browser.wait("the focus", &format!("document.querySelector('[data-lead={id}] .open').focus(); return true")).await;
    browser.press(ENTER).await;
    browser.wait("the lead", "return document.querySelectorAll('dialog[open] .way li').length === 3").await;
    browser.run("document.querySelector('dialog[open] [name=value]').value = ''; return true").await;
    browser.write("dialog[open] [name=value]", &format!("1200.5{ENTER}")).await;
    browser.wait("the value", "return /1,200.50/.test(document.querySelector('dialog[open] .way')?.innerText)").await;
    browser.press(ESCAPE).await;
    browser.wait("the board again", "return !document.querySelector('dialog[open]') && location.pathname.endsWith('/leads')").await;
    browser.wait("the focus where it was", &in_stage("qualified")).await;
    // A sale without a value asks for one, in the field that has the focus.
    browser.wait("the focus", &format!("document.querySelector('[data-lead={id}] .open').focus(); return true")).await;
    browser.press(ENTER).await;
    browser.wait("the value's field", "return !!document.querySelector('dialog[open] [name=value]')").await;
    browser.run("document.querySelector('dialog[open] [name=value]').value = ''; return true").await;
    browser.write("dialog[open] [name=value]", ENTER).await;
    browser.wait("no value", "return document.querySelectorAll('dialog[open] .way li').length === 5").await;
    browser.press(ESCAPE).await;
    browser.wait("the card without a value", &format!("return document.querySelector('[data-lead={id}] .v')?.innerText === '–'")).await;
    browser.wait("the focus", &format!("document.querySelector('[data-lead={id}] .open').focus(); return true")).await;
    browser.press(format!("{SHIFT}{RIGHT}").as_str()).await;
    browser.wait("the question", "return document.activeElement.name === 'worth'").await;
    browser.press(format!("99,50{ENTER}").as_str()).await;
    browser.wait("won", &in_stage("won")).await;
    browser.wait_for("what is shown", &format!("return document.querySelector('[data-lead={id}] .v').innerText"), json!("$99.50")).await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
    // Dragging.
    let drag = r#"
const card = document.querySelector('[data-stage=new] .card'), to = document.querySelector('[data-stage=lost]'), data = new DataTransfer();
for (const [el, name] of [[card, 'dragstart'], [to, 'dragover'], [to, 'drop']]) el.dispatchEvent(new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: data }));
return card.dataset.lead;
"#;
    let dragged = browser.run(drag).await;
    browser.wait("lost", &format!("return !!document.querySelector('[data-stage=lost] [data-lead={dragged}]')")).await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

async fn a_connection_from_its_form_to_its_end(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/empty/connections")).await;
    browser.click("a[href$='%2Bwebhook']").await;
    browser.wait("the form has the focus", "return document.activeElement.name === 'url'").await;
    browser.press(ENTER).await;
    browser.wait("what is missing", "return document.activeElement.getAttribute('aria-invalid') === 'true'").await;
    browser.press(format!("http://127.0.0.1:9/hook{ENTER}").as_str()).await;
    browser.wait("what is done", "return document.querySelector('.cx-progress')?.innerText.includes('The configuration is saved.')").await;
    browser.wait("the secret, this once", "return /whsec_/.test(document.querySelector('main').innerText)").await;
    browser.picture("connected").await;
    browser.click("main .acts .btn.main").await;
    browser.wait("the card", "return document.querySelector('[data-status=ok]')?.innerText.includes('Active')").await;
    assert_eq!(browser.run("return /whsec_/.test(document.body.innerText)").await, json!(false));
    browser.click("main .cc h3 a").await;
    browser.wait("its page", "return !!document.querySelector('main .choices')").await;
    browser.click("main header .r .btn").await;
    browser.wait("a look at it", "return document.querySelector('main').innerText.includes('It is ready.')").await;
    browser.click("main .choices label:nth-of-type(2)").await;
    browser.wait("test mode", "return document.querySelector('.toast')?.innerText.includes('test')").await;
    browser.wait("chosen", "return document.querySelector('main [name=mode][value=test]')?.checked").await;
    browser.run("const url = document.querySelector('main [name=url]'); url.value = ''; return true").await;
    browser.write("main [name=url]", &format!("http://127.0.0.1:9/two{ENTER}")).await;
    browser.wait("saved", "return document.querySelector('.toast')?.innerText === 'Saved.'").await;
    browser.wait("the new address", "return document.querySelector('main [name=url]')?.value.endsWith('/two')").await;
    browser.click("main .btn.danger").await;
    browser.wait("a question", "return document.querySelector('dialog[open]')?.innerText.includes('Nothing waits for it.')").await;
    browser.click("dialog[open] .btn.danger").await;
    browser.wait("nothing again", "return !!document.querySelector('main .empty') && location.pathname.endsWith('/connections')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// Addresses that the older documents print.
async fn old_addresses(browser: &Chromium, office: &Office) {
    for (path, name) in [("/dashboard/integrations/woocommerce/configure", "WooCommerce"), ("/dashboard/integrations/shopify", "Shopify")] {
        browser.open(&office.page(path)).await;
        let there =
            format!("return location.pathname.includes('/connections/') && document.querySelector('main')?.innerText.includes('{name}')");
        browser.wait(name, &there).await;
        browser.picture(name).await;
        assert_eq!(errors(browser).await, Vec::<String>::new(), "{path}");
    }
    browser.open(&office.page("/dashboard")).await;
    browser.wait("a page", "return document.querySelectorAll('main h1').length === 1").await;
}

/// People are masked, addresses and keys are not there, and nothing can be moved.
async fn a_client_looks_and_touches_nothing(browser: &Chromium, office: &Office) {
    let invited = office.server.cli(&["user", "add", "--email", "client@mail.example", "--role", "client", "--site", "full"]);
    browser.forget().await;
    browser.open(invited["link"].as_str().expect("a link")).await;
    browser.write("input[name=password]", &format!("{PASSWORD}{ENTER}")).await;
    browser.wait("the dashboard", "return location.pathname.startsWith('/dashboard/full')").await;
    errors(browser).await;
    for (page, ready, never) in [
        ("leads", ".card", "[draggable], .card .btn, .lead-keys:not([hidden])"),
        ("leads/lead_1", "dialog[open] .way", "dialog[open] .stages, dialog[open] input"),
        ("people/contact_1", ".tl li", ".up a"),
        ("connections", ".cc", ".cc .code, .cc .btn, .offer .btn"),
        ("connections/con_2", ".cx fieldset:disabled", ".cx .code, .cx form, .cx .btn"),
        ("connections/+meta", ".cx-body", ".cx form"),
    ] {
        browser.open(&office.page(&format!("/dashboard/full/{page}"))).await;
        browser.wait(page, &format!("return !!document.querySelector('{ready}')")).await;
        let found = browser.run(&format!("return document.querySelector('{never}')?.outerHTML ?? null")).await;
        assert_eq!(found, Value::Null, "{page} to a client");
        let text = browser.run("return document.body.innerText").await;
        let text = text.as_str().unwrap_or_default();
        assert!(!text.contains("person0@") && !text.contains("/in/forms/"), "{page} to a client: {text}");
        assert_eq!(errors(browser).await, Vec::<String>::new(), "{page}");
    }
    browser.picture("a client").await;
}
