//! What stands in front of every handler: hosts, methods, headers, bodies, origins.

use halotrack::app::App;
use halotrack::error::Result;
use halotrack::http::ask::Ask;
use halotrack::http::reply::Reply;
use halotrack::http::route::{Doc, Hosts, Route, Shape, Who};
use halotrack::http::table::ROUTES;
use serde_json::json;

use crate::house::{Answer, House};

/// An address that fits the route's path.
pub fn address_of(path: &str, site: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{site}" => site.to_owned(),
        "{platform}" => "forms".into(),
        _ if part.starts_with('{') => "1".into(),
        _ => part.into(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// A refusal without what differs each time.
fn words(answer: &Answer) -> String {
    answer.text.replace(answer.header("x-request-id"), "")
}

#[tokio::test]
async fn alive_ready_well() {
    let house = House::new();
    assert_eq!(house.get("/healthz").send().await.is(200).text, "ok");
    assert_eq!(house.get("/readyz").send().await.is(200).text, "ok");
    let well = house.get("/health").send().await.is(200);
    assert_eq!((&well.json["service"], &well.json["status"]), (&"halotrack".into(), &"healthy".into()));
    house.app.begin_stopping();
    assert_eq!(house.get("/readyz").send().await.is(503).text, "stopping");
    house.get("/healthz").send().await.is(200);
}

#[tokio::test]
async fn the_front_door_tells_programs_and_leads_people() {
    let house = House::new();
    let told = house.get("/").header("accept", "application/json").send().await.is(200);
    assert_eq!((&told.json["service"], &told.json["status"]), (&"halotrack".into(), &"running".into()));
    assert_eq!(told.json["supported_sources"].as_array().map(Vec::len), Some(7));
    let led = house.get("/").header("accept", "text/html,application/xhtml+xml").send().await.is(302);
    assert_eq!(led.header("location"), "/dashboard");
}

#[tokio::test]
async fn figures_are_for_this_machine_and_for_tokens() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.get("/healthz").send().await.is(200);
    let figures = house.get("/metrics").send().await.is(200);
    assert!(figures.text.contains("# TYPE halotrack_requests_total counter\n"), "{}", figures.text);
    assert!(figures.text.contains("halotrack_requests_total{route=\"/healthz\",method=\"GET\",status=\"2xx\"} 1\n"), "{}", figures.text);
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        house.get("/metrics").header(header, "8.8.8.8").send().await.is(401);
    }
    house.get("/metrics").from_peer("192.0.2.7").send().await.is(401);
    house.get("/metrics").header("x-forwarded-for", "8.8.8.8").token(&shop.token).send().await.is(200);
    // What a stranger sends never becomes a name.
    house.get("/nothing-here").send().await.is(404);
    assert!(!house.get("/metrics").send().await.text.contains("nothing-here"));
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    let house = House::new();
    house.site("shop.example").await;
    let mut answers = vec![house.get("/no/such/path").send().await, house.call("TRACE", "/").send().await, house.get("/a%00").send().await];
    for route in ROUTES {
        answers.push(house.call(route.method, &address_of(route.path, "shop")).send().await);
    }
    for answer in answers {
        let name = &answer.asked;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{name}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{name}: {policy}");
        if answer.header("content-type").starts_with("text/html") {
            for part in ["script-src 'self';", "style-src 'self';", "base-uri 'none';", "require-trusted-types-for 'script'"] {
                assert!(policy.contains(part), "{name}: {policy}");
            }
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{name}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{name}");
        assert_ne!(answer.header("cross-origin-resource-policy"), "", "{name}");
        assert_ne!(answer.header("cache-control"), "", "{name}");
        assert_eq!(answer.header("x-request-id").len(), 12, "{name}");
        assert_eq!(answer.header("strict-transport-security"), "", "{name}: plain http");
        if answer.status >= 400 {
            assert_eq!(answer.header("cache-control"), "no-store", "{name}");
        }
    }
}

#[tokio::test]
async fn on_a_shop_host_only_the_public_routes_exist() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let nothing = words(&house.get("/no/such/path").send().await.is(404));
    for route in ROUTES {
        let path = address_of(route.path, "shop");
        let answer = house.call(route.method, &path).host("t.shop.example").token(&shop.token).send().await;
        if route.hosts != Hosts::All {
            assert_eq!(answer.status, 404, "{}", answer.asked);
            assert_eq!(words(&answer), nothing, "{}: no different from nothing", answer.asked);
        }
    }
}

