//! Values as answers show them: money, times, people, matches, credit. One place, so that a list, an export and a receipt
//! say the same.

use serde_json::{Map, Value, json};

use crate::domain::attribution::{PathTouch, basis_points, weights};
use crate::domain::channel::channel;
use crate::domain::ids::ContactId;
use crate::domain::mask;
use crate::domain::money::Money;
use crate::domain::question::Lens;
use crate::domain::rule::Rules;
use crate::domain::time::{Time, Zone};
use crate::store::questions::conversions::Line;

pub fn money(amount: Money) -> Value {
    json!({"minor": amount.minor, "currency": amount.currency.code()})
}

pub fn maybe_money(amount: Option<Money>) -> Value {
    amount.map_or(Value::Null, money)
}

pub fn moneys(all: &[Money]) -> Value {
    all.iter().map(|m| money(*m)).collect()
}

pub fn time(zone: &Zone, at: Time) -> Value {
    zone.text(at).into()
}

pub fn maybe_time(zone: &Zone, at: Option<Time>) -> Value {
    at.map_or(Value::Null, |at| time(zone, at))
}

/// A facet: values and how often each occurs.
pub fn facet(all: &[(String, i64)]) -> Value {
    all.iter().map(|(value, count)| json!({"value": value, "count": count})).collect()
}

/// An e-mail, else a phone; masked unless people may be seen.
pub fn person(email: Option<&str>, phone: Option<&str>, is_open: bool) -> Option<String> {
    match (email, phone, is_open) {
        (Some(email), _, true) => Some(email.to_owned()),
        (Some(email), _, false) => Some(mask::email(email)),
        (None, Some(phone), true) => Some(phone.to_owned()),
        (None, Some(phone), false) => Some(mask::phone(phone)),
        (None, None, _) => None,
    }
}

/// Whose a row is. Of somebody who was erased it says so.
pub fn who(display: Option<String>, contact: Option<ContactId>, is_erased: bool) -> Value {
    let mut who = json!({"display": display, "contact": contact});
    if is_erased {
        who["is_erased"] = true.into();
    }
    who
}

/// Fields that say who somebody is; everything else is about the sale.
const PERSONAL: [&str; 15] = [
    "email",
    "phone",
    "name",
    "first_name",
    "last_name",
    "company",
    "message",
    "url",
    "custom_fields",
    "custom_data",
    "customer_id",
    "user_agent",
    "ip_address",
    "click_id",
    "session_id",
];

/// What was received, with people masked where they may not be seen.
pub fn fields(fields: &Map<String, Value>, is_open: bool) -> Value {
    let mut shown = Map::new();
    for (name, value) in fields {
        let masked = match value {
            _ if is_open || !PERSONAL.contains(&name.as_str()) => value.clone(),
            Value::String(text) if name == "email" => mask::email(text).into(),
            Value::String(text) if name == "phone" => mask::phone(text).into(),
            Value::String(text) => mask::word(text).into(),
            _ => "••••".into(),
        };
        shown.insert(name.clone(), masked);
    }
    Value::Object(shown)
}

/// A part of a conversion's credit.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub source: String,
    pub medium: String,
    pub campaign: Option<String>,
    pub share_bp: u32,
}

impl Part {
    pub fn channel(&self) -> &'static str {
        channel(&self.source, &self.medium, self.campaign.as_deref())
    }
}

/// Who is credited with a line through a lens, the largest share first. In the books' own lens the columns answer; a line
/// without touches is credited with what its sender states, through every lens.
pub fn credited(line: &Line, lens: Lens, is_of_the_books: bool) -> Vec<Part> {
    if is_of_the_books || line.beside.path.is_empty() {
        let whole = |source: &String| Part {
            source: source.clone(),
            medium: line.medium.clone().unwrap_or_default(),
            campaign: line.campaign.clone(),
            share_bp: 10_000,
        };
        return line.source.iter().map(whole).collect();
    }
    let path: &[PathTouch] = &line.beside.path;
    let shares = basis_points(&weights(lens.model, path, line.happened_at, lens.window_of(&line.kind).days()));
    let mut parts: Vec<Part> = Vec::new();
    for (PathTouch { touch, .. }, share) in path.iter().zip(shares).filter(|(_, share)| *share > 0) {
        let same = parts.iter_mut().find(|p| p.source == touch.source && p.medium == touch.medium && p.campaign == touch.campaign);
        match same {
            Some(part) => part.share_bp += u32::from(share),
            None => parts.push(Part {
                source: touch.source.clone(),
                medium: touch.medium.clone(),
                campaign: touch.campaign.clone(),
                share_bp: u32::from(share),
            }),
        }
    }
    parts.sort_by_key(|p| std::cmp::Reverse(p.share_bp));
    parts
}

/// The words under which the credited visit is stored, where a rule shows others; nothing where it is called as it came.
pub fn came_as(line: &Line, rules: &Rules) -> Value {
    let marks = line.marks();
    match marks.named_by(rules) == marks {
        true => Value::Null,
        false => json!({"source": line.source, "medium": line.medium, "campaign": line.campaign}),
    }
}

/// Kept out of sums because somebody tried it out; what is not paid yet is no test.
pub fn is_test(line: &Line) -> bool {
    !line.counts && !matches!(line.status.as_str(), "pending" | "draft")
}

/// A line of the ledger.
pub fn line(line: &Line, zone: &Zone, lens: Lens, is_of_the_books: bool) -> Value {
    let beside = &line.beside;
    let credited: Vec<Value> = credited(line, lens, is_of_the_books)
        .into_iter()
        .map(|p| json!({"source": p.source, "medium": p.medium, "campaign": p.campaign, "channel": p.channel(), "share_bp": p.share_bp}))
        .collect();
    let told: Vec<Value> = beside
        .told
        .iter()
        .map(|d| json!({"id": d.id, "platform": d.platform, "state": d.state, "mode": d.mode, "reason": d.reason}))
        .collect();
    json!({
        "id": line.id,
        "kind": line.kind,
        "name": line.name,
        "label": line.label,
        "happened_at": time(zone, line.happened_at),
        "received_at": time(zone, line.received_at),
        "who": who(person(beside.email.as_deref(), beside.phone.as_deref(), false), line.contact, line.is_erased),
        "amount": maybe_money(line.amount),
        "net": maybe_money(line.net),
        "status": line.status,
        "match": {
            "type": line.match_type,
            "asserted": line.is_asserted,
            "confidence_bp": line.confidence_bp,
            "sentence": beside.reason,
        },
        "credited": credited,
        "touches": beside.path.len(),
        "days_to_convert": beside.days_to_convert,
        "chat": has_chat(line),
        "reports": beside.reports,
        "is_test": is_test(line),
        "deliveries": told,
    })
}

/// Whether a conversation led to it.
pub fn has_chat(line: &Line) -> bool {
    line.beside.chat.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn received_fields_hide_people_and_show_the_rest() {
        let all = json!({"email": "niamh@mail.example.ie", "phone": "+353861234567", "message": "Call me", "form_type": "contact",
            "custom_fields": {"budget": 5}, "value": "12.50"});
        let all = all.as_object().expect("an object");
        assert_eq!(
            fields(all, false),
            json!({"email": "ni••••@••••.ie", "phone": "+353••••67", "message": "C••••", "form_type": "contact",
                "custom_fields": "••••", "value": "12.50"})
        );
        assert_eq!(fields(all, true), Value::Object(all.clone()));
    }
}
