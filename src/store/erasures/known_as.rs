//! Under which names and addresses the rows of one person stand. They may be more than one: whoever gave the same phone
//! number is held to be the same person, and only the owner can know better.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::person::Whole;
use crate::error::Result;

/// Orders that are named for each; more are only counted.
const MOST_NAMED: usize = 5;

/// One name with one address.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Face {
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub orders: usize,
    /// Numbers of some of them.
    pub numbers: Vec<String>,
    pub leads: usize,
    pub steps: usize,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownAs {
    pub faces: Vec<Face>,
    pub names: usize,
    pub emails: usize,
    pub phones: usize,
    /// More than one of them gave this one number.
    pub share_a_phone: bool,
}

impl KnownAs {
    /// Two names, or two addresses: they may be two people.
    pub fn is_several(&self) -> bool {
        self.names > 1 || self.emails > 1
    }
}

type Row = (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

/// Every name and address that falls under it, those with the most orders first.
pub fn list(c: &SiteConn, whole: &Whole) -> Result<KnownAs> {
    let mut faces: BTreeMap<(String, String), Face> = BTreeMap::new();
    let mut phones: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let kinds: [(&BTreeSet<i64>, &str, fn(&mut Face)); 4] = [
        (
            &whole.orders,
            "select first_name, last_name, email, phone, order_number from orders where site_id = :site and id = :id and erased_at is null",
            |f| f.orders += 1,
        ),
        (
            &whole.leads,
            "select first_name, last_name, email, phone, null from leads where site_id = :site and id = :id and erased_at is null",
            |f| f.leads += 1,
        ),
        (
            &whole.milestones,
            "select first_name, last_name, email, phone, null from milestones where site_id = :site and id = :id and erased_at is null",
            |f| f.steps += 1,
        ),
        (&whole.contacts, "select first_name, last_name, email, phone, null from contacts where site_id = :site and id = :id", |_| {}),
    ];
    for (ids, sql, more) in kinds {
        for id in ids {
            let found: Option<Row> =
                c.find(sql, named_params! {":id": id}, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
            let Some((first, last, email, phone, number)) = found else { continue };
            let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
            let name = format!("{} {}", first.trim(), last.trim()).trim().to_lowercase();
            let email = email.map(|e| e.to_lowercase());
            if name.is_empty() && email.is_none() && phone.is_none() {
                continue;
            }
            // Who gives a number alone is known by it.
            let key = (name, email.clone().or_else(|| phone.clone()).unwrap_or_default());
            if let Some(phone) = &phone {
                phones.entry(phone.clone()).or_default().insert(key.clone());
            }
            let face = faces.entry(key).or_insert_with(|| Face { first_name: first, last_name: last, email, ..Face::default() });
            face.phone = face.phone.take().or(phone);
            more(face);
            // Some shops take the address itself for a number.
            if let Some(number) = number.filter(|n| !n.contains('@') && face.numbers.len() < MOST_NAMED) {
                face.numbers.push(number);
            }
        }
    }
    let of_rows = faces.values().filter_map(|f| f.email.clone());
    let emails: BTreeSet<String> = of_rows.chain(whole.emails()).collect();
    // An address that stands in no row of its own is one more that falls under it.
    let in_rows: BTreeSet<String> = faces.values().filter_map(|f| f.email.clone()).collect();
    let mut all: Vec<Face> = faces.into_values().collect();
    let names: BTreeSet<String> =
        all.iter().map(|f| format!("{} {}", f.first_name, f.last_name).trim().to_lowercase()).filter(|n| !n.is_empty()).collect();
    // An address without a name is told by the row that has both.
    let is_told = |bare: &Face| {
        bare.first_name.is_empty()
            && bare.last_name.is_empty()
            && bare.orders + bare.leads + bare.steps == 0
            && all.iter().any(|f| f != bare && f.email == bare.email)
    };
    let bare: Vec<Face> = all.iter().filter(|f| is_told(f)).cloned().collect();
    all.retain(|f| !bare.contains(f));
    all.extend(emails.difference(&in_rows).map(|email| Face { email: Some(email.clone()), ..Face::default() }));
    all.sort_by(|a, b| (b.orders, b.leads, b.steps).cmp(&(a.orders, a.leads, a.steps)).then_with(|| a.email.cmp(&b.email)));
    let known: BTreeSet<String> = phones.keys().cloned().chain(whole.phones()).collect();
    // Two names of one address are no two who share a number.
    let share_a_phone = phones.values().any(|of| of.iter().map(|(_, address)| address).collect::<BTreeSet<_>>().len() > 1);
    Ok(KnownAs { faces: all, names: names.len(), emails: emails.len(), phones: known.len(), share_a_phone })
}
