//! Which marketing earned a conversion: who it was (`matching`), and how the credit is shared (`models`, `shares`),
//! with a sentence for the owner (`sentence`) and what would have changed the answer (`would_change`).
//! Pure, total, deterministic; only what happened before the conversion is judged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::conversion::ConversionKind;
use super::fact::Stated;
use super::ids::LinkId;
use super::time::Time;
use super::touch::{TouchKind, Touchpoint};

pub mod chat;
mod decay;
pub mod journey;
pub mod markov;
pub mod matching;
pub mod models;
#[cfg(test)]
mod sample;
mod sentence;
pub mod shares;
pub mod window;
mod would_change;

pub use matching::attribute;
pub use models::{Model, weights};
pub use sentence::{source_name, unmatched_reason};
pub use shares::{amounts, basis_points, shares};
pub use window::{Window, is_before, latest_before};
pub use would_change::would_change;

/// How a day is written for the owner, `13 Jun`: zones belong to the site.
pub type DayText<'a> = dyn Fn(Time) -> String + 'a;

/// How a session came to be evidence for a conversion, the strongest first (spec 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The fact carried the browser's signed session id.
    Session,
    /// A short code written into an order, booking or message.
    Code,
    /// The fact carried a click id that landed in this session.
    Click,
    VerifiedEmail,
    VerifiedPhone,
    CustomerId,
    /// A coupon or affiliate code. It names a partner, not a person: the evidence holds the touch of that partner, never
    /// all browsers that ever carried the code.
    Coupon,
    /// Said by a browser, not proved.
    AssertedEmail,
    AssertedPhone,
    /// The sender's own attribution, lowest trust.
    Imported,
}

impl Link {
    /// Says which person or browser it was, beyond what a browser claims of itself.
    pub fn is_proof(self) -> bool {
        self <= Self::CustomerId
    }

    pub fn is_asserted(self) -> bool {
        matches!(self, Self::AssertedEmail | Self::AssertedPhone)
    }
}

/// One browser that may have led to the conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkedSession {
    pub session: i64,
    pub link: Link,
    /// All of its touches, in any order; also those after the conversion, which the rules leave out.
    pub touches: Vec<Touchpoint>,
}

/// Everything known that might explain a conversion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    pub sessions: Vec<LinkedSession>,
    /// What the sender itself said.
    pub stated: Option<Stated>,
}

/// What is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub kind: ConversionKind,
    pub happened_at: Time,
}

/// The site's rules at the time of a run; kept with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub model: Model,
    /// Days before the conversion; none is unlimited.
    pub window_days: Option<u32>,
    /// The same for conversions of one kind, where it differs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub windows: BTreeMap<ConversionKind, Option<u32>>,
    /// A conversation earns credit like any other touch. Off unless the owner chooses so: then it only helps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chat_credit: bool,
}

impl Policy {
    /// Days before a conversion of this kind.
    pub fn window_of(&self, kind: ConversionKind) -> Option<u32> {
        self.windows.get(&kind).copied().unwrap_or(self.window_days)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { model: Model::LastNonDirect, window_days: Some(30), windows: BTreeMap::new(), chat_credit: false }
    }
}

/// How the conversion was matched, in the words of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchType {
    Session,
    Code,
    Click,
    Email,
    Phone,
    CustomerId,
    Coupon,
    Imported,
    Stated,
    None,
}

impl MatchType {
    pub const ALL: [MatchType; 10] = [
        Self::Session,
        Self::Code,
        Self::Click,
        Self::Email,
        Self::Phone,
        Self::CustomerId,
        Self::Coupon,
        Self::Imported,
        Self::Stated,
        Self::None,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Code => "code",
            Self::Click => "click",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CustomerId => "customer_id",
            Self::Coupon => "coupon",
            Self::Imported => "imported",
            Self::Stated => "stated",
            Self::None => "none",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.word() == text)
    }
}

/// A touchpoint as the credit keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "KeptTouch")]
pub struct PathTouch {
    #[serde(flatten)]
    pub touch: Touchpoint,
    pub link: Link,
    /// Of a chat only: the owner lets it earn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub earns: bool,
}

/// The same as it is read: reports read every path of a year, and reading field by field takes a fraction of the time
/// that a flattened struct takes.
#[derive(Deserialize)]
struct KeptTouch {
    session: i64,
    seq: i64,
    at: Time,
    kind: TouchKind,
    source: String,
    medium: String,
    #[serde(default)]
    campaign: Option<String>,
    #[serde(default)]
    term: Option<String>,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    campaign_id: Option<String>,
    #[serde(default)]
    landing: Option<String>,
    #[serde(default)]
    referrer: Option<String>,
    #[serde(default)]
    click: Option<String>,
    #[serde(default)]
    short_link: Option<LinkId>,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    is_direct: bool,
    #[serde(default)]
    is_imported: bool,
    link: Link,
    #[serde(default)]
    earns: bool,
}

impl From<KeptTouch> for PathTouch {
    fn from(k: KeptTouch) -> Self {
        let touch = Touchpoint {
            session: k.session,
            seq: k.seq,
            at: k.at,
            kind: k.kind,
            source: k.source,
            medium: k.medium,
            campaign: k.campaign,
            term: k.term,
            content: k.content,
            campaign_id: k.campaign_id,
            landing: k.landing,
            referrer: k.referrer,
            click: k.click,
            short_link: k.short_link,
            device: k.device,
            is_direct: k.is_direct,
            is_imported: k.is_imported,
        };
        Self { touch, link: k.link, earns: k.earns }
    }
}

/// The result, written once.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit {
    pub match_type: MatchType,
    /// Matched only by what a browser said.
    pub is_asserted: bool,
    /// How strong the tier is, in basis points: an order of trust, not a probability.
    pub confidence_bp: u16,
    /// Touches before the conversion, by time. Those outside a window stay listed; the lens decides.
    pub path: Vec<PathTouch>,
    /// A sentence for the owner.
    pub reason: String,
    /// Weaker links that lead to the same browsers as the one that matched.
    pub also_fits: Vec<Link>,
}
