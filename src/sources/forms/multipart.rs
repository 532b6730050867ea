//! The text parts of multipart/form-data (RFC 7578). Files are left out: a lead is words.

use super::encodings::MAX_FIELDS;
use crate::sources::Reject;

/// RFC 2046, 5.1.1.
const MAX_BOUNDARY: usize = 70;
/// Header lines of one part, in bytes.
const MAX_HEAD: usize = 4_096;

/// Names and texts in their order.
pub fn pairs(body: &[u8], content_type: &str) -> Result<Vec<(String, String)>, Reject> {
    let boundary = boundary(body, content_type).ok_or_else(|| bad("names no boundary"))?;
    let mark = [b"--", boundary.as_slice()].concat();
    let mut rest = match find(body, &mark) {
        Some(at) if at == 0 || body[at - 1] == b'\n' => &body[at + mark.len()..],
        _ => return Err(bad("does not begin with its boundary")),
    };
    let line_mark = [b"\n", mark.as_slice()].concat();
    let mut pairs = Vec::new();
    while !rest.starts_with(b"--") {
        rest = past_line(rest).ok_or_else(|| bad("ends within a boundary"))?;
        let end = match rest.strip_prefix(mark.as_slice()) {
            Some(_) => 0,
            None => find(rest, &line_mark).ok_or_else(|| bad("has a part without an end"))? + 1,
        };
        if let Some(pair) = part(&rest[..end])? {
            if pairs.len() > MAX_FIELDS {
                break;
            }
            pairs.push(pair);
        }
        rest = &rest[end + mark.len()..];
    }
    Ok(pairs)
}

/// One part without the boundary lines around it; none for a file.
fn part(part: &[u8]) -> Result<Option<(String, String)>, Reject> {
    let (head, text) = match (find(part, b"\r\n\r\n"), find(part, b"\n\n")) {
        (Some(at), other) if other.is_none_or(|o| at < o) => (&part[..at], &part[at + 4..]),
        (_, Some(at)) => (&part[..at], &part[at + 2..]),
        _ => return Err(bad("has a part without a blank line after its header")),
    };
    if head.len() > MAX_HEAD {
        return Err(bad("has a part with a header of more than 4 KiB"));
    }
    let head = String::from_utf8_lossy(head);
    let named =
        head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"));
    let Some((_, disposition)) = named else { return Ok(None) };
    if parameter(disposition, "filename").is_some() || parameter(disposition, "filename*").is_some() {
        return Ok(None);
    }
    let Some(name) = parameter(disposition, "name").filter(|n| !n.is_empty()) else { return Ok(None) };
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    Ok(Some((name, String::from_utf8_lossy(text).into_owned())))
}

/// From the header, or where the sender forgot it there from the first line of the body.
fn boundary(body: &[u8], content_type: &str) -> Option<Vec<u8>> {
    let told = parameter(content_type, "boundary").map(String::into_bytes);
    let seen = || {
        let first = body.strip_prefix(b"--")?;
        Some(first.split(|b| *b == b'\n').next()?.trim_ascii_end().to_vec())
    };
    told.or_else(seen).filter(|b| !b.is_empty() && b.len() <= MAX_BOUNDARY && b.iter().all(|c| (0x20..0x7f).contains(c)))
}

/// The value of `name=…` in a header, quoted or not.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let is_wanted = name.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(wanted);
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (value, next) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), next)
            }
        };
        if is_wanted {
            return Some(value);
        }
        rest = next;
    }
}

/// Up to the closing quote. Browsers write a quote inside as `%22`, older clients as `\"`.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value.replace("%22", "\""), &text[at + 1..])),
            '\\' if text[at + 1..].starts_with(['"', '\\']) => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

/// What stands after the end of this line.
fn past_line(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|b| *b == b'\n')?;
    Some(&text[end + 1..])
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    let mut from = 0;
    while let Some(step) = text.get(from..)?.iter().position(|b| *b == first) {
        let at = from + step;
        if text[at..].starts_with(part) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn bad(what: &str) -> Reject {
    Reject::BadBody(format!("The multipart body {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KIND: &str = "multipart/form-data; charset=utf-8; boundary=\"--X y\"";

    fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn texts_are_read_and_files_left_out() {
        let body = "preamble\r\n----X y\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nana@example.com\r\n----X y\r\n\
            content-disposition: form-data; filename=\"a;b.png\"; name=\"file\"\r\nContent-Type: image/png\r\n\r\n\u{0}\u{1}\r\n\r\n\r\n----X y\r\n\
            Content-Disposition: form-data; name=\"a \\\"quoted\\\" %22name%22\"\r\n\r\ntwo\r\nlines ----X y\r\n----X y\r\n\
            Content-Disposition: form-data; name=plain\r\n\r\n\r\n----X y--\r\n";
        let want = own(&[("email", "ana@example.com"), ("a \"quoted\" \"name\"", "two\r\nlines ----X y"), ("plain", "")]);
        assert_eq!(pairs(body.as_bytes(), KIND), Ok(want));
    }

    #[test]
    fn bare_newlines_and_a_missing_boundary_are_forgiven() {
        let body = "--abc\nContent-Disposition: form-data; name=\"x\"\n\n1\n--abc--";
        assert_eq!(pairs(body.as_bytes(), "multipart/form-data"), Ok(own(&[("x", "1")])));
    }

    #[test]
    fn broken_bodies_are_named() {
        for (body, kind, want) in [
            ("", "multipart/form-data", "names no boundary"),
            ("hello", "multipart/form-data; boundary=b", "does not begin with its boundary"),
            ("--b", "multipart/form-data; boundary=b", "ends within a boundary"),
            ("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1", "multipart/form-data; boundary=b", "has a part without an end"),
            ("--b\r\nname=x\r\n--b--", "multipart/form-data; boundary=b", "has a part without a blank line after its header"),
        ] {
            assert_eq!(pairs(body.as_bytes(), kind), Err(bad(want)), "{body:?}");
        }
        let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
        assert_eq!(pairs(b"--b", &long), Err(bad("names no boundary")));
    }

    proptest! {
        #[test]
        fn never_panics(body in "(--b|\r\n|\n|--|Content-Disposition: form-data; name=\"x\"|[a-z\"\\\\;=]){0,30}", kind in "\\PC{0,40}") {
            for content_type in [kind.as_str(), "multipart/form-data; boundary=b", "multipart/form-data; boundary=\"b\\\""] {
                let _ = pairs(body.as_bytes(), content_type);
            }
        }
    }
}
