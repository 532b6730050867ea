//! Short links: where they lead, what they count, and how a click is found again behind a sale.

use halotrack::domain::rights::Right;
use halotrack::flows::short_links::write_down;
use serde_json::{Value, json};

use crate::house::{Answer, CHROME, House, SiteAt};

const BOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

async fn make(house: &House, shop: &SiteAt, wish: Value) -> Value {
    house.post(&format!("/api/sites/{}/links", shop.slug)).token(&shop.token).json(&wish).send().await.is(201).json
}

fn code(link: &Value) -> &str {
    link["code"].as_str().expect("a code")
}

/// Somebody with a browser follows a link.
async fn follow(house: &House, link: &Value, query: &str) -> Answer {
    let path = format!("/l/{}{query}", code(link));
    house.get(&path).host("t.shop.example").header("user-agent", CHROME).header("x-forwarded-for", "203.0.113.9").send().await
}

/// The click id at the end of where it led.
fn click_of(answer: &Answer) -> String {
    let to = answer.header("location");
    to.split("halo_click=").nth(1).unwrap_or_default().split(['&', '#']).next().unwrap_or_default().to_owned()
}

async fn listed(house: &House, shop: &SiteAt) -> Value {
    let list = house.get(&format!("/api/sites/{}/links", shop.slug)).token(&shop.token).send().await.is(200).json;
    list["items"][0].clone()
}

async fn touched(house: &House, shop: &SiteAt, to: &str, session: Option<&str>) -> String {
    let landing = to.strip_prefix("https://shop.example").expect("a page of the shop");
    let body = json!({"site": shop.key, "landing": landing, "session_id": session});
    let answer = house.post("/api/touch").browser(shop).json(&body).send().await.is(200);
    answer.json["session_id"].as_str().expect("a session").to_owned()
}

#[tokio::test]
async fn a_link_leads_to_its_page_with_its_words() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.partner(&shop, "ANN", json!({})).await;
    let made = make(
        &house,
        &shop,
        json!({"to": "https://shop.example/sale?size=40#top", "utm_source": "Insta", "utm_medium": "social", "affiliate": "ANN", "label": " Story  on Friday "}),
    )
    .await;
    assert_eq!(made["to"], "https://shop.example/sale?size=40&utm_source=Insta&utm_medium=social&ref=ANN#top");
    assert_eq!((&made["label"], &made["state"], &made["who"]), (&json!("Story on Friday"), &json!("open"), &json!("token_1")));
    assert_eq!(made["url"], format!("http://127.0.0.1:8080/l/{}", code(&made)));

    // On every host, and nothing that comes along says something in our place.
    let query = "?fbclid=IwAR0&utm_source=evil&%75tm_medium=evil&ref=BEN&via=BEN&halo_click=clk_x&size=50&next=https%3A%2F%2Fevil.example";
    for host in ["t.shop.example", "127.0.0.1:8080", "elsewhere.example"] {
        let path = format!("/l/{}{query}", code(&made));
        let got = house.get(&path).host(host).header("user-agent", CHROME).send().await.is(302);
        let click = click_of(&got);
        assert!(click.starts_with("clk_") && click.len() == 36, "{click}");
        let want = format!(
            "https://shop.example/sale?size=40&utm_source=Insta&utm_medium=social&ref=ANN&fbclid=IwAR0&next=https%3A%2F%2Fevil.example&halo_click={click}#top"
        );
        assert_eq!(got.header("location"), want, "{host}");
        assert_eq!((got.header("cache-control"), got.header("referrer-policy")), ("no-store", "strict-origin-when-cross-origin"));
        assert_eq!(got.header("set-cookie"), "");
    }
    for unknown in ["abcdefg", "x", "%2e%2e", "..", "a%20b", &code(&made).to_lowercase(), &format!("{}x", code(&made))] {
        let got = house.get(&format!("/l/{unknown}")).host("t.shop.example").header("user-agent", CHROME).send().await;
        assert_eq!(got.status, if unknown == code(&made) { 302 } else { 404 }, "{unknown}: {}", got.text);
        assert_eq!(got.header("location").is_empty(), unknown != code(&made), "{unknown}");
    }
    house.post(&format!("/l/{}", code(&made))).send().await.is(405);
}

