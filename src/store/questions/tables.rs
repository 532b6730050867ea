//! The tables of a report: visits, credited conversions and money by origin, landing page, country and device. What
//! nothing is credited with is a row of its own, so that every table has the same total.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::super::cube::{Coverage, Cube, Tail, Weighs};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over, over_rows};
use super::money::{self, Moneys};
use super::sums::add_days;
use super::visits::{self, Origin};
pub use super::walk::Detail;
use super::walk::{self, Credited, View, Walked};
use crate::domain::attribution::{Model, shares};
use crate::domain::conversion::ConversionKind;
use crate::domain::money::{Currency, Money};
use crate::domain::question::{ConversionFilter, Lens, Marks, Period};
use crate::domain::time::Zone;
use crate::error::Result;

/// Billionths of one conversion: a lens may share one among several.
pub const WHOLE: i64 = 1_000_000_000;

/// What is credited to a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earned {
    pub conversions_e9: i64,
    /// Of them, sales.
    pub orders_e9: i64,
    /// The same by the currency in which each was paid: only those stand against what was spent in it.
    pub orders_in: BTreeMap<String, i64>,
    /// Of them, leads.
    pub leads_e9: i64,
    pub money: Moneys,
}

impl Earned {
    pub fn add(&mut self, other: &Self) {
        self.conversions_e9 += other.conversions_e9;
        self.orders_e9 += other.orders_e9;
        self.leads_e9 += other.leads_e9;
        add_each(&mut self.orders_in, &other.orders_in);
        money::add_all(&mut self.money, &other.money);
    }

    pub(super) fn count(&mut self, marks: &Marks, share_e9: i64) {
        self.conversions_e9 += share_e9;
        if marks.kind == ConversionKind::Sale.word() {
            self.orders_e9 += share_e9;
            add_one(&mut self.orders_in, marks.currency, share_e9);
        }
        if marks.kind == ConversionKind::Lead.word() {
            self.leads_e9 += share_e9;
        }
    }
}

/// What an origin has cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spent {
    /// Minor units by currency; currencies are never added.
    pub money: BTreeMap<String, i64>,
    /// Who bought for the first time, as the books credit that sale, by the currency of it.
    pub customers: BTreeMap<String, i64>,
}

impl Spent {
    pub fn add(&mut self, other: &Self) {
        add_each(&mut self.money, &other.money);
        add_each(&mut self.customers, &other.customers);
    }

    pub fn count(&mut self, currency: &str) {
        add_one(&mut self.customers, currency, 1);
    }

    /// In all currencies: people can be added.
    pub fn customers(&self) -> i64 {
        self.customers.values().sum()
    }
}

fn add_each(sums: &mut BTreeMap<String, i64>, more: &BTreeMap<String, i64>) {
    for (currency, n) in more {
        add_one(sums, currency, *n);
    }
}

