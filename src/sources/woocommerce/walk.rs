//! Where the reading of a shop's list stands. It walks by the time of change, not by page numbers, because orders change
//! places while it walks: everything changed at or after a second is asked for, oldest first, always page 1; the last row
//! says from which second to go on. Only where one second fills a whole page are there further pages, and those are read
//! by id from the last to the first: an order that changes meanwhile leaves the second and moves the others towards
//! pages that are still to come.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::order::{self, Days};
use super::shop::Way;
use crate::domain::time::{MINUTE_MS, Time};
use crate::sources::Since;

/// The most that a shop gives at once.
pub const PER_PAGE: u32 = 100;
/// What is read of an order; without this a page is half as long again.
pub const FIELDS: &str = "id,number,status,currency,total,total_tax,shipping_total,discount_total,payment_method,customer_id,\
                          customer_user_agent,billing,shipping,line_items,coupon_lines,refunds,meta_data,date_created_gmt,date_modified_gmt,\
                          date_paid_gmt";

/// A second is past for certain when it lies this far back by our clock: that of the shop may go otherwise.
const CLOCKS_DIFFER_MS: i64 = 10 * MINUTE_MS;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    #[serde(default)]
    pub way: Way,
    /// Where this reading began.
    pub from: Time,
    pub is_first: bool,
    pub list: List,
    /// All that changed in this second or later is still to be read.
    pub since_s: i64,
    pub per_page: u32,
    /// The second that fills a page, while it is being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<Second>,
    /// The newest change that was seen.
    pub newest: Time,
    /// A second that was read page by page while orders could still come into it: the next reading begins there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsure: Option<Time>,
    /// Orders of the page just read that gave money back: read again once the days of all their refunds are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
    /// The list that they are in.
    #[serde(default)]
    pub open_in: List,
    /// How many of those have been asked for their refunds.
    #[serde(default)]
    pub asked: usize,
    #[serde(default, skip_serializing_if = "Days::is_empty")]
    pub days: Days,
    /// Both lists were read to their end.
    #[serde(default)]
    pub is_at_end: bool,
    /// When this reading began: what was sold before is history to a first one.
    pub began: Time,
    /// Times in a row that the shop asked us to wait.
    #[serde(default)]
    pub waits: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Whatever the shop calls `any`.
    #[default]
    Orders,
    /// What lies in the bin, which `any` leaves out.
    Bin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    pub page: u32,
    /// How many pages there are; 0 until the shop has said it.
    pub pages: u32,
}

/// What is to be asked next.
#[derive(Debug, PartialEq)]
pub enum Next {
    Page,
    RefundsOf(String),
    /// These orders once more, now that their refunds are dated.
    Again(Vec<String>),
    End,
}

impl List {
    /// The shop's own word.
    pub fn status(self) -> &'static str {
        match self {
            Self::Orders => "any",
            Self::Bin => "trash",
        }
    }
}

impl Walk {
    pub fn begin(since: &Since, way: Way, now: Time) -> Self {
        Self {
            way,
            from: since.from,
            is_first: since.is_first,
            list: List::Orders,
            since_s: since.from.s(),
            per_page: PER_PAGE,
            second: None,
            newest: since.from,
            unsure: None,
            open: Vec::new(),
            open_in: List::Orders,
            asked: 0,
            days: Days::new(),
            is_at_end: false,
            began: now,
            waits: 0,
        }
    }

    pub fn next(&self) -> Next {
        match self.open.get(self.asked) {
            Some(id) => Next::RefundsOf(id.clone()),
            None if !self.open.is_empty() => Next::Again(self.open[..self.open.len().min(self.per_page as usize)].to_vec()),
            None if self.is_at_end => Next::End,
            None => Next::Page,
        }
    }

