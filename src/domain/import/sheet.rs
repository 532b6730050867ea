//! A file on its way in: bytes go in as they come, rows come out.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::super::fact::Fact;
use super::amount::Habit;
use super::cells::Cells;
use super::columns::Layout;
use super::records::{Record, Records};
use super::{Home, ImportKind, Name, Outcome, Refusal, Row, Told, conversion, lead, offline, order, spend, text, touch};
use crate::error::{Error, Kind, Result};

/// Bytes that are looked at before it is said how the file is written.
const LOOKED_AT: usize = 64 * 1024;
/// Lines that may stand above the names of the columns, as Google Ads puts a title and a range there.
const MOST_TITLES: usize = 12;
/// Rows alike in everything that are told apart by their place; beyond this many names one more is the same row.
const MOST_NAMES: usize = 1_000_000;

const CUT_OFF: &str = "The file ends within this row, as if it had been cut off. Bring the whole file; if this is all of it, end its \
    last line with a line break.";

/// How the file turned out to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// `csv` or `jsonl`.
    pub format: &'static str,
    pub delimiter: &'static str,
    /// Meta's or Google's own file.
    pub made_by: Option<&'static str>,
    pub used: Vec<String>,
    /// Columns by their own names, and what each is taken for.
    pub mapped: Vec<(String, &'static str)>,
    pub ignored: Vec<String>,
    /// The file stops within its last line, whose row has no id of its own: whether it is whole cannot be seen.
    pub may_be_cut: bool,
}

/// A file on its way in: takes bytes, gives rows.
pub struct Sheet {
    kind: ImportKind,
    home: Arc<Home>,
    decoder: text::Decoder,
    /// Until it is known how the file is written.
    looked_at: Vec<u8>,
    records: Option<Records>,
    layout: Layout,
    /// Records before the first row.
    titles: usize,
    habit: Habit,
    /// Cells of the shortest row so far.
    shortest: usize,
    is_json: bool,
    shape: Shape,
    ready: VecDeque<Told>,
    last_order: Option<String>,
    /// How often a row of each name came: two of the same day and campaign are two.
    names: HashMap<u64, u32>,
}

