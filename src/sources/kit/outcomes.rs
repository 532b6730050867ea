//! A booking as its platform shows it now: what has become of it, and with that all that has not.

use crate::domain::fact::Fact;
use crate::domain::milestone::is_booking;
use crate::domain::outcome::ENDS;
use crate::sources::{Batch, Standing};

/// Everything that is shown of one booking. Whatever was told of it before and is not shown any more was taken back: it stands
/// again, its status was put right, or what we took to be so is not.
pub fn shown_now(facts: Vec<Fact>) -> Batch {
    let steps = || facts.iter().filter_map(|fact| if let Fact::Milestone(step) = fact { Some(step) } else { None });
    let is_made = |kind: &str| is_booking(kind) || kind == "appointment_rescheduled";
    let id = steps().find(|step| is_made(&step.kind)).and_then(|step| step.external_id.clone());
    let not = ENDS.into_iter().filter(|end| steps().all(|step| step.kind != *end)).collect();
    let standing = id.map(|external_id| Standing { external_id, not }).into_iter().collect();
    Batch { standing, ..Batch::of(facts) }
}