    /// The query of the next page. `modified_after` is exclusive, and in shop's time unless the last one says otherwise.
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let after = Time::from_s(self.since_s - 1);
        let mut query = vec![
            ("status", self.list.status().to_owned()),
            ("order", "asc".to_owned()),
            ("per_page", self.per_page.to_string()),
            ("modified_after", bare(after)),
            ("dates_are_gmt", "true".to_owned()),
            ("_fields", FIELDS.to_owned()),
        ];
        match self.second {
            None => query.extend([("orderby", "modified".to_owned()), ("page", "1".to_owned())]),
            Some(second) => query.extend([
                ("modified_before", bare(Time::from_s(self.since_s + 1))),
                ("orderby", "id".to_owned()),
                ("page", second.page.max(1).to_string()),
            ]),
        }
        query
    }

    /// Moves on behind a page that was read whole. `pages` is what the shop says of how many there are.
    pub fn advance(&mut self, rows: &[Value], pages: Option<u32>, now: Time) {
        let newest = rows.iter().filter_map(order::changed_at).max();
        self.newest = self.newest.max(newest.unwrap_or(self.newest));
        let is_full = rows.len() >= self.per_page as usize;
        if let Some(second) = self.second {
            self.second = second.after(is_full, pages);
            if self.second.is_none() {
                let read = Time::from_s(self.since_s);
                if now.ms_since(read) < CLOCKS_DIFFER_MS {
                    self.unsure = Some(self.unsure.map_or(read, |earlier| earlier.min(read)));
                }
                self.since_s += 1;
            }
            return;
        }
        match newest.map(Time::s) {
            _ if !is_full => self.turn(),
            Some(last) if last > self.since_s => self.since_s = last,
            // Ties come in any order, so that a second page of this list could leave some out.
            _ => self.second = Some(Second { page: 1, pages: 0 }),
        }
    }

    /// Up to when the list is known without a gap.
    pub fn reached(&self) -> Time {
        self.unsure.map_or(self.newest, |unsure| unsure.min(self.newest))
    }

    /// Orders that were read for the second time, with all that is known of their refunds.
    pub fn close(&mut self, count: usize) {
        self.open.drain(..count.min(self.open.len()));
        self.asked = self.asked.saturating_sub(count);
        if self.open.is_empty() {
            self.asked = 0;
            self.days.clear();
        }
    }

    /// From the orders to the bin, from the bin to the end.
    fn turn(&mut self) {
        match self.list {
            List::Orders => {
                self.list = List::Bin;
                self.since_s = self.from.s();
            }
            List::Bin => self.is_at_end = true,
        }
    }

    /// Asks for less at once; false if there is no less.
    pub fn shrink(&mut self) -> bool {
        let is_possible = self.per_page > 1;
        self.per_page = (self.per_page / 4).max(1);
        // Pages of another size are other pages.
        self.second = self.second.map(|_| Second { page: 1, pages: 0 });
        is_possible
    }
}

impl Second {
    /// From page 1, which says how many there are, to the last, and down to page 1 once more. Where the shop does not
    /// say, forward until a page is not full.
    fn after(self, is_full: bool, pages: Option<u32>) -> Option<Second> {
        match (self.pages, pages) {
            (0, Some(pages)) if self.page == 1 && pages > 1 => Some(Second { page: pages, pages }),
            (0, Some(_)) if self.page == 1 => None,
            (0, _) => is_full.then_some(Second { page: self.page + 1, pages: 0 }),
            (_, _) if self.page > 1 => Some(Second { page: self.page - 1, pages: self.pages }),
            _ => None,
        }
    }
}

