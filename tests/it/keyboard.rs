//! Every page of the dashboard by keyboard alone: Tab comes to everything that can be used and shows where it is, Esc closes
//! what was opened and gives the focus back, `?` lists the keys of the page, and each of them does what the list says. Where
//! `AXE` names a file of axe-core, its rules for WCAG 2.2 AA are held against every page as well.

use std::collections::BTreeSet;

use serde_json::json;

use crate::chromium::Chromium;
use crate::pages::{Office, errors, set_up};

/// More stops than any page has, twice.
const MOST_STOPS: usize = 1_000;
const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";
const LEFT: &str = "\u{E012}";
const UP: &str = "\u{E013}";
const RIGHT: &str = "\u{E014}";
const DOWN: &str = "\u{E015}";
const SHIFT: &str = "\u{E008}";

/// Pages, and what says that they are drawn.
const PAGES: [(&str, &str); 31] = [
    ("overview", ".t-panel tbody tr"),
    ("sources", ".t-tree tbody tr"),
    ("spend", "tr[data-id]"),
    ("attribution", ".t-lab tbody tr"),
    ("daily", ".fig, .empty"),
    ("conversions", "tr[data-id]"),
    ("conversions/conversion_1", ".rc-line"),
    ("orders", "tr[data-id]"),
    ("leads", ".card"),
    ("affiliates", "tr[data-id]"),
    ("affiliates/affiliate_1", ".rules li"),
    ("customers", "tr[data-id]"),
    ("funnels", ".fb-bar, .empty"),
    ("people", "tr[data-id]"),
    ("people/contact_1", ".tl li"),
    ("links", "tr[data-id]"),
    ("connections", ".cc"),
    ("connections/con_2", ".choices"),
    ("connections/+meta", "form .in"),
    ("deliveries", "tr[data-id]"),
    ("consent", ".consent-verdict"),
    ("runs", "tr[data-id]"),
    ("install", ".step, pre, code"),
    ("settings/site", "[name=domain]"),
    ("settings/credit", "form"),
    ("settings/history", ".bring form"),
    ("settings/sharing", "form, button"),
    ("settings/privacy", ".clocks"),
    ("settings/people", "form, button"),
    ("settings/tokens", "form, button"),
    ("settings/account", "form, button"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_walked_by_keyboard() {
    let Some(browser) = Chromium::start("").await else { return };
    let office = Office::open().await;
    spend(&office);
    runs(&office);
    set_up(&browser, &office).await;
    for (width, height, scheme) in [(1440, 900, "light"), (390, 844, "dark"), (1440, 900, "dark"), (390, 844, "light")] {
        browser.screen(width, height, scheme).await;
        // Where one can go depends on the width, and not on the colours.
        let is_walked = (width == 1440) == (scheme == "light");
        if !is_walked && std::env::var_os("AXE").is_none() {
            continue;
        }
        for (page, ready) in PAGES {
            open(&browser, &office, page, ready).await;
            if is_walked {
                walk(&browser, &format!("{page} at {width}")).await;
            }
            axe(&browser, &format!("{page} at {width}, {scheme}")).await;
        }
        if is_walked {
            open(&browser, &office, "overview", ".t-panel tbody tr").await;
            opened_and_closed(&browser, width).await;
        }
    }
    assert_eq!(errors(&browser).await, Vec::<String>::new());
    browser.end().await;
}

/// Something was spent today, twice: there is a next row.
fn spend(office: &Office) {
    let file = office.server.folder.join("spend.csv");
    let today = halotrack::clock::Clock::system().now().utc();
    std::fs::write(&file, format!("day,source,medium,amount\n{0},google,cpc,12.00\n{0},bing,cpc,5.00\n", &today[..10])).expect("a file");
    office.server.cli(&["import", "--site", "full", "--kind", "spend", file.to_str().expect("a path")]);
}

/// Two readings, of a platform that only calls us.
fn runs(office: &Office) {
    office.server.cli(&["connection", "add", "--site", "full", "--platform", "poshvip"]);
    let token = office.server.cli(&["token", "create", "--site", "full", "--name", "reader", "--scope", "sync"]);
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    for _ in 0..2 {
        let read = office.server.post("/sync/poshvip", &[("authorization", bearer.as_str())], b"").expect("an answer");
        assert_eq!(read.status, 200, "{}", read.text);
    }
}

async fn open(browser: &Chromium, office: &Office, page: &str, ready: &str) {
    browser.open(&office.page(&format!("/dashboard/full/{page}"))).await;
    let drawn = format!("return !!document.querySelector('main :is({ready})') && !document.querySelector('.skeleton, main[aria-busy]')");
    browser.wait(page, &drawn).await;
}

/// Notes what had the focus, and whether that could be seen. The ring may stand around the row or the card of it.
const NOTE: &str = r#"
window.sign = (x) => [x.tagName, x.getAttribute('data-focus') ?? x.name ?? '', (x.getAttribute('aria-label') || x.innerText || '').trim().slice(0, 40), x.getAttribute('href') ?? ''].join(' ').trim();
window.came = new Set(); window.unseen = new Set();
document.addEventListener('focusin', (e) => {
  came.add(sign(e.target));
  let ring = false;
  for (let x = e.target, n = 0; x && n < 6; x = x.parentElement, n++) { const s = getComputedStyle(x); ring ||= s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1; }
  if (!ring) unseen.add(sign(e.target));
});
window.usable = () => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter((x) => x.tabIndex >= 0 && !x.matches(':disabled') && !x.closest('[inert]')
  && x.checkVisibility({ visibilityProperty: true }) && !(x.type === 'radio' && !x.checked && document.querySelector(`input[name="${x.name}"]:checked`)));
return usable().length;
"#;

async fn walk(browser: &Chromium, what: &str) {
    const MISSED: &str = "return usable().map(sign).filter((s) => !came.has(s)).slice(0, 5)";
    browser.run(NOTE).await;
    // What is fetched late may come in behind the focus: the second round comes to it.
    for _ in 0..MOST_STOPS / 20 {
        browser.press(TAB.repeat(20).as_str()).await;
        if browser.run(MISSED).await == json!([]) {
            break;
        }
    }
    assert_eq!(browser.run(MISSED).await, json!([]), "{what}: Tab comes to everything");
    assert_eq!(browser.run("return [...unseen].filter((s) => s !== 'BODY').slice(0, 5)").await, json!([]), "{what}: the focus can be seen");
}

async fn axe(browser: &Chromium, what: &str) {
    let Some(file) = std::env::var_os("AXE") else { return };
    let script = std::fs::read_to_string(file).expect("axe-core");
    browser.run(&format!("{script}; return true")).await;
    let found = browser
        .run(
            "return axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] })
               .then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '')).join(' | ')))",
        )
        .await;
    assert_eq!(found, json!([]), "{what}");
}

