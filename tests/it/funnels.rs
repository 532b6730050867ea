//! Funnels over all systems: one person's way from the advertisement to the refund as one line, who came and what that has
//! cost; funnels of the owner's own, who left at which step, and who may see it.

use halotrack::domain::rights::{Right, Scope};
use halotrack::domain::sight::{Segment, Sight};
use halotrack::store::users;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};

const DAY: i64 = 86_400;
const ANN: &str = "ann.lee@mail.example";
const DAYS: &str = "from=2026-06-01&to=2026-07-31";

impl House {
    async fn report(&self, site: &SiteAt, path: &str) -> Value {
        let token = self.token(site.id, &[Scope::Read]).await;
        self.get(&format!("/api/sites/{}/reports/{path}", site.slug)).token(&token).send().await.is(200).json
    }

    async fn step_of(&self, site: &SiteAt, source: &str, kind: &str, email: &str, more: Value) {
        let mut body = json!({"source_type": source, "event_type": kind, "email": email});
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        // A token may tell so many a second, and time stands still here.
        let token = self.token(site.id, &[Scope::Write]).await;
        self.post("/funnel/event").token(&token).json(&body).send().await.is(200);
    }

    async fn funnel(&self, site: &SiteAt, plan: Value) -> String {
        let made = self.post(&format!("/api/sites/{}/funnels", site.slug)).token(&site.token).json(&plan).send().await.is(201).json;
        made["funnel"].as_str().expect("an id").to_owned()
    }
}

fn people(report: &Value) -> Vec<u64> {
    report["steps"].as_array().expect("steps").iter().map(|s| s["people"].as_u64().expect("a number")).collect()
}

fn usd(minor: i64) -> Value {
    json!({"minor": minor, "currency": "USD"})
}

