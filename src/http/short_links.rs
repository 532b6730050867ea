//! The site's short links: listed, made, looked at before they are made, named, ended.

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::LinkId;
use crate::domain::link::Way;
use crate::domain::money::Money;
use crate::domain::question::Asked;
use crate::domain::time::{DAY_MS, Time, Zone};
use crate::error::{Error, Result};
use crate::flows::short_links::{self as flow, Changes, Planned, Wish};
use crate::store::questions::links::{self, KnownWord, Origins};
use crate::store::scope::SiteConn;
use crate::store::short_links::{self, ShortLink, Tally, Wanted};
use crate::store::sites::Site;

const SORT: &str = "links";
/// Days of clicks that a link's own page shows.
const DAYS: i64 = 30;
const COLUMNS: [&str; 20] = [
    "link",
    "url",
    "to",
    "label",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "affiliate",
    "clicks",
    "bots",
    "visits",
    "conversions",
    "net",
    "currency",
    "net_in_others",
    "last_click_at",
    "created_at",
    "state",
];

const QUERY: &[(&str, &str)] = &[
    ("q", "a part of the code, address, name or words"),
    ("from", "made since this day; without it, whenever"),
    ("to", "and up to this one"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];
const BODY: &str = r#"{"to":"https://shop.example/sale","utm_source":"instagram","utm_medium":"social","utm_campaign":"Spring","affiliate":null,"label":"Story on Friday"}"#;
const ONE: &str = r#"{"link":"link_1","code":"k7Fq2Xw","url":"https://t.shop.example/l/k7Fq2Xw","to":"https://shop.example/sale?utm_source=instagram&utm_medium=social&utm_campaign=Spring","target":"https://shop.example/sale","label":"Story on Friday","utm_source":"instagram","utm_medium":"social","utm_campaign":"Spring","utm_term":null,"utm_content":null,"affiliate":null,"clicks":41,"bots":6,"visits":38,"conversions":2,"net":{"minor":17380,"currency":"EUR"},"net_by_currency":[{"minor":17380,"currency":"EUR"}],"last_click_at":"2026-06-13T09:20:00Z","created_at":"2026-06-01T09:20:00Z","who":"user_1","state":"open"}"#;

pub const LIST: Doc = Doc::new("Links", "Short links, the newest first, with what came of each. `state` is open, ended, or away where the address is no longer one of the site's.")
    .query(QUERY)
    .answer(r#"{"items":[{"link":"link_1","url":"https://t.shop.example/l/k7Fq2Xw","clicks":41,"bots":6,"visits":38,"conversions":2,"state":"open"}],"next":null}"#)
    .statuses(&[200, 400]);
pub const CSV: Doc =
    Doc::new("Links", "The same as CSV, all rows.").query(QUERY).answer("link,url,…").of_type("text/csv").statuses(&[200, 400]);
pub const JSONL: Doc =
    Doc::new("Links", "The same as JSON lines, all rows.").query(QUERY).of_type("application/x-ndjson").statuses(&[200, 400]);
pub const ADD: Doc =
    Doc::new("Links", "Makes a short link to a page of the site. Its UTMs and its affiliate's code stand in the address that it leads to. The code is one that a partner has.")
        .body(BODY)
        .answer(ONE)
        .statuses(&[201, 400, 401, 403, 409, 422]);
pub const PREVIEW: Doc =
    Doc::new("Links", "Where such a link would lead, and which of its words only spell a known one in another way. Makes nothing.")
        .body(BODY)
        .answer(
            r#"{"to":"https://shop.example/sale?utm_source=Insta","doubts":[{"field":"utm_source","said":"Insta","known":"instagram"}]}"#,
        )
        .statuses(&[200, 400, 401, 403, 422]);
pub const WORDS: Doc =
    Doc::new("Links", "The words that the site's links and its visits of the last 90 days know, those in use most first.").answer(
        r#"{"utm_source":[{"word":"instagram","links":4,"visits":310}],"utm_medium":[],"utm_campaign":[],"utm_term":[],"utm_content":[]}"#,
    );
pub const SHOW: Doc = Doc::new("Links", "One link, with its last 30 days and where its clicks came from.")
    .answer(r#"{"link":"link_1","clicks":41,"days":[{"day":"2026-06-13","clicks":7,"bots":1,"visits":6}],"referrers":[{"value":"instagram.com","count":5}],"countries":[],"devices":[]}"#)
    .statuses(&[200, 404]);
pub const CHANGE: Doc =
    Doc::new("Links", "Gives a link another name, ends it, or opens it again. Where it leads never changes: make another one.")
        .body(r#"{"label":"Story on Friday","ended":true}"#)
        .answer(ONE)
        .statuses(&[200, 400, 401, 403, 404, 422]);

/// `GET /api/sites/{site}/links`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    // What was clicked a moment ago is in it.
    flow::write_down(&app).await?;
    let asked = Asked(&ask.query);
    let (wanted, cursor, limit) = (wanted(&app, &ask, site)?, asked.cursor(SORT)?, asked.limit()?);
    let (lines, next) = app.store.read(site.id, move |c| short_links::page(c, &wanted, cursor, limit)).await?;
    let items: Vec<Value> = lines.iter().map(|(link, tally)| line(&app, site, link, tally)).collect();
    Reply::json(&json!({"items": items, "next": next.map(|cursor| cursor.text(SORT))}))
}

/// `POST /api/sites/{site}/links`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let planned = flow::plan(&app, site, &wish(&reader::object(&ask.body)?)?).await?;
    let made = flow::add(&app, site, &planned, &ask.who()).await?;
    Reply::json_with(201, &line(&app, site, &made, &Tally::default()))
}

/// `POST /api/sites/{site}/links/preview`
pub async fn preview(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let Planned { words, to, .. } = flow::plan(&app, site, &wish(&reader::object(&ask.body)?)?).await?;
    let doubts = flow::doubts(&words, &flow::known_words(&app, site).await?);
    let doubts: Vec<Value> = doubts.iter().map(|d| json!({"field": d.field, "said": d.said, "known": d.known})).collect();
    Reply::json(&json!({"to": to, "doubts": doubts}))
}

/// `GET /api/sites/{site}/links/words`
pub async fn words(app: App, ask: Ask) -> Result<Reply> {
    let known = flow::known_words(&app, ask.site()?).await?;
    let of = |words: &std::collections::BTreeMap<String, KnownWord>| -> Value {
        let mut all: Vec<(&String, &KnownWord)> = words.iter().collect();
        all.sort_by_key(|(word, n)| (-(n.visits + n.links), *word));
        all.into_iter().map(|(word, n)| json!({"word": word, "links": n.links, "visits": n.visits})).collect()
    };
    Reply::json(&json!({
        "utm_source": of(&known.source), "utm_medium": of(&known.medium), "utm_campaign": of(&known.campaign),
        "utm_term": of(&known.term), "utm_content": of(&known.content),
    }))
}

/// `GET /api/sites/{site}/links/{link}`
pub async fn show(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let id = id(&ask)?;
    flow::write_down(&app).await?;
    let now = app.clock.now();
    let (from, to) = (site.zone.day(now.plus_ms(-(DAYS - 1) * DAY_MS)), site.zone.day(now));
    let since = site.zone.start(from);
    let found = app
        .store
        .read(site.id, move |c| {
            let Some(link) = short_links::find(c, id)? else { return Ok(None) };
            let tally = short_links::tally(c, id)?;
            Ok(Some((link, tally, links::days(c, id, from, to)?, links::origins(c, id, since)?)))
        })
        .await?;
    let Some((link, tally, days, Origins { referrers, countries, devices })) = found else { return Err(unknown(id)) };
    let mut answer = line(&app, site, &link, &tally);
    let days: Vec<Value> =
        days.iter().map(|d| json!({"day": d.day.to_string(), "clicks": d.clicks, "bots": d.bots, "visits": d.visits})).collect();
    answer["days"] = Value::from(days);
    answer["from"] = Value::from(from.to_string());
    answer["until"] = Value::from(to.to_string());
    answer["referrers"] = shown::facet(&referrers);
    answer["countries"] = shown::facet(&countries);
    answer["devices"] = shown::facet(&devices);
    Reply::json(&answer)
}

/// `POST /api/sites/{site}/links/{link}`
pub async fn change(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let id = id(&ask)?;
    let fields = reader::object(&ask.body)?;
    let label = match fields.get("label") {
        None => None,
        Some(_) => Some(flow::read_label(reader::text(&fields, "label", 300)?)?),
    };
    let is_ended = match fields.get("ended") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(is_ended)) => Some(*is_ended),
        Some(_) => return Err(Error::invalid("ended", "ended is true or false.")),
    };
    let changed = flow::change(&app, site.id, id, Changes { label, is_ended }, &ask.who()).await?;
    let tally = app.store.read(site.id, move |c| short_links::tally(c, id)).await?;
    Reply::json(&line(&app, site, &changed, &tally))
}

