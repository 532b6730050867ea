//! Words that links are made from again and again, under a name: one for every newsletter, one for every post.

use std::collections::BTreeMap;

use super::campaign::clean_text;
use super::ids::LinkTemplateId;
use super::link::{LONGEST_TARGET, read_word};
use super::time::Time;
use crate::error::{Error, Result};

/// Templates that a site may have.
pub const MOST_TEMPLATES: usize = 100;
/// Longest name of one, in characters.
const LONGEST_NAME: usize = 60;
/// What a template may fill in.
const FIELDS: [&str; 7] = ["to", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "affiliate"];

/// Words by the field of a link that they fill in; a field that is not there stays empty.
pub type Filled = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq)]
pub struct LinkTemplate {
    pub id: LinkTemplateId,
    pub name: String,
    pub words: Filled,
    pub who: String,
    pub created_at: Time,
}

pub fn read_name(text: &str) -> Result<String> {
    let name = clean_text(text, LONGEST_NAME);
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Error::invalid("name", format!("A template has a name of 1 to {LONGEST_NAME} characters.")));
    }
    Ok(name)
}

/// As somebody typed them. The address is checked when a link is made of it: domains change.
pub fn read_words<'a>(told: impl Fn(&str) -> Result<Option<&'a str>>) -> Result<Filled> {
    let mut words = Filled::new();
    for field in FIELDS {
        let Some(text) = told(field)?.map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let word = match field {
            "to" if text.len() > LONGEST_TARGET => {
                return Err(Error::invalid("to", format!("The address has at most {LONGEST_TARGET} characters.")));
            }
            "to" => Some(clean_text(text, LONGEST_TARGET)),
            _ => read_word(field, text)?,
        };
        words.extend(word.map(|word| (field.to_owned(), word)));
    }
    if words.is_empty() {
        return Err(Error::invalid("utm_source", "A template fills in at least one word."));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(told: &[(&str, &str)]) -> Result<Filled> {
        let all: BTreeMap<String, String> = told.iter().map(|(field, text)| ((*field).to_owned(), (*text).to_owned())).collect();
        read_words(|field| Ok(all.get(field).map(String::as_str)))
    }

    #[test]
    fn what_is_filled_in_is_read_as_a_links_own_words_are() {
        let words = read(&[("utm_source", " instagram "), ("utm_medium", ""), ("to", "/sale"), ("label", "x")]).expect("words");
        assert_eq!(words, Filled::from([("to".into(), "/sale".into()), ("utm_source".into(), "instagram".into())]));
        for (told, field) in [
            (vec![], "utm_source"),
            (vec![("utm_campaign", "ann@mail.example")], "utm_campaign"),
            (vec![("utm_term", &*"x".repeat(300))], "utm_term"),
            (vec![("to", &*"x".repeat(3_000))], "to"),
        ] {
            assert_eq!(read(&told).expect_err("refused").field.as_deref(), Some(field), "{told:?}");
        }
        assert!(read_name(" ").is_err() && read_name(&"x".repeat(61)).is_err());
        assert_eq!(read_name(" Newsletter ").expect("a name"), "Newsletter");
    }
}
