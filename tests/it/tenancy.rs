//! Two sites with the same people, orders and numbers: nobody of the one reads a byte of the other, by any route, number,
//! filter or cursor, and changes nothing there.
//!
//! Everything that only the second site has carries the word `kanarie`, or is one of its random keys.

use std::collections::BTreeSet;

use halotrack::domain::rights::Right;
use halotrack::http::route::{Route, Who};
use halotrack::http::table::ROUTES;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::running::signed;
use crate::stand_in::{self, StandIn};
use crate::story::Connected;

const WORD: &str = "kanarie";

struct Two {
    house: House,
    a: SiteAt,
    b: SiteAt,
    forms_a: Connected,
    forms_b: Connected,
    hook_b: Connected,
    /// A visitor of the second site.
    visitor_b: String,
    /// What must never be seen in an answer to the first site.
    canaries: Vec<String>,
    _receiver: StandIn,
}

/// The same things happen on both sites under the same names; on the second then a little more.
async fn two() -> Two {
    let receiver = StandIn::start(|seen, _| {
        let word = if seen.target.contains(WORD) { "kanarie says thanks" } else { "thanks" };
        stand_in::Answer::text(200, word)
    })
    .await;
    let house = House::new();
    let a = house.site("shop.example").await;
    let b = house.site("kanarie.example").await;
    let mut made = Vec::new();
    for (site, path) in [(&a, "plain"), (&b, WORD)] {
        let forms = house.connect(site, "forms", "", &[]).await;
        let hook = house.connect(site, "webhook", "live", &[("url", &format!("{}/{path}", receiver.url()))]).await;
        let says = |text: &str| if site.slug == WORD { format!("{WORD} {text}") } else { text.to_owned() };
        let mut visitor = String::new();
        for n in 0..3 {
            house.advance_s(60);
            let utm = json!({"utm_source": "news", "utm_medium": "email", "utm_campaign": says("spring"), "gclid": format!("click-{n}"),
                "landing": format!("/{}", says("start").replace(' ', "-"))});
            visitor = house.visit(site, None, utm).await;
            let lead = json!({"lead_id": format!("L-{n}"), "email": format!("person{n}@mail.example"), "phone": format!("+97150123456{n}"),
                "name": says("Ann Lee"), "company": says("Acme"), "message": says("hello"), "form_type": says("contact"), "session_id": visitor,
                "url": format!("https://{}/contact", site.domain), "value": "10.00", "currency": "USD", "consent_given": true,
                "custom_fields": {"note": says("note")}});
            house.lead(site, lead).await.is(200);
            let said = json!({"conversation_id": says(&format!("c-{n}")), "role": "customer", "at": house.clock.now().utc(),
                "email": format!("person{n}@mail.example"), "session_id": visitor, "text": says("How much is the cup?")});
            house.post("/api/chat/events").token(&site.token).json(&said).send().await.is(200);
            house
                .order(
                    site,
                    json!({"order_id": format!("#{n}"), "total": "99.00", "currency": "USD", "email": format!("person{n}@mail.example"),
                "session_id": visitor, "items": [{"id": "1", "name": says("Cup"), "price": "99.00"}], "coupons": [says("TEN")]}),
                )
                .await
                .is(200);
            let told = json!({"conversion_type": "sale", "order_id": format!("90{n}"), "revenue": 5, "currency": "USD",
                "email": format!("person{n}@mail.example"), "custom_data": {"note": says("data")}, "sub_ids": {"s1": says("sub")},
                "campaign_id": says("c1"), "click_id": format!("click-{n}")});
            house.conversion(site, told).await.is(201);
        }
        let strange = says("no lead at all").into_bytes();
        let headers = signed(&forms.secret, house.clock.now().s(), &strange);
        let call = headers.iter().fold(house.post(&forms.hook), |c, (n, v)| c.header(n, v));
        assert_eq!(call.body(strange).send().await.is(200).json["status"], json!("quarantined"));
        made.push((forms, hook, visitor));
    }
    let (forms_b, hook_b, visitor_b) = made.pop().expect("the second");
    let (forms_a, ..) = made.pop().expect("the first");
    // More on the second site than on the first: numbers that the first does not have.
    for n in 10..16 {
        house.advance_s(60);
        let person = format!("only{n}@kanarie.example");
        house
            .lead(&b, json!({"lead_id": format!("kanarie-{n}"), "email": person, "message": "kanarie", "consent_given": true}))
            .await
            .is(200);
        house.order(&b, json!({"order_id": format!("kanarie-{n}"), "total": "7.00", "currency": "USD", "email": person})).await.is(200);
    }
    house.work().await;
    let hook_token = |c: &Connected| c.hook.rsplit('/').next().unwrap_or_default().to_owned();
    let mut canaries = vec![WORD.to_owned(), b.key.clone(), b.token.clone(), visitor_b.clone(), visitor_b[..28].to_owned()];
    canaries.extend([forms_b.secret.clone(), hook_b.secret.clone(), hook_token(&forms_b)]);
    Two { house, a, b, forms_a, forms_b, hook_b, visitor_b, canaries, _receiver: receiver }
}

