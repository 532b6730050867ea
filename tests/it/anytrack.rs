//! AnyTrack tells its events: each once, counted and answered, whatever else stands in the list; sales and leads among them
//! are facts like any other, and go to everybody but AnyTrack.

use halotrack::crypto::sha256_hex;
use halotrack::domain::money::Currency;
use halotrack::domain::rights::Scope;
use halotrack::flows::{connections, retain};
use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::stand_in::{Answer as Says, StandIn};
use crate::story::Connected;
use crate::woo_shop::WooShop;

const KEPT: &str = "/functions/v1/anytrack-webhook";
const ANN: &str = "ann@mail.example";

/// A shop that AnyTrack tells of.
struct Told {
    house: House,
    site: SiteAt,
    at: Connected,
}

impl Told {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let house = House::new();
        let site = house.site("shop.example").await;
        let at = house.connect(&site, "anytrack", "live", settings).await;
        Self { house, site, at }
    }

    fn token(&self) -> &str {
        self.at.hook.rsplit('/').next().expect("an address has a last part")
    }

    async fn tell(&self, body: Value) -> Answer {
        self.house.post(&self.at.hook).json(&body).send().await
    }

    /// All of them are taken.
    async fn ok(&self, events: &[Value]) {
        let answer = self.tell(json!(events)).await.is(200);
        let want = json!({"success": true, "processed": events.len(), "errors": 0,
            "message": format!("Processed {} events from AnyTrack", events.len())});
        assert_eq!(answer.json, want);
    }

    fn rows(&self, table: &str) -> Vec<Value> {
        self.house.sql(&self.site, &format!("select * from {table}"))
    }

    fn row(&self, event_id: &str) -> Value {
        let found: Vec<Value> = self.rows("events").into_iter().filter(|r| r["event_id"] == event_id).collect();
        assert_eq!(found.len(), 1, "{event_id}: {found:#?}");
        found.into_iter().next().unwrap_or_default()
    }

    fn contact(&self, email: &str) -> Value {
        let found: Vec<Value> = self.rows("contacts").into_iter().filter(|r| r["email"] == email).collect();
        assert_eq!(found.len(), 1, "{email}: {found:#?}");
        found.into_iter().next().unwrap_or_default()
    }

    fn db(&self) -> Connection {
        Connection::open(self.house.data().join(FILE)).expect("the file")
    }

    /// An event so many hours ago.
    fn event(&self, name: &str, id: &str, hours_ago: i64, more: Value) -> Value {
        let mut event = json!({"eventName": name, "transactionId": id, "eventTime": self.house.ago(hours_ago * 3_600), "currency": "AED"});
        for (key, value) in more.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        event
    }
}

fn parsed(row: &Value, column: &str) -> Value {
    row[column].as_str().and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default()
}

// ------------------------------------------------------------------------------------------------- the call

#[tokio::test]
async fn the_printed_call_gives_the_printed_answer_on_both_paths() {
    let printed = r#"{
    "eventName": "Lead",
    "email": "test@example.com",
    "firstName": "Test",
    "lastName": "User",
    "eventValue": 100,
    "currency": "AED",
    "mainAttribution": {
      "source": "google",
      "medium": "cpc",
      "campaign": "test-campaign"
    }
  }"#;
    for is_kept in [true, false] {
        let told = Told::new().await;
        let path = if is_kept { format!("{KEPT}?token={}", told.token()) } else { told.at.hook.clone() };
        let answer = told.house.post(&path).header("content-type", "application/json").body(printed).send().await.is(200);
        let want = json!({"success": true, "processed": 1, "errors": 0, "message": "Processed 1 events from AnyTrack"});
        assert_eq!(answer.json, want);
        let events = told.rows("events");
        assert_eq!((events.len(), &events[0]["event_name"], &events[0]["source"]), (1, &json!("Lead"), &json!("anytrack")));
        let custom = parsed(&events[0], "custom");
        assert_eq!((&custom["value"], &custom["currency"], &custom["campaign"]), (&json!(100.0), &json!("AED"), &json!("test-campaign")));
        assert_eq!(told.contact("test@example.com")["first_touch_source"], "google");
        assert_eq!(told.rows("sync_logs").len(), 1);
        assert_eq!(told.house.list(&told.site, "conversions").await.len(), 1);
    }
}

