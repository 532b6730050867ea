//! The account's credentials, proved by reading. Event subscriptions are made in the app by hand.

use serde_json::Value;

use super::{Answer, WEBHOOK_SECRET, api, read};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::{Ground, Provision, Registered, Wish};
use crate::wire::{Part, Response};

const LIST_BYTES: usize = 4 * 1024 * 1024;
const BY_HAND: &str =
    "For live updates enter the app's secret token here and the address of this connection in the app's event subscription.";

pub struct Proof;

impl Steps<Provision> for Proof {
    fn step(&self, _: State, got: Option<&Response>, _: &Settings, ground: &Ground, _: Time) -> Step<Provision> {
        let Some(response) = got else {
            return match ground.wish {
                Wish::Probe | Wish::Register => {
                    Step::Ask(Box::new(api("users").query("page_size", Part::plain("1")).up_to(LIST_BYTES)), Value::Null)
                }
                Wish::Look | Wish::Remove => Step::Done(Registered::default()),
            };
        };
        let has_secret = ground.secrets.iter().any(|key| key == WEBHOOK_SECRET);
        let notes = if has_secret { Vec::new() } else { vec![BY_HAND.to_owned()] };
        match read(response) {
            Answer::Json(_) => Step::Done(Registered { notes, ..Registered::default() }),
            Answer::Missing => {
                Step::Fail(Verdict::Pause("Zoom shows no users of this account. Give the app the right to read them.".into()))
            }
            Answer::Trouble(verdict) => Step::Fail(verdict),
        }
    }
}
