//! The event stream of an open dashboard.

use halotrack::app::News;
use halotrack::domain::ids::{ConnectionId, ConversionId, DeliveryId};
use http_body_util::BodyExt;

use crate::house::House;

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
