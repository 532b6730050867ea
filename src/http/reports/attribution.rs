//! The attribution lab: all models side by side, where a row helped without earning, where the models disagree, and the
//! data-driven estimate beside them where there is enough for one.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::estimate::{Estimate, estimate};
use super::tables::{file, limit, shown_compare};
use super::{Wanted, patient, query, read};
use crate::app::App;
use crate::domain::attribution::{Model, source_name};
use crate::domain::money::Money;
use crate::domain::question::filter::UNATTRIBUTED;
use crate::domain::question::journeys::lab::{self, Earned, Lab, MODELS, Row};
use crate::domain::question::journeys::{self, By, Journeys};
use crate::domain::question::rate::{FEW, range};
use crate::domain::question::{Asked, Period};
use crate::error::{Error, Kind, Result};
use crate::store::questions::journeys::of_period;
use crate::store::questions::tables::WHOLE;
use crate::store::sites::Site;

pub const ATTRIBUTION: Doc = Doc::new(
    "Reports",
    "What each channel, source or campaign earns under every model, where it assisted and what it influenced; every column has the same total.",
)
.query(query::ATTRIBUTION)
.answer(r#"{"items":[{"name":"Email","models":{"first":{"conversions":4,"share":0.4,"net":[]}},"assisted":{},"influenced":{}}],"total":{},"disagreement":null,"estimate":null}"#)
.statuses(&[200, 400]);
pub const ATTRIBUTION_CSV: Doc = Doc::new("Reports", "The same as CSV: a line for each row and model.")
    .query(query::ATTRIBUTION_CSV)
    .answer("name,model,conversions,share,net,…")
    .of_type("text/csv")
    .statuses(&[200, 400]);

/// Models that differ by less agree: a twentieth of all conversions.
const AGREED_PERCENT: i64 = 5;

/// What is asked of journeys, beside what every report reads.
pub fn asked(ask: &Ask, wanted: &Wanted) -> Result<journeys::Asked> {
    if !ask.sight.segment.is_open() {
        // A journey is all visits before a sale: of those outside the part nothing may be told, and without them it is none.
        let why = "The lab lays all visits before a sale side by side, and you are shown a part of them.";
        return Err(Error::new(Kind::Forbidden, "missing_right", why));
    }
    let words = By::ALL.map(By::word);
    let by = Asked(&ask.query).word("by", &words)?.and_then(By::parse).unwrap_or(By::Channel);
    let without: Vec<&str> = ask.query("without").into_iter().flat_map(|text| text.split(',')).collect();
    if let Some(other) = without.iter().find(|word| !matches!(**word, "direct" | "unattributed")) {
        return Err(Error::parameter(
            "without",
            format!("without is direct, unattributed or both with a comma, not {}.", other.escape_debug()),
        ));
    }
    Ok(journeys::Asked {
        lens: wanted.lens,
        by,
        without_direct: without.contains(&"direct"),
        without_unattributed: without.contains(&"unattributed"),
        filter: wanted.filter.clone(),
    })
}

/// Something worked out over the journeys of a period, off the threads that answer. They are read from their rows once, then
/// they are in memory.
pub async fn over<T: Send + 'static>(
    app: &App,
    site: &Site,
    wanted: &Wanted,
    period: Period,
    work: impl Fn(&[Arc<Journeys>]) -> T + Clone + Send + 'static,
) -> Result<T> {
    let (zone, filter) = (site.zone.clone(), wanted.filter.clone());
    patient(app, site, move |c| Ok(work(&of_period(c, &zone, period, &filter)?))).await
}

/// How many visits the estimate is to remember.
fn order(ask: &Ask) -> Result<Option<usize>> {
    Ok(Asked(&ask.query).word("estimate", &["1", "2", "3"])?.and_then(|word| word.parse().ok()))
}

struct Worked {
    lab: Lab,
    estimate: Option<Estimate>,
    before: Option<Lab>,
}

