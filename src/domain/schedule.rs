//! When something is due again: every so many hours, or in five fields of cron by the clocks of a zone. The clock is
//! passed in, also one that was set: what was planned is judged against it here.

use super::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time, Zone};

use cron::Cron;

/// Five fields.
mod cron;

/// Further ahead than this nothing is planned: 29 February may be eight years away, a day that never comes ends here.
const FURTHEST_DAYS: i64 = 8 * 366;
/// No schedule asks a platform more often.
const LEAST_PAUSE_MS: i64 = 5 * MINUTE_MS;
/// Times of a schedule that are looked at to learn how often it comes.
const LOOKED_AT: usize = 100;
/// Most hours between two readings: a week.
const MOST_HOURS: i64 = 168;
/// Nobody is told of less.
const LEAST_LATE_MS: i64 = 10 * MINUTE_MS;
/// Longest that a talk under way waits for its platform; what is planned further ahead was planned by another clock.
pub const LONGEST_WAIT_MS: i64 = DAY_MS;

#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    beat: Beat,
    zone: Zone,
}

#[derive(Debug, Clone, PartialEq)]
enum Beat {
    /// So long after the one before.
    Every(i64),
    Cron(Cron),
}

impl Schedule {
    /// So long after each reading the next one.
    pub fn every_ms(ms: i64) -> Self {
        Self { beat: Beat::Every(ms.max(LEAST_PAUSE_MS)), zone: Zone::utc() }
    }

    /// `every 6 hours`, or five fields of cron. What cannot be taken is said in a sentence with its remedy.
    pub fn parse(text: &str, zone: Zone) -> Result<Self, String> {
        if let Some(hours) = hours_of(text) {
            let hours = hours.filter(|h| (1..=MOST_HOURS).contains(h));
            let hours = hours.ok_or_else(|| format!("It is read every 1 to {MOST_HOURS} hours: write it like every 6 hours."))?;
            return Ok(Self { beat: Beat::Every(hours * HOUR_MS), zone });
        }
        let schedule = Self { beat: Beat::Cron(Cron::parse(text)?), zone };
        let times: Vec<Time> = schedule.times_after(Time::from_ms(0)).take(LOOKED_AT).collect();
        if times.is_empty() {
            return Err("No such day ever comes: look at the day of the month and the month.".into());
        }
        if times.windows(2).any(|two| two[1].ms_since(two[0]) < LEAST_PAUSE_MS) {
            return Err("It would ask more often than once in 5 minutes. Every 15 minutes is */15 * * * *.".into());
        }
        Ok(schedule)
    }

    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether it goes by clocks on a wall, so that its zone matters.
    pub fn goes_by_clocks(&self) -> bool {
        matches!(self.beat, Beat::Cron(_))
    }

    /// The first moment after `now` that fits. A time that clocks skip is the moment in which they skip it, one that they
    /// show twice is the first of both: each comes once.
    pub fn next_after(&self, now: Time) -> Option<Time> {
        let cron = match &self.beat {
            Beat::Every(ms) => return Some(now.plus_ms(*ms)),
            Beat::Cron(cron) => cron,
        };
        let from = self.zone.wall_ms(now);
        let first = from.div_euclid(DAY_MS);
        for day in first..first + FURTHEST_DAYS {
            if !cron.has_day(day) {
                continue;
            }
            let mut minute = if day == first { from.rem_euclid(DAY_MS) / MINUTE_MS } else { 0 };
            while let Some(found) = cron.minute_from(minute) {
                let at = self.zone.at_wall(day * DAY_MS + found * MINUTE_MS);
                if at > now {
                    return Some(at);
                }
                minute = found + 1;
            }
        }
        None
    }

    /// One after the other.
    pub fn times_after(&self, now: Time) -> impl Iterator<Item = Time> {
        std::iter::successors(self.next_after(now), |at| self.next_after(*at))
    }

    /// From one time to the next, as it is after this moment.
    pub fn gap_ms(&self, now: Time) -> i64 {
        let mut times = self.times_after(now);
        match (times.next(), times.next()) {
            (Some(one), Some(next)) => next.ms_since(one),
            _ => FURTHEST_DAYS * DAY_MS,
        }
    }

    /// What was due then should have been done a whole interval ago: nothing was heard of it for two.
    pub fn is_late(&self, due_at: Time, now: Time) -> bool {
        let late_ms = now.ms_since(due_at);
        late_ms > LEAST_LATE_MS && late_ms > self.gap_ms(due_at)
    }

