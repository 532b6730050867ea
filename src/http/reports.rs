//! Pages of figures: the headline, day by day, by where it came from, and who is there just now.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::channel::channel;
use crate::domain::conversion::ConversionKind;
use crate::domain::money::{Currency, Money};
use crate::domain::question::filter::UNATTRIBUTED;
use crate::domain::question::rate::{range, rate};
use crate::domain::question::{Asked, Days, Lens};
use crate::error::Result;
use crate::store::questions::money::{Flow, Moneys};
use crate::store::questions::overview::{self, Headline, OriginFigures, WHOLE};
use crate::store::questions::part;
use crate::store::questions::visits::Origin;
use crate::store::sites::Site;

/// Days of a report that is asked for without any.
const DEFAULT_DAYS: i32 = 30;

const QUERY: &[(&str, &str)] = &[
    ("from", "first day, 2026-06-01; without it, 30 days"),
    ("to", "last day, included; without it, today"),
    ("model", "last_non_direct, first, last, linear, position, time_decay"),
    ("window", "1, 7, 14, 30, 60, 90 or unlimited"),
    ("compare", "previous, year or none"),
];

pub const HEADLINE: Doc = Doc::new("Reports", "The headline figures. Money by the day it is booked on, one sum a currency.")
    .query(QUERY)
    .answer(r#"{"visits":1204,"conversions":{"all":31,"sale":20},"net":[{"minor":123400,"currency":"EUR"}],"attribution_rate":0.9}"#)
    .statuses(&[200, 400]);
pub const TIMESERIES: Doc =
    Doc::new("Reports", "The same day by day, in the site's zone.").query(QUERY).answer(r#"{"items":[]}"#).statuses(&[200, 400]);
pub const SOURCES: Doc =
    Doc::new("Reports", "Visits, credited conversions and money by where they came from; unattributed is a row, so that totals agree.")
        .query(&[
            ("from", "first day, 2026-06-01; without it, 30 days"),
            ("to", "last day, included; without it, today"),
            ("model", "last_non_direct, first, last, linear, position, time_decay"),
            ("window", "1, 7, 14, 30, 60, 90 or unlimited"),
            ("by", "channel, source (default), medium or campaign"),
            ("limit", "rows, at most 500"),
        ])
        .answer(r#"{"items":[],"total":{}}"#)
        .statuses(&[200, 400]);
pub const LIVE: Doc = Doc::new("Reports", "Visitors of the last five minutes, and of each of the last thirty.")
    .answer(r#"{"visitors_now":7,"minutes":[0,1,2]}"#);
struct Wanted {
    days: Days,
    lens: Lens,
    compare: Option<Days>,
}

fn read(app: &App, ask: &Ask, site: &Site) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    let days = asked.days(&site.zone, app.clock.now(), DEFAULT_DAYS)?;
    Ok(Wanted { days, lens: asked.lens(&site.settings.policy)?, compare: asked.compare(days)? })
}

/// `GET /api/sites/{site}/reports/overview`
pub async fn headline(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let wanted = read(&app, &ask, site)?;
    let (zone, days, compare, sight) = (site.zone.clone(), wanted.days, wanted.compare, ask.sight.clone());
    let (now, before) = app
        .store
        .read(site.id, move |c| {
            let now = part::headline(c, &zone, days, &sight)?;
            let before = compare.map(|days| part::headline(c, &zone, days, &sight)).transpose()?;
            Ok((now, before))
        })
        .await?;
    let mut shown = shown_headline(&now, site);
    shown.insert("from".into(), wanted.days.from.to_string().into());
    shown.insert("to".into(), wanted.days.to.to_string().into());
    shown.insert("model".into(), wanted.lens.model.word().into());
    shown.insert("window".into(), wanted.lens.window.word().into());
    let compared = compare.zip(before).map(|(days, before)| {
        let mut shown = shown_headline(&before, site);
        shown.insert("from".into(), days.from.to_string().into());
        shown.insert("to".into(), days.to.to_string().into());
        Value::Object(shown)
    });
    shown.insert("compare".into(), compared.unwrap_or(Value::Null));
    ask.shown(Value::Object(shown))
}

fn shown_headline(h: &Headline, site: &Site) -> Map<String, Value> {
    let t = &h.tally;
    let mut kinds = Map::new();
    kinds.insert("all".into(), t.count.into());
    for kind in ConversionKind::ALL {
        kinds.insert(kind.word().into(), t.of_kind(kind.word()).into());
    }
    let orders = t.of_kind(ConversionKind::Sale.word());
    let own = h.money.get(site.currency.code()).map_or(0, |m| m.net_minor());
    let average = (orders > 0).then(|| Money::new(rounded(own, orders), site.currency));
    let shown = json!({
        "visits": h.visits,
        "conversions": kinds,
        "attributed": t.attributed,
        "unattributed": t.count - t.attributed,
        "net": shown::moneys(&moneys(&h.money, |m| m.net_minor())),
        "sold": shown::moneys(&moneys(&h.money, |m| m.sold_minor)),
        "back": shown::moneys(&moneys(&h.money, |m| m.back_minor)),
        "orders": orders,
        "average_order": shown::maybe_money(average),
        "attribution_rate": rate(t.attributed, t.count),
        "attribution_range": range(t.attributed, t.count).map(|(low, high)| [low, high]),
        "conversion_rate": rate(t.count, h.visits),
        "conversion_range": range(t.count, h.visits).map(|(low, high)| [low, high]),
        "average_days_to_convert": rate(t.days_sum, t.days_count),
    });
    match shown {
        Value::Object(shown) => shown,
        _ => Map::new(),
    }
}

/// Divided to the nearest minor unit, halves away from nought.
fn rounded(minor: i64, by: i64) -> i64 {
    let half = by / 2;
    if minor < 0 { -((half - minor) / by) } else { (minor + half) / by }
}

/// One sum a currency, in the order of their codes; currencies are never added.
fn moneys(all: &Moneys, pick: impl Fn(&Flow) -> i64) -> Vec<Money> {
    all.iter().filter_map(|(code, flow)| Currency::parse(code).map(|c| Money::new(pick(flow), c))).collect()
}

/// `GET /api/sites/{site}/reports/timeseries`
pub async fn timeseries(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let wanted = read(&app, &ask, site)?;
    let (zone, days, compare, sight) = (site.zone.clone(), wanted.days, wanted.compare, ask.sight.clone());
    let (now, before) = app
        .store
        .read(site.id, move |c| {
            let now = part::by_day(c, &zone, days, &sight)?;
            let before = compare.map(|days| part::by_day(c, &zone, days, &sight)).transpose()?;
            Ok((now, before))
        })
        .await?;
    let show = |all: std::collections::BTreeMap<_, overview::DayFigures>| -> Vec<Value> {
        all.into_iter()
            .map(|(day, f): (crate::domain::time::Day, _)| {
                let mut kinds = Map::new();
                kinds.insert("all".into(), f.kinds.values().sum::<i64>().into());
                for kind in ConversionKind::ALL {
                    kinds.insert(kind.word().into(), f.kinds.get(kind.word()).copied().unwrap_or(0).into());
                }
                json!({
                    "day": day.to_string(),
                    "visits": f.visits,
                    "conversions": kinds,
                    "attributed": f.attributed,
                    "net": shown::moneys(&moneys(&f.money, |m| m.net_minor())),
                    "sold": shown::moneys(&moneys(&f.money, |m| m.sold_minor)),
                    "back": shown::moneys(&moneys(&f.money, |m| m.back_minor)),
                })
            })
            .collect()
    };
    let today = site.zone.day(app.clock.now()).to_string();
    ask.shown(json!({"items": show(now), "compare": before.map(show), "today": today}))
}

/// `GET /api/sites/{site}/reports/sources`
pub async fn sources(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let wanted = read(&app, &ask, site)?;
    let asked = Asked(&ask.query);
    let by = asked.word("by", &["channel", "source", "medium", "campaign"])?.unwrap_or("source").to_owned();
    let limit = if asked.one("limit").is_some() { asked.limit()? } else { crate::domain::question::LARGEST_PAGE };
    let (zone, days, lens) = (site.zone.clone(), wanted.days, wanted.lens);
    let sight = ask.sight.clone();
    // Of a part only the books' own answer is known.
    let is_of_the_books = lens.is_of_the_books(&site.settings.policy) || !sight.segment.is_open();
    let all = app
        .store
        .read(site.id, move |c| match is_of_the_books {
            true => part::by_origin(c, &zone, days, &sight),
            false => overview::by_origin_through(c, &zone, days, lens),
        })
        .await?;
    let mut total = OriginFigures::default();
    let mut rows: HashMap<String, OriginFigures> = HashMap::new();
    for (origin, figures) in &all {
        add(&mut total, figures);
        add(rows.entry(name_of(origin, &by)).or_default(), figures);
    }
    // Hidden amounts are not told by the order of rows either.
    let own = |f: &OriginFigures| if ask.sight.hides_money { 0 } else { f.money.get(site.currency.code()).map_or(0, |m| m.net_minor()) };
    let mut rows: Vec<(String, OriginFigures)> = rows.into_iter().collect();
    rows.sort_by(|a, b| {
        (own(&b.1), b.1.conversions_e9, b.1.visits).cmp(&(own(&a.1), a.1.conversions_e9, a.1.visits)).then_with(|| a.0.cmp(&b.0))
    });
    let count = rows.len();
    rows.truncate(limit);
    let items: Vec<Value> = rows.iter().map(|(name, figures)| row(Some(name), figures)).collect();
    ask.shown(json!({
        "items": items,
        "rows": count,
        "total": row(None, &total),
        "by": by,
        "model": lens.model.word(),
        "window": lens.window.word(),
    }))
}

fn add(sum: &mut OriginFigures, one: &OriginFigures) {
    sum.visits += one.visits;
    sum.conversions_e9 += one.conversions_e9;
    for (currency, flow) in &one.money {
        sum.money.entry(currency.clone()).or_default().add_all(flow);
    }
}

/// How a row is called. What nothing is credited with is a row of its own in every table.
fn name_of((source, medium, campaign): &Origin, by: &str) -> String {
    if source.is_empty() {
        return UNATTRIBUTED.to_owned();
    }
    let name = match by {
        "channel" => channel(source, medium, (!campaign.is_empty()).then_some(campaign)),
        "medium" => medium,
        "campaign" => campaign,
        _ => source,
    };
    if name.is_empty() { crate::domain::campaign::NOT_SET.to_owned() } else { name.to_owned() }
}

fn row(name: Option<&str>, f: &OriginFigures) -> Value {
    let conversions = f.conversions_e9 as f64 / WHOLE as f64;
    let whole = f.conversions_e9 / WHOLE;
    json!({
        "name": name,
        "visits": f.visits,
        "conversions": conversions,
        "conversion_rate": (f.visits > 0).then(|| conversions / f.visits as f64),
        "conversion_range": range(whole.min(f.visits), f.visits).map(|(low, high)| [low, high]),
        "net": shown::moneys(&moneys(&f.money, |m| m.net_minor())),
        "sold": shown::moneys(&moneys(&f.money, |m| m.sold_minor)),
        "back": shown::moneys(&moneys(&f.money, |m| m.back_minor)),
    })
}

/// `GET /api/sites/{site}/reports/live`
pub async fn live(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let now = app.clock.now();
    Reply::json(&json!({"visitors_now": app.presence.now(site.id, now), "minutes": app.presence.minutes(site.id, now)}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_rounded_to_the_nearest() {
        for (minor, by, want) in [(100, 3, 33), (200, 3, 67), (5, 2, 3), (-5, 2, -3), (-100, 3, -33), (0, 7, 0)] {
            assert_eq!(rounded(minor, by), want, "{minor} by {by}");
        }
    }
}
