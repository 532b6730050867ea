//! An address in a campaign's name, through every way in: it becomes no campaign, and stands nowhere in the file once the bodies
//! that brought it are gone.

use halotrack::crypto;
use halotrack::domain::time::DAY_MS;
use halotrack::flows::{retain, sites};
use halotrack::store::FILE;
use serde_json::{Map, Value, json};

use crate::house::{CHROME, House, SiteAt};
use crate::imports::bring;
use crate::shopify;
use crate::shopify::shop::{self, Shop};
use crate::woo_shop::WooShop;

/// Nobody else has an address there.
const DOMAIN: &str = "nobody-named.example";
const FIELDS: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/// In which clothes the address comes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum As {
    Plain,
    Percent,
    Base64,
}

impl As {
    /// The address of one field of one way in.
    fn address(self, way: &str, field: &str) -> String {
        let plain = format!("{way}.{field}@{DOMAIN}");
        match self {
            As::Plain => plain,
            As::Percent => plain.replace('@', "%40"),
            As::Base64 => crypto::base64(plain.as_bytes()),
        }
    }

    /// Only the field in hand names somebody; the others are as usual.
    fn utm(self, way: &str, field: &str) -> Map<String, Value> {
        let word = |name: &str| if name == field { self.address(way, name) } else { format!("usual-{}", &name[4..]) };
        FIELDS.iter().map(|name| ((*name).to_owned(), word(name).into())).collect()
    }

    fn query(self, way: &str, field: &str) -> String {
        let pairs = self.utm(way, field);
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs.iter().map(|(n, v)| (n, v.as_str().unwrap_or_default())))
            .finish()
    }
}

fn with(mut fact: Value, more: Map<String, Value>) -> Value {
    fact.as_object_mut().expect("an object").extend(more);
    fact
}

/// All ways in, for one field.
async fn tell_all(house: &House, site: &SiteAt, hooks: &Hooks, dress: As, n: usize) {
    let field = FIELDS[n];
    let utm = |way: &str| dress.utm(way, field);
    let number = 100 * (1 + n as u64) + dress as u64;
    house.advance_s(60);
    // The page: by fields, and by its address alone.
    let id = house.visit(site, None, with(json!({"landing": "/", "consent": "granted"}), utm("touch"))).await;
    house.visit(site, None, json!({"landing": format!("/a?{}", dress.query("landing", field)), "consent": "granted"})).await;
    let numbers = json!({"landing": "/", "consent": "granted", "campaign_id": dress.address("ids", "c"), "utm_id": dress.address("ids", "u"),
        "gclid": dress.address("ids", "g")});
    if dress != As::Base64 {
        house.visit(site, None, numbers).await;
    }
    let event = json!({"site": site.key, "name": "seen"}).to_string();
    let page = format!("https://shop.example/b?{}", dress.query("event", field));
    let call = house.post("/api/event").browser(site).header("cookie", &format!("_halo={id}")).header("referer", &page);
    call.body(event).send().await.is(204);
    let lead = with(json!({"site": site.key, "email": "eve@mail.example", "message": "hello", "url": page}), utm("page-lead"));
    house.post("/api/lead").browser(site).body(lead.to_string()).send().await.is(200);
    // Forms, and orders at the general address.
    let url = format!("https://shop.example/thanks?{}", dress.query("lead-url", field));
    house.lead(site, with(json!({"lead_id": format!("L-{number}"), "email": "eve@mail.example", "url": url}), utm("lead"))).await.is(200);
    house.lead(site, json!({"lead_id": format!("M-{number}"), "email": "eve@mail.example", "url": url})).await.is(200);
    let paid = json!({"order_id": format!("{number}-1"), "total": "10.00", "currency": "EUR", "email": "eve@mail.example"});
    house.order(site, with(paid, utm("order"))).await.is(200);
    let meta: Vec<Value> =
        utm("woo").into_iter().map(|(name, value)| json!({"key": format!("_wc_order_attribution_{name}"), "value": value})).collect();
    let woo = json!({"id": number, "number": number.to_string(), "status": "processing", "total": "10.00", "currency": "EUR",
        "billing": {"email": "eve@mail.example"}, "line_items": [], "meta_data": meta});
    house.order(site, woo).await.is(200);
    let notes: Vec<Value> = utm("notes").into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let bought = json!({"id": 5_000_000 + number, "order_number": 5_000 + number, "checkout_token": "c", "total_price": "10.00", "currency": "EUR",
        "email": "eve@mail.example", "financial_status": "paid", "note_attributes": notes, "landing_site": format!("/?{}", dress.query("shopify", field))});
    house.order(site, bought).await.is(200);
    // Shops that are connected.
    let mut order = hooks.woo.books().orders[&hooks.order].clone();
    order["id"] = json!(7_000 + number);
    order["number"] = json!((7_000 + number).to_string());
    let own: Vec<Value> = utm("woo-hook")
        .into_iter()
        .map(|(name, value)| json!({"id": 1, "key": format!("_wc_order_attribution_{name}"), "value": value}))
        .collect();
    order["meta_data"] = own.into();
    house.told_body(&hooks.woo_path, &hooks.woo, "order.created", order.to_string().into_bytes()).await.is(200);
    let mut order = shop::order(9_000 + number, "10.00", &house.clock.now().utc());
    order["note_attributes"] = utm("shopify-hook").into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    order["landing_site"] = format!("/?{}", dress.query("shopify-landing", field)).into();
    hooks.shop.send(house, &hooks.shop_path, "orders/create", &order).await.is(200);
    // Programs.
    let step = json!({"source_type": "zoom", "event_type": "event_attended", "external_id": format!("z-{number}"), "email": "eve@mail.example",
        "event_data": utm("step-data"), "external_metadata": utm("step-metadata"), "referrer": url});
    house.post("/funnel/event").token(&site.token).json(&with(step, utm("step"))).send().await.is(200);
    let stated = json!({"conversion_type": "lead", "order_id": format!("A-{number}"), "email": "eve@mail.example",
        "source": dress.address("api", "source"), "campaign_id": dress.address("api", "campaign"), "ad_id": dress.address("api", "ad"),
        "custom_data": utm("api-data"), "sub_ids": utm("api-subs")});
    house.conversion(site, stated).await.is(200);
    let main = json!({"source": dress.address("anytrack", "source"), "medium": dress.address("anytrack", "medium"),
        "campaign": dress.address("anytrack", "campaign"), "term": dress.address("anytrack", "term"), "content": dress.address("anytrack", "content")});
    let events = json!([{"eventName": "Purchase", "transactionId": format!("T-{number}"), "eventValue": 3, "currency": "EUR", "email": "eve@mail.example",
        "eventTime": house.clock.now().utc(), "mainAttribution": main, "attributions": [main], "location": format!("https://shop.example/?{}", dress.query("location", field))}]);
    house.post(&hooks.tracker).json(&events).send().await.is(200);
    // Files.
    let word = |way: &str, name: &str| if name == field { dress.address(way, name) } else { "usual".into() };
    let row = |way: &str| FIELDS.iter().map(|name| word(way, name)).collect::<Vec<_>>().join(",");
    let head = "utm_source,utm_medium,utm_campaign,utm_term,utm_content";
    let at = house.ago(86_400);
    let visits =
        format!("at,session_id,landing,{head},user_agent,consent\n{at},visitor-{number},/,{},\"{CHROME}\",yes\n", row("visit-file"));
    bring(house, site, "touches", &visits).await;
    bring(house, site, "leads", &format!("at,email,lead_id,{head}\n{at},eve@mail.example,F-{number},{}\n", row("lead-file"))).await;
    bring(
        house,
        site,
        "orders",
        &format!("at,email,order_id,total,currency,{head}\n{at},eve@mail.example,G-{number},9.00,EUR,{}\n", row("order-file")),
    )
    .await;
}

