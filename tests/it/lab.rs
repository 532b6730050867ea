//! The attribution lab by its answers: who starts and who closes, what is left out, the estimate where there is enough for
//! one, the ways and the time they take, one day on one page; and that nothing depends on the order in which it was told.

use halotrack::domain::rights::Right;
use halotrack::domain::time::Time;
use halotrack::flows::cube;
use halotrack::store::FILE;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::ground::{self, Size};
use crate::house::{House, SiteAt};

async fn ask(house: &House, site: &SiteAt, path: &str) -> Value {
    house.advance_s(1);
    let answer = house.get(&format!("/api/sites/{}/reports/{path}", site.slug)).token(&site.token).send().await.is(200).json;
    house.advance_s(-1);
    answer
}

fn row<'v>(lab: &'v Value, name: &str) -> &'v Value {
    lab["items"].as_array().and_then(|rows| rows.iter().find(|r| r["name"] == name)).unwrap_or(&Value::Null)
}

fn net(minor: i64) -> Value {
    json!([{"minor": minor, "currency": "USD"}])
}

/// Instagram starts, the newsletter goes on, a direct visit is the last; a second order of nobody known.
async fn shop(house: &House) -> SiteAt {
    let site = house.site("shop.example").await;
    let id = house.history(&site, None, 9 * 24, json!({"utm_source": "instagram", "utm_medium": "social", "utm_campaign": "June"})).await;
    house.history(&site, Some(&id), 8 * 24, json!({"utm_source": "instagram", "utm_medium": "social", "utm_campaign": "Reel"})).await;
    house.history(&site, Some(&id), 2 * 24, json!({"utm_source": "newsletter", "utm_medium": "email"})).await;
    house.history(&site, Some(&id), 3, json!({})).await;
    let told =
        json!({"order_id": "1", "total": "100.01", "currency": "USD", "email": "ann@mail.example", "session_id": id, "status": "paid"});
    house.order(&site, told).await.is(200);
    let told = json!({"order_id": "2", "total": "9.00", "currency": "USD", "email": "bo@mail.example", "status": "paid"});
    house.order(&site, told).await.is(200);
    site
}

#[tokio::test]
async fn models_stand_side_by_side_with_one_total() {
    let house = House::new();
    let site = shop(&house).await;
    let lab = ask(&house, &site, "attribution?by=source").await;
    assert_eq!((&lab["total"]["conversions"], &lab["total"]["net"]), (&json!(2.0), &net(10_901)));
    let of = |name: &str, model: &str| {
        let e = &row(&lab, name)["models"][model];
        (e["conversions"].as_f64(), e["net"][0]["minor"].as_i64())
    };
    assert_eq!(of("instagram", "first"), (Some(1.0), Some(10_001)));
    assert_eq!(of("newsletter", "last_non_direct"), (Some(1.0), Some(10_001)));
    assert_eq!(of("direct", "last"), (Some(1.0), Some(10_001)));
    // Three visits that are not direct; two of them of instagram, the odd cent with the first.
    assert_eq!(of("instagram", "linear"), (Some(0.666_666_667), Some(6_668)));
    assert_eq!(of("newsletter", "linear"), (Some(0.333_333_333), Some(3_333)));
    assert_eq!(of("unattributed", "linear"), (Some(1.0), Some(900)));
    assert_eq!(
        (&row(&lab, "instagram")["assisted"]["conversions"], &row(&lab, "newsletter")["assisted"]["conversions"]),
        (&json!(1.0), &json!(0.0))
    );
    assert_eq!(row(&lab, "direct")["influenced"]["net"], net(10_001));
    assert_eq!(lab["items"].as_array().and_then(|i| i.last()).map(|r| &r["name"]), Some(&json!("unattributed")));
    assert_eq!((&row(&lab, "instagram")["is_few"], &row(&lab, "instagram")["range"][0].is_f64()), (&json!(true), &true));
    assert!(lab["disagreement"]["sentence"].as_str().is_some_and(|s| s.starts_with("Too few conversions")), "{lab}");

    // A window of a day sees the direct visit alone; one of a week no instagram.
    let day = ask(&house, &site, "attribution?by=source&window=1").await;
    assert_eq!((row(&day, "direct")["models"]["linear"]["conversions"].as_f64(), row(&day, "instagram")), (Some(1.0), &Value::Null));
    let week = ask(&house, &site, "attribution?by=channel&window=7&model=first").await;
    assert_eq!(row(&week, "Email")["models"]["first"]["conversions"], 1.0, "{week}");

    // Without direct its credit goes to the others; what has no other is left out and counted.
    let without = ask(&house, &site, "attribution?by=source&without=direct,unattributed").await;
    assert_eq!(row(&without, "newsletter")["models"]["last"]["net"], net(10_001));
    assert_eq!((&without["total"]["net"], &without["left_out"]["unattributed"]["net"]), (&net(10_001), &net(900)));
    let without = ask(&house, &site, "attribution?by=source&without=direct&window=1").await;
    assert_eq!((&without["left_out"]["direct"]["net"], &without["total"]["net"]), (&net(10_001), &net(900)));

    // What was there before is what asking for those days says.
    let compared = ask(
        &house,
        &site,
        "attribution?by=source&from=2026-06-14&to=2026-06-14&compare=custom&compare_from=2026-06-13&compare_to=2026-06-13",
    )
    .await;
    assert_eq!((&compared["total"]["conversions"], &compared["before"]["net"]), (&json!(0.0), &net(10_901)));
}

