//! Whether two runs differ, with the confidence that their data allow.
//!
//! Requests of a run depend on their neighbours in time, so requests are not resampled one
//! by one but windows, in blocks of neighbours (a circular block bootstrap); that gives the
//! standard error of a figure. The ratio of two figures then has a confidence interval by
//! Student's t, wide enough that with [`CONFIDENCE`] not one of all the comparisons that
//! are made at once is a false alarm (Bonferroni).
//!
//! What differs between repetitions of a run (the machine's other work, caches) is in it
//! only as far as it varies within the runs.

mod figures;
mod resample;
mod text;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::windows::{EntryWindows, Window};
use figures::{Figures, METRICS, Metric};

pub use text::table;

/// That a comparison of two equal runs shows no difference at all.
pub const CONFIDENCE: f64 = 0.95;
/// Fewer windows than this in either run say nothing about certainty.
pub const WINDOWS_MIN: usize = 8;
/// Windows with fewer users than this share of the peak are the ramp, and left out.
const STEADY_SHARE: f64 = 0.9;

/// How two runs compare in one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The second run is better.
    Better,
    /// The second run is worse.
    Worse,
    /// There may be a difference, but these data do not show one.
    NotShown,
    /// There are too few windows, or requests, to say anything.
    TooLittle,
}

/// One figure of one name in both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// `GET /health`, or empty for all requests.
    pub label: String,
    /// `median`, `p95`, `average`, `fail ratio` or `requests/s`.
    pub metric: &'static str,
    /// In the first run: ms, a ratio, or per second.
    pub a: f64,
    /// In the second.
    pub b: f64,
    /// What `b` is more than `a`: a share of `a`, or for the fail ratio, the difference.
    pub change: f64,
    /// Where the change lies with the confidence of the whole comparison.
    pub interval: Option<(f64, f64)>,
    /// What follows.
    pub verdict: Verdict,
}

/// Two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Every figure of every name that both have; those of all requests first.
    pub differences: Vec<Difference>,
    /// Names that only the first run has.
    pub only_a: Vec<String>,
    /// Names that only the second run has.
    pub only_b: Vec<String>,
}

impl Comparison {
    /// Figures that got worse by more than `tolerance`, a share (or ratio points).
    pub fn regressions(&self, tolerance: f64) -> impl Iterator<Item = &Difference> {
        let beyond = move |difference: &&Difference| {
            difference.verdict == Verdict::Worse && difference.change.abs() > tolerance
        };
        self.differences.iter().filter(beyond)
    }
}

/// Compares a run with an earlier one. The same data give the same answer.
pub fn compare(a: &[EntryWindows], b: &[EntryWindows]) -> Comparison {
    let key = |entry: &EntryWindows| (entry.name.clone(), entry.method.clone());
    let find = |entries: &[EntryWindows], wanted: &EntryWindows| {
        entries
            .iter()
            .find(|entry| key(entry) == key(wanted))
            .cloned()
    };
    let mut pairs: Vec<_> = a
        .iter()
        .filter_map(|entry| Some((entry, find(b, entry)?)))
        .collect();
    pairs.sort_by_key(|(entry, _)| (!is_total(entry), key(entry)));
    let comparisons = pairs.len() * METRICS.len();
    let differences = pairs
        .iter()
        .flat_map(|(a, b)| differences(a, b, comparisons))
        .collect();
    let missing = |from: &[EntryWindows], others: &[EntryWindows]| {
        let gone = from.iter().filter(|entry| find(others, entry).is_none());
        gone.map(label).collect()
    };
    Comparison {
        differences,
        only_a: missing(a, b),
        only_b: missing(b, a),
    }
}

fn is_total(entry: &EntryWindows) -> bool {
    entry.method.is_empty() && entry.name == "Aggregated"
}

fn label(entry: &EntryWindows) -> String {
    format!("{} {}", entry.method, entry.name).trim().to_owned()
}

/// `comparisons` is how many are made at once.
fn differences(a: &EntryWindows, b: &EntryWindows, comparisons: usize) -> Vec<Difference> {
    let shown = if is_total(a) { String::new() } else { label(a) };
    let (a, b) = (
        Figures::of(&steady(&a.windows)),
        Figures::of(&steady(&b.windows)),
    );
    let difference = |metric: &Metric| {
        let (value_a, value_b) = (a.value(metric)?, b.value(metric)?);
        let interval = interval(&a, &b, metric, comparisons);
        let change = if metric.is_ratio {
            value_b - value_a
        } else {
            value_b / value_a - 1.0
        };
        Some(Difference {
            label: shown.clone(),
            metric: metric.name,
            a: value_a,
            b: value_b,
            change,
            interval,
            verdict: verdict(interval, metric.less_is_better),
        })
    };
    METRICS.iter().filter_map(difference).collect()
}

/// The windows with all users, unless there are too few of them.
fn steady(windows: &[Window]) -> Vec<Window> {
    let peak = windows.iter().map(|window| window.users).max().unwrap_or(0);
    let enough = |window: &&Window| window.users as f64 >= STEADY_SHARE * peak as f64;
    let steady: Vec<_> = windows.iter().filter(enough).cloned().collect();
    if steady.len() >= WINDOWS_MIN {
        steady
    } else {
        windows.to_vec()
    }
}

fn interval(a: &Figures, b: &Figures, metric: &Metric, comparisons: usize) -> Option<(f64, f64)> {
    if a.windows() < WINDOWS_MIN || b.windows() < WINDOWS_MIN {
        return None;
    }
    let (from, to) = (a.spread(metric)?, b.spread(metric)?);
    let error = from.error.hypot(to.error);
    let middle = to.middle - from.middle;
    // Welch's degrees of freedom, of blocks rather than of windows.
    let squares = |spread: &figures::Spread| spread.error.powi(4) / (spread.blocks - 1.0);
    let freedom = error.powi(4) / (squares(&from) + squares(&to));
    let reach = if error > 0.0 {
        let tail = (1.0 - CONFIDENCE) / 2.0 / comparisons.max(1) as f64;
        let t = StudentsT::new(0.0, 1.0, freedom.max(1.0)).ok()?;
        t.inverse_cdf(1.0 - tail) * error
    } else {
        0.0
    };
    let (low, high) = (middle - reach, middle + reach);
    Some(if metric.is_ratio {
        (low, high)
    } else {
        (low.exp() - 1.0, high.exp() - 1.0)
    })
}

fn verdict(interval: Option<(f64, f64)>, less_is_better: bool) -> Verdict {
    match interval {
        None => Verdict::TooLittle,
        Some((low, _)) if low > 0.0 && less_is_better => Verdict::Worse,
        Some((low, _)) if low > 0.0 => Verdict::Better,
        Some((_, high)) if high < 0.0 && less_is_better => Verdict::Better,
        Some((_, high)) if high < 0.0 => Verdict::Worse,
        Some(_) => Verdict::NotShown,
    }
}

#[cfg(test)]
mod tests;
