//! Connecting AnyTrack on screen: the form with its warning, then the address with a command that tries it, on a wide and a
//! narrow screen, light and dark.

use serde_json::json;

use crate::chromium::Chromium;
use crate::pages::{LOOK, errors};
use crate::two_shops;

/// The address of the hook, alone in its box.
const ADDRESS: &str = "[...document.querySelectorAll('.code code')].map((c) => c.textContent).find((t) => /^https?:\\/\\/[^ ]+\\/in\\/anytrack\\/[^ ]+$/.test(t))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_connects_anytrack() {
    let Some(browser) = Chromium::start("").await else { return };
    let (server, _) = two_shops::open("anytrack_page");
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let form = format!("{}/dashboard/full/connections/+anytrack", server.url());
    let shown = |what: &'static str| {
        let browser = &browser;
        async move {
            let seen = browser.run(LOOK).await;
            browser.picture(what).await;
            assert_eq!(seen["overflow"], json!(0), "{what}: {seen}");
            assert_eq!(seen["unnamed"], json!([]), "{what}");
            assert_eq!(errors(browser).await, Vec::<String>::new(), "{what}");
        }
    };
    for (what, width, height, scheme) in [
        ("anytrack-form-1440-light", 1440, 1300, "light"),
        ("anytrack-form-1440-dark", 1440, 1300, "dark"),
        ("anytrack-form-390-light", 390, 1900, "light"),
        ("anytrack-form-390-dark", 390, 1900, "dark"),
    ] {
        browser.screen(width, height, scheme).await;
        browser.open(&form).await;
        browser.wait(what, "return !!document.querySelector('[name=accept_without_token]')").await;
        let warning =
            "return document.querySelector('[name=accept_without_token]').closest('label').innerText.includes('anybody who knows')";
        browser.wait("the warning", warning).await;
        shown(what).await;
    }
    browser.screen(1440, 1200, "light").await;
    browser.open(&form).await;
    browser.wait("the form", "return !!document.querySelector('[name=default_currency]')").await;
    browser.write("[name=default_currency]", "EUR").await;
    browser.click("form.form button[type=submit]").await;
    browser.wait("the address", &format!("return !!{ADDRESS}")).await;
    let command = "const c = document.querySelector('.code.lines'); return [c.textContent.includes('curl -X POST'), c.textContent.includes('/in/anytrack/'), \
                   !!c.querySelector('button')]";
    browser.wait_for("the command with its button", command, json!([true, true, true])).await;
    // It receives only: nothing is said of sending.
    browser.wait_for("no shadow", "return document.body.innerText.includes('Enabled in shadow')", json!(false)).await;
    for (what, width, height, scheme) in [
        ("anytrack-made-1440-light", 1440, 1200, "light"),
        ("anytrack-made-390-light", 390, 1600, "light"),
        ("anytrack-made-390-dark", 390, 1600, "dark"),
    ] {
        browser.screen(width, height, scheme).await;
        shown(what).await;
    }
    // What the command sends shows on the page that waits for it.
    let address = browser.run(&format!("return {ADDRESS}")).await;
    let path = address.as_str().and_then(|a| a.split_once("/in/")).map(|(_, rest)| format!("/in/{rest}")).expect("an address");
    let body = json!({"eventName": "Lead", "email": "test@example.com", "eventValue": 100});
    let answer = server.post(&path, &[("content-type", "application/json")], body.to_string().as_bytes()).expect("an answer");
    assert_eq!((answer.status, answer.json()["processed"].clone()), (200, json!(1)), "{}", answer.text);
    browser.wait("it has come", "return document.body.innerText.includes('First message received')").await;
    browser.click(".acts a.btn:not(.main)").await;
    browser
        .wait("its own page", "return !!document.querySelector('.code.lines') && document.body.innerText.includes('Last heard of')")
        .await;
    browser.screen(1440, 1500, "light").await;
    shown("anytrack-settings-1440-light").await;
    browser.end().await;
}
