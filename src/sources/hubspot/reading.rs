//! What stands behind the ids of a body: a deal's stage and worth with the lead that it is of, a contact's lifecycle.

use serde_json::{Value, json};

use super::stages::Meanings;
use crate::domain::fact::Fact;
use crate::domain::fact::{Person, Progress};
use crate::domain::money::{Currency, Money};
use crate::domain::person::Email;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict, by_status, retry_after_ms};
use crate::domain::time::{SECOND_MS, Time};
use crate::sources::{Batch, Fetch, Home};
use crate::wire::{Part, Request, Response};

pub struct Reading;

/// `refs` are those that are still to be read, the first of them now; `deal` is what is known of it while its contact is
/// read.
impl Steps<Fetch> for Reading {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, _now: Time) -> Step<Fetch> {
        let refs: Vec<String> = serde_json::from_value(state["refs"].clone()).unwrap_or_default();
        let Some((object, id, at)) = refs.first().and_then(|name| parts(name)) else {
            return if refs.is_empty() { Step::Done(()) } else { self.step(left(&refs), None, settings, home, _now) };
        };
        let Some(response) = got else {
            let request = if object == "deal" { deal(settings, id) } else { contact(settings, id) };
            return Step::Ask(Box::new(request), json!({ "refs": refs }));
        };
        match response.status {
            200..=299 => {}
            // Gone meanwhile: there is nothing to say of it.
            404 => return self.step(left(&refs), None, settings, home, _now),
            _ => return Step::Fail(failed(response)),
        }
        let Ok(meanings) = Meanings::read(settings) else { return Step::Done(()) };
        let body = response.json().unwrap_or_default();
        let properties = &body["properties"];
        let word = |key: &str| properties[key].as_str().map(str::trim).filter(|t| !t.is_empty());
        let email = || word("email").and_then(Email::parse);
        let person = |email: Option<Email>| Person { email, ..Person::default() };
        let progress = match (object, state["deal"].is_object()) {
            ("contact", _) => meanings.of(word("lifecyclestage").unwrap_or_default()).filter(|_| email().is_some()).map(|stage| Progress {
                external_id: format!("contact:{id}"),
                subject: None,
                person: person(email()),
                stage,
                value: None,
                happened_at: at,
                is_forward_only: true,
            }),
            // The contact of a deal.
            (_, true) => {
                let told = &state["deal"];
                meanings.of(told["stage"].as_str().unwrap_or_default()).filter(|_| email().is_some()).map(|stage| Progress {
                    external_id: format!("deal:{id}"),
                    subject: None,
                    person: person(email()),
                    stage,
                    value: worth(told["amount"].as_str(), told["currency"].as_str(), home),
                    happened_at: at,
                    is_forward_only: false,
                })
            }
            (_, false) => {
                let key = settings.get("deal_property").unwrap_or("halotrack_id");
                match (meanings.of(word("dealstage").unwrap_or_default()), word(key)) {
                    (None, _) => None,
                    // One of ours: the site stands in front of it, ports and all in no name.
                    (Some(stage), Some(own)) => own.split_once(':').map(|(_, subject)| Progress {
                        external_id: format!("deal:{id}"),
                        subject: Some(subject.to_owned()),
                        person: Person::default(),
                        stage,
                        value: worth(word("amount"), word("deal_currency_code"), home),
                        happened_at: at,
                        is_forward_only: false,
                    }),
                    (Some(_), None) => match contact_of(&body) {
                        Some(contact_id) => {
                            let told = json!({
                                "stage": word("dealstage"), "amount": word("amount"), "currency": word("deal_currency_code"),
                            });
                            return Step::Ask(Box::new(contact(settings, &contact_id)), json!({"refs": refs, "deal": told}));
                        }
                        None => None,
                    },
                }
            }
        };
        match progress {
            Some(progress) => Step::Yield(Batch::of(vec![Fact::Progress(progress)]), left(&refs)),
            None => self.step(left(&refs), None, settings, home, _now),
        }
    }
}

fn parts(name: &str) -> Option<(&str, &str, Time)> {
    let mut parts = name.split(':');
    let (object, id, at) = (parts.next()?, parts.next()?, parts.next()?.parse::<i64>().ok()?);
    matches!(object, "deal" | "contact").then_some((object, id, Time::from_ms(at)))
}

fn left(refs: &[String]) -> State {
    json!({ "refs": refs.get(1..).unwrap_or_default() })
}

fn deal(settings: &Settings, id: &str) -> Request {
    let key = settings.get("deal_property").unwrap_or("halotrack_id");
    let properties = format!("dealstage,pipeline,amount,deal_currency_code,{key}");
    api(settings, &format!("deals/{id}")).query("properties", Part::plain(properties)).query("associations", Part::plain("contacts"))
}

fn contact(settings: &Settings, id: &str) -> Request {
    api(settings, &format!("contacts/{id}")).query("properties", Part::plain("email,lifecyclestage"))
}

fn api(settings: &Settings, rest: &str) -> Request {
    let version = settings.get("api_version").unwrap_or("2026-03");
    Request::new("GET", "https://api.hubapi.com", format!("/crm/objects/{version}/{rest}")).host("hubspot").bearer("access_token")
}

/// The first contact of a deal.
fn contact_of(body: &Value) -> Option<String> {
    let first = &body["associations"]["contacts"]["results"][0]["id"];
    let id = first.as_str().map(str::to_owned).or_else(|| first.as_i64().map(|n| n.to_string()))?;
    (id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit())).then_some(id)
}

/// In the portal's only currency where it names none: taken for the site's.
fn worth(amount: Option<&str>, currency: Option<&str>, home: &Home) -> Option<Money> {
    let currency = match currency {
        Some(code) => Currency::parse(code)?,
        None => home.currency,
    };
    Money::parse(amount?, currency).ok().filter(|m| m.minor >= 0)
}

fn failed(response: &Response) -> Verdict {
    match response.status {
        401 => Verdict::Pause("HubSpot refuses the access token: it was revoked or belongs to another account. Enter a new one.".into()),
        403 => Verdict::Pause("The access token may not read contacts and deals. Allow it in HubSpot, then enter it again.".into()),
        429 => Verdict::Retry {
            after_ms: retry_after_ms(response).or(Some(10 * SECOND_MS)),
            sentence: "HubSpot takes no more requests for some seconds.".into(),
        },
        _ => by_status("HubSpot", response),
    }
}
