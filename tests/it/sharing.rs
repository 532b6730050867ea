//! Share links and the role client: a locked part that no parameter widens, amounts and people that stay hidden in every
//! answer, passwords, ends, revoking.

use halotrack::crypto::Sealer;
use halotrack::domain::rights::Right;
use halotrack::flows::{cube, rotation};
use halotrack::http::route::{Right as Needed, Who};
use halotrack::http::table::ROUTES;
use halotrack::store::shares;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};

/// What lies outside the part carries this word, whatever it is.
const OUTSIDE: &str = "kanarie";

struct Shop {
    house: House,
    site: SiteAt,
    ann: String,
}

/// Two sales by Google, and others that somebody who is shown Google must not see.
async fn shop() -> Shop {
    let house = House::new();
    let site = house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    for (n, source, total) in [(1, "google", "11.11"), (2, "google", "11.11"), (3, OUTSIDE, "77.77"), (4, OUTSIDE, "77.77")] {
        let utm =
            json!({"utm_source": source, "utm_medium": "cpc", "utm_campaign": format!("{source} spring"), "landing": format!("/{source}")});
        let id = house.history(&site, None, 30 + n, utm).await;
        let email = format!("person{n}@{source}.example");
        let body = json!({"order_id": format!("{source}-{n}"), "total": total, "currency": "USD", "email": email, "session_id": id,
            "created_at": house.ago(3_600 * n), "consent_given": true});
        house.order(&site, body).await.is(200);
        let lead = json!({"lead_id": format!("{source}-{n}"), "email": email, "session_id": id, "consent_given": true,
            "created_at": house.ago(3_600 * n - 60)});
        house.lead(&site, lead).await.is(200);
    }
    house
        .order(&site, json!({"order_id": format!("{OUTSIDE}-9"), "total": "77.77", "currency": "USD", "email": "x@kanarie.example"}))
        .await
        .is(200);
    Shop { house, site, ann }
}

impl Shop {
    /// A link to every page, unless the body chooses.
    async fn share(&self, mut body: Value) -> String {
        if body.get("pages").is_none() {
            body["pages"] = json!(["overview", "sources", "conversions", "orders", "leads"]);
        }
        let made = self.house.post("/api/sites/shop/shares").cookie(&self.ann).json(&body).send().await.is(201).json;
        made["link"].as_str().expect("a link").rsplit('/').next().expect("a token").to_owned()
    }

    async fn shown(&self, token: &str, what: &str) -> Answer {
        self.house.get(&format!("/api/shared/{token}{what}")).send().await
    }
}

/// Parameters by which somebody might try to see more.
const TRIES: [&str; 24] = [
    "",
    "source=kanarie",
    "source=!google",
    "source=google&source=kanarie",
    "source=unattributed",
    "channel=Paid Search",
    "medium=cpc&campaign=kanarie spring",
    "model=first",
    "model=linear&window=unlimited",
    "window=1",
    "segment=",
    "segment[source]=kanarie",
    "q=kanarie",
    "q=person3@kanarie.example",
    "sort=amount",
    "by=campaign",
    "by=channel&limit=500",
    "compare=previous",
    "kind=sale&status=paid",
    "match=none",
    "from=2020-01-01&to=2030-01-01",
    "site=shop&share=share_2&limit=500",
    "with=days,notes,connections,needs,latest,sources,countries,devices,products",
    "in_channel=Paid Search&in_source=kanarie&in_campaign=kanarie spring",
];

const QUESTIONS: [&str; 10] = [
    "/overview",
    "/timeseries",
    "/sources",
    "/campaigns",
    "/conversions",
    "/conversions.csv",
    "/orders",
    "/orders.csv",
    "/leads",
    "/leads.csv",
];

