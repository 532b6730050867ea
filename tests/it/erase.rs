//! People who ask to be forgotten: nothing of them is in any file, nothing waits to be sent, nothing brings them back;
//! sums, counts and everybody else stay.

/// What somebody gets who asks for it.
mod access;
/// Told once more, as if it were new.
mod again;
/// What is counted stays, and whose it is is shown first.
mod counts;
/// Names in places that are nobody's own.
mod elsewhere;
/// The process dies at every named moment.
mod killed;
/// Platforms whose lists are read again.
mod pulled;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use halotrack::backup::erasures::{FILE as LOG, carry};
use halotrack::crypto;
use halotrack::domain::erasure::{self, How, PLAN};
use halotrack::domain::rights::{Right, Scope};
use halotrack::flows::erase::log;
use halotrack::flows::sites;
use halotrack::jobs::worker;
use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::stand_in::{Answer as Says, Gate, StandIn};

const ANN: &str = "ann.lee@mail.example";
const PHONE: &str = "+971501234567";
const BO: &str = "bo@mail.example";

impl House {
    async fn erase(&self, site: &SiteAt, body: Value) -> Answer {
        self.post(&format!("/api/sites/{}/erasures", site.slug)).token(&site.token).json(&body).send().await
    }

    async fn export_of(&self, site: &SiteAt, email: &str) -> Value {
        let path = format!("/api/sites/{}/people/export?email={}", site.slug, email.replace('@', "%40"));
        self.get(&path).token(&site.token).send().await.is(200).json
    }

    fn emails(&self, site: &SiteAt) -> Vec<String> {
        let rows = self.sql(site, "select email from leads union all select email from orders");
        rows.iter().filter_map(|r| r["email"].as_str().map(str::to_owned)).collect()
    }

    /// Every count of the overview, which must not change by an erasure.
    async fn figures(&self, site: &SiteAt) -> Value {
        self.advance_s(4);
        let path = format!("/api/sites/{}/reports/overview?from=2026-06-01&to=2026-06-30", site.slug);
        let answer = self.get(&path).token(&site.token).send().await.is(200).json;
        self.advance_s(-4);
        answer
    }
}

