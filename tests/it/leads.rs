//! Leads: who may tell them, what is one lead and what two, and which visit earned them.

use halotrack::crypto;
use halotrack::flows::sites;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::running::signed;
use crate::stand_in::{self, StandIn};
use crate::story::Connected;

const DAY_S: i64 = 86_400;

/// A body at a hook or a kept path with these headers.
async fn send(house: &House, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let call = headers.iter().fold(house.post(path).header("content-type", "application/json"), |c, (n, v)| c.header(n, v));
    call.body(body.as_bytes().to_vec()).send().await
}

/// Signed by the owner's server, `late_s` ago.
pub async fn send_signed(house: &House, path: &str, secret: &str, late_s: i64, body: &str) -> Answer {
    let headers = signed(secret, house.clock.now().s() - late_s, body.as_bytes());
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    send(house, path, &headers, body).await
}

async fn identify(house: &House, site: &SiteAt, id: &str, fields: Value) -> Answer {
    let mut body = json!({"site": site.key});
    body.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
    house.post("/api/identify").browser(site).header("cookie", &format!("_halo={id}")).body(body.to_string()).send().await
}

fn count(house: &House, site: &SiteAt) -> usize {
    house.sql(site, "select 1 from leads").len()
}

/// How a lead was matched: the type, and a mark where a browser merely said so.
async fn matched(house: &House, site: &SiteAt, fields: Value) -> String {
    let told = house.lead(site, fields).await.is(200);
    let receipt = house.receipt(site, told.json["conversion_id"].as_str().expect("a conversion")).await;
    assert_eq!(receipt["why"]["type"], told.json["match_type"], "the receipt says the same");
    assert_eq!(told.json["attributed"], json!(told.json["match_type"] != json!("none")));
    let mark = if receipt["why"]["asserted"] == json!(true) { " (claimed)" } else { "" };
    let touches: Vec<&str> = receipt["touches"].as_array().into_iter().flatten().filter_map(|t| t["campaign"].as_str()).collect();
    format!("{}{mark}: {}", told.json["match_type"].as_str().unwrap_or("-"), touches.join(" "))
}

#[tokio::test]
async fn a_sender_proves_itself_or_nothing_is_stored() {
    let house = House::new();
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    let forms = house.connect(&site, "forms", "", &[]).await;
    let theirs = house.connect(&other, "forms", "", &[]).await;
    let now = house.clock.now().s();
    let body = r#"{"lead_id": "L-0", "email": "ann@mail.example", "url": "https://shop.example/contact"}"#;
    let [_, stamp, good] = signed(&forms.secret, now, body.as_bytes()).map(|(_, v)| v);
    let hmac = |secret: &str, text: &str| crypto::hex(&crypto::hmac_sha256(secret.as_bytes(), &[text.as_bytes()]));
    let raw = crypto::unhex(&good).expect("hex");
    let standard = |secret: &str, at: i64| {
        let signature = crypto::hmac_sha256(secret.as_bytes(), &[format!("msg_1.{at}.").as_bytes(), body.as_bytes()]);
        (at.to_string(), format!("v1,{}", crypto::base64(&signature)))
    };
    let (at, v1) = standard(&forms.secret, now);
    let (stale_at, stale_v1) = standard(&forms.secret, now - 301);
    let own = |signature: &str, stamp: &str| vec![("x-halo-signature", signature.to_owned()), ("x-halo-timestamp", stamp.to_owned())];
    let std = |at: &str, v1: &str| {
        vec![("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", at.to_owned()), ("webhook-signature", v1.to_owned())]
    };
    let secret = |s: &str| vec![("x-webhook-secret", s.to_owned())];
    let far = |by: i64| (now + by).to_string();
    let flipped = format!("{}{}", &good[..63], if good.ends_with('0') { '1' } else { '0' });
    let rows: Vec<(&str, Vec<(&str, String)>, u16)> = vec![
        ("signed", own(&good, &stamp), 200),
        ("in upper case", own(&good.to_uppercase(), &stamp), 200),
        ("five minutes late", own(&hmac(&forms.secret, &format!("{}.{body}", far(-300))), &far(-300)), 200),
        ("later", own(&hmac(&forms.secret, &format!("{}.{body}", far(-301))), &far(-301)), 401),
        ("from the future", own(&hmac(&forms.secret, &format!("{}.{body}", far(301))), &far(301)), 401),
        ("another time than signed", own(&good, &far(-1)), 401),
        ("one digit changed", own(&flipped, &stamp), 401),
        ("a digit short", own(&good[..63], &stamp), 401),
        ("a byte short", own(&good[..62], &stamp), 401),
        ("a byte more", own(&format!("{good}00"), &stamp), 401),
        ("empty", own("", &stamp), 401),
        ("base64", own(&crypto::base64(&raw), &stamp), 401),
        ("base64url", own(&crypto::base64url(&raw), &stamp), 401),
        ("of another site", own(&hmac(&theirs.secret, &format!("{stamp}.{body}")), &stamp), 401),
        ("the body alone", own(&hmac(&forms.secret, body), &stamp), 401),
        ("with no time", vec![("x-halo-signature", good.clone())], 401),
        ("with a strange time", own(&good, "now"), 401),
        ("standard webhooks", std(&at, &v1), 200),
        ("several signatures, one right", std(&at, &format!("v1,AAAA v1a,BBBB {v1}")), 200),
        ("standard, stale", std(&stale_at, &stale_v1), 401),
        ("standard, another version", std(&at, &v1.replace("v1,", "v2,")), 401),
        (
            "standard, another id",
            {
                let mut all = std(&at, &v1);
                all[0].1 = "msg_2".into();
                all
            },
            401,
        ),
        ("the secret itself", secret(&forms.secret), 200),
        ("a wrong secret", secret("wrong"), 401),
        ("the other site's secret", secret(&theirs.secret), 401),
        ("no secret", secret(""), 401),
        ("nothing", vec![], 401),
        ("a bad signature beside the good secret", [own(&flipped, &stamp), secret(&forms.secret)].concat(), 401),
    ];
    let mut taken = 0;
    for (what, headers, status) in rows {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        // The hook, whose token names the connection.
        let hook = send(&house, &forms.hook, &headers, body).await;
        assert_eq!(hook.status, status, "at the hook, {what}: {}", hook.text);
        // The kept path, where the proof finds it; what proves the other site is taken there.
        let is_other = what.contains("other site") || what.contains("of another site");
        let kept = send(&house, "/api/webhook/lead", &headers, body).await;
        assert_eq!(kept.status, if is_other { 200 } else { status }, "at the kept path, {what}: {}", kept.text);
        taken += usize::from(status == 200);
        if kept.status == 401 {
            assert_eq!((&kept.json["success"], &kept.json["code"]), (&json!(false), &json!("bad_signature")), "{what}: {}", kept.text);
            assert!(kept.json["error"].is_string() && kept.json["request_id"].is_string(), "{what}: the old shape");
            assert_eq!(hook.code(), "bad_signature", "{what}: our own shape");
        }
        house.advance_s(0);
    }
    assert!(taken >= 5);
    assert_eq!((count(&house, &site), count(&house, &other)), (1, 1), "all of them told the same lead");
    // One byte of the body, and two signatures at once.
    for changed in [body.replace("ann", "amy"), format!("{body} "), body.replace(": ", ":")] {
        send(&house, &forms.hook, &[("x-halo-signature", &good), ("x-halo-timestamp", &stamp)], &changed).await.is(401);
    }
    let query = format!("{}?secret={}", forms.hook, forms.secret);
    send(&house, &query, &[], body).await.is(200);
    send(&house, &format!("{}?secret=wrong", forms.hook), &[], body).await.is(401);
}

