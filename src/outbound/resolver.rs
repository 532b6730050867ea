//! Names to addresses, once for each connection: what is checked here is what is connected to.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{Allow, NOT_PUBLIC, Reach};

pub type Answer = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks a name up. Tests put their own in its place.
pub trait Resolver: Send + Sync {
    fn resolve(&self, name: &str) -> Answer;
}

/// The system's own.
#[derive(Debug)]
pub struct System;

impl Resolver for System {
    fn resolve(&self, name: &str) -> Answer {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|a| a.ip()).collect()) })
    }
}

/// Hands the client checked addresses only. One bad address spoils the name: a server that answers with a public and
/// an inner one is after the inner one.
pub struct Guard {
    pub resolver: Arc<dyn Resolver>,
    pub allow: Arc<Allow>,
    pub reach: Reach,
}

impl Guard {
    pub async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, NoWay> {
        let found = self.resolver.resolve(name).await.map_err(|_| NoWay::NotFound)?;
        if found.is_empty() {
            return Err(NoWay::NotFound);
        }
        match found.iter().all(|a| self.allow.admits(self.reach, *a)) {
            true => Ok(found),
            false => Err(NoWay::NotPublic),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Guard { resolver: self.resolver.clone(), allow: self.allow.clone(), reach: self.reach };
        Box::pin(async move {
            let found = guard.look_up(name.as_str()).await?;
            let addresses: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

/// Why a name leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoWay {
    NotFound,
    NotPublic,
}

impl fmt::Display for NoWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoWay::NotFound => "the name could not be looked up",
            NoWay::NotPublic => NOT_PUBLIC,
        })
    }
}

impl std::error::Error for NoWay {}
