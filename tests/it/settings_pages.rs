//! Settings and share links in a real browser: every section on a wide and a narrow screen, light and dark; the second step
//! with its square code, a token, an invitation and a share link by hand; by keyboard; hostile words in all that is typed.

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::pages::PASSWORD;
use crate::pages::{LOOK, errors};
use crate::running::Running;
use crate::two_shops;

const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";
const SECTIONS: [&str; 9] = ["site", "credit", "exclusions", "sharing", "privacy", "people", "tokens", "audit", "account"];
const ENTER: &str = "\u{E007}";
const TAB: &str = "\u{E004}";

struct Office {
    server: Running,
}

impl Office {
    fn open() -> Self {
        let mut server = Running::new("settings");
        for name in ["full", "empty"] {
            let domain = format!("{name}.example");
            server.cli(&["site", "add", "--name", name, "--domain", &domain, "--currency", "USD", "--consent", "opt-out"]);
        }
        let token = server.cli(&["token", "create", "--site", "full", "--name", HOSTILE, "--scope", "read,write"]);
        let token = token["token"].as_str().expect("a token").to_owned();
        server.start();
        let office = Self { server };
        for n in 0..6i64 {
            let now = halotrack::clock::Clock::system().now();
            let ago = |hours: i64| now.plus_ms(-hours * 3_600_000).utc();
            let source = if n % 2 == 0 { "google" } else { HOSTILE };
            let touch = json!({"landing": "/start", "at": ago(n * 30 + 60), "user_agent": CHROME, "utm_source": source, "utm_medium": "cpc", "utm_campaign": HOSTILE});
            let id = office.told(&token, "/api/touch", touch)["session_id"].clone();
            let again = json!({"landing": "/", "at": ago(n * 30 + 3), "user_agent": CHROME, "utm_source": "newsletter", "utm_medium": "email", "session_id": id});
            let id = office.told(&token, "/api/touch", again)["session_id"].clone();
            let order = json!({"order_id": format!("#{n} {HOSTILE}"), "total": "100.50", "currency": "USD", "email": format!("person{n}@mail.example"),
                "session_id": id, "created_at": ago(n * 30 + 1), "status": "paid"});
            office.told(&token, "/api/webhook/order", order);
        }
        office
    }

