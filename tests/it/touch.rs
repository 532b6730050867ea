//! Pages and what they say of a visit: who is the same visitor, which touch is first and last, what may be kept, and
//! what is refused.

use serde_json::{Value, json};

use crate::house::{CHROME, House, SiteAt};
use crate::story::ends;

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// How many touches a conversion of now would see of this browser.
async fn touches(house: &House, site: &SiteAt, id: &str) -> Vec<String> {
    let told = house.conversion(site, json!({"conversion_type": "custom", "custom_data": {"event_name": "look"}, "session_id": id})).await;
    let receipt = house.receipt(site, told.is(201).json["conversion_id"].as_str().expect("an id")).await;
    let touches = receipt["touches"].as_array().cloned().unwrap_or_default();
    touches.iter().map(|t| format!("{}/{}", t["source"].as_str().unwrap_or("-"), t["campaign"].as_str().unwrap_or("-"))).collect()
}

#[tokio::test]
async fn a_visitor_is_known_by_the_cookie_for_a_year() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let first = house.touch(&site, None, json!({"utm_source": "news", "utm_medium": "email"})).await.is(200);
    let id = first.json["session_id"].as_str().expect("an id").to_owned();
    assert_eq!(first.cookie(), format!("_halo={id}"));
    assert_eq!(first.header("set-cookie"), format!("_halo={id}; Max-Age=31536000; Path=/; Domain=shop.example; SameSite=Lax; Secure"));
    house.advance_s(300 * 86_400);
    let again = house.touch(&site, Some(&id), json!({"landing": "/pricing"})).await.is(200);
    assert_eq!(again.json["session_id"], json!(id));
    assert!(again.header("set-cookie").contains("Max-Age=31536000"), "the year begins anew with each visit");
    assert_eq!(house.visit(&site, None, json!({"session_id": id})).await, id, "the body serves where no cookie came");
    assert_eq!(house.sql(&site, "select * from sessions").len(), 1);
}

#[tokio::test]
async fn the_cookie_goes_only_to_hosts_of_the_site() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let body = json!({"site": site.key, "landing": "/"}).to_string();
    let call = |host: &str| house.post("/api/touch").browser(&site).host(host).body(body.clone()).send();
    for host in ["t.shop.example", "shop.example", "a.b.shop.example"] {
        assert!(call(host).await.is(200).cookie().starts_with("_halo="), "{host}");
    }
    for host in ["t.other.example", "notshop.example", "shop.example.evil.example", "127.0.0.1:8080"] {
        let answer = call(host).await.is(200);
        assert_eq!(answer.header("set-cookie"), "", "{host}");
        assert!(answer.json["session_id"].is_string(), "{host}: the tag keeps the id itself");
    }
    let plain = house.post("/api/touch").browser(&site).header("x-forwarded-proto", "http").body(body.clone()).send().await.is(200);
    assert!(!plain.header("set-cookie").contains("Secure"), "on http it must be sent back on http");
}

#[tokio::test]
async fn an_id_that_is_not_ours_is_nothing() {
    let house = House::new();
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    let mine = house.visit(&site, None, json!({})).await;
    let theirs = house.visit(&other, None, json!({})).await;
    let last = if mine.ends_with('b') { 'c' } else { 'b' };
    let changed = format!("{}{last}", &mine[..mine.len() - 1]);
    let mut seen = vec![mine.clone(), theirs.clone()];
    for bad in [theirs.as_str(), &changed, "1", &"x".repeat(40), &"0".repeat(64), "a;b"] {
        for by_body in [false, true] {
            let id = match by_body {
                true => house.visit(&site, None, json!({"session_id": bad})).await,
                false => house.visit(&site, Some(bad), json!({})).await,
            };
            assert!(!seen.contains(&id) && id != bad, "{bad} gave {id}");
            seen.push(id);
        }
    }
    assert_eq!(house.sql(&other, "select * from sessions").len(), 1, "nothing was written into the other site");
    // An address that carries a good id makes nobody its owner.
    let link = format!("/?_halo={mine}&session_id={mine}&halo_session_id={mine}");
    let id = house.visit(&site, None, json!({"landing": link, "url": format!("https://shop.example{link}")})).await;
    assert_ne!(id, mine);
    assert!(!house.session(&site, &id)["ft_landing"].to_string().contains(&mine), "nor is it kept");
}

