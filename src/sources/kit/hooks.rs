//! Our webhooks in a platform while they are put in place: which of those that are there are ours, what is still to be done
//! about them, and what came of it. Each platform says for itself how it is asked.

use serde::{Deserialize, Serialize};

use crate::sources::{Found, Ground, Hook};

/// Never stored: a registration that is cut off begins anew.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// What is there was read.
    pub is_listed: bool,
    pub todo: Vec<Todo>,
    /// Ours, as they stand there now.
    pub hooks: Vec<Hook>,
}

/// One change that is still to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Todo {
    Make { found: Found },
    Renew { id: String, found: Found },
    Drop { id: String },
}

/// What a platform says of a hook that it has made or changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub id: String,
    pub is_active: bool,
}

impl Work {
    pub fn keep(&mut self, topic: &str, id: String, is_active: bool, found: Found) {
        self.hooks.push(Hook { topic: topic.into(), id, is_active, found });
    }

    /// The first of what was to be done was answered; none is an answer that there is no such hook.
    pub fn changed(&mut self, topic: &str, told: Option<Told>) {
        if self.todo.is_empty() {
            return;
        }
        match (self.todo.remove(0), told) {
            (Todo::Make { found }, Some(told)) => self.keep(topic, told.id, told.is_active, found),
            (Todo::Renew { id, found }, Some(told)) => self.keep(topic, id, told.is_active, found),
            // It was taken away between the list and now.
            (Todo::Renew { .. }, None) => self.todo.insert(0, Todo::Make { found: Found::Made }),
            (Todo::Make { .. } | Todo::Drop { .. }, _) => {}
        }
    }
}

/// One of ours among those that are there: it points here, to where we were before, or we have made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    pub is_here: bool,
    pub is_known: bool,
}

impl Own {
    /// By the ids or names under which it stands there, and by its address.
    pub fn of(ground: &Ground, names: &[&str], url: &str) -> Option<Self> {
        let is_here = url == ground.hook_url;
        let is_known = ground.known.iter().any(|(_, known)| names.contains(&known.as_str()));
        let is_kept = !ground.kept_url.is_empty() && url.starts_with(&ground.kept_url);
        (is_here || is_known || is_kept).then_some(Self { is_here, is_known })
    }

    /// How it was found, before anything was done.
    pub fn found(self, is_active: bool) -> Found {
        match (is_active, self.is_here && self.is_known) {
            (false, _) => Found::SwitchedOff,
            (true, true) => Found::InPlace,
            (true, false) => Found::Adopted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Wish;

    fn ground() -> Ground {
        Ground {
            wish: Wish::Register,
            hook_url: "https://t.shop.example/in/acme/new".into(),
            kept_url: "https://t.shop.example/in/acme/".into(),
            known: vec![("orders".into(), "7".into())],
            secrets: Vec::new(),
        }
    }

    #[test]
    fn ours_is_what_points_here_or_was_made_by_us() {
        let own = |id: &str, url: &str| Own::of(&ground(), &[id], url).map(|o| o.found(true));
        assert_eq!(own("7", "https://t.shop.example/in/acme/new"), Some(Found::InPlace));
        assert_eq!(own("8", "https://t.shop.example/in/acme/new"), Some(Found::Adopted), "we hold no secret of it");
        assert_eq!(own("8", "https://t.shop.example/in/acme/old"), Some(Found::Adopted));
        assert_eq!(own("7", "https://elsewhere.example/"), Some(Found::Adopted));
        assert_eq!(own("8", "https://elsewhere.example/"), None);
        let nowhere = Ground { kept_url: String::new(), ..ground() };
        assert_eq!(Own::of(&nowhere, &["8"], "https://elsewhere.example/"), None);
        assert_eq!(Own { is_here: true, is_known: true }.found(false), Found::SwitchedOff);
    }

    #[test]
    fn one_that_is_gone_is_made_anew() {
        let mut work =
            Work { todo: vec![Todo::Renew { id: "7".into(), found: Found::Adopted }, Todo::Drop { id: "8".into() }], ..Work::default() };
        work.changed("orders", None);
        assert_eq!(work.todo[0], Todo::Make { found: Found::Made });
        work.changed("orders", Some(Told { id: "9".into(), is_active: true }));
        work.changed("orders", None);
        work.changed("orders", None);
        assert_eq!((work.todo.len(), work.hooks.len(), work.hooks[0].id.as_str()), (0, 1, "9"));
    }
}
