//! Pages of figures: the headline, day by day, the tables, and who is there just now. The overview asks for several at
//! once, so that they come out of one look at the file.

/// All models side by side.
pub mod attribution;
/// What chats helped to sell.
pub mod chat;
/// Columns of files.
pub mod columns;
/// New customers against those who came back.
pub mod customers;
/// One day on one page.
pub mod daily;
/// The data-driven estimate.
mod estimate;
/// Who went how far through a funnel.
pub mod funnel;
/// The ways that lead to conversions.
pub mod paths;
/// What was sold.
pub mod products;
/// What may be asked.
pub mod query;
/// Who booked, who came, and what came of it.
pub mod show_up;
/// What it has cost.
mod spent;
/// Tables by origin, page, country and device.
pub mod tables;
/// How long it takes to convert.
pub mod time_to_convert;
/// Channels, their sources, their campaigns, and what stands below one.
pub mod tree;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::tables::By;
use super::ask::{Ask, Caller};
use super::exports::Cell;
use super::reply::Reply;
use super::route::Doc;
use super::{connections, needs, notes, shown};
use crate::app::App;
use crate::domain::conversion::ConversionKind;
use crate::domain::money::{Currency, Money};
use crate::domain::question::rate::{range, rate};
use crate::domain::question::{Asked, ConversionFilter, Days, Lens, Period};
use crate::domain::sight::Sight;
use crate::domain::time::{Day, Time};
use crate::error::{Error, Result};
use crate::store::questions::conversions::{self, Order, Wanted as WantedList};
use crate::store::questions::money::{Flow, Moneys};
use crate::store::questions::overview::{self, DayFigures};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

/// Days of a report that is asked for without any.
pub const DEFAULT_DAYS: i32 = 30;
/// Latest conversions beside the figures.
const LATEST: usize = 10;