/// One person in every corner of the product.
async fn fill(house: &House, site: &SiteAt, hook: &str) -> String {
    let partner = json!({"codes": ["ann"], "commission": ["10%"], "name": "Ann", "email": ANN});
    house.post(&format!("/api/sites/{}/affiliates", site.slug)).token(&site.token).json(&partner).send().await.is(201);
    let id = house
        .visit(
            site,
            None,
            json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring", "gclid": "click-ann", "fbp": "fb.1.2.ann",
                "ga_client_id": "1.ann", "consent": "granted", "event_id": "e1"}),
        )
        .await;
    let page = |path: &str| house.post(path).browser(site).header("cookie", &format!("_halo={id}"));
    page("/api/identify").body(json!({"site": site.key, "email": ANN, "phone": PHONE}).to_string()).send().await.is(204);
    let event = json!({"site": site.key, "name": "newsletter", "properties": {"who": ANN}});
    let told = page("/api/event").body(event.to_string()).send().await;
    assert!(told.status < 300, "{}", told.text);
    page("/api/event").body(json!({"site": site.key, "name": "halo_code"}).to_string()).send().await.is(204);
    house
        .lead(
            site,
            json!({"lead_id": "L-1", "email": ANN, "phone": PHONE, "name": "Ann Lee", "company": "Acme", "session_id": id,
                "message": format!("please write to {ANN}"), "url": format!("https://shop.example/thanks?who={ANN}"),
                "custom_fields": {"again": ANN}, "consent_given": true}),
        )
        .await
        .is(200);
    house
        .order(
            site,
            json!({"order_id": "1001", "total": "99.00", "currency": "USD", "email": ANN, "phone": PHONE, "name": "Ann Lee",
                "customer_id": "c-77", "session_id": id, "status": "paid", "consent_given": true}),
        )
        .await
        .is(200);
    let told = json!({"conversion_type": "sale", "order_id": "A-9", "revenue": "12.50", "currency": "USD", "email": ANN, "session_id": id,
        "click_id": "click-ann", "custom_data": {"note": ANN}, "sub_ids": {"s1": ANN}});
    house.post("/api/conversions").token(&site.token).header("idempotency-key", "k-1").json(&told).send().await.is(201);
    // A chat, with its words where the owner keeps them.
    sites::set(&house.app, site.id, "chat.text", "true", "test").await.expect("a setting");
    let said = json!({"conversation_id": PHONE, "role": "customer", "at": house.clock.now().utc(), "email": ANN, "session_id": id,
        "text": format!("write to {ANN}")});
    house.post("/api/chat/events").token(&site.token).json(&said).send().await.is(200);
    // Steps on the way, and the sign-up at its end.
    let step = json!({"source_type": "zoom", "event_type": "event_attended", "external_id": format!("z-{ANN}"), "email": ANN, "phone": PHONE,
        "first_name": "Ann", "last_name": "Lee", "company": "Acme", "utm_source": "news", "referrer": format!("https://x.example/?{ANN}"),
        "event_data": {"note": ANN}, "external_metadata": {"again": PHONE}});
    house.post("/funnel/event").token(&site.token).json(&step).send().await.is(200);
    let enrolled = json!({"email": ANN, "user_id": format!("user of {ANN}")});
    house.post("/funnel/conversion").token(&site.token).json(&enrolled).send().await.is(200);
    // A tracker, with an id that is the address itself.
    let tracker = house.connect(site, "anytrack", "shadow", &[]).await;
    let events = json!([{"eventName": "Purchase", "transactionId": ANN, "email": ANN, "phone": PHONE, "eventValue": 3, "clientId": "b-ann",
        "location": format!("https://shop.example/?gclid=click-ann&who={ANN}")}, {"eventName": "PageView", "clientId": "b-ann"}]);
    house.post(&tracker.hook).json(&events).send().await.is(200);
    // An id that is the address itself.
    house.lead(site, json!({"lead_id": ANN, "email": ANN})).await.is(200);
    // A body nobody could read.
    let strange = format!("hello, call {PHONE} or write to {ANN}");
    let headers = crate::running::signed(hook_secret(hook), house.clock.now().s(), strange.as_bytes());
    let call = headers.iter().fold(house.post(hook_path(hook)), |c, (n, v)| c.header(n, v));
    assert_eq!(call.body(strange.into_bytes()).send().await.is(200).json["status"], json!("quarantined"));
    id
}

fn hook_path(hook: &str) -> &str {
    hook.split_once(' ').expect("path and secret").0
}

fn hook_secret(hook: &str) -> &str {
    hook.split_once(' ').expect("path and secret").1
}

/// Files of the data folder that hold one of the words, whatever its case.
fn found_in(folder: &Path, words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder").filter_map(Result::ok).filter(|e| e.path().is_file()) {
        let bytes = std::fs::read(entry.path()).expect("a file");
        let lower = bytes.to_ascii_lowercase();
        for word in words {
            let is_exact = word.bytes().any(|b| b.is_ascii_uppercase());
            let place = if is_exact { &bytes } else { &lower };
            if place.windows(word.len()).any(|w| w == word.as_bytes()) {
                found.push(format!("{}: {word}", entry.file_name().to_string_lossy()));
            }
        }
    }
    found
}

