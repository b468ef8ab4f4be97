//! Whether numbers in a row rise or fall: the Mann–Kendall test, and the Theil–Sen slope
//! with its confidence interval. Neither cares how the numbers are distributed, and a
//! single outlier moves neither.

use statrs::distribution::{ContinuousCDF, Normal};

/// Up to so many numbers without ties, the distribution of the test is counted out.
const EXACT_MAX: usize = 12;

/// What a row of numbers shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Monotone {
    /// How likely a row without a trend is to look like this, or more so, either way.
    pub(crate) p: f64,
    /// The median change from one number to the next.
    pub(crate) slope: f64,
    /// Where the slope lies with the confidence that was asked for; none with fewer than
    /// four numbers.
    pub(crate) interval: Option<(f64, f64)>,
}

/// Looks at numbers that follow each other; none with fewer than three. `confidence` is
/// that of the interval, such as 0.95. Costs the square of their number.
pub(crate) fn monotone(values: &[f64], confidence: f64) -> Option<Monotone> {
    let count = values.len();
    if count < 3 {
        return None;
    }
    let pairs = (0..count).flat_map(|first| (first + 1..count).map(move |second| (first, second)));
    let mut score = 0_i64;
    let mut slopes = Vec::with_capacity(count * (count - 1) / 2);
    for (first, second) in pairs {
        let change = values[second] - values[first];
        score += match change.total_cmp(&0.0) {
            _ if change == 0.0 => 0,
            std::cmp::Ordering::Greater => 1,
            _ => -1,
        };
        slopes.push(change / (second - first) as f64);
    }
    slopes.sort_by(f64::total_cmp);
    let variance = variance(values);
    Some(Monotone {
        p: probability(score, count, variance, has_ties(values)),
        slope: middle(&slopes),
        interval: interval(&slopes, variance, confidence).filter(|_| count >= 4),
    })
}

/// The middle one of numbers in order; of an even number the mean of two.
fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        (sorted[half - 1] + sorted[half]) / 2.0
    } else {
        sorted[half]
    }
}

fn sizes_of_ties(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let groups = sorted.chunk_by(|a, b| a == b);
    groups.map(|group| group.len() as f64).collect()
}

fn has_ties(values: &[f64]) -> bool {
    sizes_of_ties(values).iter().any(|size| *size > 1.0)
}

/// Of the score of a row in any order, with ties.
fn variance(values: &[f64]) -> f64 {
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let ties: f64 = sizes_of_ties(values).into_iter().map(term).sum();
    (term(values.len() as f64) - ties) / 18.0
}

fn probability(score: i64, count: usize, variance: f64, ties: bool) -> f64 {
    if count <= EXACT_MAX && !ties {
        return exact(score, count);
    }
    if variance <= 0.0 {
        return 1.0;
    }
    // Corrected for continuity: a score is a whole number.
    let z = (score.abs() as f64 - 1.0).max(0.0) / variance.sqrt();
    (2.0 * Normal::standard().sf(z)).min(1.0)
}

/// By counting orders of `count` different numbers by their inversions.
fn exact(score: i64, count: usize) -> f64 {
    let pairs = count * (count - 1) / 2;
    let mut orders = vec![1.0];
    for size in 2..=count {
        let mut longer = vec![0.0; orders.len() + size - 1];
        for (inversions, ways) in orders.iter().enumerate() {
            for more in 0..size {
                longer[inversions + more] += ways;
            }
        }
        orders = longer;
    }
    let all: f64 = orders.iter().sum();
    let as_far = |(inversions, _): &(usize, &f64)| {
        (pairs as i64 - 2 * *inversions as i64).abs() >= score.abs()
    };
    let far: f64 = orders
        .iter()
        .enumerate()
        .filter(as_far)
        .map(|(_, ways)| ways)
        .sum();
    far / all
}

/// The slopes that lie as many ranks from the ends as chance allows (Sen 1968).
fn interval(sorted: &[f64], variance: f64, confidence: f64) -> Option<(f64, f64)> {
    let z = Normal::standard().inverse_cdf(0.5 + confidence / 2.0);
    let reach = z * variance.sqrt();
    let pairs = sorted.len() as f64;
    let low = ((pairs - reach) / 2.0).floor() - 1.0;
    let high = ((pairs + reach) / 2.0).ceil();
    let at = |rank: f64| sorted.get(rank.clamp(0.0, pairs - 1.0) as usize).copied();
    Some((at(low)?, at(high)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_rows_are_judged_as_in_the_tables() {
        // Expected: Kendall's tables, that is the share of orders at least as far.
        for (values, p) in [
            (&[1.0, 2.0, 3.0][..], 2.0 / 6.0),
            (&[1.0, 2.0, 3.0, 4.0], 2.0 / 24.0),
            (&[4.0, 3.0, 2.0, 1.0], 2.0 / 24.0),
            (&[1.0, 2.0, 4.0, 3.0], 8.0 / 24.0),
            (&[2.0, 1.0, 4.0, 3.0, 5.0], 28.0 / 120.0),
        ] {
            let found = monotone(values, 0.95).expect("enough");
            assert!((found.p - p).abs() < 1e-12, "{values:?}: {}", found.p);
        }
        assert_eq!(monotone(&[1.0, 2.0], 0.95), None);
        assert_eq!(monotone(&[], 0.95), None);
    }

    #[test]
    fn nothing_that_varies_is_no_trend() {
        let flat = monotone(&[5.0; 20], 0.95).expect("enough");
        assert_eq!(
            (flat.p, flat.slope, flat.interval),
            (1.0, 0.0, Some((0.0, 0.0)))
        );
    }

    #[test]
    fn an_outlier_hides_no_slope() {
        let mut values: Vec<f64> = (0..30).map(|at| 100.0 + f64::from(at)).collect();
        values[7] = 9_000.0;
        let found = monotone(&values, 0.95).expect("enough");
        assert!(found.p < 1e-6);
        assert!((found.slope - 1.0).abs() < 0.01, "{}", found.slope);
    }

    #[test]
    fn rows_by_chance_are_called_a_trend_as_often_as_is_said() {
        let mut rng = fastrand::Rng::with_seed(11);
        for count in [8, 30] {
            let rows = 4_000;
            let (mut alarms, mut missed) = (0, 0);
            for _ in 0..rows {
                let values: Vec<f64> = (0..count).map(|_| rng.f64()).collect();
                let found = monotone(&values, 0.95).expect("enough");
                alarms += usize::from(found.p < 0.05);
                let (low, high) = found.interval.expect("enough");
                missed += usize::from(!(low..=high).contains(&0.0));
            }
            let share = |count: usize| count as f64 / f64::from(rows);
            assert!(share(alarms) < 0.06, "{count}: {}", share(alarms));
            assert!(share(missed) < 0.06, "{count}: {}", share(missed));
        }
    }

    proptest! {
        #[test]
        fn backwards_is_the_same_the_other_way(values in prop::collection::vec(-1e3..1e3_f64, 3..40)) {
            let there = monotone(&values, 0.95).expect("enough");
            let back: Vec<f64> = values.iter().rev().copied().collect();
            let back = monotone(&back, 0.95).expect("enough");
            prop_assert!((there.p - back.p).abs() < 1e-9);
            prop_assert!((there.slope + back.slope).abs() < 1e-9);
        }
    }
}
