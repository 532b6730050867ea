//! Days and moments as files have them. What could be read in two ways is not read at all.

use super::super::time::{Day, Time, Zone};

/// Why it is no day and no moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoDate {
    Unknown,
    /// `06/07/2026` is June or July; `13-06-26` is of 2026 or of 2013.
    TwoWays,
    /// `13.06.99`: neither 1999 nor 2099 for sure.
    ShortYear,
    /// Before the web: an empty field of some program, or a slip of the pen.
    TooOld,
    /// `10:00 EST`: what stands behind the time is no zone that is known here.
    UnknownZone,
}

impl NoDate {
    pub fn remedy(self) -> &'static str {
        match self {
            NoDate::Unknown => "It is no date. Write it as 2026-06-13, with a time as 2026-06-13 09:20.",
            NoDate::TwoWays => "It can be read in two ways: the month may stand first or second. Write it as 2026-06-13.",
            NoDate::ShortYear => "Its year has two digits and would lie in the future. Write it with four, as 2026-06-13.",
            NoDate::TooOld => "It lies before 1990. Correct it, or leave the row out.",
            NoDate::UnknownZone => {
                "What stands behind the time is no zone that is known here. Write it as 2026-06-13 09:20 +02:00, or leave the zone out."
            }
        }
    }
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Years that one of two digits may lie ahead: planned costs.
const YEARS_AHEAD: i32 = 1;
/// The furthest zones are 14 hours from UTC.
const MOST_HOURS: u32 = 14;

/// A moment; what names no zone is of the site's.
pub fn moment(text: &str, zone: &Zone, now: Time) -> Result<Time, NoDate> {
    let text = text.trim();
    let at = match zone.read(text) {
        Some(at) => at,
        None => {
            let (day, rest) = day_first(text, zone.day(now).year())?;
            zone.read(&format!("{day}T{}", clock(&rest)?)).ok_or(NoDate::Unknown)?
        }
    };
    if at.is_before_the_web() { Err(NoDate::TooOld) } else { Ok(at) }
}

/// A day; of a moment the day in which it lies.
pub fn day(text: &str, zone: &Zone, now: Time) -> Result<Day, NoDate> {
    let text = text.trim();
    match Day::parse(text) {
        Some(day) if zone.start(day).is_before_the_web() => Err(NoDate::TooOld),
        Some(day) => Ok(day),
        None => moment(text, zone, now).map(|at| zone.day(at)),
    }
}

/// The date in front as `2026-06-13`, and what follows.
fn day_first(text: &str, this_year: i32) -> Result<(String, Vec<String>), NoDate> {
    let plain = text.replace(',', " ");
    let words: Vec<&str> = plain.split_whitespace().collect();
    let first = words.first().ok_or(NoDate::Unknown)?;
    let rest = |from: usize| words.iter().skip(from).map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let month = |word: &str| MONTHS.iter().position(|m| word.to_lowercase().starts_with(m)).map(|n| n as u32 + 1);
    let number = |word: &str| word.trim_end_matches('.').parse::<u32>().ok();
    if words.len() >= 3
        && number(words[2]).is_some()
        && let Some((d, m)) = match (number(first), month(first)) {
            (Some(d), _) => month(words[1]).map(|m| (d, m)),
            (None, Some(m)) => number(words[1]).map(|d| (d, m)),
            (None, None) => None,
        }
    {
        return Ok((iso(year(words[2], this_year)?, m, d)?, rest(3)));
    }
    let separator = ['.', '/', '-'].into_iter().find(|c| first.matches(*c).count() == 2).ok_or(NoDate::Unknown)?;
    let parts: Vec<&str> = first.split(separator).collect();
    let numbers: Vec<u32> = parts.iter().map(|p| p.parse().map_err(|_| NoDate::Unknown)).collect::<Result<_, _>>()?;
    let (a, b) = (numbers[0], numbers[1]);
    let (year_at, month, day) = match separator {
        _ if parts[0].len() == 4 => (0, b, numbers[2]),
        // With points the day stands first everywhere.
        '.' => (2, b, a),
        // With dashes the year may stand first, also where it is short.
        '-' if parts[2].len() == 2 => return Err(NoDate::TwoWays),
        _ if a > 12 || a == b => (2, b, a),
        _ if b > 12 => (2, a, b),
        _ => return Err(NoDate::TwoWays),
    };
    Ok((iso(year(parts[year_at], this_year)?, month, day)?, rest(1)))
}

