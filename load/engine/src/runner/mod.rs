//! The course of a run, decided purely.
//!
//! A test starts with its listeners, ramps up, runs, changes its number of users
//! when told to, and ends: at its time limit, on [`Command::Stop`] or on
//! [`Command::Quit`]. Source of the rules: Locust 2.47's `LocalRunner`. Three
//! things differ on purpose: starts are spread evenly instead of once a second,
//! a ramp-down does not block while users finish their tasks, and ending a
//! program that never started a test fires no `test_stop`.
//!
//! With [`Runner::with_arrivals`] runs are open: once all users have started, they do
//! not go on by themselves but take arrivals, which come at a rate of their own until
//! the test is stopped.
//!
//! Invariant: users leave in the opposite order of their start, and `TestStop`
//! comes after the end of every user, or after [`END_LIMIT`].

mod ending;
mod open;

use std::time::{Duration, Instant};

use crate::plan::{ArrivalPlan, Dispatch, Ramp};
use crate::pool::Pool;
use crate::roster::Roster;
use crate::{Action, Command, Ending, RunState, SpawnRate, Swarm, UserClass};

/// How long users may take to end once they were told to end at once. What is
/// then still running (an `on_stop` that never returns) is left behind, so that
/// every run ends.
pub const END_LIMIT: Duration = Duration::from_secs(60);

/// The longest [`Settings::stop_timeout`]; any clock can add it.
const STOP_TIMEOUT_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What holds for a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long users may finish their task when they are stopped; zero ends
    /// them at once. At most 100 years: more than that is cut to it.
    pub stop_timeout: Duration,
    /// How long a request in flight is awaited when its user is ended at once.
    pub request_grace: Duration,
    /// Begin the statistics anew when a ramp is complete.
    pub reset_stats: bool,
    /// Whether the program goes on when a test has reached its time limit.
    pub outlives_tests: bool,
}

impl Settings {
    fn bounded(mut self) -> Self {
        self.stop_timeout = self.stop_timeout.min(STOP_TIMEOUT_MAX);
        self
    }
}

/// Decides what happens next. Feed it with [`Runner::handle`], and call
/// [`Runner::tick`] at [`Runner::next_deadline`].
#[derive(Debug)]
pub struct Runner {
    classes: Vec<UserClass>,
    settings: Settings,
    state: RunState,
    roster: Roster,
    dispatch: Dispatch,
    goal: Option<Goal>,
    arrivals: Option<ArrivalPlan>,
    /// Who takes the arrivals of the test; `None` in a run that is not open.
    pool: Option<Pool>,
    /// When the test reaches its time limit.
    time_limit: Option<Instant>,
    /// When to go on without the users that have not ended by then.
    give_up_at: Option<Instant>,
    /// Whether the program ends with the test.
    quitting: bool,
    /// Whether [`Action::Quit`] is out; nothing happens after it.
    over: bool,
}

/// What the number of users is heading for.
#[derive(Debug)]
struct Goal {
    users: u64,
    rate: SpawnRate,
    /// `None` until the host has told the `test_start` listeners.
    ramp: Option<Ramp>,
}

impl Runner {
    /// A run that is ready, with `classes` to start users of.
    pub fn new(classes: Vec<UserClass>, settings: Settings) -> Self {
        Self {
            dispatch: Dispatch::new(&classes),
            classes,
            settings: settings.bounded(),
            state: RunState::Ready,
            roster: Roster::default(),
            goal: None,
            arrivals: None,
            pool: None,
            time_limit: None,
            give_up_at: None,
            quitting: false,
            over: false,
        }
    }

    /// Where the run stands.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// Users that run now, as the host has confirmed.
    pub fn user_count(&self) -> u64 {
        self.roster.running()
    }

    /// Users that were asked to start and neither ended nor were told to.
    pub fn active_users(&self) -> u64 {
        self.roster.active()
    }

