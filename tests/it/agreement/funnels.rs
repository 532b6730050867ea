//! Funnels and the show-up funnel against the plain rows: what they say of random plans, days and filters is what the slow way
//! says, person by person, before the days are counted, after, and while rows come late, browsers turn out to be somebody's,
//! contacts turn out to be one, and somebody is erased.

use std::collections::{BTreeMap, BTreeSet};

use halotrack::domain::funnel::is_of_pattern;
use halotrack::domain::time::Day;
use halotrack::flows::cube;
use rusqlite::params;
use serde_json::{Value, json};

use super::{Shop, channel_of, or, page};
use crate::ground::Dice;

const DAYS: i64 = 70;
const HOUR: i64 = 3_600;
const PAGES: [&str; 4] = ["/start", "/pricing", "/pricing/teams", "/thanks"];
const EVENTS: [&str; 2] = ["add_to_cart", "play"];
const KINDS: [&str; 9] = [
    "lead_captured",
    "appointment_booked",
    "appointment_rescheduled",
    "appointment_completed",
    "appointment_no_show",
    "appointment_cancelled",
    "event_registered",
    "event_attended",
    "refunded",
];
const SOURCES: [&str; 3] = ["zoom", "easyappointments", "manual"];

type Origin = (String, String, String);

/// What happened to somebody.
#[derive(Debug, Clone, PartialEq)]
enum Did {
    Seen { page: String, event: String },
    Step { kind: String, source: String, starts: Option<i64> },
    Lead,
    SignUp,
    Sale { minor: i64, net: i64, currency: String },
    Refund,
}

#[derive(Debug, Default)]
struct Person {
    did: Vec<(i64, Did)>,
    /// When, and where from.
    visits: Vec<(i64, Origin)>,
    steps: Vec<(i64, Origin)>,
    told: Vec<(i64, i64, Origin)>,
}

impl Person {
    fn origin(&self) -> Origin {
        let first = |all: &[(i64, Origin)]| all.iter().min_by_key(|(at, _)| *at).cloned();
        let told = || self.told.iter().filter(|(_, _, o)| !o.0.is_empty()).min_by_key(|(at, id, _)| (*at, *id)).map(|(_, _, o)| o.clone());
        match (first(&self.visits), first(&self.steps)) {
            (Some(visit), Some(step)) => {
                if step.0 < visit.0 {
                    step.1
                } else {
                    visit.1
                }
            }
            (visit, step) => visit.or(step).map(|(_, origin)| origin).or_else(told).unwrap_or_default(),
        }
    }
}

/// Rows that are put into the file by hand, each with a number above all before.
struct Hand<'s> {
    shop: &'s Shop,
    dice: Dice,
    last: i64,
}

