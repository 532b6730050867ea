//! The dashboard in a real browser: the set-up link, signing in, the ledgers on a wide and a narrow screen, light and dark,
//! empty and full, by keyboard alone; with hostile words in everything that strangers can write. No error in the console,
//! nothing refused by the policy.

use std::time::Duration;

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::running::{Running, signed};
use crate::stand_in::{Answer, StandIn};

pub const PASSWORD: &str = "correct horse battery staple";

/// What strangers write where it hurts.
const HOSTILE: [&str; 8] = [
    "<img src=x onerror=\"window.pwned=1\">",
    "<script>window.pwned=1</script>",
    "\"><svg onload=window.pwned=1>",
    "javascript:window.pwned=1",
    "'-window.pwned=1-'",
    "{{constructor.constructor('window.pwned=1')()}}",
    "</title><script>window.pwned=1</script>",
    "=HYPERLINK(\"http://evil.example\")",
];

pub struct Office {
    pub server: Running,
    /// The connection of the site's forms, with its secret.
    forms: Value,
    _receiver: StandIn,
}

impl Office {
    /// A site with everything on it, and one with nothing.
    pub async fn open() -> Self {
        let receiver =
            StandIn::start(|_, n| if n % 4 == 3 { Answer::text(400, "<b>no</b>") } else { Answer::text(200, "<i>thanks</i>") }).await;
        let server = Running::new("pages").with_env("HALOTRACK_OUTBOUND_ALLOW", "127.0.0.0/8");
        for name in ["full", "empty"] {
            server.cli(&[
                "site",
                "add",
                "--name",
                name,
                "--domain",
                &format!("{name}.example"),
                "--currency",
                "USD",
                "--consent",
                "opt-out",
            ]);
        }
        let token = server.cli(&["token", "create", "--site", "full", "--name", HOSTILE[0], "--scope", "read,write"]);
        let token = token["token"].as_str().expect("a token").to_owned();
        let forms = server.cli(&["connection", "add", "--site", "full", "--platform", "forms"]);
        server.cli(&["affiliate", "add", "--site", "full", "--code", "noor", "--name", HOSTILE[0], "--commission", "10%"]);
        let url = format!("url={}/hook?a=<b>", receiver.url());
        server.cli(&["connection", "add", "--site", "full", "--platform", "webhook", "--mode", "live", "--set", &url]);
        let shadow = [
            "connection",
            "add",
            "--site",
            "full",
            "--platform",
            "meta",
            "--set",
            "pixel_id=123456789012345",
            "--set",
            "access_token=EAAx0123456789",
        ];
        server.cli(&shadow);
        let mut server = server;
        server.start();
        let office = Self { server, forms, _receiver: receiver };
        office.fill(&token);
        office.stray("<script>window.pwned=1</script> is no lead");
        office
    }

    /// A signed body that is no lead.
    fn stray(&self, body: &str) {
        let word = |name: &str| self.forms[name].as_str().unwrap_or_default();
        let headers = signed(word("secret"), halotrack::clock::Clock::system().now().s(), body.as_bytes());
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let kept = self.server.post(&word("hook_url").replace(&self.server.url(), ""), &headers, body.as_bytes()).expect("an answer");
        assert!(kept.text.contains("quarantined"), "{}", kept.text);
    }

