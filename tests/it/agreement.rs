//! All panels of the overview agree with each other, and with a slow recomputation from plain rows in which nothing is
//! kept, counted before or shared: for random filters, lenses, windows and days, before the days are counted, after, and
//! while rows change.

/// Who went how far through a funnel, and who came.
mod funnels;
/// All models side by side.
mod lab;

use std::collections::{BTreeMap, HashMap, HashSet};

use halotrack::domain::attribution::{Model, PathTouch, weights};
use halotrack::domain::channel::channel;
use halotrack::domain::money::{Currency, Money};
use halotrack::domain::rights::Right;
use halotrack::domain::time::{DAY_MS, Day, Time, Zone};
use halotrack::domain::touch::Touchpoint;
use halotrack::flows::cube;
use halotrack::store::FILE;
use halotrack::store::sites::Site;
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::ground::{self, Dice, Size};
use crate::house::{House, SiteAt};

const DAYS: i64 = 70;
const KINDS_OF_CHANGE: u64 = 10;

struct Shop {
    house: House,
    at: SiteAt,
    site: std::sync::Arc<Site>,
    db: Connection,
    owner: String,
}

/// A conversion that counts, with all that reports know of it.
struct Sale {
    id: i64,
    day: Day,
    at: Time,
    kind: String,
    origin: Option<(String, String, String)>,
    match_type: String,
    status: String,
    currency: String,
    country: String,
    device: String,
    days: Option<i64>,
    amount: Option<i64>,
    consent: String,
    /// Its buyer's first sale, a later one, or nobody's; empty for what is no sale.
    customers: &'static str,
    told: Vec<(String, i64)>,
    path: Vec<PathTouch>,
    items: Vec<(String, i64, i64)>,
}

struct Booked {
    sale: usize,
    day: Day,
    at: Time,
    is_sale: bool,
    minor: i64,
    currency: String,
}

struct Visit {
    day: Day,
    at: Time,
    origin: (String, String, String),
    country: String,
    device: String,
    page: String,
    content: String,
    term: String,
    click: String,
    referrer: String,
    consent: String,
}

struct Rows {
    sales: Vec<Sale>,
    booked: Vec<Booked>,
    visits: Vec<Visit>,
}

impl Shop {
    async fn open(zone: &str, seed: u64) -> Self {
        let house = House::new();
        let at = house
            .site_with("shop.example", |new| {
                new.zone = Zone::parse(zone).expect("a zone");
                new.currency = Currency::parse("EUR").expect("a currency");
            })
            .await;
        let site = house.app.book().site(at.id).cloned().expect("the site");
        let size = Size { sessions: 900, conversions: 240, days: DAYS, seed, until: house.clock.now() };
        ground::fill(house.data(), &site, &size);
        let db = Connection::open(house.data().join(FILE)).expect("the file");
        db.busy_timeout(std::time::Duration::from_secs(20)).expect("a time-out");
        let owner = house.login("ann@shop.example", Right::Own, None).await;
        let shop = Self { house, at, site, db, owner };
        shop.run("update conversions set country = 'FR' where site_id = ?1 and id % 4 = 1");
        shop.run("update conversions set session_id = id where site_id = ?1 and id % 5 = 2");
        shop.run("update touches set landing = '/a?utm_id=1' where site_id = ?1 and session_id % 3 = 1");
        shop.run(
            r#"update orders set items = '[{"id":"t","name":"Tyre","quantity":2,"price":{"minor":1500,"currency":"EUR"}},
                 {"id":"p","name":null,"quantity":1,"price":{"minor":700,"currency":"EUR"}}]' where site_id = ?1 and id % 3 = 0"#,
        );
        shop.run(r#"update orders set items = '[{"id":"x","name":"Fit","quantity":1,"price":null}]' where site_id = ?1 and id % 3 = 1"#);
        shop.run("update conversions set consent_given = id % 2 where site_id = ?1 and id % 6 = 1");
        shop.run(
            "insert into chat_assists (site_id, conversion_id, at, method, confidence_bp, reason)
             select site_id, id, happened_at, 'session_match', 9500, 'A chat.' from conversions where site_id = ?1 and id % 7 = 3",
        );
        shop.run(
            "insert into affiliate_credits (site_id, conversion_id, code, way, at, hold_days, due_at, reason, model)
             select site_id, id, iif(id % 2 = 0, 'noor', 'karim'), 'named', happened_at, 30, happened_at, 'Named.', 'last'
             from conversions where site_id = ?1 and id % 5 = 2",
        );
        // Sales that nobody's path explains, but their sender does.
        shop.run(
            "update conversions set source = 'stated', medium = 'cpc', match_type = 'stated' where site_id = ?1 and match_type = 'none' and id % 2 = 0",
        );
        shop
    }

    fn run(&self, sql: &str) {
        self.db.execute(sql, [self.at.id.number()]).expect(sql);
    }

    async fn get(&self, path: &str) -> Value {
        let address = format!("/api/sites/{}/{}", self.at.slug, path.replace(' ', "%20"));
        self.house.get(&address).cookie(&self.owner).send().await.is(200).json
    }

    fn day(&self, ms: i64) -> Day {
        self.site.zone.day(Time::from_ms(ms))
    }

