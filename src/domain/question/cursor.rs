//! Where the next page begins: the place of the last row that was shown. Callers take it as it is; it is checked when
//! it comes back.

use super::Asked;
use crate::error::{Error, Result};

/// By the key the list is ordered by, then by number. No key sorts after all keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub key: Option<i64>,
    pub id: i64,
}

impl Cursor {
    /// The end of a range, newest first, as far as it has been gone through. Statements name it beside the cursor itself: of two
    /// upper bounds SQLite takes the plain one for its index, and would pass over every row before the cursor.
    pub fn end(self, to_ms: i64) -> i64 {
        to_ms.min(self.key.unwrap_or(i64::MAX).saturating_add(1))
    }

    /// `order` names the list's order: a cursor of one order is none in another.
    pub fn text(&self, order: &str) -> String {
        let key = self.key.map(|k| k.to_string()).unwrap_or_default();
        format!("{order}.{key}.{}", self.id)
    }

    pub fn parse(text: &str, order: &str) -> Option<Self> {
        if text.len() > 200 {
            return None;
        }
        let mut parts = text.split('.');
        let (of, key, id) = (parts.next()?, parts.next()?, parts.next()?);
        if of != order || parts.next().is_some() {
            return None;
        }
        let key = if key.is_empty() { None } else { Some(key.parse().ok()?) };
        Some(Self { key, id: id.parse().ok()? })
    }
}

impl<'a> Asked<'a> {
    pub fn cursor(&self, order: &str) -> Result<Option<Cursor>> {
        self.one("cursor")
            .map(|text| {
                Cursor::parse(text, order).ok_or_else(|| {
                    Error::parameter(
                        "cursor",
                        "cursor is the `next` of the page before, with the same sort. Leave it out for the first page.",
                    )
                })
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_where_the_cursor_is() {
        let at = |key| Cursor { key, id: 4 };
        assert_eq!((at(Some(7)).end(20), at(Some(7)).end(3), at(None).end(20), at(Some(i64::MAX)).end(20)), (8, 3, 20, 20));
    }

    #[test]
    fn a_cursor_is_read_back_in_its_own_order_only() {
        for cursor in [Cursor { key: Some(-5), id: 7 }, Cursor { key: None, id: 1 }, Cursor { key: Some(i64::MAX), id: i64::MIN }] {
            assert_eq!(Cursor::parse(&cursor.text("amount"), "amount"), Some(cursor));
            assert_eq!(Cursor::parse(&cursor.text("amount"), "happened_at"), None);
        }
        for bad in ["", "x", "%", "amount.1.2.3", "amount.x.1", &"amount.1.2".repeat(30), "' or 1=1"] {
            assert_eq!(Cursor::parse(bad, "amount"), None, "{bad}");
        }
    }
}
