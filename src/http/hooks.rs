//! Platforms that call us: at an address of their own, or on a kept path that all shops share. The sender is proved
//! first; after a 200 what was told is on disk.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use super::ask::Ask;
use super::counted;
use super::reply::Reply;
use super::route::Doc;
use super::senders::bad_signature;
use crate::app::App;
use crate::domain::fact::Fact;
use crate::domain::ids::{ConnectionId, InboxId};
use crate::error::{Kind, Result};
use crate::flows::erase;
use crate::flows::intake::{self, Delivered, Stored};
use crate::flows::pull;
use crate::flows::replay::{home_of, sentence};
use crate::sources::{self, Batch, Heard, Reject, Verified, Whom};
use crate::store::connections::Connection;
use crate::store::sites::Site;
use crate::wire::Incoming;

/// Shops that one signature is tried against.
const MOST_TRIED: usize = 64;

pub const HOOK: Doc =
    Doc::new("Facts in", "The address that a platform calls. The token in it selects site and connection; the signature decides.")
        .body(r#"{"lead_id":"L-83","email":"ann@shop.example","form_type":"contact"}"#)
        .answer(r#"{"status":"accepted","id":"in_4"}"#)
        .statuses(&[200, 400, 401, 404, 413, 415, 429, 503]);
pub const WOOCOMMERCE: Doc = Doc::new(
    "Facts in",
    "The address that older set-ups of WooCommerce call: order-created, order-updated, order-deleted. The shop's own header says where to look first, its signature decides.",
)
.body(r#"{"id":10574,"status":"processing","total":"86.90","currency":"EUR"}"#)
.answer(r#"{"status":"success","attribution":{"conversationId":null,"confidence":0,"method":"no_match"}}"#)
.statuses(&[200, 401, 413, 415, 429, 503]);
pub const SHOPIFY: Doc = Doc::new(
    "Facts in",
    "The address that older set-ups of Shopify call. The shop's own header says where to look first, its signature decides.",
)
.body(r#"{"id":5678901234567,"financial_status":"paid","total_price":"86.90","currency":"EUR"}"#)
.answer(r#"{"status":"success","attribution":{"conversationId":null,"confidence":0,"method":"no_match"}}"#)
.statuses(&[200, 401, 413, 415, 429, 503]);

pub const POSH: Doc =
    Doc::new("Facts in", "The address that older set-ups of Posh call: the token in it selects site and connection, Posh-Secret decides.")
        .body(r#"{"type":"new_order","event_id":"66f0","order_number":"10432","total":86.9,"account_email":"ann@shop.example"}"#)
        .answer(r#"{"status":"accepted","id":"in_4"}"#)
        .statuses(&[200, 401, 404, 413, 415, 429, 503]);

/// What became of a body whose sender has proved itself.
enum Told {
    Facts {
        id: InboxId,
        is_duplicate: bool,
        facts: Vec<Stored>,
    },
    /// Authentic, but not understood, or something that only the owner can do.
    Kept {
        id: InboxId,
    },
    /// Taken, and there is nothing to keep of it.
    Done {
        id: Value,
    },
    /// An answer to a challenge.
    Answer(Vec<u8>),
}

/// `POST /in/{platform}/{token}`
pub async fn hook(app: App, ask: Ask) -> Result<Reply> {
    let platform = ask.param("platform").to_owned();
    hook_of(app, ask, &platform).await
}

/// `POST /api/webhooks/poshvip/{token}`
pub async fn posh(app: App, ask: Ask) -> Result<Reply> {
    hook_of(app, ask, "poshvip").await
}

async fn hook_of(app: App, ask: Ask, platform: &str) -> Result<Reply> {
    let book = app.book();
    let unknown = access::unknown_endpoint;
    // Looked up by hash first, whatever the platform in the path says: one answer and one time for all strangers.
    let connection = book.connection_by_hook(ask.param("token")).cloned();
    let connection = connection.filter(|c| c.platform == platform).ok_or_else(unknown)?;
    let webhook = sources::find(&connection.platform).and_then(|s| s.webhook()).ok_or_else(unknown)?;
    let incoming = Incoming { origin: app.config.public_url.trim_end_matches('/'), ..ask.incoming() };
    if webhook.greet(&incoming).is_some() {
        return Ok(Reply::text("text/plain", "pong"));
    }
    let now = app.clock.now();
    let secrets = connection.secrets.live(now);
    let verified = match webhook.verify(&incoming, &secrets, now) {
        Ok(verified) => verified,
        Err(reject) => return Err(bad_signature(&app, &ask, Some(connection.id), &reject).await),
    };
    if let Some(answer) = webhook.challenge(&verified, &secrets) {
        return Ok(Reply::text("application/json", answer.body));
    }
    if webhook.is_counted() {
        return counted::take(&app, &ask, &connection, &verified, false).await;
    }
    match take(&app, &ask, &connection, &verified).await? {
        Told::Facts { id, is_duplicate, .. } => {
            Reply::json(&json!({"status": if is_duplicate { "duplicate" } else { "accepted" }, "id": id}))
        }
        Told::Kept { id } => Reply::json(&json!({"status": "quarantined", "id": id})),
        Told::Done { id } => Reply::json(&json!({"status": "accepted", "id": id})),
        Told::Answer(body) => Ok(Reply::text("text/plain", body)),
    }
}

/// `POST /api/webhooks/woocommerce/{topic}`
pub async fn woocommerce(app: App, ask: Ask) -> Result<Reply> {
    kept(app, ask, "woocommerce").await
}

/// `POST /api/webhooks/shopify/{topic}`
pub async fn shopify(app: App, ask: Ask) -> Result<Reply> {
    kept(app, ask, "shopify").await
}

/// After a good signature never a refusal: shops drop a hook that keeps failing.
async fn kept(app: App, ask: Ask, platform: &str) -> Result<Reply> {
    let webhook = sources::find(platform).and_then(|s| s.webhook()).ok_or_else(access::unknown_endpoint)?;
    let incoming = ask.incoming();
    if webhook.greet(&incoming).is_some() {
        return Ok(Reply::text("text/plain", "pong"));
    }
    let Some((connection, verified)) = signer(&app, &ask, webhook, platform) else {
        return Err(bad_signature(&app, &ask, None, &Reject::BadSignature).await);
    };
    let attribution = match take(&app, &ask, &connection, &verified).await? {
        Told::Facts { facts, .. } => facts.first().map(attribution),
        Told::Kept { .. } | Told::Done { .. } | Told::Answer(_) => None,
    };
    Reply::json(&json!({"status": "success", "attribution": attribution}))
}

/// Whose secret signed it: the shop that the sender calls itself, else the only other one whose secret fits.
fn signer<'a>(app: &App, ask: &'a Ask, webhook: &dyn sources::Webhook, platform: &str) -> Option<(Arc<Connection>, Verified<'a>)> {
    let (book, now) = (app.book(), app.clock.now());
    let incoming = ask.incoming();
    let mut tried: Vec<(bool, &Arc<Connection>)> =
        book.connections().filter(|c| c.platform == platform).map(|c| (webhook.is_named(&incoming, &c.settings), c)).collect();
    tried.sort_by_key(|(is_named, _)| !is_named);
    let fits: Vec<(bool, Arc<Connection>, Verified<'a>)> = tried
        .into_iter()
        .take(MOST_TRIED)
        .filter_map(|(is_named, c)| Some((is_named, c.clone(), webhook.verify(&incoming, &c.secrets.live(now), now).ok()?)))
        .collect();
    // One secret of two shops: without its name nobody can say which of them it was.
    let is_sure = fits.first().is_some_and(|(is_named, ..)| *is_named) || fits.len() == 1;
    fits.into_iter().next().filter(|_| is_sure).map(|(_, connection, verified)| (connection, verified))
}

/// As the older system told what a purchase was credited to: a conversation.
fn attribution(fact: &Stored) -> Value {
    let chat = &fact.snapshot["chat"];
    json!({
        "conversationId": chat["conversation_id"],
        "confidence": chat["confidence"].as_f64().unwrap_or(0.0),
        "method": chat["method"].as_str().unwrap_or("no_match"),
    })
}

async fn take(app: &App, ask: &Ask, connection: &Arc<Connection>, verified: &Verified<'_>) -> Result<Told> {
    let unknown = access::unknown_endpoint;
    let site = app.book().site(connection.site).cloned().ok_or_else(unknown)?;
    let webhook = sources::find(&connection.platform).and_then(|s| s.webhook()).ok_or_else(unknown)?;
    match webhook.parse(verified, &connection.settings, &home_of(&site, app.clock.now())) {
        Ok(Heard::Reply(response)) => Ok(Told::Answer(response.body)),
        Ok(Heard::Facts(batch)) if !batch.facts.is_empty() => stored(app, ask, &site, connection, batch).await,
        Ok(Heard::Fetch(refs)) => stored(app, ask, &site, connection, Batch { fetch: refs, ..Batch::default() }).await,
        Ok(Heard::Farewell(sentence)) => {
            let told = stored(app, ask, &site, connection, Batch::default()).await?;
            pull::pause(app, &site, connection.id, sentence).await?;
            Ok(told)
        }
        Ok(Heard::Erasure(whom)) => forgotten(app, &site, ask, connection, &whom).await,
        Ok(Heard::ForOwner(sentence)) => quarantined(app, &site, ask, connection, sentence).await,
        // Authentic, but not understood: kept, shown, replayable; a refusal would make the sender drop the hook.
        Ok(_) => quarantined(app, &site, ask, connection, "It holds no fact.".into()).await,
        Err(reject) => quarantined(app, &site, ask, connection, sentence(&reject)).await,
    }
}

async fn stored(app: &App, ask: &Ask, site: &Arc<Site>, connection: &Connection, batch: Batch) -> Result<Told> {
    let taken = intake::run(app, site, delivered(ask, Some(connection.id), &connection.platform, batch, false)).await?;
    app.figures.add("inbox", if taken.is_duplicate { "duplicate" } else { "accepted" });
    Ok(Told::Facts { id: taken.inbox, is_duplicate: taken.is_duplicate, facts: taken.facts })
}

/// Whom a platform wants forgotten is erased before it gets its answer. Its body, which names them, is not kept.
async fn forgotten(app: &App, site: &Arc<Site>, ask: &Ask, connection: &Connection, whom: &Whom) -> Result<Told> {
    let Ok(named) = erase::named_buyer(site, connection.id, &connection.platform, whom) else {
        let reason = "A customer is to be forgotten, but the body names them by no e-mail, number or order.";
        return quarantined(app, site, ask, connection, reason.into()).await;
    };
    match erase::begin(app, site, named, &connection.platform).await {
        Ok(id) => Ok(Told::Done { id: json!(id) }),
        // Of orders that never came nothing can be forgotten.
        Err(e) if e.kind == Kind::NotFound => Ok(Told::Done { id: Value::Null }),
        Err(e) => Err(e),
    }
}

async fn quarantined(app: &App, site: &Arc<Site>, ask: &Ask, connection: &Connection, reason: String) -> Result<Told> {
    let delivered = delivered(ask, Some(connection.id), &connection.platform, Batch::default(), false);
    Ok(Told::Kept { id: intake::quarantine(app, site, delivered, reason).await? })
}

/// A body on its way into the books. On the kept paths the same body is the same report as at the hook's own address.
pub fn delivered(ask: &Ask, connection: Option<ConnectionId>, platform: &str, batch: Batch, is_asserted: bool) -> Delivered {
    // A body whose facts name themselves is a repeat for ever; one without ids only within its own time.
    let is_once = connection.is_some() && batch.facts.iter().all(has_own_id);
    let is_hook = ask.path.starts_with("/in/")
        || ask.path.starts_with("/api/webhooks/")
        || ask.path == counted::ANYTRACK_PATH
        || (ask.path == "/api/webhook/lead" && connection.is_some());
    Delivered {
        connection,
        platform: platform.to_owned(),
        path: if is_hook { "/in".to_owned() } else { ask.path.clone() },
        content_type: ask.header("content-type").unwrap_or_default().chars().take(120).collect(),
        body: ask.body.to_vec(),
        facts: batch.facts,
        fetch: batch.fetch,
        is_asserted,
        is_once,
        read_at: None,
    }
}

fn has_own_id(fact: &Fact) -> bool {
    match fact {
        Fact::Lead(lead) => lead.external_id.is_some(),
        Fact::Order(_)
        | Fact::Refund(_)
        | Fact::Deletion(_)
        | Fact::Statement(_)
        | Fact::Message(_)
        | Fact::Progress(_)
        | Fact::Milestone(_)
        | Fact::Enrolment(_)
        | Fact::Event(_) => true,
    }
}
