//! The files for the shop's own program, each in its own language: a page is told of before it is sent, the cookie comes with
//! it, and a server that does not answer costs nothing but a moment. A language that is not installed is left out.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::running::{Running, free_port};
use crate::upstream::{BROWSER, request, talk};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/server");

const PHP: &str = "<?php require getenv('CLIENT');
$session = halotrack_touch(getenv('BASE'), getenv('TOKEN'), $_SERVER['HTTP_X_REAL_IP'] ?? null, 60);
echo 'session ' . ($session ?? 'none');
";
const NODE: &str = "import http from 'node:http'
const { touch } = await import(process.env.CLIENT)
http.createServer(async (request, response) => {
  const { BASE: base, TOKEN: token } = process.env
  const session = await touch(request, response, { base, token, address: request.headers['x-real-ip'], patience: 60000 })
  response.end(`session ${session ?? 'none'}`)
}).listen(Number(process.env.PORT), '127.0.0.1')
";
const PYTHON: &str = "import os, sys
from wsgiref.simple_server import make_server
sys.path.insert(0, os.path.dirname(os.environ['CLIENT']))
from halotrack import Touches

def shop(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [('session ' + (environ['halotrack.session'] or 'none')).encode()]

app = Touches(shop, base=os.environ['BASE'], token=os.environ['TOKEN'], address='HTTP_X_REAL_IP', patience=60)
make_server('127.0.0.1', int(os.environ['PORT']), app).serve_forever()
";

/// A shop's program; it ends with the story.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// None where the language is not there.
async fn started(command: &mut Command, port: u16) -> Option<Program> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let name = command.get_program().to_string_lossy().into_owned();
    let child = match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: {name} is not installed");
            return None;
        }
        Err(e) => panic!("{name}: {e}"),
    };
    let mut program = Program { child, address };
    let until = Instant::now() + Duration::from_secs(20);
    while tokio::net::TcpStream::connect(address).await.is_err() {
        assert!(Instant::now() < until && program.child.try_wait().ok().flatten().is_none(), "{name} does not listen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Some(program)
}

async fn tells_of_its_pages(name: &str, file: &str, source: &str, begin: impl Fn(&Path, u16) -> Command) {
    let mut server = Running::new(name);
    server.cli(&["site", "add", "--name", "shop", "--domain", "shop.example", "--currency", "USD", "--consent", "opt-out"]);
    let token = server.cli(&["token", "create", "--site", "shop", "--name", "server", "--scope", "write"]);
    server.start();
    let program: PathBuf = server.folder.join(file);
    std::fs::write(&program, source).expect("a program");
    let port = free_port();
    let mut command = begin(&program, port);
    let client = format!(
        "{CLIENTS}/{}",
        if name == "php" {
            "halotrack.php"
        } else if name == "node" {
            "halotrack.mjs"
        } else {
            "halotrack.py"
        }
    );
    command.current_dir(&server.folder).env("CLIENT", client).env("BASE", server.url()).env("PORT", port.to_string());
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("TOKEN", token["token"].as_str().unwrap_or_default());
    let Some(program) = started(&mut command, port).await else { return };
    let ask = async |path: &str, headers: &str| {
        let headers = format!("{BROWSER}X-Real-IP: 198.51.100.7\r\n{headers}");
        talk(program.address, &request("GET", path, &headers, b"")).await.is(200)
    };
    let first = ask("/sale?utm_source=news&utm_medium=email", "Referer: https://www.google.com/\r\n").await;
    let id = first.session().expect("a cookie").to_owned();
    assert_eq!(first.text(), format!("session {id}"));
    let cookie = first.header("set-cookie").to_lowercase();
    assert!(cookie.contains("path=/") && cookie.contains("samesite=lax") && cookie.contains("max-age=31536000"), "{cookie}");
    let second = ask("/next", &format!("Cookie: own=1; _halo={id}\r\n")).await;
    assert_eq!((second.text(), second.session()), (format!("session {id}"), Some(id.as_str())));
    let row = &server.sql("shop", "select page_views, ft_source, ft_landing, device_type from sessions")[0];
    assert_eq!(
        *row,
        json!({"page_views": 2, "ft_source": "news", "ft_landing": "/sale?utm_source=news&utm_medium=email", "device_type": "desktop"})
    );
    // The page's own tag tells of the second page too: it was counted.
    let body = json!({"landing": "/next", "event_id": "e1", "navigation": "navigate"}).to_string();
    let chrome = crate::house::CHROME;
    let headers = [("origin", "https://shop.example"), ("cookie", &*format!("_halo={id}")), ("user-agent", chrome)];
    let touched = server.post("/api/touch", &headers, body.as_bytes()).expect("an answer");
    assert!(touched.status == 200 && touched.text.contains(&id), "{}", touched.text);
    assert_eq!(server.sql("shop", "select sum(page_views) n from sessions"), [json!({"n": 2})]);
    // A refusal takes the cookie back.
    let refused = ask("/next", &format!("Cookie: halo_consent=denied; _halo={id}\r\n")).await;
    assert_eq!((refused.text().as_str(), refused.session().unwrap_or("gone").replace("deleted", "")), ("session none", String::new()));
    // No picture is a page.
    let picture = talk(program.address, &request("GET", "/a.png", &BROWSER.replace("document", "image"), b"")).await.is(200);
    assert_eq!((picture.text().as_str(), picture.session()), ("session none", None));
    // Nor is what a browser only fetches ahead.
    let preview = ask("/next", "X-Purpose: preview\r\n").await;
    assert_eq!((preview.text().as_str(), preview.session()), ("session none", None));
    // Nobody answers: the page is there all the same, and the visitor keeps the id.
    server.stop();
    let alone = ask("/next", &format!("Cookie: _halo={id}\r\n")).await;
    assert_eq!((alone.text(), alone.session()), (format!("session {id}"), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_in_php() {
    tells_of_its_pages("php", "shop.php", PHP, |program, port| {
        let mut command = Command::new("php");
        command.arg("-S").arg(format!("127.0.0.1:{port}")).arg(program);
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_in_node() {
    tells_of_its_pages("node", "shop.mjs", NODE, |program, _| {
        let mut command = Command::new("node");
        command.arg(program);
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_in_python() {
    tells_of_its_pages("python", "shop.py", PYTHON, |program, _| {
        let mut command = Command::new("python3");
        command.arg(program);
        command
    })
    .await;
}
