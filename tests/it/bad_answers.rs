//! A platform that answers, and not with what was asked for: one thing among many that cannot be read, a list without an end,
//! another page than the list, a row that is none. What is good is stored, what is not is said, and nothing is taken for gone.

use std::sync::{Arc, Mutex};

use halotrack::domain::ids::ConnectionId;
use halotrack::jobs::puller;
use halotrack::store::sync_runs;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer as Says, Seen, StandIn};
use crate::story::Connected;

const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3_600;

struct Platform {
    inside: Arc<Mutex<Value>>,
    house: House,
    url: String,
}

impl Platform {
    async fn open(key: &'static str, answer: fn(&mut Value, &Seen) -> Says) -> Self {
        let inside = Arc::new(Mutex::new(json!({"asked": []})));
        let shared = inside.clone();
        let stand_in = StandIn::start(move |seen, _| answer(&mut shared.lock().expect("the platform"), seen)).await;
        let (url, base) = (stand_in.url(), stand_in.url());
        let house = House::with(move |config| {
            if !key.is_empty() {
                config.base_urls.insert(key.into(), base);
            }
        });
        Self { inside, house, url }
    }

    fn set(&self, key: &str, value: Value) {
        self.inside.lock().expect("the platform")[key] = value;
    }

    fn count(&self, key: &str) -> i64 {
        self.inside.lock().expect("the platform")[key].as_i64().unwrap_or_default()
    }

    async fn read(&self) {
        puller::drain(&self.house.app).await.expect("what is due is read");
    }

    /// How the last run ended, and its sentences.
    async fn last_run(&self, site: &SiteAt, connected: &Connected) -> String {
        let id: ConnectionId = connected.id.parse().expect("an id");
        let run = self.house.app.store.read(site.id, move |c| sync_runs::find_last(c, id)).await.expect("a run");
        format!("{run:?}")
    }
}

fn path(seen: &Seen) -> String {
    seen.target.split('?').next().unwrap_or_default().to_owned()
}

fn add(inside: &mut Value, key: &str) -> i64 {
    let count = inside[key].as_i64().unwrap_or(0) + 1;
    inside[key] = json!(count);
    count
}

// -------------------------------------------------------------------------------------------------- Eventbrite

/// Orders by number; a number under `bad` is answered with that status instead.
fn eventbrite(inside: &mut Value, seen: &Seen) -> Says {
    let path = path(seen);
    if let Some(number) = path.strip_prefix("/v3/orders/").map(|rest| rest.trim_end_matches('/').to_owned()) {
        add(inside, &format!("asked {number}"));
        return match inside["bad"][&number].as_u64() {
            Some(429) => Says::json(429, json!({"error": "HIT_RATE_LIMIT"})).with("retry-after", "600"),
            Some(status) => Says::json(status as u16, json!({"status_code": status, "error": "ARGUMENTS_ERROR"})),
            None => Says::json(200, order(&number, inside["at"].as_str().unwrap_or_default(), "20.00")),
        };
    }
    let list = |name: &str, rows: &Value| {
        let rows = rows.as_array().cloned().unwrap_or_default();
        Says::json(200, json!({"pagination": {"has_more_items": false, "continuation": "Mg=="}, name: rows}))
    };
    match path.as_str() {
        "/v3/organizations/61/webhooks/" => list("webhooks", &Value::Null),
        "/v3/organizations/61/attendees/" => list("attendees", &inside["attendees"]),
        "/v3/organizations/61/orders/" => {
            add(inside, "lists");
            let mark = seen.target.contains("continuation=");
            match inside["mood"].as_str() {
                // Always one page more, and always the same one.
                Some("endless") => Says::json(
                    200,
                    json!({"pagination": {"has_more_items": true, "continuation": "same"}, "orders": [order("1", inside["at"].as_str().unwrap_or_default(), "20.00")]}),
                ),
                // The mark of the third page is never good.
                Some("stuck") if seen.target.contains("continuation=three") => Says::json(400, json!({"error": "BAD_CONTINUATION_TOKEN"})),
                Some("stuck") => {
                    let next = if mark { "three" } else { "two" };
                    Says::json(200, json!({"pagination": {"has_more_items": true, "continuation": next}, "orders": []}))
                }
                Some("html") => Says::text(200, "<html>Sign in to the hotel's network</html>"),
                Some("nothing") => Says::json(200, json!({"pagination": {"has_more_items": false}})),
                // As older answers are paged.
                Some("numbered") => {
                    let page = if seen.target.contains("page=2") { 2 } else { 1 };
                    let at = inside["at"].as_str().unwrap_or_default().to_owned();
                    Says::json(
                        200,
                        json!({"pagination": {"page_number": page, "page_count": 2}, "orders": [order(&format!("50{page}"), &at, "20.00")]}),
                    )
                }
                _ => list("orders", &inside["orders"]),
            }
        }
        _ => Says::json(404, json!({"error": "NOT_FOUND"})),
    }
}