impl Hand<'_> {
    fn site(&self) -> i64 {
        self.shop.at.id.number()
    }

    fn when(&mut self) -> i64 {
        self.shop.house.clock.now().ms() - self.dice.below(DAYS * 24 * HOUR * 1_000)
    }

    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.last += 1;
            let at = self.when();
            let starts = self.dice.is(70).then(|| at + self.dice.below(20 * 24 * HOUR) * 1_000);
            let contact = self.dice.is(95).then(|| 1 + self.dice.below(120));
            let utm = self.dice.is(25).then(|| *self.dice.pick(&["news", "partner", "google"]));
            self.shop
                .db
                .execute(
                    "insert into milestones (site_id, id, changed, connection_id, source, kind, at, received_at, told_at, starts_at, contact_id,
                       utm_source, utm_medium) values (?1, ?2, ?2, -3, ?3, ?4, ?5, ?5, ?5, ?6, ?7, ?8, iif(?8 is null, null, 'email'))",
                    params![
                        self.site(),
                        self.last,
                        *self.dice.pick(&SOURCES),
                        *self.dice.pick(&KINDS),
                        at,
                        starts,
                        contact,
                        utm
                    ],
                )
                .expect("a step");
        }
    }

    fn events(&mut self, count: usize) {
        for _ in 0..count {
            self.last += 1;
            let (at, session) = (self.when(), self.session());
            let page = self.dice.is(60).then(|| *self.dice.pick(&PAGES));
            self.shop
                .db
                .execute(
                    "insert into page_events (site_id, id, session_id, at, name, path) values (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![self.site(), self.last, session, at, *self.dice.pick(&EVENTS), page],
                )
                .expect("an event");
        }
    }

    fn visits(&mut self, count: usize) {
        for _ in 0..count {
            self.last += 1;
            let (at, session) = (self.when(), self.session());
            self.shop
                .db
                .execute(
                    "insert into touches (site_id, session_id, seq, at, received_at, source, medium, landing, is_direct, starts_visit, marketing)
                     values (?1, ?2, ?3, ?4, ?4, ?5, 'cpc', ?6, 0, 1, 'granted')",
                    params![self.site(), session, self.last, at, *self.dice.pick(&["bing", "google"]), format!("{}?a=1", self.dice.pick(&PAGES))],
                )
                .expect("a visit");
        }
    }

    fn session(&mut self) -> i64 {
        let (low, count): (i64, i64) = self
            .shop
            .db
            .query_row("select min(id), count(*) from sessions where site_id = ?1", [self.site()], |r| Ok((r.get(0)?, r.get(1)?)))
            .expect("sessions");
        low + self.dice.below(count)
    }

    /// Browsers turn out to be somebody's, or somebody else's.
    fn links(&mut self, count: usize) {
        for _ in 0..count {
            self.last += 1;
            let (session, contact) = (self.session(), 1 + self.dice.below(120));
            let sql = "update sessions set contact_id = ?3, linked = ?4 where site_id = ?1 and id = ?2";
            self.shop.db.execute(sql, params![self.site(), session, contact, self.last]).expect("a link");
        }
    }

    /// Two contacts turn out to be one, as the product writes it down.
    fn merge(&mut self, kept: i64, merged: i64) {
        let (site, db) = (self.site(), &self.shop.db);
        for table in ["conversions", "leads", "orders", "identities"] {
            let sql = format!("update {table} set contact_id = ?2 where site_id = ?1 and contact_id = ?3");
            db.execute(&sql, params![site, kept, merged]).expect("moved");
        }
        let mut statement = db.prepare("select id from milestones where site_id = ?1 and contact_id = ?2").expect("a statement");
        let steps: Vec<i64> =
            statement.query_map(params![site, merged], |r| r.get(0)).expect("rows").map(|r| r.expect("a number")).collect();
        for step in steps {
            self.last += 1;
            let sql = "update milestones set contact_id = ?3, changed = ?4 where site_id = ?1 and id = ?2";
            db.execute(sql, params![site, step, kept, self.last]).expect("moved");
        }
        db.execute("update contacts set merged_into = ?2 where site_id = ?1 and id = ?3", params![site, kept, merged]).expect("a signpost");
        db.execute(
            "insert into contact_merges (site_id, id, at, kept, merged, because) values (?1, ?2, 0, ?3, ?4, 'test')",
            params![site, self.last, kept, merged],
        )
        .expect("a merge");
    }
}

