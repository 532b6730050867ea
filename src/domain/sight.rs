//! How much of a site somebody is shown: a locked part of its conversions and visits, with or without money and people.
//! Share links and the role client carry one; it is put between the question and the rows, never into the question.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::question::{Asked, ConversionFilter};
use crate::error::{Error, Result};

/// Dimensions that visits and money know as well as conversions do, so that all figures of a part agree.
pub const DIMENSIONS: [&str; 4] = ["channel", "source", "medium", "campaign"];

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sight {
    #[serde(skip_serializing_if = "Segment::is_open")]
    pub segment: Segment,
    pub hides_money: bool,
    pub hides_people: bool,
}

impl Sight {
    /// Everything is shown, people masked as the role says.
    pub fn is_whole(&self) -> bool {
        self.segment.is_open() && !self.hides_money && !self.hides_people
    }

    /// An answer without amounts and people, where they are hidden: wherever one stands in it there is nothing.
    pub fn covered(&self, mut value: Value) -> Value {
        if self.hides_money {
            cover_money(&mut value);
        }
        if self.hides_people {
            cover_people(&mut value);
        }
        value
    }
}

fn cover_money(value: &mut Value) {
    match value {
        Value::Object(fields) if fields.contains_key("minor") && fields.contains_key("currency") => *value = Value::Null,
        Value::Object(fields) => {
            // What came back for what was spent tells of both.
            fields.remove("return_percent");
            fields.values_mut().for_each(cover_money);
        }
        Value::Array(all) => {
            all.iter_mut().for_each(cover_money);
            all.retain(|v| !v.is_null());
        }
        _ => {}
    }
}

/// `who` is what every list calls the person of a row: `{display, contact}`. A label holds the order's number, which leads
/// whoever knows the shop to its customer: the row is named by its own number instead.
fn cover_people(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let (true, Some(id)) = (fields.contains_key("label"), fields.get("id").cloned()) {
                fields.insert("label".into(), id);
            }
            for (name, inner) in fields.iter_mut() {
                if name == "who" {
                    match inner {
                        Value::Object(who) => who.values_mut().for_each(|v| *v = Value::Null),
                        _ => *inner = Value::Null,
                    }
                } else {
                    cover_people(inner);
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(cover_people),
        _ => {}
    }
}

/// A locked filter: `source` is one of these, `campaign` is none of those. Values are written as in a question's
/// parameters, with `!` for "is not".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Segment(BTreeMap<String, Vec<String>>);

impl Segment {
    /// Reads `{"source": ["google"], "campaign": ["!test"]}`.
    pub fn read(value: Option<&Value>) -> Result<Self> {
        let wrong = || Error::invalid("segment", format!("A segment names {} with the values that are shown.", DIMENSIONS.join(", ")));
        let fields = match value {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Object(fields)) => fields,
            Some(_) => return Err(wrong()),
        };
        let mut all = BTreeMap::new();
        for (name, values) in fields {
            if !DIMENSIONS.contains(&name.as_str()) {
                return Err(wrong());
            }
            let values = values.as_array().ok_or_else(wrong)?;
            let values = values.iter().map(|v| v.as_str().map(|t| t.trim().to_owned()).ok_or_else(wrong)).collect::<Result<Vec<_>>>()?;
            let values: Vec<String> = values.into_iter().filter(|v| !v.is_empty() && v != "!").collect();
            if !values.is_empty() {
                all.insert(name.clone(), values);
            }
        }
        let segment = Self(all);
        ConversionFilter::read(Asked(&segment.pairs())).map_err(|e| Error::invalid("segment", e.message))?;
        Ok(segment)
    }

    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// None where everything is shown. A segment that cannot be read any more shows nothing.
    pub fn filter(&self) -> Option<ConversionFilter> {
        if self.is_open() {
            return None;
        }
        let nothing =
            ConversionFilter { source: super::question::Choice { is: vec!["\0".into()], ..Default::default() }, ..Default::default() };
        Some(ConversionFilter::read(Asked(&self.pairs())).unwrap_or(nothing))
    }

    /// Whether visits or money of an origin lie in it.
    pub fn holds(&self, source: &str, medium: &str, campaign: &str) -> bool {
        self.filter().is_none_or(|filter| filter.admits_origin(source, medium, campaign))
    }

    fn pairs(&self) -> Vec<(String, String)> {
        self.0.iter().flat_map(|(name, values)| values.iter().map(move |v| (name.clone(), v.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_segment_is_read_strictly() {
        let segment =
            Segment::read(Some(&json!({"source": ["google", " bing "], "campaign": ["!test"], "medium": []}))).expect("a segment");
        assert_eq!(serde_json::to_value(&segment).expect("JSON"), json!({"source": ["google", "bing"], "campaign": ["!test"]}));
        assert!(segment.holds("google", "cpc", "spring") && !segment.holds("google", "cpc", "test") && !segment.holds("", "", ""));
        for bad in
            [json!("google"), json!({"kind": ["sale"]}), json!({"source": "google"}), json!({"channel": ["Paid"]}), json!({"source": [1]})]
        {
            assert_eq!(Segment::read(Some(&bad)).expect_err("refused").field.as_deref(), Some("segment"), "{bad}");
        }
        assert!(Segment::read(None).expect("none").is_open());
    }

    #[test]
    fn amounts_and_people_are_covered_wherever_they_stand() {
        let sight = Sight { hides_money: true, ..Sight::default() };
        let answer =
            json!({"count": 3, "net": [{"minor": 1, "currency": "EUR"}], "rows": [{"amount": {"minor": 2, "currency": "EUR"}, "n": 1}]});
        assert_eq!(sight.covered(answer.clone()), json!({"count": 3, "net": [], "rows": [{"amount": null, "n": 1}]}));
        assert_eq!(Sight::default().covered(answer.clone()), answer);
        let sight = Sight { hides_people: true, ..Sight::default() };
        assert_eq!(
            sight.covered(json!({"items": [{"id": "x_1", "label": "Order 7", "who": {"display": "a"}}]})),
            json!({"items": [{"id": "x_1", "label": "x_1", "who": {"display": null}}]})
        );
    }
}
