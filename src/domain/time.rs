//! Points of time, days of a zone, and how both are written. The clock is read elsewhere and passed in.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// UTC milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// Year 9999, beyond which times cannot be written as RFC 3339.
const LATEST_MS: i64 = 253_402_300_799_000;

impl Time {
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(0, LATEST_MS))
    }

    pub fn from_s(s: i64) -> Self {
        Self::from_ms(s.saturating_mul(SECOND_MS))
    }

    pub fn ms(self) -> i64 {
        self.0
    }

    pub fn s(self) -> i64 {
        self.0.div_euclid(SECOND_MS)
    }

    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// How much later this is than `earlier`; negative if it is not.
    pub fn ms_since(self, earlier: Time) -> i64 {
        self.0 - earlier.0
    }

    /// Reads RFC 3339, the same without a zone (taken as UTC), a plain day, `+0000` offsets, and unix seconds or
    /// milliseconds in digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() >= 9 && text.bytes().all(|b| b.is_ascii_digit()) {
            let number: i64 = text.parse().ok()?;
            return Some(if text.len() >= 12 { Self::from_ms(number) } else { Self::from_s(number) });
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self::from_ms(at.as_millisecond()));
        }
        if let Ok(at) = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%z", text).and_then(|t| t.to_timestamp()) {
            return Some(Self::from_ms(at.as_millisecond()));
        }
        let spaced = text.replacen(' ', "T", 1);
        if let Ok(at) = spaced.parse::<Timestamp>() {
            return Some(Self::from_ms(at.as_millisecond()));
        }
        let civil: DateTime = spaced.parse::<DateTime>().ok().or_else(|| spaced.parse::<Date>().ok().map(|d| d.into()))?;
        let at = civil.to_zoned(TimeZone::UTC).ok()?;
        Some(Self::from_ms(at.timestamp().as_millisecond()))
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// `2026-06-13T09:20:00Z`
    pub fn utc(self) -> String {
        jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%SZ", &self.timestamp().to_zoned(TimeZone::UTC)).unwrap_or_default()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Time::from_ms(i64::deserialize(d)?))
    }
}

/// A day of a site's zone, as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub i32);

const EPOCH: Date = Date::constant(1970, 1, 1);

impl Day {
    /// Reads `2026-06-13` and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 10 {
            return None;
        }
        let date: Date = text.parse().ok()?;
        Some(Self::of(date))
    }

    fn of(date: Date) -> Self {
        Self(date.since(EPOCH).map(|s| s.get_days()).unwrap_or(0))
    }

    fn date(self) -> Date {
        EPOCH.checked_add(self.0.days()).unwrap_or(EPOCH)
    }

    pub fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// The first day of its month.
    pub fn month(self) -> Self {
        Self::of(self.date().first_of_month())
    }

    /// As many months later; where there is no such day, the last of the month.
    pub fn plus_months(self, months: i32) -> Self {
        self.date().checked_add(months.months()).map_or(self, Self::of)
    }

    /// The same date of another year; 29 February is the 28th where there is none.
    pub fn plus_years(self, years: i32) -> Self {
        self.date().checked_add(years.years()).map_or(self, Self::of)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date())
    }
}

