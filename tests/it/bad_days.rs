//! A platform's bad day, while its lists are read: it throttles, fails, hangs up, lets tokens and marks die, and changes what it
//! lists. In the end every record is there exactly once.

use std::sync::{Arc, Mutex};

use halotrack::domain::ids::ConnectionId;
use halotrack::jobs::puller;
use halotrack::store::sync_runs;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer as Says, Seen, StandIn};

const DAY_S: i64 = 86_400;
/// Longer than a mark lives.
const LONG_S: i64 = 20 * 60;
const MARK_S: i64 = 15 * 60;
const PAGE: usize = 2;

/// What the platform holds, and how it answers.
struct Platform {
    inside: Arc<Mutex<Value>>,
    house: House,
}

impl Platform {
    /// Each answer is the `rows` of a list, by its path, in pages of two; `answer` says what else there is.
    async fn open(keys: &'static str, answer: fn(&mut Value, &Seen) -> Says) -> Self {
        let inside = Arc::new(Mutex::new(json!({"asked": 0, "faults": 0, "now": 0})));
        let shared = inside.clone();
        let reply = move |seen: &Seen, _: usize| {
            let mut inside = shared.lock().expect("no test panics while it holds the platform");
            fault(&mut inside, seen).unwrap_or_else(|| answer(&mut inside, seen))
        };
        let stand_in = StandIn::start(reply).await;
        let url = stand_in.url();
        inside.lock().expect("the platform")["url"] = json!(url);
        let house = House::with(move |config| {
            for key in keys.split(' ').filter(|key| !key.is_empty()) {
                config.base_urls.insert(key.into(), url.clone());
            }
        });
        Self { inside, house }
    }

    fn set(&self, key: &str, value: Value) {
        self.inside.lock().expect("the platform")[key] = value;
    }

    fn number(&self, key: &str) -> i64 {
        self.inside.lock().expect("the platform")[key].as_i64().unwrap_or_default()
    }

    /// Until one run more has come to its end; what `midway` changes, it changes under way.
    async fn read(&self, site: &SiteAt, id: ConnectionId, midway: impl Fn(&Self)) {
        let ended = async || {
            let last = self.house.app.store.read(site.id, move |c| sync_runs::find_last_ended(c, id)).await.expect("a run");
            last.filter(|run| run.status != "failed").map(|run| run.id)
        };
        let last = self.house.app.store.read(site.id, move |c| sync_runs::find_last(c, id)).await.expect("a run");
        let before = last.map(|run| run.id);
        for turn in 0..400 {
            self.set("now", json!(self.house.clock.now().s()));
            puller::drain(&self.house.app).await.expect("what is due is read");
            if ended().await.is_some_and(|run| Some(run) != before) {
                return;
            }
            if turn == 3 {
                midway(self);
            }
            self.house.advance_s(LONG_S);
        }
        let last = self.house.app.store.read(site.id, move |c| sync_runs::find_last(c, id)).await.expect("a run");
        panic!("no run came to its end: {last:#?}");
    }

    fn steps(&self, site: &SiteAt) -> Vec<String> {
        let rows = self.house.sql(site, "select event_type, email from funnel_events order by event_type, email");
        rows.iter().map(|r| format!("{} {}", r["event_type"].as_str().unwrap_or("-"), r["email"].as_str().unwrap_or("-"))).collect()
    }
}

/// Every list is asked for in vain now and then, until `faults` are used up.
fn fault(inside: &mut Value, seen: &Seen) -> Option<Says> {
    let asked = inside["asked"].as_i64().unwrap_or(0) + 1;
    inside["asked"] = json!(asked);
    let left = inside["faults"].as_i64().unwrap_or(0);
    if left == 0 || seen.method != "GET" {
        return None;
    }
    let says = match asked % 9 {
        2 => Says::json(429, json!({"code": 429, "message": "Slow down."})).with("retry-after", &LONG_S.to_string()),
        4 => Says::text(500, "oops"),
        6 => Says::Drop,
        8 if inside["given"].is_number() => Says::json(401, json!({"code": 124, "message": "Access token is expired."})),
        _ => return None,
    };
    inside["faults"] = json!(left - 1);
    Some(says)
}

/// A page of a list, and the mark of the next; `None` where the mark is past its time.
fn page(inside: &Value, rows: &Value, mark: Option<&str>) -> Option<(Vec<Value>, String)> {
    let now = inside["now"].as_i64().unwrap_or_default();
    let from = match mark {
        None => 0,
        Some(mark) => {
            let (place, born) = mark.split_once('-')?;
            if now - born.parse::<i64>().ok()? > MARK_S {
                return None;
            }
            place.parse().ok()?
        }
    };
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let to = rows.len().min(from + PAGE);
    let next = if to < rows.len() { format!("{to}-{now}") } else { String::new() };
    Some((rows.get(from..to).unwrap_or_default().to_vec(), next))
}

