//! The run behind the web page.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use acrida_engine::{ClassId, Command, Control, SpawnRate};
use acrida_report::locust_json::Percentiles;
use acrida_stats::Snapshot;
use acrida_web::{
    Address, Change, ClassInfo, Extension, ExtraOption, Page, Settings, Setup, Shape, Site,
    StartError, Tls, UserChange,
};
use serde_json::{Value as Json, json};

use super::collector::Collector;
use super::{Host, LagReader, csv_files, open};
use crate::exit::Exit;
use crate::flags::{Value, parse_time_span};
use crate::options::Options;
use crate::{logging, task_ratio};

/// The environment variable with the password of `--web-login`.
const PASSWORD: &str = "ACRIDA_WEB_PASSWORD";

/// What the page shows that a run does not know.
#[derive(Debug, Clone, Default)]
pub struct PageSetup {
    /// The version of the program.
    pub version: String,
    /// The file name of the locustfile.
    pub locustfile: String,
    /// The locustfile's own arguments that the form asks for.
    pub extra_options: Vec<ExtraOption>,
    /// The locustfile's load shapes; the first is followed.
    pub shapes: Vec<Shape>,
    /// The percentiles of the page that the locustfile has chosen.
    pub chosen: Percentiles,
    /// What the locustfile puts in front of the page.
    pub extension: Option<Extension>,
}

/// A user class as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassState {
    /// Its settings and its tasks.
    pub tasks: task_ratio::ClassTasks,
    /// The names of its tasks, each as often as its weight says.
    pub task_names: Vec<String>,
    /// Base of the URLs that it loads, if it says so itself.
    pub host: Option<String>,
}

/// Takes the port of the page.
pub(super) fn bind(options: &Options) -> Result<Setup, Exit> {
    let web = &options.web;
    let address = Address {
        host: web.host.clone(),
        // Checked when the settings were read.
        port: u16::try_from(web.port).unwrap_or_default(),
        display_name: web.display_name.clone(),
        machine: gethostname::gethostname().to_string_lossy().into_owned(),
        base_path: web.base_path.clone(),
        tls: web.tls.as_ref().map(|(cert, key)| Tls {
            cert: cert.into(),
            key: key.into(),
        }),
        login: web.login.then(|| {
            std::env::var(PASSWORD)
                .ok()
                .filter(|password| !password.is_empty())
        }),
    };
    Page::bind(address).map_err(no_page)
}

/// Serves the page of a run that has started.
pub(super) fn serve(
    port: Setup,
    page: PageSetup,
    options: &Options,
    percentiles: &[f64],
    run: RunBehind,
) -> Result<Page, StartError> {
    let full_history = options
        .csv_prefix
        .as_ref()
        .filter(|_| options.csv_full_history);
    // The page's form asks for it.
    let spawn_rate = options.spawn_rate.or_else(|| {
        let is_open = options.rate.is_some();
        is_open.then(|| open::spawn_rate(options))
    });
    let settings = Settings {
        version: page.version,
        locustfile: page.locustfile,
        host: options.host.clone(),
        users: options.users,
        spawn_rate: spawn_rate.map(SpawnRate::per_second),
        run_time: options.run_time,
        autostart: options.web.autostart,
        class_picker: options.web.class_picker,
        options: options
            .all
            .iter()
            .map(|(name, value)| (name.clone(), as_json(value)))
            .collect(),
        shapes: page.shapes,
        extra_options: page.extra_options,
        full_history: full_history.map(|prefix| csv_files::path(prefix, "_stats_history")),
        percentiles: percentiles.to_vec(),
        chosen: page.chosen,
        extension: page.extension,
    };
    let control = run.control.clone();
    Page::start(port, Arc::new(run), control, settings)
}

pub(super) fn no_page(error: StartError) -> Exit {
    Exit::Failed(error.to_string())
}

pub(super) fn as_json(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::List(value) => json!(value),
    }
}

/// A run, as the page reaches it.
pub(super) struct RunBehind {
    control: Control,
    collector: Arc<Collector>,
    host: Arc<dyn Host>,
    /// The classes that the form has chosen; `None` means all.
    picked: Mutex<Option<Vec<String>>>,
}

impl RunBehind {
    pub(super) fn new(control: Control, collector: Arc<Collector>, host: Arc<dyn Host>) -> Self {
        Self {
            control,
            collector,
            host,
            picked: Mutex::default(),
        }
    }

    /// Tells the engine what holds for every class from the next test on.
    fn set_classes(&self, change: Option<&UserChange>) {
        let picked = self.picked.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, state) in self.host.classes().into_iter().enumerate() {
            let class = state.tasks.class;
            let change = change.filter(|change| change.user_class_name == class.name);
            let runs = picked
                .as_ref()
                .is_none_or(|picked| picked.contains(&class.name));
            let (weight, fixed_count) = if runs {
                (
                    change
                        .and_then(|change| change.weight)
                        .unwrap_or(class.weight),
                    change
                        .and_then(|change| change.fixed_count)
                        .unwrap_or(class.fixed_count),
                )
            } else {
                (0.0, 0)
            };
            self.control.send(Command::SetClass {
                class: ClassId(index),
                weight,
                fixed_count,
            });
        }
    }
}

impl Site for RunBehind {
    fn snapshot(&self) -> Snapshot {
        self.collector.snapshot()
    }

    fn reset(&self) {
        self.collector.reset();
    }

    fn change(&self, change: Change) {
        match &change {
            Change::Classes(names) => {
                *self.picked.lock().unwrap_or_else(PoisonError::into_inner) = Some(names.clone());
                self.set_classes(None);
            }
            Change::User(user) => self.set_classes(Some(user)),
            Change::Settings(_) | Change::Shape(_) | Change::ShapeClass(_) | Change::StatsReset => {
            }
        }
        self.host.change(change);
    }

    fn classes(&self) -> Vec<ClassInfo> {
        let info = |state: ClassState| ClassInfo {
            name: state.tasks.class.name,
            host: state.host,
            weight: state.tasks.class.weight,
            fixed_count: state.tasks.class.fixed_count,
            tasks: state.task_names,
        };
        self.host.classes().into_iter().map(info).collect()
    }

    fn task_ratios(&self) -> Json {
        let classes: Vec<_> = self
            .host
            .classes()
            .into_iter()
            .map(|state| state.tasks)
            .collect();
        task_ratio::json(&classes, Some(self.control.user_count()))
    }

    fn loop_lag(&self) -> Option<Duration> {
        self.host.loop_lag(LagReader::Page)
    }

    fn log_lines(&self) -> Vec<String> {
        logging::recent_lines()
    }

    fn run_time(&self, text: &str) -> Option<Duration> {
        parse_time_span(text).ok().map(Duration::from_secs)
    }
}
