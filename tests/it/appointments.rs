//! Appointments of an installation of Easy!Appointments on loopback, as they stand from day to day: one that comes back is booked
//! again, a status that is put right takes back what was told, and single bookings are counted beside people.

use std::sync::{Arc, Mutex};

use halotrack::domain::rights::Scope;
use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer as Says, Seen, StandIn};
use crate::story::Connected;

const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3_600;
const ANN: &str = "ann.lee@mail.example";

/// What the installation holds.
#[derive(Default)]
struct Inside {
    rows: Vec<Value>,
    /// Refused as one that was asked too often.
    is_busy: bool,
    asked: usize,
}

struct Easy {
    inside: Arc<Mutex<Inside>>,
    house: House,
    site: SiteAt,
    connected: Connected,
}

impl Easy {
    async fn open() -> Self {
        let inside: Arc<Mutex<Inside>> = Arc::default();
        let shared = inside.clone();
        let stand_in = StandIn::start(move |seen, _| answer(&mut shared.lock().expect("the installation"), seen)).await;
        let house = House::new();
        let site = house.site("harrow.example").await;
        let connected = house.connect(&site, "easyappointments", "", &[("url", &stand_in.url()), ("token", "t")]).await;
        Self { inside, house, site, connected }
    }

    fn set(&self, id: u64, starts_in_s: i64, status: &str) {
        let wall = |ago: i64| self.house.ago(ago).replace('T', " ").replace('Z', "");
        let (start, end) = (wall(-starts_in_s), wall(-starts_in_s - HOUR_S));
        let mut inside = self.inside.lock().expect("the installation");
        if let Some(row) = inside.rows.iter_mut().find(|row| row["id"] == id) {
            row["status"] = json!(status);
            return;
        }
        let book = wall(60);
        inside.rows.push(json!({"id": id, "book": book, "start": start, "end": end, "status": status, "providerId": 2, "customerId": 7,
            "customer": {"id": "7", "email": ANN, "first_name": "Ann"}, "service": {"name": "Fitting"}}));
    }

    fn take_away(&self, id: u64) -> Value {
        let mut inside = self.inside.lock().expect("the installation");
        let place = inside.rows.iter().position(|row| row["id"] == id).expect("it is there");
        inside.rows.remove(place)
    }

    fn put_back(&self, row: Value) {
        self.inside.lock().expect("the installation").rows.push(row);
    }

    /// A day goes by, and the list is read.
    async fn day(&self) {
        self.house.advance_s(DAY_S);
        puller::drain(&self.house.app).await.expect("what is due is read");
    }

    async fn report(&self, path: &str) -> Value {
        let token = self.house.token(self.site.id, &[Scope::Read]).await;
        self.house.get(&format!("/api/sites/{}/reports/{path}", self.site.slug)).token(&token).send().await.is(200).json
    }

    /// What became of people, and of bookings, in the words of the report.
    async fn outcome(&self) -> (Value, Value) {
        let total = self.report("show_up?from=2026-06-01&to=2026-07-31").await["total"].clone();
        let of = |all: &Value| {
            let words = ["came", "no_show", "not_told", "cancelled", "open"];
            words
                .into_iter()
                .filter(|word| all[*word].as_u64().is_some_and(|n| n > 0))
                .map(|word| json!([word, all[word]]))
                .collect::<Vec<_>>()
        };
        (json!(of(&total)), json!(of(&total["bookings"])))
    }

    fn steps(&self) -> Vec<String> {
        let rows = self.house.sql(&self.site, "select event_type from funnel_events order by id");
        rows.iter().map(|row| row["event_type"].as_str().unwrap_or_default().trim_start_matches("appointment_").to_owned()).collect()
    }
}

fn answer(inside: &mut Inside, seen: &Seen) -> Says {
    let path = seen.target.split('?').next().unwrap_or_default().trim_start_matches("/index.php/api/v1/");
    inside.asked += 1;
    match path {
        _ if inside.is_busy => Says::text(429, ""),
        "settings/default_timezone" => Says::json(200, json!({"name": "default_timezone", "value": "UTC"})),
        "providers" => Says::json(200, json!([{"id": 2, "timezone": "UTC"}])),
        "providers/2" => Says::json(200, json!({"id": 2, "timezone": "UTC"})),
        "customers/7" => Says::json(200, json!({"id": 7, "email": ANN})),
        "webhooks" if seen.method == "GET" => Says::json(200, json!([])),
        "webhooks" => Says::json(201, json!({"id": 3})),
        "appointments" => Says::json(200, json!(inside.rows)),
        other => {
            let id = other.trim_start_matches("appointments/");
            let row = inside.rows.iter().find(|row| row["id"].as_u64().map(|n| n.to_string()).as_deref() == Some(id));
            row.map_or_else(|| Says::text(404, ""), |row| Says::json(200, row.clone()))
        }
    }
}