/// Everybody, from the plain rows.
fn people(shop: &Shop) -> Vec<Person> {
    let site = shop.at.id.number();
    let rows = |sql: &str, columns: usize| -> Vec<Vec<Option<String>>> {
        let mut statement = shop.db.prepare(sql).expect("a statement");
        let read = |r: &rusqlite::Row| (0..columns).map(|n| r.get::<_, Option<String>>(n)).collect::<rusqlite::Result<Vec<_>>>();
        statement.query_map([site], read).expect("rows").map(|r| r.expect("a row")).collect()
    };
    let number = |text: &Option<String>| text.as_deref().and_then(|t| t.parse::<i64>().ok());
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let merged: BTreeMap<i64, i64> = rows("select merged || '', kept || '' from contact_merges where site_id = ?1", 2)
        .iter()
        .map(|r| (number(&r[0]).expect("a contact"), number(&r[1]).expect("a contact")))
        .collect();
    let whole = |mut contact: i64| {
        while let Some(kept) = merged.get(&contact) {
            contact = *kept;
        }
        contact
    };
    let mut browsers: BTreeMap<i64, i64> =
        rows("select id || '', contact_id || '' from sessions where site_id = ?1 and contact_id is not null", 2)
            .iter()
            .map(|r| (number(&r[0]).expect("a browser"), whole(number(&r[1]).expect("a contact"))))
            .collect();
    let sales = rows(
        "select id || '', kind, contact_id || '', session_id || '', (happened_at / 1000) || '', coalesce(amount_minor, 0) || '',
           coalesce(net_minor, 0) || '', currency, first_source, first_medium, first_campaign, nobody || ''
         from conversions where site_id = ?1 and counts = 1 order by happened_at / 1000, id",
        12,
    );
    // The first sale, lead or sign-up that a browser led to says whose it is, unless somebody has proved it.
    let mut led: BTreeMap<i64, i64> = BTreeMap::new();
    for r in &sales {
        if let (Some(contact), Some(session)) = (number(&r[2]), number(&r[3])) {
            led.entry(session).or_insert(contact);
        }
    }
    for (session, contact) in led {
        browsers.entry(session).or_insert(contact);
    }
    let of_browser = |session: i64| browsers.get(&session).map_or(format!("browser {session}"), |contact| format!("contact {contact}"));
    let mut all: BTreeMap<String, Person> = BTreeMap::new();
    let seen = "select session_id || '', (at / 1000) || '', landing, '', source, medium, campaign from touches where site_id = ?1
                union all
                select session_id || '', (at / 1000) || '', path, name, '', '', '' from page_events where site_id = ?1";
    for r in rows(seen, 7) {
        let person = all.entry(of_browser(number(&r[0]).expect("a browser"))).or_default();
        let at = number(&r[1]).expect("a time");
        let shown = r[2].as_deref().map(page).unwrap_or_default();
        person.did.push((at, Did::Seen { page: shown, event: word(&r[3]) }));
        if !word(&r[4]).is_empty() {
            person.visits.push((at, (word(&r[4]), word(&r[5]), word(&r[6]))));
        }
    }
    let steps = "select contact_id || '', (at / 1000) || '', kind, source, (starts_at / 1000) || '', utm_source, utm_medium, utm_campaign
                 from milestones where site_id = ?1 and contact_id is not null";
    for r in rows(steps, 8) {
        let contact = number(&r[0]).expect("a contact");
        let person = all.entry(format!("contact {contact}")).or_default();
        let at = number(&r[1]).expect("a time");
        person.did.push((at, Did::Step { kind: word(&r[2]), source: word(&r[3]), starts: number(&r[4]) }));
        if r[5].is_some() {
            person.steps.push((at, (word(&r[5]), word(&r[6]), word(&r[7]))));
        }
    }
    let mut holders: BTreeMap<i64, String> = BTreeMap::new();
    for r in &sales {
        let id = number(&r[0]).expect("a conversion");
        let holder = match (number(&r[2]).or(number(&r[11])), number(&r[3])) {
            (Some(contact), _) => format!("contact {contact}"),
            (None, Some(session)) => of_browser(session),
            (None, None) => format!("nobody {id}"),
        };
        holders.insert(id, holder.clone());
        let person = all.entry(holder).or_default();
        let at = number(&r[4]).expect("a time");
        let (minor, net) = (number(&r[5]).unwrap_or(0), number(&r[6]).unwrap_or(0));
        person.did.push((
            at,
            match word(&r[1]).as_str() {
                "sale" => Did::Sale { minor, net, currency: word(&r[7]) },
                "lead" => Did::Lead,
                "signup" => Did::SignUp,
                other => panic!("{other}"),
            },
        ));
        person.told.push((at, id, (word(&r[8]), word(&r[9]), word(&r[10]))));
    }
    let back = "select e.conversion_id || '', (e.happened_at / 1000) || '' from entries e
                join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
                where e.site_id = ?1 and e.kind in ('refund', 'cancellation') and e.amount_minor < 0 and c.kind = 'sale' and c.counts = 1";
    for r in rows(back, 2) {
        let holder = &holders[&number(&r[0]).expect("a conversion")];
        all.entry(holder.clone()).or_default().did.push((number(&r[1]).expect("a time"), Did::Refund));
    }
    all.into_values().collect()
}

