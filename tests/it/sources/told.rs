//! What a source told, as JSON that can be compared and read. Fields that are not there are left out.

use halotrack::crypto::hex;
use halotrack::domain::fact::{Fact, Lead, Message, Milestone, Order, Person, Refund, ShopTouch, Statement, Traces, TrackerEvent};
use halotrack::domain::outgoing::Item;
use halotrack::sources::{Batch, Heard, Problem, Reject};
use serde_json::{Map, Value, json};

pub fn heard(heard: Result<Heard, Reject>) -> Value {
    match heard {
        Ok(Heard::Facts(told)) => batch(told),
        Ok(Heard::Each(items)) => each(items),
        Ok(Heard::Reply(r)) => json!({"reply": {"status": r.status, "headers": r.headers.0, "body": String::from_utf8_lossy(&r.body)}}),
        Ok(Heard::Fetch(ids)) => json!({"fetch": ids}),
        Ok(Heard::Erasure(whom)) => json!({"erasure": {"email": whom.email, "phone": whom.phone, "orders": whom.orders}}),
        Ok(Heard::ForOwner(sentence)) => json!({"for_owner": sentence}),
        Ok(Heard::Farewell(sentence)) => json!({"farewell": sentence}),
        Err(Reject::BadSignature) => json!({"reject": "bad_signature"}),
        Err(Reject::StaleSignature) => json!({"reject": "stale_signature"}),
        Err(Reject::BadBody(sentence)) => json!({"reject": "bad_body", "sentence": sentence}),
        Err(Reject::BadField { field, code, sentence }) => json!({"reject": code, "field": field, "sentence": sentence}),
    }
}

pub fn batch(batch: Batch) -> Value {
    let facts: Vec<Value> = batch.facts.iter().map(fact).collect();
    let problems: Vec<Value> =
        batch.problems.iter().map(|p| json!({"item": p.item, "field": p.field, "code": p.code, "sentence": p.sentence})).collect();
    told(
        json!({"facts": facts, "problems": problems, "fetch": batch.fetch, "standing": batch.standing, "whole": batch.whole.map(|w| json!({"kind": w.kind, "end": w.end, "since": w.since.utc(), "within": w.within, "begun_at": w.begun_at.utc(), "ids": w.ids}))}),
    )
}

fn each(items: Vec<Result<Fact, Problem>>) -> Value {
    let shown = items.iter().map(|item| match item {
        Ok(told) => fact(told),
        Err(p) => json!({"item": p.item, "field": p.field, "code": p.code, "sentence": p.sentence}),
    });
    json!({"facts": shown.collect::<Vec<_>>()})
}

fn fact(fact: &Fact) -> Value {
    told(match fact {
        Fact::Lead(f) => lead(f),
        Fact::Order(f) => order(f),
        Fact::Refund(f) => json!({
            "fact": "refund", "order_external_id": f.order_external_id, "platform": f.platform, "refund": refund(&f.refund),
        }),
        Fact::Deletion(f) => json!({
            "fact": "deletion", "order_external_id": f.order_external_id, "platform": f.platform, "happened_at": f.happened_at.utc(),
        }),
        Fact::Statement(f) => statement(f),
        Fact::Message(f) => message(f),
        Fact::Progress(f) => json!({
            "fact": "progress", "external_id": f.external_id, "subject": f.subject, "person": person(&f.person), "stage": f.stage.word(),
            "value": f.value.map(|m| m.to_string()), "happened_at": f.happened_at.utc(), "forward_only": f.is_forward_only,
        }),
        Fact::Milestone(f) => milestone(f),
        Fact::Enrolment(f) => json!({
            "fact": "enrolment", "user_id": f.user_id, "happened_at": f.happened_at.utc(), "person": person(&f.person), "traces": traces(&f.traces),
        }),
        Fact::Event(f) => event(f),
    })
}

fn lead(f: &Lead) -> Value {
    json!({
        "fact": "lead", "external_id": f.external_id, "source": f.source, "happened_at": f.happened_at.utc(), "person": person(&f.person),
        "traces": traces(&f.traces), "message": f.message, "form_type": f.form_type, "value": f.value.map(|m| m.to_string()),
        "custom_fields": f.custom_fields, "url": f.url, "content_key": hex(&f.content_key), "imported": f.is_imported,
    })
}

fn order(f: &Order) -> Value {
    json!({
        "fact": "order", "external_id": f.external_id, "order_number": f.order_number, "platform": f.platform, "rank": format!("{:?}", f.rank),
        "happened_at": f.happened_at.utc(), "modified_at": f.modified_at.utc(), "person": person(&f.person), "traces": traces(&f.traces),
        "total": f.total.to_string(), "status": format!("{:?}", f.status), "raw_status": f.raw_status, "test": f.is_test,
        "items": items(&f.items), "imported": f.is_imported, "ended_at": f.ended_at.map(|t| t.utc()),
        "tax": f.tax.map(|m| m.to_string()), "shipping": f.shipping.map(|m| m.to_string()), "discount": f.discount.map(|m| m.to_string()),
        "refunds": f.refunds.iter().map(refund).collect::<Vec<_>>(), "refunds_are_whole": f.are_refunds_whole, "refunded_so_far": f.refunded_so_far.map(|m| m.to_string()),
        "journey": f.journey.iter().map(visit).collect::<Vec<_>>(), "gone": f.is_gone, "was_paid": f.was_paid && f.is_over(),
    })
}

