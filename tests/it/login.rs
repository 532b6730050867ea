//! Signing in: the first owner, invitations, guesses, the second factor, and how a login ends.

use halotrack::domain::rights::Right;
use halotrack::domain::time::Time;
use halotrack::flows::login;
use halotrack::store::users;
use halotrack::totp;
use serde_json::{Value, json};

use crate::house::{Answer, House};

const PASSWORD: &str = "correct horse battery staple";

/// The path of a link that a command or the start has printed.
fn path_of(link: &str) -> String {
    link.strip_prefix("http://127.0.0.1:8080").expect("the public address").to_owned()
}

fn token_of(link: &str) -> String {
    link.rsplit('/').next().expect("a token").to_owned()
}

async fn set_up(house: &House, token: &str, body: Value) -> Answer {
    let mut body = body;
    body["token"] = token.into();
    house.post("/api/setup").header("sec-fetch-site", "same-origin").json(&body).send().await
}

async fn sign_in(house: &House, email: &str, password: &str) -> Answer {
    sign_in_from(house, "198.51.100.7", json!({"email": email, "password": password})).await
}

async fn sign_in_from(house: &House, address: &str, body: Value) -> Answer {
    house.post("/api/login").header("sec-fetch-site", "same-origin").header("x-forwarded-for", address).json(&body).send().await
}

async fn owner(house: &House) -> String {
    let link = login::first_link(&house.app).await.expect("a look").expect("a link");
    set_up(house, &token_of(&link), json!({"email": "Ann@Shop.example", "password": PASSWORD})).await.is(200).cookie()
}

#[tokio::test]
async fn the_first_owner_takes_the_link_once() {
    let house = House::new();
    assert_eq!(house.get("/api/me").send().await.is(401).code(), "no_owner");
    let link = login::first_link(&house.app).await.expect("a look").expect("a link");
    let page = house.get(&path_of(&link)).header("accept", "text/html").send().await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    let look = house.get(&format!("/api{}", path_of(&link))).send().await.is(200);
    assert_eq!(look.json, json!({"kind": "first_owner", "email": null}));

    let token = token_of(&link);
    let weak = set_up(&house, &token, json!({"email": "ann@shop.example", "password": "Password1234"})).await.is(422);
    assert_eq!(weak.code(), "weak_password");
    assert_eq!(set_up(&house, &token, json!({"email": "nobody", "password": PASSWORD})).await.is(422).json["error"]["field"], "email");
    let done = set_up(&house, &token, json!({"email": "ann@shop.example", "password": PASSWORD})).await.is(200);
    let attributes = done.header("set-cookie").to_owned();
    assert!(
        attributes.starts_with("halo_login_") && attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"),
        "{attributes}"
    );

    let me = house.get("/api/me").cookie(&done.cookie()).send().await.is(200);
    assert_eq!(me.json["user"]["email"], "ann@shop.example");
    assert_eq!(me.json["may_add_site"], true);
    assert_eq!(set_up(&house, &token, json!({"email": "eve@evil.example", "password": PASSWORD})).await.is(404).code(), "link_expired");
    assert_eq!(login::first_link(&house.app).await.expect("a look"), None);
    assert_eq!(house.get("/api/me").send().await.is(401).code(), "signed_out");
}

#[tokio::test]
async fn a_set_up_link_is_good_for_half_an_hour() {
    let house = House::new();
    let link = login::first_link(&house.app).await.expect("a look").expect("a link");
    house.advance_s(30 * 60);
    assert_eq!(house.get(&format!("/api{}", path_of(&link))).send().await.is(404).code(), "link_expired");
    let newer = login::first_link(&house.app).await.expect("a look").expect("a link");
    let newest = login::first_link(&house.app).await.expect("a look").expect("a link");
    house.get(&format!("/api{}", path_of(&newer))).send().await.is(404);
    house.get(&format!("/api{}", path_of(&newest))).send().await.is(200);
}

