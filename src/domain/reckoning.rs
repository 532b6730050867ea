//! What one destination is told of money that goes back. It has an account of its own: whatever was paused, refused or only
//! shown there, what it was told as sold less what it was told as gone is what is left, and never more goes back than was sold.

use super::ids::RefundId;
use super::refund::to_tell;

/// Where a telling stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The platform took it, for so much.
    Told(i64),
    Waits,
    /// It may arrive any moment: nothing of it can be changed.
    OnItsWay,
    /// Refused, given up, skipped, cancelled: it will not hear of it.
    Never,
    /// Not told because its sale was not.
    Behind,
}

/// One telling of a destination's account.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// None where the order itself ended, or counts again.
    pub refund: Option<RefundId>,
    /// Below 0 where money counts again; 0 explains a refund that was told otherwise, or is nothing any more.
    pub minor: i64,
    pub place: Place,
    /// It explains nothing any more.
    pub is_past: bool,
}

impl Piece {
    /// What it adds to what the destination knows to have gone.
    pub fn heard(&self) -> i64 {
        match self.place {
            Place::Told(minor) if self.minor < 0 => -minor,
            Place::Told(minor) => minor,
            Place::Waits | Place::OnItsWay => self.minor,
            Place::Never | Place::Behind => 0,
        }
    }
}

/// A destination's account, and what has gone of its sale.
#[derive(Debug)]
pub struct Account<'a> {
    /// What it was told as sold, or will be.
    pub sold_minor: i64,
    /// The platform has the sale, or is about to.
    pub is_sold: bool,
    /// The platform took the sale, and takes the word that money of one went back.
    pub has_heard: bool,
    /// It took the sale, and takes the word that one holds after all.
    pub takes_again: bool,
    pub pieces: &'a [Piece],
    /// Refunds of the order that speaks, each with what it takes off.
    pub refunds: &'a [(RefundId, i64)],
    /// Nothing is left of the order.
    pub is_over: bool,
}

/// What is to be done so that the account is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The telling at this place, which waits, is for so much now; 0 ends it.
    Change(usize, i64),
    /// The telling at this place goes after all, for so much.
    Release(usize, i64),
    /// The telling at this place explains nothing any more.
    Pass(usize),
    /// A new telling; without a refund of the order's end.
    Tell(Option<RefundId>, i64),
    /// A refund that another telling explains.
    Note(RefundId),
    /// So much counts again.
    Again(i64),
    /// So much counts again, and this destination has no word for it.
    Unsaid(i64),
}

