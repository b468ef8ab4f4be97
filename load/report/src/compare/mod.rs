//! Whether two runs differ, with the confidence that their data allow.
//!
//! Requests of a run depend on their neighbours in time, so requests are not resampled one
//! by one but windows, in blocks of neighbours (a circular block bootstrap); that gives the
//! standard error of a figure. The ratio of two figures then has a confidence interval by
//! Student's t, wide enough that with [`CONFIDENCE`] not one of all the comparisons that
//! are made at once is a false alarm.
//!
//! What differs between repetitions of a run (the machine's other work, caches) is in it
//! only as far as it varies within the runs.

mod figures;
mod resample;
mod text;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::windows::{EntryWindows, Window};
use figures::{Figures, METRICS, Metric, RESAMPLES, Spread};

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
    let rows: Vec<Row> = pairs.iter().flat_map(|(a, b)| rows(a, b)).collect();
    let confidence = confidence_of_a_row(&rows);
    let differences = rows.into_iter().map(|row| row.judged(confidence)).collect();
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

/// One figure of one name, before it is known how wide all intervals have to be.
struct Row {
    label: String,
    metric: &'static Metric,
    a: f64,
    b: f64,
    spreads: Option<(Spread, Spread)>,
}

fn rows(a: &EntryWindows, b: &EntryWindows) -> Vec<Row> {
    let shown = if is_total(a) { String::new() } else { label(a) };
    let (a, b) = (
        Figures::of(&steady(&a.windows), 1),
        Figures::of(&steady(&b.windows), 2),
    );
    let enough = a.windows() >= WINDOWS_MIN && b.windows() >= WINDOWS_MIN;
    let row = |(at, metric): (usize, &'static Metric)| {
        let spreads = || a.spread(at).zip(b.spread(at));
        Some(Row {
            label: shown.clone(),
            metric,
            a: a.value(metric)?,
            b: b.value(metric)?,
            spreads: enough.then(spreads).flatten(),
        })
    };
    METRICS.iter().enumerate().filter_map(row).collect()
}

/// How certain a row has to be, so that with [`CONFIDENCE`] no row at all of equal runs seems
/// to differ.
///
/// Rows of a run rise and fall together, so that they need less width than as many
/// independent ones would (which is the bound here). What they need is seen in the resamples,
/// in which the runs are equal: the widest deviation among all rows, in standard errors, is
/// within the width in as many of them as [`CONFIDENCE`] says (a "max-t" of Westfall and Young).
fn confidence_of_a_row(rows: &[Row]) -> f64 {
    let spreads: Vec<_> = rows.iter().filter_map(|row| row.spreads.as_ref()).collect();
    let mut widest = [0.0_f64; RESAMPLES];
    for (from, to) in &spreads {
        let error = from.error.hypot(to.error);
        let deviations = from.deviations.iter().zip(&to.deviations);
        for (widest, (from, to)) in widest.iter_mut().zip(deviations) {
            if error > 0.0 {
                *widest = widest.max((to - from).abs() / error);
            }
        }
    }
    widest.sort_unstable_by(f64::total_cmp);
    let width = widest[(CONFIDENCE * RESAMPLES as f64) as usize];
    let normal = Normal::standard();
    let inside = 1.0 - 2.0 * normal.sf(width);
    let independent = 1.0 - (1.0 - CONFIDENCE) / spreads.len().max(1) as f64;
    inside.clamp(CONFIDENCE, independent)
}

impl Row {
    fn judged(self, confidence: f64) -> Difference {
        let interval = self.interval(confidence);
        Difference {
            label: self.label,
            metric: self.metric.name,
            a: self.a,
            b: self.b,
            change: if self.metric.is_ratio {
                self.b - self.a
            } else {
                self.b / self.a - 1.0
            },
            interval,
            verdict: verdict(interval, self.metric.less_is_better),
        }
    }

    fn interval(&self, confidence: f64) -> Option<(f64, f64)> {
        let (from, to) = self.spreads.as_ref()?;
        let error = from.error.hypot(to.error);
        let middle = to.middle - from.middle;
        // Welch's degrees of freedom.
        let squares = |spread: &Spread| spread.error.powi(4) / spread.freedom;
        let freedom = error.powi(4) / (squares(from) + squares(to));
        let reach = if error > 0.0 {
            let t = StudentsT::new(0.0, 1.0, freedom.max(1.0)).ok()?;
            t.inverse_cdf(1.0 - (1.0 - confidence) / 2.0) * error
        } else {
            0.0
        };
        let (low, high) = (middle - reach, middle + reach);
        Some(if self.metric.is_ratio {
            // No ratio changes by more than everything.
            (low.max(-1.0), high.min(1.0))
        } else {
            (low.exp() - 1.0, high.exp() - 1.0)
        })
    }
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
