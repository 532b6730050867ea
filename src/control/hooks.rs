//! Our webhooks in the platforms, and the platforms' own lists, by command.

use serde_json::{Value, json};

use super::command::{Chosen, json_of, many, plain_if_one, site_named};
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::flows::COMMAND_LINE;
use crate::flows::connections;
use crate::flows::provision::{self, Looked};
use crate::flows::pull::{self, Ended};
use crate::platforms;

/// `register`, `check` or `unregister`. A check puts back what is missing, and says so.
pub async fn run(app: &App, chosen: &Chosen, word: &str) -> Result<Value> {
    let mut answers = Vec::new();
    for (site, id) in many(app, chosen)? {
        let connection = connections::find(app, site, id)?;
        let platform = platforms::get(&connection.platform)?;
        let message = match platform.source.and_then(|s| s.provision()) {
            None => {
                let message = by_hand(app, &connection, &platform, word).await?;
                // Said as a failure where one connection was named and nothing could be done for it.
                if chosen.connection.is_some() && word != "check" {
                    return Err(Error::new(Kind::Conflict, "not_offered", message));
                }
                message
            }
            Some(_) if word == "unregister" => {
                provision::withdraw(app, id, COMMAND_LINE).await?;
                format!("The webhooks were taken out of {}.", platform.name())
            }
            Some(_) => match provision::look(app, id).await? {
                Looked::InPlace { told } if told.is_empty() => format!("The webhooks are in place in {}.", platform.name()),
                Looked::InPlace { told } => told.join(" "),
                Looked::Failed { sentence } if chosen.connection.is_some() => {
                    return Err(Error::new(Kind::Conflict, "refused_by_platform", sentence));
                }
                Looked::Failed { sentence } => sentence,
                Looked::Nothing => format!("{} is not configured yet.", platform.name()),
            },
        };
        let mut answer = json_of(&connections::card(app, &*connections::find(app, site, id)?).await?)?;
        answer["message"] = message.into();
        answers.push(answer);
    }
    Ok(plain_if_one(chosen, answers))
}

/// Platforms whose hooks are put in by hand: what stands where, and what to do.
async fn by_hand(
    app: &App,
    connection: &crate::store::connections::Connection,
    platform: &platforms::Platform,
    word: &str,
) -> Result<String> {
    let card = connections::card(app, connection).await?;
    Ok(match (&card.hook_url, word) {
        (None, _) => format!("{} never calls us: there is no webhook to {word}.", platform.name()),
        (Some(url), "register") => {
            format!("{} has no way to register webhooks by program. Put this address into its settings: {url}", platform.name())
        }
        (Some(_), "unregister") => {
            format!(
                "{} has no way to remove webhooks by program. Remove the address in its settings, then `connection remove`.",
                platform.name()
            )
        }
        (Some(url), _) => match &card.last_event_at {
            Some(at) => format!("{} last called {url} at {at}.", platform.name()),
            None => format!("{} has not called {url} yet.", platform.name()),
        },
    })
}

/// Reads the lists of a site's platforms now, and waits for the end of it. Without `force` only those that are due.
pub async fn sync(app: &App, site: &str, platform: Option<&str>, force: bool) -> Result<Value> {
    let site = site_named(app, site)?;
    if let Some(word) = platform {
        platforms::get(word)?;
    }
    let book = app.book();
    let meant: Vec<_> = book
        .connections_of(site.id)
        .filter(|c| platform.is_none_or(|word| c.platform == word))
        .filter(|c| platforms::find(&c.platform).and_then(|p| p.source).is_some_and(|s| s.pull().is_some()))
        .cloned()
        .collect();
    if meant.is_empty() {
        let what = platform.unwrap_or("platform that has a list to read");
        return Err(Error::new(Kind::NotFound, "not_connected", format!("{} has no connection to a {what}.", site.slug)));
    }
    let mut answers = Vec::new();
    let mut failed = None;
    for connection in meant {
        let mut answer = json!({"connection": connection.id, "site": site.slug, "platform": connection.platform});
        match pull::run(app, connection.id, force).await? {
            Ended::Whole { orders } => {
                answer["status"] = "done".into();
                answer["orders"] = orders.into();
                while pull::fetch(app, connection.id).await? > 0 {}
            }
            Ended::Later { at } => {
                answer["status"] = "later".into();
                answer["next_at"] = site.zone.text(at).into();
            }
            Ended::Failed { sentence } => {
                answer["status"] = "failed".into();
                answer["sentence"] = sentence.as_str().into();
                failed = Some(sentence);
            }
            Ended::Cancelled => answer["status"] = "cancelled".into(),
            Ended::Nothing => answer["status"] = connection.status.word().into(),
        }
        answers.push(answer);
    }
    match failed {
        Some(sentence) if answers.len() == 1 => Err(Error::new(Kind::Conflict, "refused_by_platform", sentence)),
        _ => Ok(Value::Array(answers)),
    }
}
