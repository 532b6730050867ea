//! Those who buy again, as in every shop that sells what is used up or given away.

use super::{Event, Order, What, Writer};
use crate::demo::people::{self, Someone};
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Time};

/// Days of history, and of 10,000 of them so many with an order.
const HISTORY_DAYS: i64 = 88;
const HISTORY_ORDERS: u64 = 6_800;

/// Somebody who has bought comes again: the candle has burnt down, the present was liked.
pub struct Return {
    at: Time,
    browser: Option<usize>,
    who: Someone,
}

impl Writer {
    /// After an order: some of its buyers come again in the weeks that follow.
    pub(super) fn may_come_back(&mut self, at: Time, browser: Option<usize>, who: &Someone) {
        if self.regulars.happens(self.shop.returning) {
            let after = self.regulars.between(5, 34) + self.regulars.between(0, 22);
            // At about the hour of the first time, as people have their habits.
            let at = at.plus_ms(after * DAY_MS + self.regulars.between(-2 * HOUR_MS, 2 * HOUR_MS));
            self.coming.push(Return { at, browser, who: who.clone() });
        }
    }

    /// Who comes again before this moment.
    pub(super) fn who_come_back(&mut self, end: Time, ago: i32) {
        let (due, later): (Vec<Return>, Vec<Return>) = std::mem::take(&mut self.coming).into_iter().partition(|one| one.at < end);
        self.coming = later;
        for one in due {
            self.come_back(one, ago);
        }
    }

    /// Three months of orders before the first day of the diary; some of those buyers come again within it.
    pub(super) fn history(&mut self, begin: Time) {
        for ago in (1..=HISTORY_DAYS).rev() {
            if !self.regulars.happens(HISTORY_ORDERS) {
                continue;
            }
            let at = begin.plus_ms(-ago * DAY_MS + self.regulars.between(7 * HOUR_MS, 21 * HOUR_MS));
            let place = self.regulars.weighed(self.shop.places.iter().map(|p| p.weight));
            let who = people::someone(&mut self.regulars, &self.shop.places[place]);
            let (lines, coupon) = self.basket();
            self.may_come_back(at, None, &who);
            let key = self.orders;
            self.orders += 1;
            self.diary.history.push((at, Order { key, browser: None, names_session: false, who, lines, coupon }));
        }
        self.coming.retain(|one| one.at >= begin);
    }

    /// Shortly before an order of these days, at an hour when nobody looks at the webhooks soon after: the shop is looked at
    /// at the hour of the present.
    pub(super) fn switch_off(&mut self, now: Time) {
        let is_fit = |at: Time| {
            let before = now.ms_since(at);
            (2 * DAY_MS..12 * DAY_MS).contains(&before) && (HOUR_MS..22 * HOUR_MS).contains(&before.rem_euclid(DAY_MS))
        };
        let mut times: Vec<Time> =
            self.diary.events.iter().filter(|e| matches!(e.what, What::Order(_)) && is_fit(e.at)).map(|e| e.at).collect();
        times.sort();
        if let Some(at) = times.last() {
            self.diary.events.push(Event { at: at.plus_ms(-3 * MINUTE_MS), what: What::SwitchedOff });
        }
    }

    /// By the newsletter, a bookmark or the shop's name; a few from another device, where signing in tells who it is.
    fn come_back(&mut self, one: Return, ago: i32) {
        let ways = self.open(ago).filter(|w| w.again >= 30);
        let Some(way) = ways.clone().nth(self.regulars.weighed(ways.map(|w| w.weight))) else { return };
        let known = one.browser.filter(|_| !self.regulars.happens(1_600));
        let browser = known.unwrap_or_else(|| self.newcomer(one.at));
        self.diary.browsers[browser].who = Some(one.who.clone());
        self.diary.browsers[browser].last_at = one.at;
        let click = self.regulars.letters(24);
        self.page(one.at, browser, way.link.replace("{click}", &click), way.referrer.map(str::to_owned));
        let page = self.regulars.one_of(self.shop.pages).0;
        let then = one.at.plus_ms(self.regulars.between(20 * SECOND_MS, 4 * MINUTE_MS));
        self.page(then, browser, page.to_owned(), None);
        let is_known = known.is_none() || self.regulars.happens(2_500);
        if is_known {
            self.diary.events.push(Event { at: one.at.plus_ms(5 * MINUTE_MS), what: What::Known { browser } });
        }
        if self.regulars.happens(8_200) {
            let at = one.at.plus_ms(self.regulars.between(6 * MINUTE_MS, 14 * MINUTE_MS));
            self.page(at.plus_ms(-40 * SECOND_MS), browser, "/checkout".into(), None);
            let names_session = self.regulars.happens(9_200);
            self.order(at, Some(browser), one.who, names_session);
            self.diary.browsers[browser].has_bought = true;
        }
    }
}
