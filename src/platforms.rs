//! What platforms there are, whichever way their data goes: one card a slug, made of what its source and its
//! destination say.

use std::collections::BTreeMap;

use crate::destinations::{self, Destination};
use crate::domain::platform::{About, Field, PULLED, Secrets, Settings};
use crate::error::{Error, Result};
use crate::sources::{self, Source};

/// A platform as one connection sees it.
#[derive(Clone, Copy)]
pub struct Platform {
    pub source: Option<&'static dyn Source>,
    pub destination: Option<&'static dyn Destination>,
}

impl Platform {
    /// What is said first where both sides speak: the source knows the hook, the destination the rest.
    fn abouts(&self) -> impl Iterator<Item = &'static About> {
        self.source.map(|s| s.about()).into_iter().chain(self.destination.map(|d| d.about()))
    }

    pub fn slug(&self) -> &'static str {
        self.abouts().next().map_or("", |a| a.slug)
    }

    pub fn name(&self) -> &'static str {
        self.abouts().next().map_or("", |a| a.name)
    }

    /// Half a sentence: what it is good for.
    pub fn purpose(&self) -> &'static str {
        self.abouts().next().map_or("", |a| a.purpose)
    }

    /// Steps to connect it, of both sides.
    pub fn steps(&self) -> Vec<&'static str> {
        self.abouts().flat_map(|a| a.steps).copied().collect()
    }

    pub fn docs_url(&self) -> &'static str {
        self.abouts().next().map_or("", |a| a.docs_url)
    }

    pub fn receives(&self) -> bool {
        self.abouts().any(|a| a.receives)
    }

    pub fn pulls(&self) -> bool {
        self.abouts().any(|a| a.pulls)
    }

    pub fn sends(&self) -> bool {
        self.abouts().any(|a| a.sends)
    }

    /// The field in which a secret of our own stands when the owner gives none.
    pub fn own_secret(&self) -> Option<&'static str> {
        self.abouts().find_map(|a| a.own_secret)
    }

    /// Fields of both sides, each key once, and those of every platform whose list is read.
    pub fn fields(&self) -> Vec<&'static Field> {
        let mut fields: Vec<&'static Field> = Vec::new();
        for field in self.abouts().flat_map(|a| a.fields).chain(self.pulled()) {
            if !fields.iter().any(|f| f.key == field.key) {
                fields.push(field);
            }
        }
        fields
    }

    fn pulled(&self) -> &'static [Field] {
        if self.source.is_some_and(|s| s.pull().is_some()) { PULLED } else { &[] }
    }

    /// Sorts what the owner typed into settings and secrets; a key that neither side knows is named.
    pub fn take(&self, given: &BTreeMap<String, String>, settings: &mut Settings, secrets: &mut Secrets) -> Result<()> {
        for (key, value) in given {
            let Some(about) = self.abouts().find(|a| a.field(key).is_some()) else {
                if let Some(field) = self.pulled().iter().find(|f| f.key == key) {
                    field.check(value.trim())?;
                    settings.0.insert(key.clone(), value.trim().to_owned());
                    continue;
                }
                let known: Vec<&str> = self.fields().iter().map(|f| f.key).collect();
                let takes = if known.is_empty() { "It takes none.".into() } else { format!("It takes: {}.", known.join(", ")) };
                return Err(Error::invalid(key, format!("{} has no setting {key}. {takes}", self.name())));
            };
            about.take(&BTreeMap::from([(key.clone(), value.clone())]), settings, secrets)?;
        }
        Ok(())
    }

    /// What can be seen to be wrong before anything is sent.
    pub fn check(&self, settings: &Settings, secrets: &Secrets) -> Result<()> {
        self.source.map_or(Ok(()), |s| s.check(settings, secrets))?;
        self.destination.map_or(Ok(()), |d| d.check(settings, secrets))
    }

    /// Labels of required fields that are still empty.
    pub fn missing(&self, settings: &Settings, secrets: &Secrets) -> Vec<&'static str> {
        let mut labels: Vec<&'static str> = self.abouts().flat_map(|a| a.missing(settings, secrets)).collect();
        labels.dedup();
        labels
    }
}

/// Every platform, in the order of the alphabet.
pub fn all() -> Vec<Platform> {
    let mut slugs: Vec<&'static str> =
        sources::ALL.iter().map(|s| s.about().slug).chain(destinations::ALL.iter().map(|d| d.about().slug)).collect();
    slugs.sort_unstable();
    slugs.dedup();
    slugs.into_iter().filter_map(find).collect()
}

pub fn find(slug: &str) -> Option<Platform> {
    let platform = Platform { source: sources::find(slug), destination: destinations::find(slug) };
    (platform.source.is_some() || platform.destination.is_some()).then_some(platform)
}

/// The platform, or a refusal that names those there are.
pub fn get(slug: &str) -> Result<Platform> {
    find(slug).ok_or_else(|| {
        let known: Vec<&str> = all().iter().map(Platform::slug).collect();
        Error::invalid("platform", format!("There is no platform {slug}. There are: {}.", known.join(", ")))
    })
}