fn query(seen: &Seen, name: &str) -> Option<String> {
    let (_, query) = seen.target.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn path(seen: &Seen) -> &str {
    seen.target.split('?').next().unwrap_or_default()
}

fn people(kind: &str, count: i64) -> Vec<String> {
    (0..count).map(|n| format!("{kind} person{n}@mail.example")).collect()
}

// -------------------------------------------------------------------------------------------------- Zoom

fn zoom(inside: &mut Value, seen: &Seen) -> Says {
    if path(seen) == "/oauth/token" {
        inside["given"] = json!(inside["given"].as_i64().unwrap_or(0) + 1);
        return Says::json(200, json!({"access_token": format!("t{}", inside["given"]), "expires_in": 3_600}));
    }
    let is_past = query(seen, "type").as_deref() == Some("previous_meetings");
    let (name, rows) = match path(seen) {
        "/v2/users" => ("users", json!([{"id": "u1"}, {"id": "u2"}, {"id": "u3"}])),
        "/v2/users/u1/meetings" if is_past => ("meetings", inside["past"].clone()),
        "/v2/users/u2/meetings" | "/v2/users/u3/meetings" | "/v2/users/u1/meetings" => ("meetings", json!([])),
        path if path.ends_with("/registrants") && query(seen, "status").as_deref() == Some("approved") => {
            ("registrants", inside[path].clone())
        }
        path if path.ends_with("/registrants") => ("registrants", json!([])),
        path if path.ends_with("/participants") => ("participants", inside[path].clone()),
        _ => return Says::json(404, json!({"code": 3001, "message": "Meeting does not exist."})),
    };
    match page(inside, &rows, query(seen, "next_page_token").as_deref()) {
        Some((rows, next)) => Says::json(200, json!({"next_page_token": next, name: rows})),
        None => Says::json(400, json!({"code": 300, "message": "The next page token is invalid or expired."})),
    }
}

#[tokio::test]
async fn registrants_and_guests_of_zoom_are_each_there_once() {
    let platform = Platform::open("zoom zoom_oauth", zoom).await;
    let site = platform.house.site("harrow.example").await;
    let ago = |s: i64| platform.house.ago(s);
    let meeting =
        |n: i64| json!({"id": 80 + n, "uuid": format!("m{n}"), "topic": "Amber hour", "start_time": ago(20 * DAY_S), "duration": 40});
    platform.set("past", (0..5).map(meeting).collect());
    for n in 0..5 {
        // Five people for each meeting.
        let who = |k: i64| format!("person{}@mail.example", n * 5 + k);
        let registrant = |k: i64| json!({"id": format!("r{n}-{k}"), "email": who(k), "create_time": ago(22 * DAY_S)});
        let guest = |k: i64| json!({"name": "A guest", "registrant_id": format!("r{n}-{k}"), "user_email": who(k), "join_time": ago(20 * DAY_S), "duration": 1_200});
        platform.set(&format!("/v2/meetings/{}/registrants", 80 + n), (0..5).map(registrant).collect());
        platform.set(&format!("/v2/past_meetings/m{n}/participants"), (0..5).map(guest).collect());
    }
    let settings = [("account_id", "ACC"), ("client_id", "cid"), ("client_secret", "cs"), ("history_days", "60")];
    let connected = platform.house.connect(&site, "zoom", "live", &settings).await;
    platform.set("faults", json!(40));
    let id = connected.id.parse().expect("an id");
    platform.read(&site, id, |_| {}).await;
    assert_eq!(platform.number("faults"), 0, "all of it went wrong once");
    let want = {
        let mut all = [people("event_attended", 25), people("event_registered", 25)].concat();
        all.sort();
        all
    };
    assert_eq!(platform.steps(&site), want);
    // The same list once more.
    platform.house.advance_s(2 * DAY_S);
    platform.read(&site, id, |_| {}).await;
    assert_eq!(platform.steps(&site), want);
}

// -------------------------------------------------------------------------------------------------- Eventbrite

fn eventbrite(inside: &mut Value, seen: &Seen) -> Says {
    let (name, rows) = match path(seen) {
        "/v3/organizations/61/orders/" => ("orders", inside["orders"].clone()),
        "/v3/organizations/61/attendees/" => ("attendees", inside["attendees"].clone()),
        "/v3/organizations/61/webhooks/" => return Says::json(200, json!({"pagination": {"has_more_items": false}, "webhooks": []})),
        _ => return Says::json(404, json!({"status_code": 404, "error": "NOT_FOUND"})),
    };
    match page(inside, &rows, query(seen, "continuation").as_deref()) {
        Some((rows, next)) => {
            let more = !next.is_empty();
            Says::json(200, json!({"pagination": {"has_more_items": more, "continuation": next}, name: rows}))
        }
        None => Says::json(400, json!({"status_code": 400, "error": "BAD_CONTINUATION_TOKEN"})),
    }
}

#[tokio::test]
async fn tickets_of_eventbrite_are_each_there_once_though_the_list_grows_under_way() {
    let platform = Platform::open("eventbrite", eventbrite).await;
    let site = platform.house.site("harrow.example").await;
    let (placed, money) = (platform.house.ago(DAY_S), json!({"gross": {"currency": "USD", "value": 2_000, "major_value": "20.00"}}));
    let order = |n: i64| {
        json!({"id": format!("7{n:02}"), "event_id": "9", "status": "placed", "created": placed, "changed": placed,
            "email": format!("person{n}@mail.example"), "costs": money})
    };
    let attendee = |n: i64| {
        json!({"id": format!("{n}-1"), "order_id": format!("7{n:02}"), "event_id": "9", "created": placed, "changed": placed, "costs": money,
            "profile": {"email": format!("person{n}@mail.example")}, "checked_in": false, "refunded": false})
    };
    // The newest first, so that one more moves all others down.
    let list = |count: i64, row: &dyn Fn(i64) -> Value| -> Value { (0..count).rev().map(row).collect() };
    platform.set("orders", list(9, &order));
    platform.set("attendees", list(9, &attendee));
    let connected = platform.house.connect(&site, "eventbrite", "live", &[("token", "PRIVATE"), ("organization_id", "61")]).await;
    platform.set("faults", json!(16));
    let id = connected.id.parse().expect("an id");
    platform
        .read(&site, id, |platform| {
            platform.set("orders", list(10, &order));
            platform.set("attendees", list(10, &attendee));
        })
        .await;
    platform.house.advance_s(2 * DAY_S);
    platform.read(&site, id, |_| {}).await;
    assert_eq!(platform.number("faults"), 0, "all of it went wrong once");
    assert_eq!(platform.steps(&site), people("ticket_purchased", 10));
    let sales = platform.house.list(&site, "conversions").await;
    let net: i64 = sales.iter().filter_map(|s| s["net"]["minor"].as_i64()).sum();
    assert_eq!((sales.len(), net), (10, 20_000));
}

// -------------------------------------------------------------------------------------------------- Easy!Appointments

/// Pages of five hundred, by number, as its API has them.
fn easy(inside: &mut Value, seen: &Seen) -> Says {
    let rows = inside["appointments"].as_array().cloned().unwrap_or_default();
    match path(seen).trim_start_matches("/index.php/api/v1/") {
        "settings/default_timezone" => Says::json(200, json!({"name": "default_timezone", "value": "UTC"})),
        "providers" => Says::json(200, json!([{"id": 2, "timezone": "UTC"}])),
        "webhooks" => Says::json(200, json!([])),
        "appointments" => {
            let number: usize = query(seen, "page").and_then(|n| n.parse().ok()).unwrap_or(1);
            let length: usize = query(seen, "length").and_then(|n| n.parse().ok()).unwrap_or(20);
            let page: Vec<Value> = rows.into_iter().skip((number - 1) * length).take(length).collect();
            // One of the first page is taken away while the second is asked for.
            if (number, length) == (1, 500) && inside["takes_away"] == true {
                inside["takes_away"] = json!(false);
                inside["appointments"].as_array_mut().map(|rows| rows.remove(0));
            }
            Says::json(200, json!(page))
        }
        _ => Says::text(404, ""),
    }
}

#[tokio::test]
async fn an_appointment_that_moves_up_by_a_page_is_not_taken_for_gone() {
    let platform = Platform::open("", easy).await;
    let site = platform.house.site("harrow.example").await;
    let wall = |ago: i64| platform.house.ago(ago).replace('T', " ").replace('Z', "");
    let (book, start, end) = (wall(60), wall(-9 * DAY_S), wall(-9 * DAY_S - 1_800));
    let row = |n: i64| {
        json!({"id": n + 1, "book": book, "start": start, "end": end, "status": "Booked", "providerId": 2, "customerId": n + 1,
            "customer": {"id": (n + 1).to_string(), "email": format!("person{n}@mail.example")}})
    };
    platform.set("appointments", (0..501).map(row).collect());
    let url = platform.inside.lock().expect("the platform")["url"].as_str().expect("an address").to_owned();
    let connected = platform.house.connect(&site, "easyappointments", "live", &[("url", &url), ("token", "t")]).await;
    platform.set("faults", json!(6));
    let id = connected.id.parse().expect("an id");
    platform.read(&site, id, |_| {}).await;
    let booked = |steps: &[String]| steps.iter().filter(|s| s.starts_with("appointment_booked")).count();
    let gone = |steps: Vec<String>| steps.into_iter().filter(|s| s.starts_with("appointment_cancelled")).collect::<Vec<_>>();
    assert_eq!(booked(&platform.steps(&site)), 501);
    platform.house.advance_s(2 * DAY_S);
    platform.set("takes_away", json!(true));
    platform.read(&site, id, |_| {}).await;
    platform.house.advance_s(2 * DAY_S);
    platform.read(&site, id, |_| {}).await;
    let steps = platform.steps(&site);
    assert_eq!(booked(&steps), 501);
    assert_eq!(gone(steps), ["appointment_cancelled person0@mail.example"]);
}
