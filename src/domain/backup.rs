//! What is true of backups: what a manifest says, when one is due, which are kept, and when the owner should worry.

use serde::{Deserialize, Serialize};

use super::time::{DAY_MS, HOUR_MS, Time, Zone};

/// Minutes after midnight in the box's own zone: few shops sell then, and changes of the clock are over or not yet there.
const NIGHT_MINUTE: i64 = 3 * 60 + 10;
/// After a failure it is tried again this much later.
const AGAIN_MS: i64 = HOUR_MS;
/// Older than this, the newest good backup is worth a word: one night was missed and half a day is gone.
const OLD_MS: i64 = 36 * HOUR_MS;
/// The newest of so many days is kept,
const DAYS: usize = 7;
/// and the newest of so many weeks.
const WEEKS: usize = 4;
/// What was erased since is gone from every backup by then.
const LONGEST_MS: i64 = 35 * DAY_MS;

/// What a backup says of itself; it stands at the end of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of the manifest itself.
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    /// The number of steps that the database has had.
    pub shape: i64,
    /// UTC, as text for whoever looks.
    pub taken_at: String,
    /// Of the database.
    pub bytes: u64,
    pub sha256: String,
    /// Rows by table.
    pub tables: Vec<(String, i64)>,
}

impl Manifest {
    pub const FORMAT: u32 = 1;

    pub fn rows(&self) -> i64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }

    /// The first table whose count is another one, in words.
    pub fn differs_from(&self, tables: &[(String, i64)]) -> Option<String> {
        let count = |all: &[(String, i64)], name: &str| all.iter().find(|(n, _)| n == name).map(|(_, rows)| *rows);
        let names = self.tables.iter().chain(tables).map(|(name, _)| name);
        for name in names {
            let (told, found) = (count(&self.tables, name), count(tables, name));
            if told != found {
                let text = |n: Option<i64>| n.map_or("no table".to_owned(), |n| format!("{n} rows"));
                return Some(format!("{name}: {} in the manifest, {} in the file", text(told), text(found)));
            }
        }
        None
    }
}

/// How a backup ended, as it is written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub at: Time,
    pub is_good: bool,
    /// By the clock or by somebody's hand.
    pub is_nightly: bool,
    pub file: String,
    pub bytes: i64,
    pub rows: i64,
    /// How long it took.
    pub took_ms: i64,
    /// For the owner: what was proven, or what went wrong.
    pub sentence: String,
}

/// Whether the owner may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing to back up long enough for a night to have passed.
    Fresh,
    Good,
    Old,
    Failed,
}

impl Standing {
    pub fn word(self) -> &'static str {
        match self {
            Standing::Fresh => "fresh",
            Standing::Good => "good",
            Standing::Old => "old",
            Standing::Failed => "failed",
        }
    }
}

/// From the last backup, the last good one, and since when there is something to lose.
pub fn standing(last: Option<&Record>, last_good: Option<Time>, since: Option<Time>, now: Time) -> Standing {
    if last.is_some_and(|r| !r.is_good) {
        return Standing::Failed;
    }
    match (last_good, since) {
        (Some(at), _) if now.ms_since(at) <= OLD_MS => Standing::Good,
        (None, Some(since)) if now.ms_since(since) <= OLD_MS => Standing::Fresh,
        (None, None) => Standing::Fresh,
        _ => Standing::Old,
    }
}

/// Whether the night's backup is to be made now: once after each 03:10 of the zone, also later in the day where the box
/// slept, and an hour after one that failed. `since` is when there first was something to lose.
pub fn is_due(zone: &Zone, last: Option<&Record>, last_good: Option<Time>, since: Option<Time>, now: Time) -> bool {
    let Some(since) = since else { return false };
    let night = last_night(zone, now);
    let is_waiting = last.is_some_and(|r| !r.is_good && r.at >= night && now.ms_since(r.at) < AGAIN_MS);
    since < night && last_good.is_none_or(|at| at < night) && !is_waiting
}

/// The newest 03:10 of the zone that has passed.
fn last_night(zone: &Zone, now: Time) -> Time {
    let today = zone.start(zone.day(now)).plus_ms(NIGHT_MINUTE * 60_000);
    if today <= now { today } else { zone.start(zone.day(now).plus(-1)).plus_ms(NIGHT_MINUTE * 60_000) }
}

/// Which of these times of backups may go. The newest always stays, and so does whatever is of the last day.
pub fn surplus(taken: &[Time], now: Time) -> Vec<Time> {
    let mut sorted = taken.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let mut days: Vec<i64> = Vec::new();
    let mut weeks: Vec<i64> = Vec::new();
    let mut gone = Vec::new();
    for (place, at) in sorted.into_iter().enumerate() {
        let (day, week) = (at.ms().div_euclid(DAY_MS), at.ms().div_euclid(7 * DAY_MS));
        let is_daily = !days.contains(&day) && days.len() < DAYS;
        let is_weekly = !weeks.contains(&week) && weeks.len() < WEEKS;
        if is_daily {
            days.push(day);
        }
        if is_weekly {
            weeks.push(week);
        }
        let age_ms = now.ms_since(at);
        let is_kept = place == 0 || age_ms <= DAY_MS || ((is_daily || is_weekly) && age_ms <= LONGEST_MS);
        if !is_kept {
            gone.push(at);
        }
    }
    gone
}

