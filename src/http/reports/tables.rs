//! Tables of a report: by channel, source, medium, campaign, landing page, country and device. Each has a
//! row for what nothing is credited with, so that all have the same total.

use std::collections::HashMap;
use std::hash::Hash;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::exports::{self, Cell};
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::columns::{self, Shown, rate};
use super::spent;
use super::{Wanted, moneys, patient, query, read};
use crate::app::App;
use crate::domain::campaign::NOT_SET;
use crate::domain::channel::channel;
use crate::domain::question::filter::{UNATTRIBUTED, UNKNOWN};
use crate::domain::question::rate::{FEW, range};
use crate::domain::question::{Asked, LARGEST_PAGE, Period};
use crate::domain::rule::Rules;
use crate::error::Result;
use crate::store::questions::tables::{self, Detail, Earned, TableRow, Tables, WHOLE, WantedTables};
use crate::store::questions::visits::Origin;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

pub const SOURCES: Doc =
    Doc::new("Reports", "Visits, credited conversions and money by where they came from; unattributed is a row, so that totals agree. Costs and return are of the site's currency and its sales alone; `other_currencies` names what was spent or sold in others, each with its own.")
        .query(query::SOURCES)
        .answer(r#"{"items":[],"total":{}}"#)
        .statuses(&[200, 400]);
pub const SOURCES_CSV: Doc =
    Doc::new("Reports", "The same as CSV. Money of another currency stands in a row of its own, under the same name.")
        .query(query::SOURCES_CSV)
        .answer("name,visits,…")
        .of_type("text/csv")
        .statuses(&[200, 400]);
pub const COUNTRIES: Doc = Doc::new("Reports", "Visits, conversions and money by country: that of the bill, else of the visit.")
    .query(query::REPORT)
    .answer(r#"{"items":[],"total":{}}"#)
    .statuses(&[200, 400]);
pub const COUNTRIES_CSV: Doc =
    Doc::new("Reports", "The same as CSV. Money of another currency stands in a row of its own, under the same name.")
        .query(query::REPORT)
        .answer("name,visits,…")
        .of_type("text/csv")
        .statuses(&[200, 400]);
pub const DEVICES: Doc = Doc::new("Reports", "Visits, conversions and money by the kind of device of the visit.")
    .query(query::REPORT)
    .answer(r#"{"items":[],"total":{}}"#)
    .statuses(&[200, 400]);
pub const DEVICES_CSV: Doc =
    Doc::new("Reports", "The same as CSV. Money of another currency stands in a row of its own, under the same name.")
        .query(query::REPORT)
        .answer("name,visits,…")
        .of_type("text/csv")
        .statuses(&[200, 400]);
/// What a table is by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum By {
    Channel,
    Source,
    Medium,
    Campaign,
    Content,
    Term,
    Landing,
    Country,
    Device,
}

impl By {
    pub fn read(ask: &Ask) -> Result<Self> {
        Ok(match Asked(&ask.query).word("by", &["channel", "source", "medium", "campaign", "content", "term", "landing"])? {
            Some("channel") => By::Channel,
            Some("medium") => By::Medium,
            Some("campaign") => By::Campaign,
            Some("content") => By::Content,
            Some("term") => By::Term,
            Some("landing") => By::Landing,
            _ => By::Source,
        })
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            By::Channel => "channel",
            By::Source => "source",
            By::Medium => "medium",
            By::Campaign => "campaign",
            By::Content => "content",
            By::Term => "term",
            By::Landing => "landing",
            By::Country => "country",
            By::Device => "device",
        }
    }

    /// What of the visits themselves it is by.
    pub fn detail(self) -> Detail {
        match self {
            By::Landing => Detail::Landing,
            By::Content => Detail::Content,
            By::Term => Detail::Term,
            _ => Detail::None,
        }
    }

    /// Where somebody was earns nothing: there is no first and last beside it.
    fn has_ends(self) -> bool {
        !matches!(self, By::Country | By::Device)
    }
}

/// Rows of a table: all of them, as far as an answer goes.
pub fn limit(ask: &Ask) -> Result<usize> {
    let asked = Asked(&ask.query);
    if asked.one("limit").is_some() { asked.limit() } else { Ok(LARGEST_PAGE) }
}

pub fn ask(c: &SiteConn, site: &Site, wanted: &Wanted, by: By) -> Result<Tables> {
    of_period(c, site, &of_tables(wanted, by.detail()), wanted.with_spend)
}

/// The same of what it is compared with; nothing where it is compared with nothing.
pub fn ask_before(c: &SiteConn, site: &Site, wanted: &Wanted, by: By) -> Result<Option<Tables>> {
    let earlier = |period| WantedTables { period, with_ends: false, ..of_tables(wanted, by.detail()) };
    wanted.compare.map(|period| of_period(c, site, &earlier(period), wanted.with_spend)).transpose()
}

fn of_period(c: &SiteConn, site: &Site, wanted: &WantedTables, with_spend: bool) -> Result<Tables> {
    let mut all = tables::tables(c, &site.zone, wanted)?;
    if with_spend {
        spent::add(c, site, wanted.period.days, &wanted.filter, &mut all.origins)?;
    }
    all.origins = named_origins(all.origins, &site.rules);
    Ok(all)
}

pub fn of_tables(wanted: &Wanted, detail: Detail) -> WantedTables {
    WantedTables {
        period: Period::whole(wanted.days),
        filter: wanted.filter.clone(),
        lens: wanted.lens,
        is_of_the_books: wanted.is_of_the_books,
        detail,
        with_ends: has_ends(wanted),
    }
}

/// Through the first and the last visit a part would show who else had a share in it.
pub fn has_ends(wanted: &Wanted) -> bool {
    wanted.filter.within.is_none()
}

/// Origins under the names that the site's rules give: rows of one name become one.
fn named_origins(all: HashMap<Origin, TableRow>, rules: &Rules) -> HashMap<Origin, TableRow> {
    if rules.is_empty() {
        return all;
    }
    let mut named: HashMap<Origin, TableRow> = HashMap::new();
    for (origin, row) in all {
        named.entry(named_origin(&origin, rules)).or_default().add(&row);
    }
    named
}

pub fn named_origin((source, medium, campaign): &Origin, rules: &Rules) -> Origin {
    let (source, medium, campaign) = rules.named(source, medium, campaign);
    (source.to_owned(), medium.to_owned(), campaign.to_owned())
}

/// `GET /api/sites/{site}/reports/sources`
pub async fn sources(app: App, ask: Ask) -> Result<Reply> {
    let by = By::read(&ask)?;
    answered(app, ask, by).await
}

/// `GET /api/sites/{site}/reports/countries`
pub async fn countries(app: App, ask: Ask) -> Result<Reply> {
    answered(app, ask, By::Country).await
}

/// `GET /api/sites/{site}/reports/devices`
pub async fn devices(app: App, ask: Ask) -> Result<Reply> {
    answered(app, ask, By::Device).await
}

async fn answered(app: App, ask: Ask, by: By) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    // First and last visits show who else had a share in the conversions of a part.
    let has_ends = Asked(&ask.query).word("beside", &["ends"])?.is_some() && ask.sight.segment.is_open();
    let limit = limit(&ask)?;
    let of = site.clone();
    let shown = patient(&app, &site, move |c| {
        let tables = asked(c, &of, &wanted, by, has_ends)?;
        let before = ask_before(c, &of, &wanted, by)?;
        let mut shown = shown_by(&with_gone(tables, before.as_ref()), before.as_ref(), by, &of, &wanted, limit);
        shown["compare"] = shown_compare(&wanted, &of);
        Ok(shown)
    })
    .await?;
    ask.shown(shown)
}

