//! Old news of erased people: what happened before an erasure brings nobody back. Money may still change, identity never.

use serde_json::{Value, json};

use crate::crypto;
use crate::domain::conversion::{Candidate, ConversionKind, Joining, Reporter, SAME_CONTENT_MS, joining, order_key};
use crate::domain::erasure::{IMPERSONAL, looked_for, titles};
use crate::domain::fact::{Fact, Order, Person, Statement, Traces};
use crate::domain::outgoing::Item;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::intake::{enrolment_number, milestone_key, own_id};
use crate::flows::session_id::{self, SessionKey};
use crate::store::erasures::tombstones;
use crate::store::people::{IdentityKind, identities_of};
use crate::store::scope::SiteConn;
use crate::store::sites::{Site, SiteKeys};
use crate::store::{conversions, leads, milestones, orders, reports};

/// What a fact is to the people who were erased.
pub enum News {
    /// Nobody of them, or somebody who came back.
    Present,
    /// Of somebody's erased past, but it has money in it: taken without the person.
    Past(Box<Fact>),
    /// Of somebody's erased past, and nothing else.
    Nobody,
    /// The very step or sign-up that was told before its person was erased, told again without a time of then: it is answered as
    /// known, and nothing of it is kept.
    Again,
}

pub fn judge(c: &SiteConn, site: &Site, connection: i64, fact: &Fact, heard_at: Time) -> Result<News> {
    if tombstones::is_empty(c)? {
        return Ok(News::Present);
    }
    let is_known = match fact {
        Fact::Lead(lead) => match &lead.external_id {
            Some(id) => leads::find_by_external_id(c, connection, id)?.is_some_and(|k| k.is_erased),
            None => {
                // What was written is known again for as long as it counts as the same lead.
                let stone = tombstones::digest(&site.keys.tombstone, tombstones::CONTENT, &crypto::hex(&lead.content_key));
                match tombstones::find(c, &stone)? {
                    Some(at) if heard_at.ms_since(at) <= SAME_CONTENT_MS => return Ok(News::Nobody),
                    _ => false,
                }
            }
        },
        Fact::Order(order) => is_erased_order(c, connection, order)?,
        // They name an order, nobody else; a refund's reason is not filled in where the order is of somebody erased.
        Fact::Refund(told) => is_erased_id(c, connection, &told.platform, &told.order_external_id)?,
        Fact::Deletion(_) => return Ok(News::Present),
        // Nothing of it is kept but where the lead stands.
        Fact::Progress(_) => false,
        Fact::Statement(s) => is_erased_statement(c, connection, s)?,
        Fact::Event(e) => match &e.fact {
            Some(s) => is_erased_statement(c, connection, s)?,
            None => false,
        },
        Fact::Message(m) => {
            // The conversation of somebody erased: only what is said after that is anybody's.
            let word = m.conversation.as_deref().map(|id| tombstones::conversation(connection, id));
            let stone = word.map(|word| tombstones::digest(&site.keys.tombstone, tombstones::CONVERSATION, &word));
            if let Some(at) = stone.map(|stone| tombstones::find(c, &stone)).transpose()?.flatten()
                && m.happened_at <= at
            {
                return Ok(News::Nobody);
            }
            false
        }
        // Of no money: what happened before is nobody's, and what becomes of an appointment or a registration of then is neither.
        Fact::Milestone(m) => match &m.external_id {
            Some(id) if milestones::is_erased(c, connection, id)? => return Ok(News::Nobody),
            _ => false,
        },
        Fact::Enrolment(_) => false,
    };
    if is_known {
        return Ok(News::Past(Box::new(without_person(fact))));
    }
    let (person, happened_at) = match fact {
        // One whose id is the address itself is the one that was erased, whenever it is told again: the id could not be kept.
        Fact::Lead(f) if f.external_id.as_deref().is_some_and(|id| id.contains('@')) => (&f.person, Time::from_ms(0)),
        Fact::Lead(f) => (&f.person, f.happened_at),
        Fact::Order(f) => (&f.person, f.happened_at),
        Fact::Refund(_) | Fact::Deletion(_) => return Ok(News::Present),
        Fact::Statement(f) => (&f.person, f.happened_at),
        Fact::Message(f) => (&f.person, f.happened_at),
        Fact::Progress(f) => (&f.person, f.happened_at),
        Fact::Milestone(f) => (&f.person, f.happened_at),
        Fact::Enrolment(f) => (&f.person, f.happened_at),
        Fact::Event(f) => (&f.person, f.happened_at),
    };
    if !is_past(c, site, person, happened_at)? {
        return Ok(if is_again(c, site, connection, fact)? { News::Again } else { News::Present });
    }
    let has_money = match fact {
        Fact::Lead(_) | Fact::Message(_) | Fact::Progress(_) | Fact::Milestone(_) | Fact::Enrolment(_) => false,
        Fact::Order(_) | Fact::Refund(_) | Fact::Deletion(_) => true,
        Fact::Statement(s) => s.kind == ConversionKind::Sale,
        Fact::Event(e) => e.fact.as_ref().is_some_and(|s| s.kind == ConversionKind::Sale),
    };
    // An id that is the address itself cannot be kept.
    let names_somebody = match fact {
        Fact::Order(o) => o.external_id.contains('@') || o.order_number.contains('@'),
        Fact::Statement(s) => s.external_id.contains('@'),
        Fact::Lead(_)
        | Fact::Message(_)
        | Fact::Progress(_)
        | Fact::Milestone(_)
        | Fact::Enrolment(_)
        | Fact::Refund(_)
        | Fact::Deletion(_) => false,
        Fact::Event(e) => e.event_id.contains('@'),
    };
    Ok(if has_money && !names_somebody { News::Past(Box::new(without_person(fact))) } else { News::Nobody })
}

