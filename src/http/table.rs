//! All routes on one page, grouped by who calls. The router, the OpenAPI file and the access test are made from this.
//! What the API page says of a route stands beside its handler.

use super::route::{Right, Route, Scope, Shape, Who::*};
use super::{
    account, administration, analytics, assets, audit, backups, chats, connections, contacts, conversions, customers, deliveries, desk,
    forward_auth, funnel, health, hooks, inbox, leads, live, login, metrics, needs, notes, openapi, orders, pages, people, pipeline, policy,
    privacy, receipts, records, replays, reports, rules, segments, senders, settings, setups, shared, shares, shops, statements, timeline,
    tokens, touch,
};
use crate::domain::share::SharedPage::*;
use crate::domain::storage::Burden;
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
    // ---------------------------------------------------------------- machines that watch
    Route::new("GET", "/healthz", Anyone, run!(health::alive), health::ALIVE).on_loopback(),
    Route::new("GET", "/readyz", Anyone, run!(health::ready), health::READY).on_loopback(),
    Route::new("GET", "/health", Anyone, run!(health::well), health::WELL).on_loopback(),
    Route::new("GET", "/metrics", Machine, run!(metrics::metrics), metrics::METRICS).on_loopback(),
    // ---------------------------------------------------------------- pages, and servers in front of them
    Route::new("POST", "/api/touch", Visitor, run!(touch::touch), touch::TOUCH).from_page().burden(Burden::Fact),
    Route::new("POST", "/api/identify", Visitor, run!(touch::identify), touch::IDENTIFY).from_page().burden(Burden::Fact),
    Route::new("POST", "/api/event", Visitor, run!(touch::event), touch::EVENT).from_page(),
    Route::new("POST", "/api/lead", Visitor, run!(senders::page_lead), senders::PAGE_LEAD).from_page().burden(Burden::Fact),
    // A refusal here would take the page away: its touch is dropped instead, behind the answer.
    Route::new("GET", "/api/edge", Visitor, run!(forward_auth::edge), forward_auth::EDGE)
        .shape(Shape::Halo)
        .burden(Burden::Care)
        .everywhere(),
    // ---------------------------------------------------------------- platforms and servers that tell us facts
    Route::new("POST", "/in/{platform}/{token}", Hook, run!(hooks::hook), hooks::HOOK).told(),
    Route::new("GET", "/in/{platform}/{token}", Hook, run!(hooks::hook), hooks::HOOK).everywhere(),
    Route::new("POST", "/api/webhook/lead", Sender, run!(senders::lead), senders::LEAD).shape(Shape::Halo).told(),
    Route::new("POST", "/api/webhook/order", Sender, run!(senders::order), senders::ORDER).shape(Shape::Halo).told(),
    Route::new("POST", "/api/webhooks/woocommerce/{topic}", Sender, run!(hooks::woocommerce), hooks::WOOCOMMERCE).shape(Shape::Shop).told(),
    Route::new("POST", "/api/webhooks/shopify/{topic}", Sender, run!(hooks::shopify), hooks::SHOPIFY).shape(Shape::Shop).told(),
    Route::new("POST", "/api/conversions", Token(Scope::Write), run!(statements::tell), statements::TELL).shape(Shape::AnyTrack),
    Route::new("POST", "/funnel/event", Sender, run!(funnel::event), funnel::EVENT).shape(Shape::Funnel),
    Route::new("POST", "/funnel/conversion", Sender, run!(funnel::conversion), funnel::CONVERSION).shape(Shape::Funnel),
    Route::new("POST", "/api/chat/events", Token(Scope::Write), run!(chats::tell), chats::TELL).shape(Shape::Shop),
    // ---------------------------------------------------------------- shops, as the older system connected them
    Route::new("POST", "/api/woocommerce/configure", Token(Scope::Write), run!(shops::woocommerce), shops::WOOCOMMERCE)
        .shape(Shape::Shop)
        .burden(Burden::Care)
        .patience(55),
    Route::new("POST", "/api/shopify/configure", Token(Scope::Write), run!(shops::shopify), shops::SHOPIFY)
        .shape(Shape::Shop)
        .burden(Burden::Care)
        .patience(55),
    Route::new("POST", "/api/webhooks/setup", Token(Scope::Write), run!(shops::setup), shops::SETUP)
        .shape(Shape::Shop)
        .burden(Burden::Care)
        .patience(55),
    Route::new("GET", "/api/webhooks/setup", Token(Scope::Read), run!(shops::standing), shops::STANDING).shape(Shape::Shop).patience(55),
    // ---------------------------------------------------------------- the owner's hands
    Route::new("POST", "/api/sites", BoxOwner, run!(administration::add_site), administration::ADD_SITE),
    Route::new("POST", "/api/sites/{site}/connections", Member(Right::Own), run!(setups::add), setups::ADD).patience(55),
    Route::new("POST", "/api/sites/{site}/connections/{connection}", Member(Right::Own), run!(setups::set), setups::SET).patience(55),
    Route::new("DELETE", "/api/sites/{site}/connections/{connection}", Member(Right::Own), run!(setups::remove), setups::REMOVE),
    Route::new(
        "POST",
        "/api/sites/{site}/connections/{connection}/test",
        Site(Right::Edit, Scope::Write),
        run!(setups::test),
        setups::TEST,
    ),
    Route::new(
        "POST",
        "/api/sites/{site}/connections/{connection}/check",
        Site(Right::Edit, Scope::Write),
        run!(shops::check),
        shops::CHECK,
    )
    .patience(55),
    Route::new("POST", "/api/sites/{site}/connections/{connection}/pull", Site(Right::Edit, Scope::Write), run!(shops::pull), shops::PULL),
    Route::new("GET", "/api/sites/{site}/settings", Site(Right::Edit, Scope::Read), run!(settings::show), settings::SHOW),
    Route::new("POST", "/api/sites/{site}/settings", Site(Right::Edit, Scope::Write), run!(settings::change), settings::CHANGE),
    Route::new("POST", "/api/sites/{site}/secret", Member(Right::Own), run!(settings::secret), settings::SECRET),
    Route::new("GET", "/api/sites/{site}/policy", Site(Right::Edit, Scope::Read), run!(policy::show), policy::SHOW),
    Route::new("POST", "/api/sites/{site}/policy/preview", Site(Right::Edit, Scope::Read), run!(policy::preview), policy::PREVIEW)
        .patience(55),
    Route::new("POST", "/api/sites/{site}/policy", Site(Right::Edit, Scope::Write), run!(policy::apply), policy::APPLY).patience(55),
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
    Route::new("POST", "/api/sites/{site}/outbox/release", Site(Right::Edit, Scope::Write), run!(backups::release), backups::RELEASE),
    Route::new("POST", "/api/backups", BoxOwner, run!(backups::make), backups::MAKE),
    Route::new("POST", "/api/sites/{site}/inbox/{id}/replay", Site(Right::Edit, Scope::Write), run!(replays::inbox), replays::INBOX),
    Route::new("POST", "/api/sites/{site}/leads/{id}", Site(Right::Edit, Scope::Write), run!(pipeline::change), pipeline::CHANGE),
    Route::new("POST", "/api/sites/{site}/rules", Site(Right::Edit, Scope::Write), run!(rules::add), rules::ADD),
    Route::new("POST", "/api/sites/{site}/rules/preview", Site(Right::Edit, Scope::Read), run!(rules::preview), rules::PREVIEW),
    Route::new("DELETE", "/api/sites/{site}/rules/{id}", Site(Right::Edit, Scope::Write), run!(rules::remove), rules::REMOVE),
    Route::new("POST", "/api/sites/{site}/segments", Site(Right::Read, Scope::Write), run!(segments::add), segments::ADD),
    Route::new("POST", "/api/sites/{site}/segments/{segment}", Site(Right::Read, Scope::Write), run!(segments::change), segments::CHANGE),
    Route::new("DELETE", "/api/sites/{site}/segments/{segment}", Site(Right::Read, Scope::Write), run!(segments::remove), segments::REMOVE),
    Route::new("POST", "/api/sites/{site}/notes", Site(Right::Edit, Scope::Write), run!(notes::add), notes::ADD),
    Route::new("DELETE", "/api/sites/{site}/notes/{id}", Site(Right::Edit, Scope::Write), run!(notes::remove), notes::REMOVE),
    Route::new("POST", "/api/sites/{site}/inbox/{id}/dismiss", Site(Right::Edit, Scope::Write), run!(replays::dismiss), replays::DISMISS),
    // ---------------------------------------------------------------- people who ask to be forgotten
    Route::new("DELETE", "/api/delete-user", Token(Scope::Erase), run!(privacy::delete_user), privacy::DELETE_USER).shape(Shape::Halo),
    Route::new("POST", "/api/sites/{site}/erasures", Site(Right::Own, Scope::Erase), run!(privacy::erase), privacy::ERASE),
    Route::new("GET", "/api/sites/{site}/erasures", Site(Right::Own, Scope::Read), run!(privacy::list), privacy::LIST),
    Route::new("GET", "/api/sites/{site}/erasures.csv", Site(Right::Own, Scope::Export), run!(privacy::csv), privacy::CSV),
    Route::new("GET", "/api/sites/{site}/erasures.jsonl", Site(Right::Own, Scope::Export), run!(privacy::jsonl), privacy::JSONL),
    Route::new("GET", "/api/sites/{site}/erasures/{id}", Site(Right::Own, Scope::Read), run!(privacy::one), privacy::ONE),
    Route::new(
        "GET",
        "/api/sites/{site}/people/export.csv",
        Site(Right::Own, Scope::Export),
        run!(privacy::export_csv),
        privacy::EXPORT_CSV,
    ),
    Route::new("GET", "/api/sites/{site}/people/export", Site(Right::Own, Scope::Export), run!(privacy::export), privacy::EXPORT),
    Route::new("GET", "/api/sites/{site}/reports/consent", Site(Right::Read, Scope::Read), run!(desk::consent), desk::CONSENT).patience(55),
    Route::new("GET", "/api/sites/{site}/retention", Site(Right::Edit, Scope::Read), run!(desk::clocks), desk::CLOCKS),
    Route::new("GET", "/api/sites/{site}/processing.txt", Site(Right::Edit, Scope::Export), run!(desk::record), desk::RECORD),
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
    Route::new("GET", "/api/sites/{site}/reports/chat", Site(Right::See, Scope::Read), run!(reports::chat::chat), reports::chat::CHAT),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/customers",
        Site(Right::See, Scope::Read),
        run!(reports::customers::customers),
        reports::customers::CUSTOMERS,
    ),
    Route::new("GET", "/api/sites/{site}/segments", Site(Right::Read, Scope::Read), run!(segments::list), segments::LIST),
    Route::new("GET", "/api/sites/{site}/rules", Site(Right::Edit, Scope::Read), run!(rules::list), rules::LIST),
    Route::new("GET", "/api/sites/{site}/needs", Site(Right::See, Scope::Read), run!(needs::list), needs::LIST),
    Route::new("GET", "/api/sites/{site}/notes", Site(Right::See, Scope::Read), run!(notes::list), notes::LIST),
    Route::new("GET", "/api/sites/{site}/reports/live", Site(Right::See, Scope::Read), run!(reports::live), reports::LIVE),
    Route::new("GET", "/api/sites/{site}/live", Site(Right::See, Scope::Read), run!(live::live), live::LIVE).within(),
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
