//! Who may ask what: every route of the table by every kind of caller. `routes.txt` lists the routes with who may ask;
//! a new route fails here until its line is there (`UPDATE=1 cargo test` writes it, and the diff is read).

use std::collections::BTreeSet;

use halotrack::domain::rights::{Right, Scope};
use halotrack::flows;
use halotrack::http::route::{Route, Who};
use halotrack::http::table::ROUTES;
use serde_json::json;

use crate::edges::address_of;
use crate::house::{Answer, Call, House};

/// A call of the route with a body that has nothing in it.
fn call<'a>(house: &'a House, route: &Route, site: &str) -> Call<'a> {
    let call = house.call(route.method, &address_of(route.path, site));
    if matches!(route.method, "GET" | "OPTIONS") { call } else { call.json(&json!({})) }
}

fn passed(answer: &Answer) -> bool {
    !matches!(answer.status, 401 | 403) && answer.code() != "not_found"
}

#[test]
fn every_route_is_listed_with_who_may_ask() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/routes.txt");
    let mut lines: Vec<String> = ROUTES.iter().map(|r| format!("{:<8}{:<56}{:?} {:?}\n", r.method, r.path, r.who, r.hosts)).collect();
    lines.sort_by_key(|line| line[8..].to_owned());
    let text = lines.concat();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &text).expect("the list is written");
    }
    let listed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(listed == text, "tests/it/routes.txt differs from the table: run UPDATE=1 cargo test and read the diff");
    let unique: BTreeSet<(&str, &str)> = ROUTES.iter().map(|r| (r.method, r.path)).collect();
    assert_eq!(unique.len(), ROUTES.len(), "two rows of one method and path");
}

#[tokio::test]
async fn nobody_gets_past_a_route_that_wants_somebody() {
    let house = House::new();
    house.site("shop.example").await;
    for route in
        ROUTES.iter().filter(|r| !matches!(r.who, Who::Anyone | Who::Page | Who::Visitor | Who::Hook | Who::Sender | Who::Share(_)))
    {
        let answer = call(&house, route, "shop").header("x-forwarded-for", "198.51.100.7").send().await;
        assert_eq!(answer.status, 401, "{}: {}", answer.asked, answer.text);
        for bad in ["ht_nonsense", "", "x y"] {
            let answer = call(&house, route, "shop").header("x-forwarded-for", "198.51.100.7").token(bad).send().await;
            assert_eq!(answer.status, 401, "{} with the token {bad:?}: {}", answer.asked, answer.text);
        }
    }
}

#[tokio::test]
async fn a_token_opens_what_its_scope_says_on_its_own_site() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let now = house.clock.now();
    let expiring =
        flows::tokens::create(&house.app, "command line", shop.id, "x".into(), Scope::ALL.to_vec(), Some(now.plus_ms(1_000)), None);
    let expiring = expiring.await.expect("a token").reveal().to_owned();
    let revoked = house.token(shop.id, &Scope::ALL).await;
    let id = house.app.book().token(&halotrack::store::tokens::hash(&revoked)).expect("it is known").token.id;
    flows::tokens::revoke(&house.app, "command line", shop.id, id).await.expect("revoked");
    house.advance_s(5);
    let owner = house.login("ann@shop.example", Right::Own, None).await;
    for route in ROUTES {
        let scope = match route.who {
            Who::Token(scope) | Who::Site(_, scope) => scope,
            Who::Login | Who::BoxOwner | Who::Member(_) => {
                // Pages for people take no token, and a token beside a cookie is no login either.
                let answer = call(&house, route, "shop").token(&shop.token).send().await;
                assert_eq!(answer.status, 401, "{}", answer.asked);
                continue;
            }
            _ => continue,
        };
        house.advance_s(60);
        let with = async |token: &str, site: &str| call(&house, route, site).token(token).send().await;
        let missing = with(&house.token(shop.id, &others(scope)).await, "shop").await.is(403);
        assert!(missing.text.contains(&format!("Needs {}.", scope.word())), "{}", missing.text);
        let expired = with(&expiring, "shop").await.is(401);
        assert!(expired.text.contains("This token expired on 2026-06-13."), "{}", expired.text);
        with(&revoked, "shop").await.is(401);
        if matches!(route.who, Who::Site(..)) {
            assert_eq!(with(&other.token, "shop").await.is(404).code(), "not_found");
            assert_eq!(with(&shop.token, "nowhere").await.is(404).code(), "not_found");
            // A good cookie does not help a bad token.
            call(&house, route, "shop").cookie(&owner).token("ht_nonsense").send().await.is(401);
        } else {
            call(&house, route, "shop").cookie(&owner).send().await.is(401);
        }
        let good = with(&shop.token, "shop").await;
        assert!(!matches!(good.status, 401 | 403), "{}: {} {}", good.asked, good.status, good.text);
    }
}

