//! A run in short windows, each with its response times: what can be resampled to say how
//! certain a figure is.
//!
//! Pure: snapshots go in, with their own times. Bounds: [`WINDOWS_MAX`] windows, of which
//! neighbours merge, for each of at most [`NAMES_MAX`] names and for all together.

use std::collections::{BTreeMap, VecDeque};

use acrida_stats::{EntrySnapshot, SECONDS_TIMED, Snapshot};

use crate::series::{Merge, Series};

/// The most windows of a run; one is a second at first, and longer in longer runs.
pub const WINDOWS_MAX: usize = 120;
/// Names with windows of their own, the first ones; the others are in the total only.
pub const NAMES_MAX: usize = 200;
/// Requests that finished this long ago are all in a snapshot.
const SETTLED_S: u64 = 2;

/// What happened in one window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// How long it is.
    pub seconds: u32,
    /// The fewest users that ran in it.
    pub users: u64,
    /// Requests.
    pub requests: u64,
    /// Those among them that failed.
    pub failures: u64,
    /// Pairs of a response time in µs, to three significant digits, and how many requests
    /// took it; times ascend.
    pub times: Vec<(u64, u64)>,
}

impl Merge for Window {
    fn merge(&mut self, later: &Self) {
        self.users = if self.seconds == 0 {
            later.users
        } else {
            self.users.min(later.users)
        };
        self.seconds += later.seconds;
        self.requests += later.requests;
        self.failures += later.failures;
        let both = self.times.iter().chain(&later.times);
        self.times = sorted(both.copied());
    }
}

/// The windows of a name, or of all requests (`Aggregated`, without a method).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryWindows {
    /// `GET` and so on.
    pub method: String,
    /// What the requests were counted under.
    pub name: String,
    /// Oldest first.
    pub windows: Vec<Window>,
}

/// Gathers windows while a run goes on.
#[derive(Debug)]
pub struct WindowLog {
    start_us: u64,
    /// The first second that is not in a window yet.
    next_s: u64,
    total: Series<Window>,
    entries: BTreeMap<(String, String), Series<Window>>,
    /// Seconds that are in windows.
    logged: u64,
    /// How many users ran when, lately: pairs of a second and a number.
    users: VecDeque<(u64, u64)>,
}

impl Default for WindowLog {
    fn default() -> Self {
        Self {
            start_us: 0,
            next_s: 0,
            total: Series::with_max(WINDOWS_MAX),
            entries: BTreeMap::new(),
            logged: 0,
            users: VecDeque::new(),
        }
    }
}

impl WindowLog {
    /// Takes in the seconds that are complete, the first whole one of the run first; to be called at least every
    /// [`SECONDS_TIMED`] seconds, or some are left out. Another start begins anew.
    pub fn observe(&mut self, snapshot: &Snapshot) {
        let now_s = snapshot.taken_us / 1_000_000;
        if self.users.len() == SECONDS_TIMED {
            self.users.pop_front();
        }
        self.users.push_back((now_s, snapshot.user_count));
        self.take_until(snapshot, (now_s + 1).saturating_sub(SETTLED_S));
    }

    /// Takes in what is left at the end of a run, but for its last second, which may not
    /// have been a whole one.
    pub fn finish(&mut self, snapshot: &Snapshot) -> Vec<EntryWindows> {
        let last_s = snapshot.last_request_us.unwrap_or(0) / 1_000_000;
        self.take_until(snapshot, last_s);
        let windows = |series: &Series<Window>| series.iter().cloned().collect();
        let total = EntryWindows {
            method: String::new(),
            name: "Aggregated".to_owned(),
            windows: windows(&self.total),
        };
        let entries = self
            .entries
            .iter()
            .map(|((name, method), series)| EntryWindows {
                method: method.clone(),
                name: name.clone(),
                windows: windows(series),
            });
        entries.chain([total]).collect()
    }

    fn take_until(&mut self, snapshot: &Snapshot, end_s: u64) {
        if snapshot.start_us != self.start_us {
            *self = Self {
                start_us: snapshot.start_us,
                next_s: snapshot.start_us.div_ceil(1_000_000),
                users: std::mem::take(&mut self.users),
                ..Self::default()
            };
        }
        let oldest = end_s.saturating_sub(SECONDS_TIMED as u64 - 1);
        for second in self.next_s.max(oldest)..end_s {
            self.take_second(snapshot, second);
        }
        self.next_s = self.next_s.max(end_s);
    }