impl Sheet {
    pub fn new(kind: ImportKind, home: Home) -> Self {
        Self {
            kind,
            home: Arc::new(home),
            decoder: text::Decoder::default(),
            looked_at: Vec::new(),
            records: None,
            layout: Layout::default(),
            titles: 0,
            habit: Habit::Program,
            shortest: usize::MAX,
            is_json: false,
            shape: Shape::default(),
            ready: VecDeque::new(),
            last_order: None,
            names: HashMap::new(),
        }
    }

    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let text = self.decoder.push(bytes);
        self.take(&text)
    }

    /// No more bytes come.
    pub fn end(&mut self) -> Result<()> {
        let text = self.decoder.end();
        self.take(&text)?;
        if self.records.is_none() {
            self.settle(true)?;
        }
        let mut last = Vec::new();
        if let Some(records) = &mut self.records {
            records.end(&mut last);
        }
        self.read_all(last);
        Ok(())
    }

    pub fn next_row(&mut self) -> Option<Told> {
        self.ready.pop_front()
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    fn take(&mut self, text: &[u8]) -> Result<()> {
        if self.records.is_none() {
            self.looked_at.extend_from_slice(text);
            if self.looked_at.len() >= LOOKED_AT {
                self.settle(false)?;
            }
            return Ok(());
        }
        self.feed(text);
        Ok(())
    }

    fn feed(&mut self, text: &[u8]) {
        let mut found = Vec::new();
        if let Some(records) = &mut self.records {
            records.push(text, &mut found);
        }
        self.read_all(found);
    }

    /// Finds out how the file is written, by its beginning.
    fn settle(&mut self, is_whole: bool) -> Result<()> {
        let text = std::mem::take(&mut self.looked_at);
        match text.iter().find(|b| !b.is_ascii_whitespace()) {
            None => return Err(unreadable("The file is empty.")),
            Some(b'{') => {
                self.is_json = true;
                self.shape = Shape { format: "jsonl", ..Shape::default() };
                self.records = Some(Records::lines());
            }
            Some(b'[') => return Err(unreadable("A JSON file has one object a line (JSON Lines), without [ and ] around them.")),
            Some(_) => self.settle_on_columns(&text, is_whole)?,
        }
        self.feed(&text);
        Ok(())
    }

    fn settle_on_columns(&mut self, text: &[u8], is_whole: bool) -> Result<()> {
        let mut nearest: Option<(Vec<&'static str>, Vec<String>)> = None;
        let mut flawed = None;
        for (delimiter, name) in [(b',', ","), (b';', ";"), (b'\t', "tab")] {
            let mut found = Vec::new();
            let mut records = Records::separated_by(delimiter);
            records.push(text, &mut found);
            if is_whole {
                records.end(&mut found);
            }
            for (place, record) in found.iter().take(MOST_TITLES).enumerate() {
                if record.flaw.is_some() {
                    flawed = flawed.or(Some(record.line).filter(|_| place == 0));
                    continue;
                }
                let names: Vec<String> = record.cells.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
                match Layout::read(self.kind, &names, &self.home) {
                    Ok(layout) => {
                        self.shape = Shape {
                            format: "csv",
                            delimiter: name,
                            made_by: layout.made_by(),
                            used: layout.used(),
                            mapped: layout.mapped(&names),
                            ignored: layout.ignored(&names),
                            may_be_cut: false,
                        };
                        (self.layout, self.titles) = (layout, place + 1);
                        self.habit = if delimiter == b';' { Habit::Comma } else { Habit::Point };
                        self.records = Some(Records::separated_by(delimiter));
                        return Ok(());
                    }
                    Err(missing) => {
                        let is_nearer = nearest.as_ref().is_none_or(|(least, _)| missing.len() < least.len());
                        if is_nearer && names.iter().any(|n| !n.is_empty()) {
                            nearest = Some((missing, names));
                        }
                    }
                }
            }
        }
        if let Some(line) = flawed {
            return Err(unreadable(format!(
                "The names of the columns were not found: a quotation mark in line {line} is not closed. Correct it and bring the file again."
            )));
        }
        let Some((missing, names)) = nearest else {
            return Err(unreadable(
                "The names of the columns were not found: the first line has no end. A quotation mark in it may not be closed.",
            ));
        };
        let found: Vec<String> = names.iter().take(20).map(|n| n.chars().take(40).collect()).collect();
        Err(unreadable(format!(
            "The columns of a {} file are not all there. Missing: {}. The line that names them has: {}.",
            self.kind.word(),
            missing.join(", "),
            found.join(", ")
        )))
    }

    fn read_all(&mut self, records: Vec<Record>) {
        for record in records {
            if self.titles > 0 {
                self.titles -= 1;
                continue;
            }
            let line = record.line;
            let outcome = self.read(record);
            self.ready.push_back(Told { line, outcome });
        }
    }

    fn read(&mut self, record: Record) -> Outcome {
        if let Some(flaw) = record.flaw {
            return Outcome::Refused(Refusal::new("row", flaw.remedy()));
        }
        let (cells, is_ended) = (record.cells.len(), record.is_ended || self.is_json);
        // A file that was cut off ends in a part of a row. Rows as short as this one may be usual here; then nothing shows it.
        if !is_ended && cells < self.layout.width() && cells < self.shortest {
            return Outcome::Refused(Refusal::new("row", CUT_OFF));
        }
        self.shortest = self.shortest.min(cells);
        let home = self.home.clone();
        let cells = if self.is_json {
            Cells::of_json(self.kind, &record.cells[0], &home)
        } else {
            Cells::of_record(&self.layout, record, &home, self.habit)
        };
        let cells = match cells {
            Ok(cells) => cells,
            Err(refusal) => return Outcome::Refused(self.as_named(refusal)),
        };
        let read = match self.kind {
            ImportKind::Spend => spend::read(&cells, &self.layout),
            ImportKind::Orders => {
                let read = order::read(&cells, self.last_order.as_deref());
                if let Ok(Some((_, id))) = &read {
                    self.last_order = Some(id.clone());
                }
                read.map(|order| order.map(|(order, id)| (Row::Fact(Box::new(Fact::Order(order)), None), Some(id))))
            }
            ImportKind::Conversions => conversion::read(&cells).map(|(fact, id)| Some((Row::Fact(Box::new(fact), None), id))),
            ImportKind::Leads => lead::read(&cells).map(|(lead, stage, id)| Some((Row::Fact(Box::new(Fact::Lead(lead)), stage), id))),
            ImportKind::Offline => offline::row(&cells),
            ImportKind::Touches => touch::read(&cells).map(|(touch, id)| Some((Row::Touch(Box::new(touch)), id))),
        };
        match read {
            Ok(Some((row, id))) => {
                // By its id the whole file corrects it; without one the whole row would be another.
                self.shape.may_be_cut |= !is_ended && id.is_none();
                Outcome::Row { name: self.name(&cells, &row, id), row }
            }
            Ok(None) => Outcome::LeftOut,
            Err(refusal) => Outcome::Refused(self.as_named(refusal)),
        }
    }

    /// By the column's own name, as whoever wrote the file knows it.
    fn as_named(&self, refusal: Refusal) -> Refusal {
        let own = self.shape.mapped.iter().find(|(_, meaning)| *meaning == refusal.field).map(|(name, _)| name.clone());
        Refusal { field: own.unwrap_or(refusal.field), ..refusal }
    }

    fn name(&mut self, cells: &Cells, row: &Row, id: Option<String>) -> Name {
        let content = cells.content();
        let key = match (id, row) {
            (Some(id), _) => format!("id {id}"),
            // The amount is not part of it: a platform corrects what a day has cost.
            (None, Row::Spend(spend)) => {
                let what = format!("{} {} {}", spend.what(), cells.word("adset"), cells.word("ad"));
                format!("spend {what} {}", self.nth(&what))
            }
            (None, _) => format!("content {content}"),
        };
        // Our own list of conversions has the number in front.
        let conversion = cells.told("conversion").or_else(|| cells.told("id").filter(|_| self.kind == ImportKind::Conversions));
        Name { key, content, conversion }
    }

    fn nth(&mut self, what: &str) -> u32 {
        let digest = crate::crypto::sha256(what.as_bytes());
        let short = u64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]]);
        if self.names.len() >= MOST_NAMES && !self.names.contains_key(&short) {
            return 1;
        }
        let n = self.names.entry(short).or_default();
        *n += 1;
        *n
    }
}