#[tokio::test]
async fn a_link_leads_to_the_sites_own_pages_only() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    house.site("other.example").await;
    let path = format!("/api/sites/{}/links", shop.slug);
    for to in [
        "https://evil.example/",
        "https://other.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://ann:secret@shop.example/",
        "javascript:alert(1)//shop.example",
        "https://127.0.0.1/",
        "",
    ] {
        let refused = house.post(&path).token(&shop.token).json(&json!({"to": to})).send().await.is(422);
        assert_eq!(refused.json["error"]["field"], "to", "{to}: {}", refused.text);
    }
    let refused = house.post(&path).token(&shop.token).json(&json!({"to": "/", "utm_source": "ann@mail.example"})).send().await.is(422);
    assert_eq!(refused.json["error"]["field"], "utm_source");

    // A domain that leaves the site takes its links along; back again, they lead there again.
    let made = make(&house, &shop, json!({"to": "https://shop.example/a"})).await;
    follow(&house, &made, "").await.is(302);
    let set = async |domains: Value| {
        let path = format!("/api/sites/{}/settings", shop.slug);
        house.post(&path).token(&shop.token).json(&json!({"domains": domains})).send().await.is(200)
    };
    set(json!(["new.example"])).await;
    follow(&house, &made, "").await.is(404);
    assert_eq!(listed(&house, &shop).await["state"], "away");
    set(json!(["new.example", "shop.example"])).await;
    follow(&house, &made, "").await.is(302);

    // Ended and opened again, by hand.
    let one = format!("{path}/{}", made["link"].as_str().expect("an id"));
    let ended = house.post(&one).token(&shop.token).json(&json!({"ended": true})).send().await.is(200).json;
    assert_eq!(ended["state"], "ended");
    let gone = follow(&house, &made, "").await.is(404);
    assert!(gone.header("content-type").starts_with("text/html") && gone.text.contains("leads nowhere"), "{}", gone.text);
    let open = house.post(&one).token(&shop.token).json(&json!({"ended": false, "label": "Poster"})).send().await.is(200).json;
    assert_eq!((&open["state"], &open["label"]), (&json!("open"), &json!("Poster")));
    follow(&house, &made, "").await.is(302);
    let audit = house.get(&format!("/api/sites/{}/audit?what=link_changed", shop.slug)).token(&shop.token).send().await.is(200).json;
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn people_and_bots_are_counted_apart_and_looks_not_at_all() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let made = make(&house, &shop, json!({"to": "/", "utm_source": "poster"})).await;
    let path = format!("/l/{}", code(&made));
    let ask = |agent: &'static str| house.get(&path).host("t.shop.example").header("user-agent", agent);
    for _ in 0..3 {
        ask(CHROME).header("referer", "https://www.instagram.com/story/1?secret=x").header("cf-ipcountry", "IE").send().await.is(302);
    }
    for agent in [BOT, "curl/8.5.0", ""] {
        let got = ask(agent).send().await.is(302);
        assert!(!got.header("location").contains("halo_click"), "{agent}: {}", got.header("location"));
    }
    let head = house.call("HEAD", &path).host("t.shop.example").header("user-agent", CHROME).send().await.is(302);
    assert!(head.header("location").contains("utm_source=poster") && head.text.is_empty());
    ask(CHROME).header("sec-purpose", "prefetch;prerender").send().await.is(302);
    ask(CHROME).header("x-purpose", "preview").send().await.is(302);
    let one = listed(&house, &shop).await;
    assert_eq!((&one["clicks"], &one["bots"], &one["visits"]), (&json!(3), &json!(3), &json!(0)), "{one}");
    assert_eq!(one["last_click_at"], "2026-06-13T09:20:00+00:00");
    let path = format!("/api/sites/{}/links/{}", shop.slug, made["link"].as_str().expect("an id"));
    let shown = house.get(&path).token(&shop.token).send().await.is(200).json;
    assert_eq!(shown["days"], json!([{"day": "2026-06-13", "clicks": 3, "bots": 3, "visits": 0}]));
    assert_eq!(shown["referrers"], json!([{"value": "www.instagram.com", "count": 3}]));
    assert_eq!(shown["countries"], json!([{"value": "IE", "count": 3}]));
    assert_eq!(shown["devices"], json!([{"value": "desktop", "count": 3}]));

    // The owner's own people are no clicks.
    let settings = format!("/api/sites/{}/settings", shop.slug);
    house.post(&settings).token(&shop.token).json(&json!({"staff_networks": ["203.0.113.0/24"]})).send().await.is(200);
    follow(&house, &made, "").await.is(302);
    assert_eq!(listed(&house, &shop).await["clicks"], 3);

    // Rows past their time go; what was counted stays.
    house.advance_s(401 * 86_400);
    halotrack::flows::cube::catch_up(&house.app).await.expect("it counts");
    halotrack::flows::retain::run(&house.app).await.expect("it retains");
    let shown = house.get(&path).token(&shop.token).send().await.is(200).json;
    assert_eq!((&shown["clicks"], &shown["bots"], &shown["referrers"]), (&json!(3), &json!(3), &json!([])));
}

