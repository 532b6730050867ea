//! What the shops' advertisements have cost, week by week, as a file that their owners bring in.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::chance::Chance;
use super::shop::{Shop, Way};
use crate::app::App;
use crate::crypto;
use crate::domain::import::ImportKind;
use crate::domain::time::Day;
use crate::error::{Error, Result};
use crate::flows::imports::{self, Given, Wanted};
use crate::store::sites::Site;

/// Minor units that a click costs, from and to: where somebody searches, and where somebody scrolls.
const SEARCH: (i64, i64) = (85, 140);
const SOCIAL: (i64, i64) = (35, 70);
const WEEK: i32 = 7;

pub async fn bring(app: &App, site: &Arc<Site>, shop: &'static Shop, seed: u64, who: &str) -> Result<()> {
    let file = file(shop, site.zone.day(app.clock.now()), &mut Chance::of_seed(seed))?;
    let wanted = Wanted {
        kind: ImportKind::Spend,
        name: "advertising.csv".into(),
        digest: crypto::sha256(file.as_bytes()).to_vec(),
        bytes: file.len() as u64,
        given: Given::default(),
    };
    let (send, pieces) = mpsc::channel(1);
    send.send(Ok(Bytes::from(file))).await.map_err(|_| Error::internal("nobody takes the demo's costs"))?;
    drop(send);
    imports::bring(app, site, wanted, pieces, who).await.map(drop)
}

fn file(shop: &Shop, today: Day, chance: &mut Chance) -> Result<String> {
    let mut rows = String::from("from,to,source,medium,campaign,amount,currency\n");
    let all: u64 = shop.ways.iter().map(|way| way.weight).sum();
    for way in shop.ways.iter().filter(|way| way.link.contains("{click}")) {
        let word = |name: &str| parameter(way, name).unwrap_or_default();
        let (source, medium, campaign) = (word("utm_source"), word("utm_medium"), word("utm_campaign"));
        let (low, high) = if medium == "cpc" { SEARCH } else { SOCIAL };
        let mut ago = way.days.0;
        while ago >= way.days.1.max(1) {
            let last = (ago - WEEK + 1).max(way.days.1).max(1);
            let days = (ago - last + 1) as u64;
            let clicks = shop.visits * way.weight * days / all.max(1);
            let minor = clicks as i64 * chance.between(low, high);
            let (from, to) = (today.plus(-ago), today.plus(-last));
            writeln!(rows, "{from},{to},{source},{medium},{campaign},{}.{:02},{}", minor / 100, minor % 100, shop.currency)
                .map_err(|e| Error::internal(e.to_string()))?;
            ago = last - 1;
        }
    }
    Ok(rows)
}

/// A word of the landing's query.
fn parameter(way: &Way, name: &str) -> Option<&'static str> {
    let (_, query) = way.link.split_once('?')?;
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::super::{fragrance, kitchens};
    use super::*;

    #[test]
    fn every_campaign_that_is_paid_for_has_its_weeks_and_no_day_twice() {
        let today = Day::parse("2026-06-13").expect("a day");
        for shop in [&fragrance::SHOP, &kitchens::SHOP] {
            let text = file(shop, today, &mut Chance::of_seed(7)).expect("a file");
            let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
            assert!(rows.len() > 20 && rows.iter().all(|row| row.len() == 7 && row[6] == shop.currency), "{text}");
            assert!(rows.iter().all(|row| row[0] <= row[1] && row[1] < "2026-06-13"), "{text}");
            for way in shop.ways.iter().filter(|way| way.link.contains("{click}")) {
                let campaign = parameter(way, "utm_campaign").expect("a campaign");
                let own: Vec<&Vec<&str>> = rows.iter().filter(|row| row[4] == campaign).collect();
                assert!(!own.is_empty() && own.windows(2).all(|two| two[0][1] < two[1][0]), "{campaign}: {text}");
            }
        }
    }
}
