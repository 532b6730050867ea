//! A list of what no system has told, brought in by mistake: taken back as a whole, with the leads that it made, as if it had never
//! been brought; what others have told, or somebody has worked on, stays.

use serde_json::{Value, json};

use super::{bring, get, rows};
use crate::house::{House, SiteAt};

const LIST: &str = "When,E-Mail,What happened,Name,Worth,Sent by,Source\n\
    2026-06-01 10:00,ann@mail.example,lead,Ann Byrne,120.00,,Fair\n\
    2026-06-02,ann@mail.example,booking,,,,\n\
    2026-06-01,cem@mail.example,referral,,,Eve,\n\
    2026-06-01 11:00,dan@mail.example,lead,,,,Fair\n";

/// Everything that anybody is shown of people, steps and figures.
async fn shown(house: &House, shop: &SiteAt) -> Value {
    let days = "from=2026-06-01&to=2026-06-30";
    let mut all = json!({});
    for list in [
        "leads",
        "conversions",
        "contacts",
        &format!("reports/overview?{days}"),
        &format!("reports/show_up?{days}"),
        &format!("reports/sources?{days}"),
    ] {
        all[list] = get(house, shop, list).await;
    }
    house.advance_s(1);
    let metrics = house.get("/analytics/funnel-metrics?start_date=2026-06-01&end_date=2026-06-30").token(&shop.token).send().await.is(200);
    all["metrics"] = metrics.json;
    all["events"] = json!(house.sql(shop, "select event_type, email from funnel_events"));
    all["sql"] = json!(house.sql(shop, "select email from leads union all select email from contacts"));
    all
}

async fn undo(house: &House, shop: &SiteAt, import: &Value) -> Value {
    house.advance_s(1);
    let path = format!("/api/sites/{}/imports/{}/undo", shop.slug, import["id"].as_str().expect("an id"));
    house.post(&path).token(&shop.token).send().await.is(200).json
}

#[tokio::test]
async fn a_list_is_taken_back_as_a_whole() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    // Somebody of the list is known already, by a form.
    house.lead(&shop, json!({"lead_id": "L-1", "email": "dan@mail.example", "created_at": "2026-06-01T10:30:00Z"})).await.is(200);
    let before = shown(&house, &shop).await;
    let import = bring(&house, &shop, "offline", LIST).await;
    assert_eq!((rows(&import), &import["may_undo"]), ([3, 0, 0, 1, 0, 0], &json!(true)), "{import}");
    let since = shown(&house, &shop).await;
    assert_eq!(
        (since["leads"]["items"].as_array().map(Vec::len), since["events"].as_array().map(Vec::len)),
        (Some(4), Some(4)),
        "{since:#}"
    );
    let undone = undo(&house, &shop, &import).await;
    assert_eq!((&undone["state"], &undone["problem"], &undone["may_undo"]), (&json!("undone"), &Value::Null, &json!(false)), "{undone}");
    let mut after = shown(&house, &shop).await;
    // When somebody was last heard of says only that.
    after["contacts"]["items"][0]["last_seen_at"] = before["contacts"]["items"][0]["last_seen_at"].clone();
    for (list, was) in before.as_object().expect("lists") {
        assert_eq!(&after[list], was, "{list}: as if it had never come");
    }
    assert_eq!(undo(&house, &shop, &import).await["state"], "undone", "twice is once");
    // Nothing of these people is in the file any more.
    let exported = get(&house, &shop, "people/export?email=ann@mail.example").await;
    assert!(!exported.to_string().contains("Byrne"), "{exported:#}");
    // It may come again, and is then what it was.
    let again = bring(&house, &shop, "offline", LIST).await;
    assert_eq!(rows(&again), [3, 0, 0, 1, 0, 0], "{again}");
    let mut now = shown(&house, &shop).await;
    let mut then = since.clone();
    // Numbers run on.
    for all in [&mut now, &mut then] {
        for list in ["leads", "conversions", "contacts"] {
            all[list] = json!(all[list]["items"].as_array().map(Vec::len));
        }
    }
    assert_eq!(now, then);
}

