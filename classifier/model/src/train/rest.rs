//! Moments in which a training leaves its core, for work that must not wait.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// A thread that waits behind another is moved to a core when that falls idle, or else at
/// the scheduler's next tick, which may be 4 ms away.
const EVERY: Duration = Duration::from_millis(1);
/// Any sleep will do; most systems make 70 µs of it.
const REST: Duration = Duration::from_micros(20);

/// One thread's rests; by default there are none.
#[derive(Debug, Default)]
pub(crate) struct Rests {
    last: Option<Instant>,
}

impl Rests {
    pub(crate) fn often() -> Rests {
        Rests {
            last: Some(Instant::now()),
        }
    }

    /// Rests if it is time.
    pub(crate) fn take(&mut self) {
        if let Some(last) = &mut self.last
            && last.elapsed() >= EVERY
        {
            rest();
            *last = Instant::now();
        }
    }
}

/// Leaves the core for a moment, so that a thread that waits for one gets it. For work
/// that takes about a millisecond between two of them.
pub fn rest() {
    sleep(REST);
}