fn add_one(sums: &mut BTreeMap<String, i64>, currency: &str, n: i64) {
    match sums.get_mut(currency) {
        Some(sum) => *sum += n,
        None => drop(sums.insert(currency.to_owned(), n)),
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableRow {
    pub visits: i64,
    /// None where spend is not asked for, cannot be known, or where nothing was spent at all.
    pub spent: Option<Spent>,
    /// Through the lens that is asked for.
    pub own: Earned,
    /// By the first and by the last visit before it, beside it.
    pub first: Earned,
    pub last: Earned,
}

impl TableRow {
    pub fn add(&mut self, other: &Self) {
        self.visits += other.visits;
        if let Some(spent) = &other.spent {
            self.spent.get_or_insert_default().add(spent);
        }
        self.own.add(&other.own);
        self.first.add(&other.first);
        self.last.add(&other.last);
    }
}

/// Empty words stand for nobody, and for what is not known.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    pub origins: HashMap<Origin, TableRow>,
    /// By the landing page or by a word of the link, where one is asked for.
    pub details: HashMap<String, TableRow>,
    pub countries: HashMap<String, TableRow>,
    pub devices: HashMap<String, TableRow>,
}

impl Gathers for Tables {
    fn merge(&mut self, other: &Self) {
        merge(&mut self.origins, &other.origins);
        merge(&mut self.details, &other.details);
        merge(&mut self.countries, &other.countries);
        merge(&mut self.devices, &other.devices);
    }
}

impl Weighs for Tables {
    fn bytes(&self) -> usize {
        let row =
            |r: &TableRow| 260 + [&r.own, &r.first, &r.last].iter().map(|e| money::size(&e.money) + e.orders_in.len() * 60).sum::<usize>();
        let named = [&self.details, &self.countries, &self.devices];
        self.origins.values().map(row).sum::<usize>() + named.iter().flat_map(|rows| rows.values()).map(row).sum::<usize>()
    }
}

pub(super) fn merge<K: Clone + Eq + Hash>(own: &mut HashMap<K, TableRow>, other: &HashMap<K, TableRow>) {
    for (key, row) in other {
        match own.get_mut(key) {
            Some(known) => known.add(row),
            None => drop(own.insert(key.clone(), row.clone())),
        }
    }
}

/// What is asked of the tables.
#[derive(Debug, Clone)]
pub struct WantedTables {
    pub period: Period,
    pub filter: ConversionFilter,
    pub lens: Lens,
    /// The columns answer: no path is read for it.
    pub is_of_the_books: bool,
    /// What else a table is by: the visits of it are read from their rows.
    pub detail: Detail,
    /// What the first and the last visit would earn: they may be of origins that whoever is shown a part may not know of.
    pub with_ends: bool,
}

/// All tables at once: they come out of the same rows, and so they agree.
pub fn tables(c: &SiteConn, zone: &Zone, wanted: &WantedTables) -> Result<Tables> {
    let (filter, period) = (&wanted.filter, wanted.period);
    let views = Views::of(wanted);
    let detail = wanted.detail;
    let question = format!("tables {views:?} {detail:?} {filter:?} {}", walk::newest_told(c, filter)?);
    let mut all = over_rows(c, Cube::Conversions, zone, period, &question, |piece: &Piece, all: &mut Tables| {
        walk::conversions(c, zone, piece, filter, |_, w| views.each(w, |credited, of| all.credit(w, credited, of, detail)))
    })?;
    let moneys = over_rows(c, Cube::Entries, zone, period, &question, |piece: &Piece, all: &mut Tables| {
        walk::entries(c, piece, filter, |b, w, _| {
            let Some(currency) = Currency::parse(b.currency) else { return Ok(()) };
            views.each(w, |credited, of| all.book((w, credited), of, detail, b.kind, Money::new(b.amount_minor, currency)))
        })
    })?;
    all.merge(&moneys);
    let visits = visits::sums(c, zone, period, filter, detail)?;
    for (origin, n) in visits.origins {
        all.origins.entry(origin).or_default().visits += n;
    }
    let named = [(&mut all.countries, visits.countries), (&mut all.devices, visits.devices), (&mut all.details, visits.details)];
    for (rows, visits) in named {
        for (name, n) in visits {
            rows.entry(name).or_default().visits += n;
        }
    }
    Ok(all)
}

/// Which of a row's columns is meant.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Column {
    Own,
    First,
    Last,
}

impl Column {
    pub(super) fn of(self, row: &mut TableRow) -> &mut Earned {
        match self {
            Column::Own => &mut row.own,
            Column::First => &mut row.first,
            Column::Last => &mut row.last,
        }
    }
}

#[derive(Debug)]
pub(super) struct Views {
    own: View,
    ends: Option<[View; 2]>,
}

impl Views {
    pub(super) fn of(wanted: &WantedTables) -> Self {
        let through = |model| View::Through(wanted.lens.with(model));
        let own = if wanted.is_of_the_books { View::Books } else { View::Through(wanted.lens) };
        Self { own, ends: wanted.with_ends.then(|| [through(Model::First), through(Model::Last)]) }
    }

