//! Is the trait enough for platforms that need a talk? A made-up CRM with the worst habits of the real ones: a token
//! that is bought first and ends early, three requests that build on each other, a limit in the middle, and a result
//! that is known only later.

use std::collections::BTreeMap;
use std::sync::Mutex;

use halotrack::crypto::Secret;
use halotrack::destinations::{Delivery, Destination, Prepared, Start};
use halotrack::domain::conversion::ConversionKind;
use halotrack::domain::ids::ConnectionId;
use halotrack::domain::outgoing::Outgoing;
use halotrack::domain::platform::{About, Secrets, Settings};
use halotrack::domain::steps::{Fresh, State, Step, Steps, Token, Verdict, by_status, retry_after_ms};
use halotrack::domain::time::{MINUTE_MS, Time};
use halotrack::outbound::{Holder, Outbound};
use halotrack::wire::{Body, Part, Request, Response};
use serde_json::{Value, json};

use super::outgoing;
use crate::stand_in::{Answer, Seen, StandIn};

struct Crm;

static ABOUT: About = About {
    slug: "crm",
    name: "CRM",
    purpose: "proves the trait",
    fields: &[],
    steps: &[],
    docs_url: "https://crm.example/",
    receives: false,
    pulls: false,
    sends: true,
    own_secret: None,
};

impl Destination for Crm {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn token(&self, settings: &Settings, _: &Secrets, _: Time) -> Option<Token> {
        let mut request = Request::new("POST", "https://login.crm.example", "/oauth/token").host("crm_oauth");
        request.body = Body::Form(vec![
            ("grant_type".into(), Part::plain("client_credentials")),
            ("client_id".into(), Part::plain(settings.get("client_id").unwrap_or_default())),
            ("client_secret".into(), Part::secret("client_secret")),
        ]);
        Some(Token { name: "bearer", request, read: read_token })
    }

    fn kind_of(&self, _: ConversionKind, _: Option<&str>) -> Option<String> {
        Some("deal".into())
    }

    fn age_limit_ms(&self) -> Option<i64> {
        None
    }

    fn prepare(&self, out: &Outgoing, _: &Settings) -> Prepared {
        let Some(email) = &out.email else { return Prepared::Skip("no_match_keys") };
        let state = json!({ "at": "contact", "email": email.as_str(), "event": out.event_id });
        Prepared::Start(Start { state, hashed: json!({ "/email": email.masked() }) })
    }

    fn delivery(&self) -> &dyn Steps<Delivery> {
        self
    }
}

fn read_token(response: &Response) -> Result<Fresh, Verdict> {
    let body = response.json().unwrap_or_default();
    match (body["access_token"].as_str(), body["expires_in"].as_i64()) {
        (Some(value), Some(seconds)) => Ok(Fresh { value: Secret::new(value), lives_ms: seconds * 1_000 }),
        _ if response.status == 400 => Err(Verdict::Pause("The CRM refuses the client secret.".into())),
        _ => Err(by_status("The CRM", response)),
    }
}

impl Steps<Delivery> for Crm {
    /// `at` names what is asked next; with an answer in hand, what was asked last.
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, (): &(), _: Time) -> Step<Delivery> {
        let Some(response) = got else {
            return ask(state);
        };
        if let Some(ms) = retry_after_ms(response).filter(|_| response.status == 429) {
            return Step::Wait(ms, state);
        }
        if !response.is_success() {
            return Step::Done(by_status("The CRM", response));
        }
        let body = response.json().unwrap_or_default();
        match state["at"].as_str() {
            Some("contact") => ask(json!({ "at": "deal", "event": state["event"], "contact": body["id"] })),
            Some("deal") => ask(json!({ "at": "link", "contact": state["contact"], "deal": body["id"] })),
            Some("link") => {
                Step::Done(Verdict::CheckLater { after_ms: 30 * MINUTE_MS, state: json!({ "at": "check", "job": body["job"] }) })
            }
            _ if body["status"] == "running" => Step::Done(Verdict::CheckLater { after_ms: 30 * MINUTE_MS, state }),
            _ if body["status"] == "done" => Step::Done(Verdict::Delivered("The CRM has the deal.".into())),
            _ => Step::Done(Verdict::Refused("The CRM could not use the deal.".into())),
        }
    }
}

