//! `install.sh` below a folder of its own, with stand-ins for the system's programs: twice, and away again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

struct Place {
    folder: PathBuf,
}

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("halotrack-install-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("root")).expect("a folder");
        let place = Self { folder };
        // Writes down what it was asked, as the system's own would do it.
        for program in ["systemctl", "useradd", "userdel", "chown"] {
            let calls = place.folder.join("calls");
            place.program(program, &format!("echo {program} \"$@\" >> {}", calls.display()));
        }
        place.program(
            "journalctl",
            "echo 'HaloTrack 0 listens on http://127.0.0.1:8080'; echo 'Set it up: http://stats.example/setup/abc123'",
        );
        // The real binary takes seconds to copy in a debug build; its answer is all that is asked for.
        place.program("halotrack", "echo 'halotrack 0.1.0'");
        place
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may run");
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new("sh");
        command.arg(Path::new(ROOT).join("install.sh")).args(args).env("DESTDIR", self.folder.join("root"));
        for (variable, name) in
            [("SYSTEMCTL", "systemctl"), ("JOURNALCTL", "journalctl"), ("USERADD", "useradd"), ("USERDEL", "userdel"), ("CHOWN", "chown")]
        {
            command.env(variable, self.folder.join(name));
        }
        command.output().expect("a shell")
    }

    fn install(&self, more: &[&str]) -> String {
        let binary = self.folder.join("halotrack");
        let mut args = vec!["--binary", binary.to_str().expect("a path")];
        args.extend_from_slice(more);
        let done = self.run(&args);
        let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{text}");
        text
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join("root").join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    fn has(&self, path: &str) -> bool {
        self.folder.join("root").join(path).exists()
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.folder.join("root").join(path)).expect("a file").permissions().mode() & 0o777
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.folder.join("calls")).unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const CONFIG: &str = "etc/halotrack/halotrack.toml";
const UNIT: &str = "etc/systemd/system/halotrack.service";

#[test]
fn it_installs_and_says_where_to_go_on() {
    let place = Place::new("new");
    let said = place.install(&["--public-url", "https://stats.agency.example/", "--proxy", "nginx"]);
    assert!(said.contains("http://stats.example/setup/abc123"), "the set-up link: {said}");
    assert_eq!(place.mode("usr/local/bin/halotrack"), 0o755);
    assert_eq!((place.mode("var/lib/halotrack"), place.mode(CONFIG)), (0o700, 0o640), "people's data are closed to others");
    let config = place.read(CONFIG);
    assert!(config.contains("public_url = \"https://stats.agency.example\"\n"), "{config}");
    assert_eq!(keys_of(&config), ["data", "listen", "master_key_file", "public_url", "trusted_proxies"]);
    let unit = place.read(UNIT);
    for word in ["ProtectSystem=strict", "NoNewPrivileges=yes", "MemoryMax=", "User=halotrack", "StateDirectory=halotrack"] {
        assert!(unit.contains(word), "{word}");
    }
    let front = place.read("etc/nginx/conf.d/halotrack.conf");
    assert!(front.contains("server_name stats.agency.example;") && front.contains("X-Forwarded-For"), "{front}");
    let calls = place.calls();
    for call in ["systemctl daemon-reload", "systemctl enable halotrack.service", "systemctl restart halotrack.service", "useradd --system"]
    {
        assert!(calls.contains(call), "{call}: {calls}");
    }
}

