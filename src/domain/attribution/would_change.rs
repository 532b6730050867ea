//! What would have changed the answer: other windows, the loss of the strongest trace, other lenses. Each sentence is
//! found by working the credit out again from the frozen path, never guessed.

use std::collections::BTreeSet;

use super::super::time::Time;
use super::super::touch::Touchpoint;
use super::sentence::{name, source_name, trace};
use super::window::Window;
use super::{Credit, Judged, MatchType, Model, PathTouch, Policy, weights};

/// More would be a table, and the receipt has one.
const MOST: usize = 3;

/// The lenses that share among several touches; a touch that drops out of one drops out of all.
const SHARING: [Model; 3] = [Model::Linear, Model::Position, Model::TimeDecay];

/// At most three sentences, the most important first: what would move the credit under the site's own lens (another
/// window, then a lost trace), then what would move it under the lenses that share, then what another lens says.
pub fn would_change(credit: &Credit, judged: &Judged, policy: &Policy) -> Vec<String> {
    match credit.match_type {
        MatchType::None => return Vec::new(),
        MatchType::Stated | MatchType::Imported => {
            return vec!["A visit found by session, code, click id or address would take the place of what the sender says.".into()];
        }
        _ => {}
    }
    let case = Case { path: &credit.path, happened_at: judged.happened_at, policy, own_window: policy.window_of(judged.kind) };
    let mut all: Vec<String> = Vec::new();
    all.extend(case.windows().into_iter().find_map(|w| case.moved_by_window(w)));
    all.extend(case.moved_by_loss(credit));
    all.extend(case.windows().into_iter().find_map(|w| case.shared_otherwise(w)));
    all.extend(case.another_lens());
    let mut seen = BTreeSet::new();
    all.retain(|text| seen.insert(text.clone()));
    all.truncate(MOST);
    all
}

struct Case<'a> {
    path: &'a [PathTouch],
    happened_at: Time,
    policy: &'a Policy,
    /// Of the conversion's kind.
    own_window: Option<u32>,
}

/// What is credited: places in the path would differ where only the day does.
type Origin<'a> = (&'a str, &'a str, Option<&'a str>);

impl<'a> Case<'a> {
    /// The other windows, the nearest to the site's own first, shorter before longer.
    fn windows(&self) -> Vec<Window> {
        let own = self.own_window.unwrap_or(u32::MAX);
        let days = |w: &Window| w.days().unwrap_or(u32::MAX);
        let mut shorter: Vec<Window> = Window::ALL.into_iter().filter(|w| days(w) < own).collect();
        shorter.reverse();
        shorter.into_iter().chain(Window::ALL.into_iter().filter(|w| days(w) > own)).collect()
    }

    fn credited(&self, path: &'a [PathTouch], model: Model, window: Option<u32>) -> BTreeSet<Origin<'a>> {
        let weights = weights(model, path, self.happened_at, window);
        path.iter().zip(weights).filter(|(_, w)| *w > 0).map(|(p, _)| origin(&p.touch)).collect()
    }

    fn own(&self) -> BTreeSet<Origin<'a>> {
        self.credited(self.path, self.policy.model, self.own_window)
    }

    /// Another window, seen through the site's own lens.
    fn moved_by_window(&self, window: Window) -> Option<String> {
        let (before, after) = (self.own(), self.credited(self.path, self.policy.model, window.days()));
        let what = self.move_of(&before, &after)?;
        Some(format!("{}: {what}.", title(window)))
    }

    /// The match without its strongest trace. Where a weaker one leads to the same browser nothing changes.
    fn moved_by_loss(&self, credit: &Credit) -> Option<String> {
        if credit.is_asserted {
            return Some(
                "A proof of another browser (session, code, click id or verified address) would take the place of this match.".into(),
            );
        }
        let best = self.path.iter().map(|p| p.link).min()?;
        if !credit.also_fits.is_empty() || !best.is_proof() {
            return None;
        }
        let rest: Vec<PathTouch> = self.path.iter().filter(|p| p.link != best).cloned().collect();
        let Some(next) = rest.iter().map(|p| p.link).min() else {
            return Some(format!("Without {}: nothing else proves which browser it was.", trace(best)));
        };
        let before = self.own();
        let case = Case { path: &rest, happened_at: self.happened_at, policy: self.policy, own_window: self.own_window };
        let after = case.own();
        let what = self.move_of(&before, &after)?;
        Some(format!("Without {}: matched by {}, and {what}.", trace(best), trace(next)))
    }

