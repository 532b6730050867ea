//! What needs the owner, the privacy desk, and a person erased from their page: as the dashboard asks for them.

use halotrack::domain::rights::Right;
use halotrack::jobs::lookout;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::running::signed;
use crate::stand_in::{Answer, StandIn};

const ANN: &str = "ann.lee@mail.example";

async fn needs(house: &House, cookie: &str) -> Value {
    house.get("/api/sites/shop/needs").cookie(cookie).send().await.is(200).json
}

#[tokio::test]
async fn what_needs_the_owner_is_told_and_nothing_else() {
    let house = House::new();
    let receiver = StandIn::start(|_, _| Answer::text(400, "no")).await;
    let site = house.site("shop.example").await;
    house.site("other.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let editor = house.login("ed@shop.example", Right::Edit, Some(site.id)).await;
    let client = house.login("cleo@shop.example", Right::See, Some(site.id)).await;
    let quiet = json!({"connections": [], "silent": [], "signatures": [], "quarantined": 0, "unread": null, "unmatched": null, "held": null, "disk": null,
        "late": [], "waker": null});
    assert_eq!(needs(&house, &editor).await, quiet);

    // Three wrong signatures are told, two are not.
    let say = async |secret: &str, body: &str| {
        let headers = signed(secret, house.clock.now().s(), body.as_bytes());
        let call = headers.iter().fold(house.post(&forms.hook).header("content-type", "application/json"), |c, (n, v)| c.header(n, v));
        call.body(body).send().await
    };
    for n in 0..3 {
        assert_eq!(needs(&house, &editor).await["signatures"], json!([]), "after {n}");
        say("wrong", "{}").await.is(401);
    }
    let told = needs(&house, &editor).await;
    assert_eq!((&told["signatures"][0]["name"], &told["signatures"][0]["count"]), (&json!("Forms"), &json!(3)), "{told}");

    // A body that nobody can read, by its newest.
    say(&forms.secret, "[\"no lead\"]").await.is(200);
    let told = needs(&house, &editor).await;
    assert_eq!((&told["quarantined"], &told["unread"]["platform"]), (&json!(1), &json!("forms")), "{told}");

    // A platform that is paused by hand with something waiting; one that works is not told of.
    let hook = house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    house.post(&format!("/api/sites/shop/connections/{}/pause", hook.id)).cookie(&editor).json(&json!({})).send().await.is(200);
    house.lead(&site, json!({"lead_id": "L-1", "email": "a@mail.example", "consent_given": true})).await.is(200);
    let told = needs(&house, &editor).await;
    assert_eq!(told["connections"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!((&told["connections"][0]["status"], &told["connections"][0]["waiting"]), (&json!("paused"), &json!(1)), "{told}");

    // The disk, in its levels; a client is not bothered with it.
    for (mib, level) in [(1_500, json!("low")), (300, json!("short")), (50, json!("full")), (9_000, Value::Null)] {
        house.room.is_mib(mib);
        lookout::look(&house.app).await.expect("a look");
        let disk = needs(&house, &editor).await["disk"].clone();
        assert_eq!(disk.get("level").cloned().unwrap_or(Value::Null), level, "{mib} MiB");
        assert!(level.is_null() || disk["free_mib"] == json!(mib), "{disk}");
        assert_eq!(needs(&house, &client).await["disk"], Value::Null);
    }
    // The overview brings the same along.
    let overview = house.get("/api/sites/shop/reports/overview?with=needs").cookie(&editor).send().await.is(200).json;
    assert_eq!(overview["needs"], needs(&house, &editor).await);
    house.get("/api/sites/other/needs").cookie(&editor).send().await.is(404);
}

#[tokio::test]
async fn more_sales_without_a_source_than_usual_are_told() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    let order = async |n: i64, days: i64, session: Option<&str>| {
        let mut body = json!({"order_id": format!("o{n}"), "total": "5.00", "currency": "USD", "status": "paid", "created_at": house.ago(days * 86_400 + 3_600)});
        if let Some(id) = session {
            body["session_id"] = id.into();
        }
        house.advance_s(1);
        house.order(&site, body).await.is(200);
    };
    for n in 0..40 {
        let id = house.history(&site, None, 24 * 12, json!({"utm_source": "google", "utm_medium": "cpc"})).await;
        order(n, 10, Some(&id)).await;
    }
    assert_eq!(needs(&house, &ann).await["unmatched"], Value::Null);
    for n in 40..75 {
        order(n, 2, None).await;
    }
    let told = needs(&house, &ann).await["unmatched"].clone();
    assert_eq!((&told["without"], &told["of"], &told["usual_without"], &told["usual_of"]), (&json!(35), &json!(35), &json!(0), &json!(40)));
}

async fn known(house: &House, site: &SiteAt) -> (String, StandIn) {
    let receiver = StandIn::start(|_, _| Answer::text(200, "thanks")).await;
    house.connect(site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    let id = house.visit(site, None, json!({"utm_source": "google", "utm_medium": "cpc", "consent": "granted"})).await;
    let lead = json!({"lead_id": "L-1", "email": ANN, "name": "Ann Lee", "session_id": id, "consent_given": true});
    house.lead(site, lead).await.is(200);
    house.work().await;
    let all = house.list(site, "contacts").await;
    (all[0]["id"].as_str().expect("an id").to_owned(), receiver)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_exported_and_erased_from_their_page() {
    let house = House::new();
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    let (contact, _receiver) = known(&house, &site).await;
    let ann = house.login("ann@shop.example", Right::Own, Some(site.id)).await;
    let editor = house.login("ed@shop.example", Right::Edit, Some(site.id)).await;
    let foreign = house.login("eve@other.example", Right::Own, Some(other.id)).await;

    let export = format!("/api/sites/shop/people/export?contact={contact}");
    let json = house.get(&export).cookie(&ann).send().await.is(200);
    assert!(json.text.contains(ANN) && json.header("content-disposition").contains("shop-person.json"), "{}", json.text);
    let csv = house.get(&export.replace("export?", "export.csv?")).cookie(&ann).send().await.is(200);
    assert!(csv.text.starts_with("what,row,field,value") && csv.text.contains(&format!("Lead,1,E-mail,{ANN}")), "{}", csv.text);
    assert!(!csv.header("content-disposition").contains("ann"), "a file names nobody");
    house.get(&export).cookie(&editor).send().await.is(403);
    house.get(&export.replace("/shop/", "/other/")).cookie(&foreign).send().await.is(404);
    house.get("/api/sites/shop/people/export?contact=contact_99").cookie(&ann).send().await.is(404);

    let erase = async |cookie: &str, body: Value| house.post("/api/sites/shop/erasures").cookie(cookie).json(&body).send().await;
    let preview = erase(&ann, json!({"contact": contact, "preview": true})).await.is(200).json;
    assert_eq!((&preview["rows"]["leads"], &preview["rows"]["sessions"]), (&json!(1), &json!(1)), "{preview}");
    assert_eq!((&preview["told"][0]["platform"], &preview["told"][0]["by_program"]), (&json!("webhook"), &json!(true)), "{preview}");
    erase(&editor, json!({"contact": contact})).await.is(403);
    assert_eq!(erase(&ann, json!({"contact": "contact_99"})).await.is(404).code(), "not_found");
    // A browser that was left open is not enough.
    house.advance_s(16 * 60);
    assert_eq!(erase(&ann, json!({"contact": contact, "preview": true})).await.status, 200);
    assert_eq!(erase(&ann, json!({"contact": contact})).await.is(403).code(), "prove_again");
    assert_eq!(house.list(&site, "contacts").await.len(), 1);
    let fresh = house.login("bea@shop.example", Right::Own, Some(site.id)).await;
    let made = erase(&fresh, json!({"contact": contact})).await.is(201).json;
    let id = made["erasure"].as_str().expect("an id").to_owned();
    assert_eq!((&made["by"], &made["due_at"]), (&json!("contact"), &json!("2026-07-13T09:36:00+00:00")), "{made}");
    let one = house.get(&format!("/api/sites/shop/erasures/{id}")).cookie(&fresh).send().await.is(200).json;
    assert_eq!((&one["uid"], &one["state"]), (&made["uid"], &json!("done")), "{one}");
    house.get(&format!("/api/sites/shop/erasures/{id}")).cookie(&editor).send().await.is(403);
    house.get(&format!("/api/sites/other/erasures/{id}")).cookie(&foreign).send().await.is(404);
    assert!(house.list(&site, "contacts").await.is_empty());
    assert!(!std::fs::read(house.data().join(halotrack::store::FILE)).expect("the file").windows(ANN.len()).any(|w| w == ANN.as_bytes()));
    // Their past does not come back, by whichever way they were named.
    let again = json!({"lead_id": "L-1", "email": ANN, "created_at": house.ago(3_600), "consent_given": true});
    house.lead(&site, again).await;
    assert!(house.list(&site, "contacts").await.is_empty());
}

#[tokio::test]
async fn the_desk_says_what_was_answered_withheld_and_kept() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house
        .connect(&site, "meta", "live", &[("pixel_id", "123456789012345"), ("access_token", "EAAabcdefghijklmnopqrstuvwxyz0123456789")])
        .await;
    let ann = house.login("ann@shop.example", Right::Own, None).await;
    let known = json!({"site": site.key, "landing": "/", "consent": "granted"}).to_string();
    house.post("/api/touch").browser(&site).header("x-forwarded-for", "8.8.8.8").body(known).send().await.is(200);
    for consent in ["granted", "denied"] {
        let touch = json!({"utm_source": "google", "consent": consent});
        house.touch(&site, None, touch).await;
    }
    house.visit(&site, None, json!({})).await;
    for (n, said) in [(1, true), (2, false), (3, false)] {
        let lead = json!({"lead_id": format!("L-{n}"), "email": format!("p{n}@mail.example"), "consent_given": said});
        house.lead(&site, lead).await.is(200);
    }
    let desk = house.get("/api/sites/shop/reports/consent").cookie(&ann).send().await.is(200).json;
    let total = &desk["total"];
    assert_eq!((&total["granted"], &total["unanswered"]), (&json!(2), &json!(1)), "{desk}");
    assert_eq!(total["denied"].as_i64().zip(total["nameless"].as_i64()).map(|(d, n)| d + n), Some(1), "{desk}");
    assert_eq!(desk["days"].as_array().map(Vec::len), Some(30));
    assert_eq!(
        (&desk["withheld"][0]["platform"], &desk["withheld"][0]["all"], &desk["withheld"][0]["for_consent"]),
        (&json!("meta"), &json!(3), &json!(2)),
        "{desk}"
    );

    let clocks = house.get("/api/sites/shop/retention").cookie(&ann).send().await.is(200).json;
    let of = |kind: &str| clocks["items"].as_array().expect("clocks").iter().find(|k| k["kind"] == kind).cloned().expect("it is there");
    assert_eq!((&of("touches")["days"], &of("touches")["is_own"]), (&json!(400), &json!(false)), "{clocks}");
    assert_eq!(of("touches")["oldest_at"], json!("2026-06-13T09:20:00+00:00"));
    assert_eq!(of("touches")["next_at"], json!("2027-07-18T09:20:00+00:00"));
    assert_eq!(of("addresses")["next_at"], json!("2026-06-20T09:20:00+00:00"), "{clocks}");
    assert_eq!(of("dead_letters")["next_at"], Value::Null);
    house.post("/api/sites/shop/settings").cookie(&ann).json(&json!({"retention.touches": "30"})).send().await.is(200);
    let clocks = house.get("/api/sites/shop/retention").cookie(&ann).send().await.is(200).json;
    assert_eq!((&clocks["items"][0]["next_at"], &clocks["items"][0]["is_own"]), (&json!("2026-07-13T09:20:00+00:00"), &json!(true)));

    let record = house.get("/api/sites/shop/processing.txt").cookie(&ann).send().await.is(200);
    for word in ["RECORD OF PROCESSING", "shop.example", "Meta", "(live)", "Visits and the browsers they came from: 30 days.", "________"] {
        assert!(record.text.contains(word), "{word}: {}", record.text);
    }
    assert!(record.header("content-disposition").contains("shop-record-of-processing.txt"));
    // It says of the site's own rule what the platforms are told by.
    let read = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(read(&record.text).contains("Unless people have refused: to tell"), "{}", record.text);
    for (key, value) in [("consent", "auto"), ("country", "DE")] {
        halotrack::flows::sites::set(&house.app, site.id, key, value, "test").await.expect("set");
    }
    let record = house.get("/api/sites/shop/processing.txt").cookie(&ann).send().await.is(200);
    for words in ["also where they have not answered: to tell", "not where no country is known, because the business is in one of them"] {
        assert!(read(&record.text).contains(words), "{words}: {}", record.text);
    }
    let analyst = house.login("dan@shop.example", Right::Read, Some(site.id)).await;
    house.get("/api/sites/shop/reports/consent").cookie(&analyst).send().await.is(200);
    house.get("/api/sites/shop/retention").cookie(&analyst).send().await.is(403);
    house.get("/api/sites/shop/processing.txt").cookie(&analyst).send().await.is(403);
}
