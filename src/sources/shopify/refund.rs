//! Refunds, in the shape of REST (in orders and alone) and of GraphQL. What counts is the money that went back: the
//! refund's own transactions that succeeded. Lines that were merely restocked give nothing back, and order adjustments
//! only say how lines and money differ.
//! <https://shopify.dev/docs/api/admin-rest/latest/resources/refund>,
//! <https://shopify.dev/docs/api/admin-graphql/latest/objects/Refund>

use serde_json::Value;

use super::amount::{Rate, exact, first_shop_money, shop_money};
use super::told::{list, moment, tidy};
use crate::domain::fact::Refund;
use crate::domain::money::{Currency, Money};
use crate::domain::time::Time;
use crate::sources::kit::{first_text, text};

/// What is known of the money of the order, where the refund is told with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Till {
    /// The shop's own currency.
    pub currency: Option<Currency>,
    pub rate: Option<Rate>,
}

#[derive(Debug, PartialEq)]
pub enum Told {
    Refund(Refund),
    /// Nothing has gone back: not yet, not any more, or never.
    NoMoney,
    /// Money went back in a currency that cannot be turned into the shop's.
    Unclear,
}

/// `now` stands in for a time that is not told.
pub fn read(value: &Value, till: Till, now: Time) -> Told {
    let Some(external_id) = first_text(value, &["legacyResourceId", "id"]) else { return Told::NoMoney };
    let done: Vec<&Value> =
        transactions(value).iter().filter(|t| is_word(t, "kind", "refund") && is_word(t, "status", "success")).collect();
    let amount = match done.as_slice() {
        // GraphQL tells the sum also where it tells no transactions.
        [] if transactions(value).is_empty() => first_shop_money(value, &["totalRefundedSet"]),
        [] => None,
        some => match sum(some, till, value) {
            Some(amount) => Some(amount),
            None => return Told::Unclear,
        },
    };
    let Some(amount) = amount.filter(|a| a.minor > 0) else { return Told::NoMoney };
    let at = first_text(value, &["created_at", "createdAt", "processed_at", "processedAt"]);
    let at = at.or_else(|| done.first().and_then(|t| first_text(t, &["processed_at", "created_at"])));
    Told::Refund(Refund {
        external_id,
        happened_at: moment(at.as_deref(), now).unwrap_or(now),
        amount,
        reason: text(value, "note").and_then(|note| tidy(&note)),
    })
}

fn sum(transactions: &[&Value], till: Till, refund: &Value) -> Option<Money> {
    let rate = till.rate.or_else(|| rate_within(refund));
    let mut sum: Option<Money> = None;
    for transaction in transactions {
        let own = transaction.get("amountSet").or_else(|| transaction.get("amount_set")).and_then(shop_money);
        let amount = match own {
            Some(money) => money,
            None => {
                let told = exact(transaction.get("amount")?, told_currency(transaction, till)?)?;
                in_shop(told, till.currency, rate)?
            }
        };
        sum = Some(match sum {
            None => amount,
            Some(before) if before.currency == amount.currency => Money::new(before.minor.checked_add(amount.minor)?, amount.currency),
            Some(_) => return None,
        });
    }
    sum
}

fn told_currency(transaction: &Value, till: Till) -> Option<Currency> {
    match text(transaction, "currency") {
        Some(word) => Currency::parse(&word),
        None => till.currency,
    }
}

/// A shop with a single currency tells no pairs and needs no rate.
fn in_shop(told: Money, shop: Option<Currency>, rate: Option<Rate>) -> Option<Money> {
    match (shop, rate) {
        (Some(shop), _) if told.currency == shop => Some(told),
        (_, Some(rate)) => rate.in_shop(told).filter(|m| shop.is_none_or(|shop| shop == m.currency)),
        (Some(_), None) => None,
        (None, None) => Some(told),
    }
}

/// The rate of the day of the refund, from an amount that the refund itself tells in both currencies.
fn rate_within(refund: &Value) -> Option<Rate> {
    let lines = list(refund.get("refund_line_items")).iter().filter_map(|line| line.get("subtotal_set"));
    let adjusted = list(refund.get("order_adjustments")).iter().filter_map(|line| line.get("amount_set"));
    lines.chain(adjusted).find_map(Rate::of)
}

