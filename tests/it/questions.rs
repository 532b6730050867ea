//! Lists, sums, facets and reports agree with each other and with a slow, plainly right recomputation from the rows:
//! before the days are counted, after, and while rows change.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use halotrack::domain::channel::channel;
use halotrack::domain::time::{DAY_MS, Day, Time, Zone};
use halotrack::flows::cube;
use halotrack::store::FILE;
use halotrack::store::sites::Site;
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::ground::{self, Dice, Size};
use crate::house::{House, SiteAt};

/// What a conversion is counted by, as it stands in the file.
#[derive(Debug, Clone)]
struct Row {
    id: i64,
    kind: String,
    source: Option<String>,
    medium: Option<String>,
    campaign: Option<String>,
    match_type: String,
    status: String,
    currency: Option<String>,
    amount: Option<i64>,
    net: Option<i64>,
    at: i64,
    counts: bool,
    days: Option<i64>,
}

struct Story {
    house: House,
    shop: SiteAt,
    site: Arc<Site>,
    db: Connection,
    /// The cookie of the owner: programs with a token have a rate of their own.
    owner: String,
}

/// What the counts go through, in this order.
const STATES: [&str; 8] = [
    "from the rows",
    "counted",
    "changed since",
    "counted again",
    "today counted in part",
    "today changed since",
    "in part again",
    "the day after",
];

impl Story {
    /// A site of some months with a few hundred conversions.
    async fn new(zone: &str, seed: u64) -> Self {
        let house = House::new();
        let shop = house
            .site_with("shop.example", |new| {
                new.zone = Zone::parse(zone).expect("a zone");
                new.currency = halotrack::domain::money::Currency::parse("EUR").expect("a currency");
            })
            .await;
        let site = house.app.book().site(shop.id).cloned().expect("the site");
        let size = Size { sessions: 1_500, conversions: 250, days: 75, seed, until: house.clock.now() };
        ground::fill(house.data(), &site, &size);
        let db = Connection::open(house.data().join(FILE)).expect("the file");
        db.busy_timeout(std::time::Duration::from_secs(20)).expect("a time-out");
        let owner = house.login("ann@shop.example", halotrack::domain::rights::Right::Own, None).await;
        Self { house, shop, site, db, owner }
    }

    async fn get(&self, path: &str) -> Value {
        let address = format!("/api/sites/{}/{}", self.shop.slug, path.replace(' ', "%20"));
        self.house.get(&address).cookie(&self.owner).send().await.is(200).json
    }

