//! One sale or lead, told by one or more reports: which reports belong together, and which of them speaks for it.

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::time::{HOUR_MS, MINUTE_MS, Time};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConversionKind {
    Sale,
    Lead,
    Signup,
    Custom,
}

impl ConversionKind {
    pub const ALL: [ConversionKind; 4] = [Self::Sale, Self::Lead, Self::Signup, Self::Custom];

    pub fn word(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Lead => "lead",
            Self::Signup => "signup",
            Self::Custom => "custom",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == text)
    }
}

/// Who tells of a sale, the best informed last. The highest speaks for amount, time and identity (spec 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(i64)]
pub enum Rank {
    AnyTrack = 1,
    Api = 2,
    GenericOrder = 3,
    Payment = 4,
    Shop = 5,
}

impl Rank {
    pub fn number(self) -> i64 {
        self as i64
    }
}

/// What is compared when a new report looks for its conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub kind: ConversionKind,
    pub order_key: Option<String>,
    /// The number is the shop's, not a tracker's own word for the sale, which may be the shop's number or any other.
    pub is_key_sure: bool,
    /// The verified person, if one is known.
    pub contact: Option<i64>,
    pub amount: Option<Money>,
    pub happened_at: Time,
    pub reporters: Vec<Reporter>,
}

/// Who has told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reporter {
    pub connection: i64,
    pub rank: i64,
    /// The kind of shop whose own order number it is; none where a form, a payment or the API tells of it.
    pub shop: Option<String>,
}

impl Reporter {
    /// `what` is the word of the report: only orders have a shop, and a payment is of any.
    pub fn new(connection: i64, rank: i64, what: &str, platform: &str) -> Self {
        let is_shop = what == "order" && platform != "generic" && rank != Rank::Payment.number();
        let shop = is_shop.then(|| platform.to_owned());
        Self { connection, rank, shop }
    }

    /// These two never tell of the same sale: one connection numbers its own, and so does each of two shops.
    fn excludes(&self, other: &Reporter) -> bool {
        let are_shops = self.rank == Rank::Shop.number() && other.rank == Rank::Shop.number();
        let differ = matches!((&self.shop, &other.shop), (Some(a), Some(b)) if a != b);
        self.connection == other.connection || are_shops || differ
    }
}

/// Whether what these have told and what those have told can be one.
pub fn can_be_one(some: &[Reporter], others: &[Reporter]) -> bool {
    !some.iter().any(|a| others.iter().any(|b| a.excludes(b)))
}

/// Sales without a common order id are one when the same verified person paid the same within this time.
pub const SAME_SALE_MS: i64 = 30 * MINUTE_MS;
/// Leads told by different connections are one when the same person sent them within this time.
pub const SAME_LEAD_MS: i64 = 24 * HOUR_MS;
/// Leads without an id are one by content within this time.
pub const SAME_CONTENT_MS: i64 = 24 * HOUR_MS;

/// What a report does with the conversions that might be its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joining {
    /// The candidate at this place.
    Join(usize),
    /// None fits: a conversion of its own.
    Apart,
    /// Several fit equally: a conversion of its own, flagged for the owner.
    Ambiguous,
}

/// Order ids as all senders would write them: `#`, spaces, case and a prefix of the shop's letters apart.
pub fn order_key(id: &str) -> Option<String> {
    let plain: String = id.chars().filter(|c| !c.is_whitespace() && *c != '#').collect::<String>().to_lowercase();
    let cut = match plain.rsplit_once(['-', '_', '/']) {
        // `shop-1001` is 1001; `2026-1001` keeps its year, which is part of the number.
        Some((prefix, number))
            if !prefix.is_empty()
                && prefix.bytes().all(|b| b.is_ascii_alphabetic())
                && number.bytes().all(|b| b.is_ascii_digit())
                && !number.is_empty() =>
        {
            number.to_owned()
        }
        _ => plain,
    };
    (!cut.is_empty()).then_some(cut)
}

/// The event id of a sale, under which platforms know it: the same one whether its number was told with or without `#` and blanks.
/// Small and capital letters and a prefix stay as they are told, because the shop's own pixel sends them so.
pub fn order_event(number: &str) -> String {
    let plain: String = number.chars().filter(|c| !c.is_whitespace() && *c != '#').collect();
    format!("order_{}", if plain.is_empty() { number } else { &plain })
}

/// Finds the conversion that a new report belongs to. Pure, and the same whichever arrived first.
pub fn joining(new: &Candidate, known: &[Candidate]) -> Joining {
    let may = |c: &Candidate| c.kind == new.kind && can_be_one(&c.reporters, &new.reporters);
    let by_order: Vec<usize> = places(known, |c| may(c) && new.order_key.is_some() && c.order_key == new.order_key);
    if by_order.iter().any(|place| contradicts(&known[*place], new)) {
        return Joining::Ambiguous;
    }
    match by_order.as_slice() {
        [one] => return Joining::Join(*one),
        [] => {}
        _ => return Joining::Ambiguous,
    }
    let by_person = places(known, |c| is_alike(c, new));
    if new.kind == ConversionKind::Lead {
        return nearest(&by_person, new, known);
    }
    match by_person.as_slice() {
        [one] => Joining::Join(*one),
        [] => Joining::Apart,
        _ => Joining::Ambiguous,
    }
}

