//! Routes: what visitors, platforms and servers tell.

use super::super::route::{Right, Route, Scope, Shape, Who::*};
use super::super::{chats, counted, forward_auth, forwarding, hooks, senders, shops, statements, touch};
use crate::domain::storage::Burden;
use crate::run;

pub const ROUTES: &[Route] = &[
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
    Route::new("POST", "/api/webhooks/poshvip/{token}", Hook, run!(hooks::posh), hooks::POSH).told(),
    Route::new("POST", "/functions/v1/anytrack-webhook", Sender, run!(counted::anytrack), counted::EVENTS).shape(Shape::AnyTrack).told(),
    Route::new("POST", "/api/conversions", Token(Scope::Write), run!(statements::tell), statements::TELL).shape(Shape::AnyTrack),
    Route::new("POST", "/api/conversions/{id}/sync", Token(Scope::Sync), run!(forwarding::sync), forwarding::SYNC).shape(Shape::AnyTrack),
    Route::new("POST", "/api/chat/events", Token(Scope::Write), run!(chats::tell), chats::TELL).shape(Shape::Shop),
    // ---------------------------------------------------------------- shops, as the older system connected them
    Route::new("POST", "/api/woocommerce/configure", Named(Right::Own, Scope::Write), run!(shops::woocommerce), shops::WOOCOMMERCE)
        .shape(Shape::Shop)
        .burden(Burden::Care)
        .patience(55),
    Route::new("POST", "/api/shopify/configure", Named(Right::Own, Scope::Write), run!(shops::shopify), shops::SHOPIFY)
        .shape(Shape::Shop)
        .burden(Burden::Care)
        .patience(55),
    Route::new("POST", "/api/webhooks/setup", Named(Right::Own, Scope::Write), run!(shops::setup), shops::SETUP)
        .shape(Shape::Shop)
        .burden(Burden::Care)
        .patience(55),
    Route::new("GET", "/api/webhooks/setup", Named(Right::Edit, Scope::Read), run!(shops::standing), shops::STANDING)
        .shape(Shape::Shop)
        .patience(55),
];