#[tokio::test]
async fn the_public_address_decides_where_the_dashboard_lives() {
    let house = House::with(|c| c.public_url = "https://track.example".into());
    let status = async |host: &str, path: &str| house.get(path).host(host).send().await.status;
    assert_eq!(status("track.example", "/login").await, 200);
    assert_eq!(status("TRACK.example:443", "/login").await, 200);
    for host in ["127.0.0.1:8080", "localhost", "evil.example", "track.example.evil.example"] {
        assert_eq!(status(host, "/login").await, 404, "{host}");
    }
    // A watcher on this machine asks for this machine.
    assert_eq!(status("127.0.0.1:8080", "/healthz").await, 200);
    house.get("/healthz").host("127.0.0.1").header("x-forwarded-for", "8.8.8.8").send().await.is(404);
    house.get("/healthz").host("127.0.0.1").from_peer("192.0.2.7").send().await.is(404);
    // The name that a proxy says it was asked for is not believed.
    house.get("/login").host("t.shop.example").header("x-forwarded-host", "track.example").send().await.is(404);
}

#[tokio::test]
async fn methods_are_taken_as_the_table_says() {
    let house = House::new();
    let wrong = house.call("PUT", "/healthz").send().await.is(405);
    assert_eq!((wrong.code(), wrong.header("allow")), ("method_not_allowed", "GET, HEAD"));
    let head = house.call("HEAD", "/healthz").send().await.is(200);
    assert_eq!((head.text.as_str(), head.header("content-length")), ("", "2"));
    for method in ["TRACE", "CONNECT"] {
        house.call(method, "/healthz").send().await.is(405);
    }
    // No header turns one method into another.
    house.post("/healthz").header("x-http-method-override", "GET").send().await.is(405);
}

#[tokio::test]
async fn addresses_have_one_spelling_and_are_never_redirected() {
    let house = House::new();
    for path in
        ["//healthz", "/healthz/", "/x/../healthz", "/%2e/healthz", "/%2Fhealthz", "/healthz%00", "//evil.example/a", "/\\evil.example"]
    {
        let answer = house.get(path).send().await;
        assert!(matches!(answer.status, 400 | 404), "{}: {}", answer.asked, answer.status);
        assert_eq!(answer.header("location"), "");
    }
    house.get("http://127.0.0.1:8080/healthz").send().await.is(200);
    house.get("http://evil.example/login").send().await.is(404);
}

async fn falls_over(_: App, _: Ask) -> Result<Reply> {
    let nothing: [u8; 0] = [];
    let place = std::hint::black_box(3);
    Ok(Reply::empty(u16::from(nothing[place])))
}

async fn never_ends(_: App, _: Ask) -> Result<Reply> {
    std::future::pending().await
}

static FAULTS: &[Route] = &[
    Route::new("GET", "/panic", Who::Anyone, halotrack::run!(falls_over), Doc::new("Test", "Panics.")),
    Route::new("GET", "/old/panic", Who::Anyone, halotrack::run!(falls_over), Doc::new("Test", "Panics.")).shape(Shape::Halo),
    Route::new("GET", "/forever", Who::Anyone, halotrack::run!(never_ends), Doc::new("Test", "Waits.")).patience(0),
];