fn ask(state: State) -> Step<Delivery> {
    let text = |key: &str| state[key].as_str().unwrap_or_default().to_owned();
    let request = match state["at"].as_str() {
        Some("contact") => api("PUT", "/contacts/by-email".into()).json(json!({ "email": state["email"] })),
        Some("deal") => api("POST", "/deals".into()).json(json!({ "event": state["event"] })),
        Some("link") => api("PUT", format!("/deals/{}/contacts/{}", text("deal"), text("contact"))),
        _ => api("GET", format!("/jobs/{}", text("job"))),
    };
    Step::Ask(Box::new(request), state)
}

fn api(method: &str, path: String) -> Request {
    Request::new(method, "https://api.crm.example", path).host("crm").header("authorization-token", Part::secret("bearer"))
}

/// Plays the flow: every state goes through text and back, as if the process had ended in between.
struct Run {
    outbound: Outbound,
    settings: Settings,
    secrets: Secrets,
    waits: Mutex<Vec<i64>>,
    states: Mutex<String>,
}

impl Run {
    async fn start(stand_in: &StandIn) -> Self {
        let bases = ["crm", "crm_oauth"].map(|key| (key.to_owned(), stand_in.url()));
        let mut secrets = Secrets::default();
        secrets.set("client_secret", Secret::new("cs-verysecret-1"));
        Self {
            outbound: Outbound::new(&[], &BTreeMap::from(bases)).expect("a client"),
            settings: Settings([("client_id".to_owned(), "app-7".to_owned())].into()),
            secrets,
            waits: Mutex::default(),
            states: Mutex::default(),
        }
    }

    async fn deliver(&self) -> Verdict {
        let Prepared::Start(start) = Crm.prepare(&lead(), &self.settings) else { panic!("it starts") };
        let token = Crm.token(&self.settings, &self.secrets, Time::from_s(1_781_431_200)).expect("it has a token");
        let holder = Holder { connection: ConnectionId::new(7), generation: 1 };
        let now = Time::from_s(1_781_431_200);
        let (mut state, mut got) = (start.state, None);
        loop {
            match Crm.delivery().step(self.stored(state), got.take().as_ref(), &self.settings, &(), now) {
                Step::Ask(request, next) => {
                    match self.outbound.send_with(&request, &self.secrets, Some((&token, holder)), now).await {
                        Ok(response) => got = Some(response),
                        Err(error) => return error.verdict(),
                    }
                    state = next;
                }
                Step::Wait(ms, next) => {
                    self.waits.lock().expect("a list").push(ms);
                    state = next;
                }
                Step::Done(Verdict::CheckLater { after_ms, state: next }) => {
                    self.waits.lock().expect("a list").push(after_ms);
                    state = next;
                }
                Step::Done(verdict) | Step::Fail(verdict) => return verdict,
                Step::Yield(never, _) => match never {},
            }
        }
    }

    fn stored(&self, state: State) -> State {
        let text = state.to_string();
        self.states.lock().expect("a text").push_str(&text);
        serde_json::from_str(&text).expect("a state is JSON")
    }
}

fn lead() -> Outgoing {
    outgoing::read(&json!({
        "conversion": "conversion_1", "kind": "lead", "event_id": "lead_1", "mode": "live", "external_id": "1",
        "happened_at": "2026-06-14T09:00:00Z", "email": "niamh.byrne@mail.ie", "site_domain": "shop.example",
        "explicit_consent": true, "match_type": "none"
    }))
}

fn count(seen: &[Seen], target: &str) -> usize {
    seen.iter().filter(|s| s.target.starts_with(target)).count()
}

