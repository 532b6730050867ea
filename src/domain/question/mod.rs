//! What may be asked of the figures: days, lens, filters, pages. Parameters as they came are read into types here; what
//! cannot be taken is refused by name, with the allowed form.

/// How large an amount may be.
mod band;
/// What became of single bookings.
pub mod bookings;
/// What is wanted of a word.
mod choice;
/// Where the next page begins.
pub mod cursor;
/// Which days.
pub mod days;
/// Which deliveries.
pub mod deliveries;
/// Which rows.
pub mod filter;
/// Who took which steps.
pub mod funnel;
/// What came before conversions.
pub mod journeys;
/// Rates, and how far a small number may be trusted.
pub mod rate;
/// What walks add up to.
pub mod reached;
/// Who booked, who came.
pub mod show_up;
/// Sums over rows, and how often each value occurs.
pub mod tally;
/// The way of one person through a funnel.
pub mod walk;

use super::attribution::window::Window;
use super::attribution::{Model, Policy};
use super::conversion::ConversionKind;
use crate::error::{Error, Result};

pub use band::Bands;
pub use choice::Choice;
pub use cursor::Cursor;
pub use days::{Days, Period, Span};
pub use deliveries::DeliveryFilter;
pub use filter::{ConversionFilter, Marks, Whereabouts};
pub use tally::Tally;

/// Rows of a page that is asked for without a number.
pub const PAGE: usize = 50;
/// Rows of a page at most.
pub const LARGEST_PAGE: usize = 500;
/// The longest word of a filter or search.
pub const LONGEST_WORD: usize = 255;
/// Values of one filter at most.
const MOST_VALUES: usize = 50;

/// The parameters as they came, decoded, in their order.
#[derive(Clone, Copy)]
pub struct Asked<'a>(pub &'a [(String, String)]);

impl<'a> Asked<'a> {
    /// The first value under a name that is not empty.
    pub fn one(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    pub fn limit(&self) -> Result<usize> {
        let Some(text) = self.one("limit") else { return Ok(PAGE) };
        match text.parse::<usize>() {
            Ok(n) if (1..=LARGEST_PAGE).contains(&n) && text.bytes().all(|b| b.is_ascii_digit()) => Ok(n),
            _ => Err(Error::parameter("limit", format!("limit is a number from 1 to {LARGEST_PAGE}."))),
        }
    }

    /// What is searched for, trimmed; none where nothing is.
    pub fn search(&self) -> Result<Option<&'a str>> {
        let Some(text) = self.one("q").map(str::trim).filter(|t| !t.is_empty()) else { return Ok(None) };
        if text.chars().count() > LONGEST_WORD || text.contains('\0') {
            return Err(Error::parameter("q", format!("q is text of at most {LONGEST_WORD} characters.")));
        }
        Ok(Some(text))
    }

    /// The lens that is asked for; what is not said is the site's own.
    pub fn lens(&self, own: &Policy) -> Result<Lens> {
        let model = match self.one("model") {
            None => own.model,
            Some(text) => model(text)?,
        };
        let window = match self.one("window") {
            None => Window(own.window_days),
            Some(text) => Window::parse(text).ok_or_else(|| {
                let all: Vec<String> = Window::ALL.iter().map(|w| w.word()).collect();
                Error::parameter("window", format!("window is one of {}.", all.join(", ")))
            })?,
        };
        let is_own_window = window == Window(own.window_days);
        let by_kind = ConversionKind::ALL.map(|kind| if is_own_window { Window(own.window_of(kind)) } else { window });
        Ok(Lens { model, window, by_kind })
    }