    /// The path is read once for all three.
    pub(super) fn each(&self, w: &Walked, mut on: impl FnMut(&Credited, Column)) -> Result<()> {
        let path = w.path()?;
        on(&w.credited(self.own, &path)?, Column::Own);
        for (view, column) in self.ends.iter().flatten().zip([Column::First, Column::Last]) {
            on(&w.credited(*view, &path)?, column);
        }
        Ok(())
    }
}

impl Tables {
    fn credit(&mut self, w: &Walked, credited: &Credited, column: Column, detail: Detail) {
        for (to, share) in credited.to.iter().zip(shares(&credited.weights)).filter(|(_, s)| *s > 0) {
            column.of(row(&mut self.origins, &to.origin)).count(&w.marks, share as i64);
            if detail != Detail::None {
                column.of(row(&mut self.details, to.detail(detail))).count(&w.marks, share as i64);
            }
        }
        if column == Column::Own {
            row(&mut self.countries, w.country).own.count(&w.marks, WHOLE);
            row(&mut self.devices, w.device).own.count(&w.marks, WHOLE);
        }
    }

    fn book(&mut self, (w, credited): (&Walked, &Credited), column: Column, detail: Detail, kind: &str, amount: Money) {
        let code = amount.currency.code();
        for (to, part) in credited.to.iter().zip(amount.split(&credited.weights)).filter(|(_, m)| m.minor != 0) {
            money::of(&mut column.of(row(&mut self.origins, &to.origin)).money, code).add(kind, part.minor);
            if detail != Detail::None {
                money::of(&mut column.of(row(&mut self.details, to.detail(detail))).money, code).add(kind, part.minor);
            }
        }
        if column == Column::Own {
            money::of(&mut row(&mut self.countries, w.country).own.money, code).add(kind, amount.minor);
            money::of(&mut row(&mut self.devices, w.device).own.money, code).add(kind, amount.minor);
        }
    }
}

/// Without making a new key for one that is there.
pub(super) fn row<'t, Q, K>(rows: &'t mut HashMap<K, TableRow>, key: &Q) -> &'t mut TableRow
where
    K: Eq + Hash + std::borrow::Borrow<Q>,
    Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
{
    if !rows.contains_key(key) {
        rows.insert(key.to_owned(), TableRow::default());
    }
    rows.get_mut(key).unwrap_or_else(|| unreachable!("it was put there above"))
}

/// By origin in the books' own lens, of everything: the counts of whole days answer, no row of them is read.
pub fn origins_of_the_books(c: &SiteConn, zone: &Zone, period: Period) -> Result<HashMap<Origin, TableRow>> {
    let counted = |block: &Coverage, _: Option<Tail>| {
        let mut all = Tables::default();
        add_days(c, block, |_, m, is_counted, sums| {
            if is_counted {
                let origin = (m.source.to_owned(), m.medium.to_owned(), m.campaign.to_owned());
                row(&mut all.origins, &origin).own.count(m, sums.count * WHOLE);
            }
        })?;
        Ok(all)
    };
    let open = ConversionFilter::default();
    let rows = |piece: &Piece, all: &mut Tables| {
        walk::conversions(c, zone, piece, &open, |_, w| {
            for to in w.credited(View::Books, &[])?.to {
                row(&mut all.origins, &to.origin).own.count(&w.marks, WHOLE);
            }
            Ok(())
        })
    };
    let mut all = over(c, Cube::Conversions, zone, period, "origins of the books", counted, rows)?.origins;
    for (origin, moneys) in money::by_origin(c, zone, period)? {
        all.entry(origin).or_default().own.money = moneys;
    }
    for (origin, n) in visits::by_origin(c, zone, period)? {
        all.entry(origin).or_default().visits = n;
    }
    Ok(all)
}
