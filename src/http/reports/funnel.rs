//! Who went how far through a funnel: bars, how long it took, by where people first came from; and who they are.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::super::funnels::shown_funnel;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::tables::{By, file, name_of, named_origin};
use super::{Wanted, patient, query, read};
use crate::app::App;
use crate::domain::channel::channel;
use crate::domain::funnel::{Funnel, Step};
use crate::domain::ids::{ContactId, FunnelId};
use crate::domain::question::rate::{FEW, range, rate};
use crate::domain::question::reached::Quarters;
use crate::domain::question::walk::Rule;
use crate::domain::question::{Asked, ConversionFilter};
use crate::domain::time::{DAY_MS, Time};
use crate::error::{Error, Result};
use crate::flows::funnels::must;
use crate::store::questions::contacts;
use crate::store::questions::funnels::{self, Answer, ByOrigin, Somebody};
use crate::store::questions::people_page::Wanted as WantedPage;
use crate::store::questions::visits::Origin;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::trails::{self, PersonKey, Trails};

pub const FUNNEL: Doc = Doc::new(
    "Reports",
    "A funnel of everybody who took its first step on these days: how many took each step, how many left, and the seconds from the step before (a quarter, half and three quarters of people took no longer); by where they first came from. A person counts once, by the walk that goes furthest; of several the earliest.",
)
.query(query::FUNNEL)
.answer(r#"{"funnel":{},"steps":[{"people":120,"left":0},{"people":40,"left":80,"rate_from_previous":0.33,"rate_from_first":0.33,"seconds":{"lower":60,"median":300,"upper":4000}}],"items":[{"name":"google","people":[80,30]}]}"#)
.statuses(&[200, 400, 404]);
pub const FUNNEL_CSV: Doc = Doc::new("Reports", "The same as CSV: a line for each step, of all and of each group.")
    .query(query::FUNNEL)
    .answer("source,step,people,…")
    .of_type("text/csv")
    .statuses(&[200, 400, 404]);
pub const PEOPLE: Doc = Doc::new("Reports", "Who reached a step, or reached it and went no further; the last first, masked.")
    .query(query::FUNNEL_PEOPLE)
    .answer(r#"{"items":[{"who":{"display":"ni••••@••••.ie","contact":"contact_7"},"kind":"contact","reached":2,"steps":["2026-06-13T10:20:00+01:00"],"first":{"source":"google"}}],"next":null,"total":80}"#)
    .statuses(&[200, 400, 404]);

const ORDER: &str = "funnel";
/// Parts of what is kept of people that are read for one answer at most.
const MOST_PARTS: usize = 400;

/// Whose first visit is asked for, and by what they are put together.
pub struct First {
    pub by: By,
    filter: ConversionFilter,
}

impl First {
    /// People are known by where they first came from, and by nothing else of a sale.
    pub fn of(ask: &Ask, wanted: &Wanted) -> Result<Self> {
        let by = By::read(ask)?;
        if !matches!(by, By::Channel | By::Source | By::Medium | By::Campaign) {
            return Err(Error::parameter("by", "by is channel, source, medium or campaign."));
        }
        let asked = wanted.filter.clone();
        let known = ConversionFilter {
            source: asked.source.clone(),
            medium: asked.medium.clone(),
            campaign: asked.campaign.clone(),
            channel: asked.channel.clone(),
            within: asked.within.clone(),
            rules: asked.rules.clone(),
            ..ConversionFilter::default()
        };
        if known != asked {
            return Err(Error::parameter("filter", "People of a funnel are filtered by source, medium, campaign and channel alone."));
        }
        Ok(Self { by, filter: known })
    }

    /// Asks with it.
    pub fn with<T>(&self, site: &Site, ask: impl FnOnce(&ByOrigin) -> T) -> T {
        let name = |origin: &Origin| name_of(&named_origin(origin, &site.rules), self.by);
        ask(&ByOrigin { filter: &self.filter, by: self.by.word(), name: &name })
    }
}

/// Works on the trails of a site. A large one is read in parts when it is asked for first.
pub async fn over<T: Send + 'static>(
    app: &App,
    site: &Arc<Site>,
    work: impl Fn(&SiteConn, &Trails) -> Result<T> + Clone + Send + 'static,
) -> Result<T> {
    for _ in 0..MOST_PARTS {
        let (of, work) = (site.clone(), work.clone());
        let done = patient(app, site, move |c| trails::of_site(c, &of.zone)?.map(|trails| work(c, &trails)).transpose()).await?;
        if let Some(done) = done {
            return Ok(done);
        }
    }
    Err(Error::internal("the trails of a site come to no end"))
}

#[derive(Clone)]
struct Question {
    funnel: Funnel,
    rule: Rule,
    first: Arc<First>,
}

impl Question {
    /// Asks it of the trails.
    fn with<T>(&self, site: &Site, ask: impl FnOnce(&funnels::Asked) -> T) -> T {
        self.first.with(site, |by| ask(&funnels::Asked { plan: &self.funnel.plan, rule: self.rule, currency: site.currency, by }))
    }
}

async fn question(app: &App, ask: &Ask, site: &Site) -> Result<Question> {
    let wanted = read(app, ask, site)?;
    let first = Arc::new(First::of(ask, &wanted)?);
    let named = ask.query("funnel").ok_or_else(|| Error::parameter("funnel", "funnel names one of the site's, like funnel_3."))?;
    let id: FunnelId = named.parse().map_err(|()| Error::parameter("funnel", "A funnel's id looks like funnel_4."))?;
    let funnel = app.store.read(site.id, move |c| must(c, id)).await?;
    let (from_s, to_s) = seconds(&wanted, site);
    let window_s = funnel.plan.window_days.map(|days| days * (DAY_MS / 1_000) as u32);
    let rule = Rule { steps: funnel.plan.steps.len(), order: funnel.plan.order, window_s, from_s, to_s };
    Ok(Question { funnel, rule, first })
}

/// From the first second of the days to before the other.
pub fn seconds(wanted: &Wanted, site: &Site) -> (u32, u32) {
    let (from, to) = wanted.days.span().times(&site.zone);
    let second = |at: Time| u32::try_from(at.s()).unwrap_or(if at.s() < 0 { 0 } else { u32::MAX });
    (second(from), second(to))
}

/// Of a site with more visits than are held, the days must lie where they are.
fn check_held(trails: &Trails, question: &Question, site: &Site) -> Result<()> {
    let asks_visits = question.funnel.plan.steps.iter().any(|s| matches!(s, Step::Page { .. } | Step::Event { .. }));
    match trails.visits.held_from_ms.map(Time::from_ms) {
        Some(held) if asks_visits && held.s() > i64::from(question.rule.from_s) => Err(Error::parameter(
            "from",
            format!("Of so many visits the newest are held at once: choose days after {}.", site.zone.day(held)),
        )),
        _ => Ok(()),
    }
}

async fn worked(app: &App, ask: &Ask, site: &Arc<Site>) -> Result<(Question, Arc<Answer>)> {
    let question = question(app, ask, site).await?;
    let (of, asked) = (site.clone(), question.clone());
    let answer = over(app, site, move |c, trails| {
        check_held(trails, &asked, &of)?;
        Ok(asked.with(&of, |asked| funnels::answer(c, trails, asked)))
    })
    .await?;
    Ok((question, answer))
}

/// `GET /api/sites/{site}/reports/funnel`
pub async fn funnel(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let (question, answer) = worked(&app, &ask, &site).await?;
    let count = question.rule.steps;
    let people: Vec<i64> = answer.reached.people[..count].iter().map(|n| *n as i64).collect();
    let steps: Vec<Value> = (0..count)
        .map(|step| {
            let mut shown = shown_step(&people, step);
            shown["step"] = question.funnel.plan.steps[step].shown(site.currency);
            shown["seconds"] = answer.reached.quarters[step].map_or(Value::Null, shown_quarters);
            shown
        })
        .collect();
    let items: Vec<Value> = groups(&answer, count)
        .into_iter()
        .map(|(name, people)| {
            let steps: Vec<Value> = (0..count).map(|step| shown_step(&people, step)).collect();
            json!({"name": name, "people": people, "steps": steps, "is_few": people[0] < FEW})
        })
        .collect();
    ask.shown(json!({
        "funnel": shown_funnel(&question.funnel, &site),
        "steps": steps,
        "items": items,
        "by": question.first.by.word(),
    }))
}

/// The largest first; equals by name.
fn groups(answer: &Answer, count: usize) -> Vec<(String, Vec<i64>)> {
    let mut all: Vec<(String, Vec<i64>)> = answer
        .reached
        .groups
        .iter()
        .zip(&answer.names)
        .map(|(people, name)| (name.clone(), people[..count].iter().map(|n| *n as i64).collect()))
        .collect();
    all.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    all
}

fn shown_step(people: &[i64], step: usize) -> Value {
    let before = step.checked_sub(1).map(|before| people[before]);
    json!({
        "people": people[step],
        "left": before.map_or(0, |before| before - people[step]),
        "rate_from_previous": before.and_then(|before| rate(people[step], before)),
        "range_from_previous": before.and_then(|before| range(people[step], before)).map(|(low, high)| [low, high]),
        "rate_from_first": before.and_then(|_| rate(people[step], people[0])),
        "range_from_first": before.and_then(|_| range(people[step], people[0])).map(|(low, high)| [low, high]),
    })
}

pub fn shown_quarters(q: Quarters) -> Value {
    json!({"lower": q.lower_s, "median": q.median_s, "upper": q.upper_s})
}

/// `GET /api/sites/{site}/reports/funnel.csv`
pub async fn funnel_csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let (question, answer) = worked(&app, &ask, &site).await?;
    let count = question.rule.steps;
    let whole: Vec<i64> = answer.reached.people[..count].iter().map(|n| *n as i64).collect();
    let mut lines = Vec::new();
    for (name, people) in std::iter::once((String::new(), whole)).chain(groups(&answer, count)) {
        for (n, step) in question.funnel.plan.steps.iter().enumerate() {
            let before = n.checked_sub(1).map(|before| people[before]);
            let took = answer.reached.quarters[n].filter(|_| name.is_empty());
            lines.push(vec![
                Cell::text(name.clone()),
                Cell::number(n + 1),
                Cell::text(step.to_string()),
                Cell::number(people[n]),
                Cell::number(before.map_or(0, |before| before - people[n])),
                Cell::maybe_number(before.and_then(|before| rate(people[n], before))),
                Cell::maybe_number(before.and_then(|_| rate(people[n], people[0]))),
                Cell::maybe_number(took.map(|q| q.lower_s)),
                Cell::maybe_number(took.map(|q| q.median_s)),
                Cell::maybe_number(took.map(|q| q.upper_s)),
            ]);
        }
    }
    const REST: [&str; 9] =
        ["place", "step", "people", "left", "rate_from_previous", "rate_from_first", "seconds_lower", "seconds_median", "seconds_upper"];
    let mut head = vec![question.first.by.word()];
    head.extend(REST);
    file("funnel", &head, lines)
}

