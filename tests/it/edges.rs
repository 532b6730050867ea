//! What stands in front of every handler.

use crate::house::House;

#[tokio::test]
async fn alive_ready_well() {
    let house = House::new();
    assert_eq!(house.get("/healthz").send().await.is(200).text, "ok");
    assert_eq!(house.get("/readyz").send().await.is(200).text, "ok");
    let well = house.get("/health").send().await.is(200);
    assert_eq!((&well.json["service"], &well.json["status"]), (&"halotrack".into(), &"healthy".into()));
}
