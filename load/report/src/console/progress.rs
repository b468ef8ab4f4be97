//! One line about a run, for a terminal that shows it again and again.

use std::time::Duration;

use acrida_stats::Snapshot;

use super::style::Style;
use super::{counted, ms};

/// Time, users, requests per second, failures, and the 95th percentile of the
/// last ten seconds, without a line end.
pub fn progress_line(
    snapshot: &Snapshot,
    elapsed: Duration,
    run_time: Option<Duration>,
    style: Style,
) -> String {
    let total = &snapshot.total;
    let time = match run_time {
        Some(run_time) => format!("{} / {}", clock(elapsed), clock(run_time)),
        None => clock(elapsed),
    };
    let mut failures = counted(total.num_failures, "failure", "failures");
    if total.num_failures > 0 {
        failures = style.bad(&failures);
    }
    let p95 = match total.current_percentiles_ms(&[0.95]) {
        Ok(times) => format!("{} ms", ms(Ok(times[0]))),
        Err(_) => "–".to_owned(),
    };
    let parts = [
        style.strong(&time),
        counted(snapshot.user_count, "user", "users"),
        format!("{:.1} req/s", total.current_rps()),
        failures,
        format!("p95 {p95}"),
    ];
    parts.join("  ")
}

/// Minutes and seconds, and hours if there are any.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}