pub const HEADLINE: Doc = Doc::new("Reports", "The headline figures. Money by the day it is booked on, one sum a currency. Where something was spent: costs and return in the site's currency, of its sales alone; what was spent or sold in others stands in `other_currencies`, each with its own.")
    .query(query::HEADLINE)
    .answer(r#"{"visits":1204,"conversions":{"all":31,"sale":20},"net":[{"minor":123400,"currency":"EUR"}],"attribution_rate":0.9}"#)
    .statuses(&[200, 400]);
pub const TIMESERIES: Doc =
    Doc::new("Reports", "The same day by day, in the site's zone.").query(query::REPORT).answer(r#"{"items":[]}"#).statuses(&[200, 400]);
pub const TIMESERIES_CSV: Doc =
    Doc::new("Reports", "The same as CSV.").query(query::REPORT).answer("day,visits,…").of_type("text/csv").statuses(&[200, 400]);
pub const LIVE: Doc = Doc::new("Reports", "Visitors of the last five minutes, and of each of the last thirty.")
    .answer(r#"{"visitors_now":7,"minutes":[0,1,2]}"#);

/// What every report reads.
#[derive(Clone)]
pub struct Wanted {
    pub days: Days,
    pub lens: Lens,
    pub is_of_the_books: bool,
    pub filter: ConversionFilter,
    /// Where amounts are hidden, no order of rows tells of them.
    pub sight: Sight,
    /// What was spent is between the owner and those who are signed in: no link tells of it.
    pub with_spend: bool,
    compare: Option<Period>,
}

pub fn read(app: &App, ask: &Ask, site: &Site) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    let now = app.clock.now();
    let days = asked.days(&site.zone, now, DEFAULT_DAYS)?;
    // Through another lens the conversions of a part would show who else had a share in them.
    let is_part = !ask.sight.segment.is_open();
    let lens = if is_part { Lens::of(&site.settings.policy) } else { asked.lens(&site.settings.policy)? };
    Ok(Wanted {
        days,
        lens,
        is_of_the_books: is_part || lens.is_of_the_books(&site.settings.policy),
        filter: ConversionFilter::read(asked)?.within(&ask.sight)?.named_by(&site.rules),
        sight: ask.sight.clone(),
        with_spend: !matches!(ask.caller, Caller::Share { .. }),
        compare: asked.compare(days, &site.zone, now)?.map(|earlier| Period::before(days, earlier, &site.zone, now)),
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Days,
    Notes,
    Connections,
    Needs,
    Latest,
    Sources,
    Countries,
    Devices,
    Products,
    Chat,
}

const PARTS: [(&str, Part); 10] = [
    ("days", Part::Days),
    ("notes", Part::Notes),
    ("connections", Part::Connections),
    ("needs", Part::Needs),
    ("latest", Part::Latest),
    ("sources", Part::Sources),
    ("countries", Part::Countries),
    ("devices", Part::Devices),
    ("products", Part::Products),
    ("chat", Part::Chat),
];

fn parts(ask: &Ask) -> Result<Vec<Part>> {
    let named = |word: &str| PARTS.iter().find(|(name, _)| *name == word).map(|(_, part)| *part);
    let words = ask.query("with").into_iter().flat_map(|text| text.split(','));
    words
        .map(|word| {
            named(word).ok_or_else(|| {
                let all: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
                Error::parameter("with", format!("with is a list of {}.", all.join(", ")))
            })
        })
        .collect()
}

/// How often a question that took too long is asked again.
const PATIENCE: usize = 4;

/// Asks for as long as it takes. What was worked out of each month is kept, so that a question which is stopped for its
/// length goes on where it was, and other readers have their turn in between.
pub async fn patient<T: Send + 'static>(
    app: &App,
    site: &Site,
    question: impl Fn(&SiteConn) -> Result<T> + Clone + Send + 'static,
) -> Result<T> {
    for _ in 0..PATIENCE {
        match app.store.read(site.id, question.clone()).await {
            Err(e) if e.code == "too_slow" => {}
            done => return done,
        }
    }
    app.store.read(site.id, question).await
}

type ByDay = BTreeMap<Day, DayFigures>;

/// `GET /api/sites/{site}/reports/overview`
pub async fn headline(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let mut parts = parts(&ask)?;
    let is_link = matches!(ask.caller, Caller::Share { .. });
    if !ask.sight.is_whole() || is_link {
        parts.retain(|part| !matches!(part, Part::Notes | Part::Connections | Part::Needs | Part::Chat));
    }
    if is_link {
        // Whoever has a link is shown conversions by the link's own list alone.
        parts.retain(|part| *part != Part::Latest);
    }
    let by = By::read(&ask)?;
    let limit = tables::limit(&ask)?;
    let now = app.clock.now();
    let (of, asked) = (site.clone(), wanted.clone());
    let with = parts.clone();
    let mut shown = patient(&app, &site, move |c| answer(c, &of, &asked, &with, by, limit, now)).await?;
    if parts.contains(&Part::Connections) {
        shown.insert("connections".into(), connections::cards(&app, &ask).await?.into());
    }
    if parts.contains(&Part::Needs) {
        shown.insert("needs".into(), needs::facts(&app, &ask).await?);
    }
    ask.shown(Value::Object(shown))
}

fn answer(c: &SiteConn, site: &Site, wanted: &Wanted, with: &[Part], by: By, limit: usize, now: Time) -> Result<Map<String, Value>> {
    let (days, before) = both(c, site, wanted)?;
    let headline = overview::headline(&days);
    let cost = spent::by_day(c, site, wanted, wanted.days)?;
    let mut shown = shown_headline(&headline, site);
    spent::headline(&mut shown, cost.as_ref(), &headline, site);
    shown.insert("from".into(), wanted.days.from.to_string().into());
    shown.insert("to".into(), wanted.days.to.to_string().into());
    shown.insert("model".into(), wanted.lens.model.word().into());
    shown.insert("window".into(), wanted.lens.window.word().into());
    let mut compare = Value::Null;
    if let Some((period, days)) = wanted.compare.zip(before.as_ref()) {
        let headline = overview::headline(days);
        let cost = spent::by_day(c, site, wanted, period.days)?;
        let mut shown = shown_headline(&headline, site);
        spent::headline(&mut shown, cost.as_ref(), &headline, site);
        shown.insert("from".into(), period.days.from.to_string().into());
        shown.insert("to".into(), period.days.to.to_string().into());
        shown.insert("until".into(), shown::maybe_time(&site.zone, period.until));
        if with.contains(&Part::Days) {
            let mut all = shown_days(days);
            spent::days(&mut all, cost.as_ref(), site);
            shown.insert("days".into(), all);
        }
        compare = Value::Object(shown);
    }
    shown.insert("compare".into(), compare);
    let tables = with.iter().any(|p| matches!(p, Part::Sources | Part::Countries | Part::Devices));
    let tables = tables.then(|| tables::ask(c, site, wanted, by)).transpose()?;
    let was = if tables.is_some() { tables::ask_before(c, site, wanted, by)? } else { None };
    let table = |by| tables.as_ref().map_or(Value::Null, |t| tables::shown_by(t, was.as_ref(), by, site, wanted, limit));
    if with.contains(&Part::Days) {
        // How far the present day has come.
        shown.insert("now".into(), shown::time(&site.zone, now));
    }
    for part in with {
        let (name, value) = match part {
            Part::Days => {
                let mut all = shown_days(&days);
                spent::days(&mut all, cost.as_ref(), site);
                ("days", all)
            }
            Part::Notes => ("notes", notes::shown_notes(&crate::store::notes::list(c, wanted.days.span())?, &site.zone)),
            Part::Latest => ("latest", latest(c, site, wanted)?),
            Part::Chat => ("chat", chat::shown_part(c, site, wanted.days, &wanted.filter)?),
            Part::Products => ("products", products::shown_products(c, site, wanted, limit)?),
            Part::Sources => ("sources", table(by)),
            Part::Countries => ("countries", table(By::Country)),
            Part::Devices => ("devices", table(By::Device)),
            Part::Connections | Part::Needs => continue,
        };
        shown.insert(name.into(), value);
    }
    Ok(shown)
}

fn both(c: &SiteConn, site: &Site, wanted: &Wanted) -> Result<(ByDay, Option<ByDay>)> {
    let ask = |period| overview::by_day(c, &site.zone, period, &wanted.filter);
    Ok((ask(Period::whole(wanted.days))?, wanted.compare.map(ask).transpose()?))
}

fn shown_headline(h: &DayFigures, site: &Site) -> Map<String, Value> {
    let (count, orders) = (h.conversions(), h.of_kind(ConversionKind::Sale.word()));
    let own = h.money.get(site.currency.code()).map_or(0, |m| m.net_minor());
    // Currencies are never added: it is one of the site's own.
    let average = Money::new(own, site.currency).average(h.sales.get(site.currency.code()).copied().unwrap_or(0));
    let shown = json!({
        "visits": h.visits,
        "conversions": shown_kinds(h),
        "attributed": h.attributed,
        "unattributed": count - h.attributed,
        "net": shown::moneys(&moneys(&h.money, |m| m.net_minor())),
        "sold": shown::moneys(&moneys(&h.money, |m| m.sold_minor)),
        "back": shown::moneys(&moneys(&h.money, |m| m.back_minor)),
        "orders": orders,
        "average_order": shown::maybe_money(average),
        "attribution_rate": rate(h.attributed, count),
        "attribution_range": range(h.attributed, count).map(|(low, high)| [low, high]),
        "conversion_rate": rate(count, h.visits),
        "conversion_range": range(count, h.visits).map(|(low, high)| [low, high]),
        "average_days_to_convert": rate(h.days_sum, h.days_count),
        "days_known": h.days_count,
    });
    match shown {
        Value::Object(shown) => shown,
        _ => Map::new(),
    }
}

fn shown_kinds(h: &DayFigures) -> Map<String, Value> {
    let mut kinds = Map::new();
    kinds.insert("all".into(), h.conversions().into());
    for kind in ConversionKind::ALL {
        kinds.insert(kind.word().into(), h.of_kind(kind.word()).into());
    }
    kinds
}

/// One sum a currency, in the order of their codes; currencies are never added.
pub fn moneys(all: &Moneys, pick: impl Fn(&Flow) -> i64) -> Vec<Money> {
    all.iter().filter_map(|(code, flow)| Currency::parse(code).map(|c| Money::new(pick(flow), c))).collect()
}

fn shown_days(all: &ByDay) -> Value {
    all.iter()
        .map(|(day, f)| {
            json!({
                "day": day.to_string(),
                "visits": f.visits,
                "conversions": shown_kinds(f),
                "attributed": f.attributed,
                "days_sum": f.days_sum,
                "days_known": f.days_count,
                "net": shown::moneys(&moneys(&f.money, |m| m.net_minor())),
                "sold": shown::moneys(&moneys(&f.money, |m| m.sold_minor)),
                "back": shown::moneys(&moneys(&f.money, |m| m.back_minor)),
            })
        })
        .collect()
}

fn latest(c: &SiteConn, site: &Site, wanted: &Wanted) -> Result<Value> {
    let list = WantedList {
        span: wanted.days.span(),
        filter: wanted.filter.clone(),
        search: None,
        may_see_people: false,
        order: Order::HappenedAt,
        cursor: None,
        limit: LATEST,
    };
    let mut page = conversions::page(c, &site.zone, &list)?;
    page.lines.iter_mut().for_each(|line| conversions::keep_within(line, &wanted.sight));
    Ok(page.lines.iter().map(|line| shown::line(line, &site.zone, wanted.lens, wanted.is_of_the_books)).collect())
}

/// `GET /api/sites/{site}/reports/timeseries`
pub async fn timeseries(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let of = site.clone();
    let (days, before) = patient(&app, &site, move |c| both(c, &of, &wanted)).await?;
    let today = site.zone.day(app.clock.now()).to_string();
    ask.shown(json!({"items": shown_days(&days), "compare": before.as_ref().map(shown_days), "today": today}))
}

/// `GET /api/sites/{site}/reports/timeseries.csv`
pub async fn timeseries_csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let of = site.clone();
    let (days, before) = patient(&app, &site, move |c| both(c, &of, &wanted)).await?;
    let mut head = vec!["day", "visits", "conversions", "orders", "leads", "attributed", "sold", "back", "net", "currency"];
    if before.is_some() {
        head.extend(["compared_day", "compared_visits", "compared_conversions", "compared_net"]);
    }
    let own = |f: &DayFigures, pick: fn(&Flow) -> i64| {
        Cell::number(Money::new(f.money.get(site.currency.code()).map_or(0, pick), site.currency).decimal())
    };
    let mut earlier = before.as_ref().map(|days| days.iter());
    let rows: Vec<Vec<Cell>> = days
        .iter()
        .map(|(day, f)| {
            let mut row = vec![
                Cell::text(day.to_string()),
                Cell::number(f.visits),
                Cell::number(f.conversions()),
                Cell::number(f.of_kind(ConversionKind::Sale.word())),
                Cell::number(f.of_kind(ConversionKind::Lead.word())),
                Cell::number(f.attributed),
                own(f, |m| m.sold_minor),
                own(f, |m| m.back_minor),
                own(f, |m| m.net_minor()),
                Cell::text(site.currency.code()),
            ];
            if let Some(earlier) = &mut earlier {
                row.extend(match earlier.next() {
                    Some((day, f)) => {
                        [Cell::text(day.to_string()), Cell::number(f.visits), Cell::number(f.conversions()), own(f, |m| m.net_minor())]
                    }
                    None => [Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty],
                });
            }
            row
        })
        .collect();
    tables::file("days", &head, rows)
}

/// `GET /api/sites/{site}/reports/live`
pub async fn live(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let now = app.clock.now();
    Reply::json(&json!({"visitors_now": app.presence.now(site.id, now), "minutes": app.presence.minutes(site.id, now)}))
}
