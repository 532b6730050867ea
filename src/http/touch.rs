//! What pages send: touches, identities, events, leads; and the sub-request of a web server in front of one.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::page_load::{ServerLoad, told_before};
use super::place::{is_locatable, place_of};
use super::reply::Reply;
use super::route::Doc;
use super::visitor::Visitor;
use crate::app::App;
use crate::domain::campaign::{AdIds, ClickIds, ClickKind, MAX_TEXT, Utm, clean_text, landing, without_emails};
use crate::domain::consent::{self, Answer, Consent};
use crate::domain::device::Device;
use crate::domain::fact::Person;
use crate::domain::person::{Email, Phone};
use crate::domain::storage::Burden;
use crate::domain::time::{DAY_MS, MINUTE_MS, Time};
use crate::domain::yes_no;
use crate::error::{Error, Kind, Result};
use crate::flows::identify::{self, Claim};
use crate::flows::session_id::SessionKey;
use crate::flows::touch::{self, PageTouch, Taken};
use crate::flows::{refusal, session_id};
use crate::limits::{Rate, address_key};
use crate::sources::kit;
use crate::store::sessions::Browser;
use crate::store::sites::Site;

/// One address, far above a person's clicking.
const TOUCHES: Rate = Rate::per_second(5, 20);
const IDENTITIES: Rate = Rate::per_minute(6, 6);
const EVENTS: Rate = Rate::per_second(5, 30);
/// Touches older than the retention of touches are not taken.
const OLDEST_MS: i64 = 400 * DAY_MS;
/// A browser's clock may be this far ahead.
const AHEAD_MS: i64 = 5 * MINUTE_MS;

