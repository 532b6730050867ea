//! People who became users of the owner's own product. A row is written once, beside its conversion, and stays as it is.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::Way;
use crate::domain::ids::{ContactId, ConversionId};
use crate::domain::milestone::Enrolment;
use crate::domain::time::Time;
use crate::error::Result;

/// One as answers tell it.
#[derive(Debug, Clone)]
pub struct Enrolled {
    pub email: Option<String>,
    pub user_id: Option<String>,
    pub way: Way,
    pub days: Option<i64>,
}

pub struct Filed<'a> {
    pub conversion: ConversionId,
    pub contact: Option<ContactId>,
    pub enrolment: &'a Enrolment,
    pub way: &'a Way,
    /// Of the site's calendar.
    pub days: Option<i64>,
    pub received_at: Time,
}

pub fn find(c: &SiteConn, conversion: ConversionId) -> Result<Option<Enrolled>> {
    c.find(
        "select email, user_id, first_source, first_at, last_source, last_at, milestones, days from enrolments
         where site_id = :site and conversion_id = :id",
        named_params! {":id": conversion.number()},
        |row| {
            let at = |place: usize| -> rusqlite::Result<Option<Time>> { Ok(row.get::<_, Option<i64>>(place)?.map(Time::from_ms)) };
            let (first, last): (Option<String>, Option<String>) = (row.get(2)?, row.get(4)?);
            let way = Way { first: first.zip(at(3)?), last: last.zip(at(5)?), count: row.get(6)? };
            Ok(Enrolled { email: row.get(0)?, user_id: row.get(1)?, way, days: row.get(7)? })
        },
    )
}

pub fn add(c: &SiteConn, new: &Filed) -> Result<()> {
    let (e, way) = (new.enrolment, new.way);
    c.execute(
        "insert into enrolments (site_id, conversion_id, contact_id, email, user_id, at, received_at, first_source, first_at,
           last_source, last_at, days, milestones, estimated_usd_minor)
         values (:site, :id, :contact, :email, :user, :at, :received, :first, :first_at, :last, :last_at, :days, :count, :estimated)",
        named_params! {":id": new.conversion.number(), ":contact": new.contact.map(ContactId::number),
        ":email": e.person.email.as_ref().map(|e| e.as_str()), ":user": e.user_id, ":at": e.happened_at.ms(),
        ":received": new.received_at.ms(), ":first": way.first.as_ref().map(|(source, _)| source),
        ":first_at": way.first.as_ref().map(|(_, at)| at.ms()), ":last": way.last.as_ref().map(|(source, _)| source),
        ":last_at": way.last.as_ref().map(|(_, at)| at.ms()), ":days": new.days, ":count": way.count,
        ":estimated": e.estimated_usd_minor},
    )?;
    Ok(())
}
