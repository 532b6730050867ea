//! Rows of the outbox that a conversion has already.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::ids::{ConnectionId, ConversionId, DeliveryId};
use crate::error::Result;

/// A row of the outbox that a conversion has already.
pub struct Known {
    pub(super) id: DeliveryId,
    pub(super) connection: i64,
    pub(super) kind: String,
    event_id: String,
    pub(super) state: String,
    pub(super) reason: Option<String>,
}

impl Known {
    pub fn is_of(&self, connection: ConnectionId, event_id: &str) -> bool {
        self.connection == connection.number() && self.event_id == event_id
    }

    pub fn is_kind(&self, connection: ConnectionId, kind: &str) -> bool {
        self.connection == connection.number() && self.kind == kind
    }

    /// It waits, is held, or is on its way.
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "pending" | "leased" | "held")
    }

    /// The platform has not heard of it and will not. What is only shown in shadow mode counts as heard.
    pub fn is_untold(&self) -> bool {
        matches!(self.state.as_str(), "skipped" | "refused" | "dead" | "cancelled") && self.reason.as_deref() != Some("shadow")
    }
}

pub fn list_known(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Known>> {
    c.list(
        "select id, connection_id, kind, event_id, state, reason from deliveries where site_id = :site and conversion_id = :conversion",
        named_params! {":conversion": conversion.number()},
        |row| {
            let id = DeliveryId::new(row.get(0)?);
            Ok(Known { id, connection: row.get(1)?, kind: row.get(2)?, event_id: row.get(3)?, state: row.get(4)?, reason: row.get(5)? })
        },
    )
}
