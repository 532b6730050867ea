//! The rules of the house, checked on the source itself. A new exception is one line in a list here, with its reason.

mod layers;
mod platforms;
mod text;

use text::{Source, lines_with, sources};

/// Fails with every line that breaks a rule, so that one run shows them all.
#[track_caller]
fn none(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

fn is_under(file: &Source, folders: &[&str]) -> bool {
    folders.iter().any(|f| file.path.starts_with(f) || file.path == f.trim_end_matches('/').to_owned() + ".rs")
}

#[test]
fn every_file_says_what_it_is() {
    let broken = sources("src").into_iter().chain(sources("tests")).filter(|f| !f.whole.starts_with("//! ")).map(|f| f.path).collect();
    none("the first line of a file is `//! …`", broken);
}

#[test]
fn files_hold_one_noun() {
    // Tests at the end of a file do not count. Why a longer one is still one noun:
    const LONG: &[(&str, &str)] = &[("src/domain/campaign/origin.rs", "one table of rules that belong beside each other")];
    let is_listed = |f: &Source| LONG.iter().any(|(path, _)| f.path == *path);
    let long = |f: &Source| f.own.lines().count() > 400;
    let broken = sources("src").into_iter().filter(|f| long(f) && !is_listed(f)).map(|f| format!("{}: {}", f.path, f.own.lines().count()));
    none("past 400 lines, look for the second noun", broken.collect());
    let stale = LONG.iter().filter(|(path, _)| !sources("src").iter().any(|f| f.path == *path && f.whole.lines().count() > 400));
    none("no longer that long", stale.map(|(path, _)| (*path).to_owned()).collect());
}

#[test]
fn no_file_is_a_rag_bag() {
    const WORDS: [&str; 7] = ["util", "utils", "helper", "helpers", "common", "manager", "service"];
    let is_bag = |f: &Source| f.path.split(['/', '.']).any(|part| WORDS.contains(&part));
    none("a file is called after its noun", sources("src").into_iter().filter(is_bag).map(|f| f.path).collect());
}

#[test]
fn sql_is_written_in_the_store_only() {
    const BEGINNINGS: [&str; 12] = [
        "select ",
        "insert into ",
        "insert or ",
        "update ",
        "delete from ",
        "create table ",
        "create view ",
        "create temp ",
        "create index ",
        "drop ",
        "pragma ",
        "begin immediate",
    ];
    let mut broken = Vec::new();
    for file in sources("src").into_iter().filter(|f| !is_under(f, &["src/store/"])) {
        for (line, text) in &file.strings {
            let lower = text.trim_start().to_lowercase();
            let is_statement = BEGINNINGS.iter().any(|b| lower.starts_with(b))
                && [" from ", " set ", " values", " into ", "table ", "view ", "index ", "pragma ", "begin "]
                    .iter()
                    .any(|w| lower.contains(w));
            if is_statement {
                broken.push(format!("{}:{line}: {}", file.path, text.trim()));
            }
        }
    }
    none("SQL stands under src/store and schema only", broken);
}

#[test]
fn libraries_stay_behind_their_door() {
    const DOORS: &[(&str, &[&str])] = &[
        ("rusqlite", &["src/store/"]),
        ("r2d2", &["src/store/"]),
        ("reqwest", &["src/outbound/"]),
        ("axum", &["src/http/"]),
        ("hyper", &["src/http/", "src/proxy/"]),
        ("hyper_util", &["src/http/", "src/proxy/"]),
        ("hyper_rustls", &["src/proxy/"]),
        ("rustls_platform_verifier", &["src/proxy/"]),
        ("tower", &["src/http/", "src/proxy/"]),
        ("tokio_cron_scheduler", &["src/jobs/schedule.rs"]),
        ("rust_embed", &["src/http/assets.rs", "src/config.rs", "src/store/migrate.rs"]),
        ("clap", &["src/cli/"]),
        ("toml", &["src/config/"]),
        ("chacha20poly1305", &["src/crypto.rs"]),
        ("hmac", &["src/crypto.rs"]),
        ("argon2", &["src/password.rs"]),
        ("jiff", &["src/domain/"]),
        ("psl", &["src/domain/"]),
        ("libc", &["src/cli.rs", "src/disk/gauge.rs", "src/doctor/ground.rs"]),
    ];
    let mut broken = Vec::new();
    for (library, doors) in DOORS {
        let path = format!("{library}::");
        for file in sources("src").into_iter().filter(|f| !is_under(f, doors)) {
            for (line, text) in lines_with(&file.code, &path) {
                // `crate::outbound::…` and `x_reqwest::` are no use of the library.
                let before = text.split(path.as_str()).next().unwrap_or_default();
                if !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                    broken.push(format!("{}:{line}: {}", file.path, text.trim()));
                }
            }
        }
    }
    none("a library is used behind its own door", broken);
}

