//! Which conversation led to a conversion: one row each, frozen like credit.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::attribution::PathTouch;
use crate::domain::attribution::chat::{Assist, Method};
use crate::domain::ids::{ContactId, ConversationId, ConversionId, SessionId};
use crate::domain::time::Time;
use crate::error::{Error, Result};

/// A verdict as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub conversation: Option<ConversationId>,
    /// The sender's own id of it.
    pub external_id: Option<String>,
    pub platform: Option<String>,
    pub method: Method,
    pub confidence_bp: u16,
    pub reason: String,
    /// Told only after the conversion.
    pub is_late: bool,
    pub runner_up: Option<crate::domain::attribution::chat::Claim>,
    pub touches: Vec<PathTouch>,
}

pub fn find(c: &SiteConn, conversion: ConversionId) -> Result<Option<Stored>> {
    let found = c.find(
        "select a.conversation_id, t.external_id, t.platform, a.method, a.confidence_bp, a.reason, a.is_late, a.runner_up, a.touches
         from chat_assists a left join conversations t on t.site_id = a.site_id and t.id = a.conversation_id
         where a.site_id = :site and a.conversion_id = :conversion",
        named_params! {":conversion": conversion.number()},
        read,
    )?;
    found.transpose()
}

fn read(row: &Row) -> rusqlite::Result<Result<Stored>> {
    let conversation: Option<i64> = row.get(0)?;
    let (method, bp): (String, i64) = (row.get(3)?, row.get(4)?);
    let (runner_up, touches): (Option<String>, String) = (row.get(7)?, row.get(8)?);
    let stored = Stored {
        conversation: conversation.map(ConversationId::new),
        external_id: row.get(1)?,
        platform: row.get(2)?,
        method: Method::parse(&method).unwrap_or(Method::NoMatch),
        confidence_bp: bp.clamp(0, 10_000) as u16,
        reason: row.get(5)?,
        is_late: row.get(6)?,
        runner_up: None,
        touches: Vec::new(),
    };
    Ok(whole(stored, runner_up.as_deref(), &touches))
}

fn whole(mut stored: Stored, runner_up: Option<&str>, touches: &str) -> Result<Stored> {
    stored.runner_up = runner_up.map(serde_json::from_str).transpose().map_err(Error::internal)?;
    stored.touches = serde_json::from_str(touches).map_err(Error::internal)?;
    Ok(stored)
}

/// Writes a verdict in the place of what stood there. Who may do so is for the flow to say.
pub fn save(c: &SiteConn, conversion: ConversionId, assist: &Assist, is_late: bool, at: Time) -> Result<()> {
    let runner_up = assist.runner_up.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)?;
    let touches = serde_json::to_string(&assist.touches).map_err(Error::internal)?;
    c.execute(
        "insert into chat_assists (site_id, conversion_id, at, method, confidence_bp, conversation_id, reason, runner_up, touches, is_late)
         values (:site, :conversion, :at, :method, :bp, :conversation, :reason, :runner_up, :touches, :late)
         on conflict (site_id, conversion_id) do update set at = excluded.at, method = excluded.method, confidence_bp = excluded.confidence_bp,
           conversation_id = excluded.conversation_id, reason = excluded.reason, runner_up = excluded.runner_up, touches = excluded.touches,
           is_late = excluded.is_late",
        named_params! {":conversion": conversion.number(), ":at": at.ms(), ":method": assist.method().word(),
            ":bp": i64::from(assist.confidence_bp()), ":conversation": assist.claim.as_ref().map(|x| x.conversation),
            ":reason": assist.reason, ":runner_up": runner_up, ":touches": touches, ":late": is_late},
    )?;
    Ok(())
}

/// Conversions that news of a conversation may still explain: of its person or its browser, not older than a time, and
/// within the reach of a chat. Each with whether only a page has told of it.
pub fn list_open(
    c: &SiteConn,
    contacts: &[ContactId],
    session: Option<SessionId>,
    received_since: Time,
    happened: (Time, Time),
) -> Result<Vec<(ConversionId, bool)>> {
    let mut found: Vec<(ConversionId, bool)> = Vec::new();
    let mut add = |rows: Vec<(ConversionId, bool)>| {
        for row in rows {
            if !found.contains(&row) {
                found.push(row);
            }
        }
    };
    for contact in contacts {
        add(c.list(
            "select id, not exists (select 1 from reports r where r.site_id = conversions.site_id and r.conversion_id = conversions.id and r.connection_id <> -2)
             from conversions where site_id = :site and contact_id = :contact and received_at >= :since
               and happened_at between :from and :to order by id limit 50",
            named_params! {":contact": contact.number(), ":since": received_since.ms(), ":from": happened.0.ms(), ":to": happened.1.ms()},
            |row| Ok((ConversionId::new(row.get(0)?), row.get(1)?)),
        )?);
    }
    if let Some(session) = session {
        add(c.list(
            "select id, not exists (select 1 from reports r where r.site_id = conversions.site_id and r.conversion_id = conversions.id and r.connection_id <> -2)
             from conversions where site_id = :site and session_id = :session and received_at >= :since
               and happened_at between :from and :to order by id limit 50",
            named_params! {":session": session.number(), ":since": received_since.ms(), ":from": happened.0.ms(), ":to": happened.1.ms()},
            |row| Ok((ConversionId::new(row.get(0)?), row.get(1)?)),
        )?);
    }
    Ok(found)
}