/// `GET /api/sites/{site}/links.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/links.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    flow::write_down(&app).await?;
    let wanted = wanted(&app, &ask, &site)?;
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-links", site.slug);
    let page = move |cursor| {
        let (app, site, wanted) = (app.clone(), site.clone(), wanted.clone());
        async move {
            let question = move |c: &SiteConn| short_links::page(c, &wanted, cursor, exports::PAGE);
            let (lines, next) = app.store.read(site.id, question).await?;
            let text = match format {
                Format::Csv => {
                    let rows: Vec<Vec<Cell>> = lines.iter().map(|(link, tally)| cells(&app, &site, link, tally)).collect();
                    exports::csv_lines(&rows)?
                }
                Format::Jsonl => exports::json_lines(lines.iter().map(|(link, tally)| line(&app, &site, link, tally))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn wanted(app: &App, ask: &Ask, site: &Site) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    let (from, to) = asked.span(&site.zone, app.clock.now())?.times(&site.zone);
    Ok(Wanted { search: asked.search()?.map(str::to_lowercase), from, to })
}

fn id(ask: &Ask) -> Result<LinkId> {
    ask.param("link").parse().map_err(|()| Error::not_found("A link's id looks like link_4."))
}

fn unknown(id: LinkId) -> Error {
    Error::not_found(format!("There is no {id} on this site."))
}

fn wish(fields: &Map<String, Value>) -> Result<Wish> {
    // Longer ones are refused in the words of their own rule.
    let text = |name: &str| reader::text(fields, name, 4_000).map(|text| text.map(str::to_owned));
    Ok(Wish {
        to: reader::required(fields, "to", 4_000)?.to_owned(),
        utm_source: text("utm_source")?,
        utm_medium: text("utm_medium")?,
        utm_campaign: text("utm_campaign")?,
        utm_term: text("utm_term")?,
        utm_content: text("utm_content")?,
        affiliate: text("affiliate")?,
        label: text("label")?,
    })
}

/// The address that people are given.
fn url(app: &App, link: &ShortLink) -> String {
    format!("{}/l/{}", app.config.public_url.trim_end_matches('/'), link.code)
}

/// Where it leads, and whether it does.
fn standing(site: &Site, link: &ShortLink) -> (String, &'static str) {
    match Way::new(&link.target, &link.words, &site.domains) {
        None => (link.target.clone(), "away"),
        Some(way) => (way.plain(), if link.ended_at.is_some() { "ended" } else { "open" }),
    }
}

/// One link as lists show it, and as the command line prints it.
pub fn line(app: &App, site: &Site, link: &ShortLink, tally: &Tally) -> Value {
    let utm = &link.words.utm;
    let (to, state) = standing(site, link);
    let time = |at: Option<Time>| shown::maybe_time(&site.zone, at);
    json!({
        "link": link.id,
        "code": link.code,
        "url": url(app, link),
        "to": to,
        "target": link.target,
        "label": link.label,
        "utm_source": utm.source,
        "utm_medium": utm.medium,
        "utm_campaign": utm.campaign,
        "utm_term": utm.term,
        "utm_content": utm.content,
        "affiliate": link.words.affiliate,
        "clicks": tally.clicks,
        "bots": tally.bots,
        "visits": tally.visits,
        "conversions": tally.conversions,
        "net": shown::money(own_net(site, tally)),
        "net_by_currency": shown::moneys(&tally.net),
        "last_click_at": time(tally.last_click_at),
        "created_at": shown::time(&site.zone, link.created_at),
        "ended_at": time(link.ended_at),
        "who": link.who,
        "state": state,
    })
}

/// What is left of its sales in the site's currency; others stand beside it and are never added.
fn own_net(site: &Site, tally: &Tally) -> Money {
    tally.net.iter().find(|net| net.currency == site.currency).copied().unwrap_or(Money::zero(site.currency))
}

fn others(site: &Site, tally: &Tally) -> String {
    tally.net.iter().filter(|net| net.currency != site.currency).map(Money::to_string).collect::<Vec<_>>().join("; ")
}

fn cells(app: &App, site: &Site, link: &ShortLink, tally: &Tally) -> Vec<Cell> {
    let utm = &link.words.utm;
    let (to, state) = standing(site, link);
    let time = |zone: &Zone, at: Option<Time>| Cell::maybe(at.map(|at| zone.text(at)));
    vec![
        Cell::text(link.id.to_string()),
        Cell::text(url(app, link)),
        Cell::text(to),
        Cell::maybe(link.label.as_deref()),
        Cell::maybe(utm.source.as_deref()),
        Cell::maybe(utm.medium.as_deref()),
        Cell::maybe(utm.campaign.as_deref()),
        Cell::maybe(utm.term.as_deref()),
        Cell::maybe(utm.content.as_deref()),
        Cell::maybe(link.words.affiliate.as_deref()),
        Cell::number(tally.clicks),
        Cell::number(tally.bots),
        Cell::number(tally.visits),
        Cell::number(tally.conversions),
        Cell::number(own_net(site, tally).decimal()),
        Cell::text(site.currency.to_string()),
        Cell::text(others(site, tally)),
        time(&site.zone, tally.last_click_at),
        time(&site.zone, Some(link.created_at)),
        Cell::text(state),
    ]
}
