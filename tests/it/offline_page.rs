//! Adding by hand in a real browser: what is missing is said, what it would become is shown before it is saved, the lead stands
//! on the board, the same once more is known; a list instead of one; hostile words; wide and narrow, light and dark.

use std::fs;

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::pages::{LOOK, errors};
use crate::running::Running;
use crate::two_shops::{open, sign_up, tell};

const HOSTILE: &str = "<img src=x onerror=\"window.pwned=1\">";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_is_typed_in_and_a_list_brought() {
    let Some(browser) = Chromium::start("").await else { return };
    let (server, token) = open("offline-page");
    tell(&server, &token, "/api/webhook/lead", &json!({"lead_id": "L-1", "email": "ben@mail.example", "name": HOSTILE}));
    sign_up(&browser, &server).await;
    typed(&browser, &server).await;
    listed(&browser, &server).await;
    looked_at(&browser, &server).await;
    browser.end().await;
}

async fn typed(browser: &Chromium, server: &Running) {
    // From a site without anything.
    browser.open(&format!("{}/dashboard/empty/leads", server.url())).await;
    browser.click(".empty [data-focus=add-offline]").await;
    browser.click(".dialog.offline form button[type=submit]").await;
    browser.wait("what is missing", "return document.querySelector('.dialog.offline #f-email-note')?.classList.contains('err')").await;
    browser.write(".dialog.offline [name=email]", "ann@mail.example").await;
    browser.write(".dialog.offline [name=name]", HOSTILE).await;
    browser.write(".dialog.offline [name=source]", "fair").await;
    browser.write(".dialog.offline [name=value]", "1250,50").await;
    browser.picture("offline form").await;
    browser.click(".dialog.offline form button[type=submit]").await;
    let shown = "const t = document.querySelector('.dialog.offline .becomes')?.innerText ?? ''; return t.includes('A new person') && t.includes('A new lead, worth €1,250.50') && t.includes('fair') && t.includes('Nobody is told')";
    browser.wait("what it would become", shown).await;
    browser.wait("the save has the focus", "return document.activeElement?.innerText === 'Save it'").await;
    browser.picture("offline preview").await;
    assert_eq!(server.sql("empty", "select count(*) as n from leads")[0]["n"], 0, "a look stores nothing");
    // A changed word takes the look away.
    browser.write(".dialog.offline [name=note]", "Kitchen").await;
    browser.wait("the look is gone", "return !document.querySelector('.dialog.offline .would')").await;
    browser.click(".dialog.offline form button[type=submit]").await;
    browser.wait("it is shown again", shown).await;
    browser.click(".dialog.offline .would .btn.main").await;
    browser
        .wait("the lead is on the board", "return document.querySelector('.stage[data-stage=new] .card')?.innerText.includes('€1,250.50')")
        .await;
    browser.wait("the dialog is closed", "return !document.querySelector('.dialog.offline')").await;
    assert_eq!(server.sql("empty", "select count(*) as n from leads")[0]["n"], 1);

    // Somebody who is known, by keyboard alone: Enter looks, Enter saves.
    browser.open(&format!("{}/dashboard/full/leads", server.url())).await;
    browser.click(".leads-head [data-focus=add-offline]").await;
    browser.write(".dialog.offline [name=email]", "ben@mail.example").await;
    browser.press("\u{E007}").await;
    let joins = "const t = document.querySelector('.dialog.offline .becomes')?.innerText ?? ''; return t.includes('somebody who is known') && t.includes('counts once')";
    browser.wait("whom it joins", joins).await;
    browser.picture("offline joins").await;
    browser.wait("the save has the focus", "return document.activeElement?.innerText === 'Save it'").await;
    browser.press("\u{E007}").await;
    browser.wait("it is saved", "return !document.querySelector('.dialog.offline')").await;
    browser.wait("it counts once", "return document.querySelectorAll('.stage[data-stage=new] .card').length === 1").await;
}

async fn listed(browser: &Chromium, server: &Running) {
    let file = server.folder.join("calls.csv");
    fs::write(&file, format!("When,Telephone,What,Name,Sent by\n2026-01-02,+353861234567,lead,{HOSTILE},\n2026-01-03,+353861234567,attendance,,\nsoon,+353861234567,lead,,\n"))
        .expect("a file");
    browser.click(".leads-head [data-focus=add-offline]").await;
    browser.wait("the way to a list", "const b = [...document.querySelectorAll('.dialog.offline .btn')].find((x) => x.innerText.includes('file')); if (!b) return false; b.click(); return true").await;
    browser.write(".dialog.bring-box input[type=file]", file.to_str().expect("a path")).await;
    browser.click(".dialog.bring-box form button[type=submit]").await;
    browser.wait("what it would do", "return document.querySelector('.would')?.innerText.includes('Bring 2 rows in')").await;
    let seen = browser
        .run("const d = document.querySelector('.would .mapped'); d.open = true; return document.querySelector('.would').innerText")
        .await;
    let seen = seen.as_str().unwrap_or_default();
    for word in ["Line 4", "Telephone as phone", "Sent by as referred by"] {
        assert!(seen.contains(word), "{word}: {seen}");
    }
    browser.picture("offline list").await;
    browser.click(".would .btn.main").await;
    browser.wait("it is in", "return document.querySelector('.would')?.innerText.includes('It is in')").await;
    browser.press("\u{E00C}").await;
    browser.wait("the box is closed", "return !document.querySelector('.dialog.bring-box')").await;
}

async fn looked_at(browser: &Chromium, server: &Running) {
    for (width, height) in [(1440, 900), (390, 844)] {
        for scheme in ["light", "dark"] {
            browser.screen(width, height, scheme).await;
            let what = format!("leads by hand at {width}, {scheme}");
            browser.open(&format!("{}/dashboard/full/leads", server.url())).await;
            browser.wait(&what, "return !!document.querySelector('.board .card') && !document.querySelector('.skeleton')").await;
            browser.click(".leads-head [data-focus=add-offline]").await;
            browser.write(".dialog.offline [name=email]", "ben@mail.example").await;
            browser.click(".dialog.offline form button[type=submit]").await;
            browser.wait("the look", "return !!document.querySelector('.dialog.offline .becomes li')").await;
            let seen = browser.run(LOOK).await;
            for (name, want) in [("overflow", json!(0)), ("unnamed", json!([])), ("h1", json!(1)), ("inline", json!([]))] {
                assert_eq!(seen[name], want, "{name}: {what}");
            }
            assert_eq!(seen["pwned"], Value::Null, "{what}");
            browser.picture(&what).await;
            browser.press("\u{E00C}").await;
            browser.wait("the dialog is closed", "return !document.querySelector('.dialog.offline')").await;
        }
    }
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