#[tokio::test]
async fn a_locked_part_is_all_that_a_link_shows() {
    let s = shop().await;
    let token = s.share(json!({"name": "For the agency", "segment": {"source": ["google"]}})).await;
    let look = s.shown(&token, "").await.is(200);
    assert_eq!((&look.json["name"], &look.json["segment"]), (&json!("For the agency"), &json!({"source": ["google"]})));
    assert!(look.header("x-robots-tag").contains("noindex"));
    let page = s.house.get(&format!("/s/{token}")).header("accept", "text/html").send().await.is(200);
    assert!(page.header("x-robots-tag").contains("noindex"));
    let mut seen = 0;
    for question in QUESTIONS {
        for with in TRIES {
            let answer = s.shown(&token, &format!("{question}?{}", with.replace(' ', "%20"))).await;
            assert!(matches!(answer.status, 200 | 400), "{}: {}", answer.asked, answer.text);
            let echo = answer.text.replace("only kanarie", "");
            assert!(
                !echo.contains(OUTSIDE) && !answer.text.contains("7777") && !answer.text.contains("77.77"),
                "{}: {}",
                answer.asked,
                answer.text
            );
            seen += usize::from(answer.text.contains("google") || answer.text.contains("2222"));
        }
    }
    assert!(seen > 30, "the part itself is shown: {seen}");
    let overview = s.shown(&token, "/overview").await.is(200).json;
    assert_eq!((&overview["visits"], &overview["conversions"]["all"], &overview["orders"]), (&json!(2), &json!(4), &json!(2)));
    assert_eq!(overview["net"], json!([{"minor": 2222, "currency": "USD"}]));
    let days = s.shown(&token, "/timeseries").await.is(200).json;
    let sold: i64 = days["items"].as_array().expect("days").iter().filter_map(|d| d["net"][0]["minor"].as_i64()).sum();
    assert_eq!(sold, 2222, "the days add up to the part");
    let rows = s.shown(&token, "/sources").await.is(200).json;
    assert_eq!(rows["items"].as_array().map(Vec::len), Some(1), "{rows}");
    let list = s.shown(&token, "/conversions").await.is(200).json;
    assert_eq!((&list["count"], list["items"].as_array().map(Vec::len)), (&json!(4), Some(4)));
    // Nothing else is opened by the token.
    for route in ROUTES.iter().filter(|r| matches!(r.who, Who::Site(..) | Who::Member(_) | Who::Login | Who::Token(_))) {
        let path = route.path.replace("{site}", "shop").replace("{id}", "1").replace("{fact}", "1").replace("{connection}", "con_1");
        let path = path.replace("{user}", "user_1").replace("{token}", "token_1").replace("{share}", "share_1");
        let call = s
            .house
            .call(route.method, &path)
            .header("x-forwarded-for", "198.51.100.9")
            .token(&token)
            .header("cookie", &format!("halo_share={token}"));
        let answer = if route.method == "GET" { call.send().await } else { call.json(&json!({})).send().await };
        assert_eq!(answer.status, 401, "{}", answer.asked);
    }
}

#[tokio::test]
async fn hidden_amounts_and_people_are_in_no_answer() {
    let s = shop().await;
    let token = s.share(json!({"name": "Bare", "hides_money": true, "hides_people": true})).await;
    for question in QUESTIONS {
        for with in TRIES {
            let answer = s.shown(&token, &format!("{question}?{}", with.replace(' ', "%20"))).await;
            let text = &answer.text;
            for amount in ["1111", "7777", "11.11", "77.77", "2222", "minor", "USD"] {
                assert!(!text.contains(amount), "{} shows {amount}: {text}", answer.asked);
            }
            for person in ["@", "••••", "person", "Order ", "google-1", "\"who\"", "label"] {
                assert!(!text.contains(person), "{} shows {person}: {text}", answer.asked);
            }
        }
    }
    let head = s.shown(&token, "/conversions.csv").await.is(200).text;
    assert_eq!(head.lines().next(), Some("happened_at,kind,status,source,medium,campaign,match,days_to_convert"));
    let open = s.share(json!({"name": "Open"})).await;
    let csv = s.shown(&open, "/conversions.csv").await.is(200).text;
    assert!(
        csv.contains("77.77") && csv.contains("pe••••@••••.example") && !csv.contains("person3"),
        "people are never shown in full: {csv}"
    );
}

