//! The conversions API (AT-API), its telling side: one conversion or a list of them, by token.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::{Reply, status_of};
use super::route::Doc;
use crate::app::App;
use crate::crypto;
use crate::domain::attribution::MatchType;
use crate::domain::conversion::{ConversionKind, Rank};
use crate::domain::coupon;
use crate::domain::fact::{Fact, Person, Stated, Statement, Traces};
use crate::domain::money::{Currency, Money, NoAmount};
use crate::domain::person::{Email, Phone};
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::flows::idempotency::{self, Claim};
use crate::flows::intake::{self, Delivered, Stored};
use crate::store::sites::Site;

/// Conversions in one list at most.
const MOST: usize = 500;

pub const TELL: Doc = Doc::new("Conversions", "Tells of a sale, lead, sign-up or custom conversion, or of a list of them.")
    .body(r#"{"conversion_type":"sale","order_id":"10574","revenue":86.90,"currency":"EUR","email":"ann@shop.example","session_id":"akzJ2n0Q…","timestamp":"2026-06-13T09:20:00Z"}"#)
    .answer(r#"{"status":"success","conversion_id":"conversion_12","click_id":null,"attributed":true}"#)
    .statuses(&[200, 201, 400, 401, 403, 409, 413, 415, 422, 429, 503]);

/// `POST /api/conversions`
pub async fn tell(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let key = ask.header("idempotency-key").map(str::trim).filter(|k| !k.is_empty()).map(str::to_owned);
    if key.as_ref().is_some_and(|k| k.len() > 255) {
        return Err(Error::invalid("Idempotency-Key", "Idempotency-Key must be at most 255 characters."));
    }
    if let Some(key) = &key {
        match idempotency::claim(&app, &site, key, &ask.body).await? {
            Claim::Ours => {}
            Claim::Answered(answer) => return Reply::json(&answer),
            Claim::OtherBody => {
                return Err(Error::new(
                    Kind::Conflict,
                    "idempotency_conflict",
                    "This Idempotency-Key was used with another body within 48 hours. Use a new one.",
                ));
            }
        }
    }
    let (status, answer) = match reader::parse(&ask.body)? {
        Value::Object(fields) => {
            let (is_new, answer) = one(&app, &site, &fields, key.as_deref().map(|key| (key, 0))).await?;
            (if is_new { 201 } else { 200 }, answer)
        }
        Value::Array(items) => {
            let (status, answer) = many(&app, &site, &items, key.as_deref()).await?;
            if status != 200 {
                return Reply::json_with(status, &answer);
            }
            (status, answer)
        }
        _ => return Err(Error::new(Kind::Invalid, "bad_json", "The body must be a conversion, or a list of them.")),
    };
    if let Some(key) = &key {
        idempotency::keep(&app, &site, key, &ask.body, &answer).await?;
    }
    Reply::json_with(status, &answer)
}

async fn many(app: &App, site: &Arc<Site>, items: &[Value], key: Option<&str>) -> Result<(u16, Value)> {
    if items.len() > MOST {
        return Err(Error::invalid("body", format!("At most {MOST} conversions in one list.")));
    }
    let mut results = Vec::with_capacity(items.len());
    let mut failed = 0;
    for (n, item) in items.iter().enumerate() {
        let told = match item {
            Value::Object(fields) => one(app, site, fields, key.map(|key| (key, n))).await,
            _ => Err(Error::invalid("body", "Each item must be a conversion.")),
        };
        results.push(match told {
            Ok((_, answer)) => answer,
            Err(e) if status_of(&e) >= 500 => return Err(e),
            Err(e) => {
                failed += 1;
                json!({"status": "error", "error": {"code": e.code, "message": e.to_string()}})
            }
        });
    }
    let status = if failed > 0 && failed == items.len() { 422 } else { 200 };
    Ok((status, json!({"success": failed < items.len() || items.is_empty(), "results": results})))
}

async fn one(app: &App, site: &Arc<Site>, fields: &Map<String, Value>, key: Option<(&str, usize)>) -> Result<(bool, Value)> {
    let now = app.clock.now();
    let (statement, click_id) = read(site, fields, key, now)?;
    let delivered = Delivered {
        connection: None,
        platform: "api".into(),
        path: "/api/conversions".into(),
        content_type: "application/json".into(),
        body: Value::Object(fields.clone()).to_string().into_bytes(),
        facts: vec![Fact::Statement(statement)],
        fetch: Vec::new(),
        is_asserted: false,
        is_once: false,
        read_at: None,
    };
    let taken = intake::run(app, site, delivered).await?;
    let fact: &Stored = taken.facts.first().ok_or_else(|| Error::internal("a statement left no fact"))?;
    // A source that the sender itself states is credited, but nothing that we saw led to it.
    let is_matched = fact.is_attributed && fact.match_type != MatchType::Stated.word();
    Ok((fact.is_new, json!({"status": "success", "conversion_id": fact.conversion, "click_id": click_id, "attributed": is_matched})))
}

fn read(site: &Site, fields: &Map<String, Value>, key: Option<(&str, usize)>, now: Time) -> Result<(Statement, Option<String>)> {
    let word = |name: &str| scalar(fields, name, 255);
    let kind = word("conversion_type")?.or(word("type")?).unwrap_or_else(|| "sale".into());
    let kind = ConversionKind::parse(&kind)
        .ok_or_else(|| Error::invalid("conversion_type", "conversion_type must be sale, lead, signup or custom."))?;
    let custom = match fields.get("custom_data") {
        None | Some(Value::Null) => Value::Null,
        Some(Value::Object(map)) if Value::Object(map.clone()).to_string().len() <= 16_384 => Value::Object(map.clone()),
        Some(_) => return Err(Error::invalid("custom_data", "custom_data must be an object of at most 16 KiB.")),
    };
    let sub_ids = match fields.get("sub_ids") {
        None | Some(Value::Null) => json!({}),
        Some(Value::Object(map)) if Value::Object(map.clone()).to_string().len() <= 4_096 => Value::Object(map.clone()),
        Some(_) => return Err(Error::invalid("sub_ids", "sub_ids must be an object of at most 4 KiB.")),
    };
    let currency = word("currency")?.unwrap_or_else(|| "USD".into());
    let currency =
        Currency::parse(&currency).ok_or_else(|| Error::invalid("currency", "currency must be an ISO 4217 code such as USD."))?;
    let amount = revenue(fields, currency)?;
    let happened_at = match fields.get("timestamp") {
        None | Some(Value::Null) => now,
        Some(Value::String(text)) => Time::parse(text).ok_or_else(bad_time)?,
        Some(Value::Number(n)) => Time::parse(&n.to_string()).ok_or_else(bad_time)?,
        Some(_) => return Err(bad_time()),
    };
    if happened_at.ms_since(now) > 24 * crate::domain::time::HOUR_MS {
        return Err(Error::invalid("timestamp", "timestamp lies in the future."));
    }
    if happened_at.is_before_the_web() {
        return Err(Error::invalid("timestamp", "timestamp lies before 1990. Send the time of the conversion, or leave it out for now."));
    }
    let happened_at = happened_at.min(now);
    let email_text = word("email")?;
    let email = match &email_text {
        Some(text) => Some(Email::parse(text).ok_or_else(|| Error::invalid("email", "email must be an address like ann@shop.example."))?),
        None => None,
    };
    let phone_text = word("phone")?;
    let phone = phone_text.as_deref().and_then(|t| Phone::parse(t, site.country.as_deref()));
    let click_id = scalar(fields, "click_id", 512)?;
    let order_id = word("order_id")?;
    let source = word("source")?;
    let session = scalar(fields, "session_id", 128)?;
    let coupon = word("coupon")?;
    let affiliate = word("affiliate_id")?;
    let name = match kind {
        ConversionKind::Custom => custom.get("event_name").and_then(Value::as_str).map(|n| n.chars().take(64).collect::<String>()),
        _ => None,
    };
    let user_agent = scalar(fields, "user_agent", 1_024)?;
    let external_id = match (&order_id, key) {
        (Some(id), _) => id.clone(),
        (None, Some((key, n))) => idempotency::id_of(site, key, n),
        (None, None) => crypto::hex(&crypto::random::<8>()),
    };
    let campaign_id = word("campaign_id")?;
    let detail = json!({
        "click_id": click_id, "source": source, "campaign_id": campaign_id, "ad_id": word("ad_id")?, "sub_ids": sub_ids,
        "user_agent": user_agent, "affiliate_id": affiliate, "coupon": coupon, "custom_data": custom, "product_id": word("product_id")?,
        "order_id": order_id, "email": email.as_ref().map(|e| e.as_str().to_owned()), "phone": phone.as_ref().map(|p| p.as_str().to_owned()),
    });
    let statement = Statement {
        external_id,
        platform: "api".into(),
        rank: Rank::Api,
        kind,
        name,
        order_id,
        happened_at,
        person: Person { email, phone, address: word("ip_address")?, ..Person::default() },
        traces: Traces {
            session,
            click_ids: click_id.iter().cloned().collect(),
            codes: Vec::new(),
            coupons: coupon::codes(coupon),
            affiliate,
            stated: source.map(|source| Stated {
                source: crate::domain::campaign::normal_source(&source),
                medium: None,
                campaign: campaign_id,
            }),
            consent_given: crate::sources::kit::consent(&Value::Object(fields.clone()), "consent_given"),
            user_agent,
        },
        amount,
        items: Vec::new(),
        detail,
        is_imported: false,
    };
    Ok((statement, click_id))
}

fn bad_time() -> Error {
    Error::invalid("timestamp", "timestamp must be a time like 2026-06-13T09:20:00Z.")
}

/// A decimal as number or text, never negative. Nothing given is nothing sold: 0.
fn revenue(fields: &Map<String, Value>, currency: Currency) -> Result<Option<Money>> {
    let bad = || {
        Error::new(Kind::Invalid, "invalid_amount", "revenue must be a decimal like 12.50 with an ISO currency, and not negative.")
            .of("revenue")
    };
    let text = match fields.get("revenue") {
        None | Some(Value::Null) => return Ok(Some(Money::zero(currency))),
        Some(Value::Number(n)) => n.to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err(bad()),
    };
    match Money::parse(&text, currency) {
        Ok(money) if money.minor >= 0 => Ok(Some(money)),
        Err(NoAmount::TooManyDigits) => {
            let digits = currency.digits();
            Err(Error::new(Kind::Invalid, "invalid_amount", format!("revenue has more than the {digits} decimals of {currency}."))
                .of("revenue"))
        }
        _ => Err(bad()),
    }
}

/// Text or number as text; empty is absent.
fn scalar(fields: &Map<String, Value>, name: &str, most: usize) -> Result<Option<String>> {
    let text = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => crate::domain::campaign::clean_text(text, most),
        Some(Value::Number(n)) => n.to_string(),
        Some(_) => return Err(Error::invalid(name, format!("{name} must be text."))),
    };
    if text.chars().count() > most {
        return Err(Error::invalid(name, format!("{name} must be text of at most {most} characters.")));
    }
    Ok((!text.is_empty()).then_some(text))
}
