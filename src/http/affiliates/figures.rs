//! What partners brought and earn on some days: clicks, sales, revenue, earnings per click, commissions, and what looks odd.

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::exports::{self, Cell, Format};
use super::super::reply::Reply;
use super::super::reports::{DEFAULT_DAYS, patient};
use super::super::route::Doc;
use super::super::shown;
use super::{Shown, everybody, line, partner_of};
use crate::app::App;
use crate::domain::affiliate::flags::flags;
use crate::domain::affiliate::{claim, per_click};
use crate::domain::money::{Currency, Money};
use crate::domain::question::rate::{range, rate};
use crate::domain::question::{Asked, Days};
use crate::error::Result;
use crate::store::affiliates;
use crate::store::questions::affiliates::{self as questions, Figures, Sums, Whose};
use crate::store::sites::Site;

/// Codes that nobody has, shown beside the partners.
const STRANGERS: usize = 20;

const QUERY: &[(&str, &str)] = &[("from", "first day, 2026-06-01; without it, 30 days"), ("to", "last day, included; without it, today")];

pub const REPORT: Doc = Doc::new("Reports", "Partners: clicks, leads, orders, net revenue, earnings per click (in each currency), conversions by click and how many of them came by a link, commission pending, approved, paid and reversed, flags. Codes that nobody has stand apart.")
    .query(QUERY)
    .answer(r#"{"items":[{"affiliate":"affiliate_1","name":"Noor","clicks":1000,"conversions":50,"by_link":48,"net":[{"minor":500000,"currency":"EUR"}],"epc":{"minor":500,"currency":"EUR"},"epc_by_currency":[{"minor":500,"currency":"EUR"}],"conversion_rate":0.05,"commissions":{"pending":[],"approved":[],"paid":[],"reversed":[],"earned":[]},"flags":[]}],"strangers":[{"code":"karim","clicks":12,"conversions":0}]}"#)
    .statuses(&[200, 400]);
pub const CSV: Doc =
    Doc::new("Reports", "The same as CSV.").query(QUERY).answer("affiliate,name,…").of_type("text/csv").statuses(&[200, 400]);

struct Report {
    partners: Vec<(Shown, Figures)>,
    strangers: Vec<(String, Figures)>,
    closed: Option<crate::domain::time::Day>,
    days: Days,
}

async fn report(app: &App, ask: &Ask, site: &Site) -> Result<Report> {
    let now = app.clock.now();
    let days = Asked(&ask.query).days(&site.zone, now, DEFAULT_DAYS)?;
    patient(app, site, move |c| {
        let mut all = questions::all(c, days, Some(now), &partner_of(&affiliates::list_codes(c)?))?;
        let partners = everybody(c, now)?;
        let partners = partners.into_iter().map(|one| {
            let figures = all.remove(&Whose::Partner(one.partner.id)).unwrap_or_default();
            (one, figures)
        });
        let partners = partners.collect();
        let mut strangers: Vec<(String, Figures)> = all
            .into_iter()
            .filter_map(|(whose, figures)| match whose {
                Whose::Nobody(code) if !figures.is_nothing() => Some((code, figures)),
                _ => None,
            })
            .collect();
        strangers.sort_by(|(a, x), (b, y)| (y.conversions, y.clicks.clicks).cmp(&(x.conversions, x.clicks.clicks)).then_with(|| a.cmp(b)));
        strangers.truncate(STRANGERS);
        Ok(Report { partners, strangers, closed: affiliates::closed_month(c)?, days })
    })
    .await
}

/// `GET /api/sites/{site}/reports/affiliates`
pub async fn show(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let report = report(&app, &ask, &site).await?;
    let items: Vec<Value> = report
        .partners
        .iter()
        .map(|(one, figures)| {
            let mut item = line(&site, one);
            if let (Some(item), Value::Object(more)) = (item.as_object_mut(), of(figures, site.currency)) {
                item.extend(more);
            }
            item
        })
        .collect();
    let strangers: Vec<Value> = report
        .strangers
        .iter()
        .map(|(code, f)| json!({"code": code, "clicks": f.clicks.clicks, "conversions": f.conversions, "net": sums(&f.net)}))
        .collect();
    Reply::json(&json!({
        "from": report.days.from.to_string(),
        "to": report.days.to.to_string(),
        "items": items,
        "strangers": strangers,
        "rule": format!("{} {}", claim::RULE, site.settings.affiliate_model.sentence()),
        "closed_month": report.closed.map(|day| day.to_string()[..7].to_owned()),
        "without_account": super::bank::shown_without_account(report.partners.iter().map(|(one, _)| one)),
    }))
}

/// The figures of one, as every answer shows them. `epc` is of the site's own currency; what was sold in others stands beside it,
/// in `epc_by_currency`, and is never added.
pub fn of(f: &Figures, currency: Currency) -> Value {
    let each: Vec<Money> = moneys(&f.net).into_iter().map(|net| per_click(net, f.clicks.clicks)).filter(|each| each.minor != 0).collect();
    let flags: Vec<Value> = flags(&f.seen).into_iter().map(|flag| json!({"flag": flag.word, "sentence": flag.sentence})).collect();
    json!({
        "clicks": f.clicks.clicks,
        "conversions": f.conversions,
        // Coupons, and what the shop's server names, need no click.
        "by_link": f.seen.by_link.map(|n| n.min(f.conversions)),
        "orders": f.orders,
        "leads": f.leads,
        "net": sums(&f.net),
        "epc": (f.clicks.clicks > 0).then(|| shown::money(per_click(of_currency(&f.net, currency), f.clicks.clicks))),
        "epc_by_currency": if f.clicks.clicks > 0 { shown::moneys(&each) } else { json!([]) },
        "conversion_rate": rate(f.conversions, f.clicks.clicks),
        "conversion_range": range(f.conversions, f.clicks.clicks).map(|(low, high)| [low, high]),
        "commissions": commission(f),
        "flags": flags,
    })
}

pub fn commission(f: &Figures) -> Value {
    json!({
        "earned": sums(&f.earned),
        "pending": sums(&f.pending),
        "approved": sums(&f.approved),
        "paid": sums(&f.paid),
        "reversed": sums(&f.reversed),
    })
}

/// Amounts in their currencies, without those that come to nothing.
pub fn sums(all: &Sums) -> Value {
    shown::moneys(&moneys(all))
}

fn moneys(all: &Sums) -> Vec<Money> {
    all.iter().filter(|(_, minor)| **minor != 0).filter_map(|(code, minor)| Currency::parse(code).map(|c| Money::new(*minor, c))).collect()
}

/// What is in the site's own currency.
pub fn own(all: &Sums, site: &Site) -> Money {
    of_currency(all, site.currency)
}

fn of_currency(all: &Sums, currency: Currency) -> Money {
    Money::new(all.get(currency.code()).copied().unwrap_or(0), currency)
}

const COLUMNS: [&str; 18] = [
    "affiliate",
    "name",
    "codes",
    "state",
    "clicks",
    "conversions",
    "orders",
    "leads",
    "net",
    "earnings_per_click",
    "earnings_per_click_in_others",
    "conversion_rate",
    "earned",
    "pending",
    "approved",
    "paid",
    "reversed",
    "flags",
];

/// `GET /api/sites/{site}/reports/affiliates.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let report = report(&app, &ask, &site).await?;
    let rows: Vec<Vec<Cell>> = report.partners.iter().map(|(one, figures)| cells(&site, one, figures)).collect();
    let body = exports::csv_lines(&rows)?;
    let name = format!("{}-affiliates-{}-{}", site.slug, report.days.from, report.days.to);
    exports::stream(&name, Format::Csv, exports::csv_head(&COLUMNS)?, move |_| std::future::ready(Ok((body.clone(), None)))).await
}

