//! Conversions as the conversions API shows them: with what their sender stated of click, campaign and ad.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};
use serde_json::{Map, Value};

use super::super::scope::SiteConn;
use crate::domain::attribution::{Model, PathTouch, Window, weights};
use crate::domain::campaign::normal_source;
use crate::domain::conversion::ConversionKind;
use crate::domain::ids::ConversionId;
use crate::domain::money::{Currency, Money};
use crate::domain::question::Cursor;
use crate::domain::rule::Rules;
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

/// A conversion in the API's own words.
#[derive(Debug, Clone)]
pub struct Record {
    pub id: ConversionId,
    pub kind: String,
    pub amount: Option<Money>,
    pub happened_at: Time,
    /// Credited in the books.
    pub credited: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    /// Of the credited touch.
    pub touch_campaign_id: Option<String>,
    /// What the sender said, by the names of the API; empty where nobody stated anything.
    pub detail: Map<String, Value>,
}

impl Record {
    /// A field of the statement as text.
    pub fn stated(&self, name: &str) -> Option<String> {
        match self.detail.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// As stated, else as credited; under the name that a rule gives it.
    pub fn source(&self, rules: &Rules) -> Option<String> {
        let Some(stated) = self.stated("source") else { return self.credited_name(rules).map(str::to_owned) };
        let usual = normal_source(&stated);
        let named = rules.named(&usual, "", "").0;
        Some(if named == usual { stated } else { named.to_owned() })
    }

    fn credited_name<'n>(&'n self, rules: &'n Rules) -> Option<&'n str> {
        self.credited.as_deref().map(|source| self.names(source, rules).0)
    }

    fn names<'n>(&'n self, source: &'n str, rules: &'n Rules) -> (&'n str, &'n str, &'n str) {
        rules.named(source, self.medium.as_deref().unwrap_or_default(), self.campaign.as_deref().unwrap_or_default())
    }

    pub fn campaign_id(&self) -> Option<String> {
        self.stated("campaign_id").or_else(|| self.touch_campaign_id.clone())
    }

    /// The raw word, the usual one or the one that a rule gives, of what was said or of what is credited.
    fn is_from(&self, source: &str, rules: &Rules) -> bool {
        let usual = normal_source(source);
        let stated = self.stated("source");
        self.credited.as_deref() == Some(usual.as_str())
            || stated.is_some_and(|s| s == source || normal_source(&s) == usual)
            || self.credited_name(rules) == Some(usual.as_str())
            || self.source(rules).is_some_and(|named| named == usual)
    }

    fn is_of_campaign(&self, campaign: &str, rules: &Rules) -> bool {
        self.campaign_id().as_deref() == Some(campaign)
            || self.campaign.as_deref() == Some(campaign)
            || self.credited.as_deref().is_some_and(|source| self.campaign.is_some() && self.names(source, rules).2 == campaign)
    }
}

#[derive(Debug, Clone)]
pub struct Wanted {
    pub from: Time,
    pub to: Time,
    pub kind: Option<ConversionKind>,
    pub source: Option<String>,
    pub campaign_id: Option<String>,
    pub cursor: Option<Cursor>,
    pub limit: usize,
    pub rules: Rules,
}

const COLUMNS: &str = "c.id, c.kind, c.amount_minor, c.currency, c.happened_at, c.source, c.campaign, k.path,
    (select r.detail from reports r where r.site_id = c.site_id and r.conversion_id = c.id and r.fact_kind = 'statement'
     order by r.rank desc, r.id limit 1), c.medium";

/// Rows that one page looks at, at most.
const MOST_LOOKED_AT: usize = 20_000;

/// The newest first; those that count.
pub fn page(c: &SiteConn, wanted: &Wanted) -> Result<(Vec<Record>, Option<Cursor>)> {
    let before = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let mut records: Vec<Record> = Vec::new();
    let mut looked_at = 0;
    let mut stopped = None;
    c.scan(
        &format!(
            "select {COLUMNS} from conversions c
             left join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run
             where c.site_id = :site and c.happened_at >= :from and c.happened_at < :to and (c.happened_at, c.id) < (:key, :id)
               and c.counts = 1 and (:kind is null or c.kind = :kind)
             order by c.happened_at desc, c.id desc"
        ),
        named_params! {":from": wanted.from.ms(), ":to": before.end(wanted.to.ms()), ":key": before.key.unwrap_or(i64::MAX), ":id": before.id,
        ":kind": wanted.kind.map(ConversionKind::word)},
        |row| {
            looked_at += 1;
            let record = read(row)?;
            let is_wanted = wanted.source.as_deref().is_none_or(|s| record.is_from(s, &wanted.rules))
                && wanted.campaign_id.as_deref().is_none_or(|campaign| record.is_of_campaign(campaign, &wanted.rules));
            let place = Cursor { key: Some(record.happened_at.ms()), id: record.id.number() };
            if is_wanted {
                records.push(record);
            }
            if looked_at >= MOST_LOOKED_AT && records.len() <= wanted.limit {
                stopped = Some(place);
                return Ok(false);
            }
            Ok(records.len() <= wanted.limit)
        },
    )?;
    let has_more = records.len() > wanted.limit;
    records.truncate(wanted.limit);
    let next = records.last().filter(|_| has_more).map(|r| Cursor { key: Some(r.happened_at.ms()), id: r.id.number() });
    Ok((records, next.or(stopped)))
}

