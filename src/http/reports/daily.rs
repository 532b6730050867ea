//! One day of the site's zone on one page: what came in, from where, what was sold and what went back. The figures are those
//! of the conversions API's daily report, by the same rules.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::ask::Ask;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::products::shown_products;
use super::{moneys, patient, read};
use crate::app::App;
use crate::domain::conversion::ConversionKind;
use crate::domain::money::{Currency, Money};
use crate::domain::question::{Asked, Days, Period, days};
use crate::error::Result;
use crate::store::questions::daily::{self, Back};
use crate::store::questions::overview;
use crate::store::questions::statements::{self, Earned};
use crate::store::sites::Site;

pub const DAILY: Doc = Doc::new("Reports", "One day on one page: money as booked on it, conversions as they happened on it, by source and campaign; what was sold, what went back.")
    .query(&[("date", "a day of the site's zone, 2026-06-13; without it, today")])
    .answer(r#"{"date":"2026-06-13","net":[],"orders":3,"by_source":[],"by_campaign":[],"products":{"items":[]},"backs":[]}"#)
    .statuses(&[200, 400]);

/// Lines of one table; a page of paper has fewer.
const MOST: usize = 200;

/// `GET /api/sites/{site}/reports/daily`
pub async fn daily(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let today = site.zone.day(app.clock.now());
    let day = match Asked(&ask.query).one("date") {
        Some(text) => days::day("date", text)?,
        None => today,
    };
    let mut wanted = read(&app, &ask, &site)?;
    wanted.days = Days { from: day, to: day };
    let of = site.clone();
    let mut shown = patient(&app, &site, move |c| {
        let report = statements::day_report(c, &of.zone, day, &of.rules)?;
        let all = overview::by_day(c, &of.zone, Period::whole(wanted.days), &wanted.filter)?;
        let figures = all.into_values().next().unwrap_or_default();
        let orders = report.orders.get(of.currency.code()).copied().unwrap_or(0);
        let own = Money::new(report.all.minor.get(of.currency.code()).copied().unwrap_or(0), of.currency);
        let kinds: Map<String, Value> =
            ConversionKind::ALL.iter().map(|kind| (kind.word().to_owned(), figures.of_kind(kind.word()).into())).collect();
        Ok(json!({
            "date": day.to_string(),
            "visits": figures.visits,
            "conversions": report.all.conversions,
            "kinds": kinds,
            "orders": figures.of_kind(ConversionKind::Sale.word()),
            "net": net(&report.all),
            "sold": shown::moneys(&moneys(&figures.money, |m| m.sold_minor)),
            "back": shown::moneys(&moneys(&figures.money, |m| m.back_minor)),
            "average_order": shown::maybe_money(own.average(orders)),
            "by_source": rows(&report.by_source, of.currency),
            "by_campaign": rows(&report.by_campaign, of.currency),
            "products": shown_products(c, &of, &wanted, MOST)?,
            "backs": backs(&of, &daily::backs(c, day, MOST)?),
        }))
    })
    .await?;
    shown["is_today"] = (day == today).into();
    ask.shown(shown)
}

fn net(e: &Earned) -> Value {
    let all: Vec<Money> = e.minor.iter().filter_map(|(code, minor)| Currency::parse(code).map(|c| Money::new(*minor, c))).collect();
    shown::moneys(&all)
}

/// The largest first.
fn rows(all: &BTreeMap<String, Earned>, own: Currency) -> Value {
    let mut rows: Vec<(&String, &Earned)> = all.iter().collect();
    let size = |e: &Earned| (e.minor.get(own.code()).copied().unwrap_or(0), e.conversions);
    rows.sort_by(|(a, x), (b, y)| size(y).cmp(&size(x)).then_with(|| a.cmp(b)));
    rows.iter().take(MOST).map(|(name, e)| json!({"name": name, "conversions": e.conversions, "net": net(e)})).collect()
}

fn backs(site: &Site, all: &[Back]) -> Value {
    all.iter()
        .map(|back| {
            let (source, _, _) = site.rules.named(
                back.source.as_deref().unwrap_or_default(),
                back.medium.as_deref().unwrap_or_default(),
                back.campaign.as_deref().unwrap_or_default(),
            );
            json!({
                "id": back.conversion,
                "label": back.label,
                "kind": back.kind,
                "source": (!source.is_empty()).then_some(source),
                "amount": shown::money(back.amount),
                "at": shown::time(&site.zone, back.at),
                "sold_at": shown::time(&site.zone, back.sold_at),
            })
        })
        .collect()
}