#[tokio::test]
async fn a_password_opens_one_link_and_guesses_get_slow() {
    let s = shop().await;
    let made = s.house.post("/api/sites/shop/shares").cookie(&s.ann);
    let short = made.json(&json!({"name": "x", "password": "short"})).send().await.is(422);
    assert_eq!(short.json["error"]["field"], "password");
    let token = s.share(json!({"name": "Locked", "password": "open sesame"})).await;
    let other = s.share(json!({"name": "Locked too", "password": "open sesame"})).await;
    assert_eq!(s.shown(&token, "").await.is(200).json, json!({"locked": true, "site": "shop"}));
    for question in QUESTIONS {
        assert_eq!(s.shown(&token, question).await.is(401).code(), "password_required");
    }
    let open = async |token: &str, password: &str, from: &str| {
        let call =
            s.house.post(&format!("/api/shared/{token}/open")).header("sec-fetch-site", "same-origin").header("x-forwarded-for", from);
        call.json(&json!({"password": password})).send().await
    };
    assert_eq!(open(&token, "wrong sesame", "198.51.100.7").await.is(401).code(), "bad_password");
    let opened = open(&token, "open sesame", "198.51.100.7").await.is(204);
    let set = opened.header("set-cookie").to_owned();
    assert!(set.contains("HttpOnly") && set.contains(&format!("Path=/api/shared/{token}")), "{set}");
    let cookie = opened.cookie();
    s.house.get(&format!("/api/shared/{token}/overview")).header("cookie", &cookie).send().await.is(200);
    assert_eq!(s.house.get(&format!("/api/shared/{token}")).header("cookie", &cookie).send().await.is(200).json["locked"], false);
    // The same password elsewhere is another proof.
    s.house.get(&format!("/api/shared/{other}/overview")).header("cookie", &cookie).send().await.is(401);
    s.house.get(&format!("/api/shared/{token}/overview")).header("cookie", "halo_share=").send().await.is(401);
    let mut tried = 0;
    while open(&token, "wrong sesame", "198.51.100.8").await.status == 401 {
        tried += 1;
        assert!(tried < 20);
    }
    assert_eq!(tried, 5);
    open(&token, "open sesame", "198.51.100.9").await.is(204);
}

#[tokio::test]
async fn a_link_can_be_copied_again_under_a_new_key() {
    let s = shop().await;
    let token = s.share(json!({"name": "For ever"})).await;
    let new = [9; 32];
    s.house.app.store.sealer().turn_to(new);
    rotation::run(&s.house.app).await.expect("sealed anew");
    // Only the new key is there after the next start.
    let app = s.house.started_with(Sealer::new(new)).expect("a start");
    let all = app.store.read(s.site.id, shares::list).await.expect("the links open");
    assert_eq!(all.iter().map(|(_, token)| token.as_str()).collect::<Vec<_>>(), [token.as_str()]);
}

