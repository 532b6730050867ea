//! Who asks: proved before the handler runs, by a token or by a login, as the route wants it.

use std::sync::Arc;

use super::ask::{Ask, Caller};
use super::route::{Route, Who};
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::store::sites::Site;

/// Sets the caller and the site of the request, or refuses it.
pub async fn check(_: &App, route: &Route, ask: &Ask) -> Result<(Caller, Option<Arc<Site>>)> {
    match route.who {
        Who::Anyone | Who::Visitor | Who::Hook | Who::Sender => Ok((Caller::Nobody, None)),
        Who::Machine if ask.is_from_this_machine() => Ok((Caller::Nobody, None)),
        _ => Err(Error::new(Kind::Unauthorised, "signed_out", "Sign in first.")),
    }
}
