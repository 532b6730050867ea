//! The assembled parts: built in order, stopped in reverse.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use tokio::sync::{Notify, Semaphore, broadcast};

use crate::agents::Agents;
use crate::book::Book;
use crate::clicks::Clicks;
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::Sealer;
use crate::disk::{Disk, Gauge, SystemGauge};
use crate::domain::ids::{ConversionId, DeliveryId, InboxId, SiteId};
use crate::door::Door;
use crate::error::Result;
use crate::figures::Figures;
use crate::limits::Limits;
use crate::loads::Loads;
use crate::outbound::Outbound;
use crate::presence::Presence;
use crate::pulse::Pulse;
use crate::recent::Recent;
use crate::store::Store;
use crate::talks::Talks;
use crate::turned_away::TurnedAway;
use crate::turns::Turns;
use crate::watch::Watch;

/// Touches of pages that do not wait for the disk, at once: less than the writer's own queue, which facts need too.
pub const MOST_QUEUED: u32 = 4_096;

/// Everything a request or a job may need. Cheap to clone.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

pub struct Parts {
    pub config: Config,
    pub clock: Clock,
    pub store: Store,
    pub outbound: Outbound,
    /// The disk under the data folder.
    pub disk: Disk,
    /// When the work in the background was last heard of.
    pub pulse: Pulse,
    /// Rate limits and quotas, in memory.
    pub limits: Limits,
    /// Counters for the metrics page.
    pub figures: Figures,
    /// What the edges remember between requests.
    pub door: Door,
    /// What user agents say of themselves.
    pub agents: Agents,
    /// Who is on which site just now.
    pub presence: Presence,
    /// Pages that asked under a site's key and were refused.
    pub turned_away: TurnedAway,
    /// Event ids of touches counted lately.
    pub recent: Arc<Recent>,
    /// Clicks on short links that are not written down yet.
    pub clicks: Clicks,
    /// Page loads that may be told of once more.
    pub loads: Loads,
    /// Room for touches that nobody waits for.
    pub queued: Arc<Semaphore>,
    /// Something may be due for a worker.
    pub wake: Notify,
    /// One talk with a platform at a time, for each connection.
    pub talks: Talks,
    /// Whether readings keep to their plan.
    pub watch: Watch,
    /// One file of history at a time, for each site.
    pub importing: Arc<Turns>,
    /// One backup at a time: two would be proven in the same scratch folder.
    pub backing_up: tokio::sync::Mutex<()>,
    /// What changed, for open dashboards.
    pub news: broadcast::Sender<News>,
    /// Tells this box from another on the same machine, in the names of cookies: the same after every start.
    pub mark: String,
    /// Names this run of the process: leases of another one are void.
    pub boot: String,
    /// One search of the file after an erasure at a time.
    pub cleaning: tokio::sync::Mutex<()>,
    book: RwLock<Arc<Book>>,
    refreshing: tokio::sync::Mutex<()>,
    is_stopping: AtomicBool,
    is_demo: AtomicBool,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// Told to open dashboards of the site.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    Conversion {
        site: SiteId,
        id: ConversionId,
        kind: &'static str,
    },
    Delivery {
        site: SiteId,
        id: DeliveryId,
        conversion: ConversionId,
        state: String,
    },
    Connection {
        site: SiteId,
        id: crate::domain::ids::ConnectionId,
        status: &'static str,
    },
    /// A body that could not be read, and what became of it.
    Inbox {
        site: SiteId,
        id: InboxId,
        state: &'static str,
    },
    Visit {
        site: SiteId,
    },
}

impl App {
    /// Opens the store and reads the book. Nothing listens or works yet.
    pub fn build(config: Config, clock: Clock, sealer: Sealer, outbound: Outbound) -> Result<Self> {
        Self::build_on(config, clock, sealer, outbound, Box::new(SystemGauge))
    }

    /// The same on a disk whose room somebody else tells.
    pub fn build_on(config: Config, clock: Clock, sealer: Sealer, outbound: Outbound, gauge: Box<dyn Gauge>) -> Result<Self> {
        let mark = crate::crypto::hex(&crate::crypto::hmac_sha256(&sealer.present(), &[b"the mark of this box"])[..4]);
        let store = Store::open(&config.data, sealer)?;
        let now = clock.now();
        let book = store.read_all_sites_blocking(|all| Book::read(all, now))?;
        let recent = Recent::default();
        store.read_all_sites_blocking(|all| recent.read(all, &book, now))?;
        let (news, _) = broadcast::channel(256);
        let disk = Disk::new(store.path(), gauge);
        let pulse = Pulse::new(clock.clone());
        Ok(Self {
            parts: Arc::new(Parts {
                config,
                clock,
                store,
                outbound,
                disk,
                pulse,
                limits: Limits::default(),
                figures: Figures::default(),
                door: Door::default(),
                agents: Agents::default(),
                presence: Presence::default(),
                turned_away: TurnedAway::default(),
                recent: Arc::new(recent),
                clicks: Clicks::default(),
                loads: Loads::default(),
                queued: Arc::new(Semaphore::new(MOST_QUEUED as usize)),
                wake: Notify::new(),
                talks: Talks::default(),
                watch: Watch::default(),
                importing: Default::default(),
                backing_up: Default::default(),
                news,
                mark,
                boot: crate::crypto::random_text(9),
                cleaning: Default::default(),
                book: RwLock::new(Arc::new(book)),
                refreshing: Default::default(),
                is_stopping: AtomicBool::new(false),
                is_demo: AtomicBool::new(false),
            }),
        })
    }

    /// The configuration as it is now.
    pub fn book(&self) -> Arc<Book> {
        self.book.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Reads the configuration anew; called after every change of sites and connections.
    pub async fn refresh(&self) -> Result<()> {
        // One at a time: an older reading must not take the place of a newer one.
        let _turn = self.refreshing.lock().await;
        let now = self.clock.now();
        let book = self.store.read_all_sites(move |all| Book::read(all, now)).await?;
        *self.book.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(book);
        self.wake.notify_waiters();
        Ok(())
    }

    /// Tells open dashboards; nobody listening is fine.
    pub fn tell(&self, news: News) {
        let _ = self.news.send(news);
    }

    pub fn begin_stopping(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.wake.notify_waiters();
    }

    /// Ends when the app begins to stop.
    pub async fn stopped(&self) {
        loop {
            let woken = self.wake.notified();
            if self.is_stopping() {
                return;
            }
            woken.await;
        }
    }

    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// The data are invented and thrown away; every page says so.
    pub fn mark_as_demo(&self) {
        self.is_demo.store(true, Ordering::Relaxed);
    }

    pub fn is_demo(&self) -> bool {
        self.is_demo.load(Ordering::Relaxed)
    }
}
