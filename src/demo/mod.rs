//! `halotrack demo`: a quarter of two invented businesses in a folder that is thrown away. The past is played through the
//! product's own flows with a clock that is moved; nothing leaves the machine.

/// What the shops send.
mod bodies;
/// Chance from a seed.
mod chance;
/// What happens, moment by moment.
mod diary;
/// The folder that is thrown away.
mod folder;
/// The first site: home fragrance.
mod fragrance;
/// The second site: a kitchen studio.
mod kitchens;
/// The shops' short links.
mod links;
/// People who do not exist.
mod people;
/// The platforms that answer.
mod platforms;
/// Plays a diary through the flows.
mod play;
/// What a shop is made of.
mod shop;
/// A shop system with its books.
mod store;
/// What is said in chats.
mod talks;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use self::folder::Folder;
use self::platforms::{CUSTOMERS, STOCK, Trouble};
use self::play::{Stage, Story};
use self::shop::Shop;
use self::store::{KEY, SECRET, SHOP, Store};
use crate::app::App;
use crate::backup::Watch;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{self, lock, socket};
use crate::crypto::{self, Secret};
use crate::domain::funnel;
use crate::domain::ids::{ConnectionId, UserId};
use crate::domain::money::Money;
use crate::domain::question::Days;
use crate::domain::rights::Right;
use crate::domain::segment::Filters;
use crate::domain::spend::Spend;
use crate::domain::time::{DAY_MS, HOUR_MS};
use crate::error::{Error, Result};
use crate::flows::affiliates::{self, AffiliateForm};
use crate::flows::connections::{self, NewConnectionForm};
use crate::flows::funnels;
use crate::flows::segments::{self, Keeper};
use crate::flows::sites::{self, NewSiteForm};
use crate::flows::{COMMAND_LINE, backup, cube, login, spend};
use crate::outbound::{Outbound, Resolver};
use crate::serve::{self, Signals};
use crate::store::sites::Site;

const SEED: u64 = 0x5affb07;
const EMAIL: &str = "demo@brightwater.example";

/// What the reader is told: where to look, and how to get in.
pub struct Greeting {
    pub address: SocketAddr,
    pub email: &'static str,
    pub password: String,
    pub data: PathBuf,
}

/// Makes the demo and runs it until the process is told to stop. Of the configuration only the address to listen on and
/// the log count: a demo must not touch what the owner has.
pub fn run(mut config: Config, greet: fn(&Greeting)) -> Result<()> {
    // What goes wrong in a demo is meant to: it belongs on the pages, not on the screen of who started it.
    if config.log_level == "info" {
        config.log_level = "error".into();
    }
    serve::in_runtime(&config.clone(), &[], async move {
        let mut signals = Signals::new()?;
        // The port comes first: nobody waits for a demo that cannot be shown.
        let listener = serve::bind(&config).await?;
        let address = listener.local_addr().map_err(Error::internal)?;
        let folder = Folder::new()?;
        let config = Config {
            data: folder.0.join("data"),
            public_url: format!("http://{address}"),
            master_key_file: folder.0.join("data.key"),
            outbound_allow: Vec::new(),
            base_urls: BTreeMap::new(),
            retry_scale_ppm: 1_000_000,
            cors_origins: Vec::new(),
            ..config
        };
        lock::make_folder(&config.data)?;
        let held = match lock::take(&config.data)? {
            Ok(held) => held,
            Err(holder) => return Err(lock::refused(&config.data, &holder)),
        };
        let made = tokio::select! {
            made = make(&config) => made?,
            // Told to stop before it began.
            () = signals.next() => return Ok(()),
        };
        let app = made.app;
        let socket = socket::listen(&app)?;
        greet(&Greeting { address, email: EMAIL, password: made.password, data: config.data.clone() });
        tokio::spawn(play::present(app.clone(), made.stages, made.story));
        let outcome = serve::until_told(app, socket, listener, signals).await;
        drop(held);
        drop(folder);
        outcome
    })
}

