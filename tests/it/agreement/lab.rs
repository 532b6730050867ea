//! The lab, the ways and the time to convert against the rows: what they say of random filters, windows and days is what the
//! slow way says, row by row, under every model.

use std::collections::{BTreeMap, BTreeSet};

use halotrack::domain::attribution::{Model, Window};
use halotrack::domain::time::DAY_MS;
use halotrack::domain::touch::TouchKind;
use serde_json::Value;

use super::{Asked, Line, Rows, Sale, Shop, Table, add_money, channel_of, money, or, page, slow, tidy};
use crate::ground::Dice;

pub async fn check(shop: &Shop, dice: &mut Dice, rows: &Rows, asked: &Asked, what: &str) {
    let by = *dice.pick(&["channel", "source", "campaign", "content", "landing"]);
    let query = format!("{}&by={by}", asked.query);
    let lab = shop.get(&format!("reports/attribution?{query}&limit=500")).await;
    let mut whole: Option<Line> = None;
    for model in Model::LENSES {
        let want = columns(slow(rows, asked, by, model, false, false));
        assert_eq!(shown(&lab, &["models", model.word()]), tidy(want.clone()), "{what}: the lab by {by}, {}", model.word());
        let total = sum(&want);
        assert_eq!(*whole.get_or_insert(total.clone()), total, "{what}: {} has another total", model.word());
    }
    let whole = whole.expect("there are models");
    assert_eq!(line(&lab["total"]), whole, "{what}: the total of the lab");

    let fits = |s: &&Sale| asked.from <= s.day && s.day <= asked.to && (asked.fits)(s);
    let mut influenced: BTreeMap<String, f64> = BTreeMap::new();
    let mut ways: BTreeMap<Vec<String>, f64> = BTreeMap::new();
    for sale in rows.sales.iter().filter(fits) {
        let mut way: Vec<String> = visits(sale, asked.window).map(|p| name(&p.touch, by)).collect();
        way.iter().cloned().collect::<BTreeSet<_>>().into_iter().for_each(|name| *influenced.entry(name).or_default() += 1.0);
        way.dedup();
        *ways.entry(way).or_default() += 1.0;
    }
    let said: BTreeMap<String, f64> =
        shown(&lab, &["influenced"]).into_iter().map(|(name, l)| (name, l.conversions)).filter(|(_, n)| *n > 0.0).collect();
    assert_eq!(said, influenced, "{what}: influenced by {by}");

    let paths = shop.get(&format!("reports/paths?{query}&limit=500")).await;
    let items = paths["items"].as_array().expect("paths");
    let said: BTreeMap<Vec<String>, f64> = items
        .iter()
        .map(|p| {
            (
                p["path"].as_array().expect("a path").iter().map(|w| w.as_str().expect("a word").to_owned()).collect(),
                p["conversions"].as_f64().expect("a number"),
            )
        })
        .filter(|(_, n)| *n > 0.0)
        .collect();
    assert_eq!(said, ways, "{what}: ways by {by}");
    let mut net = BTreeMap::new();
    items.iter().for_each(|p| money(&p["net"]).iter().for_each(|(currency, minor)| add_money(&mut net, currency, *minor)));
    net.retain(|_, minor| *minor != 0);
    assert_eq!(net, whole.net, "{what}: the money of all ways");

    let pace = shop.get(&format!("reports/time_to_convert?{query}")).await;
    let firsts: Vec<i64> =
        rows.sales.iter().filter(fits).filter_map(|s| visits(s, None).next().map(|p| s.at.ms_since(p.touch.at).max(0))).collect();
    assert_eq!(pace["known"].as_u64(), Some(firsts.len() as u64), "{what}: with known visits");
    for seen in pace["windows"].as_array().expect("windows") {
        let most =
            Window::parse(seen["window"].as_str().expect("a word")).expect("a window").days().map_or(i64::MAX, |d| i64::from(d) * DAY_MS);
        assert_eq!(seen["whole"].as_u64(), Some(firsts.iter().filter(|age| **age <= most).count() as u64), "{what}: {seen}");
    }
    let curve: i64 = pace["items"].as_array().expect("days").iter().filter_map(|d| d["conversions"].as_i64()).sum();
    assert_eq!(curve + pace["longer"].as_i64().expect("a number"), firsts.len() as i64, "{what}: the curve");
}

/// What may be credited within a window, in the order of time.
fn visits(sale: &Sale, window: Option<u32>) -> impl Iterator<Item = &halotrack::domain::attribution::PathTouch> {
    sale.path.iter().filter(move |p| (p.touch.kind != TouchKind::Chat || p.earns) && Window(window).holds(p.touch.at, sale.at))
}

fn name(t: &halotrack::domain::touch::Touchpoint, by: &str) -> String {
    let origin = (t.source.clone(), t.medium.clone(), t.campaign.clone().unwrap_or_default());
    match by {
        "channel" => channel_of(&origin),
        "campaign" => or(&origin.2, "(not set)"),
        "content" => t.content.clone().unwrap_or("(not set)".into()),
        "landing" => t.landing.as_deref().map_or("(not set)".into(), page),
        _ => origin.0,
    }
}

/// Without what the lab does not show.
fn columns(mut table: Table) -> Table {
    table.values_mut().for_each(|line| line.orders = 0.0);
    table
}

fn line(shown: &Value) -> Line {
    let line = Line { visits: 0, conversions: shown["conversions"].as_f64().expect("conversions"), orders: 0.0, net: money(&shown["net"]) };
    tidy([(String::new(), line)].into()).remove("").unwrap_or_default()
}

fn shown(lab: &Value, column: &[&str]) -> Table {
    let items = lab["items"].as_array().expect("items");
    let of = |row: &Value| line(column.iter().fold(row, |value, word| &value[*word]));
    tidy(items.iter().map(|row| (row["name"].as_str().expect("a name").to_owned(), of(row))).collect())
}

fn sum(table: &Table) -> Line {
    let mut sum = Line::default();
    for line in table.values() {
        sum.conversions += line.conversions;
        line.net.iter().for_each(|(currency, minor)| add_money(&mut sum.net, currency, *minor));
    }
    tidy([(String::new(), sum)].into()).remove("").unwrap_or_default()
}