/// The same number, and yet another person and another amount: a number of another system, such as the EU-1001 and US-1001 of two
/// branches. One of the two alone may be a second address, or a shipping fee.
fn contradicts(a: &Candidate, b: &Candidate) -> bool {
    let of_others = matches!((a.contact, b.contact), (Some(a), Some(b)) if a != b);
    of_others && matches!((a.amount, b.amount), (Some(a), Some(b)) if a != b)
}

/// What another sender tells of a person who sent several leads is one of them, and never one more: the nearest in time, of two
/// as near the earlier. Apart it would be counted and told to platforms twice. However they arrive, leads that all lie within a
/// day make as many as the busiest sender has told.
fn nearest(places: &[usize], new: &Candidate, known: &[Candidate]) -> Joining {
    let gap = |place: &&usize| (known[**place].happened_at.ms_since(new.happened_at).abs(), known[**place].happened_at, **place);
    places.iter().min_by_key(gap).map_or(Joining::Apart, |place| Joining::Join(*place))
}

/// They look like one, whatever their numbers say: the same verified person and amount, close to each other.
pub fn is_alike(a: &Candidate, b: &Candidate) -> bool {
    let gap = if a.kind == ConversionKind::Lead { SAME_LEAD_MS } else { SAME_SALE_MS };
    a.kind == b.kind
        && can_be_one(&a.reporters, &b.reporters)
        && a.contact.is_some()
        && a.contact == b.contact
        && (a.kind == ConversionKind::Lead || (a.amount.is_some() && a.amount == b.amount))
        && a.happened_at.ms_since(b.happened_at).abs() <= gap
        // Two different order ids are two sales, however alike they look.
        && (a.order_key.is_none() || b.order_key.is_none() || !a.is_key_sure || !b.is_key_sure)
}

