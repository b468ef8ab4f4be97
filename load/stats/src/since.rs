//! What happened between two snapshots of one ledger.

use std::collections::HashMap;
use std::sync::Arc;

use crate::entry::{EntrySnapshot, RunClock};
use crate::insight::Insight;
use crate::snapshot::{ExceptionRow, FailureRow, Snapshot};
use crate::tally::Tally;

impl Snapshot {
    /// What was measured after `earlier`, a snapshot of the same ledger, as if a run
    /// had begun then and lasted until this snapshot was taken: rates are averages over
    /// that time. The shortest and the longest time have three significant digits.
    ///
    /// If the ledger was reset in between, it is what was measured after the reset.
    pub fn since(&self, earlier: &Self) -> Self {
        if earlier.start_us != self.start_us {
            return self.clone();
        }
        let clock = RunClock {
            start_us: earlier.taken_us,
            last_request_us: Some(self.taken_us),
            taken_us: self.taken_us,
        };
        let before: HashMap<_, _> = earlier
            .entries
            .iter()
            .map(|entry| ((&*entry.method, &*entry.name), entry))
            .collect();
        let entries = self.entries.iter().map(|entry| {
            let before = before.get(&(&*entry.method, &*entry.name));
            entry.since(before.copied(), clock)
        });
        let total = self.total.since(Some(&earlier.total), clock);
        Self {
            start_us: earlier.taken_us,
            last_request_us: total.last_request_us,
            taken_us: self.taken_us,
            user_count: self.user_count,
            entries: entries.collect(),
            failures: failures(&self.failures, &earlier.failures),
            exceptions: exceptions(&self.exceptions, &earlier.exceptions),
            cut_off: self.cut_off - earlier.cut_off,
            arrivals: self.arrivals.since(&earlier.arrivals),
            overflowed_names: self.overflowed_names,
            more_overflowed_names: self.more_overflowed_names,
            total,
        }
    }
}

impl EntrySnapshot {
    fn since(&self, earlier: Option<&Self>, clock: RunClock) -> Self {
        let total = match earlier {
            Some(earlier) => Arc::new(self.total.since(&earlier.total)),
            None => Arc::clone(&self.total),
        };
        Self {
            method: self.method.clone(),
            name: self.name.clone(),
            num_requests: total.requests,
            num_none_requests: total.untimed,
            num_failures: total.failures,
            total_content_length: total.content_length,
            total_response_time_us: total.total_us,
            last_request_us: total.last_us,
            total,
            seconds: self.seconds.clone(),
            counts: self.counts.clone(),
            insight: self.insight_since(earlier).map(Arc::new),
            clock,
        }
    }

    fn insight_since(&self, earlier: Option<&Self>) -> Option<Insight> {
        let now = self.insight.as_deref()?;
        let before = earlier.and_then(|earlier| earlier.insight.as_deref());
        Some(before.map_or_else(|| now.clone(), |before| now.since(before)))
    }
}

impl Tally {
    fn since(&self, earlier: &Self) -> Self {
        let times = self.times.since(&earlier.times);
        let requests = self.requests - earlier.requests;
        Self {
            requests,
            untimed: self.untimed - earlier.untimed,
            failures: self.failures - earlier.failures,
            content_length: self.content_length.saturating_sub(earlier.content_length),
            total_us: self.total_us.saturating_sub(earlier.total_us),
            range_us: times.range_us(),
            last_us: self.last_us.filter(|_| requests > 0),
            times,
        }
    }
}

fn failures(now: &[FailureRow], before: &[FailureRow]) -> Vec<FailureRow> {
    let before: HashMap<_, _> = before
        .iter()
        .map(|row| ((&*row.method, &*row.name, &*row.error), row.occurrences))
        .collect();
    let rows = now.iter().map(|row| {
        let before = before.get(&(&*row.method, &*row.name, &*row.error));
        FailureRow {
            occurrences: row.occurrences - before.copied().unwrap_or(0),
            ..row.clone()
        }
    });
    rows.filter(|row| row.occurrences > 0).collect()
}

fn exceptions(now: &[ExceptionRow], before: &[ExceptionRow]) -> Vec<ExceptionRow> {
    let before: HashMap<_, _> = before
        .iter()
        .map(|row| (&*row.traceback, row.count))
        .collect();
    let rows = now.iter().map(|row| ExceptionRow {
        count: row.count - before.get(&*row.traceback).copied().unwrap_or(0),
        ..row.clone()
    });
    rows.filter(|row| row.count > 0).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Ledger, Limits, Recorder, Sample, Snapshot};

    fn recorded(ledger: &mut Ledger, times: &[u64], name: &str, at_us: u64) -> Snapshot {
        let mut recorder = Recorder::new(Limits::default());
        for time in times {
            recorder.record(&Sample {
                method: "GET",
                name,
                finished_us: at_us,
                response_time_us: Some(*time),
                content_length: 3,
                failure: time.is_multiple_of(2).then_some("even"),
                ..Sample::default()
            });
        }
        ledger.absorb(recorder.take());
        ledger.snapshot(at_us, 1)
    }

    proptest! {
        #[test]
        fn a_window_has_what_was_recorded_in_it(
            first in prop::collection::vec(1..5_000_000_u64, 0..1_500),
            second in prop::collection::vec(1..5_000_000_u64, 1..1_500),
        ) {
            let mut both = Ledger::new(Limits::default(), 1_000_000);
            let earlier = recorded(&mut both, &first, "/", 2_000_000);
            let window = recorded(&mut both, &second, "/", 4_000_000).since(&earlier);
            let alone = recorded(&mut Ledger::new(Limits::default(), 2_000_000), &second, "/", 4_000_000);
            prop_assert_eq!(window.total.num_requests, second.len() as u64);
            prop_assert_eq!(window.total.num_failures, alone.total.num_failures);
            prop_assert_eq!(window.total.total_response_time_us, alone.total.total_response_time_us);
            prop_assert_eq!(window.total.total_rps(), second.len() as f64 / 2.0);
            let fractions = [0.0, 0.5, 0.95, 1.0];
            let found = window.total.percentiles_ms(&fractions).expect("times");
            let exact = alone.total.percentiles_ms(&fractions).expect("times");
            for (found, exact) in found.iter().zip(exact) {
                prop_assert!((found - exact).abs() <= exact * 0.002, "{found} for {exact}");
            }
            let occurred: u64 = window.failures.iter().map(|row| row.occurrences).sum();
            prop_assert_eq!(occurred, window.total.num_failures);
        }
    }

    #[test]
    fn nothing_happened_between_a_snapshot_and_itself() {
        let mut ledger = Ledger::new(Limits::default(), 0);
        let snapshot = recorded(&mut ledger, &[1, 2, 3], "/", 2_000_000);
        let window = snapshot.since(&snapshot);
        assert_eq!(window.total.num_requests, 0);
        assert!(window.total.percentile_ms(0.5).is_err());
        assert!(window.failures.is_empty());
    }

    #[test]
    fn after_a_reset_everything_is_new() {
        let mut ledger = Ledger::new(Limits::default(), 0);
        let earlier = recorded(&mut ledger, &[1, 2, 3], "/", 2_000_000);
        ledger.reset(3_000_000);
        let window = recorded(&mut ledger, &[4], "/", 5_000_000).since(&earlier);
        assert_eq!(window.total.num_requests, 1);
    }
}
