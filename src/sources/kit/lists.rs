//! Lists in the answers of platforms. An answer without the list that was asked for is a fault of the other side, never
//! an empty list: what is not on it would be taken for gone.

use serde_json::Value;

use crate::domain::steps::{Verdict, by_status};
use crate::wire::Response;

pub fn rows<'a>(list: &'a Value, name: &str) -> Result<&'a [Value], Verdict> {
    list.as_array().map(Vec::as_slice).ok_or_else(|| otherwise(name))
}

/// It was answered with success, and not with what was asked for: the page of a proxy, or an outage in nice words.
pub fn otherwise(name: &str) -> Verdict {
    Verdict::Retry { after_ms: None, sentence: format!("{name} answered with something else than the list that was asked for.") }
}

/// What an answer means that cannot be read.
pub fn trouble(name: &str, response: &Response) -> Verdict {
    if response.is_success() { otherwise(name) } else { by_status(name, response) }
}

/// How far a list was read that is begun again where its mark has died. Only what lies behind all that was reached before
/// is progress; a list whose mark dies at the same place again and again is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Progress {
    pages: u32,
    furthest: u32,
    anew: u32,
}

impl Progress {
    /// A page was read.
    pub fn read(&mut self) {
        self.pages += 1;
        if self.pages > self.furthest {
            self.furthest = self.pages;
            // Every list shows its first page.
            self.anew = if self.pages > 1 { 0 } else { self.anew };
        }
    }

    /// Begins the list again, unless that was done `most` times for nothing.
    pub fn begin_again(&mut self, most: u32) -> bool {
        self.pages = 0;
        self.anew += 1;
        self.anew <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_dies_at_the_same_page_is_left_and_one_that_comes_further_is_not() {
        let mut stuck = Progress::default();
        let mut turns = 0;
        loop {
            stuck.read();
            stuck.read();
            turns += 1;
            if !stuck.begin_again(3) {
                break;
            }
            assert!(turns < 10, "it never ends");
        }
        assert_eq!(turns, 4);
        let mut slow = Progress::default();
        for reached in 2..40 {
            (0..reached).for_each(|_| slow.read());
            assert!(slow.begin_again(3), "{reached}");
        }
    }
}
