//! The reports of a run: written while it goes on, and once at its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acrida_report::expect::{self, Expectation, Outcome as Judged};
use acrida_report::html::Page;
use acrida_stats::Snapshot;
use log::{error, info};

use super::abort::AbortWatch;
use super::chronicle::Chronicle;
use super::collector::Collector;
use super::console::{self, Console};
use super::csv_files::CsvFiles;
use super::keeper::{Gate, Keeper};
use super::reports::Reports;
use super::request_log::RequestLog;
use super::stepper::Steps;
use crate::exit::{FAILURE, Verdict, code_of_run};
use crate::preflight::{self, Finding};

/// What the host knows about the end of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// Requests that were still open after the grace.
    pub cut_off: u64,
    /// What the locustfile set as `environment.process_exit_code`.
    pub asked_for: Option<i32>,
    /// Whether a listener raised.
    pub listener_raised: bool,
}

#[derive(Debug)]
pub(super) struct Finisher {
    collector: Arc<Collector>,
    files: Mutex<Files>,
    console: Console,
    steps: Option<Steps>,
    expectations: Vec<Expectation>,
    exit_code_on_error: i32,
    is_trial: bool,
}

/// What a [`Finisher`] is made of.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) collector: Arc<Collector>,
    pub(super) csv: Option<CsvFiles>,
    pub(super) requests: Option<RequestLog>,
    pub(super) reports: Reports,
    pub(super) chronicle: Chronicle,
    pub(super) keeper: Keeper,
    pub(super) steps: Option<Steps>,
    pub(super) abort: AbortWatch,
    pub(super) console: Console,
    pub(super) expectations: Vec<Expectation>,
    pub(super) exit_code_on_error: i32,
    /// Whether tests end while the program goes on.
    pub(super) outlives_tests: bool,
    /// Whether it is the trial of `acrida check`.
    pub(super) is_trial: bool,
}

/// The files, and how the run ended once it has.
#[derive(Debug)]
struct Files {
    csv: Option<CsvFiles>,
    requests: Option<RequestLog>,
    reports: Reports,
    chronicle: Chronicle,
    keeper: Keeper,
    outlives_tests: bool,
    /// Whether a test went on at the last beat.
    was_active: bool,
    abort: AbortWatch,
    /// Why the run was ended early, if it was.
    aborted: Option<String>,
    /// Whether the last attempt to write failed, which is then said only once.
    failing: bool,
    /// Whether the request log lacks lines.
    lost_lines: bool,
    outcome: Option<Outcome>,
}

/// What is final.
#[derive(Debug, Clone)]
struct Outcome {
    code: i32,
    snapshot: Arc<Snapshot>,
    judged: Vec<Judged>,
    gate: Option<Gate>,
}

impl Finisher {
    pub(super) fn new(parts: Parts) -> Self {
        let files = Mutex::new(Files {
            csv: parts.csv,
            requests: parts.requests,
            reports: parts.reports,
            chronicle: parts.chronicle,
            keeper: parts.keeper,
            outlives_tests: parts.outlives_tests,
            was_active: false,
            abort: parts.abort,
            aborted: None,
            failing: false,
            lost_lines: false,
            outcome: None,
        });
        Self {
            collector: parts.collector,
            files,
            console: parts.console,
            steps: parts.steps,
            expectations: parts.expectations,
            exit_code_on_error: parts.exit_code_on_error,
            is_trial: parts.is_trial,
        }
    }

    pub(super) fn console(&self) -> &Console {
        &self.console
    }

    /// Brings the files up to date, until the run has ended. Also takes in what
    /// the recorders hold, which is why it is called even without files. Says whether
    /// `--abort-on` ends the run now.
    pub(super) fn beat(&self) -> bool {
        let mut files = self.files();
        if files.outcome.is_some() {
            return false;
        }
        let snapshot = self.collector.snapshot();
        files.chronicle.observe(&snapshot);
        files.write(&snapshot);
        files.follow_test(&snapshot, self.collector.is_active());
        files.has_to_abort(&snapshot)
    }

    pub(super) fn print_table(&self) {
        self.console.table(&self.collector.snapshot());
    }

    pub(super) fn print_progress(&self) {
        self.console.progress(&self.collector.snapshot());
    }

    /// Writes the files for the last time and gives the exit code. Whoever calls
    /// second waits for the first, and gets the same code.
    pub(super) fn close(&self, ending: RunEnd) -> i32 {
        let mut files = self.files();
        if let Some(outcome) = &files.outcome {
            return outcome.code;
        }
        self.collector.record_cut_off(ending.cut_off);
        let snapshot = self.collector.snapshot();
        files.chronicle.observe(&snapshot);
        files.write(&snapshot);
        let judged = self.judge(&files, &snapshot);
        let gate = files.gate(&snapshot);
        let regressed = gate.as_ref().is_some_and(|gate| gate.regressions > 0);
        let not_as_expected = regressed || judged.iter().any(|outcome| !outcome.passed);
        files.write_resources();
        files.write_reports(&snapshot, &judged, self.steps.as_ref());
        // Loads beyond what a service can do are what a search is for.
        let failures_are_judged =
            self.searches() || self.expectations.iter().any(Expectation::is_about_failures);
        let failed = !snapshot.failures.is_empty() && !failures_are_judged;
        let verdict = Verdict {
            asked_for: ending.asked_for,
            not_as_expected: not_as_expected || files.aborted.is_some(),
            had_errors: failed || !snapshot.exceptions.is_empty(),
            listener_raised: ending.listener_raised,
            report_failed: files.failing || files.lost_lines,
        };
        let mut code = code_of_run(verdict, self.exit_code_on_error);
        if self.is_trial && preflight::tried(&snapshot).iter().any(Finding::is_bad) {
            code = FAILURE;
        }
        files.keep(&snapshot, code);
        files.outcome = Some(Outcome {
            code,
            snapshot: Arc::new(snapshot),
            judged,
            gate,
        });
        code
    }