    /// The plain rows, joined here and not by the database.
    fn rows(&self) -> Rows {
        let site = self.at.id.number();
        let sessions: HashMap<i64, (String, String)> =
            self.select("select id, coalesce(country, ''), device from sessions where site_id = ?1", |r| (r.get(0), (r.get(1), r.get(2))));
        let credits: HashMap<i64, (String, Option<i64>)> = self.select(
            "select k.conversion_id, k.path || '', json_extract(k.snapshot, '$.days_to_convert') from credits k
             join conversions c on c.site_id = k.site_id and c.id = k.conversion_id and c.run = k.run where k.site_id = ?1",
            |r| (r.get(0), (r.get(1), r.get(2))),
        );
        let items: HashMap<i64, String> =
            self.select("select conversion_id, items from orders where site_id = ?1", |r| (r.get(0), r.get(1)));
        let consents: HashMap<i64, String> =
            self.select("select session_id * 1000 + seq, marketing from touches where site_id = ?1", |r| (r.get(0), r.get(1)));
        let mut told: HashMap<i64, Vec<(String, i64)>> = HashMap::new();
        for sql in [
            "select id, conversion_id, platform, connection_id from reports where site_id = ?1",
            "select id, conversion_id, platform, connection_id from deliveries where site_id = ?1",
        ] {
            let rows: HashMap<i64, (i64, (String, i64))> = self.select(sql, |r| (r.get(0), Three(r.get(1), r.get(2), r.get(3))));
            rows.into_values().for_each(|(id, who)| told.entry(id).or_default().push(who));
        }
        let mut statement = self
            .db
            .prepare(
                "select id, happened_at, kind, source, medium, campaign, match_type, status, currency, country, session_id, amount_minor, consent_given,
                   contact_id
                 from conversions where site_id = ?1 and counts = 1 order by id",
            )
            .expect("a statement");
        let mut buyers: HashMap<i64, i64> = HashMap::new();
        let mut sales: Vec<Sale> = statement
            .query_map([site], |r| {
                let (id, at): (i64, i64) = (r.get(0)?, r.get(1)?);
                let (path, days) = &credits[&id];
                let path: Vec<PathTouch> = serde_json::from_str(path).expect("a path");
                let session: Option<i64> = r.get::<_, Option<i64>>(10)?.or(path.last().map(|p| p.touch.session));
                let (from, device) = session.and_then(|s| sessions.get(&s)).cloned().unwrap_or_default();
                let origin = r.get::<_, Option<String>>(3)?.map(|source| {
                    let word = |n| r.get::<_, Option<String>>(n).expect("a word").unwrap_or_default();
                    (source, word(4), word(5))
                });
                let last = path.last().and_then(|p| consents.get(&(p.touch.session * 1000 + p.touch.seq))).cloned();
                let consent = match r.get::<_, Option<bool>>(12)? {
                    Some(true) => "granted".to_owned(),
                    Some(false) => "denied".to_owned(),
                    None => last.unwrap_or("unknown".into()),
                };
                if let Some(contact) = r.get(13)? {
                    buyers.insert(id, contact);
                }
                Ok(Sale {
                    amount: r.get(11)?,
                    customers: "",
                    consent,
                    told: told.get(&id).cloned().unwrap_or_default(),
                    id,
                    day: self.day(at),
                    at: Time::from_ms(at),
                    kind: r.get(2)?,
                    origin,
                    match_type: r.get(6)?,
                    status: r.get(7)?,
                    currency: r.get::<_, Option<String>>(8)?.unwrap_or_default(),
                    country: r.get::<_, Option<String>>(9)?.unwrap_or(from),
                    device,
                    days: *days,
                    path,
                    items: bought(items.get(&id)),
                })
            })
            .expect("rows")
            .map(|r| r.expect("a row"))
            .collect();
        let mut in_time: Vec<&mut Sale> = sales.iter_mut().filter(|s| s.kind == "sale").collect();
        in_time.sort_by_key(|s| (s.at, s.id));
        let mut known = HashSet::new();
        for sale in in_time {
            sale.customers = match buyers.get(&sale.id) {
                None => "unknown",
                Some(contact) if known.insert(*contact) => "new",
                Some(_) => "returning",
            };
        }
        let places: HashMap<i64, usize> = sales.iter().enumerate().map(|(place, sale)| (sale.id, place)).collect();
        let mut statement = self
            .db
            .prepare("select conversion_id, book_day, kind, amount_minor, currency, happened_at from entries where site_id = ?1")
            .expect("a statement");
        let booked = statement
            .query_map([site], |r| {
                let at = Time::from_ms(r.get(5)?);
                Ok((r.get::<_, i64>(0)?, Day(r.get(1)?), r.get::<_, String>(2)? == "sale", r.get(3)?, r.get::<_, String>(4)?, at))
            })
            .expect("rows")
            .map(|r| r.expect("a row"))
            .filter_map(|(id, day, is_sale, minor, currency, at)| {
                Some(Booked { sale: *places.get(&id)?, day, at, is_sale, minor, currency })
            })
            .collect();
        let mut visits: Vec<Visit> = Vec::new();
        let mut statement = self
            .db
            .prepare(
                "select at, session_id, source, medium, campaign, landing, content, term, click_kind, referrer, marketing
                 from touches where site_id = ?1 and starts_visit = 1",
            )
            .expect("a statement");
        let seen = statement
            .query_map([site], |r| {
                let (country, device) = sessions[&r.get::<_, i64>(1)?].clone();
                let word = |n| r.get::<_, Option<String>>(n).expect("a word").unwrap_or_default();
                Ok(Visit {
                    day: self.day(r.get(0)?),
                    at: Time::from_ms(r.get(0)?),
                    origin: (r.get(2)?, r.get(3)?, word(4)),
                    country,
                    device,
                    page: page(&word(5)),
                    content: word(6),
                    term: word(7),
                    click: word(8),
                    referrer: word(9),
                    consent: word(10),
                })
            })
            .expect("rows");
        visits.extend(seen.map(|v| v.expect("a visit")));
        let mut statement = self
            .db
            .prepare(
                "select at, source, medium, utm_campaign, country, device, path from anon_events where site_id = ?1 and starts_visit = 1",
            )
            .expect("a statement");
        let unknown = statement
            .query_map([site], |r| {
                let word = |n| r.get::<_, Option<String>>(n).expect("a word").unwrap_or_default();
                Ok(Visit {
                    day: self.day(r.get(0)?),
                    at: Time::from_ms(r.get(0)?),
                    origin: (r.get(1)?, r.get(2)?, word(3)),
                    country: word(4),
                    device: word(5),
                    page: page(&word(6)),
                    content: String::new(),
                    term: String::new(),
                    click: String::new(),
                    referrer: String::new(),
                    consent: "anonymous".into(),
                })
            })
            .expect("rows");
        visits.extend(unknown.map(|v| v.expect("a visit")));
        Rows { sales, booked, visits }
    }

