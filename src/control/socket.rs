//! `<data>/control.sock`: one line of JSON in, one out. Only its owner may connect.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, Take};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

use super::command::{Command, execute};
use super::export::{self, ExportForm, Taker};
use super::import::{self, ImportForm};
use crate::app::App;
use crate::error::{Error, Kind, Result};

/// Bytes of one command at most; a service account's key file fits many times.
const MOST: u64 = 1024 * 1024;
/// `sun_path` holds 108 bytes with the closing zero (unix(7)); longer ones go by the folder's descriptor.
const LONGEST: usize = 100;

/// Bytes of a file that are handed on at once.
const PIECE: usize = 64 * 1024;

/// What comes in, up to a limit.
type Limited = tokio::io::BufReader<Take<OwnedReadHalf>>;

/// The server's end. Dropped, it goes on until the process ends; `close` removes the file.
pub struct Socket {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Socket {
    pub fn close(self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Listens. The lock is held, so a socket file that is there already was left by a process that is gone.
pub fn listen(app: &App) -> Result<Socket> {
    let data = &app.config.data;
    let path = path(data);
    let failed = |e: std::io::Error| {
        Error::new(
            Kind::Unavailable,
            "socket",
            format!("{} cannot be made: {e}. The data folder must be on a local disk and writable.", path.display()),
        )
    };
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    // The umask keeps others out from the first moment; the folder is closed to them as well.
    let listener = reach(data, |short| tokio::net::UnixListener::bind(short)).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let app = app.clone();
    let task = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let app = app.clone();
                    tokio::spawn(async move {
                        if let Err(e) = answer(&app, stream).await {
                            tracing::warn!(error = %e, "A command was cut off.");
                        }
                    });
                }
                Err(e) => {
                    tracing::warn!(error = %e, "The control socket failed for a moment.");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    });
    Ok(Socket { path, task })
}

/// Asks the server of this data folder. `None` where nobody answers at the socket; the inner result is the command's.
/// Pieces of a long answer are handed to `take` before it ends.
pub fn ask(data: &Path, command: &Command, patience: Duration, take: &mut Taker) -> Result<Option<Result<Value>>> {
    talk(data, command, patience, None, take)
}

/// The same for a command that a file follows.
pub fn ask_with(data: &Path, command: &Command, patience: Duration, file: &mut dyn Read) -> Result<Option<Result<Value>>> {
    talk(data, command, patience, Some(file), &mut |_| Ok(()))
}

fn talk(
    data: &Path,
    command: &Command,
    patience: Duration,
    file: Option<&mut dyn Read>,
    take: &mut Taker,
) -> Result<Option<Result<Value>>> {
    let mut stream = match reach(data, |short| UnixStream::connect(short)) {
        Ok(stream) => stream,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) => return Ok(None),
        Err(e) => {
            return Err(Error::new(
                Kind::Unavailable,
                "socket",
                format!("{} cannot be reached: {e}. Run this as the user that runs the server.", path(data).display()),
            ));
        }
    };
    let lost = |e: std::io::Error| {
        Error::new(Kind::Unavailable, "socket", "The server went away before it answered. Look whether the change holds, then try again.")
            .caused(e)
    };
    stream.set_read_timeout(Some(patience)).map_err(lost)?;
    let mut line = serde_json::to_vec(command).map_err(Error::internal)?;
    line.push(b'\n');
    stream.write_all(&line).map_err(lost)?;
    if let Some(file) = file {
        // A server that has heard enough closes its end: what it says then is the answer.
        let _ = std::io::copy(file, &mut stream);
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    let mut reader = BufReader::new(stream);
    loop {
        let mut text = String::new();
        reader.read_line(&mut text).map_err(lost)?;
        match serde_json::from_str(&text).map_err(|e| lost(e.into()))? {
            Answer::Piece(piece) => take(piece.as_bytes())?,
            answer => return Ok(Some(answer.into())),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// More follows.
    Piece(String),
    Done(Value),
    Failed {
        kind: String,
        code: String,
        field: Option<String>,
        message: String,
    },
}

const KINDS: [(Kind, &str); 8] = [
    (Kind::Invalid, "invalid"),
    (Kind::Unauthorised, "unauthorised"),
    (Kind::Forbidden, "forbidden"),
    (Kind::NotFound, "not_found"),
    (Kind::Conflict, "conflict"),
    (Kind::TooMany, "too_many"),
    (Kind::Unavailable, "unavailable"),
    (Kind::Internal, "internal"),
];

impl From<Result<Value>> for Answer {
    fn from(result: Result<Value>) -> Self {
        match result {
            Ok(value) => Answer::Done(value),
            Err(e) => {
                let kind = KINDS.iter().find(|(k, _)| *k == e.kind).map_or("internal", |(_, word)| word);
                Answer::Failed { kind: kind.into(), code: e.code.into(), field: e.field, message: e.message }
            }
        }
    }
}

impl From<Answer> for Result<Value> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Piece(text) => Ok(text.into()),
            Answer::Done(value) => Ok(value),
            Answer::Failed { kind, code, field, message } => {
                let kind = KINDS.iter().find(|(_, word)| *word == kind).map_or(Kind::Internal, |(k, _)| *k);
                // One short word, once, in a process that ends right after.
                let mut e = Error::new(kind, Box::leak(code.into_boxed_str()), message);
                e.field = field;
                Err(e)
            }
        }
    }
}

