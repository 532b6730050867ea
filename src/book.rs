//! Sites, connections, tokens and short links as they are now, in memory: what every request looks up first. Read anew after each change.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::crypto;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::link::Way;
use crate::domain::time::{MINUTE_MS, Time};
use crate::error::Result;
use crate::store::connections::Connection;
use crate::store::scope::AllSites;
use crate::store::short_links::ShortLink;
use crate::store::sites::Site;
use crate::store::tokens::Token;
use crate::store::{connections, short_links, sites, tokens};

/// One reading of the configuration. Never changes; a new one takes its place.
#[derive(Debug, Default)]
pub struct Book {
    sites: Vec<Arc<Site>>,
    by_key: HashMap<String, usize>,
    by_domain: HashMap<String, usize>,
    connections: Vec<Arc<Connection>>,
    by_id: HashMap<ConnectionId, usize>,
    by_hook: HashMap<[u8; 32], usize>,
    tokens: HashMap<[u8; 32], Arc<KnownToken>>,
    links: HashMap<String, Arc<OpenLink>>,
}

/// A short link that can be followed.
#[derive(Debug)]
pub struct OpenLink {
    pub link: ShortLink,
    pub site: Arc<Site>,
    pub way: Way,
}

/// A token, and when its use was last written down.
#[derive(Debug)]
pub struct KnownToken {
    pub token: Token,
    noted_ms: AtomicI64,
}

impl KnownToken {
    /// True once a minute: then its use is to be written down.
    pub fn wants_notice(&self, now: Time) -> bool {
        let noted = self.noted_ms.load(Ordering::Relaxed);
        now.ms() - noted >= MINUTE_MS && self.noted_ms.compare_exchange(noted, now.ms(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Book {
    pub fn read(all: &AllSites, now: Time) -> Result<Self> {
        let mut book = Book::default();
        for site in sites::list(all)? {
            let place = book.sites.len();
            book.by_key.insert(site.public_key.clone(), place);
            for domain in &site.domains {
                book.by_domain.insert(domain.clone(), place);
            }
            book.sites.push(Arc::new(site));
        }
        for connection in connections::list_all(all, now)? {
            let place = book.connections.len();
            book.by_id.insert(connection.id, place);
            for token in &connection.hook_tokens {
                book.by_hook.insert(crypto::sha256(token.as_bytes()), place);
            }
            book.connections.push(Arc::new(connection));
        }
        for (hash, token) in tokens::list_all(all)? {
            let noted_ms = AtomicI64::new(token.last_used_at.map_or(0, Time::ms));
            book.tokens.insert(hash, Arc::new(KnownToken { token, noted_ms }));
        }
        for (site, link) in short_links::list_all(all)? {
            let Some(site) = book.site(site).cloned() else { continue };
            // One that was ended, or whose address is the site's no more, leads nowhere.
            if link.ended_at.is_none()
                && let Some(way) = Way::new(&link.target, &link.words, &site.domains)
            {
                book.links.insert(link.code.clone(), Arc::new(OpenLink { link, site, way }));
            }
        }
        Ok(book)
    }

    pub fn sites(&self) -> &[Arc<Site>] {
        &self.sites
    }

    pub fn site(&self, id: SiteId) -> Option<&Arc<Site>> {
        self.sites.iter().find(|s| s.id == id)
    }

    /// `site_1`, `1` or the slug.
    pub fn site_named(&self, word: &str) -> Option<&Arc<Site>> {
        let digits = word.strip_prefix("site_").unwrap_or(word);
        let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok()).flatten();
        self.sites.iter().find(|s| s.slug == word || Some(s.id.number()) == number)
    }

    pub fn site_by_key(&self, key: &str) -> Option<&Arc<Site>> {
        self.by_key.get(key).map(|place| &self.sites[*place])
    }

    /// The site whose domain covers the host; the longest match wins.
    pub fn site_by_host(&self, host: &str) -> Option<&Arc<Site>> {
        let mut rest = host.trim_end_matches('.');
        loop {
            if let Some(place) = self.by_domain.get(rest) {
                return Some(&self.sites[*place]);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    pub fn connections(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.connections.iter()
    }

    pub fn connections_of(&self, site: SiteId) -> impl Iterator<Item = &Arc<Connection>> {
        self.connections.iter().filter(move |c| c.site == site)
    }

    pub fn connection(&self, id: ConnectionId) -> Option<&Arc<Connection>> {
        self.by_id.get(&id).map(|place| &self.connections[*place])
    }

    /// By the token of a hook address, looked up by its hash so that the time tells nothing of the token.
    pub fn connection_by_hook(&self, token: &str) -> Option<&Arc<Connection>> {
        self.by_hook.get(&crypto::sha256(token.as_bytes())).map(|place| &self.connections[*place])
    }

    /// By its code, letter by letter.
    pub fn link(&self, code: &str) -> Option<&Arc<OpenLink>> {
        self.links.get(code)
    }

    /// By the hash of a token that was not revoked.
    pub fn token(&self, hash: &[u8; 32]) -> Option<&Arc<KnownToken>> {
        self.tokens.get(hash)
    }

    /// Whether a token of this site and number is still good.
    pub fn has_token(&self, site: SiteId, number: i64, now: Time) -> bool {
        let mut all = self.tokens.values().map(|known| &known.token);
        all.any(|t| t.site == site && t.id.number() == number && t.expires_at.is_none_or(|end| end > now))
    }
}
