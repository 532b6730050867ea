//! The fact that speaks for a conversion, as destinations and receipts read it: the row of its best informed report,
//! with what the contact is known by.

use rusqlite::named_params;
use serde_json::Value;

use super::scope::SiteConn;
use crate::domain::coupon;
use crate::domain::ids::ConversionId;
use crate::domain::outgoing::Item;
use crate::error::Result;

#[derive(Debug, Clone, Default)]
pub struct Told {
    pub external_id: String,
    pub order_number: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub city: Option<String>,
    pub postcode: Option<String>,
    pub customer_id: Option<String>,
    pub form_type: Option<String>,
    pub url: Option<String>,
    pub items: Vec<Item>,
    pub coupons: Vec<String>,
}

pub fn told(c: &SiteConn, conversion: ConversionId) -> Result<Told> {
    let report: Option<(String, Option<i64>, String, String)> = c.find(
        "select fact_kind, fact_id, external_id, detail from reports where site_id = :site and conversion_id = :conversion
         order by rank desc, id limit 1",
        named_params! {":conversion": conversion.number()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    let Some((kind, fact, external_id, detail)) = report else { return Ok(Told::default()) };
    let mut told = match (kind.as_str(), fact) {
        ("lead", Some(id)) => lead(c, id)?.unwrap_or_default(),
        ("order", Some(id)) => order(c, id)?.unwrap_or_default(),
        _ => statement(&detail),
    };
    if told.external_id.is_empty() {
        told.external_id = external_id;
    }
    known_by_contact(c, conversion, &mut told)?;
    Ok(told)
}

fn lead(c: &SiteConn, id: i64) -> Result<Option<Told>> {
    c.find(
        "select external_id, email, phone, first_name, last_name, form_type, url from leads where site_id = :site and id = :id",
        named_params! {":id": id},
        |row| {
            Ok(Told {
                external_id: row.get(0)?,
                email: row.get(1)?,
                phone: row.get(2)?,
                first_name: row.get(3)?,
                last_name: row.get(4)?,
                form_type: row.get(5)?,
                url: row.get(6)?,
                ..Told::default()
            })
        },
    )
}

fn order(c: &SiteConn, id: i64) -> Result<Option<Told>> {
    c.find(
        "select external_id, order_number, email, phone, first_name, last_name, customer_id, items, coupons
         from orders where site_id = :site and id = :id",
        named_params! {":id": id},
        |row| {
            let (items, coupons): (String, String) = (row.get(7)?, row.get(8)?);
            Ok(Told {
                external_id: row.get(0)?,
                order_number: row.get(1)?,
                email: row.get(2)?,
                phone: row.get(3)?,
                first_name: row.get(4)?,
                last_name: row.get(5)?,
                customer_id: row.get(6)?,
                items: serde_json::from_str(&items).unwrap_or_default(),
                coupons: serde_json::from_str(&coupons).unwrap_or_default(),
                ..Told::default()
            })
        },
    )
}

/// A statement keeps its words in its report.
fn statement(detail: &str) -> Told {
    let detail: Value = serde_json::from_str(detail).unwrap_or_default();
    let text = |key: &str| detail.get(key).and_then(Value::as_str).map(str::to_owned);
    Told {
        order_number: text("order_id"),
        email: text("email"),
        phone: text("phone"),
        items: detail.get("items").and_then(|i| serde_json::from_value(i.clone()).ok()).unwrap_or_default(),
        coupons: coupon::codes(text("coupon")),
        ..Told::default()
    }
}

/// What the fact itself does not say, its contact may.
fn known_by_contact(c: &SiteConn, conversion: ConversionId, told: &mut Told) -> Result<()> {
    let contact = c.find(
        "select p.email, p.phone, p.first_name, p.last_name, p.city, p.postcode
         from conversions v join contacts p on p.site_id = v.site_id and p.id = v.contact_id
         where v.site_id = :site and v.id = :id",
        named_params! {":id": conversion.number()},
        |row| Ok([row.get::<_, Option<String>>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?]),
    )?;
    if let Some([email, phone, first, last, city, postcode]) = contact {
        told.email = told.email.take().or(email);
        told.phone = told.phone.take().or(phone);
        told.first_name = told.first_name.take().or(first);
        told.last_name = told.last_name.take().or(last);
        told.city = told.city.take().or(city);
        told.postcode = told.postcode.take().or(postcode);
    }
    Ok(())
}
