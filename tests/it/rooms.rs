//! A person, the privacy desk, connections and the strip of what needs the owner, in a real browser: by hand and by keyboard,
//! on a wide and a narrow screen, light and dark.

use std::time::Duration;

use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::pages::{LOOK, Office, PASSWORD, errors, set_up};

const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_forgets_a_person_and_keeps_the_desk() {
    let Some(browser) = Chromium::start("").await else { return };
    let office = Office::open().await;
    set_up(&browser, &office).await;
    one_strip_everywhere(&browser, &office).await;
    connections_stay_under_the_hand(&browser, &office).await;
    some_left_and_some_was_kept_back(&office);
    looks(&browser, &office).await;
    the_ledger(&browser, &office).await;
    a_person_is_erased(&browser, &office).await;
    the_desk(&browser, &office).await;
    browser.end().await;
}

/// The same lines on every page, and one press does away with one of them.
async fn one_strip_everywhere(browser: &Chromium, office: &Office) {
    let mut said = Vec::new();
    for page in ["overview", "conversions", "sources", "leads", "connections", "deliveries"] {
        browser.open(&office.page(&format!("/dashboard/full/{page}"))).await;
        browser
            .wait(page, "return !document.querySelector('.needs').hidden && !!document.querySelector('.needs [data-focus=dismiss]')")
            .await;
        said.push(browser.run("return [...document.querySelectorAll('.needs li b')].map((b) => b.innerText)").await);
        assert_eq!(errors(browser).await, Vec::<String>::new(), "{page}");
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:?}");
    browser.open(&office.page("/dashboard/full/settings/site")).await;
    browser.wait("the settings", "return !!document.querySelector('[name=domain]')").await;
    browser.wait_for("the strip of a page of forms", "return document.querySelector('.needs').hidden", json!(true)).await;
}