    /// Another window, seen through the lenses that share. Silent where the site's own lens says as much: it shares too,
    /// or one of the two windows leaves it nothing.
    fn shared_otherwise(&self, window: Window) -> Option<String> {
        let is_bare = |window| self.credited(self.path, self.policy.model, window).is_empty();
        if !self.policy.model.is_single() || is_bare(self.own_window) || is_bare(window.days()) {
            return None;
        }
        let mut gone: BTreeSet<Origin<'a>> = BTreeSet::new();
        let mut come: BTreeSet<Origin<'a>> = BTreeSet::new();
        let mut lenses: Vec<String> = Vec::new();
        for model in SHARING {
            let before = self.credited(self.path, model, self.own_window);
            let after = self.credited(self.path, model, window.days());
            if before != after {
                gone.extend(before.difference(&after));
                come.extend(after.difference(&before));
                lenses.push(model.label().to_lowercase());
            }
        }
        let lenses = list(&lenses);
        let mut told = Vec::new();
        if !gone.is_empty() {
            let verb = if gone.len() == 1 { "drops" } else { "drop" };
            told.push(format!("{} {verb} out of {lenses}", self.names(&gone)));
        }
        if !come.is_empty() {
            let verb = if come.len() == 1 { "joins" } else { "join" };
            told.push(format!("{} {verb} {lenses}", self.names(&come)));
        }
        (!told.is_empty()).then(|| format!("{}: {}.", title(window), told.join(", ")))
    }

    /// What the first other lens says that gives all to one touch, and to another one.
    fn another_lens(&self) -> Option<String> {
        let own = self.own();
        let others = [Model::LastNonDirect, Model::First, Model::Last].into_iter().filter(|m| *m != self.policy.model);
        others.into_iter().find_map(|model| {
            let said = self.credited(self.path, model, self.own_window);
            let is_news = !said.is_empty() && said != own && (self.policy.model.is_single() || !said.is_subset(&own));
            is_news.then(|| format!("{}: {} gets all of it.", model.label(), self.names(&said)))
        })
    }

    fn move_of(&self, before: &BTreeSet<Origin<'_>>, after: &BTreeSet<Origin<'_>>) -> Option<String> {
        if before == after {
            return None;
        }
        if after.is_empty() {
            return Some("nothing is credited".into());
        }
        if before.is_empty() {
            return Some(format!("{} {} credited", self.names(after), if after.len() == 1 { "is" } else { "are" }));
        }
        if self.policy.model.is_single() {
            // Names that read alike would make a riddle of the sentence.
            return (self.names(after) != self.names(before))
                .then(|| format!("{} gets it instead of {}", self.names(after), self.names(before)));
        }
        let gone: BTreeSet<Origin<'_>> = before.difference(after).copied().collect();
        let come: BTreeSet<Origin<'_>> = after.difference(before).copied().collect();
        let mut told = Vec::new();
        if !gone.is_empty() {
            told.push(format!("{} {} out", self.names(&gone), if gone.len() == 1 { "drops" } else { "drop" }));
        }
        if !come.is_empty() {
            told.push(format!("{} {}", self.names(&come), if come.len() == 1 { "joins" } else { "join" }));
        }
        Some(told.join(", "))
    }

    /// Plain sources, with the campaign or medium where the path holds the same source twice.
    fn names(&self, origins: &BTreeSet<Origin<'_>>) -> String {
        // In the order of the path, which is the order of the receipt.
        let mut names: Vec<String> = Vec::new();
        for p in self.path {
            let own = origin(&p.touch);
            if !origins.contains(&own) {
                continue;
            }
            let twins = self.path.iter().map(|p| origin(&p.touch)).filter(|o| o.0 == own.0).collect::<BTreeSet<_>>().len();
            let source = if p.touch.is_direct { "Direct".to_owned() } else { source_name(own.0) };
            let text = match (twins, own.2.and_then(name)) {
                (1, _) => source,
                (_, Some(campaign)) => format!("{source} \"{campaign}\""),
                (_, None) => format!("{source} ({})", own.1),
            };
            if !names.contains(&text) {
                names.push(text);
            }
        }
        list(&names)
    }
}

