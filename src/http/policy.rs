//! Which model and window the books use: shown, tried out, put in force.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::attribution::{Model, Policy, Window};
use crate::domain::conversion::ConversionKind;
use crate::domain::money::Money;
use crate::error::{Error, Result};
use crate::flows::policy::{self, Share};

pub const SHOW: Doc = Doc::new("Site", "The model and the windows that the books use.")
    .answer(r#"{"model":"last_non_direct","window":"30","windows":{"lead":"7"},"chat_credit":false}"#)
    .statuses(&[200]);
pub const PREVIEW: Doc = Doc::new("Site", "What another model or window would change, by source. Nothing is stored.")
    .body(r#"{"model":"first","window":"30","windows":{"lead":"7"},"chat_credit":false}"#)
    .answer(r#"{"conversions":120,"moved":17,"items":[{"source":"google","before":{"conversions":40,"net":[]},"after":{"conversions":52,"net":[]}}]}"#)
    .statuses(&[200, 422]);
pub const APPLY: Doc =
    Doc::new("Site", "Puts a model and windows in force; with `past`, earlier conversions whose answer differs get a new run.")
        .body(r#"{"model":"first","window":"30","windows":{"lead":"7"},"chat_credit":false,"past":true}"#)
        .answer(r#"{"model":"first","window":"30","windows":{},"chat_credit":false,"runs":17}"#)
        .statuses(&[200, 422]);

/// `GET /api/sites/{site}/policy`
pub async fn show(_: App, ask: Ask) -> Result<Reply> {
    Reply::json(&Value::Object(words_of(&ask.site()?.settings.policy)))
}

fn words_of(policy: &Policy) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("model".into(), policy.model.word().into());
    shown.insert("window".into(), Window(policy.window_days).word().into());
    let windows: Map<String, Value> = policy.windows.iter().map(|(k, w)| (k.word().into(), Window(*w).word().into())).collect();
    shown.insert("windows".into(), windows.into());
    shown.insert("chat_credit".into(), policy.chat_credit.into());
    shown
}

/// `POST /api/sites/{site}/policy/preview`
pub async fn preview(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let (policy, _) = read(&ask)?;
    let preview = policy::preview(&app, site, policy).await?;
    let share = |s: &Share| {
        let net: Vec<Money> = s.net.iter().map(|(currency, minor)| Money::new(*minor, *currency)).collect();
        json!({"conversions": s.conversions_e9 as f64 / 1e9, "net": shown::moneys(&net)})
    };
    let mut rows: Vec<_> = preview.rows.iter().collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.before.conversions_e9.max(row.after.conversions_e9)));
    let items: Vec<Value> =
        rows.into_iter().map(|(source, row)| json!({"source": source, "before": share(&row.before), "after": share(&row.after)})).collect();
    Reply::json(&json!({"conversions": preview.conversions, "moved": preview.moved, "items": items}))
}

/// `POST /api/sites/{site}/policy`
pub async fn apply(app: App, ask: Ask) -> Result<Reply> {
    let (policy, past) = read(&ask)?;
    let runs = policy::apply(&app, ask.site()?.id, policy.clone(), past, &ask.who()).await?;
    let mut shown = words_of(&policy);
    shown.insert("runs".into(), runs.into());
    Reply::json(&Value::Object(shown))
}

fn read(ask: &Ask) -> Result<(Policy, bool)> {
    let fields = reader::object(&ask.body)?;
    let word = reader::required(&fields, "model", 30)?;
    let model = Model::parse(word).filter(|m| Model::LENSES.contains(m)).ok_or_else(|| {
        let all: Vec<&str> = Model::LENSES.iter().map(|m| m.word()).collect();
        Error::invalid("model", format!("The model is one of {}.", all.join(", ")))
    })?;
    let window_days = window(reader::required(&fields, "window", 20)?)?;
    let mut windows = BTreeMap::new();
    if let Some(by_kind) = fields.get("windows").filter(|v| !v.is_null()) {
        let by_kind = by_kind.as_object().ok_or_else(|| Error::invalid("windows", "Windows by kind: {\"lead\": \"7\"}."))?;
        for (kind, text) in by_kind {
            let kind = ConversionKind::parse(kind).ok_or_else(|| Error::invalid("windows", "A kind is sale, lead, signup or custom."))?;
            let days = window(text.as_str().unwrap_or_default())?;
            // One that equals the general one follows it when that is changed.
            if days != window_days {
                windows.insert(kind, days);
            }
        }
    }
    let past = matches!(fields.get("past"), Some(Value::Bool(true)));
    let chat_credit = match fields.get("chat_credit") {
        None | Some(Value::Null) => ask.site()?.settings.policy.chat_credit,
        Some(Value::Bool(is)) => *is,
        Some(_) => return Err(Error::invalid("chat_credit", "chat_credit is true or false.")),
    };
    Ok((Policy { model, window_days, windows, chat_credit }, past))
}

fn window(text: &str) -> Result<Option<u32>> {
    let found = Window::parse(text).map(Window::days);
    found.ok_or_else(|| Error::invalid("window", "The window is 1, 7, 14, 30, 60 or 90 days, or unlimited."))
}
