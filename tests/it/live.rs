//! The event stream of an open dashboard.

use std::time::Duration;

use halotrack::app::News;
use halotrack::control::command::{Chosen, Command, execute};
use halotrack::domain::ids::{ConnectionId, ConversionId, DeliveryId};
use halotrack::flows::connections::NewConnectionForm;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::house::{House, Stream};
use crate::running::signed;

#[tokio::test]
async fn a_dashboard_hears_of_its_own_site_until_the_server_stops() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let response = house.get(&format!("/api/sites/{}/live", shop.slug)).token(&shop.token).open().await;
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers().get("content-type").and_then(|v| v.to_str().ok()), Some("text/event-stream"));
    let mut body = response.into_body();
    let mut text = String::new();
    // Subscribed from here on: the first piece was made after the stream began to listen.
    text.push_str(&String::from_utf8_lossy(&body.frame().await.expect("a frame").expect("good").into_data().expect("data")));
    house.app.presence.saw(shop.id, 1, house.clock.now());
    house.app.tell(News::Conversion { site: other.id, id: ConversionId::new(99), kind: "sale" });
    house.app.tell(News::Conversion { site: shop.id, id: ConversionId::new(12), kind: "lead" });
    house.app.tell(News::Delivery { site: shop.id, id: DeliveryId::new(9), conversion: ConversionId::new(12), state: "delivered".into() });
    house.app.tell(News::Connection { site: shop.id, id: ConnectionId::new(7), status: "paused" });
    let mut seen = 0;
    while seen < 4 {
        let frame = body.frame().await.expect("a frame").expect("good").into_data().expect("data");
        seen += frame.windows(7).filter(|w| w == b"event: ").count();
        text.push_str(&String::from_utf8_lossy(&frame));
    }
    house.app.begin_stopping();
    assert!(body.frame().await.is_none(), "the stream ends with the server");
    for want in [
        "event: visitors\ndata: {\"now\":1}\n\n",
        "event: conversion\ndata: {\"id\":\"conversion_12\",\"kind\":\"lead\"}\n\n",
        "event: delivery\ndata: {\"id\":\"delivery_9\",\"state\":\"delivered\",\"conversion\":\"conversion_12\"}\n\n",
        "event: connection\ndata: {\"connection\":\"con_7\",\"status\":\"paused\"}\n\n",
    ] {
        assert!(text.contains(want), "{want} in {text}");
    }
    assert!(!text.contains("conversion_99"));
}

/// The next event of this name, as JSON.
async fn next(stream: &mut Stream, name: &str) -> Value {
    let word = format!("event: {name}\n");
    // Silence would last until the stream ends by itself.
    let text = tokio::time::timeout(Duration::from_secs(10), stream.until(&word)).await.expect("it is told");
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
    serde_json::from_str(data).expect("JSON")
}

#[tokio::test]
async fn what_is_planned_is_told_when_it_is_planned() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let hook = house.connect(&shop, "webhook", "live", &[("url", "http://127.0.0.1:9/")]).await;
    let mut stream = house.get("/api/sites/shop/live").token(&shop.token).listen().await;
    stream.next().await;
    house.lead(&shop, json!({"lead_id": "L-1", "email": "ann@mail.example", "consent_given": true})).await.is(200);
    let told = next(&mut stream, "delivery").await;
    assert_eq!(told, json!({"id": "delivery_1", "state": "pending", "conversion": "conversion_1"}));
    // Told again, it makes no delivery and no news; one without consent is told as what it is.
    house.lead(&shop, json!({"lead_id": "L-1", "email": "ann@mail.example", "consent_given": true})).await.is(200);
    house.lead(&shop, json!({"lead_id": "L-2", "email": "bob@mail.example", "consent_given": false})).await.is(200);
    let told = next(&mut stream, "delivery").await;
    assert_eq!(told, json!({"id": "delivery_2", "state": "skipped", "conversion": "conversion_2"}));
    assert!(!hook.id.is_empty());
}

#[tokio::test]
async fn a_body_that_could_not_be_read_is_told_and_so_is_its_end() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let forms = house.connect(&shop, "forms", "", &[]).await;
    let mut stream = house.get("/api/sites/shop/live").token(&shop.token).listen().await;
    stream.next().await;
    for n in 0..2 {
        let headers = signed(&forms.secret, house.clock.now().s() - n, b"{\"robot\":1}");
        let call = headers.iter().fold(house.post(&forms.hook), |call, (name, value)| call.header(name, value));
        call.body("{\"robot\":1}").send().await.is(200);
    }
    assert_eq!(next(&mut stream, "inbox").await, json!({"id": "in_1", "state": "quarantined"}));
    house.post("/api/sites/shop/inbox/in_1/dismiss").token(&shop.token).json(&json!({})).send().await.is(200);
    assert_eq!(next(&mut stream, "inbox").await, json!({"id": "in_1", "state": "dismissed"}), "the repeat is no news");
}

#[tokio::test]
async fn what_the_command_line_does_to_connections_is_told() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let mut stream = house.get("/api/sites/shop/live").token(&shop.token).listen().await;
    stream.next().await;
    let add = NewConnectionForm {
        platform: "webhook".into(),
        mode: Some("live".into()),
        settings: [("url".to_owned(), "http://127.0.0.1:9/".to_owned())].into(),
        ..NewConnectionForm::default()
    };
    let chosen = Chosen { connection: Some("con_1".into()), site: None };
    for (command, status) in [
        (Command::ConnectionAdd { site: "shop".into(), form: add }, "ok"),
        (Command::ConnectionPause(chosen.clone()), "paused"),
        (Command::ConnectionResume(chosen.clone()), "ok"),
        (Command::ConnectionSet { chosen: chosen.clone(), mode: Some("shadow".into()), given: [].into() }, "ok"),
        (Command::ConnectionRemove(chosen), "removed"),
    ] {
        execute(&house.app, command).await.expect("done");
        assert_eq!(next(&mut stream, "connection").await, json!({"connection": "con_1", "status": status}));
    }
}
