//! A share link inside a page of somebody else's, in a real browser: the sites that it names may show it, without a script of
//! ours in their page; others may not, and nothing else of the product stands in any frame.

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::pages::{LOOK, errors};
use crate::sources_page::open;
use crate::stand_in::{Answer, StandIn};
use crate::two_shops;

const HOSTS: &str = "MAP agency.example 127.0.0.1, MAP stranger.example 127.0.0.1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_stands_in_the_pages_it_names_and_nothing_else_does() {
    let Some(browser) = Chromium::start(HOSTS).await else { return };
    let server = open("framed");
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let port = crate::running::free_port();
    let agency = format!("http://agency.example:{port}");
    let share = async |body: Value| {
        let script = format!(
            "return fetch('/api/sites/full/shares', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, body: JSON.stringify({body}) }})
               .then((r) => r.json()).then((made) => new URL(made.link).pathname)"
        );
        browser.run(&script).await.as_str().expect("a link").to_owned()
    };
    let framed = share(json!({"name": "For the agency", "pages": ["overview", "sources"], "frames": [agency]})).await;
    let plain = share(json!({"name": "For nobody's frame", "pages": ["overview"]})).await;
    let frames = [framed.as_str(), plain.as_str(), "/dashboard/full/overview", "/login", "/api/docs"];
    let inside: String =
        frames.iter().enumerate().map(|(n, path)| format!("<iframe title=\"{n}\" src=\"{}{path}\"></iframe>", server.url())).collect();
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta name=\"viewport\" content=\"width=device-width\"><title>Reports</title>
         <style>body {{ margin: 0 }} iframe {{ display: block; width: 100%; height: 600px; border: 0 }}</style><h1>Reports</h1>{inside}"
    );
    let _pages = StandIn::start_at(port, move |_, _| Answer::text(200, &page).with("content-type", "text/html")).await;

    for (width, height) in [(1440, 900), (390, 844)] {
        for scheme in ["light", "dark"] {
            let what = format!("framed-{width}-{scheme}");
            browser.screen(width, height, scheme).await;
            browser.open(&format!("{agency}/reports")).await;
            browser.driver.enter_frame(0).await.expect("the first frame");
            browser.wait(&what, "return document.querySelector('.shared h1')?.innerText === 'For the agency' && document.body.innerText.includes('Conversions') && !document.querySelector('.dim')").await;
            let seen = browser.run(LOOK).await;
            assert_eq!((&seen["overflow"], &seen["unnamed"]), (&json!(0), &json!([])), "{what}: {seen}");
            assert_eq!(
                browser.run("return document.querySelectorAll('a[href^=\"/dashboard\"], .rail').length").await,
                json!(0),
                "{what}: no way to more"
            );
            browser.driver.enter_default_frame().await.expect("the page itself");
            assert_eq!(
                browser.run("return document.activeElement === document.body").await,
                json!(true),
                "{what}: the reader keeps the focus"
            );
            browser.picture(&what).await;
        }
    }
    browser.screen(1440, 900, "light").await;
    // Its pages and its days work inside the frame, by keyboard.
    browser.open(&format!("{agency}/reports")).await;
    browser.driver.enter_frame(0).await.expect("the first frame");
    browser.wait("its pages", "document.querySelector('[data-focus=page-sources]').focus(); return true").await;
    browser.press("\u{E007}").await;
    browser.wait("sources", "return document.body.innerText.includes('newsletter') && location.search.includes('page=sources')").await;
    browser.driver.enter_default_frame().await.expect("the page itself");

    // A link that names no site, the dashboard, the way in, the documents: none of them.
    refused(&browser, &frames[1..], 1).await;
    // Nor the first one in a page that it does not name.
    browser.open(&format!("http://stranger.example:{port}/reports")).await;
    refused(&browser, &frames, 0).await;
    browser.end().await;
}

/// The browser shows a page of its own in place of each, and writes down why.
async fn refused(browser: &Chromium, frames: &[&str], first: u16) {
    for (n, path) in frames.iter().enumerate() {
        browser.driver.enter_frame(first + n as u16).await.expect("a frame");
        browser.wait_for(path, "return location.protocol", json!("chrome-error:")).await;
        browser.driver.enter_default_frame().await.expect("the page itself");
    }
    let said = browser.log().await;
    assert!(said.iter().any(|line| line.contains("frame-ancestors")), "{said:?}");
}
