//! The ways that lead to conversions: channels, sources or campaigns one after another, repeats said once, with how often
//! each was gone, what it brought, how many visits it took and how long.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::attribution::{asked, over};
use super::tables::{file, limit};
use super::{query, read};
use crate::app::App;
use crate::domain::money::Money;
use crate::domain::question::Period;
use crate::domain::question::journeys::Purse;
use crate::domain::question::journeys::ways::{self, Way, Ways};
use crate::domain::question::rate::{FEW, range, rate};
use crate::error::Result;
use crate::store::sites::Site;

pub const PATHS: Doc =
    Doc::new("Reports", "The ways that lead to conversions, the most frequent first; the empty one is of those without a known visit.")
        .query(query::PATHS)
        .answer(r#"{"items":[{"path":["Paid Social","Email"],"conversions":12,"share":0.2,"net":[],"visits":3.5,"days":6.2}],"total":{}}"#)
        .statuses(&[200, 400]);
pub const PATHS_CSV: Doc =
    Doc::new("Reports", "The same as CSV.").query(query::PATHS).answer("path,conversions,…").of_type("text/csv").statuses(&[200, 400]);

async fn work(app: &App, ask: &Ask, site: &Arc<Site>) -> Result<Ways> {
    let wanted = read(app, ask, site)?;
    let asked = asked(ask, &wanted)?;
    over(app, site, &wanted, Period::whole(wanted.days), move |blocks| ways::ways(blocks.iter().map(Arc::as_ref), &asked)).await
}

fn net(purse: &Purse) -> Value {
    let mut all: Vec<Money> = purse.0.iter().map(|(currency, minor)| Money::new(*minor, *currency)).collect();
    all.sort_by_key(|m| m.currency);
    shown::moneys(&all)
}

fn shown_way(way: &Way, all: i64) -> Value {
    json!({
        "conversions": way.conversions,
        "share": rate(way.conversions, all),
        "range": range(way.conversions, all).map(|(low, high)| [low, high]),
        "net": net(&way.net),
        "visits": rate(way.visits, way.conversions),
        "days": way.median_days(),
        "is_few": way.conversions < FEW,
    })
}

/// `GET /api/sites/{site}/reports/paths`
pub async fn paths(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let limit = limit(&ask)?;
    let ways = work(&app, &ask, &site).await?;
    let total = ways.total();
    let sorted = ways.sorted();
    let items: Vec<Value> = sorted
        .iter()
        .take(limit)
        .map(|(path, way)| {
            let mut shown = shown_way(way, total.conversions);
            shown["path"] = path.as_slice().into();
            shown
        })
        .collect();
    ask.shown(json!({"items": items, "rows": sorted.len(), "total": shown_way(&total, total.conversions), "left_out": ways.left_out}))
}

/// `GET /api/sites/{site}/reports/paths.csv`
pub async fn paths_csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let ways = work(&app, &ask, &site).await?;
    let all = ways.total().conversions;
    let lines = ways
        .sorted()
        .into_iter()
        .map(|(path, way)| {
            vec![
                Cell::text(path.join(" > ")),
                Cell::number(way.conversions),
                Cell::maybe_number(rate(way.conversions, all)),
                Cell::number(Money::new(way.net.of(site.currency), site.currency).decimal()),
                Cell::maybe_number(rate(way.visits, way.conversions)),
                Cell::maybe_number(way.median_days()),
                Cell::text(site.currency.code()),
            ]
        })
        .collect();
    file("paths", &["path", "conversions", "share", "net", "visits", "median_days", "currency"], lines)
}
