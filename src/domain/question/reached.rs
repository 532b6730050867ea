//! What walks add up to: how many came how far, by where they came from, and how long they took.

use super::super::funnel::MOST_STEPS;
use super::walk::Walk;

/// What they came to. A group is a number that the caller gives a meaning to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reached {
    pub people: [u64; MOST_STEPS],
    /// By the number of the group.
    pub groups: Vec<[u64; MOST_STEPS]>,
    /// How long it took to each step from the one before; nothing for the first one, and where nobody came so far.
    pub quarters: [Option<Quarters>; MOST_STEPS],
}

/// Walks of many people, added one by one.
#[derive(Debug, Default)]
pub struct Adding {
    reached: Reached,
    /// Seconds from the step before to this one, of everybody who reached it.
    gaps: [Vec<u32>; MOST_STEPS],
}

/// A quarter took at most the first, half the second, three quarters the third; seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarters {
    pub lower_s: u32,
    pub median_s: u32,
    pub upper_s: u32,
}

impl Adding {
    pub fn add(&mut self, group: u32, walk: &Walk) {
        let group = group as usize;
        let all = &mut self.reached;
        if all.groups.len() <= group {
            all.groups.resize(group + 1, [0; MOST_STEPS]);
        }
        let of_group = &mut all.groups[group];
        for (people, of_group) in all.people.iter_mut().zip(of_group).take(walk.reached) {
            *people += 1;
            *of_group += 1;
        }
        let taken = &walk.at_s[..walk.reached];
        for (gaps, pair) in self.gaps.iter_mut().skip(1).zip(taken.windows(2)) {
            gaps.push(pair[1] - pair[0]);
        }
    }

    pub fn done(mut self) -> Reached {
        for (quarters_of, gaps) in self.reached.quarters.iter_mut().zip(&mut self.gaps) {
            *quarters_of = quarters(gaps);
        }
        self.reached
    }
}

/// Each is one of the numbers themselves: the smallest that so many do not exceed.
pub fn quarters(all: &mut [u32]) -> Option<Quarters> {
    if all.is_empty() {
        return None;
    }
    let mut part = |quarter: usize| {
        let place = (all.len() * quarter).div_ceil(4).max(1) - 1;
        *all.select_nth_unstable(place).1
    };
    Some(Quarters { lower_s: part(1), median_s: part(2), upper_s: part(3) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(at_s: &[u32]) -> Walk {
        let mut walk = Walk { reached: at_s.len(), at_s: [0; MOST_STEPS] };
        walk.at_s[..at_s.len()].copy_from_slice(at_s);
        walk
    }

    #[test]
    fn each_person_is_counted_at_every_step_that_was_reached() {
        let mut all = Adding::default();
        for (group, at_s) in [(1, &[10, 20, 50][..]), (1, &[5]), (2, &[1, 31]), (2, &[1, 2, 3])] {
            all.add(group, &walk(at_s));
        }
        let all = all.done();
        assert_eq!(all.people[..3], [4, 3, 2]);
        assert_eq!((all.groups[1][..3].to_vec(), all.groups[2][..3].to_vec()), (vec![2, 1, 1], vec![2, 2, 1]));
        assert_eq!(all.quarters[0], None);
        assert_eq!(all.quarters[1], Some(Quarters { lower_s: 1, median_s: 10, upper_s: 30 }));
        assert_eq!(all.quarters[2], Some(Quarters { lower_s: 1, median_s: 1, upper_s: 30 }));
    }

    #[test]
    fn quarters_are_of_the_numbers_themselves() {
        for (all, want) in [(vec![7], (7, 7, 7)), (vec![2, 1], (1, 1, 2)), (vec![4, 1, 3, 2], (1, 2, 3)), (vec![5, 4, 3, 2, 1], (2, 3, 4))]
        {
            let got = quarters(&mut all.clone()).expect("there are some");
            assert_eq!((got.lower_s, got.median_s, got.upper_s), want, "{all:?}");
        }
        assert_eq!(quarters(&mut []), None);
    }
}