#[tokio::test]
async fn ways_and_their_time_are_told() {
    let house = House::new();
    let site = shop(&house).await;
    let paths = ask(&house, &site, "paths?by=source").await;
    let way = &paths["items"][0];
    let none = &paths["items"][1];
    let (first, second) = if way["path"].as_array().is_some_and(Vec::is_empty) { (none, way) } else { (way, none) };
    assert_eq!(first["path"], json!(["instagram", "newsletter", "direct"]), "{paths}");
    assert_eq!((&first["visits"], &first["days"], &first["net"]), (&json!(4.0), &json!(9.0), &net(10_001)));
    assert_eq!((&second["path"], &second["net"], &second["days"]), (&json!([]), &net(900), &Value::Null));
    assert_eq!(paths["total"]["conversions"], 2);

    let pace = ask(&house, &site, "time_to_convert").await;
    assert_eq!((&pace["known"], &pace["unknown"], &pace["median_days"]), (&json!(1), &json!(1), &json!(9.0)));
    let seen: Vec<(&Value, &Value)> = pace["windows"].as_array().expect("windows").iter().map(|w| (&w["whole"], &w["some"])).collect();
    assert_eq!(seen[..3], [(&json!(0), &json!(1)), (&json!(0), &json!(1)), (&json!(1), &json!(1))]);
    assert!(pace["advice"].as_str().is_some_and(|s| s.starts_with("Too few conversions to propose")), "{pace}");
    assert_eq!(pace["items"][9]["conversions"], 1);
}

#[tokio::test]
async fn who_starts_and_does_not_close_is_said_in_one_sentence() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for n in 0..40 {
        let source = if n < 32 { "instagram" } else { "newsletter" };
        let id = house.history(&site, None, 9 * 24, json!({"utm_source": source, "utm_medium": "social"})).await;
        house.history(&site, Some(&id), 20, json!({"utm_source": "newsletter", "utm_medium": "social"})).await;
        let email = format!("p{n}@mail.example");
        let told =
            json!({"order_id": format!("o{n}"), "total": "10.00", "currency": "USD", "email": email, "session_id": id, "status": "paid"});
        house.order(&site, told).await.is(200);
        house.advance_s(1);
    }
    let said = ask(&house, &site, "attribution?by=source").await["disagreement"].clone();
    assert_eq!(said["sentence"], "First touch gives Instagram 80 %, last non-direct 0 %: it starts, it does not close.");
    assert_eq!(
        (&said["name"], &said["most"]["share"], &said["least"]["model"]),
        (&json!("instagram"), &json!(0.8), &json!("last_non_direct"))
    );
    // Rows of which all conversions went the same way agree.
    let said = ask(&house, &site, "attribution?by=medium").await["disagreement"].clone();
    assert!(said["sentence"].as_str().is_some_and(|s| s.starts_with("The models agree")), "{said}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for (path, field) in [
        ("attribution?by=country", "by"),
        ("attribution?without=mail", "without"),
        ("attribution?estimate=4", "estimate"),
        ("paths?window=31", "window"),
        ("time_to_convert?from=2026-13-01", "from"),
        ("daily?date=2026-02-30", "date"),
    ] {
        let refused = house.get(&format!("/api/sites/{}/reports/{path}", site.slug)).token(&site.token).send().await.is(400);
        assert_eq!(refused.json["error"]["field"], field, "{path}");
        house.advance_s(1);
    }
    // Nothing yet is an answer too.
    let lab = ask(&house, &site, "attribution?estimate=1").await;
    assert_eq!((&lab["items"], &lab["estimate"]["is_shown"]), (&json!([]), &json!(false)));
    assert_eq!(ask(&house, &site, "time_to_convert").await["sentence"], "No conversion of these days has a known visit before it.");
}

