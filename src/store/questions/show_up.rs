//! Who booked, who came, and what came of it: a line for everybody who booked in some days, whichever systems told of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::named_params;

use super::super::recall::shelf::Held;
use super::super::scope::SiteConn;
use super::super::trails::sold::Kind;
use super::super::trails::{OriginPlace, PersonKey, Trail, Trails};
use super::funnels::{ByOrigin, Groups, Name};
use super::json_list;
use super::people_page::{Page, Wanted};
use super::timeline::sessions;
use crate::domain::ids::ContactId;
use crate::domain::milestone::{is_attendance, is_booking, is_lead};
use crate::domain::money::{Currency, Money};
use crate::domain::question::bookings::{Bookings, of_person};
use crate::domain::question::reached::Quarters;
use crate::domain::question::show_up::{Line, Outcome, Paces, Shown, Told, What, line};
use crate::domain::time::Time;
use crate::error::Result;

/// Things that happened to one person that are shown, at most.
const MOST_HAPPENED: i64 = 300;

/// When the booking was made, and what time it is; seconds.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub from_s: u32,
    pub to_s: u32,
    pub now_s: u32,
}

/// People together, and what is left of their purchases by currency.
#[derive(Debug, Clone, Default)]
pub struct Group {
    pub shown: Shown,
    /// Of which a person may have several.
    pub bookings: Bookings,
    pub net: BTreeMap<Currency, i64>,
}

pub struct Answer {
    pub all: Group,
    /// With their names.
    pub groups: Vec<(String, Group)>,
    /// How long it took to book, to come, to buy, and until money went back.
    pub quarters: [Option<Quarters>; 4],
}

impl Held for Answer {
    fn bytes(&self) -> usize {
        500 + self.groups.len() * 350
    }
}

/// Which lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Booked,
    Asked,
    Moved,
    Bought,
    Refunded,
    Became(Outcome),
    /// Came and bought nothing.
    CameOnly,
}

impl Part {
    const ALL: [Part; 11] = [
        Part::Booked,
        Part::Asked,
        Part::Moved,
        Part::Bought,
        Part::Refunded,
        Part::Became(Outcome::Came),
        Part::Became(Outcome::NoShow),
        Part::Became(Outcome::NotTold),
        Part::Became(Outcome::Cancelled),
        Part::Became(Outcome::Open),
        Part::CameOnly,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Part::Booked => "booked",
            Part::Asked => "asked",
            Part::Moved => "moved",
            Part::Bought => "bought",
            Part::Refunded => "refunded",
            Part::Became(outcome) => outcome.word(),
            Part::CameOnly => "came_only",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.word() == word)
    }

    pub fn words() -> Vec<&'static str> {
        Self::ALL.map(Part::word).to_vec()
    }

    fn holds(self, line: &Line) -> bool {
        match self {
            Part::Booked => true,
            Part::Asked => line.asked_s.is_some(),
            Part::Moved => line.moved_s.is_some(),
            Part::Bought => line.bought_s.is_some(),
            Part::Refunded => line.refunded_s.is_some(),
            Part::Became(outcome) => line.outcome == outcome,
            Part::CameOnly => line.came_s.is_some() && line.bought_s.is_none(),
        }
    }
}

/// One person's line on a list.
pub struct Somebody {
    pub person: PersonKey,
    pub line: Line,
    pub origin: OriginPlace,
    pub net: BTreeMap<Currency, i64>,
}

