//! What somebody gets who asks for what is kept of them: all of theirs, and nothing of others who stand in the same body, have
//! written of them, or have used their address.

use halotrack::flows::sites;
use serde_json::{Value, json};

use super::{ANN, BO, PHONE};
use crate::house::{House, SiteAt};

const OTHER: &str = "+971507654321";

impl House {
    async fn on_page(&self, site: &SiteAt, id: &str, path: &str, fields: Value) {
        let mut body = json!({"site": site.key});
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
        let call = self.post(path).browser(site).header("cookie", &format!("_halo={id}")).header("origin", "https://shop.example");
        let answer = call.body(body.to_string()).send().await;
        assert!(answer.status < 300, "{}", answer.text);
    }
}

fn rows<'a>(export: &'a Value, table: &str) -> &'a [Value] {
    export[table].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A tracker sends many people at once; a form tells of somebody else.
#[tokio::test]
async fn a_body_of_several_people_gives_each_their_own() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let tracker = house.connect(&site, "anytrack", "shadow", &[]).await;
    let events = json!([
        {"eventName": "Lead", "transactionId": "T-1", "email": ANN, "firstName": "Annabel"},
        {"eventName": "Lead", "transactionId": "T-2", "email": BO, "phone": OTHER, "firstName": "Bobsecret"},
        {"eventName": "PageView", "clientId": "whoever"},
    ]);
    house.post(&tracker.hook).json(&events).send().await.is(200);
    let otto = json!({"lead_id": "L-9", "email": "otto@mail.example", "phone": "+971509999999", "name": "Otto Quiet",
        "message": format!("my friend {ANN} told me. I have diabetes.")});
    house.lead(&site, otto.clone()).await.is(200);
    let friendly = json!({"lead_id": "L-10", "email": ANN, "phone": PHONE, "message": format!("please write to {BO} too")});
    house.lead(&site, friendly.clone()).await.is(200);
    let plain = json!({"lead_id": "L-11", "email": ANN, "message": "only me"});
    house.lead(&site, plain.clone()).await.is(200);

    let all = house.export_of(&site, ANN).await;
    let bodies = rows(&all, "inbox");
    assert_eq!(bodies.len(), 4, "each body that names her is told of: {all:#}");
    assert_eq!(bodies[0]["body"], json!([events[0]]));
    assert!(bodies[0]["withheld"].as_str().is_some_and(|s| s.contains("several people")), "{}", bodies[0]);
    assert_eq!(bodies[1]["body"], Value::Null);
    assert!(
        bodies[1]["withheld"].is_string() && bodies[1]["received_at"].is_string() && bodies[1]["platform"].is_string(),
        "{}",
        bodies[1]
    );
    assert_eq!(bodies[2]["body"]["message"], json!("please write to … too"));
    assert_eq!((&bodies[3]["body"], bodies[3].get("withheld")), (&plain, None), "what is hers alone is as it came");
    let bodies = Value::from(bodies.to_vec()).to_string();
    for word in [BO, OTHER, "Bobsecret", "otto@", "999999", "Otto", "diabetes", "whoever"] {
        assert!(!bodies.contains(word), "{word}: {bodies}");
    }
    let otto_s = house.export_of(&site, "otto@mail.example").await;
    assert_eq!(rows(&otto_s, "inbox")[0]["body"]["message"], json!("my friend … told me. I have diabetes."));
    let bo_s = house.export_of(&site, BO).await;
    assert_eq!(rows(&bo_s, "inbox").iter().map(|r| r["body"].clone()).collect::<Vec<_>>(), [json!([events[1]]), Value::Null]);
}

/// Somebody types another's number into a form, and another's address into a page.
#[tokio::test]
async fn who_has_used_another_s_address_is_not_given_away() {
    let house = House::new();
    let site = house.site("shop.example").await;
    sites::set(&house.app, site.id, "public_leads", "true", "test").await.expect("set");
    let bought =
        json!({"order_id": "1", "total": "9.00", "currency": "USD", "email": ANN, "phone": PHONE, "name": "Ann Lee", "status": "paid"});
    house.order(&site, bought).await.is(200);
    let id = house.visit(&site, None, json!({"utm_source": "mallorys", "utm_medium": "email", "consent": "granted"})).await;
    house.on_page(&site, &id, "/api/lead", json!({"email": "mallory@mail.example", "phone": PHONE, "message": "quiet words"})).await;
    house.on_page(&site, &id, "/api/identify", json!({"email": ANN, "phone": PHONE})).await;

    let all = house.export_of(&site, ANN).await;
    let text = all.to_string();
    for word in ["mallory", "quiet words"] {
        assert!(!text.contains(word), "{word}: {all:#}");
    }
    assert_eq!(rows(&all, "orders").len(), 1);
    for table in ["leads", "sessions", "inbox"] {
        let noted = rows(&all, table).iter().filter(|r| r["withheld"].is_string()).count();
        assert_eq!(noted, 1, "{table}: that there is something is told: {all:#}");
    }
    // Mallory has no more of her.
    let other = house.export_of(&site, "mallory@mail.example").await;
    assert!(!other.to_string().contains("Ann Lee") && !other.to_string().contains(ANN), "{other:#}");
    // An erasure takes it all, as before.
    house.erase(&site, json!({"email": ANN})).await.is(201);
    assert_eq!(house.emails(&site), Vec::<String>::new());
}

/// An address that a page has told alone is hers, as long as nobody else is at that browser.
#[tokio::test]
async fn a_browser_that_only_says_to_be_hers_is_hers() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"utm_source": "news", "utm_medium": "email", "consent": "granted"})).await;
    house.on_page(&site, &id, "/api/identify", json!({"email": ANN, "phone": PHONE})).await;
    let all = house.export_of(&site, ANN).await;
    assert_eq!((rows(&all, "sessions").len(), rows(&all, "touches").len()), (1, 1), "{all:#}");
    assert!(!all.to_string().contains("withheld"), "{all:#}");
}
