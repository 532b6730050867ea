//! What has left, looked at once more: whether the person had refused, as far as it had been heard when consent was looked at. Nothing
//! is taken from the sender here but when it looked: the answers are read from where they are kept.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use rusqlite::{Row, named_params};

use super::super::deliveries::CHECKING;
use super::super::scope::SiteConn;
use super::super::{consents, credits, lead_changes, people, reversals};
use super::word;
use crate::domain::consent::{Heard, OwnWord, had_refused};
use crate::domain::ids::{ConnectionId, ContactId, ConversionId, DeliveryId, SessionId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::Cursor;
use crate::domain::time::Time;
use crate::error::Result;

/// Deliveries that are looked at before those of their people are forgotten.
const PIECE: usize = 2_000;

/// What left to one connection of the conversions of some days. Every delivery of which something left is counted once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Left {
    pub platform: String,
    pub deliveries: i64,
    /// Of them, what the platform took, and what may have reached it: no answer came. The others it had and did not take.
    pub taken: i64,
    pub unsure: i64,
    /// How often something left of them.
    pub sends: i64,
    /// By why they might go.
    pub by_basis: BTreeMap<String, OfBasis>,
    /// Of which something left though the person had refused.
    pub refused: i64,
    /// Of which all had left before the person said no.
    pub refused_later: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OfBasis {
    pub deliveries: i64,
    pub sends: i64,
}

/// A delivery of which something left.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub delivery: DeliveryId,
    pub connection: i64,
    pub conversion: ConversionId,
    pub label: String,
    pub platform: String,
    pub kind: String,
    pub state: String,
    /// What it told: as the platform took it, else as it stands now.
    pub amount: Option<Money>,
    pub created_at: Time,
    /// The newest time that it left, or the one that stands against a refusal; and why it might.
    pub judged_at: Time,
    pub basis: String,
    /// How often something of it left.
    pub sends: i64,
    pub is_taken: bool,
    /// It may have reached the platform: no answer came.
    pub is_unsure: bool,
    pub had_refused: bool,
    /// The person has said no since: all of it left before that was heard.
    pub refused_later: bool,
}

struct Found {
    sent: Sent,
    /// When each of its sends was judged, and why it might go, the newest first.
    tries: Vec<(Time, String)>,
    told: Option<Money>,
    event_id: String,
    /// The conversion's own.
    own: (String, Option<Money>),
    contact: Option<ContactId>,
    session: Option<SessionId>,
    word: OwnWord,
}

// A server that stopped while something was on its way has kept no try of it: when it came back is all that is known.
const SENDS: &str = "select d.id, d.connection_id, d.conversion_id, v.label, d.platform, d.kind, d.state, v.amount_minor, v.currency, d.created_at,
      coalesce(a.judged_at, d.unknown_at), coalesce(a.basis, ''), v.contact_id, v.session_id, v.consent_given, v.refused_at, v.received_at, v.happened_at,
      a.status is not null, d.taken_at is not null or (d.state = 'leased' and coalesce(d.reason, '') = :checking), d.told_minor, d.told_currency,
      d.event_id, v.event_id
    from deliveries d indexed by deliveries__site_id__created_at
    left join attempts a on a.site_id = d.site_id and a.delivery_id = d.id and a.judged_at is not null
    cross join conversions v on v.site_id = d.site_id and v.id = d.conversion_id
    where d.site_id = :site and d.created_at >= :from and d.created_at < :to and (d.created_at, d.id) < (:key, :id)
      and (a.judged_at is not null or d.unknown_at is not null) and (:connection is null or d.connection_id = :connection)
    order by d.created_at desc, d.id desc, a.n desc";

/// All that left of the deliveries of a time, by connection, and those of which something left against a refusal, at most `most`.
pub fn by_connection(c: &SiteConn, from: Time, to: Time, most: usize) -> Result<(BTreeMap<i64, Left>, Vec<Sent>)> {
    let mut all: BTreeMap<i64, Left> = BTreeMap::new();
    let mut wrong: Vec<Sent> = Vec::new();
    let mut cursor = None;
    loop {
        let (page, next) = page(c, from, to, None, cursor, PIECE)?;
        for sent in page {
            let of = all.entry(sent.connection).or_default();
            of.platform.clone_from(&sent.platform);
            of.deliveries += 1;
            of.taken += i64::from(sent.is_taken);
            of.unsure += i64::from(sent.is_unsure);
            of.sends += sent.sends;
            let basis = of.by_basis.entry(sent.basis.clone()).or_default();
            basis.deliveries += 1;
            basis.sends += sent.sends;
            of.refused += i64::from(sent.had_refused);
            of.refused_later += i64::from(sent.refused_later);
            if sent.had_refused && wrong.len() < most {
                wrong.push(sent);
            }
        }
        cursor = next;
        if cursor.is_none() {
            return Ok((all, wrong));
        }
    }
}

