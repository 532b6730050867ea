//! Settings and the rights behind them: a site's settings, people, a user's own account, tokens, the credit policy with
//! its preview, who is left out, and the audit log.

use halotrack::domain::rights::Right;
use halotrack::flows::login;
use halotrack::totp;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};

const PASSWORD: &str = "correct horse battery staple";
const OTHER: &str = "another sentence to sign in";

async fn post(house: &House, cookie: &str, path: &str, body: Value) -> Answer {
    house.post(path).cookie(cookie).json(&body).send().await
}

async fn get(house: &House, cookie: &str, path: &str) -> Value {
    house.get(path).cookie(cookie).send().await.is(200).json
}

/// Takes a one-time link up; gives the cookie.
async fn take(house: &House, link: &str, email: Option<&str>) -> String {
    let token = link.rsplit('/').next().expect("a token");
    let body = json!({"token": token, "email": email, "password": PASSWORD});
    house.post("/api/setup").header("sec-fetch-site", "same-origin").json(&body).send().await.is(200).cookie()
}

async fn owner(house: &House) -> String {
    let link = login::first_link(&house.app).await.expect("a look").expect("a link");
    take(house, &link, Some("ann@shop.example")).await
}

async fn sign_in(house: &House, body: Value) -> Answer {
    house.post("/api/login").header("sec-fetch-site", "same-origin").header("x-forwarded-for", "198.51.100.7").json(&body).send().await
}

