//! The one table: what was measured, of what, and whether that is enough.

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    pub what: String,
    pub figure: String,
    pub of: String,
    pub ratio: Option<f64>,
    pub bar: Bar,
    /// What is held against the bar: the ratio, or the figure itself in the bar's unit.
    pub value: Option<f64>,
}

/// What must hold, and what is aimed at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bar {
    AtLeast {
        must: f64,
        aim: f64,
        unit: Unit,
    },
    Below {
        must: f64,
        aim: f64,
        unit: Unit,
    },
    /// Not more than this.
    AtMost {
        must: f64,
        aim: f64,
        unit: Unit,
    },
    /// For information.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unit {
    Share,
    Ms,
    Seconds,
    Count,
    Mb,
    Kb,
    Bytes,
    Times,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Aim,
    Must,
    Missed,
    /// No bar.
    Open,
    /// It could not be measured.
    Unmeasured,
}

impl Row {
    /// A figure that is judged as it stands.
    pub fn figure(what: &str, value: f64, bar: Bar) -> Self {
        let figure = bar.unit().map_or_else(|| format!("{value:.2}"), |u| u.show(value));
        Self { what: what.into(), figure, of: String::new(), ratio: None, bar, value: Some(value) }
    }

    /// A figure that is judged by its share of another.
    pub fn ratio(what: &str, figure: String, of: String, ratio: f64, bar: Bar) -> Self {
        Self { what: what.into(), figure, of, ratio: Some(ratio), bar, value: Some(ratio) }
    }

    /// What could not be measured, and why.
    pub fn missing(what: &str, why: &str, bar: Bar) -> Self {
        Self { what: what.into(), figure: format!("not measured: {why}"), of: String::new(), ratio: None, bar, value: None }
    }

    pub fn verdict(&self) -> Verdict {
        let Some(value) = self.value else {
            return if self.bar == Bar::None { Verdict::Open } else { Verdict::Unmeasured };
        };
        let (is_aim, is_must) = match self.bar {
            Bar::None => return Verdict::Open,
            Bar::AtLeast { must, aim, .. } => (value >= aim, value >= must),
            Bar::Below { must, aim, .. } => (value < aim, value < must),
            Bar::AtMost { must, aim, .. } => (value <= aim, value <= must),
        };
        match (is_aim, is_must) {
            (true, _) => Verdict::Aim,
            (false, true) => Verdict::Must,
            (false, false) => Verdict::Missed,
        }
    }
}

impl Bar {
    pub fn unit(&self) -> Option<Unit> {
        match self {
            Bar::AtLeast { unit, .. } | Bar::Below { unit, .. } | Bar::AtMost { unit, .. } => Some(*unit),
            Bar::None => None,
        }
    }

    fn show(&self) -> (String, String) {
        let pair =
            |sign: &str, must: f64, aim: f64, unit: Unit| (format!("{sign} {}", unit.bound(must)), format!("{sign} {}", unit.bound(aim)));
        match *self {
            Bar::AtLeast { must, aim, unit } => pair("≥", must, aim, unit),
            Bar::Below { must, aim, unit } => pair("<", must, aim, unit),
            Bar::AtMost { must, aim, unit } => pair("≤", must, aim, unit),
            Bar::None => (String::new(), String::new()),
        }
    }
}

impl Unit {
    pub fn show(self, value: f64) -> String {
        match self {
            Unit::Share => format!("{:.1} %", value * 100.0),
            Unit::Ms => format!("{value:.2} ms"),
            Unit::Seconds => format!("{value:.2} s"),
            Unit::Count => grouped(value),
            Unit::Mb => format!("{value:.1} MB"),
            Unit::Kb => format!("{value:.1} kB"),
            Unit::Bytes => format!("{} B", grouped(value)),
            Unit::Times => format!("{value:.2} ×"),
        }
    }

    /// A bound is a round number: no digits behind the point that it does not have.
    fn bound(self, value: f64) -> String {
        let (number, word) = match self {
            Unit::Share => (value * 100.0, " %"),
            Unit::Ms => (value, " ms"),
            Unit::Seconds => (value, " s"),
            Unit::Count => return grouped(value),
            Unit::Mb => (value, " MB"),
            Unit::Kb => (value, " kB"),
            Unit::Bytes => return format!("{} B", grouped(value)),
            Unit::Times => (value, " ×"),
        };
        format!("{}{word}", (number * 100.0).round() / 100.0)
    }
}

/// `12345` as `12,345`.
pub fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 { format!("-{out}") } else { out }
}

/// The table as Markdown, which a terminal reads as well.
pub fn text(rows: &[Row]) -> String {
    let head = ["what", "figure", "of", "ratio", "must", "aim", "ok"].map(str::to_owned).to_vec();
    let mut lines = vec![head];
    for row in rows {
        let (must, aim) = row.bar.show();
        let ok = match row.verdict() {
            Verdict::Aim => "aim",
            Verdict::Must => "must",
            Verdict::Missed => "NO",
            Verdict::Open => "",
            Verdict::Unmeasured => "?",
        };
        let ratio = row.ratio.map(|r| row.bar.unit().unwrap_or(Unit::Share).show(r)).unwrap_or_default();
        lines.push(vec![row.what.clone(), row.figure.clone(), row.of.clone(), ratio, must, aim, ok.to_owned()]);
    }
    let width = |column: usize| lines.iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            out.push_str("| ");
            out.push_str(cell);
            out.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 1));
        }
        out.push_str("|\n");
        if number == 0 {
            for width in &widths {
                out.push('|');
                out.extend(std::iter::repeat_n('-', width + 2));
            }
            out.push_str("|\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_judged_by_its_bar() {
        let share = |value| Row::ratio("x", String::new(), String::new(), value, Bar::AtLeast { must: 0.15, aim: 0.25, unit: Unit::Share });
        assert_eq!(share(0.30).verdict(), Verdict::Aim);
        assert_eq!(share(0.20).verdict(), Verdict::Must);
        assert_eq!(share(0.10).verdict(), Verdict::Missed);
        let lost = |value| Row::figure("x", value, Bar::AtMost { must: 0.0, aim: 0.0, unit: Unit::Count });
        assert_eq!(lost(0.0).verdict(), Verdict::Aim);
        assert_eq!(lost(1.0).verdict(), Verdict::Missed);
        assert_eq!(Row::missing("x", "why", Bar::Below { must: 1.0, aim: 1.0, unit: Unit::Ms }).verdict(), Verdict::Unmeasured);
        assert_eq!(Row::figure("x", 1.0, Bar::None).verdict(), Verdict::Open);
    }

    #[test]
    fn numbers_are_grouped() {
        for (value, want) in [(0.0, "0"), (999.0, "999"), (1_000.0, "1,000"), (1_234_567.0, "1,234,567"), (-1_000.0, "-1,000")] {
            assert_eq!(grouped(value), want);
        }
    }
}
