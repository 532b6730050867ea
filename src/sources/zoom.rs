//! Zoom: who registered for meetings and webinars, and who came. <https://developers.zoom.us/docs/api/>
//!
//! Signed in `x-zm-signature`: `v0=` and the hex of HMAC-SHA256, under the app's secret token, over `v0:timestamp:body`. Every three
//! days Zoom asks whether we hold the secret, and wants a word signed with it. The API takes a token that a server-to-server app buys.

mod came;
mod meeting;
mod person;
mod proof;
mod pull;

use serde_json::{Value, json};

use super::kit::{self, Verified, text};
use super::{Batch, Heard, Home, Provision, Pull, Reject, Source, Webhook};
use crate::crypto::{self, Secret};
use crate::domain::fact::Fact;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{Fresh, Steps, Token, Verdict, retry_after_ms};
use crate::domain::time::{HOUR_MS, SECOND_MS, Time};
use crate::wire::{Headers, Incoming, Part, Request, Response, Sign};

pub struct Zoom;

const SLUG: &str = "zoom";
const WEBHOOK_SECRET: &str = "webhook_secret";
/// The name of the token that is bought.
const ACCESS: &str = "access_token";

static ABOUT: About = About {
    slug: SLUG,
    name: "Zoom",
    purpose: "tells who registered for meetings and webinars, and who came",
    fields: &[
        Field {
            key: "account_id",
            label: "Account ID",
            help: "At marketplace.zoom.us: your server-to-server OAuth app, App credentials.",
            kind: FieldKind::Text,
            is_required: true,
        },
        Field { key: "client_id", label: "Client ID", help: "Of the same app.", kind: FieldKind::Secret, is_required: true },
        Field { key: "client_secret", label: "Client secret", help: "Of the same app.", kind: FieldKind::Secret, is_required: true },
        Field {
            key: WEBHOOK_SECRET,
            label: "Secret token",
            help: "Of the same app under Feature, where event subscriptions are. Needed for live updates only.",
            kind: FieldKind::Secret,
            is_required: false,
        },
    ],
    steps: &[
        "At marketplace.zoom.us build a server-to-server OAuth app with the rights to read users, meetings and webinars, their registrants and past participants.",
        "Enter account ID, client ID and client secret here: meetings and webinars are then read once a day.",
        "For live updates add an event subscription to the app with the address of this connection: registration created, approved, denied and cancelled, and participant joined, of meetings and of webinars. Enter its secret token here first, then press Validate there.",
        "Register for one of your meetings yourself and look for it under Funnel.",
    ],
    docs_url: "https://developers.zoom.us/docs/internal-apps/s2s-oauth/",
    receives: true,
    pulls: true,
    sends: false,
    own_secret: None,
};

impl Source for Zoom {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn token(&self, settings: &Settings, _: &Secrets) -> Option<Token> {
        let account = settings.get("account_id")?;
        let request = Request::new("POST", "https://zoom.us", "/oauth/token")
            .host("zoom_oauth")
            .query("grant_type", Part::plain("account_credentials"))
            .query("account_id", Part::plain(account))
            .signed(Sign::Basic { user: "client_id".into(), password: "client_secret".into() });
        Some(Token { name: ACCESS, request, read: bought })
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn brings(&self) -> (&'static str, &'static str) {
        ("Registrations", "Registration tracking")
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        Some(&pull::Lists)
    }

    fn pull_schedule(&self) -> Option<&'static str> {
        Some("30 18 * * *")
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        Some(&proof::Proof)
    }
}

