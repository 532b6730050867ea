//! Where the tag goes into a page that is on its way: before the end of its head, or where a page leaves all of that out, at
//! its end. Reads HTML as a browser does, as far as is needed to tell markup from text, and holds nothing back but the few
//! bytes that may be the beginning of that place, and a `<meta>` until it is whole.

use bytes::{Bytes, BytesMut};

use super::policy;
use super::script::{self, Read, Script};

/// A head longer than this is none.
const MOST: usize = 512 * 1024;
/// A `<meta>` longer than this holds no policy that is of use.
const LONGEST_META: usize = 4 * 1024;
/// With it begin the changes of letters of ISO-2022 and its kin, after which a `<` may be half of another one. No other page
/// has it.
const ESCAPE: u8 = 0x1b;
/// Elements whose content is text, whatever it looks like.
const RAW: [&[u8]; 9] = [script::NAME, b"style", b"title", b"textarea", b"noscript", b"noframes", b"noembed", b"iframe", b"xmp"];
/// What stands in it belongs to no page yet, and no script of it runs.
const TEMPLATE: &[u8] = b"template";
/// After it there is no markup any more.
const PLAIN: &[u8] = b"plaintext";

/// Looks for the place, piece by piece.
pub struct Seeker {
    state: State,
    /// The beginning of something that is not decided yet.
    held: BytesMut,
    seen: usize,
    is_done: bool,
    /// It says that it is a whole page, and no piece of one.
    is_document: bool,
    /// How many templates are open.
    templates: usize,
    nonce: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Text,
    /// Inside `<…>`: the quote that is open, whether a value begins, and which content follows.
    Tag {
        quote: u8,
        is_value: bool,
        then: Option<&'static [u8]>,
    },
    Comment,
    /// `<!…>`, `<?…>` and their like: they end with the next `>`, whatever stands before it.
    Remark,
    Raw(&'static [u8]),
    Script(Script),
    /// Whatever comes now is text.
    Over,
}

/// What a piece is.
pub enum Found {
    /// All of it goes on.
    Not(Bytes),
    /// The place lies between the two.
    Here(Bytes, Bytes),
}

impl Default for Seeker {
    fn default() -> Self {
        Self { state: State::Text, held: BytesMut::new(), seen: 0, is_done: false, is_document: false, templates: 0, nonce: None }
    }
}

impl Seeker {
    /// The next piece; what is held back comes with the one after it.
    pub fn feed(&mut self, piece: Bytes) -> Found {
        if self.is_done {
            return Found::Not(piece);
        }
        let is_first = self.seen == 0;
        self.seen += piece.len();
        let mut work = if self.held.is_empty() {
            piece
        } else {
            self.held.extend_from_slice(&piece);
            self.held.split().freeze()
        };
        // Two bytes a letter: nothing here can be read.
        if is_first && (work.starts_with(&[0xff, 0xfe]) || work.starts_with(&[0xfe, 0xff])) {
            self.is_done = true;
            return Found::Not(work);
        }
        if work.contains(&ESCAPE) {
            self.is_done = true;
            return Found::Not(work);
        }
        let mut at = 0;
        while at < work.len() {
            match self.step(&work[at..]) {
                Step::Past(bytes) => at += bytes,
                Step::Place => {
                    self.is_done = true;
                    let rest = work.split_off(at);
                    return Found::Here(work, rest);
                }
                Step::Wait => break,
            }
        }
        if self.seen > MOST {
            self.is_done = true;
            return Found::Not(work);
        }
        self.held.extend_from_slice(&work[at..]);
        work.truncate(at);
        Found::Not(work)
    }

    /// What was still held back, and whether the place is behind it: the tags that it stands before may be left out.
    pub fn end(&mut self) -> (Bytes, bool) {
        let is_here = self.is_at_end();
        self.is_done = true;
        (self.held.split().freeze(), is_here)
    }

    /// If the page ended now, there would be nothing more to say.
    pub fn wants_nothing(&self) -> bool {
        self.held.is_empty() && !self.is_at_end()
    }