#[test]
fn a_second_run_upgrades_and_keeps_what_the_owner_changed() {
    let place = Place::new("twice");
    place.install(&["--public-url", "https://stats.agency.example", "--proxy", "caddy"]);
    let changed = "# mine\ndata = \"/var/lib/halotrack/data\"\n";
    fs::write(place.folder.join("root").join(CONFIG), changed).expect("a change");
    fs::write(place.folder.join("root/var/lib/halotrack/data.key"), "key").expect("a key");
    place.program("halotrack", "echo 'halotrack 0.2.0'");
    let said = place.install(&["--public-url", "https://other.example", "--proxy", "caddy"]);
    assert!(said.contains("0.2.0") && said.contains("Kept"), "{said}");
    assert_eq!(place.read(CONFIG), changed);
    assert!(place.read("usr/local/bin/halotrack").contains("0.2.0"));
    assert!(place.read("usr/local/bin/halotrack.previous").contains("0.1.0"), "the way back");
    assert_eq!(place.read("etc/caddy/Caddyfile").matches("import /etc/caddy/halotrack.caddy").count(), 1);
    assert!(place.has("var/lib/halotrack/data.key"));
}

#[test]
fn it_goes_away_and_leaves_the_data_unless_told() {
    let place = Place::new("away");
    fs::create_dir_all(place.folder.join("root/etc/caddy")).expect("a folder");
    fs::write(place.folder.join("root/etc/caddy/Caddyfile"), "other.example {\n}\n").expect("a file");
    place.install(&["--public-url", "https://stats.agency.example", "--proxy", "caddy"]);
    fs::write(place.folder.join("root/var/lib/halotrack/data.key"), "key").expect("a key");
    assert!(place.run(&["--uninstall"]).status.success());
    assert!(!place.has("usr/local/bin/halotrack") && !place.has(UNIT) && !place.has("etc/caddy/halotrack.caddy"));
    assert!(place.has("var/lib/halotrack/data.key") && place.has(CONFIG), "the data stay");
    let main = place.read("etc/caddy/Caddyfile");
    assert!(main.contains("other.example") && !main.contains("halotrack"), "what is not ours stays: {main}");
    assert!(place.run(&["--uninstall", "--delete-data"]).status.success());
    assert!(!place.has("var/lib/halotrack") && !place.has("etc/halotrack"));
}

#[test]
fn what_is_wrong_stops_it_before_anything_is_changed() {
    let place = Place::new("wrong");
    place.program("stranger", "echo 'something else 1.0'");
    place.program("broken", "exit 126");
    let path = |name: &str| place.folder.join(name).display().to_string();
    let (stranger, broken, good) = (path("stranger"), path("broken"), path("halotrack"));
    let rows: &[(&[&str], i32)] = &[
        (&["--binary", &stranger], 1),
        (&["--binary", &broken], 1),
        (&["--binary", "/nowhere/halotrack"], 1),
        (&["--binary", &good, "--proxy", "apache", "--public-url", "https://a.example"], 2),
        (&["--binary", &good, "--proxy", "nginx"], 2),
        (&["--binary", &good, "--public-url", "stats.example"], 2),
        (&["--binary", &good, "--public-url", "https://a.example\"\nlisten = \"0.0.0.0:80"], 2),
        (&["--url", "https://a.example/halotrack"], 2),
        (&["--binary", &good, "--delete-data"], 2),
        (&["--colour"], 2),
    ];
    for (args, code) in rows {
        let done = place.run(args);
        assert_eq!(done.status.code(), Some(*code), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(!place.has("usr") && !place.has("etc") && !place.has("var"), "{args:?}");
    }
    assert_eq!(place.calls(), "");
}

#[test]
fn shells_can_read_it() {
    let script = Path::new(ROOT).join("install.sh");
    for shell in ["sh", "bash", "dash"] {
        match Command::new(shell).arg("-n").arg(&script).status() {
            Ok(status) => assert!(status.success(), "{shell}"),
            Err(_) => eprintln!("skipped: {shell} is not installed"),
        }
    }
    match Command::new("shellcheck").arg(&script).output() {
        Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout)),
        Err(_) => eprintln!("skipped: shellcheck is not installed"),
    }
}

/// Keys of a flat TOML file, sorted.
fn keys_of(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    let mut keys: Vec<String> = lines.filter_map(|l| Some(l.split_once(" = ")?.0.to_owned())).collect();
    keys.sort();
    keys
}