    /// Every row of a list, page by page.
    async fn pages(&self, path: &str, limit: usize) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{sign}limit={limit}{cursor}")).await;
            items.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
            assert!(items.len() < 5_000, "the list does not end");
        }
    }

    fn rows(&self) -> Vec<Row> {
        let mut statement = self
            .db
            .prepare(
                "select c.id, c.kind, c.source, c.medium, c.campaign, c.match_type, c.status, c.currency, c.amount_minor, c.net_minor,
                   c.happened_at, c.counts, json_extract(k.snapshot, '$.days_to_convert')
                 from conversions c join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run where c.site_id = ?1",
            )
            .expect("a statement");
        let rows = statement
            .query_map([self.shop.id.number()], |r| {
                Ok(Row {
                    id: r.get(0)?,
                    kind: r.get(1)?,
                    source: r.get(2)?,
                    medium: r.get(3)?,
                    campaign: r.get(4)?,
                    match_type: r.get(5)?,
                    status: r.get(6)?,
                    currency: r.get(7)?,
                    amount: r.get(8)?,
                    net: r.get(9)?,
                    at: r.get(10)?,
                    counts: r.get(11)?,
                    days: r.get(12)?,
                })
            })
            .expect("rows");
        rows.map(|r| r.expect("a row")).collect()
    }

    fn day(&self, at: i64) -> Day {
        self.site.zone.day(Time::from_ms(at))
    }

    /// Something changes in days that are counted long since, as late facts, refunds and new runs do.
    fn change(&self, dice: &mut Dice) {
        let site = self.shop.id.number();
        let until = self.house.clock.now().ms();
        for n in 0..12 {
            let id = 1 + dice.below(250);
            let at = until - dice.below(70 * DAY_MS);
            match n % 6 {
                0 => {
                    self.run("update conversions set status = 'refunded', net_minor = 0 where site_id = ?1 and id = ?2", params![site, id]);
                }
                1 => {
                    self.run(
                        "update conversions set source = 'late', medium = 'email', campaign = null where site_id = ?1 and id = ?2",
                        params![site, id],
                    );
                }
                2 => {
                    self.run("update conversions set happened_at = ?3 where site_id = ?1 and id = ?2", params![site, id, at]);
                }
                3 => {
                    self.run("update conversions set counts = 1 - counts where site_id = ?1 and id = ?2", params![site, id]);
                }
                4 => {
                    self.run(
                        "insert into entries (site_id, id, conversion_id, kind, amount_minor, currency, happened_at, book_day)
                         select ?1, (select max(id) + 1 from entries where site_id = ?1), ?2, 'adjustment', -7, 'EUR', ?3, ?4",
                        params![site, id, at, self.day(at).0],
                    );
                }
                _ => {
                    self.run(
                        "insert into touches (site_id, session_id, seq, at, received_at, source, medium, landing, is_direct, starts_visit, marketing)
                         values (?1, ?2, 90 + ?4, ?3, ?3, 'late', 'email', '/', 0, 1, 'granted')",
                        params![site, 1 + dice.below(1_500), at, dice.below(1_000_000)],
                    );
                }
            }
        }
    }

    /// The same in the last hours, before and after what is counted of the present day.
    fn change_today(&self, dice: &mut Dice) {
        let site = self.shop.id.number();
        let until = self.house.clock.now().ms();
        for n in 0..12 {
            let (id, at) = (1 + dice.below(250), until - dice.below(3 * 3_600_000));
            match n % 4 {
                0 => self.run("update conversions set happened_at = ?3 where site_id = ?1 and id = ?2", params![site, id, at]),
                1 => self.run(
                    "update conversions set source = 'late', status = 'won', happened_at = max(happened_at, ?3) where site_id = ?1 and id = ?2",
                    params![site, id, at],
                ),
                2 => self.run(
                    "insert into entries (site_id, id, conversion_id, kind, amount_minor, currency, happened_at, book_day)
                     select ?1, (select max(id) + 1 from entries where site_id = ?1), ?2, 'sale', 11, 'EUR', ?3, ?4",
                    params![site, id, at, self.day(at).0],
                ),
                _ => self.run(
                    "insert into touches (site_id, session_id, seq, at, received_at, source, medium, landing, is_direct, starts_visit, marketing)
                     values (?1, ?2, 90 + ?4, ?3, ?3, 'late', 'email', '/', 0, 1, 'granted')",
                    params![site, 1 + dice.below(1_500), at, dice.below(1_000_000)],
                ),
            }
        }
    }

    /// Counts the present day up to a few minutes ago, as is done where many rows come in.
    async fn count_part(&self) {
        let (zone, now) = (self.site.zone.clone(), self.house.clock.now());
        self.house.app.store.write(self.shop.id, move |c| halotrack::store::cube::mark_part(c, &zone, now)).await.expect("marked");
        self.count().await;
        let part: Option<i32> = self.db.query_row("select part_day from count_marks", [], |r| r.get(0)).expect("a mark");
        assert_eq!(part, Some(self.day(now.ms()).0));
    }

    async fn turn(&mut self, state: &str, dice: &mut Dice) {
        match state {
            "counted" | "counted again" => self.count().await,
            "changed since" => self.change(dice),
            "today counted in part" | "in part again" => self.count_part().await,
            "today changed since" => self.change_today(dice),
            "the day after" => {
                self.house.advance_s(20 * 3_600);
                self.owner = self.house.login("bea@shop.example", halotrack::domain::rights::Right::Own, None).await;
                self.count().await;
            }
            _ => {}
        }
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) {
        self.db.execute(sql, params).expect(sql);
    }

    async fn count(&self) {
        cube::catch_up(&self.house.app).await.expect("counted");
        let dirty: i64 = self.db.query_row("select count(*) from dirty_days", [], |r| r.get(0)).expect("a count");
        assert_eq!(dirty, 0, "days are left uncounted");
    }
}

/// A question in random words, and the same as a test of a row.
struct Asked {
    query: String,
    is_fit: Box<dyn Fn(&Row, Day) -> bool>,
}

impl Asked {
    fn asks_sales(&self) -> bool {
        let kinds: Vec<&str> = self.query.split('&').filter_map(|p| p.strip_prefix("kind=")).collect();
        let (not, is): (Vec<&str>, Vec<&str>) = kinds.into_iter().partition(|k| k.starts_with('!'));
        !not.contains(&"!sale") && (is.is_empty() || is.contains(&"sale"))
    }
}