    fn is_at_end(&self) -> bool {
        !self.is_done && self.is_document && self.state == State::Text && self.templates == 0 && self.held.is_empty()
    }

    /// The word by which a policy in the page itself lets scripts run.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    fn step(&mut self, rest: &[u8]) -> Step {
        match self.state {
            State::Text => self.text(rest),
            State::Tag { quote, is_value, then } => {
                let (used, state) = tag(rest, quote, is_value, then);
                self.state = state;
                Step::Past(used)
            }
            State::Comment => match rest.iter().position(|b| *b == b'-') {
                None => Step::Past(rest.len()),
                Some(0) => match [&b"-->"[..], b"--!>"].into_iter().find(|end| rest.starts_with(end)) {
                    Some(end) => self.goes_on(State::Text, end.len()),
                    None if b"--!>".starts_with(rest) => Step::Wait,
                    None => Step::Past(1),
                },
                Some(dash) => Step::Past(dash),
            },
            State::Remark => match rest.iter().position(|b| *b == b'>') {
                None => Step::Past(rest.len()),
                Some(end) => self.goes_on(State::Text, end + 1),
            },
            State::Script(script) => match script.read(rest) {
                Read::Text(bytes, script) => self.goes_on(State::Script(script), bytes),
                Read::End => self.goes_on(IN_TAG, 2 + script::NAME.len()),
                Read::Wait => Step::Wait,
            },
            State::Raw(name) => match rest.iter().position(|b| *b == b'<') {
                None => Step::Past(rest.len()),
                Some(0) => match begins(rest, b"</", name) {
                    Some(true) => self.goes_on(IN_TAG, 2 + name.len()),
                    Some(false) => Step::Past(1),
                    None => Step::Wait,
                },
                Some(mark) => Step::Past(mark),
            },
            State::Over => Step::Past(rest.len()),
        }
    }

    fn goes_on(&mut self, state: State, bytes: usize) -> Step {
        self.state = state;
        Step::Past(bytes)
    }

    fn text(&mut self, rest: &[u8]) -> Step {
        match rest.iter().position(|b| *b == b'<') {
            None => return Step::Past(rest.len()),
            Some(0) => {}
            Some(mark) => return Step::Past(mark),
        }
        if let Some(whole) = [&b"<!-->"[..], b"<!--->"].into_iter().find(|whole| rest.starts_with(whole)) {
            return Step::Past(whole.len());
        }
        if b"<!--->".starts_with(rest) {
            return Step::Wait;
        }
        if rest.starts_with(b"<!--") {
            return self.goes_on(State::Comment, 4);
        }
        let mut is_open = false;
        let mut is = |before: &[u8], name: &[u8]| match begins(rest, before, name) {
            Some(is_there) => is_there,
            None => {
                is_open = true;
                false
            }
        };
        let is_document = is(b"<!", b"doctype") || is(b"<", b"html");
        let (opens, closes) = (is(b"<", TEMPLATE), is(b"</", TEMPLATE));
        let is_place = is(b"</", b"head") || is(b"<", b"body") || is(b"</", b"body") || is(b"</", b"html");
        let (is_meta, is_plain) = (is(b"<", b"meta"), is(b"<", PLAIN));
        let then = RAW.into_iter().filter(|name| is(b"<", name)).last();
        if is_open {
            return Step::Wait;
        }
        self.is_document |= is_document;
        if is_plain {
            return self.goes_on(State::Over, 1);
        }
        if self.templates == 0 {
            if is_place {
                return Step::Place;
            }
            if is_meta {
                match tag(rest, 0, false, None) {
                    (used, State::Text) => {
                        self.nonce = self.nonce.take().or_else(|| policy::of_meta(&rest[..used]));
                        return Step::Past(used);
                    }
                    _ if rest.len() < LONGEST_META => return Step::Wait,
                    _ => {}
                }
            }
        }
        self.templates = (self.templates + usize::from(opens)).saturating_sub(usize::from(closes));
        match (rest.get(1), rest.get(2)) {
            (Some(b), _) if b.is_ascii_alphabetic() => self.goes_on(State::Tag { quote: 0, is_value: false, then }, 1),
            (Some(b'/'), Some(b)) if b.is_ascii_alphabetic() => self.goes_on(IN_TAG, 2),
            (Some(b'/' | b'!' | b'?'), _) => self.goes_on(State::Remark, 2),
            _ => Step::Past(1),
        }
    }
}

