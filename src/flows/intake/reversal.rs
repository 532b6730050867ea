//! What destinations are told of money that went back, each by its own account, and those that take it of money that counts
//! again after all.

use std::sync::Arc;

use crate::destinations::Destination;
use crate::domain::ids::{ConversionId, RefundId, SessionId};
use crate::domain::money::Money;
use crate::domain::reckoning::{Account, Act, Place, settle as settle_account};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::Result;
use crate::flows::planning::{self, May};
use crate::flows::reckoning::Reckoning;
use crate::store::connections::{Connection, Status};
use crate::store::conversions::{self, Conversion};
use crate::store::deliveries::{self, ALL_TOLD, Known, Made, Planned, REVERSED, SALE_HOLDS};
use crate::store::orders::{self, OrderWord};
use crate::store::reversals::{self, NewReversal, Reversal};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

use super::refund::Counted;
use super::standing::Standing;

/// A sale that counts again, where its platform has no word of its own for it.
const AGAIN: &str = "again";

/// Where it is said, and to whom.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub c: &'a SiteConn<'a>,
    pub site: &'a Site,
    pub connections: &'a [Arc<Connection>],
    pub now: Time,
}

/// Whether a sale went back as a whole just now, or came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    None,
    Back,
    Again,
}

/// A sale is told anew by somebody's hand, or to one more connection: what went back of it follows.
pub fn follow(g: Ground, id: ConversionId) -> Result<Vec<Made>> {
    let words = orders::words_of(g.c, id)?;
    let (Some(standing), Some(sale)) = (Standing::of(g.c, &words)?, conversions::find(g.c, id)?) else { return Ok(Vec::new()) };
    if standing.word.rank < sale.rank {
        return Ok(Vec::new());
    }
    settle(g, &sale, &standing.word, standing.counted(), Turn::None)
}

/// Brings every destination's account to what has gone of a sale. Repeating it adds nothing.
pub fn settle(g: Ground, sale: &Conversion, word: &OrderWord, all: &[Counted], turn: Turn) -> Result<Vec<Made>> {
    let told = reversals::list_of_conversion(g.c, sale.id)?;
    let is_whole = !word.is_over() && all.iter().all(|one| one.counted_minor == 0);
    if told.is_empty() && is_whole {
        return Ok(Vec::new());
    }
    let sessions: Vec<SessionId> = sale.session.into_iter().collect();
    let may = planning::consent_for(g.c, g.site, sale, &sessions, g.now)?;
    let mut planned = Vec::new();
    for connection in g.connections {
        let Some(destination) = planning::sending(connection) else { continue };
        let teller = Teller { g, sale, word, all, may: &may, connection, destination };
        planned.extend(teller.settle(turn)?);
    }
    Ok(planned)
}

/// One destination, and what it may hear of one sale.
struct Teller<'a> {
    g: Ground<'a>,
    sale: &'a Conversion,
    word: &'a OrderWord,
    all: &'a [Counted],
    may: &'a May,
    connection: &'a Connection,
    destination: &'static dyn Destination,
}

