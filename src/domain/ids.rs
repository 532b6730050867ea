//! One number type a noun, shown as `order_42`. Numbers run per site, those of connections across the box.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $word:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            pub const WORD: &'static str = $word;

            pub fn new(number: i64) -> Self {
                Self(number)
            }

            pub fn number(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, "_{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ();

            /// Takes `order_42` and `42`.
            fn from_str(text: &str) -> Result<Self, ()> {
                let digits = text.strip_prefix(concat!($word, "_")).unwrap_or(text);
                match digits.parse::<i64>() {
                    Ok(n) if n > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(n)),
                    _ => Err(()),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(|()| serde::de::Error::custom(concat!("an id like ", $word, "_42")))
            }
        }
    };
}

id!(UserId, "user");
id!(TokenId, "token");
id!(
    /// Runs across the box, so that a connection is named without its site.
    ConnectionId,
    "con"
);
id!(SessionId, "session");
id!(ContactId, "contact");
id!(InboxId, "in");
id!(LeadId, "lead");
id!(OrderId, "order");
id!(ConversionId, "conversion");
id!(ReportId, "report");
id!(EntryId, "entry");
id!(RefundId, "refund");
id!(DeliveryId, "delivery");
id!(ConversationId, "conversation");
id!(MilestoneId, "milestone");
id!(SyncRunId, "run");
id!(ErasureId, "erasure");
id!(JobId, "job");
id!(ShareId, "share");
id!(EventId, "event");
id!(NoteId, "note");
id!(RuleId, "rule");
id!(SegmentId, "segment");
id!(FunnelId, "funnel");
id!(SpendId, "spend");
id!(ImportId, "import");
id!(AffiliateId, "affiliate");
id!(PayoutId, "payout");
id!(StatementId, "statement");
id!(LinkId, "link");
id!(LinkTemplateId, "template");

/// A tenant. Only the store issues one: from an extractor's look-up or a job's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(i64);

impl SiteId {
    /// For `store/` alone; a test holds everybody else off.
    pub fn issued(number: i64) -> Self {
        Self(number)
    }

    pub fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "site_{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_shown() {
        assert_eq!("order_42".parse::<OrderId>().map(|id| id.to_string()), Ok("order_42".into()));
        assert_eq!("7".parse::<ConnectionId>(), Ok(ConnectionId::new(7)));
        for bad in ["", "order_", "order_-1", "lead_4", "order_+1", "0", "99999999999999999999"] {
            assert!(bad.parse::<OrderId>().is_err(), "{bad}");
        }
    }
}