    /// Users of each class that were asked to start and neither ended nor were
    /// told to, in the order of the classes.
    pub fn active_by_class(&self) -> Vec<u64> {
        self.roster.active_by_class(self.classes.len())
    }

    /// What was set for the whole run.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// When the test stops by itself.
    pub fn time_limit(&self) -> Option<Instant> {
        self.time_limit
    }

    /// The classes that users are started of.
    pub fn classes(&self) -> &[UserClass] {
        &self.classes
    }

    /// Whether [`Action::Quit`] has been given: there is nothing left to decide.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes one command and returns what is to be done about it at once.
    pub fn handle(&mut self, command: Command, now: Instant) -> Vec<Action> {
        if self.over {
            return Vec::new();
        }
        let mut actions = Vec::new();
        match command {
            Command::Swarm(swarm) => self.swarm(swarm, now, &mut actions),
            Command::SetClass {
                class,
                weight,
                fixed_count,
            } => {
                let class = &mut self.classes[class.0];
                class.weight = weight;
                class.fixed_count = fixed_count;
            }
            Command::Configure { classes, settings } => self.configure(classes, settings),
            Command::TestStarted => self.test_started(now),
            Command::UserStarted(user) => self.roster.started(user),
            Command::UserFree(user) => {
                if let Some(pool) = &mut self.pool {
                    pool.freed(user);
                }
            }
            Command::UserStopped(user) => {
                self.leave_pool(&[user]);
                self.roster.ended(user);
            }
            Command::Stop => self.stop(now, &mut actions),
            Command::Quit => self.quit(now, &mut actions),
            Command::Abort => self.abort(now, &mut actions),
        }
        self.advance(now, &mut actions);
        actions
    }