fn is_step(step: &Value, did: &Did) -> bool {
    match (step["kind"].as_str().expect("a kind"), did) {
        ("page", Did::Seen { page, .. }) => !page.is_empty() && is_of_pattern(step["path"].as_str().expect("a path"), page),
        ("event", Did::Seen { event, .. }) => step["name"] == event.as_str(),
        ("milestone", Did::Step { kind, source, .. }) => {
            step["milestone"] == kind.as_str() && (step["source"].is_null() || step["source"] == source.as_str())
        }
        ("lead", Did::Lead) | ("sign_up", Did::SignUp) | ("refund", Did::Refund) => true,
        ("order", Did::Sale { minor, currency, .. }) => match step["minimum"]["minor"].as_i64() {
            Some(minimum) => currency == "EUR" && *minor >= minimum,
            None => true,
        },
        _ => false,
    }
}

/// The times of one person's walk: every beginning is tried, each step is the first that fits.
fn walked(person: &Person, plan: &Value, from: i64, to: i64) -> Vec<i64> {
    let steps = plan["steps"].as_array().expect("steps");
    let mut fits: Vec<(i64, usize, usize)> = person
        .did
        .iter()
        .map(|(at, did)| (*at, steps.iter().enumerate().filter(|(_, s)| is_step(s, did)).fold(0, |all, (n, _)| all | 1_usize << n)))
        .filter(|(_, mask)| *mask > 0)
        .map(|(at, mask)| (at, mask.trailing_zeros() as usize, mask))
        .collect();
    fits.sort_unstable();
    let window = plan["window_days"].as_i64().map_or(i64::MAX / 2, |days| days * 24 * HOUR);
    let mut best: Vec<i64> = Vec::new();
    for begin in 0..fits.len() {
        let first = fits[begin].0;
        if fits[begin].2 & 1 == 0 || first < from || first >= to {
            continue;
        }
        let is_in_time = |place: &usize| fits[*place].0 - first <= window;
        let mut taken = vec![first];
        let mut at = begin;
        for n in 1..steps.len() {
            let is_it = |place: &usize| fits[*place].2 & (1 << n) != 0;
            let found = match plan["order"].as_str().expect("an order") {
                "strict" => Some(at + 1).filter(|place| *place < fits.len()).filter(is_it),
                "any" => (begin + 1..fits.len()).find(is_it),
                _ => (at + 1..fits.len()).find(is_it),
            };
            let Some(place) = found.filter(is_in_time) else { break };
            at = place;
            let before = *taken.last().expect("the first");
            taken.push(fits[place].0.max(before));
        }
        if taken.len() > best.len() {
            best = taken;
        }
    }
    best
}

fn random_step(dice: &mut Dice) -> Value {
    match dice.below(9) {
        0 | 1 => json!({"kind": "page", "path": *dice.pick(&["/start", "/pricing*", "*", "/thanks", "/nowhere"])}),
        2 => json!({"kind": "event", "name": *dice.pick(&EVENTS)}),
        3 => json!({"kind": "lead"}),
        4 | 5 => {
            json!({"kind": "milestone", "milestone": *dice.pick(&KINDS), "source": if dice.is(40) { json!(dice.pick(&SOURCES)) } else { Value::Null }})
        }
        6 => json!({"kind": "order", "minimum": if dice.is(50) { json!({"minor": 20_000, "currency": "EUR"}) } else { Value::Null }}),
        7 => json!({"kind": "sign_up"}),
        _ => json!({"kind": "refund"}),
    }
}

fn group_of(origin: &Origin, by: &str) -> String {
    if origin.0.is_empty() {
        return "unattributed".into();
    }
    match by {
        "channel" => channel_of(origin),
        "medium" => or(&origin.1, "(not set)"),
        "campaign" => or(&origin.2, "(not set)"),
        _ => origin.0.clone(),
    }
}

fn quarter(all: &[i64], quarter: usize) -> i64 {
    all[((all.len() * quarter).div_ceil(4)).max(1) - 1]
}

