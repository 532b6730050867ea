//! Typeform: answers to one form, as they are sent and once more by reading the form's own list, in which they stand for good.
//! <https://www.typeform.com/developers/webhooks/>
//!
//! Signed in `Typeform-Signature`: `sha256=` and the base64 of HMAC-SHA256 over the body as it came, its last line break in it.
//! The webhook is registered with a secret of ours. Hidden fields bring the campaign and the visit along.

mod pull;
mod response;
mod subscription;

use super::kit::{self, Verified, text};
use super::{Batch, Heard, Home, Provision, Pull, Reject, Source, Webhook};
use crate::crypto::Secret;
use crate::domain::fact::Fact;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{Steps, Verdict, by_status, retry_after_ms};
use crate::domain::time::{SECOND_MS, Time};
use crate::error::Error;
use crate::wire::{Incoming, Request, Response};

pub struct Typeform;

const SLUG: &str = "typeform";
const TOKEN: &str = "token";
const FORM: &str = "form_id";
/// What Typeform signs with: made by us and given to it.
const HOOK_SECRET: &str = "secret";

static ABOUT: About = About {
    slug: SLUG,
    name: "Typeform",
    purpose: "takes the answers to a form as leads",
    fields: &[
        Field {
            key: TOKEN,
            label: "Personal token",
            help: "In Typeform under your account › Personal tokens, with the rights to read forms and responses and to read and write webhooks.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: FORM,
            label: "Form",
            help: "The letters and digits behind /to/ in the form's address, such as lT4Z3j. Connect each form by itself.",
            kind: FieldKind::Text,
            is_required: true,
        },
        Field {
            key: HOOK_SECRET,
            label: "Webhook secret",
            help: "What Typeform signs with. It is made and given to Typeform for you: leave it empty.",
            kind: FieldKind::Secret,
            is_required: false,
        },
    ],
    steps: &[
        "In Typeform open your account › Personal tokens and generate one: read forms, read responses, read and write webhooks.",
        "Enter it here with the form. The webhook is then registered for you, and the responses of the last days are read.",
        "Add the hidden fields halo_session_id, utm_source, utm_medium and utm_campaign to the form, so that a lead finds its visit.",
        "Answer the form yourself and look for it under Conversions.",
    ],
    docs_url: "https://www.typeform.com/developers/get-started/personal-access-token/",
    receives: true,
    pulls: true,
    sends: false,
    own_secret: Some(HOOK_SECRET),
};

impl Source for Typeform {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, _: &Secrets) -> Result<(), Error> {
        match settings.get(FORM) {
            Some(form) if !is_id(form) => {
                Err(Error::invalid(FORM, "Form is the part of the address behind /to/: letters and digits such as lT4Z3j."))
            }
            _ => Ok(()),
        }
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn brings(&self) -> (&'static str, &'static str) {
        ("Responses", "Lead tracking")
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        Some(&pull::List)
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        Some(&subscription::Registration)
    }
}

impl Webhook for Typeform {
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, _: Time) -> Result<Verified<'a>, Reject> {
        let live: Vec<Secret> = secrets.all(HOOK_SECRET).iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        let header = got.headers.only("typeform-signature").ok_or(Reject::BadSignature)?;
        let claimed = header.strip_prefix("sha256=").ok_or(Reject::BadSignature)?;
        let content_type = got.headers.get("content-type").unwrap_or_default();
        Verified::by_base64_hmac(&live, &[got.body], claimed, got.body, content_type).ok_or(Reject::BadSignature)
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let event = kit::object(body.body())?;
        match text(&event, "event_type").as_deref() {
            Some("form_response") => {}
            // Whoever stopped half way has sent nothing.
            Some(_) => return Ok(kit::ignored()),
            None => return Err(kit::missing("event_type")),
        }
        let told = &event["form_response"];
        let titles = response::titles(&told["definition"]);
        let lead = response::read(told, &titles, text(&told["definition"], "title"), home)?;
        Ok(Heard::Facts(Batch::of(vec![Fact::Lead(lead)])))
    }
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn api(method: &str, path: impl Into<String>) -> Request {
    Request::new(method, "https://api.typeform.com", path).host(SLUG).bearer(TOKEN)
}

/// The form of the settings, if it is one.
fn form(settings: &Settings) -> Result<&str, Verdict> {
    settings.get(FORM).filter(|form| is_id(form)).ok_or_else(|| Verdict::Pause("Enter which form is meant.".into()))
}

/// What an answer means that is not what was asked for.
fn refused(response: &Response, doing: &str) -> Verdict {
    match response.status {
        401 => Verdict::Pause(
            "Typeform refuses the personal token: it was revoked or not copied whole. Generate a new one and enter it.".into(),
        ),
        403 => Verdict::Pause(format!("The personal token may not {doing}. Generate one with that right and enter it.")),
        404 => Verdict::Pause("Typeform knows no such form in this account. Check the form's id and whose token it is.".into()),
        429 => Verdict::Retry {
            after_ms: retry_after_ms(response).or(Some(2 * SECOND_MS)),
            sentence: "Typeform asks for fewer requests.".into(),
        },
        _ => by_status("Typeform", response),
    }
}