/// The demo with its past, on the system's own clock.
struct Made {
    app: App,
    password: String,
    stages: Vec<Stage>,
    story: Story,
}

async fn make(config: &Config) -> Result<Made> {
    let now = Clock::system().now();
    let begins = now.plus_ms(-i64::from(diary::DAYS + 1) * DAY_MS);
    let clock = Clock::frozen_at(begins);
    let trouble = Trouble { stock_from: now.plus_ms(-19 * HOUR_MS), customers_from: now.plus_ms(-2 * DAY_MS) };
    let store = Store::default();
    let stand_in = platforms::start(clock.clone(), trouble, store.clone()).await.map_err(Error::internal)?;
    let app = build(config, clock.clone(), stand_in)?;
    app.store.forgo_syncing().await?;
    let password = {
        let random = crypto::hex(&crypto::random::<8>());
        format!("{}-{}-{}", &random[..4], &random[4..10], &random[10..])
    };
    let owner = login::add_with_password(&app, EMAIL, Right::Own, None, Secret::new(password.clone())).await?;
    let mut stages = Vec::new();
    let mut events = Vec::new();
    for (n, shop) in [&fragrance::SHOP, &kitchens::SHOP].into_iter().enumerate() {
        let (stage, told) = set_up(&app, shop, diary::write(shop, SEED + n as u64, now), (stand_in, &store), owner).await?;
        stages.push(stage);
        events.push(told);
    }
    let mut story = play::story(events);
    play::past(&app, &clock, &mut stages, &mut story, now).await?;
    cube::catch_up(&app).await?;
    backup::run(&app, None, true, Watch::nobody()).await?;
    app.store.close().await;
    drop(app);
    // From here on time goes by itself, also for the stand-in: the frozen clock stays at the present, after all its dates.
    let app = build(config, Clock::system(), stand_in)?;
    app.mark_as_demo();
    Ok(Made { app, password, stages, story })
}

fn build(config: &Config, clock: Clock, stand_in: SocketAddr) -> Result<App> {
    let sealer = control::unlock(config)?;
    let allow = [STOCK, CUSTOMERS, SHOP].map(|host| format!("{host}:{}", stand_in.port()));
    let vendors = ["meta", "ga4"].map(|key| (key.to_owned(), format!("http://{stand_in}"))).into();
    let outbound = Outbound::closed(&allow, &vendors, Arc::new(OnlyHere))?;
    App::build(config.clone(), clock, sealer, outbound)
}

/// Every name leads back to this machine.
struct OnlyHere;

impl Resolver for OnlyHere {
    fn resolve(&self, _: &str) -> crate::outbound::Answer {
        Box::pin(async { Ok(vec![std::net::IpAddr::from([127, 0, 0, 1])]) })
    }
}