    /// Whether the run looks for the highest load that is as expected.
    fn searches(&self) -> bool {
        let steps = self.steps.as_ref();
        steps.is_some_and(|steps| steps.run().stress().is_some())
    }

    /// Expectations of a search are for its steps, which are meant to fail them.
    fn judge(&self, files: &Files, snapshot: &Snapshot) -> Vec<Judged> {
        if self.searches() {
            return Vec::new();
        }
        let fractions = self.expectations.iter().filter_map(Expectation::fraction);
        let fractions: Vec<_> = fractions.collect();
        let summary = files.chronicle.summary(snapshot, &fractions);
        expect::judge(&summary, &self.expectations)
    }

    /// Prints the end of the run, from the snapshot that the files were written from.
    pub(super) fn print_summary(&self) {
        let files = self.files();
        let (outcome, aborted) = (files.outcome.clone(), files.aborted.clone());
        drop(files);
        if let Some(Outcome {
            code,
            snapshot,
            judged,
            gate,
        }) = outcome
        {
            info!(target: "locust.main", "Shutting down (exit code {code})");
            if self.is_trial {
                console::print_result(&preflight::text(&preflight::tried(&snapshot)));
                return;
            }
            let gate = gate.map_or_else(String::new, |gate| gate.text);
            self.console
                .summary(&snapshot, &judged, &gate, aborted.as_deref());
            if let Some(steps) = &self.steps {
                console::print_result(&steps.told());
            }
        }
    }

    /// A panic while files were written leaves them as good as they were.
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn write(&mut self, snapshot: &Snapshot) {
        let complete = self.requests.as_ref().is_none_or(RequestLog::flush);
        self.lost_lines |= !complete;
        let Some(csv) = &mut self.csv else { return };
        let written = csv.write(snapshot);
        if let Err(complaint) = &written
            && !self.failing
        {
            error!(target: "locust.main", "{complaint}");
        }
        self.failing = written.is_err();
    }

    /// Written once, at the end: what was seen is in memory until then.
    fn write_resources(&mut self) {
        let (Some(csv), parts) = (&self.csv, self.chronicle.parts()) else {
            return;
        };
        if parts.is_empty() {
            return;
        }
        if let Err(complaint) = csv.write_resources(&parts) {
            error!(target: "locust.main", "{complaint}");
            self.failing = true;
        }
    }

    fn write_reports(&mut self, snapshot: &Snapshot, judged: &[Judged], stepped: Option<&Steps>) {
        let mut steps = stepped.map_or_else(Vec::new, |steps| steps.run().steps().to_vec());
        steps.sort_by_key(|step| step.users);
        let page = self.reports.has_page().then(|| Page {
            run: self.chronicle.summary(snapshot, &[]),
            tasks: self.chronicle.task_ratios(),
            profile: self.chronicle.profile.clone(),
            verdicts: judged,
            steps: &steps,
            findings: stepped.map(Steps::conclusions).unwrap_or_default(),
            notes: self
                .aborted
                .iter()
                .map(|why| format!("Ended early: {why}."))
                .collect(),
            ..Page::default()
        });
        for complaint in self.reports.write(snapshot, page.as_ref()) {
            error!(target: "locust.main", "{complaint}");
            self.failing = true;
        }
    }

    /// A test that has ended while the program goes on is kept at once; another may
    /// follow. Otherwise what comes in at the end belongs to it.
    fn follow_test(&mut self, snapshot: &Snapshot, is_active: bool) {
        if is_active || self.was_active {
            self.keeper.observe(snapshot);
        }
        if self.outlives_tests && self.was_active && !is_active {
            self.keep(snapshot, crate::exit::SUCCESS);
        }
        self.was_active = is_active;
    }

    fn keep(&mut self, snapshot: &Snapshot, code: i32) {
        let summary = self.chronicle.summary(snapshot, &[]);
        self.keeper.keep(snapshot, &summary, code);
    }

    fn gate(&mut self, snapshot: &Snapshot) -> Option<Gate> {
        let title = self.chronicle.summary(snapshot, &[]).title;
        self.keeper.gate(snapshot, &title)
    }

    fn has_to_abort(&mut self, snapshot: &Snapshot) -> bool {
        if self.abort.is_idle() || self.aborted.is_some() {
            return false;
        }
        self.aborted = self.abort.observe(snapshot);
        if let Some(why) = &self.aborted {
            error!(target: "locust.main", "Ending early: {why}");
        }
        self.aborted.is_some()
    }
}