fn random(dice: &mut Dice, today: Day) -> Asked {
    let mut query = Vec::new();
    let mut tests: Vec<Box<dyn Fn(&Row, Day) -> bool>> = Vec::new();
    if dice.is(80) {
        let from = today.plus(-(dice.below(75) as i32));
        let to = from.plus(dice.below(40) as i32).min(today);
        query.push(format!("from={from}&to={to}"));
        tests.push(Box::new(move |_, day| from <= day && day <= to));
    }
    let mut add = |name: &str, values: &[&str], chance: i64, of: fn(&Row) -> String| {
        if !dice.is(chance) {
            return;
        }
        let chosen: Vec<String> = (0..1 + dice.below(2)).map(|_| (*dice.pick(values)).to_owned()).collect();
        let is_not = dice.is(30);
        for value in &chosen {
            query.push(format!("{name}={}{value}", if is_not { "!" } else { "" }));
        }
        tests.push(Box::new(move |row, _| chosen.contains(&of(row)) != is_not));
    };
    add("kind", &["sale", "lead", "signup"], 30, |r| r.kind.clone());
    add("source", &["google", "facebook", "direct", "unattributed", "late", "nobody"], 30, |r| {
        r.source.clone().unwrap_or_else(|| "unattributed".into())
    });
    add("medium", &["cpc", "email", "(none)"], 15, |r| r.medium.clone().unwrap_or_else(|| "(not set)".into()));
    add("campaign", &["spring", "brand", "(not set)"], 15, |r| r.campaign.clone().unwrap_or_else(|| "(not set)".into()));
    add("match", &["session", "none", "email"], 20, |r| r.match_type.clone());
    add("status", &["paid", "refunded", "new", "won"], 20, |r| r.status.clone());
    add("currency", &["EUR", "AED"], 15, |r| r.currency.clone().unwrap_or_default());
    add("channel", &["Paid Search", "Email", "Direct"], 15, |r| match &r.source {
        Some(source) => channel(source, r.medium.as_deref().unwrap_or_default(), r.campaign.as_deref()).to_owned(),
        None => String::new(),
    });
    Asked { query: query.join("&"), is_fit: Box::new(move |row, day| tests.iter().all(|t| t(row, day))) }
}

fn money(all: &Value) -> BTreeMap<String, i64> {
    all.as_array()
        .expect("money")
        .iter()
        .map(|m| (m["currency"].as_str().expect("a code").to_owned(), m["minor"].as_i64().expect("a number")))
        .collect()
}

fn facet(all: &Value) -> BTreeMap<String, i64> {
    all.as_array()
        .expect("a facet")
        .iter()
        .map(|f| (f["value"].as_str().expect("a value").to_owned(), f["count"].as_i64().expect("a count")))
        .collect()
}

fn ids(items: &[Value]) -> Vec<i64> {
    let number = |v: &Value| v["id"].as_str().and_then(|t| t.strip_prefix("conversion_")).and_then(|t| t.parse().ok()).expect("an id");
    items.iter().map(number).collect()
}

async fn check_list(story: &Story, dice: &mut Dice, what: &str) {
    let rows = story.rows();
    let today = story.day(story.house.clock.now().ms());
    let asked = random(dice, today);
    let fit: Vec<&Row> = rows.iter().filter(|r| (asked.is_fit)(r, story.day(r.at))).collect();
    let counted: Vec<&Row> = fit.iter().copied().filter(|r| r.counts).collect();
    let by_amount = dice.is(30);
    let sort = if by_amount { "&sort=amount" } else { "" };
    let first = story.get(&format!("conversions?{}{sort}", asked.query)).await;
    let what = format!("{what}: {}", asked.query);

    assert_eq!(first["total"]["count"].as_i64(), Some(counted.len() as i64), "{what}");
    let attributed = counted.iter().filter(|r| r.match_type != "none").count() as i64;
    assert_eq!(first["total"]["attributed"].as_i64(), Some(attributed), "{what}");
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in &counted {
        // What a lead is worth is no revenue: it is summed only where no sale is asked for.
        let (is_sale, asks_sales) = (row.kind == "sale", asked.asks_sales());
        if let (Some(currency), true) = (&row.currency, is_sale || !asks_sales) {
            let sum = sums.entry(currency.clone()).or_default();
            sum.0 += row.amount.unwrap_or(0);
            sum.1 += if is_sale { row.net.unwrap_or(0) } else { 0 };
        }
    }
    assert_eq!(money(&first["total"]["amounts"]), sums.iter().map(|(c, s)| (c.clone(), s.0)).collect(), "{what}");
    let net = if asked.asks_sales() { sums.iter().map(|(c, s)| (c.clone(), s.1)).collect() } else { BTreeMap::new() };
    assert_eq!(money(&first["total"]["net"]), net, "{what}");

    let mut want: Vec<&Row> = fit;
    match by_amount {
        true => want.sort_by_key(|r| std::cmp::Reverse((r.amount, r.id))),
        false => want.sort_by_key(|r| std::cmp::Reverse((r.at, r.id))),
    }
    let listed = story.pages(&format!("conversions?{}{sort}", asked.query), 37).await;
    assert_eq!(ids(&listed), want.iter().map(|r| r.id).collect::<Vec<_>>(), "{what}");
}

/// A facet counts what all other dimensions take.
async fn check_facets(story: &Story) {
    let rows = story.rows();
    let answer = story.get("conversions?source=google&kind=sale").await;
    let count = |is_fit: &dyn Fn(&Row) -> bool, of: &dyn Fn(&Row) -> String| {
        let mut all: BTreeMap<String, i64> = BTreeMap::new();
        for row in rows.iter().filter(|r| r.counts && is_fit(r)) {
            *all.entry(of(row)).or_default() += 1;
        }
        all
    };
    let is_google = |r: &Row| r.source.as_deref() == Some("google");
    let is_sale = |r: &Row| r.kind == "sale";
    assert_eq!(facet(&answer["facets"]["kind"]), count(&is_google, &|r| r.kind.clone()));
    let source = |r: &Row| r.source.clone().unwrap_or_else(|| "unattributed".into());
    assert_eq!(facet(&answer["facets"]["source"]), count(&is_sale, &source));
    assert_eq!(facet(&answer["facets"]["status"]), count(&|r| is_google(r) && is_sale(r), &|r| r.status.clone()));
}

