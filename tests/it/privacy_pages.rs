//! The privacy desk and the consent ledger in a real browser: what a customer asked for is looked up, taken as a file and done; how long
//! things are kept is changed; a person is forgotten by keyboard alone; both pages full and empty, on both screens, light and dark.

use halotrack::sources::ASKS_FOR_DATA;
use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::CHROME;
use crate::pages::{Office, errors, is_well_formed};
use crate::two_shops;

const DESK: &str = "/dashboard/full/settings/privacy";
const LEDGER: &str = "/dashboard/full/consent";
const DRAWN: &str = "return !!document.querySelector('.set-panel, .consent-verdict') && !document.querySelector('.skeleton')";
const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";
const TAB: &str = "\u{E004}";

/// What a platform passed on, as it stands in the inbox.
fn asked_for(office: &mut Office) {
    office.server.stop();
    let db = Connection::open(office.server.folder.join("data").join(FILE)).expect("the file");
    let sentence =
        format!("{ASKS_FOR_DATA} (request 9). Look them up under People, export what is there, and send it to them within 30 days.");
    let now = halotrack::clock::Clock::system().now().ms();
    db.execute(
        "insert into inbox (site_id, id, connection_id, platform, path, received_at, state, reason, digest)
         values ((select id from sites where slug = 'full'), 900001, null, 'shopify', '/in/shopify', ?1, 'quarantined', ?2, x'00')",
        rusqlite::params![now - 86_400_000, sentence],
    )
    .expect("a request");
    drop(db);
    office.server.start();
}

