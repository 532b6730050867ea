//! The show-up funnel: who booked on some days, whether they came, what they bought and what it has cost to have them there;
//! and the line of each of them over all systems.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::funnel::{First, Names, kind, names, over, page_of, second, seconds, shown_origin, shown_quarters, shown_who};
use super::tables::file;
use super::{Wanted, query, read};
use crate::app::App;
use crate::domain::ids::ContactId;
use crate::domain::money::{Currency, Money};
use crate::domain::question::Asked;
use crate::domain::question::rate::{FEW, range, rate};
use crate::domain::question::reached::Quarters;
use crate::domain::question::show_up::Shown;
use crate::domain::spend::cost_of_one;
use crate::error::{Error, Result};
use crate::store::questions::contacts;
use crate::store::questions::show_up::{self, Group, Happened, Part, Somebody, Times};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::spend;
use crate::store::trails::Trails;

pub const SHOW_UP: Doc = Doc::new(
    "Reports",
    "Everybody who booked on these days (an appointment, a registration, a ticket), from the lead to the refund, as known by now: came; no_show (somebody said so, or others were seen to come to that event and they were not); not_told (its time passed more than a day ago, and nobody has said of anybody whether they came); cancelled; open (still to come, or no time was told). settled is came and no_show: the rates are of those, so that what nobody tells is no no-show. These are people, each counted once; bookings has the same of single bookings, of which one person may have several, and the costs per booking and per attended booking are of those. Money is what was bought since the booking, less what went back; by where people first came from, with what that has cost.",
)
.query(query::SHOW_UP)
.answer(r#"{"total":{"booked":118,"came":80,"no_show":20,"not_told":11,"cancelled":5,"open":2,"bought":40,"refunded":3,"no_show_rate":0.2,"bookings":{"made":131,"came":86,"no_show_rate":0.2},"net":[],"cost_per_attended":{"minor":1250,"currency":"EUR"}},"items":[],"seconds":{"came":{"lower":60,"median":300,"upper":4000}}}"#)
.statuses(&[200, 400]);
pub const SHOW_UP_CSV: Doc = Doc::new(
    "Reports",
    "The same as CSV: a line for all, and one for each group. Money of another currency stands in a line of its own, under the same name.",
)
.query(query::SHOW_UP)
.answer("source,booked,…")
.of_type("text/csv")
.statuses(&[200, 400]);
pub const PEOPLE: Doc = Doc::new("Reports", "Who booked on these days, each as one line; the last first, masked.")
    .query(query::SHOW_UP_PEOPLE)
    .answer(r#"{"items":[{"who":{"display":"ni••••@••••.ie","contact":"contact_7"},"kind":"contact","outcome":"came","booked_at":"2026-06-13T10:20:00+01:00","came_at":null,"first":{"source":"google"}}],"next":null,"total":20}"#)
    .statuses(&[200, 400]);
pub const LINE: Doc = Doc::new(
    "Reports",
    "Everything that happened to a contact, from the first visit to the refund, as whoever told it said.",
)
.answer(
    r#"{"items":[{"at":"2026-06-13T10:20:00+01:00","what":"event_attended","source":"zoom","name":"Webinar","minutes":42,"amount":null}]}"#,
)
.statuses(&[200, 404]);

const ORDER: &str = "show_up";

struct Worked {
    answer: Arc<show_up::Answer>,
    /// By group, by currency; none where nothing was spent.
    spent: Option<HashMap<String, BTreeMap<String, i64>>>,
    first: Arc<First>,
}

async fn work(app: &App, ask: &Ask, site: &Arc<Site>) -> Result<Worked> {
    let wanted = read(app, ask, site)?;
    let first = Arc::new(First::of(ask, &wanted)?);
    let times = times(app, &wanted, site);
    let (of, by, asked) = (site.clone(), first.clone(), wanted.clone());
    let (answer, spent) =
        over(app, site, move |c, trails| Ok((by.with(&of, |by| show_up::answer(c, trails, times, by)), spent(c, &of, &asked, &by)?)))
            .await?;
    Ok(Worked { answer, spent, first })
}

fn times(app: &App, wanted: &Wanted, site: &Site) -> Times {
    let (from_s, to_s) = seconds(wanted, site);
    // To the minute: within one, the same question has the same answer.
    let now_s = app.clock.now().s() / 60 * 60;
    Times { from_s, to_s, now_s: u32::try_from(now_s).unwrap_or(u32::MAX) }
}

/// What was spent on the days of the bookings, by the same names.
fn spent(c: &SiteConn, site: &Site, wanted: &Wanted, first: &First) -> Result<Option<HashMap<String, BTreeMap<String, i64>>>> {
    if !wanted.with_spend {
        return Ok(None);
    }
    let places = spend::by_place(c, wanted.days)?;
    if places.is_empty() {
        return Ok(None);
    }
    let mut all: HashMap<String, BTreeMap<String, i64>> = HashMap::new();
    first.with(site, |by| {
        for (place, moneys) in places {
            if by.filter.admits_visit(&place.0, &place.1, &place.2) {
                let group = all.entry((by.name)(&place)).or_default();
                moneys.into_iter().for_each(|(currency, minor)| *group.entry(currency).or_default() += minor);
            }
        }
    });
    Ok(Some(all))
}

/// A row: its name, those in it, and what they have cost.
type Row = (String, Group, Option<BTreeMap<String, i64>>);

/// The most bookings first; equals by name. Where something was spent and nobody booked, a row says so.
fn rows(worked: &Worked) -> (Row, Vec<Row>) {
    let cost = |name: &str| worked.spent.as_ref().map(|all| all.get(name).cloned().unwrap_or_default());
    let mut all: Vec<Row> = worked.answer.groups.iter().map(|(name, group)| (name.clone(), group.clone(), cost(name))).collect();
    for (name, moneys) in worked.spent.iter().flatten() {
        if !worked.answer.groups.iter().any(|(known, _)| known == name) {
            all.push((name.clone(), Group::default(), Some(moneys.clone())));
        }
    }
    all.sort_by(|(a, x, _), (b, y, _)| y.shown.booked.cmp(&x.shown.booked).then_with(|| a.cmp(b)));
    let mut sum: BTreeMap<String, i64> = BTreeMap::new();
    for (currency, minor) in worked.spent.iter().flat_map(HashMap::values).flatten() {
        *sum.entry(currency.clone()).or_default() += minor;
    }
    ((String::new(), worked.answer.all.clone(), worked.spent.is_some().then_some(sum)), all)
}

/// `GET /api/sites/{site}/reports/show_up`
pub async fn show_up(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let worked = work(&app, &ask, &site).await?;
    let (total, all) = rows(&worked);
    let items: Vec<Value> = all
        .iter()
        .map(|row| {
            let mut shown = shown_row(row, &site);
            shown.insert("name".into(), row.0.as_str().into());
            Value::Object(shown)
        })
        .collect();
    let quarters = |q: Option<Quarters>| q.map_or(Value::Null, shown_quarters);
    let [booked, came, bought, refunded] = worked.answer.quarters.map(quarters);
    ask.shown(json!({
        "total": shown_row(&total, &site),
        "items": items,
        "seconds": {"booked": booked, "came": came, "bought": bought, "refunded": refunded},
        "by": worked.first.by.word(),
    }))
}

/// The figures of people together.
fn shown_row((_, group, spent): &Row, site: &Site) -> Map<String, Value> {
    let (s, b) = (&group.shown, &group.bookings);
    let count = |n: u64| n as i64;
    let share = |part: u64, whole: u64| rate(count(part), count(whole));
    let span = |part: u64, whole: u64| range(count(part), count(whole)).map(|(low, high)| [low, high]);
    let shown = json!({
        "asked": s.asked,
        "booked": s.booked,
        "moved": s.moved,
        "came": s.came,
        "no_show": s.no_show,
        "not_told": s.not_told,
        "cancelled": s.cancelled,
        "open": s.open,
        "settled": s.settled(),
        "bought": s.bought,
        "came_and_bought": s.came_and_bought,
        "refunded": s.refunded,
        "show_rate": share(s.came, s.settled()),
        "show_range": span(s.came, s.settled()),
        "no_show_rate": share(s.no_show, s.settled()),
        "no_show_range": span(s.no_show, s.settled()),
        "net": shown::moneys(&moneys(&group.net)),
        "net_per_attended": shown::maybe_money(per_attended(group, site.currency)),
        "bookings": {
            "made": b.made(),
            "came": b.came,
            "no_show": b.no_show,
            "not_told": b.not_told,
            "cancelled": b.cancelled,
            "open": b.open,
            "settled": b.settled(),
            "show_rate": share(b.came, b.settled()),
            "show_range": span(b.came, b.settled()),
            "no_show_rate": share(b.no_show, b.settled()),
            "no_show_range": span(b.no_show, b.settled()),
        },
        "is_few": count(s.booked) < FEW,
    });
    let mut shown = match shown {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    if let Some(spent) = spent {
        let all: Vec<Money> =
            spent.iter().filter_map(|(code, minor)| Currency::parse(code).map(|currency| Money::new(*minor, currency))).collect();
        shown.insert("spend".into(), shown::moneys(&all));
        shown.insert("cost_per_booking".into(), shown::maybe_money(cost(spent, b.made(), site.currency)));
        shown.insert("cost_per_attended".into(), shown::maybe_money(cost(spent, b.came, site.currency)));
        shown.insert("cost_per_person_who_came".into(), shown::maybe_money(cost(spent, s.came, site.currency)));
        // Never added: each currency has a cost of its own.
        let others = all.iter().filter(|m| m.currency != site.currency && m.minor != 0);
        let other = |m: &Money| {
            json!({
                "currency": m.currency.code(),
                "spend": shown::money(*m),
                "cost_per_booking": shown::maybe_money(cost(spent, b.made(), m.currency)),
                "cost_per_attended": shown::maybe_money(cost(spent, b.came, m.currency)),
            })
        };
        shown.insert("other_currencies".into(), others.map(other).collect());
    }
    shown
}

fn moneys(net: &BTreeMap<Currency, i64>) -> Vec<Money> {
    net.iter().map(|(currency, minor)| Money::new(*minor, *currency)).collect()
}

/// What is left of purchases for each person who came, in the site's currency.
fn per_attended(group: &Group, currency: Currency) -> Option<Money> {
    let net = group.net.get(&currency).copied().unwrap_or(0);
    Money::new(net, currency).average(group.shown.came as i64)
}

/// In one currency; none where nothing was spent in it, or nothing is there to share it.
fn cost(spent: &BTreeMap<String, i64>, of: u64, currency: Currency) -> Option<Money> {
    let minor = spent.get(currency.code()).copied().filter(|minor| *minor != 0)?;
    cost_of_one(minor, i64::try_from(of).ok()?, 1, currency)
}

const COLUMNS: [&str; 24] = [
    "asked",
    "booked",
    "moved",
    "came",
    "no_show",
    "not_told",
    "cancelled",
    "open",
    "bought",
    "refunded",
    "show_rate",
    "no_show_rate",
    "net",
    "net_per_attended",
    "bookings",
    "bookings_came",
    "bookings_missed",
    "bookings_cancelled",
    "bookings_no_show_rate",
    "spend",
    "cost_per_booking",
    "cost_per_attended",
    "cost_per_person_who_came",
    "currency",
];

/// `GET /api/sites/{site}/reports/show_up.csv`
pub async fn show_up_csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let worked = work(&app, &ask, &site).await?;
    let (total, all) = rows(&worked);
    let lines = std::iter::once(&total).chain(&all).flat_map(|row| lines_of(row, &site)).collect();
    let mut head = vec![worked.first.by.word()];
    head.extend(COLUMNS);
    file("show_up", &head, lines)
}

/// The row, and one more of the same name for each other currency in it, without the counts.
fn lines_of(row: &Row, site: &Site) -> Vec<Vec<Cell>> {
    let (_, group, spent) = row;
    let mut currencies: Vec<Currency> = group.net.iter().filter(|(_, minor)| **minor != 0).map(|(currency, _)| *currency).collect();
    let codes = spent.iter().flatten().filter(|(_, minor)| **minor != 0);
    currencies.extend(codes.filter_map(|(code, _)| Currency::parse(code)));
    currencies.retain(|currency| *currency != site.currency);
    currencies.sort_unstable();
    currencies.dedup();
    std::iter::once(site.currency).chain(currencies).map(|currency| cells(row, site, currency)).collect()
}

fn cells(row: &Row, site: &Site, currency: Currency) -> Vec<Cell> {
    let (name, group, spent) = row;
    let (s, b): (&Shown, _) = (&group.shown, &group.bookings);
    let is_own = currency == site.currency;
    let amount = |money: Option<Money>| Cell::maybe_number(money.map(|m| m.decimal()));
    let count = |n: u64| if is_own { Cell::number(n) } else { Cell::Empty };
    let share = |part: u64, whole: u64| Cell::maybe_number(rate(part as i64, whole as i64).filter(|_| is_own));
    let mut all = vec![Cell::text(name.clone())];
    all.extend([s.asked, s.booked, s.moved, s.came, s.no_show, s.not_told, s.cancelled, s.open, s.bought, s.refunded].map(count));
    all.extend([share(s.came, s.settled()), share(s.no_show, s.settled())]);
    all.push(amount(Some(Money::new(group.net.get(&currency).copied().unwrap_or(0), currency))));
    all.push(amount(per_attended(group, currency)));
    all.extend([b.made(), b.came, b.no_show, b.cancelled].map(count));
    all.push(share(b.no_show, b.settled()));
    let of = |moneys: &BTreeMap<String, i64>| Money::new(moneys.get(currency.code()).copied().unwrap_or(0), currency);
    all.push(amount(spent.as_ref().map(of)));
    for parts in [b.made(), b.came, s.came] {
        all.push(amount(spent.as_ref().and_then(|spent| cost(spent, parts, currency))));
    }
    all.push(Cell::text(currency.code()));
    all
}

/// `GET /api/sites/{site}/reports/show_up/people`
pub async fn people(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let report = read(&app, &ask, &site)?;
    let first = First::of(&ask, &report)?;
    let times = times(&app, &report, &site);
    let asked = Asked(&ask.query);
    let part = asked.word("part", &Part::words())?.and_then(Part::parse).unwrap_or(Part::Booked);
    let wanted = page_of(asked, ORDER)?;
    let (of, first) = (site.clone(), Arc::new(first));
    let (total, items, next) = over(&app, &site, move |c, trails| {
        let page = first.with(&of, |by| show_up::people(trails, times, by, part, wanted));
        let names = names(c, page.people.iter().map(|s| s.person))?;
        let shown: Vec<Value> = page.people.iter().map(|s| shown_line(s, &names, trails, &of)).collect();
        Ok((page.total, shown, page.next))
    })
    .await?;
    ask.shown(json!({"items": items, "next": next.map(|cursor| cursor.text(ORDER)), "total": total}))
}

fn shown_line(s: &Somebody, names: &Names, trails: &Trails, site: &Site) -> Value {
    let line = &s.line;
    let maybe = |at: Option<u32>| at.map_or(Value::Null, |at| second(at, site));
    json!({
        "who": shown_who(s.person, names),
        "kind": kind(s.person),
        "outcome": line.outcome.word(),
        "asked_at": maybe(line.asked_s),
        "booked_at": second(line.booked_s, site),
        "moved_at": maybe(line.moved_s),
        "due_at": maybe(line.due_s),
        "came_at": maybe(line.came_s),
        "bought_at": maybe(line.bought_s),
        "refunded_at": maybe(line.refunded_s),
        "net": shown::moneys(&moneys(&s.net)),
        "first": shown_origin(trails.words_of(s.origin), site),
    })
}

/// `GET /api/sites/{site}/reports/show_up/line/{id}`
pub async fn line(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let unknown = || Error::not_found("There is no such contact.");
    let id: ContactId = ask.param("id").parse().map_err(|()| unknown())?;
    let found = app
        .store
        .read(site.id, move |c| match contacts::find(c, id)? {
            Some(contact) => show_up::happened(c, contact.line.id.number()).map(Some),
            None => Ok(None),
        })
        .await?;
    let all = found.ok_or_else(unknown)?;
    let items: Vec<Value> = all.iter().map(|h| shown_happened(h, &site)).collect();
    ask.shown(json!({"items": items}))
}

fn shown_happened(h: &Happened, site: &Site) -> Value {
    json!({
        "at": shown::time(&site.zone, h.at),
        "what": h.what,
        "source": (!h.source.is_empty()).then_some(h.source.as_str()),
        "name": h.label,
        "starts_at": shown::maybe_time(&site.zone, h.starts_at),
        "minutes": h.minutes,
        "amount": shown::maybe_money(h.amount),
    })
}
