//! `halotrack sql`: one read-only statement about one site, under the documented names. It opens the file itself and
//! needs no server and no lock.

use std::io::Write;

use serde_json::{Map, Value};

use super::given::Given;
use super::table;
use super::words::{Format, Sql};
use crate::config::Config;
use crate::error::Result;
use crate::store::documented::{Cell, Documented, Row};

pub fn run(config: &Config, words: Sql, is_json: bool, given: &mut Given) -> Result<()> {
    let documented = Documented::open(&config.data, words.site.as_deref())?;
    if words.views {
        print(&documented.views());
        return Ok(());
    }
    let query = match words.query {
        Some(query) => query,
        None => given.stdin()?,
    };
    let format = words.format.unwrap_or(if is_json { Format::Json } else { Format::Table });
    let mut out = Out { format, out: std::io::BufWriter::new(std::io::stdout().lock()), head: Vec::new(), rows: Vec::new(), count: 0 };
    documented.ask(&query, |row| out.row(row))?;
    out.end();
    Ok(())
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// CSV and JSON are written row by row; a table has to know its widths first.
struct Out<'a> {
    format: Format,
    out: std::io::BufWriter<std::io::StdoutLock<'a>>,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    count: usize,
}

impl Out<'_> {
    /// Takes one row; `false` says that nobody reads any more.
    fn row(&mut self, row: Row) -> bool {
        let is_first = self.count == 0;
        match row {
            Row::Head(head) => {
                self.head = head;
                match self.format {
                    Format::Csv => self.csv(&self.head.clone()),
                    _ => true,
                }
            }
            Row::Cells(cells) => {
                self.count += 1;
                match self.format {
                    Format::Table => {
                        self.rows.push(cells.iter().map(Cell::text).collect());
                        true
                    }
                    Format::Csv => self.csv(&cells.iter().map(guarded).collect::<Vec<_>>()),
                    Format::Json => {
                        let object: Map<String, Value> = self.head.iter().cloned().zip(cells.iter().map(Cell::json)).collect();
                        let lead = if is_first { "[" } else { ",\n " };
                        write!(self.out, "{lead}{}", Value::Object(object)).is_ok()
                    }
                }
            }
        }
    }

    fn csv(&mut self, cells: &[String]) -> bool {
        let mut line = csv::Writer::from_writer(Vec::new());
        let is_written = line.write_record(cells).is_ok();
        line.into_inner().is_ok_and(|line| is_written && self.out.write_all(&line).is_ok())
    }

    fn end(mut self) {
        let _ = match self.format {
            Format::Table if self.head.is_empty() => Ok(()),
            Format::Table => writeln!(self.out, "{}", table::text(&self.head, self.rows)),
            Format::Csv => Ok(()),
            Format::Json => writeln!(self.out, "{}", if self.count == 0 { "[]" } else { "]" }),
        };
        let _ = self.out.flush();
    }
}

/// A spreadsheet must not take a visitor's text for a formula. Numbers and phone numbers stay as they are.
fn guarded(cell: &Cell) -> String {
    let text = cell.text();
    let is_formula = match (cell, text.chars().next()) {
        (Cell::Text(_), Some('=' | '@' | '\t' | '\r' | '＝' | '＠')) => true,
        (Cell::Text(_), Some('+' | '-' | '＋' | '－')) => {
            !text.chars().skip(1).all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | ','))
        }
        _ => false,
    };
    if is_formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_starts_a_formula() {
        let rows: &[(&str, &str)] = &[
            ("=1+1", "'=1+1"),
            ("@sum", "'@sum"),
            ("+971501234567", "+971501234567"),
            ("-5", "-5"),
            ("-5+cmd", "'-5+cmd"),
            ("plain", "plain"),
        ];
        for (text, want) in rows {
            assert_eq!(guarded(&Cell::Text((*text).into())), *want);
        }
    }
}
