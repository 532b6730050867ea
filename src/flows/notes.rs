//! Notes on days, added and taken away.

use serde_json::json;

use crate::app::App;
use crate::domain::ids::{NoteId, SiteId};
use crate::domain::time::Day;
use crate::error::{Error, Result};
use crate::store::audit;
use crate::store::notes::{self, Note};

/// Longer than this is no note on a chart.
const LONGEST: usize = 200;

pub async fn add(app: &App, site: SiteId, day: Day, text: &str, who: &str) -> Result<Note> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(Error::invalid("text", "Write what happened on the day."));
    }
    if text.chars().count() > LONGEST {
        return Err(Error::invalid("text", format!("A note has at most {LONGEST} characters.")));
    }
    let (who, now) = (who.to_owned(), app.clock.now());
    app.store
        .write(site, move |c| {
            let note = notes::add(c, day, &text, &who, now)?;
            audit::add(c, &who, "note_added", &json!({"note": note.id, "day": day.to_string()}), now)?;
            Ok(note)
        })
        .await
}

pub async fn remove(app: &App, site: SiteId, id: NoteId, who: &str) -> Result<()> {
    let (who, now) = (who.to_owned(), app.clock.now());
    app.store
        .write(site, move |c| {
            if !notes::remove(c, id)? {
                return Err(Error::not_found(format!("There is no {id} on this site.")));
            }
            audit::add(c, &who, "note_removed", &json!({"note": id}), now)
        })
        .await
}
