//! WooCommerce as a source, against a shop that speaks HTTP: its list is read whole whatever happens meanwhile, its
//! webhooks are found, made and put back.

use std::collections::BTreeMap;

use halotrack::crypto::Secret;
use halotrack::domain::fact::{Fact, Order};
use halotrack::domain::money::Currency;
use halotrack::domain::platform::{Secrets, Settings};
use halotrack::domain::steps::{State, Step, Steps, Talk, Verdict};
use halotrack::domain::time::{Time, Zone};
use halotrack::outbound::Outbound;
use halotrack::sources::{self, Batch, Found, Ground, Heard, Home, Registered, Since, Verified, Window, Wish};
use serde_json::{Value, json};

use crate::stand_in::Answer;
use crate::woo_shop::{Hook, KEY, SECRET, WooShop};

const HOOK_SECRET: &str = "9c41f07be2d85a36c0f7e1934ab2d865f30b7c9e18a4d2560b3f9e7c1a5d8042";
const TOPICS: [&str; 3] = ["order.created", "order.updated", "order.deleted"];
/// A talk of more steps does not end.
const MOST_STEPS: usize = 2_000;

fn at(seconds: i64) -> Time {
    Time::parse("2026-06-10T08:00:00Z").expect("a time").plus_ms(seconds * 1_000)
}

fn home() -> Home {
    let currency = Currency::parse("EUR").expect("EUR");
    Home { currency, country: Some("PT".into()), zone: Zone::utc(), now: at(86_400) }
}

fn settings(shop: &WooShop) -> Settings {
    Settings([("url".to_owned(), shop.url())].into())
}

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.set("consumer_key", Secret::new(KEY));
    secrets.set("consumer_secret", Secret::new(SECRET));
    secrets.set("secret", Secret::new(HOOK_SECRET));
    secrets
}

/// A talk to its end, over the wire: what it handed over, and how it ended.
async fn talk<K: Talk>(
    steps: &dyn Steps<K>,
    shop: &WooShop,
    ground: &K::Ground,
    mut state: State,
) -> (Vec<K::Yield>, Result<K::Outcome, Verdict>) {
    let outbound = Outbound::new(&["127.0.0.0/8".to_owned()], &BTreeMap::new()).expect("a client");
    let (settings, secrets) = (settings(shop), secrets());
    let (mut got, mut yielded) = (None, Vec::new());
    for _ in 0..MOST_STEPS {
        match steps.step(state, got.as_ref(), &settings, ground, at(86_400)) {
            Step::Ask(request, next) => {
                got = Some(outbound.send(&request, &secrets).await.expect("the shop answers"));
                state = next;
            }
            Step::Yield(batch, next) => {
                yielded.push(batch);
                (got, state) = (None, next);
            }
            Step::Wait(_, next) => (got, state) = (None, next),
            Step::Done(outcome) => return (yielded, Ok(outcome)),
            Step::Fail(verdict) => return (yielded, Err(verdict)),
        }
    }
    panic!("the talk does not end");
}

/// Orders as they were told last, by their ids.
#[derive(Default)]
struct Read {
    orders: BTreeMap<u64, Order>,
    tellings: usize,
}

impl Read {
    fn take(&mut self, batches: Vec<Batch>) {
        for batch in batches {
            assert!(batch.problems.is_empty(), "{:?}", batch.problems);
            for fact in batch.facts {
                let Fact::Order(order) = fact else { panic!("a list holds orders: {fact:?}") };
                self.tellings += 1;
                self.orders.insert(order.external_id.parse().expect("a number"), order);
            }
        }
    }

    /// Every order of the shop as it stands there now, each refund on its own day.
    fn agrees_with(&self, shop: &WooShop) {
        let books = shop.books();
        assert_eq!(self.orders.keys().collect::<Vec<_>>(), books.orders.keys().collect::<Vec<_>>());
        for (id, order) in &self.orders {
            assert_eq!(order.modified_at.utc().trim_end_matches('Z'), books.orders[id]["date_modified_gmt"], "order {id}");
            assert_eq!(order.raw_status, books.orders[id]["status"], "order {id}");
            let mut told: Vec<String> = order.refunds.iter().map(|r| format!("{} {}", r.happened_at.utc(), r.amount.decimal())).collect();
            let rows = books.refunds.get(id).into_iter().flatten();
            let mut want: Vec<String> = rows
                .map(|r| format!("{}Z {}", r["date_created_gmt"].as_str().unwrap_or_default(), r["amount"].as_str().unwrap_or_default()))
                .collect();
            (told.sort(), want.sort());
            assert_eq!(told, want, "refunds of order {id}");
        }
    }
}

