//! Whether the generator was the limit.

use super::moments::{POINTS_MIN, parts};
use super::{Advice, GENERATOR};
use crate::resources::Kind;
use crate::summary::RunSummary;

/// Above this share of the time, the thread that runs users is the bottleneck; in percent.
const BUSY: f32 = 90.0;
/// The share of a run in which it is so, before it is worth a word.
const OFTEN: f64 = 0.25;
/// From this delay of the event loop on users wait; a busy interpreter is late by less. In ms,
/// as on the web page.
const LATE_MS: f32 = 200.0;
/// The same as [`OFTEN`], of looks at the event loop: users that are late once a few seconds
/// have made another load than they should have.
const LATE_OFTEN: f64 = 0.1;

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

/// Users had to wait although their thread had time left.
pub(super) fn is_late(run: &RunSummary) -> Option<Advice> {
    if is_busy(run).is_some() {
        return None;
    }
    let part = parts(run, Kind::Generator).next()?;
    let lags: Vec<f32> = part
        .points
        .iter()
        .filter_map(|point| point.lag_ms)
        .collect();
    let late: Vec<f32> = lags.iter().copied().filter(|lag| *lag >= LATE_MS).collect();
    let ratio = late.len() as f64 / lags.len().max(1) as f64;
    let most = late.iter().copied().fold(0.0, f32::max);
    (late.len() >= POINTS_MIN && ratio >= LATE_OFTEN).then(|| Advice {
        problem: GENERATOR,
        evidence: format!(
            "users waited for the event loop, which was {LATE_MS:.0} ms late or more in {:.0} % of the run, {most:.0} ms at most",
            ratio * 100.0
        ),
        advice: "Something in the locustfile blocks it (time.sleep, a driver that gevent does not know, long computing), or \
                 other programs take its core; response times hold, but requests began later than they should have",
    })
}
