//! Leads in the pipeline: who may move them, what a move changes, and who is told of it, once.

use halotrack::domain::rights::{Right, Scope};
use halotrack::flows::sites;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::stand_in::{self, StandIn};

async fn lead(house: &House, site: &SiteAt, id: &str, more: Value) -> String {
    let mut body = json!({"lead_id": id, "email": format!("{}@mail.example", id.to_lowercase()), "consent_given": true});
    body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    house.lead(site, body).await.is(200);
    let all = house.list(site, "leads").await;
    let found = all.iter().find(|l| l["lead_id"] == id).unwrap_or_else(|| panic!("{id} in {all:#?}"));
    found["id"].as_str().expect("a number").to_owned()
}

async fn set(house: &House, site: &SiteAt, id: &str, body: Value) -> Answer {
    house.advance_s(1);
    house.post(&format!("/api/sites/{}/leads/{id}", site.slug)).token(&site.token).json(&body).send().await
}

async fn columns(house: &House, site: &SiteAt, query: &str) -> Value {
    house.get(&format!("/api/sites/{}/leads/pipeline{query}", site.slug)).token(&site.token).send().await.is(200).json
}

/// `new 2 USD 30.00` for each stage that holds one.
fn said(columns: &Value) -> Vec<String> {
    let one = |c: &Value| {
        let worth: Vec<String> = c["worth"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|m| format!(" {} {}", m["currency"].as_str().unwrap_or("-"), m["minor"]))
            .collect();
        format!("{} {}{}", c["stage"].as_str().unwrap_or("-"), c["count"], worth.concat())
    };
    columns["stages"].as_array().into_iter().flatten().filter(|c| c["count"] != json!(0)).map(one).collect()
}

/// What was planned beside the lead itself: `lead.won delivered`.
async fn told(house: &House, site: &SiteAt) -> Vec<String> {
    let all = house.deliveries(site).await;
    let mut words: Vec<String> = all
        .iter()
        .filter(|d| !["Lead", "generate_lead", "conversion.created"].iter().any(|k| d["kind"] == *k))
        .map(|d| {
            let reason = d["reason"].as_str().map(|r| format!(" {r}")).unwrap_or_default();
            format!("{} {}{reason}", d["kind"].as_str().unwrap_or("-"), d["state"].as_str().unwrap_or("-"))
        })
        .collect();
    words.sort();
    words
}

#[tokio::test]
async fn qualified_and_won_are_facts_that_are_told_once() {
    let house = House::new();
    let receiver = StandIn::start(|_, _| stand_in::Answer::text(200, "thanks")).await;
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    house.connect(&site, "meta", "shadow", &[("pixel_id", "123456789012345"), ("access_token", "EAAx0123456789")]).await;
    house.connect(&site, "ga4", "shadow", &[("measurement_id", "G-AB12CD34EF"), ("api_secret", "abcdefghijklmnop")]).await;
    let id = lead(&house, &site, "L-1", json!({"value": "250.00", "currency": "USD"})).await;
    house.work().await;

    let moved = set(&house, &site, &id, json!({"status": "contacted"})).await.is(200).json;
    assert_eq!((&moved["status"], &moved["value"]["minor"]), (&json!("contacted"), &json!(25_000)));
    assert_eq!(told(&house, &site).await, Vec::<String>::new(), "contacted is nobody's business");

    house.advance_s(86_400 * 10);
    let moved = set(&house, &site, &id, json!({"status": "qualified", "value": 1200.5})).await.is(200).json;
    assert_eq!(moved["value"], json!({"minor": 120_050, "currency": "USD"}));
    let at = house.clock.now().utc();
    house.work().await;
    assert_eq!(
        told(&house, &site).await,
        ["LeadQualified skipped shadow", "lead.qualified delivered", "qualify_lead skipped shadow"],
        "ten days after the lead it is not too old: its own time counts"
    );
    let message = receiver.seen().last().expect("a message").json();
    assert_eq!(message["type"], json!("lead.qualified"));
    assert_eq!((&message["timestamp"], &message["data"]["stage"]), (&json!(at), &json!("qualified")));
    assert_eq!((&message["data"]["event_id"], &message["data"]["amount"]["minor"]), (&json!("lead_L-1_qualified"), &json!(120_050)));
    assert_eq!(message["data"]["person"]["email"], json!("l-1@mail.example"));
    let all = house.deliveries(&site).await;
    let meta = all.iter().find(|d| d["kind"] == "LeadQualified").expect("planned");
    let detail = house.get(&format!("/api/sites/{}/deliveries/{}", site.slug, meta["id"].as_str().expect("an id")));
    let detail = detail.token(&site.token).send().await.is(200).text;
    assert!(detail.contains("LeadQualified") && detail.contains("system_generated") && detail.contains("lead_L-1_qualified"), "{detail}");

    // Back and forth again: told once is told.
    let count = receiver.seen().len();
    for stage in ["contacted", "qualified", "qualified"] {
        set(&house, &site, &id, json!({"status": stage})).await.is(200);
    }
    house.work().await;
    assert_eq!(receiver.seen().len(), count);
    let lost = set(&house, &site, &id, json!({"status": "lost"})).await.is(200).json;
    set(&house, &site, &id, json!({"status": "won"})).await.is(200);
    house.work().await;
    assert_eq!(receiver.seen().last().expect("a message").json()["type"], json!("lead.won"));
    assert_eq!(told(&house, &site).await.len(), 6);

    // The way it went, newest first; and the ledger says where it stands.
    let way: Vec<&str> = lost["history"].as_array().expect("a list").iter().filter_map(|h| h["to"].as_str()).collect();
    assert_eq!(way, ["lost", "qualified", "contacted", "qualified", "contacted"]);
    assert!(lost["history"][0]["who"].as_str().expect("a word").starts_with("token_"), "{lost}");
    let ledger = house.list(&site, "conversions").await;
    assert_eq!((ledger.len(), &ledger[0]["status"]), (1, &json!("won")));
    assert_eq!(ledger[0]["amount"]["minor"], json!(25_000), "what the lead's own sender said stays");
    let audit = house.list(&site, "audit").await;
    assert_eq!(audit.iter().filter(|l| l["what"] == "lead_moved").count(), 6, "no move, no line");
}

