//! A row of a file of advertising costs: our own, a spreadsheet's, or the report that Meta Ads and Google Ads give.

use super::super::question::Days;
use super::super::spend::Spend;
use super::cells::Cells;
use super::columns::{Layout, Maker};
use super::{LONGEST, Refusal, Row};

/// The row and its own id. Nothing for what is the sum of other rows.
pub fn read(cells: &Cells, layout: &Layout) -> Result<Option<(Row, Option<String>)>, Refusal> {
    if is_total(cells, layout) {
        return Ok(None);
    }
    let currency = cells.currency()?;
    let amount = cells.amount("amount", currency)?.ok_or_else(|| Refusal::new("amount", "There is no amount."))?;
    let from = match cells.day("day")? {
        Some(day) => Some((day, day)),
        None => match (cells.day("from")?, cells.day("to")?) {
            (Some(from), to) => Some((from, to.unwrap_or(from))),
            (None, _) => None,
        },
    };
    let (from, to) = from.ok_or_else(|| Refusal::new("day", "There is no day."))?;
    let (source, medium) = match layout.maker {
        Some(Maker::Meta) => ("facebook", "paid_social"),
        Some(Maker::Google) => ("google", "cpc"),
        None => ("", ""),
    };
    let home = cells.home;
    let word =
        |name: &str, told: &Option<String>, own: &str| cells.text(name, LONGEST).or_else(|| told.clone()).unwrap_or_else(|| own.to_owned());
    let source = word("source", &home.source, source);
    let medium = word("medium", &home.medium, medium);
    let campaign = cells.text("campaign", LONGEST).unwrap_or_default();
    let note = cells.text("note", super::super::spend::LONGEST_NOTE);
    let spend = Spend::new(Days { from, to }, (&source, &medium, &campaign), amount, note.as_deref())
        .map_err(|e| Refusal::new(e.field.as_deref().unwrap_or("row"), e.message))?;
    Ok(Some((Row::Spend(spend), cells.id("id")?)))
}

/// Google writes `Total: Account` below its rows, with `--` in cells that have no sum; Meta a row without a campaign.
fn is_total(cells: &Cells, layout: &Layout) -> bool {
    let begins = |name: &str| cells.word(name).to_lowercase().starts_with("total");
    match layout.maker {
        Some(Maker::Google) => begins("campaign") || begins("day") || begins("from") || cells.word("campaign").trim() == "--",
        Some(Maker::Meta) => cells.word("campaign").is_empty() && layout.used().iter().any(|name| name == "campaign"),
        None => begins("day") || begins("campaign"),
    }
}