async fn work(app: &App, site: &Arc<Site>, ask: &Ask, wanted: &Wanted, asked: &journeys::Asked) -> Result<Worked> {
    let order = order(ask)?;
    let of = asked.clone();
    let at_once = move |blocks: &[Arc<Journeys>]| (lab::lab(blocks.iter().map(Arc::as_ref), &of), blocks.to_vec());
    let (mut lab, blocks) = over(app, site, wanted, Period::whole(wanted.days), at_once.clone()).await?;
    let mut made = None;
    if let Some(order) = order {
        (made, lab) = estimate(app, site, wanted.days, asked, blocks, lab, order).await.map(|(made, lab)| (Some(made), lab))?;
    }
    let before = match wanted.compare {
        Some(period) => Some(over(app, site, wanted, period, at_once).await?.0),
        None => None,
    };
    let estimate = made;
    Ok(Worked { lab, estimate, before })
}

/// `GET /api/sites/{site}/reports/attribution`
pub async fn attribution(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let (asked, limit) = (asked(&ask, &wanted)?, limit(&ask)?);
    let Worked { lab, estimate, before } = work(&app, &site, &ask, &wanted, &asked).await?;
    let chosen = MODELS.iter().position(|model| *model == wanted.lens.model).unwrap_or(0);
    let has_estimate = estimate.as_ref().is_some_and(|e| e.is_shown);
    let rows = sorted(&lab, &site, chosen, ask.sight.hides_money);
    let all = lab.total.conversions_e9;
    let items: Vec<Value> = rows
        .iter()
        .take(limit)
        .map(|(name, row)| {
            let mut shown = shown_row(name, row, all, chosen, has_estimate);
            if let Some(before) = &before {
                let place = before.names.all.iter().position(|known| known == name);
                let was = place.map(|place| before.rows[place].models[chosen].clone()).unwrap_or_default();
                shown["before"] = shown_earned(&was);
            }
            shown
        })
        .collect();
    ask.shown(json!({
        "items": items,
        "rows": rows.len(),
        "total": shown_earned(&lab.total),
        "before": before.as_ref().map(|before| shown_earned(&before.total)),
        "left_out": {"direct": shown_earned(&lab.direct), "unattributed": shown_earned(&lab.unattributed)},
        "disagreement": disagreement(&lab, asked.by),
        "estimate": estimate.as_ref().map(Estimate::shown),
        "compare": shown_compare(&wanted, &site),
        "by": asked.by.word(),
        "model": MODELS[chosen].word(),
        "window": wanted.lens.window.word(),
        "models": MODELS.map(|model| json!({"model": model.word(), "label": model.label()})),
    }))
}

/// What earns most under the chosen model first; what is credited with nothing last.
fn sorted<'l>(lab: &'l Lab, site: &Site, chosen: usize, hides_money: bool) -> Vec<(&'l str, &'l Row)> {
    let nothing = Row::default();
    let mut rows: Vec<(&str, &Row)> = lab.names.all.iter().map(String::as_str).zip(&lab.rows).filter(|(_, row)| **row != nothing).collect();
    let size = |row: &Row| {
        let net = if hides_money { 0 } else { row.models[chosen].net.of(site.currency) };
        (net, row.models[chosen].conversions_e9, row.influenced.conversions_e9)
    };
    rows.sort_by(|(a, x), (b, y)| (*a == UNATTRIBUTED).cmp(&(*b == UNATTRIBUTED)).then(size(y).cmp(&size(x))).then_with(|| a.cmp(b)));
    rows
}

fn share(part: i64, all: i64) -> Value {
    if all == 0 { Value::Null } else { (part as f64 / all as f64).into() }
}

fn shown_earned(e: &Earned) -> Value {
    let mut net: Vec<Money> = e.net.0.iter().map(|(currency, minor)| Money::new(*minor, *currency)).collect();
    net.sort_by_key(|m| m.currency);
    json!({"conversions": e.conversions_e9 as f64 / WHOLE as f64, "net": shown::moneys(&net)})
}

