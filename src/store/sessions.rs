//! Browsers over time: when each was seen, where its first and last touch stand, and what it answered on consent.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::SessionId;
use crate::domain::time::Time;
use crate::domain::touch::Mark;
use crate::error::Result;

/// What the rules for a touch need of a stored session.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    pub key: String,
    pub last_seen_at: Time,
    pub touch_count: i64,
    pub first: Mark,
    pub last: Mark,
    pub analytics: String,
    pub marketing: String,
    /// When the present answer was given, if it was one.
    pub consent_at: Option<Time>,
    pub last_event: Option<Vec<u8>>,
}

/// A browser seen for the first time.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    pub key: &'a str,
    pub at: Time,
    pub is_direct: bool,
    pub browser: &'a Browser,
    pub consent: &'a Words,
    /// The consent manager that told the answer.
    pub manager: &'a str,
    pub event: Option<&'a [u8]>,
}

/// What a browser tells of itself.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    pub device: &'static str,
    pub browser: &'static str,
    pub system: &'static str,
    pub language: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
    pub city: Option<String>,
    pub user_agent: Option<String>,
    pub ga_client_id: Option<String>,
    pub ga_session_id: Option<String>,
    pub fbc: Option<String>,
    pub fbp: Option<String>,
}

/// Consent as kept: `granted`, `denied`, `unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub analytics: &'static str,
    pub marketing: &'static str,
    /// Answered in words, not by the site's rule.
    pub is_explicit: bool,
}

pub fn find_by_key(c: &SiteConn, key: &str) -> Result<Option<Session>> {
    c.find(
        "select id, key, last_seen_at, touch_count, first_seq, first_at, last_seq, last_at, last_is_direct, analytics, marketing,
           last_event, consent_at
         from sessions where site_id = :site and key = :key",
        named_params! {":key": key},
        |row| {
            let last_is_direct: bool = row.get(8)?;
            Ok(Session {
                id: SessionId::new(row.get(0)?),
                key: row.get(1)?,
                last_seen_at: Time::from_ms(row.get(2)?),
                touch_count: row.get(3)?,
                // A session whose last touch is direct has only direct ones.
                first: Mark { seq: row.get(4)?, at: Time::from_ms(row.get(5)?), is_direct: last_is_direct },
                last: Mark { seq: row.get(6)?, at: Time::from_ms(row.get(7)?), is_direct: last_is_direct },
                analytics: row.get(9)?,
                marketing: row.get(10)?,
                last_event: row.get(11)?,
                consent_at: row.get::<_, Option<i64>>(12)?.map(Time::from_ms),
            })
        },
    )
}

pub fn find_key(c: &SiteConn, id: SessionId) -> Result<Option<String>> {
    c.find("select key from sessions where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| row.get(0))
}

/// None where there is one of this key already.
pub fn add(c: &SiteConn, new: &NewSession) -> Result<Option<SessionId>> {
    let id = c.next_box_number("session")?;
    let b = new.browser;
    let added = c.execute(
        "insert into sessions (site_id, id, key, created_at, last_seen_at, first_at, last_at, last_is_direct, device, browser, system,
           language, country, region, city, user_agent, ga_client_id, ga_session_id, fbc, fbp, analytics, marketing, consent_at, consent_by,
           last_event)
         values (:site, :id, :key, :at, :at, :at, :at, :direct, :device, :browser, :system,
           :language, :country, :region, :city, :agent, :ga_client, :ga_session, :fbc, :fbp, :analytics, :marketing, :consent_at, :manager,
           :event)
         on conflict (key) do nothing",
        named_params! {":id": id, ":key": new.key, ":at": new.at.ms(), ":direct": new.is_direct, ":device": b.device,
        ":browser": b.browser, ":system": b.system, ":language": b.language, ":country": b.country, ":region": b.region,
        ":city": b.city, ":agent": b.user_agent, ":ga_client": b.ga_client_id, ":ga_session": b.ga_session_id, ":fbc": b.fbc,
        ":fbp": b.fbp, ":analytics": new.consent.analytics, ":marketing": new.consent.marketing,
        ":consent_at": new.consent.is_explicit.then_some(new.at.ms()), ":manager": new.consent.is_explicit.then_some(new.manager),
        ":event": new.event},
    )?;
    Ok((added > 0).then(|| SessionId::new(id)))
}

