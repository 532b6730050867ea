//! A payment, out of a checkout session, a charge or an invoice. All three name it by its payment intent, so that it is one
//! whoever tells of it. <https://docs.stripe.com/api/checkout/sessions/object>, <https://docs.stripe.com/api/charges/object>

use serde_json::Value;

use super::{SLUG, amount, is_id, refund};
use crate::domain::campaign::{ClickKind, MAX_TEXT, clean_text, normal_source};
use crate::domain::conversion::Rank;
use crate::domain::coupon;
use crate::domain::fact::{Order, Person, Refund, Stated, Traces};
use crate::domain::money::Money;
use crate::domain::person::{Email, Name, Phone};
use crate::domain::time::Time;
use crate::sources::kit::{self, first_text, text};
use crate::sources::{Home, Reject};

/// Where a shop leaves its own number of the order. WooCommerce's and other plug-ins write the first.
const ORDER: &[&str] = &["order_id", "order_number", "orderId", "orderNumber", "order", "Order ID"];
/// Where a page leaves the visit.
const SESSION: &[&str] = &["halo_session_id", "_halo_session", "halo_session", "_halo"];
const COUPON: &[&str] = &["coupon", "coupon_code", "promo_code", "discount_code"];
/// Longest session id that is looked at; ours are shorter.
const MAX_SESSION: usize = 512;

/// What a checkout session comes to.
pub enum Session {
    Paid(Box<Order>),
    /// Paid by way of this invoice.
    Invoiced(String),
    /// Nothing was paid, or not yet.
    Unpaid,
}

/// An id that stands in a field plainly, or as the object itself.
pub fn id_of(object: &Value, key: &str) -> Option<String> {
    let value = object.get(key)?;
    text(object, key).or_else(|| text(value, "id")).filter(|id| is_id(id))
}

pub fn of_session(session: &Value, paid_at: Time, home: &Home) -> Result<Session, Reject> {
    let id = text(session, "id").ok_or_else(|| kit::missing("id"))?;
    if text(session, "payment_status").as_deref() != Some("paid") {
        return Ok(Session::Unpaid);
    }
    match (text(session, "mode").as_deref(), id_of(session, "invoice")) {
        (Some("subscription"), Some(invoice)) => return Ok(Session::Invoiced(invoice)),
        (Some("setup"), _) => return Ok(Session::Unpaid),
        _ => {}
    }
    let total = amount::at(session, "amount_total")?;
    if total.minor == 0 {
        return Ok(Session::Unpaid);
    }
    let part = |key: &str| amount::maybe(&session["total_details"][key], total.currency).filter(|m| m.minor > 0);
    let known = Known {
        payers: vec![&session["customer_details"], &session["collected_information"]["shipping_details"]],
        metadata: vec![&session["metadata"]],
        session: Some(session),
        email: text(session, "customer_email"),
        customer: id_of(session, "customer"),
    };
    let order = Order {
        tax: part("amount_tax"),
        shipping: part("amount_shipping"),
        discount: part("amount_discount"),
        ..known.order(id_of(session, "payment_intent").unwrap_or(id), total, paid_at, session, home)
    };
    Ok(Session::Paid(Box::new(order)))
}

/// `paid_at` where an event has said when it was paid: money that takes days is charged when it is asked for. None: it was
/// not paid, or not yet taken.
pub fn of_charge(
    charge: &Value,
    session: Option<&Value>,
    disputes: Option<&Value>,
    paid_at: Option<Time>,
    home: &Home,
) -> Result<Option<Order>, Reject> {
    let id = text(charge, "id").ok_or_else(|| kit::missing("id"))?;
    let is_paid = text(charge, "status").as_deref() == Some("succeeded") && charge["captured"] != Value::Bool(false);
    if !is_paid {
        return Ok(None);
    }
    let captured = amount::at(charge, "amount_captured").ok().filter(|m| m.minor > 0);
    let total = match captured {
        Some(total) => total,
        None => amount::at(charge, "amount")?,
    };
    let made_at = kit::time(charge, &["created"]).map_or(home.now, |at| at.min(home.now));
    let (invoice, customer, nothing) = (&charge["invoice"], &charge["customer"], Value::Null);
    let checkout = session.unwrap_or(&nothing);
    let known = Known {
        payers: vec![&checkout["customer_details"], &charge["billing_details"], customer, &charge["shipping"]],
        metadata: vec![&checkout["metadata"], &charge["metadata"], &invoice["subscription_details"]["metadata"], &invoice["metadata"]],
        session,
        email: text(charge, "receipt_email").or_else(|| text(invoice, "customer_email")),
        customer: id_of(charge, "customer"),
    };
    let (refunds, are_refunds_whole) = back(charge, disputes, home)?;
    // One that came to nothing has changed the charge too.
    let rows = [Some(&charge["refunds"]), disputes].into_iter().flatten().filter_map(|list| list["data"].as_array()).flatten();
    let newest = rows.filter_map(|row| kit::time(row, &["created"])).max();
    let order = known.order(id_of(charge, "payment_intent").unwrap_or(id), total, paid_at.unwrap_or(made_at), charge, home);
    Ok(Some(Order { modified_at: paid_at.max(newest).unwrap_or(made_at).max(made_at).min(home.now), are_refunds_whole, refunds, ..order }))
}

