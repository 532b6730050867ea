//! How long it takes from the first known visit to the conversion, what each window sees of it, and which is enough.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::attribution::{asked, over};
use super::tables::file;
use super::{query, read};
use crate::app::App;
use crate::domain::attribution::Window;
use crate::domain::question::Period;
use crate::domain::question::journeys::pace::{self, Pace, Seen};
use crate::domain::question::rate::{FEW, range, rate};
use crate::error::Result;

pub const TIME_TO_CONVERT: Doc = Doc::new(
    "Reports",
    "Days from the first known visit to the conversion, as a curve; what each window sees of it, and the shortest that is enough.",
)
.query(query::TIME_TO_CONVERT)
.answer(r#"{"items":[{"day":0,"conversions":12,"so_far":0.4}],"windows":[{"window":"30","whole":28,"share":0.92}],"median_days":1.2,"sentence":""}"#)
.statuses(&[200, 400]);
pub const TIME_TO_CONVERT_CSV: Doc = Doc::new("Reports", "The curve as CSV.")
    .query(query::TIME_TO_CONVERT)
    .answer("day,conversions,so_far")
    .of_type("text/csv")
    .statuses(&[200, 400]);

async fn work(app: &App, ask: &Ask) -> Result<(Pace, Window)> {
    let site = ask.site()?.clone();
    let wanted = read(app, ask, &site)?;
    let asked = asked(ask, &wanted)?;
    let window = wanted.lens.window;
    let pace =
        over(app, &site, &wanted, Period::whole(wanted.days), move |blocks| pace::pace(blocks.iter().map(Arc::as_ref), &asked)).await?;
    Ok((pace, window))
}

/// `GET /api/sites/{site}/reports/time_to_convert`
pub async fn time_to_convert(app: App, ask: Ask) -> Result<Reply> {
    let (pace, own) = work(&app, &ask).await?;
    let known = pace.known();
    let mut so_far = 0;
    let items: Vec<Value> = pace
        .days
        .iter()
        .enumerate()
        .map(|(day, n)| {
            so_far += n;
            json!({"day": day, "conversions": n, "so_far": rate(so_far, known)})
        })
        .collect();
    let windows: Vec<Value> = pace
        .windows
        .iter()
        .map(|seen| {
            json!({
                "window": seen.window.word(),
                "whole": seen.whole,
                "share": rate(seen.whole, known),
                "range": range(seen.whole, known).map(|(low, high)| [low, high]),
                "some": seen.some,
                "some_share": rate(seen.some, known),
            })
        })
        .collect();
    let chosen = pace.windows.iter().find(|seen| seen.window == own);
    ask.shown(json!({
        "items": items,
        "longer": pace.longer,
        "known": known,
        "unknown": pace.unknown,
        "windows": windows,
        "window": own.word(),
        "median_days": pace.days_of(50),
        "ninety_days": pace.days_of(90),
        "sentence": chosen.map(|seen| sees(seen, known)),
        "enough": pace.enough().map(|seen| seen.window.word()),
        "advice": advice(&pace, own),
    }))
}

fn percent(part: i64, all: i64) -> i64 {
    (part * 100 + all / 2) / all.max(1)
}

/// What the chosen window sees.
fn sees(seen: &Seen, known: i64) -> String {
    if known == 0 {
        return "No conversion of these days has a known visit before it.".into();
    }
    let few = match range(seen.whole, known) {
        Some((low, high)) => format!(" Of {known} only: it may be anything from {:.0} to {:.0} %.", low * 100.0, high * 100.0),
        None => String::new(),
    };
    match seen.window.days() {
        Some(days) => format!("A {days}-day window sees the whole way of {} % of your conversions.{few}", percent(seen.whole, known)),
        None => "Without a limit every known visit is seen.".into(),
    }
}

/// Which window would be enough. Of too few conversions nothing is proposed.
fn advice(pace: &Pace, own: Window) -> String {
    let known = pace.known();
    let Some(enough) = pace.enough() else {
        return format!("Too few conversions to propose a window: {known} with known visits, {FEW} are needed.");
    };
    let said = enough.window.label().to_lowercase();
    if enough.window == own {
        return format!("{said} are enough: nine of ten ways are seen from their first visit on.").replace("1 day are", "1 day is");
    }
    let longer = match (own.days(), enough.window.days()) {
        (Some(own), Some(enough)) => enough > own,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let part = percent(enough.whole, known);
    match (enough.window.days(), longer) {
        (None, _) => {
            "More than one way in ten begins over 90 days before: only a window without a limit sees nine of ten from their first visit on."
                .into()
        }
        (Some(_), true) => format!("A window of {said} would see {part} % of the ways from their first visit on."),
        (Some(_), false) => format!("A window of {said} would be enough: it sees {part} % of the ways from their first visit on."),
    }
}

/// `GET /api/sites/{site}/reports/time_to_convert.csv`
pub async fn time_to_convert_csv(app: App, ask: Ask) -> Result<Reply> {
    let (pace, _) = work(&app, &ask).await?;
    let known = pace.known();
    let mut so_far = 0;
    let mut lines: Vec<Vec<Cell>> = Vec::new();
    for (day, n) in pace.days.iter().enumerate() {
        so_far += n;
        lines.push(vec![Cell::number(day), Cell::number(n), Cell::maybe_number(rate(so_far, known))]);
    }
    lines.push(vec![Cell::text("longer"), Cell::number(pace.longer), Cell::maybe_number(rate(known, known))]);
    file("time_to_convert", &["day", "conversions", "so_far"], lines)
}
