//! Routes: steps on the way to becoming a customer, as the older system of sign-ups named them.

use super::super::route::{Route, Scope, Shape, Who::*};
use super::super::{funnel, syncs};
use crate::run;

pub const ROUTES: &[Route] = &[
    Route::new("POST", "/funnel/event", Sender, run!(funnel::event), funnel::EVENT).shape(Shape::Funnel),
    Route::new("POST", "/funnel/conversion", Sender, run!(funnel::conversion), funnel::CONVERSION).shape(Shape::Funnel),
    Route::new("GET", "/analytics/funnel-metrics", Token(Scope::Read), run!(funnel::metrics::metrics), funnel::metrics::METRICS)
        .shape(Shape::Funnel)
        .patience(55),
    // Static words before names: `all` is no source.
    Route::new("POST", "/sync/all", Token(Scope::Sync), run!(syncs::all), syncs::ALL).shape(Shape::Funnel).patience(300),
    Route::new("POST", "/sync/{source}", Token(Scope::Sync), run!(syncs::sync), syncs::SYNC).shape(Shape::Funnel).patience(58),
    Route::new("GET", "/sync/status/{source_type}", Token(Scope::Read), run!(syncs::status), syncs::STATUS)
        .shape(Shape::Funnel)
        .patience(55),
];
