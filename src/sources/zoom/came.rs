//! Who came to one meeting. Zoom lists everyone once for each time that they joined; somebody whose line was lost came once,
//! for as long as all of it together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sources::kit::{first_text, text};

/// People of one meeting; Zoom lets no more into a webinar.
const MOST: usize = 50_000;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Came {
    /// By address, or by the number under which they registered.
    people: BTreeMap<String, Guest>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Guest {
    /// The line of the first time.
    row: Value,
    /// The times of joining that were counted: a line that stands twice on a list is one.
    joined: BTreeSet<String>,
    seconds: i64,
}

impl Came {
    /// A page of participants. Who is named by number alone is known by what they registered with.
    pub fn take(&mut self, rows: &[Value], registered: &BTreeMap<String, String>) {
        for row in rows {
            let number = text(row, "registrant_id");
            let email = first_text(row, &["user_email", "email"])
                .or_else(|| registered.get(number.as_deref()?).filter(|email| !email.is_empty()).cloned());
            let Some(key) = email.as_ref().map(|e| e.to_lowercase()).or(number) else { continue };
            if self.people.len() >= MOST && !self.people.contains_key(&key) {
                continue;
            }
            let guest = self.people.entry(key).or_default();
            let joined_at = text(row, "join_time").unwrap_or_default();
            if guest.row.is_null() || joined_at < text(&guest.row, "join_time").unwrap_or_default() {
                let name = first_text(row, &["name", "user_name"]);
                guest.row = json!({"name": name, "user_email": email, "registrant_id": row["registrant_id"], "join_time": joined_at});
            }
            if guest.joined.insert(joined_at) {
                guest.seconds = guest.seconds.saturating_add(row["duration"].as_i64().unwrap_or(0).max(0));
            }
        }
    }

    /// One line a person.
    pub fn rows(self) -> Vec<Value> {
        let all = self.people.into_values().map(|guest| {
            let mut row = guest.row;
            if guest.seconds > 0 {
                row["duration"] = json!(guest.seconds);
            }
            row
        });
        all.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_again_comes_once_for_all_of_the_time_and_who_has_only_a_number_is_known_by_it() {
        let registered = BTreeMap::from([("r1".to_owned(), "Ann@Mail.example".to_owned())]);
        let join = |at: &str, seconds: i64, who: Value| {
            let mut row = json!({"name": "Ann", "join_time": at, "duration": seconds});
            row.as_object_mut().expect("an object").extend(who.as_object().cloned().unwrap_or_default());
            row
        };
        let mut came = Came::default();
        let by_number = json!({"registrant_id": "r1", "user_email": ""});
        came.take(
            &[join("2026-06-12T10:20:00Z", 600, by_number.clone()), join("2026-06-12T10:00:00Z", 900, by_number.clone())],
            &registered,
        );
        // The next page shows one of them again, and one by the address.
        let by_address = json!({"user_email": "ann@mail.example"});
        came.take(&[join("2026-06-12T10:00:00Z", 900, by_number), join("2026-06-12T10:40:00Z", 300, by_address)], &registered);
        came.take(&[join("2026-06-12T10:00:00Z", 60, json!({"user_email": ""}))], &registered);
        let rows = came.rows();
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!((rows[0]["duration"].as_i64(), rows[0]["join_time"].as_str()), (Some(1_800), Some("2026-06-12T10:00:00Z")));
        assert_eq!(rows[0]["user_email"], "Ann@Mail.example");
    }
}
