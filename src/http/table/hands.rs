//! Routes: what the owner does, and what is done for who asks to be forgotten.

use super::super::route::{Right, Route, Scope, Shape, Who::*};
use super::super::{
    administration, backups, consent, desk, funnels, imports, link_templates, notes, offline, pipeline, policy, privacy, replays, rules,
    runs, schedules, segments, settings, setups, shops, short_links, spend,
};
use crate::domain::storage::Burden;
use crate::flows::imports::uploads::PIECE;
use crate::run;

pub const ROUTES: &[Route] = &[
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
    Route::new(
        "POST",
        "/api/sites/{site}/connections/{connection}/schedule",
        Site(Right::Edit, Scope::Write),
        run!(schedules::set),
        schedules::SET,
    ),
    Route::new(
        "POST",
        "/api/sites/{site}/connections/{connection}/schedule/preview",
        Site(Right::Edit, Scope::Read),
        run!(schedules::preview),
        schedules::PREVIEW,
    ),
    Route::new("POST", "/api/sites/{site}/runs/{run}/cancel", Site(Right::Edit, Scope::Write), run!(runs::cancel), runs::CANCEL),
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
    Route::new("POST", "/api/sites/{site}/offline/preview", Site(Right::Edit, Scope::Write), run!(offline::preview), offline::PREVIEW),
    Route::new("POST", "/api/sites/{site}/offline", Site(Right::Edit, Scope::Write), run!(offline::add), offline::ADD),
    Route::new("POST", "/api/sites/{site}/rules", Site(Right::Edit, Scope::Write), run!(rules::add), rules::ADD),
    Route::new("POST", "/api/sites/{site}/rules/preview", Site(Right::Edit, Scope::Read), run!(rules::preview), rules::PREVIEW),
    Route::new("POST", "/api/sites/{site}/rules/try", Site(Right::Edit, Scope::Read), run!(rules::attempt), rules::TRY),
    Route::new("DELETE", "/api/sites/{site}/rules/{id}", Site(Right::Edit, Scope::Write), run!(rules::remove), rules::REMOVE),
    Route::new("POST", "/api/sites/{site}/spend", Site(Right::Edit, Scope::Write), run!(spend::add), spend::ADD),
    Route::new("POST", "/api/sites/{site}/spend/{id}", Site(Right::Edit, Scope::Write), run!(spend::change), spend::CHANGE),
    Route::new("DELETE", "/api/sites/{site}/spend/{id}", Site(Right::Edit, Scope::Write), run!(spend::remove), spend::REMOVE),
    // ---------------------------------------------------------------- files of history
    Route::new("POST", "/api/sites/{site}/imports", Site(Right::Edit, Scope::Write), run!(imports::announce), imports::ANNOUNCE),
    Route::new("POST", "/api/sites/{site}/imports/{id}/pieces", Site(Right::Edit, Scope::Write), run!(imports::send), imports::SEND)
        .burden(Burden::Export)
        .most(PIECE),
    Route::new("POST", "/api/sites/{site}/imports/{id}/preview", Site(Right::Edit, Scope::Write), run!(imports::preview), imports::PREVIEW)
        .patience(55),
    Route::new("POST", "/api/sites/{site}/imports/{id}/run", Site(Right::Edit, Scope::Write), run!(imports::run), imports::RUN)
        .patience(55),
    Route::new("POST", "/api/sites/{site}/imports/{id}/undo", Site(Right::Edit, Scope::Write), run!(imports::undo), imports::UNDO)
        .patience(55),
    Route::new("DELETE", "/api/sites/{site}/imports/{id}", Site(Right::Edit, Scope::Write), run!(imports::remove), imports::REMOVE),
    Route::new("POST", "/api/sites/{site}/funnels", Site(Right::Edit, Scope::Write), run!(funnels::add), funnels::ADD),
    Route::new("POST", "/api/sites/{site}/funnels/{funnel}", Site(Right::Edit, Scope::Write), run!(funnels::change), funnels::CHANGE),
    Route::new("DELETE", "/api/sites/{site}/funnels/{funnel}", Site(Right::Edit, Scope::Write), run!(funnels::remove), funnels::REMOVE),
    Route::new("POST", "/api/sites/{site}/segments", Site(Right::Read, Scope::Write), run!(segments::add), segments::ADD),
    Route::new("POST", "/api/sites/{site}/segments/{segment}", Site(Right::Read, Scope::Write), run!(segments::change), segments::CHANGE),
    Route::new("DELETE", "/api/sites/{site}/segments/{segment}", Site(Right::Read, Scope::Write), run!(segments::remove), segments::REMOVE),
    Route::new("POST", "/api/sites/{site}/links", Site(Right::Edit, Scope::Write), run!(short_links::add), short_links::ADD),
    Route::new("POST", "/api/sites/{site}/links/preview", Site(Right::Edit, Scope::Read), run!(short_links::preview), short_links::PREVIEW),
    Route::new(
        "POST",
        "/api/sites/{site}/links/templates",
        Site(Right::Edit, Scope::Write),
        run!(link_templates::keep),
        link_templates::KEEP,
    ),
    Route::new(
        "DELETE",
        "/api/sites/{site}/links/templates/{template}",
        Site(Right::Edit, Scope::Write),
        run!(link_templates::remove),
        link_templates::REMOVE,
    ),
    Route::new("POST", "/api/sites/{site}/links/{link}", Site(Right::Edit, Scope::Write), run!(short_links::change), short_links::CHANGE),
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
    Route::new("GET", "/api/sites/{site}/reports/consent/proof", Site(Right::Read, Scope::Read), run!(consent::proof), consent::PROOF)
        .patience(55),
    Route::new("GET", "/api/sites/{site}/reports/consent/left", Site(Right::Read, Scope::Read), run!(consent::left), consent::LEFT),
    Route::new(
        "GET",
        "/api/sites/{site}/reports/consent/withheld",
        Site(Right::Read, Scope::Read),
        run!(consent::withheld),
        consent::WITHHELD,
    ),
    Route::new("GET", "/api/sites/{site}/retention", Site(Right::Edit, Scope::Read), run!(desk::clocks), desk::CLOCKS),
    Route::new("GET", "/api/sites/{site}/privacy-requests", Site(Right::Own, Scope::Read), run!(desk::requests), desk::REQUESTS),
    Route::new("GET", "/api/sites/{site}/identity-claims", Site(Right::Own, Scope::Read), run!(desk::claims), desk::CLAIMS),
    Route::new("GET", "/api/sites/{site}/processing.txt", Site(Right::Edit, Scope::Export), run!(desk::record), desk::RECORD),
];
