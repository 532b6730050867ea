//! Connections from the dashboard: what each platform wants, setting one up, how it fares, and its end.

use halotrack::domain::rights::{Right, Scope};
use halotrack::{destinations, sources};
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::running::signed;
use crate::stand_in::{Answer, StandIn};

fn at(site: &SiteAt, tail: &str) -> String {
    format!("/api/sites/{}/connections{tail}", site.slug)
}

async fn card(house: &House, site: &SiteAt, id: &str) -> Value {
    let all = house.list(site, "connections").await;
    all.into_iter().find(|c| c["connection"] == id).unwrap_or_else(|| panic!("{id} is listed"))
}

#[tokio::test]
async fn every_platform_says_what_it_wants() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let client = house.login("client@shop.example", Right::See, Some(site.id)).await;
    let all = house.get(&format!("/api/sites/{}/platforms", site.slug)).cookie(&client).send().await.is(200).json;
    let all = all["items"].as_array().expect("a list").clone();
    let slugs: Vec<&str> = sources::ALL.iter().map(|s| s.about().slug).chain(destinations::ALL.iter().map(|d| d.about().slug)).collect();
    for slug in slugs {
        let one = all.iter().find(|p| p["platform"] == slug).unwrap_or_else(|| panic!("{slug} is listed"));
        assert!(one["steps"].as_array().is_some_and(|s| !s.is_empty()), "{slug} says how to connect it");
        for field in one["fields"].as_array().expect("fields") {
            assert!(!field["help"].as_str().unwrap_or_default().is_empty(), "{slug}: {field}");
        }
    }
    let webhook = all.iter().find(|p| p["platform"] == "webhook").expect("the webhook");
    let secret = &webhook["fields"][1];
    assert_eq!((&secret["kind"], &secret["required"], &secret["made"]), (&json!("secret"), &json!(false), &json!(true)));
}

#[tokio::test]
async fn an_owner_connects_changes_and_ends_a_platform() {
    let house = House::new();
    let receiver = StandIn::start(|_, _| Answer::text(200, "thanks")).await;
    let site = house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, Some(site.id)).await;
    let add = |body: Value| house.post(&at(&site, "")).cookie(&ann).json(&body).send();
    let url = format!("{}/hook", receiver.url());
    let made = add(json!({"platform": "webhook", "settings": {"url": url}})).await.is(201).json;
    let id = made["connection"].as_str().expect("an id").to_owned();
    let secret = made["secret"].as_str().expect("made here, shown once").to_owned();
    assert_eq!((&made["mode"], &made["status"]), (&json!("shadow"), &json!("ok")), "nothing is sent before somebody says so");

    let one = house.get(&at(&site, &format!("/{id}"))).cookie(&ann).send().await.is(200);
    assert_eq!((&one.json["settings"]["url"], &one.json["secrets"]), (&json!(url), &json!(["secret"])));
    assert!(!one.text.contains(&secret), "a secret is written, never read");
    let looked = house.post(&at(&site, &format!("/{id}/test"))).cookie(&ann).json(&json!({})).send().await.is(200).json;
    assert_eq!(looked["is_ready"], json!(true), "{looked}");
    assert_eq!(receiver.seen().len(), 0, "a look sends nothing");

    let set = |body: Value| house.post(&at(&site, &format!("/{id}"))).cookie(&ann).json(&body).send();
    let changed = set(json!({"mode": "live", "settings": {"url": format!("{url}/two"), "secret": ""}})).await.is(200);
    assert!(!changed.text.contains(&secret));
    assert_eq!(changed.json["mode"], json!("live"));
    house.lead(&site, json!({"lead_id": "L-1", "email": "a@mail.example", "consent_given": true})).await.is(200);
    house.work().await;
    assert_eq!(receiver.seen()[0].target, "/hook/two");

    // What waits when a connection ends is cancelled, and said so.
    house.post(&at(&site, &format!("/{id}/pause"))).cookie(&ann).json(&json!({})).send().await.is(200);
    house.lead(&site, json!({"lead_id": "L-2", "email": "b@mail.example", "consent_given": true})).await.is(200);
    assert_eq!(card(&house, &site, &id).await["counts"]["pending"], json!(1));
    house.delete(&at(&site, &format!("/{id}"))).cookie(&ann).send().await.is(200);
    let states: Vec<Value> = house.deliveries(&site).await.iter().map(|d| d["state"].clone()).collect();
    assert_eq!(states, [json!("cancelled"), json!("delivered")], "what was told stays");
    assert!(house.list(&site, "connections").await.is_empty());
    for call in [house.get(&at(&site, &format!("/{id}"))), house.delete(&at(&site, &format!("/{id}")))] {
        call.cookie(&ann).send().await.is(404);
    }
    let audit: Vec<String> = house.list(&site, "audit").await.iter().filter_map(|l| l["what"].as_str().map(str::to_owned)).collect();
    for what in ["connection_added", "connection_set", "connection_paused", "connection_removed"] {
        assert!(audit.iter().any(|w| w == what), "{what} in {audit:?}");
    }
    assert!(!json!(house.list(&site, "audit").await).to_string().contains(&secret));
}

