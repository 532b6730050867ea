//! nginx and Caddy in front of a shop, with the very files that the documents print: pages are counted, and served
//! whatever becomes of us. Where a server is not installed, its story says so and is left out.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::running::free_port;
use crate::upstream::{BROWSER, Street, Upstream, request, talk};

const NGINX: &str = include_str!("../../deploy/shop.nginx");
const CADDY: &str = include_str!("../../deploy/shop.caddy");

/// A web server that ends with the story.
pub struct Server {
    child: Child,
    folder: PathBuf,
    pub address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("halotrack-{name}-{}-{n}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

pub fn is_there(program: &str, version: &str) -> bool {
    let found = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

pub async fn started(mut command: Command, folder: PathBuf, address: SocketAddr) -> Server {
    let log = std::fs::File::create(folder.join("log")).expect("a log");
    let also = log.try_clone().expect("the same log");
    let child = command.stdin(Stdio::null()).stdout(log).stderr(also).spawn().expect("the server starts");
    let mut server = Server { child, folder, address };
    let until = Instant::now() + Duration::from_secs(20);
    while tokio::net::TcpStream::connect(address).await.is_err() {
        let is_over = Instant::now() > until || server.child.try_wait().ok().flatten().is_some();
        assert!(!is_over, "it does not listen: {}", std::fs::read_to_string(server.folder.join("log")).unwrap_or_default());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server
}

/// Nothing here depends on how busy the machine is.
fn patient(printed: &str) -> String {
    printed.replace("200ms", "60s").replace("500ms", "60s")
}

/// The printed file for these two addresses, as the server wants it on a port of its own.
async fn nginx(product: SocketAddr, shop: SocketAddr) -> Option<Server> {
    if !is_there("nginx", "-v") {
        return None;
    }
    let (folder, port) = (folder("nginx"), free_port());
    let own = NGINX.replace("listen 80;", &format!("listen 127.0.0.1:{port};"));
    let own = patient(&own).replace("127.0.0.1:8080", &product.to_string()).replace("127.0.0.1:3000", &shop.to_string());
    Some(nginx_of(&own, folder, port).await)
}

/// nginx with these servers, of which one listens on the port.
pub async fn nginx_of(servers: &str, folder: PathBuf, port: u16) -> Server {
    let mut paths = String::new();
    for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = std::fmt::Write::write_fmt(&mut paths, format_args!("{name}_temp_path {}/{name};\n", folder.display()));
    }
    let whole = format!(
        "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}{servers}}}\n",
        folder.display()
    );
    std::fs::File::create(folder.join("conf")).and_then(|mut f| f.write_all(whole.as_bytes())).expect("a configuration");
    let mut command = Command::new("nginx");
    command.arg("-e").arg("stderr").arg("-p").arg(&folder).arg("-c").arg(folder.join("conf"));
    started(command, folder, SocketAddr::from(([127, 0, 0, 1], port))).await
}

async fn caddy(product: SocketAddr, shop: SocketAddr) -> Option<Server> {
    if !is_there("caddy", "version") {
        return None;
    }
    let (folder, port) = (folder("caddy"), free_port());
    let own = CADDY.replace("\nshop.example {", &format!("\nhttp://shop.example:{port} {{\n\tbind 127.0.0.1"));
    assert_ne!(own, CADDY, "the address of the site is where it was");
    let own = patient(&own).replace("127.0.0.1:8080", &product.to_string()).replace("127.0.0.1:3000", &shop.to_string());
    let whole = format!("{{\n\tadmin off\n\tauto_https off\n\thttp_port {port}\n}}\n{own}");
    std::fs::write(folder.join("Caddyfile"), whole).expect("a configuration");
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.join("Caddyfile"));
    command.env("XDG_DATA_HOME", &folder).env("XDG_CONFIG_HOME", &folder).env("HOME", &folder);
    Some(started(command, folder, SocketAddr::from(([127, 0, 0, 1], port))).await)
}

/// A shop behind another server than ours.
async fn street() -> Street {
    let street = Street::with(crate::house::House::new(), Upstream::start().await).await;
    street.set("proxy.upstream", "").await;
    street
}

async fn pages_are_counted_and_always_served(mut street: Street, server: Server) {
    // What a visitor's browser sends, with words in it that only a trusted server may say.
    let plain = BROWSER.replace("X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n", "");
    let ask = async |method: &str, path: &str, headers: &str, body: &[u8]| {
        talk(server.address, &request(method, path, &format!("{plain}{headers}"), body)).await
    };
    let forged =
        "X-Original-URI: /forged?utm_source=forged\r\nX-Forwarded-Uri: /forged\r\nX-Original-Method: POST\r\nX-Halo-Session: forged\r\n";
    let first = ask("GET", "/page?utm_source=news&utm_medium=email", forged, b"").await.is(200);
    assert!(first.text().contains("Shop é"), "{}", first.text());
    let id = first.session().expect("a cookie").to_owned();
    street.holds("select count(*) from sessions", 1).await;
    let session = street.house.session(&street.site, &id);
    assert_eq!(
        (&session["ft_source"], &session["ft_landing"]),
        (&json!("news"), &json!("/page?utm_source=news&utm_medium=email")),
        "{session}"
    );
    let known = format!("Cookie: _halo={id}\r\n{forged}");
    assert_eq!(ask("GET", "/next", &known, b"").await.is(200).session(), Some(id.as_str()));
    street.holds("select sum(page_views) from sessions", 2).await;
    let heard = ask("GET", "/echo", &known, b"").await.is(200).text();
    assert!(heard.contains(&format!("x-halo-session: {id}")) && !heard.contains("x-halo-session: forged"), "{heard}");
    street.holds("select sum(page_views) from sessions", 3).await;

    // Nothing else is, and all of it passes.
    let posted = ask("POST", "/upload", &known, &vec![b'x'; 30_000]).await.is(200);
    assert_eq!((posted.text().as_str(), posted.session()), ("30000 bytes", None));
    let heard = ask("POST", "/echo", "X-Halo-Session: forged\r\n", b"x").await.is(200).text();
    assert!(!heard.contains("forged"), "{heard}");
    let picture = talk(server.address, &request("GET", "/picture", &plain.replace("document", "image"), b"")).await.is(200);
    assert_eq!(picture.session(), None);
    assert_eq!(ask("GET", "/moved", "", b"").await.status, 302);
    assert_eq!(ask("GET", "/nothing", "", b"").await.status, 404);

    // We are gone: the page is not.
    street.end_serving().await;
    let alone = ask("GET", "/page", "", b"").await.is(200);
    assert!(alone.text().contains("Shop é") && alone.session().is_none(), "{}", alone.head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_asks_before_each_page() {
    let street = street().await;
    if let Some(server) = nginx(street.address, street.shop.address).await {
        pages_are_counted_and_always_served(street, server).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caddy_asks_before_each_page() {
    let street = street().await;
    if let Some(server) = caddy(street.address, street.shop.address).await {
        pages_are_counted_and_always_served(street, server).await;
    }
}