/// `GET /api/sites/{site}/reports/funnel/people`
pub async fn people(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let question = question(&app, &ask, &site).await?;
    let asked = Asked(&ask.query);
    let wanted = page_of(asked, ORDER)?;
    let most = question.rule.steps;
    let step = match asked.one("step").unwrap_or("1").parse::<usize>() {
        Ok(step) if (1..=most).contains(&step) => step,
        _ => return Err(Error::parameter("step", format!("step is a number from 1 to {most}."))),
    };
    let is_left = asked.word("part", &["left", "reached"])? == Some("left");
    let (of, q) = (site.clone(), question.clone());
    let (total, page, next) = over(&app, &site, move |c, trails| {
        check_held(trails, &q, &of)?;
        let page = q.with(&of, |asked| funnels::people(trails, asked, (step, is_left), wanted));
        let names = names(c, page.people.iter().map(|s| s.person))?;
        let shown: Vec<Value> = page.people.iter().map(|s| shown_somebody(s, &names, trails, &of)).collect();
        Ok((page.total, shown, page.next))
    })
    .await?;
    ask.shown(json!({"items": page, "next": next.map(|cursor| cursor.text(ORDER)), "total": total}))
}

/// Which page of people.
pub fn page_of(asked: Asked, order: &str) -> Result<WantedPage> {
    Ok(WantedPage { cursor: asked.cursor(order)?, limit: asked.limit()? })
}

