//! The load-testing guide's Key Metrics, graded.

use serde::Serialize;

use crate::summary::EntrySummary;

/// How good a figure is, in the guide's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Better than the guide's first bound.
    Good,
    /// Between the bounds, or at one of them.
    Acceptable,
    /// Worse than the second.
    Poor,
}

/// One line of the table. `value` is missing until something was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// The guide's name for it.
    pub name: &'static str,
    /// How it was, in `unit`.
    pub value: Option<f64>,
    /// `ms`, `%` or `RPS`.
    pub unit: &'static str,
    /// How good that is.
    pub grade: Option<Grade>,
    /// Better than this is good; worse than the other is poor.
    pub good: f64,
    /// See `good`.
    pub poor: f64,
    /// Whether less is better.
    pub less: bool,
}

/// The fractions of the percentiles that are graded.
pub const FRACTIONS: [f64; 3] = [0.5, 0.95, 0.99];

/// The table for all requests of a test; percentiles at [`FRACTIONS`] are looked at. How fast
/// requests failed is no grade of the service's, where none was answered well.
pub fn key_metrics(total: &EntrySummary) -> [Metric; 5] {
    let [p50, p95, p99] = FRACTIONS.map(|fraction| total.percentile(fraction));
    let errors = total.fail_ratio().map(|ratio| ratio * 100.0);
    let rps = (total.requests > 0).then_some(total.rps);
    let all_failed = total.failures == total.requests;
    let time = |name, value, good, poor| {
        let metric = metric(name, value, "ms", good, poor);
        let grade = metric.grade.filter(|_| !all_failed);
        Metric { grade, ..metric }
    };
    [
        time("Response time (p50)", p50, 200.0, 500.0),
        time("Response time (p95)", p95, 500.0, 1_000.0),
        time("Response time (p99)", p99, 1_000.0, 2_000.0),
        metric("Error rate", errors, "%", 0.1, 1.0),
        metric("Throughput", rps, "RPS", 100.0, 50.0),
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
    fn how_fast_requests_fail_is_not_graded() {
        let total = |failures| EntrySummary {
            requests: 5,
            failures,
            percentiles: FRACTIONS.map(|fraction| (fraction, 1.0)).to_vec(),
            ..EntrySummary::default()
        };
        let grades = |failures| key_metrics(&total(failures)).map(|metric| metric.grade);
        assert_eq!(
            grades(4)[..4],
            [Some(Good), Some(Good), Some(Good), Some(Poor)]
        );
        assert_eq!(grades(5)[..4], [None, None, None, Some(Poor)]);
    }

    #[test]
    fn nothing_is_graded_before_it_is_measured() {
        let metrics = key_metrics(&EntrySummary::default());
        assert!(
            metrics
                .iter()
                .all(|metric| metric.value.is_none() && metric.grade.is_none())
        );
    }
}