#[tokio::test]
async fn an_editor_changes_a_sites_settings_and_the_log_says_so() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    let eve = house.login("eve@shop.example", Right::Edit, Some(shop.id)).await;
    let path = "/api/sites/shop/settings";
    let body = json!({"name": "Harrow Lane", "domains": ["shop.example", "shop.ie"], "currency": "EUR", "zone": "Europe/Dublin",
        "consent": "opt-in", "gpc": false, "staff_emails": ["boss@shop.example"], "staff_networks": ["203.0.113.0/24"], "public_leads": true});
    let changed = house.post(path).cookie(&eve).header("x-forwarded-for", "203.0.113.9").json(&body).send().await.is(200).json;
    for key in ["name", "domains", "currency", "zone", "consent", "gpc", "staff_emails", "staff_networks", "public_leads"] {
        assert_eq!(changed[key], body[key], "{key}");
    }
    assert!(changed["snippet"].as_str().expect("a line").contains(&shop.key));
    // All or none, each refusal by name.
    for (body, field) in [
        (json!({"name": "X", "currency": "EURO"}), "currency"),
        (json!({"domains": ["co.uk"]}), "domain"),
        (json!({"staff_networks": ["office"]}), "staff_networks"),
        (json!({"model": "first"}), "model"),
        (json!({"window.sale": "7"}), "window.sale"),
        (json!({"proxy.upstream": "http://127.0.0.1:1"}), "proxy.upstream"),
        (json!({"nothing": "1"}), "nothing"),
        (json!({"name": {"a": 1}}), "name"),
    ] {
        let refused = post(&house, &eve, path, body).await.is(422);
        assert_eq!(refused.json["error"]["field"], field, "{}", refused.text);
    }
    assert_eq!(get(&house, &eve, path).await["name"], "Harrow Lane");
    // The secret is the owner's: shown once when it is replaced, never in the settings.
    post(&house, &eve, "/api/sites/shop/secret", json!({})).await.is(403);
    let secret =
        post(&house, &ann, "/api/sites/shop/secret", json!({})).await.is(200).json["secret"].as_str().expect("a secret").to_owned();
    let shown = house.get(path).cookie(&ann).send().await.is(200);
    assert!(
        secret.len() == 64 && !shown.text.contains(&secret) && secret.ends_with(shown.json["secret_ends_in"].as_str().expect("its end"))
    );

    let log = get(&house, &ann, "/api/sites/shop/audit?what=site_set").await;
    let line = &log["items"][0];
    assert_eq!((&line["email"], &line["origin"]), (&json!("eve@shop.example"), &json!("203.0.113.9")), "{log}");
    assert!(line["detail"]["keys"].as_array().expect("keys").contains(&json!("currency")), "{line}");
    let who = line["who"].as_str().expect("who");
    assert_eq!(get(&house, &ann, &format!("/api/sites/shop/audit?who={who}")).await["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(get(&house, &ann, "/api/sites/shop/audit?from=2020-01-01&to=2020-01-02").await["items"], json!([]));
    let csv = house.get("/api/sites/shop/audit.csv?what=site_set").cookie(&ann).send().await.is(200).text;
    assert!(csv.lines().count() == 2 && csv.contains("203.0.113.9"), "{csv}");
    house.get("/api/sites/shop/audit").cookie(&house.login("cid@shop.example", Right::Read, Some(shop.id)).await).send().await.is(403);
}

#[tokio::test]
async fn people_are_invited_change_their_role_and_go() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let ann = owner(&house).await;
    let people = "/api/sites/shop/people";
    let invited = post(&house, &ann, people, json!({"email": "ben@mail.example", "role": "analyst"})).await.is(201).json;
    let user = invited["user"].as_str().expect("a user").to_owned();
    let ben = take(&house, invited["link"].as_str().expect("a link"), None).await;
    house.get("/api/sites/shop/inbox").cookie(&ben).send().await.is(200);
    let list = get(&house, &ann, people).await;
    let row = |email: &str| list["items"].as_array().expect("people").iter().find(|p| p["email"] == email).cloned().expect(email);
    assert_eq!((&row("ben@mail.example")["role"], &row("ben@mail.example")["is_invited"]), (&json!("analyst"), &json!(false)));
    assert_eq!(row("ann@shop.example")["is_box_owner"], true);
    // Who has an account gets no link to it by a second invitation.
    assert_eq!(post(&house, &ann, people, json!({"email": "ben@mail.example", "role": "client"})).await.is(201).json["link"], Value::Null);
    house.get("/api/sites/shop/inbox").cookie(&ben).send().await.is(403);
    post(&house, &ann, &format!("{people}/{user}"), json!({"role": "editor"})).await.is(204);
    get(&house, &ben, "/api/sites/shop/settings").await;
    assert_eq!(post(&house, &ann, &format!("{people}/{user}/link"), json!({})).await.is(409).code(), "has_password");
    post(&house, &ann, &format!("{people}/{user}/remove"), json!({})).await.is(204);
    assert_eq!(house.get("/api/sites/shop/settings").cookie(&ben).send().await.is(404).code(), "not_found");
    // Nobody of a site touches an owner of the box.
    for end in ["", "/remove", "/link"] {
        post(&house, &ann, &format!("{people}/user_1{end}"), json!({"role": "client"})).await.is(404);
    }
    for (body, field) in
        [(json!({"email": "nobody", "role": "editor"}), "email"), (json!({"email": "x@y.example", "role": "boss"}), "role")]
    {
        assert_eq!(post(&house, &ann, people, body).await.is(422).json["error"]["field"], field);
    }
    // One site's owner cannot take up what another site has given.
    let mia = house.login("mia@other.example", Right::Own, Some(other.id)).await;
    let first = post(&house, &ann, people, json!({"email": "new@mail.example", "role": "editor"})).await.is(201).json;
    assert!(first["link"].is_string());
    let second = post(&house, &mia, "/api/sites/other/people", json!({"email": "new@mail.example", "role": "client"})).await.is(201).json;
    assert_eq!(second["link"], Value::Null, "the account is the first site's to open");
    let new = second["user"].as_str().expect("a user");
    assert_eq!(post(&house, &mia, &format!("/api/sites/other/people/{new}/link"), json!({})).await.is(409).code(), "invited_elsewhere");
    let _ = shop;
}

