//! What can be asked for over the control socket, and how it is done.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::again::{self, ReplayForm};
use super::export::ExportForm;
use super::hooks;
use super::import::ImportForm;
use super::kept;
use super::links::{self, LinkForm};
use super::partners;
use super::people::{self, TokenForm, UserForm};
use super::privacy::{self, EraseForm};
use super::queue;
use crate::app::App;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::error::{Error, Kind, Result};
use crate::flows::COMMAND_LINE;
use crate::flows::affiliates::AffiliateForm;
use crate::flows::connections::{self, NewConnectionForm};
use crate::flows::pull;
use crate::flows::sites::{self, NewSiteForm};
use crate::store::sites::Site;

/// One command with its arguments; secrets have already been read from where they were.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    SiteAdd(NewSiteForm),
    SiteList,
    SiteSet {
        site: String,
        changes: Vec<(String, String)>,
    },
    SiteSecret {
        site: String,
        rotate: bool,
    },
    UserAdd(UserForm),
    TokenCreate(TokenForm),
    TokenList {
        site: Option<String>,
    },
    TokenRevoke {
        site: String,
        token: String,
    },
    ConnectionAdd {
        site: String,
        form: NewConnectionForm,
    },
    ConnectionList {
        site: Option<String>,
    },
    ConnectionSet {
        chosen: Chosen,
        mode: Option<String>,
        given: BTreeMap<String, String>,
    },
    ConnectionTest(Chosen),
    ConnectionRegister(Chosen),
    ConnectionCheck(Chosen),
    ConnectionUnregister(Chosen),
    ConnectionPause(Chosen),
    ConnectionResume(Chosen),
    ConnectionRemove(Chosen),
    AffiliateAdd {
        site: String,
        form: AffiliateForm,
    },
    AffiliateList {
        site: Option<String>,
    },
    Sync {
        site: String,
        platform: Option<String>,
        force: bool,
    },
    LinkAdd(Box<LinkForm>),
    LinkList {
        site: String,
    },
    Replay(ReplayForm),
    /// What waits to be sent.
    Queue,
    /// Whether the server has heard this word at its door.
    Heard {
        word: String,
    },
    /// Answered in pieces.
    Export(ExportForm),
    /// The file follows behind the command.
    Import(ImportForm),
    Erase(EraseForm),
    KeyRotate,
    /// The path is absolute: the server stands in another folder.
    Backup {
        to: Option<PathBuf>,
    },
    OutboxRelease {
        site: String,
        since: Option<String>,
    },
}

/// So long a command waits for the first reading of a connection; then that goes on without it.
const FIRST_READING: Duration = Duration::from_secs(3);

/// Which connections are meant: one by its id, or all of a site or of the box.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Chosen {
    pub connection: Option<String>,
    pub site: Option<String>,
}

impl Command {
    /// These may make the data folder; for the others an empty folder is a typing error.
    pub fn may_be_first(&self) -> bool {
        matches!(self, Command::SiteAdd(_) | Command::UserAdd(_))
    }

    /// How long its answer may take.
    pub fn patience(&self) -> Duration {
        match self {
            // Gigabytes are copied, and read twice.
            Command::Backup { .. } | Command::Import(_) => Duration::from_secs(6 * 3_600),
            // It may talk to a platform.
            _ => Duration::from_secs(120),
        }
    }
}