/// What it is compared with; null where it is compared with nothing.
pub fn shown_compare(wanted: &Wanted, site: &Site) -> Value {
    wanted.compare.map_or(Value::Null, |period| {
        json!({
            "from": period.days.from.to_string(),
            "to": period.days.to.to_string(),
            "until": shown::maybe_time(&site.zone, period.until),
        })
    })
}

/// With an empty row for whatever was there in the time before and is not there any more.
fn with_gone(mut all: Tables, before: Option<&Tables>) -> Tables {
    let Some(before) = before else { return all };
    add_names(&mut all.origins, &before.origins);
    add_names(&mut all.details, &before.details);
    add_names(&mut all.countries, &before.countries);
    add_names(&mut all.devices, &before.devices);
    all
}

fn add_names<K: Clone + Eq + Hash>(all: &mut HashMap<K, TableRow>, before: &HashMap<K, TableRow>) {
    for name in before.keys() {
        all.entry(name.clone()).or_default();
    }
}

/// In the books' own lens and without a filter the counts of whole days know the origins.
fn asked(c: &SiteConn, site: &Site, wanted: &Wanted, by: By, has_ends: bool) -> Result<Tables> {
    let is_counted = wanted.is_of_the_books && wanted.filter.is_open() && !has_ends && by.has_ends() && by.detail() == Detail::None;
    match is_counted {
        true => {
            let mut origins = tables::origins_of_the_books(c, &site.zone, Period::whole(wanted.days))?;
            if wanted.with_spend {
                spent::add(c, site, wanted.days, &wanted.filter, &mut origins)?;
            }
            Ok(Tables { origins: named_origins(origins, &site.rules), ..Tables::default() })
        }
        false => ask(c, site, wanted, by),
    }
}