/// Numbers of the second site as addresses write them: some that the first has too, some that it has not.
fn numbers(two: &Two) -> Vec<String> {
    let mut all = Vec::new();
    for word in ["conversion", "lead", "order", "in", "contact", "delivery", "session", "token"] {
        all.extend([1, 20].map(|n| format!("{word}_{n}")));
    }
    all.extend([two.forms_b.id.clone(), two.hook_b.id.clone(), "20".into(), "9223372036854775807".into()]);
    all
}

/// The route's address with its parameters filled; each parameter apart from the site takes the same value.
fn address(route: &Route, site: &str, other: &str) -> String {
    let parts = route.path.split('/').map(|part| match part {
        "{site}" => site.to_owned(),
        "{platform}" => "forms".into(),
        _ => match (part.find('{'), part.find('}')) {
            (Some(from), Some(to)) => format!("{}{other}{}", &part[..from], &part[to + 1..]),
            _ => part.to_owned(),
        },
    });
    parts.collect::<Vec<_>>().join("/")
}

fn has_number(route: &Route) -> bool {
    route.path.replace("{site}", "").contains('{')
}

/// An answer that does not end: it has a story of its own below.
fn is_stream(route: &Route) -> bool {
    route.doc.answers_with == "text/event-stream" || route.path.ends_with("{site}/live")
}

fn bodies(route: &Route, other: &str) -> Vec<Value> {
    if route.method == "GET" || route.method == "DELETE" {
        return vec![Value::Null];
    }
    let example = route.doc.body.and_then(|b| serde_json::from_str(b).ok()).unwrap_or_else(|| json!({}));
    if has_number(route) {
        return vec![example];
    }
    vec![example, json!({"deliveries": [other]}), json!({"deliveries": ["delivery_1", other]}), json!({"filter": {"q": WORD}})]
}

#[derive(Clone)]
enum By {
    Token(String),
    Login(String),
}

async fn ask(house: &House, by: &By, method: &str, path: &str, body: &Value) -> Answer {
    // A token may ask ten times a second.
    house.clock.advance_ms(200);
    let call = house.call(method, path);
    let call = match by {
        By::Token(token) => call.token(token),
        By::Login(cookie) => call.cookie(cookie),
    };
    if body.is_null() { call.send().await } else { call.json(body).send().await }
}

/// No byte of the second site, in body or head.
#[track_caller]
fn clean(two: &Two, answer: &Answer, body: &Value) {
    let head: String = answer.headers.values().map(|v| format!("{v:?}\n")).collect();
    let said = format!("{head}{}", answer.text);
    // What was asked may be said back; what was not may not.
    let asked = format!("{} {body}", answer.asked).to_lowercase();
    for canary in &two.canaries {
        let is_said = said.to_lowercase().contains(&canary.to_lowercase());
        assert!(!is_said || (asked.contains(canary) && answer.status >= 400), "{canary} in the answer to {} {body}: {said}", answer.asked);
    }
}

