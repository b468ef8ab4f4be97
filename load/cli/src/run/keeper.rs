//! Keeps runs in the history, and holds a run against an earlier one.

use acrida_history::{History, HistoryError, Kept, KeptRun, NewRun, Place};
use acrida_report::compare::{self, Comparison};
use acrida_report::summary::RunSummary;
use acrida_report::windows::{EntryWindows, WindowLog};
use acrida_stats::Snapshot;
use log::{info, warn};
use serde_json::{Map, Value as Json};

use super::web::as_json;
use crate::exit::Exit;
use crate::flags::with_extra;
use crate::options::{Options, ReportOptions};
use crate::web_call::without_password;

/// What the newest run is called; the second one may be missing, as at the first of a series.
const LAST: &str = "last";
const LAST_IF_ANY: &str = "last-if-any";

/// Follows a run, and keeps it when it ends.
#[derive(Debug)]
pub(super) struct Keeper {
    place: Option<Place>,
    baseline: Option<Baseline>,
    settings: String,
    log: WindowLog,
    /// When the run began that was kept last.
    kept_start_us: u64,
}

/// The run of `--baseline`.
#[derive(Debug)]
struct Baseline {
    name: String,
    windows: Vec<EntryWindows>,
    tolerance: f64,
}

impl Baseline {
    /// None for `last-if-any` before there is a run.
    fn find(name: &str, reports: &ReportOptions) -> Result<Option<Self>, Exit> {
        let place = reports.history.as_ref();
        let place =
            place.ok_or_else(|| Exit::Usage("'--baseline' requires a history".to_owned()))?;
        let found = match History::open(place).and_then(|history| find(&history, name)) {
            Err(HistoryError::Missing { .. }) if name == LAST_IF_ANY => None,
            // It may be away for a while; the run itself is no worse for it.
            Err(error) if name == LAST_IF_ANY && matches!(place, Place::Server(_)) => {
                warn!(target: "locust.main", "This run is compared with nothing: {error}");
                return Ok(None);
            }
            found => found.map_err(|error| Exit::Failed(error.to_string()))?,
        };
        match found {
            Some((run, windows)) => Ok(Some(Self {
                name: describe(&run),
                windows,
                tolerance: reports.baseline_tolerance,
            })),
            None if name == LAST_IF_ANY => {
                warn!(target: "locust.main", "There is no earlier run yet: this one is compared with nothing");
                Ok(None)
            }
            None => Err(Exit::Failed(no_such_run(name))),
        }
    }
}

/// How a run compares with its baseline.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    /// The table.
    pub(super) text: String,
    /// What got worse beyond the tolerance.
    pub(super) regressions: usize,
}

impl Keeper {
    /// # Errors
    ///
    /// One line if `--baseline` names a run that is not there.
    pub(super) fn new(options: &Options) -> Result<Self, Exit> {
        let reports = &options.reports;
        let baseline = reports.baseline.as_deref();
        let baseline = baseline.map(|name| Baseline::find(name, reports));
        Ok(Self {
            place: reports.history.clone().filter(|_| !reports.no_history),
            baseline: baseline.transpose()?.flatten(),
            settings: settings(options),
            log: WindowLog::default(),
            kept_start_us: 0,
        })
    }

    /// Takes in a beat of a run that goes on.
    pub(super) fn observe(&mut self, snapshot: &Snapshot) {
        if self.place.is_some() || self.baseline.is_some() {
            self.log.observe(snapshot);
        }
    }

    /// Keeps the run that has ended, once; one without a request is none. What goes wrong
    /// is logged, and changes nothing about the run.
    pub(super) fn keep(&mut self, snapshot: &Snapshot, summary: &RunSummary, exit_code: i32) {
        let is_new = snapshot.start_us != self.kept_start_us;
        let Some(place) = self.place.as_ref().filter(|_| is_new) else {
            return;
        };
        if summary.total.requests == 0 {
            return;
        }
        self.kept_start_us = snapshot.start_us;
        let windows = self.log.finish(snapshot);
        let mut summary = summary.clone();
        summary.host = summary.host.as_deref().map(without_password);
        let machine = gethostname::gethostname().to_string_lossy().into_owned();
        let run = NewRun {
            summary: &summary,
            windows: &windows,
            version: env!("CARGO_PKG_VERSION"),
            machine: &machine,
            settings: &self.settings,
            exit_code,
        };
        match acrida_history::keep(place, &run) {
            Ok(Kept::Numbered { id, complaint }) => {
                info!(target: "locust.main", "This run is number {id} of the history");
                if let Some(why) = complaint {
                    warn!(target: "locust.main", "Earlier runs still wait here: {why}");
                }
            }
            Ok(Kept::Waits { file, why }) => warn!(
                target: "locust.main",
                "This run waits in {}, and goes into the history with the next one: {why}",
                file.display()
            ),
            Err(error) => warn!(target: "locust.main", "This run is not kept: {error}"),
        }
    }

    /// Holds the run that has ended against the baseline.
    pub(super) fn gate(&mut self, snapshot: &Snapshot, title: &str) -> Option<Gate> {
        let baseline = self.baseline.as_ref()?;
        let comparison = compare::compare(&baseline.windows, &self.log.finish(snapshot));
        let regressions = comparison.regressions(baseline.tolerance).count();
        let name = format!("this run, {title}");
        let mut text = compare::table(&comparison, &baseline.name, &name);
        text += &conclusion(&comparison, baseline.tolerance);
        Some(Gate { text, regressions })
    }
}

/// What a gate says below the table.
pub(crate) fn conclusion(comparison: &Comparison, tolerance: f64) -> String {
    let percent = tolerance * 100.0;
    match comparison.regressions(tolerance).count() {
        0 => format!("No regression beyond {percent} %.\n"),
        count => format!("REGRESSION: {count} rows are worse by more than {percent} %.\n"),
    }
}

/// The run that `name` means, with its windows: a number, or `last`.
pub(crate) fn find(
    history: &History,
    name: &str,
) -> Result<Option<(KeptRun, Vec<EntryWindows>)>, HistoryError> {
    let run = match name {
        LAST | LAST_IF_ANY => history.newest(1)?.pop(),
        number => match number.trim_start_matches('#').parse() {
            Ok(id) => history.run(id)?,
            Err(_) => None,
        },
    };
    run.map(|run| Ok((history.windows(run.id)?, run)))
        .transpose()
        .map(|found| found.map(|(windows, run)| (run, windows)))
}

/// Nothing in the history is called `name`.
pub(crate) fn no_such_run(name: &str) -> String {
    format!("there is no run '{name}': name one by its number in 'acrida history', or 'last'")
}

/// A run in a line.
pub(crate) fn describe(run: &KeptRun) -> String {
    let summary = &run.summary;
    let users = summary.peak_users.unwrap_or(0);
    let start = acrida_report::locust_json::utc_second(summary.start_s.unwrap_or(0.0));
    format!("run {}, {start}, {users} users, {}", run.id, summary.title)
}

/// The settings that the program knows. Those of a locustfile's own may be secret.
fn settings(options: &Options) -> String {
    let known = with_extra(&[]);
    let settings: Map<String, Json> = options
        .all
        .iter()
        .filter(|(name, _)| known.iter().any(|flag| flag.dest == name))
        .map(|(name, value)| (name.clone(), as_json(value)))
        .map(
            |(name, value)| match value.as_str().filter(|_| name == "host") {
                Some(host) => (name, without_password(host).into()),
                None => (name, value),
            },
        )
        .collect();
    Json::Object(settings).to_string()
}
