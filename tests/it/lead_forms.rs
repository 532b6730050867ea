//! Leads of Typeform and of Meta's lead ads: by hook and by list, each once, credited to where they came from.

use std::sync::{Arc, Mutex};

use halotrack::crypto::{base64, hex, hmac_sha256};
use halotrack::flows::connections::{self, NewConnectionForm};
use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::stand_in::{Answer as Says, Seen, StandIn};
use crate::story::Connected;

const HOUR_S: i64 = 3_600;
const EMAIL: &str = "orla.byrne@mail.example";

async fn read(house: &House) {
    puller::drain(&house.app).await.expect("what is due is read");
}

// -------------------------------------------------------------------------------------------------- Typeform

/// A form at Typeform.
#[derive(Default)]
struct Form {
    hooks: Vec<Value>,
    responses: Vec<Value>,
}

async fn typeform() -> (Arc<Mutex<Form>>, House) {
    let form: Arc<Mutex<Form>> = Arc::default();
    let shared = form.clone();
    let stand_in = StandIn::start(move |seen, _| of_form(&mut shared.lock().expect("the form"), seen)).await;
    let url = stand_in.url();
    (form, House::with(move |config| drop(config.base_urls.insert("typeform".into(), url))))
}

fn questions() -> Value {
    json!([
        {"id": "q1", "ref": "m", "title": "Your e-mail", "type": "email"},
        {"id": "q2", "ref": "n", "title": "Name", "type": "short_text"},
        {"id": "q3", "ref": "w", "title": "What is it about?", "type": "long_text"}
    ])
}

fn of_form(form: &mut Form, seen: &Seen) -> Says {
    if seen.header("authorization") != "Bearer tfp_token" {
        return Says::json(401, json!({"code": "AUTHENTICATION_FAILED"}));
    }
    let path = seen.target.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (seen.method.as_str(), parts.as_slice()) {
        ("GET", ["forms", "tQz8"]) => Says::json(200, json!({"id": "tQz8", "title": "Kitchen planner", "fields": questions()})),
        ("GET", ["forms", "tQz8", "responses"]) => Says::json(200, json!({"total_items": form.responses.len(), "items": form.responses})),
        ("GET", ["forms", "tQz8", "webhooks"]) => Says::json(200, json!({"items": form.hooks})),
        ("PUT", ["forms", "tQz8", "webhooks", tag]) => {
            let mut hook = seen.json();
            (hook["tag"], hook["id"]) = (json!(tag), json!(format!("id-{tag}")));
            form.hooks.retain(|h| h["tag"] != *tag);
            form.hooks.push(hook.clone());
            Says::json(200, hook)
        }
        ("DELETE", ["forms", "tQz8", "webhooks", tag]) => {
            form.hooks.retain(|h| h["tag"] != *tag);
            Says::Say(204, Vec::new(), Vec::new())
        }
        ("GET", ["forms", _]) => Says::json(404, json!({"code": "FORM_NOT_FOUND", "description": "Form not found"})),
        other => panic!("Typeform knows nothing of {other:?}"),
    }
}

fn response(house: &House, token: &str, session: Option<&str>) -> Value {
    json!({
        "form_id": "tQz8", "token": token, "landed_at": house.ago(60), "submitted_at": house.ago(0), "calculated": {"score": 0},
        "hidden": {"halo_session_id": session.unwrap_or_default(), "utm_source": "flyer"},
        "answers": [
            {"type": "email", "email": EMAIL, "field": {"id": "q1", "type": "email"}},
            {"type": "text", "text": "Orla Byrne", "field": {"id": "q2", "type": "short_text"}},
            {"type": "text", "text": "A big kitchen.", "field": {"id": "q3", "type": "long_text"}}
        ]
    })
}

async fn tell(house: &House, connected: &Connected, response: &Value, secret: &str) -> Answer {
    let mut told = response.clone();
    told["definition"] = json!({"id": "tQz8", "title": "Kitchen planner", "fields": questions()});
    let body = format!("{}\n", json!({"event_id": "e1", "event_type": "form_response", "form_response": told}));
    let sign = format!("sha256={}", base64(&hmac_sha256(secret.as_bytes(), &[body.as_bytes()])));
    house.post(&connected.hook).header("typeform-signature", &sign).body(body).send().await
}

