//! What the page remembers of a test: the course of every endpoint, the spread of
//! response times, and when somebody changed something.
//!
//! Pure: snapshots go in, with their own times. Bounds: 600 points a
//! course, the ledger's number of names, [`EVENTS_MAX`] events; with 500 endpoints
//! that comes to at most 20 MB, after a minute as after a day.

use std::collections::{HashMap, VecDeque};

use acrida_stats::{EntrySnapshot, Snapshot};
use serde::Serialize;

use crate::series::{Merge, Series};

/// Upper bounds of the rows of the heatmap, in ms; one more row is above them all.
pub const HEAT_BOUNDS_MS: [u64; 26] = [
    1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000,
    3_000, 5_000, 7_000, 10_000, 20_000, 60_000,
];
/// The most events that are remembered, the newest ones.
pub const EVENTS_MAX: usize = 100;
/// The most finished tests that are remembered, the newest ones.
pub const RUNS_MAX: usize = 50;
/// Beats that the rate "now" is an average of.
const RATE_BEATS: usize = 5;

/// One point of a course. Rates are averages over it, percentiles its highest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Point {
    /// Seconds since the Unix epoch.
    pub(crate) t: f64,
    pub(crate) users: u64,
    pub(crate) rps: f32,
    pub(crate) fps: f32,
    /// Over the last ten seconds, in ms.
    pub(crate) p50: Option<f32>,
    pub(crate) p95: Option<f32>,
    pub(crate) p99: Option<f32>,
    /// Beats that it stands for.
    #[serde(skip)]
    pub(crate) beats: u32,
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

/// Requests by response time: one number for each row of the heatmap.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Heat(pub(crate) Vec<u64>);

impl Merge for Heat {
    fn merge(&mut self, later: &Self) {
        for (own, other) in self.0.iter_mut().zip(&later.0) {
            *own += other;
        }
    }
}

/// Something that the charts mark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Seconds since the Unix epoch.
    pub t: f64,
    /// What happened.
    pub text: String,
}

/// A test that has ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FinishedRun {
    pub(crate) start: f64,
    pub(crate) seconds: f64,
    pub(crate) users: u64,
    pub(crate) requests: u64,
    pub(crate) failures: u64,
    pub(crate) rps: f64,
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) p99: Option<f64>,
}

/// The course of one endpoint, or of all together.
#[derive(Debug, Default)]
pub(crate) struct Course {
    series: Series<Point>,
    newest: Option<Point>,
    /// When, and how many requests and failures there were, lately.
    lately: VecDeque<(u64, u64, u64)>,
}

impl Course {
    /// Requests and failures per second over the last few beats.
    pub(crate) fn rates(&self) -> (f32, f32) {
        match (self.lately.front(), self.lately.back()) {
            (Some(first), Some(last)) => rates(*first, *last),
            _ => (0.0, 0.0),
        }
    }

    /// The newest beat.
    pub(crate) fn newest(&self) -> Option<&Point> {
        self.newest.as_ref()
    }

    pub(crate) fn points(&self) -> impl Iterator<Item = &Point> {
        self.series.iter()
    }

    fn observe(
        &mut self,
        entry: &EntrySnapshot,
        taken_us: u64,
        start_us: u64,
        users: u64,
    ) -> Point {
        let now = (taken_us, entry.num_requests, entry.num_failures);
        let before = self.lately.back().copied().unwrap_or((start_us, 0, 0));
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

/// Everything that is remembered of the test that runs, or ran last.
#[derive(Debug, Default)]
pub struct History {
    start_us: u64,
    total: Course,
    heat: Series<Heat>,
    heat_so_far: Vec<u64>,
    entries: HashMap<String, HashMap<String, Course>>,
    events: VecDeque<Event>,
    runs: VecDeque<FinishedRun>,
    users_max: u64,
}

/// What one beat adds to the charts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Beat {
    #[serde(flatten)]
    pub(crate) point: Point,
    pub(crate) heat: Heat,
}

impl History {
    /// Takes in a beat of a test that runs. A snapshot with another start begins anew.
    pub(crate) fn observe(&mut self, snapshot: &Snapshot) -> Beat {
        if snapshot.start_us != self.start_us {
            self.begin(snapshot.start_us);
        }
        let (taken, start, users) = (snapshot.taken_us, snapshot.start_us, snapshot.user_count);
        self.users_max = self.users_max.max(users);
        for entry in &snapshot.entries {
            let course = self.entry(&entry.method, &entry.name);
            course.observe(entry, taken, start, users);
        }
        let point = self.total.observe(&snapshot.total, taken, start, users);
        let heat = self.heat_since_last(&snapshot.total);
        self.heat.push(heat.clone());
        Beat { point, heat }
    }

