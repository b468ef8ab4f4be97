//! When waiting on a connection is over.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Deadlines of connections, the next one first.
///
/// A deadline is moved with every request, so only the earliest one that was noted of a
/// connection is kept: whoever takes it has to look whether it still holds, and to note
/// the one that does. So there are hardly more of them than connections.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    queue: BinaryHeap<Reverse<(Instant, usize)>>,
    /// The earliest one in the queue, by connection.
    earliest: Vec<Option<Instant>>,
}

impl Deadlines {
    /// Notes a deadline of connection `key`.
    pub(crate) fn note(&mut self, at: Instant, key: usize) {
        if self.earliest.len() <= key {
            self.earliest.resize(key + 1, None);
        }
        if self.earliest[key].is_none_or(|earliest| at < earliest) {
            self.earliest[key] = Some(at);
            self.queue.push(Reverse((at, key)));
        }
    }

    /// The next one.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes one that has passed at `now`; gives its connection.
    pub(crate) fn take_passed(&mut self, now: Instant) -> Option<usize> {
        self.next().filter(|at| *at <= now)?;
        let Reverse((at, key)) = self.queue.pop()?;
        self.earliest[key].take_if(|earliest| *earliest == at);
        Some(key)
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
        assert_eq!(passed.collect::<Vec<_>>(), [10, 20]);
        assert_eq!(deadlines.next(), Some(after(3)));
    }

    #[test]
    fn a_deadline_that_moves_away_is_kept_once_and_one_that_comes_nearer_is_next() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::default();
        (60..1_000).for_each(|at| deadlines.note(after(at), 7));
        assert_eq!(deadlines.queue.len(), 1);
        deadlines.note(after(5), 7);
        assert_eq!(deadlines.take_passed(after(5)), Some(7));
        deadlines.note(after(1_000), 7);
        assert_eq!(
            deadlines.next(),
            Some(after(60)),
            "it is looked at again then"
        );
        assert_eq!(deadlines.take_passed(after(999)), Some(7));
        assert_eq!(deadlines.next(), Some(after(1_000)));
    }
}
