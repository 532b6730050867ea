//! The receipt of a conversion: what was received, what matched, each touch with its credit under every model, what was
//! sent to whom.

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::conversions::touchpoint;
use super::deliveries;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::book::Book;
use crate::domain::attribution::chat::Band;
use crate::domain::attribution::{Credit, Judged, Link, MatchType, Model, PathTouch, amounts, basis_points, weights, would_change};
use crate::domain::consent::{self, Answer, Consent, Signs};
use crate::domain::conversion::ConversionKind;
use crate::domain::ids::ConnectionId;
use crate::domain::question::{Asked, Lens};
use crate::domain::rights::Right;
use crate::error::{Error, Kind, Result};
use crate::store::questions::conversions;
use crate::store::questions::receipt::{self, Fact, Receipt, Report};
use crate::store::sites::Site;

pub const ONE: Doc =
    Doc::new("Conversions", "The receipt of a conversion, lead, order or inbox row: why it was credited as it was, and what became of it.")
        .query(&[("model", "the lens that is marked"), ("window", "days that the shares go by")])
        .answer(r#"{"conversion":{},"why":{},"received":[],"touches":[],"totals":{},"deliveries":[],"runs":[],"entries":[]}"#)
        .statuses(&[200, 400, 404]);

/// `GET /api/sites/{site}/receipts/{fact}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let lens = Asked(&ask.query).lens(&site.settings.policy)?;
    let name: String = ask.param("fact").chars().take(40).collect();
    let unknown =
        || Error::not_found(format!("There is no conversion for {name}. Receipts are named like conversion_12, lead_7, order_3 or in_4."));
    let fact = Fact::parse(&name).ok_or_else(unknown)?;
    let receipt = app.store.read(site.id, move |c| receipt::find(c, fact)).await?;
    let mut receipt = receipt.filter(|r| conversions::is_within(&r.line, &ask.sight)).ok_or_else(unknown)?;
    // What was received holds both in words, as somebody else wrote them.
    if ask.sight.hides_money || ask.sight.hides_people {
        return Err(Error::new(Kind::Forbidden, "missing_right", "A receipt shows amounts and people, and they are hidden from you."));
    }
    let may_see_people = ask.may_see_people();
    let book = app.book();
    let is_part = !ask.sight.segment.is_open();
    if is_part {
        // What was received may name other visits in the sender's own words, and so may the other models.
        conversions::keep_within(&mut receipt.line, &ask.sight);
        receipt.line.beside.reason = "Credited to what you are shown. Visits from elsewhere before it are not listed.".into();
        receipt.reports.iter_mut().for_each(|r| r.fields.clear());
    }
    let models: Vec<Model> = if is_part { vec![lens.model] } else { lenses(lens) };
    // Shown under the names of the site's rules; what is stored keeps its words, and the receipt says them.
    let came_as = shown::came_as(&receipt.line, &site.rules);
    let stored = receipt.line.beside.path.clone();
    receipt.line.name_by(&site.rules);
    let line = &receipt.line;
    let mut conversion = shown::line(line, &site.zone, lens, lens.is_of_the_books(&site.settings.policy));
    conversion["who"]["display"] = shown::person(line.beside.email.as_deref(), line.beside.phone.as_deref(), may_see_people).into();
    conversion["came_as"] = came_as;
    conversion["erased_at"] = shown::maybe_time(&site.zone, receipt.erased_at);
    // What somebody agreed to goes with them: nothing is told of them any more.
    conversion["consent"] = if receipt.erased_at.is_some() { Value::Null } else { consent_of(&receipt, site) };
    conversion["currency_note"] = currency_note(&receipt, site);
    conversion["flag"] = json!(receipt.flag);
    let (touches, totals) = touches(&receipt, site, lens, &models, &stored);
    Reply::json(&json!({
        "conversion": conversion,
        "why": why(&receipt, is_part),
        "received": received(&receipt, site, &book, may_see_people),
        "models": models.iter().map(|m| m.word()).collect::<Vec<_>>(),
        "model": lens.model.word(),
        "window": lens.window_of(&line.kind).days().map_or(json!("unlimited"), |days| json!(days)),
        "touches": touches,
        "totals": totals,
        "chat": chat(&receipt, site),
        "affiliate": if ask.may(Right::Read) { partner(&receipt, site) } else { Value::Null },
        "deliveries": receipt.deliveries.iter().map(|d| deliveries::shown_line(d, &site.zone, deliveries::Eyes::of(&ask), &book)).collect::<Vec<_>>(),
        "runs": receipt.runs.iter()
            .map(|r| json!({"run": r.run, "at": shown::time(&site.zone, r.at), "why": r.why, "match": r.match_type}))
            .collect::<Vec<_>>(),
        "entries": receipt.entries.iter()
            .map(|e| json!({"kind": e.kind, "amount": shown::maybe_money(e.amount), "happened_at": shown::time(&site.zone, e.happened_at),
                "book_day": e.book_day.to_string(), "note": e.note,
                "told_by": receipt.reports.iter().find(|r| Some(r.id) == e.report).map(|r| reporter(r, &book))}))
            .collect::<Vec<_>>(),
        "may_see_people": may_see_people,
    }))
}

