//! All models side by side: what each row earns under each of them, where it helped without earning, and where the models
//! disagree the most. Every column has the same total, to the last minor unit.

use super::super::super::attribution::models::weigh;
use super::super::super::attribution::shares::{Cutter, WHOLE};
use super::super::super::attribution::{Model, markov};
use super::super::super::time::Time;
use super::super::filter::UNATTRIBUTED;
use super::{Asked, Entry, Held, Journey, Journeys, Names, Purse, Visit, each};

/// The models that stand side by side.
pub const MODELS: [Model; 6] = Model::LENSES;

/// Conversions, in billionths where a model shares them, and money.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earned {
    pub conversions_e9: i64,
    pub net: Purse,
}

impl Earned {
    pub fn add(&mut self, other: &Self) {
        self.conversions_e9 += other.conversions_e9;
        self.net.add_all(&other.net);
    }

    fn add_whole(&mut self, journey: &Journey, money: &[Entry]) {
        if journey.is_counted {
            self.conversions_e9 += WHOLE as i64;
        }
        money.iter().for_each(|e| self.net.add(e.currency, e.minor));
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// In the order of `MODELS`.
    pub models: [Earned; MODELS.len()],
    /// By the estimate, where it was asked for.
    pub estimated: Earned,
    /// Conversions on whose way it stood, though another visit was the last that is not direct. Each counts as one.
    pub assisted: Earned,
    /// All conversions on whose way it stood. Each counts as one, so that rows add up to more than there are.
    pub influenced: Earned,
    /// Some visit of it was not direct: the models differ on it by what visitors did, and not by passing direct visits over.
    pub is_marketing: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Lab {
    /// In the order of `names`; what is credited with nothing has one too.
    pub rows: Vec<Row>,
    pub names: Names,
    /// Of all rows, under whichever model.
    pub total: Earned,
    /// Left out because only direct visits lead to them.
    pub direct: Earned,
    /// Left out because nothing is known of them.
    pub unattributed: Earned,
    /// What the estimate shares: conversions with visits.
    pub visited: Earned,
}

pub fn lab<'b>(blocks: impl Iterator<Item = &'b Journeys>, asked: &Asked) -> Lab {
    let mut lab = Lab::default();
    let mut names = Names::default();
    let nobody = names.of(UNATTRIBUTED.to_owned());
    let mut desk = Desk::default();
    each(blocks, asked, &mut names, |journey, held, visits, money| {
        match held {
            Held::OnlyDirect => lab.direct.add_whole(journey, money),
            Held::Nothing if asked.without_unattributed => lab.unattributed.add_whole(journey, money),
            Held::Nothing => desk.whole(&mut lab, nobody, journey, money),
            Held::Stated(row) => desk.whole(&mut lab, row, journey, money),
            Held::Visits => desk.share(&mut lab, journey, visits, money),
        };
    });
    lab.rows.resize(names.all.len(), Row::default());
    lab.names = names;
    lab
}

/// Room that is used again for each journey.
#[derive(Default)]
struct Desk {
    times: Vec<Time>,
    rows: Vec<u32>,
    weights: Vec<u64>,
    parts: Vec<i64>,
    cutter: Cutter,
    /// The journey at which each row was met last.
    met: Vec<u64>,
    journeys: u64,
}

impl Desk {
    /// All to one row, whatever the model.
    fn whole(&mut self, lab: &mut Lab, row: u32, journey: &Journey, money: &[Entry]) {
        lab.total.add_whole(journey, money);
        let row = row_of(&mut lab.rows, row);
        row.models.iter_mut().for_each(|earned| earned.add_whole(journey, money));
        row.estimated.add_whole(journey, money);
    }

