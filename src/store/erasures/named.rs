//! How a person is named, and what is known of them by that alone.

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::super::people::IdentityKind;
use super::super::scope::SiteConn;
use super::person::{Whole, kind_word, numbers};
use crate::domain::conversion::order_key;
use crate::domain::ids::{ConnectionId, ContactId};
use crate::error::{Error, Kind, Result};

/// How the owner named the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Already in the form in which they are stored.
    Email(String),
    Phone(String),
    Order(String),
    /// As a shop's platform names whom it wants forgotten.
    Buyer(Buyer),
    /// As the dashboard shows them.
    Contact(ContactId),
    /// From erasures.log: the values whose digests are in it.
    Log(Vec<(IdentityKind, String)>),
}

/// Somebody who bought in a shop: by address or number, and by that platform's own ids of their orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    pub connection: ConnectionId,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// As they stand in `orders.external_id`.
    pub orders: Vec<String>,
}

impl Named {
    pub fn word(&self) -> &'static str {
        match self {
            Named::Email(_) => "email",
            Named::Phone(_) => "phone",
            Named::Order(_) => "order",
            Named::Buyer(buyer) => match (&buyer.email, &buyer.phone) {
                (Some(_), _) => "email",
                (None, Some(_)) => "phone",
                (None, None) => "order",
            },
            Named::Contact(_) => "contact",
            Named::Log(_) => "log",
        }
    }
}

/// The rows and values from which the rest is found.
pub(super) fn start(c: &SiteConn, named: &Named, whole: &mut Whole) -> Result<()> {
    match named {
        Named::Email(email) => drop(whole.identities.insert(("email", email.clone()))),
        Named::Phone(phone) => drop(whole.identities.insert(("phone", phone.clone()))),
        Named::Order(order) => start_from_order(c, order, whole)?,
        Named::Buyer(buyer) => start_from_buyer(c, buyer, whole)?,
        Named::Contact(id) => start_from_contact(c, *id, whole)?,
        Named::Log(all) => whole.identities.extend(all.iter().map(|(kind, value)| (kind.word(), value.clone()))),
    }
    Ok(())
}

/// The person of an order. Two shops may number alike: then it is not said which one is meant.
fn start_from_order(c: &SiteConn, text: &str, whole: &mut Whole) -> Result<()> {
    let Some(key) = order_key(text) else {
        return Err(Error::invalid("order", format!("{text:?} is no order number.")));
    };
    let mut people: BTreeSet<(Option<i64>, Option<String>)> = BTreeSet::new();
    let found: Vec<i64> =
        numbers(c, "select id from conversions where site_id = :site and order_key = :key limit 20", named_params! {":key": key})?;
    for id in &found {
        people.extend(c.list(
            "select contact_id, email from orders where site_id = :site and conversion_id = :id and erased_at is null",
            named_params! {":id": id},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?);
        let contact: Option<Option<i64>> = c.find(
            "select contact_id from conversions where site_id = :site and id = :id and erased_at is null",
            named_params! {":id": id},
            |row| row.get(0),
        )?;
        if let Some(Some(contact)) = contact
            && !people.iter().any(|(known, _)| *known == Some(contact))
        {
            people.insert((Some(contact), None));
        }
    }
    people.extend(c.list(
        "select contact_id, email from orders where site_id = :site and order_key = :key and conversion_id is null and erased_at is null",
        named_params! {":key": key},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?);
    if people.is_empty() && found.is_empty() {
        let what = format!("There is no order {text}. Check the number, or name the person by e-mail or phone.");
        return Err(Error::not_found(what));
    }
    let contacts: BTreeSet<i64> = people.iter().filter_map(|(contact, _)| *contact).collect();
    if contacts.len() > 1 {
        let what = format!("Several people have an order {text}. Name the person by e-mail or phone.");
        return Err(Error::new(Kind::Conflict, "several_people", what));
    }
    whole.contacts = contacts;
    whole.identities.extend(people.into_iter().filter_map(|(_, email)| Some(("email", email?))));
    // An order of nobody known is erased by itself.
    whole.conversions.extend(found);
    Ok(())
}

/// The person behind a page of the dashboard, with all by which that page is found: naming one of these finds it too.
fn start_from_contact(c: &SiteConn, id: ContactId, whole: &mut Whole) -> Result<()> {
    let kept: Option<i64> = c.find(
        "select coalesce(merged_into, id) from contacts where site_id = :site and id = :id",
        named_params! {":id": id.number()},
        |row| row.get(0),
    )?;
    let Some(kept) = kept else { return Err(Error::not_found("There is no such contact.")) };
    whole.contacts.insert(kept);
    let known: Vec<(String, String)> =
        c.list("select kind, value from identities where site_id = :site and contact_id = :id", named_params! {":id": kept}, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    for (kind, value) in known {
        whole.identities.insert((kind_word(&kind), value));
    }
    Ok(())
}

/// All of the orders that are named, whoever they are by here: the platform says whose they are.
fn start_from_buyer(c: &SiteConn, buyer: &Buyer, whole: &mut Whole) -> Result<()> {
    for order in &buyer.orders {
        let found: Option<(i64, Option<i64>, Option<String>, Option<i64>)> = c.find(
            "select id, contact_id, email, conversion_id from orders
             where site_id = :site and connection_id = :connection and external_id = :external and erased_at is null",
            named_params! {":connection": buyer.connection.number(), ":external": order},
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        let Some((id, contact, email, conversion)) = found else { continue };
        whole.orders.insert(id);
        whole.contacts.extend(contact);
        whole.conversions.extend(conversion);
        whole.identities.extend(email.map(|email| ("email", email)));
    }
    whole.identities.extend(buyer.email.iter().map(|email| ("email", email.clone())));
    whole.identities.extend(buyer.phone.iter().map(|phone| ("phone", phone.clone())));
    if whole.identities.is_empty() && whole.orders.is_empty() {
        return Err(Error::not_found("None of these orders is known."));
    }
    Ok(())
}
