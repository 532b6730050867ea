//! Sources read because somebody asks: the older system answered that all went well and did nothing. Each of its constants
//! is a check here.

use halotrack::app::App;
use halotrack::domain::ids::ConnectionId;
use halotrack::domain::rights::Scope;
use halotrack::flows::syncs;
use halotrack::store::sync_runs::{self, SyncRun};
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::Answer;
use crate::woo_shop::WooShop;

const SOURCES: [&str; 7] = ["easyappointments", "zoom", "eventbrite", "poshvip", "manual", "referral", "direct_signup"];

impl House {
    async fn sync(&self, site: &SiteAt, path: &str, status: u16) -> Value {
        // A token may ask ten times a second; time stands still here.
        self.advance_s(4);
        let answer = self.post(path).token(&site.token).send().await.is(status).json;
        self.advance_s(-4);
        answer
    }

    async fn standing(&self, site: &SiteAt, source: &str, status: u16) -> Value {
        self.get(&format!("/sync/status/{source}")).token(&site.token).send().await.is(status).json
    }

    /// All connections of a platform, read as the route does it.
    async fn read_now(&self, site: &SiteAt, platform: &str, is_forced: bool) -> Vec<SyncRun> {
        let site = self.app.book().site(site.id).cloned().expect("the site");
        let connections = syncs::connections_of(&self.app, &site, platform);
        let synced = syncs::run(&self.app, &site, connections, is_forced).await.expect("nothing else reads them");
        synced.into_iter().filter_map(|s| s.run).collect()
    }
}

async fn last(app: &App, site: &SiteAt, id: ConnectionId) -> Option<SyncRun> {
    app.store.read(site.id, move |c| sync_runs::find_last(c, id)).await.expect("read")
}

#[tokio::test]
async fn nothing_that_was_not_done_is_called_a_success() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for source in &SOURCES[..4] {
        let detail = house.sync(&site, &format!("/sync/{source}"), 404).await["detail"].to_string();
        assert!(detail.contains(source) && detail.contains("connection"), "{detail}");
        let detail = house.standing(&site, source, 404).await["detail"].to_string();
        assert!(detail.contains("halotrack connection add --site shop"), "{detail}");
    }
    for source in &SOURCES[4..] {
        let detail = house.sync(&site, &format!("/sync/{source}"), 422).await["detail"].to_string();
        assert!(detail.contains("/funnel/event"), "{detail}");
    }
    for path in ["/sync/facebook", "/sync/all?sources=zoom&sources=facebook", "/sync/all?sources=manual", "/sync/zoom?force_sync=perhaps"] {
        let answer = house.sync(&site, path, 422).await;
        assert!(answer["detail"].is_string(), "{path}: {answer}");
    }
    let detail = house.sync(&site, "/sync/facebook", 422).await["detail"].to_string();
    assert!(SOURCES.iter().all(|s| detail.contains(s)), "{detail}");
    assert!(house.standing(&site, "facebook", 422).await["detail"].is_string());
    // Nothing connected is nothing read; what is named and is not there says so.
    assert_eq!(house.sync(&site, "/sync/all", 200).await, json!({"status": "completed", "sources_synced": 0, "results": []}));
    let named = house.sync(&site, "/sync/all?sources=zoom,eventbrite", 200).await;
    assert_eq!(named["sources_synced"], json!(0));
    let results = named["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(|r| r["status"] == "failed" && r["error"].is_string()), "{named}");
}

#[tokio::test]
async fn who_may_ask_for_a_run() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let weak = house.token(site.id, &[Scope::Read, Scope::Write]).await;
    for path in ["/sync/zoom", "/sync/manual", "/sync/all"] {
        assert!(house.post(path).send().await.is(401).json["detail"].is_string());
        assert!(house.post(path).token("ht_nonsense").send().await.is(401).json["detail"].is_string());
        assert!(house.post(path).token(&weak).send().await.is(403).json["detail"].as_str().is_some_and(|d| d.contains("sync")));
    }
    house.get("/sync/status/zoom").send().await.is(401);
}