#[tokio::test]
async fn strangers_at_a_hook_all_hear_the_same() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let token = forms.hook.rsplit('/').next().unwrap_or_default().to_owned();
    let mut answers = Vec::new();
    for path in [
        "/in/forms/nothing",
        "/in/nothing/nothing",
        &format!("/in/nothing/{token}"),
        &format!("/in/shopify/{token}"),
        &format!("/in/forms/{}", &token[1..]),
    ] {
        let answer = send_signed(&house, path, &forms.secret, 0, r#"{"email":"a@mail.example"}"#).await.is(404);
        assert_eq!(answer.code(), "unknown_endpoint", "{path}");
        answers.push(answer.text.replace(answer.header("x-request-id"), ""));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(count(&house, &site), 0);
}

#[tokio::test]
async fn a_token_in_the_address_or_the_head_speaks_for_the_owner() {
    use halotrack::domain::rights::Scope;
    let house = House::new();
    let site = house.site("shop.example").await;
    let body = r#"{"lead_id":"L-1","email":"ann@mail.example"}"#;
    send(&house, &format!("/api/webhook/lead?token={}", site.token), &[], body).await.is(200);
    let reads = house.token(site.id, &[Scope::Read]).await;
    for (token, status, code) in [(reads.as_str(), 403, "missing_scope"), ("ht_nonsense", 401, "unknown_token")] {
        let refused = send(&house, "/api/webhook/lead", &[("authorization", &format!("Bearer {token}"))], body).await.is(status);
        assert_eq!((&refused.json["success"], &refused.json["code"]), (&json!(false), &json!(code)));
    }
    assert_eq!(count(&house, &site), 1);
}

#[tokio::test]
async fn the_answer_keeps_its_old_shape() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let receiver = StandIn::start(|_, _| stand_in::Answer::text(200, "ok")).await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    house.connect(&site, "meta", "live", &[("pixel_id", "123456789012345"), ("access_token", "EAAx0123456789")]).await;
    house.connect(&site, "ga4", "shadow", &[("measurement_id", "G-ABCDEF1234"), ("api_secret", "secret-0123456789")]).await;
    let id = house.visit(&site, None, json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring"})).await;
    let told =
        house.lead(&site, json!({"lead_id": "L-83", "email": "ann@mail.example", "session_id": id, "consent_given": true})).await.is(200);
    let answer = &told.json;
    assert_eq!(
        (&answer["success"], &answer["attributed"], &answer["match_type"], &answer["lead_id"]),
        (&json!(true), &json!(true), &json!("session"), &json!("L-83"))
    );
    assert_eq!(answer["forwarded"], json!({"facebook": true, "google": false}), "true is a delivery that will be sent");
    let planned = json!([
        {"platform": "webhook", "mode": "live", "state": "pending"},
        {"platform": "meta", "mode": "live", "state": "pending"},
        {"platform": "ga4", "mode": "shadow", "state": "pending"},
    ]);
    assert_eq!(answer["deliveries"], planned);
    let form = house.post("/api/webhook/lead").token(&site.token).header("content-type", "application/x-www-form-urlencoded");
    let form = form.body("lead_id=L-84&email=Ben%40Mail.example&first_name=Ben&last_name=Ox&form_type=demo").send().await.is(200);
    assert_eq!((&form.json["success"], &form.json["lead_id"], &form.json["match_type"]), (&json!(true), &json!("L-84"), &json!("none")));
    let rows = house.sql(&site, "select * from leads where external_lead_id = 'L-84'");
    assert_eq!(
        (&rows[0]["email"], &rows[0]["name"], &rows[0]["form_type"]),
        (&json!("ben@mail.example"), &json!("Ben Ox"), &json!("demo"))
    );
}

#[tokio::test]
async fn what_the_owners_server_gets_wrong_is_named() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for (body, status, code) in [
        (r#"{"email":"a@mail.example","value":"1e999"}"#, 422, "invalid_amount"),
        (r#"{"email":"a@mail.example","value":"-5"}"#, 422, "invalid_amount"),
        (r#"{"email":"a@mail.example","value":"12,50"}"#, 422, "invalid_amount"),
        (r#"{"email":"a@mail.example","value":"NaN"}"#, 422, "invalid_amount"),
        (r#"{"email":"a@mail.example","value":"0.12345678901234567890"}"#, 422, "invalid_amount"),
        (r#"{"email":"a@mail.example","value":1,"currency":"EURO"}"#, 422, "invalid_amount"),
        (r#"{"email":"a@mail.example","email":"b@mail.example"}"#, 400, "bad_json"),
        (r#"{"email":"a@mail.example""#, 400, "bad_json"),
        (r#"{}"#, 422, "invalid_field"),
    ] {
        let refused = send(&house, "/api/webhook/lead", &[("authorization", &format!("Bearer {}", site.token))], body).await.is(status);
        assert_eq!((&refused.json["code"], &refused.json["success"]), (&json!(code), &json!(false)), "{body}");
    }
    let deep = format!("{{\"email\":{}", "[".repeat(100_000));
    house.post("/api/webhook/lead").token(&site.token).body(deep).send().await.is(400);
    assert_eq!(count(&house, &site), 0);
}

#[tokio::test]
async fn what_is_authentic_but_not_understood_waits_for_a_fix() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    // Three decimals are none of the dollar's; the owner meant dinars.
    let body = r#"{"lead_id":"L-1","email":"ann@mail.example","value":"12.345"}"#;
    let kept = send_signed(&house, &forms.hook, &forms.secret, 0, body).await.is(200);
    assert_eq!(kept.json["status"], json!("quarantined"));
    let again = send_signed(&house, &forms.hook, &forms.secret, 5, body).await.is(200);
    assert_eq!((&again.json["status"], &again.json["id"]), (&json!("quarantined"), &kept.json["id"]), "the same body is the same row");
    assert_eq!(count(&house, &site), 0);
    let id = kept.json["id"].as_str().expect("an id").to_owned();
    let listed = house.list(&site, "inbox?state=quarantined").await;
    assert_eq!((listed.len(), &listed[0]["id"]), (1, &json!(id)));
    assert!(listed[0]["reason"].as_str().is_some_and(|r| r.contains("value must be a decimal")), "{listed:?}");
    let run = || house.post(&format!("/api/sites/shop/inbox/{id}/replay")).token(&site.token).json(&json!({})).send();
    assert_eq!(run().await.is(200).json["status"], json!("quarantined"), "nothing is fixed yet");
    house.advance_s(3_600);
    sites::set(&house.app, site.id, "currency", "KWD", "test").await.expect("the currency is set");
    assert_eq!(run().await.is(200).json["status"], json!("accepted"));
    assert_eq!(house.sql(&site, "select value from leads"), vec![json!({"value": 12.345})]);
    run().await.is(200);
    let told = send_signed(&house, &forms.hook, &forms.secret, 0, body).await.is(200);
    assert_eq!((&told.json["status"], &told.json["id"]), (&json!("duplicate"), &json!(id)));
    assert_eq!((count(&house, &site), house.list(&site, "conversions").await.len()), (1, 1));
    assert_eq!(house.list(&site, "inbox?state=quarantined").await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_same_signed_lead_is_one_for_ever() {
    let receiver = StandIn::start(|_, _| stand_in::Answer::text(200, "ok")).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let body = r#"{"lead_id":"L-1","email":"ann@mail.example","consent_given":true}"#;
    let first = send_signed(&house, &forms.hook, &forms.secret, 0, body).await.is(200);
    assert_eq!(first.json["status"], json!("accepted"));
    for wait_s in [0, 1, 3_600, DAY_S, 400 * DAY_S] {
        house.advance_s(wait_s);
        let again = send_signed(&house, &forms.hook, &forms.secret, 0, body).await.is(200);
        assert_eq!((&again.json["status"], &again.json["id"]), (&json!("duplicate"), &first.json["id"]), "after {wait_s} s more");
        let kept = send_signed(&house, "/api/webhook/lead", &forms.secret, 0, body).await.is(200);
        assert_eq!(kept.json["duplicate"], json!(true));
        house.work().await;
    }
    for n in 0..200 {
        send_signed(&house, &forms.hook, &forms.secret, n % 200, body).await.is(200);
    }
    assert_eq!((count(&house, &site), house.list(&site, "conversions").await.len()), (1, 1));
    house.work().await;
    assert_eq!(receiver.seen().len(), 1, "sent once");
}

#[tokio::test]
async fn without_an_id_the_same_words_are_one_lead_for_a_day() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let body = r#"{"email":"ann@mail.example","name":"Ann Lee","message":"Call me","form_type":"contact"}"#;
    let other = r#"{"form_type":"contact","message":" Call  me ","name":"Ann Lee","email":"ANN@mail.example"}"#;
    let lead = |body: &'static str| {
        let (house, forms) = (&house, &forms);
        async move { send_signed(house, "/api/webhook/lead", &forms.secret, 0, body).await.is(200).json["lead_id"].clone() }
    };
    let first = lead(body).await;
    assert!(first.as_str().is_some_and(|id| id.len() >= 8), "it is given an id");
    house.advance_s(DAY_S - 60);
    assert_eq!((lead(body).await, lead(other).await), (first.clone(), first.clone()));
    assert_eq!(count(&house, &site), 1);
    let hook = send_signed(&house, &forms.hook, &forms.secret, 0, body).await.is(200);
    assert_eq!(hook.json["status"], json!("duplicate"));
    house.advance_s(DAY_S + 60);
    let second = lead(body).await;
    assert_ne!(second, first, "a day later it is another lead");
    assert_eq!(count(&house, &site), 2);
    let third = lead(r#"{"email":"ann@mail.example","name":"Ann Lee","message":"Call me now","form_type":"contact"}"#).await;
    assert!(third != second && count(&house, &site) == 3, "other words are another lead");
}

#[tokio::test]
async fn the_strongest_trace_decides() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let visit = async |campaign: &str, click: Option<&str>| {
        house.advance_s(60);
        let mut utm = json!({"utm_source": "news", "utm_medium": "email", "utm_campaign": campaign});
        if let Some(click) = click {
            utm["gclid"] = json!(click);
        }
        house.visit(&site, None, utm).await
    };
    let by_session = visit("session", None).await;
    visit("click", Some("click-9")).await;
    let by_mail = visit("mail", None).await;
    let by_phone = visit("phone", None).await;
    let claimed_mail = visit("claimed-mail", None).await;
    let claimed_phone = visit("claimed-phone", None).await;
    // What the owner's server tells is proved.
    house.lead(&site, json!({"lead_id": "p1", "email": "proved@mail.example", "session_id": by_mail})).await.is(200);
    house.lead(&site, json!({"lead_id": "p2", "phone": "+971501111111", "session_id": by_phone})).await.is(200);
    // What a browser says is only said.
    for (id, who) in [
        (&claimed_mail, json!({"email": "claimed@mail.example"})),
        (&claimed_mail, json!({"email": "proved@mail.example"})),
        (&claimed_phone, json!({"phone": "+971 50 222 2222"})),
        (&claimed_phone, json!({"phone": "+971501111111"})),
    ] {
        let answer = identify(&house, &site, id, who).await.is(204);
        assert_eq!(answer.text, "");
    }
    house.advance_s(60);
    let rows: Vec<(Value, &str)> = vec![
        (json!({"session_id": by_session, "email": "nobody@mail.example"}), "session: session"),
        (json!({"session_id": by_session, "custom_fields": {"gclid": "click-9"}, "email": "n2@mail.example"}), "session: session click"),
        (json!({"custom_fields": {"gclid": "click-9"}, "email": "n3@mail.example"}), "click: click"),
        (json!({"custom_fields": {"gclid": "click-9"}, "email": "claimed@mail.example"}), "click: click"),
        (json!({"email": " Proved@Mail.example "}), "email: mail"),
        (json!({"phone": "+971 50 111 1111"}), "phone: phone"),
        (json!({"email": "claimed@mail.example"}), "email (claimed): claimed-mail"),
        (json!({"phone": "+971502222222"}), "phone (claimed): claimed-phone"),
        (json!({"email": "stranger@mail.example"}), "none: "),
        (json!({"session_id": "forged", "email": "stranger2@mail.example"}), "none: "),
    ];
    for (n, (fields, want)) in rows.into_iter().enumerate() {
        let mut told = fields.clone();
        told["lead_id"] = json!(format!("L-{n}"));
        assert_eq!(matched(&house, &site, told).await, want, "{fields}");
        house.advance_s(60);
    }
    // A proved phone and a claimed mail of another browser: the proof decides, the claim adds nothing.
    let both = json!({"lead_id": "both", "phone": "+971501111111", "email": "claimed2@mail.example"});
    identify(&house, &site, &claimed_mail, json!({"email": "claimed2@mail.example"})).await.is(204);
    house.advance_s(60);
    assert_eq!(matched(&house, &site, both).await, "phone: phone");
}

#[tokio::test]
async fn the_owners_server_can_sign_for_a_browser() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let secret = house.app.book().site(site.id).expect("the site").keys.identify.clone();
    let sign = |site_word: &str, id: &str, email: &str, ts: &str| {
        crypto::hex(&crypto::hmac_sha256(secret.as_bytes(), &[format!("{site_word}.{id}.{email}.{ts}").as_bytes()]))
    };
    let now = house.clock.now().s().to_string();
    let stale = (house.clock.now().s() - 301).to_string();
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(house.visit(&site, None, json!({"utm_source": "news", "utm_campaign": format!("c{n}")})).await);
    }
    let rows: Vec<(&str, String, &str, &str)> = vec![
        ("by the public key", sign(&site.key, &ids[0], "v0@mail.example", &now), &now, "email: c0"),
        ("by the slug", sign("shop", &ids[1], "v1@mail.example", &now), &now, "email: c1"),
        ("of another session", sign(&site.key, &ids[0], "v2@mail.example", &now), &now, "email (claimed): c2"),
        ("of another address", sign(&site.key, &ids[3], "v0@mail.example", &now), &now, "email (claimed): c3"),
        ("too old", sign(&site.key, &ids[4], "v4@mail.example", &stale), &stale, "email (claimed): c4"),
        ("nonsense", "00".repeat(32), &now, "email (claimed): c5"),
    ];
    for (n, (what, sig, ts, want)) in rows.into_iter().enumerate() {
        let email = format!("v{n}@mail.example");
        identify(&house, &site, &ids[n], json!({"email": email, "sig": sig, "ts": ts})).await.is(204);
        house.advance_s(30);
        assert_eq!(matched(&house, &site, json!({"lead_id": n, "email": email})).await, want, "{what}");
    }
}

#[tokio::test]
async fn a_thief_gains_nothing_by_claiming_an_address() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let victim = house.visit(&site, None, json!({"utm_source": "honest", "utm_campaign": "honest"})).await;
    house.lead(&site, json!({"lead_id": "first", "email": "victim@mail.example", "session_id": victim})).await.is(200);
    let thief = house.visit(&site, None, json!({"utm_source": "thief", "utm_campaign": "thief"})).await;
    identify(&house, &site, &thief, json!({"email": "victim@mail.example"})).await.is(204);
    house.advance_s(60);
    assert_eq!(matched(&house, &site, json!({"lead_id": "second", "email": "victim@mail.example"})).await, "email: honest");
    let told = house.order(&site, json!({"order_id": "1", "total": "5", "email": "victim@mail.example"})).await.is(200);
    assert_eq!(told.json["attribution"]["last_touch"]["source"], json!("honest"));
    // Nor where the proved person's own visits came too late to explain anything: a claim never stands in for a proof.
    let thief_early = house.history(&site, None, 48, json!({"utm_source": "thief", "utm_campaign": "early-thief"})).await;
    identify(&house, &site, &thief_early, json!({"email": "victim@mail.example"})).await.is(204);
    let told = json!({"lead_id": "early", "email": "victim@mail.example", "created_at": house.ago(DAY_S)});
    assert_eq!(matched(&house, &site, told).await, "none: ");
    // Its own session's facts it may have.
    assert_eq!(
        matched(&house, &site, json!({"lead_id": "own", "email": "thief@mail.example", "session_id": thief})).await,
        "session: thief"
    );
}

#[tokio::test]
async fn mass_claims_link_nothing() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"utm_source": "news", "utm_campaign": "many"})).await;
    for n in 0..7 {
        house.advance_s(11);
        let answer = identify(&house, &site, &id, json!({"email": format!("m{n}@mail.example")})).await.is(204);
        assert_eq!(answer.text, "", "the sixth is answered like the first");
    }
    house.advance_s(60);
    for n in 0..7 {
        let want = if n < 5 { "email (claimed): many" } else { "none: " };
        assert_eq!(matched(&house, &site, json!({"lead_id": n, "email": format!("m{n}@mail.example")})).await, want, "address {n}");
    }
    // What was too much is told to the owner, and to nobody else.
    let claims = house.get("/api/sites/shop/identity-claims").token(&site.token).send().await.is(200).json;
    let told: Vec<(&serde_json::Value, &serde_json::Value)> =
        claims["items"].as_array().expect("claims").iter().map(|c| (&c["value"], &c["browsers"])).collect();
    assert_eq!(told, [(&json!("m6@mail.example"), &json!(1)), (&json!("m5@mail.example"), &json!(1))]);
    house.advance_s(DAY_S);
    identify(&house, &site, &id, json!({"email": "tomorrow@mail.example"})).await.is(204);
    house.advance_s(1);
    assert_eq!(matched(&house, &site, json!({"lead_id": "t", "email": "tomorrow@mail.example"})).await, "email (claimed): many");

    // And one address by many browsers.
    for n in 0..22 {
        let id = house.visit(&site, None, json!({"utm_source": "news", "utm_campaign": format!("b{n}")})).await;
        identify(&house, &site, &id, json!({"email": "shared@mail.example"})).await.is(204);
        house.advance_s(11);
    }
    let shown = matched(&house, &site, json!({"lead_id": "s", "email": "shared@mail.example"})).await;
    assert!(shown.ends_with("b18 b19"), "twenty browsers a day: {shown}");
}

#[tokio::test]
async fn identify_says_nothing_back() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({})).await;
    house.lead(&site, json!({"lead_id": "1", "email": "known@mail.example"})).await.is(200);
    let bare = |body: Value| house.post("/api/identify").browser(&site).body(body.to_string()).send();
    let mut heads = Vec::new();
    for (who, session) in [("known", Some(&id)), ("unknown", Some(&id)), ("known", None), ("unknown", None)] {
        let email = json!({"site": site.key, "email": format!("{who}@mail.example")});
        let answer = match session {
            Some(id) => identify(&house, &site, id, email).await,
            None => bare(email).await,
        }
        .is(204);
        assert_eq!(answer.text, "");
        let mut names: Vec<String> = answer.headers.keys().map(|k| k.to_string()).collect();
        names.sort();
        heads.push(names);
        house.advance_s(11);
    }
    heads.dedup();
    assert_eq!(heads.len(), 1, "{heads:?}");
    for (body, status, code) in [
        (json!({"email": "not-an-email"}), 422, "invalid_field"),
        (json!({"email": {}}), 422, "invalid_field"),
        (json!({"phone": "12"}), 422, "invalid_field"),
        (json!({}), 422, "invalid_field"),
        (json!({"email": "x".repeat(2 * 1024 * 1024)}), 413, "body_too_large"),
    ] {
        assert_eq!(identify(&house, &site, &id, body).await.is(status).json["code"], json!(code));
    }
    // Nothing is kept of who refused to be.
    let refused = house.touch(&site, None, json!({"consent": "denied"})).await.is(200);
    assert_eq!(refused.json["session_id"], Value::Null);
    bare(json!({"site": site.key, "email": "silent@mail.example"})).await.is(204);
    assert_eq!(house.sql(&site, "select * from customer_sessions where customer_email = 'silent@mail.example'"), Vec::<Value>::new());
}