#[tokio::test]
async fn a_link_ends_is_revoked_and_counts_its_views() {
    let s = shop().await;
    let week = s.share(json!({"name": "A week", "expires_days": 7})).await;
    let ever = s.share(json!({"name": "For ever"})).await;
    for _ in 0..3 {
        s.shown(&ever, "").await.is(200);
    }
    let list = s.house.get("/api/sites/shop/shares").cookie(&s.ann).send().await.is(200).json;
    let row = |name: &str| list["items"].as_array().expect("links").iter().find(|l| l["name"] == name).cloned().expect(name);
    assert_eq!(row("For ever")["views"], 3);
    assert!(row("A week")["link"].as_str().expect("a link").ends_with(&week), "an editor can copy a link again");
    s.shown(&week, "/overview").await.is(200);
    s.house.advance_s(7 * 86_400);
    let over = s.shown(&week, "/overview").await.is(404);
    let never = s.shown("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "/overview").await.is(404);
    assert_eq!(over.json["error"]["message"], never.json["error"]["message"]);
    s.house.get("/api/sites/shop/shares").cookie(&s.ann).send().await.is(401);
    let ann = s.house.login("bea@shop.example", Right::Own, None).await;
    let id = row("For ever")["share"].as_str().expect("an id").to_owned();
    s.house.post(&format!("/api/sites/shop/shares/{id}/revoke")).cookie(&ann).json(&json!({})).send().await.is(204);
    for question in ["", "/overview", "/conversions.csv"] {
        s.shown(&ever, question).await.is(404);
    }
    s.house.post(&format!("/api/sites/shop/shares/{id}/revoke")).cookie(&ann).json(&json!({})).send().await.is(404);
    let bad =
        s.house.post("/api/sites/shop/shares").cookie(&ann).json(&json!({"name": "x", "segment": {"kind": ["sale"]}})).send().await.is(422);
    assert_eq!(bad.json["error"]["field"], "segment");
    // Links are made by editors and above.
    let dan = s.house.login("dan@shop.example", Right::Read, Some(s.site.id)).await;
    s.house.post("/api/sites/shop/shares").cookie(&dan).json(&json!({"name": "x"})).send().await.is(403);
}

/// Somebody with the role client, and the part in the body.
async fn client(s: &Shop, part: Value) -> String {
    let cookie = s.house.login("cleo@agency.example", Right::See, Some(s.site.id)).await;
    let people = s.house.get("/api/sites/shop/people").cookie(&s.ann).send().await.is(200).json;
    let all = people["items"].as_array().expect("people");
    let user = all.iter().find(|p| p["email"] == "cleo@agency.example").expect("cleo")["user"].as_str().expect("an id").to_owned();
    let mut body = part;
    body["role"] = "client".into();
    s.house.post(&format!("/api/sites/shop/people/{user}")).cookie(&s.ann).json(&body).send().await.is(204);
    cookie
}

#[tokio::test]
async fn a_client_sees_the_part_and_no_route_shows_more() {
    let s = shop().await;
    let cleo = client(&s, json!({"segment": {"source": ["google"]}})).await;
    let mut open = 0;
    for route in ROUTES.iter().filter(|r| r.method == "GET" && matches!(r.who, Who::Site(Needed::See, _)) && !r.path.ends_with("}/live")) {
        let numbers: &[&str] = if route.path.contains("{id}") || route.path.contains("{fact}") {
            &["conversion_1", "conversion_5", "conversion_6", "conversion_9", "order_3", "lead_3", "in_5"]
        } else {
            &[""]
        };
        for number in numbers {
            for with in TRIES {
                let path = route.path.replace("{site}", "shop").replace("{id}", number).replace("{fact}", number);
                let answer = s.house.get(&format!("{path}?{}", with.replace(' ', "%20"))).cookie(&cleo).send().await;
                open += usize::from(answer.status == 200);
                if answer.status == 200 {
                    assert!(route.keeps_within, "{} answers who is shown a part", route.path);
                }
                let text = answer.text.replace(&format!("There is no conversion for {number}"), "");
                assert!(!text.contains(OUTSIDE) && !text.contains("77.77") && !text.contains("7777"), "{}: {text}", answer.asked);
            }
        }
    }
    assert!(open > 60, "the part itself is shown: {open}");
    s.house.get("/api/sites/shop/conversions/conversion_1").cookie(&cleo).send().await.is(200);
    s.house.get("/api/sites/shop/conversions/conversion_5").cookie(&cleo).send().await.is(404);
    s.house.get("/api/sites/shop/receipts/conversion_5").cookie(&cleo).send().await.is(404);
    s.house.get("/api/sites/shop/orders").cookie(&cleo).send().await.is(403);
    let list = s.house.get("/api/sites/shop/conversions?source=kanarie").cookie(&cleo).send().await.is(200).json;
    assert_eq!((&list["items"], &list["facets"]["source"]), (&json!([]), &json!([{"value": "google", "count": 4}])), "{list}");
}

/// Where the whole began is not told to somebody who is shown a part: they are told when the part did.
#[tokio::test]
async fn a_client_is_told_when_the_part_began() {
    let s = shop().await;
    let old = json!({"order_id": "old", "total": "77.77", "currency": "USD", "created_at": s.house.ago(90 * 86_400)});
    s.house.order(&s.site, old).await.is(200);
    for (days, source) in [(50, OUTSIDE), (40, "google")] {
        s.house.history(&s.site, None, days * 24, json!({"utm_source": source, "utm_medium": "cpc"})).await;
    }
    let began = async |cookie: &str| {
        let me = s.house.get("/api/me").cookie(cookie).send().await.is(200).json;
        let day = |name: &str| me["sites"][0][name].as_str().map(|at| at[..10].to_owned());
        (day("first_touch_at"), day("first_conversion_at"))
    };
    let day = |days: i64| Some(s.house.ago(days * 86_400)[..10].to_owned());
    assert_eq!(began(&s.ann).await, (day(50), day(90)));
    let cleo = client(&s, json!({"segment": {"source": ["google"]}})).await;
    assert_eq!(began(&cleo).await, (day(40), day(0)));
    // Nor what else a buyer of theirs has bought.
    for path in ["conversions", "reports/overview", "reports/sources"] {
        let refused = s.house.get(&format!("/api/sites/shop/{path}?customers=returning")).cookie(&cleo).send().await.is(403);
        assert_eq!(refused.json["error"]["field"], "customers", "{path}");
    }
    cube::catch_up(&s.house.app).await.expect("counted");
    assert_eq!(began(&cleo).await, (day(40), day(0)), "counted days say the same");
    let nothing = client(&s, json!({"segment": {"source": ["nowhere"]}})).await;
    assert_eq!(began(&nothing).await, (None, None));
    let hidden = client(&s, json!({"hides_money": true})).await;
    assert_eq!(began(&hidden).await, (day(50), day(90)), "who is shown all of it is told of all of it");
}

#[tokio::test]
async fn a_clients_stream_tells_of_the_part_alone() {
    let s = shop().await;
    let cleo = client(&s, json!({"segment": {"source": ["google"]}})).await;
    let mut live = s.house.get("/api/sites/shop/live").cookie(&cleo).listen().await;
    live.until("retry").await;
    let outside = s.house.visit(&s.site, None, json!({"utm_source": OUTSIDE})).await;
    s.house.order(&s.site, json!({"order_id": "#50", "total": "1.00", "currency": "USD", "session_id": outside})).await.is(200);
    let inside = s.house.visit(&s.site, None, json!({"utm_source": "google"})).await;
    s.house.order(&s.site, json!({"order_id": "#51", "total": "1.00", "currency": "USD", "session_id": inside})).await.is(200);
    let told = live.next().await;
    assert!(told.starts_with("event: conversion") && told.contains("conversion_11"), "{told}");
}

#[tokio::test]
async fn amounts_hidden_from_a_client_are_in_no_answer() {
    let s = shop().await;
    let cleo = client(&s, json!({"hides_money": true, "hides_people": true})).await;
    for route in ROUTES.iter().filter(|r| r.method == "GET" && matches!(r.who, Who::Site(Needed::See, _)) && !r.path.ends_with("}/live")) {
        for number in ["conversion_1", "conversion_5", "order_1", "lead_1", "in_1"] {
            for with in ["", "sort=amount", "model=linear", "compare=previous", "q=person1@google.example"] {
                let path = route.path.replace("{site}", "shop").replace("{id}", number).replace("{fact}", number);
                let answer = s.house.get(&format!("{path}?{with}")).cookie(&cleo).send().await;
                // A ninth of the sales is no amount.
                let text = answer.text.replace("0.1111111111111111", "");
                for amount in ["1111", "7777", "11.11", "77.77", "minor"] {
                    assert!(!text.contains(amount), "{} shows {amount}: {}", answer.asked, answer.text);
                }
                for person in ["@", "Order ", "google-1"] {
                    assert!(!answer.text.contains(person), "{} shows {person}: {}", answer.asked, answer.text);
                }
            }
        }
    }
    s.house.get("/api/sites/shop/receipts/conversion_1").cookie(&cleo).send().await.is(403);
    s.house.get("/api/sites/shop/conversions.csv").cookie(&cleo).send().await.is(403);
}

/// Without what only the whole site is told: first and last visits, facets over all rows, sentences that name other visits.
fn comparable(value: &Value) -> Value {
    const LEFT_OUT: [&str; 6] = ["first", "last", "facets", "match", "touches", "now"];
    match value {
        Value::Object(fields) => {
            fields.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())).map(|(name, v)| (name.clone(), comparable(v))).collect()
        }
        Value::Array(all) => all.iter().map(comparable).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn every_figure_of_a_part_is_the_one_that_the_owner_has_with_that_filter() {
    let s = shop().await;
    // Days before today are counted, so that answers come from counts and are remembered.
    for _ in 0..40 {
        s.house.advance_s(86_400);
        cube::catch_up(&s.house.app).await.expect("counted");
    }
    let ann = s.house.login("bea@shop.example", Right::Own, None).await;
    let s = Shop { ann, ..s };
    let token = s.share(json!({"name": "Part", "segment": {"source": ["google"]}})).await;
    let cleo = client(&s, json!({"segment": {"source": ["google"]}})).await;
    let days = "from=2026-05-01&to=2026-07-31";
    let with = "with=days,latest,sources,countries,devices,products";
    let mut seen = 0;
    for (report, more) in [
        ("reports/overview", with),
        ("reports/overview", "with=days&compare=previous"),
        ("reports/timeseries", ""),
        ("reports/sources", ""),
        ("reports/sources", "by=channel"),
        ("reports/sources", "by=campaign"),
        ("reports/sources", "by=landing"),
        ("reports/countries", ""),
        ("reports/devices", "kind=sale"),
        ("reports/products", ""),
        ("reports/campaigns", ""),
        ("reports/campaigns", "in_channel=Paid%20Search&in_source=google&in_campaign=google%20spring"),
        ("conversions", ""),
        ("conversions", "kind=lead"),
    ] {
        let path = format!("/api/sites/shop/{report}?{days}&{more}");
        // Somebody has looked at all of it before: what was worked out then is not what a part is given.
        let all = s.house.get(&path).cookie(&s.ann).send().await.is(200);
        let own = s.house.get(&format!("{path}&source=google")).cookie(&s.ann).send().await.is(200);
        let part = s.house.get(&path).cookie(&cleo).send().await.is(200);
        assert_eq!(comparable(&part.json), comparable(&own.json), "{}", part.asked);
        assert!(!part.text.contains(OUTSIDE), "{}: {}", part.asked, part.text);
        assert!(!part.text.contains("\"first\"") && !part.text.contains("\"last\""), "{}: {}", part.asked, part.text);
        assert!(
            report == "reports/products" || more.contains("in_channel") || comparable(&part.json) != comparable(&all.json),
            "{}: the part is all there is",
            part.asked
        );
        seen += usize::from(part.text.contains("google") || part.text.contains("2222"));
        let shared = report.trim_start_matches("reports/");
        if ["overview", "timeseries", "sources", "campaigns"].contains(&shared) && !more.contains("latest") {
            let link = s.shown(&token, &format!("/{shared}?{days}&{more}")).await.is(200);
            assert_eq!(comparable(&link.json), comparable(&own.json), "{}", link.asked);
        }
    }
    assert!(seen > 8, "the part itself is shown: {seen}");
}

#[tokio::test]
async fn the_lab_is_for_whoever_sees_all_visits_without_amounts_where_they_are_hidden() {
    let s = shop().await;
    let whole = client(&s, json!({"hides_money": true, "hides_people": true})).await;
    for report in ["attribution", "paths", "time_to_convert"] {
        let path = format!("/api/sites/shop/reports/{report}?from=2026-05-01&to=2026-07-31");
        let shown = s.house.get(&path).cookie(&whole).send().await.is(200);
        assert!(!shown.text.contains("minor"), "{report}: {}", shown.text);
    }
    let s = shop().await;
    let part = client(&s, json!({"segment": {"source": ["google"]}})).await;
    for report in ["attribution", "paths", "time_to_convert"] {
        let refused = s.house.get(&format!("/api/sites/shop/reports/{report}")).cookie(&part).send().await.is(403);
        assert!(refused.text.contains("a part of them"), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_sale_of_a_part_tells_of_no_other_visit_before_it() {
    let s = shop().await;
    let cleo = client(&s, json!({"segment": {"source": ["google"]}})).await;
    let utm = |source: &str| json!({"utm_source": source, "utm_medium": "cpc", "utm_campaign": format!("{source} spring"), "landing": format!("/{source}")});
    let id = s.house.history(&s.site, None, 90, utm(OUTSIDE)).await;
    let id = s.house.history(&s.site, Some(&id), 60, utm("google")).await;
    let order = json!({"order_id": "mixed", "total": "5.00", "currency": "USD", "session_id": id, "status": "paid", "created_at": s.house.ago(60),
        "custom_data": {"heard_of_us": OUTSIDE}});
    s.house.order(&s.site, order).await.is(200);
    let path = "/api/sites/shop/conversions/conversion_10";
    let own = s.house.get(&format!("{path}/touchpoints")).cookie(&s.ann).send().await.is(200);
    assert!(own.text.contains(OUTSIDE) && own.json["items"].as_array().is_some_and(|t| t.len() == 2), "{}", own.text);
    for asked in [
        path.to_owned(),
        format!("{path}/touchpoints"),
        format!("{path}/attribution"),
        "/api/sites/shop/receipts/conversion_10".into(),
        "/api/sites/shop/conversions?kind=sale".into(),
        "/api/sites/shop/reports/overview?with=latest".into(),
    ] {
        let told = s.house.get(&asked).cookie(&cleo).send().await.is(200);
        assert!(!told.text.to_lowercase().contains(OUTSIDE), "{asked}: {}", told.text);
    }
    let receipt = s.house.get("/api/sites/shop/receipts/conversion_10").cookie(&cleo).send().await.is(200).json;
    assert_eq!((receipt["touches"].as_array().map(Vec::len), receipt["models"].as_array().map(Vec::len)), (Some(1), Some(1)), "{receipt}");
    let shares = s.house.get(&format!("{path}/attribution")).cookie(&cleo).send().await.is(200).json;
    assert_eq!(shares["weights"], json!({"touchpoint_1": 1.0}));
}

#[tokio::test]
async fn a_link_shows_its_pages_and_stands_in_the_frames_it_names() {
    let s = shop().await;
    for (body, field) in [
        (json!({"name": "x", "pages": []}), "pages"),
        (json!({"name": "x", "pages": ["settings"]}), "pages"),
        // What would hide nothing is no wish to be passed over.
        (json!({"name": "x", "hide": ["money", "people"]}), "hide"),
        (json!({"name": "x", "frames": ["*"]}), "frames"),
        (json!({"name": "x", "frames": ["https://a.example; script-src *"]}), "frames"),
    ] {
        let refused = s.house.post("/api/sites/shop/shares").cookie(&s.ann).json(&body).send().await.is(422);
        assert_eq!(refused.json["error"]["field"], field, "{body}");
    }
    let plain = s.share(json!({"name": "Plain", "pages": ["overview"]})).await;
    let two = json!({"name": "Two", "pages": ["leads", "sources"], "frames": ["agency.example", "http://localhost:3000/x"], "password": "open sesame"});
    let two = s.share(two).await;
    let list = s.house.get("/api/sites/shop/shares").cookie(&s.ann).send().await.is(200).json;
    assert_eq!((&list["items"][0]["pages"], &list["items"][1]["pages"]), (&json!(["sources", "leads"]), &json!(["overview"])));
    let policy = async |token: &str| {
        let page = s.house.get(&format!("/s/{token}")).header("accept", "text/html").send().await.is(200);
        assert!(page.header("x-robots-tag").contains("noindex"));
        page.header("content-security-policy").to_owned()
    };
    assert!(policy(&plain).await.contains("frame-ancestors 'none'"));
    let framed = policy(&two).await;
    assert!(
        framed.contains("frame-ancestors https://agency.example http://localhost:3000;") && framed.contains("script-src 'self'"),
        "{framed}"
    );
    assert_eq!(framed.matches("frame-ancestors").count(), 1);
    assert!(policy("nothing-like-a-link").await.contains("frame-ancestors 'none'"));
    // In somebody else's page the proof of the password is kept for that page alone.
    let open =
        s.house.post(&format!("/api/shared/{two}/open")).header("sec-fetch-site", "same-origin").header("x-forwarded-proto", "https");
    let opened = open.json(&json!({"password": "open sesame"})).send().await.is(204);
    let set = opened.header("set-cookie").to_owned();
    assert!(set.contains("SameSite=None; Secure; Partitioned") && set.contains("HttpOnly"), "{set}");
    for (token, question, status) in [
        (&plain, "/overview", 200),
        (&plain, "/timeseries", 200),
        (&plain, "/sources", 200),
        (&plain, "/campaigns", 403),
        (&plain, "/conversions", 403),
        (&plain, "/leads.csv", 403),
        (&two, "/overview", 403),
        (&two, "/timeseries", 403),
        (&two, "/conversions.csv", 403),
        (&two, "/orders", 403),
        (&two, "/campaigns", 200),
        (&two, "/leads", 200),
    ] {
        let answer = s.house.get(&format!("/api/shared/{token}{question}")).header("cookie", &opened.cookie()).send().await;
        assert_eq!(answer.status, status, "{}: {}", answer.asked, answer.text);
    }
    let leads = s.house.get(&format!("/api/shared/{two}/leads?kind=sale")).header("cookie", &opened.cookie()).send().await.is(200).json;
    assert_eq!((&leads["count"], &leads["statuses"]), (&json!(4), &json!([{"value": "new", "count": 4}])), "{leads}");
    assert!(leads["items"].as_array().is_some_and(|all| all.iter().all(|l| l["kind"] == "lead")), "{leads}");
}