#[tokio::test]
async fn of_several_cookies_the_oldest_of_ours_counts() {
    let house = House::new();
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    let old = house.visit(&site, None, json!({})).await;
    let foreign = house.visit(&other, None, json!({})).await;
    house.advance_s(2);
    let new = house.visit(&site, None, json!({})).await;
    house.advance_s(2);
    for (cookies, want) in [
        (format!("_halo={new}; _halo={old}"), &old),
        (format!("a=b; _halo={old}; _halo={new}"), &old),
        (format!("_halo={foreign}; _halo={new}"), &new),
        (format!("_halo=forged; other=1; _halo={new}"), &new),
    ] {
        let call = house.post("/api/touch").browser(&site).header("cookie", &cookies);
        let answer = call.body(json!({"site": site.key, "landing": "/", "session_id": foreign}).to_string()).send().await.is(200);
        assert_eq!(answer.json["session_id"], json!(want), "{cookies}");
    }
    let call = house.post("/api/touch").browser(&site).header("cookie", &format!("_halo={new}"));
    let answer = call.body(json!({"site": site.key, "landing": "/", "session_id": old}).to_string()).send().await.is(200);
    assert_eq!(answer.json["session_id"], json!(new), "a valid cookie comes before the body");
}

#[tokio::test]
async fn first_stays_and_last_follows_but_never_to_direct() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "one"})).await;
    assert_eq!(ends(&house.session(&site, &id)), "google/cpc/one → google/cpc/one");
    let steps: [(i64, Value, &str); 6] = [
        (3_600, json!({}), "google/cpc/one → google/cpc/one"),
        (60, json!({"utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "two"}), "google/cpc/one → newsletter/email/two"),
        (86_400, json!({}), "google/cpc/one → newsletter/email/two"),
        (60, json!({"referrer": "https://pay.stripe.com/x"}), "google/cpc/one → newsletter/email/two"),
        (3_600, json!({"referrer": "https://www.shop.example/checkout"}), "google/cpc/one → newsletter/email/two"),
        (60, json!({"referrer": "https://chatgpt.com/"}), "google/cpc/one → chatgpt/ai/-"),
    ];
    for (wait_s, fields, want) in steps {
        house.advance_s(wait_s);
        assert_eq!(house.visit(&site, Some(&id), fields.clone()).await, id);
        assert_eq!(ends(&house.session(&site, &id)), want, "after {fields}");
    }
}

#[tokio::test]
async fn a_direct_beginning_gives_way_as_last_but_stays_first() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({})).await;
    house.advance_s(60);
    house.visit(&site, Some(&id), json!({"fbclid": "IwAR-1"})).await;
    assert_eq!(ends(&house.session(&site, &id)), "direct/(none)/- → facebook/paid_social/-");
}

#[tokio::test]
async fn history_may_come_before_the_first_touch_in_any_order() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let told = [(48, "b"), (2, "d"), (240, "a"), (24, "c")];
    let mut orders: Vec<Vec<usize>> = Vec::new();
    for a in 0..4 {
        for b in 0..4 {
            for c in 0..4 {
                let d = 6 - (a + b + c).min(6);
                let order = vec![a, b, c, d];
                if (0..4).all(|n| order.contains(&n)) {
                    orders.push(order);
                }
            }
        }
    }
    assert_eq!(orders.len(), 24);
    for (n, order) in orders.iter().enumerate() {
        let own = format!("visitor {n}");
        let mut id = String::new();
        for place in order {
            let (hours, campaign) = told[*place];
            let utm = json!({"utm_source": "import", "utm_medium": "email", "utm_campaign": campaign});
            id = house.history(&site, Some(&own), hours, utm).await;
        }
        assert_eq!(ends(&house.session(&site, &id)), "import/email/a → import/email/d", "told in the order {order:?}");
    }
    assert_eq!(house.sql(&site, "select * from sessions").len(), 24, "a server's own name for a visitor is one session");
    let live = house.visit(&site, None, json!({"utm_source": "live", "utm_medium": "cpc"})).await;
    house.history(&site, Some(&live), 100, json!({"utm_source": "older", "utm_medium": "email"})).await;
    assert_eq!(ends(&house.session(&site, &live)), "older/email/- → live/cpc/-", "history comes before, and never after");
}