    fn select<V>(&self, sql: &str, read: impl Fn(&rusqlite::Row) -> (rusqlite::Result<i64>, V)) -> HashMap<i64, V::Read>
    where
        V: Readable,
    {
        let mut statement = self.db.prepare(sql).expect("a statement");
        let rows = statement
            .query_map([self.at.id.number()], |r| {
                let (id, value) = read(r);
                Ok((id?, value.read()?))
            })
            .expect("rows");
        rows.map(|r| r.expect("a row")).collect()
    }

    /// Things of one kind change in days that are counted long since.
    fn change(&self, dice: &mut Dice, kind: u64) {
        let sql = match kind {
            0 => "update conversions set status = 'refunded', net_minor = 0 where site_id = ?1 and id = ?2",
            1 => "update conversions set source = 'late', medium = 'email', campaign = null where site_id = ?1 and id = ?2",
            2 => "update conversions set country = 'PT' where site_id = ?1 and id = ?2",
            3 => "update conversions set session_id = 1 + ?2 % 7 where site_id = ?1 and id = ?2",
            4 => "update conversions set counts = 1 - counts where site_id = ?1 and id = ?2",
            5 => "update conversions set consent_given = 0 where site_id = ?1 and id = ?2",
            6 => "update conversions set amount_minor = amount_minor + 12000 where site_id = ?1 and id = ?2",
            7 => "update conversions set contact_id = 1 + ?2 % 5 where site_id = ?1 and id = ?2",
            8 => "update conversions set happened_at = happened_at - 86400000 where site_id = ?1 and id = ?2",
            _ => {
                r#"update orders set items = '[{"id":"n","name":"New","quantity":3,"price":{"minor":9,"currency":"EUR"}}]' where site_id = ?1 and id = ?2"#
            }
        };
        for _ in 0..25 {
            self.db.execute(sql, params![self.at.id.number(), 1 + dice.below(240)]).expect(sql);
        }
    }
}

/// A value of several columns, each of which may fail.
trait Readable {
    type Read;
    fn read(self) -> rusqlite::Result<Self::Read>;
}

impl<A> Readable for rusqlite::Result<A> {
    type Read = A;
    fn read(self) -> rusqlite::Result<A> {
        self
    }
}

impl<A, B> Readable for (rusqlite::Result<A>, rusqlite::Result<B>) {
    type Read = (A, B);
    fn read(self) -> rusqlite::Result<(A, B)> {
        Ok((self.0?, self.1?))
    }
}

/// A number, and what it belongs to.
struct Three(rusqlite::Result<i64>, rusqlite::Result<String>, rusqlite::Result<i64>);

impl Readable for Three {
    type Read = (i64, (String, i64));
    fn read(self) -> rusqlite::Result<Self::Read> {
        Ok((self.0?, (self.1?, self.2?)))
    }
}

fn page(landing: &str) -> String {
    match landing.split('?').next() {
        Some(page) if !page.is_empty() => page.to_owned(),
        _ => "/".to_owned(),
    }
}

fn bought(items: Option<&String>) -> Vec<(String, i64, i64)> {
    let items: Value = items.map_or(Value::Null, |text| serde_json::from_str(text).expect("items"));
    let all: Vec<(String, i64, i64)> = items
        .as_array()
        .into_iter()
        .flatten()
        .map(|i| {
            let name = i["name"].as_str().or(i["id"].as_str()).unwrap_or_default().to_owned();
            (name, i["quantity"].as_i64().unwrap_or(0), i["price"]["minor"].as_i64().unwrap_or(0))
        })
        .collect();
    if all.is_empty() { vec![("(not set)".into(), 0, 0)] } else { all }
}

/// A random question, and the same as tests of a sale and of a visit.
struct Asked {
    query: String,
    from: Day,
    to: Day,
    model: Model,
    window: Option<u32>,
    is_of_the_books: bool,
    fits: Test<Sale>,
    fits_visit: Test<Visit>,
}

type Word<T> = fn(&T) -> String;
type Test<T> = Box<dyn Fn(&T) -> bool>;

/// Dimensions of which a part of the word may be asked.
const PARTS: [&str; 7] = ["source", "campaign", "channel", "content", "term", "landing", "referrer"];

