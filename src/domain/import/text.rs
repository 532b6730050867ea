//! Whatever encoding a file has, as UTF-8. A spreadsheet's "Unicode text" and the file that Google Ads calls "Excel .csv" are
//! UTF-16 with a mark in front.

/// Turns pieces of a file into pieces of UTF-8; what is no text at all is left as it is and refused by its row.
#[derive(Debug, Default)]
pub struct Decoder {
    found: Option<Encoding>,
    /// Bytes that are not whole yet.
    left: Vec<u8>,
    /// The first half of a pair.
    high: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    Utf8,
    LittleEndian,
    BigEndian,
}

/// Bytes that a mark at the beginning may have.
const MARK: usize = 3;

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self.found {
            Some(Encoding::Utf8) => bytes.to_vec(),
            Some(wide) => self.wide(bytes, wide),
            None => {
                self.left.extend_from_slice(bytes);
                if self.left.len() < MARK { Vec::new() } else { self.begin() }
            }
        }
    }

    pub fn end(&mut self) -> Vec<u8> {
        if self.found.is_none() { self.begin() } else { std::mem::take(&mut self.left) }
    }

    fn begin(&mut self) -> Vec<u8> {
        let first = std::mem::take(&mut self.left);
        let (found, mark) = match first.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
            [0xff, 0xfe, ..] => (Encoding::LittleEndian, 2),
            [0xfe, 0xff, ..] => (Encoding::BigEndian, 2),
            _ => (Encoding::Utf8, 0),
        };
        self.found = Some(found);
        self.push(&first[mark..])
    }

    fn wide(&mut self, bytes: &[u8], encoding: Encoding) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.left);
        all.extend_from_slice(bytes);
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        let pairs = all.chunks_exact(2);
        self.left = pairs.remainder().to_vec();
        units.extend(pairs.map(|two| match encoding {
            Encoding::BigEndian => u16::from_be_bytes([two[0], two[1]]),
            _ => u16::from_le_bytes([two[0], two[1]]),
        }));
        if units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            self.high = units.pop();
        }
        String::from_utf16_lossy(&units).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], pieces: usize) -> String {
        let mut decoder = Decoder::default();
        let mut out = Vec::new();
        for piece in bytes.chunks(pieces) {
            out.extend(decoder.push(piece));
        }
        out.extend(decoder.end());
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "Day\tCost\r\nÄ 😀 end";
        let little: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
        let marked = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
        for bytes in [text.as_bytes(), &marked, &little, &big] {
            for pieces in [1, 2, 3, 5, 100] {
                assert_eq!(decoded(bytes, pieces), text);
            }
        }
        assert_eq!((decoded(b"a", 1), decoded(b"", 1)), ("a".to_owned(), String::new()));
    }
}
