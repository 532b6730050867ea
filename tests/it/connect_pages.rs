//! A shop is connected in a real browser: what is said while it happens, what stands in the way and how to mend it, and that
//! it goes on by itself when that is gone. Then its card: working, failing, healed; and the strip above the deliveries.

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::pages::{LOOK, errors};
use crate::running::Running;
use crate::shopify::shop::{CLIENT_ID, CLIENT_SECRET, SHOP, Shop};
use crate::two_shops;
use crate::woo_shop::{KEY, SECRET, WooShop};

const ENTER: &str = "\u{E007}";

struct Office {
    server: Running,
    token: String,
    woo: WooShop,
    shopify: Shop,
}

impl Office {
    async fn open() -> Self {
        let (woo, shopify) = (WooShop::start().await, Shop::open().await);
        let (server, token) = two_shops::open_with("connect", |server| {
            server.with_env("HALOTRACK_OUTBOUND_ALLOW", "127.0.0.0/8").with_env("HALOTRACK_BASE_URL_SHOPIFY", &shopify.url)
        });
        Self { server, token, woo, shopify }
    }

    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        two_shops::tell(&self.server, &self.token, path, body)
    }
}

/// All lines of what is being done, as they stand.
const LINES: &str = "return [...document.querySelectorAll('.cx-progress li')].map((l) => l.className + ': ' + l.innerText)";

fn now() -> halotrack::domain::time::Time {
    halotrack::clock::Clock::system().now()
}

