//! What the demo's shops send: orders and leads as JSON, as a shop's own code would post them.

use serde_json::{Value, json};

use super::diary::{Appointment, Lead, Order};
use super::shop::Shop;
use super::talks::Line;
use crate::domain::time::Time;

/// Percent that a coupon takes off.
const COUPON: i64 = 10;

/// What an order comes to, in minor units.
pub fn total_minor(shop: &Shop, order: &Order) -> i64 {
    let sum: i64 = order.lines.iter().map(|(good, count)| shop.goods[*good].minor * count).sum();
    if order.coupon.is_some() { sum * (100 - COUPON) / 100 } else { sum }
}

/// `status` is that of the shop; `changed_at` when it was last changed there.
pub fn order(shop: &Shop, order: &Order, number: u64, session: Option<&str>, status: &str, created_at: Time, changed_at: Time) -> Value {
    let items: Vec<Value> = order
        .lines
        .iter()
        .map(|(good, count)| {
            let good = &shop.goods[*good];
            json!({"sku": good.sku, "name": good.name, "quantity": count, "price": decimal(good.minor)})
        })
        .collect();
    let mut body = json!({
        "order_id": format!("{}{number}", shop.prefix),
        "platform": shop.platform,
        "status": status,
        "total": decimal(total_minor(shop, order)),
        "currency": shop.currency,
        "created_at": created_at.utc(),
        "updated_at": changed_at.utc(),
        "first_name": order.who.first_name,
        "last_name": order.who.last_name,
        "email": order.who.email,
        "phone": order.who.phone,
        "country": order.who.country,
        "items": items,
    });
    if let Some(session) = session {
        body["session_id"] = session.into();
    }
    if let Some(coupon) = order.coupon {
        body["coupon"] = coupon.into();
    }
    body
}

/// The same order as a WooCommerce shop shows it. A refund has a row of its own there; the order only names it.
pub fn shop_order(
    shop: &Shop,
    order: &Order,
    number: u64,
    session: Option<&str>,
    status: &str,
    created_at: Time,
    changed_at: Time,
) -> Value {
    let off = |minor: i64| if order.coupon.is_some() { minor * (100 - COUPON) / 100 } else { minor };
    let lines: Vec<Value> = order
        .lines
        .iter()
        .map(|(good, count)| {
            let good = &shop.goods[*good];
            json!({"product_id": 0, "sku": good.sku, "name": good.name, "quantity": count, "total": decimal(off(good.minor * count))})
        })
        .collect();
    let bare = |at: Time| Value::from(at.utc().trim_end_matches('Z'));
    let total = decimal(total_minor(shop, order));
    let refunds =
        if status == "refunded" { json!([{"id": refund_number(number), "reason": "", "total": format!("-{total}")}]) } else { json!([]) };
    json!({
        "id": number, "number": number.to_string(), "status": status, "currency": shop.currency, "total": total,
        "total_tax": "0.00", "shipping_total": "0.00", "discount_total": "0.00",
        "date_created_gmt": bare(created_at), "date_modified_gmt": bare(changed_at), "date_paid_gmt": bare(created_at),
        "payment_method": "card", "created_via": "checkout", "customer_id": 0, "customer_user_agent": "", "parent_id": 0,
        "billing": {"first_name": order.who.first_name, "last_name": order.who.last_name, "email": order.who.email,
            "phone": order.who.phone, "country": order.who.country},
        "line_items": lines,
        "coupon_lines": order.coupon.iter().map(|code| json!({ "code": code })).collect::<Vec<_>>(),
        "refunds": refunds,
        "meta_data": session.iter().map(|id| json!({"key": "_halo_session", "value": id})).collect::<Vec<_>>(),
    })
}

/// The row of a refund that gives everything back.
pub fn refund(shop: &Shop, order: &Order, number: u64, at: Time) -> Value {
    json!({"id": refund_number(number), "amount": decimal(total_minor(shop, order)), "reason": "", "date_created_gmt": at.utc().trim_end_matches('Z')})
}

/// Refunds and orders are numbered from the same row there; these numbers lie far from each other.
fn refund_number(order: u64) -> u64 {
    900_000 + order
}

pub fn lead(shop: &Shop, lead: &Lead, number: u64, session: Option<&str>, at: Time) -> Value {
    let form = &shop.forms[lead.form];
    let mut body = json!({
        "lead_id": format!("L-{number}"),
        "form_type": form.kind,
        "first_name": lead.who.first_name,
        "last_name": lead.who.last_name,
        "email": lead.who.email,
        "country": lead.who.country,
        "message": form.messages[lead.message],
        "url": format!("https://{}{}", shop.domain, form.page),
        "created_at": at.utc(),
    });
    // Not every form asks for a number.
    if !lead.key.is_multiple_of(3) {
        body["phone"] = lead.who.phone.as_str().into();
    }
    if let Some(value) = form.value {
        body["value"] = value.into();
        body["currency"] = shop.currency.into();
    }
    if let Some(session) = session {
        body["halo_session_id"] = session.into();
    }
    body
}

/// What Cal.com tells of an appointment.
pub fn appointment(shop: &Shop, told: &Appointment, session: Option<&str>, at: Time) -> Value {
    if told.trigger == "BOOKING_NO_SHOW_UPDATED" {
        let absent = json!([{"email": told.who.email, "noShow": true}]);
        return json!({"triggerEvent": told.trigger, "createdAt": at.utc(), "payload": {"bookingUid": told.uid, "attendees": absent}});
    }
    let name = format!("{} {}", told.who.first_name, told.who.last_name);
    json!({"triggerEvent": told.trigger, "createdAt": at.utc(), "payload": {
        "uid": told.uid,
        "type": "beratung",
        "eventTitle": "Küchenberatung",
        "title": format!("Küchenberatung: {} und {name}", shop.name),
        "startTime": told.starts_at.utc(),
        "endTime": told.ends_at().utc(),
        "attendees": [{"email": told.who.email, "name": name}],
        "responses": {"halo_session_id": {"value": session}},
        "metadata": {},
    }})
}

/// A message as Chatwoot tells it.
pub fn said(line: &Line, session: Option<&str>, at: Time) -> Value {
    let who = if line.is_customer { ("incoming", "contact") } else { ("outgoing", "user") };
    json!({
        "event": "message_created",
        "id": line.message,
        "content": line.text,
        "message_type": who.0,
        "private": false,
        "created_at": at.utc(),
        "sender": {"type": who.1},
        "conversation": {
            "id": line.conversation,
            "created_at": at.s(),
            "custom_attributes": {"halo_session_id": session},
            "meta": {"sender": {"id": line.browser + 1, "type": "contact", "email": line.email}},
        },
    })
}

fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}