#[tokio::test]
async fn what_others_tell_and_what_somebody_worked_on_stays() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let import = bring(&house, &shop, "offline", LIST).await;
    let lead = house.sql(&shop, "select id from leads where email = 'ann@mail.example'")[0]["id"].as_str().expect("an id").to_owned();
    house.advance_s(1);
    house
        .post(&format!("/api/sites/{}/leads/{lead}", shop.slug))
        .token(&shop.token)
        .json(&json!({"status": "contacted"}))
        .send()
        .await
        .is(200);
    // Another list tells of one of them in other words.
    let other = LIST.lines().take(1).chain(["2026-06-01,cem@mail.example,referral,Cem,,Eve,"]).collect::<Vec<_>>().join("\n");
    let second = bring(&house, &shop, "offline", &other).await;
    let undone = undo(&house, &shop, &import).await;
    assert_eq!(undone["problem"], json!("1 row stays: somebody has worked on its lead since."), "{undone}");
    let who = |all: Vec<Value>| all.iter().filter_map(|row| row["email"].as_str().map(str::to_owned)).collect::<Vec<_>>();
    let left = who(house.sql(&shop, "select email from leads order by email"));
    assert_eq!(left, ["ann@mail.example", "cem@mail.example"], "one that was worked on, one that the other list tells of");
    let undone = undo(&house, &shop, &second).await;
    assert_eq!(undone["problem"], Value::Null, "{undone}");
    assert_eq!(who(house.sql(&shop, "select email from leads")), ["ann@mail.example"]);
    assert_eq!(get(&house, &shop, "conversions").await["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_second_list_that_is_taken_back_leaves_the_first_one_alone() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    bring(&house, &shop, "offline", LIST).await;
    let before = shown(&house, &shop).await["metrics"].clone();
    let more = format!(
        "{}2026-06-01 10:00,ann@mail.example,lead,Ann Byrne,150.00,,Fair\n2026-06-05,fay@mail.example,lead,,,,\n",
        &LIST[..LIST.find('\n').map_or(0, |at| at + 1)]
    );
    let second = bring(&house, &shop, "offline", &more).await;
    assert_ne!(shown(&house, &shop).await["metrics"], before);
    undo(&house, &shop, &second).await;
    assert_eq!(shown(&house, &shop).await["metrics"], before);
    assert_eq!(house.sql(&shop, "select count(*) as n from leads")[0]["n"], json!(3));
}

/// Lists come and go in any order, some with the same step in other words: it stands as long as one list that names it does, and
/// so does the lead that it made.
#[tokio::test]
async fn a_step_stands_as_long_as_one_list_that_names_it() {
    const NAMES: [&str; 5] = ["ann", "bea", "cem", "dan", "eve"];
    const LISTS: [(&str, &[usize]); 3] = [("", &[0, 1, 2]), ("", &[1, 2, 3]), ("By the fair", &[0, 2, 4])];
    let list = |n: usize| {
        let (note, all) = LISTS[n];
        let rows = all.iter().map(|who| format!("2026-06-01 1{who}:00,{}@mail.example,lead,{note}\n", NAMES[*who]));
        format!("When,E-Mail,What happened,Note\n{}", rows.collect::<String>())
    };
    for seed in 1_u64..=6 {
        let house = House::new();
        let shop = house.site("shop.example").await;
        let (mut standing, mut dice, mut done) = ([const { None::<Value> }; 3], seed, Vec::new());
        for _ in 0..9 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let n = (dice >> 33) as usize % LISTS.len();
            done.push((n, standing[n].is_some()));
            match standing[n].take() {
                Some(import) => drop(undo(&house, &shop, &import).await),
                None => standing[n] = Some(bring(&house, &shop, "offline", &list(n)).await),
            }
            let named = |who: usize| LISTS.iter().zip(&standing).any(|((_, all), is_there)| is_there.is_some() && all.contains(&who));
            let want: Vec<Value> =
                (0..NAMES.len()).filter(|who| named(*who)).map(|who| json!(format!("{}@mail.example", NAMES[who]))).collect();
            for table in ["funnel_events", "leads", "contacts"] {
                let rows = house.sql(&shop, &format!("select email from {table} order by email"));
                let got: Vec<Value> = rows.iter().map(|row| row["email"].clone()).collect();
                assert_eq!(got, want, "{table} after {done:?}, seed {seed}");
            }
        }
    }
}
