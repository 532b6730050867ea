//! JSON bodies at the edge: read strictly, and their fields taken by name.

use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::json;

/// Refuses keys that occur twice, nesting beyond 64, lone surrogates, bad UTF-8, and anything after the value.
pub fn parse(body: &[u8]) -> Result<Value> {
    json::parse(body).map_err(|fault| Error::new(Kind::Invalid, "bad_json", fault.sentence))
}

/// The same for bodies that must be an object.
pub fn object(body: &[u8]) -> Result<Map<String, Value>> {
    match parse(body)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::new(Kind::Invalid, "bad_json", "The body must be a JSON object: {…} (line 1, column 1).")),
    }
}

/// Refuses what nobody reads, where a word that is passed over would leave something open that was to be closed.
pub fn only(fields: &Map<String, Value>, names: &[&str]) -> Result<()> {
    match fields.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(Error::invalid(name, format!("{name} is read by nothing here. Known are {}.", names.join(", ")))),
        None => Ok(()),
    }
}

/// The text under a name, if it is there and not null. `most` counts characters.
pub fn text<'a>(fields: &'a Map<String, Value>, name: &str, most: usize) -> Result<Option<&'a str>> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        // No character is shorter than a byte, so the count is only made where it could matter.
        Some(Value::String(text)) if text.len() <= most || text.chars().count() <= most => Ok(Some(text)),
        Some(_) => Err(Error::invalid(name, format!("{name} must be text of at most {most} characters."))),
    }
}

/// The text under a name that must be there.
pub fn required<'a>(fields: &'a Map<String, Value>, name: &str, most: usize) -> Result<&'a str> {
    match text(fields, name, most)? {
        Some(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(Error::invalid(name, format!("{name} is missing."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_json_is_read_as_serde_json_reads_it() {
        for text in [r#"{"a":1,"b":[null,true,-5,2.5,"x\u00e9\ud83d\ude00",{}],"c":18446744073709551615}"#, " [] ", "\"text\"", "0"] {
            assert_eq!(parse(text.as_bytes()).expect(text), serde_json::from_str::<Value>(text).expect(text));
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused_with_its_place() {
        let check = |body: &[u8], place: &str| {
            let e = parse(body).expect_err("refused");
            assert_eq!(e.code, "bad_json");
            assert!(e.message.contains(place), "{}", e.message);
        };
        check(br#"{"a":1,"a":2}"#, "line 1, column 10");
        check(b"{\"a\":\n {\"b\":1,\n  \"b\":2}}", "line 3");
        check(br#"{"a":"\ud800"}"#, "line 1");
        check(b"{\"a\":\"\xff\"}", "line 1");
        check(b"{} {}", "line 1");
        check(b"", "line 1, column 1");
        check(br#"{"a":"#, "line 1");
        check(b"{'a':1}", "line 1");
        check(b"[NaN]", "line 1");
        check(b"[1e999]", "line 1");
        check(&b"[".repeat(100_000), "deeper than 64");
        check(&br#"{"a":"#.repeat(30_000), "deeper than 64");
    }

    #[test]
    fn sixty_four_levels_are_fine() {
        let text = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert!(parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn a_field_of_the_wrong_kind_is_named() {
        let fields = object(br#"{"a":"x","b":{},"c":null,"d":"\u00e9\u00e9"}"#).expect("an object");
        assert_eq!(text(&fields, "a", 9).expect("text"), Some("x"));
        assert_eq!(text(&fields, "c", 9).expect("null"), None);
        assert_eq!(text(&fields, "d", 2).expect("two characters in four bytes"), Some("éé"));
        assert_eq!(text(&fields, "b", 9).expect_err("an object").to_string(), "b: b must be text of at most 9 characters.");
        assert!(text(&fields, "d", 1).is_err());
        assert!(required(&fields, "e", 9).is_err());
        assert!(object(b"[]").is_err());
    }
}