fn unreadable(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, "unreadable_file", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Home {
        Home::of_test("EUR")
    }

    fn read(kind: ImportKind, text: &[u8], pieces: usize) -> Vec<Told> {
        let mut sheet = Sheet::new(kind, home());
        let mut all = Vec::new();
        for piece in text.chunks(pieces) {
            sheet.push(piece).expect("it can be read");
            all.extend(std::iter::from_fn(|| sheet.next_row()));
        }
        sheet.end().expect("it can be read");
        all.extend(std::iter::from_fn(|| sheet.next_row()));
        all
    }

    fn said(all: &[Told]) -> Vec<String> {
        all.iter()
            .map(|told| match &told.outcome {
                Outcome::LeftOut => format!("{}: left out", told.line),
                Outcome::Refused(refusal) => format!("{}: {}", told.line, refusal.field),
                Outcome::Row { name, row } => format!("{}: {} {:?}", told.line, name.key, row.amount().map(|m| m.to_string())),
            })
            .collect()
    }

    #[test]
    fn a_list_of_calls_is_read_in_its_owners_words() {
        let text = "when,phone,what\n2026-06-01,+353861234567,call\n2026-06-02,+353861234567,Walk-in\n2026-06-03,+353861234567,visit\n\
            yesterday,+353861234567,call\n2026-06-04,12,call\n2026-06-04,+353861234567,dance\n";
        let all = read(ImportKind::Offline, text.as_bytes(), 1_000);
        let kinds = all.iter().filter_map(|told| match &told.outcome {
            Outcome::Row { row: Row::Fact(fact, _), .. } => match &**fact {
                Fact::Milestone(step) => Some(step.kind.as_str()),
                _ => None,
            },
            _ => None,
        });
        assert_eq!(kinds.collect::<Vec<_>>(), ["lead_captured", "lead_captured", "appointment_completed"]);
        assert_eq!(said(&all)[3..], ["5: when", "6: phone", "7: what"], "by the names of the file's own columns");
    }

    #[test]
    fn rows_are_the_same_in_whatever_pieces_they_come() {
        let text = "order_id,total,created_at\n1,5.00,2026-03-01\n\n2,x,2026-03-01\n1,5.00,2026-03-01\n".as_bytes();
        let whole = said(&read(ImportKind::Orders, text, 1_000));
        assert_eq!(whole, ["2: id generic 1 Some(\"EUR 5.00\")", "4: total", "5: id generic 1 Some(\"EUR 5.00\")"]);
        for pieces in [1, 3, 17] {
            assert_eq!(said(&read(ImportKind::Orders, text, pieces)), whole);
        }
    }

    /// Half a gigabyte goes through a few megabytes.
    #[test]
    fn a_long_file_is_never_held_as_a_whole() {
        let mut sheet = Sheet::new(ImportKind::Spend, home());
        sheet.push(b"day,source,amount\n").expect("its columns");
        let piece = "2026-03-01,google,1.00\n".repeat(3_000);
        let mut rows = 0;
        for _ in 0..20 {
            sheet.push(piece.as_bytes()).expect("rows");
            rows += std::iter::from_fn(|| sheet.next_row()).count();
            assert!(sheet.ready.is_empty() && sheet.looked_at.len() <= LOOKED_AT + piece.len());
        }
        sheet.end().expect("the end");
        rows += std::iter::from_fn(|| sheet.next_row()).count();
        assert_eq!((rows, sheet.names.len()), (60_000, 1), "of one name, and all of them counted");
    }

    #[test]
    fn shopifys_further_lines_are_none_of_their_own() {
        let text = "Name,Email,Financial Status,Paid at,Currency,Total,Lineitem name\n\
            #1001,ann@mail.example,paid,2026-03-01 10:00:00 +0400,AED,120.00,Shoes\n#1001,ann@mail.example,,,,,Hat\n#1002,,refunded,2026-03-02 10:00:00 +0400,AED,9.00,Hat\n";
        let all = read(ImportKind::Orders, text.as_bytes(), 100);
        assert_eq!(said(&all), ["2: id generic #1001 Some(\"AED 120.00\")", "3: left out", "4: id generic #1002 Some(\"AED 9.00\")"]);
    }

    #[test]
    fn a_mark_that_is_not_closed_swallows_nothing_unsaid() {
        let text = "order_id,total,created_at,note\n1,5.00,2026-03-01,\n2,5.00,2026-03-01,\"tall\n3,5.00,2026-03-01,\n";
        let all = read(ImportKind::Orders, text.as_bytes(), 7);
        assert_eq!(said(&all), ["2: id generic 1 Some(\"EUR 5.00\")", "3: row"]);
        let Outcome::Refused(refusal) = &all[1].outcome else { panic!("refused") };
        assert!(refusal.remedy.contains("2 lines"), "{}", refusal.remedy);
        // In the names of the columns it would make a file of no rows.
        for text in ["order_id,total,created_at,\"note\n1,5.00,2026-03-01,\n", "\"order_id,total,created_at\n1,5.00,2026-03-01\n"] {
            let mut sheet = Sheet::new(ImportKind::Orders, home());
            sheet.push(text.as_bytes()).expect("bytes");
            assert!(sheet.end().expect_err("refused").message.contains("line 1"));
        }
    }

    #[test]
    fn a_row_that_the_files_end_cuts_is_no_sale() {
        let header = "created_at,amount,source,email\n";
        let whole = "2026-03-01,5.00,google,ann@mail.example\n";
        for (last, refused, may_be_cut) in [
            ("2026-03-01,7.00,google,ben@mail.example\n", false, false),
            // Many programs end a file so: it is taken, and the preview asks.
            ("2026-03-01,7.00,google,ben@mail.example", false, true),
            ("2026-03-01,7.00,goo", true, false),
            ("2026-03-01,7.0", true, false),
            ("2026-03-01,7.00\n", false, false),
        ] {
            for front in [header.to_owned(), format!("{header}{whole}")] {
                let mut sheet = Sheet::new(ImportKind::Conversions, home());
                sheet.push(format!("{front}{last}").as_bytes()).expect("bytes");
                sheet.end().expect("the end");
                let told = std::iter::from_fn(|| sheet.next_row()).last().expect("a row");
                assert_eq!(matches!(told.outcome, Outcome::Refused(_)), refused, "{last}");
                assert_eq!(sheet.shape().may_be_cut, may_be_cut, "{last}");
            }
        }
        // Rows as short as this are usual in the file, and its own id is what the whole file corrects.
        let text = "order_id,created_at,total,status\n1,2026-03-01,5.00\n2,2026-03-01,7.00";
        assert_eq!(said(&read(ImportKind::Orders, text.as_bytes(), 9)).len(), 2);
        assert!(said(&read(ImportKind::Orders, text.as_bytes(), 9)).iter().all(|line| line.contains("generic")));
    }
}
