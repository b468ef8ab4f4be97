//! Where a run stands, in Locust's words.

use std::fmt;

/// The states of a run. Listeners and the web page see them by [`RunState::name`].
///
/// Locust's `stopping` and `missing` belong to its master and have no place here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// No test has started yet.
    Ready,
    /// A test runs and the number of users is changing.
    Spawning,
    /// A test runs with the users that were asked for.
    Running,
    /// A test is ending: its users are being stopped.
    Cleanup,
    /// The test has ended.
    Stopped,
}

impl RunState {
    /// Every state, in the order in which a run goes through them.
    pub const ALL: [Self; 5] = [
        Self::Ready,
        Self::Spawning,
        Self::Running,
        Self::Cleanup,
        Self::Stopped,
    ];

    /// Locust's name of this state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Spawning => "spawning",
            Self::Running => "running",
            Self::Cleanup => "cleanup",
            Self::Stopped => "stopped",
        }
    }

    /// Whether a run may go from this state to `next`.
    pub fn may_become(self, next: Self) -> bool {
        use RunState::{Cleanup, Ready, Running, Spawning, Stopped};
        matches!(
            (self, next),
            (Ready | Running | Stopped, Spawning)
                | (Spawning, Running)
                | (Ready | Spawning | Running | Stopped, Cleanup)
                | (Cleanup, Stopped)
        )
    }

    /// Whether users may be running.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Spawning | Self::Running | Self::Cleanup)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::RunState::{self, Cleanup, Ready, Running, Spawning, Stopped};

    #[test]
    fn only_these_transitions_are_legal() {
        // Stopped → Cleanup: a second test is stopped before its first user.
        let legal = [
            (Ready, Spawning),
            (Ready, Cleanup),
            (Spawning, Running),
            (Spawning, Cleanup),
            (Running, Spawning),
            (Running, Cleanup),
            (Cleanup, Stopped),
            (Stopped, Spawning),
            (Stopped, Cleanup),
        ];
        for from in RunState::ALL {
            for to in RunState::ALL {
                assert_eq!(
                    from.may_become(to),
                    legal.contains(&(from, to)),
                    "{from} -> {to}"
                );
            }
        }
    }

    #[test]
    fn names_are_locusts() {
        assert_eq!(
            RunState::ALL.map(RunState::name),
            ["ready", "spawning", "running", "cleanup", "stopped"]
        );
    }
}