    fn begin(&mut self, start_us: u64) {
        let (runs, events) = (
            std::mem::take(&mut self.runs),
            std::mem::take(&mut self.events),
        );
        let start = start_us as f64 / 1e6;
        // What led to this test belongs to it.
        let events = events
            .into_iter()
            .filter(|event| event.t >= start - 2.0)
            .collect();
        *self = Self {
            start_us,
            runs,
            events,
            ..Self::default()
        };
    }

    fn heat_since_last(&mut self, total: &EntrySnapshot) -> Heat {
        let so_far = histogram(total);
        let before = self.heat_so_far.iter().copied().chain(std::iter::repeat(0));
        let heat = so_far
            .iter()
            .zip(before)
            .map(|(now, before)| now.saturating_sub(before));
        let heat = Heat(heat.collect());
        self.heat_so_far = so_far;
        heat
    }

    fn entry(&mut self, method: &str, name: &str) -> &mut Course {
        // Looked up twice, so that a name that is known costs no allocation.
        if !self
            .entries
            .get(method)
            .is_some_and(|names| names.contains_key(name))
        {
            let names = self.entries.entry(method.to_owned()).or_default();
            names.insert(name.to_owned(), Course::default());
        }
        let names = self.entries.get_mut(method);
        names
            .and_then(|names| names.get_mut(name))
            .expect("it was just added")
    }

    pub(crate) fn total(&self) -> &Course {
        &self.total
    }

    pub(crate) fn course(&self, method: &str, name: &str) -> Option<&Course> {
        self.entries.get(method)?.get(name)
    }

    pub(crate) fn heat(&self) -> impl Iterator<Item = &Heat> {
        self.heat.iter()
    }

    pub(crate) fn events(&self) -> &VecDeque<Event> {
        &self.events
    }

    pub(crate) fn runs(&self) -> &VecDeque<FinishedRun> {
        &self.runs
    }

    /// Remembers that something was changed.
    pub(crate) fn note(&mut self, t: f64, text: String) {
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(Event { t, text });
    }

    /// Remembers a test that has ended, unless it made no request.
    pub(crate) fn finished(&mut self, snapshot: &Snapshot) {
        let total = &snapshot.total;
        if total.num_requests == 0 {
            return;
        }
        let times = total.percentiles_ms(&[0.5, 0.95, 0.99]).ok();
        let time = |at: usize| times.as_ref().map(|times| times[at]);
        let last = snapshot.last_request_us.unwrap_or(snapshot.start_us);
        if self.runs.len() == RUNS_MAX {
            self.runs.pop_front();
        }
        self.runs.push_back(FinishedRun {
            start: snapshot.start_us as f64 / 1e6,
            seconds: last.saturating_sub(snapshot.start_us) as f64 / 1e6,
            users: self.users_max,
            requests: total.num_requests,
            failures: total.num_failures,
            rps: total.total_rps(),
            p50: time(0),
            p95: time(1),
            p99: time(2),
        });
    }
}

/// Requests of `entry` in each row of the heatmap.
pub(crate) fn histogram(entry: &EntrySnapshot) -> Vec<u64> {
    let bounds_us: Vec<u64> = HEAT_BOUNDS_MS.iter().map(|ms| ms * 1_000).collect();
    entry.counts_by_time(&bounds_us)
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
