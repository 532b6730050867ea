//! The documented names in SQL: what they show, and that a question stays inside its site and changes nothing.

use halotrack::error::Error;
use halotrack::store::documented::{Cell, Documented, NAMES, Row};
use serde_json::{Value, json};

use crate::house::{House, SiteAt};

fn ask(house: &House, site: &SiteAt, query: &str) -> Result<Vec<Value>, Error> {
    let mut head = Vec::new();
    let mut rows = Vec::new();
    Documented::open(house.data(), Some(&site.slug))?.ask(query, |row| {
        match row {
            Row::Head(names) => head = names,
            Row::Cells(cells) => rows.push(Value::Object(head.iter().cloned().zip(cells.iter().map(Cell::json)).collect())),
        }
        true
    })?;
    Ok(rows)
}

async fn visit(house: &House, site: &SiteAt) {
    let touch = json!({"site": site.key, "landing": "/?utm_source=google", "utm_source": "google", "utm_medium": "cpc"});
    house.post("/api/touch").browser(site).body(touch.to_string()).send().await.is(200);
}

#[tokio::test]
async fn every_documented_name_answers_with_the_sites_slug() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for name in NAMES {
        let rows = ask(&house, &site, &format!("select * from {name}"));
        assert!(rows.is_ok_and(|r| r.is_empty()), "{name}");
        assert!(ask(&house, &site, &format!("select client_id from {name}")).is_ok(), "{name} has no client_id");
    }
    visit(&house, &site).await;
    let rows = ask(&house, &site, "select client_id, ft_source, lt_medium, consent_status, created_at from sessions").expect("rows");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["client_id"], site.slug);
    assert_eq!(rows[0]["ft_source"], "google");
    assert_eq!(rows[0]["lt_medium"], "cpc");
    assert_eq!(rows[0]["created_at"], "2026-06-13T09:20:00Z");
}