#[tokio::test]
async fn a_response_is_a_lead_once_by_hook_and_by_list() {
    let (form, house) = typeform().await;
    let site = house.site("harrow.example").await;
    let settings = [("token", "tfp_token"), ("form_id", "tQz8")];
    let connected = house.connect(&site, "typeform", "live", &settings).await;
    read(&house).await;
    let hook = form.lock().expect("the form").hooks[0].clone();
    let secret = hook["secret"].as_str().expect("a secret of ours").to_owned();
    assert_eq!((secret.len(), &hook["enabled"], &hook["verify_ssl"]), (64, &json!(true), &json!(true)));
    let session = house.visit(&site, None, json!({"utm_source": "google", "utm_medium": "cpc"})).await;
    house.advance_s(60);
    let told = response(&house, "t1", Some(&session));
    assert_eq!(tell(&house, &connected, &told, &secret).await.is(200).json["status"], "accepted");
    assert_eq!(tell(&house, &connected, &told, &secret).await.is(200).json["status"], "duplicate");
    tell(&house, &connected, &response(&house, "t9", None), "guessed").await.is(401);
    let leads = house.list(&site, "leads").await;
    assert_eq!(leads.len(), 1, "{leads:#?}");
    let made = &house.list(&site, "conversions").await[0];
    assert_eq!((&made["credited"][0]["source"], &made["match"]["type"]), (&json!("google"), &json!("session")), "{made:#}");
    // The list holds that one, and one of which no hook told.
    form.lock().expect("the form").responses = vec![told, response(&house, "t2", None)];
    house.advance_s(HOUR_S + 1);
    read(&house).await;
    assert_eq!(house.list(&site, "leads").await.len(), 2);
    house.advance_s(HOUR_S + 1);
    read(&house).await;
    assert_eq!(house.list(&site, "leads").await.len(), 2, "what comes twice counts once");
    assert_eq!(form.lock().expect("the form").hooks.len(), 1);
    form.lock().expect("the form").hooks[0]["enabled"] = json!(false);
    house.advance_s(HOUR_S + 1);
    read(&house).await;
    assert_eq!(form.lock().expect("the form").hooks[0]["enabled"], true, "put back");
}

#[tokio::test]
async fn a_form_that_is_not_there_is_said_at_connecting() {
    let (_, house) = typeform().await;
    let site = house.site("harrow.example").await;
    for (token, form, want) in [
        ("tfp_token", "other", "knows no such form"),
        ("tfp_wrong", "tQz8", "refuses the personal token"),
        ("tfp_token", "https://x.typeform.com/to/tQz8", "behind /to/"),
    ] {
        let settings = [("token".to_owned(), token.to_owned()), ("form_id".to_owned(), form.to_owned())].into();
        let new = NewConnectionForm { platform: "typeform".into(), settings, ..NewConnectionForm::default() };
        let refusal = connections::add(&house.app, site.id, &new, "test").await.err().expect("a refusal");
        assert!(refusal.message.contains(want), "{form}: {}", refusal.message);
    }
}

// -------------------------------------------------------------------------------------------------- Meta lead ads

/// A page at Meta.
#[derive(Default)]
struct Page {
    leads: Vec<Value>,
    subscribed: Vec<String>,
    is_limited: bool,
}

async fn meta() -> (Arc<Mutex<Page>>, House) {
    let page: Arc<Mutex<Page>> = Arc::default();
    let shared = page.clone();
    let stand_in = StandIn::start(move |seen, _| of_page(&mut shared.lock().expect("the page"), seen)).await;
    let url = stand_in.url();
    (page, House::with(move |config| drop(config.base_urls.insert("metaleads".into(), url))))
}

fn of_page(page: &mut Page, seen: &Seen) -> Says {
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let asked: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let named = |name: &str| asked.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let refused =
        |code: i64, message: &str| Says::json(400, json!({"error": {"message": message, "type": "OAuthException", "code": code}}));
    if named("access_token").as_deref() != Some("EAApage") {
        return refused(190, "Error validating access token");
    }
    if named("appsecret_proof") != Some(hex(&hmac_sha256(b"c0ffee", &[b"EAApage"]))) {
        return refused(100, "Invalid appsecret_proof provided in the API argument");
    }
    if std::mem::take(&mut page.is_limited) {
        return refused(32, "Page request limit reached");
    }
    let parts: Vec<&str> = path.trim_start_matches("/v25.0/").split('/').collect();
    match (seen.method.as_str(), parts.as_slice()) {
        ("GET", ["me"]) => Says::json(200, json!({"id": "138", "name": "Harrow Lane"})),
        ("GET", ["app"]) => Says::json(200, json!({"id": "900", "name": "Harrow leads"})),
        ("GET", ["138", "subscribed_apps"]) => {
            let apps = if page.subscribed.is_empty() { json!([]) } else { json!([{"id": "900", "subscribed_fields": page.subscribed}]) };
            Says::json(200, json!({"data": apps}))
        }
        ("POST", ["138", "subscribed_apps"]) => {
            page.subscribed = named("subscribed_fields").unwrap_or_default().split(',').map(str::to_owned).collect();
            Says::json(200, json!({"success": true}))
        }
        ("GET", ["138", "leadgen_forms"]) => Says::json(200, json!({"data": [{"id": "172"}]})),
        ("GET", ["172", "leads"]) => {
            assert!(named("filtering").is_some_and(|f| f.contains("time_created")));
            Says::json(200, json!({"data": page.leads, "paging": {"cursors": {"after": "x"}}}))
        }
        ("GET", [id]) => match page.leads.iter().find(|lead| lead["id"] == *id) {
            Some(lead) => Says::json(200, lead.clone()),
            None => refused(100, "Unsupported get request"),
        },
        other => panic!("the page knows nothing of {other:?}"),
    }
}

