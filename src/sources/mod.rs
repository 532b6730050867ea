//! Inbound platforms: one pure file each. They check a signature and turn bytes into facts.

use crate::domain::fact::Fact;
use crate::domain::platform::{About, Secrets, Settings};
use crate::domain::steps::{Steps, Talk};
use crate::domain::time::Time;
use crate::wire::{Incoming, Response};

pub mod chatwoot;
pub mod crisp;
pub mod forms;
pub mod kit;
pub mod tawk;

pub use kit::Verified;

/// Every source, in the order of the alphabet.
pub static ALL: &[&dyn Source] = &[&chatwoot::Chatwoot, &crisp::Crisp, &forms::Forms, &tawk::Tawk];

pub trait Source: Sync {
    fn about(&self) -> &'static About;

    fn webhook(&self) -> Option<&dyn Webhook> {
        None
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        None
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        None
    }

    /// Its bodies hold what people said to each other: kept without the words unless the owner says otherwise.
    fn holds_talk(&self) -> bool {
        false
    }
}

pub trait Webhook: Sync {
    /// Checks the raw bytes in constant time against every live secret.
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, now: Time) -> Result<Verified<'a>, Reject>;

    /// `home` is what the site lends where the body is silent: currency, country for phone numbers, zone.
    fn parse(&self, body: &Verified<'_>, settings: &Settings, home: &Home) -> Result<Heard, Reject>;
}

/// What the site lends to a parser.
#[derive(Debug, Clone)]
pub struct Home {
    pub currency: crate::domain::money::Currency,
    pub country: Option<String>,
    pub zone: crate::domain::time::Zone,
    pub now: Time,
}

#[derive(Debug)]
pub enum Heard {
    Facts(Batch),
    /// An answer to a challenge; nothing is stored.
    Reply(Response),
    /// The body carried only ids; the facts are fetched by a job.
    Fetch(Vec<String>),
}

/// Facts, and what was wrong with single items; one bad item never loses the others.
#[derive(Debug, Default)]
pub struct Batch {
    pub facts: Vec<Fact>,
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub item: usize,
    pub field: Option<String>,
    pub code: &'static str,
    pub sentence: String,
}

/// Why a body is not taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Reject {
    /// Wrong or missing signature.
    BadSignature,
    /// Signed too long ago, or in the future.
    StaleSignature,
    /// Not the format it should be; the sentence says where.
    BadBody(String),
    /// Well-formed, but a field cannot be taken.
    BadField { field: String, code: &'static str, sentence: String },
}

/// A fetch on a schedule: hands over facts page by page, ends with the window it has seen whole.
#[derive(Debug)]
pub struct Pull;

impl Talk for Pull {
    type Yield = Batch;
    type Outcome = Window;
}

/// From when to when the other side's list was read to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    pub from: Time,
    pub to: Time,
}

/// Registering our hook with a platform: ends with what was learned.
#[derive(Debug)]
pub struct Provision;

impl Talk for Provision {
    type Yield = std::convert::Infallible;
    type Outcome = Registered;
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Registered {
    /// Topic and the platform's id of the hook.
    pub hooks: Vec<(String, String)>,
}

pub fn find(slug: &str) -> Option<&'static dyn Source> {
    ALL.iter().copied().find(|s| s.about().slug == slug)
}
