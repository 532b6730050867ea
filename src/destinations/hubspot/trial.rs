//! The look at a portal: the token, the property that tells our deals apart (made where it is missing), pipeline and
//! stages.

use serde_json::{Value, json};

use super::{answer, api, deal, version};
use crate::destinations::{Finding, Trial};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::wire::{Request, Response};

pub struct Look;

/// `at` names what was asked; `found` is what was found until then, as pairs of whether it is good and a sentence.
impl Steps<Trial> for Look {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, (): &(), _now: Time) -> Step<Trial> {
        let name = deal::property(settings);
        let Some(response) = got else { return ask(property(settings, name), json!({"at": "property", "found": []})) };
        if let Some(verdict) = answer::stopped(response) {
            return failed(&state, verdict);
        }
        match state["at"].as_str().unwrap_or_default() {
            "property" if response.status == 404 => ask(make(settings, name), json!({"at": "made", "found": []})),
            "property" => {
                let is_unique = response.json().unwrap_or_default()["hasUniqueValue"] == true;
                let finding = match is_unique {
                    true => json!([true, format!("The deal property {name} is there.")]),
                    false => json!([
                        false,
                        format!(
                            "The deal property {name} allows the same value twice, so deals could double. Make another one with unique values only and enter its internal name."
                        )
                    ]),
                };
                ask(pipelines(settings), json!({"at": "pipelines", "found": [finding]}))
            }
            "made" => match answer::property(response) {
                Ok(()) => {
                    let finding = json!([true, format!("The deal property {name} was made.")]);
                    ask(pipelines(settings), json!({"at": "pipelines", "found": [finding]}))
                }
                Err(verdict) => failed(&state, verdict),
            },
            _ => {
                let mut found = findings(&state);
                found.push(stages(&response.json().unwrap_or_default(), settings));
                Step::Done(found)
            }
        }
    }
}

fn ask(request: Request, state: State) -> Step<Trial> {
    Step::Ask(Box::new(request), state)
}

fn property(settings: &Settings, name: &str) -> Request {
    api("GET", format!("/crm/properties/{}/deals/{name}", version(settings)))
}

fn make(settings: &Settings, name: &str) -> Request {
    api("POST", format!("/crm/properties/{}/deals", version(settings))).json(deal::definition(name))
}

fn pipelines(settings: &Settings) -> Request {
    api("GET", format!("/crm/pipelines/{}/deals", version(settings)))
}

fn failed(state: &State, verdict: Verdict) -> Step<Trial> {
    let mut found = findings(state);
    found.push(Finding::bad(match verdict {
        Verdict::Pause(sentence) | Verdict::Refused(sentence) | Verdict::Retry { sentence, .. } => sentence,
        other => format!("{other:?}"),
    }));
    Step::Done(found)
}

fn findings(state: &State) -> Vec<Finding> {
    let rows = state["found"].as_array().into_iter().flatten();
    rows.map(|row| Finding { is_good: row[0] == true, sentence: row[1].as_str().unwrap_or_default().to_owned() }).collect()
}

/// Whether the pipeline has the stages that deals would be put into.
fn stages(body: &Value, settings: &Settings) -> Finding {
    let all = body["results"].as_array();
    let wanted = settings.get("pipeline").unwrap_or(deal::OWN_PIPELINE);
    let Some(pipeline) = all.into_iter().flatten().find(|p| p["id"] == wanted) else {
        let known: Vec<&str> = all.into_iter().flatten().filter_map(|p| p["id"].as_str()).collect();
        return Finding::bad(format!("HubSpot has no deal pipeline {wanted}. There are: {}.", known.join(", ")));
    };
    let known: Vec<&str> = pipeline["stages"].as_array().into_iter().flatten().filter_map(|s| s["id"].as_str()).collect();
    let ours = [settings.get("stage_won").unwrap_or(super::WON), settings.get("stage_lead").unwrap_or(super::OPEN)];
    let named = ours.into_iter().chain(settings.get("stage_lost"));
    match named.filter(|stage| !known.contains(stage)).collect::<Vec<_>>().as_slice() {
        [] => Finding::good(format!("The pipeline {wanted} has the stages {} and {}.", ours[0], ours[1])),
        missing => Finding::bad(format!(
            "The pipeline {wanted} has no stage {}. There are: {}. Enter the stages that sales and leads belong into.",
            missing.join(", "),
            known.join(", ")
        )),
    }
}