    /// What was planned by a clock that has been set back since. A plan that this schedule could have made now stays: an
    /// hour that comes again brings nothing twice. One that lies further ahead is made anew.
    pub fn after_setback(&self, due_at: Time, now: Time) -> Time {
        let mut times = self.times_after(now);
        match (times.next(), times.next()) {
            (Some(_), Some(second)) if due_at <= second => due_at,
            (Some(first), _) => first.min(due_at),
            (None, _) => due_at,
        }
    }
}

/// The number in `every 6 hours`, where it is said in this way.
fn hours_of(text: &str) -> Option<Option<i64>> {
    let mut words = text.split_whitespace();
    if !words.next()?.eq_ignore_ascii_case("every") {
        return None;
    }
    let rest: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    Some(match rest.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["hour"] => Some(1),
        ["day"] => Some(24),
        ["week"] => Some(168),
        [number, "hour" | "hours"] => number.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(text).expect("a time")
    }

    fn of(text: &str, zone: &str) -> Schedule {
        Schedule::parse(text, Zone::parse(zone).expect("a zone")).expect("a schedule")
    }

    #[test]
    fn the_next_time_of_a_schedule() {
        let rows: &[(&str, &str, &str, &str)] = &[
            ("*/15 * * * *", "UTC", "2026-06-13T09:20:31Z", "2026-06-13T09:30:00Z"),
            ("30 9 * * *", "UTC", "2026-06-13T09:30:00Z", "2026-06-14T09:30:00Z"),
            ("30 9 * * *", "UTC", "2026-06-13T09:29:59Z", "2026-06-13T09:30:00Z"),
            ("0 6 1 * *", "UTC", "2026-06-13T09:20:00Z", "2026-07-01T06:00:00Z"),
            // 13 June 2026 is a Saturday.
            ("0 6 * * 1-5", "UTC", "2026-06-13T09:20:00Z", "2026-06-15T06:00:00Z"),
            ("0 6 * * 7", "UTC", "2026-06-13T09:20:00Z", "2026-06-14T06:00:00Z"),
            ("0 0 20 * 0", "UTC", "2026-06-13T09:20:00Z", "2026-06-14T00:00:00Z"),
            ("5,10 0 29 2 *", "UTC", "2026-06-13T09:20:00Z", "2028-02-29T00:05:00Z"),
            ("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
            // By the clocks of the shop: an hour earlier in summer.
            ("30 18 * * *", "Europe/Prague", "2026-06-13T09:20:00Z", "2026-06-13T16:30:00Z"),
            ("30 18 * * *", "Europe/Prague", "2026-12-13T09:20:00Z", "2026-12-13T17:30:00Z"),
            // Its day is not that of UTC.
            ("0 1 * * 1", "Asia/Dubai", "2026-06-13T09:20:00Z", "2026-06-14T21:00:00Z"),
            ("every 6 hours", "UTC", "2026-06-13T09:20:31Z", "2026-06-13T15:20:31Z"),
            ("every hour", "UTC", "2026-06-13T09:20:00Z", "2026-06-13T10:20:00Z"),
        ];
        for (text, zone, now, want) in rows {
            assert_eq!(of(text, zone).next_after(at(now)).map(|t| t.utc()).as_deref(), Some(*want), "{text} {zone} {now}");
        }
    }

    #[test]
    fn both_nights_of_a_clock_change() {
        let rows: &[(&str, &str, &str, &[&str])] = &[
            // In Prague 02:00 to 03:00 is skipped on 29 March, and comes twice on 25 October.
            (
                "30 2 * * *",
                "Europe/Prague",
                "2026-03-28T00:00:00Z",
                &["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
            ),
            (
                "30 2 * * *",
                "Europe/Prague",
                "2026-10-24T00:00:00Z",
                &["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
            ),
            (
                "*/30 * * * *",
                "Europe/Prague",
                "2026-03-29T00:29:00Z",
                &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
            ),
            // What is left of an hour that comes again is over already.
            ("30 2 * * *", "Europe/Prague", "2026-10-25T01:10:00Z", &["2026-10-26T01:30:00Z"]),
            (
                "0 * * * *",
                "Europe/Prague",
                "2026-10-24T23:30:00Z",
                &["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"],
            ),
            // New York, Sunday 8 March: 02:15 is skipped.
            ("15 2 * * 0", "America/New_York", "2026-03-07T12:00:00Z", &["2026-03-08T07:00:00Z", "2026-03-15T06:15:00Z"]),
            // Lord Howe moves by half an hour.
            ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", &["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]),
            // Santiago skips midnight itself, on 6 September.
            ("0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", &["2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"]),
        ];
        for (text, zone, now, want) in rows {
            let got: Vec<String> = of(text, zone).times_after(at(now)).take(want.len()).map(|t| t.utc()).collect();
            assert_eq!(got, *want, "{text} {zone} {now}");
        }
    }

    #[test]
    fn what_cannot_be_taken_is_said_with_its_remedy() {
        for (text, want) in [
            ("0 0 30 2 *", "No such day"),
            ("*/4 * * * *", "more often"),
            ("58,0 * * * *", "more often"),
            ("every 0 hours", "1 to 168"),
            ("every 169 hours", "1 to 168"),
            ("every few hours", "1 to 168"),
            ("daily", "five fields"),
        ] {
            let said = Schedule::parse(text, Zone::utc()).expect_err(text);
            assert!(said.contains(want), "{text}: {said}");
        }
        for good in ["*/5 * * * *", "every 168 hours", "Every Day", "every  2   hours"] {
            assert!(Schedule::parse(good, Zone::utc()).is_ok(), "{good}");
        }
    }

    #[test]
    fn late_is_what_was_not_heard_of_for_two_intervals() {
        let daily = of("30 18 * * *", "UTC");
        let due = at("2026-06-13T18:30:00Z");
        for (now, want) in [("2026-06-13T18:30:00Z", false), ("2026-06-14T18:30:00Z", false), ("2026-06-14T18:30:01Z", true)] {
            assert_eq!(daily.is_late(due, at(now)), want, "{now}");
        }
        let often = of("*/5 * * * *", "UTC");
        assert!(!often.is_late(due, at("2026-06-13T18:40:00Z")), "some minutes are nothing");
        assert!(often.is_late(due, at("2026-06-13T18:40:01Z")));
    }

    #[test]
    fn a_clock_that_is_set_back_neither_doubles_nor_loses() {
        let rows: &[(&str, &str, &str, &str)] = &[
            // Read at 18:30, planned for tomorrow; the clock says an hour less: today's is not done again.
            ("30 18 * * *", "2026-06-14T18:30:00Z", "2026-06-13T17:31:00Z", "2026-06-14T18:30:00Z"),
            ("0 * * * *", "2026-06-13T13:00:00Z", "2026-06-13T11:30:00Z", "2026-06-13T13:00:00Z"),
            // Ten years, or forty days: what was planned would not come any more.
            ("30 18 * * *", "2026-06-14T18:30:00Z", "2016-06-13T17:31:00Z", "2016-06-13T18:30:00Z"),
            ("30 18 * * *", "2026-07-24T18:30:00Z", "2026-06-13T19:00:00Z", "2026-06-14T18:30:00Z"),
            ("every 6 hours", "2026-07-24T18:30:00Z", "2026-06-13T19:00:00Z", "2026-06-14T01:00:00Z"),
            ("every 6 hours", "2026-06-14T05:00:00Z", "2026-06-13T22:00:00Z", "2026-06-14T05:00:00Z"),
        ];
        for (text, due, now, want) in rows {
            assert_eq!(of(text, "UTC").after_setback(at(due), at(now)).utc(), *want, "{text} {due} {now}");
        }
    }

    /// Zones with a change of an hour, of half an hour, at midnight, and with none.
    const ZONES: [&str; 5] = ["UTC", "Europe/Prague", "America/New_York", "Australia/Lord_Howe", "America/Santiago"];

    proptest! {
        /// From 2020 to 2039: later, in order, at a full minute, and of one day and minute of the wall once.
        #[test]
        fn times_come_in_order_and_once(
            start_s in 1_577_836_800_i64..2_208_988_800, zone in 0_usize..5, minute in 0_u32..60, hour in 0_u32..24,
        ) {
            let schedule = of(&format!("{minute} {hour} * * *"), ZONES[zone]);
            let start = Time::from_s(start_s);
            let times: Vec<Time> = schedule.times_after(start).take(400).collect();
            prop_assert_eq!(times.len(), 400);
            let mut before = start;
            let mut day = None;
            for at in times {
                prop_assert!(at > before);
                prop_assert_eq!(at.ms() % MINUTE_MS, 0);
                let today = schedule.zone().day(at);
                prop_assert!(day.is_none_or(|d: crate::domain::time::Day| today == d.plus(1)), "{} after {:?}", at, day);
                (before, day) = (at, Some(today));
            }
        }

        /// Asked at any moment before it, the next time is the same.
        #[test]
        fn it_matters_not_when_one_asks(start_s in 1_577_836_800_i64..2_208_988_800, zone in 0_usize..5, part in 0_i64..1_000) {
            let schedule = of("*/20 1-3 * * *", ZONES[zone]);
            let start = Time::from_s(start_s);
            let next = schedule.next_after(start).expect("it comes");
            let between = start.plus_ms((next.ms_since(start) - 1) * part / 1_000);
            prop_assert_eq!(schedule.next_after(between), Some(next));
        }
    }
}
