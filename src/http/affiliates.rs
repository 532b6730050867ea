//! Partners who send buyers for a commission: listed, added, changed, paid. Their figures, their statements and the questions
//! of the conversions API stand below.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::affiliate::claim;
use crate::domain::ids::{AffiliateId, ConversionId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::days;
use crate::error::{Error, Result};
use crate::flows::affiliates::{self as flow, AffiliateForm};
use crate::store::affiliates::{self, Affiliate, Code, commissions};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

/// What is due, as a file for the bank.
pub mod bank;
/// Figures of some days.
pub mod figures;
/// The conversions API's own two questions.
pub mod kept;
/// What one partner earned in a month, and the links to it.
pub mod statement;

const BODY: &str = r#"{"name":"Noor","codes":["noor"],"coupons":["NOOR10"],"commission":["10%","lead=2.00"],"email":"noor@mail.example","payout":"AE07 0331 2345 6789 0123 456","cookie_days":60,"hold_days":30}"#;
const ONE: &str = r#"{"affiliate":"affiliate_1","name":"Noor","codes":["noor"],"coupons":["NOOR10"],"commission":["10%"],"terms":"10% of each sale","state":"active","owed":[]}"#;

pub const LIST: Doc = Doc::new("Affiliates", "Partners with their codes, terms, and what is due to them now.")
    .answer(r#"{"items":[{"affiliate":"affiliate_1","name":"Noor","codes":["noor"],"state":"active","owed":[{"minor":1200,"currency":"EUR"}]}],"rule":"…","without_account":[{"affiliate":"affiliate_2","name":"Karim","owed":[{"minor":500,"currency":"EUR"}]}]}"#);
pub const CSV: Doc = Doc::new("Affiliates", "The same as CSV.").answer("affiliate,name,…").of_type("text/csv");
pub const JSONL: Doc = Doc::new("Affiliates", "The same, one JSON object a line.").answer("{}").of_type("application/x-ndjson");
pub const ADD: Doc = Doc::new(
    "Affiliates",
    "Adds a partner: codes for links (`?ref=CODE`), coupons, and what is paid: 10%, 5.00, lead=2.00, product:SKU=15%.",
)
.body(BODY)
.answer(ONE)
.statuses(&[201, 409, 422]);
pub const CHANGE: Doc = Doc::new(
    "Affiliates",
    "Changes a partner, or pauses one (`paused`). New terms hold for sales that become known from now on; known ones keep theirs.",
)
.body(r#"{"commission":["12%"],"paused":false}"#)
.answer(ONE)
.statuses(&[200, 404, 409, 422]);
pub const ERASE: Doc =
    Doc::new("Affiliates", "Anonymises a partner: name, address and bank account go, what was earned stays in the books.")
        .body("{}")
        .nothing()
        .statuses(&[204, 404]);
pub const DECIDE: Doc = Doc::new("Affiliates", "The owner's word on one commission: approve pays it before its time or in spite of a flag, refuse takes it back, wait takes the word back.")
    .body(r#"{"verdict":"approve","note":"A gift for her sister."}"#)
    .nothing()
    .statuses(&[204, 404, 409, 422]);
pub const PAY: Doc = Doc::new(
    "Affiliates",
    "Notes that what is due was sent, with its day and reference; with `amounts` only if just that is due. We send no money.",
)
.body(r#"{"paid_on":"2026-07-01","reference":"TRX 4711","amounts":[{"minor":1200,"currency":"EUR"}]}"#)
.answer(r#"{"paid":[{"payout":"payout_1","amount":{"minor":1200,"currency":"EUR"}}]}"#)
.statuses(&[200, 404, 409, 422]);
pub const CLOSE: Doc =
    Doc::new("Affiliates", "Makes the statements of a month, and of all before it, final: what they show is written down and changes no more. What becomes known later stands in the first month that is open.")
        .body(r#"{"month":"2026-05"}"#)
        .nothing()
        .statuses(&[204, 422]);

/// A partner with codes and what is due.
pub struct Shown {
    pub partner: Affiliate,
    pub codes: Vec<String>,
    pub coupons: Vec<String>,
    pub owed: Vec<Money>,
}

/// Everybody, in the order in which they were added.
pub fn everybody(c: &SiteConn, now: crate::domain::time::Time) -> Result<Vec<Shown>> {
    let codes = affiliates::list_codes(c)?;
    let of = |id: AffiliateId, kind: &str| codes.iter().filter(|k| k.affiliate == id && k.kind == kind).map(|k| k.shown.clone()).collect();
    let mut owed = commissions::owed_to_all(c, now)?;
    let shown = |partner: Affiliate| {
        let id = partner.id;
        Shown { partner, codes: of(id, "code"), coupons: of(id, "coupon"), owed: owed.remove(&id).unwrap_or_default() }
    };
    Ok(affiliates::list(c)?.into_iter().map(shown).collect())
}

/// Whose each code is, as codes are compared.
pub fn partner_of(codes: &[Code]) -> BTreeMap<String, AffiliateId> {
    codes.iter().filter(|k| k.kind == "code").map(|k| (k.value.clone(), k.affiliate)).collect()
}

/// `GET /api/sites/{site}/affiliates`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let now = app.clock.now();
    let (all, closed) = app.store.read(site.id, move |c| Ok((everybody(c, now)?, affiliates::closed_month(c)?))).await?;
    let items: Vec<Value> = all.iter().map(|one| line(site, one)).collect();
    let model = site.settings.affiliate_model;
    Reply::json(&json!({
        "items": items,
        "rule": format!("{} {}", claim::RULE, model.sentence()),
        "closed_month": closed.map(|day| day.to_string()[..7].to_owned()),
        "without_account": bank::shown_without_account(all.iter()),
    }))
}

pub fn line(site: &Site, one: &Shown) -> Value {
    let p = &one.partner;
    let link = one.codes.first().zip(site.domains.first()).map(|(code, domain)| link_of(domain, code));
    json!({
        "affiliate": p.id,
        "name": p.name,
        "email": p.email,
        "phone": p.phone,
        "payout": p.payout,
        "codes": one.codes,
        "coupons": one.coupons,
        "commission": p.terms.texts(),
        "terms": p.terms.words(),
        "cookie_days": p.cookie_days,
        "hold_days": p.hold_days,
        "state": state(p),
        "link": link,
        "owed": shown::moneys(&one.owed),
        "created_at": shown::time(&site.zone, p.created_at),
    })
}

/// What the partner puts into posts and mails.
fn link_of(domain: &str, code: &str) -> String {
    let code: String = url::form_urlencoded::byte_serialize(code.as_bytes()).collect();
    format!("https://{domain}/?ref={code}")
}

pub fn state(partner: &Affiliate) -> &'static str {
    match (partner.erased_at, partner.is_paused()) {
        (Some(_), _) => "erased",
        (None, true) => "paused",
        (None, false) => "active",
    }
}

/// `GET /api/sites/{site}/affiliates.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/affiliates.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 12] =
    ["affiliate", "name", "email", "payout", "codes", "coupons", "commission", "cookie_days", "hold_days", "state", "owed", "created_at"];

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let now = app.clock.now();
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-affiliates", site.slug);
    let page = move |_| {
        let (app, site) = (app.clone(), site.clone());
        async move {
            let all = app.store.read(site.id, move |c| everybody(c, now)).await?;
            let text = match format {
                Format::Csv => exports::csv_lines(&all.iter().map(|one| cells(&site, one)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(all.iter().map(|one| line(&site, one))),
            };
            Ok((text, None))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn cells(site: &Site, one: &Shown) -> Vec<Cell> {
    let p = &one.partner;
    vec![
        Cell::text(p.id.to_string()),
        Cell::text(p.name.as_str()),
        Cell::maybe(p.email.as_deref()),
        Cell::maybe(p.payout.as_deref()),
        Cell::text(one.codes.join(" ")),
        Cell::text(one.coupons.join(" ")),
        Cell::text(p.terms.texts().join("; ")),
        Cell::number(p.cookie_days),
        Cell::number(p.hold_days),
        Cell::text(state(p)),
        Cell::text(one.owed.iter().map(Money::to_string).collect::<Vec<_>>().join("; ")),
        Cell::text(site.zone.text(p.created_at)),
    ]
}

/// `POST /api/sites/{site}/affiliates`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let form = form(&reader::object(&ask.body)?)?;
    let id = flow::add(&app, &site, form, &ask.who()).await?;
    Reply::json_with(201, &one(&app, &site, id).await?)
}

/// `POST /api/sites/{site}/affiliates/{affiliate}`
pub async fn change(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let id = affiliate(&ask)?;
    let form = form(&reader::object(&ask.body)?)?;
    flow::change(&app, &site, id, form, &ask.who()).await?;
    Reply::json(&one(&app, &site, id).await?)
}

/// One partner as the list shows it.
pub async fn one(app: &App, site: &Site, id: AffiliateId) -> Result<Value> {
    let now = app.clock.now();
    let all = app.store.read(site.id, move |c| everybody(c, now)).await?;
    let found = all.iter().find(|one| one.partner.id == id).ok_or_else(|| Error::internal("the partner just saved is not there"))?;
    Ok(line(site, found))
}

/// `POST /api/sites/{site}/affiliates/{affiliate}/erase`
pub async fn erase(app: App, ask: Ask) -> Result<Reply> {
    flow::erase(&app, ask.site()?.id, affiliate(&ask)?, &ask.who()).await?;
    Ok(Reply::empty(204))
}

/// `POST /api/sites/{site}/affiliates/{affiliate}/commissions/{conversion}`
pub async fn decide(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    let verdict = match reader::required(&fields, "verdict", 20)? {
        "approve" => Some("approved"),
        "refuse" => Some("refused"),
        "wait" => None,
        _ => return Err(Error::invalid("verdict", "verdict is approve, refuse or wait.")),
    };
    let note = reader::text(&fields, "note", 1_000)?.map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned);
    let conversion: ConversionId = ask.param("conversion").parse().map_err(|()| Error::not_found("There is no such conversion."))?;
    flow::decide(&app, &ask.site()?.clone(), affiliate(&ask)?, conversion, verdict, note, &ask.who()).await?;
    Ok(Reply::empty(204))
}

/// `POST /api/sites/{site}/affiliates/{affiliate}/pay`
pub async fn pay(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let id = affiliate(&ask)?;
    let fields = reader::object(&ask.body)?;
    let today = site.zone.day(app.clock.now());
    let paid_on = match reader::text(&fields, "paid_on", 10)?.filter(|t| !t.is_empty()) {
        None => today,
        Some(text) => days::day("paid_on", text).map_err(|_| Error::invalid("paid_on", "paid_on is a day like 2026-07-01."))?,
    };
    if paid_on > today {
        return Err(Error::invalid("paid_on", "This day has not come yet."));
    }
    let reference = reader::text(&fields, "reference", 1_000)?.unwrap_or_default();
    let expected = fields.get("amounts").filter(|a| !a.is_null()).map(amounts).transpose()?;
    let paid = flow::pay(&app, site.id, id, (paid_on, reference), expected, &ask.who()).await?;
    let paid: Vec<Value> = paid.iter().map(|(payout, amount)| json!({"payout": payout, "amount": shown::money(*amount)})).collect();
    Reply::json(&json!({"paid": paid, "paid_on": paid_on.to_string()}))
}

fn amounts(value: &Value) -> Result<Vec<Money>> {
    let wrong = || Error::invalid("amounts", "amounts is a list of what was sent, such as [{\"minor\": 4634, \"currency\": \"EUR\"}].");
    let one = |item: &Value| Some(Money::new(item["minor"].as_i64()?, Currency::parse(item["currency"].as_str()?)?));
    value.as_array().ok_or_else(wrong)?.iter().map(|item| one(item).ok_or_else(wrong)).collect()
}

/// `POST /api/sites/{site}/affiliates/close`
pub async fn close(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    let month = flow::month("month", reader::required(&fields, "month", 7)?)?;
    flow::close(&app, &ask.site()?.clone(), month, &ask.who()).await?;
    Ok(Reply::empty(204))
}

pub fn affiliate(ask: &Ask) -> Result<AffiliateId> {
    ask.param("affiliate").parse().map_err(|()| Error::not_found("There is no such partner."))
}

fn form(fields: &Map<String, Value>) -> Result<AffiliateForm> {
    let text = |name: &str| Ok::<_, Error>(reader::text(fields, name, 1_000)?.map(str::to_owned));
    let number = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(days) => Ok(Some(days)),
            None => Err(Error::invalid(name, format!("{name} is a number of days."))),
        },
    };
    Ok(AffiliateForm {
        name: text("name")?,
        email: text("email")?,
        phone: text("phone")?,
        payout: text("payout")?,
        codes: texts(fields, "codes")?,
        coupons: texts(fields, "coupons")?,
        commission: texts(fields, "commission")?,
        cookie_days: number("cookie_days")?,
        hold_days: number("hold_days")?,
        paused: match fields.get("paused") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(paused)) => Some(*paused),
            Some(_) => return Err(Error::invalid("paused", "paused is true or false.")),
        },
    })
}

/// A list of texts, or one text alone.
fn texts(fields: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>> {
    let wrong = || Error::invalid(name, format!("{name} is a list of texts."));
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(one)) => Ok(Some(vec![one.clone()])),
        Some(Value::Array(all)) if all.len() <= 100 => {
            all.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_>>().map(Some)
        }
        Some(_) => Err(wrong()),
    }
}
