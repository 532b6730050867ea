//! Pages that go through the proxy are counted: without a script, once, and never at the page's expense.

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::{CHROME, House};
use crate::running::Running;
use crate::upstream::{BROWSER, Street, Upstream};

const VIEWS: &str = "select sum(page_views) from sessions";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_without_a_script_is_known_from_the_first_page() {
    let street = Street::open().await;
    let first =
        street.open_page("/page?utm_source=news&utm_medium=email&q=ann@mail.example", "Referer: https://www.google.com/\r\n").await.is(200);
    let id = first.session().expect("a cookie").to_owned();
    let cookie = first.header("set-cookie");
    assert!(cookie.contains("Max-Age=31536000; Path=/; Domain=shop.example; SameSite=Lax; Secure"), "{cookie}");
    street.holds(VIEWS, 1).await;
    let second = street.open_page("/next", &format!("Cookie: own=1; _halo={id}\r\nReferer: https://shop.example/page\r\n")).await.is(200);
    assert_eq!(second.session(), Some(id.as_str()), "the second page keeps the session");
    street.holds(VIEWS, 2).await;
    let session = street.house.session(&street.site, &id);
    assert_eq!(session["ft_source"], json!("news"), "{session}");
    assert_eq!(street.house.sql(&street.site, "select 1 from sessions").len(), 1);
    // The shop's server knows it too, from us alone.
    let heard = street.open_page("/echo", &format!("Cookie: _halo={id}\r\nX-Halo-Session: forged\r\n")).await.text();
    assert!(heard.contains(&format!("x-halo-session: {id}")) && !heard.contains("forged"), "{heard}");
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_pages_that_somebody_opens_are_counted() {
    let street = Street::open().await;
    let plain = BROWSER.replace("Sec-Fetch-Dest: document\r\n", "");
    let cases: Vec<(&str, &str, String)> = vec![
        ("HEAD", "/page", BROWSER.into()),
        ("POST", "/page", BROWSER.into()),
        ("GET", "/picture", BROWSER.into()),
        ("GET", "/picture", BROWSER.replace("document", "image")),
        ("GET", "/page", BROWSER.replace("document", "empty")),
        ("GET", "/page", plain.replace("text/html,application/xhtml+xml,", "")),
        ("GET", "/nothing", BROWSER.into()),
        ("GET", "/page", format!("{BROWSER}Sec-Purpose: prefetch;prerender\r\n")),
        ("GET", "/page", format!("{BROWSER}Purpose: prefetch\r\n")),
        ("GET", "/page", format!("{BROWSER}X-Moz: prefetch\r\n")),
        ("GET", "/page", format!("{BROWSER}X-Purpose: preview\r\n")),
        ("GET", "/empty", BROWSER.into()),
        ("GET", "/again", BROWSER.into()),
        ("GET", "/part", format!("{BROWSER}Range: bytes=0-29\r\n")),
    ];
    for (method, path, headers) in cases {
        let said = street.ask(method, path, &headers, b"").await;
        assert_eq!(said.session(), None, "{method} {path}");
    }
    let bot = BROWSER.replace("Chrome/126.0.0.0", "compatible; Googlebot/2.1; +http://www.google.com/bot.html");
    assert_eq!(street.get("/page", &bot).await.is(200).session(), None);
    street.is_counted("halotrack_touches_dropped_total{what=\"bot\"} 1\n").await;
    assert!(street.get("/page", &plain).await.is(200).session().is_some(), "an older browser says only what it takes");
    assert!(street.open_page("/known", "").await.is(304).session().is_some());
    street.holds("select count(*) from sessions", 2).await;
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_and_its_tag_are_one_view() {
    let street = Street::open().await;
    let id = street.open_page("/page?utm_source=news&utm_medium=email", "").await.session().expect("a cookie").to_owned();
    street.holds(VIEWS, 1).await;
    let tell = async |event: &str, navigation: &str, cookie: Option<&str>| {
        let body = json!({"site": street.site.key, "landing": "/page?utm_source=news&utm_medium=email", "event_id": event,
            "navigation": navigation, "title": "Shop", "ga_client_id": "1.2"});
        let cookie = cookie.map(|id| format!("Cookie: _halo={id}\r\n")).unwrap_or_default();
        let headers = format!("{BROWSER}Origin: https://shop.example\r\n{cookie}");
        let said = street.ask("POST", "/api/touch", &headers, body.to_string().as_bytes()).await.is(200);
        serde_json::from_str::<Value>(&said.text()).expect("JSON")["session_id"].as_str().map(str::to_owned)
    };
    assert_eq!(tell("e1", "navigate", Some(&id)).await.as_deref(), Some(id.as_str()));
    assert_eq!(tell("e1", "navigate", Some(&id)).await.as_deref(), Some(id.as_str()), "sent again");
    let sum = |query: &str| street.house.sql(&street.site, query)[0]["n"].as_i64();
    assert_eq!(sum("select sum(page_views) n from sessions"), Some(1));
    assert_eq!(sum("select sum(touch_count) n from sessions"), Some(1));
    let session = street.house.session(&street.site, &id);
    assert_eq!(session["ga_client_id"], json!("1.2"), "what only the page knows is kept: {session}");
    // The same page out of the browser's own store: nothing was asked of us, so the tag's word counts.
    tell("e2", "back_forward", Some(&id)).await;
    tell("e3", "spa", Some(&id)).await;
    assert_eq!(sum("select sum(page_views) n from sessions"), Some(3));

    // Somebody without an id at the same address and with the same browser is nobody that was seen before: a browser that
    // keeps no cookies, or a stranger who would have another's id.
    let other = street.open_page("/page?utm_source=news&utm_medium=email", "").await.session().expect("a cookie").to_owned();
    street.holds(VIEWS, 4).await;
    let given = tell("e4", "navigate", None).await.expect("an id of its own");
    assert!(given != id && given != other);
    assert_eq!(sum("select sum(page_views) n from sessions"), Some(5));
    assert_eq!(tell("e5", "navigate", Some(&other)).await.as_deref(), Some(other.as_str()), "its own tag is still awaited");
    assert_eq!(sum("select sum(page_views) n from sessions"), Some(5));
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_page_tells_may_be_quicker_than_the_page_itself() {
    let street = Street::open().await;
    for n in 1..=5 {
        // The load waits for others of its moment; what the page's script tells of the next page is written at once.
        let id = street.open_page("/page?utm_source=news&utm_medium=email", "").await.session().expect("a cookie").to_owned();
        let body = json!({"site": street.site.key, "landing": "/next", "event_id": format!("e{n}"), "navigation": "spa"}).to_string();
        let headers = format!("{BROWSER}Origin: https://shop.example\r\nCookie: _halo={id}\r\n");
        street.ask("POST", "/api/touch", &headers, body.as_bytes()).await.is(200);
        street.holds(VIEWS, 2 * n).await;
        street.holds("select count(*) from sessions", n).await;
        street.holds("select count(*) from sessions where lt_source = 'news'", n).await;
    }
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_behind_a_redirect_is_one_view() {
    let street = Street::open().await;
    let id = street.open_page("/moved", "").await.is(302).session().expect("a cookie").to_owned();
    street.holds(VIEWS, 1).await;
    let known = format!("Cookie: _halo={id}\r\n");
    street.open_page("/target", &known).await.is(200);
    street.open_page("/target", &known).await.is(200);
    street.holds(VIEWS, 2).await;
    // One that leads to a page with a campaign is no direct visit before it.
    let other = street.open_page("/go", "X-Forwarded-For: 198.51.100.8\r\n").await.is(302).session().expect("a cookie").to_owned();
    street.open_page("/page?utm_source=partner&utm_medium=affiliate", &format!("Cookie: _halo={other}\r\n")).await.is(200);
    street.holds(VIEWS, 3).await;
    assert_eq!(street.house.session(&street.site, &other)["ft_source"], json!("partner"));
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_consent_there_is_a_count_and_no_cookie() {
    let house = House::new();
    let site = house.site_with("shop.example", |new| new.consent = halotrack::domain::consent::Mode::OptIn).await;
    let street = Street::at(house, site, Upstream::start().await).await;
    let said = street.open_page("/page?utm_source=news", "").await.is(200);
    assert_eq!((said.session(), said.header("set-cookie")), (None, ""));
    street.holds("select count(*) from anon_events", 1).await;
    // Its tag says the same page again, with nothing to know it by but the moment.
    let body = json!({"site": street.site.key, "landing": "/page?utm_source=news", "event_id": "e1", "navigation": "navigate"}).to_string();
    street.ask("POST", "/api/touch", &format!("{BROWSER}Origin: https://shop.example\r\n"), body.as_bytes()).await.is(200);
    street.holds("select count(*) from anon_events", 1).await;
    // A yes begins a session, a later no clears it.
    let yes = "CookieConsent={stamp:'x'%2Cnecessary:true%2Cstatistics:true%2Cmarketing:true}";
    let id = street.open_page("/next", &format!("Cookie: {yes}\r\n")).await.session().expect("a cookie").to_owned();
    // A page whose script alone knows of the yes says nothing: that is no refusal, and is left to the script.
    let silent = street.open_page("/next", &format!("Cookie: _halo={id}\r\n")).await;
    assert_eq!(silent.header("set-cookie"), "");
    let cleared = street.open_page("/next", &format!("Cookie: halo_consent=denied; _halo={id}\r\n")).await;
    assert_eq!(cleared.session(), Some(""), "{}", cleared.head);
    assert!(cleared.header("set-cookie").contains("Max-Age=0"));
    assert!(!street.open_page("/echo", &format!("Cookie: halo_consent=denied; _halo={id}\r\n")).await.text().contains("x-halo-session"));
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_is_served_whatever_happens_to_us() {
    let street = Street::open().await;
    // No room on the disk.
    halotrack::key::open(&street.house.app.config.master_key_file, false).expect("a key is made");
    street.house.room.is_mib(90);
    halotrack::jobs::lookout::look(&street.house.app).await.expect("a look");
    assert!(street.open_page("/page", "").await.is(200).text().contains("Shop é"));
    street.is_counted("halotrack_touches_dropped_total{what=\"storage_full\"} 1\n").await;
    street.house.room.is_mib(1 << 20);
    halotrack::jobs::lookout::look(&street.house.app).await.expect("a look");

    // A writer that hangs: pages go on, touches wait, and beyond the room for them they are dropped and counted.
    let (free, held) = std::sync::mpsc::channel::<()>();
    let (app, site) = (street.house.app.clone(), street.site.id);
    let hangs = move |_: &halotrack::store::scope::SiteConn| {
        let _ = held.recv();
        Ok(())
    };
    let stuck = tokio::spawn(async move { app.store.write(site, hangs).await });
    for n in 0..halotrack::app::MOST_QUEUED + 100 {
        let call = street.house.get("/page").host("shop.example").header("user-agent", CHROME).header("accept", "text/html");
        let call = call.header("x-forwarded-for", &format!("198.51.{}.{}", n / 250, n % 250));
        call.send().await.is(200);
    }
    assert!(street.house.get("/page").host("shop.example").header("accept", "text/html").send().await.is(200).text.contains("Shop é"));
    assert!(street.house.app.figures.all().iter().any(|(name, what, _)| *name == "touches_dropped" && what == "queue_full"));
    drop(free);
    stuck.await.expect("it ends").expect("it was written");
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tag_goes_into_pages_where_the_owner_wants_it() {
    let street = Street::open().await;
    let plain = street.open_page("/page", "").await;
    assert!(!plain.text().contains("t.js") && !plain.header("content-length").is_empty());
    assert_eq!(plain.header("x-accepts"), "gzip, br");
    street.set("proxy.inject", "true").await;
    let line = format!("<script defer src=\"//shop.example/t.js\" data-site=\"{}\"></script>", street.site.key);
    let tagged = street.open_page("/page", "").await.is(200);
    assert_eq!(tagged.text(), plain.text().replace("</head>", &format!("{line}</head>")));
    assert_eq!((tagged.header("x-accepts"), tagged.header("content-length"), tagged.header("etag")), ("none", "", "W/\"page\""));
    let strict = street.open_page("/strict", "").await.text();
    let with_nonce = line.replace("></script>", " nonce=\"r4nd0m\"></script>");
    assert!(strict.contains(&format!("'</head>'</script>{with_nonce}</head>")), "{strict}");
    assert!(!street.open_page("/packed", "").await.text().contains("t.js"));
    // Only pages that somebody opens: all else stays to the byte.
    let fetched = street.get("/page", &BROWSER.replace("document", "empty")).await;
    assert_eq!((fetched.text(), fetched.header("x-accepts")), (plain.text(), "gzip, br"));
    assert_eq!(street.ask("HEAD", "/page", BROWSER, b"").await.is(200).header("etag"), "\"page\"");
    street.close().await;
}

/// The shop in a real browser, through the real binary. A page that says it is quite there and has no script at all, then
/// with the tag put in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_with_and_without_scripts() {
    let Some(browser) = Chromium::start("MAP shop.example 127.0.0.1").await else { return };
    let upstream = Upstream::start().await;
    let server = Running::new("proxied");
    let shop = format!("http://shop.example:{}", server.port);
    let mut server = server.with_env("HALOTRACK_CORS_ORIGINS", &shop);
    server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--currency", "USD", "--consent", "opt-out"]);
    server.cli(&["site", "set", "shop", &format!("proxy.upstream={}", upstream.url())]);
    server.start();
    let views = || server.sql("shop", "select count(*) sessions, coalesce(sum(page_views), 0) views from sessions")[0].clone();
    let wait = |sessions: i64, count: i64| {
        server.wait("the views", std::time::Duration::from_secs(20), || {
            (views() == json!({"sessions": sessions, "views": count})).then_some(())
        });
    };
    let scripts = async |are_off: bool| {
        let told = browser.driver.cdp().send_raw("Emulation.setScriptExecutionDisabled", json!({"value": are_off})).await;
        told.expect("scripts are switched");
    };
    scripts(true).await;
    browser.open(&format!("{shop}/page?utm_source=news&utm_medium=email")).await;
    wait(1, 1);
    browser.open(&format!("{shop}/next")).await;
    wait(1, 2);
    scripts(false).await;
    server.cli(&["site", "set", "shop", "proxy.inject=true"]);
    browser.open(&format!("{shop}/page?again")).await;
    let id = browser.wait("the tag has an id", "return window.own === 1 && window.HaloTrack && HaloTrack.getSessionId()").await;
    let cookie = browser.run("return document.cookie").await;
    assert!(cookie.as_str().is_some_and(|c| c.contains(&format!("_halo={}", id.as_str().unwrap_or_default()))), "{cookie} {id}");
    // This the page's own script has set: only the tag can have told it.
    let told = "select count(*) n from sessions where ga_client_id = '111.222'";
    let patience = std::time::Duration::from_secs(20);
    server.wait("the tag's word", patience, || (server.sql("shop", told)[0]["n"] == json!(1)).then_some(()));
    wait(1, 3);
    // What the browser asks for beside the page, and drops when it goes on, is none of the proxy's.
    let mut log = browser.log().await;
    log.retain(|line| !line.contains("favicon") && !line.contains("net::ERR_ABORTED") && !line.starts_with("chrome://"));
    assert!(log.is_empty(), "{log:?}");
    browser.end().await;
    server.stop();
}
