//! Who went how far through a funnel: every person's trail against its plan, in one pass over what is kept of them.

use std::collections::HashMap;

use super::super::milestones::walked::Walked;
use super::super::trails::sold::{Kind, Sale, Sold};
use super::super::trails::visits::Visits;
use super::super::trails::{OriginPlace, PersonKey, Trail, Trails};
use super::visits::Origin;
use crate::domain::funnel::{Plan, Step, is_of_pattern};
use crate::domain::money::Currency;
use crate::domain::question::ConversionFilter;
use crate::domain::question::reached::Reached;
use crate::domain::question::walk::{Fit, Rule, Walk, walk};

/// Whose first visit a question asks for, and under which names they are put together.
pub struct ByOrigin<'w> {
    pub filter: &'w ConversionFilter,
    /// The name of a group.
    pub name: &'w dyn Fn(&Origin) -> String,
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
#[derive(Default)]
pub struct Answer {
    pub reached: Reached,
    pub groups: Groups,
}

/// Somebody on a list.
pub struct Somebody {
    pub person: PersonKey,
    pub walk: Walk,
    pub origin: OriginPlace,
}

/// Everybody who took the first step in its time.
pub fn answer(trails: &Trails, plan: &Plan, rule: &Rule, currency: Currency, by: &ByOrigin) -> Answer {
    let mut answer = Answer::default();
    each(trails, plan, rule, currency, |trail, walk| {
        if let Some(group) = answer.groups.of(trails, trail, by) {
            answer.reached.add(group, &walk);
        }
    });
    answer
}

/// Those who came so far, and where `is_left`, no further. The last who took that step first; equals in the order of their numbers.
pub fn people(
    trails: &Trails,
    plan: &Plan,
    rule: &Rule,
    currency: Currency,
    by: &ByOrigin,
    (reached, is_left): (usize, bool),
) -> Vec<Somebody> {
    let mut found = Vec::new();
    let mut groups = Groups::default();
    each(trails, plan, rule, currency, |trail, walk| {
        let is_wanted = if is_left { walk.reached == reached } else { walk.reached >= reached };
        if is_wanted && groups.of(trails, trail, by).is_some() {
            found.push(Somebody { person: trail.person, walk, origin: trails.origin(trail) });
        }
    });
    found.sort_unstable_by_key(|s: &Somebody| (std::cmp::Reverse(s.walk.at_s[reached - 1]), s.person));
    found
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
fn each<'t>(trails: &'t Trails, plan: &Plan, rule: &Rule, currency: Currency, mut on: impl FnMut(&Trail<'t>, Walk)) {
    let fitting = Fitting::of(trails, plan, currency);
    let mut fits: Vec<Fit> = Vec::new();
    trails.each(|trail| {
        fits.clear();
        fitting.fits(trail, &mut fits);
        if fits.iter().any(|fit| fit.steps & 1 != 0) {
            fits.sort_unstable_by_key(Fit::order);
            if let Some(walk) = walk(&fits, rule) {
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
