//! People as the site knows them, and who has changed what.

use serde_json::{Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use super::timeline::shown_head;
use crate::app::App;
use crate::domain::ids::ContactId;
use crate::domain::mask;
use crate::domain::question::Asked;
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::store::questions::audit;
use crate::store::questions::contacts::{self, Identity, Line};
use crate::store::questions::timeline;

const CONTACTS: &str = "contact";
const AUDIT: &str = "audit";

pub const LIST: Doc = Doc::new("People", "Contacts, the newest first; masked.")
    .query(&[
        ("q", "an e-mail address, phone or customer id, or its beginning"),
        ("cursor", "`next` of the page before"),
        ("limit", "rows, at most 500"),
    ])
    .answer(r#"{"items":[],"next":null}"#)
    .statuses(&[200, 400]);
pub const CSV: Doc = Doc::new("People", "The same as CSV, all rows; masked.")
    .query(&[("q", "an e-mail address, phone or customer id, or its beginning")])
    .answer("id,email,…")
    .of_type("text/csv")
    .statuses(&[200, 400]);
pub const JSONL: Doc = Doc::new("People", "The same as JSON lines, all rows; masked.")
    .query(&[("q", "an e-mail address, phone or customer id, or its beginning")])
    .of_type("application/x-ndjson")
    .statuses(&[200, 400]);
pub const ONE: Doc = Doc::new("People", "One person: what is known, and all conversions.").statuses(&[200, 404]);
pub const CHANGES_CSV: Doc = Doc::new("Site", "The same as CSV, all rows.").answer("id,at,who,what,detail").of_type("text/csv");
pub const CHANGES_JSONL: Doc = Doc::new("Site", "The same as JSON lines, all rows.").of_type("application/x-ndjson");
pub const CHANGES: Doc = Doc::new("Site", "Who has changed what, the newest first.")
    .query(&[("cursor", "`next` of the page before"), ("limit", "rows, at most 500")])
    .answer(r#"{"items":[],"next":null}"#)
    .statuses(&[200, 400]);

/// `GET /api/sites/{site}/contacts`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let asked = Asked(&ask.query);
    let (search, cursor, limit) = (asked.search()?.map(str::to_owned), asked.cursor(CONTACTS)?, asked.limit()?);
    let (lines, next) = app.store.read(site.id, move |c| contacts::page(c, search.as_deref(), cursor, limit)).await?;
    Reply::json(&json!({
        "items": lines.iter().map(|l| shown_line(l, &site.zone, false)).collect::<Vec<_>>(),
        "next": next.map(|cursor| cursor.text(CONTACTS)),
    }))
}

/// `GET /api/sites/{site}/contacts.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/contacts.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 7] = ["id", "email", "phone", "country", "first_seen_at", "last_seen_at", "conversions"];

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let search = Asked(&ask.query).search()?.map(str::to_owned);
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-contacts", site.slug);
    let page = move |cursor| {
        let (app, site, search) = (app.clone(), site.clone(), search.clone());
        async move {
            let (lines, next) = app.store.read(site.id, move |c| contacts::page(c, search.as_deref(), cursor, exports::PAGE)).await?;
            let text = match format {
                Format::Csv => exports::csv_lines(&lines.iter().map(|l| cells(l, &site.zone)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(lines.iter().map(|l| shown_line(l, &site.zone, false))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn cells(l: &Line, zone: &Zone) -> Vec<Cell> {
    vec![
        Cell::text(l.id.to_string()),
        Cell::maybe(l.email.as_deref().map(mask::email)),
        Cell::maybe(l.phone.as_deref().map(mask::phone)),
        Cell::maybe(l.country.as_deref()),
        Cell::text(zone.text(l.first_seen_at)),
        Cell::text(zone.text(l.last_seen_at)),
        Cell::number(l.conversions),
    ]
}

/// `GET /api/sites/{site}/contacts/{id}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let unknown = || Error::not_found("There is no such contact.");
    let id: ContactId = ask.param("id").parse().map_err(|()| unknown())?;
    let found = app
        .store
        .read(site.id, move |c| match contacts::find(c, id)? {
            Some(contact) => Ok(Some((timeline::head(c, contact.line.id)?, contact))),
            None => Ok(None),
        })
        .await?;
    let (head, contact) = found.ok_or_else(unknown)?;
    let is_open = ask.may_see_people();
    let mut shown = shown_line(&contact.line, &site.zone, is_open);
    shown["identities"] = contact.identities.iter().map(|i| identity(i, &site.zone, is_open)).collect();
    shown["net"] = shown::moneys(&contact.net);
    shown["head"] = shown_head(&head, contact.line.first_seen_at, &site.zone);
    shown["items"] = contact
        .conversions
        .iter()
        .map(|v| {
            json!({"id": v.id, "kind": v.kind, "label": v.label, "amount": shown::maybe_money(v.amount), "status": v.status,
                "happened_at": shown::time(&site.zone, v.happened_at)})
        })
        .collect();
    shown["may_see_people"] = is_open.into();
    Reply::json(&shown)
}

fn shown_line(l: &Line, zone: &Zone, is_open: bool) -> Value {
    let word = |text: &Option<String>| match text {
        Some(text) if is_open => Value::from(text.as_str()),
        Some(text) => mask::word(text).into(),
        None => Value::Null,
    };
    json!({
        "id": l.id,
        "display": shown::person(l.email.as_deref(), l.phone.as_deref(), is_open),
        "email": l.email.as_ref().map(|e| if is_open { e.clone() } else { mask::email(e) }),
        "phone": l.phone.as_ref().map(|p| if is_open { p.clone() } else { mask::phone(p) }),
        "first_name": word(&l.first_name),
        "last_name": word(&l.last_name),
        "company": word(&l.company),
        "country": l.country,
        "city": word(&l.city),
        "first_seen_at": shown::time(zone, l.first_seen_at),
        "last_seen_at": shown::time(zone, l.last_seen_at),
        "conversions": l.conversions,
    })
}

fn identity(i: &Identity, zone: &Zone, is_open: bool) -> Value {
    let value = match (is_open, i.kind.as_str()) {
        (true, _) => i.value.clone(),
        (false, "email") => mask::email(&i.value),
        (false, "phone") => mask::phone(&i.value),
        (false, _) => mask::word(&i.value),
    };
    json!({"kind": i.kind, "value": value, "verified": i.is_verified, "first_at": shown::time(zone, i.first_at), "source": i.source})
}

/// `GET /api/sites/{site}/audit`
pub async fn changes(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let asked = Asked(&ask.query);
    let (cursor, limit) = (asked.cursor(AUDIT)?, asked.limit()?);
    let (lines, next) = app.store.read(site.id, move |c| audit::page(c, cursor, limit)).await?;
    let items: Vec<Value> = lines.iter().map(|l| change(l, &site.zone)).collect();
    Reply::json(&json!({"items": items, "next": next.map(|cursor| cursor.text(AUDIT))}))
}

fn change(l: &audit::Line, zone: &Zone) -> Value {
    json!({"id": l.id, "at": shown::time(zone, l.at), "who": l.who, "what": l.what, "detail": l.detail})
}

/// `GET /api/sites/{site}/audit.csv`
pub async fn changes_csv(app: App, ask: Ask) -> Result<Reply> {
    export_changes(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/audit.jsonl`
pub async fn changes_jsonl(app: App, ask: Ask) -> Result<Reply> {
    export_changes(app, ask, Format::Jsonl).await
}

async fn export_changes(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let head = if format == Format::Csv { exports::csv_head(&["id", "at", "who", "what", "detail"])? } else { Vec::new() };
    let name = format!("{}-audit", site.slug);
    let page = move |cursor| {
        let (app, site) = (app.clone(), site.clone());
        async move {
            let (lines, next) = app.store.read(site.id, move |c| audit::page(c, cursor, exports::PAGE)).await?;
            let text = match format {
                Format::Csv => {
                    let row = |l: &audit::Line| {
                        vec![
                            Cell::number(l.id),
                            Cell::text(site.zone.text(l.at)),
                            Cell::text(l.who.as_str()),
                            Cell::text(l.what.as_str()),
                            Cell::text(l.detail.to_string()),
                        ]
                    };
                    exports::csv_lines(&lines.iter().map(row).collect::<Vec<_>>())?
                }
                Format::Jsonl => exports::json_lines(lines.iter().map(|l| change(l, &site.zone))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}