#[test]
fn clock_and_chance_have_one_place_each() {
    const WORDS: [&str; 8] =
        ["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now", "getrandom::", "rand::", "thread_rng", "RandomState::new"];
    const EXCEPT: &[(&str, &str)] = &[
        ("src/clock.rs", "the reader of the clock"),
        ("src/crypto.rs", "the maker of random bytes"),
        ("src/store/mod.rs", "how long damage has been looked for; no date"),
        ("src/store/reading.rs", "how long a question has taken; no date"),
        ("src/store/writer.rs", "how long a change waited in the queue; no date"),
        ("src/store/writer/beside.rs", "how long housekeeping has waited; no date"),
        ("src/http/live.rs", "how long a stream has been open; no date"),
        ("src/door.rs", "how old the last look at the machine is; no date"),
    ];
    let mut broken = Vec::new();
    for file in sources("src").into_iter().filter(|f| !EXCEPT.iter().any(|(path, _)| f.path == *path)) {
        for word in WORDS {
            broken.extend(lines_with(&file.code, word).map(|(line, text)| format!("{}:{line}: {}", file.path, text.trim())));
        }
    }
    none("the clock is read in clock.rs, chance made in crypto.rs", broken);
}

#[test]
fn only_the_store_makes_a_site_id() {
    let broken = sources("src").into_iter().filter(|f| !is_under(f, &["src/store/", "src/domain/ids.rs"])).flat_map(|f| {
        lines_with(&f.code, "SiteId::issued").map(|(line, text)| format!("{}:{line}: {}", f.path, text.trim())).collect::<Vec<_>>()
    });
    none("nothing outside the store makes a SiteId from a number", broken.collect());
}

#[test]
fn money_and_credit_know_no_floating_point() {
    const EXACT: [&str; 6] = [
        "src/domain/money.rs",
        "src/domain/ledger.rs",
        "src/domain/conversion.rs",
        "src/domain/affiliate.rs",
        "src/domain/lifetime.rs",
        "src/domain/attribution/",
    ];
    // Markov's removal effect is an estimate and says so.
    let is_exact = |f: &Source| is_under(f, &EXACT) && f.path != "src/domain/attribution/markov.rs";
    let mut broken = Vec::new();
    for file in sources("src").into_iter().filter(is_exact) {
        for word in ["f64", "f32"] {
            broken.extend(lines_with(&file.code, word).map(|(line, text)| format!("{}:{line}: {}", file.path, text.trim())));
        }
    }
    none("amounts and shares are whole numbers", broken);
}

#[test]
fn nothing_is_left_for_later() {
    let mut broken = Vec::new();
    // Put together here, so that this file does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("HA", "CK")];
    for file in sources("src").into_iter().chain(sources("tests")) {
        for mark in marks {
            broken.extend(lines_with(&file.whole, mark).map(|(line, text)| format!("{}:{line}: {}", file.path, text.trim())));
        }
    }
    for file in sources("src") {
        for word in ["todo!(", "unimplemented!(", "dbg!(", ".unwrap()", "println!(", "print!(", "eprintln!("] {
            broken.extend(lines_with(&file.code, word).map(|(line, text)| format!("{}:{line}: {}", file.path, text.trim())));
        }
    }
    none("nothing unfinished, and no unwrap: handle an error or return it", broken);
}

#[test]
fn the_tag_stays_small() {
    for name in ["assets/t.js", "assets/t.v1.js"] {
        let size = std::fs::metadata(text::root().join(name)).map(|m| m.len()).unwrap_or_default();
        assert!((1..5_000).contains(&size), "{name} has {size} bytes; fewer than 5,000 are allowed");
    }
}

/// Pages that pin a version by its hash load nothing at all once it changes: what is new is a file with the next number.
#[test]
fn a_tag_with_a_number_never_changes() {
    const FROZEN: &[(&str, &str)] = &[("t.v1.js", "sha256-s+bnerPAEOSZIERa437c5U8SRyAY3ta7DMlS4CMiu5o=")];
    let text = |path: &str| std::fs::read_to_string(text::root().join(path)).unwrap_or_default();
    let files = std::fs::read_dir(text::root().join("assets")).into_iter().flatten();
    let named = files.filter_map(|f| f.ok()?.file_name().into_string().ok()).filter(|n| n.starts_with("t.v") && n.ends_with(".js"));
    let broken = named.filter_map(|name| {
        let digest = halotrack::crypto::sha256(text(&format!("assets/{name}")).as_bytes());
        let own = format!("sha256-{}", halotrack::crypto::base64(&digest));
        let is_frozen = FROZEN.contains(&(name.as_str(), own.as_str()));
        (!is_frozen || !text("docs/tag.md").contains(&own)).then(|| format!("{name} is {own}"))
    });
    none("a tag with a number is frozen here, and its hash stands in docs/tag.md", broken.collect());
}

