//! What browsers get: the dashboard's files under one content hash, and the tag. Read from the disk in a debug build.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::Embed;

use super::ask::Ask;
use super::bundle::bundled;
use super::decode;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::crypto;
use crate::error::{Error, Kind, Result};
use crate::limits::{Rate, address_key};

#[derive(Embed)]
#[folder = "assets/"]
#[exclude = ".*"]
struct Files;

/// The address changes with the content, so nobody ever asks twice.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// A new tag reaches every page within the hour.
const AN_HOUR: &str = "public, max-age=3600";
/// Below this a gzip header costs more than it saves.
const SMALLEST_PACKED: usize = 256;
const PER_ADDRESS: Rate = Rate::per_second(20, 60);

/// For other people's pages: delivered to the byte as they are written.
const TAGS: [&str; 2] = ["t.js", "t.v1.js"];

/// The place in pages where the hash goes.
const PLACE: &str = "/a/HASH/";

/// All files with their hash.
struct Bundle {
    hash: String,
    files: BTreeMap<String, File>,
}

struct File {
    bytes: Bytes,
    digest: String,
    packed: OnceLock<Option<Bytes>>,
}

pub const ASSET: Doc = Doc::new("Pages", "A file of the dashboard. The hash is of all files together; another one is unknown.")
    .answer("export const title = 'Conversions';")
    .of_type("text/javascript")
    .statuses(&[200, 404]);

pub async fn asset(_: App, ask: Ask) -> Result<Reply> {
    let bundle = bundle();
    let file = bundle.files.get(ask.param("path")).filter(|_| ask.param("hash") == bundle.hash).ok_or_else(decode::unknown_path)?;
    Ok(delivered(&ask, ask.param("path"), file, FOREVER))
}

pub const TAG: Doc =
    Doc::new("Page tag", "The tag: one script for the pages of a site. Small, without dependencies, the same for every site.")
        .answer("(()=>{…})()")
        .of_type("text/javascript")
        .statuses(&[200, 304, 429]);

pub async fn tag(app: App, ask: Ask) -> Result<Reply> {
    script(&app, &ask, "t.js", AN_HOUR)
}

pub const PINNED_TAG: Doc = Doc::new("Page tag", "The first version of the tag, frozen: for pages that pin it by its hash (SRI).")
    .answer("(()=>{…})()")
    .of_type("text/javascript")
    .statuses(&[200, 304, 429]);

pub async fn pinned_tag(app: App, ask: Ask) -> Result<Reply> {
    script(&app, &ask, "t.v1.js", FOREVER)
}

/// A page whose asset addresses carry the present hash.
pub fn page(name: &str) -> Result<Reply> {
    let bundle = bundle();
    let file = bundle.files.get(name).ok_or_else(decode::unknown_path)?;
    let text = String::from_utf8_lossy(&file.bytes).replace(PLACE, &format!("/a/{}/", bundle.hash));
    Ok(Reply::text("text/html; charset=utf-8", text))
}

/// For other people's pages: any of them may load it, and it carries nothing of theirs.
fn script(app: &App, ask: &Ask, name: &str, cache: &'static str) -> Result<Reply> {
    if !ask.is_proxy_itself() {
        app.limits.take("tag", address_key(ask.client), PER_ADDRESS, app.clock.now()).map_err(|seconds| {
            Error::new(Kind::TooMany, "too_many", format!("Too many requests. Try again in {seconds} s.")).after(seconds)
        })?;
    }
    let bundle = bundle();
    let file = bundle.files.get(name).ok_or_else(decode::unknown_path)?;
    let reply = delivered(ask, name, file, cache);
    Ok(reply.with("access-control-allow-origin", "*").with("cross-origin-resource-policy", "cross-origin"))
}

fn delivered(ask: &Ask, name: &str, file: &File, cache: &'static str) -> Reply {
    // Weak: the packed and the plain form are the same thing.
    let tag = format!("W/\"{}\"", file.digest);
    let is_known =
        ask.header("if-none-match").is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == &tag[2..]));
    let reply = if is_known {
        Reply::empty(304)
    } else {
        match file.packed().filter(|_| takes_gzip(ask)) {
            Some(packed) => Reply::text(type_of(name), packed.clone()).with("content-encoding", "gzip"),
            None => Reply::text(type_of(name), file.bytes.clone()),
        }
    };
    reply.with("etag", tag).with("cache-control", cache).with("vary", "accept-encoding")
}

fn takes_gzip(ask: &Ask) -> bool {
    ask.header("accept-encoding").is_some_and(|line| {
        line.split(',').any(|one| {
            let (name, rank) = one.split_once(';').unwrap_or((one, ""));
            let is_refused = rank.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()) == Some(0.0);
            name.trim().eq_ignore_ascii_case("gzip") && !is_refused
        })
    })
}

fn type_of(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

impl File {
    fn new(bytes: Bytes) -> Self {
        let digest = crypto::hex(&crypto::sha256(&bytes)[..12]);
        Self { bytes, digest, packed: OnceLock::new() }
    }

    /// Compressed once, when first asked for; nothing where that gains nothing.
    fn packed(&self) -> Option<&Bytes> {
        let pack = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            let packed = encoder.write_all(&self.bytes).and_then(|()| encoder.finish()).ok()?;
            (packed.len() < self.bytes.len()).then(|| Bytes::from(packed))
        };
        self.packed.get_or_init(|| if self.bytes.len() < SMALLEST_PACKED { None } else { pack() }).as_ref()
    }
}

/// In a debug build the disk is read each time: edit, reload.
fn bundle() -> Arc<Bundle> {
    static BUNDLE: OnceLock<Arc<Bundle>> = OnceLock::new();
    if cfg!(debug_assertions) { Arc::new(read()) } else { BUNDLE.get_or_init(|| Arc::new(read())).clone() }
}

fn read() -> Bundle {
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    for name in Files::iter() {
        if let Some(found) = Files::get(&name) {
            files.insert(name.into_owned(), File::new(Bytes::from(found.data.into_owned())));
        }
    }
    let scripts: BTreeMap<String, String> = files
        .iter()
        .filter(|(name, _)| name.ends_with(".js") && !TAGS.contains(&name.as_str()))
        .map(|(name, file)| (name.clone(), String::from_utf8_lossy(&file.bytes).into_owned()))
        .collect();
    files.retain(|name, _| !scripts.contains_key(name));
    files.extend(bundled(&scripts).into_iter().map(|(name, text)| (name, File::new(Bytes::from(text)))));
    let styles = styles(&files);
    files.insert("app.css".into(), File::new(styles));
    let mut all = Vec::new();
    for (name, file) in &files {
        all.extend_from_slice(name.as_bytes());
        all.extend_from_slice(file.digest.as_bytes());
    }
    Bundle { hash: crypto::hex(&crypto::sha256(&all)[..8]), files }
}

/// One request for all styles, in the order that `css/order.txt` lists them.
fn styles(files: &BTreeMap<String, File>) -> Bytes {
    let order = files.get("css/order.txt").map(|f| String::from_utf8_lossy(&f.bytes).into_owned()).unwrap_or_default();
    let mut all = Vec::new();
    for line in order.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(file) = files.get(&format!("css/{line}")) {
            all.extend_from_slice(&file.bytes);
            all.push(b'\n');
        }
    }
    Bytes::from(all)
}