fn places(known: &[Candidate], is_fit: impl Fn(&Candidate) -> bool) -> Vec<usize> {
    known.iter().enumerate().filter(|(_, c)| is_fit(c)).map(|(i, _)| i).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn sale(order: Option<&str>, contact: Option<i64>, minor: i64, at_s: i64, reporter: (i64, Rank)) -> Candidate {
        Candidate {
            kind: ConversionKind::Sale,
            order_key: order.and_then(order_key),
            is_key_sure: reporter.1 != Rank::AnyTrack,
            contact,
            amount: Some(Money::new(minor, Currency::parse("EUR").expect("EUR"))),
            happened_at: Time::from_s(at_s),
            reporters: vec![Reporter::new(reporter.0, reporter.1.number(), "sale", "api")],
        }
    }

    #[test]
    fn order_ids_agree_across_spellings() {
        for text in ["#1001", " 1001 ", "WC-1001", "shop_1001", "# 1001"] {
            assert_eq!(order_key(text).as_deref(), Some("1001"), "{text}");
        }
        assert_eq!(order_key("2026-1001").as_deref(), Some("2026-1001"));
        for (told, want) in
            [("#1001", "order_1001"), (" # 1001 ", "order_1001"), ("1001", "order_1001"), ("EU-1001", "order_EU-1001"), ("#", "order_#")]
        {
            assert_eq!(order_event(told), want, "{told}");
        }
        assert_eq!(order_key("AB-12C").as_deref(), Some("ab-12c"));
        assert_eq!(order_key(" # "), None);
    }

    #[test]
    fn reports_join_by_order_id_or_by_person_amount_and_time() {
        let shop = sale(Some("1001"), Some(1), 500, 1_000_000, (1, Rank::Shop));
        let rows: &[(&str, Candidate, Joining)] = &[
            ("same order id", sale(Some("#1001"), None, 500, 9_000_000, (2, Rank::Payment)), Joining::Join(0)),
            ("same person, amount, ten minutes", sale(None, Some(1), 500, 1_000_600, (2, Rank::Payment)), Joining::Join(0)),
            ("an hour later", sale(None, Some(1), 500, 1_003_600, (2, Rank::Payment)), Joining::Apart),
            ("another amount", sale(None, Some(1), 501, 1_000_600, (2, Rank::Payment)), Joining::Apart),
            ("another person", sale(None, Some(2), 500, 1_000_600, (2, Rank::Payment)), Joining::Apart),
            ("another order id", sale(Some("1002"), Some(1), 500, 1_000_600, (2, Rank::Payment)), Joining::Apart),
            (
                "the same number of somebody else, for less, weeks later",
                sale(Some("US-1001"), Some(2), 90, 3_000_000, (2, Rank::Api)),
                Joining::Ambiguous,
            ),
            ("the same number of another address", sale(Some("1001"), Some(2), 500, 3_000_000, (2, Rank::Api)), Joining::Join(0)),
            ("the same number without shipping", sale(Some("1001"), Some(1), 400, 3_000_000, (2, Rank::Api)), Joining::Join(0)),
            ("a tracker's own number", sale(Some("t-9x"), Some(1), 500, 1_000_600, (2, Rank::AnyTrack)), Joining::Join(0)),
            ("a tracker's own number, another amount", sale(Some("t-9x"), Some(1), 501, 1_000_600, (2, Rank::AnyTrack)), Joining::Apart),
            ("two shops have the same number", sale(Some("1001"), Some(1), 500, 1_000_000, (3, Rank::Shop)), Joining::Apart),
            ("one connection never joins itself", sale(Some("1001"), Some(1), 500, 1_000_000, (1, Rank::Payment)), Joining::Apart),
        ];
        for (what, new, want) in rows {
            assert_eq!(joining(new, std::slice::from_ref(&shop)), *want, "{what}");
        }
    }

    #[test]
    fn orders_of_two_kinds_of_shop_are_two_sales() {
        let order = |connection: i64, platform: &str| {
            let mut told = sale(Some("5001"), None, 500, 1_000_000, (connection, Rank::GenericOrder));
            told.reporters = vec![Reporter::new(connection, Rank::GenericOrder.number(), "order", platform)];
            told
        };
        let woo = order(1, "woocommerce");
        for (platform, want) in [("shopify", Joining::Apart), ("woocommerce", Joining::Join(0)), ("generic", Joining::Join(0))] {
            assert_eq!(joining(&order(2, platform), std::slice::from_ref(&woo)), want, "{platform}");
        }
    }

    #[test]
    fn a_payment_is_of_any_shop() {
        let told = |connection: i64, rank: Rank, platform: &str| {
            let mut told = sale(Some("5001"), None, 500, 1_000_000, (connection, rank));
            told.reporters = vec![Reporter::new(connection, rank.number(), "order", platform)];
            told
        };
        let paid = told(2, Rank::Payment, "stripe");
        for (shop, want) in [("woocommerce", Joining::Join(0)), ("shopify", Joining::Join(0))] {
            assert_eq!(joining(&paid, &[told(1, Rank::Shop, shop)]), want, "{shop}");
        }
        assert_eq!(joining(&told(3, Rank::Payment, "calendly"), &[paid]), Joining::Join(0));
    }

    /// Hour and connection of each lead; how many leads that is.
    #[test]
    fn leads_of_several_senders_are_as_many_as_the_busiest_has_told_whoever_is_heard_first() {
        let rows: &[(&[(i64, i64)], usize)] = &[
            (&[(0, 1), (1, 2)], 1),
            (&[(0, 1), (1, 2), (1, 1)], 2),
            (&[(0, 1), (0, 2), (5, 1), (5, 2)], 2),
            (&[(0, 1), (3, 2), (4, 3), (9, 1), (10, 3)], 2),
            (&[(0, 1), (2, 1), (4, 1), (5, 2), (6, 3)], 3),
        ];
        for (told, want) in rows {
            for turn in turns(told) {
                let mut known: Vec<Candidate> = Vec::new();
                for (hour, connection) in &turn {
                    let mut new = sale(None, Some(1), 0, 1_000_000 + hour * 3_600, (*connection, Rank::Api));
                    (new.kind, new.amount) = (ConversionKind::Lead, None);
                    match joining(&new, &known) {
                        Joining::Join(place) => known[place].reporters.extend(new.reporters),
                        Joining::Apart => known.push(new),
                        Joining::Ambiguous => panic!("a lead is never in doubt"),
                    }
                }
                assert_eq!(known.len(), *want, "{turn:?}");
            }
        }
    }

    fn turns(all: &[(i64, i64)]) -> Vec<Vec<(i64, i64)>> {
        if all.is_empty() {
            return vec![Vec::new()];
        }
        (0..all.len())
            .flat_map(|n| {
                let mut rest = all.to_vec();
                let first = rest.remove(n);
                turns(&rest).into_iter().map(move |turn| [vec![first], turn].concat()).collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn of_several_leads_the_nearest_is_meant() {
        let lead =
            |at_s: i64, connection: i64| Candidate { kind: ConversionKind::Lead, ..sale(None, Some(1), 0, at_s, (connection, Rank::Api)) };
        let known = [lead(1_000_000, 1), lead(1_007_200, 1)];
        for (at_s, want) in [(1_000_600, 0), (1_007_000, 1), (1_003_600, 0), (1_080_000, 1)] {
            assert_eq!(joining(&lead(at_s, 2), &known), Joining::Join(want), "{at_s}");
        }
        assert_eq!(joining(&lead(1_100_000, 2), &known), Joining::Apart, "more than a day later");
    }

    #[test]
    fn more_than_one_candidate_stays_apart() {
        let known = [sale(None, Some(1), 500, 1_000_000, (1, Rank::Api)), sale(None, Some(1), 500, 1_000_060, (2, Rank::AnyTrack))];
        let new = sale(None, Some(1), 500, 1_000_120, (3, Rank::Payment));
        assert_eq!(joining(&new, &known), Joining::Ambiguous);
    }
}
