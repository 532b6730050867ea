//! A credit run: gathers the evidence, lets the rules judge, and freezes the answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::domain::attribution::chat::{self, Assist};
use crate::domain::attribution::{Credit, Judged, PathTouch, Policy, Window, attribute, basis_points, journey, weights};
use crate::domain::fact::{Person, ShopTouch, Traces};
use crate::domain::ids::{ContactId, LinkId, SessionId};
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::assists::{self, When};
use crate::flows::click_id;
use crate::store::conversions::{Conversion, CreditFields};
use crate::store::credits::{self, NewRun};
use crate::store::evidence::{self, Asked};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{conversions, short_links, touches};

/// What a run starts from.
pub struct Known<'a> {
    pub session: Option<SessionId>,
    pub person: &'a Person,
    pub contact: Option<ContactId>,
    pub traces: &'a Traces,
    /// The shop's own notes on the buyer's visits.
    pub journey: &'a [ShopTouch],
    /// The identity is only said by a browser: it proves nothing of other sessions.
    pub is_asserted: bool,
}

/// The outcome of a run, as answers and lists need it.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub match_type: &'static str,
    pub is_attributed: bool,
    pub snapshot: Value,
    pub credit: Credit,
    /// What the chats had to do with it; none where nobody has ever chatted.
    pub assist: Option<Assist>,
}

/// Judges and writes one run.
pub fn run(c: &SiteConn, site: &Site, conversion: &Conversion, known: &Known, run: i64, why: &str, now: Time) -> Result<Outcome> {
    let outcome = judge(c, site, conversion, known, now)?;
    write(c, site, conversion, run, why, &outcome, now)?;
    Ok(outcome)
}

/// Judges without writing.
pub fn judge(c: &SiteConn, site: &Site, conversion: &Conversion, known: &Known, now: Time) -> Result<Outcome> {
    let evidence = evidence::gather(c, asked(site, conversion, known))?;
    let judged = Judged { kind: conversion.kind, happened_at: conversion.happened_at };
    let mut credit = attribute(&judged, &evidence, &|at| site.zone.short_day(at, now));
    let assist = assists::judge(c, conversion, known, &evidence)?;
    if let Some(assist) = assist.as_ref().filter(|_| site.settings.policy.chat_credit) {
        credit = chat::credited(credit, assist);
    }
    let is_attributed = credit.match_type != crate::domain::attribution::MatchType::None;
    let snapshot = snapshot(c, site, conversion, &credit)?;
    Ok(Outcome { match_type: credit.match_type.word(), is_attributed, snapshot, credit, assist })
}

/// What evidence is gathered by.
pub fn asked<'a>(site: &'a Site, conversion: &Conversion, known: &'a Known) -> Asked<'a> {
    let domains: Vec<&str> = site.domains.iter().map(String::as_str).collect();
    Asked {
        session: known.session,
        person: known.person,
        contact: known.contact,
        traces: known.traces,
        link_clicks: clicked(&known.traces.click_ids, &site.keys.session),
        journey: journey::touchpoints(known.journey, conversion.happened_at, &domains),
        is_asserted: known.is_asserted,
        happened_at: conversion.happened_at,
        site_domains: domains,
    }
}

/// Those of a fact's click ids that our own links have issued.
fn clicked<'a>(ids: &'a [String], site_key: &[u8; 32]) -> Vec<(&'a str, LinkId, Time)> {
    ids.iter().filter_map(|id| click_id::open(id, site_key).map(|c| (id.as_str(), c.link, c.at))).collect()
}

