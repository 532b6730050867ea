//! What was due and is sent: noted, with its day and reference.

use serde_json::json;

use super::{LONGEST_TEXT, found};
use crate::app::App;
use crate::domain::ids::{AffiliateId, PayoutId, SiteId};
use crate::domain::money::Money;
use crate::domain::time::Day;
use crate::error::{Error, Kind, Result};
use crate::store::affiliates::commissions;
use crate::store::audit;

/// Notes that the owner has sent what is due. Gives what was due, by currency, each with its payment.
///
/// With `expected` only that: what has become due since the owner looked was not in the transfer.
pub async fn pay(
    app: &App,
    site: SiteId,
    id: AffiliateId,
    (paid_on, reference): (Day, &str),
    expected: Option<Vec<Money>>,
    who: &str,
) -> Result<Vec<(PayoutId, Money)>> {
    let reference = reference.trim().to_owned();
    if reference.chars().count() > LONGEST_TEXT {
        return Err(Error::invalid("reference", format!("A reference has at most {LONGEST_TEXT} characters.")));
    }
    let (now, who) = (app.clock.now(), who.to_owned());
    app.store
        .write(site, move |c| {
            found(c, id)?;
            let mut paid = Vec::new();
            let mut due: Vec<Money> = commissions::owed(c, id, now)?.into_iter().filter(|m| m.minor > 0).collect();
            if let Some(expected) = expected {
                is_what_was_sent(&mut due, expected)?;
            }
            for amount in due {
                let payout = commissions::pay(c, id, amount, paid_on, &reference, &who, now)?;
                paid.push((payout, amount));
            }
            if paid.is_empty() {
                return Err(Error::new(
                    Kind::Conflict,
                    "nothing_due",
                    "Nothing is due to this partner now. What is earned waits for its hold days.",
                ));
            }
            let sums: Vec<String> = paid.iter().map(|(_, m)| m.to_string()).collect();
            audit::add(
                c,
                &who,
                "affiliate_paid",
                &json!({"affiliate": id, "paid": sums, "paid_on": paid_on.to_string(), "reference": reference}),
                now,
            )?;
            Ok(paid)
        })
        .await
}

/// Whether just that is due which the owner has sent.
fn is_what_was_sent(due: &mut [Money], mut expected: Vec<Money>) -> Result<()> {
    let order = |m: &Money| (m.currency, m.minor);
    expected.sort_by_key(order);
    due.sort_by_key(order);
    if due == expected {
        return Ok(());
    }
    let sums = |all: &[Money]| match all.iter().map(Money::to_string).collect::<Vec<_>>() {
        none if none.is_empty() => "nothing".to_owned(),
        some => some.join(" and "),
    };
    let sentence = format!(
        "You were shown {}; what is due has changed meanwhile and is {} now. Look again before you note it as paid.",
        sums(&expected),
        sums(due)
    );
    Err(Error::new(Kind::Conflict, "due_changed", sentence))
}
