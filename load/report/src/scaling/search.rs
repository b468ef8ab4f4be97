//! The search for the highest load that still does what is expected.

/// Users to begin with.
const FIRST: u64 = 10;
/// Steps that a search takes at most: doublings to a million users, and halvings.
const STEPS_MAX: usize = 40;
/// How close the highest good load and the lowest bad one come, as a share.
const PRECISION: f64 = 0.05;

/// Doubles while it goes well, then halves the gap.
#[derive(Debug)]
pub(super) struct Search {
    users_max: u64,
    /// The most users with which everything was as expected.
    good: u64,
    /// The fewest with which it was not.
    bad: Option<u64>,
    steps: usize,
}

impl Search {
    pub(super) fn new(users_max: u64) -> Self {
        Self {
            users_max: users_max.max(1),
            good: 0,
            bad: None,
            steps: 0,
        }
    }

    pub(super) fn first(&self) -> u64 {
        FIRST.min(self.users_max)
    }

    /// Takes what a step with `users` showed; the next number of users, or none when the
    /// search is over.
    pub(super) fn next(&mut self, users: u64, is_good: bool) -> Option<u64> {
        if is_good {
            self.good = self.good.max(users);
        } else {
            self.bad = Some(self.bad.map_or(users, |bad| bad.min(users)));
        }
        self.steps += 1;
        if self.steps >= STEPS_MAX {
            return None;
        }
        match self.bad {
            None if users >= self.users_max => None,
            None => Some((users * 2).min(self.users_max)),
            Some(bad) => {
                // A load that was good once and bad at another time is not told apart.
                let gap = bad.saturating_sub(self.good);
                let enough = ((PRECISION * self.good as f64) as u64).max(1);
                (gap > enough).then(|| self.good + gap / 2)
            }
        }
    }

    pub(super) fn bounds(&self) -> (u64, Option<u64>) {
        (self.good, self.bad)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_capacity_is_found_to_a_twentieth(capacity in 0..5_000_u64, users_max in 1..10_000_u64) {
            let mut search = Search::new(users_max);
            let mut next = Some(search.first());
            let mut steps = 0;
            while let Some(users) = next {
                prop_assert!((1..=users_max).contains(&users));
                next = search.next(users, users <= capacity);
                steps += 1;
            }
            prop_assert!(steps <= 25, "{steps} steps");
            let (good, bad) = search.bounds();
            prop_assert!(good <= capacity);
            match bad {
                None => prop_assert_eq!(good, users_max),
                Some(bad) => {
                    prop_assert!(bad > capacity);
                    prop_assert!(bad - good <= 1.max(good / 20));
                }
            }
        }

        #[test]
        fn it_ends_whatever_the_answers(answers in prop::collection::vec(any::<bool>(), 60)) {
            let mut search = Search::new(1_000);
            let mut users = search.first();
            let ended = answers.into_iter().any(|good| match search.next(users, good) {
                Some(next) => { users = next; false }
                None => true,
            });
            prop_assert!(ended);
        }
    }
}
