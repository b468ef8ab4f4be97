//! The load-testing guide's Key Metrics, graded.

use acrida_stats::Snapshot;
use serde::Serialize;

/// How good a figure is, in the guide's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grade {
    Good,
    Acceptable,
    Poor,
}

/// One line of the table. `value` is missing until something was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) value: Option<f64>,
    pub(crate) unit: &'static str,
    pub(crate) grade: Option<Grade>,
    /// Better than this is good; worse than the other is poor.
    pub(crate) good: f64,
    pub(crate) poor: f64,
    /// Whether less is better.
    pub(crate) less: bool,
}

/// The table for the whole test so far.
pub(crate) fn key_metrics(snapshot: &Snapshot) -> [Metric; 5] {
    let total = &snapshot.total;
    let times = total.percentiles_ms(&[0.5, 0.95, 0.99]).ok();
    let time = |at: usize| times.as_ref().map(|times| times[at]);
    let any = total.num_requests > 0;
    [
        metric("Response time (p50)", time(0), "ms", 200.0, 500.0),
        metric("Response time (p95)", time(1), "ms", 500.0, 1_000.0),
        metric("Response time (p99)", time(2), "ms", 1_000.0, 2_000.0),
        metric(
            "Error rate",
            any.then(|| total.fail_ratio() * 100.0),
            "%",
            0.1,
            1.0,
        ),
        metric(
            "Throughput",
            any.then(|| total.total_rps()),
            "RPS",
            100.0,
            50.0,
        ),
    ]
}

fn metric(
    name: &'static str,
    value: Option<f64>,
    unit: &'static str,
    good: f64,
    poor: f64,
) -> Metric {
    let less = good < poor;
    let grade = value.map(|value| grade(value, good, poor));
    Metric {
        name,
        value,
        unit,
        grade,
        good,
        poor,
        less,
    }
}

/// Good beyond `good`, poor beyond `poor`, acceptable between them and at both.
fn grade(value: f64, good: f64, poor: f64) -> Grade {
    let (is_good, is_poor) = if good < poor {
        (value < good, value > poor)
    } else {
        (value > good, value < poor)
    };
    match (is_good, is_poor) {
        (true, _) => Grade::Good,
        (_, true) => Grade::Poor,
        _ => Grade::Acceptable,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Grade::{Acceptable, Good, Poor},
        *,
    };

    #[test]
    fn grades_are_the_guides() {
        for (value, good, poor, expected) in [
            (199.9, 200.0, 500.0, Good),
            (200.0, 200.0, 500.0, Acceptable),
            (500.0, 200.0, 500.0, Acceptable),
            (500.1, 200.0, 500.0, Poor),
            (100.1, 100.0, 50.0, Good),
            (100.0, 100.0, 50.0, Acceptable),
            (49.9, 100.0, 50.0, Poor),
        ] {
            assert_eq!(grade(value, good, poor), expected, "{value}");
        }
    }

    #[test]
    fn nothing_is_graded_before_it_is_measured() {
        let ledger = acrida_stats::Ledger::new(acrida_stats::Limits::default(), 0);
        let metrics = key_metrics(&ledger.snapshot(1, 0));
        assert!(
            metrics
                .iter()
                .all(|metric| metric.value.is_none() && metric.grade.is_none())
        );
    }
}