#[tokio::test]
async fn a_servers_time_is_believed_within_limits_and_a_browsers_never() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"at": "2020-01-01T00:00:00Z", "ip": "8.8.8.8"})).await;
    assert_eq!(house.session(&site, &id)["ft_timestamp"], json!("2026-06-13T09:20:00Z"));
    for bad in [json!("yesterday"), json!("2026-06-14T09:20:00Z"), json!("2024-01-01T00:00:00Z"), json!({}), json!("")] {
        let body = json!({"landing": "/", "at": bad, "user_agent": CHROME});
        let refused = house.post("/api/touch").token(&site.token).json(&body).send().await.is(422);
        assert_eq!((&refused.json["code"], &refused.json["success"]), (&json!("invalid_field"), &json!(false)), "{bad}");
    }
}

#[tokio::test]
async fn the_same_click_or_campaign_is_one_touch() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"gclid": "click-1", "utm_campaign": "a"})).await;
    let steps: [(i64, Value); 8] = [
        (60, json!({"landing": "/second?gclid=click-1"})),              // the same click: no touch
        (5 * 86_400, json!({"gclid": "click-1", "utm_campaign": "a"})), // ever
        (60, json!({"gclid": "click-2", "utm_campaign": "a"})),         // another click: a touch
        (3_600, json!({"utm_source": "news", "utm_campaign": "n"})),    // a touch
        (29 * 60, json!({"utm_source": "news", "utm_campaign": "n"})),  // within half an hour: none
        (29 * 60, json!({"utm_source": "news", "utm_campaign": "n"})),  // the half hour began with the touch: one
        (60, json!({"utm_source": "News ", "utm_campaign": "n"})),      // however it is spelled: none
        (60, json!({"utm_source": "news", "utm_campaign": "other"})),   // another campaign: a touch
    ];
    for (wait_s, fields) in steps {
        house.advance_s(wait_s);
        house.visit(&site, Some(&id), fields).await;
    }
    house.advance_s(60);
    assert_eq!(touches(&house, &site, &id).await, ["google/a", "google/a", "news/n", "news/n", "news/other"]);
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_counts_once() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let touch = json!({"event_id": "e-1", "utm_source": "retry", "utm_medium": "email"});
    let id = house.visit(&site, None, touch.clone()).await;
    for _ in 0..3 {
        house.advance_s(2_000);
        assert_eq!(house.visit(&site, None, touch.clone()).await, id, "without the cookie that the lost answer carried");
    }
    assert_eq!(house.sql(&site, "select * from sessions").len(), 1);
    assert_eq!(touches(&house, &site, &id).await.len(), 1);
    let other = house.site("other.example").await;
    assert_ne!(house.visit(&other, None, touch).await, id, "the word is one site's own");
    let refused = json!({"event_id": "e-2", "consent": "denied"});
    for _ in 0..2 {
        assert_eq!(house.touch(&site, None, refused.clone()).await.is(200).json, json!({"session_id": null}));
    }
    assert_eq!(house.sql(&site, "select * from anon_events").len(), 1, "a refused one too");
}

#[tokio::test]
async fn where_a_visitor_came_from() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let rows: Vec<(Value, &str)> = vec![
        (json!({"gclid": "x1"}), "google/cpc"),
        (json!({"landing": "/?gbraid=x2"}), "google/cpc"),
        (json!({"wbraid": "x3"}), "google/cpc"),
        (json!({"fbclid": "x4"}), "facebook/paid_social"),
        (json!({"ttclid": "x5"}), "tiktok/cpc"),
        (json!({"msclkid": "x6"}), "bing/cpc"),
        (
            json!({"utm_source": "partner-a", "utm_medium": "partner", "gclid": "x7", "referrer": "https://www.google.com/"}),
            "partner-a/partner",
        ),
        (json!({"fbclid": "x8", "referrer": "https://www.google.com/"}), "facebook/paid_social"),
        (json!({"referrer": "https://www.google.com/"}), "google/organic"),
        (json!({"referrer": "https://l.instagram.com/?u=x"}), "instagram/social"),
        (json!({"referrer": "https://chatgpt.com/"}), "chatgpt/ai"),
        (json!({"referrer": "https://example.org/page?x=1"}), "example.org/referral"),
        (json!({"referrer": ""}), "direct/(none)"),
        (json!({"referrer": "https://www.paypal.com/checkout"}), "direct/(none)"),
        (json!({"referrer": "https://sub.shop.example/a"}), "direct/(none)"),
        (json!({"landing": "/?utm_source=fb&utm_medium=cpc"}), "facebook/cpc"),
        (json!({"utm_source": "Facebook", "utm_medium": "cpc"}), "facebook/cpc"),
        (json!({"utm_source": "m.facebook.com", "utm_medium": "cpc"}), "facebook/cpc"),
    ];
    for (fields, want) in rows {
        let id = house.visit(&site, None, fields.clone()).await;
        assert_eq!(ends(&house.session(&site, &id)).split("/-").next(), Some(want), "{fields}");
    }
}