/// Four digits as they stand, two of this century unless that lies ahead. Nothing else is a year.
fn year(digits: &str, this_year: i32) -> Result<u32, NoDate> {
    let digits = digits.trim_end_matches('.');
    let number: u32 = digits.parse().map_err(|_| NoDate::Unknown)?;
    match digits.len() {
        4 if number < 1990 => Err(NoDate::TooOld),
        4 => Ok(number),
        2 if 2000 + number as i32 > this_year + YEARS_AHEAD => Err(NoDate::ShortYear),
        2 => Ok(2000 + number),
        _ => Err(NoDate::Unknown),
    }
}

fn iso(year: u32, month: u32, day: u32) -> Result<String, NoDate> {
    let text = format!("{year:04}-{month:02}-{day:02}");
    Day::parse(&text).map(|_| text).ok_or(NoDate::Unknown)
}

/// `9:20`, `09:20:30`, `9:20 PM`, with a zone behind it, or nothing at all; a word that means none of it is not passed over.
fn clock(words: &[String]) -> Result<String, NoDate> {
    let Some(first) = words.first() else { return Ok("00:00:00".into()) };
    let lower = first.to_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(lower.len());
    let (digits, behind) = lower.split_at(end);
    let mut behind: Vec<String> = Some(behind.to_owned()).filter(|b| !b.is_empty()).into_iter().collect();
    behind.extend(words.iter().skip(1).map(|w| w.to_lowercase()));
    let mut parts = digits.split(':').map(|p| p.parse::<u32>().map_err(|_| NoDate::Unknown));
    let mut next = || parts.next().unwrap_or(Err(NoDate::Unknown));
    let (hour, minute) = (next()?, next()?);
    let second = parts.next().unwrap_or(Ok(0))?;
    let is_over = parts.next().is_none();
    let half = behind.first().filter(|w| *w == "am" || *w == "pm").cloned();
    let zone = match &behind[usize::from(half.is_some())..] {
        [] => String::new(),
        [zone] => offset(zone).ok_or(NoDate::UnknownZone)?,
        _ => return Err(NoDate::UnknownZone),
    };
    let hour = match half.as_deref() {
        Some("pm") if hour < 12 => hour + 12,
        Some("am") if hour == 12 => 0,
        _ => hour,
    };
    let is_time = hour < 24 && minute < 60 && second < 60 && is_over;
    if is_time { Ok(format!("{hour:02}:{minute:02}:{second:02}{zone}")) } else { Err(NoDate::Unknown) }
}

