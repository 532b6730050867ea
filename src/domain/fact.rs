//! Anything that happened elsewhere, as a source tells it. Sources make these; intake stores them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::conversion::{ConversionKind, Rank};
pub use super::message::{Message, Role, Said};
pub use super::milestone::{ByHand, Enrolment, Milestone};
use super::money::Money;
use super::outgoing::Item;
use super::person::{Email, Phone};
use super::pipeline::Stage;
use super::time::Time;
pub use super::tracker::TrackerEvent;

#[derive(Debug, Clone)]
pub enum Fact {
    Lead(Lead),
    Order(Order),
    /// Money that goes back, told without the order that it belongs to. It may come before that order.
    Refund(OrderRefund),
    /// The shop has thrown an order away and says no more than which. It too may come before the order.
    Deletion(OrderDeletion),
    /// A sale, lead or sign-up told without an order: a conversions API, a payment, AnyTrack.
    Statement(Statement),
    /// Something said in a chat, or who the person of one is.
    Message(Message),
    /// A platform of the people who sell says how far a lead has come.
    Progress(Progress),
    /// A step on the way to becoming a customer.
    Milestone(Milestone),
    /// Somebody became a user of the owner's own product.
    Enrolment(Enrolment),
    /// Anything that a tracker has seen; a sale or a lead stands inside it.
    Event(Box<TrackerEvent>),
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
    /// The country to which the goods go, where the sender says so.
    pub sent_to: Option<String>,
}

/// What ties the fact to a visit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traces {
    /// The signed session id as the form or order carried it.
    pub session: Option<String>,
    pub click_ids: Vec<String>,
    /// What looks like a short code in a note, an answer or a message. It counts only where a page has shown it.
    pub codes: Vec<String>,
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
    /// The shop's own id, the same in each telling; `platform` is put in front where one door brings several shops.
    pub external_id: String,
    pub order_number: String,
    pub platform: String,
    pub rank: Rank,
    /// When it was first paid, else when it was made.
    pub happened_at: Time,
    /// A telling with an earlier time never moves the state of the order back.
    pub modified_at: Time,
    /// When it was cancelled or refunded, where the shop says so; else that is `modified_at` of the first telling of it.
    pub ended_at: Option<Time>,
    pub person: Person,
    pub traces: Traces,
    /// What the buyer pays, tax and shipping in it. Never less because of a refund: refunds come off by themselves.
    pub total: Money,
    /// Parts of the total, where the shop tells them.
    pub tax: Option<Money>,
    pub shipping: Option<Money>,
    /// What was taken off before the total was made; not a part of it.
    pub discount: Option<Money>,
    pub status: OrderStatus,
    pub raw_status: String,
    pub is_test: bool,
    pub items: Vec<Item>,
    /// The refunds that this telling knows of.
    pub refunds: Vec<Refund>,
    /// `refunds` is all there are at `modified_at`: one that is missing has been taken back.
    pub are_refunds_whole: bool,
    /// What went back so far, where the shop tells only the sum: what is new of it becomes a refund of its own, and
    /// `refunds` says nothing. None: the sum is not told.
    pub refunded_so_far: Option<Money>,
    /// The shop's own notes on where the buyer came from, in order of time: kept as imported evidence, the lowest tier.
    pub journey: Vec<ShopTouch>,
    /// Deleted or in the bin at the shop: kept, not counted.
    pub is_gone: bool,
    /// The shop dates a payment, whatever became of the order since: its end may be the first that is heard of it.
    pub was_paid: bool,
    pub is_imported: bool,
}

impl Order {
    /// Paid at a moment, for so much; its number is its id. Nobody and nothing else is known of it: what a sender tells besides
    /// is filled in.
    pub fn paid(platform: &str, rank: Rank, id: String, at: Time, total: Money) -> Self {
        Self {
            order_number: id.clone(),
            external_id: id,
            platform: platform.into(),
            rank,
            happened_at: at,
            modified_at: at,
            ended_at: None,
            person: Person::default(),
            traces: Traces::default(),
            total,
            tax: None,
            shipping: None,
            discount: None,
            status: OrderStatus::Paid,
            raw_status: OrderStatus::Paid.word().into(),
            is_test: false,
            items: Vec::new(),
            refunds: Vec::new(),
            are_refunds_whole: false,
            refunded_so_far: None,
            journey: Vec::new(),
            is_gone: false,
            was_paid: true,
            is_imported: false,
        }
    }

    /// The number by which others know it. A payment that names no order has only its own, which is nobody else's.
    pub fn shared_number(&self) -> Option<&str> {
        let is_own = self.rank == Rank::Payment && self.order_number == self.external_id;
        (!is_own).then_some(&self.order_number)
    }

    /// It was a sale once, or is one.
    pub fn is_sold(&self) -> bool {
        self.was_paid || matches!(self.status, OrderStatus::Paid | OrderStatus::Refunded)
    }

    /// Nothing is left of the sale.
    pub fn is_over(&self) -> bool {
        self.is_gone || self.status.is_reversed()
    }
}

/// Money that goes back to the buyer, in one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Refund {
    /// The shop's own id, the same in each telling.
    pub external_id: String,
    /// Where a telling does not date it: `modified_at` of that telling. Of several tellings the earliest time counts, so
    /// that the exact one, fetched later, corrects the guess.
    pub happened_at: Time,
    /// Positive.
    pub amount: Money,
    pub reason: Option<String>,
}

#[derive(Debug, Clone)]
pub struct OrderRefund {
    pub order_external_id: String,
    pub platform: String,
    pub refund: Refund,
}

#[derive(Debug, Clone)]
pub struct OrderDeletion {
    pub order_external_id: String,
    pub platform: String,
    /// When it was thrown away, or when that was heard. An order that was changed later is back.
    pub happened_at: Time,
}

/// One visit as the shop itself has noted it. Empty words and words such as `(direct)` are left out by the source; what
/// the landing page and the referrer say of it is worked out by us.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShopTouch {
    pub at: Option<Time>,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub landing: Option<String>,
    pub referrer: Option<String>,
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
pub struct Progress {
    /// The platform's own id of the deal or contact.
    pub external_id: String,
    /// Event id of the lead, where the platform has it from us; else the newest lead of the person is meant.
    pub subject: Option<String>,
    pub person: Person,
    pub stage: Stage,
    pub value: Option<Money>,
    pub happened_at: Time,
    /// Says only that somebody has come at least so far.
    pub is_forward_only: bool,
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
