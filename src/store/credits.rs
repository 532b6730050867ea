//! Frozen credit: one row a run, never changed.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::attribution::{Credit, MatchType, PathTouch, Policy};
use crate::domain::conversion::ConversionKind;
use crate::domain::ids::{ConversionId, SessionId};
use crate::domain::money::{Currency, Money};
use crate::domain::time::Time;
use crate::error::{Error, Result};

pub struct NewRun<'a> {
    pub conversion: ConversionId,
    pub run: i64,
    pub at: Time,
    /// `first known`, `joined`, `parted`, `late identity`, `taken back`, `replayed by the owner`.
    pub why: &'a str,
    pub credit: &'a Credit,
    pub policy: &'a Policy,
    /// Attribution as the documents print it.
    pub snapshot: &'a serde_json::Value,
}

pub fn add(c: &SiteConn, new: &NewRun) -> Result<()> {
    let match_type = word(&new.credit.match_type)?;
    c.execute(
        "insert into credits (site_id, conversion_id, run, at, why, match_type, is_asserted, confidence_bp, reason, also_fits, path, policy, snapshot)
         values (:site, :conversion, :run, :at, :why, :match, :asserted, :confidence, :reason, :also, :path, :policy, :snapshot)",
        named_params! {":conversion": new.conversion.number(), ":run": new.run, ":at": new.at.ms(), ":why": new.why, ":match": match_type,
            ":asserted": new.credit.is_asserted, ":confidence": i64::from(new.credit.confidence_bp), ":reason": new.credit.reason,
            ":also": text(&new.credit.also_fits)?, ":path": text(&new.credit.path)?, ":policy": text(new.policy)?,
            ":snapshot": new.snapshot.to_string()},
    )?;
    Ok(())
}

/// The word of a serde enum, as it stands in JSON.
pub fn word(value: &impl serde::Serialize) -> Result<String> {
    match serde_json::to_value(value).map_err(Error::internal)? {
        serde_json::Value::String(s) => Ok(s),
        other => Err(Error::internal(format!("{other} is no word"))),
    }
}

/// Snapshot and path of the newest run.
pub fn find_newest(c: &SiteConn, conversion: ConversionId) -> Result<Option<(serde_json::Value, Vec<PathTouch>)>> {
    c.find(
        "select snapshot, path from credits where site_id = :site and conversion_id = :conversion order by run desc limit 1",
        named_params! {":conversion": conversion.number()},
        |row| {
            let (snapshot, path): (String, String) = (row.get(0)?, row.get(1)?);
            Ok((snapshot, path))
        },
    )?
    .map(|(snapshot, path)| {
        Ok((serde_json::from_str(&snapshot).map_err(Error::internal)?, serde_json::from_str(&path).map_err(Error::internal)?))
    })
    .transpose()
}

/// The browsers on the path of the newest run, and when it was made.
pub fn find_path(c: &SiteConn, conversion: ConversionId) -> Result<Option<(Vec<SessionId>, Time)>> {
    c.find(
        "select path, at from credits where site_id = :site and conversion_id = :conversion order by run desc limit 1",
        named_params! {":conversion": conversion.number()},
        |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
    )?
    .map(|(path, at)| {
        let path: Vec<PathTouch> = serde_json::from_str(&path).map_err(Error::internal)?;
        let mut sessions: Vec<SessionId> = path.iter().map(|p| SessionId::new(p.touch.session)).filter(|id| id.number() > 0).collect();
        sessions.dedup();
        Ok((sessions, Time::from_ms(at)))
    })
    .transpose()
}

/// A conversion as it is credited now, with the touches that its newest run has judged.
#[derive(Debug, Clone)]
pub struct Standing {
    pub id: ConversionId,
    pub kind: ConversionKind,
    pub happened_at: Time,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub net: Option<Money>,
    pub counts: bool,
    pub run: i64,
    pub match_type: String,
    pub path: Vec<PathTouch>,
    /// The conversations before it.
    pub chats: Vec<PathTouch>,
    /// The sentence of the chat's own verdict.
    pub chat_reason: Option<String>,
}

