//! How busy this process is: a generator that is out of breath makes less load than
//! its users ask for. (Response times are taken beside the socket and stay true.)

use std::fs;
use std::time::{Duration, Instant};

use serde::Serialize;

/// Above this share of one core, the thread that runs users is the bottleneck.
const BOUND_PERCENT: f64 = 90.0;
/// From this delay on, in ms, it is said that users have to wait; a busy interpreter is
/// late by less.
const LATE_MS: f64 = 200.0;
/// Linux counts CPU time in hundredths of a second wherever programs can see it.
const TICKS_PER_SECOND: f64 = 100.0;

/// How busy the generator was over the last beat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Load {
    /// CPU of the whole process, in percent of one core.
    pub cpu: f64,
    /// CPU of the thread that runs users, in percent of one core.
    pub users_cpu: f64,
    /// Memory in MB.
    pub memory: f64,
    /// Cores of the machine.
    pub cores: usize,
    /// The most that the event loop of users was late, in ms; none where nobody looks.
    pub lag_ms: Option<f64>,
    /// Whether that is so long that users wait for it.
    pub late: bool,
    /// Whether the load may be the generator's own limit.
    pub bound: bool,
}

/// Looks at the process from beat to beat.
#[derive(Debug, Default)]
pub struct Gauge(Option<(Instant, f64, f64)>);

impl Gauge {
    /// The load since the last look, in which the event loop was late by `lag`; nothing
    /// where the system does not tell.
    pub fn look(&mut self, lag: Option<Duration>) -> Load {
        let now = Instant::now();
        let lag_ms = lag.map(|lag| lag.as_secs_f64() * 1e3);
        let process = cpu_seconds("/proc/self/stat");
        let users = cpu_seconds(&format!("/proc/self/task/{}/stat", std::process::id()));
        let before = self.0.replace((now, process, users));
        let Some((at, process_before, users_before)) = before else {
            return Load {
                lag_ms,
                cores: cores(),
                memory: memory_mb(),
                ..Load::default()
            };
        };
        let percent = |from: f64, to: f64| {
            let seconds = now.duration_since(at).as_secs_f64();
            if seconds > 0.0 {
                (to - from).max(0.0) / seconds * 100.0
            } else {
                0.0
            }
        };
        let users_cpu = percent(users_before, users);
        Load {
            cpu: percent(process_before, process),
            users_cpu,
            memory: memory_mb(),
            cores: cores(),
            lag_ms,
            late: lag_ms.is_some_and(|ms| ms >= LATE_MS),
            bound: users_cpu > BOUND_PERCENT,
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn cpu_seconds(path: &str) -> f64 {
    fs::read_to_string(path)
        .ok()
        .and_then(|text| cpu_of_stat(&text))
        .unwrap_or(0.0)
}

/// Seconds of CPU in a line of `/proc/…/stat`, whose second field may have spaces.
fn cpu_of_stat(line: &str) -> Option<f64> {
    let (_, fields) = line.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn memory_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kb.unwrap_or(0.0) / 1_024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_any_name() {
        let line = "42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20";
        assert_eq!(cpu_of_stat(line), Some(2.0));
        assert_eq!(cpu_of_stat("nonsense"), None);
    }
}
