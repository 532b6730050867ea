//! What happens in a shop of the demo, moment by moment: made from a seed before anything is played, so that the same
//! seed always tells the same story.

use super::chance::Chance;
use super::people::{self, Someone};
use super::shop::{AGENTS, Shop, Way};
use super::talks::{Line, talks};
use crate::domain::pipeline::Stage;
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Time, Zone};

/// Who books an appointment, and who comes.
mod appointments;
/// What the shop's own people do with those who ask.
mod office;
/// Those who buy again.
mod regulars;

pub use appointments::Appointment;
use regulars::Return;

/// Days that have passed when the demo begins.
pub const DAYS: i32 = 90;
/// Browsers that come again were here within these days.
const REMEMBERED_MS: i64 = 35 * DAY_MS;

/// A browser with somebody in front of it.
pub struct Browser {
    pub agent: &'static str,
    pub place: usize,
    pub city: &'static str,
    pub answer: Answer,
    pub who: Option<Someone>,
    last_at: Time,
    has_bought: bool,
}

/// What somebody says to the question for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// Counted, but not told to ad platforms.
    OnlyCounted,
    No,
    Silent,
}

pub struct Event {
    pub at: Time,
    pub what: What,
}

pub enum What {
    Page {
        browser: usize,
        link: String,
        referrer: Option<String>,
        title: &'static str,
    },
    /// Signs in, or subscribes to the newsletter: the page says who it is.
    Known {
        browser: usize,
    },
    Order(Order),
    /// An order ends otherwise than it began: `refunded`, `cancelled`.
    Ended {
        order: usize,
        status: &'static str,
    },
    Lead(Lead),
    /// A line of a chat.
    Said(Line),
    /// Somebody of the shop has called a lead back, or sold to it: `lead` is its place among the leads.
    Moved {
        lead: usize,
        stage: Stage,
        /// What it is worth now, in minor units.
        worth: Option<i64>,
    },
    /// The shop's system switches our webhook off, as it does after failures of its own making.
    SwitchedOff,
    /// Something of an appointment, as the calendar tells it.
    Appointment(Appointment),
    /// Somebody of the shop writes on the day.
    Noted {
        text: &'static str,
    },
    /// A form that was built wrongly: signed, but it names nobody.
    Unreadable {
        text: &'static str,
    },
}

pub struct Order {
    /// Its place among the orders of the diary.
    pub key: usize,
    pub browser: Option<usize>,
    /// Whether the shop's checkout passed the session on.
    pub names_session: bool,
    pub who: Someone,
    pub lines: Vec<(usize, i64)>,
    pub coupon: Option<&'static str>,
}

pub struct Lead {
    pub key: usize,
    pub browser: Option<usize>,
    pub who: Someone,
    pub form: usize,
    pub message: usize,
}

pub struct Diary {
    pub browsers: Vec<Browser>,
    /// In the order of time; some lie ahead of the present.
    pub events: Vec<Event>,
    /// What the shop had sold before it was connected: in its own books, without any visit.
    pub history: Vec<(Time, Order)>,
}

/// Everything from 90 days before `now` to the end of tomorrow.
pub fn write(shop: &'static Shop, seed: u64, now: Time) -> Diary {
    let zone = Zone::parse(shop.zone).unwrap_or_else(Zone::utc);
    let mut writer = Writer {
        shop,
        chance: Chance::of_seed(seed),
        office: Chance::of_seed(!seed),
        regulars: Chance::of_seed(seed.rotate_left(17)),
        coming: Vec::new(),
        diary: Diary { browsers: Vec::new(), events: Vec::new(), history: Vec::new() },
        orders: 0,
        leads: 0,
    };
    let today = zone.day(now);
    if shop.has_store() {
        writer.history(zone.start(today.plus(-DAYS)));
    }
    for ago in (-1..=DAYS).rev() {
        writer.day(zone.start(today.plus(-ago)), ago);
    }
    if !shop.has_store() {
        writer.appointments(seed);
    }
    writer.fixed(now);
    let mut diary = writer.diary;
    let said = talks(shop, seed, &diary.browsers, &diary.events);
    diary.events.extend(said);
    diary.events.sort_by_key(|e| e.at);
    diary
}

