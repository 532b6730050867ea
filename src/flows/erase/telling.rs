//! Destinations that had heard of an erased person: told by program where they can be, else the owner is told to.

use std::sync::Arc;

use super::Names;
use crate::app::App;
use crate::crypto;
use crate::destinations::{self, Erased};
use crate::domain::ids::{ConnectionId, ErasureId};
use crate::domain::retry::{self, Next, Scale};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::Result;
use crate::store::erasures::notices::{self, Notice};
use crate::store::erasures::{LONGEST_MS, Subject};
use crate::store::sites::Site;

/// After the short tries.
const LATER_MS: i64 = 12 * HOUR_MS;

/// The row as it is planned with the erasure.
pub fn first(erasure: ErasureId, connection: ConnectionId, platform: String, names: &Names, now: Time) -> Notice {
    let name = names.name(connection, &platform);
    let can = destinations::find(&platform).is_some_and(|d| d.takes_erasures());
    let (state, sentence) = match can {
        true => ("pending", format!("{name} is told next.")),
        false => ("by_hand", format!("{name} takes no erasures by program. Ask for it in its own privacy settings.")),
    };
    let is_open = state == "pending";
    Notice {
        erasure,
        connection,
        platform,
        state: state.into(),
        sentence,
        attempts: 0,
        next_at: is_open.then_some(now),
        settled_at: (!is_open).then_some(now),
    }
}

/// Tells those that are due. True where nobody is left to be told.
pub async fn run(app: &App, site: &Arc<Site>, id: ErasureId, subject: &Subject, at: Time) -> Result<bool> {
    let mut is_all = true;
    for notice in app.store.read(site.id, move |c| notices::list(c, id)).await? {
        if notice.state != "pending" {
            continue;
        }
        let now = app.clock.now();
        if notice.next_at.is_some_and(|next| next > now) && now.ms_since(at) < LONGEST_MS {
            is_all = false;
            continue;
        }
        if app.talks.is_on_its_way(site.id, id, notice.connection) {
            // It might arrive behind the word that the person was erased, and bring them back there.
            is_all = false;
            let sentence = format!(
                "{} is told as soon as what is on its way to it has arrived.",
                Names::of(app, site).name(notice.connection, &notice.platform)
            );
            app.store.write(site.id, move |c| notices::wait(c, &notice, &sentence)).await?;
            continue;
        }
        let (state, sentence, next_at) = told(app, &notice, subject, at, now).await;
        is_all &= state != "pending";
        app.store.write(site.id, move |c| notices::settle(c, &notice, state, &sentence, next_at, now)).await?;
    }
    Ok(is_all)
}

async fn told(app: &App, notice: &Notice, subject: &Subject, at: Time, now: Time) -> (&'static str, String, Option<Time>) {
    let gone = |sentence: &str| ("by_hand", sentence.to_owned(), None);
    let Some(connection) = app.book().connection(notice.connection).cloned() else {
        return gone("The connection was removed. Tell this system yourself.");
    };
    let Some(destination) = destinations::find(&connection.platform) else {
        return gone("This platform is not known any more. Tell it yourself.");
    };
    if now.ms_since(at) >= LONGEST_MS {
        return ("given_up", "Not reached within 30 days, and nothing of the person is kept to try again. Tell it yourself.".into(), None);
    }
    let erased = Erased {
        emails: &subject.emails,
        phones: &subject.phones,
        customer_ids: &subject.customer_ids,
        conversions: &subject.conversions,
        event_ids: &subject.event_ids,
        at,
        number: notice.erasure.number(),
    };
    let requests = destination.erasures(&erased, &connection.settings, now);
    if requests.is_empty() {
        return gone("Its settings are not complete, or it knows the person by nothing that is left. Tell it yourself.");
    }
    let mut sentence = String::new();
    for request in &requests {
        match app.outbound.send(request, &connection.secrets).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                sentence = format!("It took it ({}).", answer.status);
                continue;
            }
            // Said once and for all.
            Ok(answer) if matches!(answer.status, 400 | 404 | 405 | 410 | 422) => {
                return ("by_hand", format!("It does not take erasures ({}). Tell it yourself.", answer.status), None);
            }
            Ok(answer) => sentence = format!("It answered {}; tried again later.", answer.status),
            Err(failure) => sentence = failure.sentence,
        }
        // Those that were told before are told again with the rest: once more does no harm.
        return later(app, notice, sentence, now);
    }
    ("told", sentence, None)
}

fn later(app: &App, notice: &Notice, sentence: String, now: Time) -> (&'static str, String, Option<Time>) {
    let jitter = u32::from(u16::from_le_bytes(crypto::random::<2>())) % 10_001;
    let tries = u32::try_from(notice.attempts + 1).unwrap_or(u32::MAX);
    let wait = match retry::next(tries, None, Scale::from_ppm(app.config.retry_scale_ppm), jitter) {
        Next::After(ms) => ms,
        Next::Dead => LATER_MS,
    };
    ("pending", sentence, Some(now.plus_ms(wait)))
}
