//! An event as an attribution tracker tells it: anything that somebody did, from a page view to a purchase, with what
//! the tracker knows of where they came from. Kept as it was told; a purchase or a lead is a fact besides.

use serde_json::Value;

use super::fact::{Person, Statement};
use super::money::Money;
use super::time::{DAY_MS, Time};

/// Names that trackers agree on, and the stages that a CRM passes through them. Only these count as steps of a journey;
/// any other name is kept as it is. AnyTrack: <https://readme.anytrack.io/docs/standard-events>
pub const STANDARD: &[&str] = &[
    "Purchase",
    "Lead",
    "CompleteRegistration",
    "FormSubmit",
    "InitiateCheckout",
    "AddToCart",
    "ViewContent",
    "PageView",
    "OutboundClick",
    "AddPaymentInfo",
    "Schedule",
    "Subscribe",
    "Search",
    "CrmLeadCrmLead",
    "DealNew",
    "salesqualifiedlead",
    "marketingqualifiedlead",
    "customer",
];

/// Names by which somebody makes themselves known: of these contacts are made and counted.
pub const OF_CONTACTS: &[&str] = &["Lead", "CompleteRegistration", "FormSubmit", "Purchase"];

/// For how long a click may explain a later lead that names no ad of its own.
pub const INHERITED_MS: i64 = 30 * DAY_MS;

#[derive(Debug, Clone)]
pub struct TrackerEvent {
    /// The tracker's slug; with id and name it is the event's key.
    pub source: String,
    pub event_id: String,
    pub name: String,
    pub happened_at: Time,
    /// Readable, for the contact and for finding visits. The event itself keeps `hashed`.
    pub person: Person,
    pub hashed: HashedPerson,
    /// The tracker's own word for the browser.
    pub client: Option<String>,
    /// What it was worth; none where nothing was said.
    pub value: Option<Money>,
    /// What the documents call `custom` and `meta`, as they print them.
    pub custom: Value,
    pub meta: Value,
    pub campaign: Campaign,
    pub ad: Ad,
    /// Digest of the whole event: the same key with another one has changed.
    pub content: [u8; 32],
    /// Set where it is a sale or a lead.
    pub fact: Option<Statement>,
}

/// Hex of SHA-256 over the normalised value, as the documents name the fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HashedPerson {
    pub em: Option<String>,
    pub ph: Option<String>,
    pub given: Option<String>,
    pub family: Option<String>,
    /// The sender's own number for the person, as it is.
    pub external_id: Option<String>,
}

/// Where the tracker says that it came from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Campaign {
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub term: Option<String>,
    pub content: Option<String>,
    pub referrer: Option<String>,
    /// The address of the landing page.
    pub landing: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ad {
    pub ad: Option<String>,
    pub adset: Option<String>,
    pub campaign: Option<String>,
    pub ad_name: Option<String>,
    pub adset_name: Option<String>,
}

impl TrackerEvent {
    pub fn is_standard(&self) -> bool {
        STANDARD.contains(&self.name.as_str())
    }

    /// It makes a contact, and counts for one.
    pub fn is_of_contact(&self) -> bool {
        OF_CONTACTS.contains(&self.name.as_str()) && (self.person.email.is_some() || self.person.phone.is_some())
    }
}
