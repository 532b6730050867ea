//! Who went how far through a funnel: every person's trail against its plan, in one pass over what is kept of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::milestones::walked::Walked;
use super::super::recall::shelf::{Held, Shelf};
use super::super::scope::SiteConn;
use super::super::trails::Stamp;
use super::super::trails::sold::{Kind, Sale, Sold};
use super::super::trails::visits::Visits;
use super::super::trails::{OriginPlace, PersonKey, Trail, Trails};
use super::people_page::{Page, Wanted};
use super::show_up;
use super::visits::Origin;
use crate::domain::funnel::{Plan, Step, is_of_pattern};
use crate::domain::money::Currency;
use crate::domain::question::ConversionFilter;
use crate::domain::question::reached::{Adding, Reached};
use crate::domain::question::walk::{Fit, Rule, Walk, walk};

/// Bytes of answers that are kept: some thousands.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A funnel that is asked for.
pub struct Asked<'a> {
    pub plan: &'a Plan,
    pub rule: Rule,
    pub currency: Currency,
    pub by: &'a ByOrigin<'a>,
}

impl Asked<'_> {
    /// All of it in words.
    fn question(&self) -> String {
        format!("{:?} {:?} {} {}", self.plan, self.rule, self.currency, self.by.question())
    }
}

/// Whose first visit a question asks for, and under which names they are put together.
pub struct ByOrigin<'w> {
    pub filter: &'w ConversionFilter,
    /// What they are put together by.
    pub by: &'w str,
    /// The name of a group.
    pub name: &'w dyn Fn(&Origin) -> String,
}

impl ByOrigin<'_> {
    /// All of it in words: the filter holds the rules by which groups are named.
    pub(super) fn question(&self) -> String {
        format!("{:?} {}", self.filter, self.by)
    }
}

/// Groups as they come up, each once.
#[derive(Default)]
pub struct Groups {
    pub names: Vec<String>,
    known: HashMap<String, u32>,
    /// By the place of an origin in each of the lists: most people come from where others came from.
    of: [Vec<Known>; OriginPlace::LISTS],
}

/// What is known of an origin.
#[derive(Debug, Clone, Copy, Default)]
enum Known {
    #[default]
    Nothing,
    /// A filter leaves it out.
    LeftOut,
    Group(u32),
}

/// How far everybody went.
pub struct Answer {
    pub reached: Reached,
    /// By the number of the group.
    pub names: Vec<String>,
}

/// Answers that are kept as long as the trails are what they were.
pub struct Kept {
    pub(super) own: Shelf<Name, Answer>,
    pub(super) show_up: Shelf<Name, show_up::Answer>,
}

/// Site, what the trails consist of, and the question with all its filters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    site: i64,
    trails: Stamp,
    question: String,
}

impl Name {
    pub(super) fn of(c: &SiteConn, trails: &Trails, question: String) -> Self {
        Self { site: c.site().number(), trails: trails.stamp(), question }
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self { own: Shelf::new(MOST_BYTES), show_up: Shelf::new(MOST_BYTES) }
    }
}

impl Held for Answer {
    fn bytes(&self) -> usize {
        600 + self.names.len() * 150
    }
}

/// Somebody on a list.
pub struct Somebody {
    pub person: PersonKey,
    pub walk: Walk,
    pub origin: OriginPlace,
}

/// Everybody who took the first step in its time.
pub fn answer(c: &SiteConn, trails: &Trails, asked: &Asked) -> Arc<Answer> {
    let name = Name::of(c, trails, asked.question());
    if let Some(known) = c.funnels().and_then(|kept| kept.own.find(&name)) {
        return known;
    }
    let (mut adding, mut groups) = (Adding::default(), Groups::default());
    each(trails, asked, |trail, walk| {
        if let Some(group) = groups.of(trails, trail, asked.by) {
            adding.add(group, &walk);
        }
    });
    let answer = Arc::new(Answer { reached: adding.done(), names: groups.names });
    if let Some(kept) = c.funnels() {
        kept.own.keep(name, answer.clone());
    }
    answer
}

/// Those who came so far, and where `is_left`, no further. The last who took that step first; equals in the order of their numbers.
pub fn people(trails: &Trails, asked: &Asked, (reached, is_left): (usize, bool), wanted: Wanted) -> Page<Somebody> {
    let mut page = Page::of(wanted);
    let mut groups = Groups::default();
    each(trails, asked, |trail, walk| {
        let is_wanted = if is_left { walk.reached == reached } else { walk.reached >= reached };
        if is_wanted && groups.of(trails, trail, asked.by).is_some() {
            let (person, origin) = (trail.person, trails.origin(trail));
            page.add(walk.at_s[reached - 1], person, || Somebody { person, walk, origin });
        }
    });
    page.done();
    page
}

impl Groups {
    /// The group of somebody; none where a filter leaves them out.
    pub fn of(&mut self, trails: &Trails, trail: &Trail, by: &ByOrigin) -> Option<u32> {
        let origin = trails.origin(trail);
        let (list, place) = origin.parts();
        if self.of[list].len() <= place {
            self.of[list].resize(place + 1, Known::Nothing);
        }
        match self.of[list][place] {
            Known::Group(group) => Some(group),
            Known::LeftOut => None,
            Known::Nothing => {
                let words = trails.words_of(origin);
                let group = by.filter.admits_visit(&words.0, &words.1, &words.2).then(|| self.place((by.name)(words)));
                self.of[list][place] = group.map_or(Known::LeftOut, Known::Group);
                group
            }
        }
    }