fn per_click_in_others(f: &Figures, site: &Site) -> String {
    let others = moneys(&f.net).into_iter().filter(|net| net.currency != site.currency && f.clicks.clicks > 0);
    others.map(|net| per_click(net, f.clicks.clicks).to_string()).collect::<Vec<_>>().join("; ")
}

fn cells(site: &Site, one: &Shown, f: &Figures) -> Vec<Cell> {
    let text = |all: &Sums| Cell::text(moneys(all).iter().map(Money::to_string).collect::<Vec<_>>().join("; "));
    let flags: Vec<&str> = flags(&f.seen).into_iter().map(|flag| flag.word).collect();
    let epc = (f.clicks.clicks > 0).then(|| per_click(own(&f.net, site), f.clicks.clicks).decimal());
    vec![
        Cell::text(one.partner.id.to_string()),
        Cell::text(one.partner.name.as_str()),
        Cell::text(one.codes.join(" ")),
        Cell::text(super::state(&one.partner)),
        Cell::number(f.clicks.clicks),
        Cell::number(f.conversions),
        Cell::number(f.orders),
        Cell::number(f.leads),
        text(&f.net),
        Cell::maybe_number(epc),
        Cell::text(per_click_in_others(f, site)),
        Cell::maybe_number(rate(f.conversions, f.clicks.clicks)),
        text(&f.earned),
        text(&f.pending),
        text(&f.approved),
        text(&f.paid),
        text(&f.reversed),
        Cell::text(flags.join(" ")),
    ]
}
