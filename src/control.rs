//! How a command of the owner reaches the data: over the socket of the running server, or by taking the lock where none
//! runs. Either way the same `execute` does it, so a change holds at once.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::app::App;
use crate::backup::swap;
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::crypto::Sealer;
use crate::error::{Error, Kind, Result};
use crate::flows::erase;
use crate::{key, outbound, store};

/// Deliveries and bodies run again.
mod again;
/// What can be asked for.
pub mod command;
/// Lists as files.
mod export;
/// Our webhooks in the platforms, and the platforms' own lists.
mod hooks;
/// Files of history.
mod import;
/// Backups, and what waits since one was restored.
mod kept;
/// Short links.
mod links;
/// The data folder and who may change it.
pub mod lock;
/// Partners who send buyers for a commission.
mod partners;
/// Users and tokens.
mod people;
/// Erasures, and the master key.
mod privacy;
/// What waits to be sent.
mod queue;
/// A backup takes the place of the database.
pub mod restore;
/// The socket's two ends.
pub mod socket;

pub use again::ReplayForm;
pub use command::{Chosen, Command, execute};
pub use export::{ExportForm, export, kinds};
pub use import::{ImportForm, import};
pub use links::LinkForm;
pub use people::{TokenForm, UserForm};
pub use privacy::EraseForm;

/// How long a command waits for another one that holds the lock, or for a server that is still starting.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs one command: in the server if there is one, else here.
pub fn run(config: &Config, command: &Command) -> Result<Value> {
    with_data(config, command, |is_here| {
        if is_here {
            Ok(Some(run_here(config.clone(), command)))
        } else {
            socket::ask(&config.data, command, command.patience(), &mut |_| Ok(()))
        }
    })
}

/// Calls `work` with the lock held and `true`, or, while another process holds it, with `false`: then it answers `None`
/// where nobody was there to ask.
fn with_data<T>(config: &Config, command: &Command, mut work: impl FnMut(bool) -> Result<Option<Result<T>>>) -> Result<T> {
    let data = &config.data;
    if !command.may_be_first() && !has_database(data) && !swap::is_pending(data) {
        return Err(Error::new(
            Kind::NotFound,
            "no_data",
            format!("There is no HaloTrack data in {}. Name the folder with --data, or begin with `halotrack site add`.", data.display()),
        ));
    }
    lock::make_folder(data)?;
    let since = clock::started();
    loop {
        match lock::take(data)? {
            Ok(held) => {
                let answer = work(true)?;
                drop(held);
                if let Some(answer) = answer {
                    return answer;
                }
            }
            Err(holder) => {
                if let Some(answer) = work(false)? {
                    return answer;
                }
                if since.elapsed() > PATIENCE {
                    return Err(lock::refused(data, &holder));
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// The parts that need the lock: the key, then the file. Nothing listens yet.
pub fn build(config: Config) -> Result<App> {
    let sealer = unlock(&config)?;
    let outbound = outbound::Outbound::new(&config.outbound_allow, &config.base_urls)?;
    let file = config.master_key_file.clone();
    App::build(config, Clock::system(), sealer, outbound).map_err(|e| if e.code == "key_wrong" { key::with_older(e, &file) } else { e })
}

/// What an earlier end left half done, before anything is answered: a rotation of the key, people whom an older file
/// brought back.
pub async fn settle(app: &App) -> Result<()> {
    if app.store.sealer().is_turning() {
        privacy::finish_rotation(app).await?;
    }
    erase::log::reconcile(app).await?;
    erase::beside::spread(app).await;
    Ok(())
}

/// The key that fits the data folder; made where there is no database yet.
pub fn unlock(config: &Config) -> Result<Sealer> {
    key::open(&config.master_key_file, has_database(&config.data))
}

fn has_database(data: &Path) -> bool {
    std::fs::metadata(data.join(store::FILE)).is_ok_and(|m| m.len() > 0)
}

fn run_here(config: Config, command: &Command) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::internal)?;
    runtime.block_on(async {
        let app = build(config)?;
        settle(&app).await?;
        let answer = execute(&app, command.clone()).await;
        app.store.close().await;
        answer
    })
}
