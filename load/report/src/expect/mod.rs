//! What is expected of a run: `p95 < 500ms`, `POST /predict: fail_ratio < 1%`.
//!
//! Grammar: `[METHOD NAME: | NAME:] METRIC COMPARISON LIMIT`. Metrics are in
//! [`Metric`]; comparisons are `<`, `<=`, `>` and `>=`. A time has `us`, `ms` (or nothing),
//! `s` or `m` behind it, a ratio may have `%`.

mod outcome;
mod parse;

pub use outcome::{Outcome, judge, table};
pub(crate) use outcome::{requests_of, value_of};
pub use parse::InvalidExpectation;

/// One thing that is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Whose figure it is.
    pub scope: Scope,
    /// Which figure.
    pub metric: Metric,
    /// How it is to compare with the limit.
    pub comparison: Comparison,
    /// The limit, in the metric's own unit.
    pub limit: f64,
}

/// Whose figure is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All requests together.
    Total,
    /// The requests of this label: `POST /predict`, or `/predict` of every method.
    Entry(String),
}

/// A figure of a run. Times are in ms, ratios from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// `p95`, `p99.9`: the response time at a fraction; `median` is `p50`.
    Percentile(f64),
    /// `avg`.
    Average,
    /// `min`.
    Shortest,
    /// `max`.
    Longest,
    /// `fail_ratio`: failed requests among all.
    FailRatio,
    /// `success_ratio`: the others.
    SuccessRatio,
    /// `rps`: requests per second.
    Rps,
    /// `requests`: how many there were.
    Requests,
    /// `failures`: how many of them failed.
    Failures,
    /// `accuracy`: right answers among those that were checked.
    Accuracy,
    /// `mixed_up`: answers that were another request's.
    MixedUp,
    /// `dropped`: iterations of an open run that no user has taken; only of all requests.
    Dropped,
}

/// What a metric is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Ms,
    /// 0 to 1, shown in percent.
    Ratio,
    /// Per second.
    PerSecond,
    /// A number of requests.
    Count,
}

/// How a figure is to compare with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Expectation {
    /// The percentile that it looks at.
    pub fn fraction(&self) -> Option<f64> {
        match self.metric {
            Metric::Percentile(fraction) => Some(fraction),
            _ => None,
        }
    }

    /// Whether it says how many failed requests are tolerated, of all requests.
    pub fn is_about_failures(&self) -> bool {
        let is_total = self.scope == Scope::Total;
        is_total
            && matches!(
                self.metric,
                Metric::FailRatio | Metric::SuccessRatio | Metric::Failures
            )
    }
}

impl Metric {
    /// What it is counted in.
    pub fn unit(self) -> Unit {
        match self {
            Self::Percentile(_) | Self::Average | Self::Shortest | Self::Longest => Unit::Ms,
            Self::FailRatio | Self::SuccessRatio | Self::Accuracy => Unit::Ratio,
            Self::Rps => Unit::PerSecond,
            Self::Requests | Self::Failures | Self::MixedUp | Self::Dropped => Unit::Count,
        }
    }
}

impl Comparison {
    /// Whether `value` compares with `limit` like this.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
        }
    }
}