/// Comes by an advertisement, asks, registers, moves it, attends a webinar, buys, and sends it back.
async fn whole_way(house: &House, site: &SiteAt) {
    let session =
        house.visit(site, None, json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring", "gclid": "c-1"})).await;
    house.advance_s(120);
    house.lead(site, json!({"lead_id": "L-1", "email": ANN, "session_id": session, "created_at": house.ago(0)})).await.is(200);
    house.advance_s(3_600);
    let starts = house.ago(-2 * DAY);
    house
        .step_of(
            site,
            "zoom",
            "event_registered",
            ANN,
            json!({"external_id": "w:1", "event_data": {"starts_at": starts, "topic": "Webinar"}}),
        )
        .await;
    house.advance_s(DAY);
    let moved = house.ago(-2 * DAY);
    house.step_of(site, "easyappointments", "appointment_rescheduled", ANN, json!({"event_data": {"starts_at": moved}})).await;
    house.advance_s(2 * DAY);
    house
        .step_of(
            site,
            "zoom",
            "event_attended",
            ANN,
            json!({"external_id": "w:a", "event_data": {"topic": "Webinar", "answers": {"minutes": 42}}}),
        )
        .await;
    house.advance_s(DAY);
    let created = house.ago(0);
    let order = |status: &str, at: String| json!({"order_id": "1001", "total": "90.00", "currency": "USD", "email": ANN, "status": status, "created_at": created, "updated_at": at});
    house.order(site, order("paid", house.ago(0))).await.is(200);
    // Another one, which stays.
    house
        .order(
            site,
            json!({"order_id": "1002", "total": "30.00", "currency": "USD", "email": ANN, "status": "paid", "created_at": house.ago(0)}),
        )
        .await
        .is(200);
    house.advance_s(DAY);
    house.order(site, order("refunded", house.ago(0))).await.is(200);
}

#[tokio::test]
async fn one_person_over_all_systems_is_one_line() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let spend = json!({"day": "2026-06-13", "source": "google", "medium": "cpc", "campaign": "spring", "amount": "25.00"});
    house.post(&format!("/api/sites/{}/spend", site.slug)).token(&site.token).json(&spend).send().await.is(201);
    whole_way(&house, &site).await;
    // Somebody else booked by a tagged link and never came; nobody has said so, and the time has long passed.
    let more = json!({"utm_source": "newsletter", "utm_medium": "email", "event_data": {"starts_at": house.ago(3_600)}, "event_timestamp": house.ago(7_200)});
    house.step_of(&site, "easyappointments", "appointment_booked", "bo@mail.example", more).await;

    let report = house.report(&site, &format!("show_up?{DAYS}")).await;
    let total = &report["total"];
    for (name, want) in [
        ("booked", 2),
        ("asked", 1),
        ("moved", 1),
        ("came", 1),
        ("no_show", 0),
        ("not_told", 0),
        ("open", 1),
        ("bought", 1),
        ("came_and_bought", 1),
        ("refunded", 1),
    ] {
        assert_eq!(total[name], json!(want), "{name}: {report:#}");
    }
    assert_eq!((&total["net"], &total["net_per_attended"]), (&json!([usd(3_000)]), &usd(3_000)), "{report:#}");
    let google = &report["items"][0];
    assert_eq!((&google["name"], &google["booked"], &google["came"]), (&json!("google"), &json!(1), &json!(1)), "{report:#}");
    assert_eq!((&google["spend"], &google["cost_per_attended"]), (&json!([usd(2_500)]), &usd(2_500)));
    // Registered for, moved by another system, attended: one booking.
    assert_eq!((&google["bookings"]["made"], &google["bookings"]["came"], &total["bookings"]["made"]), (&json!(1), &json!(1), &json!(2)));
    assert_eq!((&report["items"][1]["name"], &report["items"][1]["cost_per_attended"]), (&json!("newsletter"), &Value::Null));
    assert_eq!(report["seconds"]["bought"]["median"], json!(DAY));

    // A day after its time, nobody having said anything, it is not told; once somebody says so, it is a no-show.
    house.advance_s(DAY);
    let total = house.report(&site, &format!("show_up?{DAYS}")).await["total"].clone();
    assert_eq!((&total["not_told"], &total["open"], &total["no_show_rate"]), (&json!(1), &json!(0), &json!(0.0)), "{total}");
    house.step_of(&site, "easyappointments", "appointment_no_show", "bo@mail.example", json!({})).await;
    let total = house.report(&site, &format!("show_up?{DAYS}")).await["total"].clone();
    assert_eq!((&total["not_told"], &total["no_show"], &total["no_show_rate"]), (&json!(0), &json!(1), &json!(0.5)), "{total}");

    let list = house.report(&site, &format!("show_up/people?{DAYS}&part=came")).await;
    let line = &list["items"][0];
    assert_eq!((&list["total"], &line["outcome"], &line["first"]["campaign"]), (&json!(1), &json!("came"), &json!("spring")), "{list:#}");
    let times: Vec<&str> =
        ["asked_at", "booked_at", "moved_at", "came_at", "bought_at", "refunded_at"].iter().filter_map(|n| line[*n].as_str()).collect();
    assert_eq!(times.len(), 6, "{line:#}");
    assert!(times.is_sorted(), "{line:#}");
    assert!(!line.to_string().contains(ANN), "masked");
    let contact = line["who"]["contact"].as_str().expect("a contact");
    let whole = house.report(&site, &format!("show_up/line/{contact}")).await;
    let all: Vec<(&str, &str)> = whole["items"]
        .as_array()
        .expect("what happened")
        .iter()
        .map(|h| (h["what"].as_str().expect("a word"), h["source"].as_str().unwrap_or_default()))
        .collect();
    let want = [
        ("visit", "google / cpc"),
        ("lead", "google"),
        ("event_registered", "zoom"),
        ("appointment_rescheduled", "easyappointments"),
        ("event_attended", "zoom"),
        ("sale", "google"),
        ("sale", "google"),
        ("refund", ""),
    ];
    assert_eq!(all, want, "{whole:#}");
    assert_eq!((&whole["items"][4]["minutes"], &whole["items"][4]["name"]), (&json!(42), &json!("Webinar")));
    let csv = house.get(&format!("/api/sites/{}/reports/show_up.csv?{DAYS}", site.slug)).token(&site.token).send().await.is(200);
    assert!(csv.text.starts_with("source,asked,booked,") && csv.text.contains("\ngoogle,1,1,1,1,"), "{}", csv.text);
}