pub fn shown_by(all: &Tables, before: Option<&Tables>, by: By, site: &Site, wanted: &Wanted, limit: usize) -> Value {
    let sum = |rows: &mut dyn Iterator<Item = &TableRow>| {
        let mut sum = TableRow::default();
        rows.for_each(|row| sum.add(row));
        sum
    };
    let rows = rows_of(all, by, site, wanted.sight.hides_money);
    let total = sum(&mut rows.iter().map(|(_, row)| row));
    let before: Option<HashMap<String, TableRow>> =
        before.map(|all| rows_of(all, by, site, wanted.sight.hides_money).into_iter().collect());
    let before_total = before.as_ref().map(|all| sum(&mut all.values()));
    let with_ends = by.has_ends() && has_ends(wanted);
    let shown = |name: Option<&str>, row: &TableRow| {
        let mut shown = shown_row(name, row, with_ends);
        spent::show(&mut shown, row, site);
        if let Some(all) = &before {
            let nothing = TableRow::default();
            let was = name.map_or(before_total.as_ref(), |name| all.get(name)).unwrap_or(&nothing);
            shown["before"] = shown_before(was);
            spent::show(&mut shown["before"], was, site);
        }
        shown
    };
    let items: Vec<Value> = rows.iter().take(limit).map(|(name, row)| shown(Some(name), row)).collect();
    json!({
        "items": items,
        "rows": rows.len(),
        "total": shown(None, &total),
        "by": by.word(),
        "model": wanted.lens.model.word(),
        "window": wanted.lens.window.word(),
    })
}

/// The largest first; what nothing is credited with stands last.
fn rows_of(all: &Tables, by: By, site: &Site, hides_money: bool) -> Vec<(String, TableRow)> {
    let mut rows: HashMap<String, TableRow> = HashMap::new();
    let mut add = |name: String, row: &TableRow| rows.entry(name).or_default().add(row);
    match by {
        _ if by.detail() != Detail::None => all.details.iter().for_each(|(word, row)| add(named(word, UNATTRIBUTED), row)),
        By::Country => all.countries.iter().for_each(|(country, row)| add(named(country, UNKNOWN), row)),
        By::Device => all.devices.iter().for_each(|(device, row)| add(named(device, UNKNOWN), row)),
        _ => all.origins.iter().for_each(|(origin, row)| add(name_of(origin, by), row)),
    }
    let own = |r: &TableRow| if hides_money { 0 } else { r.own.money.get(site.currency.code()).map_or(0, |m| m.net_minor()) };
    let mut rows: Vec<(String, TableRow)> = rows.into_iter().collect();
    let is_last = |name: &str| name == UNATTRIBUTED || (name == UNKNOWN && !by.has_ends());
    rows.sort_by(|(a, x), (b, y)| {
        let by_size = (own(y), y.own.conversions_e9, y.visits).cmp(&(own(x), x.own.conversions_e9, x.visits));
        is_last(a).cmp(&is_last(b)).then(by_size).then_with(|| a.cmp(b))
    });
    rows
}

pub fn named(word: &str, none: &str) -> String {
    if word.is_empty() { none.to_owned() } else { word.to_owned() }
}

