//! What was sold: booked money shared among the lines of each order.

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::super::reply::Reply;
use super::super::route::Doc;
use super::super::shown;
use super::query;
use super::tables::{file, limit, named};
use super::{Wanted, moneys, patient, read};
use crate::app::App;
use crate::domain::campaign::NOT_SET;
use crate::domain::money::Money;
use crate::domain::question::Period;
use crate::error::Result;
use crate::store::questions::money::{self, Moneys};
use crate::store::questions::products::{self, Sold};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

pub const PRODUCTS: Doc = Doc::new("Reports", "What was sold: booked money shared among the lines of each order by what they cost.")
    .query(query::REPORT)
    .answer(r#"{"items":[{"name":"Winter gloves","quantity":64,"net":[]}],"total":{}}"#)
    .statuses(&[200, 400]);
pub const PRODUCTS_CSV: Doc =
    Doc::new("Reports", "The same as CSV.").query(query::REPORT).answer("name,quantity,…").of_type("text/csv").statuses(&[200, 400]);

/// `GET /api/sites/{site}/reports/products`
pub async fn products(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let limit = limit(&ask)?;
    let of = site.clone();
    let shown = patient(&app, &site, move |c| shown_products(c, &of, &wanted, limit)).await?;
    ask.shown(shown)
}

pub fn shown_products(c: &SiteConn, site: &Site, wanted: &Wanted, limit: usize) -> Result<Value> {
    let rows = sold(c, site, wanted)?;
    let mut total = Sold::default();
    for (_, row) in &rows {
        total.quantity += row.quantity;
        money::add_all(&mut total.money, &row.money);
    }
    let shown = |name: Option<&str>, row: &Sold| {
        json!({
            "name": name,
            "quantity": row.quantity,
            "net": shown::moneys(&moneys(&row.money, |m| m.net_minor())),
            "sold": shown::moneys(&moneys(&row.money, |m| m.sold_minor)),
            "back": shown::moneys(&moneys(&row.money, |m| m.back_minor)),
        })
    };
    let items: Vec<Value> = rows.iter().take(limit).map(|(name, row)| shown(Some(name), row)).collect();
    Ok(json!({"items": items, "rows": rows.len(), "total": shown(None, &total)}))
}

/// The largest first; what came without a list of what was bought stands last.
fn sold(c: &SiteConn, site: &Site, wanted: &Wanted) -> Result<Vec<(String, Sold)>> {
    let all = products::products(c, &site.zone, Period::whole(wanted.days), &wanted.filter)?;
    let own = |money: &Moneys| if wanted.sight.hides_money { 0 } else { money.get(site.currency.code()).map_or(0, |m| m.net_minor()) };
    let mut rows: Vec<(String, Sold)> = all.into_iter().map(|(name, sold)| (named(&name, NOT_SET), sold)).collect();
    rows.sort_by(|(a, x), (b, y)| {
        (a == NOT_SET).cmp(&(b == NOT_SET)).then((own(&y.money), y.quantity).cmp(&(own(&x.money), x.quantity))).then_with(|| a.cmp(b))
    });
    Ok(rows)
}

/// `GET /api/sites/{site}/reports/products.csv`
pub async fn products_csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let of = site.clone();
    let rows = patient(&app, &site, move |c| sold(c, &of, &wanted)).await?;
    let lines = rows
        .into_iter()
        .map(|(name, row)| {
            let net = row.money.get(site.currency.code()).map_or(0, |m| m.net_minor());
            vec![
                Cell::text(name),
                Cell::number(row.quantity),
                Cell::number(Money::new(net, site.currency).decimal()),
                Cell::text(site.currency.code()),
            ]
        })
        .collect();
    file("product", &["name", "quantity", "net", "currency"], lines)
}