#[tokio::test]
async fn an_appointment_that_comes_back_is_booked_again() {
    let easy = Easy::open().await;
    easy.set(12, 20 * DAY_S, "Booked");
    easy.day().await;
    assert_eq!(easy.outcome().await, (json!([["open", 1]]), json!([["open", 1]])));
    // It is taken out of the list, and comes back into it; or its status says so.
    for round in 0..2 {
        let row = easy.take_away(12);
        easy.day().await;
        assert_eq!(easy.outcome().await, (json!([["cancelled", 1]]), json!([["cancelled", 1]])), "round {round}");
        assert_eq!(easy.steps(), ["booked", "cancelled"]);
        easy.put_back(row);
        easy.day().await;
        assert_eq!(easy.outcome().await, (json!([["open", 1]]), json!([["open", 1]])), "round {round}: it is booked");
        assert_eq!(easy.steps(), ["booked"], "what is not so any more is in no list");
        easy.set(12, 0, "Cancelled");
        easy.day().await;
        assert_eq!(easy.outcome().await.0, json!([["cancelled", 1]]), "round {round}");
        easy.set(12, 0, "Booked");
        easy.day().await;
        assert_eq!(easy.outcome().await.0, json!([["open", 1]]), "round {round}");
    }
    // Told at once by a call: gone, and there again.
    let row = easy.take_away(12);
    for (action, kept) in [("appointment_delete", false), ("appointment_save", true)] {
        if kept {
            easy.put_back(row.clone());
        }
        let body = json!({"action": action, "payload": {"id": 12, "id_users_customer": 7}}).to_string();
        easy.house.post(&easy.connected.hook).header("x-ea-token", &secret_of(&easy)).body(body).send().await.is(200);
        puller::drain(&easy.house.app).await.expect("what was named is read");
        let want = if kept { json!([["open", 1]]) } else { json!([["cancelled", 1]]) };
        assert_eq!(easy.outcome().await.0, want, "{action}");
    }
}

/// The secret that was made for its calls.
fn secret_of(easy: &Easy) -> String {
    let id = easy.connected.id.parse().expect("an id");
    let book = easy.house.app.book();
    let connection = book.connection(id).expect("the connection");
    connection.secrets.first("secret").expect("one was made").reveal().to_owned()
}

#[tokio::test]
async fn a_status_that_is_put_right_takes_back_what_was_told() {
    let easy = Easy::open().await;
    easy.set(12, HOUR_S, "Booked");
    easy.day().await;
    easy.day().await;
    assert_eq!(easy.outcome().await.0, json!([["came", 1]]), "nobody said otherwise: it was kept");
    easy.set(12, 0, "No-show");
    easy.day().await;
    assert_eq!(easy.outcome().await, (json!([["no_show", 1]]), json!([["no_show", 1]])), "said two days later");
    easy.set(12, 0, "Booked");
    easy.day().await;
    assert_eq!(easy.outcome().await.0, json!([["came", 1]]), "that was the wrong one");
    assert_eq!(easy.steps(), ["booked", "completed"]);
}

#[tokio::test]
async fn three_bookings_of_which_one_was_kept_are_one_of_three() {
    let easy = Easy::open().await;
    let spend = json!({"day": "2026-06-14", "source": "google", "medium": "cpc", "campaign": "spring", "amount": "30.00"});
    easy.house.post(&format!("/api/sites/{}/spend", easy.site.slug)).token(&easy.site.token).json(&spend).send().await.is(201);
    for (id, status) in [(1, "No-show"), (2, "Booked"), (3, "No-show")] {
        easy.set(id, id as i64 * HOUR_S, status);
    }
    easy.day().await;
    easy.day().await;
    let report = easy.report("show_up?from=2026-06-01&to=2026-07-31").await;
    let total = &report["total"];
    let people = (&total["booked"], &total["came"], &total["no_show"], &total["no_show_rate"]);
    assert_eq!(people, (&json!(1), &json!(1), &json!(0), &json!(0.0)), "the person came: {total:#}");
    let b = &total["bookings"];
    let bookings = (&b["made"], &b["came"], &b["no_show"], &b["settled"], b["no_show_rate"].as_f64().map(|r| (r * 100.0).round()));
    assert_eq!(bookings, (&json!(3), &json!(1), &json!(2), &json!(3), Some(67.0)), "{total:#}");
    assert_eq!((&total["cost_per_booking"]["minor"], &total["cost_per_attended"]["minor"]), (&json!(1_000), &json!(3_000)), "{total:#}");
    let token = easy.house.token(easy.site.id, &[Scope::Read, Scope::Export]).await;
    let path = format!("/api/sites/{}/reports/show_up.csv?from=2026-06-01&to=2026-07-31", easy.site.slug);
    let csv = easy.house.get(&path).token(&token).send().await.is(200).text;
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let cell = |name: &str| lines[0].iter().position(|head| *head == name).map(|at| lines[1][at]);
    assert_eq!((cell("bookings"), cell("bookings_missed"), cell("cost_per_attended")), (Some("3"), Some("2"), Some("30.00")), "{csv}");
    // What was spent in another currency stands in lines of its own, without the counts.
    let spend = json!({"day": "2026-06-14", "source": "google", "medium": "cpc", "campaign": "spring", "amount": "9", "currency": "CHF"});
    easy.house.post(&format!("/api/sites/{}/spend", easy.site.slug)).token(&easy.site.token).json(&spend).send().await.is(201);
    let csv = easy.house.get(&path).token(&token).send().await.is(200).text;
    let francs: Vec<Vec<&str>> = csv.lines().map(|l| l.split(',').collect::<Vec<_>>()).filter(|l| l.last() == Some(&"CHF")).collect();
    let of = |name: &str| lines[0].iter().position(|head| *head == name).map(|at| francs.iter().map(|l| l[at]).collect::<Vec<_>>());
    assert_eq!((of("spend"), of("bookings")), (Some(vec!["9.00", "9.00"]), Some(vec!["", ""])), "{csv}");
}