#[tokio::test]
async fn only_named_query_parameters_are_kept() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let link = "/offer?utm_source=news&email=ann%40mail.example&reset=s3cr3t-t0ken&gclid=abc#frag-ment";
    let url = format!("https://shop.example{link}");
    let id = house.visit(&site, None, json!({"landing": link, "url": url, "referrer": "https://mail.example/inbox?q=s3cr3t-t0ken"})).await;
    let row = house.session(&site, &id);
    assert!(row["ft_landing"].as_str().is_some_and(|l| l.starts_with("/offer")), "{row}");
    let shown = house.sql(&site, "select * from sessions").iter().map(Value::to_string).collect::<String>();
    for word in ["ann%40", "ann@", "s3cr3t", "frag-ment"] {
        assert!(!shown.contains(word), "{word} is kept: {shown}");
    }
}

#[tokio::test]
async fn devices_are_told_apart_and_bots_left_out() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let with = |agent: &str, header: Option<(&str, &str)>| {
        let call = house.post("/api/touch").browser(&site).header("user-agent", agent);
        let call = header.into_iter().fold(call, |c, (n, v)| c.header(n, v));
        call.body(json!({"site": site.key, "landing": "/", "utm_source": "agent"}).to_string()).send()
    };
    let phone = with(IPHONE, None).await.is(200).json["session_id"].as_str().expect("an id").to_owned();
    let desk = with(CHROME, None).await.is(200).json["session_id"].as_str().expect("an id").to_owned();
    assert_eq!(house.session(&site, &phone)["device_type"], json!("mobile"));
    assert!(house.session(&site, &phone)["os"].as_str().is_some_and(|os| os.contains("iOS")));
    assert_eq!(house.session(&site, &desk)["device_type"], json!("desktop"));
    assert!(house.session(&site, &desk)["browser"].as_str().is_some_and(|b| b.contains("Chrome")));
    for (agent, header) in [
        (GOOGLEBOT, None),
        ("curl/8.5.0", None),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36", None),
        (CHROME, Some(("sec-purpose", "prefetch;prerender"))),
        (CHROME, Some(("purpose", "prefetch"))),
        (CHROME, Some(("x-purpose", "preview"))),
    ] {
        let answer = with(agent, header).await.is(200);
        assert_eq!((answer.header("x-halo-dropped"), &answer.json["session_id"]), ("bot", &Value::Null), "{agent} {header:?}");
        assert_eq!(answer.header("set-cookie"), "");
        assert_eq!(answer.header("access-control-expose-headers"), "x-halo-dropped", "the page may read it");
    }
    assert_eq!(house.sql(&site, "select * from sessions").len(), 2);
}

#[tokio::test]
async fn unknown_consent_follows_the_sites_mode() {
    use halotrack::domain::consent::Mode;
    let house = House::new();
    let far = json!({"time_zone": "America/New_York"});
    let near = json!({"time_zone": "Europe/Berlin"});
    let rows: Vec<(&str, Mode, Option<&str>, &Value, bool)> = vec![
        ("in.example", Mode::OptIn, None, &Value::Null, false),
        ("out.example", Mode::OptOut, None, &near, true),
        ("de.example", Mode::Auto, Some("DE"), &Value::Null, false),
        ("us.example", Mode::Auto, Some("US"), &Value::Null, true),
        ("zone.example", Mode::Auto, Some("US"), &near, false),
        ("away.example", Mode::Auto, Some("US"), &far, true),
    ];
    for (domain, mode, country, fields, is_kept) in rows {
        let site = house
            .site_with(domain, |new| {
                new.consent = mode;
                new.country = country.map(str::to_owned);
            })
            .await;
        let answer = house.touch(&site, None, fields.clone()).await.is(200);
        assert_eq!(answer.json["session_id"].is_string(), is_kept, "{domain} {fields}");
        assert_eq!(
            answer.header("set-cookie").contains("_halo=") && !answer.header("set-cookie").contains("Max-Age=0"),
            is_kept,
            "{domain}"
        );
        assert_eq!(house.sql(&site, "select * from sessions").len(), usize::from(is_kept), "{domain}");
        assert_eq!(house.sql(&site, "select * from anon_events").len(), usize::from(!is_kept), "{domain}");
    }
}