#[tokio::test]
async fn an_invited_analyst_sees_the_one_site() {
    let house = House::new();
    let ann = owner(&house).await;
    let shop = house.site("shop.example").await;
    house.site("other.example").await;
    let link = login::invite(&house.app, "ben@shop.example", Right::Read, Some(shop.id)).await.expect("a link");
    let look = house.get(&format!("/api{}", path_of(&link))).send().await.is(200);
    assert_eq!(look.json, json!({"kind": "invite", "email": "ben@shop.example"}));
    // The address is the invited one, whatever is sent.
    let ben = set_up(&house, &token_of(&link), json!({"email": "eve@evil.example", "password": PASSWORD})).await.is(200);
    assert_eq!(ben.json["user"]["email"], "ben@shop.example");
    let me = house.get("/api/me").cookie(&ben.cookie()).send().await.is(200);
    assert_eq!(me.json["sites"].as_array().map(Vec::len), Some(1));
    assert_eq!((&me.json["sites"][0]["site"], &me.json["sites"][0]["role"]), (&json!("shop"), &json!("analyst")));
    assert_eq!(me.json["may_add_site"], false);
    let me = house.get("/api/me").cookie(&ann).send().await.is(200);
    assert_eq!(me.json["sites"].as_array().map(Vec::len), Some(2));
    let refused = login::invite(&house.app, "cyd@shop.example", Right::Read, None).await.expect_err("which of two sites?");
    assert_eq!(refused.field.as_deref(), Some("site"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_alike() {
    let house = House::new();
    owner(&house).await;
    let wrong = sign_in(&house, "ann@shop.example", "wrong horse battery staple").await.is(401);
    let unknown = sign_in(&house, "nobody@shop.example", PASSWORD).await.is(401);
    assert_eq!((wrong.code(), unknown.code()), ("bad_credentials", "bad_credentials"));
    assert_eq!(wrong.json["error"]["message"], unknown.json["error"]["message"]);
    let good = sign_in(&house, " ANN@shop.example ", PASSWORD).await.is(200);
    house.get("/api/me").cookie(&good.cookie()).send().await.is(200);
}

#[tokio::test]
async fn guesses_get_slow_and_the_owner_gets_in_from_elsewhere() {
    let house = House::new();
    owner(&house).await;
    for _ in 0..5 {
        sign_in(&house, "ann@shop.example", "wrong horse battery staple").await.is(401);
    }
    let slow = sign_in(&house, "ann@shop.example", PASSWORD).await.is(429);
    assert_eq!((slow.code(), slow.header("retry-after")), ("too_many", "1"));
    sign_in_from(&house, "203.0.113.9", json!({"email": "ann@shop.example", "password": PASSWORD})).await.is(200);
    house.advance_s(1);
    sign_in(&house, "ann@shop.example", PASSWORD).await.is(200);
}

#[tokio::test]
async fn one_address_may_not_try_many_accounts() {
    let house = House::new();
    owner(&house).await;
    for n in 0..10 {
        sign_in(&house, &format!("user{n}@shop.example"), "x").await.is(401);
    }
    let refused = sign_in(&house, "user11@shop.example", "x").await.is(429);
    assert_eq!(refused.header("retry-after"), "13", "five a minute, counted in thousandths");
}

#[tokio::test]
async fn each_code_of_the_second_factor_counts_once() {
    let house = House::new();
    owner(&house).await;
    let key = *b"12345678901234567890";
    let recovery = [totp::recovery_hash("ab12-cd34")];
    let ann = house.app.store.read_all_sites(|all| users::find_by_email(all, &crate::house::email("ann@shop.example"))).await;
    let id = ann.expect("a look").expect("a user").id;
    house.app.store.write_all_sites(move |all| users::set_totp(all, id, Some(&key), &recovery)).await.expect("a second factor");

    let attempt = |code: Value| json!({"email": "ann@shop.example", "password": PASSWORD, "totp": code});
    let needed = sign_in(&house, "ann@shop.example", PASSWORD).await.is(401);
    assert_eq!(needed.code(), "totp_required");
    let step = |at: Time| totp::code_at(&key, at.s() / 30);
    let code = step(house.clock.now());
    sign_in_from(&house, "198.51.100.7", attempt("000000".into())).await.is(401);
    sign_in_from(&house, "198.51.100.7", attempt(code.clone().into())).await.is(200);
    assert_eq!(sign_in_from(&house, "198.51.100.8", attempt(code.into())).await.is(401).code(), "bad_credentials");
    house.advance_s(30);
    let next = step(house.clock.now());
    sign_in_from(&house, "198.51.100.9", attempt(next.into())).await.is(200);
    sign_in_from(&house, "198.51.100.10", attempt("AB12 CD34".into())).await.is(200);
    sign_in_from(&house, "198.51.100.11", attempt("AB12 CD34".into())).await.is(401);
}

#[tokio::test]
async fn a_login_ends_by_itself_by_signing_out_and_by_a_new_password() {
    let house = House::new();
    let first = owner(&house).await;
    house.advance_s(12 * 3_600 - 1);
    house.get("/api/me").cookie(&first).send().await.is(200);
    let second = sign_in(&house, "ann@shop.example", PASSWORD).await.is(200).cookie();
    house.post("/api/logout").cookie(&second).send().await.is(204);
    house.get("/api/me").cookie(&second).send().await.is(401);

    let third = sign_in(&house, "ann@shop.example", PASSWORD).await.is(200).cookie();
    house.advance_s(12 * 3_600);
    house.get("/api/me").cookie(&third).send().await.is(401);

    let fourth = sign_in(&house, "ann@shop.example", PASSWORD).await.is(200).cookie();
    let id = house.app.store.read_all_sites(users::list).await.expect("users")[0].id;
    let password = halotrack::crypto::Secret::new("another horse battery staple");
    login::set_password(&house.app, id, password).await.expect("a new password");
    house.get("/api/me").cookie(&fourth).send().await.is(401);
    sign_in(&house, "ann@shop.example", PASSWORD).await.is(401);
    sign_in(&house, "ann@shop.example", "another horse battery staple").await.is(200);
}

#[tokio::test]
async fn signing_in_again_ends_the_login_that_the_browser_had() {
    let house = House::new();
    let planted = owner(&house).await;
    let body = json!({"email": "ann@shop.example", "password": PASSWORD});
    let fresh = house.post("/api/login").cookie(&planted).json(&body).send().await.is(200).cookie();
    assert_ne!(fresh, planted);
    house.get("/api/me").cookie(&planted).send().await.is(401);
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let house = House::with(|c| c.public_url = "https://track.shop.example".into());
    let link = login::first_link(&house.app).await.expect("a look").expect("a link");
    assert!(link.starts_with("https://track.shop.example/setup/"));
    let body = json!({"token": token_of(&link), "email": "ann@shop.example", "password": PASSWORD});
    let call = house.post("/api/setup").host("track.shop.example").header("x-forwarded-proto", "https");
    let done = call.header("sec-fetch-site", "same-origin").json(&body).send().await.is(200);
    let cookie = done.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("__Host-halo_login=") && cookie.contains("; Secure") && cookie.contains("Path=/") && !cookie.contains("Domain"),
        "{cookie}"
    );
    assert!(done.header("strict-transport-security").contains("max-age=31536000"));
    let me = |cookie: String| house.get("/api/me").host("track.shop.example").header("x-forwarded-proto", "https").cookie(&cookie).send();
    me(done.cookie()).await.is(200);
    // The unprefixed name, which a sibling host could set, proves nothing over https.
    me(done.cookie().replace("__Host-", "")).await.is(401);
}