    /// The value under a name, which must be one of these words.
    pub fn word<'w>(&self, name: &str, words: &'w [&'w str]) -> Result<Option<&'w str>> {
        let Some(text) = self.one(name) else { return Ok(None) };
        match words.iter().find(|w| **w == text) {
            Some(word) => Ok(Some(word)),
            None => Err(Error::parameter(name, format!("{name} is one of {}.", words.join(", ")))),
        }
    }

    /// A free word of at most 255 characters.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>> {
        let Some(text) = self.one(name) else { return Ok(None) };
        if text.chars().count() > LONGEST_WORD || text.contains('\0') {
            return Err(Error::parameter(name, format!("{name} is text of at most {LONGEST_WORD} characters.")));
        }
        Ok(Some(text))
    }
}

/// A model by its word, or the refusal that names all of them.
pub fn model(text: &str) -> Result<Model> {
    Model::parse(text).ok_or_else(|| {
        let all: Vec<&str> = Model::ALL.iter().map(|m| m.word()).collect();
        Error::parameter("model", format!("model is one of {}.", all.join(", ")))
    })
}

/// Through which rule credit is looked at. Never changes what is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    pub model: Model,
    pub window: Window,
    /// The same, but where the site's own window is asked for each kind keeps its own.
    by_kind: [Window; 4],
}

impl Lens {
    /// Through the site's own policy, whatever else was asked.
    pub fn of(own: &Policy) -> Self {
        let window = Window(own.window_days);
        Self { model: own.model, window, by_kind: ConversionKind::ALL.map(|kind| Window(own.window_of(kind))) }
    }

    /// Through another model, as far back.
    pub fn with(self, model: Model) -> Self {
        Self { model, ..self }
    }

    /// How far before a conversion of this kind.
    pub fn window_of(&self, kind: &str) -> Window {
        ConversionKind::ALL.into_iter().zip(self.by_kind).find(|(k, _)| k.word() == kind).map_or(self.window, |(_, window)| window)
    }

    /// The one under which the books name a source: columns answer, no path has to be read. A model that shares a
    /// conversion among several has no such column.
    pub fn is_of_the_books(&self, own: &Policy) -> bool {
        self.model == own.model && own.model.is_single() && self.window == Window(own.window_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &str) -> Vec<(String, String)> {
        query.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    #[track_caller]
    fn refused<T: std::fmt::Debug>(answer: Result<T>, field: &str, form: &str) {
        let e = answer.expect_err("refused");
        assert_eq!((e.code, e.field.as_deref()), ("invalid_parameter", Some(field)));
        assert!(e.message.contains(form), "{}", e.message);
    }

    #[test]
    fn what_cannot_be_taken_is_refused_by_name() {
        let own = Policy::default();
        for (query, field, form) in [
            ("model=first';drop", "model", "time_decay"),
            ("window=abc", "window", "unlimited"),
            ("window=31", "window", "30"),
            ("window=030", "window", "30"),
        ] {
            refused(Asked(&pairs(query)).lens(&own), field, form);
        }
        for query in ["limit=0", "limit=501", "limit=-1", "limit=1e2", "limit=+5", "limit=99999999999999999999"] {
            refused(Asked(&pairs(query)).limit(), "limit", "500");
        }
        refused(Asked(&pairs(&format!("q={}", "x".repeat(256)))).search(), "q", "255");
        refused(Asked(&pairs("q=a\0b")).search(), "q", "255");
        refused(Asked(&pairs("sort=amount;--")).word("sort", &["happened_at", "amount"]), "sort", "amount");
    }

    #[test]
    fn what_is_not_said_is_the_sites_own() {
        let own = Policy { model: Model::Linear, window_days: Some(7), ..Policy::default() };
        let lens = Asked(&[]).lens(&own).expect("a lens");
        assert_eq!((lens.model, lens.window), (Model::Linear, Window(Some(7))));
        let lens = Asked(&pairs("model=last_click&window=unlimited")).lens(&own).expect("a lens");
        assert_eq!((lens.model, lens.window), (Model::LastNonDirect, Window(None)));
        assert_eq!(Asked(&pairs("limit=7&q=")).limit().expect("a limit"), 7);
        assert_eq!(Asked(&pairs("q=  ")).search().expect("none"), None);
    }
}
