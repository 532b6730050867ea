//! Believable rows in any number, put straight into the file: the questions are asked of them, and recomputed by hand.

use std::path::Path;

use halotrack::domain::attribution::{Link, PathTouch, weights};
use halotrack::domain::attribution::{Model, Policy};
use halotrack::domain::time::{DAY_MS, Day, HOUR_MS, MINUTE_MS, Time};
use halotrack::domain::touch::{TouchKind, Touchpoint};
use halotrack::store::FILE;
use halotrack::store::sites::Site;
use rusqlite::{Connection, params};

/// The same numbers in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n.max(1) as u64) as i64
    }

    pub fn is(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as i64) as usize]
    }
}

/// How much to make.
#[derive(Debug, Clone)]
pub struct Size {
    pub sessions: i64,
    pub conversions: i64,
    pub days: i64,
    pub seed: u64,
    /// The newest moment.
    pub until: Time,
}

const ORIGINS: [(&str, &str, &[&str]); 9] = [
    ("google", "cpc", &["spring", "brand", "shopping", "remarketing", "winter"]),
    ("google", "organic", &[]),
    ("facebook", "paid_social", &["lookalike", "carousel", "story"]),
    ("instagram", "social", &[]),
    ("newsletter", "email", &["june", "july", "welcome"]),
    ("bing", "cpc", &["brand"]),
    ("chatgpt", "ai", &[]),
    ("partner.example", "referral", &[]),
    ("direct", "(none)", &[]),
];

/// What a link says beside where it stands, and what its visitor said.
struct Words {
    content: Option<&'static str>,
    term: Option<&'static str>,
    click: Option<&'static str>,
    referrer: Option<&'static str>,
    consent: &'static str,
}

impl Words {
    /// Not by the dice: the rest stays as it was made without them.
    fn of(n: i64) -> Self {
        let one_of = |all: &[Option<&'static str>], by: i64| all[(n * by % all.len() as i64) as usize];
        Self {
            content: one_of(&[Some("video"), None, Some("Carousel 2")], 1),
            term: one_of(&[None, Some("winter gloves"), None, Some("shoes")], 3),
            click: one_of(&[Some("gclid"), None, Some("fbclid"), None, None], 2),
            referrer: one_of(&[Some("www.google.com"), None, Some("l.instagram.com")], 2),
            consent: ["granted", "granted", "denied", "unknown"][(n % 4) as usize],
        }
    }
}

struct Made {
    session: i64,
    touches: Vec<Touchpoint>,
}

/// Fills a site. Rows lie in the order of time, as they would arrive.
pub fn fill(folder: &Path, site: &Site, size: &Size) {
    let mut conn = Connection::open(folder.join(FILE)).expect("the file");
    conn.busy_timeout(std::time::Duration::from_secs(20)).expect("a time-out");
    conn.execute_batch("pragma synchronous = off").expect("a pragma");
    let tx = conn.transaction().expect("a transaction");
    {
        let mut ground = Ground { tx: &tx, site, size, dice: Dice::new(size.seed), people: (size.sessions / 4).max(1) };
        ground.connections();
        ground.people();
        ground.run();
    }
    tx.commit().expect("a commit");
}

struct Ground<'t> {
    tx: &'t rusqlite::Transaction<'t>,
    site: &'t Site,
    size: &'t Size,
    dice: Dice,
    people: i64,
}

