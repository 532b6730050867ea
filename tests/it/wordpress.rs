//! The plug-in for WordPress: every file is PHP, and it does what it should. Where there is no PHP it is skipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/wordpress");

/// What PHP says; None where there is none on this machine.
fn php(args: &[&Path]) -> Option<Output> {
    match Command::new("php").args(args).output() {
        Ok(output) => Some(output),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: there is no php");
            None
        }
        Err(e) => panic!("php could not be run: {e}"),
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder of the plug-in").flatten().map(|e| e.path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|p| p.extension().is_some_and(|e| e == "php"))
        .collect()
}

#[test]
fn every_file_is_php() {
    let files = files(Path::new(CLIENT));
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let Some(output) = php(&[Path::new("-l"), &file]) else { return };
        assert!(output.status.success(), "{}: {}", file.display(), said(&output));
    }
}

#[test]
fn the_plug_in_does_what_it_should() {
    let Some(output) = php(&[&Path::new(CLIENT).join("tests/run.php")]) else { return };
    assert!(output.status.success(), "{}", said(&output));
}

/// Nothing of the plug-in runs where WordPress does not call it.
#[test]
fn every_file_of_the_plug_in_is_guarded() {
    for file in files(&Path::new(CLIENT).join("halotrack")) {
        let text = std::fs::read_to_string(&file).expect("a file of the plug-in");
        assert!(
            text.contains("defined( 'ABSPATH' ) || exit;") || text.contains("defined( 'WP_UNINSTALL_PLUGIN' ) || exit;"),
            "{}",
            file.display()
        );
    }
}