/// A time zone by its IANA name. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    pub fn parse(name: &str) -> Option<Self> {
        // Posix strings and paths are not names.
        if name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b)) {
            return None;
        }
        let zone = TimeZone::get(name).ok()?;
        Some(Self { name: name.to_owned(), zone })
    }

    pub fn utc() -> Self {
        Self { name: "UTC".into(), zone: TimeZone::UTC }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn day(&self, at: Time) -> Day {
        Day::of(at.timestamp().to_zoned(self.zone.clone()).date())
    }

    /// The first moment of a day; across a clock change a day has 23 or 25 hours.
    pub fn start(&self, day: Day) -> Time {
        match day.date().to_zoned(self.zone.clone()) {
            Ok(at) => Time::from_ms(at.timestamp().as_millisecond()),
            Err(_) => Time::from_ms(day.0 as i64 * DAY_MS),
        }
    }

    /// Reads what `Time::parse` reads; what names no zone is of this one.
    pub fn read(&self, text: &str) -> Option<Time> {
        let text = text.trim();
        let names_zone = text.get(10..).is_some_and(|rest| rest.contains(['Z', 'z', '+', '-']));
        if names_zone || text.bytes().all(|b| b.is_ascii_digit()) {
            // `2026-06-13 09:20:00 +0400` as shops write it.
            let joined = text.replacen(' ', "T", 1).replace(' ', "");
            return Time::parse(text).or_else(|| Time::parse(&joined));
        }
        let spaced = text.replacen(' ', "T", 1);
        let civil: DateTime = spaced.parse::<DateTime>().ok().or_else(|| spaced.parse::<Date>().ok().map(|d| d.into()))?;
        let at = civil.to_zoned(self.zone.clone()).ok()?;
        Some(Time::from_ms(at.timestamp().as_millisecond()))
    }

    /// A moment as a clock on the wall of this zone shows it: `2026-06-13 09:20:00`.
    pub fn wall(&self, text: &str) -> Option<Time> {
        let civil: DateTime = text.trim().replacen(' ', "T", 1).parse().ok()?;
        let at = civil.to_zoned(self.zone.clone()).ok()?;
        Some(Time::from_ms(at.timestamp().as_millisecond()))
    }

    /// What clocks on the wall show, as the milliseconds at which clocks in UTC show the same.
    pub fn wall_ms(&self, at: Time) -> i64 {
        at.ms() + i64::from(self.zone.to_offset(at.timestamp()).seconds()) * SECOND_MS
    }

    /// When clocks on the wall show this. What they show twice is the first of both; what they skip is the moment in which
    /// they skip it.
    pub fn at_wall(&self, wall_ms: i64) -> Time {
        let Ok(civil) = Timestamp::from_millisecond(wall_ms).map(|t| t.to_zoned(TimeZone::UTC).datetime()) else {
            return Time::from_ms(wall_ms);
        };
        let ms = |offset: jiff::tz::Offset| wall_ms - i64::from(offset.seconds()) * SECOND_MS;
        Time::from_ms(match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => ms(offset),
            AmbiguousOffset::Fold { before, .. } => ms(before),
            AmbiguousOffset::Gap { before, .. } => {
                // Read by the clocks of before the change it lies behind it, which is the last one until then.
                let behind = ms(before);
                let next = Timestamp::from_millisecond(behind + 1).unwrap_or(Timestamp::UNIX_EPOCH);
                self.zone.preceding(next).next().map_or(behind, |change| change.timestamp().as_millisecond())
            }
        })
    }

    /// RFC 3339 with this zone's offset.
    pub fn text(&self, at: Time) -> String {
        let zoned = at.timestamp().to_zoned(self.zone.clone());
        jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S%:z", &zoned).unwrap_or_else(|_| at.utc())
    }

    /// `13 Jun`, or `13 Jun 2025` where the year is not `now`'s.
    pub fn short_day(&self, at: Time, now: Time) -> String {
        let zoned = at.timestamp().to_zoned(self.zone.clone());
        let is_this_year = zoned.year() == now.timestamp().to_zoned(self.zone.clone()).year();
        let shape = if is_this_year { "%-d %b" } else { "%-d %b %Y" };
        jiff::fmt::strtime::format(shape, &zoned).unwrap_or_else(|_| at.utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_usual_shape() {
        let want = Time::parse("2026-06-13T09:20:00Z").expect("a time");
        for text in [
            "2026-06-13T13:20:00+04:00",
            "2026-06-13T09:20:00",
            "2026-06-13 09:20:00",
            "2026-06-13T09:20:00+0000",
            "2026-06-13 09:20:00+00:00",
            &want.s().to_string(),
            &want.ms().to_string(),
        ] {
            assert_eq!(Time::parse(text), Some(want), "{text}");
        }
        for bad in ["", "yesterday", "2026-13-40", "13/06/2026"] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_belongs_to_the_zone() {
        let dubai = Zone::parse("Asia/Dubai").expect("a zone");
        let late = Time::parse("2026-06-12T20:30:00Z").expect("a time");
        assert_eq!(dubai.day(late).to_string(), "2026-06-13");
        assert_eq!(Zone::utc().day(late).to_string(), "2026-06-12");
        assert_eq!(dubai.start(dubai.day(late)).utc(), "2026-06-12T20:00:00Z");
        assert_eq!(dubai.text(late), "2026-06-13T00:30:00+04:00");
    }

    #[test]
    fn a_day_of_a_clock_change_is_shorter() {
        let prague = Zone::parse("Europe/Prague").expect("a zone");
        let day = Day::parse("2026-03-29").expect("a day");
        assert_eq!(prague.start(day.plus(1)).ms_since(prague.start(day)), 23 * HOUR_MS);
        // 02:00 to 03:00 is skipped; on 25 October it comes twice.
        let wall = |text: &str| prague.at_wall(Time::parse(text).expect("a time").ms()).utc();
        assert_eq!(wall("2026-03-29T01:59:00Z"), "2026-03-29T00:59:00Z");
        assert_eq!(wall("2026-03-29T02:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(wall("2026-03-29T02:59:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(wall("2026-03-29T03:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(wall("2026-10-25T02:30:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(wall("2026-10-25T03:00:00Z"), "2026-10-25T02:00:00Z");
        assert!(Zone::parse("Mars/Olympus").is_none());
        assert!(Day::parse("2026-13-40").is_none());
    }
}
