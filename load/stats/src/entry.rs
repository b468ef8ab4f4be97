//! The statistics of one method and name, and of everything together.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::insight::Insight;
use crate::key::Key;
use crate::recorder::Seconds;
use crate::second_counts::{SecondCount, SecondCounts};
use crate::tally::Tally;
use crate::times::NoSamples;

/// How many of the last seconds "current" percentiles look at, as in Locust.
pub const RECENT_SECONDS: u64 = 10;

/// Single seconds that an entry remembers with their times, its newest ones.
pub const SECONDS_TIMED: usize = 20;
/// "Current" rates are averages over the whole seconds from `RATE_FROM` to
/// `RATE_TO` seconds before that of the last request of the run, as in Locust.
const RATE_FROM: u64 = 12;
const RATE_TO: u64 = 3;

/// Cumulative sums, and the newest seconds one by one.
///
/// Snapshots share what is behind an `Arc`; it is copied only if it changes while
/// a snapshot still holds it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    total: Arc<Tally>,
    seconds: BTreeMap<u64, Arc<Tally>>,
    counts: Arc<SecondCounts>,
    insight: Option<Arc<Insight>>,
}

impl Entry {
    pub(crate) fn absorb(&mut self, seconds: &Seconds) {
        for (second, tally) in seconds.iter() {
            Arc::make_mut(&mut self.total).merge(tally);
            Arc::make_mut(&mut self.counts).add(second, tally.requests, tally.failures);
            self.absorb_second(second, tally);
        }
        self.absorb_insight(seconds.insight.as_deref());
    }

    fn absorb_insight(&mut self, insight: Option<&Insight>) {
        if let Some(insight) = insight {
            Arc::make_mut(self.insight.get_or_insert_default()).merge(insight);
        }
    }

    /// Adds what another entry had counted.
    pub(crate) fn absorb_row(&mut self, row: &EntrySnapshot) {
        Arc::make_mut(&mut self.total).merge(&row.total);
        for (second, tally) in &row.seconds {
            self.absorb_second(*second, tally);
        }
        for count in row.counts.iter() {
            Arc::make_mut(&mut self.counts).add(count.second, count.requests, count.failures);
        }
        self.absorb_insight(row.insight());
    }

    fn absorb_second(&mut self, second: u64, tally: &Tally) {
        let oldest = self.seconds.keys().next();
        let is_full = self.seconds.len() == SECONDS_TIMED;
        if is_full && oldest.is_some_and(|oldest| second < *oldest) {
            return;
        }
        Arc::make_mut(self.seconds.entry(second).or_default()).merge(tally);
        if self.seconds.len() > SECONDS_TIMED {
            self.seconds.pop_first();
        }
    }

    pub(crate) fn last_us(&self) -> Option<u64> {
        self.total.last_us
    }

    pub(crate) fn snapshot(&self, key: &Key, clock: RunClock) -> EntrySnapshot {
        EntrySnapshot {
            method: key.method.to_string(),
            name: key.name.to_string(),
            num_requests: self.total.requests,
            num_none_requests: self.total.untimed,
            num_failures: self.total.failures,
            total_content_length: self.total.content_length,
            total_response_time_us: self.total.total_us,
            last_request_us: self.total.last_us,
            total: self.total.clone(),
            seconds: self.seconds.clone(),
            counts: self.counts.clone(),
            insight: self.insight.clone(),
            clock,
        }
    }
}

/// The times of a run that rates refer to, in µs since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunClock {
    pub(crate) start_us: u64,
    pub(crate) last_request_us: Option<u64>,
    pub(crate) taken_us: u64,
}

impl RunClock {
    /// Seconds from the start to the last request of the run; `None` if that is no
    /// time at all.
    fn span_s(&self) -> Option<f64> {
        let span_us = self.last_request_us?.checked_sub(self.start_us)?;
        (span_us > 0).then_some(span_us as f64 / 1e6)
    }

    /// The whole seconds that current rates are averages of.
    fn rate_seconds(&self) -> std::ops::Range<u64> {
        let Some(last_us) = self.last_request_us else {
            return 0..0;
        };
        let (last, start) = (last_us / 1_000_000, self.start_us / 1_000_000);
        let from = last.saturating_sub(RATE_FROM).max(start);
        from..(last + 1).saturating_sub(RATE_TO)
    }
}