/// By address or phone; by a shop's customer number only where it gives neither.
fn is_past(c: &SiteConn, site: &Site, person: &Person, happened_at: Time) -> Result<bool> {
    let known = identities_of(person);
    let has_address = known.iter().any(|(kind, _)| *kind != IdentityKind::CustomerId);
    for (kind, value) in &known {
        if has_address && *kind == IdentityKind::CustomerId {
            continue;
        }
        let stone = tombstones::digest(&site.keys.tombstone, kind.word(), value);
        if tombstones::find(c, &stone)?.is_some_and(|at| happened_at <= at) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Known by the number under which it was told first, which outlives its person.
fn is_again(c: &SiteConn, site: &Site, connection: i64, fact: &Fact) -> Result<bool> {
    match fact {
        Fact::Milestone(m) => {
            let known = milestones::find_by_key(c, &milestone_key(site, connection, m)[..16])?;
            Ok(known.is_some_and(|known| known.is_erased))
        }
        Fact::Enrolment(e) => is_erased_report(c, connection, ConversionKind::Signup, &enrolment_number(site, e)),
        _ => Ok(false),
    }
}

fn is_erased_statement(c: &SiteConn, connection: i64, s: &Statement) -> Result<bool> {
    is_erased_report(c, connection, s.kind, &s.external_id)
}

fn is_erased_report(c: &SiteConn, connection: i64, kind: ConversionKind, external_id: &str) -> Result<bool> {
    match reports::find_conversion(c, connection, kind.word(), external_id)? {
        Some(id) => Ok(conversions::find(c, id)?.is_some_and(|v| v.is_erased)),
        None => Ok(false),
    }
}

fn is_erased_id(c: &SiteConn, connection: i64, platform: &str, order: &str) -> Result<bool> {
    Ok(orders::find_by_external_id(c, connection, &own_id(platform, order))?.is_some_and(|known| known.is_erased))
}

/// The very order, or another telling of the same sale.
fn is_erased_order(c: &SiteConn, connection: i64, order: &Order) -> Result<bool> {
    let external_id = own_id(&order.platform, &order.external_id);
    if let Some(known) = orders::find_by_external_id(c, connection, &external_id)? {
        return Ok(known.is_erased);
    }
    let Some(key) = order.shared_number().and_then(order_key) else { return Ok(false) };
    if !conversions::is_erased_order(c, &key)? {
        return Ok(false);
    }
    let like = Candidate {
        kind: ConversionKind::Sale,
        order_key: Some(key),
        is_key_sure: true,
        contact: None,
        amount: Some(order.total),
        happened_at: order.happened_at,
        reporters: vec![Reporter::new(connection, order.rank.number(), "order", &order.platform)],
    };
    let (ids, candidates): (Vec<_>, Vec<_>) = conversions::list_candidates(c, &like)?.into_iter().unzip();
    match joining(&like, &candidates) {
        Joining::Join(place) => Ok(conversions::find(c, ids[place])?.is_some_and(|v| v.is_erased)),
        _ => Ok(false),
    }
}

/// Amounts, times, things bought and where it was said to come from; nothing of who.
fn without_person(fact: &Fact) -> Fact {
    let nobody = |person: &Person| Person { country: person.country.clone(), sent_to: person.sent_to.clone(), ..Person::default() };
    let traces = |t: &Traces| Traces { stated: t.stated.clone(), coupons: t.coupons.clone(), ..Traces::default() };
    // Of an event only the sale in it is told.
    let mut fact = match fact {
        Fact::Event(event) => event.fact.clone().map_or_else(|| fact.clone(), Fact::Statement),
        other => other.clone(),
    };
    match &mut fact {
        Fact::Lead(lead) => {
            (lead.person, lead.traces) = (nobody(&lead.person), traces(&lead.traces));
            (lead.message, lead.url, lead.custom_fields) = (None, None, json!({}));
        }
        Fact::Order(order) => {
            unname(&as_written(&order.person), &mut order.items);
            (order.person, order.traces) = (nobody(&order.person), traces(&order.traces));
            for visit in &mut order.journey {
                (visit.landing, visit.referrer) = (None, None);
            }
            for refund in &mut order.refunds {
                refund.reason = None;
            }
        }
        Fact::Refund(told) => told.refund.reason = None,
        Fact::Deletion(_) => {}
        Fact::Statement(s) => {
            let who = as_written(&s.person);
            unname(&who, &mut s.items);
            (s.person, s.traces) = (nobody(&s.person), traces(&s.traces));
            if let Value::Object(detail) = &mut s.detail {
                detail.retain(|key, _| IMPERSONAL.contains(&key.as_str()));
                if let Some(lines) = detail.get_mut("items") {
                    titles::clear_lines(lines, &who.0, &who.1);
                }
            }
        }
        Fact::Progress(p) => p.person = nobody(&p.person),
        Fact::Event(e) => e.person = nobody(&e.person),
        Fact::Message(m) => (m.person, m.traces, m.visitor) = (nobody(&m.person), traces(&m.traces), None),
        Fact::Milestone(m) => (m.person, m.traces) = (nobody(&m.person), traces(&m.traces)),
        Fact::Enrolment(e) => (e.person, e.traces) = (nobody(&e.person), traces(&e.traces)),
    }
    fact
}

/// First and last name of a person, and their addresses as others write them.
type Written = (Vec<(String, String)>, Vec<String>);

fn as_written(person: &Person) -> Written {
    let list = |value: Option<&str>| value.map(str::to_owned).into_iter().collect::<Vec<_>>();
    let (email, phone) = (person.email.as_ref().map(|e| e.as_str()), person.phone.as_ref().map(|p| p.as_str()));
    let names = person.first_name.clone().zip(person.last_name.clone());
    (names.into_iter().collect(), looked_for(&list(email), &list(phone), None))
}

/// What was bought, without who bought it.
fn unname((names, values): &Written, items: &mut [Item]) {
    for item in items {
        if let Some(id) = titles::without(&item.id, names, values) {
            item.id = id;
        }
        item.name = item.name.take().map(|name| titles::without(&name, names, values).unwrap_or(name));
    }
}

/// What an erased browser's key leads to now.
pub enum Heir {
    /// It was never erased.
    None,
    /// Known no more up to this time; afterwards it is a new browser under this key.
    New { key: SessionKey, since: Time },
}

/// Asked only where a browser shows a key that is not stored.
pub fn heir(c: &SiteConn, keys: &SiteKeys, key: &SessionKey) -> Result<Heir> {
    let stone = tombstones::digest(&keys.tombstone, tombstones::SESSION, key.key());
    let Some(since) = tombstones::find(c, &stone)? else { return Ok(Heir::None) };
    // Made of the old key, so that an old cookie gives the same new one each time; nothing leads back.
    Ok(Heir::New { key: session_id::mapped(&format!("heir.{}.{}", key.key(), since.ms()), &keys.session), since })
}
