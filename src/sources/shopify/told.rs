//! An order out of what either shape of Shopify told of it. Webhooks tell it as REST does, a pull as GraphQL does; both
//! are read into this, so that the same order is the same order.

use serde_json::Value;

use super::journey::Visits;
use super::refund::{self, Till};
use crate::domain::campaign::{MAX_TEXT, clean_text};
use crate::domain::conversion::Rank;
use crate::domain::coupon;
use crate::domain::fact::{Order, OrderStatus, Person, Traces};
use crate::domain::money::Money;
use crate::domain::outgoing::Item;
use crate::domain::time::{MINUTE_MS, Time};
use crate::sources::kit::first_text;
use crate::sources::{Home, Reject};

/// Clocks may be this far ahead; beyond it the moment is ours.
const AHEAD_MS: i64 = 10 * MINUTE_MS;
/// Lines beyond these are left out.
const MAX_ITEMS: usize = 500;
/// Fields of a cart that are looked at.
const MOST_NOTES: usize = 50;
/// A number of pieces beyond this is a mistake.
const MAX_QUANTITY: i64 = 1_000_000;

/// Where the page script and the cart of the shop leave the visit.
/// <https://shopify.dev/docs/api/ajax/reference/cart#update-cart-attributes>
pub const SESSION: &[&str] = &["_halo_session", "halo_session_id", "_halo"];

pub struct Told {
    pub id: Option<String>,
    /// `#1001`, with the shop's own prefix and suffix.
    pub name: Option<String>,
    /// At the sale, edits of the order in it, before returns; in the shop's currency.
    pub total: Option<Money>,
    pub tax: Option<Money>,
    pub shipping: Option<Money>,
    pub discount: Option<Money>,
    /// In either shape's letters: `partially_paid`, `PARTIALLY_PAID`.
    pub financial_status: Option<String>,
    pub cancelled_at: Option<String>,
    pub happened_at: Option<String>,
    pub modified_at: Option<String>,
    pub is_test: bool,
    pub person: Person,
    pub traces: Traces,
    pub items: Vec<Item>,
    pub refunds: Vec<refund::Told>,
    /// The list of refunds was there, and was not cut.
    pub are_refunds_listed: bool,
    pub visits: Visits,
}

impl Told {
    pub fn order(self, home: &Home) -> Result<Order, Reject> {
        let external_id = self.id.as_deref().and_then(tidy).ok_or_else(|| bad("id", "id must be the number of the order."))?;
        let total = self.total.ok_or_else(|| bad("total_price", "total_price must be a decimal like 12.50 with the shop's currency."))?;
        // The `#` is decoration; a prefix such as EN- is the shop's own.
        let name = self.name.as_deref().map(|name| name.trim().trim_start_matches('#')).and_then(tidy);
        let cancelled_at = moment(self.cancelled_at.as_deref(), home.now);
        let word = self.financial_status.as_deref().and_then(tidy).map(|word| word.to_lowercase()).unwrap_or_default();
        let status = if cancelled_at.is_some() { OrderStatus::Cancelled } else { status(&word) };
        let are_refunds_whole = self.are_refunds_listed && !self.refunds.contains(&refund::Told::Unclear);
        let refunds: Vec<_> = self
            .refunds
            .into_iter()
            .filter_map(|told| match told {
                refund::Told::Refund(refund) => Some(refund),
                refund::Told::NoMoney | refund::Told::Unclear => None,
            })
            .collect();
        let last_refund = refunds.iter().map(|r| r.happened_at).max().filter(|_| status == OrderStatus::Refunded);
        let happened_at = moment(self.happened_at.as_deref(), home.now).unwrap_or(home.now);
        let paid = self::status(&word);
        Ok(Order {
            order_number: name.unwrap_or_else(|| external_id.clone()),
            external_id,
            platform: "shopify".into(),
            rank: Rank::Shop,
            happened_at,
            modified_at: moment(self.modified_at.as_deref(), home.now).map_or(home.now, |at| at.min(home.now)),
            ended_at: cancelled_at.or(last_refund),
            person: self.person,
            traces: self.traces,
            total,
            tax: self.tax,
            shipping: self.shipping,
            discount: self.discount,
            status,
            raw_status: if cancelled_at.is_some() { "cancelled".into() } else { word },
            is_test: self.is_test,
            items: self.items,
            refunds,
            are_refunds_whole,
            refunded_so_far: None,
            journey: self.visits.touches(),
            is_gone: false,
            was_paid: matches!(paid, OrderStatus::Paid | OrderStatus::Refunded),
            is_imported: false,
        })
    }
}

/// What the money of an order says of it. Only money that has come counts: an authorisation is none yet, and a part of
/// the price is not the price. A payment that was voided or has expired was never made; the order may still be paid.
/// <https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderDisplayFinancialStatus>
pub fn status(word: &str) -> OrderStatus {
    match word {
        "paid" | "partially_refunded" => OrderStatus::Paid,
        "refunded" => OrderStatus::Refunded,
        "voided" => OrderStatus::Cancelled,
        _ => OrderStatus::Pending,
    }
}

