//! Routes: what a browser opens: the tag, the pages, who is signed in, share links.

use super::super::route::{Right, Route, Who::*};
use super::super::{
    account, affiliates, assets, health, login, metrics, openapi, pages, people, redirect, reports, shared, shares, tokens,
};
use crate::domain::share::SharedPage::*;
use crate::run;

pub const ROUTES: &[Route] = &[
    // ---------------------------------------------------------------- pages of sites, also on the shops' own hosts
    Route::new("GET", "/t.js", Anyone, run!(assets::tag), assets::TAG).everywhere(),
    Route::new("GET", "/t.v1.js", Anyone, run!(assets::pinned_tag), assets::PINNED_TAG).everywhere(),
    Route::new("GET", "/l/{code}", Anyone, run!(redirect::follow), redirect::FOLLOW).everywhere(),
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
    // ---------------------------------------------------------------- who is signed in, and who else may be
    Route::new("GET", "/api/me/account", Login, run!(account::show), account::SHOW),
    Route::new("POST", "/api/me/prove", Login, run!(account::prove), account::PROVE).most(16 * 1024),
    Route::new("POST", "/api/me/password", Login, run!(account::password), account::PASSWORD).most(16 * 1024),
    Route::new("POST", "/api/me/second-factor/offer", Login, run!(account::offer), account::OFFER),
    Route::new("POST", "/api/me/second-factor", Login, run!(account::second_factor), account::SECOND_FACTOR),
    Route::new("POST", "/api/me/second-factor/remove", Login, run!(account::no_second_factor), account::NO_SECOND_FACTOR),
    Route::new("POST", "/api/me/logins/end", Login, run!(account::end_login), account::END_LOGIN),
    Route::new("GET", "/api/sites/{site}/people", Member(Right::Own), run!(people::list), people::LIST),
    Route::new("POST", "/api/sites/{site}/people", Member(Right::Own), run!(people::invite), people::INVITE),
    Route::new("POST", "/api/sites/{site}/people/{user}", Member(Right::Own), run!(people::change), people::CHANGE),
    Route::new("POST", "/api/sites/{site}/people/{user}/remove", Member(Right::Own), run!(people::remove), people::REMOVE),
    Route::new("POST", "/api/sites/{site}/people/{user}/link", Member(Right::Own), run!(people::link), people::LINK),
    Route::new("GET", "/api/sites/{site}/tokens", Member(Right::Own), run!(tokens::list), tokens::LIST),
    Route::new("POST", "/api/sites/{site}/tokens", Member(Right::Own), run!(tokens::create), tokens::CREATE),
    Route::new("POST", "/api/sites/{site}/tokens/{token}/revoke", Member(Right::Own), run!(tokens::revoke), tokens::REVOKE),
    Route::new("GET", "/api/sites/{site}/shares", Member(Right::Edit), run!(shares::list), shares::LIST),
    Route::new("POST", "/api/sites/{site}/shares", Member(Right::Edit), run!(shares::add), shares::ADD),
    Route::new("POST", "/api/sites/{site}/shares/{share}/revoke", Member(Right::Edit), run!(shares::revoke), shares::REVOKE),
    // ---------------------------------------------------------------- whoever has a share link
    Route::new("GET", "/s/{share}", Anyone, run!(shared::page), shared::PAGE),
    Route::new("GET", "/api/shared/{share}", Page, run!(shared::look), shared::LOOK),
    Route::new("POST", "/api/shared/{share}/open", Page, run!(shared::open), shared::OPEN).most(16 * 1024),
    Route::new("GET", "/api/shared/{share}/overview", Share(&[Overview]), run!(reports::headline), reports::HEADLINE).within(),
    Route::new("GET", "/api/shared/{share}/timeseries", Share(&[Overview]), run!(reports::timeseries), reports::TIMESERIES).within(),
    Route::new("GET", "/api/shared/{share}/sources", Share(&[Overview, Sources]), run!(reports::tables::sources), reports::tables::SOURCES)
        .within(),
    Route::new("GET", "/api/shared/{share}/campaigns", Share(&[Sources]), run!(reports::tree::campaigns), reports::tree::CAMPAIGNS)
        .within(),
    Route::new("GET", "/api/shared/{share}/conversions", Share(&[Conversions]), run!(shared::conversions), shared::CONVERSIONS).within(),
    Route::new("GET", "/api/shared/{share}/conversions.csv", Share(&[Conversions]), run!(shared::conversions_csv), shared::CONVERSIONS_CSV)
        .within(),
    Route::new("GET", "/api/shared/{share}/orders", Share(&[Orders]), run!(shared::orders), shared::ORDERS).within(),
    Route::new("GET", "/api/shared/{share}/orders.csv", Share(&[Orders]), run!(shared::orders_csv), shared::ORDERS_CSV).within(),
    Route::new("GET", "/api/shared/{share}/leads", Share(&[Leads]), run!(shared::leads), shared::LEADS).within(),
    Route::new("GET", "/api/shared/{share}/leads.csv", Share(&[Leads]), run!(shared::leads_csv), shared::LEADS_CSV).within(),
    // ---------------------------------------------------------------- a partner who was sent a statement
    Route::new("GET", "/statement/{token}", Anyone, run!(affiliates::statement::page), affiliates::statement::PAGE),
    Route::new("GET", "/api/statements/{token}", Page, run!(affiliates::statement::look), affiliates::statement::LOOK).patience(55),
    // ---------------------------------------------------------------- machines that watch
    Route::new("GET", "/healthz", Anyone, run!(health::alive), health::ALIVE).on_loopback(),
    Route::new("GET", "/readyz", Anyone, run!(health::ready), health::READY).on_loopback(),
    Route::new("GET", "/health", Anyone, run!(health::well), health::WELL).on_loopback(),
    Route::new("GET", "/metrics", Machine, run!(metrics::metrics), metrics::METRICS).on_loopback(),
];