#[tokio::test]
async fn nobody_is_told_without_consent_or_of_a_test() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let staff = [("staff_emails".to_owned(), "boss@shop.example".to_owned())];
    sites::set_all(&house.app, site.id, &staff, "test").await.expect("a setting");
    house.connect(&site, "webhook", "shadow", &[("url", "http://127.0.0.1:9/hook")]).await;
    let refused = lead(&house, &site, "R-1", json!({"consent_given": false})).await;
    let own = lead(&house, &site, "S-1", json!({"email": "boss@shop.example"})).await;
    for id in [&refused, &own] {
        set(&house, &site, id, json!({"status": "won", "value": "10"})).await.is(200);
    }
    assert_eq!(told(&house, &site).await, ["lead.won skipped consent", "lead.won skipped not_counted"]);
}

#[tokio::test]
async fn a_lead_told_by_two_connections_moves_as_one() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let first = lead(&house, &site, "A-1", json!({"email": "ann@mail.example", "value": "5", "currency": "USD"})).await;
    house.advance_s(60);
    let body = json!({"lead_id": "B-1", "email": "ann@mail.example", "value": "5", "currency": "USD"}).to_string();
    let headers = crate::running::signed(&forms.secret, house.clock.now().s(), body.as_bytes());
    let call = headers.iter().fold(house.post(&forms.hook).header("content-type", "application/json"), |c, (n, v)| c.header(n, v));
    call.body(body).send().await.is(200);
    assert_eq!(house.list(&site, "conversions").await.len(), 1);
    assert_eq!(said(&columns(&house, &site, "").await), ["new 1 USD 500"], "counted once");
    let all = house.list(&site, "leads").await;
    let second = all.iter().find(|l| l["lead_id"] == "B-1").expect("the other telling")["id"].as_str().expect("an id").to_owned();
    set(&house, &site, &second, json!({"status": "won", "value": "7"})).await.is(200);
    let stands: Vec<Value> = house.list(&site, "leads").await.iter().map(|l| l["status"].clone()).collect();
    assert_eq!(stands, [json!("won"), json!("won")]);
    assert_eq!(said(&columns(&house, &site, "").await), ["won 1 USD 700"]);
    // One more tells of it later: it stands where the others stand.
    let late = house.connect(&site, "forms", "", &[]).await;
    let body = json!({"lead_id": "C-1", "email": "ann@mail.example", "value": "5", "currency": "USD"}).to_string();
    let headers = crate::running::signed(&late.secret, house.clock.now().s(), body.as_bytes());
    let call = headers.iter().fold(house.post(&late.hook).header("content-type", "application/json"), |c, (n, v)| c.header(n, v));
    call.body(body).send().await.is(200);
    assert_eq!(house.list(&site, "conversions").await.len(), 1);
    assert_eq!(said(&columns(&house, &site, "").await), ["won 1 USD 700"]);
    for id in [&first, &second] {
        let one = house.get(&format!("/api/sites/{}/leads/{id}", site.slug)).token(&site.token).send().await.is(200).json;
        assert_eq!(one["history"].as_array().map(Vec::len), Some(1), "{one}");
    }
}

