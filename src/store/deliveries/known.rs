//! Rows of the outbox that a conversion has already.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::ids::{ConnectionId, ConversionId, DeliveryId};
use crate::domain::money::{Currency, Money};
use crate::domain::outgoing::Mode;
use crate::error::Result;

/// A row of the outbox that a conversion has already.
#[derive(Debug, Clone)]
pub struct Known {
    pub id: DeliveryId,
    pub(super) connection: i64,
    pub(super) kind: String,
    event_id: String,
    pub(super) state: String,
    pub reason: Option<String>,
    pub mode: Mode,
    /// What the platform took it for; none where it never took it.
    pub told: Option<Money>,
    /// The answer of its last send never came: it may have arrived.
    pub is_unknown: bool,
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

    /// A request of it may be under way at this moment.
    pub fn is_leased(&self) -> bool {
        self.state == "leased"
    }

    /// It goes by itself, sooner or later.
    pub fn is_queued(&self) -> bool {
        matches!(self.state.as_str(), "pending" | "leased")
    }

    /// It was built and shown, and not sent.
    pub fn is_shown(&self) -> bool {
        self.state == "skipped" && self.reason.as_deref() == Some("shadow")
    }
}

pub fn list_known(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Known>> {
    c.list(
        "select id, connection_id, kind, event_id, state, reason, mode, told_minor, told_currency, unknown_at is not null
         from deliveries where site_id = :site and conversion_id = :conversion order by id",
        named_params! {":conversion": conversion.number()},
        |row| {
            let (mode, minor, currency): (String, Option<i64>, Option<String>) = (row.get(6)?, row.get(7)?, row.get(8)?);
            Ok(Known {
                id: DeliveryId::new(row.get(0)?),
                connection: row.get(1)?,
                kind: row.get(2)?,
                event_id: row.get(3)?,
                state: row.get(4)?,
                reason: row.get(5)?,
                mode: Mode::parse(&mode).unwrap_or(Mode::Shadow),
                told: minor.zip(currency.as_deref().and_then(Currency::parse)).map(|(minor, currency)| Money::new(minor, currency)),
                is_unknown: row.get(9)?,
            })
        },
    )
}