#[tokio::test]
async fn a_funnel_of_ones_own_joins_all_systems_and_knows_who_left() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let plan = json!({"name": "Ad to attended", "steps": [{"kind": "page", "path": "/start*"}, {"kind": "lead"},
        {"kind": "milestone", "milestone": "event_attended", "source": "zoom"}, {"kind": "order"}, {"kind": "refund"}]});
    let funnel = house.funnel(&site, plan.clone()).await;
    let ask = async || house.report(&site, &format!("funnel?funnel={funnel}&{DAYS}")).await;
    assert_eq!(people(&ask().await), [0, 0, 0, 0, 0]);
    house.visit(&site, None, json!({"utm_source": "bing", "utm_medium": "cpc", "landing": "/start?x=1"})).await;
    let refused = house.visit(&site, None, json!({"landing": "/other"})).await;
    let whole = house.visit(&site, None, json!({"landing": "/start", "utm_source": "google", "utm_medium": "cpc"})).await;
    assert_eq!(people(&ask().await), [2, 0, 0, 0, 0]);
    house.advance_s(60);
    house.lead(&site, json!({"lead_id": "L-7", "email": "cy@mail.example", "session_id": whole, "created_at": house.ago(0)})).await.is(200);
    // A second browser of the same person, known by its lead: one person still.
    let second = house.visit(&site, None, json!({"landing": "/start/again"})).await;
    assert_eq!(people(&ask().await), [3, 1, 0, 0, 0]);
    house
        .lead(&site, json!({"lead_id": "L-8", "email": "cy@mail.example", "session_id": second, "created_at": house.ago(0)}))
        .await
        .is(200);
    house
        .lead(&site, json!({"lead_id": "L-9", "email": "di@mail.example", "session_id": refused, "created_at": house.ago(0)}))
        .await
        .is(200);
    assert_eq!(people(&ask().await), [2, 1, 0, 0, 0], "two browsers are one person, and who never saw the page is none");
    house.advance_s(60);
    whole_way(&house, &site).await;
    let report = ask().await;
    assert_eq!(people(&report), [2, 1, 0, 0, 0], "her visit began on another page: {report:#}");
    let name = json!({"name": "Ad to attended", "steps": [{"kind": "page", "path": "*"}, plan["steps"][1], plan["steps"][2], plan["steps"][3], plan["steps"][4]]});
    let path = format!("/api/sites/{}/funnels/{funnel}", site.slug);
    house.post(&path).token(&site.token).json(&name).send().await.is(200);
    let report = ask().await;
    assert_eq!(people(&report), [4, 3, 1, 1, 1], "{report:#}");
    assert_eq!((&report["steps"][2]["left"], &report["steps"][3]["seconds"]["median"]), (&json!(2), &json!(DAY)), "{report:#}");
    let google = report["items"].as_array().expect("groups").iter().find(|g| g["name"] == "google").expect("google");
    assert_eq!(google["people"], json!([2, 2, 1, 1, 1]), "{report:#}");

    // Who asked and did not attend: two pages of one each, masked; the browser that never asked is a visitor without a name.
    let list = house.report(&site, &format!("funnel/people?funnel={funnel}&{DAYS}&step=2&part=left&limit=1")).await;
    assert_eq!((&list["total"], list["items"].as_array().map(Vec::len)), (&json!(2), Some(1)), "{list:#}");
    let next = list["next"].as_str().expect("another page");
    let rest = house.report(&site, &format!("funnel/people?funnel={funnel}&{DAYS}&step=2&part=left&limit=1&cursor={next}")).await;
    assert_eq!((&rest["next"], &rest["items"][0]["kind"]), (&Value::Null, &json!("contact")), "{rest:#}");
    assert_ne!(list["items"][0]["who"], rest["items"][0]["who"]);
    assert!(!list.to_string().contains("cy@mail") && !rest.to_string().contains("di@mail"), "masked");
    let list = house.report(&site, &format!("funnel/people?funnel={funnel}&{DAYS}&step=1&part=left")).await;
    assert_eq!((&list["items"][0]["kind"], &list["items"][0]["first"]["source"]), (&json!("browser"), &json!("bing")), "{list:#}");
    let csv = house
        .get(&format!("/api/sites/{}/reports/funnel.csv?funnel={funnel}&{DAYS}&by=channel", site.slug))
        .token(&site.token)
        .send()
        .await
        .is(200);
    assert!(csv.text.starts_with("channel,place,step,people,") && csv.text.contains("\nPaid Search,"), "{}", csv.text);

    // Whoever is erased has no visits any more; what else they did is counted as one somebody's.
    let steps = json!({"name": "Asked to refund", "steps": [{"kind": "lead"}, {"kind": "milestone", "milestone": "event_attended"}, {"kind": "order"}, {"kind": "refund"}]});
    let other = house.funnel(&site, steps).await;
    let before = house.report(&site, &format!("funnel?funnel={other}&{DAYS}")).await;
    let show_up = house.report(&site, &format!("show_up?{DAYS}")).await;
    assert_eq!(people(&before), [3, 1, 1, 1], "{before:#}");
    house.post(&format!("/api/sites/{}/erasures", site.slug)).token(&site.token).json(&json!({"email": ANN})).send().await;
    assert_eq!(people(&house.report(&site, &format!("funnel?funnel={other}&{DAYS}")).await), [3, 1, 1, 1], "they still count");
    let after = house.report(&site, &format!("show_up?{DAYS}")).await;
    assert_eq!(after["total"], show_up["total"], "and so does the line");
    let list = house.report(&site, &format!("funnel/people?funnel={other}&{DAYS}&step=4")).await;
    assert_eq!((&list["items"][0]["kind"], &list["items"][0]["who"]["contact"]), (&json!("erased"), &Value::Null), "{list:#}");
    assert_eq!(people(&ask().await), [3, 2, 0, 0, 0], "her visits are nobody's");
}

