//! What is due to whom, as a file for the bank. Whoever has no account cannot be paid by it: they are left out, and named.

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::exports::{self, Cell, Format};
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::{Shown, everybody};
use crate::app::App;
use crate::domain::money::Money;
use crate::error::Result;

/// Names partners who are due something and have no account, by their ids.
const LEFT_OUT: &str = "x-halo-without-account";

pub const BANK: Doc = Doc::new(
    "Affiliates",
    "What is due to whom, for the bank: payee, account, amount, currency, reference. Partners without an account are left out; the header x-halo-without-account names them.",
)
.answer("payee,account,amount,currency,reference")
.of_type("text/csv");

/// `GET /api/sites/{site}/affiliates/bank.csv`
pub async fn bank(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let now = app.clock.now();
    let day = site.zone.day(now);
    let all = app.store.read(site.id, move |c| everybody(c, now)).await?;
    let mut rows = Vec::new();
    for one in all.iter().filter(|one| !account(one).is_empty()) {
        let code = one.codes.first().map_or_else(|| one.partner.id.to_string(), String::clone);
        for amount in due(one) {
            rows.push(vec![
                Cell::text(one.partner.name.as_str()),
                Cell::text(account(one)),
                Cell::number(amount.decimal()),
                Cell::text(amount.currency.code()),
                Cell::text(format!("{} {code} {day}", site.name)),
            ]);
        }
    }
    let body = exports::csv_lines(&rows)?;
    let head = exports::csv_head(&["payee", "account", "amount", "currency", "reference"])?;
    let name = format!("{}-payments-{day}", site.slug);
    let reply = exports::stream(&name, Format::Csv, head, move |_| std::future::ready(Ok((body.clone(), None)))).await?;
    let left_out: Vec<String> = without_account(all.iter()).map(|one| one.partner.id.to_string()).collect();
    Ok(if left_out.is_empty() { reply } else { reply.with(LEFT_OUT, left_out.join(", ")) })
}

/// Who is due something and cannot be paid, by name.
pub fn shown_without_account<'a>(all: impl Iterator<Item = &'a Shown>) -> Vec<Value> {
    let one = |one: &Shown| {
        let owed: Vec<Money> = due(one).collect();
        json!({"affiliate": one.partner.id, "name": one.partner.name, "owed": shown::moneys(&owed)})
    };
    without_account(all).map(one).collect()
}

fn without_account<'a>(all: impl Iterator<Item = &'a Shown>) -> impl Iterator<Item = &'a Shown> {
    all.filter(|one| account(one).is_empty() && due(one).next().is_some())
}

fn account(one: &Shown) -> &str {
    one.partner.payout.as_deref().unwrap_or_default().trim()
}

/// What was paid too much waits for the next commission.
fn due(one: &Shown) -> impl Iterator<Item = Money> {
    one.owed.iter().copied().filter(|amount| amount.minor > 0)
}
