//! What stands below a campaign: visits, credited conversions and money by the content and the term of the visit. Of rows only,
//! for counts of whole days do not know these words.

use std::collections::HashMap;

use super::super::cube::{Cube, Weighs};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over_rows};
use super::money;
use super::tables::{Column, TableRow, Views, WantedTables, merge, row};
use super::visits::{self, Origin};
use super::walk::{self, Credited, Earner, Walked};
use crate::domain::attribution::shares;
use crate::domain::money::{Currency, Money};
use crate::domain::time::Zone;
use crate::error::Result;

/// Origin, and the words below it, content and term; an empty one stands for none.
pub type Below = (Origin, [String; 2]);

#[derive(Default)]
struct Contents(HashMap<Below, TableRow>);

impl Gathers for Contents {
    fn merge(&mut self, other: &Self) {
        merge(&mut self.0, &other.0);
    }
}

impl Weighs for Contents {
    fn bytes(&self) -> usize {
        let row = |r: &TableRow| 320 + [&r.own, &r.first, &r.last].iter().map(|e| money::size(&e.money)).sum::<usize>();
        self.0.values().map(row).sum()
    }
}

/// From the same rows as the tables, and so with the same sums.
pub fn contents(c: &SiteConn, zone: &Zone, wanted: &WantedTables) -> Result<HashMap<Below, TableRow>> {
    let (filter, period) = (&wanted.filter, wanted.period);
    let views = Views::of(wanted);
    let question = format!("contents {views:?} {filter:?} {}", walk::newest_told(c, filter)?);
    let mut all = over_rows(c, Cube::Conversions, zone, period, &question, |piece: &Piece, all: &mut Contents| {
        walk::conversions(c, zone, piece, filter, |_, w| views.each(w, |credited, of| all.credit(w, credited, of)))
    })?;
    let moneys = over_rows(c, Cube::Entries, zone, period, &question, |piece: &Piece, all: &mut Contents| {
        walk::entries(c, piece, filter, |b, w, _| {
            let Some(currency) = Currency::parse(b.currency) else { return Ok(()) };
            views.each(w, |credited, of| all.book(credited, of, b.kind, Money::new(b.amount_minor, currency)))
        })
    })?;
    all.merge(&moneys);
    let visits = over_rows(c, Cube::Visits, zone, period, &question, |piece: &Piece, all: &mut Contents| {
        visits::each_row(c, zone, piece, |visit| {
            if visit.is_taken(filter) {
                let origin = (visit.source.to_owned(), visit.medium.to_owned(), visit.campaign.to_owned());
                row(&mut all.0, &(origin, [visit.content, visit.term].map(str::to_owned))).visits += 1;
            }
        })
    })?;
    all.merge(&visits);
    Ok(all.0)
}

fn below(to: &Earner) -> Below {
    (to.origin.clone(), [to.content.clone(), to.term.clone()])
}

impl Contents {
    fn credit(&mut self, w: &Walked, credited: &Credited, column: Column) {
        for (to, share) in credited.to.iter().zip(shares(&credited.weights)).filter(|(_, s)| *s > 0) {
            column.of(row(&mut self.0, &below(to))).count(&w.marks, share as i64);
        }
    }

    fn book(&mut self, credited: &Credited, column: Column, kind: &str, amount: Money) {
        for (to, part) in credited.to.iter().zip(amount.split(&credited.weights)).filter(|(_, m)| m.minor != 0) {
            let earned = column.of(row(&mut self.0, &below(to)));
            money::of(&mut earned.money, amount.currency.code()).add(kind, part.minor);
        }
    }
}
