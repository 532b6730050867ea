//! Clicks on a partner's short link: counted at the redirect, whether or not the page that it leads to tells of the visit, and never
//! once more by that page; bots apart, and one person once.

use halotrack::store::FILE;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::house::{Answer, CHROME, House, SiteAt};

const BOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

async fn link(house: &House, shop: &SiteAt, code: Option<&str>) -> String {
    let wish = json!({"to": "/sale", "utm_source": "blog", "affiliate": code});
    let made = house.post(&format!("/api/sites/{}/links", shop.slug)).token(&shop.token).json(&wish).send().await.is(201).json;
    format!("/l/{}", made["code"].as_str().expect("a code"))
}

/// Somebody follows it from a network of their own, with a cookie where this host sees one.
async fn follow(house: &House, path: &str, network: u8, cookie: Option<&str>) -> Answer {
    let call =
        house.get(path).host("t.shop.example").header("user-agent", CHROME).header("x-forwarded-for", &format!("203.0.113.{network}"));
    let call = match cookie {
        Some(session) => call.cookie(&format!("_halo={session}")),
        None => call,
    };
    call.send().await.is(302)
}

/// The page that it led to tells of the visit.
async fn arrive(house: &House, shop: &SiteAt, went: &Answer, session: Option<&str>, more: Value) -> Value {
    let landing = went.header("location").strip_prefix("https://shop.example").expect("a page of the shop");
    let mut body = json!({"site": shop.key, "landing": landing, "session_id": session});
    body.as_object_mut().expect("fields").extend(more.as_object().cloned().unwrap_or_default());
    house.post("/api/touch").browser(shop).json(&body).send().await.is(200).json["session_id"].clone()
}

async fn clicks(house: &House, shop: &SiteAt) -> i64 {
    halotrack::flows::short_links::write_down(&house.app).await.expect("it is written");
    house.performance(shop, "affiliate_id=noor").await["clicks"].as_i64().expect("a number")
}

#[tokio::test]
async fn a_click_counts_at_the_redirect_and_once() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.partner(&shop, "Noor", json!({})).await;
    let path = link(&house, &shop, Some("noor")).await;
    // No page ever tells of it: an app that shows a file, a page without the tag.
    follow(&house, &path, 1, None).await;
    assert_eq!(clicks(&house, &shop).await, 1);
    // A page that does tell, at once and again on a reload, and the day after.
    let went = follow(&house, &path, 2, None).await;
    let session = arrive(&house, &shop, &went, None, json!({})).await;
    assert_eq!(clicks(&house, &shop).await, 2);
    for pause in [5, 40 * 60, 86_400] {
        house.advance_s(pause);
        assert_eq!(arrive(&house, &shop, &went, session.as_str(), json!({})).await, session);
        assert_eq!(clicks(&house, &shop).await, 2, "after {pause} s it is the same click");
    }
    // Who refuses a cookie has clicked once too, however often the page is loaded.
    let refused = follow(&house, &path, 3, None).await;
    for _ in 0..2 {
        assert_eq!(arrive(&house, &shop, &refused, None, json!({"consent": "denied"})).await, Value::Null);
    }
    assert_eq!(clicks(&house, &shop).await, 3);
    // An address that is handed on, click id and all, is followed by somebody else: that is a click of its own.
    arrive(&house, &shop, &went, None, json!({})).await;
    assert_eq!(clicks(&house, &shop).await, 4);
    // Neither bots nor looks nor links of nobody.
    for agent in [BOT, "curl/8.5.0", ""] {
        house.get(&path).host("t.shop.example").header("user-agent", agent).send().await.is(302);
    }
    house.call("HEAD", &path).host("t.shop.example").header("user-agent", CHROME).send().await.is(302);
    house.get(&path).host("t.shop.example").header("user-agent", CHROME).header("sec-purpose", "prefetch").send().await.is(302);
    let nobodys = link(&house, &shop, None).await;
    let went = follow(&house, &nobodys, 4, None).await;
    arrive(&house, &shop, &went, None, json!({})).await;
    assert_eq!(clicks(&house, &shop).await, 4);
    // Earnings per click are of these.
    house.sold(&shop, json!({"revenue": 100, "affiliate_id": "noor"})).await;
    let data = house.performance(&shop, "affiliate_id=noor").await;
    assert_eq!((&data["epc"], &data["conversion_rate"]), (&json!(25.0), &json!(0.25)), "{data}");
}

#[tokio::test]
async fn one_person_who_clicks_again_is_one_click() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.partner(&shop, "noor", json!({})).await;
    let (path, other) = (link(&house, &shop, Some("noor")).await, link(&house, &shop, Some("noor")).await);
    let session = house.visit(&shop, None, json!({"landing": "/"})).await;
    // The cookie is seen here: also where no page tells, and by another link of the same partner.
    for path in [&path, &path, &other] {
        house.advance_s(60);
        follow(&house, path, 1, Some(&session)).await;
    }
    assert_eq!(clicks(&house, &shop).await, 1);
    let went = follow(&house, &path, 1, Some(&session)).await;
    arrive(&house, &shop, &went, Some(&session), json!({})).await;
    assert_eq!(clicks(&house, &shop).await, 1, "what the redirect left out the page does not count");
    house.advance_s(31 * 60);
    follow(&house, &path, 1, Some(&session)).await;
    assert_eq!(clicks(&house, &shop).await, 2, "after half an hour it is another one");
    // A link of the partner without us between, and ours right after it.
    house.advance_s(31 * 60);
    house.visit(&shop, Some(&session), json!({"landing": "/?ref=noor"})).await;
    follow(&house, &path, 1, Some(&session)).await;
    assert_eq!(clicks(&house, &shop).await, 3);
    // On a host that sees no cookie only the page knows that it is the same browser: what was counted twice is taken back.
    house.advance_s(31 * 60);
    let (first, second) = (follow(&house, &path, 1, None).await, follow(&house, &path, 1, None).await);
    assert_eq!(clicks(&house, &shop).await, 5, "they could be two");
    for went in [&first, &second, &second, &first] {
        arrive(&house, &shop, went, Some(&session), json!({})).await;
    }
    assert_eq!(clicks(&house, &shop).await, 4, "they are one, and it is taken back once");
}

