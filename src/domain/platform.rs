//! What a platform says of itself, and a connection's settings and secrets. Forms, cards, README rows and checks are
//! all made from `About`; no platform needs a screen, a table or a branch of its own.

use std::collections::BTreeMap;

use crate::crypto::Secret;
use crate::error::{Error, Result};

/// A setting that the owner fills in.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub key: &'static str,
    pub label: &'static str,
    /// One sentence: where to find it.
    pub help: &'static str,
    pub kind: FieldKind,
    pub is_required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    /// Write-only, stored sealed.
    Secret,
    /// An https address on the public internet.
    Url,
    /// `true` or `false`.
    Switch,
    /// ISO 4217.
    Currency,
}

/// A platform as the owner meets it.
#[derive(Debug)]
pub struct About {
    pub slug: &'static str,
    pub name: &'static str,
    /// Half a sentence: what it is good for.
    pub purpose: &'static str,
    pub fields: &'static [Field],
    /// Steps to connect it, each one sentence.
    pub steps: &'static [&'static str],
    pub docs_url: &'static str,
    /// It calls our hook address.
    pub receives: bool,
    /// We fetch from it on a schedule.
    pub pulls: bool,
    /// Conversions are delivered to it.
    pub sends: bool,
    /// Secrets that we make ourselves when the owner gives none.
    pub own_secret: Option<&'static str>,
}

/// A connection's plain settings by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings(pub BTreeMap<String, String>);

impl Settings {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|v| !v.is_empty())
    }

    pub fn is_on(&self, key: &str) -> bool {
        self.get(key) == Some("true")
    }
}

/// A connection's secrets by key. While one is being rotated a key holds two, the newer first.
#[derive(Debug, Clone, Default)]
pub struct Secrets(pub BTreeMap<String, Vec<Secret>>);

impl Secrets {
    pub fn first(&self, key: &str) -> Option<&Secret> {
        self.0.get(key).and_then(|all| all.first())
    }

    pub fn all(&self, key: &str) -> &[Secret] {
        self.0.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn set(&mut self, key: &str, value: Secret) {
        self.0.insert(key.to_owned(), vec![value]);
    }
}

impl About {
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.key == key)
    }

    /// Sorts what the owner typed into settings and secrets. Unknown keys and values of the wrong kind are named.
    pub fn take(&self, given: &BTreeMap<String, String>, settings: &mut Settings, secrets: &mut Secrets) -> Result<()> {
        for (key, value) in given {
            let Some(field) = self.field(key) else {
                let known: Vec<_> = self.fields.iter().map(|f| f.key).collect();
                return Err(Error::invalid(key, format!("{} has no setting {key}. It takes: {}.", self.name, known.join(", "))));
            };
            let value = value.trim();
            let is_fit = value.is_empty()
                || match field.kind {
                    FieldKind::Text | FieldKind::Secret => value.len() <= 8_192,
                    FieldKind::Url => url::Url::parse(value).is_ok_and(|u| u.has_host()),
                    FieldKind::Switch => value == "true" || value == "false",
                    FieldKind::Currency => super::money::Currency::parse(value).is_some(),
                };
            if !is_fit {
                let want = match field.kind {
                    FieldKind::Url => "an address such as https://shop.example",
                    FieldKind::Switch => "true or false",
                    FieldKind::Currency => "a currency code such as AED",
                    _ => "a text of at most 8,192 characters",
                };
                return Err(Error::invalid(key, format!("{} must be {want}.", field.label)));
            }
            match field.kind {
                FieldKind::Secret if value.is_empty() => {}
                FieldKind::Secret => secrets.set(key, Secret::new(value)),
                _ => {
                    settings.0.insert(key.clone(), value.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Labels of required fields that are still empty.
    pub fn missing(&self, settings: &Settings, secrets: &Secrets) -> Vec<&'static str> {
        let is_there = |f: &Field| match f.kind {
            FieldKind::Secret => secrets.first(f.key).is_some(),
            _ => settings.get(f.key).is_some(),
        };
        self.fields.iter().filter(|f| f.is_required && !is_there(f)).map(|f| f.label).collect()
    }
}