#[tokio::test]
async fn what_lets_others_in_wants_the_password_again() {
    let house = House::new();
    house.site("shop.example").await;
    let ann = owner(&house).await;
    house.advance_s(16 * 60);
    for (path, body) in [
        ("/api/sites/shop/people", json!({"email": "x@y.example", "role": "owner"})),
        ("/api/sites/shop/tokens", json!({"name": "x", "scopes": ["read"]})),
        ("/api/sites/shop/secret", json!({})),
        ("/api/me/second-factor/offer", json!({})),
        ("/api/me/second-factor/remove", json!({})),
    ] {
        assert_eq!(post(&house, &ann, path, body).await.is(403).code(), "prove_again", "{path}");
    }
    assert_eq!(post(&house, &ann, "/api/me/prove", json!({"password": OTHER})).await.is(422).json["error"]["field"], "password");
    post(&house, &ann, "/api/me/prove", json!({"password": PASSWORD})).await.is(204);
    post(&house, &ann, "/api/sites/shop/secret", json!({})).await.is(200);
    // Guesses get slow here as on the sign-in page.
    let mut tried = 0;
    while post(&house, &ann, "/api/me/prove", json!({"password": OTHER})).await.status == 422 {
        tried += 1;
        assert!(tried < 20);
    }
    assert_eq!(tried, 5);
}

#[tokio::test]
async fn a_new_password_ends_every_other_login() {
    let house = House::new();
    house.site("shop.example").await;
    let ann = owner(&house).await;
    let elsewhere = sign_in(&house, json!({"email": "ann@shop.example", "password": PASSWORD})).await.is(200).cookie();
    let third = sign_in(&house, json!({"email": "ann@shop.example", "password": PASSWORD})).await.is(200).cookie();
    let account = get(&house, &ann, "/api/me/account").await;
    let logins = account["logins"].as_array().expect("logins").clone();
    assert_eq!((logins.len(), logins.iter().filter(|l| l["is_this"] == true).count()), (3, 1), "{account}");
    // One of them by name; nobody else's.
    let ben = house.login("ben@shop.example", Right::Own, None).await;
    let own =
        get(&house, &third, "/api/me/account").await["logins"].as_array().expect("logins").iter().find(|l| l["is_this"] == true).cloned();
    let id = own.expect("its own")["id"].clone();
    post(&house, &ben, "/api/me/logins/end", json!({"login": id})).await.is(404);
    post(&house, &ann, "/api/me/logins/end", json!({"login": id})).await.is(204);
    house.get("/api/me").cookie(&third).send().await.is(401);

    let path = "/api/me/password";
    assert_eq!(post(&house, &ann, path, json!({"old": OTHER, "new": OTHER})).await.is(422).json["error"]["field"], "password");
    assert_eq!(post(&house, &ann, path, json!({"old": PASSWORD, "new": "Password1234"})).await.is(422).code(), "weak_password");
    get(&house, &elsewhere, "/api/me").await;
    post(&house, &ann, path, json!({"old": PASSWORD, "new": OTHER})).await.is(204);
    get(&house, &ann, "/api/me").await;
    house.get("/api/me").cookie(&elsewhere).send().await.is(401);
    sign_in(&house, json!({"email": "ann@shop.example", "password": PASSWORD})).await.is(401);
    sign_in(&house, json!({"email": "ann@shop.example", "password": OTHER})).await.is(200);
}