struct Writer {
    shop: &'static Shop,
    chance: Chance,
    /// What the shop's own people do.
    office: Chance,
    /// Who comes back, and when.
    regulars: Chance,
    coming: Vec<Return>,
    diary: Diary,
    orders: usize,
    leads: usize,
}

impl Writer {
    fn day(&mut self, start: Time, ago: i32) {
        // 1970-01-01 was a Thursday. The start of a day is within twelve hours of noon UTC of it.
        let weekday = ((start.ms() + 12 * HOUR_MS).div_euclid(DAY_MS) + 3).rem_euclid(7) as usize;
        // A small shop that grows by a third in a quarter, with better and worse days.
        let growth = 86 + (DAYS - ago).max(0) as u64 * 30 / DAYS as u64;
        let mood = self.chance.between(84, 118) as u64;
        let open: u64 = self.open(ago).map(|w| w.weight).sum();
        let usual: u64 = self.shop.ways.iter().map(|w| w.weight).sum::<u64>() * 8 / 10;
        let visits = self.shop.visits * self.shop.weekdays[weekday] * growth * mood * open / usual / 1_000_000;
        for _ in 0..visits {
            let hour = self.chance.weighed(self.shop.hours.iter().copied()) as i64;
            let at = start.plus_ms(hour * HOUR_MS + self.chance.between(0, HOUR_MS - 1));
            self.visit(at, ago);
        }
        self.who_come_back(start.plus_ms(DAY_MS), ago);
        // What comes by telephone or from a market stall, without any visit.
        if self.chance.happens(self.shop.orders * 6) {
            let at = start.plus_ms(self.chance.between(9 * HOUR_MS, 19 * HOUR_MS));
            let place = self.chance.weighed(self.shop.places.iter().map(|p| p.weight));
            let who = people::someone(&mut self.chance, &self.shop.places[place]);
            self.order(at, None, who, false);
        }
    }

