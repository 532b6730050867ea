//! The funnel's figures against the same worked out slowly from the rows, over people and days by chance.

use std::collections::{BTreeMap, BTreeSet};

use halotrack::domain::milestone::{KINDS, SOURCES};
use halotrack::domain::rights::Scope;
use halotrack::domain::time::Time;
use serde_json::{Value, json};

use crate::funnel::DAY;
use crate::house::{House, SiteAt};

impl House {
    pub(super) async fn metrics(&self, site: &SiteAt, query: &str) -> Value {
        // A token may ask ten times a second, and time stands still here.
        let token = self.token(site.id, &[Scope::Read]).await;
        self.get(&format!("/analytics/funnel-metrics?{query}")).token(&token).send().await.is(200).json
    }
}

/// Numbers by chance, the same at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn near(got: &Value, want: f64) -> bool {
    got.as_f64().is_some_and(|got| (got - want).abs() < 1e-9)
}

fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    let n = all.len();
    if n == 0 {
        return None;
    }
    Some((all[(n - 1) / 2] + all[n / 2]) / 2.0)
}

struct Row {
    at: i64,
    number: i64,
    person: String,
    source: String,
    kind: String,
}

/// Everything again from what `halotrack sql` shows, one list after the other.
fn worked_out(house: &House, site: &SiteAt, only: Option<&str>, from: i64, to: i64) -> Value {
    let second = |v: &Value| v.as_str().and_then(Time::parse).map_or(0, Time::s);
    let ever: Vec<Row> = house
        .sql(site, "select * from funnel_events where contact_id is not null")
        .iter()
        .map(|r| Row {
            at: second(&r["event_timestamp"]),
            number: r["id"].as_str().and_then(|id| id.rsplit('_').next()?.parse().ok()).unwrap_or(0),
            person: r["contact_id"].as_str().unwrap_or_default().to_owned(),
            source: r["source_type"].as_str().unwrap_or_default().to_owned(),
            kind: r["event_type"].as_str().unwrap_or_default().to_owned(),
        })
        .filter(|r| r.at < to && only.is_none_or(|s| s == r.source))
        .collect();
    let rows: Vec<&Row> = ever.iter().filter(|r| r.at >= from).collect();
    let first_step = |person: &str, source: Option<&str>| {
        ever.iter().filter(|r| r.person == person && source.is_none_or(|s| s == r.source)).map(|r| r.at).min().unwrap_or(i64::MAX)
    };
    let emails: BTreeMap<String, String> = house
        .sql(site, "select id, email from contacts")
        .iter()
        .map(|r| (r["email"].as_str().unwrap_or_default().to_owned(), r["id"].as_str().unwrap_or_default().to_owned()))
        .collect();
    let mut enrolled: BTreeMap<String, Vec<(i64, Option<f64>)>> = BTreeMap::new();
    for r in house.sql(site, "select email, converted_at, days_to_conversion from funnel_conversions order by converted_at") {
        let at = second(&r["converted_at"]);
        if let Some(person) = emails.get(r["email"].as_str().unwrap_or_default()).filter(|_| at >= from && at < to) {
            enrolled.entry(person.clone()).or_default().push((at, r["days_to_conversion"].as_f64()));
        }
    }
    let people = |rows: &[&Row]| -> BTreeSet<String> { rows.iter().map(|r| r.person.clone()).collect() };
    // The first sign-up that came after somebody's first step.
    let won_by = |person: &String, source: Option<&str>| {
        enrolled.get(person)?.iter().find(|(at, _)| *at >= first_step(person, source)).map(|(_, days)| *days)
    };
    let everybody = people(&rows);
    let ratio = |a: usize, b: usize| if b == 0 { 0.0 } else { a as f64 / b as f64 };
    let sources: Vec<Value> = SOURCES
        .into_iter()
        .filter(|s| only.is_none_or(|o| o == *s))
        .map(|source| {
            let who = people(&rows.iter().copied().filter(|r| r.source == source).collect::<Vec<_>>());
            let won: Vec<Option<f64>> = who.iter().filter_map(|p| won_by(p, Some(source))).collect();
            let days = won.iter().copied().flatten().collect();
            let mut revenue = 0.0;
            for person in &who {
                let since = rows.iter().filter(|r| r.source == source && r.person == *person).map(|r| r.at).min().unwrap_or(i64::MAX);
                for o in house.sql(site, "select email, created_at, net_amount from orders where currency = 'USD'") {
                    let at = second(&o["created_at"]);
                    if emails.get(o["email"].as_str().unwrap_or_default()) == Some(person) && at >= since && at < to {
                        revenue += o["net_amount"].as_f64().unwrap_or(0.0);
                    }
                }
            }
            json!({"source_type": source, "leads": who.len(), "conversions": won.len(), "rate": ratio(won.len(), who.len()),
                "median_days": median(days), "revenue": (revenue * 100.0).round() / 100.0})
        })
        .collect();
    let mut steps: Vec<Value> = Vec::new();
    for (place, kind) in KINDS.into_iter().enumerate() {
        let taken: Vec<&Row> = rows.iter().copied().filter(|r| r.kind == kind).collect();
        let who = people(&taken);
        let mut gaps = Vec::new();
        let before = place.checked_sub(1).map(|p| KINDS[p]);
        for person in &who {
            let first = rows.iter().filter(|r| Some(r.kind.as_str()) == before && r.person == *person).map(|r| (r.at, r.number)).min();
            let Some(first) = first else { continue };
            if let Some(next) = taken.iter().filter(|r| r.person == *person).map(|r| (r.at, r.number)).filter(|at| *at > first).min() {
                gaps.push((next.0 - first.0) as f64);
            }
        }
        let previous = steps.last().and_then(|s| s["people"].as_u64()).filter(|n| *n > 0);
        steps.push(json!({"event_type": kind, "people": who.len(), "rate_from_previous": previous.map(|n| ratio(who.len(), n as usize)),
            "median_seconds": median(gaps)}));
    }
    let won = everybody.iter().filter(|p| won_by(p, None).is_some()).count();
    json!({"total_leads": everybody.len(), "total_conversions": won, "conversion_rate": ratio(won, everybody.len()), "sources": sources,
        "steps": steps})
}

