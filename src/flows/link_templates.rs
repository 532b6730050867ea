//! Words that links are made from again and again: kept under a name, and taken away.

use serde_json::json;

use crate::app::App;
use crate::domain::ids::{LinkTemplateId, SiteId};
use crate::domain::link_template::{Filled, LinkTemplate, MOST_TEMPLATES};
use crate::error::{Error, Kind, Result};
use crate::flows::affiliates;
use crate::store::{audit, link_templates};

/// Under a name that is there already they take the place of what it had.
pub async fn keep(app: &App, site: SiteId, name: String, mut words: Filled, who: &str) -> Result<LinkTemplate> {
    let (who, now) = (who.to_owned(), app.clock.now());
    app.store
        .write(site, move |c| {
            if let Some(code) = words.get_mut("affiliate") {
                *code = affiliates::code_of_link(c, code)?;
            }
            let id = match link_templates::find_by_name(c, &name)? {
                Some(known) => {
                    link_templates::change(c, known, &words)?;
                    known
                }
                None if link_templates::count(c)? >= MOST_TEMPLATES => {
                    let sentence = format!("A site has at most {MOST_TEMPLATES} templates. Take one away first.");
                    return Err(Error::new(Kind::Conflict, "too_many_templates", sentence));
                }
                None => link_templates::add(c, &name, &words, &who, now)?,
            };
            audit::add(c, &who, "link_template_kept", &json!({"template": id, "name": name}), now)?;
            link_templates::find(c, id)?.ok_or_else(|| unknown(id))
        })
        .await
}

pub async fn remove(app: &App, site: SiteId, id: LinkTemplateId, who: &str) -> Result<()> {
    let (who, now) = (who.to_owned(), app.clock.now());
    app.store
        .write(site, move |c| {
            let known = link_templates::find(c, id)?.ok_or_else(|| unknown(id))?;
            link_templates::remove(c, id)?;
            audit::add(c, &who, "link_template_removed", &json!({"template": id, "name": known.name}), now)
        })
        .await
}

fn unknown(id: LinkTemplateId) -> Error {
    Error::not_found(format!("There is no {id} on this site."))
}