#[tokio::test]
async fn lists_sums_and_facets_agree_with_the_rows() {
    for (seed, zone) in [(1, "Europe/Dublin"), (2, "Asia/Dubai"), (3, "America/New_York")] {
        let mut story = Story::new(zone, seed).await;
        let mut dice = Dice::new(seed + 100);
        for state in STATES {
            story.turn(state, &mut dice).await;
            for _ in 0..12 {
                check_list(&story, &mut dice, &format!("{zone}, {state}")).await;
            }
            check_facets(&story).await;
        }
    }
}

/// Visits, money and conversions of a span, added up row by row.
async fn check_report(story: &Story, from: Day, to: Day, what: &str) {
    let zone = &story.site.zone;
    let (start, end) = (zone.start(from).ms(), zone.start(to.plus(1)).ms());
    let one = |sql: &str| -> i64 { story.db.query_row(sql, params![story.shop.id.number(), start, end], |r| r.get(0)).expect("a number") };
    let visits = one("select count(*) from touches where site_id = ?1 and at >= ?2 and at < ?3 and starts_visit = 1")
        + one("select count(*) from anon_events where site_id = ?1 and at >= ?2 and at < ?3 and starts_visit = 1");
    let mut net: BTreeMap<String, i64> = BTreeMap::new();
    let mut by_source: BTreeMap<String, i64> = BTreeMap::new();
    let mut statement = story
        .db
        .prepare(
            "select e.currency, e.amount_minor, coalesce(c.source, 'unattributed') from entries e
             join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
             where e.site_id = ?1 and e.book_day between ?2 and ?3 and c.counts = 1",
        )
        .expect("a statement");
    let rows = statement.query_map(params![story.shop.id.number(), from.0, to.0], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).expect("rows");
    for row in rows {
        let (currency, minor, source): (String, i64, String) = row.expect("a row");
        if currency == "EUR" {
            *by_source.entry(source).or_default() += minor;
        }
        *net.entry(currency).or_default() += minor;
    }
    let rows: Vec<Row> = story.rows().into_iter().filter(|r| r.counts && (start..end).contains(&r.at)).collect();

    let shown = story.get(&format!("reports/overview?from={from}&to={to}")).await;
    assert_eq!(shown["visits"].as_i64(), Some(visits), "visits, {what}");
    assert_eq!(money(&shown["net"]), net, "net, {what}");
    assert_eq!(shown["conversions"]["all"].as_i64(), Some(rows.len() as i64), "{what}");
    let of_kind = |kind: &str| rows.iter().filter(|r| r.kind == kind).count() as i64;
    for kind in ["sale", "lead", "signup"] {
        assert_eq!(shown["conversions"][kind].as_i64(), Some(of_kind(kind)), "{kind}, {what}");
    }
    let matched = rows.iter().filter(|r| r.match_type != "none").count();
    assert_eq!(shown["attributed"].as_i64(), Some(matched as i64), "{what}");
    let days: Vec<i64> = rows.iter().filter_map(|r| r.days).collect();
    let average = (!days.is_empty()).then(|| days.iter().sum::<i64>() as f64 / days.len() as f64);
    let shown_average = shown["average_days_to_convert"].as_f64();
    assert!(
        average.zip(shown_average).map_or(average == shown_average, |(a, b)| (a - b).abs() < 1e-9),
        "{average:?} {shown_average:?}, {what}"
    );
    let rate = (visits > 0).then(|| rows.len() as f64 / visits as f64);
    let shown_rate = shown["conversion_rate"].as_f64();
    assert!(rate.zip(shown_rate).map_or(rate == shown_rate, |(a, b)| (a - b).abs() < 1e-12), "{rate:?} {shown_rate:?}, {what}");

    let series = story.get(&format!("reports/timeseries?from={from}&to={to}")).await;
    let series = series["items"].as_array().expect("days");
    assert_eq!(series.len() as i32, to.0 - from.0 + 1);
    let sum = |name: &str| series.iter().filter_map(|d| d[name].as_i64()).sum::<i64>();
    assert_eq!(sum("visits"), visits, "visits day by day, {what}");
    assert_eq!(series.iter().filter_map(|d| d["conversions"]["all"].as_i64()).sum::<i64>(), rows.len() as i64, "{what}");
    let own: i64 = series.iter().map(|d| money(&d["net"]).get("EUR").copied().unwrap_or(0)).sum();
    assert_eq!(own, net.get("EUR").copied().unwrap_or(0), "net day by day, {what}");

    for model in ["", "&model=linear", "&model=first", "&model=time_decay&window=7", "&window=90"] {
        let sources = story.get(&format!("reports/sources?from={from}&to={to}{model}")).await;
        let items = sources["items"].as_array().expect("rows");
        assert_eq!(sources["total"]["visits"].as_i64(), Some(visits), "{what}{model}");
        assert_eq!(money(&sources["total"]["net"]), net, "{what}{model}");
        let conversions: f64 = items.iter().filter_map(|r| r["conversions"].as_f64()).sum();
        assert!((conversions - rows.len() as f64).abs() < 1e-6, "{conversions} of {}, {what}{model}", rows.len());
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for item in items {
            for (currency, minor) in money(&item["net"]) {
                *sums.entry(currency).or_default() += minor;
            }
        }
        sums.retain(|_, n| *n != 0);
        let mut want = net.clone();
        want.retain(|_, n| *n != 0);
        assert_eq!(sums, want, "rows add up to the whole, {what}{model}");
        if model.is_empty() {
            for item in items {
                let name = item["name"].as_str().expect("a name");
                let own = money(&item["net"]).get("EUR").copied().unwrap_or(0);
                assert_eq!(own, by_source.get(name).copied().unwrap_or(0), "{name}, {what}");
            }
        }
    }
}

