//! The words of what browsers do, each once: pages, names of events, and where visits came from. Rows hold their places.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::questions::visits::Origin;

/// Places in the lists of words; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct What {
    pub page: u32,
    pub event: u32,
    pub origin: u32,
}

#[derive(Debug, Clone, Default)]
pub struct Words {
    pub whats: Vec<What>,
    pub pages: List<String>,
    pub events: List<String>,
    pub origins: List<Origin>,
    known: HashMap<What, u32>,
}

/// Words with their places. The first is the empty one.
#[derive(Debug, Clone)]
pub struct List<T> {
    pub all: Vec<T>,
    known: HashMap<T, u32>,
}

impl<T: Default> Default for List<T> {
    fn default() -> Self {
        Self { all: vec![T::default()], known: HashMap::new() }
    }
}

/// The place of what was seen; a new one where it is new.
pub fn placed(words: &mut Arc<Words>, page: &str, event: &str, (source, medium, campaign): (&str, &str, &str)) -> u32 {
    // Looked up without a copy: most are known.
    let origin = (source.to_owned(), medium.to_owned(), campaign.to_owned());
    let known = (words.pages.find(page), words.events.find(event), words.origins.find(&origin));
    if let (Some(page), Some(event), Some(origin)) = known
        && let Some(place) = words.known.get(&What { page, event, origin })
    {
        return *place;
    }
    let words = Arc::make_mut(words);
    let what = What { page: words.pages.place(page), event: words.events.place(event), origin: words.origins.place(&origin) };
    let place = words.whats.len() as u32;
    words.whats.push(what);
    words.known.insert(what, place);
    place
}

impl<T: Clone + Default + Eq + std::hash::Hash> List<T> {
    fn find<Q>(&self, word: &Q) -> Option<u32>
    where
        T: std::borrow::Borrow<Q>,
        Q: Eq + std::hash::Hash + ?Sized,
    {
        if std::borrow::Borrow::<Q>::borrow(&self.all[0]) == word { Some(0) } else { self.known.get(word).copied() }
    }

    pub fn place<Q>(&mut self, word: &Q) -> u32
    where
        T: std::borrow::Borrow<Q>,
        Q: Eq + std::hash::Hash + ToOwned<Owned = T> + ?Sized,
    {
        self.find(word).unwrap_or_else(|| {
            let place = self.all.len() as u32;
            self.all.push(word.to_owned());
            self.known.insert(word.to_owned(), place);
            place
        })
    }
}