    fn open(&self, ago: i32) -> impl Iterator<Item = &'static Way> + Clone + use<> {
        self.shop.ways.iter().filter(move |w| w.days.0 >= ago && ago.max(0) >= w.days.1)
    }

    fn visit(&mut self, at: Time, ago: i32) {
        let ways = self.open(ago);
        let Some(way) = ways.clone().nth(self.chance.weighed(ways.map(|w| w.weight))) else { return };
        let known = if self.chance.below(100) < way.again { self.one_who_was_here(at) } else { None };
        let browser = known.unwrap_or_else(|| self.newcomer(at));
        let is_again = known.is_some();
        self.diary.browsers[browser].last_at = at;
        let mut at = at;
        let click = self.chance.letters(24);
        let link = way.link.replace("{click}", &click);
        let path = link.split('?').next().unwrap_or("/").to_owned();
        self.page(at, browser, link, way.referrer.map(str::to_owned));
        let mut from = path;
        for _ in 0..self.chance.weighed([46, 24, 16, 9, 5].into_iter()) {
            at = at.plus_ms(self.chance.between(14 * SECOND_MS, 150 * SECOND_MS));
            let next = self.chance.one_of(self.shop.pages).0;
            let referrer = format!("https://{}{from}", self.shop.domain);
            self.page(at, browser, next.to_owned(), Some(referrer));
            from = next.to_owned();
        }
        let has_bought = self.diary.browsers[browser].has_bought;
        let keen = way.keen
            * if has_bought {
                170
            } else if is_again {
                140
            } else {
                82
            }
            / 100;
        if self.chance.happens(self.shop.orders * keen / 100) {
            let who = self.who(browser);
            let is_named = self.chance.happens(8_900);
            let at = at.plus_ms(self.chance.between(2 * MINUTE_MS, 9 * MINUTE_MS));
            self.page(at.plus_ms(-70 * SECOND_MS), browser, "/checkout".into(), None);
            if !is_named || self.chance.happens(1_500) {
                self.diary.events.push(Event { at: at.plus_ms(-40 * SECOND_MS), what: What::Known { browser } });
            }
            self.order(at, Some(browser), who, is_named);
            self.diary.browsers[browser].has_bought = true;
        } else if self.chance.happens(self.shop.leads * keen / 100) {
            let who = self.who(browser);
            let form = self.chance.weighed(self.shop.forms.iter().map(|f| f.weight));
            let message = self.chance.below(self.shop.forms[form].messages.len() as u64) as usize;
            let page = self.shop.forms[form].page;
            self.page(at.plus_ms(30 * SECOND_MS), browser, page.to_owned(), None);
            let at = at.plus_ms(self.chance.between(75 * SECOND_MS, 6 * MINUTE_MS));
            let key = self.leads;
            self.leads += 1;
            self.diary.events.push(Event { at, what: What::Lead(Lead { key, browser: Some(browser), who, form, message }) });
            self.follow_up(at, key, form);
        } else if self.chance.happens(90) {
            self.who(browser);
            self.diary.events.push(Event { at: at.plus_ms(20 * SECOND_MS), what: What::Known { browser } });
        }
    }

    fn page(&mut self, at: Time, browser: usize, link: String, referrer: Option<String>) {
        let path = link.split('?').next().unwrap_or("/");
        let title = self.shop.pages.iter().find(|(p, _)| *p == path).map_or(self.shop.name, |(_, title)| *title);
        self.diary.events.push(Event { at, what: What::Page { browser, link, referrer, title } });
    }

    fn newcomer(&mut self, at: Time) -> usize {
        let place = self.chance.weighed(self.shop.places.iter().map(|p| p.weight));
        let asks = self.shop.consent == "opt-in" || matches!(self.shop.places[place].country, "DE" | "GB" | "AT");
        let answer = match (asks, self.chance.below(100)) {
            (true, 0..60) => Answer::Yes,
            (true, 60..70) => Answer::OnlyCounted,
            (true, 70..90) => Answer::No,
            (true, _) => Answer::Silent,
            (false, 0..22) => Answer::Yes,
            (false, 22..29) => Answer::No,
            (false, _) => Answer::Silent,
        };
        let agent = AGENTS[self.chance.weighed(AGENTS.iter().map(|a| a.0))].1;
        let city = self.chance.one_of(self.shop.places[place].cities);
        self.diary.browsers.push(Browser { agent, place, city, answer, who: None, last_at: at, has_bought: false });
        self.diary.browsers.len() - 1
    }

    /// Somebody of the last weeks; who has come lately is more likely to come again.
    fn one_who_was_here(&mut self, at: Time) -> Option<usize> {
        for _ in 0..6 {
            let count = self.diary.browsers.len() as u64;
            let near = self.chance.below(count.clamp(1, 900)).min(self.chance.below(count.clamp(1, 900)));
            let place = count.checked_sub(near + 1)? as usize;
            let browser = &self.diary.browsers[place];
            let since = at.ms_since(browser.last_at);
            if since > HOUR_MS && since < REMEMBERED_MS && browser.answer != Answer::No {
                return Some(place);
            }
        }
        None
    }

    fn who(&mut self, browser: usize) -> Someone {
        if let Some(who) = &self.diary.browsers[browser].who {
            return who.clone();
        }
        let place = &self.shop.places[self.diary.browsers[browser].place];
        let who = people::someone(&mut self.chance, place);
        self.diary.browsers[browser].who = Some(who.clone());
        who
    }

    fn basket(&mut self) -> (Vec<(usize, i64)>, Option<&'static str>) {
        let mut lines: Vec<(usize, i64)> = Vec::new();
        for _ in 0..=self.chance.weighed([58, 30, 12].into_iter()) {
            let good = self.chance.weighed(self.shop.goods.iter().map(|g| g.weight));
            if lines.iter().all(|(g, _)| *g != good) {
                lines.push((good, if self.chance.happens(1_400) { 2 } else { 1 }));
            }
        }
        let coupon = self.chance.happens(1_500).then(|| *self.chance.one_of(self.shop.coupons));
        (lines, coupon)
    }

    fn order(&mut self, at: Time, browser: Option<usize>, who: Someone, names_session: bool) {
        let (lines, coupon) = self.basket();
        self.may_come_back(at, browser, &who);
        let key = self.orders;
        self.orders += 1;
        self.diary.events.push(Event { at, what: What::Order(Order { key, browser, names_session, who, lines, coupon }) });
        // Some come back days later, and some are called off before they leave.
        let end = match self.chance.below(1_000) {
            0..46 => Some((self.chance.between(3 * DAY_MS, 12 * DAY_MS), "refunded")),
            46..72 => Some((self.chance.between(20 * MINUTE_MS, 30 * HOUR_MS), "cancelled")),
            _ => None,
        };
        if let Some((after, status)) = end {
            self.diary.events.push(Event { at: at.plus_ms(after), what: What::Ended { order: key, status } });
        }
    }

    /// What the reader is sure to find, whatever the seed: a form that is not understood, and a gift card of this morning
    /// that the store-room's system refuses.
    fn fixed(&mut self, now: Time) {
        let unreadable = [
            (now.plus_ms(-6 * DAY_MS - 3 * HOUR_MS), r#"{"form_type":"contact","fields":[],"note":"test of the new form"}"#),
            (now.plus_ms(-29 * HOUR_MS), r#"{"form_type":"contact","email":"#),
        ];
        for (at, text) in unreadable {
            self.diary.events.push(Event { at, what: What::Unreadable { text } });
        }
        if self.shop.has_store() {
            self.switch_off(now);
        }
        let zone = Zone::parse(self.shop.zone).unwrap_or_else(Zone::utc);
        for (ago, text) in self.shop.notes {
            let at = zone.start(zone.day(now).plus(-ago)).plus_ms(9 * HOUR_MS + self.office.between(0, 7 * HOUR_MS));
            self.diary.events.push(Event { at, what: What::Noted { text } });
        }
        let Some(card) = self.shop.goods.iter().position(|g| g.sku.starts_with("GIFT-CARD")) else { return };
        for ago in [70 * MINUTE_MS, 21 * HOUR_MS, 3 * DAY_MS] {
            let at = now.plus_ms(-ago);
            let recent =
                self.diary.browsers.iter().rposition(|b| b.last_at < at && at.ms_since(b.last_at) < DAY_MS && b.answer == Answer::Yes);
            let Some(browser) = recent else { continue };
            let who = self.who(browser);
            let key = self.orders;
            self.orders += 1;
            let order = Order { key, browser: Some(browser), names_session: true, who, lines: vec![(card, 1)], coupon: None };
            self.diary.events.push(Event { at, what: What::Order(order) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::demo::{fragrance, kitchens};

    #[test]
    fn a_quarter_is_believable() {
        let now = Time::parse("2026-06-13T09:20:00Z").expect("a time");
        for shop in [&fragrance::SHOP, &kitchens::SHOP] {
            let diary = write(shop, 7, now);
            let count = |f: &dyn Fn(&What) -> bool| diary.events.iter().filter(|e| e.at <= now && f(&e.what)).count();
            let pages = count(&|w| matches!(w, What::Page { .. }));
            let facts = count(&|w| matches!(w, What::Order(_) | What::Lead(_)));
            assert!((3_000..20_000).contains(&pages), "{}: {pages} pages", shop.name);
            assert!((150..700).contains(&facts), "{}: {facts} facts", shop.name);
            assert!(count(&|w| matches!(w, What::Ended { .. })) > 3, "{}", shop.name);
            let stages = |stage| count(&|w| matches!(w, What::Moved { stage: s, .. } if *s == stage));
            let (called, offered, won) = (stages(Stage::Contacted), stages(Stage::Qualified), stages(Stage::Won));
            assert!(called > offered && offered > won && won > 0, "{}: {called}, {offered}, {won}", shop.name);
            assert_eq!(count(&|w| matches!(w, What::Noted { .. })), shop.notes.len(), "{}", shop.name);
            // As in a small shop: some of those who buy do so again within the quarter.
            let mut bought: HashMap<&str, usize> = HashMap::new();
            for event in diary.events.iter().filter(|e| e.at <= now) {
                if let What::Order(order) = &event.what {
                    *bought.entry(&order.who.email).or_default() += 1;
                }
            }
            let again = bought.values().filter(|n| **n > 1).count() * 100 / bought.len();
            assert!((15..=30).contains(&again), "{}: {again} % of {} buy again", shop.name, bought.len());
            assert!(bought.values().all(|n| *n < 8), "{}", shop.name);
            assert!(diary.events.iter().any(|e| e.at > now), "{}: it goes on", shop.name);
            assert!(diary.events.is_sorted_by_key(|e| e.at));
        }
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        let now = Time::parse("2026-06-13T09:20:00Z").expect("a time");
        let times = |seed| write(&fragrance::SHOP, seed, now).events.iter().map(|e| e.at).collect::<Vec<_>>();
        assert!(times(1) == times(1));
        assert!(times(1) != times(2));
    }
}