/// Four visits told in every order, each with its own time: no figure is another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_in_which_visits_are_told_changes_nothing() {
    const VISITS: [(i64, &str, &str); 4] = [(200, "instagram", "social"), (150, "google", "cpc"), (40, "newsletter", "email"), (2, "", "")];
    let mut seen: Vec<(Vec<usize>, Value)> = Vec::new();
    for n in 0..24 {
        let mut left: Vec<usize> = (0..4).collect();
        let order: Vec<usize> = [(n / 6) % 4, (n / 2) % 3, n % 2, 0].into_iter().map(|place| left.remove(place)).collect();
        let house = House::new();
        let site = house.site("shop.example").await;
        let mut id: Option<String> = None;
        for place in &order {
            let (hours, source, medium) = VISITS[*place];
            let fields = if source.is_empty() { json!({}) } else { json!({"utm_source": source, "utm_medium": medium}) };
            id = Some(house.history(&site, id.as_deref(), hours, fields).await);
        }
        let told =
            json!({"order_id": "1", "total": "100.01", "currency": "USD", "email": "ann@mail.example", "session_id": id, "status": "paid"});
        house.order(&site, told).await.is(200);
        // After the sale: it never gets credit.
        house.advance_s(3_600);
        house.visit(&site, id.as_deref(), json!({"utm_source": "late", "utm_medium": "cpc"})).await;
        let mut figures = Vec::new();
        for path in ["attribution?by=source&window=unlimited", "attribution?by=channel", "paths?by=source", "time_to_convert"] {
            figures.push(ask(&house, &site, path).await);
            house.advance_s(4);
        }
        assert!(!json!(figures).to_string().contains("late"), "{figures:?}");
        seen.push((order, figures.into()));
    }
    assert!(seen[0].1.to_string().contains("instagram"));
    for (order, figures) in &seen[1..] {
        assert_eq!(*figures, seen[0].1, "{order:?}");
    }
}

/// Conversions with a visit in the thirty days before, and browsers of the days that are in none of their paths: from the rows.
fn journeys(house: &House, site: &SiteAt, from: &str, to: &str) -> (i64, i64) {
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let ms = |day: &str| Time::parse(day).expect("a day").ms();
    let seen = "select c.id, t.value ->> '$.session' as session from conversions c
        join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run, json_each(k.path) t
        where c.site_id = ?1 and c.counts = 1 and c.happened_at >= ?2 and c.happened_at < ?3
          and t.value ->> '$.kind' <> 'chat' and c.happened_at - (t.value ->> '$.at') <= 30 * 86400000";
    let one = |sql: &str| db.query_row(sql, params![site.id.number(), ms(from), ms(to)], |row| row.get(0)).expect("a number");
    let converted = one(&format!("select count(distinct id) from ({seen})"));
    let lost = one(&format!(
        "select count(distinct session_id) from touches where site_id = ?1 and at >= ?2 and at < ?3 and is_repeat = 0
           and session_id not in (select session from ({seen}))"
    ));
    (converted, lost)
}

