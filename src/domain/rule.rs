//! Rules that bring spellings of a source, a medium or a campaign under one name. They are read when figures are shown;
//! what is stored keeps the word it came with, so that a rule taken away leaves everything as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ids::RuleId;
use super::question::LONGEST_WORD;
use super::time::Time;
use crate::error::{Error, Kind, Result};

/// Rules that a site may have.
pub const MOST_RULES: usize = 500;

/// What a rule gives another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Renamed {
    Source,
    Medium,
    Campaign,
}

impl Renamed {
    pub const ALL: [Renamed; 3] = [Renamed::Source, Renamed::Medium, Renamed::Campaign];

    pub fn word(self) -> &'static str {
        match self {
            Renamed::Source => "source",
            Renamed::Medium => "medium",
            Renamed::Campaign => "campaign",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.word() == word)
    }
}

/// One name for another; for a medium or a campaign of one source only, if it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    pub dimension: Renamed,
    pub from: String,
    pub to: String,
    /// By the name under which the source is shown.
    pub within: Option<String>,
}

impl Spelling {
    /// As it is stored: sources and media have small letters, as visits have them.
    pub fn new(dimension: Renamed, from: &str, to: &str, within: Option<&str>) -> Result<Self> {
        let within = within.map(str::trim).filter(|w| !w.is_empty());
        if within.is_some() && dimension == Renamed::Source {
            return Err(Error::invalid("within", "A rule for a source holds everywhere. Leave within out."));
        }
        let (from, to) = (word("from", from, dimension)?, word("to", to, dimension)?);
        if from == to {
            return Err(Error::invalid("to", "That is the name it has already."));
        }
        Ok(Self { dimension, from, to, within: within.map(|w| word("within", w, Renamed::Source)).transpose()? })
    }
}

fn word(field: &str, text: &str, dimension: Renamed) -> Result<String> {
    let text = text.trim();
    let text = if dimension == Renamed::Campaign { text.to_owned() } else { text.to_lowercase() };
    let is_none = ["", "unattributed", "(not set)", "(none)"].contains(&text.as_str());
    if is_none || text.starts_with('!') || text.chars().any(char::is_control) || text.chars().count() > LONGEST_WORD {
        return Err(Error::invalid(
            field,
            format!("{field} is a name of at most {LONGEST_WORD} characters, not one that stands for nothing and not one with ! in front."),
        ));
    }
    Ok(text)
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub id: RuleId,
    pub spelling: Spelling,
    pub who: String,
    pub created_at: Time,
}

/// By what they rename: the new names, of one source or of all. Ordered, so that equal rules look equal.
type Names = BTreeMap<(Renamed, String), Vec<(Option<String>, String)>>;

/// All rules of a site, ready to be asked. Cheap to hand on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules(Arc<Names>);

impl Rules {
    pub fn of<'r>(all: impl Iterator<Item = &'r Spelling>) -> Self {
        let mut names = Names::new();
        for s in all {
            names.entry((s.dimension, s.from.clone())).or_default().push((s.within.clone(), s.to.clone()));
        }
        Self(Arc::new(names))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Source, medium and campaign as they are shown. Empty words stand for nothing and stay empty.
    pub fn named<'r>(&'r self, source: &'r str, medium: &'r str, campaign: &'r str) -> (&'r str, &'r str, &'r str) {
        if self.is_empty() || source.is_empty() {
            return (source, medium, campaign);
        }
        let source = self.last(Renamed::Source, source, "");
        (source, self.last(Renamed::Medium, medium, source), self.last(Renamed::Campaign, campaign, source))
    }

    /// Follows the rules as long as one speaks of the name. There are no circles among them; the count is only a stop.
    fn last<'r>(&'r self, dimension: Renamed, name: &'r str, source: &str) -> &'r str {
        let mut name = name;
        for _ in 0..MOST_RULES {
            match self.next(dimension, name, source) {
                Some(next) => name = next,
                None => break,
            }
        }
        name
    }

    /// A rule of one source goes before a rule of all.
    fn next(&self, dimension: Renamed, name: &str, source: &str) -> Option<&str> {
        let all = self.0.get(&(dimension, name.to_owned()))?;
        let own = all.iter().find(|(within, _)| within.as_deref() == Some(source));
        own.or_else(|| all.iter().find(|(within, _)| within.is_none())).map(|(_, to)| to.as_str())
    }
}