#[tokio::test]
async fn an_address_makes_six_claims_a_minute() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({})).await;
    let body = json!({"site": site.key, "email": "a@mail.example"}).to_string();
    let call = || {
        let call = house.post("/api/identify").browser(&site).header("cookie", &format!("_halo={id}"));
        call.header("x-forwarded-for", "198.51.100.7").body(body.clone()).send()
    };
    for _ in 0..6 {
        call().await.is(204);
    }
    assert!(call().await.is(429).header("retry-after").parse::<u32>().is_ok_and(|s| (1..=11).contains(&s)));
}

#[tokio::test]
async fn an_identity_that_comes_late_explains_once_and_in_time() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let one = house.visit(&site, None, json!({"utm_source": "news", "utm_campaign": "one"})).await;
    let two = house.visit(&site, None, json!({"utm_source": "news", "utm_campaign": "two"})).await;
    house.advance_s(60);
    let runs = |receipt: &Value| -> Vec<String> {
        receipt["runs"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|r| format!("{} {}", r["why"].as_str().unwrap_or("-"), r["match"].as_str().unwrap_or("-")))
            .collect()
    };
    let tell = async |id: &str, fields: Value| {
        let mut told = json!({"lead_id": id, "email": format!("{id}@mail.example")});
        told.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
        let told = house.lead(&site, told).await.is(200);
        let receipt = house.receipt(&site, told.json["conversion_id"].as_str().expect("a conversion")).await;
        (told.json["match_type"].clone(), runs(&receipt), receipt)
    };
    assert_eq!(tell("a", json!({})).await.0, json!("none"));
    house.advance_s(23 * 3_600);
    let (word, history, _) = tell("a", json!({"session_id": one})).await;
    assert_eq!((word, history), (json!("session"), vec!["first known none".into(), "late identity session".to_owned()]));
    let (_, history, receipt) = tell("a", json!({"session_id": two})).await;
    assert_eq!(history.len(), 2, "once");
    assert_eq!(receipt["touches"][0]["campaign"], json!("one"), "and a matched run never moves");

    assert_eq!(tell("b", json!({})).await.0, json!("none"));
    house.advance_s(24 * 3_600 + 1);
    let (_, history, _) = tell("b", json!({"session_id": one})).await;
    assert_eq!(history, ["first known none"], "after a day it stays as it was");

    assert_eq!(tell("c", json!({"session_id": one})).await.0, json!("session"));
    let (_, history, receipt) = tell("c", json!({"session_id": two})).await;
    assert_eq!((history.len(), &receipt["touches"][0]["campaign"]), (1, &json!("one")));
}

