//! What the product knows, without I/O, clock, randomness, SQL or HTTP.

/// Partners who send buyers for a commission.
pub mod affiliate;
/// Which marketing earned a conversion.
pub mod attribution;
/// What is true of backups.
pub mod backup;
/// When a failing destination is left alone.
pub mod breaker;
/// UTMs, click ids and referrers of a page address.
pub mod campaign;
/// GA4's default channel names for a source and medium.
pub mod channel;
/// What each state of consent allows.
pub mod consent;
/// One sale or lead, many reports.
pub mod conversion;
/// Coupons as senders tell them.
pub mod coupon;
/// Device, browser, system and bots of a user agent.
pub mod device;
/// Sales that look alike.
pub mod doubt;
/// What an erasure does to each table.
pub mod erasure;
/// Anything that happened elsewhere.
pub mod fact;
/// Steps that lead somewhere, as an owner names them.
pub mod funnel;
/// Host names and what a site may call its own.
pub mod host;
/// One number type a noun.
pub mod ids;
/// Files of history.
pub mod import;
/// Where short links lead.
pub mod link;
/// Words that links are made from.
pub mod link_template;
/// People as lists show them.
pub mod mask;
/// What was said in a chat.
pub mod message;
/// Steps on the way to becoming a customer.
pub mod milestone;
/// Exact amounts.
pub mod money;
/// Why a visit is called what it is called.
pub mod naming;
/// Ranges of addresses.
pub mod network;
/// What became of a booking, of all that was said of it.
pub mod outcome;
/// A conversion as a destination may see it.
pub mod outgoing;
/// E-mails, phones, names.
pub mod person;
/// Where a lead stands with the people who sell.
pub mod pipeline;
/// What a platform says of itself.
pub mod platform;
/// The record of processing.
pub mod processing;
/// What may be asked of the figures.
pub mod question;
/// Whether facts can be taken now.
pub mod readiness;
/// Why something was not sent, in words.
pub mod reason;
/// What one destination is told of money that goes back.
pub mod reckoning;
/// How much of an order's refunds comes off what it came to.
pub mod refund;
/// How long each kind of row is kept.
pub mod retention;
pub mod retry;
/// When to try again.
/// How often somebody usually tells, and when a silence is strange.
pub mod rhythm;
/// What members and tokens may do.
pub mod rights;
/// One name for several spellings.
pub mod rule;
/// When something is due by the owner's own plan.
pub mod schedule;
/// Filters under a name.
pub mod segment;
/// Pages of share links.
pub mod share;
/// Codes that cross from a page to a note.
pub mod short_code;
/// How much of a site somebody is shown.
pub mod sight;
/// What advertising has cost.
pub mod spend;
/// Talks of more than one request.
pub mod steps;
/// How much room is left, and what may still be stored.
pub mod storage;
/// Points of time and days of a zone.
pub mod time;
/// A touch of a page.
pub mod touch;
/// What an attribution tracker tells.
pub mod tracker;
/// A fact without people in the names of its campaigns.
pub mod unnamed;
/// What is usual for a day of the week.
pub mod usual;
/// Network addresses of visitors in raw bodies.
pub mod visitor_address;
/// The words of a site's links.
pub mod vocabulary;
/// Words for yes and no.
pub mod yes_no;
