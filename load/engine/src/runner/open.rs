//! Open runs: what a runner does about arrivals.

use std::time::Instant;

use super::Runner;
use crate::plan::ArrivalPlan;
use crate::{Action, UserId};

impl Runner {
    /// The same with tests that are open, if there is a plan of arrivals.
    #[must_use]
    pub fn with_arrivals(mut self, plan: Option<ArrivalPlan>) -> Self {
        self.arrivals = plan;
        self
    }

    /// All users have started: from now on, or from before, iterations arrive.
    pub(super) fn begin_arrivals(&mut self, now: Instant) {
        if let (Some(pool), Some(plan)) = (&mut self.pool, self.arrivals) {
            let left = |limit: Instant| limit.saturating_duration_since(now);
            pool.begin(plan, self.time_limit.map_or(plan.ramp, left), now);
        }
    }

    pub(super) fn hand_out_arrivals(&mut self, now: Instant, actions: &mut Vec<Action>) {
        if let Some(pool) = &mut self.pool {
            let give = |user, due| actions.push(Action::Arrive { user, due });
            let dropped = pool.hand_out(now, give);
            note_dropped(dropped, actions);
        }
    }

    /// Nothing arrives any more; what nobody has taken is dropped.
    pub(super) fn end_arrivals(&mut self, now: Instant, actions: &mut Vec<Action>) {
        if let Some(pool) = self.pool.take() {
            note_dropped(pool.end(now), actions);
        }
    }

    pub(super) fn leave_pool(&mut self, users: &[UserId]) {
        if let Some(pool) = &mut self.pool {
            pool.left(users);
        }
    }
}

fn note_dropped(arrivals: u64, actions: &mut Vec<Action>) {
    if arrivals > 0 {
        actions.push(Action::Dropped { arrivals });
    }
}
