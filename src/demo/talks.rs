//! What is said in the chats of a shop: before some of its orders, and with some visitors who buy nothing. Made from the
//! written diary by a chance of its own, so that the rest of the story stays as it is.

use super::chance::Chance;
use super::diary::{Answer, Browser, Event, What};
use super::shop::Shop;
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Time};

/// One message.
pub struct Line {
    /// The chat platform's number of the conversation, and of the message.
    pub conversation: u64,
    pub message: u64,
    pub browser: usize,
    pub is_customer: bool,
    pub text: String,
    /// Given in the form before the chat.
    pub email: Option<String>,
}

const OPENINGS: [&str; 6] = [
    "Hello, is the {good} in stock?",
    "How much is delivery?",
    "Hi! What is the price of the {good} with two?",
    "Can I still change my address after ordering?",
    "Is the {good} a good present?",
    "Do you ship on Saturdays?",
];
const ANSWERS: [&str; 4] =
    ["Hello! Yes, of course.", "Good question, one moment please.", "It leaves us the same day.", "We would recommend it, gladly."];
const THANKS: [&str; 3] = ["Lovely, thank you!", "Great, I will take it.", "Thanks, let me think about it."];

/// The chats around these events, in no order.
pub fn talks(shop: &Shop, seed: u64, browsers: &[Browser], events: &[Event]) -> Vec<Event> {
    let mut teller = Teller { shop, chance: Chance::of_seed(seed ^ 0x63_68_61_74), told: Vec::new(), conversations: 80, messages: 4_000 };
    for event in events {
        match &event.what {
            What::Order(order) => {
                let Some(browser) = order.browser.filter(|b| browsers[*b].answer != Answer::No) else { continue };
                let before = match teller.chance.below(100) {
                    0..13 => teller.chance.between(4 * MINUTE_MS, 40 * MINUTE_MS),
                    13..18 => teller.chance.between(2 * HOUR_MS, 22 * HOUR_MS),
                    18..21 => teller.chance.between(26 * HOUR_MS, 6 * DAY_MS),
                    _ => continue,
                };
                let email = Some(order.who.email.clone());
                teller.talk(event.at.plus_ms(-before), browser, email);
            }
            What::Page { browser, .. } if browsers[*browser].answer != Answer::No && teller.chance.happens(60) => {
                let email = browsers[*browser].who.as_ref().map(|who| who.email.clone()).filter(|_| teller.chance.happens(5_000));
                teller.talk(event.at.plus_ms(20 * SECOND_MS), *browser, email);
            }
            _ => {}
        }
    }
    teller.told
}

struct Teller<'a> {
    shop: &'a Shop,
    chance: Chance,
    told: Vec<Event>,
    conversations: u64,
    messages: u64,
}

impl Teller<'_> {
    fn talk(&mut self, at: Time, browser: usize, email: Option<String>) {
        self.conversations += 1;
        let good = self.shop.goods[self.chance.weighed(self.shop.goods.iter().map(|g| g.weight))].name;
        let lines = 1 + self.chance.weighed([8, 34, 30, 16, 12].into_iter());
        let mut at = at;
        for n in 0..lines {
            let words: &[&str] = match n {
                0 => &OPENINGS,
                n if n % 2 == 1 => &ANSWERS,
                _ => &THANKS,
            };
            let text = *self.chance.one_of(words);
            self.messages += 1;
            let line = Line {
                conversation: self.conversations,
                message: self.messages,
                browser,
                is_customer: n % 2 == 0,
                text: text.replace("{good}", good),
                email: email.clone(),
            };
            self.told.push(Event { at, what: What::Said(line) });
            at = at.plus_ms(self.chance.between(9 * SECOND_MS, 55 * SECOND_MS));
        }
    }
}