fn message(f: &Message) -> Value {
    let said = f.said.as_ref().map(|s| {
        told(json!({"id": s.external_id, "role": s.role.word(), "text": s.text, "product_inquiry": s.is_product_inquiry, "price_check": s.is_price_check}))
    });
    json!({
        "fact": "message", "external_id": f.conversation, "visitor": f.visitor, "platform": f.platform, "happened_at": f.happened_at.utc(),
        "person": person(&f.person), "traces": traces(&f.traces), "proved": f.is_proved, "said": said,
    })
}

fn milestone(f: &Milestone) -> Value {
    json!({
        "fact": "milestone", "external_id": f.external_id, "source": f.source, "kind": f.kind, "happened_at": f.happened_at.utc(),
        "person": person(&f.person), "traces": traces(&f.traces), "utm": told(json!(f.utm)), "referrer": f.referrer, "data": f.data,
        "metadata": f.metadata, "imported": f.is_imported, "taken_to_be_so": f.told_at.is_none(),
        "told_at": f.told_at.filter(|at| *at != f.happened_at).map(|at| at.utc()),
    })
}

fn event(f: &TrackerEvent) -> Value {
    let (c, a, h) = (&f.campaign, &f.ad, &f.hashed);
    json!({
        "fact": "event", "external_id": f.event_id, "source": f.source, "name": f.name, "happened_at": f.happened_at.utc(),
        "person": person(&f.person), "client": f.client, "value": f.value.map(|m| m.to_string()), "standard": f.is_standard(),
        "hashed": told(json!({"em": h.em, "ph": h.ph, "fn": h.given, "ln": h.family, "external_id": h.external_id})),
        "custom": f.custom, "meta": f.meta, "content": hex(&f.content[..8]),
        "campaign": told(json!({"source": c.source, "medium": c.medium, "campaign": c.campaign, "term": c.term, "content": c.content,
            "referrer": c.referrer, "landing": c.landing})),
        "ad": told(json!({"ad": a.ad, "adset": a.adset, "campaign": a.campaign, "ad_name": a.ad_name, "adset_name": a.adset_name})),
        "fact_of_it": f.fact.as_ref().map(statement),
    })
}

fn refund(r: &Refund) -> Value {
    told(json!({
        "external_id": r.external_id, "happened_at": r.happened_at.utc(), "amount": r.amount.to_string(), "reason": r.reason,
    }))
}

fn visit(t: &ShopTouch) -> Value {
    told(json!({
        "at": t.at.map(|t| t.utc()), "source": t.source, "medium": t.medium, "campaign": t.campaign, "landing": t.landing,
        "referrer": t.referrer,
    }))
}

fn statement(f: &Statement) -> Value {
    json!({
        "fact": "statement", "external_id": f.external_id, "platform": f.platform, "rank": format!("{:?}", f.rank), "kind": f.kind.word(),
        "name": f.name, "order_id": f.order_id, "happened_at": f.happened_at.utc(), "person": person(&f.person), "traces": traces(&f.traces),
        "amount": f.amount.map(|m| m.to_string()), "items": items(&f.items), "detail": f.detail, "imported": f.is_imported,
    })
}

fn person(p: &Person) -> Value {
    told(json!({
        "email": p.email, "phone": p.phone, "first_name": p.first_name, "last_name": p.last_name, "company": p.company,
        "customer_id": p.customer_id, "city": p.city, "postcode": p.postcode, "country": p.country, "address": p.address,
    }))
}

fn traces(t: &Traces) -> Value {
    let stated = t.stated.as_ref().map(|s| told(json!({"source": s.source, "medium": s.medium, "campaign": s.campaign})));
    told(json!({
        "session": t.session, "click_ids": t.click_ids, "codes": t.codes, "coupons": t.coupons, "affiliate": t.affiliate, "stated": stated,
        "consent_given": t.consent_given, "user_agent": t.user_agent,
    }))
}

fn items(items: &[Item]) -> Vec<Value> {
    items
        .iter()
        .map(|i| told(json!({"id": i.id, "name": i.name, "quantity": i.quantity, "price": i.price.map(|m| m.to_string())})))
        .collect()
}

/// Without what is empty.
fn told(value: Value) -> Value {
    let is_empty = |v: &Value| match v {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    match value {
        // A plain no of a person's consent says something; it is told by `traces`, so only there it stays.
        Value::Object(map) => Value::Object(
            map.into_iter().filter(|(name, v)| name == "consent_given" && !v.is_null() || !is_empty(v)).collect::<Map<_, _>>(),
        ),
        other => other,
    }
}