impl Ground<'_> {
    fn id(&self) -> i64 {
        self.site.id.number()
    }

    fn connections(&self) {
        for (n, platform) in ["woocommerce", "forms", "meta", "ga4"].into_iter().enumerate() {
            self.tx
                .execute(
                    "insert into connections (id, site_id, platform, name, mode, created_at) values (?1, ?2, ?3, ?3, 'live', 0)",
                    params![self.connection(n as i64 + 1), self.id(), platform],
                )
                .expect("a connection");
            // Nobody answers there: the shop is neither read nor looked after.
            for table in ["pulls", "registrations"] {
                let never = format!("insert into {table} (site_id, connection_id, next_at) values (?1, ?2, 9000000000000000)");
                self.tx.execute(&never, params![self.id(), self.connection(n as i64 + 1)]).expect("a row");
            }
        }
    }

    fn connection(&self, n: i64) -> i64 {
        self.id() * 10 + n
    }

    fn people(&self) {
        let mut contact = self
            .tx
            .prepare("insert into contacts (site_id, id, email, phone, first_seen_at, last_seen_at) values (?1, ?2, ?3, ?4, 0, 0)")
            .expect("a statement");
        let mut identity = self
            .tx
            .prepare("insert into identities (site_id, kind, value, contact_id, is_verified, first_at, source) values (?1, 'email', ?2, ?3, 1, 0, 'test')")
            .expect("a statement");
        for n in 1..=self.people {
            let email = format!("person{n}@mail.example");
            contact.execute(params![self.id(), n, email, format!("+3538600{n:05}")]).expect("a contact");
            identity.execute(params![self.id(), email, n]).expect("an identity");
        }
    }

    fn run(&mut self) {
        let mut insert_session = self
            .tx
            .prepare(
                "insert into sessions (site_id, id, key, created_at, last_seen_at, first_at, last_at, last_is_direct, device, browser, system,
                   country, analytics, marketing, contact_id, linked)
                 values (?1, ?2, ?3, ?4, ?4, ?4, ?4, 0, ?5, 'Chrome', 'Android', ?6, 'granted', 'granted', ?7, iif(?7 is null, null, ?2))",
            )
            .expect("a statement");
        let mut insert_touch = self
            .tx
            .prepare(
                "insert into touches (site_id, session_id, seq, at, received_at, source, medium, campaign, landing, is_direct, starts_visit, marketing,
                   content, term, click_kind, referrer)
                 values (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, '/start', ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )
            .expect("a statement");
        let start = self.size.until.ms() - self.size.days * DAY_MS;
        let span = self.size.days * DAY_MS;
        let every = (self.size.sessions / self.size.conversions.max(1)).max(1);
        let mut recent: Vec<Made> = Vec::new();
        let mut conversion = 0;
        // Sessions are numbered over all sites, and a server may hold a block of numbers already.
        let before: i64 =
            self.tx.query_row("select coalesce(max(last), 0) from numbers where noun = 'session'", [], |r| r.get(0)).expect("a number");
        self.tx
            .execute(
                "insert or replace into numbers (site_id, noun, last) values (?1, 'session', ?2)",
                params![self.id(), before + self.size.sessions],
            )
            .expect("the numbers that are taken");
        for n in 1..=self.size.sessions {
            let session = before + n;
            let at = start + span * n / self.size.sessions - self.dice.below(span / self.size.sessions + 1);
            let device = *self.dice.pick(&["mobile", "desktop", "tablet"]);
            let country = *self.dice.pick(&["IE", "DE", "AE", "GB"]);
            let contact = self.dice.is(40).then(|| 1 + self.dice.below(self.people));
            insert_session.execute(params![self.id(), session, format!("{session:028}"), at, device, country, contact]).expect("a session");
            let mut touches = Vec::new();
            let count = if self.dice.is(12) { 1 + self.dice.below(3) } else { 1 };
            let mut touch_at = at;
            for seq in 1..=count {
                let (source, medium, campaigns) = *self.dice.pick(&ORIGINS);
                let campaign = (!campaigns.is_empty()).then(|| (*self.dice.pick(campaigns)).to_owned());
                let starts = seq == 1 || self.dice.is(80);
                let words = Words::of(session + 3 * seq);
                insert_touch
                    .execute(params![
                        self.id(),
                        session,
                        seq,
                        touch_at,
                        source,
                        medium,
                        campaign,
                        source == "direct",
                        starts,
                        words.consent,
                        words.content,
                        words.term,
                        words.click,
                        words.referrer
                    ])
                    .expect("a touch");
                touches.push(Touchpoint {
                    session,
                    seq,
                    at: Time::from_ms(touch_at),
                    kind: TouchKind::Click,
                    source: source.to_owned(),
                    medium: medium.to_owned(),
                    campaign,
                    term: words.term.map(str::to_owned),
                    content: words.content.map(str::to_owned),
                    campaign_id: None,
                    landing: Some("/start".into()),
                    referrer: words.referrer.map(str::to_owned),
                    click: words.click.map(str::to_owned),
                    short_link: None,
                    device: Some(device.to_owned()),
                    is_direct: source == "direct",
                    is_imported: false,
                });
                touch_at += self.dice.below(20 * HOUR_MS);
            }
            recent.push(Made { session, touches });
            if recent.len() > 400 {
                recent.remove(0);
            }
            if n % every == 0 && conversion < self.size.conversions {
                conversion += 1;
                let happened = (at + self.dice.below(3 * DAY_MS)).min(self.size.until.ms() - 1);
                self.conversion(conversion, happened, &recent);
            }
            if self.dice.is(5) {
                self.anonymous(session, at);
            }
        }
    }

    fn anonymous(&mut self, id: i64, at: i64) {
        let (source, medium, _) = *self.dice.pick(&ORIGINS);
        let starts = self.dice.is(70);
        let day = self.site.zone.day(Time::from_ms(at));
        self.tx
            .prepare_cached(
                "insert into anon_events (site_id, id, at, day, source, medium, country, device, starts_visit) values (?1, ?2, ?3, ?4, ?5, ?6, 'IE', 'mobile', ?7)",
            )
            .expect("a statement")
            .execute(params![self.id(), id, at, day.0, source, medium, starts])
            .expect("an anonymous visit");
    }

    fn conversion(&mut self, id: i64, happened_ms: i64, recent: &[Made]) {
        let happened = Time::from_ms(happened_ms);
        let mut path: Vec<PathTouch> = Vec::new();
        let is_matched = self.dice.is(85);
        if is_matched {
            for _ in 0..1 + self.dice.below(3) {
                let made = self.dice.pick(recent);
                if path.iter().any(|p| p.touch.session == made.session) {
                    continue;
                }
                path.extend(made.touches.iter().filter(|t| t.at <= happened).map(|t| PathTouch {
                    touch: t.clone(),
                    link: Link::Session,
                    earns: false,
                }));
            }
            path.sort_by_key(|p| p.touch.at);
        }
        let policy = self.site.settings.policy.clone();
        let credited = |model: Model| {
            let weights = weights(model, &path, happened, policy.window_days);
            weights.iter().position(|w| *w > 0).map(|i| path[i].touch.clone())
        };
        let (last, first) = (credited(Model::LastNonDirect), credited(Model::First));
        let kind = *self.dice.pick(&["sale", "sale", "sale", "lead", "signup"]);
        let currency = if self.dice.is(90) { "EUR" } else { "AED" };
        let amount = (kind == "sale" || self.dice.is(20)).then(|| 500 + self.dice.below(40_000));
        let status = match kind {
            "sale" => *self.dice.pick(&["paid", "paid", "paid", "refunded", "part_refunded", "cancelled"]),
            _ => *self.dice.pick(&["new", "contacted", "won"]),
        };
        let left = match (status, amount) {
            ("refunded" | "cancelled", Some(_)) => Some(0),
            ("part_refunded", Some(a)) => Some(a / 2),
            (_, a) => a,
        };
        let counts = !self.dice.is(3);
        let contact = self.dice.is(90).then(|| 1 + self.dice.below(self.people));
        let match_type = match path.is_empty() {
            true => "none",
            false => *self.dice.pick(&["session", "session", "email", "click"]),
        };
        let days = path.first().map(|p| (self.site.zone.day(happened).0 - self.site.zone.day(p.touch.at).0).max(0));
        self.tx
            .prepare_cached(
                "insert into conversions (site_id, id, kind, name, label, order_key, event_id, contact_id, session_id, amount_minor, currency,
                   net_minor, rank, happened_at, received_at, book_day, status, counts, match_type, confidence_bp, source, medium, campaign,
                   first_source, first_medium, first_campaign)
                 values (?1, ?2, ?3, null, ?4, ?5, ?6, ?7, null, ?8, ?9, ?10, 5, ?11, ?11, ?12, ?13, ?14, ?15, 9000, ?16, ?17, ?18, ?19, ?20, ?21)",
            )
            .expect("a statement")
            .execute(params![
                self.id(),
                id,
                kind,
                if kind == "sale" { format!("Order {}", 10_000 + id) } else { format!("Lead L-{id}") },
                (kind == "sale").then(|| (10_000 + id).to_string()),
                format!("{kind}_{id}"),
                contact,
                amount,
                amount.map(|_| currency),
                left,
                happened_ms,
                self.site.zone.day(happened).0,
                status,
                counts,
                match_type,
                last.as_ref().map(|t| t.source.as_str()),
                last.as_ref().map(|t| t.medium.as_str()),
                last.as_ref().and_then(|t| t.campaign.as_deref()),
                first.as_ref().map(|t| t.source.as_str()),
                first.as_ref().map(|t| t.medium.as_str()),
                first.as_ref().and_then(|t| t.campaign.as_deref()),
            ])
            .expect("a conversion");
        self.tx
            .prepare_cached(
                "insert into credits (site_id, conversion_id, run, at, why, match_type, is_asserted, confidence_bp, reason, path, policy, snapshot)
                 values (?1, ?2, 1, ?3, 'first known', ?4, 0, 9000, 'Same browser.', ?5, ?6, ?7)",
            )
            .expect("a statement")
            .execute(params![
                self.id(),
                id,
                happened_ms,
                match_type,
                serde_json::to_string(&path).expect("JSON"),
                serde_json::to_string(&policy as &Policy).expect("JSON"),
                match days {
                    Some(days) => format!("{{\"days_to_convert\":{days}}}"),
                    None => "{}".to_owned(),
                },
            ])
            .expect("a credit");
        self.facts(id, kind, happened_ms, contact, amount.map(|a| (a, currency)));
        if let (true, Some(amount)) = (counts, amount.filter(|_| kind == "sale")) {
            self.entry(id * 2, id, "sale", amount, currency, happened);
            if left != Some(amount) {
                let back = happened.plus_ms(1 + self.dice.below(9 * DAY_MS));
                self.entry(id * 2 + 1, id, "refund", left.unwrap_or(0) - amount, currency, back);
            }
        }
        for (n, platform, event) in [(3, "meta", "Purchase"), (4, "ga4", "purchase")] {
            let state = *self.dice.pick(&["delivered", "delivered", "accepted", "skipped", "dead", "pending"]);
            self.tx
                .prepare_cached(
                    "insert into deliveries (site_id, id, connection_id, conversion_id, platform, kind, event_id, mode, state, reason, attempts, created_at, day)
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'live', ?8, ?9, 1, ?10, ?11)",
                )
                .expect("a statement")
                .execute(params![
                    self.id(),
                    id * 10 + n,
                    self.connection(n),
                    id,
                    platform,
                    event,
                    format!("{kind}_{id}"),
                    state,
                    (state == "skipped").then_some("consent"),
                    happened_ms + 5 * MINUTE_MS,
                    self.site.zone.day(Time::from_ms(happened_ms + 5 * MINUTE_MS)).0,
                ])
                .expect("a delivery");
        }
    }

    fn facts(&mut self, id: i64, kind: &str, at: i64, contact: Option<i64>, amount: Option<(i64, &str)>) {
        let person = contact.unwrap_or(1);
        let email = format!("person{person}@mail.example");
        if kind == "sale" {
            self.tx
                .prepare_cached(
                    "insert into orders (site_id, id, connection_id, platform, external_id, order_number, order_key, rank, contact_id, email,
                       status, state, is_paid, total_minor, currency, created_at, modified_at, received_at, conversion_id)
                     values (?1, ?2, ?3, 'woocommerce', ?4, ?4, ?4, 5, ?5, ?6, 'completed', 'paid', 1, ?7, ?8, ?9, ?9, ?9, ?2)",
                )
                .expect("a statement")
                .execute(params![
                    self.id(),
                    id,
                    self.connection(1),
                    (10_000 + id).to_string(),
                    contact,
                    email,
                    amount.map_or(0, |a| a.0),
                    amount.map_or("EUR", |a| a.1),
                    at
                ])
                .expect("an order");
        } else {
            self.tx
                .prepare_cached(
                    "insert into leads (site_id, id, connection_id, source, external_id, contact_id, email, form_type, created_at, received_at, conversion_id)
                     values (?1, ?2, ?3, 'forms', ?4, ?5, ?6, 'contact', ?7, ?7, ?2)",
                )
                .expect("a statement")
                .execute(params![self.id(), id, self.connection(2), format!("L-{id}"), contact, email, at])
                .expect("a lead");
        }
        let (connection, platform, what) =
            if kind == "sale" { (self.connection(1), "woocommerce", "order") } else { (self.connection(2), "forms", "lead") };
        self.tx
            .prepare_cached(
                "insert into reports (site_id, id, conversion_id, connection_id, platform, what, fact_kind, fact_id, external_id, rank,
                   amount_minor, currency, happened_at, received_at)
                 values (?1, ?2, ?2, ?3, ?4, ?5, ?5, ?2, ?6, 5, ?7, ?8, ?9, ?9)",
            )
            .expect("a statement")
            .execute(params![
                self.id(),
                id,
                connection,
                platform,
                what,
                format!("{what}-{id}"),
                amount.map(|a| a.0),
                amount.map(|a| a.1),
                at
            ])
            .expect("a report");
    }

    fn entry(&mut self, id: i64, conversion: i64, kind: &str, minor: i64, currency: &str, at: Time) {
        let day: Day = self.site.zone.day(at);
        self.tx
            .prepare_cached(
                "insert into entries (site_id, id, conversion_id, kind, amount_minor, currency, happened_at, book_day)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )
            .expect("a statement")
            .execute(params![self.id(), id, conversion, kind, minor, currency, at.ms(), day.0])
            .expect("an entry");
    }
}