#[tokio::test]
async fn a_second_factor_is_set_with_a_code_and_leaves_ten_ways_back() {
    let house = House::new();
    house.site("shop.example").await;
    let ann = owner(&house).await;
    let elsewhere = sign_in(&house, json!({"email": "ann@shop.example", "password": PASSWORD})).await.is(200).cookie();
    let offer = post(&house, &ann, "/api/me/second-factor/offer", json!({})).await.is(200).json;
    let key = offer["key"].as_str().expect("a key").to_owned();
    assert!(offer["address"].as_str().expect("an address").starts_with("otpauth://totp/HaloTrack:ann%40shop.example?secret="));
    let bytes = totp::key_of(&key).expect("it is a key");
    let code = || totp::code_at(&bytes, house.clock.now().s() / 30);
    let path = "/api/me/second-factor";
    assert_eq!(post(&house, &ann, path, json!({"key": key, "code": "000000"})).await.is(422).json["error"]["field"], "code");
    // An offer alone changes nothing.
    sign_in(&house, json!({"email": "ann@shop.example", "password": PASSWORD})).await.is(200);
    let used = code();
    let codes = post(&house, &ann, path, json!({"key": key, "code": used})).await.is(200).json["recovery_codes"].clone();
    assert_eq!(codes.as_array().map(Vec::len), Some(10));
    house.get("/api/me").cookie(&elsewhere).send().await.is(401);
    get(&house, &ann, "/api/me").await;
    assert_eq!(sign_in(&house, json!({"email": "ann@shop.example", "password": PASSWORD})).await.is(401).code(), "totp_required");
    let with = |totp: &str| json!({"email": "ann@shop.example", "password": PASSWORD, "totp": totp});
    assert_eq!(sign_in(&house, with(&used)).await.is(401).code(), "bad_credentials", "the code that set it is used up");
    house.advance_s(60);
    sign_in(&house, with(&code())).await.is(200);
    sign_in(&house, with(codes[0].as_str().expect("a code"))).await.is(200);
    house.advance_s(60);
    sign_in(&house, with(codes[0].as_str().expect("a code"))).await.is(401);
    assert_eq!(get(&house, &ann, "/api/me/account").await["recovery_codes"], 9);
    post(&house, &ann, "/api/me/second-factor/remove", json!({})).await.is(204);
    house.advance_s(60);
    sign_in(&house, json!({"email": "ann@shop.example", "password": PASSWORD})).await.is(200);
}

#[tokio::test]
async fn tokens_are_shown_once_and_end() {
    let house = House::new();
    house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    let path = "/api/sites/shop/tokens";
    let made = post(&house, &ann, path, json!({"name": "Shop", "scopes": ["read", "write"], "expires_days": 1})).await.is(201).json;
    let secret = made["secret"].as_str().expect("a token").to_owned();
    house.get("/api/conversions").token(&secret).send().await.is(200);
    let list = house.get(path).cookie(&ann).send().await.is(200);
    assert!(!list.text.contains(&secret));
    let row = list.json["items"].as_array().expect("tokens").iter().find(|t| t["name"] == "Shop").cloned().expect("the new one");
    assert_eq!(row["scopes"], json!(["read", "write"]));
    assert!(secret.ends_with(row["ends_in"].as_str().expect("its end")));
    house.get("/api/me/account").token(&secret).send().await.is(401);
    house.get("/api/sites/shop/people").token(&secret).send().await.is(401);
    for (body, field) in [
        (json!({"name": "", "scopes": ["read"]}), "name"),
        (json!({"name": "x", "scopes": []}), "scope"),
        (json!({"name": "x", "scopes": ["fly"]}), "scopes"),
        (json!({"name": "x", "scopes": ["read"], "expires_days": 0}), "expires_days"),
    ] {
        assert_eq!(post(&house, &ann, path, body).await.is(422).json["error"]["field"], field);
    }
    post(&house, &ann, &format!("{path}/{}/revoke", row["token"].as_str().expect("an id")), json!({})).await.is(204);
    house.get("/api/conversions").token(&secret).send().await.is(401);
    let log = get(&house, &ann, "/api/sites/shop/audit").await;
    let words: Vec<&str> = log["items"].as_array().expect("lines").iter().filter_map(|l| l["what"].as_str()).collect();
    assert!(words[..2] == ["token_revoked", "token_created"], "{words:?}");
}

