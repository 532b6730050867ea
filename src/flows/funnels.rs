//! Funnels of a site: named, changed, taken away.

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::funnel::{Funnel, MOST_FUNNELS, Plan};
use crate::domain::ids::FunnelId;
use crate::error::{Error, Kind, Result};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{audit, funnels};

pub async fn add(app: &App, site: &Site, name: String, plan: Plan, who: String) -> Result<Funnel> {
    let (now, currency) = (app.clock.now(), site.currency);
    app.store
        .write(site.id, move |c| {
            if funnels::count(c)? >= MOST_FUNNELS {
                let sentence = format!("A site has at most {MOST_FUNNELS} funnels. Take one away first.");
                return Err(Error::new(Kind::Conflict, "too_many_funnels", sentence));
            }
            check_name(c, &name, None)?;
            let funnel = funnels::add(c, &name, &plan, &who, now)?;
            audit::add(c, &who, "funnel_added", &told(&funnel, currency), now)?;
            Ok(funnel)
        })
        .await
}

/// Another name, another plan, or both.
pub async fn change(app: &App, site: &Site, id: FunnelId, name: Option<String>, plan: Option<Plan>, who: String) -> Result<Funnel> {
    let (now, currency) = (app.clock.now(), site.currency);
    app.store
        .write(site.id, move |c| {
            let mut funnel = must(c, id)?;
            if let Some(name) = name {
                check_name(c, &name, Some(id))?;
                funnel.name = name;
            }
            if let Some(plan) = plan {
                funnel.plan = plan;
            }
            funnels::change(c, &funnel)?;
            audit::add(c, &who, "funnel_changed", &told(&funnel, currency), now)?;
            Ok(funnel)
        })
        .await
}

pub async fn remove(app: &App, site: &Site, id: FunnelId, who: String) -> Result<()> {
    let (now, currency) = (app.clock.now(), site.currency);
    app.store
        .write(site.id, move |c| {
            let funnel = must(c, id)?;
            funnels::remove(c, id)?;
            audit::add(c, &who, "funnel_removed", &told(&funnel, currency), now)
        })
        .await
}

/// One that is there.
pub fn must(c: &SiteConn, id: FunnelId) -> Result<Funnel> {
    funnels::find(c, id)?.ok_or_else(|| Error::not_found(format!("There is no {id} on this site.")))
}

fn check_name(c: &SiteConn, name: &str, but: Option<FunnelId>) -> Result<()> {
    match funnels::find_namesake(c, name, but)? {
        None => Ok(()),
        Some(_) => Err(Error::new(Kind::Conflict, "funnel_exists", format!("There is a funnel called {name} already.")).of("name")),
    }
}

fn told(funnel: &Funnel, currency: crate::domain::money::Currency) -> Value {
    let steps: Vec<Value> = funnel.plan.steps.iter().map(|step| step.shown(currency)).collect();
    json!({"funnel": funnel.id, "name": funnel.name, "steps": steps, "order": funnel.plan.order, "window_days": funnel.plan.window_days})
}
