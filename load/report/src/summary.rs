//! What is told of a run, wherever its figures come from: a snapshot of one that ran
//! here, the CSV files of one that ran elsewhere, or one that was kept.

use acrida_stats::{EntrySnapshot, ExceptionRow, FailureRow, Snapshot};
use serde::{Deserialize, Serialize};

use crate::course::Point;
use crate::insight::{AnswersSummary, ArrivalsSummary, ServerSummary};
use crate::occurrences::Occurrences;

/// The percentiles that every report shows, as fractions: those of Locust's files and
/// those of its page.
pub const FRACTIONS: [f64; 13] = [
    0.5, 0.6, 0.66, 0.7, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0,
];

/// A run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// What the run was of: the name of its locustfile, or of its files.
    pub title: String,
    /// Base of the URLs that were loaded.
    pub host: Option<String>,
    /// When it began, in seconds since the Unix epoch.
    pub start_s: Option<f64>,
    /// From its begin to its last request, in seconds.
    pub duration_s: Option<f64>,
    /// The most users that ran at the same time.
    pub peak_users: Option<u64>,
    /// Users that were started per second.
    pub spawn_rate: Option<f64>,
    /// What went over the network.
    pub bandwidth: Option<Bandwidth>,
    /// A row for each method and name.
    pub entries: Vec<EntrySummary>,
    /// All of them together.
    pub total: EntrySummary,
    /// What failed.
    pub failures: Vec<FailureSummary>,
    /// What tasks raised.
    pub exceptions: Vec<ExceptionSummary>,
    /// How it went on, oldest first.
    pub course: Vec<Point>,
    /// Requests that were still open at the end and are counted nowhere else.
    #[serde(default)]
    pub cut_off: u64,
    /// How iterations began, in an open run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<ArrivalsSummary>,
}

/// Bytes per second over the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bandwidth {
    /// Bytes per second.
    pub bytes_per_s: f64,
    /// Whether what was sent is in it; if not, it is answers' bodies alone.
    pub both_ways: bool,
}

/// One method and name, or all together. Times are in ms; none where nothing was timed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EntrySummary {
    /// `GET` and so on; empty for the row of the whole run.
    pub method: String,
    /// What the requests were counted under.
    pub name: String,
    /// All requests.
    pub requests: u64,
    /// Those among them that failed.
    pub failures: u64,
    /// Requests per second over the whole run.
    pub rps: f64,
    /// Failures per second over the whole run.
    pub fail_per_s: f64,
    /// Requests per second lately, in a run that goes on.
    #[serde(default)]
    pub current_rps: f64,
    /// Failures per second lately, in a run that goes on.
    #[serde(default)]
    pub current_fail_per_s: f64,
    /// Shortest response time.
    pub min: Option<f64>,
    /// Average response time.
    pub avg: Option<f64>,
    /// Longest response time.
    pub max: Option<f64>,
    /// Pairs of a fraction and the response time there, fractions ascending.
    pub percentiles: Vec<(f64, f64)>,
    /// Average length of an answer, in bytes.
    pub avg_content_length: f64,
    /// Where the time went, if the server tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerSummary>,
    /// Answers that were checked, if any were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswersSummary>,
}

/// Failures that differ in nothing but when they happened. Times are seconds since the
/// Unix epoch; none where a file does not tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FailureSummary {
    /// Method of the requests that failed.
    pub method: String,
    /// What they were counted under.
    pub name: String,
    /// The error.
    pub error: String,
    /// How many there were.
    pub occurrences: u64,
    /// When the first one happened.
    pub first_seen_s: Option<f64>,
    /// When the last one happened.
    pub last_seen_s: Option<f64>,
    /// How many there were in stretches of equal length from the run's begin to its end
    /// (the last one may be shorter); empty where that is not known.
    #[serde(default)]
    pub counts: Vec<u64>,
}

/// Exceptions that were raised at the same place; times as in [`FailureSummary`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExceptionSummary {
    /// How many there were.
    pub count: u64,
    /// The text of the first one.
    pub message: String,
    /// Where they were raised.
    pub traceback: String,
    /// Who raised them.
    pub nodes: String,
    /// When the first one was raised.
    pub first_seen_s: Option<f64>,
    /// When the last one was raised.
    pub last_seen_s: Option<f64>,
    /// As in [`FailureSummary`].
    #[serde(default)]
    pub counts: Vec<u64>,
}