#[tokio::test]
async fn a_refusal_leaves_one_row_without_a_name() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let fields = json!({
        "consent": "denied", "landing": "/landing?utm_source=news&note=n0te", "utm_source": "news", "utm_medium": "email", "utm_campaign": "c1",
        "referrer": "https://partner.example.org/deep?x=n0te", "ga_client_id": "1.2", "fbp": "fb.1.1.1", "event_id": "ev-1"
    });
    let answer = house.touch(&site, None, fields).await.is(200);
    assert_eq!(answer.json, json!({"session_id": null}));
    assert!(!answer.header("set-cookie").contains("_halo=a"), "{}", answer.header("set-cookie"));
    let rows = house.sql(&site, "select * from anon_events");
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((&row["utm_source"], &row["utm_medium"], &row["utm_campaign"]), (&json!("news"), &json!("email"), &json!("c1")));
    assert_eq!((&row["page_path"], &row["referrer_domain"]), (&json!("/landing"), &json!("partner.example.org")));
    assert!(!row.to_string().contains("n0te"), "{row}");
    assert_eq!(house.sql(&site, "select * from sessions"), Vec::<Value>::new());
    // A page that itself reads the refusal and has a broken referrer is no error (bad input 6).
    let broken = house.touch(&site, None, json!({"consent": "denied", "referrer": "http://["})).await.is(200);
    assert_eq!(broken.json, json!({"session_id": null}));
}

#[tokio::test]
async fn a_refusal_clears_the_cookie_and_a_later_yes_begins_anew() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"consent": "granted", "utm_source": "news"})).await;
    house.advance_s(60);
    let refused = house.touch(&site, Some(&id), json!({"consent": "denied"})).await.is(200);
    assert_eq!(refused.json, json!({"session_id": null}));
    assert_eq!(refused.header("set-cookie"), "_halo=; Max-Age=0; Path=/; Domain=shop.example; SameSite=Lax; Secure");
    assert_eq!(house.session(&site, &id)["consent_status"], json!("denied"));
    // What was answered before is not forgotten.
    let db = rusqlite::Connection::open(house.data().join(halotrack::store::FILE)).expect("the file");
    let answers = "select group_concat(marketing || ' ' || at) from (select marketing, at from consents
        union all select marketing, consent_at from sessions where consent_at is not null order by 2)";
    let answers: String = db.query_row(answers, [], |row| row.get(0)).expect("answers");
    let now = house.clock.now().ms();
    assert_eq!(answers, format!("granted {},denied {now}", now - 60_000));
    house.advance_s(60);
    let later = house.visit(&site, None, json!({"consent": "granted"})).await;
    assert_ne!(later, id);
}

#[tokio::test]
async fn privacy_signals_of_the_browser_are_a_refusal() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let with = |name: &str, value: &str, body: Value| {
        let mut fields = json!({"site": site.key, "landing": "/"});
        fields.as_object_mut().expect("an object").extend(body.as_object().cloned().unwrap_or_default());
        house.post("/api/touch").browser(&site).header(name, value).body(fields.to_string()).send()
    };
    let mut told = vec![("sec-gpc", "1", json!({})), ("dnt", "1", json!({})), ("sec-gpc", " 1 ", json!({}))];
    for yes in [json!(true), json!(1), json!("1"), json!("yes"), json!("Yes"), json!("true")] {
        told.extend([("x-none", "1", json!({"gpc": yes})), ("x-none", "1", json!({"dnt": yes}))]);
    }
    let count = told.len();
    for (name, value, body) in told {
        assert_eq!(with(name, value, body.clone()).await.is(200).json["session_id"], Value::Null, "{name} {body}");
    }
    for no in [json!(false), json!(0), json!("0"), json!("no"), json!(""), json!("unspecified"), json!(null), json!({})] {
        house.advance_s(10);
        let body = json!({"gpc": no, "dnt": no});
        assert!(with("sec-gpc", "0", body.clone()).await.is(200).json["session_id"].is_string(), "{body}");
    }
    assert_eq!(house.sql(&site, "select * from anon_events").len(), count);
}

