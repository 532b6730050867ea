//! A shop's own figures over a year of a million orders: revenue, customers, overview, each over all twelve months.

use crate::day::day_text;
use crate::history::{DAY_MS, Year};
use crate::product::Folder;
use crate::questions::{self, Filled, NOWHERE, ask};
use crate::settings::Settings;
use crate::table::{Row, grouped};

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let orders = if settings.is_quick { 50_000 } else { 1_000_000 };
    let folder = Folder::new(&settings.folder, "sales")?;
    let year = Year { sessions: 2 * orders, conversions: orders, buyers: Some(orders as i64 * 6 / 10) };
    let Filled { product, cookie, now_ms, .. } = questions::fill(settings, &folder, year, NOWHERE)?;
    let (from, to) = (day_text(now_ms - 364 * DAY_MS), day_text(now_ms));
    let (site, kept) = ("/api/sites/shop001", "/api/analytics");
    let named = "domain=shop001.example";
    let questions = [
        ("revenue, all of it", format!("{kept}/revenue?{named}&start={from}&end={to}&metric=all")),
        ("customers by lifetime value", format!("{kept}/customers?{named}&sort=lifetimeValue&limit=50")),
        ("one customer", format!("{kept}/customers?{named}&email=person7@mail.example")),
        ("list of customers", format!("{site}/customers?from={from}&to={to}")),
        ("new and returning", format!("{site}/reports/customers?from={from}&to={to}")),
        ("list of orders", format!("{site}/orders?from={from}&to={to}")),
        ("what sold", format!("{site}/reports/products?from={from}&to={to}")),
        ("chats", format!("{site}/reports/chat?from={from}&to={to}")),
        ("overview, headline", format!("{site}/reports/overview?from={from}&to={to}")),
        ("overview, day by day", format!("{site}/reports/timeseries?from={from}&to={to}")),
        ("overview, sources", format!("{site}/reports/sources?from={from}&to={to}")),
    ];
    let over = format!("{} orders", grouped(orders as f64));
    questions.iter().map(|(what, path)| Ok(ask(&product, &cookie, what, path)?.over(&over))).collect()
}
