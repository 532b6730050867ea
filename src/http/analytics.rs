//! Revenue and customers in the shape of the documents: amounts are numbers with the currency's own digits, other
//! currencies stand apart and are never added. Sales that nothing is credited with are in every total.

/// Who has bought.
pub mod customers;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use self::customers::{customer, listed};
use super::ask::Ask;
use super::reply::Reply;
use super::reports::patient;
use super::route::Doc;
use crate::app::App;
use crate::domain::money::{Currency, Money};
use crate::domain::question::{Asked, ConversionFilter, Days, Period, Span};
use crate::domain::time::Day;
use crate::error::Result;
use crate::store::questions::chats;
use crate::store::questions::customers as people;
use crate::store::questions::customers::page::{Order, Wanted};
use crate::store::questions::money::Flow;
use crate::store::questions::products::{self, Product};
use crate::store::questions::sales::{self, Key, Sold};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

/// Days where none are named.
const DEFAULT_DAYS: i32 = 30;
/// Products and customers named in the figures.
const TOP: usize = 10;
const HIGH_BP: i64 = 8_500;
const MEDIUM_BP: i64 = 6_500;

const FILTERS: &[(&str, &str)] = &[
    ("domain", "the site's host, or one of its shops'; a token names its site by itself"),
    ("start", "first day, 2026-06-01, or a time; without it, 30 days"),
    ("end", "last day, included, or a time; without it, today"),
    ("metric", "all, overview, ltv or attribution"),
    ("limit", "products and customers named, at most 500 (10)"),
    ("platform", "one that told of the sale: woocommerce; ! in front for all others"),
    (
        "source",
        "credited in the books; `unattributed` for none. Conversations by the visit before them; what only a sale has leaves none out",
    ),
    ("medium", "as credited"),
    ("campaign", "as credited"),
    ("channel", "a name like Paid Search"),
];

pub const REVENUE: Doc = Doc::new("Analytics", "Revenue of some days, net of refunds and cancellations, in the site's currency.")
    .query(FILTERS)
    .answer(
        r#"{"success":true,"totalRevenue":1240.5,"grossRevenue":1300,"chatAttributedRevenue":0,"conversationCount":0,"attributedOrders":0,"conversionRate":0,"revenueByPlatform":{"woocommerce":1240.5},"revenueByConfidence":{"high":0,"medium":0,"low":0},"topProducts":[{"productId":"7","name":"Gloves","quantity":3,"revenue":90}],"revenueOverTime":[{"date":"2026-06-13","revenue":1240.5,"attributed":0}],"currency":"USD","otherCurrencies":{}}"#,
    )
    .statuses(&[200, 400, 404]);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    All,
    Overview,
    Ltv,
    Attribution,
}

impl Metric {
    fn read(asked: Asked) -> Result<Self> {
        Ok(match asked.word("metric", &["all", "overview", "ltv", "attribution"])? {
            Some("overview") => Metric::Overview,
            Some("ltv") => Metric::Ltv,
            Some("attribution") => Metric::Attribution,
            _ => Metric::All,
        })
    }

    fn has(self, part: Metric) -> bool {
        self == Metric::All || self == part
    }
}

/// The days that lie wholly or partly between the two.
fn days(app: &App, asked: Asked, site: &Site) -> Result<Days> {
    let (from, to) = asked.times("start", "end", &site.zone, app.clock.now(), DEFAULT_DAYS - 1)?;
    Ok(Days { from: site.zone.day(from), to: site.zone.day(to.plus_ms(-1)) })
}

/// `GET /api/analytics/revenue`
pub async fn revenue(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let asked = Asked(&ask.query);
    let metric = Metric::read(asked)?;
    let days = days(&app, asked, &site)?;
    let top = asked.one("limit").map(|_| asked.limit()).transpose()?.unwrap_or(TOP);
    let filter = ConversionFilter::read(asked)?.within(&ask.sight)?.named_by(&site.rules);
    // What a person is worth goes over all sales: a part of them would tell of the rest.
    let with_people = metric.has(Metric::Ltv) && ask.sight.is_whole();
    let is_open = ask.may_see_people();
    let of = site.clone();
    let mut answer = patient(&app, &site, move |c| {
        let mut answer = Map::new();
        let sold = sales::sales(c, &of.zone, Period::whole(days), &filter)?;
        if metric.has(Metric::Overview) {
            let sold_products = products::by_product(c, &of.zone, Period::whole(days), &filter)?;
            let conversations = chats::count(c, &of.zone, days, &filter)?;
            answer = overview(&sold, &sold_products, days, &of, top, conversations);
        }
        if metric.has(Metric::Attribution) {
            answer.insert("attribution".into(), attribution(&sold, of.currency));
        }
        if with_people {
            answer.insert("ltv".into(), ltv(c, &of, top, is_open)?);
        }
        Ok(answer)
    })
    .await?;
    if ask.sight.hides_money {
        answer.retain(|name, _| matches!(name.as_str(), "conversationCount" | "attributedOrders" | "conversionRate" | "totalOrders"));
    }
    answer.insert("success".into(), true.into());
    answer.insert("domain".into(), site.domains.first().map_or(Value::Null, |d| d.as_str().into()));
    answer.insert("timeRange".into(), json!({"start": days.from.to_string(), "end": days.to.to_string()}));
    answer.insert("currency".into(), site.currency.code().into());
    Reply::json(&Value::Object(answer))
}