#[tokio::test]
async fn reports_agree_with_the_rows() {
    let mut story = Story::new("Asia/Dubai", 7).await;
    let mut dice = Dice::new(8);
    let today = story.day(story.house.clock.now().ms());
    for state in STATES {
        story.turn(state, &mut dice).await;
        check_report(&story, today.plus(-80), today, state).await;
        check_report(&story, today, today, state).await;
        for _ in 0..3 {
            let from = today.plus(-(dice.below(75) as i32));
            check_report(&story, from, from.plus(dice.below(20) as i32), state).await;
        }
    }
}

#[tokio::test]
async fn a_new_zone_and_older_history_are_counted_anew() {
    let story = Story::new("Europe/Dublin", 9).await;
    story.count().await;
    let today = story.day(story.house.clock.now().ms());
    let old = story.site.zone.start(today.plus(-400)).ms() + 5;
    story.run(
        "insert into touches (site_id, session_id, seq, at, received_at, source, medium, landing, is_direct, starts_visit, marketing)
         values (?1, 1, 77, ?2, ?2, 'old', 'email', '/', 0, 1, 'granted')",
        params![story.shop.id.number(), old],
    );
    check_report(&story, today.plus(-401), today, "history that was brought in").await;
    story.count().await;
    check_report(&story, today.plus(-401), today, "history, counted").await;

    let mut moved = (*story.site).clone();
    moved.zone = Zone::parse("Pacific/Auckland").expect("a zone");
    let saved = moved.clone();
    story.house.app.store.write_all_sites(move |all| halotrack::store::sites::save(all, &saved)).await.expect("saved");
    story.house.app.refresh().await.expect("read");
    let story = Story { site: Arc::new(moved), ..story };
    check_report(&story, today.plus(-20), today.plus(-3), "another zone, not counted yet").await;
    story.count().await;
    check_report(&story, today.plus(-20), today.plus(-3), "another zone, counted").await;
}

