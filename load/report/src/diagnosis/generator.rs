//! Whether the generator was the limit.

use super::moments::{POINTS_MIN, parts};
use super::{Advice, GENERATOR};
use crate::resources::Kind;
use crate::summary::RunSummary;

/// Above this share of the time, the thread that runs users is the bottleneck; in percent.
const BUSY: f32 = 90.0;
/// The share of a run in which it is so, before it is worth a word.
const OFTEN: f64 = 0.25;

/// The thread that runs users had no time left.
pub(super) fn is_busy(run: &RunSummary) -> Option<Advice> {
    let part = parts(run, Kind::Generator).next()?;
    let used: Vec<f32> = part
        .points
        .iter()
        .filter_map(|point| point.busiest_thread)
        .collect();
    let busy: Vec<f32> = used.iter().copied().filter(|used| *used >= BUSY).collect();
    let ratio = busy.len() as f64 / used.len().max(1) as f64;
    (busy.len() >= POINTS_MIN && ratio >= OFTEN).then(|| Advice {
        problem: GENERATOR,
        evidence: format!(
            "the thread that runs the users was busy, or waited for a core, {:.0} % of the time in {:.0} % of the run, so that \
             they asked for less than they would have",
            busy.iter().sum::<f32>() / busy.len() as f32,
            ratio * 100.0
        ),
        advice: "Response times hold, throughput is the generator's: let the tasks do less, or use fewer users",
    })
}
