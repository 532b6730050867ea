//! A destination's own account of a sale: what it was told as sold, and each telling of what went back, as they stand.

use crate::domain::ids::ConnectionId;
use crate::domain::money::Money;
use crate::domain::outgoing::Mode;
use crate::domain::reckoning::{Piece, Place};
use crate::store::conversions::Conversion;
use crate::store::deliveries::{Known, SALE_NOT_SENT};
use crate::store::reversals::Reversal;

/// Why nothing is told where a platform has no word for it.
const UNSUPPORTED: &str = "unsupported_kind";

pub struct Reckoning<'a> {
    /// The delivery of the sale itself; none where this connection was never asked to tell it.
    pub sale: Option<&'a Known>,
    /// In the order of planning, each with its delivery where it has one.
    pub tellings: Vec<(&'a Reversal, Option<&'a Known>)>,
}

impl<'a> Reckoning<'a> {
    /// Of what is told of a conversion, and of its deliveries, what is one connection's.
    pub fn of(connection: ConnectionId, conversion: &Conversion, told: &'a [Reversal], known: &'a [Known]) -> Self {
        let delivery = |event_id: &str| known.iter().find(|k| k.is_of(connection, event_id));
        let tellings = told.iter().filter(|r| r.connection == connection).map(|r| (r, r.event_id.as_deref().and_then(delivery))).collect();
        Self { sale: delivery(&conversion.event_id), tellings }
    }

    /// What the platform has for the sale, or will have: `total` where it was not told yet, or in another currency.
    pub fn sold_minor(&self, total: Money) -> i64 {
        self.sale.and_then(|s| s.told).filter(|told| told.currency == total.currency).map_or(total.minor, |told| told.minor).max(0)
    }

    /// The platform has the sale, is about to, or is only shown what it would have.
    pub fn is_sold(&self) -> bool {
        self.sale.is_some_and(|s| s.told.is_some() || s.is_open() || s.is_shown())
    }

    /// The mode that a telling of it may have: what was only shown is only shown on.
    pub fn mode(&self, now: Mode) -> Mode {
        if self.sale.is_some_and(|s| s.told.is_none() && s.is_shown()) { Mode::Shadow } else { now }
    }

    /// The account in the currency of `total`.
    pub fn pieces(&self, total: Money) -> Vec<Piece> {
        let one = |(reversal, delivery): &(&Reversal, Option<&Known>)| Piece {
            refund: reversal.refund,
            minor: if reversal.amount.currency == total.currency { reversal.amount.minor } else { 0 },
            place: self.place(reversal, *delivery),
            is_past: reversal.is_past,
        };
        self.tellings.iter().map(one).collect()
    }

    fn place(&self, reversal: &Reversal, delivery: Option<&Known>) -> Place {
        let planned = reversal.amount.minor.abs();
        let Some(delivery) = delivery else {
            // Its name went with an erased person, or it explains a refund; what was deleted with its person never went.
            return if reversal.event_id.is_none() { Place::Told(planned) } else { Place::Never };
        };
        // What went into another mode than the sale did counts nothing there.
        let same = |told: &Money| self.sale.is_none_or(|s| s.mode == delivery.mode) && told.currency == reversal.amount.currency;
        match delivery.told.filter(same) {
            Some(told) => Place::Told(told.minor),
            None if delivery.is_leased() => Place::OnItsWay,
            None if delivery.is_open() => Place::Waits,
            None if delivery.is_shown() && self.mode(Mode::Live) == Mode::Shadow => Place::Told(planned),
            None if delivery.reason.as_deref() == Some(SALE_NOT_SENT) => Place::Behind,
            // A platform without a word for it: noted once.
            None if delivery.reason.as_deref() == Some(UNSUPPORTED) => Place::Told(planned),
            None => Place::Never,
        }
    }
}
