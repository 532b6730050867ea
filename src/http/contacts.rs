//! People as the site knows them, and who has changed what.

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::ContactId;
use crate::domain::mask;
use crate::domain::question::Asked;
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::store::questions::audit;
use crate::store::questions::contacts::{self, Identity, Line};

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
pub const ONE: Doc = Doc::new("People", "One person: what is known, and all conversions.").statuses(&[200, 404]);
pub const CHANGES: Doc = Doc::new("Site", "Who has changed what, the newest first.")
    .query(&[("cursor", "`next` of the page before"), ("limit", "rows, at most 500")])
    .answer(r#"{"items":[],"next":null}"#)
    .statuses(&[200, 400]);
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

pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let unknown = || Error::not_found("There is no such contact.");
    let id: ContactId = ask.param("id").parse().map_err(|()| unknown())?;
    let contact = app.store.read(site.id, move |c| contacts::find(c, id)).await?.ok_or_else(unknown)?;
    let is_open = ask.may_see_people();
    let mut shown = shown_line(&contact.line, &site.zone, is_open);
    shown["identities"] = contact.identities.iter().map(|i| identity(i, &site.zone, is_open)).collect();
    shown["net"] = shown::moneys(&contact.net);
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

pub async fn changes(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let asked = Asked(&ask.query);
    let (cursor, limit) = (asked.cursor(AUDIT)?, asked.limit()?);
    let (lines, next) = app.store.read(site.id, move |c| audit::page(c, cursor, limit)).await?;
    let items: Vec<Value> = lines
        .iter()
        .map(|l| json!({"id": l.id, "at": shown::time(&site.zone, l.at), "who": l.who, "what": l.what, "detail": l.detail}))
        .collect();
    Reply::json(&json!({"items": items, "next": next.map(|cursor| cursor.text(AUDIT))}))
}
