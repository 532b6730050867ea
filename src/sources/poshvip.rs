//! Posh (posh.vip): tickets sold, refunded and given back. Posh cannot be read, it only calls.
//! <https://university.posh.vip/university/post/a-guide-to-webhooks-at-posh>
//!
//! It signs nothing: the header `Posh-Secret` holds the secret itself. Amounts come without a currency, and an order's number is
//! unique within its event alone.

use serde_json::{Value, json};

use super::kit::answers::Answers;
use super::kit::{self, Verified, first_text, text};
use super::{Batch, Heard, Home, Reject, Source, Webhook};
use crate::crypto::Secret;
use crate::domain::campaign::{MAX_TEXT, Utm, clean_text};
use crate::domain::conversion::Rank;
use crate::domain::coupon;
use crate::domain::fact::{ByHand, Fact, Milestone, Order, OrderStatus, Traces};
use crate::domain::money::{Currency, Money};
use crate::domain::outgoing::Item;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::time::Time;
use crate::wire::Incoming;

pub struct PoshVip;

/// What Posh counts in where its owner has said nothing.
const USUAL_CURRENCY: &str = "USD";
const MOST_ITEMS: usize = 200;

static ABOUT: About = About {
    slug: "poshvip",
    name: "Posh",
    purpose: "tells which tickets were sold and refunded",
    fields: &[
        Field {
            key: "secret",
            label: "Secret",
            help: "The Posh-Secret of the webhook. Leave it empty and one is made for you, to be entered at Posh.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: "currency",
            label: "Currency",
            help: "What your tickets are sold in: Posh does not say it. Left empty it is USD.",
            kind: FieldKind::Currency,
            is_required: false,
        },
    ],
    steps: &[
        "At Posh open your organization's settings, Webhooks, and add one with the address of this connection for new and updated orders.",
        "Enter the same secret here and there.",
        "Give each of your links its own tracking link at Posh: its name is where a buyer came from.",
        "Buy a ticket yourself and look for it under Conversions.",
    ],
    docs_url: "https://university.posh.vip/university/post/a-guide-to-webhooks-at-posh",
    receives: true,
    pulls: false,
    sends: false,
    own_secret: Some("secret"),
};

impl Source for PoshVip {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn brings(&self) -> (&'static str, &'static str) {
        ("Tickets", "Ticket tracking")
    }
}

impl Webhook for PoshVip {
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, _: Time) -> Result<Verified<'a>, Reject> {
        let live: Vec<Secret> = secrets.all("secret").iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        let claimed = got.headers.only("posh-secret").filter(|c| !c.is_empty()).ok_or(Reject::BadSignature)?;
        let content_type = got.headers.get("content-type").unwrap_or_default();
        Verified::by_shared_secret(&live, claimed, got.body, content_type).ok_or(Reject::BadSignature)
    }

    fn parse(&self, body: &Verified<'_>, settings: &Settings, home: &Home) -> Result<Heard, Reject> {
        let told = kit::object(body.body())?;
        match text(&told, "type").as_deref() {
            Some("new_order" | "order_updated") => {}
            // An order that waits for its organiser has not been paid.
            Some(_) => return Ok(kit::ignored()),
            None => return Err(kit::missing("type")),
        }
        Ok(Heard::Facts(Batch::of(read(&told, settings, home)?)))
    }
}