#[tokio::test]
async fn one_bad_event_loses_no_other_and_only_all_bad_is_a_failure() {
    let told = Told::new().await;
    let good = |id: &str| told.event("PageView", id, 1, json!({}));
    let mixed = json!([good("a"), {}, good("b"), "text", {"transactionId": "x"}, good("c"), told.event("Purchase", "d", 1, json!({"eventValue": "1e999"}))]);
    let answer = told.tell(mixed.clone()).await.is(200).json;
    assert_eq!((&answer["success"], &answer["processed"], &answer["errors"]), (&json!(true), &json!(3), &json!(4)));
    assert_eq!(answer["message"], "Processed 3 events from AnyTrack");
    let places: Vec<i64> = answer["details"].as_array().into_iter().flatten().filter_map(|d| d["index"].as_i64()).collect();
    assert_eq!(places, [1, 3, 4, 6]);
    assert!(answer["details"][2]["error"].as_str().is_some_and(|e| e.contains("eventName")), "{answer:#}");
    // What could not be read waits for the owner, as it came.
    let kept = told.house.list(&told.site, "inbox").await;
    assert_eq!((kept.len(), &kept[0]["state"]), (1, &json!("quarantined")), "{kept:#?}");
    for body in [json!({}), json!([{}, 7]), json!("text"), json!(null)] {
        let answer = told.tell(body.clone()).await.is(422).json;
        assert_eq!((&answer["success"], &answer["processed"]), (&json!(false), &json!(0)), "{body}");
    }
    let answer = told.tell(json!([])).await.is(200).json;
    assert_eq!((&answer["success"], &answer["processed"], &answer["errors"]), (&json!(true), &json!(0), &json!(0)));
    let broken = told.house.post(&told.at.hook).body("{\"eventName\": ").send().await.is(400).json;
    assert_eq!((&broken["success"], &broken["error"]["code"]), (&json!(false), &json!("bad_json")));
    assert_eq!(told.rows("events").len(), 3);
    let outcomes = told.house.sql(&told.site, "select status, count(*) as n from sync_logs group by status order by status");
    assert_eq!(json!(outcomes), json!([{"status": "error", "n": 5}, {"status": "success", "n": 1}, {"status": "warning", "n": 1}]));
    // The very same body again is the same answer, and nothing twice.
    assert_eq!(told.tell(mixed).await.is(200).json["errors"], 4);
    assert_eq!((told.rows("events").len(), told.house.list(&told.site, "inbox").await.len()), (3, kept.len() + 4));
}

