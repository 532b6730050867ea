//! What whoever has a share link is shown: figures and lists of its part. The lists' answers are built here field by field,
//! so that nothing that a list of the dashboard learns later to tell can slip in.

use serde_json::{Value, json};

use super::access::SHARE_COOKIE;
use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::{assets, headers, shown};
use crate::app::App;
use crate::crypto::Secret;
use crate::domain::channel::channel;
use crate::domain::conversion::ConversionKind;
use crate::domain::question::{Asked, Choice, ConversionFilter};
use crate::domain::sight::Sight;
use crate::domain::time::Zone;
use crate::error::Result;
use crate::flows::shares;
use crate::store::questions::conversions::{self, Line, Order, Wanted};
use crate::store::sites::Site;

/// Search engines are asked not to list what was only sent to somebody.
const NOT_LISTED: &str = "noindex, nofollow, noarchive";
/// A password that was typed holds for half a day.
const COOKIE_S: i64 = 12 * 3_600;

pub const PAGE: Doc = Doc::new("Sharing", "The page of a share link.").answer("<!doctype html>…").of_type("text/html");
pub const LOOK: Doc = Doc::new("Sharing", "What a share link shows, and whether it wants a password. Counts as a view once it is open.")
    .answer(r#"{"name":"For the agency","site":"Shop","currency":"EUR","zone":"Europe/Dublin","locked":false,"pages":["overview"],"segment":{"source":["google"]},"hides_money":false,"hides_people":true,"expires_at":null}"#)
    .statuses(&[200, 404, 429]);
pub const OPEN: Doc =
    Doc::new("Sharing", "Gives the password of a share link.").body(r#"{"password":"…"}"#).nothing().statuses(&[204, 401, 404, 429]);
const QUERY: &[(&str, &str)] = &[
    ("from", "first day, 2026-06-01; without it, all time"),
    ("to", "last day, included"),
    ("source", "credited; within the link's part"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];
pub const CONVERSIONS: Doc = Doc::new("Sharing", "Conversions of the link's part, the newest first.")
    .query(QUERY)
    .answer(r#"{"items":[],"next":null,"count":0,"amounts":[],"net":[],"statuses":[]}"#)
    .statuses(&[200, 400]);
pub const CONVERSIONS_CSV: Doc =
    Doc::new("Sharing", "The same as CSV, all rows.").query(QUERY).answer("happened_at,kind,…").of_type("text/csv").statuses(&[200, 400]);
pub const ORDERS: Doc = Doc::new("Sharing", "Orders of the link's part, the newest first, with how many are paid, refunded, cancelled.")
    .query(QUERY)
    .answer(r#"{"items":[],"next":null,"count":0,"amounts":[],"net":[],"statuses":[]}"#)
    .statuses(&[200, 400]);
pub const ORDERS_CSV: Doc =
    Doc::new("Sharing", "The same as CSV, all rows.").query(QUERY).answer("happened_at,kind,…").of_type("text/csv").statuses(&[200, 400]);
pub const LEADS: Doc = Doc::new("Sharing", "Leads of the link's part, the newest first, with how many stand where.")
    .query(QUERY)
    .answer(r#"{"items":[],"next":null,"count":0,"amounts":[],"net":[],"statuses":[{"value":"new","count":3}]}"#)
    .statuses(&[200, 400]);
pub const LEADS_CSV: Doc =
    Doc::new("Sharing", "The same as CSV, all rows.").query(QUERY).answer("happened_at,kind,…").of_type("text/csv").statuses(&[200, 400]);

/// `GET /s/{share}`
pub async fn page(app: App, ask: Ask) -> Result<Reply> {
    let reply = assets::page("index.html")?.with("x-robots-tag", NOT_LISTED);
    // A link that is not there has the same page: its script says so.
    match shares::find(&app, ask.param("share"), ask.client, ask.is_proxy_itself()).await {
        Ok((share, _)) if !share.frames.is_empty() => Ok(reply.with("content-security-policy", headers::framed_by(&share.frames))),
        _ => Ok(reply),
    }
}

/// `GET /api/shared/{share}`
pub async fn look(app: App, ask: Ask) -> Result<Reply> {
    let token = ask.param("share");
    let (share, site) = shares::find(&app, token, ask.client, ask.is_proxy_itself()).await?;
    if !shares::is_open(&share, &site, token, ask.cookies(SHARE_COOKIE).take(4)) {
        return Ok(Reply::json(&json!({"locked": true, "site": site.name}))?.with("x-robots-tag", NOT_LISTED));
    }
    shares::viewed(&app, &share).await?;
    let shown = json!({
        "locked": false,
        "name": share.name,
        "site": site.name,
        "currency": site.currency.code(),
        "zone": site.zone.name(),
        "pages": share.pages,
        "segment": share.sight.segment,
        "hides_money": share.sight.hides_money,
        "hides_people": share.sight.hides_people,
        "expires_at": share.expires_at.map(|at| site.zone.text(at)),
    });
    Ok(Reply::json(&shown)?.with("x-robots-tag", NOT_LISTED))
}

/// `POST /api/shared/{share}/open`
pub async fn open(app: App, ask: Ask) -> Result<Reply> {
    let token = ask.param("share");
    let fields = reader::object(&ask.body)?;
    let given = Secret::new(reader::required(&fields, "password", 1_000)?);
    let (share, site) = shares::find(&app, token, ask.client, ask.is_proxy_itself()).await?;
    let Some(proof) = shares::proof(&share, &site, token) else { return Ok(Reply::empty(204)) };
    shares::check_password(&app, &share, given, ask.client).await?;
    let kept = match (ask.is_https, share.frames.is_empty()) {
        // In a frame of another site the browser keeps it for that site alone.
        (true, false) => "SameSite=None; Secure; Partitioned",
        (true, true) => "SameSite=Lax; Secure",
        (false, _) => "SameSite=Lax",
    };
    let cookie = format!("{SHARE_COOKIE}={proof}; Path=/api/shared/{token}; Max-Age={COOKIE_S}; HttpOnly; {kept}");
    Ok(Reply::empty(204).with("set-cookie", cookie))
}

/// `GET /api/shared/{share}/conversions`
pub async fn conversions(app: App, ask: Ask) -> Result<Reply> {
    list(app, ask, None).await
}

/// `GET /api/shared/{share}/conversions.csv`
pub async fn conversions_csv(app: App, ask: Ask) -> Result<Reply> {
    csv(app, ask, None).await
}

/// `GET /api/shared/{share}/orders`
pub async fn orders(app: App, ask: Ask) -> Result<Reply> {
    list(app, ask, Some(ConversionKind::Sale)).await
}

/// `GET /api/shared/{share}/orders.csv`
pub async fn orders_csv(app: App, ask: Ask) -> Result<Reply> {
    csv(app, ask, Some(ConversionKind::Sale)).await
}

/// `GET /api/shared/{share}/leads`
pub async fn leads(app: App, ask: Ask) -> Result<Reply> {
    list(app, ask, Some(ConversionKind::Lead)).await
}

/// `GET /api/shared/{share}/leads.csv`
pub async fn leads_csv(app: App, ask: Ask) -> Result<Reply> {
    csv(app, ask, Some(ConversionKind::Lead)).await
}

async fn list(app: App, ask: Ask, kind: Option<ConversionKind>) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = Wanted {
        cursor: Asked(&ask.query).cursor(Order::HappenedAt.word())?,
        limit: Asked(&ask.query).limit()?,
        ..wanted(&app, &ask, &site, kind)?
    };
    let zone = site.zone.clone();
    let page = app.store.read(site.id, move |c| conversions::page(c, &zone, &wanted)).await?;
    let items: Vec<Value> = page.lines.iter().map(|l| line(l, &site.zone, &ask.sight)).collect();
    let shown = json!({
        "items": items,
        "next": page.next.map(|cursor| cursor.text(Order::HappenedAt.word())),
        "count": page.tally.count,
        "amounts": shown::moneys(&page.tally.amounts()),
        "net": shown::moneys(&page.tally.net()),
        "statuses": shown::facet(&page.tally.statuses()),
    });
    Ok(ask.shown(shown)?.with("x-robots-tag", NOT_LISTED))
}

async fn csv(app: App, ask: Ask, kind: Option<ConversionKind>) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = wanted(&app, &ask, &site, kind)?;
    let sight = ask.sight.clone();
    let head = exports::csv_head(&columns(&sight))?;
    let what = match kind {
        Some(ConversionKind::Sale) => "orders",
        Some(ConversionKind::Lead) => "leads",
        _ => "conversions",
    };
    let name = format!("{}-{what}", site.slug);
    let page = move |cursor| {
        let (app, site, sight, wanted) = (app.clone(), site.clone(), sight.clone(), Wanted { cursor, ..wanted.clone() });
        async move {
            let zone = site.zone.clone();
            let (lines, next) = app.store.read(site.id, move |c| conversions::export_page(c, &zone, &wanted)).await?;
            let rows: Vec<Vec<Cell>> = lines.iter().filter(|l| l.counts).map(|l| cells(l, &site.zone, &sight)).collect();
            Ok((exports::csv_lines(&rows)?, next))
        }
    };
    Ok(exports::stream(&name, Format::Csv, head, page).await?.with("x-robots-tag", NOT_LISTED))
}

/// Days and filters may narrow the part. There is no search: a yes or no to an address would tell of a person.
fn wanted(app: &App, ask: &Ask, site: &Site, kind: Option<ConversionKind>) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    let mut filter = ConversionFilter::read(asked)?.within(&ask.sight)?.named_by(&site.rules);
    if let Some(kind) = kind {
        // The page is of this kind, whatever is asked.
        filter.kind = Choice { is: vec![kind.word().to_owned()], ..Choice::default() };
    }
    Ok(Wanted {
        span: asked.span(&site.zone, app.clock.now())?,
        filter,
        search: None,
        may_see_people: false,
        order: Order::HappenedAt,
        cursor: None,
        limit: exports::PAGE,
    })
}

fn line(l: &Line, zone: &Zone, sight: &Sight) -> Value {
    let mut shown = json!({
        "happened_at": shown::time(zone, l.happened_at),
        "kind": l.kind,
        "status": l.status,
        "source": l.source,
        "medium": l.medium,
        "campaign": l.campaign,
        "channel": l.source.as_deref().map(|s| channel(s, l.medium.as_deref().unwrap_or_default(), l.campaign.as_deref())),
        "match": l.match_type,
        "days_to_convert": l.beside.days_to_convert,
    });
    if !sight.hides_money {
        shown["amount"] = shown::maybe_money(l.amount);
        shown["net"] = shown::maybe_money(l.net);
    }
    if !sight.hides_people {
        // An order's number leads whoever knows the shop to its customer.
        shown["label"] = l.label.as_str().into();
        shown["who"] = shown::person(l.beside.email.as_deref(), l.beside.phone.as_deref(), false).into();
    }
    shown
}

fn columns(sight: &Sight) -> Vec<&'static str> {
    let mut all = vec!["happened_at", "kind", "status", "source", "medium", "campaign", "match", "days_to_convert"];
    if !sight.hides_money {
        all.extend(["amount", "net", "currency"]);
    }
    if !sight.hides_people {
        all.extend(["label", "who"]);
    }
    all
}

fn cells(l: &Line, zone: &Zone, sight: &Sight) -> Vec<Cell> {
    let mut all = vec![
        Cell::text(zone.text(l.happened_at)),
        Cell::text(l.kind.as_str()),
        Cell::text(l.status.as_str()),
        Cell::maybe(l.source.as_deref()),
        Cell::maybe(l.medium.as_deref()),
        Cell::maybe(l.campaign.as_deref()),
        Cell::text(l.match_type.as_str()),
        Cell::maybe_number(l.beside.days_to_convert),
    ];
    if !sight.hides_money {
        all.push(Cell::maybe_number(l.amount.map(|m| m.decimal())));
        all.push(Cell::maybe_number(l.net.map(|m| m.decimal())));
        all.push(Cell::maybe(l.amount.map(|m| m.currency.code().to_owned())));
    }
    if !sight.hides_people {
        all.push(Cell::text(l.label.as_str()));
        all.push(Cell::maybe(shown::person(l.beside.email.as_deref(), l.beside.phone.as_deref(), false)));
    }
    all
}