#[tokio::test]
async fn credit_is_frozen_when_the_fact_is_known() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.history(&site, None, 72, json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "summer"})).await;
    house.history(&site, Some(&id), 24, json!({"utm_source": "facebook", "utm_medium": "social", "utm_campaign": "again"})).await;
    let lead = json!({"lead_id": "L-1", "email": "ann@mail.example", "session_id": id, "value": "40.00", "currency": "USD"});
    let told = house.lead(&site, lead.clone()).await.is(200);
    let conversion = told.json["conversion_id"].as_str().expect("a conversion").to_owned();
    let stored = || house.sql(&site, "select attribution_data, match_type, days_to_convert from leads");
    let before = (stored(), house.receipt(&site, &conversion).await);
    let data: Value = serde_json::from_str(before.0[0]["attribution_data"].as_str().expect("JSON text")).expect("JSON");
    assert_eq!((&data["first_touch"]["source"], &data["last_touch"]["source"]), (&json!("google"), &json!("facebook")));
    assert_eq!((&data["match_type"], &data["days_to_convert"]), (&json!("session"), &json!(3)));
    for name in ["source", "medium", "campaign", "term", "content", "referrer", "landing", "timestamp"] {
        assert!(data["first_touch"].get(name).is_some(), "first_touch has no {name}");
    }
    // Later visits, older history, another model, and the lead again.
    house.advance_s(3_600);
    house.visit(&site, Some(&id), json!({"utm_source": "late", "utm_medium": "email"})).await;
    house.history(&site, Some(&id), 600, json!({"utm_source": "older", "utm_medium": "email"})).await;
    house.lead(&site, lead).await.is(200);
    let after = (stored(), house.receipt(&site, &conversion).await);
    assert_eq!(before.0, after.0);
    for part in ["why", "touches", "totals", "runs"] {
        assert_eq!(before.1[part], after.1[part], "{part}");
    }
}

