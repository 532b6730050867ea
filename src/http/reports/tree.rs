//! Channels, their sources, their campaigns, and what stands below one campaign. The same rows as the tables, nested; every
//! parent is the sum of what is below it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::columns::{self, Shown, own};
use super::spent;
use super::tables::{
    By, ask as ask_tables, ask_before, file, has_ends, named, named_origin, of_tables, shown_before, shown_compare, shown_row,
};
use super::{Wanted, patient, query, read};
use crate::app::App;
use crate::domain::campaign::NOT_SET;
use crate::domain::channel::channel;
use crate::domain::question::Asked;
use crate::domain::question::filter::UNATTRIBUTED;
use crate::error::{Error, Result};
use crate::store::questions::contents;
use crate::store::questions::money::Flow;
use crate::store::questions::tables::{Detail, TableRow, Tables, WantedTables};
use crate::store::questions::visits::Origin;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

/// Rows below one row; the rest is told by its number.
const MOST_BELOW: usize = 200;

pub const CAMPAIGNS: Doc =
    Doc::new("Reports", "Channels, in each its sources, in each its campaigns: visits, leads, orders and money, all with their sums.")
        .query(query::TREE)
        .answer(r#"{"items":[{"name":"Paid Search","visits":40,"items":[{"name":"google","items":[{"name":"spring"}]}]}],"total":{}}"#)
        .statuses(&[200, 400]);
pub const CAMPAIGNS_CSV: Doc = Doc::new("Reports", "The same as CSV, a line for each campaign.")
    .query(query::TREE_CSV)
    .answer("channel,source,campaign,…")
    .of_type("text/csv")
    .statuses(&[200, 400]);

/// A campaign in the tree, by the names that are shown.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    channel: String,
    source: String,
    campaign: String,
}

impl Place {
    fn of((source, medium, campaign): &Origin) -> Option<Self> {
        (!source.is_empty()).then(|| Self {
            channel: channel(source, medium, (!campaign.is_empty()).then_some(campaign)).to_owned(),
            source: source.clone(),
            campaign: named(campaign, NOT_SET),
        })
    }

    fn read(ask: &Ask) -> Result<Option<Self>> {
        let asked = Asked(&ask.query);
        match (asked.text("in_channel")?, asked.text("in_source")?, asked.text("in_campaign")?) {
            (None, None, None) => Ok(None),
            (Some(channel), Some(source), Some(campaign)) => {
                Ok(Some(Self { channel: channel.to_owned(), source: source.to_owned(), campaign: campaign.to_owned() }))
            }
            _ => Err(Error::parameter("in_campaign", "in_channel, in_source and in_campaign go together: they name one campaign.")),
        }
    }
}

/// The days that are shown, or those they are compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    Now,
    Before,
}

#[derive(Clone, Default)]
struct Node {
    row: TableRow,
    /// In the time that it is compared with.
    was: TableRow,
    below: HashMap<String, Node>,
}

impl Node {
    /// Every row on the way down holds it.
    fn add(&mut self, way: &[&str], row: &TableRow, when: When) {
        match when {
            When::Now => self.row.add(row),
            When::Before => self.was.add(row),
        }
        if let Some((name, rest)) = way.split_first() {
            self.below.entry((*name).to_owned()).or_default().add(rest, row, when);
        }
    }

    /// The largest first; what nothing is credited with stands last.
    fn sorted(&self, site: &Site, hides_money: bool) -> Vec<(&String, &Node)> {
        let net = |n: &Node| if hides_money { 0 } else { own(&n.row.own.money, site, Flow::net_minor) };
        // What is gone stands below what is there, by how many came before.
        let size = |n: &Node| (net(n), n.row.own.conversions_e9, n.row.visits, n.was.visits);
        let mut all: Vec<(&String, &Node)> = self.below.iter().collect();
        all.sort_by(|(a, x), (b, y)| {
            (*a == UNATTRIBUTED).cmp(&(*b == UNATTRIBUTED)).then_with(|| size(y).cmp(&size(x))).then_with(|| a.cmp(b))
        });
        all
    }

    fn shown(&self, name: &str, site: &Site, wanted: &Wanted) -> Value {
        let mut shown = shown_row(Some(name), &self.row, has_ends(wanted));
        spent::show(&mut shown, &self.row, site);
        if wanted.compare.is_some() {
            shown["before"] = shown_before(&self.was);
            spent::show(&mut shown["before"], &self.was, site);
        }
        if !self.below.is_empty() {
            shown["rows"] = self.below.len().into();
            shown["items"] = self.shown_below(site, wanted);
        }
        shown
    }

