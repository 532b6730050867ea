//! One row for each call of a tracker: when it came, and how many of its events were taken.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::ConnectionId;
use crate::domain::time::Time;
use crate::error::Result;

pub struct NewCall<'a> {
    pub connection: ConnectionId,
    pub platform: &'a str,
    /// `success`, `warning` where some events failed, `error` where all did.
    pub status: &'static str,
    pub processed: usize,
    pub errors: usize,
    pub message: &'a str,
    /// What was wrong with which event, as JSON. No values of the events.
    pub details: &'a str,
    pub started_at: Time,
    pub completed_at: Time,
}

pub fn add(c: &SiteConn, new: &NewCall) -> Result<()> {
    let id = c.next_number("tracker_call")?;
    c.execute(
        "insert into tracker_calls (site_id, id, connection_id, platform, status, processed, errors, message, details, started_at, completed_at)
         values (:site, :id, :connection, :platform, :status, :processed, :errors, :message, :details, :started, :completed)",
        named_params! {":id": id, ":connection": new.connection.number(), ":platform": new.platform, ":status": new.status,
        ":processed": new.processed as i64, ":errors": new.errors as i64, ":message": new.message, ":details": new.details,
        ":started": new.started_at.ms(), ":completed": new.completed_at.ms()},
    )?;
    Ok(())
}
