//! The statement of a month: every commission with its reason, holds counted down, what went back as lines of its own, and
//! what was paid. The owner reads it in the dashboard, the partner under a link without an account and with people masked.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::assets;
use super::super::exports::{self, Cell, Format};
use super::super::json as reader;
use super::super::reply::Reply;
use super::super::reports::patient;
use super::super::route::Doc;
use super::super::shown;
use super::{Shown, affiliate, everybody, figures, line};
use crate::app::App;
use crate::crypto;
use crate::domain::ids::{AffiliateId, StatementId};
use crate::domain::mask;
use crate::domain::question::{Asked, Days};
use crate::domain::time::{Day, Time, Zone};
use crate::error::{Error, Result};
use crate::flows::affiliates as flow;
use crate::flows::affiliates::statement::{self as frozen, Standing};
use crate::store::affiliates::links::{self, StatementLink};
use crate::store::questions::affiliates::{self as questions, Line, State};
use crate::store::sites::Site;

/// Search engines are asked not to list what was only sent to somebody.
const NOT_LISTED: &str = "noindex, nofollow, noarchive";
/// Days for which a link is good where nobody says otherwise.
const LINK_DAYS: i64 = 90;

const QUERY: &[(&str, &str)] = &[("month", "2026-06; without it, this month")];
const ANSWER: &str = r#"{"name":"Noor","month":"2026-06","is_final":false,"closed_at":null,"digest":null,"terms":"10% of each sale","rule":"…","clicks":40,"conversions":2,"commissions":{"earned":[],"pending":[],"approved":[],"paid":[],"reversed":[]},"lines":[{"day":"2026-06-13","label":"Order 10574","base":{"minor":8690,"currency":"EUR"},"amount":{"minor":869,"currency":"EUR"},"state":"pending","due_at":"2026-07-13T09:20:00Z","note":"The buyer used the coupon NOOR10."}],"payouts":[]}"#;

pub const SHOW: Doc = Doc::new("Affiliates", "The statement of a partner's month, with the links under which the partner may read it. Of a closed month it is what was written down then (`closed_at`, `digest`): nothing that comes later changes it. `partner` says how the partner stands now, `state_now` and `verdict_now` how a line does.")
    .query(QUERY)
    .answer(ANSWER)
    .statuses(&[200, 404, 422]);
pub const CSV: Doc =
    Doc::new("Affiliates", "Its lines as CSV.").query(QUERY).answer("day,sale,…").of_type("text/csv").statuses(&[200, 404, 422]);
