//! Chats on screen: what they helped to sell on the overview, the verdict on a receipt, the person's timeline, and the
//! owner's choices, on a wide and a narrow screen, light and dark.

use halotrack::clock::Clock;
use halotrack::domain::rights::Right;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::{CHROME, House};
use crate::pages::{LOOK, errors};
use crate::running::Running;
use crate::two_shops;

const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";

/// Two sites: one whose customers chat, and one without any.
fn open(name: &str) -> Running {
    let (server, token) = two_shops::open(name);
    let told = |path: &str, body: Value| -> Value { two_shops::tell(&server, &token, path, &body) };
    let ago = |minutes: i64| Clock::system().now().plus_ms(-minutes * 60_000).utc();
    for (n, gap) in [12, 200, 1_300, 4 * 1_440, 0].into_iter().enumerate() {
        let (email, bought) = (format!("p{n}@mail.example"), 600 + n as i64 * 300);
        let touch = json!({"landing": "/start", "at": ago(bought + 9_000), "user_agent": CHROME, "utm_source": "instagram", "utm_medium": "social"});
        let session = told("/api/touch", touch)["session_id"].clone();
        let talk = format!("{HOSTILE} {n}");
        if gap > 0 {
            let said = |role: &str, at: i64, text: &str| json!({"conversation_id": talk, "role": role, "at": ago(at), "email": email, "text": text});
            told("/api/chat/events", said("customer", bought + gap + 1, "How much is the cup?"));
            told("/api/chat/events", said("agent", bought + gap, "Nine euros"));
        }
        let order = json!({"order_id": format!("n{n}"), "total": format!("{}.50", 40 + n * 13), "currency": "EUR", "email": email, "session_id": session,
            "created_at": ago(bought), "status": "paid"});
        told("/api/webhook/order", order);
    }
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_sees_what_chats_helped_to_sell() {
    let Some(browser) = Chromium::start("").await else { return };
    let server = open("chat_page");
    two_shops::sign_up(&browser, &server).await;
    errors(&browser).await;
    let page = |path: &str| format!("{}/dashboard/{path}", server.url());
    let steps: [(&str, &str, &str); 5] = [
        (
            "overview",
            "full",
            "return !!document.querySelector('[data-part=AssistedByChat] tfoot') && !document.querySelector('main[aria-busy]')",
        ),
        (
            "none",
            "empty/overview",
            "return !document.querySelector('main[aria-busy]') && !!document.querySelector('main h1') && !document.querySelector('[data-part=AssistedByChat]:not([hidden])')",
        ),
        ("receipt", "full/conversions/conversion_2", "return document.body.innerText.includes('within a day')"),
        ("person", "full/people/contact_1", "return document.body.innerText.includes('Wrote in the chat')"),
        ("settings", "full/settings/chat", "return !!document.querySelector('[name=\"chat.text\"]')"),
    ];
    for (width, height) in [(1440, 1200), (390, 1600)] {
        for scheme in ["light", "dark"] {
            for (name, path, ready) in steps {
                let what = format!("chat-{name}-{width}-{scheme}");
                browser.screen(width, height, scheme).await;
                browser.open(&page(path)).await;
                browser.wait(&what, ready).await;
                browser.run("document.querySelector('[data-part=AssistedByChat]')?.scrollIntoView({ block: 'center' }); return true").await;
                let seen = browser.run(LOOK).await;
                browser.picture(&what).await;
                assert_eq!(seen["overflow"], json!(0), "{what}: {seen}");
                assert_eq!(seen["unnamed"], json!([]), "{what}");
                assert_eq!(browser.run("return window.pwned ?? 0").await, json!(0), "{what}");
                assert_eq!(errors(&browser).await, Vec::<String>::new(), "{what}");
            }
        }
    }
    // The owner keeps the words from now on.
    browser.click("[name='chat.text']").await;
    browser.write("[name='chat.price_words']", "discount").await;
    browser.click(".set-panel button[type=submit]").await;
    browser.wait("it is saved", "return document.body.innerText.includes('Saved.')").await;
    browser.open(&page("full/settings/chat")).await;
    browser.wait_for("it holds", "return [document.querySelector('[name=\"chat.text\"]')?.checked, document.querySelector('[name=\"chat.price_words\"]')?.value]",
        json!([true, "discount"])).await;
    // What would move if chats earned, before anything does.
    browser.open(&page("full/settings/credit")).await;
    browser.wait("the choice", "const s = document.querySelector('[name=chat_credit]'); if (!s) return false; s.value = 'yes'; s.dispatchEvent(new Event('change', { bubbles: true })); return true").await;
    browser.click(".set-panel button[type=submit]").await;
    browser
        .wait(
            "the effect",
            "return document.body.innerText.includes('Before and after') && /4 conversions of 5/.test(document.body.innerText)",
        )
        .await;
    browser.end().await;
}

/// Whoever is shown a part of a site is told nothing of its chats as a whole.
#[tokio::test]
async fn a_part_of_a_site_has_no_chats() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let said = json!({"conversation_id": "c-1", "role": "customer", "at": house.clock.now().utc(), "email": "ann@mail.example"});
    house.post("/api/chat/events").token(&site.token).json(&said).send().await.is(200);
    let reader = house.login("ben@shop.example", Right::Read, Some(site.id)).await;
    let path = format!("/api/sites/{}/reports", site.slug);
    assert_eq!(house.get(&format!("{path}/chat")).cookie(&reader).send().await.is(200).json["conversations"], 1);
    let none = house.site("none.example").await;
    let empty = house.get(&format!("/api/sites/{}/reports/overview?with=chat", none.slug)).token(&none.token).send().await.is(200).json;
    assert_eq!(empty["chat"], Value::Null);
}