/// The newest `limit` deliveries before the cursor of which something left.
pub fn page(
    c: &SiteConn,
    from: Time,
    to: Time,
    connection: Option<i64>,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<Sent>, Option<Cursor>)> {
    let before = cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let mut rows: Vec<Found> = Vec::new();
    let mut next = None;
    c.scan(
        SENDS,
        named_params! {":from": from.ms(), ":to": before.end(to.ms()), ":key": before.key.unwrap_or(i64::MAX), ":id": before.id, ":connection": connection,
        ":checking": CHECKING},
        |row| {
            let new = read(row)?;
            if let Some(last) = rows.last_mut().filter(|last| last.sent.delivery == new.sent.delivery) {
                last.sent.sends += 1;
                last.sent.is_unsure &= new.sent.is_unsure;
                last.tries.extend(new.tries);
                return Ok(true);
            }
            if rows.len() == limit {
                next = rows.last().map(|last| Cursor { key: Some(last.sent.created_at.ms()), id: last.sent.delivery.number() });
                return Ok(false);
            }
            rows.push(new);
            Ok(true)
        },
    )?;
    let mut known: HashMap<ConversionId, Vec<Heard>> = HashMap::new();
    rows.into_iter()
        .map(|row| {
            let conversion = row.sent.conversion;
            if let Entry::Vacant(entry) = known.entry(conversion) {
                entry.insert(answers(c, conversion, row.contact, row.session)?);
            }
            let heard = known.get(&conversion).map_or(&[][..], Vec::as_slice);
            let amount = match row.told {
                Some(told) => Some(told),
                None if row.sent.is_taken => None,
                None => told_amount(c, ConnectionId::new(row.sent.connection), &row.event_id, (&row.own.0, row.own.1))?,
            };
            let against = row.tries.iter().find(|(at, _)| had_refused(&row.word, heard, *at));
            let refused_later = against.is_none() && had_refused(&row.word, heard, Time::from_ms(i64::MAX));
            let had_refused = against.is_some();
            let (judged_at, basis) = against.or(row.tries.first()).cloned().unwrap_or((row.sent.judged_at, String::new()));
            Ok(Sent { amount, judged_at, basis, had_refused, refused_later, ..row.sent })
        })
        .collect::<Result<Vec<_>>>()
        .map(|sent| (sent, next))
}

/// What a delivery tells: of a conversion its own amount, of a lead that moved what it was worth then, of money that went back
/// what went. `own` is the conversion's event and amount.
pub fn told_amount(c: &SiteConn, connection: ConnectionId, event_id: &str, own: (&str, Option<Money>)) -> Result<Option<Money>> {
    if event_id == own.0 {
        return Ok(own.1);
    }
    if let Some(moved) = lead_changes::find_by_event(c, event_id)? {
        return Ok(moved.value);
    }
    Ok(reversals::find_by_event(c, connection, event_id)?.map(|r| Money::new(r.amount.minor.abs(), r.amount.currency)))
}

fn read(row: &Row) -> rusqlite::Result<Found> {
    let money = |minor: usize, code: usize| -> rusqlite::Result<Option<Money>> {
        let code: Option<String> = row.get(code)?;
        let found = row.get::<_, Option<i64>>(minor)?.zip(code.and_then(|code| Currency::parse(&code)));
        Ok(found.map(|(minor, currency)| Money { minor, currency }))
    };
    let state = word(row, 6)?.to_owned();
    let is_taken = matches!(state.as_str(), "delivered" | "accepted") || row.get(19)?;
    let is_answered: bool = row.get(18)?;
    let judged_at = Time::from_ms(row.get(10)?);
    let received_at = Time::from_ms(row.get(16)?);
    Ok(Found {
        sent: Sent {
            delivery: DeliveryId::new(row.get(0)?),
            connection: row.get(1)?,
            conversion: ConversionId::new(row.get(2)?),
            label: word(row, 3)?.to_owned(),
            platform: word(row, 4)?.to_owned(),
            kind: word(row, 5)?.to_owned(),
            state,
            amount: None,
            created_at: Time::from_ms(row.get(9)?),
            judged_at,
            basis: String::new(),
            sends: 1,
            is_taken,
            is_unsure: !is_taken && !is_answered,
            had_refused: false,
            refused_later: false,
        },
        tries: vec![(judged_at, word(row, 11)?.to_owned())],
        told: money(20, 21)?,
        event_id: word(row, 22)?.to_owned(),
        own: (word(row, 23)?.to_owned(), money(7, 8)?),
        contact: row.get::<_, Option<i64>>(12)?.map(ContactId::new),
        session: row.get::<_, Option<i64>>(13)?.map(SessionId::new),
        word: OwnWord {
            given: row.get(14)?,
            refused_at: row.get::<_, Option<i64>>(15)?.map(Time::from_ms).or(Some(received_at)),
            happened_at: Time::from_ms(row.get(17)?).min(received_at),
        },
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
