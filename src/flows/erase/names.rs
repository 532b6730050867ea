//! How the owner calls the connections that heard of somebody.

use std::collections::HashMap;

use crate::app::App;
use crate::domain::ids::ConnectionId;
use crate::platforms;
use crate::store::sites::Site;

pub struct Names(HashMap<ConnectionId, String>);

impl Names {
    pub fn of(app: &App, site: &Site) -> Self {
        Self(app.book().connections_of(site.id).map(|c| (c.id, c.name.clone())).collect())
    }

    /// Of one that was removed, the platform's.
    pub fn name(&self, connection: ConnectionId, platform: &str) -> String {
        let known = self.0.get(&connection).cloned();
        known.unwrap_or_else(|| platforms::find(platform).map_or(platform.to_owned(), |p| p.name().to_owned()))
    }
}
