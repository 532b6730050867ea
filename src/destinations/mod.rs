//! Outbound platforms: one pure file each. They turn a conversion into requests and an answer into a verdict.

use serde_json::Value;

use crate::domain::conversion::ConversionKind;
use crate::domain::outgoing::Outgoing;
use crate::domain::pipeline::Stage;
use crate::domain::platform::{About, Secrets, Settings};
use crate::domain::steps::{State, Steps, Talk, Token, Verdict};
use crate::domain::time::Time;
use crate::error::Result;
use crate::wire::Request;

mod anytrack;
mod ga4;
mod google_ads;
mod hubspot;
pub mod kit;
mod meta;
mod webhook;

/// Rows of the files that platforms import by their address.
pub use google_ads::file as google_file;
pub use meta::file as meta_file;

/// Every destination, in the order of the alphabet.
pub static ALL: &[&dyn Destination] =
    &[&anytrack::AnyTrack, &ga4::Ga4, &google_ads::GoogleAds, &hubspot::HubSpot, &meta::Meta, &webhook::Webhook];

/// A delivery hands nothing over on the way and ends with a verdict.
#[derive(Debug)]
pub struct Delivery;

impl Talk for Delivery {
    type Yield = std::convert::Infallible;
    type Outcome = Verdict;
    type Ground = ();
}

/// A look at the set-up of a connection without a conversion: ends with what was found.
#[derive(Debug)]
pub struct Trial;

impl Talk for Trial {
    type Yield = std::convert::Infallible;
    type Outcome = Vec<Finding>;
    type Ground = ();
}

/// One thing that was looked at, in a sentence; what is not as it should be says its remedy.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub is_good: bool,
    pub sentence: String,
}

impl Finding {
    pub fn good(sentence: impl Into<String>) -> Self {
        Self { is_good: true, sentence: sentence.into() }
    }

    pub fn bad(sentence: impl Into<String>) -> Self {
        Self { is_good: false, sentence: sentence.into() }
    }
}

/// What a destination makes of a conversion before anything is sent.
#[derive(Debug)]
pub enum Prepared {
    Start(Start),
    /// A fixed word: `no_match_keys`, `not_wanted`, `unsupported_kind`, …
    Skip(&'static str),
}

/// The start of a delivery: the first state, and what the owner is shown of hashed fields.
#[derive(Debug)]
pub struct Start {
    pub state: State,
    /// Names of hashed fields and of whose value they are made: `{"em": "SHA-256 of ni••••@••••.ie"}`; and JSON pointers
    /// into the body, with what is kept and shown instead of the readable value there: `{"/data/email": "ni••••@••••.ie"}`.
    pub hashed: Value,
}

pub trait Destination: Sync {
    fn about(&self) -> &'static About;

    /// What can be seen to be wrong with the set-up before anything is sent: an id of another product, a key that
    /// is too short. Called when settings change; empty fields are `About::missing`'s affair.
    fn check(&self, _settings: &Settings, _secrets: &Secrets) -> Result<()> {
        Ok(())
    }

    /// The secret that its messages are signed with, where they are: while it is being replaced they are signed with both.
    fn signs_with(&self) -> Option<&'static str> {
        None
    }

    /// Whether a connection is there to be told at all: one of a platform that also tells may be there for that alone.
    fn is_set_up(&self, _settings: &Settings) -> bool {
        true
    }

    /// The token that requests of this platform need, where its credentials only buy one that expires. `secrets` only tell
    /// which there are: their values are put in when it is asked for.
    fn token(&self, _settings: &Settings, _secrets: &Secrets, _now: Time) -> Option<Token> {
        None
    }

    /// The platform's own name for such a conversion (`Lead`, `purchase`), or none where it takes no such kind.
    /// It is the delivery's `kind` and part of its unique key.
    fn kind_of(&self, conversion: ConversionKind, name: Option<&str>) -> Option<String>;

    /// The platform's own name for a lead that reached this stage, or none where it has no word for it.
    fn kind_of_stage(&self, _stage: Stage) -> Option<&'static str> {
        None
    }

    /// The platform's own name for money of a sale that goes back, or none where it has no word for it.
    fn kind_of_refund(&self) -> Option<&'static str> {
        None
    }

    /// The platform's own name for a sale that holds after all, where money of it had gone back; none where it cannot be told.
    fn kind_of_again(&self) -> Option<&'static str> {
        None
    }

    /// How old an event the platform takes, in milliseconds from when it happened (less an hour of safety); none = no limit.
    fn age_limit_ms(&self) -> Option<i64>;

    /// `out` already obeys consent: what may not be sent is not in it.
    fn prepare(&self, out: &Outgoing, settings: &Settings) -> Prepared;

    fn delivery(&self) -> &dyn Steps<Delivery>;

    /// Whether the platform has a place where conversions are checked and count nothing.
    fn has_test_mode(&self) -> bool {
        true
    }

    /// Ways of signing in of which one must be there: the keys that each of them needs.
    fn ways_in(&self) -> &'static [&'static [&'static str]] {
        &[]
    }

    /// Looks at the set-up at the platform and puts right what it may. The first state is null.
    fn trial(&self) -> Option<&dyn Steps<Trial>> {
        None
    }

    /// Whether it can be told by program that somebody was erased.
    fn takes_erasures(&self) -> bool {
        false
    }

    /// The requests that tell it, which may be repeated; none where the settings do not allow one.
    fn erasures(&self, _erased: &Erased, _settings: &Settings, _now: Time) -> Vec<Request> {
        Vec::new()
    }
}

/// Somebody who was erased, as a destination that had heard of them needs to know it.
#[derive(Debug)]
pub struct Erased<'a> {
    pub emails: &'a [String],
    pub phones: &'a [String],
    pub customer_ids: &'a [String],
    /// As they were named to the destination.
    pub conversions: &'a [String],
    pub event_ids: &'a [String],
    pub at: Time,
    /// Of the erasure: the same for every try.
    pub number: i64,
}

pub fn find(slug: &str) -> Option<&'static dyn Destination> {
    ALL.iter().copied().find(|d| d.about().slug == slug)
}