/// So many conversions after a number, in the order of their numbers.
pub fn page(c: &SiteConn, after: i64, most: usize) -> Result<Vec<Standing>> {
    let rows = c.list(
        "select c.id, c.kind, c.happened_at, c.source, c.medium, c.campaign, c.net_minor, c.currency, c.counts, c.run, k.path,
           c.match_type, a.touches, a.reason
         from conversions c join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run
         left join chat_assists a on a.site_id = c.site_id and a.conversion_id = c.id
         where c.site_id = :site and c.id > :after order by c.id limit :most",
        named_params! {":after": after, ":most": most as i64},
        |row| {
            let (kind, net, currency): (String, Option<i64>, Option<String>) = (row.get(1)?, row.get(6)?, row.get(7)?);
            let currency = currency.as_deref().and_then(Currency::parse);
            let standing = Standing {
                id: ConversionId::new(row.get(0)?),
                kind: ConversionKind::parse(&kind).unwrap_or(ConversionKind::Custom),
                happened_at: Time::from_ms(row.get(2)?),
                source: row.get(3)?,
                medium: row.get(4)?,
                campaign: row.get(5)?,
                net: net.zip(currency).map(|(minor, currency)| Money::new(minor, currency)),
                counts: row.get(8)?,
                run: row.get(9)?,
                match_type: row.get(11)?,
                path: Vec::new(),
                chats: Vec::new(),
                chat_reason: row.get(13)?,
            };
            Ok((standing, row.get::<_, String>(10)?, row.get::<_, Option<String>>(12)?))
        },
    )?;
    rows.into_iter()
        .map(|(standing, path, chats)| {
            let path = serde_json::from_str(&path).map_err(Error::internal)?;
            let chats = chats.map(|chats| serde_json::from_str(&chats)).transpose().map_err(Error::internal)?.unwrap_or_default();
            Ok(Standing { path, chats, ..standing })
        })
        .collect()
}

/// What a run under another policy says otherwise.
pub struct Anew<'a> {
    pub path: &'a [PathTouch],
    /// Where chats alone matched it, or do no more.
    pub matched: Option<(MatchType, u16, bool, &'a str)>,
}

/// The same judgement under another policy, as a run of its own: the earlier one stays as it was written.
pub fn add_again(
    c: &SiteConn,
    s: &Standing,
    policy: &Policy,
    anew: &Anew,
    snapshot: &serde_json::Value,
    credited: (Option<&str>, Option<&str>, Option<&str>),
    now: Time,
) -> Result<()> {
    let run = s.run + 1;
    c.execute(
        "insert into credits (site_id, conversion_id, run, at, why, match_type, is_asserted, confidence_bp, reason, also_fits, path, policy, snapshot)
         select site_id, conversion_id, :run, :at, 'policy changed by the owner', coalesce(:match, match_type), coalesce(:asserted, is_asserted),
           coalesce(:confidence, confidence_bp), coalesce(:reason, reason), also_fits, :path, :policy, json_patch(snapshot, :snapshot)
         from credits where site_id = :site and conversion_id = :conversion and run = :before",
        named_params! {":conversion": s.id.number(), ":run": run, ":before": s.run, ":at": now.ms(), ":policy": text(policy)?,
            ":snapshot": snapshot.to_string(), ":path": text(&anew.path)?, ":match": anew.matched.map(|m| m.0.word()),
            ":asserted": anew.matched.map(|m| m.2), ":confidence": anew.matched.map(|m| i64::from(m.1)), ":reason": anew.matched.map(|m| m.3)},
    )?;
    let (source, medium, campaign) = credited;
    c.execute(
        "update conversions set run = :run, source = :source, medium = :medium, campaign = :campaign,
           match_type = coalesce(:match, match_type), is_asserted = coalesce(:asserted, is_asserted),
           confidence_bp = coalesce(:confidence, confidence_bp)
         where site_id = :site and id = :id",
        named_params! {":run": run, ":source": source, ":medium": medium, ":campaign": campaign, ":id": s.id.number(),
        ":match": anew.matched.map(|m| m.0.word()), ":asserted": anew.matched.map(|m| m.2),
        ":confidence": anew.matched.map(|m| i64::from(m.1))},
    )?;
    Ok(())
}

fn text(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}
