//! Filters under a name, so that a view can be had again: somebody's own, or everybody's on the site.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ids::{SegmentId, UserId};
use super::question::filter::DIMENSIONS;
use super::question::{Asked, ConversionFilter};
use super::time::Time;
use crate::error::{Error, Result};

/// Segments that a site may have, and the longest name of one.
pub const MOST_SEGMENTS: usize = 200;
pub const LONGEST_NAME: usize = 60;

/// Values of dimensions, written as in a question's parameters: with `!` for "is not" and `~` for a part.
pub type Filters = BTreeMap<String, Vec<String>>;

#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub id: SegmentId,
    pub name: String,
    pub filters: Filters,
    /// Whose own it is; everybody's where nobody's.
    pub user: Option<UserId>,
    pub who: String,
    pub created_at: Time,
}

/// A name with something in it, on one line.
pub fn read_name(text: &str) -> Result<String> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", format!("A name has 1 to {LONGEST_NAME} characters.")));
    }
    Ok(name)
}

/// Reads `{"source": ["google", "~ads"], "amount": ["50.."]}`. What no question would take is refused in the question's own words.
pub fn read_filters(value: &Value) -> Result<Filters> {
    let wrong = || Error::invalid("filters", format!("filters names one or more of {} with their values.", DIMENSIONS.join(", ")));
    let mut filters = Filters::new();
    for (name, values) in value.as_object().ok_or_else(wrong)? {
        if !DIMENSIONS.contains(&name.as_str()) {
            return Err(wrong());
        }
        let values: Option<Vec<String>> = values.as_array().ok_or_else(wrong)?.iter().map(|v| v.as_str().map(str::to_owned)).collect();
        let values: Vec<String> = values.ok_or_else(wrong)?.into_iter().filter(|v| !v.is_empty()).collect();
        if !values.is_empty() {
            filters.insert(name.clone(), values);
        }
    }
    if filters.is_empty() {
        return Err(wrong());
    }
    let pairs: Vec<(String, String)> =
        filters.iter().flat_map(|(name, values)| values.iter().map(move |v| (name.clone(), v.clone()))).collect();
    ConversionFilter::read(Asked(&pairs)).map_err(|e| Error::invalid("filters", e.message))?;
    Ok(filters)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_question_takes_can_be_kept() {
        let filters = read_filters(&json!({"source": ["google", "~ads"], "amount": ["50.."], "medium": []})).expect("filters");
        assert_eq!(serde_json::to_value(&filters).expect("JSON"), json!({"source": ["google", "~ads"], "amount": ["50.."]}));
        for (bad, part) in [
            (json!({}), "one or more"),
            (json!("source"), "one or more"),
            (json!({"source": "google"}), "one or more"),
            (json!({"source": [1]}), "one or more"),
            (json!({"search": ["x"]}), "one or more"),
            (json!({"kind": ["sales"]}), "sale, lead"),
            (json!({"amount": ["50"]}), "50..200"),
        ] {
            let e = read_filters(&bad).expect_err("refused");
            assert_eq!(e.field.as_deref(), Some("filters"), "{bad}");
            assert!(e.message.contains(part), "{bad}: {}", e.message);
        }
        assert_eq!(read_name("  Paid \n ads ").expect("a name"), "Paid ads");
        assert!(read_name(" ").is_err() && read_name(&"x".repeat(61)).is_err());
    }
}