#[tokio::test]
async fn the_estimate_is_shown_above_three_hundred_and_adds_up() {
    let house = House::new();
    let at = house.site("shop.example").await;
    let site = house.app.book().site(at.id).cloned().expect("the site");
    ground::fill(house.data(), &site, &Size { sessions: 2_000, conversions: 700, days: 40, seed: 5, until: house.clock.now() });
    cube::catch_up(&house.app).await.expect("counted");
    let days = "from=2026-05-04&to=2026-06-13";
    let (converted, lost) = journeys(&house, &at, "2026-05-04", "2026-06-14");
    assert!(converted > 300 && lost > 0);
    let mut shares = Vec::new();
    for order in 1..=3 {
        let lab = ask(&house, &at, &format!("attribution?{days}&by=channel&estimate={order}")).await;
        house.advance_s(4);
        assert_eq!((&lab["estimate"]["is_shown"], &lab["estimate"]["order"]), (&json!(true), &json!(order)), "{}", lab["estimate"]);
        assert!(lab["estimate"]["sentence"].as_str().is_some_and(|s| s.starts_with("An estimate")), "{}", lab["estimate"]);
        assert_eq!((lab["estimate"]["converted"].as_i64(), lab["estimate"]["not_converted"].as_i64()), (Some(converted), Some(lost)));
        let items = lab["items"].as_array().expect("items");
        let sum: f64 = items.iter().filter_map(|r| r["models"]["data_driven"]["conversions"].as_f64()).sum();
        assert!((sum - lab["total"]["conversions"].as_f64().expect("a total")).abs() < 1e-6, "{sum}");
        for total in lab["total"]["net"].as_array().expect("money") {
            let own = |r: &Value| {
                r["models"]["data_driven"]["net"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .find(|m| m["currency"] == total["currency"])
                    .and_then(|m| m["minor"].as_i64())
            };
            assert_eq!(items.iter().filter_map(own).sum::<i64>(), total["minor"].as_i64().expect("a sum"), "{total}");
        }
        assert!(lab["disagreement"]["sentence"].is_string());
        shares.push(items.iter().map(|r| r["models"]["data_driven"]["share"].clone()).collect::<Vec<_>>());
        // The same question again gives the same to the last digit.
        let again = ask(&house, &at, &format!("attribution?{days}&by=channel&estimate={order}")).await;
        assert_eq!(again, lab);
        house.advance_s(4);
    }
    assert_ne!(shares[0], shares[1], "what came before counts");
    let filtered = ask(&house, &at, &format!("attribution?{days}&estimate=1&device=mobile")).await;
    assert!(
        filtered["estimate"]["sentence"].as_str().is_some_and(|s| s.contains("needs more than 300") || s.contains("take the filters away"))
    );
    assert_eq!(filtered["items"][0]["models"]["data_driven"], Value::Null);
    let few = ask(&house, &at, "attribution?from=2026-06-12&to=2026-06-13&estimate=1").await;
    assert!(few["estimate"]["sentence"].as_str().is_some_and(|s| s.starts_with("The data-driven estimate needs more than 300")), "{few}");
}

#[tokio::test]
async fn files_say_what_the_screen_says() {
    let house = House::new();
    let site = shop(&house).await;
    let reader = house.login("ben@shop.example", Right::Read, Some(site.id)).await;
    let file = async |path: &str| house.get(&format!("/api/sites/{}/reports/{path}", site.slug)).cookie(&reader).send().await.is(200).text;
    let lab = file("attribution.csv?by=source").await;
    assert!(lab.starts_with("source,model,conversions,share,net,assisted,influenced,currency"), "{lab}");
    assert!(lab.contains("newsletter,last_non_direct,1,0.5,100.01,0,1,USD"), "{lab}");
    assert_eq!(lab.lines().count(), 1 + 4 * 6);
    let paths = file("paths.csv?by=source").await;
    assert!(paths.contains("instagram > newsletter > direct,1,0.5,100.01,4,9,USD"), "{paths}");
    let pace = file("time_to_convert.csv").await;
    assert!(pace.contains("\n9,1,1\r\n"), "{pace}");
}

#[tokio::test]
async fn a_day_is_one_page_with_the_figures_of_the_conversions_api() {
    let house = House::new();
    let site = shop(&house).await;
    house.advance_s(26 * 3_600);
    let told = json!({"order_id": "1", "total": "100.01", "currency": "USD", "email": "ann@mail.example", "status": "refunded"});
    house.order(&site, told).await.is(200);
    for (date, conversions, net_minor) in [("2026-06-13", 2, 10_901), ("2026-06-14", 0, -10_001), ("2026-06-12", 0, 0)] {
        let own = ask(&house, &site, &format!("daily?date={date}")).await;
        house.advance_s(2);
        let kept = house.get(&format!("/api/reports/daily?date={date}")).token(&site.token).send().await.is(200).json;
        assert_eq!((own["conversions"].as_i64(), own["date"].as_str()), (Some(conversions), Some(date)));
        let minor = own["net"][0]["minor"].as_i64().unwrap_or(0);
        assert_eq!(minor, net_minor, "{date}: {own}");
        assert_eq!(kept["total_revenue"].as_f64().map(|n| (n * 100.0).round() as i64), Some(net_minor), "{date}: {kept}");
        let sum = |rows: &Value| rows.as_array().into_iter().flatten().filter_map(|r| r["net"][0]["minor"].as_i64()).sum::<i64>();
        assert_eq!((sum(&own["by_source"]), sum(&own["by_campaign"])), (net_minor, net_minor), "{date}");
    }
    let back = ask(&house, &site, "daily?date=2026-06-14").await;
    assert_eq!(back["backs"].as_array().map(Vec::len), Some(1), "{back}");
    assert_eq!((&back["backs"][0]["amount"]["minor"], &back["backs"][0]["label"]), (&json!(-10_001), &json!("Order 1")));
    assert_eq!(back["is_today"], true);
}