#[test]
fn every_route_is_in_the_api_page() {
    let house = crate::house::House::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let described = runtime.block_on(house.get("/openapi.json").send()).is(200).json;
    let is_there = |r: &halotrack::http::route::Route| described["paths"][r.path.replace("{*", "{")][r.method.to_lowercase()].is_object();
    let broken = halotrack::http::table::ROUTES.iter().filter(|r| !is_there(r)).map(|r| format!("{} {}", r.method, r.path));
    none("every route is described", broken.collect());
    let undescribed =
        halotrack::http::table::ROUTES.iter().filter(|r| r.doc.summary.is_empty()).map(|r| format!("{} {}", r.method, r.path));
    none("every route says what it does", undescribed.collect());
}

#[test]
fn every_step_of_the_schema_is_taken() {
    let mut files: Vec<String> = std::fs::read_dir(text::root().join("schema"))
        .expect("the folder")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    files.sort();
    let steps: Vec<String> = halotrack::store::migrate::STEPS.iter().map(|(name, _)| format!("{name}.sql")).collect();
    assert_eq!(files, steps);
}

#[test]
fn the_schema_keeps_its_habits() {
    let schema = std::fs::read_to_string(text::root().join("schema/current.sql")).expect("the schema");
    // Tables that are no single site's.
    const OF_THE_BOX: [&str; 9] =
        ["sites", "schema_steps", "users", "recovery_codes", "logins", "one_time_links", "site_domains", "jobs", "backups"];
    // Their key is a secret's hash, or the number that an address shows.
    const OTHER_KEYS: [&str; 5] = ["tokens", "connections", "hook_tokens", "shares", "statement_links"];
    // Real tables that carry a documented name: the views hide them from questions.
    const ALSO_VIEWS: [&str; 5] = ["contacts", "sessions", "anon_events", "leads", "orders"];
    let mut broken = Vec::new();
    for statement in schema.split(";\n") {
        let Some(start) = statement.find("create table ").or_else(|| statement.find("CREATE TABLE ")) else { continue };
        let text = &statement[start..];
        let name = text.split_whitespace().nth(2).unwrap_or_default().trim_end_matches('(').to_owned();
        if !text.trim_end().to_lowercase().contains("strict") {
            broken.push(format!("{name} is not strict"));
        }
        let first = text.lines().nth(1).unwrap_or_default().trim_start();
        if !first.starts_with("site_id") && !OF_THE_BOX.contains(&name.as_str()) && !OTHER_KEYS.contains(&name.as_str()) {
            broken.push(format!("{name} does not begin with site_id"));
        }
        if halotrack::store::documented::NAMES.contains(&name.as_str()) && !ALSO_VIEWS.contains(&name.as_str()) {
            broken.push(format!("{name} is a name for views.sql"));
        }
        // For a list of more than two SQLite builds a table, anew for each row that is written.
        for list in text.split(" in (").skip(1).filter_map(|rest| rest.split(')').next()) {
            if list.starts_with('\'') && list.matches(',').count() > 1 {
                broken.push(format!("{name} checks words in a list: {list}"));
            }
        }
    }
    none("tables of the schema", broken);
}

#[test]
fn libraries_taken_whole_are_as_their_packages_have_them() {
    let folder = text::root().join("assets/vendor");
    let readme = std::fs::read_to_string(folder.join("README.md")).expect("what stands there");
    let broken =
        std::fs::read_dir(folder).expect("the folder").filter_map(Result::ok).map(|e| e.path()).filter(|p| !p.ends_with("README.md"));
    let is_listed = |path: &std::path::PathBuf| {
        let hash = halotrack::crypto::hex(&halotrack::crypto::sha256(&std::fs::read(path).expect("a file")));
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        readme.lines().any(|l| l.starts_with(&format!("| {name} |")) && l.contains(&hash))
    };
    none("libraries that differ from assets/vendor/README.md", broken.filter(|p| !is_listed(p)).map(|p| p.display().to_string()).collect());
}
