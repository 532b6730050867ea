//! A row of a leads file.

use serde_json::json;

use super::super::fact::{Lead, Traces};
use super::super::pipeline::Stage;
use super::cells::Cells;
use super::{LONGEST, Refusal};

/// Characters of a message that are kept.
const LONGEST_MESSAGE: usize = 5_000;

/// The lead, where it stood, and its own id, if it has one.
pub fn read(cells: &Cells) -> Result<(Lead, Option<Stage>, Option<String>), Refusal> {
    let happened_at = cells.moment("at")?.ok_or_else(|| Refusal::new("created_at", "There is no time."))?;
    let own = cells.id("lead_id")?;
    let person = cells.person()?;
    if own.is_none() && person.email.is_none() && person.phone.is_none() {
        return Err(Refusal::new("email", "A lead has an e-mail address, a phone number or an id."));
    }
    let currency = cells.currency()?;
    let source = cells.text("platform", 40).unwrap_or_else(|| "import".to_owned());
    let content_key = crate::crypto::sha256(cells.content().as_bytes());
    let lead = Lead {
        // Two files may tell of the same person at the same time: then all that a row says is its id.
        external_id: Some(own.clone().unwrap_or_else(|| crate::crypto::hex(&content_key[..8]))),
        source,
        happened_at,
        person,
        traces: Traces { stated: cells.stated(), ..cells.traces() },
        message: cells.text("message", LONGEST_MESSAGE),
        form_type: cells.text("form_type", LONGEST).unwrap_or_else(|| "import".to_owned()),
        value: cells.positive("value", currency)?,
        custom_fields: json!({}),
        url: cells.text("url", 2_048),
        content_key,
        is_imported: true,
    };
    let stage = match cells.word("status").to_lowercase().as_str() {
        "" => None,
        word => Some(Stage::parse(word).ok_or_else(|| Refusal::new("status", "It is none of new, contacted, qualified, won and lost."))?),
    };
    Ok((lead, stage.filter(|stage| *stage != Stage::New), own))
}
