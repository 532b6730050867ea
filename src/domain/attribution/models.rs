//! Stand-in until the full rules land.
use serde::{Deserialize, Serialize};
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    First,
    Last,
    LastNonDirect,
    Linear,
    Position,
    TimeDecay,
}