/// The person as a file might still name them.
fn traces() -> Vec<String> {
    let mut all = vec![ANN.to_owned(), PHONE[1..].to_owned(), "Ann Lee".to_lowercase(), "click-ann".into(), "c-77".into()];
    for hash in crypto::plain_hashes(ANN.as_bytes()) {
        all.extend([crypto::hex(&hash), crypto::base64(&hash)]);
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_person_is_left_and_all_sums_stay() {
    let receiver = StandIn::start(|_, n| if n == 0 { Says::text(200, "thanks") } else { Says::text(503, "later") }).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    house
        .connect(&site, "meta", "shadow", &[("pixel_id", "123456789012345"), ("access_token", "EAAabcdefghijklmnopqrstuvwxyz0123456789")])
        .await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    let id = fill(&house, &site, &format!("{} {}", forms.hook, forms.secret)).await;
    house.lead(&site, json!({"lead_id": "L-2", "email": BO, "message": format!("greetings from {ANN}")})).await.is(200);
    house.work().await;
    assert!(!found_in(house.data(), &traces()).is_empty(), "the search can see");
    let before = house.figures(&site).await;

    let preview = house.erase(&site, json!({"email": ANN, "preview": true})).await.is(200).json;
    assert_eq!((&preview["is_known"], &preview["rows"]["leads"]), (&json!(true), &json!(2)), "{preview}");
    assert!(house.emails(&site).contains(&ANN.to_owned()), "a preview changes nothing");

    let certificate = house.erase(&site, json!({"email": ANN.to_uppercase()})).await.is(201).json;
    assert_eq!(found_in(house.data(), &traces()), Vec::<String>::new(), "{certificate:#}");
    for table in [
        "sessions",
        "touches",
        "clicks",
        "page_events",
        "contacts",
        "identities",
        "session_people",
        "inbox",
        "inbox_people",
        "leads",
        "orders",
        "conversions",
        "reports",
        "credits",
        "deliveries",
        "idempotency_keys",
        "tracker_events",
    ] {
        assert!(certificate["rows"][table].as_i64() > Some(0), "{table}: {certificate:#}");
    }
    assert_eq!(certificate["file"]["state"], json!("clean"));
    assert!(!certificate.to_string().contains("ann"), "no address is in a certificate");

    assert_eq!(house.figures(&site).await, before, "every sum and count is as it was");
    assert_eq!(house.emails(&site), [BO]);
    let orders = house.list(&site, "orders").await;
    assert_eq!(orders.len(), 1, "the order is there, of nobody");
    let waits: Vec<Value> =
        house.deliveries(&site).await.into_iter().filter(|d| d["state"] == "pending" && d["platform"] == "webhook").collect();
    assert!(waits.len() <= 1, "only the other person's: {waits:#?}");
    // What waited is gone, and nothing more is sent of what was theirs.
    let seen = receiver.seen().len();
    house.advance_s(86_400);
    house.work().await;
    let later: Vec<String> = receiver.seen()[seen..].iter().map(|s| s.json().to_string()).collect();
    assert!(later.iter().all(|t| !t.contains("L-1") && !t.contains("1001")), "{later:?}");
    // The cookie is a new browser's now, the same at each page.
    let fresh = house.visit(&site, Some(&id), json!({"landing": "/back"})).await;
    assert_ne!(fresh, id);
    assert_eq!(house.visit(&site, Some(&id), json!({"landing": "/again"})).await, fresh);
    let none = house.export_of(&site, ANN).await;
    assert!(none.as_object().expect("fields").values().all(|v| v.as_array().is_none_or(Vec::is_empty)), "{none:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_person_on_another_site_stays() {
    let house = House::new();
    let (a, b) = (house.site("shop.example").await, house.site("other.example").await);
    for site in [&a, &b] {
        house.visit(site, None, json!({"utm_source": "news", "utm_medium": "email"})).await;
        house.lead(site, json!({"lead_id": "L-1", "email": ANN, "phone": PHONE})).await.is(200);
    }
    let there = house.export_of(&b, ANN).await;
    let certificate = house.erase(&a, json!({"email": ANN})).await.is(201).json;
    assert_eq!((house.emails(&a), house.emails(&b)), (vec![], vec![ANN.to_owned()]));
    assert_eq!(certificate["file"]["state"], json!("residue"), "the file still holds it, and the certificate says whose it is");
    assert!(certificate["file"]["residue"].as_str().is_some_and(|r| r.contains("Another site")), "{certificate}");
    let mut now = house.export_of(&b, ANN).await;
    now["exported_at"] = there["exported_at"].clone();
    assert_eq!(now, there);
    // The digests of one site say nothing on another: the past of the same person is still taken there.
    let old = json!({"lead_id": "L-0", "email": ANN, "created_at": house.ago(86_400)});
    house.lead(&a, old.clone()).await.is(200);
    house.lead(&b, old).await.is(200);
    assert_eq!((house.emails(&a).len(), house.emails(&b).len()), (0, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_news_brings_nobody_back_and_late_money_still_counts() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let order = |status: &str, changed: i64| {
        json!({"order_id": "1001", "total": "99.00", "currency": "USD", "email": ANN, "name": "Ann Lee", "status": status,
            "created_at": house.ago(7_200), "modified_at": house.ago(changed)})
    };
    let lead = json!({"lead_id": "L-1", "email": ANN, "name": "Ann Lee", "created_at": house.ago(7_200)});
    let nameless = json!({"email": ANN, "message": "no id, no time"});
    house.order(&site, order("paid", 7_200)).await.is(200);
    house.lead(&site, lead.clone()).await.is(200);
    house.lead(&site, nameless.clone()).await.is(200);
    let body = json!({"lead_id": "L-7", "email": ANN, "created_at": house.ago(3_600)}).to_string();
    let signed = async |body: &str| {
        let headers = crate::running::signed(&forms.secret, house.clock.now().s(), body.as_bytes());
        let call = headers.iter().fold(house.post(&forms.hook), |c, (n, v)| c.header(n, v));
        call.body(body.as_bytes().to_vec()).send().await.is(200).json
    };
    let inbox = signed(&body).await["id"].as_str().expect("an id").to_owned();
    house.erase(&site, json!({"phone": PHONE})).await.is(201);
    assert!(house.emails(&site).contains(&ANN.to_owned()), "another's phone erases nobody");
    house.erase(&site, json!({"order": "1001"})).await.is(201);
    assert_eq!(house.emails(&site), Vec::<String>::new(), "by an order's number the whole person goes");
    let conversions = house.list(&site, "conversions").await.len();

    // Told again: the very same, under another number, by another sender, from the kept body.
    for again in [lead.clone(), json!({"lead_id": "L-9", "email": ANN, "created_at": house.ago(7_000)}), nameless.clone()] {
        house.lead(&site, again).await.is(200);
    }
    assert_eq!(signed(&body).await["status"], json!("duplicate"));
    signed(&json!({"lead_id": "L-8", "email": ANN, "created_at": house.ago(3_600)}).to_string()).await;
    let replayed = house.post(&format!("/api/sites/{}/inbox/{inbox}/replay", site.slug)).token(&site.token).json(&json!({})).send().await;
    assert_eq!(replayed.is(409).code(), "body_gone");
    let told = json!({"conversion_type": "signup", "email": ANN, "timestamp": house.ago(7_000)});
    house.conversion(&site, told).await;
    house.order(&site, order("completed", 10)).await.is(200);
    assert_eq!(house.emails(&site), Vec::<String>::new());
    assert_eq!(house.list(&site, "conversions").await.len(), conversions, "and nothing new is made of it");
    // An order that was not known yet has money in it: it is booked, of nobody.
    let unknown =
        json!({"order_id": "0990", "total": "10.00", "currency": "USD", "email": ANN, "status": "paid", "created_at": house.ago(7_000)});
    house.order(&site, unknown).await.is(200);
    // Another word on the known order that gives no address, but a name.
    let named =
        json!({"order_id": "1001", "total": "99.00", "currency": "USD", "name": "Ann Lee", "status": "paid", "modified_at": house.ago(5)});
    house.order(&site, named).await.is(200);
    // A refund comes when it comes.
    house.order(&site, order("refunded", 1)).await.is(200);
    assert_eq!(house.emails(&site), Vec::<String>::new());
    assert_eq!(found_in(house.data(), &[ANN.to_owned(), "ann lee".into()]), Vec::<String>::new(), "also its body was not kept");
    let net: Vec<Value> =
        house.list(&site, "conversions").await.iter().filter(|c| c["kind"] == "sale").map(|c| c["status"].clone()).collect();
    assert_eq!(net.len(), 2, "{net:?}");
    assert!(net.contains(&json!("refunded")), "{net:?}");

    // Whoever returns later is a new person.
    house.advance_s(60);
    house.lead(&site, json!({"lead_id": "L-10", "email": ANN})).await.is(200);
    house.order(&site, json!({"order_id": "1002", "total": "5.00", "currency": "USD", "email": ANN, "status": "paid"})).await.is(200);
    assert_eq!(house.emails(&site), [ANN, ANN]);
    let own = house.export_of(&site, ANN).await;
    assert_eq!((own["orders"].as_array().map(Vec::len), own["leads"].as_array().map(Vec::len)), (Some(1), Some(1)), "{own:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_file_comes_back_erased() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"utm_source": "news", "utm_medium": "email"})).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN, "session_id": id})).await.is(200);
    house.lead(&site, json!({"lead_id": "L-2", "email": BO})).await.is(200);
    let copy = house.data().join("copy");
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    db.execute("vacuum into ?1", [copy.to_str().expect("a path")]).expect("a copy");
    drop(db);
    let certificate = house.erase(&site, json!({"email": ANN})).await.is(201).json;
    let line = std::fs::read_to_string(house.data().join(LOG)).expect("the log");
    assert!(!line.contains("ann") && line.contains(certificate["uid"].as_str().expect("uid")), "{line}");

    // The older file in a folder of its own with today's log, as a restore puts it.
    let restored = House::with(|config| {
        std::fs::copy(&copy, config.data.join(FILE)).expect("the older file");
        carry(house.data(), &config.data).expect("the log comes along");
        carry(house.data(), &config.data).expect("twice is once");
        assert_eq!(log::read(&config.data).expect("the log").len(), 1);
    });
    assert_eq!(restored.emails(&site), [ANN, BO], "the older file has them");
    assert_eq!(log::reconcile(&restored.app).await.expect("erased again"), 1);
    assert_eq!(restored.emails(&site), [BO]);
    assert_eq!(found_in_db(restored.data()), Vec::<String>::new());
    assert_eq!(log::reconcile(&restored.app).await.expect("nothing to do"), 0);
    // A log that was lost is made again from the file.
    std::fs::remove_file(restored.data().join(LOG)).expect("lost");
    log::reconcile(&restored.app).await.expect("written again");
    assert_eq!(log::read(restored.data()).expect("the log").len(), 1);
}

/// Erasures that still hold, sealed, who they were about.
fn sealed(house: &House) -> i64 {
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    db.query_row("select count(*) from erasures where sealed is not null", [], |row| row.get(0)).expect("a count")
}

fn found_in_db(folder: &Path) -> Vec<String> {
    found_in(folder, &[ANN.to_owned()]).into_iter().filter(|f| f.starts_with(FILE)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn destinations_are_told_and_the_certificate_waits_for_it() {
    let receiver = StandIn::start(|_, _| Says::text(200, "thanks")).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN, "consent_given": true})).await.is(200);
    house.work().await;
    let certificate = house.erase(&site, json!({"email": ANN})).await.is(201).json;
    assert_eq!((&certificate["state"], &certificate["destinations"][0]["state"]), (&json!("done"), &json!("told")), "{certificate:#}");
    let told: Vec<Value> = receiver.seen().iter().map(|s| s.json()).filter(|v| v["type"] == "person.erased").collect();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["data"]["emails"], &told[0]["data"]["event_ids"]), (&json!([ANN]), &json!(["lead_L-1"])), "{told:?}");
    assert_eq!(found_in_db(house.data()), Vec::<String>::new(), "what was needed for it is gone too");
    assert_eq!(sealed(&house), 0);
}

/// What is on its way may arrive behind the word that its person was erased, and bring them back there: so the word waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_is_told_after_what_is_on_its_way_to_it() {
    let gate = Gate::closed();
    let held = gate.clone();
    let receiver = StandIn::start(move |_, n| if n == 0 { Says::Held(held.clone()) } else { Says::text(200, "thanks") }).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN, "consent_given": true})).await.is(200);
    let app = house.app.clone();
    let work = tokio::spawn(async move { worker::drain(&app).await });
    while gate.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let certificate = house.erase(&site, json!({"email": ANN})).await.is(201).json;
    let told = &certificate["destinations"][0];
    assert_eq!((&certificate["state"], &told["state"]), (&json!("pending"), &json!("pending")), "{certificate:#}");
    assert!(told["sentence"].as_str().is_some_and(|s| s.contains("on its way")), "{told}");
    halotrack::flows::erase::go_on(&house.app).await.expect("looked at again");
    assert_eq!(receiver.seen().len(), 1, "the lead alone: {:?}", receiver.seen().iter().map(|s| s.text()).collect::<Vec<_>>());
    gate.turns.add_permits(1);
    work.await.expect("no panic").expect("the lead has arrived");
    halotrack::flows::erase::go_on(&house.app).await.expect("told");
    let kinds: Vec<Value> = receiver.seen().iter().map(|s| s.json()["type"].clone()).collect();
    assert_eq!(kinds, [json!("conversion.created"), json!("person.erased")]);
    let item = house.list(&site, "erasures").await.remove(0);
    assert_eq!((&item["state"], &item["destinations"][0]["state"]), (&json!("done"), &json!("told")), "{item:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_out_of_reach_is_told_later_and_given_up_after_thirty_days() {
    let receiver = StandIn::start(|seen, _| match seen.json()["type"] == "person.erased" {
        true => Says::text(503, "later"),
        false => Says::text(200, "thanks"),
    })
    .await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN, "consent_given": true})).await.is(200);
    house.work().await;
    let certificate = house.erase(&site, json!({"email": ANN})).await.is(201).json;
    assert_eq!(
        (&certificate["state"], &certificate["destinations"][0]["state"]),
        (&json!("pending"), &json!("pending")),
        "{certificate:#}"
    );
    assert_eq!(found_in_db(house.data()), Vec::<String>::new(), "what is kept to tell it is sealed");
    assert_eq!(sealed(&house), 1);
    house.advance_s(86_400);
    halotrack::flows::erase::go_on(&house.app).await.expect("tried again");
    let tries = receiver.seen().iter().filter(|s| s.json()["type"] == "person.erased").count();
    assert_eq!(tries, 2);
    house.advance_s(30 * 86_400);
    halotrack::flows::erase::go_on(&house.app).await.expect("given up");
    let item = house.list(&site, "erasures").await.remove(0);
    assert_eq!((&item["state"], &item["destinations"][0]["state"]), (&json!("done"), &json!("given_up")), "{item:#}");
    assert_eq!(sealed(&house), 0, "after 30 days nothing is kept, told or not");
}