/// One that was paid beside Stripe and only noted there.
pub fn of_invoice(invoice: &Value, paid_at: Option<Time>, home: &Home) -> Result<Option<Order>, Reject> {
    let id = text(invoice, "id").ok_or_else(|| kit::missing("id"))?;
    let total = amount::at(invoice, "amount_paid")?;
    if invoice["paid_out_of_band"] != Value::Bool(true) || total.minor == 0 {
        return Ok(None);
    }
    let at = paid_at.or_else(|| kit::time(&invoice["status_transitions"], &["paid_at"])).unwrap_or(home.now).min(home.now);
    let known = Known {
        payers: vec![],
        metadata: vec![&invoice["metadata"], &invoice["subscription_details"]["metadata"]],
        session: None,
        email: text(invoice, "customer_email"),
        customer: id_of(invoice, "customer"),
    };
    let mut order = known.order(id, total, at, invoice, home);
    let name = text(invoice, "customer_name").map(|n| Name::from_full(&n)).unwrap_or_default();
    (order.person.first_name, order.person.last_name) = (name.first, name.last);
    order.person.phone = text(invoice, "customer_phone").and_then(|p| Phone::parse(&p, home.country.as_deref()));
    Ok(Some(order))
}

/// The buyer's bank asks the money back, or has done so.
pub fn is_disputed(charge: &Value) -> bool {
    charge["disputed"] == Value::Bool(true)
}

/// What has gone back of a charge, refunded or taken by the buyer's bank, and whether that is all there is.
fn back(charge: &Value, disputes: Option<&Value>, home: &Home) -> Result<(Vec<Refund>, bool), Reject> {
    let whole = |list: &'_ Value| list["data"].as_array().filter(|_| list["has_more"] != Value::Bool(true)).cloned();
    // Those that came along stand, though there may be more.
    let refunds = charge["refunds"]["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let are_whole = whole(&charge["refunds"]).is_some();
    let disputes = if is_disputed(charge) { disputes.and_then(whole) } else { Some(Vec::new()) };
    let is_all = are_whole && disputes.is_some();
    let mut all = Vec::new();
    for row in refunds {
        all.extend(refund::read(row, home)?);
    }
    for row in disputes.unwrap_or_default() {
        all.extend(refund::disputed(&row, home)?);
    }
    Ok((all, is_all))
}

/// Where payer and visit stand, the best place first.
/// The country to which the goods go, by a charge, a checkout or an invoice.
fn sent_to(object: &Value) -> Option<String> {
    let all = [&object["shipping"], &object["collected_information"]["shipping_details"], &object["customer_shipping"]];
    all.into_iter().find_map(|to| text(&to["address"], "country")).filter(|c| c.len() == 2)
}

struct Known<'a> {
    payers: Vec<&'a Value>,
    metadata: Vec<&'a Value>,
    session: Option<&'a Value>,
    email: Option<String>,
    customer: Option<String>,
}

impl Known<'_> {
    fn order(&self, external_id: String, total: Money, at: Time, object: &Value, home: &Home) -> Order {
        let number = self.told(ORDER).map(|number| clean_text(&number, MAX_TEXT)).filter(|number| !number.is_empty());
        // What goes back comes off by single refunds.
        let paid = Order::paid(SLUG, Rank::Payment, external_id, at, total);
        Order {
            order_number: number.unwrap_or_else(|| paid.external_id.clone()),
            person: Person { sent_to: sent_to(object), ..self.person(home) },
            traces: self.traces(),
            is_test: object["livemode"] == Value::Bool(false),
            ..paid
        }
    }

    fn told(&self, keys: &[&str]) -> Option<String> {
        self.metadata.iter().find_map(|map| first_text(map, keys))
    }

    fn paid_by(&self, key: &str) -> Option<String> {
        self.payers.iter().find_map(|payer| text(payer, key))
    }

    fn person(&self, home: &Home) -> Person {
        let name = self.paid_by("name").map(|name| Name::from_full(&name)).unwrap_or_default();
        let address = self.payers.iter().map(|payer| &payer["address"]).find(|a| text(a, "country").is_some());
        let part = |key: &str| address.and_then(|a| text(a, key)).map(|t| clean_text(&t, MAX_TEXT));
        let country = part("country").filter(|c| c.len() == 2);
        let emails = self.payers.iter().filter_map(|payer| text(payer, "email")).chain(self.email.clone());
        let phones = self.payers.iter().filter_map(|payer| text(payer, "phone"));
        let dialled = country.as_deref().or(home.country.as_deref());
        Person {
            email: emails.into_iter().find_map(|e| Email::parse(&e)),
            phone: phones.into_iter().find_map(|p| Phone::parse(&p, dialled)),
            first_name: name.first,
            last_name: name.last,
            company: self.paid_by("business_name").map(|t| clean_text(&t, MAX_TEXT)),
            customer_id: self.customer.clone(),
            city: part("city"),
            postcode: part("postal_code"),
            country,
            address: part("line1"),
            sent_to: None,
        }
    }

    fn traces(&self) -> Traces {
        let reference = self.session.and_then(|s| text(s, "client_reference_id"));
        let stated = self.told(&["utm_source"]).map(|source| Stated {
            source: normal_source(&source),
            medium: self.told(&["utm_medium"]).map(|m| m.to_lowercase()),
            campaign: self.told(&["utm_campaign"]).map(|c| clean_text(&c, MAX_TEXT)),
        });
        Traces {
            session: self.told(SESSION).or(reference).filter(|id| id.len() <= MAX_SESSION),
            click_ids: ClickKind::ALL.iter().filter_map(|kind| self.told(&[kind.name()])).filter(|c| c.len() <= MAX_SESSION).collect(),
            codes: Vec::new(),
            coupons: coupon::codes(self.told(COUPON).map(|c| clean_text(&c, MAX_TEXT))),
            affiliate: self.told(&["affiliate_id", "affiliate"]).map(|a| clean_text(&a, MAX_TEXT)),
            stated,
            consent_given: self.metadata.iter().find_map(|map| kit::consent(map, "consent_given")),
            user_agent: None,
        }
    }
}