    fn share(&mut self, lab: &mut Lab, journey: &Journey, visits: &[Visit], money: &[Entry]) {
        lab.total.add_whole(journey, money);
        lab.visited.add_whole(journey, money);
        let has_marketing = visits.iter().any(|v| !v.is_direct);
        for (place, model) in MODELS.into_iter().enumerate() {
            let is_fit = |v: &&Visit| model.credits_direct() || !has_marketing || !v.is_direct;
            // One that takes all needs no dividing.
            let single = match model {
                Model::First | Model::FirstNonDirect => visits.iter().find(is_fit),
                Model::Last | Model::LastNonDirect => visits.iter().rev().find(is_fit),
                _ => None,
            };
            if let Some(visit) = single {
                row_of(&mut lab.rows, visit.row).models[place].add_whole(journey, money);
                continue;
            }
            self.times.clear();
            self.rows.clear();
            for visit in visits.iter().filter(is_fit) {
                self.times.push(journey.at.plus_ms(-visit.age_ms));
                self.rows.push(visit.row);
            }
            if let [row] = self.rows[..] {
                row_of(&mut lab.rows, row).models[place].add_whole(journey, money);
                continue;
            }
            weigh(model, &self.times, &mut self.weights);
            if journey.is_counted {
                self.cutter.cut(WHOLE as i64, &self.weights, &mut self.parts);
                for (row, part) in self.rows.iter().zip(&self.parts) {
                    row_of(&mut lab.rows, *row).models[place].conversions_e9 += part;
                }
            }
            for entry in money {
                self.cutter.cut(entry.minor, &self.weights, &mut self.parts);
                for (row, part) in self.rows.iter().zip(&self.parts).filter(|(_, part)| **part != 0) {
                    row_of(&mut lab.rows, *row).models[place].net.add(entry.currency, *part);
                }
            }
        }
        self.help(lab, journey, visits, money, has_marketing);
    }

    fn help(&mut self, lab: &mut Lab, journey: &Journey, visits: &[Visit], money: &[Entry], has_marketing: bool) {
        self.journeys += 1;
        let closing = visits.iter().rev().find(|v| !has_marketing || !v.is_direct).map(|v| v.row);
        for visit in visits {
            let place = visit.row as usize;
            row_of(&mut lab.rows, visit.row).is_marketing |= !visit.is_direct;
            if self.met.len() <= place {
                self.met.resize(place + 1, 0);
            }
            if std::mem::replace(&mut self.met[place], self.journeys) == self.journeys {
                continue;
            }
            let row = row_of(&mut lab.rows, visit.row);
            row.influenced.add_whole(journey, money);
            if closing != Some(visit.row) {
                row.assisted.add_whole(journey, money);
            }
        }
    }
}

fn row_of(rows: &mut Vec<Row>, row: u32) -> &mut Row {
    let place = row as usize;
    if rows.len() <= place {
        rows.resize(place + 1, Row::default());
    }
    &mut rows[place]
}

/// Journeys by the rows they went through, one after another; the same row twice in a row is once.
pub fn add_converted<'b>(
    blocks: impl Iterator<Item = &'b Journeys>,
    asked: &Asked,
    names: &mut Names,
    mut on: impl FnMut(&[u32], &[Visit]),
) {
    let mut way: Vec<u32> = Vec::new();
    each(blocks, asked, names, |journey, held, visits, _| {
        if journey.is_counted && held == Held::Visits {
            way.clear();
            way.extend(visits.iter().map(|v| v.row));
            way.dedup();
            on(&way, visits);
        }
    });
}

impl Lab {
    /// Shares what was visited by the effects of the chain's channels, of which each is one row or several.
    pub fn estimate(&mut self, effects: &[f64], channel_of: &[u16]) {
        let weights = row_weights(&self.rows, effects, channel_of);
        if weights.iter().all(|w| *w == 0) {
            return;
        }
        let (mut cutter, mut parts) = (Cutter::default(), Vec::new());
        cutter.cut(self.visited.conversions_e9, &weights, &mut parts);
        for (row, part) in self.rows.iter_mut().zip(&parts) {
            row.estimated.conversions_e9 += part;
        }
        for (currency, minor) in &self.visited.net.0 {
            cutter.cut(*minor, &weights, &mut parts);
            for (row, part) in self.rows.iter_mut().zip(&parts).filter(|(_, part)| **part != 0) {
                row.estimated.net.add(*currency, *part);
            }
        }
    }