/// A token ends after one request at the deals; the first deal meets a limit; the job runs for a while.
fn habits(seen: &Seen, earlier: &[Seen]) -> Answer {
    let bearer = seen.header("authorization-token");
    match seen.target.as_str() {
        "/oauth/token" => {
            let n = count(earlier, "/oauth/token") + 1;
            Answer::json(200, json!({ "access_token": format!("tok-longenough-{n}"), "expires_in": 3600 }))
        }
        "/deals/9/contacts/4" if bearer == "tok-longenough-1" => Answer::json(401, json!({ "message": "expired" })),
        "/contacts/by-email" => Answer::json(200, json!({ "id": "4" })),
        "/deals" if count(earlier, "/deals") == 0 => Answer::json(429, json!({})).with("retry-after", "7"),
        "/deals" => Answer::json(201, json!({ "id": "9" })),
        "/deals/9/contacts/4" => Answer::json(202, json!({ "job": "55" })),
        "/jobs/55" if count(earlier, "/jobs") == 0 => Answer::json(200, json!({ "status": "running" })),
        "/jobs/55" => Answer::json(200, json!({ "status": "done" })),
        other => Answer::text(404, other),
    }
}

async fn crm() -> StandIn {
    let earlier: Mutex<Vec<Seen>> = Mutex::default();
    StandIn::start(move |seen, _| {
        let mut earlier = earlier.lock().expect("a list");
        let answer = habits(seen, &earlier);
        earlier.push(seen.clone());
        answer
    })
    .await
}

#[tokio::test]
async fn a_talk_of_many_steps_ends_delivered() {
    let stand_in = crm().await;
    let run = Run::start(&stand_in).await;
    assert_eq!(run.deliver().await, Verdict::Delivered("The CRM has the deal.".into()));
    let seen = stand_in.seen();
    let targets: Vec<&str> = seen.iter().map(|s| s.target.as_str()).collect();
    let want = [
        "/oauth/token",
        "/contacts/by-email",
        "/deals",
        "/deals",
        "/deals/9/contacts/4",
        "/oauth/token",
        "/deals/9/contacts/4",
        "/jobs/55",
        "/jobs/55",
    ];
    assert_eq!(targets, want);
    assert_eq!(seen[0].text(), "grant_type=client_credentials&client_id=app-7&client_secret=cs-verysecret-1");
    assert_eq!(seen[1].json(), json!({ "email": "niamh.byrne@mail.ie" }));
    assert_eq!((seen[4].header("authorization-token"), seen[6].header("authorization-token")), ("tok-longenough-1", "tok-longenough-2"));
    assert_eq!(*run.waits.lock().expect("a list"), [7_000, 30 * MINUTE_MS, 30 * MINUTE_MS]);
    let states = run.states.lock().expect("a text").clone();
    assert!(!states.contains("tok-") && !states.contains("verysecret"), "{states}");
}

#[tokio::test]
async fn one_token_serves_all_deliveries() {
    let stand_in = StandIn::start(|seen, _| match seen.target.as_str() {
        "/oauth/token" => Answer::json(200, json!({ "access_token": "tok-longenough-1", "expires_in": 3600 })),
        "/contacts/by-email" => Answer::json(422, json!({ "message": "no" })),
        other => Answer::text(404, other),
    })
    .await;
    let run = Run::start(&stand_in).await;
    let verdicts = futures_util::future::join_all((0..5).map(|_| run.deliver())).await;
    assert!(verdicts.iter().all(|v| matches!(v, Verdict::Split(_))), "{verdicts:?}");
    assert_eq!(count(&stand_in.seen(), "/oauth/token"), 1);
}

#[tokio::test]
async fn a_refused_client_secret_pauses_the_connection() {
    let stand_in = StandIn::start(|_, _| Answer::json(400, json!({ "error": "invalid_client", "hint": "cs-verysecret-1" }))).await;
    let run = Run::start(&stand_in).await;
    assert_eq!(run.deliver().await, Verdict::Pause("The CRM refuses the client secret.".into()));
}

/// Shopify's GraphQL wants one address for all, a secret in a header and variables in the body; nothing more is needed.
#[test]
fn a_graphql_request_is_an_ordinary_one() {
    let request = Request::new("POST", "https://a-shop.myshopify.com", "/admin/api/2026-04/graphql.json")
        .header("X-Shopify-Access-Token", Part::secret("access_token"))
        .json(json!({ "query": "mutation($t: T!) { a(t: $t) { id } }", "variables": { "t": "ORDERS_PAID" } }));
    let shown = halotrack::outbound::redacted(&request, &Value::Null);
    assert_eq!(shown["headers"]["x-shopify-access-token"], "••••");
    assert_eq!(shown["body"]["variables"]["t"], "ORDERS_PAID");
}
