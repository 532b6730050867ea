//! Backups in a real browser: the line at the foot of the rail, the strip when one failed, the dialog, and what a restore
//! holds, on a wide and a narrow screen.

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::Shop;
use crate::chromium::Chromium;
use crate::running::Running;
use crate::stand_in::{Answer, StandIn};

const PASSWORD: &str = "correct horse battery staple";

/// A shop whose backup was restored while a delivery waited.
fn restored(url: &str, busy: &AtomicBool, receiver: &StandIn) -> Shop {
    let server = Running::new("shown").with_env("HALOTRACK_OUTBOUND_ALLOW", "127.0.0.0/8").with_env("HALOTRACK_RETRY_SCALE", "0.001");
    let mut shop = Shop::of(server);
    shop.server.cli(&["connection", "add", "--site", &shop.site, "--platform", "webhook", "--mode", "live", "--set", url]);
    let mut add = shop.server.command(&["user", "add", "--email", "ann@shop.example", "--role", "owner", "--password-stdin"]);
    let mut child = add.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
    writeln!(child.stdin.take().expect("a pipe"), "{PASSWORD}").expect("the password");
    assert!(child.wait().expect("it ends").success());
    shop.server.start();
    shop.lead("L-1");
    shop.server.wait("a first attempt", Duration::from_secs(10), || (receiver.seen().len() == 1).then_some(()));
    let file = shop.file("copy.backup");
    shop.server.cli(&["backup", "--to", &file]);
    busy.store(false, Ordering::Relaxed);
    shop.server.stop();
    assert_eq!(shop.server.cli(&["restore", &file])["held"], json!(1));
    shop.server.start();
    shop
}

async fn errors(browser: &Chromium) -> Vec<String> {
    browser.log().await.into_iter().filter(|l| !(l.contains("/api/me") && l.contains("401"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_sees_how_backups_stand_and_releases_what_is_held() {
    let Some(browser) = Chromium::start("").await else { return };
    let busy = Arc::new(AtomicBool::new(true));
    let is_busy = busy.clone();
    let receiver = StandIn::start(move |_, _| match is_busy.load(Ordering::Relaxed) {
        true => Answer::text(503, "later").with("retry-after", "6"),
        false => Answer::text(200, "thanks"),
    })
    .await;
    let (url, seen) = (format!("url={}/hook", receiver.url()), receiver.clone());
    let shop = tokio::task::spawn_blocking(move || restored(&url, &busy, &seen)).await.expect("a shop");
    let deliveries = format!("{}/dashboard/{}/deliveries", shop.server.url(), shop.site);
    browser.screen(1440, 900, "light").await;
    browser.open(&deliveries).await;
    browser.wait("the sign-in page", "return !!document.querySelector('[name=password]')").await;
    browser.write("input[name=email]", "ann@shop.example").await;
    browser.write("input[name=password]", &format!("{PASSWORD}\u{E007}")).await;
    browser.wait("what is held", "return document.querySelector('.needs')?.innerText.includes('1 delivery is held since')").await;
    browser.wait("the line", "return document.querySelector('.rail .backup')?.innerText.includes('first backup is made tonight')").await;
    assert_eq!(errors(&browser).await, Vec::<String>::new());

    // One that fails is said on every page, with its reason behind a press.
    let (code, _) = shop.ends(&["backup", "--to", "/proc/copy.backup"]);
    assert_eq!(code, 1);
    for (width, height) in [(1440, 900), (390, 844)] {
        for scheme in ["light", "dark"] {
            let what = format!("{width} px, {scheme}");
            browser.screen(width, height, scheme).await;
            browser.open(&deliveries).await;
            browser.wait(&what, "return document.querySelector('.bar .demo')?.innerText.includes('The last backup failed')").await;
            browser.wait(&what, "return document.querySelector('.needs')?.checkVisibility()").await;
            browser.click(".bar .demo button").await;
            browser.wait(&what, "return document.querySelector('dialog[open] .backups')?.innerText.includes('MB are needed')").await;
            let wide = browser.run("return document.documentElement.scrollWidth - innerWidth").await;
            assert!(wide.as_f64().is_some_and(|w| w <= 0.0), "{what}: the page is {wide} px wider than the screen");
            assert_eq!(errors(&browser).await, Vec::<String>::new(), "{what}");
        }
    }
    // By hand, from the dialog.
    browser.screen(1440, 900, "light").await;
    browser.open(&deliveries).await;
    browser.wait("the strip", "return !!document.querySelector('.bar .demo button')").await;
    browser.click(".bar .demo button").await;
    browser.wait("the dialog", "return !!document.querySelector('dialog[open] .backups .main')").await;
    browser.click("dialog[open] .backups .main").await;
    browser
        .wait("a good one", "return document.querySelector('dialog[open] .backups')?.innerText.includes('1 backup on this server')")
        .await;
    browser.press("\u{E00C}").await;
    browser.wait("the strip is gone", "return !document.querySelector('dialog[open]') && !document.querySelector('.bar .demo')").await;
    browser.wait("the line", "return document.querySelector('.rail .backup')?.innerText.includes('restored and checked today')").await;

    let held = "[...document.querySelectorAll('.needs button')].find((b) => b.innerText === 'Send all')";
    browser.run(&format!("{held}.click(); return true")).await;
    browser.wait("the question", "return !!document.querySelector('dialog[open] .ask .main')").await;
    browser.click("dialog[open] .ask .main").await;
    browser.wait("that nothing is held", "return !document.querySelector('.needs')?.checkVisibility()").await;
    browser.wait("that it was sent", "return document.querySelector('main tr[data-id]')?.innerText.includes('delivered')").await;
    assert_eq!(errors(&browser).await, Vec::<String>::new());
    assert_eq!(browser.run("return window.pwned ?? null").await, Value::Null);
    assert_eq!(receiver.seen().len(), 2);
    browser.end().await;
}
