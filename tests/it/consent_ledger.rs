//! A no holds wherever a delivery is, is provable afterwards, and is heard from a browser's own signal at every door.

use std::sync::atomic::Ordering;

use halotrack::domain::consent::Mode;
use halotrack::domain::rights::Right;
use halotrack::jobs::worker;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::house::{CHROME, House, SiteAt};
use crate::hubspot::{HubSpot, TOKEN};
use crate::stand_in::{Answer, Gate, StandIn};
use crate::upstream::Street;

impl House {
    async fn refuse(&self, site: &SiteAt, session: &str) {
        self.touch(site, Some(session), json!({"consent": {"analytics": "granted", "marketing": "denied"}})).await.is(200);
    }

    async fn agrees_and_buys(&self, site: &SiteAt, number: i64, total: &str) -> String {
        self.advance_s(1);
        let id = self.visit(site, None, json!({"utm_source": "news", "consent": "granted"})).await;
        let order =
            json!({"order_id": number, "total": total, "currency": "EUR", "email": format!("p{number}@mail.example"), "session_id": id});
        self.order(site, order).await.is(200);
        id
    }

    async fn proof(&self, site: &SiteAt) -> Value {
        self.advance_s(1);
        self.get(&format!("/api/sites/{}/reports/consent/proof", site.slug)).token(&site.token).send().await.is(200).json
    }
}

fn ends(deliveries: &[Value]) -> Vec<String> {
    let mut ends: Vec<String> =
        deliveries.iter().map(|d| format!("{} {}", d["state"].as_str().unwrap_or("-"), d["reason"].as_str().unwrap_or("-"))).collect();
    ends.sort();
    ends
}

#[tokio::test]
async fn a_withdrawal_ends_a_wait_for_another_try() {
    let house = House::new();
    let receiver = StandIn::start(|_, _| Answer::text(503, "later")).await;
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    let id = house.agrees_and_buys(&site, 1, "9.00").await;
    house.work().await;
    assert_eq!((receiver.seen().len(), ends(&house.deliveries(&site).await)), (1, vec!["pending -".to_owned()]));
    house.advance_s(5);
    house.refuse(&site, &id).await;
    assert_eq!(ends(&house.deliveries(&site).await), ["cancelled consent"], "at once, not at the next try");
    // A yes that comes later is for what comes later: what was called back stays so.
    house.advance_s(5);
    house.touch(&site, Some(&id), json!({"consent": "granted"})).await.is(200);
    for _ in 0..12 {
        house.advance_s(20 * 3_600);
        house.work().await;
    }
    assert_eq!(receiver.seen().len(), 1);
    let proof = house.proof(&site).await;
    assert_eq!((&proof["total"]["sends"], &proof["total"]["refused"]), (&json!(1), &json!(0)), "{proof:#}");
}

#[tokio::test]
async fn a_withdrawal_ends_a_talk_of_several_requests() {
    let hubspot = HubSpot::default();
    hubspot.with(|p| p.moods.push(("deals/batch/upsert", 503, json!({}))));
    let receiver = hubspot.start().await;
    let url = receiver.url();
    let house = House::with(move |config| drop(config.base_urls.insert("hubspot".into(), url)));
    let site = house.site("shop.example").await;
    house.connect(&site, "hubspot", "live", &[("access_token", TOKEN)]).await;
    let id = house.agrees_and_buys(&site, 1, "9.00").await;
    house.work().await;
    assert_eq!(receiver.seen().len(), 2, "the contact, and a deal that was not taken");
    house.advance_s(1);
    house.refuse(&site, &id).await;
    house.advance_s(20 * 3_600);
    house.work().await;
    assert_eq!((receiver.seen().len(), ends(&house.deliveries(&site).await)), (2, vec!["cancelled consent".to_owned()]));
}