#[tokio::test]
async fn consent_managers_cookies_are_read_on_the_server() {
    use halotrack::domain::consent::Mode;
    let house = House::new();
    let strict = house.site_with("strict.example", |new| new.consent = Mode::OptIn).await;
    let easy = house.site("easy.example").await;
    for (name, yes, no) in [
        (
            "cookieyes-consent=consentid:abc,consent:yes,action:yes,necessary:yes,functional:{},analytics:{},performance:{},advertisement:{}",
            "yes",
            "no",
        ),
        ("CookieConsent={stamp:%27abc%27%2Cnecessary:true%2Cpreferences:{}%2Cstatistics:{}%2Cmarketing:{}%2Cver:1}", "true", "false"),
    ] {
        let granted = name.replace("{}", yes);
        let denied = name.replace("{}", no);
        assert!(house.touch(&strict, None, json!({"consent_cookies": granted})).await.is(200).json["session_id"].is_string(), "{granted}");
        assert_eq!(house.touch(&easy, None, json!({"consent_cookies": denied})).await.is(200).json["session_id"], Value::Null, "{denied}");
        // Two words against each other: the refusal wins.
        let both = json!({"consent": "granted", "consent_cookies": denied});
        assert_eq!(house.touch(&easy, None, both).await.is(200).json["session_id"], Value::Null, "{denied}");
    }
    for no in [json!({"analytics": false, "marketing": false}), json!({"analytics": 0}), json!("withdrawn"), json!("none"), json!("off")] {
        assert_eq!(house.touch(&easy, None, json!({"consent": no})).await.is(200).json["session_id"], Value::Null, "{no}");
    }
    for bad in [json!(7), json!(["granted"]), json!({"analytics": ["no"]})] {
        assert_eq!(house.touch(&easy, None, json!({"consent": bad})).await.is(422).json["code"], json!("invalid_field"));
    }
}

#[tokio::test]
async fn pages_of_others_are_refused_by_name() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let from = |origin: &str| {
        let body = json!({"site": site.key, "landing": "/", "utm_source": "foreign"}).to_string();
        house.post("/api/touch").browser(&site).header("origin", origin).body(body).send()
    };
    for origin in [
        "https://evil.example",
        "https://notshop.example",
        "https://shop.example.evil.example",
        "null",
        "file://",
        "https://shop.example:8443",
    ] {
        let refused = from(origin).await.is(403);
        assert_eq!((&refused.json["code"], &refused.json["success"]), (&json!("origin_not_allowed"), &json!(false)), "{origin}");
        assert_eq!(refused.header("access-control-allow-origin"), "", "{origin}");
        assert!(refused.json["request_id"].is_string());
    }
    assert!(from("https://evil.example").await.text.contains("Add https://evil.example to this site's allowed origins."));
    for origin in ["https://shop.example", "https://www.shop.example", "http://shop.example"] {
        let taken = from(origin).await.is(200);
        assert_eq!(taken.header("access-control-allow-origin"), origin);
        assert_eq!(taken.header("access-control-allow-credentials"), "true");
        assert!(taken.header("vary").to_lowercase().contains("origin"));
    }
    assert_eq!(house.sql(&site, "select * from sessions").len(), 3);
    let bare = house.post("/api/touch").host("t.shop.example").body(json!({"site": site.key, "landing": "/"}).to_string()).send().await;
    assert_eq!(bare.is(403).json["code"], json!("origin_not_allowed"), "no origin and no token");
}

#[tokio::test]
async fn a_site_is_found_by_key_or_by_the_pages_origin() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let inner = house.site("inner.shop.example").await;
    for (origin, owner) in [("https://shop.example", &site), ("https://www.inner.shop.example", &inner)] {
        let body = json!({"landing": "/", "utm_source": "by-origin"}).to_string();
        house.post("/api/touch").browser(&site).header("origin", origin).body(body).send().await.is(200);
        assert_eq!(house.sql(owner, "select * from sessions").len(), 1, "{origin}");
    }
    let unknown = house.post("/api/touch").browser(&site).body(json!({"landing": "/", "site": "nothing"}).to_string()).send().await.is(404);
    assert_eq!(unknown.json["code"], json!("unknown_site"));
    let nowhere =
        house.post("/api/touch").browser(&site).header("origin", "https://nowhere.example").body(r#"{"landing":"/"}"#).send().await;
    assert_eq!(nowhere.is(404).json["code"], json!("unknown_site"));
}

