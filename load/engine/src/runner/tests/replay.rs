//! A host that answers at once, on a clock that the test winds.

use std::time::{Duration, Instant};

use crate::{Action, Command, Ending, Runner, Settings, SpawnRate, Swarm, UserClass, UserId};

/// A runner with a host that answers at once, on a clock that the test winds.
pub(super) struct Replay {
    pub(super) runner: Runner,
    start: Instant,
    now: Instant,
    /// What happened, each with the milliseconds since the start.
    pub(super) log: Vec<(u128, String)>,
    /// Users that have started and not ended.
    pub(super) alive: Vec<UserId>,
    /// Whether users end when they are told to finish their task, or at all.
    obeys: Obeys,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Obeys {
    Always,
    OnlyAtOnce,
    Never,
}

pub(super) const INSTANT_STOP: Settings = Settings {
    stop_timeout: Duration::ZERO,
    request_grace: Duration::from_secs(2),
    reset_stats: false,
    outlives_tests: false,
};

pub(super) const GENTLE_STOP: Settings = Settings {
    stop_timeout: Duration::from_secs(5),
    ..INSTANT_STOP
};

pub(super) fn classes() -> Vec<UserClass> {
    [("B", 2.0), ("A", 1.0)]
        .map(|(name, weight)| UserClass {
            name: name.to_owned(),
            weight,
            fixed_count: 0,
        })
        .to_vec()
}

pub(super) fn swarm(users: u64, spawn_rate: f64, run_time_s: Option<u64>) -> Command {
    Command::Swarm(Swarm {
        users,
        spawn_rate: SpawnRate::try_from(spawn_rate).expect("a spawn rate"),
        run_time: run_time_s.map(Duration::from_secs),
        classes: None,
    })
}

impl Replay {
    pub(super) fn new(settings: Settings, obeys: Obeys) -> Self {
        let start = Instant::now();
        Self {
            runner: Runner::new(classes(), settings),
            start,
            now: start,
            log: Vec::new(),
            alive: Vec::new(),
            obeys,
        }
    }

    pub(super) fn tell(&mut self, command: Command) {
        let actions = self.runner.handle(command, self.now);
        self.host(actions);
    }

    /// Winds the clock to `ms` after the start, stopping at every deadline.
    pub(super) fn wind_to(&mut self, ms: u64) {
        let until = self.start + Duration::from_millis(ms);
        while let Some(deadline) = self.runner.next_deadline().filter(|at| *at <= until) {
            self.now = deadline.max(self.now);
            let actions = self.runner.tick(self.now);
            self.host(actions);
        }
        self.now = until;
    }

    fn host(&mut self, actions: Vec<Action>) {
        for action in actions {
            self.note(&action);
            match action {
                Action::TestStart => self.tell(Command::TestStarted),
                Action::Spawn { user, .. } => {
                    self.alive.push(user);
                    self.tell(Command::UserStarted(user));
                }
                Action::StopUsers { users, ending } => self.end(&users, ending),
                _ => {}
            }
        }
    }

    fn end(&mut self, users: &[UserId], ending: Ending) {
        let obeys = match self.obeys {
            Obeys::Always => true,
            Obeys::OnlyAtOnce => ending != Ending::AfterTask,
            Obeys::Never => false,
        };
        for user in users.iter().filter(|_| obeys) {
            self.user_ends(*user);
        }
    }

    pub(super) fn user_ends(&mut self, user: UserId) {
        self.alive.retain(|alive| *alive != user);
        self.tell(Command::UserStopped(user));
    }

    fn note(&mut self, action: &Action) {
        let ids = |users: &[UserId]| users.iter().map(|user| user.0).collect::<Vec<_>>();
        let text = match action {
            Action::Spawn { user, class } => format!("spawn {} of {}", user.0, class.0),
            Action::SpawningComplete { user_count } => format!("complete {user_count}"),
            Action::StopUsers {
                users,
                ending: Ending::AfterTask,
            } => {
                format!("finish {:?}", ids(users))
            }
            Action::StopUsers {
                users,
                ending: Ending::AtOnce { request_grace },
            } => {
                format!("end {:?} grace {}s", ids(users), request_grace.as_secs())
            }
            Action::Arrive { user, due } => {
                format!("{} takes {}", user.0, (*due - self.start).as_millis())
            }
            other => format!("{other:?}"),
        };
        self.log.push(((self.now - self.start).as_millis(), text));
    }

    pub(super) fn take_log(&mut self) -> Vec<(u128, String)> {
        std::mem::take(&mut self.log)
    }
}

/// Compares, so that a failure shows the whole course of events.
pub(super) fn assert_log(actual: &[(u128, String)], expected: &[(u128, &str)]) {
    let actual: Vec<(u128, &str)> = actual
        .iter()
        .map(|(ms, text)| (*ms, text.as_str()))
        .collect();
    assert_eq!(actual, expected);
}
