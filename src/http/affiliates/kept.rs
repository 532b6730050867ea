//! Partners as the conversions API asks for them: by their code, in decimals of the site's currency. A code that the API
//! itself has named counts although nobody has added it.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::super::ask::Ask;
use super::super::reply::Reply;
use super::super::reports::patient;
use super::super::route::Doc;
use super::figures::own;
use super::partner_of;
use crate::app::App;
use crate::domain::affiliate::{self, per_click};
use crate::domain::money::{Currency, Money};
use crate::domain::question::rate::rate;
use crate::domain::question::{Asked, Days};
use crate::error::{Error, Result};
use crate::store::affiliates;
use crate::store::questions::affiliates::{self as questions, Figures, Sums, Whose};
use crate::store::sites::Site;

/// Days where none are named.
const DEFAULT_DAYS: i32 = 30;
const TOP: usize = 10;
const SORTS: [&str; 4] = ["revenue", "conversions", "epc", "conversion_rate"];

pub const PERFORMANCE: Doc = Doc::new("Conversions API", "What a partner brought: clicks, conversions, net revenue, earnings per click, conversion rate as a fraction, and what is earned. Whole days of the site. In the site's currency; others stand apart in `other_currencies`, each with its own earnings per click.")
    .query(&[("affiliate_id", "the partner's code"), ("date_from", "a day or a time; without it, 30 days"), ("date_to", "a day (included) or a time")])
    .answer(r#"{"data":{"affiliate_id":"noor","clicks":1000,"conversions":50,"revenue":5000.00,"epc":5.00,"conversion_rate":0.05,"commission":500.00,"currency":"EUR","other_currencies":{}}}"#)
    .statuses(&[200, 400]);
pub const TOP_LIST: Doc = Doc::new("Conversions API", "The same of the best partners.")
    .query(&[
        ("sort_by", "revenue (default), conversions, epc or conversion_rate"),
        ("limit", "partners, at most 500; 10 without it"),
        ("date_from", "a day or a time; without it, 30 days"),
        ("date_to", "a day (included) or a time"),
    ])
    .answer(r#"{"data":[{"affiliate_id":"noor","clicks":1000,"conversions":50,"revenue":5000.00,"epc":5.00,"conversion_rate":0.05,"commission":500.00}]}"#)
    .statuses(&[200, 400]);

/// `GET /api/affiliates/performance`
pub async fn performance(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let days = days(&app, &ask, &site)?;
    let asked = Asked(&ask.query).text("affiliate_id")?;
    let shown = asked.ok_or_else(|| Error::parameter("affiliate_id", "affiliate_id is the code of a partner."))?.to_owned();
    let wanted = affiliate::named(&shown);
    let figures = patient(&app, &site, move |c| {
        let Some(code) = wanted.clone() else { return Ok(Figures::default()) };
        match affiliates::find_by_code(c, "code", &code)? {
            Some((partner, _)) => {
                let codes: Vec<String> = affiliates::codes_of(c, partner.id, "code")?.into_iter().map(|k| k.value).collect();
                questions::one(c, &Whose::Partner(partner.id), &codes, days)
            }
            None => questions::one(c, &Whose::Nobody(code.clone()), &[code], days),
        }
    })
    .await?;
    Reply::json(&json!({"data": record(&shown, &figures, &site)}))
}

/// `GET /api/affiliates/top`
pub async fn top(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let asked = Asked(&ask.query);
    let sort = asked.word("sort_by", &SORTS)?.unwrap_or("revenue");
    let limit = if asked.one("limit").is_some() { asked.limit()? } else { TOP };
    let days = days(&app, &ask, &site)?;
    let mut all: Vec<(String, Figures)> = patient(&app, &site, move |c| {
        let codes = affiliates::list_codes(c)?;
        let mut figures = questions::all(c, days, None, &partner_of(&codes))?;
        let mut all = Vec::new();
        for partner in affiliates::list(c)? {
            let code = codes.iter().find(|k| k.affiliate == partner.id && k.kind == "code").map(|k| k.shown.clone());
            all.push((code.unwrap_or_else(|| partner.id.to_string()), figures.remove(&Whose::Partner(partner.id)).unwrap_or_default()));
        }
        for code in questions::named_codes(c)? {
            if let Some(figures) = figures.remove(&Whose::Nobody(code.clone())) {
                all.push((code, figures));
            }
        }
        Ok(all)
    })
    .await?;
    all.sort_by(|(a, x), (b, y)| order(sort, y, x, &site).then_with(|| a.cmp(b)));
    let data: Vec<Value> = all.iter().take(limit).map(|(code, figures)| record(code, figures, &site)).collect();
    Reply::json(&json!({ "data": data }))
}

fn days(app: &App, ask: &Ask, site: &Site) -> Result<Days> {
    let (from, to) = Asked(&ask.query).times("date_from", "date_to", &site.zone, app.clock.now(), DEFAULT_DAYS)?;
    Ok(Days { from: site.zone.day(from), to: site.zone.day(to.plus_ms(-1)) })
}

fn record(code: &str, f: &Figures, site: &Site) -> Value {
    let (revenue, clicks) = (own(&f.net, site), f.clicks.clicks);
    json!({
        "affiliate_id": code,
        "clicks": clicks,
        "conversions": f.conversions,
        "revenue": revenue.number(),
        "epc": per_click(revenue, clicks).number(),
        "conversion_rate": rate(f.conversions, clicks).unwrap_or(0.0),
        "commission": own(&f.earned, site).number(),
        "currency": site.currency.code(),
        "other_currencies": others(f, site),
    })
}

/// Never added to the site's own.
fn others(f: &Figures, site: &Site) -> Value {
    let of = |sums: &Sums, code: &str, currency: Currency| Money::new(sums.get(code).copied().unwrap_or(0), currency).number();
    let mut codes: Vec<&String> = f.net.keys().chain(f.earned.keys()).filter(|code| *code != site.currency.code()).collect();
    codes.sort();
    codes.dedup();
    let all: Map<String, Value> = codes
        .into_iter()
        .filter_map(|code| {
            let currency = Currency::parse(code)?;
            let each = per_click(Money::new(f.net.get(code).copied().unwrap_or(0), currency), f.clicks.clicks);
            Some((
                code.clone(),
                json!({"revenue": of(&f.net, code, currency), "epc": each.number(), "commission": of(&f.earned, code, currency)}),
            ))
        })
        .collect();
    Value::Object(all)
}

/// By the figure itself, not as it is rounded.
fn order(sort: &str, x: &Figures, y: &Figures, site: &Site) -> Ordering {
    let (a, b) = (own(&x.net, site).minor, own(&y.net, site).minor);
    match sort {
        "conversions" => x.conversions.cmp(&y.conversions),
        "epc" => ratio((a, x.clicks.clicks), (b, y.clicks.clicks)),
        "conversion_rate" => ratio((x.conversions, x.clicks.clicks), (y.conversions, y.clicks.clicks)),
        _ => a.cmp(&b),
    }
}

/// Parts of a whole compared without dividing. Without any whole it is nothing, and stands last.
fn ratio(x: (i64, i64), y: (i64, i64)) -> Ordering {
    match (x.1 > 0, y.1 > 0) {
        (true, true) => (i128::from(x.0) * i128::from(y.1)).cmp(&(i128::from(y.0) * i128::from(x.1))),
        (has, other) => has.cmp(&other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_compared_exactly() {
        assert_eq!(ratio((1, 3), (1, 2)), Ordering::Less);
        assert_eq!(ratio((50, 1_000), (1, 20)), Ordering::Equal);
        assert_eq!(ratio((5, 0), (1, 20)), Ordering::Less, "without a click there is no ratio");
        assert_eq!(ratio((1, 20), (5, 0)), Ordering::Greater);
        assert_eq!(ratio((5, 0), (1, 0)), Ordering::Equal);
    }
}