/// One row of the statistics at the time of a snapshot.
///
/// Rates follow the rules of `StatsEntry` in locust/stats.py; percentiles come
/// from the times themselves, at three significant digits or better.
#[derive(Debug, Clone)]
pub struct EntrySnapshot {
    /// `GET` and so on; empty for the row of the whole run.
    pub method: String,
    /// What the requests were counted under; `Aggregated` for the whole run.
    pub name: String,
    /// All requests, whether they succeeded or not.
    pub num_requests: u64,
    /// Those among them that have no response time.
    pub num_none_requests: u64,
    /// Those among them that failed.
    pub num_failures: u64,
    /// Sum of the answers' lengths, in bytes.
    pub total_content_length: u64,
    /// Sum of the response times, in µs.
    pub total_response_time_us: u64,
    /// When the last request finished, in µs since the Unix epoch.
    pub last_request_us: Option<u64>,
    pub(crate) total: Arc<Tally>,
    pub(crate) seconds: BTreeMap<u64, Arc<Tally>>,
    pub(crate) counts: Arc<SecondCounts>,
    pub(crate) insight: Option<Arc<Insight>>,
    pub(crate) clock: RunClock,
}

impl EntrySnapshot {
    /// Whether there is any response time, which the `_ms` functions need.
    pub fn has_response_times(&self) -> bool {
        self.num_requests > self.num_none_requests
    }

    /// Median response time; see [`Self::percentile_ms`].
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if no request has a response time. Locust shows 0 there,
    /// which reads as "instant"; only what is laid out as Locust's may do that.
    pub fn median_response_time_ms(&self) -> Result<f64, NoSamples> {
        self.percentile_ms(0.5)
    }

    /// Average response time.
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if no request has a response time.
    pub fn avg_response_time_ms(&self) -> Result<f64, NoSamples> {
        let timed = self.num_requests - self.num_none_requests;
        if timed == 0 {
            return Err(NoSamples);
        }
        Ok(self.total_response_time_us as f64 / 1e3 / timed as f64)
    }

    /// Shortest response time.
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if no request has a response time.
    pub fn min_response_time_ms(&self) -> Result<f64, NoSamples> {
        self.total.range_us.map(|(min, _)| ms(min)).ok_or(NoSamples)
    }

    /// Longest response time.
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if no request has a response time.
    pub fn max_response_time_ms(&self) -> Result<f64, NoSamples> {
        self.total.range_us.map(|(_, max)| ms(max)).ok_or(NoSamples)
    }

    /// The response time that `fraction` (0.0 to 1.0; p99 is 0.99) of the requests
    /// did not exceed; never below the shortest nor above the longest.
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if no request has a response time.
    pub fn percentile_ms(&self, fraction: f64) -> Result<f64, NoSamples> {
        Ok(self.percentiles_ms(&[fraction])?[0])
    }

    /// As [`Self::percentile_ms`], of several fractions at once, in their order.
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if no request has a response time.
    pub fn percentiles_ms(&self, fractions: &[f64]) -> Result<Vec<f64>, NoSamples> {
        percentiles_ms(&self.total, fractions)
    }

    /// As [`Self::percentiles_ms`], of the requests that finished in the last
    /// [`RECENT_SECONDS`] seconds before the snapshot, its own second included.
    ///
    /// # Errors
    ///
    /// [`NoSamples`] if none of those has a response time.
    pub fn current_percentiles_ms(&self, fractions: &[f64]) -> Result<Vec<f64>, NoSamples> {
        let now = self.clock.taken_us / 1_000_000;
        let mut recent = Tally::default();
        for (_, second) in self
            .seconds
            .range((now + 1).saturating_sub(RECENT_SECONDS)..)
        {
            recent.merge(second);
        }
        percentiles_ms(&recent, fractions)
    }