    fn fill(&self, token: &str) {
        let bearer = format!("Bearer {token}");
        let send = |path: &str, body: Value| {
            let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
            let heard = self.server.post(path, &headers, body.to_string().as_bytes()).expect("an answer");
            assert!(matches!(heard.status, 200 | 201), "{path} {body}: {} {}", heard.status, heard.text);
            heard.json()
        };
        let now = halotrack::clock::Clock::system().now();
        let ago = |hours: i64| now.plus_ms(-hours * 3_600_000).utc();
        for (n, word) in HOSTILE.iter().enumerate() {
            let hours = n as i64 * 30 + 2;
            let touch = json!({"landing": "/start", "at": ago(hours + 1), "user_agent": CHROME, "utm_source": word, "utm_medium": word,
                "utm_campaign": word, "utm_content": word, "referrer": format!("https://partner.example/{word}"), "title": word});
            let id = send("/api/touch", touch)["session_id"].clone();
            send(
                "/api/webhook/lead",
                json!({"lead_id": format!("L-{n} {word}"), "email": format!("person{n}@mail.example"), "name": word,
                "company": word, "message": word, "form_type": word, "session_id": id, "created_at": ago(hours), "value": "25.00",
                "currency": if n == 3 { "EUR" } else { "USD" }, "consent_given": n != 2, "custom_fields": {"note": word}}),
            );
            send(
                "/api/webhook/order",
                json!({"order_id": format!("#{n} {word}"), "total": format!("{}.50", 100 + n), "currency": "USD",
                "email": format!("person{n}@mail.example"), "session_id": id, "created_at": ago(hours - 1), "status": "paid",
                "items": [{"id": word, "name": word, "price": "1.00"}], "coupons": [word]}),
            );
        }
        for word in &HOSTILE[..3] {
            send("/api/sites/full/links", json!({"to": "/start", "utm_source": word, "utm_campaign": word, "label": word}));
        }
        send(
            "/api/webhook/order",
            json!({"order_id": "#0 <img src=x onerror=\"window.pwned=1\">", "total": "100.50", "currency": "USD", "status": "refunded"}),
        );
        self.server.wait("the deliveries", Duration::from_secs(20), || {
            let page = self.server.get("/metrics", &[])?.text;
            page.lines().any(|l| l.starts_with("halotrack_deliveries{") && l.contains("delivered")).then_some(())
        });
    }

    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }
}

