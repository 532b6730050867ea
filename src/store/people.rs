//! Who said to be whom: identities of contacts, and of sessions. A verified identity merges contacts, an asserted one
//! only links.

use rusqlite::named_params;

use super::scope::SiteConn;
use super::{consents, milestones};
use crate::domain::fact::Person;
use crate::domain::ids::{ContactId, SessionId};
use crate::domain::time::{DAY_MS, Time};
use crate::error::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    Email,
    Phone,
    CustomerId,
}

impl IdentityKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CustomerId => "customer_id",
        }
    }
}

/// Everything a fact or a browser says a person is known by.
pub fn identities_of(person: &Person) -> Vec<(IdentityKind, String)> {
    let mut all = Vec::new();
    if let Some(email) = &person.email {
        all.push((IdentityKind::Email, email.as_str().to_owned()));
    }
    if let Some(phone) = &person.phone {
        all.push((IdentityKind::Phone, phone.as_str().to_owned()));
    }
    if let Some(id) = &person.customer_id {
        all.push((IdentityKind::CustomerId, id.clone()));
    }
    all
}

/// Whose contact a proved identity is.
#[derive(Debug, Clone, Copy)]
pub struct Proved {
    pub contact: ContactId,
    /// Several contacts turned out to be this one person.
    pub is_merged: bool,
}

/// The contact of a person whose sender has proved itself: found, made, or merged from several. None without any identity.
pub fn contact_of_verified(c: &SiteConn, person: &Person, source: &str, at: Time) -> Result<Option<Proved>> {
    let identities = identities_of(person);
    if identities.is_empty() {
        return Ok(None);
    }
    let mut holders: Vec<i64> = Vec::new();
    for (kind, value) in &identities {
        if let Some((contact, _)) = find_identity(c, *kind, value)?
            && !holders.contains(&contact)
        {
            holders.push(contact);
        }
    }
    holders.sort_unstable();
    let contact = match holders.as_slice() {
        [] => add_contact(c, person, at)?,
        [one] => *one,
        [oldest, others @ ..] => {
            for other in others {
                merge(c, *oldest, *other, source, at)?;
            }
            *oldest
        }
    };
    for (kind, value) in &identities {
        c.execute(
            "insert into identities (site_id, kind, value, contact_id, is_verified, first_at, source)
             values (:site, :kind, :value, :contact, 1, :at, :source)
             on conflict (site_id, kind, value) do update set contact_id = excluded.contact_id, is_verified = 1
               where contact_id <> excluded.contact_id or is_verified = 0",
            named_params! {":kind": kind.word(), ":value": value, ":contact": contact, ":at": at.ms(), ":source": source},
        )?;
    }
    if !holders.is_empty() {
        learned(c, contact, person, at)?;
    }
    Ok(Some(Proved { contact: ContactId::new(contact), is_merged: holders.len() > 1 }))
}

/// The contact of a person who is only said to be it: one that was only said before, or a new one that owns nothing yet.
/// Never merges, and never a proved one.
pub fn contact_of_asserted(c: &SiteConn, person: &Person, source: &str, at: Time) -> Result<Option<ContactId>> {
    let identities = identities_of(person);
    for (kind, value) in &identities {
        match find_identity(c, *kind, value)? {
            // Whoever types a proved person's address is not that person yet.
            Some((_, true)) => return Ok(None),
            Some((contact, false)) => return Ok(Some(ContactId::new(contact))),
            None => {}
        }
    }
    if identities.is_empty() {
        return Ok(None);
    }
    let contact = add_contact(c, person, at)?;
    for (kind, value) in &identities {
        c.execute(
            "insert into identities (site_id, kind, value, contact_id, is_verified, first_at, source)
             values (:site, :kind, :value, :contact, 0, :at, :source) on conflict do nothing",
            named_params! {":kind": kind.word(), ":value": value, ":contact": contact, ":at": at.ms(), ":source": source},
        )?;
    }
    Ok(Some(ContactId::new(contact)))
}

