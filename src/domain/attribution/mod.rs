//! Which marketing earned a conversion: who it was (`matching`), and how the credit is shared (`models`).
//! Pure, total, deterministic; only what happened before the conversion is judged.

use serde::{Deserialize, Serialize};

use super::conversion::ConversionKind;
use super::fact::Stated;
use super::time::Time;
use super::touch::Touchpoint;

pub mod models;

pub use models::Model;

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
    /// A coupon or affiliate code.
    Coupon,
    /// Said by a browser, not proved.
    AssertedEmail,
    AssertedPhone,
    /// The sender's own attribution, lowest trust.
    Imported,
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
}

impl Default for Policy {
    fn default() -> Self {
        Self { model: Model::LastNonDirect, window_days: Some(30) }
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

/// A touchpoint as the credit keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PathTouch {
    #[serde(flatten)]
    pub touch: Touchpoint,
    pub link: Link,
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
    /// Weaker links that would have found the same browsers.
    pub also_fits: Vec<Link>,
}
