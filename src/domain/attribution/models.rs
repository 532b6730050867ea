//! The lenses: how the credit for one conversion is shared among the touches before it. Whole numbers only.
//!
//! A direct visit is a touch but earns credit only by `first` and `last`; the other lenses pass it over, and a chat
//! too, which helps to sell but brings nobody (unless the owner lets it earn). Where there is nothing else within the window they do earn it: Direct is
//! a source and is not hidden.

use serde::{Deserialize, Serialize};

use super::super::time::Time;
use super::super::touch::TouchKind;
use super::PathTouch;
use super::decay;
use super::window::Window;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    First,
    /// The documents call it `first_click`.
    #[serde(alias = "first_click")]
    FirstNonDirect,
    Last,
    /// The documents call it `last_click`.
    #[serde(alias = "last_click")]
    LastNonDirect,
    Linear,
    Position,
    TimeDecay,
}

impl Model {
    pub const ALL: [Model; 7] =
        [Self::LastNonDirect, Self::First, Self::Last, Self::Linear, Self::Position, Self::TimeDecay, Self::FirstNonDirect];

    /// Those that the dashboard offers, the default first. The API knows `first_non_direct` as well.
    pub const LENSES: [Model; 6] = [Self::LastNonDirect, Self::First, Self::Last, Self::Linear, Self::Position, Self::TimeDecay];

    /// Takes the words, and the documents' `first_click` and `last_click`, which mean the first and last that is not direct.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "first_click" => Some(Self::FirstNonDirect),
            "last_click" => Some(Self::LastNonDirect),
            _ => Self::ALL.into_iter().find(|m| m.word() == text),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::FirstNonDirect => "first_non_direct",
            Self::Last => "last",
            Self::LastNonDirect => "last_non_direct",
            Self::Linear => "linear",
            Self::Position => "position",
            Self::TimeDecay => "time_decay",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::First => "First touch",
            Self::FirstNonDirect => "First non-direct",
            Self::Last => "Last touch",
            Self::LastNonDirect => "Last non-direct",
            Self::Linear => "Linear",
            Self::Position => "Position",
            Self::TimeDecay => "Time decay",
        }
    }

    /// One touch gets all.
    pub fn is_single(self) -> bool {
        matches!(self, Self::First | Self::FirstNonDirect | Self::Last | Self::LastNonDirect)
    }

    /// Direct visits earn like any other.
    pub fn credits_direct(self) -> bool {
        matches!(self, Self::First | Self::Last)
    }
}

/// A weight for each touch of the path (in the order of time, as credit keeps it); nought where a touch earns nothing:
/// outside the window, after the conversion, or passed over. Only their ratios mean anything; sums belong into 128 bits.
pub fn weights(model: Model, path: &[PathTouch], happened_at: Time, window_days: Option<u32>) -> Vec<u64> {
    let mut weights = vec![0; path.len()];
    let credited = credited(model, path, happened_at, Window(window_days));
    let times: Vec<Time> = credited.iter().map(|i| path[*i].touch.at).collect();
    let mut earned = Vec::new();
    weigh(model, &times, &mut earned);
    for (i, weight) in credited.into_iter().zip(earned) {
        weights[i] = weight;
    }
    weights
}

/// The weights of touches that may all earn credit, by their times, the earliest first.
pub fn weigh(model: Model, times: &[Time], into: &mut Vec<u64>) {
    into.clear();
    let Some(newest) = times.last() else { return };
    let last = times.len() - 1;
    match model {
        Model::First | Model::FirstNonDirect => {
            into.resize(times.len(), 0);
            into[0] = 1;
        }
        Model::Last | Model::LastNonDirect => {
            into.resize(times.len(), 0);
            into[last] = 1;
        }
        Model::Linear => into.resize(times.len(), 1),
        // 40 % for each end and 20 % for all between; two share evenly, one has all.
        Model::Position => {
            let between = times.len().saturating_sub(2) as u64;
            into.extend((0..times.len()).map(|i| if between > 0 && (i == 0 || i == last) { 2 * between } else { 1 }));
        }
        // Ages count from the newest touch: the same ratios as from the conversion, and the newest never underflows.
        Model::TimeDecay => into.extend(times.iter().map(|at| decay::weight(newest.ms_since(*at).max(0) as u64))),
    }
}