pub const ADD_LINK: Doc =
    Doc::new("Affiliates", "Makes a signed link to the statement of a month; whoever has it needs no account. It ends by itself.")
        .body(r#"{"month":"2026-06","expires_days":90}"#)
        .answer(r#"{"statement":"statement_1","link":"https://t.shop.example/statement/…","expires_at":"2026-09-30T00:00:00Z"}"#)
        .statuses(&[201, 404, 422]);
pub const REVOKE_LINK: Doc = Doc::new("Affiliates", "Ends a link at once.").body("{}").nothing().statuses(&[204, 404]);
pub const PAGE: Doc = Doc::new("Affiliates", "The page of a statement's link.").answer("<!doctype html>…").of_type("text/html");
pub const LOOK: Doc =
    Doc::new("Affiliates", "What a statement's link shows. People and order numbers are masked.").answer(ANSWER).statuses(&[200, 404, 429]);

/// What the owner's page shows beside the statement.
struct Owned {
    one: Shown,
    standing: Standing,
    /// The lines as they stand now, by their numbers: those of a closed month may be decided on and paid all the same.
    now: BTreeMap<i64, Line>,
}

async fn owned(app: &App, site: &Arc<Site>, id: AffiliateId, month: Day) -> Result<Owned> {
    let now = app.clock.now();
    let of = site.clone();
    patient(app, site, move |c| {
        let one = everybody(c, now)?.into_iter().find(|one| one.partner.id == id);
        let one = one.ok_or_else(|| Error::not_found(format!("There is no {id} on this site.")))?;
        let standing = frozen::find(c, &of, id, month, now)?;
        let days = Days { from: month, to: month.plus_months(1).plus(-1) };
        let lines = if standing.closed.is_some() { questions::lines(c, id, days, now)? } else { Vec::new() };
        Ok(Owned { one, standing, now: lines.into_iter().map(|line| (line.id, line)).collect() })
    })
    .await
}

/// `GET /api/sites/{site}/affiliates/{affiliate}/statement`
pub async fn show(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let id = affiliate(&ask)?;
    let owned = owned(&app, &site, id, month(&app, &ask, &site)?).await?;
    let (now, of) = (app.clock.now(), site.clone());
    let links = app.store.read(site.id, move |c| links::list(c, &of.keys.digest, id, now)).await?;
    let partner = line(&site, &owned.one);
    let mut answer = partner.clone();
    if let (Some(answer), Value::Object(statement)) = (answer.as_object_mut(), told(&owned.standing, &site, Some(&owned.now))) {
        answer.extend(statement);
    }
    // Who it is and what is agreed now, where the statement says how it was.
    answer["partner"] = partner;
    answer["links"] = links.iter().map(|(link, token)| link_line(&app, &site, link, token)).collect();
    Reply::json(&answer)
}

fn link_line(app: &App, site: &Site, link: &StatementLink, token: &str) -> Value {
    json!({
        "statement": link.id,
        "month": short(link.month),
        "link": flow::address(app, token),
        "created_at": shown::time(&site.zone, link.created_at),
        "expires_at": shown::time(&site.zone, link.expires_at),
        "views": link.views,
        "last_viewed_at": shown::maybe_time(&site.zone, link.last_viewed_at),
    })
}

/// What the owner and the partner both read, in the zone of its day. The owner is shown whose sale it was, and what became of the
/// lines since.
fn told(standing: &Standing, site: &Site, owner: Option<&BTreeMap<i64, Line>>) -> Value {
    let s = &standing.statement;
    let zone = zone_of(standing, site);
    let lines: Vec<Value> = s.lines.iter().map(|line| line_of(line, s.as_of, &zone, owner)).collect();
    let payouts: Vec<Value> = s
        .payouts
        .iter()
        .map(|x| json!({"payout": x.id, "amount": shown::money(x.amount), "paid_on": x.paid_on.to_string(), "reference": x.reference}))
        .collect();
    let mut all = figures::of(&s.figures, s.currency);
    let more = json!({
        "name": s.name,
        "codes": s.codes,
        "coupons": s.coupons,
        "month": short(s.month),
        "from": s.month.to_string(),
        "to": s.month.plus_months(1).plus(-1).to_string(),
        "is_final": standing.closed.is_some(),
        "closed_at": shown::maybe_time(&zone, standing.closed.as_ref().map(|closed| closed.at)),
        "digest": standing.closed.as_ref().and_then(|closed| closed.digest).map(|digest| crypto::hex(&digest)),
        "site_name": s.site_name,
        "currency": s.currency.code(),
        "zone": zone.name(),
        "terms": s.terms,
        "cookie_days": s.cookie_days,
        "hold_days": s.hold_days,
        "rule": s.rule,
        "lines": lines,
        "is_cut": s.is_cut,
        "payouts": payouts,
        "owed": shown::moneys(&s.owed),
        "as_of": shown::time(&zone, s.as_of),
    });
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    all
}

/// Times stay in the zone in which the month was closed.
fn zone_of(standing: &Standing, site: &Site) -> Zone {
    Zone::parse(&standing.statement.zone).unwrap_or_else(|| site.zone.clone())
}

fn line_of(l: &Line, as_of: Time, zone: &Zone, owner: Option<&BTreeMap<i64, Line>>) -> Value {
    let is_open = owner.is_some();
    let days_left = l.due_at.filter(|at| l.state == State::Pending && *at > as_of).map(|at| zone.day(at).0 - zone.day(as_of).0);
    let mut line = json!({
        "day": l.day.to_string(),
        "own_day": l.own_day.to_string(),
        "label": if is_open { l.label.clone() } else { mask::label(&l.label) },
        "kind": l.kind,
        "base": shown::maybe_money(l.base.filter(|m| m.minor != 0)),
        "amount": shown::maybe_money(l.amount),
        "note": if is_open { l.note.as_str() } else { own_words(&l.note) },
        "state": l.state.word(),
        "due_at": shown::maybe_time(zone, l.due_at),
        "days_left": days_left,
        "flag": l.flag,
        "verdict": l.verdict,
        "verdict_note": l.verdict_note,
        "payout": l.payout,
    });
    if let Some(now) = owner {
        let now = now.get(&l.id).unwrap_or(l);
        line["conversion"] = json!(l.conversion);
        line["may_decide"] = (!now.is_moved && now.payout.is_none() && now.amount.is_some()).into();
        line["verdict_now"] = json!(now.verdict);
        line["state_now"] = now.state.word().into();
    }
    line
}

/// Of the reason what is about the partner: which others had a claim is not theirs to know.
fn own_words(note: &str) -> &str {
    let rest = note.strip_prefix("Became known later. ").unwrap_or(note);
    let end = rest.find(". ").map_or(note.len(), |at| note.len() - rest.len() + at + 1);
    &note[..end]
}

const COLUMNS: [&str; 12] =
    ["day", "sale", "kind", "amount_sold", "sold_in", "commission", "currency", "state", "due_at", "reason", "flag", "payout"];

/// `GET /api/sites/{site}/affiliates/{affiliate}/statement.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let owned = owned(&app, &site, affiliate(&ask)?, month(&app, &ask, &site)?).await?;
    let statement = &owned.standing.statement;
    let zone = zone_of(&owned.standing, &site);
    let rows: Vec<Vec<Cell>> = statement.lines.iter().map(|line| cells(line, &zone)).collect();
    let body = exports::csv_lines(&rows)?;
    let code = statement.codes.first().cloned().unwrap_or_else(|| owned.one.partner.id.to_string());
    let code: String = code.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let name = format!("{}-{code}-{}", site.slug, short(statement.month));
    exports::stream(&name, Format::Csv, exports::csv_head(&COLUMNS)?, move |_| std::future::ready(Ok((body.clone(), None)))).await
}

fn cells(l: &Line, zone: &Zone) -> Vec<Cell> {
    vec![
        Cell::text(l.day.to_string()),
        Cell::text(l.label.as_str()),
        Cell::text(l.kind.as_str()),
        Cell::maybe_number(l.base.map(|m| m.decimal())),
        Cell::maybe(l.base.map(|m| m.currency.code().to_owned())),
        Cell::maybe_number(l.amount.map(|m| m.decimal())),
        Cell::maybe(l.amount.map(|m| m.currency.code().to_owned())),
        Cell::text(l.state.word()),
        Cell::maybe(l.due_at.map(|at| zone.text(at))),
        Cell::text(l.note.as_str()),
        Cell::maybe(l.flag.as_deref()),
        Cell::maybe(l.payout.map(|id| id.to_string())),
    ]
}

/// `POST /api/sites/{site}/affiliates/{affiliate}/links`
pub async fn add_link(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let fields = reader::object(&ask.body)?;
    let month = flow::month("month", reader::required(&fields, "month", 7)?)?;
    if month > site.zone.day(app.clock.now()) {
        return Err(Error::invalid("month", "This month has not come yet."));
    }
    let days = match fields.get("expires_days") {
        None | Some(Value::Null) => LINK_DAYS,
        Some(days) => {
            let days = days.as_i64().filter(|d| (1..=flow::MOST_LINK_DAYS).contains(d));
            days.ok_or_else(|| Error::invalid("expires_days", format!("Days from 1 to {}.", flow::MOST_LINK_DAYS)))?
        }
    };
    let (id, link, expires_at) = flow::add_link(&app, &site, affiliate(&ask)?, month, days, &ask.who()).await?;
    Reply::json_with(201, &json!({"statement": id, "link": link, "expires_at": shown::time(&site.zone, expires_at)}))
}

/// `POST /api/sites/{site}/affiliates/{affiliate}/links/{statement}/revoke`
pub async fn revoke_link(app: App, ask: Ask) -> Result<Reply> {
    let link: StatementId = ask.param("statement").parse().map_err(|()| Error::not_found("There is no such link."))?;
    flow::revoke_link(&app, ask.site()?.id, affiliate(&ask)?, link, &ask.who()).await?;
    Ok(Reply::empty(204))
}

/// `GET /statement/{token}`
pub async fn page(_: App, _: Ask) -> Result<Reply> {
    Ok(assets::page("index.html")?.with("x-robots-tag", NOT_LISTED))
}

/// `GET /api/statements/{token}`
pub async fn look(app: App, ask: Ask) -> Result<Reply> {
    let (link, site) = flow::find_link(&app, ask.param("token"), ask.client, ask.is_proxy_itself()).await?;
    let (now, of, asked) = (app.clock.now(), site.clone(), link.clone());
    let standing = patient(&app, &site, move |c| frozen::find(c, &of, asked.affiliate, asked.month, now)).await?;
    flow::viewed(&app, &link).await?;
    let mut answer = told(&standing, &site, None);
    answer["expires_at"] = shown::time(&zone_of(&standing, &site), link.expires_at);
    Ok(Reply::json(&answer)?.with("x-robots-tag", NOT_LISTED))
}

fn month(app: &App, ask: &Ask, site: &Site) -> Result<Day> {
    match Asked(&ask.query).one("month") {
        None => Ok(site.zone.day(app.clock.now()).month()),
        Some(text) => flow::month("month", text),
    }
}

fn short(month: Day) -> String {
    month.to_string()[..7].to_owned()
}
