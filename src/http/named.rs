//! The site that a kept path means. These paths name it by a host, the site's own or that of one of its shops, in the
//! query or in the body; a token names its site by itself.

use std::sync::Arc;

use super::ask::{Ask, Caller};
use super::{json, shops};
use crate::app::App;
use crate::domain::ids::SiteId;
use crate::error::Result;
use crate::store::sites::Site;
use crate::store::users;

/// Sites that have this host, or a shop there: the one whose own host it is comes first.
pub fn by_host(app: &App, text: &str) -> Vec<Arc<Site>> {
    let book = app.book();
    let mut found: Vec<Arc<Site>> = book.site_by_host(&shops::host_of(text)).cloned().into_iter().collect();
    for connection in book.connections().filter(|c| shops::is_shop(c, text)) {
        if let Some(site) = book.site(connection.site).filter(|site| found.iter().all(|f| f.id != site.id)) {
            found.push(site.clone());
        }
    }
    found
}

/// What a body says of its site: its `domain`, or the address of the shop that is connected.
pub fn in_body(ask: &Ask) -> Result<Option<String>> {
    let fields = json::object(&ask.body)?;
    for name in ["domain", "url", "shop"] {
        if let Some(text) = json::text(&fields, name, 2_048)?.map(str::trim).filter(|text| !text.is_empty()) {
            return Ok(Some(text.to_owned()));
        }
    }
    Ok(None)
}

/// The site of somebody who has one and no other.
pub async fn only_site_of(app: &App, caller: &Caller) -> Result<Option<Arc<Site>>> {
    let Caller::User { id, is_box_owner, .. } = caller else { return Ok(None) };
    let (user, is_box_owner, book) = (*id, *is_box_owner, app.book());
    let all: Vec<SiteId> = book.sites().iter().map(|s| s.id).collect();
    let own: Vec<SiteId> = app
        .store
        .read_all_sites(move |store| {
            let mut own = Vec::new();
            for site in all {
                if is_box_owner || users::find_member(&store.of(site), user)?.is_some() {
                    own.push(site);
                }
                if own.len() > 1 {
                    break;
                }
            }
            Ok(own)
        })
        .await?;
    Ok(match own.as_slice() {
        [one] => book.site(*one).cloned(),
        _ => None,
    })
}
