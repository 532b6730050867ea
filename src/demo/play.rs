//! Plays a diary through the product's own doors: touches, identities, signed bodies, deliveries. Nothing is written
//! but by the flows that a real shop's data take.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use super::bodies;
use super::diary::{Answer, Browser, Diary, Event, Order, What};
use super::links::{self, Links};
use super::shop::Shop;
use super::store::Store;
use crate::app::App;
use crate::clock::Clock;
use crate::domain::campaign::landing;
use crate::domain::consent::{self, Consent};
use crate::domain::fact::Person;
use crate::domain::ids::ConnectionId;
use crate::domain::money::{Currency, Money};
use crate::domain::person::Email;
use crate::domain::time::{DAY_MS, Time};
use crate::error::{Error, Result};
use crate::flows::identify::{self, Claim};
use crate::flows::intake;
use crate::flows::notes;
use crate::flows::pipeline::{self, Move, Worth};
use crate::flows::replay::{home_of, sentence};
use crate::flows::session_id::{self, SessionKey};
use crate::flows::short_links;
use crate::flows::touch::{self, PageTouch, Taken};
use crate::jobs::{puller, worker};
use crate::sources::forms;
use crate::store::leads;
use crate::store::sessions::Browser as Seen;
use crate::store::sites::Site;

/// Bodies brought in as they are sent.
mod senders;

/// Touches that wait for the next fact at most.
const MOST_WAITING: usize = 200;

/// Leads that came before the diary begins.
const FIRST_LEAD: u64 = 300;

/// A shop with its diary and what was given to its browsers so far.
pub struct Stage {
    shop: &'static Shop,
    word: String,
    forms: ConnectionId,
    /// The chat's connection, and the secret by which it signs.
    chat: (ConnectionId, String),
    /// The calendar's, where there is one.
    calendar: Option<(ConnectionId, String)>,
    browsers: Arc<Vec<Browser>>,
    /// The sealed id that each browser holds in its cookie.
    cookies: Vec<Option<String>>,
    orders: HashMap<usize, (Time, u64, Order)>,
    /// Of the next order, and of the last lead.
    number: u64,
    lead: u64,
    /// The numbers that leads have been given.
    leads: HashMap<usize, u64>,
    /// Who works there.
    who: String,
    /// What was sold before.
    history: Vec<(Time, Order)>,
    links: Arc<Links>,
    /// The shop's own system and its connection, where it has one.
    store: Option<(Store, Option<ConnectionId>)>,
}

/// A page view that waits to be told.
struct View {
    at: Time,
    link: String,
    referrer: Option<String>,
    title: &'static str,
}

impl Stage {
    /// Gives the stage and what happens on it.
    pub fn new(
        shop: &'static Shop,
        word: String,
        forms: ConnectionId,
        chat: (ConnectionId, String),
        diary: Diary,
        who: String,
    ) -> (Self, Vec<Event>) {
        let cookies = vec![None; diary.browsers.len()];
        let browsers = Arc::new(diary.browsers);
        let stage = Self {
            shop,
            word,
            forms,
            chat,
            calendar: None,
            browsers,
            cookies,
            orders: HashMap::new(),
            number: shop.first_number,
            lead: FIRST_LEAD,
            leads: HashMap::new(),
            who,
            history: diary.history,
            links: Arc::default(),
            store: None,
        };
        (stage, diary.events)
    }

    /// The shop's own system, with all that was sold before.
    pub fn open(&mut self, store: Store) {
        let before = self.history.len() as u64;
        for (n, (at, order)) in self.history.iter().enumerate() {
            let number = self.number - before + n as u64;
            store.keep(&bodies::shop_order(self.shop, order, number, None, "completed", *at, *at));
        }
        self.store = Some((store, None));
    }

    pub fn booked_by(&mut self, calendar: (ConnectionId, String)) {
        self.calendar = Some(calendar);
    }

    pub fn linked(&mut self, links: Links) {
        self.links = Arc::new(links);
    }

    pub fn connected(&mut self, connection: ConnectionId) {
        if let Some((_, of)) = &mut self.store {
            *of = Some(connection);
        }
    }

    /// What stands in the shop's books now; its webhook tells us, where there is one that is switched on.
    async fn keep(&self, app: &App, site: &Arc<Site>, topic: &str, body: Value) -> Result<()> {
        let Some((store, connection)) = &self.store else { return Ok(()) };
        store.keep(&body);
        let (Some(connection), Some(secret)) = (*connection, store.signs(topic)) else { return Ok(()) };
        senders::shop(app, site, connection, &secret, &body).await
    }

    fn site(&self, app: &App) -> Result<Arc<Site>> {
        app.book().site_named(&self.word).cloned().ok_or_else(|| Error::internal("a site of the demo is gone"))
    }
}

/// Events of all stages in the order of time, each with the place of its stage.
pub type Story = std::collections::VecDeque<(usize, Event)>;

pub fn story(all: Vec<Vec<Event>>) -> Story {
    let mut story: Vec<(usize, Event)> =
        all.into_iter().enumerate().flat_map(|(n, events)| events.into_iter().map(move |e| (n, e))).collect();
    story.sort_by_key(|(_, e)| e.at);
    story.into()
}