fn others(scope: Scope) -> Vec<Scope> {
    Scope::ALL.into_iter().filter(|s| *s != scope).collect()
}

#[tokio::test]
async fn a_member_may_what_the_role_says_on_own_sites_only() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.site("other.example").await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    for right in Right::ALL {
        let member = house.login(&format!("{}@shop.example", right.role()), right, Some(shop.id)).await;
        for route in ROUTES {
            let (Who::Site(needed, _) | Who::Member(needed)) = route.who else {
                if route.who == Who::BoxOwner {
                    call(&house, route, "shop").cookie(&member).send().await.is(403);
                }
                continue;
            };
            let answer = call(&house, route, "shop").cookie(&member).send().await;
            if right < needed {
                assert!(
                    answer.status == 403 && answer.text.contains("missing_right"),
                    "{} as {}: {}",
                    answer.asked,
                    right.role(),
                    answer.text
                );
            } else {
                assert!(!matches!(answer.status, 401 | 403), "{} as {}: {}", answer.asked, right.role(), answer.text);
            }
            let foreign = call(&house, route, "other").cookie(&member).send().await;
            assert_eq!((foreign.status, foreign.code()), (404, "not_found"), "{}", foreign.asked);
        }
    }
    for route in ROUTES.iter().filter(|r| matches!(r.who, Who::Login | Who::BoxOwner)) {
        let answer = call(&house, route, "shop").cookie(&ann).send().await;
        assert!(passed(&answer), "{}: {}", answer.asked, answer.text);
    }
}

#[tokio::test]
async fn a_kept_path_takes_a_login_of_the_site_that_is_named() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    for (site, url) in [(&shop, "http://127.0.0.1:9/ours"), (&other, "http://127.0.0.1:9/theirs")] {
        house.connect(site, "woocommerce", "", &[("url", url)]).await;
    }
    // As often as stories of this house ask: by host of the site, and of its shop.
    let ask = |route: &Route, cookie: &str, domain: &str| {
        let call = match route.method {
            "GET" => house.get(&format!("{}?domain={domain}&platform=woocommerce", route.path)),
            _ => house.post(route.path).json(&json!({"domain": domain, "platform": "woocommerce", "action": "dance"})),
        };
        call.cookie(cookie).send()
    };
    let mut seen = 0;
    for right in Right::ALL {
        let member = house.login(&format!("{}@shop.example", right.role()), right, Some(shop.id)).await;
        for route in ROUTES {
            let Who::Named(needed, _) = route.who else { continue };
            seen += 1;
            house.advance_s(60);
            for own in ["shop.example", "www.shop.example", "127.0.0.1:9/ours"] {
                let answer = ask(route, &member, own).await;
                if right < needed {
                    assert!(answer.status == 403 && answer.text.contains("missing_right"), "{} {own}: {}", answer.asked, answer.text);
                } else {
                    assert!(!matches!(answer.status, 401 | 403 | 404), "{} as {} {own}: {}", answer.asked, right.role(), answer.text);
                }
            }
            for foreign in ["other.example", "127.0.0.1:9/theirs", "nowhere.example"] {
                let answer = ask(route, &member, foreign).await;
                // Who has one site and no other is known by it where no site is named: a host that is nobody's names none.
                let is_nobodys = foreign == "nowhere.example" && route.method == "POST";
                assert!(is_nobodys || answer.status == 404, "{} {foreign}: {} {}", answer.asked, answer.status, answer.text);
            }
        }
    }
    assert!(seen >= 5 * Right::ALL.len(), "configure, setup, analytics");
    // A token is of one site, and may not name another.
    let path = "/api/analytics/revenue?domain=127.0.0.1:9/theirs";
    house.get(path).token(&shop.token).send().await.is(404);
    house.get(&path.replace("theirs", "ours")).token(&shop.token).send().await.is(200);
    // Two sites and none named: a question back.
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    let lost = house.post("/api/woocommerce/configure").cookie(&ann).json(&json!({})).send().await.is(400);
    assert!(lost.text.contains("Name the site"), "{}", lost.text);
}

