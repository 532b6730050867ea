//! Coupons as senders tell them. Shops list them, forms and imports write several into one text; either way they are the same
//! coupons, so that a partner earns by one however it was told.

/// Coupons of one order at most.
pub const MOST: usize = 20;

/// Each coupon once, in the order in which they were told: texts are parted at commas and semicolons.
pub fn codes<T: AsRef<str>>(told: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in told {
        for code in text.as_ref().split([',', ';']).map(str::trim).filter(|code| !code.is_empty()) {
            if all.len() < MOST && !all.iter().any(|known| known.to_lowercase() == code.to_lowercase()) {
                all.push(code.to_owned());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn several_in_one_text_are_several() {
        for (told, want) in [
            (&["A,B"][..], &["A", "B"][..]),
            (&["A", "B"], &["A", "B"]),
            (&[" A ; b,, ;"], &["A", "b"]),
            (&["TEN", "ten,XMAS"], &["TEN", "XMAS"]),
            (&["10% off"], &["10% off"]),
            (&["", " , "], &[]),
        ] {
            assert_eq!(codes(told), want, "{told:?}");
        }
        assert_eq!(codes((0..50).map(|n| format!("C{n}"))).len(), MOST);
    }

    proptest! {
        #[test]
        fn however_they_are_told_they_are_the_same(list in proptest::collection::vec("[A-Za-z0-9 ]{0,6}", 0..8)) {
            prop_assert_eq!(codes([list.join(",")]), codes(&list));
        }
    }
}
