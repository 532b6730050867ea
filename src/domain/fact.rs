//! Anything that happened elsewhere, as a source tells it. Sources make these; intake stores them.

use serde_json::Value;

use super::conversion::{ConversionKind, Rank};
pub use super::message::{Message, Role, Said};
use super::money::Money;
use super::outgoing::Item;
use super::person::{Email, Phone};
use super::time::Time;

#[derive(Debug, Clone)]
pub enum Fact {
    Lead(Lead),
    Order(Order),
    /// A sale, lead or sign-up told without an order: a conversions API, a payment, AnyTrack.
    Statement(Statement),
    /// Something said in a chat, or who the person of one is.
    Message(Message),
}

/// Who it was, as far as the fact says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Person {
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company: Option<String>,
    pub customer_id: Option<String>,
    pub city: Option<String>,
    pub postcode: Option<String>,
    pub country: Option<String>,
    pub address: Option<String>,
}

/// What ties the fact to a visit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traces {
    /// The signed session id as the form or order carried it.
    pub session: Option<String>,
    pub click_ids: Vec<String>,
    pub coupons: Vec<String>,
    pub affiliate: Option<String>,
    /// What the sender itself says of the source (`utm_source` in a form, `source` of the conversions API).
    pub stated: Option<Stated>,
    /// The fact's own word on marketing consent.
    pub consent_given: Option<bool>,
    pub user_agent: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stated {
    pub source: String,
    pub medium: Option<String>,
    pub campaign: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Lead {
    /// The sender's own id; none where it has none.
    pub external_id: Option<String>,
    /// The sender's platform word: `forms`, `typeform`.
    pub source: String,
    pub happened_at: Time,
    pub person: Person,
    pub traces: Traces,
    pub message: Option<String>,
    pub form_type: String,
    pub value: Option<Money>,
    pub custom_fields: Value,
    pub url: Option<String>,
    /// SHA-256 over what the visitor wrote: a lead without an id is the same within 24 h.
    pub content_key: [u8; 32],
    pub is_imported: bool,
}

#[derive(Debug, Clone)]
pub struct Order {
    pub external_id: String,
    pub order_number: String,
    pub platform: String,
    pub rank: Rank,
    pub happened_at: Time,
    pub modified_at: Time,
    pub person: Person,
    pub traces: Traces,
    pub total: Money,
    pub status: OrderStatus,
    pub raw_status: String,
    pub is_test: bool,
    pub items: Vec<Item>,
    pub is_imported: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    Draft,
    Pending,
    Paid,
    Cancelled,
    Refunded,
}

impl OrderStatus {
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::Pending, Self::Paid, Self::Cancelled, Self::Refunded].into_iter().find(|s| s.word() == text)
    }

    /// Nothing is left of the sale.
    pub fn is_reversed(self) -> bool {
        matches!(self, Self::Cancelled | Self::Refunded)
    }
}

#[derive(Debug, Clone)]
pub struct Statement {
    pub external_id: String,
    pub platform: String,
    pub rank: Rank,
    pub kind: ConversionKind,
    /// Name of a custom conversion.
    pub name: Option<String>,
    pub order_id: Option<String>,
    pub happened_at: Time,
    pub person: Person,
    pub traces: Traces,
    pub amount: Option<Money>,
    pub items: Vec<Item>,
    pub detail: Value,
    pub is_imported: bool,
}
