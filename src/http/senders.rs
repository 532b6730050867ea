//! Platforms, forms and servers that tell us facts: hook addresses, the kept paths of leads and orders, and leads
//! straight from a page. The sender is proved first; after a 200 the fact is on disk.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use super::ask::Ask;
use super::counted;
use super::hooks::delivered;
use super::reply::Reply;
use super::route::{Doc, Scope};
use super::touch;
use super::visitor::Visitor;
use crate::app::App;
use crate::domain::campaign::host_of;
use crate::domain::fact::Fact;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::error::{Error, Kind, Result};
use crate::flows::connections as setups;
use crate::flows::intake::{self, Stored, Taken};
use crate::flows::replay::{home_of, sentence};
use crate::limits::{Rate, address_key};
use crate::sources::{self, Batch, Reject};
use crate::store::connections::Connection;
use crate::store::sites::Site;

/// Guesses at a secret: from one address, and at one hook.
const BAD_SIGNATURES: Rate = Rate::per_minute(30, 30);
const BAD_AT_ONE_HOOK: Rate = Rate::per_minute(300, 300);
/// Leads of one address straight from a page.
const PAGE_LEADS: Rate = Rate::per_minute(6, 6);
/// Forms connections that one signature is tried against.
const MOST_TRIED: usize = 64;