/// Four are on their way at a time: these have left when everybody says no, the others never do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_meets_what_is_on_its_way_and_what_stands_behind_it() {
    let gate = Gate::closed();
    let held = gate.clone();
    let receiver = StandIn::start(move |_, _| Answer::Held(held.clone())).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    let mut people = Vec::new();
    for number in 1..=7 {
        people.push(house.agrees_and_buys(&site, number, "9.00").await);
    }
    let app = house.app.clone();
    let work = tokio::spawn(async move { worker::drain(&app).await });
    while gate.waiting.load(Ordering::SeqCst) < 4 {
        tokio::task::yield_now().await;
    }
    house.advance_s(1);
    for id in &people {
        house.refuse(&site, id).await;
    }
    assert_eq!(ends(&house.deliveries(&site).await), vec!["cancelled consent"; 7]);
    gate.turns.add_permits(100);
    work.await.expect("no panic").expect("done");
    assert_eq!((receiver.seen().len(), ends(&house.deliveries(&site).await)), (4, vec!["cancelled consent".to_owned(); 7]));
    // What had left is told, and had not been refused when it left.
    let proof = house.proof(&site).await;
    assert_eq!(
        proof["total"],
        json!({"deliveries": 4, "taken": 4, "unsure": 0, "sends": 4, "refused": 0, "refused_later": 4}),
        "{proof:#}"
    );
    let left = house.list(&site, "reports/consent/left").await;
    assert!(left.iter().all(|send| send["refused_later"] == true && send["had_refused"] == false), "{left:#?}");
    // A no has cost what was not told: the platform knows of the others, and each says so.
    let cost = house.get("/api/sites/shop/reports/consent").token(&site.token).send().await.is(200).json;
    let of = &cost["withheld"][0];
    assert_eq!((&of["all"], &of["for_consent"], &of["had_left"]), (&json!(7), &json!(3), &json!(4)), "{cost:#}");
    assert_eq!(of["worth"], json!([{"minor": 2700, "currency": "EUR"}]), "{cost:#}");
    let kept = house.list(&site, "reports/consent/withheld").await;
    let told: Vec<Value> = house.deliveries(&site).await.into_iter().filter(|d| d["taken_at"].is_string()).collect();
    assert_eq!((kept.len(), told.len()), (3, 4));
    for delivery in &told {
        let text = "The person said no while this was on its way: the platform had taken it.";
        assert_eq!((&delivery["reason_text"], &delivery["history"][0]["outcome"]), (&json!(text), &json!("delivered")), "{delivery:#}");
        assert!(delivery["request"].is_object(), "what was sent can be looked at: {delivery:#}");
        assert!(kept.iter().all(|k| k["delivery"] != delivery["id"]));
        let receipt = house.receipt(&site, delivery["conversion"].as_str().expect("an id")).await;
        assert_eq!(receipt["deliveries"][0]["reason_text"], json!(text), "{receipt:#}");
    }
}

/// Nothing calls back what waits where the no is not the person's own change of mind: it is asked again at the moment of sending.
#[tokio::test]
async fn what_is_not_allowed_any_more_does_not_leave_at_the_next_try() {
    let house = House::new();
    let receiver = StandIn::start(|_, _| Answer::text(503, "later")).await;
    let site = house.site_with("shop.example", |new| new.consent = Mode::OptOut).await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": "silent@mail.example"})).await.is(200);
    house.work().await;
    assert_eq!((receiver.seen().len(), ends(&house.deliveries(&site).await)), (1, vec!["pending -".to_owned()]));
    // The site asks first from now on.
    halotrack::flows::sites::set(&house.app, site.id, "consent", "opt-in", "test").await.expect("set");
    house.advance_s(20 * 3_600);
    house.work().await;
    assert_eq!((receiver.seen().len(), ends(&house.deliveries(&site).await)), (1, vec!["cancelled consent".to_owned()]));
}