    fn shown_below(&self, site: &Site, wanted: &Wanted) -> Value {
        self.sorted(site, wanted.sight.hides_money)
            .into_iter()
            .take(MOST_BELOW)
            .map(|(name, node)| node.shown(name, site, wanted))
            .collect()
    }
}

fn tree(c: &SiteConn, site: &Site, wanted: &Wanted) -> Result<Node> {
    let mut root = Node::default();
    let mut add = |all: &Tables, when| {
        for (origin, row) in &all.origins {
            match Place::of(origin) {
                Some(p) => root.add(&[&p.channel, &p.source, &p.campaign], row, when),
                None => root.add(&[UNATTRIBUTED], row, when),
            }
        }
    };
    add(&ask_tables(c, site, wanted, By::Source)?, When::Now);
    if let Some(before) = ask_before(c, site, wanted, By::Source)? {
        add(&before, When::Before);
    }
    Ok(root)
}

fn below(c: &SiteConn, site: &Site, wanted: &Wanted, place: &Place) -> Result<Node> {
    let mut root = Node::default();
    let mut add = |of: &WantedTables, when| -> Result<()> {
        for ((origin, [content, term]), row) in &contents::contents(c, &site.zone, of)? {
            if Place::of(&named_origin(origin, &site.rules)).as_ref() == Some(place) {
                root.add(&[&named(content, NOT_SET), &named(term, NOT_SET)], row, when);
            }
        }
        Ok(())
    };
    let now = of_tables(wanted, Detail::None);
    add(&now, When::Now)?;
    if let Some(period) = wanted.compare {
        add(&WantedTables { period, with_ends: false, ..now }, When::Before)?;
    }
    // Where no link names a term there is no level of terms.
    for content in root.below.values_mut() {
        if content.below.keys().all(|term| term == NOT_SET) {
            content.below.clear();
        }
    }
    Ok(root)
}

/// `GET /api/sites/{site}/reports/campaigns`
pub async fn campaigns(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let place = Place::read(&ask)?;
    let (of, asked) = (site.clone(), wanted.clone());
    let root = patient(&app, &site, move |c| match &place {
        None => tree(c, &of, &asked),
        Some(place) => below(c, &of, &asked, place),
    })
    .await?;
    let mut total = shown_row(None, &root.row, has_ends(&wanted));
    total["is_few"] = false.into();
    spent::show(&mut total, &root.row, &site);
    if wanted.compare.is_some() {
        total["before"] = shown_before(&root.was);
        spent::show(&mut total["before"], &root.was, &site);
    }
    ask.shown(json!({
        "items": root.shown_below(&site, &wanted),
        "rows": root.below.len(),
        "total": total,
        "compare": shown_compare(&wanted, &site),
        "model": wanted.lens.model.word(),
        "window": wanted.lens.window.word(),
    }))
}

/// `GET /api/sites/{site}/reports/campaigns.csv`
pub async fn campaigns_csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let shown = Shown::read(&ask, columns::ALL)?;
    let of = site.clone();
    let is_compared = wanted.compare.is_some();
    let root = patient(&app, &site, move |c| tree(c, &of, &wanted)).await?;
    let sorted = |node: &'_ Node| -> Vec<(String, Node)> {
        let mut all: Vec<(String, Node)> = node.sorted(&site, false).into_iter().map(|(name, node)| (name.clone(), node.clone())).collect();
        all.sort_by(|(a, x), (b, y)| {
            (a == UNATTRIBUTED).cmp(&(b == UNATTRIBUTED)).then_with(|| shown.size(&y.row, &site).total_cmp(&shown.size(&x.row, &site)))
        });
        all
    };
    let mut lines = Vec::new();
    let mut line = |names: [&str; 3], node: &Node| {
        let names: Vec<Cell> = names.into_iter().map(Cell::text).collect();
        lines.extend(shown.lines(&names, &node.row, is_compared.then_some(&node.was), &site));
    };
    for (channel, in_channel) in sorted(&root) {
        if in_channel.below.is_empty() {
            line([&channel, "", ""], &in_channel);
        }
        for (source, in_source) in sorted(&in_channel) {
            for (campaign, node) in sorted(&in_source) {
                line([&channel, &source, &campaign], &node);
            }
        }
    }
    file("campaigns", &shown.head(&["channel", "source", "campaign"], is_compared), lines)
}
