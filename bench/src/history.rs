//! A year of a large shop, written straight into a database that the product has made: sessions and their touches, one
//! conversion for every ten sessions (a million at most), each with its order or lead, contact, report, money, credit
//! and three deliveries. Left out is what no measured question reads: raw bodies, consent rows, tokens.

use std::path::Path;

use rusqlite::{CachedStatement, Connection, params};
use serde_json::json;

use crate::chance::{Chance, mix};

pub const DAY_MS: i64 = 86_400_000;
const SPAN_MS: i64 = 365 * DAY_MS;
const MOST_CONVERSIONS: usize = 1_000_000;
/// Sessions of one transaction.
const STEP: usize = 50_000;

/// How much of what.
#[derive(Debug, Clone, Copy)]
pub struct Year {
    pub sessions: usize,
    pub conversions: usize,
    /// Every conversion is an order, by one of so many people who come again, and every tenth has a chat before it.
    pub buyers: Option<i64>,
}

impl Year {
    /// One conversion for every ten sessions, three fifths of them orders, each by somebody else.
    pub fn of(sessions: usize) -> Self {
        Self { sessions, conversions: MOST_CONVERSIONS.min(sessions / 10).max(1), buyers: None }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Written {
    pub sessions: i64,
    pub touches: i64,
    pub conversions: i64,
    pub deliveries: i64,
}

/// The connections that reports and deliveries name.
pub struct Platforms {
    pub forms: i64,
    pub meta: i64,
    pub ga4: i64,
    pub webhook: i64,
}

/// Fills site 1 up to `now_ms`.
pub fn write(database: &Path, platforms: &Platforms, year: Year, now_ms: i64) -> rusqlite::Result<Written> {
    let conn = Connection::open(database)?;
    conn.set_prepared_statement_cache_capacity(32);
    // Nothing here must outlive a power cut: it is made anew in the next run.
    conn.execute_batch(
        "pragma locking_mode = exclusive; pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -800000;
         pragma foreign_keys = off;",
    )?;
    let Year { sessions, conversions, buyers } = year;
    let mut maker = Maker {
        conn: &conn,
        chance: Chance::new(11),
        platforms,
        now_ms,
        buyers,
        written: Written::default(),
        sales: 0,
        leads: 0,
        chats: 0,
    };
    let each = (sessions / conversions.max(1)).max(1);
    let mut done = 0;
    while done < sessions {
        conn.execute_batch("begin immediate")?;
        for number in done..(done + STEP).min(sessions) {
            let at = now_ms - SPAN_MS + (SPAN_MS as i128 * number as i128 / sessions as i128) as i64;
            maker.session(number as i64 + 1, at, number % each == each / 2)?;
        }
        conn.execute_batch("commit")?;
        done += STEP;
    }
    maker.numbers()?;
    let written = maker.written;
    conn.execute_batch("pragma journal_mode = wal;")?;
    // What lies in the system's memory only would be written while the product is measured, and by the product.
    std::fs::File::open(database).and_then(|f| f.sync_all()).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    Ok(written)
}

struct Origin {
    source: &'static str,
    medium: &'static str,
    campaign: Option<&'static str>,
    click: Option<&'static str>,
}

const fn origin(source: &'static str, medium: &'static str, campaign: Option<&'static str>, click: Option<&'static str>) -> Origin {
    Origin { source, medium, campaign, click }
}

/// The first ones are the frequent ones.
const ORIGINS: [Origin; 24] = [
    origin("google", "cpc", Some("brand-search"), Some("gclid")),
    origin("google", "organic", None, None),
    origin("(direct)", "(none)", None, None),
    origin("facebook", "paid_social", Some("lookalike-buyers"), Some("fbclid")),
    origin("instagram", "paid_social", Some("spring-boots"), Some("fbclid")),
    origin("newsletter", "email", Some("newsletter-24"), None),
    origin("google", "cpc", Some("boots-generic"), Some("gclid")),
    origin("instagram", "social", None, None),
    origin("google", "cpc", Some("coats-autumn"), Some("gclid")),
    origin("facebook", "paid_social", Some("retargeting-30d"), Some("fbclid")),
    origin("bing", "organic", None, None),
    origin("tiktok", "paid_social", Some("unboxing"), Some("ttclid")),
    origin("newsletter", "email", Some("newsletter-25"), None),
    origin("bing", "cpc", Some("brand-bing"), Some("msclkid")),
    origin("chatgpt", "ai", None, None),
    origin("facebook", "social", None, None),
    origin("newsletter", "email", Some("back-in-stock"), None),
    origin("pinterest", "social", None, None),
    origin("google", "cpc", Some("competitors"), Some("gclid")),
    origin("outdoor-blog.example", "referral", None, None),
    origin("duckduckgo", "organic", None, None),
    origin("perplexity", "ai", None, None),
    origin("partner-42", "affiliate", Some("autumn"), None),
    origin("youtube", "social", None, None),
];
const COUNTRIES: [&str; 10] = ["IE", "GB", "DE", "FR", "US", "NL", "ES", "IT", "BE", "DK"];
const DEVICES: [(&str, &str, &str); 4] =
    [("mobile", "Safari", "iOS"), ("mobile", "Chrome", "Android"), ("desktop", "Chrome", "Windows"), ("tablet", "Safari", "iOS")];
const AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";
const PAGES: [&str; 6] = ["/", "/boots/ladies", "/boots/leather-lined-42", "/coats", "/sale", "/pages/size-guide"];

struct Maker<'a> {
    conn: &'a Connection,
    chance: Chance,
    platforms: &'a Platforms,
    now_ms: i64,
    buyers: Option<i64>,
    written: Written,
    sales: i64,
    leads: i64,
    chats: i64,
}

impl Maker<'_> {
    fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.conn.prepare_cached(sql)
    }

    /// Few of a list are frequent, the others rare.
    fn skewed<T>(&mut self, all: &'static [T]) -> &'static T {
        let share = self.chance.next() as f64 / u64::MAX as f64;
        &all[((share * share * share * all.len() as f64) as usize).min(all.len() - 1)]
    }

    fn session(&mut self, id: i64, at: i64, converts: bool) -> rusqlite::Result<()> {
        let first = self.skewed(&ORIGINS);
        let country = *self.skewed(&COUNTRIES);
        let (device, browser, system) = *self.chance.of(&DEVICES);
        let landing = *self.chance.of(&PAGES);
        // Every fifth comes once more, within two weeks.
        let again = (self.chance.one_in(5)).then(|| (at + 1 + (self.chance.next() % (14 * DAY_MS as u64)) as i64, self.skewed(&ORIGINS)));
        let again = again.filter(|(then, _)| *then < self.now_ms);
        let (touches, last_at, last_seq, last) = match &again {
            Some((then, origin)) if origin.medium != "(none)" => (2, *then, 2, *origin),
            Some(_) => (2, at, 1, first),
            None => (1, at, 1, first),
        };
        self.prepare(
            "insert into sessions (site_id, id, key, created_at, last_seen_at, visits, page_views, touch_count, first_seq, last_seq,
               first_at, last_at, last_is_direct, device, browser, system, language, country, user_agent, analytics, marketing, consent_at)
             values (1, ?1, ?2, ?3, ?4, ?5, ?6, ?5, 1, ?7, ?3, ?8, ?9, ?10, ?11, ?12, 'en-IE', ?13, ?14, 'granted', 'granted', ?3)",
        )?
        .execute(params![
            id,
            key(id, at),
            at,
            again.map_or(at, |(then, _)| then),
            touches,
            1 + (mix(id as u64) % 6) as i64,
            last_seq,
            last_at,
            last.medium == "(none)",
            device,
            browser,
            system,
            country,
            AGENT
        ])?;
        self.touch(id, 1, at, first, landing)?;
        if let Some((then, origin)) = again {
            self.touch(id, 2, then, origin, "/")?;
        }
        self.written.sessions += 1;
        if converts {
            let wait = 60_000 + (self.chance.next() % (5 * DAY_MS as u64)) as i64;
            let conversion_at = (at + wait).min(self.now_ms - 1);
            let path = [Some((1, at, first)), again.filter(|(then, _)| *then < conversion_at).map(|(then, o)| (2, then, o))];
            self.conversion(id, conversion_at, &path, country, device, landing)?;
        }
        Ok(())
    }

    fn touch(&mut self, session: i64, seq: i64, at: i64, origin: &Origin, landing: &str) -> rusqlite::Result<()> {
        let query = origin.campaign.map(|c| format!("?utm_source={}&utm_medium={}&utm_campaign={c}", origin.source, origin.medium));
        let is_direct = origin.medium == "(none)";
        self.prepare(
            "insert into touches (site_id, session_id, seq, at, received_at, source, medium, campaign, raw_source, raw_medium, referrer,
               landing, title, is_direct, starts_visit, click_kind, marketing)
             values (1, ?1, ?2, ?3, ?3, ?4, ?5, ?6, ?4, ?5, ?7, ?8, 'Walking boots and rain coats', ?9, 1, ?10, 'granted')",
        )?
        .execute(params![
            session,
            seq,
            at,
            origin.source,
            origin.medium,
            origin.campaign,
            (!is_direct).then_some("www.google.com"),
            format!("{landing}{}", query.unwrap_or_default()),
            is_direct,
            origin.click
        ])?;
        if let Some(click) = origin.click {
            self.prepare("insert into clicks (site_id, value, session_id, kind, seq, at) values (1, ?1, ?2, ?3, ?4, ?5)")?
                .execute(params![format!("Cj0KCQ{:016x}wE_BwcB", mix(session as u64 ^ seq as u64)), session, click, seq, at])?;
        }
        self.written.touches += 1;
        Ok(())
    }

    fn conversion(
        &mut self,
        session: i64,
        at: i64,
        path: &[Option<(i64, i64, &Origin)>],
        country: &str,
        device: &str,
        landing: &str,
    ) -> rusqlite::Result<()> {
        self.written.conversions += 1;
        let id = self.written.conversions;
        let is_sale = self.buyers.is_some() || (id % 5 != 0 && id % 3 != 0);
        let person = self.buyers.map_or(id, |buyers| 1 + (mix(id as u64) >> 3) as i64 % buyers);
        let email = format!("person{person}@mail.example");
        let amount = 1_500 + (mix(id as u64) % 40_000) as i64;
        let day = at.div_euclid(DAY_MS);
        self.prepare(
            "insert or ignore into contacts (site_id, id, email, first_name, last_name, country, first_seen_at, last_seen_at) values (1, ?1, ?2, 'Nora', 'Byrne', ?3, ?4, ?4)",
        )?
        .execute(params![person, email, country, at])?;
        self.prepare("insert or ignore into identities (site_id, kind, value, contact_id, is_verified, first_at, source) values (1, 'email', ?1, ?2, 1, ?3, 'forms')")?
            .execute(params![email, person, at])?;
        let (fact, kind, external, label, event, status) = if is_sale {
            self.sales += 1;
            let status = if self.chance.one_in(20) { "refunded" } else { "paid" };
            let number = 10_000 + self.sales;
            (self.sales, "sale", number.to_string(), format!("Order {number}"), format!("order_{number}"), status)
        } else {
            self.leads += 1;
            let status = *self.chance.of(&["new", "new", "new", "contacted", "qualified", "won", "lost"]);
            let name = format!("L-{}", self.leads);
            (self.leads, "lead", name.clone(), format!("Lead {name}"), format!("lead_{name}"), status)
        };
        let is_matched = !self.chance.one_in(10);
        let steps: Vec<_> = path.iter().flatten().filter(|_| is_matched).collect();
        let credited = steps.iter().rev().find(|(_, _, o)| o.medium != "(none)").or(steps.last());
        let (source, medium, campaign) = credited.map_or((None, None, None), |(_, _, o)| (Some(o.source), Some(o.medium), o.campaign));
        let first = steps.first().map(|(_, _, o)| o);
        let net = if status == "refunded" { 0 } else { amount };
        self.prepare(
            "insert into conversions (site_id, id, kind, label, order_key, event_id, contact_id, session_id, amount_minor, currency, net_minor,
               rank, happened_at, received_at, book_day, status, country, consent_given, match_type, confidence_bp, source, medium, campaign,
               first_source, first_medium, first_campaign)
             values (1, ?1, ?2, ?3, ?4, ?5, ?21, ?6, ?7, 'EUR', ?8, 30, ?9, ?9, ?10, ?11, ?12, 1, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        )?
        .execute(params![
            id,
            kind,
            label,
            is_sale.then_some(&external),
            event,
            is_matched.then_some(session),
            amount,
            net,
            at,
            day,
            status,
            country,
            if is_matched { "session" } else { "none" },
            if is_matched { 10_000 } else { 0 },
            source,
            medium,
            campaign,
            first.map(|o| o.source),
            first.map(|o| o.medium),
            first.and_then(|o| o.campaign),
            person
        ])?;
        if is_sale {
            self.prepare(
                "insert into orders (site_id, id, connection_id, platform, external_id, order_number, order_key, rank, contact_id, email,
                   first_name, last_name, status, state, is_paid, total_minor, currency, items, session_id, country, created_at, modified_at, received_at, conversion_id)
                 values (1, ?1, ?2, 'generic', ?3, ?3, ?3, 3, ?4, ?5, 'Nora', 'Byrne', ?6, 'paid', 1, ?7, 'EUR', ?8, ?9, ?10, ?11, ?11, ?11, ?12)",
            )?
            .execute(params![
                fact,
                self.platforms.forms,
                external,
                person,
                email,
                status,
                amount,
                r#"[{"name":"Leather boot, lined","quantity":1,"price":"86.90"}]"#,
                session,
                country,
                at,
                id
            ])?;
        } else {
            self.prepare(
                "insert into leads (site_id, id, connection_id, source, external_id, contact_id, email, first_name, last_name, message, form_type,
                   value_minor, currency, session_id, consent_given, url, status, created_at, received_at, conversion_id)
                 values (1, ?1, ?2, 'forms', ?3, ?4, ?5, 'Nora', 'Byrne', 'Do you have the lined boot in size 42?', 'contact', ?6, 'EUR', ?7, 1,
                   'https://shop001.example/contact', ?8, ?9, ?9, ?4)",
            )?
            .execute(params![fact, self.platforms.forms, external, id, email, amount, session, status, at])?;
        }
        self.prepare(
            "insert into reports (site_id, id, conversion_id, connection_id, platform, what, fact_kind, fact_id, external_id, rank, amount_minor,
               currency, happened_at, received_at, detail)
             values (1, ?1, ?1, ?2, 'forms', ?3, ?3, ?4, ?5, 30, ?6, 'EUR', ?7, ?7, '{\"form_type\":\"contact\"}')",
        )?
        .execute(params![id, self.platforms.forms, if is_sale { "order" } else { "lead" }, fact, external, amount, at])?;
        if self.buyers.is_some() && id % 10 == 0 {
            self.chat(id, person, at)?;
        }
        if is_sale {
            self.entry(id, "sale", amount, at)?;
            if status == "refunded" {
                self.entry(id, "refund", -amount, (at + 6 * DAY_MS).min(self.now_ms - 1))?;
            }
        }
        self.credit(id, session, at, &steps, country, device, landing)?;
        self.deliveries(id, session, at, is_sale, &event)
    }

    /// A conversation before it, and the verdict on it.
    fn chat(&mut self, conversion: i64, person: i64, at: i64) -> rusqlite::Result<()> {
        self.chats += 1;
        let (hours, method, confidence) =
            *self.chance.of(&[(1, "session_match", 9_500), (5, "time_proximity", 8_500), (50, "email_match", 6_500)]);
        let last = at - hours * 3_600_000;
        self.prepare(
            "insert into conversations (site_id, id, connection_id, platform, external_id, contact_id, is_verified, first_at, last_at, messages, received_at)
             values (1, ?1, ?2, 'chat', ?3, ?4, 1, ?5, ?6, 6, ?6)",
        )?
        .execute(params![self.chats, self.platforms.forms, format!("chat-{}", self.chats), person, last - 600_000, last])?;
        self.prepare(
            "insert into chat_assists (site_id, conversion_id, at, method, confidence_bp, conversation_id, reason)
             values (1, ?1, ?2, ?3, ?4, ?5, 'The same person, in a chat before it.')",
        )?
        .execute(params![conversion, at, method, confidence, self.chats])?;
        Ok(())
    }

    fn entry(&mut self, conversion: i64, kind: &str, amount: i64, at: i64) -> rusqlite::Result<()> {
        self.prepare(
            "insert into entries (site_id, id, conversion_id, kind, amount_minor, currency, happened_at, book_day)
             values (1, (select coalesce(max(id), 0) + 1 from entries where site_id = 1), ?1, ?2, ?3, 'EUR', ?4, ?5)",
        )?
        .execute(params![conversion, kind, amount, at, at.div_euclid(DAY_MS)])?;
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn credit(
        &mut self,
        conversion: i64,
        session: i64,
        at: i64,
        steps: &[&(i64, i64, &Origin)],
        country: &str,
        device: &str,
        landing: &str,
    ) -> rusqlite::Result<()> {
        let path: Vec<_> = steps
            .iter()
            .map(|(seq, at, o)| {
                json!({"session": session, "seq": seq, "at": at, "kind": if o.click.is_some() { "click" } else { "view" }, "source": o.source,
                    "medium": o.medium, "campaign": o.campaign, "landing": landing, "click": o.click, "device": device,
                    "is_direct": o.medium == "(none)", "is_imported": false, "link": "session"})
            })
            .collect();
        let snapshot = json!({
            "session_id": key(session, at), "device": {"type": device, "country": country}, "match_type": "session", "asserted": false,
            "model": "last_non_direct", "window": "30",
        });
        self.prepare(
            "insert into credits (site_id, conversion_id, run, at, why, match_type, is_asserted, confidence_bp, reason, path, policy, snapshot)
             values (1, ?1, 1, ?2, 'first known', ?3, 0, ?4, ?5, ?6, '{\"model\":\"last_non_direct\",\"window_days\":30}', ?7)",
        )?
        .execute(params![
            conversion,
            at,
            if steps.is_empty() { "none" } else { "session" },
            if steps.is_empty() { 0 } else { 10_000 },
            "Same browser: clicked an advertisement, came back and bought.",
            serde_json::Value::from(path).to_string(),
            snapshot.to_string()
        ])?;
        Ok(())
    }

    fn deliveries(&mut self, conversion: i64, session: i64, at: i64, is_sale: bool, event: &str) -> rusqlite::Result<()> {
        for (connection, platform) in [(self.platforms.meta, "meta"), (self.platforms.ga4, "ga4"), (self.platforms.webhook, "webhook")] {
            self.written.deliveries += 1;
            let id = self.written.deliveries;
            let kind = match (platform, is_sale) {
                ("meta", true) => "Purchase",
                ("meta", false) => "Lead",
                ("ga4", true) => "purchase",
                ("ga4", false) => "generate_lead",
                (_, true) => "sale",
                (_, false) => "lead",
            };
            let (state, reason) = match mix(id as u64) % 100 {
                0 => ("dead", Some("gave_up")),
                1 => ("refused", Some("refused")),
                2..6 => ("skipped", Some("consent")),
                _ => ("delivered", None),
            };
            let is_sent = state != "skipped";
            let request = is_sent.then(|| {
                format!(
                    "{{\"method\":\"POST\",\"url\":\"https://graph.facebook.com/v26.0/1234567890123456/events\",\"body\":{{\"data\":[{{\"event_name\":\"{kind}\",\
                     \"event_id\":\"{event}\",\"event_time\":{},\"user_data\":{{\"em\":[\"{:064x}\"],\"external_id\":[\"{:064x}\"]}}}}]}}}}",
                    at / 1_000,
                    mix(conversion as u64),
                    mix(session as u64)
                )
            });
            self.prepare(
                "insert into deliveries (site_id, id, connection_id, conversion_id, platform, kind, event_id, mode, state, reason, attempts, request,
                   response, created_at, day, settled_at)
                 values (1, ?1, ?2, ?3, ?4, ?5, ?6, 'live', ?7, ?8, ?9, ?10, ?11, ?12, ?12 / 86400000, ?13)",
            )?
            .execute(params![
                id,
                connection,
                conversion,
                platform,
                kind,
                event,
                state,
                reason,
                i64::from(is_sent),
                request,
                is_sent.then_some(r#"{"status":200,"body":"{\"events_received\":1}","sentence":"It was taken."}"#),
                at,
                at + 400
            ])?;
            if is_sent {
                self.prepare(
                    "insert into attempts (site_id, delivery_id, n, at, duration_ms, outcome, status, sentence)
                     values (1, ?1, 1, ?2, 180, ?3, 200, 'It was taken.')",
                )?
                .execute(params![id, at, state])?;
            }
        }
        Ok(())
    }

    /// What is added later goes on counting from here.
    fn numbers(&self) -> rusqlite::Result<()> {
        let entries: i64 = self.conn.query_row("select coalesce(max(id), 0) from entries where site_id = 1", [], |row| row.get(0))?;
        for (noun, last) in [
            ("session", self.written.sessions),
            ("contact", self.written.conversions),
            ("conversation", self.chats),
            ("conversion", self.written.conversions),
            ("report", self.written.conversions),
            ("order", self.sales),
            ("lead", self.leads),
            ("entry", entries),
            ("delivery", self.written.deliveries),
        ] {
            self.prepare("insert or replace into numbers (site_id, noun, last) values (1, ?1, ?2)")?.execute(params![noun, last])?;
        }
        Ok(())
    }
}

/// As the product issues them: the time leads.
fn key(id: i64, at: i64) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut raw = [0u8; 21];
    raw[..4].copy_from_slice(&((at / 1_000) as u32).to_be_bytes());
    raw[4..12].copy_from_slice(&mix(id as u64).to_le_bytes());
    raw[12..20].copy_from_slice(&id.to_le_bytes());
    raw.chunks(3)
        .flat_map(|three| {
            let n = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| char::from(LETTERS[(n >> shift & 63) as usize]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_length_of_real_ones_and_differ() {
        assert_eq!(key(1, 1_750_000_000_000).len(), 28);
        assert_ne!(key(1, 1_750_000_000_000), key(2, 1_750_000_000_000));
    }
}
