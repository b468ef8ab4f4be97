//! A trend in words: a row a run, and what they show.

use std::fmt::Write as _;

use super::{CONFIDENCE, MetricTrend, RUNS_MIN, Trend, Verdict};
use crate::locust_json::utc_second;

/// The table of the runs, and a line for each metric.
pub fn table(trend: &Trend) -> String {
    let mut text = format!("{}\n\n  Run  Began                 ", trend.of);
    for metric in &trend.metrics {
        let _ = write!(text, "  {:>10}", metric.metric);
    }
    text.push('\n');
    for (at, id) in trend.runs.iter().enumerate() {
        let began = trend.starts_s[at].map_or_else(|| "-".to_owned(), utc_second);
        let _ = write!(text, "{id:>5}  {began:<22}");
        for metric in &trend.metrics {
            let value = metric.values[at]
                .map_or_else(|| "-".to_owned(), |value| number(value, metric.unit));
            let _ = write!(text, "  {value:>10}");
        }
        text.push('\n');
    }
    text.push('\n');
    text + &conclusion(trend)
}

/// What the runs show, a line a metric, and what may be the reason.
pub fn conclusion(trend: &Trend) -> String {
    let mut text = String::new();
    for metric in &trend.metrics {
        let _ = writeln!(
            text,
            "{:<10}  {}",
            metric.metric,
            said(metric, trend.runs.len())
        );
    }
    for note in &trend.notes {
        let _ = writeln!(text, "{note}");
    }
    let percent = CONFIDENCE * 100.0;
    let _ = writeln!(
        text,
        "At {percent} % confidence over all metrics (Mann–Kendall; changes by Theil and Sen)."
    );
    text
}

fn said(metric: &MetricTrend, runs: usize) -> String {
    let known = metric.values.iter().flatten().count();
    let interval = || match metric.interval {
        Some((low, high)) => format!(
            "the change lies in {} to {} a run",
            signed(low, metric.unit),
            signed(high, metric.unit)
        ),
        None => "the change is unknown".to_owned(),
    };
    let change = || {
        let per_run = metric.per_run.unwrap_or(0.0);
        format!("{} a run; {}", signed(per_run, metric.unit), interval())
    };
    match metric.verdict {
        Verdict::Better => format!("gets better: {}", change()),
        Verdict::Worse => format!("gets WORSE: {}", change()),
        Verdict::NotShown => format!("no trend that these {runs} runs can show: {}", interval()),
        Verdict::Constant => "the same in every run".to_owned(),
        Verdict::TooFew => format!(
            "{known} {} cannot show a trend: it takes {RUNS_MIN}, and more for a small one",
            if known == 1 { "run" } else { "runs" }
        ),
    }
}

pub(super) fn number(value: f64, unit: &str) -> String {
    let digits = if value.abs() < 9.995 {
        2
    } else {
        usize::from(unit != "ms")
    };
    format!("{value:.digits$}{unit}")
}

fn signed(value: f64, unit: &str) -> String {
    format!("{value:+.2}{unit}")
}
