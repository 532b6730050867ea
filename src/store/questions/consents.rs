//! What visitors answered over time, and what could not be forwarded because of it.

use std::collections::BTreeMap;

use rusqlite::named_params;

use super::super::cube::{Cube, Weighs};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over_rows};
use super::word;
use crate::domain::question::Period;
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

/// Visits of a day by what their browser had answered then.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Answers {
    pub granted: i64,
    pub denied: i64,
    pub unanswered: i64,
    /// Counted without a cookie: nobody is known by them.
    pub nameless: i64,
}

impl Answers {
    pub fn add(&mut self, other: &Self) {
        self.granted += other.granted;
        self.denied += other.denied;
        self.unanswered += other.unanswered;
        self.nameless += other.nameless;
    }
}

/// Conversions of the days by what became of telling one connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Withheld {
    pub connection: i64,
    pub platform: String,
    pub all: i64,
    /// Not told, or called back, for want of marketing consent.
    pub for_consent: i64,
}

#[derive(Default)]
struct ByDay(BTreeMap<Day, Answers>);

impl Gathers for ByDay {
    fn merge(&mut self, other: &Self) {
        for (day, answers) in &other.0 {
            self.0.entry(*day).or_default().add(answers);
        }
    }
}

impl Weighs for ByDay {
    fn bytes(&self) -> usize {
        self.0.len() * 64
    }
}

/// Every day of the period, also those on which nobody came. The answer of a visit is the one that held when it began.
pub fn by_day(c: &SiteConn, zone: &Zone, period: Period) -> Result<BTreeMap<Day, Answers>> {
    let mut all = over_rows(c, Cube::Visits, zone, period, "answers on consent", |piece: &Piece, all: &mut ByDay| {
        for sql in [
            "select at, marketing from touches where site_id = :site and at >= :from and at < :to and starts_visit = 1",
            "select at, 'nameless' from anon_events where site_id = :site and at >= :from and at < :to and starts_visit = 1",
        ] {
            c.scan(sql, named_params! {":from": piece.from.ms(), ":to": piece.to.ms()}, |row| {
                let day = zone.day(Time::from_ms(row.get(0)?));
                if piece.holds(day) {
                    let answers = all.0.entry(day).or_default();
                    match word(row, 1)? {
                        "granted" => answers.granted += 1,
                        "denied" => answers.denied += 1,
                        "nameless" => answers.nameless += 1,
                        _ => answers.unanswered += 1,
                    }
                }
                Ok(true)
            })?;
        }
        Ok(())
    })?
    .0;
    for day in period.days.each() {
        all.entry(day).or_default();
    }
    Ok(all)
}

/// By connection: of its deliveries of the days, one for each conversion, those that consent held back.
pub fn withheld(c: &SiteConn, from: Time, to: Time) -> Result<Vec<Withheld>> {
    let mut all: BTreeMap<i64, Withheld> = BTreeMap::new();
    c.scan(
        "select k.id, k.platform, s.value,
           (select count(distinct d.conversion_id) from deliveries d
            where d.site_id = :site and d.connection_id = k.id and d.state = s.value and d.created_at >= :from and d.created_at < :to),
           case when s.value in ('skipped', 'cancelled') then
             (select count(distinct d.conversion_id) from deliveries d
              where d.site_id = :site and d.connection_id = k.id and d.state = s.value and d.created_at >= :from and d.created_at < :to
                and d.reason = 'consent') else 0 end
         from connections k cross join json_each('[\"pending\",\"leased\",\"delivered\",\"accepted\",\"skipped\",\"refused\",\"dead\",\"held\",\"cancelled\"]') s
         where k.site_id = :site and k.removed_at is null",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            let id: i64 = row.get(0)?;
            let of = all.entry(id).or_insert_with(|| Withheld { connection: id, ..Withheld::default() });
            of.platform = word(row, 1)?.to_owned();
            of.all += row.get::<_, i64>(3)?;
            of.for_consent += row.get::<_, i64>(4)?;
            Ok(true)
        },
    )?;
    Ok(all.into_values().filter(|w| w.all > 0).collect())
}
