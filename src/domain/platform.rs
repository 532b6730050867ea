//! What a platform says of itself, and a connection's settings and secrets. Forms, cards, README rows and checks are
//! all made from `About`; no platform needs a screen, a table or a branch of its own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::schedule::Schedule;
use super::time::{DAY_MS, Time, Zone};
use crate::crypto::Secret;
use crate::error::{Error, Result};

/// How far the first pull goes back where the owner has said nothing, and at most.
pub const HISTORY_DAYS: i64 = 90;
pub const LONGEST_HISTORY_DAYS: i64 = 3_650;
/// The setting that says when a list is read, and the one that says by whose clocks.
pub const SCHEDULE: &str = "schedule";
pub const SCHEDULE_ZONE: &str = "schedule_zone";
/// In place of a zone's name: the site's own, whatever it will be.
pub const ZONE_OF_SITE: &str = "site";

/// What every platform that is pulled takes besides its own settings.
pub static PULLED: &[Field] = &[
    Field {
        key: SCHEDULE,
        label: "When its list is read",
        help: "Like every 6 hours, or five fields of cron: 30 18 * * * is every day at 18:30. At most once in 5 minutes.",
        kind: FieldKind::Schedule,
        is_required: false,
    },
    Field {
        key: SCHEDULE_ZONE,
        label: "By whose clocks",
        help: "site for those of this site, or a zone such as Europe/Prague. It matters where cron is written above.",
        kind: FieldKind::Zone,
        is_required: false,
    },
    Field {
        key: "history_days",
        label: "Days of history",
        help: "How far back the first reading goes. Later, any days can be read once more from the card.",
        kind: FieldKind::Number { least: 0, most: LONGEST_HISTORY_DAYS, usual: HISTORY_DAYS },
        is_required: false,
    },
];

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
    /// A whole number; left empty it is the usual one.
    Number {
        least: i64,
        most: i64,
        usual: i64,
    },
    /// `every 6 hours`, or five fields of cron.
    Schedule,
    /// `site`, or a zone by its name.
    Zone,
}

impl Field {
    /// Whether this may stand there, by its kind alone.
    pub fn check(&self, value: &str) -> Result<()> {
        let (is_fit, want) = match self.kind {
            FieldKind::Text | FieldKind::Secret => (value.len() <= 8_192, "a text of at most 8,192 characters".to_owned()),
            FieldKind::Url => (url::Url::parse(value).is_ok_and(|u| u.has_host()), "an address such as https://shop.example".to_owned()),
            FieldKind::Switch => (value == "true" || value == "false", "true or false".to_owned()),
            FieldKind::Currency => (super::money::Currency::parse(value).is_some(), "a currency code such as AED".to_owned()),
            FieldKind::Number { least, most, .. } => {
                (value.parse::<i64>().is_ok_and(|n| (least..=most).contains(&n)), format!("a whole number from {least} to {most}"))
            }
            // What is wrong with it says more than what it should be.
            FieldKind::Schedule => match Schedule::parse(value, Zone::utc()) {
                Err(sentence) if !value.is_empty() => return Err(Error::invalid(self.key, sentence)),
                _ => return Ok(()),
            },
            FieldKind::Zone => (
                value == ZONE_OF_SITE || Zone::parse(value).is_some(),
                "site for the clocks of this site, or a zone such as Europe/Prague".to_owned(),
            ),
        };
        if is_fit || value.is_empty() { Ok(()) } else { Err(Error::invalid(self.key, format!("{} must be {want}.", self.label))) }
    }
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

    /// When its list is read, as the owner says. `home` is the site's zone. What is no schedule any more is as none.
    pub fn schedule(&self, home: &Zone) -> Option<Schedule> {
        let zone = match self.get(SCHEDULE_ZONE) {
            Some(ZONE_OF_SITE) => home.clone(),
            named => named.and_then(Zone::parse).unwrap_or_else(Zone::utc),
        };
        Schedule::parse(self.get(SCHEDULE)?, zone).ok()
    }
}

/// How long a secret that was replaced is still taken, beside the new one: until a sender, its proxy and what is on its way
/// know better.
pub const SECRET_OVERLAP_MS: i64 = DAY_MS;
/// Secrets of one key that are kept beside the one in force.
const MOST_BEFORE: usize = 3;

/// A connection's secrets by key: the one in force first, then those before it that are still taken.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    pub all: BTreeMap<String, Vec<Secret>>,
    /// Until when each of those before is taken, in their order.
    pub until: BTreeMap<String, Vec<Time>>,
}

impl Secrets {
    pub fn first(&self, key: &str) -> Option<&Secret> {
        self.all.get(key).and_then(|all| all.first())
    }