#[tokio::test]
async fn the_ledger_says_what_a_no_cost_and_proves_that_it_held() {
    let house = House::new();
    let receiver = StandIn::start(|_, _| Answer::text(204, "")).await;
    let site = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let hook = house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    let yes = house.agrees_and_buys(&site, 1, "20.00").await;
    let no = house.visit(&site, None, json!({"consent": {"analytics": "granted", "marketing": "denied"}})).await;
    for (number, total, currency) in [(2i64, "5.00", "EUR"), (3, "7.50", "EUR"), (4, "3.00", "USD")] {
        house.advance_s(1);
        let order =
            json!({"order_id": number, "total": total, "currency": currency, "email": format!("p{number}@mail.example"), "session_id": no});
        house.order(&site, order).await.is(200);
    }
    house.lead(&site, json!({"lead_id": "L-1", "email": "own@mail.example", "consent_given": true})).await.is(200);
    house.lead(&site, json!({"lead_id": "L-2", "email": "silent@mail.example"})).await.is(200);
    house.work().await;
    assert_eq!(receiver.seen().len(), 3);

    let analyst = house.login("dan@shop.example", Right::Read, Some(site.id)).await;
    let client = house.login("cleo@shop.example", Right::See, Some(site.id)).await;
    let stranger = house.login("eve@other.example", Right::Own, Some(other.id)).await;
    for path in ["", "/proof", "/left", "/withheld"] {
        let path = format!("/api/sites/shop/reports/consent{path}");
        house.get(&path).cookie(&analyst).send().await.is(200);
        house.get(&path).cookie(&client).send().await.is(403);
        house.get(&path).cookie(&stranger).send().await.is(404);
    }
    let cost = house.get("/api/sites/shop/reports/consent").cookie(&analyst).send().await.is(200).json;
    let of = &cost["withheld"][0];
    assert_eq!((&of["all"], &of["for_consent"]), (&json!(6), &json!(3)), "{cost:#}");
    assert_eq!(of["worth"], json!([{"minor": 1250, "currency": "EUR"}, {"minor": 300, "currency": "USD"}]), "never added: {cost:#}");
    let path = format!("/api/sites/shop/reports/consent/withheld?connection={}&limit=2", hook.id);
    let first = house.get(&path).cookie(&analyst).send().await.is(200).json;
    let next = format!("{path}&cursor={}", first["next"].as_str().expect("there is more"));
    let second = house.get(&next).cookie(&analyst).send().await.is(200).json;
    let rows = |page: &Value| page["items"].as_array().expect("rows").clone();
    let worth: Vec<Value> = rows(&first).iter().chain(rows(&second).iter()).map(|r| r["amount"]["minor"].clone()).collect();
    assert_eq!((worth, &second["next"]), (vec![json!(300), json!(750), json!(500)], &Value::Null));
    let receipt = house.receipt(&site, rows(&second)[0]["conversion"].as_str().expect("an id")).await;
    assert!(receipt.is_object(), "each opens into its receipt");
    assert!(
        house.get("/api/sites/shop/reports/consent/left?connection=con_999").cookie(&analyst).send().await.is(200).json["items"]
            == json!([])
    );
    house.get("/api/sites/shop/reports/consent/left?connection=nobody").cookie(&analyst).send().await.is(400);

    let proof = house.proof(&site).await;
    assert_eq!(
        proof["total"],
        json!({"deliveries": 3, "taken": 3, "unsure": 0, "sends": 3, "refused": 0, "refused_later": 0}),
        "{proof:#}"
    );
    let bases: Vec<&str> = proof["left"][0]["bases"].as_array().expect("bases").iter().filter_map(|b| b["basis"].as_str()).collect();
    assert_eq!(bases.len(), 3, "the visitor's answer, the fact's own word, and the site's rule: {bases:?}");
    let path = format!("/api/sites/shop/reports/consent/left?connection={}", hook.id);
    let left = house.get(&path).cookie(&analyst).send().await.is(200).json;
    assert!(rows(&left).len() == 3 && rows(&left).iter().all(|r| r["had_refused"] == json!(false)), "{left:#}");

    // A refusal after it left changes nothing; one that stood before it is found, whoever let it go.
    house.advance_s(60);
    house.refuse(&site, &yes).await;
    assert_eq!(house.proof(&site).await["total"]["refused"], json!(0));
    let db = Connection::open(house.data().join(halotrack::store::FILE)).expect("the file");
    let before = "update sessions set consent_at = (select max(at) from consents where session_id = sessions.id) + 1
        where id in (select session_id from consents)";
    assert_eq!(db.execute(before, []).expect("as if it had been said before"), 1);
    let proof = house.proof(&site).await;
    assert_eq!((&proof["total"]["refused"], &proof["left"][0]["refused"]), (&json!(1), &json!(1)), "{proof:#}");
    assert_eq!((&proof["refused"][0]["amount"]["minor"], &proof["refused"][0]["had_refused"]), (&json!(2000), &json!(true)), "{proof:#}");
    // Of an order whose shop takes consent back, what left before it was right.
    db.execute("update sessions set consent_at = consent_at + 240000 where id in (select session_id from consents)", [])
        .expect("as if it had been said later");
    house.lead(&site, json!({"lead_id": "L-1", "email": "own@mail.example", "consent_given": false})).await.is(200);
    assert_eq!(house.proof(&site).await["total"]["refused"], json!(0));
    db.execute("update conversions set refused_at = 1 where refused_at is not null", []).expect("as if it had been known");
    assert_eq!(house.proof(&site).await["total"]["refused"], json!(1));
}

