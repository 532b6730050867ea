//! Which days are asked for, in the site's zone, both ends included.

use super::super::time::{Day, Time, Zone};
use super::Asked;
use crate::error::{Error, Result};

/// No question goes over more.
const MOST_YEARS: i32 = 10;
const MOST_DAYS: i32 = MOST_YEARS * 366;

/// Days with both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    pub from: Day,
    pub to: Day,
}

/// What stands over what when days are compared with earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Weekday,
    Date,
}

/// What days are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    pub days: Days,
    /// Day stands over day. A range of somebody's own that is longer or shorter is compared as the whole that it is.
    pub is_alike: bool,
}

/// Days of which the last may end early: what is not over yet is compared with as many hours of an earlier time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub days: Days,
    /// A moment of the last day.
    pub until: Option<Time>,
}

/// Days of a list, which may go back to the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub from: Option<Day>,
    pub to: Option<Day>,
}

impl Days {
    pub fn count(&self) -> i32 {
        self.to.0 - self.from.0 + 1
    }

    pub fn each(&self) -> impl Iterator<Item = Day> + use<> {
        (self.from.0..=self.to.0).map(Day)
    }

    /// As many days before these: right before them, or so many whole weeks before that Mondays meet Mondays.
    pub fn previous(&self, align: Align) -> Days {
        let weeks = (self.count() + 6) / 7;
        self.plus(if align == Align::Weekday { -7 * weeks } else { -self.count() })
    }

    /// The same days a year ago: by the weeks, of which 364 days are whole ones, or by their dates.
    pub fn year_before(&self, align: Align) -> Days {
        match align {
            Align::Weekday => self.plus(-364),
            Align::Date => Days { from: self.from.plus_years(-1), to: self.to.plus_years(-1) },
        }
    }

    fn plus(&self, days: i32) -> Days {
        Days { from: self.from.plus(days), to: self.to.plus(days) }
    }

    pub fn span(&self) -> Span {
        Span { from: Some(self.from), to: Some(self.to) }
    }
}

impl Period {
    pub fn whole(days: Days) -> Self {
        Self { days, until: None }
    }

    /// The days that these are compared with, as far as these have come themselves.
    pub fn before(days: Days, Compared { days: earlier, is_alike }: Compared, zone: &Zone, now: Time) -> Self {
        let today = zone.day(now);
        if days.to != today || !is_alike {
            return Self::whole(earlier);
        }
        let until = zone.start(earlier.to).plus_ms(now.ms_since(zone.start(today)));
        Self { days: earlier, until: Some(until.min(zone.start(earlier.to.plus(1)))) }
    }

    /// The days that are whole, and the one that is not.
    pub fn parts(&self) -> (Option<Days>, Option<(Day, Time)>) {
        let Some(until) = self.until else { return (Some(self.days), None) };
        let whole = Days { from: self.days.from, to: self.days.to.plus(-1) };
        ((whole.from <= whole.to).then_some(whole), Some((self.days.to, until)))
    }
}

impl Span {
    /// From the first moment of the first day, to before the first moment of the day after the last.
    pub fn times(&self, zone: &Zone) -> (Time, Time) {
        let from = self.from.map_or(Time::from_ms(0), |day| zone.start(day));
        let to = self.to.map_or(Time::from_ms(i64::MAX), |day| zone.start(day.plus(1)));
        (from, to)
    }

