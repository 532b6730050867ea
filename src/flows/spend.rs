//! What advertising has cost: typed in, corrected, taken away. Files of it come by `flows::imports`.

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::ids::{SiteId, SpendId};
use crate::domain::spend::{Spend, SpendLine};
use crate::error::{Error, Result};
use crate::store::{audit, spend};

pub async fn add(app: &App, site: SiteId, amount: Spend, who: &str) -> Result<SpendLine> {
    let (who, now) = (who.to_owned(), app.clock.now());
    app.store
        .write(site, move |c| {
            let id = spend::add(c, &amount, &who, None, now)?;
            audit::add(c, &who, "spend_added", &told(id, &amount), now)?;
            spend::find(c, id)?.ok_or_else(|| unknown(id))
        })
        .await
}

pub async fn change(app: &App, site: SiteId, id: SpendId, amount: Spend, who: &str) -> Result<SpendLine> {
    let (who, now) = (who.to_owned(), app.clock.now());
    app.store
        .write(site, move |c| {
            if !spend::set(c, id, &amount, None)? {
                return Err(unknown(id));
            }
            audit::add(c, &who, "spend_changed", &told(id, &amount), now)?;
            spend::find(c, id)?.ok_or_else(|| unknown(id))
        })
        .await
}

pub async fn remove(app: &App, site: SiteId, id: SpendId, who: &str) -> Result<()> {
    let (who, now) = (who.to_owned(), app.clock.now());
    app.store
        .write(site, move |c| {
            let known = spend::remove(c, id)?.ok_or_else(|| unknown(id))?;
            audit::add(c, &who, "spend_removed", &told(id, &known.spend), now)
        })
        .await
}

pub fn unknown(id: SpendId) -> Error {
    Error::not_found(format!("There is no {id} on this site."))
}

fn told(id: SpendId, spend: &Spend) -> Value {
    json!({"spend": id, "from": spend.days.from.to_string(), "to": spend.days.to.to_string(), "source": spend.source,
        "campaign": spend.campaign, "amount": spend.amount.to_string()})
}
