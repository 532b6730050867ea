//! A meeting or a webinar, as the account's lists show it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::person::is_number;
use crate::domain::time::{MINUTE_MS, Time};
use crate::sources::kit::{self, text};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Meeting {
    pub id: String,
    pub uuid: Option<String>,
    pub topic: Option<String>,
    pub starts_at: Option<Time>,
    pub ends_at: Option<Time>,
    pub is_webinar: bool,
    /// It takes place once: everybody who has a place is on one list.
    #[serde(default)]
    pub is_single: bool,
}

impl Meeting {
    pub fn of(row: &Value, is_webinar: bool) -> Option<Self> {
        let starts_at = kit::time(row, &["start_time"]);
        let minutes = row["duration"].as_i64().unwrap_or(0).clamp(0, 60 * 24);
        Some(Self {
            id: text(row, "id").filter(|id| is_number(id))?,
            uuid: text(row, "uuid").filter(|uuid| uuid.len() <= 64),
            topic: text(row, "topic"),
            starts_at,
            ends_at: starts_at.map(|at| at.plus_ms(minutes * MINUTE_MS)),
            is_webinar,
            // A meeting of one date, and a webinar of one. <https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/users/{userId}/meetings>
            is_single: matches!(row["type"].as_i64(), Some(2 | 5)),
        })
    }
}

/// One that begins with a slash or holds two of them is encoded twice.
/// <https://developers.zoom.us/docs/api/rest/using-zoom-apis/#meeting-id-and-uuid>
pub fn encoded(uuid: &str) -> String {
    let once: String = url::form_urlencoded::byte_serialize(uuid.as_bytes()).collect();
    match uuid.starts_with('/') || uuid.contains("//") {
        true => url::form_urlencoded::byte_serialize(once.as_bytes()).collect(),
        false => once,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_meeting_is_encoded_as_zoom_wants_it() {
        assert_eq!(encoded("abc=="), "abc%3D%3D");
        assert_eq!(encoded("a/b+c=="), "a%2Fb%2Bc%3D%3D");
        assert_eq!(encoded("/ab=="), "%252Fab%253D%253D");
        assert_eq!(encoded("a//b=="), "a%252F%252Fb%253D%253D");
    }
}