/// One browser says to be six people.
fn claimed(office: &Office) {
    let origin = [("origin", "https://full.example"), ("content-type", "text/plain"), ("user-agent", CHROME)];
    let told = |path: &str, body: Value| office.server.post(path, &origin, body.to_string().as_bytes()).expect("an answer");
    let id = told("/api/touch", json!({"landing": "/", "consent": "granted"})).json()["session_id"].clone();
    for n in 0..6 {
        let heard = told("/api/identify", json!({"session_id": id, "email": format!("claim{n}@mail.example")}));
        assert_eq!(heard.status, 204, "{}", heard.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_works_at_the_privacy_desk() {
    let Some(browser) = Chromium::start("").await else { return };
    let mut office = Office::open().await;
    two_shops::sign_up(&browser, &office.server).await;
    browser.open("about:blank").await;
    asked_for(&mut office);
    claimed(&office);
    browser.open(&office.page(DESK)).await;
    browser.wait("the desk", DRAWN).await;
    clocks(&browser, &office).await;
    access(&browser).await;
    requests(&browser).await;
    papers(&browser).await;
    looks(&browser, &office).await;
    forgets(&browser, &office).await;
    ledger(&browser, &office).await;
    browser.end().await;
}

/// How long things are kept: dates of what goes next, a number that is changed, one that cannot be.
async fn clocks(browser: &Chromium, office: &Office) {
    let row = "[...document.querySelectorAll('.clocks tbody tr')].find((r) => r.innerText.includes('Visits and browsers'))";
    browser.wait("when visits go", &format!("return {row}?.cells[3].innerText.trim().length > 1")).await;
    browser.run("document.querySelector('[name=\"retention.inbox\"]').value = ''; return true").await;
    browser.write("[name='retention.inbox']", &format!("10{ENTER}")).await;
    browser.wait("that it is saved", "return document.body.innerText.includes('Saved. What is past its time goes within the hour.')").await;
    browser.wait_for("the focus where it was", "return document.activeElement?.name ?? null", json!("retention.inbox")).await;
    // By the button: what goes next is brought up in place, and the focus stays.
    let next = "[...document.querySelectorAll('.clocks tbody tr')].find((r) => r.innerText.includes('What came in')).cells[3].innerText";
    let old = browser.run(&format!("window.kept = document.querySelector('[name=\"retention.inbox\"]'); return {next}")).await;
    browser
        .run("window.kept.value = '40'; document.querySelector('.set-panel form:has(.clocks) [type=submit]').focus(); return true")
        .await;
    browser.press(ENTER).await;
    browser.wait("what goes next, changed", &format!("return {next} !== {old}")).await;
    browser.wait("the focus on the button", "return document.activeElement?.type === 'submit' && window.kept.isConnected").await;
    browser.run("document.querySelector('[name=\"retention.inbox\"]').value = ''; return true").await;
    browser.write("[name='retention.inbox']", &format!("10{ENTER}")).await;
    browser.wait("it is as before", &format!("return {next} === {old}")).await;
    browser.open(&office.page(DESK)).await;
    browser.wait_for("the new number", "return document.querySelector('[name=\"retention.inbox\"]')?.value ?? null", json!("10")).await;
    browser.run("document.querySelector('[name=\"retention.inbox\"]').value = ''; return true").await;
    browser.write("[name='retention.inbox']", &format!("0{ENTER}")).await;
    browser.wait("why not", "return (document.querySelector('.said .note.bad')?.innerText.includes('What came in, word for word: Days from 1 to') ?? false) && document.activeElement?.name === 'retention.inbox'").await;
    let said = errors(browser).await;
    assert!(said.iter().all(|l| l.contains("/settings") && l.contains("422")), "{said:?}");
    browser.open(&office.page(DESK)).await;
    browser.wait("the desk", DRAWN).await;
}

/// Who asks for their data gets a file with everything of them and of nobody else.
async fn access(browser: &Chromium) {
    browser.write("[name=whose]", &format!("person0@mail.example{ENTER}")).await;
    browser.wait("two files", "return document.querySelectorAll('.access a.btn').length === 2").await;
    let text = "return (async () => { const all = [...document.querySelectorAll('.access a.btn')];
        return Promise.all(all.map(async (a) => { const r = await fetch(a.href); return `${r.status} ${r.headers.get('content-disposition')} ${await r.text()}`; })); })()";
    let files = browser.run(text).await;
    for file in files.as_array().expect("two files").iter().map(|f| f.as_str().unwrap_or_default()) {
        assert!(file.starts_with("200 attachment") && file.contains("person0@mail.example"), "{file}");
        assert!(!file.contains("person1@mail.example") && !file.contains("person0@mail.example\"; filename"), "{file}");
    }
    for (who, said) in
        [("nobody@mail.example", "Nothing is kept of nobody@mail.example."), ("4711", "There is no order 4711. Check the number")]
    {
        browser.run("document.querySelector('[name=whose]').value = ''; return true").await;
        browser.write("[name=whose]", &format!("{who}{ENTER}")).await;
        browser.wait(said, &format!("return document.body.innerText.includes({said:?})")).await;
    }
    let said = errors(browser).await;
    assert!(said.iter().all(|l| l.contains("/erasures") && l.contains("404")), "{said:?}");
}

/// A customer's wish that Shopify passed on: with its date, and done by a press.
async fn requests(browser: &Chromium) {
    let list = "(document.querySelector('[aria-label=\"Passed on by Shopify\"]')?.innerText ?? '')";
    browser
        .wait("the request", &format!("return {list}.includes('A customer asks what you know of them') && {list}.includes('until')"))
        .await;
    browser.run("document.querySelector('[aria-label^=\"Done: request of\"]').focus(); return true").await;
    browser.press(ENTER).await;
    browser.wait("that it is done", &format!("return {list}.includes('done') && !{list}.includes('until')")).await;
    browser.wait("the desk", DRAWN).await;
}

/// Claims that were not believed, and the paper of article 30.
async fn papers(browser: &Chromium) {
    let claims =
        "return document.querySelector('[aria-label=\"Claims we did not believe\"]')?.innerText.includes('claim5@mail.example') ?? false";
    browser.wait("the claim", claims).await;
    let paper = "return (async () => { const r = await fetch(document.querySelector('a[href$=\"processing.txt\"]').href); return `${r.status} ${await r.text()}`; })()";
    let paper = browser.run(paper).await;
    let paper = paper.as_str().unwrap_or_default();
    assert!(paper.starts_with("200 ") && paper.contains("full") && paper.contains("____"), "{paper}");
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

async fn looks(browser: &Chromium, office: &Office) {
    for (name, path) in [
        ("desk full", DESK),
        ("desk empty", "/dashboard/empty/settings/privacy"),
        ("ledger full", LEDGER),
        ("ledger empty", "/dashboard/empty/consent"),
    ] {
        for (width, height) in [(1440, 900), (390, 844)] {
            for scheme in ["light", "dark"] {
                browser.screen(width, height, scheme).await;
                browser.open(&office.page(path)).await;
                browser.wait(name, DRAWN).await;
                is_well_formed(browser, &format!("privacy {name} at {width}, {scheme}"), scheme).await;
                assert_eq!(errors(browser).await, Vec::<String>::new(), "{name} at {width}, {scheme}");
            }
        }
    }
    let empty = "return document.body.innerText.includes('No platform is told of anything, so “no” has cost nothing.') && document.body.innerText.includes('Nothing was sent in these days.')";
    browser.wait("words where there is nothing", empty).await;
    browser.screen(1440, 900, "light").await;
    browser.open(&office.page(DESK)).await;
    browser.wait("the desk", DRAWN).await;
}

/// A person, from the field to the certificate, by keyboard alone; and a number that is nobody's.
async fn forgets(browser: &Chromium, office: &Office) {
    browser.write("[name=who]", &format!("4711{ENTER}")).await;
    browser
        .wait(
            "that there is none",
            "return document.querySelector('dialog[open] [role=alert]')?.innerText.includes('There is no order 4711.') ?? false",
        )
        .await;
    browser.press(ESCAPE).await;
    browser.wait("it is closed", "return !document.querySelector('dialog[open]')").await;
    let said = errors(browser).await;
    assert!(said.iter().all(|l| l.contains("/erasures") && l.contains("404")), "{said:?}");
    browser.run("document.querySelector('[name=who]').value = ''; return true").await;
    browser.write("[name=who]", &format!("person1@mail.example{ENTER}")).await;
    browser
        .wait(
            "what would go",
            "return document.activeElement?.innerText === 'Not now' && !!document.querySelector('dialog[open] .btn.danger')",
        )
        .await;
    let said = browser.run("return document.querySelector('dialog[open]').innerText").await;
    let said = said.as_str().unwrap_or_default();
    assert!(said.contains("person1@mail.example") && said.contains("Stays without a name") && said.contains("Erase 1 person"), "{said}");
    browser.press(TAB).await;
    browser.wait_for("the button", "return document.activeElement?.innerText ?? null", json!("Erase 1 person")).await;
    browser.press(ENTER).await;
    browser.wait("the certificate", "return !!document.querySelector('dialog[open] .certificate')").await;
    browser.press(ESCAPE).await;
    let listed = "return !document.querySelector('dialog[open]') && !!document.querySelector('[aria-label^=\"Certificate of\"]') && !document.querySelector('.skeleton')";
    browser.wait("it stands in the list", listed).await;
    browser
        .wait_for("the focus where it was", "return document.activeElement?.name ?? document.activeElement?.tagName", json!("who"))
        .await;
    let names = "return document.querySelector('[aria-label=\"Erased so far\"]').innerText";
    let names = browser.run(names).await;
    assert!(!names.as_str().unwrap_or_default().contains("person1"), "without a name: {names}");
    browser.write("[name=whose]", &format!("person1@mail.example{ENTER}")).await;
    browser
        .wait(
            "nothing is left",
            "return document.querySelector('.access')?.innerText.includes('Nothing is kept of person1@mail.example.') ?? false",
        )
        .await;
    let rows = office.server.sql("full", "select email from orders where email = 'person1@mail.example'");
    assert!(rows.is_empty(), "{rows:?}");
    assert_eq!(errors(browser).await, Vec::<String>::new());
}

/// The ledger: rows are opened and closed by keyboard, and the focus comes back.
async fn ledger(browser: &Chromium, office: &Office) {
    browser.open(&office.page(LEDGER)).await;
    browser.wait("the ledger", DRAWN).await;
    browser
        .wait("the proof", "return document.querySelector('.consent-verdict')?.innerText.includes('was sent after a refusal') ?? false")
        .await;
    // What is in shadow is kept from nobody by a no.
    let said = browser.run("return document.querySelector('section[aria-label=\"What “no” cost\"]').innerText").await;
    let said = said.as_str().unwrap_or_default();
    assert!(said.contains("in shadow: nothing is sent there") && said.contains("would be 2 of"), "{said}");
    for what in ["withheld", "left"] {
        browser.run(&format!("document.querySelector('[data-focus^=\"{what}-\"]').focus(); return true")).await;
        browser.press(ENTER).await;
        browser.wait(what, "return !document.querySelector('section[aria-label=Rows]').hidden && !!document.querySelector('section[aria-label=Rows] tbody tr')").await;
        is_well_formed(browser, &format!("privacy ledger {what}"), "light").await;
        for scheme in ["light", "dark"] {
            browser.screen(390, 844, scheme).await;
            is_well_formed(browser, &format!("privacy ledger {what} at 390, {scheme}"), scheme).await;
            // A row is a line or three of them, with its amount whole at the end.
            let low = "return [...document.querySelectorAll('.t-consent-rows tbody tr')].every((r) => { const at = r.querySelector('.c-worth').getBoundingClientRect();
                return r.getBoundingClientRect().height < 130 && at.right <= innerWidth && at.width > 0; })";
            assert_eq!(browser.run(low).await, json!(true), "{what} at 390, {scheme}");
        }
        browser.screen(1440, 900, "light").await;
        browser.click("section[aria-label=Rows] header button").await;
        browser.wait("back", &format!("return document.activeElement?.getAttribute('data-focus')?.startsWith('{what}-') ?? false")).await;
    }
    browser.run("document.querySelector('[data-focus=check]').focus(); return true").await;
    browser.press(ENTER).await;
    browser
        .wait(
            "it was looked again",
            "return !document.querySelector('[data-focus=check]').disabled && document.body.innerText.includes('Checked at')",
        )
        .await;
    assert_eq!(errors(browser).await, Vec::<String>::new());
}
