//! Inbound platforms: one pure file each. They check a signature and turn bytes into facts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::crypto::Secret;
use crate::domain::fact::Fact;
use crate::domain::platform::{About, Secrets, Settings};
use crate::domain::steps::{Steps, Talk, Token};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::Error;
use crate::wire::{Incoming, Response};

pub mod anytrack;
pub mod calcom;
mod calendly;
pub mod chatwoot;
pub mod crisp;
mod easyappointments;
mod eventbrite;
pub mod forms;
mod hubspot;
pub mod kit;
mod metaleads;
mod poshvip;
mod shopify;
mod stripe;
pub mod tawk;
mod typeform;
pub mod woocommerce;
mod zoom;

pub use kit::Verified;
/// How wishes begin that only the owner can answer.
pub use shopify::{ASKS_FOR_DATA, ASKS_FOR_SHOP};

/// Every source, in the order of the alphabet.
pub static ALL: &[&dyn Source] = &[
    &anytrack::AnyTrack,
    &calcom::CalCom,
    &calendly::Calendly,
    &chatwoot::Chatwoot,
    &crisp::Crisp,
    &easyappointments::EasyAppointments,
    &eventbrite::Eventbrite,
    &forms::Forms,
    &hubspot::HubSpot,
    &metaleads::MetaLeads,
    &poshvip::PoshVip,
    &shopify::Shopify,
    &stripe::Stripe,
    &tawk::Tawk,
    &typeform::Typeform,
    &woocommerce::WooCommerce,
    &zoom::Zoom,
];

pub trait Source: Sync {
    fn about(&self) -> &'static About;

    /// What can be seen to be wrong with the set-up before anything is sent, with its remedy; empty fields are
    /// `About::missing`'s affair.
    fn check(&self, _settings: &Settings, _secrets: &Secrets) -> Result<(), Error> {
        Ok(())
    }

    /// The token that requests of a pull, a fetch or a registration need, where the credentials only buy one that expires.
    /// `secrets` only tell which there are: their values are put in when it is asked for.
    fn token(&self, _settings: &Settings, _secrets: &Secrets) -> Option<Token> {
        None
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        None
    }

    /// Reads the platform's own list. The first state is `Since` as JSON.
    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        None
    }

    /// How long after a pull the next one begins.
    fn pull_every_ms(&self) -> i64 {
        HOUR_MS
    }

    /// When it is pulled where its owner has said nothing, in five fields of cron; else after so long.
    fn pull_schedule(&self) -> Option<&'static str> {
        None
    }

    /// What its list holds, and what hearing of it at once is called, as its owner is told.
    fn brings(&self) -> (&'static str, &'static str) {
        ("Orders", "Purchase tracking")
    }

    /// Reads what a body has only named, right after it was stored. The first state is `Named` as JSON.
    fn fetch(&self) -> Option<&dyn Steps<Fetch>> {
        None
    }

    /// Puts our hooks into the platform. The first state is null.
    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        None
    }

    /// Destinations that the platform tells of its conversions by itself, as the owner says: they are not told twice.
    fn tells_itself(&self, _settings: &Settings) -> &'static [&'static str] {
        &[]
    }

    /// A body that the owner can send to the hook's address to try it.
    fn trial(&self) -> Option<&'static str> {
        None
    }

    /// Its bodies hold what people said to each other: kept without the words unless the owner says otherwise.
    fn holds_talk(&self) -> bool {
        false
    }
}

pub trait Webhook: Sync {
    /// A call that proves nothing, is trusted for nothing and only wants a plain answer: the ping of a new hook. Asked
    /// before `verify`; nothing is stored or counted.
    fn greet(&self, _got: &Incoming<'_>) -> Option<Response> {
        None
    }

    /// Whether the sender calls itself the shop of these settings. On the kept paths, which all shops share, this says
    /// where to look first; the signature decides.
    fn is_named(&self, _got: &Incoming<'_>, _settings: &Settings) -> bool {
        false
    }

    /// The connection's secrets that `verify` knows the sender by. One that is typed anew takes the place of another only after a
    /// while in which both are good.
    fn secrets(&self) -> &'static [&'static str] {
        &["secret"]
    }

    /// Checks the raw bytes in constant time against every live secret.
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, now: Time) -> Result<Verified<'a>, Reject>;

    /// A body that only asks whether we hold the secret, and its answer. Asked after `verify`; nothing is stored.
    fn challenge(&self, _body: &Verified<'_>, _secrets: &Secrets) -> Option<Response> {
        None
    }

    /// It sends lists in which each item stands by itself and is answered with counts; what cannot be read at all is refused.
    fn is_counted(&self) -> bool {
        false
    }

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
    /// Each item of a body that is answered with counts, in its order: its fact, or what is wrong with it.
    Each(Vec<Result<Fact, Problem>>),
    /// An answer to a challenge; nothing is stored.
    Reply(Response),
    /// The body carried only ids; the facts are fetched by a job.
    Fetch(Vec<String>),
    /// The platform has thrown us out: the connection pauses with this sentence, which says the remedy.
    Farewell(String),
    /// The platform passes on that somebody is to be forgotten. Nothing of the body is kept.
    Erasure(Whom),
    /// Something that only the owner can do: the body is kept and shown with this sentence.
    ForOwner(String),
}

