//! What is counted of conversions and entries by other words than the cube's own: few lines a day, written when the day
//! is finished.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::count::Line;
use crate::domain::time::Day;
use crate::error::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Sales by what a shop's figures go by.
    Orders,
    /// Their money.
    Sales,
    /// What was sold.
    Products,
}

/// Puts the lines of a day in the place of those that stood there.
pub fn put(c: &SiteConn, beside: Beside, day: Day, lines: &[Line]) -> Result<()> {
    let gone = match beside {
        Beside::Orders => "delete from order_days where site_id = :site and day = :day",
        Beside::Sales => "delete from sale_days where site_id = :site and day = :day",
        Beside::Products => "delete from product_days where site_id = :site and day = :day",
    };
    c.execute(gone, named_params! {":day": day.0})?;
    for (w, n) in lines {
        match beside {
            Beside::Orders => c.execute(
                "insert into order_days (site_id, day, currency, platform, chat, buyer, orders)
                 values (:site, :day, :currency, :platform, :chat, :buyer, :orders)",
                named_params! {":day": day.0, ":currency": w[0], ":platform": w[1], ":chat": w[2], ":buyer": w[3], ":orders": n[0]},
            )?,
            Beside::Sales => c.execute(
                "insert into sale_days (site_id, day, kind, currency, platform, chat, buyer, amount_minor)
                 values (:site, :day, :kind, :currency, :platform, :chat, :buyer, :amount)",
                named_params! {":day": day.0, ":kind": w[0], ":currency": w[1], ":platform": w[2], ":chat": w[3], ":buyer": w[4],
                ":amount": n[0]},
            )?,
            Beside::Products => c.execute(
                "insert into product_days (site_id, day, kind, currency, platform, product, name, quantity, amount_minor)
                 values (:site, :day, :kind, :currency, :platform, :product, :name, :quantity, :amount)",
                named_params! {":day": day.0, ":kind": w[0], ":currency": w[1], ":platform": w[2], ":product": w[3], ":name": w[4],
                ":quantity": n[0], ":amount": n[1]},
            )?,
        };
    }
    Ok(())
}
