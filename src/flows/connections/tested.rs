//! A look at a connection's set-up without sending a conversion: what is filled in, what can be reached, what the platform says.

use serde::Serialize;

use super::find;
use crate::app::App;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::outgoing::Mode;
use crate::domain::platform::FieldKind;
use crate::error::Result;
use crate::flows::{planning, trial};
use crate::platforms;
use crate::store::connections::Status;

/// What was looked at, in sentences. Nothing is claimed that was not tried.
#[derive(Debug, Clone, Serialize)]
pub struct Tested {
    pub connection: ConnectionId,
    pub platform: String,
    pub is_ready: bool,
    pub checked: Vec<String>,
    pub not_checked: Vec<String>,
}

/// Looks at what can be looked at without sending a conversion.
pub async fn test(app: &App, site: Option<SiteId>, id: ConnectionId) -> Result<Tested> {
    let connection = find(app, site, id)?;
    let platform = platforms::get(&connection.platform)?;
    let missing = platform.missing(&connection.settings, &connection.secrets);
    let mut checked = Vec::new();
    let mut not_checked = Vec::new();
    let mut is_ready = missing.is_empty() && matches!(connection.status, Status::Ok);
    match missing.as_slice() {
        [] => checked.push("All required settings are filled in.".into()),
        some => checked.push(still_empty(some)),
    }
    for field in platform.fields() {
        let Some(url) = connection.settings.get(field.key).filter(|_| field.kind == FieldKind::Url) else { continue };
        match app.outbound.check_address(url).await {
            Ok(()) => checked.push(format!("{}: {} may be reached from here.", field.label, host_of(url))),
            Err(e) => {
                is_ready = false;
                checked.push(format!("{}: {}", field.label, e.message));
            }
        }
    }
    if platform.receives() {
        match &connection.last_event_at {
            Some(at) => checked.push(format!("It was last heard of at {at}.")),
            None => not_checked.push("It has not been heard of yet: send something from the platform to the hook address.".to_owned()),
        }
    }
    let findings = if is_ready && planning::sending(&connection).is_some() { trial::run(app, &connection).await } else { None };
    is_ready &= findings.iter().flatten().all(|f| f.is_good);
    let is_tried = findings.is_some();
    checked.extend(findings.into_iter().flatten().map(|f| f.sentence));
    // Without its keys there is nothing that a delivery could show.
    if planning::sending(&connection).is_some() && !is_tried && missing.is_empty() {
        not_checked.push(match connection.mode {
            Mode::Shadow if platform.has_test_mode() => {
                "Nothing was sent: the credentials show at the first delivery in mode test or live.".into()
            }
            Mode::Shadow => "Nothing was sent: the credentials show at the first delivery in mode live.".into(),
            Mode::Test | Mode::Live => "Nothing was sent: the credentials show at the next delivery.".to_owned(),
        });
    }
    if let (Status::Paused | Status::NeedsAttention, Some(reason)) = (connection.status, &connection.reason) {
        let how = if connection.status == Status::Paused { "It is paused" } else { "It needs attention" };
        checked.push(format!("{how}: {reason}"));
    }
    Ok(Tested { connection: id, platform: connection.platform.clone(), is_ready, checked, not_checked })
}

/// `Pixel id and Access token are still empty.`
pub fn still_empty(labels: &[&str]) -> String {
    let (last, front) = labels.split_last().unwrap_or((&"", &[]));
    match front {
        [] => format!("{last} is still empty."),
        front => format!("{} and {last} are still empty.", front.join(", ")),
    }
}

fn host_of(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_else(|| url.to_owned())
}
