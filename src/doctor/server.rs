//! What the server itself knows, running or not: what waits, what was not understood, and each connection.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use super::{Finding, State};
use crate::config::Config;
use crate::control::{self, Chosen, Command, socket};
use crate::error::Result;
use crate::store;

/// Waiting deliveries beyond which something is wrong in a small shop.
const MANY: i64 = 1_000;

const PATIENCE: Duration = Duration::from_secs(5);

/// What it said of itself; nothing where there are no data yet.
pub struct Said(Option<Result<Value>>);

impl Said {
    /// Where it listens, if it runs.
    pub fn listen(&self) -> Option<SocketAddr> {
        self.0.as_ref()?.as_ref().ok()?["listen"].as_str()?.parse().ok()
    }

    /// Where the server of this folder is found: by what it says itself, unless the configuration that was given to the doctor
    /// names another address.
    pub fn public_url(&self, config: &Config) -> String {
        let is_unsaid = config.public_url == Config::usual_url(config.listen);
        let own = || self.0.as_ref()?.as_ref().ok()?["public_url"].as_str().map(str::to_owned);
        if is_unsaid { own().unwrap_or_else(|| config.public_url.clone()) } else { config.public_url.clone() }
    }

    /// It could not be asked: damage, a wrong key, another user's.
    pub fn is_unknown(&self) -> bool {
        matches!(self.0, Some(Err(_)))
    }
}

/// Whether the server of this folder has heard a word that was said at some address.
pub fn has_heard(config: &Config, word: &str) -> Option<bool> {
    socket::ask(&config.data, &Command::Heard { word: word.to_owned() }, PATIENCE, &mut |_| Ok(())).ok()??.ok()?.as_bool()
}

pub fn ask(config: &Config) -> Said {
    Said(config.data.join(store::FILE).exists().then(|| control::run(config, &Command::Queue)))
}

pub fn look(config: &Config, said: Said) -> Vec<Finding> {
    let mut found = Vec::new();
    match said.0 {
        None => {
            return vec![
                Finding::not_checked("queue", "There is no database yet."),
                Finding::not_checked("connections", "There is no database yet."),
            ];
        }
        Some(Ok(answer)) => found.extend(queue(&answer)),
        Some(Err(e)) => {
            // Damage, a newer file, a wrong key: the connections could not be asked either.
            found.push(Finding::failed("database", e.message, "Until that is mended the server does not start."));
            return found;
        }
    }
    match control::run(config, &Command::ConnectionTest(Chosen::default())) {
        Ok(Value::Array(all)) if all.is_empty() => found.push(Finding::not_checked("connections", "There is no connection yet.")),
        Ok(answer) => found.extend(answer.as_array().into_iter().flatten().map(connection)),
        Err(e) => found.push(Finding::failed("connections", e.message, "Look into the server's log.")),
    }
    found
}

fn queue(answer: &Value) -> Vec<Finding> {
    let number = |key: &str| answer[key].as_i64().unwrap_or(0);
    let (waiting, late) = (number("waiting"), number("late_s"));
    let words = match waiting {
        0 => "Nothing waits to be sent.".to_owned(),
        1 => "1 delivery waits to be sent.".to_owned(),
        n => format!("{n} deliveries wait to be sent."),
    };
    let is_running = answer["is_running"] == true;
    let queue = if !is_running {
        let finding = Finding::warning("queue", format!("{words} The server does not run."), "Start it: systemctl start halotrack");
        if waiting == 0 { Finding { state: State::Ok, remedy: None, ..finding } } else { finding }
    } else if late > 900 {
        let words = format!("{words} The oldest was due {} minutes ago.", late / 60);
        Finding::failed("queue", words, "Look at Deliveries, and restart the server.")
    } else if waiting > MANY {
        Finding::warning("queue", words, "Look at Deliveries: a platform refuses or is slow.")
    } else {
        Finding::ok("queue", words)
    };
    let dead = number("dead");
    let dead = match dead {
        0 => Finding::ok("dead_letters", "No delivery was given up."),
        n => {
            Finding::warning("dead_letters", format!("Given up so far: {n}."), "Deliveries shows why; replay them once the cause is gone.")
        }
    };
    let sentence = answer["backup"].as_str().unwrap_or_default();
    let backup = if answer["is_backed_up"] == true {
        Finding::ok("backup", sentence)
    } else {
        Finding::warning("backup", sentence, "Make one now: halotrack backup. The log says why the nights' fail.")
    };
    let behind: Vec<&str> = answer["without_erasures"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let erasures = match behind.as_slice() {
        [] => Finding::ok("erasures_log", "Every backup within reach knows who was erased since."),
        behind => Finding::warning(
            "erasures_log",
            format!(
                "Backups in {} do not know of everybody who was erased since: restored, they would bring them back.",
                behind.join(", ")
            ),
            "Make the folder writable for the server and make a backup, or copy erasures.log from the data folder beside them. Backups that are out of use: delete them.",
        ),
    };
    vec![queue, dead, backup, erasures]
}

fn connection(answer: &Value) -> Finding {
    let text = |key: &str| answer[key].as_str().unwrap_or_default();
    let lines =
        |key: &str| -> Vec<String> { answer[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect() };
    let words = [lines("checked"), lines("not_checked")].concat().join(" ");
    let check = format!("connection {}", text("connection"));
    let words = format!("{}: {words}", text("platform"));
    if answer["is_ready"] == true {
        Finding::ok(&check, words)
    } else {
        let remedy = format!("Mend it under Connections, or: halotrack connection set {} key=value", text("connection"));
        Finding::warning(&check, words, &remedy)
    }
}