fn random(dice: &mut Dice, today: Day, site: i64) -> Asked {
    let from = today.plus(-(dice.below(DAYS) as i32));
    let to = if dice.is(40) { today } else { from.plus(dice.below(45) as i32).min(today) };
    let mut query = vec![format!("from={from}&to={to}")];
    let model = if dice.is(35) { Model::LastNonDirect } else { *dice.pick(&Model::ALL) };
    let window = if dice.is(50) { Some(30) } else { *dice.pick(&[Some(1), Some(7), Some(90), None]) };
    query.push(format!("model={}&window={}", model.word(), window.map_or("unlimited".into(), |d: u32| d.to_string())));
    let mut sales: Vec<Test<Sale>> = Vec::new();
    let mut visits: Vec<Test<Visit>> = Vec::new();
    let mut add = |name: &str, values: &[&str], chance: i64, of: Word<Sale>, of_visit: Option<Word<Visit>>| {
        if !dice.is(chance) {
            return;
        }
        let mut chosen: Vec<String> = (0..1 + dice.below(2)).map(|_| (*dice.pick(values)).to_owned()).collect();
        let is_not = dice.is(35);
        let is_part = PARTS.contains(&name) && dice.is(35);
        if is_part {
            // Three letters out of the middle, of another size.
            let part = |v: &String| if v.len() > 3 { v.to_uppercase().chars().skip(1).take(3).collect() } else { v.to_uppercase() };
            chosen = chosen.iter().map(part).collect();
        }
        query.extend(chosen.iter().map(|v| format!("{name}={}{}{v}", if is_not { "!" } else { "" }, if is_part { "~" } else { "" })));
        let fits = move |word: String| {
            let is_word = !["", "unattributed", "(not set)", "unknown"].contains(&word.as_str());
            match is_part {
                true => is_word && chosen.iter().any(|part| word.to_uppercase().contains(part.as_str())),
                false => chosen.contains(&word),
            }
        };
        let again = fits.clone();
        sales.push(Box::new(move |sale| fits(of(sale)) != is_not));
        if let Some(of) = of_visit {
            visits.push(Box::new(move |visit| again(of(visit)) != is_not));
        }
    };
    add("kind", &["sale", "lead", "signup"], 20, |s| s.kind.clone(), None);
    add(
        "source",
        &["google", "facebook", "direct", "unattributed", "stated"],
        20,
        |s| s.origin.as_ref().map_or("unattributed".into(), |o| o.0.clone()),
        Some(|v| v.origin.0.clone()),
    );
    add(
        "campaign",
        &["spring", "brand", "(not set)"],
        12,
        |s| or(s.origin.as_ref().map_or("", |o| &o.2), "(not set)"),
        Some(|v| or(&v.origin.2, "(not set)")),
    );
    add(
        "channel",
        &["Paid Search", "Email", "Direct"],
        15,
        |s| s.origin.as_ref().map_or(String::new(), channel_of),
        Some(|v| channel_of(&v.origin)),
    );
    add("country", &["IE", "DE", "FR", "unknown"], 15, |s| or(&s.country, "unknown"), Some(|v| or(&v.country, "unknown")));
    add("device", &["mobile", "desktop", "unknown"], 15, |s| or(&s.device, "unknown"), Some(|v| or(&v.device, "unknown")));
    add("landing", &["/start", "/a", "/", "unattributed"], 12, landing, Some(|v| v.page.clone()));
    add(
        "content",
        &["video", "Carousel 2", "(not set)"],
        10,
        |s| of_visit(s, |t| t.content.clone()),
        Some(|v| or(&v.content, "(not set)")),
    );
    add("term", &["winter gloves", "shoes", "(not set)"], 8, |s| of_visit(s, |t| t.term.clone()), Some(|v| or(&v.term, "(not set)")));
    add("click", &["gclid", "fbclid", "(not set)"], 8, |s| of_visit(s, |t| t.click.clone()), Some(|v| or(&v.click, "(not set)")));
    add(
        "referrer",
        &["www.google.com", "l.instagram.com", "unattributed"],
        8,
        |s| of_visit(s, |t| t.referrer.clone()),
        Some(|v| or(&v.referrer, "(not set)")),
    );
    add("consent", &["granted", "denied", "unknown", "anonymous"], 10, |s| s.consent.clone(), Some(|v| v.consent.clone()));
    add("chat", &["yes", "no"], 8, |s| (if s.id % 7 == 3 { "yes" } else { "no" }).into(), None);
    let partner = |s: &Sale| ["(not set)", "noor", "karim"][if s.id % 5 == 2 { 1 + (s.id % 2) as usize } else { 0 }].to_owned();
    add("affiliate", &["noor", "karim", "(not set)"], 8, partner, None);
    add("amount", &["..50", "50.01..200", "200.01..", "none"], 10, band, None);
    add("customers", &["new", "returning", "unknown"], 15, |s| s.customers.into(), None);
    add("match", &["session", "none", "email"], 12, |s| s.match_type.clone(), None);
    add("status", &["paid", "refunded", "won"], 10, |s| s.status.clone(), None);
    add("currency", &["EUR", "AED"], 10, |s| s.currency.clone(), None);
    if dice.is(8) {
        let platform = *dice.pick(&["meta", "forms", "woocommerce"]);
        query.push(format!("platform={platform}"));
        sales.push(Box::new(move |sale| sale.told.iter().any(|(p, _)| p == platform)));
    }
    if dice.is(12) {
        let n = dice.below(4) + 1;
        let is_not = dice.is(50);
        query.push(format!("connection={}con_{}", if is_not { "!" } else { "" }, site * 10 + n));
        sales.push(Box::new(move |sale| sale.told.iter().any(|(_, c)| *c == site * 10 + n) != is_not));
    }
    let is_of_the_books = model == Model::LastNonDirect && window == Some(30);
    Asked {
        query: query.join("&"),
        from,
        to,
        model,
        window,
        is_of_the_books,
        fits: Box::new(move |sale| sales.iter().all(|t| t(sale))),
        fits_visit: Box::new(move |visit| visits.iter().all(|t| t(visit))),
    }
}