struct Days {
    query: String,
    from_s: i64,
    to_s: i64,
    by: &'static str,
    only: Option<&'static str>,
}

fn random_days(dice: &mut Dice, shop: &Shop) -> Days {
    let today: Day = shop.day(shop.house.clock.now().ms());
    let from = today.plus(-(dice.below(DAYS) as i32));
    let to = if dice.is(50) { today } else { from.plus(dice.below(30) as i32).min(today) };
    let by = *dice.pick(&["source", "channel", "medium", "campaign"]);
    let only = dice.is(30).then(|| *dice.pick(&["google", "news", "unattributed"]));
    let mut query = format!("from={from}&to={to}&by={by}");
    query.extend(only.map(|source| format!("&source={source}")));
    Days { query, from_s: shop.site.zone.start(from).s(), to_s: shop.site.zone.start(to.plus(1)).s(), by, only }
}

impl Days {
    fn takes(&self, origin: &Origin) -> bool {
        self.only.is_none_or(|only| only == or(&origin.0, "unattributed"))
    }
}

async fn check_own(shop: &Shop, dice: &mut Dice, all: &[Person], what: &str) {
    let steps: Vec<Value> = (0..2 + dice.below(4)).map(|_| random_step(dice)).collect();
    let window = if dice.is(50) { json!(1 + dice.below(30)) } else { Value::Null };
    let plan = json!({"name": "By chance", "steps": steps, "order": *dice.pick(&["in_order", "strict", "any"]), "window_days": window});
    let base = format!("/api/sites/{}/funnels", shop.at.slug);
    let made = shop.house.post(&base).cookie(&shop.owner).json(&plan).send().await.is(201).json;
    let id = made["funnel"].as_str().expect("an id").to_owned();
    let days = random_days(dice, shop);
    let got = shop.get(&format!("reports/funnel?funnel={id}&{}", days.query)).await;
    let what = format!("{what}: {plan} {}", days.query);

    let walks: Vec<(Origin, Vec<i64>)> = all
        .iter()
        .map(|person| (person.origin(), walked(person, &plan, days.from_s, days.to_s)))
        .filter(|(origin, walk)| !walk.is_empty() && days.takes(origin))
        .collect();
    let count = steps.len();
    let mut groups: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (origin, walk) in &walks {
        let group = groups.entry(group_of(origin, days.by)).or_insert_with(|| vec![0; count]);
        group[..walk.len()].iter_mut().for_each(|n| *n += 1);
    }
    for (n, step) in got["steps"].as_array().expect("steps").iter().enumerate() {
        let reached = walks.iter().filter(|(_, walk)| walk.len() > n).count();
        assert_eq!(step["people"].as_u64(), Some(reached as u64), "{what}: step {}", n + 1);
        let mut gaps: Vec<i64> = walks.iter().filter(|(_, w)| n > 0 && w.len() > n).map(|(_, w)| w[n] - w[n - 1]).collect();
        gaps.sort_unstable();
        let want = match gaps.is_empty() {
            true => Value::Null,
            false => json!({"lower": quarter(&gaps, 1), "median": quarter(&gaps, 2), "upper": quarter(&gaps, 3)}),
        };
        assert_eq!(step["seconds"], want, "{what}: step {}", n + 1);
        if n > 0 {
            let left = walks.iter().filter(|(_, walk)| walk.len() == n).count() as u64;
            assert_eq!(step["left"].as_u64(), Some(left), "{what}: between {n} and {}", n + 1);
            let path = format!("reports/funnel/people?funnel={id}&{}&step={n}&part=left&limit=3", days.query);
            let list = shop.get(&path).await;
            assert_eq!(list["total"].as_u64(), Some(left), "{what}: who left at {n}");
            assert_eq!(list["items"].as_array().map(Vec::len), Some(left.min(3) as usize), "{what}");
        }
    }
    let said: BTreeMap<String, Vec<i64>> = got["items"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|g| {
            (
                g["name"].as_str().expect("a name").to_owned(),
                g["people"].as_array().expect("people").iter().filter_map(Value::as_i64).collect(),
            )
        })
        .collect();
    assert_eq!(said, groups, "{what}: by {}", days.by);
    shop.house.delete(&format!("{base}/{id}")).cookie(&shop.owner).send().await.is(204);
}

