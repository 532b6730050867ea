//! Files of history: looked at first, then brought in a hundred rows a commit. A run that was cut off goes on where it was
//! when the same file comes again; a row that came before is known.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;

use crate::app::App;
use crate::domain::ids::{ImportId, InboxId};
use crate::domain::import::{Home, ImportKind, Sheet, Told};
use crate::domain::retention;
use crate::domain::storage::Burden;
use crate::domain::time::{DAY_MS, Time};
use crate::error::{Error, Kind, Result};
use crate::flows::intake;
use crate::store::audit;
use crate::store::imports::{self, Counts, Import, ImportState, NewImport};
use crate::store::inbox::{self, NewBody};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

/// What a file would do.
pub mod preview;
/// Rows of one commit.
mod step;
/// A file that is taken back.
mod undoing;
/// Files that a browser sends in pieces.
pub mod uploads;

/// Rows of one commit: a long file must not keep others from the writer.
const AT_ONCE: usize = 100;
/// Rows of one step of an undoing.
const UNDONE_AT_ONCE: i64 = 200;
/// The longest name of a file.
const LONGEST_NAME: usize = 255;

/// A file on its way, piece by piece.
pub type Pieces = mpsc::Receiver<Result<Bytes>>;

/// What a file does not say by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Given {
    pub source: Option<String>,
    pub medium: Option<String>,
}

/// A file that is brought whole, by whoever has it.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub kind: ImportKind,
    pub name: String,
    /// SHA-256 of all of it.
    pub digest: Vec<u8>,
    pub bytes: u64,
    pub given: Given,
}

/// Brings a whole file in, or goes on with the run of the same file that was cut off. Returns when its last row is on disk.
pub async fn bring(app: &App, site: &Arc<Site>, wanted: Wanted, pieces: Pieces, who: &str) -> Result<Import> {
    let _turn = app.importing.try_take(site.id).ok_or_else(busy)?;
    let (now, who) = (app.clock.now(), who.to_owned());
    let home = serde_json::to_string(&wanted.given).map_err(Error::internal)?;
    let import = app
        .store
        .write(site.id, move |c| {
            if let Some(cut_off) = imports::find_cut_off(c, wanted.kind, &wanted.digest)? {
                return Ok(cut_off);
            }
            let new = NewImport {
                kind: wanted.kind,
                name: &named(&wanted.name),
                digest: Some(&wanted.digest),
                home: &home,
                who: &who,
                state: ImportState::Running,
                bytes: i64::try_from(wanted.bytes).unwrap_or(i64::MAX),
                inbox: None,
                now,
            };
            let id = imports::add(c, &new)?;
            begin(c, id, wanted.kind, &wanted.digest, &who, now)?;
            found(c, id)
        })
        .await?;
    run(app, site, import, pieces).await
}

/// In the change that lets it run: what was received is a row of the inbox without its body, which the reports of its
/// facts name.
fn begin(c: &SiteConn, id: ImportId, kind: ImportKind, digest: &[u8], who: &str, now: Time) -> Result<()> {
    let body = NewBody {
        connection: None,
        platform: "import",
        path: &format!("/imports/{id}"),
        received_at: now,
        state: "accepted",
        reason: Some("imported"),
        content_type: "",
        body: &[],
        digest: &digest[..digest.len().min(16)],
    };
    let inbox = inbox::add(c, &body)?;
    imports::set_running(c, id, digest, inbox, now)?;
    audit::add(c, who, "import_started", &json!({"import": id, "kind": kind.word()}), now)
}

fn found(c: &SiteConn, id: ImportId) -> Result<Import> {
    imports::find(c, id)?.ok_or_else(|| unknown(id))
}

pub fn unknown(id: ImportId) -> Error {
    Error::not_found(format!("There is no {id} on this site."))
}

fn busy() -> Error {
    Error::new(Kind::Conflict, "import_running", "Another file of this site is being brought in. Wait for its end, then try again.")
}

/// A file's own name, without the folders in front.
fn named(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    last.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
}

/// What the site lends to a file.
pub fn home_of(app: &App, site: &Site, given: &Given) -> Home {
    let now = app.clock.now();
    let days = site.settings.retention.get("touches").copied().or(retention::default_days("touches")).unwrap_or(400);
    let text = |word: &Option<String>| word.as_deref().map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned);
    Home {
        currency: site.currency,
        zone: site.zone.clone(),
        country: site.country.clone(),
        now,
        oldest_touch: now.plus_ms(-i64::from(days) * DAY_MS),
        extra_params: site.settings.extra_params.clone(),
        source: text(&given.source),
        medium: text(&given.medium),
        steps: site.settings.funnel_types.clone(),
    }
}

/// The whole run. What cannot be read at all ends it for good; what comes from outside (no room, a server that stops, a
/// sender that goes away) leaves it as it is, and the same file goes on there.
async fn run(app: &App, site: &Arc<Site>, import: Import, pieces: Pieces) -> Result<Import> {
    let (id, now) = (import.id, app.clock.now());
    let is_first = import.counts.rows == 0;
    let done = rows(app, site, &import, pieces).await;
    let (state, problem) = match &done {
        Ok(()) => (ImportState::Done, None),
        Err(e) if e.code == "unreadable_file" && is_first => (ImportState::Failed, Some(e.message.clone())),
        Err(_) => return done.map(|()| import),
    };
    let ended = app
        .store
        .write(site.id, move |c| {
            imports::set_ended(c, id, state, problem.as_deref(), now)?;
            let import = found(c, id)?;
            let told = json!({"import": id, "state": state.word(), "rows": import.counts.rows, "refused": import.counts.refused});
            audit::add(c, &import.who, "import_ended", &told, now)?;
            Ok(import)
        })
        .await?;
    done.map(|()| ended)
}

