//! The four layers of the configuration: the embedded defaults, `halotrack.toml`, the environment, flags. The later
//! wins; what nobody knows stops the start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Config, LogFormat, Network, older};
use crate::domain::host;
use crate::error::{Error, Kind, Result};

/// The manual, and the first layer.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// Environment variables begin with this.
const PREFIX: &str = "HALOTRACK_";
/// Vendors whose host another can stand in for: requests say it by this word. Shops and booking systems have their own address.
const STOOD_IN: [&str; 14] = [
    "anytrack",
    "calendly",
    "eventbrite",
    "ga4",
    "google_ads",
    "google_oauth",
    "hubspot",
    "meta",
    "metaleads",
    "shopify",
    "stripe",
    "typeform",
    "zoom",
    "zoom_oauth",
];
/// What our own snippets for the owner's server read from the same environment (`clients/`): no settings of this program.
const OF_CLIENTS: [&str; 1] = ["TOKEN"];
/// `HALOTRACK_BASE_URL_META` is `base_url.meta`.
const BASE_URL: &str = "BASE_URL_";

/// What the command line says: the last layer.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub data: Option<PathBuf>,
    pub config: Option<PathBuf>,
    pub listen: Option<String>,
}

/// The configuration, and lines the owner should read at the start.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<String>,
}

/// Reads all layers. `env` is passed in, so that tests need not change the process.
pub fn load(flags: &Flags, env: &BTreeMap<String, String>) -> Result<Loaded> {
    let from_env = environment(env)?;
    let from_flags = Layer { data: flags.data.as_ref().map(|p| p.display().to_string()), listen: flags.listen.clone(), ..Layer::default() };
    let file = match &flags.config {
        Some(file) => Some(file.clone()),
        None => {
            let data = from_flags.data.as_ref().or(from_env.data.as_ref()).map_or("./halotrack-data", String::as_str);
            let beside = plain(data)?.with_file_name("halotrack.toml");
            beside.exists().then_some(beside)
        }
    };
    let from_file = match &file {
        Some(file) => read(file)?,
        None => Layer::default(),
    };
    let defaults = parse(DEFAULTS, Path::new("config.default.toml"))?;
    let config = resolve(from_flags.over(from_env).over(from_file).over(defaults))?;
    let mut warnings = older::warnings(env);
    warnings.extend(loud(&config));
    Ok(Loaded { config, warnings })
}

/// One layer; what it does not say, an earlier one does.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Layer {
    data: Option<String>,
    listen: Option<String>,
    public_url: Option<String>,
    trusted_proxies: Option<List>,
    master_key_file: Option<String>,
    outbound_allow: Option<List>,
    base_url: BTreeMap<String, String>,
    retry_scale: Option<Number>,
    cors_origins: Option<List>,
    log_level: Option<String>,
    log_format: Option<String>,
}

/// A list, or one text with commas.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum List {
    Many(Vec<String>),
    One(String),
}

/// A factor as a number or as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Fraction(f64),
    Text(String),
}

impl Layer {
    fn over(mut self, below: Layer) -> Layer {
        let mut base_url = below.base_url;
        base_url.append(&mut self.base_url);
        Layer {
            data: self.data.or(below.data),
            listen: self.listen.or(below.listen),
            public_url: self.public_url.or(below.public_url),
            trusted_proxies: self.trusted_proxies.or(below.trusted_proxies),
            master_key_file: self.master_key_file.or(below.master_key_file),
            outbound_allow: self.outbound_allow.or(below.outbound_allow),
            base_url,
            retry_scale: self.retry_scale.or(below.retry_scale),
            cors_origins: self.cors_origins.or(below.cors_origins),
            log_level: self.log_level.or(below.log_level),
            log_format: self.log_format.or(below.log_format),
        }
    }
}

impl List {
    fn entries(self) -> Vec<String> {
        let all = match self {
            List::Many(all) => all,
            List::One(text) => text.split(',').map(str::to_owned).collect(),
        };
        all.into_iter().map(|e| e.trim().to_owned()).filter(|e| !e.is_empty()).collect()
    }
}