fn origin(touch: &Touchpoint) -> Origin<'_> {
    (&touch.source, &touch.medium, touch.campaign.as_deref())
}

fn title(window: Window) -> String {
    match window.days() {
        Some(days) => format!("A {days}-day window"),
        None => "No window at all".into(),
    }
}

/// `a`, `a and b`, `a, b and c`
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::matching::attribute;
    use super::super::sample::{day, touchpoint};
    use super::super::{Evidence, Link, LinkedSession};
    use super::*;
    use crate::domain::conversion::ConversionKind;
    use crate::domain::fact::Stated;
    use crate::domain::time::DAY_MS;
    use proptest::prelude::*;

    const SOURCES: [(char, &str); 4] = [('i', "instagram"), ('n', "newsletter"), ('g', "google"), ('b', "bing")];

    fn judged() -> Judged {
        Judged { kind: ConversionKind::Sale, happened_at: day(100).plus_ms(1) }
    }

    /// `g97` is Google on day 97, `-99` direct, `g90:Spring` with a campaign.
    fn session(number: i64, link: Link, spec: &str) -> LinkedSession {
        let touches = spec
            .split_whitespace()
            .enumerate()
            .map(|(n, word)| {
                let (word, campaign) = word.split_once(':').map_or((word, None), |(w, c)| (w, Some(c.to_owned())));
                let (who, on) = word.split_at(1);
                let who = who.chars().next().expect("a letter in a test");
                let mut touch = touchpoint(number, n as i64, day(on.parse().expect("a day in a test")), who);
                if let Some((_, source)) = SOURCES.iter().find(|(letter, _)| *letter == who) {
                    touch.source = (*source).into();
                }
                touch.campaign = campaign;
                touch
            })
            .collect();
        LinkedSession { session: number, link, touches }
    }

    fn told(sessions: Vec<LinkedSession>, model: Model, window_days: Option<u32>) -> Vec<String> {
        let credit = attribute(&judged(), &Evidence { sessions, stated: None }, &|at| at.utc());
        would_change(&credit, &judged(), &Policy { model, window_days, ..Policy::default() })
    }

    #[test]
    fn each_sentence_is_what_working_it_out_again_gives() {
        use Model::*;
        let one = |spec: &str| vec![session(1, Link::Session, spec)];
        let alone = "Without the session: nothing else proves which browser it was.";
        type Row = (&'static str, Vec<LinkedSession>, Model, Option<u32>, Vec<&'static str>);
        let rows: Vec<Row> = vec![
            (
                "the receipt of the design: Instagram on day 89 is out of a week's reach",
                one("i89 n94 g98 -100"),
                LastNonDirect,
                Some(30),
                vec![
                    "A 1-day window: Direct gets it instead of Google.",
                    alone,
                    "A 7-day window: Instagram drops out of linear, position and time decay.",
                ],
            ),
            (
                "a longer window brings a touch in",
                one("b60 g100"),
                LastNonDirect,
                Some(30),
                vec![alone, "A 60-day window: Bing joins linear, position and time decay."],
            ),
            ("nothing within the window", one("b60"), LastNonDirect, Some(30), vec!["A 60-day window: Bing is credited.", alone]),
            ("one touch of today", one("g100"), LastNonDirect, Some(30), vec![alone]),
            ("a shorter window leaves nothing", one("g95"), LastNonDirect, Some(7), vec!["A 1-day window: nothing is credited.", alone]),
            (
                "through a lens that shares",
                one("i80 g100 -100"),
                Linear,
                Some(30),
                vec!["A 14-day window: Instagram drops out.", alone, "Last touch: Direct gets all of it."],
            ),
            (
                "without a window",
                one("i10 g100"),
                First,
                None,
                vec![
                    "A 90-day window: Google gets it instead of Instagram.",
                    alone,
                    "A 90-day window: Instagram drops out of linear, position and time decay.",
                ],
            ),
            (
                "the same source twice is told apart",
                one("g80:Spring g100:Summer"),
                First,
                Some(30),
                vec![
                    "A 14-day window: Google \"Summer\" gets it instead of Google \"Spring\".",
                    alone,
                    "A 14-day window: Google \"Spring\" drops out of linear, position and time decay.",
                ],
            ),
            (
                "a second browser takes over",
                vec![session(1, Link::Session, "g100"), session(2, Link::VerifiedEmail, "n98")],
                LastNonDirect,
                Some(30),
                vec![
                    "Without the session: matched by the e-mail address, and Newsletter gets it instead of Google.",
                    "A 1-day window: Newsletter drops out of linear, position and time decay.",
                    "First touch: Newsletter gets all of it.",
                ],
            ),
            (
                "a weaker trace to the same browser: its loss changes nothing",
                vec![session(1, Link::Session, "g100"), session(1, Link::VerifiedEmail, "g100")],
                LastNonDirect,
                Some(30),
                vec![],
            ),
            (
                "a claim",
                vec![session(1, Link::AssertedEmail, "g100")],
                LastNonDirect,
                Some(30),
                vec!["A proof of another browser (session, code, click id or verified address) would take the place of this match."],
            ),
            ("a coupon", vec![session(1, Link::Coupon, "g100")], LastNonDirect, Some(30), vec![]),
        ];
        for (what, sessions, model, window, want) in rows {
            assert_eq!(told(sessions, model, window), want, "{what}");
        }
    }

    #[test]
    fn the_unseen_are_told_what_would_be_stronger() {
        let stated = Evidence { sessions: vec![], stated: Some(Stated { source: "radio".into(), ..Stated::default() }) };
        let credit = attribute(&judged(), &stated, &|at| at.utc());
        assert_eq!(would_change(&credit, &judged(), &Policy::default()).len(), 1);
        assert_eq!(told(vec![], Model::Linear, None), Vec::<String>::new());
    }

    proptest! {
        /// What is said of a window is so: the site's own lens gives another answer under it, and no nearer window moves it.
        #[test]
        fn a_window_that_is_named_moves_the_credit(
            marks in proptest::collection::vec((0i64..100 * DAY_MS, 0usize..5), 1..12),
            model in 0usize..7,
            window in 0usize..7,
        ) {
            let touches = marks
                .iter()
                .enumerate()
                .map(|(n, (ms, who))| touchpoint(1, n as i64, day(0).plus_ms(*ms), ['a', 'b', 'c', 'd', '-'][*who]))
                .collect();
            let evidence = Evidence { sessions: vec![LinkedSession { session: 1, link: Link::Session, touches }], stated: None };
            let credit = attribute(&judged(), &evidence, &|at| at.utc());
            let policy = Policy { model: Model::ALL[model], window_days: Window::ALL[window].days(), ..Policy::default() };
            let said = would_change(&credit, &judged(), &policy);
            prop_assert!(said.len() <= MOST);
            prop_assert_eq!(&said, &would_change(&credit, &judged(), &policy));
            let origins = |window: Window| -> BTreeSet<String> {
                let w = weights(policy.model, &credit.path, judged().happened_at, window.days());
                credit.path.iter().zip(w).filter(|(_, w)| *w > 0).map(|(p, _)| p.touch.source.clone()).collect()
            };
            let own = origins(Window(policy.window_days));
            let moving: Vec<Window> = Window::ALL.into_iter().filter(|w| origins(*w) != own).collect();
            // Sentences of the other lenses name them.
            let is_own = |text: &&String| text.contains("window") && !SHARING.iter().any(|m| text.contains(&m.label().to_lowercase()));
            let named = said.iter().find(is_own);
            prop_assert_eq!(named.is_some(), !moving.is_empty(), "{:?} {:?}", said, moving);
            if let Some(text) = named {
                prop_assert!(moving.iter().any(|w| text.starts_with(&title(*w))), "{}", text);
            }
        }
    }
}
