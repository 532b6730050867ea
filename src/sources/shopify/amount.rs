//! Amounts as Shopify tells them: each in the shop's own currency and in the buyer's. Books are kept in the shop's.
//! <https://shopify.dev/docs/api/admin-graphql/latest/objects/MoneyBag>

use serde_json::Value;

use crate::domain::money::{Currency, Money};
use crate::sources::kit::{first_text, scalar};

/// The shop's side of a pair of amounts, in the shape of REST or of GraphQL.
pub fn shop_money(bag: &Value) -> Option<Money> {
    side(bag, ["shop_money", "shopMoney"])
}

/// The first of several pairs that is there, in the shop's currency.
pub fn first_shop_money(value: &Value, keys: &[&str]) -> Option<Money> {
    keys.iter().find_map(|key| shop_money(value.get(*key)?))
}

fn buyer_money(bag: &Value) -> Option<Money> {
    side(bag, ["presentment_money", "presentmentMoney"])
}

fn side(bag: &Value, keys: [&str; 2]) -> Option<Money> {
    let told = keys.iter().find_map(|key| bag.get(*key))?;
    let currency = Currency::parse(&first_text(told, &["currency_code", "currencyCode"])?)?;
    exact(told.get("amount")?, currency)
}

/// A plain decimal, never below zero.
pub fn exact(value: &Value, currency: Currency) -> Option<Money> {
    Money::parse(&scalar(value)?, currency).ok().filter(|money| money.minor >= 0)
}

/// What an amount in the buyer's currency is in the shop's, after one amount that was told in both.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    shop: Money,
    buyer: Money,
}

impl Rate {
    pub fn of(bag: &Value) -> Option<Self> {
        let (shop, buyer) = (shop_money(bag)?, buyer_money(bag)?);
        (buyer.minor > 0).then_some(Self { shop, buyer })
    }

    /// Rounded half up. None where the amount is of a third currency.
    pub fn in_shop(&self, amount: Money) -> Option<Money> {
        if amount.currency != self.buyer.currency {
            return None;
        }
        let (shop, buyer) = (i128::from(self.shop.minor), i128::from(self.buyer.minor));
        let minor = (i128::from(amount.minor) * shop * 2 + buyer) / (buyer * 2);
        Some(Money::new(i64::try_from(minor).ok()?, self.shop.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shops_side_is_read_in_both_shapes() {
        let rest = json!({"shop_money": {"amount": "409.94", "currency_code": "USD"}, "presentment_money": {"amount": "377.1", "currency_code": "EUR"}});
        let graphql = json!({"shopMoney": {"amount": "409.94", "currencyCode": "USD"}, "presentmentMoney": {"amount": "377.1", "currencyCode": "EUR"}});
        for bag in [rest, graphql] {
            assert_eq!(shop_money(&bag).map(|m| m.to_string()).as_deref(), Some("USD 409.94"));
            assert_eq!(buyer_money(&bag).map(|m| m.to_string()).as_deref(), Some("EUR 377.10"));
        }
        for (amount, currency, want) in
            [("1200.0", "JPY", Some(1200)), ("1.234", "KWD", Some(1234)), ("-1", "USD", None), ("1.005", "USD", None)]
        {
            let bag = json!({"shop_money": {"amount": amount, "currency_code": currency}});
            assert_eq!(shop_money(&bag).map(|m| m.minor), want, "{amount} {currency}");
        }
        assert_eq!(shop_money(&json!({"shop_money": null})), None);
    }

    #[test]
    fn a_buyers_amount_is_turned_by_the_rate_of_the_order() {
        let bag = json!({"shop_money": {"amount": "100.00", "currency_code": "USD"}, "presentment_money": {"amount": "15000", "currency_code": "JPY"}});
        let rate = Rate::of(&bag).expect("a rate");
        let yen = |minor| Money::new(minor, Currency::parse("JPY").expect("JPY"));
        for (minor, want) in [(15_000, 10_000), (7_500, 5_000), (1, 1), (0, 0)] {
            assert_eq!(rate.in_shop(yen(minor)).map(|m| m.to_string()), Some(Money::new(want, rate.shop.currency).to_string()), "{minor}");
        }
        assert_eq!(rate.in_shop(Money::new(5, Currency::parse("EUR").expect("EUR"))), None);
        assert!(Rate::of(&json!({"shop_money": {"amount": "0", "currency_code": "USD"}, "presentment_money": {"amount": "0", "currency_code": "EUR"}})).is_none());
    }
}
