//! Journeys of conversions, as small as they get: which visits came before each, how long before, and what was booked for
//! it. Models and windows are lenses over them (`lab`); so are the ways that visitors take (`ways`) and the time they take
//! (`pace`). Everything is worked out in one pass, whatever the lens.

/// All models side by side.
pub mod lab;
/// How long it takes to convert.
pub mod pace;
/// The ways that lead to a conversion.
pub mod ways;

use std::collections::HashMap;

use super::super::campaign::{DIRECT, NOT_SET};
use super::super::channel::channel;
use super::super::money::Currency;
use super::super::rule::Rules;
use super::super::time::{DAY_MS, Time};
use super::filter::UNATTRIBUTED;
use super::{ConversionFilter, Lens, Marks};

/// A visit before a conversion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Milliseconds before the conversion. A time in whole seconds stands for its second: down to minus 999.
    pub age_ms: i64,
    /// The browser's number; nought where the shop itself has told of the visit.
    pub session: u32,
    /// Its place among the origins, and what it is in the two highest bits.
    place: u32,
}

const IS_DIRECT: u32 = 1 << 31;
const IS_SILENT: u32 = 1 << 30;
/// Origins of a day at most.
pub const MOST_ORIGINS: usize = IS_SILENT as usize;

impl Step {
    /// `is_silent`: it stands in the path and earns nothing, as a chat does.
    pub fn new(age_ms: i64, session: u32, origin: usize, is_direct: bool, is_silent: bool) -> Self {
        let flags = if is_direct { IS_DIRECT } else { 0 } | if is_silent { IS_SILENT } else { 0 };
        Self { age_ms, session, place: origin as u32 & !(IS_DIRECT | IS_SILENT) | flags }
    }

    pub fn origin(self) -> usize {
        (self.place & !(IS_DIRECT | IS_SILENT)) as usize
    }

    pub fn is_direct(self) -> bool {
        self.place & IS_DIRECT != 0
    }

    pub fn is_silent(self) -> bool {
        self.place & IS_SILENT != 0
    }
}

/// A conversion of a day, or one of another day for which something was booked on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Journey {
    pub at: Time,
    /// Its place among the marks.
    pub marks: u32,
    /// Where its steps begin.
    pub first_step: u32,
    pub steps: u32,
    /// It happened on the day.
    pub is_counted: bool,
}

/// Money of one entry of the ledger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Its place among the journeys; entries stand in the order of these.
    pub journey: u32,
    pub currency: Currency,
    pub minor: i64,
}

/// Where a visit came from and began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Place {
    pub source: String,
    pub medium: String,
    pub campaign: String,
    pub content: String,
    pub term: String,
    pub page: String,
}

/// What a conversion is known by, kept once for all that have it in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Known {
    pub kind: String,
    pub source: String,
    pub medium: String,
    pub campaign: String,
    pub match_type: String,
    pub status: String,
    pub currency: String,
}

impl Known {
    pub fn of(m: &Marks) -> Self {
        let own = str::to_owned;
        Self {
            kind: own(m.kind),
            source: own(m.source),
            medium: own(m.medium),
            campaign: own(m.campaign),
            match_type: own(m.match_type),
            status: own(m.status),
            currency: own(m.currency),
        }
    }

    pub fn marks(&self) -> Marks<'_> {
        Marks {
            kind: &self.kind,
            source: &self.source,
            medium: &self.medium,
            campaign: &self.campaign,
            match_type: &self.match_type,
            status: &self.status,
            currency: &self.currency,
        }
    }

    /// Where its sender says that it came from.
    fn stated(&self) -> Place {
        Place { source: self.source.clone(), medium: self.medium.clone(), campaign: self.campaign.clone(), ..Place::default() }
    }
}

/// The journeys of one day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journeys {
    pub all: Vec<Journey>,
    pub steps: Vec<Step>,
    pub entries: Vec<Entry>,
    pub origins: Vec<Place>,
    pub known: Vec<Known>,
}

impl Journeys {
    pub fn steps_of(&self, journey: &Journey) -> &[Step] {
        let from = journey.first_step as usize;
        &self.steps[from..from + journey.steps as usize]
    }

    /// Bytes, roughly.
    pub fn bytes(&self) -> usize {
        let words = |all: &[&String]| all.iter().map(|w| w.len()).sum::<usize>();
        let origins =
            self.origins.iter().map(|o| 150 + words(&[&o.source, &o.medium, &o.campaign, &o.content, &o.term, &o.page])).sum::<usize>();
        let known = self.known.iter().map(|k| 230 + words(&[&k.source, &k.medium, &k.campaign])).sum::<usize>();
        self.all.len() * size_of::<Journey>()
            + self.steps.len() * size_of::<Step>()
            + self.entries.len() * size_of::<Entry>()
            + origins
            + known
            + 200
    }
}

type Key<'p> = (&'p str, &'p str, &'p str, &'p str);

/// What rows are by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Channel,
    Source,
    Medium,
    Campaign,
    Content,
    Term,
    Landing,
}

impl By {
    pub const ALL: [By; 7] = [Self::Channel, Self::Source, Self::Medium, Self::Campaign, Self::Content, Self::Term, Self::Landing];

    pub fn word(self) -> &'static str {
        match self {
            By::Channel => "channel",
            By::Source => "source",
            By::Medium => "medium",
            By::Campaign => "campaign",
            By::Content => "content",
            By::Term => "term",
            By::Landing => "landing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.word() == text)
    }