async fn pull(shop: &WooShop, read: &mut Read, since: Since) -> Window {
    let steps = sources::find("woocommerce").and_then(|s| s.pull()).expect("it is pulled");
    let (batches, ended) = talk(steps, shop, &home(), json!(since)).await;
    read.take(batches);
    ended.expect("the list is read to its end")
}

fn first() -> Since {
    Since { from: Time::from_ms(0), is_first: true }
}

#[tokio::test]
async fn the_list_is_read_whole_whatever_changes_meanwhile() {
    let shop = WooShop::start().await;
    {
        let mut books = shop.books();
        // 260 orders of which 130 changed in one second, more than a page.
        let ids: Vec<u64> = (0..260).map(|n| books.place(at(n * 7), "20.00", json!({}))).collect();
        ids.iter().step_by(2).for_each(|id| books.edit(*id, at(10_000), json!({"customer_note": "checked"})));
        books.refund(ids[3], at(10_001), 500);
        books.refund(ids[3], at(10_050), 1_500);
        books.refund(ids[8], at(10_002), 250);
        books.throw_away(ids[5], at(10_003));
        // While pages are read, orders change places: the first ones go to the end, one goes into the bin.
        for n in 0..8 {
            let (early, late) = (ids[n * 3 + 1], ids[200 + n]);
            books.meanwhile.push_back(Box::new(move |books| {
                books.edit(early, at(10_100 + n as i64), json!({"status": "completed"}));
                books.edit(late, at(10_100 + n as i64), json!({}));
                books.refund(late, at(10_101 + n as i64), 100);
                if n == 4 {
                    books.throw_away(early, at(10_105));
                }
            }));
        }
    }
    let mut read = Read::default();
    let window = pull(&shop, &mut read, first()).await;
    let again = pull(&shop, &mut read, Since { from: window.to, is_first: false }).await;
    read.agrees_with(&shop);
    assert_eq!(again.to, at(10_108), "the newest change by the shop's clock");
    assert!(read.orders.values().any(|o| o.is_imported), "a first reading brings history");
    let before = read.tellings;
    pull(&shop, &mut read, Since { from: again.to, is_first: false }).await;
    assert!(read.tellings - before <= 4, "nothing new costs the last second: {}", read.tellings - before);
}

#[tokio::test]
async fn a_shop_is_read_the_way_it_lets_itself_be_read() {
    for (is_plain, ignores_basic) in [(false, false), (true, false), (false, true), (true, true)] {
        let shop = WooShop::start().await;
        {
            let mut books = shop.books();
            (books.is_plain, books.ignores_basic) = (is_plain, ignores_basic);
            (0..3).for_each(|n| {
                let id = books.place(at(n), "20.00", json!({}));
                books.refund(id, at(60 + n), 100);
            });
        }
        let mut read = Read::default();
        pull(&shop, &mut read, first()).await;
        read.agrees_with(&shop);
        let was_signed = shop.asked().iter().any(|(_, route)| route.contains("oauth_signature="));
        assert_eq!(was_signed, ignores_basic, "plain {is_plain}");
        assert!(shop.stand_in.seen().iter().all(|s| !s.target.contains(SECRET)), "the secret stands in no address");
    }
}

#[tokio::test]
async fn local_time_is_never_taken_for_utc() {
    let shop = WooShop::start().await;
    shop.books().ahead_s = -7 * 3_600;
    shop.books().place(at(0), "20.00", json!({}));
    let mut read = Read::default();
    let window = pull(&shop, &mut read, first()).await;
    shop.books().place(at(60), "30.00", json!({}));
    pull(&shop, &mut read, Since { from: window.to, is_first: false }).await;
    read.agrees_with(&shop);
    assert_eq!(read.orders.values().map(|o| o.happened_at).collect::<Vec<_>>(), [at(0), at(60)]);
}