/// A list in REST, a connection in GraphQL.
fn transactions(refund: &Value) -> &[Value] {
    let told = refund.get("transactions");
    list(told.and_then(|t| t.get("nodes")).or(told))
}

fn is_word(value: &Value, key: &str, word: &str) -> bool {
    text(value, key).is_some_and(|told| told.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn eur() -> Currency {
        Currency::parse("EUR").expect("EUR")
    }

    fn now() -> Time {
        Time::parse("2026-06-13T09:20:00Z").expect("a time")
    }

    fn amount(value: Value, till: Till) -> Result<String, Told> {
        match read(&value, till, now()) {
            Told::Refund(refund) => Ok(refund.amount.to_string()),
            other => Err(other),
        }
    }

    #[test]
    fn only_money_that_went_back_counts() {
        let own = Till { currency: Some(eur()), rate: None };
        let paid = |status: &str, kind: &str, amount: &str| json!({"kind": kind, "status": status, "amount": amount, "currency": "EUR"});
        for (transactions, want) in [
            (json!([paid("success", "refund", "12.50")]), Ok("EUR 12.50")),
            (
                json!([paid("success", "refund", "12.50"), paid("failure", "refund", "99"), paid("success", "refund", "0.50")]),
                Ok("EUR 13.00"),
            ),
            (json!([paid("pending", "refund", "12.50")]), Err(Told::NoMoney)),
            (json!([paid("success", "void", "12.50")]), Err(Told::NoMoney)),
            (json!([paid("success", "refund", "0.00")]), Err(Told::NoMoney)),
            (json!([]), Err(Told::NoMoney)),
            (json!(null), Err(Told::NoMoney)),
            (json!([{"kind": "refund", "status": "success", "amount": "1", "currency": "USD"}]), Err(Told::Unclear)),
            (json!([{"kind": "refund", "status": "success", "amount": "a lot"}]), Err(Told::Unclear)),
        ] {
            assert_eq!(amount(json!({"id": 7, "transactions": transactions}), own), want.map(str::to_owned), "{transactions}");
        }
    }

    #[test]
    fn money_in_the_buyers_currency_is_turned_into_the_shops() {
        let bag = |shop: &str, buyer: &str| json!({"shop_money": {"amount": shop, "currency_code": "EUR"}, "presentment_money": {"amount": buyer, "currency_code": "USD"}});
        let transactions = json!([{"kind": "refund", "status": "success", "amount": "55.00", "currency": "USD"}]);
        let alone = json!({"id": 7, "refund_line_items": [{"subtotal_set": bag("50.00", "55.00")}], "transactions": transactions});
        assert_eq!(amount(alone, Till::default()), Ok("EUR 50.00".into()));
        let with_order = Till { currency: Some(eur()), rate: Rate::of(&bag("100.00", "110.00")) };
        assert_eq!(amount(json!({"id": 7, "transactions": transactions}), with_order), Ok("EUR 50.00".into()));
        assert_eq!(amount(json!({"id": 7, "transactions": transactions}), Till::default()), Ok("USD 55.00".into()));
    }

    #[test]
    fn a_page_of_graphql_tells_the_same_refund() {
        let money = |amount: &str| json!({"shopMoney": {"amount": amount, "currencyCode": "EUR"}});
        let told = json!({"legacyResourceId": "509562969", "createdAt": "2026-06-10T10:00:00Z", "note": " too small ", "totalRefundedSet": money("12.5"),
            "transactions": {"nodes": [{"kind": "REFUND", "status": "SUCCESS", "amountSet": money("12.5")}]}});
        let rest = json!({"id": 509562969, "created_at": "2026-06-10T12:00:00+02:00", "processed_at": "2026-06-09T12:00:00+02:00", "note": "too small",
            "transactions": [{"kind": "refund", "status": "success", "amount": "12.50", "currency": "EUR"}]});
        assert_eq!(read(&told, Till::default(), now()), read(&rest, Till::default(), now()));
        let waiting = json!({"legacyResourceId": "1", "totalRefundedSet": money("12.5"), "transactions": {"nodes": [{"kind": "REFUND", "status": "PENDING"}]}});
        assert_eq!(read(&waiting, Till::default(), now()), Told::NoMoney);
        assert_eq!(amount(json!({"legacyResourceId": "1", "totalRefundedSet": money("12.5")}), Till::default()), Ok("EUR 12.50".into()));
    }
}
