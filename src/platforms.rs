//! What platforms there are, whichever way their data goes: one card a slug, made of what its source and its
//! destination say.

use std::collections::BTreeMap;

use crate::destinations::{self, Destination};
use crate::domain::outgoing::Mode;
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

    /// Where nothing is sent there is nothing to try out.
    pub fn has_test_mode(&self) -> bool {
        self.destination.is_some_and(|d| d.has_test_mode())
    }

    /// How it may be told, in the order of forms.
    pub fn modes(&self) -> Vec<&'static str> {
        let all = [Mode::Shadow, Mode::Test, Mode::Live];
        all.into_iter().filter(|mode| *mode != Mode::Test || self.has_test_mode()).map(Mode::word).collect()
    }

    /// Where one of several ways of signing in is enough: what stands in place of this key, as the labels of each other way.
    pub fn instead_of(&self, key: &str) -> Vec<Vec<&'static str>> {
        let ways = self.destination.map_or(&[][..], |d| d.ways_in());
        if !ways.iter().any(|way| way.contains(&key)) {
            return Vec::new();
        }
        let fields = self.fields();
        let label = |key: &&str| fields.iter().find(|f| f.key == *key).map(|f| f.label);
        ways.iter().filter(|way| !way.contains(&key)).map(|way| way.iter().filter_map(label).collect()).collect()
    }

    pub fn sends(&self) -> bool {
        self.abouts().any(|a| a.sends)
    }

    /// Secrets by which the other side and we know each other's messages: when one is replaced, the one before stays good for a
    /// while.
    pub fn proving(&self) -> Vec<&'static str> {
        let hears = self.source.and_then(|s| s.webhook()).map(|w| w.secrets()).unwrap_or_default();
        let signs = self.destination.and_then(|d| d.signs_with());
        let mut keys: Vec<&'static str> = hears.iter().copied().chain(signs).collect();
        keys.dedup();
        keys
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::platform::FieldKind;

    /// Both sides share the field: what is said of it must be true for both.
    #[test]
    fn a_field_of_both_sides_says_one_thing() {
        for platform in all() {
            let (Some(source), Some(destination)) = (platform.source, platform.destination) else { continue };
            for field in source.about().fields {
                let Some(other) = destination.about().field(field.key) else { continue };
                let words = |f: &Field| (f.label, f.help, f.kind);
                assert_eq!(words(field), words(other), "{} {}", platform.slug(), field.key);
            }
        }
    }

    /// A secret by which a sender is known may be typed anew, and then the one before is known for a while too.
    #[test]
    fn secrets_that_prove_a_sender_are_fields() {
        for platform in all() {
            for key in platform.proving() {
                let field = platform.fields().into_iter().find(|f| f.key == key);
                assert!(field.is_some_and(|f| f.kind == FieldKind::Secret), "{} {key}", platform.slug());
            }
            assert_eq!(platform.receives(), platform.source.is_some_and(|s| s.webhook().is_some()), "{}", platform.slug());
        }
        let keys = |slug: &str| find(slug).expect("it is there").proving();
        assert_eq!(
            (keys("stripe"), keys("shopify"), keys("webhook")),
            (vec!["webhook_secret"], vec!["client_secret", "webhook_secret"], vec!["secret"])
        );
    }

    #[test]
    fn ways_in_are_of_fields_that_there_are() {
        for platform in all() {
            for key in platform.destination.iter().flat_map(|d| d.ways_in()).flat_map(|way| way.iter()) {
                assert!(platform.fields().iter().any(|f| f.key == *key && !f.is_required), "{} {key}", platform.slug());
            }
        }
        let google = find("google_ads").expect("it is there");
        assert_eq!(google.instead_of("service_account"), [["OAuth client id", "OAuth client secret", "Refresh token"]]);
        assert_eq!(google.instead_of("refresh_token"), [["Service account key"]]);
        assert!(google.instead_of("customer_id").is_empty());
    }

    #[test]
    fn a_test_is_offered_where_there_is_one() {
        for (slug, want) in [("hubspot", false), ("anytrack", false), ("meta", true), ("google_ads", true), ("forms", false)] {
            assert_eq!(find(slug).expect("it is there").has_test_mode(), want, "{slug}");
        }
    }
}
