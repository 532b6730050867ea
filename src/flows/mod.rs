//! Changes that take more than one step; the only place where pure rules meet the store.

/// A user's own account.
pub mod account;
/// Partners: added, changed, paid.
pub mod affiliates;
/// Requests of a source's own talks.
pub mod asking;
/// Which conversation led to a conversion.
pub mod assists;
/// Backups of the running box.
pub mod backup;
/// The click ids of short links.
pub mod click_id;
/// Who earns a sale, and what is booked of it.
pub mod commissions;
/// Set-ups of platforms: added, changed, paused, removed.
pub mod connections;
/// A credit run.
pub mod crediting;
/// Counts of whole days.
pub mod cube;
/// A delivery.
pub mod deliver;
/// What could not be read and needs nobody.
pub mod dismissal;
/// Everything of a person goes, and does not come back.
pub mod erase;
/// What may be kept only for a while.
pub mod forget;
/// One conversion for one platform.
pub mod forwarding;
/// Steps that lead somewhere, as owners name them.
pub mod funnels;
/// Answers kept for a repeat.
pub mod idempotency;
/// What a browser says of who it is.
pub mod identify;
/// Files of history.
pub mod imports;
/// Facts in.
pub mod intake;
/// Words that links are made from.
pub mod link_templates;
/// Who may sign in.
pub mod login;
/// What the owner knows of a day.
pub mod notes;
/// What no system has told.
pub mod offline;
/// What waits since a restore.
pub mod outbox;
/// What a destination may see.
pub mod outgoing;
/// What is odd about clicks on partners' links.
pub mod partner_clicks;
/// People of a site.
pub mod people;
/// A lead moves in the pipeline.
pub mod pipeline;
/// The outbox rows of a conversion.
pub mod planning;
/// Which model and window the books use.
pub mod policy;
/// Our hooks in the platforms.
pub mod provision;
/// The platforms' own lists.
pub mod pull;
/// Files that platforms fetch.
pub mod pull_file;
/// What a destination was told of a sale.
pub mod reckoning;
/// Days of deliveries after a change of the zone.
pub mod recount;
/// A refusal beside a touch that is not taken.
pub mod refusal;
/// Again, by the owner's hand.
pub mod replay;
/// A restored file before it is opened.
pub mod restore;
/// Rows past their time.
pub mod retain;
/// Stored secrets under a new master key.
pub mod rotation;
/// One name for several spellings.
pub mod rules;
/// Filters under a name.
pub mod segments;
/// Ids of visitors: issued, sealed, opened.
pub mod session_id;
/// Links to read-only pages.
pub mod shares;
/// Links that lead to the site.
pub mod short_links;
/// Tenants: added and changed.
pub mod sites;
/// What advertising has cost.
pub mod spend;
/// Sources read because somebody asks.
pub mod syncs;
/// Tokens of a site.
pub mod tokens;
/// A page touch.
pub mod touch;
/// What a destination finds of its set-up.
pub mod trial;
/// A refusal after the fact.
pub mod withdraw;

/// Who changes something, for the audit log: `user_3`, `token_2`, or this.
pub const COMMAND_LINE: &str = "command line";