#[tokio::test]
async fn a_funnel_is_named_changed_and_taken_away_by_editors() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let editor = house.login("ann@shop.example", Right::Edit, Some(shop.id)).await;
    let reader = house.login("ben@shop.example", Right::Read, Some(shop.id)).await;
    let path = format!("/api/sites/{}/funnels", shop.slug);
    let body = json!({"name": " Lead  to order ", "steps": [{"kind": "lead"}, {"kind": "order", "minimum": {"minor": 5000, "currency": "USD"}}],
        "order": "strict", "window_days": 14});
    let made = house.post(&path).cookie(&editor).json(&body).send().await.is(201).json;
    assert_eq!(
        (&made["name"], &made["order"], &made["window_days"], &made["steps"]),
        (&json!("Lead to order"), &json!("strict"), &json!(14), &body["steps"])
    );
    house.post(&path).cookie(&reader).json(&body).send().await.is(403);
    assert_eq!(house.post(&path).cookie(&editor).json(&body).send().await.is(409).code(), "funnel_exists");
    let one = format!("{path}/{}", made["funnel"].as_str().expect("an id"));
    let changed = house.post(&one).cookie(&editor).json(&json!({"name": "Orders"})).send().await.is(200).json;
    assert_eq!((&changed["name"], &changed["steps"]), (&json!("Orders"), &body["steps"]));
    house.delete(&one).cookie(&reader).send().await.is(403);
    house.delete(&one.replace("shop", "other")).token(&other.token).send().await.is(404);
    for (bad, field) in [
        (json!({"name": "x", "steps": [{"kind": "lead"}]}), "steps"),
        (json!({"name": "x", "steps": [{"kind": "lead"}, {"kind": "milestone", "milestone": "came"}]}), "steps"),
        (json!({"name": "", "steps": body["steps"]}), "name"),
        (json!({"name": "x", "steps": body["steps"], "window_days": 900}), "window_days"),
    ] {
        assert_eq!(house.post(&path).cookie(&editor).json(&bad).send().await.is(422).json["error"]["field"], field, "{bad}");
    }
    let all = house.get(&path).cookie(&reader).send().await.is(200).json;
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
    assert!(all["milestones"].as_array().is_some_and(|m| m.contains(&json!("appointment_no_show"))), "{all}");
    let report = format!("/api/sites/{}/reports/funnel", shop.slug);
    for (query, field) in [
        ("", "funnel"),
        ("funnel=x", "funnel"),
        ("funnel=funnel_1&by=landing", "by"),
        ("funnel=funnel_1&country=IE", "filter"),
        ("funnel=funnel_1&from=2026", "from"),
    ] {
        assert_eq!(house.get(&format!("{report}?{query}")).cookie(&reader).send().await.is(400).json["error"]["field"], field, "{query}");
    }
    house.get(&format!("{report}?funnel=funnel_99")).cookie(&reader).send().await.is(404);
    house.get(&format!("{report}/people?funnel=funnel_1&step=3")).cookie(&reader).send().await.is(400);
    house.delete(&one).cookie(&editor).send().await.is(204);
    house.get(&format!("{report}?funnel=funnel_1")).cookie(&reader).send().await.is(404);
    let audit = house.get(&format!("/api/sites/{}/audit", shop.slug)).cookie(&editor).send().await.is(200).json;
    let done: Vec<&str> =
        audit["items"].as_array().expect("rows").iter().filter_map(|a| a["what"].as_str()).filter(|w| w.starts_with("funnel")).collect();
    assert_eq!(done, ["funnel_removed", "funnel_changed", "funnel_added"]);
}