fn read(file: &Path) -> Result<Layer> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| wrong("config", format!("{} cannot be read: {e}. Name another file with --config.", file.display())))?;
    parse(&text, file)
}

fn parse(text: &str, file: &Path) -> Result<Layer> {
    toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let cause = e.message().split_whitespace().collect::<Vec<_>>().join(" ");
        wrong("config", format!("{}, line {line}: {cause}. Correct or remove it.", file.display()))
    })
}

fn environment(env: &BTreeMap<String, String>) -> Result<Layer> {
    let mut layer = Layer::default();
    for (name, value) in env {
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        if name == "CORS_ORIGINS" && !env.contains_key("HALOTRACK_CORS_ORIGINS") {
            layer.cors_origins = Some(List::One(value.to_owned()));
        }
        let Some(key) = name.strip_prefix(PREFIX) else { continue };
        let text = Some(value.to_owned());
        match key {
            "DATA" => layer.data = text,
            "LISTEN" => layer.listen = text,
            "PUBLIC_URL" => layer.public_url = text,
            "TRUSTED_PROXIES" => layer.trusted_proxies = text.map(List::One),
            "MASTER_KEY_FILE" => layer.master_key_file = text,
            "OUTBOUND_ALLOW" => layer.outbound_allow = text.map(List::One),
            "RETRY_SCALE" => layer.retry_scale = text.map(Number::Text),
            "CORS_ORIGINS" => layer.cors_origins = text.map(List::One),
            "LOG_LEVEL" => layer.log_level = text,
            "LOG_FORMAT" => layer.log_format = text,
            // Only a build with deliberate faults in it reads this one.
            "SABOTAGE" if cfg!(feature = "sabotage") => {}
            _ if OF_CLIENTS.contains(&key) => {}
            _ => match key.strip_prefix(BASE_URL) {
                Some(platform) => {
                    layer.base_url.insert(platform.to_ascii_lowercase(), value.to_owned());
                }
                None => return Err(wrong("config", format!("{name} is no setting of HaloTrack. Correct or remove it."))),
            },
        }
    }
    Ok(layer)
}

fn resolve(layer: Layer) -> Result<Config> {
    let data = plain(&layer.data.unwrap_or_default())?;
    let listen = listen(&layer.listen.unwrap_or_default())?;
    let public_url = match layer.public_url {
        Some(url) => web_address("public_url", &url)?,
        None => Config::usual_url(listen),
    };
    let trusted_proxies = match layer.trusted_proxies {
        Some(list) => list.entries().iter().map(|e| network(e)).collect::<Result<_>>()?,
        None if listen.ip().is_loopback() => ["127.0.0.0/8", "::1"].iter().map(|e| network(e)).collect::<Result<_>>()?,
        None => Vec::new(),
    };
    let master_key_file = match layer.master_key_file {
        Some(file) => plain(&file)?,
        None => {
            let mut name = data.clone().into_os_string();
            name.push(".key");
            name.into()
        }
    };
    let outbound_allow = layer.outbound_allow.map(List::entries).unwrap_or_default();
    if let Some(bad) = outbound_allow.iter().find(|e| !is_place(e)) {
        return Err(wrong("outbound_allow", format!("{bad} is neither host:port nor a range such as 10.0.0.0/8.")));
    }
    let mut base_urls = BTreeMap::new();
    for (platform, url) in layer.base_url {
        if !STOOD_IN.contains(&platform.as_str()) {
            let message = format!("base_url.{platform} is obeyed by nothing. It may stand for {}.", STOOD_IN.join(", "));
            return Err(wrong(&format!("base_url.{platform}"), message));
        }
        base_urls.insert(platform.clone(), web_address(&format!("base_url.{platform}"), &url)?);
    }
    let cors_origins = layer.cors_origins.map(List::entries).unwrap_or_default();
    let cors_origins = cors_origins
        .iter()
        .map(|o| host::origin(o).ok_or_else(|| wrong("cors_origins", format!("{o} is no origin. Write it like https://app.example.com."))))
        .collect::<Result<_>>()?;
    let log_level = layer.log_level.unwrap_or_default().to_ascii_lowercase();
    if !["error", "warn", "info", "debug", "trace"].contains(&log_level.as_str()) {
        return Err(wrong("log_level", format!("{log_level} is none of error, warn, info, debug, trace.")));
    }
    let log_format = match layer.log_format.as_deref() {
        Some("text") | None => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(other) => return Err(wrong("log_format", format!("{other} is neither text nor json."))),
    };
    Ok(Config {
        data,
        listen,
        public_url,
        trusted_proxies,
        master_key_file,
        outbound_allow,
        base_urls,
        retry_scale_ppm: scale(layer.retry_scale)?,
        cors_origins,
        log_level,
        log_format,
    })
}