/// The four ways in which somebody of the first site may ask.
async fn callers(two: &Two) -> Vec<By> {
    let house = &two.house;
    let mut all = vec![By::Token(two.a.token.clone())];
    for right in Right::ALL {
        all.push(By::Login(house.login(&format!("{}@mail.example", right.role()), right, Some(two.a.id)).await));
    }
    all
}

/// All that the second site holds, as its own people see it.
async fn state(two: &Two) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for route in ROUTES.iter().filter(|r| r.method == "GET" && matches!(r.who, Who::Site(..)) && !has_number(r) && !is_stream(r)) {
        let answer = ask(&two.house, &By::Token(two.b.token.clone()), "GET", &address(route, &two.b.slug, ""), &Value::Null).await;
        // The audit log notes who looked; presence and the moment of a proof are of the moment.
        if answer.status == 200 && !["/audit", "/live", "/consent/proof"].iter().any(|end| route.path.contains(end)) {
            all.push((route.path.to_owned(), answer.text));
        }
    }
    for name in ["sessions", "leads", "orders", "contacts", "anon_events"] {
        let rows = two.house.sql(&two.b, &format!("select * from {name}"));
        all.push((name.to_owned(), Value::Array(rows).to_string()));
    }
    all
}

#[tokio::test]
async fn the_second_site_is_full_of_what_must_not_be_seen() {
    let two = two().await;
    let own = By::Token(two.b.token.clone());
    let mut shown = 0;
    for route in ROUTES.iter().filter(|r| r.method == "GET" && matches!(r.who, Who::Site(..) | Who::Token(_)) && !is_stream(r)) {
        let numbers = if has_number(route) { numbers(&two) } else { vec![String::new()] };
        for number in numbers {
            let answer = ask(&two.house, &own, "GET", &address(route, &two.b.slug, &number), &Value::Null).await;
            shown += usize::from(answer.text.to_lowercase().contains(WORD));
        }
    }
    assert!(shown >= 5, "only {shown} answers show anything of the second site to its own people");
}

#[tokio::test]
async fn a_foreign_site_is_as_unknown_as_none() {
    let two = two().await;
    let before = state(&two).await;
    for by in callers(&two).await {
        for route in ROUTES.iter().filter(|r| matches!((r.who, &by), (Who::Site(..), _) | (Who::Member(_), By::Login(_)))) {
            let none = ask(&two.house, &by, route.method, &address(route, "nowhere", "1"), &bodies(route, "1")[0]).await.is(404);
            for name in [two.b.slug.as_str(), "site_2", "2"] {
                for number in ["1", "conversion_14", two.forms_b.id.as_str()] {
                    for body in bodies(route, "delivery_14") {
                        let answer = ask(&two.house, &by, route.method, &address(route, name, number), &body).await.is(404);
                        clean(&two, &answer, &body);
                        let words = |a: &Answer| a.text.replace(a.header("x-request-id"), "");
                        assert_eq!(words(&answer), words(&none), "the same words as for a site that is not there");
                    }
                    if !has_number(route) {
                        break;
                    }
                }
            }
        }
    }
    assert_eq!(state(&two).await, before, "and nothing has changed there");
}

