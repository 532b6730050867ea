//! Whether there is something to send when a delivery's turn comes, and what.

use serde_json::Value;

use super::Loaded;
use super::ending::Standing;
use crate::destinations::{Destination, Prepared, Start};
use crate::domain::outgoing::Mode;
use crate::domain::retry;
use crate::domain::steps::{State, Step};
use crate::domain::time::Time;
use crate::outbound;
use crate::store::connections::Connection;

/// Whether there is something to send, and what.
pub(super) enum Beginning {
    Start(Start),
    /// State and reason, and what would have been sent.
    End(&'static str, &'static str, Option<Value>),
}

pub(super) fn begin(destination: &dyn Destination, connection: &Connection, loaded: &Loaded, now: Time) -> Beginning {
    let end = |state, reason| Beginning::End(state, reason, None);
    let was_tried = loaded.delivery.attempts > 0;
    if let Standing::Over(state, reason) = loaded.standing {
        return end(state, reason);
    }
    if !loaded.may.is_allowed {
        // What a visitor refused later is cancelled, what never was allowed is skipped.
        let is_later = loaded.may.basis == "refused after the fact" || was_tried;
        return end(if is_later { "cancelled" } else { "skipped" }, "consent");
    }
    if loaded.delivery.not_after.is_some_and(|limit| now > limit) {
        return end(if was_tried { "dead" } else { "skipped" }, "too_old");
    }
    if retry::is_ambiguous(loaded.delivery.unknown_at, now) {
        return end("held", "ambiguous");
    }
    // Planned so and asked for by hand all the same: what a platform has no word for would go as something else.
    let has_word = match (loaded.outgoing.is_refund, loaded.outgoing.is_again) {
        (true, _) => destination.kind_of_refund().is_some(),
        (_, true) => destination.kind_of_again().is_some(),
        _ => true,
    };
    if !has_word {
        return end("skipped", "unsupported_kind");
    }
    match destination.prepare(&loaded.outgoing, &connection.settings) {
        Prepared::Skip(reason) => end("skipped", reason),
        Prepared::Start(start) if loaded.outgoing.mode == Mode::Shadow => {
            let request = shadow(destination, start.state, connection, &start.hashed, now);
            Beginning::End("skipped", "shadow", request)
        }
        Prepared::Start(start) => Beginning::Start(start),
    }
}

/// Builds the first request and shows it; nothing is sent.
fn shadow(destination: &dyn Destination, state: State, connection: &Connection, hashed: &Value, now: Time) -> Option<Value> {
    match destination.delivery().step(state, None, &connection.settings, &(), now) {
        Step::Ask(request, _) => Some(outbound::redacted(&request, hashed)),
        _ => None,
    }
}
