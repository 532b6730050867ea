//! Bodies that could not be read: one that needs nobody is dismissed, stays in the list and asks no more.

use halotrack::domain::rights::Right;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::running::signed;
use crate::story::Connected;

const STRAY: &str = r#"{"robot":"hello"}"#;

async fn post(house: &House, forms: &Connected, body: &str) -> Value {
    let headers = signed(&forms.secret, house.clock.now().s(), body.as_bytes());
    let call = headers.iter().fold(house.post(&forms.hook), |call, (name, value)| call.header(name, value));
    call.body(body.to_owned()).send().await.is(200).json
}

async fn say(house: &House, site: &SiteAt, id: &str, word: &str) -> Answer {
    house.advance_s(1);
    house.post(&format!("/api/sites/{}/inbox/{id}/{word}", site.slug)).token(&site.token).json(&json!({})).send().await
}

async fn states(house: &House, site: &SiteAt, state: &str) -> Vec<String> {
    let rows = house.list(site, &format!("inbox?state={state}")).await;
    rows.iter().map(|row| row["id"].as_str().unwrap_or("-").to_owned()).collect()
}

#[tokio::test]
async fn a_stray_body_is_dismissed_and_stays_in_the_list() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let stray = post(&house, &forms, STRAY).await;
    assert_eq!(stray["status"], json!("quarantined"));
    let id = stray["id"].as_str().expect("an id").to_owned();

    let done = say(&house, &site, &id, "dismiss").await.is(200).json;
    assert_eq!(done, json!({"status": "dismissed", "id": id}));
    assert!(states(&house, &site, "quarantined").await.is_empty());
    let kept = house.list(&site, "inbox?state=dismissed").await;
    assert_eq!((kept.len(), &kept[0]["id"], &kept[0]["is_kept"]), (1, &json!(id), &json!(true)), "with its body");
    assert!(kept[0]["reason"].is_string(), "and why it could not be read");
    let again = post(&house, &forms, STRAY).await;
    assert_eq!(again["id"], json!(id));
    assert!(states(&house, &site, "quarantined").await.is_empty(), "the same robot asks no more");

    // Once more is no error, and is written down once.
    say(&house, &site, &id, "dismiss").await.is(200);
    let audit = house.list(&site, "audit").await;
    let told: Vec<&Value> = audit.iter().filter(|row| row["what"] == json!("inbox_dismissed")).collect();
    assert_eq!(told.len(), 1, "{audit:?}");
    assert!(told[0].to_string().contains(&id) && told[0]["who"].as_str().is_some_and(|w| w.starts_with("token_")), "{told:?}");

    // The owner may look at it again after all.
    assert_eq!(say(&house, &site, &id, "replay").await.is(200).json["status"], json!("quarantined"));
    assert_eq!(states(&house, &site, "quarantined").await, [id]);
}

#[tokio::test]
async fn what_was_read_or_is_unknown_cannot_be_dismissed() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let read = post(&house, &forms, r#"{"lead_id":"L-1","email":"ann@mail.example"}"#).await;
    let read = read["id"].as_str().expect("an id").to_owned();
    let refused = say(&house, &site, &read, "dismiss").await.is(409);
    assert_eq!(refused.code(), "not_quarantined");
    assert_eq!(states(&house, &site, "accepted").await, [read.clone()]);
    say(&house, &site, "in_99", "dismiss").await.is(404);
    say(&house, &site, "99", "dismiss").await;
    let stray = post(&house, &forms, STRAY).await["id"].as_str().expect("an id").to_owned();
    say(&house, &other, &stray, "dismiss").await.is(404);
    let viewer = house.login("viewer@shop.example", Right::Read, Some(site.id)).await;
    let path = format!("/api/sites/shop/inbox/{stray}/dismiss");
    house.post(&path).cookie(&viewer).json(&json!({})).send().await.is(403);
    assert_eq!(states(&house, &site, "quarantined").await, [stray]);
}

#[tokio::test]
async fn pages_miss_nothing_also_among_what_came_in_one_moment() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    for n in 0..7 {
        // Three of one moment, then the next.
        house.advance_s(i64::from(n % 3 == 0));
        let body = if n % 2 == 0 { format!(r#"{{"lead_id":"L-{n}","email":"p{n}@mail.example"}}"#) } else { format!(r#"{{"robot":{n}}}"#) };
        post(&house, &forms, &body).await;
    }
    for (asked, all) in [("inbox?limit=2", 7), ("inbox?state=accepted&limit=1", 4), ("inbox?state=quarantined&limit=2", 3)] {
        let (mut seen, mut next): (Vec<i64>, Option<String>) = (Vec::new(), None);
        loop {
            let cursor = next.map(|c| format!("&cursor={c}")).unwrap_or_default();
            let page = house.get(&format!("/api/sites/{}/{asked}{cursor}", site.slug)).token(&site.token).send().await.is(200).json;
            let ids = page["items"]
                .as_array()
                .expect("rows")
                .iter()
                .map(|row| row["id"].as_str().expect("an id")[3..].parse::<i64>().expect("in_N"));
            seen.extend(ids);
            next = page["next"].as_str().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        assert!(seen.len() == all && seen.windows(2).all(|two| two[0] > two[1]), "{asked}: {seen:?}");
    }
}