/// Sums of one currency.
#[derive(Default)]
struct Figures {
    all: Sold,
    platforms: BTreeMap<String, Flow>,
    chats: BTreeMap<String, Sold>,
    days: BTreeMap<Day, (Flow, Flow)>,
}

fn figures(sold: &HashMap<Key, Sold>, code: &str) -> Figures {
    let mut all = Figures::default();
    for (key, sold) in sold.iter().filter(|(key, _)| key.currency == code) {
        all.all.add(sold);
        let platform = if key.platform.is_empty() { "unknown" } else { &key.platform };
        all.platforms.entry(platform.to_owned()).or_default().add_all(&sold.money);
        all.chats.entry(key.chat.clone()).or_default().add(sold);
        let day = all.days.entry(key.day).or_default();
        day.0.add_all(&sold.money);
        if !key.chat.is_empty() {
            day.1.add_all(&sold.money);
        }
    }
    // A platform of which there is neither a sale nor money on these days is not named.
    all.platforms.retain(|_, flow| *flow != Flow::default());
    all
}

impl Figures {
    /// Sales that a conversation led to.
    fn of_chats(&self) -> impl Iterator<Item = (&str, i64, &Sold)> {
        self.chats.iter().filter_map(|(word, sold)| {
            let (method, confidence) = word.split_once(' ')?;
            Some((method, confidence.parse().ok()?, sold))
        })
    }

    fn shown(&self, currency: Currency) -> Map<String, Value> {
        let number = |minor: i64| Money::new(minor, currency).number();
        let (mut attributed, mut bands) = (Sold::default(), [0, 0, 0]);
        for (_, confidence_bp, sold) in self.of_chats() {
            attributed.add(sold);
            let band = &mut bands[band(confidence_bp)];
            *band = sold.money.net_minor().saturating_add(*band);
        }
        let platforms: Map<String, Value> = self.platforms.iter().map(|(name, flow)| (name.clone(), number(flow.net_minor()))).collect();
        let average = Money::new(self.all.money.net_minor(), currency).average(self.all.orders).unwrap_or(Money::zero(currency));
        let shown = json!({
            "totalRevenue": number(self.all.money.net_minor()),
            "grossRevenue": number(self.all.money.sold_minor),
            "refundedRevenue": number(self.all.money.back_minor.saturating_neg()),
            "totalOrders": self.all.orders,
            "averageOrderValue": average.number(),
            "chatAttributedRevenue": number(attributed.money.net_minor()),
            "attributedOrders": attributed.orders,
            "revenueByPlatform": platforms,
            "revenueByConfidence": {"high": number(bands[0]), "medium": number(bands[1]), "low": number(bands[2])},
        });
        match shown {
            Value::Object(shown) => shown,
            _ => Map::new(),
        }
    }
}

/// High, medium, low: the bands of the documents.
fn band(confidence_bp: i64) -> usize {
    if confidence_bp >= HIGH_BP {
        0
    } else if confidence_bp >= MEDIUM_BP {
        1
    } else {
        2
    }
}

fn overview(
    sold: &HashMap<Key, Sold>,
    products: &HashMap<Product, products::Sold>,
    days: Days,
    site: &Site,
    top: usize,
    conversations: i64,
) -> Map<String, Value> {
    let own = figures(sold, site.currency.code());
    let mut answer = own.shown(site.currency);
    // Orders of all currencies may come out of a conversation.
    let attributed: i64 = sold.iter().filter(|(key, _)| !key.chat.is_empty()).map(|(_, sold)| sold.orders).sum();
    answer.insert("attributedOrders".into(), attributed.into());
    answer.insert("conversationCount".into(), conversations.into());
    answer.insert("conversionRate".into(), percent(attributed, conversations).into());
    let number = |minor: i64| Money::new(minor, site.currency).number();
    let over_time: Vec<Value> = days
        .each()
        .map(|day| {
            let (all, attributed) = own.days.get(&day).map_or((0, 0), |(all, chat)| (all.net_minor(), chat.net_minor()));
            json!({"date": day.to_string(), "revenue": number(all), "attributed": number(attributed)})
        })
        .collect();
    answer.insert("revenueOverTime".into(), over_time.into());
    answer.insert("topProducts".into(), top_products(products, site.currency, top));
    let mut others = Map::new();
    let codes: std::collections::BTreeSet<&str> = sold.keys().map(|k| k.currency.as_str()).collect();
    for currency in codes.into_iter().filter(|code| *code != site.currency.code()).filter_map(Currency::parse) {
        others.insert(currency.code().to_owned(), Value::Object(figures(sold, currency.code()).shown(currency)));
    }
    answer.insert("otherCurrencies".into(), Value::Object(others));
    answer
}

