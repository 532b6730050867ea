//! Routes: figures over days.

use super::super::reports;
use super::super::route::{Right, Route, Scope, Who::*};
use crate::run;

pub const ROUTES: &[Route] = &[
    // ---------------------------------------------------------------- reports of a site
    Route::new("GET", "/api/sites/{site}/reports/overview", Site(Right::See, Scope::Read), run!(reports::headline), reports::HEADLINE)
        .within(),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/timeseries",
        Site(Right::See, Scope::Read),
        run!(reports::timeseries),
        reports::TIMESERIES,
    )
    .within(),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/timeseries.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::timeseries_csv),
        reports::TIMESERIES_CSV,
    ),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/sources",
        Site(Right::See, Scope::Read),
        run!(reports::tables::sources),
        reports::tables::SOURCES,
    )
    .within(),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/sources.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::tables::sources_csv),
        reports::tables::SOURCES_CSV,
    ),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/countries",
        Site(Right::See, Scope::Read),
        run!(reports::tables::countries),
        reports::tables::COUNTRIES,
    )
    .within(),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/countries.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::tables::countries_csv),
        reports::tables::COUNTRIES_CSV,
    ),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/devices",
        Site(Right::See, Scope::Read),
        run!(reports::tables::devices),
        reports::tables::DEVICES,
    )
    .within(),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/devices.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::tables::devices_csv),
        reports::tables::DEVICES_CSV,
    ),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/products",
        Site(Right::See, Scope::Read),
        run!(reports::products::products),
        reports::products::PRODUCTS,
    )
    .within(),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/products.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::products::products_csv),
        reports::products::PRODUCTS_CSV,
    ),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/campaigns",
        Site(Right::See, Scope::Read),
        run!(reports::tree::campaigns),
        reports::tree::CAMPAIGNS,
    )
    .within(),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/campaigns.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::tree::campaigns_csv),
        reports::tree::CAMPAIGNS_CSV,
    ),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/attribution",
        Site(Right::See, Scope::Read),
        run!(reports::attribution::attribution),
        reports::attribution::ATTRIBUTION,
    )
    .within()
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/attribution.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::attribution::attribution_csv),
        reports::attribution::ATTRIBUTION_CSV,
    )
    .patience(55),
    Route::new("GET", "/api/sites/{site}/reports/paths", Site(Right::See, Scope::Read), run!(reports::paths::paths), reports::paths::PATHS)
        .within()
        .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/paths.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::paths::paths_csv),
        reports::paths::PATHS_CSV,
    )
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/time_to_convert",
        Site(Right::See, Scope::Read),
        run!(reports::time_to_convert::time_to_convert),
        reports::time_to_convert::TIME_TO_CONVERT,
    )
    .within()
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/time_to_convert.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::time_to_convert::time_to_convert_csv),
        reports::time_to_convert::TIME_TO_CONVERT_CSV,
    )
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/funnel",
        Site(Right::See, Scope::Read),
        run!(reports::funnel::funnel),
        reports::funnel::FUNNEL,
    )
    .within()
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/funnel.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::funnel::funnel_csv),
        reports::funnel::FUNNEL_CSV,
    )
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/funnel/people",
        Site(Right::See, Scope::Read),
        run!(reports::funnel::people),
        reports::funnel::PEOPLE,
    )
    .within()
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/show_up",
        Site(Right::See, Scope::Read),
        run!(reports::show_up::show_up),
        reports::show_up::SHOW_UP,
    )
    .within()
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/show_up.csv",
        Site(Right::Read, Scope::Export),
        run!(reports::show_up::show_up_csv),
        reports::show_up::SHOW_UP_CSV,
    )
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/show_up/people",
        Site(Right::See, Scope::Read),
        run!(reports::show_up::people),
        reports::show_up::PEOPLE,
    )
    .within()
    .patience(55),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/show_up/line/{id}",
        Site(Right::See, Scope::Read),
        run!(reports::show_up::line),
        reports::show_up::LINE,
    ),
    Route::new("GET", "/api/sites/{site}/reports/daily", Site(Right::See, Scope::Read), run!(reports::daily::daily), reports::daily::DAILY)
        .patience(55),
    Route::new("GET", "/api/sites/{site}/reports/chat", Site(Right::See, Scope::Read), run!(reports::chat::chat), reports::chat::CHAT),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/customers",
        Site(Right::See, Scope::Read),
        run!(reports::customers::customers),
        reports::customers::CUSTOMERS,
    ),
    Route::new("GET", "/api/sites/{site}/reports/live", Site(Right::See, Scope::Read), run!(reports::live), reports::LIVE),
];
