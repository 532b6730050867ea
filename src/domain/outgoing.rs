//! One conversion as a destination may see it: consent is already applied, what may not leave is not in it.

use serde::{Deserialize, Serialize};

use super::campaign::ClickKind;
use super::conversion::ConversionKind;
use super::money::Money;
use super::person::{Email, Phone};
use super::pipeline::Stage;
use super::time::Time;

/// Built at send time from what is stored then, never kept.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub conversion: String,
    pub kind: ConversionKind,
    /// Name of a custom conversion.
    pub name: Option<String>,
    /// Set where a lead is told of that has reached this stage; `event_id`, time and amount are then those of the change.
    pub stage: Option<Stage>,
    /// Money of a sale goes back; `event_id`, time and amount are then those of the refund.
    pub is_refund: bool,
    /// Money of a sale counts again that had gone back; `event_id`, time and amount are then those of that change.
    pub is_again: bool,
    /// Stable for ever: the platform drops a repeat by it.
    pub event_id: String,
    /// Event id of the conversion itself, also where a refund or a change of it is told.
    pub subject: String,
    pub mode: Mode,
    pub happened_at: Time,
    pub amount: Option<Money>,
    /// What is left of a sale after all that has gone back.
    pub left: Option<Money>,
    /// The order's or lead's own id as the shop writes it.
    pub external_id: String,
    pub form_type: Option<String>,
    pub items: Vec<Item>,
    pub coupons: Vec<String>,
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub postcode: Option<String>,
    pub country: Option<String>,
    /// The shop's own id of the customer.
    pub customer_id: Option<String>,
    pub visit: Option<Visit>,
    pub site_domain: String,
    pub consent: ConsentSent,
    /// Credited source under the site's model, for destinations that are the owner's own.
    pub credited: Option<Credited>,
    pub match_type: String,
}

/// The visitor's browser, where the conversion was matched to one.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// Opaque and stable per browser: keyed digest of the session, not the cookie.
    pub visitor: String,
    pub started_at: Option<Time>,
    pub page_url: Option<String>,
    pub referrer: Option<String>,
    pub user_agent: Option<String>,
    pub address: Option<String>,
    pub ga_client_id: Option<String>,
    pub ga_session_id: Option<String>,
    pub fbc: Option<String>,
    pub fbp: Option<String>,
    /// Newest first, each with the time of its landing.
    pub clicks: Vec<(ClickKind, String, Time)>,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Item {
    pub id: String,
    pub name: Option<String>,
    pub quantity: i64,
    pub price: Option<Money>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentSent {
    /// `true` where the person said yes in words; `false` where the site's rule allowed it.
    pub is_explicit: bool,
}

#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Credited {
    pub source: String,
    pub medium: String,
    pub campaign: Option<String>,
}

/// How a connection delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Built, validated and shown, not sent.
    Shadow,
    /// Sent to the platform's own test mode.
    Test,
    Live,
}

impl Mode {
    pub fn word(self) -> &'static str {
        match self {
            Mode::Shadow => "shadow",
            Mode::Test => "test",
            Mode::Live => "live",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Mode::Shadow, Mode::Test, Mode::Live].into_iter().find(|m| m.word() == text)
    }
}