#[tokio::test]
async fn only_what_came_before_counts() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.history(&site, None, 120, json!({"utm_source": "early", "utm_campaign": "early"})).await;
    house.history(&site, Some(&id), 24, json!({"utm_source": "late", "utm_campaign": "late"})).await;
    let lead = json!({"lead_id": "L-1", "email": "ann@mail.example", "session_id": id, "created_at": house.ago(3 * DAY_S)});
    assert_eq!(matched(&house, &site, lead).await, "session: early");
    let lead = json!({"lead_id": "L-2", "email": "ann@mail.example", "session_id": id, "created_at": house.ago(9 * DAY_S)});
    assert_eq!(matched(&house, &site, lead).await, "none: ", "all its visits came later");
}

#[tokio::test]
async fn days_are_those_of_the_sites_calendar() {
    use halotrack::domain::time::Zone;
    let house = House::new();
    let site = house.site_with("shop.example", |new| new.zone = Zone::parse("Asia/Dubai").expect("a zone")).await;
    // 23:30 and 00:30 in Dubai: an hour, and one day.
    let body = json!({"landing": "/", "at": "2026-06-10T19:30:00Z", "utm_source": "google", "user_agent": crate::house::CHROME});
    let id = house.post("/api/touch").token(&site.token).json(&body).send().await.is(200).json["session_id"].clone();
    let told =
        house.lead(&site, json!({"lead_id": "1", "email": "a@mail.example", "session_id": id, "created_at": "2026-06-10T20:30:00Z"})).await;
    let data = told.is(200).json["attribution"].clone();
    assert_eq!((&data["days_to_convert"], &data["seconds_to_convert"]), (&json!(1), &json!(3_600)));
}