fn or(word: &str, none: &str) -> String {
    if word.is_empty() { none.to_owned() } else { word.to_owned() }
}

fn channel_of(origin: &(String, String, String)) -> String {
    channel(&origin.0, &origin.1, Some(&origin.2)).to_owned()
}

/// The page on which the visit began that the books credit.
fn landing(sale: &Sale) -> String {
    of_visit(sale, |t| t.landing.as_deref().map(page))
}

/// Something of the visit that the books credit.
fn of_visit(sale: &Sale, word: fn(&Touchpoint) -> Option<String>) -> String {
    if sale.origin.is_none() {
        return "unattributed".into();
    }
    let weights = weights(Model::LastNonDirect, &sale.path, sale.at, Some(30));
    let credited = sale.path.iter().zip(weights).find(|(_, w)| *w > 0);
    credited.and_then(|(p, _)| word(&p.touch)).unwrap_or_else(|| "(not set)".into())
}

/// All amounts of the ground are of currencies with two digits.
fn band(sale: &Sale) -> String {
    match sale.amount {
        None => "none",
        Some(..=5_000) => "..50",
        Some(5_001..=20_000) => "50.01..200",
        Some(_) => "200.01..",
    }
    .into()
}

/// Who is credited through a lens: names, each with a weight.
fn credited(sale: &Sale, by: &str, model: Model, window: Option<u32>, is_of_the_books: bool) -> (Vec<String>, Vec<u64>) {
    let name = |origin: Option<&(String, String, String)>| match origin {
        None => "unattributed".to_owned(),
        Some(o) => match by {
            "channel" => channel_of(o),
            "campaign" => or(&o.2, "(not set)"),
            _ => o.0.clone(),
        },
    };
    let stated = || match by {
        "landing" => landing(sale),
        "content" => of_visit(sale, |t| t.content.clone()),
        "term" => of_visit(sale, |t| t.term.clone()),
        _ => name(sale.origin.as_ref()),
    };
    if is_of_the_books {
        return (vec![stated()], vec![1]);
    }
    let weights = weights(model, &sale.path, sale.at, window);
    if weights.iter().all(|w| *w == 0) {
        let nobody = if sale.path.is_empty() { stated() } else { "unattributed".to_owned() };
        return (vec![nobody], vec![1]);
    }
    let names = sale.path.iter().map(|p| {
        let t = &p.touch;
        match by {
            "landing" => t.landing.as_deref().map_or("(not set)".into(), page),
            "content" => t.content.clone().unwrap_or("(not set)".into()),
            "term" => t.term.clone().unwrap_or("(not set)".into()),
            _ => name(Some(&(t.source.clone(), t.medium.clone(), t.campaign.clone().unwrap_or_default()))),
        }
    });
    (names.collect(), weights)
}

/// A row of a table: visits, conversions, orders, and the money that is left, by currency.
#[derive(Debug, Clone, Default, PartialEq)]
struct Line {
    visits: i64,
    conversions: f64,
    orders: f64,
    net: BTreeMap<String, i64>,
}

type Table = BTreeMap<String, Line>;

fn add_money(net: &mut BTreeMap<String, i64>, currency: &str, minor: i64) {
    *net.entry(currency.to_owned()).or_default() += minor;
}

fn tidy(mut table: Table) -> Table {
    for line in table.values_mut() {
        line.net.retain(|_, minor| *minor != 0);
        line.conversions = (line.conversions * 1e6).round() / 1e6;
        line.orders = (line.orders * 1e6).round() / 1e6;
    }
    table.retain(|_, line| *line != Line::default());
    table
}

/// A table the slow way.
fn slow(rows: &Rows, asked: &Asked, by: &str, model: Model, is_of_the_books: bool, with_visits: bool) -> Table {
    slow_of(rows, asked, by, (model, is_of_the_books), with_visits, &|day, _| asked.from <= day && day <= asked.to)
}

