//! Real servers behind the proxy: nginx with files, and small programs in Python and Node. What they say to a visitor is the
//! same with us and without us, but for our own cookie. A server that is not installed is left out, and its story says so.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::edge_servers::{Server, folder, is_there, nginx_of, started};
use crate::house::House;
use crate::running::free_port;
use crate::upstream::{BROWSER, Said, Street, Upstream, pattern, request, talk};

/// The street before a shop that stands elsewhere.
async fn street(shop: SocketAddr) -> Street {
    let street = Street::with(House::new(), Upstream::start().await).await;
    street.set("proxy.upstream", &format!("http://{shop}")).await;
    street
}

fn without_ours(mut said: Said) -> Said {
    said.headers.retain(|(name, value)| !(name == "set-cookie" && value.starts_with("_halo=")));
    said
}

/// Asks the shop and the street the same things, by requests that each are (method, path, headers, body).
async fn say_the_same(shop: SocketAddr, street: &Street, asked: &[(&str, &str, &str, &[u8])]) {
    for (method, path, headers, body) in asked {
        let bytes = request(method, path, headers, body);
        let direct = talk(shop, &bytes).await;
        let through = without_ours(talk(street.address, &bytes).await);
        assert_eq!((through.status, &through.headers), (direct.status, &direct.headers), "{method} {path} {headers}");
        assert!(through.body == direct.body, "{method} {path} {headers}: {} bytes, not {}", through.body.len(), direct.body.len());
    }
}

