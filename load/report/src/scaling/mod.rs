//! How a service does under several loads.

use serde::{Deserialize, Serialize};

use crate::summary::RunSummary;

/// What was measured under one load. Times are in ms; none where nothing was timed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Users that ran.
    pub users: u64,
    /// Requests.
    pub requests: u64,
    /// Those among them that failed.
    pub failures: u64,
    /// Requests per second.
    pub rps: f64,
    /// Average response time.
    pub avg: Option<f64>,
    /// Median response time.
    pub p50: Option<f64>,
    /// 95 % took at most this.
    pub p95: Option<f64>,
    /// 99 % took at most this.
    pub p99: Option<f64>,
}

impl Step {
    /// A run with as many users as it had at its peak; none if that is unknown.
    pub fn of(run: &RunSummary) -> Option<Self> {
        let total = &run.total;
        Some(Self {
            users: run.peak_users?,
            requests: total.requests,
            failures: total.failures,
            rps: total.rps,
            avg: total.avg,
            p50: total.percentile(0.5),
            p95: total.percentile(0.95),
            p99: total.percentile(0.99),
        })
    }

    /// Requests that did not fail among all, 0.0 to 1.0; 0.0 without any.
    pub fn success_ratio(&self) -> f64 {
        if self.requests == 0 {
            return 0.0;
        }
        1.0 - self.failures as f64 / self.requests as f64
    }
}