/// The places in the path that may earn credit, by time.
fn credited(model: Model, path: &[PathTouch], happened_at: Time, window: Window) -> Vec<usize> {
    let mut held: Vec<usize> = (0..path.len()).filter(|i| window.holds(path[*i].touch.at, happened_at)).collect();
    held.sort_by_key(|i| path[*i].touch.at);
    let is_chat = |i: &usize| path[*i].touch.kind == TouchKind::Chat && !path[*i].earns;
    let is_marketing = |i: &usize| !is_chat(i) && !path[*i].touch.is_direct;
    let pick = |is_fit: &dyn Fn(&usize) -> bool| -> Vec<usize> { held.iter().copied().filter(|i| is_fit(i)).collect() };
    let mut ways: Vec<Vec<usize>> = Vec::new();
    if !model.credits_direct() {
        ways.push(pick(&is_marketing));
    }
    ways.push(pick(&|i| !is_chat(i)));
    ways.into_iter().find(|way| !way.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{day, path, touch_at};
    use super::super::shares::{WHOLE, shares};
    use super::*;
    use crate::domain::time::DAY_MS;
    use proptest::prelude::*;

    /// The conversion is at day 100.
    fn sale() -> Time {
        day(100).plus_ms(1)
    }

    fn percent(model: Model, spec: &str, window: Option<u32>) -> Vec<u64> {
        shares(&weights(model, &path(spec), sale(), window)).iter().map(|s| s / (WHOLE / 100)).collect()
    }

    #[test]
    fn words_are_read_back_and_the_documents_clicks_are_not_direct() {
        for model in Model::ALL {
            assert_eq!(Model::parse(model.word()), Some(model));
            assert_eq!(serde_json::to_value(model).expect("JSON"), model.word());
        }
        assert_eq!(Model::parse("last_click"), Some(Model::LastNonDirect));
        assert_eq!(Model::parse("first_click"), Some(Model::FirstNonDirect));
        assert_eq!(serde_json::from_str::<Model>("\"last_click\"").expect("an alias"), Model::LastNonDirect);
        for bad in ["", "Last", "markov", "last-click"] {
            assert_eq!(Model::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_model_shares_by_its_rule() {
        use Model::*;
        // Letters are marketing sources, `-` is direct, `*` a chat; numbers are days, the conversion is on day 100.
        let rows: &[(&str, Model, Option<u32>, &[u64])] = &[
            ("a80 b90 -99", First, Some(30), &[100, 0, 0]),
            ("a80 b90 -99", Last, Some(30), &[0, 0, 100]),
            ("a80 b90 -99", LastNonDirect, Some(30), &[0, 100, 0]),
            ("-79 a80 b90", First, Some(30), &[100, 0, 0]),
            ("-79 a80 b90", FirstNonDirect, Some(30), &[0, 100, 0]),
            ("a80 b90 -99", Linear, Some(30), &[50, 50, 0]),
            ("a80 b85 c90 d95", Position, Some(30), &[40, 10, 10, 40]),
            ("a80 b85 c90", Position, Some(30), &[40, 20, 40]),
            ("a80 c90", Position, Some(30), &[50, 50]),
            ("a80 -85 -95", Position, Some(30), &[100, 0, 0]),
            ("a86 b93", TimeDecay, Some(30), &[33, 66]),
            ("a79 b86 c93", TimeDecay, Some(30), &[14, 28, 57]),
            // Outside the window and after the conversion there is nothing to earn.
            ("a60 b90", Linear, Some(30), &[0, 100]),
            ("a60 b90", First, Some(30), &[0, 100]),
            ("a60 b90", First, Some(60), &[100, 0]),
            ("a60 b90", First, None, &[100, 0]),
            ("a90 b101", Last, Some(30), &[100, 0]),
            ("a90 b101", Linear, None, &[100, 0]),
            ("a60 b101", Linear, Some(30), &[0, 0]),
            // Direct is credited where there is nothing else within the window.
            ("a60 -90 -95", LastNonDirect, Some(30), &[0, 0, 100]),
            ("-90 -95", Linear, Some(30), &[50, 50]),
            ("-90 -95", FirstNonDirect, Some(30), &[100, 0]),
            // A chat helps and takes nothing.
            ("a80 *90", LastNonDirect, Some(30), &[100, 0]),
            ("a80 *90", Last, Some(30), &[100, 0]),
            ("-80 *90", Linear, Some(30), &[100, 0]),
            ("*90", LastNonDirect, Some(30), &[0]),
            ("", Linear, Some(30), &[]),
        ];
        for (spec, model, window, want) in rows {
            assert_eq!(percent(*model, spec, *window), *want, "{} of {spec}, window {window:?}", model.word());
        }
    }

    #[test]
    fn position_is_exact_for_any_number_of_touches() {
        for n in 3..60u64 {
            let spec: Vec<String> = (0..n).map(|i| format!("a{}", 40 + i)).collect();
            let w = weights(Model::Position, &path(&spec.join(" ")), sale(), None);
            let sum: u64 = w.iter().sum();
            assert_eq!((w[0] * 5, w[w.len() - 1] * 5), (sum * 2, sum * 2), "{n}");
            assert_eq!(w[1..w.len() - 1].iter().sum::<u64>() * 5, sum, "{n}");
        }
    }

    #[test]
    fn time_decay_bears_the_longest_of_journeys() {
        let old = path("a1 b100");
        let far = Time::from_ms(sale().ms() + 5_000 * DAY_MS);
        assert_eq!(shares(&weights(Model::TimeDecay, &old, far, None)).iter().sum::<u64>(), WHOLE);
        let years = vec![touch_at(day(0), 'a'), touch_at(far, 'b')];
        assert_eq!(shares(&weights(Model::TimeDecay, &years, far, None)), [0, WHOLE]);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_lie_in_the_window(
            days in proptest::collection::vec((0i64..120 * DAY_MS, 0usize..5), 0..40),
            window in proptest::option::of(1u32..120),
        ) {
            let mut path: Vec<PathTouch> =
                days.iter().map(|(ms, who)| touch_at(day(0).plus_ms(*ms), ['a', 'b', 'c', '-', '*'][*who])).collect();
            path.sort_by_key(|p| p.touch.at);
            let held: Vec<bool> =
                path.iter().map(|p| Window(window).holds(p.touch.at, sale()) && p.touch.kind != TouchKind::Chat).collect();
            for model in Model::ALL {
                let w = weights(model, &path, sale(), window);
                prop_assert_eq!(w.len(), path.len());
                let sum = shares(&w).iter().sum::<u64>();
                prop_assert_eq!(sum, if held.contains(&true) { WHOLE } else { 0 });
                prop_assert!(w.iter().zip(&held).all(|(w, held)| *w == 0 || *held), "credit outside the window");
                if model.is_single() {
                    prop_assert!(w.iter().filter(|w| **w > 0).count() <= 1);
                }
                prop_assert_eq!(w, weights(model, &path, sale(), window));
            }
        }

        #[test]
        fn what_comes_after_changes_nothing(days in proptest::collection::vec(0i64..100 * DAY_MS, 1..10), later in 1_000i64..100 * DAY_MS) {
            let mut path: Vec<PathTouch> = days.iter().map(|ms| touch_at(day(0).plus_ms(*ms), 'a')).collect();
            path.sort_by_key(|p| p.touch.at);
            let mut longer = path.clone();
            longer.push(touch_at(sale().plus_ms(later), 'z'));
            for model in Model::ALL {
                let mut want = weights(model, &path, sale(), Some(30));
                want.push(0);
                prop_assert_eq!(weights(model, &longer, sale(), Some(30)), want);
            }
        }
    }
}