/// News change what a card says; the card, the button under the pointer and the focus stay the same.
async fn connections_stay_under_the_hand(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/full/connections")).await;
    browser.wait("the cards", "return document.querySelectorAll('.cc').length === 3").await;
    let mark = "const c = [...document.querySelectorAll('.cc')].find((x) => x.innerText.includes('Webhook')); const b = c.querySelector('[data-act]'); b.focus();
        window.held = [c, b]; return c.dataset.connection";
    let id = browser.wait("a button with the focus", mark).await;
    let id = id.as_str().expect("an id").to_owned();
    office.server.cli(&["connection", "set", &id, "--mode", "test"]);
    browser.wait("the news", "return window.held[0].innerText.includes('test')").await;
    let is_same = "return window.held[0].isConnected && window.held[1].isConnected && document.activeElement === window.held[1]";
    browser.wait_for("the same card and button", is_same, json!(true)).await;
    browser.press(ENTER).await;
    browser.wait("paused", "return window.held[0].innerText.includes('Paused') && window.held[1].innerText.includes('Resume')").await;
    browser.wait_for("the same card and button", is_same, json!(true)).await;
    browser.press(ENTER).await;
    browser.wait("going on", "return window.held[0].innerText.includes('Active') && window.held[1].innerText.includes('Pause')").await;
    browser.wait_for("the same card and button", is_same, json!(true)).await;
    office.server.cli(&["connection", "set", &id, "--mode", "live"]);
    browser.wait("the news", "return !window.held[0].querySelector('.tag')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// Two deliveries have left, one of them against a refusal, and one was kept back: what the ledger has to show.
fn some_left_and_some_was_kept_back(office: &Office) {
    let db = Connection::open(office.server.folder.join("data").join(FILE)).expect("the file");
    db.busy_timeout(Duration::from_secs(20)).expect("a time-out");
    let all: Vec<(i64, i64, i64)> = {
        let mut rows = db
            .prepare("select site_id, id, conversion_id from deliveries where site_id = (select site_id from deliveries limit 1) order by created_at desc limit 3")
            .expect("a question");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("rows");
        rows.map(|row| row.expect("a row")).collect()
    };
    let [(site, kept, _), (_, left, _), (_, wrong, refused)] = all[..] else { panic!("three deliveries: {all:?}") };
    db.execute("delete from attempts where site_id = ?1", [site]).expect("nothing has left yet");
    db.execute("update deliveries set state = 'skipped', reason = 'consent' where site_id = ?1 and id = ?2", [site, kept])
        .expect("kept back");
    for id in [left, wrong] {
        db.execute(
            "insert into attempts (site_id, delivery_id, n, at, duration_ms, outcome, status, sentence, judged_at, basis)
             select site_id, id, 1, created_at, 40, 'delivered', 200, '', created_at, 'the visitor''s own answer' from deliveries
             where site_id = ?1 and id = ?2",
            [site, id],
        )
        .expect("it left");
    }
    db.execute("update conversions set consent_given = 0, refused_at = 1 where site_id = ?1 and id = ?2", [site, refused])
        .expect("a refusal");
}

/// From the verdict into the rows, and from a row into its receipt, by hand.
async fn the_ledger(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/full/consent?range=all")).await;
    browser
        .wait("the verdict", "return document.querySelector('.consent-verdict')?.innerText.includes('1 delivery was sent though')")
        .await;
    browser.wait("the one it is", "return document.querySelectorAll('.consent-wrong li a').length === 1").await;
    browser.click(".t-consent tr:has(td.neg) button").await;
    browser.wait("what was sent", "return document.querySelectorAll('.t-consent-rows tbody tr[data-id]').length === 1").await;
    browser.wait("said in its row", "return document.querySelector('.t-consent-rows').innerText.includes('They had refused')").await;
    browser.click("[data-focus^=withheld-]").await;
    browser.wait("what was kept back", "return document.querySelector('.t-consent-rows')?.innerText.includes('Had not agreed')").await;
    browser.picture("consent rows").await;
    browser.click("[data-focus=check]").await;
    browser
        .wait(
            "checked again",
            "return !document.querySelector('[data-focus=check]').disabled && !!document.querySelector('.consent-verdict')",
        )
        .await;
    browser.click(".t-consent-rows tbody th a").await;
    browser.wait("its receipt", "return location.pathname.includes('/conversions/conversion_')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

async fn looks(browser: &Chromium, office: &Office) {
    for (site, page, ready) in [
        ("full", "people/contact_2", "main .person-head [data-focus=erase]"),
        ("full", "settings/privacy", "main .answers svg rect"),
        ("full", "connections", "main .cc"),
        ("empty", "settings/privacy", "main .clocks"),
        ("full", "consent", "main .t-consent"),
        ("empty", "consent", "main .consent-verdict"),
    ] {
        for (width, height) in [(1440, 900), (390, 844)] {
            for scheme in ["light", "dark"] {
                let what = format!("{site} {page} at {width} px, {scheme}");
                browser.screen(width, height, scheme).await;
                browser.open(&office.page(&format!("/dashboard/{site}/{page}"))).await;
                browser.wait(&what, &format!("return !!document.querySelector('{ready}') && !document.querySelector('.skeleton')")).await;
                let seen = browser.run(LOOK).await;
                browser.picture(&what).await;
                assert_eq!(seen["overflow"], json!(0), "{what}: the page is wider than the screen: {}", seen["wide"]);
                assert_eq!(seen["unnamed"], json!([]), "{what}: controls without a name");
                assert_eq!(seen["h1"], json!(1), "{what}: one heading of the page");
                assert_eq!(seen["pwned"], Value::Null, "{what}: a stranger's words ran");
                assert_eq!(seen["inline"], json!([]), "{what}: a stranger's words became markup");
                assert_eq!(errors(browser).await, Vec::<String>::new(), "{what}");
            }
        }
    }
    browser.screen(1440, 900, "light").await;
}

/// What would go, who is told, the certificate; and the person is gone.
async fn a_person_is_erased(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/full/people/contact_1")).await;
    browser.click("[data-focus=export]").await;
    browser
        .wait_for("two files", "return [...document.querySelectorAll('.menu a[download]')].map((a) => new URL(a.href).pathname.split('/').pop() + new URL(a.href).search)", json!(["export.csv?contact=contact_1", "export?contact=contact_1"]))
        .await;
    // What the link gives is the person's, unmasked.
    let file = "return fetch(document.querySelector('.menu a[download]').href).then((r) => r.text()).then((t) => t.includes('person0@mail.example'))";
    browser.wait_for("the file", file, json!(true)).await;
    browser.press("\u{E00C}").await;
    browser.click("[data-focus=erase]").await;
    browser
        .wait("what would go", "return document.querySelector('dialog.dialog .erase')?.innerText.includes('Stays without a name')")
        .await;
    browser.picture("erase-preview").await;
    browser.wait("who is told", "return document.querySelector('.erase [aria-label=\"Is told\"]').innerText.includes('Webhook')").await;
    browser.wait("no button of consequence has the focus", "return document.activeElement.innerText === 'Not now'").await;
    the_password_comes_first(browser, office).await;
    browser.wait("the certificate", "return !!document.querySelector('.certificate a[download]')").await;
    browser.picture("erase-certificate").await;
    let text = browser.run("return document.querySelector('.certificate').innerText").await;
    assert!(!text.as_str().unwrap_or_default().contains("person0"), "{text}");
    browser.click(".erase footer .btn.main").await;
    browser
        .wait("everybody else", "return location.pathname.endsWith('/people') && document.querySelectorAll('main tr[data-id]').length > 3")
        .await;
    browser.wait_for("the person is gone", "return document.querySelectorAll('tr[data-id=contact_1]').length", json!(0)).await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// A browser that was left open is not enough: the password is asked for, and without it nothing is erased.
async fn the_password_comes_first(browser: &Chromium, office: &Office) {
    let db = Connection::open(office.server.folder.join("data").join(FILE)).expect("the file");
    db.busy_timeout(Duration::from_secs(20)).expect("a time-out");
    db.execute("update logins set proved_at = proved_at - 3600000", []).expect("the login is an hour old");
    let people = || office.server.sql("full", "select count(*) as n from contacts where email = 'person0@mail.example'")[0]["n"].clone();
    let asked = "return document.querySelector('dialog[open] .ask h2')?.innerText === 'Your password once more' && document.activeElement.name === 'again'";
    browser.click(".erase .btn.danger").await;
    browser.wait("the password is asked for, and has the focus", asked).await;
    browser.picture("erase-password").await;
    browser.press(ESCAPE).await;
    browser
        .wait(
            "the preview again",
            "return !document.querySelector('dialog[open] .ask') && !!document.querySelector('.erase .btn.danger:enabled')",
        )
        .await;
    assert_eq!(people(), json!(1), "nobody was erased");
    browser.click(".erase .btn.danger").await;
    browser.wait("the question again", asked).await;
    browser.press(ENTER).await;
    browser
        .wait("that it is missing", "return document.querySelector('dialog[open] .ask')?.innerText.includes('The password is missing.')")
        .await;
    browser.press(format!("wrong horse battery staple{ENTER}").as_str()).await;
    browser.wait("a refusal in words", "return document.querySelector('dialog[open] .ask [name=again]').getAttribute('aria-invalid') === 'true' && !document.querySelector('dialog[open] .ask .main').disabled && !document.querySelector('dialog[open] .ask').innerText.includes('missing')").await;
    assert_eq!(people(), json!(1), "nobody was erased");
    // What was wrong is marked: typing takes its place.
    browser.press(format!("{PASSWORD}{ENTER}").as_str()).await;
    browser.wait("the password is taken", "return !document.querySelector('dialog[open] .ask')").await;
    let said = errors(browser).await;
    let is_answer =
        |line: &String| line.contains("/erasures") && line.contains("403") || line.contains("/api/me/prove") && line.contains("422");
    assert!(said.iter().all(is_answer), "{said:?}");
}

/// The desk by hand: another clock, somebody named by address after the password was asked for again, the list of certificates.
async fn the_desk(browser: &Chromium, office: &Office) {
    browser.open(&office.page("/dashboard/full/settings/privacy")).await;
    browser.wait("the answers", "return !!document.querySelector('.answers svg rect')").await;
    browser.click("[data-focus=days-90]").await;
    browser.wait("ninety days", "return document.querySelector('[data-focus=days-90]').getAttribute('aria-pressed') === 'true' && document.activeElement.dataset.focus === 'days-90'").await;
    browser.wait("a certificate of before", "return document.querySelectorAll('.rows li').length === 1").await;
    browser.run("document.querySelector('[name=\"retention.inbox\"]').value = ''; return true").await;
    browser.write("[name='retention.inbox']", &format!("14{ENTER}")).await;
    browser.wait("another clock", "return document.querySelector('.saved')?.innerText.includes('Saved') || document.querySelector('[name=\"retention.inbox\"]')?.value === '14'").await;
    browser.wait("drawn again", "return document.querySelector('[name=\"retention.inbox\"]')?.defaultValue !== null && !!document.querySelector('.answers svg rect')").await;
    browser.run("document.querySelector('[name=who]').value = ''; return true").await;
    browser.write("[name=who]", &format!("person1@mail.example{ENTER}")).await;
    browser.wait("what would go", "return document.querySelector('dialog.dialog .erase')?.innerText.includes('Goes for good')").await;
    browser.click(".erase .btn.danger").await;
    browser.wait("the certificate", "return !!document.querySelector('dialog.dialog .certificate')").await;
    browser.click(".erase footer .btn.main").await;
    browser.wait("two certificates", "return document.querySelectorAll('.rows li').length === 2").await;
    browser.wait("a click", "document.querySelector('.rows li button').click(); return true").await;
    browser.wait("it is shown", "return document.querySelector('dialog.dialog .certificate')?.innerText.includes('Certificate')").await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