/// The owner's own server tells of an appointment that is read from its system as well, one of two at the same time.
#[tokio::test]
async fn an_appointment_told_by_two_doors_is_one_booking() {
    for is_server_first in [true, false] {
        let easy = Easy::open().await;
        for id in [12, 13] {
            easy.set(id, 20 * DAY_S, "Booked");
        }
        let event = json!({"source_type": "easyappointments", "event_type": "appointment_booked", "external_id": "12", "email": ANN,
            "event_timestamp": easy.house.ago(30), "event_data": {"starts_at": easy.house.ago(-20 * DAY_S)}});
        for is_server in [is_server_first, !is_server_first] {
            if is_server {
                easy.house.post("/funnel/event").token(&easy.site.token).json(&event).send().await.is(200);
            } else {
                easy.day().await;
            }
        }
        assert_eq!(easy.steps().len(), 3, "each says what it knows");
        assert_eq!(easy.outcome().await.1, json!([["open", 2]]), "{is_server_first}");
    }
}

#[tokio::test]
async fn what_was_missed_is_called_what_it_is() {
    let easy = Easy::open().await;
    easy.day().await;
    // Its hook is gone: it is put back, and the list is read at once.
    for n in 0..2 {
        easy.set(20 + n, 9 * DAY_S, "Booked");
    }
    easy.day().await;
    let card = easy.house.list(&easy.site, "connections").await[0].clone();
    let told = card["happenings"].to_string();
    assert!(
        told.contains("2 appointments that came meanwhile were fetched.") || told.contains("No appointment had been missed."),
        "{card:#}"
    );
    assert!(!told.contains("order"), "{card:#}");
}

#[tokio::test]
async fn a_run_that_waits_for_its_platform_is_under_way() {
    let easy = Easy::open().await;
    easy.set(1, 9 * DAY_S, "Booked");
    puller::drain(&easy.house.app).await.expect("what is due is read");
    easy.inside.lock().expect("the installation").is_busy = true;
    easy.day().await;
    let (site, token) = (&easy.site, easy.house.token(easy.site.id, &[Scope::Sync]).await);
    let refused = easy.house.post("/sync/easyappointments").token(&token).send().await.is(409);
    let run = easy.house.list(site, "runs").await[0].clone();
    assert_eq!(run["status"], "running", "{run:#}");
    assert!(refused.json["detail"].as_str().is_some_and(|d| d.contains(run["run"].as_str().unwrap_or("?"))), "{}", refused.text);
    // Of all sources it is one that goes on, and the whole is not called completed.
    let all = easy.house.post("/sync/all").token(&token).send().await.is(202).json;
    assert_eq!((&all["status"], &all["sources_synced"]), (&json!("running"), &json!(0)), "{all:#}");
    assert!(all["results"][0]["error"].as_str().is_some_and(|e| e.contains("being read already")), "{all:#}");
    // Free again, it goes on to its end, and the next one may begin.
    easy.inside.lock().expect("the installation").is_busy = false;
    easy.house.advance_s(121);
    puller::drain(&easy.house.app).await.expect("it goes on");
    let read = easy.house.post("/sync/easyappointments").token(&token).send().await.is(200).json;
    assert_eq!(read["status"], "success", "{read:#}");
    let all = easy.house.post("/sync/all").token(&token).send().await.is(200).json;
    assert_eq!(
        (&all["status"], &all["sources_synced"], &all["results"][0]["status"]),
        (&json!("completed"), &json!(1), &json!("success")),
        "{all:#}"
    );
}
