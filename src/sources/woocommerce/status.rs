//! What a state of WooCommerce means. <https://woocommerce.com/document/managing-orders/order-statuses/>

use crate::domain::fact::OrderStatus;

/// Whether the order lies in the bin: kept here, not counted.
pub fn is_gone(word: &str) -> bool {
    plain(word) == "trash"
}

/// Nothing more comes of it. What was paid before was a sale until then.
pub fn is_over(word: &str) -> bool {
    matches!(plain(word), "cancelled" | "failed" | "refunded" | "trash")
}

/// `has_paid` is that the shop dates the payment. A word of a plug-in (`packing`, `shipped`) counts by that alone.
pub fn read(word: &str, has_paid: bool, counts_on_hold: bool) -> OrderStatus {
    match plain(word) {
        "processing" | "completed" => OrderStatus::Paid,
        "on-hold" if counts_on_hold => OrderStatus::Paid,
        "pending" | "on-hold" => OrderStatus::Pending,
        // The word before the bin is lost; what the bin holds is no sale.
        "cancelled" | "failed" | "trash" => OrderStatus::Cancelled,
        "refunded" => OrderStatus::Refunded,
        "checkout-draft" | "auto-draft" | "draft" | "new" => OrderStatus::Draft,
        _ if has_paid => OrderStatus::Paid,
        _ => OrderStatus::Pending,
    }
}

/// Inside WordPress the words carry a `wc-` in front; some plug-ins leave it there.
fn plain(word: &str) -> &str {
    word.strip_prefix("wc-").unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use OrderStatus::*;

    #[test]
    fn words_and_payments() {
        for (word, unpaid, paid) in [
            ("processing", Paid, Paid),
            ("completed", Paid, Paid),
            ("wc-completed", Paid, Paid),
            ("pending", Pending, Pending),
            ("on-hold", Pending, Pending),
            ("cancelled", Cancelled, Cancelled),
            ("failed", Cancelled, Cancelled),
            ("refunded", Refunded, Refunded),
            ("checkout-draft", Draft, Draft),
            ("auto-draft", Draft, Draft),
            ("draft", Draft, Draft),
            ("trash", Cancelled, Cancelled),
            ("packing", Pending, Paid),
            ("partially-refunded", Pending, Paid),
            ("", Pending, Paid),
        ] {
            assert_eq!((read(word, false, false), read(word, true, false)), (unpaid, paid), "{word}");
        }
        assert_eq!(read("on-hold", false, true), Paid);
        assert!(is_gone("trash") && !is_gone("cancelled"));
    }
}
