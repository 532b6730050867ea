//! The edges: decode, call, encode. `serve` takes connections until it is told to stop; `Edge` answers one request.

/// Who asks, proved before the handler runs.
pub mod access;
/// A user's own account.
mod account;
/// What owners and editors set up.
mod administration;
/// Partners who send buyers for a commission.
pub mod affiliates;
/// Revenue and customers in the shape of the documents.
mod analytics;
/// A request as a handler sees it.
pub mod ask;
/// Embedded files under one content hash.
mod assets;
/// Who has changed what.
mod audit;
/// Backups, and what is held after a restore.
mod backups;
/// The first screen's modules as one file.
mod bundle;
/// What was said in a chat.
mod chats;
/// Answers, compressed.
mod compress;
/// Connections with their health.
pub mod connections;
/// What consent kept back, and the proof that nothing left against it.
mod consent;
/// People as the site knows them.
pub mod contacts;
/// The ledger of conversions.
pub mod conversions;
/// Which pages of other origins may call.
pub mod cors;
/// Senders that are answered with counts.
mod counted;
/// Who has bought.
mod customers;
/// From bytes and headers to an `Ask`.
mod decode;
/// The outbox as a list.
pub mod deliveries;
/// The privacy desk.
mod desk;
/// One request from its head to its answer.
mod edge;
/// Every list as a file.
pub mod exports;
/// Lists as files for the command line.
pub mod files;
/// A touch that a reverse proxy asks for.
pub mod forward_auth;
/// One conversion for one platform.
mod forwarding;
/// A shop's own host, where we stand in front of it.
mod front;
/// Steps and sign-ups told by the owner's own server.
mod funnel;
/// Steps that lead somewhere, as owners name them.
mod funnels;
/// The headers that every answer carries.
mod headers;
/// Alive, ready, well.
mod health;
/// Platforms that call us.
mod hooks;
/// Which host was asked, and whether the dashboard lives there.
mod host;
/// Files of history.
pub mod imports;
/// Raw bodies as they were received.
pub mod inbox;
/// The strict reader of JSON bodies.
pub mod json;
/// Leads and orders.
pub mod leads;
/// Words that links are made from.
pub mod link_templates;
/// The accept loop.
mod listen;
/// Events for open dashboards.
pub mod live;
/// The dashboard's own people.
mod login;
/// Figures for Prometheus.
mod metrics;
/// Sites by a host.
mod named;
/// What needs the owner.
pub mod needs;
/// Notes on days.
pub mod notes;
/// What no system has told.
pub mod offline;
/// The API's description, made from the table.
mod openapi;
/// Orders as their shop told them.
mod orders;
/// A page load as a web server sees it.
mod page_load;
/// Addresses that deliver a page.
mod pages;
/// A connection that is given up where nothing is taken.
mod patient;
/// People who may sign in to a site.
mod people;
/// A person's data in words.
mod person_table;
/// Where leads stand.
mod pipeline;
/// Where a visitor is.
mod place;
/// Which model and window the books use.
mod policy;
/// People who ask to be forgotten, or for what is kept of them.
pub mod privacy;
/// Files that ad platforms fetch.
mod pull_files;
/// The receipt of a conversion.
pub mod receipts;
/// The conversions API: asking.
pub mod records;
/// From a short link to its page.
mod redirect;
/// Pages that were refused, and why.
mod refused_pages;
/// What the owner does by hand.
mod replays;
/// Answers and refusals.
pub mod reply;
/// Pages of figures.
pub mod reports;
/// What a route is.
pub mod route;
/// One name for several spellings.
mod rules;
/// Readings of platforms.
mod runs;
/// When each of them is due.
mod schedules;
/// Filters under a name.
mod segments;
/// Platforms, forms and servers that tell us facts.
mod senders;
/// A site's settings.
mod settings;
/// Connecting a platform.
mod setups;
/// What whoever has a share link is shown.
mod shared;
/// Share links.
mod shares;
/// Shops connected and looked after.
mod shops;
/// The site's short links.
pub mod short_links;
/// Values as answers show them.
pub mod shown;
/// What advertising has cost.
mod spend;
/// The conversions API: telling.
mod statements;
/// Reading the platforms of sign-ups and bookings by hand.
mod syncs;
/// All routes on one page.
pub mod table;
/// A person in the order of time.
mod timeline;
/// Keys of programs.
mod tokens;
/// What pages send.
mod touch;
/// A visitor's browser.
mod visitor;

pub use edge::Edge;
pub use listen::serve;
