//! A schedule in five fields of cron: minute, hour, day of the month, month, day of the week, in UTC.

use super::time::{DAY_MS, MINUTE_MS, Time};

/// Further ahead than this nothing is planned: a schedule that names no day that exists ends here.
const FURTHEST_DAYS: i64 = 4 * 366;

/// What may be in each field, as bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Both days are named: then either is enough, as in every cron.
    is_either_day: bool,
}

impl Schedule {
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        let mut on_weekdays = bits(weekdays, 0, 7)?;
        // Both 0 and 7 are Sunday.
        if on_weekdays & (1 << 7) != 0 {
            on_weekdays = (on_weekdays | 1) & !(1 << 7);
        }
        Some(Self {
            minutes: bits(minutes, 0, 59)?,
            hours: bits(hours, 0, 23)?,
            days: bits(days, 1, 31)?,
            months: bits(months, 1, 12)?,
            weekdays: on_weekdays,
            is_either_day: *days != "*" && *weekdays != "*",
        })
    }

    /// The first minute after `now` that fits.
    pub fn next_after(&self, now: Time) -> Option<Time> {
        let first = now.ms() - now.ms().rem_euclid(MINUTE_MS) + MINUTE_MS;
        let mut at = first;
        while at < first + FURTHEST_DAYS * DAY_MS {
            let (day, minute) = (at.div_euclid(DAY_MS), at.rem_euclid(DAY_MS) / MINUTE_MS);
            if !self.has_day(day) {
                at = (day + 1) * DAY_MS;
                continue;
            }
            if has(self.hours, minute / 60) && has(self.minutes, minute % 60) {
                return Some(Time::from_ms(at));
            }
            at += MINUTE_MS;
        }
        None
    }

    /// `day` counts from 1 January 1970, a Thursday.
    fn has_day(&self, day: i64) -> bool {
        let (month, of_month) = date(day);
        let by_month = has(self.days, of_month);
        let by_week = has(self.weekdays, (day + 4).rem_euclid(7));
        has(self.months, month) && if self.is_either_day { by_month || by_week } else { by_month && by_week }
    }
}

fn has(bits: u64, value: i64) -> bool {
    bits & (1 << value) != 0
}

/// `*`, `*/15`, `3`, `1-5`, `1-20/5`, and several of them with commas.
fn bits(field: &str, least: u64, most: u64) -> Option<u64> {
    let mut bits = 0;
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u64>().ok().filter(|s| (1..=most).contains(s))?),
            None => (part, 1),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (least, most),
            (_, Some((from, to))) => (from.parse().ok()?, to.parse().ok()?),
            (one, None) => {
                let one = one.parse().ok()?;
                (one, if part.contains('/') { most } else { one })
            }
        };
        if from < least || to > most || from > to {
            return None;
        }
        bits |= (from..=to).step_by(step as usize).fold(0, |all, n| all | 1 << n);
    }
    Some(bits)
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
    fn the_next_time_of_a_schedule() {
        let rows: &[(&str, &str, Option<&str>)] = &[
            ("*/15 * * * *", "2026-06-13T09:20:31Z", Some("2026-06-13T09:30:00Z")),
            ("30 9 * * *", "2026-06-13T09:30:00Z", Some("2026-06-14T09:30:00Z")),
            ("0 6 1 * *", "2026-06-13T09:20:00Z", Some("2026-07-01T06:00:00Z")),
            // 13 June 2026 is a Saturday.
            ("0 6 * * 1-5", "2026-06-13T09:20:00Z", Some("2026-06-15T06:00:00Z")),
            ("0 6 * * 7", "2026-06-13T09:20:00Z", Some("2026-06-14T06:00:00Z")),
            ("0 0 20 * 0", "2026-06-13T09:20:00Z", Some("2026-06-14T00:00:00Z")),
            ("5,10 0 29 2 *", "2026-06-13T09:20:00Z", Some("2028-02-29T00:05:00Z")),
            ("0 0 31 2 *", "2026-06-13T09:20:00Z", None),
        ];
        for (text, now, want) in rows {
            let schedule = Schedule::parse(text).expect("five fields");
            let now = Time::parse(now).expect("a time");
            assert_eq!(schedule.next_after(now).map(|t| t.utc()).as_deref(), *want, "{text}");
        }
        for bad in ["", "* * * *", "60 * * * *", "* * 0 * *", "*/0 * * * *", "5-1 * * * *", "a * * * *", "* * * * * *"] {
            assert_eq!(Schedule::parse(bad), None, "{bad}");
        }
    }
}