    fn told(&self, token: &str, path: &str, body: Value) -> Value {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let heard = self.server.post(path, &headers, body.to_string().as_bytes()).expect("an answer");
        assert!(matches!(heard.status, 200 | 201), "{path} {body}: {} {}", heard.status, heard.text);
        heard.json()
    }

    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_keeps_the_settings() {
    let Some(browser) = Chromium::start("").await else { return };
    let office = Office::open();
    sign_up(&browser, &office).await;
    let invitation = people_and_tokens(&browser, &office).await;
    let link = share(&browser, &office).await;
    credit(&browser, &office).await;
    looks(&browser, &office, &link).await;
    opened_by_a_stranger(&browser, &office, &link).await;
    seen_by_a_client(&browser, &office, &invitation).await;
    browser.end().await;
}

async fn sign_up(browser: &Chromium, office: &Office) {
    browser.open(&two_shops::setup_link(&office.server)).await;
    browser.write("input[name=email]", "ann@full.example").await;
    browser.write("input[name=password]", PASSWORD).await;
    browser.click("button[type=submit]").await;
    browser.wait("the dashboard", "return location.pathname.startsWith('/dashboard/')").await;
    browser.wait("its frame", "return !!document.querySelector('.rail')").await;
    // By keyboard alone: G then S, then the next section.
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("g").await;
    browser.press("s").await;
    browser
        .wait("the settings", "return !!document.querySelector('.set-nav [aria-current]') && !!document.querySelector('[name=domain]')")
        .await;
    browser.run("document.querySelector('.set-nav [aria-current]').focus(); return true").await;
    browser.press(TAB).await;
    browser.press(ENTER).await;
    browser
        .wait("the next section", "return location.pathname.endsWith('/settings/credit') && !!document.querySelector('[name=model]')")
        .await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// Gives the link of an invited client.
async fn people_and_tokens(browser: &Chromium, office: &Office) -> String {
    browser.open(&office.page("/dashboard/full/settings/people")).await;
    browser.write("[name=email]", "ben@mail.example").await;
    browser
        .run("const r = document.querySelector('[name=role]'); r.value = 'client'; r.dispatchEvent(new Event('change')); return true")
        .await;
    browser.wait("the part to choose", "return document.querySelector('[name=dim-new]').checkVisibility()").await;
    browser
        .run("const r = document.querySelector('[name=dim-new]'); r.value = 'source'; r.dispatchEvent(new Event('change')); return true")
        .await;
    browser.click("[name=money-new]").await;
    browser.click("[name=people-new]").await;
    browser.write("[name=segment-new]", &format!("google{ENTER}")).await;
    let link = browser.wait("the link, once", "return document.querySelector('.once code')?.innerText").await;
    let link = link.as_str().expect("a link").to_owned();
    assert!(link.contains("/setup/"), "{link}");
    browser.wait("the person", "return [...document.querySelectorAll('.rows li')].some((r) => r.innerText.includes('ben@mail.example') && r.innerText.includes('Source: google'))").await;

    browser.open(&office.page("/dashboard/full/settings/tokens")).await;
    browser.wait("the hostile token as text", "return document.querySelector('.rows')?.innerText.includes('<img')").await;
    browser.write("[name=name]", &format!("Shop{ENTER}")).await;
    let token = browser.wait("the token, once", "return document.querySelector('.once code')?.innerText").await;
    assert!(token.as_str().unwrap_or_default().starts_with("ht_"), "{token}");

    // The second step: the square code, the key, a code, the recovery codes.
    browser.open(&office.page("/dashboard/full/settings/account")).await;
    browser.wait("the second step", "return [...document.querySelectorAll('button')].some((b) => b.innerText === 'Switch it on')").await;
    browser
        .wait("a click", "[...document.querySelectorAll('button')].find((b) => b.innerText === 'Switch it on').click(); return true")
        .await;
    let square = browser.wait("the square code", "return document.querySelector('svg.qr path')?.getAttribute('d')").await;
    assert!(square.as_str().unwrap_or_default().len() > 1_000);
    let key = browser.run("return document.querySelector('.enrol code').innerText").await;
    let key = halotrack::totp::key_of(&key.as_str().unwrap_or_default().replace(' ', "")).expect("a key");
    let code = halotrack::totp::code_at(&key, halotrack::clock::Clock::system().now().s() / 30);
    browser.write("[name=code]", &format!("{code}{ENTER}")).await;
    let codes = browser.wait("ten codes", "return document.querySelectorAll('.codes li').length").await;
    assert_eq!(codes, json!(10));
    assert_eq!(errors(browser).await, Vec::<String>::new());
    link
}

async fn share(browser: &Chromium, office: &Office) -> String {
    browser.open(&office.page("/dashboard/full/settings/sharing")).await;
    browser.wait("what stands where nothing is", "return document.querySelector('.rows')?.innerText.includes('None yet')").await;
    browser.write("[name=name]", HOSTILE).await;
    for page in ["sources", "conversions", "leads"] {
        browser.click(&format!("[name=page-{page}]")).await;
    }
    browser.write("[name=frames]", "https://agency.example").await;
    browser.write("[name=password]", &format!("open sesame{ENTER}")).await;
    let link = browser.wait("the link", "return document.querySelector('.rows a.btn')?.href").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
    link.as_str().expect("an address").to_owned()
}

async fn credit(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/full/settings/credit")).await;
    browser.wait("the policy", "return !!document.querySelector('[name=model]')").await;
    browser.run("document.querySelector('[name=model]').value = 'first'; return true").await;
    browser.click(".set-main button[type=submit]").await;
    let effect = browser.wait("the effect", "return document.querySelector('.effect')?.innerText").await;
    assert!(effect.as_str().unwrap_or_default().contains("google"), "{effect}");
    browser
        .wait("a click", "[...document.querySelectorAll('button')].find((b) => b.innerText.startsWith('Use it')).click(); return true")
        .await;
    browser.wait("that it is done", "return document.querySelector('.set-main').innerText.includes('6 conversions credited anew')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// Every section on every screen.
async fn looks(browser: &Chromium, office: &Office, link: &str) {
    let mut pages: Vec<(String, String)> =
        SECTIONS.iter().map(|s| (format!("full {s}"), office.page(&format!("/dashboard/full/settings/{s}")))).collect();
    pages.extend(["credit", "sharing", "audit"].map(|s| (format!("empty {s}"), office.page(&format!("/dashboard/empty/settings/{s}")))));
    pages.push(("locked".into(), link.to_owned()));
    for (name, address) in pages {
        look(
            browser,
            &name,
            &address,
            "return !!document.querySelector('.set-panel, [name=password]') && !document.querySelector('.skeleton')",
        )
        .await;
    }
}

async fn look(browser: &Chromium, name: &str, address: &str, ready: &str) {
    for (width, height) in [(1440, 900), (390, 844)] {
        for scheme in ["light", "dark"] {
            let what = format!("{name} at {width} px, {scheme}");
            browser.screen(width, height, scheme).await;
            browser.open(address).await;
            browser.wait(&what, ready).await;
            let seen = browser.run(LOOK).await;
            assert_eq!(seen["overflow"], json!(0), "{what}: the page is wider than the screen: {}", seen["wide"]);
            assert_eq!(seen["unnamed"], json!([]), "{what}: controls without a name");
            assert_eq!(seen["h1"], json!(1), "{what}: one heading of the page");
            let light = seen["light"].as_f64().expect("a number");
            assert!(if scheme == "dark" { light < 90.0 } else { light > 180.0 }, "{what}: the background is {light}");
            assert_eq!(seen["pwned"], Value::Null, "{what}: a stranger's words ran");
            assert_eq!(seen["inline"], json!([]), "{what}: a stranger's words became markup");
            assert_eq!(errors(browser).await, Vec::<String>::new(), "{what}");
        }
    }
    browser.screen(1440, 900, "light").await;
}

async fn opened_by_a_stranger(browser: &Chromium, office: &Office, link: &str) {
    browser.forget().await;
    browser.open(link).await;
    browser.write("[name=password]", &format!("wrong sesame{ENTER}")).await;
    browser.wait("a refusal", "return document.body.innerText.includes('not the password')").await;
    errors(browser).await;
    browser.run("document.querySelector('[name=password]').value = ''; return true").await;
    browser.write("[name=password]", &format!("open sesame{ENTER}")).await;
    browser.wait("the figures", "return document.querySelectorAll('.shared tbody tr').length > 6").await;
    let pages = "return [...document.querySelectorAll('.sh-tabs button')].map((b) => b.innerText)";
    browser.wait_for("the pages that were chosen", pages, json!(["Overview", "Sources", "Conversions", "Leads"])).await;
    let said = async || browser.run("return document.body.innerText").await.as_str().unwrap_or_default().to_owned();
    let text = said().await;
    assert!(text.contains("603.00") && !text.contains('@') && !text.contains("#0"), "{text}");
    // Each page by keyboard, and the address says which.
    for (page, ready) in [
        ("sources", "return document.querySelectorAll('.shared [data-level=\"2\"]').length > 1"),
        ("conversions", "return document.querySelectorAll('.shared td.fit').length === 6"),
        ("leads", "return document.querySelector('.shared .empty')?.innerText.includes('Nothing in these days')"),
    ] {
        browser.wait("a tab", &format!("document.querySelector('[data-focus=page-{page}]').focus(); return true")).await;
        browser.press(ENTER).await;
        browser.wait(page, ready).await;
        browser.wait_for("the focus", "return document.activeElement.dataset.focus", json!(format!("page-{page}"))).await;
        assert!(browser.run("return location.search").await.as_str().is_some_and(|s| s.contains(&format!("page={page}"))));
        let text = said().await;
        assert!(!text.contains('@') && !text.contains("#0"), "{text}");
        look(
            browser,
            &format!("shared {page}"),
            &format!("{link}?page={page}"),
            "return !!document.querySelector('.shared .sh-body > *') && !document.querySelector('.sh-body.dim')",
        )
        .await;
        browser.wait(page, ready).await;
    }
    browser.open(link).await;
    browser.wait("the figures", "return document.querySelectorAll('.shared tbody tr').length > 6").await;
    browser.wait_for("what is shown", "return document.querySelector('meta[name=robots]').content", json!("noindex")).await;
    browser.wait_for("what is shown", "return !!document.querySelector('.rail, .bar')", json!(false)).await;
    look(browser, "shared", link, "return document.querySelectorAll('.shared tbody tr').length > 6").await;
    // The dashboard itself stays closed.
    browser.open(&office.page("/dashboard/full/settings/people")).await;
    browser.wait("the sign-in page", "return !!document.querySelector('[name=email]') && !document.querySelector('.rail')").await;
}

/// Somebody who is shown one source, without amounts and people.
async fn seen_by_a_client(browser: &Chromium, office: &Office, invitation: &str) {
    browser.forget().await;
    browser.open(invitation).await;
    browser.write("[name=password]", &format!("{PASSWORD}{ENTER}")).await;
    // The overview of the part, with nothing in it of money, of people, or of what runs the shop.
    browser.wait("the overview", "return document.querySelectorAll('[data-part=RecentOrders] tr[data-id]').length === 3 && !!document.querySelector('[data-part=RevenueChart] svg text')").await;
    let text = browser.run("return document.body.innerText").await;
    let text = text.as_str().unwrap_or_default();
    assert!(text.contains("google") && text.contains("Conversion rate"), "{text}");
    for hidden in ["100.50", "301", "person", "#0", "Net", "Sold,", "$", "First touch", "Needs you"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    assert_eq!(errors(browser).await, Vec::<String>::new());
    look(browser, "a client's overview", &office.page("/dashboard/full/overview"), "return document.querySelectorAll('[data-part=RecentOrders] tr[data-id]').length === 3 && !document.querySelector('main[aria-busy]')").await;
    browser.open(&office.page("/dashboard/full/sources")).await;
    browser
        .wait("the tree", "return document.querySelectorAll('.t-tree tbody tr').length > 0 && !document.querySelector('main[aria-busy]')")
        .await;
    let text = browser.run("return document.querySelector('.t-tree').innerText").await;
    let text = text.as_str().unwrap_or_default();
    assert!(text.contains("Paid Search") && !text.contains("Net") && !text.contains("Email"), "{text}");
    look(
        browser,
        "a client's sources",
        &office.page("/dashboard/full/sources"),
        "return document.querySelectorAll('.t-tree tbody tr').length > 0 && !document.querySelector('main[aria-busy]')",
    )
    .await;
    browser.open(&office.page("/dashboard/full/conversions")).await;
    browser.wait("the ledger", "return document.querySelectorAll('main tr[data-id]').length === 3").await;
    let text = browser.run("return document.body.innerText").await;
    let text = text.as_str().unwrap_or_default();
    assert!(
        text.contains("google") && !text.contains("100.50") && !text.contains("301") && !text.contains("person") && !text.contains("Order"),
        "{text}"
    );
    assert_eq!(
        browser.run("return [...document.querySelectorAll('.rail a')].map((a) => a.innerText)").await,
        json!(["Overview", "Sources", "Conversions", "Funnels", "Settings"])
    );
    browser.open(&office.page("/dashboard/full/settings")).await;
    browser.wait("the own account", "return !!document.querySelector('[name=new]')").await;
    browser.wait_for("what is shown", "return document.querySelectorAll('.set-nav a').length", json!(1)).await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