#[tokio::test]
async fn foreign_numbers_filters_and_cursors_give_nothing() {
    let two = two().await;
    let before = state(&two).await;
    let cursors = cursors(&two).await;
    let mut questions: Vec<String> = [
        "q=kanarie",
        "q=only10%40kanarie.example",
        "source=kanarie",
        "campaign=kanarie%20spring",
        "platform=webhook",
        "limit=500",
        "limit=1",
        "connection=con_3",
        "connection=con_4",
        "conversion=conversion_14",
        "site=kanarie",
        "site=2",
        "contact=contact_4",
        "domain=kanarie.example",
        "email=only10@kanarie.example",
        "sort=amount",
        "from=2020-01-01&to=2030-01-01",
        "state=quarantined",
    ]
    .map(str::to_owned)
    .to_vec();
    questions.extend(cursors.iter().map(|c| format!("cursor={c}")));
    for by in callers(&two).await {
        for route in ROUTES.iter().filter(|r| matches!(r.who, Who::Site(..) | Who::Token(_) | Who::Member(_) | Who::Login) && !is_stream(r))
        {
            if matches!((route.who, &by), (Who::Token(_), By::Login(_)) | (Who::Login | Who::Member(_), By::Token(_))) {
                continue;
            }
            // Telling makes numbers of its own; a story below looks at what is told.
            if (route.method, route.path) == ("POST", "/api/conversions") {
                continue;
            }
            if has_number(route) {
                for number in numbers(&two) {
                    for body in bodies(route, &number) {
                        let answer = ask(&two.house, &by, route.method, &address(route, &two.a.slug, &number), &body).await;
                        clean(&two, &answer, &body);
                        let is_foreign = [&two.forms_b.id, &two.hook_b.id].contains(&&number) || number.ends_with("_14");
                        assert!(!is_foreign || answer.status >= 400, "{} {body}: {}", answer.asked, answer.text);
                    }
                }
                continue;
            }
            for body in ["delivery_14", "delivery_20"].iter().flat_map(|d| bodies(route, d)) {
                let answer = ask(&two.house, &by, route.method, &address(route, &two.a.slug, ""), &body).await;
                clean(&two, &answer, &body);
            }
            for question in questions.iter().filter(|_| route.method == "GET") {
                let path = format!("{}?{question}", address(route, &two.a.slug, ""));
                let answer = ask(&two.house, &by, "GET", &path, &Value::Null).await;
                clean(&two, &answer, &Value::Null);
            }
        }
    }
    assert_eq!(state(&two).await, before, "and nothing has changed on the second site");
}

/// Every mark that a list of the second site gives for going on.
async fn cursors(two: &Two) -> BTreeSet<String> {
    let own = By::Token(two.b.token.clone());
    let mut all = BTreeSet::new();
    for route in
        ROUTES.iter().filter(|r| r.method == "GET" && matches!(r.who, Who::Site(..) | Who::Token(_)) && !has_number(r) && !is_stream(r))
    {
        let path = format!("{}?limit=2", address(route, &two.b.slug, ""));
        let answer = ask(&two.house, &own, "GET", &path, &Value::Null).await;
        all.extend(answer.json["next"].as_str().map(str::to_owned));
    }
    all
}

#[tokio::test]
async fn what_the_second_sites_people_prove_is_nothing_to_the_first() {
    let two = two().await;
    let (house, a, b) = (&two.house, &two.a, &two.b);
    // Known there, a stranger here: by e-mail, phone, click and session.
    let lead =
        json!({"lead_id": "X-1", "email": "only10@kanarie.example", "session_id": two.visitor_b, "custom_fields": {"gclid": "click-2"}});
    let told = house.lead(a, lead).await.is(200);
    assert_ne!(told.json["match_type"], json!("session"), "a session of another site is nobody's");
    clean(&two, &told, &json!({"session_id": two.visitor_b, "email": "only10@kanarie.example"}));
    // A body that names the other site's domain is still the sender's own.
    let body = json!({"lead_id": "X-2", "email": "x2@mail.example", "url": "https://kanarie.example/contact"}).to_string();
    let headers = signed(&two.forms_a.secret, house.clock.now().s(), body.as_bytes());
    let call = headers.iter().fold(house.post("/api/webhook/lead").header("origin", "https://kanarie.example"), |c, (n, v)| c.header(n, v));
    call.body(body).send().await.is(200);
    let leads = |site: &SiteAt| house.sql(site, "select external_lead_id from leads where external_lead_id like 'X-%'").len();
    assert_eq!((leads(a), leads(b)), (2, 0));
    // A secret opens the hook it belongs to and no other.
    let body = json!({"lead_id": "X-3", "email": "x3@mail.example"}).to_string();
    for (secret, hook, status) in [
        (&two.forms_a.secret, &two.forms_b.hook, 401),
        (&two.forms_b.secret, &two.forms_a.hook, 401),
        (&two.forms_b.secret, &two.forms_b.hook, 200),
    ] {
        let headers = signed(secret, house.clock.now().s(), body.as_bytes());
        let call = headers.iter().fold(house.post(hook), |c, (n, v)| c.header(n, v));
        call.body(body.clone()).send().await.is(status);
    }
    assert_eq!((leads(a), leads(b)), (2, 1));
    // The same id at both is two leads, and a retry's key is each site's own.
    for site in [a, b] {
        let call = house.post("/api/conversions").token(&site.token).header("idempotency-key", "same");
        call.json(&json!({"conversion_type": "lead", "email": "same@mail.example"})).send().await.is(201);
    }
}

