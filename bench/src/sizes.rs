//! What a visitor's browser and the owner's have to fetch, and what an owner has to download.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::browser;
use crate::driver::header;
use crate::product::{Folder, Product};
use crate::questions::{self, Filled};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};

const TAG_RAW: Bar = Bar::Below { must: 5_000.0, aim: 5_000.0, unit: Unit::Bytes };
const TAG_GZIP: Bar = Bar::Below { must: 2_300.0, aim: 2_000.0, unit: Unit::Bytes };
const LOAD: Bar = Bar::Below { must: 150.0, aim: 80.0, unit: Unit::Kb };
const REQUESTS: Bar = Bar::AtMost { must: 12.0, aim: 8.0, unit: Unit::Count };
const BINARY: Bar = Bar::Below { must: 30.0, aim: 20.0, unit: Unit::Mb };
const SESSIONS: usize = 5_000;
const EMAIL: &str = "owner@bench.example";
const PASSWORD: &str = "lined-boot-42-in-the-rain";

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "sizes")?;
    // An owner whose shop has been running for a year; an empty one shows less.
    let Filled { product, cookie, .. } = questions::fill(settings, &folder, questions::Year::of(SESSIONS), questions::NOWHERE)?;
    let mut rows = tag(&product)?;
    let shell = first_load(&product)?;
    let told = match browser::load(&product, &cookie, folder.path(), "/dashboard")? {
        Some(seen) => {
            if settings.is_told_more {
                seen.iter().for_each(|f| eprintln!("first load  {:>7} B  {}", f.bytes, f.path));
            }
            (seen.iter().map(|f| f.bytes).sum(), seen.len(), "in Chromium, questions to the API included".to_owned())
        }
        None => (shell.0, shell.1, "page, style and static imports; no Chromium is here to count the rest".to_owned()),
    };
    let (bytes, requests, how): (u64, usize, String) = told;
    let mut load = Row::figure("dashboard, first load, compressed", bytes as f64 / 1e3, LOAD);
    load.of = how;
    let mut count = Row::figure("dashboard, first load, requests", requests as f64, REQUESTS);
    count.of = format!("{} of them page, style and static imports ({:.1} kB)", shell.1, shell.0 as f64 / 1e3);
    rows.extend([load, count]);
    let binary = std::fs::metadata(&settings.binary).map_err(|e| e.to_string())?.len();
    rows.push(Row::figure("the binary", binary as f64 / 1e6, BINARY));
    Ok(rows)
}

/// The cookie of a new owner.
pub fn sign_in(product: &Product) -> Result<String, String> {
    product.tell_with(&["user", "add", "--email", EMAIL, "--role", "owner", "--password-stdin"], PASSWORD)?;
    let body = serde_json::json!({"email": EMAIL, "password": PASSWORD}).to_string();
    let headers = [("Content-Type", "application/json"), ("Sec-Fetch-Site", "same-origin")];
    let got = product.ask("POST", "/api/login", &headers, body.as_bytes())?;
    let cookie = header(&got.head, b"set-cookie").and_then(|v| std::str::from_utf8(v).ok()?.split(';').next());
    match (got.status, cookie) {
        (200, Some(cookie)) => Ok(cookie.to_owned()),
        (status, _) => Err(format!("signing in gave {status}: {}", String::from_utf8_lossy(&got.body))),
    }
}

fn tag(product: &Product) -> Result<Vec<Row>, String> {
    let plain = found(product, "/t.js", "identity")?;
    let (packed, how) = match product.get("/t.js", &[("Accept-Encoding", "gzip")])? {
        got if is_gzip(&got.head) => (got.body.len(), "as sent"),
        _ => (gzip(&plain)?, "packed here; the server sends it plain"),
    };
    let mut packed = Row::figure("t.js, gzip", packed as f64, TAG_GZIP);
    packed.of = how.into();
    Ok(vec![Row::figure("t.js", plain.len() as f64, TAG_RAW), packed])
}

/// Bytes and requests of the page and all that it names by itself, without running it.
fn first_load(product: &Product) -> Result<(u64, usize), String> {
    let mut due = vec!["/dashboard".to_owned()];
    let mut seen = BTreeSet::new();
    let mut bytes = 0;
    while let Some(path) = due.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        bytes += product.get(&path, &[("Accept-Encoding", "gzip")])?.body.len() as u64;
        let text = String::from_utf8_lossy(&found(product, &path, "identity")?).into_owned();
        due.extend(names(&path, &text));
    }
    Ok((bytes, seen.len()))
}

/// What a file makes a browser fetch at once: linked files of a page, static imports of a module.
fn names(path: &str, text: &str) -> Vec<String> {
    let quoted = |after: &str| -> Vec<String> {
        text.split(after).skip(1).filter_map(|rest| rest.split(['"', '\'']).next()).map(str::to_owned).collect()
    };
    if path.ends_with(".js") {
        let mut all: Vec<String> = ["from '", "from \"", "import '", "import \""].iter().flat_map(|word| quoted(word)).collect();
        all.retain(|name| name.starts_with('.') || name.starts_with('/'));
        return all.iter().map(|name| resolve(path, name)).collect();
    }
    if path.ends_with(".css") {
        return Vec::new();
    }
    let mut all = quoted("src=\"");
    all.extend(quoted("href=\""));
    all.into_iter().filter(|name| name.starts_with("/a/")).map(|name| name.split('#').next().unwrap_or_default().to_owned()).collect()
}

fn resolve(from: &str, name: &str) -> String {
    if name.starts_with('/') {
        return name.to_owned();
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

fn found(product: &Product, path: &str, encoding: &str) -> Result<Vec<u8>, String> {
    let got = product.get(path, &[("Accept-Encoding", encoding)])?;
    if got.status == 200 { Ok(got.body) } else { Err(format!("{path} gave {}", got.status)) }
}

fn is_gzip(head: &[u8]) -> bool {
    header(head, b"content-encoding") == Some(b"gzip")
}

fn gzip(bytes: &[u8]) -> Result<usize, String> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).map_err(|e| e.to_string())?;
    packed.finish().map(|b| b.len()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_names() {
        let page = r#"<link rel="stylesheet" href="/a/h/app.css"><script type="module" src="/a/h/app.js"></script><a href="/login">"#;
        assert_eq!(names("/dashboard", page), ["/a/h/app.js", "/a/h/app.css"]);
        let module = "import { a } from './api.js'\nimport \"../x.js\"\nconst b = import('./late.js')";
        assert_eq!(names("/a/h/parts/p.js", module), ["/a/h/parts/api.js", "/a/h/x.js"]);
    }
}