fn has(what: &str) -> String {
    format!("return document.querySelector('main').innerText.includes({})", json!(what))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_is_connected_before_the_owners_eyes() {
    let Some(browser) = Chromium::start("").await else { return };
    let office = Office::open().await;
    two_shops::sign_up(&browser, &office.server).await;
    errors(&browser).await;
    for n in 0..3 {
        office.woo.books().place(now().plus_ms(-(n + 2) * 86_400_000), "30.00", json!({}));
    }
    woocommerce(&browser, &office).await;
    card(&browser, &office).await;
    shopify(&browser, &office).await;
    strip(&browser, &office).await;
    words(&browser, &office).await;
    looks(&browser, &office).await;
    browser.end().await;
}

async fn woocommerce(browser: &Chromium, office: &Office) {
    let woo = &office.woo;
    browser.open(&office.page("/dashboard/integrations/woocommerce/configure")).await;
    browser.wait("the form has the focus", "return document.activeElement.name === 'url'").await;
    // What every list that is read takes, with what happens where nothing is typed.
    let said = browser.run("return ['schedule', 'history_days'].map((n) => document.querySelector(`[name=${n}]`).placeholder)").await;
    assert_eq!(said, json!(["every 15 minutes", "90"]));
    browser.click(".cx details > summary").await;
    browser.write("[name=history_days]", "4000").await;
    browser.write("[name=url]", &woo.url()).await;
    browser.write("[name=consumer_key]", "cs_swapped").await;
    browser.write("[name=consumer_secret]", &format!("cs_0000000000000000000000000000000000000000{ENTER}")).await;
    browser.wait("the limit", &has("A whole number from 0 to 3650.")).await;
    clear(browser, "history_days", "").await;
    // Another kind of key is noticed before the shop is asked.
    browser.press(ENTER).await;
    browser.wait("which one it is", &has("begins with ck_")).await;
    assert_eq!(woo.asked(), Vec::new());
    clear(browser, "consumer_key", KEY).await;
    browser.press(ENTER).await;
    browser.wait("a wrong key, and the remedy", &has("refuses the consumer key or its secret. Make a new key in WooCommerce")).await;
    assert_eq!(browser.run("return document.querySelector('.said').getAttribute('role')").await, json!("alert"));
    // The shop cannot be reached, and then it can: nobody presses anything.
    woo.books().is_closed = true;
    clear(browser, "consumer_secret", SECRET).await;
    browser.press(ENTER).await;
    browser.wait("why not, and that it is asked again", &has("It is asked again by itself while this page is open.")).await;
    browser.picture("connect-unreachable").await;
    // The key may only read, at first.
    woo.books().may_write = false;
    woo.books().is_closed = false;
    browser.wait("it is saved", &has("The configuration is saved.")).await;
    let live = browser.run("return document.querySelector('.cx-progress').getAttribute('aria-live')").await;
    assert_eq!(live, json!("polite"), "a screen reader hears each line");
    browser.wait("what the key may not do", &has("give the key Read/Write permissions")).await;
    browser.wait("what is read all the same", &has("were read: 3 records.")).await;
    assert!(!browser.run(LINES).await.to_string().contains("is enabled"), "nothing is claimed that is not so");
    browser.picture("connect-read-only").await;
    woo.books().may_write = true;
    browser.wait("it goes on by itself", &has("Purchase tracking is enabled.")).await;
    let lines = browser.run(LINES).await;
    let lines: Vec<&str> = lines.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert_eq!(lines[0], "done: The configuration is saved.", "{lines:?}");
    assert!(lines[1].starts_with("done: Purchase tracking is set up:") && lines[2] == "done: Purchase tracking is enabled.", "{lines:?}");
    browser
        .wait("the card", "return document.querySelector('.cx [data-part=WebhookStatus] [data-state]')?.dataset.state === 'active'")
        .await;
    browser.picture("connect-done").await;
    assert_eq!(errors(browser).await.iter().filter(|e| !e.contains("status of 422")).count(), 0);
}

/// Puts other text into a field.
async fn clear(browser: &Chromium, name: &str, text: &str) {
    let script = format!(
        "const el = document.querySelector('[name={name}]'); el.focus(); el.value = ''; el.dispatchEvent(new Event('input', {{ bubbles: true }})); return true"
    );
    browser.wait(name, &script).await;
    if !text.is_empty() {
        browser.write(&format!("[name={name}]"), text).await;
    }
}

/// A hook that was switched off, an order that was missed, and the card that tells of both.
async fn card(browser: &Chromium, office: &Office) {
    browser.click("main .acts .btn.main").await;
    browser.wait("the list of all", "return !!document.querySelector('.cards .cc')").await;
    let state = "return document.querySelector('.cards .cc [data-part=WebhookStatus] [data-state]')?.innerText";
    browser.wait_for("its state", state, json!("Active")).await;
    let ids = browser.run("return [...document.querySelectorAll('.whs-ids li')].map((l) => l.innerText.replace(/\\s+/g, ' '))").await;
    let id = office.woo.books().hooks.iter().find(|(_, h)| h.topic == "order.created").map(|(id, _)| *id).expect("a webhook");
    assert!(ids.as_array().is_some_and(|all| all.contains(&json!(format!("order.created {id}")))), "{ids}");
    assert!(browser.run("return document.querySelector('.whs .code code').innerText").await.to_string().contains("/in/woocommerce/"));
    // Two orders that no webhook told of, after one that was switched off.
    {
        let mut books = office.woo.books();
        books.hooks.values_mut().find(|h| h.topic == "order.created").expect("a hook").status = "disabled".into();
        books.place(now(), "44.00", json!({}));
        books.place(now(), "45.00", json!({}));
    }
    browser
        .wait("the button", "const b = document.querySelector('.cards .cc [data-act=check]'); b.focus(); window.held = b; return true")
        .await;
    browser.press(ENTER).await;
    browser
        .wait(
            "what had happened",
            &has("WooCommerce had switched off the webhook for order.created after repeated failures; we put it back at"),
        )
        .await;
    browser.wait("what was missed", &has("2 orders that came meanwhile were fetched.")).await;
    let is_same = "return window.held.isConnected && document.activeElement === window.held";
    browser.wait_for("the same button under the hand", is_same, json!(true)).await;
    // Read now, and back.
    browser.click(".cards .cc [data-act=pull]").await;
    browser.wait("nothing new", &has("nothing new. Next")).await;
    browser.click(".cards .cc [data-act=back]").await;
    browser.wait("how far", "return document.querySelector('dialog[open] [name=days]')?.value === '30'").await;
    browser.click("dialog[open] .btn.main").await;
    browser.wait("it is read", "return document.querySelector('.toast')?.innerText.includes('The last 30 days')").await;
    browser.wait("how it stands on its own page", "document.querySelector('.cc h3 a').click(); return true").await;
    browser.wait("the same there", "return !!document.querySelector('.cx-standing [data-part=WebhookStatus] [data-state=active]')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

async fn shopify(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/integrations/shopify")).await;
    browser.wait("the form has the focus", "return document.activeElement.name === 'shop'").await;
    browser.press(SHOP).await;
    browser.write("[name=client_id]", CLIENT_ID).await;
    browser.write("[name=client_secret]", &format!("{CLIENT_SECRET}{ENTER}")).await;
    browser.wait("enabled", &has("Purchase tracking is enabled.")).await;
    assert!(office.shopify.topics().len() >= 4, "{:?}", office.shopify.topics());
    browser
        .wait("the card", "return document.querySelector('.cx [data-part=WebhookStatus] [data-state]')?.dataset.state === 'active'")
        .await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// What is said of a connection holds together, and nothing is offered that is not there.
async fn words(browser: &Chromium, office: &Office) {
    let add = |platform: &str, settings: &[&str]| {
        let mut command = vec!["connection", "add", "--site", "full", "--platform", platform];
        settings.iter().for_each(|set| command.extend(["--set", set]));
        office.server.cli(&command)["connection"].as_str().expect("an id").to_owned()
    };
    let (form, crm) = (add("forms", &[]), add("hubspot", &["access_token=pat-eu1-0f1e2d3c-verysecret"]));
    browser.open(&office.page("/dashboard/full/connections")).await;
    let of = |id: &str, what: &str| format!("return document.querySelector('.cc[data-connection={id}] {what}')?.innerText");
    browser.wait_for("an address that nobody has used", &of(&form, "[data-state]"), json!("Waiting for the first message")).await;
    browser.wait_for("it works all the same", &of(&form, "[data-status]"), json!("Active")).await;
    let ready =
        format!("return document.querySelector('.cc[data-connection={crm}] .cc-last')?.innerText.includes('until you switch it to live')");
    browser.wait("what is told need not tell", &ready).await;
    browser.open(&office.page(&format!("/dashboard/full/connections/{crm}"))).await;
    let modes = "return [...document.querySelectorAll('[name=mode]')].map((i) => i.value)";
    browser.wait_for("no test where there is none", modes, json!(["shadow", "live"])).await;
    browser.open(&office.page("/dashboard/full/connections/%2Bgoogle_ads")).await;
    browser.wait("either way in", &has("Either this, or OAuth client id, OAuth client secret and Refresh token.")).await;
    browser.wait("or the other", &has("Either this, or Service account key.")).await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// Working, failing and empty, wide and narrow, light and dark.
async fn looks(browser: &Chromium, office: &Office) {
    // Failing: the platform refuses what it took.
    office.ask("/api/webhooks/setup", &json!({"domain": "full.example", "platform": "shopify", "action": "delete"}));
    for (site, page, ready) in [
        ("full", "connections", ".cc [data-state=not_configured]"),
        ("full", "connections/con_1", ".cx-standing .cc-told li"),
        ("full", "connections/+woocommerce", "form [name=schedule]"),
        ("empty", "connections", "main .empty"),
    ] {
        for (width, height) in [(1440, 1100), (390, 1400)] {
            for scheme in ["light", "dark"] {
                let what = format!("{site}-{page}-{width}-{scheme}");
                browser.screen(width, height, scheme).await;
                browser.open(&office.page(&format!("/dashboard/{site}/{}", page.replace('+', "%2B")))).await;
                browser.wait(&what, &format!("return !!document.querySelector('{ready}')")).await;
                let seen = browser.run(LOOK).await;
                browser.picture(&what).await;
                assert_eq!(seen["overflow"], json!(0), "{what}: {seen}");
                assert_eq!((&seen["unnamed"], &seen["h1"], &seen["inline"]), (&json!([]), &json!(1), &json!([])), "{what}");
                assert_eq!(errors(browser).await, Vec::<String>::new(), "{what}");
            }
        }
    }
}

/// The strip above the deliveries is brought up to date under the hand.
async fn strip(browser: &Chromium, office: &Office) {
    let hook =
        ["connection", "add", "--site", "full", "--platform", "webhook", "--name", "Store-room", "--set", "url=http://127.0.0.1:9/hook"];
    let id = office.server.cli(&hook)["connection"].as_str().expect("an id").to_owned();
    browser.open(&office.page("/dashboard/full/deliveries")).await;
    let mark = "const c = document.querySelector('.cn'); const b = c.querySelector('[data-value=live]'); b.focus(); window.held = [c, b]; return c.innerText.includes('Store-room')";
    browser.wait("a button with the focus", mark).await;
    office.server.cli(&["connection", "set", &id, "--mode", "test"]);
    browser.wait("the news", "return window.held[0].querySelector('[data-value=test]').getAttribute('aria-pressed') === 'true'").await;
    let is_same = "return window.held[0].isConnected && document.activeElement === window.held[1]";
    browser.wait_for("the same strip and button", is_same, json!(true)).await;
    browser.press(ENTER).await;
    browser.click("dialog[open] .btn.main").await;
    browser.wait("it is live", "return window.held[1].getAttribute('aria-pressed') === 'true'").await;
    browser.click(".cn [data-do=pause]").await;
    browser.wait("it is paused", "return !!document.querySelector('.cn [data-do=resume]')").await;
    browser.wait_for("the same strip", "return window.held[0].isConnected", json!(true)).await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
