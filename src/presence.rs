//! Who is on which site just now: browsers seen within five minutes, and counts of the last thirty. In memory only.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::ids::SiteId;
use crate::domain::time::{MINUTE_MS, Time};

/// A visitor counts as present for this long after the last page.
const PRESENT_MS: i64 = 5 * MINUTE_MS;
const MINUTES: usize = 30;
/// Browsers remembered per site; a flood beyond it is not worth the memory.
const MOST: usize = 100_000;

#[derive(Debug, Default)]
pub struct Presence {
    sites: Mutex<HashMap<SiteId, Room>>,
}

#[derive(Debug, Default)]
struct Room {
    seen: HashMap<u64, Time>,
    minutes: [u32; MINUTES],
    minute: i64,
}

impl Presence {
    /// A page view of a browser, known by a digest of its session.
    pub fn saw(&self, site: SiteId, visitor: u64, now: Time) {
        let mut sites = self.sites.lock().unwrap_or_else(|e| e.into_inner());
        let room = sites.entry(site).or_default();
        room.turn(now);
        let is_new_minute = room.seen.get(&visitor).is_none_or(|at| at.ms() / MINUTE_MS != now.ms() / MINUTE_MS);
        if room.seen.len() < MOST || room.seen.contains_key(&visitor) {
            room.seen.insert(visitor, now);
        }
        if is_new_minute {
            room.minutes[MINUTES - 1] += 1;
        }
    }

    pub fn now(&self, site: SiteId, now: Time) -> usize {
        let mut sites = self.sites.lock().unwrap_or_else(|e| e.into_inner());
        let Some(room) = sites.get_mut(&site) else { return 0 };
        room.seen.retain(|_, at| now.ms_since(*at) <= PRESENT_MS);
        room.seen.len()
    }

    /// Browsers in each of the last thirty minutes, the oldest first.
    pub fn minutes(&self, site: SiteId, now: Time) -> Vec<u32> {
        let mut sites = self.sites.lock().unwrap_or_else(|e| e.into_inner());
        let room = sites.entry(site).or_default();
        room.turn(now);
        room.minutes.to_vec()
    }
}

impl Room {
    fn turn(&mut self, now: Time) {
        let minute = now.ms() / MINUTE_MS;
        let passed = (minute - self.minute).clamp(0, MINUTES as i64) as usize;
        self.minutes.rotate_left(passed);
        for count in &mut self.minutes[MINUTES - passed..] {
            *count = 0;
        }
        self.minute = self.minute.max(minute);
        if passed > 0 {
            self.seen.retain(|_, at| now.ms_since(*at) <= PRESENT_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_leave_after_five_minutes() {
        let presence = Presence::default();
        let site = SiteId::issued(1);
        let at = Time::from_s(1_000_000);
        presence.saw(site, 1, at);
        presence.saw(site, 1, at.plus_ms(10));
        presence.saw(site, 2, at.plus_ms(4 * MINUTE_MS));
        assert_eq!(presence.now(site, at.plus_ms(4 * MINUTE_MS)), 2);
        assert_eq!(presence.now(site, at.plus_ms(6 * MINUTE_MS)), 1);
        let minutes = presence.minutes(site, at.plus_ms(6 * MINUTE_MS));
        assert_eq!(minutes.iter().sum::<u32>(), 2);
        assert_eq!((minutes[23], minutes[27]), (1, 1));
        assert_eq!(presence.now(SiteId::issued(2), at), 0);
    }
}
