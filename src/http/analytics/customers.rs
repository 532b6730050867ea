//! Customers by what they are worth, net of refunds, or the one with an address.

use serde_json::{Map, Value, json};

use super::super::ask::Ask;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::{TOP, days};
use crate::app::App;
use crate::domain::mask;
use crate::domain::money::Money;
use crate::domain::person::Email;
use crate::domain::question::{Asked, Choice, Span};
use crate::error::{Error, Result};
use crate::store::questions::customers::page::{Order, Wanted};
use crate::store::questions::customers::{self, Customer};
use crate::store::sites::Site;

/// The order a cursor belongs to.
const CURSOR: &str = "customers";

pub const CUSTOMERS: Doc = Doc::new("Analytics", "Customers by what they are worth, net of refunds, in the site's currency.")
    .query(&[
        ("domain", "one of the site's domains; a token names its site by itself"),
        ("email", "only the one with this address"),
        ("sort", "lifetimeValue, totalPurchases, averageOrderValue, firstPurchaseAt or lastPurchaseAt; the largest first"),
        ("start", "only who bought since this day"),
        ("end", "and up to this one"),
        ("cursor", "`next` of the page before"),
        ("limit", "rows, at most 500"),
    ])
    .answer(
        r#"{"success":true,"customers":[{"customerId":"contact_7","email":"ann@mail.example","totalPurchases":3,"lifetimeValue":412.5,"averageOrderValue":137.5,"firstPurchaseAt":"2026-06-01T09:20:00Z","lastPurchaseAt":"2026-06-13T09:20:00Z","conversationCount":1,"attributedPurchases":2}],"next":null,"currency":"USD"}"#,
    )
    .statuses(&[200, 400, 404]);

const SORTS: [(&str, Order); 5] = [
    ("lifetimeValue", Order::Lifetime),
    ("totalPurchases", Order::Orders),
    ("averageOrderValue", Order::Average),
    ("firstPurchaseAt", Order::First),
    ("lastPurchaseAt", Order::Last),
];

/// `GET /api/analytics/customers`
pub async fn customers(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let asked = Asked(&ask.query);
    let words = SORTS.map(|(word, _)| word);
    let word = asked.word("sort", &words)?;
    let order = SORTS.iter().find(|(name, _)| Some(*name) == word).map_or(Order::Lifetime, |(_, order)| *order);
    let has_days = asked.one("start").or(asked.one("end")).is_some();
    let span = if has_days { days(&app, asked, &site)?.span() } else { Span::default() };
    let cursor_of = format!("{CURSOR}_{}", order.word());
    let wanted = Wanted { span, cursor: asked.cursor(&cursor_of)?, limit: asked.limit()?, ..listed(&site, order) };
    let (is_open, of) = (ask.may_see_people(), site.clone());
    let (items, next) = match asked.text("email")? {
        Some(text) => {
            let email = Email::parse(text).ok_or_else(|| Error::parameter("email", "email is an address like ann@mail.example."))?;
            let wanted = email.clone();
            let found = app.store.read(site.id, move |c| customers::find_by_email(c, wanted.as_str())).await?;
            (found.iter().map(|k| customer(k, &of, is_open, Some(email.as_str()))).collect::<Vec<_>>(), None)
        }
        None => {
            let zone = site.zone.clone();
            let page = app.store.read(site.id, move |c| customers::page::page(c, &zone, &wanted)).await?;
            (page.customers.iter().map(|k| customer(k, &of, is_open, None)).collect(), page.next)
        }
    };
    Reply::json(&json!({
        "success": true,
        "domain": site.domains.first(),
        "customers": items,
        "next": next.map(|cursor| cursor.text(&cursor_of)),
        "currency": site.currency.code(),
    }))
}

/// `asked` is the address that was asked for: people have several.
pub fn customer(k: &Customer, site: &Site, is_open: bool, asked: Option<&str>) -> Value {
    let email = asked.or(k.email.as_deref()).map(|email| if is_open { email.to_owned() } else { mask::email(email) });
    let own = k.worth_in(site.currency);
    let number = |money: Option<Money>| money.unwrap_or(Money::zero(site.currency)).number();
    let others: Map<String, Value> = k
        .worth
        .iter()
        .filter(|w| w.net.currency != site.currency)
        .map(|w| {
            let average = w.average().unwrap_or(Money::zero(w.net.currency)).number();
            let shown = json!({"totalPurchases": w.orders, "lifetimeValue": w.net.number(), "averageOrderValue": average});
            (w.net.currency.code().to_owned(), shown)
        })
        .collect();
    json!({
        "customerId": k.contact,
        "email": email,
        "totalPurchases": k.orders,
        "lifetimeValue": number(own.map(|w| w.net)),
        "averageOrderValue": number(own.and_then(|w| w.average())),
        "firstPurchaseAt": shown::maybe_time(&site.zone, k.first_at),
        "lastPurchaseAt": shown::maybe_time(&site.zone, k.last_at),
        "isReturning": k.orders > 1,
        "conversationCount": k.conversations,
        "attributedPurchases": k.attributed,
        "currency": site.currency.code(),
        "otherCurrencies": others,
    })
}

/// From the highest, whenever they bought. The documents know of nobody who was erased.
pub fn listed(site: &Site, order: Order) -> Wanted {
    Wanted {
        currency: site.currency,
        order,
        span: Span::default(),
        buyer: None,
        source: Choice::default(),
        search: None,
        with_erased: false,
        cursor: None,
        limit: TOP,
    }
}
