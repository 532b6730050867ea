//! What has left, looked at once more: whether the person had refused, as far as it had been heard when consent was looked at. Nothing
//! is taken from the sender here but when it looked: the answers are read from where they are kept.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Row, named_params};

use super::super::scope::SiteConn;
use super::super::{consents, credits, people};
use super::word;
use crate::domain::consent::{Heard, OwnWord, had_refused};
use crate::domain::ids::{ContactId, ConversionId, DeliveryId, SessionId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::Cursor;
use crate::domain::time::Time;
use crate::error::Result;

/// Deliveries that are looked at before those of their people are forgotten.
const PIECE: usize = 2_000;

/// What left to one connection of the conversions of some days.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Left {
    pub platform: String,
    /// Deliveries of which something left, and how often something did.
    pub deliveries: i64,
    pub sends: i64,
    /// Sends by why they might go.
    pub by_basis: BTreeMap<String, i64>,
    /// Deliveries of which something left though the person had refused.
    pub refused: i64,
    /// Deliveries of which all had left before the person said no.
    pub refused_later: i64,
}

/// Something that left.
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    pub delivery: DeliveryId,
    pub connection: i64,
    pub conversion: ConversionId,
    pub label: String,
    pub platform: String,
    pub kind: String,
    pub state: String,
    pub amount: Option<Money>,
    pub created_at: Time,
    pub judged_at: Time,
    pub basis: String,
    pub had_refused: bool,
    /// The person has said no since: it left before that was heard.
    pub refused_later: bool,
}

struct Found {
    send: Send,
    contact: Option<ContactId>,
    session: Option<SessionId>,
    given: Option<bool>,
    refused_at: Option<Time>,
    received_at: Time,
    happened_at: Time,
}

const SENDS: &str =
    "select d.id, d.connection_id, d.conversion_id, v.label, d.platform, d.kind, d.state, v.amount_minor, v.currency, d.created_at,
      a.judged_at, coalesce(a.basis, ''), v.contact_id, v.session_id, v.consent_given, v.refused_at, v.received_at, v.happened_at
    from deliveries d indexed by deliveries__site_id__created_at
    cross join attempts a on a.site_id = d.site_id and a.delivery_id = d.id
    cross join conversions v on v.site_id = d.site_id and v.id = d.conversion_id
    where d.site_id = :site and d.created_at >= :from and d.created_at < :to and (d.created_at, d.id) < (:key, :id)
      and a.judged_at is not null and (:connection is null or d.connection_id = :connection)
    order by d.created_at desc, d.id desc, a.n desc";

/// All that left of the deliveries of a time, by connection, and those of which something left against a refusal, at most `most`.
pub fn by_connection(c: &SiteConn, from: Time, to: Time, most: usize) -> Result<(BTreeMap<i64, Left>, Vec<Send>)> {
    let mut all: BTreeMap<i64, Left> = BTreeMap::new();
    let mut wrong: Vec<Send> = Vec::new();
    let mut cursor = None;
    loop {
        let (page, next) = page(c, from, to, None, cursor, PIECE)?;
        for sends in page.chunk_by(|a, b| a.delivery == b.delivery) {
            let of = all.entry(sends[0].connection).or_default();
            of.platform.clone_from(&sends[0].platform);
            of.deliveries += 1;
            of.sends += sends.len() as i64;
            for send in sends {
                *of.by_basis.entry(send.basis.clone()).or_default() += 1;
            }
            if sends.iter().all(|s| s.refused_later) {
                of.refused_later += 1;
            }
            if let Some(send) = sends.iter().find(|s| s.had_refused) {
                of.refused += 1;
                if wrong.len() < most {
                    wrong.push(send.clone());
                }
            }
        }
        cursor = next;
        if cursor.is_none() {
            return Ok((all, wrong));
        }
    }
}