#[tokio::test]
async fn nonsense_is_refused_by_the_field() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, Some(site.id)).await;
    for (body, field) in [
        (json!({"settings": {}}), "platform"),
        (json!({"platform": "nobody"}), "platform"),
        (json!({"platform": "meta", "mode": "loud"}), "mode"),
        (json!({"platform": "meta", "settings": {"pixel_id": "abc"}}), "pixel_id"),
        (json!({"platform": "meta", "settings": {"colour": "red"}}), "colour"),
        (json!({"platform": "meta", "settings": []}), "settings"),
        (json!({"platform": "meta", "settings": {"pixel_id": [1]}}), "pixel_id"),
        (json!({"platform": "meta", "settings": {"access_token": "x".repeat(20_000)}}), "access_token"),
        (json!({"platform": "webhook", "settings": {"url": "http://10.0.0.1/hook"}}), "url"),
    ] {
        let answer = house.post(&at(&site, "")).cookie(&ann).json(&body).send().await;
        assert_eq!((answer.status, &answer.json["error"]["field"]), (422, &json!(field)), "{}", answer.text);
    }
    // Half a set-up is kept, says what is missing, and sends nothing.
    let half = json!({"platform": "meta", "settings": {"pixel_id": "123456789012345"}});
    let half = house.post(&at(&site, "")).cookie(&ann).json(&half).send().await.is(201).json;
    assert_eq!(half["status"], json!("not_configured"));
    assert!(half["reason"].as_str().is_some_and(|r| r.contains("Access token")), "{half}");
}

#[tokio::test]
async fn only_an_owner_who_is_there_may_say_where_things_go() {
    let house = House::new();
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    let hook = house.connect(&site, "webhook", "shadow", &[("url", "http://127.0.0.1:9/hook")]).await;
    let theirs = house.connect(&other, "webhook", "shadow", &[("url", "http://127.0.0.1:9/other")]).await;
    let one = at(&site, &format!("/{}", hook.id));
    let away = json!({"settings": {"url": "http://127.0.0.1:9/evil"}});
    for right in Right::ALL {
        let cookie = house.login(&format!("{}@shop.example", right.role()), right, Some(site.id)).await;
        let want = |needed: Right| if right >= needed { 200 } else { 403 };
        house.get(&one).cookie(&cookie).send().await.is(want(Right::Edit));
        house.post(&format!("{one}/test")).cookie(&cookie).json(&json!({})).send().await.is(want(Right::Edit));
        house.post(&one).cookie(&cookie).json(&json!({"settings": {}})).send().await.is(want(Right::Own));
        let add = json!({"platform": "forms"});
        house.post(&at(&site, "")).cookie(&cookie).json(&add).send().await.is(if right == Right::Own { 201 } else { 403 });
        // Another site's is as unknown as none.
        for path in [at(&site, &format!("/{}", theirs.id)), at(&other, &format!("/{}", theirs.id))] {
            let status = house.post(&path).cookie(&cookie).json(&away).send().await.status;
            assert!(matches!(status, 403 | 404), "{path}: {status}");
            house.delete(&path).cookie(&cookie).send().await;
        }
    }
    assert_eq!(house.list(&other, "connections").await.len(), 1, "it is still there");
    // A token that may write facts may not send them elsewhere.
    let writer = house.token(site.id, &Scope::ALL).await;
    house.post(&one).token(&writer).json(&away).send().await.is(401);
    house.post(&at(&site, "")).token(&writer).json(&json!({"platform": "forms"})).send().await.is(401);
    house.delete(&one).token(&writer).send().await.is(401);
    let seen = house.get(&one).token(&writer).send().await.is(200).json;
    assert_eq!(seen["settings"]["url"], json!("http://127.0.0.1:9/hook"));
}

