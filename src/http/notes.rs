//! Notes on days, which stand as flags under the chart.

use serde_json::{Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::NoteId;
use crate::domain::question::{Asked, days};
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::flows;
use crate::store::notes::{self, Note};

pub const LIST: Doc = Doc::new("Notes", "What the owner has written on days.")
    .query(&[("from", "first day, 2026-06-01; without it, all time"), ("to", "last day, included")])
    .answer(
        r#"{"items":[{"id":"note_1","day":"2026-06-13","text":"Spring ads on","who":"user_1","created_at":"2026-06-13T10:20:00+01:00"}]}"#,
    )
    .statuses(&[200, 400]);
pub const ADD: Doc = Doc::new("Notes", "Writes a note on a day.")
    .body(r#"{"day":"2026-06-13","text":"Spring ads on"}"#)
    .answer(r#"{"id":"note_1","day":"2026-06-13","text":"Spring ads on","who":"user_1","created_at":"2026-06-13T10:20:00+01:00"}"#)
    .statuses(&[201, 400, 401, 403, 422]);
pub const REMOVE: Doc = Doc::new("Notes", "Takes a note away.").statuses(&[204, 401, 403, 404]);

/// `GET /api/sites/{site}/notes`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let span = Asked(&ask.query).span(&site.zone, app.clock.now())?;
    let all = app.store.read(site.id, move |c| notes::list(c, span)).await?;
    Reply::json(&json!({"items": shown_notes(&all, &site.zone)}))
}

/// `POST /api/sites/{site}/notes`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let fields = reader::object(&ask.body)?;
    let day = reader::required(&fields, "day", 10)?;
    let day = days::day("day", day).map_err(|e| Error::invalid("day", e.message))?;
    let text = reader::required(&fields, "text", 2_000)?;
    let note = flows::notes::add(&app, site.id, day, text, &ask.who()).await?;
    Reply::json_with(201, &shown_note(&note, &site.zone))
}

/// `DELETE /api/sites/{site}/notes/{id}`
pub async fn remove(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let id: NoteId = ask.param("id").parse().map_err(|()| Error::not_found("A note's id looks like note_4."))?;
    flows::notes::remove(&app, site.id, id, &ask.who()).await?;
    Ok(Reply::empty(204))
}

pub fn shown_notes(all: &[Note], zone: &Zone) -> Value {
    all.iter().map(|note| shown_note(note, zone)).collect()
}

fn shown_note(note: &Note, zone: &Zone) -> Value {
    json!({"id": note.id, "day": note.day.to_string(), "text": note.text, "who": note.who, "created_at": shown::time(zone, note.created_at)})
}
