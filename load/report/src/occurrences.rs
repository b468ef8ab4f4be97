//! How often each failure and each exception happened, over the time of a run.
//!
//! Pure: snapshots go in, with their own times. Bounds: [`BINS_MAX`] bins, which all
//! rows share, and as many rows as the ledger has; when there are too many bins,
//! neighbours merge, so that no occurrence is dropped. With the ledger's 500 failures
//! and 500 exceptions that is at most 600 KB.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use acrida_stats::{ExceptionRow, FailureRow, Snapshot};

use crate::series::{Merge, Series};

/// The most bins, as many as a small chart can show.
pub const BINS_MAX: usize = 60;

/// What happened in one stretch of time.
#[derive(Debug, Clone)]
struct Bin {
    /// When it ended, in µs since the Unix epoch.
    end_us: u64,
    /// By a row's number; rows that came later are missing at the end.
    counts: Vec<u64>,
}

impl Merge for Bin {
    fn merge(&mut self, later: &Self) {
        self.end_us = later.end_us;
        let rows = self.counts.len().max(later.counts.len());
        self.counts.resize(rows, 0);
        for (own, other) in self.counts.iter_mut().zip(&later.counts) {
            *own += other;
        }
    }
}

/// The occurrences of every failure and exception of a run.
#[derive(Debug)]
pub struct Occurrences {
    start_us: u64,
    bins: Series<Bin>,
    /// The number of a row, and how often it had happened by the newest beat, by the hash
    /// of what tells it from the others: of 64 bits, for the thousand rows of a ledger.
    rows: HashMap<u64, (usize, u64)>,
}

impl Default for Occurrences {
    fn default() -> Self {
        Self {
            start_us: 0,
            bins: Series::with_max(BINS_MAX),
            rows: HashMap::new(),
        }
    }
}

impl Occurrences {
    /// Takes in a beat. A snapshot with another start begins anew.
    pub fn observe(&mut self, snapshot: &Snapshot) {
        if snapshot.start_us != self.start_us {
            *self = Self {
                start_us: snapshot.start_us,
                ..Self::default()
            };
        }
        let mut counts = vec![0; self.rows.len()];
        for row in &snapshot.failures {
            self.count(id_of_failure(row), row.occurrences, &mut counts);
        }
        for row in &snapshot.exceptions {
            self.count(id_of_exception(row), row.count, &mut counts);
        }
        self.bins.push(Bin {
            end_us: snapshot.taken_us,
            counts,
        });
    }

    fn count(&mut self, hash: u64, so_far: u64, counts: &mut Vec<u64>) {
        let next = self.rows.len();
        let (row, before) = self.rows.entry(hash).or_insert((next, 0));
        if *row >= counts.len() {
            counts.resize(*row + 1, 0);
        }
        counts[*row] = so_far.saturating_sub(*before);
        *before = so_far;
    }

    /// When each bin ended, in seconds since the Unix epoch, oldest first.
    pub fn ends_s(&self) -> Vec<f64> {
        self.bins
            .iter()
            .map(|bin| bin.end_us as f64 / 1e6)
            .collect()
    }

    /// How often a failure happened in each bin; empty if it is not known.
    pub fn of_failure(&self, row: &FailureRow) -> Vec<u64> {
        self.of(id_of_failure(row))
    }

    /// How often an exception was raised in each bin; empty if it is not known.
    pub fn of_exception(&self, row: &ExceptionRow) -> Vec<u64> {
        self.of(id_of_exception(row))
    }

    fn of(&self, hash: u64) -> Vec<u64> {
        let Some((row, _)) = self.rows.get(&hash) else {
            return Vec::new();
        };
        let count = |bin: &Bin| bin.counts.get(*row).copied().unwrap_or(0);
        self.bins.iter().map(count).collect()
    }
}

/// What tells a failure from the others of its run.
pub fn id_of_failure(row: &FailureRow) -> u64 {
    hash_of(("failure", &row.method, &row.name, &row.error))
}

/// What tells an exception from the others of its run.
pub fn id_of_exception(row: &ExceptionRow) -> u64 {
    hash_of(("exception", &row.traceback))
}

fn hash_of(key: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use acrida_stats::{Ledger, Limits, Recorder, Sample};

    use super::*;

    /// A second in which `/` failed so often, in so many different ways.
    fn second(ledger: &mut Ledger, second: u64, errors: &[(&str, u64)]) -> Snapshot {
        let mut recorder = Recorder::new(Limits::default());
        for (error, times) in errors {
            for _ in 0..*times {
                recorder.record(&Sample {
                    method: "GET",
                    name: "/",
                    finished_us: second * 1_000_000,
                    response_time_us: Some(1),
                    content_length: 0,
                    failure: Some(error),
                });
            }
        }
        ledger.absorb(recorder.take());
        ledger.snapshot(second * 1_000_000, 1)
    }

    #[test]
    fn each_row_has_its_own_counts_from_the_begin_of_the_run() {
        let mut ledger = Ledger::new(Limits::default(), 1);
        let mut occurrences = Occurrences::default();
        occurrences.observe(&second(&mut ledger, 1, &[("a", 2)]));
        occurrences.observe(&second(&mut ledger, 2, &[]));
        ledger.record_exception("boom", "at line 1", "local", 3_000_000);
        let last = second(&mut ledger, 3, &[("b", 1), ("a", 5)]);
        occurrences.observe(&last);
        let of = |error: &str| {
            let row = last.failures.iter().find(|row| row.error == error);
            occurrences.of_failure(row.expect("it failed"))
        };
        assert_eq!(of("a"), [2, 0, 5]);
        assert_eq!(of("b"), [0, 0, 1]);
        assert_eq!(occurrences.of_exception(&last.exceptions[0]), [0, 0, 1]);
        assert_eq!(occurrences.ends_s(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_long_run_keeps_every_occurrence_in_a_bounded_number_of_bins() {
        let mut ledger = Ledger::new(Limits::default(), 1);
        let mut occurrences = Occurrences::default();
        let mut last = None;
        for at in 1..=5_000 {
            let snapshot = second(&mut ledger, at, &[("a", at % 3)]);
            occurrences.observe(&snapshot);
            last = Some(snapshot);
        }
        let last = last.expect("5,000 seconds");
        let counts = occurrences.of_failure(&last.failures[0]);
        assert!(counts.len() <= BINS_MAX + 1, "{}", counts.len());
        assert_eq!(counts.iter().sum::<u64>(), last.failures[0].occurrences);
    }

    #[test]
    fn statistics_that_begin_anew_have_nothing_from_before() {
        let mut ledger = Ledger::new(Limits::default(), 1);
        let mut occurrences = Occurrences::default();
        occurrences.observe(&second(&mut ledger, 1, &[("a", 9)]));
        ledger.reset(1_500_000);
        let snapshot = second(&mut ledger, 2, &[("a", 1)]);
        occurrences.observe(&snapshot);
        assert_eq!(occurrences.of_failure(&snapshot.failures[0]), [1]);
    }
}
