//! Every talk of more than one request: a pull, a registration, a delivery. The platform file decides the next step
//! from a small stored state, so that a crash or a rate limit goes on where it was.

use serde_json::Value;

use super::platform::Settings;
use super::time::Time;
use crate::wire::{Request, Response};

/// What the platform file wants to remember between two steps.
pub type State = Value;

/// What a kind of talk ends with, and what it hands over on the way.
pub trait Talk {
    type Yield;
    type Outcome;
}

/// One step of a talk.
#[derive(Debug)]
pub enum Step<K: Talk> {
    /// Send this, then call `step` again with the answer and this state.
    Ask(Box<Request>, State),
    /// Store these together with the state, then go on.
    Yield(K::Yield, State),
    /// Come back in so many milliseconds.
    Wait(i64, State),
    Done(K::Outcome),
    Fail(Verdict),
}

pub trait Steps<K: Talk>: Sync {
    /// `got` is the answer to the last `Ask`; none at the very first step and after a `Wait` or `Yield`.
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, now: Time) -> Step<K>;
}

/// How a delivery, or one try of it, ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The platform says that it has it. The sentence is for the owner.
    Delivered(String),
    /// Taken, but the platform does not confirm.
    Accepted(String),
    /// Taken; ask again after so many milliseconds what became of it.
    CheckLater { after_ms: i64, state: State },
    /// Not now. `after_ms` is the platform's own wish.
    Retry { after_ms: Option<i64>, sentence: String },
    /// The batch holds a bad one: send its parts apart.
    Split(String),
    /// The credentials or the address are wrong: stop the whole connection and tell the owner.
    Pause(String),
    /// Never: the platform refuses this one for good.
    Refused(String),
}

/// The default verdict by status (reference: RFC 9110 section 15; spec 7.2). A platform overrides it where a 200 can
/// hide a refusal or a 400 a passing trouble.
pub fn by_status(name: &str, response: &Response) -> Verdict {
    let status = response.status;
    match status {
        200..=299 => Verdict::Delivered(format!("{name} took it.")),
        408 | 425 | 429 | 500..=599 => Verdict::Retry { after_ms: None, sentence: format!("{name} answered {status}.") },
        400 | 422 => Verdict::Split(format!("{name} answered {status}: it does not accept this.")),
        401 | 403 => Verdict::Pause(format!("{name} answered {status}: the credentials are refused.")),
        404 | 410 => Verdict::Pause(format!("{name} answered {status}: there is nothing at this address.")),
        300..=399 => Verdict::Refused(format!("{name} answered with a redirect ({status}), which is not followed.")),
        _ => Verdict::Refused(format!("{name} answered {status}.")),
    }
}