#[tokio::test]
async fn what_is_odd_about_clicks_is_seen_at_the_redirect_too() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let noor = house.partner(&shop, "noor", json!({})).await;
    let path = link(&house, &shop, Some("noor")).await;
    for _ in 0..40 {
        let went = follow(&house, &format!("{path}?gclid=c1"), 9, None).await;
        assert!(went.header("location").contains("gclid=c1"));
    }
    clicks(&house, &shop).await;
    let statement = house.statement(&shop, &noor, "2026-06").await;
    let flags: Vec<&str> = statement["flags"].as_array().into_iter().flatten().filter_map(|f| f["flag"].as_str()).collect();
    assert_eq!((&statement["clicks"], flags), (&json!(40), vec!["paid_search", "burst"]), "{statement}");
}

/// Ten clicks of one network are no burst, although each is told by the redirect and by the page.
#[tokio::test]
async fn a_click_that_is_told_twice_takes_one_of_its_allowance() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.partner(&shop, "noor", json!({})).await;
    let path = link(&house, &shop, Some("noor")).await;
    for _ in 0..10 {
        let went = follow(&house, &path, 9, None).await;
        arrive(&house, &shop, &went, None, json!({})).await;
    }
    assert_eq!(clicks(&house, &shop).await, 10);
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let bursts: i64 = db
        .query_row("select sum(bursts) from affiliate_days where site_id = ?1", params![shop.id.number()], |row| row.get(0))
        .expect("a sum");
    assert_eq!(bursts, 0);
}

/// A process that is killed before the click is written down loses its count; the page that was led to makes it good.
#[tokio::test]
async fn a_click_that_was_lost_is_counted_by_its_page() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.partner(&shop, "noor", json!({})).await;
    let path = link(&house, &shop, Some("noor")).await;
    let went = follow(&house, &path, 1, None).await;
    let again = house.again();
    arrive(&again, &shop, &went, None, json!({})).await;
    assert_eq!(clicks(&again, &shop).await, 1);
}

#[tokio::test]
async fn a_link_is_made_for_partners_that_there_are() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    house.partner(&other, "theirs", json!({})).await;
    let noor = house.partner(&shop, "Noor", json!({"coupons": ["TEN"]})).await;
    let base = format!("/api/sites/{}/links", shop.slug);
    for path in [base.clone(), format!("{base}/preview"), format!("{base}/templates")] {
        for code in ["nobody", "theirs", "TEN", "no or", "a\u{0}b", "<b>", &"x".repeat(65)] {
            let wish = json!({"to": "/", "utm_source": "blog", "affiliate": code, "name": "A template"});
            let refused = house.post(&path).token(&shop.token).json(&wish).send().await.is(422);
            assert_eq!(refused.json["error"]["field"], "affiliate", "{path} {code:?}: {}", refused.text);
            let said = refused.json["error"]["message"].as_str().unwrap_or_default();
            assert!(said.contains("halotrack affiliate add") || said.contains("can be no partner's code"), "{said}");
        }
    }
    // In any spelling; the link has the partner's own.
    let made = house.post(&base).token(&shop.token).json(&json!({"to": "/", "affiliate": " nOOr "})).send().await.is(201).json;
    assert_eq!((&made["affiliate"], &made["to"]), (&json!("Noor"), &json!("https://shop.example/?ref=Noor")));
    // A code that only stands in an address is counted beside the partners and earns nothing.
    house.visit(&shop, None, json!({"landing": "/?ref=nobody"})).await;
    // What no eye can see is no part of one, and what can be no code is none.
    house.visit(&shop, None, json!({"landing": "/?ref=no%00body"})).await;
    house.visit(&shop, None, json!({"landing": "/?ref=%00"})).await;
    house.visit(&shop, None, json!({"landing": "/?ref=a%20b"})).await;
    let report = house.get(&format!("/api/sites/{}/reports/affiliates", shop.slug)).token(&shop.token).send().await.is(200).json;
    assert_eq!(report["strangers"], json!([{"code": "nobody", "clicks": 2, "conversions": 0, "net": []}]));
    // A partner who was erased earns nothing: no link is made for them.
    house.of_partner(&shop, &format!("{noor}/erase"), json!({})).await.is(204);
    let refused = house.post(&base).token(&shop.token).json(&json!({"to": "/", "affiliate": "noor"})).send().await.is(422);
    assert!(refused.text.contains("was erased"), "{}", refused.text);
}
