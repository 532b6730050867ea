//! A person's page: how it began, what it is worth, and everything known in the order of time.

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::ContactId;
use crate::domain::mask;
use crate::domain::question::Asked;
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Result};
use crate::store::questions::timeline::{self, Head, Line};
use crate::store::sites::Site;

const ORDER: &str = "timeline";

pub const TIMELINE: Doc =
    Doc::new("People", "What is known of a person, the newest first: visits, forms, orders, refunds, who was told, consent.")
        .query(&[("cursor", "`next` of the page before"), ("limit", "lines, at most 500")])
        .answer(r#"{"items":[{"at":"2026-06-13T09:20:00Z","kind":"visit","source":"google","medium":"cpc"}],"next":null}"#)
        .statuses(&[200, 400, 404]);

/// `GET /api/sites/{site}/contacts/{id}/timeline`
pub async fn timeline(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let unknown = || Error::not_found("There is no such contact.");
    let id: ContactId = ask.param("id").parse().map_err(|()| unknown())?;
    let asked = Asked(&ask.query);
    let (cursor, limit) = (asked.cursor(ORDER)?, asked.limit()?);
    let page = app
        .store
        .read(site.id, move |c| match timeline::resolve(c, id)? {
            Some(id) => timeline::page(c, id, cursor, limit).map(Some),
            None => Ok(None),
        })
        .await?;
    let (lines, next) = page.ok_or_else(unknown)?;
    let is_open = ask.may_see_people();
    Reply::json(&json!({
        "items": lines.iter().map(|l| shown_line(l, site, is_open)).collect::<Vec<_>>(),
        "next": next.map(|cursor| cursor.text(ORDER)),
    }))
}

/// Only what a line has is in it.
fn shown_line(l: &Line, site: &Site, is_open: bool) -> Value {
    let mut shown = json!({"at": shown::maybe_time(&site.zone, l.at), "kind": l.kind});
    let word = |word: &'_ Option<String>| word.clone().unwrap_or_default();
    let (source, medium, campaign) = (word(&l.source), word(&l.medium), word(&l.campaign));
    // Under the names of the site's rules, as everywhere.
    let (source, medium, campaign) = site.rules.named(&source, &medium, &campaign);
    let words = [
        ("name", l.name.as_deref().unwrap_or_default()),
        ("source", source),
        ("medium", medium),
        ("campaign", campaign),
        ("page", l.page.as_deref().unwrap_or_default()),
        ("platform", l.platform.as_deref().unwrap_or_default()),
    ];
    for (name, word) in words.into_iter().filter(|(_, word)| !word.is_empty()) {
        shown[name] = word.into();
    }
    match l.kind.as_str() {
        "consent" => {
            shown["analytics"] = json!(l.reason);
            shown["marketing"] = json!(l.state);
        }
        _ => {
            for (name, word) in [("state", &l.state), ("reason", &l.reason)] {
                if let Some(word) = word {
                    shown[name] = word.as_str().into();
                }
            }
        }
    }
    if let Some(amount) = l.amount {
        shown["amount"] = shown::money(amount);
    }
    if let Some(messages) = l.messages {
        shown["messages"] = messages.into();
    }
    if let Some(conversion) = l.conversion {
        shown["conversion"] = json!(conversion);
    }
    if let Some((kind, value)) = &l.identity {
        shown["identity"] = json!({"kind": kind, "value": identity(kind, value, is_open)});
    }
    shown
}

fn identity(kind: &str, value: &str, is_open: bool) -> String {
    match (is_open, kind) {
        (true, _) => value.to_owned(),
        (false, "email") => mask::email(value),
        (false, "phone") => mask::phone(value),
        (false, _) => mask::word(value),
    }
}

/// What the head of the page says beside the person's own fields.
pub fn shown_head(head: &Head, first_seen_at: Time, zone: &Zone) -> Value {
    let began = head.first_touch_at.map_or(first_seen_at, |at| at.min(first_seen_at));
    let began = head.first_purchase_at.map_or(began, |at| at.min(began));
    json!({
        "began_at": shown::time(zone, began),
        "first_purchase_at": shown::maybe_time(zone, head.first_purchase_at),
        "seconds_to_first_purchase": head.first_purchase_at.map(|at| at.ms_since(began) / 1_000),
        "orders": head.orders,
        "lifetime": shown::moneys(&head.lifetime),
        "consent": head.consent.as_ref().map(|a| {
            json!({"analytics": a.analytics, "marketing": a.marketing, "at": shown::time(zone, a.at), "by": a.by})
        }),
    })
}
