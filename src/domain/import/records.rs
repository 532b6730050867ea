//! Bytes into records, as they come: RFC 4180, with any of the three usual separators and any of the three ends of line. No
//! record is longer than its limit, whatever its quotation marks say.

use super::LONGEST_ROW;

#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The line in which it begins, counted from one.
    pub line: u64,
    pub cells: Vec<Vec<u8>>,
    /// Why its cells are not to be believed.
    pub flaw: Option<Flaw>,
    /// False where the file ends without an end of line behind it.
    pub is_ended: bool,
}

/// What is wrong with a record, and how many lines it has swallowed: none of them is lost without a word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flaw {
    /// Then there are no cells.
    TooLong { lines: u64 },
    /// A quotation mark that is open where the file ends.
    Unclosed { lines: u64 },
    /// Something stands behind a closing quotation mark: one before it was not closed, or not doubled.
    Misplaced { lines: u64 },
}

impl Flaw {
    pub fn remedy(self) -> String {
        let (what, lines) = match self {
            Flaw::TooLong { lines } => ("The row is longer than 1 MiB. A quotation mark in or before it is not closed", lines),
            Flaw::Unclosed { lines } => ("A quotation mark in this row is not closed", lines),
            Flaw::Misplaced { lines } => ("A quotation mark in this row stands where none can: write one inside a text twice", lines),
        };
        match lines {
            0 | 1 => format!("{what}. Correct it and bring the file again."),
            _ => format!("{what}, so {lines} lines from here on could not be read. Correct it and bring the file again."),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Nothing of the cell has come.
    Start,
    Plain,
    Quoted,
    /// A quotation mark inside quotes: the end, or the first of two.
    AfterQuote,
    /// The record was too long: until the next line.
    Lost,
}

#[derive(Debug)]
pub struct Records {
    /// None where a line is one cell.
    delimiter: Option<u8>,
    state: State,
    line: u64,
    begun_at: u64,
    cell: Vec<u8>,
    cells: Vec<Vec<u8>>,
    size: usize,
    has_misplaced: bool,
    /// The last byte was a carriage return that has ended a line.
    is_after_return: bool,
}

impl Records {
    pub fn separated_by(delimiter: u8) -> Self {
        Self::new(Some(delimiter))
    }

    pub fn lines() -> Self {
        Self::new(None)
    }

    fn new(delimiter: Option<u8>) -> Self {
        Self {
            delimiter,
            state: State::Start,
            line: 1,
            begun_at: 1,
            cell: Vec::new(),
            cells: Vec::new(),
            size: 0,
            has_misplaced: false,
            is_after_return: false,
        }
    }

    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Record>) {
        for byte in bytes {
            self.byte(*byte, out);
        }
    }

    /// What stands after the last end of line is a record too.
    pub fn end(&mut self, out: &mut Vec<Record>) {
        if self.size > 0 || self.state == State::Lost {
            self.close(false, out);
        }
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<Record>) {
        if self.is_after_return {
            self.is_after_return = false;
            if byte == b'\n' {
                return;
            }
        }
        if matches!(byte, b'\n' | b'\r') && self.state != State::Quoted {
            self.is_after_return = byte == b'\r';
            self.close(true, out);
            return;
        }
        if byte == b'\n' {
            self.line += 1;
        }
        self.size += 1;
        if self.state == State::Lost {
            return;
        }
        if self.size > LONGEST_ROW {
            (self.state, self.cell, self.cells) = (State::Lost, Vec::new(), Vec::new());
            return;
        }
        let is_delimiter = self.delimiter == Some(byte);
        match (self.state, byte) {
            (State::Quoted, b'"') => self.state = State::AfterQuote,
            (State::Quoted, _) => self.cell.push(byte),
            (State::AfterQuote, b'"') => {
                self.cell.push(b'"');
                self.state = State::Quoted;
            }
            (_, _) if is_delimiter => {
                self.cells.push(std::mem::take(&mut self.cell));
                self.state = State::Start;
            }
            (State::Start, b'"') if self.delimiter.is_some() => self.state = State::Quoted,
            (State::AfterQuote, b' ' | b'\t') => {}
            (state, _) => {
                self.has_misplaced |= state == State::AfterQuote;
                self.cell.push(byte);
                self.state = State::Plain;
            }
        }
    }

    fn close(&mut self, is_ended: bool, out: &mut Vec<Record>) {
        // An end of line that the open quotes hold begins no further one.
        let lines = self.line - self.begun_at + 1 - u64::from(self.cell.last() == Some(&b'\n'));
        let flaw = match self.state {
            State::Lost => Some(Flaw::TooLong { lines }),
            State::Quoted => Some(Flaw::Unclosed { lines }),
            _ if self.has_misplaced => Some(Flaw::Misplaced { lines }),
            _ => None,
        };
        let mut cells = std::mem::take(&mut self.cells);
        cells.push(std::mem::take(&mut self.cell));
        let is_blank = cells.iter().all(|cell| cell.iter().all(u8::is_ascii_whitespace));
        if flaw.is_some() || !is_blank {
            out.push(Record { line: self.begun_at, cells, flaw, is_ended });
        }
        self.line += u64::from(is_ended);
        (self.state, self.size, self.has_misplaced, self.begun_at) = (State::Start, 0, false, self.line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, delimiter: u8, pieces: usize) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::separated_by(delimiter);
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(pieces.max(1)) {
            records.push(piece, &mut out);
        }
        records.end(&mut out);
        out.into_iter().map(|r| (r.line, r.cells.iter().map(|c| String::from_utf8_lossy(c).into_owned()).collect())).collect()
    }

    #[test]
    fn records_are_the_same_in_whatever_pieces_they_come() {
        let text = "a,\"b \"\"c\"\",\r\nd\",e\r\n\r\n,,\nx,y,z\rlast,no end";
        let words = |all: &[&str]| all.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let want = vec![(1, words(&["a", "b \"c\",\r\nd", "e"])), (5, words(&["x", "y", "z"])), (6, words(&["last", "no end"]))];
        for pieces in [1, 2, 3, 7, 1_000] {
            assert_eq!(read(text, b',', pieces), want, "{pieces}");
        }
        assert_eq!(read("a;b\tc", b'\t', 9), vec![(1, words(&["a;b", "c"]))]);
        assert_eq!(read("", b',', 9), vec![]);
    }

    fn flaws(text: &str, pieces: usize) -> Vec<(u64, Option<Flaw>, bool)> {
        let mut records = Records::separated_by(b',');
        let mut out = Vec::new();
        text.as_bytes().chunks(pieces).for_each(|piece| records.push(piece, &mut out));
        records.end(&mut out);
        out.into_iter().map(|r| (r.line, r.flaw, r.is_ended)).collect()
    }

    #[test]
    fn what_a_quotation_mark_swallows_is_said() {
        for (text, want) in [
            ("a,b\nc,\"d\ne,f\ng,h\n", vec![(1, None, true), (2, Some(Flaw::Unclosed { lines: 3 }), false)]),
            ("a,\"b", vec![(1, Some(Flaw::Unclosed { lines: 1 }), false)]),
            ("a,b\n\"", vec![(1, None, true), (2, Some(Flaw::Unclosed { lines: 1 }), false)]),
            // Two rows that a mark has made one.
            ("a,\"b\nc,\"d\",e\nf,g\n", vec![(1, Some(Flaw::Misplaced { lines: 2 }), true), (3, None, true)]),
            ("\"a\" ,\"b\"\t\nc,\"d\"", vec![(1, None, true), (2, None, false)]),
            // An inch inside a text opens nothing.
            ("a,5\" nail\nb,c\n", vec![(1, None, true), (2, None, true)]),
        ] {
            for pieces in [1, 3, 100] {
                assert_eq!(flaws(text, pieces), want, "{text} {pieces}");
            }
        }
        assert!(Flaw::Unclosed { lines: 4 }.remedy().contains("4 lines"));
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_loses_one_row() {
        let mut records = Records::separated_by(b',');
        let mut out = Vec::new();
        records.push(b"a,\"", &mut out);
        for _ in 0..LONGEST_ROW / 1_024 + 2 {
            records.push(&[b'x'; 1_024], &mut out);
        }
        assert!(records.cell.len() <= LONGEST_ROW, "nothing is gathered beyond the limit");
        records.push(b"\nb,c\n", &mut out);
        assert_eq!(out.iter().map(|r| r.flaw).collect::<Vec<_>>(), [Some(Flaw::TooLong { lines: 1 }), None]);
        assert_eq!(out[1].cells, [b"b".to_vec(), b"c".to_vec()]);
    }
}