const IN_TAG: State = State::Tag { quote: 0, is_value: false, then: None };

enum Step {
    Past(usize),
    Place,
    Wait,
}

/// Whether it begins with this tag's name and an end of the name; None where more must come to know.
pub fn begins(rest: &[u8], before: &[u8], name: &[u8]) -> Option<bool> {
    let length = before.len() + name.len();
    let both = rest.len().min(length);
    let wanted = before.iter().chain(name);
    if !rest[..both].iter().zip(wanted).all(|(got, want)| got.eq_ignore_ascii_case(want)) {
        return Some(false);
    }
    rest.get(length).map(|next| next.is_ascii_whitespace() || matches!(next, b'>' | b'/'))
}

/// Reads on inside a tag; a quote counts only where a value begins.
fn tag(rest: &[u8], mut quote: u8, mut is_value: bool, then: Option<&'static [u8]>) -> (usize, State) {
    for (place, byte) in rest.iter().enumerate() {
        match (quote, *byte) {
            (0, b'>') if then == Some(script::NAME) => return (place + 1, State::Script(Script::Plain)),
            (0, b'>') => return (place + 1, then.map_or(State::Text, State::Raw)),
            (0, b'"' | b'\'') if is_value => (quote, is_value) = (*byte, false),
            (0, b'=') => is_value = true,
            (0, byte) if byte.is_ascii_whitespace() => {}
            (0, _) => is_value = false,
            (open, byte) if open == byte => quote = 0,
            _ => {}
        }
    }
    (rest.len(), State::Tag { quote, is_value, then })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MARK: &str = "[HERE]";

    fn marked(pieces: &[&[u8]]) -> String {
        let mut seeker = Seeker::default();
        let mut out = Vec::new();
        for piece in pieces {
            match seeker.feed(Bytes::copy_from_slice(piece)) {
                Found::Not(all) => out.extend_from_slice(&all),
                Found::Here(before, after) => {
                    out.extend_from_slice(&before);
                    out.extend_from_slice(MARK.as_bytes());
                    out.extend_from_slice(&after);
                }
            }
        }
        let (rest, is_here) = seeker.end();
        out.extend_from_slice(&rest);
        out.extend_from_slice(if is_here { MARK.as_bytes() } else { b"" });
        String::from_utf8_lossy(&out).into_owned()
    }

    #[track_caller]
    fn check(want: &str) {
        let page = want.replace(MARK, "");
        assert_eq!(marked(&[page.as_bytes()]), want);
        let letters: Vec<&[u8]> = page.as_bytes().chunks(1).collect();
        assert_eq!(marked(&letters), want, "byte by byte");
    }

    #[test]
    fn the_place_is_the_end_of_the_head() {
        check("<!doctype html><html><head><title>a</title>[HERE]</head><body>b</body></html>");
        check("<HTML><HEAD>[HERE]</HEAD ><BODY>");
        check("<html><title>no head is closed</title>[HERE]<body class=a>b");
        check("<p>neither head nor body</p>[HERE]</html>");
        check("<p>not even an end");
        check("<!doctype html><title>a</title><p>all that may be left out is left out[HERE]");
        check("<html lang=en><p>the same[HERE]");
        check("<!doctype html><p>cut off in a <b");
        check("<!doctype html><script>cut off");
        check("");
        check("a < b <");
    }

    #[test]
    fn what_only_looks_like_it_is_passed_by() {
        check("<head><!-- </head> <body> --><meta>[HERE]</head>");
        check("<head><!--></head> is the first comment's text--></head>".replace("<!-->", "<!-->[HERE]").as_str());
        check("<head><script>document.write('</head><body>')</script>[HERE]</head>");
        check("<head><SCRIPT src=\"a>b\">if (a</head>/.test(x)) {}</Script >[HERE]</head>");
        check("<head><style>a:after{content:'</head>'}</style>[HERE]</head>");
        check("<head><title></head> in a title</title>[HERE]</head>");
        check("<head><meta content=\"</head>\"><meta content='<body>'>[HERE]</head>");
        check("<head><meta content=it's>[HERE]</head>");
        check("<header>x</header><bodyguard><headline>[HERE]<body>");
        check("<head><scripts></scripts><noscript><img></noscript>[HERE]</head>");
        check("<head><!-- a --!><title>b</title>[HERE]</head>");
        check("<head><!--!></head>--><!---->[HERE]</head>");
        check("<head><?xml a=\"?></head>".replace("?></head>", "?>[HERE]</head>").as_str());
        check("<head></ a=\"></head>".replace("></head>", ">[HERE]</head>").as_str());
        check("<head></ </head>[HERE]</head>");
    }

    #[test]
    fn no_script_of_the_shops_is_cut() {
        check("<head><script><!-- write(\"<head><script></script></head>\") //--></script>[HERE]</head>");
        check("<head><script><!-- write('<SCRIPT src=a></Script ></head>') </script>[HERE]</head>");
        check("<head><script><!-- a --> write('<script>')</script>[HERE]</head>");
        check("<head><script><!--> write('<script>')</script>[HERE]</head>");
        check("<head><script><!--<scripts></script>[HERE]</head>");
        check("<head><script>write('<script></head>')</script>[HERE]</head>");
        check("<!doctype html><head><script><!-- <script> </script> </head> and no end");
    }

    #[test]
    fn it_stands_where_a_script_runs() {
        check("<head><noframes></head></noframes>[HERE]</head>");
        check("<p><iframe></body></iframe><noembed></body></noembed><xmp></body></xmp>[HERE]</body>");
        check("<head><template><template></template></head><body></template>[HERE]</head>");
        check("<head><template><script>a='</template>'</script></head></template>[HERE]</head>");
        check("<head><template><title></template></title><!-- </template> --></head></template >[HERE]</head>");
        check("</template><head>[HERE]</head>");
        check("<!doctype html><template><p>never closed");
        check("<!doctype html><plaintext></body>");
    }

    #[test]
    fn two_bytes_a_letter_are_left_alone() {
        let page: Vec<u8> = [0xff, 0xfe].into_iter().chain("<head></head>".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert!(!marked(&[&page]).contains(MARK));
        let japanese = b"<!doctype html><head><title>\x1b$B</head>\x1b(B</title></head>";
        assert!(!marked(&[japanese]).contains(MARK));
    }

    #[test]
    fn a_policy_in_the_page_is_read_however_it_is_cut() {
        let page = b"<!doctype html><head><meta charset=utf-8>\
            <meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'nonce-abc' 'self'\"><title>a</title></head>";
        for size in [1, 7, 64, page.len()] {
            let mut seeker = Seeker::default();
            let found = page.chunks(size).any(|piece| matches!(seeker.feed(Bytes::copy_from_slice(piece)), Found::Here(..)));
            assert_eq!((found, seeker.nonce()), (true, Some("abc")), "pieces of {size}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_pieces_make_no_difference(
            parts in proptest::collection::vec(prop_oneof![
                Just("</head>"), Just("<head>"), Just("<body "), Just("<!--"), Just("-->"), Just("<script>"), Just("</script>"), Just("<"),
                Just("<!doctype html>"), Just("<meta a="), Just("="), Just("\""), Just("'"), Just(">"), Just("-"), Just("a b"), Just("<title>"), Just("</title"), Just("é"),
                Just("<template>"), Just("</template>"), Just("<!"), Just("</"), Just("<script "), Just("!>"),
            ], 0..24),
            cuts in proptest::collection::vec(1usize..9, 1..40),
        ) {
            let page = parts.concat();
            let whole = marked(&[page.as_bytes()]);
            prop_assert_eq!(whole.replacen(MARK, "", 1), page.clone());
            let mut rest = page.as_bytes();
            let mut pieces = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (piece, more) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = more;
            }
            prop_assert_eq!(marked(&pieces), whole);
        }
    }
}
