//! Routes: partners, their commissions and their statements.

use super::super::affiliates;
use super::super::affiliates::{figures, statement};
use super::super::route::{Right, Route, Scope, Who::*};
use crate::run;

const READ: super::super::route::Who = Site(Right::Read, Scope::Read);
const EXPORT: super::super::route::Who = Site(Right::Read, Scope::Export);
const WRITE: super::super::route::Who = Site(Right::Edit, Scope::Write);

pub const ROUTES: &[Route] = &[
    Route::new("GET", "/api/sites/{site}/affiliates", READ, run!(affiliates::list), affiliates::LIST),
    Route::new("GET", "/api/sites/{site}/affiliates.csv", EXPORT, run!(affiliates::csv), affiliates::CSV),
    Route::new("GET", "/api/sites/{site}/affiliates.jsonl", EXPORT, run!(affiliates::jsonl), affiliates::JSONL),
    Route::new("GET", "/api/sites/{site}/reports/affiliates", READ, run!(figures::show), figures::REPORT).patience(55),
    Route::new("GET", "/api/sites/{site}/reports/affiliates.csv", EXPORT, run!(figures::csv), figures::CSV).patience(55),
    Route::new("POST", "/api/sites/{site}/affiliates", WRITE, run!(affiliates::add), affiliates::ADD),
    // Static words before names.
    Route::new("POST", "/api/sites/{site}/affiliates/close", WRITE, run!(affiliates::close), affiliates::CLOSE),
    Route::new(
        "GET",
        "/api/sites/{site}/affiliates/bank.csv",
        Site(Right::Edit, Scope::Export),
        run!(affiliates::bank::bank),
        affiliates::bank::BANK,
    ),
    Route::new("POST", "/api/sites/{site}/affiliates/{affiliate}", WRITE, run!(affiliates::change), affiliates::CHANGE),
    Route::new("POST", "/api/sites/{site}/affiliates/{affiliate}/pay", WRITE, run!(affiliates::pay), affiliates::PAY),
    Route::new(
        "POST",
        "/api/sites/{site}/affiliates/{affiliate}/erase",
        Site(Right::Own, Scope::Erase),
        run!(affiliates::erase),
        affiliates::ERASE,
    ),
    Route::new(
        "POST",
        "/api/sites/{site}/affiliates/{affiliate}/commissions/{conversion}",
        WRITE,
        run!(affiliates::decide),
        affiliates::DECIDE,
    ),
    Route::new("GET", "/api/sites/{site}/affiliates/{affiliate}/statement", READ, run!(statement::show), statement::SHOW).patience(55),
    Route::new("GET", "/api/sites/{site}/affiliates/{affiliate}/statement.csv", EXPORT, run!(statement::csv), statement::CSV).patience(55),
    Route::new("POST", "/api/sites/{site}/affiliates/{affiliate}/links", WRITE, run!(statement::add_link), statement::ADD_LINK),
    Route::new(
        "POST",
        "/api/sites/{site}/affiliates/{affiliate}/links/{statement}/revoke",
        WRITE,
        run!(statement::revoke_link),
        statement::REVOKE_LINK,
    ),
];
