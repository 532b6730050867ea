//! What the command line says.

use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct Settings {
    pub binary: PathBuf,
    /// Where data folders are made: a real disk.
    pub folder: PathBuf,
    /// Only phases whose name begins so.
    pub only: Option<String>,
    pub is_quick: bool,
    /// Also ten million sessions.
    pub is_big: bool,
    pub is_told_more: bool,
}

pub const USAGE: &str = "bench [--quick] [--big] [--verbose] [--only NAME] [--binary PATH] [--folder DIR]
  --quick    short phases: a look, not a measurement
  --big      also the report questions over ten million sessions (about 6 GB of disk, some minutes)
  --verbose  processor time for each request, on standard error
  --only     touches, leads, waits, crash, memory, questions, sizes, paint, backup, counting,
             orders, pull, busy, sales, lab, records, redirect, funnel, proxy, schedule, registrants, erasure or retention
  --binary   the product [default: target/release/halotrack]
  --folder   where data folders are made [default: the system's folder for temporary files]";

impl Settings {
    pub fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut settings = Self {
            binary: default_binary(),
            folder: std::env::temp_dir(),
            only: None,
            is_quick: false,
            is_big: false,
            is_told_more: false,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} wants a value.\n{USAGE}"));
            match word.as_str() {
                "--quick" => settings.is_quick = true,
                "--big" => settings.is_big = true,
                "--verbose" => settings.is_told_more = true,
                "--only" => settings.only = Some(value()?),
                "--binary" => settings.binary = value()?.into(),
                "--folder" => settings.folder = value()?.into(),
                _ => return Err(format!("{word} is no word of bench.\n{USAGE}")),
            }
        }
        if !settings.binary.is_file() {
            return Err(format!("{} is not there: build the product first with `cargo build --release`.", settings.binary.display()));
        }
        Ok(settings)
    }

    pub fn wants(&self, phase: &str) -> bool {
        self.only.as_deref().is_none_or(|only| phase.starts_with(only))
    }

    /// How long one round of load takes.
    pub fn round(&self) -> Duration {
        if self.is_quick { Duration::from_millis(700) } else { Duration::from_millis(2_500) }
    }

    pub fn rounds(&self) -> usize {
        if self.is_quick { 3 } else { 5 }
    }

    pub fn warm(&self) -> Duration {
        if self.is_quick { Duration::from_millis(150) } else { Duration::from_millis(400) }
    }
}

/// Beside this program, wherever cargo was told to build.
fn default_binary() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.with_file_name("halotrack")
}
