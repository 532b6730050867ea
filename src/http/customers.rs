//! Customers by what they are worth, when they bought and how often. Masked, as people are in every list.

use serde_json::{Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::channel::channel;
use crate::domain::money::Currency;
use crate::domain::question::Asked;
use crate::domain::time::Zone;
use crate::error::{Error, Kind, Result};
use crate::store::questions::customers::page::{Order, Wanted};
use crate::store::questions::customers::{self, Buyer, Customer};
use crate::store::sites::Site;

const QUERY: &[(&str, &str)] = &[
    ("from", "who bought since this day; without it, whenever"),
    ("to", "and up to this one"),
    ("sort", "lifetime, orders, average, first or last; the largest first"),
    ("currency", "whose money is meant; without it, the site's"),
    ("buyer", "new (first sale on these days; without days, one sale) or returning"),
    ("source", "of the visit that began the first sale; `unattributed` for none"),
    ("q", "an e-mail address, phone or customer id, or its beginning"),
    ("cursor", "`next` of the page before, with the same sort"),
    ("limit", "rows, at most 500"),
];

pub const LIST: Doc = Doc::new("People", "Who has bought: what they are worth net of refunds, how often, and how they began; masked.")
    .query(QUERY)
    .answer(
        r#"{"items":[{"id":"contact_7","who":{"display":"an••••@••••.ie","contact":"contact_7"},"orders":3,"lifetime":{"minor":41250,"currency":"EUR"},"average":{"minor":13750,"currency":"EUR"},"others":[],"first_at":"2026-06-01T09:20:00+00:00","last_at":"2026-06-13T09:20:00+00:00","first":{"source":"google","medium":"cpc"}}],"next":null,"total":{"count":1,"new":1,"returning":0}}"#,
    )
    .statuses(&[200, 400, 403]);
pub const CSV: Doc =
    Doc::new("People", "The same as CSV, all rows; masked.").query(QUERY).answer("id,who,…").of_type("text/csv").statuses(&[200, 400]);
pub const JSONL: Doc =
    Doc::new("People", "The same as JSON lines, all rows; masked.").query(QUERY).of_type("application/x-ndjson").statuses(&[200, 400]);

fn read(app: &App, ask: &Ask, site: &Site) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    let words = Order::ALL.map(Order::word);
    let word = asked.word("sort", &words)?;
    let order = Order::ALL.into_iter().find(|o| Some(o.word()) == word).unwrap_or(Order::Lifetime);
    let currency = match asked.one("currency") {
        None => site.currency,
        Some(code) => Currency::parse(code).ok_or_else(|| Error::parameter("currency", "currency is a code like EUR."))?,
    };
    let search = asked.search()?.map(str::to_owned);
    if search.is_some() && !ask.may_see_people() {
        return Err(Error::new(Kind::Forbidden, "missing_right", "Looking for people needs the role analyst."));
    }
    Ok(Wanted {
        currency,
        order,
        span: asked.span(&site.zone, app.clock.now())?,
        buyer: buyer(asked)?,
        source: asked.choice("source", |_| true, "a source like google")?,
        search,
        with_erased: true,
        cursor: asked.cursor(order.word())?,
        limit: asked.limit()?,
    })
}

/// One of two: not to be the one is to be the other, and both are everybody.
fn buyer(asked: Asked) -> Result<Option<Buyer>> {
    let choice = asked.choice("buyer", |v| matches!(v, "new" | "returning"), "new or returning")?;
    Ok(match (choice.admits("new"), choice.admits("returning")) {
        (true, false) => Some(Buyer::New),
        (false, true) => Some(Buyer::Returning),
        _ => None,
    })
}

