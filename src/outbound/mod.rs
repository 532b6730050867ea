//! Stand-in until the client lands.
use crate::config::Config;
use crate::error::{Error, Kind, Result};
pub struct Outbound {
    allow: Vec<String>,
}
impl Outbound {
    pub fn new(config: &Config) -> Result<Self> {
        Ok(Self { allow: config.outbound_allow.clone() })
    }
    pub async fn check_address(&self, url: &str) -> Result<()> {
        let url = url::Url::parse(url).map_err(|_| Error::invalid("url", "An address such as https://shop.example."))?;
        let place = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
        let is_public = url.scheme() == "https" && matches!(url.host(), Some(url::Host::Domain(_)));
        if is_public || self.allow.contains(&place) {
            return Ok(());
        }
        Err(Error::new(Kind::Invalid, "address_not_allowed", "This address is not on the public internet."))
    }
}