#[tokio::test]
async fn a_share_link_that_is_not_there_opens_nothing() {
    let house = House::new();
    house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    for route in ROUTES.iter().filter(|r| matches!(r.who, Who::Share(_))) {
        assert!(route.keeps_within && route.method == "GET", "{}: what a link shows keeps to its part", route.path);
        for call in [call(&house, route, "shop"), call(&house, route, "shop").cookie(&ann)] {
            assert_eq!(call.send().await.is(404).code(), "not_found", "{}", route.path);
        }
    }
}

#[tokio::test]
async fn nothing_changes_by_a_cookie_from_another_page() {
    let house = House::new();
    house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    let is_for_people = |who: Who| matches!(who, Who::Login | Who::BoxOwner | Who::Site(..) | Who::Member(_) | Who::Page | Who::Named(..));
    let mut seen = 0;
    for route in ROUTES.iter().filter(|r| r.method != "GET" && is_for_people(r.who)) {
        seen += 1;
        let bare = || call(&house, route, "shop").header("cookie", &ann);
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:9999"),
            ("origin", "https://127.0.0.1:8080"),
            ("referer", "http://127.0.0.1:8080/dashboard"),
        ] {
            let answer = bare().header(name, value).send().await;
            assert!(answer.status == 403 && answer.text.contains("foreign_page"), "{} {name} {value}: {}", answer.asked, answer.text);
        }
        // What the browser says of itself goes before what it says of the page.
        bare().header("sec-fetch-site", "cross-site").header("origin", "http://127.0.0.1:8080").send().await.is(403);
        if route.who != Who::Page {
            let form =
                bare().header("sec-fetch-site", "same-origin").body("a=1").header("content-type", "application/x-www-form-urlencoded");
            assert!(form.send().await.is(415).text.contains("unsupported_media_type"));
        }
    }
    assert!(seen >= 3, "the table has routes that change something");
    // An old browser names only the origin.
    house.post("/api/logout").header("cookie", &ann).header("origin", "http://127.0.0.1:8080").send().await.is(204);
}

#[tokio::test]
async fn one_token_may_ask_ten_times_a_second() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let route = ROUTES.iter().find(|r| matches!(r.who, Who::Token(_) | Who::Site(..))).expect("a route for tokens");
    let ask = async |token: &str| call(&house, route, "shop").token(token).send().await;
    let mut taken = 0;
    while ask(&shop.token).await.status != 429 {
        taken += 1;
        assert!(taken < 100);
    }
    assert_eq!(taken, 40);
    let refused = ask(&shop.token).await.is(429);
    assert_eq!(refused.header("retry-after"), "1");
    let second = house.token(shop.id, &Scope::ALL).await;
    assert_ne!(ask(&second).await.status, 429, "another token has its own");
    house.advance_s(1);
    assert_ne!(ask(&shop.token).await.status, 429);
}

#[tokio::test]
async fn an_own_secret_may_be_a_token_if_nobody_guesses_it() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let make = async |text: &str| {
        let value = Some(halotrack::crypto::Secret::new(text));
        flows::tokens::create(&house.app, "command line", shop.id, "own".into(), vec![Scope::Read], None, value).await
    };
    let own = "0123456789abcdef".repeat(4);
    assert_eq!(make(&own).await.expect("a token").reveal(), own);
    house.get("/metrics").header("x-forwarded-for", "8.8.8.8").token(&own).send().await.is(200);
    assert_eq!(make(&own).await.expect_err("twice").code, "token_exists");
    for weak in ["short", &"a".repeat(64), &own[..30]] {
        assert_eq!(make(weak).await.expect_err("weak").field.as_deref(), Some("value"), "{weak}");
    }
}
