//! New customers against those who came back, on some days: a sale is of a new customer where it is that customer's first
//! one that counts.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::ask::Ask;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::query::{self, Param};
use super::{DEFAULT_DAYS, moneys, patient};
use crate::app::App;
use crate::domain::money::Money;
use crate::domain::question::{Asked, ConversionFilter, Period, Span};
use crate::error::{Error, Result};
use crate::store::questions::customers;
use crate::store::questions::money::{self, Moneys};
use crate::store::questions::sales::{self, Key, Sold};

/// Days, and which sales: the others are refused, not passed over.
const QUERY: &[Param] = query::CHAT;

pub const CUSTOMERS: Doc = Doc::new("Reports", "New customers against those who came back: how many, their sales, their money by day of booking. An average order is net revenue by orders. Worth is over all time; with a filter, of those who bought so on these days.")
    .query(QUERY)
    .answer(
        r#"{"customers":{"all":12,"new":9,"returning":3},"orders":15,"net":[],"buyers":{"new":{"orders":9,"net":[]},"returning":{"orders":5,"net":[]},"unknown":{"orders":1,"net":[]}},"platforms":[],"worth":{"customers":40,"average":null,"median":null}}"#,
    )
    .statuses(&[200, 400]);

/// Sales and money that have a word in common.
#[derive(Default)]
struct Part {
    orders: i64,
    money: Moneys,
}

impl Part {
    fn add(&mut self, key: &Key, sold: &Sold) {
        self.orders += sold.orders;
        money::of(&mut self.money, &key.currency).add_all(&sold.money);
    }

    fn shown(&self) -> Value {
        json!({
            "orders": self.orders,
            "net": shown::moneys(&moneys(&self.money, |m| m.net_minor())),
            "sold": shown::moneys(&moneys(&self.money, |m| m.sold_minor)),
            "back": shown::moneys(&moneys(&self.money, |m| m.back_minor)),
        })
    }
}

/// `GET /api/sites/{site}/reports/customers`
pub async fn customers(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let asked = Asked(&ask.query);
    if let Some((name, _)) = ask.query.iter().find(|(name, _)| !QUERY.iter().any(|(known, _)| known == name)) {
        let known: Vec<&str> = QUERY.iter().map(|(name, _)| *name).collect();
        return Err(Error::parameter(name, format!("This report does not go by {name}. It takes {}.", known.join(", "))));
    }
    let days = asked.days(&site.zone, app.clock.now(), DEFAULT_DAYS)?;
    let filter = ConversionFilter::read(asked)?.named_by(&site.rules);
    let of = site.clone();
    let (sold, (count, all, worths)) = patient(&app, &site, move |c| {
        let period = Period::whole(days);
        let customers = match filter.is_open() {
            true => {
                let all = customers::count(c, &of.zone, Span::default())?;
                (customers::count(c, &of.zone, days.span())?, all, customers::worths(c, of.currency)?)
            }
            false => {
                let (count, worths) = customers::count_of(c, &of.zone, days, &filter, of.currency)?;
                (count, count, worths)
            }
        };
        Ok((sales::sales(c, &of.zone, period, &filter)?, customers))
    })
    .await?;
    let (mut whole, mut buyers, mut platforms) = (Part::default(), HashMap::<&str, Part>::new(), HashMap::<&str, Part>::new());
    for (key, sold) in &sold {
        whole.add(key, sold);
        buyers.entry(&key.buyer).or_default().add(key, sold);
        platforms.entry(&key.platform).or_default().add(key, sold);
    }
    let named: Map<String, Value> = ["new", "returning", "unknown"]
        .into_iter()
        .map(|word| (word.to_owned(), buyers.get(word).unwrap_or(&Part::default()).shown()))
        .collect();
    let mut platforms: Vec<(&str, Part)> = platforms.into_iter().filter(|(_, part)| part.orders != 0 || !part.money.is_empty()).collect();
    platforms.sort_by(|(a, x), (b, y)| y.orders.cmp(&x.orders).then_with(|| a.cmp(b)));
    let platforms: Vec<Value> = platforms
        .iter()
        .map(|(name, part)| {
            let mut shown = part.shown();
            shown["platform"] = (*name).into();
            shown
        })
        .collect();
    let mut answer = whole.shown();
    answer["from"] = days.from.to_string().into();
    answer["to"] = days.to.to_string().into();
    answer["customers"] = json!({"all": count.all, "new": count.new, "returning": count.returning});
    answer["buyers"] = Value::Object(named);
    answer["platforms"] = platforms.into();
    let own = |minor: i64| Money::new(minor, site.currency);
    let net = whole.money.get(site.currency.code()).map_or(0, |m| m.net_minor());
    let orders = sold.iter().filter(|(key, _)| key.currency == site.currency.code()).map(|(_, sold)| sold.orders).sum();
    answer["average_order"] = shown::maybe_money(own(net).average(orders));
    answer["worth"] = json!({
        "customers": all.all,
        "returning": all.returning,
        "average": shown::maybe_money(own(worths.net_minor).average(worths.customers)),
        "median": shown::maybe_money(worths.median_minor.map(own)),
    });
    Reply::json(&answer)
}
