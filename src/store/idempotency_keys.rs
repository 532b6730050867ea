//! Answers to requests that carried an Idempotency-Key.

use rusqlite::named_params;
use serde_json::Value;

use super::scope::SiteConn;
use crate::domain::time::Time;
use crate::error::Result;

/// Digest of the body it came with, and the answer once there is one.
pub fn find(c: &SiteConn, digest: &[u8], since: Time) -> Result<Option<(Vec<u8>, Option<Value>)>> {
    c.find(
        "select body, answer from idempotency_keys where site_id = :site and digest = :digest and at >= :since",
        named_params! {":digest": digest, ":since": since.ms()},
        |row| {
            let answer: Option<String> = row.get(1)?;
            Ok((row.get(0)?, answer.and_then(|a| serde_json::from_str(&a).ok())))
        },
    )
}

pub fn save(c: &SiteConn, digest: &[u8], body: &[u8], answer: Option<&Value>, now: Time) -> Result<()> {
    c.execute(
        "insert into idempotency_keys (site_id, digest, body, at, answer) values (:site, :digest, :body, :at, :answer)
         on conflict (site_id, digest) do update set body = excluded.body, at = excluded.at, answer = excluded.answer",
        named_params! {":digest": digest, ":body": body, ":at": now.ms(), ":answer": answer.map(ToString::to_string)},
    )?;
    Ok(())
}

/// Answers past their 48 hours.
pub fn forget(c: &SiteConn, now: Time) -> Result<usize> {
    c.execute(
        "delete from idempotency_keys where site_id = :site and digest in
           (select digest from idempotency_keys where site_id = :site and at < :before limit 2000)",
        named_params! {":before": now.ms() - 48 * crate::domain::time::HOUR_MS},
    )
}
