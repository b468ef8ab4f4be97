//! The users of an open run as a pool that takes arrivals.
//!
//! The user that has been free longest takes the next arrival, so that all of them
//! are used alike. While nobody is free, arrivals wait.
//!
//! Invariant: every arrival of the schedule is handed to a user or counted as dropped.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::UserId;
use crate::plan::{ArrivalPlan, Schedule};

/// How long an arrival waits for a free user before it is dropped.
pub const ARRIVAL_WAIT_MAX: Duration = Duration::from_secs(10);
/// How many arrivals wait at most; what arrives then is dropped at once.
pub const ARRIVALS_WAITING_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// `None` until arrivals begin.
    clock: Option<Clock>,
    /// When those that wait were due.
    waiting: VecDeque<Instant>,
    /// Users that do nothing, the one that is next first.
    free: VecDeque<UserId>,
}

#[derive(Debug)]
struct Clock {
    begin: Instant,
    schedule: Schedule,
}

impl Clock {
    fn next_due(&self) -> Option<Instant> {
        self.begin.checked_add(self.schedule.next_due()?)
    }
}

impl Pool {
    /// Arrivals come from `now` on, unless they have begun before.
    pub(crate) fn begin(&mut self, plan: ArrivalPlan, ramp: Duration, now: Instant) {
        self.clock.get_or_insert_with(|| Clock {
            begin: now,
            schedule: Schedule::new(plan, ramp),
        });
    }

    /// A user can take an arrival.
    pub(crate) fn freed(&mut self, user: UserId) {
        self.free.push_back(user);
    }

    /// These users take no arrival any more.
    pub(crate) fn left(&mut self, users: &[UserId]) {
        if let [user] = users {
            self.free.retain(|free| free != user);
        } else {
            let users: std::collections::HashSet<_> = users.iter().collect();
            self.free.retain(|free| !users.contains(free));
        }
    }

    /// When [`Pool::hand_out`] has something to do, if no user becomes free before.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let arrival = self.clock.as_ref().and_then(Clock::next_due);
        let overdue = self.waiting.front().map(|due| *due + ARRIVAL_WAIT_MAX);
        [arrival, overdue].into_iter().flatten().min()
    }

    /// Gives arrivals that are due at `now` to users that are free, in order; returns how
    /// many were dropped.
    pub(crate) fn hand_out(&mut self, now: Instant, mut give: impl FnMut(UserId, Instant)) -> u64 {
        let mut dropped = self.let_in(now);
        while self
            .waiting
            .front()
            .is_some_and(|due| *due + ARRIVAL_WAIT_MAX <= now)
        {
            self.waiting.pop_front();
            dropped += 1;
        }
        while let (Some(due), Some(user)) = (self.waiting.front(), self.free.front()) {
            give(*user, *due);
            self.waiting.pop_front();
            self.free.pop_front();
        }
        dropped
    }

    /// Arrivals end at `now`; returns how many nobody has taken.
    pub(crate) fn end(mut self, now: Instant) -> u64 {
        self.let_in(now) + self.waiting.len() as u64
    }

    /// Lets arrivals that are due wait; returns how many had no room.
    fn let_in(&mut self, now: Instant) -> u64 {
        let Some(clock) = &mut self.clock else {
            return 0;
        };
        let mut dropped = 0;
        while let Some(due) = clock.next_due().filter(|due| *due <= now) {
            clock.schedule.step();
            if self.waiting.len() < ARRIVALS_WAITING_MAX {
                self.waiting.push_back(due);
            } else {
                dropped += 1;
            }
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pool(rate: &str, users: u64, begin: Instant) -> Pool {
        let plan = ArrivalPlan {
            rate: rate.parse().expect(rate),
            ramp: Duration::ZERO,
            poisson: None,
        };
        let mut pool = Pool::default();
        (0..users).for_each(|user| pool.freed(UserId(user)));
        pool.begin(plan, Duration::from_secs(60), begin);
        pool
    }

    /// What is handed out at `ms`: users, and when the arrival was due; and what is dropped.
    fn at(pool: &mut Pool, begin: Instant, ms: u64) -> (Vec<(u64, u128)>, u64) {
        let mut given = Vec::new();
        let dropped = pool.hand_out(begin + Duration::from_millis(ms), |user, due| {
            given.push((user.0, (due - begin).as_millis()));
        });
        (given, dropped)
    }

    #[test]
    fn arrivals_wait_for_users_and_users_for_arrivals() {
        let begin = Instant::now();
        let mut pool = pool("10", 2, begin);
        assert_eq!(at(&mut pool, begin, 0), (vec![(0, 0)], 0));
        assert_eq!(
            at(&mut pool, begin, 350),
            (vec![(1, 100)], 0),
            "200 and 300 wait"
        );
        pool.freed(UserId(1));
        assert_eq!(
            at(&mut pool, begin, 360),
            (vec![(1, 200)], 0),
            "in order, with their time"
        );
        pool.freed(UserId(0));
        pool.freed(UserId(1));
        assert_eq!(at(&mut pool, begin, 370), (vec![(0, 300)], 0));
        assert_eq!(pool.next_due(), Some(begin + Duration::from_millis(400)));
        assert_eq!(at(&mut pool, begin, 400), (vec![(1, 400)], 0));
    }

    #[test]
    fn an_arrival_waits_no_longer_than_the_limit() {
        let begin = Instant::now();
        let mut pool = pool("0.1", 0, begin);
        assert_eq!(at(&mut pool, begin, 9_999), (vec![], 0));
        assert_eq!(pool.next_due(), Some(begin + ARRIVAL_WAIT_MAX));
        pool.freed(UserId(1));
        assert_eq!(at(&mut pool, begin, 10_000), (vec![(1, 10_000)], 1));
    }

    #[test]
    fn the_number_of_those_that_wait_is_bounded() {
        let begin = Instant::now();
        let mut pool = pool("100000", 0, begin);
        let (_, dropped) = at(&mut pool, begin, 2_000);
        assert_eq!(dropped, 100_001);
        assert_eq!(
            pool.end(begin + Duration::from_millis(2_000)),
            ARRIVALS_WAITING_MAX as u64
        );
    }

    #[test]
    fn who_has_left_takes_nothing() {
        let begin = Instant::now();
        let mut pool = pool("10", 4, begin);
        pool.left(&[UserId(0)]);
        pool.left(&[UserId(2), UserId(3)]);
        assert_eq!(at(&mut pool, begin, 200), (vec![(1, 0)], 0));
    }

    proptest! {
        #[test]
        fn every_arrival_is_handed_out_or_dropped(
            rate in 1_u32..500,
            users in 0_u64..20,
            steps in prop::collection::vec((1_u64..20_000, 0_usize..20), 1..30),
        ) {
            let begin = Instant::now();
            let mut pool = pool(&rate.to_string(), users, begin);
            let (mut ms, mut busy, mut handed, mut dropped) = (0, Vec::new(), 0, 0);
            for (wait, ends) in steps {
                ms += wait;
                busy.drain(..ends.min(busy.len())).for_each(|user| pool.freed(user));
                dropped += pool.hand_out(begin + Duration::from_millis(ms), |user, _| {
                    busy.push(user);
                    handed += 1;
                });
            }
            dropped += pool.end(begin + Duration::from_millis(ms));
            let due = ms * u64::from(rate) / 1_000 + 1;
            prop_assert!((handed + dropped).abs_diff(due) <= 1, "{handed} + {dropped} of {due}");
        }
    }
}
