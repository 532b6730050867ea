//! The real binary in a folder of its own: its commands, its start and its end, and requests over a socket. What was
//! started here ends with the story.

#![allow(dead_code)] // each story uses its own part of this

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use halotrack::crypto;
use serde_json::Value;

/// Nothing takes longer than this; what does has failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Running {
    pub folder: PathBuf,
    pub port: u16,
    binary: PathBuf,
    env: Vec<(String, String)>,
    /// What only the server is told, not the commands.
    fault: Option<String>,
    /// No file of the server may grow beyond this.
    longest_kib: Option<u64>,
    child: Option<Child>,
}

/// An answer over the socket.
#[derive(Debug, Clone)]
pub struct Heard {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A header's value; the empty word where there is none of that name.
    pub fn header(&self, name: &str) -> &str {
        let of = |line: &'_ str| line.split_once(':').is_some_and(|(n, _)| n.eq_ignore_ascii_case(name));
        self.head.lines().find(|l| of(l)).and_then(|l| l.split_once(':')).map_or("", |(_, value)| value.trim())
    }
}

impl Running {
    pub fn new(name: &str) -> Self {
        Self::of(Path::new(env!("CARGO_BIN_EXE_halotrack")), name)
    }

    pub fn of(binary: &Path, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("halotrack-{name}-{}-{n}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        Self { folder, port: free_port(), binary: binary.to_owned(), env: Vec::new(), fault: None, longest_kib: None, child: None }
    }

    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a deliberate fault of a binary that was built with `sabotage`.
    pub fn with_fault(mut self, name: Option<&str>) -> Self {
        self.fault = name.map(str::to_owned);
        self
    }

    /// With a limit on the length of files: a write beyond it fails as on a broken disk. None lifts it.
    pub fn limit_files(&mut self, longest_kib: Option<u64>) {
        self.longest_kib = longest_kib;
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).current_dir(&self.folder).env_clear().env("HALOTRACK_DATA", self.folder.join("data")).stdin(Stdio::null());
        command.env("HALOTRACK_PUBLIC_URL", self.url());
        command.envs(self.env.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        command
    }

    /// What a command prints with `--json`.
    pub fn cli(&self, args: &[&str]) -> Value {
        let done = self.command(args).arg("--json").output().expect("the command runs");
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{args:?}: {out} {err}");
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e} in {out}"))
    }

    /// The site's data by the documented names.
    pub fn sql(&self, site: &str, query: &str) -> Vec<Value> {
        let done = self.command(&["sql", "--site", site, "--format", "json", query]).output().expect("the command runs");
        let out = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{query}: {out} {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{query}: {e} in {out}"))
    }

    /// Starts the server and gives how long it took until it was ready.
    pub fn start(&mut self) -> Duration {
        let began = Instant::now();
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        let out = log.try_clone().expect("the same log");
        let listen = format!("127.0.0.1:{}", self.port);
        let mut command = match self.longest_kib {
            None => self.command(&["serve", "--listen", &listen]),
            Some(kib) => {
                // The shell counts in half kilobytes; without the trap the first write too many would end the process.
                let script = "trap '' XFSZ; ulimit -f \"$0\" && exec \"$@\"";
                let plain = self.command(&[]);
                let mut command = Command::new("/bin/sh");
                command.args(["-c", script, &(2 * kib).to_string()]).arg(&self.binary).args(["serve", "--listen", &listen]);
                command.current_dir(&self.folder).env_clear().stdin(Stdio::null());
                command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
                command
            }
        };
        command.envs(self.fault.iter().map(|fault| ("HALOTRACK_SABOTAGE", fault)));
        let child = command.stdout(out).stderr(log).spawn().expect("a server");
        self.child = Some(child);
        loop {
            if self.get("/readyz", &[]).is_some_and(|h| h.status == 200) {
                return began.elapsed();
            }
            if let Some(ended) = self.child.as_mut().and_then(|c| c.try_wait().ok().flatten()) {
                panic!("the server ended with {ended}: {}", self.log());
            }
            assert!(began.elapsed() < PATIENCE, "not ready: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it as a power cut ends a program: no goodbye.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to end, as a service manager does; gives the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        let told = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
        assert!(told.is_ok_and(|s| s.success()), "the signal is sent");
        child.wait().ok()?.code()
    }

    /// Waits for it to end by itself; gives the exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.as_mut()?.try_wait().ok().flatten() {
                self.child = None;
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Option<Heard> {
        send(self.address(), "GET", path, headers, b"")
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Heard> {
        send(self.address(), "POST", path, headers, body)
    }

    /// Waits until something holds, and gives it.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, longest: Duration, mut look: impl FnMut() -> Option<T>) -> T {
        let until = Instant::now() + longest;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < until, "{what} did not happen within {longest:?}: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill9();
        if std::thread::panicking() {
            eprintln!("the log of {}: {}", self.folder.display(), self.log());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A port that nobody has just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port on loopback").port()
}

/// One request on a connection of its own; none where no whole answer came.
pub fn send(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Heard> {
    let mut stream = begin(to, method, path, headers, body)?;
    read(&mut stream)
}

/// Sends a request and leaves the answer unread.
pub fn begin(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(3)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(15))).ok()?;
    stream.set_nodelay(true).ok()?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(n, _)| *n == "host") {
        head.push_str(&format!("host: {to}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    Some(stream)
}

fn read(stream: &mut TcpStream) -> Option<Heard> {
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).ok()?;
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ").and_then(|n| n.parse::<usize>().ok()));
    let body = &raw[end + 4..];
    if length.is_some_and(|n| body.len() < n) {
        return None;
    }
    Some(Heard { status, text: String::from_utf8_lossy(body).into_owned(), head })
}

/// The headers with which the owner's server signs a body.
pub fn signed(secret: &str, now_s: i64, body: &[u8]) -> [(String, String); 3] {
    let stamp = now_s.to_string();
    let signature = crypto::hex(&crypto::hmac_sha256(secret.as_bytes(), &[stamp.as_bytes(), b".", body]));
    [("content-type".into(), "application/json".into()), ("x-halo-timestamp".into(), stamp), ("x-halo-signature".into(), signature)]
}