/// As WordPress writes times: no zone.
fn bare(at: Time) -> String {
    at.utc().trim_end_matches('Z').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn walk() -> Walk {
        let mut walk = Walk::begin(&Since { from: Time::from_s(1_000), is_first: false }, Way::default(), Time::from_s(2_000));
        walk.per_page = 3;
        walk
    }

    fn late() -> Time {
        Time::from_s(100_000)
    }

    fn rows(seconds: &[i64]) -> Vec<Value> {
        seconds.iter().map(|s| json!({"id": s, "date_modified_gmt": bare(Time::from_s(*s))})).collect()
    }

    #[test]
    fn pages_are_keyed_by_the_last_second() {
        let mut walk = walk();
        let value = |walk: &Walk, name: &str| walk.query().into_iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        assert_eq!(value(&walk, "modified_after").as_deref(), Some("1970-01-01T00:16:39"), "the last seen minus a second");
        walk.advance(&rows(&[1_000, 1_005, 1_010]), None, late());
        assert_eq!((walk.since_s, value(&walk, "page").as_deref()), (1_010, Some("1")));
        walk.advance(&rows(&[1_010, 1_010, 1_020]), None, late());
        walk.advance(&rows(&[1_020, 1_021]), None, late());
        assert_eq!((walk.list, walk.since_s, value(&walk, "status").as_deref()), (List::Bin, 1_000, Some("trash")));
        assert_eq!(walk.next(), Next::Page);
        walk.advance(&[], None, late());
        assert_eq!((walk.next(), walk.newest.s()), (Next::End, 1_021));
    }

    #[test]
    fn a_second_that_fills_a_page_is_read_backwards() {
        let mut walk = walk();
        let full = rows(&[1_000, 1_000, 1_000]);
        walk.advance(&full, Some(9), late());
        let mut pages = Vec::new();
        while let Some(second) = walk.second {
            pages.push(second.page);
            let query = walk.query();
            assert!(
                query.contains(&("orderby", "id".into())) && query.contains(&("modified_before", "1970-01-01T00:16:41".into())),
                "{query:?}"
            );
            walk.advance(&full, Some(3), late());
        }
        assert_eq!(pages, [1, 3, 2, 1]);
        assert_eq!((walk.since_s, walk.unsure), (1_001, None));
    }

    #[test]
    fn without_a_count_of_pages_it_goes_forward() {
        let mut walk = walk();
        walk.advance(&rows(&[1_000, 1_000, 1_000]), None, late());
        walk.advance(&rows(&[1_000, 1_000, 1_000]), None, late());
        assert_eq!(walk.second.map(|s| s.page), Some(2));
        walk.advance(&rows(&[1_000]), None, late());
        assert_eq!((walk.second, walk.since_s), (None, 1_001));
    }

    #[test]
    fn a_second_that_may_not_be_over_is_read_again_the_next_time() {
        let mut walk = walk();
        let soon = Time::from_s(1_001);
        walk.advance(&rows(&[1_000, 1_000, 1_000]), None, soon);
        walk.advance(&rows(&[1_000]), None, soon);
        walk.advance(&rows(&[1_004]), None, soon);
        assert_eq!((walk.newest.s(), walk.reached().s()), (1_004, 1_000));
    }

    #[test]
    fn less_is_asked_for_until_there_is_no_less() {
        let mut walk = Walk::begin(&Since { from: Time::from_s(0), is_first: true }, Way::default(), Time::from_s(2_000));
        let sizes: Vec<u32> = std::iter::from_fn(|| walk.shrink().then_some(walk.per_page)).collect();
        assert_eq!(sizes, [25, 6, 1]);
    }

    #[test]
    fn refunds_are_dated_before_the_next_page() {
        let mut walk = walk();
        walk.open = ["7", "8", "9", "10"].map(str::to_owned).to_vec();
        walk.is_at_end = true;
        assert_eq!(walk.next(), Next::RefundsOf("7".into()));
        walk.asked = 4;
        assert_eq!(walk.next(), Next::Again(["7", "8", "9"].map(str::to_owned).to_vec()));
        walk.close(3);
        assert_eq!((walk.asked, walk.next()), (1, Next::Again(vec!["10".into()])));
        walk.close(1);
        assert_eq!((walk.asked, walk.next()), (0, Next::End));
    }
}