#[tokio::test]
async fn a_search_finds_orders_leads_and_people() {
    let story = Story::new("UTC", 11).await;
    let rows = story.rows();
    let sale = rows.iter().find(|r| r.kind == "sale").expect("a sale");
    let lead = rows.iter().find(|r| r.kind == "lead").expect("a lead");
    for (typed, want) in [
        (format!("{}", 10_000 + sale.id), sale.id),
        (format!("%23{}", 10_000 + sale.id), sale.id),
        (format!("Order {}", 10_000 + sale.id), sale.id),
        (format!("conversion_{}", lead.id), lead.id),
        (format!("lead_{}", lead.id), lead.id),
        (format!("order_{}", sale.id), sale.id),
        (format!("sale_{}", sale.id), sale.id),
    ] {
        let found = story.get(&format!("conversions?q={typed}")).await;
        assert!(ids(found["items"].as_array().expect("items")).contains(&want), "{typed}");
        assert_eq!(
            found["total"]["count"].as_i64(),
            Some(found["items"].as_array().map_or(0, Vec::len) as i64).filter(|n| *n > 0).or(Some(0))
        );
    }
    let exact = story.get(&format!("conversions?q=L-{}", lead.id)).await;
    assert!(ids(exact["items"].as_array().expect("items")).contains(&lead.id));

    let (person, contact): (String, i64) = story
        .db
        .query_row(
            "select i.value, c.contact_id from conversions c join identities i on i.site_id = c.site_id and i.contact_id = c.contact_id
             where c.site_id = ?1 limit 1",
            [story.shop.id.number()],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
        .expect("a person");
    let found = story.get(&format!("conversions?q={person}")).await;
    let contact = format!("contact_{contact}");
    assert!(found["items"].as_array().is_some_and(|all| !all.is_empty()), "{person}");
    assert!(found["items"].as_array().expect("items").iter().all(|i| i["who"]["contact"] == contact.as_str()));
    assert!(!found.to_string().contains(&person), "lists are masked");

    // Who may not see people must not learn from the search whether one is known.
    let client = story.house.login("eve@agency.example", halotrack::domain::rights::Right::See, Some(story.shop.id)).await;
    let address = format!("/api/sites/{}/conversions?q={person}", story.shop.slug);
    let hidden = story.house.get(&address).cookie(&client).send().await.is(200);
    assert_eq!(hidden.json["items"].as_array().map(Vec::len), Some(0));
    story.house.get(&format!("/api/sites/{}/conversions.csv", story.shop.slug)).cookie(&client).send().await.is(403);
}

#[tokio::test]
async fn a_receipt_adds_up_to_the_cent() {
    let story = Story::new("Europe/Dublin", 13).await;
    let client = story.house.login("eve@agency.example", halotrack::domain::rights::Right::See, Some(story.shop.id)).await;
    let mut with_touches = 0;
    for row in story.rows().iter().take(60) {
        let receipt = story.get(&format!("receipts/conversion_{}?window=14", row.id)).await;
        let touches = receipt["touches"].as_array().expect("touches");
        for model in receipt["models"].as_array().expect("models") {
            let model = model.as_str().expect("a word");
            let shares: i64 = touches.iter().filter_map(|t| t["credit"][model]["share_bp"].as_i64()).sum();
            let amounts: i64 = touches.iter().filter_map(|t| t["credit"][model]["amount"]["minor"].as_i64()).sum();
            assert_eq!(receipt["totals"][model]["share_bp"].as_i64(), Some(shares));
            assert!(shares == 10_000 || shares == 0, "{shares}");
            if let Some(amount) = row.amount
                && shares > 0
            {
                assert_eq!(amounts, amount, "{model} of conversion_{}", row.id);
                assert_eq!(receipt["totals"][model]["amount"]["minor"].as_i64(), Some(amount));
            }
            with_touches += i64::from(shares > 0);
        }
        assert_eq!(receipt["received"].as_array().map(Vec::len), Some(1));
        assert_eq!(receipt["deliveries"].as_array().map(Vec::len), Some(2));
        assert_eq!(receipt["received"][0]["note"], Value::Null);
        let shares = story.get(&format!("conversions/conversion_{}/attribution?model=linear", row.id)).await;
        let sum: f64 = shares["weights"].as_object().expect("weights").values().filter_map(Value::as_f64).sum();
        assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9);

        let address = format!("/api/sites/{}/receipts/conversion_{}", story.shop.slug, row.id);
        let masked = story.house.get(&address).cookie(&client).send().await.is(200);
        assert!(!masked.text.contains("@mail.example"), "{}", masked.text);
        assert_eq!(masked.json["may_see_people"], false);
    }
    assert!(with_touches > 100, "too few receipts have touches: {with_touches}");
    let sale = story.rows().into_iter().find(|r| r.kind == "sale").expect("a sale");
    let by_order = story.get(&format!("receipts/order_{}", sale.id)).await;
    assert_eq!(by_order["conversion"]["id"], format!("conversion_{}", sale.id));
    assert!(by_order["received"][0]["fields"]["email"].as_str().is_some_and(|e| e.ends_with("@mail.example")));
    for unknown in ["conversion_99999", "order_99999", "in_1", "lead_x", "'--", "conversion_-1"] {
        let address = format!("/api/sites/{}/receipts/{unknown}", story.shop.slug);
        assert_eq!(story.house.get(&address).cookie(&story.owner).send().await.is(404).code(), "not_found");
    }
}

#[tokio::test]
async fn exports_hold_every_row_of_the_list() {
    let story = Story::new("Europe/Dublin", 17).await;
    story.run(
        "update conversions set campaign = '=1+1', source = 'a \"quoted\", name' where site_id = ?1 and id = 3",
        [story.shop.id.number()],
    );
    for (list, query) in [
        ("conversions", ""),
        ("conversions", "?kind=sale&model=linear"),
        ("conversions", "?q=person1"),
        ("deliveries", "?platform=meta"),
        ("leads", ""),
        ("orders", ""),
        ("inbox", ""),
        ("contacts", ""),
        ("contacts", "?q=person2"),
        ("audit", ""),
    ] {
        let listed: Vec<Value> = story.pages(&format!("{list}{query}"), 90).await;
        let fetch = |end: &str| format!("/api/sites/{}/{list}.{end}{query}", story.shop.slug);
        let lines = story.house.get(&fetch("jsonl")).cookie(&story.owner).send().await.is(200);
        let lines: Vec<Value> = lines.text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
        assert_eq!(lines, listed, "{list}{query}");
        let text = story.house.get(&fetch("csv")).cookie(&story.owner).send().await.is(200);
        assert!(text.header("content-type").starts_with("text/csv"));
        let mut reader = csv::Reader::from_reader(text.bytes.as_slice());
        let records: Vec<HashMap<String, String>> = reader.deserialize().map(|r| r.expect("a record")).collect();
        let shown: Vec<String> = listed.iter().map(|v| v["id"].as_str().map_or_else(|| v["id"].to_string(), str::to_owned)).collect();
        assert_eq!(records.iter().map(|r| r["id"].clone()).collect::<Vec<_>>(), shown, "{list}{query}");
        assert!(!text.text.contains("@mail.example"), "exports are masked");
        if let Some(row) = records.iter().find(|r| r["id"] == "conversion_3" && query.is_empty()) {
            assert_eq!((row["campaign"].as_str(), row["source"].as_str()), ("'=1+1", "a \"quoted\", name"));
        }
    }
}