/// What became of everybody who booked in the time.
pub fn answer(c: &SiteConn, trails: &Trails, times: Times, by: &ByOrigin) -> Arc<Answer> {
    let name = Name::of(c, trails, format!("{times:?} {}", by.question()));
    if let Some(known) = c.funnels().and_then(|kept| kept.show_up.find(&name)) {
        return known;
    }
    let mut all = Group::default();
    let mut by_group: Vec<Group> = Vec::new();
    let (mut groups, mut paces) = (Groups::default(), Paces::default());
    each(trails, times, |trail, line, told| {
        let Some(group) = groups.of(trails, trail, by) else { return };
        if by_group.len() <= group as usize {
            by_group.resize_with(group as usize + 1, Group::default);
        }
        for of in [&mut all, &mut by_group[group as usize]] {
            of.shown.add(line);
            add_net(trail, line, &mut of.net);
            of_person(told, times.from_s, times.to_s, times.now_s, |outcome| of.bookings.add(outcome));
        }
        paces.add(line);
    });
    let answer = Arc::new(Answer { all, groups: groups.names.into_iter().zip(by_group).collect(), quarters: paces.quarters() });
    if let Some(kept) = c.funnels() {
        kept.show_up.keep(name, answer.clone());
    }
    answer
}

/// The last who booked first; equals in the order of their numbers.
pub fn people(trails: &Trails, times: Times, by: &ByOrigin, part: Part, wanted: Wanted) -> Page<Somebody> {
    let mut page = Page::of(wanted);
    let mut groups = Groups::default();
    each(trails, times, |trail, line, _| {
        if part.holds(line) && groups.of(trails, trail, by).is_some() {
            page.add(line.booked_s, trail.person, || {
                let mut net = BTreeMap::new();
                add_net(trail, line, &mut net);
                Somebody { person: trail.person, line: *line, origin: trails.origin(trail), net }
            });
        }
    });
    page.done();
    page
}

/// Everybody with a line.
fn each<'t>(trails: &'t Trails, times: Times, mut on: impl FnMut(&Trail<'t>, &Line, &[Told])) {
    let kinds: Vec<Means> = trails.steps.kinds.iter().map(|kind| Means::of(kind)).collect();
    let mut told: Vec<Told> = Vec::new();
    trails.each_with_steps(|trail| {
        let is_entry = |at_s: u32| at_s >= times.from_s && at_s < times.to_s;
        if !trail.steps.iter().any(|s| kinds[usize::from(s.kind)] == Means::Booked && is_entry(s.at_s)) {
            return;
        }
        told.clear();
        told.extend(trail.steps.iter().filter_map(|s| {
            let starts = (s.starts_s > 0).then_some(s.starts_s);
            let booking = trails.steps.first_of(s.booking);
            kinds[usize::from(s.kind)].what(starts).map(|what| Told { at_s: s.at_s, what, due_s: starts, source: s.source, booking })
        }));
        told.extend(trail.sales.iter().filter_map(|s| {
            let what = match s.kind {
                Kind::Lead => What::Asked,
                Kind::Sale => What::Bought,
                Kind::Refund => What::Refunded,
                Kind::SignUp | Kind::Custom => return None,
            };
            Some(Told { at_s: s.at_s, what, due_s: None, source: 0, booking: 0 })
        }));
        told.sort_unstable();
        if let Some(line) = line(&told, times.from_s, times.to_s, times.now_s) {
            on(trail, &line, &told);
        }
    });
}

/// What is left of what was bought since the booking.
fn add_net(trail: &Trail, line: &Line, net: &mut BTreeMap<Currency, i64>) {
    for sale in trail.sales.iter().filter(|s| s.kind == Kind::Sale && s.at_s >= line.booked_s) {
        if let Some(currency) = sale.currency {
            let sum = net.entry(currency).or_default();
            *sum = sum.saturating_add(sale.net_minor);
        }
    }
}

/// What a step of a platform is to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Asked,
    Booked,
    Moved,
    Cancelled,
    Missed,
    Came,
    Refunded,
    Other,
}

impl Means {
    fn of(kind: &str) -> Self {
        match kind {
            kind if is_booking(kind) => Means::Booked,
            kind if is_attendance(kind) => Means::Came,
            kind if is_lead(kind) => Means::Asked,
            "appointment_rescheduled" => Means::Moved,
            "appointment_cancelled" => Means::Cancelled,
            "appointment_no_show" => Means::Missed,
            "refunded" => Means::Refunded,
            _ => Means::Other,
        }
    }

