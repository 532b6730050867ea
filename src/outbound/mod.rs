//! Stand-in until the client lands.
pub struct Outbound {}
