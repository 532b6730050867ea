//! A row of a file of visits, in the words of `POST /api/touch`.

use super::super::campaign::{ClickIds, ClickKind, Landing, Utm, landing, without_emails};
use super::super::consent::{Consent, from_word};
use super::super::time::Time;
use super::cells::Cells;
use super::{LONGEST, Refusal};

/// A visit of former times.
#[derive(Debug, Clone)]
pub struct HistoryTouch {
    pub at: Time,
    /// The owner's own word for the browser, or an id of ours; none is a visit of a browser that is not seen again.
    pub session: Option<String>,
    pub landing: Landing,
    pub utm: Utm,
    pub clicks: ClickIds,
    pub referrer: Option<String>,
    pub title: Option<String>,
    pub user_agent: String,
    pub language: Option<String>,
    pub country: Option<String>,
    pub consent: Consent,
}

/// The visit and its own id, if it has one.
pub fn read(cells: &Cells) -> Result<(HistoryTouch, Option<String>), Refusal> {
    let at = cells.moment("at")?.ok_or_else(|| Refusal::new("at", "There is no time."))?;
    if at < cells.home.oldest_touch {
        return Err(Refusal::new("at", "It is older than visits are kept here. Leave it out, or keep visits longer (Settings, Privacy)."));
    }
    let page = cells.text("landing", 4_096).or_else(|| cells.text("url", 4_096)).unwrap_or_else(|| "/".into());
    let mut landed = landing(&page, &cells.home.extra_params);
    landed.refs = landed.refs.or_else(|| cells.text("affiliate", LONGEST));
    let word = |name: &str| cells.text(name, LONGEST);
    let utm =
        Utm { source: word("source"), medium: word("medium"), campaign: word("campaign"), term: word("term"), content: word("content") }
            .without_people();
    let mut clicks = ClickIds::new();
    for kind in ClickKind::ALL {
        if let Some(value) = cells.told(kind.name()) {
            clicks.add(kind, &value);
        }
    }
    let session = cells.told("session");
    if session.as_ref().is_some_and(|s| s.chars().count() > 64) {
        return Err(Refusal::new("session_id", "A session id has at most 64 characters."));
    }
    let touch = HistoryTouch {
        at,
        session,
        utm: utm.or(landed.utm.clone()),
        clicks: clicks.or(landed.clicks.clone()),
        landing: landed,
        referrer: cells.text("referrer", 2_048),
        title: word("title").map(|title| without_emails(&title)),
        user_agent: cells.text("user_agent", 512).unwrap_or_default(),
        language: cells.text("language", 35),
        country: cells.told("country").map(|c| c.to_uppercase()).filter(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase())),
        consent: cells.told("consent").map_or(Consent::UNKNOWN, |word| from_word(&word)),
    };
    Ok((touch, cells.id("event_id")?))
}
