//! Whether chance may have made a step's verdict.
//!
//! Batch means: a figure's values in windows one after the other scatter about the figure
//! itself, and Student's t says how far it may be from their average (Law and Kelton,
//! *Simulation Modeling and Analysis*). Shares of requests are also held to Wilson's interval,
//! since no failure among few requests says little.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::expect::{Expectation, Metric, requests_of, value_of};
use crate::summary::RunSummary;

/// How sure a verdict has to be.
const CONFIDENCE: f64 = 0.95;
/// Windows below which their scatter says too little.
const WINDOWS_MIN: usize = 3;

/// Whether the verdict on `expectation` in `whole` would have been the same wherever in its
/// confidence interval the figure lies. `windows` are the parts of the whole.
///
/// Never of counts and extremes, which are not the averages of their parts.
pub(super) fn is_sure(
    whole: &RunSummary,
    windows: &[RunSummary],
    expectation: &Expectation,
) -> bool {
    let averages = matches!(
        expectation.metric,
        Metric::Percentile(_) | Metric::Average | Metric::FailRatio | Metric::SuccessRatio
    );
    let values: Option<Vec<f64>> = windows.iter().map(|w| value_of(w, expectation)).collect();
    let (Some(value), Some(values)) = (value_of(whole, expectation), values) else {
        return false;
    };
    if !averages || values.len() < WINDOWS_MIN {
        return false;
    }
    let (mut low, mut high) = scatter(&values);
    if matches!(expectation.metric, Metric::FailRatio | Metric::SuccessRatio) {
        let (least, most) = wilson(value, requests_of(whole, expectation) as f64);
        (low, high) = (low.min(least), high.max(most));
    }
    let holds = |value| expectation.comparison.holds(value, expectation.limit);
    holds(low) == holds(value) && holds(high) == holds(value)
}

/// Where the mean of what `values` are drawn from lies.
fn scatter(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    let t = StudentsT::new(0.0, 1.0, count - 1.0).expect("there are degrees of freedom");
    let half = t.inverse_cdf(0.5 + CONFIDENCE / 2.0) * error;
    (mean - half, mean + half)
}

/// Wilson's interval of a share of `count` requests.
fn wilson(share: f64, count: f64) -> (f64, f64) {
    let z = Normal::standard().inverse_cdf(0.5 + CONFIDENCE / 2.0);
    let spread = z * z / count;
    let middle = (share + spread / 2.0) / (1.0 + spread);
    let half = z * (share * (1.0 - share) / count + spread / count / 4.0).sqrt() / (1.0 + spread);
    (middle - half, middle + half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::EntrySummary;

    /// A window whose requests all took `ms`, and of which some failed.
    fn window(ms: f64, requests: u64, failures: u64) -> RunSummary {
        RunSummary {
            total: EntrySummary {
                requests,
                failures,
                avg: Some(ms),
                max: Some(ms),
                ..EntrySummary::default()
            },
            ..RunSummary::default()
        }
    }

    fn sure(expectation: &str, averages: &[f64], requests: u64, failures: u64) -> bool {
        let windows: Vec<_> = averages
            .iter()
            .map(|ms| window(*ms, requests, failures))
            .collect();
        let (count, number) = (averages.len() as f64, averages.len() as u64);
        let mean = averages.iter().sum::<f64>() / count;
        let whole = window(mean, number * requests, number * failures);
        is_sure(&whole, &windows, &expectation.parse().expect(expectation))
    }

    #[test]
    fn a_figure_is_sure_that_scatters_less_than_it_is_away_from_its_limit() {
        // By hand: mean 100, deviation 2, t(3) 3.182: from 96.8 to 103.2.
        let averages = [98.0, 102.0, 98.0, 102.0];
        assert!(sure("avg < 104ms", &averages, 10, 0));
        assert!(!sure("avg < 103ms", &averages, 10, 0));
        assert!(!sure("avg < 98ms", &averages, 10, 0));
        assert!(sure("avg < 96ms", &averages, 10, 0), "surely not so");
        assert!(!sure("avg < 999ms", &averages[..2], 10, 0), "too few");
        assert!(!sure("max < 999ms", &averages, 10, 0), "an extreme");
    }

    #[test]
    fn a_share_of_few_requests_is_not_sure() {
        let averages = [1.0; 4];
        // By hand: 3.84 / (count + 3.84) is the most that may fail where none did.
        assert!(sure("fail_ratio < 1%", &averages, 100, 0));
        assert!(!sure("fail_ratio < 1%", &averages, 90, 0));
        assert!(!sure("success_ratio > 99%", &averages, 90, 0));
        assert!(sure("fail_ratio < 1%", &averages, 100, 5), "surely not so");
    }
}
