//! When waiting images are taken to the network, and how many of them together.
//!
//! Pure: time arrives as an argument and decisions leave as return values.
//! [`super::queue`] owns the clock and the lock.
//!
//! Invariant: a request that finds every thread idle is never held back.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The limits that batches are formed within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Images that a thread takes at once, at least 1.
    pub(crate) batch_size_max: usize,
    /// How long the oldest may wait for company while other threads are busy.
    pub(crate) batch_wait: Duration,
    /// Requests that may wait; one more is refused.
    pub(crate) queue_length_max: usize,
}

/// Requests waiting for a thread, oldest first.
#[derive(Debug)]
pub(crate) struct Batcher<T> {
    policy: Policy,
    waiting: VecDeque<(Instant, T)>,
}

/// What a free thread should do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision<T> {
    /// Work on these, oldest first; never empty.
    Take(Vec<T>),
    /// Ask again at that time, or as soon as something arrives.
    WaitUntil(Instant),
    /// Ask again when something arrives.
    WaitForArrival,
}

impl<T> Batcher<T> {
    pub(crate) fn new(policy: Policy) -> Batcher<T> {
        Batcher {
            policy,
            waiting: VecDeque::new(),
        }
    }

    /// Queues `item`, or gives it back when as many wait as may.
    pub(crate) fn push(&mut self, item: T, now: Instant) -> Result<(), T> {
        if !self.has_room() {
            return Err(item);
        }
        self.waiting.push_back((now, item));
        Ok(())
    }

    /// Whether one more may wait.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < self.policy.queue_length_max
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// For a free thread, where `idle` threads (itself included) have nothing to
    /// do and `busy` ones work.
    ///
    /// Idle threads share what waits. Company is worth a wait only while others
    /// are busy: the wait then costs nothing that an idle core could have done.
    pub(crate) fn next(&mut self, idle: usize, busy: usize, now: Instant) -> Decision<T> {
        let Some((oldest, _)) = self.waiting.front() else {
            return Decision::WaitForArrival;
        };
        let due = *oldest + self.policy.batch_wait;
        let full = self.waiting.len() >= self.policy.batch_size_max;
        if busy > 0 && !full && now < due {
            return Decision::WaitUntil(due);
        }
        let share = self.waiting.len().div_ceil(idle.max(1));
        let size = share.min(self.policy.batch_size_max);
        Decision::Take(self.waiting.drain(..size).map(|(_, item)| item).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        batch_size_max: 4,
        batch_wait: Duration::from_millis(5),
        queue_length_max: 10,
    };

    #[test]
    fn batches_close_when_they_should() {
        use Decision::{Take, WaitForArrival, WaitUntil};
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        // One arrival each millisecond, from 0.
        for (why, arrived, idle, busy, now_ms, expected) in [
            ("nothing waits", 0, 1, 0, 0, WaitForArrival),
            ("alone among idle threads", 1, 2, 0, 0, Take(vec![0])),
            ("alone, others are busy", 1, 1, 1, 1, WaitUntil(at(5))),
            ("just before its time", 2, 1, 1, 4, WaitUntil(at(5))),
            ("its time has come", 2, 1, 1, 5, Take(vec![0, 1])),
            ("full before its time", 4, 1, 1, 3, Take(vec![0, 1, 2, 3])),
            ("more than full", 7, 1, 1, 3, Take(vec![0, 1, 2, 3])),
            ("idle threads share", 3, 2, 0, 2, Take(vec![0, 1])),
            ("each idle thread gets one", 3, 8, 0, 2, Take(vec![0])),
            ("long overdue", 1, 1, 3, 999, Take(vec![0])),
        ] {
            let mut batcher = Batcher::new(POLICY);
            for item in 0..arrived {
                batcher.push(item, at(item)).unwrap();
            }
            assert_eq!(batcher.next(idle, busy, at(now_ms)), expected, "{why}");
        }
    }

    #[test]
    fn without_a_wait_or_company_every_image_is_taken_at_once() {
        let start = Instant::now();
        let mut batcher = Batcher::new(Policy {
            batch_size_max: 1,
            batch_wait: Duration::ZERO,
            ..POLICY
        });
        for item in 0..3 {
            batcher.push(item, start).unwrap();
        }
        for item in 0..3 {
            assert_eq!(batcher.next(1, 7, start), Decision::Take(vec![item]));
        }
        assert!(batcher.is_empty());
    }

    #[test]
    fn a_full_queue_gives_the_request_back() {
        let start = Instant::now();
        let mut batcher = Batcher::new(POLICY);
        for item in 0..10 {
            batcher.push(item, start).unwrap();
        }
        assert_eq!(batcher.push(10, start), Err(10));
        assert_eq!(
            batcher.next(1, 0, start),
            Decision::Take(vec![0, 1, 2, 3]),
            "what waits is unharmed"
        );
        assert_eq!(batcher.push(11, start), Ok(()), "there is room again");
    }
}