/// The same of any days and hours.
fn slow_of(
    rows: &Rows,
    asked: &Asked,
    by: &str,
    (model, is_of_the_books): (Model, bool),
    with_visits: bool,
    holds: &dyn Fn(Day, Time) -> bool,
) -> Table {
    let mut table = Table::new();
    let names = |sale: &Sale| match by {
        "country" => (vec![or(&sale.country, "unknown")], vec![1]),
        "device" => (vec![or(&sale.device, "unknown")], vec![1]),
        _ => credited(sale, by, model, asked.window, is_of_the_books),
    };
    for sale in rows.sales.iter().filter(|s| holds(s.day, s.at) && (asked.fits)(s)) {
        let (names, weights) = names(sale);
        let sum: f64 = weights.iter().map(|w| *w as f64).sum();
        for (name, weight) in names.iter().zip(weights).filter(|(_, w)| *w > 0) {
            let line = table.entry(name.clone()).or_default();
            line.conversions += weight as f64 / sum;
            line.orders += if sale.kind == "sale" { weight as f64 / sum } else { 0.0 };
        }
    }
    for entry in rows.booked.iter().filter(|e| holds(e.day, e.at) && (asked.fits)(&rows.sales[e.sale])) {
        let (names, weights) = names(&rows.sales[entry.sale]);
        let currency = Currency::parse(&entry.currency).expect("a currency");
        for (name, part) in names.iter().zip(Money::new(entry.minor, currency).split(&weights)) {
            add_money(&mut table.entry(name.clone()).or_default().net, &entry.currency, part.minor);
        }
    }
    if with_visits {
        for visit in rows.visits.iter().filter(|v| holds(v.day, v.at) && (asked.fits_visit)(v)) {
            let name = match by {
                "country" => or(&visit.country, "unknown"),
                "device" => or(&visit.device, "unknown"),
                "landing" => visit.page.clone(),
                "content" => or(&visit.content, "(not set)"),
                "term" => or(&visit.term, "(not set)"),
                "channel" => channel_of(&visit.origin),
                "campaign" => or(&visit.origin.2, "(not set)"),
                _ => visit.origin.0.clone(),
            };
            table.entry(name).or_default().visits += 1;
        }
    }
    table
}

fn money(all: &Value) -> BTreeMap<String, i64> {
    let all = all.as_array().expect("money").iter();
    all.map(|m| (m["currency"].as_str().expect("a code").to_owned(), m["minor"].as_i64().expect("a number"))).collect()
}

fn line(shown: &Value, visits: i64) -> Line {
    Line {
        visits,
        conversions: shown["conversions"].as_f64().expect("conversions"),
        orders: shown["orders"].as_f64().expect("orders"),
        net: money(&shown["net"]),
    }
}

/// A column of a table as it is shown.
fn shown(table: &Value, column: Option<&str>) -> Table {
    let items = table["items"].as_array().expect("items");
    assert_eq!(table["rows"].as_i64(), Some(items.len() as i64), "no row is left out");
    tidy(
        items
            .iter()
            .map(|row| {
                let visits = if column.is_none() { row["visits"].as_i64().expect("visits") } else { 0 };
                (row["name"].as_str().expect("a name").to_owned(), line(column.map_or(row, |c| &row[c]), visits))
            })
            .collect(),
    )
}

fn sum(table: &Table) -> Line {
    let mut sum = Line::default();
    for line in table.values() {
        sum.visits += line.visits;
        sum.conversions += line.conversions;
        sum.orders += line.orders;
        line.net.iter().for_each(|(currency, minor)| add_money(&mut sum.net, currency, *minor));
    }
    tidy([(String::new(), sum)].into()).remove("").unwrap_or_default()
}

/// Something to compare with: how it is asked, and the days that it means.
fn compared(dice: &mut Dice, asked: &Asked, today: Day) -> (String, Option<(Day, Day, bool)>) {
    let size = asked.to.0 - asked.from.0 + 1;
    let back = |days: i32| Some((asked.from.plus(-days), asked.to.plus(-days), true));
    match dice.below(7) {
        0 => ("&compare=previous".into(), back(size)),
        1 => ("&compare=previous&align=weekday".into(), back((size + 6) / 7 * 7)),
        2 => ("&compare=year".into(), back(364)),
        3 => ("&compare=year&align=date".into(), back(365)),
        4 => {
            // As many days, sometime.
            let days = dice.below(30) as i32;
            let (from, to) = (asked.from.plus(-days), asked.to.plus(-days));
            (format!("&compare=custom&compare_from={from}&compare_to={to}"), Some((from, to, true)))
        }
        5 => {
            let from = today.plus(-(dice.below(60) as i32) - 1);
            let to = from.plus(dice.below(20) as i32).min(today);
            (format!("&compare=custom&compare_from={from}&compare_to={to}"), Some((from, to, to.0 - from.0 + 1 == size)))
        }
        _ => (String::new(), None),
    }
}