#[tokio::test]
async fn a_click_is_found_again_in_a_visit_and_behind_a_sale() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let made =
        make(&house, &shop, json!({"to": "/sale", "utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "Spring"})).await;
    let went = follow(&house, &made, "").await.is(302);
    let click = click_of(&went);
    house.advance_s(60);
    let session = touched(&house, &shop, went.header("location"), None).await;
    // The page is looked at again by the same browser: one visit.
    assert_eq!(touched(&house, &shop, went.header("location"), Some(&session)).await, session);
    house.advance_s(600);

    let sale = json!({"click_id": click, "conversion_type": "sale", "order_id": "A-1", "revenue": 40, "currency": "USD"});
    let told = house.post("/api/conversions").token(&shop.token).json(&sale).send().await.is(201).json;
    assert_eq!((&told["click_id"], &told["attributed"]), (&json!(click), &json!(true)));
    let id = told["conversion_id"].as_str().expect("an id").to_owned();
    let record = house.get(&format!("/api/sites/{}/conversions/{id}", shop.slug)).token(&shop.token).send().await.is(200).json;
    assert_eq!(record["match"]["type"], "click", "{record}");
    let touches = house.get(&format!("/api/conversions/{id}/touchpoints")).token(&shop.token).send().await.is(200).json;
    let first = &touches["data"][0];
    assert_eq!((&first["type"], &first["source"], &first["medium"]), (&json!("link"), &json!("newsletter"), &json!("email")), "{touches}");
    assert_eq!(touches["data"].as_array().map(Vec::len), Some(1), "{touches}");

    // The same browser's own order counts for the link too; what another one does, does not.
    let order =
        json!({"order_id": "A-2", "total": "60.00", "currency": "USD", "email": "a@mail.example", "session_id": session, "status": "paid"});
    house.post("/api/webhook/order").token(&shop.token).json(&order).send().await;
    let order = json!({"order_id": "A-3", "total": "70.00", "currency": "USD", "email": "b@mail.example", "status": "paid"});
    house.post("/api/webhook/order").token(&shop.token).json(&order).send().await;
    let one = listed(&house, &shop).await;
    assert_eq!((&one["clicks"], &one["visits"], &one["conversions"]), (&json!(1), &json!(1), &json!(2)), "{one}");
    assert_eq!(one["net"], json!({"minor": 10_000, "currency": "USD"}));
    // What was sold in another currency is named, and not added.
    let order =
        json!({"order_id": "A-4", "total": "30.00", "currency": "EUR", "email": "a@mail.example", "session_id": session, "status": "paid"});
    house.post("/api/webhook/order").token(&shop.token).json(&order).send().await;
    let one = listed(&house, &shop).await;
    assert_eq!((&one["conversions"], &one["net"]["minor"]), (&json!(3), &json!(10_000)), "{one}");
    assert_eq!(one["net_by_currency"], json!([{"minor": 3_000, "currency": "EUR"}, {"minor": 10_000, "currency": "USD"}]));
}

#[tokio::test]
async fn a_click_id_proves_itself_where_nothing_was_written_down() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let made =
        make(&house, &shop, json!({"to": "/sale", "utm_source": "partner", "utm_medium": "referral", "utm_campaign": "Spring"})).await;
    let click = click_of(&follow(&house, &made, "").await.is(302));
    // The process ends before it was written: the click is not counted, and still it is one.
    let again = house.again();
    again.advance_s(3_600);
    assert_eq!(listed(&again, &shop).await["clicks"], 0);
    let tell = async |site: &SiteAt, order: &str, click: &str| {
        let sale = json!({"click_id": click, "order_id": order, "revenue": 40, "email": format!("{order}@mail.example").to_lowercase()});
        again.post("/api/conversions").token(&site.token).json(&sale).send().await.is(201).json
    };
    let told = tell(&shop, "B-1", &click).await;
    assert_eq!(told["attributed"], true);
    let id = told["conversion_id"].as_str().expect("an id");
    let touches = again.get(&format!("/api/conversions/{id}/touchpoints")).token(&shop.token).send().await.is(200).json;
    let want =
        json!([{"type": "link", "source": "partner", "medium": "referral", "campaign_id": null, "timestamp": "2026-06-13T09:20:00Z"}]);
    for (field, value) in want[0].as_object().expect("fields") {
        if field != "timestamp" {
            assert_eq!(touches["data"][0][field], *value, "{touches}");
        }
    }
    assert!(touches["data"][0]["timestamp"].as_str().is_some_and(|t| t.starts_with("2026-06-13T09:20:00")), "{touches}");
    let record = again.get(&format!("/api/sites/{}/conversions/{id}", shop.slug)).token(&shop.token).send().await.is(200).json;
    assert_eq!((&record["match"]["type"], &record["credited"][0]["campaign"]), (&json!("click"), &json!("Spring")), "{record}");
    assert_eq!(listed(&again, &shop).await["conversions"], 1);
    // A forged one, one of another site, and one that came after the sale are nothing.
    let mut forged = click.clone();
    forged.replace_range(10..11, if &click[10..11] == "A" { "B" } else { "A" });
    assert_eq!(tell(&shop, "B-2", &forged).await["attributed"], false);
    assert_eq!(tell(&other, "B-3", &click).await["attributed"], false);
    let early = json!({"click_id": click, "order_id": "B-4", "revenue": 1, "timestamp": "2026-06-13T08:00:00Z"});
    assert_eq!(again.post("/api/conversions").token(&shop.token).json(&early).send().await.is(201).json["attributed"], false);
    // A form that passes the parameter on is matched as well.
    let lead = json!({"lead_id": "L-1", "email": "c@mail.example", "halo_click": click});
    let taken = again.post("/api/webhook/lead").token(&shop.token).json(&lead).send().await.is(200).json;
    assert_eq!((&taken["attributed"], &taken["match_type"]), (&json!(true), &json!("click")), "{taken}");
}

#[tokio::test]
async fn known_words_are_offered_and_near_ones_doubted() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    make(&house, &shop, json!({"to": "/", "utm_source": "facebook", "utm_campaign": "Spring Sale"})).await;
    let path = format!("/api/sites/{}/links", shop.slug);
    let words = house.get(&format!("{path}/words")).token(&shop.token).send().await.is(200).json;
    assert_eq!(words["utm_source"], json!([{"word": "facebook", "links": 1, "visits": 0}]));
    let wish = json!({"to": "shop.example/a", "utm_source": "Facebook", "utm_medium": "social", "utm_campaign": "spring_sale"});
    let seen = house.post(&format!("{path}/preview")).token(&shop.token).json(&wish).send().await.is(200).json;
    assert_eq!(seen["to"], "https://shop.example/a?utm_source=Facebook&utm_medium=social&utm_campaign=spring_sale");
    assert_eq!(
        seen["doubts"],
        json!([{"field": "utm_source", "said": "Facebook", "known": "facebook"},
            {"field": "utm_campaign", "said": "spring_sale", "known": "Spring Sale"}])
    );
    let list = house.get(&path).token(&shop.token).send().await.is(200).json;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "a preview makes nothing");
    for (query, count) in [("q=SPRING", 1), ("q=nothing", 0), ("from=2026-06-13&to=2026-06-13", 1), ("to=2026-06-12", 0)] {
        let list = house.get(&format!("{path}?{query}")).token(&shop.token).send().await.is(200).json;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(count), "{query}");
    }
    let csv = house.get(&format!("{path}.csv")).token(&shop.token).send().await.is(200).text;
    assert!(csv.starts_with("link,url,to,label,utm_source,") && csv.contains(",facebook,,Spring Sale,"), "{csv}");
}

