//! Finding conversions by what somebody types: an order id, a lead's id, one of our own ids, an e-mail or phone.

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::conversion::order_key;
use crate::domain::ids::{ConversionId, LeadId, OrderId};
use crate::error::Result;

/// Conversions found by one way at most; a word that fits more is no search.
const MOST: i64 = 500;

/// Numbers of conversions that fit the words. People are found only for those who may see them: else the search box
/// would tell whether an address is known.
pub fn search(c: &SiteConn, text: &str, may_see_people: bool) -> Result<BTreeSet<i64>> {
    let text = text.trim();
    let mut found = BTreeSet::new();
    // A label as lists show it: "Order 10574", "Lead L-83".
    let plain = ["order ", "lead ", "sale "].iter().find_map(|word| strip_word(text, word)).unwrap_or(text);
    if is_own_id(plain) {
        // Our own ids mean one thing; read as an order's, they would fit half a shop.
        by_own_id(c, plain, &mut found)?;
        return Ok(found);
    }
    if let Some(key) = order_key(plain) {
        // Digits may be the beginning of an order id; of letters and digits the whole is meant.
        let is_beginning = plain.trim_start_matches(['#', ' ']).starts_with(|first: char| first.is_ascii_digit());
        let end = if is_beginning { after_all(&key) } else { format!("{key}\0") };
        found.extend(by_order(c, &key, &end)?);
    }
    found.extend(by_external_id(c, plain)?);
    found.extend(ids_of_event(c, text)?);
    if may_see_people {
        by_person(c, plain, &mut found)?;
    }
    Ok(found)
}

fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).map(|_| text[word.len()..].trim())
}

/// `conversion_12`, but no bare number: that is an order's.
fn own_id<T: std::str::FromStr + Numbered>(text: &str) -> Option<i64> {
    text.contains('_').then(|| text.parse::<T>().ok()).flatten().map(|id| id.number())
}

trait Numbered {
    fn number(self) -> i64;
}

impl Numbered for ConversionId {
    fn number(self) -> i64 {
        ConversionId::number(self)
    }
}

impl Numbered for LeadId {
    fn number(self) -> i64 {
        LeadId::number(self)
    }
}

impl Numbered for OrderId {
    fn number(self) -> i64 {
        OrderId::number(self)
    }
}

fn is_own_id(text: &str) -> bool {
    own_id::<ConversionId>(text).or(own_id::<LeadId>(text)).or(own_id::<OrderId>(text)).is_some()
}

fn by_own_id(c: &SiteConn, text: &str, found: &mut BTreeSet<i64>) -> Result<()> {
    if let Some(id) = own_id::<ConversionId>(text) {
        found.extend(ids(c, "select id from conversions where site_id = :site and id = :id", id)?);
    }
    if let Some(id) = own_id::<LeadId>(text) {
        found.extend(ids(c, "select conversion_id from leads where site_id = :site and id = :id", id)?);
    }
    if let Some(id) = own_id::<OrderId>(text) {
        found.extend(ids(c, "select conversion_id from orders where site_id = :site and id = :id", id)?);
    }
    // An event id may look the same.
    found.extend(ids_of_event(c, text)?);
    Ok(())
}

fn ids(c: &SiteConn, sql: &str, id: i64) -> Result<Vec<i64>> {
    let found: Vec<Option<i64>> = c.list(sql, named_params! {":id": id}, |row| row.get(0))?;
    Ok(found.into_iter().flatten().collect())
}

/// The id under which platforms know it.
fn ids_of_event(c: &SiteConn, event_id: &str) -> Result<Vec<i64>> {
    c.list("select id from conversions where site_id = :site and event_id = :event", named_params! {":event": event_id}, |row| row.get(0))
}

/// Order ids from one to before another.
fn by_order(c: &SiteConn, key: &str, end: &str) -> Result<Vec<i64>> {
    c.list(
        "select id from conversions where site_id = :site and order_key >= :key and order_key < :end limit :most",
        named_params! {":key": key, ":end": end, ":most": MOST},
        |row| row.get::<_, i64>(0),
    )
}

/// Ids of leads and orders as their senders wrote them, that begin so. 0 stands for our own API.
fn by_external_id(c: &SiteConn, text: &str) -> Result<Vec<i64>> {
    let found: Vec<Option<i64>> = c.list(
        "select f.conversion_id from (select id from connections where site_id = :site union all select 0) k
         cross join leads f on f.site_id = :site and f.connection_id = k.id and f.external_id >= :text and f.external_id < :end
         union all
         select f.conversion_id from (select id from connections where site_id = :site union all select 0) k
         cross join orders f on f.site_id = :site and f.connection_id = k.id and f.external_id >= :text and f.external_id < :end
         limit :most",
        named_params! {":text": text, ":end": after_all(text), ":most": MOST},
        |row| row.get(0),
    )?;
    Ok(found.into_iter().flatten().collect())
}

fn by_person(c: &SiteConn, text: &str, found: &mut BTreeSet<i64>) -> Result<()> {
    let email = text.to_lowercase();
    // Shorter words fit half a shop.
    if email.chars().count() >= 3 {
        found.extend(c.list(
            "select v.id from identities i join conversions v on v.site_id = i.site_id and v.contact_id = i.contact_id
             where i.site_id = :site and i.kind = 'email' and i.value >= :email and i.value < :end limit :most",
            named_params! {":email": email, ":end": after_all(&email), ":most": MOST},
            |row| row.get::<_, i64>(0),
        )?);
    }
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    if digits.len() >= 7 {
        found.extend(c.list(
            "select v.id from identities i join conversions v on v.site_id = i.site_id and v.contact_id = i.contact_id
             where i.site_id = :site and i.kind = 'phone' and i.value in (:digits, '+' || :digits) limit :most",
            named_params! {":digits": digits, ":most": MOST},
            |row| row.get::<_, i64>(0),
        )?);
    }
    Ok(())
}

/// The first text after all that begin with these letters.
fn after_all(start: &str) -> String {
    format!("{start}\u{10ffff}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_they_are_shown() {
        assert_eq!(strip_word("Order 10574", "order "), Some("10574"));
        assert_eq!(strip_word("orders", "order "), None);
        assert_eq!(own_id::<ConversionId>("conversion_12"), Some(12));
        assert_eq!(own_id::<ConversionId>("12"), None);
        assert!("L-83x".to_owned() < after_all("L-8"));
        assert!("L-9".to_owned() > after_all("L-8"));
    }
}