impl Webhook for Zoom {
    fn secrets(&self) -> &'static [&'static str] {
        &[WEBHOOK_SECRET]
    }

    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, now: Time) -> Result<Verified<'a>, Reject> {
        let header = |name: &str| got.headers.only(name).ok_or(Reject::BadSignature);
        let (timestamp, signature) = (header("x-zm-request-timestamp")?, header("x-zm-signature")?);
        let claimed = signature.strip_prefix("v0=").ok_or(Reject::BadSignature)?;
        let seconds: i64 = timestamp.parse().map_err(|_| Reject::BadSignature)?;
        let live: Vec<Secret> = secrets.all(WEBHOOK_SECRET).iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        let parts: [&[u8]; 4] = [b"v0:", timestamp.as_bytes(), b":", got.body];
        let content_type = got.headers.get("content-type").unwrap_or_default();
        let verified = Verified::by_hex_hmac(&live, &parts, claimed, got.body, content_type).ok_or(Reject::BadSignature)?;
        if now.s().abs_diff(seconds) > kit::TOLERANCE_S { Err(Reject::StaleSignature) } else { Ok(verified) }
    }

    /// `endpoint.url_validation`: <https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint>
    fn challenge(&self, body: &Verified<'_>, secrets: &Secrets) -> Option<Response> {
        let event = kit::object(body.body()).ok()?;
        let plain = text(&event["payload"], "plainToken").filter(|_| event["event"] == "endpoint.url_validation")?;
        let secret = secrets.first(WEBHOOK_SECRET)?;
        let signed = crypto::hex(&crypto::hmac_sha256(secret.reveal().as_bytes(), &[plain.as_bytes()]));
        let body = json!({"plainToken": plain, "encryptedToken": signed}).to_string().into_bytes();
        Some(Response { status: 200, headers: Headers(vec![("content-type".into(), "application/json".into())]), body })
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let event = kit::object(body.body())?;
        let kind = text(&event, "event").ok_or_else(|| kit::missing("event"))?;
        let told_at = kit::time(&event, &["event_ts"]).map_or(home.now, |at| at.min(home.now));
        let meeting = &event["payload"]["object"];
        let fact: Option<Fact> = match kind.as_str() {
            "meeting.registration_created" | "webinar.registration_created" if person::waits(&meeting["registrant"]) => None,
            "meeting.registration_created"
            | "meeting.registration_approved"
            | "webinar.registration_created"
            | "webinar.registration_approved" => person::registered(meeting, &meeting["registrant"], told_at, home)?,
            "meeting.registration_cancelled"
            | "meeting.registration_denied"
            | "webinar.registration_cancelled"
            | "webinar.registration_denied" => person::ended(meeting, &meeting["registrant"], told_at, home)?,
            "meeting.participant_joined" | "webinar.participant_joined" => {
                person::attended(meeting, &meeting["participant"], told_at, home)?
            }
            _ => return Ok(kit::ignored()),
        };
        // Whoever came without a name and an address is nobody of whom anything can be said.
        Ok(fact.map_or_else(kit::ignored, |fact| Heard::Facts(Batch::of(vec![fact]))))
    }
}

fn bought(response: &Response) -> Result<Fresh, Verdict> {
    let body = response.json().unwrap_or_default();
    if let Some(value) = text(&body, "access_token").filter(|_| response.is_success()) {
        let lives_ms = body["expires_in"].as_i64().filter(|s| *s > 0).map_or(HOUR_MS, |s| s.saturating_mul(SECOND_MS));
        return Ok(Fresh { value: Secret::new(value), lives_ms });
    }
    Err(match response.status {
        400 | 401 | 403 => Verdict::Pause(
            "Zoom gives no token: account ID, client ID or client secret is wrong, or the app is not activated. Copy all three anew."
                .into(),
        ),
        _ => kit::lists::trouble("Zoom", response),
    })
}

fn api(path: &str) -> Request {
    Request::new("GET", "https://api.zoom.us", format!("/v2/{path}")).host(SLUG).bearer(ACCESS)
}

#[derive(Debug)]
enum Answer {
    Json(Value),
    /// There is no such meeting, or nobody had to register for it.
    Missing,
    Trouble(Verdict),
}

fn read(response: &Response) -> Answer {
    let body = response.json().unwrap_or_default();
    let code = body["code"].as_i64().unwrap_or_default();
    match (response.status, code) {
        (200..=299, _) if body.is_object() => Answer::Json(body),
        (404, _) => Answer::Missing,
        // The plan has no webinars, or the meeting has no registration: 200, 300 and 3000.
        (400, 200 | 300 | 3000 | 3001) => Answer::Missing,
        (401, _) => Answer::Trouble(Verdict::Pause("Zoom refuses its own token. Activate the app again, or copy its credentials anew.".into())),
        (400 | 403, 4711 | 4700) => Answer::Trouble(Verdict::Pause(
            "The app lacks a right: it must read users, meetings, webinars, their registrants and past participants. Add the scopes and activate it again.".into(),
        )),
        (429, _) => Answer::Trouble(Verdict::Retry {
            after_ms: retry_after_ms(response).or(Some(2 * SECOND_MS)),
            sentence: "Zoom asks for fewer requests.".into(),
        }),
        _ => Answer::Trouble(kit::lists::trouble("Zoom", response)),
    }
}
