//! How much room is left for the data, and what may still be stored at each level. Visits go first, exports with them;
//! facts are taken as long as they can be; what the owner does by hand is stopped by the disk alone, so that there is a
//! way out.

const MIB: u64 = 1024 * 1024;

/// Below this the owner is warned.
const LOW: u64 = 2_048 * MIB;
/// Below this visits are no longer counted and nothing is exported.
const SHORT: u64 = 500 * MIB;
/// Below this facts are refused too: their senders send them again.
const FULL: u64 = 100 * MIB;

/// Space kept by a file of no other use: deleted in an emergency, it leaves room to sign in and clear up.
pub const BALLAST: u64 = 64 * MIB;
/// The ballast is laid where so much stays free beside it.
const BESIDE_BALLAST: u64 = 1_024 * MIB;

/// Room on the disk of the data folder, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Ample,
    /// The owner should know.
    Low,
    /// Visits and exports wait.
    Short,
    /// Facts wait too.
    Full,
    /// The database is not where it was: what is written now would be seen by nobody again.
    Gone,
}

/// What a request asks of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Burden {
    /// Questions, signing in, changes by the owner.
    Care,
    /// Orders, leads, identities: somebody paid for it or will be missed.
    Fact,
    /// Page views and what pages report by name.
    Visit,
    /// A long reader, which keeps the log from being written back.
    Export,
}

impl Level {
    pub const ALL: [Level; 5] = [Level::Ample, Level::Low, Level::Short, Level::Full, Level::Gone];

    /// By the bytes that are free.
    pub fn of(free: u64) -> Self {
        match free {
            f if f < FULL => Level::Full,
            f if f < SHORT => Level::Short,
            f if f < LOW => Level::Low,
            _ => Level::Ample,
        }
    }

    /// The level after another look. A better one takes a tenth more room than a worse one, or every file that comes and
    /// goes would turn it.
    pub fn after(self, free: u64) -> Self {
        let seen = Level::of(free);
        if seen >= self || self == Level::Gone {
            return seen;
        }
        Level::of(free / 11 * 10).min(self)
    }

    pub fn admits(self, burden: Burden) -> bool {
        match burden {
            Burden::Care => true,
            Burden::Fact => self < Level::Full,
            Burden::Visit | Burden::Export => self < Level::Short,
        }
    }

    /// Counting days makes rows that can be made later; until then the days are read from their own rows.
    pub fn may_count(self) -> bool {
        self < Level::Short
    }

    /// A delivery whose end cannot be written down would be sent again.
    pub fn may_send(self) -> bool {
        self < Level::Full
    }

    pub fn word(self) -> &'static str {
        match self {
            Level::Ample => "ample",
            Level::Low => "low",
            Level::Short => "short",
            Level::Full => "full",
            Level::Gone => "gone",
        }
    }
}

/// Whether the ballast may be laid.
pub fn has_room_for_ballast(free: u64) -> bool {
    free >= BESIDE_BALLAST + BALLAST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_by_what_is_free() {
        for (mib, level) in [
            (0, Level::Full),
            (99, Level::Full),
            (100, Level::Short),
            (499, Level::Short),
            (500, Level::Low),
            (2_047, Level::Low),
            (2_048, Level::Ample),
            (4_000_000, Level::Ample),
        ] {
            assert_eq!(Level::of(mib * MIB), level, "{mib} MiB");
        }
    }

    #[test]
    fn each_level_refuses_a_little_more() {
        use Burden::*;
        for (level, taken) in [
            (Level::Ample, [true, true, true, true]),
            (Level::Low, [true, true, true, true]),
            (Level::Short, [true, true, false, false]),
            (Level::Full, [true, false, false, false]),
            (Level::Gone, [true, false, false, false]),
        ] {
            assert_eq!([Care, Fact, Visit, Export].map(|b| level.admits(b)), taken, "{level:?}");
        }
        assert_eq!(Level::ALL.map(Level::may_count), [true, true, false, false, false]);
        assert_eq!(Level::ALL.map(Level::may_send), [true, true, true, false, false]);
    }

    #[test]
    fn a_better_level_wants_some_room_more() {
        assert_eq!(Level::Full.after(105 * MIB), Level::Full);
        assert_eq!(Level::Full.after(111 * MIB), Level::Short);
        assert_eq!(Level::Short.after(99 * MIB), Level::Full, "a worse one comes at once");
        assert_eq!(Level::Full.after(510 * MIB), Level::Short, "as far as there is room for");
        assert_eq!(Level::Full.after(4_000 * MIB), Level::Ample);
        assert_eq!(Level::Gone.after(105 * MIB), Level::Short);
        assert_eq!(Level::Low.after(2_100 * MIB), Level::Low);
    }

    #[test]
    fn the_ballast_is_laid_where_it_takes_nothing_away() {
        assert!(!has_room_for_ballast(1_087 * MIB));
        assert!(has_room_for_ballast(1_088 * MIB));
    }
}
