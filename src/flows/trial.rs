//! A destination looks at its set-up at the platform, for the test of a connection. Nothing of a conversion is sent.

use crate::app::App;
use crate::destinations::{self, Finding, Trial};
use crate::domain::steps::{State, Step};
use crate::flows::asking;
use crate::store::connections::Connection;
use crate::wire::Response;

/// Requests of one trial at most: a talk that goes on longer is a loop.
const MOST_REQUESTS: usize = 8;

/// What was found; none where the destination has no way to look.
pub async fn run(app: &App, connection: &Connection) -> Option<Vec<Finding>> {
    let destination = destinations::find(&connection.platform)?;
    let steps = destination.trial()?;
    let mut state = State::Null;
    let mut got: Option<Response> = None;
    for _ in 0..MOST_REQUESTS {
        let step: Step<Trial> = steps.step(state, got.take().as_ref(), &connection.settings, &(), app.clock.now());
        match step {
            Step::Ask(request, next) => match asking::send_to(app, destination, connection, &request).await {
                Ok(response) => {
                    got = Some(response);
                    state = next;
                }
                Err(failure) => return Some(vec![Finding::bad(failure.sentence)]),
            },
            Step::Yield(never, _) => match never {},
            Step::Wait(..) => return Some(vec![Finding::bad(format!("{} is busy. Test it again in a minute.", destination.about().name))]),
            Step::Done(findings) => return Some(findings),
            Step::Fail(verdict) => return Some(vec![Finding::bad(asking::sentence_of(&verdict))]),
        }
    }
    Some(vec![Finding::bad(format!("{} asked too many questions and was left.", destination.about().name))])
}
