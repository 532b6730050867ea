//! What readers keep in memory between questions, each part bounded by itself.

use super::cube::Memory;
use super::milestones::walked::Walks;
use super::questions::journeys::Shelf;

#[derive(Default)]
pub struct Recall {
    /// Answers over counted days.
    pub(super) memory: Memory,
    /// The steps of sites whose funnel was looked at.
    pub(super) walks: Walks,
    /// The journeys of sites whose attribution was looked at.
    pub(super) journeys: Shelf,
}
