//! Sums over some requests.

use crate::recorder::Sample;
use crate::times::{MAX_RESPONSE_TIME_US, Times};

/// What is kept of requests that are counted together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    /// Requests without a response time.
    pub(crate) untimed: u64,
    pub(crate) failures: u64,
    pub(crate) content_length: u64,
    pub(crate) total_us: u64,
    /// Shortest and longest response time.
    pub(crate) range_us: Option<(u64, u64)>,
    /// When the last one finished.
    pub(crate) last_us: Option<u64>,
    pub(crate) times: Times,
}

impl Tally {
    pub(crate) fn record(&mut self, sample: &Sample<'_>) {
        self.requests += 1;
        self.failures += u64::from(sample.failure.is_some());
        self.content_length = self.content_length.saturating_add(sample.content_length);
        self.last_us = self.last_us.max(Some(sample.finished_us));
        match sample.response_time_us {
            Some(time_us) => self.record_time(time_us.min(MAX_RESPONSE_TIME_US)),
            None => self.untimed += 1,
        }
    }

    fn record_time(&mut self, time_us: u64) {
        self.total_us = self.total_us.saturating_add(time_us);
        self.widen((time_us, time_us));
        self.times.record(time_us);
    }

    fn widen(&mut self, (shortest, longest): (u64, u64)) {
        self.range_us = Some(match self.range_us {
            Some((from, to)) => (from.min(shortest), to.max(longest)),
            None => (shortest, longest),
        });
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.untimed += other.untimed;
        self.failures += other.failures;
        self.content_length = self.content_length.saturating_add(other.content_length);
        self.total_us = self.total_us.saturating_add(other.total_us);
        if let Some(range_us) = other.range_us {
            self.widen(range_us);
        }
        self.last_us = self.last_us.max(other.last_us);
        self.times.merge(&other.times);
    }
}