#[tokio::test]
async fn only_who_may_erase_erases() {
    let house = House::new();
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN})).await.is(200);
    let path = format!("/api/delete-user?email={}", ANN.replace('@', "%40"));
    house.delete(&path).send().await.is(401);
    let weak = house.token(site.id, &[Scope::Read, Scope::Write, Scope::Sync, Scope::Export]).await;
    house.delete(&path).token(&weak).send().await.is(403);
    house.delete(&path).token(&other.token).send().await.is(200);
    assert_eq!(house.emails(&site), [ANN], "a token erases on its own site only");
    let editor = house.login("ed@shop.example", Right::Edit, Some(site.id)).await;
    let body = json!({"email": ANN});
    house.post("/api/sites/shop/erasures").cookie(&editor).json(&body).send().await.is(403);
    house.get(&format!("/api/sites/shop/people/export?email={ANN}")).cookie(&editor).send().await.is(403);
    for bad in ["/api/delete-user", "/api/delete-user?email=nobody"] {
        house.delete(bad).token(&site.token).send().await.is(400);
    }
    house.erase(&site, json!({"email": ANN, "phone": PHONE})).await.is(422);
    // An order that nobody knows names nobody: there is nothing to erase, and nothing to refuse from now on.
    for body in [json!({"order": "4711"}), json!({"order": "4711", "preview": true})] {
        let answer = house.erase(&site, body).await.is(404);
        assert!(
            answer.text.contains("There is no order 4711. Check the number, or name the person by e-mail or phone."),
            "{}",
            answer.text
        );
    }
    let access = house.get("/api/sites/shop/people/export?order=4711").token(&site.token).send().await.is(404);
    assert!(access.text.contains("4711"), "{}", access.text);
    assert_eq!(house.list(&site, "erasures").await.len(), 0, "no certificate is made of nothing");
    // What a form may tell leads with does not erase; the old header takes a token.
    let forms = house.connect(&site, "forms", "", &[]).await;
    house.delete(&path).header("x-webhook-secret", &forms.secret).send().await.is(401);
    house.delete(&path).header("x-webhook-secret", &weak).send().await.is(403);
    let answer = house.delete(&path).header("x-webhook-secret", &site.token).send().await.is(200);
    assert_eq!(answer.json["success"], json!(true));
    assert_eq!(house.emails(&site), Vec::<String>::new());
    let nobody = house.delete(&path).token(&site.token).send().await.is(200);
    assert_eq!(nobody.json["certificate"]["total"], json!(0), "asked again there is nothing");
    let message = |answer: &Answer| answer.json["message"].as_str().unwrap_or_default().to_owned();
    assert!(message(&answer).starts_with("Everything of this person was erased"), "{}", answer.text);
    assert!(message(&nobody).starts_with("Nothing of this person was found"), "{}", nobody.text);
}

