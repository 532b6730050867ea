//! What an erasure takes, counted as an owner counts: before it for the preview, in it for the certificate, so that both
//! say the same.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::notices;
use super::person::Whole;
use crate::error::Result;

/// By the names of `GOES` and `STAYS`; each is there, also where it is none.
pub type Things = BTreeMap<&'static str, i64>;

/// What is not there afterwards. Pages and commands have words for each.
pub const GOES: [&str; 6] = ["browsers", "visits", "addresses", "messages", "chats", "waiting"];
/// What stays for its sums, of nobody.
pub const STAYS: [&str; 4] = ["orders", "leads", "steps", "conversions"];

pub fn count(c: &SiteConn, whole: &Whole) -> Result<Things> {
    let each = |ids: &BTreeSet<i64>, sql: &str| -> Result<i64> {
        ids.iter().try_fold(0, |sum, id| Ok(sum + c.one::<i64>(sql, named_params! {":id": id})?))
    };
    let visits = "select count(*) from touches where site_id = :site and session_id = :id and starts_visit = 1";
    let messages = "select count(*) from inbox where site_id = :site and id = :id and body is not null";
    let chats = "select count(*) from conversations where site_id = :site and id = :id and erased_at is null";
    let orders = "select count(*) from orders where site_id = :site and id = :id and erased_at is null";
    let leads = "select count(*) from leads where site_id = :site and id = :id and erased_at is null";
    let steps = "select count(*) from milestones where site_id = :site and id = :id and erased_at is null";
    let enrolments = "select count(*) from enrolments where site_id = :site and conversion_id = :id and erased_at is null";
    let conversions = "select count(*) from conversions where site_id = :site and id = :id and erased_at is null";
    let mut waiting = 0;
    for conversion in &whole.conversions {
        waiting += notices::count_waiting(c, *conversion)?;
    }
    Ok(BTreeMap::from([
        ("browsers", whole.sessions.len() as i64),
        ("visits", each(&whole.sessions, visits)?),
        ("addresses", whole.identities.len() as i64),
        ("messages", each(&whole.inbox, messages)?),
        ("chats", each(&whole.conversations, chats)?),
        ("waiting", waiting),
        ("orders", each(&whole.orders, orders)?),
        ("leads", each(&whole.leads, leads)?),
        ("steps", each(&whole.milestones, steps)? + each(&whole.enrolments, enrolments)?),
        ("conversions", each(&whole.conversions, conversions)?),
    ]))
}

/// What there is, in words: `2 browsers`.
pub fn in_words(names: &[&str], count_of: impl Fn(&str) -> i64) -> Vec<String> {
    names
        .iter()
        .map(|name| (name, count_of(name)))
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| {
            let (one, many) = word(name);
            format!("{n} {}", if n == 1 { one } else { many })
        })
        .collect()
}

fn word(name: &str) -> (&'static str, &'static str) {
    match name {
        "browsers" => ("browser", "browsers"),
        "visits" => ("visit", "visits"),
        "addresses" => ("address or number", "addresses and numbers"),
        "messages" => ("message as it came", "messages as they came"),
        "chats" => ("chat", "chats"),
        "waiting" => ("delivery that waits", "deliveries that wait"),
        "orders" => ("order", "orders"),
        "leads" => ("lead", "leads"),
        "steps" => ("booking or step", "bookings and steps"),
        _ => ("conversion", "conversions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_counted_has_words_of_its_own() {
        let all: Vec<&str> = GOES.iter().chain(&STAYS).copied().collect();
        let one = in_words(&all, |_| 1);
        let two = in_words(&all, |_| 2);
        let mut words: Vec<&String> = one.iter().chain(&two).collect();
        words.sort();
        words.dedup();
        assert_eq!(words.len(), 2 * all.len(), "{one:?} {two:?}");
        assert!(in_words(&all, |_| 0).is_empty());
    }
}
