//! Days and moments as files have them. What could be read in two ways is not read at all.

use super::super::time::{Day, Time, Zone};

/// Why it is no day and no moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoDate {
    Unknown,
    /// `06/07/2026` is June or July.
    TwoWays,
}

impl NoDate {
    pub fn remedy(self) -> &'static str {
        match self {
            NoDate::Unknown => "It is no date. Write it as 2026-06-13, with a time as 2026-06-13 09:20.",
            NoDate::TwoWays => "It can be read in two ways: the month may stand first or second. Write it as 2026-06-13.",
        }
    }
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A moment; what names no zone is of the site's.
pub fn moment(text: &str, zone: &Zone) -> Result<Time, NoDate> {
    let text = text.trim();
    if let Some(at) = zone.read(text) {
        return Ok(at);
    }
    let (day, rest) = day_first(text)?;
    let clock = clock(&rest).ok_or(NoDate::Unknown)?;
    zone.read(&format!("{day}T{clock}")).ok_or(NoDate::Unknown)
}

/// A day; of a moment the day in which it lies.
pub fn day(text: &str, zone: &Zone) -> Result<Day, NoDate> {
    let text = text.trim();
    if let Some(day) = Day::parse(text) {
        return Ok(day);
    }
    moment(text, zone).map(|at| zone.day(at))
}

/// The date in front as `2026-06-13`, and what follows.
fn day_first(text: &str) -> Result<(String, Vec<String>), NoDate> {
    let plain = text.replace(',', " ");
    let words: Vec<&str> = plain.split_whitespace().collect();
    let first = words.first().ok_or(NoDate::Unknown)?;
    let rest = |from: usize| words.iter().skip(from).map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let month = |word: &str| MONTHS.iter().position(|m| word.to_lowercase().starts_with(m)).map(|n| n as u32 + 1);
    let number = |word: &str| word.trim_end_matches('.').parse::<u32>().ok();
    if words.len() >= 3
        && let (Some(year), Some((d, m))) = (
            number(words[2]),
            match (number(first), month(first)) {
                (Some(d), _) => month(words[1]).map(|m| (d, m)),
                (None, Some(m)) => number(words[1]).map(|d| (d, m)),
                (None, None) => None,
            },
        )
    {
        return Ok((iso(year, m, d)?, rest(3)));
    }
    let separator = ['.', '/', '-'].into_iter().find(|c| first.matches(*c).count() == 2).ok_or(NoDate::Unknown)?;
    let parts: Vec<u32> = first.split(separator).map(|p| p.parse().map_err(|_| NoDate::Unknown)).collect::<Result<_, _>>()?;
    let (a, b, c) = (parts[0], parts[1], parts[2]);
    let (year, month, day) = match separator {
        _ if a > 999 => (a, b, c),
        // With points the day stands first everywhere.
        '.' => (c, b, a),
        _ if a > 12 || a == b => (c, b, a),
        _ if b > 12 => (c, a, b),
        _ => return Err(NoDate::TwoWays),
    };
    Ok((iso(year, month, day)?, rest(1)))
}

fn iso(year: u32, month: u32, day: u32) -> Result<String, NoDate> {
    let text = format!("{year:04}-{month:02}-{day:02}");
    Day::parse(&text).map(|_| text).ok_or(NoDate::Unknown)
}

/// `9:20`, `09:20:30`, `9:20 PM`, with a zone behind it or nothing at all.
fn clock(words: &[String]) -> Option<String> {
    let Some(first) = words.first() else { return Some("00:00:00".into()) };
    let lower = first.to_lowercase();
    let half = ["am", "pm"].into_iter().find(|h| lower.ends_with(h) || words.get(1).is_some_and(|w| w.eq_ignore_ascii_case(h)));
    let digits = lower.trim_end_matches("am").trim_end_matches("pm").trim();
    let mut parts = digits.split(':').map(|p| p.parse::<u32>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let hour = match half {
        Some("pm") if hour < 12 => hour + 12,
        Some("am") if hour == 12 => 0,
        _ => hour,
    };
    let zone = words.last().filter(|w| w.starts_with(['+', '-']) || *w == "UTC" || *w == "GMT").map_or("", String::as_str);
    let zone = if matches!(zone, "UTC" | "GMT") { "Z" } else { zone };
    (hour < 24 && minute < 60 && second < 60).then(|| format!("{hour:02}:{minute:02}:{second:02}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_every_usual_shape() {
        let dubai = Zone::parse("Asia/Dubai").expect("a zone");
        let want = Day::parse("2026-06-13").expect("a day");
        for text in [
            "2026-06-13",
            "13.06.2026",
            "13.6.2026",
            "13/06/2026",
            "06/13/2026",
            "13-06-2026",
            "Jun 13, 2026",
            "13 June 2026",
            "2026/06/13",
        ] {
            assert_eq!(day(text, &dubai), Ok(want), "{text}");
        }
        assert_eq!(day("06/07/2026", &dubai), Err(NoDate::TwoWays));
        assert_eq!(day("07/07/2026", &dubai).map(|d| d.to_string()), Ok("2026-07-07".into()));
        for bad in ["", "Total", "31.02.2026", "2026-13-01", "yesterday", "--"] {
            assert_eq!(day(bad, &dubai), Err(NoDate::Unknown), "{bad}");
        }
    }

    #[test]
    fn a_moment_without_a_zone_is_the_sites() {
        let dubai = Zone::parse("Asia/Dubai").expect("a zone");
        for text in [
            "2026-06-13T09:20:00Z",
            "2026-06-13T13:20:00+04:00",
            "2026-06-13 13:20:00",
            "2026-06-13T13:20",
            "2026-06-13 13:20:00 +0400",
            "13.06.2026 13:20",
            "Jun 13, 2026 1:20 PM",
            "13/06/2026 1:20pm",
            "1781342400",
        ] {
            assert_eq!(moment(text, &dubai).map(|at| at.utc()), Ok("2026-06-13T09:20:00Z".into()), "{text}");
        }
        assert_eq!(moment("2026-06-13", &dubai).map(|at| at.utc()), Ok("2026-06-12T20:00:00Z".into()));
        assert_eq!(moment("13.06.2026 25:00", &dubai), Err(NoDate::Unknown));
    }
}
