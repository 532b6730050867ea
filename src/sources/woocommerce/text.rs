//! Texts out of WordPress, in which characters may stand as HTML entities.

use serde_json::Value;

use crate::domain::campaign::{MAX_TEXT, clean_text};
use crate::sources::kit;

/// A text of at most 255 characters, without what cannot be seen; nothing where it is empty.
pub fn short(value: &Value, key: &str) -> Option<String> {
    Some(clean_text(&kit::text(value, key)?, MAX_TEXT)).filter(|t| !t.is_empty())
}

/// The same as people read it: `Cup &amp; saucer` is `Cup & saucer`.
pub fn readable(value: &Value, key: &str) -> Option<String> {
    Some(clean_text(&decoded(&kit::text(value, key)?), MAX_TEXT)).filter(|t| !t.is_empty())
}

/// The entities that WordPress itself makes, and all numbered ones.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest[1..].split_once(';').map(|(name, _)| name).filter(|name| name.len() <= 8);
        match entity.and_then(character) {
            Some(c) => {
                out.push(c);
                rest = &rest[entity.map_or(0, str::len) + 2..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "times" => '×',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entities_are_read_and_ampersands_stay() {
        for (text, want) in [
            ("Cup &amp; saucer &ndash; blue", "Cup & saucer – blue"),
            ("It&#8217;s 5&#x22; wide", "It’s 5\" wide"),
            ("Salt & pepper; both", "Salt & pepper; both"),
            ("&unknown; &#xZZ; &", "&unknown; &#xZZ; &"),
            ("é&amp;é", "é&é"),
        ] {
            assert_eq!(decoded(text), want);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[&;#xa-zé0-9 ]{0,60}") {
            let _ = decoded(&text);
        }
    }
}
