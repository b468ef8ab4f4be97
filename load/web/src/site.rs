//! What the page needs to know of the run behind it.

use std::path::PathBuf;
use std::time::Duration;

use acrida_report::locust_json::Percentiles;
use acrida_stats::Snapshot;
use serde_json::{Map, Value};

use crate::extension::Extension;

/// The run behind the page. Every call returns at once: none waits for users.
pub trait Site: Send + Sync {
    /// Everything that was measured up to now.
    fn snapshot(&self) -> Snapshot;

    /// Forgets what was measured up to now.
    fn reset(&self);

    /// Posts a change to wherever users live. It comes before every command that
    /// is sent to the run after it.
    fn change(&self, change: Change);

    /// The user classes as they are now.
    fn classes(&self) -> Vec<ClassInfo>;

    /// Locust's `/tasks`, for as many users as run now.
    fn task_ratios(&self) -> Value;

    /// The longest time, since the last call, by which what runs users was late for
    /// something that was due; `None` where nobody looks.
    fn loop_lag(&self) -> Option<Duration>;

    /// The newest log lines, oldest first.
    fn log_lines(&self) -> Vec<String>;

    /// What a run time such as `1h20m` means; `None` if it means nothing.
    fn run_time(&self, text: &str) -> Option<Duration>;
}

/// Something that was changed on the page.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// New values of `parsed_options`, by attribute. `host` and `profile` are the
    /// environment's too.
    Settings(Map<String, Value>),
    /// A user class was changed.
    User(UserChange),
    /// Only these classes run from the next test on.
    Classes(Vec<String>),
    /// The load shape with this name is followed from the next test on, or none.
    ShapeClass(Option<String>),
    /// The load shape starts, for this long at most.
    Shape(Option<Duration>),
    /// The statistics were reset: listeners are told.
    StatsReset,
}

/// What `POST /user` may change of a class; `None` leaves it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct UserChange {
    /// The class.
    pub user_class_name: String,
    /// Base of the URLs that it loads.
    pub host: Option<String>,
    /// How likely it is.
    pub weight: Option<f64>,
    /// How many of it run, if above zero.
    pub fixed_count: Option<u64>,
    /// The names of the tasks that it keeps, out of those in the locustfile.
    pub tasks: Option<Vec<String>>,
}

/// A user class, as the page shows it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ClassInfo {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// Base of the URLs that it loads, if it says so itself.
    pub host: Option<String>,
    /// How likely it is.
    pub weight: f64,
    /// How many of it run, if above zero.
    pub fixed_count: u64,
    /// The names of its tasks, each as often as its weight says.
    pub tasks: Vec<String>,
}

/// An argument of the locustfile's own that the form asks for.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ExtraOption {
    /// The attribute of `parsed_options`.
    #[serde(skip)]
    pub dest: String,
    /// What it does.
    pub help_text: Option<String>,
    /// What it may be, if that is limited.
    pub choices: Option<Vec<String>>,
    /// Whether it is masked.
    pub is_secret: bool,
    /// Whether it has to be given.
    pub is_required: bool,
    /// Whether it takes several values.
    pub is_multiple: bool,
}

/// A load shape of the locustfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The name of its class.
    pub name: String,
    /// Whether it looks at the numbers of users and so on that the form asks for.
    pub uses_common_options: bool,
}

/// What holds for the whole life of the page.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The version of the program.
    pub version: String,
    /// The file name of the locustfile.
    pub locustfile: String,
    /// `--host`.
    pub host: Option<String>,
    /// `--users`.
    pub users: Option<u64>,
    /// `--spawn-rate`.
    pub spawn_rate: Option<f64>,
    /// `--run-time`.
    pub run_time: Option<Duration>,
    /// `--autostart`: the test starts by itself.
    pub autostart: bool,
    /// `--class-picker`.
    pub class_picker: bool,
    /// Every attribute of `parsed_options`.
    pub options: Map<String, Value>,
    /// The locustfile's load shapes; tests follow the first unless the form chooses.
    pub shapes: Vec<Shape>,
    /// The locustfile's own arguments.
    pub extra_options: Vec<ExtraOption>,
    /// The file of `--csv-full-history`.
    pub full_history: Option<PathBuf>,
    /// The percentiles of tables and files, as fractions.
    pub percentiles: Vec<f64>,
    /// Those of the page that the locustfile has chosen.
    pub chosen: Percentiles,
    /// What the locustfile puts in front of the page.
    pub extension: Option<Extension>,
}
