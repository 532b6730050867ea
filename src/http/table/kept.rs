//! Routes: the questions of the older systems, in their words.

use super::super::route::{Right, Route, Scope, Shape, Who::*};
use super::super::{affiliates, analytics, pull_files, records};
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
    // ---------------------------------------------------------------- files that ad platforms fetch
    Route::new("GET", "/export/google-conversions.csv", Token(Scope::Export), run!(pull_files::google), pull_files::GOOGLE)
        .by_password()
        .burden(Burden::Export),
    Route::new("GET", "/export/meta-conversions.csv", Token(Scope::Export), run!(pull_files::meta), pull_files::META)
        .by_password()
        .burden(Burden::Export),
    Route::new(
        "GET",
        "/api/affiliates/performance",
        Token(Scope::Read),
        run!(affiliates::kept::performance),
        affiliates::kept::PERFORMANCE,
    )
    .shape(Shape::AnyTrack)
    .patience(55),
    Route::new("GET", "/api/affiliates/top", Token(Scope::Read), run!(affiliates::kept::top), affiliates::kept::TOP_LIST)
        .shape(Shape::AnyTrack)
        .patience(55),
    Route::new("GET", "/api/reports/daily", Token(Scope::Read), run!(records::daily), records::DAILY).shape(Shape::AnyTrack),
];