#[tokio::test]
async fn malformed_fields_are_named_and_nothing_is_kept() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for (fields, field) in [
        (json!({"utm_source": {"a": 1}}), "utm_source"),
        (json!({"utm_source": "x".repeat(9_000)}), "utm_source"),
        (json!({"utm_campaign": "x".repeat(256)}), "utm_campaign"),
        (json!({"utm_medium": 7}), "utm_medium"),
        (json!({"gclid": ["a"]}), "gclid"),
        (json!({"landing": {}}), "landing"),
        (json!({"referrer": 1}), "referrer"),
        (json!({"session_id": {"$ne": ""}}), "session_id"),
        (json!({"event_id": true}), "event_id"),
    ] {
        let refused = house.touch(&site, None, fields.clone()).await.is(422);
        assert_eq!(refused.json["code"], json!("invalid_field"), "{fields}");
        assert!(refused.text.contains(field), "{}", refused.text);
    }
    for bad in ["", "[]", "7", "{", "null", "{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}"] {
        let refused = house.post("/api/touch").browser(&site).body(bad).send().await.is(400);
        assert_eq!(refused.json["code"], json!("bad_json"), "{bad}");
    }
    let deep = "[".repeat(100_000);
    house.post("/api/touch").browser(&site).body(&deep[..15_000]).send().await.is(400);
    assert_eq!(
        house.post("/api/touch").browser(&site).body("x".repeat(16 * 1024 + 1)).send().await.is(413).json["code"],
        json!("body_too_large")
    );
    let packed = house.post("/api/touch").browser(&site).header("content-encoding", "gzip").body("x").send().await;
    assert_eq!(packed.is(415).json["code"], json!("compressed_body"));
    assert_eq!(house.sql(&site, "select * from sessions"), Vec::<Value>::new());
    // Control and bidi marks are stripped, not refused.
    let id = house
        .visit(&site, None, json!({"utm_source": "ne\u{0}ws\u{202e}", "utm_medium": "e\u{7}mail", "utm_campaign": "\u{2066}a\u{2069}"}))
        .await;
    assert_eq!(ends(&house.session(&site, &id)), "news/email/a → news/email/a");
}

#[tokio::test]
async fn a_flood_from_one_address_stops_alone() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let from = |address: &str| {
        let body = json!({"site": site.key, "landing": "/"}).to_string();
        house.post("/api/touch").browser(&site).header("x-forwarded-for", address).body(body).send()
    };
    let mut taken = 0;
    let refused = loop {
        let answer = from("198.51.100.9").await;
        if answer.status != 200 {
            break answer;
        }
        taken += 1;
        assert!(taken < 100, "nothing stops the flood");
    };
    assert_eq!((taken, refused.status, refused.header("x-halo-dropped")), (20, 429, "limited"));
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|s| s >= 1));
    from("198.51.100.10").await.is(200);
    from("2001:db8::1").await.is(200);
    house.advance_s(1);
    for _ in 0..5 {
        from("198.51.100.9").await.is(200);
    }
    from("198.51.100.9").await.is(429);
    assert_eq!(house.sql(&site, "select * from sessions").len(), 27);
}

#[tokio::test]
async fn one_network_of_the_new_internet_is_one_address() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let mut taken = 0;
    for n in 0..40 {
        let call = house.post("/api/touch").browser(&site).header("x-forwarded-for", &format!("2001:db8:1:2::{n:x}"));
        taken += u16::from(call.body(json!({"site": site.key, "landing": "/"}).to_string()).send().await.status == 200);
    }
    assert_eq!(taken, 20);
}

#[tokio::test]
async fn one_browser_is_counted_two_hundred_times_a_day() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({})).await;
    for n in 0..200 {
        house.advance_s(1);
        let answer = house.touch(&site, Some(&id), json!({})).await.is(200);
        if !answer.header("x-halo-dropped").is_empty() {
            panic!("dropped after {n}");
        }
    }
    let answer = house.touch(&site, Some(&id), json!({})).await.is(200);
    assert_eq!(answer.header("x-halo-dropped"), "limited");
    assert_eq!(answer.json["session_id"], id.as_str(), "a page that keeps the id itself must not lose it");
    assert_eq!(answer.header("set-cookie"), "", "the cookie stays as it is");
    house.visit(&site, None, json!({})).await;
    house.advance_s(86_400);
    house.visit(&site, Some(&id), json!({})).await;
}