    pub fn holds(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

impl<'a> Asked<'a> {
    /// The days of a list: all of them where none are named.
    pub fn span(&self, zone: &Zone, now: Time) -> Result<Span> {
        let (from, to) = (self.day("from")?, self.day("to")?);
        if let Some(from) = from {
            check(from, to.unwrap_or_else(|| zone.day(now)), to.is_some())?;
        }
        Ok(Span { from, to })
    }

    /// The days of a report: the last so many where none are named.
    pub fn days(&self, zone: &Zone, now: Time, default: i32) -> Result<Days> {
        let to = self.day("to")?.unwrap_or_else(|| zone.day(now));
        let from = self.day("from")?.unwrap_or_else(|| to.plus(1 - default));
        check(from, to, self.one("to").is_some())?;
        Ok(Days { from, to })
    }

    /// What the days are compared with: `compare=previous`, `year`, or `custom` with its own first and last day. `align` says
    /// whether weekdays or dates stand over each other; unsaid, a year before goes by weekdays and the time before by dates.
    pub fn compare(&self, days: Days, zone: &Zone, now: Time) -> Result<Option<Compared>> {
        let kind = self.word("compare", &["none", "previous", "year", "custom"])?;
        let align = self.word("align", &["weekday", "date"])?.map(|word| if word == "date" { Align::Date } else { Align::Weekday });
        let alike = |days| Ok(Some(Compared { days, is_alike: true }));
        match kind {
            Some("previous") => alike(days.previous(align.unwrap_or(Align::Date))),
            Some("year") => alike(days.year_before(align.unwrap_or(Align::Weekday))),
            Some("custom") => {
                let (Some(from), Some(to)) = (self.day("compare_from")?, self.day("compare_to")?) else {
                    return Err(Error::parameter(
                        "compare_from",
                        "compare=custom goes with compare_from and compare_to, days like 2026-06-13.",
                    ));
                };
                if from > to || to > zone.day(now) || to.0 - from.0 + 1 > MOST_DAYS {
                    let sentence = format!(
                        "compare_from is a day before or on compare_to, which is over or today, and at most {MOST_YEARS} years earlier."
                    );
                    return Err(Error::parameter("compare_from", sentence));
                }
                let own = Days { from, to };
                Ok(Some(Compared { days: own, is_alike: own.count() == days.count() }))
            }
            _ => Ok(None),
        }
    }

    fn day(&self, name: &str) -> Result<Option<Day>> {
        self.one(name).map(|text| day(name, text)).transpose()
    }

    /// Times from and to in words that are days or times, as the conversions API takes them; a day stands for all of it.
    pub fn times(&self, from: &str, to: &str, zone: &Zone, now: Time, default: i32) -> Result<(Time, Time)> {
        let end = match self.one(to) {
            None => now.plus_ms(1),
            Some(text) => moment(to, text, zone, true)?,
        };
        let start = match self.one(from) {
            None => zone.start(zone.day(end.plus_ms(-1)).plus(-default)),
            Some(text) => moment(from, text, zone, false)?,
        };
        if start >= end {
            return Err(Error::parameter(from, format!("{from} lies after {to}. Give the earlier one first.")));
        }
        if end.ms_since(start) / super::super::time::DAY_MS > i64::from(MOST_DAYS) {
            return Err(Error::parameter(
                from,
                format!("At most {MOST_DAYS} days, some {MOST_YEARS} years, can be asked at once: from {from} to {to}."),
            ));
        }
        Ok((start, end))
    }
}

/// A day as it stands in a parameter.
pub fn day(name: &str, text: &str) -> Result<Day> {
    // Before 1970 nothing can have happened here; far ahead of now only by mistake.
    Day::parse(text)
        .filter(|d| (0..=200_000).contains(&d.0))
        .ok_or_else(|| Error::parameter(name, format!("{name} is a day like 2026-06-13.")))
}

/// The first moment that is asked for, or the first that is no more.
fn moment(name: &str, text: &str, zone: &Zone, is_end: bool) -> Result<Time> {
    if let Some(day) = Day::parse(text) {
        return Ok(zone.start(if is_end { day.plus(1) } else { day }));
    }
    // A plus sign that nobody escaped arrives as a space.
    let at = Time::parse(text).or_else(|| Time::parse(&text.replacen(' ', "+", 1)));
    at.map(|t| if is_end { t.plus_ms(1) } else { t })
        .ok_or_else(|| Error::parameter(name, format!("{name} is a day like 2026-06-13 or a time like 2026-06-13T09:20:00Z.")))
}

fn check(from: Day, to: Day, is_to_named: bool) -> Result<()> {
    if from > to {
        let sentence = match is_to_named {
            true => "from lies after to. Give the earlier day first, both like 2026-06-13.",
            false => "from lies in the future. Give a day like 2026-06-13, or name to as well.",
        };
        return Err(Error::parameter("from", sentence));
    }
    if to.0 - from.0 + 1 > MOST_DAYS {
        return Err(Error::parameter("from", format!("At most {MOST_YEARS} years can be asked at once, from and to like 2026-06-13.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &str) -> Vec<(String, String)> {
        query.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    fn now() -> Time {
        Time::parse("2026-06-13T21:00:00Z").expect("a time")
    }

    #[test]
    fn days_are_the_sites_own() {
        let dubai = Zone::parse("Asia/Dubai").expect("a zone");
        let days = Asked(&[]).days(&dubai, now(), 30).expect("days");
        assert_eq!((days.from.to_string(), days.to.to_string(), days.count()), ("2026-05-16".into(), "2026-06-14".into(), 30));
        assert_eq!(days.previous(Align::Date).to, days.from.plus(-1));
        assert_eq!(days.previous(Align::Date).count(), 30);
        let (start, end) = days.span().times(&dubai);
        assert_eq!((start.utc(), end.utc()), ("2026-05-15T20:00:00Z".into(), "2026-06-14T20:00:00Z".into()));
        assert_eq!(Asked(&[]).span(&dubai, now()).expect("all"), Span::default());
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for query in [
            "from=2026-13-40",
            "from=2026-02-02&to=2026-01-01",
            "from=1970-01-01&to=2026-01-01",
            "from=2027-01-01",
            "from=9999-12-31",
            "from=yesterday",
            "from=2026-1-1",
            "from=2026-06-13'--",
        ] {
            for answer in
                [Asked(&pairs(query)).days(&Zone::utc(), now(), 30).map(|_| ()), Asked(&pairs(query)).span(&Zone::utc(), now()).map(|_| ())]
            {
                let e = answer.expect_err(query);
                assert_eq!((e.code, e.field.as_deref()), ("invalid_parameter", Some("from")), "{query}");
                assert!(e.message.contains("2026-06-13"), "{query}: {}", e.message);
            }
        }
        let e = Asked(&pairs("to=x")).span(&Zone::utc(), now()).expect_err("refused");
        assert_eq!(e.field.as_deref(), Some("to"));
    }

    #[test]
    fn days_are_compared_by_weekday_or_by_date() {
        let day = |text: &str| Day::parse(text).expect("a day");
        let compared = |query: &str, from: &str, to: &str| {
            let days = Days { from: day(from), to: day(to) };
            let compared = Asked(&pairs(query)).compare(days, &Zone::utc(), now()).expect(query).expect("some");
            (compared.days.from.to_string(), compared.days.to.to_string(), compared.is_alike)
        };
        for (query, from, to, want) in [
            ("compare=previous", "2026-06-01", "2026-06-13", ("2026-05-19", "2026-05-31", true)),
            ("compare=previous&align=weekday", "2026-06-01", "2026-06-13", ("2026-05-18", "2026-05-30", true)),
            ("compare=previous&align=weekday", "2026-06-13", "2026-06-13", ("2026-06-06", "2026-06-06", true)),
            ("compare=year", "2026-06-01", "2026-06-13", ("2025-06-02", "2025-06-14", true)),
            ("compare=year&align=date", "2026-06-01", "2026-06-13", ("2025-06-01", "2025-06-13", true)),
            // No 29 February the year before.
            ("compare=year&align=date", "2024-02-20", "2024-02-29", ("2023-02-20", "2023-02-28", true)),
            (
                "compare=custom&compare_from=2026-01-01&compare_to=2026-01-13",
                "2026-06-01",
                "2026-06-13",
                ("2026-01-01", "2026-01-13", true),
            ),
            (
                "compare=custom&compare_from=2026-01-01&compare_to=2026-01-31",
                "2026-06-01",
                "2026-06-13",
                ("2026-01-01", "2026-01-31", false),
            ),
        ] {
            let (from, to, is_alike) = compared(query, from, to);
            assert_eq!((from.as_str(), to.as_str(), is_alike), want, "{query}");
        }
        let days = Days { from: day("2026-06-01"), to: day("2026-06-13") };
        for (query, field) in [
            ("compare=custom", "compare_from"),
            ("compare=custom&compare_from=2026-01-01", "compare_from"),
            ("compare=custom&compare_from=2026-02-01&compare_to=2026-01-01", "compare_from"),
            ("compare=custom&compare_from=2026-06-01&compare_to=2026-06-30", "compare_from"),
            ("compare=custom&compare_from=1980-06-01&compare_to=2026-06-01", "compare_from"),
            ("compare=custom&compare_from=x&compare_to=2026-06-01", "compare_from"),
            ("compare=before", "compare"),
            ("compare=year&align=month", "align"),
        ] {
            let e = Asked(&pairs(query)).compare(days, &Zone::utc(), now()).expect_err(query);
            assert_eq!((e.code, e.field.as_deref()), ("invalid_parameter", Some(field)), "{query}");
        }
        assert_eq!(Asked(&[]).compare(days, &Zone::utc(), now()).expect("nothing"), None);
    }

    #[test]
    fn only_as_many_days_are_compared_hour_by_hour() {
        let now = now();
        let today = Zone::utc().day(now);
        let days = Days { from: today.plus(-2), to: today };
        let earlier = Days { from: today.plus(-12), to: today.plus(-10) };
        let until = |is_alike| Period::before(days, Compared { days: earlier, is_alike }, &Zone::utc(), now).until;
        assert_eq!(until(true), Some(Zone::utc().start(earlier.to).plus_ms(now.ms_since(Zone::utc().start(today)))));
        assert_eq!(until(false), None);
        let over = Days { from: today.plus(-3), to: today.plus(-1) };
        assert_eq!(Period::before(over, Compared { days: earlier, is_alike: true }, &Zone::utc(), now).until, None);
    }

    #[test]
    fn the_conversions_api_takes_days_and_times() {
        let ask = |query: &str| Asked(&pairs(query)).times("date_from", "date_to", &Zone::utc(), now(), 30).map(|(a, b)| (a.utc(), b.ms()));
        let (from, to) = ask("").expect("thirty days");
        assert_eq!((from.as_str(), to), ("2026-05-14T00:00:00Z", now().ms() + 1));
        let (from, _) = ask("date_from=2026-06-01T10:00:00 02:00").expect("a lost plus sign");
        assert_eq!(from, "2026-06-01T08:00:00Z");
        let (_, to) = ask("date_from=2026-06-01&date_to=2026-06-01").expect("one day");
        assert_eq!(to, Time::parse("2026-06-02").expect("a day").ms());
        assert!(ask("date_from=2026-06-02&date_to=2026-06-01").is_err());
        assert!(ask("date_from=nope").is_err());
    }
}