#[tokio::test]
async fn a_shop_that_asks_for_a_moment_is_given_it() {
    let shop = WooShop::start().await;
    {
        let mut books = shop.books();
        books.place(at(0), "20.00", json!({}));
        books
            .instead
            .extend([Answer::text(429, "").with("retry-after", "3"), Answer::text(503, "<h1>Back soon</h1>").with("retry-after", "5")]);
    }
    let mut read = Read::default();
    pull(&shop, &mut read, first()).await;
    read.agrees_with(&shop);
}

/// The pull ends with a sentence, and with the verdict that it means.
#[tokio::test]
async fn every_trouble_is_told_in_one_sentence() {
    let page = |text: &str| Answer::text(200, text);
    let keys = || {
        Answer::json(
            401,
            json!({"code": "woocommerce_rest_authentication_error", "message": "Consumer secret is invalid.", "data": {"status": 401}}),
        )
    };
    let half = "[{\"id\": 1, \"total\": ";
    for (answers, kind, words) in [
        (vec![keys()], "pause", "refuses the consumer key"),
        (vec![page("<h1>Maintenance</h1>"), page("<h1>Maintenance</h1>")], "retry", "web page instead of data"),
        (vec![page(half), page(half)], "retry", "web page instead of data"),
        (vec![Answer::text(500, "<h1>Critical error</h1>")], "retry", "error of its own"),
        (vec![Answer::json(404, json!({"code": "rest_no_route", "data": {"status": 404}}))], "retry", "Activate the WooCommerce plugin"),
        (
            vec![Answer::text(301, "").with("location", "https://elsewhere.example/store/wp-json/wc/v3/orders?x=1")],
            "retry",
            "Enter that address",
        ),
    ] {
        let shop = WooShop::start().await;
        shop.books().instead.extend(answers);
        let steps = sources::find("woocommerce").and_then(|s| s.pull()).expect("it is pulled");
        let (_, ended) = talk(steps, &shop, &home(), json!(first())).await;
        let (got, sentence) = match ended {
            Err(Verdict::Pause(sentence)) => ("pause", sentence),
            Err(Verdict::Retry { sentence, .. }) => ("retry", sentence),
            other => panic!("{words}: {other:?}"),
        };
        assert_eq!(got, kind, "{sentence}");
        assert!(sentence.contains(words) && sentence.contains(&shop.url()), "{sentence}");
    }
}

fn ground(wish: Wish, known: &[(String, String)]) -> Ground {
    Ground {
        wish,
        hook_url: "https://stats.example/in/woocommerce/T".into(),
        kept_url: "https://stats.example/api/webhooks/woocommerce".into(),
        known: known.to_vec(),
        secrets: ["consumer_key", "consumer_secret", "secret"].map(str::to_owned).to_vec(),
    }
}

async fn provision(shop: &WooShop, wish: Wish, known: &[(String, String)]) -> Result<Registered, Verdict> {
    let steps = sources::find("woocommerce").and_then(|s| s.provision()).expect("it registers");
    talk(steps, shop, &ground(wish, known), Value::Null).await.1
}

fn known(registered: &Registered) -> Vec<(String, String)> {
    registered.hooks.iter().map(|h| (h.topic.clone(), h.id.clone())).collect()
}