/// What a page view tells anew: ids that other scripts set only after our first request are kept when they come, never
/// emptied.
pub struct Seen<'a> {
    pub at: Time,
    pub browser: &'a Browser,
    pub event: Option<&'a [u8]>,
}

/// A page view of a known browser that brought nothing new: the one small write of the fast path.
pub fn saw_again(c: &SiteConn, session: &Session, seen: &Seen) -> Result<()> {
    let b = seen.browser;
    c.execute(
        "update sessions set last_seen_at = max(last_seen_at, :at), page_views = page_views + 1, last_event = coalesce(:event, last_event),
           ga_client_id = coalesce(:ga_client, ga_client_id), ga_session_id = coalesce(:ga_session, ga_session_id),
           fbc = coalesce(:fbc, fbc), fbp = coalesce(:fbp, fbp)
         where site_id = :site and id = :id",
        named_params! {":at": seen.at.ms(), ":event": seen.event, ":ga_client": b.ga_client_id, ":ga_session": b.ga_session_id, ":fbc": b.fbc,
            ":fbp": b.fbp, ":id": session.id.number()},
    )?;
    Ok(())
}

/// What a page view that was counted already brings besides: nothing is counted.
pub fn fill_in(c: &SiteConn, key: &str, browser: &Browser) -> Result<()> {
    let b = browser;
    if b.ga_client_id.is_none() && b.ga_session_id.is_none() && b.fbc.is_none() && b.fbp.is_none() {
        return Ok(());
    }
    c.execute(
        "update sessions set ga_client_id = coalesce(:ga_client, ga_client_id), ga_session_id = coalesce(:ga_session, ga_session_id),
           fbc = coalesce(:fbc, fbc), fbp = coalesce(:fbp, fbp)
         where site_id = :site and key = :key",
        named_params! {":ga_client": b.ga_client_id, ":ga_session": b.ga_session_id, ":fbc": b.fbc, ":fbp": b.fbp, ":key": key},
    )?;
    Ok(())
}

/// What a new touch changes of its session.
pub struct Moved<'a> {
    pub seen: Seen<'a>,
    pub first: Mark,
    pub last: Mark,
    pub starts_visit: bool,
}

pub fn moved(c: &SiteConn, session: &Session, moved: &Moved) -> Result<()> {
    let b = moved.seen.browser;
    c.execute(
        "update sessions set last_seen_at = max(last_seen_at, :at), page_views = page_views + 1, visits = visits + :visit,
           touch_count = touch_count + 1, first_seq = :first, first_at = :first_at, last_seq = :last, last_at = :last_at,
           last_is_direct = :direct, created_at = min(created_at, :at), last_event = coalesce(:event, last_event),
           ga_client_id = coalesce(:ga_client, ga_client_id), ga_session_id = coalesce(:ga_session, ga_session_id),
           fbc = coalesce(:fbc, fbc), fbp = coalesce(:fbp, fbp)
         where site_id = :site and id = :id",
        named_params! {":at": moved.seen.at.ms(), ":visit": moved.starts_visit, ":first": moved.first.seq, ":first_at": moved.first.at.ms(),
        ":last": moved.last.seq, ":last_at": moved.last.at.ms(), ":direct": moved.last.is_direct, ":event": moved.seen.event,
        ":ga_client": b.ga_client_id, ":ga_session": b.ga_session_id, ":fbc": b.fbc, ":fbp": b.fbp, ":id": session.id.number()},
    )?;
    Ok(())
}

pub fn set_consent(c: &SiteConn, key: &str, words: &Words, manager: &str, at: Time) -> Result<()> {
    c.execute(
        "update sessions set analytics = :analytics, marketing = :marketing, consent_at = :at, consent_by = :manager
         where site_id = :site and key = :key",
        named_params! {":analytics": words.analytics, ":marketing": words.marketing, ":at": at.ms(), ":manager": manager, ":key": key},
    )?;
    Ok(())
}