/// Plays what lies before `until`, moving the clock along. What is due to platforms is sent at its own moment.
pub async fn past(app: &App, clock: &Clock, stages: &mut [Stage], story: &mut Story, until: Time) -> Result<()> {
    let mut waiting: HashMap<(usize, usize), Vec<View>> = HashMap::new();
    let mut count = 0;
    // Lists are read and webhooks looked at once a day here: what is due every few minutes would only cost time.
    let mut next_look = clock.now();
    while story.front().is_some_and(|(_, e)| e.at <= until) {
        let Some((stage, event)) = story.pop_front() else { break };
        let at = event.at;
        while at >= next_look {
            clock.advance_ms(next_look.ms_since(clock.now()).max(0));
            tell(app, stages, std::mem::take(&mut waiting)).await?;
            count = 0;
            puller::drain(app).await?;
            next_look = next_look.plus_ms(DAY_MS);
        }
        match event.what {
            What::Page { browser, link, referrer, title } => {
                waiting.entry((stage, browser)).or_default().push(View { at, link, referrer, title });
                count += 1;
                if count >= MOST_WAITING {
                    clock.advance_ms(at.ms_since(clock.now()));
                    tell(app, stages, std::mem::take(&mut waiting)).await?;
                    count = 0;
                }
            }
            what => {
                clock.advance_ms(at.ms_since(clock.now()));
                tell(app, stages, std::mem::take(&mut waiting)).await?;
                count = 0;
                happen(app, &mut stages[stage], what).await?;
                worker::drain(app).await?;
            }
        }
    }
    clock.advance_ms(until.ms_since(clock.now()));
    tell(app, stages, waiting).await?;
    puller::drain(app).await?;
    worker::drain(app).await.map(drop)
}

/// Plays the rest as time goes by, so that the demo lives while it is looked at. The server's own worker sends.
pub async fn present(app: App, mut stages: Vec<Stage>, mut story: Story) {
    while let Some((stage, event)) = story.pop_front() {
        let wait = event.at.ms_since(app.clock.now()).max(0) as u64;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait)) => {}
            () = app.stopped() => return,
        }
        let done = match event.what {
            What::Page { browser, link, referrer, title } => {
                let views = vec![View { at: app.clock.now(), link, referrer, title }];
                tell(&app, &mut stages, HashMap::from([((stage, browser), views)])).await
            }
            what => happen(&app, &mut stages[stage], what).await,
        };
        if let Err(e) = done {
            tracing::warn!(error = %e, "The demo missed a moment.");
        }
    }
}

/// Tells page views: those of one browser in their order, browsers beside each other.
async fn tell(app: &App, stages: &mut [Stage], waiting: HashMap<(usize, usize), Vec<View>>) -> Result<()> {
    let mut running = JoinSet::new();
    for ((stage, browser), views) in waiting {
        let (app, site, shop) = (app.clone(), stages[stage].site(app)?, stages[stage].shop);
        let (browsers, mut cookie) = (stages[stage].browsers.clone(), stages[stage].cookies[browser].clone());
        let codes = stages[stage].links.clone();
        running.spawn(async move {
            for mut view in views {
                let seen = &browsers[browser];
                let country = shop.places[seen.place].country;
                view.link = links::followed(&app, &codes, view.link, view.referrer.as_deref(), country, seen.agent, view.at);
                let claim = cookie.as_deref().and_then(|c| session_id::open(c, &site.keys.session));
                let touch = page(&app, shop, &browsers[browser], view, claim);
                match touch::run(&app, &site, Box::new(touch)).await? {
                    Taken::Session(id) => cookie = Some(id),
                    Taken::Anonymous | Taken::OwnDevice(_) => cookie = None,
                    Taken::Dropped(why) => return Err(Error::internal(format!("a touch of the demo was dropped: {why}"))),
                }
            }
            Ok::<_, Error>((stage, browser, cookie))
        });
    }
    while let Some(done) = running.join_next().await {
        let (stage, browser, cookie) = done.map_err(Error::internal)??;
        stages[stage].cookies[browser] = cookie;
    }
    short_links::write_down(app).await
}

fn page(app: &App, shop: &Shop, browser: &Browser, view: View, claim: Option<SessionKey>) -> PageTouch {
    let told = app.agents.read(browser.agent);
    let place = &shop.places[browser.place];
    let landed = landing(&view.link, &[]);
    PageTouch {
        own_device: None,
        at: view.at,
        claim,
        is_fresh: false,
        event_id: None,
        utm: landed.utm.clone(),
        clicks: landed.clicks.clone(),
        ads: landed.ads.clone(),
        landing: landed,
        referrer: view.referrer,
        title: Some(view.title.to_owned()),
        browser: Seen {
            device: told.device.kind.as_str(),
            browser: told.device.browser,
            system: told.device.system,
            language: Some(place.language.to_owned()),
            country: Some(place.country.to_owned()),
            region: Some(place.region.to_owned()),
            city: Some(browser.city.to_owned()),
            user_agent: Some(browser.agent.to_owned()),
            ..Seen::default()
        },
        consent: said(browser.answer),
        refuses: false,
        time_zone: Some(place.zone.to_owned()),
        address: None,
        is_history: false,
        is_answer: false,
    }
}