#[tokio::test]
async fn deliveries_are_filtered_counted_and_paged() {
    let story = Story::new("Europe/Dublin", 19).await;
    let all = story.pages("deliveries", 77).await;
    assert_eq!(all.len(), 500);
    let unique: BTreeSet<&str> = all.iter().filter_map(|d| d["id"].as_str()).collect();
    assert_eq!(unique.len(), 500);
    let times: Vec<&str> = all.iter().filter_map(|d| d["created_at"].as_str()).collect();
    let parsed: Vec<Time> = times.iter().filter_map(|t| Time::parse(t)).collect();
    assert!(parsed.windows(2).all(|w| w[0] >= w[1]), "the newest first");
    for (query, is_fit) in [
        ("state=dead", (|d: &Value| d["state"] == "dead") as fn(&Value) -> bool),
        ("platform=!meta", |d| d["platform"] != "meta"),
        ("state=dead&state=skipped&platform=ga4", |d| (d["state"] == "dead" || d["state"] == "skipped") && d["platform"] == "ga4"),
        ("kind=Purchase", |d| d["kind"] == "Purchase"),
        ("conversion=conversion_5", |d| d["conversion"] == "conversion_5"),
        ("q=10005", |d| d["conversion"] == "conversion_5"),
    ] {
        let want: Vec<&Value> = all.iter().filter(|d| is_fit(d)).collect();
        let page = story.get(&format!("deliveries?{query}")).await;
        let listed = story.pages(&format!("deliveries?{query}"), 30).await;
        assert_eq!(listed.iter().collect::<Vec<_>>(), want, "{query}");
        assert_eq!(page["total"]["count"].as_i64(), Some(want.len() as i64), "{query}");
    }
    let page = story.get("deliveries?state=dead").await;
    let mut states: BTreeMap<String, i64> = BTreeMap::new();
    for d in &all {
        *states.entry(d["state"].as_str().expect("a state").to_owned()).or_default() += 1;
    }
    assert_eq!(facet(&page["facets"]["state"]), states, "the facet of states leaves its own filter out");
    let one = story.get(&format!("deliveries/{}", all[0]["id"].as_str().expect("an id"))).await;
    assert_eq!(&one, &all[0]);

    let cards = story.get("connections").await;
    let cards = cards["items"].as_array().expect("cards");
    // The connections were put into the file behind the book's back; a refresh reads them.
    assert!(cards.is_empty());
    story.house.app.refresh().await.expect("read");
    let cards = story.get("connections").await;
    let meta = cards["items"].as_array().expect("cards").iter().find(|c| c["platform"] == "meta").expect("meta").clone();
    let since = story.house.clock.now().ms() - 30 * DAY_MS;
    let count = |state: &str, is_open: bool| {
        all.iter()
            .filter(|d| d["platform"] == "meta" && d["state"] == state)
            .filter(|d| is_open || Time::parse(d["created_at"].as_str().expect("a time")).is_some_and(|t| t.ms() >= since))
            .count() as i64
    };
    assert_eq!(meta["counts"]["pending"].as_i64(), Some(count("pending", true)));
    assert_eq!(meta["counts"]["delivered"].as_i64(), Some(count("delivered", false)));
    assert_eq!(meta["breaker"]["state"], "closed");
}

