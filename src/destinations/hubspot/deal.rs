//! The deal beside a contact: its key, its stage, what it is worth and where it came from.

use serde_json::{Map, Value, json};

use super::{OPEN, WON};
use crate::domain::conversion::ConversionKind;
use crate::domain::outgoing::{Credited, Outgoing};
use crate::domain::platform::Settings;

/// There only where the portal counts in several currencies.
pub const CURRENCY: &str = "deal_currency_code";
pub const OWN_PIPELINE: &str = "default";

/// Name of the property that tells our deals apart.
pub fn property(settings: &Settings) -> &str {
    settings.get("deal_property").filter(|name| super::is_property(name)).unwrap_or("halotrack_id")
}

/// The site stands in it, so that two shops may share a portal.
pub fn key(out: &Outgoing) -> String {
    format!("{}:{}", out.site_domain, out.subject)
}

/// How HubSpot is asked for the property.
/// <https://developers.hubspot.com/docs/guides/api/crm/properties#create-unique-identifier-properties>
pub fn definition(name: &str) -> Value {
    json!({
        "name": name,
        "label": "HaloTrack id",
        "description": "Tells deals apart that HaloTrack keeps. Please do not change it.",
        "groupName": "dealinformation",
        "type": "string",
        "fieldType": "text",
        "hasUniqueValue": true,
    })
}

/// All values are texts. None for kinds that make no deal.
pub fn of(out: &Outgoing, settings: &Settings) -> Option<Value> {
    let is_won = out.kind == ConversionKind::Sale || out.stage.is_some();
    let word = match out.kind {
        ConversionKind::Sale => "Order",
        ConversionKind::Lead => "Lead",
        ConversionKind::Signup => "Sign-up",
        ConversionKind::Custom => return None,
    };
    let stage = match is_won {
        true => settings.get("stage_won").unwrap_or(WON),
        false => settings.get("stage_lead").unwrap_or(OPEN),
    };
    let mut deal = Map::new();
    let mut put = |key: &str, value: String| deal.insert(key.to_owned(), Value::String(value));
    put("dealname", format!("{word} {}", out.external_id).trim_end().to_owned());
    put("pipeline", settings.get("pipeline").unwrap_or(OWN_PIPELINE).to_owned());
    put("dealstage", stage.to_owned());
    // What is left of a sale, where some of it went back before this is told.
    let left = out.left.filter(|_| out.kind == ConversionKind::Sale);
    if let Some(amount) = left.or(out.amount) {
        put("amount", amount.decimal());
        put(CURRENCY, amount.currency.code().to_owned());
    }
    if is_won {
        // Of a sale that holds again the day on which that is known is not the day on which it was won.
        if !out.is_again {
            put("closedate", out.happened_at.utc());
        }
    }
    if let Some(credited) = &out.credited {
        put("description", origin(credited, &out.match_type));
    }
    Some(Value::Object(deal))
}

/// What is left of a sale, and its lost stage where that is nothing; none where no money is known.
pub fn after_refund(out: &Outgoing, settings: &Settings) -> Option<Value> {
    let left = out.left?;
    let mut changes = json!({"amount": left.decimal()});
    let is_own = settings.get("pipeline").is_none_or(|id| id == OWN_PIPELINE);
    let lost = settings.get("stage_lost").or(is_own.then_some("closedlost"));
    if let Some(stage) = lost.filter(|_| left.minor <= 0) {
        changes["dealstage"] = json!(stage);
    }
    Some(changes)
}

/// `Came by google / cpc / Spring ads (matched by session).`
fn origin(credited: &Credited, match_type: &str) -> String {
    let words: Vec<&str> = [Some(credited.source.as_str()), Some(credited.medium.as_str()), credited.campaign.as_deref()]
        .into_iter()
        .flatten()
        .filter(|w| !w.trim().is_empty())
        .collect();
    format!("Came by {} (matched by {}).", words.join(" / "), match_type.replace('_', " "))
}
