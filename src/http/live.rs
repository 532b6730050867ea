//! What happens just now, for open dashboards: server-sent events.
//! https://html.spec.whatwg.org/multipage/server-sent-events.html

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::access;
use super::ask::{Ask, Caller};
use super::reply::Reply;
use super::route::Doc;
use crate::app::{App, News};
use crate::domain::ids::SiteId;
use crate::error::Result;

/// A look at the visitors, and at whether the server stops.
const TICK: Duration = Duration::from_secs(1);
/// Signed out, thrown out or revoked: the stream ends within this.
const PROOF: Duration = Duration::from_secs(5);
/// Proxies close what is silent for longer.
const QUIET: Duration = Duration::from_secs(15);
/// The browser comes back by itself, and its login is proved again.
const LONGEST: Duration = Duration::from_secs(600);

pub const LIVE: Doc =
    Doc::new("Reports", "A stream of events: visitors, conversion, delivery, connection, inbox; again where some were missed.")
        .answer("event: visitors\ndata: {\"now\":7}\n\n")
        .of_type("text/event-stream");

/// `GET /api/sites/{site}/live`
pub async fn live(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.id;
    let news = app.news.subscribe();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let now = Instant::now();
    let watch = Watch {
        app,
        site,
        caller: ask.caller.clone(),
        proved_at: now,
        news,
        tick,
        shown: None,
        spoke_at: now,
        until: now + LONGEST,
        is_new: true,
    };
    let events = stream::unfold(watch, |mut watch| async move { watch.next().await.map(|text| (Ok::<_, Infallible>(text), watch)) });
    Ok(Reply::text("text/event-stream", Body::from_stream(events)).with("cache-control", "no-store").with("x-accel-buffering", "no"))
}

struct Watch {
    app: App,
    site: SiteId,
    caller: Caller,
    proved_at: Instant,
    news: Receiver<News>,
    tick: Interval,
    /// The number of visitors that was told last.
    shown: Option<usize>,
    spoke_at: Instant,
    until: Instant,
    is_new: bool,
}

impl Watch {
    /// The next piece of the stream; nothing ends it.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_new {
            self.is_new = false;
            return Some(self.say("retry: 3000\n\n".into()));
        }
        loop {
            if self.app.is_stopping() || Instant::now() >= self.until {
                return None;
            }
            tokio::select! {
                news = self.news.recv() => match news {
                    Ok(news) => {
                        if let Some(text) = event(&news, self.site) {
                            return Some(self.say(text));
                        }
                    }
                    // More came than the stream could take: what was missed is looked for.
                    Err(RecvError::Lagged(_)) => return Some(self.say(written("again", &json!({})))),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.tick.tick() => {
                    if self.proved_at.elapsed() >= PROOF {
                        self.proved_at = Instant::now();
                        if !access::still_may_see(&self.app, &self.caller, self.site).await {
                            return None;
                        }
                    }
                    let now = self.app.presence.now(self.site, self.app.clock.now());
                    if self.shown != Some(now) {
                        self.shown = Some(now);
                        return Some(self.say(written("visitors", &json!({"now": now}))));
                    }
                    if self.spoke_at.elapsed() >= QUIET {
                        return Some(self.say(": still here\n\n".into()));
                    }
                }
            }
        }
    }

    fn say(&mut self, text: String) -> Bytes {
        self.spoke_at = Instant::now();
        Bytes::from(text)
    }
}

/// A piece of news as an event, if it is of this site. Visits are told by the tick, at most once a second.
fn event(news: &News, site: SiteId) -> Option<String> {
    match news {
        News::Conversion { site: of, id, kind } if *of == site => Some(written("conversion", &json!({"id": id, "kind": kind}))),
        News::Delivery { site: of, id, conversion, state } if *of == site => {
            Some(written("delivery", &json!({"id": id, "state": state, "conversion": conversion})))
        }
        News::Connection { site: of, id, status } if *of == site => {
            Some(written("connection", &json!({"connection": id, "status": status})))
        }
        News::Inbox { site: of, id, state } if *of == site => Some(written("inbox", &json!({"id": id, "state": state}))),
        _ => None,
    }
}

/// JSON has no line breaks, so that one data line holds it.
fn written(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ConversionId;

    #[test]
    fn news_of_other_sites_are_not_told() {
        let news = News::Conversion { site: SiteId::issued(1), id: ConversionId::new(12), kind: "lead" };
        let want = "event: conversion\ndata: {\"id\":\"conversion_12\",\"kind\":\"lead\"}\n\n";
        assert_eq!(event(&news, SiteId::issued(1)).as_deref(), Some(want));
        assert_eq!(event(&news, SiteId::issued(2)), None);
        assert_eq!(event(&News::Visit { site: SiteId::issued(1) }, SiteId::issued(1)), None);
    }
}
