//! Every platform file is listed, tried, and told of.

use std::path::Path;

use halotrack::domain::platform::{About, FieldKind};
use halotrack::{destinations, platforms, sources};

use super::{none, text};

fn abouts(folder: &str) -> Vec<&'static About> {
    match folder {
        "sources" => sources::ALL.iter().map(|s| s.about()).collect(),
        _ => destinations::ALL.iter().map(|d| d.about()).collect(),
    }
}

#[test]
fn every_platform_file_is_in_the_list_in_order() {
    for folder in ["sources", "destinations"] {
        let slugs: Vec<&str> = abouts(folder).iter().map(|a| a.slug).collect();
        let mut sorted = slugs.clone();
        sorted.sort_unstable();
        assert_eq!(slugs, sorted, "{folder}::ALL is alphabetical");
        let mut files: Vec<String> = std::fs::read_dir(text::root().join("src").join(folder))
            .expect("the folder")
            .filter_map(|e| e.ok()?.file_name().into_string().ok()?.strip_suffix(".rs").map(str::to_owned))
            .filter(|name| name != "mod" && name != "kit")
            .collect();
        files.sort();
        assert_eq!(files, slugs, "files of src/{folder}, each a slug of its ALL");
    }
}

#[test]
fn every_platform_has_cases() {
    let mut broken = Vec::new();
    for folder in ["sources", "destinations"] {
        for about in abouts(folder) {
            let cases = text::root().join("tests/fixtures").join(folder).join(about.slug);
            let count = std::fs::read_dir(&cases).map(|all| all.filter_map(Result::ok).filter(|e| e.path().is_dir()).count()).unwrap_or(0);
            if count < 3 {
                broken.push(format!("tests/fixtures/{folder}/{}: {count}", about.slug));
            }
        }
    }
    none("at least three cases a platform", broken);
}

#[test]
fn every_platform_has_a_row_in_the_readme() {
    let readme = text::root().join("README.md");
    let Ok(readme) = std::fs::read_to_string(&readme) else {
        println!("skipped: there is no README.md yet");
        return;
    };
    let broken = platforms::all().into_iter().map(|p| p.slug()).filter(|slug| !readme.contains(&format!("`{slug}`"))).map(str::to_owned);
    none("a row in the README's table of platforms", broken.collect());
}

#[test]
fn every_card_is_whole() {
    let mut broken = Vec::new();
    for about in abouts("sources").into_iter().chain(abouts("destinations")) {
        let slug = about.slug;
        let is_word = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let mut say = |what: &str| broken.push(format!("{slug}: {what}"));
        if !is_word(slug) || about.name.is_empty() || about.purpose.is_empty() || about.steps.is_empty() {
            say("slug, name, purpose and steps are filled in");
        }
        if !about.docs_url.starts_with("https://") {
            say("the vendor's documentation has an address");
        }
        if !(about.receives || about.pulls || about.sends) {
            say("it receives, pulls or sends");
        }
        for field in about.fields {
            if !is_word(field.key) || field.label.is_empty() || !field.help.ends_with(['.', '?']) {
                say(&format!("{} has a label, and a help that is a sentence", field.key));
            }
        }
        if let Some(key) = about.own_secret
            && about.field(key).is_none_or(|f| f.kind != FieldKind::Secret)
        {
            say("its own secret is one of its secret fields");
        }
    }
    none("cards of platforms", broken);
}

#[test]
fn tests_bring_their_own_bodies() {
    // Facts may be carried over from elsewhere, files may not: what lies beside the project is only read.
    let shared = text::root().join("../shared/fixtures");
    if !shared.is_dir() {
        println!("skipped: there is no ../shared/fixtures");
        return;
    }
    let theirs = files(&shared);
    let copied: Vec<String> = files(&text::root().join("tests/fixtures"))
        .into_iter()
        .filter(|(_, bytes)| bytes.len() > 200 && theirs.iter().any(|(_, other)| other == bytes))
        .map(|(name, _)| name)
        .collect();
    none("copies of ../shared/fixtures", copied);
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default()));
        }
    }
    found
}
