//! What a new owner meets first: a page that is refused is named where its visit is waited for, several boxes on one machine
//! leave each other signed in, and a page whose owner has signed out asks no more.

use halotrack::domain::rights::Right;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::{House, SiteAt};
use crate::pages::{SCREENS, errors, is_well_formed};
use crate::running::Running;
use crate::two_shops;

async fn refused(house: &House, site: &SiteAt) -> Vec<Value> {
    let answer = house.get(&format!("/api/sites/{}/refused-pages", site.slug)).token(&site.token).send().await.is(200);
    answer.json["items"].as_array().expect("pages").clone()
}

#[tokio::test]
async fn a_page_that_is_refused_is_named_to_its_own_site_with_the_way_out() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let from = async |origin: &str| {
        let body = json!({"site": site.key, "landing": "/"}).to_string();
        house.advance_s(1);
        house.post("/api/touch").browser(&site).header("origin", origin).body(body).send().await.status
    };
    assert_eq!(refused(&house, &site).await, Vec::<Value>::new());
    for (origin, why, command) in [
        ("http://shop.example:8091", "it is on port 8091", "halotrack site set shop cors_origins=http://shop.example:8091"),
        ("http://localhost:8091", "localhost is an address of a machine", "cors_origins=http://localhost:8091"),
        ("http://127.0.0.1:8091", "127.0.0.1 is an address of a machine", "cors_origins=http://127.0.0.1:8091"),
        ("https://evil.example", "evil.example is none of this site's domains (shop.example)", "domains=shop.example,evil.example"),
        ("null", "no web address of its own", ""),
    ] {
        assert_eq!(from(origin).await, 403, "{origin}");
        let last = refused(&house, &site).await.swap_remove(0);
        assert_eq!(last["origin"], origin);
        assert!(last["why"].as_str().is_some_and(|said| said.contains(why)), "{last}");
        assert!(last["command"].as_str().unwrap_or_default().contains(command), "{last}");
        assert_eq!(last["command"].is_null(), command.is_empty(), "{last}");
    }
    // What nobody can have written but a stranger's program is not shown, and nobody fills the memory.
    assert_eq!(from("http://$(reboot).example").await, 403);
    for n in 0..20 {
        assert_eq!(from(&format!("http://localhost:{}", 9_000 + n % 2)).await, 403);
    }
    let pages = refused(&house, &site).await;
    assert_eq!((pages.len(), &pages[0]["times"]), (5, &json!(10)), "{pages:?}");
    assert!(!json!(pages).to_string().contains("reboot"), "{pages:?}");
    // Nobody else's, and not for who is shown less.
    assert_eq!(refused(&house, &other).await, Vec::<Value>::new());
    let client = house.login("cleo@shop.example", Right::See, Some(site.id)).await;
    house.get("/api/sites/shop/refused-pages").cookie(&client).send().await.is(403);
    // What is allowed is counted, and explained no more.
    let allow = json!({"cors_origins": ["http://localhost:9000"]});
    house.post("/api/sites/shop/settings").token(&site.token).json(&allow).send().await.is(200);
    assert_eq!(from("http://localhost:9000").await, 200);
    assert!(refused(&house, &site).await.iter().all(|page| page["origin"] != "http://localhost:9000"));
    house.advance_s(3_601);
    assert_eq!(refused(&house, &site).await, Vec::<Value>::new());
}

/// A touch as a page of the origin sends it.
fn touched(server: &Running, site: &str, origin: &str) -> u16 {
    let all = server.cli(&["site", "list"]);
    let key = all.as_array().into_iter().flatten().find(|s| s["site"] == site).expect("the site")["public_key"].clone();
    let body = json!({"site": key, "landing": "/"}).to_string();
    server.post("/api/touch", &[("origin", origin), ("content-type", "text/plain")], body.as_bytes()).expect("an answer").status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_that_waits_for_a_visit_says_why_none_comes() {
    let Some(browser) = Chromium::start("").await else { return };
    let (server, token) = two_shops::open("first-hour");
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    assert_eq!(touched(&server, "empty", "http://empty.example:8091"), 403);
    for (width, height, scheme) in SCREENS {
        browser.screen(width, height, scheme).await;
        browser.open(&format!("{}/dashboard/empty/install", server.url())).await;
        let told = "const t = document.querySelector('.sent-away')?.innerText ?? ''; return t.includes('A page at http://empty.example:8091 asked') \
                    && t.includes('because it is on port 8091') && t.includes('cors_origins=http://empty.example:8091')";
        browser.wait("why none comes", told).await;
        is_well_formed(&browser, &format!("refused-page-{width}-{scheme}"), scheme).await;
    }
    browser.screen(1440, 1000, "light").await;
    // A lead by a token: the form's own address was not used, and nothing on the page says otherwise.
    server.cli(&["connection", "add", "--site", "full", "--platform", "forms"]);
    two_shops::tell(&server, &token, "/api/webhook/lead", &json!({"lead_id": "L-1", "email": "ann@mail.example"}));
    browser.open(&format!("{}/dashboard/full/install", server.url())).await;
    let both = "const t = document.body.innerText; return t.includes('nothing by this address yet') \
                && t.includes('Conversions come in, by a token or another way than these addresses.')";
    browser.wait("where conversions come from", both).await;
    assert!(!browser.run("return document.body.innerText").await.to_string().contains("8091"), "another site's page");
    assert_eq!(errors(&browser).await, Vec::<String>::new());
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_boxes_on_one_machine_leave_each_other_signed_in_and_a_signed_out_page_asks_no_more() {
    let Some(browser) = Chromium::start("").await else { return };
    let (one, _) = two_shops::open("first-box");
    let (other, _) = two_shops::open("second-box");
    two_shops::sign_up(&browser, &one).await;
    two_shops::sign_up(&browser, &other).await;
    browser.open(&format!("{}/dashboard/full/conversions", one.url())).await;
    browser.wait("still signed in", "return !!document.querySelector('.rail')").await;
    // In another tab, for all that this page knows.
    let out =
        "return fetch('/api/logout', {method: 'POST', headers: {'content-type': 'application/json'}, body: '{}'}).then((r) => r.status)";
    assert_eq!(browser.run(out).await, json!(204));
    let led = "return location.pathname === '/login' && location.search.includes('conversions') && document.body.innerText.includes('You were signed out')";
    browser.wait("the sign-in page", led).await;
    browser.open(&format!("{}/dashboard/full/conversions", other.url())).await;
    browser.wait("the other box is as it was", "return !!document.querySelector('.rail')").await;
    browser.end().await;
}
