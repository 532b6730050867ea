//! All routes on one page, grouped by who calls. The router, the OpenAPI file and the access test are made from this.
//! What the API page says of a route stands beside its handler.

use super::health;
use super::route::{Route, Who::*};
use crate::run;

pub static ROUTES: &[Route] = &[
    // ---------------------------------------------------------------- machines that watch
    Route::new("GET", "/healthz", Anyone, run!(health::alive), health::ALIVE).on_loopback(),
    Route::new("GET", "/readyz", Anyone, run!(health::ready), health::READY).on_loopback(),
    Route::new("GET", "/health", Anyone, run!(health::well), health::WELL).on_loopback(),
];
