//! The pipeline of leads: how many stand where and what they are worth, with the newest of each stage.

use std::collections::{BTreeMap, HashSet};

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::facts::{self, LeadLine, Wanted};
use super::word;
use crate::domain::ids::LeadId;
use crate::domain::money::{Currency, Money};
use crate::domain::pipeline::Stage;
use crate::domain::question::Cursor;
use crate::domain::question::tally::{Named, top};
use crate::domain::time::Zone;
use crate::error::Result;

#[derive(Debug, Default)]
pub struct Pipeline {
    /// In the order of the pipeline.
    pub columns: Vec<Column>,
    pub sources: Vec<(String, i64)>,
}

#[derive(Debug)]
pub struct Column {
    pub stage: Stage,
    pub count: i64,
    /// By currency, never added across.
    pub worth: Vec<Money>,
    /// The newest first.
    pub leads: Vec<LeadLine>,
    /// Where the list of this stage goes on.
    pub next: Option<Cursor>,
}

/// One that several connections told of stands here once. `wanted.limit` is for each stage.
pub fn pipeline(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<Pipeline> {
    let (from, to) = wanted.span.times(zone);
    let mut seen: HashSet<i64> = HashSet::new();
    let mut sources: Named<i64> = Named::default();
    let mut columns: Vec<(i64, BTreeMap<String, i64>, Vec<i64>)> = Stage::ALL.iter().map(|_| Default::default()).collect();
    c.scan(
        "select id, source, status, value_minor, currency, conversion_id from leads
         where site_id = :site and created_at >= :from and created_at < :to order by created_at desc, id desc",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            if row.get::<_, Option<i64>>(5)?.is_some_and(|conversion| !seen.insert(conversion)) {
                return Ok(true);
            }
            let source = word(row, 1)?;
            let stage = Stage::parse(word(row, 2)?).unwrap_or(Stage::New);
            let place = Stage::ALL.iter().position(|s| *s == stage).unwrap_or_default();
            *sources.of(source) += 1;
            if !wanted.source.admits(source) || !wanted.status.admits(stage.word()) {
                return Ok(true);
            }
            let (count, worth, ids) = &mut columns[place];
            *count += 1;
            if let Some(minor) = row.get::<_, Option<i64>>(3)? {
                let currency = word(row, 4)?;
                match worth.get_mut(currency) {
                    Some(sum) => *sum += minor,
                    None => drop(worth.insert(currency.to_owned(), minor)),
                }
            }
            if ids.len() <= wanted.limit {
                ids.push(row.get(0)?);
            }
            Ok(true)
        },
    )?;
    let mut pipeline = Pipeline { columns: Vec::new(), sources: top(sources.iter().map(|(v, n)| (v, *n))) };
    for (stage, (count, worth, mut ids)) in Stage::ALL.into_iter().zip(columns) {
        let has_more = ids.len() > wanted.limit;
        ids.truncate(wanted.limit);
        let leads = ids.into_iter().map(|id| facts::lead(c, LeadId::new(id))).collect::<Result<Vec<_>>>()?;
        let leads: Vec<LeadLine> = leads.into_iter().flatten().collect();
        let next = leads.last().filter(|_| has_more).map(|l| Cursor { key: Some(l.created_at.ms()), id: l.id.number() });
        let worth = worth.into_iter().filter_map(|(code, minor)| Some(Money::new(minor, Currency::parse(&code)?))).collect();
        pipeline.columns.push(Column { stage, count, worth, leads, next });
    }
    Ok(pipeline)
}
