//! `halotrack doctor`: looks at everything that a server leans on and says in one line what it found, and what to do.
//! Changes nothing; what was not tried is not claimed.

use serde::Serialize;

use crate::config::Config;
use crate::error::{Error, Result};

/// The disk under the data: room, speed, honesty.
mod disk;
/// Folder, key, rights, clock, versions.
mod ground;
/// Names, the public address, the proxy in front.
mod network;
/// What the server itself knows: queue, connections.
mod server;
/// The shops behind the proxy.
mod shops;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ok,
    /// It works, and will hurt.
    Warning,
    /// It does not work.
    Failed,
    /// There was nothing to look at.
    NotChecked,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "failed",
            State::NotChecked => "not checked",
        }
    }
}

/// One line.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    pub check: String,
    pub state: State,
    pub message: String,
    /// What to do, where something is to be done.
    pub remedy: Option<String>,
}

impl Finding {
    fn of(check: &str, state: State, message: impl Into<String>, remedy: Option<&str>) -> Self {
        Self { check: check.to_owned(), state, message: message.into(), remedy: remedy.map(str::to_owned) }
    }

    fn ok(check: &str, message: impl Into<String>) -> Self {
        Self::of(check, State::Ok, message, None)
    }

    fn warning(check: &str, message: impl Into<String>, remedy: &str) -> Self {
        Self::of(check, State::Warning, message, Some(remedy))
    }

    fn failed(check: &str, message: impl Into<String>, remedy: &str) -> Self {
        Self::of(check, State::Failed, message, Some(remedy))
    }

    fn not_checked(check: &str, message: impl Into<String>) -> Self {
        Self::of(check, State::NotChecked, message, None)
    }
}

/// All findings, those of the ground first.
pub fn look(config: &Config) -> Result<Vec<Finding>> {
    let mut found = ground::look(config);
    found.extend(disk::look(&config.data));
    let server = server::ask(config);
    let shops = shops::known(config);
    let listen = server.listen().unwrap_or(config.listen);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::internal)?;
    found.extend(runtime.block_on(network::look(config, &server)));
    found.extend(runtime.block_on(shops::look(&shops, listen)));
    // A look-up that hangs is not waited for.
    runtime.shutdown_background();
    found.extend(server::look(config, server));
    Ok(found)
}