    /// How many requests took longer than the bound before and at most this one, for
    /// each of `bounds_us`, which ascend; and last, how many took longer than all.
    pub fn counts_by_time(&self, bounds_us: &[u64]) -> Vec<u64> {
        let mut counts = vec![0; bounds_us.len() + 1];
        self.total.times.for_each(|time_us, count| {
            counts[bounds_us.partition_point(|bound| *bound < time_us)] += count;
        });
        counts
    }

    /// How many requests took how long: counts by time in µs, as exact as they are kept.
    pub fn times_us(&self) -> BTreeMap<u64, u64> {
        let mut times = BTreeMap::new();
        self.for_each_time_us(|time_us, count| *times.entry(time_us).or_default() += count);
        times
    }

    /// When the run started, or was last reset, in µs since the Unix epoch.
    pub fn start_us(&self) -> u64 {
        self.clock.start_us
    }

    /// Calls `each` with response times in µs, at three significant digits or better,
    /// and how many requests took that long; a time may come more than once.
    pub fn for_each_time_us(&self, each: impl FnMut(u64, u64)) {
        self.total.times.for_each(each);
    }

    /// Requests and failures of one of the newest [`SECONDS_TIMED`] seconds, and their
    /// times as in [`Self::for_each_time_us`].
    pub fn second(&self, second: u64, each: impl FnMut(u64, u64)) -> SecondCount {
        let tally = self.seconds.get(&second);
        if let Some(tally) = tally {
            tally.times.for_each(each);
        }
        SecondCount {
            second,
            requests: tally.map_or(0, |tally| tally.requests),
            failures: tally.map_or(0, |tally| tally.failures),
        }
    }

    /// The newest [`crate::SECONDS_COUNTED`] seconds in which requests finished, ascending.
    pub fn counts_by_second(&self) -> impl Iterator<Item = SecondCount> {
        self.counts.iter()
    }

    /// What only some requests tell; `None` if none of these did.
    pub fn insight(&self) -> Option<&Insight> {
        self.insight.as_deref()
    }

    /// Requests per second from the start of the run to its last request.
    pub fn total_rps(&self) -> f64 {
        self.clock
            .span_s()
            .map_or(0.0, |span| self.num_requests as f64 / span)
    }

    /// Failures per second from the start of the run to its last request.
    pub fn total_fail_per_sec(&self) -> f64 {
        self.clock
            .span_s()
            .map_or(0.0, |span| self.num_failures as f64 / span)
    }

    /// Requests per second lately: the average of the whole seconds from twelve to
    /// three seconds before the last request of the run; 0 before that.
    pub fn current_rps(&self) -> f64 {
        self.current_rate(|tally| tally.requests)
    }

    /// Failures per second lately, over the same seconds as [`Self::current_rps`].
    pub fn current_fail_per_sec(&self) -> f64 {
        self.current_rate(|tally| tally.failures)
    }

    fn current_rate(&self, of: impl Fn(&Tally) -> u64) -> f64 {
        let seconds = self.clock.rate_seconds();
        if seconds.is_empty() {
            return 0.0;
        }
        let length = seconds.end - seconds.start;
        let sum: u64 = self
            .seconds
            .range(seconds)
            .map(|(_, tally)| of(tally))
            .sum();
        sum as f64 / length as f64
    }

    /// Failures per request, 0.0 to 1.0; without requests 0.0, or 1.0 if a failure was
    /// counted by itself, as in Locust.
    pub fn fail_ratio(&self) -> f64 {
        if self.num_requests == 0 {
            return if self.num_failures > 0 { 1.0 } else { 0.0 };
        }
        self.num_failures as f64 / self.num_requests as f64
    }

    /// Average length of an answer, in bytes; 0.0 if there are no requests.
    pub fn avg_content_length(&self) -> f64 {
        if self.num_requests == 0 {
            return 0.0;
        }
        self.total_content_length as f64 / self.num_requests as f64
    }
}

fn percentiles_ms(tally: &Tally, fractions: &[f64]) -> Result<Vec<f64>, NoSamples> {
    let (min, max) = tally.range_us.ok_or(NoSamples)?;
    let percentiles = tally.times.percentiles_us(fractions)?;
    Ok(percentiles
        .into_iter()
        .map(|time| ms(time.clamp(min, max)))
        .collect())
}

fn ms(us: u64) -> f64 {
    us as f64 / 1e3
}
