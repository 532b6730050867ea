//! Channels, their sources, their campaigns, and what stands below one campaign. The same rows as the tables, nested; every
//! parent is the sum of what is below it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::tables::{By, ask as ask_tables, file, has_ends, named, named_origin, of_tables, shown_row};
use super::{QUERY, Wanted, patient, read};
use crate::app::App;
use crate::domain::campaign::NOT_SET;
use crate::domain::channel::channel;
use crate::domain::money::Money;
use crate::domain::question::Asked;
use crate::domain::question::filter::UNATTRIBUTED;
use crate::error::{Error, Result};
use crate::store::questions::contents;
use crate::store::questions::money::{Flow, Moneys};
use crate::store::questions::tables::{TableRow, WHOLE};
use crate::store::questions::visits::Origin;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

/// Rows below one row; the rest is told by its number.
const MOST_BELOW: usize = 200;

const TREE_QUERY: &[(&str, &str)] = &[
    QUERY[0],
    QUERY[1],
    QUERY[2],
    QUERY[3],
    QUERY[5],
    QUERY[6],
    QUERY[7],
    QUERY[8],
    QUERY[9],
    QUERY[10],
    QUERY[11],
    QUERY[12],
    QUERY[13],
    QUERY[14],
    QUERY[15],
    QUERY[16],
    ("in_channel", "with in_source and in_campaign: what stands below this campaign, by content"),
    ("in_source", "the source of that campaign"),
    ("in_campaign", "its name, as shown"),
];

pub const CAMPAIGNS: Doc =
    Doc::new("Reports", "Channels, in each its sources, in each its campaigns: visits, leads, orders and money, all with their sums.")
        .query(TREE_QUERY)
        .answer(r#"{"items":[{"name":"Paid Search","visits":40,"items":[{"name":"google","items":[{"name":"spring"}]}]}],"total":{}}"#)
        .statuses(&[200, 400]);
pub const CAMPAIGNS_CSV: Doc = Doc::new("Reports", "The same as CSV, a line for each campaign.")
    .query(TREE_QUERY)
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

#[derive(Default)]
struct Node {
    row: TableRow,
    below: HashMap<String, Node>,
}

impl Node {
    /// Every row on the way down holds it.
    fn add(&mut self, way: &[&str], row: &TableRow) {
        self.row.add(row);
        if let Some((name, rest)) = way.split_first() {
            self.below.entry((*name).to_owned()).or_default().add(rest, row);
        }
    }

    /// The largest first; what nothing is credited with stands last.
    fn sorted(&self, site: &Site, hides_money: bool) -> Vec<(&String, &Node)> {
        let own = |n: &Node| if hides_money { 0 } else { net(&n.row.own.money, site, Flow::net_minor) };
        let size = |n: &Node| (own(n), n.row.own.conversions_e9, n.row.visits);
        let mut all: Vec<(&String, &Node)> = self.below.iter().collect();
        all.sort_by(|(a, x), (b, y)| {
            (*a == UNATTRIBUTED).cmp(&(*b == UNATTRIBUTED)).then_with(|| size(y).cmp(&size(x))).then_with(|| a.cmp(b))
        });
        all
    }

    fn shown(&self, name: &str, site: &Site, wanted: &Wanted) -> Value {
        let mut shown = shown_row(Some(name), &self.row, has_ends(wanted));
        shown["leads"] = leads(&self.row);
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

fn leads(row: &TableRow) -> Value {
    (row.own.leads_e9 as f64 / WHOLE as f64).into()
}

fn net(all: &Moneys, site: &Site, pick: fn(&Flow) -> i64) -> i64 {
    all.get(site.currency.code()).map_or(0, pick)
}

fn tree(c: &SiteConn, site: &Site, wanted: &Wanted) -> Result<Node> {
    let mut root = Node::default();
    for (origin, row) in &ask_tables(c, site, wanted, By::Source)?.origins {
        match Place::of(origin) {
            Some(p) => root.add(&[&p.channel, &p.source, &p.campaign], row),
            None => root.add(&[UNATTRIBUTED], row),
        }
    }
    Ok(root)
}

fn below(c: &SiteConn, site: &Site, wanted: &Wanted, place: &Place) -> Result<Node> {
    let mut root = Node::default();
    for ((origin, content), row) in &contents::contents(c, &site.zone, &of_tables(wanted, false))? {
        if Place::of(&named_origin(origin, &site.rules)).as_ref() == Some(place) {
            root.add(&[&named(content, NOT_SET)], row);
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
    total["leads"] = leads(&root.row);
    ask.shown(json!({
        "items": root.shown_below(&site, &wanted),
        "rows": root.below.len(),
        "total": total,
        "model": wanted.lens.model.word(),
        "window": wanted.lens.window.word(),
    }))
}

/// `GET /api/sites/{site}/reports/campaigns.csv`
pub async fn campaigns_csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let of = site.clone();
    let root = patient(&app, &site, move |c| tree(c, &of, &wanted)).await?;
    let mut lines = Vec::new();
    for (channel, in_channel) in root.sorted(&site, false) {
        if in_channel.below.is_empty() {
            lines.push(cells([channel, "", ""], &in_channel.row, &site));
        }
        for (source, in_source) in in_channel.sorted(&site, false) {
            for (campaign, node) in in_source.sorted(&site, false) {
                lines.push(cells([channel, source, campaign], &node.row, &site));
            }
        }
    }
    let head = [
        "channel",
        "source",
        "campaign",
        "visits",
        "conversions",
        "leads",
        "orders",
        "sold",
        "back",
        "net",
        "first_touch_conversions",
        "first_touch_net",
        "last_touch_conversions",
        "last_touch_net",
        "currency",
    ];
    file("campaigns", &head, lines)
}

fn cells(names: [&str; 3], row: &TableRow, site: &Site) -> Vec<Cell> {
    let part = |e9: i64| Cell::number(e9 as f64 / WHOLE as f64);
    let money = |all: &Moneys, pick: fn(&Flow) -> i64| Cell::number(Money::new(net(all, site, pick), site.currency).decimal());
    let mut cells: Vec<Cell> = names.into_iter().map(Cell::text).collect();
    cells.push(Cell::number(row.visits));
    cells.extend([row.own.conversions_e9, row.own.leads_e9, row.own.orders_e9].map(part));
    cells.extend([
        money(&row.own.money, |m| m.sold_minor),
        money(&row.own.money, |m| m.back_minor),
        money(&row.own.money, Flow::net_minor),
    ]);
    for end in [&row.first, &row.last] {
        cells.extend([part(end.conversions_e9), money(&end.money, Flow::net_minor)]);
    }
    cells.push(Cell::text(site.currency.code()));
    cells
}