/// Who is known by this.
pub fn holder_of(c: &SiteConn, kind: IdentityKind, value: &str) -> Result<Option<ContactId>> {
    Ok(find_identity(c, kind, value)?.map(|(contact, _)| ContactId::new(contact)))
}

/// Contact and whether the identity is verified.
fn find_identity(c: &SiteConn, kind: IdentityKind, value: &str) -> Result<Option<(i64, bool)>> {
    c.find(
        "select contact_id, is_verified from identities where site_id = :site and kind = :kind and value = :value",
        named_params! {":kind": kind.word(), ":value": value},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

fn add_contact(c: &SiteConn, person: &Person, at: Time) -> Result<i64> {
    let id = c.next_number("contact")?;
    c.execute(
        "insert into contacts (site_id, id, email, phone, first_name, last_name, company, country, city, postcode, first_seen_at, last_seen_at)
         values (:site, :id, :email, :phone, :first, :last, :company, :country, :city, :postcode, :at, :at)",
        named_params! {":id": id, ":email": person.email.as_ref().map(|e| e.as_str()), ":phone": person.phone.as_ref().map(|p| p.as_str()),
            ":first": person.first_name, ":last": person.last_name, ":company": person.company, ":country": person.country,
            ":city": person.city, ":postcode": person.postcode, ":at": at.ms()},
    )?;
    Ok(id)
}

/// What a contact was not known by before is filled in; what is known stays.
fn learned(c: &SiteConn, contact: i64, person: &Person, at: Time) -> Result<()> {
    c.execute(
        "update contacts set email = coalesce(email, :email), phone = coalesce(phone, :phone), first_name = coalesce(first_name, :first),
           last_name = coalesce(last_name, :last), company = coalesce(company, :company), country = coalesce(country, :country),
           city = coalesce(city, :city), postcode = coalesce(postcode, :postcode),
           first_seen_at = min(first_seen_at, :at), last_seen_at = max(last_seen_at, :at)
         where site_id = :site and id = :id",
        named_params! {":id": contact, ":email": person.email.as_ref().map(|e| e.as_str()), ":phone": person.phone.as_ref().map(|p| p.as_str()),
            ":first": person.first_name, ":last": person.last_name, ":company": person.company, ":country": person.country,
            ":city": person.city, ":postcode": person.postcode, ":at": at.ms()},
    )?;
    Ok(())
}

/// A fact tells the person's answer on marketing, given at a moment: of several the newest holds, and of two at once the
/// denial. The same answer given anew is newer than what was said elsewhere meanwhile. Gives whether it is news.
pub fn answered(c: &SiteConn, contact: ContactId, is_granted: bool, by: &str, at: Time, heard_at: Time) -> Result<bool> {
    let word = if is_granted { "granted" } else { "denied" };
    let known = c.find(
        "select marketing, marketing_at from contacts where site_id = :site and id = :id",
        named_params! {":id": contact.number()},
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)),
    )?;
    let Some((known, known_at)) = known else { return Ok(false) };
    let is_newer = known_at.is_none_or(|known_at| at.ms() > known_at || at.ms() == known_at && !is_granted && known != word);
    if !is_newer {
        return Ok(false);
    }
    // The same answer too: between the two somebody may have said otherwise, and what left meanwhile left by the first.
    consents::retire_of_contact(c, contact)?;
    c.execute(
        "update contacts set marketing = :word, marketing_at = :at, marketing_by = :by, marketing_heard_at = :heard
         where site_id = :site and id = :id",
        named_params! {":word": word, ":at": at.ms(), ":by": by, ":heard": heard_at.ms(), ":id": contact.number()},
    )?;
    Ok(true)
}

