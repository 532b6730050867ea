//! The outgoing client: which addresses it calls, what it puts in and leaves out, and how it fails.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use halotrack::crypto::{self, Secret};
use halotrack::domain::platform::Secrets;
use halotrack::domain::steps::Verdict;
use halotrack::outbound::{Answer as Found, Failure, Outbound, Resolver};
use halotrack::wire::{Body, Part, Request, Sign};
use serde_json::json;

use crate::stand_in::{Answer, Gate, StandIn};

/// Answers each name with the next of its lists, and counts.
#[derive(Default)]
struct Names {
    known: BTreeMap<&'static str, Vec<Vec<&'static str>>>,
    asked: Mutex<BTreeMap<String, usize>>,
}

impl Names {
    fn of(rows: &[(&'static str, &[&[&'static str]])]) -> Arc<Self> {
        let known = rows.iter().map(|(name, lists)| (*name, lists.iter().map(|l| l.to_vec()).collect())).collect();
        Arc::new(Self { known, ..Self::default() })
    }

    fn asked(&self, name: &str) -> usize {
        self.asked.lock().expect("a list of counts").get(name).copied().unwrap_or(0)
    }
}

impl Resolver for Names {
    fn resolve(&self, name: &str) -> Found {
        let mut asked = self.asked.lock().expect("a list of counts");
        let count = asked.entry(name.to_owned()).or_default();
        let lists = self.known.get(name);
        let found = lists.and_then(|l| l.get(*count).or(l.last())).cloned();
        *count += 1;
        Box::pin(async move {
            let list = found.ok_or_else(|| std::io::Error::other("no such name"))?;
            Ok(list.iter().map(|a| a.parse::<IpAddr>().expect("an address")).collect())
        })
    }
}

fn client(allow: &[String], names: Arc<Names>) -> Outbound {
    Outbound::with_resolver(allow, &BTreeMap::new(), names).expect("a client")
}

fn secrets(rows: &[(&str, &str)]) -> Secrets {
    let mut secrets = Secrets::default();
    for (key, value) in rows {
        secrets.set(key, Secret::new(*value));
    }
    secrets
}

#[tokio::test]
async fn inner_addresses_are_refused_in_the_same_words() {
    let names = Names::of(&[
        ("inner.example", &[&["10.0.0.5"]]),
        ("mixed.example", &[&["93.184.216.34", "127.0.0.1"]]),
        ("six.example", &[&["::ffff:127.0.0.1"]]),
        ("nat64.example", &[&["64:ff9b::a00:5"]]),
        ("ula.example", &[&["fd00::1"]]),
        ("good.example", &[&["93.184.216.34"]]),
    ]);
    let outbound = client(&[], names);
    for url in [
        "http://169.254.169.254/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.0.0.5/hook",
        "http://127.0.0.1:9/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost./",
        "https://inner.example/",
        "http://inner.example/",
        "https://inner.example:8443/",
        "https://mixed.example/",
        "https://six.example/",
        "https://nat64.example/",
        "https://ula.example/",
    ] {
        let error = outbound.check_address(url).await.expect_err(url);
        assert_eq!((error.code, error.message.as_str()), ("address_not_allowed", "This address is not on the public internet."), "{url}");
    }
    outbound.check_address("https://good.example/hook?x=1").await.expect("a public address");
    for (url, code) in [
        ("http://good.example/", "address_not_allowed"),
        ("https://good.example:8443/", "address_not_allowed"),
        ("https://me:pw@good.example/", "address_not_allowed"),
        ("nonsense", "address_not_allowed"),
        ("https://missing.example/", "address_not_found"),
    ] {
        let error = outbound.check_address(url).await.expect_err(url);
        assert_eq!(error.code, code, "{url}");
        assert!(!error.message.contains("public internet"), "{url}: {}", error.message);
    }
}

