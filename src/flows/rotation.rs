//! Everything that is sealed, sealed anew under the present master key. Can be repeated and broken off anywhere: what is
//! done already is left as it is, and both keys open until the end.

use crate::app::App;
use crate::error::Result;
use crate::store::{connections, erasures, sessions, shares, sites, users};

/// Gives how many values were sealed anew.
pub async fn run(app: &App) -> Result<usize> {
    let mut count =
        app.store.write_all_sites(|all| Ok(sites::seal_anew(all)? + users::seal_anew(all)? + connections::seal_anew(all)?)).await?;
    for site in app.book().sites().to_vec() {
        count += app.store.write(site.id, |c| Ok(erasures::seal_anew(c)? + shares::seal_anew(c)?)).await?;
        let mut after = i64::MIN;
        loop {
            let (changed, last) = app.store.write(site.id, move |c| sessions::seal_addresses_anew(c, after)).await?;
            count += changed;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    // What the old key had sealed is not left in the log either.
    app.store.checkpoint().await?;
    Ok(count)
}
