//! Who takes which steps, and what comes of it: figures over people, from the steps themselves.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::reply::Reply;
use super::super::reports::patient;
use super::super::route::Doc;
use super::none_of;
use crate::app::App;
use crate::domain::milestone::{SOURCES, kinds};
use crate::domain::money::{Currency, Money};
use crate::domain::question::Asked;
use crate::domain::question::funnel::{self, Counts};
use crate::domain::time::Time;
use crate::error::Result;
use crate::sources;
use crate::store::milestones::walked;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::trails::sold;

/// Days where none are named.
const DEFAULT_DAYS: i32 = 30;
/// Parts of the steps that are read for one answer at most.
const MOST_PARTS: usize = 200;

pub const METRICS: Doc = Doc::new(
    "Funnel",
    "People who took a step in these days, how many of them signed up in the same days, and how they went from step to step. A person of several sources is one of the whole and one of each source. A sign-up counts where it came after the person's first step, of a source after the first step of that source. Besides the seven sources stands every other system that has told of somebody in these days, so that nobody of the whole is in no row. Revenue is what they bought from their first step in these days to their end, in the site's currency, less what went back since; rates are fractions.",
)
.query(&[
    ("source_type", "easyappointments, zoom, eventbrite, poshvip, manual, referral or direct_signup, or another system that tells of steps, such as calcom"),
    ("start_date", "first day, 2026-06-01, or a time; without it, 30 days"),
    ("end_date", "last day, included, or a time; without it, today"),
])
.answer(r#"{"total_leads":11,"total_conversions":4,"conversion_rate":0.363636,"sources":[{"source_type":"referral","leads":6,"conversions":3,"rate":0.5,"median_days":5,"revenue":120.5}],"steps":[{"event_type":"lead_captured","people":11,"rate_from_previous":null,"median_seconds":null}]}"#)
.statuses(&[200, 400, 401, 403, 422]);

/// `GET /analytics/funnel-metrics`
pub async fn metrics(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let asked = Asked(&ask.query);
    let source = asked.one("source_type").map(str::to_owned);
    if source.as_deref().is_some_and(|s| !SOURCES.contains(&s) && sources::find(s).is_none()) {
        return Err(none_of("source_type", &SOURCES));
    }
    let (from, to) = asked.times("start_date", "end_date", &site.zone, app.clock.now(), DEFAULT_DAYS - 1)?;
    read_up(&app, &site).await?;
    let of = site.clone();
    Reply::json(&patient(&app, &site, move |c| figures(c, &of, source.as_deref(), from, to)).await?)
}

fn figures(c: &SiteConn, site: &Site, source: Option<&str>, from: Time, to: Time) -> Result<Value> {
    let walked = walked::of_site(c)?;
    let words = kinds(&site.settings.funnel_types);
    let place = |words: &[String], word: &str| words.iter().position(|w| w == word);
    let shown: Vec<Option<u16>> = words.iter().map(|word| place(&walked.kinds, word).and_then(|n| u16::try_from(n).ok())).collect();
    let only = source.map(|source| place(&walked.sources, source).and_then(|n| u8::try_from(n).ok()));
    let seconds = |at: Time| u32::try_from((at.ms() + 999) / 1_000).unwrap_or(u32::MAX);
    let asked = funnel::Asked {
        from_s: seconds(from),
        // A source that has told nothing yet has nobody.
        to_s: if only == Some(None) { 0 } else { seconds(to) },
        source: only.flatten(),
        kinds: &shown,
        sources: walked.sources.len(),
        enrolled: &walked::enrolled(c, from.ms(), to.ms())?,
    };
    let sold = sold::people::of_people(c, &site.zone)?;
    let answer = funnel::answer(walked.steps.iter().copied(), sold.bought(site.currency), &asked);
    let counts = |word: &str| place(&walked.sources, word).and_then(|n| answer.sources.get(n)).cloned().unwrap_or_default();
    let mut others: Vec<&str> = walked.sources.iter().map(String::as_str).filter(|word| !SOURCES.contains(word)).collect();
    others.retain(|word| counts(word).people > 0);
    others.sort_unstable();
    let named = |word: &&str| source.is_none_or(|s| s == *word);
    let sources: Vec<Value> =
        SOURCES.into_iter().chain(others).filter(named).map(|word| of_source(word, &counts(word), site.currency)).collect();
    let mut before: Option<u64> = None;
    let mut steps = Vec::with_capacity(words.len());
    for (word, taken) in words.iter().zip(&answer.steps) {
        steps.push(json!({
            "event_type": word, "people": taken.people,
            "rate_from_previous": before.filter(|n| *n > 0).map(|n| ratio(taken.people, n)),
            "median_seconds": taken.median_s_twice.map(half),
        }));
        before = Some(taken.people);
    }
    Ok(json!({
        "total_leads": answer.all.people, "total_conversions": answer.all.enrolled,
        "conversion_rate": ratio(answer.all.enrolled, answer.all.people), "sources": sources, "steps": steps,
    }))
}

/// All people of a source and its sign-ups, of all times.
pub async fn totals(app: &App, site: &Arc<Site>, source: &'static str) -> Result<Counts> {
    read_up(app, site).await?;
    patient(app, site, move |c| {
        let walked = walked::of_site(c)?;
        let Some(place) = walked.sources.iter().position(|s| s == source) else { return Ok(Counts::default()) };
        let asked = funnel::Asked {
            from_s: 0,
            to_s: u32::MAX,
            source: u8::try_from(place).ok(),
            kinds: &[],
            sources: walked.sources.len(),
            enrolled: &walked::enrolled(c, 0, i64::MAX)?,
        };
        Ok(funnel::answer(walked.steps.iter().copied(), std::iter::empty(), &asked).all)
    })
    .await
}

/// The steps of a large site are read in parts when they are asked for first.
async fn read_up(app: &App, site: &Site) -> Result<()> {
    for _ in 0..MOST_PARTS {
        if patient(app, site, |c| Ok(walked::of_site(c)?.is_whole)).await? {
            break;
        }
    }
    Ok(())
}

fn of_source(word: &str, counts: &Counts, currency: Currency) -> Value {
    let revenue = Money::new(counts.net_minor, currency);
    json!({
        "source_type": word, "leads": counts.people, "conversions": counts.enrolled, "rate": ratio(counts.enrolled, counts.people),
        "median_days": counts.median_days_twice.map(half), "revenue": revenue.number(),
    })
}

/// Nothing of nothing is nothing.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A whole number where it is one.
fn half(twice: i64) -> Value {
    if twice % 2 == 0 { (twice / 2).into() } else { (twice as f64 / 2.0).into() }
}
