//! A lead, booking, visit or referral that no system has told: looked at first, then stored.

use serde_json::{Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::import::offline::typed;
use crate::domain::mask;
use crate::domain::question::Asked;
use crate::error::Result;
use crate::flows::imports::{Given, home_of};
use crate::flows::offline::{self, Became};
use crate::store::questions::contacts;
use crate::store::sites::Site;

const BODY: &str = r#"{"what":"referral","email":"ann@shop.example","phone":"+353861234567","name":"Ann Byrne","at":"2026-06-12T18:30","source":"fair","medium":"event","campaign":"June","value":"1200.00","currency":"EUR","referred_by":"ben","note":"Kitchen","consent":"yes"}"#;
const SHOWN: &str = r#"{"is_new":true,"is_nobodys":false,"what":"lead_captured","source":"referral","at":"2026-06-12T18:30:00+01:00","value":{"minor":120000,"currency":"EUR"},"who":{"display":"an••••@••••.ie","name":"A•••• B••••"},"known":[],"partner":"Ben","is_joined":false,"conversion":{"id":"conversion_9","kind":"lead","match":{"type":"email"},"credited":[],"deliveries":[]}}"#;

pub const PREVIEW: Doc = Doc::new(
    "Facts",
    "What a lead, booking, visit or referral that is typed in would become: whom it is about, what it joins, the credit, who would be told. Nothing is stored.",
)
.body(BODY)
.answer(SHOWN)
.statuses(&[200, 400, 401, 403, 422]);
pub const ADD: Doc = Doc::new(
    "Facts",
    "Stores it. `what` is lead, referral, booking, registration, attendance, no_show, cancellation, sign_up, or a step of the site; e-mail or phone says who. The same person, step and time again is known already.",
)
.body(BODY)
.answer(SHOWN)
.statuses(&[200, 201, 400, 401, 403, 422, 503]);

/// `POST /api/sites/{site}/offline/preview`
pub async fn preview(app: App, ask: Ask) -> Result<Reply> {
    let became = enter(&app, &ask, true).await?;
    Reply::json(&shown(&became, ask.site()?, &ask)?)
}

/// `POST /api/sites/{site}/offline`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let became = enter(&app, &ask, false).await?;
    Reply::json_with(if became.is_new { 201 } else { 200 }, &shown(&became, ask.site()?, &ask)?)
}

async fn enter(app: &App, ask: &Ask, is_preview: bool) -> Result<Became> {
    let site = ask.site()?;
    reader::object(&ask.body)?;
    let milestone = typed(&ask.body, &home_of(app, site, &Given::default()))?;
    offline::enter(app, site, milestone, ask.body.to_vec(), &ask.who(), is_preview).await
}

fn shown(became: &Became, site: &Site, ask: &Ask) -> Result<Value> {
    let lens = Asked(&ask.query).lens(&site.settings.policy)?;
    let m = &became.milestone;
    let conversion = became.conversion.as_ref().map(|line| {
        let mut line = line.clone();
        line.name_by(&site.rules);
        shown::line(&line, &site.zone, lens, true)
    });
    Ok(json!({
        "is_new": became.is_new,
        "is_nobodys": became.is_nobodys,
        "what": m.kind,
        "source": m.source,
        "at": shown::time(&site.zone, m.happened_at),
        "value": shown::maybe_money(m.by_hand.value),
        "who": {
            "display": shown::person(m.person.email.as_ref().map(|e| e.as_str()), m.person.phone.as_ref().map(|p| p.as_str()), false),
            "name": name(m.person.first_name.as_deref(), m.person.last_name.as_deref()),
        },
        "known": became.known.iter().map(known).collect::<Vec<_>>(),
        "partner": became.partner,
        "is_joined": became.is_joined,
        "conversion": conversion,
    }))
}

fn known(line: &contacts::Line) -> Value {
    json!({
        "contact": line.id,
        "display": shown::person(line.email.as_deref(), line.phone.as_deref(), false),
        "name": name(line.first_name.as_deref(), line.last_name.as_deref()),
        "conversions": line.conversions,
    })
}

/// As lists show people.
fn name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let name: Vec<String> = [first, last].into_iter().flatten().map(mask::word).filter(|n| !n.is_empty()).collect();
    (!name.is_empty()).then(|| name.join(" "))
}