async fn answer(app: &App, stream: tokio::net::UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    let mut limited = tokio::io::BufReader::new(read.take(MOST));
    tokio::time::timeout(Duration::from_secs(10), limited.read_until(b'\n', &mut line)).await.map_err(std::io::Error::from)??;
    let result = match serde_json::from_slice::<Command>(&line) {
        Ok(Command::Export(form)) => pieces(app, &form, &mut write).await?,
        Ok(Command::Import(form)) => file(app, &form, &mut limited).await,
        Ok(command) => execute(app, command).await,
        Err(e) => Err(Error::new(
            Kind::Invalid,
            "unknown_command",
            "The running server does not know this command. Use the same version of the binary for both, and restart the server.",
        )
        .caused(e)),
    };
    if let Err(e) = &result
        && e.kind == Kind::Internal
    {
        tracing::error!(error = %e, source = ?e.source, "A command failed.");
    }
    say(&mut write, &Answer::from(result)).await?;
    write.shutdown().await
}

/// A file, piece by piece: as fast as the other end takes it.
async fn pieces(app: &App, form: &ExportForm, write: &mut OwnedWriteHalf) -> std::io::Result<Result<Value>> {
    let mut pieces = match export::open(app, form).await {
        Ok(pieces) => pieces,
        Err(e) => return Ok(Err(e)),
    };
    loop {
        match pieces.next().await {
            Ok(Some(piece)) => say(write, &Answer::Piece(String::from_utf8_lossy(&piece).into_owned())).await?,
            Ok(None) => return Ok(Ok(Value::Null)),
            Err(e) => return Ok(Err(e)),
        }
    }
}

/// A file that follows its command, handed on as fast as it is taken. What is not wanted any more is read all the same: the
/// other end must not be cut off before it hears why.
async fn file(app: &App, form: &ImportForm, read: &mut Limited) -> Result<Value> {
    read.get_mut().set_limit(form.bytes.saturating_add(MOST));
    let (send, pieces) = mpsc::channel(4);
    let reading = async {
        let mut send = Some(send);
        loop {
            let mut piece = vec![0; PIECE];
            match read.read(&mut piece).await {
                Ok(n) if n > 0 => {
                    piece.truncate(n);
                    if let Some(open) = &send
                        && open.send(Ok(Bytes::from(piece))).await.is_err()
                    {
                        send = None;
                    }
                }
                // An end that comes too early is seen by the count of bytes.
                _ => return,
            }
        }
    };
    let (answer, ()) = tokio::join!(import::execute(app, form, pieces), reading);
    answer
}

async fn say(write: &mut OwnedWriteHalf, answer: &Answer) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(answer).map_err(std::io::Error::other)?;
    text.push(b'\n');
    write.write_all(&text).await
}

fn path(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Calls `open` with a path short enough for a socket address.
fn reach<T>(data: &Path, open: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    let plain = path(data);
    if plain.as_os_str().len() <= LONGEST {
        return open(&plain);
    }
    // Linux: the descriptor of the folder stands for its path. It has to stay open during the call.
    let folder = std::fs::File::open(data)?;
    open(&PathBuf::from(format!("/proc/self/fd/{}/control.sock", folder.as_raw_fd())))
}
