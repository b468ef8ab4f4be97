//! The reports of a run: written while it goes on, and once at its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acrida_stats::Snapshot;
use log::{error, info};

use super::collector::Collector;
use super::console::Console;
use super::csv_files::CsvFiles;
use super::request_log::RequestLog;
use crate::exit::{Verdict, code_of_run};

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
    exit_code_on_error: i32,
}

/// The files, and how the run ended once it has.
#[derive(Debug)]
struct Files {
    csv: Option<CsvFiles>,
    requests: Option<RequestLog>,
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
}

impl Finisher {
    pub(super) fn new(
        collector: Arc<Collector>,
        csv: Option<CsvFiles>,
        requests: Option<RequestLog>,
        console: Console,
        exit_code_on_error: i32,
    ) -> Self {
        let files = Mutex::new(Files {
            csv,
            requests,
            failing: false,
            lost_lines: false,
            outcome: None,
        });
        Self {
            collector,
            files,
            console,
            exit_code_on_error,
        }
    }

    pub(super) fn console(&self) -> &Console {
        &self.console
    }

    /// Brings the files up to date, until the run has ended. Also takes in what
    /// the recorders hold, which is why it is called even without files.
    pub(super) fn write_files(&self) {
        let mut files = self.files();
        if files.outcome.is_none() {
            files.write(&self.collector.snapshot());
        }
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
        files.write(&snapshot);
        let verdict = Verdict {
            asked_for: ending.asked_for,
            had_errors: !snapshot.failures.is_empty() || !snapshot.exceptions.is_empty(),
            listener_raised: ending.listener_raised,
            report_failed: files.failing || files.lost_lines,
        };
        let code = code_of_run(verdict, self.exit_code_on_error);
        let snapshot = Arc::new(snapshot);
        files.outcome = Some(Outcome { code, snapshot });
        code
    }

    /// Prints the end of the run, from the snapshot that the files were written from.
    pub(super) fn print_summary(&self) {
        let outcome = self.files().outcome.clone();
        if let Some(Outcome { code, snapshot }) = outcome {
            info!(target: "locust.main", "Shutting down (exit code {code})");
            self.console.summary(&snapshot);
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
}
