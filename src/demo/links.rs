//! The shops' short links: for the newsletters and the partners whose posts lead to them. Whoever comes that way follows one.

use std::collections::HashMap;

use super::shop::Shop;
use crate::app::App;
use crate::domain::campaign::host_of;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::short_links::{self, Follower, Wish};
use crate::store::sites::Site;

/// Codes of links by the landing that each leads to.
pub type Links = HashMap<&'static str, String>;

/// One for each way that says where it comes from and is no advertisement: those have click ids of their own.
pub async fn make(app: &App, site: &Site, shop: &'static Shop, who: &str) -> Result<Links> {
    let mut links = Links::new();
    for landing in shop.ways.iter().map(|way| way.link).filter(|link| link.contains("utm_source=") && !link.contains("{click}")) {
        if links.contains_key(landing) {
            continue;
        }
        // The words stand in the address already; as the link's own they are kept apart from it.
        let (path, query) = landing.split_once('?').unwrap_or((landing, ""));
        let mut wish = Wish { to: path.to_owned(), ..Wish::default() };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = Some(value.to_owned());
            match name {
                "utm_source" => wish.utm_source = value,
                "utm_medium" => wish.utm_medium = value,
                "utm_campaign" => wish.utm_campaign = value,
                "ref" => wish.affiliate = value,
                _ => {}
            }
        }
        let planned = short_links::plan(app, site, &wish).await?;
        links.insert(landing, short_links::add(app, site, &planned, who).await?.code);
    }
    Ok(links)
}

/// The landing as a browser gets it that followed the link to it; as it was where there is none.
pub fn followed(app: &App, links: &Links, landing: String, referrer: Option<&str>, country: &str, agent: &str, at: Time) -> String {
    let book = app.book();
    let Some(open) = links.get(landing.as_str()).and_then(|code| book.link(code)) else { return landing };
    let told = app.agents.read(agent);
    let follower = Follower {
        query: "",
        is_bot: told.is_bot,
        is_look: false,
        referrer: referrer.and_then(host_of),
        country: Some(country.to_owned()),
        device: told.device.kind.as_str(),
        ..Follower::default()
    };
    let to = short_links::follow(app, open, follower, at);
    to.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned())).unwrap_or(landing)
}
