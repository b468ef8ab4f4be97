//! `acrida check`: whether a test can begin, by looking first and trying then.

mod machine;
mod target;

use std::fmt;
use std::time::Duration;

use acrida_engine::SpawnRate;
use acrida_stats::Snapshot;

use crate::options::{Options, ReportOptions};

/// How long the trial takes, and how many users of each class make it.
const TRIAL: Duration = Duration::from_secs(5);
const TRIAL_USERS: u64 = 5;

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    mark: Mark,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Good,
    /// Worth knowing; a test can begin all the same.
    Note,
    Bad,
}

impl Finding {
    fn good(text: impl Into<String>) -> Self {
        Self::new(Mark::Good, text)
    }

    fn note(text: impl Into<String>) -> Self {
        Self::new(Mark::Note, text)
    }

    fn bad(text: impl Into<String>) -> Self {
        Self::new(Mark::Bad, text)
    }

    fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self {
            mark,
            text: text.into(),
        }
    }

    /// Whether a test cannot begin, or would say nothing.
    pub(crate) fn is_bad(&self) -> bool {
        self.mark == Mark::Bad
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.mark {
            Mark::Good => "ok",
            Mark::Note => "note",
            Mark::Bad => "FAIL",
        };
        write!(f, "{mark:<4}  {}", self.text)
    }
}

/// Looks at everything that can be looked at without a request of the locustfile's.
pub(crate) fn look(options: &Options, classes: &[&str]) -> Vec<Finding> {
    let loads = Finding::good(format!("the locustfile loads: {}", classes.join(", ")));
    let mut findings = vec![loads];
    match &options.host {
        Some(host) => findings.extend(target::look(host)),
        None => findings.push(Finding::note(
            "no --host: the trial shows whether the locustfile's own is right",
        )),
    }
    let prefixes = [
        &options.csv_prefix,
        &options.reports.html,
        &options.reports.json_file,
    ];
    findings.extend(
        prefixes
            .into_iter()
            .flatten()
            .map(|path| machine::folder(path)),
    );
    findings.extend(machine::limits(options.users.unwrap_or(1)));
    findings
}

/// The settings of the trial: a few users for a moment, and nothing is left of it.
pub(crate) fn trial(mut options: Options, classes: usize) -> Options {
    let users = TRIAL_USERS * classes.max(1) as u64;
    options.users = Some(users);
    options.spawn_rate = SpawnRate::try_from(users as f64).ok();
    options.run_time = Some(TRIAL);
    options.rate = None;
    options.headless = true;
    options.only_summary = true;
    options.csv_prefix = None;
    options.csv_requests = false;
    options.csv_full_history = false;
    options.reports = ReportOptions {
        no_history: true,
        ..ReportOptions::default()
    };
    options
}

/// What the trial has shown.
pub(crate) fn tried(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings: Vec<_> = snapshot
        .entries
        .iter()
        .filter(|entry| entry.num_requests > 0)
        .map(|entry| {
            let name = format!("{} {}", entry.method, entry.name);
            let requests = entry.num_requests;
            if entry.num_failures == 0 {
                return Finding::good(format!("{name}: {requests} requests without a failure"));
            }
            let is_its = |failure: &&acrida_stats::FailureRow| {
                failure.method == entry.method && failure.name == entry.name
            };
            let error = snapshot.failures.iter().find(is_its);
            let error = error.map_or("", |failure| &failure.error);
            Finding::bad(format!(
                "{name}: {} of {requests} requests failed, the first with {error}",
                entry.num_failures
            ))
        })
        .collect();
    for exception in &snapshot.exceptions {
        findings.push(Finding::bad(format!(
            "a task raised {} times: {}",
            exception.count, exception.message
        )));
    }
    if snapshot.cut_off > 0 {
        findings.push(Finding::bad(format!(
            "{} requests had no answer when the trial ended",
            snapshot.cut_off
        )));
    }
    if findings.is_empty() {
        findings.push(Finding::bad("the trial made no request at all"));
    }
    findings
}

/// One line a finding.
pub(crate) fn text(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|finding| format!("{finding}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use acrida_stats::{Ledger, Limits, Recorder, Sample};

    use super::*;

    #[test]
    fn a_trial_tells_of_every_name() {
        let mut ledger = Ledger::new(Limits::default(), 0);
        assert!(
            tried(&ledger.snapshot(1, 0))[0].is_bad(),
            "no request is no trial"
        );
        let mut recorder = Recorder::new(Limits::default());
        for (name, failure) in [("/good", None), ("/bad", Some("boom")), ("/bad", None)] {
            recorder.record(&Sample {
                method: "GET",
                name,
                finished_us: 5,
                response_time_us: Some(1),
                content_length: 0,
                failure,
                ..Sample::default()
            });
        }
        ledger.absorb(recorder.take());
        ledger.record_exception("oh no", "Traceback", "local", 6);
        assert_eq!(
            text(&tried(&ledger.snapshot(9, 0))),
            "FAIL  GET /bad: 1 of 2 requests failed, the first with boom\n\
             ok    GET /good: 1 requests without a failure\n\
             FAIL  a task raised 1 times: oh no\n"
        );
    }
}