/// Those of the dashboard, and the one asked for if the API alone knows it.
fn lenses(lens: Lens) -> Vec<Model> {
    let mut models = Model::LENSES.to_vec();
    if !models.contains(&lens.model) {
        models.push(lens.model);
    }
    models
}

fn why(receipt: &Receipt, is_part: bool) -> Value {
    let line = &receipt.line;
    let credit = Credit {
        match_type: MatchType::parse(&line.match_type).unwrap_or(MatchType::None),
        is_asserted: line.is_asserted,
        confidence_bp: line.confidence_bp.clamp(0, 10_000) as u16,
        path: line.beside.path.clone(),
        reason: line.beside.reason.clone(),
        also_fits: receipt.also_fits.clone(),
    };
    let kind = ConversionKind::parse(&line.kind).unwrap_or(ConversionKind::Custom);
    let judged = Judged { kind, happened_at: line.happened_at };
    json!({
        "type": line.match_type,
        "asserted": line.is_asserted,
        "confidence_bp": line.confidence_bp,
        "sentence": line.beside.reason,
        "also_fits": receipt.also_fits.iter().map(|l| link_word(*l)).collect::<Vec<_>>(),
        "would_change": if is_part || line.is_erased { Vec::new() } else { would_change(&credit, &judged, &receipt.policy) },
    })
}

fn link_word(link: Link) -> &'static str {
    match link {
        Link::Session => "session",
        Link::Code => "short code",
        Link::Click => "click ID",
        Link::VerifiedEmail => "e-mail",
        Link::VerifiedPhone => "phone",
        Link::CustomerId => "customer ID",
        Link::Coupon => "coupon",
        Link::AssertedEmail => "asserted e-mail",
        Link::AssertedPhone => "asserted phone",
        Link::Imported => "imported",
    }
}

/// Each report as it came. The one that speaks for the conversion has its amount; the others say that they are the same.
fn received(receipt: &Receipt, site: &Site, book: &Book, may_see_people: bool) -> Vec<Value> {
    let speaker = receipt.reports.iter().enumerate().max_by_key(|(i, r)| (r.rank, std::cmp::Reverse(*i))).map(|(i, _)| i);
    let same = match receipt.line.kind.as_str() {
        "sale" => "same sale, counted once",
        "lead" => "same lead, counted once",
        _ => "the same, counted once",
    };
    let show = |(place, r): (usize, &Report)| {
        json!({
            "at": shown::time(&site.zone, r.received_at),
            "happened_at": shown::time(&site.zone, r.happened_at),
            "platform": r.platform,
            "what": r.what,
            "external_id": r.external_id,
            "amount": shown::maybe_money(r.amount),
            "note": (Some(place) != speaker).then_some(same),
            // A file is no body that could be looked at.
            "inbox": r.inbox.filter(|_| r.import.is_none()),
            "import": r.import,
            "reporter": reporter(r, book),
            "fields": shown::fields(&r.fields, may_see_people),
        })
    };
    receipt.reports.iter().enumerate().map(show).collect()
}

fn reporter(r: &Report, book: &Book) -> String {
    if let Some(import) = r.import {
        return format!("a file that you brought in ({import})");
    }
    match r.connection {
        0 => return "the conversions API".into(),
        -2 => return "the page itself".into(),
        n if n < 0 => return "your server, by token".into(),
        _ => {}
    }
    match book.connection(ConnectionId::new(r.connection)) {
        Some(connection) => connection.name.clone(),
        None => "a connection that was removed".into(),
    }
}