#[tokio::test]
async fn nothing_reaches_a_loopback_listener() {
    let stand_in = StandIn::start(|_, _| Answer::text(200, "inside")).await;
    let names = Names::of(&[
        ("rebind.example", &[&["93.184.216.34"], &["127.0.0.1"]]),
        ("mixed.example", &[&["93.184.216.34", "127.0.0.1"]]),
        ("inner.example", &[&["127.0.0.1"]]),
    ]);
    let outbound = client(&[], names.clone());
    outbound.check_address("https://rebind.example/").await.expect("public at first");
    let port = stand_in.port;
    for origin in [
        "https://rebind.example".to_owned(),
        "https://mixed.example".into(),
        "https://inner.example".into(),
        format!("http://127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("http://[::ffff:127.0.0.1]:{port}"),
        format!("http://localhost:{port}"),
        format!("http://inner.example:{port}"),
        format!("http://0x7f000001:{port}"),
    ] {
        let request = Request::new("POST", origin.clone(), "/").json(json!({}));
        let error = outbound.send(&request, &Secrets::default()).await.expect_err(&origin);
        assert_eq!(error.failure, Failure::Address, "{origin}: {}", error.sentence);
        assert!(matches!(error.verdict(), Verdict::Pause(_)), "{origin}");
    }
    assert_eq!(stand_in.seen().len(), 0);
    // One look-up a connection: what was checked is what would have been called.
    assert_eq!(names.asked("mixed.example"), 1);
}

#[tokio::test]
async fn the_operator_may_lift_the_rule_for_a_port_or_a_range() {
    let stand_in = StandIn::start(|_, _| Answer::text(200, "till")).await;
    let names = || Names::of(&[("till.lan", &[&["127.0.0.1"]])]);
    let request = Request::new("GET", format!("http://till.lan:{}", stand_in.port), "/");
    for allow in ["127.0.0.0/8".to_owned(), format!("till.lan:{}", stand_in.port)] {
        let outbound = client(std::slice::from_ref(&allow), names());
        let response = outbound.send(&request, &Secrets::default()).await.expect(&allow);
        assert_eq!(response.body, b"till", "{allow}");
        outbound.check_address(&format!("http://till.lan:{}/x", stand_in.port)).await.expect("an allowed address");
    }
    let other = client(&["10.0.0.0/8".into(), "till.lan:1".into()], names());
    assert!(other.send(&request, &Secrets::default()).await.is_err());
    assert_eq!(stand_in.seen().len(), 2);
}

#[tokio::test]
async fn a_stand_in_takes_the_vendors_place_and_keeps_its_paths() {
    let stand_in = StandIn::start(|_, _| Answer::json(200, json!({ "ok": true }))).await;
    let bases = BTreeMap::from([("meta".to_owned(), format!("{}/ignored", stand_in.url()))]);
    let outbound = Outbound::new(&[], &bases).expect("a client");
    let mut request = Request::new("POST", "https://graph.facebook.com", "/v25.0/1/events")
        .host("meta")
        .query("access_token", Part::secret("access_token"))
        .header("X-Key", Part::secret("access_token"));
    request.body = Body::Form(vec![("a b".into(), Part::plain("ü&")), ("t".into(), Part::secret("access_token"))]);
    let token = "EAA+/= token";
    let response = outbound.send(&request, &secrets(&[("access_token", token)])).await.expect("an answer");
    assert_eq!(response.status, 200);
    let seen = &stand_in.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/v25.0/1/events?access_token=EAA%2B%2F%3D+token"));
    assert_eq!(seen.header("x-key"), token);
    assert_eq!(seen.text(), "a+b=%C3%BC%26&t=EAA%2B%2F%3D+token");
    assert!(seen.header("user-agent").starts_with("HaloTrack/"));
    assert!(outbound.exceptions()[0].contains("meta"));
}

#[tokio::test]
async fn redirects_are_answers_and_are_not_followed() {
    let away = StandIn::start(|_, _| Answer::text(200, "away")).await;
    let target = away.url();
    let here = StandIn::start(move |_, _| Answer::text(302, "").with("location", &target)).await;
    let outbound = client(&["127.0.0.0/8".into()], Names::of(&[]));
    let response = outbound.send(&Request::new("POST", here.url(), "/"), &Secrets::default()).await.expect("an answer");
    assert_eq!(response.status, 302);
    assert_eq!(away.seen().len(), 0);
}

#[tokio::test]
async fn a_body_is_read_up_to_its_cap_and_without_our_secrets() {
    let stand_in = StandIn::start(|seen, _| match seen.target.as_str() {
        "/endless" => Answer::Endless,
        _ => Answer::text(400, "Malformed access token EAAverysecret99 given"),
    })
    .await;
    let outbound = client(&["127.0.0.0/8".into()], Names::of(&[]));
    let known = secrets(&[("access_token", "EAAverysecret99")]);
    let endless = outbound.send(&Request::new("GET", stand_in.url(), "/endless"), &known).await.expect("an answer");
    assert_eq!(endless.body.len(), 64 * 1024);
    let echo = outbound.send(&Request::new("GET", stand_in.url(), "/echo"), &known).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&echo.body), "Malformed access token •••• given");
}