/// Percent with two decimals; nothing out of nothing is nought.
fn percent(cases: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { (cases as f64 * 10_000.0 / whole as f64).round() / 100.0 }
}

/// The largest first; a product that was renamed stands under the name that most of it was sold under.
fn top_products(all: &HashMap<Product, products::Sold>, currency: Currency, top: usize) -> Value {
    struct Row<'p> {
        name: &'p str,
        most: i64,
        quantity: i64,
        net_minor: i64,
    }
    let mut rows: BTreeMap<(&str, &str), Row> = BTreeMap::new();
    let mut named: Vec<_> = all.iter().filter(|(product, _)| !product.is_unknown()).collect();
    named.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    for (product, sold) in named {
        let Some(flow) = sold.money.get(currency.code()) else { continue };
        // Without an id, the name is the product's own.
        let id = if product.id.is_empty() { product.name.as_str() } else { product.id.as_str() };
        let row = rows.entry((&product.platform, id)).or_insert(Row { name: &product.name, most: i64::MIN, quantity: 0, net_minor: 0 });
        let pieces = sold.pieces.get(currency.code()).copied().unwrap_or(0);
        if pieces > row.most && !product.name.is_empty() {
            (row.name, row.most) = (&product.name, pieces);
        }
        row.quantity += pieces;
        row.net_minor = row.net_minor.saturating_add(flow.net_minor());
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|(a, x), (b, y)| (y.net_minor, y.quantity).cmp(&(x.net_minor, x.quantity)).then_with(|| a.cmp(b)));
    rows.into_iter()
        .take(top)
        .map(|((_, id), row)| {
            let name = if row.name.is_empty() { id } else { row.name };
            json!({"productId": id, "name": name, "quantity": row.quantity, "revenue": Money::new(row.net_minor, currency).number()})
        })
        .collect()
}

/// What conversations led to, by method and by band of confidence.
fn attribution(sold: &HashMap<Key, Sold>, currency: Currency) -> Value {
    let own = figures(sold, currency.code());
    let mut methods: BTreeMap<&str, (Sold, i64)> =
        ["session_match", "time_proximity", "email_match"].into_iter().map(|m| (m, Default::default())).collect();
    let mut bands: [(Sold, i64); 3] = Default::default();
    for (method, confidence_bp, sold) in own.of_chats() {
        for (sum, weighed) in [methods.entry(method).or_default(), &mut bands[band(confidence_bp)]] {
            sum.add(sold);
            *weighed += confidence_bp * sold.orders;
        }
    }
    let none = own.chats.get("").cloned().unwrap_or_default();
    methods.insert("no_match", (none, 0));
    let shown = |(sold, weighed): &(Sold, i64)| {
        let average = if sold.orders > 0 { (*weighed as f64 / sold.orders as f64 / 100.0).round() / 100.0 } else { 0.0 };
        json!({"count": sold.orders, "revenue": Money::new(sold.money.net_minor(), currency).number(), "averageConfidence": average})
    };
    let by_method: Map<String, Value> = methods.iter().map(|(name, sums)| ((*name).to_owned(), shown(sums))).collect();
    json!({"byMethod": by_method, "byConfidence": {"high": shown(&bands[0]), "medium": shown(&bands[1]), "low": shown(&bands[2])}})
}

/// What customers are worth, whenever they bought.
fn ltv(c: &SiteConn, site: &Site, top: usize, is_open: bool) -> Result<Value> {
    let count = people::count(c, &site.zone, Span::default())?;
    let worths = people::worths(c, site.currency)?;
    let number = |minor: i64| Money::new(minor, site.currency).number();
    let average = Money::new(worths.net_minor, site.currency).average(worths.customers).map_or(0, |m| m.minor);
    let wanted = Wanted { limit: top, ..listed(site, Order::Lifetime) };
    let page = people::page::page(c, &site.zone, &wanted)?;
    Ok(json!({
        "totalCustomers": count.all,
        "returningCustomers": count.returning,
        "returningCustomerRate": percent(count.returning, count.all),
        "averageLTV": number(average),
        "medianLTV": number(worths.median_minor.unwrap_or(0)),
        "topCustomers": page.customers.iter().map(|k| customer(k, site, is_open, None)).collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_those_of_the_documents() {
        for (confidence, want) in [(9_500, 0), (8_500, 0), (8_499, 1), (6_500, 1), (6_499, 2), (5_000, 2)] {
            assert_eq!(band(confidence), want, "{confidence}");
        }
    }

    #[test]
    fn a_share_of_nothing_is_nought() {
        assert_eq!(percent(3, 0), 0.0);
        assert_eq!(percent(1, 3), 33.33);
        assert_eq!(percent(2, 3), 66.67);
    }
}