#[tokio::test]
async fn a_site_sees_nothing_of_another() {
    let story = Story::new("Europe/Dublin", 23).await;
    let other = story.house.site("other.example").await;
    let site = story.house.app.book().site(other.id).cloned().expect("the site");
    let size = Size { sessions: 300, conversions: 40, days: 20, seed: 99, until: story.house.clock.now() };
    ground::fill(story.house.data(), &site, &size);
    cube::catch_up(&story.house.app).await.expect("counted");
    let ask = async |path: &str| {
        let address = format!("/api/sites/{}/{path}", other.slug);
        story.house.get(&address).token(&other.token).send().await
    };
    let own = ask("conversions").await.is(200).json;
    let rows: i64 = story
        .db
        .query_row("select count(*) from conversions where site_id = ?1 and counts = 1", [other.id.number()], |r| r.get(0))
        .expect("a count");
    assert_eq!(own["total"]["count"].as_i64(), Some(rows));
    assert_eq!(ask("deliveries").await.is(200).json["total"]["count"].as_i64(), Some(80));
    // The same people and order numbers are known to both; each finds its own.
    let found = ask("conversions?q=person1@mail.example").await.is(200).json;
    let theirs = story.get("conversions?q=person1@mail.example").await;
    let count = |sql_site: i64| -> i64 {
        story
            .db
            .query_row(
                "select count(*) from conversions c join identities i on i.site_id = c.site_id and i.contact_id = c.contact_id
                 where c.site_id = ?1 and i.value = 'person1@mail.example'",
                [sql_site],
                |r| r.get(0),
            )
            .expect("a count")
    };
    assert_eq!(found["items"].as_array().map(Vec::len), Some(count(other.id.number()) as usize));
    assert_eq!(theirs["items"].as_array().map(Vec::len), Some(count(story.shop.id.number()) as usize));
    for path in
        ["conversions/conversion_200", "receipts/conversion_200", "receipts/lead_200", "deliveries/delivery_2003", "contacts/contact_370"]
    {
        assert_eq!(ask(path).await.is(404).code(), "not_found", "{path}");
        let foreign = format!("/api/sites/{}/{path}", story.shop.slug);
        assert_eq!(story.house.get(&foreign).token(&other.token).send().await.is(404).code(), "not_found", "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let owner = house.login("ann@shop.example", halotrack::domain::rights::Right::Own, None).await;
    for (path, field) in [
        ("reports/overview?from=2026-13-40", "from"),
        ("reports/overview?from=2026-02-02&to=2026-01-01", "from"),
        ("reports/overview?from=1970-01-01&to=2026-01-01", "from"),
        ("reports/overview?model=first%27%3Bdrop", "model"),
        ("reports/overview?window=abc", "window"),
        ("reports/overview?compare=yes", "compare"),
        ("reports/timeseries?to=2026-06-31", "to"),
        ("reports/sources?by=source%20desc", "by"),
        ("reports/sources?beside=all", "beside"),
        ("reports/overview?with=days,secrets", "with"),
        ("reports/overview?channel=Paid", "channel"),
        ("reports/products?match=sess%25", "match"),
        ("reports/countries.csv?country=a%00b", "country"),
        ("notes?from=x", "from"),
        ("conversions?limit=501", "limit"),
        ("conversions?cursor=amount.1.2", "cursor"),
        ("conversions?sort=id", "sort"),
        ("conversions?kind=sales", "kind"),
        ("conversions?source=a%00b", "source"),
        ("conversions?q=%00", "q"),
        ("deliveries?state=sent", "state"),
        ("deliveries?connection=x", "connection"),
        ("deliveries?conversion=lead_1", "conversion"),
        ("inbox?state=new", "state"),
        ("leads?limit=0", "limit"),
        ("contacts?cursor=x", "cursor"),
        ("receipts/conversion_1?model=markov", "model"),
        ("conversions.csv?from=x", "from"),
    ] {
        let answer = house.get(&format!("/api/sites/{}/{path}", shop.slug)).cookie(&owner).send().await.is(400);
        assert_eq!((answer.code(), answer.json["error"]["field"].as_str()), ("invalid_parameter", Some(field)), "{path}");
    }
    for path in
        ["conversions?model=x", "conversions?date_from=nope", "conversions?type=x", "reports/daily?date=2026-13-40", "conversions?limit=x"]
    {
        let answer = house.get(&format!("/api/{path}")).token(&shop.token).send().await;
        if path == "conversions?model=x" {
            answer.is(200);
            continue;
        }
        let answer = answer.is(400);
        assert_eq!(answer.json["success"], false, "{path}");
        assert_eq!(answer.json["error"]["code"], "invalid_parameter", "{path}");
    }
    // Injection is only text.
    for hostile in ["' or 1=1 --", "%25", "a*", "\"", "$.x", "NEAR(a b)", "\\", "{}", "😀"] {
        let escaped: String = hostile.bytes().map(|b| format!("%{b:02x}")).collect();
        for name in ["q", "source", "campaign", "medium"] {
            let address = format!("/api/sites/{}/conversions?{name}={escaped}", shop.slug);
            house.get(&address).cookie(&owner).send().await.is(200);
        }
    }
}

#[tokio::test]
async fn an_empty_site_answers_with_noughts() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let owner = house.login("ann@shop.example", halotrack::domain::rights::Right::Own, None).await;
    let get = async |path: &str| house.get(&format!("/api/sites/{}/{path}", shop.slug)).cookie(&owner).send().await.is(200).json;
    let overview = get("reports/overview").await;
    assert_eq!(
        (overview["visits"].as_i64(), &overview["conversion_rate"], &overview["net"]),
        (Some(0), &Value::Null, &Value::Array(vec![]))
    );
    assert_eq!(get("reports/timeseries").await["items"].as_array().map(Vec::len), Some(30));
    let list = get("conversions").await;
    assert_eq!((list["items"].as_array().map(Vec::len), &list["next"], list["total"]["count"].as_i64()), (Some(0), &Value::Null, Some(0)));
    for path in ["deliveries", "inbox", "leads", "orders", "contacts", "audit", "connections"] {
        assert!(get(path).await["items"].is_array(), "{path}");
    }
    assert_eq!(get("reports/live").await["minutes"].as_array().map(Vec::len), Some(30));
    cube::catch_up(&house.app).await.expect("nothing to count");
}
