//! Whether throughput and response times have settled.

use std::collections::VecDeque;

use acrida_stats::{EntrySnapshot, Snapshot};

/// The length of a window.
const WINDOW_US: u64 = 3_000_000;
/// Windows that are looked at: two against two.
const WINDOWS: usize = 4;
/// What two halves may differ by, besides what chance does.
const TOLERANCE: f64 = 0.1;
/// Standard errors that chance is allowed.
const ERRORS: f64 = 2.0;

/// Looks at the newest windows of a step.
#[derive(Debug, Default)]
pub(super) struct Steadiness {
    /// Snapshots a window apart, oldest first.
    marks: VecDeque<Snapshot>,
}

impl Steadiness {
    /// Takes a snapshot; whether the newest windows are steady, if that has just become
    /// known.
    pub(super) fn observe(&mut self, snapshot: &Snapshot) -> Option<bool> {
        let due = self
            .marks
            .back()
            .is_none_or(|mark| snapshot.taken_us >= mark.taken_us + WINDOW_US);
        if !due {
            return None;
        }
        self.marks.push_back(snapshot.clone());
        if self.marks.len() <= WINDOWS {
            return None;
        }
        let (first, middle) = (&self.marks[0], &self.marks[WINDOWS / 2]);
        let (earlier, later) = (middle.since(first), snapshot.since(middle));
        let steady = is_same_rate(&earlier, &later) && is_same_time(&earlier.total, &later.total);
        if !steady {
            self.marks.pop_front();
        }
        Some(steady)
    }

    /// The newest windows, one by one.
    pub(super) fn windows(&self) -> impl Iterator<Item = Snapshot> {
        let marks = self.marks.iter();
        marks
            .clone()
            .skip(1)
            .zip(marks)
            .map(|(end, start)| end.since(start))
    }

    /// What happened in the newest windows.
    pub(super) fn measured(&self, snapshot: &Snapshot) -> Option<Snapshot> {
        self.marks.front().map(|first| snapshot.since(first))
    }
}

fn is_same_rate(earlier: &Snapshot, later: &Snapshot) -> bool {
    let (a, b) = (earlier.total.total_rps(), later.total.total_rps());
    let count = (earlier.total.num_requests + later.total.num_requests) as f64;
    let seconds = (later.taken_us - later.start_us) as f64 / 1e6;
    (a - b).abs() <= TOLERANCE * a.max(b) + ERRORS * count.sqrt() / seconds.max(1e-3)
}

fn is_same_time(earlier: &EntrySnapshot, later: &EntrySnapshot) -> bool {
    let ((a, error_a), (b, error_b)) = match (moments(earlier), moments(later)) {
        (Some(a), Some(b)) => (a, b),
        // A service that answers nothing is steady in that.
        (None, None) => return true,
        _ => return false,
    };
    (a - b).abs() <= TOLERANCE * a.max(b) + ERRORS * error_a.hypot(error_b)
}

/// The average in µs, and its standard error.
fn moments(entry: &EntrySnapshot) -> Option<(f64, f64)> {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    entry.for_each_time_us(|time, times| {
        let (time, times) = (time as f64, times as f64);
        count += times;
        sum += time * times;
        squares += time * time * times;
    });
    if count == 0.0 {
        return None;
    }
    let mean = sum / count;
    let variance = (squares / count - mean * mean).max(0.0);
    Some((mean, (variance / count).sqrt()))
}