    fn what(self, starts_s: Option<u32>) -> Option<What> {
        Some(match self {
            Means::Asked => What::Asked,
            Means::Booked => What::Booked(starts_s),
            Means::Moved => What::Moved(starts_s),
            Means::Cancelled => What::Cancelled,
            Means::Missed => What::Missed,
            Means::Came => What::Came,
            Means::Refunded => What::Refunded,
            Means::Other => return None,
        })
    }
}

/// One thing on the line of a contact, as whoever told it said.
#[derive(Debug, Clone)]
pub struct Happened {
    pub at: Time,
    /// A visit, a step's own word, `lead`, `sale`, `sign_up`, `custom` or `refund`.
    pub what: String,
    /// Who told of it, or where a visit came from.
    pub source: String,
    /// What it was called: the meeting, the service, the order; the campaign of a visit.
    pub label: Option<String>,
    pub starts_at: Option<Time>,
    /// How long somebody was there.
    pub minutes: Option<i64>,
    pub amount: Option<Money>,
}

/// All that happened to a contact, in the order of time.
pub fn happened(c: &SiteConn, contact: i64) -> Result<Vec<Happened>> {
    let mut all: Vec<Happened> = c.list(
        "select at, kind, source, cast(coalesce(data ->> 'topic', data ->> 'service', data ->> 'event_type') as text), starts_at,
           coalesce(data -> 'answers' ->> 'minutes', data ->> 'minutes')
         from milestones where site_id = :site and contact_id = :contact and undone_at is null order by at limit :most",
        named_params! {":contact": contact, ":most": MOST_HAPPENED},
        |row| {
            Ok(Happened {
                at: Time::from_ms(row.get(0)?),
                what: row.get(1)?,
                source: row.get(2)?,
                label: row.get(3)?,
                starts_at: row.get::<_, Option<i64>>(4)?.map(Time::from_ms),
                minutes: row.get(5).ok(),
                amount: None,
            })
        },
    )?;
    let money = |minor: Option<i64>, currency: Option<String>| Some(Money::new(minor?, currency.as_deref().and_then(Currency::parse)?));
    all.extend(c.list(
        "select happened_at, kind, label, amount_minor, currency, coalesce(first_source, '') from conversions
         where site_id = :site and contact_id = :contact and counts = 1 limit :most",
        named_params! {":contact": contact, ":most": MOST_HAPPENED},
        |row| {
            Ok(Happened {
                at: Time::from_ms(row.get(0)?),
                what: row.get(1)?,
                source: row.get(5)?,
                label: row.get(2)?,
                starts_at: None,
                minutes: None,
                amount: money(row.get(3)?, row.get(4)?),
            })
        },
    )?);
    all.extend(c.list(
        "select e.happened_at, e.kind, v.label, e.amount_minor, e.currency
         from conversions v join entries e on e.site_id = v.site_id and e.conversion_id = v.id
         where v.site_id = :site and v.contact_id = :contact and v.kind = 'sale' and v.counts = 1 and e.amount_minor < 0
           and (e.kind = 'refund' or e.kind = 'cancellation') limit :most",
        named_params! {":contact": contact, ":most": MOST_HAPPENED},
        |row| {
            Ok(Happened {
                at: Time::from_ms(row.get(0)?),
                what: row.get(1)?,
                source: String::new(),
                label: row.get(2)?,
                starts_at: None,
                minutes: None,
                amount: money(row.get(3)?, row.get(4)?),
            })
        },
    )?);
    let browsers = json_list(sessions(c, ContactId::new(contact))?.iter().map(|s| s.number()));
    all.extend(c.list(
        "select at, source, medium, campaign from touches
         where site_id = :site and session_id in (select value from json_each(:browsers)) and is_repeat = 0 limit :most",
        named_params! {":browsers": browsers, ":most": MOST_HAPPENED},
        |row| {
            let (source, medium, campaign): (String, String, Option<String>) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Happened {
                at: Time::from_ms(row.get(0)?),
                what: "visit".into(),
                source: format!("{source} / {medium}"),
                label: campaign,
                starts_at: None,
                minutes: None,
                amount: None,
            })
        },
    )?);
    all.sort_by_key(|h| h.at);
    Ok(all)
}