#[tokio::test]
async fn open_dashboards_hear_of_their_own_site_only() {
    let two = two().await;
    let (house, a, b) = (&two.house, &two.a, &two.b);
    let cookie = house.login("editor@mail.example", Right::Edit, Some(a.id)).await;
    house.get("/api/sites/kanarie/live").cookie(&cookie).send().await.is(404);
    let mut own = house.get("/api/sites/shop/live").cookie(&cookie).listen().await;
    own.until("event: visitors").await;
    let mut foreign = house.get("/api/sites/kanarie/live").token(&b.token).listen().await;
    foreign.until("event: visitors").await;
    house.lead(b, json!({"lead_id": "kanarie-live", "email": "live@kanarie.example"})).await.is(200);
    house.lead(a, json!({"lead_id": "L-live", "email": "live@mail.example"})).await.is(200);
    let (heard, there) = (own.until("event: conversion").await, foreign.until("event: conversion").await);
    let id = |text: &str| {
        text.lines().find_map(|l| l.strip_prefix("data: ").and_then(|d| serde_json::from_str::<Value>(d).ok())).unwrap_or_default()
    };
    assert_eq!((&id(&heard)["id"], &id(&there)["id"]), (&json!("conversion_10"), &json!("conversion_22")), "{heard} {there}");
}

#[tokio::test]
async fn a_token_of_one_site_speaks_for_that_site_only() {
    let two = two().await;
    let (house, a, b) = (&two.house, &two.a, &two.b);
    let before = house.sql(b, "select * from sessions").len();
    // The body names the other site; the token decides.
    let body =
        json!({"site": b.key, "landing": "/", "session_id": two.visitor_b, "user_agent": crate::house::CHROME, "utm_source": "forged"});
    let told = house.post("/api/touch").token(&a.token).json(&body).send().await.is(200);
    assert_ne!(told.json["session_id"], json!(two.visitor_b));
    assert_eq!(house.sql(b, "select * from sessions").len(), before);
    assert!(!house.session(b, &two.visitor_b).to_string().contains("forged"));
    // And a page of the one with the key of the other is refused.
    let body = json!({"site": b.key, "landing": "/"}).to_string();
    let refused = house.post("/api/touch").browser(a).body(body).send().await.is(403);
    assert_eq!(refused.json["code"], json!("origin_not_allowed"));
    // A page cannot claim the other's visitor.
    for path in ["/api/identify", "/api/event"] {
        let body = json!({"site": a.key, "session_id": two.visitor_b, "email": "thief@mail.example", "name": "forged"}).to_string();
        house.post(path).browser(a).header("cookie", &format!("_halo={}", two.visitor_b)).body(body).send().await.is(204);
    }
    let rows = house.sql(b, "select * from customer_sessions where customer_email = 'thief@mail.example'");
    assert_eq!(rows, Vec::<Value>::new());
}