/// `z`, `utc`, `gmt`, `+04:00`, `+0400`, `+4`, `gmt+4`, with or without brackets.
fn offset(word: &str) -> Option<String> {
    let word = word.trim_matches(['(', ')']);
    let rest = ["utc", "gmt", "z"].into_iter().find_map(|name| word.strip_prefix(name)).unwrap_or(word);
    if rest.is_empty() {
        return (rest.len() < word.len()).then(|| "Z".to_owned());
    }
    let sign = rest.chars().next().filter(|c| matches!(c, '+' | '-'))?;
    let digits = &rest[1..];
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some(both), _) => both,
        (None, 1 | 2) => (digits, "00"),
        (None, 4) if digits.is_ascii() => digits.split_at(2),
        _ => return None,
    };
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit()));
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= MOST_HOURS && minutes < 60).then(|| format!("{sign}{hours:02}:{minutes:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_781_342_400;

    fn dubai() -> Zone {
        Zone::parse("Asia/Dubai").expect("a zone")
    }

    fn day(text: &str) -> Result<Day, NoDate> {
        super::day(text, &dubai(), Time::from_s(NOW_S))
    }

    fn moment(text: &str) -> Result<String, NoDate> {
        super::moment(text, &dubai(), Time::from_s(NOW_S)).map(|at| at.utc())
    }

    #[test]
    fn days_in_every_usual_shape() {
        let want = Day::parse("2026-06-13").expect("a day");
        for text in [
            "2026-06-13",
            "20260613",
            "13.06.2026",
            "13.6.2026",
            "13/06/2026",
            "06/13/2026",
            "13-06-2026",
            "Jun 13, 2026",
            "13 June 2026",
            "2026/06/13",
            "13.06.26",
            "13/06/26",
            "6/13/26",
            "13 Jun 26",
        ] {
            assert_eq!(day(text), Ok(want), "{text}");
        }
        assert_eq!(day("06/07/2026"), Err(NoDate::TwoWays));
        assert_eq!(day("07/07/2026").map(|d| d.to_string()), Ok("2026-07-07".into()));
        for bad in ["", "Total", "31.02.2026", "2026-13-01", "yesterday", "--", "13.06.026", "13/06/6", "2026-06-13 Total"] {
            assert!(matches!(day(bad), Err(NoDate::Unknown)), "{bad} {:?}", day(bad));
        }
    }

    /// What cannot be of this century, or was never sold on a day of the web, is refused: never another day in its place.
    #[test]
    fn years_are_taken_as_they_stand_or_not_at_all() {
        for (text, want) in [
            ("01.01.27", Ok("2027-01-01")),
            ("01.01.28", Err(NoDate::ShortYear)),
            ("13.06.99", Err(NoDate::ShortYear)),
            ("13/06/99", Err(NoDate::ShortYear)),
            ("13-06-26", Err(NoDate::TwoWays)),
            ("26-06-13", Err(NoDate::TwoWays)),
            ("1990-01-02", Ok("1990-01-02")),
            ("1989-12-31", Err(NoDate::TooOld)),
            ("31.12.1989", Err(NoDate::TooOld)),
            ("13.06.0026", Err(NoDate::TooOld)),
            ("1970-01-01", Err(NoDate::TooOld)),
            ("1970-01-01T00:00:00Z", Err(NoDate::TooOld)),
            ("100000000", Err(NoDate::TooOld)),
        ] {
            assert_eq!(day(text).map(|d| d.to_string()), want.map(str::to_owned), "{text}");
            assert_eq!(moment(text).err(), want.err(), "{text}");
        }
        for text in ["0001-01-01", "0001-01-01 00:00:00", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00"] {
            assert!(day(text).is_err() && moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_without_a_zone_is_the_sites() {
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
            "2026-06-13 09:20 UTC",
            "2026-06-13 09:20 gmt",
            "2026-06-13 1:20 PM GMT+4",
            "13.06.2026 13:20 (GMT+04:00)",
            "13.06.2026 13:20:00+04:00",
            "13.06.2026 09:20Z",
        ] {
            assert_eq!(moment(text), Ok("2026-06-13T09:20:00Z".into()), "{text}");
        }
        assert_eq!(moment("2026-06-13"), Ok("2026-06-12T20:00:00Z".into()));
        assert_eq!(moment("20260613"), Ok("2026-06-12T20:00:00Z".into()));
        for bad in ["13.06.2026 25:00", "13.06.2026 10", "13.06.2026 10:00:00:00"] {
            assert_eq!(moment(bad), Err(NoDate::Unknown), "{bad}");
        }
        for bad in [
            "2026-06-13 10:00 EST",
            "13.06.2026 10:00 CEST",
            "13/06/2026 1:20 PM PST",
            "13.06.2026 10:00 +15:00",
            "13.06.2026 10:00 o'clock",
        ] {
            assert_eq!(moment(bad), Err(NoDate::UnknownZone), "{bad}");
        }
    }
}
