//! How far before a conversion a touch may lie, and what "before" means.

use super::super::time::{DAY_MS, SECOND_MS, Time};

/// Days before the conversion; none is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window(pub Option<u32>);

impl Window {
    /// What an owner may choose, the shortest first.
    pub const ALL: [Window; 7] = [Self(Some(1)), Self(Some(7)), Self(Some(14)), Self(Some(30)), Self(Some(60)), Self(Some(90)), Self(None)];

    /// Takes `30` and `unlimited`, and no window that is not offered.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.word() == text)
    }

    pub fn days(self) -> Option<u32> {
        self.0
    }

    pub fn word(self) -> String {
        match self.0 {
            Some(days) => days.to_string(),
            None => "unlimited".into(),
        }
    }

    /// `30 days`, `1 day`, `Unlimited`
    pub fn label(self) -> String {
        match self.0 {
            Some(1) => "1 day".into(),
            Some(days) => format!("{days} days"),
            None => "Unlimited".into(),
        }
    }

    /// Whether a touch counts: before the conversion and no older than the window, to the millisecond. A day is 24
    /// hours here, so that a change of clocks moves no credit.
    pub fn holds(self, touch_at: Time, happened_at: Time) -> bool {
        is_before(touch_at, happened_at) && self.0.is_none_or(|days| happened_at.ms_since(touch_at) <= i64::from(days) * DAY_MS)
    }
}

/// Whether a touch lies before a conversion. One at the very same time does.
pub fn is_before(touch_at: Time, happened_at: Time) -> bool {
    touch_at <= latest_before(happened_at)
}

/// The last moment that is still before a conversion. Shops write times in whole seconds: such a time stands for all of
/// its second, or the click right before an order would come "after" it by half a second.
pub fn latest_before(happened_at: Time) -> Time {
    let is_whole_second = happened_at.ms() % SECOND_MS == 0;
    if is_whole_second { happened_at.plus_ms(SECOND_MS - 1) } else { happened_at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_as_they_are_written() {
        for window in Window::ALL {
            assert_eq!(Window::parse(&window.word()), Some(window));
        }
        for bad in ["", "0", "3", "030", "-7", "Unlimited", "30 days"] {
            assert_eq!(Window::parse(bad), None, "{bad}");
        }
        assert_eq!(Window(Some(1)).label(), "1 day");
        assert_eq!(Window(None).label(), "Unlimited");
    }

    #[test]
    fn a_window_holds_its_edges() {
        let sale = Time::from_ms(40 * DAY_MS + 123);
        let week = Window(Some(7));
        assert!(week.holds(sale, sale));
        assert!(week.holds(sale.plus_ms(-7 * DAY_MS), sale));
        assert!(!week.holds(sale.plus_ms(-7 * DAY_MS - 1), sale));
        assert!(!week.holds(sale.plus_ms(1), sale));
        assert!(Window(None).holds(Time::from_ms(0), sale));
        assert!(!Window(None).holds(sale.plus_ms(1), sale));
    }

    #[test]
    fn a_time_in_whole_seconds_stands_for_its_second() {
        let order = Time::from_s(1_000);
        assert!(is_before(order.plus_ms(999), order));
        assert!(!is_before(order.plus_ms(1_000), order));
        assert!(!is_before(order.plus_ms(2), order.plus_ms(1)));
    }
}
