//! What of a body is kept for the owner's eyes, and to be run again.

use std::borrow::Cow;

use super::Delivered;
use crate::domain::fact::Fact;
use crate::domain::message::without_words;
use crate::domain::visitor_address::without_addresses;
use crate::sources;
use crate::store::sites::Site;

/// What people wrote to each other only where the owner says so, and the addresses of their devices never: nothing that is run again
/// reads them.
pub(super) fn kept_body<'a>(site: &Site, delivered: &'a Delivered) -> Cow<'a, [u8]> {
    let holds_talk =
        delivered.facts.iter().any(|f| matches!(f, Fact::Message(_))) || sources::find(&delivered.platform).is_some_and(|s| s.holds_talk());
    match holds_talk && !site.settings.chat_text {
        true => Cow::Owned(without_addresses(&without_words(&delivered.body)).into_owned()),
        false => without_addresses(&delivered.body),
    }
}