/// Two contacts proved to be one. Recorded, so that it can be undone; the younger stays as a signpost.
fn merge(c: &SiteConn, kept: i64, merged: i64, because: &str, at: Time) -> Result<()> {
    let both = named_params! {":kept": kept, ":merged": merged};
    c.execute("update identities set contact_id = :kept where site_id = :site and contact_id = :merged", both)?;
    c.execute("update conversions set contact_id = :kept where site_id = :site and contact_id = :merged", both)?;
    c.execute("update leads set contact_id = :kept where site_id = :site and contact_id = :merged", both)?;
    c.execute("update orders set contact_id = :kept where site_id = :site and contact_id = :merged", both)?;
    c.execute("update conversations set contact_id = :kept where site_id = :site and contact_id = :merged", both)?;
    milestones::merge(c, kept, merged)?;
    c.execute("update tracker_events set contact_id = :kept where site_id = :site and contact_id = :merged", both)?;
    // The newer answer of the two is the person's; a denial at the same moment wins.
    let newer: Option<i64> = c.find(
        "select 1 from contacts k join contacts m on m.site_id = k.site_id and m.id = :merged where k.site_id = :site and k.id = :kept
           and (m.marketing_at > coalesce(k.marketing_at, 0) or m.marketing_at = k.marketing_at and m.marketing = 'denied')",
        both,
        |row| row.get(0),
    )?;
    if newer.is_some() {
        consents::retire_of_contact(c, ContactId::new(kept))?;
        // That it is this person's answer too is known from now on.
        c.execute(
            "update contacts as k set (marketing, marketing_at, marketing_by, marketing_heard_at) =
               (select m.marketing, m.marketing_at, m.marketing_by, :at from contacts m where m.site_id = k.site_id and m.id = :merged)
             where k.site_id = :site and k.id = :kept",
            named_params! {":kept": kept, ":merged": merged, ":at": at.ms()},
        )?;
    }
    c.execute("update contacts set merged_into = :kept where site_id = :site and id = :merged", both)?;
    let id = c.next_number("contact_merge")?;
    c.execute(
        "insert into contact_merges (site_id, id, at, kept, merged, because) values (:site, :id, :at, :kept, :merged, :because)",
        named_params! {":id": id, ":at": at.ms(), ":kept": kept, ":merged": merged, ":because": because},
    )?;
    Ok(())
}

/// Links a session to a person. Gives false where it was known already.
pub fn link_session(c: &SiteConn, link: &SessionLink) -> Result<bool> {
    let changed = c.execute(
        "insert into session_people (site_id, kind, value, session_id, is_verified, at, source, is_flagged)
         values (:site, :kind, :value, :session, :verified, :at, :source, :flagged) on conflict do nothing",
        named_params! {":kind": link.kind.word(), ":value": link.value, ":session": link.session.number(), ":verified": link.is_verified,
        ":at": link.at.ms(), ":source": link.source, ":flagged": link.is_flagged},
    )?;
    Ok(changed > 0)
}

pub struct SessionLink<'a> {
    pub kind: IdentityKind,
    pub value: &'a str,
    pub session: SessionId,
    pub is_verified: bool,
    pub at: Time,
    pub source: &'a str,
    /// Beyond what one browser or one address claims in a day: kept for the owner's eyes, links nothing.
    pub is_flagged: bool,
}

/// Identities that this session has claimed within a day, and sessions that have claimed this identity.
pub fn count_claims(c: &SiteConn, session: SessionId, kind: IdentityKind, value: &str, now: Time) -> Result<(i64, i64)> {
    let since = now.ms() - DAY_MS;
    let of_session: i64 = c.one(
        "select count(distinct kind || ':' || value) from session_people
         where site_id = :site and session_id = :session and at > :since and not (kind = :kind and value = :value)",
        named_params! {":session": session.number(), ":since": since, ":kind": kind.word(), ":value": value},
    )?;
    let of_identity: i64 = c.one(
        "select count(distinct session_id) from session_people
         where site_id = :site and kind = :kind and value = :value and at > :since and session_id <> :session",
        named_params! {":session": session.number(), ":since": since, ":kind": kind.word(), ":value": value},
    )?;
    Ok((of_session, of_identity))
}

