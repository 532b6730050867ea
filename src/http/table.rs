//! All routes on one page, grouped by who calls. The router, the OpenAPI file and the access test are made from this.
//! What the API page says of a route stands beside its handler.

use super::route::{Route, Who::*};
use super::{assets, health, login, metrics, openapi, pages};
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
];