#[tokio::test]
async fn a_refusal_that_is_told_late_was_not_known_when_it_left() {
    let house = House::new();
    let receiver = StandIn::start(|_, _| Answer::text(204, "")).await;
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": "ann@mail.example"})).await.is(200);
    house.work().await;
    house.advance_s(600);
    // Another form had heard the no an hour ago, and tells it now.
    let late = json!({"lead_id": "L-2", "email": "ann@mail.example", "consent_given": false, "created_at": house.ago(3_600)});
    house.lead(&site, late).await.is(200);
    house.work().await;
    assert_eq!(receiver.seen().len(), 1);
    let total = json!({"deliveries": 1, "taken": 1, "unsure": 0, "sends": 1, "refused": 0, "refused_later": 1});
    assert_eq!(house.proof(&site).await["total"], total);
    let db = Connection::open(house.data().join(halotrack::store::FILE)).expect("the file");
    let later: i64 = db.query_row("select marketing_heard_at - marketing_at from contacts", [], |row| row.get(0)).expect("one person");
    assert_eq!(later, 3_600_000);
}

/// A yes on the page does not speak against the browser's own no.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browsers_signal_is_heard_at_every_door() {
    let house = House::new();
    let site = house.site_with("shop.example", |new| new.consent = Mode::OptOut).await;
    let known = house.visit(&site, None, json!({"consent": "granted"})).await;
    let yes = "halo_consent=granted";
    // The page's own script.
    let body = json!({"site": site.key, "landing": "/", "consent": "granted", "gpc": true}).to_string();
    let call = house.post("/api/touch").browser(&site).header("cookie", &format!("{yes}; _halo={known}"));
    let refused = call.body(body).send().await.is(200);
    assert_eq!((&refused.json["session_id"], refused.header("set-cookie").contains("Max-Age=0")), (&Value::Null, true));
    // The sub-request of another web server.
    let edge = |gpc: &'static str, cookie: String| {
        let call = house.get("/api/edge").host("shop.example").header("user-agent", CHROME).header("accept", "text/html");
        let call = call.header("x-original-uri", "/").header("x-original-host", "shop.example").header("x-forwarded-for", "198.51.100.7");
        call.header("x-forwarded-proto", "https")
            .header("sec-fetch-dest", "document")
            .header("sec-gpc", gpc)
            .header("cookie", &cookie)
            .send()
    };
    let refused = edge("1", format!("{yes}; _halo={known}")).await.is(204);
    assert_eq!(
        (refused.header("x-halo-session"), refused.header("set-cookie").contains("Max-Age=0")),
        ("", true),
        "{:?}",
        refused.header("set-cookie")
    );
    assert_ne!(edge("0", yes.into()).await.is(204).header("x-halo-session"), "");
    // The owner's own server, which passes on what its visitor's browser said.
    let told = json!({"landing": "/", "user_agent": CHROME, "ip": "198.51.100.9", "consent": "granted", "gpc": true});
    let answer = house.post("/api/touch").token(&site.token).json(&told).send().await.is(200);
    assert_eq!(answer.json["session_id"], Value::Null);
    // A site that has chosen not to hear it.
    halotrack::flows::sites::set(&house.app, site.id, "gpc", "false", "test").await.expect("set");
    assert_ne!(edge("1", yes.into()).await.is(204).header("x-halo-session"), "");
    let off = json!({"site": site.key, "landing": "/", "consent": "granted", "gpc": true}).to_string();
    assert!(house.post("/api/touch").browser(&site).header("sec-gpc", "1").body(off).send().await.is(200).json["session_id"].is_string());
}

