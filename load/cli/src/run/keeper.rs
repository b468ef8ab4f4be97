//! Keeps runs in the history, and holds a run against an earlier one.

use acrida_history::{History, HistoryError, Kept, KeptRun, NewRun, Place};
use acrida_report::compare::{self, Comparison};
use acrida_report::scaling::Plan;
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
/// Settings that make two runs the same test. A run has a baseline of its own kind.
const SCENARIO: [&str; 8] = [
    "locustfile",
    "host",
    "num_users",
    "config_users",
    "arrival_rate",
    "steps",
    "tags",
    "exclude_tags",
];

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
    /// Of a run with these settings; none for `last-if-any` before there is a run of its kind.
    fn find(name: &str, reports: &ReportOptions, settings: &str) -> Result<Option<Self>, Exit> {
        let place = reports.history.as_ref();
        let place =
            place.ok_or_else(|| Exit::Usage("'--baseline' requires a history".to_owned()))?;
        let look = |history: History| match name {
            LAST | LAST_IF_ANY => newest_alike(&history, settings),
            number => find(&history, number),
        };
        let found = match History::open(place).and_then(look) {
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
                warn!(target: "locust.main", "There is no earlier run of this test yet: this one is compared with nothing");
                Ok(None)
            }
            None if name == LAST => Err(Exit::Failed(
                "there is no earlier run of this test (locustfile, host, users, rate, tags) to compare with: \
                 '--baseline last-if-any' does without, and a number of 'acrida history' names any run"
                    .to_owned(),
            )),
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
        let settings = settings(options);
        let baseline = reports.baseline.as_deref();
        let baseline = baseline.map(|name| Baseline::find(name, reports, &settings));
        Ok(Self {
            place: reports.history.clone().filter(|_| !reports.no_history),
            baseline: baseline.transpose()?.flatten(),
            settings,
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

/// A run of the history, with its windows.
type Found = Option<(KeptRun, Vec<EntryWindows>)>;

/// The newest run that was the same test as one with these settings.
fn newest_alike(history: &History, settings: &str) -> Result<Found, HistoryError> {
    let wanted = scenario(settings);
    let mut runs = history.newest(acrida_history::RUNS_MAX)?.into_iter();
    with_windows(history, runs.find(|run| scenario(&run.settings) == wanted))
}

/// What the settings of one test have in common. The same file has other paths from elsewhere.
fn scenario(settings: &str) -> Vec<Json> {
    let mut settings: Json = serde_json::from_str(settings).unwrap_or_default();
    let file = settings["locustfile"]
        .as_str()
        .and_then(|path| path.rsplit('/').next());
    settings["locustfile"] = file.into();
    SCENARIO.map(|name| settings[name].take()).into()
}

/// The run that `name` means: a number, or `last`.
pub(crate) fn find(history: &History, name: &str) -> Result<Found, HistoryError> {
    let run = match name {
        LAST => history.newest(1)?.pop(),
        number => match number.trim_start_matches('#').parse() {
            Ok(id) => history.run(id)?,
            Err(_) => None,
        },
    };
    with_windows(history, run)
}

fn with_windows(history: &History, run: Option<KeptRun>) -> Result<Found, HistoryError> {
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
    let mut settings: Map<String, Json> = options
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
    if let Some(stepped) = &options.stepped {
        let steps = match &stepped.plan {
            Plan::Steps(users) => users.as_slice().into(),
            Plan::Search { .. } => "search".into(),
        };
        settings.insert("steps".to_owned(), steps);
    }
    Json::Object(settings).to_string()
}
