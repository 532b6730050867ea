//! Ways through the outbox, the newest first: along the index of times, along the lanes of connections and states that are
//! wanted, or over what a search found.

use rusqlite::{Row, named_params};

use super::super::super::scope::SiteConn;
use super::super::search::search;
use super::super::{json_list, word};
use super::Wanted;
use crate::domain::question::Cursor;
use crate::domain::question::deliveries::{DELIVERY_STATES, DeliveryMarks};
use crate::domain::time::Zone;
use crate::error::Result;

/// When it was made, and its number: its place in the list.
pub type Place = (i64, i64);

/// The newest places of what is wanted behind the cursor; at most so many.
pub fn newest(c: &SiteConn, zone: &Zone, wanted: &Wanted, most: usize) -> Result<Vec<Place>> {
    if most == 0 {
        return Ok(Vec::new());
    }
    if wanted.is_listed() && wanted.filter.is_narrow() {
        return by_lane(c, zone, wanted, most);
    }
    let mut places: Vec<Place> = Vec::new();
    each(c, zone, wanted, |m, created_at, id| {
        if wanted.filter.admits(m) && is_after(wanted.cursor, created_at, id) {
            places.push((created_at, id));
        }
        places.len() < most
    })?;
    Ok(places)
}

/// Each connection and state that is wanted is a run of one index in the order of the list, so that a platform with few
/// deliveries is found among many without going through them.
fn by_lane(c: &SiteConn, zone: &Zone, wanted: &Wanted, most: usize) -> Result<Vec<Place>> {
    let (from, to) = wanted.span.times(zone);
    let before = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    // With those that were removed: their deliveries stay.
    let all: Vec<(i64, String)> =
        c.list("select id, platform from connections where site_id = :site", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut places: Vec<Place> = Vec::new();
    for (connection, platform) in &all {
        if !wanted.filter.admits_connection(*connection, platform) {
            continue;
        }
        for state in DELIVERY_STATES.iter().filter(|state| wanted.filter.state.admits(state)) {
            let mut found = 0;
            c.scan(
                "select created_at, id, kind from deliveries indexed by deliveries__site_id__connection_id__state__created_at
                 where site_id = :site and connection_id = :connection and state = :state
                   and created_at >= :from and created_at < :to and (created_at, id) < (:key, :id)
                 order by created_at desc, id desc",
                named_params! {":connection": connection, ":state": state, ":from": from.ms(), ":to": before.end(to.ms()),
                ":key": before.key.unwrap_or(i64::MAX), ":id": before.id},
                |row| {
                    if wanted.filter.kind.admits(word(row, 2)?) {
                        places.push((row.get(0)?, row.get(1)?));
                        found += 1;
                    }
                    Ok(found < most)
                },
            )?;
        }
    }
    places.sort_unstable_by(|a, b| b.cmp(a));
    places.truncate(most);
    Ok(places)
}

/// Goes through what lies in the span and behind the cursor, the newest first, until `on` has enough; filters are left
/// to it. What a search finds is little and is gone through as a whole.
pub fn each(c: &SiteConn, zone: &Zone, wanted: &Wanted, mut on: impl FnMut(&DeliveryMarks, i64, i64) -> bool) -> Result<()> {
    let (from, to) = wanted.span.times(zone);
    let before = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let conversions: Option<Vec<i64>> = match (&wanted.search, wanted.filter.conversion) {
        (Some(text), _) => Some(search(c, text, wanted.may_see_people)?.into_iter().collect()),
        (None, Some(id)) => Some(vec![id]),
        (None, None) => None,
    };
    let mut see = |row: &Row| -> rusqlite::Result<bool> {
        let marks = DeliveryMarks {
            state: word(row, 2)?,
            platform: word(row, 3)?,
            connection: row.get(4)?,
            kind: word(row, 5)?,
            conversion: row.get(6)?,
        };
        Ok(on(&marks, row.get(0)?, row.get(1)?))
    };
    match conversions {
        // A single index answers, without touching a payload.
        None => c.scan(
            "select created_at, id, state, platform, connection_id, kind, conversion_id from deliveries indexed by deliveries__site_id__created_at
             where site_id = :site and created_at >= :from and created_at < :to and (created_at, id) < (:key, :id)
             order by created_at desc, id desc",
            named_params! {":from": from.ms(), ":to": before.end(to.ms()), ":key": before.key.unwrap_or(i64::MAX), ":id": before.id},
            see,
        ),
        Some(ids) => c.scan(
            "select created_at, id, state, platform, connection_id, kind, conversion_id from deliveries
             where site_id = :site and conversion_id in (select value from json_each(:ids)) and created_at >= :from and created_at < :to
             order by created_at desc, id desc",
            named_params! {":ids": json_list(ids.into_iter()), ":from": from.ms(), ":to": to.ms()},
            &mut see,
        ),
    }
}

pub fn is_after(cursor: Option<Cursor>, created_at: i64, id: i64) -> bool {
    cursor.is_none_or(|cursor| (Some(created_at), id) < (cursor.key, cursor.id))
}