async fn check(shop: &Shop, dice: &mut Dice, what: &str) {
    let today = shop.day(shop.house.clock.now().ms());
    let asked = random(dice, today, shop.at.id.number());
    let compared = compared(dice, &asked, today);
    let rows = shop.rows();
    let by = *dice.pick(&["channel", "source", "campaign", "landing", "content", "term"]);
    let what = format!("{what}: {}{} by {by}", asked.query, compared.0);
    let answer = shop
        .get(&format!("reports/overview?{}{}&by={by}&with=days,sources,countries,devices,products,latest", asked.query, compared.0))
        .await;

    // The tables, column by column, and all with the same total.
    let own = slow(&rows, &asked, by, asked.model, asked.is_of_the_books, true);
    assert_eq!(shown(&answer["sources"], None), tidy(own.clone()), "{what}");
    for (column, model) in [("first", Model::First), ("last", Model::Last)] {
        assert_eq!(shown(&answer["sources"], Some(column)), tidy(slow(&rows, &asked, by, model, false, false)), "{what}: {column}");
    }
    let whole = sum(&own);
    for (name, by) in [("countries", "country"), ("devices", "device")] {
        let table = slow(&rows, &asked, by, asked.model, false, true);
        assert_eq!(shown(&answer[name], None), tidy(table.clone()), "{what}: {name}");
        assert_eq!(sum(&table), whole, "{what}: {name}");
    }
    assert_eq!(
        tidy([(String::new(), line(&answer["sources"]["total"], whole.visits))].into()).remove("").unwrap_or_default(),
        whole,
        "{what}"
    );

    // What was sold has the same money.
    let mut products: BTreeMap<String, (i64, BTreeMap<String, i64>)> = BTreeMap::new();
    for entry in rows.booked.iter().filter(|e| asked.from <= e.day && e.day <= asked.to && (asked.fits)(&rows.sales[e.sale])) {
        let items = &rows.sales[entry.sale].items;
        let mut weights: Vec<u64> = items.iter().map(|(_, n, price)| (n * price) as u64).collect();
        if weights.iter().all(|w| *w == 0) {
            weights.fill(1);
        }
        let amount = Money::new(entry.minor, Currency::parse(&entry.currency).expect("a currency"));
        for ((name, quantity, _), part) in items.iter().zip(amount.split(&weights)) {
            let row = products.entry(name.clone()).or_default();
            row.0 += if entry.is_sale { *quantity } else { 0 };
            add_money(&mut row.1, &entry.currency, part.minor);
        }
    }
    let sold: BTreeMap<String, (i64, BTreeMap<String, i64>)> = answer["products"]["items"]
        .as_array()
        .expect("products")
        .iter()
        .map(|p| (p["name"].as_str().expect("a name").to_owned(), (p["quantity"].as_i64().expect("a number"), money(&p["net"]))))
        .collect();
    assert_eq!(sold, products, "{what}");
    let nothing_else = |mut net: BTreeMap<String, i64>| {
        net.retain(|_, minor| *minor != 0);
        net
    };
    assert_eq!(nothing_else(money(&answer["products"]["total"]["net"])), whole.net, "{what}");

    // The headline and the chart.
    let sales: Vec<&Sale> = rows.sales.iter().filter(|s| asked.from <= s.day && s.day <= asked.to && (asked.fits)(s)).collect();
    let attributed = sales.iter().filter(|s| s.match_type != "none").count() as i64;
    let known: Vec<i64> = sales.iter().filter_map(|s| s.days).collect();
    assert_eq!(answer["conversions"]["all"].as_i64(), Some(sales.len() as i64), "{what}");
    assert_eq!(answer["visits"].as_i64(), Some(whole.visits), "{what}");
    assert_eq!(nothing_else(money(&answer["net"])), whole.net, "{what}");
    assert_eq!((whole.conversions, whole.orders), (sales.len() as f64, answer["orders"].as_i64().expect("orders") as f64), "{what}");
    assert_eq!(answer["attributed"].as_i64(), Some(attributed), "{what}");
    let days = (!known.is_empty()).then(|| known.iter().sum::<i64>() as f64 / known.len() as f64);
    // A JSON reader may round the last bit.
    let tenth_of_millionths = |v: f64| (v * 1e7).round() as i64;
    assert_eq!(answer["average_days_to_convert"].as_f64().map(tenth_of_millionths), days.map(tenth_of_millionths), "{what}");
    let mut chart = Line::default();
    for day in answer["days"].as_array().expect("days") {
        let date = Day::parse(day["day"].as_str().expect("a day")).expect("a day");
        let of_day = sales.iter().filter(|s| s.day == date).count() as i64;
        assert_eq!(day["conversions"]["all"].as_i64(), Some(of_day), "{what}: {date}");
        chart.visits += day["visits"].as_i64().expect("visits");
        chart.conversions += day["conversions"]["all"].as_f64().expect("conversions");
        chart.orders += day["conversions"]["sale"].as_f64().expect("orders");
        money(&day["net"]).into_iter().for_each(|(currency, minor)| add_money(&mut chart.net, &currency, minor));
    }
    chart.net = nothing_else(chart.net);
    assert_eq!(chart, whole, "{what}: the chart");

    // What it is compared with, up to the hour that the last day has come to.
    if let Some((from, to, is_alike)) = compared.1 {
        let now = shop.house.clock.now();
        let zone = &shop.site.zone;
        let until = match asked.to == today && is_alike {
            true => zone.start(to).plus_ms(now.ms_since(zone.start(today))).min(zone.start(to.plus(1))),
            false => Time::from_ms(i64::MAX),
        };
        let holds = |day: Day, at: Time| from <= day && day <= to && (day < to || at < until);
        let shown = &answer["compare"];
        assert_eq!((shown["from"].as_str(), shown["to"].as_str()), (Some(&*from.to_string()), Some(&*to.to_string())), "{what}");
        let count = rows.sales.iter().filter(|s| holds(s.day, s.at) && (asked.fits)(s)).count() as i64;
        assert_eq!(shown["conversions"]["all"].as_i64(), Some(count), "{what}: compared");
        let visits = rows.visits.iter().filter(|v| holds(v.day, v.at) && (asked.fits_visit)(v)).count() as i64;
        assert_eq!(shown["visits"].as_i64(), Some(visits), "{what}: visits compared");
        let mut net = BTreeMap::new();
        for entry in rows.booked.iter().filter(|e| holds(e.day, e.at) && (asked.fits)(&rows.sales[e.sale])) {
            add_money(&mut net, &entry.currency, entry.minor);
        }
        assert_eq!(nothing_else(money(&shown["net"])), nothing_else(net), "{what}: money compared");
        assert_eq!(shown["days"].as_array().map(Vec::len), Some((to.0 - from.0 + 1) as usize), "{what}");
        // Each row of the tables stands beside what it was.
        for (name, by, is_of_the_books) in
            [("sources", by, asked.is_of_the_books), ("countries", "country", false), ("devices", "device", false)]
        {
            let whole = slow_of(&rows, &asked, by, (asked.model, is_of_the_books), true, &holds);
            let before = tidy(whole.clone());
            let is = |shown: &Value, want: &Line| {
                let was = &shown["before"];
                let conversions = (was["conversions"].as_f64().expect("conversions") * 1e6).round() / 1e6;
                assert_eq!(
                    (was["visits"].as_i64(), conversions),
                    (Some(want.visits), want.conversions),
                    "{what}: {name} {}",
                    shown["name"]
                );
                assert_eq!(nothing_else(money(&was["net"])), want.net, "{what}: {name} {}", shown["name"]);
            };
            for row in answer[name]["items"].as_array().expect("items") {
                is(row, &before.get(row["name"].as_str().expect("a name")).cloned().unwrap_or_default());
            }
            is(&answer[name]["total"], &sum(&whole));
        }
    }

    // The ledger, which the last ten come from.
    let list = shop.get(&format!("conversions?{}&limit=10", asked.query)).await;
    assert_eq!(list["items"], answer["latest"], "{what}");
    assert_eq!(list["total"]["count"].as_i64(), Some(sales.len() as i64), "{what}: the ledger");
    lab::check(shop, dice, &rows, &asked, &what).await;
}