/// What left of the newest `limit` deliveries before the cursor, every send of each.
pub fn page(
    c: &SiteConn,
    from: Time,
    to: Time,
    connection: Option<i64>,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<Send>, Option<Cursor>)> {
    let before = cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let mut rows: Vec<Found> = Vec::new();
    let mut deliveries = 0;
    let mut next = None;
    c.scan(
        SENDS,
        named_params! {":from": from.ms(), ":to": before.end(to.ms()), ":key": before.key.unwrap_or(i64::MAX), ":id": before.id, ":connection": connection},
        |row| {
            let new = read(row)?;
            if rows.last().is_none_or(|last| last.send.delivery != new.send.delivery) {
                deliveries += 1;
                if deliveries > limit {
                    next = rows.last().map(|last| Cursor { key: Some(last.send.created_at.ms()), id: last.send.delivery.number() });
                    return Ok(false);
                }
            }
            rows.push(new);
            Ok(true)
        },
    )?;
    let mut known: HashMap<ConversionId, Vec<Heard>> = HashMap::new();
    let mut sends = Vec::with_capacity(rows.len());
    for mut row in rows {
        let conversion = row.send.conversion;
        if let std::collections::hash_map::Entry::Vacant(entry) = known.entry(conversion) {
            entry.insert(answers(c, conversion, row.contact, row.session)?);
        }
        let happened_at = row.happened_at.min(row.received_at);
        let own = OwnWord { given: row.given, refused_at: row.refused_at.or(Some(row.received_at)), happened_at };
        let answers = known.get(&conversion).map_or(&[][..], Vec::as_slice);
        row.send.had_refused = had_refused(&own, answers, row.send.judged_at);
        row.send.refused_later = !row.send.had_refused && had_refused(&own, answers, Time::from_ms(i64::MAX));
        sends.push(row.send);
    }
    Ok((sends, next))
}

fn read(row: &Row) -> rusqlite::Result<Found> {
    let currency: Option<String> = row.get(8)?;
    let amount = row.get::<_, Option<i64>>(7)?.zip(currency.and_then(|code| Currency::parse(&code)));
    Ok(Found {
        send: Send {
            delivery: DeliveryId::new(row.get(0)?),
            connection: row.get(1)?,
            conversion: ConversionId::new(row.get(2)?),
            label: word(row, 3)?.to_owned(),
            platform: word(row, 4)?.to_owned(),
            kind: word(row, 5)?.to_owned(),
            state: word(row, 6)?.to_owned(),
            amount: amount.map(|(minor, currency)| Money { minor, currency }),
            created_at: Time::from_ms(row.get(9)?),
            judged_at: Time::from_ms(row.get(10)?),
            basis: word(row, 11)?.to_owned(),
            had_refused: false,
            refused_later: false,
        },
        contact: row.get::<_, Option<i64>>(12)?.map(ContactId::new),
        session: row.get::<_, Option<i64>>(13)?.map(SessionId::new),
        given: row.get(14)?,
        refused_at: row.get::<_, Option<i64>>(15)?.map(Time::from_ms),
        received_at: Time::from_ms(row.get(16)?),
        happened_at: Time::from_ms(row.get(17)?),
    })
}

/// All answers of the person of a conversion: of its own browser, of those on its path, of every browser that was proved to be
/// theirs, from when that was known, and what facts have told.
fn answers(c: &SiteConn, conversion: ConversionId, contact: Option<ContactId>, session: Option<SessionId>) -> Result<Vec<Heard>> {
    let mut all: Vec<Heard> = Vec::new();
    let mut seen: Vec<SessionId> = session.into_iter().collect();
    let (path, path_at) = credits::find_path(c, conversion)?.unwrap_or((Vec::new(), Time::from_ms(0)));
    let mut add = |c: &SiteConn, session: SessionId, since: Time| -> Result<()> {
        let heard = consents::answers_of_session(c, session)?;
        all.extend(heard.into_iter().map(|a| Heard { heard_at: a.heard_at.max(since), ..a }));
        Ok(())
    };
    if let Some(own) = session {
        add(c, own, Time::from_ms(0))?;
    }
    for on_path in path {
        if !seen.contains(&on_path) {
            seen.push(on_path);
            add(c, on_path, path_at)?;
        }
    }
    if let Some(contact) = contact {
        for (kind, value) in people::list_identities(c, contact)? {
            for (proved, at) in people::proved_sessions(c, kind, &value)? {
                if !seen.contains(&proved) {
                    seen.push(proved);
                    add(c, proved, at)?;
                }
            }
        }
        all.extend(consents::answers_of_contact(c, contact)?);
    }
    Ok(all)
}
