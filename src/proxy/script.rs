//! The text of a script, read for where it ends: inside `<!--` a script may write another one, whose end is not its own.
//! https://html.spec.whatwg.org/multipage/parsing.html#script-data-double-escaped-state

use super::place::begins;

pub const NAME: &[u8] = b"script";

/// Where in the text we are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Script {
    Plain,
    /// After `<!--`.
    Escaped,
    /// There, after `<script`: the next `</script>` is that one's.
    Doubled,
}

/// What the beginning of a piece is.
pub enum Read {
    /// So many bytes of text, and what follows them.
    Text(usize, Script),
    /// The script's own end.
    End,
    /// More must come to know.
    Wait,
}

impl Script {
    pub fn read(self, rest: &[u8]) -> Read {
        match rest.iter().position(|b| *b == b'<' || (*b == b'-' && self != Script::Plain)) {
            None => return Read::Text(rest.len(), self),
            Some(0) => {}
            Some(mark) => return Read::Text(mark, self),
        }
        if rest[0] == b'-' {
            return match () {
                () if rest.starts_with(b"-->") => Read::Text(3, Script::Plain),
                () if b"-->".starts_with(rest) => Read::Wait,
                () => Read::Text(1, self),
            };
        }
        let (ends, opens) = (begins(rest, b"</", NAME), begins(rest, b"<", NAME));
        match self {
            Script::Plain if ends == Some(true) => Read::End,
            // `<!-->` is opened and closed: its dashes count for the end too.
            Script::Plain if rest.starts_with(b"<!--") => Read::Text(2, Script::Escaped),
            Script::Plain if ends.is_none() || b"<!--".starts_with(rest) => Read::Wait,
            Script::Escaped if ends == Some(true) => Read::End,
            Script::Escaped if opens == Some(true) => Read::Text(1 + NAME.len(), Script::Doubled),
            Script::Escaped if ends.is_none() || opens.is_none() => Read::Wait,
            Script::Doubled if ends == Some(true) => Read::Text(2 + NAME.len(), Script::Escaped),
            Script::Doubled if ends.is_none() => Read::Wait,
            _ => Read::Text(1, self),
        }
    }
}
