//! Deliveries and raw bodies run again by command.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::command::{json_of, site_named};
use crate::app::App;
use crate::domain::ids::{DeliveryId, InboxId};
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::flows::replay as flow;
use crate::platforms;
use crate::store::{deliveries, inbox};

/// Rows of one command; more are asked for again.
const MOST: i64 = 5_000;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReplayForm {
    pub site: String,
    pub deliveries: Vec<String>,
    pub inbox: Vec<String>,
    pub platform: Option<String>,
    pub since: Option<String>,
}

/// By ids; or of a platform since a time: what came from it is read again, what did not arrive there is sent again.
pub async fn replay(app: &App, form: ReplayForm) -> Result<Value> {
    let site = site_named(app, &form.site)?;
    let mut sent: Vec<DeliveryId> = form.deliveries.iter().map(|t| id(t, "delivery", "delivery_9")).collect::<Result<_>>()?;
    let mut bodies: Vec<InboxId> = form.inbox.iter().map(|t| id(t, "inbox", "in_4")).collect::<Result<_>>()?;
    if let Some(slug) = form.platform {
        let platform = platforms::get(&slug)?;
        let since = form.since.as_deref().and_then(Time::parse);
        let since =
            since.ok_or_else(|| Error::invalid("since", "Say since when, such as --since 2026-06-13 or --since 2026-06-13T09:20:00Z."))?;
        if platform.receives() {
            let slug = slug.clone();
            bodies.extend(app.store.read(site.id, move |c| inbox::list_since(c, &slug, since, MOST)).await?);
        }
        if platform.sends() {
            sent.extend(app.store.read(site.id, move |c| deliveries::list_undelivered_since(c, &slug, since, MOST)).await?);
        }
    } else if sent.is_empty() && bodies.is_empty() {
        return Err(Error::invalid("delivery", "Name what to run again: --delivery ID, --inbox ID, or --platform SLUG --since T."));
    }
    let mut reruns = Vec::new();
    for body in bodies {
        reruns.push(json_of(&flow::body(app, &site, body).await?)?);
    }
    let replayed = if sent.is_empty() { flow::Replayed::default() } else { flow::deliveries(app, &site, sent, false).await? };
    let mut answer = json_of(&replayed)?;
    answer["bodies"] = json!(reruns);
    Ok(answer)
}

fn id<T: std::str::FromStr>(text: &str, field: &str, example: &str) -> Result<T> {
    text.parse().map_err(|_| Error::invalid(field, format!("{text:?} is no id such as {example}.")))
}
