//! The journey of the product in a real browser: a tagged landing, a second page, a return, a form; then the receipt, the
//! delivery, and the dashboard that shows it. And what a page is like for who refuses, or whose browser blocks the tag.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use halotrack::crypto;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::running::{self, Running, free_port};
use crate::stand_in::{Answer, Seen, StandIn};

const PASSWORD: &str = "correct horse battery staple";
const META: &str = "123456789012345";

/// A shop with its pages, the product beside it, and Meta's stand-in.
struct Street {
    server: Running,
    site: String,
    token: String,
    meta: StandIn,
    shop: String,
    _pages: StandIn,
}

/// What the shop's own server does with a sent form: it tells the product, and thanks.
fn take_form(product: SocketAddr, token: &str, seen: &Seen) -> Answer {
    let typed: Vec<(String, String)> = url::form_urlencoded::parse(&seen.body).into_owned().collect();
    let field = |name: &str| typed.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let lead = json!({
        "lead_id": field("number"), "email": field("email"), "name": field("name"), "phone": field("phone"),
        "session_id": field("halo_session_id").filter(|s| !s.is_empty()), "form_type": "contact",
        "url": format!("http://{}/contact", seen.header("host")), "value": "250.00", "currency": "USD",
    })
    .to_string();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    // Its own thread: the page's server waits for the answer as any shop would.
    let told = std::thread::scope(|s| s.spawn(|| running::send(product, "POST", "/api/webhook/lead", &headers, lead.as_bytes())).join());
    let word = told.ok().flatten().map_or("no answer".to_owned(), |h| format!("{} {}", h.status, h.text));
    page(&format!("<title>Thanks</title><h1 id=thanks>Thank you</h1><pre id=told>{}</pre>", word.replace('<', "&lt;")))
}

fn page(inside: &str) -> Answer {
    let html = format!("<!doctype html><html lang=en><meta charset=utf-8>{inside}</html>");
    Answer::Say(200, vec![("content-type", "text/html; charset=utf-8".into())], html.into_bytes())
}

/// The shop's pages. `tag` is the snippet of the whole shop.
fn shop(seen: &Seen, tag: &str, blocked: &str, product: SocketAddr, token: &str) -> Answer {
    let form = "<form method=post action=/contact><input name=number value=L-1 type=hidden><input name=email type=email><input name=name>
        <input name=phone><input type=hidden name=halo_session_id><button id=send>Send</button></form>";
    let own = "<script>window.clicks=0;addEventListener('load',()=>document.title+=' loaded');
        document.addEventListener('click',()=>window.clicks++)</script>";
    match (seen.method.as_str(), seen.target.split('?').next().unwrap_or("/")) {
        ("GET", "/favicon.ico") => Answer::Say(204, Vec::new(), Vec::new()),
        ("POST", "/contact") => take_form(product, token, seen),
        ("GET", "/contact") => page(&format!("<title>Contact</title>{tag}{form}")),
        ("GET", "/second") => page(&format!("<title>Second</title>{tag}<a id=contact href=/contact>Contact</a>")),
        ("GET", "/refused") => {
            page(&format!("<title>Refused</title><script>document.cookie='halo_consent=denied;path=/'</script>{tag}{form}"))
        }
        ("GET", "/codes") => {
            let tag = tag.replace("<script defer", "<script defer data-code=\"Your code\"");
            let talk = "<p id=by><a id=tel href=tel:+353861234567>Call</a></p><a id=sms href='sms:+353861234567?body=Hello'>SMS</a>
                <a id=mail href='mailto:us@shop.example?subject=C%2B%2B+more'>Mail</a><a id=wa href='https://wa.me/353861234567'>WhatsApp</a>
                <a id=api href='https://api.whatsapp.com/send?phone=353861234567&text=Hi'>WhatsApp</a><a id=post href=/blog/whatsapp-tips>Tips</a>
                <input name=halo_code type=hidden>";
            page(&format!("<title>Codes</title>{tag}{talk}"))
        }
        ("GET", "/blocked") => page(&format!("<title>Blocked</title>{blocked}{own}{form}<a id=second href=/second>Second</a>")),
        _ => page(&format!("<title>Landing</title>{tag}<a id=second href=/second>Second</a><b data-halo=code></b>")),
    }
}