/// Whether something put aside at an upgrade or a restore has had its time: it holds people as backups do.
pub fn is_past(at: Time, now: Time) -> bool {
    now.ms_since(at) > LONGEST_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(text).expect("a time")
    }

    fn record(time: &str, is_good: bool) -> Record {
        Record { at: at(time), is_good, is_nightly: true, file: String::new(), bytes: 0, rows: 0, took_ms: 0, sentence: String::new() }
    }

    #[test]
    fn one_is_due_after_each_night() {
        let zone = Zone::parse("Asia/Dubai").expect("a zone"); // 03:10 there is 23:10 UTC
        let since = Some(at("2026-06-10T12:00:00Z"));
        let due = |last: Option<&Record>, now: &str| {
            let good = last.filter(|r| r.is_good).map(|r| r.at);
            is_due(&zone, last, good, since, at(now))
        };
        assert!(!due(None, "2026-06-10T13:00:00Z"), "no night has passed yet");
        assert!(due(None, "2026-06-10T23:10:00Z"));
        let good = record("2026-06-10T23:10:05Z", true);
        assert!(!due(Some(&good), "2026-06-11T20:00:00Z"));
        assert!(due(Some(&good), "2026-06-13T20:00:00Z"), "the box slept through the night");
        let failed = record("2026-06-11T23:10:05Z", false);
        assert!(!due(Some(&failed), "2026-06-11T23:40:00Z"));
        assert!(due(Some(&failed), "2026-06-12T00:10:05Z"), "an hour later");
        assert!(!is_due(&zone, None, None, None, at("2026-06-11T23:10:00Z")), "nothing to lose");
    }

    #[test]
    fn the_owner_hears_of_what_failed_and_of_what_is_old() {
        let since = Some(at("2026-06-01T00:00:00Z"));
        let good = record("2026-06-10T03:10:00Z", true);
        let stand = |last: Option<&Record>, good: Option<Time>, now: &str| standing(last, good, since, at(now));
        assert_eq!(stand(None, None, "2026-06-01T20:00:00Z"), Standing::Fresh);
        assert_eq!(stand(None, None, "2026-06-03T20:00:00Z"), Standing::Old);
        assert_eq!(stand(Some(&good), Some(good.at), "2026-06-11T03:00:00Z"), Standing::Good);
        assert_eq!(stand(Some(&good), Some(good.at), "2026-06-12T03:00:00Z"), Standing::Old);
        let failed = record("2026-06-11T03:10:00Z", false);
        assert_eq!(stand(Some(&failed), Some(good.at), "2026-06-11T04:00:00Z"), Standing::Failed);
    }

    #[test]
    fn seven_days_and_four_weeks_are_kept() {
        let now = at("2026-06-30T12:00:00Z");
        let taken: Vec<Time> = (0..60).map(|n| at("2026-06-30T03:10:00Z").plus_ms(-n * DAY_MS)).collect();
        let gone = surplus(&taken, now);
        let kept: Vec<&Time> = taken.iter().filter(|t| !gone.contains(t)).collect();
        assert!((9..=11).contains(&kept.len()), "{kept:?}");
        assert!(taken[..7].iter().all(|t| kept.contains(&t)));
        assert!(kept.iter().all(|t| now.ms_since(**t) <= LONGEST_MS));
        assert_eq!(surplus(&[taken[59]], now), [], "the last one stays however old it is");
        let twice = [at("2026-06-30T03:10:00Z"), at("2026-06-30T09:00:00Z")];
        assert_eq!(surplus(&twice, now), [], "of the last day all stay");
        assert_eq!(surplus(&twice, at("2026-07-02T12:00:00Z")), [twice[0]], "later the newest of the day");
    }

    #[test]
    fn a_count_that_differs_is_named() {
        let table = |name: &str, rows| (name.to_owned(), rows);
        let manifest = Manifest {
            format: 1,
            version: "0.1.0".into(),
            shape: 1,
            taken_at: "2026-06-13T00:00:00Z".into(),
            bytes: 1,
            sha256: "00".into(),
            tables: vec![table("leads", 2), table("sites", 1)],
        };
        assert_eq!(manifest.rows(), 3);
        assert_eq!(manifest.differs_from(&[table("sites", 1), table("leads", 2)]), None);
        let told = manifest.differs_from(&[table("leads", 1), table("sites", 1)]);
        assert_eq!(told.as_deref(), Some("leads: 2 rows in the manifest, 1 rows in the file"));
        assert!(manifest.differs_from(&[table("leads", 2)]).is_some());
        assert!(manifest.differs_from(&[table("leads", 2), table("sites", 1), table("users", 0)]).is_some());
    }
}