fn order(number: &str, at: &str, gross: &str) -> Value {
    json!({
        "id": number, "event_id": "9", "status": "placed", "created": at, "changed": at, "email": format!("p{number}@mail.example"),
        "costs": {"gross": {"currency": "USD", "value": 2_000, "major_value": gross}}
    })
}

async fn tickets() -> (Platform, SiteAt, Connected) {
    let platform = Platform::open("eventbrite", eventbrite).await;
    let site = platform.house.site("harrow.example").await;
    platform.set("at", json!(platform.house.ago(0)));
    let connected = platform.house.connect(&site, "eventbrite", "live", &[("token", "PRIVATE"), ("organization_id", "61")]).await;
    platform.read().await;
    (platform, site, connected)
}

async fn call(platform: &Platform, connected: &Connected, number: i64) {
    let body = json!({"config": {"action": "order.placed"}, "api_url": format!("https://www.eventbriteapi.com/v3/orders/{number}/")});
    platform.house.post(&connected.hook).json(&body).send().await.is(200);
}

#[tokio::test]
async fn one_thing_that_cannot_be_read_stands_in_nobodys_way() {
    let (platform, site, connected) = tickets().await;
    // The third is refused for good, the fifth has a fault of its own.
    platform.set("bad", json!({"1003": 400, "1005": 500}));
    for number in 1001..=1010 {
        call(&platform, &connected, number).await;
    }
    platform.read().await;
    assert_eq!(platform.house.list(&site, "conversions").await.len(), 8);
    let file = rusqlite::Connection::open(platform.house.data().join(halotrack::store::FILE)).expect("the file");
    let waiting = || file.query_row("select count(*) from jobs where kind = 'fetch'", [], |row| row.get::<_, i64>(0)).expect("a count");
    assert_eq!(waiting(), 1, "what was read is asked for no more, and what is refused is given up");
    assert_eq!(platform.count("asked 1001"), 1, "nothing is read twice");
    platform.set("bad", json!({}));
    platform.house.advance_s(HOUR_S);
    platform.read().await;
    assert_eq!((platform.house.list(&site, "conversions").await.len(), waiting()), (9, 0));
}

#[tokio::test]
async fn a_time_that_the_platform_names_is_no_try() {
    let (platform, site, connected) = tickets().await;
    platform.set("bad", json!({"7": 429}));
    call(&platform, &connected, 7).await;
    for _ in 0..20 {
        platform.read().await;
        platform.house.advance_s(700);
    }
    assert!(platform.count("asked 7") >= 20, "it was asked each time");
    platform.set("bad", json!({}));
    platform.read().await;
    assert_eq!(platform.house.list(&site, "conversions").await.len(), 1, "it was never given up");
}

#[tokio::test]
async fn a_list_without_an_end_is_left_and_said() {
    for mood in ["endless", "stuck"] {
        let (platform, site, connected) = tickets().await;
        platform.house.advance_s(DAY_S);
        platform.set("mood", json!(mood));
        let before = platform.count("lists");
        platform.read().await;
        let asked = platform.count("lists") - before;
        assert!((3..=40).contains(&asked), "{mood}: {asked} pages");
        let run = platform.last_run(&site, &connected).await;
        assert!(run.contains("again and again"), "{mood}: {run}");
    }
}

