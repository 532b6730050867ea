//! What is told once more after an erasure, as if it had happened now: it is known, and nothing of it is kept.

use serde_json::{Value, json};

use super::{ANN, PHONE, found_in};
use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_and_a_sign_up_leave_no_body() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let step = json!({"source_type": "zoom", "event_type": "event_attended", "external_id": "Z-1", "email": ANN, "phone": PHONE,
        "first_name": "Annabel", "last_name": "Leenow"});
    let sign_up = json!({"email": ANN, "user_id": "Uid-Kanarie-7"});
    let tell = async |path: &str, body: &Value| house.post(path).token(&site.token).json(body).send().await.is(200).json;
    let first = tell("/funnel/event", &step).await["event_id"].clone();
    let enrolled = tell("/funnel/conversion", &sign_up).await["conversion_id"].clone();
    assert!(first.is_string() && enrolled.is_string());
    let traces: Vec<String> = [ANN, "971501234567", "annabel", "leenow", "uid-kanarie-7"].map(str::to_owned).into();
    assert!(!found_in(house.data(), &traces).is_empty(), "the search can see");
    let certificate = house.erase(&site, json!({"email": ANN})).await.is(201).json;
    assert_eq!(certificate["file"]["state"], json!("clean"), "{certificate:#}");
    assert_eq!(found_in(house.data(), &traces), Vec::<String>::new(), "nor their user's id, in no name");

    for _ in 0..2 {
        house.advance_s(3_600);
        let again = tell("/funnel/event", &step).await;
        assert_eq!((&again["event_id"], &again["email"]), (&first, &Value::Null));
        assert_eq!(tell("/funnel/conversion", &sign_up).await["conversion_id"], enrolled);
    }
    let all = house.export_of(&site, ANN).await;
    assert!(all.as_object().expect("fields").values().all(|v| v.as_array().is_none_or(Vec::is_empty)), "{all:#}");
    house.app.store.checkpoint().await.expect("written back");
    assert_eq!(found_in(house.data(), &traces), Vec::<String>::new());
    let shown = house.list(&site, "conversions").await;
    assert_eq!(shown.len(), 1, "counted once, of nobody: {shown:#?}");
    // What they do next week is somebody new, and kept.
    house.advance_s(7 * 86_400);
    let next = json!({"source_type": "zoom", "event_type": "event_registered", "external_id": "Z-2", "email": ANN});
    assert_ne!(tell("/funnel/event", &next).await["event_id"], first);
    let all = house.export_of(&site, ANN).await;
    assert_eq!(all["inbox"][0]["body"], next);
}
