//! The nginx that the proxy is measured by.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::product::Folder;

/// nginx with nothing but `proxy_pass`, on lines that it keeps. It ends with this value.
pub struct Nginx {
    child: Child,
    pub address: SocketAddr,
}

impl Nginx {
    /// None where it is not installed.
    pub fn start(folder: &Folder, shop: SocketAddr) -> Result<Option<Self>, String> {
        if Command::new("nginx").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            return Ok(None);
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(|e| e.to_string())?.port();
        let root = folder.path().join("nginx");
        std::fs::create_dir_all(&root).map_err(|e| e.to_string())?;
        let at = root.display();
        let temp: String =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].iter().map(|n| format!("{n}_temp_path {at}/{n};\n")).collect();
        let text = format!(
            "daemon off;\nworker_processes auto;\npid {at}/pid;\nerror_log {at}/log;\nevents {{ worker_connections 1024; }}\nhttp {{\naccess_log off;\n\
             {temp}keepalive_requests 1000000000;\nupstream shop {{ server {shop}; keepalive 64; keepalive_requests 1000000000; }}\n\
             server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://shop; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
             proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }}\n}}\n"
        );
        let conf = root.join("conf");
        std::fs::write(&conf, text).map_err(|e| e.to_string())?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&root).arg("-e").arg(root.join("log")).arg("-c").arg(&conf);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|e| e.to_string())?;
        let nginx = Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let began = Instant::now();
        while TcpStream::connect(nginx.address).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err(format!("nginx does not listen: {}", std::fs::read_to_string(root.join("log")).unwrap_or_default()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(nginx))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Told, so that it ends its workers too.
        let told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        if told.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
