//! How users end, and when a test that ends has ended.

use std::time::Instant;

use super::{END_LIMIT, Runner};
use crate::{Action, Ending, RunState, UserId};

impl Runner {
    pub(super) fn end_users(
        &mut self,
        users: Vec<UserId>,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        if users.is_empty() {
            return;
        }
        self.leave_pool(&users);
        let ending = if self.settings.stop_timeout.is_zero() {
            self.at_once()
        } else {
            self.roster
                .may_finish_until(&users, now + self.settings.stop_timeout);
            Ending::AfterTask
        };
        actions.push(Action::StopUsers { users, ending });
    }

    fn at_once(&self) -> Ending {
        Ending::AtOnce {
            request_grace: self.settings.request_grace,
        }
    }

    /// Users that had time to finish their task and did not.
    pub(super) fn end_overdue(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let users = self.roster.take_overdue(now);
        if !users.is_empty() {
            let ending = self.at_once();
            actions.push(Action::StopUsers { users, ending });
        }
    }

    pub(super) fn complete_cleanup(&mut self, now: Instant, actions: &mut Vec<Action>) {
        if self.state != RunState::Cleanup {
            return;
        }
        if self.give_up_at.is_none() && self.roster.next_overdue().is_none() {
            self.give_up_at = Some(now + END_LIMIT);
        }
        let given_up = self.give_up_at.is_some_and(|limit| limit <= now);
        if self.roster.is_empty() || given_up {
            self.give_up_at = None;
            self.roster.clear();
            self.enter(RunState::Stopped);
            actions.push(Action::TestStop);
        }
    }
}