/// Gives what is to be done, in this order. Done, it gives nothing more.
pub fn settle(account: &Account) -> Vec<Act> {
    let pieces = account.pieces;
    let counted = |id: RefundId| account.refunds.iter().find(|(refund, _)| *refund == id).map_or(0, |(_, minor)| *minor);
    let back: i64 = account.refunds.iter().map(|(_, minor)| minor).sum();
    let gone = if account.is_over { account.sold_minor } else { back.min(account.sold_minor) };
    let mut heard: i64 = pieces.iter().map(Piece::heard).sum();
    let mut minors: Vec<i64> = pieces.iter().map(|p| p.minor).collect();
    // What waits of a refund that counts for less goes first, then whatever was planned last.
    for is_own in [true, false] {
        for (n, piece) in pieces.iter().enumerate().rev().filter(|(_, p)| p.place == Place::Waits && p.minor > 0) {
            let least = match (is_own, piece.refund) {
                (true, Some(refund)) => counted(refund).min(minors[n]),
                (true, None) => minors[n],
                (false, _) => 0,
            };
            let by = (minors[n] - least).min((heard - gone).max(0));
            (minors[n], heard) = (minors[n] - by, heard - by);
        }
    }
    for (n, _) in pieces.iter().enumerate().rev().filter(|(_, p)| p.place == Place::Waits && p.minor < 0) {
        let by = (-minors[n]).min((gone - heard).max(0));
        (minors[n], heard) = (minors[n] + by, heard + by);
    }
    let mut acts: Vec<Act> =
        pieces.iter().enumerate().filter(|(n, p)| minors[*n] != p.minor).map(|(n, _)| Act::Change(n, minors[n])).collect();
    if account.is_sold {
        for (n, piece) in pieces.iter().enumerate().filter(|(_, p)| p.place == Place::Behind && p.minor > 0) {
            let minor = piece.minor.min((gone - heard).max(0));
            if minor > 0 {
                acts.push(Act::Release(n, minor));
                heard += minor;
            }
        }
    }
    let is_refused = pieces.iter().any(|p| p.minor < 0 && !p.is_past && p.place == Place::Never);
    if heard > gone && !account.takes_again && account.is_sold && account.has_heard && !is_refused {
        acts.push(Act::Unsaid(heard - gone));
    }
    if heard > gone && account.takes_again && account.is_sold && !is_refused {
        for (n, piece) in pieces.iter().enumerate().filter(|(_, p)| !p.is_past && matches!(p.place, Place::Told(_))) {
            if piece.refund.is_none_or(|refund| counted(refund) == 0) {
                acts.push(Act::Pass(n));
            }
        }
        acts.push(Act::Again(heard - gone));
        heard = gone;
    }
    let stands = |n: usize, piece: &Piece| !piece.is_past && (minors[n] != 0 || piece.minor == 0);
    let is_known = |id: RefundId| pieces.iter().enumerate().any(|(n, p)| p.refund == Some(id) && stands(n, p));
    let new: Vec<(RefundId, i64)> = account.refunds.iter().copied().filter(|(id, minor)| *minor > 0 && !is_known(*id)).collect();
    let (told, rest) = to_tell(gone, heard, &new.iter().map(|(_, minor)| *minor).collect::<Vec<_>>());
    for ((refund, _), minor) in new.iter().zip(told) {
        acts.push(if minor > 0 { Act::Tell(Some(*refund), minor) } else { Act::Note(*refund) });
    }
    // One that was refused is not told again under another name.
    let has_end = pieces.iter().enumerate().any(|(n, p)| p.refund.is_none() && minors[n] > 0 && !p.is_past);
    if account.is_over && rest > 0 && !has_end {
        acts.push(Act::Tell(None, rest));
    }
    acts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> (RefundId, RefundId) {
        (RefundId::new(1), RefundId::new(2))
    }

    fn piece(refund: Option<RefundId>, minor: i64, place: Place) -> Piece {
        Piece { refund, minor, place, is_past: false }
    }

    fn account<'a>(pieces: &'a [Piece], refunds: &'a [(RefundId, i64)], is_over: bool) -> Account<'a> {
        Account { sold_minor: 100, is_sold: true, has_heard: false, takes_again: false, pieces, refunds, is_over }
    }

    #[test]
    fn each_account_is_brought_right_by_the_least() {
        use Place::{Behind, Never, OnItsWay, Told, Waits};
        let (a, b) = ids();
        let end = |minor, place| piece(None, minor, place);
        type Case<'a> = (&'a str, &'a [Piece], &'a [(RefundId, i64)], bool, &'a [Act]);
        let cases: &[Case] = &[
            ("nothing went back", &[], &[], false, &[]),
            ("a refund", &[], &[(a, 30)], false, &[Act::Tell(Some(a), 30)]),
            ("told already", &[piece(Some(a), 30, Told(30))], &[(a, 30)], false, &[]),
            ("the end, after a refund", &[piece(Some(a), 30, Told(30))], &[(a, 30)], true, &[Act::Tell(None, 70)]),
            ("the end takes what was refused with it", &[piece(Some(a), 30, Never)], &[(a, 30)], true, &[Act::Tell(None, 100)]),
            ("a refused end is not told again", &[end(100, Never)], &[], true, &[]),
            ("refunds that explain the end", &[end(100, Told(100))], &[(a, 60), (b, 40)], true, &[Act::Note(a), Act::Note(b)]),
            ("it holds, and the end waits", &[end(100, Waits)], &[], false, &[Act::Change(0, 0)]),
            ("it holds in part", &[piece(Some(a), 30, Waits), end(70, Waits)], &[(a, 30)], false, &[Act::Change(1, 0)]),
            ("it holds, and the end is on its way", &[end(100, OnItsWay)], &[], false, &[]),
            (
                "a refund is taken back that waits",
                &[piece(Some(a), 30, Waits), piece(Some(b), 20, Waits)],
                &[(b, 20)],
                false,
                &[Act::Change(0, 0)],
            ),
            ("its sale goes after all", &[piece(Some(a), 30, Behind)], &[(a, 30)], false, &[Act::Release(0, 30)]),
        ];
        for (what, pieces, refunds, is_over, want) in cases {
            assert_eq!(settle(&account(pieces, refunds, *is_over)), *want, "{what}");
        }
    }

    #[test]
    fn whoever_takes_it_hears_that_a_sale_holds_again() {
        let told = [piece(None, 100, Place::Told(100))];
        let again = Account { takes_again: true, ..account(&told, &[], false) };
        assert_eq!(settle(&again), [Act::Pass(0), Act::Again(100)]);
        let refused = [Piece { is_past: true, ..told[0].clone() }, piece(None, -100, Place::Never)];
        assert_eq!(settle(&Account { pieces: &refused, ..again }), [], "once");
        // Where there is no word for it that is said, once, and nothing of what was told is touched: a second end needs no telling.
        let mute = Account { has_heard: true, ..account(&told, &[], false) };
        assert_eq!(settle(&mute), [Act::Unsaid(100)]);
        let unsaid = [told[0].clone(), piece(None, -100, Place::Never)];
        assert_eq!(settle(&Account { pieces: &unsaid, ..mute }), [], "once");
        assert_eq!(settle(&Account { has_heard: true, ..account(&told, &[], true) }), [], "it ends again");
        let waits = [Piece { is_past: true, ..told[0].clone() }, piece(None, -100, Place::Waits)];
        assert_eq!(
            settle(&Account { takes_again: true, ..account(&waits, &[], true) }),
            [Act::Change(1, 0)],
            "it ends before that is told"
        );
    }
}
