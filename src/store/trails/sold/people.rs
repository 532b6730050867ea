//! What was bought by whom, without asking browsers whose they are: contacts, and who was erased and shares a number with other
//! facts of theirs.

use std::sync::Arc;

use super::{Kind, Part, Sale, between, read, standing, whole};
use crate::domain::money::Currency;
use crate::domain::question::funnel::Bought;
use crate::domain::time::Zone;
use crate::error::Result;
use crate::store::scope::SiteConn;

pub struct People {
    whole: Arc<Part>,
    /// Of days that do not stand, in order.
    more: Vec<Sale>,
}

/// All of a site, as the question's snapshot has it.
pub fn of_people(c: &SiteConn, zone: &Zone) -> Result<People> {
    let standing = standing(c, zone)?;
    let (_, whole) = whole(c, zone, &standing)?;
    let mut more = Part::default();
    for days in between(&standing) {
        read(c, zone, days, &mut more)?;
    }
    let mut more = Arc::unwrap_or_clone(more.sold).rows;
    more.sort_unstable();
    Ok(People { whole, more })
}

impl People {
    /// Sales in one currency, in the order of people and time, each with what is left of it.
    pub fn bought(&self, currency: Currency) -> impl Iterator<Item = Bought> {
        let is_sale = move |sale: &&Sale| sale.kind == Kind::Sale && sale.currency == Some(currency);
        let mut whole = self.whole.sold.rows.iter().filter(is_sale).peekable();
        let mut more = self.more.iter().filter(is_sale).peekable();
        std::iter::from_fn(move || {
            let is_later = matches!((whole.peek(), more.peek()), (Some(one), Some(other)) if other < one);
            let next = if is_later { more.next() } else { whole.next().or_else(|| more.next()) };
            next.map(|sale| Bought { person: sale.person, at_s: sale.at_s, net_minor: sale.net_minor })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sold;
    use super::*;

    fn sale(person: i64, at_s: u32, kind: Kind, currency: Currency) -> Sale {
        Sale { person, at_s, kind, id: 1, name: 0, origin: 0, currency: Some(currency), minor: 500, net_minor: 400 }
    }

    #[test]
    fn sales_of_all_days_come_in_the_order_of_people() {
        let (usd, eur) = (Currency::parse("USD").expect("a currency"), Currency::parse("EUR").expect("a currency"));
        let sold = |person, at_s| sale(person, at_s, Kind::Sale, usd);
        let rows = vec![sold(-4, 9), sold(1, 5), sale(1, 6, Kind::Refund, usd), sold(3, 1)];
        let whole = Part { sold: Arc::new(Sold { rows, ..Sold::default() }), ..Part::default() };
        let people = People { whole: Arc::new(whole), more: vec![sold(1, 2), sale(2, 1, Kind::Sale, eur), sold(2, 7), sold(9, 1)] };
        let bought: Vec<(i64, u32, i64)> = people.bought(usd).map(|b| (b.person, b.at_s, b.net_minor)).collect();
        assert_eq!(bought, [(-4, 9, 400), (1, 2, 400), (1, 5, 400), (2, 7, 400), (3, 1, 400), (9, 1, 400)]);
    }
}