/// Each menu and sheet of the bar by Enter, and back by Esc.
async fn opened_and_closed(browser: &Chromium, width: u32) {
    let all = browser
        .run("return [...document.querySelectorAll('[aria-haspopup=dialog][data-focus]')].filter((x) => x.checkVisibility()).map((x) => x.dataset.focus)")
        .await;
    let all: Vec<String> = all.as_array().into_iter().flatten().filter_map(|n| n.as_str().map(str::to_owned)).collect();
    assert!(all.len() > 3, "{width}: {all:?}");
    for name in all {
        let what = format!("{name} at {width}");
        browser
            .wait(
                &what,
                &format!("const b = document.querySelector('[data-focus=\"{name}\"]'); b.focus(); return document.activeElement === b"),
            )
            .await;
        browser.press(ENTER).await;
        browser
            .wait(&what, "return !!document.querySelector('[popover=auto]:popover-open, dialog[open]')?.contains(document.activeElement)")
            .await;
        browser.press(ESCAPE).await;
        let back = format!(
            "return !document.querySelector('[popover=auto]:popover-open, dialog[open]') && document.activeElement.dataset.focus === '{name}'"
        );
        browser.wait(&format!("{what}: closed, and the focus is back"), &back).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_does_what_the_list_of_keys_says() {
    let Some(browser) = Chromium::start("").await else { return };
    let office = Office::open().await;
    spend(&office);
    runs(&office);
    set_up(&browser, &office).await;
    browser.screen(1440, 900, "light").await;
    let mut tried = BTreeSet::new();
    for (page, ready) in PAGES.iter().filter(|(page, _)| !page.contains('/') || *page == "settings/site") {
        open(&browser, &office, page, ready).await;
        rest(&browser).await;
        browser.press("?").await;
        browser.wait(page, "return !!document.querySelector('dialog.keys[open] dd')").await;
        let listed = browser
            .run("return [...document.querySelectorAll('dialog.keys dl > div')].map((d) => [d.querySelector('dt').innerText.replace(/\\s+/g, ' ').trim(), d.querySelector('dd').innerText.trim()])")
            .await;
        browser.press(ESCAPE).await;
        browser.wait("closed", "return !document.querySelector('dialog[open]')").await;
        for pair in listed.as_array().expect("keys") {
            let (key, word) = (pair[0].as_str().expect("a key"), pair[1].as_str().expect("a word"));
            // What is the same on every page is tried on the first that lists it; what is the page's own, on it.
            let is_own = ["Open the row", "Next row", "Row before", "Search"].contains(&word);
            let name = if is_own { format!("{page}: {key} {word}") } else { format!("{key} {word}") };
            if tried.insert(name.clone()) {
                try_key(&browser, &office, (page, ready), key, word).await;
                assert_eq!(errors(&browser).await, Vec::<String>::new(), "{page}: {name}");
            }
        }
    }
    assert!(tried.len() > 45, "{tried:?}");
    browser.end().await;
}

/// Nothing has the focus.
async fn rest(browser: &Chromium) {
    browser.wait("nothing has the focus", "document.activeElement?.blur(); return document.activeElement === document.body").await;
}

const RANGES: [(&str, &str); 9] = [
    ("Today", "today"),
    ("Yesterday", "yesterday"),
    ("Last 7 days", "7d"),
    ("Last 30 days", ""),
    ("Month to date", "month"),
    ("Last month", "last_month"),
    ("Year to date", "year"),
    ("Last 12 months", "12m"),
    ("All time", "all"),
];

async fn try_key(browser: &Chromium, office: &Office, (page, ready): (&str, &str), key: &str, word: &str) {
    let what = format!("{page}: {key} is {word}");
    let wait = async |script: &str| drop(browser.wait(&what, script).await);
    // Another range than the usual one, so that going back to it can be seen.
    let start = if word == "Last 30 days" { format!("{page}?range=7d") } else { page.to_owned() };
    open(browser, office, &start, ready).await;
    rest(browser).await;
    let only = key.split(' ').next().unwrap_or_default().to_lowercase();
    if let Some((_, range)) = RANGES.iter().find(|(name, _)| *name == word) {
        browser.press(only.as_str()).await;
        return wait(&format!("return (new URLSearchParams(location.search).get('range') ?? '') === '{range}'")).await;
    }
    if let Some(letter) = key.strip_prefix("G then ") {
        browser.press("g").await;
        browser.press(letter.to_lowercase().as_str()).await;
        return wait(&format!("return document.querySelector('.rail [aria-current=page]')?.innerText.trim() === '{word}'")).await;
    }
    match word {
        "Custom days" => {
            browser.press("c").await;
            wait("return document.querySelectorAll('.menu input[type=date]').length === 2").await;
        }
        "Earlier, later" => {
            browser.press(LEFT).await;
            wait("return /from=/.test(location.search)").await;
            browser.press(RIGHT).await;
            wait("return !/from=/.test(location.search)").await;
        }
        "Filter" => {
            browser.press("f").await;
            wait("return !!document.querySelector('.menu .filter')").await;
        }
        "Segments: filters under a name" => {
            browser.press("s").await;
            wait("return !!document.querySelector('.menu .segments')").await;
        }
        "held while pressing a value: leave it out" => {
            let alt = "const cell = document.querySelector('main [data-dim]'); cell.dispatchEvent(new MouseEvent('click', { altKey: true, bubbles: true })); return true";
            wait(alt).await;
            wait("return /=(!|%21)/.test(location.search)").await;
        }
        "Search" => {
            browser.press("/").await;
            wait("return document.activeElement.matches('[data-search]')").await;
        }
        "Compare" => {
            browser.press("x").await;
            wait("return /compare=none/.test(location.search)").await;
            browser.press("x").await;
            wait("return !/compare=none/.test(location.search)").await;
        }
        "Days or weeks" => {
            browser.press("i").await;
            wait("return /each=week/.test(location.search)").await;
        }
        "Note on the day under the pointer" => {
            wait("document.querySelector('[data-focus=plot]').focus(); return true").await;
            browser.press("n").await;
            wait("return document.querySelector('dialog[open] h2')?.innerText.startsWith('A note on')").await;
        }
        "Next row" => {
            // From nowhere an arrow scrolls the page.
            browser.press("j").await;
            wait(&row_has_focus(0)).await;
            browser.press(DOWN).await;
            wait(&row_has_focus(1)).await;
        }
        "Row before" => {
            browser.press("jj").await;
            wait(&row_has_focus(1)).await;
            browser.press(UP).await;
            wait(&row_has_focus(0)).await;
            browser.press("j").await;
            wait(&row_has_focus(1)).await;
            browser.press("k").await;
            wait(&row_has_focus(0)).await;
        }
        "Open the row" if key == "Enter" => {
            browser.press("j").await;
            wait(&row_has_focus(0)).await;
            browser.press(ENTER).await;
            wait(&format!("return !!document.querySelector('dialog[open]') || !location.pathname.endsWith('/{page}')")).await;
        }
        "Select the row" => {
            browser.press("j").await;
            wait(&row_has_focus(0)).await;
            browser.press(" ").await;
            wait("return document.querySelectorAll('main tr[data-id] input:checked').length === 1 && !document.querySelector('.selection').hidden").await;
        }
        // The daily report.
        "The day before" | "The day after" | "Back to today" => {
            browser.press(LEFT).await;
            wait("return /show=/.test(location.search)").await;
            browser.press(if word == "Back to today" { "b" } else { RIGHT }).await;
            wait("return !/show=/.test(location.search)").await;
        }
        // The tree of sources.
        "Next row, row before" => {
            browser.press(DOWN).await;
            // Opened, so that there is a next one.
            browser.press(RIGHT).await;
            browser.press(DOWN).await;
            let at =
                |n: usize| format!("return [...document.querySelectorAll('.t-tree [data-id]')].indexOf(document.activeElement) === {n}");
            wait(&at(1)).await;
            browser.press(UP).await;
            wait(&at(0)).await;
        }
        "Open the row" | "Close it" => {
            browser.press(DOWN).await;
            browser.press(RIGHT).await;
            wait(
                "return document.activeElement.getAttribute('aria-expanded') === 'true' && !!document.querySelector('[data-level=\"1\"]')",
            )
            .await;
            browser.press(LEFT).await;
            wait("return document.activeElement.getAttribute('aria-expanded') === 'false'").await;
        }
        "What to do with the row" => {
            browser.press(DOWN).await;
            browser.press("m").await;
            wait("return document.querySelector('.menu')?.innerText.includes('Show only this')").await;
        }
        // The board of leads.
        "Next lead, lead before" => {
            browser.press("j").await;
            let first = browser.wait(&what, "return document.activeElement.closest('[data-lead]')?.dataset.lead").await;
            browser.press("j").await;
            wait(&format!("return document.activeElement.closest('[data-lead]').dataset.lead !== {first}")).await;
            browser.press("k").await;
            wait(&format!("return document.activeElement.closest('[data-lead]').dataset.lead === {first}")).await;
        }
        "Move the lead to the next stage" => {
            browser.press("j").await;
            let id = browser.wait(&what, "return document.activeElement.closest('[data-lead]')?.dataset.lead").await;
            let id = id.as_str().expect("a lead").to_owned();
            browser.press(format!("{SHIFT}{RIGHT}").as_str()).await;
            wait(&format!("return !!document.querySelector('[data-stage=contacted] [data-lead={id}] .open:focus')")).await;
        }
        "Move it by a menu" => {
            browser.press("j").await;
            browser.press("m").await;
            wait("return !!document.querySelector('.menu [data-item]:focus')").await;
        }
        "Close; clear search and filters" => {
            browser.press("f").await;
            wait("return !!document.querySelector('.menu .filter')").await;
            browser.press(ESCAPE).await;
            wait("return !document.querySelector('.menu')").await;
            open(browser, office, &format!("{page}?source=nobody"), ".empty, .first, tr, p").await;
            wait("return !!document.querySelector('.chip')").await;
            rest(browser).await;
            browser.press(ESCAPE).await;
            wait("return !document.querySelector('.chip') && !/source=/.test(location.search)").await;
        }
        "This list" => {
            browser.press("?").await;
            wait("return document.querySelector('dialog[open] h2')?.innerText === 'Keys'").await;
        }
        "Sites" => {
            let other = browser.run("return location.pathname.startsWith('/dashboard/full') ? 1 : 0").await;
            assert_eq!(other, json!(1));
            let sites = browser.run("return fetch('/api/me').then((r) => r.json()).then((me) => me.sites.map((s) => s.site))").await;
            let n = sites.as_array().and_then(|all| all.iter().position(|s| *s == json!("empty"))).expect("the other site") + 1;
            browser.press(n.to_string().as_str()).await;
            wait(&format!("return location.pathname === '/dashboard/empty/{page}'")).await;
        }
        _ => panic!("{what}: this story does not know how to try it"),
    }
}

fn row_has_focus(n: usize) -> String {
    format!("return [...document.querySelectorAll('main tr[data-id]')].indexOf(document.activeElement.closest('tr')) === {n}")
}