    pub fn all(&self, key: &str) -> &[Secret] {
        self.all.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// From now on this one alone.
    pub fn set(&mut self, key: &str, value: Secret) {
        self.all.insert(key.to_owned(), vec![value]);
        self.until.remove(key);
    }

    /// Where another one is in force than `before`, that one and those before it stay good for a while. Typing the one in force
    /// once more leaves it alone: so ends a while that is not wanted.
    pub fn keep_before(&mut self, key: &str, before: &Secrets, now: Time) {
        let (Some(new), Some(old)) = (self.first(key).cloned(), before.first(key)) else { return };
        if new.reveal() == old.reveal() || old.reveal().is_empty() {
            return;
        }
        let mut kept = vec![(old.clone(), now.plus_ms(SECRET_OVERLAP_MS))];
        kept.extend(before.older(key).map(|(secret, until)| (secret.clone(), until)));
        kept.retain(|(secret, until)| secret.reveal() != new.reveal() && *until > now);
        kept.truncate(MOST_BEFORE);
        self.until.insert(key.to_owned(), kept.iter().map(|(_, until)| *until).collect());
        self.all.insert(key.to_owned(), std::iter::once(new).chain(kept.into_iter().map(|(secret, _)| secret)).collect());
    }

    /// Those that are taken in this moment.
    pub fn live(&self, now: Time) -> Cow<'_, Secrets> {
        if !self.has_ended(now) {
            return Cow::Borrowed(self);
        }
        let mut live = self.clone();
        for (key, until) in &self.until {
            let first = self.first(key).into_iter();
            let rest = self.older(key).filter(|(_, until)| *until > now).map(|(secret, _)| secret);
            live.all.insert(key.clone(), first.chain(rest).cloned().collect());
            live.until.insert(key.clone(), until.iter().copied().filter(|until| *until > now).collect());
        }
        Cow::Owned(live)
    }

    /// One that was replaced is taken no more.
    pub fn has_ended(&self, now: Time) -> bool {
        self.until.values().flatten().any(|until| *until <= now)
    }

    /// Keys of which one before is still taken, and until when.
    pub fn ending(&self, now: Time) -> Vec<(&str, Time)> {
        let last = |all: &Vec<Time>| all.iter().copied().filter(|until| *until > now).max();
        self.until.iter().filter_map(|(key, all)| Some((key.as_str(), last(all)?))).collect()
    }

    fn older(&self, key: &str) -> impl Iterator<Item = (&Secret, Time)> {
        let until = self.until.get(key).map(Vec::as_slice).unwrap_or_default();
        self.all(key).iter().skip(1).zip(until.iter().copied())
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
            field.check(value)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_pulled_platform_takes_has_limits() {
        let check = |key: &str, value: &str| PULLED.iter().find(|f| f.key == key).expect("a field").check(value).is_ok();
        for (key, value, want) in [
            ("history_days", "", true),
            ("history_days", "0", true),
            ("history_days", "3650", true),
            ("history_days", "3651", false),
            ("history_days", "-1", false),
            ("history_days", "90 days", false),
            ("schedule", "", true),
            ("schedule", "30 18 * * *", true),
            ("schedule", "*/5 * * * *", true),
            ("schedule", "*/4 * * * *", false),
            ("schedule", "58,0 * * * *", false),
            ("schedule", "0 0 30 2 *", false),
            ("schedule", "daily", false),
            ("schedule", "every 6 hours", true),
            ("schedule", "every 200 hours", false),
            ("schedule_zone", "", true),
            ("schedule_zone", "site", true),
            ("schedule_zone", "Europe/Prague", true),
            ("schedule_zone", "Prague", false),
        ] {
            assert_eq!(check(key, value), want, "{key} {value}");
        }
    }

    /// The one in force, those that are still taken, and until when the last of them is.
    fn told(secrets: &Secrets, at_h: i64) -> (Vec<String>, Option<i64>) {
        let now = Time::from_s(at_h * 3_600);
        let live = secrets.live(now).all("secret").iter().map(|s| s.reveal().to_owned()).collect();
        (live, secrets.ending(now).first().map(|(_, until)| until.s() / 3_600))
    }

    #[test]
    fn a_secret_that_was_replaced_is_taken_for_a_day() {
        let typed = |before: &Secrets, value: &str, at_h: i64| {
            let mut secrets = before.clone();
            secrets.set("secret", Secret::new(value));
            secrets.keep_before("secret", before, Time::from_s(at_h * 3_600));
            secrets
        };
        let (none, words) = (Secrets::default(), |all: &[&str]| all.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        let a = typed(&none, "a", 0);
        assert_eq!(told(&a, 0), (words(&["a"]), None), "there was none before");
        let b = typed(&a, "b", 10);
        assert_eq!((told(&b, 10), told(&b, 33)), ((words(&["b", "a"]), Some(34)), (words(&["b", "a"]), Some(34))));
        assert_eq!(told(&b, 34), (words(&["b"]), None));
        let c = typed(&b, "c", 20);
        assert_eq!((told(&c, 33).0, told(&c, 34).0, told(&c, 44).0), (words(&["c", "b", "a"]), words(&["c", "b"]), words(&["c"])));
        assert_eq!(told(&typed(&c, "c", 21), 22), (words(&["c"]), None), "typed once more, the others end");
        assert_eq!(told(&typed(&c, "b", 22), 23).0, words(&["b", "c", "a"]), "back to the one before");
        let mut untouched = c.clone();
        untouched.keep_before("secret", &c, Time::from_s(0));
        assert_eq!(told(&untouched, 22), told(&c, 22), "other settings were changed");
    }

    #[test]
    fn a_schedule_goes_by_the_clocks_that_are_named() {
        let home = Zone::parse("Europe/Prague").expect("a zone");
        let zone = |named: &str| {
            let settings = Settings([(SCHEDULE, "30 18 * * *"), (SCHEDULE_ZONE, named)].map(|(k, v)| (k.into(), v.into())).into());
            settings.schedule(&home).expect("a schedule").zone().name().to_owned()
        };
        assert_eq!((zone(""), zone("site"), zone("Asia/Dubai")), ("UTC".into(), "Europe/Prague".into(), "Asia/Dubai".into()));
        assert_eq!(Settings::default().schedule(&home), None);
    }
}
