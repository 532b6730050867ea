//! Routes: lists and single things.

use super::super::route::{Right, Route, Scope, Who::*};
use super::super::{
    audit, backups, connections, contacts, conversions, customers, deliveries, inbox, leads, live, needs, notes, orders, pipeline,
    receipts, rules, segments, setups, short_links, timeline,
};
use crate::run;

pub const ROUTES: &[Route] = &[
    // ---------------------------------------------------------------- questions
    Route::new("GET", "/api/sites/{site}/conversions", Site(Right::See, Scope::Read), run!(conversions::list), conversions::LIST).within(),
    Route::new("GET", "/api/sites/{site}/conversions.csv", Site(Right::Read, Scope::Export), run!(conversions::csv), conversions::CSV),
    Route::new(
        "GET",
        "/api/sites/{site}/conversions.jsonl",
        Site(Right::Read, Scope::Export),
        run!(conversions::jsonl),
        conversions::JSONL,
    ),
    Route::new("GET", "/api/sites/{site}/conversions/{id}", Site(Right::See, Scope::Read), run!(conversions::one), conversions::ONE)
        .within(),
    Route::new(
        "GET",
        "/api/sites/{site}/conversions/{id}/attribution",
        Site(Right::See, Scope::Read),
        run!(conversions::attribution),
        conversions::ATTRIBUTION,
    )
    .within(),
    Route::new(
        "GET",
        "/api/sites/{site}/conversions/{id}/touchpoints",
        Site(Right::See, Scope::Read),
        run!(conversions::touchpoints),
        conversions::TOUCHPOINTS,
    )
    .within(),
    Route::new("GET", "/api/sites/{site}/receipts/{fact}", Site(Right::See, Scope::Read), run!(receipts::one), receipts::ONE).within(),
    Route::new("GET", "/api/sites/{site}/deliveries", Site(Right::See, Scope::Read), run!(deliveries::list), deliveries::LIST),
    Route::new("GET", "/api/sites/{site}/deliveries.csv", Site(Right::Read, Scope::Export), run!(deliveries::csv), deliveries::CSV),
    Route::new("GET", "/api/sites/{site}/deliveries.jsonl", Site(Right::Read, Scope::Export), run!(deliveries::jsonl), deliveries::JSONL),
    Route::new("GET", "/api/sites/{site}/deliveries/{id}", Site(Right::See, Scope::Read), run!(deliveries::one), deliveries::ONE),
    Route::new("GET", "/api/backups", Login, run!(backups::list), backups::LIST),
    Route::new("GET", "/api/sites/{site}/outbox", Site(Right::See, Scope::Read), run!(backups::held), backups::OUTBOX),
    Route::new("GET", "/api/sites/{site}/inbox", Site(Right::Read, Scope::Read), run!(inbox::list), inbox::LIST),
    Route::new("GET", "/api/sites/{site}/inbox.csv", Site(Right::Read, Scope::Export), run!(inbox::csv), inbox::CSV),
    Route::new("GET", "/api/sites/{site}/inbox.jsonl", Site(Right::Read, Scope::Export), run!(inbox::jsonl), inbox::JSONL),
    Route::new("GET", "/api/sites/{site}/inbox/{id}", Site(Right::Read, Scope::Read), run!(inbox::one), inbox::ONE),
    Route::new("GET", "/api/sites/{site}/leads", Site(Right::See, Scope::Read), run!(leads::leads), leads::LEADS),
    Route::new("GET", "/api/sites/{site}/leads.csv", Site(Right::Read, Scope::Export), run!(leads::leads_csv), leads::LEADS_CSV),
    Route::new("GET", "/api/sites/{site}/leads.jsonl", Site(Right::Read, Scope::Export), run!(leads::leads_jsonl), leads::LEADS_JSONL),
    Route::new("GET", "/api/sites/{site}/leads/pipeline", Site(Right::See, Scope::Read), run!(pipeline::columns), pipeline::COLUMNS),
    Route::new("GET", "/api/sites/{site}/leads/{id}", Site(Right::See, Scope::Read), run!(pipeline::one), pipeline::ONE),
    Route::new("GET", "/api/sites/{site}/orders", Site(Right::See, Scope::Read), run!(orders::list), orders::LIST),
    Route::new("GET", "/api/sites/{site}/orders.csv", Site(Right::Read, Scope::Export), run!(orders::csv), orders::CSV),
    Route::new("GET", "/api/sites/{site}/orders.jsonl", Site(Right::Read, Scope::Export), run!(orders::jsonl), orders::JSONL),
    Route::new("GET", "/api/sites/{site}/customers", Site(Right::See, Scope::Read), run!(customers::list), customers::LIST),
    Route::new("GET", "/api/sites/{site}/customers.csv", Site(Right::Read, Scope::Export), run!(customers::csv), customers::CSV),
    Route::new("GET", "/api/sites/{site}/customers.jsonl", Site(Right::Read, Scope::Export), run!(customers::jsonl), customers::JSONL),
    Route::new("GET", "/api/sites/{site}/contacts", Site(Right::Read, Scope::Read), run!(contacts::list), contacts::LIST),
    Route::new("GET", "/api/sites/{site}/contacts.csv", Site(Right::Read, Scope::Export), run!(contacts::csv), contacts::CSV),
    Route::new("GET", "/api/sites/{site}/contacts.jsonl", Site(Right::Read, Scope::Export), run!(contacts::jsonl), contacts::JSONL),
    Route::new("GET", "/api/sites/{site}/contacts/{id}", Site(Right::See, Scope::Read), run!(contacts::one), contacts::ONE),
    Route::new(
        "GET",
        "/api/sites/{site}/contacts/{id}/timeline",
        Site(Right::See, Scope::Read),
        run!(timeline::timeline),
        timeline::TIMELINE,
    ),
    Route::new("GET", "/api/sites/{site}/audit", Site(Right::Edit, Scope::Read), run!(audit::list), audit::LIST),
    Route::new("GET", "/api/sites/{site}/audit.csv", Site(Right::Edit, Scope::Export), run!(audit::csv), audit::CSV),
    Route::new("GET", "/api/sites/{site}/audit.jsonl", Site(Right::Edit, Scope::Export), run!(audit::jsonl), audit::JSONL),
    Route::new("GET", "/api/sites/{site}/connections", Site(Right::See, Scope::Read), run!(connections::list), connections::LIST),
    Route::new("GET", "/api/sites/{site}/connections/{connection}", Site(Right::Edit, Scope::Read), run!(setups::one), setups::ONE),
    Route::new("GET", "/api/sites/{site}/platforms", Site(Right::See, Scope::Read), run!(setups::list), setups::PLATFORMS),
    Route::new("GET", "/api/sites/{site}/segments", Site(Right::Read, Scope::Read), run!(segments::list), segments::LIST),
    Route::new("GET", "/api/sites/{site}/links", Site(Right::Read, Scope::Read), run!(short_links::list), short_links::LIST),
    Route::new("GET", "/api/sites/{site}/links.csv", Site(Right::Read, Scope::Export), run!(short_links::csv), short_links::CSV),
    Route::new("GET", "/api/sites/{site}/links.jsonl", Site(Right::Read, Scope::Export), run!(short_links::jsonl), short_links::JSONL),
    Route::new("GET", "/api/sites/{site}/links/words", Site(Right::Edit, Scope::Read), run!(short_links::words), short_links::WORDS),
    Route::new("GET", "/api/sites/{site}/links/{link}", Site(Right::Read, Scope::Read), run!(short_links::show), short_links::SHOW),
    Route::new("GET", "/api/sites/{site}/rules", Site(Right::Edit, Scope::Read), run!(rules::list), rules::LIST),
    Route::new("GET", "/api/sites/{site}/needs", Site(Right::See, Scope::Read), run!(needs::list), needs::LIST),
    Route::new("GET", "/api/sites/{site}/notes", Site(Right::See, Scope::Read), run!(notes::list), notes::LIST),
    Route::new("GET", "/api/sites/{site}/live", Site(Right::See, Scope::Read), run!(live::live), live::LIVE).within(),
];
