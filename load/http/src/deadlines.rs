//! When waiting on a connection is over.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Deadlines of connections, the next one first. One that was moved or is over stays
/// until it comes up; whoever takes it has to look whether it still holds.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(BinaryHeap<Reverse<(Instant, usize)>>);

impl Deadlines {
    /// Notes a deadline of connection `key`.
    pub(crate) fn note(&mut self, at: Instant, key: usize) {
        self.0.push(Reverse((at, key)));
    }

    /// The next one.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes one that has passed at `now`.
    pub(crate) fn take_passed(&mut self, now: Instant) -> Option<(Instant, usize)> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop().map(|Reverse(passed)| passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn passed_deadlines_come_in_order_and_others_stay() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::default();
        for (at, key) in [(3, 30), (1, 10), (2, 20)] {
            deadlines.note(after(at), key);
        }
        assert_eq!(deadlines.next(), Some(after(1)));
        let passed = std::iter::from_fn(|| deadlines.take_passed(after(2)));
        assert_eq!(passed.collect::<Vec<_>>(), [(after(1), 10), (after(2), 20)]);
        assert_eq!(deadlines.next(), Some(after(3)));
    }
}
