//! A process that dies at a named moment. The one who is killed is this very test binary, started once more for one test:
//! it kills itself, by SIGKILL, when the moment comes.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use halotrack::config::Config;
use halotrack::config::load::{Flags, load};

const SIGKILL: i32 = 9;

/// Starts this binary again for one test, which dies at the moment.
pub fn die(test: &str, moment: &str, data: &Path, file: &Path) {
    let done = Command::new(std::env::current_exe().expect("this binary"))
        .args([test, "--exact", "--nocapture"])
        .env("HALOTRACK_TEST_DIES_AT", moment)
        .env("HALOTRACK_TEST_DATA", data)
        .env("HALOTRACK_TEST_FILE", file)
        .output()
        .expect("it runs");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.signal(), Some(SIGKILL), "{test} did not die at {moment}: {said}");
}

/// What the one who dies was told: the moment, the data folder, a file; none in an ordinary run.
pub fn told() -> Option<(String, PathBuf, PathBuf)> {
    let word = |name: &str| std::env::var_os(name);
    let moment = word("HALOTRACK_TEST_DIES_AT")?.into_string().ok()?;
    Some((moment, word("HALOTRACK_TEST_DATA")?.into(), word("HALOTRACK_TEST_FILE")?.into()))
}

pub fn dies_at(moment: String) -> impl Fn(&'static str) + Send + Sync + 'static {
    move |now| {
        if now == moment {
            let _ = Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status();
            // The signal may take a moment; nothing is done meanwhile.
            std::thread::sleep(std::time::Duration::from_secs(30));
        }
    }
}

pub fn config(data: &Path) -> Config {
    let flags = Flags { data: Some(data.to_owned()), ..Flags::default() };
    load(&flags, &Default::default()).expect("a configuration").config
}
