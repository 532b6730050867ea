//! A list whose pages come round again and again has no end: it is left instead of read for ever.

use std::collections::HashMap;

use crate::crypto;
use crate::domain::steps::Verdict;
use crate::wire::{Request, Response};

/// So often the same page is read in one run; some lists are read twice, and marks that died begin a list again.
const MOST: usize = 12;
/// An answer of that size holds records: the same one again is the same page, whatever was asked for.
const LONG: usize = 4 * 1024;

#[derive(Debug, Default)]
pub struct Repeats {
    seen: HashMap<[u8; 32], usize>,
}

impl Repeats {
    /// Whether the platform has given this answer too often.
    pub fn is_endless(&mut self, request: &Request, response: &Response) -> bool {
        if !response.is_success() {
            return false;
        }
        let asked = if response.body.len() >= LONG { String::new() } else { format!("{request:?}") };
        let digest = crypto::sha256(&[asked.as_bytes(), b"\0", &response.body].concat());
        let count = self.seen.entry(digest).or_default();
        *count += 1;
        *count > MOST
    }
}

pub fn endless(name: &str) -> Verdict {
    Verdict::Retry {
        after_ms: None,
        sentence: format!(
            "{name} gave the same page of a list again and again. What was read until then is stored; it is asked again later."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Headers;

    fn answer(body: &str) -> Response {
        Response { status: 200, headers: Headers::default(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_page_that_comes_round_again_and_again_is_no_list() {
        let ask = |page: usize| Request::new("GET", "https://a.example", format!("/list/{page}"));
        let long = "x".repeat(LONG);
        for (is_endless, pages) in [
            // The same question, the same answer.
            (true, (0..40).map(|_| (ask(1), answer("[1]"))).collect::<Vec<_>>()),
            // Many lists with nothing in them.
            (false, (0..400).map(|n| (ask(n), answer("[]"))).collect()),
            // A number of a page that the platform does not heed.
            (true, (0..40).map(|n| (ask(n), answer(&long))).collect()),
            (false, (0..400).map(|n| (ask(n), answer(&format!("{n} {long}")))).collect()),
        ] {
            let mut repeats = Repeats::default();
            assert_eq!(pages.iter().any(|(request, response)| repeats.is_endless(request, response)), is_endless);
        }
    }
}