/// Errors that are no errors: who asks who is signed in when nobody is gets a 401, and browsers write that down.
pub async fn errors(browser: &Chromium) -> Vec<String> {
    let all = browser.log().await;
    all.into_iter().filter(|l| !(l.contains("/api/me") && l.contains("401")) && !(l.contains("/api/login") && l.contains("401"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_sets_up_signs_in_and_looks_around() {
    let Some(browser) = Chromium::start("").await else { return };
    let office = Office::open().await;
    set_up(&browser, &office).await;
    looks(&browser, &office).await;
    by_keyboard(&browser, &office).await;
    mends(&browser, &office).await;
    browser.end().await;
}

pub async fn set_up(browser: &Chromium, office: &Office) {
    let log = office.server.log();
    let link = log.split_whitespace().find(|w| w.contains("/setup/")).expect("the start prints a link").to_owned();
    // Nobody is there yet: the page says what to do instead of asking for a password.
    browser.open(&office.page("/login")).await;
    browser.wait("the way in", "return document.body.innerText.includes('Nobody is set up here yet')").await;
    browser.open(&link).await;
    browser.write("input[name=email]", "ann@full.example").await;
    browser.write("input[name=password]", "Password1234").await;
    browser.click("button[type=submit]").await;
    browser
        .wait("a word on weak passwords", "return document.querySelector('[name=password]').getAttribute('aria-invalid') === 'true'")
        .await;
    let said = errors(browser).await;
    assert!(said.iter().all(|l| l.contains("/api/setup") && l.contains("422")), "{said:?}");
    browser.run("document.querySelector('[name=password]').value = ''; return true").await;
    browser.write("input[name=password]", PASSWORD).await;
    browser.click("button[type=submit]").await;
    browser.wait("the dashboard", "return location.pathname.startsWith('/dashboard')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
    // The cookie is the server's alone.
    let cookies = browser.cookies().await;
    let login = cookies
        .iter()
        .find(|c| c["name"].as_str().is_some_and(|name| name.starts_with("halo_login_")))
        .unwrap_or_else(|| panic!("{cookies:?}"));
    assert_eq!((&login["httpOnly"], &login["sameSite"]), (&json!(true), &json!("Lax")));
    browser.open(&link).await;
    browser.wait("that the link is used up", "return document.body.innerText.includes('This link is used up')").await;
    let said = errors(browser).await;
    assert!(said.iter().all(|l| l.contains("/api/setup/") && l.contains("404")), "{said:?}");

    browser.forget().await;
    browser.open(&office.page("/dashboard/full/deliveries")).await;
    browser.wait("the sign-in page", "return !!document.querySelector('[name=password]')").await;
    errors(browser).await;
    browser.write("input[name=email]", "ann@full.example").await;
    browser.write("input[name=password]", "wrong horse battery staple\u{E007}").await;
    browser.wait("a refusal in words", "return document.body.innerText.includes('do not fit together')").await;
    browser.run("document.querySelector('[name=password]').value = ''; return true").await;
    browser.write("input[name=password]", &format!("{PASSWORD}\u{E007}")).await;
    browser.wait("the page that was asked for", "return location.pathname === '/dashboard/full/deliveries'").await;
    errors(browser).await;
}

/// Every page on every screen.
async fn looks(browser: &Chromium, office: &Office) {
    for (site, page) in [
        ("full", "overview"),
        ("full", "conversions"),
        ("full", "deliveries"),
        ("full", "conversions/conversion_1"),
        ("empty", "overview"),
        ("empty", "conversions"),
        ("empty", "deliveries"),
    ] {
        for (width, height) in [(1440, 900), (390, 844)] {
            for scheme in ["light", "dark"] {
                let what = format!("{site} {page} at {width} px, {scheme}");
                browser.screen(width, height, scheme).await;
                browser.open(&office.page(&format!("/dashboard/{site}/{page}"))).await;
                let ready = match site {
                    "empty" => "return !!document.querySelector('.empty, .first, .first-say, .step')",
                    _ => "return document.querySelectorAll('main tr[data-id], main .rc-line').length",
                };
                browser.wait(&what, ready).await;
                let seen = browser.run(LOOK).await;
                assert_eq!(seen["overflow"], json!(0), "{what}: the page is wider than the screen: {}", seen["wide"]);
                assert_eq!(seen["unnamed"], json!([]), "{what}: controls without a name");
                assert_eq!(seen["h1"], json!(1), "{what}: one heading of the page");
                assert_eq!(seen["lang"], json!("en"), "{what}");
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

/// The page as it is now: nothing wider than the screen, nothing nameless, one heading, no stranger's words at work, no error.
pub async fn is_well_formed(browser: &Chromium, what: &str, scheme: &str) {
    let seen = browser.run(LOOK).await;
    browser.picture(what).await;
    assert_eq!(seen["overflow"], json!(0), "{what}: {seen}");
    assert_eq!(seen["unnamed"], json!([]), "{what}");
    assert_eq!((&seen["h1"], &seen["pwned"], &seen["inline"]), (&json!(1), &Value::Null, &json!([])), "{what}");
    let light = seen["light"].as_f64().expect("a number");
    assert!(if scheme == "dark" { light < 90.0 } else { light > 180.0 }, "{what}: the background is {light}");
    assert_eq!(errors(browser).await, Vec::<String>::new(), "{what}");
}

/// A screen and a telephone, light and dark.
pub const SCREENS: [(u32, u32, &str); 4] = [(1440, 1000, "light"), (390, 844, "light"), (1440, 1000, "dark"), (390, 844, "dark")];

/// Looks at the page as it is.
pub const LOOK: &str = r#"
const wide = [...document.querySelectorAll('body *')].filter((x) => x.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(x).position !== 'fixed'
  && !x.closest('.scroll, pre, .vh, dialog:not([open])') && x.getClientRects().length);
const named = (x) => (x.getAttribute('aria-label') || x.innerText || x.title || x.labels?.[0]?.innerText || x.getAttribute('aria-labelledby') || x.placeholder || '').trim();
const shown = (x) => x.checkVisibility && x.checkVisibility();
const rgb = (() => { for (let x = document.body; x; x = x.parentElement) { const c = getComputedStyle(x).backgroundColor; if (!/, 0\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; })();
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
canvas.fillStyle = rgb; canvas.fillRect(0, 0, 1, 1);
const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
return {
  overflow: Math.max(0, document.documentElement.scrollWidth - innerWidth),
  wide: wide.slice(0, 3).map((x) => x.outerHTML.slice(0, 120)),
  unnamed: [...document.querySelectorAll('button, a[href], input:not([type=hidden]), select')].filter((x) => shown(x) && !named(x)).map((x) => x.outerHTML.slice(0, 120)),
  h1: document.querySelectorAll('h1').length,
  lang: document.documentElement.lang,
  light: (r * 299 + g * 587 + b * 114) / 1000,
  pwned: window.pwned ?? null,
  inline: [...document.querySelectorAll('[onerror], [onload], [onclick], a[href^="javascript:"], main img, main script, main iframe')].map((x) => x.outerHTML.slice(0, 120)),
};
"#;

/// What needs the owner comes by the stream of events, and one press each does away with it.
async fn mends(browser: &Chromium, office: &Office) {
    browser.screen(1440, 900, "light").await;
    browser.open(&office.page("/dashboard/full/deliveries")).await;
    browser.wait("a body that could not be read", "return !!document.querySelector('.needs [data-focus=dismiss]')").await;
    browser.run("window.sameDocument = true; return true").await;
    browser.click(".needs [data-focus=dismiss]").await;
    browser.wait("that nothing needs the owner", "return document.querySelector('.needs').hidden").await;
    office.stray("one more that is no lead");
    browser.wait("the next one, without a look", "return !document.querySelector('.needs').hidden").await;
    office.server.cli(&[
        "connection",
        "add",
        "--site",
        "full",
        "--platform",
        "webhook",
        "--name",
        "By command",
        "--set",
        "url=http://127.0.0.1:9/",
    ]);
    browser.wait("a new connection, without a look", "return document.querySelector('.strip').innerText.includes('By command')").await;
    assert_eq!(browser.run("return window.sameDocument").await, json!(true));

    browser.open(&office.page("/dashboard/full/deliveries?state=refused&range=all")).await;
    browser.wait("all that may go again", "return document.querySelector('.replay-all button')?.innerText.includes('Replay')").await;
    browser.click(".replay-all button").await;
    browser.wait("the question", "return document.querySelector('dialog .main')?.innerText.startsWith('Replay')").await;
    browser.click("dialog .main").await;
    browser.wait("that they are on the way", "return document.body.innerText.includes('on the way')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

async fn by_keyboard(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/full/conversions")).await;
    browser.wait("the ledger", "return document.querySelectorAll('tr[data-id]').length > 3").await;
    browser.run("document.activeElement?.blur(); return true").await;
    // Down to the second row, in, to the next receipt, out.
    browser.press("j").await;
    browser.press("j").await;
    let second = browser.run("return document.activeElement.closest('tr')?.dataset.id").await;
    let rows = browser.run("return [...document.querySelectorAll('tr[data-id]')].map((r) => r.dataset.id)").await;
    assert_eq!(second, rows[1], "{rows}");
    browser.press("\u{E007}").await;
    browser.wait("the receipt", "return !!document.querySelector('dialog[open] .rc-line')").await;
    assert_eq!(
        browser.run("return location.pathname").await,
        json!(format!("/dashboard/full/conversions/{}", rows[1].as_str().unwrap_or_default()))
    );
    assert_eq!(
        browser.run("return document.querySelector('dialog[open]').contains(document.activeElement)").await,
        json!(true),
        "the focus is inside"
    );
    browser.press("j").await;
    let third = format!("return location.pathname.endsWith('/{}')", rows[2].as_str().unwrap_or_default());
    browser.wait("the next receipt", &third).await;
    browser.press("\u{E00C}").await;
    browser
        .wait("the ledger again", "return !document.querySelector('dialog[open]') && location.pathname === '/dashboard/full/conversions'")
        .await;
    browser.wait_for("what is shown", "return document.activeElement.closest('tr')?.dataset.id", rows[2].clone()).await;
    // Search.
    browser.press("/").await;
    browser.wait_for("what is shown", "return document.activeElement.matches('[data-search]')", json!(true)).await;
    browser.press("person3@mail.example").await;
    browser.wait("what fits", "return document.querySelectorAll('tr[data-id]').length === 2").await;
    browser.wait_for("what is shown", "return new URLSearchParams(location.search).get('q')", json!("person3@mail.example")).await;
    // The other ledger.
    browser.open(&office.page("/dashboard/full/deliveries")).await;
    browser.wait("the deliveries", "return document.querySelectorAll('tr[data-id]').length > 3").await;
    browser.run("document.activeElement?.blur(); return true").await;
    browser.press("j").await;
    browser.press("\u{E007}").await;
    let shown = browser.wait("the delivery", "return document.querySelector('dialog[open] .rc')?.innerText").await;
    assert!(!shown.as_str().unwrap_or_default().contains("EAAx0123456789"), "no secret on screen");
    browser.press("\u{E00C}").await;
    browser.wait("the ledger again", "return !document.querySelector('dialog[open]')").await;
    // A row of Tab stops: the first reaches the page's content.
    browser.open(&office.page("/dashboard/full/conversions")).await;
    browser.wait("the ledger", "return document.querySelectorAll('tr[data-id]').length > 3").await;
    browser.press("\u{E004}").await;
    let first = browser.run("return document.activeElement.innerText").await;
    assert_eq!(first, json!("To the page"));
    assert_eq!(browser.run("return window.pwned ?? null").await, Value::Null);
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
