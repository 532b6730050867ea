//! Every list as a file, streamed page by page without a row cap: CSV for spreadsheets, JSON lines as the exact form.

use std::future::Future;

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::Value;
use tokio::task::JoinSet;

use super::reply::Reply;
use crate::domain::question::Cursor;
use crate::error::{Error, Result};

/// Rows of one page of an export.
pub const PAGE: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Jsonl,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// What somebody typed or sent: a sheet must not run it.
    Text(String),
    /// Written by us: stays a number.
    Number(String),
    Empty,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Cell::Text(text.into())
    }

    pub fn maybe(text: Option<impl Into<String>>) -> Self {
        text.map_or(Cell::Empty, |t| Cell::Text(t.into()))
    }

    pub fn number(number: impl ToString) -> Self {
        Cell::Number(number.to_string())
    }

    pub fn maybe_number(number: Option<impl ToString>) -> Self {
        number.map_or(Cell::Empty, |n| Cell::Number(n.to_string()))
    }
}

/// A cell that a sheet would take for a formula gets an apostrophe in front. To read it back: where a cell has
/// apostrophes and then one of these signs, take one apostrophe away.
/// https://owasp.org/www-community/attacks/CSV_Injection
pub fn guarded(text: &str) -> String {
    let is_trigger = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.trim_start_matches('\'').starts_with(is_trigger) { format!("'{text}") } else { text.to_owned() }
}

/// Rows of cells as lines of CSV (RFC 4180).
pub fn csv_lines(rows: &[Vec<Cell>]) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => guarded(text),
            Cell::Number(number) => number.clone(),
            Cell::Empty => String::new(),
        });
        writer.write_record(cells).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|e| Error::internal(e.to_string()))
}

/// The names of the columns.
pub fn csv_head(names: &[&str]) -> Result<Vec<u8>> {
    csv_lines(&[names.iter().map(|n| Cell::Number((*n).to_owned())).collect()])
}

pub fn json_lines(rows: impl Iterator<Item = Value>) -> Vec<u8> {
    let mut text = Vec::new();
    for row in rows {
        text.extend_from_slice(row.to_string().as_bytes());
        text.push(b'\n');
    }
    text
}

/// Streams pages until there is no next one. The first is fetched before anything is answered, so that a question that
/// cannot be answered is refused in words; a failure later breaks the stream off, which a client sees.
pub async fn stream<F, Fut>(name: &str, format: Format, head: Vec<u8>, page: F) -> Result<Reply>
where
    F: Fn(Option<Cursor>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(Vec<u8>, Option<Cursor>)>> + Send + 'static,
{
    stream_written(name, format, head, page, Ok).await
}

/// The same of pages that still have to be written: the next one is read meanwhile, and no further one.
pub async fn stream_written<P, F, Fut, W>(name: &str, format: Format, head: Vec<u8>, read: F, write: W) -> Result<Reply>
where
    P: Send + 'static,
    F: Fn(Option<Cursor>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(P, Option<Cursor>)>> + Send + 'static,
    W: Fn(P) -> Result<Vec<u8>> + Send + Sync + 'static,
{
    let (first, next) = read(None).await?;
    let mut start = head;
    start.extend_from_slice(&write(first)?);
    // Whoever goes away takes the page that is being read along.
    let mut reading = JoinSet::new();
    next.map(|next| reading.spawn(read(Some(next))));
    let chunks = stream::try_unfold((Some(start), reading, read, write), |(ready, mut reading, read, write)| async move {
        if let Some(ready) = ready {
            return Ok::<_, Error>(Some((Bytes::from(ready), (None, reading, read, write))));
        }
        let Some(page) = reading.join_next().await else { return Ok(None) };
        let (page, next) = page.map_err(Error::internal)??;
        next.map(|next| reading.spawn(read(Some(next))));
        let text = write(page)?;
        Ok(Some((Bytes::from(text), (None, reading, read, write))))
    });
    let (content_type, end) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Jsonl => ("application/x-ndjson", "jsonl"),
    };
    Ok(Reply::text(content_type, Body::from_stream(chunks)).with("content-disposition", format!("attachment; filename=\"{name}.{end}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented way back.
    fn unguarded(text: &str) -> &str {
        let rest = text.trim_start_matches('\'');
        let is_guarded = rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        if is_guarded && text.starts_with('\'') { &text[1..] } else { text }
    }

    #[test]
    fn no_cell_begins_with_a_formula_and_all_are_read_back() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@sum(1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1",
            "＋1",
            "－1",
            "＠1",
            "'=1",
            "''=1",
            "'t Hof",
            "a=b",
            "",
            "a \"quoted\", name",
            "two\r\nlines",
            "=cmd|' /C calc'!A0",
            "=HYPERLINK(\"http://x\",\"y\")",
        ] {
            let guarded = guarded(text);
            assert!(!guarded.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']), "{text:?}");
            assert_eq!(unguarded(&guarded), text);
            let line = csv_lines(&[vec![Cell::text(text), Cell::number(-5)]]).expect("a line");
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_slice());
            let record = reader.records().next().expect("a record").expect("a readable one");
            assert_eq!((unguarded(&record[0]), &record[1]), (text, "-5"));
        }
    }
}