pub const TOUCH: Doc = Doc::new("Pages", "Counts a page view and gives the visitor's session id. Answered after it is on disk.")
    .body(r#"{"site":"KEY","landing":"/shoes?utm_source=google","referrer":"https://www.google.com/","event_id":"3f2a","consent":{"analytics":"granted","marketing":"denied"}}"#)
    .answer(r#"{"session_id":"akzJ2n0Qy3…"}"#)
    .statuses(&[200, 400, 403, 404, 413, 415, 422, 429, 503]);
pub const IDENTIFY: Doc = Doc::new("Pages", "Says who the visitor is. Always an empty 204, known or not.")
    .body(r#"{"site":"KEY","email":"ann@shop.example","phone":"+971501234567","customer_id":"42","sig":"hex HMAC-SHA256(site secret, site.session.email.ts)","ts":"1795300000"}"#)
    .answer("")
    .statuses(&[204, 400, 403, 404, 413, 422, 429]);
pub const EVENT: Doc = Doc::new("Pages", "Reports something by name: a button, a step, a goal.")
    .body(r#"{"site":"KEY","name":"button_click","properties":{"button":"hero"}}"#)
    .answer("")
    .statuses(&[204, 400, 403, 404, 413, 422, 429]);

pub async fn touch(app: App, ask: Ask) -> Result<Reply> {
    let visitor = Visitor::of(&app, &ask).await?;
    let site = visitor.site.clone();
    let now = app.clock.now();
    let fields = &visitor.fields;
    let agent = agent_of(&visitor, &ask)?;
    let told = app.agents.read(&agent);
    let is_bot = told.is_bot && !(visitor.is_server && agent.is_empty());
    if is_bot || ask.is_prefetch() {
        touch::dropped(&app, &site, "bot").await?;
        return Ok(visitor.answer(Reply::json(&json!({"session_id": null}))?.with("x-halo-dropped", "bot")));
    }
    let address = visitor.address(&ask)?;
    let is_limited = !visitor.is_server && limited(&app, &ask, "touch", TOUCHES, now);
    let at = if visitor.is_server { at_of(fields, now)? } else { None };
    let claim = visitor.session(&ask)?;
    let known = claim.as_ref().map(|k| k.sealed(&site.keys.session));
    let mut page = PageTouch {
        at: at.unwrap_or(now),
        claim,
        is_history: at.is_some_and(|at| now.ms_since(at) > MINUTE_MS),
        ..read(&site, fields, &ask, &agent, told.device, address)?
    };
    if let (false, Some(address)) = (visitor.is_server || page.is_answer || is_spa(fields), address) {
        // A proxy that serves the page has told of this load already: it counts once.
        page.event_id = told_before(&app, &site, &page, address, &agent).or(page.event_id);
    }
    if is_limited {
        let taken = refusal::too_many(&app, &site, &page).await?;
        // A visitor who is only too fast keeps the id.
        let (known, is_gone) = if taken == Taken::Anonymous { (None, true) } else { (known, false) };
        let reply = Reply::json_with(429, &json!({"session_id": known}))?.with("x-halo-dropped", "limited").with("retry-after", "2");
        return Ok(visitor.answer(if is_gone { visitor.without_cookie(reply) } else { reply }));
    }
    if let Err(full) = app.disk.admit(Burden::Visit) {
        // Facts are still taken and told on: so is a refusal.
        return if refusal::heed(&app, &site, &page).await? {
            Ok(visitor.answer(visitor.without_cookie(Reply::json(&json!({"session_id": null}))?)))
        } else {
            Err(full)
        };
    }
    let load = (visitor.is_server && !page.is_history && !page.is_answer).then(|| ServerLoad::of(&app, &mut page, address, &agent));
    let taken = touch::run(&app, &site, Box::new(page)).await?;
    if let Some(load) = load {
        load.may_be_told_again(&app, &site, &taken);
    }
    let reply = match taken {
        Taken::Session(id) => {
            let reply = Reply::json(&json!({"session_id": id}))?;
            visitor.with_cookie(reply, &id)
        }
        Taken::OwnDevice(id) => {
            let reply = Reply::json(&json!({"session_id": id}))?.with("x-halo-dropped", "excluded");
            visitor.with_cookie(reply, &id)
        }
        Taken::Anonymous => visitor.without_cookie(Reply::json(&json!({"session_id": null}))?),
        Taken::Dropped(why) => Reply::json(&json!({"session_id": known}))?.with("x-halo-dropped", why),
    };
    Ok(visitor.answer(reply))
}

/// A page of a single-page site, for which nothing was loaded.
fn is_spa(fields: &Map<String, Value>) -> bool {
    fields.get("navigation").and_then(Value::as_str) == Some("spa")
}

/// Everything of a touch that the body and the request say. Kept query parameters are the allow-listed ones only.
pub(super) fn read(
    site: &Site,
    fields: &Map<String, Value>,
    ask: &Ask,
    agent: &str,
    seen: Device,
    address: Option<IpAddr>,
) -> Result<PageTouch> {
    let text = |name: &str| clean(fields, name);
    let mut landed = landing(&long(fields, "landing", 4_096)?.unwrap_or_else(|| "/".into()), &site.settings.extra_params);
    let utm = Utm {
        source: text("utm_source")?,
        medium: text("utm_medium")?,
        campaign: text("utm_campaign")?,
        term: text("utm_term")?,
        content: text("utm_content")?,
    }
    .without_people()
    .or(std::mem::take(&mut landed.utm));
    let mut clicks = ClickIds::new();
    for kind in ClickKind::ALL {
        if let Some(value) = reader::text(fields, kind.name(), 512)? {
            clicks.add(kind, value);
        }
    }
    let clicks = clicks.or(std::mem::take(&mut landed.clicks));
    let ads = AdIds { utm_id: text("utm_id")?, campaign_id: text("campaign_id")?, adset_id: text("adset_id")?, ad_id: text("ad_id")? }
        .without_people()
        .or(std::mem::take(&mut landed.ads));
    landed.refs = match landed.refs {
        Some(code) => Some(code),
        None => text("ref")?.or(text("via")?).or(text("aff")?),
    };
    let place = place_of(ask, address);
    Ok(PageTouch {
        at: Time::from_ms(0),
        claim: None,
        is_fresh: false,
        // Whose event it is: a repeat comes from the same browser at the same address.
        event_id: text("event_id")?.map(|id| format!("{id}\n{}\n{agent}", address.map(address_key).unwrap_or_default())),
        landing: landed,
        utm,
        clicks,
        ads,
        referrer: long(fields, "referrer", 2_048)?,
        title: long(fields, "title", 255)?.map(|title| without_emails(&title)),
        browser: Browser {
            device: seen.kind.as_str(),
            browser: seen.browser,
            system: seen.system,
            language: text("language")?
                .or_else(|| ask.header("accept-language").and_then(|l| l.split([',', ';']).next()).map(str::to_owned)),
            country: place.country,
            region: place.region,
            city: place.city,
            user_agent: Some(cut(agent, 512)),
            ga_client_id: text("ga_client_id")?,
            ga_session_id: text("ga_session_id")?,
            fbc: long(fields, "fbc", 600)?,
            fbp: text("fbp")?,
        },
        consent: consent_of(fields, ask)?,
        refuses: refuses(fields, ask),
        time_zone: text("time_zone")?,
        address: address.filter(|a| is_locatable(*a)),
        is_history: false,
        is_answer: fields.get("navigation").and_then(Value::as_str) == Some("consent"),
        own_device: own_device(site, fields)?,
    })
}

/// `halo_me` in the page's address or the body: the word of the site's own link marks the device, `off` takes it away.
fn own_device(site: &Site, fields: &Map<String, Value>) -> Result<Option<bool>> {
    let landing = fields.get("landing").and_then(Value::as_str).unwrap_or_default();
    let query = landing.split_once('?').map_or("", |(_, query)| query);
    let in_page = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "halo_me").map(|(_, word)| word.into_owned());
    Ok(match in_page.or(reader::text(fields, "halo_me", 64)?.map(str::to_owned)) {
        Some(word) if word == "off" => Some(false),
        Some(word) if word == session_id::own_device_word(&site.keys.session) => Some(true),
        _ => None,
    })
}

/// A word, or one each for analytics and marketing; then the consent managers' own cookies. A denial wins.
fn consent_of(fields: &Map<String, Value>, ask: &Ask) -> Result<Consent> {
    let said = match fields.get("consent") {
        None | Some(Value::Null) => Consent::UNKNOWN,
        Some(Value::String(word)) => consent::from_word(word),
        Some(said @ (Value::Bool(_) | Value::Number(_))) if Answer::parse(&said.to_string()).is_some() => {
            consent::from_word(&said.to_string())
        }
        Some(Value::Object(words)) => {
            let word = |name: &str| match words.get(name) {
                None | Some(Value::Null) => Ok(String::new()),
                Some(Value::String(word)) => Ok(word.clone()),
                Some(Value::Bool(said)) => Ok(said.to_string()),
                Some(Value::Number(said)) => Ok(said.to_string()),
                Some(_) => Err(Error::invalid("consent", format!("consent.{name} must be granted, denied or unknown."))),
            };
            consent::from_words(&word("analytics")?, &word("marketing")?)
        }
        Some(_) => return Err(Error::invalid("consent", "consent must be a word, or {\"analytics\", \"marketing\"} of such words.")),
    };
    let cookies = long(fields, "consent_cookies", 16_384)?;
    let told = cookies.map(|c| consent::from_cookies(&c)).unwrap_or(Consent::UNKNOWN);
    let sent = ask.header("cookie").map(consent::from_cookies).unwrap_or(Consent::UNKNOWN);
    Ok(consent::combine(consent::combine(said, told), sent))
}

/// Whether the visitor has refused to be told to ad platforms: by the page's word, in a consent manager's cookie, or by the
/// browser's own signal.
pub fn refusal(site: &Site, fields: &Map<String, Value>, ask: &Ask) -> Result<bool> {
    let consent = consent_of(fields, ask)?;
    let is_refused = consent.marketing == Answer::Denied || consent.analytics == Answer::Denied;
    Ok(is_refused || (refuses(fields, ask) && site.settings.gpc))
}

/// GPC or Do Not Track, by script or header. What a browser's own property gives is a boolean, 1, or a word.
fn refuses(fields: &Map<String, Value>, ask: &Ask) -> bool {
    let is_yes = |name: &str| fields.get(name).and_then(kit::scalar).and_then(|said| yes_no::read(&said)) == Some(true);
    let says = |name: &str| ask.header(name).map(str::trim) == Some("1");
    is_yes("gpc") || is_yes("dnt") || says("sec-gpc") || says("dnt")
}

/// Whether the visitor refuses to be kept by this very request, which is no touch: then that is heard as a touch would hear it,
/// and nothing else of it is.
pub(super) async fn is_refused(app: &App, visitor: &Visitor, session: Option<&SessionKey>, ask: &Ask) -> Result<bool> {
    let said = consent_of(&visitor.fields, ask)?;
    let signal = refuses(&visitor.fields, ask) && visitor.site.settings.gpc;
    refusal::beside(app, &visitor.site, session, said, signal).await
}

fn agent_of(visitor: &Visitor, ask: &Ask) -> Result<String> {
    if visitor.is_server {
        // The server's own agent says nothing of the visitor.
        return Ok(long(&visitor.fields, "user_agent", 1_024)?.unwrap_or_default());
    }
    Ok(cut(ask.header("user-agent").unwrap_or_default(), 1_024))
}

/// The moment that a server's own history names: past, and within the time that touches are kept.
fn at_of(fields: &Map<String, Value>, now: Time) -> Result<Option<Time>> {
    let given = match fields.get("at") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => Time::parse(text),
        Some(Value::Number(n)) => Time::parse(&n.to_string()),
        Some(_) => None,
    };
    let at = given.ok_or_else(|| Error::invalid("at", "at must be a time like 2026-06-13T09:20:00Z."))?;
    if at.ms_since(now) > AHEAD_MS || now.ms_since(at) > OLDEST_MS {
        return Err(Error::invalid("at", "at must be in the past, and within the 13 months that touches are kept."));
    }
    Ok(Some(at.min(now)))
}

/// Text of at most 255 characters, without control and bidi marks; empty is absent.
fn clean(fields: &Map<String, Value>, name: &str) -> Result<Option<String>> {
    let Some(text) = reader::text(fields, name, 4 * MAX_TEXT)? else { return Ok(None) };
    let cleaned = clean_text(text, MAX_TEXT);
    if cleaned.chars().count() > MAX_TEXT {
        return Err(Error::invalid(name, format!("{name} must be text of at most {MAX_TEXT} characters.")));
    }
    Ok((!cleaned.is_empty()).then_some(cleaned))
}

/// Text that may be long by nature: cut, not refused.
fn long(fields: &Map<String, Value>, name: &str, most: usize) -> Result<Option<String>> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let cleaned = cut(&clean_text(text, most), most);
            Ok((!cleaned.is_empty()).then_some(cleaned))
        }
        Some(_) => Err(Error::invalid(name, format!("{name} must be text."))),
    }
}