/// Does it, in the server or in a process of its own.
pub async fn execute(app: &App, command: Command) -> Result<Value> {
    match command {
        Command::SiteAdd(form) => json_of(&sites::add(app, &form, COMMAND_LINE).await?),
        Command::SiteList => Ok(app.book().sites().iter().map(|site| shown(app, site)).collect()),
        Command::SiteSet { site, changes } => {
            let id = site_named(app, &site)?.id;
            sites::set_all(app, id, &changes, COMMAND_LINE).await?;
            let site = site_named(app, &id.to_string())?;
            Ok(shown(app, &site))
        }
        Command::SiteSecret { site, rotate } => {
            let site = site_named(app, &site)?;
            let secret = if rotate { sites::rotate_secret(app, site.id, COMMAND_LINE).await? } else { site.keys.identify.clone() };
            Ok(json!({"site": site.slug, "secret": secret}))
        }
        Command::UserAdd(form) => people::add_user(app, form).await,
        Command::TokenCreate(form) => people::create_token(app, form).await,
        Command::TokenList { site } => people::list_tokens(app, site.as_deref()).await,
        Command::TokenRevoke { site, token } => people::revoke_token(app, &site, &token).await,
        Command::ConnectionAdd { site, form } => {
            let id = site_named(app, &site)?.id;
            let added = connections::add(app, id, &form, COMMAND_LINE).await?;
            // Whoever goes on by command wants to find read what can be read quickly.
            pull::first(app, id, added.card.connection, FIRST_READING).await?;
            json_of(&added)
        }
        Command::ConnectionList { site } => {
            let site = site.map(|s| site_named(app, &s)).transpose()?;
            json_of(&connections::list(app, site.map(|s| s.id)).await?)
        }
        Command::ConnectionSet { chosen, mode, given } => {
            let (site, id) = one(app, &chosen)?;
            json_of(&connections::set(app, site, id, mode.as_deref(), &given, COMMAND_LINE).await?)
        }
        Command::ConnectionTest(chosen) => {
            let mut answers = Vec::new();
            for (site, id) in many(app, &chosen)? {
                answers.push(json_of(&connections::test(app, site, id).await?)?);
            }
            Ok(plain_if_one(&chosen, answers))
        }
        Command::ConnectionRegister(chosen) => hooks::run(app, &chosen, "register").await,
        Command::ConnectionCheck(chosen) => hooks::run(app, &chosen, "check").await,
        Command::ConnectionUnregister(chosen) => hooks::run(app, &chosen, "unregister").await,
        Command::AffiliateAdd { site, form } => partners::add(app, &site, form).await,
        Command::AffiliateList { site } => partners::list(app, site.as_deref()).await,
        Command::Sync { site, platform, force } => hooks::sync(app, &site, platform.as_deref(), force).await,
        Command::ConnectionPause(chosen) => {
            let (site, id) = one(app, &chosen)?;
            json_of(&connections::pause(app, site, id, COMMAND_LINE).await?)
        }
        Command::ConnectionResume(chosen) => {
            let (site, id) = one(app, &chosen)?;
            json_of(&connections::resume(app, site, id, COMMAND_LINE).await?)
        }
        Command::ConnectionRemove(chosen) => {
            let (site, id) = one(app, &chosen)?;
            connections::remove(app, site, id, COMMAND_LINE).await?;
            Ok(json!({"connection": id, "removed": true}))
        }
        Command::LinkAdd(form) => links::add(app, *form).await,
        Command::LinkList { site } => links::list(app, &site).await,
        Command::Replay(form) => again::replay(app, form).await,
        Command::Queue => queue::queue(app).await,
        Command::Heard { word } => Ok(json!(app.door.has_heard(&word))),
        Command::Export(_) => Err(Error::internal("an export is answered in pieces")),
        Command::Import(_) => Err(Error::internal("an import is followed by its file")),
        Command::Erase(form) => privacy::erase(app, form).await,
        Command::KeyRotate => privacy::rotate_key(app).await,
        Command::Backup { to } => kept::backup(app, to).await,
        Command::OutboxRelease { site, since } => kept::release(app, &site, since.as_deref()).await,
    }
}

/// `site_1`, `1` or the slug.
pub fn site_named(app: &App, word: &str) -> Result<Arc<Site>> {
    let book = app.book();
    book.site_named(word).cloned().ok_or_else(|| {
        let known: Vec<&str> = book.sites().iter().map(|s| s.slug.as_str()).collect();
        let known =
            if known.is_empty() { "There is none yet: `halotrack site add`.".into() } else { format!("There are: {}.", known.join(", ")) };
        Error::new(Kind::NotFound, "unknown_site", format!("There is no site {word}. {known}"))
    })
}

fn shown(app: &App, site: &Site) -> Value {
    let s = &site.settings;
    json!({
        "site": site.slug,
        "id": site.id.to_string(),
        "name": site.name,
        "domains": site.domains,
        "currency": site.currency,
        "zone": site.zone.name(),
        "country": site.country,
        "consent": site.consent.as_str(),
        "cookie_domain": site.cookie_domain,
        "public_key": site.public_key,
        "snippet": sites::snippet(&app.config.public_url, &site.public_key),
        "gpc": s.gpc,
        "staff_emails": s.staff_emails,
        "extra_params": s.extra_params,
        "public_leads": s.public_leads,
        "cors_origins": s.cors_origins,
        "funnel.types": s.funnel_types,
        "retention": s.retention,
        "model": s.policy.model,
        "window": s.policy.window_days,
        "affiliates.model": s.affiliate_model.word(),
        "proxy": s.proxy,
    })
}

pub(super) fn one(app: &App, chosen: &Chosen) -> Result<(Option<SiteId>, ConnectionId)> {
    let word = chosen.connection.as_deref().ok_or_else(|| Error::invalid("connection", "Name the connection: --connection con_7."))?;
    let id = word.parse().map_err(|()| Error::invalid("connection", format!("{word:?} is no connection such as con_7.")))?;
    let site = chosen.site.as_deref().map(|s| site_named(app, s)).transpose()?.map(|s| s.id);
    // Unknown ones are told before anything else is asked.
    connections::find(app, site, id)?;
    Ok((site, id))
}

pub(super) fn many(app: &App, chosen: &Chosen) -> Result<Vec<(Option<SiteId>, ConnectionId)>> {
    if chosen.connection.is_some() {
        return Ok(vec![one(app, chosen)?]);
    }
    let site = chosen.site.as_deref().map(|s| site_named(app, s)).transpose()?.map(|s| s.id);
    Ok(app.book().connections().filter(|c| site.is_none_or(|s| c.site == s)).map(|c| (site, c.id)).collect())
}

pub(super) fn plain_if_one(chosen: &Chosen, mut answers: Vec<Value>) -> Value {
    if chosen.connection.is_some() && answers.len() == 1 { answers.remove(0) } else { Value::Array(answers) }
}

pub fn json_of(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(Error::internal)
}