#[tokio::test]
async fn a_client_sees_the_people_of_the_part_without_names_and_money() {
    let house = House::new();
    let site = house.site("shop.example").await;
    whole_way(&house, &site).await;
    house
        .step_of(&site, "manual", "appointment_booked", "bo@mail.example", json!({"utm_source": "newsletter", "utm_medium": "email"}))
        .await;
    let funnel = house.funnel(&site, json!({"name": "Asked to order", "steps": [{"kind": "lead"}, {"kind": "order"}]})).await;
    let cleo = house.login("cleo@agency.example", Right::See, Some(site.id)).await;
    let segment = Segment::read(Some(&json!({"source": ["newsletter"]}))).expect("a segment");
    let sight = Sight { segment, hides_money: true, hides_people: true };
    let token = house.get("/api/me").cookie(&cleo).send().await.is(200).json;
    let user = token["user"]["id"].as_str().and_then(|id| id.parse().ok()).expect("a user");
    house.app.store.write(site.id, move |c| users::set_sight(c, user, &sight)).await.expect("a client");
    let get = async |path: &str| house.get(&format!("/api/sites/{}/reports/{path}", site.slug)).cookie(&cleo).send().await;
    let report = get(&format!("show_up?{DAYS}")).await.is(200).json;
    assert_eq!((&report["total"]["booked"], &report["items"][0]["name"]), (&json!(1), &json!("newsletter")), "{report:#}");
    assert!(!report.to_string().contains("minor"), "{report:#}");
    let list = get(&format!("show_up/people?{DAYS}")).await.is(200).json;
    assert_eq!((&list["total"], &list["items"][0]["who"]), (&json!(1), &json!({"display": null, "contact": null})), "{list:#}");
    let report = get(&format!("funnel?funnel={funnel}&{DAYS}")).await.is(200).json;
    assert_eq!(people(&report), [0, 0], "{report:#}");
    let wide = get(&format!("show_up?{DAYS}&source=google")).await.is(200).json;
    assert_eq!(wide["total"]["booked"], json!(0), "no parameter widens the part");
    assert_eq!(get("show_up/line/contact_1").await.status, 403);
    assert_eq!(get(&format!("show_up.csv?{DAYS}")).await.status, 403);
}
