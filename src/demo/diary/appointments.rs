//! Who books an appointment after asking, moves it or calls it off, who comes, and who buys something afterwards.

use super::{Event, Order, What, Writer};
use crate::demo::chance::Chance;
use crate::demo::people::Someone;
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time, Zone};

/// How long an appointment takes.
const LENGTH_MS: i64 = 75 * MINUTE_MS;

/// Something of an appointment, as the calendar tells it.
pub struct Appointment {
    /// In the calendar's own word.
    pub trigger: &'static str,
    pub uid: String,
    pub browser: Option<usize>,
    pub who: Someone,
    pub starts_at: Time,
}

impl Appointment {
    pub fn ends_at(&self) -> Time {
        self.starts_at.plus_ms(LENGTH_MS)
    }
}

impl Writer {
    /// Of those who ask for something that is sold, most book within days.
    pub(super) fn appointments(&mut self, seed: u64) {
        let mut chance = Chance::of_seed(seed.rotate_left(31));
        let asked: Vec<(Time, Option<usize>, Someone)> = self
            .diary
            .events
            .iter()
            .filter_map(|event| match &event.what {
                What::Lead(lead) if self.shop.forms[lead.form].deal.is_some() => Some((event.at, lead.browser, lead.who.clone())),
                _ => None,
            })
            .collect();
        for (n, (at, browser, who)) in asked.into_iter().enumerate() {
            if chance.happens(7_600) {
                self.appointment(&mut chance, n, at, browser, who);
            }
        }
    }

    fn appointment(&mut self, chance: &mut Chance, n: usize, asked_at: Time, browser: Option<usize>, who: Someone) {
        let booked_at = asked_at.plus_ms(chance.between(4 * MINUTE_MS, 40 * HOUR_MS));
        let ahead = chance.between(3, 15);
        let mut starts_at = self.open_hour(chance, booked_at.plus_ms(ahead * DAY_MS));
        let uid = format!("elb{n:04}");
        let mut told: Vec<(Time, &'static str, Time)> = vec![(booked_at, "BOOKING_CREATED", starts_at)];
        if chance.happens(1_500) {
            let moved_at = booked_at.plus_ms(chance.between(5 * HOUR_MS, 2 * DAY_MS));
            let later = chance.between(1, 6);
            starts_at = self.open_hour(chance, starts_at.plus_ms(later * DAY_MS));
            told.push((moved_at, "BOOKING_RESCHEDULED", starts_at));
        }
        let ended_at = starts_at.plus_ms(LENGTH_MS);
        let has_come = match chance.below(100) {
            0..8 => {
                told.push((starts_at.plus_ms(-chance.between(3 * HOUR_MS, 2 * DAY_MS)), "BOOKING_CANCELLED", starts_at));
                false
            }
            8..20 => {
                told.push((starts_at.plus_ms(25 * MINUTE_MS), "BOOKING_NO_SHOW_UPDATED", starts_at));
                false
            }
            // Nobody has written down whether they came.
            20..28 => false,
            _ => {
                told.push((ended_at, "MEETING_ENDED", starts_at));
                true
            }
        };
        for (at, trigger, starts_at) in told {
            let told = Appointment { trigger, uid: uid.clone(), browser, who: who.clone(), starts_at };
            self.diary.events.push(Event { at, what: What::Appointment(told) });
        }
        if has_come && chance.happens(4_200) {
            let after = chance.between(20 * MINUTE_MS, 6 * DAY_MS);
            self.bought(chance, ended_at.plus_ms(after), who);
        }
    }

    /// Being measured and planned for is what is sold first.
    fn bought(&mut self, chance: &mut Chance, at: Time, who: Someone) {
        let first = self.orders;
        self.orders += 1;
        let good = usize::from(chance.happens(4_000));
        if chance.happens(4_500) {
            // Once the kitchen is planned: what is to go with it.
            let later = at.plus_ms(chance.between(6 * DAY_MS, 21 * DAY_MS));
            let key = self.orders;
            self.orders += 1;
            let order = Order { key, browser: None, names_session: false, who: who.clone(), lines: vec![(2, 1)], coupon: None };
            self.diary.events.push(Event { at: later, what: What::Order(order) });
        }
        let order = Order { key: first, browser: None, names_session: false, who, lines: vec![(good, 1)], coupon: None };
        self.diary.events.push(Event { at, what: What::Order(order) });
        if chance.happens(900) {
            let at = at.plus_ms(chance.between(2 * DAY_MS, 9 * DAY_MS));
            self.diary.events.push(Event { at, what: What::Ended { order: first, status: "refunded" } });
        }
    }

    /// On the day of a moment, when the studio is open; on a Sunday, the day after.
    fn open_hour(&self, chance: &mut Chance, at: Time) -> Time {
        let zone = Zone::parse(self.shop.zone).unwrap_or_else(Zone::utc);
        let day = zone.day(at);
        // 1970-01-01 was a Thursday.
        let day = if (day.0 + 4).rem_euclid(7) == 0 { day.plus(1) } else { day };
        zone.start(day).plus_ms(chance.between(20, 35) * HOUR_MS / 2)
    }
}
