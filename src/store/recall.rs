//! What readers keep in memory between questions, each part bounded by itself.

/// What was read once, kept as long as it is true.
pub mod shelf;

use super::cube::Memory;
use super::milestones::walked::Walks;
use super::questions::{funnels, journeys, lost};
use super::trails::{sold, visits};

pub struct Recall {
    /// Answers over counted days.
    pub(super) memory: Memory,
    /// The steps of sites whose funnel was looked at.
    pub(super) walks: Walks,
    /// The journeys of sites whose attribution was looked at.
    pub(super) journeys: journeys::Kept,
    /// The visits of those whose journeys were estimated.
    pub(super) visits: lost::Kept,
    /// The visits of sites whose people were followed.
    pub(super) trail_visits: visits::Kept,
    /// What those people asked for and bought.
    pub(super) trail_sales: sold::Kept,
    /// What their funnels came to.
    pub(super) funnels: funnels::Kept,
}

impl Default for Recall {
    fn default() -> Self {
        Self {
            memory: Memory::default(),
            walks: Walks::default(),
            journeys: journeys::shelf(),
            visits: lost::shelf(),
            trail_visits: visits::Kept::default(),
            trail_sales: sold::Kept::default(),
            funnels: funnels::Kept::default(),
        }
    }
}