#[tokio::test]
async fn a_fault_in_a_handler_is_an_answer_with_its_number() {
    let house = House::of(|_| {}, FAULTS);
    let fault = house.get("/panic").send().await.is(500);
    assert_eq!((fault.code(), &fault.json["error"]["request_id"]), ("internal", &fault.header("x-request-id").into()));
    assert!(!fault.text.contains("index out of bounds"), "{}", fault.text);
    let old = house.get("/old/panic").send().await.is(500);
    assert_eq!((&old.json["success"], &old.json["code"]), (&json!(false), &json!("internal")));
    let late = house.get("/forever").send().await.is(503);
    assert_eq!((late.code(), late.header("retry-after")), ("timeout", "5"));
    assert!(house.app.figures.all().iter().any(|(name, _, count)| *name == "panics" && *count == 2));
}

#[tokio::test]
async fn bodies_are_refused_before_they_are_read() {
    let house = House::new();
    let post = || house.post("/api/login").header("sec-fetch-site", "same-origin").header("content-type", "application/json");
    let large = post().body(vec![b' '; 16 * 1024 + 1]).send().await.is(413);
    assert_eq!((large.code(), &large.json["error"]["message"]), ("body_too_large", &"Limit 16 KiB.".into()));
    post().body(vec![b' '; 10 * 1024 * 1024]).send().await.is(413);
    let packed = post().header("content-encoding", "gzip").body("x").send().await.is(415);
    assert_eq!(packed.code(), "compressed_body");
    post().header("content-encoding", "identity").body("{}").send().await.is(422);
    let cases = [
        ("[".repeat(8_000), "a deep list"),
        ("{\"a\":".repeat(2_000), "a deep object"),
        (r#"{"email":"a","email":"b"}"#.into(), "a key twice"),
        (r#"{"email":"\ud800"}"#.into(), "half a surrogate"),
        (r#"{"email":1e400}"#.into(), "a number beyond all"),
        ("{\"email\":".into(), "cut off"),
        ("{} {}".into(), "two values"),
    ];
    for (body, what) in cases {
        let answer = post().body(body).send().await;
        assert_eq!((answer.status, answer.code()), (400, "bad_json"), "{what}: {}", answer.text);
        assert!(answer.text.contains("line 1, column"), "{what}: {}", answer.text);
    }
    let digits = post().body(format!(r#"{{"email":{}}}"#, "9".repeat(300))).send().await.is(422);
    assert_eq!(digits.json["error"]["field"], "email");
    assert_eq!(post().body(b"{\"email\":\"\xc0\xaf\"}".to_vec()).send().await.is(400).code(), "bad_json");
    let keys = (0..1_500).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",");
    post().body(format!("{{{keys}}}")).send().await.is(422);
    assert_eq!(house.get(&format!("/healthz?{}", "a=1&".repeat(600))).send().await.is(400).code(), "bad_request");
    house.get("/healthz?a=%zz&%ff=%00&=&&&").send().await.is(200);
}

#[tokio::test]
async fn origins_are_compared_exactly() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.site("other.example").await;
    let touch = |origin: &str| {
        let call = house.post("/api/touch").browser(&shop).header("origin", origin);
        call.body(json!({"site": shop.key, "landing": "/"}).to_string()).send()
    };
    for origin in ["https://shop.example", "https://www.shop.example", "http://shop.example", "https://a.b.shop.example"] {
        let answer = touch(origin).await.is(200);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert!(answer.header("vary").to_lowercase().contains("origin"));
    }
    for origin in [
        "null",
        "https://evil.example",
        "https://other.example",
        "https://notshop.example",
        "https://shop.example.evil.example",
        "https://shop.example:8443",
        "https://shop.example.",
        "https://SHOP.example",
        "https://shop.example/",
        "ftp://shop.example",
        "shop.example",
        "https://",
        "*",
        "https://shop.example https://evil.example",
    ] {
        let answer = touch(origin).await.is(403);
        assert_eq!(answer.json["code"], "origin_not_allowed", "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        assert!(answer.header("vary").to_lowercase().contains("origin"), "{origin}");
    }
    let asked = house.call("OPTIONS", "/api/touch").browser(&shop).header("access-control-request-method", "POST").send().await.is(204);
    assert_eq!(asked.header("access-control-allow-origin"), "https://shop.example");
    assert!(asked.header("access-control-allow-methods").contains("POST"));
    let foreign = house.call("OPTIONS", "/api/touch").host("t.shop.example").header("origin", "https://evil.example").send().await;
    assert_eq!((foreign.status, foreign.header("access-control-allow-origin")), (403, ""));
    // A page of the site may read why it was refused; else it would take it for a broken line and try again.
    let wrong = house.post("/api/touch").browser(&shop).body("{").send().await.is(400);
    assert_eq!(wrong.header("access-control-allow-origin"), "https://shop.example");
}

#[tokio::test]
async fn every_visitor_route_answers_a_preflight() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    for route in ROUTES.iter().filter(|r| r.who == Who::Visitor) {
        let asked = house.call("OPTIONS", route.path).browser(&shop).send().await.is(204);
        assert!(asked.header("access-control-allow-methods").contains(route.method), "{}", asked.asked);
    }
}

#[tokio::test]
async fn the_tag_is_the_same_for_all_and_asked_for_again_in_an_hour() {
    let house = House::new();
    house.site("shop.example").await;
    let plain = house.get("/t.js").host("t.shop.example").send().await.is(200);
    assert!(plain.bytes.len() < 5_000);
    assert_eq!(plain.header("cache-control"), "public, max-age=3600");
    assert_eq!(plain.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!((plain.header("access-control-allow-origin"), plain.header("access-control-allow-credentials")), ("*", ""));
    assert_eq!(plain.header("set-cookie"), "");
    let own = house.get("/t.js?x=1").send().await.is(200);
    assert_eq!(own.bytes, plain.bytes);
    let packed = house.get("/t.js").header("accept-encoding", "br, gzip;q=0.8").send().await.is(200);
    assert_eq!((packed.header("content-encoding"), packed.header("etag")), ("gzip", plain.header("etag")));
    assert!(packed.bytes.len() < plain.bytes.len());
    house
        .get("/t.js")
        .header("accept-encoding", "gzip;q=0")
        .send()
        .await
        .is(200)
        .header("content-encoding")
        .is_empty()
        .then_some(())
        .expect("plain");
    let known = house.get("/t.js").header("if-none-match", plain.header("etag")).send().await.is(304);
    assert!(known.bytes.is_empty());
    // One address asks for it no more than a page could.
    let stranger = async || house.get("/t.js").header("x-forwarded-for", "198.51.100.7").send().await.status;
    for _ in 0..60 {
        assert_eq!(stranger().await, 200);
    }
    assert_eq!(stranger().await, 429);
}

#[tokio::test]
async fn pages_and_their_files_share_one_hash() {
    let house = House::new();
    let page = house.get("/dashboard/shop/conversions").send().await.is(200);
    let start = page.text.find("/a/").expect("an asset address") + 3;
    let hash = page.text[start..].split('/').next().expect("a hash").to_owned();
    assert!(!page.text.contains("/a/HASH/") && hash.len() == 16, "{hash}");
    let script = house.get(&format!("/a/{hash}/core.js")).header("accept-encoding", "gzip").send().await.is(200);
    assert_eq!(script.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!((script.header("content-type"), script.header("content-encoding")), ("text/javascript; charset=utf-8", "gzip"));
    let styles = house.get(&format!("/a/{hash}/app.css")).send().await.is(200);
    assert_eq!(styles.header("content-type"), "text/css; charset=utf-8");
    house.get("/a/0000000000000000/core.js").send().await.is(404);
    house.get(&format!("/a/{hash}/../Cargo.toml")).send().await.is(404);
    house.get(&format!("/a/{hash}/nothing.js")).send().await.is(404);
    let docs = house.get("/api/docs").send().await.is(200);
    assert!(docs.text.contains(&format!("/a/{hash}/docs.js")));
    let described = house.get("/openapi.json").send().await.is(200);
    assert_eq!(described.json["openapi"], "3.1.0");
}
