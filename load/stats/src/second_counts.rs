//! How many requests finished in each second, and how many of them failed.

use std::collections::VecDeque;

/// Seconds that an entry remembers this way, its newest ones: half an hour, in at most
/// 43 KB a name. Older ones are in the sums only.
pub const SECONDS_COUNTED: usize = 1_800;

/// Requests that finished in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondCount {
    /// Which second, since the Unix epoch.
    pub second: u64,
    /// Requests that finished in it.
    pub requests: u64,
    /// Those among them that failed.
    pub failures: u64,
}

/// Seconds in which something happened, ascending.
#[derive(Debug, Clone, Default)]
pub(crate) struct SecondCounts(VecDeque<SecondCount>);

impl SecondCounts {
    pub(crate) fn add(&mut self, second: u64, requests: u64, failures: u64) {
        let at = self.0.partition_point(|count| count.second < second);
        if let Some(count) = self.0.get_mut(at)
            && count.second == second
        {
            count.requests += requests;
            count.failures += failures;
            return;
        }
        let is_full = self.0.len() == SECONDS_COUNTED;
        if is_full && at == 0 {
            return;
        }
        let count = SecondCount {
            second,
            requests,
            failures,
        };
        self.0.insert(at, count);
        if is_full {
            self.0.pop_front();
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = SecondCount> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_in_order_and_the_newest_are_kept() {
        let mut counts = SecondCounts::default();
        counts.add(11, 1, 0);
        counts.add(10, 2, 1);
        counts.add(11, 3, 1);
        let told: Vec<_> = counts
            .iter()
            .map(|count| (count.second, count.requests, count.failures))
            .collect();
        assert_eq!(told, [(10, 2, 1), (11, 4, 1)]);
        let many = SECONDS_COUNTED as u64 + 100;
        (0..many).for_each(|second| counts.add(100 + second, 1, 0));
        counts.add(1, 1, 0);
        assert_eq!(counts.iter().count(), SECONDS_COUNTED);
        assert_eq!(counts.iter().next().map(|count| count.second), Some(200));
    }
}
