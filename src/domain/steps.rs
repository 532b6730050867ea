//! Every talk of more than one request: a pull, a registration, a delivery. The platform file decides the next step
//! from a small stored state, so that a crash or a rate limit goes on where it was.

use serde_json::Value;

use super::platform::Settings;
use super::time::{DAY_MS, SECOND_MS, Time};
use crate::crypto::Secret;
use crate::wire::{Request, Response};

/// What the platform file wants to remember between two steps.
pub type State = Value;

/// What a kind of talk ends with, and what it hands over on the way.
pub trait Talk {
    type Yield;
    type Outcome;
    /// What is lent to every step beside the stored state: a pull gets the site's home, a delivery nothing.
    type Ground;
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
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, ground: &K::Ground, now: Time) -> Step<K>;
}

/// How a delivery, or one try of it, ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The platform says that it has it. The sentence is for the owner.
    Delivered(String),
    /// Taken, but the platform does not confirm.
    Accepted(String),
    /// Taken; ask again after so many milliseconds what became of it. With a state of null: it was not kept after all, begin
    /// from the start then.
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

/// A token that expires: how to get one and how to read it from the answer. Other requests name it like any secret
/// (`Part::Secret(token.name)`); `outbound` keeps it, and a platform file never sees its value in a state.
#[derive(Debug, Clone)]
pub struct Token {
    pub name: &'static str,
    pub request: Request,
    /// The token, or why there is none: refused credentials pause the connection, a busy server is tried again.
    pub read: fn(&Response) -> Result<Fresh, Verdict>,
}

/// A token as it was given.
#[derive(Debug, Clone)]
pub struct Fresh {
    pub value: Secret,
    pub lives_ms: i64,
}

/// The default verdict by status (reference: RFC 9110 section 15; spec 7.2). A platform overrides it where a 200 can
/// hide a refusal or a 400 a passing trouble.
pub fn by_status(name: &str, response: &Response) -> Verdict {
    let status = response.status;
    match status {
        200..=299 => Verdict::Delivered(format!("{name} took it.")),
        408 | 425 | 429 | 500..=599 => {
            Verdict::Retry { after_ms: retry_after_ms(response), sentence: format!("{name} answered {status}.") }
        }
        400 | 422 => Verdict::Split(format!("{name} answered {status}: it does not accept this.")),
        401 | 403 => Verdict::Pause(format!("{name} answered {status}: the credentials are refused.")),
        404 | 410 => Verdict::Pause(format!("{name} answered {status}: there is nothing at this address.")),
        300..=399 => Verdict::Refused(format!("{name} answered with a redirect ({status}), which is not followed.")),
        _ => Verdict::Refused(format!("{name} answered {status}.")),
    }
}

/// The server's own wish from `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3), kept between 1 s and 24 h.
/// A date is read against the answer's own `Date`: what counts is the server's clock, not ours.
pub fn retry_after_ms(response: &Response) -> Option<i64> {
    let text = response.headers.get("retry-after")?.trim();
    let ms = match text.parse::<u32>() {
        Ok(seconds) => i64::from(seconds) * SECOND_MS,
        Err(_) => http_date(text)?.ms_since(http_date(response.headers.get("date")?)?),
    };
    Some(ms.clamp(SECOND_MS, DAY_MS))
}

fn http_date(text: &str) -> Option<Time> {
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Time::from_ms(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Headers;

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let date = ("date", "Sun, 14 Jun 2026 10:00:00 GMT");
        type Row<'a> = (&'a [(&'a str, &'a str)], Option<i64>);
        let rows: &[Row] = &[
            (&[], None),
            (&[("retry-after", "2")], Some(2_000)),
            (&[("retry-after", " 120 ")], Some(120_000)),
            (&[("retry-after", "0")], Some(1_000)),
            (&[("retry-after", "999999")], Some(DAY_MS)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-5")], None),
            (&[("retry-after", "Sun, 14 Jun 2026 10:00:30 GMT"), date], Some(30_000)),
            (&[("retry-after", "Sun, 14 Jun 2026 09:00:00 GMT"), date], Some(1_000)),
            (&[("retry-after", "Sun, 14 Jun 2026 10:00:30 GMT")], None),
        ];
        for (headers, want) in rows {
            let headers = headers.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
            let response = Response { status: 429, headers: Headers(headers), body: Vec::new() };
            assert_eq!(retry_after_ms(&response), *want, "{:?}", response.headers);
        }
    }
}