/// What a page tells beside its touches is heard in the same way: the signal ends what is known, and nothing new is kept.
#[tokio::test]
async fn the_browsers_signal_is_heard_with_events_names_and_leads() {
    let house = House::new();
    let receiver = StandIn::start(|_, _| Answer::text(503, "later")).await;
    let site = house.site_with("shop.example", |new| new.consent = Mode::OptOut).await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    halotrack::flows::sites::set(&house.app, site.id, "public_leads", "true", "test").await.expect("set");
    let event = json!({"site": site.key, "name": "button_click", "properties": {"button": "hero"}});
    let name = json!({"site": site.key, "email": "ann@mail.example"});
    let lead = json!({"site": site.key, "email": "ann@mail.example", "message": "hello"});
    let with = |body: &Value, more: Value| {
        let mut body = body.clone();
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        body.to_string()
    };
    let mut number = 0;
    for (path, body, status) in [("/api/event", &event, 204), ("/api/identify", &name, 204), ("/api/lead", &lead, 200)] {
        for (header, value, more) in [
            ("sec-gpc", "1", json!({})),
            ("dnt", "1", json!({})),
            ("x-none", "1", json!({"gpc": true})),
            ("x-none", "1", json!({"dnt": "1"})),
            ("cookie", "halo_consent=denied", json!({})),
        ] {
            number += 1;
            let id = house.agrees_and_buys(&site, number, "9.00").await;
            house.advance_s(60);
            let cookies = if header == "cookie" { format!("_halo={id}; {value}") } else { format!("_halo={id}") };
            let call = house.post(path).browser(&site).header("cookie", &cookies);
            let call = if header == "cookie" { call } else { call.header(header, value) };
            let answer = call.body(with(body, more)).send().await.is(status);
            let found = house.session(&site, &id);
            assert_eq!(found["consent_status"], json!("denied"), "{path} {header}: {found:#}");
            let waiting = house.deliveries(&site).await.into_iter().filter(|d| d["state"] == "pending").count();
            assert_eq!(waiting, 0, "{path} {header}: what waited is called back");
            if status == 204 {
                assert!(answer.header("set-cookie").contains("Max-Age=0"), "{path} {header}: {}", answer.header("set-cookie"));
            }
        }
    }
    let count = |of: &str| -> i64 {
        let db = Connection::open(house.data().join(halotrack::store::FILE)).expect("the file");
        db.query_row(&format!("select count(*) from {of}"), [], |row| row.get(0)).expect("a count")
    };
    assert_eq!(count("page_events"), 0, "no event is kept");
    assert_eq!(count("session_people where value = 'ann@mail.example' and source = 'identify'"), 0, "nor who said so");
    let leads = house.list(&site, "conversions").await.into_iter().filter(|c| c["kind"] == "lead").count();
    assert!(leads > 0, "who sends a form is heard");
    // A site that has chosen not to hear it, and a browser that says nothing.
    let id = house.agrees_and_buys(&site, 99, "9.00").await;
    house.advance_s(60);
    let page = || house.post("/api/event").browser(&site).header("cookie", &format!("_halo={id}"));
    page().body(event.to_string()).send().await.is(204);
    page().header("sec-gpc", "0").body(event.to_string()).send().await.is(204);
    halotrack::flows::sites::set(&house.app, site.id, "gpc", "false", "test").await.expect("set");
    page().header("sec-gpc", "1").body(event.to_string()).send().await.is(204);
    assert_eq!(count("page_events"), 3);
    assert_eq!(house.session(&site, &id)["consent_status"], json!("granted"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browsers_signal_is_heard_by_the_proxy() {
    let street = Street::open().await;
    let id = street.open_page("/page", "").await.is(200).session().expect("a cookie").to_owned();
    let said = street.open_page("/next", &format!("Sec-GPC: 1\r\nCookie: halo_consent=granted; _halo={id}\r\n")).await.is(200);
    assert_eq!(said.session(), Some(""), "{}", said.head);
    assert!(said.header("set-cookie").contains("Max-Age=0"), "{}", said.head);
    let heard = street.open_page("/echo", &format!("Sec-GPC: 1\r\nCookie: _halo={id}\r\n")).await.text();
    assert!(!heard.contains("x-halo-session") && heard.to_ascii_lowercase().contains("sec-gpc: 1"), "the shop hears it too: {heard}");
    street.close().await;
}