#[tokio::test]
async fn what_is_no_list_is_no_empty_list() {
    for (mood, words) in [("html", "something else than the list"), ("nothing", "something else than the list")] {
        let (platform, site, connected) = tickets().await;
        platform.house.advance_s(DAY_S);
        platform.set("mood", json!(mood));
        platform.read().await;
        let run = platform.last_run(&site, &connected).await;
        assert!(run.contains("failed") && run.contains(words), "{mood}: {run}");
    }
    // Pages that are only numbered are all read.
    let (platform, site, _) = tickets().await;
    platform.house.advance_s(DAY_S);
    platform.set("mood", json!("numbered"));
    platform.read().await;
    assert_eq!(platform.house.list(&site, "conversions").await.len(), 2);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_kept_shown_and_read_again_by_hand() {
    let (platform, site, _) = tickets().await;
    let at = platform.house.ago(0);
    let mut strange = order("302", &at, "20.00");
    strange["costs"]["gross"]["currency"] = json!("GOLD");
    platform.set("orders", json!([order("301", &at, "20.00"), strange, order("303", &at, "20.00")]));
    for _ in 0..2 {
        platform.house.advance_s(DAY_S);
        platform.read().await;
    }
    assert_eq!(platform.house.list(&site, "conversions").await.len(), 2, "its neighbours are stored");
    let kept = platform.house.list(&site, "inbox?state=quarantined").await;
    assert_eq!(kept.len(), 1, "and it once, however often it is read: {kept:#?}");
    assert_eq!((&kept[0]["platform"], &kept[0]["is_kept"]), (&json!("eventbrite"), &json!(true)));
    assert!(kept[0]["reason"].as_str().is_some_and(|why| why.contains("costs.gross")), "{kept:#?}");
    let replay = async || {
        let path = format!("/api/sites/{}/inbox/{}/replay", site.slug, kept[0]["id"].as_str().unwrap_or_default());
        platform.house.post(&path).token(&site.token).json(&json!({})).send().await.is(200).json
    };
    assert_eq!(replay().await["status"], "quarantined", "it is read as before");
    // As after a fix: what was read of it then can be read now.
    let file = rusqlite::Connection::open(platform.house.data().join(halotrack::store::FILE)).expect("the file");
    let mended = "update inbox set body = cast(replace(cast(body as text), 'GOLD', 'USD') as blob) where state = 'quarantined'";
    assert_eq!(file.execute(mended, []).expect("the body is mended"), 1);
    let again = replay().await;
    assert_eq!((&again["status"], &again["facts"]), (&json!("accepted"), &json!(1)), "{again}");
    assert_eq!(platform.house.list(&site, "conversions").await.len(), 3);
}

#[tokio::test]
async fn a_ticket_that_is_given_back_takes_its_money_off_its_order() {
    let (platform, site, _) = tickets().await;
    let (at, costs) = (platform.house.ago(0), json!({"gross": {"currency": "USD", "value": 2_000, "major_value": "20.00"}}));
    let ticket = |n: i64, refunded: bool, changed: &str, status: &str| {
        json!({"id": format!("{n}-1"), "order_id": "900", "event_id": "9", "created": at, "changed": changed, "costs": costs, "refunded": refunded,
            "profile": {"email": "p900@mail.example"}, "order": {"id": "900", "status": status}})
    };
    let bought = |site: &SiteAt| {
        platform.house.sql(site, "select count(*) as n from funnel_events where event_type = 'ticket_purchased'")[0]["n"].as_i64()
    };
    platform.set("attendees", json!([ticket(1, false, &at, "started"), ticket(2, false, &at, "started")]));
    platform.house.advance_s(DAY_S);
    platform.read().await;
    assert_eq!(bought(&site), Some(0), "an order that was only begun is no purchase");
    platform.set("attendees", json!([ticket(1, false, &at, "placed"), ticket(2, false, &at, "placed")]));
    platform.set("orders", json!([order("900", &at, "40.00")]));
    platform.house.advance_s(DAY_S);
    platform.read().await;
    let net = async || platform.house.list(&site, "conversions").await.iter().filter_map(|c| c["net"]["minor"].as_i64()).sum::<i64>();
    assert_eq!((bought(&site), net().await), (Some(2), 4_000));
    let later = platform.house.ago(0);
    platform.set("attendees", json!([ticket(1, true, &later, "placed")]));
    platform.set("orders", json!([]));
    for _ in 0..2 {
        platform.house.advance_s(DAY_S);
        platform.read().await;
    }
    assert_eq!(net().await, 2_000);
    // All of it goes back, and the order names no sum any more.
    let mut over = order("900", &platform.house.ago(0), "0.00");
    over["status"] = json!("refunded");
    platform.set("orders", json!([over]));
    platform.house.advance_s(DAY_S);
    platform.read().await;
    assert_eq!(net().await, 0);
}

// -------------------------------------------------------------------------------------------------- Easy!Appointments

fn easy(inside: &mut Value, seen: &Seen) -> Says {
    let path = path(seen);
    match path.trim_start_matches("/index.php/api/v1/") {
        "settings/default_timezone" => Says::json(200, json!({"name": "default_timezone", "value": "UTC"})),
        "providers" => Says::json(200, json!([{"id": 2, "timezone": "UTC"}])),
        "webhooks" => Says::json(200, json!([])),
        "appointments" => Says::json(200, inside["appointments"].clone()),
        _ => Says::text(404, ""),
    }
}

#[tokio::test]
async fn nobodys_appointment_is_cancelled_by_an_answer_that_is_no_list() {
    let platform = Platform::open("", easy).await;
    let site = platform.house.site("harrow.example").await;
    let wall = |ago: i64| platform.house.ago(ago).replace('T', " ").replace('Z', "");
    let (book, start, end) = (wall(60), wall(-19 * DAY_S), wall(-19 * DAY_S - 1_800));
    let row = |n: i64| {
        json!({"id": n, "book": book, "start": start, "end": end, "status": "Booked", "providerId": 2, "customerId": n,
            "customer": {"id": n.to_string(), "email": format!("person{n}@mail.example")}})
    };
    platform.set("appointments", json!([row(1), row(2)]));
    let connected = platform.house.connect(&site, "easyappointments", "live", &[("url", &platform.url), ("token", "t")]).await;
    platform.read().await;
    let kinds = || {
        let rows = platform.house.sql(&site, "select event_type from funnel_events order by event_type");
        rows.iter().map(|row| row["event_type"].as_str().unwrap_or("-").trim_start_matches("appointment_").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(), ["booked", "booked"]);
    let mut nameless = row(2);
    nameless["id"] = Value::Null;
    for (answer, is_failed) in [(json!({"success": false, "message": "Maintenance"}), true), (json!([row(1), nameless]), false)] {
        platform.set("appointments", answer.clone());
        for _ in 0..2 {
            platform.house.advance_s(DAY_S);
            platform.read().await;
        }
        assert_eq!(kinds(), ["booked", "booked"], "{answer}");
        assert_eq!(platform.last_run(&site, &connected).await.contains("something else than the list"), is_failed, "{answer}");
    }
    platform.set("appointments", json!([row(1)]));
    for _ in 0..2 {
        platform.house.advance_s(DAY_S);
        platform.read().await;
    }
    assert_eq!(kinds(), ["booked", "booked", "cancelled"], "what is missing on a good list is gone");
}

// -------------------------------------------------------------------------------------------------- Posh

#[tokio::test]
async fn what_goes_back_at_posh_bit_by_bit_is_told_bit_by_bit() {
    let lines: Arc<Mutex<Vec<i64>>> = Arc::default();
    let kept = lines.clone();
    let system = StandIn::start(move |seen, _| {
        let (body, mut lines) = (seen.json(), kept.lock().expect("the lines"));
        let minor = body["data"]["amount"]["minor"].as_i64().unwrap_or(0);
        lines.push(if body["type"] == "sale.refunded" { -minor } else { minor });
        Says::text(204, "")
    })
    .await;
    let house = House::new();
    let site = house.site_with("harrow.example", |new| new.consent = halotrack::domain::consent::Mode::OptOut).await;
    house.connect(&site, "webhook", "live", &[("url", &system.url())]).await;
    let connected = house.connect(&site, "poshvip", "live", &[("secret", "posh-7"), ("currency", "USD")]).await;
    let bought = house.ago(0);
    let mut nets = Vec::new();
    for back in [json!(0), json!(10), json!(25), json!(25), json!(40.5), json!(25), json!(0)] {
        house.advance_s(HOUR_S);
        let body = json!({
            "type": "order_updated", "account_email": "p@mail.example", "event_id": "e1", "order_number": "1", "event_name": "Amber night",
            "total": 100, "partialRefund": back, "date_purchased": bought, "update_date": house.ago(0), "cancelled": false, "refunded": false,
            "items": []
        });
        house.post(&connected.hook).header("posh-secret", "posh-7").json(&body).send().await.is(200);
        house.work().await;
        nets.push(house.list(&site, "conversions").await[0]["net"]["minor"].as_i64().unwrap_or(-1));
    }
    assert_eq!(nets, [10_000, 9_000, 7_500, 7_500, 5_950, 7_500, 10_000]);
    let told = lines.lock().expect("the lines").clone();
    assert_eq!(told.iter().take(4).copied().collect::<Vec<_>>(), [10_000, -1_000, -1_500, -1_550], "each bit once: {told:?}");
}
