//! HubSpot as a destination, against a portal that keeps what it is told: a contact and a deal, once, whatever happens on
//! the way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::stand_in::{Answer as Says, Seen, StandIn};
use crate::story::Connected;
use crate::woo_shop::WooShop;

pub const TOKEN: &str = "pat-eu1-0f1e2d3c-verysecret";

/// What stands in the portal.
#[derive(Default)]
pub struct Portal {
    pub contacts: BTreeMap<String, Value>,
    /// By the value of the unique property.
    pub deals: BTreeMap<String, Value>,
    properties: Vec<String>,
    links: Vec<String>,
    forgotten: Vec<String>,
    /// What is answered in place of the usual, once each, by a word of the path; a status of 0 drops the connection after
    /// all was kept.
    pub moods: Vec<(&'static str, u16, Value)>,
    currency: Option<&'static str>,
}

#[derive(Clone, Default)]
pub struct HubSpot {
    pub portal: Arc<Mutex<Portal>>,
}

impl HubSpot {
    pub fn with<T>(&self, look: impl FnOnce(&mut Portal) -> T) -> T {
        look(&mut self.portal.lock().expect("no test panics while it holds the portal"))
    }

    pub async fn start(&self) -> StandIn {
        let portal = self.portal.clone();
        StandIn::start(move |seen, _| answer(&mut portal.lock().expect("a portal"), seen)).await
    }
}

fn refused(status: u16, category: &str, message: &str) -> Says {
    Says::json(status, json!({"status": "error", "category": category, "message": message}))
}

fn answer(portal: &mut Portal, seen: &Seen) -> Says {
    if seen.header("authorization") != format!("Bearer {TOKEN}") {
        return refused(401, "INVALID_AUTHENTICATION", &format!("The token {} is unknown", seen.header("authorization")));
    }
    let mood = portal.moods.iter().position(|(word, ..)| seen.target.contains(word)).map(|at| portal.moods.remove(at));
    if let Some((_, status, body)) = mood.as_ref().filter(|(_, status, _)| *status != 0) {
        return Says::json(*status, body.clone());
    }
    let kept = keep(portal, seen);
    if mood.is_some() { Says::Drop } else { kept }
}

fn keep(portal: &mut Portal, seen: &Seen) -> Says {
    let (path, body) = (seen.target.split('?').next().unwrap_or_default(), seen.json());
    let input = &body["inputs"][0];
    match (seen.method.as_str(), path) {
        ("POST", "/crm/objects/2026-03/contacts/batch/upsert") => {
            let email = input["id"].as_str().expect("an address").to_owned();
            portal.contacts.insert(email, input["properties"].clone());
            Says::json(200, json!({"status": "COMPLETE", "results": [{"id": "101", "new": true}]}))
        }
        ("POST", "/crm/objects/2026-03/deals/batch/upsert") => {
            let name = input["idProperty"].as_str().expect("a property");
            if !portal.properties.iter().any(|p| p == name) {
                return refused(400, "VALIDATION_ERROR", &format!("Property \"{name}\" does not exist"));
            }
            let wanted = input["properties"]["deal_currency_code"].as_str();
            if portal.currency.is_some() && wanted.is_some() {
                return refused(400, "VALIDATION_ERROR", "Property \"deal_currency_code\" is read only");
            }
            let deal = portal.deals.entry(input["id"].as_str().expect("a key").to_owned()).or_insert_with(|| json!({}));
            for (key, value) in input["properties"].as_object().expect("properties") {
                assert!(value.is_string(), "{key}: all values are texts");
                deal[key] = value.clone();
            }
            Says::json(200, json!({"status": "COMPLETE", "results": [{"id": "900", "new": true}]}))
        }
        ("GET", "/crm/properties/2026-03/deals/halotrack_id") => match portal.properties.is_empty() {
            true => refused(404, "OBJECT_NOT_FOUND", "no such property"),
            false => Says::json(200, json!({"name": "halotrack_id", "hasUniqueValue": true})),
        },
        ("POST", "/crm/properties/2026-03/deals") => {
            assert_eq!(body["hasUniqueValue"], true);
            portal.properties.push(body["name"].as_str().expect("a name").to_owned());
            Says::json(201, body)
        }
        ("GET", "/crm/pipelines/2026-03/deals") => {
            let stages = ["qualifiedtobuy", "closedwon", "closedlost"].map(|id| json!({"id": id, "label": id}));
            Says::json(200, json!({"results": [{"id": "default", "stages": stages}]}))
        }
        ("GET", "/account-info/v3/details") => Says::json(200, json!({"portalId": 1, "companyCurrency": portal.currency})),
        ("PUT", path) if path.starts_with("/crm/objects/2026-03/deals/900/associations/") => {
            portal.links.push(path.to_owned());
            Says::json(200, json!({"status": "COMPLETE"}))
        }
        ("PATCH", path) => {
            let key = path.rsplit('/').next().unwrap_or_default().replace("%3A", ":");
            let Some(deal) = portal.deals.get_mut(&key) else { return refused(404, "OBJECT_NOT_FOUND", "no such deal") };
            for (name, value) in body["properties"].as_object().expect("properties") {
                deal[name] = value.clone();
            }
            Says::json(200, json!({"id": "900"}))
        }
        ("POST", "/crm/objects/2026-03/contacts/gdpr-delete") => {
            portal.forgotten.push(body["objectId"].as_str().expect("an address").to_owned());
            Says::Say(204, Vec::new(), Vec::new())
        }
        other => panic!("the portal knows nothing of {other:?}"),
    }
}

async fn house(stand_in: &StandIn) -> House {
    let url = stand_in.url();
    House::with(move |config| drop(config.base_urls.insert("hubspot".into(), url)))
}

async fn connected(house: &House, settings: &[(&str, &str)]) -> (SiteAt, Connected) {
    let site = house.site("shop.example").await;
    let all: Vec<_> = [("access_token", TOKEN)].into_iter().chain(settings.iter().copied()).collect();
    let connection = house.connect(&site, "hubspot", "live", &all).await;
    (site, connection)
}

async fn sale(house: &House, site: &SiteAt, order: &str) -> String {
    let told =
        json!({"conversion_type": "sale", "email": " Ann.Lee@Mail.example ", "revenue": 142.5, "currency": "EUR", "order_id": order});
    house.conversion(site, told).await.is(201).json["conversion_id"].as_str().expect("an id").to_owned()
}

async fn sync(house: &House, site: &SiteAt, conversion: &str, destination: &str) -> Answer {
    house.post(&format!("/api/conversions/{conversion}/sync")).token(&site.token).json(&json!({"destination": destination})).send().await
}

fn words(delivery: &Value) -> String {
    let word = |name: &str| delivery[name].as_str().unwrap_or("-").to_owned();
    format!("{} {} {} {}", word("kind"), word("state"), word("reason"), delivery["attempts"])
}

#[tokio::test]
async fn a_sale_becomes_a_contact_and_a_won_deal_and_its_refund_takes_off_it() {
    let hubspot = HubSpot::default();
    let stand_in = hubspot.start().await;
    let (house, shop) = (house(&stand_in).await, WooShop::start().await);
    let (site, _) = connected(&house, &[]).await;
    let woo = house.woo(&site, &shop).await;
    let id = shop.books().place(house.clock.now(), "60.00", json!({"billing": {"email": "ann.lee@mail.example", "first_name": "Ann"}}));
    house.told(&woo, &shop, "order.created", id).await.is(200);
    house.work().await;
    let key = format!("shop.example:order_{id}");
    hubspot.with(|portal| {
        let contact = &portal.contacts["ann.lee@mail.example"];
        assert_eq!((&contact["email"], &contact["firstname"]), (&json!("ann.lee@mail.example"), &json!("Ann")));
        let deal = &portal.deals[&key];
        assert_eq!((&deal["dealstage"], &deal["amount"], &deal["pipeline"]), (&json!("closedwon"), &json!("60.00"), &json!("default")));
        assert_eq!(deal["halotrack_id"], json!(key));
        assert_eq!(portal.links, ["/crm/objects/2026-03/deals/900/associations/default/contacts/101"]);
        assert_eq!(portal.properties, ["halotrack_id"], "it was not there, so it was made");
    });
    let told = house.delivery(&site).await;
    assert_eq!(words(&told), "closedwon delivered - 1");
    assert_eq!(told["response"]["sentence"], json!("HubSpot has the contact (101) and the deal (900)."));
    // What is shown is the deal, and nobody's name.
    assert!(told["request"]["url"].as_str().expect("an address").ends_with("/deals/batch/upsert"), "{told:#}");
    assert!(!told.to_string().contains("ann.lee") && !told.to_string().contains(TOKEN), "{told:#}");

    for (cents, left, stage) in [(1_500, "45.00", "closedwon"), (4_500, "0.00", "closedlost")] {
        house.advance_s(60);
        shop.books().refund(id, house.clock.now(), cents);
        house.told(&woo, &shop, "order.updated", id).await.is(200);
        house.work().await;
        hubspot.with(|portal| assert_eq!((&portal.deals[&key]["amount"], &portal.deals[&key]["dealstage"]), (&json!(left), &json!(stage))));
    }
    hubspot.with(|portal| assert_eq!((portal.deals.len(), portal.contacts.len()), (1, 1)));
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_deal() {
    let hubspot = HubSpot::default();
    let stand_in = hubspot.start().await;
    let house = house(&stand_in).await;
    let (site, _) = connected(&house, &[]).await;
    hubspot.with(|portal| {
        portal.properties.push("halotrack_id".into());
        // All is kept there each time, and no answer comes: of the contact, of the deal, of the tie.
        portal.moods = vec![("contacts/batch", 0, json!({})), ("deals/batch", 0, json!({})), ("associations", 0, json!({}))];
    });
    sale(&house, &site, "1001").await;
    for _ in 0..6 {
        house.work().await;
        house.advance_s(600);
    }
    assert_eq!(words(&house.delivery(&site).await), "closedwon delivered - 4");
    hubspot.with(|portal| assert_eq!((portal.deals.len(), portal.contacts.len()), (1, 1)));
    let asked: Vec<String> =
        stand_in.seen().iter().map(|s| format!("{} {}", s.method, s.target.rsplit("2026-03/").next().unwrap_or(""))).collect();
    let want = [
        "POST contacts/batch/upsert",
        "POST contacts/batch/upsert",
        "POST deals/batch/upsert",
        "POST deals/batch/upsert",
        "PUT deals/900/associations/default/contacts/101",
        "PUT deals/900/associations/default/contacts/101",
    ];
    assert_eq!(asked, want, "it goes on where it was");
    let steps: Vec<Value> = stand_in.seen().iter().filter(|s| s.target.contains("deals/batch")).map(Seen::json).collect();
    assert_eq!(steps[0], steps[1], "the same deal, letter by letter");
}

#[tokio::test]
async fn leads_sign_ups_and_won_leads_stand_at_the_owners_stages() {
    let hubspot = HubSpot::default();
    let stand_in = hubspot.start().await;
    let house = house(&stand_in).await;
    let (site, _) = connected(&house, &[("pipeline", "7781"), ("stage_lead", "contractsent"), ("stage_won", "99120")]).await;
    house
        .lead(&site, json!({"lead_id": "L-1", "email": "bo@mail.example", "value": 250, "currency": "USD", "consent_given": true}))
        .await
        .is(200);
    house.conversion(&site, json!({"conversion_type": "signup", "email": "cy@mail.example", "order_id": "s-1"})).await.is(201);
    let custom = json!({"conversion_type": "custom", "email": "di@mail.example", "custom_data": {"event_name": "demo_booked"}});
    house.conversion(&site, custom).await.is(201);
    house.work().await;
    let stages =
        || hubspot.with(|portal| portal.deals.iter().map(|(k, d)| format!("{k} {} {}", d["pipeline"], d["dealstage"])).collect::<Vec<_>>());
    assert_eq!(stages().len(), 2, "a custom one makes no deal: {:?}", stages());
    assert!(stages().iter().all(|s| s.contains("\"7781\" \"contractsent\"")), "{:?}", stages());
    hubspot.with(|portal| assert_eq!(portal.contacts.len(), 3));

    let lead = house.list(&site, "leads").await[0]["id"].as_str().expect("an id").to_owned();
    house.advance_s(5);
    let path = format!("/api/sites/{}/leads/{lead}", site.slug);
    for stage in ["qualified", "won"] {
        house.post(&path).token(&site.token).json(&json!({"status": stage, "value": 900})).send().await.is(200);
        house.advance_s(5);
    }
    house.work().await;
    hubspot.with(|portal| {
        let deal = &portal.deals["shop.example:lead_L-1"];
        assert_eq!((&deal["dealstage"], &deal["amount"]), (&json!("99120"), &json!("900.00")));
        assert_eq!(portal.deals.len(), 2, "the lead's own deal was moved");
    });
}

#[tokio::test]
async fn an_amount_is_never_taken_for_another_currency() {
    let hubspot = HubSpot::default();
    let stand_in = hubspot.start().await;
    for (portal, want) in [("EUR", "closedwon delivered - 1"), ("USD", "closedwon refused refused_by_platform 1")] {
        let house = house(&stand_in).await;
        let (site, _) = connected(&house, &[]).await;
        hubspot.with(|p| {
            *p = Portal { currency: Some(portal), properties: vec!["halotrack_id".into()], ..Portal::default() };
        });
        sale(&house, &site, "1001").await;
        house.work().await;
        let told = house.delivery(&site).await;
        assert_eq!(words(&told), want, "{told:#}");
        hubspot.with(|p| assert_eq!(p.deals.len(), usize::from(portal == "EUR")));
        assert!(portal == "EUR" || told["response"]["sentence"].as_str().expect("words").contains("counts in USD alone"), "{told:#}");
    }
}

#[tokio::test]
async fn a_refused_token_pauses_and_limits_are_kept() {
    let hubspot = HubSpot::default();
    let stand_in = hubspot.start().await;
    let house = house(&stand_in).await;
    let (site, connection) = connected(&house, &[]).await;
    hubspot.with(|portal| {
        portal.properties.push("halotrack_id".into());
        let limit = json!({"status": "error", "category": "RATE_LIMITS", "policyName": "TEN_SECONDLY_ROLLING", "message": "slow down"});
        portal.moods = vec![("contacts/batch", 429, limit)];
    });
    sale(&house, &site, "1001").await;
    house.work().await;
    assert_eq!(words(&house.delivery(&site).await), "closedwon pending - 1");
    house.advance_s(9);
    house.work().await;
    assert_eq!(words(&house.delivery(&site).await), "closedwon pending - 1", "ten seconds are ten seconds");
    house.advance_s(2);
    house.work().await;
    assert_eq!(words(&house.delivery(&site).await), "closedwon delivered - 2");

    hubspot.with(|portal| portal.moods = vec![("contacts/batch", 401, json!({"category": "EXPIRED_AUTHENTICATION"}))]);
    sale(&house, &site, "1002").await;
    house.work().await;
    let card = house.list(&site, "connections").await.into_iter().find(|c| c["connection"] == connection.id.as_str()).expect("a card");
    assert_eq!(card["status"], json!("paused"));
    assert!(card["reason"].as_str().expect("words").contains("Enter a new one"), "{card:#}");
    let second = house.deliveries(&site).await.into_iter().find(|d| d["event_id"] == "order_1002").expect("a delivery");
    assert_eq!(words(&second), "closedwon pending - 0", "nothing is burned");
}

#[tokio::test]
async fn a_test_makes_the_property_and_names_what_is_missing() {
    let hubspot = HubSpot::default();
    let stand_in = hubspot.start().await;
    let house = house(&stand_in).await;
    let (site, connection) = connected(&house, &[("stage_lead", "nosuchstage")]).await;
    let path = format!("/api/sites/{}/connections/{}/test", site.slug, connection.id);
    let test = async || house.post(&path).token(&site.token).json(&json!({})).send().await.is(200).json;
    let found = test().await;
    assert_eq!(found["is_ready"], false, "{found:#}");
    assert!(found.to_string().contains("The deal property halotrack_id was made."), "{found:#}");
    assert!(found.to_string().contains("The pipeline default has no stage nosuchstage."), "{found:#}");
    hubspot.with(|portal| portal.moods = vec![("properties", 403, json!({"category": "MISSING_SCOPES", "message": "no scope"}))]);
    house.advance_s(5);
    let found = test().await;
    assert!(found.to_string().contains("let the key read and write contacts and deals"), "{found:#}");
    assert_eq!(stand_in.seen().iter().filter(|s| s.target.contains("/objects/")).count(), 0, "no conversion was sent");
}

#[tokio::test]
async fn whoever_is_erased_is_deleted_there_too() {
    let hubspot = HubSpot::default();
    let stand_in = hubspot.start().await;
    let house = house(&stand_in).await;
    let (site, _) = connected(&house, &[]).await;
    sale(&house, &site, "1001").await;
    house.work().await;
    let path = format!("/api/sites/{}/erasures", site.slug);
    house.post(&path).token(&site.token).json(&json!({"email": "ann.lee@mail.example"})).send().await;
    house.advance_s(5);
    let erasures = house.list(&site, "erasures").await;
    hubspot.with(|portal| assert_eq!(portal.forgotten, ["ann.lee@mail.example"], "{erasures:#?}"));
}

/// The contact stands there already; the deal was refused for want of a right, which is charged to nothing.
#[tokio::test]
async fn whoever_is_half_told_is_deleted_there_too() {
    let hubspot = HubSpot::default();
    let stand_in = hubspot.start().await;
    let house = house(&stand_in).await;
    let (site, _) = connected(&house, &[]).await;
    hubspot.with(|portal| {
        portal.properties.push("halotrack_id".into());
        portal.moods = vec![("deals/batch", 403, json!({"category": "MISSING_SCOPES", "message": "no scope"}))];
    });
    sale(&house, &site, "1001").await;
    house.work().await;
    assert_eq!(words(&house.delivery(&site).await), "closedwon pending - 0");
    let path = format!("/api/sites/{}/erasures", site.slug);
    let erased = house.post(&path).token(&site.token).json(&json!({"email": "ann.lee@mail.example"})).send().await;
    let told = &erased.json["destinations"];
    assert!(told.as_array().is_some_and(|all| all.len() == 1), "{:#}", erased.json);
}

/// While the contact is on its way, the delivery is taken away as an erasure does it.
#[tokio::test]
async fn a_talk_ends_where_its_delivery_was_taken_away() {
    let hubspot = HubSpot::default();
    let (portal, file) = (hubspot.portal.clone(), Arc::new(Mutex::new(None::<std::path::PathBuf>)));
    let at = file.clone();
    let stand_in = StandIn::start(move |seen, _| {
        if let (true, Some(file)) = (seen.target.contains("contacts/batch"), at.lock().expect("a path").as_ref()) {
            let file = rusqlite::Connection::open(file).expect("the file");
            file.execute("delete from deliveries", []).expect("no delivery");
        }
        answer(&mut portal.lock().expect("a portal"), seen)
    })
    .await;
    let house = house(&stand_in).await;
    *file.lock().expect("a path") = Some(house.data().join(halotrack::store::FILE));
    let (site, _) = connected(&house, &[]).await;
    hubspot.with(|portal| portal.properties.push("halotrack_id".into()));
    sale(&house, &site, "1001").await;
    house.work().await;
    hubspot.with(|portal| assert_eq!((portal.contacts.len(), portal.deals.len(), portal.links.len()), (1, 0, 0)));
}

#[tokio::test]
async fn a_conversion_is_synced_once_and_says_where_it_stands() {
    let hubspot = HubSpot::default();
    let stand_in = hubspot.start().await;
    let house = house(&stand_in).await;
    let site = house.site("shop.example").await;
    let other = house.site("other.example").await;
    // Told before anything was connected.
    let conversion = sale(&house, &site, "1001").await;
    for (destination, hint) in [("hubspot", "halotrack connection add --site"), ("nosuch", "There are: ")] {
        let refused = sync(&house, &site, &conversion, destination).await.is(422).json;
        assert_eq!(refused["success"], false);
        assert_eq!(refused["error"]["code"], json!("not_connected"));
        assert!(refused["error"]["message"].as_str().expect("words").contains(hint), "{refused}");
    }
    assert_eq!(house.deliveries(&site).await.len(), 0);
    let connection = house.connect(&site, "hubspot", "live", &[("access_token", TOKEN)]).await;
    let first = sync(&house, &site, &conversion, "hubspot").await.is(200).json["data"].clone();
    assert_eq!((&first["mode"], &first["state"], &first["kind"]), (&json!("live"), &json!("pending"), &json!("closedwon")));
    house.work().await;
    let again = sync(&house, &site, &conversion, &connection.id).await.is(200).json["data"].clone();
    assert_eq!((&again["id"], &again["state"]), (&first["id"], &json!("delivered")));
    house.work().await;
    assert_eq!(house.deliveries(&site).await.len(), 1);
    hubspot.with(|portal| assert_eq!(portal.deals.len(), 1));
    house.advance_s(5);

    // In shadow it says so; of another site's conversion nothing is known; a body that names nothing is refused.
    house.connect(&site, "meta", "shadow", &[("pixel_id", "123456789012345"), ("access_token", "EAAx0123456789")]).await;
    sync(&house, &site, &conversion, "meta").await.is(200);
    house.work().await;
    let shown = sync(&house, &site, &conversion, "meta").await.is(200).json["data"].clone();
    assert_eq!((&shown["mode"], &shown["state"]), (&json!("shadow"), &json!("skipped(shadow)")));
    sync(&house, &other, &conversion, "hubspot").await.is(404);
    house.advance_s(5);
    for body in [json!({}), json!({"destination": 7}), json!({"destination": ""})] {
        house.post(&format!("/api/conversions/{conversion}/sync")).token(&site.token).json(&body).send().await.is(422);
    }
    house.connect(&site, "hubspot", "live", &[("access_token", TOKEN)]).await;
    let refused = sync(&house, &site, &conversion, "hubspot").await.is(422).json;
    assert_eq!(refused["error"]["code"], json!("ambiguous"), "{refused}");
}

/// HubSpot as a source: its app calls us, and what stands behind the ids is read.
mod told {
    use halotrack::domain::time::Time;

    use super::*;

    const SECRET: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

    async fn call(house: &House, connection: &Connected, events: Value) -> Answer {
        let (body, at) = (events.to_string(), house.clock.now().ms().to_string());
        let url = format!("{}{}", house.app.config.public_url, connection.hook);
        let parts = [b"POST".as_slice(), url.as_bytes(), body.as_bytes(), at.as_bytes()];
        let signature = halotrack::crypto::base64(&halotrack::crypto::hmac_sha256(SECRET.as_bytes(), &parts));
        let call = house.post(&connection.hook).header("content-type", "application/json");
        call.header("x-hubspot-request-timestamp", &at).header("x-hubspot-signature-v3", &signature).body(body).send().await
    }

    fn change(at: Time, object: &str, id: i64, property: &str) -> Value {
        json!({"eventId": 1, "subscriptionType": format!("{object}.propertyChange"), "objectId": id, "propertyName": property,
            "propertyValue": "whatever", "occurredAt": at.ms(), "portalId": 33, "attemptNumber": 0})
    }

    async fn stands(house: &House, site: &SiteAt, lead: &str) -> String {
        let all = house.list(site, "leads").await;
        let found = all.iter().find(|l| l["lead_id"] == lead).unwrap_or_else(|| panic!("{lead} in {all:#?}"));
        format!("{} {}", found["status"].as_str().unwrap_or("-"), found["value"]["minor"])
    }

    /// Deals and contacts as the app's owner made them.
    async fn portal(deals: Arc<Mutex<BTreeMap<String, Value>>>) -> StandIn {
        StandIn::start(move |seen, _| {
            let path = seen.target.split('?').next().unwrap_or_default();
            let found = deals.lock().expect("a portal").get(path).cloned();
            match (seen.method.as_str(), found) {
                ("GET", Some(body)) => Says::json(200, body),
                ("GET", None) => refused(404, "OBJECT_NOT_FOUND", "no such object"),
                _ => Says::json(200, json!({"status": "COMPLETE", "results": [{"id": "900"}]})),
            }
        })
        .await
    }

    #[tokio::test]
    async fn a_deal_that_goes_on_moves_its_lead_and_others_are_told() {
        let objects: Arc<Mutex<BTreeMap<String, Value>>> = Arc::default();
        let put = |path: &str, body: Value| drop(objects.lock().expect("a portal").insert(format!("/crm/objects/2026-03/{path}"), body));
        let stand_in = portal(objects.clone()).await;
        let receiver = StandIn::start(|_, _| Says::text(200, "ok")).await;
        let house = house(&stand_in).await;
        let (site, connection) = connected(&house, &[("client_secret", SECRET), ("stage_won", "99120")]).await;
        house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
        for (id, email) in [("L-1", "bo@mail.example"), ("L-2", "cy@mail.example")] {
            house.lead(&site, json!({"lead_id": id, "email": email, "consent_given": true})).await.is(200);
            house.advance_s(5);
        }
        house.work().await;

        // One of ours, by its own key; it moves no other lead of anybody.
        let ours = |stage: &str| json!({"id": "900", "properties": {"dealstage": stage, "amount": "750.50", "deal_currency_code": "USD", "halotrack_id": "shop.example:lead_L-1"}});
        put("deals/900", ours("99120"));
        let events = json!([change(house.clock.now(), "deal", 900, "dealstage")]);
        call(&house, &connection, events.clone()).await.is(200);
        assert_eq!(stands(&house, &site, "L-1").await, "new null", "only ids have come so far");
        house.pull().await;
        assert_eq!((stands(&house, &site, "L-1").await.as_str(), stands(&house, &site, "L-2").await.as_str()), ("won 75050", "new null"));
        house.work().await;
        let told: Vec<String> = house.deliveries(&site).await.iter().filter(|d| d["event_id"] == "lead_L-1_won").map(words).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told.iter().any(|w| w == "lead.won delivered - 1") && told.iter().any(|w| w == "closedwon skipped own_report 0"),
            "{told:?}"
        );
        // The same again is the same; older news moves nothing back.
        assert_eq!(call(&house, &connection, events).await.is(200).json["status"], "duplicate");
        put("deals/900", ours("closedlost"));
        call(&house, &connection, json!([change(house.clock.now().plus_ms(-60_000), "deal", 900, "dealstage")])).await.is(200);
        house.pull().await;
        assert_eq!(stands(&house, &site, "L-1").await, "won 75050");

        // One of theirs, by the contact's address; a lifecycle only goes forward.
        house.advance_s(60);
        put(
            "deals/901",
            json!({"id": "901", "properties": {"dealstage": "contractsent"}, "associations": {"contacts": {"results": [{"id": "55"}]}}}),
        );
        put("contacts/55", json!({"id": "55", "properties": {"email": "cy@mail.example", "lifecyclestage": "opportunity"}}));
        call(&house, &connection, json!([change(house.clock.now(), "deal", 901, "dealstage")])).await.is(200);
        house.pull().await;
        assert_eq!(stands(&house, &site, "L-2").await, "qualified null");
        house.advance_s(60);
        put("contacts/55", json!({"id": "55", "properties": {"email": "cy@mail.example", "lifecyclestage": "customer"}}));
        call(&house, &connection, json!([change(house.clock.now(), "contact", 55, "lifecyclestage")])).await.is(200);
        house.pull().await;
        assert_eq!(stands(&house, &site, "L-2").await, "won null");
        house.advance_s(60);
        put("contacts/55", json!({"id": "55", "properties": {"email": "cy@mail.example", "lifecyclestage": "opportunity"}}));
        call(&house, &connection, json!([change(house.clock.now(), "contact", 55, "lifecyclestage")])).await.is(200);
        house.pull().await;
        assert_eq!(stands(&house, &site, "L-2").await, "won null");

        // What is of nobody, and what is not read, is kept as it came.
        let before = house.list(&site, "inbox").await.len();
        put("deals/902", json!({"id": "902", "properties": {"dealstage": "99120"}}));
        call(
            &house,
            &connection,
            json!([change(house.clock.now(), "deal", 902, "dealstage"), {"subscriptionType": "contact.creation", "objectId": 9}]),
        )
        .await
        .is(200);
        house.pull().await;
        assert!(house.list(&site, "inbox").await.len() > before);
        assert_eq!(house.list(&site, "leads").await.len(), 2);
    }

    #[tokio::test]
    async fn nobody_moves_a_lead_without_the_secret() {
        let stand_in = portal(Arc::default()).await;
        let house = house(&stand_in).await;
        let (_, connection) = connected(&house, &[]).await;
        let events = json!([change(house.clock.now(), "deal", 900, "dealstage")]);
        call(&house, &connection, events.clone()).await.is(401);
        house.post(&connection.hook).json(&events).send().await.is(401);
        assert_eq!(stand_in.seen().len(), 0);
    }
}
