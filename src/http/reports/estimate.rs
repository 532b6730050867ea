//! The data-driven estimate: the chain of journeys is made of conversions with known visits and of visitors who came on the
//! same days and did not convert, and shares by what would be missing without each channel.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::patient;
use crate::app::App;
use crate::domain::attribution::markov::{Chain, FEW, MOST_NAMES};
use crate::domain::question::journeys::lab::{Lab, add_converted};
use crate::domain::question::journeys::{Asked, Journeys};
use crate::domain::question::{ConversionFilter, Days};
use crate::domain::time::Day;
use crate::error::Result;
use crate::store::questions::lost::{self, Visits};
use crate::store::questions::tables::WHOLE;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

/// Visits that are looked at: more do not fit into the memory that one question may take.
const MOST_VISITS: usize = 3_000_000;
/// Days of visits that are read at once.
const DAYS_AT_ONCE: i32 = 7;

pub struct Estimate {
    pub is_shown: bool,
    order: usize,
    converted: u64,
    lost: u64,
    sentence: String,
}

impl Estimate {
    fn refused(order: usize, sentence: impl Into<String>) -> Self {
        Self { is_shown: false, order, converted: 0, lost: 0, sentence: sentence.into() }
    }

    pub fn shown(&self) -> Value {
        json!({"is_shown": self.is_shown, "order": self.order, "converted": self.converted, "not_converted": self.lost, "sentence": self.sentence})
    }
}

pub async fn estimate(
    app: &App,
    site: &Site,
    days: Days,
    asked: &Asked,
    blocks: Vec<Arc<Journeys>>,
    mut lab: Lab,
    order: usize,
) -> Result<(Estimate, Lab)> {
    let known = lab.visited.conversions_e9 / WHOLE;
    if known <= FEW as i64 {
        let sentence = format!("The data-driven estimate needs more than {FEW} conversions with known visits; these days have {known}.");
        return Ok((Estimate::refused(order, sentence), lab));
    }
    let of_all = ConversionFilter { kind: Default::default(), ..asked.filter.clone() };
    if !of_all.is_open() {
        let sentence = "The data-driven estimate looks at all visitors, also at those who bought nothing: take the filters away to see it.";
        return Ok((Estimate::refused(order, sentence), lab));
    }
    let mut visits: Vec<Arc<Visits>> = Vec::new();
    for week in weeks(days) {
        let (zone, by) = (site.zone.clone(), asked.by);
        visits.extend(patient(app, site, move |c| lost::visits(c, &zone, week, by)).await?);
        if visits.iter().map(|day| day.all.len()).sum::<usize>() > MOST_VISITS {
            let sentence = "There are more visits on these days than the data-driven estimate can look at: choose fewer days.";
            return Ok((Estimate::refused(order, sentence), lab));
        }
    }
    let of = asked.clone();
    let work = move |_: &SiteConn| {
        let (chain, channel_of, lost) = chain(&blocks, &of, &lab, &visits, order);
        lab.estimate(&chain.effects(), &channel_of);
        Ok((chain, lost, lab))
    };
    // Not for what the file says: for a thread on which nobody waits.
    let (chain, lost, lab) = app.store.read(site.id, work).await?;
    let (converted, remembers) = (chain.converted(), ["the last visit", "the last two visits", "the last three visits"][order - 1]);
    let sentence = format!(
        "An estimate from {converted} conversions and {lost} visitors who did not convert on these days: what would be missing without each, remembering {remembers}."
    );
    Ok((Estimate { is_shown: true, order, converted, lost, sentence }, lab))
}

fn weeks(days: Days) -> impl Iterator<Item = Days> {
    let last = days.to;
    (days.from.0..=last.0).step_by(DAYS_AT_ONCE as usize).map(Day).map(move |from| Days { from, to: from.plus(DAYS_AT_ONCE - 1).min(last) })
}

/// The chain, the channel of each row, and how many visitors did not convert.
fn chain(blocks: &[Arc<Journeys>], asked: &Asked, lab: &Lab, visits: &[Arc<Visits>], order: usize) -> (Chain, Vec<u16>, u64) {
    let mut names = lab.names.clone();
    let channel_of = channels(lab);
    // What no conversion has known stands together at the end: without it nothing would be missing.
    let elsewhere = (MOST_NAMES - 1) as u16;
    let channel = |row: u32| channel_of.get(row as usize).copied().unwrap_or(elsewhere);
    let mut chain = Chain::new(MOST_NAMES, order);
    let mut bought: HashSet<u32> = HashSet::new();
    let mut way: Vec<u16> = Vec::new();
    add_converted(blocks.iter().map(Arc::as_ref), asked, &mut names.clone(), |rows, visits| {
        way.clear();
        way.extend(rows.iter().map(|row| channel(*row)));
        way.dedup();
        chain.add(&way, 1, 0);
        bought.extend(visits.iter().map(|v| v.session));
    });
    let first_ms = visits.iter().map(|day| day.begins_at.ms()).min().unwrap_or(0);
    let mut seen: Vec<(u32, u64)> = Vec::with_capacity(visits.iter().map(|day| day.all.len()).sum());
    for day in visits {
        let of_place: Vec<u16> = day.places.iter().map(|place| channel(names.of(asked.by.name(place, &asked.filter.rules)))).collect();
        // The time above the channel: in the order of time, and small.
        let after_ms = (day.begins_at.ms() - first_ms) as u64;
        let is_wanted = |v: &&lost::Seen| !(asked.without_direct && v.is_direct() || bought.contains(&v.session));
        seen.extend(
            day.all
                .iter()
                .filter(is_wanted)
                .map(|v| (v.session, (after_ms + u64::from(v.after_ms)) << 16 | u64::from(of_place[v.place()]))),
        );
    }
    seen.sort_unstable();
    // Most visitors go one of few ways.
    let mut lost: HashMap<Vec<u16>, u64> = HashMap::new();
    for visitor in seen.chunk_by(|a, b| a.0 == b.0) {
        way.clear();
        way.extend(visitor.iter().map(|(_, when)| *when as u16));
        way.dedup();
        match lost.get_mut(way.as_slice()) {
            Some(n) => *n += 1,
            None => drop(lost.insert(way.clone(), 1)),
        }
    }
    // In their order, so that the same journeys give the same figures to the last digit.
    let mut lost: Vec<(Vec<u16>, u64)> = lost.into_iter().collect();
    lost.sort_unstable();
    lost.iter().for_each(|(way, n)| chain.add(way, 0, *n));
    (chain, channel_of, lost.iter().map(|(_, n)| n).sum())
}

/// Rows by how often they stood on the way to a conversion: the most frequent are channels of their own, the others one.
fn channels(lab: &Lab) -> Vec<u16> {
    let elsewhere = (MOST_NAMES - 1) as u16;
    let mut order: Vec<usize> = (0..lab.rows.len()).collect();
    order.sort_by_key(|row| std::cmp::Reverse(lab.rows[*row].influenced.conversions_e9));
    let mut channel_of = vec![elsewhere; lab.rows.len()];
    for (channel, row) in order.into_iter().take(MOST_NAMES - 1).enumerate() {
        channel_of[row] = channel as u16;
    }
    channel_of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_cover_every_day_once() {
        for (from, to) in [(0, 0), (0, 6), (0, 7), (5, 33)] {
            let days: Vec<Day> = weeks(Days { from: Day(from), to: Day(to) }).flat_map(|w| w.each()).collect();
            assert_eq!(days, (from..=to).map(Day).collect::<Vec<_>>());
        }
    }
}
