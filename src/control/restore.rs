//! `halotrack restore`: a backup takes the place of the database. It is made ready in a folder of its own, down to the
//! last change, and put in place at the end: killed at any moment, the old database stands or the new one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::lock;
use crate::backup::{self, Watch, erasures, folder, proof, swap};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::backup::Manifest;
use crate::error::{Error, Result};
use crate::files;
use crate::flows::restore::{Release, Settled, settle};
use crate::key;
use crate::store::{FILE, migrate, snapshot};

/// Moments of a restore, in their order; those of the swap follow.
pub const MOMENTS: [&str; 3] = ["unpacking", "unpacked", "settled"];
/// A command that just ends gives the lock back; a server does not.
const PATIENCE: Duration = Duration::from_millis(800);

pub struct RestoreForm {
    pub file: PathBuf,
    pub release: Release,
}

/// Refuses beside a running server.
pub fn run(config: Config, form: &RestoreForm, watch: &Watch) -> Result<Value> {
    let data = config.data.clone();
    lock::make_folder(&data)?;
    let held = lock::take_within(&data, PATIENCE)?;
    // Never a new key: it could open nothing of the backup.
    key::open(&config.master_key_file, true)?;
    let now = Clock::system().now();
    let ready = swap::ready(&data);
    let prepared = prepare(config, form, &ready, watch);
    let (manifest, settled) = match prepared {
        Ok(prepared) => prepared,
        Err(e) => {
            // The database was not touched; what was made ready only fills the disk.
            files::remove_folder(&ready)?;
            return Err(e);
        }
    };
    let database = data.join(FILE);
    let is_replacing = database.exists();
    // What is in the log of a sound database goes into its file, so that the one put aside stands alone. A damaged one, the
    // usual reason to be here, is put aside with its log as it is.
    if is_replacing && let Err(e) = migrate::look(&database).and_then(|()| snapshot::fold(&database)) {
        tracing::debug!(error = %e, "The old database is put aside as it is.");
    }
    let aside = folder::aside(&data, now);
    swap::decide(&data, &aside, watch)?;
    drop(held);
    Ok(json!({
        "restored": form.file,
        "taken_at": manifest.taken_at,
        "rows": manifest.rows(),
        "shape": manifest.shape,
        "held": settled.held,
        "erased": settled.erased,
        "replaced": is_replacing.then_some(aside),
    }))
}

fn prepare(config: Config, form: &RestoreForm, ready: &Path, watch: &Watch) -> Result<(Manifest, Settled)> {
    let data = config.data.clone();
    let bytes = std::fs::metadata(&form.file).map_err(|e| files::failed(&form.file, &e))?.len();
    backup::need(&data, bytes + bytes / 5)?;
    watch.see("unpacking");
    let manifest = proof::unpack(&form.file, ready)?;
    watch.see("unpacked");
    // All logs at hand go along with the restored file, and what is known then comes back to the data folder.
    for folder in [&data, &data.join(snapshot::FOLDER), &files::folder_of(&form.file)] {
        erasures::carry(folder, ready)?;
    }
    let settled = settle_in(Config { data: ready.to_owned(), ..config }, form.release, &manifest)?;
    erasures::carry(ready, &data)?;
    snapshot::fold(&ready.join(FILE))?;
    watch.see("settled");
    Ok((manifest, settled))
}

/// Opens the restored file as a server would: under the key, brought to the present shape.
fn settle_in(config: Config, release: Release, manifest: &Manifest) -> Result<Settled> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::internal)?;
    runtime.block_on(async {
        let app = super::build(config)?;
        let settled = settle(&app, release, &manifest.taken_at).await;
        app.store.close().await;
        settled
    })
}