/// An absolute path without `.` parts and without a slash at its end.
fn plain(path: &str) -> Result<PathBuf> {
    let path: PathBuf = std::path::absolute(path.trim())
        .map_err(|_| wrong("data", "It must name a folder, for example --data ./halotrack-data."))?
        .components()
        .collect();
    if path.file_name().is_none() {
        Err(wrong("data", format!("{} cannot be the data folder: name one below it.", path.display())))
    } else {
        Ok(path)
    }
}

fn listen(text: &str) -> Result<SocketAddr> {
    let numbers = text.replacen("localhost:", "127.0.0.1:", 1);
    numbers.parse().map_err(|_| wrong("listen", format!("{text} is no address with a port. Write it like 127.0.0.1:8080.")))
}

fn web_address(key: &str, text: &str) -> Result<String> {
    let text = text.trim().trim_end_matches('/');
    let url = url::Url::parse(text).ok().filter(|u| {
        matches!(u.scheme(), "http" | "https")
            && u.has_host()
            && u.path() == "/"
            && u.query().is_none()
            && u.fragment().is_none()
            && u.username().is_empty()
            && u.password().is_none()
    });
    url.map(|u| u.origin().ascii_serialization())
        .ok_or_else(|| wrong(key, format!("{text} is no web address. Write it like https://halo.example.com, without a path.")))
}

fn network(text: &str) -> Result<Network> {
    Network::parse(text).ok_or_else(|| wrong("trusted_proxies", format!("{text} is no address or range such as 10.0.0.0/8.")))
}

fn is_place(entry: &str) -> bool {
    Network::parse(entry).is_some()
        || entry.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok())
}

/// Millionths of a decimal such as `0.001`.
fn scale(number: Option<Number>) -> Result<u64> {
    let text = match number {
        Some(Number::Whole(n)) => n.to_string(),
        Some(Number::Fraction(f)) => f.to_string(),
        Some(Number::Text(text)) => text,
        None => "1".into(),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let padded = format!("{whole}{fraction:0<6}");
    let ppm =
        (is_digits(whole) && is_digits(fraction) && fraction.len() <= 6 && !whole.is_empty()).then(|| padded.parse::<u64>().ok()).flatten();
    ppm.filter(|p| (1..=1_000_000_000).contains(p))
        .ok_or_else(|| wrong("retry_scale", format!("{text} is no factor above 0. Write it like 1.0.")))
}

/// What loosens the guard of outgoing requests is never set quietly.
fn loud(config: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    if !config.outbound_allow.is_empty() {
        lines.push(format!(
            "OUTBOUND_ALLOW is set: outgoing requests may also reach {}. Empty it unless that is on purpose.",
            config.outbound_allow.join(", ")
        ));
    }
    if !config.base_urls.is_empty() {
        let list: Vec<String> = config.base_urls.iter().map(|(platform, url)| format!("{platform} at {url}")).collect();
        lines.push(format!("BASE_URL is set: nothing goes to the platforms themselves for {}.", list.join(", ")));
    }
    if config.retry_scale_ppm != 1_000_000 {
        lines.push(format!("RETRY_SCALE is set: delays between attempts are multiplied by {} millionths.", config.retry_scale_ppm));
    }
    lines
}

fn wrong(key: &str, message: impl Into<String>) -> Error {
    let mut e = Error::new(Kind::Invalid, "config", message);
    e.field = (key != "config").then(|| key.to_owned());
    e
}