pub(super) fn name_of((source, medium, campaign): &Origin, by: By) -> String {
    if source.is_empty() {
        return UNATTRIBUTED.to_owned();
    }
    let name = match by {
        By::Channel => channel(source, medium, (!campaign.is_empty()).then_some(campaign)),
        By::Medium => medium,
        By::Campaign => campaign,
        _ => source,
    };
    named(name, NOT_SET)
}

/// A row as it was in the time before.
pub fn shown_before(was: &TableRow) -> Value {
    let mut shown = shown_earned(&was.own);
    shown["leads"] = (was.own.leads_e9 as f64 / WHOLE as f64).into();
    shown["visits"] = was.visits.into();
    shown["conversion_rate"] = rate(was).into();
    shown
}

pub fn shown_row(name: Option<&str>, row: &TableRow, with_ends: bool) -> Value {
    let mut shown = shown_earned(&row.own);
    let whole = row.own.conversions_e9 / WHOLE;
    shown["name"] = name.into();
    shown["leads"] = (row.own.leads_e9 as f64 / WHOLE as f64).into();
    shown["visits"] = row.visits.into();
    shown["conversion_rate"] = rate(row).into();
    shown["conversion_range"] = json!(range(whole.clamp(0, row.visits), row.visits).map(|(low, high)| [low, high]));
    let is_known = name.is_some_and(|n| n != UNATTRIBUTED && n != UNKNOWN);
    shown["is_few"] = (row.visits < FEW && row.own.conversions_e9 < FEW * WHOLE && is_known).into();
    if with_ends {
        shown["first"] = shown_earned(&row.first);
        shown["last"] = shown_earned(&row.last);
    }
    shown
}

pub fn shown_earned(e: &Earned) -> Value {
    json!({
        "conversions": e.conversions_e9 as f64 / WHOLE as f64,
        "orders": e.orders_e9 as f64 / WHOLE as f64,
        "net": shown::moneys(&moneys(&e.money, |m| m.net_minor())),
        "sold": shown::moneys(&moneys(&e.money, |m| m.sold_minor)),
        "back": shown::moneys(&moneys(&e.money, |m| m.back_minor)),
    })
}

/// `GET /api/sites/{site}/reports/sources.csv`
pub async fn sources_csv(app: App, ask: Ask) -> Result<Reply> {
    let by = By::read(&ask)?;
    table_file(app, ask, by).await
}

/// `GET /api/sites/{site}/reports/countries.csv`
pub async fn countries_csv(app: App, ask: Ask) -> Result<Reply> {
    table_file(app, ask, By::Country).await
}

/// `GET /api/sites/{site}/reports/devices.csv`
pub async fn devices_csv(app: App, ask: Ask) -> Result<Reply> {
    table_file(app, ask, By::Device).await
}

async fn table_file(app: App, ask: Ask, by: By) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let shown = Shown::read(&ask, if by.has_ends() { columns::ALL } else { columns::WITHOUT_ENDS })?;
    let of = site.clone();
    let (all, before) = patient(&app, &site, move |c| {
        let before = ask_before(c, &of, &wanted, by)?;
        Ok((with_gone(asked(c, &of, &wanted, by, true)?, before.as_ref()), before))
    })
    .await?;
    let mut rows = rows_of(&all, by, &site, false);
    let before: Option<HashMap<String, TableRow>> = before.map(|all| rows_of(&all, by, &site, false).into_iter().collect());
    let nothing = TableRow::default();
    let was = |name: &String| before.as_ref().map(|all| all.get(name).unwrap_or(&nothing));
    let is_last = |name: &str| name == UNATTRIBUTED;
    rows.sort_by(|(a, x), (b, y)| is_last(a).cmp(&is_last(b)).then_with(|| shown.size(y, &site).total_cmp(&shown.size(x, &site))));
    let lines = rows.iter().flat_map(|(name, row)| shown.lines(&[Cell::text(name.as_str())], row, was(name), &site)).collect();
    file(by.word(), &shown.head(&[by.word()], before.is_some()), lines)
}

/// A table as a file, whole: reports have as many rows as the site has words.
pub fn file(name: &str, head: &[&str], rows: Vec<Vec<Cell>>) -> Result<Reply> {
    let mut text = exports::csv_head(head)?;
    text.extend(exports::csv_lines(&rows)?);
    Ok(Reply::text("text/csv; charset=utf-8", text).with("content-disposition", format!("attachment; filename=\"{name}.csv\"")))
}
