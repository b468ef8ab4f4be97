//! `--abort-on`: ends a run early when it has become what nobody wants to go on with.

use acrida_report::expect::{self, Expectation};
use acrida_report::summary::RunSummary;
use acrida_stats::Snapshot;

/// A window's length. One that is looked at on its own notices what an average over a
/// long run would hide.
const WINDOW_US: u64 = 10_000_000;

/// Looks at each ten seconds of a run for itself.
#[derive(Debug)]
pub(super) struct AbortWatch {
    conditions: Vec<Expectation>,
    /// Where the window that goes on has begun.
    begin: Option<Snapshot>,
}

impl AbortWatch {
    pub(super) fn new(conditions: Vec<Expectation>) -> Self {
        Self {
            conditions,
            begin: None,
        }
    }

    /// Whether there is anything to look at.
    pub(super) fn is_idle(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Takes a snapshot, about once a second; says why to end if a condition is met in a
    /// window that is complete now.
    pub(super) fn observe(&mut self, snapshot: &Snapshot) -> Option<String> {
        let begin = self.begin.get_or_insert_with(|| snapshot.clone());
        if begin.start_us != snapshot.start_us {
            *begin = snapshot.clone();
        }
        if snapshot.taken_us.saturating_sub(begin.taken_us) < WINDOW_US {
            return None;
        }
        let window = snapshot.since(begin);
        *begin = snapshot.clone();
        let fractions: Vec<_> = self
            .conditions
            .iter()
            .filter_map(Expectation::fraction)
            .collect();
        let summary = RunSummary::of(&window, &fractions);
        let outcomes = expect::judge(&summary, &self.conditions);
        let met = outcomes.iter().find(|outcome| outcome.passed)?;
        let scope = match &*met.scope {
            "" => String::new(),
            scope => format!("{scope}: "),
        };
        Some(format!(
            "{scope}{} was {} in the last {} seconds ({})",
            met.metric,
            met.value,
            WINDOW_US / 1_000_000,
            met.limit
        ))
    }
}

#[cfg(test)]
mod tests {
    use acrida_stats::{Ledger, Limits, Recorder, Sample};

    use super::*;

    fn second(ledger: &mut Ledger, second: u64, ms: u64) -> Snapshot {
        let mut recorder = Recorder::new(Limits::default());
        recorder.record(&Sample {
            method: "GET",
            name: "/",
            finished_us: second * 1_000_000,
            response_time_us: Some(ms * 1_000),
            content_length: 0,
            failure: None,
            ..Sample::default()
        });
        ledger.absorb(recorder.take());
        ledger.snapshot(second * 1_000_000, 1)
    }

    #[test]
    fn a_bad_window_is_noticed_after_a_long_good_time() {
        let mut ledger = Ledger::new(Limits::default(), 0);
        let mut watch = AbortWatch::new(vec!["p50 > 100ms".parse().expect("a condition")]);
        for at in 1..=1_000 {
            let snapshot = second(&mut ledger, at, 5);
            assert_eq!(watch.observe(&snapshot), None, "second {at}");
        }
        let ends: Vec<_> = (1_001..=1_011)
            .filter_map(|at| watch.observe(&second(&mut ledger, at, 500)))
            .collect();
        assert_eq!(ends, ["p50 was 500ms in the last 10 seconds (> 100ms)"]);
    }
}