pub fn write(c: &SiteConn, site: &Site, conversion: &Conversion, run: i64, why: &str, outcome: &Outcome, now: Time) -> Result<()> {
    let policy = &site.settings.policy;
    let credit = &outcome.credit;
    let judged = Judged { kind: conversion.kind, happened_at: conversion.happened_at };
    credits::add(c, &NewRun { conversion: conversion.id, run, at: now, why, credit, policy, snapshot: &outcome.snapshot })?;
    let when = match why {
        "first known" => When::First,
        "joined" | "parted" => When::Joined,
        _ => When::Late,
    };
    assists::keep(c, conversion.id, outcome.assist.as_ref(), when, now)?;
    let credited = credited(&credit.path, &judged, policy);
    let first = credit.path.first().map(|t| (t.touch.source.as_str(), t.touch.medium.as_str(), t.touch.campaign.as_deref()));
    let session = credit.path.iter().rev().map(|t| t.touch.session).find(|id| *id > 0).map(SessionId::new);
    let links: BTreeSet<LinkId> = credit.path.iter().filter_map(|t| t.touch.short_link).collect();
    if run > 1 || !links.is_empty() {
        short_links::set_of_conversion(c, conversion.id, links)?;
    }
    conversions::set_credit(
        c,
        conversion.id,
        &CreditFields {
            run,
            match_type: outcome.match_type,
            is_asserted: credit.is_asserted,
            confidence_bp: i64::from(credit.confidence_bp),
            credited: credited.map(|t| (t.touch.source.as_str(), t.touch.medium.as_str(), t.touch.campaign.as_deref())),
            first,
            session,
        },
    )
}

/// The touch with the largest share under the site's own lens; the later one of two equals.
pub fn credited<'a>(path: &'a [PathTouch], judged: &Judged, policy: &Policy) -> Option<&'a PathTouch> {
    let weights = weights(policy.model, path, judged.happened_at, policy.window_of(judged.kind));
    let best = weights.iter().copied().filter(|w| *w > 0).max()?;
    path.iter().zip(&weights).rev().find(|(_, w)| **w == best).map(|(t, _)| t)
}

/// Attribution as the documents print it (seed 003; spec 4.3).
fn snapshot(c: &SiteConn, site: &Site, conversion: &Conversion, credit: &Credit) -> Result<Value> {
    let first = credit.path.first();
    let last = credit.path.iter().rev().find(|t| !t.touch.is_direct).or(credit.path.last());
    let session = credit.path.iter().rev().map(|t| t.touch.session).find(|id| *id > 0).map(SessionId::new);
    let mut click_ids = serde_json::Map::new();
    let mut device = Value::Null;
    if let Some(session) = session {
        for (kind, value, _) in touches::list_clicks(c, session)? {
            click_ids.entry(kind).or_insert(Value::from(value));
        }
        if let Some(found) = crate::store::sessions::find_device(c, session)? {
            for (name, value) in [("fbc", &found.fbc), ("fbp", &found.fbp)] {
                if let Some(value) = value {
                    click_ids.insert(name.into(), Value::from(value.as_str()));
                }
            }
            device = json!({"type": found.device, "browser": found.browser, "os": found.system, "country": found.country});
        }
    }
    let (days, seconds) = match first {
        Some(t) => {
            let days = (site.zone.day(conversion.happened_at).0 - site.zone.day(t.touch.at).0).max(0);
            (Value::from(days), Value::from(conversion.happened_at.ms_since(t.touch.at).max(0) / 1_000))
        }
        None => (Value::Null, Value::Null),
    };
    let window = site.settings.policy.window_of(conversion.kind);
    let session_key = session.map(|s| crate::store::sessions::find_key(c, s)).transpose()?.flatten();
    Ok(json!({
        "session_id": session_key,
        "first_touch": first.map(touch_json),
        "last_touch": last.map(touch_json),
        "click_ids": click_ids,
        "device": device,
        "match_type": credit.match_type.word(),
        "asserted": credit.is_asserted,
        "days_to_convert": days,
        "seconds_to_convert": seconds,
        "model": site.settings.policy.model.word(),
        "window": Window(window).word(),
        "shares_bp": basis_points(&weights(site.settings.policy.model, &credit.path, conversion.happened_at, window)),
    }))
}

fn touch_json(t: &PathTouch) -> Value {
    let t = &t.touch;
    json!({
        "source": t.source, "medium": t.medium, "campaign": t.campaign, "term": t.term, "content": t.content,
        "referrer": t.referrer, "landing": t.landing, "timestamp": t.at.utc(),
    })
}
