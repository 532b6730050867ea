//! Which deliveries are asked for.

use super::{Asked, Choice};
use crate::error::{Error, Result};

pub const DELIVERY_STATES: [&str; 9] = ["pending", "leased", "delivered", "accepted", "skipped", "refused", "dead", "held", "cancelled"];

#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeliveryFilter {
    pub platform: Choice,
    /// Numbers of connections, as text.
    pub connection: Choice,
    pub state: Choice,
    pub kind: Choice,
    pub conversion: Option<i64>,
}

/// What a delivery is filtered and counted by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeliveryMarks<'r> {
    pub platform: &'r str,
    pub connection: i64,
    pub state: &'r str,
    pub kind: &'r str,
    pub conversion: i64,
}

impl DeliveryFilter {
    pub fn read(asked: Asked) -> Result<Self> {
        use super::super::ids::ConversionId;
        let conversion = asked
            .one("conversion")
            .map(|text| {
                text.parse::<ConversionId>()
                    .map(ConversionId::number)
                    .map_err(|()| Error::parameter("conversion", "conversion is an id like conversion_12."))
            })
            .transpose()?;
        Ok(Self {
            platform: asked.slug("platform")?,
            connection: asked.connections("connection")?,
            state: asked.one_of("state", &DELIVERY_STATES)?,
            kind: asked.free("kind")?,
            conversion,
        })
    }

    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether only some connections or states are wanted.
    pub fn is_narrow(&self) -> bool {
        !(self.platform.is_open() && self.connection.is_open() && self.state.is_open())
    }

    /// Whether anything of this connection may be wanted.
    pub fn admits_connection(&self, id: i64, platform: &str) -> bool {
        self.platform.admits(platform) && (self.connection.is_open() || self.connection.admits(&id.to_string()))
    }

    pub fn admits(&self, m: &DeliveryMarks) -> bool {
        self.admits_but_state(m) && self.state.admits(m.state)
    }

    /// For the facet of states.
    pub fn admits_but_state(&self, m: &DeliveryMarks) -> bool {
        self.platform.admits(m.platform) && self.admits_rest(m)
    }

    /// For the facet of platforms.
    pub fn admits_but_platform(&self, m: &DeliveryMarks) -> bool {
        self.state.admits(m.state) && self.admits_rest(m)
    }

    fn admits_rest(&self, m: &DeliveryMarks) -> bool {
        (self.connection.is_open() || self.connection.admits(&m.connection.to_string()))
            && self.kind.admits(m.kind)
            && self.conversion.is_none_or(|id| id == m.conversion)
    }
}