impl Street {
    async fn open(consent: &str) -> Self {
        let meta = StandIn::start(|_, _| Answer::json(200, json!({"events_received": 1, "messages": []}))).await;
        let page_port = free_port();
        let origin = format!("http://shop.example:{page_port}");
        let server = Running::new("browser").with_env("HALOTRACK_CORS_ORIGINS", &origin).with_env("HALOTRACK_BASE_URL_META", &meta.url());
        let made = server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--currency", "USD", "--consent", consent]);
        let (site, key) = (word(&made["site"]), word(&made["public_key"]));
        let token = server.cli(&["token", "create", "--site", &site, "--name", "shop", "--scope", "read,write,export"]);
        let token = word(&token["token"]);
        let (pixel, secret) = (format!("pixel_id={META}"), "access_token=EAAbrowser0123456789");
        let args = ["connection", "add", "--site", &site, "--platform", "meta", "--mode", "live", "--set", &pixel, "--set", secret];
        server.cli(&args);
        let args = ["user", "add", "--email", "ann@shop.example", "--role", "owner", "--password-stdin"];
        let mut command = server.command(&args);
        let mut child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().expect("the command runs");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), format!("{PASSWORD}\n").as_bytes()).expect("the password");
        assert!(child.wait().expect("it ends").success());
        let mut server = server;
        server.start();

        let port = server.port;
        let tag = format!("<script defer src=\"http://t.shop.example:{port}/t.js\" data-site=\"{key}\"></script>");
        let blocked = format!("<script defer src=\"http://t.blocked.example:{port}/t.js\" data-site=\"{key}\"></script>");
        let (product, told) = (server.address(), token.clone());
        let pages = StandIn::start_at(page_port, move |seen, _| shop(seen, &tag, &blocked, product, &told)).await;
        Self { server, site, token, meta, shop: origin, _pages: pages }
    }

    fn api(&self, path: &str) -> Value {
        let bearer = format!("Bearer {}", self.token);
        let heard = self.server.get(&format!("/api/sites/{}/{path}", self.site), &[("authorization", &bearer)]).expect("an answer");
        assert_eq!(heard.status, 200, "{path}: {}", heard.text);
        heard.json()
    }

    fn rows(&self, query: &str) -> Vec<Value> {
        self.server.sql(&self.site, query)
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

const HOSTS: &str = "MAP shop.example 127.0.0.1, MAP t.shop.example 127.0.0.1, MAP t.blocked.example ~NOTFOUND";
const SESSION: &str = "return window.HaloTrack && HaloTrack.getSessionId()";

async fn halo_cookies(browser: &Chromium) -> Vec<Value> {
    browser.cookies().await.into_iter().filter(|c| c["name"] == json!("_halo")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_first_click_to_the_receipt() {
    let Some(browser) = Chromium::start(HOSTS).await else { return };
    let street = Street::open("opt-out").await;
    let shop_url = &street.shop;

    // The owner watches, in a window of its own.
    browser.open(&format!("{}/login", street.server.url())).await;
    browser.write("input[name=email]", "ann@shop.example").await;
    browser.write("input[name=password]", PASSWORD).await;
    browser.click("button[type=submit]").await;
    browser.wait("the first page of a new shop", "return /^\\/dashboard\\/shop/.test(location.pathname)").await;
    browser.log().await;
    browser.open(&format!("{}/dashboard/{}/conversions", street.server.url(), street.site)).await;
    browser.wait("the empty ledger", "return !!document.querySelector('.ledger')").await;
    browser.run("window.sameDocument = true; return true").await;
    assert_eq!(browser.log().await, Vec::<String>::new());
    let watching = browser.driver.window().await.expect("the window");

    // A tagged landing.
    let visiting = browser.driver.new_tab().await.expect("a second window");
    browser.driver.switch_to_window(visiting.clone()).await.expect("the shop");
    browser
        .open(&format!("{shop_url}/landing?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=Cj0-test&email=ann%40mail.example"))
        .await;
    let id = word(&browser.wait("a session", SESSION).await);
    let cookies = halo_cookies(&browser).await;
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    assert_eq!((&cookies[0]["value"], &cookies[0]["domain"]), (&json!(id), &json!(".shop.example")), "first-party, set by the server");
    assert_eq!((&cookies[0]["httpOnly"], &cookies[0]["sameSite"]), (&json!(false), &json!("Lax")));
    assert!(cookies[0]["expires"].as_f64().unwrap_or(0.0) > halotrack::clock::Clock::system().now().s() as f64 + 360.0 * 86_400.0);
    let code = word(&browser.wait("the short code", "return document.querySelector('[data-halo=code]').textContent").await);
    assert_eq!(code.len(), 6, "{code}");
    // A second page by a link, then a direct return.
    browser.click("#second").await;
    assert_eq!(browser.wait("the same session", SESSION).await, json!(id));
    browser.open(&format!("{shop_url}/")).await;
    assert_eq!(browser.wait("the same session", SESSION).await, json!(id));
    // The form.
    browser.open(&format!("{shop_url}/second")).await;
    browser.click("#contact").await;
    let filled = browser.wait("the hidden field", "return document.querySelector('[name=halo_session_id]').value").await;
    assert_eq!(filled, json!(id));
    browser.write("[name=email]", "Ann.Lee@mail.example").await;
    browser.write("[name=name]", "Ann Lee").await;
    browser.write("[name=phone]", "+971501234567").await;
    browser.click("#send").await;
    let told = word(&browser.wait("the shop's thanks", "return document.querySelector('#told')?.textContent").await);
    let sent_at = Instant::now();
    assert!(told.starts_with("200 "), "{told}");
    assert_eq!(browser.log().await, Vec::<String>::new(), "no error in the shop's console");

    // The open dashboard shows it by itself.
    browser.driver.switch_to_window(watching).await.expect("the dashboard");
    let row = browser.wait("the lead in the ledger", "return document.querySelector('tr[data-id] .c-what')?.innerText").await;
    let took = sent_at.elapsed();
    assert!(word(&row).contains("L-1"), "{row}");
    assert_eq!(browser.run("return window.sameDocument").await, json!(true), "without a reload");
    eprintln!("the lead stood in the open ledger after {took:?}");

    // One session, few touches, the first one kept.
    let sessions = street.rows("select * from sessions");
    assert_eq!(sessions.len(), 1, "{sessions:#?}");
    assert_eq!(
        (&sessions[0]["ft_source"], &sessions[0]["ft_campaign"], &sessions[0]["lt_source"]),
        (&json!("google"), &json!("spring"), &json!("google"))
    );
    assert!(!sessions[0]["ft_landing"].to_string().contains("mail.example"), "an address in the query is not kept: {}", sessions[0]);
    let listed = street.api("conversions?limit=10");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let lead = &listed["items"][0];
    assert_eq!(
        (&lead["match"]["type"], &lead["credited"][0]["source"], &lead["credited"][0]["campaign"]),
        (&json!("session"), &json!("google"), &json!("spring"))
    );

    // The receipt is complete.
    street.server.wait("the delivery", Duration::from_secs(10), || {
        let all = street.api("deliveries");
        (all["items"][0]["state"] == json!("delivered")).then_some(())
    });
    let receipt = street.api(&format!("receipts/{}", word(&lead["id"])));
    let touches = receipt["touches"].as_array().cloned().unwrap_or_default();
    assert!((1..=2).contains(&touches.len()), "{touches:#?}");
    assert_eq!((&touches[0]["source"], &touches[0]["medium"], &touches[0]["click_id"]), (&json!("google"), &json!("cpc"), &json!("gclid")));
    assert_eq!(touches[0]["credit"]["last_non_direct"]["share_bp"], json!(10_000));
    assert_eq!(touches[0]["credit"]["last_non_direct"]["amount"], json!({"minor": 25_000, "currency": "USD"}));
    assert!(receipt["why"]["sentence"].as_str().is_some_and(|s| s.contains("Same browser")), "{}", receipt["why"]);
    assert_eq!(receipt["received"].as_array().map(Vec::len), Some(1));
    assert_eq!((&receipt["deliveries"][0]["platform"], &receipt["deliveries"][0]["state"]), (&json!("meta"), &json!("delivered")));
    assert_eq!(receipt["runs"].as_array().map(Vec::len), Some(1));

    // Meta has got the documented event, once.
    let arrived = street.meta.seen();
    assert_eq!(arrived.len(), 1);
    assert!(arrived[0].target.starts_with("/v") && arrived[0].target.contains(&format!("/{META}/events")), "{}", arrived[0].target);
    let event = arrived[0].json()["data"][0].clone();
    let hash = |text: &str| crypto::sha256_hex(text.as_bytes());
    assert_eq!(
        (&event["event_name"], &event["event_id"], &event["action_source"]),
        (&json!("Lead"), &json!("lead_L-1"), &json!("website"))
    );
    let user = &event["user_data"];
    assert_eq!(list(&user["em"]), [json!(hash("ann.lee@mail.example"))]);
    assert_eq!(list(&user["ph"]), [json!(hash("971501234567"))]);
    assert_eq!((list(&user["fn"]), list(&user["ln"])), (vec![json!(hash("ann"))], vec![json!(hash("lee"))]));
    assert_eq!(user["client_user_agent"], json!(CHROME));
    assert_eq!((&event["custom_data"]["value"], &event["custom_data"]["currency"]), (&json!(250.0), &json!("USD")));
    assert!(event["event_source_url"].as_str().is_some_and(|u| u.contains("shop.example")), "{event}");
    assert!(!arrived[0].text().to_lowercase().contains("ann.lee"), "nothing of the person but hashes");

    // The receipt opens in the dashboard, too.
    browser.click("tr[data-id] a.open").await;
    let shown = word(&browser.wait("the receipt", "return document.querySelector('dialog[open] .rc-body')?.innerText").await);
    assert!(shown.contains("spring") && shown.contains("Same browser"), "{shown}");
    assert_eq!(browser.log().await, Vec::<String>::new(), "no error in the dashboard's console");
    browser.end().await;
}

const CODES: &str = "return JSON.stringify([document.querySelector('#by').innerText, ...['sms', 'mail', 'wa', 'api', 'post'].map((x) => document.getElementById(x).href), document.querySelector('[name=halo_code]').value])";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_said_on_the_telephone_leads_back_to_the_visit() {
    let Some(browser) = Chromium::start(HOSTS).await else { return };
    let street = Street::open("opt-out").await;
    browser.open(&format!("{}/codes?utm_source=google&utm_medium=cpc&utm_campaign=spring", street.shop)).await;
    let code = word(&browser.wait("the code", "return document.querySelector('[name=halo_code]').value").await);
    let own = code_of(&browser).await;
    assert_eq!(code, own, "the page and the server work out the same");
    let shop = &street.shop;
    let bare = [
        "Call".to_owned(),
        "sms:+353861234567?body=Hello".into(),
        "mailto:us@shop.example?subject=C%2B%2B+more".into(),
        "https://wa.me/353861234567".into(),
        "https://api.whatsapp.com/send?phone=353861234567&text=Hi".into(),
        format!("{shop}/blog/whatsapp-tips"),
        String::new(),
    ];
    let with = [
        format!("Call Your code {code}"),
        format!("sms:+353861234567?body=Hello%0AYour%20code%20{code}"),
        format!("mailto:us@shop.example?subject=C%2B%2B%2Bmore&body=Your%20code%20{code}"),
        format!("https://wa.me/353861234567?text=Your%20code%20{code}"),
        format!("https://api.whatsapp.com/send?phone=353861234567&text=Hi%0AYour%20code%20{code}"),
        format!("{shop}/blog/whatsapp-tips"),
        code.clone(),
    ];
    let text = |rows: &[String]| json!(serde_json::to_string(rows).expect("JSON"));
    browser.wait_for("the code beside the number and in the texts", CODES, text(&with)).await;
    // A number that the page adds later, and a link that it changes, get it too.
    browser.run("document.body.insertAdjacentHTML('beforeend', '<p id=late><a href=tel:112>112</a></p>'); document.getElementById('wa').href = 'https://wa.me/1?text=New'; return true").await;
    browser.wait_for("the later number", "return document.querySelector('#late').innerText", json!(format!("112 Your code {code}"))).await;
    browser
        .wait_for(
            "the changed link",
            "return document.getElementById('wa').href",
            json!(format!("https://wa.me/1?text=New%0AYour%20code%20{code}")),
        )
        .await;
    browser.run("document.getElementById('wa').href = 'https://wa.me/353861234567'; return true").await;
    browser.wait("the server has heard that it is shown", "return !!sessionStorage.halo_code").await;

    // Somebody calls, and the owner notes the code.
    let bearer = format!("Bearer {}", street.token);
    let order = json!({"order_id": "T-1", "total": "50.00", "currency": "USD", "email": "ann@mail.example", "note": format!("by telephone, {code}"), "status": "paid"});
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let told = street.server.post("/api/webhook/order", &headers, order.to_string().as_bytes()).expect("an answer");
    assert_eq!(told.status, 200, "{}", told.text);
    let line = street.api("conversions?limit=1")["items"][0].clone();
    assert_eq!((&line["match"]["type"], &line["credited"][0]["campaign"]), (&json!("code"), &json!("spring")), "{line:#}");

    // Who refuses sees none of it.
    browser.run("HaloTrack.consent('denied'); return true").await;
    browser.wait_for("everything as the page had it", CODES, text(&bare)).await;
    assert_eq!(browser.log().await, Vec::<String>::new(), "no error in the shop's console");
    browser.end().await;
}

/// As the server works it out.
async fn code_of(browser: &Chromium) -> String {
    let id = word(&browser.wait("a session", SESSION).await);
    halotrack::domain::short_code::of_session(&id)
}

/// Platforms take a text or a list of them.
fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_refuses_is_counted_once_and_nothing_else() {
    let Some(browser) = Chromium::start(HOSTS).await else { return };
    let street = Street::open("opt-in").await;
    // Refused by name, on a shop that asks first.
    browser.open(&format!("{}/refused?utm_source=google&utm_medium=cpc&email=ann%40mail.example", street.shop)).await;
    browser.wait("the tag", "return !!window.HaloTrack").await;
    street
        .server
        .wait("the anonymous row", Duration::from_secs(10), || (!street.rows("select 1 from anon_events").is_empty()).then_some(()));
    assert_eq!(browser.run(SESSION).await, Value::Null);
    assert_eq!(browser.run("return HaloTrack.code()").await, Value::Null);
    assert_eq!(halo_cookies(&browser).await, Vec::<Value>::new());
    assert_eq!(browser.run("return JSON.stringify([...Object.keys(localStorage), ...Object.keys(sessionStorage)])").await, json!("[]"));
    assert_eq!(browser.run("return document.querySelector('[name=halo_session_id]').value").await, json!(""));
    browser.write("[name=email]", "silent@mail.example").await;
    browser.click("#send").await;
    let told = word(&browser.wait("the shop's thanks", "return document.querySelector('#told')?.textContent").await);
    assert!(told.starts_with("200 "), "{told}");
    let rows = street.rows("select * from anon_events");
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!((&rows[0]["utm_source"], &rows[0]["page_path"]), (&json!("google"), &json!("/refused")));
    assert!(!json!(rows).to_string().contains("mail.example"));
    assert_eq!(street.rows("select * from sessions"), Vec::<Value>::new());
    let delivery = street.api("deliveries")["items"][0].clone();
    assert_eq!((&delivery["state"], &delivery["reason"]), (&json!("skipped"), &json!("consent")));
    assert_eq!(street.meta.seen().len(), 0, "nothing is sent");
    assert_eq!(browser.log().await, Vec::<String>::new());

    // Nothing said yet: the shop asks first, so the same.
    browser.forget().await;
    browser.open(&format!("{}/landing?utm_source=news", street.shop)).await;
    browser.wait("the tag", "return !!window.HaloTrack").await;
    street.server.wait("the second row", Duration::from_secs(10), || (street.rows("select 1 from anon_events").len() == 2).then_some(()));
    assert_eq!(halo_cookies(&browser).await, Vec::<Value>::new());
    // Then the visitor agrees, and a session begins on the spot; then takes it back, and it ends.
    browser.run("HaloTrack.consent('granted'); return true").await;
    let id = word(&browser.wait("a session", SESSION).await);
    assert_eq!(halo_cookies(&browser).await.len(), 1);
    browser.run("HaloTrack.consent('denied'); return true").await;
    browser.wait("the end of it", "return HaloTrack.getSessionId() === null && !/_halo=[^;]/.test(document.cookie)").await;
    assert_eq!(halo_cookies(&browser).await, Vec::<Value>::new());
    street.server.wait("the refusal", Duration::from_secs(10), || {
        let rows = street.rows("select session_id, consent_status from sessions");
        rows.iter().any(|r| id.starts_with(&word(&r["session_id"])) && r["consent_status"] == json!("denied")).then_some(())
    });
    assert_eq!(browser.log().await, Vec::<String>::new());
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_works_without_the_tag() {
    let Some(browser) = Chromium::start(HOSTS).await else { return };
    let mut street = Street::open("opt-out").await;
    browser.open(&format!("{}/blocked?utm_source=google", street.shop)).await;
    browser.wait("the page's own script", "return document.title === 'Blocked loaded'").await;
    assert_eq!(browser.run("return typeof window.HaloTrack").await, json!("undefined"));
    let said = browser.log().await;
    assert!(said.iter().all(|l| l.contains("t.blocked.example")), "nothing but the blocked address itself: {said:?}");
    browser.write("[name=email]", "ann@mail.example").await;
    browser.click("#send").await;
    let told = word(&browser.wait("the shop's thanks", "return document.querySelector('#told')?.textContent").await);
    assert!(told.starts_with("200 "), "a form without a session is a lead all the same: {told}");
    assert_eq!(street.rows("select match_type from leads"), vec![json!({"match_type": "none"})]);

    // The product is down: the page does not wait for it, and what it could not send goes with the next page.
    browser.forget().await;
    browser.open(&format!("{}/", street.shop)).await;
    browser.wait("a session", SESSION).await;
    browser.log().await;
    street.server.kill9();
    browser.open(&format!("{}/second", street.shop)).await;
    browser.wait("the page", "return document.title === 'Second'").await;
    browser.run("addEventListener('click', e => sessionStorage.held = e.defaultPrevented); return true").await;
    browser.click("#contact").await;
    browser.wait("the next page", "return document.title === 'Contact'").await;
    assert_eq!(browser.run("return sessionStorage.held").await, json!("false"), "the tag does not hold a click back");
    // A request that was under way when the server went is one more that did not arrive: the browser has several words for it.
    let said = browser.log().await;
    assert!(said.iter().all(|l| l.contains("//t.shop.example:") && l.contains("net::ERR_")), "{said:?}");
    browser.end().await;
}