#[tokio::test]
async fn columns_add_up_and_keep_currencies_apart() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for n in 0..4 {
        let currency = if n == 3 { "EUR" } else { "USD" };
        lead(&house, &site, &format!("L-{n}"), json!({"value": "10.00", "currency": currency, "created_at": house.ago(86_400 * n)})).await;
    }
    lead(&house, &site, "L-9", json!({})).await;
    set(&house, &site, "lead_1", json!({"status": "qualified"})).await.is(200);
    let all = columns(&house, &site, "").await;
    assert_eq!(said(&all), ["new 4 EUR 1000 USD 2000", "qualified 1 USD 1000"]);
    assert_eq!(all["sources"][0]["count"], json!(5));
    // A stage goes on where its page ends, in the plain list.
    let page = columns(&house, &site, "?limit=3").await;
    let next = page["stages"][0]["next"].as_str().expect("there is more");
    assert_eq!(page["stages"][0]["items"].as_array().map(Vec::len), Some(3));
    let rest = house.get(&format!("/api/sites/{}/leads?status=new&cursor={next}", site.slug)).token(&site.token).send().await.is(200);
    assert_eq!(rest.json["items"].as_array().map(Vec::len), Some(1));
    let today = house.ago(0)[..10].to_owned();
    assert_eq!(said(&columns(&house, &site, &format!("?from={today}&to={today}")).await), ["new 1", "qualified 1 USD 1000"]);
    assert_eq!(said(&columns(&house, &site, "?source=nobody").await), Vec::<String>::new());
    // Another site sees nothing of it.
    let other = house.site("other.example").await;
    assert_eq!(said(&columns(&house, &other, "").await), Vec::<String>::new());
    set(&house, &other, "lead_1", json!({"status": "won"})).await.is(404);
}

#[tokio::test]
async fn only_editors_move_leads_and_nonsense_moves_none() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = lead(&house, &site, "L-1", json!({})).await;
    let path = format!("/api/sites/{}/leads/{id}", site.slug);
    for right in Right::ALL {
        let cookie = house.login(&format!("{}@mail.example", right.role()), right, Some(site.id)).await;
        let want = if right >= Right::Edit { 200 } else { 403 };
        house.get(&path).cookie(&cookie).send().await.is(200);
        house.post(&path).cookie(&cookie).json(&json!({"status": "contacted"})).send().await.is(want);
    }
    let reader = house.token(site.id, &[Scope::Read]).await;
    house.post(&path).token(&reader).json(&json!({"status": "won"})).send().await.is(403);
    for (body, field) in [
        (json!({"status": "Won"}), "status"),
        (json!({"status": 3}), "status"),
        (json!({}), "status"),
        (json!({"value": "-1"}), "value"),
        (json!({"value": "1.234"}), "value"),
        (json!({"value": [1]}), "value"),
        (json!({"value": "1", "currency": "QQQ"}), "currency"),
    ] {
        let answer = set(&house, &site, &id, body.clone()).await;
        assert_eq!((answer.status, &answer.json["error"]["field"]), (422, &json!(field)), "{body}: {}", answer.text);
    }
    set(&house, &site, "lead_99", json!({"status": "won"})).await.is(404);
    set(&house, &site, "nonsense", json!({"status": "won"})).await.is(404);
    let one = house.get(&path).token(&site.token).send().await.is(200).json;
    assert_eq!((&one["status"], &one["value"]), (&json!("contacted"), &Value::Null));
    // A value of zero is a value; null takes it away.
    let one = set(&house, &site, &id, json!({"value": 0})).await.is(200).json;
    assert_eq!(one["value"]["minor"], json!(0));
    assert_eq!(set(&house, &site, &id, json!({"value": null})).await.is(200).json["value"], Value::Null);
}