#[tokio::test]
async fn a_long_list_is_answered_as_a_whole() {
    let told = Told::new().await;
    let list: Vec<Value> = (0..620)
        .map(|n| match n {
            10 | 300 | 619 => json!({}),
            _ => told.event("PageView", &format!("e{n}"), 1, json!({})),
        })
        .collect();
    for _ in 0..2 {
        let answer = told.tell(json!(list)).await.is(200).json;
        assert_eq!((&answer["processed"], &answer["errors"]), (&json!(617), &json!(3)));
        let places: Vec<i64> = answer["details"].as_array().into_iter().flatten().filter_map(|d| d["index"].as_i64()).collect();
        assert_eq!(places, [10, 300, 619]);
    }
    assert_eq!((told.rows("events").len(), told.house.list(&told.site, "inbox").await.len(), told.rows("sync_logs").len()), (617, 1, 2));
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_is_an_error_of_its_own() {
    let told = Told::new().await;
    told.db()
        .execute_batch(
            "create trigger no_boom before insert on tracker_events when new.event_name = 'Boom' begin select raise(abort, 'boom'); end;",
        )
        .expect("a trigger");
    let list = json!([
        told.event("Purchase", "p-1", 1, json!({"eventValue": 5, "email": ANN})),
        told.event("Boom", "b-1", 1, json!({})),
        told.event("Lead", "l-1", 1, json!({"email": "bo@mail.example"})),
    ]);
    let answer = told.tell(list.clone()).await.is(200).json;
    assert_eq!((&answer["processed"], &answer["errors"], &answer["details"][0]["index"]), (&json!(2), &json!(1), &json!(1)), "{answer:#}");
    let names: Vec<Value> = told.rows("events").into_iter().map(|r| r["event_name"].clone()).collect();
    assert_eq!(names, ["Purchase", "Lead"]);
    assert_eq!(told.house.list(&told.site, "conversions").await.len(), 2);
    // Once it can be, the sender's retry brings the one that was missing.
    told.db().execute_batch("drop trigger no_boom").expect("no trigger");
    assert_eq!(told.tell(list).await.is(200).json["processed"], 3);
    assert_eq!(told.rows("events").len(), 3);
    assert_eq!(told.house.list(&told.site, "conversions").await.len(), 2);
}

#[tokio::test]
async fn what_was_quarantined_is_run_again_by_the_owner() {
    let told = Told::new().await;
    told.tell(json!([told.event("Lead", "l-1", 1, json!({"email": ANN})), {}])).await.is(200);
    let id = told.house.list(&told.site, "inbox").await[0]["id"].as_str().expect("an id").to_owned();
    told.db().execute("delete from tracker_events", []).expect("no events");
    told.house.advance_s(60);
    let path = format!("/api/sites/{}/inbox/{id}/replay", told.site.slug);
    let answer = told.house.post(&path).token(&told.site.token).json(&json!({})).send().await.is(200).json;
    assert_eq!(answer["facts"], 1, "{answer:#}");
    assert_eq!(told.rows("events").len(), 1);
    assert_eq!(told.house.list(&told.site, "conversions").await.len(), 1, "the lead is the one that it was");
}

// ------------------------------------------------------------------------------------------------- who may

#[tokio::test]
async fn the_connection_is_found_by_token_secret_or_bearer_and_by_nothing_else() {
    let told = Told::new().await;
    let event = || json!({"eventName": "PageView"});
    let kept = |query: &str| told.house.post(&format!("{KEPT}{query}")).json(&event());
    for query in [format!("?token={}", told.token()), format!("?token={}", told.at.secret), format!("?secret={}", told.at.secret)] {
        kept(&query).send().await.is(200);
    }
    kept("").header("x-webhook-secret", &told.at.secret).send().await.is(200);
    kept("").token(&told.site.token).send().await.is(200);
    told.house.post(&told.at.hook).json(&event()).header("x-webhook-secret", &told.at.secret).send().await.is(200);
    let wrong = &told.at.secret[1..];
    let refused = [
        kept("").send().await,
        kept("?token=").send().await,
        kept(&format!("?token={wrong}")).send().await,
        kept(&format!("?secret={wrong}")).send().await,
        kept("").header("x-webhook-secret", wrong).send().await,
        kept("").token("ht_guess").send().await,
        told.house.post(&told.at.hook).json(&event()).header("x-webhook-secret", wrong).send().await,
    ];
    for answer in refused {
        let answer = answer.is(401);
        assert!(answer.json["error"]["code"].is_string() && answer.header("location").is_empty(), "{}", answer.text);
    }
    // A token of another site has no connection there; one that may only read may not tell.
    let other = told.house.site("other.example").await;
    assert_eq!(kept("").token(&other.token).send().await.is(404).json["error"]["code"], "no_connection");
    let reader = told.house.token(told.site.id, &[Scope::Read]).await;
    kept("").token(&reader).send().await.is(403);
    told.house.post("/in/anytrack/0123456789abcdef").json(&event()).send().await.is(404);
}

#[tokio::test]
async fn without_a_token_only_where_the_owner_says_so_and_nobody_else_is_there() {
    let told = Told::with(&[("accept_without_token", "true")]).await;
    let bare = |event: Value| told.house.post(KEPT).json(&event).send();
    // Somebody whom a platform has proved.
    told.house
        .order(&told.site, json!({"order_id": "1", "total": "5.00", "currency": "USD", "email": ANN, "status": "paid"}))
        .await
        .is(200);
    bare(told.event("Lead", "l-1", 1, json!({"email": ANN}))).await.is(200);
    let kept = told.row("l-1");
    assert_eq!(kept["event_name"], "Lead");
    let total = told.db().query_row("select count(*) from tracker_events where contact_id is not null", [], |r| r.get::<_, i64>(0));
    assert_eq!(total.ok(), Some(0), "what anybody may say is not added to a proved person");
    // What is offered as a proof must be one.
    let forged = told.house.post(KEPT).header("x-webhook-secret", "guess").json(&json!({"eventName": "Lead"})).send().await;
    forged.is(401);
    told.house.site("second.example").await;
    bare(json!({"eventName": "PageView"})).await.is(401);
}

#[tokio::test]
async fn browsers_get_the_answers_that_they_expect() {
    let told = Told::new().await;
    for path in [format!("{KEPT}?token={}", told.token()), told.at.hook.clone()] {
        let ask = |origin: &str| {
            told.house
                .call("OPTIONS", &path)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type")
                .send()
        };
        let answer = ask("https://shop.example").await.is(204);
        assert!(answer.header("access-control-allow-methods").contains("POST"));
        assert!(answer.header("access-control-allow-headers").contains("content-type"));
        assert_eq!(answer.header("access-control-allow-origin"), "https://shop.example");
        ask("https://elsewhere.example").await.is(403);
        let event = json!({"eventName": "PageView"});
        let answer = told.house.post(&path).json(&event).header("origin", "https://shop.example").send().await.is(200);
        assert_eq!(answer.header("access-control-allow-origin"), "https://shop.example");
        let answer = told.house.post(&path).json(&event).header("origin", "https://elsewhere.example").send().await.is(200);
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

// ------------------------------------------------------------------------------------------------- what is kept

#[tokio::test]
async fn an_event_is_known_by_its_id_and_name_else_by_all_of_it() {
    let told = Told::new().await;
    // A Lead and a Purchase of one transaction, and two events of one visitor.
    told.ok(&[told.event("Lead", "t-1", 2, json!({})), told.event("Purchase", "t-1", 1, json!({"eventValue": 5}))]).await;
    let mut one = told.event("FormSubmit", "", 1, json!({"clientId": "v-1", "email": ANN}));
    one["transactionId"] = Value::Null;
    let mut two = one.clone();
    two["email"] = json!("bo@mail.example");
    let turned: Value = serde_json::from_str(&format!(
        "{{{}}}",
        one.as_object().expect("an object").iter().rev().map(|(k, v)| format!("{}:{v}", json!(k))).collect::<Vec<_>>().join(",")
    ))
    .expect("the same, in another order");
    told.ok(&[one, two, turned]).await;
    let rows = told.rows("events");
    assert_eq!(rows.len(), 4, "{rows:#?}");
    let ids: Vec<&str> = rows.iter().filter_map(|r| r["event_id"].as_str()).filter(|id| id.len() == 64).collect();
    assert_eq!(ids.len(), 2, "a retry is no second row, and two people are two");
}

#[tokio::test]
async fn a_changed_event_changes_its_row_and_nothing_that_was_credited() {
    let told = Told::new().await;
    let first = told.event(
        "Purchase",
        "p-1",
        2,
        json!({"eventValue": 150.25, "email": ANN, "brandName": "Old",
        "mainAttribution": {"source": "google", "medium": "cpc"}}),
    );
    told.ok(std::slice::from_ref(&first)).await;
    let before = told.house.list(&told.site, "conversions").await;
    let mut changed = first.clone();
    (changed["brandName"], changed["eventValue"]) = (json!("New"), json!(9));
    changed["mainAttribution"] = json!({"source": "newsletter", "medium": "email"});
    told.house.advance_s(60);
    told.ok(&[changed.clone()]).await;
    told.ok(&[changed]).await;
    let row = told.row("p-1");
    assert_eq!((&parsed(&row, "meta")["brand"], &row["changes"]), (&json!("New"), &json!(1)), "changed once, and noted");
    assert!(row["updated_at"].as_str() > row["created_at"].as_str());
    assert_eq!(told.house.list(&told.site, "conversions").await, before, "credit and money stay");
}

#[tokio::test]
async fn the_event_keeps_nobody_readable_and_the_contact_does() {
    let told = Told::new().await;
    told.ok(&[told.event(
        "Lead",
        "l-1",
        1,
        json!({
            "email": "  Ann@Mail.Example ", "phone": "+971 50 123 4567", "fullName": "Ann van der Lee",
            "location": "https://shop.example/?a=1&email=ann%40mail.example", "customerId": "c-7",
            "attributions": [{"params": {"who": ANN}}], "items": [{"name": ANN}],
        }),
    )])
    .await;
    let row = told.row("l-1");
    let user = parsed(&row, "user_data");
    for (field, plain) in [("em", ANN), ("ph", "971501234567"), ("fn", "ann"), ("ln", "vanderlee")] {
        assert_eq!(user[field], sha256_hex(plain.as_bytes()), "{field}");
    }
    assert_eq!(user["external_id"], "c-7");
    let text = row.to_string().to_lowercase();
    assert!(!text.contains("mail.example") && !text.contains("0123") && !text.contains("lee"), "{text}");
    assert_eq!(parsed(&row, "meta")["location"], "https://shop.example/?a=1");
    let contact = told.contact(ANN);
    assert_eq!((&contact["phone"], &contact["first_name"]), (&json!("+971501234567"), &json!("Ann")));
    let step = &told.rows("attribution_events")[0];
    assert_eq!((&step["email"], &step["last_name"]), (&json!(ANN), &json!("van der Lee")));
}

#[tokio::test]
async fn contacts_are_computed_so_arrival_and_repeats_make_no_difference() {
    let told = Told::new().await;
    let source = |word: &str| json!({"email": ANN, "eventValue": 10, "mainAttribution": {"source": word}});
    let events = [
        told.event("Lead", "a", 9, source("first")),
        told.event("FormSubmit", "b", 7, source("second")),
        told.event("Purchase", "c", 5, source("third")),
        told.event("CompleteRegistration", "d", 3, source("last")),
    ];
    for place in [2, 0, 3, 1, 2, 0] {
        let mut event = events[place].clone();
        // However the address is written, it is one person.
        event["email"] = json!(if place % 2 == 0 { ANN.to_uppercase() } else { format!(" {ANN}") });
        told.ok(&[event]).await;
    }
    told.ok(&[
        told.event("PageView", "e", 2, json!({"email": ANN})),
        told.event("AddToCart", "f", 1, json!({"email": ANN, "eventValue": 999})),
    ])
    .await;
    let contact = told.contact(ANN);
    assert_eq!((&contact["first_touch_source"], &contact["last_touch_source"]), (&json!("first"), &json!("last")));
    assert_eq!((&contact["total_events"], &contact["total_value"]), (&json!(4), &json!(40.0)), "the purchase too, and nothing twice");
    assert_eq!(contact["first_touch_time"], told.house.ago(9 * 3_600));
}

#[tokio::test]
async fn a_lead_inherits_the_ad_of_an_earlier_click_whichever_came_first() {
    let told = Told::new().await;
    let click = |id: &str, hours: i64, who: Value, ad: &str| {
        let mut more = json!({"location": format!("https://shop.example/?ad_id={ad}&utm_id=c{ad}"), "adName": format!("Ad {ad}")});
        for (key, value) in who.as_object().into_iter().flatten() {
            more[key] = value.clone();
        }
        told.event("OutboundClick", id, hours, more)
    };
    let lead = |id: &str, who: Value| told.event("Lead", id, 20, who);
    told.ok(&[
        lead("near", json!({"email": ANN})),
        lead("late", json!({"email": "late@mail.example"})),
        lead("old", json!({"email": "old@mail.example"})),
        lead("own", json!({"email": ANN, "location": "https://shop.example/?ad_id=77"})),
        lead("dialled", json!({"phone": "+971501234567"})),
        lead("browser", json!({"email": "eve@mail.example", "clientId": "v-9"})),
        lead("stranger", json!({"email": "eve2@mail.example"})),
    ])
    .await;
    // The clicks are told afterwards.
    told.ok(&[
        click("c1", 200, json!({"email": ANN}), "1"),
        click("c2", 48, json!({"email": ANN}), "2"),
        click("c3", 1, json!({"email": "late@mail.example"}), "3"),
        click("c4", 24 * 32, json!({"email": "old@mail.example"}), "4"),
        click("c5", 30, json!({"phone": "+971501234567"}), "5"),
        click("c6", 30, json!({"clientId": "v-9"}), "6"),
    ])
    .await;
    let rows = told.rows("attribution_events");
    let ad = |id: &str| rows.iter().find(|r| r["event_id"] == id).map(|r| (r["fb_ad_id"].clone(), r["inherited_from"].clone())).expect(id);
    for (id, want, from) in [
        ("near", json!("2"), json!("c2")),
        ("late", Value::Null, Value::Null),
        ("old", Value::Null, Value::Null),
        ("own", json!("77"), Value::Null),
        ("dialled", json!("5"), json!("c5")),
        ("browser", json!("6"), json!("c6")),
        ("stranger", Value::Null, Value::Null),
    ] {
        assert_eq!(ad(id), (want, from), "{id}");
    }
    let near = rows.iter().find(|r| r["event_id"] == "near").expect("the lead");
    assert_eq!((&near["fb_campaign_id"], &near["fb_ad_name"]), (&json!("c2"), &json!("Ad 2")));
    let contact = told.contact(ANN);
    assert_eq!((&contact["attributed_ad_id"], &contact["attribution_source"]), (&json!("2"), &json!("anytrack_linked")));
}

#[tokio::test]
async fn unknown_names_are_kept_and_are_no_steps_of_a_journey() {
    let told = Told::new().await;
    let names = [
        "Purchase",
        "Lead",
        "CompleteRegistration",
        "FormSubmit",
        "InitiateCheckout",
        "AddToCart",
        "ViewContent",
        "PageView",
        "OutboundClick",
        "AddPaymentInfo",
        "Schedule",
        "Subscribe",
        "Search",
        "salesqualifiedlead",
    ];
    let mut events: Vec<Value> = names.iter().map(|name| told.event(name, name, 1, json!({}))).collect();
    events.push(told.event("DemoBooked", "d", 1, json!({})));
    told.ok(&events).await;
    assert_eq!((told.rows("events").len(), told.rows("attribution_events").len()), (names.len() + 1, names.len()));
}

#[tokio::test]
async fn the_printed_questions_show_the_newest_ten() {
    let told = Told::new().await;
    for n in 0..12 {
        told.house.advance_s(5);
        told.ok(&[told.event("PageView", &format!("e{n}"), 30 - n, json!({}))]).await;
    }
    let events = told.house.sql(&told.site, "SELECT * FROM events \nWHERE source = 'anytrack' \nORDER BY event_time DESC \nLIMIT 10;");
    let ids: Vec<&str> = events.iter().filter_map(|r| r["event_id"].as_str()).collect();
    assert_eq!(ids, ["e11", "e10", "e9", "e8", "e7", "e6", "e5", "e4", "e3", "e2"]);
    let logs = told.house.sql(&told.site, "SELECT * FROM sync_logs \nWHERE platform = 'anytrack' \nORDER BY started_at DESC \nLIMIT 10;");
    assert_eq!((logs.len(), &logs[0]["status"], &logs[0]["message"]), (10, &json!("success"), &json!("Processed 1 events from AnyTrack")));
    let other = told.house.site("other.example").await;
    assert_eq!(told.house.sql(&other, "select * from events").len() + told.house.sql(&other, "select * from sync_logs").len(), 0);
}

// ------------------------------------------------------------------------------------------------- facts and deliveries

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_from_anytrack_is_never_sent_back_and_shop_orders_are() {
    let collect = StandIn::start(|_, _| Says::text(200, "{}")).await;
    let url = format!("{}/aB3x/collect/shop", collect.url());
    let told = Told::with(&[("collect_url", &url), ("tells_meta", "true")]).await;
    let meta = [("pixel_id", "123456789012345"), ("access_token", "EAAabcdefghijklmnopqrstuvwxyz0123456789")];
    told.house.connect(&told.site, "meta", "shadow", &meta).await;
    told.house.connect(&told.site, "webhook", "shadow", &[("url", &format!("{}/hook", collect.url()))]).await;
    told.ok(&[told.event("Purchase", "p-1", 1, json!({"eventValue": 5, "email": ANN}))]).await;
    told.house.work().await;
    let state = |all: &[Value], platform: &str| {
        let found: Vec<String> = all
            .iter()
            .filter(|d| d["platform"] == platform)
            .map(|d| format!("{} {}", d["state"].as_str().unwrap_or("?"), d["reason"].as_str().unwrap_or("-")))
            .collect();
        found.join(", ")
    };
    let all = told.house.deliveries(&told.site).await;
    assert_eq!(
        (state(&all, "anytrack").as_str(), state(&all, "meta").as_str()),
        ("skipped own_report", "skipped told_already"),
        "{all:#?}"
    );
    assert_eq!(state(&all, "webhook"), "skipped shadow", "others are told as ever");
    assert!(collect.seen().is_empty());
    // A sale that the shop tells goes there: readable to AnyTrack, and neither the people nor the address are shown here.
    let order =
        json!({"order_id": "77", "total": "86.90", "currency": "EUR", "email": "bo@mail.example", "name": "Bo Dam", "status": "paid"});
    told.house.order(&told.site, order).await.is(200);
    told.house.work().await;
    let seen = collect.seen();
    assert_eq!((seen.len(), seen[0].target.as_str()), (1, "/aB3x/collect/shop"));
    let sent = seen[0].json();
    assert_eq!(
        (&sent["event_name"], &sent["transaction_id"], &sent["value"], &sent["email"]),
        (&json!("Purchase"), &json!("order_77"), &json!(86.9), &json!("bo@mail.example"))
    );
    let delivered = told
        .house
        .deliveries(&told.site)
        .await
        .into_iter()
        .find(|d| d["platform"] == "anytrack" && d["state"] == "delivered")
        .expect("delivered");
    let shown = delivered.to_string();
    assert!(!shown.contains("aB3x") && !shown.contains("bo@mail.example"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_that_anytrack_tells_too_need_not_be_told_to_it_any_more() {
    let collect = StandIn::start(|_, _| Says::text(200, "{}")).await;
    let told = Told::with(&[("collect_url", &format!("{}/aB3x/collect/shop", collect.url()))]).await;
    let order = json!({"order_id": "77", "total": "5.00", "currency": "AED", "email": ANN, "status": "paid"});
    told.house.order(&told.site, order).await.is(200);
    assert_eq!(told.house.delivery(&told.site).await["state"], "pending");
    told.ok(&[told.event("Purchase", "77", 0, json!({"eventValue": 5, "email": ANN}))]).await;
    let now = told.house.delivery(&told.site).await;
    assert_eq!((&now["state"], &now["reason"]), (&json!("skipped"), &json!("own_report")));
    told.house.work().await;
    assert!(collect.seen().is_empty());
    // Nor by the owner's hand, also where it was only shown before.
    let id = told.at.id.parse().expect("a connection");
    connections::set_mode(&told.house.app, Some(told.site.id), id, "shadow", "test").await.expect("shadow");
    let order = json!({"order_id": "78", "total": "6.00", "currency": "AED", "email": "bo@mail.example", "status": "paid"});
    told.house.order(&told.site, order).await.is(200);
    told.house.work().await;
    told.ok(&[told.event("Purchase", "78", 0, json!({"eventValue": 6, "email": "bo@mail.example"}))]).await;
    connections::set_mode(&told.house.app, Some(told.site.id), id, "live", "test").await.expect("live");
    let path = format!("/api/sites/{}/deliveries/replay", told.site.slug);
    told.house.advance_s(4);
    let all = json!({"filter": {"state": "skipped"}});
    let done = told.house.post(&path).token(&told.site.token).json(&all).send().await.is(200).json;
    assert_eq!((&done["count"], &done["replayed"], &done["left_out"]), (&json!(2), &json!(1), &json!(1)), "{done:#}");
    told.house.advance_s(4);
    told.house.work().await;
    let reasons: Vec<Value> = told.house.deliveries(&told.site).await.into_iter().map(|d| d["reason"].clone()).collect();
    assert_eq!(reasons, ["own_report", "own_report"]);
    assert!(collect.seen().is_empty());
}

/// Every order of four.
fn arrivals() -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    for a in 0..4 {
        for b in (0..4).filter(|b| *b != a) {
            for c in (0..4).filter(|c| *c != a && *c != b) {
                all.push([a, b, c, 6 - a - b - c]);
            }
        }
    }
    all
}

/// One sale told by four in any order: one conversion, one row for each destination, the same figures. `transaction` is what
/// AnyTrack calls it; none is the order's own number.
async fn told_by_four(transaction: Option<&str>) {
    let collect = StandIn::start(|_, _| Says::text(200, "{}")).await;
    let mut figures: Vec<Value> = Vec::new();
    for order in arrivals() {
        let (house, shop) = (House::new(), WooShop::start().await);
        let site = house.site_with("shop.example", |new| new.currency = Currency::parse("EUR").expect("a currency")).await;
        let woo = house.woo(&site, &shop).await;
        let tracker = house.connect(&site, "anytrack", "live", &[("collect_url", &format!("{}/aB3x/collect/shop", collect.url()))]).await;
        house.connect(&site, "webhook", "shadow", &[("url", &format!("{}/hook", collect.url()))]).await;
        let at = house.clock.now();
        let id =
            shop.books().place(at, "86.90", json!({"billing": {"email": ANN, "first_name": "Ann", "last_name": "Lee", "country": "PT"}}));
        let number = id.to_string();
        for teller in order {
            house.advance_s(2);
            match teller {
                0 => drop(house.told(&woo, &shop, "order.created", id).await.is(200)),
                1 => {
                    let event = json!({"eventName": "Purchase", "transactionId": transaction.unwrap_or(&number), "eventTime": at.utc(),
                        "eventValue": 86.9, "currency": "EUR", "email": ANN});
                    house.post(&tracker.hook).json(&event).send().await.is(200);
                }
                2 => {
                    let told = json!({"order_id": format!("#{number}"), "total": "86.90", "currency": "EUR", "email": ANN, "status": "paid",
                        "created_at": at.utc()});
                    house.order(&site, told).await.is(200);
                }
                _ => {
                    let told = json!({"conversion_type": "sale", "order_id": number, "revenue": 86.90, "currency": "EUR", "email": ANN,
                        "timestamp": at.utc()});
                    house.conversion(&site, told).await;
                }
            }
        }
        let conversions = house.list(&site, "conversions").await;
        assert_eq!(conversions.len(), 1, "{order:?}: {conversions:#?}");
        let deliveries = house.deliveries(&site).await;
        assert_eq!(deliveries.len(), 2, "{order:?}: {deliveries:#?}");
        let to_tracker = deliveries.iter().find(|d| d["platform"] == "anytrack").expect("a row");
        assert_eq!((&to_tracker["state"], &to_tracker["reason"]), (&json!("skipped"), &json!("own_report")), "{order:?}");
        house.advance_s(4);
        let mut seen = Vec::new();
        for path in ["overview", "attribution", "paths", "time_to_convert", "daily?date=2026-06-13"] {
            let path = format!(
                "/api/sites/{}/reports/{path}{}",
                site.slug,
                if path.contains('?') { "" } else { "?from=2026-06-13&to=2026-06-13" }
            );
            seen.push(house.get(&path).token(&site.token).send().await.is(200).json);
            house.advance_s(4);
        }
        figures.push(seen.into());
    }
    assert!(figures[0].to_string().contains("8690"), "{}", figures[0]);
    for (order, headline) in arrivals().iter().zip(&figures) {
        assert_eq!(headline, &figures[0], "order of arrival {order:?}");
    }
    assert!(collect.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sale_of_four_tellers_is_one_sale_in_any_order() {
    told_by_four(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_id_of_the_trackers_own_does_not_part_a_sale() {
    told_by_four(Some("at-77f0")).await;
}

#[tokio::test]
async fn a_purchase_finds_its_visit_and_an_amount_of_another_currency_stands_apart() {
    let told = Told::new().await;
    let id = told.house.visit(&told.site, None, json!({"utm_source": "news", "utm_medium": "email"})).await;
    let page = told.house.post("/api/identify").browser(&told.site).header("cookie", &format!("_halo={id}"));
    page.body(json!({"site": told.site.key, "email": ANN}).to_string()).send().await.is(204);
    told.house.advance_s(600);
    let mut sale = told.event("Purchase", "p-1", 0, json!({"eventValue": 5, "email": ANN, "mainAttribution": {"source": "tiktok"}}));
    sale["currency"] = Value::Null;
    told.ok(&[
        sale,
        told.event("Lead", "l-1", 0, json!({"email": "eve@mail.example", "mainAttribution": {"source": "TikTok", "medium": "CPC"}})),
    ])
    .await;
    let all = told.house.list(&told.site, "conversions").await;
    let of = |kind: &str| all.iter().find(|c| c["kind"] == kind).unwrap_or_else(|| panic!("{all:#?}"));
    assert_eq!((&of("sale")["credited"][0]["source"], &of("sale")["amount"]["currency"]), (&json!("news"), &json!("AED")));
    assert_eq!((&of("lead")["credited"][0]["source"], &of("lead")["match"]["type"]), (&json!("tiktok"), &json!("stated")));
}

// ------------------------------------------------------------------------------------------------- privacy

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_erased_is_not_in_any_event_and_no_retry_brings_them_back() {
    let told = Told::new().await;
    let list = [
        told.event("PageView", "v-1", 5, json!({"clientId": "b-1", "location": "https://shop.example/"})),
        told.event("OutboundClick", "v-2", 5, json!({"clientId": "b-1", "email": ANN})),
        told.event("Lead", "v-3", 4, json!({"email": ANN, "phone": "+971501234567"})),
        told.event("AddToCart", "v-4", 3, json!({"phone": "+971501234567"})),
        told.event("Purchase", "v-5", 2, json!({"email": ANN, "eventValue": 5})),
        told.event("Lead", "v-6", 2, json!({"email": "bo@mail.example", "clientId": "b-2"})),
    ];
    told.ok(&list).await;
    let path = format!("/api/sites/{}/people/export?email={}", told.site.slug, ANN.replace('@', "%40"));
    let export = told.house.get(&path).token(&told.site.token).send().await.is(200).json;
    assert_eq!(export["tables"]["tracker_events"].as_array().or(export["tracker_events"].as_array()).map(Vec::len), Some(5), "{export:#}");
    let erase = told.house.post(&format!("/api/sites/{}/erasures", told.site.slug)).token(&told.site.token);
    let certificate = erase.json(&json!({"email": ANN})).send().await.is(201).json;
    assert_eq!(certificate["rows"]["tracker_events"], 5, "{certificate:#}");
    let left: Vec<Value> = told.rows("events").into_iter().map(|r| r["event_id"].clone()).collect();
    assert_eq!(left, ["v-6"]);
    // A retry in another list: counted as taken, and nothing of them is stored.
    told.house.advance_s(60);
    for event in list {
        assert_eq!(told.tell(event).await.is(200).json["processed"], 1);
    }
    let left: Vec<Value> = told.rows("events").into_iter().map(|r| r["event_id"].clone()).collect();
    assert!(!left.iter().any(|id| ["v-2", "v-3", "v-5"].contains(&id.as_str().unwrap_or_default())), "{left:?}");
    assert_eq!(told.rows("contacts").len(), 1);
    assert_eq!(told.house.list(&told.site, "conversions").await.len(), 3, "the sale and the leads stay, of nobody");
}

#[tokio::test]
async fn old_events_and_old_calls_go_by_their_clocks() {
    let told = Told::new().await;
    told.ok(&[told.event("Purchase", "old", 24 * 399, json!({"eventValue": 5})), told.event("Lead", "new", 1, json!({}))]).await;
    told.house.advance_s(2 * 86_400);
    retain::run(&told.house.app).await.expect("removed");
    assert_eq!((told.rows("events").len(), told.rows("sync_logs").len()), (1, 1));
    told.house.advance_s(30 * 86_400);
    retain::run(&told.house.app).await.expect("removed");
    assert_eq!((told.rows("events").len(), told.rows("sync_logs").len()), (1, 0));
    assert_eq!(told.house.list(&told.site, "conversions").await.len(), 2, "what was sold stays");
}

/// What cannot be is an error of its own field and stays in the inbox; an empty time is none.
#[tokio::test]
async fn a_name_is_a_text_and_a_time_is_possible() {
    let told = Told::new().await;
    let now = told.house.clock.now();
    for (fields, field) in [
        (json!({"eventName": 7}), Some("eventName")),
        (json!({"eventName": ["Lead"]}), Some("eventName")),
        (json!({"eventName": true}), Some("eventName")),
        (json!({"eventName": ""}), Some("eventName")),
        (json!({"eventName": "Search", "eventTime": "0001-01-01T00:00:00Z"}), Some("eventTime")),
        (json!({"eventName": "Search", "eventTime": "1999-12-31T23:59:59Z"}), Some("eventTime")),
        (json!({"eventName": "Search", "eventTimestamp": 86_400}), Some("eventTimestamp")),
        (json!({"eventName": "Search", "eventTime": now.plus_ms(2 * 86_400_000).utc()}), Some("eventTime")),
        (json!({"eventName": "Search", "eventTime": {"$date": 1}}), Some("eventTime")),
        (json!({"eventName": "Search", "eventTime": "soon"}), Some("eventTime")),
        (json!({"eventName": "Search", "eventTime": "", "transactionId": "a"}), None),
        (json!({"eventName": "Search", "eventTime": "  ", "eventTimestamp": null, "transactionId": "b"}), None),
        (json!({"eventName": "Search", "eventTime": "2000-01-01T00:00:00Z", "transactionId": "c"}), None),
        (json!({"eventName": "Search", "eventTime": now.plus_ms(3_600_000).utc(), "transactionId": "d"}), None),
    ] {
        told.house.advance_s(1);
        let answer = told.tell(json!([fields.clone(), told.event("Search", "good", 1, json!({}))])).await.is(200).json;
        assert_eq!(answer["errors"], json!(usize::from(field.is_some())), "{fields}: {answer}");
        if let Some(field) = field {
            let said = answer["details"][0]["error"].to_string();
            assert!(said.contains(field), "{fields}: {said}");
        }
    }
    let kept = told.house.list(&told.site, "inbox").await;
    assert!(kept.iter().any(|row| row["state"] == "quarantined"), "{kept:#?}");
    let dated = |id: &str| told.row(id)["event_time"].as_str().unwrap_or_default()[..10].to_owned();
    assert_eq!((dated("a").as_str(), dated("b").as_str(), dated("c").as_str()), ("2026-06-13", "2026-06-13", "2000-01-01"));
}
