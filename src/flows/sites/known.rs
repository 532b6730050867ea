//! A site that is added where it is there already: it was named in the browser before.

use super::{SiteAdded, added, snippet};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::sites::NewSite;

/// The site that is meant: under its own name it is only shown again. Under another it is said whose the domain is, for whoever
/// commands the server may know of all sites.
pub fn by_domain(app: &App, new: &NewSite) -> Result<Option<SiteAdded>> {
    let book = app.book();
    let sites = book.sites();
    let Some((site, taken)) = sites.iter().find_map(|site| Some((site, new.domains.iter().find(|d| site.domains.contains(d))?))) else {
        return Ok(None);
    };
    if site.name.eq_ignore_ascii_case(&new.name) && new.domains.iter().all(|d| site.domains.contains(d)) {
        return Ok(Some(added(app, site, false)));
    }
    let (slug, name) = (&site.slug, &site.name);
    let line = snippet(&app.config.public_url, &site.public_key);
    let says = format!(
        "{taken} is the site {slug} ({name}) already, and a domain belongs to one site only. Its public key: {}. For the head of its pages: {line}",
        site.public_key
    );
    Err(Error::invalid("domain", says))
}