pub(super) fn cut(text: &str, most: usize) -> String {
    // A text of so many bytes has no more characters.
    if text.len() <= most { text.to_owned() } else { text.chars().take(most).collect() }
}

/// Address limits skip trusted peers: behind them stand many visitors.
pub(super) fn limited(app: &App, ask: &Ask, what: &'static str, rate: Rate, now: Time) -> bool {
    let is_proxy_itself = ask.is_peer_trusted && ask.client == ask.peer;
    !is_proxy_itself && app.limits.take(what, address_key(ask.client), rate, now).is_err()
}

pub async fn identify(app: App, ask: Ask) -> Result<Reply> {
    let visitor = Visitor::of(&app, &ask).await?;
    let fields = &visitor.fields;
    let email = match fields.get("email") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.trim().is_empty() => None,
        Some(Value::String(text)) => {
            Some(Email::parse(text).ok_or_else(|| Error::invalid("email", "email must be an address like ann@shop.example."))?)
        }
        Some(_) => return Err(Error::invalid("email", "email must be an address like ann@shop.example.")),
    };
    let country = visitor.site.country.as_deref();
    let phone = match reader::text(fields, "phone", 64)?.filter(|t| !t.trim().is_empty()) {
        Some(text) => {
            Some(Phone::parse(text, country).ok_or_else(|| Error::invalid("phone", "phone must be a number like +971501234567."))?)
        }
        None => None,
    };
    let customer_id = clean(fields, "customer_id")?;
    if email.is_none() && phone.is_none() && customer_id.is_none() {
        return Err(Error::invalid("email", "Send an email, a phone or a customer_id."));
    }
    if limited(&app, &ask, "identify", IDENTITIES, app.clock.now()) {
        return Err(Error::new(Kind::TooMany, "too_many", "6 identities a minute for one address. Try again later.").after(10));
    }
    let signature = match (reader::text(fields, "sig", 128)?, fields.get("ts")) {
        (Some(sig), Some(Value::String(ts))) => Some((sig.to_owned(), ts.clone())),
        (Some(sig), Some(Value::Number(ts))) => Some((sig.to_owned(), ts.to_string())),
        _ => None,
    };
    let session = visitor.session(&ask)?;
    if is_refused(&app, &visitor, session.as_ref(), &ask).await? {
        return Ok(visitor.answer(visitor.without_cookie(Reply::empty(204))));
    }
    if let Some(session) = session {
        let claim = Claim {
            person: Person { email, phone, customer_id, ..Person::default() },
            signature,
            site_word: reader::text(fields, "site", 64)?.map(str::to_owned),
            session_text: session.sealed(&visitor.site.keys.session),
        };
        identify::run(&app, &visitor.site, session, claim).await?;
    }
    Ok(visitor.answer(Reply::empty(204)))
}

