//! What the page remembers of a test: the course of every endpoint, the spread of
//! response times, and when somebody changed something.
//!
//! Pure: snapshots go in, with their own times. Bounds: 600 points a
//! course, the ledger's number of names, [`EVENTS_MAX`] events; with 500 endpoints
//! that comes to at most 18 MB, after a minute as after a day.

use std::collections::{HashMap, VecDeque};

use acrida_report::course::{Course, Point};
use acrida_report::occurrences::Occurrences;
use acrida_report::series::{Merge, Series};
use acrida_stats::{EntrySnapshot, Snapshot};
use serde::Serialize;

/// Upper bounds of the rows of the heatmap, in ms; one more row is above them all.
pub const HEAT_BOUNDS_MS: [u64; 26] = [
    1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000,
    3_000, 5_000, 7_000, 10_000, 20_000, 60_000,
];
/// The most events that are remembered, the newest ones.
pub const EVENTS_MAX: usize = 100;
/// The most finished tests that are remembered, the newest ones.
pub const RUNS_MAX: usize = 50;

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

/// Everything that is remembered of the test that runs, or ran last.
#[derive(Debug, Default)]
pub struct History {
    start_us: u64,
    total: Course,
    heat: Series<Heat>,
    heat_so_far: Vec<u64>,
    entries: HashMap<String, HashMap<String, Course>>,
    occurrences: Occurrences,
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
        self.occurrences.observe(snapshot);
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

    pub(crate) fn occurrences(&self) -> &Occurrences {
        &self.occurrences
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