#[tokio::test]
async fn whose_links_they_are() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let made = make(&house, &shop, json!({"to": "/"})).await;
    let path = format!("/api/sites/{}/links", other.slug);
    let list = house.get(&path).token(&other.token).send().await.is(200).json;
    assert_eq!(list["items"], json!([]));
    house.get(&format!("{path}/{}", made["link"].as_str().expect("an id"))).token(&other.token).send().await.is(404);
    let client = house.login("eve@shop.example", Right::See, Some(shop.id)).await;
    house.get(&format!("/api/sites/{}/links", shop.slug)).cookie(&client).send().await.is(403);
    let reader = house.login("ben@shop.example", Right::Read, Some(shop.id)).await;
    house.get(&format!("/api/sites/{}/links", shop.slug)).cookie(&reader).send().await.is(200);
    house.post(&format!("/api/sites/{}/links", shop.slug)).cookie(&reader).json(&json!({"to": "/"})).send().await.is(403);
}

#[tokio::test]
async fn whoever_tries_codes_is_slowed_down() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let made = make(&house, &shop, json!({"to": "/"})).await;
    let guess = async |from: &str, code: &str| {
        let path = format!("/l/{code}");
        house.get(&path).host("t.shop.example").header("user-agent", CHROME).header("x-forwarded-for", from).send().await
    };
    for n in 0..30 {
        guess("198.51.100.7", &format!("guess{n}")).await.is(404);
    }
    let slowed = guess("198.51.100.7", "guessed").await.is(429);
    assert!(!slowed.header("retry-after").is_empty());
    guess("198.51.100.8", "guessed").await.is(404);
    for _ in 0..160 {
        guess("198.51.100.7", code(&made)).await.is(302);
    }
    assert_eq!(listed(&house, &shop).await["clicks"], 160);
    for _ in 0..9 {
        guess("198.51.100.7", code(&made)).await;
    }
    guess("198.51.100.7", code(&made)).await.is(429);
}

