//! Pages that asked under the site's key and were refused, with the reason and the way out: a browser shows its owner no
//! more than an error of CORS.

use serde_json::{Value, json};
use url::{Host, Url};

use super::ask::Ask;
use super::cors::{self, Origin};
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use super::visitor::is_covered;
use crate::app::App;
use crate::error::Result;
use crate::store::sites::Site;

pub const LIST: Doc = Doc::new(
    "Site",
    "Pages that asked under the site's key within the last hour and were refused, a few of them, with the reason, what to do, and the command where there is one.",
)
.answer(r#"{"items":[{"origin":"http://shop.example:8091","at":"2026-06-13T09:20:00Z","times":3,"why":"it is on port 8091, and a domain counts on its usual port only","remedy":"If it is yours, allow it:","command":"halotrack site set shop cors_origins=http://shop.example:8091"}]}"#)
.statuses(&[200]);

/// `GET /api/sites/{site}/refused-pages`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let mut pages = app.turned_away.list(site.id, app.clock.now());
    // What the owner has allowed since is explained.
    pages.retain(|page| !cors::allowed(site, &app.config.cors_origins, &Origin::parse(&page.origin)));
    let items: Vec<Value> = pages
        .iter()
        .map(|page| {
            let (why, remedy, command) = explained(site, &page.origin);
            json!({"origin": page.origin, "at": shown::time(&site.zone, page.at), "times": page.times, "why": why, "remedy": remedy, "command": command})
        })
        .collect();
    Reply::json(&json!({"items": items}))
}

/// Why a page is refused, what to do, and the command that does it.
fn explained(site: &Site, origin: &str) -> (String, &'static str, Option<String>) {
    const ALLOW: &str = "If it is yours, allow it:";
    let allowed = site.settings.cors_origins.iter().map(String::as_str).chain([origin]).collect::<Vec<_>>().join(",");
    let allow = Some(format!("halotrack site set {} cors_origins={allowed}", site.slug));
    let url = Url::parse(origin).ok();
    match url.as_ref().and_then(Url::host) {
        None => (
            "it has no web address of its own, like a file that is opened from the disk".into(),
            "Open it by the address that visitors use.",
            None,
        ),
        Some(Host::Domain(name)) if site.domains.iter().any(|domain| is_covered(name, domain)) => {
            let port = url.as_ref().and_then(Url::port).map_or_else(String::new, |port| format!("it is on port {port}, and "));
            (format!("{port}a domain counts on its usual port only"), ALLOW, allow)
        }
        Some(Host::Domain(name)) if name.contains('.') => {
            let why = format!("{name} is none of this site's domains ({})", site.domains.join(", "));
            // A setting names all domains.
            let all = site.domains.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(",");
            (why, "If it is yours, add the domain:", Some(format!("halotrack site set {} domains={all}", site.slug)))
        }
        Some(host) => {
            (format!("{host} is an address of a machine and none of this site's domains ({})", site.domains.join(", ")), ALLOW, allow)
        }
    }
}
