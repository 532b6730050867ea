//! Who may lean on whom: imports per layer, purity, and the ways to stored data.

use super::text::{Source, lines_with, sources};
use super::{is_under, none};

/// A module of the crate and those it may name. What is not listed may not be named.
const MAY_NAME: &[(&str, &str)] = &[
    ("error", ""),
    ("wire", "error"),
    ("crypto", "error"),
    // The strict reader of JSON bodies.
    ("json", "error"),
    // Its answer is a Time.
    ("clock", "domain error"),
    ("domain", "crypto error"),
    ("sources", "domain wire crypto json error"),
    ("destinations", "domain wire crypto error"),
    ("platforms", "sources destinations domain error"),
    ("outbound", "wire domain crypto clock error"),
    ("files", "error"),
    ("store", "files domain crypto error"),
    ("backup", "store book disk files domain crypto error"),
    ("config", "domain error"),
    // The day in the name of an old key.
    ("key", "domain crypto error"),
    ("password", "domain crypto error"),
    ("totp", "domain crypto error"),
    ("limits", "domain crypto error"),
    ("figures", "domain error"),
    ("disk", "domain crypto error"),
    ("pulse", "clock domain"),
    ("presence", "domain error"),
    ("agents", "domain"),
    ("turned_away", "domain"),
    ("recent", "book store domain error"),
    ("talks", "domain"),
    ("watch", "domain"),
    ("turns", "domain"),
    ("book", "store domain crypto error"),
    ("clicks", "store domain"),
    ("loads", "limits domain"),
    ("door", "store book limits clock config domain crypto error"),
    (
        "app",
        "store outbound config clock sources destinations book clicks disk door limits loads figures presence pulse recent talks turned_away turns watch agents domain crypto error",
    ),
    (
        "flows",
        "app store backup files sources destinations platforms outbound wire domain crypto clock book limits recent password totp error",
    ),
    (
        "http",
        "flows backup app store sources destinations proxy platforms wire domain crypto json config clock book door limits loads figures presence agents error",
    ),
    ("jobs", "flows backup app store sources disk key watch clock wire domain crypto error"),
    ("proxy", "app domain"),
    // An export writes what the lists' own routes write.
    ("control", "http flows app store backup files outbound platforms config clock key domain crypto error"),
    ("demo", "serve control jobs flows backup app store sources outbound wire config clock domain crypto error"),
    ("doctor", "control proxy store outbound disk wire config clock domain error"),
    ("serve", "control http jobs flows app store config error"),
    ("cli", "demo doctor serve control flows backup files store config error"),
    ("lib", ""),
    // Only the crate's own name.
    ("main", ""),
];

/// File, module, reason.
const EXCEPT: &[(&str, &str, &str)] =
    &[("src/domain/steps.rs", "wire", "a step asks with a plain request and gets a plain response; both are values without a library")];

#[test]
fn each_layer_names_only_those_below() {
    let mut broken = Vec::new();
    for file in sources("src") {
        let layer = layer(&file);
        let Some((_, may)) = MAY_NAME.iter().find(|(name, _)| *name == layer) else {
            broken.push(format!("{}: the module {layer} is not in the table", file.path));
            continue;
        };
        for (line, module) in named(&file.code) {
            let is_excepted = EXCEPT.iter().any(|(path, name, _)| file.path == *path && module == *name);
            if module != layer && !may.split_whitespace().any(|m| m == module) && !is_excepted {
                broken.push(format!("{}:{line}: {layer} names {module}", file.path));
            }
        }
    }
    none("imports per layer", broken);
}

#[test]
fn pure_layers_do_no_work_of_the_world() {
    const WORDS: [&str; 11] = [
        "async ",
        ".await",
        "tokio::",
        "std::fs",
        "std::env",
        "std::process",
        "std::thread",
        "std::io",
        "TcpStream",
        "tracing::",
        "static mut",
    ];
    let mut broken = Vec::new();
    for file in sources("src").into_iter().filter(|f| is_under(f, &["src/domain/", "src/sources/", "src/destinations/"])) {
        for word in WORDS {
            broken.extend(lines_with(&file.code, word).map(|(line, text)| format!("{}:{line}: {}", file.path, text.trim())));
        }
    }
    none("domain, sources and destinations get values and give values", broken);
}

#[test]
fn one_platform_never_names_another() {
    let mut broken = Vec::new();
    for folder in ["sources", "destinations"] {
        let files: Vec<Source> = sources("src").into_iter().filter(|f| is_under(f, &[&format!("src/{folder}/")])).collect();
        let slug = |f: &Source| f.path.split('/').nth(2).map(|n| n.trim_end_matches(".rs").to_owned()).unwrap_or_default();
        let slugs: Vec<String> = files.iter().map(slug).filter(|s| s != "mod" && s != "kit").collect();
        for file in files.iter().filter(|f| slug(f) != "mod") {
            let own = slug(file);
            for other in slugs.iter().filter(|s| **s != own) {
                for path in [format!("{folder}::{other}::"), format!("super::{other}::")] {
                    // Below its own folder `super::` is the platform itself.
                    if path.starts_with("super") && file.path.split('/').count() > 3 {
                        continue;
                    }
                    broken.extend(lines_with(&file.code, &path).map(|(line, text)| format!("{}:{line}: {}", file.path, text.trim())));
                }
            }
        }
    }
    none("a platform file names no other platform file", broken);
}

