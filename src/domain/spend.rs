//! What advertising has cost: by day and by where it was spent, under the words that visits have.

use super::campaign::{NOT_SET, normal_medium, normal_source};
use super::ids::{ImportId, SpendId};
use super::money::{Currency, Money};
use super::question::{Days, LONGEST_WORD};
use super::time::{Day, Time};
use crate::error::{Error, Result};

/// Amounts that would count twice.
pub mod overlap;

/// Days over which one amount may be spread.
pub const MOST_DAYS: i32 = 366;
/// The longest note beside an amount.
pub const LONGEST_NOTE: usize = 200;

/// An amount that was spent on some days, evenly.
#[derive(Debug, Clone, PartialEq)]
pub struct Spend {
    pub days: Days,
    /// As visits have it: `fb` and `Facebook` are facebook.
    pub source: String,
    pub medium: String,
    /// As it was written; empty where none is named.
    pub campaign: String,
    /// Never below nought.
    pub amount: Money,
    pub note: Option<String>,
}

/// One as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct SpendLine {
    pub id: SpendId,
    pub spend: Spend,
    pub who: String,
    pub import: Option<ImportId>,
    pub created_at: Time,
}

impl Spend {
    /// Refuses what cannot be spread and names what is missing.
    pub fn new(days: Days, (source, medium, campaign): (&str, &str, &str), amount: Money, note: Option<&str>) -> Result<Self> {
        if days.to < days.from {
            return Err(Error::invalid("to", "The last day lies before the first one."));
        }
        if days.count() > MOST_DAYS {
            return Err(Error::invalid("to", format!("One amount is spread over at most {MOST_DAYS} days. Split it.")));
        }
        let word = |field: &str, text: &str| {
            let text = text.trim();
            match text.chars().count() <= LONGEST_WORD && !text.chars().any(char::is_control) {
                true => Ok(text.to_owned()),
                false => Err(Error::invalid(field, format!("{field} is a name of at most {LONGEST_WORD} characters."))),
            }
        };
        if amount.minor < 0 {
            let remedy = "What was spent is not below nought. Where a platform gave something back, correct the amount that it was of.";
            return Err(Error::invalid("amount", remedy));
        }
        let source = word("source", source)?;
        if source.is_empty() || source == "unattributed" {
            return Err(Error::invalid("source", "Say where it was spent, such as google."));
        }
        let medium = word("medium", medium)?;
        let note = note.map(str::trim).filter(|n| !n.is_empty());
        if note.is_some_and(|n| n.chars().count() > LONGEST_NOTE) {
            return Err(Error::invalid("note", format!("A note has at most {LONGEST_NOTE} characters.")));
        }
        Ok(Self {
            days,
            source: normal_source(&source),
            medium: if medium.is_empty() { NOT_SET.to_owned() } else { normal_medium(&medium) },
            campaign: word("campaign", campaign)?,
            amount,
            note: note.map(str::to_owned),
        })
    }

    /// What was spent on each day: as even as minor units are, and together the whole.
    pub fn by_day(&self) -> Vec<(Day, i64)> {
        let parts = self.amount.split(&vec![1; self.days.count().max(1) as usize]);
        self.days.each().zip(parts.into_iter().map(|part| part.minor)).collect()
    }

    /// Where and when, without how much.
    pub fn what(&self) -> String {
        format!(
            "{} {} {:?} {:?} {:?} {}",
            self.days.from,
            self.days.to,
            self.source,
            self.medium,
            self.campaign,
            self.amount.currency.code()
        )
    }
}

/// What one of something has cost, to the nearest minor unit. `parts` of a whole one where a lens shares one among several;
/// none where there is none of it.
pub fn cost_of_one(spent_minor: i64, parts: i64, whole: i64, currency: Currency) -> Option<Money> {
    if parts <= 0 {
        return None;
    }
    let (spent, parts, whole) = (i128::from(spent_minor), i128::from(parts), i128::from(whole));
    let doubled = 2 * spent * whole;
    let rounded = if doubled < 0 { -((parts - doubled) / (2 * parts)) } else { (doubled + parts) / (2 * parts) };
    i64::try_from(rounded).ok().map(|minor| Money::new(minor, currency))
}