#[tokio::test]
async fn a_card_tells_how_its_connection_fares() {
    let house = House::new();
    let receiver = StandIn::start(|_, n| if n % 4 == 3 { Answer::text(400, "no") } else { Answer::text(200, "thanks") }).await;
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    let forms = house.connect(&site, "forms", "", &[]).await;
    let silent = house.connect(&other, "forms", "", &[]).await;
    let hook = house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    let say = async |secret: &str, body: &str| {
        let headers = signed(secret, house.clock.now().s(), body.as_bytes());
        let call = headers.iter().fold(house.post(&forms.hook).header("content-type", "application/json"), |c, (n, v)| c.header(n, v));
        call.body(body).send().await
    };
    for day in 0..28 {
        for n in 0..2 {
            let body = json!({"lead_id": format!("L-{day}-{n}"), "email": format!("p{day}-{n}@mail.example"), "consent_given": true});
            say(&forms.secret, &body.to_string()).await.is(200);
        }
        house.work().await;
        house.advance_s(86_400);
    }
    say("wrong", "{}").await.is(401);
    say(&forms.secret, "[\"no lead\"]").await.is(200);
    let fares = card(&house, &site, &forms.id).await["health"].clone();
    let sum = |name: &str, of: &Value| of[name].as_array().expect("days").iter().filter_map(Value::as_i64).sum::<i64>();
    assert_eq!(fares["heard"].as_array().map(Vec::len), Some(30));
    assert_eq!((sum("heard", &fares), &fares["unreadable"]), (57, &json!(1)), "{fares}");
    assert_eq!((&fares["usual_today"], &fares["bad_signatures"]), (&json!(2), &json!(1)));
    let told = card(&house, &site, &hook.id).await["health"].clone();
    assert_eq!((sum("told", &told), sum("failed", &told)), (42, 14), "{told}");
    let nothing = card(&house, &other, &silent.id).await["health"].clone();
    assert_eq!((sum("heard", &nothing), &nothing["bad_signatures"], &nothing["usual_today"]), (0, &json!(0), &Value::Null));
}

/// A test is offered where the platform has one; elsewhere it is refused by name, and a set-up that lacks something says what.
#[tokio::test]
async fn a_test_is_where_there_is_one() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let ann = house.login("ann@shop.example", Right::Own, Some(site.id)).await;
    let platforms = house.get(&format!("/api/sites/{}/platforms", site.slug)).cookie(&ann).send().await.is(200).json;
    let modes = |slug: &str| {
        let all = platforms["items"].as_array().expect("a list");
        all.iter().find(|p| p["platform"] == slug).map(|p| p["modes"].clone()).expect("it is listed")
    };
    assert_eq!(
        (modes("meta"), modes("hubspot"), modes("anytrack"), modes("forms")),
        (json!(["shadow", "test", "live"]), json!(["shadow", "live"]), json!(["shadow", "live"]), json!([]))
    );
    let token = [("access_token", "pat-eu1-0f1e2d3c-verysecret")];
    let id = house.connect(&site, "hubspot", "shadow", &token).await.id;
    assert_eq!(card(&house, &site, &id).await["modes"], json!(["shadow", "live"]));
    for path in [format!("/{id}/mode"), format!("/{id}")] {
        let refused = house.post(&at(&site, &path)).cookie(&ann).json(&json!({"mode": "test"})).send().await.is(422).json;
        assert_eq!(refused["error"]["field"], json!("mode"), "{refused}");
        assert!(refused["error"]["message"].as_str().is_some_and(|m| m.starts_with("HubSpot has no test mode.")), "{refused}");
    }
    let add = json!({"platform": "hubspot", "mode": "test", "settings": {"access_token": "pat-eu1-1"}});
    house.post(&at(&site, "")).cookie(&ann).json(&add).send().await.is(422);

    for (platform, settings, want) in [
        ("hubspot", json!({}), "Access token is still empty."),
        ("meta", json!({}), "Dataset (pixel) id and Access token are still empty."),
        ("google_ads", json!({"customer_id": "444-555-6666"}), "Conversion action is still empty."),
    ] {
        let made =
            house.post(&at(&site, "")).cookie(&ann).json(&json!({"platform": platform, "settings": settings})).send().await.is(201).json;
        assert_eq!(made["status"], json!("not_configured"), "{made}");
        let id = made["connection"].as_str().expect("an id");
        let looked = house.post(&at(&site, &format!("/{id}/test"))).cookie(&ann).json(&json!({})).send().await.is(200).json;
        assert_eq!((&looked["checked"][0], &looked["is_ready"]), (&json!(want), &json!(false)), "{looked}");
        assert!(!looked.to_string().contains("credentials show"), "nothing is said of a delivery that cannot be: {looked}");
    }
    // Two ways in, and neither is there.
    let both = json!({"platform": "google_ads", "settings": {"customer_id": "444-555-6666", "conversion_action": "987654321"}});
    let refused = house.post(&at(&site, "")).cookie(&ann).json(&both).send().await.is(422).json;
    assert_eq!(refused["error"]["field"], json!("service_account"));
    let google = platforms["items"].as_array().and_then(|all| all.iter().find(|p| p["platform"] == "google_ads")).expect("it is listed");
    let field = google["fields"].as_array().and_then(|all| all.iter().find(|f| f["key"] == "service_account")).expect("a field");
    assert_eq!(field["instead_of"], json!([["OAuth client id", "OAuth client secret", "Refresh token"]]));
}