struct Hooks {
    woo: WooShop,
    order: u64,
    woo_path: String,
    shop: Shop,
    shop_path: String,
    tracker: String,
}

/// Pieces of the file around what is looked for.
fn found_in_file(house: &House, words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        let bytes = std::fs::read(house.data().join(&name)).unwrap_or_default();
        for word in words {
            for at in (0..bytes.len().saturating_sub(word.len())).filter(|at| bytes[*at..].starts_with(word.as_bytes())) {
                let around = &bytes[at.saturating_sub(80)..(at + 60).min(bytes.len())];
                found.push(format!("{name}: {}", String::from_utf8_lossy(around).escape_debug()));
            }
        }
    }
    found
}

/// The domain as base64 shows it, at each of the three places where it may begin in a group of three letters.
fn coded() -> Vec<String> {
    let whole = |before: usize| {
        let text = crypto::base64(format!("{}{DOMAIN}", "x".repeat(before)).as_bytes());
        let ends = (before + DOMAIN.len()) / 3 * 4;
        text[if before == 0 { 0 } else { 4 }..ends].to_owned()
    };
    (0..3).map(whole).collect()
}

async fn names_nobody(dress: As) {
    let (shop, house, site, connected) = shopify::open().await;
    sites::set(&house.app, site.id, "public_leads", "true", "test").await.expect("set");
    let woo = WooShop::start().await;
    let woo_hook = house.woo(&site, &woo).await;
    house.pull().await;
    let tracker = house.connect(&site, "anytrack", "shadow", &[]).await;
    let order = woo.books().place(house.clock.now(), "10.00", json!({}));
    let hooks = Hooks { woo, order, woo_path: woo_hook.hook, shop, shop_path: connected.hook, tracker: tracker.hook };
    for n in 0..FIELDS.len() {
        tell_all(&house, &site, &hooks, dress, n).await;
    }
    // The bodies themselves are kept for a month, so that they can be read again.
    house.advance_s(45 * DAY_MS / 1_000);
    retain::run(&house.app).await.expect("the clocks");
    house.app.store.checkpoint().await.expect("written back");
    let words: Vec<String> = [vec![DOMAIN.to_owned()], coded()].concat();
    let found = found_in_file(&house, &words);
    assert!(found.is_empty(), "{dress:?}: {}", found.join("\n"));
    // What stood beside it is kept.
    for table in ["sessions", "orders", "leads", "funnel_events", "events"] {
        assert!(!house.sql(&site, &format!("select * from {table}")).is_empty(), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_becomes_no_campaign() {
    names_nobody(As::Plain).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_percent_encoded() {
    names_nobody(As::Percent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_in_base64() {
    names_nobody(As::Base64).await;
}