/// Net revenue for each unit that was spent, in hundredths; none where nothing was.
pub fn return_percent(net_minor: i64, spent_minor: i64) -> Option<i64> {
    (spent_minor > 0).then(|| (i128::from(net_minor) * 100 / i128::from(spent_minor)).clamp(-1_000_000_000, 1_000_000_000) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, Currency::parse("EUR").expect("EUR"))
    }

    fn days(from: &str, to: &str) -> Days {
        Days { from: Day::parse(from).expect("a day"), to: Day::parse(to).expect("a day") }
    }

    #[test]
    fn an_amount_is_spread_evenly_and_exactly() {
        let spend = Spend::new(days("2026-06-01", "2026-06-03"), ("FB", "Paid Social", " Spring "), eur(1_000), None).expect("spend");
        assert_eq!((spend.source.as_str(), spend.medium.as_str(), spend.campaign.as_str()), ("facebook", "paid_social", "Spring"));
        assert_eq!(spend.by_day().into_iter().map(|(_, minor)| minor).collect::<Vec<_>>(), [334, 333, 333]);
    }

    #[test]
    fn what_cannot_be_spread_is_refused_by_name() {
        let june = days("2026-06-01", "2026-06-30");
        for (days, words, field) in [
            (days("2026-06-02", "2026-06-01"), ("google", "cpc", ""), "to"),
            (days("2025-01-01", "2026-06-01"), ("google", "cpc", ""), "to"),
            (june, (" ", "cpc", ""), "source"),
            (june, ("unattributed", "cpc", ""), "source"),
            (june, ("google", "c\npc", ""), "medium"),
        ] {
            assert_eq!(Spend::new(days, words, eur(1), None).expect_err("refused").field.as_deref(), Some(field));
        }
        let below = Spend::new(june, ("google", "cpc", ""), eur(-1), None).expect_err("refused");
        assert_eq!((below.field.as_deref(), below.message.contains("correct the amount")), (Some("amount"), true));
        assert!(Spend::new(june, ("google", "cpc", ""), eur(0), None).is_ok(), "a day on which nothing was spent");
    }

    #[test]
    fn costs_are_rounded_to_the_nearest_and_none_of_nothing() {
        let currency = Currency::parse("EUR").expect("EUR");
        let cost = |spent, parts, whole| cost_of_one(spent, parts, whole, currency).map(|m| m.minor);
        assert_eq!((cost(1_000, 3, 1), cost(2_000, 3, 1), cost(5, 2, 1), cost(-5, 2, 1)), (Some(333), Some(667), Some(3), Some(-3)));
        assert_eq!(cost(1_000, 500_000_000, 1_000_000_000), Some(2_000), "half a lead costs as much as a whole one twice");
        assert_eq!((cost(1_000, 0, 1), return_percent(300, 0)), (None, None));
        assert_eq!((return_percent(450, 300), return_percent(-30, 300)), (Some(150), Some(-10)));
    }

    proptest! {
        #[test]
        fn the_days_add_up(minor in 0i64..1_000_000_000, length in 0i32..365) {
            let from = Day::parse("2026-01-01").expect("a day");
            let spend = Spend::new(Days { from, to: from.plus(length) }, ("google", "", ""), eur(minor), None).expect("spend");
            let all = spend.by_day();
            prop_assert_eq!(all.len() as i32, length + 1);
            prop_assert_eq!(all.iter().map(|(_, m)| m).sum::<i64>(), minor);
            let (least, most) = (all.iter().map(|(_, m)| m).min().copied(), all.iter().map(|(_, m)| m).max().copied());
            prop_assert!(most.unwrap_or(0) - least.unwrap_or(0) <= 1);
        }
    }
}
