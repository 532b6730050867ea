//! All routes on one page, grouped by who calls. The router, the OpenAPI file and the access test are made from this.
//! What the API page says of a route stands beside its handler.

use super::route::{Right, Route, Scope, Shape, Who::*};
use super::{administration, assets, health, login, metrics, openapi, pages, replays, senders, statements, touch};
use crate::run;

pub static ROUTES: &[Route] = &[
    // ---------------------------------------------------------------- pages of sites, also on the shops' own hosts
    Route::new("GET", "/t.js", Anyone, run!(assets::tag), assets::TAG).everywhere(),
    Route::new("GET", "/t.v1.js", Anyone, run!(assets::pinned_tag), assets::PINNED_TAG).everywhere(),
    // ---------------------------------------------------------------- people
    Route::new("GET", "/", Anyone, run!(pages::door), pages::DOOR),
    Route::new("GET", "/login", Anyone, run!(pages::shell), pages::SHELL),
    Route::new("GET", "/setup/{token}", Anyone, run!(pages::shell), pages::SHELL),
    Route::new("GET", "/dashboard", Anyone, run!(pages::shell), pages::SHELL),
    Route::new("GET", "/dashboard/{*rest}", Anyone, run!(pages::shell), pages::SHELL),
    Route::new("GET", "/a/{hash}/{*path}", Anyone, run!(assets::asset), assets::ASSET),
    Route::new("GET", "/api/docs", Anyone, run!(pages::api), pages::API),
    Route::new("GET", "/openapi.json", Anyone, run!(openapi::described), openapi::DESCRIBED),
    Route::new("GET", "/api/me", Login, run!(login::me), login::ME),
    Route::new("POST", "/api/login", Page, run!(login::sign_in), login::SIGN_IN).most(16 * 1024),
    Route::new("POST", "/api/logout", Page, run!(login::sign_out), login::SIGN_OUT).most(16 * 1024),
    Route::new("GET", "/api/setup/{token}", Page, run!(login::look), login::LOOK),
    Route::new("POST", "/api/setup", Page, run!(login::set_up), login::SET_UP).most(16 * 1024),
    // ---------------------------------------------------------------- machines that watch
    Route::new("GET", "/healthz", Anyone, run!(health::alive), health::ALIVE).on_loopback(),
    Route::new("GET", "/readyz", Anyone, run!(health::ready), health::READY).on_loopback(),
    Route::new("GET", "/health", Anyone, run!(health::well), health::WELL).on_loopback(),
    Route::new("GET", "/metrics", Machine, run!(metrics::metrics), metrics::METRICS).on_loopback(),
    // ---------------------------------------------------------------- pages, and servers in front of them
    Route::new("POST", "/api/touch", Visitor, run!(touch::touch), touch::TOUCH).shape(Shape::Halo).everywhere().most(16 * 1024),
    Route::new("POST", "/api/identify", Visitor, run!(touch::identify), touch::IDENTIFY).shape(Shape::Halo).everywhere().most(16 * 1024),
    Route::new("POST", "/api/event", Visitor, run!(touch::event), touch::EVENT).shape(Shape::Halo).everywhere().most(16 * 1024),
    Route::new("POST", "/api/lead", Visitor, run!(senders::page_lead), senders::PAGE_LEAD).shape(Shape::Halo).everywhere().most(16 * 1024),
    Route::new("GET", "/api/edge", Visitor, run!(touch::edge), touch::EDGE).shape(Shape::Halo).everywhere(),
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
    // ---------------------------------------------------------------- the owner's hands
    Route::new("POST", "/api/sites", BoxOwner, run!(administration::add_site), administration::ADD_SITE),
    Route::new(
        "POST",
        "/api/sites/{site}/connections/{connection}/mode",
        Site(Right::Edit, Scope::Write),
        run!(administration::mode),
        administration::MODE,
    ),
    Route::new(
        "POST",
        "/api/sites/{site}/connections/{connection}/pause",
        Site(Right::Edit, Scope::Write),
        run!(administration::pause),
        administration::PAUSE,
    ),
    Route::new(
        "POST",
        "/api/sites/{site}/connections/{connection}/resume",
        Site(Right::Edit, Scope::Write),
        run!(administration::resume),
        administration::RESUME,
    ),
    Route::new("POST", "/api/sites/{site}/deliveries/replay", Site(Right::Edit, Scope::Write), run!(replays::replay), replays::REPLAY),
    Route::new("POST", "/api/sites/{site}/deliveries/cancel", Site(Right::Edit, Scope::Write), run!(replays::cancel), replays::CANCEL),
    Route::new("POST", "/api/sites/{site}/inbox/{id}/replay", Site(Right::Edit, Scope::Write), run!(replays::inbox), replays::INBOX),
];
