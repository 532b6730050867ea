//! Touches of a session in the order of arrival, and the click ids they carried.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::campaign::{AdIds, ClickIds, Landing, Origin};
use crate::domain::ids::{LinkId, SessionId};
use crate::domain::time::Time;
use crate::domain::touch::{SAME_CAMPAIGN_MS, TouchKind, Touchpoint};
use crate::error::{Error, Result};

/// A touch as it is stored.
pub struct NewTouch<'a> {
    pub session: SessionId,
    pub seq: i64,
    pub at: Time,
    pub received_at: Time,
    pub origin: &'a Origin,
    pub landing: &'a Landing,
    pub title: Option<&'a str>,
    pub ads: &'a AdIds,
    pub starts_visit: bool,
    pub marketing: &'static str,
    pub is_imported: bool,
    /// A visit by a click already counted: it is a visit, but no touchpoint.
    pub is_repeat: bool,
    /// The link whose click id it carried.
    pub short_link: Option<LinkId>,
    /// Digest of its event id.
    pub event: Option<&'a [u8]>,
}

pub fn add(c: &SiteConn, new: &NewTouch) -> Result<()> {
    let ads = if new.ads.is_empty() { None } else { Some(serde_json::to_string(new.ads).map_err(Error::internal)?) };
    let o = new.origin;
    c.execute(
        "insert into touches (site_id, session_id, seq, at, received_at, source, medium, campaign, term, content, raw_source, raw_medium,
           referrer, landing, title, is_direct, starts_visit, click_kind, ads, affiliate, marketing, is_imported, is_repeat,
           short_link_id, event)
         values (:site, :session, :seq, :at, :received, :source, :medium, :campaign, :term, :content, :raw_source, :raw_medium,
           :referrer, :landing, :title, :direct, :visit, :click, :ads, :affiliate, :marketing, :imported, :repeat, :short_link,
           :event)",
        named_params! {":session": new.session.number(), ":seq": new.seq, ":at": new.at.ms(), ":received": new.received_at.ms(),
        ":source": o.source, ":medium": o.medium, ":campaign": o.campaign, ":term": o.term, ":content": o.content,
        ":raw_source": o.raw_source, ":raw_medium": o.raw_medium, ":referrer": o.referrer_host,
        ":landing": new.landing.path_and_query(), ":title": new.title, ":direct": o.is_direct, ":visit": new.starts_visit,
        ":click": o.click.map(|k| k.name()), ":ads": ads, ":affiliate": new.landing.refs, ":marketing": new.marketing,
        ":imported": new.is_imported, ":repeat": new.is_repeat,
        ":short_link": new.short_link.map(LinkId::number), ":event": new.event},
    )?;
    Ok(())
}