/// The person that a browser was proved to be.
pub fn find_contact(c: &SiteConn, id: SessionId) -> Result<Option<crate::domain::ids::ContactId>> {
    let contact: Option<Option<i64>> =
        c.find("select contact_id from sessions where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| row.get(0))?;
    Ok(contact.flatten().map(crate::domain::ids::ContactId::new))
}

pub fn set_contact(c: &SiteConn, id: SessionId, contact: i64) -> Result<()> {
    let linked = c.next_inner_number("session_link")?;
    c.execute(
        "update sessions set contact_id = :contact, linked = :linked
         where site_id = :site and id = :id and (contact_id is null or contact_id <> :contact)",
        named_params! {":contact": contact, ":linked": linked, ":id": id.number()},
    )?;
    Ok(())
}

/// A sealed address, for at most seven days.
pub fn keep_address(c: &SiteConn, id: SessionId, address: &str, expires_at: Time) -> Result<()> {
    let sealed = c.sealer().seal(address.as_bytes(), &address_row(c, id));
    c.execute(
        "insert into session_addresses (site_id, session_id, sealed, expires_at) values (:site, :id, :sealed, :expires)
         on conflict (site_id, session_id) do update set sealed = excluded.sealed, expires_at = excluded.expires_at",
        named_params! {":id": id.number(), ":sealed": sealed, ":expires": expires_at.ms()},
    )?;
    Ok(())
}

pub fn find_address(c: &SiteConn, id: SessionId, now: Time) -> Result<Option<String>> {
    let sealed: Option<Vec<u8>> = c.find(
        "select sealed from session_addresses where site_id = :site and session_id = :id and expires_at > :now",
        named_params! {":id": id.number(), ":now": now.ms()},
        |row| row.get(0),
    )?;
    Ok(sealed.and_then(|s| c.sealer().open(&s, &address_row(c, id))).and_then(|p| String::from_utf8(p).ok()))
}

/// A few hundred addresses under the present master key: how many were changed, and the last session that was looked at.
pub fn seal_addresses_anew(c: &SiteConn, after: i64) -> Result<(usize, Option<i64>)> {
    let rows: Vec<(i64, Vec<u8>)> = c.list(
        "select session_id, sealed from session_addresses where site_id = :site and session_id > :after order by session_id limit 300",
        named_params! {":after": after},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut changed = 0;
    for (id, sealed) in &rows {
        if let Some(anew) = c.sealer().sealed_anew(sealed, &address_row(c, SessionId::new(*id))) {
            let new = named_params! {":sealed": anew, ":id": id};
            changed += c.execute("update session_addresses set sealed = :sealed where site_id = :site and session_id = :id", new)?;
        }
    }
    Ok((changed, rows.last().map(|(id, _)| *id)))
}

fn address_row(c: &SiteConn, id: SessionId) -> String {
    format!("session_addresses/{}/{}", c.site().number(), id.number())
}

/// What a browser was and which ids of ad platforms it carried.
#[derive(Debug, Clone)]
pub struct Carried {
    pub device: String,
    pub browser: String,
    pub system: String,
    pub country: Option<String>,
    pub region: Option<String>,
    pub city: Option<String>,
    pub user_agent: Option<String>,
    pub ga_client_id: Option<String>,
    pub ga_session_id: Option<String>,
    pub fbc: Option<String>,
    pub fbp: Option<String>,
    pub created_at: Time,
}

pub fn find_device(c: &SiteConn, id: SessionId) -> Result<Option<Carried>> {
    c.find(
        "select device, browser, system, country, region, city, user_agent, ga_client_id, ga_session_id, fbc, fbp, created_at
         from sessions where site_id = :site and id = :id",
        named_params! {":id": id.number()},
        |row| {
            Ok(Carried {
                device: row.get(0)?,
                browser: row.get(1)?,
                system: row.get(2)?,
                country: row.get(3)?,
                region: row.get(4)?,
                city: row.get(5)?,
                user_agent: row.get(6)?,
                ga_client_id: row.get(7)?,
                ga_session_id: row.get(8)?,
                fbc: row.get(9)?,
                fbp: row.get(10)?,
                created_at: Time::from_ms(row.get(11)?),
            })
        },
    )
}

/// Addresses past their seven days.
pub fn forget_addresses(c: &SiteConn, now: Time) -> Result<usize> {
    c.execute(
        "delete from session_addresses where site_id = :site and session_id in
           (select session_id from session_addresses where site_id = :site and expires_at <= :now limit 2000)",
        named_params! {":now": now.ms()},
    )
}