fn lead(house: &House, id: &str, platform: &str) -> Value {
    json!({
        "id": id, "created_time": house.ago(5).replace('Z', "+0000"), "ad_id": "6042", "campaign_id": "6040", "campaign_name": "June",
        "form_id": "172", "platform": platform, "is_organic": false,
        "field_data": [{"name": "email", "values": [format!("buyer{id}@mail.example")]}, {"name": "full_name", "values": ["Orla Byrne"]}]
    })
}

async fn call(house: &House, connected: &Connected, ids: &[&str], secret: &str) -> Answer {
    let changes: Vec<Value> = ids.iter().map(|id| json!({"field": "leadgen", "value": {"leadgen_id": id, "form_id": "172"}})).collect();
    let body = json!({"object": "page", "entry": [{"id": "138", "time": 1, "changes": changes}]}).to_string();
    let sign = format!("sha256={}", hex(&hmac_sha256(secret.as_bytes(), &[body.as_bytes()])));
    house.post(&connected.hook).header("x-hub-signature-256", &sign).body(body).send().await
}

#[tokio::test]
async fn a_lead_of_an_ad_is_read_by_its_number_and_credited_to_its_campaign() {
    let (page, house) = meta().await;
    let site = house.site("harrow.example").await;
    let settings = [("app_secret", "c0ffee"), ("page_token", "EAApage"), ("verify_token", "amber")];
    let connected = house.connect(&site, "metaleads", "live", &settings).await;
    read(&house).await;
    assert_eq!(page.lock().expect("the page").subscribed, ["leadgen"], "the page tells the app");
    let challenge = |word: &str| format!("{}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={word}", connected.hook);
    assert_eq!(house.get(&challenge("amber")).send().await.is(200).text, "1158201444");
    house.get(&challenge("guessed")).send().await.is(401);
    page.lock().expect("the page").leads = vec![lead(&house, "2331", "ig"), lead(&house, "2332", "fb")];
    call(&house, &connected, &["2331"], "guessed").await.is(401);
    read(&house).await;
    assert_eq!(house.list(&site, "leads").await.len(), 0, "what is forged changes nothing");
    // One is told twice, one is a test of Meta's and no lead.
    page.lock().expect("the page").is_limited = true;
    for _ in 0..2 {
        call(&house, &connected, &["2331", "444444444444444"], "c0ffee").await.is(200);
    }
    for _ in 0..3 {
        read(&house).await;
        house.advance_s(15 * 60);
    }
    let leads = house.list(&site, "leads").await;
    assert_eq!(leads.len(), 1, "{leads:#?}");
    let told = &house.list(&site, "conversions").await[0];
    let credited = (&told["credited"][0]["source"], &told["credited"][0]["campaign"], &told["match"]["type"]);
    assert_eq!(credited, (&json!("instagram"), &json!("June"), &json!("stated")), "{told:#}");
    house.advance_s(HOUR_S);
    read(&house).await;
    assert_eq!(house.list(&site, "leads").await.len(), 2, "the page's list holds one of which nobody told");
}

#[tokio::test]
async fn an_app_secret_of_another_app_is_said_in_words() {
    let (_, house) = meta().await;
    let site = house.site("harrow.example").await;
    let set = [("app_secret", "of another"), ("page_token", "EAApage"), ("verify_token", "amber")];
    let settings = set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let new = NewConnectionForm { platform: "metaleads".into(), settings, ..NewConnectionForm::default() };
    let refusal = connections::add(&house.app, site.id, &new, "test").await.err().expect("a refusal");
    assert!(refusal.message.contains("same app") && !refusal.message.contains("of another"), "{}", refusal.message);
}
