//! What may be kept only for a while goes: addresses of visitors, answers kept for a repeat.
//! In small steps, so that nobody who waits for the writer notices.

use crate::app::App;
use crate::error::Result;
use crate::store::{idempotency_keys, sessions};

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
    Ok(())
}