#[tokio::test]
async fn a_shared_browser_stays_its_owners() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let till = house.visit(&site, None, json!({"utm_source": "news", "utm_medium": "email"})).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": BO, "session_id": till})).await.is(200);
    house.lead(&site, json!({"lead_id": "L-2", "email": ANN, "session_id": till})).await.is(200);
    house.erase(&site, json!({"email": ANN})).await.is(201);
    assert_eq!(house.visit(&site, Some(&till), json!({"landing": "/"})).await, till, "the browser is proved to be another's too");
    let own = house.export_of(&site, BO).await;
    assert_eq!(own["sessions"].as_array().map(Vec::len), Some(1), "{own:#}");
}

#[tokio::test]
async fn all_of_a_person_is_in_the_export_and_nobody_elses() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    fill(&house, &site, &format!("{} {}", forms.hook, forms.secret)).await;
    house.lead(&site, json!({"lead_id": "L-2", "email": BO, "message": "kanarie"})).await.is(200);
    let all = house.export_of(&site, ANN).await;
    let text = all.to_string();
    for word in ["Ann", PHONE, "please write to", "click-ann", "fb.1.2.ann", "newsletter", "c-77", "quarantined", "2026-06-13T"] {
        assert!(text.contains(word), "{word}: {all:#}");
    }
    assert!(!text.contains("kanarie") && !text.contains(BO));
    for planned in PLAN.iter().filter(|p| {
        !matches!(
            p.table,
            "inbox_people"
                | "idempotency_keys"
                | "erasures"
                | "attempts"
                | "deliveries"
                | "session_addresses"
                | "contact_merges"
                | "refunds"
                // Told of where short links are.
                | "link_clicks"
                // Written when a month is closed, and told of there.
                | "affiliate_statements"
        )
    }) {
        if planned.table == "consents" {
            continue;
        }
        assert!(all[planned.table].as_array().is_some_and(|rows| !rows.is_empty()), "{}", planned.table);
    }
}