/// Whether the session already has this campaign within half an hour of `at`.
pub fn has_campaign(c: &SiteConn, session: SessionId, origin: &Origin, at: Time) -> Result<bool> {
    let found = c.find(
        "select 1 from touches where site_id = :site and session_id = :session and at between :from and :to
           and source = :source and medium = :medium and lower(coalesce(campaign, '')) = lower(coalesce(:campaign, '')) limit 1",
        named_params! {":session": session.number(), ":from": at.ms() - SAME_CAMPAIGN_MS, ":to": at.ms() + SAME_CAMPAIGN_MS,
        ":source": origin.source, ":medium": origin.medium, ":campaign": origin.campaign},
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Which of these click ids the session has not brought before.
pub fn has_new_click(c: &SiteConn, session: SessionId, clicks: &ClickIds) -> Result<bool> {
    for (kind, value) in clicks.iter() {
        let known = c.find(
            "select 1 from clicks where site_id = :site and value = :value and session_id = :session and kind = :kind",
            named_params! {":value": value, ":session": session.number(), ":kind": kind.name()},
            |_| Ok(()),
        )?;
        if known.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub fn add_clicks(c: &SiteConn, session: SessionId, seq: i64, clicks: &ClickIds, at: Time) -> Result<()> {
    for (kind, value) in clicks.iter() {
        c.execute(
            "insert into clicks (site_id, value, session_id, kind, seq, at) values (:site, :value, :session, :kind, :seq, :at)
             on conflict do nothing",
            named_params! {":value": value, ":session": session.number(), ":kind": kind.name(), ":seq": seq, ":at": at.ms()},
        )?;
    }
    Ok(())
}

/// Sessions in which a click id landed, whatever platform it is of.
pub fn sessions_with_click(c: &SiteConn, value: &str) -> Result<Vec<SessionId>> {
    c.list(
        "select distinct session_id from clicks where site_id = :site and value = :value order by session_id limit 20",
        named_params! {":value": value},
        |row| Ok(SessionId::new(row.get(0)?)),
    )
}

/// Click ids of a session, the newest first.
pub fn list_clicks(c: &SiteConn, session: SessionId) -> Result<Vec<(String, String, Time)>> {
    c.list(
        "select kind, value, at from clicks where site_id = :site and session_id = :session order by at desc, kind",
        named_params! {":session": session.number()},
        |row| Ok((row.get(0)?, row.get(1)?, Time::from_ms(row.get(2)?))),
    )
}

/// The touches of a session up to a moment, newest five hundred at most: evidence for a conversion.
pub fn list_before(c: &SiteConn, session: SessionId, until: Time) -> Result<Vec<Touchpoint>> {
    c.list(
        "select t.session_id, t.seq, t.at, t.source, t.medium, t.campaign, t.term, t.content, t.ads, t.landing, t.referrer, t.click_kind,
           s.device, t.is_direct, t.is_imported, t.affiliate, t.short_link_id
         from touches t left join sessions s on s.site_id = t.site_id and s.id = t.session_id
         where t.site_id = :site and t.session_id = :session and t.at <= :until and t.is_repeat = 0 order by t.at desc, t.seq desc limit 500",
        named_params! {":session": session.number(), ":until": until.ms()},
        read,
    )
}

fn read(row: &Row) -> rusqlite::Result<Touchpoint> {
    let ads: Option<String> = row.get(8)?;
    let ads: AdIds = ads.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let click: Option<String> = row.get(11)?;
    let affiliate: Option<String> = row.get(15)?;
    let is_direct: bool = row.get(13)?;
    let short_link: Option<i64> = row.get(16)?;
    Ok(Touchpoint {
        session: row.get(0)?,
        seq: row.get(1)?,
        at: Time::from_ms(row.get(2)?),
        // A tagged or clicked address was clicked on; an untagged arrival was only seen.
        kind: match (&click, is_direct) {
            _ if affiliate.is_some() || short_link.is_some() => TouchKind::Link,
            (Some(_), _) => TouchKind::Click,
            (None, true) => TouchKind::View,
            (None, false) => TouchKind::Click,
        },
        source: row.get(3)?,
        medium: row.get(4)?,
        campaign: row.get(5)?,
        term: row.get(6)?,
        content: row.get(7)?,
        campaign_id: ads.campaign_id.or(ads.utm_id),
        landing: row.get(9)?,
        referrer: row.get(10)?,
        click,
        short_link: short_link.map(LinkId::new),
        device: row.get(12)?,
        is_direct,
        is_imported: row.get(14)?,
    })
}

/// The page's title for a touch that was stored without one, by its session and its event's digest.
pub fn fill_in_title(c: &SiteConn, key: &str, event: &[u8], title: &str) -> Result<()> {
    c.execute(
        "update touches set title = :title
         where site_id = :site and event = :event and title is null
           and session_id = (select id from sessions where site_id = :site and key = :key)",
        named_params! {":title": title, ":event": event, ":key": key},
    )?;
    Ok(())
}

/// Digests of the event ids counted since a time, each with its session; 0 stands for a refused one.
pub fn list_events(c: &SiteConn, since: Time) -> Result<Vec<(Vec<u8>, i64)>> {
    c.list(
        "select event, session_id from touches where site_id = :site and at >= :since and event is not null
         union all
         select event, 0 from anon_events where site_id = :site and at >= :since and event is not null",
        named_params! {":since": since.ms()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