    /// When [`Runner::tick`] has something to do, if nothing is handled before.
    pub fn next_deadline(&self) -> Option<Instant> {
        let ramp = self.goal.as_ref().and_then(|goal| goal.ramp.as_ref());
        [
            ramp.and_then(Ramp::next_due),
            self.pool.as_ref().and_then(Pool::next_due),
            self.time_limit,
            self.roster.next_overdue(),
            self.give_up_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.over {
            return actions;
        }
        if self.time_limit.is_some_and(|limit| limit <= now) {
            if self.settings.outlives_tests {
                self.stop(now, &mut actions);
            } else {
                self.quit(now, &mut actions);
            }
        }
        self.advance(now, &mut actions);
        actions
    }

    fn configure(&mut self, classes: Vec<UserClass>, settings: Settings) {
        if self.goal.is_none() && matches!(self.state, RunState::Ready | RunState::Stopped) {
            self.roster.clear();
            self.classes = classes;
            self.settings = settings.bounded();
        }
    }

    /// A swarm during the end of a test comes too late and changes nothing.
    fn swarm(&mut self, swarm: Swarm, now: Instant, actions: &mut Vec<Action>) {
        if self.state == RunState::Cleanup || self.quitting {
            return;
        }
        let ramp = match (&self.goal, self.state) {
            // Still waiting for the listeners of this very test.
            (Some(Goal { ramp: None, .. }), _) => None,
            (_, RunState::Ready | RunState::Stopped) => {
                self.roster.clear();
                self.dispatch = Dispatch::new(&self.classes);
                self.pool = self.arrivals.map(|_| Pool::default());
                actions.extend([Action::ResetStats, Action::TestStart]);
                None
            }
            _ => {
                self.enter(RunState::Spawning);
                Some(Ramp::new(now, swarm.spawn_rate))
            }
        };
        if let Some(classes) = &swarm.classes {
            self.dispatch.choose_from(classes);
        }
        if let Some(run_time) = swarm.run_time {
            self.time_limit = now.checked_add(run_time);
        }
        self.goal = Some(Goal {
            users: swarm.users,
            rate: swarm.spawn_rate,
            ramp,
        });
    }

    fn test_started(&mut self, now: Instant) {
        if let Some(goal) = &mut self.goal
            && goal.ramp.is_none()
        {
            goal.ramp = Some(Ramp::new(now, goal.rate));
            self.enter(RunState::Spawning);
        }
    }

    fn quit(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.quitting = true;
        self.stop(now, actions);
    }

    fn stop(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let end = self.time_limit.take().map_or(now, |limit| limit.min(now));
        let test_is_on = self.goal.is_some() || self.state.is_active();
        if !test_is_on || self.state == RunState::Cleanup {
            return;
        }
        self.goal = None;
        self.enter(RunState::Cleanup);
        self.end_arrivals(end, actions);
        actions.push(Action::TestStopping);
        let users = self.roster.take_for_ending();
        self.end_users(users, now, actions);
    }

    /// Everything that is left of a run, without waiting.
    fn abort(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.end_arrivals(now, actions);
        let test_is_on = self.goal.take().is_some() || self.state.is_active();
        if test_is_on {
            if self.state != RunState::Cleanup {
                self.enter(RunState::Cleanup);
                actions.push(Action::TestStopping);
            }
            let users = self.roster.take_all();
            if !users.is_empty() {
                let request_grace = Duration::ZERO;
                let ending = Ending::AtOnce { request_grace };
                actions.push(Action::StopUsers { users, ending });
            }
            self.enter(RunState::Stopped);
            actions.push(Action::TestStop);
        }
        self.finish(actions);
    }

    /// What follows by itself, now or because time has passed.
    fn advance(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.follow_ramp(now, actions);
        self.hand_out_arrivals(now, actions);
        self.end_overdue(now, actions);
        self.complete_cleanup(now, actions);
        let idle = matches!(self.state, RunState::Ready | RunState::Stopped);
        if self.quitting && idle && self.goal.is_none() {
            self.finish(actions);
        }
    }

    fn finish(&mut self, actions: &mut Vec<Action>) {
        if !self.over {
            self.over = true;
            self.time_limit = None;
            self.give_up_at = None;
            actions.push(Action::Quit);
        }
    }

    fn follow_ramp(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let Some(mut goal) = self.goal.take() else {
            return;
        };
        let Some(ramp) = &mut goal.ramp else {
            self.goal = Some(goal);
            return;
        };
        let mut leaving = Vec::new();
        let reached = loop {
            if ramp.begins_batch() && ramp.next_due().is_some_and(|due| due <= now) {
                self.replace_gone(actions);
            }
            if self.roster.planned() == goal.users {
                break true;
            }
            if !ramp.step(now) {
                break false;
            }
            if self.roster.planned() > goal.users {
                let (class, user) = self.roster.drop_last();
                self.dispatch.removed(class);
                leaving.extend(user);
            } else if let Some(class) = self.dispatch.pick() {
                let user = self.roster.add(class);
                actions.push(Action::Spawn { user, class });
            } else {
                break true;
            }
        };
        self.end_users(leaving, now, actions);
        if reached {
            self.ramp_complete(now, actions);
        } else {
            self.goal = Some(goal);
        }
    }

    /// Users that ended by themselves during a ramp are started again, once per
    /// batch, as in Locust, whose dispatcher compares the classes' counts there.
    fn replace_gone(&mut self, actions: &mut Vec<Action>) {
        let replaced = self.roster.replace_gone();
        actions.extend(
            replaced
                .into_iter()
                .map(|(user, class)| Action::Spawn { user, class }),
        );
    }

    fn ramp_complete(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.enter(RunState::Running);
        self.begin_arrivals(now);
        if self.settings.reset_stats {
            actions.push(Action::ResetStats);
        }
        actions.push(Action::SpawningComplete {
            user_count: self.roster.active(),
        });
    }

    fn enter(&mut self, next: RunState) {
        if self.state != next {
            let from = self.state;
            assert!(
                from.may_become(next),
                "a run may not go from {from} to {next}"
            );
            self.state = next;
        }
    }
}

#[cfg(test)]
mod tests;