#[tokio::test]
async fn all_panels_agree_with_each_other_and_with_the_rows() {
    for (zone, seed) in [("Europe/Dublin", 3), ("Asia/Dubai", 8)] {
        let shop = Shop::open(zone, seed).await;
        let mut dice = Dice::new(seed);
        for _ in 0..10 {
            check(&shop, &mut dice, "before the days are counted").await;
        }
        cube::catch_up(&shop.house.app).await.expect("counted");
        for _ in 0..25 {
            check(&shop, &mut dice, "after").await;
        }
        // The same questions before and after a change of one kind: nothing that was kept may answer.
        for kind in 0..KINDS_OF_CHANGE {
            let asked = [seed * 100 + kind, seed * 100 + 50 + kind];
            for seed in asked {
                check(&shop, &mut Dice::new(seed), "before a change").await;
            }
            shop.change(&mut dice, kind);
            for seed in asked {
                check(&shop, &mut Dice::new(seed), "after it").await;
            }
            cube::catch_up(&shop.house.app).await.expect("counted");
            check(&shop, &mut Dice::new(asked[0]), "counted again").await;
        }
    }
}

/// What a filter asks of the conversion itself may change long after the day was counted: the money that was booked for it moves
/// with it. The same question with a connection left out that nobody has is kept under another name, and so is worked out anew.
#[tokio::test]
async fn money_moves_with_what_its_conversion_is_filtered_by() {
    let shop = Shop::open("Europe/Dublin", 4).await;
    cube::catch_up(&shop.house.app).await.expect("counted");
    let mut dice = Dice::new(4);
    let today = shop.day(shop.house.clock.now().ms());
    for (kind, query) in [(2, "country=PT"), (5, "consent=denied"), (6, "amount=150..")] {
        let ask = async |more: &str| {
            let days = format!("from={}&to={today}", today.plus(-60));
            shop.get(&format!("reports/overview?{days}&{query}{more}&with=days,sources,products")).await
        };
        let before = ask("").await;
        shop.change(&mut dice, kind);
        let after = ask("").await;
        assert_ne!(before["net"], after["net"], "{query}: something has moved");
        assert_eq!(after, ask(&format!("&connection=!con_99{kind}")).await, "{query}");
    }
    cube::catch_up(&shop.house.app).await.expect("counted again");
    // Sales that turn out to be days older are shared otherwise among the visits before them, and their money with them.
    let ask = async |more: &str| {
        let days = format!("from={}&to={today}", today.plus(-60));
        shop.get(&format!("reports/overview?{days}&model=linear&window=7{more}&with=sources")).await
    };
    let before = ask("").await;
    // Of nobody known: the days of a customer's first sale are counted anew by themselves.
    shop.run("update conversions set happened_at = happened_at - 20 * 86400000 where site_id = ?1 and contact_id is null");
    let after = ask("").await;
    assert_ne!(before["sources"]["items"], after["sources"]["items"]);
    assert_eq!(after["sources"], ask("&connection=!con_999").await["sources"]);
}

/// Each day of a comparison has the same hours: at noon, half of yesterday is what today is compared with.
#[tokio::test]
async fn a_day_that_is_not_over_is_compared_with_as_many_hours() {
    let shop = Shop::open("Europe/Dublin", 5).await;
    let now = shop.house.clock.now();
    let today = shop.day(now.ms());
    let rows = shop.rows();
    let elapsed = now.ms_since(shop.site.zone.start(today));
    for length in [1, 7, 30] {
        let answer = shop.get(&format!("reports/overview?from={}&to={today}&compare=previous", today.plus(1 - length))).await;
        let (from, to) = (today.plus(1 - 2 * length), today.plus(-length));
        let until = shop.site.zone.start(to).plus_ms(elapsed);
        let want = rows.sales.iter().filter(|s| from <= s.day && s.at < until).count() as i64;
        assert_eq!(answer["compare"]["conversions"]["all"].as_i64(), Some(want), "{length} days");
        assert_eq!(answer["compare"]["to"], to.to_string());
        assert!(elapsed < DAY_MS && answer["compare"]["until"].is_string());
    }
    let over = shop.get(&format!("reports/overview?from={}&to={}&compare=previous", today.plus(-7), today.plus(-1))).await;
    assert_eq!(over["compare"]["until"], Value::Null, "what is over is compared with whole days");
}