#[tokio::test]
async fn failures_say_whether_it_may_have_arrived_and_never_show_a_secret() {
    let stand_in = StandIn::start(|_, _| Answer::Drop).await;
    let outbound = client(&["127.0.0.0/8".into()], Names::of(&[("gone.example", &[])]));
    let known = secrets(&[("api_secret", "S3cretS3cretS3cret")]);
    // A port that was just given back: nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let rows = [
        (stand_in.url(), "api_secret", Failure::Unknown),
        (format!("http://127.0.0.1:{closed}"), "api_secret", Failure::NotSent),
        ("https://missing.example".into(), "api_secret", Failure::NotSent),
        (stand_in.url(), "other", Failure::Setup),
    ];
    for (origin, secret, want) in rows {
        let request = Request::new("POST", origin.clone(), "/mp").query("api_secret", Part::secret(secret)).json(json!({}));
        let error = outbound.send(&request, &known).await.expect_err(&origin);
        assert_eq!(error.failure, want, "{}", error.sentence);
        assert_eq!(error.may_have_arrived(), want == Failure::Unknown);
        let told = format!("{error:?}");
        assert!(!told.contains("S3cret") && !told.contains("/mp"), "{told}");
    }
    let mut astray = Request::new("GET", stand_in.url(), "");
    astray.path = vec![Part::plain("@evil.example/")];
    let sent = outbound.send(&astray, &known).await;
    assert!(matches!(sent, Err(e) if e.failure == Failure::Unknown), "the path stays a path on the same host");
    assert_eq!(stand_in.seen().last().map(|s| s.target.clone()).as_deref(), Some("/@evil.example/"));
}

#[tokio::test]
async fn at_most_four_requests_run_at_one_host() {
    let gate = Gate::closed();
    let held = gate.clone();
    let stand_in = StandIn::start(move |_, _| Answer::Held(held.clone())).await;
    let outbound = client(&["127.0.0.0/8".into()], Names::of(&[]));
    let (request, none) = (Request::new("GET", stand_in.url(), "/"), Secrets::default());
    let sending = futures_util::future::join_all((0..20).map(|_| outbound.send(&request, &none)));
    let opening = async {
        for _ in 0..20 {
            // Each answer is let go only when as many wait as may, or as are left.
            let left = 20 - (stand_in.seen().len() - gate.waiting.load(Ordering::SeqCst));
            while gate.waiting.load(Ordering::SeqCst) < left.min(4) {
                tokio::task::yield_now().await;
            }
            gate.turns.add_permits(1);
            while gate.turns.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
        }
    };
    let (sent, ()) = tokio::join!(sending, opening);
    assert!(sent.iter().all(|r| r.is_ok()));
    assert_eq!((stand_in.seen().len(), gate.most.load(Ordering::SeqCst)), (20, 4));
}

#[tokio::test]
async fn webhooks_are_signed_by_the_standard_with_every_live_secret() {
    let stand_in = StandIn::start(|_, _| Answer::text(204, "")).await;
    let outbound = client(&["127.0.0.0/8".into()], Names::of(&[]));
    let keys = [[7u8; 32], [8u8; 32]];
    let live = keys.iter().map(|k| Secret::new(format!("whsec_{}", crypto::base64(k)))).collect();
    let known = Secrets { all: BTreeMap::from([("secret".to_owned(), live)]), ..Secrets::default() };
    let sign = Sign::StandardWebhooks { secret: "secret".into(), id: "msg_1".into(), timestamp_s: 1_781_431_200 };
    let request = Request::new("POST", stand_in.url(), "/hook?a=%2F&b").json(json!({ "n": "é" })).signed(sign);
    outbound.send(&request, &known).await.expect("an answer");
    let seen = &stand_in.seen()[0];
    assert_eq!(seen.target, "/hook?a=%2F&b");
    let signed = |key: &[u8]| {
        let id = seen.header("webhook-id");
        let at = seen.header("webhook-timestamp");
        format!("v1,{}", crypto::base64(&crypto::hmac_sha256(key, &[id.as_bytes(), b".", at.as_bytes(), b".", &seen.body])))
    };
    assert_eq!(seen.header("webhook-signature"), format!("{} {}", signed(&keys[0]), signed(&keys[1])));
}
