//! A real browser without a window, driven through chromedriver. It goes away with the story; where the programs are not
//! installed, the story says so and is left out.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::common::log::LoggingPrefsLogLevel;
use thirtyfour::prelude::*;

use crate::house::CHROME;
use crate::running::free_port;

/// For what must come, however busy the machine is. Nothing is slower for it: whoever waits looks every few milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

pub struct Chromium {
    pub driver: WebDriver,
    program: Program,
}

/// chromedriver and the folder of its browser.
struct Program {
    child: Child,
    folder: PathBuf,
}

impl Drop for Program {
    fn drop(&mut self) {
        // Its whole group: a browser that outlives its driver would stay for ever.
        let _ = Command::new("kill").args(["-KILL", "--"]).arg(format!("-{}", self.child.id())).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Chromium {
    /// `hosts` are rules such as `MAP shop.example 127.0.0.1`. None where there is no browser on this machine.
    pub async fn start(hosts: &str) -> Option<Self> {
        let (Some(chromium), Some(chromedriver)) =
            (installed("CHROMIUM", &["chromium", "chromium-browser", "google-chrome"]), installed("CHROMEDRIVER", &["chromedriver"]))
        else {
            eprintln!("skipped: chromium and chromedriver are not installed");
            return None;
        };
        // An error only says that another story was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        // Not the name of any `Running`: each clears its own folder first.
        let folder = std::env::temp_dir().join(format!("halotrack-chromium-{}-{n}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let port = free_port();
        let mut command = Command::new(chromedriver);
        command.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let program = Program { child: command.process_group(0).spawn().expect("chromedriver runs"), folder };

        let mut caps = DesiredCapabilities::chrome();
        caps.set_binary(&chromium.to_string_lossy()).expect("a binary");
        for arg in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-default-apps",
            "--window-size=1440,900",
        ] {
            caps.add_arg(arg).expect("an argument");
        }
        caps.add_arg(&format!("--user-data-dir={}", program.folder.join("profile").display())).expect("an argument");
        caps.add_arg(&format!("--host-resolver-rules={hosts}")).expect("an argument");
        // A browser that says it has no head is a bot.
        caps.add_arg(&format!("--user-agent={CHROME}")).expect("an argument");
        caps.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a log level");
        let until = Instant::now() + PATIENCE;
        let driver = loop {
            match WebDriver::new(format!("http://127.0.0.1:{port}"), caps.clone()).await {
                Ok(driver) => break driver,
                Err(e) => assert!(Instant::now() < until, "no browser: {e}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        Some(Self { driver, program })
    }

    pub async fn end(self) {
        let _ = self.driver.quit().await;
        drop(self.program);
    }

    pub async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|e| panic!("{url}: {e}"));
    }

    /// What a script returns.
    pub async fn run(&self, script: &str) -> Value {
        let answer = self.driver.execute(script, Vec::new()).await.unwrap_or_else(|e| panic!("{script}: {e}"));
        answer.json().clone()
    }

    /// Waits until a script returns something, and gives it. A script that fails, because the page is not there yet or is just
    /// drawn anew, has not returned: so a script that clicks and then says `true` is one click, made when it can be.
    #[track_caller]
    pub fn wait<'a>(&'a self, what: &'a str, script: &'a str) -> impl Future<Output = Value> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let until = Instant::now() + PATIENCE;
            loop {
                let found = self.driver.execute(script, Vec::new()).await.map(|answer| answer.json().clone());
                match &found {
                    Ok(found) if !matches!(found, Value::Null | Value::Bool(false)) && *found != json!("") && *found != json!(0) => {
                        return found.clone();
                    }
                    _ => {}
                }
                if Instant::now() >= until {
                    let page = self.run("return location.href + ' ' + document.body.innerText.slice(0, 2000)").await;
                    panic!("{place}: {what} did not happen: {found:?} {page} {:?}", self.log().await);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Waits until a script returns this.
    #[track_caller]
    pub fn wait_for<'a>(&'a self, what: &'a str, script: &'a str, want: Value) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let until = Instant::now() + PATIENCE;
            loop {
                let found = self.driver.execute(script, Vec::new()).await.map(|answer| answer.json().clone());
                if found.as_ref().is_ok_and(|found| *found == want) {
                    return;
                }
                assert!(Instant::now() < until, "{place}: {what} is {found:?}, not {want}: {:?}", self.log().await);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    #[track_caller]
    pub fn click<'a>(&'a self, css: &'a str) -> impl Future<Output = ()> + 'a {
        self.upon(css, |element| async move { element.click().await })
    }

    #[track_caller]
    pub fn write<'a>(&'a self, css: &'a str, text: &'a str) -> impl Future<Output = ()> + 'a {
        self.upon(css, move |element| async move { element.send_keys(text).await })
    }

    /// Does something with an element as soon as it is there and lets it be done: a page that is drawn anew meanwhile has
    /// another one in its place.
    #[track_caller]
    fn upon<'a, F, D>(&'a self, css: &'a str, does: D) -> impl Future<Output = ()> + 'a
    where
        D: Fn(WebElement) -> F + 'a,
        F: Future<Output = WebDriverResult<()>> + 'a,
    {
        let place = std::panic::Location::caller();
        async move {
            let until = Instant::now() + PATIENCE;
            loop {
                let done = match self.driver.find(By::Css(css)).await {
                    Ok(element) => does(element).await,
                    Err(e) => Err(e),
                };
                match done {
                    Ok(()) => return,
                    Err(e) if Instant::now() >= until => {
                        let page = self.run("return location.href + ' ' + document.body.innerText.slice(0, 2000)").await;
                        panic!("{place}: {css}: {e} on {page} {:?}", self.log().await);
                    }
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        }
    }

    /// Keys to whatever has the focus.
    pub async fn press(&self, keys: impl Into<TypingData> + Clone) {
        let until = Instant::now() + PATIENCE;
        loop {
            let element = self.driver.active_element().await.expect("something has the focus");
            match element.send_keys(keys.clone()).await {
                Ok(()) => return,
                Err(e) => assert!(Instant::now() < until, "keys are taken: {e}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A screen of this width, light or dark.
    pub async fn screen(&self, width: u32, height: u32, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await.expect("a screen");
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await.expect("a colour scheme");
    }

    /// Forgets cookies and what pages have kept, of every host.
    pub async fn forget(&self) {
        self.driver.cdp().send_raw("Network.clearBrowserCookies", json!({})).await.expect("no cookies");
    }

    /// Cookies of all hosts by name: value, domain, and so on.
    pub async fn cookies(&self) -> Vec<Value> {
        let all = self.driver.cdp().send_raw("Storage.getCookies", json!({})).await.expect("cookies");
        all["cookies"].as_array().cloned().unwrap_or_default()
    }

    /// Where `PICTURES` names a folder, what is on the screen is kept there, to be looked at.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("PICTURES") else { return };
        let file: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let picture = self.driver.screenshot_as_png().await.expect("a picture");
        std::fs::write(PathBuf::from(folder).join(format!("{file}.png")), picture).expect("it is kept");
    }

    /// Errors since the last look: uncaught, refused by the policy, or not loaded.
    pub async fn log(&self) -> Vec<String> {
        let all = self.driver.browser_log().await.unwrap_or_default();
        all.into_iter().filter(|e| e.level == "SEVERE" || e.message.contains("Content Security Policy")).map(|e| e.message).collect()
    }
}

/// A program by its variable, or on the path.
fn installed(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(told) = std::env::var_os(variable) {
        return Some(PathBuf::from(told));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| places.iter().map(move |p| p.join(name))).find(|p| p.is_file())
}