/// What became of one person's booking, by hand.
fn shown(
    person: &Person,
    seen: &BTreeSet<(String, i64)>,
    from: i64,
    to: i64,
    now: i64,
) -> Option<(BTreeMap<&'static str, i64>, BTreeMap<String, i64>)> {
    let is = |did: &Did, kinds: &[&str]| matches!(did, Did::Step { kind, .. } if kinds.contains(&kind.as_str()));
    let bookings = ["appointment_booked", "event_registered", "ticket_purchased"];
    let booked = person.did.iter().filter(|(at, did)| is(did, &bookings) && *at >= from && *at < to).map(|(at, _)| *at).min()?;
    let mut counts: BTreeMap<&'static str, i64> = [("booked", 1)].into();
    let after = || person.did.iter().filter(|(at, _)| *at >= booked);
    let asked = |(at, did): &(i64, Did)| *at <= booked && (*did == Did::Lead || is(did, &["lead_captured", "form_submitted"]));
    counts.insert("asked", i64::from(person.did.iter().any(asked)));
    counts.insert("moved", i64::from(after().any(|(_, did)| is(did, &["appointment_rescheduled"]))));
    let came = after().any(|(_, did)| is(did, &["appointment_completed", "event_attended"]));
    let bought = after().any(|(_, did)| matches!(did, Did::Sale { .. }));
    counts.insert("bought", i64::from(bought));
    counts.insert("came_and_bought", i64::from(came && bought));
    counts.insert("refunded", i64::from(after().any(|(_, did)| *did == Did::Refund || is(did, &["refunded"]))));
    // What is said last of the booking; of one second a new time says more than an absence.
    let mut said: Vec<(i64, i64, Option<i64>, &str)> = Vec::new();
    for (at, did) in after() {
        let Did::Step { kind, starts, .. } = did else { continue };
        match kind.as_str() {
            kind if bookings.contains(&kind) => said.push((*at, 0, *starts, "open")),
            "appointment_no_show" => said.push((*at, 1, None, "no_show")),
            "appointment_cancelled" => said.push((*at, 2, None, "cancelled")),
            "appointment_rescheduled" => said.push((*at, 3, *starts, "open")),
            _ => {}
        }
    }
    said.sort_unstable();
    let due = said.iter().rev().find_map(|(_, _, starts, _)| *starts);
    let many = ["event_registered", "ticket_purchased", "appointment_rescheduled"];
    let is_watched = after().any(|(_, did)| match did {
        Did::Step { kind, source, starts: Some(starts), .. } => {
            many.contains(&kind.as_str()) && Some(*starts) == due && seen.contains(&(source.clone(), *starts))
        }
        _ => false,
    });
    let outcome = match said.last().map(|(_, _, _, word)| *word) {
        _ if came => "came",
        Some("no_show") => "no_show",
        Some("cancelled") => "cancelled",
        _ if due.is_some_and(|due| now > due + 24 * HOUR) && is_watched => "no_show",
        _ if due.is_some_and(|due| now > due + 24 * HOUR) => "not_told",
        _ => "open",
    };
    counts.insert(outcome, 1);
    let mut net = BTreeMap::new();
    for (_, did) in after() {
        if let Did::Sale { net: left, currency, .. } = did {
            *net.entry(currency.clone()).or_default() += left;
        }
    }
    Some((counts, net))
}

