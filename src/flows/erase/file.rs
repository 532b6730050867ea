//! The file after an erasure: the log is written back, then every byte is searched for the address and its plain hashes.
//! Where something is found, texts of others that name the person are emptied and the file is written anew.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use regex::bytes::Regex;
use serde_json::json;

use crate::app::App;
use crate::domain::erasure::{self, Needle};
use crate::domain::ids::ErasureId;
use crate::error::{Error, Result};
use crate::flows::imports::uploads;
use crate::store::audit;
use crate::store::erasures::{self, Subject, residue};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

const CHUNK: usize = 1 << 20;
const KNOWN: &str = "Another site of this installation, or one of its users, has the same address; that is theirs and stays.";
const LEFT: &str = "The address is still found in a text that is not this person's own. Search for it and change that text.";
const NO_ROOM: &str =
    "The file could not be written anew. Free as much room as it takes, then erase the person once more: nothing else is left to do.";
/// Longer than any needle.
const OVERLAP: usize = 512;

pub async fn clean(app: &App, site: &Arc<Site>, id: ErasureId, subject: &Subject) -> Result<()> {
    let needles = erasure::needles(&subject.emails, &subject.phones, site.country.as_deref());
    let mut rewrites = 0;
    let mut left = None;
    if !needles.is_empty() {
        // What may be theirs is looked into text by text; only what is theirs is a reason to write the file anew. In the file the
        // field before a number may end with a digit.
        let (alone, loose) = (pattern(&needles, true)?, pattern(&needles, false)?);
        drop_waiting_files(app, site, &alone).await?;
        write_back(app).await?;
        if has_any(app, &loose).await? {
            empty_texts(app, site, subject).await?;
            write_back(app).await?;
            (rewrites, left) = rewritten(app, site, subject, &alone).await?;
        }
    }
    let now = app.clock.now();
    app.store.write(site.id, move |c| erasures::set_cleaned(c, id, rewrites, left, now)).await
}

/// A file of history that nobody has brought in yet is not ours to change: where it names the person it goes, and is sent again
/// without them.
async fn drop_waiting_files(app: &App, site: &Arc<Site>, pattern: &Regex) -> Result<()> {
    for (id, path) in uploads::waiting(app, site).await? {
        let pattern = pattern.clone();
        if tokio::task::spawn_blocking(move || is_in(&path, &pattern)).await.map_err(Error::internal)?? {
            uploads::remove(app, site, id).await?;
            let now = app.clock.now();
            let told = json!({"import": id});
            app.store.write(site.id, move |c| audit::add(c, "erasure", "dropped a file that named the person", &told, now)).await?;
        }
    }
    Ok(())
}

/// What is still found may be somebody else's by right: this site's own rows have been overwritten, and a rewrite that
/// keeps all writers waiting would change nothing of it. Else the file is written anew.
async fn rewritten(app: &App, site: &Arc<Site>, subject: &Subject, pattern: &Regex) -> Result<(i64, Option<&'static str>)> {
    if !has_any(app, pattern).await? {
        return Ok((0, None));
    }
    if is_known_elsewhere(app, site, subject).await? {
        return Ok((0, Some(KNOWN)));
    }
    if let Err(e) = app.store.rewrite().await {
        tracing::error!(error = %e, "The file could not be written anew after an erasure.");
        return Ok((0, Some(NO_ROOM)));
    }
    write_back(app).await?;
    Ok((1, has_any(app, pattern).await?.then_some(LEFT)))
}

/// A reader in the middle of a question holds the log; it is asked again until the log is empty.
async fn write_back(app: &App) -> Result<()> {
    for _ in 0..200 {
        if app.store.checkpoint().await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    tracing::warn!("A long question holds the database's log; the search after an erasure looks at the log too.");
    Ok(())
}

async fn has_any(app: &App, pattern: &Regex) -> Result<bool> {
    let (file, pattern) = (app.store.path().to_owned(), pattern.clone());
    tokio::task::spawn_blocking(move || {
        let log = PathBuf::from(format!("{}-wal", file.display()));
        Ok(is_in(&file, &pattern)? || is_in(&log, &pattern)?)
    })
    .await
    .map_err(Error::internal)?
}

fn is_in(file: &Path, pattern: &Regex) -> Result<bool> {
    let mut opened = match std::fs::File::open(file) {
        Ok(opened) => opened,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(Error::internal(e)),
    };
    let mut buffer = vec![0u8; CHUNK + OVERLAP];
    let mut kept = 0;
    loop {
        let read = opened.read(&mut buffer[kept..]).map_err(Error::internal)?;
        if read == 0 {
            return Ok(false);
        }
        let end = kept + read;
        if pattern.is_match(&buffer[..end]) {
            return Ok(true);
        }
        let from = end.saturating_sub(OVERLAP);
        buffer.copy_within(from..end, 0);
        kept = end - from;
    }
}

fn pattern(needles: &[Needle], is_alone: bool) -> Result<Regex> {
    let parts: Vec<String> = needles
        .iter()
        .map(|n| {
            let text = regex::escape(&n.text);
            if n.is_number {
                erasure::pattern_of_number(&n.text, is_alone)
            } else if n.is_exact {
                format!("(?-iu:{text})")
            } else {
                format!("(?i-u:{text})")
            }
        })
        .collect();
    // An address of other letters than these is searched as it is stored: in lower case.
    Regex::new(&parts.join("|"))
        .or_else(|_| Regex::new(&needles.iter().map(|n| regex::escape(&n.text)).collect::<Vec<_>>().join("|")))
        .map_err(Error::internal)
}

/// What somebody else wrote of the person: a message, a body, a property of an event.
async fn empty_texts(app: &App, site: &Arc<Site>, subject: &Subject) -> Result<()> {
    for value in erasure::looked_for(&subject.emails, &subject.phones, site.country.as_deref()) {
        let looked = value.clone();
        let found = app.store.read_unhurried(site.id, move |c| residue::find_mentions(c, &looked)).await?;
        let change = move |c: &SiteConn| {
            residue::blank_mentions(c, &found, &value)?;
            residue::blank_small_texts(c, &value)
        };
        app.store.write(site.id, change).await?;
    }
    Ok(())
}

async fn is_known_elsewhere(app: &App, site: &Arc<Site>, subject: &Subject) -> Result<bool> {
    let (subject, own) = (subject.clone(), site.id);
    app.store
        .read_all_sites(move |all| {
            let known = |kind: &str, values: &[String]| -> Result<bool> {
                for value in values {
                    if residue::is_known_elsewhere(all, &all.of(own), kind, value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            };
            Ok(known("email", &subject.emails)? || known("phone", &subject.phones)?)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_is_found_across_two_reads_and_in_any_case() {
        let file = std::env::temp_dir().join(format!("halotrack-scan-{}", crate::crypto::random_text(6)));
        let pattern = pattern(&erasure::needles(&["ann@shop.example".into()], &[], None), true).expect("a pattern");
        let look = |bytes: &[u8]| {
            std::fs::write(&file, bytes).expect("a file");
            is_in(&file, &pattern).expect("a look")
        };
        let mut bytes = vec![0xff; CHUNK + OVERLAP - 5];
        assert!(!look(&bytes));
        bytes.extend_from_slice(b"ANN@shop.Example");
        assert!(look(&bytes));
        let hash = crate::crypto::plain_hashes(b"ann@shop.example")[0].clone();
        assert!(look(crate::crypto::base64(&hash).as_bytes()));
        assert!(!look(crate::crypto::base64(&hash).to_lowercase().as_bytes()));
        std::fs::remove_file(&file).expect("a clean end");
    }
}
