//! `/l/CODE`: from a short link to the page that its owner has chosen, and never anywhere else.

use super::ask::Ask;
use super::place::place_of;
use super::reply::Reply;
use super::route::Doc;
use super::touch::cut;
use super::visitor;
use crate::app::App;
use crate::book::OpenLink;
use crate::domain::campaign::host_of;
use crate::error::Result;
use crate::flows::session_id;
use crate::flows::short_links::{self, Follower};
use crate::limits::{Rate, address_key};

/// Redirects of one network: a whole office behind one address that reads the same newsletter.
const FOLLOWED: Rate = Rate::per_second(20, 200);
/// Codes of one network that lead nowhere: typing errors, not a search for what others have.
const GUESSED: Rate = Rate::per_minute(30, 30);
/// Longest user agent that is looked at, in characters.
const MOST_AGENT: usize = 1_024;

pub const FOLLOW: Doc = Doc::new(
    "Pages",
    "A short link: leads to its page with its UTMs, passes the query on, and adds halo_click, the click id that conversions can quote. \
     A bot gets no click id; HEAD, prefetches and the owner's own people are not counted.",
)
.of_type("text/html")
.answer("")
.statuses(&[302, 404, 429]);

pub async fn follow(app: App, ask: Ask) -> Result<Reply> {
    let now = app.clock.now();
    let network = address_key(ask.client);
    if !ask.is_proxy_itself()
        && let Err(seconds) = app.limits.take("link", network, FOLLOWED, now)
    {
        return Ok(busy(seconds));
    }
    let book = app.book();
    let Some(open) = book.link(ask.param("code")) else {
        let guesses = if ask.is_proxy_itself() { Ok(()) } else { app.limits.take("link_guess", network, GUESSED, now) };
        return Ok(guesses.map_or_else(busy, |()| plain(404, NOWHERE)));
    };
    let told = app.agents.read(&cut(ask.header("user-agent").unwrap_or_default(), MOST_AGENT));
    let follower = Follower {
        query: &ask.query_text,
        is_bot: told.is_bot,
        is_look: ask.is_prefetch() || ask.method == "HEAD" || is_own(open, &ask),
        referrer: ask.header("referer").and_then(host_of),
        country: place_of(&ask, Some(ask.client)).country,
        device: told.device.kind.as_str(),
        network: (!ask.is_proxy_itself()).then_some(ask.client),
        browser: session_id::oldest(visitor::cookies(&ask), &open.site.keys.session),
    };
    let to = short_links::follow(&app, open, follower, now);
    // The page that held the link is known to the shop by its host, as if there had been no redirect.
    Ok(Reply::redirect(&to).with("referrer-policy", "strict-origin-when-cross-origin").with("x-robots-tag", "noindex"))
}

/// The owner's own people: by their network, or by the mark on the device where this host sees its cookie.
fn is_own(open: &OpenLink, ask: &Ask) -> bool {
    let site = &open.site;
    let key = &site.keys.session;
    site.settings.staff_networks.iter().any(|network| network.holds(ask.client))
        || session_id::oldest(visitor::cookies(ask), key).is_some_and(|id| session_id::is_own_device(&id, key))
}

const NOWHERE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
<title>This link leads nowhere</title><h1>This link leads nowhere</h1><p>It may have been mistyped, or it has ended.</p></html>\n";
const BUSY: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
<title>One moment</title><h1>One moment</h1><p>Too many links were opened from here at once. Open it again in a few seconds.</p></html>\n";

fn busy(seconds: u32) -> Reply {
    plain(429, BUSY).with("retry-after", seconds.to_string())
}

fn plain(status: u16, page: &'static str) -> Reply {
    let mut reply = Reply::text("text/html; charset=utf-8", page).with("x-robots-tag", "noindex");
    reply.status = status;
    reply
}