impl RunSummary {
    /// What a snapshot knows of a run, with percentiles at [`FRACTIONS`] and at those in
    /// `more`. Title, host, users and course are left for whoever knows them.
    pub fn of(snapshot: &Snapshot, more: &[f64]) -> Self {
        let mut fractions = [&FRACTIONS[..], more].concat();
        fractions.sort_by(f64::total_cmp);
        fractions.dedup();
        let entry = |entry| EntrySummary::of(entry, &fractions);
        let total = entry(&snapshot.total);
        let span_us = snapshot
            .last_request_us
            .and_then(|last| last.checked_sub(snapshot.start_us));
        Self {
            start_s: Some(seconds(snapshot.start_us)),
            duration_s: span_us.map(seconds),
            bandwidth: Bandwidth::of_answers(&total),
            entries: snapshot.entries.iter().map(entry).collect(),
            failures: snapshot.failures.iter().map(Into::into).collect(),
            exceptions: snapshot.exceptions.iter().map(Into::into).collect(),
            cut_off: snapshot.cut_off,
            arrivals: ArrivalsSummary::of(&snapshot.arrivals),
            total,
            ..Self::default()
        }
    }

    /// The same run, with when each failure and exception of `snapshot`, which it was made
    /// of, happened.
    pub fn with_occurrences(mut self, snapshot: &Snapshot, occurrences: &Occurrences) -> Self {
        for (shown, row) in self.failures.iter_mut().zip(&snapshot.failures) {
            shown.counts = occurrences.of_failure(row);
        }
        for (shown, row) in self.exceptions.iter_mut().zip(&snapshot.exceptions) {
            shown.counts = occurrences.of_exception(row);
        }
        self
    }
}

impl Bandwidth {
    /// What answers alone come to; nothing before there are any.
    pub fn of_answers(total: &EntrySummary) -> Option<Self> {
        let bytes_per_s = total.avg_content_length * total.rps;
        (bytes_per_s > 0.0).then_some(Self {
            bytes_per_s,
            both_ways: false,
        })
    }
}

impl EntrySummary {
    /// A row of a snapshot, with percentiles at these fractions, which ascend.
    pub fn of(entry: &EntrySnapshot, fractions: &[f64]) -> Self {
        let times = entry.percentiles_ms(fractions).unwrap_or_default();
        Self {
            method: entry.method.clone(),
            name: entry.name.clone(),
            requests: entry.num_requests,
            failures: entry.num_failures,
            rps: entry.total_rps(),
            fail_per_s: entry.total_fail_per_sec(),
            current_rps: entry.current_rps(),
            current_fail_per_s: entry.current_fail_per_sec(),
            min: entry.min_response_time_ms().ok(),
            avg: entry.avg_response_time_ms().ok(),
            max: entry.max_response_time_ms().ok(),
            percentiles: fractions.iter().copied().zip(times).collect(),
            avg_content_length: entry.avg_content_length(),
            server: entry.insight().and_then(ServerSummary::of),
            answers: entry.insight().and_then(AnswersSummary::of),
        }
    }

    /// The response time at `fraction`, if that is one of the percentiles that are known.
    pub fn percentile(&self, fraction: f64) -> Option<f64> {
        let mut known = self.percentiles.iter();
        let found = known.find(|(other, _)| (other - fraction).abs() < 1e-9);
        found.map(|(_, time)| *time)
    }

    /// Median response time.
    pub fn median(&self) -> Option<f64> {
        self.percentile(0.5)
    }

    /// Failures per request, 0.0 to 1.0; none before there are requests.
    pub fn fail_ratio(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.failures as f64 / self.requests as f64)
    }

    /// `GET /health`.
    pub fn label(&self) -> String {
        if self.method.is_empty() {
            return self.name.clone();
        }
        format!("{} {}", self.method, self.name)
    }
}

impl From<&FailureRow> for FailureSummary {
    fn from(row: &FailureRow) -> Self {
        Self {
            method: row.method.clone(),
            name: row.name.clone(),
            error: row.error.clone(),
            occurrences: row.occurrences,
            first_seen_s: Some(seconds(row.first_seen_us)),
            last_seen_s: Some(seconds(row.last_seen_us)),
            counts: Vec::new(),
        }
    }
}

impl From<&ExceptionRow> for ExceptionSummary {
    fn from(row: &ExceptionRow) -> Self {
        Self {
            count: row.count,
            message: row.message.clone(),
            traceback: row.traceback.clone(),
            nodes: row.nodes.join(", "),
            first_seen_s: Some(seconds(row.first_seen_us)),
            last_seen_s: Some(seconds(row.last_seen_us)),
            counts: Vec::new(),
        }
    }
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}