/// As the consent manager of the page tells it.
fn said(answer: Answer) -> Consent {
    let (analytics, marketing) = match answer {
        Answer::Silent => return Consent::UNKNOWN,
        Answer::Yes => ("granted", "granted"),
        Answer::OnlyCounted => ("granted", "denied"),
        Answer::No => ("denied", "denied"),
    };
    Consent { manager: Some("cookieyes"), ..consent::from_words(analytics, marketing) }
}

async fn happen(app: &App, stage: &mut Stage, what: What) -> Result<()> {
    let site = stage.site(app)?;
    let now = app.clock.now();
    let cookie = |browser: Option<usize>| browser.and_then(|b| stage.cookies[b].clone());
    match what {
        What::Page { .. } => Ok(()),
        What::Known { browser } => {
            let (Some(sealed), Some(who)) = (&stage.cookies[browser], &stage.browsers[browser].who) else { return Ok(()) };
            let Some(session) = session_id::open(sealed, &site.keys.session) else { return Ok(()) };
            let person = Person { email: Email::parse(&who.email), ..Person::default() };
            identify::run(app, &site, session, Claim { person, session_text: sealed.clone(), ..Claim::default() }).await
        }
        What::Order(order) => {
            let session = cookie(order.browser).filter(|_| order.names_session);
            let number = stage.number;
            stage.number += 1;
            if stage.store.is_some() {
                let body = bodies::shop_order(stage.shop, &order, number, session.as_deref(), "processing", now, now);
                stage.orders.insert(order.key, (now, number, order));
                return stage.keep(app, &site, "order.created", body).await;
            }
            let body = bodies::order(stage.shop, &order, number, session.as_deref(), "processing", now, now);
            stage.orders.insert(order.key, (now, number, order));
            senders::send(app, &site, stage.forms, "/api/webhook/order", body).await
        }
        What::Ended { order, status } => {
            let Some((at, number, order)) = stage.orders.get(&order) else { return Ok(()) };
            if let Some((store, _)) = &stage.store {
                if status == "refunded" {
                    store.give_back(*number, bodies::refund(stage.shop, order, *number, now));
                }
                let body = bodies::shop_order(stage.shop, order, *number, None, status, *at, now);
                stage.keep(app, &site, "order.updated", body).await?;
                // A body only names its refund; its day is asked for.
                return puller::drain(app).await.map(drop);
            }
            let body = bodies::order(stage.shop, order, *number, None, status, *at, now);
            senders::send(app, &site, stage.forms, "/api/webhook/order", body).await
        }
        What::Lead(lead) => {
            let session = cookie(lead.browser);
            stage.lead += 1;
            stage.leads.insert(lead.key, stage.lead);
            let body = bodies::lead(stage.shop, &lead, stage.lead, session.as_deref(), now);
            senders::send(app, &site, stage.forms, "/in", body).await
        }
        What::Said(line) => {
            let session = cookie(Some(line.browser));
            let body = bodies::said(&line, session.as_deref(), now).to_string().into_bytes();
            senders::hear(app, &site, &stage.chat, body).await
        }
        What::Appointment(told) => {
            let Some(calendar) = &stage.calendar else { return Ok(()) };
            let session = cookie(told.browser);
            senders::book(app, &site, calendar, bodies::appointment(stage.shop, &told, session.as_deref(), now)).await
        }
        What::Moved { lead, stage: to, worth } => {
            let (Some(number), Some(currency)) = (stage.leads.get(&lead).copied(), Currency::parse(stage.shop.currency)) else {
                return Ok(());
            };
            let forms = stage.forms.number();
            let known = app.store.read(site.id, move |c| leads::find_by_external_id(c, forms, &format!("L-{number}"))).await?;
            let Some(known) = known else { return Ok(()) };
            let value = worth.map_or(Worth::AsItIs, |minor| Worth::Known(Money::new(minor, currency)));
            pipeline::run(app, &site, known.id, Move { stage: Some(to), value }, &stage.who).await.map(drop)
        }
        What::SwitchedOff => {
            if let Some((store, _)) = &stage.store {
                store.switch_off("order.created");
            }
            Ok(())
        }
        What::Noted { text } => notes::add(app, site.id, site.zone.day(now), text, &stage.who).await.map(drop),
        What::Unreadable { text } => {
            let home = home_of(&site, now);
            let content_type = if text.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
            match forms::read_lead(text.as_bytes(), content_type, &home) {
                Ok(_) => Ok(()),
                Err(reject) => {
                    let body = senders::delivered(stage.forms, "/in", content_type, text.as_bytes().to_vec(), Vec::new());
                    intake::quarantine(app, &site, body, sentence(&reject)).await.map(drop)
                }
            }
        }
    }
}