pub const LEAD: Doc = Doc::new("Facts in", "Takes a lead from a form or the owner's server, as JSON or form-encoded.")
    .body(r#"{"lead_id":"L-83","email":"ann@shop.example","phone":"+971501234567","name":"Ann Lee","form_type":"contact","value":250,"currency":"AED","session_id":"akzJ2n0Q…","consent_given":true,"created_at":"2026-06-13T09:20:00Z"}"#)
    .answer(r#"{"success":true,"attributed":true,"match_type":"session","lead_id":"L-83","forwarded":{"facebook":true,"google":true},"deliveries":[{"platform":"meta","mode":"live","state":"pending"}]}"#)
    .statuses(&[200, 400, 401, 413, 415, 422, 429, 503]);
pub const ORDER: Doc = Doc::new("Facts in", "Takes an order of any shop; WooCommerce and Shopify bodies are recognised.")
    .body(r#"{"order_id":"10574","total":"86.90","currency":"EUR","email":"ann@shop.example","session_id":"akzJ2n0Q…","status":"paid"}"#)
    .answer(r#"{"success":true,"attributed":true,"match_type":"session","order_id":"10574","forwarded":{"facebook":true,"google":false},"deliveries":[]}"#)
    .statuses(&[200, 400, 401, 413, 415, 422, 429, 503]);
pub const PAGE_LEAD: Doc =
    Doc::new("Pages", "Takes a lead straight from a page. Off until the owner switches it on (site set public_leads=true).")
        .body(r#"{"site":"KEY","email":"ann@shop.example","message":"Please call me"}"#)
        .answer(r#"{"success":true}"#)
        .statuses(&[200, 400, 403, 404, 413, 422, 429, 503]);

/// A refusal that guessing cannot use: counted per address and per hook.
pub(super) async fn bad_signature(app: &App, ask: &Ask, connection: Option<ConnectionId>, reject: &Reject) -> Error {
    let now = app.clock.now();
    app.figures.add("signatures_refused", &connection.map(|c| c.to_string()).unwrap_or_default());
    let by_address = app.limits.take("bad_signature", address_key(ask.client), BAD_SIGNATURES, now);
    let by_hook = app.limits.take("bad_signature_hook", connection.map(|c| c.number() as u64).unwrap_or(0), BAD_AT_ONE_HOOK, now);
    if let (Some(id), Ok(())) = (connection, &by_hook)
        && let Err(e) = setups::mistrusted(app, id).await
    {
        tracing::warn!(code = e.code, "A wrong signature was not counted");
    }
    if (!ask.is_peer_trusted || ask.client != ask.peer)
        && let Err(seconds) = by_address.and(by_hook)
    {
        return Error::new(Kind::TooMany, "too_many", "Too many wrong signatures. Try again later.").after(seconds);
    }
    Error::new(Kind::Unauthorised, "bad_signature", sentence(reject))
}

/// `POST /api/webhook/lead`
pub async fn lead(app: App, ask: Ask) -> Result<Reply> {
    let (site, connection) = sender(&app, &ask).await?;
    let now = app.clock.now();
    let home = home_of(&site, now);
    let lead = sources::forms::read_lead(&ask.body, content_type(&ask), &home).map_err(refused)?;
    let batch = Batch::of(vec![Fact::Lead(lead)]);
    let taken = intake::run(&app, &site, delivered(&ask, connection, "forms", batch, false)).await?;
    answer(&taken, "lead_id")
}

/// `POST /api/webhook/order`
pub async fn order(app: App, ask: Ask) -> Result<Reply> {
    let (site, connection) = sender(&app, &ask).await?;
    let now = app.clock.now();
    let home = home_of(&site, now);
    let order = sources::forms::read_order(&ask.body, content_type(&ask), &home).map_err(refused)?;
    let batch = Batch::of(vec![Fact::Order(order)]);
    let taken = intake::run(&app, &site, delivered(&ask, connection, "forms", batch, false)).await?;
    answer(&taken, "order_id")
}

/// `POST /api/lead`: asserted, origin-checked, off until the owner switches it on.
pub async fn page_lead(app: App, ask: Ask) -> Result<Reply> {
    let visitor = Visitor::of(&app, &ask).await?;
    if !visitor.site.settings.public_leads {
        return Err(Error::new(
            Kind::Forbidden,
            "public_leads_off",
            "This site does not take leads from its pages. Its owner switches that on: halotrack site set SITE public_leads=true.",
        ));
    }
    let now = app.clock.now();
    let is_proxy_itself = ask.is_peer_trusted && ask.client == ask.peer;
    if !is_proxy_itself && app.limits.take("page_lead", address_key(ask.client), PAGE_LEADS, now).is_err() {
        return Err(Error::new(Kind::TooMany, "too_many", "6 leads a minute for one address. Try again later.").after(10));
    }
    let mut fields = visitor.fields.clone();
    // The cookie wins over what the body says.
    let session = visitor.session(&ask)?;
    touch::is_refused(&app, &visitor, session.as_ref(), &ask).await?;
    if let Some(session) = session {
        fields.insert("session_id".into(), Value::from(session.sealed(&visitor.site.keys.session)));
    }
    // A page names neither our site nor an id of the owner's own leads.
    for name in ["site", "lead_id", "id", "created_at", "ip_address"] {
        fields.remove(name);
    }
    let home = home_of(&visitor.site, now);
    let body = Value::Object(fields).to_string();
    let mut lead = sources::forms::read_lead(body.as_bytes(), "application/json", &home).map_err(refused)?;
    lead.source = "page".into();
    lead.happened_at = now;
    lead.external_id = None;
    // Nor can it say yes for the visitor. A no is heard.
    let says_no = lead.traces.consent_given == Some(false) || touch::refusal(&visitor.site, &visitor.fields, &ask)?;
    lead.traces.consent_given = says_no.then_some(false);
    let batch = Batch::of(vec![Fact::Lead(lead)]);
    intake::run(&app, &visitor.site, delivered(&ask, None, "page", batch, true)).await?;
    // Nothing that matching found goes back to a browser.
    Ok(visitor.answer(Reply::json(&json!({"success": true}))?))
}

/// Something by which a sender may prove itself.
pub fn has_proof(app: &App, ask: &Ask) -> bool {
    let headers = ["authorization", "x-halo-signature", "x-webhook-secret", "webhook-signature", "svix-signature"];
    // Shops are known by their own signatures, and their pings by none.
    let is_shop = ask.path.starts_with("/api/webhooks/");
    let is_bare = ask.path == counted::ANYTRACK_PATH && counted::takes_bare(app).is_some();
    is_shop
        || is_bare
        || headers.iter().any(|name| ask.header(name).is_some())
        || ask.query("token").is_some()
        || ask.query("secret").is_some()
}

pub fn no_proof(path: &str) -> Error {
    // Steps are told by a server of one's own, by token alone.
    if path.starts_with("/funnel/") {
        return Error::new(Kind::Unauthorised, "signed_out", "Send a token: Authorization: Bearer ht_….");
    }
    Error::new(
        Kind::Unauthorised,
        "bad_signature",
        "Sign the body (x-halo-signature, x-halo-timestamp), or send x-webhook-secret or a Bearer token.",
    )
}

/// Site and connection of a kept path: by token, by signature, or by the plain secret.
async fn sender(app: &App, ask: &Ask) -> Result<(Arc<Site>, Option<ConnectionId>)> {
    if let Some(token) = ask.bearer().or(ask.query("token")) {
        let (_, site) = access::prove(app, token, Scope::Write).await?;
        return Ok((site, None));
    }
    let book = app.book();
    let near: Option<SiteId> = told_host(ask).and_then(|host| book.site_by_host(&host).map(|s| s.id));
    let forms = sources::find("forms").and_then(|s| s.webhook()).ok_or_else(|| Error::internal("the forms source is not listed"))?;
    let now = app.clock.now();
    // Those of the page's own domain first, then all; the signature decides, the domain only orders.
    let mut tried: Vec<&Arc<Connection>> = book.connections().filter(|c| c.platform == "forms").collect();
    tried.sort_by_key(|c| Some(c.site) != near);
    let incoming = ask.incoming();
    let mut found: Option<&Arc<Connection>> = None;
    let mut reject = Reject::BadSignature;
    for connection in tried.into_iter().take(MOST_TRIED) {
        match forms.verify(&incoming, &connection.secrets.live(now), now) {
            Ok(_) if found.is_none() => found = Some(connection),
            Ok(_) => {}
            Err(Reject::StaleSignature) => reject = Reject::StaleSignature,
            Err(_) => {}
        }
    }
    let Some(connection) = found else { return Err(bad_signature(app, ask, None, &reject).await) };
    let site = book.site(connection.site).cloned().ok_or_else(|| Error::internal("a connection without its site"))?;
    Ok((site, Some(connection.id)))
}

/// The host that the body's `url` or the Origin names. Only a hint of where to look first.
fn told_host(ask: &Ask) -> Option<String> {
    let in_body = std::str::from_utf8(&ask.body).ok().and_then(|text| {
        let at = text.find("\"url\"")?;
        let rest = text[at + 5..].trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        host_of(rest.split('"').next()?)
    });
    in_body.or_else(|| ask.header("origin").and_then(host_of))
}

fn content_type(ask: &Ask) -> &str {
    ask.header("content-type").unwrap_or_default()
}

/// A parser's refusal as an answer to a sender who can mend it.
pub fn refused(reject: Reject) -> Error {
    match reject {
        Reject::BadSignature | Reject::StaleSignature => Error::new(Kind::Unauthorised, "bad_signature", sentence(&reject)),
        Reject::BadBody(sentence) => Error::new(Kind::Invalid, "bad_json", sentence),
        Reject::BadField { field, code, sentence } => Error::new(Kind::Invalid, code, sentence).of(&field),
    }
}

fn answer(taken: &Taken, id_name: &str) -> Result<Reply> {
    let Some(fact) = taken.facts.first() else {
        return Reply::json(
            &json!({"success": true, "duplicate": true, "attributed": false, "match_type": "none", "forwarded": {"facebook": false, "google": false}, "deliveries": []}),
        );
    };
    let mut body = json!({
        "success": true,
        "duplicate": !fact.is_new,
        "attributed": fact.is_attributed,
        "match_type": fact.match_type,
        "attribution": fact.snapshot,
        "conversion_id": fact.conversion,
        "forwarded": forwarded(fact),
        "deliveries": deliveries(fact),
    });
    body[id_name] = Value::from(fact.external_id.as_str());
    Reply::json(&body)
}

/// True where a delivery that will really be sent is planned, or was.
fn forwarded(fact: &Stored) -> Value {
    let goes = |platforms: &[&str]| {
        fact.deliveries.iter().any(|(platform, mode, state)| {
            platforms.contains(&platform.as_str())
                && mode != "shadow"
                && matches!(state.as_str(), "pending" | "leased" | "delivered" | "accepted")
        })
    };
    json!({"facebook": goes(&["meta"]), "google": goes(&["ga4", "google_ads"])})
}

pub fn deliveries(fact: &Stored) -> Vec<Value> {
    fact.deliveries.iter().map(|(platform, mode, state)| json!({"platform": platform, "mode": mode, "state": state})).collect()
}
