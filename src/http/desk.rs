//! The privacy desk: answers on consent over time and what could not be told because of them, the clocks by which rows go,
//! and the record of processing.

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::destinations;
use crate::domain::consent::asks_first;
use crate::domain::money::Money;
use crate::domain::processing::{self, Processing, Recipient};
use crate::domain::question::{Asked, Period};
use crate::domain::retention::{self, ADDRESS_DAYS};
use crate::domain::time::{DAY_MS, Time};
use crate::error::Result;
use crate::flows::erase;
use crate::flows::planning;
use crate::platforms;
use crate::sources::{ASKS_FOR_DATA, ASKS_FOR_SHOP};
use crate::store::people;
use crate::store::questions::clocks as rows;
use crate::store::questions::consents::{self, Answers, Withheld};
use crate::store::questions::inbox;
use crate::store::sites::Site;

const DEFAULT_DAYS: i32 = 30;

pub const CONSENT: Doc = Doc::new("Privacy", "Visits by their answer on consent, day by day, and conversions that consent kept from each platform, or would keep from it were it not in shadow.")
    .query(&[("from", "first day, 2026-06-01; without it, 30 days"), ("to", "last day, included; without it, today")])
    .answer(r#"{"from":"2026-06-01","to":"2026-06-30","total":{"granted":812,"denied":91,"unanswered":40,"nameless":260},"days":[{"day":"2026-06-01","granted":27,"denied":3,"unanswered":1,"nameless":9}],"withheld":[{"connection":"con_7","name":"Meta","platform":"meta","mode":"live","all":60,"for_consent":4,"had_left":1,"worth":[{"minor":19600,"currency":"EUR"}]}]}"#)
    .statuses(&[200, 400]);
pub const CLOCKS: Doc = Doc::new("Privacy", "How long each kind of row is kept, since when there are any, and when the next ones go.")
    .answer(
        r#"{"items":[{"kind":"touches","days":400,"is_own":false,"oldest_at":"2026-04-01T09:20:00Z","next_at":"2027-05-06T09:20:00Z"}]}"#,
    )
    .statuses(&[200]);
pub const REQUESTS: Doc = Doc::new(
    "Privacy",
    "Wishes of customers that a shop's platform has passed on and that only the owner can answer, the newest first. By due_at the platform wants them answered.",
)
.answer(r#"{"items":[{"inbox":"inbox_4","connection":"con_7","at":"2026-06-13T09:20:00Z","due_at":"2026-07-13T09:20:00Z","kind":"data","is_open":true,"sentence":"A customer of the shop asks what is known of them."}]}"#)
.statuses(&[200]);
pub const CLAIMS: Doc = Doc::new(
    "Privacy",
    "Identities that were claimed on pages by more browsers, or by one browser with more others, than people do in a day, in the last thirty days: they are kept for your eyes and match nothing (`why`: too_many). And claims that nothing proves and by which a partner would earn: such a commission waits for you (commission).",
)
.answer(r#"{"items":[{"kind":"email","value":"ann@mail.example","browsers":14,"newest_at":"2026-06-13T09:20:00Z","why":"too_many","sales":0}]}"#)
.statuses(&[200]);
pub const RECORD: Doc =
    Doc::new("Privacy", "The record of processing, made from the settings; what only the owner knows is left to be filled in.")
        .text("RECORD OF PROCESSING\n…")
        .statuses(&[200]);

/// `GET /api/sites/{site}/reports/consent`
pub async fn consent(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let days = Asked(&ask.query).days(&site.zone, app.clock.now(), DEFAULT_DAYS)?;
    let (from, to) = days.span().times(&site.zone);
    let zone = site.zone.clone();
    let (by_day, withheld, worth) = app
        .store
        .read_unhurried(site.id, move |c| {
            Ok((consents::by_day(c, &zone, Period::whole(days))?, consents::withheld(c, from, to)?, consents::worth(c, from, to)?))
        })
        .await?;
    let mut total = Answers::default();
    by_day.values().for_each(|day| total.add(day));
    let book = app.book();
    // Who sends nothing is told of nothing.
    let is_told = |w: &&Withheld| destinations::find(&w.platform).is_some();
    let shown: Vec<Value> = withheld
        .iter()
        .filter(is_told)
        .filter_map(|w| {
            let connection = book.connections_of(site.id).find(|c| c.id.number() == w.connection)?;
            let worth: Vec<Money> = worth.iter().filter(|of| of.connection == w.connection).map(|of| of.amount).collect();
            Some(json!({
                "connection": connection.id, "name": connection.name, "platform": w.platform, "mode": connection.mode.word(), "all": w.all,
                "for_consent": w.for_consent, "had_left": w.had_left, "worth": shown::moneys(&worth),
            }))
        })
        .collect();
    let counts = |a: &Answers| json!({"granted": a.granted, "denied": a.denied, "unanswered": a.unanswered, "nameless": a.nameless});
    let of_day = |(day, a): (&crate::domain::time::Day, &Answers)| {
        let mut shown = counts(a);
        shown["day"] = day.to_string().into();
        shown
    };
    Reply::json(&json!({
        "from": days.from.to_string(),
        "to": days.to.to_string(),
        "total": counts(&total),
        "days": by_day.iter().map(of_day).collect::<Vec<_>>(),
        "withheld": shown,
    }))
}

/// `GET /api/sites/{site}/retention`
pub async fn clocks(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let (oldest, next_address) = app
        .store
        .read(site.id, |c| {
            let oldest = retention::KINDS.iter().map(|kept| rows::oldest(c, kept.kind)).collect::<Result<Vec<_>>>()?;
            Ok((oldest, rows::next_address(c)?))
        })
        .await?;
    let mut items: Vec<Value> = retention::KINDS
        .iter()
        .zip(oldest)
        .map(|(kept, oldest)| {
            let days = days_of(&site, kept.kind, kept.days);
            let next: Option<Time> = oldest.map(|at| at.plus_ms(i64::from(days) * DAY_MS));
            json!({
                "kind": kept.kind,
                "days": days,
                "default_days": kept.days,
                "is_own": site.settings.retention.contains_key(kept.kind),
                "oldest_at": shown::maybe_time(&site.zone, oldest),
                "next_at": shown::maybe_time(&site.zone, next),
            })
        })
        .collect();
    items.push(json!({
        "kind": "addresses",
        "days": ADDRESS_DAYS,
        "default_days": ADDRESS_DAYS,
        "is_own": false,
        "oldest_at": shown::maybe_time(&site.zone, next_address.map(|at| at.plus_ms(-i64::from(ADDRESS_DAYS) * DAY_MS))),
        "next_at": shown::maybe_time(&site.zone, next_address),
    }));
    Reply::json(&json!({ "items": items }))
}

/// What platforms give for an answer: <https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance>
const ANSWERED_WITHIN_MS: i64 = 30 * DAY_MS;

/// `GET /api/sites/{site}/privacy-requests`
pub async fn requests(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let found = app.store.read(site.id, |c| inbox::asked(c, [ASKS_FOR_DATA, ASKS_FOR_SHOP])).await?;
    let shown_one = |asked: &inbox::Asked| {
        let kind = if asked.sentence.starts_with(ASKS_FOR_SHOP) { "shop" } else { "data" };
        json!({
            "inbox": asked.id, "connection": asked.connection, "at": shown::time(&site.zone, asked.received_at),
            "due_at": shown::time(&site.zone, asked.received_at.plus_ms(ANSWERED_WITHIN_MS)), "kind": kind, "is_open": asked.is_open,
            "sentence": asked.sentence,
        })
    };
    Reply::json(&json!({ "items": found.iter().map(shown_one).collect::<Vec<_>>() }))
}

/// `GET /api/sites/{site}/identity-claims`
pub async fn claims(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let since = app.clock.now().plus_ms(-i64::from(DEFAULT_DAYS) * DAY_MS);
    let found = app.store.read(site.id, move |c| people::strange_claims(c, since)).await?;
    let shown_one = |claim: &people::Strange| {
        json!({"kind": claim.kind, "value": claim.value, "browsers": claim.browsers, "newest_at": shown::time(&site.zone, claim.newest_at),
        "why": if claim.earns > 0 { "commission" } else { "too_many" }, "sales": claim.earns})
    };
    Reply::json(&json!({ "items": found.iter().map(shown_one).collect::<Vec<_>>() }))
}

fn days_of(site: &Site, kind: &str, default: u32) -> u32 {
    site.settings.retention.get(kind).copied().unwrap_or(default)
}

/// `GET /api/sites/{site}/processing.txt`
pub async fn record(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let erasures = erase::count(&app, site.id).await?;
    let book = app.book();
    let recipients = book
        .connections_of(site.id)
        .filter(|c| planning::sending(c).is_some())
        .map(|c| Recipient {
            name: c.name.clone(),
            mode: c.mode,
            purpose: platforms::find(&c.platform).map_or(String::new(), |p| p.purpose().to_owned()),
        })
        .collect();
    let mut kept: Vec<(String, u32)> =
        retention::KINDS.iter().map(|k| (retention::in_words(k.kind).to_owned(), days_of(&site, k.kind, k.days))).collect();
    kept.push(("Network addresses of visitors".into(), ADDRESS_DAYS));
    let text = processing::record(&Processing {
        site: site.name.clone(),
        domains: site.domains.clone(),
        made_on: site.zone.day(app.clock.now()).to_string(),
        rule: site.consent,
        home_asks: site.country.as_deref().and_then(asks_first) == Some(true),
        honours_signals: site.settings.gpc,
        recipients,
        kept,
        erasures,
    });
    let name = format!("attachment; filename=\"{}-record-of-processing.txt\"", site.slug);
    Ok(Reply::text("text/plain; charset=utf-8", text).with("content-disposition", name))
}