/// The same but for how numbers are written.
fn is_same(got: &Value, want: &Value) -> bool {
    match (got, want) {
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| is_same(v, w))),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(v, w)| is_same(v, w)),
        (Value::Number(_), Value::Number(b)) => near(got, b.as_f64().unwrap_or(f64::NAN)),
        _ => got == want,
    }
}

fn day(house: &House, days_ago: i64) -> (String, i64) {
    let text = house.ago(days_ago * DAY)[..10].to_owned();
    let start = Time::parse(&text).map_or(0, Time::s);
    (text, start)
}

#[tokio::test]
async fn the_figures_are_those_of_the_rows() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let mut dice = Dice(17);
    let person = |n: u64| format!("p{n}@mail.example");
    let spans = [(40, 0), (25, 10), (3, 3)];
    for round in 0..4 {
        for _ in 0..60 {
            let kind = KINDS[dice.below(KINDS.len() as u64) as usize];
            let source = SOURCES[dice.below(3) as usize];
            let at = house.ago((dice.below(50 * 24) as i64) * 3_600 + dice.below(3) as i64);
            let mut step = json!({"event_timestamp": at, "email": person(dice.below(14))});
            match dice.below(6) {
                // The same person by phone alone, and somebody who is nobody.
                0 => step = json!({"event_timestamp": at, "phone": format!("+9715012345{:02}", dice.below(14))}),
                1 => step = json!({"event_timestamp": at, "first_name": format!("n{}", dice.below(9))}),
                _ => {}
            }
            house.step(&site, source, kind, step).await.is(200);
        }
        for n in 0..4 {
            let told = json!({"email": person(dice.below(16)), "user_id": format!("u-{round}-{n}"),
                "converted_at": house.ago((dice.below(40) as i64) * DAY)});
            house.enrol(&site, told).await.is(200);
            let order = json!({"order_id": format!("{round}-{n}"), "total": format!("{}.50", dice.below(90)), "currency": "USD",
                "email": person(dice.below(14)), "status": "paid", "created_at": house.ago((dice.below(45) as i64) * DAY)});
            house.order(&site, order).await.is(200);
        }
        // Between two rounds some people turn out to be one: by a phone and an address that are told together.
        let n = dice.below(14);
        let both = json!({"email": person(n), "phone": format!("+9715012345{n:02}"), "event_timestamp": house.ago(DAY)});
        house.step(&site, "manual", "activation", both).await.is(200);
        for (first, last) in spans {
            let (from, start) = day(&house, first);
            let (to, end) = day(&house, last);
            for only in [None, Some("easyappointments"), Some("zoom"), Some("direct_signup")] {
                let filter = only.map(|s| format!("&source_type={s}")).unwrap_or_default();
                let got = house.metrics(&site, &format!("start_date={from}&end_date={to}{filter}")).await;
                let want = worked_out(&house, &site, only, start, end + DAY);
                assert!(is_same(&got, &want), "round {round}, {from} to {to} {filter}\n got {got:#}\nwant {want:#}");
            }
        }
    }
    let (from, start) = day(&house, 40);
    let whole = worked_out(&house, &site, None, start, i64::MAX);
    assert!(whole["total_leads"].as_u64() > Some(10) && whole["total_conversions"].as_u64() > Some(3), "{whole}");
    assert!(whole["sources"][0]["revenue"].as_f64() > Some(0.0), "{whole}");
    // The same after a start.
    let again = house.again();
    assert!(is_same(
        &again.metrics(&site, &format!("start_date={from}")).await,
        &house.metrics(&site, &format!("start_date={from}")).await
    ));
}