    /// What of a visit tells its row.
    fn key(self, place: &Place) -> Key<'_> {
        let detail = match self {
            By::Channel | By::Source | By::Medium | By::Campaign => "",
            By::Content => &place.content,
            By::Term => &place.term,
            By::Landing => &place.page,
        };
        (&place.source, &place.medium, &place.campaign, detail)
    }

    /// The row of a visit, under the names that rules give.
    pub fn name(self, place: &Place, rules: &Rules) -> String {
        let (source, medium, campaign, detail) = self.key(place);
        let (source, medium, campaign) = rules.named(source, medium, campaign);
        if source.is_empty() {
            return UNATTRIBUTED.to_owned();
        }
        let word = match self {
            By::Channel => channel(source, medium, (!campaign.is_empty()).then_some(campaign)),
            By::Source => source,
            By::Medium => medium,
            By::Campaign => campaign,
            By::Content | By::Term | By::Landing => detail,
        };
        if word.is_empty() { NOT_SET.to_owned() } else { word.to_owned() }
    }
}

/// What is asked of journeys.
#[derive(Debug, Clone)]
pub struct Asked {
    pub lens: Lens,
    pub by: By,
    /// A direct visit is passed over, and what has no other is left out.
    pub without_direct: bool,
    /// What nothing is known of is left out.
    pub without_unattributed: bool,
    pub filter: ConversionFilter,
}

/// Names of rows, each with its number.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub all: Vec<String>,
    places: HashMap<String, u32>,
}

impl Names {
    pub fn of(&mut self, name: String) -> u32 {
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        let place = self.all.len() as u32;
        self.places.insert(name.clone(), place);
        self.all.push(name);
        place
    }
}

/// What there is to be credited of a journey.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Held {
    /// The visits that were put aside, by time.
    Visits,
    /// There is no visit, and its sender says where it came from: the row of that word.
    Stated(u32),
    /// Nothing within the window.
    Nothing,
    /// Direct visits alone, which are left out.
    OnlyDirect,
}

/// A visit that may be credited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visit {
    pub age_ms: i64,
    pub session: u32,
    pub row: u32,
    pub is_direct: bool,
}

/// Goes through the journeys of some days as a question sees them: filtered, with their visits within the window.
pub fn each<'b>(
    blocks: impl Iterator<Item = &'b Journeys>,
    asked: &Asked,
    names: &mut Names,
    mut on: impl FnMut(&Journey, Held, &[Visit], &[Entry]),
) {
    let mut visits: Vec<Visit> = Vec::new();
    // Days have mostly the same origins, and finding the channel of one takes longer than finding it here.
    let mut rows_of: HashMap<Key<'b>, u32> = HashMap::new();
    let is_open = asked.filter.is_open();
    for block in blocks {
        let mut row =
            |place: &'b Place| *rows_of.entry(asked.by.key(place)).or_insert_with(|| names.of(asked.by.name(place, &asked.filter.rules)));
        let rows: Vec<u32> = block.origins.iter().map(&mut row).collect();
        let known: Vec<Marked> = block
            .known
            .iter()
            .map(|known| Marked {
                is_taken: is_open || asked.filter.admits(&known.marks()),
                is_stated: !known.source.is_empty(),
                is_direct: known.source == DIRECT,
                most_ms: asked.lens.window_of(&known.kind).days().map_or(i64::MAX, |days| i64::from(days) * DAY_MS),
            })
            .collect();
        let mut entries = block.entries.as_slice();
        for (place, journey) in block.all.iter().enumerate() {
            let own = entries.iter().take_while(|e| e.journey as usize == place).count();
            let (money, rest) = entries.split_at(own);
            entries = rest;
            let of = &known[journey.marks as usize];
            if !of.is_taken {
                continue;
            }
            let stated = || names.of(asked.by.name(&block.known[journey.marks as usize].stated(), &asked.filter.rules));
            let held = hold(block.steps_of(journey), of, &rows, asked.without_direct, stated, &mut visits);
            on(journey, held, &visits, money);
        }
    }
}

struct Marked {
    is_taken: bool,
    is_stated: bool,
    is_direct: bool,
    most_ms: i64,
}

fn hold(steps: &[Step], of: &Marked, rows: &[u32], without_direct: bool, stated: impl FnOnce() -> u32, visits: &mut Vec<Visit>) -> Held {
    visits.clear();
    if steps.is_empty() {
        return match of.is_stated {
            false => Held::Nothing,
            true if without_direct && of.is_direct => Held::OnlyDirect,
            true => Held::Stated(stated()),
        };
    }
    let mut has_direct = false;
    for step in steps.iter().filter(|s| !s.is_silent() && s.age_ms <= of.most_ms) {
        if without_direct && step.is_direct() {
            has_direct = true;
        } else {
            let (age_ms, session, is_direct) = (step.age_ms, step.session, step.is_direct());
            visits.push(Visit { age_ms, session, row: rows[step.origin()], is_direct });
        }
    }
    match (visits.is_empty(), has_direct) {
        (false, _) => Held::Visits,
        (true, true) => Held::OnlyDirect,
        (true, false) => Held::Nothing,
    }
}

/// Amounts by currency, which are never added to one another; hardly ever more than one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Purse(pub Vec<(Currency, i64)>);

impl Purse {
    pub fn add(&mut self, currency: Currency, minor: i64) {
        match self.0.iter_mut().find(|(known, _)| *known == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(minor),
            None => self.0.push((currency, minor)),
        }
    }

    pub fn add_all(&mut self, other: &Purse) {
        other.0.iter().for_each(|(currency, minor)| self.add(*currency, *minor));
    }

    pub fn of(&self, currency: Currency) -> i64 {
        self.0.iter().find(|(known, _)| *known == currency).map_or(0, |(_, minor)| *minor)
    }
}
