//! What HubSpot's stages mean for a lead: the usual, and what the owner says.

use std::collections::BTreeMap;

use crate::domain::pipeline::Stage;
use crate::domain::platform::Settings;

/// Of HubSpot's own pipeline, and of its lifecycle. The stage that our own leads begin at says nothing yet.
const USUAL: &[(&str, Stage)] = &[
    ("appointmentscheduled", Stage::Contacted),
    ("presentationscheduled", Stage::Qualified),
    ("decisionmakerboughtin", Stage::Qualified),
    ("contractsent", Stage::Qualified),
    ("closedwon", Stage::Won),
    ("closedlost", Stage::Lost),
    ("salesqualifiedlead", Stage::Qualified),
    ("opportunity", Stage::Qualified),
    ("customer", Stage::Won),
];

pub struct Meanings(BTreeMap<String, Option<Stage>>);

impl Meanings {
    /// Or the pair that is none.
    pub fn read(settings: &Settings) -> Result<Self, String> {
        let mut all: BTreeMap<String, Option<Stage>> = USUAL.iter().map(|(id, stage)| ((*id).to_owned(), Some(*stage))).collect();
        for (key, stage) in [("stage_won", Some(Stage::Won)), ("stage_lost", Some(Stage::Lost)), ("stage_lead", None)] {
            if let Some(id) = settings.get(key) {
                all.insert(id.to_owned(), stage);
            }
        }
        for pair in settings.get("stages").unwrap_or_default().split([',', ';', '\n']).map(str::trim).filter(|p| !p.is_empty()) {
            let short = || pair.chars().take(60).collect::<String>();
            let (id, word) = pair.split_once('=').ok_or_else(short)?;
            let stage = match word.trim() {
                "none" => None,
                word => Some(Stage::parse(word).filter(|s| *s != Stage::New).ok_or_else(short)?),
            };
            all.insert(id.trim().to_owned(), stage);
        }
        Ok(Self(all))
    }

    pub fn of(&self, id: &str) -> Option<Stage> {
        self.0.get(id).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_says_what_stages_mean() {
        let settings = |pairs: &[(&str, &str)]| Settings(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        let own = settings(&[("stage_won", "99"), ("stage_lead", "contractsent"), ("stages", "7=contacted, opportunity = none;8=lost")]);
        let meanings = Meanings::read(&own).unwrap_or_else(|pair| panic!("{pair}"));
        for (id, want) in [
            ("closedwon", Some(Stage::Won)),
            ("99", Some(Stage::Won)),
            ("7", Some(Stage::Contacted)),
            ("8", Some(Stage::Lost)),
            ("opportunity", None),
            ("contractsent", None),
            ("qualifiedtobuy", None),
            ("subscriber", None),
        ] {
            assert_eq!(meanings.of(id), want, "{id}");
        }
        for bad in ["7", "7=sold", "7=new"] {
            assert_eq!(Meanings::read(&settings(&[("stages", bad)])).err().as_deref(), Some(bad));
        }
    }
}
