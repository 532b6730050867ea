//! The consent ledger: what consent kept from each platform, and the proof that nothing left against a refusal, as lists that open
//! into receipts and deliveries.

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::ConnectionId;
use crate::domain::question::{Asked, Cursor};
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::platforms;
use crate::store::questions::{consents, left};
use crate::store::sites::Site;

const DEFAULT_DAYS: i32 = 30;
/// Of those that should not have left: the count says how many there are, the list is to look into.
const MOST_SHOWN: usize = 100;
const ORDER: &str = "consent";

const DAYS: &[(&str, &str)] = &[("from", "first day, 2026-06-01; without it, 30 days"), ("to", "last day, included; without it, today")];
const ROWS: &[(&str, &str)] = &[
    ("from", "first day, 2026-06-01; without it, 30 days"),
    ("to", "last day, included; without it, today"),
    ("connection", "con_7; without it, all"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];

pub const PROOF: Doc = Doc::new(
    "Privacy",
    "Looks at everything that left of the deliveries of these days once more: of how many the person had refused by then, as far as it had been heard, and how many had left before a no that came later. The answers are read from where they are kept, not from what the sender noted. Each delivery counts once, whatever it took: `taken` are those that the platform took, `unsure` those that may have reached it without an answer, the others it had and did not take. What was held, called back or found nobody has not left.",
)
.query(DAYS)
.answer(r#"{"from":"2026-06-01","to":"2026-06-30","checked_at":"2026-06-30T09:20:00Z","left":[{"connection":"con_7","name":"Meta","platform":"meta","deliveries":41,"taken":39,"unsure":1,"sends":43,"refused":0,"refused_later":2,"bases":[{"basis":"the visitor's own answer","deliveries":41,"sends":43}]}],"total":{"deliveries":41,"taken":39,"unsure":1,"sends":43,"refused":0,"refused_later":2},"refused":[]}"#)
.statuses(&[200, 400]);
pub const LEFT: Doc = Doc::new("Privacy", "The deliveries of these days of which something left, the newest first, with what each told, how often something of it left, why it might, and whether the person had refused.")
    .query(ROWS)
    .answer(r#"{"items":[{"delivery":"delivery_9","conversion":"conversion_12","label":"Order 1042","connection":"con_7","platform":"meta","kind":"Purchase","state":"delivered","amount":{"minor":4900,"currency":"EUR"},"at":"2026-06-30T09:20:00Z","judged_at":"2026-06-30T09:20:01Z","basis":"the visitor's own answer","sends":1,"is_taken":true,"is_unsure":false,"had_refused":false,"refused_later":false}],"next":null}"#)
    .statuses(&[200, 400]);
pub const WITHHELD: Doc = Doc::new("Privacy", "Conversions of these days that consent kept from a platform, the newest first.")
    .query(ROWS)
    .answer(r#"{"items":[{"delivery":"delivery_9","conversion":"conversion_12","label":"Order 1042","connection":"con_7","platform":"meta","kind":"Purchase","state":"skipped","amount":{"minor":4900,"currency":"EUR"},"at":"2026-06-30T09:20:00Z"}],"next":null}"#)
    .statuses(&[200, 400]);

/// `GET /api/sites/{site}/reports/consent/proof`
pub async fn proof(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let now = app.clock.now();
    let days = Asked(&ask.query).days(&site.zone, now, DEFAULT_DAYS)?;
    let (from, to) = days.span().times(&site.zone);
    let (all, wrong) = app.store.read_unhurried(site.id, move |c| left::by_connection(c, from, to, MOST_SHOWN)).await?;
    let book = app.book();
    let shown: Vec<Value> = all
        .iter()
        .map(|(number, of)| {
            let id = ConnectionId::new(*number);
            // What was removed has sent all the same.
            let name = book.connection(id).map_or_else(|| platform_name(&of.platform), |c| c.name.clone());
            let of_basis = |(basis, n): (&String, &left::OfBasis)| json!({"basis": basis, "deliveries": n.deliveries, "sends": n.sends});
            let bases: Vec<Value> = of.by_basis.iter().map(of_basis).collect();
            json!({"connection": id, "name": name, "platform": of.platform, "deliveries": of.deliveries, "taken": of.taken, "unsure": of.unsure,
                "sends": of.sends, "refused": of.refused, "refused_later": of.refused_later, "bases": bases})
        })
        .collect();
    let total = |of: fn(&left::Left) -> i64| all.values().map(of).sum::<i64>();
    Reply::json(&json!({
        "from": days.from.to_string(),
        "to": days.to.to_string(),
        "checked_at": site.zone.text(now),
        "left": shown,
        "total": {"deliveries": total(|l| l.deliveries), "taken": total(|l| l.taken), "unsure": total(|l| l.unsure), "sends": total(|l| l.sends),
            "refused": total(|l| l.refused), "refused_later": total(|l| l.refused_later)},
        "refused": wrong.iter().map(|sent| shown_sent(&site, sent)).collect::<Vec<_>>(),
    }))
}

/// `GET /api/sites/{site}/reports/consent/left`
pub async fn left(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let rows = Rows::read(&app, &ask, &site)?;
    let (found, next) =
        app.store.read(site.id, move |c| left::page(c, rows.from, rows.to, rows.connection, rows.cursor, rows.limit)).await?;
    Reply::json(&json!({
        "items": found.iter().map(|sent| shown_sent(&site, sent)).collect::<Vec<_>>(),
        "next": next.map(|cursor| cursor.text(ORDER)),
    }))
}

/// `GET /api/sites/{site}/reports/consent/withheld`
pub async fn withheld(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let rows = Rows::read(&app, &ask, &site)?;
    let (found, next) =
        app.store.read(site.id, move |c| consents::kept_back(c, rows.from, rows.to, rows.connection, rows.cursor, rows.limit)).await?;
    let shown_kept = |k: &consents::KeptBack| {
        json!({
            "delivery": k.delivery, "conversion": k.conversion, "label": k.label, "connection": ConnectionId::new(k.connection),
            "platform": k.platform, "kind": k.kind, "state": k.state, "amount": shown::maybe_money(k.amount),
            "at": shown::time(&site.zone, k.created_at),
        })
    };
    Reply::json(&json!({
        "items": found.iter().map(shown_kept).collect::<Vec<_>>(),
        "next": next.map(|cursor| cursor.text(ORDER)),
    }))
}

/// What a list is asked for.
struct Rows {
    from: Time,
    to: Time,
    connection: Option<i64>,
    cursor: Option<Cursor>,
    limit: usize,
}

impl Rows {
    fn read(app: &App, ask: &Ask, site: &Site) -> Result<Self> {
        let asked = Asked(&ask.query);
        let (from, to) = asked.days(&site.zone, app.clock.now(), DEFAULT_DAYS)?.span().times(&site.zone);
        let connection = asked
            .one("connection")
            .map(|text| text.parse::<ConnectionId>().map_err(|()| Error::parameter("connection", "connection looks like con_7.")))
            .transpose()?;
        Ok(Self { from, to, connection: connection.map(ConnectionId::number), cursor: asked.cursor(ORDER)?, limit: asked.limit()? })
    }
}

fn platform_name(platform: &str) -> String {
    platforms::find(platform).map_or(platform.to_owned(), |p| p.name().to_owned())
}

fn shown_sent(site: &Site, sent: &left::Sent) -> Value {
    json!({
        "delivery": sent.delivery, "conversion": sent.conversion, "label": sent.label, "connection": ConnectionId::new(sent.connection),
        "platform": sent.platform, "kind": sent.kind, "state": sent.state, "amount": shown::maybe_money(sent.amount),
        "at": shown::time(&site.zone, sent.created_at), "judged_at": shown::time(&site.zone, sent.judged_at), "basis": sent.basis,
        "sends": sent.sends, "is_taken": sent.is_taken, "is_unsure": sent.is_unsure, "had_refused": sent.had_refused,
        "refused_later": sent.refused_later,
    })
}
