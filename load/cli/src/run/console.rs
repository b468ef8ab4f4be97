//! What a run prints. The text comes from `acrida-report`; here is decided when,
//! where and in which colours.
//!
//! As in Locust, everything goes to stderr, so that stdout stays the locustfile's.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use acrida_report::console::{self, Style};
use acrida_report::expect::{self, Outcome};
use acrida_report::insight;
use acrida_stats::Snapshot;

use crate::logging::CLEAR_LINE;
use crate::options::Options;

/// The longest progress line of any usual run.
const PROGRESS_COLUMNS: usize = 80;

#[derive(Debug)]
pub(super) struct Console {
    percentiles: Vec<f64>,
    /// Whether tables are printed during the run.
    live: bool,
    /// Whether anything is printed at all.
    silent: bool,
    terminal: bool,
    started: Instant,
    run_time: Option<Duration>,
}

impl Console {
    pub(super) fn new(options: &Options, percentiles: Vec<f64>) -> Self {
        let silent = options.skip_log_setup;
        Self {
            percentiles,
            live: !silent && !options.only_summary && (options.headless || options.web.print_stats),
            silent,
            terminal: io::stderr().is_terminal(),
            started: Instant::now(),
            run_time: options.run_time,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    pub(super) fn has_progress(&self) -> bool {
        self.terminal && !self.silent
    }

    /// The table as it is now.
    pub(super) fn table(&self, snapshot: &Snapshot) {
        let table = console::stats_table(snapshot, true, self.style());
        let progress = if self.has_progress() {
            self.progress_line(snapshot)
        } else {
            String::new()
        };
        self.print(&(table + &insight::arrivals_line(snapshot) + &progress));
    }

    /// The end: the table, the percentiles, what failed and what was cut off, and whether
    /// everything is as expected.
    pub(super) fn summary(
        &self,
        snapshot: &Snapshot,
        judged: &[Outcome],
        gate: &str,
        aborted: Option<&str>,
    ) {
        if !self.silent {
            let style = self.style();
            let table = console::stats_table(snapshot, false, style);
            let percentiles = console::percentiles_table(snapshot, &self.percentiles, style);
            let errors = console::error_report(snapshot, style);
            let insight = insight::text(&insight::sections_of(snapshot));
            let mut verdicts = expect::table(judged) + gate;
            if let Some(why) = aborted {
                verdicts += &format!("Ended early: {why}\n");
            }
            self.print(&format!("{table}{percentiles}{insight}{errors}{verdicts}"));
        }
    }

    pub(super) fn progress(&self, snapshot: &Snapshot) {
        self.print(&self.progress_line(snapshot));
    }

    /// One line that the next output overwrites; nothing where it would not fit.
    fn progress_line(&self, snapshot: &Snapshot) -> String {
        if columns() < PROGRESS_COLUMNS {
            return String::new();
        }
        let elapsed = self.started.elapsed();
        let line = console::progress_line(snapshot, elapsed, self.run_time, self.style());
        // The cursor goes back to the beginning, so that log lines write over it.
        line + "\r"
    }

    /// Plain for a file or a pipe, whatever its width; for a terminal as wide as it
    /// is now, and coloured unless the user wants no colours (`NO_COLOR`).
    fn style(&self) -> Style {
        if !self.terminal {
            return Style::PLAIN;
        }
        let colours = std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        Style::terminal(columns(), colours)
    }

    /// Nothing can be said about a stderr that does not take what is said.
    fn print(&self, text: &str) {
        let clear = if self.terminal { CLEAR_LINE } else { "" };
        let _ = io::stderr()
            .lock()
            .write_all(format!("{clear}{text}").as_bytes());
    }
}

/// What a command was asked for goes to stdout. Nothing can be said about one that does
/// not take it.
pub(crate) fn print_result(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// The width of the terminal behind stderr; 80 if it does not tell.
fn columns() -> usize {
    let size = terminal_size::terminal_size_of(io::stderr());
    size.map_or(80, |(width, _)| usize::from(width.0))
}
