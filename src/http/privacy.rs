//! People who ask to be forgotten, or for what is kept of them.

use serde_json::{Map, Value, json};

use super::account::check_proved;
use super::ask::{Ask, Caller};
use super::exports::{self, Cell, Format};
use super::json as reader;
use super::person_table;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::question::Asked;
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Kind, Result};
use crate::flows::erase;
use crate::store::erasures::tombstones;
use crate::store::sites::Site;

const ERASURE: &str = "erasure";

pub const DELETE_USER: Doc = Doc::new("Privacy", "Erases a person of the token's site, named by e-mail.")
    .query(&[("email", "the person's address")])
    .answer(r#"{"success":true,"message":"Everything of this person was erased.","certificate":{"erasure":"erasure_1","state":"done"}}"#)
    .statuses(&[200, 400, 401, 403]);
pub const ERASE: Doc =
    Doc::new("Privacy", "Erases a person, named by email, phone, order or contact; with preview it only says what would go.")
        .body(r#"{"email":"ann@mail.example","preview":true}"#)
        .answer(r#"{"erasure":"erasure_1","state":"done","rows":{"leads":2},"total":2,"file":{"state":"clean"},"destinations":[]}"#)
        .statuses(&[200, 201, 401, 403, 404, 409, 422]);
pub const ONE: Doc =
    Doc::new("Privacy", "One certificate: what went, whether the file is clean, who was told. By due_at all is done or said not to be.")
        .answer(
            r#"{"erasure":"erasure_1","state":"pending","due_at":"2026-07-13T09:20:00Z","rows":{"leads":2},"total":2,"destinations":[]}"#,
        )
        .statuses(&[200, 404]);
pub const LIST: Doc = Doc::new("Privacy", "Certificates of erasures, the newest first; no address is in them.")
    .query(&[("cursor", "`next` of the page before"), ("limit", "rows, at most 500")])
    .answer(r#"{"marks":0,"items":[],"next":null}"#)
    .statuses(&[200, 400]);
pub const CSV: Doc =
    Doc::new("Privacy", "The same as CSV, all rows.").answer("erasure,at,who,by,state,total").of_type("text/csv").statuses(&[200]);
pub const JSONL: Doc = Doc::new("Privacy", "The same as JSON lines, all rows.").of_type("application/x-ndjson").statuses(&[200]);
pub const EXPORT_CSV: Doc =
    Doc::new("Privacy", "The same as CSV, in words for the person: a line for each field of each thing that is kept.")
        .query(&[
            ("email", "the person's address"),
            ("phone", "or their phone number"),
            ("order", "or the number of an order of theirs"),
            ("contact", "or contact_12"),
        ])
        .answer("what,row,field,value")
        .of_type("text/csv")
        .statuses(&[200, 401, 403, 404, 409, 422]);
pub const EXPORT: Doc = Doc::new("Privacy", "All that is stored of a person, for the person.")
    .query(&[
        ("email", "the person's address"),
        ("phone", "or their phone number"),
        ("order", "or the number of an order of theirs"),
        ("contact", "or contact_12"),
    ])
    .answer(r#"{"site":"harrow-lane","exported_at":"2026-06-13T09:20:00Z","leads":[],"orders":[]}"#)
    .statuses(&[200, 401, 403, 404, 409, 422]);

/// `DELETE /api/delete-user?email=`
pub async fn delete_user(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let email =
        ask.query("email").ok_or_else(|| Error::new(Kind::Invalid, "invalid_parameter", "Name the person: ?email=…").of("email"))?;
    let named =
        erase::named(&site, Some(email), None, None).map_err(|e| Error::new(Kind::Invalid, "invalid_parameter", e.message).of("email"))?;
    let certificate = erase::run(&app, &site, named, &ask.who()).await?;
    let message = if certificate["total"] == json!(0) {
        "Nothing of this person was found. What is still told of their past is refused from now on."
    } else {
        "Everything of this person was erased."
    };
    Reply::json(&json!({"success": true, "message": message, "certificate": certificate}))
}

/// `POST /api/sites/{site}/erasures`
pub async fn erase(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let fields = reader::object(&ask.body)?;
    let text = |name: &str| reader::text(&fields, name, 254).map(|t| t.filter(|t| !t.trim().is_empty()));
    let named = match text("contact")? {
        Some(contact) => erase::named_contact(contact)?,
        None => erase::named(&site, text("email")?, text("phone")?, text("order")?)?,
    };
    if fields.get("preview") == Some(&Value::Bool(true)) {
        return Reply::json(&erase::preview(&app, &site, named).await?);
    }
    if matches!(ask.caller, Caller::User { .. }) {
        check_proved(&app, &ask)?;
    }
    Reply::json_with(201, &erase::run(&app, &site, named, &ask.who()).await?)
}

/// `GET /api/sites/{site}/erasures/{id}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let id = ask.param("id").parse().map_err(|()| Error::not_found("A certificate's id looks like erasure_4."))?;
    Reply::json(&erase::certificate(&app, site, id).await?)
}

/// `GET /api/sites/{site}/erasures`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let asked = Asked(&ask.query);
    let (found, next) = erase::list(&app, site.id, asked.cursor(ERASURE)?, asked.limit()?).await?;
    let marks = app.store.read(site.id, tombstones::count).await?;
    let names = erase::Names::of(&app, site);
    Reply::json(&json!({
        "marks": marks,
        "items": found.iter().map(|(e, told)| erase::shown(site, &names, e, told)).collect::<Vec<_>>(),
        "next": next.map(|cursor| cursor.text(ERASURE)),
    }))
}

/// `GET /api/sites/{site}/erasures.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    exported(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/erasures.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    exported(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 8] = ["erasure", "uid", "at", "who", "by", "state", "total", "done_at"];

async fn exported(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-erasures", site.slug);
    let page = move |cursor| {
        let (app, site) = (app.clone(), site.clone());
        async move {
            let (found, next) = erase::list(&app, site.id, cursor, exports::PAGE).await?;
            let names = erase::Names::of(&app, &site);
            let shown: Vec<Value> = found.iter().map(|(e, told)| erase::shown(&site, &names, e, told)).collect();
            let text = match format {
                Format::Csv => exports::csv_lines(&shown.iter().map(cells).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(shown.into_iter()),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn cells(e: &Value) -> Vec<Cell> {
    COLUMNS
        .iter()
        .map(|name| match &e[*name] {
            Value::Number(n) => Cell::number(n.as_i64().unwrap_or_default()),
            other => Cell::maybe(other.as_str()),
        })
        .collect()
}

/// `GET /api/sites/{site}/people/export`
pub async fn export(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let tables = person(&app, &ask).await?;
    let mut all = Map::new();
    all.insert("site".into(), Value::from(site.slug.as_str()));
    all.insert("exported_at".into(), site.zone.text(app.clock.now()).into());
    all.extend(tables);
    Ok(Reply::json(&Value::Object(all))?.with("content-disposition", file_name(&site, "json")))
}

/// `GET /api/sites/{site}/people/export.csv`
pub async fn export_csv(app: App, ask: Ask) -> Result<Reply> {
    let tables = person(&app, &ask).await?;
    let lines = person_table::lines(&tables);
    let mut text = exports::csv_head(&["what", "row", "field", "value"])?;
    text.extend(exports::csv_lines(&lines)?);
    Ok(Reply::text("text/csv; charset=utf-8", text).with("content-disposition", file_name(ask.site()?, "csv")))
}

/// Everything of the person who is named, table by table.
async fn person(app: &App, ask: &Ask) -> Result<Map<String, Value>> {
    let site = ask.site()?;
    let named = match ask.query("contact") {
        Some(contact) => erase::named_contact(contact)?,
        None => erase::named(site, ask.query("email"), ask.query("phone"), ask.query("order"))?,
    };
    let tables = erase::exported(app, site, named).await?;
    Ok(tables.into_iter().map(|(table, rows)| (table, with_times(rows, site))).collect())
}

/// It names nobody: files are left lying about.
fn file_name(site: &Site, ending: &str) -> String {
    format!("attachment; filename=\"{}-person.{ending}\"", site.slug)
}

/// Times as the site's owner reads them.
fn with_times(rows: Value, site: &Site) -> Value {
    let Value::Array(rows) = rows else { return rows };
    rows.into_iter()
        .map(|row| match row {
            Value::Object(fields) => fields.into_iter().map(|(name, value)| shown(name, value, &site.zone)).collect(),
            other => other,
        })
        .collect()
}

fn shown(name: String, value: Value, zone: &Zone) -> (String, Value) {
    let is_time = name == "at" || name == "not_after" || name.ends_with("_at");
    match value.as_i64() {
        Some(ms) if is_time => (name, zone.text(Time::from_ms(ms)).into()),
        _ => (name, value),
    }
}