#[tokio::test]
async fn every_model_and_window_adds_up() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.history(&site, None, 20 * 24, json!({"utm_source": "google", "utm_medium": "cpc"})).await;
    house.history(&site, Some(&id), 10 * 24, json!({"utm_source": "facebook", "utm_medium": "social"})).await;
    house.history(&site, Some(&id), 2 * 24, json!({"utm_source": "news", "utm_medium": "email"})).await;
    house.visit(&site, Some(&id), json!({})).await;
    house.advance_s(60);
    let told = house
        .conversion(&site, json!({"conversion_type": "sale", "order_id": "7", "revenue": "100.01", "currency": "USD", "session_id": id}));
    let conversion = told.await.is(201).json["conversion_id"].as_str().expect("an id").to_owned();
    let ask = async |query: &str| {
        house.advance_s(1);
        let path = format!("/api/conversions/{conversion}/attribution?{query}");
        house.get(&path).token(&site.token).send().await.is(200).json
    };
    let weights =
        |answer: &Value| -> Vec<f64> { (1..=4).map(|n| answer["weights"][format!("touchpoint_{n}")].as_f64().unwrap_or(0.0)).collect() };
    let decay = |days: [f64; 3]| -> Vec<f64> {
        let raw: Vec<f64> = days.iter().map(|d| 0.5f64.powf(d / 7.0)).collect();
        let sum: f64 = raw.iter().sum();
        raw.iter().map(|r| r / sum).chain([0.0]).collect()
    };
    for (query, want) in [
        ("", vec![0.0, 0.0, 1.0, 0.0]),
        ("model=last_non_direct", vec![0.0, 0.0, 1.0, 0.0]),
        ("model=last_click", vec![0.0, 0.0, 1.0, 0.0]),
        ("model=last", vec![0.0, 0.0, 0.0, 1.0]),
        ("model=first", vec![1.0, 0.0, 0.0, 0.0]),
        ("model=first_click", vec![1.0, 0.0, 0.0, 0.0]),
        ("model=linear", vec![1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]),
        ("model=position", vec![0.4, 0.2, 0.4, 0.0]),
        ("model=time_decay", decay([20.0, 10.0, 2.0])),
        ("model=first&window=14", vec![0.0, 1.0, 0.0, 0.0]),
        ("model=linear&window=7", vec![0.0, 0.0, 1.0, 0.0]),
        ("model=position&window=14", vec![0.0, 0.5, 0.5, 0.0]),
    ] {
        let answer = ask(query).await;
        let got = weights(&answer);
        assert!(got.iter().zip(&want).all(|(g, w)| (g - w).abs() < 0.001), "{query}: {got:?}, not {want:?}");
        assert!((got.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{query}: {got:?}");
    }
    let refused = house.get(&format!("/api/conversions/{conversion}/attribution?model=guess")).token(&site.token).send().await.is(400);
    assert_eq!(refused.json["error"]["code"], json!("invalid_parameter"));
    // On the receipt the money of every model adds up to the cent.
    let receipt = house.receipt(&site, &conversion).await;
    assert_eq!(receipt["touches"].as_array().map(Vec::len), Some(4));
    for model in receipt["models"].as_array().cloned().unwrap_or_default() {
        let model = model.as_str().unwrap_or_default();
        let (mut minor, mut share) = (0, 0);
        for touch in receipt["touches"].as_array().into_iter().flatten() {
            minor += touch["credit"][model]["amount"]["minor"].as_i64().unwrap_or(0);
            share += touch["credit"][model]["share_bp"].as_i64().unwrap_or(0);
        }
        assert_eq!((minor, share), (10_001, 10_000), "{model}");
    }
}

#[tokio::test]
async fn the_owners_own_people_are_kept_and_left_out() {
    let receiver = StandIn::start(|_, _| stand_in::Answer::text(200, "ok")).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    sites::set(&house.app, site.id, "staff_emails", "boss@shop.example", "test").await.expect("set");
    for (id, email) in [("1", "Boss@shop.example"), ("2", "myboss@shop.example"), ("3", "ann@mail.example")] {
        house.lead(&site, json!({"lead_id": id, "email": email, "consent_given": true})).await.is(200);
    }
    house.work().await;
    assert_eq!(count(&house, &site), 3, "kept");
    let mut sent: Vec<String> =
        receiver.seen().iter().map(|s| s.json()["data"]["external_id"].as_str().unwrap_or("-").to_owned()).collect();
    sent.sort();
    assert_eq!(sent, ["2", "3"], "exact addresses, not parts of them");
    let all = house.deliveries(&site).await;
    let staff = all.iter().find(|d| d["event_id"] == json!("lead_1")).expect("a row for it all the same");
    assert_eq!((&staff["state"], &staff["reason"]), (&json!("skipped"), &json!("not_counted")));
}

#[tokio::test]
async fn one_lead_told_by_two_forms_is_one_conversion() {
    let receiver = StandIn::start(|_, _| stand_in::Answer::text(200, "ok")).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    let (one, two) = (house.connect(&site, "forms", "", &[]).await, house.connect(&site, "forms", "", &[]).await);
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let tell = async |forms: &Connected, id: &str| {
        let body = json!({"lead_id": id, "email": "ann@mail.example", "consent_given": true}).to_string();
        send_signed(&house, "/api/webhook/lead", &forms.secret, 0, &body).await.is(200).json["conversion_id"].clone()
    };
    let first = tell(&one, "A-1").await;
    house.advance_s(3_600);
    assert_eq!(tell(&two, "B-1").await, first, "the same person within a day");
    assert_ne!(tell(&one, "A-2").await, first, "within one connection leads are one only by id or content");
    house.advance_s(2 * DAY_S);
    assert_ne!(tell(&two, "B-2").await, first);
    house.work().await;
    assert_eq!(receiver.seen().len(), 3);
    let receipt = house.receipt(&site, first.as_str().expect("an id")).await;
    assert_eq!(receipt["received"].as_array().map(Vec::len), Some(2), "and the receipt says who else told");
}

#[tokio::test]
async fn pages_may_tell_leads_once_the_owner_says_so() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let id = house.visit(&site, None, json!({"utm_source": "news", "utm_campaign": "page"})).await;
    let send = |origin: &str, body: Value| {
        let mut fields = json!({"site": site.key});
        fields.as_object_mut().expect("an object").extend(body.as_object().cloned().unwrap_or_default());
        let call = house.post("/api/lead").browser(&site).header("origin", origin).header("cookie", &format!("_halo={id}"));
        call.body(fields.to_string()).send()
    };
    let body = json!({"email": "ann@mail.example", "message": "Call me", "consent_given": true});
    let off = send("https://shop.example", body.clone()).await.is(403);
    assert_eq!(off.json["code"], json!("public_leads_off"));
    sites::set(&house.app, site.id, "public_leads", "true", "test").await.expect("set");
    assert_eq!(send("https://elsewhere.example", body.clone()).await.is(403).json["code"], json!("origin_not_allowed"));
    let told = send("https://shop.example", body.clone()).await.is(200);
    assert_eq!(told.json, json!({"success": true}), "what matching found is not told to a browser");
    assert_eq!(told.header("access-control-allow-origin"), "https://shop.example");
    let newest = async || house.list(&site, "conversions").await.into_iter().next().unwrap_or_default();
    assert_eq!(newest().await["match"]["type"], json!("session"));
    send("https://shop.example", body).await.is(200);
    assert_eq!(count(&house, &site), 1, "sent twice by a nervous finger");
    assert_eq!(
        house.sql(&site, "select consent_given from leads"),
        vec![json!({"consent_given": null})],
        "a page cannot consent for a person"
    );
    // A claim opens nobody's history: the proved person's visits are not this page's.
    let proved = house.visit(&site, None, json!({"utm_source": "news", "utm_campaign": "proved"})).await;
    house.lead(&site, json!({"lead_id": "p", "email": "proved@mail.example", "session_id": proved})).await.is(200);
    house.advance_s(60);
    send("https://shop.example", json!({"email": "proved@mail.example", "message": "It is me"})).await.is(200);
    let receipt = house.receipt(&site, newest().await["id"].as_str().expect("an id")).await;
    let campaigns: Vec<&str> = receipt["touches"].as_array().into_iter().flatten().filter_map(|t| t["campaign"].as_str()).collect();
    assert_eq!(campaigns, ["page"]);
    let mut taken = 0;
    for n in 0..8 {
        let call = house.post("/api/lead").browser(&site).header("x-forwarded-for", "198.51.100.7");
        let body = json!({"site": site.key, "email": format!("n{n}@mail.example")}).to_string();
        taken += u16::from(call.body(body).send().await.status == 200);
    }
    assert_eq!(taken, 6, "six a minute from one address");
}

/// Whoever sends an order to a form's own address has sent an order, not somebody's question without an amount.
#[tokio::test]
async fn an_order_at_the_forms_address_is_an_order() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let body = json!({"order_id": "H-1", "total": "70.00", "currency": "USD", "email": "ann@mail.example", "status": "paid"}).to_string();
    send_signed(&house, &forms.hook, &forms.secret, 0, &body).await.is(200);
    // What calls a field as WooCommerce does and has an order_id is nobody's own shape.
    let plain = json!({"order_id": "G-1", "total": "5.00", "currency": "USD", "email": "bo@mail.example", "billing": {"country": "DE"}, "line_items": []});
    let told = house.order(&site, plain).await.is(200);
    assert_eq!(told.json["order_id"], json!("G-1"), "{}", told.text);
    let late = json!({"order_id": "G-2", "total": "5.00", "currency": "USD", "created_at": "20.11.2026"});
    let refused = house.order(&site, late).await.is(422);
    assert!(refused.text.contains("created_at"), "{}", refused.text);
    house.advance_s(2);
    let all = house.list(&site, "conversions").await;
    let mut labels: Vec<&str> = all.iter().filter_map(|c| c["label"].as_str()).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["Order G-1", "Order H-1"]);
}
