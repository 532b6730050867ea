//! A form's body as one object, whichever way it was packed: JSON, form-encoded, multipart. Names in brackets
//! (`fields[email][value]`, the habit of PHP) become objects inside each other.

use serde_json::{Map, Value};

use super::multipart;
use crate::json;
use crate::sources::Reject;

/// More fields than this no form has.
pub const MAX_FIELDS: usize = 500;
/// `fields[ID][value]` and one level more.
const MAX_BRACKETS: usize = 4;

/// Reads a body by its content type, and by its first bytes where that is missing or says nothing.
pub fn object(body: &[u8], content_type: &str) -> Result<Map<String, Value>, Reject> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind == "application/json" || kind == "text/json" || kind.ends_with("+json");
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    // `curl -d '{…}'` calls JSON a form: no form's first field is named by a brace.
    if is_json || matches!(start.first(), Some(b'{' | b'[')) {
        return from_json(body);
    }
    if kind == "multipart/form-data" || (kind != "application/x-www-form-urlencoded" && start.starts_with(b"--")) {
        return fields(multipart::pairs(body, content_type)?);
    }
    if start.is_empty() {
        return Err(Reject::BadBody("The body is empty.".into()));
    }
    if kind == "application/x-www-form-urlencoded" || start.contains(&b'=') {
        let pairs = url::form_urlencoded::parse(start.trim_ascii_end()).take(MAX_FIELDS + 1);
        return fields(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect());
    }
    Err(Reject::BadBody("The body is neither JSON nor a form. Send application/json or application/x-www-form-urlencoded.".into()))
}

fn from_json(body: &[u8]) -> Result<Map<String, Value>, Reject> {
    match json::parse(body) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Reject::BadBody("The body is JSON but not an object: send one object with the fields in it.".into())),
        Err(fault) => Err(Reject::BadBody(fault.sentence)),
    }
}

fn fields(pairs: Vec<(String, String)>) -> Result<Map<String, Value>, Reject> {
    if pairs.len() > MAX_FIELDS {
        return Err(Reject::BadBody(format!("A form of more than {MAX_FIELDS} fields is not taken.")));
    }
    let mut map = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value);
        let placed = match brackets(&name) {
            Some(path) => place(&mut map, &path, value),
            None => Err(value),
        };
        // A name that collides with another's branch (`a=1&a[b]=2`) stays as it was written.
        if let Err(value) = placed {
            repeat(&mut map, name, value);
        }
    }
    Ok(map)
}

/// The parts of `a[b][c]`; an empty part stands for "one more".
fn brackets(name: &str) -> Option<Vec<&str>> {
    let (head, rest) = name.split_once('[')?;
    let inner = rest.strip_suffix(']')?;
    let mut path = vec![head];
    path.extend(inner.split("]["));
    let is_plain = |part: &&str| !part.contains(['[', ']']);
    let is_path = !head.is_empty()
        && path.len() <= MAX_BRACKETS
        && path.iter().all(is_plain)
        && path[1..path.len() - 1].iter().all(|p| !p.is_empty());
    is_path.then_some(path)
}

/// Puts the value at its path; gives it back if something else stands in the way.
fn place(map: &mut Map<String, Value>, path: &[&str], value: Value) -> Result<(), Value> {
    match path {
        [name] | [name, ""] => {
            if matches!(map.get(*name), Some(Value::Object(_))) {
                return Err(value);
            }
            if path.len() == 2 && !map.contains_key(*name) {
                map.insert((*name).to_owned(), Value::Array(vec![value]));
            } else {
                repeat(map, (*name).to_owned(), value);
            }
            Ok(())
        }
        [name, rest @ ..] => match map.entry(*name).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(inner) => place(inner, rest, value),
            _ => Err(value),
        },
        [] => Err(value),
    }
}

/// A name that comes again makes a list.
fn repeat(map: &mut Map<String, Value>, name: String, value: Value) {
    match map.get_mut(&name) {
        Some(Value::Array(list)) => list.push(value),
        Some(first) => {
            let first_value = first.take();
            *first = Value::Array(vec![first_value, value]);
        }
        None => {
            map.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(content_type: &str, body: &str, want: &str) {
        let got = match object(body.as_bytes(), content_type) {
            Ok(map) => Value::Object(map).to_string(),
            Err(Reject::BadBody(sentence)) => sentence,
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(got, want, "{content_type}: {body}");
    }

    #[test]
    fn every_packing_is_one_object() {
        const FORM: &str = "application/x-www-form-urlencoded";
        check("application/json; charset=utf-8", r#" {"a":1} "#, r#"{"a":1}"#);
        check("", r#"{"a":1}"#, r#"{"a":1}"#);
        check(FORM, r#"{"a":1}"#, r#"{"a":1}"#);
        check(FORM, "a=1+2&b=%C3%A9&c", r#"{"a":"1 2","b":"é","c":""}"#);
        check("", "a=1&a=2&b[]=3", r#"{"a":["1","2"],"b":["3"]}"#);
        check(FORM, "fields[mail][value]=x&fields[mail][type]=email", r#"{"fields":{"mail":{"value":"x","type":"email"}}}"#);
        check(FORM, "a=1&a[b]=2&a[b]=3&c[=4&[d]=5", r#"{"a":"1","a[b]":["2","3"],"c[":"4","[d]":"5"}"#);
        check(FORM, "a[b]=1&a=2&a[]=3", r#"{"a":[{"b":"1"},"2","3"]}"#);
    }

    #[test]
    fn what_is_no_form_is_named() {
        check("application/json", "[{}]", "The body is JSON but not an object: send one object with the fields in it.");
        check("", "", "The body is empty.");
        check("text/plain", "hello", "The body is neither JSON nor a form. Send application/json or application/x-www-form-urlencoded.");
        check("application/x-www-form-urlencoded", &"a=1&".repeat(501), "A form of more than 500 fields is not taken.");
        let cut = object(b"a=1", "application/json").expect_err("no JSON");
        assert!(matches!(cut, Reject::BadBody(s) if s.contains("line 1, column 1")));
    }

    proptest! {
        #[test]
        fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..200), names in "[a\\[\\]&=]{0,60}", kind in "\\PC{0,30}") {
            for content_type in [kind.as_str(), "", "application/json", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"] {
                let _ = object(&body, content_type);
                let _ = object(names.as_bytes(), content_type);
            }
        }
    }
}
