//! JSON as strangers send it, read in one pass. What one reader would take and another not is refused: the same key
//! twice, text that is no Unicode, anything after the value, nesting that nobody needs.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Objects and lists inside each other.
pub const MAX_DEPTH: usize = 64;

/// Where a body stops being JSON that is taken, and why. Line and column count from 1, the column in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    pub line: usize,
    pub column: usize,
    pub sentence: String,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// Reads one JSON value. Numbers are taken if they fit 64 bits or a double.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonFault> {
    // Some senders on Windows put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Nested { left: MAX_DEPTH }.deserialize(&mut reader).map_err(fault)?;
    reader.end().map_err(fault)?;
    Ok(value)
}

/// The value as text with all keys sorted and no blanks: the same content is the same text.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (place, (key, value)) in pairs.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (place, value) in list.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_canonical(value, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn fault(e: serde_json::Error) -> JsonFault {
    let (line, column) = (e.line().max(1), e.column().max(1));
    let whole = e.to_string();
    // The library ends its words with the place, which stands in our sentence anyway.
    let reason = match whole.rsplit_once(" at line ").map_or(whole.as_str(), |(front, _)| front) {
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => "half a character (a lone surrogate)",
        other => other,
    };
    JsonFault { line, column, sentence: format!("The body is no JSON that is taken here: {reason} (line {line}, column {column}).") }
}

/// One value, with as many levels left below it.
#[derive(Clone, Copy)]
struct Nested {
    left: usize,
}

impl Nested {
    fn below<E: serde::de::Error>(self) -> Result<Nested, E> {
        let left = self.left.checked_sub(1).ok_or_else(|| E::custom(format!("nested deeper than {MAX_DEPTH} levels")))?;
        Ok(Nested { left })
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut map = Map::new();
        while let Some(key) = pairs.next_key::<String>()? {
            if map.contains_key(&key) {
                let shown: String = key.chars().take(40).collect();
                return Err(A::Error::custom(format!("the key {} is there twice", Value::from(shown))));
            }
            let value = pairs.next_value_seed(below)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn refused(body: &[u8], line: usize, column: usize, words: &str) {
        let got = parse(body).expect_err("not taken");
        assert!(got.sentence.contains(words), "{}", got.sentence);
        assert_eq!((got.line, got.column), (line, column), "{}", got.sentence);
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        refused(br#"{"lead_id":"1","lead_id":"2"}"#, 1, 24, r#"the key "lead_id" is there twice"#);
        refused(b"{\"a\":{\n\"b\":1,\n \"b\":2}}", 3, 4, "twice");
        refused(br#"{"a":"\ud800"}"#, 1, 13, "surrogate");
        refused(br#"{"a":"\udc00"}"#, 1, 12, "surrogate");
        refused(b"{\"a\":\"\xff\"}", 1, 7, "unicode");
        refused(b"{} {}", 1, 4, "trailing");
        refused(b"{\"a\":", 1, 5, "EOF");
        refused(b"", 1, 1, "EOF");
        refused(b"NaN", 1, 1, "expected value");
        refused(b"{\"a\":1e999}", 1, 10, "out of range");
        refused(b"{'a':1}", 1, 2, "key must be a string");
        refused(b"{\"a\":\"\n\"}", 2, 1, "control character");
    }

    #[test]
    fn depth_is_counted() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        refused(nested(MAX_DEPTH + 1).as_bytes(), 1, MAX_DEPTH + 2, "nested deeper than 64 levels");
        refused("{\"a\":".repeat(30_000).as_bytes(), 1, 64 * 5 + 1, "nested deeper");
        refused("[".repeat(100_000).as_bytes(), 1, MAX_DEPTH + 1, "nested deeper");
    }

    #[test]
    fn usual_json_is_taken() {
        let body = "\u{feff}{\"id\": 18446744073709551615, \"neg\":-3, \"price\":12.50, \"name\":\"Zo\\u00eb \\ud83d\\ude00\", \"list\":[null,true]}";
        let got = parse(body.as_bytes()).expect("JSON");
        assert_eq!(got.to_string(), r#"{"id":18446744073709551615,"neg":-3,"price":12.5,"name":"Zoë 😀","list":[null,true]}"#);
    }

    #[test]
    fn one_content_has_one_canonical_text() {
        let a = parse(br#"{"b":[{"y":1,"x":"\u00e9"}],"a":null}"#).expect("JSON");
        let b = parse("{ \"a\" : null, \"b\": [ {\"x\":\"é\",\"y\":1} ] }".as_bytes()).expect("JSON");
        assert_eq!(canonical(&a), r#"{"a":null,"b":[{"x":"é","y":1}]}"#);
        assert_eq!(canonical(&a), canonical(&b));
    }

    proptest! {
        #[test]
        fn takes_nothing_that_serde_refuses(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in "[\\[\\]{}\":,a1e\\\\ud8 ]{0,40}") {
            for body in [bytes.as_slice(), text.as_bytes()] {
                if let Ok(value) = parse(body) {
                    prop_assert_eq!(Some(value), serde_json::from_slice(body).ok());
                }
            }
        }
    }
}