/// A line as both shapes tell it.
pub struct Line {
    /// The best id first: the product, as reports count by it; a line that is of no product has its own words.
    pub ids: Vec<Option<String>>,
    pub name: Option<String>,
    pub quantity: Option<String>,
    /// Of one piece, before discounts.
    pub price: Option<Money>,
    /// What the whole line got off, its part of the order's discounts included.
    pub off: Option<Money>,
}

pub fn items(lines: impl Iterator<Item = Line>) -> Vec<Item> {
    lines.take(MAX_ITEMS).filter_map(item).collect()
}

fn item(line: Line) -> Option<Item> {
    let name = line.name.as_deref().and_then(tidy);
    let id = line.ids.into_iter().flatten().find_map(|id| tidy(&id)).or_else(|| name.clone())?;
    let quantity = line.quantity.and_then(|q| q.parse::<i64>().ok()).map_or(1, |n| n.clamp(0, MAX_QUANTITY));
    let price = line.price.map(|each| match line.off {
        Some(off) if quantity > 0 && off.currency == each.currency => {
            let left = i128::from(each.minor) * i128::from(quantity) - i128::from(off.minor);
            Money::new(i64::try_from(left.max(0) / i128::from(quantity)).unwrap_or(each.minor), each.currency)
        }
        _ => each,
    });
    Some(Item { id, name, quantity, price })
}

/// The session that is named first among note attributes; themes and apps write more than one.
pub fn session(attributes: &[Value]) -> Option<String> {
    let value = |name: &str| {
        let named = |a: &&Value| first_text(a, &["name", "key"]).is_some_and(|n| n.eq_ignore_ascii_case(name));
        attributes.iter().filter(named).find_map(|a| first_text(a, &["value"]))
    };
    // Ours are shorter; a longer text is not looked at.
    SESSION.iter().find_map(|name| value(name)).filter(|id| id.len() <= 512)
}

/// What the buyer has written into the cart's own fields.
pub fn notes(attributes: &[Value]) -> impl Iterator<Item = String> {
    attributes.iter().take(MOST_NOTES).filter_map(|a| first_text(a, &["value"]))
}

pub fn codes(codes: impl Iterator<Item = String>) -> Vec<String> {
    coupon::codes(codes.filter_map(|code| tidy(&code)))
}

/// What the whole of an order's money is told with.
pub fn till(total: Option<Money>, bag: Option<&Value>) -> Till {
    Till { currency: total.map(|t| t.currency), rate: bag.and_then(super::amount::Rate::of) }
}

/// A moment as told, none that lies ahead.
pub fn moment(told: Option<&str>, now: Time) -> Option<Time> {
    told.and_then(Time::parse).map(|at| if at.ms_since(now) > AHEAD_MS { now } else { at })
}

/// Cleaned of control marks, and cut.
pub fn tidy(text: &str) -> Option<String> {
    let cut: String = clean_text(text, MAX_TEXT).chars().take(MAX_TEXT).collect();
    (!cut.is_empty()).then_some(cut)
}

pub fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A field whose value cannot be taken.
pub fn bad(field: &str, sentence: &str) -> Reject {
    let code = if field.contains("price") { "invalid_amount" } else { "invalid_field" };
    Reject::BadField { field: field.to_owned(), code, sentence: sentence.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use serde_json::json;

    #[test]
    fn an_order_counts_by_the_money_that_came() {
        for (word, want) in [
            ("paid", OrderStatus::Paid),
            ("partially_refunded", OrderStatus::Paid),
            ("refunded", OrderStatus::Refunded),
            ("voided", OrderStatus::Cancelled),
            ("authorized", OrderStatus::Pending),
            ("partially_paid", OrderStatus::Pending),
            ("pending", OrderStatus::Pending),
            ("expired", OrderStatus::Pending),
            ("", OrderStatus::Pending),
        ] {
            assert_eq!(status(word), want, "{word}");
        }
    }

    #[test]
    fn a_piece_costs_what_is_left_after_discounts() {
        let money = |minor| Money::new(minor, Currency::parse("USD").expect("USD"));
        for (quantity, each, off, want) in
            [("2", 1_000, 500, 750), ("3", 1_000, 1_000, 666), ("1", 1_000, 2_000, 0), ("0", 1_000, 10, 1_000)]
        {
            let line = Line {
                ids: vec![None, Some("7".into())],
                name: None,
                quantity: Some(quantity.into()),
                price: Some(money(each)),
                off: Some(money(off)),
            };
            assert_eq!(item(line).and_then(|i| i.price).map(|m| m.minor), Some(want), "{quantity} × {each} − {off}");
        }
        let line = Line { ids: vec![None, Some(" ".into())], name: Some(" Gift\u{0} ".into()), quantity: None, price: None, off: None };
        assert_eq!(item(line), Some(Item { id: "Gift".into(), name: Some("Gift".into()), quantity: 1, price: None }));
    }

    #[test]
    fn the_session_is_found_under_each_of_its_names() {
        for name in ["_halo_session", "halo_session_id", "_HALO"] {
            let attributes = [json!({"name": "colour", "value": "green"}), json!({"key": name, "value": " s1 "})];
            assert_eq!(session(&attributes).as_deref(), Some("s1"), "{name}");
        }
        assert_eq!(session(&[json!({"name": "_halo_session", "value": ""}), json!(7)]), None);
        assert_eq!(session(&[json!({"name": "_halo_session", "value": "x".repeat(600)})]), None);
    }
}
