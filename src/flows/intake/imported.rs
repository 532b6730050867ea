//! Facts of a file that the owner brings: the same way in as for live ones, from doors of their own, without a body.

use std::sync::Arc;

use super::{Context, Stored, past, tell_one};
use crate::domain::conversion::{Candidate, ConversionKind, Joining, Rank, Reporter, joining, order_key};
use crate::domain::fact::Fact;
use crate::domain::ids::{ConversionId, InboxId};
use crate::domain::import::ImportKind;
use crate::domain::milestone;
use crate::domain::time::Time;
use crate::error::Result;
use crate::store::connections::Connection;
use crate::store::people::{holder_of, identities_of};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{conversions, counters};

/// One door for each kind of file: a file of orders and one of conversions may tell of the same sale, and two rows of one
/// file never do.
pub fn door(kind: ImportKind) -> i64 {
    match kind {
        ImportKind::Orders => -4,
        ImportKind::Conversions => -5,
        ImportKind::Leads => -6,
        ImportKind::Spend | ImportKind::Touches => -7,
        ImportKind::Offline => -8,
    }
}

/// What every row of a file shares.
pub struct Brought<'a> {
    pub site: &'a Site,
    pub connections: &'a [Arc<Connection>],
    pub kind: ImportKind,
    pub inbox: InboxId,
    pub now: Time,
}

/// Stores what follows from one row. None where it is of somebody's erased past.
pub fn store(c: &SiteConn, of: &Brought, fact: &Fact) -> Result<Option<Stored>> {
    let (connection, now) = (door(of.kind), of.now);
    let news = past::judge(c, of.site, connection, fact, now)?;
    let told = match &news {
        past::News::Present | past::News::Again => fact,
        past::News::Past(without_person) => without_person,
        past::News::Nobody => {
            counters::add(c, of.site.zone.day(now), "fact_refused", "erased")?;
            return Ok(None);
        }
    };
    let x = Context {
        c,
        site: of.site,
        connections: of.connections,
        connection,
        inbox: of.inbox,
        is_asserted: false,
        now,
        heard_at: now,
        read_at: None,
        was_named: false,
        erased_at: matches!(news, past::News::Past(_)).then_some(now),
    };
    tell_one(&x, told).map(Some)
}

/// What would become of a row, as far as its number and the erased say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Would {
    New,
    Join,
    Nobody,
}

pub fn would(c: &SiteConn, site: &Site, kind: ImportKind, fact: &Fact, now: Time) -> Result<Would> {
    if matches!(past::judge(c, site, door(kind), fact, now)?, past::News::Nobody | past::News::Again) {
        return Ok(Would::Nobody);
    }
    let Some(like) = likeness(c, kind, fact)? else { return Ok(Would::New) };
    let known: Vec<Candidate> = conversions::list_candidates(c, &like)?.into_iter().map(|(_, candidate)| candidate).collect();
    Ok(if matches!(joining(&like, &known), Joining::Join(_)) { Would::Join } else { Would::New })
}

/// By what others may have told of the same.
fn likeness(c: &SiteConn, kind: ImportKind, fact: &Fact) -> Result<Option<Candidate>> {
    Ok(match fact {
        Fact::Order(order) => order_key(&order.order_number).map(|key| Candidate {
            kind: ConversionKind::Sale,
            order_key: Some(key),
            is_key_sure: true,
            contact: None,
            amount: Some(order.total),
            happened_at: order.happened_at,
            reporters: vec![Reporter::new(door(kind), order.rank.number(), "order", &order.platform)],
        }),
        // A lead is one with another of the same person and day.
        Fact::Milestone(m) if milestone::is_lead(&m.kind) => {
            let mut holder = None;
            for (kind, value) in identities_of(&m.person) {
                holder = holder.or(holder_of(c, kind, &value)?);
            }
            holder.map(|contact| Candidate {
                kind: ConversionKind::Lead,
                order_key: None,
                is_key_sure: true,
                contact: Some(contact.number()),
                amount: None,
                happened_at: m.happened_at,
                reporters: vec![Reporter::new(door(kind), Rank::Api.number(), "lead", &m.source)],
            })
        }
        _ => None,
    })
}

/// A row of our own export, brought back to where it came from: the conversion of that number is the one that it tells of.
pub fn is_here(c: &SiteConn, number: &str, fact: &Fact) -> Result<bool> {
    let Some(id) = number.strip_prefix("conversion_").and_then(|n| n.parse::<ConversionId>().ok()) else { return Ok(false) };
    let Some(known) = conversions::find(c, id)? else { return Ok(false) };
    Ok(match fact {
        Fact::Order(order) => known.kind == ConversionKind::Sale && known.label == format!("Order {}", order.order_number),
        Fact::Lead(lead) => {
            let own = lead.external_id.as_deref().unwrap_or_default();
            known.kind == ConversionKind::Lead && known.label == format!("Lead {own}")
        }
        // Exports have whole seconds.
        Fact::Statement(s) => known.kind == s.kind && known.happened_at.s() == s.happened_at.s(),
        _ => false,
    })
}
