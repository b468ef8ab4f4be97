//! How the iterations of an open run began.

use crate::times::{MAX_RESPONSE_TIME_US, NoSamples, Times};

/// An iteration that began later than this after its time is called late, in µs. What
/// is below is the work of timers and of an interpreter with something else to do.
pub const LATE_US: u64 = 10_000;

/// Iterations that arrived: begun, late, dropped. Empty in a run that is not open.
#[derive(Debug, Clone, Default)]
pub struct Arrivals {
    /// Those that a user has begun.
    pub begun: u64,
    /// Those among them that began more than [`LATE_US`] after their time.
    pub late: u64,
    /// Those that no user has taken.
    pub dropped: u64,
    lateness: Times,
    latest_us: u64,
}

impl Arrivals {
    pub(crate) fn begin(&mut self, late_us: u64) {
        let late_us = late_us.min(MAX_RESPONSE_TIME_US);
        self.begun += 1;
        self.late += u64::from(late_us > LATE_US);
        self.latest_us = self.latest_us.max(late_us);
        self.lateness.record(late_us);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.begun += other.begun;
        self.late += other.late;
        self.dropped += other.dropped;
        self.latest_us = self.latest_us.max(other.latest_us);
        self.lateness.merge(&other.lateness);
    }

    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let lateness = self.lateness.since(&earlier.lateness);
        Self {
            begun: self.begun - earlier.begun,
            late: self.late - earlier.late,
            dropped: self.dropped - earlier.dropped,
            latest_us: lateness.range_us().map_or(0, |(_, latest)| latest),
            lateness,
        }
    }

    /// All that arrived, whatever became of them.
    pub fn intended(&self) -> u64 {
        self.begun + self.dropped
    }

    /// How long after their time iterations began, in ms, at each of `fractions` (0.0 to 1.0).
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if none has begun.
    pub fn lateness_ms(&self, fractions: &[f64]) -> Result<Vec<f64>, NoSamples> {
        let times = self.lateness.percentiles_us(fractions)?;
        let ms = |us: u64| us.min(self.latest_us) as f64 / 1e3;
        Ok(times.into_iter().map(ms).collect())
    }
}