#[tokio::test]
async fn the_printed_queries_run_as_they_are() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for query in [
        "SELECT * FROM events \nWHERE source = 'anytrack' \nORDER BY event_time DESC \nLIMIT 10;",
        "SELECT * FROM sync_logs \nWHERE platform = 'anytrack' \nORDER BY started_at DESC \nLIMIT 10;",
        "SELECT \n  l.*,\n  l.attribution_data->>'first_touch'->>'source' as ft_source,\n  l.attribution_data->>'first_touch'->>'medium' \
         as ft_medium\nFROM leads l\nWHERE l.client_id = 'client_acme'\n  AND l.created_at >= '2025-12-01'\nORDER BY l.created_at DESC;",
    ] {
        let answer = ask(&house, &site, query);
        assert!(answer.is_ok(), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn a_question_sees_one_site_and_nothing_else() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let other = house.site("other.example").await;
    visit(&house, &other).await;
    assert_eq!(ask(&house, &site, "select * from sessions").expect("rows"), Vec::<Value>::new());
    assert_eq!(ask(&house, &other, "select * from sessions").expect("rows").len(), 1);
    for query in [
        "select * from main.sessions",
        "select * from main.users",
        "select * from users",
        "select count(*) from users",
        "select count(*) from main.sessions",
        "select exists (select 1 from main.sessions)",
        // To SQLite a common table expression looks like a view, whatever name it carries.
        "with leads as (select * from main.sessions) select * from leads",
        "with sessions as (select * from main.sessions) select * from sessions",
        "with leads as (select * from users) select * from leads",
        "with halo_site as (select count(*) from main.sessions) select * from halo_site",
        "select * from halo_buyers",
        "select * from sqlite_schema",
        "select count(*) from sqlite_master",
        "select sql from temp.sqlite_schema",
        "select * from pragma_database_list",
        "select * from pragma_table_info('users')",
        "select * from dbstat",
        "attach 'x.sqlite' as x",
        "pragma database_list",
        "pragma user_version",
        "pragma query_only = off",
        "select load_extension('x')",
    ] {
        let answer = ask(&house, &site, query);
        assert!(answer.as_ref().is_err_and(|e| e.code == "bad_query"), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn a_question_changes_nothing() {
    let house = House::new();
    let site = house.site("shop.example").await;
    visit(&house, &site).await;
    for query in [
        "delete from main.sessions",
        "delete from sessions",
        "update sessions set browser = 'x'",
        "insert into main.sites (slug) values ('x')",
        "drop view sessions",
        "drop table main.sessions",
        "create table main.mine (x)",
        "create temp table mine (x)",
        "create temp view mine as select 1",
        "create temp trigger t instead of delete on sessions begin select 1; end",
        "alter table main.sessions rename to mine",
        "pragma user_version = 7",
        "pragma journal_mode = delete",
        "vacuum",
        "vacuum into '/dev/null'",
        "begin immediate",
        "reindex",
        "analyze",
        "select 1; delete from main.sessions",
        "select ?1",
        "",
        "-- nothing",
        "select nonsense from nowhere",
    ] {
        let answer = ask(&house, &site, query);
        assert!(answer.as_ref().is_err_and(|e| e.code == "bad_query"), "{query}: {answer:?}");
    }
    assert_eq!(ask(&house, &site, "select * from sessions").expect("rows").len(), 1);
}

#[tokio::test]
async fn what_an_owner_would_ask_is_answered() {
    let house = House::new();
    let site = house.site("shop.example").await;
    visit(&house, &site).await;
    for (query, want) in [
        ("select count(*) as n from sessions", json!([{"n": 1}])),
        ("with x as (select * from sessions) select count(*) as n from x;  -- done", json!([{"n": 1}])),
        (
            "with recursive n(x) as (select 1 union all select x + 1 from n where x < 3) select group_concat(x) as x from n",
            json!([{"x": "1,2,3"}]),
        ),
        (
            "select s.ft_source, count(l.id) as leads from sessions s left join leads l on l.session_id = s.session_id group by 1",
            json!([{"ft_source": "google", "leads": 0}]),
        ),
        ("select j.value as v from json_each('[1,2]') j", json!([{"v": 1}, {"v": 2}])),
        ("select 1.5 as x, null as y, x'00ff' as z", json!([{"x": 1.5, "y": null, "z": "00ff"}])),
    ] {
        let answer = ask(&house, &site, query);
        assert!(answer.as_ref().is_ok_and(|rows| json!(rows) == want), "{query}: {answer:?}");
    }
    let columns = ask(&house, &site, "pragma table_info(leads)").expect("columns");
    assert!(columns.iter().any(|c| c["name"] == "attribution_data"));
}

#[tokio::test]
async fn the_site_is_named_or_is_the_only_one() {
    let house = House::new();
    let open = |word: Option<&str>| Documented::open(house.data(), word).map(drop).map_err(|e| (e.code, e.message));
    assert!(open(None).is_err_and(|(code, _)| code == "unknown_site"));
    let site = house.site("shop.example").await;
    for word in [None, Some("1"), Some("site_1"), Some(site.slug.as_str())] {
        assert!(open(word).is_ok(), "{word:?}");
    }
    let other = house.site("other.example").await;
    let (code, message) = open(None).expect_err("two sites");
    assert_eq!(code, "invalid_field");
    assert!(message.contains(&site.slug) && message.contains(&other.slug), "{message}");
    assert!(open(Some("nobody")).is_err_and(|(code, _)| code == "unknown_site"));
}

#[tokio::test]
async fn an_order_goes_by_the_number_that_its_shop_gave_it() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for platform in ["woocommerce", "generic"] {
        let order = json!({"order_id": "4406", "platform": platform, "total": "9.00", "currency": "EUR", "email": "ann@mail.example",
            "status": "paid"});
        house.order(&site, order).await.is(200);
    }
    for (table, column) in [("orders", "external_order_id"), ("purchase_attributions", "order_id")] {
        let rows = ask(&house, &site, &format!("select {column} as n, platform from {table} order by platform")).expect("rows");
        let want = json!([{"n": "4406", "platform": "generic"}, {"n": "4406", "platform": "woocommerce"}]);
        assert_eq!(json!(rows), want, "{table}");
    }
}