/// Somebody came by an ad long ago and by a newsletter lately, then bought.
async fn two_touches(house: &House, shop: &SiteAt, n: usize) {
    let first = house.history(shop, None, 24 * 20, json!({"utm_source": "google", "utm_medium": "cpc"})).await;
    let id = house.history(shop, Some(&first), 24 * 2, json!({"utm_source": "newsletter", "utm_medium": "email"})).await;
    house.order(shop, json!({"order_id": format!("#{n}"), "total": "10.00", "currency": "USD", "session_id": id})).await.is(200);
}

#[tokio::test]
async fn a_policy_shows_its_effect_before_it_is_put_in_force() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    two_touches(&house, &shop, 1).await;
    two_touches(&house, &shop, 2).await;
    let sources = async || -> Vec<(String, f64)> {
        let all = get(&house, &ann, "/api/sites/shop/reports/sources").await["items"].clone();
        let row = |r: &Value| (r["name"].as_str().unwrap_or_default().to_owned(), r["conversions"].as_f64().unwrap_or_default());
        let mut all: Vec<_> = all.as_array().expect("rows").iter().map(row).filter(|(_, n)| *n > 0.0).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(sources().await, [("newsletter".to_owned(), 2.0)]);
    let first = json!({"model": "first", "window": "30", "windows": {}});
    let preview = post(&house, &ann, "/api/sites/shop/policy/preview", first.clone()).await.is(200).json;
    assert_eq!((&preview["conversions"], &preview["moved"]), (&json!(2), &json!(2)));
    let usd = |minor: i64| json!([{"minor": minor, "currency": "USD"}]);
    let row = |source: &str| preview["items"].as_array().expect("rows").iter().find(|r| r["source"] == source).cloned().expect(source);
    assert_eq!(row("newsletter")["before"], json!({"conversions": 2.0, "net": usd(2000)}));
    assert_eq!(row("newsletter")["after"], json!({"conversions": 0.0, "net": []}));
    assert_eq!(row("google")["after"], json!({"conversions": 2.0, "net": usd(2000)}));
    // Nothing is stored by looking.
    assert_eq!(sources().await, [("newsletter".to_owned(), 2.0)]);
    assert_eq!(get(&house, &ann, "/api/sites/shop/policy").await["model"], "last_non_direct");

    // Only from now on: what was credited stays.
    let mut body = first.clone();
    body["past"] = false.into();
    assert_eq!(post(&house, &ann, "/api/sites/shop/policy", body.clone()).await.is(200).json["runs"], 0);
    two_touches(&house, &shop, 3).await;
    assert_eq!(sources().await, [("google".to_owned(), 1.0), ("newsletter".to_owned(), 2.0)]);

    // For the past as well: a run of its own for each that moves, and the earlier one stays.
    body["past"] = true.into();
    assert_eq!(post(&house, &ann, "/api/sites/shop/policy", body.clone()).await.is(200).json["runs"], 2);
    assert_eq!(sources().await, [("google".to_owned(), 3.0)]);
    assert_eq!(post(&house, &ann, "/api/sites/shop/policy", body).await.is(200).json["runs"], 0, "once more moves nothing");
    let runs = get(&house, &ann, "/api/sites/shop/receipts/conversion_1").await["runs"].clone();
    let whys: Vec<&str> = runs.as_array().expect("runs").iter().filter_map(|r| r["why"].as_str()).collect();
    assert!(whys.contains(&"first known") && whys.contains(&"policy changed by the owner"), "{runs}");

    // A window of a kind's own: the ad of 20 days ago lies outside seven.
    let week = json!({"model": "first", "window": "30", "windows": {"sale": "7"}, "past": true});
    assert_eq!(post(&house, &ann, "/api/sites/shop/policy", week).await.is(200).json["runs"], 3);
    assert_eq!(sources().await, [("newsletter".to_owned(), 3.0)]);
    for (body, field) in [
        (json!({"model": "best", "window": "30"}), "model"),
        (json!({"model": "first", "window": "31"}), "window"),
        (json!({"model": "first", "window": "30", "windows": {"gift": "7"}}), "windows"),
    ] {
        assert_eq!(post(&house, &ann, "/api/sites/shop/policy/preview", body).await.is(422).json["error"]["field"], field);
    }
    let log = get(&house, &ann, "/api/sites/shop/audit?what=policy_changed").await;
    assert_eq!(log["items"][0]["detail"]["after"]["windows"]["sale"], 7, "{log}");
}

