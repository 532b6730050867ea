//! Where a lead stands with the people who sell: from new to won or lost.

use super::money::{Currency, Money, NoAmount};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    New,
    Contacted,
    Qualified,
    Won,
    Lost,
}

impl Stage {
    /// In the order of the pipeline.
    pub const ALL: [Stage; 5] = [Self::New, Self::Contacted, Self::Qualified, Self::Won, Self::Lost];

    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Contacted => "contacted",
            Self::Qualified => "qualified",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == text)
    }

    /// Reaching it is a fact of its own, which destinations may be told.
    pub fn is_told(self) -> bool {
        matches!(self, Self::Qualified | Self::Won)
    }

    /// Of a lead with this event id. The same stage reached again is the same event for ever.
    pub fn event_id(self, of_lead: &str) -> String {
        format!("{of_lead}_{}", self.word())
    }

    /// What the ledger calls the fact where a destination has no word of its own for it.
    pub fn fact(self) -> &'static str {
        match self {
            Self::Won => "lead_won",
            _ => "lead_qualified",
        }
    }
}

/// What a lead is worth, as somebody types it: no debts, and only the currency's own digits.
pub fn worth(text: &str, currency: Currency) -> Result<Money, &'static str> {
    match Money::parse(text, currency) {
        Ok(worth) if worth.minor >= 0 => Ok(worth),
        Ok(_) => Err("The value of a lead is not below zero."),
        Err(NoAmount::NotDecimal) => Err("The value is an amount such as 1200 or 1200.50."),
        Err(NoAmount::TooManyDigits) => Err("The value has more digits after the point than its currency."),
        Err(NoAmount::TooLarge) => Err("The value is larger than any sale."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_as_they_are_written() {
        for stage in Stage::ALL {
            assert_eq!(Stage::parse(stage.word()), Some(stage));
        }
        assert_eq!(Stage::parse("Won"), None);
        assert_eq!(Stage::Won.event_id("lead_L-83"), "lead_L-83_won");
        assert_eq!(Stage::ALL.map(Stage::is_told), [false, false, true, true, false]);
    }

    #[test]
    fn a_value_is_an_amount_that_is_not_below_zero() {
        let eur = Currency::parse("EUR").expect("EUR");
        assert_eq!(worth("1200.5", eur), Ok(Money::new(120_050, eur)));
        assert_eq!(worth("0", eur), Ok(Money::new(0, eur)));
        for bad in ["-1", "1,50", "1.234", "99999999999999999999", ""] {
            assert!(worth(bad, eur).is_err(), "{bad}");
        }
    }
}
