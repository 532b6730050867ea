//! The script of the theme in a real browser: the cart carries the visit once there is a cart, and only with consent.

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::stand_in::{Answer, Seen, StandIn};

const SCRIPT: &str = include_str!("../../../clients/shopify/assets/halotrack-cart.js");

/// A shop's theme. In place of the tag stands what the script knows of it: a session that the story sets.
fn theme(seen: &Seen) -> Answer {
    let tag = "<script>window.HaloTrack={getSessionId:()=>sessionStorage.getItem('story')||null}</script>";
    let add = "<button id=add onclick=\"fetch('/cart/add.js',{method:'POST'})\">Add</button>";
    match seen.target.as_str() {
        "/halotrack-cart.js" => Answer::Say(200, vec![("content-type", "text/javascript".into())], SCRIPT.as_bytes().to_vec()),
        "/cart/add.js" => Answer::json(200, json!({})).with("set-cookie", "cart=c1; path=/"),
        "/cart/update.js" => Answer::json(200, json!({})),
        "/favicon.ico" => Answer::Say(204, Vec::new(), Vec::new()),
        _ => {
            let html = format!("<!doctype html><title>Cups</title>{tag}<script defer src=/halotrack-cart.js></script>{add}");
            Answer::Say(200, vec![("content-type", "text/html; charset=utf-8".into())], html.into_bytes())
        }
    }
}

/// What was written into the cart so far.
fn written(pages: &StandIn) -> Vec<Value> {
    pages.seen().iter().filter(|s| s.target == "/cart/update.js").map(|s| s.json()["attributes"]["_halo_session"].clone()).collect()
}

/// The script's own note of what it has written, which it makes after the shop's answer.
const NOTED: &str = "return sessionStorage.getItem('halo_cart')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cart_carries_the_visit_once_there_is_one() {
    let Some(browser) = Chromium::start("MAP cups.example 127.0.0.1").await else { return };
    let pages = StandIn::start(|seen, _| theme(seen)).await;
    let url = format!("http://cups.example:{}/", pages.port);
    browser.open(&url).await;
    browser.run("sessionStorage.setItem('story', 's1'); dispatchEvent(new Event('halotrack:ready'))").await;
    assert_eq!(written(&pages), Vec::<Value>::new(), "there is no cart yet");

    browser.click("#add").await;
    browser.wait_for("the note", NOTED, json!("c1 s1")).await;
    assert_eq!(written(&pages), [json!("s1")]);

    // A page without news asks the shop nothing: what comes next is the only other thing written.
    browser.open(&url).await;
    browser.wait("the page", "return document.title === 'Cups' && document.readyState === 'complete'").await;
    browser.run("sessionStorage.setItem('story', ''); dispatchEvent(new Event('halotrack:ready'))").await;
    browser.wait_for("the note of a refusal", NOTED, json!("c1 ")).await;
    assert_eq!(written(&pages), [json!("s1"), json!("")], "a refusal takes it out again");
    browser.end().await;
}