#[tokio::test]
async fn webhooks_are_made_once_and_put_back() {
    let shop = WooShop::start().await;
    let old = Hook {
        topic: "order.created".into(),
        url: "https://stats.example/api/webhooks/woocommerce/order-created".into(),
        secret: "of before".into(),
        status: "active".into(),
    };
    let erp = Hook { url: "https://erp.example/hook".into(), ..old.clone() };
    shop.books().hooks.extend([(7, old), (8, erp)]);
    let made = provision(&shop, Wish::Register, &[]).await.expect("registered");
    assert_eq!(made.hooks.iter().map(|h| h.topic.as_str()).collect::<Vec<_>>(), TOPICS);
    assert_eq!(made.hooks.iter().map(|h| h.found).collect::<Vec<_>>(), [Found::Adopted, Found::Made, Found::Made]);
    assert!(made.hooks.iter().all(|h| h.is_active) && made.notes.is_empty());
    for (id, hook) in shop.books().hooks.iter().filter(|(id, _)| **id != 8) {
        assert_eq!((hook.url.as_str(), hook.secret.as_str()), ("https://stats.example/in/woocommerce/T", HOOK_SECRET), "hook {id}");
    }

    let before = shop.asked().len();
    provision(&shop, Wish::Register, &known(&made)).await.expect("registered");
    assert!(shop.asked()[before..].iter().all(|(method, _)| method == "GET"), "a repeat changes nothing");

    shop.books().hooks.get_mut(&7).expect("the adopted hook").status = "disabled".into();
    let gone: u64 = made.hooks[2].id.parse().expect("a number");
    shop.books().hooks.remove(&gone);
    let looked = provision(&shop, Wish::Look, &known(&made)).await.expect("looked at");
    assert_eq!(looked.hooks.iter().map(|h| (h.topic.as_str(), h.is_active)).collect::<Vec<_>>(), [(TOPICS[0], false), (TOPICS[1], true)]);
    let back = provision(&shop, Wish::Register, &known(&made)).await.expect("put back");
    assert_eq!(back.hooks.iter().map(|h| h.found).collect::<Vec<_>>(), [Found::SwitchedOff, Found::InPlace, Found::Made]);
    assert!(!shop.books().hooks.contains_key(&7), "a new one begins its count of failures at zero");

    let removed = provision(&shop, Wish::Remove, &known(&back)).await.expect("removed");
    assert!(removed.hooks.is_empty());
    assert_eq!(shop.books().hooks.keys().collect::<Vec<_>>(), [&8], "what is others' stays");
}

#[tokio::test]
async fn what_a_key_may_not_do_is_said() {
    let shop = WooShop::start().await;
    shop.books().may_write = false;
    let registered = provision(&shop, Wish::Register, &[]).await.expect("reading is enough to go on");
    assert!(registered.hooks.is_empty() && registered.notes[0].contains("may only read"), "{registered:?}");
    shop.books().may_write = true;
    shop.books().ignores_basic = true;
    provision(&shop, Wish::Register, &[]).await.expect("registered over plain http");
    assert_eq!(shop.books().hooks.len(), 3);
}

/// Orders recorded from shops of others, where they are at hand.
#[test]
fn orders_of_other_peoples_shops_are_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/woocommerce");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: there is no {}", folder.display());
        return;
    };
    let hook = sources::find("woocommerce").and_then(|s| s.webhook()).expect("it is called");
    let mut orders = BTreeMap::new();
    for path in entries.flatten().map(|e| e.path()) {
        let name = path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let mut whole: Value = serde_json::from_slice(&std::fs::read(&path).expect("a fixture")).unwrap_or_default();
        for envelope in ["data", "response"] {
            whole = whole.get(envelope).cloned().unwrap_or(whole);
        }
        let rows = whole.as_array().cloned().unwrap_or_else(|| vec![whole]);
        // A webhook of an order: what only lacks its total is nobody's order.
        for row in rows.iter().filter(|r| r["billing"].is_object() && r["total"].is_string() && r["line_items"].is_array()) {
            let body = row.to_string();
            let heard = hook.parse(&Verified::by_our_own_word(body.as_bytes(), "application/json"), &Settings::default(), &home());
            let Ok(Heard::Facts(batch)) = heard else { panic!("{name}: {heard:?}") };
            let [Fact::Order(order)] = batch.facts.as_slice() else { panic!("{name}: {:?}", batch.facts) };
            assert_eq!(order.external_id, row["id"].to_string().trim_matches('"'), "{name}");
            orders.insert(name.clone(), order.clone());
        }
    }
    assert!(orders.len() >= 8, "{:?}", orders.keys());
    let partly = &orders["ios_order_partially_refunded_enveloped"];
    assert_eq!((partly.refunds.len(), partly.are_refunds_whole), (2, true));
    assert!(!orders["ios_order_with_attribution_enveloped"].journey.is_empty());
}
