//! Visits of those who refused: where from and which page, nothing of who.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::campaign::{Origin, Utm};
use crate::domain::time::{Day, Time};
use crate::error::Result;

pub struct AnonEvent<'a> {
    pub at: Time,
    pub day: Day,
    pub origin: &'a Origin,
    pub utm: &'a Utm,
    /// Without its query.
    pub path: &'a str,
    pub country: Option<&'a str>,
    pub device: &'static str,
    pub starts_visit: bool,
    /// Digest of its event id.
    pub event: Option<&'a [u8]>,
}

pub fn add(c: &SiteConn, e: &AnonEvent) -> Result<()> {
    let id = c.next_inner_number("anon_event")?;
    c.execute(
        "insert into anon_events (site_id, id, at, day, source, medium, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
           referrer_host, path, country, device, starts_visit, event)
         values (:site, :id, :at, :day, :source, :medium, :utm_source, :utm_medium, :utm_campaign, :utm_term, :utm_content,
           :referrer, :path, :country, :device, :visit, :event)",
        named_params! {":id": id, ":at": e.at.ms(), ":day": e.day.0, ":source": e.origin.source, ":medium": e.origin.medium,
        ":utm_source": e.utm.source, ":utm_medium": e.utm.medium, ":utm_campaign": e.utm.campaign, ":utm_term": e.utm.term,
        ":utm_content": e.utm.content, ":referrer": e.origin.referrer_host, ":path": e.path, ":country": e.country,
        ":device": e.device, ":visit": e.starts_visit, ":event": e.event},
    )?;
    Ok(())
}
