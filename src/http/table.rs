//! All routes on one page, grouped by who calls. The router, the OpenAPI file and the access test are made from this.
//! What the API page says of a route stands beside its handler.

use super::route::{Doc, Scope, Shape};
use super::route::{Route, Who::*};
use super::{health, senders, statements, touch, visitor};
use crate::run;

pub static ROUTES: &[Route] = &[
    // ---------------------------------------------------------------- machines that watch
    Route::new("GET", "/healthz", Anyone, run!(health::alive), health::ALIVE).on_loopback(),
    Route::new("GET", "/readyz", Anyone, run!(health::ready), health::READY).on_loopback(),
    Route::new("GET", "/health", Anyone, run!(health::well), health::WELL).on_loopback(),
    // ---------------------------------------------------------------- pages, and servers in front of them
    Route::new("POST", "/api/touch", Visitor, run!(touch::touch), touch::TOUCH).shape(Shape::Halo).everywhere().most(16 * 1024),
    Route::new("POST", "/api/identify", Visitor, run!(touch::identify), touch::IDENTIFY).shape(Shape::Halo).everywhere().most(16 * 1024),
    Route::new("POST", "/api/event", Visitor, run!(touch::event), touch::EVENT).shape(Shape::Halo).everywhere().most(16 * 1024),
    Route::new("POST", "/api/lead", Visitor, run!(senders::page_lead), senders::PAGE_LEAD).shape(Shape::Halo).everywhere().most(16 * 1024),
    Route::new("GET", "/api/edge", Visitor, run!(touch::edge), touch::EDGE).shape(Shape::Halo).everywhere(),
    Route::new("OPTIONS", "/api/touch", Anyone, run!(visitor::preflight), PREFLIGHT).everywhere(),
    Route::new("OPTIONS", "/api/identify", Anyone, run!(visitor::preflight), PREFLIGHT).everywhere(),
    Route::new("OPTIONS", "/api/event", Anyone, run!(visitor::preflight), PREFLIGHT).everywhere(),
    Route::new("OPTIONS", "/api/lead", Anyone, run!(visitor::preflight), PREFLIGHT).everywhere(),
    // ---------------------------------------------------------------- platforms and servers that tell us facts
    Route::new("POST", "/in/{platform}/{token}", Hook, run!(senders::hook), senders::HOOK).everywhere().most(senders::MOST_BYTES),
    Route::new("GET", "/in/{platform}/{token}", Hook, run!(senders::hook), senders::HOOK).everywhere(),
    Route::new("POST", "/api/webhook/lead", Sender, run!(senders::lead), senders::LEAD)
        .shape(Shape::Halo)
        .everywhere()
        .most(senders::MOST_BYTES),
    Route::new("POST", "/api/webhook/order", Sender, run!(senders::order), senders::ORDER)
        .shape(Shape::Halo)
        .everywhere()
        .most(senders::MOST_BYTES),
    Route::new("POST", "/api/conversions", Token(Scope::Write), run!(statements::tell), statements::TELL).shape(Shape::AnyTrack),
];

const PREFLIGHT: Doc =
    Doc::new("Pages", "What a browser asks before a request that it would not send by itself.").answer("").statuses(&[204]);