#[tokio::test]
async fn the_owners_own_people_are_not_counted() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    let visits = async || get(&house, &ann, "/api/sites/shop/reports/overview").await["visits"].as_i64().expect("a number");
    let known = house.visit(&shop, None, json!({"landing": "/"})).await;
    assert_eq!(visits().await, 1);

    let link = get(&house, &ann, "/api/sites/shop/settings").await["own_device_link"].as_str().expect("a link").to_owned();
    let landing = link.strip_prefix("https://shop.example").expect("the shop's own address").to_owned();
    // A wrong word marks nothing.
    let wrong = house.touch(&shop, Some(&known), json!({"landing": "/?halo_me=0123456789abcdef"})).await.is(200);
    assert_eq!(wrong.json["session_id"], json!(known));
    let marked = house.touch(&shop, Some(&known), json!({"landing": landing})).await.is(200);
    assert_eq!(marked.header("x-halo-dropped"), "excluded");
    let own = marked.json["session_id"].as_str().expect("a mark").to_owned();
    assert!(marked.cookie() == format!("_halo={own}") && own != known, "{}", marked.cookie());
    house.advance_s(3_600);
    let again = house.touch(&shop, Some(&own), json!({"landing": "/shoes?utm_source=google&utm_medium=cpc"})).await.is(200);
    assert_eq!((again.header("x-halo-dropped"), again.json["session_id"].as_str()), ("excluded", Some(own.as_str())));
    // Beside an older cookie of its own the mark goes first.
    let both = house.post("/api/touch").browser(&shop).header("cookie", &format!("_halo={known}; _halo={own}"));
    let body = json!({"site": shop.key, "landing": "/x"});
    assert_eq!(both.body(body.to_string()).send().await.is(200).header("x-halo-dropped"), "excluded");
    assert_eq!(visits().await, 1);
    // What is ordered from it is kept, and left out.
    house.order(&shop, json!({"order_id": "#1", "total": "9.00", "currency": "USD", "session_id": own})).await.is(200);
    house.order(&shop, json!({"order_id": "#2", "total": "9.00", "currency": "USD"})).await.is(200);
    assert_eq!(get(&house, &ann, "/api/sites/shop/reports/overview").await["orders"], 1);
    assert_eq!(get(&house, &ann, "/api/sites/shop/conversions").await["items"].as_array().map(Vec::len), Some(2));
    // Another site's mark is nothing here.
    let other = house.site("other.example").await;
    let elsewhere = house.touch(&other, Some(&own), json!({"landing": "/"})).await.is(200);
    assert_ne!(elsewhere.json["session_id"], json!(own));
    // And the way back.
    let off = house.touch(&shop, Some(&own), json!({"landing": "/?halo_me=off"})).await.is(200);
    assert!(off.header("x-halo-dropped").is_empty() && off.json["session_id"] != json!(own), "{}", off.text);
    assert_eq!(visits().await, 2);

    // By network, whoever it is.
    post(&house, &ann, "/api/sites/shop/settings", json!({"staff_networks": ["203.0.113.0/24"]})).await.is(200);
    let body = json!({"site": shop.key, "landing": "/"}).to_string();
    let office = house.post("/api/touch").browser(&shop).header("x-forwarded-for", "203.0.113.77").body(body.clone()).send().await.is(200);
    assert_eq!(office.header("x-halo-dropped"), "excluded");
    house.post("/api/touch").browser(&shop).header("x-forwarded-for", "203.0.114.77").body(body).send().await.is(200);
    assert_eq!(visits().await, 3);
}