fn read(told: &Value, settings: &Settings, home: &Home) -> Result<Vec<Fact>, Reject> {
    let event = text(told, "event_id").ok_or_else(|| kit::missing("event_id"))?;
    let number = text(told, "order_number").ok_or_else(|| kit::missing("order_number"))?;
    let external_id = clean_text(&format!("{event}-{number}"), MAX_TEXT);
    let word = text(told, "currency").unwrap_or_else(|| settings.get("currency").unwrap_or(USUAL_CURRENCY).to_owned());
    let bad = |field: &str| Reject::BadField {
        field: field.into(),
        code: "invalid_amount",
        sentence: format!("{field} must be a decimal like 12.50 of {word}."),
    };
    let currency = Currency::parse(&word).ok_or_else(|| bad("currency"))?;
    let total: Money = kit::decimal(told, "total", currency).ok_or_else(|| bad("total"))?;
    // All that went back so far, however often something did.
    let back = match told.get("partialRefund") {
        None | Some(Value::Null | Value::Bool(_)) => None,
        Some(_) => Some(kit::decimal(told, "partialRefund", currency).ok_or_else(|| bad("partialRefund"))?),
    };
    let at = kit::time(told, &["date_purchased"]).map_or(home.now, |at| at.min(home.now));
    let modified_at = kit::time(told, &["update_date"]).map_or(at, |at| at.min(home.now)).max(at);
    let is = |key: &str| told[key] == Value::Bool(true);
    // The buyer's bank holds the money until it has decided: it is gone meanwhile, and back once it is told as disputed no more.
    let (status, raw_status) = match (is("refunded"), is("cancelled"), is("disputed")) {
        (true, ..) => (OrderStatus::Refunded, "refunded"),
        (false, true, _) => (OrderStatus::Cancelled, "cancelled"),
        (false, false, true) => (OrderStatus::Refunded, "disputed"),
        _ => (OrderStatus::Paid, "paid"),
    };
    let mut who = Answers::default();
    for (meaning, key) in
        [("email", "account_email"), ("phone", "account_phone"), ("firstname", "account_first_name"), ("lastname", "account_last_name")]
    {
        who.known(meaning, key, told[key].clone());
    }
    for field in told["custom_fields"].as_array().into_iter().flatten() {
        who.add(&first_text(field, &["prompt", "label"]).unwrap_or_default(), field["answer"].clone());
    }
    let person = who.person(home);
    let link = text(told, "tracking_link").map(|link| clean_text(&link, MAX_TEXT));
    let utm = Utm { source: link, ..who.utm() };
    let coupons = coupon::codes(text(told, "promo_code").map(|code| clean_text(&code, MAX_TEXT)));
    let traces = Traces { coupons, ..who.traces(&utm) };
    // Each telling shows the whole order as it is: that it stands, or stands no more.
    let step = |kind: &str, happened_at: Time| {
        Fact::Milestone(Milestone {
            external_id: Some(external_id.clone()),
            source: ABOUT.slug.into(),
            kind: kind.into(),
            happened_at,
            told_at: Some(modified_at),
            person: person.clone(),
            traces: Traces { session: traces.session.clone(), consent_given: traces.consent_given, ..Traces::default() },
            utm: utm.clone(),
            referrer: None,
            data: json!({
                "event": text(told, "event_name").map(|name| clean_text(&name, MAX_TEXT)), "tickets": told["items"].as_array().map(Vec::len),
                "total": total.decimal(), "currency": currency,
            }),
            metadata: json!({"event_id": event, "order_number": number}),
            by_hand: ByHand::default(),
            is_imported: false,
        })
    };
    let is_over = status.is_reversed() && raw_status != "disputed";
    let mut facts = vec![step(if total.minor == 0 { "event_registered" } else { "ticket_purchased" }, at)];
    if is_over {
        facts.push(step("appointment_cancelled", modified_at));
    }
    if total.minor == 0 {
        return Ok(facts);
    }
    if is_over {
        facts.push(step("refunded", modified_at));
    }
    facts.insert(
        0,
        Fact::Order(Order {
            modified_at,
            ended_at: status.is_reversed().then_some(modified_at),
            person: person.clone(),
            traces: traces.clone(),
            status,
            raw_status: raw_status.into(),
            items: items(told, currency),
            refunded_so_far: back.filter(|_| !status.is_reversed()),
            ..Order::paid(ABOUT.slug, Rank::Shop, external_id.clone(), at, total)
        }),
    );
    Ok(facts)
}

/// One row a ticket: those of a kind and price are one line.
fn items(told: &Value, currency: Currency) -> Vec<Item> {
    let mut lines: Vec<Item> = Vec::new();
    for row in told["items"].as_array().into_iter().flatten().take(MOST_ITEMS) {
        let Some(id) = first_text(row, &["item_id", "name"]).map(|id| clean_text(&id, MAX_TEXT)) else { continue };
        let price = kit::decimal(row, "price", currency);
        match lines.iter_mut().find(|line| line.id == id && line.price == price) {
            Some(line) => line.quantity += 1,
            None => lines.push(Item { id, name: text(row, "name").map(|n| clean_text(&n, MAX_TEXT)), quantity: 1, price }),
        }
    }
    lines
}
