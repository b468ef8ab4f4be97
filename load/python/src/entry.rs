//! The command `acrida`, as Python's console script calls it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use acrida_cli::command::{Prepared, prepare};
use acrida_cli::commands;
use acrida_cli::exit::Exit;
use acrida_cli::invocation::Invocation;
use acrida_cli::run::{
    Extension, ExtraOption, Intervals, PageSetup, RequestLog, Run, RunEnd, RunSetup,
};
use acrida_report::locust_json::Percentiles;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::engine::{Engine, REQUEST_GRACE};
use crate::ledger::Ledger;
use crate::loader::{PythonLoader, described, page_shape};
use crate::settings::parsed_options;

/// Shorter intervals between tables and states of files are lengthened to this.
const INTERVAL_MIN_S: f64 = 0.1;

/// Runs the command line `argv`, whose first word is the program; returns the exit code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, argv: Vec<String>) -> PyResult<i32> {
    let (program, arguments) = match argv.split_first() {
        Some((program, arguments)) => (program_name(program), arguments.to_vec()),
        None => ("acrida".to_owned(), Vec::new()),
    };
    if let Some(command) = commands::find(&program, &arguments) {
        release_sigint(py)?;
        let ended = py.detach(command);
        return Ok(ended.unwrap_or_else(|end| end.say(&program)));
    }
    let version = version(py)?;
    match command(py, &program, &version, arguments) {
        Ok(code) => Ok(code),
        Err(Problem::Exit(exit)) => Ok(exit.say(&program)),
        Err(Problem::Raised(error)) => Err(error),
    }
}

/// Leaves SIGINT to the native side, which ends in order: Python's own handler would raise
/// once that has ended.
fn release_sigint(py: Python<'_>) -> PyResult<()> {
    let signal = py.import("signal")?;
    let (sigint, default) = (signal.getattr("SIGINT")?, signal.getattr("SIG_DFL")?);
    signal.call_method1("signal", (sigint, default))?;
    Ok(())
}

/// Why a command ends before its run does.
enum Problem {
    Exit(Exit),
    /// Something raised that is nobody's mistake but ours, or a `sys.exit`.
    Raised(PyErr),
}

impl From<Exit> for Problem {
    fn from(exit: Exit) -> Self {
        Self::Exit(exit)
    }
}