#[tokio::test]
async fn a_source_that_is_told_by_hand_has_a_status_of_its_own() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let step = |n: i64| json!({"source_type": "manual", "event_type": "activation", "email": format!("p{n}@mail.example")});
    for n in [1, 2, 2] {
        house.post("/funnel/event").token(&site.token).json(&step(n)).send().await.is(200);
    }
    let user = json!({"email": "p1@mail.example", "user_id": "1"});
    house.post("/funnel/conversion").token(&site.token).json(&user).send().await.is(200);
    let shown = house.standing(&site, "manual", 200).await;
    let want = json!({
        "source_id": null, "source_type": "manual", "source_name": "manual", "is_active": true, "auto_sync_enabled": false,
        "last_sync_at": null, "last_sync_status": null, "last_sync_message": null, "next_sync_at": null, "sync_frequency_hours": null,
        "total_leads_captured": 2, "total_conversions": 1, "health_status": "healthy",
    });
    assert_eq!(shown, want);
}

#[tokio::test]
async fn every_run_tells_what_it_brought() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let now = house.clock.now();
    for n in 0..30 {
        shop.books().place(now.plus_ms(-n * 3_600_000), "10.00", json!({}));
    }
    let id: ConnectionId = house.woo(&site, &shop).await.id.parse().expect("an id");
    house.pull().await;
    let first = last(&house.app, &site, id).await.expect("a run");
    assert_eq!((first.status.as_str(), first.tally.processed, first.tally.created, first.errors), ("success", 30, 30, 0), "{first:?}");
    // By hand before its time: what is there already is passed over.
    let again = house.read_now(&site, "woocommerce", false).await;
    assert_eq!((again.len(), again[0].status.as_str(), again[0].tally.created), (1, "success", 0), "{again:?}");
    assert_ne!(again[0].id, first.id);
    assert!(again[0].ended_at.is_some());
    // Forced, the last week is read once more, and still nothing is new.
    shop.books().place(now.plus_ms(-2 * 3_600_000), "10.00", json!({}));
    let forced = house.read_now(&site, "woocommerce", true).await;
    assert_eq!((forced[0].tally.created, forced[0].tally.processed), (1, 31), "{forced:?}");
    assert_eq!(forced[0].tally.skipped + forced[0].tally.updated, 30, "{forced:?}");
}

#[tokio::test]
async fn a_run_that_fails_says_why_and_one_under_way_is_not_doubled() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let id: ConnectionId = house.woo(&site, &shop).await.id.parse().expect("an id");
    house.pull().await;
    // Somebody else talks to the platform, in a run that has not ended.
    let turn = house.app.talks.take(id).await;
    let now = house.clock.now();
    let opening = sync_runs::Opening {
        connection: id,
        platform: "woocommerce".into(),
        asked: sync_runs::Asked::Automatic,
        is_new: true,
        boot: house.app.boot.clone(),
    };
    let open = house.app.store.write(site.id, move |c| sync_runs::open(c, &opening, now)).await.expect("a run");
    let own = house.app.book().site(site.id).cloned().expect("the site");
    let refused = syncs::run(&house.app, &own, syncs::connections_of(&house.app, &own, "woocommerce"), false).await;
    let e = refused.err().expect("refused");
    assert!(e.code == "run_in_progress" && e.message.contains(&open.to_string()), "{e}");
    drop(turn);
    // Nobody goes on with that one; the next walk says so of it and begins anew.
    let next = house.read_now(&site, "woocommerce", false).await;
    assert!(next[0].id != open && next[0].status == "success", "{next:?}");
    let broken = house.app.store.read(site.id, move |c| sync_runs::find(c, open)).await.expect("read").expect("it is there");
    assert_eq!((broken.status.as_str(), broken.sentences.len()), ("cancelled", 1), "{broken:?}");
    for _ in 0..20 {
        shop.books().instead.push_back(Answer::text(401, "no"));
    }
    let failed = house.read_now(&site, "woocommerce", false).await;
    assert!(failed[0].status == "failed" && failed[0].errors == 1 && failed[0].sentences.len() == 1, "{failed:?}");
    // Stopped by that, it is not read, and says why.
    let stopped = house.read_now(&site, "woocommerce", false).await;
    assert!(stopped[0].id != failed[0].id && stopped[0].status == "failed" && stopped[0].tally.processed == 0, "{stopped:?}");
}