    fn place(&mut self, name: String) -> u32 {
        let next = self.names.len() as u32;
        let names = &mut self.names;
        *self.known.entry(name).or_insert_with_key(|name| {
            names.push(name.clone());
            next
        })
    }
}

/// Everybody with a walk.
fn each<'t>(trails: &'t Trails, asked: &Asked, mut on: impl FnMut(&Trail<'t>, Walk)) {
    let fitting = Fitting::of(trails, asked.plan, asked.currency);
    let mut fits: Vec<Fit> = Vec::new();
    trails.each(|trail| {
        fits.clear();
        fitting.fits(trail, &mut fits);
        if fits.iter().any(|fit| fit.steps & 1 != 0) {
            fits.sort_unstable_by_key(Fit::order);
            if let Some(walk) = walk(&fits, &asked.rule) {
                on(trail, walk);
            }
        }
    });
}

/// Which steps each thing is, worked out once for all words.
struct Fitting {
    /// By the place of what is seen.
    whats: Vec<u8>,
    /// By kind and source of what a platform tells.
    kinds: Vec<Vec<u8>>,
    /// By the name of a conversion of the owner's own kind.
    names: Vec<u8>,
    lead: u8,
    sign_up: u8,
    refund: u8,
    /// For an order of so much at least.
    orders: Vec<(i64, u8)>,
    currency: Currency,
}

impl Fitting {
    fn of(trails: &Trails, plan: &Plan, currency: Currency) -> Self {
        let mut all = Self {
            whats: of_visits(&trails.visits, plan),
            kinds: of_steps(&trails.steps, plan),
            names: of_names(&trails.sold, plan),
            lead: 0,
            sign_up: 0,
            refund: 0,
            orders: Vec::new(),
            currency,
        };
        for (bit, step) in bits(plan) {
            match step {
                Step::Lead => all.lead |= bit,
                Step::SignUp => all.sign_up |= bit,
                Step::Refund => all.refund |= bit,
                Step::Order { minimum_minor } => all.orders.push((minimum_minor.unwrap_or(i64::MIN), bit)),
                Step::Page { .. } | Step::Event { .. } | Step::Milestone { .. } | Step::Custom { .. } => {}
            }
        }
        all
    }

    fn fits(&self, trail: &Trail, fits: &mut Vec<Fit>) {
        let mut add = |at_s: u32, steps: u8| {
            if steps != 0 {
                fits.push(Fit { at_s, steps });
            }
        };
        trail.each_browser(|visits| visits.iter().for_each(|v| add(v.at_s, self.whats[v.what as usize])));
        trail.steps.iter().for_each(|s| add(s.at_s, self.kinds[usize::from(s.kind)][usize::from(s.source)]));
        trail.sales.iter().for_each(|s| add(s.at_s, self.of_sale(s)));
    }

    fn of_sale(&self, sale: &Sale) -> u8 {
        match sale.kind {
            Kind::Lead => self.lead,
            Kind::SignUp => self.sign_up,
            Kind::Refund => self.refund,
            Kind::Custom => self.names[sale.name as usize],
            Kind::Sale => {
                let is_of = |minimum: i64| minimum == i64::MIN || sale.currency == Some(self.currency) && sale.minor >= minimum;
                self.orders.iter().filter(|(minimum, _)| is_of(*minimum)).fold(0, |all, (_, bit)| all | bit)
            }
        }
    }
}

fn bits(plan: &Plan) -> impl Iterator<Item = (u8, &Step)> {
    plan.steps.iter().enumerate().map(|(n, step)| (1 << n, step))
}

fn of_visits(visits: &Visits, plan: &Plan) -> Vec<u8> {
    let words = visits.words();
    let mut pages = vec![0_u8; words.pages.all.len()];
    let mut events = vec![0_u8; words.events.all.len()];
    for (bit, step) in bits(plan) {
        match step {
            // The first is none.
            Step::Page { path } => {
                let of = pages.iter_mut().zip(&words.pages.all).skip(1);
                of.filter(|(_, page)| is_of_pattern(path, page)).for_each(|(fits, _)| *fits |= bit);
            }
            Step::Event { name } => {
                let of = events.iter_mut().zip(&words.events.all).skip(1);
                of.filter(|(_, event)| *event == name).for_each(|(fits, _)| *fits |= bit);
            }
            _ => {}
        }
    }
    words.whats.iter().map(|what| pages[what.page as usize] | events[what.event as usize]).collect()
}

fn of_steps(walked: &Walked, plan: &Plan) -> Vec<Vec<u8>> {
    let of = |kind: &String, source: &String| {
        let is_one = |step: &Step| match step {
            Step::Milestone { milestone, source: only } => milestone == kind && only.as_ref().is_none_or(|only| only == source),
            _ => false,
        };
        bits(plan).filter(|(_, step)| is_one(step)).fold(0, |all, (bit, _)| all | bit)
    };
    walked.kinds.iter().map(|kind| walked.sources.iter().map(|source| of(kind, source)).collect()).collect()
}

fn of_names(sold: &Sold, plan: &Plan) -> Vec<u8> {
    let of = |known: &String| {
        let is_one = |step: &Step| matches!(step, Step::Custom { name } if name == known);
        bits(plan).filter(|(_, step)| is_one(step)).fold(0, |all, (bit, _)| all | bit)
    };
    sold.names.all.iter().map(of).collect()
}
