//! What looks wrong about a partner's clicks and sales, each with its reason in words. A flag accuses nobody: it says what
//! was seen, and the owner decides.

use serde::{Deserialize, Serialize};

/// Fewer sales by coupon say nothing about where the coupon is known.
const FEW_COUPONS: i64 = 5;
/// So many of a hundred sales by coupon came without any visit by the partner's link.
const LEAKED_PERCENT: i64 = 80;
/// Fewer clicks are an impatient visitor.
const FEW_BURSTS: i64 = 20;
const BURST_PERCENT: i64 = 20;
const FEW_ADS: i64 = 10;
const ADS_PERCENT: i64 = 30;

/// What was counted of a partner in some days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub clicks: i64,
    /// Clicks of one network, one after the other, beyond what a person does.
    pub bursts: i64,
    /// Clicks that a search engine's advertisement brought.
    pub ads: i64,
    pub by_coupon: i64,
    /// Of these, without any visit by the partner's link.
    pub by_coupon_alone: i64,
    /// Sales that the partner seems to have bought.
    pub own: i64,
    /// Sales that only a browser's own word ties to the partner's link.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub unproved: i64,
    /// Conversions before which the partner's link was followed; none where that was not yet counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_link: Option<i64>,
}

/// Why a commission waits: its only link is a claim that anybody could make.
pub const UNPROVED: &str = "Only a browser said to be the buyer's: nothing proves that the buyer followed the link.";

/// Whether two addresses are one mailbox: what stands behind a plus is its owner's own choice, and Google leaves dots out. Good for a
/// flag alone: nobody is taken for somebody else by it.
pub fn is_same_mailbox(one: &str, other: &str) -> bool {
    mailbox(one) == mailbox(other)
}

/// What is written down for good is written without what was not known to its first readers.
fn is_nought(n: &i64) -> bool {
    *n == 0
}

fn mailbox(address: &str) -> String {
    let address = address.trim().to_lowercase();
    let Some((local, host)) = address.rsplit_once('@') else { return address };
    let local = local.split('+').next().unwrap_or(local);
    match host {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", local.replace('.', "")),
        _ => format!("{local}@{host}"),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// `self_purchase`, `unproved_buyer`, `code_leaked`, `paid_search`, `burst`.
    pub word: &'static str,
    pub sentence: String,
}

pub fn flags(seen: &Seen) -> Vec<Flag> {
    let mut all = Vec::new();
    let is_much = |part: i64, whole: i64, few: i64, percent: i64| part >= few && part * 100 >= whole * percent;
    if seen.own > 0 {
        let sales = if seen.own == 1 { "1 sale was".to_owned() } else { format!("{} sales were", seen.own) };
        all.push(Flag {
            word: "self_purchase",
            sentence: format!("{sales} bought by the partner, as it looks. The commission waits until you decide."),
        });
    }
    if seen.unproved > 0 {
        let sales = if seen.unproved == 1 { "1 sale is".to_owned() } else { format!("{} sales are", seen.unproved) };
        all.push(Flag {
            word: "unproved_buyer",
            sentence: format!("{sales} tied to the partner's link by a browser's own word alone. The commission waits until you decide."),
        });
    }
    if is_much(seen.by_coupon_alone, seen.by_coupon, FEW_COUPONS, LEAKED_PERCENT) {
        all.push(Flag {
            word: "code_leaked",
            sentence: format!(
                "{} of {} sales by coupon came without any visit by the partner's link: the coupon may stand on a coupon site.",
                seen.by_coupon_alone, seen.by_coupon
            ),
        });
    }
    if is_much(seen.ads, seen.clicks, FEW_ADS, ADS_PERCENT) {
        all.push(Flag {
            word: "paid_search",
            sentence: format!(
                "{} of {} clicks came from search advertisements: the partner may be bidding on your name.",
                seen.ads, seen.clicks
            ),
        });
    }
    if is_much(seen.bursts, seen.clicks, FEW_BURSTS, BURST_PERCENT) {
        all.push(Flag {
            word: "burst",
            sentence: format!("{} of {} clicks came from one network within minutes.", seen.bursts, seen.clicks),
        });
    }
    all
}

/// Why a sale looks like the partner's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    Email,
    Phone,
    Browser,
}

impl Own {
    pub fn sentence(self) -> &'static str {
        match self {
            Own::Email => "The buyer's e-mail address is the partner's own.",
            Own::Phone => "The buyer's phone number is the partner's own.",
            Own::Browser => "It was bought in a browser in which the partner was known.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_goes_by_several_addresses() {
        for (one, other, is_same) in [
            ("noor@mail.example", "Noor+shop@Mail.example", true),
            ("noor.h@gmail.com", "noorh+1@googlemail.com", true),
            ("noor.h@mail.example", "noorh@mail.example", false),
            ("noor@mail.example", "noor@other.example", false),
            ("nobody", "nobody@mail.example", false),
        ] {
            assert_eq!(is_same_mailbox(one, other), is_same, "{one} {other}");
        }
    }

    #[test]
    fn a_flag_needs_more_than_a_few() {
        let words = |seen: Seen| flags(&seen).into_iter().map(|f| f.word).collect::<Vec<_>>();
        let quiet = Seen { clicks: 1_000, bursts: 19, ads: 9, by_coupon: 4, by_coupon_alone: 4, own: 0, unproved: 0, by_link: None };
        assert_eq!(words(quiet), Vec::<&str>::new());
        assert_eq!(words(Seen { clicks: 40, bursts: 30, ..quiet }), ["burst"]);
        assert_eq!(words(Seen { bursts: 150, ..quiet }), Vec::<&str>::new(), "a small part of many clicks");
        assert_eq!(words(Seen { by_coupon: 10, by_coupon_alone: 8, ..quiet }), ["code_leaked"]);
        assert_eq!(words(Seen { by_coupon: 10, by_coupon_alone: 7, ..quiet }), Vec::<&str>::new());
        assert_eq!(words(Seen { clicks: 30, ads: 12, ..quiet }), ["paid_search"]);
        assert_eq!(words(Seen { own: 1, ..quiet }), ["self_purchase"]);
        assert_eq!(words(Seen { unproved: 2, ..quiet }), ["unproved_buyer"]);
        assert!(flags(&Seen { own: 1, ..quiet })[0].sentence.starts_with("1 sale was bought"));
    }
}
