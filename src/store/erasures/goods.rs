//! What a person bought, where its name names them: an engraved mug. The line stays for its sums, the name goes.

use std::collections::BTreeSet;

use rusqlite::named_params;
use serde_json::Value;

use super::super::scope::SiteConn;
use super::person::Whole;
use crate::domain::erasure::{looked_for, titles};
use crate::error::{Error, Result};

/// The person as a title may name them.
pub struct Bearer {
    names: Vec<(String, String)>,
    values: Vec<String>,
}

impl Bearer {
    /// Read before their names are blanked.
    pub fn of(c: &SiteConn, whole: &Whole) -> Result<Self> {
        let mut names: BTreeSet<(String, String)> = BTreeSet::new();
        for (ids, sql) in [
            (&whole.leads, "select first_name, last_name from leads where site_id = :site and id = :id"),
            (&whole.orders, "select first_name, last_name from orders where site_id = :site and id = :id"),
            (&whole.milestones, "select first_name, last_name from milestones where site_id = :site and id = :id"),
            (&whole.contacts, "select first_name, last_name from contacts where site_id = :site and id = :id"),
        ] {
            for id in ids {
                let found: Option<(Option<String>, Option<String>)> =
                    c.find(sql, named_params! {":id": id}, |row| Ok((row.get(0)?, row.get(1)?)))?;
                if let Some((Some(first), Some(last))) = found {
                    names.insert((first, last));
                }
            }
        }
        Ok(Self { names: names.into_iter().collect(), values: looked_for(&whole.emails(), &whole.phones(), None) })
    }

    /// Whoever is named by one of these values alone, in the orders of others.
    pub fn named(values: &[String]) -> Self {
        Self { names: Vec::new(), values: values.to_vec() }
    }

    fn clear(&self, lines: &mut Value) -> Vec<(String, String)> {
        titles::clear_lines(lines, &self.names, &self.values)
    }
}

/// Takes the person out of the lines of an order, and out of the lists and counts that are made of them.
pub fn rename(c: &SiteConn, bearer: &Bearer, order: i64) -> Result<()> {
    let id = named_params! {":id": order};
    let sql = "select items, conversion_id from orders where site_id = :site and id = :id";
    let Some((items, conversion)) = c.find(sql, id, |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)))? else {
        return Ok(());
    };
    let mut lines: Value = serde_json::from_str(&items).map_err(Error::internal)?;
    let changed = bearer.clear(&mut lines);
    if changed.is_empty() {
        return Ok(());
    }
    let sql = "update orders set items = :items where site_id = :site and id = :id";
    c.execute(sql, named_params! {":id": order, ":items": lines.to_string()})?;
    for (old, new) in &changed {
        let sql = "delete from product_names where site_id = :site and name = substr(trim(:name), 1, 255)";
        c.execute(sql, named_params! {":name": old})?;
        let Some(conversion) = conversion else { continue };
        let names = named_params! {":id": conversion, ":old": old, ":new": new};
        c.execute(
            "insert into product_days (site_id, day, kind, currency, platform, product, name, quantity, amount_minor)
             select site_id, day, kind, currency, platform, replace(product, :old, :new), replace(name, :old, :new), sum(quantity), sum(amount_minor)
             from product_days
             where site_id = :site and day in (select book_day from entries where site_id = :site and conversion_id = :id)
               and (instr(name, :old) > 0 or instr(product, :old) > 0)
             group by 1, 2, 3, 4, 5, 6, 7
             on conflict (site_id, day, kind, currency, platform, product, name) do update set
               quantity = quantity + excluded.quantity, amount_minor = amount_minor + excluded.amount_minor",
            names,
        )?;
        c.execute(
            "delete from product_days
             where site_id = :site and day in (select book_day from entries where site_id = :site and conversion_id = :id)
               and (instr(name, :old) > 0 or instr(product, :old) > 0)",
            named_params! {":id": conversion, ":old": old},
        )?;
    }
    Ok(())
}

/// What of a statement's lines may stay.
pub fn unnamed(bearer: &Bearer, mut lines: Value) -> Value {
    bearer.clear(&mut lines);
    lines
}
