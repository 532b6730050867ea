//! Routes: the questions of the older systems, in their words.

use super::super::route::{Right, Route, Scope, Shape, Who::*};
use super::super::{analytics, records};
use crate::domain::storage::Burden;
use crate::run;

pub const ROUTES: &[Route] = &[
    // ---------------------------------------------------------------- the older systems' own questions
    Route::new("GET", "/api/conversions", Token(Scope::Read), run!(records::list), records::LIST).shape(Shape::AnyTrack),
    Route::new("GET", "/api/conversions.csv", Token(Scope::Read), run!(records::csv), records::CSV)
        .shape(Shape::AnyTrack)
        .burden(Burden::Export),
    Route::new("GET", "/api/conversions/{id}", Token(Scope::Read), run!(records::one), records::ONE).shape(Shape::AnyTrack),
    Route::new("GET", "/api/conversions/{id}/attribution", Token(Scope::Read), run!(records::attribution), records::ATTRIBUTION)
        .shape(Shape::AnyTrack),
    Route::new("GET", "/api/conversions/{id}/touchpoints", Token(Scope::Read), run!(records::touchpoints), records::TOUCHPOINTS)
        .shape(Shape::AnyTrack),
    Route::new("GET", "/api/analytics/revenue", Named(Right::See, Scope::Read), run!(analytics::revenue), analytics::REVENUE)
        .shape(Shape::Shop)
        .within(),
    Route::new(
        "GET",
        "/api/analytics/customers",
        Named(Right::Read, Scope::Read),
        run!(analytics::customers::customers),
        analytics::customers::CUSTOMERS,
    )
    .shape(Shape::Shop),
    Route::new("GET", "/api/reports/daily", Token(Scope::Read), run!(records::daily), records::DAILY).shape(Shape::AnyTrack),
];