async fn check_show_up(shop: &Shop, dice: &mut Dice, all: &[Person], what: &str) {
    const FIGURES: [&str; 11] =
        ["booked", "asked", "moved", "came", "no_show", "not_told", "cancelled", "open", "bought", "came_and_bought", "refunded"];
    let days = random_days(dice, shop);
    let got = shop.get(&format!("reports/show_up?{}", days.query)).await;
    let what = format!("{what}: show-up {}", days.query);
    let now = shop.house.clock.now().s();
    // Events to which somebody was seen to come.
    let attended = |(_, did): &(i64, Did)| match did {
        Did::Step { kind, source, starts: Some(starts) } if kind == "event_attended" => Some((source.clone(), *starts)),
        _ => None,
    };
    let seen: BTreeSet<(String, i64)> = all.iter().flat_map(|person| person.did.iter().filter_map(attended)).collect();
    let mut total: BTreeMap<String, i64> = BTreeMap::new();
    let mut groups: BTreeMap<String, i64> = BTreeMap::new();
    let mut net: BTreeMap<String, i64> = BTreeMap::new();
    for person in all {
        let Some((counts, left)) = shown(person, &seen, days.from_s, days.to_s, now) else { continue };
        if !days.takes(&person.origin()) {
            continue;
        }
        counts.iter().for_each(|(name, n)| *total.entry((*name).to_owned()).or_default() += n);
        left.into_iter().for_each(|(currency, minor)| *net.entry(currency).or_default() += minor);
        *groups.entry(group_of(&person.origin(), days.by)).or_default() += 1;
    }
    for name in FIGURES {
        assert_eq!(got["total"][name].as_i64(), Some(total.get(name).copied().unwrap_or(0)), "{what}: {name} {total:?}");
    }
    let said: BTreeMap<String, i64> =
        super::money(&got["total"]["net"]).into_iter().map(|(currency, minor)| (currency.to_string(), minor)).collect();
    assert_eq!(said, net, "{what}: money");
    let said: BTreeMap<String, i64> = got["items"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|g| (g["name"].as_str().expect("a name").to_owned(), g["booked"].as_i64().expect("a number")))
        .collect();
    assert_eq!(said, groups, "{what}: by {}", days.by);
    let list = shop.get(&format!("reports/show_up/people?{}&part=not_told&limit=2", days.query)).await;
    assert_eq!(list["total"].as_i64(), Some(total.get("not_told").copied().unwrap_or(0)), "{what}: the list");
}

async fn check(shop: &Shop, dice: &mut Dice, times: usize, what: &str) {
    let all = people(shop);
    for _ in 0..times {
        check_own(shop, dice, &all, what).await;
    }
    check_show_up(shop, dice, &all, what).await;
}

#[tokio::test]
async fn funnels_say_what_the_rows_say() {
    let shop = Shop::open("Europe/Dublin", 17).await;
    // What the product numbers by itself stands above what is put in by hand.
    for noun in ["milestone", "session_link", "event"] {
        let sql = "insert or replace into numbers (site_id, noun, last) values (?1, ?2, 1000000000)";
        shop.db.execute(sql, params![shop.at.id.number(), noun]).expect("the numbers");
    }
    let mut hand = Hand { shop: &shop, dice: Dice::new(5), last: 1_000_000 };
    hand.steps(700);
    hand.events(400);
    hand.visits(200);
    let mut dice = Dice::new(23);
    check(&shop, &mut dice, 12, "before the days are counted").await;
    cube::catch_up(&shop.house.app).await.expect("counted");
    check(&shop, &mut dice, 20, "after").await;
    hand.steps(30);
    check(&shop, &mut dice, 4, "late steps").await;
    hand.visits(40);
    hand.events(40);
    check(&shop, &mut dice, 4, "late visits").await;
    hand.links(60);
    check(&shop, &mut dice, 6, "browsers that turned out to be somebody's").await;
    for (kept, merged) in [(3, 40), (7, 90), (2, 3), (11, 12)] {
        hand.merge(kept, merged);
    }
    check(&shop, &mut dice, 6, "contacts that turned out to be one").await;
    for kind in [0, 3, 4, 6, 7, 8] {
        shop.change(&mut dice, kind);
        check(&shop, &mut dice, 3, "conversions that changed").await;
    }
    cube::catch_up(&shop.house.app).await.expect("counted again");
    check(&shop, &mut dice, 6, "counted again").await;
    for person in [2, 7, 25] {
        let body = json!({"email": format!("person{person}@mail.example")});
        let told = shop.house.post(&format!("/api/sites/{}/erasures", shop.at.slug)).cookie(&shop.owner).json(&body).send().await;
        assert!(told.status < 300, "{}", told.text);
        check(&shop, &mut dice, 4, "somebody was erased").await;
    }
}
