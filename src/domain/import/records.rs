//! Bytes into records, as they come: RFC 4180, with any of the three usual separators and any of the three ends of line. No
//! record is longer than its limit, whatever its quotation marks say.

use super::LONGEST_ROW;

#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The line in which it begins, counted from one.
    pub line: u64,
    pub cells: Vec<Vec<u8>>,
    /// False where it was too long: then there are no cells.
    pub is_whole: bool,
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
        Self { delimiter, state: State::Start, line: 1, begun_at: 1, cell: Vec::new(), cells: Vec::new(), size: 0, is_after_return: false }
    }

    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Record>) {
        for byte in bytes {
            self.byte(*byte, out);
        }
    }

    /// What stands after the last end of line is a record too.
    pub fn end(&mut self, out: &mut Vec<Record>) {
        if self.size > 0 || self.state == State::Lost {
            self.close(out);
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
            self.line += 1;
            self.close(out);
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
            (_, _) => {
                self.cell.push(byte);
                self.state = State::Plain;
            }
        }
    }

    fn close(&mut self, out: &mut Vec<Record>) {
        let is_whole = self.state != State::Lost;
        let mut cells = std::mem::take(&mut self.cells);
        cells.push(std::mem::take(&mut self.cell));
        let is_blank = cells.iter().all(|cell| cell.iter().all(u8::is_ascii_whitespace));
        if !is_whole || !is_blank {
            out.push(Record { line: self.begun_at, cells, is_whole });
        }
        (self.state, self.size, self.begun_at) = (State::Start, 0, self.line);
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
        let text = "a,\"b \"\"c\"\",\r\nd\",e\r\n\r\n,,\nx,y,z\rlast,\"no end";
        let words = |all: &[&str]| all.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let want = vec![(1, words(&["a", "b \"c\",\r\nd", "e"])), (5, words(&["x", "y", "z"])), (6, words(&["last", "no end"]))];
        for pieces in [1, 2, 3, 7, 1_000] {
            assert_eq!(read(text, b',', pieces), want, "{pieces}");
        }
        assert_eq!(read("a;b\tc", b'\t', 9), vec![(1, words(&["a;b", "c"]))]);
        assert_eq!(read("", b',', 9), vec![]);
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
        assert_eq!(out.iter().map(|r| r.is_whole).collect::<Vec<_>>(), [false, true]);
        assert_eq!(out[1].cells, [b"b".to_vec(), b"c".to_vec()]);
    }
}