/// A person as a platform names them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Whom {
    pub email: Option<String>,
    pub phone: Option<String>,
    /// The platform's own ids of their orders.
    pub orders: Vec<String>,
}

/// Facts, and what was wrong with single items; one bad item never loses the others.
#[derive(Debug, Default)]
pub struct Batch {
    pub facts: Vec<Fact>,
    pub problems: Vec<Problem>,
    /// What these facts leave open, in the source's own words: its `fetch` reads it right after.
    pub fetch: Vec<String>,
    /// Of a platform that does not say what it has taken away: everything that it holds now.
    pub whole: Option<Whole>,
    /// How single things stand now, where that makes untrue what was told of them before.
    pub standing: Vec<Standing>,
}

/// Of a thing that a platform shows as it is now: the steps that it has not taken, or has taken back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    pub external_id: String,
    pub not: Vec<&'static str>,
}

/// Everything of a kind that a platform holds from a moment on, by its ids. What we know beside them has been taken away.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Whole {
    /// The step that each of them is, and the step that its end is.
    pub kind: &'static str,
    pub end: &'static str,
    /// Those that begin then or later.
    pub since: Time,
    /// Those whose ids begin so; all where it is empty.
    pub within: String,
    /// When it began to be read: what was told since then may be missing on it.
    pub begun_at: Time,
    pub ids: Vec<String>,
}

impl Batch {
    pub fn of(facts: Vec<Fact>) -> Self {
        Self { facts, ..Self::default() }
    }
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

/// A fetch on a schedule: hands over facts page by page, ends with the window it has seen whole. What it yields is
/// committed together with the state behind it, so that a crash goes on there; windows overlap and repeats are harmless.
#[derive(Debug)]
pub struct Pull;

impl Talk for Pull {
    type Yield = Batch;
    type Outcome = Window;
    type Ground = Home;
}

/// The first state of a pull. All that was changed at `from` or later is wanted, so that the source puts its own overlap
/// on top; `from` is `Window::to` of the last pull, and for the first one as far back as the owner wants history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Since {
    pub from: Time,
    pub is_first: bool,
}

/// From when to when the other side's list was read to its end. `to` is the newest change that was seen, by the other
/// side's clock, or `from` where nothing was new.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    pub from: Time,
    pub to: Time,
}

/// Reads single things by what a batch or a body called them.
#[derive(Debug)]
pub struct Fetch;

impl Talk for Fetch {
    type Yield = Batch;
    type Outcome = ();
    type Ground = Home;
}

/// The first state of a fetch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    pub refs: Vec<String>,
}

/// Registering our hook with a platform: ends with what was learned. `Fail` says what is wrong and the remedy: `Pause`
/// where the credentials or the address are at fault, `Retry` where the other side cannot be reached now.
#[derive(Debug)]
pub struct Provision;

impl Talk for Provision {
    type Yield = std::convert::Infallible;
    type Outcome = Registered;
    type Ground = Ground;
}

/// What a registration is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ground {
    pub wish: Wish,
    /// Where the platform is to call.
    pub hook_url: String,
    /// Hooks that point here or below are ours from before: they are adopted.
    pub kept_url: String,
    /// Topic and the platform's id, of the hooks that hold our present address and secret. One that is not named here is
    /// given both anew.
    pub known: Vec<(String, String)>,
    /// Keys of the secrets that are filled in: without some of them live updates could not be checked.
    #[serde(default)]
    pub secrets: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Only the read call that proves the credentials; ends without hooks.
    Probe,
    /// Every topic once, active, with our address and secret, and none twice. Repeating it changes nothing.
    Register,
    /// Only tells what is there.
    Look,
    /// Takes ours away; those that are gone already count as taken away.
    Remove,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Registered {
    /// Ours, as they stand in the platform now, that of a new order first.
    pub hooks: Vec<Hook>,
    /// What the owner should know, in sentences: what live updates need, what the credentials may not do.
    pub notes: Vec<String>,
    /// Settings that the platform has told: its currency, its zone, its own name. Those that the owner typed stay.
    pub learned: BTreeMap<String, String>,
    /// Secrets that the platform has made and tells this once, by the key under which they are kept.
    #[serde(skip)]
    pub secrets: Vec<(String, Secret)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    pub topic: String,
    pub id: String,
    pub is_active: bool,
    pub found: Found,
}

/// How a hook was found before anything was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    InPlace,
    /// It was not there; it has been made. Whether it had been there before is known by us.
    Made,
    /// One of ours from before, or with another address or secret.
    Adopted,
    /// The platform had switched it off.
    SwitchedOff,
}

pub fn find(slug: &str) -> Option<&'static dyn Source> {
    ALL.iter().copied().find(|s| s.about().slug == slug)
}