#[tokio::test]
async fn an_erased_person_leaves_no_click_behind() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let made = make(&house, &shop, json!({"to": "/", "utm_source": "poster"})).await;
    let went = follow(&house, &made, "").await.is(302);
    let direct = click_of(&follow(&house, &made, "").await.is(302));
    let session = touched(&house, &shop, went.header("location"), None).await;
    house.advance_s(60);
    let order = json!({"order_id": "E-1", "total": "60.00", "currency": "USD", "email": "gone@mail.example", "session_id": session, "status": "paid"});
    house.post("/api/webhook/order").token(&shop.token).json(&order).send().await;
    let sale = json!({"click_id": direct, "order_id": "E-2", "revenue": 5, "email": "gone@mail.example"});
    house.post("/api/conversions").token(&shop.token).json(&sale).send().await.is(201);
    write_down(&house.app).await.expect("it is written");
    let path = format!("/api/sites/{}/people/export?email=gone@mail.example", shop.slug);
    let all = house.get(&path).token(&shop.token).send().await.is(200).json;
    assert!(all.to_string().contains("link_clicks"), "{all:#}");
    let done = house
        .post(&format!("/api/sites/{}/erasures", shop.slug))
        .token(&shop.token)
        .json(&json!({"email": "gone@mail.example"}))
        .send()
        .await;
    assert!(matches!(done.status, 200 | 201), "{}", done.text);
    assert_eq!(done.json["rows"]["link_clicks"], 2, "{}", done.text);
    let one = listed(&house, &shop).await;
    assert_eq!((&one["clicks"], &one["conversions"]), (&json!(2), &json!(2)), "what was counted stays: {one}");
}

#[tokio::test]
async fn words_are_kept_under_a_name() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let path = format!("/api/sites/{}/links/templates", shop.slug);
    let keep = async |body: Value| house.post(&path).token(&shop.token).json(&body).send().await;
    let words =
        json!({"name": " Newsletter ", "to": "/news", "utm_source": "newsletter", "utm_medium": "email", "label": "x", "utm_term": ""});
    let kept = keep(words).await.is(201).json;
    assert_eq!(kept["words"], json!({"to": "/news", "utm_source": "newsletter", "utm_medium": "email"}));
    let again = keep(json!({"name": "Newsletter", "utm_source": "letter"})).await.is(201).json;
    assert_eq!((&again["template"], &again["words"]), (&kept["template"], &json!({"utm_source": "letter"})), "in the place of what it had");
    for (body, field) in [
        (json!({"name": "", "utm_source": "x"}), "name"),
        (json!({"name": "Nothing"}), "utm_source"),
        (json!({"name": "A person", "utm_campaign": "ann@mail.example"}), "utm_campaign"),
    ] {
        assert_eq!(keep(body).await.is(422).json["error"]["field"], field);
    }
    let listed = house.get(&path).token(&shop.token).send().await.is(200).json;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    // A link is made of it as of typed words, and stays when it goes.
    let other = house.site("other.example").await;
    let one = format!("{path}/{}", kept["template"].as_str().expect("an id"));
    house.delete(&one.replace("/shop/", "/other/")).token(&other.token).send().await.is(404);
    house.delete(&one).token(&shop.token).send().await.is(204);
    house.delete(&one).token(&shop.token).send().await.is(404);
    let reader = house.login("reader@shop.example", halotrack::domain::rights::Right::Read, Some(shop.id)).await;
    house.post(&path).cookie(&reader).json(&json!({"name": "x", "utm_source": "x"})).send().await.is(403);
}
