//! `erasures.log` beside the database: keyed digests of who was erased, so that an older copy of the file comes back
//! erased. Both ways at every start: what the file does not know of is erased again, what the log lacks is added.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::backup::Watch;
use crate::backup::erasures::{self, FILE};
use crate::crypto;
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::store::erasures::{self as certificates, Named, tombstones};
use crate::store::people::IdentityKind;
use crate::store::sites::Site;

/// One erasure. Nobody can be found by it without the site's own sealed key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub uid: String,
    /// Public key of the site.
    pub site: String,
    /// Milliseconds since 1970.
    pub at: i64,
    pub digests: Vec<String>,
}

/// On disk when it returns.
pub fn append(data: &Path, line: &Line) -> Result<()> {
    let path = data.join(FILE);
    let write = || erasures::add(data, &[serde_json::to_string(line)?]);
    write().map_err(|e| Error::new(Kind::Unavailable, "log_unwritable", format!("{} cannot be written: {e}.", path.display())))
}

/// Every whole line of the log of a data folder.
pub fn read(data: &Path) -> Result<Vec<Line>> {
    let path = data.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().filter_map(parsed).collect()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::new(Kind::Unavailable, "log_unreadable", format!("{} cannot be read: {e}.", path.display()))),
    }
}

fn parsed(line: &str) -> Option<Line> {
    serde_json::from_str(line).ok()
}

/// To pass over a line of another version would bring people back. One that a power cut left half written is none: its
/// erasure is in the file, or never happened.
pub fn check(data: &Path) -> Result<()> {
    let is_torn = |line: &str| line.starts_with("{\"uid\":") || "{\"uid\":".starts_with(line);
    match erasures::read(&[data])?.iter().find(|line| parsed(line).is_none() && !is_torn(line)) {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Kind::Unavailable,
            "erasures_unread",
            "There is a log of erasures beside the backup or the data, and this version cannot read all of it. Nothing was changed: \
             restore with the version that wrote it.",
        )),
    }
}

/// Before anything is answered: erases again what the file brought back.
pub async fn reconcile(app: &App) -> Result<usize> {
    let lines = read(&app.config.data)?;
    let logged: HashSet<&str> = lines.iter().map(|l| l.uid.as_str()).collect();
    let mut again = 0;
    for site in app.book().sites().to_vec() {
        for line in missing_in_log(app, &site, &logged).await? {
            append(&app.config.data, &line)?;
        }
        let own: Vec<Line> = lines.iter().filter(|l| l.site == site.public_key).cloned().collect();
        let unknown = app
            .store
            .read(site.id, move |c| {
                let mut unknown = Vec::new();
                for line in own {
                    if !certificates::has_uid(c, &line.uid)? {
                        unknown.push(line);
                    }
                }
                Ok(unknown)
            })
            .await?;
        if !unknown.is_empty() {
            again += unknown.len();
            erase_again(app, &site, unknown).await?;
        }
    }
    if again > 0 {
        tracing::info!(count = again, "People who had been erased came back with an older file and were erased again.");
    }
    Ok(again)
}

async fn missing_in_log(app: &App, site: &Arc<Site>, logged: &HashSet<&str>) -> Result<Vec<Line>> {
    let mut missing = Vec::new();
    let mut cursor = None;
    loop {
        let (page, next) = app.store.read(site.id, move |c| certificates::page(c, cursor, 500)).await?;
        missing.extend(page.into_iter().filter(|e| !logged.contains(e.uid.as_str())).map(|e| Line {
            uid: e.uid,
            site: site.public_key.clone(),
            at: e.at.ms(),
            digests: e.digests,
        }));
        if next.is_none() {
            return Ok(missing);
        }
        cursor = next;
    }
}

async fn erase_again(app: &App, site: &Arc<Site>, lines: Vec<Line>) -> Result<()> {
    let mut wanted: HashMap<[u8; 16], Vec<usize>> = HashMap::new();
    for (n, line) in lines.iter().enumerate() {
        for digest in line.digests.iter().filter_map(|hex| crypto::unhex(hex)?.try_into().ok()) {
            wanted.entry(digest).or_default().push(n);
        }
    }
    let key = site.keys.tombstone;
    let lookup = wanted.clone();
    let count = lines.len();
    let found = app
        .store
        .read_unhurried(site.id, move |c| {
            let mut found: Vec<Vec<(IdentityKind, String)>> = vec![Vec::new(); count];
            tombstones::list_known(c, &mut |kind, value| {
                for n in lookup.get(&tombstones::digest(&key, kind.word(), &value)).into_iter().flatten() {
                    found[*n].push((kind, value.clone()));
                }
            })?;
            Ok(found)
        })
        .await?;
    for (line, known) in lines.iter().zip(found) {
        let at = Time::from_ms(line.at);
        let stones: Vec<[u8; 16]> = line.digests.iter().filter_map(|hex| crypto::unhex(hex)?.try_into().ok()).collect();
        app.store.write(site.id, move |c| stones.iter().try_for_each(|stone| tombstones::add(c, stone, at))).await?;
        let id = super::erase(app, site, Named::Log(known), "erasures.log", &line.uid, at, &Watch::nobody()).await?;
        super::finish(app, site, id, &Watch::nobody()).await?;
    }
    Ok(())
}
