//! The time of day beside a clock that never jumps.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::job::micros;

/// Tells the time of day from a clock that never jumps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    start_us: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            start: Instant::now(),
            start_us: u64::try_from(since.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// `now`, in µs since the Unix epoch.
    pub(crate) fn since_epoch_us(&self, now: Instant) -> u64 {
        self.start_us + micros(self.start, now)
    }
}