/// A new column or table of people fails here until the plan says what becomes of it.
#[test]
fn every_table_of_people_stands_in_the_plan() {
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/0001_initial.sql")).expect("the schema");
    // Tables that name a browser or contact by its number and hold nothing that tells who it is.
    // Who has bought is kept by triggers: it goes with the contact of the sales.
    const NUMBERS_ONLY: [&str; 2] = ["customers", "customer_values"];
    let mut marked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut of_people: Vec<String> = Vec::new();
    let mut table = String::new();
    for line in schema.lines() {
        if let Some(rest) = line.strip_prefix("create table ") {
            table = rest.split([' ', '(']).next().unwrap_or_default().to_owned();
        }
        let column = line.split_whitespace().next().unwrap_or_default().to_owned();
        if line.trim_end().ends_with("-- personal") {
            marked.entry(table.clone()).or_default().push(column.clone());
        }
        if line.starts_with("  ") && matches!(column.as_str(), "session_id" | "contact_id") && !of_people.contains(&table) {
            of_people.push(table.clone());
        }
    }
    assert!(marked.len() > 12 && of_people.len() > 8, "the marks are found: {marked:?} {of_people:?}");
    let planned = |table: &str| erasure::PLAN.iter().find(|p| p.table == table);
    let mut wrong = Vec::new();
    for (table, columns) in &marked {
        match planned(table).map(|p| p.how) {
            None => wrong.push(format!("{table} is not in the plan")),
            Some(How::Delete) => {}
            Some(How::Blank(emptied)) => {
                wrong.extend(columns.iter().filter(|c| !emptied.contains(&c.as_str())).map(|c| format!("{table}.{c} stays")));
            }
        }
    }
    wrong.extend(
        of_people.iter().filter(|t| planned(t).is_none() && !NUMBERS_ONLY.contains(&t.as_str())).map(|t| format!("{t} is not in the plan")),
    );
    wrong.extend(
        PLAN.iter().filter(|p| !schema.contains(&format!("create table {} (", p.table))).map(|p| format!("{} is no table", p.table)),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_a_page_claimed_in_a_proved_name_goes_too() {
    let house = House::new();
    let site = house.site("shop.example").await;
    sites::set(&house.app, site.id, "public_leads", "true", "test").await.expect("set");
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN})).await.is(200);
    // Whoever types a proved address is not that person yet: the lead has no contact of its own.
    let claim = json!({"site": site.key, "email": ANN, "message": "it is me"});
    house.post("/api/lead").browser(&site).header("origin", "https://shop.example").body(claim.to_string()).send().await.is(200);
    assert_eq!(house.emails(&site), [ANN, ANN]);
    house.erase(&site, json!({"email": ANN})).await;
    assert_eq!(house.emails(&site), Vec::<String>::new());
}
