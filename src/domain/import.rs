//! History that the owner brings in a file: CSV or JSON lines, read as it comes, a row at a time. What the rows say is
//! made into facts here; what they do is up to intake.

use super::fact::Fact;
use super::money::{Currency, Money};
use super::pipeline::Stage;
use super::question::LONGEST_WORD;
use super::spend::Spend;
use super::time::{Day, Time, Zone};
use crate::error::{Error, Result};

/// A number and the currency beside it.
mod amount;
/// Values of one row, read by name.
mod cells;
/// Which column means what.
mod columns;
/// A row of a conversions file.
mod conversion;
/// Days and moments as files have them.
mod date;
/// A row of a leads file.
mod lead;
/// What no system has told.
pub mod offline;
/// A row of an orders file.
mod order;
/// Bytes into records.
mod records;
/// A file on its way in.
mod sheet;
/// A row of a file of advertising costs.
mod spend;
/// Whatever encoding it has, as UTF-8.
mod text;
/// A row of a file of visits.
mod touch;

pub use sheet::{Shape, Sheet};
pub use touch::HistoryTouch;

/// Bytes of one row at most: where a quotation mark is not closed, the rest of the file is not one cell.
pub const LONGEST_ROW: usize = 1024 * 1024;

/// What a file is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImportKind {
    Spend,
    Conversions,
    Orders,
    Leads,
    /// Leads, bookings, visits and referrals that no system has told.
    Offline,
    Touches,
}

impl ImportKind {
    pub const ALL: [ImportKind; 6] = [Self::Spend, Self::Conversions, Self::Orders, Self::Leads, Self::Offline, Self::Touches];

    pub fn word(self) -> &'static str {
        match self {
            Self::Spend => "spend",
            Self::Conversions => "conversions",
            Self::Orders => "orders",
            Self::Leads => "leads",
            Self::Offline => "offline",
            Self::Touches => "touches",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == text)
    }

    pub fn read(text: &str) -> Result<Self> {
        let words = Self::ALL.map(Self::word).join(", ");
        Self::parse(text).ok_or_else(|| Error::invalid("kind", format!("kind is one of {words}.")))
    }
}

/// What a file does not say by itself.
#[derive(Debug, Clone)]
pub struct Home {
    pub currency: Currency,
    pub zone: Zone,
    pub country: Option<String>,
    pub now: Time,
    /// Visits before this would be forgotten the same night.
    pub oldest_touch: Time,
    /// Parameters of pages that are kept beside the usual ones.
    pub extra_params: Vec<String>,
    /// Where spend of a file without such a column went.
    pub source: Option<String>,
    pub medium: Option<String>,
    /// The site's own words for steps.
    pub steps: Vec<String>,
}

#[cfg(test)]
impl Home {
    /// A site in UTC, on 13 June 2026.
    pub fn of_test(currency: &str) -> Self {
        Self {
            currency: Currency::parse(currency).expect("a currency"),
            zone: Zone::utc(),
            country: None,
            now: Time::from_s(1_781_342_400),
            oldest_touch: Time::from_s(1_740_000_000),
            extra_params: Vec::new(),
            source: None,
            medium: None,
            steps: Vec::new(),
        }
    }
}

/// What one row is.
#[derive(Debug, Clone)]
pub enum Row {
    Spend(Spend),
    /// With where a lead stood in the pipeline, where the file says so.
    Fact(Box<Fact>, Option<Stage>),
    Touch(Box<HistoryTouch>),
}

/// By what a row is known again.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// Its own id, or all it says.
    pub key: String,
    pub content: String,
    /// The number that it had here, where the file is our own export.
    pub conversion: Option<String>,
}

#[derive(Debug, Clone)]
pub enum Outcome {
    Row {
        name: Name,
        row: Row,
    },
    /// A row that is none of its own: a total, another line of an order.
    LeftOut,
    Refused(Refusal),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub field: String,
    /// What is wrong and what to do, without what stood there.
    pub remedy: String,
}

impl Refusal {
    fn new(field: &str, remedy: impl Into<String>) -> Self {
        Self { field: field.to_owned(), remedy: remedy.into() }
    }
}

/// One row of the file, at the line where it begins.
#[derive(Debug, Clone)]
pub struct Told {
    pub line: u64,
    pub outcome: Outcome,
}

impl Row {
    /// What sums go by: nothing for a visit, and for a lead of no value.
    pub fn amount(&self) -> Option<Money> {
        match self {
            Row::Spend(spend) => Some(spend.amount),
            Row::Touch(_) => None,
            Row::Fact(fact, _) => match &**fact {
                Fact::Order(order) => Some(order.total),
                Fact::Lead(lead) => lead.value,
                Fact::Statement(statement) => statement.amount,
                Fact::Milestone(milestone) => milestone.by_hand.value,
                _ => None,
            },
        }
    }

    /// First and last day.
    pub fn days(&self, zone: &Zone) -> (Day, Day) {
        let at = match self {
            Row::Spend(spend) => return (spend.days.from, spend.days.to),
            Row::Touch(touch) => touch.at,
            Row::Fact(fact, _) => match &**fact {
                Fact::Order(order) => order.happened_at,
                Fact::Lead(lead) => lead.happened_at,
                Fact::Statement(statement) => statement.happened_at,
                Fact::Milestone(milestone) => milestone.happened_at,
                _ => Time::from_ms(0),
            },
        };
        (zone.day(at), zone.day(at))
    }
}

/// A word of a file, cleaned and within its limit.
fn cut(text: &str, most: usize) -> String {
    super::campaign::clean_text(text, most).chars().take(most).collect()
}

/// The longest name of a campaign, a form, a page.
const LONGEST: usize = LONGEST_WORD;
