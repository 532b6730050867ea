//! One dimension of a filter: is one of, is none of, has a part, lacks a part. As it stands in the address of a question.

use super::{Asked, LONGEST_WORD, MOST_VALUES};
use crate::error::{Error, Result};

/// What is wanted of a word. Where nothing is said, everything is taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    pub is: Vec<String>,
    pub not: Vec<String>,
    /// Parts of words, in small letters: one of them stands in it.
    pub has: Vec<String>,
    /// None of these does.
    pub lacks: Vec<String>,
}

impl Choice {
    pub fn is_open(&self) -> bool {
        self.is.is_empty() && self.not.is_empty() && !self.asks_parts()
    }

    fn asks_parts(&self) -> bool {
        !(self.has.is_empty() && self.lacks.is_empty())
    }

    pub fn admits(&self, value: &str) -> bool {
        self.admits_named(value, value)
    }

    /// A word that may be empty, and what it is called then: that name can be chosen, but no part of it stands for it.
    pub fn admits_named(&self, word: &str, name: &str) -> bool {
        if self.is.is_empty() && !self.asks_parts() {
            return !self.not.iter().any(|v| v == name);
        }
        let small = if self.asks_parts() { word.to_lowercase() } else { String::new() };
        let is_wanted = (self.is.is_empty() && self.has.is_empty())
            || self.is.iter().any(|v| v == name)
            || self.has.iter().any(|part| small.contains(part.as_str()));
        is_wanted && !self.not.iter().any(|v| v == name) && !self.lacks.iter().any(|part| small.contains(part.as_str()))
    }

    /// For rows that have several values: one of them is wanted, and none is unwanted.
    pub fn admits_any<'v>(&self, values: impl Iterator<Item = &'v str> + Clone) -> bool {
        (self.is.is_empty() || values.clone().any(|value| self.is.iter().any(|v| v == value)))
            && !values.clone().any(|value| self.not.iter().any(|v| v == value))
    }
}

impl<'a> Asked<'a> {
    /// `name=a&name=b` is one of both; `name=!c` is not c. Where a word begins with a sign of this grammar, `=` before it says
    /// that it is meant as it stands: `name==!c`.
    pub fn choice(&self, name: &str, check: impl Fn(&str) -> bool, form: &str) -> Result<Choice> {
        self.chosen(name, check, form, false)
    }

    /// The same for words of which a part may be asked: `name=~part`, and `name=!~part` for those without it.
    pub fn choice_of_parts(&self, name: &str, check: impl Fn(&str) -> bool, form: &str) -> Result<Choice> {
        self.chosen(name, check, form, true)
    }

    fn chosen(&self, name: &str, check: impl Fn(&str) -> bool, form: &str, has_parts: bool) -> Result<Choice> {
        let mut choice = Choice::default();
        for text in self.all(name) {
            let (value, is_not) = text.strip_prefix('!').map_or((text, false), |value| (value, true));
            let (value, is_part) = match (value.strip_prefix('='), value.strip_prefix('~')) {
                (Some(value), _) => (value, false),
                (None, Some(part)) if has_parts => (part, true),
                _ => (value, false),
            };
            let is_fit = if is_part { !value.trim().is_empty() } else { check(value) };
            if value.chars().count() > LONGEST_WORD || value.contains('\0') || !is_fit {
                let parts = if has_parts { "; with ~ in front, whatever has it in its name" } else { "" };
                return Err(Error::parameter(name, format!("{name} is {form}; with ! in front, everything else{parts}.")));
            }
            let list = match (is_not, is_part) {
                (false, false) => &mut choice.is,
                (true, false) => &mut choice.not,
                (false, true) => &mut choice.has,
                (true, true) => &mut choice.lacks,
            };
            let value = if is_part { value.to_lowercase() } else { value.to_owned() };
            if !list.contains(&value) {
                list.push(value);
            }
            if list.len() > MOST_VALUES {
                return Err(Error::parameter(name, format!("{name} takes at most {MOST_VALUES} values.")));
            }
        }
        Ok(choice)
    }

    pub fn one_of(&self, name: &str, words: &[&str]) -> Result<Choice> {
        self.choice(name, |v| words.contains(&v), &format!("one of {}", words.join(", ")))
    }

    pub(super) fn free(&self, name: &str) -> Result<Choice> {
        self.choice_of_parts(name, |_| true, &format!("text of at most {LONGEST_WORD} characters"))
    }

    pub(super) fn slug(&self, name: &str) -> Result<Choice> {
        let is_slug = |v: &str| v.len() <= 40 && v.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        self.choice(name, is_slug, "a platform's word like meta or woocommerce")
    }

    /// Numbers of connections, as text.
    pub fn connections(&self, name: &str) -> Result<Choice> {
        use super::super::ids::ConnectionId;
        let mut choice = self.choice(name, |v| v.parse::<ConnectionId>().is_ok(), "a connection like con_7")?;
        for value in choice.is.iter_mut().chain(choice.not.iter_mut()) {
            *value = value.trim_start_matches("con_").to_owned();
        }
        Ok(choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(values: &[&str]) -> Result<Choice> {
        let pairs: Vec<(String, String)> = values.iter().map(|v| ("source".to_owned(), (*v).to_owned())).collect();
        Asked(&pairs).free("source")
    }

    #[test]
    fn a_word_is_wanted_whole_or_by_a_part() {
        for (values, word, want) in [
            (&[][..], "google", true),
            (&["google"][..], "google", true),
            (&["google"][..], "googl", false),
            (&["!google"][..], "google", false),
            (&["!google"][..], "bing", true),
            (&["~OOG"][..], "Google", true),
            (&["~oog"][..], "bing", false),
            (&["~oog", "bing"][..], "bing", true),
            (&["~oog", "!google"][..], "google", false),
            (&["!~oog"][..], "google ads", false),
            (&["!~oog"][..], "bing", true),
            (&["~ä"][..], "KÄSE", true),
            // Signs that are meant as they stand.
            (&["=~oog"][..], "~oog", true),
            (&["=~oog"][..], "google", false),
            (&["==x"][..], "=x", true),
            (&["=!x"][..], "!x", true),
            (&["!=!x"][..], "!x", false),
        ] {
            let choice = choice(values).expect("a choice");
            assert_eq!(choice.admits(word), want, "{values:?} of {word}");
            assert_eq!(choice.is_open(), values.is_empty());
        }
    }

    #[test]
    fn no_part_of_the_name_of_nothing_stands_for_nothing() {
        assert!(!choice(&["~set"]).expect("a choice").admits_named("", "(not set)"));
        assert!(choice(&["!~set"]).expect("a choice").admits_named("", "(not set)"));
        assert!(choice(&["(not set)"]).expect("a choice").admits_named("", "(not set)"));
        assert!(!choice(&["!(not set)"]).expect("a choice").admits_named("", "(not set)"));
    }

    #[test]
    fn a_part_is_asked_where_words_have_parts() {
        let pairs = [("kind".to_owned(), "~sal".to_owned())];
        assert_eq!(Asked(&pairs).one_of("kind", &["sale"]).expect_err("refused").field.as_deref(), Some("kind"));
        assert!(choice(&["~ "]).expect_err("refused").message.contains('~'));
        assert!(choice(&[&format!("~{}", "x".repeat(256))]).is_err());
        assert!(choice(&["~a\0"]).is_err());
    }
}