#[tokio::test]
async fn a_request_in_front_of_the_page_sets_the_cookie_without_script() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let edge = |uri: &str, cookie: Option<&str>| {
        let call = house.get("/api/edge").host("shop.example").header("user-agent", CHROME).header("accept", "text/html");
        let call = call.header("x-original-uri", uri).header("x-original-host", "shop.example").header("x-forwarded-for", "198.51.100.7");
        let call = call.header("x-forwarded-proto", "https").header("sec-fetch-dest", "document");
        match cookie {
            Some(id) => call.header("cookie", &format!("_halo={id}")).send(),
            None => call.send(),
        }
    };
    let answer = edge("/sale?utm_source=edge&utm_medium=email", None).await.is(204);
    let id = answer.header("x-halo-session").to_owned();
    assert_eq!(answer.cookie(), format!("_halo={id}"));
    // The touch is queued: the page does not wait for the disk, the story does.
    for _ in 0..10_000 {
        if !house.sql(&site, "select 1 from sessions").is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let again = edge("/next", Some(&id)).await.is(204);
    assert_eq!(again.header("x-halo-session"), id);
    assert_eq!(ends(&house.session(&site, &id)), "edge/email/- → edge/email/-");
    let nobodys = house.get("/api/edge").host("nobody.example").send().await.is(204);
    assert_eq!((nobodys.header("x-halo-session"), nobodys.header("x-halo-dropped")), ("", "host"));
    // As Traefik asks by forwardAuth: what was asked for stands in X-Forwarded-*, all else is the visitor's own, and Host is ours.
    let traefik = |method: &str| {
        let call = house.get("/api/edge").header("user-agent", CHROME).header("accept", "text/html").header("sec-fetch-dest", "document");
        let call =
            call.header("x-forwarded-method", method).header("x-forwarded-proto", "https").header("x-forwarded-host", "shop.example");
        call.header("x-forwarded-uri", "/next?a=1")
            .header("x-forwarded-for", "198.51.100.7")
            .header("cookie", &format!("_halo={id}"))
            .send()
    };
    let asked = traefik("GET").await.is(204);
    assert_eq!((asked.header("x-halo-session"), asked.cookie()), (id.as_str(), format!("_halo={id}")));
    assert_eq!(traefik("POST").await.is(204).header("x-halo-dropped"), "page");
    let preview = house.get("/api/edge").host("shop.example").header("user-agent", CHROME).header("accept", "text/html");
    assert_eq!(preview.header("x-purpose", "preview").send().await.is(204).header("x-halo-dropped"), "page");
    let picture = house
        .get("/api/edge")
        .host("shop.example")
        .header("user-agent", CHROME)
        .header("accept", "image/*")
        .header("sec-fetch-dest", "image");
    assert_eq!(picture.send().await.is(204).header("x-halo-session"), "");
}

#[tokio::test]
async fn events_are_taken_within_their_limits() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({})).await;
    let send = |body: Value| {
        let mut fields = json!({"site": site.key});
        fields.as_object_mut().expect("an object").extend(body.as_object().cloned().unwrap_or_default());
        house.post("/api/event").browser(&site).header("cookie", &format!("_halo={id}")).body(fields.to_string()).send()
    };
    for (body, status) in [
        (json!({"name": "button_click", "properties": {"button": "hero", "n": 3, "ok": true}}), 204),
        (json!({"name": "n".repeat(64)}), 204),
        (json!({"name": "n".repeat(65)}), 422),
        (json!({"name": ""}), 422),
        (json!({"properties": {}}), 422),
        (json!({"name": "big", "properties": {"x": "y".repeat(6_000)}}), 422),
        (json!({"name": "deep", "properties": {"x": {"y": 1}}}), 422),
        (json!({"name": "list", "properties": [1]}), 422),
    ] {
        assert_eq!(send(body.clone()).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn a_refusal_is_heard_beyond_every_limit() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let receiver = crate::stand_in::StandIn::start(|_, _| crate::stand_in::Answer::text(200, "ok")).await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let id = house.visit(&site, None, json!({"utm_source": "news"})).await;
    let order = json!({"order_id": "1", "total": "9.00", "currency": "USD", "email": "ann@mail.example", "session_id": id});
    house.order(&site, order).await.is(200);
    let mut dropped = String::new();
    for _ in 0..210 {
        house.advance_s(1);
        dropped = house.touch(&site, Some(&id), json!({})).await.is(200).header("x-halo-dropped").to_owned();
    }
    assert_eq!(dropped, "limited");
    assert_eq!(house.delivery(&site).await["state"], json!("pending"));
    let refused = house.touch(&site, Some(&id), json!({"consent": "denied"})).await.is(200);
    assert_eq!((&refused.json["session_id"], refused.header("set-cookie").contains("Max-Age=0")), (&Value::Null, true));
    let delivery = house.delivery(&site).await;
    assert_eq!((&delivery["state"], &delivery["reason"]), (&json!("cancelled"), &json!("consent")));
}