/// People as lists name them, by their numbers.
pub type Names = HashMap<i64, Option<String>>;

pub fn names(c: &SiteConn, people: impl Iterator<Item = PersonKey>) -> Result<Names> {
    let contacts: Vec<ContactId> = people.filter_map(PersonKey::contact).map(ContactId::new).collect();
    let known = contacts::known_by(c, &contacts)?;
    Ok(known.into_iter().map(|(id, email, phone)| (id.number(), shown::person(email.as_deref(), phone.as_deref(), false))).collect())
}

/// Who somebody is, as far as a list says.
pub fn shown_who(person: PersonKey, names: &Names) -> Value {
    let contact = person.contact();
    let display = contact.and_then(|number| names.get(&number).cloned().flatten());
    json!({"display": display, "contact": contact.map(ContactId::new)})
}

/// A contact, a browser of which nobody is known, or somebody who was erased.
pub fn kind(person: PersonKey) -> &'static str {
    match person.contact() {
        Some(_) => "contact",
        None if person.is_erased() => "erased",
        None => "browser",
    }
}

pub fn shown_origin(origin: &Origin, site: &Site) -> Value {
    let (source, medium, campaign) = named_origin(origin, &site.rules);
    if source.is_empty() {
        return Value::Null;
    }
    let channel = channel(&source, &medium, (!campaign.is_empty()).then_some(campaign.as_str()));
    json!({"source": source, "medium": medium, "campaign": (!campaign.is_empty()).then_some(campaign), "channel": channel})
}

fn shown_somebody(s: &Somebody, names: &Names, trails: &Trails, site: &Site) -> Value {
    let steps: Vec<Value> = s.walk.at_s[..s.walk.reached].iter().map(|at| second(*at, site)).collect();
    json!({"who": shown_who(s.person, names), "kind": kind(s.person), "reached": s.walk.reached, "steps": steps,
        "first": shown_origin(trails.words_of(s.origin), site)})
}

pub fn second(at_s: u32, site: &Site) -> Value {
    shown::time(&site.zone, Time::from_s(i64::from(at_s)))
}