/// Claims of browsers that the owner should look at, by whom they name.
#[derive(Debug, Clone, PartialEq)]
pub struct Strange {
    pub kind: String,
    pub value: String,
    pub browsers: i64,
    pub newest_at: Time,
    /// Sales by which a partner would earn because of it, and nothing else. None where it was beyond what one browser, or one
    /// address, says in a day, and so links nothing.
    pub earns: i64,
}

/// Those of the last days, fifty identities at most of each sort, the newest first.
pub fn strange_claims(c: &SiteConn, since: Time) -> Result<Vec<Strange>> {
    let read = |row: &rusqlite::Row| {
        Ok(Strange {
            kind: row.get(0)?,
            value: row.get(1)?,
            browsers: row.get(2)?,
            newest_at: Time::from_ms(row.get(3)?),
            earns: row.get(4)?,
        })
    };
    let mut all = c.list(
        "select kind, value, count(distinct session_id), max(at) as newest, 0 from session_people
         where site_id = :site and is_flagged = 1 and at >= :since group by kind, value order by newest desc limit 50",
        named_params! {":since": since.ms()},
        read,
    )?;
    all.extend(c.list(
        "select p.kind, p.value, count(distinct p.session_id), max(p.at) as newest, count(distinct e.conversion_id)
         from affiliate_credits e
         join conversions v on v.site_id = e.site_id and v.id = e.conversion_id and v.is_asserted = 1
         join session_people p on p.site_id = v.site_id and p.session_id = v.session_id and p.is_verified = 0 and p.is_flagged = 0
         join identities i on i.site_id = p.site_id and i.kind = p.kind and i.value = p.value and i.contact_id = v.contact_id
         where e.site_id = :site and e.affiliate_id is not null and e.is_asserted = 1 and e.at >= :since
         group by p.kind, p.value order by newest desc limit 50",
        named_params! {":since": since.ms()},
        read,
    )?);
    Ok(all)
}

/// Sessions known as this identity, the newest link first, each with whether it was proved.
pub fn sessions_of(c: &SiteConn, kind: IdentityKind, value: &str) -> Result<Vec<(SessionId, bool)>> {
    c.list(
        "select session_id, max(is_verified), max(at) as newest from session_people
         where site_id = :site and kind = :kind and value = :value and is_flagged = 0
         group by session_id order by newest desc limit 50",
        named_params! {":kind": kind.word(), ":value": value},
        |row| Ok((SessionId::new(row.get(0)?), row.get(1)?)),
    )
}

/// Sessions that were proved to be this identity, and since when.
pub fn proved_sessions(c: &SiteConn, kind: IdentityKind, value: &str) -> Result<Vec<(SessionId, Time)>> {
    c.list(
        "select session_id, min(at) from session_people
         where site_id = :site and kind = :kind and value = :value and is_verified = 1 and is_flagged = 0 group by session_id",
        named_params! {":kind": kind.word(), ":value": value},
        |row| Ok((SessionId::new(row.get(0)?), Time::from_ms(row.get(1)?))),
    )
}

/// Every verified identity of a contact.
pub fn list_identities(c: &SiteConn, contact: ContactId) -> Result<Vec<(IdentityKind, String)>> {
    c.list(
        "select kind, value from identities where site_id = :site and contact_id = :contact and is_verified = 1 limit 50",
        named_params! {":contact": contact.number()},
        |row| {
            let kind: String = row.get(0)?;
            let kind = match kind.as_str() {
                "email" => IdentityKind::Email,
                "phone" => IdentityKind::Phone,
                _ => IdentityKind::CustomerId,
            };
            Ok((kind, row.get(1)?))
        },
    )
}
