//! What pages report by name: button clicks, steps, goals.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::SessionId;
use crate::domain::time::Time;
use crate::error::Result;

pub fn add(c: &SiteConn, session: SessionId, name: &str, properties: &str, path: Option<&str>, at: Time) -> Result<()> {
    let id = c.next_inner_number("event")?;
    c.execute(
        "insert into page_events (site_id, id, session_id, at, name, properties, path) values (:site, :id, :session, :at, :name, :properties, :path)",
        named_params! {":id": id, ":session": session.number(), ":at": at.ms(), ":name": name, ":properties": properties, ":path": path},
    )?;
    Ok(())
}
