//! What may be kept only for a while goes: addresses of visitors, answers kept for a repeat, secrets that were replaced and are
//! taken no more.
//! In small steps, so that nobody who waits for the writer notices.

use crate::app::App;
use crate::domain::time::Time;
use crate::error::Result;
use crate::store::{connections, idempotency_keys, sessions};

/// One hour's round over all sites.
pub async fn run(app: &App) -> Result<()> {
    let now = app.clock.now();
    for site in app.book().sites() {
        let id = site.id;
        loop {
            let gone = app.store.write(id, move |c| Ok(sessions::forget_addresses(c, now)? + idempotency_keys::forget(c, now)?)).await?;
            if gone == 0 || app.is_stopping() {
                break;
            }
        }
    }
    secrets(app, now).await
}

/// Their time is known from the book, so that nothing is opened for nothing.
async fn secrets(app: &App, now: Time) -> Result<()> {
    let mut is_changed = false;
    for connection in app.book().connections().filter(|c| c.secrets.has_ended(now)) {
        let id = connection.id;
        is_changed |= app.store.write(connection.site, move |c| connections::forget_secrets(c, id, now)).await?;
    }
    if is_changed { app.refresh().await } else { Ok(()) }
}
