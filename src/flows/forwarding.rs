//! One conversion for one platform, because somebody asks for it: the delivery that stands, or a new one.

use std::sync::Arc;

use crate::app::{App, News};
use crate::destinations;
use crate::domain::ids::ConversionId;
use crate::error::{Error, Kind, Result};
use crate::flows::intake::reversal::{self, Ground};
use crate::flows::{pipeline, planning};
use crate::platforms;
use crate::store::connections::Connection;
use crate::store::conversions;
use crate::store::deliveries::{self, Delivery};
use crate::store::sites::Site;

/// Plans it where this connection has heard nothing of the conversion yet, under the same rules as any other. Asked again,
/// it is the same delivery.
pub async fn run(app: &App, site: &Arc<Site>, id: ConversionId, destination: &str) -> Result<Delivery> {
    let unknown = || Error::not_found("There is no such conversion.");
    app.store.read(site.id, move |c| conversions::find(c, id)).await?.ok_or_else(unknown)?;
    let connection = find(app, site, destination)?;
    let (owner, now) = (site.clone(), app.clock.now());
    let all: Vec<Arc<Connection>> = app.book().connections_of(site.id).cloned().collect();
    let (delivery, made) = app
        .store
        .write(site.id, move |c| {
            let conversion = conversions::find(c, id)?.ok_or_else(unknown)?;
            let standing = |c| -> Result<Option<Delivery>> {
                let all = deliveries::find_by_connection(c, connection.id, id)?;
                Ok(all.into_iter().find(|d| d.event_id == conversion.event_id))
            };
            if let Some(delivery) = standing(c)? {
                return Ok((delivery, None));
            }
            let sessions = pipeline::sessions_of(c, &conversion)?;
            let known = deliveries::list_known(c, id)?;
            let made = planning::one(c, &owner, (&all, connection.id), &conversion, &sessions, &known, now)?;
            reversal::follow(Ground { c, site: &owner, connections: &all, now }, id)?;
            let delivery = standing(c)?.ok_or_else(|| Error::internal("a conversion was planned and has no delivery"))?;
            Ok((delivery, made.into_iter().next()))
        })
        .await?;
    if let Some(made) = made {
        app.wake.notify_waiters();
        app.tell(News::Delivery { site: site.id, id: made.id, conversion: id, state: made.state.to_owned() });
    }
    Ok(delivery)
}

/// The connection that is meant: by its platform, or by its own id where there are several.
fn find(app: &App, site: &Site, word: &str) -> Result<Arc<Connection>> {
    let book = app.book();
    let all: Vec<&Arc<Connection>> = book
        .connections_of(site.id)
        .filter(|c| planning::sending(c).is_some() && (c.platform == word || c.id.to_string() == word))
        .collect();
    match all.as_slice() {
        [one] => Ok(Arc::clone(one)),
        [] => Err(refused("not_connected", not_connected(site, word))),
        some => {
            let ids: Vec<String> = some.iter().map(|c| c.id.to_string()).collect();
            Err(refused("ambiguous", format!("There are {} connections to {word}. Name one by its id: {}.", some.len(), ids.join(", "))))
        }
    }
}

fn not_connected(site: &Site, word: &str) -> String {
    match platforms::find(word).filter(|p| p.sends()) {
        Some(platform) => format!(
            "{} is not connected. Connect it in the dashboard under Connections, or by halotrack connection add --site {} --platform {}.",
            platform.name(),
            site.slug,
            platform.slug()
        ),
        None => {
            let known: Vec<&str> = destinations::ALL.iter().map(|d| d.about().slug).collect();
            format!("There is no such destination. There are: {}.", known.join(", "))
        }
    }
}

fn refused(code: &'static str, message: String) -> Error {
    Error::new(Kind::Invalid, code, message).of("destination")
}
