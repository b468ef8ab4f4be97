//! Whether a scenario gets better or worse from run to run.
//!
//! Pure: figures of runs go in, oldest first. For each metric the Mann–Kendall test says
//! whether there is a trend, Theil and Sen's slope how large it is. All metrics together
//! raise a false alarm in at most one of twenty histories without a trend (Bonferroni);
//! a history with fewer than [`RUNS_MIN`] runs cannot show one at all.

pub(crate) mod monotone;
pub mod svg;
pub mod text;

use serde::Serialize;

use crate::summary::RunSummary;
use monotone::{Monotone, monotone};

/// That a history without a trend shows none in any metric.
pub const CONFIDENCE: f64 = 0.95;
/// With fewer runs even the clearest order may be chance.
pub const RUNS_MIN: usize = 6;

/// What is followed.
const METRICS: [Metric; 5] = [
    Metric {
        name: "p50",
        unit: "ms",
        less_is_better: true,
        of: |run| run.total.percentile(0.5),
    },
    Metric {
        name: "p95",
        unit: "ms",
        less_is_better: true,
        of: |run| run.total.percentile(0.95),
    },
    Metric {
        name: "p99",
        unit: "ms",
        less_is_better: true,
        of: |run| run.total.percentile(0.99),
    },
    Metric {
        name: "requests/s",
        unit: "/s",
        less_is_better: false,
        of: |run| (run.total.requests > 0).then_some(run.total.rps),
    },
    Metric {
        name: "failed",
        unit: "%",
        less_is_better: true,
        of: |run| run.total.fail_ratio().map(|ratio| ratio * 100.0),
    },
];

struct Metric {
    name: &'static str,
    unit: &'static str,
    less_is_better: bool,
    of: fn(&RunSummary) -> Option<f64>,
}

/// A run of the history.
#[derive(Debug, Clone, Copy)]
pub struct RunOfTrend<'a> {
    /// Its number.
    pub id: i64,
    /// What made it: the program's version and the machine.
    pub made_by: (&'a str, &'a str),
    /// Its figures.
    pub summary: &'a RunSummary,
}

/// Whether a metric has a trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It gets better.
    Better,
    /// It gets worse.
    Worse,
    /// There may be a trend, but these runs do not show one.
    NotShown,
    /// It is the same in every run.
    Constant,
    /// Too few runs have it.
    TooFew,
}

/// One metric over the runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricTrend {
    /// `p50`, `p95`, `p99`, `requests/s` or `failed`.
    pub metric: &'static str,
    /// `ms`, `/s` or `%`.
    pub unit: &'static str,
    /// In each run, oldest first; none where it was not measured.
    pub values: Vec<Option<f64>>,
    /// The median change from one run to the next.
    pub per_run: Option<f64>,
    /// Where that lies with the confidence of the whole.
    pub interval: Option<(f64, f64)>,
    /// How likely a history without a trend is to look like this.
    pub p: Option<f64>,
    /// What follows.
    pub verdict: Verdict,
}

/// A scenario over its runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trend {
    /// What it is of: the title, host and users that the runs have in common.
    pub of: String,
    /// The numbers of the runs, oldest first.
    pub runs: Vec<i64>,
    /// When they began, in seconds since the Unix epoch.
    pub starts_s: Vec<Option<f64>>,
    /// Each metric.
    pub metrics: Vec<MetricTrend>,
    /// What else changed meanwhile, and may be the reason.
    pub notes: Vec<String>,
}

/// Looks at runs of one scenario, oldest first. They follow each other by their numbers:
/// a clock that was set does not change the order.
pub fn trend(of: &str, runs: &[RunOfTrend<'_>]) -> Trend {
    Trend {
        of: of.to_owned(),
        runs: runs.iter().map(|run| run.id).collect(),
        starts_s: runs.iter().map(|run| run.summary.start_s).collect(),
        metrics: METRICS
            .iter()
            .map(|metric| of_metric(metric, runs))
            .collect(),
        notes: notes(runs),
    }
}

fn of_metric(metric: &Metric, runs: &[RunOfTrend<'_>]) -> MetricTrend {
    let values: Vec<_> = runs.iter().map(|run| (metric.of)(run.summary)).collect();
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    // Of each of the metrics, so that of all of them it is 1 - CONFIDENCE.
    let risk = (1.0 - CONFIDENCE) / METRICS.len() as f64;
    let found = monotone(&known, 1.0 - risk);
    MetricTrend {
        metric: metric.name,
        unit: metric.unit,
        per_run: found.map(|found| found.slope),
        interval: found.and_then(|found| found.interval),
        p: found.map(|found| found.p),
        verdict: verdict(metric, &known, found, risk),
        values,
    }
}

fn verdict(metric: &Metric, known: &[f64], found: Option<Monotone>, risk: f64) -> Verdict {
    let Some(found) = found.filter(|_| known.len() >= RUNS_MIN) else {
        return Verdict::TooFew;
    };
    if known.iter().all(|value| *value == known[0]) {
        return Verdict::Constant;
    }
    if found.p >= risk || found.slope == 0.0 {
        return Verdict::NotShown;
    }
    if (found.slope < 0.0) == metric.less_is_better {
        Verdict::Better
    } else {
        Verdict::Worse
    }
}

fn notes(runs: &[RunOfTrend<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for pair in runs.windows(2) {
        let ((version, machine), (new_version, new_machine)) = (pair[0].made_by, pair[1].made_by);
        if machine != new_machine {
            notes.push(format!(
                "From run {} on, the load came from {new_machine} (before: {machine}).",
                pair[1].id
            ));
        }
        if version != new_version {
            notes.push(format!(
                "From run {} on, it was made by acrida {new_version} (before: {version}).",
                pair[1].id
            ));
        }
        let (before, after) = (pair[0].summary.start_s, pair[1].summary.start_s);
        if before
            .zip(after)
            .is_some_and(|(before, after)| after < before)
        {
            notes.push(format!(
                "Run {} began before run {} by the clock, which was set meanwhile.",
                pair[1].id, pair[0].id
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests;
