//! People erased by command, and the master key turned.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::command::site_named;
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::flows::{COMMAND_LINE, erase, rotation};
use crate::key;

/// One of the three names the person.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct EraseForm {
    pub site: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub order: Option<String>,
    /// Only says what would go.
    #[serde(default)]
    pub preview: bool,
}

pub async fn erase(app: &App, form: EraseForm) -> Result<Value> {
    let site = site_named(app, &form.site)?;
    let named = erase::named(&site, form.email.as_deref(), form.phone.as_deref(), form.order.as_deref())?;
    if form.preview {
        return erase::preview(app, &site, named).await;
    }
    erase::run(app, &site, named, COMMAND_LINE).await
}

/// A new master key. The file holds both from before the first change until after the last one, so that whatever ends
/// this process in between, the next start opens everything and goes on.
pub async fn rotate_key(app: &App) -> Result<Value> {
    let _turn = app.cleaning.lock().await;
    let sealer = app.store.sealer();
    if sealer.is_turning() {
        return Err(Error::new(Kind::Conflict, "key_turning", "The last rotation is not finished. Try again in a minute."));
    }
    let file = &app.config.master_key_file;
    let fresh = crate::crypto::random::<32>();
    let kept = key::keep_old(file, &sealer.present(), app.clock.now())?;
    key::write(file, &fresh, Some(&sealer.present()))?;
    sealer.turn_to(fresh);
    let count = finish_rotation(app).await?;
    Ok(json!({
        "rotated": true,
        "sealed_anew": count,
        "key_file": file,
        "old_key_file": kept,
        "message": "Copy the new key to a safe place. Backups from before open with the old one only: keep its file as long as them, then delete it.",
    }))
}

/// The second half, also after a start that found both keys.
pub async fn finish_rotation(app: &App) -> Result<usize> {
    let count = rotation::run(app).await?;
    let sealer = app.store.sealer();
    key::write(&app.config.master_key_file, &sealer.present(), None)?;
    sealer.forget_former();
    Ok(count)
}
