//! What goes into a runner and what comes out of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Settings;

/// One simulated user. Ids are never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub u64);

/// A user class: its index in the list that the runner was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassId(pub usize);

/// What deciding about a user class takes.
#[derive(Debug, Clone, PartialEq)]
pub struct UserClass {
    /// The name of the class, unique within a run.
    pub name: String,
    /// How often this class is picked, relative to the others; at most zero means never.
    pub weight: f64,
    /// If above zero, exactly this many run, and they start before all others;
    /// `weight` is then not looked at.
    pub fixed_count: u64,
}

/// A number of users to reach, and how fast.
#[derive(Debug, Clone, PartialEq)]
pub struct Swarm {
    /// Users to run in the end.
    pub users: u64,
    /// Users started (or ended) per second.
    pub spawn_rate: SpawnRate,
    /// The test stops, and the program quits if it is set to, this long after the
    /// command that started the test; `None` leaves a limit that is already set as it is.
    pub run_time: Option<Duration>,
    /// The classes that users are added of from now on; those of other classes stay
    /// until the number of users goes down. `None` leaves the choice as it is; a test
    /// starts with all classes.
    pub classes: Option<Arc<[ClassId]>>,
}

/// Users per second: finite and above zero.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct SpawnRate(f64);

/// A number that is no [`SpawnRate`].
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a spawn rate is a finite number above 0, not {0}")]
pub struct InvalidSpawnRate(pub f64);

impl SpawnRate {
    /// Locust's default, one user a second.
    pub const ONE: Self = Self(1.0);

    /// Users per second.
    pub fn per_second(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for SpawnRate {
    type Error = InvalidSpawnRate;

    fn try_from(per_second: f64) -> Result<Self, InvalidSpawnRate> {
        if per_second.is_finite() && per_second > 0.0 {
            Ok(Self(per_second))
        } else {
            Err(InvalidSpawnRate(per_second))
        }
    }
}

/// What a runner is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start a test, or change the number of users of one that runs.
    Swarm(Swarm),
    /// From the next test on, this class has this weight and fixed count.
    SetClass {
        /// Which class.
        class: ClassId,
        /// As [`UserClass::weight`].
        weight: f64,
        /// As [`UserClass::fixed_count`].
        fixed_count: u64,
    },
    /// From the next test on, users of these classes are started, with these settings.
    /// While a test goes on it has no effect.
    Configure {
        /// The classes; [`ClassId`] counts them from then on.
        classes: Vec<UserClass>,
        /// What holds for whole tests.
        settings: Settings,
    },
    /// The host has done [`Action::TestStart`]; users may start now.
    TestStarted,
    /// The host has started this user.
    UserStarted(UserId),
    /// In an open run: this user has nothing to do, and can take an arrival.
    UserFree(UserId),
    /// This user has ended, asked or by itself, or could not be started.
    UserStopped(UserId),
    /// End the test; the program goes on.
    Stop,
    /// End the test, then the program.
    Quit,
    /// End everything now, without waiting for anyone.
    Abort,
}

/// What is to be done, in this order.
///
/// Everything but [`Action::ResetStats`] and [`Action::Dropped`] is for the host, who
/// executes users.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Forget what was measured so far: a test starts, or its ramp is over and
    /// the statistics are to begin there.
    ResetStats,
    /// Tell `test_start` listeners, then answer [`Command::TestStarted`].
    TestStart,
    /// Start a user; answer [`Command::UserStarted`] or, if that fails, [`Command::UserStopped`].
    Spawn {
        /// The new user.
        user: UserId,
        /// What it is an instance of.
        class: ClassId,
    },
    /// Tell `spawning_complete` listeners: the ramp is over.
    SpawningComplete {
        /// Users that run now.
        user_count: u64,
    },
    /// Have a user that is free run its next task; answer [`Command::UserFree`] when it
    /// has nothing to do again.
    Arrive {
        /// Who.
        user: UserId,
        /// When it should have begun.
        due: Instant,
    },
    /// Count arrivals that no user has taken.
    Dropped {
        /// How many.
        arrivals: u64,
    },
    /// End users; answer [`Command::UserStopped`] for each as it ends.
    StopUsers {
        /// Whom. Never empty.
        users: Vec<UserId>,
        /// How.
        ending: Ending,
    },
    /// Tell `test_stopping` listeners; users still run.
    TestStopping,
    /// Tell `test_stop` listeners; no user runs any more.
    TestStop,
    /// The run is over; the program ends.
    Quit,
}

/// How users end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Whatever they are doing.
    AtOnce {
        /// A request that is in flight is awaited this long and counted; what
        /// is then still open is cut off.
        request_grace: Duration,
    },
    /// Those that wait between tasks at once, the others when their task ends.
    AfterTask,
}