/// `GET /api/sites/{site}/customers`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let (order, currency) = (wanted.order, wanted.currency);
    let zone = site.zone.clone();
    let (page, count) =
        app.store.read(site.id, move |c| Ok((customers::page::page(c, &zone, &wanted)?, customers::count(c, &zone, wanted.span)?))).await?;
    Reply::json(&json!({
        "items": page.customers.iter().map(|k| line(k, currency, &site.zone)).collect::<Vec<_>>(),
        "next": page.next.map(|cursor| cursor.text(order.word())),
        "total": {"count": count.all, "new": count.new, "returning": count.returning},
    }))
}

fn line(k: &Customer, currency: Currency, zone: &Zone) -> Value {
    let own = k.worth_in(currency);
    let others: Vec<Value> = k.worth.iter().filter(|w| w.net.currency != currency).map(|w| shown::money(w.net)).collect();
    let first = k.first_source.as_deref().map(|source| {
        let medium = k.first_medium.as_deref().unwrap_or_default();
        json!({"source": source, "medium": medium, "campaign": k.first_campaign, "channel": channel(source, medium, k.first_campaign.as_deref())})
    });
    json!({
        "id": (!k.is_erased()).then_some(k.contact),
        "who": {"display": shown::person(k.email.as_deref(), k.phone.as_deref(), false), "contact": (!k.is_erased()).then_some(k.contact)},
        "is_erased": k.is_erased(),
        "country": k.country,
        "orders": k.orders,
        "is_returning": k.orders > 1,
        "lifetime": shown::maybe_money(own.map(|w| w.net)),
        "average": shown::maybe_money(own.and_then(|w| w.average())),
        "others": others,
        "first_at": shown::maybe_time(zone, k.first_at),
        "last_at": shown::maybe_time(zone, k.last_at),
        "first": first,
        "first_conversion": k.first_conversion,
        "conversations": k.conversations,
        "attributed": k.attributed,
    })
}

/// `GET /api/sites/{site}/customers.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/customers.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 14] = [
    "id",
    "who",
    "country",
    "orders",
    "lifetime",
    "average",
    "currency",
    "others",
    "first_at",
    "last_at",
    "first_source",
    "first_medium",
    "first_campaign",
    "conversations",
];

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let mut wanted = read(&app, &ask, &site)?;
    wanted.limit = exports::PAGE;
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-customers", site.slug);
    let currency = wanted.currency;
    let page = move |cursor| {
        let (app, site, wanted) = (app.clone(), site.clone(), Wanted { cursor, ..wanted.clone() });
        async move {
            let zone = site.zone.clone();
            let page = app.store.read(site.id, move |c| customers::page::page(c, &zone, &wanted)).await?;
            let text = match format {
                Format::Csv => exports::csv_lines(&page.customers.iter().map(|k| cells(k, currency, &site.zone)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(page.customers.iter().map(|k| line(k, currency, &site.zone))),
            };
            Ok((text, page.next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn cells(k: &Customer, currency: Currency, zone: &Zone) -> Vec<Cell> {
    let own = k.worth_in(currency);
    let others: Vec<String> = k.worth.iter().filter(|w| w.net.currency != currency).map(|w| w.net.to_string()).collect();
    vec![
        Cell::maybe((!k.is_erased()).then(|| k.contact.to_string())),
        Cell::maybe(shown::person(k.email.as_deref(), k.phone.as_deref(), false)),
        Cell::maybe(k.country.as_deref()),
        Cell::number(k.orders),
        Cell::maybe_number(own.map(|w| w.net.decimal())),
        Cell::maybe_number(own.and_then(|w| w.average()).map(|m| m.decimal())),
        Cell::text(currency.code()),
        Cell::text(others.join("; ")),
        Cell::maybe(k.first_at.map(|at| zone.text(at))),
        Cell::maybe(k.last_at.map(|at| zone.text(at))),
        Cell::maybe(k.first_source.as_deref()),
        Cell::maybe(k.first_medium.as_deref()),
        Cell::maybe(k.first_campaign.as_deref()),
        Cell::number(k.conversations),
    ]
}
