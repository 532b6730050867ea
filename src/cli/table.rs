//! Rows as text for a terminal: columns as wide as their widest cell, nothing that could move the cursor.

/// Cells beyond this many characters are cut, so that one long value does not push all others off the screen.
const WIDEST: usize = 80;

/// The head, a line, the rows; without a newline at the end.
pub fn text(head: &[String], rows: Vec<Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.iter().map(|c| plain(c)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(c, w)| format!("{c:w$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(head), widths.iter().map(|w| "-".repeat(*w)).collect::<Vec<_>>().join("  ")];
    lines.extend(rows.iter().map(|row| line(row)));
    lines.join("\n")
}

/// Visitors choose some of these texts: no control characters, no marks that turn the line around.
fn plain(cell: &str) -> String {
    let is_kept = |c: &char| !c.is_control() && !matches!(*c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut text: String = cell.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c }).filter(is_kept).take(WIDEST + 1).collect();
    if text.chars().count() > WIDEST {
        text = text.chars().take(WIDEST - 1).chain(['…']).collect();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_escapes_are_gone() {
        let head = ["site".to_owned(), "name".to_owned()];
        let rows = vec![vec!["a".into(), "one\u{1b}[2J\u{202e}".into()], vec!["longer".into(), "two\nlines".into()]];
        assert_eq!(text(&head, rows), "site    name\n------  ---------\na       one[2J\nlonger  two lines");
        assert!(plain(&"x".repeat(200)).chars().count() == WIDEST);
    }
}