/// Whether another rule may stand beside these: one rule a name, no circle, not too many.
pub fn admit(all: &[Rule], new: &Spelling) -> Result<()> {
    if all.len() >= MOST_RULES {
        return Err(Error::new(Kind::Conflict, "too_many_rules", format!("A site has at most {MOST_RULES} rules. Take one away first.")));
    }
    let own = || all.iter().map(|r| &r.spelling).filter(|s| s.dimension == new.dimension);
    if let Some(known) = own().find(|s| s.from == new.from && s.within == new.within) {
        return Err(Error::new(
            Kind::Conflict,
            "rule_exists",
            format!("{} is called {} already. Take that rule away first.", known.from, known.to),
        )
        .of("from"));
    }
    // Whichever source a rule is for: a circle that only some source would walk is one too.
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![new.to.as_str()];
    while let Some(name) = open.pop() {
        if name == new.from {
            return Err(Error::new(
                Kind::Conflict,
                "rule_circle",
                format!("{} is called {} already, so the two would go in a circle. Take that rule away first.", new.to, new.from),
            )
            .of("to"));
        }
        if seen.insert(name) {
            open.extend(own().filter(|s| s.from == name).map(|s| s.to.as_str()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling(dimension: Renamed, from: &str, to: &str, within: Option<&str>) -> Spelling {
        Spelling::new(dimension, from, to, within).expect("a spelling")
    }

    fn kept(all: &[Spelling]) -> Vec<Rule> {
        all.iter()
            .enumerate()
            .map(|(n, s)| Rule { id: RuleId::new(n as i64 + 1), spelling: s.clone(), who: String::new(), created_at: Time::from_ms(0) })
            .collect()
    }

    #[test]
    fn names_are_followed_to_the_last() {
        let rules = Rules::of(
            [
                spelling(Renamed::Source, "FB", "facebook", None),
                spelling(Renamed::Source, "facebook", "meta", None),
                spelling(Renamed::Medium, "cpc", "paid", Some("meta")),
                spelling(Renamed::Campaign, "Spring", "spring-sale", None),
                spelling(Renamed::Campaign, "Spring", "spring-meta", Some("meta")),
            ]
            .iter(),
        );
        assert_eq!(rules.named("fb", "cpc", "Spring"), ("meta", "paid", "spring-meta"));
        assert_eq!(rules.named("google", "cpc", "Spring"), ("google", "cpc", "spring-sale"));
        assert_eq!(rules.named("google", "cpc", "spring"), ("google", "cpc", "spring"));
        assert_eq!(rules.named("", "", ""), ("", "", ""));
        assert_eq!(Rules::default().named("fb", "cpc", ""), ("fb", "cpc", ""));
    }

    #[test]
    fn a_circle_and_a_second_rule_are_refused() {
        let all = kept(&[spelling(Renamed::Source, "a", "b", None), spelling(Renamed::Source, "b", "c", None)]);
        let code = |s: Spelling| admit(&all, &s).expect_err("refused").code;
        assert_eq!(code(spelling(Renamed::Source, "c", "a", None)), "rule_circle");
        assert_eq!(code(spelling(Renamed::Source, "a", "x", None)), "rule_exists");
        admit(&all, &spelling(Renamed::Source, "c", "d", None)).expect("a longer chain");
        admit(&all, &spelling(Renamed::Medium, "c", "a", None)).expect("another dimension");
        // Of one source and of all: still a circle for that source.
        let all = kept(&[spelling(Renamed::Campaign, "a", "b", Some("meta"))]);
        assert_eq!(admit(&all, &spelling(Renamed::Campaign, "b", "a", None)).expect_err("refused").code, "rule_circle");
    }

    #[test]
    fn there_is_an_end_to_rules() {
        let all: Vec<Spelling> =
            (0..MOST_RULES).map(|n| spelling(Renamed::Campaign, &format!("c{n}"), &format!("c{}", n + 1), None)).collect();
        let rules = Rules::of(all.iter());
        assert_eq!(rules.named("x", "", "c0").2, format!("c{MOST_RULES}"), "the longest way is walked to its end");
        let more = spelling(Renamed::Source, "a", "b", None);
        assert_eq!(admit(&kept(&all), &more).expect_err("refused").code, "too_many_rules");
        admit(&kept(&all[1..]), &more).expect("one fewer");
    }

    #[test]
    fn what_stands_for_nothing_has_no_rule() {
        for (from, to, within, field) in [
            ("", "x", None, "from"),
            ("unattributed", "x", None, "from"),
            ("x", "(not set)", None, "to"),
            ("x", "!y", None, "to"),
            ("x", "X ", None, "to"),
            ("x", "y", Some("z"), "within"),
        ] {
            let e = Spelling::new(Renamed::Source, from, to, within).expect_err("refused");
            assert_eq!(e.field.as_deref(), Some(field), "{from} {to}");
        }
    }
}