pub fn find(c: &SiteConn, id: ConversionId) -> Result<Option<Record>> {
    c.find(
        &format!(
            "select {COLUMNS} from conversions c
             left join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run
             where c.site_id = :site and c.id = :id"
        ),
        named_params! {":id": id.number()},
        read,
    )
}

fn read(row: &Row) -> rusqlite::Result<Record> {
    let (minor, currency): (Option<i64>, Option<String>) = (row.get(2)?, row.get(3)?);
    let happened_at = Time::from_ms(row.get(4)?);
    let (path, detail): (Option<String>, Option<String>) = (row.get(7)?, row.get(8)?);
    let source: Option<String> = row.get(5)?;
    let touch_campaign_id =
        path.filter(|path| source.is_some() && path.contains(CAMPAIGN_ID)).and_then(|path| credited_campaign(&path, happened_at));
    Ok(Record {
        id: ConversionId::new(row.get(0)?),
        kind: row.get(1)?,
        amount: minor.zip(currency.as_deref().and_then(Currency::parse)).map(|(m, cur)| Money::new(m, cur)),
        happened_at,
        credited: source,
        medium: row.get(9)?,
        campaign: row.get(6)?,
        touch_campaign_id,
        detail: match detail.and_then(|text| serde_json::from_str(&text).ok()) {
            Some(Value::Object(detail)) => detail,
            _ => Map::new(),
        },
    })
}

/// How a path names the number of a campaign. Most name none, and need not be read.
const CAMPAIGN_ID: &str = "\"campaign_id\"";

/// The number that the credited touch came with.
fn credited_campaign(path: &str, happened_at: Time) -> Option<String> {
    let path: Vec<PathTouch> = serde_json::from_str(path).ok()?;
    // The newest touch that is not direct: where the books credit anything, it is this one.
    let weights = weights(Model::LastNonDirect, &path, happened_at, Window(None).days());
    let place = weights.iter().position(|w| *w > 0)?;
    path[place].touch.campaign_id.clone()
}

/// What one name earned on a day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earned {
    pub conversions: i64,
    /// By currency code.
    pub minor: BTreeMap<String, i64>,
}

#[derive(Debug, Default)]
pub struct DayReport {
    pub all: Earned,
    /// Sales that happened on the day, by currency.
    pub orders: BTreeMap<String, i64>,
    pub by_source: BTreeMap<String, Earned>,
    pub by_campaign: BTreeMap<String, Earned>,
}

/// One day of the site's zone: money as booked on it, conversions as they happened on it, under the names of the site's rules.
pub fn day_report(c: &SiteConn, zone: &Zone, day: Day, rules: &Rules) -> Result<DayReport> {
    let mut report = DayReport::default();
    // A campaign is called by its name, else by the number that its sender stated.
    let campaign = "coalesce(c.campaign, (select r.detail ->> '$.campaign_id' from reports r
           where r.site_id = c.site_id and r.conversion_id = c.id and r.fact_kind = 'statement' and json_valid(r.detail)
           order by r.rank desc, r.id limit 1))";
    c.scan(
        &format!(
            "select c.source, {campaign}, c.kind, c.currency, c.medium from conversions c
             where c.site_id = :site and c.happened_at >= :from and c.happened_at < :to and c.counts = 1"
        ),
        named_params! {":from": zone.start(day).ms(), ":to": zone.start(day.plus(1)).ms()},
        |row| {
            let (source, _, campaign) = rules.named(super::word(row, 0)?, super::word(row, 4)?, super::word(row, 1)?);
            for earned in report.of(source, campaign) {
                earned.conversions += 1;
            }
            if super::word(row, 2)? == ConversionKind::Sale.word() {
                *report.orders.entry(super::word(row, 3)?.to_owned()).or_default() += 1;
            }
            Ok(true)
        },
    )?;
    c.scan(
        &format!(
            "select c.source, {campaign}, e.currency, e.amount_minor, c.medium
             from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
             where e.site_id = :site and e.book_day = :day and c.counts = 1"
        ),
        named_params! {":day": day.0},
        |row| {
            let (currency, minor): (String, i64) = (row.get(2)?, row.get(3)?);
            let (source, _, campaign) = rules.named(super::word(row, 0)?, super::word(row, 4)?, super::word(row, 1)?);
            for earned in report.of(source, campaign) {
                let sum = earned.minor.entry(currency.clone()).or_default();
                *sum = sum.saturating_add(minor);
            }
            Ok(true)
        },
    )?;
    Ok(report)
}

impl DayReport {
    /// Where something of this source and campaign is added.
    fn of(&mut self, source: &str, campaign: &str) -> [&mut Earned; 3] {
        let source = if source.is_empty() { crate::domain::question::filter::UNATTRIBUTED } else { source };
        let campaign = if campaign.is_empty() { crate::domain::campaign::NOT_SET } else { campaign };
        [&mut self.all, self.by_source.entry(source.to_owned()).or_default(), self.by_campaign.entry(campaign.to_owned()).or_default()]
    }
}
