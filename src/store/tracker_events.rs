//! Events as a tracker told them, each once by its key: the tracker, its id and its name.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::ContactId;
use crate::domain::time::Time;
use crate::domain::tracker::TrackerEvent;
use crate::error::Result;

/// How an event came to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    New,
    /// The same key with another content: the row was brought up to it, and the change was noted.
    Changed,
    /// Known as it is.
    Same,
}

/// What became of the key so far: its row, and whether this is its content.
pub fn find(c: &SiteConn, event: &TrackerEvent) -> Result<Option<(i64, bool)>> {
    c.find(
        "select id, content = :content from tracker_events
         where site_id = :site and source = :source and event_id = :event and event_name = :name",
        named_params! {":source": event.source, ":event": event.event_id, ":name": event.name, ":content": &event.content[..16]},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub fn add(c: &SiteConn, connection: i64, event: &TrackerEvent, contact: Option<ContactId>, now: Time) -> Result<()> {
    let id = c.next_box_number("tracker_event")?;
    c.execute(
        "insert into tracker_events (site_id, id, source, event_id, event_name, connection_id, at, received_at, content, is_standard,
           contact_id, em, ph, given, family, external_id, client, value_minor, currency, custom, meta, term, content_word, referrer,
           ad_id, adset_id, ad_campaign_id, ad_name, adset_name)
         values (:site, :id, :source, :event, :name, :connection, :at, :now, :content, :standard,
           :contact, :em, :ph, :given, :family, :external, :client, :value, :currency, :custom, :meta, :term, :content_word, :referrer,
           :ad, :adset, :ad_campaign, :ad_name, :adset_name)",
        named_params! {":id": id, ":source": event.source, ":event": event.event_id, ":name": event.name, ":connection": connection,
        ":at": event.happened_at.ms(), ":now": now.ms(), ":content": &event.content[..16], ":standard": event.is_standard(),
        ":contact": contact.map(ContactId::number), ":em": event.hashed.em, ":ph": event.hashed.ph, ":given": event.hashed.given,
        ":family": event.hashed.family, ":external": event.hashed.external_id, ":client": event.client,
        ":value": event.value.map(|m| m.minor), ":currency": event.value.as_ref().map(|m| m.currency.code()),
        ":custom": event.custom.to_string(), ":meta": event.meta.to_string(), ":term": event.campaign.term,
        ":content_word": event.campaign.content, ":referrer": event.campaign.referrer, ":ad": event.ad.ad, ":adset": event.ad.adset,
        ":ad_campaign": event.ad.campaign, ":ad_name": event.ad.ad_name, ":adset_name": event.ad.adset_name},
    )?;
    Ok(())
}

/// Brings the row to what is told now. What was credited by it stays.
pub fn change(c: &SiteConn, id: i64, event: &TrackerEvent, contact: Option<ContactId>, now: Time) -> Result<()> {
    c.execute(
        "update tracker_events set at = :at, changed_at = :now, changes = changes + 1, content = :content,
           contact_id = coalesce(:contact, contact_id), em = :em, ph = :ph, given = :given, family = :family, external_id = :external,
           client = :client, value_minor = :value, currency = :currency, custom = :custom, meta = :meta, term = :term,
           content_word = :content_word, referrer = :referrer, ad_id = :ad, adset_id = :adset, ad_campaign_id = :ad_campaign,
           ad_name = :ad_name, adset_name = :adset_name
         where site_id = :site and id = :id",
        named_params! {":id": id, ":at": event.happened_at.ms(), ":now": now.ms(), ":content": &event.content[..16],
        ":contact": contact.map(ContactId::number), ":em": event.hashed.em, ":ph": event.hashed.ph, ":given": event.hashed.given,
        ":family": event.hashed.family, ":external": event.hashed.external_id, ":client": event.client,
        ":value": event.value.map(|m| m.minor), ":currency": event.value.as_ref().map(|m| m.currency.code()),
        ":custom": event.custom.to_string(), ":meta": event.meta.to_string(), ":term": event.campaign.term,
        ":content_word": event.campaign.content, ":referrer": event.campaign.referrer, ":ad": event.ad.ad, ":adset": event.ad.adset,
        ":ad_campaign": event.ad.campaign, ":ad_name": event.ad.ad_name, ":adset_name": event.ad.adset_name},
    )?;
    Ok(())
}