impl From<PyErr> for Problem {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

fn command(
    py: Python<'_>,
    program: &str,
    version: &str,
    arguments: Vec<String>,
) -> Result<i32, Problem> {
    let invocation = Invocation::of_process(program, version, arguments)?;
    let loader = PythonLoader::new(py);
    let prepared = prepare(&invocation, &loader)?;
    run(py, &loader, prepared)
}

fn run(py: Python<'_>, loader: &PythonLoader<'_>, prepared: Prepared) -> Result<i32, Problem> {
    let options = prepared.options;
    let request_log = request_log(&options)?;
    let ledger = Bound::new(py, Ledger::with_log(request_log.as_ref()))?;
    let engine = Bound::new(
        py,
        start_engine(&ledger, options.server_time_field.clone())?,
    )?;

    let first_file = prepared.locustfiles.first();
    let locustfile = first_file.map_or(Path::new(""), |path| path.as_path());
    let arguments = (
        (&engine, &ledger),
        loader.chosen(&prepared.chosen),
        loader.shapes(),
        parsed_options(py, &options)?,
        locustfile,
    );
    let module = py.import("acrida.run")?;
    let python = module
        .call_method1("prepare", arguments)
        .map_err(|error| explain(py, error))?;
    if !python.call_method0("init")?.extract::<bool>()? {
        return Ok(acrida_cli::exit::FAILURE);
    }
    let classes: Vec<Bound<'_, PyAny>> = python.getattr("user_classes")?.extract()?;
    let setup = RunSetup {
        options,
        classes: classes.iter().map(described).collect::<PyResult<_>>()?,
        collector: Arc::clone(ledger.get().collector()),
        request_log,
        starts_by_itself: loader.shapes().is_empty(),
        percentiles: module.call_method0("percentiles_to_report")?.extract()?,
        intervals: intervals(&module)?,
        request_grace: REQUEST_GRACE,
        page: page_setup(locustfile, loader, &module, &python)?,
    };
    release_sigint(py)?;
    let host = engine.get().host();
    let run = py.detach(|| Run::start(setup, &host))?;
    engine.get().set_control(run.control().clone());
    let looped = python.call_method0("loop");
    let code = end(py, &python, engine.get(), run);
    looped?;
    Ok(code?)
}

/// The end of a run: what is in flight is awaited and counted, then every report is
/// written.
fn end(py: Python<'_>, python: &Bound<'_, PyAny>, engine: &Engine, run: Run) -> PyResult<i32> {
    let client = engine.client();
    let cut_off = py.detach(|| {
        client
            .outbox()
            .wait_until_idle(Instant::now() + REQUEST_GRACE);
        client.close()
    });
    engine.count_the_rest();
    let asked_for: Option<i32> = python.call_method0("quitting")?.extract()?;
    let ending = RunEnd {
        cut_off,
        asked_for,
        listener_raised: python.call_method0("listener_raised")?.extract()?,
    };
    let code = py.detach(|| run.finish(ending));
    python.call_method1("quit", (code,))?;
    Ok(code)
}

/// How often tables are printed and files written; locustfiles may say so.
fn intervals(module: &Bound<'_, PyModule>) -> PyResult<Intervals> {
    let (console, files): (f64, f64) = module.call_method0("intervals")?.extract()?;
    let duration = |seconds: f64| {
        Duration::try_from_secs_f64(seconds.max(INTERVAL_MIN_S))
            .map_err(|error| PyValueError::new_err(format!("{seconds} s is no interval: {error}")))
    };
    Ok(Intervals {
        console: duration(console)?,
        files: duration(files)?,
    })
}

fn page_setup(
    locustfile: &Path,
    loader: &PythonLoader<'_>,
    module: &Bound<'_, PyModule>,
    python: &Bound<'_, PyAny>,
) -> PyResult<PageSetup> {
    type PageOption = (String, String, Vec<String>, bool, bool, bool);
    let options: Vec<PageOption> = module.call_method0("page_options")?.extract()?;
    let option =
        |(dest, help_text, choices, is_secret, is_required, is_multiple): PageOption| ExtraOption {
            dest,
            help_text: Some(help_text).filter(|text| !text.is_empty()),
            choices: (!choices.is_empty()).then_some(choices),
            is_secret,
            is_required,
            is_multiple,
        };
    let extension: Option<(PathBuf, bool)> = python.call_method0("page_extension")?.extract()?;
    let shapes: PyResult<_> = loader.shapes().iter().map(page_shape).collect();
    let (to_chart, to_statistics) = module.call_method0("percentiles_of_the_page")?.extract()?;
    Ok(PageSetup {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        locustfile: locustfile
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        extra_options: options.into_iter().map(option).collect(),
        shapes: shapes?,
        chosen: Percentiles {
            to_chart,
            to_statistics,
        },
        extension: extension.map(|(folder, logs_in)| Extension { folder, logs_in }),
    })
}

fn request_log(options: &acrida_cli::options::Options) -> Result<Option<RequestLog>, Exit> {
    match &options.csv_prefix {
        Some(prefix) if options.csv_requests => RequestLog::create(prefix).map(Some),
        _ => Ok(None),
    }
}

fn start_engine(ledger: &Bound<'_, Ledger>, time_field: Option<String>) -> Result<Engine, Exit> {
    Engine::start(ledger, time_field)
        .map_err(|error| Exit::Failed(format!("the system refuses to start I/O threads: {error}")))
}

/// A mistake of the locustfile's, or of the command line as it understands it, is said
/// in a line; anything else is passed on.
fn explain(py: Python<'_>, error: PyErr) -> Problem {
    let is_a = |class: &str| {
        py.import("acrida.run")
            .and_then(|module| module.getattr(class))
            .is_ok_and(|class| error.is_instance(py, &class))
    };
    if is_a("UsageError") {
        Exit::Usage(error.value(py).to_string()).into()
    } else if is_a("LocustfileError") {
        Exit::Failed(error.value(py).to_string()).into()
    } else {
        error.into()
    }
}

/// What messages call the program: its file's name.
fn program_name(path: &str) -> String {
    let name = Path::new(path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    match name.as_deref() {
        None | Some("__main__.py") => "acrida".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// What `--version` shows.
fn version(py: Python<'_>) -> PyResult<String> {
    let sys = py.import("sys")?;
    let prefix: String = sys.getattr("prefix")?.extract()?;
    let info = sys.getattr("version_info")?;
    let part = |name: &str| -> PyResult<u32> { info.getattr(name)?.extract() };
    Ok(format!(
        "acrida {} from {prefix} (Python {}.{}.{})",
        env!("CARGO_PKG_VERSION"),
        part("major")?,
        part("minor")?,
        part("micro")?
    ))
}