/// Columns that add up to the cent: each model splits the whole amount.
fn touches(receipt: &Receipt, site: &Site, lens: Lens, models: &[Model], stored: &[PathTouch]) -> (Vec<Value>, Value) {
    let line = &receipt.line;
    let path = &line.beside.path;
    let mut credit: Vec<Map<String, Value>> = vec![Map::new(); path.len()];
    let mut totals = Map::new();
    for model in models {
        let weights = weights(*model, path, line.happened_at, lens.window_of(&line.kind).days());
        let shares = basis_points(&weights);
        let parts = line.amount.map(|amount| amounts(amount, &weights));
        for (place, share) in shares.iter().enumerate() {
            let amount = parts.as_ref().map(|parts| parts[place]);
            credit[place].insert(model.word().to_owned(), json!({"share_bp": share, "amount": shown::maybe_money(amount)}));
        }
        let whole: u32 = shares.iter().map(|s| u32::from(*s)).sum();
        let amount = parts.and_then(|parts| {
            let currency = parts.first()?.currency;
            Some(crate::domain::money::Money::new(parts.iter().map(|m| m.minor).sum(), currency))
        });
        totals.insert(model.word().to_owned(), json!({"share_bp": whole, "amount": shown::maybe_money(amount)}));
    }
    let touches = path
        .iter()
        .zip(credit)
        .enumerate()
        .map(|(place, (p, credit))| {
            let mut touch = touchpoint(place, p, line, lens, &site.zone);
            touch["credit"] = Value::Object(credit);
            let was = stored.get(place).map(|p| &p.touch).filter(|t| **t != p.touch);
            touch["came_as"] = was.map_or(Value::Null, |t| json!({"source": t.source, "medium": t.medium, "campaign": t.campaign}));
            touch
        })
        .collect();
    (touches, Value::Object(totals))
}

/// What the chats had to do with it: the tier, how sure it is, in one sentence, and the next best.
fn chat(receipt: &Receipt, site: &Site) -> Value {
    let Some(chat) = &receipt.chat else { return Value::Null };
    let at = chat.conversation.and_then(|id| chat.touches.iter().find(|t| t.touch.session == -id.number())).map(|t| t.touch.at);
    json!({
        "method": chat.method.word(),
        "confidence_bp": chat.confidence_bp,
        "band": Band::of(chat.confidence_bp).map(Band::word),
        "conversation": chat.conversation,
        "external_id": chat.external_id,
        "source": chat.platform,
        "at": shown::maybe_time(&site.zone, at),
        "chats": chat.touches.len(),
        "told_late": chat.is_late,
        "earns": receipt.policy.chat_credit,
        "sentence": chat.reason,
        "runner_up": chat.runner_up.as_ref().map(|r| json!({
            "method": r.method.word(), "confidence_bp": r.confidence_bp, "sentence": r.reason,
        })),
    })
}

/// Which partner earns it, why, and what is left of the commission.
fn partner(receipt: &Receipt, site: &Site) -> Value {
    let Some(partner) = &receipt.partner else { return Value::Null };
    let credit = &partner.credit;
    json!({
        "affiliate": credit.affiliate,
        "name": partner.name,
        "code": credit.claim.code,
        "way": credit.claim.way.word(),
        "sentence": credit.reason,
        "terms": credit.terms.as_ref().map(|t| t.words()),
        "earned": shown::moneys(&partner.earned),
        // Money that goes back or is another's after all stands here with its reason, and with the day that it belongs to.
        "booked": partner.booked.iter().map(|line| json!({
            "affiliate": line.affiliate,
            "day": line.book_day.to_string(),
            "own_day": line.own_day.to_string(),
            "amount": shown::maybe_money(line.amount),
            "note": line.note,
        })).collect::<Vec<_>>(),
        "due_at": credit.terms.as_ref().map(|_| site.zone.text(credit.due_at)),
        "flag": credit.flag,
        "verdict": credit.verdict.as_ref().map(|(word, _)| word),
    })
}

/// What marketing consent this conversion goes by, and why: the fact's own word, unless the person refused after it, else the
/// person's newest answer, else the site's rule.
fn consent_of(receipt: &Receipt, site: &Site) -> Value {
    let line = &receipt.line;
    let (marketing, basis) = match (line.consent_given, &receipt.said) {
        (Some(true), Some((Answer::Denied, manager, at))) if *at > line.happened_at.min(line.received_at) => {
            (Answer::Denied, format!("refused after its own consent_given, by {manager}"))
        }
        (Some(true), _) => (Answer::Granted, "its own consent_given".to_owned()),
        (Some(false), _) => (Answer::Denied, "its own consent_given".to_owned()),
        (None, Some((answer, manager, _))) => (*answer, format!("the person's newest answer, by {manager}")),
        (None, None) => {
            let signs = Signs {
                country: line.country.as_deref(),
                time_zone: None,
                goods_ask: line.goods_ask == Some(true),
                site_country: site.country.as_deref(),
            };
            let decision = consent::decide(Consent::UNKNOWN, site.consent, &signs, false);
            let means = if decision.marketing { "may be forwarded" } else { "may not be forwarded" };
            (Answer::Unknown, format!("{}: {means}", decision.basis))
        }
    };
    json!({"marketing": marketing.as_str(), "basis": basis})
}

fn currency_note(receipt: &Receipt, site: &Site) -> Value {
    match receipt.line.amount {
        Some(amount) if amount.currency != site.currency => format!(
            "In {}; the site counts in {}. It stands apart in every sum: currencies are never added.",
            amount.currency, site.currency
        )
        .into(),
        _ => Value::Null,
    }
}
