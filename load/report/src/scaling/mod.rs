//! How a service does under several loads: steps of more and more users, each held until
//! it is steady.
//!
//! Pure: [`StepRun`] gets a snapshot about once a second and says how many users there are
//! to be; [`Usl`] says what the steps have in common; [`text`] tells about it.

mod certainty;
mod search;
mod steady;
mod step_run;
pub mod text;
mod usl;

use serde::{Deserialize, Serialize};

use crate::summary::RunSummary;

pub use step_run::{Order, Plan, StepRun, Stress};
pub use usl::Usl;

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
    /// Whether throughput and response times had become steady; unknown for a whole run.
    #[serde(default)]
    pub steady: Option<bool>,
    /// Whether the load may have been the generator's own limit.
    #[serde(default)]
    pub generator_bound: bool,
    /// What was expected and is not so.
    #[serde(default)]
    pub missed: Vec<String>,
    /// Whether chance could hardly have made another verdict of it: 95 % confidence.
    #[serde(default)]
    pub sure: bool,
}

impl Step {
    /// What a run, or a part of one, showed under this many users.
    pub fn of(run: &RunSummary, users: u64) -> Self {
        let total = &run.total;
        Self {
            users,
            requests: total.requests,
            failures: total.failures,
            rps: total.rps,
            avg: total.avg,
            p50: total.percentile(0.5),
            p95: total.percentile(0.95),
            p99: total.percentile(0.99),
            ..Self::default()
        }
    }

    /// Requests that did not fail among all, 0.0 to 1.0; 0.0 without any.
    pub fn success_ratio(&self) -> f64 {
        if self.requests == 0 {
            return 0.0;
        }
        1.0 - self.failures as f64 / self.requests as f64
    }

    /// Requests per second that did not fail. A refusal is quick, and no throughput.
    pub fn good_rps(&self) -> f64 {
        self.rps * self.success_ratio()
    }
}

/// Below this share of what the first users bring each, more users are hardly worth it.
const WORTHWHILE: f64 = 0.5;

/// The step after which more users bring less than half of what the first ones do, each, in
/// requests that do not fail; none if that was not reached. `steps` have ascending users.
pub fn knee(steps: &[Step]) -> Option<&Step> {
    let first = steps.first()?;
    let per_user = first.good_rps() / first.users.max(1) as f64;
    let flat = |pair: &&[Step]| {
        let more = (pair[1].users.saturating_sub(pair[0].users)).max(1) as f64;
        (pair[1].good_rps() - pair[0].good_rps()) / more < WORTHWHILE * per_user
    };
    steps.windows(2).find(flat).map(|pair| &pair[0])
}

#[cfg(test)]
mod tests;