#[test]
fn stored_data_changes_through_flows() {
    // File, reason.
    const MAY_WRITE: &[(&str, &str)] = &[
        ("src/jobs/worker.rs", "claims and gives back its own rows"),
        ("src/http/health.rs", "a change of nothing: how long the writer takes for it"),
        ("src/http/access.rs", "when a token or a login was last used, which is no change of theirs"),
    ];
    let mut broken = Vec::new();
    for file in sources("src").into_iter().filter(|f| is_under(f, &["src/http/", "src/jobs/", "src/control/", "src/cli/", "src/serve.rs"]))
    {
        if MAY_WRITE.iter().any(|(path, _)| file.path == *path) {
            continue;
        }
        for word in ["store.write(", ".write_all_sites("] {
            broken.extend(lines_with(&file.code, word).map(|(line, text)| format!("{}:{line}: {}", file.path, text.trim())));
        }
    }
    none("edges read, flows change", broken);
}

#[test]
fn those_who_see_all_sites_are_known() {
    // Long names on purpose. File, reason.
    const CALLERS: &[(&str, &str)] = &[
        ("src/app.rs", "the book of all sites and connections"),
        ("src/jobs/worker.rs", "claims what is due, whichever site it is of"),
        ("src/control/queue.rs", "how much waits on the whole box"),
        ("src/flows/backup.rs", "a backup is of the whole box"),
        ("src/flows/restore.rs", "a restored file is of the whole box"),
        ("src/flows/sites.rs", "a site is added to the box"),
        ("src/flows/login.rs", "users belong to the box"),
        ("src/flows/rotation.rs", "the master key is the box's"),
        ("src/flows/erase/beside.rs", "backups are of the box: erasures.log lies beside them"),
        ("src/flows/erase/file.rs", "the file is the box's: whose an address is that is still found in it"),
        ("src/flows/account.rs", "users belong to the box"),
        ("src/flows/people.rs", "whether another site counts on the same account"),
        ("src/flows/policy.rs", "a site's settings are a row of the box"),
        ("src/flows/shares.rs", "which site a link is of"),
        ("src/flows/affiliates.rs", "which site a statement's link is of"),
        ("src/jobs/watchdog.rs", "whose reading is late is looked for on the whole box"),
        ("src/flows/syncs.rs", "what the process before this one had under way broke off with it, whosesoever it was"),
        ("src/jobs/puller.rs", "what is due at the platforms is looked for on the whole box"),
        ("src/http/account.rs", "users belong to the box"),
        ("src/http/login.rs", "users belong to the box"),
        ("src/http/access.rs", "who asks, before a site is known"),
        ("src/http/named.rs", "which sites somebody who is signed in may mean"),
        ("src/http/health.rs", "whether the database answers at all"),
        ("src/http/metrics.rs", "counts of the whole box, without names"),
    ];
    let calls = |f: &Source| f.code.contains("_all_sites");
    let is_listed = |f: &Source| CALLERS.iter().any(|(path, _)| f.path == *path);
    let files: Vec<Source> = sources("src").into_iter().filter(|f| !is_under(f, &["src/store/"])).collect();
    none("a new caller across sites", files.iter().filter(|f| calls(f) && !is_listed(f)).map(|f| f.path.clone()).collect());
    let stale = CALLERS.iter().filter(|(path, _)| !files.iter().any(|f| f.path == *path && calls(f))).map(|(path, _)| (*path).to_owned());
    none("no caller any more", stale.collect());
}

fn layer(file: &Source) -> String {
    file.path.split('/').nth(1).unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// Modules of the crate that code names, each with its line: `crate::store::…`, and each of `crate::{key, store}`.
fn named(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (place, _) in code.match_indices("crate::") {
        if code[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let line = code[..place].matches('\n').count() + 1;
        let rest = &code[place + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0;
                let mut word = String::new();
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => found.push((line, std::mem::take(&mut word))),
                        c if depth == 0 && !c.is_whitespace() => word.push(c),
                        _ => {}
                    }
                }
                found.push((line, word));
            }
            None => found.push((line, rest.to_owned())),
        }
    }
    let first = |text: String| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    // A macro of the crate is no module.
    found.into_iter().map(|(line, text)| (line, first(text))).filter(|(_, m)| !m.is_empty() && m != "run").collect()
}

#[test]
fn names_are_found_in_groups_too() {
    let got: Vec<String> =
        named("use crate::store::x;\nuse crate::{key, outbound::{a, b}, wire};\nx!($crate::y);").into_iter().map(|(_, m)| m).collect();
    assert_eq!(got, ["store", "key", "outbound", "wire"]);
}