#[tokio::test]
async fn an_empty_funnel_divides_by_nothing_and_bad_questions_are_named() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let empty = house.metrics(&site, "").await;
    assert_eq!((&empty["total_leads"], &empty["conversion_rate"]), (&json!(0), &json!(0.0)));
    assert_eq!((empty["sources"].as_array().map(Vec::len), empty["steps"].as_array().map(Vec::len)), (Some(7), Some(14)));
    house.step(&other, "manual", "activation", json!({"email": "bo@mail.example"})).await.is(200);
    assert_eq!(house.metrics(&site, "").await, empty, "another site's people are its own");
    // Somebody who signed up and took no step is nobody's lead.
    house.enrol(&site, json!({"email": "bo@mail.example", "user_id": "1"})).await.is(200);
    assert_eq!(house.metrics(&site, "").await, empty);
    house.step(&site, "manual", "activation", json!({"email": "cy@mail.example", "event_timestamp": house.ago(45 * DAY)})).await.is(200);
    assert_eq!(house.metrics(&site, "").await["total_leads"], json!(0));
    let (from, _) = day(&house, 60);
    assert_eq!(house.metrics(&site, &format!("start_date={from}")).await["total_leads"], json!(1));
    for (query, status, word) in [
        ("start_date=2026-13-40", 400, "start_date"),
        ("start_date=2026-06-10&end_date=2026-06-01", 400, "start_date"),
        ("start_date=1980-01-01", 400, "start_date"),
        ("end_date=soon", 400, "end_date"),
        ("source_type=facebook", 422, "direct_signup"),
    ] {
        house.advance_s(4);
        let answer = house.get(&format!("/analytics/funnel-metrics?{query}")).token(&site.token).send().await.is(status);
        assert!(answer.json["detail"].as_str().is_some_and(|d| d.contains(word)), "{query}: {}", answer.text);
    }
    house.get("/analytics/funnel-metrics").send().await.is(401);
    let writer = house.token(site.id, &[Scope::Write]).await;
    house.get("/analytics/funnel-metrics").token(&writer).send().await.is(403);
}
