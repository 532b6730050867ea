//! What was read at a platform and could not be understood: kept as it came with where the talk stood, so that the same
//! platform file can read it again after a fix.

use serde_json::{Value, json};

use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step};
use crate::flows::intake;
use crate::sources::{Batch, Heard, Home, Problem, Reject, Source};
use crate::wire::{Headers, Response};

/// Where pulled bodies are said to have come from.
pub const PATH: &str = "/pull";

/// Of one page; a page of which nothing can be read needs no more.
const MOST_KEPT: usize = 20;
/// Beyond this only the sentence is kept.
const LARGEST_KEPT: usize = 1024 * 1024;

/// One thing that could not be read.
pub struct Unread {
    pub body: Vec<u8>,
    /// The platform's own words alone, by which it is known again.
    pub row: Vec<u8>,
    pub sentence: String,
}

/// Of a list each row by itself; anything else whole.
pub fn parts_of(page: &[u8], asked: &State, problems: &[Problem], is_list: bool) -> Vec<Unread> {
    let answer: Value = serde_json::from_slice(page).unwrap_or_default();
    let one = |problem: &Problem| {
        let field = problem.field.as_deref().map(|field| format!("{field}: ")).unwrap_or_default();
        let sentence = format!("{field}{}", problem.sentence);
        let cut = if is_list { row_of(&answer, problem.item) } else { None };
        let (row, shown) = cut.map_or_else(|| (answer.to_string(), answer.clone()), |(row, page)| (row.to_string(), page));
        let body = json!({"asked": asked, "answer": shown}).to_string().into_bytes();
        Unread { body: if body.len() <= LARGEST_KEPT { body } else { Vec::new() }, row: row.into_bytes(), sentence }
    };
    problems.iter().take(MOST_KEPT).map(one).collect()
}

/// A row, and the page with this row alone. The list of a page is its longest.
fn row_of(answer: &Value, item: usize) -> Option<(Value, Value)> {
    if let Some(rows) = answer.as_array() {
        let row = rows.get(item)?.clone();
        return Some((row.clone(), json!([row])));
    }
    let lists = answer.as_object()?.iter().filter_map(|(key, value)| Some((key, value.as_array()?)));
    let (key, rows) = lists.max_by_key(|(_, rows)| rows.len())?;
    let row = rows.get(item)?.clone();
    let mut page = answer.clone();
    page[key] = json!([row]);
    Some((row, page))
}

/// Whether a body was kept in this way.
pub fn is_kept(path: &str, body: &[u8]) -> bool {
    (path == PATH || path == intake::FETCHED) && opened(body).is_some()
}

fn opened(body: &[u8]) -> Option<(State, Response)> {
    let kept: Value = serde_json::from_slice(body).ok()?;
    let asked = kept.get("asked")?.clone();
    let body = kept.get("answer")?.to_string().into_bytes();
    Some((asked, Response { status: 200, headers: Headers::default(), body }))
}

/// Reads it once more, by today's platform file. Nothing is asked and nothing else is done.
pub fn read(source: &dyn Source, path: &str, body: &[u8], settings: &Settings, home: &Home) -> Result<Heard, Reject> {
    let Some((asked, response)) = opened(body) else { return Ok(Heard::Fetch(Vec::new())) };
    let batch: Option<Batch> = if path == PATH {
        source.pull().and_then(|steps| match steps.step(asked, Some(&response), settings, home, home.now) {
            Step::Yield(batch, _) => Some(batch),
            _ => None,
        })
    } else {
        source.fetch().and_then(|steps| match steps.step(asked, Some(&response), settings, home, home.now) {
            Step::Yield(batch, _) => Some(batch),
            _ => None,
        })
    };
    let batch = batch.unwrap_or_default();
    match batch.problems.into_iter().next().filter(|_| batch.facts.is_empty()) {
        Some(problem) => Err(match problem.field {
            Some(field) => Reject::BadField { field, code: problem.code, sentence: problem.sentence },
            None => Reject::BadBody(problem.sentence),
        }),
        None => Ok(Heard::Facts(Batch::of(batch.facts))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_kept_with_its_page_around_it_and_nothing_of_its_neighbours() {
        let page = json!({"pagination": {"more": false}, "orders": [{"id": 1}, {"id": 2}], "tags": ["x"]});
        assert_eq!(
            row_of(&page, 1),
            Some((json!({"id": 2}), json!({"pagination": {"more": false}, "orders": [{"id": 2}], "tags": ["x"]})))
        );
        assert_eq!(row_of(&json!([7, 8]), 0), Some((json!(7), json!([7]))));
        assert_eq!(row_of(&json!({"data": {"orders": []}}), 0), None);
        let problem = Problem { item: 1, field: Some("total".into()), code: "invalid_amount", sentence: "No amount.".into() };
        let kept = parts_of(page.to_string().as_bytes(), &json!({"mark": "a"}), &[problem], true);
        assert_eq!((kept.len(), kept[0].sentence.as_str(), kept[0].row.as_slice()), (1, "total: No amount.", &br#"{"id":2}"#[..]));
        assert!(is_kept(PATH, &kept[0].body) && !is_kept("/hook", &kept[0].body) && !is_kept(PATH, page.to_string().as_bytes()));
    }
}
