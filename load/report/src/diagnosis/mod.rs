//! The load-testing guide's troubleshooting, with the evidence of a run.
//!
//! Pure: each rule looks at the figures of a run, and gives advice only where they show
//! what it is about. What happens at the same time is told as such ("when"); that the one
//! is the other's cause is the reader's to check.

mod cpu;
mod failures;
mod generator;
mod memory;
mod moments;

use serde::Serialize;

use crate::summary::RunSummary;

/// What is wrong, how the run shows it, and what there is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The guide's heading: `High response times`, `Failed requests`, `Out of memory`; or
    /// `Generator`.
    pub problem: &'static str,
    /// What the figures are.
    pub evidence: String,
    /// What to try.
    pub advice: &'static str,
}

const SLOW: &str = "High response times";
const FAILED: &str = "Failed requests";
const MEMORY: &str = "Out of memory";
const GENERATOR: &str = "Generator";

/// Everything that the run shows; nothing if it shows nothing.
pub fn diagnose(run: &RunSummary) -> Vec<Advice> {
    let rules = [
        generator::is_busy,
        generator::is_late,
        cpu::slow_when_busy,
        cpu::slow_while_idle,
        memory::killed,
        memory::near_limit,
        memory::grows,
        memory::machine_is_full,
        failures::restarted,
        failures::begin_with_users,
        failures::of_one_kind,
    ];
    rules.into_iter().filter_map(|rule| rule(run)).collect()
}

impl Advice {
    /// In one line.
    pub fn line(&self) -> String {
        format!("{}: {}. {}", self.problem, self.evidence, self.advice)
    }
}

#[cfg(test)]
mod tests;