    /// Where two models differ most on one row: the row, the model that gives it most and the one that gives it least, with
    /// their shares. Of rows that led to enough conversions to speak of.
    pub fn disagreement(&self, fewest_e9: i64) -> Option<Disagreement> {
        let is_fit = |r: &Row| r.is_marketing && r.influenced.conversions_e9 >= fewest_e9;
        let mut found: Option<Disagreement> = None;
        for (row, r) in self.rows.iter().enumerate().filter(|(_, r)| is_fit(r)) {
            let earned = |i: &usize| r.models[*i].conversions_e9;
            // Of models that give the same, the first in the list.
            let most = (0..MODELS.len()).rev().max_by_key(earned).unwrap_or(0);
            let least = (0..MODELS.len()).min_by_key(earned).unwrap_or(0);
            let gap_e9 = earned(&most) - earned(&least);
            if found.as_ref().is_none_or(|f| gap_e9 > f.gap_e9) {
                found = Some(Disagreement { row, most: (MODELS[most], earned(&most)), least: (MODELS[least], earned(&least)), gap_e9 });
            }
        }
        found
    }
}

/// Rows of one channel of the chain stand in for it by how often they stood on the way.
fn row_weights(rows: &[Row], effects: &[f64], channel_of: &[u16]) -> Vec<u64> {
    let channels = markov::weights(effects);
    let mut sums = vec![0u128; channels.len()];
    let met = |row: usize| rows[row].influenced.conversions_e9.max(0) as u128;
    for (row, channel) in channel_of.iter().enumerate().take(rows.len()) {
        sums[usize::from(*channel)] += met(row);
    }
    (0..rows.len())
        .map(|row| match channel_of.get(row).map(|channel| usize::from(*channel)) {
            Some(channel) if sums[channel] > 0 => (u128::from(channels[channel]) * met(row) / sums[channel]) as u64,
            _ => 0,
        })
        .collect()
}

#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    pub row: usize,
    pub most: (Model, i64),
    pub least: (Model, i64),
    pub gap_e9: i64,
}

