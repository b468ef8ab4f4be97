//! How a run, or one endpoint of it, went on from beat to beat.
//!
//! Pure: snapshots go in, with their own times. Bound: [`crate::series::POINTS_MAX`]
//! points, of which neighbours merge.

use std::collections::VecDeque;

use acrida_stats::EntrySnapshot;
use serde::{Deserialize, Serialize};

use crate::series::{Merge, Series};
use crate::summary::EntrySummary;

/// Beats that the rate "now" is an average of: one a second, so that it tells of the same
/// ten seconds as the percentiles do.
const RATE_BEATS: usize = 10;
/// The time from one beat to the next.
const BEAT_US: u64 = 1_000_000;

/// One point of a course. Rates are averages over it, percentiles its highest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Seconds since the Unix epoch.
    pub t: f64,
    /// Users that were running.
    pub users: u64,
    /// Requests per second.
    pub rps: f32,
    /// Failures per second.
    pub fps: f32,
    /// Over the last ten seconds, in ms.
    pub p50: Option<f32>,
    /// As `p50`.
    pub p95: Option<f32>,
    /// As `p50`.
    pub p99: Option<f32>,
    /// Over the whole run up to then, in ms; 0 before anything was timed.
    #[serde(default)]
    pub avg: f32,
    /// Beats that it stands for.
    #[serde(skip, default = "one")]
    pub beats: u32,
}

fn one() -> u32 {
    1
}

impl Merge for Point {
    fn merge(&mut self, later: &Self) {
        let (own, other) = (self.beats as f32, later.beats as f32);
        let mean = |a: f32, b: f32| (a * own + b * other) / (own + other);
        *self = Self {
            t: later.t,
            users: self.users.max(later.users),
            rps: mean(self.rps, later.rps),
            fps: mean(self.fps, later.fps),
            p50: highest(self.p50, later.p50),
            p95: highest(self.p95, later.p95),
            p99: highest(self.p99, later.p99),
            avg: later.avg,
            beats: self.beats + later.beats,
        };
    }
}

fn highest(a: Option<f32>, b: Option<f32>) -> Option<f32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

/// The course of one endpoint, or of all together.
#[derive(Debug, Default)]
pub struct Course {
    series: Series<Point>,
    newest: Option<Point>,
    /// When, and how many requests and failures there were, before and at the last beats.
    lately: VecDeque<(u64, u64, u64)>,
}

impl Course {
    /// Requests and failures per second over the last ten seconds.
    pub fn rates(&self) -> (f32, f32) {
        match (self.lately.front(), self.lately.back()) {
            (Some(first), Some(last)) => rates(*first, *last),
            _ => (0.0, 0.0),
        }
    }

    /// The last ten seconds, as far as a [`Point`] tells of them.
    pub fn lately(&self) -> EntrySummary {
        let (rps, fail_per_s) = self.rates();
        let count = |of: fn(&(u64, u64, u64)) -> u64| {
            let ends = self.lately.back().zip(self.lately.front());
            ends.map_or(0, |(last, first)| of(last).saturating_sub(of(first)))
        };
        let times = self.newest.map(|point| {
            [(0.5, point.p50), (0.95, point.p95), (0.99, point.p99)]
                .into_iter()
                .filter_map(|(fraction, time)| Some((fraction, f64::from(time?))))
        });
        EntrySummary {
            requests: count(|beat| beat.1),
            failures: count(|beat| beat.2),
            rps: f64::from(rps),
            fail_per_s: f64::from(fail_per_s),
            percentiles: times.into_iter().flatten().collect(),
            ..EntrySummary::default()
        }
    }

    /// The newest beat.
    pub fn newest(&self) -> Option<&Point> {
        self.newest.as_ref()
    }

    /// Every point, oldest first.
    pub fn points(&self) -> impl Iterator<Item = &Point> {
        self.series.iter()
    }

    /// Adds a beat of a run that began at `start_us`, when `users` were running.
    pub fn observe(
        &mut self,
        entry: &EntrySnapshot,
        taken_us: u64,
        start_us: u64,
        users: u64,
    ) -> Point {
        let now = (taken_us, entry.num_requests, entry.num_failures);
        if self.lately.is_empty() {
            // A name that is new had no requests at the beat before.
            let before_us = taken_us.saturating_sub(BEAT_US).max(start_us);
            self.lately.push_back((before_us, 0, 0));
        }
        let before = self.lately.back().copied().unwrap_or(now);
        let (rps, fps) = rates(before, now);
        if self.lately.len() > RATE_BEATS {
            self.lately.pop_front();
        }
        self.lately.push_back(now);
        let times = entry.current_percentiles_ms(&[0.5, 0.95, 0.99]).ok();
        let time = |at: usize| times.as_ref().map(|times| times[at] as f32);
        let point = Point {
            t: taken_us as f64 / 1e6,
            users,
            rps,
            fps,
            p50: time(0),
            p95: time(1),
            p99: time(2),
            avg: entry.avg_response_time_ms().unwrap_or_default() as f32,
            beats: 1,
        };
        self.series.push(point);
        self.newest = Some(point);
        point
    }
}

fn rates(from: (u64, u64, u64), to: (u64, u64, u64)) -> (f32, f32) {
    let seconds = to.0.saturating_sub(from.0) as f64 / 1e6;
    if seconds <= 0.0 {
        return (0.0, 0.0);
    }
    let rate = |from: u64, to: u64| (to.saturating_sub(from) as f64 / seconds) as f32;
    (rate(from.1, to.1), rate(from.2, to.2))
}
