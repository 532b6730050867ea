//! Shops connected and looked after: the paths and shapes of the older system (spec 4.4), and the buttons of a card.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::platform::{FieldKind, LONGEST_HISTORY_DAYS};
use crate::error::{Error, Kind, Result};
use crate::flows::connections::{self, NewConnectionForm, hook_url};
use crate::flows::provision::{self, Looked};
use crate::flows::pull::{hurry, read_back};
use crate::platforms;
use crate::sources::Hook;
use crate::store::connections::Connection;

pub const WOOCOMMERCE: Doc =
    Doc::new("Shops", "Connects a WooCommerce store, or gives one new keys: the keys are proved, webhooks registered.")
        .body(r#"{"url":"https://shop.example","consumerKey":"ck_…","consumerSecret":"cs_…"}"#)
        .answer(CONFIGURED)
        .statuses(&[200, 400, 401, 403, 422]);
pub const SHOPIFY: Doc = Doc::new("Shops", "Connects a Shopify shop, or gives one new credentials.")
    .body(r#"{"shop":"shop.myshopify.com","clientId":"…","clientSecret":"…"}"#)
    .answer(CONFIGURED)
    .statuses(&[200, 400, 401, 403, 422]);
pub const SETUP: Doc = Doc::new(
    "Shops",
    "Puts our webhooks into a shop, looks at them or takes them out: register (create), check (status), delete (remove). Repeating register adopts what is there.",
)
.body(r#"{"domain":"shop.example","platform":"woocommerce","action":"register"}"#)
.answer(r#"{"success":true,"platform":"woocommerce","webhookId":"12","message":"The webhooks are in place."}"#)
.statuses(&[200, 400, 401, 403, 404, 422]);
pub const STANDING: Doc = Doc::new("Shops", "How our webhooks stand in a shop now.")
    .query(&[("domain", "The site's host, or the shop's"), ("platform", "woocommerce or shopify")])
    .answer(r#"{"success":true,"platform":"woocommerce","exists":true,"active":true,"webhookId":"12","deliveryUrl":"…/in/woocommerce/…","webhooks":[{"topic":"order.created","id":"12","active":true}]}"#)
    .statuses(&[200, 400, 401, 403, 404, 422]);
pub const CHECK: Doc = Doc::new("Connections", "Looks at our webhooks in the platform and puts back what is missing or switched off.")
    .body("{}")
    .answer(r#"{"connection":"con_7","is_in_place":true,"told":[]}"#)
    .statuses(&[200, 401, 403, 404]);
pub const PULL: Doc = Doc::new(
    "Connections",
    "Has the platform's own list read now, or with `days` the last so many days of it once more; the card shows when it has been.",
)
.body(r#"{"days":30}"#)
.answer(r#"{"connection":"con_7","is_begun":true}"#)
.statuses(&[200, 401, 403, 404, 422]);

const CONFIGURED: &str = r#"{"success":true,"platform":"woocommerce","connection":"con_7","status":"ok","webhookId":"12","progress":[{"sentence":"The configuration is saved.","is_done":true}],"message":"Purchase tracking is enabled."}"#;

/// Names of the older system, and the settings that they are.
const WOOCOMMERCE_FIELDS: [(&str, &str); 3] = [("url", "url"), ("consumerKey", "consumer_key"), ("consumerSecret", "consumer_secret")];
const SHOPIFY_FIELDS: [(&str, &str); 4] =
    [("shop", "shop"), ("clientId", "client_id"), ("clientSecret", "client_secret"), ("accessToken", "access_token")];
/// Platforms that the older system knew.
const PLATFORMS: [&str; 2] = ["woocommerce", "shopify"];

/// `POST /api/woocommerce/configure`
pub async fn woocommerce(app: App, ask: Ask) -> Result<Reply> {
    configure(&app, &ask, "woocommerce", &WOOCOMMERCE_FIELDS).await
}

/// `POST /api/shopify/configure`
pub async fn shopify(app: App, ask: Ask) -> Result<Reply> {
    configure(&app, &ask, "shopify", &SHOPIFY_FIELDS).await
}

async fn configure(app: &App, ask: &Ask, platform: &str, names: &[(&str, &str)]) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    let mut settings = BTreeMap::new();
    for (name, key) in names {
        if let Some(text) = reader::text(&fields, name, 2_048)?.map(str::trim).filter(|t| !t.is_empty()) {
            settings.insert((*key).to_owned(), text.to_owned());
        }
    }
    let address = names.first().map(|(name, key)| (*name, *key)).unwrap_or_default();
    let Some(shop) = settings.get(address.1).cloned() else {
        return Err(Error::parameter(address.0, format!("{} is missing.", address.0)));
    };
    let site = ask.site()?.id;
    let known = app.book().connections_of(site).find(|c| c.platform == platform && is_shop(c, &shop)).map(|c| c.id);
    let (id, progress) = match known {
        // The same shop again: new keys for what is there, and everything else stays.
        Some(id) => {
            connections::set(app, Some(site), id, None, &settings, &ask.who()).await?;
            (id, provision::begin(app, id).await?)
        }
        None => {
            let form = NewConnectionForm { platform: platform.into(), settings, ..NewConnectionForm::default() };
            let added = connections::add(app, site, &form, &ask.who()).await?;
            (added.card.connection, added.progress)
        }
    };
    let card = connections::card(app, &*connections::find(app, Some(site), id)?).await?;
    let message = progress.last().map_or("The configuration is saved.", |p| p.sentence.as_str());
    Reply::json(&json!({
        "success": true,
        "platform": platform,
        "connection": id,
        "status": card.status,
        "webhookId": card.standing["webhooks"][0]["id"],
        "webhooks": card.standing["webhooks"],
        "deliveryUrl": card.hook_url,
        "message": message,
        "progress": progress,
    }))
}

/// `POST /api/webhooks/setup`
pub async fn setup(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    let text = |name: &str| -> Result<String> {
        let given = reader::text(&fields, name, 253)?.map(str::trim).filter(|t| !t.is_empty());
        given.map(str::to_owned).ok_or_else(|| Error::parameter(name, format!("{name} is missing.")))
    };
    let (domain, platform, action) = (text("domain")?, text("platform")?, text("action")?);
    let connection = named(&app, &ask, &domain, &platform)?;
    let name = platforms::get(&platform)?.name();
    let hooks = match action.as_str() {
        "register" | "create" => {
            if let Looked::Failed { sentence } = provision::look(&app, connection.id).await? {
                return Err(Error::new(Kind::Invalid, "refused_by_platform", sentence));
            }
            provision::see(&app, connection.id).await?
        }
        "check" | "status" => provision::see(&app, connection.id).await?,
        "delete" | "remove" => {
            provision::withdraw(&app, connection.id, &ask.who()).await?;
            Vec::new()
        }
        _ => return Err(Error::parameter("action", "action is register, check or delete.")),
    };
    let message = match (action.as_str(), hooks.iter().all(|h| h.is_active) && !hooks.is_empty()) {
        ("delete" | "remove", _) => format!("The webhooks were taken out of {name}."),
        (_, true) => "The webhooks are in place.".to_owned(),
        (_, false) => format!("{name} has no active webhook of ours. Ask for action register to put them back."),
    };
    let mut shown = standing_of(&app, &connection, &hooks);
    shown.insert("message".into(), message.into());
    Reply::json(&shown)
}

/// `GET /api/webhooks/setup`
pub async fn standing(app: App, ask: Ask) -> Result<Reply> {
    let text = |name: &str| ask.query(name).ok_or_else(|| Error::parameter(name, format!("{name} is missing.")));
    let connection = named(&app, &ask, text("domain")?, text("platform")?)?;
    let hooks = provision::see(&app, connection.id).await?;
    Reply::json(&standing_of(&app, &connection, &hooks))
}

/// `POST …/connections/{connection}/check`
pub async fn check(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = asked(&ask)?;
    connections::find(&app, Some(site), id)?;
    let (is_in_place, told) = match provision::look(&app, id).await? {
        Looked::InPlace { told } => (true, told),
        Looked::Failed { sentence } => (false, vec![sentence]),
        Looked::Nothing => (false, vec!["The webhooks of this platform are put in by hand.".into()]),
    };
    Reply::json(&json!({"connection": id, "is_in_place": is_in_place, "told": told}))
}

/// `POST …/connections/{connection}/pull`
pub async fn pull(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = asked(&ask)?;
    connections::find(&app, Some(site), id)?;
    let fields = reader::object(&ask.body)?;
    let is_begun = match fields.get("days").filter(|days| !days.is_null()) {
        None => hurry(&app, id).await?,
        Some(days) => {
            let days = days.as_i64().filter(|days| (1..=LONGEST_HISTORY_DAYS).contains(days));
            let wrong = || Error::invalid("days", format!("days is a whole number from 1 to {LONGEST_HISTORY_DAYS}."));
            read_back(&app, id, days.ok_or_else(wrong)?).await?
        }
    };
    Reply::json(&json!({"connection": id, "is_begun": is_begun}))
}

fn standing_of(app: &App, connection: &Connection, hooks: &[Hook]) -> Map<String, Value> {
    let url = connection.hook_tokens.first().map(|token| hook_url(&app.config.public_url, &connection.platform, token));
    let shown = json!({
        "success": true,
        "platform": connection.platform,
        "exists": !hooks.is_empty(),
        "active": !hooks.is_empty() && hooks.iter().all(|h| h.is_active),
        "webhookId": hooks.first().map(|h| h.id.as_str()),
        "deliveryUrl": url,
        "webhooks": hooks.iter().map(|h| json!({"topic": h.topic, "id": h.id, "active": h.is_active})).collect::<Vec<_>>(),
    });
    match shown {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The shop that is meant: `domain` is the site's host or the shop's own.
fn named(app: &App, ask: &Ask, domain: &str, platform: &str) -> Result<Arc<Connection>> {
    if !PLATFORMS.contains(&platform) {
        return Err(Error::parameter("platform", "platform is woocommerce or shopify."));
    }
    let site = ask.site()?;
    let book = app.book();
    let all: Vec<&Arc<Connection>> = book.connections_of(site.id).filter(|c| c.platform == platform).collect();
    let host = host_of(domain);
    let is_own = site.domains.iter().any(|own| host == *own || host.ends_with(&format!(".{own}")));
    let found = all.iter().find(|c| is_shop(c, domain)).or_else(|| all.first().filter(|_| is_own));
    match found {
        Some(connection) => Ok(Arc::clone(connection)),
        None if is_own => Err(Error::new(
            Kind::Invalid,
            "bad_request",
            format!("This site has no credentials for {platform}. Send them to /api/{platform}/configure first."),
        )),
        None => Err(Error::not_found(format!("There is no shop {host} on this site."))),
    }
}

/// Whether a connection is to this shop, whichever way its address is written.
pub fn is_shop(connection: &Connection, address: &str) -> bool {
    let Some(platform) = platforms::find(&connection.platform) else { return false };
    let fields = platform.fields();
    let is_address = |key: &str, kind: FieldKind| kind == FieldKind::Url || key == "shop";
    let own = fields.iter().filter(|f| is_address(f.key, f.kind)).find_map(|f| connection.settings.get(f.key));
    own.is_some_and(|own| same_shop(own, address))
}

/// A shop's address without what may be left out; its path tells two shops of one host apart, where both are given.
fn same_shop(a: &str, b: &str) -> bool {
    let path =
        |text: &str| text.split_once("://").map_or(text, |(_, rest)| rest).split_once('/').map(|(_, p)| p.trim_matches('/').to_owned());
    let plain = |text: &str| host_of(text).trim_end_matches(".myshopify.com").to_owned();
    let (one, other) = (path(a).filter(|p| !p.is_empty()), path(b).filter(|p| !p.is_empty()));
    plain(a) == plain(b) && (one == other || one.is_none() || other.is_none())
}

pub fn host_of(address: &str) -> String {
    let rest = address.trim().split_once("://").map_or(address.trim(), |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

fn asked(ask: &Ask) -> Result<(SiteId, ConnectionId)> {
    let site = ask.site()?.id;
    let id = ask.param("connection").parse().map_err(|()| Error::not_found("A connection looks like con_7."))?;
    Ok((site, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_is_known_by_its_address_however_it_is_written() {
        for (a, b, want) in [
            ("https://shop.example", "shop.example", true),
            ("https://shop.example/", "http://SHOP.example", true),
            ("https://shop.example/store", "https://shop.example/store/", true),
            ("https://shop.example/one", "https://shop.example/two", false),
            ("https://shop.example/one", "shop.example", true),
            ("acme.myshopify.com", "acme", true),
            ("acme.myshopify.com", "https://acme.myshopify.com", true),
            ("acme.myshopify.com", "other.myshopify.com", false),
            ("http://127.0.0.1:8001/a", "http://127.0.0.1:8002/a", false),
        ] {
            assert_eq!(same_shop(a, b), want, "{a} {b}");
        }
    }
}
