//! How a run went on and what its parts used, side by side.

use crate::course::Point;
use crate::resources::{Kind, Part, Usage};
use crate::summary::RunSummary;

/// Points of either side that a comparison needs.
pub(super) const POINTS_MIN: usize = 5;
/// The least that two times may be apart and still be the same moment, in seconds.
const SAME_S: f64 = 1.5;

/// Each point of the course with what a part used then, where that was seen.
pub(super) fn together<'a>(run: &'a RunSummary, part: &'a Part) -> Vec<(&'a Point, &'a Usage)> {
    let reach = spacing(&run.course).max(SAME_S);
    let nearest = |point: &&'a Point| {
        let after = part.points.partition_point(|usage| usage.t < point.t);
        let around = &part.points[after.saturating_sub(1)..(after + 1).min(part.points.len())];
        let distance = |usage: &&Usage| (usage.t - point.t).abs();
        around
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .filter(|usage| distance(usage) <= reach)
    };
    run.course
        .iter()
        .filter_map(|point| Some((point, nearest(&point)?)))
        .collect()
}

/// Half of what is usual between two points.
fn spacing(course: &[Point]) -> f64 {
    let mut gaps: Vec<f64> = course
        .windows(2)
        .map(|pair| pair[1].t - pair[0].t)
        .collect();
    quantile(&mut gaps, 0.5).unwrap_or(0.0) / 2.0
}

/// Parts of one kind.
pub(super) fn parts(run: &RunSummary, kind: Kind) -> impl Iterator<Item = &Part> {
    run.resources.iter().filter(move |part| part.kind == kind)
}

/// The most users that ran.
pub(super) fn peak(run: &RunSummary) -> u64 {
    run.course
        .iter()
        .map(|point| point.users)
        .max()
        .unwrap_or(0)
}

/// The value at a share of the sorted ones; none of none.
pub(super) fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * share).round() as usize).copied()
}

/// Two groups of numbers of which the second is higher: the medians.
///
/// None unless both have enough numbers, the median rose by `factor` at least, and the
/// middle halves of the groups do not overlap.
pub(super) fn rise(mut low: Vec<f64>, mut high: Vec<f64>, factor: f64) -> Option<(f64, f64)> {
    if low.len() < POINTS_MIN || high.len() < POINTS_MIN {
        return None;
    }
    let (from, to) = (quantile(&mut low, 0.5)?, quantile(&mut high, 0.5)?);
    let apart = quantile(&mut low, 0.75)? < quantile(&mut high, 0.25)?;
    (apart && to >= factor * from).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_is_one_only_if_the_groups_are_apart() {
        let around = |middle: f64| {
            vec![
                middle - 10.0,
                middle - 1.0,
                middle,
                middle + 1.0,
                middle + 10.0,
            ]
        };
        assert_eq!(
            rise(around(100.0), around(300.0), 2.0),
            Some((100.0, 300.0))
        );
        assert_eq!(rise(around(100.0), around(150.0), 2.0), None, "too little");
        assert_eq!(rise(vec![100.0; 4], around(300.0), 2.0), None, "too few");
        let wide = vec![1.0, 1.0, 100.0, 900.0, 900.0];
        assert_eq!(rise(wide, around(300.0), 2.0), None, "overlapping");
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
