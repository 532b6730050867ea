//! Notes on days, and what the overview says waits for the owner.

use halotrack::domain::rights::Right;
use halotrack::store::FILE;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::house::House;

#[tokio::test]
async fn a_note_is_written_seen_and_taken_away() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let owner = house.login("ann@shop.example", Right::Own, Some(shop.id)).await;
    let reader = house.login("ben@shop.example", Right::Read, Some(shop.id)).await;
    let path = format!("/api/sites/{}/notes", shop.slug);
    let note = house.post(&path).cookie(&owner).json(&json!({"day": "2026-06-12", "text": "  Spring\n ads on "})).send().await.is(201).json;
    assert_eq!((&note["day"], &note["text"]), (&json!("2026-06-12"), &json!("Spring ads on")));
    house.post(&path).cookie(&owner).json(&json!({"day": "2026-05-02", "text": "Closed"})).send().await.is(201);
    let list = house.get(&format!("{path}?from=2026-06-01")).cookie(&reader).send().await.is(200).json;
    assert_eq!(list["items"], json!([note]));
    // They come with the figures of their days.
    let figures = format!("/api/sites/{}/reports/overview?with=days,notes", shop.slug);
    assert_eq!(house.get(&figures).cookie(&reader).send().await.is(200).json["notes"], json!([note]));

    for (body, status, field) in [
        (json!({"day": "13 June", "text": "x"}), 422, "day"),
        (json!({"day": "2026-06-12"}), 422, "text"),
        (json!({"day": "2026-06-12", "text": "  "}), 422, "text"),
        (json!({"day": "2026-06-12", "text": "x".repeat(201)}), 422, "text"),
        (json!({"text": "x"}), 422, "day"),
    ] {
        let refused = house.post(&path).cookie(&owner).json(&body).send().await.is(status);
        assert_eq!(refused.json["error"]["field"], field, "{body}");
    }
    house.post(&path).cookie(&reader).json(&json!({"day": "2026-06-12", "text": "x"})).send().await.is(403);
    let id = note["id"].as_str().expect("an id");
    house.delete(&format!("{path}/{id}")).cookie(&reader).send().await.is(403);
    // The same number on another site is another note.
    house.delete(&format!("/api/sites/{}/notes/{id}", other.slug)).token(&other.token).send().await.is(404);
    house.delete(&format!("{path}/{id}")).cookie(&owner).send().await.is(204);
    house.delete(&format!("{path}/{id}")).cookie(&owner).send().await.is(404);
    house.delete(&format!("{path}/x")).cookie(&owner).send().await.is(404);
    let audit = house.get(&format!("/api/sites/{}/audit", shop.slug)).cookie(&owner).send().await.is(200).json;
    let done: Vec<&str> =
        audit["items"].as_array().expect("rows").iter().filter_map(|a| a["what"].as_str()).filter(|w| w.starts_with("note")).collect();
    assert_eq!(done, ["note_removed", "note_added", "note_added"]);
}

#[tokio::test]
async fn a_sender_that_has_gone_silent_is_named() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let now = house.clock.now().ms();
    let site = shop.id.number();
    let ask = async || -> Value {
        let path = format!("/api/sites/{}/reports/overview?with=needs,connections", shop.slug);
        house.get(&path).token(&shop.token).send().await.is(200).json
    };
    // Two a day for four weeks, the last one three days and a half ago; the other was heard of this morning.
    for (id, name, last) in [(1, "shop", now - 84 * 3_600_000), (2, "forms", now - 3_600_000)] {
        db.execute(
            "insert into connections (id, site_id, platform, name, mode, created_at, last_event_at) values (?1, ?2, 'forms', ?3, 'live', 0, ?4)",
            params![id, site, name, last],
        )
        .expect("a connection");
        for n in 0..56 {
            db.execute(
                "insert into inbox (site_id, id, connection_id, platform, path, received_at, state, digest) values (?1, ?2, ?3, 'forms', '/', ?4, 'accepted', x'00')",
                params![site, id * 100 + n, id, last - n * 12 * 3_600_000],
            )
            .expect("a body");
        }
    }
    house.app.refresh().await.expect("read");
    let answer = ask().await;
    assert_eq!(answer["needs"]["quarantined"], 0);
    let silent = answer["needs"]["silent"].as_array().expect("a list");
    assert_eq!(silent.len(), 1, "{silent:?}");
    assert_eq!((&silent[0]["connection"], &silent[0]["usual_gap_hours"]), (&json!("con_1"), &json!(12.0)));
    assert_eq!(answer["connections"].as_array().map(Vec::len), Some(2));
    db.execute("update inbox set state = 'quarantined' where site_id = ?1 and id = 101", [site]).expect("a change");
    db.execute("update connections set last_event_at = ?1 where id = 1", [now]).expect("a change");
    let answer = ask().await;
    assert_eq!((&answer["needs"]["quarantined"], &answer["needs"]["silent"]), (&json!(1), &json!([])));
}