async fn files(folder: &Path) -> Server {
    let root = folder.join("shop");
    std::fs::create_dir_all(root.join("sub")).expect("a folder");
    let page = format!("<!doctype html><html><head><title>Files \u{e9}</title></head><body>{}</body></html>", "<p>text</p>".repeat(3_000));
    for (name, bytes) in [
        ("index.html", page.into_bytes()),
        ("sub/index.html", b"<p>below</p>".to_vec()),
        ("caf\u{e9} 1%.txt", b"a name".to_vec()),
        ("style.css", "a{color:red}\n".repeat(4_000).into_bytes()),
        ("large.bin", pattern(1_500_000)),
        ("empty.txt", Vec::new()),
    ] {
        std::fs::write(root.join(name), bytes).expect("a file");
    }
    let port = free_port();
    let server = format!(
        "types {{ text/html html; text/css css; text/plain txt; }}\ndefault_type application/octet-stream;\n\
         server {{ listen 127.0.0.1:{port}; root {}; gzip on; gzip_types text/css; gzip_min_length 100;\n\
         location = /old {{ return 301 /sub/?from=old; }}\nlocation = /gone {{ return 410; }}\n\
         location = /early {{ add_header Set-Cookie \"a=1\"; add_header Set-Cookie \"b=2\"; return 200 \"two\"; }} }}\n",
        root.display()
    );
    nginx_of(&server, folder.to_owned(), port).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_of_files_is_the_same_with_us() {
    if !is_there("nginx", "-v") {
        return;
    }
    let shop = files(&folder("files")).await;
    let street = street(shop.address).await;
    let first = talk(shop.address, &request("GET", "/", "", b"")).await.is(200);
    let (tag, date) = (first.header("etag").to_owned(), first.header("last-modified").to_owned());
    let has_it = format!("{BROWSER}If-None-Match: {tag}\r\n");
    let has_weak = format!("If-None-Match: W/{tag}\r\n");
    let since = format!("If-Modified-Since: {date}\r\n");
    let large = talk(shop.address, &request("HEAD", "/large.bin", "", b"")).await.is(200).header("etag").to_owned();
    let part = format!("Range: bytes=700000-\r\nIf-Range: {large}\r\n");
    let asked: Vec<(&str, &str, &str, &[u8])> = vec![
        ("GET", "/", BROWSER, b""),
        ("GET", "/", "", b""),
        ("HEAD", "/", "", b""),
        ("GET", "/", &has_it, b""),
        ("GET", "/", &has_weak, b""),
        ("GET", "/", &since, b""),
        ("GET", "/sub", BROWSER, b""),
        ("GET", "/sub/", BROWSER, b""),
        ("GET", "/old", BROWSER, b""),
        ("GET", "/gone", BROWSER, b""),
        ("GET", "/early", "", b""),
        ("GET", "/caf%C3%A9%201%25.txt", "", b""),
        ("GET", "/nothing%00here", "", b""),
        ("GET", "/style.css", "Accept-Encoding: gzip\r\n", b""),
        ("GET", "/style.css", "Accept-Encoding: identity\r\n", b""),
        ("GET", "/large.bin", "", b""),
        ("GET", "/large.bin", "Range: bytes=100-299\r\n", b""),
        ("GET", "/large.bin", "Range: bytes=-10\r\n", b""),
        ("GET", "/large.bin", "Range: bytes=9999999-\r\n", b""),
        ("GET", "/large.bin", &part, b""),
        ("GET", "/empty.txt", "", b""),
        ("GET", "/nowhere", BROWSER, b""),
        ("POST", "/", "", b"a=1"),
        ("DELETE", "/style.css", "", b""),
        ("OPTIONS", "/", "", b""),
    ];
    say_the_same(shop.address, &street, &asked).await;
    street.holds("select count(*) > 0 from sessions", 1).await;
    street.close().await;
}

const PYTHON: &str = r#"
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/stream"):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for n in range(200):
                line = (b"line %d\n" % n) * (n + 1)
                self.wfile.write(b"%x\r\n" % len(line) + line + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/cart":
            self.say(200, [("Content-Type", "text/html; charset=utf-8"), ("Set-Cookie", "cart=7; Path=/; HttpOnly"),
                           ("Set-Cookie", "seen=1"), ("Vary", "Cookie"), ("X-Powered-By", "Shop")],
                     ("<!doctype html><title>Cart</title>" + self.headers.get("Cookie", "no cookie")).encode())
        elif self.path == "/closes":
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"until the end")
            self.close_connection = True
        else:
            self.say(404, [("Content-Type", "text/html")], b"<h1>None</h1>")

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/buy":
            self.say(303, [("Location", "/cart"), ("Set-Cookie", "order=9")])
        else:
            self.say(201, [("Content-Type", self.headers.get("Content-Type", "text/plain"))], body)

    do_PUT = do_POST
    do_PATCH = do_POST

    def log_message(self, *args):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
"#;

const NODE: &str = r#"
const http = require("http");
http.createServer((ask, say) => {
  if (ask.url === "/cart") {
    say.writeHead(200, { "Content-Type": "text/html", "Set-Cookie": ["cart=7; Path=/; HttpOnly", "seen=1"], Vary: "Cookie" });
    say.end("<!doctype html><title>Cart</title>" + (ask.headers.cookie || "no cookie"));
  } else if (ask.url.startsWith("/stream")) {
    say.writeHead(200, { "Content-Type": "text/plain" });
    for (let n = 0; n < 200; n++) say.write(("line " + n + "\n").repeat(n + 1));
    say.end();
  } else if (ask.url === "/buy") {
    ask.resume().on("end", () => say.writeHead(303, { Location: "/cart", "Set-Cookie": "order=9" }).end());
  } else if (ask.url === "/closes") {
    say.writeHead(200, { "Content-Type": "text/plain", Connection: "close" }).end("until the end");
  } else if (ask.method === "GET" || ask.method === "HEAD") {
    say.writeHead(404, { "Content-Type": "text/html" }).end("<h1>None</h1>");
  } else {
    say.writeHead(201, { "Content-Type": ask.headers["content-type"] || "text/plain" });
    ask.pipe(say);
  }
}).listen(Number(process.argv[2]), "127.0.0.1");
"#;

async fn program(interpreter: &str, text: &str) -> Server {
    let (folder, port) = (folder(interpreter), free_port());
    let file = folder.join("shop.js");
    std::fs::write(&file, text).expect("a program");
    let mut command = Command::new(interpreter);
    command.arg(&file).arg(port.to_string());
    started(command, folder, SocketAddr::from(([127, 0, 0, 1], port))).await
}

async fn a_program_is_the_same_with_us(shop: Server) {
    let street = street(shop.address).await;
    let body = pattern(400_000);
    let typed = "Content-Type: application/octet-stream\r\n";
    let asked: Vec<(&str, &str, &str, &[u8])> = vec![
        ("GET", "/cart", BROWSER, b""),
        ("HEAD", "/cart", "", b""),
        ("GET", "/stream", "", b""),
        ("GET", "/stream?again", BROWSER, b""),
        ("GET", "/closes", "", b""),
        ("GET", "/nothing", BROWSER, b""),
        ("POST", "/buy", BROWSER, b"article=7"),
        ("POST", "/api/touch/of/the/shop", typed, &body),
        ("PUT", "/any", typed, b"x"),
        ("PATCH", "/any", "", b"{}"),
    ];
    say_the_same(shop.address, &street, &asked).await;
    // The visitor's own cookies reach it as they were sent, ours among them.
    let id = street.open_page("/cart", "").await.is(200).session().expect("a cookie").to_owned();
    let said = street.open_page("/cart", &format!("Cookie: cart=7; _halo={id}\r\n")).await.is(200);
    assert!(said.text().ends_with(&format!("cart=7; _halo={id}")), "{}", said.text());
    let cookies = said.headers.iter().filter(|(name, _)| name == "set-cookie").count();
    assert_eq!((cookies, said.session()), (3, Some(id.as_str())), "{}", said.head);
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_in_python_is_the_same_with_us() {
    if is_there("python3", "--version") {
        a_program_is_the_same_with_us(program("python3", PYTHON).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_in_node_is_the_same_with_us() {
    if is_there("node", "--version") {
        a_program_is_the_same_with_us(program("node", NODE).await).await;
    }
}
