//! Five fields of cron: minute, hour, day of the month, month, day of the week.

use super::super::time::{DAY_MS, MINUTE_MS};

/// What each field may hold, and what it is called towards the owner.
const FIELDS: [(&str, u64, u64); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7)];

/// What may be in each field, as bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Both days are named: then either is enough, as in every cron.
    is_either_day: bool,
}

impl Cron {
    /// A sentence says which field cannot be read, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(format!(
                "A schedule in cron has five fields with spaces between: minute, hour, day of the month, month, day of the week. Here are {}. \
                 Every day at 18:30 is 30 18 * * *.",
                fields.len()
            ));
        };
        let mut on_weekdays = bits(weekdays, 4)?;
        // Both 0 and 7 are Sunday.
        if on_weekdays & (1 << 7) != 0 {
            on_weekdays = (on_weekdays | 1) & !(1 << 7);
        }
        Ok(Self {
            minutes: bits(minutes, 0)?,
            hours: bits(hours, 1)?,
            days: bits(days, 2)?,
            months: bits(months, 3)?,
            weekdays: on_weekdays,
            is_either_day: *days != "*" && *weekdays != "*",
        })
    }

    /// `day` counts from 1 January 1970, a Thursday.
    pub fn has_day(&self, day: i64) -> bool {
        let (month, of_month) = date(day);
        let by_month = has(self.days, of_month);
        let by_week = has(self.weekdays, (day + 4).rem_euclid(7));
        has(self.months, month) && if self.is_either_day { by_month || by_week } else { by_month && by_week }
    }

    /// The first minute of a day from this one on, both counted from its midnight.
    pub fn minute_from(&self, minute: i64) -> Option<i64> {
        let mut minute = minute;
        while minute < DAY_MS / MINUTE_MS {
            if !has(self.hours, minute / 60) {
                minute = (minute / 60 + 1) * 60;
            } else if has(self.minutes, minute % 60) {
                return Some(minute);
            } else {
                minute += 1;
            }
        }
        None
    }
}

fn has(bits: u64, value: i64) -> bool {
    bits & (1 << value) != 0
}

/// `*`, `*/15`, `3`, `1-5`, `1-20/5`, and several of them with commas.
fn bits(field: &str, place: usize) -> Result<u64, String> {
    let (name, least, most) = FIELDS[place];
    let wrong = |part: &str| {
        format!(
            "The {name} of a schedule is from {least} to {most}, such as {least}, */5, {least}-{most} or {least},{most}; {part:?} is none of these."
        )
    };
    let mut bits = 0;
    for part in field.split(',') {
        let number = |text: &str| text.parse::<u64>().ok();
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step).filter(|s| (1..=most).contains(s)).ok_or_else(|| wrong(part))?),
            None => (part, 1),
        };
        let bounds = match (range, range.split_once('-')) {
            ("*", _) => Some((least, most)),
            (_, Some((from, to))) => number(from).zip(number(to)),
            (one, None) => number(one).map(|one| (one, if part.contains('/') { most } else { one })),
        };
        let (from, to) = bounds.filter(|(from, to)| *from >= least && *to <= most && from <= to).ok_or_else(|| wrong(part))?;
        bits |= (from..=to).step_by(step as usize).fold(0, |all, n| all | 1 << n);
    }
    Ok(bits)
}

/// Month and day of the month (Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days).
fn date(day: i64) -> (i64, i64) {
    let z = day + 719_468;
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    (if shifted < 10 { shifted + 3 } else { shifted - 9 }, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, want) in [
            ("", "five fields"),
            ("* * * *", "Here are 4"),
            ("* * * * * *", "Here are 6"),
            ("60 * * * *", "The minute"),
            ("* 24 * * *", "The hour"),
            ("* * 0 * *", "The day of the month"),
            ("* * * 13 *", "The month"),
            ("* * * * 8", "The day of the week"),
            ("*/0 * * * *", "\"*/0\""),
            ("1,5-1 * * * *", "\"5-1\""),
            ("a * * * *", "\"a\""),
            ("-1 * * * *", "\"-1\""),
            ("1-2-3 * * * *", "\"1-2-3\""),
        ] {
            let said = Cron::parse(text).expect_err(text);
            assert!(said.contains(want), "{text}: {said}");
        }
    }
}