pub async fn event(app: App, ask: Ask) -> Result<Reply> {
    let visitor = Visitor::of(&app, &ask).await?;
    let fields = &visitor.fields;
    let name = fields.get("name").or(fields.get("event_name"));
    let name = name.and_then(Value::as_str).map(|n| clean_text(n, 64)).unwrap_or_default();
    if name.is_empty() || name.chars().count() > 64 {
        return Err(Error::invalid("name", "name must be text of 1 to 64 characters."));
    }
    let properties = match fields.get("properties") {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(Value::Object(flat)) if flat.values().all(|v| !v.is_object() && !v.is_array()) => Value::Object(flat.clone()).to_string(),
        Some(_) => return Err(Error::invalid("properties", "properties must be a flat object: text, numbers, true or false.")),
    };
    if properties.len() > 4_096 {
        return Err(Error::invalid("properties", "properties must be at most 4 KiB of JSON."));
    }
    if limited(&app, &ask, "event", EVENTS, app.clock.now()) {
        return Err(Error::new(Kind::TooMany, "too_many", "Too many events from one address. Try again later.").after(2));
    }
    let session = visitor.session(&ask)?;
    if is_refused(&app, &visitor, session.as_ref(), &ask).await? {
        return Ok(visitor.answer(visitor.without_cookie(Reply::empty(204))));
    }
    if let Some(session) = session {
        let path = ask.header("referer").map(|r| landing(r, &[]).path);
        identify::event(&app, &visitor.site, session, name, properties, path).await?;
    }
    Ok(visitor.answer(Reply::empty(204)))
}
