//! How a sale stands by all orders that have told of it: the best informed says what it came to, and money that went back
//! counts whoever told of it, once.

use std::cmp::Reverse;

use super::refund::{Counted, Refunds};
use crate::domain::fact::OrderStatus;
use crate::domain::refund::{End, Said, Verdict, verdict};
use crate::error::Result;
use crate::store::orders::OrderWord;
use crate::store::scope::SiteConn;

/// Said of a sale whose money is in doubt.
pub const DOUBTFUL: &str = "one report says that it was cancelled and never paid, and another has the money: nothing was taken off";

pub struct Standing {
    /// The order that speaks, ended as whoever told of the end says.
    pub word: OrderWord,
    /// Who told of the end; the speaker where nobody did.
    pub teller: OrderWord,
    /// Single refunds of whoever knows most of them.
    pub refunds: Refunds,
    /// Those of everybody else.
    pub others: Vec<Refunds>,
    pub is_doubtful: bool,
    /// Who was heard last of all.
    pub newest: OrderWord,
}

impl Standing {
    /// None where no order has told of the sale.
    pub fn of(c: &SiteConn, words: &[OrderWord]) -> Result<Option<Self>> {
        let Some(speaker) = speaker(words) else { return Ok(None) };
        let mut refunds = words.iter().map(|word| Refunds::of(c, word, speaker.total)).collect::<Result<Vec<_>>>()?;
        let mut said = Vec::with_capacity(words.len());
        for (word, refunds) in words.iter().zip(&refunds) {
            let end = match end_of(word) {
                None if word.total.currency != speaker.total.currency => whole_in_other_currency(c, word)?,
                own => own,
            };
            said.push(Said { end, back_minor: refunds.minor(), ..said_by(word) });
        }
        let Some(Verdict { refunds: most, end, is_doubtful, .. }) = verdict(speaker.total.minor, &said) else { return Ok(None) };
        let teller = end.map_or(speaker, |place| &words[place]).clone();
        let word = match end.map(|place| (place, said[place].end)) {
            Some((place, own)) if words[place].id != speaker.id => OrderWord {
                status: if own == Some(End::Refunded) { OrderStatus::Refunded } else { OrderStatus::Cancelled },
                is_gone: teller.is_gone,
                ended_at: Some(teller.ended_at.unwrap_or(teller.modified_at)),
                ..speaker.clone()
            },
            Some(_) => speaker.clone(),
            // An end that nobody believes is none.
            None if speaker.is_over() => OrderWord { status: OrderStatus::Paid, is_gone: false, ended_at: None, ..speaker.clone() },
            None => speaker.clone(),
        };
        let newest = words.iter().max_by_key(|word| (word.modified_at, word.rank, Reverse(word.connection))).unwrap_or(speaker).clone();
        let own = refunds.swap_remove(most);
        Ok(Some(Self { word, teller, refunds: own, others: refunds, is_doubtful, newest }))
    }

    pub fn counted(&self) -> &[Counted] {
        &self.refunds.all
    }
}

/// The order that speaks: of the best informed senders the one that was changed last.
pub fn speaker(words: &[OrderWord]) -> Option<&OrderWord> {
    words.iter().max_by_key(|word| said_by(word).weight())
}

fn said_by(word: &OrderWord) -> Said {
    Said {
        rank: word.rank,
        connection: word.connection,
        modified_at: word.modified_at,
        was_paid: word.was_paid,
        end: end_of(word),
        back_minor: 0,
    }
}

fn end_of(word: &OrderWord) -> Option<End> {
    match word.status {
        OrderStatus::Refunded => Some(End::Refunded),
        _ if word.is_over() => Some(End::Cancelled),
        _ => None,
    }
}

/// Refunds in another currency than the sale's can be compared with it only where they are the whole.
fn whole_in_other_currency(c: &SiteConn, word: &OrderWord) -> Result<Option<End>> {
    let own = Refunds::of(c, word, word.total)?;
    Ok((word.total.minor > 0 && own.minor() >= word.total.minor).then_some(End::Refunded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conversion::Rank;
    use crate::domain::ids::OrderId;
    use crate::domain::money::{Currency, Money};
    use crate::domain::time::Time;
    use crate::store::refunds::ToldAt;

    fn word(connection: i64, rank: Rank, modified_s: i64, status: OrderStatus) -> OrderWord {
        OrderWord {
            id: OrderId::new(connection),
            connection,
            platform: "generic".into(),
            external_id: "1".into(),
            rank: rank.number(),
            status,
            raw_status: status.word().into(),
            total: Money::new(100, Currency::parse("EUR").expect("EUR")),
            contact: None,
            session: None,
            happened_at: Time::from_s(0),
            modified_at: Time::from_s(modified_s),
            was_paid: true,
            is_gone: false,
            ended_at: None,
            refunds_at: ToldAt::never(),
        }
    }

    #[test]
    fn the_best_informed_speaks_then_the_newest() {
        use OrderStatus::{Cancelled, Paid};
        let rows: &[(&str, [OrderWord; 2], i64)] = &[
            ("a shop knows more", [word(1, Rank::Shop, 1, Paid), word(2, Rank::GenericOrder, 9, Cancelled)], 1),
            ("the newer word", [word(1, Rank::Shop, 1, Paid), word(2, Rank::Shop, 2, Cancelled)], 2),
            ("an older word", [word(1, Rank::Shop, 3, Cancelled), word(2, Rank::Shop, 2, Paid)], 1),
            ("at the same moment the end of it", [word(1, Rank::Shop, 2, Paid), word(2, Rank::Shop, 2, Cancelled)], 2),
            ("else the older connection", [word(1, Rank::Shop, 2, Paid), word(2, Rank::Shop, 2, Paid)], 1),
        ];
        for (what, words, want) in rows {
            let mut turned = words.clone();
            turned.reverse();
            assert_eq!(
                (speaker(words).map(|w| w.connection), speaker(&turned).map(|w| w.connection)),
                (Some(*want), Some(*want)),
                "{what}"
            );
        }
        assert_eq!(speaker(&[]), None);
    }
}