    /// Users that ran when this second began, as far as that was seen.
    fn users_in(&self, second: u64) -> u64 {
        let seen = self.users.iter().rev().find(|(at, _)| *at <= second);
        seen.map_or(0, |(_, users)| *users)
    }

    fn take_second(&mut self, snapshot: &Snapshot, second: u64) {
        let users = self.users_in(second);
        self.total.push(window(&snapshot.total, second, users));
        for entry in &snapshot.entries {
            let key = (entry.name.clone(), entry.method.clone());
            if self.entries.len() >= NAMES_MAX && !self.entries.contains_key(&key) {
                continue;
            }
            let series = self.entries.entry(key).or_insert_with(|| {
                // It had no requests before: the same seconds as in the total, all idle.
                let mut idle = Series::with_max(WINDOWS_MAX);
                let second = Window {
                    seconds: 1,
                    ..Window::default()
                };
                (0..self.logged).for_each(|_| idle.push(second.clone()));
                idle
            });
            series.push(window(entry, second, users));
        }
        self.logged += 1;
    }
}

fn window(entry: &EntrySnapshot, second: u64, users: u64) -> Window {
    let mut times = Vec::new();
    let count = entry.second(second, |time, count| {
        times.push((three_digits(time), count))
    });
    Window {
        seconds: 1,
        users,
        requests: count.requests,
        failures: count.failures,
        times: sorted(times.into_iter()),
    }
}

/// Each time once, ascending.
fn sorted(times: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut counts = BTreeMap::new();
    for (time, count) in times {
        *counts.entry(time).or_insert(0) += count;
    }
    counts.into_iter().collect()
}

/// The nearest number with three significant digits.
fn three_digits(time_us: u64) -> u64 {
    let mut unit = 1;
    while time_us / unit >= 1_000 {
        unit *= 10;
    }
    (time_us + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use acrida_stats::{Ledger, Limits, Recorder, Sample};

    use super::*;

    fn record(ledger: &mut Ledger, name: &str, at_s: u64, times: &[u64]) {
        let mut recorder = Recorder::new(Limits::default());
        for time in times {
            recorder.record(&Sample {
                method: "GET",
                name,
                finished_us: at_s * 1_000_000 + 500_000,
                response_time_us: Some(*time),
                content_length: 0,
                failure: None,
                ..Sample::default()
            });
        }
        ledger.absorb(recorder.take());
    }

    #[test]
    fn every_request_of_a_whole_second_is_in_exactly_one_window() {
        let mut ledger = Ledger::new(Limits::default(), 100_000_000);
        let mut log = WindowLog::default();
        for second in 100..400_u64 {
            record(&mut ledger, "/a", second, &[1_000, 2_345]);
            if second >= 300 {
                record(&mut ledger, "/b", second, &[7]);
            }
            log.observe(&ledger.snapshot((second + 1) * 1_000_000, 3));
        }
        let all = log.finish(&ledger.snapshot(400_500_000, 0));
        let labels: Vec<_> = all.iter().map(|entry| &*entry.name).collect();
        assert_eq!(labels, ["/a", "/b", "Aggregated"]);
        for (entry, requests) in all.iter().zip([598, 99, 697]) {
            assert!(entry.windows.len() <= WINDOWS_MAX + 1);
            assert_eq!(
                entry
                    .windows
                    .iter()
                    .map(|window| window.requests)
                    .sum::<u64>(),
                requests
            );
            assert_eq!(
                entry
                    .windows
                    .iter()
                    .map(|window| window.seconds)
                    .sum::<u32>(),
                299
            );
            let timed: u64 = entry
                .windows
                .iter()
                .flat_map(|window| &window.times)
                .map(|(_, count)| count)
                .sum();
            assert_eq!(timed, requests);
        }
        assert_eq!(all[0].windows[0].times[1].0, 2_350, "three digits");
    }

    #[test]
    fn another_start_begins_anew() {
        let mut ledger = Ledger::new(Limits::default(), 0);
        let mut log = WindowLog::default();
        record(&mut ledger, "/a", 1, &[5]);
        log.observe(&ledger.snapshot(5_000_000, 1));
        ledger.reset(6_000_000);
        record(&mut ledger, "/a", 7, &[5, 6]);
        record(&mut ledger, "/a", 8, &[9]);
        let all = log.finish(&ledger.snapshot(9_000_000, 1));
        assert_eq!(
            all[1]
                .windows
                .iter()
                .map(|window| window.requests)
                .sum::<u64>(),
            2
        );
    }
}
