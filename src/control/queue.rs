//! What waits to be sent, on the whole box, and how its backups stand.

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::backup::Standing;
use crate::error::Result;
use crate::flows::{backup, erase};
use crate::store::connections::Status;
use crate::store::deliveries;

/// Deliveries by state, and for how long the longest waiting one of a connection that works has been due. `is_running` is
/// false where nobody sends because no server runs; `listen` and
/// `public_url` are where it really listens and is found.
pub async fn queue(app: &App) -> Result<Value> {
    let states = app.store.read_all_sites(deliveries::count_by_state).await?;
    let of = |words: &[&str]| states.iter().filter(|(state, _)| words.contains(&state.as_str())).map(|(_, count)| count).sum::<i64>();
    let open: Vec<_> = app.book().connections().filter(|c| matches!(c.status, Status::Ok | Status::NeedsAttention)).map(|c| c.id).collect();
    let oldest = app
        .store
        .read_all_sites(move |all| {
            let mut oldest = None;
            for id in open {
                if let Some(at) = deliveries::next_due(all, id)? {
                    oldest = Some(oldest.map_or(at, |o: crate::domain::time::Time| o.min(at)));
                }
            }
            Ok(oldest)
        })
        .await?;
    let late_s = oldest.map_or(0, |at| app.clock.now().ms_since(at).max(0) / 1_000);
    let is_running = app.pulse.silence_ms().iter().any(Option::is_some);
    let listen = is_running.then_some(app.config.listen);
    let public_url = is_running.then_some(app.config.public_url.as_str());
    let backup = backup::overview(app).await?;
    let behind = erase::beside::behind(app).await?;
    Ok(json!({
        "listen": listen,
        "public_url": public_url,
        "is_running": is_running,
        "waiting": of(&["pending", "leased"]),
        "dead": of(&["dead"]),
        "held": of(&["held"]),
        "late_s": late_s,
        "backup": backup.sentence,
        "without_erasures": behind,
        "is_backed_up": matches!(backup.standing, Standing::Good | Standing::Fresh),
    }))
}