fn shown_row(name: &str, row: &Row, all: i64, chosen: usize, has_estimate: bool) -> Value {
    let of_model = |earned: &Earned| {
        let mut shown = shown_earned(earned);
        shown["share"] = share(earned.conversions_e9, all);
        shown
    };
    let mut models: Map<String, Value> =
        MODELS.iter().zip(&row.models).map(|(model, earned)| (model.word().to_owned(), of_model(earned))).collect();
    if has_estimate {
        models.insert("data_driven".into(), of_model(&row.estimated));
    }
    // Wilson's range of the share, where all conversions together are few.
    let (part, whole) = (row.models[chosen].conversions_e9 / WHOLE, all / WHOLE);
    json!({
        "name": name,
        "models": models,
        "assisted": shown_earned(&row.assisted),
        "influenced": shown_earned(&row.influenced),
        "range": range(part.clamp(0, whole), whole).map(|(low, high)| [low, high]),
        "is_few": name != UNATTRIBUTED && row.influenced.conversions_e9.max(row.models[chosen].conversions_e9) < FEW * WHOLE,
    })
}

/// Where two models differ most, in one sentence.
fn disagreement(lab: &Lab, by: By) -> Value {
    let all = lab.total.conversions_e9;
    if all < FEW * WHOLE {
        let sentence = format!("Too few conversions to hold models against each other: {} of {FEW}.", all / WHOLE);
        return json!({"name": null, "sentence": sentence});
    }
    let Some(found) = lab.disagreement(FEW * WHOLE) else {
        return json!({"name": null, "sentence": format!("No row led to {FEW} conversions: too few to hold models against each other.")});
    };
    let name = &lab.names.all[found.row];
    if found.gap_e9 * 100 < all * AGREED_PERCENT {
        return json!({"name": null, "sentence": "The models agree: whichever you take, no row moves by a twentieth of the conversions."});
    }
    let percent = |part: i64| format!("{} %", (part as i128 * 100 + i128::from(all) / 2) / i128::from(all));
    let said = |model: Model| model.label().to_lowercase();
    let shown_name = if by == By::Source { source_name(name) } else { name.clone() };
    let part =
        |(model, part): (Model, i64)| json!({"model": model.word(), "conversions": part as f64 / WHOLE as f64, "share": share(part, all)});
    json!({
        "name": name,
        "most": part(found.most),
        "least": part(found.least),
        "sentence": format!(
            "{} gives {shown_name} {}, {} {}: {}.",
            found.most.0.label(),
            percent(found.most.1),
            said(found.least.0),
            percent(found.least.1),
            found.meaning()
        ),
    })
}

/// `GET /api/sites/{site}/reports/attribution.csv`
pub async fn attribution_csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let asked = asked(&ask, &wanted)?;
    let Worked { lab, estimate, .. } = work(&app, &site, &ask, &wanted, &asked).await?;
    let chosen = MODELS.iter().position(|model| *model == wanted.lens.model).unwrap_or(0);
    let all = lab.total.conversions_e9;
    let amount = |earned: &Earned| Cell::number(Money::new(earned.net.of(site.currency), site.currency).decimal());
    let part = |earned: &Earned| Cell::number(earned.conversions_e9 as f64 / WHOLE as f64);
    let mut lines = Vec::new();
    for (name, row) in sorted(&lab, &site, chosen, false) {
        let mut line = |model: &str, earned: &Earned| {
            let share = (all != 0).then(|| earned.conversions_e9 as f64 / all as f64);
            lines.push(vec![
                Cell::text(name),
                Cell::text(model),
                part(earned),
                Cell::maybe_number(share),
                amount(earned),
                part(&row.assisted),
                part(&row.influenced),
                Cell::text(site.currency.code()),
            ]);
        };
        MODELS.iter().zip(&row.models).for_each(|(model, earned)| line(model.word(), earned));
        if estimate.as_ref().is_some_and(|e| e.is_shown) {
            line("data_driven", &row.estimated);
        }
    }
    file("attribution", &[asked.by.word(), "model", "conversions", "share", "net", "assisted", "influenced", "currency"], lines)
}
