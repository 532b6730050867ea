//! Routes: steps on the way to becoming a customer, as the older system of sign-ups named them.

use super::super::funnel;
use super::super::route::{Route, Scope, Shape, Who::*};
use crate::run;

pub const ROUTES: &[Route] = &[
    Route::new("POST", "/funnel/event", Sender, run!(funnel::event), funnel::EVENT).shape(Shape::Funnel),
    Route::new("POST", "/funnel/conversion", Sender, run!(funnel::conversion), funnel::CONVERSION).shape(Shape::Funnel),
    Route::new("GET", "/analytics/funnel-metrics", Token(Scope::Read), run!(funnel::metrics::metrics), funnel::metrics::METRICS)
        .shape(Shape::Funnel)
        .patience(55),
];
