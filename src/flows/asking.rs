//! Requests of talks with a platform: a source's pull, fetch and registration, a destination's delivery and trial.

use crate::app::App;
use crate::destinations::Destination;
use crate::domain::steps::Verdict;
use crate::outbound::{Failure, Holder, SendError};
use crate::sources::Source;
use crate::store::connections::Connection;
use crate::wire::{Request, Response};

/// With the platform's own short-lived token where it wants one.
pub async fn send(app: &App, source: &dyn Source, connection: &Connection, request: &Request) -> Result<Response, SendError> {
    let now = app.clock.now();
    let secrets = connection.secrets.live(now);
    match source.token(&connection.settings, &secrets) {
        None => app.outbound.send(request, &secrets).await,
        Some(token) => {
            let holder = Holder { connection: connection.id, generation: connection.secret_version };
            app.outbound.send_with(request, &secrets, Some((&token, holder)), now).await
        }
    }
}

/// The same for a destination.
pub async fn send_to(app: &App, destination: &dyn Destination, connection: &Connection, request: &Request) -> Result<Response, SendError> {
    let now = app.clock.now();
    let secrets = connection.secrets.live(now);
    match destination.token(&connection.settings, &secrets, now) {
        None => app.outbound.send(request, &secrets).await,
        Some(token) => {
            let holder = Holder { connection: connection.id, generation: connection.secret_version };
            app.outbound.send_with(request, &secrets, Some((&token, holder)), now).await
        }
    }
}

/// What a request without an answer means for a talk that reads. A name that leads to an address which may not be called
/// is asked for again: nothing was sent, and whoever runs that name can put it right.
pub fn verdict_of(failure: SendError) -> Verdict {
    match failure.failure {
        Failure::Address => Verdict::Retry { after_ms: None, sentence: failure.sentence },
        _ => failure.verdict(),
    }
}

/// A verdict in the words of whoever gave it.
pub fn sentence_of(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Delivered(s) | Verdict::Accepted(s) | Verdict::Split(s) | Verdict::Pause(s) | Verdict::Refused(s) => s.clone(),
        Verdict::Retry { sentence, .. } => sentence.clone(),
        Verdict::CheckLater { .. } => "The platform wants to be asked again later.".into(),
    }
}