impl Disagreement {
    /// What the difference means, for the owner.
    pub fn meaning(&self) -> &'static str {
        let is_early = |m: Model| matches!(m, Model::First | Model::FirstNonDirect);
        let is_late = |m: Model| matches!(m, Model::Last | Model::LastNonDirect | Model::TimeDecay);
        match (self.most.0, self.least.0) {
            (most, least) if is_early(most) && is_late(least) => "it starts, it does not close",
            (most, least) if is_late(most) && is_early(least) => "it closes, it does not start",
            (most, _) if is_early(most) => "it starts more than it carries",
            (most, _) if is_late(most) => "it closes more than it carries",
            _ => "it helps on the way, and seldom starts or closes",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::attribution::{PathTouch, Policy, Window, shares, weights};
    use crate::domain::money::{Currency, Money};
    use crate::domain::question::journeys::{By, Known, Place, Step};
    use crate::domain::question::{ConversionFilter, Lens};
    use crate::domain::time::DAY_MS;
    use crate::domain::touch::{TouchKind, Touchpoint};

    const SALE_MS: i64 = 1_781_342_400_123;

    fn euro() -> Currency {
        Currency::parse("EUR").expect("EUR")
    }

    fn asked(window: Window) -> Asked {
        let lens = Lens::of(&Policy { window_days: window.days(), ..Policy::default() });
        Asked { lens, by: By::Source, without_direct: false, without_unattributed: false, filter: ConversionFilter::default() }
    }

    /// A journey of visits given by age and letter: letters are sources, `-` is direct, `*` a chat.
    fn add(day: &mut Journeys, visits: &[(i64, char)], minor: Option<i64>) {
        if day.known.is_empty() {
            day.known.push(Known { kind: "sale".into(), ..Known::default() });
        }
        let first_step = day.steps.len() as u32;
        for (age_ms, who) in visits {
            let source = if *who == '-' { "direct".to_owned() } else { who.to_string() };
            let place = Place { source, ..Place::default() };
            let origin = day.origins.iter().position(|o| *o == place).unwrap_or_else(|| {
                day.origins.push(place);
                day.origins.len() - 1
            });
            day.steps.push(Step::new(*age_ms, 1, origin, *who == '-', *who == '*'));
        }
        let journey = day.all.len() as u32;
        day.all.push(Journey { at: Time::from_ms(SALE_MS), marks: 0, first_step, steps: visits.len() as u32, is_counted: true });
        day.entries.extend(minor.map(|minor| Entry { journey, currency: euro(), minor }));
    }

    fn of<'l>(lab: &'l Lab, name: &str) -> &'l Row {
        let place = lab.names.all.iter().position(|n| n == name).unwrap_or_else(|| panic!("no row {name}"));
        &lab.rows[place]
    }

    fn whole(row: &Row, model: Model) -> (i64, i64) {
        let place = MODELS.iter().position(|m| *m == model).expect("a model of the lab");
        (row.models[place].conversions_e9, row.models[place].net.of(euro()))
    }

    #[test]
    fn who_starts_and_who_closes_is_told_apart() {
        let mut day = Journeys::default();
        add(&mut day, &[(9 * DAY_MS, 'a'), (2 * DAY_MS, 'b'), (DAY_MS, '-')], Some(1_000));
        add(&mut day, &[], Some(500));
        let lab = lab([day].iter(), &asked(Window(Some(30))));
        let w = WHOLE as i64;
        assert_eq!(whole(of(&lab, "a"), Model::First), (w, 1_000));
        assert_eq!(whole(of(&lab, "a"), Model::Last), (0, 0));
        assert_eq!(whole(of(&lab, "direct"), Model::Last), (w, 1_000));
        assert_eq!(whole(of(&lab, "b"), Model::LastNonDirect), (w, 1_000));
        assert_eq!(whole(of(&lab, "b"), Model::Linear), (w / 2, 500));
        assert_eq!(whole(of(&lab, "unattributed"), Model::Linear), (w, 500));
        assert_eq!((of(&lab, "a").assisted.conversions_e9, of(&lab, "b").assisted.conversions_e9), (w, 0));
        assert_eq!(of(&lab, "b").influenced.net.of(euro()), 1_000);
        assert_eq!((lab.total.conversions_e9, lab.total.net.of(euro())), (2 * w, 1_500));
    }

    #[test]
    fn direct_and_what_nobody_brought_can_be_left_out() {
        let mut day = Journeys::default();
        add(&mut day, &[(2 * DAY_MS, 'a'), (DAY_MS, '-')], Some(1_000));
        add(&mut day, &[(DAY_MS, '-')], Some(70));
        add(&mut day, &[(40 * DAY_MS, 'b')], Some(9));
        let open = asked(Window(Some(30)));
        let lab = lab([day].iter(), &Asked { without_direct: true, without_unattributed: true, ..open });
        assert_eq!(whole(of(&lab, "a"), Model::Last), (WHOLE as i64, 1_000));
        assert_eq!((lab.total.net.of(euro()), lab.direct.net.of(euro()), lab.unattributed.net.of(euro())), (1_000, 70, 9));
    }

    #[test]
    fn the_largest_difference_is_said() {
        let mut day = Journeys::default();
        (0..40).for_each(|_| add(&mut day, &[(9 * DAY_MS, 'a'), (DAY_MS, 'b')], None));
        (0..10).for_each(|_| add(&mut day, &[(DAY_MS, 'c')], None));
        let lab = lab([day].iter(), &asked(Window(Some(30))));
        let found = lab.disagreement(30 * WHOLE as i64).expect("one");
        assert_eq!((lab.names.all[found.row].as_str(), found.most.0, found.gap_e9), ("a", Model::First, 40 * WHOLE as i64));
        assert_eq!(found.meaning(), "it starts, it does not close");
        assert_eq!(lab.disagreement(60 * WHOLE as i64), None);
    }

    #[test]
    fn an_estimate_adds_up_too() {
        let mut day = Journeys::default();
        add(&mut day, &[(9 * DAY_MS, 'a'), (DAY_MS, 'b')], Some(1_001));
        add(&mut day, &[(9 * DAY_MS, 'b')], Some(333));
        add(&mut day, &[], Some(5));
        let mut lab = lab([day].iter(), &asked(Window(None)));
        // Nobody, a, b; a and b are one channel of the chain.
        lab.estimate(&[0.0, 0.25], &[0, 1, 1]);
        let sum = |pick: fn(&Row) -> i64| lab.rows.iter().map(pick).sum::<i64>();
        assert_eq!(sum(|r| r.estimated.conversions_e9), lab.total.conversions_e9);
        assert_eq!(sum(|r| r.estimated.net.of(euro())), 1_339);
        assert!(of(&lab, "b").estimated.conversions_e9 > of(&lab, "a").estimated.conversions_e9);
    }

    fn touch((age_ms, who): &(i64, char)) -> PathTouch {
        let source = if *who == '-' { "direct".to_owned() } else { who.to_string() };
        let kind = if *who == '*' { TouchKind::Chat } else { TouchKind::Click };
        let touch = Touchpoint {
            session: 1,
            seq: 1,
            at: Time::from_ms(SALE_MS - age_ms),
            kind,
            source,
            medium: String::new(),
            campaign: None,
            term: None,
            content: None,
            campaign_id: None,
            landing: None,
            referrer: None,
            click: None,
            device: None,
            is_direct: *who == '-',
            is_imported: false,
            short_link: None,
        };
        PathTouch { touch, link: crate::domain::attribution::Link::Session, earns: false }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        /// What the lab says of one journey is what its receipt says, under every model; and columns add up exactly.
        #[test]
        fn every_model_is_the_receipts_own(
            ages in proptest::collection::vec((0i64..120 * DAY_MS, 0usize..6), 0..9),
            window in proptest::sample::select(Window::ALL.to_vec()),
            minor in -90_000i64..90_000,
        ) {
            let mut visits: Vec<(i64, char)> = ages.iter().map(|(age, who)| (*age, ['a', 'b', 'c', 'd', '-', '*'][*who])).collect();
            visits.sort_by_key(|(age, _)| std::cmp::Reverse(*age));
            let path: Vec<PathTouch> = visits.iter().map(touch).collect();
            let mut day = Journeys::default();
            add(&mut day, &visits, Some(minor));
            let lab = lab([day].iter(), &asked(window));
            for (place, model) in MODELS.into_iter().enumerate() {
                let conversions: i64 = lab.rows.iter().map(|r| r.models[place].conversions_e9).sum();
                let net: i64 = lab.rows.iter().map(|r| r.models[place].net.of(euro())).sum();
                prop_assert_eq!((conversions, net), (WHOLE as i64, minor));
                let w = weights(model, &path, Time::from_ms(SALE_MS), window.days());
                let (parts, money) = (shares(&w), Money::new(minor, euro()).split(&w));
                for (name, row) in lab.names.all.iter().zip(&lab.rows).skip(1) {
                    let own = |n: &usize| path[*n].touch.source == *name;
                    let want: i64 = (0..path.len()).filter(own).map(|n| parts[n] as i64).sum();
                    let want_net: i64 = (0..path.len()).filter(own).map(|n| money[n].minor).sum();
                    prop_assert_eq!(row.models[place].conversions_e9, want, "{} {}", name, model.word());
                    prop_assert_eq!(row.models[place].net.of(euro()), want_net, "{} {}", name, model.word());
                }
            }
        }
    }
}