async fn rows(app: &App, site: &Arc<Site>, import: &Import, mut pieces: Pieces) -> Result<()> {
    let given: Given = serde_json::from_str(&import.home).unwrap_or_default();
    let mut sheet = Sheet::new(import.kind, home_of(app, site, &given));
    let inbox = import.inbox.unwrap_or(InboxId::new(0));
    let of = Arc::new(step::Of { app: app.clone(), site: site.clone(), id: import.id, kind: import.kind, inbox, who: import.who.clone() });
    let (mut seen, mut received) = (0, 0);
    // Refused rows of the part that was done before are kept already.
    let mut refused = import.counts.refused;
    let mut batch: Vec<Told> = Vec::with_capacity(AT_ONCE);
    loop {
        let piece = pieces.recv().await.transpose()?;
        let is_end = piece.is_none();
        match piece {
            Some(piece) => {
                received += piece.len() as i64;
                sheet.push(&piece)?;
            }
            None if received < import.bytes => {
                return Err(Error::new(
                    Kind::Unavailable,
                    "cut_off",
                    "The file did not come whole. What came is stored; bring the same file again, and it goes on there.",
                ));
            }
            None => sheet.end()?,
        }
        while let Some(told) = sheet.next_row() {
            seen += 1;
            if seen <= import.counts.rows {
                continue;
            }
            batch.push(told);
            if batch.len() >= AT_ONCE {
                refused += commit(app, &of, std::mem::take(&mut batch), refused).await?.refused;
            }
        }
        if is_end {
            commit(app, &of, batch, refused).await?;
            return Ok(());
        }
    }
}

async fn commit(app: &App, of: &Arc<step::Of>, batch: Vec<Told>, refused: i64) -> Result<Counts> {
    if batch.is_empty() {
        return Ok(Counts::default());
    }
    if app.is_stopping() {
        return Err(Error::new(
            Kind::Unavailable,
            "stopping",
            "The server is stopping. What came is stored; bring the same file again, and it goes on there.",
        ));
    }
    app.disk.admit(Burden::Export)?;
    let batch = Arc::new(step::prepared(of, batch, refused));
    let (fast, owner) = (batch.clone(), of.clone());
    let done = match app.store.write_again(of.site.id, move |c| step::run(c, &owner, &fast, false)).await {
        // One of them cannot be stored: each is tried by itself, so that the others are not lost.
        Err(e) if e.kind == Kind::Internal => {
            tracing::error!(cause = e.source.as_ref().map(ToString::to_string), "A row of an import was not stored");
            let (careful, owner) = (batch, of.clone());
            app.store.write(of.site.id, move |c| step::run(c, &owner, &careful, true)).await?
        }
        other => other?,
    };
    intake::announce(app, &of.site, &intake::Taken { inbox: of.inbox, is_duplicate: false, facts: done.facts });
    Ok(done.counts)
}

/// Kinds that can be taken back. What other files brought may have joined what was told since, and credit that is written stays.
pub fn may_undo(kind: ImportKind) -> bool {
    matches!(kind, ImportKind::Spend | ImportKind::Offline)
}

/// Takes back what a file of spend or a list of what no system has told has brought; what it has changed of an earlier file's is
/// what it was before.
pub async fn undo(app: &App, site: &Arc<Site>, id: ImportId, who: &str) -> Result<Import> {
    let _turn = app.importing.try_take(site.id).ok_or_else(busy)?;
    let import = app.store.read(site.id, move |c| found(c, id)).await?;
    if !may_undo(import.kind) {
        return Err(Error::new(
            Kind::Conflict,
            "not_undoable",
            format!(
                "Only a file of spend and a list of what no system has told can be taken back. {} have become part of customers, credit and the books, which are never unwritten; \
                 correct the file and bring it again, or erase the people in it.",
                match import.kind {
                    ImportKind::Touches => "Visits",
                    ImportKind::Leads => "Leads",
                    _ => "Sales",
                }
            ),
        ));
    }
    if import.state == ImportState::Undone {
        return Ok(import);
    }
    if import.state != ImportState::Done {
        return Err(Error::new(Kind::Conflict, "not_done", "It is not done yet. Bring the same file again to its end first."));
    }
    let undone = undoing::rows(app, site, id, import.kind).await?;
    let kept = match undone.kept {
        0 => None,
        1 => Some("1 row stays: somebody has worked on its lead since.".to_owned()),
        n => Some(format!("{n} rows stay: somebody has worked on their leads since.")),
    };
    let (who, now) = (who.to_owned(), app.clock.now());
    let ended = app
        .store
        .write(site.id, move |c| {
            imports::set_ended(c, id, ImportState::Undone, kept.as_deref(), now)?;
            let told = json!({"import": id, "taken_back": undone.taken_back, "kept": undone.kept});
            audit::add(c, &who, "import_undone", &told, now)?;
            found(c, id)
        })
        .await?;
    Ok(ended)
}