async fn set_up(
    app: &App,
    shop: &'static Shop,
    diary: diary::Diary,
    (stand_in, store): (SocketAddr, &Store),
    owner: UserId,
) -> Result<(Stage, Vec<diary::Event>)> {
    let form = NewSiteForm {
        name: shop.name.into(),
        domains: vec![shop.domain.into()],
        currency: Some(shop.currency.into()),
        zone: Some(shop.zone.into()),
        country: Some(shop.country.into()),
        consent: Some(shop.consent.into()),
    };
    let word = sites::add(app, &form, COMMAND_LINE).await?.site;
    let forms = connect(app, &word, "forms", None, "live", &[]).await?;
    let is_first = shop.currency == "AED";
    let (pixel, stream) = if is_first { ("481205937714402", "G-7SFRNPLM21") } else { ("902377145086613", "G-E1BKNTE400") };
    let token = format!("EAAG{}", crypto::random_text(24));
    let meta_mode = if is_first { "live" } else { "shadow" };
    connect(app, &word, "meta", None, meta_mode, &[("pixel_id", pixel), ("access_token", &token)]).await?;
    connect(app, &word, "ga4", None, "live", &[("measurement_id", stream), ("api_secret", &crypto::random_text(16))]).await?;
    let (name, host) = if is_first { ("Store-room", STOCK) } else { ("Customer list", CUSTOMERS) };
    let url = format!("http://{host}:{}/hooks/halotrack", stand_in.port());
    connect(app, &word, "webhook", Some(name), "live", &[("url", &url)]).await?;
    let secret = crypto::random_text(24);
    let chat = connect(app, &word, "chatwoot", None, "live", &[("secret", &secret)]).await?;
    let who = owner.to_string();
    let site = app.book().site_named(&word).map(|s| s.id).ok_or_else(|| Error::internal("a site of the demo is gone"))?;
    for (name, dimension, value) in shop.segments {
        let filters = Filters::from([((*dimension).to_owned(), vec![(*value).to_owned()])]);
        let keeper = Keeper { user: Some(owner), may_edit: true, who: who.clone() };
        segments::add(app, site, (*name).to_owned(), filters, true, keeper).await?;
    }
    for (name, code, coupon, commission) in shop.partners {
        let site = app.book().site(site).cloned().ok_or_else(|| Error::internal("a site of the demo is gone"))?;
        let form = AffiliateForm {
            name: Some((*name).into()),
            codes: Some(vec![(*code).into()]),
            coupons: Some(vec![(*coupon).into()]),
            commission: Some(vec![(*commission).into()]),
            ..AffiliateForm::default()
        };
        affiliates::add(app, &site, form, COMMAND_LINE).await?;
    }
    let named = app.book().site_named(&word).cloned().ok_or_else(|| Error::internal("a site of the demo is gone"))?;
    let links = links::make(app, &named, shop, &who).await?;
    let (mut stage, events) = Stage::new(shop, word.clone(), forms, (chat, secret), diary, who.clone());
    stage.linked(links);
    if !shop.has_store() {
        let secret = crypto::random_text(24);
        stage.booked_by((connect(app, &word, "calcom", None, "live", &[("secret", &secret)]).await?, secret));
    }
    costs(app, shop, &named, &who).await?;
    for (name, plan) in shop.funnels {
        let fields = serde_json::from_str(plan).map_err(Error::internal)?;
        let plan = funnel::read_plan(&fields, &[], named.currency)?;
        funnels::add(app, &named, (*name).to_owned(), plan, who.clone()).await?;
    }
    if shop.has_store() {
        // Its books are open before it is connected: the first reading finds them.
        stage.open(store.clone());
        let url = format!("http://{SHOP}:{}", stand_in.port());
        let settings = [("url", url.as_str()), ("consumer_key", KEY), ("consumer_secret", SECRET)];
        stage.connected(connect(app, &word, "woocommerce", None, "live", &settings).await?);
    }
    Ok((stage, events))
}

/// What advertising has cost in the time of the diary, week by week.
async fn costs(app: &App, shop: &Shop, site: &Site, who: &str) -> Result<()> {
    let first = site.zone.day(app.clock.now()).plus(1);
    for (source, medium, campaign, weekly_minor, (from, to)) in shop.costs {
        let mut ago = *from;
        while ago > *to {
            let begins = first.plus(diary::DAYS - ago);
            let days = Days { from: begins, to: begins.plus((ago - to).min(7) - 1) };
            let amount = Money::new(weekly_minor * i64::from(days.count()) / 7, site.currency);
            spend::add(app, site.id, Spend::new(days, (source, medium, campaign), amount, None)?, who).await?;
            ago -= 7;
        }
    }
    Ok(())
}

async fn connect(app: &App, word: &str, platform: &str, name: Option<&str>, mode: &str, settings: &[(&str, &str)]) -> Result<ConnectionId> {
    let site = app.book().site_named(word).map(|s| s.id).ok_or_else(|| Error::internal("a site of the demo is gone"))?;
    let form = NewConnectionForm {
        platform: platform.into(),
        name: name.map(str::to_owned),
        mode: Some(mode.into()),
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        is_shown_later: false,
    };
    Ok(connections::add(app, site, &form, COMMAND_LINE).await?.card.connection)
}
