//! Why a platform did not do what its owner has just asked for. What a talk says of itself ("It is asked again later.") is true of
//! what goes on by itself; of credentials that are not saved, nobody asks again but their owner.

use crate::domain::steps::Verdict;
use crate::domain::time::MINUTE_MS;
use crate::error::{Error, Kind};
use crate::flows::asking;

pub fn refused(verdict: &Verdict) -> Error {
    let code = if matches!(verdict, Verdict::Retry { .. }) { "not_reachable" } else { "refused_by_platform" };
    Error::new(Kind::Invalid, code, asking::sentence_of(verdict))
}

/// Before anything was saved.
pub fn unsaved(verdict: &Verdict) -> Error {
    let said = asking::sentence_of(verdict);
    let Verdict::Retry { after_ms, .. } = verdict else { return refused(verdict) };
    let when = match after_ms {
        Some(ms) if *ms > MINUTE_MS => format!("in {} minutes", (ms + MINUTE_MS - 1) / MINUTE_MS),
        _ => "in a minute".to_owned(),
    };
    let sentence = format!("{} Nothing was saved. Try again {when}.", unpromised(&said));
    let error = Error::new(Kind::Invalid, "not_reachable", sentence.trim_start());
    match after_ms.and_then(|ms| u32::try_from((ms + 999) / 1_000).ok()) {
        Some(seconds) => error.after(seconds),
        None => error,
    }
}

/// Without the last sentence where it says that it is done again by itself.
fn unpromised(said: &str) -> &str {
    let promises = ["It is asked again", "It is tried again"];
    let begins = promises.iter().filter_map(|promise| said.find(promise)).min();
    begins.map_or(said, |at| &said[..at]).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_saved_is_promised_nothing() {
        let retry = |after_ms, sentence: &str| Verdict::Retry { after_ms, sentence: sentence.into() };
        let soon = "Nothing was saved. Try again in a minute.";
        for (verdict, code, want) in [
            (
                retry(Some(120_000), "shop takes a hundred requests in two minutes. It is asked again then."),
                "not_reachable",
                "shop takes a hundred requests in two minutes. Nothing was saved. Try again in 2 minutes.".to_owned(),
            ),
            (
                retry(Some(61_000), "Stripe is busy. It is tried again by itself."),
                "not_reachable",
                "Stripe is busy. Nothing was saved. Try again in 2 minutes.".to_owned(),
            ),
            (retry(Some(5_000), "Zoom asks for fewer requests."), "not_reachable", format!("Zoom asks for fewer requests. {soon}")),
            (retry(None, "Zoom answered 502."), "not_reachable", format!("Zoom answered 502. {soon}")),
            (retry(None, ""), "not_reachable", soon.to_owned()),
            (Verdict::Pause("The token is wrong.".into()), "refused_by_platform", "The token is wrong.".to_owned()),
        ] {
            let got = unsaved(&verdict);
            assert_eq!((got.code, got.message), (code, want));
        }
    }
}
