//! Sales that turn out to be one: who had told of a payment without the order's number names it later, and the order has counted
//! already. What the one that knows less was told of goes over to the other; it stays as a shell that counts nowhere and says
//! which sale it is, so that the order in which things are told makes no difference.

use std::cmp::Reverse;

use super::ledger::{balance, move_back};
use super::reversal::{self, Ground, Turn};
use super::standing::speaker;
use super::telling::{Telling, known_by_all, sessions_of};
use super::{Context, must};
use crate::domain::conversion::{Candidate, Joining, joining};
use crate::domain::ids::ConversionId;
use crate::error::Result;
use crate::flows::commissions::{self, Heard};
use crate::flows::{crediting, planning};
use crate::store::conversions::{self, Conversion};
use crate::store::deliveries::{self, Made};
use crate::store::orders::{self, OrderWord};
use crate::store::reports;

/// Why what waited of the shell is not sent.
const UNITED: &str = "united";

/// What came of it: the sale that both are now, and what is told of it.
pub struct United {
    pub sale: ConversionId,
    pub planned: Vec<Made>,
}

/// A telling of `id` names its number for the first time. None where no other sale has it.
pub fn unite(x: &Context, t: &Telling, id: ConversionId, number: &str) -> Result<Option<United>> {
    let own = must(conversions::find(x.c, id)?, "the conversion told again")?;
    let like = Candidate {
        kind: t.kind,
        order_key: Some(number.to_owned()),
        is_key_sure: true,
        contact: None,
        amount: own.amount,
        happened_at: own.happened_at,
        reporters: reports::list_reporters(x.c, id)?,
    };
    let others: Vec<(ConversionId, Candidate)> =
        conversions::list_candidates(x.c, &like)?.into_iter().filter(|(other, _)| *other != id).collect();
    let candidates: Vec<Candidate> = others.iter().map(|(_, candidate)| candidate.clone()).collect();
    let Joining::Join(place) = joining(&like, &candidates) else { return Ok(None) };
    let other = must(conversions::find(x.c, others[place].0)?, "the conversion of this number")?;
    if own.is_erased || other.is_erased {
        return Ok(None);
    }
    let is_own = (own.rank, Reverse(own.id)) > (other.rank, Reverse(other.id));
    let (kept, gone) = if is_own { (own, other) } else { (other, own) };
    let planned = take_over(x, t, &kept, &gone)?;
    Ok(Some(United { sale: kept.id, planned }))
}

fn take_over(x: &Context, t: &Telling, kept: &Conversion, gone: &Conversion) -> Result<Vec<Made>> {
    let words = orders::words_of(x.c, gone.id)?;
    let mut planned = take_back(x, gone, &words)?;
    for report in reports::list_told(x.c, gone.id)? {
        reports::move_to(x.c, report.id, kept.id)?;
    }
    for word in &words {
        orders::set_conversion(x.c, word.id, kept.id)?;
    }
    conversions::close(x.c, gone.id, &format!("This is the same sale as {}: it counts there.", kept.label))?;
    let same = format!("It is the same sale as {}, and counts there.", kept.label);
    commissions::rebook_because(x.c, x.site, gone.id, Some(&same), x.now)?;
    conversions::learned(x.c, kept.id, gone.contact, gone.session, gone.order_key.as_deref())?;
    if gone.consent_given == Some(false) && conversions::refuse(x.c, kept.id, x.now)? {
        deliveries::cancel_waiting(x.c, kept.id, "consent", x.now)?;
    }
    if gone.rank == kept.rank && gone.happened_at < kept.happened_at {
        move_back(x, kept.id, kept, gone.happened_at)?;
    }
    let sale = must(conversions::find(x.c, kept.id)?, "the conversion that both are")?;
    // What one of them had matched, both have.
    if sale.match_type == "none" {
        let outcome = crediting::judge(x.c, x.site, &sale, &known_by_all(x, t, &sale), x.now)?;
        if outcome.is_attributed {
            crediting::write(x.c, x.site, &sale, sale.run + 1, "joined", &outcome, x.now)?;
            let known = deliveries::list_known(x.c, sale.id)?;
            let sessions = sessions_of(&outcome, t.session);
            planned.extend(planning::run(x.c, x.site, x.connections, &sale, &sessions, &known, x.now)?);
        }
    }
    planned.extend(planning::heed_teller(x.c, x.connections, kept.id, x.now)?);
    planned.extend(balance(x, kept.id)?);
    commissions::take_over(x.c, &sale, gone.id, x.now)?;
    commissions::settle(x.c, x.site, kept.id, &Heard::default(), x.now)?;
    let same = format!("It is the same sale as {}, which was counted by itself until then.", gone.label);
    commissions::rebook_because(x.c, x.site, kept.id, Some(&same), x.now)?;
    Ok(planned)
}

/// Who has heard of the sale that is none is told that it went back; what waits of it is not sent.
fn take_back(x: &Context, gone: &Conversion, words: &[OrderWord]) -> Result<Vec<Made>> {
    let mut planned = Vec::new();
    if let Some(word) = speaker(words) {
        let ended = OrderWord { is_gone: true, ended_at: Some(x.now), ..word.clone() };
        let ground = Ground { c: x.c, site: x.site, connections: x.connections, now: x.now };
        deliveries::cancel_reversed(x.c, gone.id, x.now)?;
        planned = reversal::settle(ground, gone, &ended, &[], Turn::Back)?;
    }
    deliveries::rename_reversed(x.c, gone.id, UNITED)?;
    Ok(planned)
}
