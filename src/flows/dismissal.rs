//! A body that could not be read and needs nobody, such as a robot's: it leaves what waits for the owner and stays in the
//! inbox as long as any.

use std::sync::Arc;

use serde_json::json;

use crate::app::{App, News};
use crate::domain::ids::InboxId;
use crate::error::{Error, Kind, Result};
use crate::store::sites::Site;
use crate::store::{audit, inbox};

/// Only what is quarantined can be dismissed; once more is no error and says nothing new. It can still be run again.
pub async fn run(app: &App, site: &Arc<Site>, id: InboxId, who: &str) -> Result<()> {
    let (now, who) = (app.clock.now(), who.to_owned());
    let is_changed = app
        .store
        .write(site.id, move |c| {
            if inbox::turn(c, id, "quarantined", "dismissed")? {
                audit::add(c, &who, "inbox_dismissed", &json!({ "inbox": id }), now)?;
                return Ok(true);
            }
            match inbox::find_state(c, id)?.as_deref() {
                Some("dismissed") => Ok(false),
                Some(_) => Err(Error::new(Kind::Conflict, "not_quarantined", format!("{id} was read: there is nothing to dismiss."))),
                None => Err(Error::not_found(format!("There is no {id} on this site."))),
            }
        })
        .await?;
    if is_changed {
        app.tell(News::Inbox { site: site.id, id, state: "dismissed" });
    }
    Ok(())
}