impl Teller<'_> {
    fn settle(&self, turn: Turn) -> Result<Vec<Made>> {
        let c = self.g.c;
        let known = deliveries::list_known(c, self.sale.id)?;
        let mut told = reversals::list_of_conversion(c, self.sale.id)?;
        if turn != Turn::None && self.forget(turn, &told, &known)? {
            told = reversals::list_of_conversion(c, self.sale.id)?;
        }
        let reckoning = Reckoning::of(self.connection.id, self.sale, &told, &known);
        let Some(row) = reckoning.sale else { return Ok(Vec::new()) };
        let pieces = reckoning.pieces(self.word.total);
        let refunds: Vec<(RefundId, i64)> = self.all.iter().map(|one| (one.refund.id, one.counted_minor)).collect();
        let account = Account {
            sold_minor: reckoning.sold_minor(self.word.total),
            is_sold: reckoning.is_sold(),
            has_heard: self.destination.kind_of_refund().is_some() && row.told.is_some(),
            takes_again: self.destination.kind_of_again().is_some() && row.told.is_some(),
            pieces: &pieces,
            refunds: &refunds,
            is_over: self.word.is_over(),
        };
        let mut planned = Vec::new();
        for act in settle_account(&account) {
            match act {
                Act::Change(n, minor) => self.change(reckoning.tellings[n], minor)?,
                Act::Release(n, minor) => planned.extend(self.release(&reckoning, n, minor)?),
                Act::Pass(n) => reversals::set_past(c, self.sale.id, reckoning.tellings[n].0.n)?,
                Act::Tell(refund, minor) => planned.extend(self.tell(&reckoning, refund, minor)?),
                Act::Note(refund) => self.add(Some(refund), None, 0, self.happened_at(Some(refund)))?,
                Act::Again(minor) | Act::Unsaid(minor) => planned.extend(self.again(&reckoning, minor)?),
            }
        }
        Ok(planned)
    }

    /// A sale that turned begins a new page: what this destination never heard of was never said, and what it heard explains
    /// nothing that comes from now on. True where anything changed.
    fn forget(&self, turn: Turn, told: &[Reversal], known: &[Known]) -> Result<bool> {
        let reckoning = Reckoning::of(self.connection.id, self.sale, told, known);
        let pieces = reckoning.pieces(self.word.total);
        let mut is_changed = false;
        for ((reversal, _), piece) in reckoning.tellings.iter().zip(&pieces) {
            let is_said = matches!(piece.place, Place::Told(_) | Place::Waits | Place::OnItsWay) && reversal.event_id.is_some();
            let is_again = reversal.amount.minor < 0;
            match turn {
                Turn::Again if !is_said => reversals::set_amount(self.g.c, self.sale.id, reversal.n, 0)?,
                Turn::Again if matches!(piece.place, Place::Told(_)) && reversal.refund.is_none() => {
                    reversals::set_past(self.g.c, self.sale.id, reversal.n)?;
                }
                Turn::Back if is_again && !is_said => reversals::set_amount(self.g.c, self.sale.id, reversal.n, 0)?,
                _ => continue,
            }
            is_changed = true;
        }
        Ok(is_changed)
    }

    fn change(&self, (reversal, delivery): (&Reversal, Option<&Known>), minor: i64) -> Result<()> {
        reversals::set_amount(self.g.c, self.sale.id, reversal.n, minor)?;
        if let Some(delivery) = delivery.filter(|_| minor == 0) {
            let reason = match reversal.amount.minor < 0 {
                true => REVERSED,
                false if self.word.is_over() => ALL_TOLD,
                false => SALE_HOLDS,
            };
            let may_be = delivery.is_unknown.then(|| Money::new(reversal.amount.minor.abs(), reversal.amount.currency));
            deliveries::end_piece(self.g.c, delivery.id, reason, may_be, self.g.now)?;
        }
        Ok(())
    }

    fn release(&self, reckoning: &Reckoning, n: usize, minor: i64) -> Result<Option<Made>> {
        let (reversal, delivery) = reckoning.tellings[n];
        let Some(delivery) = delivery else { return Ok(None) };
        reversals::set_amount(self.g.c, self.sale.id, reversal.n, minor)?;
        deliveries::release_piece(self.g.c, delivery.id, reckoning.mode(self.connection.mode), self.next_at())?;
        Ok(Some(Made { id: delivery.id, state: "pending" }))
    }

    fn tell(&self, reckoning: &Reckoning, refund: Option<RefundId>, minor: i64) -> Result<Option<Made>> {
        let at = self.happened_at(refund);
        let external_id = self.all.iter().find(|one| Some(one.refund.id) == refund).map(|one| one.refund.external_id.as_str());
        let plain = external_id.map_or(self.sale.event_id.as_str(), |id| id.rsplit(':').next().unwrap_or(id));
        let event_id = self.free_event("refund", plain)?;
        self.add(refund, Some(&event_id), minor, at)?;
        let is_untold = !reckoning.is_sold();
        self.plan(reckoning, self.destination.kind_of_refund(), "refund", &event_id, at, is_untold)
    }

    fn again(&self, reckoning: &Reckoning, minor: i64) -> Result<Option<Made>> {
        let at = self.word.modified_at.max(self.word.happened_at).min(self.g.now);
        let event_id = self.free_event(AGAIN, &self.sale.event_id)?;
        self.add(None, Some(&event_id), -minor, at)?;
        self.plan(reckoning, self.destination.kind_of_again(), AGAIN, &event_id, at, false)
    }

    fn happened_at(&self, refund: Option<RefundId>) -> Time {
        let of_refund = self.all.iter().find(|one| Some(one.refund.id) == refund).map(|one| one.refund.happened_at);
        of_refund.unwrap_or_else(|| changed_at(self.word))
    }

    fn add(&self, refund: Option<RefundId>, event_id: Option<&str>, minor: i64, happened_at: Time) -> Result<()> {
        let amount = Money::new(minor, self.word.total.currency);
        let new = NewReversal { conversion: self.sale.id, connection: self.connection.id, refund, event_id, amount, happened_at };
        reversals::add(self.g.c, &new)
    }

    fn next_at(&self) -> Option<Time> {
        (!matches!(self.connection.status, Status::Paused | Status::NotConfigured)).then_some(self.g.now)
    }

    /// The row beside that of the sale; a second one of the same kind carries a revision.
    fn plan(
        &self,
        reckoning: &Reckoning,
        kind: Option<&'static str>,
        word: &'static str,
        event_id: &str,
        at: Time,
        is_untold: bool,
    ) -> Result<Option<Made>> {
        let (c, now) = (self.g.c, self.g.now);
        let not_after = self.destination.age_limit_ms().map(|limit| at.plus_ms(limit - HOUR_MS));
        let skip = if self.sale.is_erased {
            Some("erased")
        } else if !self.sale.counts {
            Some("not_counted")
        } else if kind.is_none() {
            Some(if word == AGAIN { "no_way_back" } else { "unsupported_kind" })
        } else if is_untold {
            Some(deliveries::SALE_NOT_SENT)
        } else if !self.may.is_allowed {
            Some("consent")
        } else if not_after.is_some_and(|limit| now > limit) {
            Some("too_old")
        } else {
            None
        };
        let known = deliveries::list_known(c, self.sale.id)?;
        let base = kind.unwrap_or(word);
        let mut free = (1..).map(|n| if n == 1 { base.to_owned() } else { format!("{base}.{n}") });
        let kind = free.find(|word| !known.iter().any(|k| k.is_kind(self.connection.id, word))).unwrap_or_default();
        let row = Planned {
            connection: self.connection.id,
            conversion: self.sale.id,
            platform: &self.connection.platform,
            kind: &kind,
            event_id,
            mode: reckoning.mode(self.connection.mode),
            skip,
            hold: if skip.is_none() && planning::is_hopeless(c, self.connection)? { Some(deliveries::FAILING) } else { None },
            next_at: self.next_at(),
            not_after,
            now,
            day: self.g.site.zone.day(now),
        };
        deliveries::plan(c, &row, &known)
    }

    /// Two shops may have the same number, and an order may end twice.
    fn free_event(&self, what: &str, plain: &str) -> Result<String> {
        let is_free = |event_id: &str| reversals::find_by_event(self.g.c, self.connection.id, event_id).map(|found| found.is_none());
        let base = format!("{what}_{plain}");
        if is_free(&base)? {
            return Ok(base);
        }
        let own = format!("{what}_con{}_{plain}", self.word.connection);
        let mut event_id = own.clone();
        let mut n = 2;
        while !is_free(&event_id)? {
            event_id = format!("{own}_{n}");
            n += 1;
        }
        Ok(event_id)
    }
}

/// When the order became what it is now: its end, or its last change.
pub fn changed_at(word: &OrderWord) -> Time {
    let at = if word.is_over() { word.ended_at.unwrap_or(word.modified_at) } else { word.modified_at };
    at.max(word.happened_at)
}
